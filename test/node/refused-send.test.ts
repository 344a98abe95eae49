/** A queue that refuses once, in the very step that ends a ceremony. */
import { expect, test } from 'vitest';
import { identityOf } from '../../lib/local/committee.ts';
import { topicQueue } from '../../lib/messages/topics.ts';
import { NodeWorld } from './world.ts';

test('an outcome that was refused is sent when the share that caused it comes again, although the share is not wanted any more', async () => {
  const outcomes = topicQueue(identityOf(1), 'sol', 'MultisigEvent');
  let refusals = 0;
  const world = new NodeWorld({
    genesisLife: 3_600,
    instruments: {
      ports: (ports, { operator, name }) => ({
        ...ports,
        bus: {
          send: async (messages) => {
            const refused = messages.flatMap(({ queue, body }, index) =>
              operator === 1 &&
              name === 'sol' &&
              queue === outcomes &&
              body.includes('KeygenOutcome') &&
              refusals++ === 0
                ? [index]
                : [],
            );
            await ports.bus.send(messages.filter((_, index) => !refused.includes(index)));
            return refused;
          },
        },
      }),
      // The shares wait until all peers have confirmed, so that the last of them ends the ceremony.
      run: (handler, { operator }) =>
        operator === 1 && handler.message === 'EncryptedKeyShareIn'
          ? {
              ...handler,
              run: async (environment, batch) =>
                batch.some(({ receiveCount }) => receiveCount === 1)
                  ? { failed: batch.map(({ messageId }) => messageId) }
                  : handler.run(environment, batch),
            }
          : handler,
    },
  });
  await world.committee.assemble();
  // Before the first `Wake`, which would send it as well.
  await world.run(800);
  expect(refusals).toBeGreaterThan(1);
  expect(world.keygen(1)?.stage).toBe('Succeeded');
  const told = world.outcomes.filter(({ operator, event }) => operator === 1 && 'KeygenOutcome' in event);
  expect(told).toHaveLength(1);
});
