import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { publicEd25519 } from '../../lib/frost/public-ed25519.ts';
import {
  type Affine,
  evaluateAt,
  evaluateAtAll,
  invert,
  invertAll,
  multiplySmall,
  nonAdjacentForm,
  type PublicCurve,
} from '../../lib/frost/public-msm.ts';
import { publicSecp256k1 } from '../../lib/frost/public-secp256k1.ts';
import { present } from './committee.ts';

/** What the two noble point classes have in common, for use as the oracle. */
interface OraclePoint {
  add(other: OraclePoint): OraclePoint;
  negate(): OraclePoint;
  multiplyUnsafe(scalar: bigint): OraclePoint;
  is0(): boolean;
  isTorsionFree(): boolean;
  toAffine(): Affine;
}
interface Oracle {
  readonly BASE: OraclePoint;
  readonly ZERO: OraclePoint;
  fromAffine(point: Affine): OraclePoint;
}

const CURVES: readonly (readonly [string, PublicCurve, Oracle])[] = [
  ['secp256k1', publicSecp256k1, secp256k1.Point as unknown as Oracle],
  ['Ed25519', publicEd25519, ed25519.Point as unknown as Oracle],
];

const scalar = (curve: PublicCurve) => fc.bigInt({ min: 0n, max: curve.order - 1n });
const logarithm = (curve: PublicCurve) => fc.bigInt({ min: 1n, max: curve.order - 1n });
const few = { numRuns: 15 };

const affineOf = (point: OraclePoint): Affine | undefined => (point.is0() ? undefined : point.toAffine());

describe('digits', () => {
  it('a non-adjacent form has the value of its scalar, odd digits below half the window, and zeros between', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), fc.integer({ min: 2, max: 7 }), (k, width) => {
        const digits = nonAdjacentForm(k, width);
        let value = 0n;
        let last = -width;
        digits.forEach((digit, b) => {
          if (digit === 0) return;
          expect(digit % 2).not.toBe(0);
          expect(Math.abs(digit)).toBeLessThan(2 ** (width - 1));
          expect(b - last).toBeGreaterThanOrEqual(width);
          last = b;
          value += BigInt(digit) << BigInt(b);
        });
        expect(value).toBe(k);
      }),
    );
  });

  it('inversion refuses 0, alone and in a batch', () => {
    const { p } = publicSecp256k1;
    expect(() => invert(0n, p)).toThrow(RangeError);
    expect(() => invert(p, p)).toThrow(RangeError);
    expect(() => invertAll([1n, 0n, 2n], p)).toThrow(RangeError);
    expect(invertAll([], p)).toEqual([]);
  });
});

describe.each(CURVES)('public arithmetic on %s agrees with noble', (_, curve, oracle) => {
  const pointOf = (k: bigint): Affine => oracle.BASE.multiplyUnsafe(k).toAffine();
  const affine = (point: Parameters<PublicCurve['normalize']>[0][number]) => curve.normalize([point])[0];

  it('on the base point, the curve equation and the order', () => {
    const { x, y } = pointOf(1n);
    expect(curve.isOnCurve(x, y)).toBe(true);
    expect(curve.isOnCurve(x, y + 1n)).toBe(false);
    expect(curve.isIdentity(curve.multiScalar([{ x, y }], [curve.order]))).toBe(true);
  });

  it('in sums of points, equal, opposite and identity included', () => {
    const summand = fc.integer({ min: -3, max: 3 });
    const P = pointOf(5n);
    const multiple = (k: number) =>
      k === 0
        ? curve.identity
        : curve.lift(
            affineOf(
              k > 0
                ? oracle.fromAffine(P).multiplyUnsafe(BigInt(k))
                : oracle.fromAffine(P).multiplyUnsafe(BigInt(-k)).negate(),
            ),
          );
    fc.assert(
      fc.property(summand, summand, summand, (a, b, c) => {
        const expected = affine(multiple(a + b + c));
        const projective = curve.add(curve.add(multiple(a), multiple(b)), multiple(c));
        expect(affine(projective)).toEqual(expected);
        const mixed = curve.addAffine(curve.add(multiple(a), multiple(b)), affine(multiple(c)));
        expect(affine(mixed)).toEqual(expected);
        expect(curve.isIdentity(projective)).toBe(a + b + c === 0);
        expect(affine(curve.double(multiple(a)))).toEqual(affine(multiple(2 * a)));
        expect(affine(curve.negate(multiple(a)))).toEqual(affine(multiple(-a)));
      }),
    );
  });

  it('in multi-scalar multiplication, for scalars of any size and repeated and opposite points', () => {
    const scalars = fc.oneof(
      scalar(curve),
      fc.bigInt({ min: 0n, max: 2n ** 128n }),
      fc.constantFrom(0n, 1n, curve.order - 1n),
    );
    const terms = fc.array(fc.tuple(fc.oneof(logarithm(curve), fc.constantFrom(1n, 2n, curve.order - 1n)), scalars), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(terms, (list) => {
        const sum = list.reduce((a, [k, s]) => (a + k * s) % curve.order, 0n);
        const got = curve.multiScalar(
          list.map(([k]) => pointOf(k)),
          list.map(([, s]) => s),
        );
        expect(affine(got)).toEqual(sum === 0n ? undefined : pointOf(sum));
      }),
      few,
    );
  });

  it('in column sums, with equal, opposite and vanishing points in any place', () => {
    const logarithms = fc.array(fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 3, maxLength: 3 }), {
      minLength: 1,
      maxLength: 7,
    });
    const P = oracle.BASE.multiplyUnsafe(11n);
    const cell = (k: number) =>
      k === 0 ? undefined : affineOf(k > 0 ? P.multiplyUnsafe(BigInt(k)) : P.multiplyUnsafe(BigInt(-k)).negate());
    fc.assert(
      fc.property(logarithms, (rows) => {
        const got = curve.sumColumns(
          rows.map((row) => row.map(cell)),
          3,
        );
        for (let k = 0; k < 3; k++) {
          const total = rows.reduce((sum, row) => sum + (row[k] ?? 0), 0);
          const expected = total === 0 ? undefined : P.multiplyUnsafe(BigInt(Math.abs(total)));
          expect(got[k]).toEqual(expected && affineOf(total > 0 ? expected : expected.negate()));
        }
      }),
    );
  });

  it('in multiplication by small indices', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65_535 }), (k) => {
        expect(affine(multiplySmall(curve, curve.lift(pointOf(3n)), k))).toEqual(pointOf(3n * BigInt(k)));
      }),
      few,
    );
  });

  /** F(x) in the exponent for the logarithms of the columns. */
  const valueAt = (coefficients: readonly bigint[], x: number): Affine | undefined => {
    const value = coefficients.reduceRight((a, c) => (a * BigInt(x) + c) % curve.order, 0n);
    return value === 0n ? undefined : pointOf(((value % curve.order) + curve.order) % curve.order);
  };
  const columnsOf = (coefficients: readonly bigint[]) =>
    coefficients.map((c) =>
      c % curve.order === 0n ? undefined : pointOf(((c % curve.order) + curve.order) % curve.order),
    );

  it('in values of a committed polynomial, by Horner and by finite differences, for dense and sparse indices', () => {
    const polynomials = fc.array(scalar(curve), { minLength: 1, maxLength: 9 });
    const dense = fc.integer({ min: 1, max: 14 }).map((n) => Array.from({ length: n }, (_, i) => i + 1));
    const sparse = fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), { maxLength: 3 });
    fc.assert(
      fc.property(polynomials, fc.oneof(dense, sparse), (coefficients, indices) => {
        const columns = columnsOf(coefficients);
        const expected = indices.map((i) => valueAt(coefficients, i));
        expect(evaluateAtAll(curve, columns, indices)).toEqual(expected);
        expect(curve.normalize(indices.map((i) => evaluateAt(curve, columns, i)))).toEqual(expected);
      }),
      few,
    );
  });

  it('in finite differences when coefficients are chosen so that differences are equal, opposite or vanish', () => {
    const small = fc.array(fc.bigInt({ min: -3n, max: 3n }), { minLength: 5, maxLength: 7 });
    const indices = Array.from({ length: 20 }, (_, i) => i + 1);
    fc.assert(
      fc.property(small, (coefficients) => {
        expect(evaluateAtAll(curve, columnsOf(coefficients), indices)).toEqual(
          indices.map((i) => valueAt(coefficients, i)),
        );
      }),
      { numRuns: 25 },
    );
    // F = x(x − 1)…: identity at several indices; F constant: all differences but one vanish.
    for (const coefficients of [
      [6n, -11n, 6n, -1n, 0n],
      [4n, 0n, 0n, 0n, 0n, 0n],
      [0n, 0n, 0n, 0n, 0n],
    ]) {
      expect(evaluateAtAll(curve, columnsOf(coefficients), indices)).toEqual(
        indices.map((i) => valueAt(coefficients, i)),
      );
    }
  });
});

describe('small-order points of Ed25519', () => {
  const { Point } = ed25519;
  // A point of order 8, from the published list in noble; its multiples are the whole small subgroup.
  const T = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', true);
  const small = Array.from({ length: 8 }, (_, i) => T.multiplyUnsafe(BigInt(i)));

  it('are recognised alone and as parts of other points', () => {
    for (const [i, part] of small.entries()) {
      const point = Point.BASE.multiplyUnsafe(77n).add(part);
      expect(publicEd25519.isPrimeOrder(publicEd25519.lift(point.toAffine()))).toBe(i === 0);
      expect(point.isTorsionFree()).toBe(i === 0);
      const lone = part.is0() ? undefined : part.toAffine();
      expect(publicEd25519.isPrimeOrder(publicEd25519.lift(lone))).toBe(i === 0);
      expect(publicEd25519.isIdentity(publicEd25519.clearCofactor(publicEd25519.lift(lone)))).toBe(true);
      expect(publicEd25519.isIdentity(publicEd25519.lift(lone))).toBe(i === 0);
    }
  });

  it('survive exactly in sums, in Horner and in finite differences', () => {
    const columns = [3, 1, 4, 1, 5, 2].map((part, k) =>
      Point.BASE.multiplyUnsafe(BigInt(k + 9)).add(present(small[part])),
    );
    const indices = Array.from({ length: 12 }, (_, i) => i + 1);
    const expected = indices.map((i) =>
      columns.reduceRight((value, column) => value.multiplyUnsafe(BigInt(i)).add(column), Point.ZERO).toAffine(),
    );
    const affine = columns.map((column) => column.toAffine());
    expect(evaluateAtAll(publicEd25519, affine, indices)).toEqual(expected);
    expect(publicEd25519.normalize(indices.map((i) => evaluateAt(publicEd25519, affine, i)))).toEqual(expected);
  });
});
