/**
 * The two ciphersuites (RFC 9591 §6), as `@noble/curves` and ZF FROST implement them:
 *
 * - `FROST-ED25519-SHA512-v1`, RFC 9591 §6.1: signatures verify as Ed25519 (RFC 8032).
 * - `FROST-secp256k1-SHA256-TR-v1`: §6.5's group and hashes with its own context string, BIP 340 challenges, x-only
 *   keys and the BIP 341 tweak for an empty script tree. Not in the RFC; defined by ZF FROST's `frost-secp256k1-tr`.
 *
 * Hashes of public input run in `node:crypto`, which is as fast in a fresh Lambda as in a warm one; nonce derivation,
 * whose input is secret, stays in noble.
 */
import { createHash } from 'node:crypto';
import type { IField } from '@noble/curves/abstract/modular.js';
import { mapHashToField } from '@noble/curves/abstract/modular.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { schnorr, secp256k1, secp256k1_hasher } from '@noble/curves/secp256k1.js';
import { bytesToNumberBE, bytesToNumberLE } from '@noble/curves/utils.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { readUint256 } from './integers.ts';
import { publicEd25519 } from './public-ed25519.ts';
import type { Affine, PublicCurve } from './public-msm.ts';
import { publicSecp256k1 } from './public-secp256k1.ts';

/** The names of the two. */
export const SUITES = ['FROST-secp256k1-SHA256-TR-v1', 'FROST-ED25519-SHA512-v1'] as const;
/** One of {@link SUITES}. */
export type SuiteName = (typeof SUITES)[number];

/** Uniformly random bytes from a cryptographic source. */
export type RandomBytes = (length: number) => Uint8Array;

/**
 * The caller broke a rule that no honest protocol run breaks. Says what was expected and what came; holds no secret and
 * no bytes.
 */
export class FrostInputError extends Error {
  readonly kind = 'FrostInputError';
  constructor(what: string, expected: string, got: string) {
    super(`${what}: expected ${expected}, got ${got}`);
    this.name = 'FrostInputError';
  }
}

/** One ciphersuite. Callers use `name` and the lengths; the rest is for the files of this folder. */
export interface Suite {
  readonly name: SuiteName;
  /** Bytes of a point in affine wire form: 65 (secp256k1) or 64 (Ed25519). */
  readonly affineBytes: 65 | 64;
  /** Bytes of a point in the curve's standard compressed form: 33 or 32. */
  readonly pointBytes: 33 | 32;
  readonly scalarBytes: 32;
  /** Bytes of a proof of knowledge: R (x-only on secp256k1) ‖ scalar. */
  readonly proofBytes: 64;
  /** BIP 340 parity rules and the BIP 341 tweak apply. */
  readonly taproot: boolean;
  /** Scalars and coordinates are little-endian. */
  readonly littleEndian: boolean;
  /** Variable-time arithmetic for public values. */
  readonly curve: PublicCurve;
  /** Scalars modulo the group order, in the suite's byte order. */
  readonly Fn: IField<bigint>;
  /** [secret]B with noble's constant-time algorithm; 0 < secret < order. */
  multiplyBase(secret: bigint): Affine;
  /** [scalar]B in variable time; 0 ≤ scalar < order. */
  multiplyBasePublic(scalar: bigint): Affine | undefined;
  /** Binding factors (RFC 9591 §4.4): a scalar below the order, as of H3 and HDKG. */
  H1(message: Uint8Array): bigint;
  /**
   * The signature's challenge (§4.6) from the encodings of R, the key and the message: H2, or BIP 340's tagged hash of
   * x-only encodings.
   */
  challenge(R: Uint8Array, key: Uint8Array, message: Uint8Array): bigint;
  /** Nonce derivation (§4.1). SECRET, in and out. */
  H3(message: Uint8Array): bigint;
  /** Message hash (§4.4): 32 bytes (secp256k1) or 64. */
  H4(message: Uint8Array): Uint8Array;
  /** Commitment list hash (§4.4): as long. */
  H5(message: Uint8Array): Uint8Array;
  /** Challenge of a proof of knowledge: not in the RFC; ZF FROST's `HDKG`. */
  HDKG(message: Uint8Array): bigint;
}

const BYTE_LENGTHS = { scalarBytes: 32, proofBytes: 64 } as const;

function digest(hash: 'sha256' | 'sha512', ...parts: readonly Uint8Array[]): Uint8Array {
  const state = createHash(hash);
  for (const part of parts) state.update(part);
  return new Uint8Array(state.digest());
}

/**
 * expand_message_xmd with SHA-256 (RFC 9380 §5.3.1) for 48 bytes, what hash_to_field (§5.2) needs for one scalar of
 * secp256k1 (L = 48). Public input only.
 * @param DST at most 255 bytes
 */
function expandMessage(message: Uint8Array, DST: Uint8Array): Uint8Array {
  const suffix = concatBytes(DST, Uint8Array.of(DST.length));
  const b0 = digest('sha256', new Uint8Array(64), message, Uint8Array.of(0, 48, 0), suffix);
  const b1 = digest('sha256', b0, Uint8Array.of(1), suffix);
  const mixed = b0.map((byte, i) => byte ^ (b1[i] as number));
  const b2 = digest('sha256', mixed, Uint8Array.of(2), suffix);
  return concatBytes(b1, b2.subarray(0, 16));
}

const taprootSuite: Suite = (() => {
  const name = 'FROST-secp256k1-SHA256-TR-v1';
  const { Point } = secp256k1;
  const { Fn } = Point;
  // §6.5: H1, H2, H3 by hash_to_field (RFC 9380 §5.2) with the tag as domain separator, H4 and H5 by prefixing it.
  const toScalar = (tag: string) => {
    const DST = utf8ToBytes(name + tag);
    return (message: Uint8Array): bigint => Fn.create(bytesToNumberBE(expandMessage(message, DST)));
  };
  const toBytes = (tag: string) => {
    const prefix = utf8ToBytes(name + tag);
    return (message: Uint8Array): Uint8Array => digest('sha256', prefix, message);
  };
  const nonceTag = { DST: utf8ToBytes(`${name}nonce`) };
  return {
    name,
    affineBytes: 65,
    pointBytes: 33,
    ...BYTE_LENGTHS,
    taproot: true,
    littleEndian: false,
    curve: publicSecp256k1,
    Fn,
    multiplyBase: (secret) => Point.BASE.multiply(secret).toAffine(),
    multiplyBasePublic: (scalar) => (scalar === 0n ? undefined : Point.BASE.multiplyUnsafe(scalar).toAffine()),
    H1: toScalar('rho'),
    // BIP 340: the challenge hashes x coordinates only, the first byte of the compressed form is the parity.
    challenge: (R, key, message) =>
      Fn.create(
        bytesToNumberBE(schnorr.utils.taggedHash('BIP0340/challenge', R.subarray(1), key.subarray(1), message)),
      ),
    H3: (message) => secp256k1_hasher.hashToScalar(message, nonceTag),
    H4: toBytes('msg'),
    H5: toBytes('com'),
    HDKG: toScalar('dkg'),
  };
})();

const ed25519Suite: Suite = (() => {
  const name = 'FROST-ED25519-SHA512-v1';
  const { Point } = ed25519;
  const { Fn } = Point;
  // §6.1: SHA-512 of tag ‖ message, little-endian, modulo the order. H2 carries no tag, so that challenges are those of
  // RFC 8032.
  const toScalar = (tag: string) => {
    const prefix = utf8ToBytes(tag);
    return (message: Uint8Array): bigint => Fn.create(bytesToNumberLE(digest('sha512', prefix, message)));
  };
  const toBytes = (tag: string) => {
    const prefix = utf8ToBytes(name + tag);
    return (message: Uint8Array): Uint8Array => digest('sha512', prefix, message);
  };
  const nonceTag = utf8ToBytes(`${name}nonce`);
  const H2 = toScalar('');
  return {
    name,
    affineBytes: 64,
    pointBytes: 32,
    ...BYTE_LENGTHS,
    taproot: false,
    littleEndian: true,
    curve: publicEd25519,
    Fn,
    multiplyBase: (secret) => Point.BASE.multiply(secret).toAffine(),
    multiplyBasePublic: (scalar) => (scalar === 0n ? undefined : Point.BASE.multiplyUnsafe(scalar).toAffine()),
    H1: toScalar(`${name}rho`),
    challenge: (R, key, message) => H2(concatBytes(R, key, message)),
    H3: (message) => Fn.create(bytesToNumberLE(sha512(concatBytes(nonceTag, message)))),
    H4: toBytes('msg'),
    H5: toBytes('com'),
    HDKG: toScalar(`${name}dkg`),
  };
})();

const BY_NAME: Readonly<Record<SuiteName, Suite>> = {
  'FROST-secp256k1-SHA256-TR-v1': taprootSuite,
  'FROST-ED25519-SHA512-v1': ed25519Suite,
};

/** The ciphersuite of a name. */
export function suiteOf(name: SuiteName): Suite {
  return BY_NAME[name];
}

/**
 * A uniform scalar in 1..order − 1 from 48 random bytes; the bias is below 2⁻¹²⁸. Departs from RFC 9591 §3.1
 * RandomScalar in leaving out 0, as noble does: the commitment to 0 is the identity, which cannot be sent.
 * @param random called once for 48 bytes
 */
export function randomScalar(suite: Suite, random: RandomBytes): bigint {
  const bytes = mapHashToField(random(48), suite.Fn.ORDER, suite.littleEndian);
  return suite.littleEndian ? bytesToNumberLE(bytes) : bytesToNumberBE(bytes);
}

/** DeserializeScalar (RFC 9591 §3.1): exactly 32 bytes below the order; `undefined` otherwise. */
export function readScalar(suite: Suite, bytes: Uint8Array): bigint | undefined {
  if (bytes.length !== suite.scalarBytes) return undefined;
  const value = readUint256(bytes, 0, suite.littleEndian);
  return value < suite.Fn.ORDER ? value : undefined;
}

/**
 * {@link readScalar} of 32 bytes, for secrets that this operator made itself.
 * @param what for the message
 * @throws {FrostInputError}
 */
export function readOwnScalar(suite: Suite, bytes: Uint8Array, what: string): bigint {
  const value = readScalar(suite, bytes);
  if (value === undefined) throw new FrostInputError(what, 'a canonical scalar of 32 bytes', 'another encoding');
  return value;
}

/**
 * FROST identifiers are the scalars of the indices (RFC 9591 §5: NonZeroScalar, distinct, from 1 on); 65,535 is the
 * most that formats.md's u16be holds.
 * @throws {FrostInputError} for any other number
 */
export function checkIndex(index: number): void {
  if (!Number.isInteger(index) || index < 1 || index > 65_535) {
    throw new FrostInputError('index', 'an integer from 1 to 65535', String(index));
  }
}

/** SerializeScalar of the identifier (RFC 9591 §4.3 encodes identifiers so): 32 bytes. */
export function identifierBytes(suite: Suite, index: number): Uint8Array {
  return suite.Fn.toBytes(BigInt(index));
}
