import { describe, expect, test } from 'vitest';
import { verifyEvidence } from '../../lib/evidence/verify.ts';
import { verifySignature } from '../../lib/frost/signing.ts';
import { suiteOf } from '../../lib/frost/suite.ts';
import { type ContentOf, contentText, parseContent } from '../../lib/messages/contents.ts';
import { fromHex, type Hex } from '../../lib/messages/hex.ts';
import { signingSuite } from '../../lib/messages/parameters.ts';
import { type Statement, type StatementType, statementHash } from '../../lib/messages/statement.ts';
import { leaderOf } from '../../lib/signing/step.ts';
import { type FrostSuite, KeygenNetwork, SigningNetwork, START, World } from './network.ts';

const SUITES: readonly FrostSuite[] = ['FROST-secp256k1-SHA256-TR-v1', 'FROST-ED25519-SHA512-v1'];
const MESSAGES: readonly Hex[] = ['0x6869', '0x00'];

function contentOf<T extends StatementType>(statement: Statement, type: T): ContentOf<T> {
  const parsed = parseContent(type, statement.content);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.content;
}

/** Keys are made once for each committee shape: signing is what is tested here. */
const made = new Map<string, KeygenNetwork>();
function signing(n: number, t: number, suite: FrostSuite = 'FROST-ED25519-SHA512-v1', requestId?: Hex): SigningNetwork {
  const name = `${n} ${t} ${suite}`;
  const keygen = made.get(name) ?? new KeygenNetwork(new World({ n, t, suite }));
  if (!made.has(name)) keygen.run();
  made.set(name, keygen);
  const state = keygen.node(1).state;
  if (state?.stage !== 'Succeeded') throw new Error('key generation did not succeed');
  return new SigningNetwork(keygen, state.keyId, MESSAGES, requestId);
}

function leader(network: SigningNetwork, k = 0): number {
  return leaderOf(network.parameters, network.node(1).state?.ceremony ?? '0x', k);
}

/** Every honest, living node holds signatures that verify under the group's key. */
function expectSigned(network: SigningNetwork, nodes: readonly number[]): void {
  const outputKey = fromHex(network.made.signingCertificate().outputKey);
  for (const index of nodes) {
    const state = network.node(index).state;
    if (state?.stage !== 'Succeeded') throw new Error(`operator ${index} ended as ${state?.stage}`);
    for (const [m, message] of MESSAGES.entries()) {
      expect(
        verifySignature(
          suiteOf(signingSuite.parse(network.world.suite)),
          outputKey,
          fromHex(message),
          fromHex(state.signatures[m] ?? '0x'),
        ),
      ).toBe(true);
    }
    expect([...network.node(index).secrets.keys()], 'nonces are deleted').toEqual([]);
  }
}

describe.each(SUITES)('%s', (suite) => {
  test('a lying signer is named with a proof, and a signature comes without it', () => {
    const network = signing(5, 3, suite);
    network.authoriseAll();
    const first = leader(network);
    const liar = network.world.indexes().find((index) => index !== first) ?? 0;
    network.lie(liar, (statement) => {
      if (statement.type !== 'SignatureShare') return statement;
      const content = contentOf(statement, 'SignatureShare');
      return network.world.resign(statement, 'SignatureShare', {
        ...content,
        shares: content.shares.map(() => `0x01${'00'.repeat(31)}` as Hex),
      });
    });
    network.run();
    expectSigned(network, network.honest());
    expect(network.blamed(first)).toEqual([liar]);
    expect(network.node(first).evidence.get(liar)?.reason).toBe('InvalidSignatureShare');
    const outcome = network.node(first).events.find((event) => 'SigningOutcome' in event);
    expect(outcome).toMatchObject({ SigningOutcome: { result: 'succeeded', culprits: [{ index: liar }] } });
  });
});

test('a silent signer costs no leader period: the first leader opens another session after its patience', () => {
  const network = signing(4, 2);
  network.authoriseAll();
  const first = leader(network);
  const silent = network.world.indexes().filter((index) => index !== first)[0] ?? 0;
  network.lie(silent, (statement) => (statement.type === 'SignatureShare' ? undefined : statement));
  network.run();
  network.wake(START + 2);
  expectSigned(network, network.honest());
  expect(network.blamed(first)).toEqual([]);
  for (const index of network.honest())
    expect(network.node(index).said.filter(({ type }) => type === 'NonceCommitment').length).toBeLessThanOrEqual(1);
});

test('a silent leader costs one leader period', () => {
  const network = signing(3, 2);
  for (const index of network.world.indexes()) network.lead(index);
  const first = leader(network);
  network.down.add(first);
  network.authoriseAll();
  network.run();
  expect(network.honest().map((index) => network.node(index).state?.stage)).toEqual(['Signing', 'Signing']);
  network.wake(START + 15);
  expectSigned(network, network.honest());
});

test('any one operator may die at any message, and t others still sign', () => {
  for (const type of ['NonceCommitment', 'SigningPackage', 'SignatureShare', 'Signature'] as const) {
    for (const victim of [1, 2, 3]) {
      const network = signing(3, 2, 'FROST-ED25519-SHA512-v1', `0x${'0a'.repeat(15)}0${victim}`);
      network.authoriseAll();
      network.lie(victim, (statement) => {
        if (statement.type === type) network.down.add(victim);
        return network.down.has(victim) ? undefined : statement;
      });
      network.run();
      for (const later of [2, 15, 16, 17, 18, 30, 31, 32, 33, 45, 46]) network.wake(START + later);
      expectSigned(network, network.honest());
    }
  }
});

test('a signer that approves an hour late is answered by whoever has the signature, or completes a session', () => {
  const network = signing(3, 3);
  for (const index of [1, 2]) network.authorise(index);
  network.lead(3);
  network.run();
  network.wake(START + 20);
  network.authorise(3);
  network.run();
  expectSigned(network, [1, 2, 3]);
});

test('a leader without its own authorisation leads, and uses nothing of its own share', () => {
  const network = signing(3, 2);
  for (const index of network.world.indexes()) network.lead(index);
  const first = leader(network);
  for (const index of network.world.indexes()) if (index !== first) network.authorise(index);
  network.run();
  expectSigned(network, network.world.indexes());
  expect(
    network.node(first).said.filter(({ type }) => type === 'SignatureShare' || type === 'NonceCommitment'),
  ).toEqual([]);
  expect(network.node(first).events, 'a client that asked for nothing hears nothing').toEqual([]);
});

/** Sends a signer a package that the leader signed, however wrong it is, and returns what the signer says. */
function offered(
  change: (content: ContentOf<'SigningPackage'>, network: SigningNetwork) => ContentOf<'SigningPackage'>,
): { said: Statement[]; nonces: string[] } {
  const network = signing(4, 2);
  network.authoriseAll();
  const first = leader(network);
  let victim = 0;
  network.lie(first, (statement, to) => {
    if (statement.type !== 'SigningPackage') return statement;
    victim = to;
    return network.world.resign(statement, 'SigningPackage', change(contentOf(statement, 'SigningPackage'), network));
  });
  network.run();
  return {
    said: network.node(victim).said.filter(({ type }) => type === 'SignatureShare'),
    nonces: [...network.node(victim).secrets.keys()],
  };
}

const POINT = `0x58${'66'.repeat(31)}` as Hex;

test.each<[string, (content: ContentOf<'SigningPackage'>) => ContentOf<'SigningPackage'>]>([
  [
    'NON-09 the own commitment replaced',
    (c) => ({ ...c, commitments: c.commitments.map((each) => each.map(() => ({ hiding: POINT, binding: POINT }))) }),
  ],
  [
    'NON-09 the own commitments swapped',
    (c) => ({
      ...c,
      commitments: c.commitments.map((each) =>
        each.map(({ hiding, binding }) => ({ hiding: binding, binding: hiding })),
      ),
    }),
  ],
  ['NON-09 the own commitment missing', (c) => ({ ...c, commitments: c.commitments.map((each) => each.slice(1)) })],
  [
    'NON-10 too few signers',
    (c) => ({ signers: c.signers.slice(0, 1), sources: c.sources.slice(0, 1), commitments: c.commitments.slice(0, 1) }),
  ],
  [
    'NON-10 too many signers',
    (c) => ({
      signers: [...c.signers, 4],
      sources: [...c.sources, c.sources[0] as Hex],
      commitments: [...c.commitments, c.commitments[0] ?? []],
    }),
  ],
  [
    'NON-10 a source that is not the carrier of the commitments',
    (c) => ({ ...c, sources: c.sources.map(() => `0x${'00'.repeat(32)}` as Hex) }),
  ],
])('%s: the signer says nothing and its nonce stays unspent', (_name, change) => {
  const { said, nonces } = offered(change);
  expect(said).toEqual([]);
  expect(nonces).toContain('NONCE#0#0');
});

test('NON-01, NON-02 a nonce meets one package: a second one for the same slot or the same commitments gets no share', () => {
  const network = signing(4, 2);
  network.authoriseAll();
  const first = leader(network);
  network.run();
  const signer =
    network.world
      .indexes()
      .find((index) => index !== first && network.node(index).said.some(({ type }) => type === 'SignatureShare')) ?? 0;
  const packaged = network.node(first).said.find(({ type }) => type === 'SigningPackage');
  if (!packaged) throw new Error('the leader has sent a package');
  const again = signing(4, 2);
  again.authoriseAll();
  const other = { ...contentOf(packaged, 'SigningPackage') };
  const swapped = [...other.commitments].map((each, i) =>
    other.signers[i] === signer ? each : each.map(() => ({ hiding: POINT, binding: POINT })),
  );
  const text = contentText('SigningPackage', { ...other, commitments: swapped });
  again.run();
  const before = again.node(signer).said.filter(({ type }) => type === 'SignatureShare');
  for (const slot of ['0.0', '0.1', '0.2'])
    again.inject(signer, again.node(first).member.say('SigningPackage', packaged.ceremony, slot, 0, text));
  again.run();
  const after = again.node(signer).said.filter(({ type }) => type === 'SignatureShare');
  expect(after.map(statementHash)).toEqual(before.map(statementHash));
  expect(new Set(after.map((statement) => contentOf(statement, 'SignatureShare').package)).size).toBe(after.length);
});

test('a leader with two packages convicts itself and frames nobody', () => {
  const network = signing(4, 3);
  network.authoriseAll();
  const first = leader(network);
  const [lastSigner] = network.world
    .indexes()
    .filter((index) => index !== first)
    .slice(-2);
  network.lie(first, (statement, to) => {
    if (statement.type !== 'SigningPackage' || to !== lastSigner) return statement;
    const content = contentOf(statement, 'SigningPackage');
    return network.world.resign(statement, 'SigningPackage', {
      ...content,
      commitments: [...content.commitments].reverse(),
    });
  });
  network.run();
  const packages = [1, 2, 3, 4].flatMap(
    (index) => network.node(index).recorded.get(`SigningPackage/0.0/${first}`) ?? [],
  );
  const [a] = packages;
  const b = packages.find((each) => a && statementHash(each) !== statementHash(a));
  if (!a || !b) throw new Error('two packages were sent');
  const evidence = { v: 1, reason: 'Equivocation', committee: network.world.committee.id, statements: [a, b] } as const;
  expect(verifyEvidence(network.world.committee, { ...evidence, statements: [a, b] })).toMatchObject({
    guilty: true,
    culprit: first,
  });
  for (const index of network.honest()) expect(network.blamed(index)).toEqual([]);
});

test('a package that contradicts the statement it names as its source convicts the leader', () => {
  const network = signing(4, 2);
  network.authoriseAll();
  const first = leader(network);
  network.run();
  const packaged = network.node(first).said.find(({ type }) => type === 'SigningPackage');
  if (!packaged) throw new Error('the leader has sent a package');
  const content = contentOf(packaged, 'SigningPackage');
  const bad = network.world.resign(packaged, 'SigningPackage', {
    ...content,
    commitments: content.commitments.map((each) => each.map(() => ({ hiding: POINT, binding: POINT }))),
  });
  const source = [...network.node(first).recorded.values()].find((statement) =>
    content.sources.includes(statementHash(statement)),
  );
  if (!source) throw new Error('the source of a commitment is recorded');
  const judge = (statements: Statement[]) =>
    verifyEvidence(network.world.committee, {
      v: 1,
      reason: 'InvalidPackage',
      committee: network.world.committee.id,
      statements,
    });
  expect(judge([bad, source])).toMatchObject({ guilty: true, culprit: first });
  expect(judge([packaged, source])).toMatchObject({ guilty: false });
});

test('BLM-01 a good signature share convicts nobody', () => {
  const network = signing(3, 2);
  network.authoriseAll();
  network.run();
  const first = leader(network);
  const all = [...network.node(first).recorded.values()];
  const share = all.find(({ type }) => type === 'SignatureShare');
  const packaged = all.find(({ type }) => type === 'SigningPackage');
  const carrier = all.find(({ type }) => type === 'NonceCommitment');
  if (!share || !packaged || !carrier) throw new Error('the leader holds a session');
  const certificate = network.made.certificate();
  const evidence = {
    v: 1,
    reason: 'InvalidSignatureShare',
    committee: network.world.committee.id,
    certificate,
    statements: [share, packaged, carrier],
  } as const;
  expect(
    verifyEvidence(network.world.committee, { ...evidence, statements: [share, packaged, carrier] }),
  ).toMatchObject({ guilty: false });
});

test('NON-15 a refusing policy releases nothing, and the ceremony ends at its expiry with sharesReleased false', () => {
  const network = signing(2, 2);
  network.decision = { kind: 'refuse', reason: 'not this purpose' };
  network.authoriseAll();
  network.run();
  network.wake(START + 600);
  for (const index of [1, 2]) {
    expect(network.node(index).state).toMatchObject({ stage: 'Failed', reason: 'Timeout', sharesReleased: false });
    expect(network.node(index).said.filter(({ type }) => type === 'SignatureShare')).toEqual([]);
    expect([...network.node(index).secrets.keys()], 'unused nonces are deleted').toEqual([]);
  }
});

test('a signature that appears after the failure was announced is told as late', () => {
  const network = signing(3, 2);
  network.authoriseAll();
  network.lie(3, () => undefined);
  const victim = 3;
  network.run();
  network.down.delete(victim);
  const done = network.honest().find((index) => network.node(index).state?.stage === 'Succeeded');
  if (done === undefined) throw new Error('two signers sign');
  const alone = signing(3, 2);
  alone.authorise(1);
  alone.run();
  alone.wake(START + 600);
  expect(alone.node(1).state?.stage).toBe('Failed');
  const state = network.node(done).state;
  const signatures = state?.stage === 'Succeeded' ? state.signatures : [];
  alone.inject(
    1,
    network
      .node(2)
      .member.say(
        'Signature',
        network.node(1).state?.ceremony ?? '0x',
        '',
        0,
        contentText('Signature', { signatures: [...signatures] }),
      ),
  );
  alone.run();
  expect(alone.node(1).events.map((event) => Object.keys(event)[0])).toEqual(['SigningOutcome', 'LateSignature']);
});

test('a forged signature ends nothing', () => {
  const network = signing(3, 2);
  network.authorise(1);
  network.run();
  const ceremony = network.node(1).state?.ceremony ?? '0x';
  const forged = contentText('Signature', { signatures: MESSAGES.map(() => `0x${'11'.repeat(64)}` as Hex) });
  network.inject(1, network.node(2).member.say('Signature', ceremony, '', 0, forged));
  network.run();
  expect(network.node(1).state?.stage).toBe('Signing');
});
