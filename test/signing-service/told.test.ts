/** Who tells of what was spent, and who is silent beside them. */
import { describe, expect, test } from 'vitest';
import { LocalCloud } from '../../lib/local/cloud.ts';
import { noteTold, silentBeside, type Told, toldBy } from '../../lib/signing-service/gossip.ts';

const PLACE = { asset: 'usd', epoch: 3 };
const LATELY = 4_500;
const told = (...rows: readonly (readonly [index: number, since: number, at: number])[]): ReadonlyMap<number, Told> =>
  new Map(rows.map(([index, since, at]) => [index, { since, at }]));

describe('a service is silent beside others', () => {
  const peers = [2, 3, 4, 5];

  test('when t − 1 of them have told of something for long enough after its last word, and not a second before', () => {
    const at = (later: number) => told([2, 0, 100], [3, 0, 100 + later], [4, 0, 100 + later]);
    expect(silentBeside(at(LATELY), [2, 3, 4], 3, LATELY)).toEqual([2]);
    expect(silentBeside(at(LATELY - 1), [2, 3, 4], 3, LATELY)).toEqual([]);
  });

  test('not when fewer do, who might all be liars', () => {
    const rows = told([2, 0, 100], [3, 0, 100], [4, 0, 9_000], [5, 0, 9_000]);
    expect(silentBeside(rows, peers, 4, LATELY)).toEqual([]);
    expect(silentBeside(rows, peers, 3, LATELY)).toEqual([2, 3]);
  });

  test('not when nobody tells, or nobody goes on to tell', () => {
    expect(silentBeside(told(), peers, 2, LATELY)).toEqual([]);
    expect(silentBeside(told([2, 0, 100], [3, 0, 150], [4, 0, 120], [5, 0, 160]), peers, 2, LATELY)).toEqual([]);
  });

  test('when it has never told of anything, as long after the others began', () => {
    expect(silentBeside(told([2, 100, 100 + LATELY]), [2, 3], 2, LATELY)).toEqual([3]);
    expect(silentBeside(told([2, 100, 99 + LATELY]), [2, 3], 2, LATELY)).toEqual([]);
  });

  test('not by its own word', () => {
    expect(silentBeside(told([2, 0, 9_000]), [2], 2, LATELY)).toEqual([]);
  });
});

describe('what is written of a peer', () => {
  const cloud = new LocalCloud({ seed: new Uint8Array(32), clock: 'virtual' });
  const store = cloud.store('operator1/usd');
  const writes: unknown[] = [];
  const counted = new Proxy(store, {
    get: (of, property) => {
      const value: unknown = Reflect.get(of, property, of);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (property === 'write') writes.push(args);
        return value.apply(of, args);
      };
    },
  });

  test('costs one write in ten minutes, however much it tells, and keeps when it began', async () => {
    for (const now of [1_000, 1_001, 1_599]) await noteTold(counted, PLACE, 2, now);
    expect(writes).toHaveLength(1);
    await noteTold(counted, PLACE, 2, 1_600);
    await noteTold(counted, PLACE, 3, 1_600);
    expect(writes).toHaveLength(3);
    expect([...(await toldBy(store, PLACE))]).toEqual([
      [2, { since: 1_000, at: 1_600 }],
      [3, { since: 1_600, at: 1_600 }],
    ]);
    expect([...(await toldBy(store, { ...PLACE, epoch: 4 }))]).toEqual([]);
  });
});
