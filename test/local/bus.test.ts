import { describe, expect, test } from 'vitest';
import { RETENTION_SECONDS } from '../../lib/local/limits.ts';
import type { QueueName } from '../../lib/ports.ts';
import { collect, DEAD, makeCloud, numbered, OTHER, QUEUE } from './world.ts';

describe('order', () => {
  test('messages come in an order drawn from the seed, not in the order they were sent', async () => {
    const cloud = makeCloud();
    const received = collect(cloud);
    await cloud.bus().send(numbered(100));
    expect(await cloud.run()).toBe('idle');
    const order = received.map(({ body }) => Number(body));
    expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(order).not.toEqual(order.toSorted((a, b) => a - b));
  });

  test('batches are full, partly filled and never larger than asked', async () => {
    const cloud = makeCloud();
    const sizes = new Set<number>();
    cloud.subscribe(
      QUEUE,
      async (batch) => {
        sizes.add(batch.length);
        return { failed: [] };
      },
      { batchSize: 4 },
    );
    await cloud.bus().send(numbered(200));
    await cloud.run();
    expect([...sizes].toSorted()).toEqual([1, 2, 3, 4]);
  });
});

describe('faults', () => {
  test('a duplicate has the id and the body of its message, now or later', async () => {
    const cloud = makeCloud({ faults: { duplicate: 1, duplicateLagSeconds: 100 } });
    const received = collect(cloud);
    await cloud.bus().send(numbered(40));
    const start = cloud.now;
    await cloud.run({ until: start });
    const atOnce = received.length;
    await cloud.run();
    expect(atOnce).toBeGreaterThan(40);
    expect(atOnce).toBeLessThan(80);
    expect(received).toHaveLength(80);
    expect(new Set(received.map(({ messageId }) => messageId)).size).toBe(40);
    expect(new Set(received.map(({ messageId, body }) => `${messageId} ${body}`)).size).toBe(40);
    expect(cloud.now).toBeLessThanOrEqual(start + 100_000);
  });

  test('messages are late as often and by as much as the faults say', async () => {
    const cloud = makeCloud({ faults: { delay: 0.5, maxDelaySeconds: 7 } });
    const received = collect(cloud);
    await cloud.bus().send(numbered(100));
    const start = cloud.now;
    await cloud.run({ until: start });
    expect(received.length).toBeGreaterThan(20);
    expect(received.length).toBeLessThan(80);
    await cloud.run();
    expect(received).toHaveLength(100);
    expect(cloud.now).toBeLessThanOrEqual(start + 7000);
  });

  test('a refused message is reported by its index and does not arrive', async () => {
    const cloud = makeCloud({ faults: { refuse: 0.5 } });
    const received = collect(cloud);
    const refused = await cloud.bus().send(numbered(50));
    await cloud.run();
    const arrived = received.map(({ body }) => Number(body));
    expect(refused.length).toBeGreaterThan(5);
    expect([...arrived, ...refused].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });
});

describe('visibility', () => {
  test('a failed message is in flight until its timeout, and changeVisibility moves that', async () => {
    const cloud = makeCloud();
    const times: number[] = [];
    const start = cloud.now;
    cloud.subscribe(QUEUE, async (batch) => {
      times.push((cloud.now - start) / 1000);
      const [first] = batch;
      if (first?.receiveCount === 2) cloud.changeVisibility(QUEUE, first.messageId, 5);
      return { failed: first && first.receiveCount < 3 ? [first.messageId] : [] };
    });
    await cloud.bus().send(numbered(1));
    await cloud.run({ until: start });
    expect(cloud.inspect.queues().get(QUEUE)).toMatchObject({ visible: 0, inFlight: 1, delayed: 0 });
    await cloud.run();
    expect(times).toEqual([0, 60, 65]);
    expect(cloud.inspect.queues().get(QUEUE)).toMatchObject({ visible: 0, inFlight: 0, delayed: 0 });
  });

  test('visibility is 0 to 12 hours', () => {
    const cloud = makeCloud();
    expect(() => cloud.changeVisibility(QUEUE, 'id', 43_201)).toThrow(RangeError);
    expect(() => cloud.changeVisibility(QUEUE, 'id', -1)).toThrow(RangeError);
  });

  test('a batch that outlives its timeout is received by another meanwhile, and its late acknowledgement deletes nothing', async () => {
    const cloud = makeCloud({ concurrency: 2 });
    const counts: number[] = [];
    cloud.subscribe(QUEUE, async (batch) => {
      const [first] = batch;
      counts.push(first?.receiveCount ?? 0);
      if (first?.receiveCount === 1) cloud.advance(61);
      await cloud.store('alice').get('Keys', { pk: 'a', sk: 'b' });
      return { failed: first?.receiveCount === 2 ? [first.messageId] : [] };
    });
    await cloud.bus().send(numbered(1));
    await cloud.run();
    expect(counts).toEqual([1, 2, 3]);
  });

  test('a message is dropped after fourteen days', async () => {
    const cloud = makeCloud();
    const received = collect(cloud, OTHER, () => true);
    const start = cloud.now;
    await cloud.bus().send(numbered(1, OTHER));
    expect(await cloud.run()).toBe('idle');
    expect(received).toHaveLength((RETENTION_SECONDS / 360) | 0);
    expect(cloud.now).toBe(start + RETENTION_SECONDS * 1000);
  });

  test('a message that nobody received for fourteen days is gone, in a dead-letter queue too', async () => {
    const cloud = makeCloud();
    const stop = cloud.subscribe(QUEUE, async (batch) => ({ failed: batch.map(({ messageId }) => messageId) }));
    await cloud.bus().send([...numbered(3), ...numbered(3, OTHER)]);
    await cloud.run();
    stop();
    expect(cloud.inspect.deadLetters(DEAD)).toHaveLength(3);
    cloud.advance(RETENTION_SECONDS);
    const received = collect(cloud, OTHER);
    expect(await cloud.run()).toBe('idle');
    expect(received).toEqual([]);
    expect(cloud.inspect.deadLetters(DEAD)).toEqual([]);
    expect(cloud.redrive(DEAD)).toBe(0);
  });
});

describe('dead letters', () => {
  test('a redrive sends them back to where they came from, as new messages', async () => {
    const cloud = makeCloud();
    let heals = false;
    const received = collect(cloud, QUEUE, () => !heals);
    await cloud.bus().send(numbered(5));
    await cloud.run();
    expect(received).toHaveLength(15);
    expect(cloud.inspect.queues().get(DEAD)).toMatchObject({ visible: 5, deadLetters: 5 });
    const before = new Set(received.splice(0).map(({ messageId }) => messageId));
    heals = true;
    expect(cloud.redrive(DEAD)).toBe(5);
    expect(cloud.inspect.deadLetters(DEAD)).toEqual([]);
    await cloud.run();
    expect(received.map(({ body }) => body).toSorted()).toEqual(['0', '1', '2', '3', '4']);
    for (const { messageId, receiveCount } of received) {
      expect(before.has(messageId)).toBe(false);
      expect(receiveCount).toBe(1);
    }
    expect(cloud.redrive(DEAD)).toBe(0);
  });
});

describe('running', () => {
  test('the run says why it stopped, and a virtual clock is where it says', async () => {
    const cloud = makeCloud();
    const received = collect(cloud);
    const start = cloud.now;
    await cloud.bus().send([{ queue: QUEUE, body: 'later', delaySeconds: 100 }]);
    expect(await cloud.run({ until: start + 50_000 })).toBe('until');
    expect([cloud.now, received.length]).toEqual([start + 50_000, 0]);
    expect(await cloud.run()).toBe('idle');
    expect([cloud.now, received.length]).toEqual([start + 100_000, 1]);
    await cloud.bus().send(numbered(50));
    expect(await cloud.run({ maxBatches: 2 })).toBe('maxBatches');
    expect(received.length).toBeLessThanOrEqual(21);
    const few = received.length;
    expect(await cloud.run({ stopWhen: () => received.length > few })).toBe('stopped');
    expect(received.length).toBeLessThan(51);
    expect(await cloud.run({ stopWhen: () => true })).toBe('stopped');
    expect(await cloud.run()).toBe('idle');
    expect(received).toHaveLength(51);
  });

  test('a rule sends again and again, and alone keeps no run alive', async () => {
    const cloud = makeCloud();
    const received = collect(cloud);
    const stop = cloud.schedule(QUEUE, 'wake', 900);
    expect(await cloud.run()).toBe('idle');
    expect(await cloud.run({ until: cloud.now + 3600_000 })).toBe('until');
    expect(received).toHaveLength(4);
    stop();
    await cloud.run({ until: cloud.now + 3600_000 });
    expect(received).toHaveLength(4);
  });

  test('no more batches of a queue are under way than its mapping allows', async () => {
    const cloud = makeCloud({ concurrency: 8 });
    let [now, most] = [0, 0];
    const handler = async () => {
      most = Math.max(most, ++now);
      await cloud.store('alice').get('Keys', { pk: 'a', sk: 'b' });
      now--;
      return { failed: [] };
    };
    const stop = cloud.subscribe(QUEUE, handler, { maxConcurrency: 2 });
    await cloud.bus().send(numbered(100));
    await cloud.run();
    expect(most).toBe(2);
    stop();
    cloud.subscribe(QUEUE, handler);
    await cloud.bus().send(numbered(100));
    await cloud.run();
    expect(most).toBeGreaterThan(4);
    expect(most).toBeLessThanOrEqual(8);
  });

  test('a queue has one subscriber, and only a queue that is there', () => {
    const cloud = makeCloud();
    collect(cloud);
    expect(() => collect(cloud)).toThrow('subscriber already');
    expect(() => collect(cloud, 'coterie-nobody-btc-Wake' as QueueName)).toThrow('no queue');
  });

  test('one run at a time, and each clock only does what it can', async () => {
    const cloud = makeCloud();
    collect(cloud);
    await cloud.bus().send(numbered(1));
    const run = cloud.run();
    await expect(cloud.run()).rejects.toThrow('running already');
    expect(await run).toBe('idle');
    expect(() => cloud.start()).toThrow('virtual clock');
    expect(() => makeCloud({ clock: 'real' }).advance(1)).toThrow('real clock');
  });

  test('time never goes back', async () => {
    const cloud = makeCloud();
    const start = cloud.now;
    await cloud.bus().send([{ queue: QUEUE, body: 'later', delaySeconds: 100 }]);
    expect(await cloud.run({ until: start - 50_000 })).toBe('until');
    expect(cloud.now).toBe(start);
  });

  test('an old subscription does not end a new one', async () => {
    const cloud = makeCloud();
    const stop = cloud.subscribe(QUEUE, async () => ({ failed: [] }));
    stop();
    const received = collect(cloud);
    stop();
    await cloud.bus().send(numbered(3));
    await cloud.run();
    expect(received).toHaveLength(3);
  });

  test('a real clock delivers, delays and stops', async () => {
    const cloud = makeCloud({ clock: 'real' });
    const received = collect(cloud);
    cloud.start();
    await cloud.bus().send([
      { queue: QUEUE, body: 'now' },
      { queue: QUEUE, body: 'later', delaySeconds: 1 },
    ]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(received.map(({ body }) => body)).toEqual(['now']);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(received.map(({ body }) => body)).toEqual(['now', 'later']);
    await cloud.stop();
    await cloud.bus().send(numbered(1));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(received).toHaveLength(2);
    expect(await cloud.run()).toBe('idle');
    expect(received).toHaveLength(3);
  });

  test('a message costs the same in a queue of 100,000 as in one of 10,000', async () => {
    const cost = async (messages: number): Promise<number> => {
      const cloud = makeCloud();
      const [bus, store] = [cloud.bus(), cloud.store('alice')];
      let left = messages;
      cloud.subscribe(QUEUE, async (batch) => {
        left -= batch.length;
        await store.write({ kind: 'put', table: 'Ceremonies', item: { pk: 'c', sk: `${left % 1000}` } });
        return { failed: [] };
      });
      const cpu = process.cpuUsage();
      await bus.send(numbered(left));
      await cloud.run();
      expect(left).toBe(0);
      return process.cpuUsage(cpu).user;
    };
    await cost(10_000);
    const few = await cost(10_000);
    // Ten times the messages; a scan of the queue for each would make it a hundred times.
    expect((await cost(100_000)) / few).toBeLessThan(40);
  });
});
