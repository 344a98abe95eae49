/**
 * Key generation for credentials: q + 1 Pedersen dealings at once (PedPoP, Komlo & Goldberg, "FROST", SAC 2020, figure 1), one for each scalar of a
 * Pointcheval–Sanders key (Coconut, Sonnino et al., NDSS 2019, §3.2), with the keys of both groups that the Pedersen variant needs (ePrint 2022/011).
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
 *    its commitments, so that no proof is good for another dealer, ceremony or suite (DKG-06).
 *
 * The keys of the sum are biased as in every Pedersen DKG that is not re-randomised (Gennaro et al. 1999), but not by choice: all commitments are announced by
 * hash before one is shown, and whoever is missing ends the ceremony, so nobody sees the others' parts while its own is open (DKG-11). What remains is that a dealer
 * can abort once it has seen the key. A key so chosen from a few is a uniform one conditioned on the dealer's wish; PS unforgeability loses the number of aborted
 * runs as a factor, and every one of them is visible to the operators.
 */
import { createHash } from 'node:crypto';
import { pippenger } from '@noble/curves/abstract/curve.js';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { bytesToNumberBE } from '@noble/curves/utils.js';
import type { RandomBytes } from '../ceremony.ts';
import { CoconutError, decodeScalar, encodeScalar, type G1, type G2, randomScalar } from '../coconut/groups.ts';
import { Transcript } from '../coconut/transcript.ts';

const {
  G1: { Point: G1Point },
  G2: { Point: G2Point },
  fields: { Fr },
} = bls12_381;

/** q: both attributes of a token are hidden, serial number and value. */
export const ATTRIBUTES = 2;
const POLYNOMIALS = 1 + ATTRIBUTES;
const SCALAR_BYTES = 32;

/** What a dealing is bound to. */
export interface Place {
  /** 32 bytes: the hash of all parameters, the suite and the signers among them. */
  readonly ceremony: Uint8Array;
  readonly t: number;
  /** 1 … n. */
  readonly index: number;
}

/** Commitments to q + 1 polynomials, or their sums: t points a row, constant term first. Of a key itself there is one point in each row. */
export interface Commitments {
  readonly alpha: readonly G2[];
  /** q rows. */
  readonly beta: readonly (readonly G1[])[];
  /** q rows. */
  readonly betaTilde: readonly (readonly G2[])[];
}

/** Schnorr proofs of the constant terms: R_x ∈ G2, R_j ∈ G1, and μ = ρ + c·a. */
export interface Proofs {
  readonly x: { readonly commitment: G2; readonly response: bigint };
  readonly y: readonly { readonly commitment: G1; readonly response: bigint }[];
}

export interface PublicDealing extends Place {
  readonly commitments: Commitments;
  readonly proofs: Proofs;
}

/** One scalar of each polynomial: x_i, y_i1 … y_iq. SECRET. */
export interface Share {
  readonly x: bigint;
  readonly y: readonly bigint[];
}

/** A key of the group or of one service. */
export interface Key {
  readonly alpha: G2;
  readonly beta: readonly G1[];
  readonly betaTilde: readonly G2[];
}

// ---------------------------------------------------------------------------------------------- dealing

/**
 * Fresh polynomials of degree t − 1, commitments and proofs.
 * @param random uniformly random bytes; called for each coefficient and each of the q + 1 proof nonces
 * @returns `polynomial`: (q + 1)·t·32 SECRET bytes, f_0 first, constant terms first, big-endian
 */
export function deal(
  place: Place,
  random: RandomBytes,
): { readonly polynomial: Uint8Array; readonly commitments: Commitments; readonly proofs: Proofs } {
  const rows = Array.from({ length: POLYNOMIALS }, () => Array.from({ length: place.t }, () => randomScalar(random)));
  const [x = [], ...y] = rows;
  const commitments: Commitments = {
    alpha: x.map((a) => G2Point.BASE.multiply(a)),
    beta: y.map((row) => row.map((a) => G1Point.BASE.multiply(a))),
    betaTilde: y.map((row) => row.map((a) => G2Point.BASE.multiply(a))),
  };
  const nonces = rows.map(() => randomScalar(random));
  const [rx = 0n, ...ry] = nonces;
  const R = { x: G2Point.BASE.multiply(rx), y: ry.map((r) => G1Point.BASE.multiply(r)) };
  const c = challenge(place, commitments, R);
  const responses = rows.map((row, p) => Fr.add(nonces[p] ?? 0n, Fr.mul(c, row[0] ?? 0n)));
  return {
    polynomial: Uint8Array.from(rows.flat().flatMap((a) => [...encodeScalar(a)])),
    commitments,
    proofs: {
      x: { commitment: R.x, response: responses[0] ?? 0n },
      y: R.y.map((commitment, j) => ({ commitment, response: responses[1 + j] ?? 0n })),
    },
  };
}

/**
 * f_p(index) for every polynomial p: the share of one service, or one's own.
 * @param polynomial SECRET bytes of {@link deal}
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
function challenge(place: Place, commitments: Commitments, R: { readonly x: G2; readonly y: readonly G1[] }): bigint {
  const transcript = dealingTranscript(place, commitments).appendPoint('R_x', R.x);
  for (const point of R.y) transcript.appendPoint('R_j', point);
  return transcript.challenge('c');
}

function dealingTranscript({ ceremony, t, index }: Place, { alpha, beta, betaTilde }: Commitments): Transcript {
  const transcript = new Transcript('coconut-possession')
    .append('ceremony', ceremony)
    .appendNumber('dealer', index)
    .appendNumber('t', t)
    .appendNumber('q', ATTRIBUTES);
  for (const point of alpha) transcript.appendPoint('A', point);
  for (const row of beta) for (const point of row) transcript.appendPoint('B', point);
  for (const row of betaTilde) for (const point of row) transcript.appendPoint('B~', point);
  return transcript;
}

// ---------------------------------------------------------------------------------------------- dealings of others

/**
 * Whether all these dealings are good, but for shapes and groups, which {@link PublicDealing} has by construction: one pairing equation,
 *
 *   e(Σ v_jk·B_jk + Σ w_j·(μ_j·g1 − R_j − c·B_j0), g2) = e(g1, Σ v_jk·B̃_jk + w_0·(μ_0·g2 − R_0 − c·A_0))
 *
 * summed over all dealers as well, with an own weight of 128 bits for each. All points are of prime order r, so each bracket is a multiple of the generator, and the
 * equation is one linear combination of what must each be 0: it always holds if all are, and with probability 2⁻¹²⁸ if one is not.
 * @param weights a source of 16·(number) bytes that no dealer could know when it fixed its dealing
 */
export function dealingsHold(dealings: readonly PublicDealing[], weights: (length: number) => Uint8Array): boolean {
  const sum1: Terms<G1> = { points: [], scalars: [] };
  const sum2: Terms<G2> = { points: [], scalars: [] };
  let base1 = 0n;
  let base2 = 0n;
  for (const dealing of dealings) {
    const { commitments, proofs } = dealing;
    const { alpha, beta, betaTilde } = commitments;
    const c = challenge(dealing, commitments, { x: proofs.x.commitment, y: proofs.y.map((each) => each.commitment) });
    const proofWeights = draw(weights, POLYNOMIALS);
    const [w0 = 1n, ...w] = proofWeights;
    base2 = Fr.add(base2, Fr.mul(w0, proofs.x.response));
    addTerm(sum2, proofs.x.commitment, Fr.neg(w0));
    addTerm(sum2, alpha[0], Fr.neg(Fr.mul(w0, c)));
    for (const [j, { commitment, response }] of proofs.y.entries()) {
      const wj = w[j] ?? 1n;
      const row = beta[j] ?? [];
      const rowTilde = betaTilde[j] ?? [];
      const v = draw(weights, row.length);
      base1 = Fr.add(base1, Fr.mul(wj, response));
      addTerm(sum1, commitment, Fr.neg(wj));
      for (const [k, point] of row.entries()) {
        const vk = v[k] ?? 1n;
        // B_j0 is in both sums of G1: once with the weight of its proof, once with that of its consistency.
        addTerm(sum1, point, k === 0 ? Fr.sub(vk, Fr.mul(wj, c)) : vk);
        addTerm(sum2, rowTilde[k], vk);
      }
    }
  }
  addTerm(sum1, G1Point.BASE, base1);
  addTerm(sum2, G2Point.BASE, base2);
  return pairingsAgree(pippenger(G1Point, sum1.points, sum1.scalars), pippenger(G2Point, sum2.points, sum2.scalars));
}

/**
 * {@link dealingsHold} for one dealing, with weights that are a hash of all of it: everybody, and whoever judges evidence later, comes to the same answer. An honest
 * dealer passes always; a bad one would have to find a dealing whose own hash weighs its errors to 0, in 2¹²⁸ tries.
 */
export function dealingHolds(dealing: PublicDealing): boolean {
  const { proofs } = dealing;
  const transcript = dealingTranscript(dealing, dealing.commitments).appendPoint('R_x', proofs.x.commitment);
  transcript.append('mu_x', encodeScalar(proofs.x.response));
  for (const { commitment, response } of proofs.y) {
    transcript.appendPoint('R_j', commitment).append('mu_j', encodeScalar(response));
  }
  const seed = encodeScalar(transcript.challenge('weights'));
  let drawn = 0;
  return dealingsHold([dealing], (length) => {
    const bytes = createHash('shake256', { outputLength: length }).update(seed).update(Uint8Array.of(drawn++)).digest();
    return new Uint8Array(bytes);
  });
}

/** Weights of 128 bits, never 0. */
function draw(source: (length: number) => Uint8Array, count: number): bigint[] {
  const bytes = source(16 * count);
  return Array.from({ length: count }, (_, i) => {
    const weight = bytesToNumberBE(bytes.subarray(16 * i, 16 * i + 16));
    return weight === 0n ? 1n : weight;
  });
}

/**
 * The sums over all dealers: commitments to the polynomials of the key.
 * @returns nothing if a sum is the identity: the key would be of a lower degree, or be 0, which no honest dealer's part allows but with probability 2⁻²⁵⁴
 */
export function columnSums(dealings: readonly PublicDealing[]): Commitments | undefined {
  const all = dealings.map((each) => each.commitments);
  const columns = {
    alpha: sumRows(
      G2Point.ZERO,
      all.map((each) => each.alpha),
    ),
    beta: sumAll(
      G1Point.ZERO,
      all.map((each) => each.beta),
    ),
    betaTilde: sumAll(
      G2Point.ZERO,
      all.map((each) => each.betaTilde),
    ),
  };
  return hasIdentity(columns) ? undefined : columns;
}

// ---------------------------------------------------------------------------------------------- shares and keys

/**
 * Whether a share lies on the commitments at `index`: x_i·g2 = Σ i^k·A_k and y_ij·g1 = Σ i^k·B_jk. That y_ij belongs to B̃_j as well is what the dealing's own
 * check says. The share is a secret of its receiver: noble's constant-time multiplication.
 */
export function liesOn(index: number, { alpha, beta }: Pick<Commitments, 'alpha' | 'beta'>, { x, y }: Share): boolean {
  if (x === 0n || y.includes(0n) || y.length !== beta.length) return false;
  return (
    G2Point.BASE.multiply(x).equals(evaluate(G2Point.ZERO, alpha, index)) &&
    y.every((each, j) => G1Point.BASE.multiply(each).equals(evaluate(G1Point.ZERO, beta[j] ?? [], index)))
  );
}

/** Σ shares, one for each dealer. SECRET. */
export function sumShares(shares: readonly Share[]): Share {
  return {
    x: shares.reduce((sum, share) => Fr.add(sum, share.x), 0n),
    y: Array.from({ length: ATTRIBUTES }, (_, j) => shares.reduce((sum, share) => Fr.add(sum, share.y[j] ?? 0n), 0n)),
  };
}

/** The key at an index: 0 is the group's, i is service i's. @returns nothing if a part of it is the identity */
export function keyAt(columns: Commitments, index: number): Key | undefined {
  const key = {
    alpha: evaluate(G2Point.ZERO, columns.alpha, index),
    beta: columns.beta.map((row) => evaluate(G1Point.ZERO, row, index)),
    betaTilde: columns.betaTilde.map((row) => evaluate(G2Point.ZERO, row, index)),
  };
  return hasIdentity({ alpha: [key.alpha], beta: [key.beta], betaTilde: [key.betaTilde] }) ? undefined : key;
}

// ---------------------------------------------------------------------------------------------- parts

interface Point<P> {
  add(other: P): P;
  equals(other: P): boolean;
  multiplyUnsafe(scalar: bigint): P;
  is0(): boolean;
}

/** Horner's rule; indexes are at most 31, so a step costs five doublings. */
function evaluate<P extends Point<P>>(zero: P, row: readonly P[], index: number): P {
  const at = BigInt(index);
  return row.reduceRight((value, point) => (index === 0 ? point : value.multiplyUnsafe(at).add(point)), zero);
}

function sumRows<P extends Point<P>>(zero: P, rows: readonly (readonly P[])[]): P[] {
  const width = rows[0]?.length ?? 0;
  return Array.from({ length: width }, (_, k) => rows.reduce((sum, row) => sum.add(row[k] ?? zero), zero));
}

function sumAll<P extends Point<P>>(zero: P, all: readonly (readonly (readonly P[])[])[]): P[][] {
  return Array.from({ length: ATTRIBUTES }, (_, j) =>
    sumRows(
      zero,
      all.map((rows) => rows[j] ?? []),
    ),
  );
}

function hasIdentity({ alpha, beta, betaTilde }: Commitments): boolean {
  return [...alpha, ...betaTilde.flat()].some((point) => point.is0()) || beta.flat().some((point) => point.is0());
}

/** Σ scalar·point, to be computed at once; public values. */
interface Terms<P> {
  readonly points: P[];
  readonly scalars: bigint[];
}

function addTerm<P>(sum: Terms<P>, point: P | undefined, scalar: bigint): void {
  if (point === undefined) throw new CoconutError('BadParameters', 'as many commitments in each row', 'fewer in one');
  sum.points.push(point);
  sum.scalars.push(scalar);
}

/** e(left, g2) = e(g1, right) */
function pairingsAgree(left: G1, right: G2): boolean {
  // noble refuses to pair the identity; a sum that is one is the multiple 0 of its generator.
  if (left.is0() || right.is0()) return left.is0() && right.is0();
  const { Fp12 } = bls12_381.fields;
  const product = bls12_381.pairingBatch([
    { g1: left, g2: G2Point.BASE },
    { g1: G1Point.BASE.negate(), g2: right },
  ]);
  return Fp12.eql(product, Fp12.ONE);
}
