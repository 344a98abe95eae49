/**
 * The range proof against a verifier that follows the paper line by line (Bulletproofs, ePrint 2017/1066: §4.3, Protocols 1 and 2, §4.4) and shares nothing with the code but the curve
 * and the generators: its own hash, its own reading of the bytes, generators that are folded as points. A mistake that prover and verifier of the code make alike would show here.
 */
import { createHash } from 'node:crypto';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { g1, rangeGenerators, valueGenerator } from '../../lib/coconut/generators.ts';
import { encodeG1, type G1, randomScalar } from '../../lib/coconut/groups.ts';
import { mclVerifier } from '../../lib/coconut/mcl-engine.ts';
import { type OpenedCommitment, proveRange } from '../../lib/coconut/range-proof.ts';
import { Transcript } from '../../lib/coconut/transcript.ts';
import { commitValue } from '../../lib/coconut/value-commitment.ts';
import { stream } from './fixtures.ts';

const engine = await mclVerifier();
const { Point } = bls12_381.G1;
const r = bls12_381.fields.Fr.ORDER;
const BITS = 64;
const random = stream('range proof of the paper');

const mod = (x: bigint) => ((x % r) + r) % r;
const power = (x: bigint, n: number): bigint => (n === 0 ? 1n : mod(x * power(x, n - 1)));
const inverse = (x: bigint) => bls12_381.fields.Fr.inv(x);
const times = (point: G1, scalar: bigint): G1 => (mod(scalar) === 0n ? Point.ZERO : point.multiplyUnsafe(mod(scalar)));
const total = (points: readonly G1[]): G1 => points.reduce((sum, point) => sum.add(point), Point.ZERO);
const sumOf = (count: number, term: (j: number) => bigint): bigint =>
  mod(Array.from({ length: count }, (_, j) => term(j)).reduce((sum, x) => sum + x, 0n));

/** All bytes that a challenge is the hash of, written out: u32be lengths, 1 before what is appended, 2 before what is asked. */
class Hashed {
  #bytes = Buffer.concat([this.#lp('coterie/v1/coconut-range')]);
  #lp(part: string | Uint8Array): Buffer {
    const body = Buffer.from(part);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    return Buffer.concat([length, body]);
  }
  append(label: string, bytes: Uint8Array): this {
    this.#bytes = Buffer.concat([this.#bytes, Buffer.of(1), this.#lp(label), this.#lp(bytes)]);
    return this;
  }
  challenge(label: string): bigint {
    this.#bytes = Buffer.concat([this.#bytes, Buffer.of(2), this.#lp(label)]);
    return mod(BigInt(`0x${createHash('sha512').update(this.#bytes).digest('hex')}`));
  }
}
const number = (n: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(n));
  return bytes;
};

/** Which of the paper's two checks hold: (72), and (67) with (68) by Protocol 1. */
function verdict(V: readonly Uint8Array[], proof: Uint8Array): { readonly t: boolean; readonly inner: boolean } {
  const m = 2 ** Math.ceil(Math.log2(V.length));
  const N = BITS * m;
  const [g, h] = [valueGenerator(), g1];
  const generators = rangeGenerators(N);
  let at = 0;
  const take = (length: number): Uint8Array => {
    at += length;
    return proof.subarray(at - length, at);
  };
  const scalar = () => mod(BigInt(`0x${Buffer.from(take(32)).toString('hex')}`));
  const point = (bytes: Uint8Array): G1 => Point.fromBytes(bytes);
  const [A, S, T1, T2] = [take(48), take(48), take(48), take(48)];
  const [tauXAt, tauX] = [proof.subarray(at, at + 32), scalar()];
  const [muAt, mu] = [proof.subarray(at, at + 32), scalar()];
  const [tAt, tHat] = [proof.subarray(at, at + 32), scalar()];

  // §4.4: each challenge is a hash of the statement and of all that was sent before it.
  const hashed = new Hashed().append('bits', number(BITS)).append('m', number(V.length));
  for (const commitment of V) hashed.append('V', commitment);
  hashed.append('A', A).append('S', S);
  const [y, z] = [hashed.challenge('y'), hashed.challenge('z')];
  const x = hashed.append('T1', T1).append('T2', T2).challenge('x');
  const xu = hashed.append('tau_x', tauXAt).append('mu', muAt).append('t', tAt).challenge('w');

  // (72) with δ of §4.3.
  const delta =
    (z - z * z) * sumOf(N, (j) => power(y, j)) - sumOf(m, (j) => power(z, j + 3) * sumOf(BITS, (i) => 1n << BigInt(i)));
  const left = times(g, tHat).add(times(h, tauX));
  const values = V.map((commitment, j) => times(point(commitment), power(z, j + 2)));
  const right = total([times(g, delta), ...values, times(point(T1), x), times(point(T2), x * x)]);

  // (64), and P of (66) for m values; then Protocol 1 on P − μ·h and t̂ (§4.2).
  let G = generators.G;
  let H = generators.H.map((each, j) => times(each, inverse(power(y, j))));
  let P = total([
    point(A),
    times(point(S), x),
    ...G.map((each) => times(each, -z)),
    ...H.map((each, j) => times(each, z * power(y, j) + power(z, Math.floor(j / BITS) + 2) * (1n << BigInt(j % BITS)))),
    times(h, -mu),
  ]);
  const u = times(generators.u, xu);
  P = P.add(times(u, tHat));

  // Protocol 2: (29), (30), (31) until one element is left, then (16).
  while (G.length > 1) {
    const half = G.length / 2;
    const [L, R] = [take(48), take(48)];
    const c = hashed.append('L', L).append('R', R).challenge('x');
    const ci = inverse(c);
    const folded = (all: readonly G1[], low: bigint, high: bigint) =>
      all.slice(0, half).map((each, j) => times(each, low).add(times(all[half + j] as G1, high)));
    [G, H] = [folded(G, ci, c), folded(H, c, ci)];
    P = total([times(point(L), c * c), P, times(point(R), ci * ci)]);
  }
  const [a, b] = [scalar(), scalar()];
  expect(at).toBe(proof.length);
  const last = total([times(G[0] as G1, a), times(H[0] as G1, b), times(u, a * b)]);
  return { t: left.equals(right), inner: P.equals(last) };
}

describe('the range proof is the one of the paper', () => {
  const opened = [5n, (1n << 64n) - 1n, 0n].map((value): OpenedCommitment => {
    const blinding = randomScalar(random);
    return { value, blinding, commitment: encodeG1(commitValue(value, blinding, random)) };
  });
  const V = opened.map(({ commitment }) => commitment);
  let single: Uint8Array;
  beforeAll(() => {
    single = proveRange(new Transcript('coconut-range'), engine, opened.slice(0, 1), random);
  });

  test('its lines accept a proof of one value, and of three as one of four', () => {
    expect(verdict(V.slice(0, 1), single)).toEqual({ t: true, inner: true });
    const three = proveRange(new Transcript('coconut-range'), engine, opened, random);
    expect(verdict(V, three)).toEqual({ t: true, inner: true });
  });

  test('its lines refuse the proof for another commitment, and with another t̂, μ or a', () => {
    expect(verdict(V.slice(1, 2), single)).toEqual({ t: false, inner: false });
    const [tHat, mu, a] = [4 * 48 + 64, 4 * 48 + 32, single.length - 64];
    for (const at of [tHat, mu, a]) {
      const other = single.slice();
      other[at + 31] = (other[at + 31] as number) ^ 1;
      expect(verdict(V.slice(0, 1), other).inner).toBe(false);
    }
  });
});
