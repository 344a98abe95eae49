import { webcrypto } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LocalCloudOptions } from '../../lib/local/cloud.ts';
import { SeededRandom, systemRandom } from '../../lib/local/random.ts';
import { makeCloud, OTHER, QUEUE } from './world.ts';

/** Two nodes that count, answer each other and wait for WebCrypto in between: everything that happens, in order. */
async function traceOf(seed: number, options: Partial<LocalCloudOptions>): Promise<string[]> {
  const cloud = makeCloud(options, seed);
  const trace: string[] = [];
  cloud.intercept(({ namespace, operation, when }) => {
    if (when === 'after') trace.push(`${namespace} ${operation} ${cloud.now}`);
  });
  for (const [queue, peer] of [
    [QUEUE, OTHER],
    [OTHER, QUEUE],
  ] as const) {
    const store = cloud.store(queue);
    const bus = cloud.bus({ namespace: queue });
    const random = cloud.random(queue);
    cloud.subscribe(queue, async (batch) => {
      trace.push(batch.map(({ body, receiveCount }) => `${body}/${receiveCount}`).join(' '));
      for (const { body } of batch) {
        const digest = await webcrypto.subtle.digest('SHA-256', random.bytes(32));
        const members = await store.addToSet('Ceremonies', { pk: 'p', sk: 's' }, new Set([Number(body)]));
        trace.push(`${members.size} ${Buffer.from(digest).toString('hex').slice(0, 8)}`);
        if (Number(body) < 40) await bus.send([{ queue: peer, body: `${Number(body) + 5}` }]);
      }
      return { failed: [] };
    });
  }
  await cloud.bus().send(Array.from({ length: 20 }, (_, i) => ({ queue: QUEUE, body: `${i}` })));
  await cloud.run();
  return trace;
}

const faults = { duplicate: 0.1, delay: 0.3, throttle: 0.05, unknownOutcome: 0.05, crash: 0.02 };

for (const concurrency of [1, 6]) {
  describe(`${concurrency} at once`, () => {
    test('one seed is one run, with faults too; another seed is another', async () => {
      for (const options of [{ concurrency }, { concurrency, faults }]) {
        const [first, again, other] = [await traceOf(1, options), await traceOf(1, options), await traceOf(2, options)];
        expect(first.length).toBeGreaterThan(100);
        expect(again).toEqual(first);
        expect(other).not.toEqual(first);
      }
    });
  });
}

test('two batches of one node interleave at their port calls, and each loses an unprotected update somewhere', async () => {
  const lost = new Set<boolean>();
  for (let seed = 1; seed <= 20; seed++) {
    const cloud = makeCloud({ concurrency: 2 }, seed);
    const store = cloud.store('alice');
    const key = { pk: 'p', sk: 's' };
    cloud.subscribe(
      QUEUE,
      async () => {
        const value = (await store.get('Keys', key))?.['value'];
        await store.write({ kind: 'put', table: 'Keys', item: { ...key, value: Number(value ?? 0) + 1 } });
        return { failed: [] };
      },
      { batchSize: 1 },
    );
    await cloud.bus().send([
      { queue: QUEUE, body: 'a' },
      { queue: QUEUE, body: 'b' },
    ]);
    await cloud.run();
    lost.add((await store.get('Keys', key))?.['value'] === 1);
  }
  expect(lost).toEqual(new Set([true, false]));
});

describe('random', () => {
  test('a stream does not depend on how it is cut, and labels are independent', () => {
    const seed = new Uint8Array(32).fill(3);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 8 }), (lengths) => {
        const [pieces, whole] = [new SeededRandom(seed, 'a'), new SeededRandom(seed, 'a')];
        const cut = Buffer.concat(lengths.map((length) => pieces.bytes(length)));
        expect(cut.equals(whole.bytes(cut.length))).toBe(true);
      }),
      { numRuns: 30 },
    );
    expect(new SeededRandom(seed, 'a').bytes(32)).not.toEqual(new SeededRandom(seed, 'b').bytes(32));
    expect(new SeededRandom(seed, 'a').bytes(32)).not.toEqual(new SeededRandom(new Uint8Array(32), 'a').bytes(32));
  });

  test('a stream of the cloud goes on when it is asked for again', () => {
    const cloud = makeCloud();
    expect(cloud.random('a').bytes(32)).not.toEqual(cloud.random('a').bytes(32));
    expect(cloud.random('a').bytes(32)).not.toEqual(cloud.random('b').bytes(32));
  });

  test('integers below a bound are uniform', () => {
    const dice = new SeededRandom(new Uint8Array(32), 'dice');
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 60_000; i++) {
      const drawn = dice.below(6);
      counts[drawn] = (counts[drawn] ?? Number.NaN) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
    expect(dice.below(1)).toBe(0);
    // Without rejection the lowest third of this range would come half of the time.
    const low = Array.from({ length: 6000 }, () => dice.below(3 * 2 ** 30)).filter((drawn) => drawn < 2 ** 30);
    expect(Math.abs(low.length - 2000)).toBeLessThan(250);
  });

  test('lengths are 1 to 65,536 bytes and seeds 32', () => {
    for (const random of [systemRandom, new SeededRandom(new Uint8Array(32), 'a')]) {
      expect(random.bytes(65_536)).toHaveLength(65_536);
      for (const length of [0, -1, 1.5, 65_537]) expect(() => random.bytes(length)).toThrow(RangeError);
    }
    expect(systemRandom.bytes(32)).not.toEqual(systemRandom.bytes(32));
    expect(() => new SeededRandom(new Uint8Array(31), 'a')).toThrow(RangeError);
  });
});

test('operators see their own clocks, which may be wrong and may jump', () => {
  const cloud = makeCloud({ startTime: 5000 });
  const [alice, bob] = [cloud.clock('alice'), cloud.clock('bob', 700)];
  expect([cloud.now, alice.now(), bob.now()]).toEqual([5000, 5000, 5700]);
  cloud.advance(2);
  cloud.clock('bob', -100);
  expect([cloud.now, alice.now(), bob.now()]).toEqual([7000, 7000, 6900]);
});
