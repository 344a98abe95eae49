import { describe, expect, test } from 'vitest';
import {
  G1_DOMAINS,
  g1,
  g2,
  gamma,
  hashToG1,
  rangeGenerators,
  tagGenerator,
  valueGenerator,
} from '../../lib/coconut/generators.ts';
import {
  encodeG1,
  encodeScalar,
  multiplySecret,
  multiplySecretG2,
  ORDER,
  randomScalar,
} from '../../lib/coconut/groups.ts';
import { stream } from './fixtures.ts';

const random = stream('foundations');

describe('generators', () => {
  test('are all distinct, and none is the identity', () => {
    const { G, H, u } = rangeGenerators(32);
    const gammas = Array.from({ length: 8 }, (_, j) => gamma(j));
    const all = [g1, tagGenerator(), valueGenerator(), u, ...gammas, ...G, ...H];
    expect(new Set(all.map((point) => Buffer.from(encodeG1(point)).toString('hex'))).size).toBe(all.length);
    expect(all.some((point) => point.is0())).toBe(false);
  });
  test('ENC-06: one message has another hash in every domain', () => {
    const hashes = G1_DOMAINS.map((domain) => hashToG1(domain, encodeScalar(5n)).toHex());
    expect(new Set(hashes).size).toBe(G1_DOMAINS.length);
  });
});

describe('multiplication by a secret', () => {
  test('gives what plain multiplication gives, at the edges too', () => {
    for (const scalar of [0n, 1n, 2n, ORDER - 1n, randomScalar(random)]) {
      expect(multiplySecret(gamma(0), scalar, random).equals(gamma(0).multiplyUnsafe(scalar))).toBe(true);
      expect(multiplySecretG2(g2, scalar, random).equals(g2.multiplyUnsafe(scalar))).toBe(true);
    }
  });
});
