/**
 * Verification by other people's code: libsecp256k1 (tiny-secp256k1, WASM) for Taproot, OpenSSL (node:crypto) for Ed25519. Nothing
 * here shares a line with the code that signed.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { base58, bech32m } from '@scure/base';
import type { Coin } from '../local/committee.ts';

export interface Verifier {
  /** Whose arithmetic it is. */
  readonly name: string;
  /** @param publicKey 32 bytes @param signature 64 bytes */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
  /** The 32-byte public key that an address pays to; `undefined` if it is no such address. */
  decodeAddress(address: string): Uint8Array | undefined;
}

export const VERIFIERS: Readonly<Record<Coin, Verifier>> = {
  btc: { name: 'tiny-secp256k1 (libsecp256k1)', verify: verifyBip340, decodeAddress: decodeTaproot },
  sol: { name: 'node:crypto (OpenSSL)', verify: verifyEd25519, decodeAddress: decodeSolana },
};

/** Order of secp256k1 (SEC 2, §2.4.1). */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** BIP 340 verification. The library takes 32-byte messages only; others go through the same equation on its points. */
async function verifyBip340(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const secp256k1 = await import('tiny-secp256k1');
  if (publicKey.length !== 32 || signature.length !== 64 || !secp256k1.isXOnlyPoint(publicKey)) return false;
  if (message.length === 32) return secp256k1.verifySchnorr(message, publicKey, signature);

  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)];
  if (integer(s) >= ORDER) return false;
  const tag = createHash('sha256').update('BIP0340/challenge').digest();
  const challenge = createHash('sha256').update(tag).update(tag).update(r).update(publicKey).update(message).digest();
  const e = integer(challenge) % ORDER;
  if (e === 0n) return false;
  // R = s·G − e·P, where P has an even y; R must have an even y and the x of the signature (which is then below p).
  const even = Uint8Array.of(2, ...publicKey);
  const negated = secp256k1.pointMultiply(even, scalar(ORDER - e), true);
  const point = negated && secp256k1.pointAddScalar(negated, s, true);
  return point !== null && point[0] === 2 && Buffer.from(point.subarray(1)).equals(r);
}

async function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') },
    format: 'jwk',
  });
  return verify(null, message, key, signature);
}

/** BIP 350, main network, witness version 1. */
function decodeTaproot(address: string): Uint8Array | undefined {
  const decoded = bech32m.decodeUnsafe(address);
  if (decoded?.prefix !== 'bc' || decoded.words[0] !== 1) return undefined;
  const program = bech32m.fromWordsUnsafe(decoded.words.slice(1));
  return program instanceof Uint8Array && program.length === 32 ? program : undefined;
}

function decodeSolana(address: string): Uint8Array | undefined {
  try {
    const bytes = base58.decode(address);
    return bytes.length === 32 ? bytes : undefined;
  } catch {
    return undefined;
  }
}

function integer(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

function scalar(value: bigint): Uint8Array {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'));
}
