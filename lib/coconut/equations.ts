/**
 * Many equations at the price of one (small-exponent batching: Bellare, Garay, Rabin, EUROCRYPT 1998; for pairings Ferrara et al., CT-RSA 2009).
 *
 * A record's proof is a list of equations: sums in G1 or G2 that are the identity, and products of pairings that are 1. Equations of one group are added with random weights, so
 * that a batch of N shows costs one multiplication of many points in G1, one in G2, N + 1 Miller loops and one final exponentiation. A false equation survives with probability
 * 2⁻¹²⁸, in groups of prime order only: decoding checked the subgroups (attack ENC-02: a part of order 2 survives every second weight).
 */
import { bytesToNumberBE } from '@noble/curves/utils.js';
import type { RandomBytes } from '../ceremony.ts';
import { CoconutError, Fr } from './groups.ts';
import type { PairOfPoints, PublicG1, PublicG2, TermG1, TermG2, Verifier } from './verifier.ts';

/** One factor e(scalar·P, Q). */
export type Pairing = readonly [scalar: bigint, P: PublicG1, Q: PublicG2];

/** What one record has to satisfy: all of these. */
export class Equations {
  /** Sums that have to be the identity, in each group, and products that have to be 1. */
  readonly inG1: (readonly TermG1[])[] = [];
  readonly inG2: (readonly TermG2[])[] = [];
  readonly products: (readonly Pairing[])[] = [];

  /** Σ scalarᵢ·Pᵢ = 0 in G1. */
  addG1(terms: readonly TermG1[]): this {
    this.inG1.push(terms);
    return this;
  }

  /** Σ scalarᵢ·Qᵢ = 0 in G2. */
  addG2(terms: readonly TermG2[]): this {
    this.inG2.push(terms);
    return this;
  }

  /** Π e(scalarᵢ·Pᵢ, Qᵢ) = 1. Pairs of one batch that share a Q (by handle), or else a P, cost one Miller loop together. */
  addPairing(pairs: readonly Pairing[]): this {
    this.products.push(pairs);
    return this;
  }

  /** Whether this record alone is good. @param random as {@link holds} @throws {CoconutError} as {@link holds} */
  check(verifier: Verifier, random: RandomBytes): boolean {
    return holds(verifier, [this], random);
  }
}

/**
 * Whether every equation of every record holds. True for a false one with probability 2⁻¹²⁸.
 * @param random a cryptographic source of 16 bytes for each equation but the first of a kind, never a reproducible one: the weights must be unknown to whoever made the records
 * @throws {CoconutError} `BadProof` for no records, or a record without equations: nothing would be proven by nothing (attack ENC-07)
 */
export function holds(verifier: Verifier, records: readonly Equations[], random: RandomBytes): boolean {
  if (records.length === 0) throw new CoconutError('BadProof', 'at least one record', 'none');
  for (const { inG1, inG2, products } of records)
    if (inG1.length + inG2.length + products.length === 0)
      throw new CoconutError('BadProof', 'at least one equation', 'none');
  // Everything is fixed here; weights drawn earlier could be answered with errors that cancel.
  return (
    holdsInG1(verifier, records, random) &&
    holdsInG2(verifier, records, random) &&
    productIsOne(verifier, records, random)
  );
}

/**
 * The records that are bad, ascending, by halving: a few more batches for each bad one, and none where all are good.
 * @throws {CoconutError} as {@link holds}
 */
export function failing(verifier: Verifier, records: readonly Equations[], random: RandomBytes): number[] {
  return holds(verifier, records, random) ? [] : search(verifier, records, 0, records.length, random);
}

/** The bad ones of a range that is known to hold at least one. */
function search(
  verifier: Verifier,
  records: readonly Equations[],
  from: number,
  to: number,
  random: RandomBytes,
): number[] {
  if (to - from === 1) return [from];
  const middle = (from + to) >> 1;
  const half = (a: number, b: number) => holds(verifier, records.slice(a, b), random);
  // A good left half leaves the fault to the right one.
  if (half(from, middle)) return search(verifier, records, middle, to, random);
  const left = search(verifier, records, from, middle, random);
  return half(middle, to) ? left : [...left, ...search(verifier, records, middle, to, random)];
}

function holdsInG1(verifier: Verifier, records: readonly Equations[], random: RandomBytes): boolean {
  const sum = weighted(
    records.flatMap(({ inG1 }) => inG1),
    random,
  );
  return sum.length === 0 || verifier.isIdentityG1(verifier.sumG1(sum));
}

function holdsInG2(verifier: Verifier, records: readonly Equations[], random: RandomBytes): boolean {
  const sum = weighted(
    records.flatMap(({ inG2 }) => inG2),
    random,
  );
  return sum.length === 0 || verifier.isIdentityG2(verifier.sumG2(sum));
}

/** Σⱼ ρⱼ·(equation j), a coefficient for each distinct point. */
function weighted<P>(
  equations: readonly (readonly (readonly [bigint, P])[])[],
  random: RandomBytes,
): (readonly [bigint, P])[] {
  const coefficients = new Map<P, bigint>();
  const weights = drawWeights(equations.length, random);
  equations.forEach((terms, j) => {
    for (const [scalar, point] of terms)
      coefficients.set(point, Fr.add(coefficients.get(point) ?? 0n, Fr.mul(scalar, weights[j] as bigint)));
  });
  return [...coefficients].map(([point, scalar]) => [scalar, point] as const);
}

function productIsOne(verifier: Verifier, records: readonly Equations[], random: RandomBytes): boolean {
  const products = records.flatMap(({ products: all }) => all);
  if (products.length === 0) return true;
  const weights = drawWeights(products.length, random);
  const pairs = products.flatMap((product, j) =>
    product.map(([scalar, P, Q]): Pairing => [Fr.mul(scalar, weights[j] as bigint), P, Q]),
  );
  // e(aP, Q)·e(bP′, Q) = e(aP + bP′, Q): all pairs with one Q are one pair. What is left alone may still share its P.
  const together: PairOfPoints[] = [];
  const alone: Pairing[] = [];
  for (const [Q, group] of grouped(pairs, ([, , Q]) => Q)) {
    const [first] = group;
    if (group.length === 1 && first) alone.push(first);
    else together.push([verifier.sumG1(group.map(([scalar, P]) => [scalar, P])), Q]);
  }
  for (const [P, group] of grouped(alone, ([, P]) => P)) {
    const [first] = group;
    if (group.length === 1 && first) together.push([verifier.sumG1([[first[0], P]]), first[2]]);
    else together.push([P, verifier.sumG2(group.map(([scalar, , Q]) => [scalar, Q]))]);
  }
  return verifier.pairingProductIsOne(together);
}

function grouped<K>(pairs: readonly Pairing[], by: (pair: Pairing) => K): Map<K, Pairing[]> {
  const groups = new Map<K, Pairing[]>();
  for (const pair of pairs) {
    const key = by(pair);
    const group = groups.get(key);
    if (group) group.push(pair);
    else groups.set(key, [pair]);
  }
  return groups;
}

/**
 * 1, then 128-bit weights. The first needs no weight: if any other equation is false, the sum is uniform in the others' weights; if only the first is,
 * the sum is its error.
 */
function drawWeights(count: number, random: RandomBytes): bigint[] {
  return Array.from({ length: count }, (_, j) => {
    if (j === 0) return 1n;
    const bytes = random(16);
    if (bytes.length !== 16) throw new CoconutError('BadRandomness', '16 random bytes', `${bytes.length}`);
    return bytesToNumberBE(bytes);
  });
}
