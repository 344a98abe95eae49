/** A coordinator that loses what it should forward, and then works again. */
import { expect, test } from 'vitest';
import { identityOf } from '../../lib/local/committee.ts';
import { bodyOf } from '../../lib/messages/catalogue.ts';
import { inboxQueue, topicQueue } from '../../lib/messages/topics.ts';
import type { QueueName } from '../../lib/ports.ts';
import { NodeWorld } from './world.ts';

const RULE_SECONDS = 900;

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

test('two operators that know each other do not greet each other for ever', async () => {
  const { world, parcels } = await withoutFirstParcel();
  await world.run(4 * RULE_SECONDS);
  const before = parcels();
  await world.run(8 * RULE_SECONDS);
  expect(parcels()).toBe(before);
});
