/** Public verification by noble: the engine that needs nothing, and the oracle of the other one. Variable time, public values only. */
import { mulAddUnsafe, pippenger } from '@noble/curves/abstract/curve.js';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { hashToG1, rangeGenerators } from './generators.ts';
import { decodeG1, decodeG2, encodeG1, encodeG2, type G1, G1_ZERO, type G2, G2_ZERO } from './groups.ts';
import type { PublicG1, PublicG2, TermG1, TermG2, Verifier } from './verifier.ts';

const { Point: G1Point } = bls12_381.G1;
const { Point: G2Point } = bls12_381.G2;

/** Below this many points interleaved wNAF (Straus) takes fewer additions than buckets (Pippenger). */
const STRAUS_UP_TO = 32;

const one = (point: PublicG1): G1 => point as unknown as G1;
const two = (point: PublicG2): G2 => point as unknown as G2;
const ofG1 = (point: G1): PublicG1 => point as unknown as PublicG1;
const ofG2 = (point: G2): PublicG2 => point as unknown as PublicG2;

/** Always there, without a start. */
export const nobleVerifier: Verifier = {
  engine: 'noble',
  decodeG1: (bytes) => ofG1(decodeG1(bytes)),
  decodeG2: (bytes) => ofG2(decodeG2(bytes)),
  encodeG1: (point) => encodeG1(one(point)),
  encodeG2: (point) => encodeG2(two(point)),
  fromG1: ofG1,
  fromG2: ofG2,
  hashToG1: (domain, bytes) => ofG1(hashToG1(domain, bytes)),
  rangeGenerators: (n) => {
    const { G, H, u } = rangeGenerators(n);
    return { G: G.map(ofG1), H: H.map(ofG1), u: ofG1(u) };
  },
  sumG1(terms: readonly TermG1[]): PublicG1 {
    if (terms.length === 0) return ofG1(G1_ZERO);
    const points = terms.map(([, point]) => one(point));
    const scalars = terms.map(([scalar]) => scalar);
    return ofG1((terms.length > STRAUS_UP_TO ? pippenger : mulAddUnsafe)(G1Point, points, scalars));
  },
  sumG2(terms: readonly TermG2[]): PublicG2 {
    if (terms.length === 0) return ofG2(G2_ZERO);
    const points = terms.map(([, point]) => two(point));
    const scalars = terms.map(([scalar]) => scalar);
    return ofG2((terms.length > STRAUS_UP_TO ? pippenger : mulAddUnsafe)(G2Point, points, scalars));
  },
  addG1: (a, b) => ofG1(one(a).add(one(b))),
  addG2: (a, b) => ofG2(two(a).add(two(b))),
  isIdentityG1: (point) => one(point).is0(),
  isIdentityG2: (point) => two(point).is0(),
  pairingProductIsOne(pairs) {
    // noble refuses to pair the identity, whose pairing with anything is 1.
    const left = pairs.map(([P, Q]) => ({ g1: one(P), g2: two(Q) })).filter((pair) => !pair.g1.is0() && !pair.g2.is0());
    if (left.length === 0) return true;
    const { Fp12 } = bls12_381.fields;
    return Fp12.eql(bls12_381.pairingBatch(left), Fp12.ONE);
  },
};
