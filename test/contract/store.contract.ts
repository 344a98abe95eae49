/** What every {@link Store} must do, whatever it runs on. */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import {
  MAX_ITEM_BYTES,
  MAX_PK_BYTES,
  MAX_SK_BYTES,
  MAX_TRANSACTION_BYTES,
  MAX_TRANSACTION_WRITES,
} from '../../lib/local/limits.ts';
import { type Condition, type Item, type Key, LimitExceeded, type Store, TABLES, type Write } from '../../lib/ports.ts';

const TABLE = 'Ceremonies';

/** A put of an item that is exactly so many bytes as DynamoDB counts them. */
function putOf(key: Key, bytes: number): Write {
  const names = 'pk'.length + 'sk'.length + 'filler'.length;
  const filler = new Uint8Array(bytes - names - Buffer.byteLength(key.pk) - Buffer.byteLength(key.sk));
  return { kind: 'put', table: TABLE, item: { ...key, filler } };
}

const put = (item: Item, condition?: Condition): Write =>
  condition ? { kind: 'put', table: TABLE, item, condition } : { kind: 'put', table: TABLE, item };

/** @param makeStore tables may be shared with others: every test has its own partition keys */
export function storeContract(name: string, makeStore: () => Promise<Store>): void {
  describe(`store contract: ${name}`, () => {
    let store: Store;
    beforeAll(async () => {
      store = await makeStore();
    });
    const fresh = (sk = 'item'): Key => ({ pk: `contract-${randomUUID()}`, sk });

    describe('items', () => {
      test('every kind of attribute comes back as it was put', async () => {
        const item: Item = {
          ...fresh(),
          text: 'grün 🔑',
          empty: '',
          number: Number.MAX_SAFE_INTEGER,
          negative: -7,
          zero: 0,
          yes: true,
          no: false,
          bytes: Uint8Array.of(0, 1, 255),
          members: new Set([3, 1, 2]),
          list: [Uint8Array.of(1), new Uint8Array(0)],
          texts: ['a', ''],
          none: [] as readonly string[],
        };
        await store.write(put(item));
        expect(await store.get(TABLE, item)).toEqual(item);
      });

      test('an item that is not there is undefined, and a table is not another table', async () => {
        const key = fresh();
        await store.write(put({ ...key, value: 1 }));
        expect(await store.get(TABLE, fresh())).toBeUndefined();
        expect(await store.get('Keys', key)).toBeUndefined();
      });

      test('a put replaces the whole item', async () => {
        const key = fresh();
        await store.write(put({ ...key, old: 1 }));
        await store.write(put({ ...key, new: 2 }));
        expect(await store.get(TABLE, key)).toEqual({ ...key, new: 2 });
      });

      test('a delete removes the item, and a delete of nothing is accepted', async () => {
        const key = fresh();
        await store.write(put({ ...key }));
        expect(await store.write({ kind: 'delete', table: TABLE, key })).toEqual({ committed: true });
        expect(await store.get(TABLE, key)).toBeUndefined();
        expect(await store.write({ kind: 'delete', table: TABLE, key })).toEqual({ committed: true });
      });

      test('callers share no bytes, sets or lists with the table', async () => {
        const item = { ...fresh(), bytes: Uint8Array.of(1), members: new Set([1]), list: [Uint8Array.of(1)] };
        await store.write(put(item));
        const change = (copy: typeof item): void => {
          copy.bytes[0] = 9;
          copy.members.add(9);
          const [first] = copy.list;
          if (first) first[0] = 9;
        };
        change(item);
        change((await store.get(TABLE, item)) as typeof item);
        change((await store.query(TABLE, item.pk))[0] as typeof item);
        change((await store.batchGet(TABLE, [item]))[0] as typeof item);
        const stored = { bytes: Uint8Array.of(1), members: new Set([1]), list: [Uint8Array.of(1)] };
        expect(await store.get(TABLE, item)).toMatchObject(stored);
        expect((await store.query(TABLE, item.pk))[0]).toMatchObject(stored);
      });
    });

    describe('conditions', () => {
      const value = Uint8Array.of(1, 2);
      const cases: readonly [string, Condition, { absent: boolean; same: boolean; other: boolean }][] = [
        ['absent', { kind: 'absent' }, { absent: true, same: false, other: false }],
        ['present', { kind: 'present' }, { absent: false, same: true, other: true }],
        ['equals', { kind: 'equals', attribute: 'value', value }, { absent: false, same: true, other: false }],
        [
          'absentOrEquals',
          { kind: 'absentOrEquals', attribute: 'value', value },
          { absent: true, same: true, other: false },
        ],
      ];
      const lying = { absent: undefined, same: value, other: Uint8Array.of(1, 3) };

      for (const [kind, condition, expected] of cases) {
        for (const state of ['absent', 'same', 'other'] as const) {
          const verb = expected[state] ? 'lets through' : 'stops';
          test(`${kind} ${verb} a put, a delete and a check on an item that is ${state}`, async () => {
            for (const operation of ['put', 'delete', 'check'] as const) {
              const key = fresh();
              const lay: Item | undefined = lying[state] && { ...key, value: lying[state] };
              if (lay) await store.write(put(lay));
              const written: Item = { ...key, written: true };
              const write: Write =
                operation === 'put' ? put(written, condition) : { kind: operation, table: TABLE, key, condition };
              const result = await store.write(write);
              const failure = { committed: false, failures: [{ index: 0, item: lay }] };
              expect(result).toEqual(expected[state] ? { committed: true } : failure);
              const after = { put: written, delete: undefined, check: lay }[operation];
              expect(await store.get(TABLE, key)).toEqual(expected[state] ? after : lay);
            }
          });
        }
      }

      test('values are compared with their types, and an absent attribute equals nothing', async () => {
        const key = fresh();
        await store.write(put({ ...key, value: 1, text: 'true' }));
        const held = async (attribute: string, value: string | number | boolean | Uint8Array): Promise<boolean> =>
          (await store.write({ kind: 'check', table: TABLE, key, condition: { kind: 'equals', attribute, value } }))
            .committed;
        expect(await held('value', 1)).toBe(true);
        expect(await held('value', '1')).toBe(false);
        expect(await held('text', true)).toBe(false);
        expect(await held('text', 'true')).toBe(true);
        expect(await held('missing', '')).toBe(false);
        expect(await held('missing', false)).toBe(false);
      });

      test('a condition cannot ask for what a table cannot hold', async () => {
        const condition: Condition = { kind: 'equals', attribute: 'value', value: Number.NaN };
        await expect(store.write(put({ ...fresh() }, condition))).rejects.toThrow(LimitExceeded);
      });

      test('of fifty writers of one absent item exactly one wins, and the others are shown the winner', async () => {
        const key = fresh();
        const results = await Promise.all(
          Array.from({ length: 50 }, (_, writer) => store.write(put({ ...key, writer }, { kind: 'absent' }))),
        );
        const winner = results.findIndex(({ committed }) => committed);
        expect(results.filter(({ committed }) => committed)).toHaveLength(1);
        expect(await store.get(TABLE, key)).toEqual({ ...key, writer: winner });
        for (const result of results) {
          if (!result.committed) expect(result.failures).toEqual([{ index: 0, item: { ...key, writer: winner } }]);
        }
      });

      test('of fifty transactions on one version at most one is applied', async () => {
        const key = fresh();
        await store.write(put({ ...key, version: 1 }));
        const results = await Promise.allSettled(
          Array.from({ length: 50 }, (_, writer) =>
            store.transact(
              [put({ ...key, version: 2, writer }, { kind: 'equals', attribute: 'version', value: 1 })],
              randomUUID(),
            ),
          ),
        );
        const applied = results.flatMap((result, writer) =>
          result.status === 'fulfilled' && result.value.committed ? [writer] : [],
        );
        expect(applied.length).toBeLessThanOrEqual(1);
        const [writer] = applied;
        if (writer !== undefined) expect(await store.get(TABLE, key)).toEqual({ ...key, version: 2, writer });
        // A service that cancels conflicting transactions may cancel all of them, but says so.
        else expect(results.some(({ status }) => status === 'rejected')).toBe(true);
      });
    });

    describe('transactions', () => {
      test('one failed condition leaves everything as it was; all failures are reported, each with what lay there', async () => {
        const [first, second, third, fourth] = [fresh(), fresh(), fresh(), fresh()];
        await store.write(put({ ...second, lay: 2 }));
        const result = await store.transact(
          [
            put({ ...first, value: 1 }),
            put({ ...second, value: 1 }, { kind: 'absent' }),
            { kind: 'check', table: 'Keys', key: third, condition: { kind: 'present' } },
            { kind: 'delete', table: TABLE, key: fourth },
          ],
          randomUUID(),
        );
        const failures = [
          { index: 1, item: { ...second, lay: 2 } },
          { index: 2, item: undefined },
        ];
        expect(result).toEqual({ committed: false, failures });
        expect(await store.get(TABLE, first)).toBeUndefined();
        expect(await store.get(TABLE, second)).toEqual({ ...second, lay: 2 });
      });

      test('writes of several tables are applied together', async () => {
        const key = fresh();
        await store.write({ kind: 'put', table: 'Nonces', item: { ...key, secret: 1 } });
        const result = await store.transact(
          [
            put({ ...key, state: 'signed' }),
            { kind: 'delete', table: 'Nonces', key, condition: { kind: 'present' } },
            { kind: 'check', table: 'Keys', key, condition: { kind: 'absent' } },
          ],
          randomUUID(),
        );
        expect(result).toEqual({ committed: true });
        expect(await store.get(TABLE, key)).toEqual({ ...key, state: 'signed' });
        expect(await store.get('Nonces', key)).toBeUndefined();
      });

      test('a repetition under the same token is reported as committed and not applied again', async () => {
        const key = fresh();
        const writes = [put({ ...key, value: 1 }, { kind: 'absent' })];
        const token = randomUUID();
        expect(await store.transact(writes, token)).toEqual({ committed: true });
        await store.write(put({ ...key, value: 2 }));
        expect(await store.transact(writes, token)).toEqual({ committed: true });
        expect(await store.get(TABLE, key)).toEqual({ ...key, value: 2 });
      });

      test('the same token with other writes is refused', async () => {
        const key = fresh();
        const token = randomUUID();
        await store.transact([put({ ...key, value: 1 })], token);
        await expect(store.transact([put({ ...key, value: 2 })], token)).rejects.toThrow(LimitExceeded);
        expect(await store.get(TABLE, key)).toEqual({ ...key, value: 1 });
      });

      test('a token whose transaction failed may be used again', async () => {
        const key = fresh();
        const writes = [put({ ...key, value: 1 }, { kind: 'present' })];
        const token = randomUUID();
        expect(await store.transact(writes, token)).toMatchObject({ committed: false });
        await store.write(put({ ...key, value: 0 }));
        expect(await store.transact(writes, token)).toEqual({ committed: true });
        expect(await store.get(TABLE, key)).toEqual({ ...key, value: 1 });
      });

      test('two writes on one key are refused', async () => {
        const key = fresh();
        const check: Write = { kind: 'check', table: TABLE, key, condition: { kind: 'absent' } };
        await expect(store.transact([put({ ...key }), check], randomUUID())).rejects.toThrow(LimitExceeded);
        expect(await store.get(TABLE, key)).toBeUndefined();
      });

      test('tokens have 1 to 36 characters', async () => {
        await expect(store.transact([put({ ...fresh() })], '')).rejects.toThrow(LimitExceeded);
        await expect(store.transact([put({ ...fresh() })], 'x'.repeat(37))).rejects.toThrow(LimitExceeded);
      });
    });

    describe('limits', () => {
      test('an item of 400 KB is stored, and one byte more is refused', async () => {
        const key = fresh();
        expect(await store.write(putOf(key, MAX_ITEM_BYTES))).toEqual({ committed: true });
        await expect(store.write(putOf(fresh(), MAX_ITEM_BYTES + 1))).rejects.toThrow(LimitExceeded);
        await expect(store.transact([putOf(fresh(), MAX_ITEM_BYTES + 1)], randomUUID())).rejects.toThrow(LimitExceeded);
        expect((await store.get(TABLE, key))?.['filler']).toHaveLength(
          MAX_ITEM_BYTES - 10 - key.pk.length - key.sk.length,
        );
      });

      test('names and multi-byte text count towards the size of an item', async () => {
        const key = fresh();
        const left = MAX_ITEM_BYTES - 'pksk'.length - key.pk.length - key.sk.length;
        const text = 'ü'.repeat((left - 'näme'.length - 1) >> 1);
        const odd = (left - 5) % 2;
        await store.write(put({ ...key, [`näme${'x'.repeat(odd)}`]: text }));
        await expect(store.write(put({ ...fresh(), [`näme${'x'.repeat(odd + 1)}`]: text }))).rejects.toThrow(
          LimitExceeded,
        );
      });

      test(`${MAX_TRANSACTION_WRITES} writes are one transaction, one more or none is refused`, async () => {
        const { pk } = fresh();
        const writes = Array.from({ length: MAX_TRANSACTION_WRITES + 1 }, (_, i) =>
          put({ pk, sk: `${i}`.padStart(3, '0') }),
        );
        await expect(store.transact(writes, randomUUID())).rejects.toThrow(LimitExceeded);
        await expect(store.transact([], randomUUID())).rejects.toThrow(LimitExceeded);
        expect(await store.query(TABLE, pk)).toEqual([]);
        expect(await store.transact(writes.slice(1), randomUUID())).toEqual({ committed: true });
        expect(await store.query(TABLE, pk)).toHaveLength(MAX_TRANSACTION_WRITES);
      });

      test('4 MB are one transaction, one byte more is refused', async () => {
        const { pk } = fresh();
        const rest = MAX_TRANSACTION_BYTES - 10 * MAX_ITEM_BYTES;
        const full = (last: number): Write[] => [
          ...Array.from({ length: 10 }, (_, i) => putOf({ pk, sk: `full${i}` }, MAX_ITEM_BYTES)),
          putOf({ pk, sk: 'last' }, last),
        ];
        await expect(store.transact(full(rest + 1), randomUUID())).rejects.toThrow(LimitExceeded);
        expect(await store.query(TABLE, pk)).toEqual([]);
        expect(await store.transact(full(rest), randomUUID())).toEqual({ committed: true });
        expect(await store.query(TABLE, pk)).toHaveLength(11);
      });

      test('keys are as long as they may be and no longer, and never empty', async () => {
        const longest: Key = { pk: randomUUID().padEnd(MAX_PK_BYTES, 'p'), sk: 's'.repeat(MAX_SK_BYTES) };
        await store.write(put({ ...longest }));
        expect(await store.get(TABLE, longest)).toEqual(longest);
        const wrong = [{ pk: `${longest.pk}p` }, { sk: `${longest.sk}s` }, { pk: '' }, { sk: '' }];
        for (const change of wrong) {
          const key = { ...longest, ...change };
          await expect(store.write(put({ ...key }))).rejects.toThrow(LimitExceeded);
          await expect(store.get(TABLE, key)).rejects.toThrow(LimitExceeded);
          await expect(store.write({ kind: 'delete', table: TABLE, key })).rejects.toThrow(LimitExceeded);
        }
      });

      test('what a table cannot hold is refused: unsafe numbers, empty sets, values that are missing', async () => {
        const wrong = [
          0.5,
          Number.NaN,
          Number.MAX_SAFE_INTEGER + 1,
          new Set<number>(),
          undefined,
          null,
          { nested: 1 },
          [1],
        ];
        for (const value of wrong) {
          await expect(store.write(put({ ...fresh(), value } as unknown as Item))).rejects.toThrow(LimitExceeded);
        }
      });
    });

    describe('reading many', () => {
      test('a query is in the order of the UTF-8 bytes of the sort key, and holds one partition only', async () => {
        const { pk } = fresh();
        const ascending = ['#', '0', '10', '9', 'A', 'IN#1', 'IN#1#2', 'IN#2', 'a', 'é', '\uff5e', '🔑'];
        for (const sk of [...ascending].reverse()) await store.write(put({ pk, sk }));
        await store.write(put({ pk: `${pk}x`, sk: 'A' }));
        expect((await store.query(TABLE, pk)).map(({ sk }) => sk)).toEqual(ascending);
      });

      test('a prefix takes exactly the sort keys that begin with it', async () => {
        const { pk } = fresh();
        for (const sk of ['IN', 'IN#', 'IN#1', 'IN#10', 'IN$', 'in#1', 'OUT#1']) await store.write(put({ pk, sk }));
        expect((await store.query(TABLE, pk, 'IN#')).map(({ sk }) => sk)).toEqual(['IN#', 'IN#1', 'IN#10']);
        expect(await store.query(TABLE, pk, 'NONE')).toEqual([]);
        expect(await store.query(TABLE, fresh().pk)).toEqual([]);
      });

      test('a query by pages gives each item once, in the same order, also behind one that is gone', async () => {
        const { pk } = fresh();
        const ascending = ['#', '10', '9', 'A', 'a', 'é', '🔑'];
        for (const sk of [...ascending].reverse()) await store.write(put({ pk, sk }));
        const told: string[] = [];
        for (let after: string | undefined; ; after = told.at(-1)) {
          const page = await store.query(TABLE, pk, '', { after, limit: 3 });
          told.push(...page.map(({ sk }) => sk));
          if (page.length < 3) break;
        }
        expect(told).toEqual(ascending);
        const behind = await store.query(TABLE, pk, '', { after: '95', limit: 1 });
        expect(behind.map(({ sk }) => sk)).toEqual(['A']);
      });

      test('a query of more than 1 MB is complete', async () => {
        const { pk } = fresh();
        const keys = Array.from({ length: 12 }, (_, i) => ({ pk, sk: `IN#${`${i}`.padStart(2, '0')}` }));
        await Promise.all(keys.map((key) => store.write(putOf(key, 200_000))));
        expect((await store.query(TABLE, pk, 'IN#')).map(({ sk }) => sk)).toEqual(keys.map(({ sk }) => sk));
      });

      test('batchGet takes any number of keys, leaves out what is absent and gives an item once', async () => {
        const { pk } = fresh();
        const keys = Array.from({ length: 130 }, (_, i) => ({ pk, sk: `${i}` }));
        await Promise.all(keys.slice(0, 120).map((key) => store.write(put({ ...key }))));
        const found = await store.batchGet(TABLE, [...keys, { pk, sk: '0' }]);
        expect(found).toHaveLength(120);
        expect(new Set(found.map(({ sk }) => sk)).size).toBe(120);
        expect(await store.batchGet(TABLE, [])).toEqual([]);
      });
    });

    describe('sets', () => {
      test('addToSet makes the item, returns the whole set and keeps other attributes', async () => {
        const key = fresh();
        expect(await store.addToSet(TABLE, key, new Set([2]), { ttl: 4_000_000_000 })).toEqual(new Set([2]));
        expect(await store.addToSet(TABLE, key, new Set([5, 1, 2]), { more: 'x' })).toEqual(new Set([1, 2, 5]));
        expect(await store.get(TABLE, key)).toEqual({
          ...key,
          members: new Set([1, 2, 5]),
          ttl: 4_000_000_000,
          more: 'x',
        });
      });

      test('of a hundred concurrent additions none is lost, and exactly one sees the set become full', async () => {
        const key = fresh();
        const seen = await Promise.all(
          Array.from({ length: 100 }, (_, i) => store.addToSet(TABLE, key, new Set([i + 1]))),
        );
        expect(seen.filter((members) => members.size === 100)).toHaveLength(1);
        expect((await store.get(TABLE, key))?.['members']).toHaveProperty('size', 100);
      });

      test('an addition to what is no set, or beyond 400 KB, is refused', async () => {
        const [bytes, full] = [fresh(), fresh()];
        await store.write(put({ ...bytes, members: Uint8Array.of(1) }));
        await expect(store.addToSet(TABLE, bytes, new Set([1]))).rejects.toThrow(LimitExceeded);
        await store.write(putOf(full, MAX_ITEM_BYTES - 5));
        await expect(store.addToSet(TABLE, full, new Set([1]))).rejects.toThrow(LimitExceeded);
        expect((await store.get(TABLE, full))?.['members']).toBeUndefined();
      });

      test('an empty addition, and further attributes named as the set or the key, are refused', async () => {
        const key = fresh();
        await expect(store.addToSet(TABLE, key, new Set())).rejects.toThrow(LimitExceeded);
        for (const name of ['members', 'pk', 'sk']) {
          await expect(store.addToSet(TABLE, key, new Set([1]), { [name]: 'x' })).rejects.toThrow(LimitExceeded);
        }
        expect(await store.get(TABLE, key)).toBeUndefined();
      });
    });

    describe('the due index', () => {
      const dueOf = async ({ pk }: Key, now: number): Promise<readonly Key[]> =>
        (await store.due(now, 10_000)).filter((key) => key.pk === pk);

      test('holds ceremonies with wakeAt up to now, until it is taken away', async () => {
        const key = fresh();
        const wakeAt = 1_500_000_000;
        await store.write(put({ ...key, wakeAt }));
        await vi.waitFor(async () => expect(await dueOf(key, wakeAt)).toEqual([key]));
        expect(await dueOf(key, wakeAt - 1)).toEqual([]);
        await store.write(put({ ...key }));
        await vi.waitFor(async () => expect(await dueOf(key, wakeAt)).toEqual([]));
        await store.write(put({ ...key, wakeAt }));
        await store.write({ kind: 'delete', table: TABLE, key });
        await vi.waitFor(async () => expect(await dueOf(key, wakeAt)).toEqual([]));
      });

      test('does not hold items of other tables, and keeps to its limit', async () => {
        const key = fresh();
        await store.write({ kind: 'put', table: 'Keys', item: { ...key, wakeAt: 1 } });
        for (const sk of ['a', 'b', 'c']) await store.write(put({ ...key, sk, wakeAt: 1 }));
        await vi.waitFor(async () => expect(await dueOf(key, 1)).toHaveLength(3));
        expect(await store.due(1, 2)).toHaveLength(2);
      });
    });

    test('every table has an identity of its own, which stays', async () => {
      const ids = await Promise.all(TABLES.map((table) => store.tableId(table)));
      expect(new Set(ids).size).toBe(TABLES.length);
      expect(await Promise.all(TABLES.map((table) => store.tableId(table)))).toEqual(ids);
    });
  });
}
