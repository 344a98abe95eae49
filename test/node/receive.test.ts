import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { verifyEvidence } from '../../lib/evidence/verify.ts';
import { identityOf } from '../../lib/local/committee.ts';
import { bodyOf } from '../../lib/messages/catalogue.ts';
import { contentText } from '../../lib/messages/contents.ts';
import type { Evidence } from '../../lib/messages/evidence.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { ceremonyId, type KeygenParameters } from '../../lib/messages/parameters.ts';
import { topicQueue } from '../../lib/messages/topics.ts';
import { evidenceIn } from '../../lib/node/evidence-row.ts';
import { NodeWorld } from './world.ts';

function evidenceOf(world: NodeWorld, operator: number): Evidence[] {
  const rows = world.items(operator, 'Ceremonies').filter(({ sk }) => sk.startsWith('EVIDENCE#'));
  return rows.map((row) => {
    const evidence = evidenceIn(row['evidence']);
    if (!evidence) throw new Error('a row holds no proof');
    return evidence;
  });
}

/** That no packing makes shorter. */
function noise(length: number, label: string): string {
  const blocks = Array.from({ length: Math.ceil(length / 44) }, (_, i) =>
    createHash('sha256').update(`${label} ${i}`).digest('base64'),
  );
  return blocks.join('').slice(0, length);
}

/** A committee whose operator 2 makes no key: the others wait for it, and the test speaks for it. */
async function withoutTwo(
  options: ConstructorParameters<typeof NodeWorld>[0] = {},
): Promise<{ world: NodeWorld; ceremony: Hex }> {
  const world = new NodeWorld({ dies: { operator: 2, at: 'EncryptedPublicKeyIn' }, ...options });
  await world.committee.assemble();
  await world.run(5);
  const state = world.keygen(1);
  if (!state) throw new Error('operator 1 has begun');
  return { world, ceremony: state.ceremony };
}

test('DKG-07 two statements for one place are kept as a proof that convicts, and fail the ceremony', async () => {
  const { world, ceremony } = await withoutTwo();
  for (const transcript of ['11', '22']) {
    const content = contentText('KeyGenVerdict', { confirmed: `0x${transcript.repeat(32)}` });
    await world.deliver(1, await world.say(2, 'KeyGenVerdict', { ceremony }, content));
  }
  await world.run(5);
  const [evidence] = evidenceOf(world, 1);
  expect(evidence && verifyEvidence(world.committee.committee, evidence)).toMatchObject({ guilty: true, culprit: 2 });
  expect(world.keygen(1)).toMatchObject({ stage: 'Failed', reason: 'Equivocation', culprits: [{ index: 2 }] });
  await world.run(5);
  expect(world.keygen(3), 'hears the exhibits').toMatchObject({ stage: 'Failed', culprits: [{ index: 2 }] });
});

test('the same statement twice is a redelivery and proves nothing', async () => {
  const { world, ceremony } = await withoutTwo();
  const statement = await world.sayContent(2, 'KeyGenVerdict', { ceremony }, { confirmed: `0x${'11'.repeat(32)}` });
  for (let i = 0; i < 5; i++) await world.deliver(1, statement);
  await world.run(5);
  expect(evidenceOf(world, 1)).toEqual([]);
  expect(world.keygen(1)?.stage).not.toBe('Failed');
});

test('DOS-01 a contradiction too large to keep is no reason to hang: the ceremony ends at its expiry', async () => {
  const { world, ceremony } = await withoutTwo({ genesisLife: 100 });
  for (const letter of ['a', 'b']) {
    const content = `{"confirmed":"${noise(215_000, letter)}"}`;
    await world.deliver(1, await world.say(2, 'KeyGenVerdict', { ceremony }, content));
  }
  await world.run(200);
  expect(evidenceOf(world, 1)).toEqual([]);
  expect(world.keygen(1)).toMatchObject({ stage: 'Failed', reason: 'Timeout' });
  const queue = topicQueue(identityOf(1), world.coin, 'KeyGenVerdictIn');
  expect(world.cloud.inspect.queues().get(queue)).toMatchObject({ visible: 0, inFlight: 0 });
});

test('BLM-01 a contradiction larger than a row is kept packed, convicts, and is told to others', async () => {
  const { world, ceremony } = await withoutTwo();
  for (const letter of ['a', 'b']) {
    const content = `{"confirmed":"${letter.repeat(215_000)}"}`;
    await world.deliver(1, await world.say(2, 'KeyGenVerdict', { ceremony }, content));
  }
  await world.run(5);
  const [evidence] = evidenceOf(world, 1);
  expect(evidence && JSON.stringify(evidence).length).toBeGreaterThan(400_000);
  expect(evidence && verifyEvidence(world.committee.committee, evidence)).toMatchObject({ guilty: true, culprit: 2 });
  expect(world.keygen(1)).toMatchObject({ stage: 'Failed', reason: 'Equivocation' });
});

test('DOS-01 a proof that fills a row but no body fails the ceremony, and the verdict still leaves', async () => {
  const { world, ceremony } = await withoutTwo();
  for (const letter of ['a', 'b']) {
    const content = `{"confirmed":"${letter.repeat(150_000)}"}`;
    await world.deliver(1, await world.say(2, 'KeyGenVerdict', { ceremony }, content));
  }
  // Quotes are escaped once for each layer: three statements in an exhibit are more than a body.
  await world.run(5);
  expect(evidenceOf(world, 1)).toHaveLength(1);
  expect(world.keygen(1)).toMatchObject({ stage: 'Failed', reason: 'Equivocation' });
  await world.run(100);
  expect(world.keygen(3)?.stage).toBe('Failed');
});

test('CTX-04, CTX-07 what another operator, ceremony, reader or coin was told is rejected or changes nothing', async () => {
  const { world, ceremony } = await withoutTwo();
  const before = JSON.stringify(world.items(1, 'Ceremonies').map(({ pk, sk }) => [pk, sk]));
  const verdict = { confirmed: `0x${'11'.repeat(32)}` } as const;
  const good = await world.sayContent(2, 'KeyGenVerdict', { ceremony }, verdict);
  const queue = topicQueue(identityOf(1), world.coin, 'KeyGenVerdictIn');
  const rejected = [
    { ...good, from: 3 },
    { ...good, from: 1 },
    { ...good, coin: 'btc' },
    { ...good, committee: `0x${'00'.repeat(32)}` as Hex },
    { ...good, ceremony: `0x${'00'.repeat(32)}` as Hex },
    { ...good, content: contentText('KeyGenVerdict', { aborted: 'Aborted' }) },
    await world.sayContent(2, 'KeyGenVerdict', { ceremony, to: 3 }, verdict),
    await world.sayContent(2, 'KeyGenVerdict', { ceremony, to: 1 }, verdict),
    await world.sayContent(2, 'KeyGenVerdict', { ceremony, slot: '1' }, verdict),
    await world.sayContent(1, 'KeyGenVerdict', { ceremony }, verdict),
    { ...good, type: 'KeyGenCertificate' as const },
  ];
  await world.cloud.bus().send(rejected.map((statement) => ({ queue, body: bodyOf('KeyGenVerdictIn', statement) })));
  await world.run(2);
  expect(world.count('EnvelopeRejected', 1)).toBe(rejected.length);
  // Authentic, but of ceremonies and kinds that are not this one.
  await world.deliver(1, await world.sayContent(2, 'KeyGenVerdict', { ceremony: `0x${'33'.repeat(32)}` }, verdict));
  await world.deliver(
    1,
    await world.sayContent(2, 'Signature', { ceremony }, { signatures: [`0x${'11'.repeat(64)}`] }),
  );
  await world.run(2);
  expect(JSON.stringify(world.items(1, 'Ceremonies').map(({ pk, sk }) => [pk, sk]))).toBe(before);
});

test('CTX-03 other parameters under one requestId end a key generation, if a participant asks for them, and blame nobody', async () => {
  const { world } = await withoutTwo();
  const state = world.keygen(1);
  if (!state) throw new Error('operator 1 has begun');
  const other: KeygenParameters = { ...state.parameters, expiresAt: state.parameters.expiresAt + 1 };
  const content = {
    parameters: other,
    sealingKey: `0x09${'00'.repeat(31)}`,
    commitmentHash: `0x${'00'.repeat(32)}`,
  } as const;
  await world.deliverSealed(
    1,
    await world.sayContent(2, 'EncryptedPublicKey', { ceremony: ceremonyId(other) }, content),
  );
  await world.run(5);
  expect(world.keygen(1)).toMatchObject({ stage: 'Failed', reason: 'ConfigurationMismatch', culprits: [] });
});

test('an operator outside of a ceremony cannot end it by asking for others under its requestId', async () => {
  const world = await new NodeWorld({ genesis: false }).assembled();
  const asked = {
    coin: 'sol',
    suite: 'FROST-ED25519-SHA512-v1',
    t: 2,
    signers: [1, 2],
    requestId: `0x${'ab'.repeat(16)}`,
    expiresAt: world.committee.now() + 600,
  } as const;
  await world.instruct({ KeyGen: { ...asked, signers: [1, 2] } }, [1]);
  await world.run(5);
  const state = world.keygen(1);
  if (!state) throw new Error('operator 1 has begun');
  const other: KeygenParameters = { ...state.parameters, signers: [1, 2, 3] };
  const content = {
    parameters: other,
    sealingKey: `0x09${'00'.repeat(31)}`,
    commitmentHash: `0x${'00'.repeat(32)}`,
  } as const;
  await world.deliverSealed(
    1,
    await world.sayContent(3, 'EncryptedPublicKey', { ceremony: ceremonyId(other) }, content),
  );
  await world.run(5);
  await world.instruct({ KeyGen: { ...asked, signers: [1, 2] } }, [2]);
  await world.run(60);
  expect([1, 2].map((operator) => world.keygen(operator)?.stage)).toEqual(['Succeeded', 'Succeeded']);
});

test('a sealed statement that its sender did not sign inside is like silence: nobody is accused of what cannot be proven', async () => {
  const { world, ceremony } = await withoutTwo({ genesisLife: 100 });
  const state = world.keygen(1);
  if (!state) throw new Error('operator 1 has begun');
  const { parameters } = state;
  const content = { parameters, sealingKey: `0x09${'00'.repeat(31)}`, commitmentHash: `0x${'00'.repeat(32)}` } as const;
  const statement = await world.sayContent(2, 'EncryptedPublicKey', { ceremony }, content);
  // Two of them would be a contradiction that convinces nobody.
  for (const byte of ['00', '11']) await world.deliverSealed(1, { ...statement, signature: `0x${byte.repeat(64)}` });
  await world.run(200);
  expect(evidenceOf(world, 1)).toEqual([]);
  expect(world.keygen(1)).toMatchObject({ stage: 'Failed', culprits: [] });
});

test('an abandoned ceremony whose operator died before it could say so says so when the message comes back', async () => {
  const { world, ceremony } = await withoutTwo();
  const { Crash } = await import('../../lib/local/gate.ts');
  let armed = true;
  const stop = world.cloud.intercept(({ namespace, when, operation }) => {
    if (!armed || namespace !== world.namespace(1) || when !== 'after' || operation !== 'transact') return;
    armed = false;
    throw new Crash('after the transaction');
  });
  await world.control(1, { Abandon: { ceremony } });
  await world.run(10);
  stop();
  expect(world.keygen(1)?.stage).toBe('Failed');
  expect(world.keygen(3)?.stage).not.toBe('Failed');
  await world.run(400);
  expect(world.keygen(3)).toMatchObject({ stage: 'Failed', reason: 'Aborted' });
});
