/**
 * The generators. Nobody knows a discrete logarithm between any two: each is hashed to G1 (RFC 9380, suite BLS12381G1_XMD:SHA-256_SSWU_RO_) under a domain tag
 * of its own, with nothing to choose. If H_v = k·g1 were known, a value commitment would open to any value.
 */
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { u32be, utf8 } from '../messages/bytes.ts';
import { fixedBase, type G1, type G2 } from './groups.ts';

/** What is hashed to G1, one domain tag each. `base` is h of a request; the others are generators. */
export const G1_DOMAINS = ['base', 'gamma', 'tag', 'value', 'range-g', 'range-h', 'range-u'] as const;
/** Name of such a tag. */
export type G1Domain = (typeof G1_DOMAINS)[number];

/** RFC 9380 §3.1: a tag of its own for each oracle, as it demands, and with the suite's id in it, as it recommends. ASCII, at most 255 bytes. */
export function domainTag(domain: G1Domain): string {
  return `coterie/v1/coconut-${domain}_BLS12381G1_XMD:SHA-256_SSWU_RO_`;
}

/** RFC 9380 §3 `hash_to_curve` with the suite of §8.8.1; a point of G1. The identity comes out with probability 2⁻²⁵⁵. */
export function hashToG1(domain: G1Domain, bytes: Uint8Array): G1 {
  return bls12_381.G1.hashToCurve(bytes, { DST: utf8(domainTag(domain)) }) as G1;
}

/** The curve's own generator of G1. */
export const g1: G1 = bls12_381.G1.Point.BASE;
/** The curve's own generator of G2. */
export const g2: G2 = bls12_381.G2.Point.BASE;

const cache = new Map<string, G1>();

/** What generator number `index` of a domain is the hash of: `u32be(index)`. */
export function generatorInput(index: number): Uint8Array {
  return u32be(index);
}

function generator(domain: Exclude<G1Domain, 'base'>, index: number): G1 {
  const name = `${domain}/${index}`;
  const known = cache.get(name);
  if (known) return known;
  const point = hashToG1(domain, generatorInput(index));
  cache.set(name, point);
  return point;
}

/** γ_j, which commits to attribute j of a request. @param j ≥ 0 */
export function gamma(j: number): G1 {
  return fixedBase(generator('gamma', j));
}

/** G_tag: ζ = serial·G_tag. */
export function tagGenerator(): G1 {
  return fixedBase(generator('tag', 0));
}

/** H_v, which carries the value in P = a·g1 + v·H_v. */
export function valueGenerator(): G1 {
  return fixedBase(generator('value', 0));
}

/** Bits of a value, times outputs of a transaction. */
export const MAX_RANGE_GENERATORS = 512;

/** Vectors for the range proof. @param n 1..512 @returns n points G, n points H, and u for the inner product @throws {RangeError} for another n */
export function rangeGenerators(n: number): { readonly G: readonly G1[]; readonly H: readonly G1[]; readonly u: G1 } {
  if (!Number.isInteger(n) || n < 1 || n > MAX_RANGE_GENERATORS)
    throw new RangeError(`expected 1 to ${MAX_RANGE_GENERATORS} generators, got ${n}`);
  return {
    G: Array.from({ length: n }, (_, i) => generator('range-g', i)),
    H: Array.from({ length: n }, (_, i) => generator('range-h', i)),
    u: generator('range-u', 0),
  };
}
