/**
 * Ed25519 with one verification rule everywhere (`formats.md`): RFC 8032, cofactorless, canonical S and R; public keys are canonical and of
 * prime order, checked once when they are pinned. Two judges with two rules could disagree about a crafted signature, and so about blame.
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { fromHex, type Hex } from './hex.ts';

const { Point } = ed25519;
/** DER SubjectPublicKeyInfo of an Ed25519 key (RFC 8410 §4), up to its 32 bytes. */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
/** Parsed keys are public; a committee of 100 with a few coins fits. */
const CACHED_KEYS = 4_096;
const keys = new Map<Hex, KeyObject>();
/** Keys that may be pinned: the check costs a multiplication, and every role of an operator reads the same committee file. */
const pinnable = new Set<Hex>();

/** Signs with a secret key of 32 bytes (RFC 8032 §5.1.6); deterministic. @returns 64 bytes */
export function sign(message: Uint8Array, secret: Uint8Array): Uint8Array {
  return ed25519.sign(message, secret);
}

/**
 * Verifies 64 bytes R ‖ S under a key that {@link checkSignatureKey} has accepted (RFC 8032 §5.1.7, without the cofactor).
 *
 * OpenSSL refuses S ≥ L, and compares the *encoding* of S·B − k·A with R: a non-canonical R, or one with a small-order part, never equals it. The
 * tests hold this against crafted signatures of each kind, so that an engine with another rule is noticed.
 */
export function verifies(message: Uint8Array, signature: Uint8Array, publicKey: Hex): boolean {
  return verify(null, message, keyObject(publicKey), signature);
}

/** @returns why these 32 bytes are no key that may be pinned, or nothing */
export function checkSignatureKey(publicKey: Hex): string | undefined {
  if (pinnable.has(publicKey)) return undefined;
  try {
    const point = Point.fromBytes(fromHex(publicKey));
    if (point.isSmallOrder()) return 'a point of small order';
    if (!point.isTorsionFree()) return 'a point with a small-order part';
  } catch {
    return 'not a canonical point';
  }
  if (pinnable.size >= CACHED_KEYS) pinnable.clear();
  pinnable.add(publicKey);
  return undefined;
}

function keyObject(publicKey: Hex): KeyObject {
  const known = keys.get(publicKey);
  if (known) return known;
  const key = createPublicKey({ key: Buffer.concat([SPKI, fromHex(publicKey)]), format: 'der', type: 'spki' });
  if (keys.size >= CACHED_KEYS) keys.clear();
  keys.set(publicKey, key);
  return key;
}
