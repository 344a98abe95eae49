/**
 * Keys (Coconut; with β_j of G1, ePrint 2022/011). Secrets x, y_1 … y_q are shared with polynomials of degree t − 1; of the group and of each service i there is
 *
 *   α = x·g2,   β_j = y_j·g1,   β̃_j = y_j·g2.
 *
 * β_j, in the other group, is what removes the blinding; whoever publishes β_j and β̃_j of different y_j hands out credentials that fail later, so it is
 * checked (attack ECASH-14).
 */
import { createHash } from 'node:crypto';
import { concat, list, tagged, u16be } from '../messages/bytes.ts';
import type { CoconutParameters } from './coconut.ts';
import { Equations } from './equations.ts';
import { g1, g2 } from './generators.ts';
import {
  CoconutError,
  decodeG1,
  decodeG2,
  decodeScalar,
  encodeG1,
  encodeG2,
  encodeScalar,
  expectLength,
  Fr,
  type G1,
  G1_BYTES,
  type G2,
  G2_BYTES,
  SCALAR_BYTES,
} from './groups.ts';
import type { Verifier } from './verifier.ts';

/** The group's, or one service's. */
export interface PublicKey {
  /** α: one point of G2. */
  readonly alpha: G2;
  /** q points of G1. */
  readonly beta: readonly G1[];
  /** q points of G2. */
  readonly betaTilde: readonly G2[];
}

/** The group's key, with its name. */
export interface VerificationKey extends PublicKey {
  /** 32 bytes: every challenge contains it, so nothing made for one asset or epoch is good in another (attack ECASH-15). */
  readonly id: Uint8Array;
}

/** One service's key: what its partial signatures verify under. */
export interface ServiceKey extends PublicKey {
  /** 1..n. */
  readonly index: number;
}

/** One service's share: x_i, y_i1 … y_iq. SECRET. */
export interface SecretKey {
  /** Below r. */
  readonly x: bigint;
  /** q scalars below r. */
  readonly y: readonly bigint[];
}

/** α ‖ β_1 … β_q ‖ β̃_1 … β̃_q: 96 + 144·q bytes. */
export function encodePublicKey({ alpha, beta, betaTilde }: PublicKey): Uint8Array {
  return concat(encodeG2(alpha), ...beta.map(encodeG1), ...betaTilde.map(encodeG2));
}

/** @param bytes 96 + 144·q, as {@link encodePublicKey} @param attributes q @throws {CoconutError} for another length, and for any point that is not canonical, in its group and other than the identity */
export function decodePublicKey(bytes: Uint8Array, attributes: number): PublicKey {
  expectLength(bytes, G2_BYTES + attributes * (G1_BYTES + G2_BYTES), 'a public key');
  const betas = G2_BYTES + attributes * G1_BYTES;
  return {
    alpha: decodeG2(bytes.subarray(0, G2_BYTES)),
    beta: pieces(bytes.subarray(G2_BYTES, betas), G1_BYTES).map(decodeG1),
    betaTilde: pieces(bytes.subarray(betas), G2_BYTES).map(decodeG2),
  };
}

/** x ‖ y_1 … y_q: 32·(1 + q) bytes. SECRET. */
export function encodeSecretKey({ x, y }: SecretKey): Uint8Array {
  return concat(encodeScalar(x), ...y.map(encodeScalar));
}

/** @param bytes 32·(1 + q), as {@link encodeSecretKey} @param attributes q @throws {CoconutError} for another length or a scalar ≥ r */
export function decodeSecretKey(bytes: Uint8Array, attributes: number): SecretKey {
  expectLength(bytes, SCALAR_BYTES * (1 + attributes), 'a secret key');
  const [x = 0n, ...y] = pieces(bytes, SCALAR_BYTES).map(decodeScalar);
  return { x, y };
}

/** The bytes in parts of `size` each; their length is a multiple of it. Views, not copies. */
export function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: bytes.length / size }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

/**
 * The id of a key that no ceremony made: SHA-256(`LP("coterie/v1/coconut-key") ‖ u16be(q) ‖ u16be(t) ‖ u16be(n) ‖ key ‖ list(service keys)`). A key that a ceremony
 * made has the ceremony's id.
 * @returns 32 bytes
 */
export function keyIdOf(
  { attributes, threshold, total }: CoconutParameters,
  key: PublicKey,
  serviceKeys: readonly PublicKey[],
): Uint8Array {
  const parts = concat(
    tagged('coconut-key'),
    u16be(attributes),
    u16be(threshold),
    u16be(total),
    encodePublicKey(key),
    list(serviceKeys.map(encodePublicKey)),
  );
  return new Uint8Array(createHash('sha256').update(parts).digest());
}

/**
 * Lagrange coefficients λ_i at `x` over distinct indexes: f(x) = Σ λ_i·f(i) for every f of a degree below their number.
 * @param x 0 for the secret itself, or another index
 * @returns as many scalars as indexes, in their order
 * @throws {CoconutError} `BadIndexes` for an index outside 1..31 or a second one: a coefficient would divide by zero, or one service would count as two
 */
export function lagrange(indexes: readonly number[], x = 0): bigint[] {
  if (new Set(indexes).size !== indexes.length)
    throw new CoconutError('BadIndexes', 'distinct indexes', 'a repeated one');
  for (const index of indexes)
    if (!Number.isInteger(index) || index < 1 || index > 31)
      throw new CoconutError('BadIndexes', 'an index from 1 to 31', String(index));
  return indexes.map((i) => {
    let numerator = 1n;
    let denominator = 1n;
    for (const k of indexes) {
      if (k === i) continue;
      numerator = Fr.mul(numerator, Fr.create(BigInt(x - k)));
      denominator = Fr.mul(denominator, Fr.create(BigInt(i - k)));
    }
    return Fr.div(numerator, denominator);
  });
}

/**
 * What makes n service keys shares of one key: n distinct indexes, q attributes each; e(β_j, g2) = e(g1, β̃_j) for all; and every key but the first t is what those t
 * interpolate to, the group's own key at 0. A committee whose services do not agree on the polynomial would issue credentials that depend on who answered.
 * @throws {CoconutError} `BadKey` for wrong counts or indexes
 */
export function keyEquations(
  verifier: Verifier,
  { attributes, threshold, total }: CoconutParameters,
  key: PublicKey,
  serviceKeys: readonly ServiceKey[],
): Equations {
  // Not 1 to n: a key is made by those of a committee who take part, under the indexes that the committee file gives them.
  if (serviceKeys.length !== total || serviceKeys.some(({ index }, i) => index <= (serviceKeys[i - 1]?.index ?? 0)))
    throw new CoconutError('BadKey', `${total} service keys in ascending order`, `${serviceKeys.length} keys`);
  const all = [key, ...serviceKeys];
  for (const { beta, betaTilde } of all)
    if (beta.length !== attributes || betaTilde.length !== attributes)
      throw new CoconutError('BadKey', `${attributes} attributes`, `${beta.length} and ${betaTilde.length}`);

  const equations = new Equations();
  const minusOne = Fr.neg(1n);
  const [base1, base2] = [verifier.fromG1(g1), verifier.fromG2(g2)];
  for (const { beta, betaTilde } of all)
    beta.forEach((point, j) => {
      equations.addPairing([
        [1n, verifier.fromG1(point), base2],
        [minusOne, base1, verifier.fromG2(betaTilde[j] as G2)],
      ]);
    });

  const basis = serviceKeys.slice(0, threshold);
  const indexes = basis.map(({ index }) => index);
  const others = [{ at: 0, of: key }, ...serviceKeys.slice(threshold).map((of) => ({ at: of.index, of }))];
  for (const { at, of } of others) {
    const coefficients = lagrange(indexes, at);
    const inG2 = (part: (from: PublicKey) => G2) =>
      equations.addG2([
        [minusOne, verifier.fromG2(part(of))],
        ...basis.map((each, i) => [coefficients[i] as bigint, verifier.fromG2(part(each))] as const),
      ]);
    // β_j follows from β̃_j by the pairings above.
    inG2(({ alpha }) => alpha);
    for (let j = 0; j < attributes; j++) inG2(({ betaTilde }) => betaTilde[j] as G2);
  }
  return equations;
}
