/** Makes the service's own keys on the first start, as a processor's. */
export { handler } from '../processor/start.ts';
