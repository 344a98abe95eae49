/**
 * Aggregated range proof (Bulletproofs: Bünz et al., IEEE S&P 2018, §4.1–4.3, with the inner product argument of §3): every V_k = b_k·g1 + v_k·H_v of 1 to 8 has 0 ≤ v_k < 2⁶⁴.
 * Without it a payer would make −1 beside a billion, and the sum would balance.
 *
 * The paper's g is H_v here and its h is g1. Numbers are those of the lines and equations of the extended version (ePrint 2017/1066) in its late revisions, whose §4.4 asks for the
 * statement in every challenge; early ones count otherwise. (36) to (68) are the proof of one value, (69) to (72) of m, (95) to (105) the optimised verifier. m is rounded up to a power
 * of two with commitments that are 0·g1 + 0·H_v and so are no points at all; the transcript has the true m.
 */
import type { RandomBytes } from '../ceremony.ts';
import { concat } from '../messages/bytes.ts';
import { Equations } from './equations.ts';
import { g1, rangeGenerators, valueGenerator } from './generators.ts';
import {
  CoconutError,
  decodeScalar,
  encodeG1,
  encodeScalar,
  expectLength,
  Fr,
  type G1,
  G1_BYTES,
  G1_ZERO,
  multiplyBase,
  randomScalar,
  SCALAR_BYTES,
} from './groups.ts';
import {
  type InnerProductProof,
  innerProduct,
  innerProductBytes,
  innerProductScalars,
  powers,
  proveInnerProduct,
} from './inner-product.ts';
import { pieces } from './keys.ts';
import type { Transcript } from './transcript.ts';
import { commitValue, expectValue, VALUE_BITS, type ValueOpening } from './value-commitment.ts';
import type { PublicG1, Verifier } from './verifier.ts';

/** m. */
export const MAX_RANGE_VALUES = 8;

/** m rounded up to a power of two. @throws {CoconutError} `BadProof` outside 1..8: a proof about no value would hold (attack ENC-07) */
function paddedCount(count: number): number {
  if (!Number.isInteger(count) || count < 1 || count > MAX_RANGE_VALUES)
    throw new CoconutError('BadProof', `1 to ${MAX_RANGE_VALUES} values`, String(count));
  return 2 ** Math.ceil(Math.log2(count));
}

/**
 * 2·(log₂ N + 2) points of 48 bytes and 5 scalars of 32 (§4.3): 928 bytes for one value, 1,024 for two, 1,216 for eight.
 * @throws {CoconutError} `BadProof` for a count outside 1..8
 */
export function rangeProofBytes(count: number): number {
  return 4 * G1_BYTES + 3 * SCALAR_BYTES + innerProductBytes(VALUE_BITS * paddedCount(count));
}

/** Statement, before anything is answered (§4.4, st = {V, n}): bits, m, every V, 48 bytes each. */
function appendStatement(transcript: Transcript, commitments: readonly Uint8Array[]): void {
  transcript.appendNumber('bits', VALUE_BITS).appendNumber('m', commitments.length);
  for (const V of commitments) transcript.append('V', V);
}

/** Bits of each value, the lowest first, then zeros up to N. */
function bitsOf(openings: readonly ValueOpening[], size: number): bigint[] {
  return Array.from({ length: size }, (_, i) => {
    const value = openings[Math.floor(i / VALUE_BITS)]?.value ?? 0n;
    return (value >> BigInt(i % VALUE_BITS)) & 1n;
  });
}

/** Σ_k z^(1+k)·(0 ‖ 2ⁿ ‖ 0), the part of r(X) that weighs bit i of value k (71). N scalars. */
function weightsOf(z: bigint, size: number): bigint[] {
  const perValue = powers(z, size / VALUE_BITS + 2).slice(2);
  return Array.from({ length: size }, (_, i) =>
    Fr.mul(perValue[Math.floor(i / VALUE_BITS)] as bigint, 1n << BigInt(i % VALUE_BITS)),
  );
}

/** A commitment with what opens it. SECRET between the payer and the payee. */
export interface OpenedCommitment extends ValueOpening {
  /** V, 48 bytes. */
  readonly commitment: Uint8Array;
}

/**
 * @param transcript what the proof is part of; the verifier's is in the same state
 * @param verifier does the public part: all after l and r
 * @param opened 1 to 8. SECRET
 * @param random 2·N + 4 scalars of 48 bytes, then what blinds; the same bytes give the same proof. Never the same ones for another statement: two answers would give the values away
 * @returns {@link rangeProofBytes} bytes
 * @throws {CoconutError} `BadProof` for a wrong count, `BadValue` for a value that has no proof
 */
export function proveRange(
  transcript: Transcript,
  verifier: Verifier,
  opened: readonly OpenedCommitment[],
  random: RandomBytes,
): Uint8Array {
  const size = VALUE_BITS * paddedCount(opened.length);
  for (const { value } of opened) expectValue(value);
  return proveVector(transcript, verifier, bitsOf(opened, size), opened, random);
}

/**
 * The prover for any vector a_L in the place of the bits; what is not made of bits, or not of those of the committed values, does not verify, and the tests say so.
 * @param aL N scalars, N = 64·m' for m' a power of two up to 8
 * @returns as {@link proveRange}
 */
export function proveVector(
  transcript: Transcript,
  verifier: Verifier,
  aL: readonly bigint[],
  opened: readonly OpenedCommitment[],
  random: RandomBytes,
): Uint8Array {
  const size = aL.length;
  const { G, H } = rangeGenerators(size);
  appendStatement(
    transcript,
    opened.map(({ commitment }) => commitment),
  );
  const aR = aL.map((bit) => Fr.sub(bit, 1n)); // (42)
  const scalars = () => Array.from({ length: size }, () => randomScalar(random));
  const [alpha, rho] = [randomScalar(random), randomScalar(random)]; // (43), (46)
  const [sL, sR] = [scalars(), scalars()]; // (45)
  const [tau1, tau2] = [randomScalar(random), randomScalar(random)]; // (52)

  // A = α·g1 + <a_L, G> + <a_R, H> (44): each bit adds G_j or takes away H_j, one addition either way.
  const A = encodeG1(
    aL.reduce((sum, bit, j) => {
      const [ofZero, ofOne] = [(H[j] as G1).negate(), G[j] as G1];
      if (bit > 1n) return sum.add(ofOne.multiply(bit)).add((H[j] as G1).multiply(aR[j] as bigint));
      return sum.add([ofZero, ofOne][Number(bit)] as G1);
    }, multiplyBase(alpha)),
  );
  // S = ρ·g1 + <s_L, G> + <s_R, H> (47)
  const S = encodeG1(sumOfSecrets([...G, ...H], [...sL, ...sR]).add(multiplyBase(rho)));
  const { y, z } = challengesYZ(transcript, A, S);

  // l(X) = (a_L − z·1) + s_L·X (70), r(X) = yᴺ ∘ (a_R + z·1 + s_R·X) + Σ_k z^(1+k)·(0 ‖ 2ⁿ ‖ 0) (71)
  const yPowers = powers(y, size);
  const weights = weightsOf(z, size);
  const l0 = aL.map((bit) => Fr.sub(bit, z));
  const r0 = aR.map((each, j) => Fr.add(Fr.mul(yPowers[j] as bigint, Fr.add(each, z)), weights[j] as bigint));
  const r1 = sR.map((s, j) => Fr.mul(yPowers[j] as bigint, s));
  // t(X) = <l(X), r(X)> = t_0 + t_1·X + t_2·X²; T_i = τ_i·g1 + t_i·H_v (53)
  const t1 = Fr.add(innerProduct(l0, r1), innerProduct(sL, r0));
  const t2 = innerProduct(sL, r1);
  const T1 = encodeG1(commitValue(t1, tau1, random));
  const T2 = encodeG1(commitValue(t2, tau2, random));
  const x = challengeX(transcript, T1, T2);

  const l = l0.map((each, j) => Fr.add(each, Fr.mul(sL[j] as bigint, x))); // (58)
  const r = r0.map((each, j) => Fr.add(each, Fr.mul(r1[j] as bigint, x))); // (59)
  const tHat = innerProduct(l, r); // (60)
  // τ_x = τ_1·x + τ_2·x² + Σ_k z^(1+k)·b_k ((61), for m values as in §4.3)
  const zPowers = powers(z, opened.length + 2);
  const tauX = opened.reduce(
    (sum, { blinding }, k) => Fr.add(sum, Fr.mul(zPowers[k + 2] as bigint, blinding)),
    Fr.mul(x, Fr.add(tau1, Fr.mul(tau2, x))),
  );
  const mu = Fr.add(alpha, Fr.mul(rho, x)); // (62)
  const w = challengeW(transcript, { tauX, mu, tHat });
  // From here on nothing is secret: l and r are uniform, the protocol of §4.1 sends them, and §4.2 asks the argument for soundness only.
  const inner = proveInnerProduct(transcript, verifier, verifier.rangeGenerators(size), { y, w }, { a: l, b: r });
  return encode({ A, S, T1, T2, tauX, mu, tHat, inner });
}

/** Bits of a digit. */
const WINDOW = 5;
const DIGITS = Math.ceil((SCALAR_BYTES * 8) / WINDOW);
/** Σ 32^i over all digits, modulo r. */
const ONES = Fr.create(((1n << BigInt(WINDOW * DIGITS)) - 1n) / ((1n << BigInt(WINDOW)) - 1n));

/** Of a generator: its multiples by 1 … 32. They are public, the same for every proof, and some 8 kB. */
const tables = new WeakMap<G1, readonly G1[]>();

function tableOf(point: G1): readonly G1[] {
  const known = tables.get(point);
  if (known) return known;
  const table: G1[] = [point];
  while (table.length < 1 << WINDOW) table.push((table[table.length - 1] as G1).add(point));
  tables.set(point, table);
  return table;
}

/** Base 32, the most significant first. */
function digitsOf(scalar: bigint): Uint8Array {
  const bytes = encodeScalar(scalar);
  return Uint8Array.from({ length: DIGITS }, (_, i) => {
    const lowest = (DIGITS - 1 - i) * WINDOW;
    const last = SCALAR_BYTES - 1 - (lowest >> 3);
    const pair = ((bytes[last - 1] ?? 0) << 8) | (bytes[last] as number);
    return (pair >> (lowest & 7)) & ((1 << WINDOW) - 1);
  });
}

/**
 * Σ scalar_j·point_j for secret scalars, by Straus: the doublings are shared, and every digit of every scalar costs one addition from a table. noble's addition is complete (Renes,
 * Costello, Batina 2016): it takes the same steps for all points. But BigInt multiplies by zero faster, and the identity is two zeros; so a digit d adds (d + 1)·P_j, which is never the
 * identity, and Σ 32^i·ΣP_j, which is public, is taken away at the end. The scalars are used once, ever; what is used again is split instead (`multiplySecret`). A fifth of the time of
 * as many multiplications.
 *
 * @param points generators: their tables are kept
 */
export function sumOfSecrets(points: readonly G1[], scalars: readonly bigint[]): G1 {
  const multiples = points.map(tableOf);
  const digits = scalars.map(digitsOf);
  let sum = G1_ZERO;
  for (let at = 0; at < DIGITS; at++) {
    for (let bit = 0; bit < WINDOW; bit++) sum = sum.double();
    for (const [j, each] of digits.entries()) sum = sum.add((multiples[j] as readonly G1[])[each[at] as number] as G1);
  }
  const all = points.reduce((total, point) => total.add(point), G1_ZERO);
  return sum.subtract(all.multiplyUnsafe(ONES));
}

/** A proof as it travels: A ‖ S ‖ T_1 ‖ T_2 ‖ τ_x ‖ μ ‖ t̂ ‖ (L ‖ R)… ‖ a ‖ b. */
interface RangeProof {
  readonly A: Uint8Array;
  readonly S: Uint8Array;
  readonly T1: Uint8Array;
  readonly T2: Uint8Array;
  readonly tauX: bigint;
  readonly mu: bigint;
  readonly tHat: bigint;
  readonly inner: InnerProductProof;
}

function encode({ A, S, T1, T2, tauX, mu, tHat, inner }: RangeProof): Uint8Array {
  const scalars = (...all: readonly bigint[]) => all.map(encodeScalar);
  return concat(A, S, T1, T2, ...scalars(tauX, mu, tHat), ...inner.rounds.flat(), ...scalars(inner.a, inner.b));
}

/** @throws {CoconutError} `BadLength` before anything else is looked at, `BadScalar` for a scalar ≥ r */
function decode(bytes: Uint8Array, count: number): RangeProof {
  expectLength(bytes, rangeProofBytes(count), `a range proof of ${count}`);
  const afterPoints = 4 * G1_BYTES;
  const afterScalars = afterPoints + 3 * SCALAR_BYTES;
  const last = bytes.length - 2 * SCALAR_BYTES;
  const [A, S, T1, T2] = pieces(bytes.subarray(0, afterPoints), G1_BYTES) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const [tauX = 0n, mu = 0n, tHat = 0n] = pieces(bytes.subarray(afterPoints, afterScalars), SCALAR_BYTES).map(
    decodeScalar,
  );
  const rounds = pieces(bytes.subarray(afterScalars, last), 2 * G1_BYTES).map(
    (pair) => [pair.subarray(0, G1_BYTES), pair.subarray(G1_BYTES)] as const,
  );
  const [a = 0n, b = 0n] = pieces(bytes.subarray(last), SCALAR_BYTES).map(decodeScalar);
  return { A, S, T1, T2, tauX, mu, tHat, inner: { rounds, a, b } };
}

/** Whether every scalar of the proof is below r, and its length {@link rangeProofBytes} of `count` values, 1 to 8: what can be known without a curve. */
export function isRangeProofShaped(bytes: Uint8Array, count: number): boolean {
  try {
    decode(bytes, count);
    return true;
  } catch (error) {
    if (error instanceof CoconutError) return false;
    throw error;
  }
}

function challengesYZ(transcript: Transcript, A: Uint8Array, S: Uint8Array): { y: bigint; z: bigint } {
  transcript.append('A', A).append('S', S);
  const [y, z] = [transcript.challenge('y'), transcript.challenge('z')];
  if (y === 0n) throw new CoconutError('BadProof', 'a challenge other than zero', 'zero');
  return { y, z };
}

function challengeX(transcript: Transcript, T1: Uint8Array, T2: Uint8Array): bigint {
  return transcript.append('T1', T1).append('T2', T2).challenge('x');
}

/** Of u′ = w·u (Protocol 1, whose x it is; x_u in §6.2): t̂ was fixed before it. */
function challengeW(transcript: Transcript, { tauX, mu, tHat }: Pick<RangeProof, 'tauX' | 'mu' | 'tHat'>): bigint {
  return transcript.appendScalar('tau_x', tauX).appendScalar('mu', mu).appendScalar('t', tHat).challenge('w');
}

/**
 * The verifier's two equations (§6.2, (98) and (105)), as terms of one sum: 2·N + 3 generators (G, H, u, g1, H_v), which all proofs of a batch share, and 2·log₂ N + 4 + m points of
 * this one (L and R of each halving, A, S, T_1, T_2, every V).
 *
 *   t̂·H_v + τ_x·g1 = δ(y, z)·H_v + Σ_k z^(1+k)·V_k + x·T_1 + x²·T_2                                  (72)
 *   A + x·S − z·<1, G> + <z·yᴺ + Σ_k z^(1+k)·(0 ‖ 2ⁿ ‖ 0), H′> − μ·g1 + t̂·u′ + Σ x_i²·L_i + x_i⁻²·R_i
 *     = Σ a·s_j·G_j + Σ b·s_j⁻¹·H′_j + a·b·u′                                       (66 for m values as in §4.3, 67, 31)
 *
 * with H′_j = y^(−j)·H_j ((64), j from 0), δ(y, z) = (z − z²)·<1, yᴺ> − Σ_k z^(k+2)·<1, 2ⁿ> (§4.3), and u′ = w·u (Protocol 1).
 *
 * @param transcript in the state of the prover's
 * @param commitments V_1 … V_m as bytes and as points: decoded once, by whoever needs them for more than this
 * @throws {CoconutError} `BadLength` for a proof about another number of values; for a point that is not canonical in G1 ∖ {0}, and for a scalar ≥ r
 */
export function rangeEquations(
  transcript: Transcript,
  verifier: Verifier,
  commitments: readonly { readonly bytes: Uint8Array; readonly point: PublicG1 }[],
  proof: Uint8Array,
): Equations {
  const count = commitments.length;
  const size = VALUE_BITS * paddedCount(count);
  // Before any curve operation: a proof that is shorter than its bits proves a smaller claim than the one it stands beside (a weakness of the origin).
  const { A, S, T1, T2, tauX, mu, tHat, inner } = decode(proof, count);
  appendStatement(
    transcript,
    commitments.map(({ bytes }) => bytes),
  );
  const { y, z } = challengesYZ(transcript, A, S);
  const x = challengeX(transcript, T1, T2);
  const w = challengeW(transcript, { tauX, mu, tHat });
  const scalars = innerProductScalars(transcript, verifier, size, inner);

  const yPowers = powers(y, size);
  const yInverses = powers(Fr.inv(y), size);
  const weights = weightsOf(z, size);
  const zPowers = powers(z, size / VALUE_BITS + 3);
  const sum = (all: readonly bigint[]) => all.reduce((total, each) => Fr.add(total, each), 0n);
  // Over the padded count: a value that is not there is a zero whose bits are proven too.
  const delta = Fr.sub(
    Fr.mul(Fr.sub(z, Fr.sqr(z)), sum(yPowers)),
    Fr.mul(sum(zPowers.slice(3)), (1n << BigInt(VALUE_BITS)) - 1n),
  );
  const { G, H, u } = verifier.rangeGenerators(size);
  const base = verifier.fromG1(g1);
  return new Equations()
    .addG1([
      [Fr.sub(tHat, delta), verifier.fromG1(valueGenerator())],
      [tauX, base],
      ...commitments.map(({ point }, k) => [Fr.neg(zPowers[k + 2] as bigint), point] as const),
      [Fr.neg(x), verifier.decodeG1(T1)],
      [Fr.neg(Fr.sqr(x)), verifier.decodeG1(T2)],
    ])
    .addG1([
      [1n, verifier.decodeG1(A)],
      [x, verifier.decodeG1(S)],
      [Fr.neg(mu), base],
      ...G.map((point, j) => [Fr.neg(Fr.add(z, scalars.G[j] as bigint)), point] as const),
      // z·y^j·y^(−j) = z; the rest of H′_j's coefficient takes y^(−j).
      ...H.map(
        (point, j) =>
          [
            Fr.add(z, Fr.mul(yInverses[j] as bigint, Fr.sub(weights[j] as bigint, scalars.H[j] as bigint))),
            point,
          ] as const,
      ),
      [Fr.mul(w, Fr.sub(tHat, scalars.u)), u],
      ...scalars.rounds,
    ]);
}
