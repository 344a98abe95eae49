/**
 * FROST signing (RFC 9591 §4, §5): nonces, signature shares, aggregation, and the checks that name culprits.
 *
 * On secp256k1 the signature is BIP 340's, whose keys and nonces have even y. Where the group's key or the group
 * commitment has odd y, every signer negates its share or its nonces, and the checks negate the matching points; this
 * is ZF FROST's and noble's convention.
 */
import { createPublicKey, verify } from 'node:crypto';
import { schnorr } from '@noble/curves/secp256k1.js';
import { bytesToNumberBE } from '@noble/curves/utils.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { type GroupKey, verificationPoint } from './dkg.ts';
import { compress, decompress } from './points.ts';
import { type Affine, invertAll, modulo } from './public-msm.ts';
import {
  checkIndex,
  FrostInputError,
  identifierBytes,
  type RandomBytes,
  readOwnScalar,
  readScalar,
  type Suite,
} from './suite.ts';

/** One signer's nonce commitments for one message (RFC 9591 §5.1), compressed. */
export interface NonceCommitment {
  /** D = [d]B, 33 or 32 bytes. */
  readonly hiding: Uint8Array;
  /** E = [e]B, as long. */
  readonly binding: Uint8Array;
}

/** One of those who sign. */
export interface Signer {
  /** 1..65535. */
  readonly index: number;
  readonly commitment: NonceCommitment;
}

/** The two encodings of a key that signing needs. */
export type SigningKey = Pick<GroupKey, 'internalKey' | 'outputKey'>;

/** What one signature is made of, apart from the shares. */
export interface SigningSession {
  readonly key: SigningKey;
  /** By index, compressed, {@link GroupKey}'s convention; at least those of the signers. */
  readonly verifyingShares: ReadonlyMap<number, Uint8Array>;
  /** Ascending by index, distinct. */
  readonly signers: readonly Signer[];
  /** Any length. */
  readonly message: Uint8Array;
}

// ---------------------------------------------------------------------------------------------- round one

/**
 * RFC 9591 §5.1 with §4.1 nonce_generate: each nonce is H3(32 random bytes ‖ signing share), so that a weak random
 * source alone does not give the share away. A pair of nonces may sign **one** package: two signature shares with one
 * pair reveal the signing share.
 * @param signingShare 32 SECRET bytes of {@link finalShare}
 * @param random called twice for 32 bytes
 * @returns 64 SECRET bytes, hiding ‖ binding scalar, and their commitments
 * @throws {FrostInputError} if the share is no scalar of 32 bytes
 */
export function generateNonces(
  suite: Suite,
  signingShare: Uint8Array,
  random: RandomBytes,
): { readonly nonces: Uint8Array; readonly commitment: NonceCommitment } {
  readOwnScalar(suite, signingShare, 'signing share');
  const hiding = suite.H3(concatBytes(random(32), signingShare));
  const binding = suite.H3(concatBytes(random(32), signingShare));
  return {
    nonces: concatBytes(suite.Fn.toBytes(hiding), suite.Fn.toBytes(binding)),
    commitment: {
      hiding: compress(suite, suite.multiplyBase(hiding)),
      binding: compress(suite, suite.multiplyBase(binding)),
    },
  };
}

/**
 * RFC 9591 §3.1 DeserializeElement, as §6.1 and §6.5 have it, for both points: exact length, canonical, on the curve,
 * not the identity, in the prime-order subgroup.
 *
 * A leader checks each commitment with this when it arrives. {@link signShare} checks the subgroup for the sum of all
 * commitments only, so one commitment with a small-order part that the leader let through would make all honest signers
 * refuse.
 */
export function checkNonceCommitment(suite: Suite, commitment: NonceCommitment): boolean {
  return [commitment.hiding, commitment.binding].every((bytes) => {
    const point = decompress(suite, bytes);
    return point !== undefined && suite.curve.isPrimeOrder(suite.curve.lift(point));
  });
}

// ---------------------------------------------------------------------------------------------- the session's context

/** Everything that all signers of a session compute alike. */
interface Context {
  readonly hiding: readonly Affine[];
  readonly binding: readonly Affine[];
  /** ρ_i, in the order of the signers. */
  readonly bindingFactors: readonly bigint[];
  /** encode_group_commitment_list, RFC 9591 §4.3. */
  readonly encodedList: Uint8Array;
  readonly groupCommitment: Affine;
  readonly encodedGroupCommitment: Uint8Array;
  readonly challenge: bigint;
  /** −1 where BIP 340 wants the negated nonces. */
  readonly nonceSign: 1n | -1n;
  /** −1 where BIP 340 wants the negated key. */
  readonly keySign: 1n | -1n;
}

/** @throws {FrostInputError} */
function contextOf(suite: Suite, { key, signers, message }: Omit<SigningSession, 'verifyingShares'>): Context {
  checkSigners(signers);
  const { curve } = suite;
  const verification = verificationPoint(suite, key);
  if (verification === undefined) {
    throw new FrostInputError('key', 'an internal key that gives the output key', 'two keys that do not match');
  }
  const keySign = suite.taproot && verification.point.y & 1n ? -1n : 1n;
  // BIP 340 knows the key as its point with even y, also in the binding factors.
  const encodedKey = suite.taproot ? concatBytes(Uint8Array.of(2), key.outputKey) : verification.encoded;

  // §4.3: the list in ascending order, each entry identifier ‖ hiding ‖ binding.
  const hiding: Affine[] = [];
  const binding: Affine[] = [];
  const list: Uint8Array[] = [];
  for (const { index, commitment } of signers) {
    const D = decompress(suite, commitment.hiding);
    const E = decompress(suite, commitment.binding);
    if (D === undefined || E === undefined) {
      throw new FrostInputError(`nonce commitment of ${index}`, 'two valid points', 'something else');
    }
    hiding.push(D);
    binding.push(E);
    list.push(identifierBytes(suite, index), commitment.hiding, commitment.binding);
  }
  const encodedList = concatBytes(...list);

  // §4.4 compute_binding_factors. Every factor depends on the key, the message, the whole list and the signer: what
  // makes concurrent sessions safe (ROS).
  const prefix = concatBytes(encodedKey, suite.H4(message), suite.H5(encodedList));
  const bindingFactors = signers.map(({ index }) => suite.H1(concatBytes(prefix, identifierBytes(suite, index))));

  // §4.5 compute_group_commitment: R = Σ D_i + [ρ_i]E_i.
  let sum = curve.multiScalar(binding, bindingFactors);
  for (const point of hiding) sum = curve.addAffine(sum, point);
  const [groupCommitment] = curve.normalize([sum]);
  if (groupCommitment === undefined) {
    throw new FrostInputError('group commitment', 'a point other than the identity', 'the identity');
  }
  const encodedGroupCommitment = compress(suite, groupCommitment);
  return {
    hiding,
    binding,
    bindingFactors,
    encodedList,
    groupCommitment,
    encodedGroupCommitment,
    // §4.6 compute_challenge.
    challenge: suite.challenge(encodedGroupCommitment, encodedKey, message),
    nonceSign: suite.taproot && groupCommitment.y & 1n ? -1n : 1n,
    keySign,
  };
}

function checkSigners(signers: readonly Signer[]): void {
  if (signers.length === 0) throw new FrostInputError('signers', 'at least one', 'none');
  let previous = 0;
  for (const { index } of signers) {
    checkIndex(index);
    // Also refuses duplicates, for which the Lagrange coefficients do not exist (§4.2).
    if (index <= previous)
      throw new FrostInputError('signers', 'ascending distinct indices', `${index} after ${previous}`);
    previous = index;
  }
}

/**
 * §4.2 derive_interpolating_value at 0 for every signer: λ_i = Π_{j≠i} x_j / (x_j − x_i), with one inversion for all.
 */
function interpolatingValues(suite: Suite, signers: readonly Signer[]): bigint[] {
  const order = suite.Fn.ORDER;
  const numerators: bigint[] = [];
  const denominators: bigint[] = [];
  for (const own of signers) {
    let numerator = 1n;
    let denominator = 1n;
    for (const other of signers) {
      if (other === own) continue;
      numerator = (numerator * BigInt(other.index)) % order;
      denominator = (denominator * BigInt(other.index - own.index)) % order;
    }
    numerators.push(numerator);
    denominators.push(denominator);
  }
  return invertAll(denominators, order).map((inverse, i) => modulo(inverse * (numerators[i] as bigint), order));
}

/** §4.2 for one signer. */
function interpolatingValue(suite: Suite, signers: readonly Signer[], own: number): bigint {
  const { Fn } = suite;
  let numerator = 1n;
  let denominator = 1n;
  for (const { index } of signers) {
    if (index === own) continue;
    numerator = Fn.mul(numerator, BigInt(index));
    denominator = Fn.mul(denominator, Fn.create(BigInt(index - own)));
  }
  return Fn.div(numerator, denominator);
}

// ---------------------------------------------------------------------------------------------- round two

/**
 * RFC 9591 §5.2 sign: z = d + ρ·e + λ·c·s.
 *
 * The caller must have consumed the nonces in the same transaction that stores the result: this function can not know
 * whether it is called twice.
 * @param input `signingShare` 32 SECRET bytes of {@link finalShare}; `nonces` 64 SECRET bytes of {@link generateNonces}
 * @returns 32 bytes, no secret once the nonces are gone
 * @throws {FrostInputError} if the signers are not ascending and distinct, `index` is not among them, its commitment is
 *   not the one of `nonces`, a commitment does not decode, the keys do not match, or the group commitment is the
 *   identity or (Ed25519) has a small-order part
 */
export function signShare(
  suite: Suite,
  input: {
    readonly key: SigningKey;
    readonly index: number;
    readonly signingShare: Uint8Array;
    readonly nonces: Uint8Array;
    readonly signers: readonly Signer[];
    readonly message: Uint8Array;
  },
): Uint8Array {
  const { key, index, signers, message } = input;
  const { Fn, curve } = suite;
  checkSigners(signers);
  const d = readOwnScalar(suite, input.nonces.subarray(0, 32), 'hiding nonce');
  const e = readOwnScalar(suite, input.nonces.subarray(32), 'binding nonce');
  // Wiped nonces read as 0, and a share made with them is the signing share in clear.
  if (d === 0n || e === 0n) throw new FrostInputError('nonces', 'two scalars other than 0', '0');
  const s = readOwnScalar(suite, input.signingShare, 'signing share');

  // §5.2: the signer must find its own commitments in the list, unchanged. A leader that changes them gets a share for
  // a nonce relation it chose.
  const own = signers.findIndex((signer) => signer.index === index);
  if (own < 0) throw new FrostInputError('signers', `participant ${index} among them`, 'a list without it');
  const { hiding, binding } = (signers[own] as Signer).commitment;
  const expected = [d, e].map((nonce) => compress(suite, suite.multiplyBase(nonce)));
  if (
    Buffer.compare(expected[0] as Uint8Array, hiding) !== 0 ||
    Buffer.compare(expected[1] as Uint8Array, binding) !== 0
  ) {
    throw new FrostInputError('own nonce commitment', 'the one of the nonces', 'another one');
  }

  const context = contextOf(suite, { key, signers, message });
  if (!curve.isPrimeOrder(curve.lift(context.groupCommitment))) {
    throw new FrostInputError('group commitment', 'a point of prime order', 'one with a small-order part');
  }
  const nonce = Fn.add(d, Fn.mul(e, context.bindingFactors[own] as bigint));
  const lambda = interpolatingValue(suite, signers, index);
  const keyPart = Fn.mul(Fn.mul(lambda, context.challenge), s);
  return Fn.toBytes(
    Fn.add(context.nonceSign === 1n ? nonce : Fn.neg(nonce), context.keySign === 1n ? keyPart : Fn.neg(keyPart)),
  );
}

// ---------------------------------------------------------------------------------------------- judging shares

/** One signer's equation [z]B = ±(D + [ρ]E) + [±cλ]Y, ready for checking alone or together. */
interface Equation {
  readonly index: number;
  /** `undefined`: not a canonical scalar, so wrong. */
  readonly z: bigint | undefined;
  readonly D: Affine;
  readonly E: Affine;
  readonly Y: Affine;
  readonly rho: bigint;
  /**
   * ±cλ, where the sign also carries that of the nonces: the equation is kept in the form [±z]B = D + [ρ]E + [±cλ]Y.
   */
  readonly weight: bigint;
}

function equationOf(
  suite: Suite,
  session: SigningSession,
  context: Context,
  at: number,
  lambda: bigint,
  share: Uint8Array,
): Equation {
  const { Fn } = suite;
  const { index } = session.signers[at] as Signer;
  const encoded = session.verifyingShares.get(index);
  const Y = encoded === undefined ? undefined : decompress(suite, encoded);
  if (Y === undefined)
    throw new FrostInputError(`verifying share of ${index}`, 'a valid point', 'something else or none');
  const z = readScalar(suite, share);
  const product = Fn.mul(context.challenge, lambda);
  return {
    index,
    z: z === undefined || context.nonceSign === 1n ? z : Fn.neg(z),
    D: context.hiding[at] as Affine,
    E: context.binding[at] as Affine,
    Y,
    rho: context.bindingFactors[at] as bigint,
    weight: context.keySign === context.nonceSign ? product : Fn.neg(product),
  };
}

function holds(suite: Suite, { z, D, E, Y, rho, weight }: Equation): boolean {
  const { curve } = suite;
  if (z === undefined) return false;
  const right = curve.addAffine(curve.multiScalar([E, Y], [rho, weight]), D);
  return curve.isIdentity(curve.addAffine(curve.negate(right), suite.multiplyBasePublic(z)));
}

/**
 * The exact rule by which a signature share is judged, and the one that evidence stands on: canonical scalar, and
 * the equation of RFC 9591's verify_signature_share (§5.3), [z]B = ±(D + [ρ]E) + [±cλ]Y without a cofactor.
 * @throws {FrostInputError} if the session itself is malformed (see {@link signShare}) or `index` is not among the
 *   signers
 */
export function verifySignatureShare(
  suite: Suite,
  input: SigningSession & { readonly index: number; readonly share: Uint8Array },
): boolean {
  const context = contextOf(suite, input);
  const at = input.signers.findIndex((signer) => signer.index === input.index);
  if (at < 0) throw new FrostInputError('signers', `participant ${input.index} among them`, 'a list without it');
  const lambda = interpolatingValue(suite, input.signers, input.index);
  return holds(suite, equationOf(suite, input, context, at, lambda, input.share));
}

/**
 * RFC 9591 §5.3 aggregate: adds the shares and verifies the signature. Only if that fails are the shares judged, and
 * then *all* wrong ones are named.
 * @param input `shares` one for each signer, by index; an encoding that is not a canonical scalar is a wrong share
 * @returns the 64-byte signature, or the culprits ascending. No culprit at all means that key and verifying shares
 *   do not belong together; take both from one certificate, or the innocent are named
 * @throws {FrostInputError} if there are fewer signers than t, a share or a verifying share is missing, or the session
 *   is malformed (see {@link signShare})
 */
export function aggregate(
  suite: Suite,
  input: SigningSession & { readonly t: number; readonly shares: ReadonlyMap<number, Uint8Array> },
):
  | { readonly ok: true; readonly signature: Uint8Array }
  | { readonly ok: false; readonly culprits: readonly number[] } {
  const { t, signers, shares, key, message } = input;
  if (signers.length < t) throw new FrostInputError('signers', `at least ${t}`, String(signers.length));
  const { Fn } = suite;
  const context = contextOf(suite, input);
  const encodings = signers.map(({ index }) => {
    const share = shares.get(index);
    if (share === undefined) throw new FrostInputError('shares', `one of participant ${index}`, 'none');
    return share;
  });

  let z: bigint | undefined = 0n;
  for (const encoding of encodings) {
    const share = readScalar(suite, encoding);
    z = z === undefined || share === undefined ? undefined : Fn.add(z, share);
  }
  if (z !== undefined) {
    const R = suite.taproot ? context.encodedGroupCommitment.subarray(1) : context.encodedGroupCommitment;
    const signature = concatBytes(R, Fn.toBytes(z));
    if (verifySignature(suite, key.outputKey, message, signature)) return { ok: true, signature };
  }

  const lambdas = interpolatingValues(suite, signers);
  const equations = encodings.map((share, at) => equationOf(suite, input, context, at, lambdas[at] as bigint, share));
  return { ok: false, culprits: culpritsAmong(suite, context, equations, encodings) };
}

/**
 * All signers whose equation does not hold. In a group of prime order by halving: a random linear combination of a
 * half's equations is the identity if they all hold, and otherwise with probability 2⁻¹²⁷ only, so one bad share of 67
 * costs a few combinations instead of 67 checks. On Ed25519 commitments may have small-order parts, which a combination
 * hides half of the time, so there every share is judged alone.
 *
 * The weights are a hash of everything in the equations: nobody can choose a share after knowing them, and the result
 * is the same for everyone.
 */
function culpritsAmong(
  suite: Suite,
  context: Context,
  equations: readonly Equation[],
  shares: readonly Uint8Array[],
): number[] {
  const { curve, Fn } = suite;
  const bad = (list: readonly Equation[]) =>
    list.filter((equation) => !holds(suite, equation)).map(({ index }) => index);
  if (curve.cofactor !== 1) return bad(equations);

  const verifyingShares = equations.map(({ Y }) => compress(suite, Y));
  const seed = sha512(
    concatBytes(
      utf8ToBytes(`${suite.name}weights`),
      context.encodedGroupCommitment,
      Fn.toBytes(context.challenge),
      context.encodedList,
      ...verifyingShares,
      ...shares,
    ),
  );
  const weights = new Map(
    equations.map(({ index }) => [
      index,
      bytesToNumberBE(sha512(concatBytes(seed, identifierBytes(suite, index))).subarray(0, 16)) | 1n,
    ]),
  );

  const holdTogether = (list: readonly Equation[]): boolean => {
    const points: Affine[] = [];
    const scalars: bigint[] = [];
    let base = 0n;
    for (const { index, z, D, E, Y, rho, weight } of list) {
      if (z === undefined) return false;
      const w = weights.get(index) as bigint;
      points.push(D, E, Y);
      scalars.push(w, Fn.mul(w, rho), Fn.mul(w, weight));
      base += w * z;
    }
    const right = curve.multiScalar(points, scalars);
    return curve.isIdentity(curve.addAffine(curve.negate(right), suite.multiplyBasePublic(Fn.create(base))));
  };
  const search = (list: readonly Equation[], knownBad: boolean): number[] => {
    if (list.length <= 3) return bad(list);
    if (!knownBad && holdTogether(list)) return [];
    const half = list.length >> 1;
    const left = search(list.slice(0, half), false);
    return [...left, ...search(list.slice(half), left.length === 0)];
  };
  return search(equations, true);
}

// ---------------------------------------------------------------------------------------------- verifying signatures

/** DER SubjectPublicKeyInfo of an Ed25519 key (RFC 8410 §4) up to its 32 bytes. */
const ED25519_SPKI = Uint8Array.from([0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]);

/**
 * BIP 340 on secp256k1; RFC 8032 §5.1.7 on Ed25519, without a cofactor, with canonical S, R and key: the one rule of
 * this system. RFC 8032 allows either equation; RFC 9591 §6.1 wants the one with the cofactor, which holds whenever
 * this one does. Where small-order parts make them differ, the verifiers of the world do too, so such signatures are
 * refused.
 * @param outputKey 32 bytes
 * @param signature 64 bytes; any other length is not a signature
 */
export function verifySignature(
  suite: Suite,
  outputKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 64 || outputKey.length !== 32) return false;
  if (suite.taproot) return schnorr.verify(signature, message, outputKey);
  // S ≥ order is a second signature for the same message (malleability); y ≥ p a second encoding of R or of the key.
  if (readScalar(suite, signature.subarray(32)) === undefined) return false;
  if (![signature.subarray(0, 32), outputKey].every(hasCanonicalY)) return false;
  const spki = Buffer.concat([ED25519_SPKI, outputKey]);
  return verify(null, message, createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature);
}

/** y < 2²⁵⁵ − 19 under the sign bit: only 19 encodings are not, all with 0x7f ff … ff in the upper bytes. */
function hasCanonicalY(encoded: Uint8Array): boolean {
  if (((encoded[31] as number) & 0x7f) !== 0x7f || (encoded[0] as number) < 0xed) return true;
  return !encoded.subarray(1, 31).every((byte) => byte === 0xff);
}
