import { describe, expect, test } from 'vitest';
import { identityOf } from '../../lib/local/committee.ts';
import { contentText } from '../../lib/messages/contents.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { parseQueueName, topicQueue } from '../../lib/messages/topics.ts';
import { POLICY } from '../../lib/node/rows.ts';
import { wakeOpenCeremonies } from '../../lib/node/wake.ts';
import { leaderOf } from '../../lib/signing/step.ts';
import { ledBy, NodeWorld } from './world.ts';

const shares = (world: NodeWorld, operator: number) =>
  world.items(operator, 'Ceremonies').filter(({ sk }) => sk.startsWith('SHARE#'));

describe('the halt switch', () => {
  test('no share leaves while it is pulled, nothing spins, the operator still leads, and after Release the signature comes', async () => {
    const world = await new NodeWorld({ operators: 2, threshold: 2 }).assembled();
    await world.control(1, { Halt: {} });
    await world.run();
    const { instruction, ceremony } = ledBy(world, 1, { expiresAt: world.committee.now() + 86_400 });
    await world.instruct(instruction);
    const before = world.cloud.inspect.calls().get('store.transact') ?? 0;
    await world.run(3_600);
    expect(shares(world, 1)).toEqual([]);
    expect(shares(world, 2), 'the package of the halted leader came').toHaveLength(1);
    expect((world.cloud.inspect.calls().get('store.transact') ?? 0) - before, 'transactions in an hour').toBeLessThan(
      200,
    );
    expect(world.signing(1)?.stage).toBe('Signing');
    // It is due all the time. However often the scheduled rule comes by, no more Wakes are under way than its own.
    const visits = 20;
    for (let visit = 0; visit < visits; visit++) {
      await world.control(1, { CleanUp: {} });
      await world.run(60);
    }
    let wakes = 0;
    world.cloud.inspect.onSend(({ queue }) => {
      const name = parseQueueName(queue);
      if (name?.identity === identityOf(1) && name.message === 'Wake') wakes++;
    });
    const quarters = 8;
    await world.run(quarters * 900);
    expect(wakes).toBeGreaterThan(0);
    expect(wakes).toBeLessThan((quarters * visits) / 4);
    await world.control(1, { Release: {} });
    await world.run(30);
    for (const operator of [1, 2]) expect(world.signatures(operator, ceremony)).toHaveLength(1);
  });

  test('a halted operator of three costs nobody else a signature', async () => {
    const world = await new NodeWorld().assembled();
    await world.control(1, { Halt: {} });
    await world.run();
    const { instruction, ceremony } = ledBy(world, 1);
    await world.instruct(instruction);
    await world.run(120);
    for (const operator of [2, 3]) expect(world.signatures(operator, ceremony)).toHaveLength(1);
    expect(shares(world, 1)).toEqual([]);
  });
});

test('a halted operator that holds a package it may not answer leads all the same', async () => {
  const world = await new NodeWorld({ operators: 4, threshold: 2 }).assembled();
  await world.control(1, { Halt: {} });
  let asked = ledBy(world, 4);
  while (leaderOf(asked.parameters, asked.ceremony, 1) !== 1) asked = ledBy(world, 4);
  await world.instruct(asked.instruction, [1]);
  await world.run(1);
  await world.instruct(asked.instruction, [4]);
  await world.run(1);
  world.committee.kill(4);
  await world.instruct(asked.instruction, [2, 3]);
  // Before the third leader's turn.
  await world.run(25);
  for (const operator of [2, 3]) expect(world.signatures(operator, asked.ceremony)).toHaveLength(1);
  expect(shares(world, 1)).toEqual([]);
});

describe('the policy', () => {
  test('NON-15 a purpose that it forbids is refused at once, and no nonce is committed', async () => {
    const world = await new NodeWorld({ policies: [{ kind: 'purposes', allow: ['payout'] }] }).assembled();
    await world.instruct(world.sign({ purpose: 'gift' }));
    await world.run();
    expect(world.outcomes.filter(({ event }) => 'Refused' in event)).toHaveLength(3);
    expect(world.signing(1)).toBeUndefined();
    await world.instruct(world.sign({ purpose: 'payout' }));
    await world.run();
    expect(world.signing(1)?.stage).toBe('Succeeded');
  });

  test('a function with the old policy releases nothing once another is in force', async () => {
    const world = await new NodeWorld({ operators: 2, threshold: 2 }).assembled();
    const { instruction, ceremony } = ledBy(world, 1);
    await world.cloud
      .store(world.namespace(2))
      .write({ kind: 'put', table: 'Keys', item: { ...POLICY, version: 'another' } });
    await world.instruct(instruction);
    await world.run(60);
    expect(shares(world, 2)).toEqual([]);
    expect(shares(world, 1)).toHaveLength(1);
    expect(world.signatures(1, ceremony)).toBeUndefined();
    expect(world.count('ReleaseHeld', 2)).toBeGreaterThan(0);
  });
});

test('a signer that is late by more than the first leader’s life is answered by any leader that has the signature', async () => {
  const world = await new NodeWorld({ operators: 4, threshold: 3 }).assembled();
  const { instruction, ceremony, parameters } = ledBy(world, 1, { expiresAt: world.committee.now() + 86_400 });
  const second = leaderOf(parameters, ceremony, 1);
  const late = world.operators.find((index) => index !== 1 && index !== second) ?? 0;
  await world.instruct(
    instruction,
    world.operators.filter((index) => index !== late),
  );
  await world.run(10);
  expect(world.signatures(second, ceremony)).toHaveLength(1);
  world.committee.kill(1);
  await world.instruct(instruction, [late]);
  await world.run(120);
  expect(world.signatures(late, ceremony)).toHaveLength(1);
});

test('a leader without its own authorisation leads, and an operator that nobody asked releases nothing', async () => {
  const world = await new NodeWorld().assembled();
  const { instruction, ceremony } = ledBy(world, 2);
  await world.instruct(instruction, [1, 3]);
  await world.run();
  for (const operator of [1, 2, 3]) expect(world.signatures(operator, ceremony)).toHaveLength(1);
  expect(shares(world, 2)).toEqual([]);
  expect(world.outcomes.some(({ operator, event }) => operator === 2 && 'SigningOutcome' in event)).toBe(false);
});

test('several messages are signed at once, and one refused record of a batch fails no other', async () => {
  const world = await new NodeWorld({ coin: 'btc' }).assembled();
  const messages = Array.from({ length: 5 }, (_, i) => `0x${`0${i}`.repeat(32)}` as Hex);
  const { instruction, ceremony } = ledBy(world, 1, { messages });
  const nonces = topicQueue(identityOf(1), 'btc', 'NonceCommitmentIn');
  const poison = await world.say(2, 'NonceCommitment', { ceremony, slot: '0', to: 3 }, '{}');
  await world.cloud
    .bus()
    .send(
      ['{', '[]', 'null', '{"NonceCommitmentIn":{}}', '{"SignatureIn":{}}'].map((body) => ({ queue: nonces, body })),
    );
  await world.deliver(1, poison);
  await world.instruct(instruction);
  await world.run();
  for (const operator of [1, 2, 3]) expect(world.signatures(operator, ceremony)).toHaveLength(5);
  expect(world.count('EnvelopeRejected', 1)).toBe(6);
  expect(world.cloud.inspect.queues().get(nonces)).toMatchObject({ visible: 0, inFlight: 0 });
});

test('the second request under one requestId, with other parameters, is a mismatch; with the same, a repetition; neither blames', async () => {
  const world = await new NodeWorld().assembled();
  const instruction = world.sign();
  await world.instruct(instruction);
  await world.run();
  await world.instruct(instruction, [1]);
  await world.instruct({ Sign: { ...instruction.Sign, purpose: 'other' } }, [1]);
  await world.run();
  const refusals = world.outcomes.flatMap(({ event }) => ('Refused' in event ? [event.Refused.reason] : []));
  expect(refusals.sort()).toEqual(['ConfigurationMismatch', 'Repeated']);
  expect(world.states(1).filter(({ kind }) => kind === 'signing')).toHaveLength(1);
});

test('an instruction whose first bearer died before it began is begun by the next', async () => {
  const world = await new NodeWorld({ operators: 2, threshold: 2 }).assembled();
  const { instruction, ceremony } = ledBy(world, 1);
  const { requestId, expiresAt } = instruction.Sign;
  const item = {
    pk: `R#signing#${requestId}`,
    sk: 'CEREMONY',
    ceremony,
    origin: 'a message that died',
    ttl: expiresAt,
  };
  await world.cloud.store(world.namespace(1)).write({ kind: 'put', table: 'Ceremonies', item });
  await world.instruct(instruction);
  await world.run();
  expect(world.signatures(1, ceremony)).toHaveLength(1);
});

test('a ceremony that cannot be woken keeps no other from its deadline', async () => {
  const world = await new NodeWorld({ operators: 2, threshold: 2 }).assembled();
  const first = ledBy(world, 1, { expiresAt: world.committee.now() + 100 });
  const second = ledBy(world, 1, { expiresAt: world.committee.now() + 200 });
  for (const { instruction } of [first, second]) await world.instruct(instruction, [1]);
  await world.run(1);
  // Every delayed message is lost: only the scheduled rule is left.
  world.cloud.advance(300);
  const stop = world.cloud.intercept(({ when, operation, args }) => {
    if (when === 'before' && operation === 'query' && String(args[1]).startsWith(`C#${first.ceremony}`))
      throw new Error('always');
  });
  const node = world.processor(1);
  await expect(wakeOpenCeremonies(node, node.now())).rejects.toThrow('always');
  stop();
  expect((await world.state(1, second.ceremony))?.stage).toBe('Failed');
  expect((await world.state(1, first.ceremony))?.stage).toBe('Signing');
});

test('NON-10 a package in a place that no leader has is not even kept', async () => {
  const world = await new NodeWorld().assembled();
  const { instruction, ceremony, parameters } = ledBy(world, 2, { expiresAt: world.committee.now() + 600 });
  world.committee.kill(2);
  await world.instruct(instruction, [1]);
  await world.run(1);
  const content = contentText('SigningPackage', {
    signers: [1, 3],
    sources: [`0x${'00'.repeat(32)}`, `0x${'00'.repeat(32)}`],
    commitments: [[], []].map(() => [{ hiding: `0x${'66'.repeat(32)}`, binding: `0x${'66'.repeat(32)}` }]),
  });
  const second = leaderOf(parameters, ceremony, 1);
  for (const slot of ['0.0', '0.5', '1.0', '7.0'])
    await world.deliver(1, await world.say(3, 'SigningPackage', { ceremony, slot }, content));
  await world.deliver(1, await world.say(2, 'SigningPackage', { ceremony, slot: '0.2' }, content));
  for (const slot of ['0.0', '1.9'])
    await world.deliver(1, await world.say(3, 'SignatureShare', { ceremony, slot, to: 1 }, '{}'));
  await world.run(1);
  const kept = world
    .items(1, 'Ceremonies')
    .filter(({ pk, sk }) => /SigningPackage|SignatureShare/.test(pk) && sk.startsWith('IN#'));
  expect(kept.map(({ sk }) => sk)).toEqual(second === 3 ? ['IN#1.0#3'] : []);
});
