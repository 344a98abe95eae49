/** Attacks on retries, batches, versions and clocks; `docs/attacks.md` lists them all. */

import { expect, test } from 'vitest';
import type { FrostKeygenParameters } from '../../lib/messages/parameters.ts';
import { ceremonyId, type SigningParameters } from '../../lib/messages/parameters.ts';
import { STATEMENT_TYPES } from '../../lib/messages/statement.ts';
import { receive } from '../../lib/node/receive.ts';
import type { Delivery, QueueName } from '../../lib/ports.ts';
import { leaderOf } from '../../lib/signing/step.ts';
import { KeygenNetwork, SigningNetwork, START, World } from '../ceremonies/network.ts';
import { NodeWorld } from '../node/world.ts';
import { CALM, played, unharmed } from '../simulation/byzantine-world.ts';

test('SRV-07 one poisoned record of a batch of ten, in every place, keeps no other from being handled, and comes no second time', async () => {
  const world = await new NodeWorld().assembled();
  const made = world.keygen(1);
  if (!made) throw new Error('there is a key');
  const { committee, coin, suite, t, signers } = made.parameters as FrostKeygenParameters;
  // Nine first commitments of operator 2, each for a ceremony that operator 1 leads: each is a row of its own.
  const bodies: string[] = [];
  const ceremonies: string[] = [];
  for (let i = 0; bodies.length < 9; i++) {
    const { Sign } = world.sign({ requestId: `0x${i.toString(16).padStart(32, 'd')}` });
    const parameters: SigningParameters = { kind: 'signing', committee, coin, suite, t, signers, ...Sign };
    const ceremony = ceremonyId(parameters);
    if (leaderOf(parameters, ceremony, 0) !== 1) continue;
    const point = `0x58${'66'.repeat(31)}` as const;
    const content = { parameters, commitments: [{ hiding: point, binding: point }] };
    const statement = await world.sayContent(2, 'NonceCommitment', { ceremony, slot: '0', to: 1 }, content);
    bodies.push(JSON.stringify({ NonceCommitmentIn: statement }));
    ceremonies.push(ceremony);
  }
  const kept = (): string[] =>
    world
      .items(1, 'Ceremonies')
      .filter(({ pk, sk }) => pk.endsWith('NonceCommitment') && sk.startsWith('IN#'))
      .map(({ pk }) => pk.split('#')[1] ?? '')
      .filter((ceremony) => ceremonies.includes(ceremony));
  for (let place = 0; place < 10; place++) {
    const poisoned = bodies.toSpliced(place, 0, bodies[0]?.replace('"signature":"0x', '"signature":"0xff') ?? '');
    const batch = poisoned.map(
      (body, i): Delivery => ({
        messageId: `${place}-${i}`,
        queue: 'coterie-operator1-sol-NonceCommitmentIn' as QueueName,
        body,
        receiveCount: 1,
      }),
    );
    expect(await receive(world.processor(1), 'NonceCommitment', batch), `poison in place ${place}`).toEqual({
      failed: [],
    });
    expect(kept().sort()).toEqual([...ceremonies].sort());
  }
});

test('SRV-09 no message of any type revives an ended ceremony, whichever way it ended', () => {
  const world = new World({ n: 3, t: 2, suite: 'FROST-ED25519-SHA512-v1' });
  const succeeded = new KeygenNetwork(world);
  succeeded.run();
  const failed = new KeygenNetwork(world);
  failed.lie(2, (statement) =>
    statement.type === 'EncryptedKeyShare' ? world.resignText(statement, '{}') : statement,
  );
  failed.run();
  const { state } = succeeded.node(1);
  if (state?.stage !== 'Succeeded') throw new Error('there is no key');
  const signed = new SigningNetwork(succeeded, state.keyId, ['0x6869']);
  signed.authoriseAll();
  signed.run();
  const expired = new SigningNetwork(succeeded, state.keyId, ['0x00'], `0x${'5a'.repeat(16)}`);
  expired.authorise(1);
  expired.run();
  expired.wake(START + 600);
  const all = [succeeded, failed, signed].flatMap((network) =>
    world.indexes().flatMap((index) => [...network.node(index).recorded.values()]),
  );
  for (const [network, end] of [
    [succeeded, 'Succeeded'],
    [failed, 'Failed'],
    [signed, 'Succeeded'],
    [expired, 'Failed'],
  ] as const) {
    const before = JSON.stringify(network.node(1).state);
    expect(network.node(1).state?.stage).toBe(end);
    const ceremony = network.node(1).state?.ceremony ?? '0x';
    for (const type of STATEMENT_TYPES) {
      // What was ever said of this type, and nonsense, in this ceremony and in a place of its own.
      const texts = [
        '{}',
        '{"aborted":"Aborted"}',
        ...all.filter((each) => each.type === type).map((each) => each.content),
      ];
      for (const [i, text] of [...new Set(texts)].slice(0, 6).entries())
        network.inject(1, network.node(2).member.say(type, ceremony, i === 0 ? '' : `${i}`, 0, text));
    }
    for (const later of [600, 700, 100_000]) network.wake(START + later);
    expect(JSON.stringify(network.node(1).state), `${network.constructor.name} ${end}`).toBe(before);
  }
});

test('SRV-10 operators whose functions are of two versions, message by message, make one key and sign', async () => {
  for (const seed of [1, 2]) {
    const run = await played({ seed, profile: { batches: { ...CALM.batches, nextVersion: 0.5 } } });
    expect(unharmed(run)).toEqual([]);
    expect(run.honest.map((operator) => run.signing(operator)?.stage)).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
  }
});

test('SRV-12 clocks that are ten minutes apart, either way, disagree about nothing', async () => {
  const run = await played({ profile: { skewMs: [600_000, -600_000, 0] } });
  expect(unharmed(run)).toEqual([]);
  expect(run.honest.map((operator) => run.keygen(operator)?.stage)).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
  const keyIds = run.honest.map((operator) => {
    const state = run.keygen(operator);
    return state?.stage === 'Succeeded' ? state.keyId : undefined;
  });
  expect(new Set(keyIds).size).toBe(1);
});

test('DOS-04 a peer whose every message is nonsense costs the others nothing but its own', async () => {
  const run = await played({
    operators: 4,
    threshold: 3,
    byzantine: [2],
    behaviour: {
      name: 'nonsense in signing',
      outgoing: (message) =>
        /NonceCommitmentOut|SignatureShareOut|SigningPackageOut/.test(message.body)
          ? [message, message, message].map(({ queue, body }) => ({ queue, body: body.replaceAll('0x', '0y') }))
          : [message],
    },
  });
  expect(unharmed(run)).toEqual([]);
  expect(run.honest.map((operator) => run.signing(operator)?.stage)).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
  // Nothing of it is retried: garbage is dropped where it is read.
  for (const [queue, { visible, inFlight }] of run.world.cloud.inspect.queues())
    expect(visible + inFlight, queue).toBe(0);
});
