/** What every {@link MessageBus} must do, whatever it runs on, with the queues behind it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MAX_BODY_BYTES } from '../../lib/local/limits.ts';
import { type Delivery, LimitExceeded, type MessageBus, type QueueName } from '../../lib/ports.ts';

/** What the suite needs of the queues beyond the port. */
export interface BusHarness {
  readonly bus: MessageBus;
  /** A new queue with a name of its own. Seconds are short, since a real service takes them. */
  createQueue(options?: {
    visibilityTimeoutSeconds?: number;
    maxReceiveCount?: number;
    deadLetterQueue?: QueueName;
  }): Promise<QueueName>;
  /** The name of a queue that `bus` has no right to send to. */
  forbiddenQueue(): Promise<QueueName>;
  /** As an event source mapping: what is in `failed` comes again, and all of it if the handler throws. */
  subscribe(
    queue: QueueName,
    handler: (batch: readonly Delivery[]) => Promise<{ readonly failed: readonly string[] }>,
  ): Promise<void>;
  /** Lets so many seconds go by, and delivers whatever is due in them. */
  pass(seconds: number): Promise<void>;
  /** What lies visible in a queue that has no subscriber. */
  lying(queue: QueueName): Promise<readonly Delivery[]>;
  close(): Promise<void>;
}

export function busContract(name: string, makeHarness: () => Promise<BusHarness>): void {
  describe(`bus contract: ${name}`, () => {
    let harness: BusHarness;
    beforeEach(async () => {
      harness = await makeHarness();
    });
    afterEach(() => harness.close());

    /** Subscribes and keeps what comes. */
    async function collect(
      queue: QueueName,
      fails: (delivery: Delivery) => boolean = () => false,
    ): Promise<Delivery[]> {
      const received: Delivery[] = [];
      await harness.subscribe(queue, async (batch) => {
        received.push(...batch);
        return { failed: batch.filter(fails).map(({ messageId }) => messageId) };
      });
      return received;
    }

    test('a message arrives as it was sent, once, with its queue, an id and a receive count of 1', async () => {
      const queue = await harness.createQueue();
      const received = await collect(queue);
      const body = '{"Text":"grün 🔑 \\u0000"}';
      expect(await harness.bus.send([{ queue, body }])).toEqual([]);
      await harness.pass(1);
      expect(received).toHaveLength(1);
      expect(received[0]).toMatchObject({ queue, body, receiveCount: 1 });
      expect(received[0]?.messageId).toMatch(/^[-0-9a-f]{36}$/);
      await harness.pass(3);
      expect(received).toHaveLength(1);
    });

    test('more than ten messages of one call, to several queues, all arrive in batches of at most ten', async () => {
      const [one, two] = [await harness.createQueue(), await harness.createQueue()];
      const sizes: number[] = [];
      const bodies = new Map<QueueName, string[]>([
        [one, []],
        [two, []],
      ]);
      for (const queue of [one, two]) {
        await harness.subscribe(queue, async (batch) => {
          sizes.push(batch.length);
          bodies.get(queue)?.push(...batch.map(({ body }) => body));
          return { failed: [] };
        });
      }
      const messages = Array.from({ length: 47 }, (_, i) => ({ queue: i % 3 === 0 ? one : two, body: `${i}` }));
      expect(await harness.bus.send(messages)).toEqual([]);
      await harness.pass(2);
      for (const queue of [one, two]) {
        const sent = messages.filter((message) => message.queue === queue).map(({ body }) => body);
        expect(bodies.get(queue)?.toSorted()).toEqual(sent.toSorted());
      }
      expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
    });

    test('nothing to send is accepted', async () => {
      expect(await harness.bus.send([])).toEqual([]);
    });

    test('a delayed message does not come early', async () => {
      const queue = await harness.createQueue();
      const received = await collect(queue);
      await harness.bus.send([
        { queue, body: 'later', delaySeconds: 4 },
        { queue, body: 'now' },
      ]);
      await harness.pass(1);
      expect(received.map(({ body }) => body)).toEqual(['now']);
      await harness.pass(5);
      expect(received.map(({ body }) => body)).toEqual(['now', 'later']);
    });

    test('only the failed messages of a batch come again, after the visibility timeout, counted', async () => {
      const queue = await harness.createQueue({ visibilityTimeoutSeconds: 2 });
      const received = await collect(queue, ({ body, receiveCount }) => body === 'bad' && receiveCount < 3);
      await harness.bus.send(['good', 'bad', 'fine'].map((body) => ({ queue, body })));
      await harness.pass(1);
      expect(received.map(({ body }) => body).toSorted()).toEqual(['bad', 'fine', 'good']);
      await harness.pass(7);
      const bad = received.filter(({ body }) => body === 'bad');
      expect(bad.map(({ receiveCount }) => receiveCount)).toEqual([1, 2, 3]);
      expect(new Set(bad.map(({ messageId }) => messageId)).size).toBe(1);
      expect(received).toHaveLength(5);
    });

    test('a handler that throws fails its whole batch', async () => {
      const queue = await harness.createQueue({ visibilityTimeoutSeconds: 1 });
      const counts = new Map<string, number>();
      await harness.subscribe(queue, async (batch) => {
        for (const { body, receiveCount } of batch) counts.set(body, receiveCount);
        if (batch.some(({ receiveCount }) => receiveCount === 1)) throw new Error('the handler fails');
        return { failed: [] };
      });
      await harness.bus.send(['a', 'b', 'c'].map((body) => ({ queue, body })));
      await harness.pass(5);
      expect([...counts.keys()].toSorted()).toEqual(['a', 'b', 'c']);
      for (const count of counts.values()) expect(count).toBeGreaterThanOrEqual(2);
    });

    test('after maxReceiveCount receives a message is a dead letter, and comes no more', async () => {
      const deadLetterQueue = await harness.createQueue();
      const queue = await harness.createQueue({ visibilityTimeoutSeconds: 1, maxReceiveCount: 2, deadLetterQueue });
      const received = await collect(queue, () => true);
      await harness.bus.send([{ queue, body: 'poison' }]);
      await harness.pass(6);
      expect(received.map(({ receiveCount }) => receiveCount)).toEqual([1, 2]);
      const letters = await harness.lying(deadLetterQueue);
      expect(letters.map(({ body }) => body)).toEqual(['poison']);
    });

    test('a queue that is forbidden or not there loses only its own message', async () => {
      const queue = await harness.createQueue();
      const received = await collect(queue);
      const forbidden = await harness.forbiddenQueue();
      const refused = await harness.bus.send([
        { queue, body: '0' },
        { queue: forbidden, body: '1' },
        { queue, body: '2' },
        { queue: `${queue}-missing` as QueueName, body: '3' },
      ]);
      expect(refused).toEqual([1, 3]);
      await harness.pass(1);
      expect(received.map(({ body }) => body).toSorted()).toEqual(['0', '2']);
    });

    test('a body of 262,144 bytes is sent', async () => {
      const queue = await harness.createQueue();
      const received = await collect(queue);
      const body = 'ü'.repeat(MAX_BODY_BYTES / 2);
      expect(await harness.bus.send([{ queue, body }])).toEqual([]);
      await harness.pass(1);
      expect(received.map(({ body: { length } }) => length)).toEqual([body.length]);
    });

    test('a body or delay out of range is a defect: nothing at all is sent', async () => {
      const queue = await harness.createQueue();
      const received = await collect(queue);
      const wrong = [
        { queue, body: 'x'.repeat(MAX_BODY_BYTES + 1) },
        { queue, body: `${'ü'.repeat(MAX_BODY_BYTES / 2)}x` },
        { queue, body: '' },
        { queue, body: 'x', delaySeconds: 901 },
        { queue, body: 'x', delaySeconds: -1 },
        { queue, body: 'x', delaySeconds: 0.5 },
      ];
      for (const message of wrong) {
        await expect(harness.bus.send([{ queue, body: 'first' }, message])).rejects.toThrow(LimitExceeded);
      }
      await harness.pass(2);
      expect(received).toEqual([]);
    });
  });
}
