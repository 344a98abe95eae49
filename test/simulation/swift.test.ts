/** What the quicker engines of bulk runs must give: the very same bytes. */
import { createHash } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { describe, expect, test } from 'vitest';
import { SUITES, suiteOf } from '../../lib/frost/suite.ts';
import { SeededRandom } from '../../lib/local/random.ts';
import { toHex } from '../../lib/messages/hex.ts';
import { castingFor } from './liars.ts';
import { simulate } from './run.ts';
import { seedBytes } from './seed.ts';
import { swiftSimulator } from './swift.ts';
import { sign, verifies } from './swift-ed25519.ts';
import { suiteOf as swiftSuiteOf } from './swift-suite.ts';

const PATIENCE = { timeout: 600_000 };
const random = new SeededRandom(seedBytes(5), 'swift');

test.each([
  ['a run', 3, false],
  ['a run that assembles its committee', 8, false],
  ['a run with a Byzantine operator', 5, true],
])('%s is the same run with the quicker engines as with the product’s own', PATIENCE, async (_, seed, byzantine) => {
  const swift = await swiftSimulator();
  const digest = async (simulator: { simulate: typeof simulate; castingFor: typeof castingFor }): Promise<string> => {
    const hash = createHash('sha256');
    const casting = byzantine ? simulator.castingFor(seed, 3, 2) : undefined;
    await simulator.simulate({ seed, casting, trace: (line) => hash.update(`${line}\n`) });
    return hash.digest('hex');
  };
  expect(await digest(swift)).toBe(await digest({ simulate, castingFor }));
});

describe('statements', () => {
  const secret = random.bytes(32);
  const publicKey = toHex(ed25519.getPublicKey(secret));
  const message = random.bytes(200);

  test('are signed with the bytes that noble signs with', () => {
    expect(sign(message, secret)).toEqual(ed25519.sign(message, secret));
  });

  test('a signature that was verified is good for its own message and key only', () => {
    const signature = sign(message, secret);
    expect(verifies(message, signature, publicKey)).toBe(true);
    expect(verifies(random.bytes(200), signature, publicKey)).toBe(false);
    const other = toHex(ed25519.getPublicKey(random.bytes(32)));
    expect(verifies(message, signature, other)).toBe(false);
    const forged = new Uint8Array(signature);
    forged[40] = (forged[40] as number) ^ 1;
    expect(verifies(message, forged, publicKey)).toBe(false);
    // Nor does the refusal forget what was good, or remember what was not.
    expect(verifies(message, signature, publicKey)).toBe(true);
    expect(verifies(message, forged, publicKey)).toBe(false);
  });
});

describe.each(SUITES)('%s', (name) => {
  const own = suiteOf(name);
  const swift = swiftSuiteOf(name);

  test('multiples of the base point are noble’s', () => {
    const { ORDER } = own.Fn;
    const edge = [1n, 2n, 255n, 256n, 257n, 1n << 248n, ORDER - 1n];
    const drawn = Array.from({ length: 20 }, () => own.Fn.create(BigInt(toHex(random.bytes(32)))));
    for (const scalar of [...edge, ...drawn]) {
      expect(swift.multiplyBase(scalar)).toEqual(own.multiplyBase(scalar));
      expect(swift.multiplyBasePublic(scalar)).toEqual(own.multiplyBasePublic(scalar));
    }
    expect(swift.multiplyBasePublic(0n)).toBeUndefined();
    expect(() => swift.multiplyBase(0n)).toThrow();
  });

  test('sums of products are remembered by all of their points and scalars', () => {
    const [a, b] = [own.multiplyBase(7n), own.multiplyBase(11n)];
    for (const [points, scalars] of [
      [
        [a, b],
        [3n, 5n],
      ],
      [
        [b, a],
        [3n, 5n],
      ],
      [
        [a, b],
        [5n, 3n],
      ],
      [[a], [3n]],
      [
        [a, b],
        [3n, 5n],
      ],
    ] as const)
      expect(swift.curve.normalize([swift.curve.multiScalar(points, scalars)])).toEqual(
        own.curve.normalize([own.curve.multiScalar(points, scalars)]),
      );
  });
});
