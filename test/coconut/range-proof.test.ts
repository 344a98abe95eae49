/** Range proofs: what they say, and what they refuse to say. */
import { beforeAll, describe, expect, test } from 'vitest';
import { rangeGenerators } from '../../lib/coconut/generators.ts';
import {
  CoconutError,
  decodeScalar,
  encodeG1,
  encodeScalar,
  Fr,
  G1_ZERO,
  ORDER,
  randomScalar,
} from '../../lib/coconut/groups.ts';
import { mclVerifier } from '../../lib/coconut/mcl-engine.ts';
import { nobleVerifier } from '../../lib/coconut/noble-engine.ts';
import {
  type OpenedCommitment,
  proveRange,
  proveVector,
  rangeEquations,
  rangeProofBytes,
  sumOfSecrets,
} from '../../lib/coconut/range-proof.ts';
import { Transcript } from '../../lib/coconut/transcript.ts';
import { commitValue } from '../../lib/coconut/value-commitment.ts';
import type { Verifier } from '../../lib/coconut/verifier.ts';
import { stream } from './fixtures.ts';

const mcl = await mclVerifier();
const random = stream('range proof');
const TOP = (1n << 64n) - 1n;

/** A commitment to any scalar at all: nothing checks here what a committer commits to. */
function opened(value: bigint, blinding = randomScalar(random)): OpenedCommitment {
  return { value, blinding, commitment: encodeG1(commitValue(Fr.create(value), blinding, random)) };
}
const transcript = (context = 1) => new Transcript('coconut-range').appendNumber('context', context);
const prove = (all: readonly OpenedCommitment[]) => proveRange(transcript(), mcl, all, random);
const bits = (value: bigint, count = 64) => Array.from({ length: count }, (_, i) => (value >> BigInt(i)) & 1n);
/** Of a prover that does not ask whether its vector is one of bits. */
const cheat = (aL: readonly bigint[], all: readonly OpenedCommitment[]) =>
  proveVector(transcript(), mcl, aL, all, random);

function holds(
  all: readonly Pick<OpenedCommitment, 'commitment'>[],
  proof: Uint8Array,
  { verifier = mcl, context = 1 }: { verifier?: Verifier; context?: number } = {},
): boolean {
  const commitments = all.map(({ commitment }) => ({ bytes: commitment, point: verifier.decodeG1(commitment) }));
  try {
    return rangeEquations(transcript(context), verifier, commitments, proof).check(verifier, random);
  } catch (error) {
    if (error instanceof CoconutError) return false;
    throw error;
  }
}
test('a sum of secret multiples is the sum of the multiples, also by zero, by digits of zero and by the greatest scalar', () => {
  const { G } = rangeGenerators(6);
  const scalars = [0n, 1n, ORDER - 1n, 1n << 252n, 0xf0f0n, randomScalar(random)];
  const expected = G.map((point, j) => (scalars[j] === 0n ? G1_ZERO : point.multiply(scalars[j] as bigint)));
  const sum = expected.reduce((total, point) => total.add(point), G1_ZERO);
  expect(encodeG1(sumOfSecrets(G, scalars))).toEqual(encodeG1(sum));
});

/** The same with 32 bytes replaced, or whatever `change` does to them. */
function altered(proof: Uint8Array, at: number, length: number, change: (piece: Uint8Array) => Uint8Array): Uint8Array {
  const bytes = proof.slice();
  bytes.set(change(proof.slice(at, at + length)), at);
  return bytes;
}

describe('a range proof', () => {
  const single = [opened(5n)];
  const three = [opened(0n), opened(1n), opened(TOP)];
  let ofSingle: Uint8Array;
  let ofThree: Uint8Array;
  beforeAll(() => {
    ofSingle = prove(single);
    ofThree = prove(three);
  });

  test('holds for the least and the greatest value, for each number of values, in both engines', () => {
    expect(holds(single, ofSingle)).toBe(true);
    expect(holds(three, ofThree)).toBe(true);
    expect(holds(three, ofThree, { verifier: nobleVerifier })).toBe(true);
    const eight = Array.from({ length: 8 }, (_, i) => opened(BigInt(i) << 60n));
    const ofEight = prove(eight);
    expect(ofEight.length).toBe(1_216);
    expect(holds(eight, ofEight)).toBe(true);
  });

  test('has the length that the number of values says, and no other', () => {
    expect([1, 2, 3, 4, 5, 8].map(rangeProofBytes)).toEqual([928, 1_024, 1_120, 1_120, 1_216, 1_216]);
    expect(ofSingle.length).toBe(928);
    expect(ofThree.length).toBe(1_120);
    expect(() => rangeProofBytes(0)).toThrow(CoconutError);
    expect(() => rangeProofBytes(9)).toThrow(CoconutError);
    expect(() => prove([])).toThrow(CoconutError);
    expect(() => rangeEquations(transcript(), mcl, [], ofSingle)).toThrow(CoconutError);
  });

  test('ORIGIN: shorter than its bits, or longer, is refused before any curve operation', () => {
    const untouchable = new Proxy(mcl, {
      get: () => {
        throw new Error('a curve operation');
      },
    });
    const commitments = single.map(({ commitment }) => ({ bytes: commitment, point: mcl.decodeG1(commitment) }));
    for (const proof of [
      new Uint8Array(0),
      ofSingle.subarray(0, 928 - 96),
      ofSingle.subarray(0, 927),
      new Uint8Array([...ofSingle, 0]),
      ofThree,
    ])
      expect(() => rangeEquations(transcript(), untouchable, commitments, proof)).toThrow(/^BadLength/);
    // One for one value beside two commitments.
    expect(holds([...single, ...single], ofSingle)).toBe(false);
  });

  test('ECASH-16: 2⁶⁴ has none, with its bits cut off, or with a bit that is not 0 or 1', () => {
    const over = [opened(1n << 64n)];
    expect(() => prove(over)).toThrow(/^BadValue/);
    expect(holds(over, cheat(bits(1n << 64n), over))).toBe(false);
    // 2·2⁶³: the sum is right, and the "bit" is 2.
    const two = bits(0n);
    two[63] = 2n;
    expect(holds(over, cheat(two, over))).toBe(false);
  });

  test('ECASH-16: −1 has none: neither the bits of r − 1, nor −1 in the place of a bit', () => {
    const negative = [opened(-1n)];
    expect(() => prove(negative)).toThrow(/^BadValue/);
    expect(holds(negative, cheat(bits(ORDER - 1n), negative))).toBe(false);
    const minus = bits(0n);
    minus[0] = ORDER - 1n;
    expect(holds(negative, cheat(minus, negative))).toBe(false);
    // Beside what it was to make room for: the pair adds up, and is refused.
    const pair = [opened(-1n), opened(11n)];
    expect(holds(pair, cheat([...bits(ORDER - 1n), ...bits(11n)], pair))).toBe(false);
  });

  test('is of these values: another value, another blinding, another order are refused', () => {
    const [a, b, c] = three as [OpenedCommitment, OpenedCommitment, OpenedCommitment];
    expect(holds([b, a, c], ofThree)).toBe(false);
    expect(holds([a, b, opened(TOP)], ofThree)).toBe(false);
    expect(holds([a, b, opened(TOP - 1n, c.blinding)], ofThree)).toBe(false);
  });

  test('is of so many values: three and four have one length, and are two statements', () => {
    const zero = opened(0n);
    expect(holds([...three, zero], ofThree)).toBe(false);
    const ofFour = prove([...three, zero]);
    expect(ofFour.length).toBe(ofThree.length);
    expect(holds([...three, zero], ofFour)).toBe(true);
    expect(holds(three, ofFour)).toBe(false);
  });

  test('ENC-05: is of this transcript', () => {
    expect(holds(single, ofSingle, { context: 2 })).toBe(false);
  });

  test('every point and every scalar of it counts', () => {
    const another = encodeG1(strangePoint());
    const points = [0, 48, 96, 144, ...Array.from({ length: 12 }, (_, i) => 288 + 48 * i)];
    for (const at of points)
      expect(
        holds(
          single,
          altered(ofSingle, at, 48, () => another),
        ),
        `point ${at}`,
      ).toBe(false);
    const scalars = [192, 224, 256, 864, 896];
    const plusOne = (piece: Uint8Array) => encodeScalar(Fr.add(decodeScalar(piece), 1n));
    for (const at of scalars) expect(holds(single, altered(ofSingle, at, 32, plusOne)), `scalar ${at}`).toBe(false);
  });

  test('ENC-01, ENC-03: the identity, and a scalar plus r, are refused wherever they stand', () => {
    const identity = new Uint8Array(48);
    identity[0] = 0xc0;
    for (const at of [0, 48, 96, 144, 288, 336, 768, 816])
      expect(
        holds(
          single,
          altered(ofSingle, at, 48, () => identity),
        ),
        `point ${at}`,
      ).toBe(false);
    const alias = (piece: Uint8Array) => {
      const value = decodeScalar(piece) + ORDER;
      return Uint8Array.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'));
    };
    let aliased = 0;
    for (const at of [192, 224, 256, 864, 896]) {
      // Some have no second name of 32 bytes.
      if (decodeScalar(ofSingle.slice(at, at + 32)) + ORDER >= 1n << 256n) continue;
      aliased++;
      expect(holds(single, altered(ofSingle, at, 32, alias)), `scalar ${at}`).toBe(false);
    }
    expect(aliased).toBeGreaterThan(0);
  });

  test('hides: two proofs of one value have no point in common', () => {
    const again = prove(single);
    for (let at = 0; at + 48 <= 192; at += 48)
      expect(again.subarray(at, at + 48)).not.toEqual(ofSingle.subarray(at, at + 48));
  });

  test('the same randomness makes the same proof', () => {
    const twice = [1, 2].map(() => proveRange(transcript(), mcl, single, stream('again')));
    expect(twice[0]).toEqual(twice[1]);
  });
});

/** A point that is in no proof. */
function strangePoint() {
  return commitValue(7n, 7n, random);
}
