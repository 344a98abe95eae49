/** A ceremony has one delayed `Wake` on its way, whatever fails: each costs an invocation for as long as the ceremony is open. */
import { expect, test } from 'vitest';
import { identityOf } from '../../lib/local/committee.ts';
import { contentText } from '../../lib/messages/contents.ts';
import { ceremonyId, type SigningParameters } from '../../lib/messages/parameters.ts';
import { parseQueueName, topicQueue } from '../../lib/messages/topics.ts';
import { type Ports, storeWith, Throttled } from '../../lib/ports.ts';
import { leaderOf } from '../../lib/signing/step.ts';
import { ledBy, NodeWorld } from './world.ts';

const HOUR = 3_600;
const PAIR = { hiding: `0x${'66'.repeat(32)}`, binding: `0x${'66'.repeat(32)}` } as const;

/** Operator 1 hears of nobody's confirmation and of no certificate, so that its key generation stays open. */
async function unresolved(ports: (ports: Ports) => Ports): Promise<{ world: NodeWorld; wakes: () => number }> {
  const world = new NodeWorld({
    genesisLife: HOUR,
    instruments: {
      ports: (each, { operator, name }) => (operator === 1 && name === 'sol' ? ports(each) : each),
      run: (handler, { operator }) =>
        operator === 1 && ['KeyGenVerdictIn', 'KeyGenCertificateIn'].includes(handler.message)
          ? { ...handler, run: async () => ({ failed: [] }) }
          : handler,
    },
  });
  const wakes = wakesOf(world);
  await world.committee.assemble();
  await world.run(HOUR + 60);
  expect(world.keygen(1)?.stage).toBe('Unresolved');
  return { world, wakes };
}

/** How many wake-ups operator 1 has ordered for ceremonies. */
function wakesOf(world: NodeWorld): () => number {
  let wakes = 0;
  world.cloud.inspect.onSend(({ queue, body }) => {
    const at = parseQueueName(queue);
    if (at?.identity === identityOf(1) && at.coin === 'sol' && at.message === 'Wake' && body.includes('ceremony'))
      wakes++;
  });
  return () => wakes;
}

async function during(world: NodeWorld, wakes: () => number, seconds: number): Promise<number> {
  const before = wakes();
  await world.run(seconds);
  return wakes() - before;
}

test('DOS-04 a client whose queue refuses does not multiply the wake-ups of an open ceremony', async () => {
  const outcomes = topicQueue(identityOf(1), 'sol', 'MultisigEvent');
  const { world, wakes } = await unresolved((ports) => ({
    ...ports,
    bus: {
      send: async (messages) => {
        const refused = messages.flatMap(({ queue, body }, index) =>
          queue === outcomes && body.includes('KeygenOutcome') ? [index] : [],
        );
        await ports.bus.send(messages.filter((_, index) => !refused.includes(index)));
        return refused;
      },
    },
  }));
  // A delay reaches 15 minutes: four an hour, and some for the first repetitions of the confirmation.
  expect(await during(world, wakes, 1.5 * HOUR)).toBeLessThan(16);
});

test('DOS-04 nor does a table that takes no writes', async () => {
  let broken = false;
  const { world, wakes } = await unresolved((ports) => ({
    ...ports,
    store: storeWith(ports.store, {
      transact: async (...args) => {
        if (broken) throw new Throttled('too much');
        return ports.store.transact(...args);
      },
    }),
  }));
  broken = true;
  const first = await during(world, wakes, 2 * HOUR);
  // Of the hours after them, too.
  expect(await during(world, wakes, 2 * HOUR)).toBeLessThan(1.5 * first);
  expect(first).toBeLessThan(60);
});

test('DOS-02 nor does a peer that asks for other parameters under the same request, again and again', async () => {
  const world = await new NodeWorld().assembled();
  const wakes = wakesOf(world);
  const running = ledBy(world, 2, { expiresAt: world.committee.now() + 6 * 86_400 });
  await world.instruct(running.instruction, [1]);
  await world.run(60);
  const quiet = await during(world, wakes, 2 * HOUR);
  const parameters: SigningParameters = { ...running.parameters, messages: ['0x6f74686572'] };
  const ceremony = ceremonyId(parameters);
  const slot = [0, 1].find((k) => leaderOf(parameters, ceremony, k) !== 3);
  const text = contentText('NonceCommitment', { parameters, commitments: [PAIR] });
  const stray = await world.say(2, 'NonceCommitment', { ceremony, slot: `${slot}`, to: 1 }, text);
  for (let i = 0; i < 50; i++) await world.deliver(1, stray);
  await world.run(60);
  expect(world.items(1, 'Ceremonies').some(({ sk }) => sk === 'ASKED#2')).toBe(true);
  expect(await during(world, wakes, 2 * HOUR)).toBeLessThan(quiet + 4);
});

test('SRV-01 what a ceremony says that the rule ends leaves, though no queue took it then and every other wake-up was lost', async () => {
  const outcomes = topicQueue(identityOf(1), 'sol', 'MultisigEvent');
  let broken = true;
  const world = new NodeWorld({
    dies: { operator: 2, at: 'EncryptedPublicKeyIn' },
    instruments: {
      ports: (ports, { operator, name }) => ({
        ...ports,
        bus: {
          send: async (messages) => {
            const refused = messages.flatMap(({ queue, body }, index) =>
              broken && operator === 1 && name === 'sol' && queue === outcomes && body.includes('KeygenOutcome')
                ? [index]
                : [],
            );
            await ports.bus.send(messages.filter((_, index) => !refused.includes(index)));
            return refused;
          },
        },
      }),
      run: (handler, { operator }) =>
        operator === 1 && ['Wake', 'KeyGenVerdictIn'].includes(handler.message)
          ? {
              ...handler,
              run: (environment, batch) =>
                handler.run(
                  environment,
                  batch.filter(({ body }) => !broken || body === '{"Wake":{}}'),
                ),
            }
          : handler,
    },
  });
  await world.committee.assemble();
  // Past the expiry, and past the `Wake` that was ordered for it.
  await world.run(HOUR);
  expect(world.keygen(1)?.stage).toBe('AwaitingPublicKeys');
  await world.committee.post('sol', 'Wake', '{"Wake":{}}', [1]);
  await world.run(5);
  expect(world.keygen(1)).toMatchObject({ stage: 'Failed', reason: 'Timeout' });
  broken = false;
  await world.run(HOUR);
  expect(world.outcomes.filter(({ operator, event }) => operator === 1 && 'KeygenOutcome' in event)).toHaveLength(1);
});

test('SRV-01 a ceremony that waits for others is not due all the time: a hundred of these would hide one whose wake-up was lost', async () => {
  const world = await new NodeWorld({ dies: { operator: 2, at: 'SigningPackageIn' } }).assembled();
  const { instruction, ceremony } = ledBy(world, 1, { expiresAt: world.committee.now() + 86_400 });
  await world.instruct(instruction, [1]);
  await world.run(60);
  // The session opens after the last leader was asked, and its other signer is silent from then on.
  await world.instruct(instruction, [2]);
  await world.run(60);
  expect(world.signing(1, ceremony)).toMatchObject({ stage: 'Signing', leading: { sessions: [{ status: 'open' }] } });
  const { store } = world.processor(1).ports;
  const due = async () => (await store.due(world.committee.now(), 100)).map(({ pk }) => pk);
  expect(await due()).toEqual([`C#${ceremony}`]);
  await world.committee.post('sol', 'Wake', '{"Wake":{}}', [1]);
  await world.run(60);
  expect(await due()).toEqual([]);
  await world.instruct(instruction, [3]);
  await world.run(60);
  expect(world.signatures(1, ceremony)).toHaveLength(1);
});
