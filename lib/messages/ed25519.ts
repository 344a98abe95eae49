/**
 * Ed25519 with one verification rule everywhere (`formats.md`): RFC 8032, cofactorless, canonical S and R; public keys are canonical and of
 * prime order, checked once when they are pinned. Two judges with two rules could disagree about a crafted signature, and so about blame.
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { fromHex, type Hex } from './hex.ts';

const { Point } = ed25519;
const P = Point.Fp.ORDER;
const ORDER = Point.Fn.ORDER;
/** DER SubjectPublicKeyInfo of an Ed25519 key (RFC 8410 §4), up to its 32 bytes. */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
/** Parsed keys are public; a committee of 100 with a few coins fits. */
const CACHED_KEYS = 4_096;
const keys = new Map<Hex, KeyObject>();

/** Signs with a secret key of 32 bytes (RFC 8032 §5.1.6); deterministic. @returns 64 bytes */
export function sign(message: Uint8Array, secret: Uint8Array): Uint8Array {
  return ed25519.sign(message, secret);
}

/** Verifies 64 bytes under a key that {@link checkSignatureKey} has accepted. */
export function verifies(message: Uint8Array, signature: Uint8Array, publicKey: Hex): boolean {
  if (signature.length !== 64) return false;
  // RFC 8032 §5.1.7 asks for S < L and for y < p; OpenSSL checks the first, and compares encodings of R.
  if (littleEndian(signature.subarray(32)) >= ORDER) return false;
  if ((littleEndian(signature.subarray(0, 32)) & ((1n << 255n) - 1n)) >= P) return false;
  return verify(null, message, keyObject(publicKey), signature);
}

/** @returns why these 32 bytes are no key that may be pinned, or nothing */
export function checkSignatureKey(publicKey: Hex): string | undefined {
  try {
    const point = Point.fromBytes(fromHex(publicKey));
    if (point.is0() || point.isSmallOrder()) return 'a point of small order';
    return point.isTorsionFree() ? undefined : 'a point with a small-order part';
  } catch {
    return 'not a canonical point';
  }
}

function keyObject(publicKey: Hex): KeyObject {
  const known = keys.get(publicKey);
  if (known) return known;
  const key = createPublicKey({ key: Buffer.concat([SPKI, fromHex(publicKey)]), format: 'der', type: 'spki' });
  if (keys.size >= CACHED_KEYS) keys.clear();
  keys.set(publicKey, key);
  return key;
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}
