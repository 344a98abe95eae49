/** What a dealer that knows its own secrets can publish: rows with something changed, and proofs made anew over them. */
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { concatBytes, numberToBytesBE } from '@noble/curves/utils.js';
import { decodeScalar, encodeG1, encodeG2, type G1, type G2, randomScalar } from '../../lib/coconut/groups.ts';
import {
  deal,
  type EncodedDealing,
  type EncodedRows,
  type Place,
  prove,
  type Rows,
} from '../../lib/coconut-keygen/dealing.ts';
import { seeded } from '../ceremonies/network.ts';

export const { Point: G1Point } = bls12_381.G1;
export const { Point: G2Point } = bls12_381.G2;

export const place = (index: number, t = 3): Place => ({ ceremony: new Uint8Array(32).fill(0xce), t, index });

export const random = (label: string) => seeded(`dealing ${label}`);

/** An honest dealing but for `edit`, with proofs that are good for what it then shows. */
export function forged(at: Place, edit: (rows: EncodedRows) => EncodedRows, label = `${at.index}`): EncodedDealing {
  const { polynomial, dealing } = deal(at, random(label));
  const constant = (p: number) => decodeScalar(polynomial.subarray(32 * p * at.t, 32 * p * at.t + 32));
  return prove(at, edit(dealing.rows), { x: constant(0), y: [constant(1), constant(2)] }, random(`${label} again`));
}

/** One place of the rows: α, β_1, β_2, β̃_1 or β̃_2, coefficient k. */
export interface Position {
  readonly row: keyof Rows<unknown, unknown>;
  readonly j: number;
  readonly k: number;
}

export function positions(t: number): Position[] {
  return Array.from({ length: t }, (_, k) => [
    { row: 'alpha', j: 0, k } as const,
    ...[0, 1].flatMap((j) => [{ row: 'beta', j, k } as const, { row: 'betaTilde', j, k } as const]),
  ]).flat();
}

export const nameOf = ({ row, j, k }: Position): string =>
  `coefficient ${k} of ${{ alpha: 'α', beta: `β_${j + 1}`, betaTilde: `β̃_${j + 1}` }[row]}`;

/** The rows with one point replaced. */
export function replaced(
  rows: EncodedRows,
  { row, j, k }: Position,
  change: (bytes: Uint8Array) => Uint8Array,
): EncodedRows {
  const edited = (points: readonly Uint8Array[]) => points.map((point, i) => (i === k ? change(point) : point));
  if (row === 'alpha') return { ...rows, alpha: edited(rows.alpha) };
  return { ...rows, [row]: rows[row].map((points, i) => (i === j ? edited(points) : points)) };
}

/** Another point of the same group. */
export function another(bytes: Uint8Array): Uint8Array {
  const scalar = randomScalar(random('another point'));
  return bytes.length === 48 ? encodeG1(G1Point.BASE.multiply(scalar)) : encodeG2(G2Point.BASE.multiply(scalar));
}

/** The same point with a part outside the group of prime order: on the curve, canonical, and with the same pairings. */
export function tainted(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 48) return compressG1(G1Point.fromBytes(bytes).add(COFACTOR_G1));
  return compressG2(G2Point.fromBytes(bytes).add(COFACTOR_G2));
}

/** The Zcash form by hand: the library encodes no point outside the group. */
export function compressG1(point: G1): Uint8Array {
  const { x, y } = point.toAffine();
  return withFlags(numberToBytesBE(x, 48), 2n * y > Fp.ORDER);
}

export function compressG2(point: G2): Uint8Array {
  const { x, y } = point.toAffine();
  const greatest = y.c1 === 0n ? y.c0 : y.c1;
  return withFlags(concatBytes(numberToBytesBE(x.c1, 48), numberToBytesBE(x.c0, 48)), 2n * greatest > Fp.ORDER);
}

function withFlags(bytes: Uint8Array, greater: boolean): Uint8Array {
  bytes[0] = (bytes[0] ?? 0) | 0x80 | (greater ? 0x20 : 0);
  return bytes;
}

interface Additive<P> {
  add(other: P): P;
  double(): P;
}

/** scalar·point for a scalar that is no scalar of the group. */
function times<P extends Additive<P>>(zero: P, point: P, scalar: bigint): P {
  let sum = zero;
  for (const bit of scalar.toString(2)) sum = bit === '1' ? sum.double().add(point) : sum.double();
  return sum;
}

const { Fp, Fp2, Fr } = bls12_381.fields;

function outsideG1(): G1 {
  for (let x = 1n; ; x++) {
    try {
      const y = Fp.sqrt(Fp.add(Fp.mul(Fp.mul(x, x), x), 4n));
      // r·P has an order that divides the cofactor; ·h/3 of it has order 3, the smallest there is.
      const point = times(G1Point.ZERO, G1Point.fromAffine({ x, y }), Fr.ORDER * (bls12_381.G1.Point.CURVE().h / 3n));
      if (!point.is0()) return point;
    } catch {}
  }
}

function outsideG2(): G2 {
  for (let x0 = 1n; ; x0++) {
    try {
      const x = Fp2.fromBigTuple([x0, 1n]);
      const y = Fp2.sqrt(Fp2.add(Fp2.mul(Fp2.mul(x, x), x), Fp2.fromBigTuple([4n, 4n])));
      const point = times(G2Point.ZERO, G2Point.fromAffine({ x, y }), Fr.ORDER);
      if (!point.is0()) return point;
    } catch {}
  }
}

const COFACTOR_G1 = outsideG1();
const COFACTOR_G2 = outsideG2();
