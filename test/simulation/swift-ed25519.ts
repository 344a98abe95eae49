/**
 * What bulk runs sign and verify statements with in place of `lib/messages/ed25519.ts`: OpenSSL for both, and no signature verified twice.
 *
 * Ed25519 is deterministic, so the bytes are the same, and a run is the same run with either (`swift.test.ts` holds one against the other). The product signs with
 * noble, whose multiplication by a secret takes constant time; here no secret is one.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign as opensslSign } from 'node:crypto';
import { checkSignatureKey, verifies as verifiesOwn } from '../../lib/messages/ed25519.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';

export { checkSignatureKey };

/** DER PrivateKeyInfo of an Ed25519 key (RFC 8410 §7), up to its 32 bytes. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_BYTES = 12;
const MOST_KEYS = 256;
const MOST_SIGNATURES = 16_384;

interface Pair {
  readonly secret: KeyObject;
  readonly publicKey: Hex;
}

interface Verified {
  readonly publicKey: Hex;
  readonly message: Buffer;
}

const pairs = new Map<string, Pair>();
/** By signature. A triple is known only with its very key and message. */
const verified = new Map<string, Verified>();

/** As `lib/messages/ed25519.ts`. */
export function sign(message: Uint8Array, secret: Uint8Array): Uint8Array {
  const { secret: key, publicKey } = pairOf(secret);
  const signature = new Uint8Array(opensslSign(null, message, key));
  remember(message, signature, publicKey);
  return signature;
}

/** As `lib/messages/ed25519.ts`. */
export function verifies(message: Uint8Array, signature: Uint8Array, publicKey: Hex): boolean {
  const known = verified.get(nameOf(signature));
  if (known?.publicKey === publicKey && known.message.equals(message)) return true;
  const good = verifiesOwn(message, signature, publicKey);
  if (good) remember(message, signature, publicKey);
  return good;
}

function remember(message: Uint8Array, signature: Uint8Array, publicKey: Hex): void {
  if (verified.size >= MOST_SIGNATURES) verified.clear();
  verified.set(nameOf(signature), { publicKey, message: Buffer.from(message) });
}

function nameOf(signature: Uint8Array): string {
  return Buffer.from(signature.buffer, signature.byteOffset, signature.length).toString('latin1');
}

function pairOf(secret: Uint8Array): Pair {
  const name = nameOf(secret);
  const known = pairs.get(name);
  if (known) return known;
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, secret]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const pair: Pair = { secret: key, publicKey: toHex(spki.subarray(SPKI_BYTES)) };
  if (pairs.size >= MOST_KEYS) pairs.clear();
  pairs.set(name, pair);
  return pair;
}
