/**
 * BLS12-381 as the credentials use it: G1 and G2 of prime order r, in the compressed form of the Zcash specification (48 and 96 bytes).
 *
 * Two rules hold everywhere and are kept here. What is decoded is in the subgroup and is not the identity: the pairing equations hold for anything at
 * the identity (attack ECASH-02), and random weights do not see a part of small order (ENC-02). What is multiplied by a secret is multiplied by
 * {@link multiplySecret}.
 */
import type { WeierstrassPoint } from '@noble/curves/abstract/weierstrass.js';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { bytesToNumberBE, numberToBytesBE } from '@noble/curves/utils.js';
import type { RandomBytes } from '../ceremony.ts';

const { Point: G1Point } = bls12_381.G1;
const { Point: G2Point } = bls12_381.G2;

/** A point of the curve over Fp: of G1 once {@link decodeG1} gave it. */
export type G1 = WeierstrassPoint<bigint>;
/** A point of the twist over Fp²: of G2 once {@link decodeG2} gave it. */
export type G2 = InstanceType<typeof G2Point>;

/** Scalars: integers modulo {@link ORDER}. */
export const Fr = bls12_381.fields.Fr;
/** r, the order of G1, G2 and GT; 255 bits. */
export const ORDER: bigint = Fr.ORDER;

/** Bytes of a point of G1, compressed. */
export const G1_BYTES = 48;
/** Bytes of a point of G2, compressed. */
export const G2_BYTES = 96;
/** Bytes of a scalar, big-endian. */
export const SCALAR_BYTES = 32;

/** Why something is refused. */
export const COCONUT_ERRORS = [
  'BadLength',
  'BadPoint',
  'IdentityPoint',
  'BadScalar',
  'BadParameters',
  'BadAttributes',
  'BadIndexes',
  'BadKey',
  'BadRequest',
  'BadCredential',
  'BadShow',
  'BadValue',
  'BadProof',
  'BadRandomness',
] as const;
/** One of {@link COCONUT_ERRORS}. */
export type CoconutErrorReason = (typeof COCONUT_ERRORS)[number];

/** Says what was expected and what came; holds no secret and no bytes. */
export class CoconutError extends Error {
  readonly kind = 'CoconutError';
  readonly reason: CoconutErrorReason;
  constructor(reason: CoconutErrorReason, expected: string, got: string) {
    super(`${reason}: expected ${expected}, got ${got}`);
    this.name = 'CoconutError';
    this.reason = reason;
  }
}

/** @param what for the message @throws {CoconutError} `BadLength` unless there are exactly `length` bytes */
export function expectLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length !== length) throw new CoconutError('BadLength', `${what} of ${length} bytes`, `${bytes.length}`);
}

/**
 * @param bytes 48, compressed
 * @returns a point of G1 ∖ {0}
 * @throws {CoconutError} `BadLength`, `IdentityPoint`; `BadPoint` for a coordinate ≥ p, wrong flag bits, and points off the curve or outside G1
 */
export function decodeG1(bytes: Uint8Array): G1 {
  expectLength(bytes, G1_BYTES, 'a point of G1');
  let point: G1;
  try {
    // Checks flags, x < p, the curve and the subgroup.
    point = G1Point.fromBytes(bytes);
  } catch {
    throw new CoconutError('BadPoint', 'a canonical point of G1', 'other bytes');
  }
  if (point.is0()) throw new CoconutError('IdentityPoint', 'a point of G1 other than the identity', 'the identity');
  return point;
}

/** As {@link decodeG1}, for G2. @param bytes 96, compressed @throws {CoconutError} */
export function decodeG2(bytes: Uint8Array): G2 {
  expectLength(bytes, G2_BYTES, 'a point of G2');
  let point: G2;
  try {
    point = G2Point.fromBytes(bytes);
  } catch {
    throw new CoconutError('BadPoint', 'a canonical point of G2', 'other bytes');
  }
  if (point.is0()) throw new CoconutError('IdentityPoint', 'a point of G2 other than the identity', 'the identity');
  return point;
}

/**
 * Flag bits of the compressed form: compressed, identity, and whether y is the greater of the two roots. noble's own encoder checks the subgroup each time, a
 * millisecond; what is encoded here was checked when it was decoded, or computed from what was.
 */
const COMPRESSED = 0x80;
const IDENTITY = 0x40;
const GREATER = 0x20;
const { Fp } = bls12_381.fields;
const isGreater = (y: bigint): boolean => 2n * y > Fp.ORDER;

/** @returns 48 bytes, compressed; the identity too has an encoding, which {@link decodeG1} refuses */
export function encodeG1(point: G1): Uint8Array {
  if (point.is0()) return flagged(new Uint8Array(G1_BYTES), IDENTITY);
  const { x, y } = point.toAffine();
  return flagged(numberToBytesBE(x, G1_BYTES), isGreater(y) ? GREATER : 0);
}

/** @returns 96 bytes, compressed: x = c0 + c1·u as c1 ‖ c0 */
export function encodeG2(point: G2): Uint8Array {
  if (point.is0()) return flagged(new Uint8Array(G2_BYTES), IDENTITY);
  const { x, y } = point.toAffine();
  const bytes = new Uint8Array(G2_BYTES);
  bytes.set(numberToBytesBE(x.c1, G1_BYTES));
  bytes.set(numberToBytesBE(x.c0, G1_BYTES), G1_BYTES);
  return flagged(bytes, isGreater(y.c1 === 0n ? y.c0 : y.c1) ? GREATER : 0);
}

/** A coordinate has 381 bits: three are free. */
function flagged(bytes: Uint8Array, flags: number): Uint8Array {
  bytes[0] = (bytes[0] as number) | COMPRESSED | flags;
  return bytes;
}

/**
 * @param bytes 32, big-endian
 * @throws {CoconutError} `BadScalar` for a value ≥ r: s and s + r would be two names for one serial (attack ECASH-11)
 */
export function decodeScalar(bytes: Uint8Array): bigint {
  expectLength(bytes, SCALAR_BYTES, 'a scalar');
  const value = bytesToNumberBE(bytes);
  if (value >= ORDER) throw new CoconutError('BadScalar', 'a scalar below the group order', 'a greater one');
  return value;
}

/** @returns 32 bytes, big-endian @throws {CoconutError} outside 0 ≤ scalar < r */
export function encodeScalar(scalar: bigint): Uint8Array {
  return numberToBytesBE(expectScalar(scalar), SCALAR_BYTES);
}

/** The scalar itself, if 0 ≤ scalar < r. @throws {CoconutError} `BadScalar` */
export function expectScalar(scalar: bigint): bigint {
  if (scalar < 0n || scalar >= ORDER) throw new CoconutError('BadScalar', '0 ≤ scalar < r', 'a scalar outside');
  return scalar;
}

/**
 * Uniform in 1..r−1: 48 bytes reduced, a bias below 2⁻¹²⁸ (RFC 9380 §5.1: L = ⌈(255 + 128) / 8⌉).
 * @throws {CoconutError} `BadRandomness` if the source gives another length, or zero, which no working source ever does
 */
export function randomScalar(random: RandomBytes): bigint {
  const bytes = random(48);
  if (bytes.length !== 48) throw new CoconutError('BadRandomness', '48 random bytes', `${bytes.length}`);
  const scalar = Fr.create(bytesToNumberBE(bytes));
  if (scalar === 0n) throw new CoconutError('BadRandomness', 'random bytes', 'zero');
  return scalar;
}

/**
 * scalar = a + b with a uniform: either half alone says nothing. A multiplication that leaks a bit of its scalar, and another one the next time,
 * leaks bits of independent numbers.
 */
function split(scalar: bigint, random: RandomBytes): readonly [bigint, bigint] {
  const a = randomScalar(random);
  return [a, Fr.sub(expectScalar(scalar), a)];
}

/**
 * [scalar]point for a secret scalar. noble's multiplication does the same steps for every scalar, but blinds only those of the base point, and BigInt
 * arithmetic takes time by size: so the scalar is split additively at random.
 * @param scalar 0 ≤ scalar < r
 * @param random blinds, 48 bytes; the result does not depend on it
 * @throws {CoconutError} `BadScalar`, `BadRandomness`
 */
export function multiplySecret(point: G1, scalar: bigint, random: RandomBytes): G1 {
  const [a, b] = split(scalar, random);
  return point.multiply(a).add(b === 0n ? G1Point.ZERO : point.multiply(b));
}

const prepared = new WeakSet<G1 | G2>();

/**
 * The same point, for bases that secrets multiply again and again (generators, keys): noble keeps a table of its multiples from the first multiplication on, which costs as much as four
 * without it and makes each four times as fast.
 */
export function fixedBase<P extends G1 | G2>(point: P): P {
  // noble throws the table away when it is asked for a second time.
  if (!prepared.has(point)) {
    prepared.add(point);
    point.precompute(4);
  }
  return point;
}

/** [scalar]g1 for a secret scalar: noble blinds multiplications of the base point itself. @param scalar 0 ≤ scalar < r @throws {CoconutError} `BadScalar` */
export function multiplyBase(scalar: bigint): G1 {
  return expectScalar(scalar) === 0n ? G1Point.ZERO : G1Point.BASE.multiply(scalar);
}

/** [scalar]g2, as {@link multiplyBase}. @throws {CoconutError} `BadScalar` */
export function multiplyBaseG2(scalar: bigint): G2 {
  return expectScalar(scalar) === 0n ? G2Point.ZERO : G2Point.BASE.multiply(scalar);
}

/** As {@link multiplySecret}, in G2. */
export function multiplySecretG2(point: G2, scalar: bigint, random: RandomBytes): G2 {
  const [a, b] = split(scalar, random);
  return point.multiply(a).add(b === 0n ? G2Point.ZERO : point.multiply(b));
}

/** The identity of G1. */
export const G1_ZERO: G1 = G1Point.ZERO;
/** The identity of G2. */
export const G2_ZERO: G2 = G2Point.ZERO;
