/**
 * Variable-time group arithmetic for PUBLIC values: what both curves share.
 *
 * Everything in this file, `public-secp256k1.ts` and `public-ed25519.ts` branches on its inputs and therefore must
 * never see a secret: commitments, proofs, verifying shares and signature shares only. Secrets go through
 * `@noble/curves`, which is also the oracle these files are tested against.
 *
 * All inputs may come from an adversary, so every addition here is complete: equal points, opposite points and the
 * identity give the right sum. Incomplete formulas divide by x₂ − x₁, which an attacker who chooses its points can make
 * 0.
 */

/**
 * A point other than the identity, 0 ≤ x, y < p. Where the identity may occur the type is `Affine | undefined`: it is
 * `undefined` on both curves.
 */
export interface Affine {
  readonly x: bigint;
  readonly y: bigint;
}

/**
 * A point in the curve's own fast coordinates, each defined up to multiples of p and possibly negative.
 * secp256k1: Jacobian, x = X/Z², y = Y/Z³, identity Z ≡ 0, T unused. Ed25519: extended, x = X/Z, y = Y/Z, T = XY/Z.
 */
export interface Projective {
  readonly X: bigint;
  readonly Y: bigint;
  readonly Z: bigint;
  readonly T: bigint;
}

/**
 * What both curves offer; points are {@link Affine} where they are stored and {@link Projective} where they are added.
 */
export interface PublicCurve {
  /** Field prime. */
  readonly p: bigint;
  /** Prime order of the base point. */
  readonly order: bigint;
  /** Points outside the prime-order subgroup exist iff this is not 1. */
  readonly cofactor: 1 | 8;
  readonly identity: Projective;
  /** The curve equation only; the caller has checked the range of x and y. */
  isOnCurve(x: bigint, y: bigint): boolean;
  lift(point: Affine | undefined): Projective;
  isIdentity(point: Projective): boolean;
  add(left: Projective, right: Projective): Projective;
  addAffine(left: Projective, right: Affine | undefined): Projective;
  double(point: Projective): Projective;
  negate(point: Projective): Projective;
  /** [8]P on Ed25519, P on secp256k1. */
  clearCofactor(point: Projective): Projective;
  /** [order]P is the identity: no small-order part. Always true on secp256k1. */
  isPrimeOrder(point: Projective): boolean;
  /** All points affine with one field inversion. */
  normalize(points: readonly Projective[]): (Affine | undefined)[];
  /** Sum over the rows, for each of the `width` columns. Rows are `width` long. */
  sumColumns(rows: readonly (readonly (Affine | undefined)[])[], width: number): (Affine | undefined)[];
  /** Σ scalarᵢ · pointᵢ, scalars in [0, 2²⁵⁶); as many scalars as points. */
  multiScalar(points: readonly Affine[], scalars: readonly bigint[]): Projective;
  /** From the forward differences Δ⁰F(0), …, Δᵈ F(0) the values F(1), …, F(count). */
  propagate(differences: readonly Projective[], count: number): (Affine | undefined)[];
}

/** ((x mod p) + p) mod p. */
export function modulo(x: bigint, p: bigint): bigint {
  const r = x % p;
  return r < 0n ? r + p : r;
}

/** x⁻¹ mod p by the extended Euclidean algorithm; x must not be ≡ 0. Variable time. @throws {RangeError} if it is */
export function invert(x: bigint, p: bigint): bigint {
  let a = modulo(x, p);
  let b = p;
  let u = 1n;
  let v = 0n;
  while (a > 1n) {
    const q = b / a;
    [a, b] = [b - q * a, a];
    [u, v] = [v - q * u, u];
  }
  if (a !== 1n) throw new RangeError('no inverse: the value is 0 modulo the prime');
  return modulo(u, p);
}

/**
 * Inverts every element, none ≡ 0, with one field inversion (Montgomery's trick). Results may be negative
 * representatives.
 * @throws {RangeError} if one is ≡ 0
 */
export function invertAll(values: readonly bigint[], p: bigint): bigint[] {
  const prefix: bigint[] = [];
  let product = 1n;
  for (const value of values) {
    prefix.push(product);
    product = (product * value) % p;
  }
  const out = new Array<bigint>(values.length);
  let inverse = values.length === 0 ? 1n : invert(product, p);
  for (let i = values.length - 1; i >= 0; i--) {
    out[i] = (inverse * (prefix[i] as bigint)) % p;
    inverse = (inverse * (values[i] as bigint)) % p;
  }
  return out;
}

/**
 * Width-w non-adjacent form: digits d_b, least significant first, each 0 or odd with |d_b| < 2^(w−1), Σ d_b·2^b =
 * scalar, and at least w − 1 zeros after every digit, so that a b-bit multiplication needs about b/(w + 1) additions.
 * @param scalar 0 ≤ scalar < 2²⁵⁶
 */
export function nonAdjacentForm(scalar: bigint, width: number): Int8Array {
  // On machine words: a loop over the bits of a BigInt would cost as much as the curve arithmetic it prepares.
  const words: number[] = [];
  for (let rest = scalar; rest > 0n; rest >>= 32n) words.push(Number(rest & 0xffffffffn));
  const length = words.length * 32 + 1;
  const bits = (at: number, count: number): number => {
    const low = (words[at >>> 5] ?? 0) >>> (at & 31);
    const high = (at & 31) === 0 ? 0 : (words[(at >>> 5) + 1] ?? 0) << (32 - (at & 31));
    return (low | high) & ((1 << count) - 1);
  };
  const digits = new Int8Array(length);
  let carry = 0;
  for (let b = 0; b < length; ) {
    if (bits(b, 1) === carry) {
      b += 1;
      continue;
    }
    let digit = bits(b, width) + carry;
    carry = digit >> (width - 1);
    digit -= carry << width;
    digits[b] = digit;
    b += width;
  }
  return digits;
}

/** The digits −1, 0, 1 of a small positive multiplier after its leading 1, most significant first. */
function smallDigits(multiplier: number): Int8Array {
  const digits = nonAdjacentForm(BigInt(multiplier), 2);
  let top = digits.length - 1;
  while (digits[top] === 0) top -= 1;
  return digits.slice(0, top).reverse();
}

function multiplyByDigits(curve: PublicCurve, point: Projective, digits: Int8Array): Projective {
  if (digits.length === 0) return point;
  const negative = curve.negate(point);
  let sum = point;
  for (const digit of digits) {
    sum = curve.double(sum);
    if (digit !== 0) sum = curve.add(sum, digit > 0 ? point : negative);
  }
  return sum;
}

/** [multiplier]point for an integer 1 ≤ multiplier < 2³¹: exact on the whole group, small-order parts included. */
export function multiplySmall(curve: PublicCurve, point: Projective, multiplier: number): Projective {
  return multiplyByDigits(curve, point, smallDigits(multiplier));
}

/**
 * F(index) = Σ_k [index^k] columns[k] by Horner's rule (RFC 9591 Appendix C.2 computes the same sum with full-size
 * scalars). The multiplier stays the small index, which makes this many times cheaper, and exact on Ed25519 points
 * outside the prime-order group, where reducing index^k modulo the order would change the small-order part.
 * @param columns t ≥ 1 points
 */
export function evaluateAt(curve: PublicCurve, columns: readonly (Affine | undefined)[], index: number): Projective {
  const digits = smallDigits(index);
  let value = curve.lift(columns[columns.length - 1]);
  for (let k = columns.length - 2; k >= 0; k--) {
    value = curve.addAffine(multiplyByDigits(curve, value, digits), columns[k]);
  }
  return value;
}

/**
 * The forward differences Δ⁰F(0), …, Δ^(t−1)F(0) at the nodes 0, 1, 2, … of F(x) = Σ_k [x^k] columns[k].
 *
 * Horner's rule on F, with every intermediate polynomial kept as its differences. Multiplying a polynomial G by x acts
 * on them as Δᵏ[x·G](0) = k·(Δᵏ G(0) + Δᵏ⁻¹ G(0)) (Leibniz' rule for Δ, with Δx = 1 and Δ²x = 0), and adding a
 * constant changes Δ⁰ only. All multipliers are < t.
 */
function forwardDifferences(curve: PublicCurve, columns: readonly (Affine | undefined)[]): Projective[] {
  const t = columns.length;
  const digits: Int8Array[] = [];
  for (let k = 1; k < t; k++) digits.push(smallDigits(k));
  const differences = new Array<Projective>(t).fill(curve.identity);
  differences[0] = curve.lift(columns[t - 1]);
  for (let degree = 1; degree < t; degree++) {
    for (let k = degree; k >= 1; k--) {
      // At k = degree the old Δᵏ is the identity: the polynomial had a smaller degree.
      const below = differences[k - 1] as Projective;
      const sum = k === degree ? below : curve.add(differences[k] as Projective, below);
      differences[k] = multiplyByDigits(curve, sum, digits[k - 1] as Int8Array);
    }
    differences[0] = curve.lift(columns[t - 1 - degree]);
  }
  return differences;
}

/**
 * F at each of the indices, in their order: the verifying shares of a committee from the column sums.
 *
 * For the usual indices 1..n: differences once, then F(i) from F(i − 1) with at most t − 1 additions (Newton), instead
 * of t − 1 small multiplications for each index (Horner). For sparse index sets Horner is cheaper; both are exact and
 * give the same points.
 * @param indices 1..65535, distinct
 */
export function evaluateAtAll(
  curve: PublicCurve,
  columns: readonly (Affine | undefined)[],
  indices: readonly number[],
): (Affine | undefined)[] {
  const t = columns.length;
  const top = indices.reduce((a, b) => Math.max(a, b), 1);
  // In additions: a small multiplication by an m-bit number is about 1.3·m of them.
  const horner = indices.length * (t - 1) * (1 + 1.3 * Math.log2(top));
  const newton = ((t * t) / 2) * (1 + 1.3 * Math.log2(Math.max(2, t / 2))) + top * (t - 1);
  if (horner <= newton) return curve.normalize(indices.map((index) => evaluateAt(curve, columns, index)));
  const values = curve.propagate(forwardDifferences(curve, columns), top);
  return indices.map((index) => values[index - 1]);
}
