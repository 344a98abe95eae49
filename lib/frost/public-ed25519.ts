/**
 * Ed25519 (RFC 8032 §5.1: −x² + y² = 1 + dx²y², order 8ℓ) for PUBLIC values on plain BigInt. Variable time; see
 * `public-msm.ts`.
 *
 * Extended coordinates (Hisil, Wong, Carter, Dawson, ASIACRYPT 2008). As d is not a square the addition law is
 * complete: equal, opposite and small-order points need no special case.
 */
import { type Affine, invertAll, modulo, nonAdjacentForm, type Projective, type PublicCurve } from './public-msm.ts';

const p = 2n ** 255n - 19n;
const order = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
const TWO_D = (2n * D) % p;

// Tables of 8 odd multiples: 43 additions a scalar of 253 bits, and 8 to build the table, is near the minimum.
const WINDOW = 5;
const TABLE = 1 << (WINDOW - 2);

const IDENTITY: Projective = { X: 0n, Y: 1n, Z: 1n, T: 0n };

/** A summand prepared for {@link addCached}: (Y − X, Y + X, 2Z, 2dT). */
interface Cached {
  readonly minus: bigint;
  readonly plus: bigint;
  readonly z2: bigint;
  readonly t2d: bigint;
}

function cache({ X, Y, Z, T }: Projective): Cached {
  return { minus: Y - X, plus: Y + X, z2: 2n * Z, t2d: (T * TWO_D) % p };
}

/** add-2008-hwcd-3 (Explicit-Formulas Database, a = −1). */
function addCached(left: Projective, right: Cached): Projective {
  const a = ((left.Y - left.X) * right.minus) % p;
  const b = ((left.Y + left.X) * right.plus) % p;
  const c = (left.T * right.t2d) % p;
  const d = (left.Z * right.z2) % p;
  const e = b - a;
  const f = d - c;
  const g = d + c;
  const h = b + a;
  return { X: (e * f) % p, Y: (g * h) % p, Z: (f * g) % p, T: (e * h) % p };
}

function add(left: Projective, right: Projective): Projective {
  return addCached(left, cache(right));
}

/** Z₂ = 1: one multiplication less. */
function addAffine(left: Projective, right: Affine | undefined): Projective {
  if (right === undefined) return left;
  const { x, y } = right;
  const a = ((left.Y - left.X) * (y - x)) % p;
  const b = ((left.Y + left.X) * (y + x)) % p;
  const c = (left.T * ((((x * y) % p) * TWO_D) % p)) % p;
  const d = 2n * left.Z;
  const e = b - a;
  const f = d - c;
  const g = d + c;
  const h = b + a;
  return { X: (e * f) % p, Y: (g * h) % p, Z: (f * g) % p, T: (e * h) % p };
}

/** dbl-2008-hwcd, a = −1. */
function double({ X, Y, Z }: Projective): Projective {
  const a = (X * X) % p;
  const b = (Y * Y) % p;
  const c = 2n * ((Z * Z) % p);
  const s = X + Y;
  const e = ((s * s) % p) - a - b;
  const g = b - a;
  const f = g - c;
  const h = -a - b;
  return { X: (e * f) % p, Y: (g * h) % p, Z: (f * g) % p, T: (e * h) % p };
}

function lift(point: Affine | undefined): Projective {
  if (point === undefined) return IDENTITY;
  return { X: point.x, Y: point.y, Z: 1n, T: (point.x * point.y) % p };
}

/** x = 0 alone is not enough: (0, −1) has order 2. */
function isIdentity({ X, Y, Z }: Projective): boolean {
  return X % p === 0n && (Y - Z) % p === 0n;
}

function negate({ X, Y, Z, T }: Projective): Projective {
  return { X: -X, Y, Z, T: -T };
}

/** Z is never 0: the addition law is complete. */
function normalize(points: readonly Projective[]): (Affine | undefined)[] {
  const inverses = invertAll(
    points.map((point) => point.Z),
    p,
  );
  return points.map(({ X, Y }, i) => {
    const z = inverses[i] as bigint;
    const x = modulo(X * z, p);
    const y = modulo(Y * z, p);
    return x === 0n && y === 1n ? undefined : { x, y };
  });
}

/**
 * Running sums in extended coordinates: unlike on secp256k1, an affine Edwards addition costs more (13 multiplications
 * against 9).
 */
function sumColumns(rows: readonly (readonly (Affine | undefined)[])[], width: number): (Affine | undefined)[] {
  const sums = new Array<Projective>(width).fill(IDENTITY);
  for (const row of rows) {
    for (let k = 0; k < width; k++) sums[k] = addAffine(sums[k] as Projective, row[k]);
  }
  return normalize(sums);
}

/** Interleaved windows (Straus), tables of P, 3P, …, 15P and their negatives. */
function multiScalarProjective(points: readonly Projective[], scalars: readonly bigint[]): Projective {
  const digits = scalars.map((scalar) => nonAdjacentForm(scalar, WINDOW));
  const positive: Cached[][] = [];
  const negative: Cached[][] = [];
  for (const point of points) {
    const twice = cache(double(point));
    let multiple = point;
    const row = [cache(multiple)];
    for (let j = 1; j < TABLE; j++) {
      multiple = addCached(multiple, twice);
      row.push(cache(multiple));
    }
    positive.push(row);
    negative.push(row.map(({ minus, plus, z2, t2d }) => ({ minus: plus, plus: minus, z2, t2d: -t2d })));
  }
  const length = digits.reduce((most, row) => Math.max(most, row.length), 0);
  let sum = IDENTITY;
  let started = false;
  for (let b = length - 1; b >= 0; b--) {
    if (started) sum = double(sum);
    for (let i = 0; i < points.length; i++) {
      const digit = (digits[i] as Int8Array)[b];
      if (digit === undefined || digit === 0) continue;
      const row = (digit > 0 ? positive[i] : negative[i]) as Cached[];
      sum = addCached(sum, row[(digit > 0 ? digit : -digit) >> 1] as Cached);
      started = true;
    }
  }
  return sum;
}

function propagate(differences: readonly Projective[], count: number): (Affine | undefined)[] {
  const current = differences.slice();
  const values: Projective[] = [];
  for (let i = 1; i <= count; i++) {
    // The highest differences no longer reach Δ⁰ in the steps that remain. Ascending, so every addition reads the old
    // value above it.
    const needed = Math.min(current.length - 1, count - i + 1);
    for (let k = 0; k < needed; k++) current[k] = add(current[k] as Projective, current[k + 1] as Projective);
    values.push(current[0] as Projective);
  }
  return normalize(values);
}

/** The curve's arithmetic, for public values only. */
export const publicEd25519: PublicCurve = {
  p,
  order,
  cofactor: 8,
  identity: IDENTITY,
  isOnCurve: (x, y) => {
    const xx = (x * x) % p;
    const yy = (y * y) % p;
    return (yy - xx - 1n - ((D * xx) % p) * yy) % p === 0n;
  },
  lift,
  isIdentity,
  add,
  addAffine,
  double,
  negate,
  clearCofactor: (point) => double(double(double(point))),
  // The scalar is not reduced: [ℓ]P keeps ℓ times the small-order part, and ℓ is odd.
  isPrimeOrder: (point) => isIdentity(multiScalarProjective([point], [order])),
  normalize,
  sumColumns,
  multiScalar: (points, scalars) => multiScalarProjective(points.map(lift), scalars),
  propagate,
};

/**
 * The x of RFC 8032 §5.1.3 step 2 to 4 from y and the sign bit; `undefined` if there is none. x = 0 with the sign bit
 * set is refused: a second encoding of the same point.
 * @param y 0 ≤ y < p
 */
export function recoverX(y: bigint, sign: 0 | 1): bigint | undefined {
  const yy = (y * y) % p;
  const u = modulo(yy - 1n, p);
  const v = (D * yy + 1n) % p;
  const v3 = (((v * v) % p) * v) % p;
  const v7 = (((v3 * v3) % p) * v) % p;
  let x = (((u * v3) % p) * powerP58((u * v7) % p)) % p;
  // v·x² is u or −u if u/v or −u/v is a square; in the second case √−1 corrects it. p ≡ 5 (mod 8).
  const check = (((x * x) % p) * v) % p;
  if (check !== u) {
    if (check !== modulo(-u, p)) return undefined;
    x = (x * SQRT_MINUS_ONE) % p;
  }
  if (x === 0n && sign === 1) return undefined;
  return Number(x & 1n) === sign ? x : p - x;
}

/** 2^((p−1)/4). */
const SQRT_MINUS_ONE = 19681161376707505956807079304988542015446066515923890162744021073123829784752n;

/** n squarings. */
function squareTimes(x: bigint, n: number): bigint {
  let out = x;
  for (let i = 0; i < n; i++) out = (out * out) % p;
  return out;
}

/** x^((p−5)/8) = x^(2²⁵² − 3), by doubling runs of ones. */
function powerP58(x: bigint): bigint {
  const x2 = (((x * x) % p) * x) % p;
  const x4 = (squareTimes(x2, 2) * x2) % p;
  const x5 = (squareTimes(x4, 1) * x) % p;
  const x10 = (squareTimes(x5, 5) * x5) % p;
  const x20 = (squareTimes(x10, 10) * x10) % p;
  const x40 = (squareTimes(x20, 20) * x20) % p;
  const x50 = (squareTimes(x40, 10) * x10) % p;
  const x100 = (squareTimes(x50, 50) * x50) % p;
  const x200 = (squareTimes(x100, 100) * x100) % p;
  const x250 = (squareTimes(x200, 50) * x50) % p;
  return (squareTimes(x250, 2) * x) % p;
}
