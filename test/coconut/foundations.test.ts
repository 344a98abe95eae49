import { isDeepStrictEqual } from 'node:util';
import { numberToBytesBE } from '@noble/curves/utils.js';
import fc from 'fast-check';
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
  CoconutError,
  decodeG1,
  decodeScalar,
  encodeG1,
  encodeG2,
  encodeScalar,
  G1_ZERO,
  G2_ZERO,
  multiplySecret,
  multiplySecretG2,
  ORDER,
  randomScalar,
} from '../../lib/coconut/groups.ts';
import { type CoconutPurpose, Transcript } from '../../lib/coconut/transcript.ts';
import { PURPOSES, utf8 } from '../../lib/messages/bytes.ts';
import { stream } from './fixtures.ts';

const random = stream('foundations');
const g1Bytes = encodeG1(g1);

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

describe('encoding', () => {
  test('is what noble writes', () => {
    for (let i = 0; i < 8; i++) {
      const scalar = randomScalar(random);
      expect(Buffer.from(encodeG1(g1.multiply(scalar))).toString('hex')).toBe(g1.multiply(scalar).toHex(true));
      expect(Buffer.from(encodeG2(g2.multiply(scalar))).toString('hex')).toBe(g2.multiply(scalar).toHex(true));
      expect(decodeG1(encodeG1(g1.multiply(scalar))).equals(g1.multiply(scalar))).toBe(true);
      expect(decodeScalar(encodeScalar(scalar))).toBe(scalar);
    }
    expect(Buffer.from(encodeG1(G1_ZERO)).toString('hex')).toBe(G1_ZERO.toHex(true));
    expect(Buffer.from(encodeG2(G2_ZERO)).toString('hex')).toBe(G2_ZERO.toHex(true));
  });
  test('ECASH-11: a scalar that is not reduced is refused, whichever way it comes', () => {
    const aliased = numberToBytesBE(ORDER, 32);
    expect(() => decodeScalar(aliased)).toThrow(CoconutError);
    expect(() => decodeScalar(numberToBytesBE(ORDER + 5n, 32))).toThrow(CoconutError);
    expect(() => decodeScalar(new Uint8Array(31))).toThrow(CoconutError);
    expect(() => encodeScalar(ORDER)).toThrow(CoconutError);
    expect(() => encodeScalar(-1n)).toThrow(CoconutError);
  });
  test('a broken source of randomness is refused', () => {
    expect(() => randomScalar(() => new Uint8Array(48))).toThrow(CoconutError);
    expect(() => randomScalar(() => new Uint8Array(32).fill(7))).toThrow(CoconutError);
  });
});

describe('transcripts', () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('append' as const),
      label: fc.string({ maxLength: 4 }),
      bytes: fc.uint8Array({ maxLength: 6 }),
    }),
    fc.record({ kind: fc.constant('challenge' as const), label: fc.string({ maxLength: 4 }) }),
    fc.record({ kind: fc.constant('fork' as const), label: fc.string({ maxLength: 4 }) }),
  );
  type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
  const run = (steps: readonly Step[]) => {
    let transcript = new Transcript('coconut-show');
    for (const each of steps) {
      if (each.kind === 'append') transcript.append(each.label, each.bytes);
      else if (each.kind === 'challenge') transcript.challenge(each.label);
      else transcript = transcript.fork(each.label);
    }
    return transcript.challenge('end');
  };
  test('ENC-04: two different histories have two different challenges', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 4 }), fc.array(step, { maxLength: 4 }), (a, b) => {
        expect(run(a) === run(b)).toBe(isDeepStrictEqual(a, b));
      }),
      { numRuns: 300 },
    );
    const parts = (...texts: string[]) => {
      const transcript = new Transcript('coconut-show');
      for (const text of texts) transcript.append('x', utf8(text));
      return transcript.challenge('end');
    };
    expect(parts('ab', 'c')).not.toBe(parts('a', 'bc'));
    expect(parts('abc')).not.toBe(parts('abc', ''));
  });
  test('ENC-06: one history has another challenge under every purpose', () => {
    const purposes = PURPOSES.filter((purpose): purpose is CoconutPurpose => purpose.startsWith('coconut-'));
    const challenges = purposes.map((purpose) => new Transcript(purpose).append('x', g1Bytes).challenge('c'));
    expect(new Set(challenges).size).toBe(purposes.length);
    expect(purposes.length).toBeGreaterThan(1);
  });
  test('a fork knows all before it, and does not change what it left', () => {
    const begun = () => new Transcript('coconut-show').appendPoint('P', g1).appendPoint('Q', g2).appendNumber('n', 7);
    const left = begun();
    const fork = left.fork('f').append('y', g1Bytes);
    expect(left.challenge('c')).toBe(begun().challenge('c'));
    expect(fork.challenge('c')).not.toBe(begun().append('y', g1Bytes).challenge('c'));
    expect(begun().appendNumber('m', 1).fork('f').append('y', g1Bytes).challenge('c')).not.toBe(
      begun().fork('f').append('y', g1Bytes).challenge('c'),
    );
  });
  test('a challenge is below the order, and the next one is another', () => {
    const transcript = new Transcript('coconut-show');
    const [first, second] = [transcript.challenge('c'), transcript.challenge('c')];
    expect(first).not.toBe(second);
    expect(first < ORDER && second < ORDER).toBe(true);
  });
});
