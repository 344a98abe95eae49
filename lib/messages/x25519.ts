/** Messaging keys: what may be sealed to. */
import * as z from 'zod';
import type { Hex } from './hex.ts';

/** p = 2²⁵⁵ − 19 to 2²⁵⁵ − 1, little-endian: u-coordinates with a second, canonical encoding. */
const AT_LEAST_P = /^0x(?:e[d-f]|f[0-9a-f])(?:ff){30}7f$/;

/**
 * The canonical u-coordinates of small order, on the curve and on its twist: X25519 with any secret gives zero, so that anyone could open what is sealed
 * to them (RFC 7748 §6.1, RFC 9180 §7.1.4).
 */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  `0x${'00'.repeat(32)}`,
  `0x01${'00'.repeat(31)}`,
  '0xe0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '0x5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  `0xec${'ff'.repeat(30)}7f`,
]);

/** @param publicKey X25519, 32 bytes @returns why nothing may be sealed to it, or nothing */
export function checkMessagingKey(publicKey: Hex): string | undefined {
  // X25519 ignores the highest bit and reduces modulo p: one key would have several texts, and distinct texts would be no distinct keys (attack DKG-04).
  if (Number.parseInt(publicKey.slice(-2), 16) >= 0x80 || AT_LEAST_P.test(publicKey)) return 'not a canonical point';
  return SMALL_ORDER.has(publicKey) ? 'a point of small order' : undefined;
}

const TEXT = /^0x[0-9a-f]{64}$/;

/** X25519, 32 bytes. */
export const messagingKey = z.custom<Hex>(
  (value) => typeof value === 'string' && TEXT.test(value) && checkMessagingKey(value as Hex) === undefined,
  'expected a canonical X25519 public key of 32 bytes, not of small order, as 0x and lower-case hex',
);
