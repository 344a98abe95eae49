/** As many liars as a committee may have, each of whom has said as much as a body carries. */
import { expect, test } from 'vitest';
import type { Evidence } from '../../lib/messages/evidence.ts';
import { storeEvidence } from '../../lib/node/commit.ts';
import { NodeWorld } from './world.ts';

test('DOS-01 a key generation with twelve liars fails in one transaction, names them all, and shows what fits', async () => {
  const world = new NodeWorld({ operators: 13, threshold: 13, dies: { operator: 2, at: 'EncryptedPublicKeyIn' } });
  await world.committee.assemble();
  await world.run(30);
  const waiting = world.keygen(1);
  if (!waiting) throw new Error('there is no key generation');
  const { ceremony } = waiting;
  const liars = world.operators.slice(1);
  for (const from of liars) {
    // Recorded by invocations that ended before they stepped.
    const statements = await Promise.all(
      ['x', 'y'].map((filler) => world.say(from, 'KeyGenVerdict', { ceremony }, filler.repeat(190_000))),
    );
    const { committee } = world.committee.committee.genesisOf('sol') ?? {};
    if (!committee) throw new Error('there is no genesis');
    const evidence: Evidence = { v: 1, reason: 'Equivocation', committee, statements };
    await storeEvidence(world.processor(1), ceremony, from, evidence);
  }
  // What they do with what they are told is no part of this, and takes them long.
  for (const liar of liars) world.committee.kill(liar);
  await world.control(1, { CleanUp: {} });
  await world.committee.post('sol', 'Wake', JSON.stringify({ Wake: { ceremony } }), [1]);
  await world.run(60);
  expect(world.keygen(1)).toMatchObject({ stage: 'Failed', reason: 'Equivocation' });
  const told = world.outcomes.find(({ operator, event }) => operator === 1 && 'KeygenOutcome' in event)?.event;
  expect(told && 'KeygenOutcome' in told && told.KeygenOutcome.culprits.map(({ index }) => index)).toEqual(liars);
});
