/**
 * Fiat–Shamir over everything that a verifier's equations contain, statement and first messages (Bulletproofs, ePrint 2017/1066, §4.4, says the same of its challenges).
 *
 * A challenge that leaves out a statement or a first message proves nothing about it (attack ENC-05; the origin's challenge omitted the statements), and
 * two readings of one concatenation are two statements with one proof (ENC-04). So a transcript is a list of operations, each with a number that says
 * which, and every label and value with its length: no two lists have the same bytes.
 */
import { createHash } from 'node:crypto';
import { bytesToNumberBE } from '@noble/curves/utils.js';
import { lp, type Purpose, tagged, u64be, utf8 } from '../messages/bytes.ts';
import { encodeG1, encodeG2, encodeScalar, Fr, type G1, type G2 } from './groups.ts';

/** Purposes of the closed table that are this scheme's. */
export type CoconutPurpose = Extract<Purpose, `coconut-${string}`>;

const APPEND = Uint8Array.of(1);
const CHALLENGE = Uint8Array.of(2);
const FORK = Uint8Array.of(3);

/** Public data only: `node:crypto` is not constant-time in lengths. */
export class Transcript {
  #state = createHash('sha512');

  /** Begins with `LP("coterie/v1/<tag>")`. */
  constructor(tag: CoconutPurpose) {
    this.#state.update(tagged(tag));
  }

  /** `1 ‖ LP(label) ‖ LP(bytes)` */
  append(label: string, bytes: Uint8Array): this {
    this.#state
      .update(APPEND)
      .update(lp(utf8(label)))
      .update(lp(bytes));
    return this;
  }

  /** The compressed form: 48 bytes for a point of G1, 96 for one of G2. */
  appendPoint(label: string, point: G1 | G2): this {
    return this.append(label, isG1(point) ? encodeG1(point) : encodeG2(point));
  }

  /** u64be. @throws {EncodingError} outside 0 ≤ n < 2⁶⁴ */
  appendNumber(label: string, n: number | bigint): this {
    return this.append(label, u64be(n));
  }

  /** 32 bytes, big-endian. @throws {CoconutError} outside 0 ≤ scalar < r */
  appendScalar(label: string, scalar: bigint): this {
    return this.append(label, encodeScalar(scalar));
  }

  /**
   * 64 bytes of SHA-512 over all that was appended, modulo r: a bias below 2⁻²⁵⁶. The challenge becomes part of what follows, so that one asked for later is a
   * different one.
   */
  challenge(label: string): bigint {
    this.#state.update(CHALLENGE).update(lp(utf8(label)));
    return Fr.create(bytesToNumberBE(new Uint8Array(this.#state.copy().digest())));
  }

  /** A transcript that knows all of this one and goes its own way; this one is not changed. */
  fork(label: string): Transcript {
    const fork = new Transcript('coconut-show');
    fork.#state = this.#state.copy();
    fork.#state.update(FORK).update(lp(utf8(label)));
    return fork;
  }
}

function isG1(point: G1 | G2): point is G1 {
  return typeof point.X === 'bigint';
}
