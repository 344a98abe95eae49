/** ECASH-07, SRV-01, SRV-02, SRV-04: a service dies at every port call of both phases, before it and after it. */
import { describe, expect, test } from 'vitest';
import { Crash } from '../../lib/local/gate.ts';
import type { VoteCertificate } from '../../lib/messages/tokens.ts';
import type { QueueName } from '../../lib/ports.ts';
import type { TransactionMessage } from '../../lib/signing-service/scheme.ts';
import type { CertificateMessage, Issued, Refused, Voted } from '../../lib/signing-service/service.ts';
import { id32, idOf, tag, transaction } from './plain.ts';
import { TokenWorld } from './world.ts';

const VICTIM = 1;
const QUEUE = 'coterie-operator1-usd-Transaction' as QueueName;
const ANSWERS = 'coterie-gateway-answers' as QueueName;
const CLIENT = 'coterie-operator1-usd-MultisigEvent' as QueueName;

const spend = transaction({
  tags: [tag(1), tag(2)],
  deposits: [{ depositId: id32('d'), value: 10 }],
  outputs: ['a', 'b'],
  withdraw: { amount: '3', recipient: 'bc1q', memo: '' },
});
const rival = transaction({ tags: [tag(2)], outputs: ['mine'] });

type Answer = Voted | Issued | Refused;

/** Service 1 behind a queue, as a function: whatever it says it says through the bus. */
async function behindAQueue() {
  const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
  const { cloud } = world;
  for (const queue of [QUEUE, ANSWERS, CLIENT]) cloud.createQueue(queue, { visibilityTimeoutSeconds: 30 });
  const bus = cloud.bus({ namespace: world.namespace(VICTIM) });
  const answers: Answer[] = [];
  const withdrawals: string[] = [];
  cloud.subscribe(QUEUE, async (batch) => {
    for (const { body } of batch) {
      // Every delivery is a new process.
      const service = world.made(VICTIM, {
        withdrawn: async (notice) => void (await bus.send([{ queue: CLIENT, body: JSON.stringify(notice) }])),
      });
      const answer = await service.process(JSON.parse(body) as TransactionMessage);
      await bus.send([{ queue: ANSWERS, body: JSON.stringify(answer) }]);
    }
    return { failed: [] };
  });
  cloud.subscribe(ANSWERS, async (batch) => {
    answers.push(...batch.map(({ body }) => JSON.parse(body) as Answer));
    return { failed: [] };
  });
  cloud.subscribe(CLIENT, async (batch) => {
    withdrawals.push(...batch.map(({ body }) => body));
    return { failed: [] };
  });
  return { world, cloud, answers, withdrawals };
}

/** Both phases at all four services; the victim dies at its call number `at`. @returns what it said, and how many calls it made */
async function run(at: number, when: 'before' | 'after') {
  const { world, cloud, answers, withdrawals } = await behindAQueue();
  let calls = 0;
  let crashed = false;
  const stop = cloud.intercept(({ namespace, when: moment }) => {
    // Calls overlap: each moment is counted by itself.
    if (namespace !== world.namespace(VICTIM) || moment !== when) return;
    calls++;
    if (crashed || calls - 1 !== at) return;
    crashed = true;
    throw new Crash(`${when} call ${at}`);
  });
  const post = async (message: TransactionMessage | CertificateMessage) => {
    await cloud.bus().send([{ queue: QUEUE, body: JSON.stringify(message) }]);
    await cloud.run();
  };
  await post(spend);
  const others = await Promise.all([2, 3].map((index) => world.service(index).process(spend)));
  const votes = [...answers, ...others].flatMap((answer) => ('vote' in answer ? [answer] : []));
  const byIndex = new Map(votes.map((vote) => [vote.index, vote]));
  const signatures = [...byIndex.values()].map(({ index, signature }) => ({ index, signature }));
  const vote = votes[0]?.vote;
  if (!vote) throw new Error('nobody voted');
  const certificate: VoteCertificate = { vote, signatures: signatures.sort((a, b) => a.index - b.index) };
  await post(certificate);
  for (const index of [2, 3, 4]) await world.service(index).process({ ...certificate, transaction: spend.proof });
  stop();
  return { world, answers, withdrawals, certificate, calls, crashed };
}

const reason = (answer: Answer): string => ('refusal' in answer ? answer.refusal.reason : 'accepted');

describe.each(['before', 'after'] as const)('a service that dies %s a port call', (when) => {
  test('answers the repeated request with the same bytes, keeps every serial to one transaction, and pays once', async () => {
    const reference = await run(-1, when);
    expect(reference.crashed).toBe(false);
    const [vote, issued] = reference.answers;
    let at = 0;
    for (; ; at++) {
      const { world, answers, withdrawals, certificate, crashed } = await run(at, when);
      if (!crashed) break;
      const named = `${when} call ${at}`;
      // Whatever was said twice is the same, and all of it is what a service says that does not die.
      expect(new Set(answers.map((answer) => JSON.stringify(answer))), named).toEqual(
        new Set([vote, issued].map((answer) => JSON.stringify(answer))),
      );
      expect(certificate, named).toEqual(reference.certificate);
      // The rival finds the serial taken, at every service, and no other output was ever signed.
      for (const service of [world.made(VICTIM), world.service(2), world.service(4)])
        expect(reason(await service.process(rival)), named).toBe('Spent');
      expect(await world.made(VICTIM).process(certificate), named).toEqual(issued);
      // Supply: the deposit was counted once, whoever died in between.
      const counted = world.items(VICTIM, 'Serials').find(({ pk }) => pk.startsWith('CAP#'))?.['total'];
      expect(counted, named).toBe('10');
      const states = world.items(VICTIM, 'Serials').filter(({ sk }) => sk === 'STATE');
      expect(
        states.map(({ state }) => state),
        named,
      ).toEqual(Array(3).fill(`spent#${idOf(spend)}`));
      // The client hears at least once, under one id; twice only if the service died before it could note that it had said so.
      expect(new Set(withdrawals), named).toEqual(new Set(reference.withdrawals));
      expect(withdrawals.length, named).toBeLessThanOrEqual(2);
    }
    expect(at, 'both phases make more calls than this').toBeGreaterThan(12);
  });
});

test('nothing leaves before it is stored: a service whose store refuses says nothing', async () => {
  const { world, cloud, answers } = await behindAQueue();
  const { Throttled } = await import('../../lib/ports.ts');
  let refusing = true;
  cloud.intercept(({ when, operation }) => {
    if (refusing && when === 'before' && operation === 'transact') throw new Throttled('slow down');
  });
  await cloud.bus().send([{ queue: QUEUE, body: JSON.stringify(spend) }]);
  await cloud.run({ until: cloud.now + 100_000 });
  expect(answers).toEqual([]);
  expect(world.items(VICTIM, 'Serials')).toEqual([]);
  refusing = false;
  await cloud.run();
  expect(answers.map(reason)).toEqual(['accepted']);
});
