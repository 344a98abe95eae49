/**
 * Key generation: Pedersen's DKG with proofs of possession (PedPoP), as in Komlo & Goldberg, "FROST" (SAC 2020; ePrint
 * 2020/852), figure 1, with the byte formats of `@noble/curves` and ZF FROST, so that their packages and ours mix in
 * one run. What is added here are checks that name culprits and batches that make 67 of 100 quick; which rule a batch
 * stands for is said at each function.
 *
 * Dealer j has a secret polynomial f_j of degree t − 1, publishes C_jk = [a_jk]B and sends f_j(i) to participant i. The
 * group's polynomial is F = Σ_j f_j; column k is Σ_j C_jk, so columns commit to F. Participant i's signing share is
 * F(i).
 */
import { schnorr } from '@noble/curves/secp256k1.js';
import { bytesToNumberBE } from '@noble/curves/utils.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { compress, decompress, readAffine, readOwnAffine, writeAffine } from './points.ts';
import { type Affine, evaluateAt, evaluateAtAll } from './public-msm.ts';
import {
  checkIndex,
  FrostInputError,
  identifierBytes,
  type RandomBytes,
  randomScalar,
  readOwnScalar,
  readScalar,
  type Suite,
} from './suite.ts';

/** Right, or what is wrong; no secret in it. */
export type Check = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** One dealer's first round. */
export interface Dealing {
  /** SECRET: t scalars of 32 bytes, constant term first. */
  readonly coefficients: Uint8Array;
  /** t points, affine wire form, C_0 first. */
  readonly commitments: readonly Uint8Array[];
  /** R ‖ μ, 64 bytes; R is x-only (even y) on secp256k1, compressed on Ed25519. */
  readonly proofOfKnowledge: Uint8Array;
}

/** What a dealer publishes. */
export interface PublicDealing {
  /** Of the dealer, 1..65535. */
  readonly index: number;
  /** t points, affine wire form, C_0 first. */
  readonly commitments: readonly Uint8Array[];
  /** R ‖ μ, 64 bytes, as in {@link Dealing}. */
  readonly proofOfKnowledge: Uint8Array;
}

/** What a certificate stores of a key. */
export interface GroupKey {
  /** F(0)·B before any tweak, compressed: 33 or 32 bytes. */
  readonly internalKey: Uint8Array;
  /**
   * The key that verifies signatures, 32 bytes: x-only and tweaked (BIP 341, empty script tree), or Ed25519 =
   * `internalKey`.
   */
  readonly outputKey: Uint8Array;
  /**
   * One compressed point for each of the `indices` given, in their order: of the key that signs. On secp256k1 negated
   * if the internal key has odd y, then tweaked; *not* yet negated for an output key with odd y (the convention of
   * noble's and ZF FROST's public packages).
   */
  readonly verifyingShares: readonly Uint8Array[];
}

function checkThreshold(t: number, n: number): void {
  if (!Number.isInteger(t) || !Number.isInteger(n) || t < 1 || t > n || n > 65_535) {
    throw new FrostInputError('threshold', '1 ≤ t ≤ n ≤ 65535', `t = ${t}, n = ${n}`);
  }
}

// ---------------------------------------------------------------------------------------------- dealing

/**
 * HDKG(identifier ‖ C_0 ‖ R): binds the proof to its sender, so that nobody presents another's proof as his own. Figure
 * 1 (round 1, step 2) hashes a context string Φ against replay besides; noble and ZF FROST have only HDKG's tag, which
 * is the same in every run. What a replayed proof brings in is a C_0 older than this run, which cannot have been chosen
 * against the commitments of the others: the attack that these proofs prevent.
 */
function proofChallenge(suite: Suite, index: number, verificationKey: Uint8Array, R: Uint8Array): bigint {
  return suite.HDKG(concatBytes(identifierBytes(suite, index), verificationKey, R));
}

/**
 * Figure 1, round 1, steps 1 to 3: a random polynomial of degree t − 1, its commitments and the proof of knowledge of
 * the constant term.
 * @param random called t + 1 times for 48 bytes: coefficients, then the proof's nonce
 * @throws {FrostInputError} if not 1 ≤ t ≤ n ≤ 65535 or `index` is out of range
 */
export function deal(
  suite: Suite,
  { t, n, index }: { readonly t: number; readonly n: number; readonly index: number },
  random: RandomBytes,
): Dealing {
  checkThreshold(t, n);
  checkIndex(index);
  const { Fn } = suite;
  const secrets = Array.from({ length: t }, () => randomScalar(suite, random));
  const points = secrets.map((secret) => suite.multiplyBase(secret));

  let k = randomScalar(suite, random);
  let R = suite.multiplyBase(k);
  // An x-only R stands for the point with even y (BIP 340), so k must be the logarithm of that one.
  if (suite.taproot && R.y & 1n) {
    k = Fn.neg(k);
    R = { x: R.x, y: suite.curve.p - R.y };
  }
  const encodedR = compress(suite, R);
  const c = proofChallenge(suite, index, compress(suite, points[0] as Affine), encodedR);
  const mu = Fn.add(k, Fn.mul(secrets[0] as bigint, c));
  return {
    coefficients: concatBytes(...secrets.map((secret) => Fn.toBytes(secret))),
    commitments: points.map((point) => writeAffine(suite, point)),
    proofOfKnowledge: concatBytes(suite.taproot ? encodedR.subarray(1) : encodedR, Fn.toBytes(mu)),
  };
}

/**
 * f(index), 32 SECRET bytes: the share for participant `index`, or for oneself.
 * @param coefficients t·32 bytes of {@link deal}
 * @throws {FrostInputError} on an index out of range or malformed coefficients
 */
export function evaluateShare(suite: Suite, coefficients: Uint8Array, index: number): Uint8Array {
  checkIndex(index);
  const { Fn } = suite;
  if (coefficients.length === 0 || coefficients.length % 32 !== 0) {
    throw new FrostInputError('coefficients', 'a positive multiple of 32 bytes', `${coefficients.length} bytes`);
  }
  const x = BigInt(index);
  let value = 0n;
  for (let at = coefficients.length - 32; at >= 0; at -= 32) {
    value = Fn.add(Fn.mul(value, x), readOwnScalar(suite, coefficients.subarray(at, at + 32), 'coefficient'));
  }
  return Fn.toBytes(value);
}

// ---------------------------------------------------------------------------------------------- dealings of others

interface Proof {
  readonly R: Affine;
  readonly encodedR: Uint8Array;
  readonly mu: bigint;
}

/** Both halves check their own length. */
function readProof(suite: Suite, proof: Uint8Array): Proof | undefined {
  const encodedR = suite.taproot ? concatBytes(Uint8Array.of(2), proof.subarray(0, 32)) : proof.subarray(0, 32);
  const R = decompress(suite, encodedR);
  const mu = readScalar(suite, proof.subarray(32));
  return R === undefined || mu === undefined ? undefined : { R, encodedR, mu };
}

/**
 * What can be refused at once when a dealing arrives: exactly t commitments, each of exact length, canonical, on the
 * curve and not the identity; a proof that decodes. The arithmetic of the proof is not checked.
 *
 * The exact count matters most: one commitment too many raises the threshold of the whole key without a trace (Trail of
 * Bits, 2024), one too few lowers this dealer's contribution, and an identity as last commitment does the same under
 * the right count.
 */
export function checkDealingShape(
  suite: Suite,
  t: number,
  dealing: { readonly commitments: readonly Uint8Array[]; readonly proofOfKnowledge: Uint8Array },
): Check {
  const { commitments, proofOfKnowledge } = dealing;
  if (commitments.length !== t) return { ok: false, reason: `expected ${t} commitments, got ${commitments.length}` };
  for (const [k, commitment] of commitments.entries()) {
    if (readAffine(suite, commitment) === undefined) {
      return { ok: false, reason: `commitment ${k} is not a valid point other than the identity` };
    }
  }
  if (readProof(suite, proofOfKnowledge) === undefined) {
    return { ok: false, reason: 'the proof of knowledge does not decode' };
  }
  return { ok: true };
}

/**
 * Figure 1, round 1, step 5: the proof of knowledge of one dealer, after {@link checkDealingShape}:
 * [h]([μ]B − [c]C_0 − R) is the identity, h the cofactor.
 *
 * Cofactored on Ed25519: only so do this and the batch agree on a proof crafted with small-order parts, and a proof on
 * which operators disagree splits the committee. The prime-order part is what the proof is about, and it is checked
 * fully.
 */
function proofHolds(suite: Suite, { index, commitments, proofOfKnowledge }: PublicDealing): boolean {
  const { curve, Fn } = suite;
  const proof = readProof(suite, proofOfKnowledge);
  const key = readAffine(suite, commitments[0] ?? new Uint8Array());
  if (proof === undefined || key === undefined) return false;
  const c = proofChallenge(suite, index, compress(suite, key), proof.encodedR);
  const expected = curve.addAffine(curve.multiScalar([key], [Fn.neg(c)]), suite.multiplyBasePublic(proof.mu));
  const difference = curve.add(expected, curve.negate(curve.lift(proof.R)));
  return curve.isIdentity(curve.clearCofactor(difference));
}

/**
 * The exact rule by which a dealing is judged, and the one that evidence stands on: shape and proof.
 * @param t the committee's threshold
 * @throws {FrostInputError} if the dealing's index is not 1..65535
 */
export function verifyDealing(suite: Suite, t: number, dealing: PublicDealing): Check {
  checkIndex(dealing.index);
  const shape = checkDealingShape(suite, t, dealing);
  if (!shape.ok) return shape;
  if (!proofHolds(suite, dealing)) return { ok: false, reason: 'the proof of knowledge is wrong' };
  return { ok: true };
}

/** 128-bit weights, never 0. */
function randomWeights(count: number, random: RandomBytes): bigint[] {
  const bytes = random(16 * count);
  return Array.from({ length: count }, (_, i) => {
    const weight = bytesToNumberBE(bytes.subarray(16 * i, 16 * i + 16));
    return weight === 0n ? 1n : weight;
  });
}

/**
 * All proofs of knowledge of a stage at once: [h](Σ_j w_j([μ_j]B − [c_j]C_j0 − R_j)) is the identity for random weights
 * w_j. A wrong proof passes with probability below 2⁻¹²⁷. The weights are drawn here, after all input is fixed: weights
 * known before would let dealers choose errors that cancel. A batch accuses nobody; if it fails, every dealing is
 * judged alone by the rule of {@link verifyDealing}.
 *
 * The proofs' own fields may be anything; a proof that does not decode is wrong.
 * @param random called once for 16 bytes a dealing, if there is more than one
 * @returns the indices of all dealers whose proof is wrong, ascending; empty if all hold
 * @throws {FrostInputError} if an index is not 1..65535
 */
export function checkProofs(suite: Suite, dealings: readonly PublicDealing[], random: RandomBytes): readonly number[] {
  for (const { index } of dealings) checkIndex(index);
  if (dealings.length > 1 && proofsHoldTogether(suite, dealings, random)) return [];
  return dealings
    .filter((dealing) => !proofHolds(suite, dealing))
    .map(({ index }) => index)
    .sort((a, b) => a - b);
}

function proofsHoldTogether(suite: Suite, dealings: readonly PublicDealing[], random: RandomBytes): boolean {
  const { curve, Fn } = suite;
  const points: Affine[] = [];
  const scalars: bigint[] = [];
  let base = 0n;
  const parsed: { readonly key: Affine; readonly proof: Proof; readonly c: bigint }[] = [];
  for (const { index, commitments, proofOfKnowledge } of dealings) {
    const proof = readProof(suite, proofOfKnowledge);
    const key = readAffine(suite, commitments[0] ?? new Uint8Array());
    if (proof === undefined || key === undefined) return false;
    parsed.push({ key, proof, c: proofChallenge(suite, index, compress(suite, key), proof.encodedR) });
  }
  const weights = randomWeights(dealings.length, random);
  parsed.forEach(({ key, proof, c }, j) => {
    const weight = weights[j] as bigint;
    points.push(proof.R, key);
    scalars.push(weight, Fn.mul(c, weight));
    base += weight * proof.mu;
  });
  const left = suite.multiplyBasePublic(Fn.create(base));
  const difference = curve.addAffine(curve.negate(curve.multiScalar(points, scalars)), left);
  return curve.isIdentity(curve.clearCofactor(difference));
}

// ---------------------------------------------------------------------------------------------- shares

/**
 * The sum of all dealers' commitments for each coefficient: the commitments to the group's polynomial F.
 *
 * Every dealing must have passed {@link checkDealingShape}. The points may still be chosen against each other: equal
 * points, opposite points and sums that are the identity are added correctly. An identity comes out as 65 zero bytes on
 * secp256k1 and as (0, 1) on Ed25519; {@link groupKey} refuses it.
 * @param commitments one row for each dealer, own included, t points each, affine wire form
 * @returns t points, affine wire form
 * @throws {FrostInputError} if a row has not exactly t points of the right length, or there is no row
 */
export function columnSums(suite: Suite, t: number, commitments: readonly (readonly Uint8Array[])[]): Uint8Array[] {
  if (commitments.length === 0) throw new FrostInputError('commitments', 'at least one dealer', 'none');
  const rows = commitments.map((row) => {
    if (row.length !== t) throw new FrostInputError('commitments', `${t} for each dealer`, String(row.length));
    return readColumns(suite, row);
  });
  return suite.curve.sumColumns(rows, t).map((sum) => writeAffine(suite, sum));
}

function readColumns(suite: Suite, columns: readonly Uint8Array[]): (Affine | undefined)[] {
  if (columns.length === 0) throw new FrostInputError('columns', 'at least one', 'none');
  return columns.map((column) => {
    if (column.length !== suite.affineBytes) {
      throw new FrostInputError('commitment', `${suite.affineBytes} bytes`, `${column.length} bytes`);
    }
    return readOwnAffine(suite, column);
  });
}

/**
 * A share as it may be sent: exactly 32 bytes, below the order, not 0. Zero is refused although the RFC's
 * DeserializeScalar takes it: an honest dealer's share is 0 with probability 2⁻²⁵², f(j) = 0 gives away that the dealer
 * wanted it so, and noble's implementation cannot process it.
 */
export function checkShareEncoding(suite: Suite, share: Uint8Array): boolean {
  const value = readScalar(suite, share);
  return value !== undefined && value !== 0n;
}

/**
 * Figure 1, round 2, step 2, for one dealer: [share]B = Σ_k [index^k] C_k, exactly (not cofactored), and the encoding
 * is {@link checkShareEncoding}'s. The rule that blame and evidence stand on.
 * @param index of the receiver
 * @param commitments the dealer's t points, affine wire form, which need not have been checked before
 * @param share 32 bytes, SECRET of the receiver's; any other length is a wrong share
 * @throws {FrostInputError} if `index` is not 1..65535
 */
export function verifyShare(
  suite: Suite,
  index: number,
  commitments: readonly Uint8Array[],
  share: Uint8Array,
): boolean {
  checkIndex(index);
  if (!checkShareEncoding(suite, share)) return false;
  const points: Affine[] = [];
  for (const commitment of commitments) {
    const point = readAffine(suite, commitment);
    if (point === undefined) return false;
    points.push(point);
  }
  return liesOn(suite, index, points, readScalar(suite, share) as bigint);
}

/**
 * [share]B equals the polynomial committed to by `columns` at `index`; share ≠ 0. The share is a secret of the
 * receiver: constant-time multiplication.
 */
function liesOn(suite: Suite, index: number, columns: readonly (Affine | undefined)[], share: bigint): boolean {
  const { curve } = suite;
  const expected = evaluateAt(curve, columns, index);
  return curve.isIdentity(curve.addAffine(curve.negate(expected), suite.multiplyBase(share)));
}

/**
 * Figure 1, round 2, step 3: the own signing share F(index) = Σ_j f_j(index), before any tweak, if [F(index)]B lies on
 * the columns, exactly.
 *
 * One check instead of n. It proves that the own *total* is right, not that every dealer is honest: errors of two
 * dealers may cancel. So it accuses nobody (that takes {@link verifyShare} for each dealer), and it must be run again
 * if the set of dealers changes.
 * @param columns t points of {@link columnSums}
 * @param shares from all dealers, own included, in any order
 * @returns 32 SECRET bytes, or `undefined` if a share is not canonical or the total is wrong or 0
 * @throws {FrostInputError} if `index` is not 1..65535, there is no column, or one of another length
 */
export function combineShares(
  suite: Suite,
  index: number,
  columns: readonly Uint8Array[],
  shares: readonly Uint8Array[],
): Uint8Array | undefined {
  checkIndex(index);
  const { Fn } = suite;
  let sum = 0n;
  for (const share of shares) {
    if (!checkShareEncoding(suite, share)) return undefined;
    sum = Fn.add(sum, readScalar(suite, share) as bigint);
  }
  if (sum === 0n || !liesOn(suite, index, readColumns(suite, columns), sum)) return undefined;
  return Fn.toBytes(sum);
}

// ---------------------------------------------------------------------------------------------- small-order parts

/**
 * The first of the indices 0, 1, 2, 3 at which the polynomial committed to by `columns` has a small-order part;
 * `undefined`: at no index at all.
 *
 * The part of F(i) is T(i) = Σ_k i^k T_k in the cyclic group of order 8, so T is a polynomial function modulo 8. By
 * Newton's formula T(i) = Σ_k (i choose k) Δᵏ T(0), where k! divides ΔᵏT(0) for a polynomial with integer coefficients:
 * from k = 4 on, 24 and so 8 divides it. Hence T is 0 everywhere iff it is 0 at 0, 1, 2, 3, and at 0, …, t − 1 if the
 * degree is smaller. Four exact checks decide over all verifying shares.
 */
function smallOrderPartAt(suite: Suite, columns: readonly (Affine | undefined)[]): number | undefined {
  const { curve } = suite;
  if (curve.cofactor === 1) return undefined;
  for (let i = 0; i < Math.min(4, columns.length); i++) {
    const value = i === 0 ? curve.lift(columns[0]) : evaluateAt(curve, columns, i);
    if (!curve.isPrimeOrder(value)) return i;
  }
  return undefined;
}

/**
 * Whether a dealer's polynomial has a small-order part at some index: the exact rule for the case that {@link groupKey}
 * finds one in the sum. An honest dealer's never has one, and if the sum has one, so has at least one dealer's
 * polynomial. Always false on secp256k1.
 * @param commitments t points, affine wire form; points that do not decode have none ({@link verifyDealing} judges
 *   those)
 */
export function hasSmallOrderPart(suite: Suite, commitments: readonly Uint8Array[]): boolean {
  const points = commitments.map((commitment) => readAffine(suite, commitment));
  if (points.length === 0 || points.includes(undefined)) return false;
  return smallOrderPartAt(suite, points) !== undefined;
}

/** The indices of all dealers for whom {@link hasSmallOrderPart} is true, ascending. */
export function smallOrderDealers(suite: Suite, dealings: readonly PublicDealing[]): readonly number[] {
  return dealings
    .filter(({ commitments }) => hasSmallOrderPart(suite, commitments))
    .map(({ index }) => index)
    .sort((a, b) => a - b);
}

// ---------------------------------------------------------------------------------------------- the group's key

/** int(hashTapTweak(x(P))) (BIP 341 `taproot_tweak_pubkey`, empty script tree); `undefined` if not below the order. */
function tapTweak(suite: Suite, internal: Affine): bigint | undefined {
  const x = compress(suite, internal).subarray(1);
  const tweak = bytesToNumberBE(schnorr.utils.taggedHash('TapTweak', x));
  return tweak < suite.Fn.ORDER ? tweak : undefined;
}

/**
 * Figure 1, round 2, step 4: the group's key and the verifying shares F(i)·B from the column sums. Every operator
 * computes them itself; nothing here comes from a peer but the commitments.
 *
 * On Ed25519 this is where small-order parts are refused (docs/decisions/0002-ed25519-torsion.md); {@link
 * smallOrderDealers} then names who put them there.
 * @param columns t points of {@link columnSums}
 * @param indices 1..65535, distinct
 * @returns the key, or why there is none: an identity among the columns (the key, or a lower threshold), the keys or
 *   the verifying shares, or a small-order part
 * @throws {FrostInputError} on a wrong count or index
 */
export function groupKey(
  suite: Suite,
  t: number,
  columns: readonly Uint8Array[],
  indices: readonly number[],
): { readonly ok: true; readonly key: GroupKey } | { readonly ok: false; readonly reason: string } {
  if (columns.length !== t) throw new FrostInputError('columns', String(t), String(columns.length));
  for (const index of indices) checkIndex(index);
  if (new Set(indices).size !== indices.length) throw new FrostInputError('indices', 'distinct', 'a repetition');
  const { curve } = suite;

  const points: Affine[] = [];
  for (const [k, column] of readColumns(suite, columns).entries()) {
    if (column === undefined) return { ok: false, reason: `the sum of the commitments ${k} is the identity` };
    points.push(column);
  }
  const internal = points[0] as Affine;
  const shares: Affine[] = [];
  for (const [i, share] of evaluateAtAll(curve, points, indices).entries()) {
    if (share === undefined) return { ok: false, reason: `the verifying share of ${indices[i]} is the identity` };
    shares.push(share);
  }

  const at = smallOrderPartAt(suite, points);
  if (at !== undefined) {
    return { ok: false, reason: at === 0 ? 'the group key has a small-order part' : `F(${at}) has a small-order part` };
  }

  const internalKey = compress(suite, internal);
  if (!suite.taproot) {
    return {
      ok: true,
      key: { internalKey, outputKey: internalKey, verifyingShares: shares.map((share) => compress(suite, share)) },
    };
  }
  const output = tweakedKey(suite, internal);
  if (output === undefined) return { ok: false, reason: 'the Taproot tweak of the group key does not exist' };
  const odd = (internal.y & 1n) === 1n;
  const tweaked = curve.sumColumns(
    [shares.map(({ x, y }) => (odd ? { x, y: curve.p - y } : { x, y })), shares.map(() => output.tweak)],
    shares.length,
  );
  const verifyingShares: Uint8Array[] = [];
  for (const [i, share] of tweaked.entries()) {
    if (share === undefined) return { ok: false, reason: `the verifying share of ${indices[i]} is the identity` };
    verifyingShares.push(compress(suite, share));
  }
  return {
    ok: true,
    key: { internalKey, outputKey: compress(suite, output.key).subarray(1), verifyingShares },
  };
}

/** Q = P′ + [t]G with P′ the one of ±P with even y (BIP 341), and [t]G; `undefined` in cases of probability 2⁻¹²⁸. */
function tweakedKey(suite: Suite, internal: Affine): { readonly key: Affine; readonly tweak: Affine } | undefined {
  const { curve } = suite;
  const scalar = tapTweak(suite, internal);
  const tweak = scalar === undefined ? undefined : suite.multiplyBasePublic(scalar);
  if (tweak === undefined) return undefined;
  const even = internal.y & 1n ? { x: internal.x, y: curve.p - internal.y } : internal;
  const [key] = curve.normalize([curve.addAffine(curve.lift(even), tweak)]);
  return key === undefined ? undefined : { key, tweak };
}

/**
 * The point that verifies signatures, from a certificate's internal key: on secp256k1 with the parity that the x-only
 * output key leaves out.
 * @returns the point and its compressed encoding, or `undefined` if `internalKey` is invalid or does not give
 *   `outputKey`
 */
export function verificationPoint(
  suite: Suite,
  { internalKey, outputKey }: Pick<GroupKey, 'internalKey' | 'outputKey'>,
): { readonly point: Affine; readonly encoded: Uint8Array } | undefined {
  const internal = decompress(suite, internalKey);
  const point = internal === undefined || !suite.taproot ? internal : tweakedKey(suite, internal)?.key;
  if (point === undefined) return undefined;
  const encoded = compress(suite, point);
  const shown = suite.taproot ? encoded.subarray(1) : encoded;
  return Buffer.compare(shown, outputKey) === 0 ? { point, encoded } : undefined;
}

/**
 * The share that signs: on secp256k1 negated if the internal key has odd y, plus the Taproot tweak (noble's and ZF
 * FROST's DKG results); on Ed25519 unchanged. Adding one constant to all shares adds it to the key, because Lagrange
 * coefficients sum to 1.
 * @param internalKey compressed, of {@link GroupKey}
 * @param untweakedShare 32 SECRET bytes of {@link combineShares}
 * @returns 32 SECRET bytes
 * @throws {FrostInputError} if the share is no scalar of 32 bytes, or the internal key no point with a tweak
 */
export function finalShare(suite: Suite, internalKey: Uint8Array, untweakedShare: Uint8Array): Uint8Array {
  const { Fn } = suite;
  const share = readOwnScalar(suite, untweakedShare, 'untweaked share');
  if (!suite.taproot) return Fn.toBytes(share);
  const internal = decompress(suite, internalKey);
  const tweak = internal === undefined ? undefined : tapTweak(suite, internal);
  if (internal === undefined || tweak === undefined) {
    throw new FrostInputError('internal key', 'a compressed point with a Taproot tweak', 'something else');
  }
  return Fn.toBytes(Fn.add(internal.y & 1n ? Fn.neg(share) : share, tweak));
}
