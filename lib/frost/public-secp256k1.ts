/**
 * secp256k1 (SEC 2 v2 §2.4.1) for PUBLIC values on plain BigInt: y² = x³ + 7, prime order, cofactor 1. Variable time;
 * see `public-msm.ts`.
 *
 * Two coordinate systems. Long chains on one point (Straus, Horner) run in Jacobian coordinates. Many independent
 * additions (column sums, tables, finite differences) run affine with one shared inversion: 6 multiplications each
 * instead of 11 to 16.
 */
import { type Affine, invertAll, modulo, nonAdjacentForm, type Projective, type PublicCurve } from './public-msm.ts';

const p = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2fn;
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

// GLV endomorphism: [λ](x, y) = (βx, y). The lattice basis (A1, B1), (A2, B2) of {(a, b): a + bλ ≡ 0} splits a scalar
// into two of about 128 bits (Gallant, Lambert, Vanstone, CRYPTO 2001).
const BETA = 0x7ae96a2b657c07106e64479eac3434e99cf0497512f58995c1396c28719501een;
const A1 = 0x3086d221a7d46bcde86c90e49284eb15n;
const MINUS_B1 = 0xe4437ed6010e88286f547fa90abfe4c3n;
const A2 = 0x114ca50f7a8e2f3f657c1108d9d44cfd8n;
const B2 = A1;

const WINDOW = 5;
const TABLE = 1 << (WINDOW - 2);

const IDENTITY: Projective = { X: 1n, Y: 1n, Z: 0n, T: 0n };

function lift(point: Affine | undefined): Projective {
  return point === undefined ? IDENTITY : { X: point.x, Y: point.y, Z: 1n, T: 0n };
}

/**
 * dbl-2009-l, a = 0. There is no point with y = 0 (the order is odd), and the identity stays the identity because Z₃ =
 * 2YZ.
 */
function double(point: Projective): Projective {
  const { X, Y, Z } = point;
  const a = (X * X) % p;
  const b = (Y * Y) % p;
  const c = (b * b) % p;
  const s = X + b;
  const d = 2n * (((s * s) % p) - a - c);
  const e = 3n * a;
  const x = (e * e - 2n * d) % p;
  return { X: x, Y: (e * (d - x) - 8n * c) % p, Z: (2n * Y * Z) % p, T: 0n };
}

/** Complete: falls back to doubling for equal points and to the identity for opposite ones. */
function add(left: Projective, right: Projective): Projective {
  if (left.Z === 0n) return right;
  if (right.Z === 0n) return left;
  const zz1 = (left.Z * left.Z) % p;
  const zz2 = (right.Z * right.Z) % p;
  const u1 = (left.X * zz2) % p;
  const s1 = (((left.Y * right.Z) % p) * zz2) % p;
  // h = 0 means x₁ = x₂: without the branch Z₃ would be 0, and an attacker's repeated point would turn the whole sum
  // into the identity.
  const h = (right.X * zz1 - u1) % p;
  const r = ((((right.Y * left.Z) % p) * zz1) % p) - s1;
  if (h === 0n) return r % p === 0n ? double(left) : IDENTITY;
  const hh = (h * h) % p;
  const hhh = (h * hh) % p;
  const v = (u1 * hh) % p;
  const x = (r * r - hhh - 2n * v) % p;
  return { X: x, Y: (r * (v - x) - s1 * hhh) % p, Z: (((left.Z * right.Z) % p) * h) % p, T: 0n };
}

/** {@link add} with Z₂ = 1; `y` may be a negative representative. */
function addCoordinates(left: Projective, x2: bigint, y2: bigint): Projective {
  const { X, Y, Z } = left;
  if (Z === 0n) return { X: x2, Y: y2, Z: 1n, T: 0n };
  const zz = (Z * Z) % p;
  const h = (x2 * zz - X) % p;
  const r = (((y2 * Z) % p) * zz - Y) % p;
  if (h === 0n) return r === 0n ? double(left) : IDENTITY;
  const hh = (h * h) % p;
  const hhh = (h * hh) % p;
  const v = (X * hh) % p;
  const x = (r * r - hhh - 2n * v) % p;
  return { X: x, Y: (r * (v - x) - Y * hhh) % p, Z: (Z * h) % p, T: 0n };
}

/** Jacobian to affine. Identities are left out of the shared inversion, where a 0 would spoil all. */
function normalize(points: readonly Projective[]): (Affine | undefined)[] {
  const finite = points.filter((point) => point.Z !== 0n);
  const inverses = invertAll(
    finite.map((point) => point.Z),
    p,
  );
  let next = 0;
  return points.map(({ X, Y, Z }) => {
    if (Z === 0n) return undefined;
    const z = inverses[next++] as bigint;
    const zz = (z * z) % p;
    return { x: modulo(X * zz, p), y: modulo(((Y * zz) % p) * z, p) };
  });
}

/**
 * left[i] + right[i] for all i, affine, with one shared inversion. Complete: an attacker chooses the points, so x₂ = x₁
 * occurs; such a pair is a doubling (slope 3x²/2y) or gives the identity, and the identity itself passes through. One
 * zero denominator left in the shared product would spoil every other sum of the batch.
 */
function addPairs(
  left: readonly (Affine | undefined)[],
  right: readonly (Affine | undefined)[],
): (Affine | undefined)[] {
  // Filled: flat() drops holes, and a dropped identity would shift every later column.
  const out = new Array<Affine | undefined>(left.length).fill(undefined);
  const at: number[] = [];
  const numerators: bigint[] = [];
  const denominators: bigint[] = [];
  for (let i = 0; i < left.length; i++) {
    const a = left[i];
    const b = right[i];
    if (a === undefined || b === undefined) {
      out[i] = a ?? b;
    } else if (a.x !== b.x) {
      at.push(i);
      numerators.push(b.y - a.y);
      denominators.push(b.x - a.x);
    } else if (a.y === b.y) {
      at.push(i);
      numerators.push(3n * a.x * a.x);
      denominators.push(2n * a.y);
    }
  }
  const inverses = invertAll(denominators, p);
  for (let j = 0; j < at.length; j++) {
    const i = at[j] as number;
    const a = left[i] as Affine;
    const b = right[i] as Affine;
    const slope = ((numerators[j] as bigint) * (inverses[j] as bigint)) % p;
    const x = modulo(slope * slope - a.x - b.x, p);
    out[i] = { x, y: modulo(slope * (a.x - x) - a.y, p) };
  }
  return out;
}

/** Pairwise tree: ⌈log₂ rows⌉ batched additions. */
function sumColumns(rows: readonly (readonly (Affine | undefined)[])[], width: number): (Affine | undefined)[] {
  let level = rows;
  while (level.length > 1) {
    const half = level.length >> 1;
    const sums = addPairs(level.slice(0, half).flat(), level.slice(half, 2 * half).flat());
    const next: (readonly (Affine | undefined)[])[] = [];
    for (let j = 0; j < half; j++) next.push(sums.slice(j * width, (j + 1) * width));
    if (level.length % 2 === 1) next.push(level[level.length - 1] as readonly (Affine | undefined)[]);
    level = next;
  }
  return (level[0] ?? new Array<undefined>(width).fill(undefined)).slice();
}

/**
 * k = k₁ + k₂λ mod order with |k₁|, |k₂| < 2¹²⁹: k minus the lattice vector nearest to (k, 0), found by rounding both
 * quotients. Any rounding gives a right result; only the size depends on it.
 */
function split(k: bigint): [bigint, bigint] {
  const half = order >> 1n;
  const c1 = (B2 * k + half) / order;
  const c2 = (MINUS_B1 * k + half) / order;
  return [k - c1 * A1 - c2 * A2, c1 * MINUS_B1 - c2 * B2];
}

/**
 * Windows of 5 (Straus) over the two halves of every scalar, with affine tables of P, 3P, …, 15P built for all points
 * together. The summands of each bit position are then added pairwise, all positions in one batch: the same number of
 * additions as the usual running sum, but at 6 multiplications each instead of 11.
 */
function multiScalar(points: readonly Affine[], scalars: readonly bigint[]): Projective {
  // Odd multiples below 16 of a point of prime order never meet or vanish, whatever the point.
  const doubles = addPairs(points, points);
  const tables: (readonly (Affine | undefined)[])[] = [points];
  for (let j = 1; j < TABLE; j++) tables.push(addPairs(tables[j - 1] as readonly Affine[], doubles));

  // 161: five words of 32 bits and the carry, for halves of at most 129 bits.
  const positions: Affine[][] = Array.from({ length: 161 }, () => []);
  for (let i = 0; i < points.length; i++) {
    const scalar = scalars[i] as bigint;
    // A 128-bit weight is already as short as the halves of a split.
    const halves = scalar >> 128n === 0n ? [scalar] : split(scalar);
    halves.forEach((value, part) => {
      const negative = value < 0n;
      const digits = nonAdjacentForm(negative ? -value : value, WINDOW);
      for (let b = 0; b < digits.length; b++) {
        const digit = digits[b] as number;
        if (digit === 0) continue;
        const multiples = tables[(digit < 0 ? -digit : digit) >> 1] as readonly Affine[];
        const { x, y } = multiples[i] as Affine;
        // [λ](x, y) = (βx, y): the table of λP costs one multiplication an entry.
        positions[b]?.push({ x: part === 1 ? (x * BETA) % p : x, y: digit < 0 === negative ? y : p - y });
      }
    });
  }
  let sum = IDENTITY;
  for (const summand of sumGroups(positions).reverse()) {
    if (sum.Z !== 0n) sum = double(sum);
    if (summand !== undefined) sum = addCoordinates(sum, summand.x, summand.y);
  }
  return sum;
}

/** The sum of each group: ⌈log₂ largest⌉ batched additions. */
function sumGroups(groups: readonly (readonly Affine[])[]): (Affine | undefined)[] {
  let level: readonly (readonly (Affine | undefined)[])[] = groups;
  while (level.some((group) => group.length > 1)) {
    const left: (Affine | undefined)[] = [];
    const right: (Affine | undefined)[] = [];
    for (const group of level) {
      for (let i = 0; i + 1 < group.length; i += 2) {
        left.push(group[i]);
        right.push(group[i + 1]);
      }
    }
    const sums = addPairs(left, right);
    let next = 0;
    level = level.map((group) => {
      const pairs = group.length >> 1;
      const out = sums.slice(next, next + pairs);
      next += pairs;
      if (group.length % 2 === 1) out.push(group[group.length - 1]);
      return out;
    });
  }
  return level.map((group) => group[0]);
}

/** One step adds to each difference the one above it, all from the old values: independent additions, so batched. */
function propagate(differences: readonly Projective[], count: number): (Affine | undefined)[] {
  const values: (Affine | undefined)[] = [];
  let current = normalize(differences);
  for (let i = 1; i <= count; i++) {
    // The highest differences no longer reach Δ⁰ in the steps that remain.
    const needed = Math.min(current.length - 1, count - i + 1);
    const sums = addPairs(current.slice(0, needed), current.slice(1, needed + 1));
    current = needed === current.length - 1 ? [...sums, current[needed]] : sums;
    values.push(current[0]);
  }
  return values;
}

/** The curve's arithmetic, for public values only. */
export const publicSecp256k1: PublicCurve = {
  p,
  order,
  cofactor: 1,
  identity: IDENTITY,
  isOnCurve: (x, y) => (x * x * x + 7n - y * y) % p === 0n,
  lift,
  isIdentity: (point) => point.Z === 0n,
  add,
  addAffine: (left, right) => (right === undefined ? left : addCoordinates(left, right.x, right.y)),
  double,
  negate: ({ X, Y, Z, T }) => ({ X, Y: -Y, Z, T }),
  clearCofactor: (point) => point,
  isPrimeOrder: () => true,
  normalize,
  sumColumns,
  multiScalar,
  propagate,
};
