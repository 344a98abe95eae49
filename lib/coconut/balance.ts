/**
 * Σ inputs + deposits = Σ outputs + withdraw, with the inputs and outputs hidden:
 *
 *   E = ΣV + W·H_v − ΣP − D·H_v,   and a proof of e with E = e·g1.
 *
 * If the amounts do not balance, E has a part in H_v that is not 0, and whoever knew an e would know a discrete logarithm between g1 and H_v. The amounts are integers: every V is
 * below 2⁶⁴ by its range proof, every P was a V once, and 18 amounts of 64 bits do not reach r.
 */
import type { RandomBytes } from '../ceremony.ts';
import { concat } from '../messages/bytes.ts';
import { g1, valueGenerator } from './generators.ts';
import { encodeG1, encodeScalar, Fr, multiplyBase, randomScalar } from './groups.ts';
import { respond } from './request.ts';
import type { Transcript } from './transcript.ts';
import type { PublicG1, TermG1, Verifier } from './verifier.ts';

/**
 * c_E ‖ z_E, 64 bytes: a Schnorr proof of e.
 * @param transcript holds every P, V, D and W
 * @param e Σb − Σa. SECRET
 * @param random one scalar, 48 bytes
 */
export function proveBalance(transcript: Transcript, e: bigint, random: RandomBytes): Uint8Array {
  const nonce = randomScalar(random);
  const c = transcript.append('A_E', encodeG1(multiplyBase(nonce))).challenge('c_E');
  return concat(encodeScalar(c), encodeScalar(respond(nonce, c, e)));
}

/** What the balance is about: the reader's own reading of a transaction. */
export interface BalanceStatement {
  /** P of each input. */
  readonly inputs: readonly PublicG1[];
  /** V of each output. */
  readonly outputs: readonly PublicG1[];
  /** D and W: below 2⁶⁴. */
  readonly deposited: bigint;
  readonly withdrawn: bigint;
}

/** A_E = z_E·g1 − c_E·E, and the challenge that it has to give. E is never the message's. */
export function isBalanced(
  transcript: Transcript,
  verifier: Verifier,
  { inputs, outputs, deposited, withdrawn }: BalanceStatement,
  { c, z }: { readonly c: bigint; readonly z: bigint },
): boolean {
  const minus = Fr.neg(c);
  const terms: TermG1[] = [
    [z, verifier.fromG1(g1)],
    [Fr.mul(minus, Fr.create(withdrawn - deposited)), verifier.fromG1(valueGenerator())],
    ...outputs.map((V) => [minus, V] as const),
    ...inputs.map((P) => [c, P] as const),
  ];
  return transcript.append('A_E', verifier.encodeG1(verifier.sumG1(terms))).challenge('c_E') === c;
}
