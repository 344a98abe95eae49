/** A coordinator that loses what it should forward, and then works again. */
import { expect, test } from 'vitest';
import { identityOf, RULE_SECONDS } from '../../lib/local/committee.ts';
import { bodyOf } from '../../lib/messages/catalogue.ts';
import { inboxQueue, topicQueue } from '../../lib/messages/topics.ts';
import type { Item, QueueName } from '../../lib/ports.ts';
import { NodeWorld } from './world.ts';

/** Operator 1's first parcel to operator 2 is lost; the scheduled rule runs at every coordinator. */
async function withoutFirstParcel(): Promise<{ world: NodeWorld; parcels: () => number }> {
  const lost = inboxQueue(identityOf(2), identityOf(1));
  let sent = 0;
  const world = new NodeWorld({
    genesisLife: 86_400,
    instruments: {
      ports: (ports, { operator, name }) =>
        operator !== 1 || name !== 'coordinator'
          ? ports
          : {
              ...ports,
              bus: {
                send: (messages) =>
                  ports.bus.send(messages.filter(({ queue }) => queue !== lost || sent++ > 0)).then(() => []),
              },
            },
    },
  });
  await world.committee.assemble();
  for (const operator of world.operators) {
    const queue: QueueName = topicQueue(identityOf(operator), 'coordinator', 'Wake');
    world.cloud.schedule(queue, bodyOf('Wake', {}), RULE_SECONDS);
  }
  return { world, parcels: () => sent };
}

test('a lost announcement is made again to a peer that keeps announcing itself, and the key comes into being', async () => {
  const { world } = await withoutFirstParcel();
  await world.run(10);
  expect(world.keygen(2)).toBeUndefined();
  await world.run(2 * RULE_SECONDS);
  for (const operator of world.operators) expect(world.keygen(operator)?.stage).toBe('Succeeded');
});

test('two operators that know each other greet each other once in two runs of the rule, and answer once, for ever', async () => {
  const { world, parcels } = await withoutFirstParcel();
  await world.run(4 * RULE_SECONDS);
  for (let day = 0; day < 3; day++) {
    const before = parcels();
    await world.run(8 * RULE_SECONDS);
    // The rules of all fire at once here: each announces itself, and each answers.
    expect(parcels() - before).toBeGreaterThan(0);
    expect(parcels() - before).toBeLessThanOrEqual(8);
  }
});

/** Operator 1's note of operator 2. */
const noted = (world: NodeWorld) =>
  world.cloud.inspect
    .items(`${identityOf(1)}/coordinator`, 'Directory')
    .find(({ pk, sk }) => pk === 'COIN#sol' && sk === 'HEARD#2');

test('a silence is written down once, with its beginning, and the next greeting takes it away', async () => {
  const world = await new NodeWorld().assembled();
  world.committee.runRules();
  await world.run(2 * 3_600);
  expect(noted(world)?.['missed']).toBeUndefined();
  world.committee.kill(2);
  await world.run(7 * RULE_SECONDS);
  const silent = noted(world);
  expect(silent).toMatchObject({ at: expect.any(Number), missed: expect.any(Number) });
  await world.run(5 * 3_600);
  expect(noted(world)).toEqual(silent);
  world.committee.revive(2);
  await world.run(2 * RULE_SECONDS);
  expect(noted(world)?.['missed']).toBeUndefined();
  expect(Number(noted(world)?.['at'])).toBeGreaterThan(Number(silent?.['missed']));
});

test('a greeting that comes while a silence is being written down is not lost', async () => {
  let old: Item | undefined;
  const world = await new NodeWorld({
    instruments: {
      ports: (ports, { operator, name }) =>
        operator !== 1 || name !== 'coordinator'
          ? ports
          : {
              ...ports,
              store: new Proxy(ports.store, {
                get: (store, property) => {
                  const value: unknown = Reflect.get(store, property, store);
                  if (typeof value !== 'function') return value;
                  if (property !== 'get' || !old) return value.bind(store);
                  return async (...args: Parameters<typeof store.get>) =>
                    args[1].sk === 'HEARD#2' ? old : store.get(...args);
                },
              }),
            },
    },
  }).assembled();
  const before = noted(world);
  if (!before) throw new Error('operator 1 has heard no greeting of operator 2');
  // What the rule reads is two hours old, and the row is not any more.
  old = { ...before, at: Number(before['at']) - 7_200 };
  world.committee.kill(2);
  await world.cloud.bus().send([{ queue: topicQueue(identityOf(1), 'coordinator', 'Wake'), body: bodyOf('Wake', {}) }]);
  await world.run(1);
  expect(world.reports.findLast(({ event }) => event === 'PeersAnswer')?.fields).toMatchObject({ answering: 2 });
  expect(noted(world)).toEqual(before);
});

test('a peer that falls silent counts no longer within 90 minutes, and counts again when it is back', async () => {
  const world = await new NodeWorld().assembled();
  for (const operator of world.operators)
    world.cloud.schedule(topicQueue(identityOf(operator), 'coordinator', 'Wake'), bodyOf('Wake', {}), RULE_SECONDS);
  const answering = () =>
    world.reports.findLast(({ event, operator }) => event === 'PeersAnswer' && operator === 1)?.fields;
  await world.run(RULE_SECONDS + 10);
  expect(answering()).toEqual({ coin: 'sol', answering: 3, needed: 2, distance: 1 });
  world.committee.kill(2);
  await world.run(6 * RULE_SECONDS);
  expect(answering()).toMatchObject({ answering: 2, distance: 0 });
  world.committee.revive(2);
  await world.run(2 * RULE_SECONDS);
  expect(answering()).toMatchObject({ answering: 3, distance: 1 });
});
