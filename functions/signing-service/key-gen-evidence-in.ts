/** As a processor's: a signing service makes its key in the same ceremony. */
export { handler } from '../processor/key-gen-evidence-in.ts';
