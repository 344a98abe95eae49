/**
 * Point encodings. Two forms:
 *
 * - **affine**, for the many commitments of a key generation: SEC1 uncompressed `04 ‖ x ‖ y` (65 bytes) or x ‖ y
 *   little-endian (64 bytes). Reading it costs one curve equation instead of a square root.
 * - **compressed**, everywhere else and in every hash: SEC1 `02/03 ‖ x` (33 bytes) or RFC 8032 §5.1.2 (32 bytes). One
 *   point has one hash.
 *
 * Readers are strict: exact length, canonical coordinates, on the curve, not the identity (RFC 9591 §3.1
 * DeserializeElement, with the steps of §6.1 and §6.5), with the one exception that they do not check for the
 * prime-order subgroup; see docs/decisions/0002-ed25519-torsion.md for where that is done.
 */
import { ECDH } from 'node:crypto';
import { readUint256, writeUint256 } from './integers.ts';
import { recoverX } from './public-ed25519.ts';
import type { Affine } from './public-msm.ts';
import type { Suite } from './suite.ts';

/**
 * Affine wire form, 65 or 64 bytes, of an untrusted point; `undefined` if it is not exactly one valid, non-identity
 * point.
 */
export function readAffine(suite: Suite, bytes: Uint8Array): Affine | undefined {
  const { curve, littleEndian } = suite;
  if (bytes.length !== suite.affineBytes) return undefined;
  const start = bytes.length - 64;
  if (start === 1 && bytes[0] !== 4) return undefined;
  const x = readUint256(bytes, start, littleEndian);
  const y = readUint256(bytes, start + 32, littleEndian);
  if (x >= curve.p || y >= curve.p) return undefined;
  // Without this check an attacker moves the arithmetic to a weaker curve (Biehl, Meyer, Müller, CRYPTO 2000).
  if (!curve.isOnCurve(x, y)) return undefined;
  if (!suite.taproot && x === 0n && y === 1n) return undefined;
  return { x, y };
}

/**
 * Affine form of a point that this operator computed or has already read with {@link readAffine}: ranges and the curve
 * equation are not checked again. All zero bytes are the identity on secp256k1, which has no affine form; Ed25519's is
 * (0, 1).
 */
export function readOwnAffine(suite: Suite, bytes: Uint8Array): Affine | undefined {
  const start = suite.affineBytes - 64;
  const x = readUint256(bytes, start, suite.littleEndian);
  const y = readUint256(bytes, start + 32, suite.littleEndian);
  const identity = suite.taproot ? bytes[0] === 0 : x === 0n && y === 1n;
  return identity ? undefined : { x, y };
}

/** The inverse of {@link readOwnAffine}: 65 bytes (secp256k1) or 64. */
export function writeAffine(suite: Suite, point: Affine | undefined): Uint8Array {
  const bytes = new Uint8Array(suite.affineBytes);
  if (point === undefined) {
    if (!suite.taproot) bytes[32] = 1;
    return bytes;
  }
  const start = suite.affineBytes - 64;
  if (start === 1) bytes[0] = 4;
  writeUint256(bytes, start, point.x, suite.littleEndian);
  writeUint256(bytes, start + 32, point.y, suite.littleEndian);
  return bytes;
}

/** SerializeElement (RFC 9591 §6.1, §6.5) of a point that is not the identity: 32 or 33 bytes. */
export function compress(suite: Suite, point: Affine): Uint8Array {
  const bytes = new Uint8Array(suite.pointBytes);
  if (suite.taproot) {
    bytes[0] = point.y & 1n ? 3 : 2;
    writeUint256(bytes, 1, point.x, false);
  } else {
    writeUint256(bytes, 0, point.y, true);
    bytes[31] = (bytes[31] as number) | (point.x & 1n ? 0x80 : 0);
  }
  return bytes;
}

/**
 * DeserializeElement (RFC 9591 §6.1, §6.5) of an untrusted point, subgroup not checked; `undefined` if invalid or the
 * identity.
 */
export function decompress(suite: Suite, bytes: Uint8Array): Affine | undefined {
  if (bytes.length !== suite.pointBytes) return undefined;
  return suite.taproot ? decompressSecp256k1(suite, bytes) : decompressEd25519(suite, bytes);
}

function decompressSecp256k1(suite: Suite, bytes: Uint8Array): Affine | undefined {
  let uncompressed: Uint8Array;
  try {
    // OpenSSL's square root takes half the time of one on BigInt, and these points are public. At this length it
    // refuses every prefix but 02 and 03, x ≥ p and x off the curve.
    uncompressed = ECDH.convertKey(bytes, 'secp256k1', undefined, undefined, 'uncompressed') as Buffer;
  } catch {
    return undefined;
  }
  return readAffine(suite, uncompressed);
}

function decompressEd25519(suite: Suite, bytes: Uint8Array): Affine | undefined {
  const sign = ((bytes[31] as number) >> 7) as 0 | 1;
  const y = readUint256(bytes, 0, true) & (2n ** 255n - 1n);
  // RFC 8032 §5.1.3 step 1: y ≥ p would be a second encoding of y − p.
  if (y >= suite.curve.p) return undefined;
  const x = recoverX(y, sign);
  if (x === undefined || (x === 0n && y === 1n)) return undefined;
  return { x, y };
}
