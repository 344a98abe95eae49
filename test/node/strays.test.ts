import { expect, test } from 'vitest';
import { identityOf } from '../../lib/local/committee.ts';
import { bodyOf } from '../../lib/messages/catalogue.ts';
import { contentText } from '../../lib/messages/contents.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { ceremonyId, type SigningParameters, signingSuite } from '../../lib/messages/parameters.ts';
import { topicQueue } from '../../lib/messages/topics.ts';
import { Node } from '../../lib/node/node.ts';
import { receive } from '../../lib/node/receive.ts';
import { storeWith } from '../../lib/ports.ts';
import { leaderOf } from '../../lib/signing/step.ts';
import { ledBy, NodeWorld } from './world.ts';

const PAIR = { hiding: `0x${'66'.repeat(32)}`, binding: `0x${'66'.repeat(32)}` } as const;

/** A peer's commitment for a ceremony that it made up, whose first leader is operator 1. */
async function stray(world: NodeWorld, from: number, expiresAt: number): Promise<Hex> {
  const made = world.keygen(1);
  if (made?.stage !== 'Succeeded') throw new Error('there is no key');
  const { committee, coin, suite, t, signers } = made.parameters;
  for (;;) {
    const requestId = `0x${(strays++).toString(16).padStart(32, 'f')}` as Hex;
    const parameters: SigningParameters = {
      ...{ kind: 'signing', committee, coin, suite: signingSuite.parse(suite), t, signers, keyId: made.keyId },
      ...{ messages: ['0x00'], purpose: 'stray', requestId, expiresAt },
    };
    const ceremony = ceremonyId(parameters);
    if (leaderOf(parameters, ceremony, 0) !== 1) continue;
    const text = contentText('NonceCommitment', { parameters, commitments: [PAIR] });
    await world.deliver(1, await world.say(from, 'NonceCommitment', { ceremony, slot: '0', to: 1 }, text));
    return ceremony;
  }
}
let strays = 0;

const kept = (world: NodeWorld) =>
  world.items(1, 'Ceremonies').filter(({ pk, sk }) => pk.endsWith('#NonceCommitment') && sk.startsWith('IN#'));

test('DOS-02 a peer’s unauthorised ceremonies are sixteen, and another peer’s are still heard', async () => {
  const world = await new NodeWorld().assembled();
  const expiresAt = world.committee.now() + 600;
  for (let i = 0; i < 40; i++) await stray(world, 2, expiresAt);
  await world.run();
  expect(kept(world)).toHaveLength(16);
  await stray(world, 3, expiresAt);
  await world.run();
  expect(kept(world)).toHaveLength(17);
  expect(world.count('StrayDropped', 1)).toBe(24);
  expect(
    world.states(1).filter(({ kind }) => kind === 'signing'),
    'no state, no timer',
  ).toEqual([]);
});

test('DOS-02 what expires later than any ceremony may is not kept at all', async () => {
  const world = await new NodeWorld().assembled();
  await stray(world, 2, world.committee.now() + 8 * 86_400);
  await stray(world, 2, 9_000_000_000_000);
  await world.run();
  expect(kept(world)).toEqual([]);
  expect(world.items(1, 'Ceremonies').filter(({ pk, sk }) => pk.startsWith('STRAY#') || sk === 'ASKED#2')).toEqual([]);
});

test('an operator whose client is always the last to ask signs the twentieth time as it did the first', async () => {
  const world = await new NodeWorld({ operators: 2, threshold: 2 }).assembled();
  for (let i = 0; i < 20; i++) {
    const { instruction } = ledBy(world, 2);
    await world.instruct(instruction, [1]);
    await world.run(5);
    await world.instruct(instruction, [2]);
    await world.run(20);
  }
  const ended = world.states(1).filter(({ kind }) => kind === 'signing');
  expect(ended.map(({ stage }) => stage)).toEqual(Array(20).fill('Succeeded'));
});

test('what came before the authorisation lives as long as the ceremony, not as long as a stray', async () => {
  const world = await new NodeWorld({ threshold: 3, cloud: { faults: { ttlLagSeconds: 0 } } }).assembled();
  const { instruction, ceremony } = ledBy(world, 2, { expiresAt: world.committee.now() + 6 * 86_400 });
  // The second operator hears of it before it authorises it, and the third is two days late.
  for (const operator of [1, 2]) {
    await world.instruct(instruction, [operator]);
    await world.run(60);
  }
  await world.run(2 * 86_400);
  await world.instruct(instruction, [3]);
  await world.run(60);
  for (const operator of [1, 2, 3]) expect(world.signatures(operator, ceremony)).toHaveLength(1);
});

test('SRV-06 what was looked at before the authorisation and written after it lives as long as the ceremony, too', async () => {
  const world = await new NodeWorld().assembled();
  const expiresAt = world.committee.now() + 6 * 86_400;
  const { instruction, ceremony, parameters } = ledBy(world, 1, { expiresAt });
  await world.instruct(instruction, [1]);
  await world.run(5);
  const text = contentText('NonceCommitment', { parameters, commitments: [PAIR] });
  const said = await world.say(2, 'NonceCommitment', { ceremony, slot: '0', to: 1 }, text);
  const node = world.processor(1);
  let looked = 0;
  const store = storeWith(node.ports.store, {
    get: async (table, key) => {
      const state = await node.ports.store.get(table, key);
      return key.sk === 'STATE' && looked++ === 0 ? undefined : state;
    },
  });
  const racing = new Node(node.config, { ...node.ports, store });
  const queue = topicQueue(identityOf(1), 'sol', 'NonceCommitmentIn');
  const delivery = { queue, messageId: 'm', body: bodyOf('NonceCommitmentIn', said), receiveCount: 1 };
  expect(await receive(racing, 'NonceCommitment', [delivery])).toEqual({ failed: [] });
  for (const row of world.items(1, 'Ceremonies').filter(({ pk }) => pk === `C#${ceremony}#NonceCommitment`))
    expect(row['ttl']).toBeGreaterThan(expiresAt);
});

test('SRV-06 and so does what came while the authorisation was under way', async () => {
  let deliverNow: (() => Promise<void>) | undefined;
  const world = await new NodeWorld({
    instruments: {
      ports: (ports, { operator, name }) =>
        operator === 1 && name === 'sol'
          ? {
              ...ports,
              store: storeWith(ports.store, {
                transact: async (...args) => {
                  const come = deliverNow;
                  deliverNow = undefined;
                  await come?.();
                  return ports.store.transact(...args);
                },
              }),
            }
          : ports,
    },
  }).assembled();
  const expiresAt = world.committee.now() + 6 * 86_400;
  const { instruction, ceremony, parameters } = ledBy(world, 1, { expiresAt });
  const text = contentText('NonceCommitment', { parameters, commitments: [PAIR] });
  const said = await world.say(2, 'NonceCommitment', { ceremony, slot: '0', to: 1 }, text);
  const queue = topicQueue(identityOf(1), 'sol', 'NonceCommitmentIn');
  const delivery = { queue, messageId: 'm', body: bodyOf('NonceCommitmentIn', said), receiveCount: 1 };
  deliverNow = async () => {
    await receive(world.processor(1), 'NonceCommitment', [delivery]);
  };
  await world.instruct(instruction, [1]);
  await world.run(5);
  const rows = world.items(1, 'Ceremonies').filter(({ pk }) => pk === `C#${ceremony}#NonceCommitment`);
  expect(rows.length).toBeGreaterThan(1);
  for (const row of rows) expect(row['ttl']).toBeGreaterThan(expiresAt);
});
