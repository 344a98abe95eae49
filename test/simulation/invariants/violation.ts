/** The invariants of `ceremonies.md`, by their numbers there. */
export const INVARIANTS = {
  1: 'no two honest nodes hold different keys of one ceremony',
  2: 'any t honest shares of a certified key give the key, and the degree is exactly t − 1',
  3: 'usable at one honest node: every honest node has its share, and gets the certificate',
  4: 'one statement in a place, for ever',
  5: 'a nonce meets one package',
  6: 'a signature exists only if t − f honest operators authorised it',
  7: 'one final outcome of a ceremony at a node',
  8: 'every culprit is Byzantine, and the evidence verifies offline',
  9: 'no secret in any sink that is not secret',
  10: 'terminal stages absorb, and versions only rise',
  11: 'storage and calls are bounded',
  12: 'after the faults stop, everything ends as it should',
} as const;

export type Invariant = keyof typeof INVARIANTS;

export interface Violation {
  readonly invariant: Invariant;
  readonly what: string;
}

export type Report = (invariant: Invariant, what: string) => void;
