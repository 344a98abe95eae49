/**
 * Key generation for credentials: q + 1 Pedersen dealings at once (PedPoP, Komlo & Goldberg, "FROST", SAC 2020, ePrint 2020/852, figure 1), one for each scalar
 * of a Pointcheval–Sanders key (what TTPKeyGen deals in Coconut, Sonnino et al., NDSS 2019), with the keys of both groups that the Pedersen variant needs (ePrint
 * 2022/011).
 *
 * Dealer d has secret polynomials f_d0 (for x) and f_d1 … f_dq (for y_1 … y_q) of degree t − 1 with coefficients a_djk, k < t. It publishes
 *
 *   A_k = a_d0k·g2,   B_jk = a_djk·g1,   B̃_jk = a_djk·g2        (x is wanted in G2 only, y_j in both groups)
 *
 * and gives service i the values f_d0(i), f_dj(i). The sums over all dealers are the key: α = x·g2, β_j = y_j·g1, β̃_j = y_j·g2, and the same at every i.
 *
 * Three things are checked of each dealer, besides counts and encodings:
 *
 * 1. every point is in its group of prime order r: point by point when it is decoded. A part of small order passes any check by random weights with probability
 *    1/h for its order h, and both curves have cofactors with small factors;
 * 2. B_jk and B̃_jk have one logarithm: e(B_jk, g2) = e(g1, B̃_jk) for all j and k (attack ECASH-14: a key that blinds with one y and verifies with another);
 * 3. possession of all constant terms, or the last dealer chooses the key (attack DKG-05): Schnorr proofs, Fiat–Shamir over the ceremony, the dealer and all of
 *    its commitments (the figure's c = H(dealer, Φ, key, R), with the ceremony's hash as Φ), so that no proof is good for another dealer, ceremony or suite
 *    (DKG-06).
 *
 * The keys of the sum are biased as in every Pedersen DKG that is not re-randomised (Gennaro, Jarecki, Krawczyk, Rabin, EUROCRYPT 1999), but not by choice: all
 * commitments are announced by hash before one is shown, and whoever is missing ends the ceremony, so nobody sees the others' parts while its own is open (DKG-11). What remains is that a dealer
 * can abort once it has seen the key. A key so chosen from a few is a uniform one conditioned on the dealer's wish; PS unforgeability loses the number of aborted
 * runs as a factor, and every one of them is visible to the operators.
 */
import { createHash } from 'node:crypto';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import type { RandomBytes } from '../ceremony.ts';
import { Equations, holds } from '../coconut/equations.ts';
import { g1, g2 } from '../coconut/generators.ts';
import {
  CoconutError,
  decodeScalar,
  encodeG1,
  encodeG2,
  encodeScalar,
  Fr,
  randomScalar,
  SCALAR_BYTES,
} from '../coconut/groups.ts';
import { Transcript } from '../coconut/transcript.ts';
import type { PublicG1, PublicG2, Verifier } from '../coconut/verifier.ts';
import { concat } from '../messages/bytes.ts';
import { ATTRIBUTES } from '../messages/certificate.ts';

const { Point: G1Point } = bls12_381.G1;
const { Point: G2Point } = bls12_381.G2;

/** f_0 … f_q */
const POLYNOMIALS = 1 + ATTRIBUTES;

/** What a dealing is bound to. */
export interface Place {
  /** 32 bytes: the hash of all parameters, the suite and the signers among them. */
  readonly ceremony: Uint8Array;
  /** Commitments in each row. */
  readonly t: number;
  /** Of the dealer, 1 … n. */
  readonly index: number;
}

/** Commitments to q + 1 polynomials, or their sums: t points in each row, constant term first. `beta` and `betaTilde` have q rows. */
export interface Rows<P1, P2> {
  /** A_0 … A_(t−1), in G2. */
  readonly alpha: readonly P2[];
  /** B_j0 … B_j(t−1) for each j, in G1. */
  readonly beta: readonly (readonly P1[])[];
  /** B̃_j0 … B̃_j(t−1) for each j, in G2. */
  readonly betaTilde: readonly (readonly P2[])[];
}
/** Compressed: 48 bytes in G1, 96 in G2. */
export type EncodedRows = Rows<Uint8Array, Uint8Array>;
/** Points of an engine. */
export type PublicRows = Rows<PublicG1, PublicG2>;

/** A Schnorr proof: R, compressed, and μ, 32 bytes. */
export interface EncodedProof {
  readonly commitment: Uint8Array;
  readonly response: Uint8Array;
}

/** A commitment statement's content. */
export interface EncodedDealing {
  readonly rows: EncodedRows;
  /** R_0 ∈ G2 */
  readonly proofX: EncodedProof;
  /** q proofs, R_j ∈ G1 */
  readonly proofsY: readonly EncodedProof[];
}

/** A dealing whose shape and groups have been checked: {@link readDealing} makes it. */
export interface ReadDealing {
  readonly index: number;
  readonly rows: PublicRows;
  /** What must hold besides. */
  readonly equations: Equations;
  /** Of all of it: weights that come from it are known to nobody before the dealing is fixed. */
  readonly digest: Uint8Array;
}

/** One scalar of each polynomial: x_i, y_i1 … y_iq. SECRET. */
export interface Share {
  readonly x: bigint;
  readonly y: readonly bigint[];
}

/** A key of the group or of one service. */
export interface Key {
  readonly alpha: PublicG2;
  readonly beta: readonly PublicG1[];
  readonly betaTilde: readonly PublicG2[];
}

// ---------------------------------------------------------------------------------------------- dealing

/**
 * Fresh polynomials of degree t − 1, commitments and proofs.
 * @param random uniformly random bytes, 48 for each coefficient and each proof's nonce
 * @returns `polynomial`: (q + 1)·t·32 SECRET bytes, f_0 first, constant terms first, big-endian
 */
export function deal(
  place: Place,
  random: RandomBytes,
): { readonly polynomial: Uint8Array; readonly dealing: EncodedDealing } {
  const row = () => Array.from({ length: place.t }, () => randomScalar(random));
  const x = row();
  const y = Array.from({ length: ATTRIBUTES }, row);
  const rows = { alpha: x.map(inG2), beta: y.map((a) => a.map(inG1)), betaTilde: y.map((a) => a.map(inG2)) };
  const constants = { x: x[0] ?? 0n, y: y.map((a) => a[0] ?? 0n) };
  return {
    polynomial: concat(...[x, ...y].flat().map(encodeScalar)),
    dealing: prove(place, rows, constants, random),
  };
}

/**
 * The proofs of possession of the constant terms: R_0 = ρ_0·g2, R_j = ρ_j·g1, μ = ρ + c·a_0.
 * @param constants a_00 and a_10 … a_q0, SECRET
 * @param random one nonce for each, 48 bytes
 */
export function prove(place: Place, rows: EncodedRows, constants: Share, random: RandomBytes): EncodedDealing {
  const rho0 = randomScalar(random);
  const rho = constants.y.map(() => randomScalar(random));
  const [R0, R] = [inG2(rho0), rho.map(inG1)];
  const c = challenge(place, rows, R0, R);
  const response = (nonce: bigint, constant: bigint) => encodeScalar(Fr.add(nonce, Fr.mul(c, constant)));
  return {
    rows,
    proofX: { commitment: R0, response: response(rho0, constants.x) },
    proofsY: R.map((commitment, j) => ({ commitment, response: response(rho[j] ?? 0n, constants.y[j] ?? 0n) })),
  };
}

/** Multiples of the base points by secrets: noble's, which take the same steps for every scalar. */
const inG1 = (scalar: bigint): Uint8Array => encodeG1(G1Point.BASE.multiply(scalar));
const inG2 = (scalar: bigint): Uint8Array => encodeG2(G2Point.BASE.multiply(scalar));

/**
 * f_p(index) for every polynomial p: the share of one service, or one's own.
 * @param polynomial (q + 1)·t·32 SECRET bytes of {@link deal}
 * @throws {CoconutError} `BadScalar` for bytes that are no scalars below r
 */
export function evaluateShare(polynomial: Uint8Array, index: number): Share {
  const t = polynomial.length / SCALAR_BYTES / POLYNOMIALS;
  const at = BigInt(index);
  const [x = 0n, ...y] = Array.from({ length: POLYNOMIALS }, (_, p) => {
    let value = 0n;
    for (let k = t - 1; k >= 0; k--) {
      const start = (p * t + k) * SCALAR_BYTES;
      value = Fr.add(Fr.mul(value, at), decodeScalar(polynomial.subarray(start, start + SCALAR_BYTES)));
    }
    return value;
  });
  return { x, y };
}

/** c of all proofs of one dealing: over its place, all that it commits to, and all first messages, in this order. */
function challenge(place: Place, rows: EncodedRows, Rx: Uint8Array, Ry: readonly Uint8Array[]): bigint {
  const transcript = placed(place, rows).append('R_x', Rx);
  for (const R of Ry) transcript.append('R_j', R);
  return transcript.challenge('c');
}

function placed({ ceremony, t, index }: Place, { alpha, beta, betaTilde }: EncodedRows): Transcript {
  const transcript = new Transcript('coconut-possession')
    .append('ceremony', ceremony)
    .appendNumber('dealer', index)
    .appendNumber('t', t)
    .appendNumber('q', ATTRIBUTES);
  for (const point of alpha) transcript.append('A_k', point);
  for (const row of beta) for (const point of row) transcript.append('B_jk', point);
  for (const row of betaTilde) for (const point of row) transcript.append('B~_jk', point);
  return transcript;
}

// ---------------------------------------------------------------------------------------------- dealings of others

/**
 * Check 1: exactly t points in every row, each canonical, on its curve, of prime order and not the identity.
 *
 * The count matters most: one commitment too many raises the threshold of the whole key without a trace (Trail of Bits, 2024; attack DKG-01), and an identity at
 * the end lowers it under the right count (DKG-02).
 */
export function readRows(
  verifier: Verifier,
  t: number,
  { alpha, beta, betaTilde }: EncodedRows,
): PublicRows | undefined {
  if (beta.length !== ATTRIBUTES || betaTilde.length !== ATTRIBUTES) return undefined;
  if ([alpha, ...beta, ...betaTilde].some((row) => row.length !== t)) return undefined;
  return attempt(() => ({
    alpha: alpha.map((point) => verifier.decodeG2(point)),
    beta: beta.map((row) => row.map((point) => verifier.decodeG1(point))),
    betaTilde: betaTilde.map((row) => row.map((point) => verifier.decodeG2(point))),
  }));
}

/** Shape and groups of a whole dealing. @returns nothing if they are wrong; what remains to be checked is {@link ReadDealing.equations} */
export function readDealing(verifier: Verifier, place: Place, dealing: EncodedDealing): ReadDealing | undefined {
  const { proofX, proofsY } = dealing;
  const rows = readRows(verifier, place.t, dealing.rows);
  if (!rows || proofsY.length !== ATTRIBUTES) return undefined;
  const equations = attempt(() => equationsOf(verifier, place, rows, dealing));
  if (!equations) return undefined;
  const transcript = placed(place, dealing.rows);
  for (const { commitment, response } of [proofX, ...proofsY])
    transcript.append('R', commitment).append('mu', response);
  return { index: place.index, rows, equations, digest: encodeScalar(transcript.challenge('weights')) };
}

function equationsOf(
  verifier: Verifier,
  place: Place,
  { alpha, beta, betaTilde }: PublicRows,
  { rows, proofX, proofsY }: EncodedDealing,
): Equations {
  const [base1, base2] = [verifier.fromG1(g1), verifier.fromG2(g2)];
  const minusOne = Fr.neg(1n);
  const c = challenge(
    place,
    rows,
    proofX.commitment,
    proofsY.map(({ commitment }) => commitment),
  );
  const equations = new Equations();
  // Check 3: μ_0·g2 = R_0 + c·A_0, and μ_j·g1 = R_j + c·B_j0.
  equations.addG2([
    [decodeScalar(proofX.response), base2],
    [minusOne, verifier.decodeG2(proofX.commitment)],
    [Fr.neg(c), first(alpha)],
  ]);
  for (const [j, { commitment, response }] of proofsY.entries()) {
    equations.addG1([
      [decodeScalar(response), base1],
      [minusOne, verifier.decodeG1(commitment)],
      [Fr.neg(c), first(beta[j])],
    ]);
  }
  // Check 2: e(B_jk, g2) = e(g1, B̃_jk).
  for (const [j, row] of beta.entries()) {
    for (const [k, point] of row.entries()) {
      const tilde = betaTilde[j]?.[k];
      if (tilde)
        equations.addPairing([
          [1n, point, base2],
          [minusOne, base1, tilde],
        ]);
    }
  }
  return equations;
}

/**
 * The dealers whose equations do not hold, ascending. All are checked in one batch, with weights drawn here, after all dealings are fixed: one multiplication of
 * many points in G1 and one in G2 for the proofs, one of each and two Miller loops for all coefficients. A batch accuses nobody: if it fails, each dealing is judged by
 * {@link dealingHolds}.
 */
export function wrongDealers(verifier: Verifier, dealings: readonly ReadDealing[], random: RandomBytes): number[] {
  const records = dealings.map(({ equations }) => equations);
  if (records.length > 1 && holds(verifier, records, random)) return [];
  return dealings
    .filter((dealing) => !dealingHolds(verifier, dealing))
    .map(({ index }) => index)
    .sort((a, b) => a - b);
}

/**
 * The rule that blame and evidence stand on: one dealing's equations, with weights that are a hash of all of it, so that every operator and every later judge comes to
 * the same answer. An honest dealer always passes. A bad one would have to find a dealing whose own hash gives its errors weights that cancel: 2¹²⁸ tries.
 */
export function dealingHolds(verifier: Verifier, { equations, digest }: ReadDealing): boolean {
  let drawn = 0;
  return equations.check(verifier, (length) => {
    const counter = new Uint8Array(4);
    new DataView(counter.buffer).setUint32(0, drawn++);
    return new Uint8Array(createHash('sha512').update(digest).update(counter).digest().subarray(0, length));
  });
}

/**
 * The sums over all dealers: commitments to the polynomials of the key.
 * @returns nothing if a sum is the identity: a lower degree or a key of 0, which an honest dealer's part leaves a chance of 2⁻²⁵⁴
 */
export function columnSums(verifier: Verifier, dealings: readonly ReadDealing[]): PublicRows | undefined {
  const [sum, ...others] = dealings.map(({ rows }) => rows);
  if (!sum) return undefined;
  const add1 = (row: readonly PublicG1[], other: readonly PublicG1[] = []) =>
    row.map((point, k) => verifier.addG1(point, other[k] ?? point));
  const add2 = (row: readonly PublicG2[], other: readonly PublicG2[] = []) =>
    row.map((point, k) => verifier.addG2(point, other[k] ?? point));
  const columns = others.reduce<PublicRows>(
    (rows, next) => ({
      alpha: add2(rows.alpha, next.alpha),
      beta: rows.beta.map((row, j) => add1(row, next.beta[j])),
      betaTilde: rows.betaTilde.map((row, j) => add2(row, next.betaTilde[j])),
    }),
    sum,
  );
  return hasIdentity(verifier, columns) ? undefined : columns;
}

// ---------------------------------------------------------------------------------------------- shares and keys

/**
 * Whether a share lies on the commitments at `index`: x_i·g2 = Σ i^k·A_k and y_ij·g1 = Σ i^k·B_jk. That y_ij belongs to B̃_j as well is what check 2 says of the
 * dealing. A share is a secret of its receiver: noble's constant-time multiplication, compared by encodings.
 */
export function liesOn(
  verifier: Verifier,
  index: number,
  { alpha, beta }: Pick<PublicRows, 'alpha' | 'beta'>,
  { x, y }: Share,
): boolean {
  if (x === 0n || y.includes(0n) || y.length !== beta.length) return false;
  const at = evaluation(verifier, index);
  return (
    equal(inG2(x), verifier.encodeG2(at.inG2(alpha))) &&
    y.every((each, j) => equal(inG1(each), verifier.encodeG1(at.inG1(beta[j] ?? []))))
  );
}

/** Σ shares, one for each dealer, modulo r. SECRET. */
export function sumShares(shares: readonly Share[]): Share {
  return {
    x: shares.reduce((sum, share) => Fr.add(sum, share.x), 0n),
    y: Array.from({ length: ATTRIBUTES }, (_, j) => shares.reduce((sum, share) => Fr.add(sum, share.y[j] ?? 0n), 0n)),
  };
}

/** The key at an index: 0 is the group's, i is service i's. @returns nothing if a part of it is the identity */
export function keyAt(verifier: Verifier, columns: PublicRows, index: number): Key | undefined {
  const at = evaluation(verifier, index);
  const key = {
    alpha: at.inG2(columns.alpha),
    beta: columns.beta.map(at.inG1),
    betaTilde: columns.betaTilde.map(at.inG2),
  };
  return hasIdentity(verifier, { alpha: [key.alpha], beta: [key.beta], betaTilde: [key.betaTilde] }) ? undefined : key;
}

// ---------------------------------------------------------------------------------------------- parts

/** Σ_k index^k·P_k by Horner's rule. An index has at most five bits, so that nine additions make a step, where a scalar multiplication would take hundreds. */
function evaluation(verifier: Verifier, index: number) {
  const horner =
    <P>(add: (a: P, b: P) => P) =>
    (row: readonly P[]): P => {
      let value = row.at(-1);
      if (value === undefined) throw new CoconutError('BadParameters', 'at least one commitment', 'none');
      for (const point of row.slice(0, -1).reverse())
        value = index === 0 ? point : add(times(add, value, index), point);
      return value;
    };
  return {
    inG1: horner<PublicG1>((a, b) => verifier.addG1(a, b)),
    inG2: horner<PublicG2>((a, b) => verifier.addG2(a, b)),
  };
}

/** factor·point for a small factor ≥ 1, from its highest bit down. */
function times<P>(add: (a: P, b: P) => P, point: P, factor: number): P {
  let value = point;
  for (let bit = 30 - Math.clz32(factor); bit >= 0; bit--) {
    value = add(value, value);
    if ((factor >> bit) & 1) value = add(value, point);
  }
  return value;
}

function hasIdentity(verifier: Verifier, { alpha, beta, betaTilde }: PublicRows): boolean {
  return (
    [...alpha, ...betaTilde.flat()].some((point) => verifier.isIdentityG2(point)) ||
    beta.flat().some((point) => verifier.isIdentityG1(point))
  );
}

function first<P>(row: readonly P[] | undefined): P {
  const point = row?.[0];
  if (point === undefined) throw new CoconutError('BadParameters', 'at least one commitment', 'none');
  return point;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** What a peer sent is right, or it is wrong: how it is wrong nobody needs to know. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof CoconutError) return undefined;
    throw error;
  }
}
