import { expect, test } from 'vitest';
import { LocalCloud } from '../../lib/local/cloud.ts';
import type { QueueName } from '../../lib/ports.ts';

const QUEUE = 'coterie-alice-btc-Start' as QueueName;

function world(): LocalCloud {
  const cloud = new LocalCloud({ seed: new Uint8Array(32).fill(3), clock: 'virtual' });
  cloud.createQueue(QUEUE, { visibilityTimeoutSeconds: 10 });
  return cloud;
}

test('a batch that reports an id it was not given comes again as a whole, as Lambda has it', async () => {
  const cloud = world();
  const failures: unknown[] = [];
  cloud.inspect.onFailure((_, error) => failures.push(error));
  const counts: number[] = [];
  cloud.subscribe(QUEUE, async (batch) => {
    counts.push(...batch.map(({ receiveCount }) => receiveCount));
    return { failed: counts.length === 1 ? ['no such id'] : [] };
  });
  await cloud.bus().send([{ queue: QUEUE, body: 'a' }]);
  await cloud.run();
  expect(counts).toEqual([1, 2]);
  expect(failures).toHaveLength(1);
});

test('a port call of a batch that has returned is reported: in Lambda it would freeze, and thaw in another batch', async () => {
  const cloud = world();
  const late: string[] = [];
  cloud.inspect.onLateCall((queue, operation) => late.push(`${queue} ${operation.port}.${operation.operation}`));
  const store = cloud.store('alice/btc');
  const stray: Promise<unknown>[] = [];
  cloud.subscribe(QUEUE, async () => {
    await store.get('Keys', { pk: 'a', sk: 'in time' });
    stray.push(
      new Promise<void>((resolve) => setImmediate(resolve)).then(() => store.get('Keys', { pk: 'a', sk: 'late' })),
    );
    return { failed: [] };
  });
  await cloud.bus().send([{ queue: QUEUE, body: 'a' }]);
  await cloud.run();
  await Promise.all(stray);
  expect(late).toEqual([`${QUEUE} store.get`]);
});

test.each([1, 4])(
  'so is one that nobody waited for, where handlers wait for nothing but their ports (%i at once)',
  async (concurrency) => {
    const cloud = new LocalCloud({
      seed: new Uint8Array(32).fill(3),
      clock: 'virtual',
      background: false,
      concurrency,
    });
    cloud.createQueue(QUEUE);
    const late: string[] = [];
    cloud.inspect.onLateCall((queue, operation) => late.push(`${queue} ${operation.port}.${operation.operation}`));
    const store = cloud.store('alice/btc');
    cloud.subscribe(QUEUE, async () => {
      const more = async () => {
        for (let i = 0; i < 10; i++) await store.query('Keys', 'late');
      };
      void more();
      return { failed: [] };
    });
    await cloud.bus().send([{ queue: QUEUE, body: 'a' }]);
    await cloud.run();
    await cloud.bus().send([]);
    expect(late.length).toBeGreaterThan(0);
    expect(new Set(late)).toEqual(new Set([`${QUEUE} store.query`]));
  },
);

test('the due index lags both ways: it may still show a ceremony that was woken, and shows each once', async () => {
  const cloud = new LocalCloud({ seed: new Uint8Array(32).fill(3), clock: 'virtual', faults: { dueLagSeconds: 60 } });
  const store = cloud.store('alice/btc');
  const now = Math.floor(cloud.now / 1000);
  const keys = Array.from({ length: 20 }, (_, i) => ({ pk: `C#${i}`, sk: 'STATE' }));
  const put = async (wakeAt?: number): Promise<void> => {
    for (const key of keys) {
      await store.write({ kind: 'put', table: 'Ceremonies', item: wakeAt === undefined ? key : { ...key, wakeAt } });
    }
  };
  await put(now);
  cloud.advance(61);
  expect(await store.due(now + 61, 100)).toHaveLength(20);
  await put(now + 1);
  const shown = (await store.due(now + 61, 100)).map(({ pk }) => pk);
  expect(shown.toSorted()).toEqual(keys.map(({ pk }) => pk).toSorted());
  cloud.advance(61);
  await put();
  expect((await store.due(now + 200, 100)).length).toBeGreaterThan(0);
  await Promise.all(keys.map((key) => store.write({ kind: 'delete', table: 'Ceremonies', key })));
  cloud.advance(61);
  expect(await store.due(now + 200, 100)).toEqual([]);
});

test('a world that begins with the tables of another knows them again and opens what was wrapped there, and draws anew', async () => {
  const first = world();
  const item = { pk: 'a', sk: 'kept' };
  await first.store('alice/btc').write({ kind: 'put', table: 'Keys', item });
  const { plaintext, wrapped } = await first.wrapper('alice/btc').generateDataKey('keys', { a: 'b' });
  first.advance(100);
  const seed = new Uint8Array(32).fill(4);
  const second = new LocalCloud({ seed, clock: 'virtual', image: first.image() });
  expect(second.now).toBe(first.now);
  const store = second.store('alice/btc');
  expect(await store.get('Keys', item)).toEqual(item);
  expect(await store.tableId('Keys')).toBe(await first.store('alice/btc').tableId('Keys'));
  const wrapper = second.wrapper('alice/btc');
  expect(await wrapper.decrypt('keys', wrapped, { a: 'b' })).toEqual(plaintext);
  expect((await wrapper.generateDataKey('keys', { a: 'b' })).plaintext).not.toEqual(plaintext);
  // What is taken back is another table here, too.
  const id = await store.tableId('Keys');
  second.restoreTable('alice/btc', second.snapshotTable('alice/btc', 'Keys'));
  expect(await store.tableId('Keys')).not.toBe(id);
});
