import { describe, expect, test } from 'vitest';
import { Crash, type PortCall } from '../../lib/local/gate.ts';
import { Throttled, Unavailable, UnknownOutcome, type Write } from '../../lib/ports.ts';
import { collect, makeCloud, numbered, OTHER, QUEUE } from './world.ts';

const KEY = { pk: 'p', sk: 's' };
const PUT: Write = { kind: 'put', table: 'Keys', item: { ...KEY, value: 1 } };

test('every call of every port passes the hook, before and after', async () => {
  const cloud = makeCloud();
  const seen: PortCall[] = [];
  const stop = cloud.intercept((call) => void seen.push(call));
  const [store, wrapper] = [cloud.store('alice'), cloud.wrapper('alice')];
  await cloud.bus({ namespace: 'alice' }).send([]);
  const { wrapped } = await wrapper.generateDataKey('keys', { a: 'b' });
  await wrapper.decrypt('keys', wrapped, { a: 'b' });
  await store.write(PUT);
  await store.transact([PUT], 't');
  await store.get('Keys', KEY);
  await store.batchGet('Keys', [KEY]);
  await store.query('Keys', 'p');
  await store.addToSet('Ceremonies', KEY, new Set([1]));
  await store.due(1, 1);
  await store.tableId('Keys');
  stop();
  await store.get('Keys', KEY);
  const operations = [
    'send',
    'generateDataKey',
    'decrypt',
    'write',
    'transact',
    'get',
    'batchGet',
    'query',
    'addToSet',
    'due',
    'tableId',
  ];
  expect(seen.map(({ operation, when }) => `${operation} ${when}`)).toEqual(
    operations.flatMap((o) => [`${o} before`, `${o} after`]),
  );
  expect(new Set(seen.map(({ namespace }) => namespace))).toEqual(new Set(['alice']));
  expect(seen.find(({ operation }) => operation === 'decrypt')?.args).toEqual(['keys', wrapped, { a: 'b' }]);
  expect(cloud.inspect.calls().get('store.get')).toBe(2);
});

test('an error thrown before a call prevents it; thrown after, it hides that the call was done', async () => {
  for (const when of ['before', 'after'] as const) {
    const cloud = makeCloud();
    const store = cloud.store('alice');
    cloud.intercept((call) => {
      if (call.operation === 'write' && call.when === when) throw new UnknownOutcome('no answer');
    });
    await expect(store.write(PUT)).rejects.toThrow(UnknownOutcome);
    expect((await store.get('Keys', KEY)) !== undefined).toBe(when === 'after');
  }
});

describe('a crash', () => {
  for (const concurrency of [1, 3]) {
    for (const [when, background] of [
      ['before', true],
      ['after', true],
      ['before', false],
      ['after', false],
    ] as const) {
      const world = background ? '' : ', which wait for nothing but their ports';
      test(`${when} a call ends the function there: nothing of it runs on, and its batch comes again (${concurrency} at once${world})`, async () => {
        const cloud = makeCloud({ concurrency, background });
        const store = cloud.store('alice');
        const steps: string[] = [];
        const failures: unknown[] = [];
        cloud.inspect.onFailure((_queue, error) => failures.push(error));
        let crashes = 1;
        cloud.intercept(async (call) => {
          if (call.operation === 'write' && call.when === when && crashes-- > 0) throw new Crash('here');
        });
        cloud.subscribe(QUEUE, async ([first]) => {
          steps.push(`begin ${first?.receiveCount} ${(await store.get('Keys', KEY)) !== undefined}`);
          try {
            await store.write(PUT);
            steps.push('written');
          } catch {
            steps.push('caught');
          } finally {
            steps.push('finally');
          }
          return { failed: [] };
        });
        const start = cloud.now;
        await cloud.bus().send(numbered(1));
        expect(await cloud.run()).toBe('idle');
        expect(steps).toEqual(['begin 1 false', `begin 2 ${when === 'after'}`, 'written', 'finally']);
        expect(failures).toEqual([expect.any(Crash)]);
        expect(cloud.now).toBe(start + 60_000);
      });
    }

    test(`takes what the function had under way in parallel with it (${concurrency} at once)`, async () => {
      const cloud = makeCloud({ concurrency });
      const store = cloud.store('alice');
      cloud.intercept(({ operation, when }) => {
        if (operation === 'get' && when === 'before') throw new Crash('here');
      });
      cloud.subscribe(QUEUE, async () => {
        const slow = new Promise((resolve) => setTimeout(resolve, 5)).then(() => store.write(PUT));
        await Promise.all([store.get('Keys', KEY), slow]);
        return { failed: [] };
      });
      collect(cloud, OTHER);
      await cloud.bus().send([...numbered(1), ...numbered(30, OTHER)]);
      await cloud.run({ maxBatches: 3 });
      await new Promise((resolve) => setTimeout(resolve, 20));
      await cloud.run({ maxBatches: 3 });
      expect(cloud.inspect.items('alice', 'Keys')).toEqual([]);
    });
  }

  test.each([true, false])(
    'takes what the function already waits for, too (background work: %s)',
    async (background) => {
      const orders = new Set<string>();
      for (let seed = 1; seed <= 10; seed++) {
        const cloud = makeCloud({ concurrency: 2, background }, seed);
        const store = cloud.store('alice');
        const order: string[] = [];
        cloud.intercept(({ operation, when }) => {
          if (when === 'before') order.push(operation);
          if (operation === 'get') throw new Crash('here');
        });
        cloud.subscribe(QUEUE, async () => {
          await Promise.all([store.get('Keys', KEY), store.write(PUT)]);
          return { failed: [] };
        });
        await cloud.bus().send(numbered(1));
        order.splice(0);
        await cloud.run({ until: cloud.now });
        orders.add(order.join(' '));
        expect(cloud.inspect.items('alice', 'Keys')).toHaveLength(order.includes('write') ? 1 : 0);
      }
      expect(orders).toEqual(new Set(['get', 'write get']));
    },
  );

  test.each([true, false])(
    'takes its own function alone of those that interleave with it (background work: %s)',
    async (background) => {
      for (let seed = 1; seed <= 10; seed++) {
        const cloud = makeCloud({ concurrency: 3, background }, seed);
        const store = cloud.store('alice');
        let crashes = 1;
        cloud.intercept(({ operation, when }) => {
          if (operation === 'write' && when === 'before' && crashes-- > 0) throw new Crash('here');
        });
        const ends = new Map<string, string[]>();
        for (const queue of [QUEUE, OTHER])
          cloud.subscribe(queue, async ([first]) => {
            const end = (how: string) => ends.set(queue, [...(ends.get(queue) ?? []), `${how} ${first?.receiveCount}`]);
            end('begun');
            for (let i = 0; i < 3; i++) await Promise.all([store.get('Keys', KEY), store.query('Keys', 'p')]);
            if (queue === QUEUE) await store.write(PUT);
            end('ended');
            return { failed: [] };
          });
        await cloud.bus().send([...numbered(1), ...numbered(1, OTHER)]);
        await cloud.run();
        expect(ends.get(OTHER)).toEqual(['begun 1', 'ended 1']);
        expect(ends.get(QUEUE)).toEqual(['begun 1', 'begun 2', 'ended 2']);
      }
    },
  );

  test('outside of a function is an error like any other', async () => {
    const cloud = makeCloud();
    cloud.intercept(() => {
      throw new Crash('here');
    });
    await expect(cloud.store('alice').get('Keys', KEY)).rejects.toThrow(Crash);
  });
});

describe('faults of the services', () => {
  test('throttled calls have done nothing', async () => {
    const cloud = makeCloud({ faults: { throttle: 1 } });
    await expect(cloud.store('alice').write(PUT)).rejects.toThrow(Throttled);
    await expect(cloud.wrapper('alice').generateDataKey('keys', {})).rejects.toThrow(Throttled);
    expect(await cloud.bus().send(numbered(1))).toEqual([]);
    expect(cloud.inspect.items('alice', 'Keys')).toEqual([]);
  });

  test('of writes with an unknown outcome some are applied and some are not; reads have none', async () => {
    const cloud = makeCloud({ faults: { unknownOutcome: 1 } });
    const store = cloud.store('alice');
    for (let i = 0; i < 40; i++) {
      const write: Write = { kind: 'put', table: 'Keys', item: { pk: 'p', sk: `${i}` } };
      await expect(i % 2 ? store.write(write) : store.transact([write], `${i}`)).rejects.toThrow(UnknownOutcome);
    }
    const applied = (await store.query('Keys', 'p')).length;
    expect(applied).toBeGreaterThan(5);
    expect(applied).toBeLessThan(35);
  });

  test('crashes happen before and after calls, and everything is done in the end', async () => {
    const cloud = makeCloud({ faults: { crash: 0.2 } });
    const store = cloud.store('alice');
    const where = new Set<string>();
    cloud.inspect.onFailure((_queue, error) => where.add(String(error)));
    cloud.subscribe(OTHER, async (batch) => {
      for (const { body } of batch) await store.addToSet('Ceremonies', KEY, new Set([Number(body)]));
      return { failed: [] };
    });
    await cloud.bus().send(numbered(100, OTHER));
    await cloud.run();
    expect((await store.get('Ceremonies', KEY))?.['members']).toHaveProperty('size', 100);
    expect(where).toEqual(new Set(['Error: before store.addToSet', 'Error: after store.addToSet']));
  });

  test('a hook may be asynchronous, and may throw any error of the ports', async () => {
    const cloud = makeCloud();
    cloud.intercept(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      throw new Unavailable('5xx');
    });
    await expect(cloud.wrapper('alice').generateDataKey('keys', {})).rejects.toThrow(Unavailable);
  });
});
