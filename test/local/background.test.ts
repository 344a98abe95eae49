import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { LocalCloud } from '../../lib/local/cloud.ts';
import { type PortCall, subjectOf } from '../../lib/local/gate.ts';
import type { Handler } from '../../lib/local/scheduler.ts';
import type { QueueName } from '../../lib/ports.ts';

const QUEUE = 'coterie-alice-btc-Start' as QueueName;
const body = (index: number): string => String(index).padStart(2, '0');

/** WebCrypto takes its time in threads of its own: between runs, which of these is ready first is anyone's guess. */
async function digest(index: number): Promise<void> {
  await crypto.subtle.digest('SHA-512', new Uint8Array(1 + ((index * 7919) % 5) * 150_000));
}

async function trace(seed: number, concurrency: number, handler: (cloud: LocalCloud) => Handler): Promise<string[]> {
  const cloud = new LocalCloud({ seed: new Uint8Array(32).fill(seed), clock: 'virtual', concurrency });
  const calls: string[] = [];
  cloud.intercept((call: PortCall) => {
    if (call.when === 'before') calls.push(`${call.operation} ${subjectOf(call)}`);
  });
  cloud.createQueue(QUEUE);
  await cloud.bus().send(Array.from({ length: 24 }, (_, i) => ({ queue: QUEUE, body: body(i) })));
  cloud.subscribe(QUEUE, handler(cloud));
  expect(await cloud.run()).toBe('idle');
  return calls;
}

const inParallel = (cloud: LocalCloud): Handler => {
  const store = cloud.store('alice/btc');
  return async (batch) => {
    await Promise.all(
      batch.map(async ({ body: text }) => {
        await digest(Number(text));
        await store.get('Keys', { pk: text, sk: 'first' });
        await digest(Number(text) + 1);
        await store.get('Keys', { pk: text, sk: 'second' });
      }),
    );
    return { failed: [] };
  };
};

describe.each([1, 3])('with %i batches at once', (concurrency) => {
  test('one seed gives one order of port calls, however long WebCrypto takes in parallel branches of a batch', async () => {
    const traces = new Set<string>();
    for (let run = 0; run < 6; run++) traces.add((await trace(1, concurrency, inParallel)).join('\n'));
    expect(traces.size).toBe(1);
  });

  test('another seed gives another order of the same port calls', async () => {
    const [one, two] = [await trace(1, concurrency, inParallel), await trace(2, concurrency, inParallel)];
    expect(one).not.toEqual(two);
    expect(one.toSorted()).toEqual(two.toSorted());
  });

  test('synchronous jobs of node:crypto, which never report back, do not stop a run', async () => {
    const { randomBytes } = await import('node:crypto');
    const calls = await trace(1, concurrency, (cloud) => async (batch) => {
      for (const { body: text } of batch) {
        randomBytes(8);
        await cloud.store('alice/btc').get('Keys', { pk: text, sk: 'only' });
      }
      return { failed: [] };
    });
    expect(calls).toHaveLength(25);
  });

  test('a handler that waits for a timer ends all the same', async () => {
    let handled = 0;
    await trace(1, concurrency, (cloud) => async (batch) => {
      await sleep(2);
      await cloud.store('alice/btc').get('Keys', { pk: 'a', sk: 'b' });
      handled += batch.length;
      return { failed: [] };
    });
    expect(handled).toBe(24);
  });
});

test('a batch may wait for what another batch has under way', async () => {
  let shared: Promise<unknown> | undefined;
  let handled = 0;
  await trace(1, 4, (cloud) => async (batch) => {
    shared ??= cloud.store('alice/btc').get('Keys', { pk: 'a', sk: 'b' });
    await shared;
    handled += batch.length;
    return { failed: [] };
  });
  expect(handled).toBe(24);
});
