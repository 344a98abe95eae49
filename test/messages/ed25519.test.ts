/** One rule of verification: crafted keys and signatures on which implementations are known to disagree. */
import { createHash } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat } from '../../lib/messages/bytes.ts';
import { checkSignatureKey, sign, verifies } from '../../lib/messages/ed25519.ts';
import { fromHex, type Hex, toHex } from '../../lib/messages/hex.ts';
import { bytesOf, flipped, signatureKey, signatureSecret } from './fixtures.ts';

const { Point } = ed25519;
const L = Point.Fn.ORDER;
const P = Point.Fp.ORDER;
const message = new TextEncoder().encode('what was said');
const key = signatureKey(1);
const signature = sign(message, signatureSecret(1));

const little = (value: bigint): Uint8Array =>
  new Uint8Array(Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse());
const integer = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
/** The points of order 8: torsion that survives no multiplication by 8. */
const order8 = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
const torsion = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n].map((k) => (k === 0n ? Point.ZERO : order8.multiplyUnsafe(k)));

/** A signature (RFC 8032 §5.1.6) with R and A as given: the challenge covers their bytes. */
function craft(nonce: bigint, r: Uint8Array, secret: bigint, a: Uint8Array): Uint8Array {
  const digest = createHash('sha512')
    .update(concat(r, a, message))
    .digest();
  const challenge = integer(new Uint8Array(digest)) % L;
  return concat(r, little((nonce + challenge * secret) % L));
}

test('a signature verifies for what was signed, under the key that signed it', () => {
  expect(verifies(message, signature, key)).toBe(true);
  expect(ed25519.verify(signature, message, fromHex(key))).toBe(true);
  fc.assert(
    fc.property(fc.nat(511), (bit) => {
      expect(verifies(message, fromHex(flipped(toHex(signature), bit)), key)).toBe(false);
    }),
    { numRuns: 60, seed: 1 },
  );
  expect(verifies(new TextEncoder().encode('something else'), signature, key)).toBe(false);
  expect(verifies(message, signature, signatureKey(2))).toBe(false);
});

test('signing is deterministic, so that an honest operator never says one thing in two ways', () => {
  expect(sign(message, signatureSecret(1))).toEqual(signature);
});

describe('ENC-03: a signature is refused', () => {
  test('with S + L in place of S', () => {
    const s = integer(signature.subarray(32));
    for (const k of [1n, 2n, 8n])
      expect(verifies(message, concat(signature.subarray(0, 32), little(s + k * L)), key)).toBe(false);
  });

  test('of another length', () => {
    for (const wrong of [signature.subarray(0, 63), concat(signature, Uint8Array.of(0)), new Uint8Array()])
      expect(verifies(message, wrong, key)).toBe(false);
  });

  test('with R in a second encoding', () => {
    // R = (0, 1) is the identity; p + 1 is the same y, and the sign of x = 0 has a second bit pattern.
    const secret = 5n;
    const a = Point.BASE.multiply(secret).toBytes();
    const canonical = little(1n);
    expect(verifies(message, craft(0n, canonical, secret, a), toHex(a))).toBe(true);
    const negativeZero = little(1n | (1n << 255n));
    for (const r of [little(P + 1n), negativeZero, little((P + 1n) | (1n << 255n))])
      expect(verifies(message, craft(0n, r, secret, a), toHex(a)), toHex(r)).toBe(false);
  });

  test('ENC-02: with a small-order part in R that a cofactored rule would overlook', () => {
    const [nonce, secret] = [11n, 7n];
    const a = Point.BASE.multiply(secret).toBytes();
    const base = Point.BASE.multiply(nonce);
    const accepted = torsion.map((part) =>
      verifies(message, craft(nonce, base.add(part).toBytes(), secret, a), toHex(a)),
    );
    expect(accepted).toEqual([true, false, false, false, false, false, false, false]);
  });

  test('that is all zeros, whatever the message', () => {
    expect(verifies(message, new Uint8Array(64), key)).toBe(false);
  });
});

describe('a signature key may not be pinned', () => {
  test('ENC-02: if it is of small order, or has a small-order part', () => {
    const good = Point.BASE.multiply(9n);
    for (const [k, part] of torsion.entries()) {
      expect(checkSignatureKey(toHex(part.toBytes())), `order part ${k}`).toBe('a point of small order');
      const mixed = checkSignatureKey(toHex(good.add(part).toBytes()));
      expect(mixed).toBe(k === 0 ? undefined : 'a point with a small-order part');
    }
  });

  test('ENC-03: if it is not canonical, or no point', () => {
    const offCurve = Array.from({ length: 64 }, (_, i) => toHex(little(BigInt(i + 2)))).filter(
      (hex) => checkSignatureKey(hex) === 'not a canonical point',
    );
    expect(offCurve.length).toBeGreaterThan(10);
    const texts: Hex[] = [toHex(little(P)), toHex(little(P + 1n)), toHex(little(1n | (1n << 255n))), '0x', `${key}00`];
    for (const text of texts) expect(checkSignatureKey(text), text).toBe('not a canonical point');
  });

  test('unless it is an honest one', () => {
    for (const index of [1, 2, 3]) expect(checkSignatureKey(signatureKey(index))).toBeUndefined();
    expect(checkSignatureKey(toHex(ed25519.getPublicKey(bytesOf('another'))))).toBeUndefined();
  });
});
