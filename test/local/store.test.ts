import { describe, expect, test } from 'vitest';
import { itemBytes } from '../../lib/local/limits.ts';
import { compareUtf8 } from '../../lib/local/table.ts';
import { type Item, WrongContext } from '../../lib/ports.ts';
import { makeCloud } from './world.ts';

const KEY = { pk: 'p', sk: 's' };

describe('time to live', () => {
  test('an expired item may be read until its removal, which is late', async () => {
    const cloud = makeCloud({ faults: { ttlLagSeconds: 100 } });
    const store = cloud.store('alice');
    const ttl = cloud.now / 1000 + 10;
    await store.write({ kind: 'put', table: 'Nonces', item: { ...KEY, ttl } });
    cloud.advance(109);
    expect(await store.get('Nonces', KEY)).toBeDefined();
    expect(
      (await store.write({ kind: 'check', table: 'Nonces', key: KEY, condition: { kind: 'absent' } })).committed,
    ).toBe(false);
    cloud.advance(1);
    expect(await store.query('Nonces', 'p')).toEqual([]);
    expect(await store.get('Nonces', KEY)).toBeUndefined();
    expect(
      (await store.write({ kind: 'check', table: 'Nonces', key: KEY, condition: { kind: 'absent' } })).committed,
    ).toBe(true);
  });

  test('unless told otherwise, removals are up to 48 hours late, each by its own time', async () => {
    const cloud = makeCloud();
    const store = cloud.store('alice');
    const ttl = cloud.now / 1000;
    for (let i = 0; i < 100; i++)
      await store.write({ kind: 'put', table: 'Nonces', item: { pk: 'p', sk: `${i}`, ttl } });
    const left = async (): Promise<number> => (await store.query('Nonces', 'p')).length;
    cloud.advance(24 * 3600);
    expect(await left()).toBeGreaterThan(25);
    expect(await left()).toBeLessThan(75);
    cloud.advance(24 * 3600);
    expect(await left()).toBe(0);
  });

  test('a swept item is not due', async () => {
    const cloud = makeCloud({ faults: { ttlLagSeconds: 0 } });
    const store = cloud.store('alice');
    await store.write({ kind: 'put', table: 'Ceremonies', item: { ...KEY, wakeAt: 1, ttl: cloud.now / 1000 + 5 } });
    expect(await store.due(2, 10)).toEqual([KEY]);
    cloud.advance(5);
    expect(await store.due(2, 10)).toEqual([]);
  });
});

test('the due index may lag behind, but never forgets, and gives the longest due first', async () => {
  const cloud = makeCloud({ faults: { dueLagSeconds: 60 } });
  const store = cloud.store('alice');
  for (let i = 0; i < 30; i++)
    await store.write({ kind: 'put', table: 'Ceremonies', item: { pk: `p${i}`, sk: 's', wakeAt: 100 - i } });
  expect((await store.due(100, 100)).length).toBeLessThan(30);
  cloud.advance(60);
  const due = await store.due(100, 100);
  expect(due.map(({ pk }) => pk)).toEqual(Array.from({ length: 30 }, (_, i) => `p${29 - i}`));
  expect(await store.due(100, 3)).toEqual(due.slice(0, 3));
});

test('a token is forgotten after ten minutes', async () => {
  const cloud = makeCloud();
  const store = cloud.store('alice');
  const write = (value: number) => store.transact([{ kind: 'put', table: 'Keys', item: { ...KEY, value } }], 'token');
  await write(1);
  cloud.advance(599);
  await expect(write(2)).rejects.toThrow('IdempotentParameterMismatch');
  cloud.advance(1);
  expect(await write(2)).toEqual({ committed: true });
  expect(await store.get('Keys', KEY)).toMatchObject({ value: 2 });
});

test('the fingerprint of a token tells texts, numbers, bytes, conditions and tables apart', async () => {
  const store = makeCloud().store('alice');
  const values = ['1', 1, true, 'true', Uint8Array.of(49), new Set([1]), ['1'], [Uint8Array.of(49)]] as const;
  await store.transact([{ kind: 'put', table: 'Keys', item: { ...KEY, value: '1' } }], 'token');
  for (const value of values.slice(1)) {
    const item = { ...KEY, value } as Item;
    await expect(store.transact([{ kind: 'put', table: 'Keys', item }], 'token')).rejects.toThrow('Mismatch');
  }
  // Without their lengths these two lists would read the same.
  const cut = (value: readonly string[]) =>
    store.transact([{ kind: 'put', table: 'Keys', item: { ...KEY, value } }], 'cut');
  await cut(['astring:b', 'c']);
  await expect(cut(['a', 'bstring:c'])).rejects.toThrow('Mismatch');
  const item = { ...KEY, value: '1' };
  await expect(store.transact([{ kind: 'put', table: 'Serials', item }], 'token')).rejects.toThrow('Mismatch');
  await expect(
    store.transact([{ kind: 'put', table: 'Keys', item, condition: { kind: 'present' } }], 'token'),
  ).rejects.toThrow('Mismatch');
  expect(
    await store.transact([{ kind: 'put', table: 'Keys', item: { value: '1', sk: 's', pk: 'p' } }], 'token'),
  ).toEqual({ committed: true });
});

describe('snapshots', () => {
  test('a restored table has the old items and another identity; the one that was there is gone', async () => {
    const cloud = makeCloud();
    const store = cloud.store('alice');
    await store.write({ kind: 'put', table: 'Ceremonies', item: { ...KEY, version: 1, wakeAt: 5 } });
    await store.addToSet('Ceremonies', { pk: 'p', sk: 'set' }, new Set([1]));
    const id = await store.tableId('Ceremonies');
    const snapshot = cloud.snapshotTable('alice', 'Ceremonies');
    await store.write({ kind: 'put', table: 'Ceremonies', item: { ...KEY, version: 2 } });
    await store.addToSet('Ceremonies', { pk: 'p', sk: 'set' }, new Set([2]));
    await store.write({ kind: 'put', table: 'Ceremonies', item: { pk: 'p', sk: 'new' } });
    expect(await store.tableId('Ceremonies')).toBe(id);
    cloud.restoreTable('alice', snapshot);
    expect(await store.query('Ceremonies', 'p')).toEqual([
      { ...KEY, version: 1, wakeAt: 5 },
      { pk: 'p', sk: 'set', members: new Set([1]) },
    ]);
    expect(await store.due(5, 10)).toEqual([KEY]);
    const restored = await store.tableId('Ceremonies');
    expect(restored).not.toBe(id);
    cloud.restoreTable('alice', snapshot);
    expect(new Set([id, restored, await store.tableId('Ceremonies')]).size).toBe(3);
  });

  test('a copy has the items and an identity of its own, and both go their own ways', async () => {
    const cloud = makeCloud();
    const [alice, clone] = [cloud.store('alice'), cloud.store('clone')];
    await alice.write({ kind: 'put', table: 'Nonces', item: { ...KEY, version: 1 } });
    cloud.copyTable('alice', 'Nonces', 'clone');
    await alice.write({ kind: 'delete', table: 'Nonces', key: KEY });
    expect(await clone.get('Nonces', KEY)).toEqual({ ...KEY, version: 1 });
    expect(await clone.tableId('Nonces')).not.toBe(await alice.tableId('Nonces'));
  });

  test('what the auditor is shown, it cannot change', async () => {
    const cloud = makeCloud();
    await cloud.store('alice').write({ kind: 'put', table: 'Keys', item: { ...KEY, bytes: Uint8Array.of(1) } });
    const [shown] = cloud.inspect.items('alice', 'Keys');
    (shown?.['bytes'] as Uint8Array)[0] = 9;
    expect(cloud.inspect.items('alice', 'Keys')).toEqual([{ ...KEY, bytes: Uint8Array.of(1) }]);
  });
});

test('role instances share no tables and no wrapping keys, and the seed gives the same ones again', async () => {
  const [cloud, again] = [makeCloud(), makeCloud()];
  await cloud.store('alice').write({ kind: 'put', table: 'Keys', item: KEY as Item });
  expect(await cloud.store('bob').get('Keys', KEY)).toBeUndefined();
  expect(await cloud.store('alice').tableId('Keys')).not.toBe(await cloud.store('bob').tableId('Keys'));
  const { plaintext, wrapped } = await cloud.wrapper('alice').generateDataKey('keys', {});
  expect(await again.wrapper('alice').decrypt('keys', wrapped, {})).toEqual(plaintext);
  await expect(makeCloud({}, 2).wrapper('alice').decrypt('keys', wrapped, {})).rejects.toThrow(WrongContext);
});

test('sizes are those of the DynamoDB rules', () => {
  const cases: readonly [string, Item['x'], number][] = [
    ['text', 'grün', 5],
    ['no bytes', new Uint8Array(0), 0],
    ['bytes', new Uint8Array(7), 7],
    ['boolean', false, 1],
    ['zero', 0, 1],
    ['one digit', 7, 2],
    ['three digits', 123, 3],
    ['trailing zeroes', 12_000, 2],
    ['negative', -123, 4],
    ['set of numbers', new Set([1, 22, 333]), 2 + 2 + 3],
    ['empty list', [] as readonly string[], 3],
    ['list', ['ab', 'c'], 3 + 3 + 2],
    ['list of bytes', [new Uint8Array(4), new Uint8Array(0)], 3 + 5 + 1],
  ] as const;
  const base = itemBytes({ pk: 'a', sk: 'b' });
  expect(base).toBe(6);
  for (const [name, value, bytes] of cases)
    expect(itemBytes({ pk: 'a', sk: 'b', x: value } as Item) - base - 1, name).toBe(bytes);
});

test('sort keys compare as their UTF-8 bytes do', () => {
  const texts = [
    '',
    'a',
    'ab',
    'b',
    'é',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '\u{10000}',
    '\u{10ffff}',
    'a\u{10000}',
    'a\uffff',
  ];
  for (const a of texts) {
    for (const b of texts) {
      expect(Math.sign(compareUtf8(a, b)), `${a} ${b}`).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }
  }
});
