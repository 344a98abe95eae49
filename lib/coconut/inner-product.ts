/**
 * The inner product argument of Bulletproofs (Bünz, Bootle, Boneh, Poelstra, Wuille, Maxwell, IEEE S&P 2018; §3, Protocol 2, verified as in §3.1; numbers as in
 * `range-proof.ts`): that
 *
 *   P = Σ a_j·G_j + Σ b_j·H′_j + <a, b>·u′
 *
 * for vectors of N = 2^k elements, with 2·k points and two scalars. It hides nothing and has nothing to hide: the range proof around it masks a and b so that the plain protocol
 * (§4.1) would send them as they are. So its prover may use the fast engine, which is for public values only.
 *
 * H′_j = y^(−j)·H_j and u′ = w·u never exist as points: their factors go into the scalars.
 */
import { CoconutError, Fr, G1_BYTES, SCALAR_BYTES } from './groups.ts';
import type { Transcript } from './transcript.ts';
import type { PublicG1, TermG1, Verifier } from './verifier.ts';

/** N points G, N points H and u, as `rangeGenerators` of `generators.ts` gives them. */
export interface Generators {
  readonly G: readonly PublicG1[];
  readonly H: readonly PublicG1[];
  readonly u: PublicG1;
}

/** As it travels: L_1 ‖ R_1 ‖ … ‖ L_k ‖ R_k ‖ a ‖ b. */
export interface InnerProductProof {
  /** k pairs, 48 bytes each point, the first halving first. */
  readonly rounds: readonly (readonly [L: Uint8Array, R: Uint8Array])[];
  /** The vectors' last elements, below r. */
  readonly a: bigint;
  readonly b: bigint;
}

/** 96·k + 64 bytes for vectors of 2^k. */
export function innerProductBytes(size: number): number {
  return 2 * G1_BYTES * Math.log2(size) + 2 * SCALAR_BYTES;
}

/** <a, b> modulo r, of vectors of one length. */
export function innerProduct(a: readonly bigint[], b: readonly bigint[]): bigint {
  return a.reduce((sum, each, i) => Fr.add(sum, Fr.mul(each, b[i] as bigint)), 0n);
}

/** 1, x, x², … (`count` of them). */
export function powers(x: bigint, count: number): bigint[] {
  const all: bigint[] = [];
  for (let power = 1n; all.length < count; power = Fr.mul(power, x)) all.push(power);
  return all;
}

/**
 * Protocol 2, halving by halving. The generators are folded at every second halving only: until then, what folding would multiply generator j by is kept as a scalar, and L and R are
 * sums over the generators as they were, as §3.1 does it for the verifier. An engine is faster at long sums than at many short ones, and a quarter of the generators is shorter by more
 * than it costs.
 *
 * @param transcript holds the statement already: P's parts, y, w
 * @param y of H′_j = y^(−j)·H_j
 * @param w of u′ = w·u
 * @param vectors a and b, N = 2^k scalars each
 * @throws {CoconutError} `BadProof` for a challenge that is zero
 */
export function proveInnerProduct(
  transcript: Transcript,
  verifier: Verifier,
  generators: Generators,
  { y, w }: { readonly y: bigint; readonly w: bigint },
  vectors: { readonly a: readonly bigint[]; readonly b: readonly bigint[] },
): InnerProductProof {
  const { u } = generators;
  let { G, H } = generators;
  let a = vectors.a;
  let b = vectors.b;
  // What G_j and H_j are multiplied by in the folded generator that they went into.
  let foldG: readonly bigint[] = powers(1n, a.length);
  let foldH: readonly bigint[] = powers(Fr.inv(y), a.length);
  const rounds: (readonly [Uint8Array, Uint8Array])[] = [];
  while (a.length > 1) {
    const n = a.length;
    const half = n / 2;
    if (G.length === FOLDED_AT * n) {
      [G, H] = [folded(verifier, G, foldG, n), folded(verifier, H, foldH, n)];
      foldG = foldH = powers(1n, n);
    }
    const [aLow, aHigh] = [a.slice(0, half), a.slice(half)];
    const [bLow, bHigh] = [b.slice(0, half), b.slice(half)];
    const L: TermG1[] = [[Fr.mul(w, innerProduct(aLow, bHigh)), u]]; // c_L (21)
    const R: TermG1[] = [[Fr.mul(w, innerProduct(aHigh, bLow)), u]]; // c_R (22)
    for (let j = 0; j < G.length; j++) {
      // Generator j is part of the folded one at j mod n.
      const at = j % n;
      const inG: TermG1 = [Fr.mul(foldG[j] as bigint, a[(at + half) % n] as bigint), G[j] as PublicG1];
      const inH: TermG1 = [Fr.mul(foldH[j] as bigint, b[(at + half) % n] as bigint), H[j] as PublicG1];
      // L = <a_low, G_high> + <b_high, H_low> + c_L·u′ (23), R = <a_high, G_low> + <b_low, H_high> + c_R·u′ (24)
      if (at < half) {
        L.push(inH);
        R.push(inG);
      } else {
        L.push(inG);
        R.push(inH);
      }
    }
    const round = [verifier.encodeG1(verifier.sumG1(L)), verifier.encodeG1(verifier.sumG1(R))] as const;
    rounds.push(round);
    const x = challengeOf(transcript, round);
    const inverse = Fr.inv(x);
    // G′ = x⁻¹·G_low + x·G_high (29), H′ = x·H_low + x⁻¹·H_high (30)
    foldG = foldG.map((each, j) => Fr.mul(each, j % n < half ? inverse : x));
    foldH = foldH.map((each, j) => Fr.mul(each, j % n < half ? x : inverse));
    // a′ = x·a_low + x⁻¹·a_high (33), b′ = x⁻¹·b_low + x·b_high (34)
    a = aLow.map((each, i) => Fr.add(Fr.mul(each, x), Fr.mul(aHigh[i] as bigint, inverse)));
    b = bLow.map((each, i) => Fr.add(Fr.mul(each, inverse), Fr.mul(bHigh[i] as bigint, x)));
  }
  return { rounds, a: a[0] as bigint, b: b[0] as bigint };
}

/** Two halvings. */
const FOLDED_AT = 4;

/** n generators: Σ factor_j·P_j over all j that are the same modulo n. */
function folded(
  verifier: Verifier,
  points: readonly PublicG1[],
  factors: readonly bigint[],
  n: number,
): readonly PublicG1[] {
  return Array.from({ length: n }, (_, at) =>
    verifier.sumG1(points.flatMap((point, j): TermG1[] => (j % n === at ? [[factors[j] as bigint, point]] : []))),
  );
}

function challengeOf(transcript: Transcript, [L, R]: readonly [Uint8Array, Uint8Array]): bigint {
  const x = transcript.append('L', L).append('R', R).challenge('x');
  // It is inverted; a hash gives zero once in 2²⁵⁵.
  if (x === 0n) throw new CoconutError('BadProof', 'a challenge other than zero', 'zero');
  return x;
}

/** What the verifier's one sum (§3.1) multiplies each point by. */
export interface InnerProductScalars {
  /** Of G_j: a·s_j. N of them. */
  readonly G: readonly bigint[];
  /** Of H′_j: b·s_j⁻¹. */
  readonly H: readonly bigint[];
  /** Of u′: a·b. */
  readonly u: bigint;
  /** What is added to P: x²·L and x⁻²·R of every halving. */
  readonly rounds: readonly TermG1[];
}

/**
 * The verifier's part (§3.1): P + Σ x_i²·L_i + x_i⁻²·R_i = Σ (a·s_j)·G_j + Σ (b·s_j⁻¹)·H′_j + (a·b)·u′, with s_j = Π x_i^(±1), + where halving i put j into the upper half.
 * @param size N; the proof was read for it
 * @throws {CoconutError} for an L or R that is not a canonical point of G1 ∖ {0}; `BadProof` for another number of halvings
 */
export function innerProductScalars(
  transcript: Transcript,
  verifier: Verifier,
  size: number,
  { rounds, a, b }: InnerProductProof,
): InnerProductScalars {
  if (2 ** rounds.length !== size)
    throw new CoconutError('BadProof', `${Math.log2(size)} halvings`, String(rounds.length));
  const challenges = rounds.map((round) => challengeOf(transcript, round));
  const inverses = Fr.invertBatch(challenges);
  // s_j from the last halving, which splits neighbours, to the first, which splits the vector in two.
  let s: bigint[] = [1n];
  for (let i = rounds.length - 1; i >= 0; i--) {
    const [x, inverse] = [challenges[i] as bigint, inverses[i] as bigint];
    s = [...s.map((each) => Fr.mul(each, inverse)), ...s.map((each) => Fr.mul(each, x))];
  }
  return {
    G: s.map((each) => Fr.mul(a, each)),
    // 1 / s_j is s_(N−1−j): every bit of j is turned.
    H: s.map((_, j) => Fr.mul(b, s[size - 1 - j] as bigint)),
    u: Fr.mul(a, b),
    rounds: rounds.flatMap(([L, R], i) => [
      [Fr.sqr(challenges[i] as bigint), verifier.decodeG1(L)] as const,
      [Fr.sqr(inverses[i] as bigint), verifier.decodeG1(R)] as const,
    ]),
  };
}
