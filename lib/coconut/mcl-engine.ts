/**
 * Public verification by mcl in WebAssembly (mcl-wasm, BSD-3): several times faster than noble and not constant-time, so that nothing secret may come here.
 *
 * What it takes to be safe with this library: it knows one curve per process, and a second `init` silently makes nonsense of the points of the first; subgroup checks are off
 * until switched on; it decodes the identity; it multiplies at most about a thousand points at once. Each of these has its guard below and its test.
 */
import { hash_to_field } from '@noble/curves/abstract/hash-to-curve.js';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { sha256 } from '@noble/hashes/sha2.js';
import mcl from 'mcl-wasm';
import internals from 'mcl-wasm/dist/mcl.js';
import { utf8 } from '../messages/bytes.ts';
import { domainTag, type G1Domain, generatorInput, MAX_RANGE_GENERATORS } from './generators.ts';
import { CoconutError, expectLength, expectScalar, type G1, G1_BYTES, type G2, G2_BYTES, ORDER } from './groups.ts';
import type { PublicG1, PublicG2, TermG1, TermG2, Verifier } from './verifier.ts';

/** Points of one multiplication: they and their scalars lie on the module's stack. */
const CHUNK = 1_024;

/** Pairs of one product of Miller loops. */
const PAIRS = 128;

/** A value of the library: 32-bit words, copied to its stack for each call. */
interface Words {
  readonly a_: Uint32Array;
}

/** What mcl-wasm exports to its own files and we need from them; the version is pinned, and the differential test would see a change. */
const wasm = internals as unknown as {
  readonly mod: { _mclBn_millerLoopVec(out: number, P: number, Q: number, count: number): void };
  stackSave(): number;
  stackRestore(at: number): void;
  salloc(words: Uint32Array): number;
  sallocArray(values: readonly Uint32Array[]): number;
  copyFromHeap32(words: Uint32Array, at: number): void;
};

const one = (point: PublicG1): mcl.G1 => point as unknown as mcl.G1;
const two = (point: PublicG2): mcl.G2 => point as unknown as mcl.G2;
const ofG1 = (point: mcl.G1): PublicG1 => point as unknown as PublicG1;
const ofG2 = (point: mcl.G2): PublicG2 => point as unknown as PublicG2;

let starting: Promise<Verifier> | undefined;

/** The engine, started once in a process (about 40 ms). */
export function mclVerifier(): Promise<Verifier> {
  starting ??= start();
  return starting;
}

async function start(): Promise<Verifier> {
  await mcl.init(mcl.BLS12_381);
  return new MclVerifier();
}

/**
 * The library's settings are global: anybody in the process can change them, and whoever starts it again, even with our curve, puts them back. They are set before every decoding and hash:
 * it costs a microsecond, and forgetting the subgroup check costs everything. @throws if the curve is another: all points would be noise
 */
function settle(): void {
  expectCurve();
  // The compressed form of the Zcash specification, big-endian, which noble writes.
  mcl.setETHserialization(true);
  mcl.verifyOrderG1(true);
  mcl.verifyOrderG2(true);
  // The map of RFC 9380 §8.8.1.
  mcl.setMapToMode(mcl.IRTF);
}

type Term<P> = readonly [scalar: bigint, point: P];

const MINUS_ONE = ORDER - 1n;
/** A random weight has 128 bits, the negative of one has 255 and takes twice as long: such a point is negated instead. */
const SHORT = 1n << 129n;

/** Σ scalar·point. @param zero the group's identity */
function sum<P extends mcl.G1 | mcl.G2>(zero: P, terms: readonly Term<P>[]): P {
  expectCurve();
  let total = zero;
  const points: P[] = [];
  const scalars: mcl.Fr[] = [];
  for (const [scalar, point] of terms) {
    expectScalar(scalar);
    if (scalar === 1n) total = mcl.add(total, point);
    else if (scalar === MINUS_ONE) total = mcl.sub(total, point);
    else {
      const negated = ORDER - scalar < SHORT;
      const factor = new mcl.Fr();
      factor.setStr((negated ? ORDER - scalar : scalar).toString(16), 16);
      points.push(negated ? mcl.neg(point) : point);
      scalars.push(factor);
    }
  }
  for (let from = 0; from < points.length; from += CHUNK)
    total = mcl.add(total, mcl.mulVec(points.slice(from, from + CHUNK), scalars.slice(from, from + CHUNK)));
  return total;
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

class MclVerifier implements Verifier {
  readonly engine = 'mcl-wasm';
  readonly #known1 = new WeakMap<G1, mcl.G1>();
  readonly #known2 = new WeakMap<G2, mcl.G2>();
  readonly #range = new Map<string, mcl.G1>();

  decodeG1(bytes: Uint8Array): PublicG1 {
    expectLength(bytes, G1_BYTES, 'a point of G1');
    return ofG1(decode(new mcl.G1(), bytes, 'G1'));
  }

  decodeG2(bytes: Uint8Array): PublicG2 {
    expectLength(bytes, G2_BYTES, 'a point of G2');
    return ofG2(decode(new mcl.G2(), bytes, 'G2'));
  }

  encodeG1(point: PublicG1): Uint8Array {
    settle();
    return one(point).serialize();
  }

  encodeG2(point: PublicG2): Uint8Array {
    settle();
    return two(point).serialize();
  }

  fromG1(point: G1): PublicG1 {
    let known = this.#known1.get(point);
    if (!known) {
      const { x, y } = point.toAffine();
      known = new mcl.G1();
      if (!point.is0()) known.setStr(`1 ${x.toString(16)} ${y.toString(16)}`, 16);
      this.#known1.set(point, known);
    }
    return ofG1(known);
  }

  fromG2(point: G2): PublicG2 {
    let known = this.#known2.get(point);
    if (!known) {
      const { x, y } = point.toAffine();
      known = new mcl.G2();
      const coordinates = [x.c0, x.c1, y.c0, y.c1].map((part) => part.toString(16));
      if (!point.is0()) known.setStr(`1 ${coordinates.join(' ')}`, 16);
      this.#known2.set(point, known);
    }
    return ofG2(known);
  }

  /** hash_to_field by noble under our own tag, the map and the addition by mcl: map(u₀) + map(u₁), each with its cofactor cleared (RFC 9380 §3). */
  hashToG1(domain: G1Domain, bytes: Uint8Array): PublicG1 {
    settle();
    const u = hash_to_field(bytes, 2, {
      DST: utf8(domainTag(domain)),
      p: bls12_381.fields.Fp.ORDER,
      m: 1,
      k: 128,
      expand: 'xmd',
      hash: sha256,
    });
    const [a, b] = u.map(([element]) => {
      const field = new mcl.Fp();
      field.setStr((element as bigint).toString(16), 16);
      return field.mapToG1();
    });
    return ofG1(mcl.add(a as mcl.G1, b as mcl.G1));
  }

  rangeGenerators(n: number) {
    if (!Number.isInteger(n) || n < 1 || n > MAX_RANGE_GENERATORS)
      throw new RangeError(`expected 1 to ${MAX_RANGE_GENERATORS} generators, got ${n}`);
    return {
      G: Array.from({ length: n }, (_, i) => this.#rangeGenerator('range-g', i)),
      H: Array.from({ length: n }, (_, i) => this.#rangeGenerator('range-h', i)),
      u: this.#rangeGenerator('range-u', 0),
    };
  }

  #rangeGenerator(domain: G1Domain, index: number): PublicG1 {
    const name = `${domain}/${index}`;
    let known = this.#range.get(name);
    if (!known) {
      known = one(this.hashToG1(domain, generatorInput(index)));
      this.#range.set(name, known);
    }
    return ofG1(known);
  }

  sumG1(terms: readonly TermG1[]): PublicG1 {
    return ofG1(sum(new mcl.G1(), terms as unknown as readonly Term<mcl.G1>[]));
  }

  sumG2(terms: readonly TermG2[]): PublicG2 {
    return ofG2(sum(new mcl.G2(), terms as unknown as readonly Term<mcl.G2>[]));
  }

  addG1(a: PublicG1, b: PublicG1): PublicG1 {
    return ofG1(mcl.add(one(a), one(b)));
  }

  addG2(a: PublicG2, b: PublicG2): PublicG2 {
    return ofG2(mcl.add(two(a), two(b)));
  }

  isIdentityG1(point: PublicG1): boolean {
    return one(point).isZero();
  }

  isIdentityG2(point: PublicG2): boolean {
    return two(point).isZero();
  }

  pairingProductIsOne(pairs: readonly (readonly [PublicG1, PublicG2])[]): boolean {
    expectCurve();
    const [P, Q]: [mcl.G1[], mcl.G2[]] = [[], []];
    for (const [left, right] of pairs) {
      // The library pairs the identity with anything to 1; nothing here should depend on it.
      if (one(left).isZero() || two(right).isZero()) continue;
      P.push(one(left));
      Q.push(two(right));
    }
    let product: mcl.GT | undefined;
    for (let from = 0; from < P.length; from += PAIRS) {
      const factor = millerLoops(P.slice(from, from + PAIRS), Q.slice(from, from + PAIRS));
      product = product ? mcl.mul(product, factor) : factor;
    }
    return product === undefined || mcl.finalExp(product).isOne();
  }
}

/**
 * Π of Miller loops that share their squarings: a third less time than one by one. The library has it and its JavaScript does not offer it.
 * @param P as many as Q, none the identity
 */
function millerLoops(P: readonly mcl.G1[], Q: readonly mcl.G2[]): mcl.GT {
  const product = new mcl.GT();
  const { a_: words } = product as unknown as Words;
  const wordsOf = (points: readonly (mcl.G1 | mcl.G2)[]) => points.map((point) => (point as unknown as Words).a_);
  const stack = wasm.stackSave();
  try {
    const out = wasm.salloc(words);
    wasm.mod._mclBn_millerLoopVec(out, wasm.sallocArray(wordsOf(P)), wasm.sallocArray(wordsOf(Q)), P.length);
    wasm.copyFromHeap32(words, out);
  } finally {
    wasm.stackRestore(stack);
  }
  return product;
}

function decode<P extends mcl.G1 | mcl.G2>(point: P, bytes: Uint8Array, group: string): P {
  settle();
  try {
    // Checks flags, the curve, and the subgroup because `verifyOrder` is on.
    point.deserialize(bytes);
  } catch {
    throw new CoconutError('BadPoint', `a canonical point of ${group}`, 'other bytes');
  }
  // One point, one encoding: whatever else the library may read is refused.
  if (!equal(point.serialize(), bytes))
    throw new CoconutError('BadPoint', `a canonical point of ${group}`, 'other bytes');
  if (point.isZero())
    throw new CoconutError('IdentityPoint', `a point of ${group} other than the identity`, 'the identity');
  return point;
}

function expectCurve(): void {
  if (mcl.curveType !== mcl.BLS12_381)
    throw new Error(`mcl-wasm: expected curve ${mcl.BLS12_381}, got ${mcl.curveType}: it was started a second time`);
}
