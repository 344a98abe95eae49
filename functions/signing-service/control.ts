/** The operator's switches, as a processor's: halted, a service neither votes nor signs. */
export { handler } from '../processor/control.ts';
