/** One thing wrong at a time, in what a step reads: it concludes nothing from it, accuses nobody of it who may be honest, and signs nothing. */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, test } from 'vitest';
import { deal } from '../../lib/frost/dkg.ts';
import { suiteOf } from '../../lib/frost/suite.ts';
import * as keygen from '../../lib/keygen/step.ts';
import { type ContentOf, contentText, parseContent } from '../../lib/messages/contents.ts';
import type { Evidence } from '../../lib/messages/evidence.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import { type Statement, type StatementType, statementHash } from '../../lib/messages/statement.ts';
import { leaderOf } from '../../lib/signing/step.ts';
import { frost } from './liars.ts';
import { type FrostSuite, KeygenNetwork, SigningNetwork, START, seeded, World } from './network.ts';

const LIAR = 2;
const MESSAGES: readonly Hex[] = ['0x6869', '0x00'];
/** Ed25519's base point. */
const POINT = `0x58${'66'.repeat(31)}` as Hex;
const NO_POINT = `0x${'ff'.repeat(32)}` as Hex;

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected a value');
  return value;
}

function contentOf<T extends StatementType>(statement: Statement, type: T): ContentOf<T> {
  const parsed = parseContent(type, statement.content);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.content;
}

const keysOf = (suite: FrostSuite = 'FROST-secp256k1-SHA256-TR-v1', n = 3): KeygenNetwork =>
  new KeygenNetwork(new World({ n, t: 2, suite }));
const types = (network: KeygenNetwork | SigningNetwork, index: number): string[] =>
  network.node(index).said.map(({ type }) => type);

/** The commitment statement that lies beside the polynomial. */
function ownCommitment(network: KeygenNetwork, index: number): Statement {
  const row = network.node(index).secrets.get('POLYNOMIAL') ?? new Uint8Array();
  const coefficients = new DataView(row.buffer, row.byteOffset).getUint32(0);
  return JSON.parse(new TextDecoder().decode(row.subarray(8 + coefficients))) as Statement;
}

/** A dealer that shows this text instead of its commitments, and has announced it. */
function shows(network: KeygenNetwork, content: string): void {
  const { world } = network;
  const shown = world.resignText(ownCommitment(network, LIAR), content);
  network.lie(LIAR, (statement) => {
    if (statement.type === 'EncryptedKeyGenCommitment') return shown;
    if (statement.type !== 'EncryptedPublicKey') return statement;
    const announced = { ...contentOf(statement, 'EncryptedPublicKey'), commitmentHash: statementHash(shown) };
    return world.resign(statement, 'EncryptedPublicKey', announced);
  });
}

describe('key generation', () => {
  test('what does not open ends it, like silence, and nobody is accused', () => {
    const network = keysOf();
    network.node(1).undecryptable.add(LIAR);
    network.run();
    expect(network.node(1).state).toMatchObject({
      stage: 'Failed',
      reason: 'Undecryptable',
      culprits: [],
      unresponsive: [LIAR],
    });
  });

  test('an abort of which no proof can come ends it at once', () => {
    const network = keysOf();
    network.lie(LIAR, (statement) => (/^KeyGen|KeyShare/.test(statement.type) ? undefined : statement));
    network.run();
    const { member, state } = network.node(LIAR);
    network.inject(1, member.say('KeyGenVerdict', state?.ceremony ?? '0x', '', 0, '{"aborted":"Timeout"}'));
    network.run();
    expect(network.node(1).state).toMatchObject({ stage: 'Failed', reason: 'Aborted', culprits: [] });
  });

  test('CTX-03 a key statement about other parameters convicts its sender', () => {
    const network = keysOf();
    network.lie(LIAR, (statement) => {
      if (statement.type !== 'EncryptedPublicKey') return statement;
      const content = contentOf(statement, 'EncryptedPublicKey');
      const parameters = { ...content.parameters, expiresAt: START + 601 };
      return network.world.resign(statement, 'EncryptedPublicKey', { ...content, parameters });
    });
    network.run();
    for (const index of [1, 3]) {
      expect(network.node(index).state).toMatchObject({
        stage: 'Failed',
        reason: 'InvalidCommitment',
        culprits: [{ index: LIAR }],
      });
      expect(network.blamed(index)).toEqual([LIAR]);
    }
  });

  test('an announced commitment statement that is none convicts its dealer', () => {
    const network = keysOf();
    shows(network, '{}');
    network.run();
    for (const index of [1, 3]) expect(network.blamed(index)).toEqual([LIAR]);
  });

  test('DKG-11 a commitment that is good, and not the announced one, convicts its dealer of just that', () => {
    const network = keysOf();
    const { world } = network;
    const dealing = deal(suiteOf(world.suite as FrostSuite), { t: 2, n: 3, index: LIAR }, seeded('chosen later'));
    const later = {
      commitments: dealing.commitments.map(toHex),
      proofOfKnowledge: toHex(dealing.proofOfKnowledge),
    };
    network.lie(LIAR, (statement, to) =>
      statement.type === 'EncryptedKeyGenCommitment' && to === 3
        ? world.resign(statement, 'EncryptedKeyGenCommitment', later)
        : statement,
    );
    network.run();
    expect(network.node(3).state).toMatchObject({ reason: 'InvalidCommitment', culprits: [{ index: LIAR }] });
    expect(network.blamed(3)).toEqual([LIAR]);
  });

  test('BLM-10 of two dealers with commitments that are none, both are named', () => {
    const network = keysOf('FROST-secp256k1-SHA256-TR-v1', 4);
    const { world } = network;
    for (const index of [2, 4]) {
      const shown = world.resignText(ownCommitment(network, index), '{}');
      network.lie(index, (statement) => {
        if (statement.type === 'EncryptedKeyGenCommitment') return shown;
        if (statement.type !== 'EncryptedPublicKey') return statement;
        const announced = { ...contentOf(statement, 'EncryptedPublicKey'), commitmentHash: statementHash(shown) };
        return world.resign(statement, 'EncryptedPublicKey', announced);
      });
    }
    network.run();
    for (const index of [1, 3]) expect(network.blamed(index)).toEqual([2, 4]);
  });

  test('a proof that comes while verdicts are awaited leaves the key unresolved at once', () => {
    const network = keysOf();
    network.lie(LIAR, (statement, to) => (to === 3 && /^KeyGen/.test(statement.type) ? undefined : statement));
    network.edits.set(1, (statement) => (statement.type === 'KeyGenCertificate' ? undefined : statement));
    network.run();
    expect(network.node(3).state?.stage).toBe('AwaitingVerdicts');
    const verdict = present(network.node(LIAR).said.find(({ type }) => type === 'KeyGenVerdict'));
    const other = network.world.resign(verdict, 'KeyGenVerdict', { aborted: 'Timeout' });
    const { id } = network.world.committee;
    network.node(3).evidence.set(LIAR, { v: 1, reason: 'Equivocation', committee: id, statements: [verdict, other] });
    network.run();
    expect(network.node(3).state).toMatchObject({ stage: 'Unresolved', culprits: [{ index: LIAR }] });
  });

  test('DKG-11 a share is dealt when every commitment is there, and not before', () => {
    const network = keysOf();
    network.lie(LIAR, (statement, to) =>
      statement.type === 'EncryptedKeyGenCommitment' && to === 3 ? undefined : statement,
    );
    network.run();
    expect(network.node(3).state?.stage).toBe('AwaitingCommitments');
    expect(types(network, 3)).not.toContain('EncryptedKeyShare');
  });

  test('DKG-14 commitments that cancel make no key, and nobody can be proven to have done it', () => {
    const network = keysOf('FROST-secp256k1-SHA256-TR-v1', 2);
    const honest = frost(contentOf(ownCommitment(network, 1), 'EncryptedKeyGenCommitment')).commitments;
    const own = frost(contentOf(ownCommitment(network, LIAR), 'EncryptedKeyGenCommitment'));
    const raised = present(honest[1]);
    // (x, −y): the coefficient of degree 1 needs no proof of knowledge.
    const y = secp256k1.Point.Fp.neg(BigInt(`0x${raised.slice(-64)}`));
    const opposite = `${raised.slice(0, -64)}${y.toString(16).padStart(64, '0')}` as Hex;
    shows(
      network,
      contentText('EncryptedKeyGenCommitment', { ...own, commitments: [present(own.commitments[0]), opposite] }),
    );
    network.run();
    expect(network.node(1).state).toMatchObject({ stage: 'Failed', reason: 'Aborted', culprits: [] });
  });

  test('BLM-08 a share that has not come accuses nobody', () => {
    const network = keysOf();
    network.lie(LIAR, (statement) => (statement.type === 'EncryptedKeyShare' ? undefined : statement));
    network.run();
    for (const index of [1, 3]) {
      expect(network.node(index).state?.stage).toBe('AwaitingShares');
      expect(network.blamed(index)).toEqual([]);
    }
  });

  test('DKG-08 no certificate ends it but a verified one of this very key', () => {
    const world = new World({ n: 3, t: 2 });
    const network = new KeygenNetwork(world);
    network.lie(LIAR, (statement, to) =>
      to === 3 && /^KeyGen(Verdict|Certificate)/.test(statement.type) ? undefined : statement,
    );
    network.edits.set(1, (statement) => (statement.type === 'KeyGenCertificate' ? undefined : statement));
    network.run();
    expect(network.node(3).state?.stage).toBe('AwaitingVerdicts');
    const good = present(network.node(1).said.find(({ type }) => type === 'KeyGenCertificate'));
    const { certificate } = contentOf(good, 'KeyGenCertificate');
    const another = new KeygenNetwork(world, `0x${'05'.repeat(16)}`);
    another.run();
    const forged = { ...certificate, signatures: certificate.signatures.map(() => `0x${'11'.repeat(64)}` as Hex) };
    for (const [i, each] of [forged, another.certificate()].entries()) {
      const text = contentText('KeyGenCertificate', { certificate: each });
      network.inject(
        3,
        network.node(LIAR).member.say('KeyGenCertificate', good.ceremony, i === 0 ? '' : 'to-3', 0, text),
      );
    }
    network.run();
    expect(network.node(3).state?.stage).toBe('AwaitingVerdicts');
    network.inject(3, good);
    network.run();
    expect(network.node(3).state?.stage).toBe('Succeeded');
  });

  test('DKG-08 to abandon a confirmed key is to hide it', () => {
    const network = keysOf();
    network.lie(LIAR, (statement) => (/^KeyGen/.test(statement.type) ? undefined : statement));
    network.run();
    const { state, member } = network.node(1);
    const result = keygen.abandon(present(state), member);
    expect(result.kind === 'changed' && result.transition.keys).toMatchObject([{ kind: 'hide' }]);
  });

  test('an unresolved node repeats itself ever more rarely, and at least every six hours', () => {
    const network = keysOf();
    network.lie(LIAR, (statement) => (/^KeyGen/.test(statement.type) ? undefined : statement));
    network.run();
    network.wake(START + 600);
    expect(network.node(1).state?.stage).toBe('Unresolved');
    const verdicts = () => types(network, 1).filter((type) => type === 'KeyGenVerdict').length;
    const before = verdicts();
    for (let second = 1; second < 60; second++) network.wake(START + 600 + second);
    expect(verdicts()).toBe(before);
    for (let second = 60; second < 1_200; second += 20) network.wake(START + 600 + second);
    expect(verdicts() - before).toBeGreaterThan(1);
    expect(verdicts() - before).toBeLessThan(6);
    for (let hour = 1; hour < 40; hour++) network.wake(START + 3_600 * hour);
    const after = verdicts();
    for (let hour = 40; hour < 64; hour++) network.wake(START + 3_600 * hour);
    expect(verdicts() - after).toBeGreaterThan(2);
  });

  test('BLM-09 a node does not convict itself of what it said in another life', () => {
    const network = keysOf();
    const [statement] = network.node(1).recorded.values();
    const evidence: Evidence = {
      v: 1,
      reason: 'Equivocation',
      committee: network.world.committee.id,
      statements: [present(statement)],
    };
    network.node(1).evidence.set(1, evidence);
    network.run();
    expect(network.node(1).state?.stage).toBe('Succeeded');
  });

  test('a culprit is reported once', () => {
    const network = keysOf('FROST-secp256k1-SHA256-TR-v1', 4);
    network.lie(LIAR, (statement, to) => {
      if (statement.type !== 'EncryptedPublicKey' || to !== 3) return statement;
      return network.world.resign(statement, 'EncryptedPublicKey', {
        ...contentOf(statement, 'EncryptedPublicKey'),
        sealingKey: `0x${'22'.repeat(32)}`,
      });
    });
    network.run();
    const told = network.node(1).events.length;
    for (const later of [60, 200, 500]) network.wake(START + later);
    expect(network.node(1).state).toMatchObject({ stage: 'Unresolved', culprits: [{ index: LIAR }] });
    expect(network.node(1).events.length).toBe(told);
  });

  test('the proofs against six dealers are more exhibits than one message carries', () => {
    const network = keysOf('FROST-secp256k1-SHA256-TR-v1', 8);
    const liars = [2, 3, 4, 5, 6, 7];
    for (const index of liars)
      network.lie(index, (statement, to) =>
        statement.type === 'EncryptedKeyShare' && to === 1
          ? network.world.resign(statement, 'EncryptedKeyShare', { share: `0x${'00'.repeat(31)}01` })
          : statement,
      );
    network.run();
    expect(network.blamed(1)).toEqual(liars);
    expect(types(network, 1).filter((type) => type === 'KeyGenEvidence')).toHaveLength(2);
  });
});

// ------------------------------------------------------------------------------------------------ signing

const made = new Map<string, KeygenNetwork>();
function signing(n: number, t: number, requestId?: Hex): SigningNetwork {
  const name = `${n} ${t}`;
  const network = made.get(name) ?? new KeygenNetwork(new World({ n, t, suite: 'FROST-ED25519-SHA512-v1' }));
  if (!made.has(name)) network.run();
  made.set(name, network);
  const state = network.node(1).state;
  if (state?.stage !== 'Succeeded') throw new Error('a key was made');
  return new SigningNetwork(network, state.keyId, MESSAGES, requestId);
}

type Package = ContentOf<'SigningPackage'>;

/** One signer that waits for leader 0, which says nothing by itself. */
function waiting(): { network: SigningNetwork; leader: number; signer: number; other: number; shares: () => number } {
  const network = signing(4, 2);
  for (const index of network.world.indexes()) network.lead(index);
  const leader = leaderOf(network.parameters, network.node(1).state?.ceremony ?? '0x', 0);
  const [signer = 0, other = 0] = network.world.indexes().filter((index) => index !== leader);
  network.down.add(leader);
  network.authorise(signer);
  network.run();
  return {
    network,
    leader,
    signer,
    other,
    shares: () => types(network, signer).filter((type) => type === 'SignatureShare').length,
  };
}

/** A package for the signer's commitments of now, as an honest leader would make it. */
function packageFor({ network, signer, other }: ReturnType<typeof waiting>): Package {
  const committed = present(network.node(signer).said.find(({ type }) => type === 'NonceCommitment'));
  const source = present(network.node(signer).state?.offers[0]).source;
  const signers = [signer, other].sort((a, b) => a - b);
  return {
    signers,
    sources: signers.map((index) => (index === signer ? source : (`0x${'00'.repeat(32)}` as Hex))),
    commitments: signers.map((index) =>
      index === signer
        ? contentOf(committed, 'NonceCommitment').commitments
        : MESSAGES.map(() => ({ hiding: POINT, binding: POINT })),
    ),
  };
}

function offer(scene: ReturnType<typeof waiting>, content: Package, slot = '0.0', by = scene.leader): void {
  const { network, signer } = scene;
  const ceremony = network.node(signer).state?.ceremony ?? '0x';
  network.inject(signer, network.node(by).member.say('SigningPackage', ceremony, slot, 0, JSON.stringify(content)));
  network.run();
}

describe('a signer', () => {
  test('answers a good package', () => {
    const scene = waiting();
    offer(scene, packageFor(scene));
    expect(scene.shares()).toBe(1);
  });

  test.each<[string, (content: Package, scene: ReturnType<typeof waiting>) => Package]>([
    ['a source too many', (c) => ({ ...c, sources: [...c.sources, present(c.sources[0])] })],
    ['itself alone as signer', (c, { signer }) => ({ ...c, signers: [signer] })],
    ['a signer too many', (c, { leader }) => ({ ...c, signers: [...c.signers, leader].sort((a, b) => a - b) })],
    ['commitments of nobody', (c) => ({ ...c, commitments: [...c.commitments, present(c.commitments[0])] })],
    [
      'a stranger',
      (c, { signer }) => ({
        ...c,
        signers: c.signers.map((index) => (index === signer ? index : index < signer ? index : 9)),
      }),
    ],
    [
      'one pair for two messages of another',
      (c, { signer }) => ({
        ...c,
        commitments: c.commitments.map((each, i) => (c.signers[i] === signer ? each : each.slice(1))),
      }),
    ],
    [
      'one pair for two messages of its own',
      (c, { signer }) => ({
        ...c,
        commitments: c.commitments.map((each, i) => (c.signers[i] === signer ? each.slice(1) : each)),
      }),
    ],
    [
      'its second pair replaced',
      (c, { signer }) => ({
        ...c,
        commitments: c.commitments.map((each, i) =>
          c.signers[i] === signer ? [present(each[0]), { hiding: POINT, binding: POINT }] : each,
        ),
      }),
    ],
    [
      'the signers out of order',
      (c) => ({
        signers: [...c.signers].reverse(),
        sources: [...c.sources].reverse(),
        commitments: [...c.commitments].reverse(),
      }),
    ],
    [
      'commitments of another that are no points',
      (c, { signer }) => ({
        ...c,
        commitments: c.commitments.map((each, i) =>
          c.signers[i] === signer ? each : each.map(() => ({ hiding: NO_POINT, binding: NO_POINT })),
        ),
      }),
    ],
  ])('NON-09, NON-10 says nothing to one with %s, and answers the next', (_, change) => {
    const scene = waiting();
    const good = packageFor(scene);
    offer(scene, change(good, scene));
    expect(scene.shares()).toBe(0);
    offer(scene, good, '0.1');
    expect(scene.shares()).toBe(1);
  });

  test('CTX-06 says nothing to a package of anybody but its leader, nor to one in another leader’s place', () => {
    const scene = waiting();
    offer(scene, packageFor(scene), '0.0', scene.other);
    offer(scene, packageFor(scene), '1.0');
    offer(scene, packageFor(scene), '0.0.0');
    expect(scene.shares()).toBe(0);
  });

  test('BLM-09 that does not find what it said itself accuses nobody of a package that is none', () => {
    const scene = waiting();
    const { network, signer, leader } = scene;
    const node = network.node(signer);
    const content = packageFor(scene);
    // As with a table of another life: without the parameters that a stranger would need, the package proves nothing.
    node.said.length = 0;
    for (const key of node.recorded.keys()) if (key.startsWith('NonceCommitment/')) node.recorded.delete(key);
    offer(scene, { ...content, sources: [...content.sources, present(content.sources[0])] });
    expect(node.state).toMatchObject({ stage: 'Signing', culprits: [] });
    expect(node.evidence.get(leader)).toBeUndefined();
  });

  test('NON-01 answers one package in a session, whatever its leader sends', () => {
    const scene = waiting();
    offer(scene, packageFor(scene));
    const share = present(scene.network.node(scene.signer).said.find(({ type }) => type === 'SignatureShare'));
    const content = packageFor(scene);
    const next = contentOf(share, 'SignatureShare').next;
    // The same session once more, for the next commitments.
    scene.network.node(scene.signer).recorded.delete(`SigningPackage/0.0/${scene.leader}`);
    offer(scene, {
      ...content,
      commitments: content.commitments.map((each, i) => (content.signers[i] === scene.signer ? next : each)),
    });
    expect(scene.shares()).toBe(1);
  });

  test('gives each leader its period, and offers nonces to n − t + 1 of them', () => {
    const { network, signer } = waiting();
    const offers = () => network.node(signer).state?.offers.length;
    expect(offers()).toBe(1);
    network.wake(START + 14);
    expect(offers()).toBe(1);
    network.wake(START + 15);
    expect(offers()).toBe(2);
    for (let second = 30; second < 500; second += 15) network.wake(START + second);
    expect(offers()).toBe(3);
  });

  test('is done when every message is signed, and not before', () => {
    const complete = signing(3, 2);
    complete.authoriseAll();
    complete.run();
    const state = complete.node(1).state;
    const signatures = state?.stage === 'Succeeded' ? state.signatures : [];
    const alone = signing(3, 2);
    alone.authorise(1);
    alone.run();
    const forged = `0x${'11'.repeat(64)}` as Hex;
    const ceremony = alone.node(1).state?.ceremony ?? '0x';
    const say = (from: number, all: readonly Hex[]) =>
      alone.inject(
        1,
        alone.node(from).member.say('Signature', ceremony, '', 0, contentText('Signature', { signatures: [...all] })),
      );
    say(2, [present(signatures[0]), forged]);
    alone.run();
    expect(alone.node(1).state?.stage).toBe('Signing');
    say(3, signatures);
    alone.run();
    expect(alone.node(1).state?.stage).toBe('Succeeded');
    const told = alone.node(1).events.length;
    alone.authorise(1);
    expect(alone.node(1).events.length, 'told once').toBe(told);
  });

  test('that nobody asked tells its client nothing, not even what comes late', () => {
    const complete = signing(3, 2);
    complete.authoriseAll();
    complete.run();
    const state = complete.node(1).state;
    const signatures = state?.stage === 'Succeeded' ? [...state.signatures] : [];
    const network = signing(3, 2);
    network.lead(1);
    network.wake(START + 600);
    const { member, state: failed } = network.node(2);
    network.inject(
      1,
      member.say(
        'Signature',
        network.node(1).state?.ceremony ?? failed?.ceremony ?? '0x',
        '',
        0,
        contentText('Signature', { signatures }),
      ),
    );
    network.run();
    expect(network.node(1).state).toMatchObject({ stage: 'Failed', late: signatures });
    expect(network.node(1).events).toEqual([]);
  });
});

describe('a leader', () => {
  /** Everybody authorises; one signer of the first session lies. */
  function lying(n: number, t: number, lie: (network: SigningNetwork, statement: Statement) => Statement | undefined) {
    const network = signing(n, t);
    for (const index of network.world.indexes()) network.lead(index);
    const leader = leaderOf(network.parameters, network.node(1).state?.ceremony ?? '0x', 0);
    const liar = present(network.world.indexes().find((index) => index !== leader));
    network.lie(liar, (statement) => lie(network, statement));
    network.authorise(liar);
    network.run();
    for (const index of network.world.indexes()) if (index !== liar) network.authorise(index);
    network.run();
    for (let second = 1; second < 6; second++) network.wake(START + second);
    return { network, leader, liar };
  }
  const packages = (network: SigningNetwork, leader: number) =>
    network
      .node(leader)
      .said.filter(({ type }) => type === 'SigningPackage')
      .map((each) => contentOf(each, 'SigningPackage'));

  test('opens one session at a time while the signers have their second', () => {
    const network = signing(4, 2);
    for (const index of network.world.indexes()) network.lead(index);
    const leader = leaderOf(network.parameters, network.node(1).state?.ceremony ?? '0x', 0);
    const signers = network.world.indexes().filter((index) => index !== leader);
    for (const index of signers)
      network.lie(index, (statement) => (statement.type === 'SignatureShare' ? undefined : statement));
    network.authoriseAll();
    network.run();
    expect(packages(network, leader)).toHaveLength(1);
    network.wake(START + 1);
    expect(packages(network, leader)).toHaveLength(2);
  });

  test.each<[string, (content: ContentOf<'SignatureShare'>) => ContentOf<'SignatureShare'>]>([
    ['that names another package', (c) => ({ ...c, package: `0x${'77'.repeat(32)}` })],
    ['of a message too many', (c) => ({ ...c, shares: [...c.shares, present(c.shares[0])] })],
  ])('does not use a share %s, and chooses its signer no more', (_, change) => {
    const { network, leader, liar } = lying(4, 2, (of, statement) =>
      statement.type === 'SignatureShare'
        ? of.world.resign(statement, 'SignatureShare', change(contentOf(statement, 'SignatureShare')))
        : statement,
    );
    expect(network.node(leader).state).toMatchObject({ stage: 'Succeeded', leading: { excluded: [liar] } });
    expect(packages(network, leader).filter(({ signers }) => signers.includes(liar))).toHaveLength(1);
  });

  test.each<[string, (content: ContentOf<'NonceCommitment'>) => ContentOf<'NonceCommitment'>]>([
    ['one pair for two messages', (c) => ({ ...c, commitments: c.commitments.slice(1) })],
    [
      'points that are none',
      (c) => ({ ...c, commitments: c.commitments.map(() => ({ hiding: NO_POINT, binding: NO_POINT })) }),
    ],
    ['other parameters', (c) => ({ ...c, parameters: { ...c.parameters, purpose: 'another' } })],
  ])('chooses no signer that has committed to %s', (_, change) => {
    const { network, leader, liar } = lying(4, 2, (of, statement) =>
      statement.type === 'NonceCommitment'
        ? of.world.resign(statement, 'NonceCommitment', change(contentOf(statement, 'NonceCommitment')))
        : statement,
    );
    expect(network.node(leader).state?.stage).toBe('Succeeded');
    expect(packages(network, leader).flatMap(({ signers }) => signers)).not.toContain(liar);
  });
});
