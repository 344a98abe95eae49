import { x25519 } from '@noble/curves/ed25519.js';
import { describe, expect, test } from 'vitest';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import { checkMessagingKey, messagingKey } from '../../lib/messages/x25519.ts';
import { bytesOf } from './fixtures.ts';

const P = 2n ** 255n - 19n;
const encoded = (u: bigint): Hex =>
  toHex(new Uint8Array(Buffer.from(u.toString(16).padStart(64, '0'), 'hex').reverse()));
const ORDER_8 = [
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
];
const SMALL = [0n, 1n, ...ORDER_8, P - 1n];

describe('a messaging key', () => {
  test('of any secret may be sealed to', () => {
    for (const label of ['a', 'b', 'c', 'd', 'e']) {
      const key = toHex(x25519.getPublicKey(bytesOf(label)));
      expect(checkMessagingKey(key)).toBeUndefined();
      expect(messagingKey.safeParse(key).success).toBe(true);
    }
  });

  test('ENC-02: of small order is refused: everybody knows what X25519 gives with it', () => {
    for (const u of SMALL) {
      expect(() => x25519.getSharedSecret(bytesOf('secret'), Buffer.from(encoded(u).slice(2), 'hex'))).toThrow();
      expect(checkMessagingKey(encoded(u)), `${u}`).toBe('a point of small order');
      expect(messagingKey.safeParse(encoded(u)).success).toBe(false);
    }
    for (const u of [2n, 9n, P - 2n]) expect(checkMessagingKey(encoded(u)), `${u}`).toBeUndefined();
  });

  test('DKG-04, ENC-03: has one text: neither u + p nor the unused bit makes another key of it', () => {
    for (let u = P; u < 2n ** 255n; u++) expect(checkMessagingKey(encoded(u)), `${u}`).toBe('not a canonical point');
    const key = bytesOf('a').slice();
    key[31] = (key[31] ?? 0) & 0x7f;
    expect(checkMessagingKey(toHex(key))).toBeUndefined();
    key[31] = (key[31] ?? 0) | 0x80;
    expect(checkMessagingKey(toHex(key))).toBe('not a canonical point');
  });

  test('is 32 bytes of canonical hex', () => {
    for (const text of [
      '0x',
      `0x${'09'.repeat(31)}`,
      `0x${'09'.repeat(33)}`,
      `0x${'0A'.repeat(32)}`,
      '09'.repeat(32),
      9,
      null,
    ])
      expect(messagingKey.safeParse(text).success, String(text)).toBe(false);
  });
});
