/** What one hostile participant says so that the others get stuck. */
import { expect, test } from 'vitest';
import { findEvidence } from '../../lib/evidence/find.ts';
import { verifyEvidence } from '../../lib/evidence/verify.ts';
import { type ContentOf, contentText, parseContent } from '../../lib/messages/contents.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { type Statement, type StatementType, statementHash } from '../../lib/messages/statement.ts';
import { leaderOf } from '../../lib/signing/step.ts';
import { KeygenNetwork, SigningNetwork, START, World } from './network.ts';

const POINT = `0x58${'66'.repeat(31)}` as Hex;

function contentOf<T extends StatementType>(statement: Statement, type: T): ContentOf<T> {
  const parsed = parseContent(type, statement.content);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.content;
}

const made = new Map<string, KeygenNetwork>();
function signing(n: number, t: number): SigningNetwork {
  const name = `${n} ${t}`;
  const keygen = made.get(name) ?? new KeygenNetwork(new World({ n, t, suite: 'FROST-ED25519-SHA512-v1' }));
  if (!made.has(name)) keygen.run();
  made.set(name, keygen);
  const state = keygen.node(1).state;
  if (state?.stage !== 'Succeeded') throw new Error('key generation did not succeed');
  return new SigningNetwork(keygen, state.keyId, ['0x6869']);
}

/** Delivers to the signer a package of `leader` whose source is right and whose commitments for the signer are not its own. */
function poison(network: SigningNetwork, leader: number, signer: number, slot: string): void {
  const ceremony = network.node(signer).state?.ceremony ?? '0x';
  const offer = network.node(signer).state?.offers[0];
  const other = network.world.indexes().find((index) => index !== signer) ?? 0;
  const signers = [signer, other].sort((a, b) => a - b);
  const text = contentText('SigningPackage', {
    signers,
    sources: signers.map(() => offer?.source ?? '0x'),
    commitments: signers.map(() => [{ hiding: POINT, binding: POINT }]),
  });
  network.inject(signer, network.node(leader).member.say('SigningPackage', ceremony, slot, 0, text));
}

test('NON-09 a leader’s package with other commitments costs one leader, not the ceremony: the next leader’s is answered', () => {
  const network = signing(4, 2);
  for (const index of network.world.indexes()) network.lead(index);
  const first = leaderOf(network.parameters, network.node(1).state?.ceremony ?? '0x', 0);
  const honest = network.world.indexes().filter((index) => index !== first);
  // The liar leads first, says nothing but poison, and signs nothing.
  network.lie(first, () => undefined);
  for (const index of honest) network.authorise(index);
  for (const index of honest) poison(network, first, index, '0.0');
  network.run();
  expect(honest.map((index) => network.node(index).state?.stage)).toEqual(honest.map(() => 'Signing'));
  for (const later of [15, 17, 30, 32]) network.wake(START + later);
  expect(honest.map((index) => network.node(index).state?.stage)).toEqual(honest.map(() => 'Succeeded'));
  for (const index of honest) expect(network.blamed(index)).toEqual([first]);
});

test('NON-13 a leader gets no answer beyond n − t + 1 sessions, whatever it numbers them', () => {
  const network = signing(3, 2);
  for (const index of network.world.indexes()) network.lead(index);
  const ceremony = network.node(1).state?.ceremony ?? '0x';
  const first = leaderOf(network.parameters, ceremony, 0);
  const signer = network.world.indexes().find((index) => index !== first) ?? 0;
  network.authorise(signer);
  network.down.add(first);
  network.run();
  const accomplice = network.world.indexes().find((index) => index !== first && index !== signer) ?? 0;
  for (let session = 0; session < 6; session++) {
    const share = network.node(signer).said.findLast(({ type }) => type === 'SignatureShare');
    const committed = network.node(signer).said.findLast(({ type }) => type === 'NonceCommitment');
    const mine = share
      ? contentOf(share, 'SignatureShare').next
      : contentOf(committed as Statement, 'NonceCommitment').commitments;
    const source = network.node(signer).state?.offers[0]?.source ?? '0x';
    const signers = [signer, accomplice].sort((a, b) => a - b);
    // The accomplice's part is the base point, twice: a valid commitment of a nonce that it knows.
    const text = contentText('SigningPackage', {
      signers,
      sources: signers.map((index) => (index === signer ? source : (`0x${'00'.repeat(32)}` as Hex))),
      commitments: signers.map((index) => (index === signer ? mine : [{ hiding: POINT, binding: POINT }])),
    });
    network.inject(signer, network.node(first).member.say('SigningPackage', ceremony, `0.${session}`, 0, text));
    network.run();
  }
  expect(network.node(signer).said.filter(({ type }) => type === 'SignatureShare')).toHaveLength(2);
});

test('BLM-03 a forged statement among exhibits hides no proof', () => {
  const world = new World({ n: 3, t: 2 });
  const network = new KeygenNetwork(world);
  network.lie(2, (statement, to) =>
    statement.type === 'EncryptedKeyShare' && to === 3
      ? world.resignText(statement, contentText('EncryptedKeyShare', { share: `0x${'00'.repeat(31)}01` }))
      : statement,
  );
  network.run();
  const evidence = network.node(3).evidence.get(2);
  if (!evidence) throw new Error('operator 3 has a proof');
  const [share, commitment, announcement] = evidence.statements as [Statement, Statement, Statement];
  const forged = { ...announcement, signature: share.signature };
  const found = findEvidence(world.committee, [forged, share], [commitment, announcement]);
  expect(found.map((each) => [each.statements[0]?.from, each.reason])).toEqual([[2, 'InvalidShare']]);
});

test('DOS-03 four hundred forged exhibits cost one signature check each', () => {
  const world = new World({ n: 3, t: 2 });
  const network = new KeygenNetwork(world);
  const statement = network.node(1).recorded.values().next().value as Statement;
  const forged = Array.from({ length: 400 }, (_, i) => ({ ...statement, content: `{"i":${i}}` }));
  const cost = (exhibits: readonly Statement[]): number => {
    const begin = performance.now();
    expect(findEvidence(world.committee, exhibits, [statement])).toEqual([]);
    return performance.now() - begin;
  };
  const few = Math.min(cost(forged.slice(0, 20)), cost(forged.slice(20, 40)), cost(forged.slice(40, 60)));
  // Twenty times the exhibits: about twenty times the checks, not four hundred times.
  expect(Math.min(cost(forged), cost(forged), cost(forged)) / few).toBeLessThan(120);
});

test('evidence that no curve arithmetic accepts proves nothing, and is judged all the same', () => {
  const network = signing(3, 2);
  network.authoriseAll();
  network.run();
  const ceremony = network.node(1).state?.ceremony ?? '0x';
  const first = leaderOf(network.parameters, ceremony, 0);
  const recorded = [...network.node(first).recorded.values()];
  const carrier = recorded.find(({ type }) => type === 'NonceCommitment');
  const packaged = recorded.find(({ type }) => type === 'SigningPackage');
  const share = recorded.find(({ type, from }) => type === 'SignatureShare' && from !== first);
  if (!carrier || !packaged || !share) throw new Error('the leader holds a session');
  const bad = network.world.resign(packaged, 'SigningPackage', {
    ...contentOf(packaged, 'SigningPackage'),
    commitments: contentOf(packaged, 'SigningPackage').commitments.map(() => [
      { hiding: `0x${'ff'.repeat(32)}`, binding: `0x${'ff'.repeat(32)}` },
    ]),
  });
  const judge = (content: Partial<ContentOf<'SignatureShare'>>, about: Statement) =>
    verifyEvidence(network.world.committee, {
      v: 1,
      reason: 'InvalidSignatureShare',
      committee: network.world.committee.id,
      certificate: network.made.certificate(),
      statements: [
        network.world.resign(share, 'SignatureShare', { ...contentOf(share, 'SignatureShare'), ...content }),
        about,
        carrier,
      ],
    });
  expect(judge({ package: statementHash(bad) }, bad)).toMatchObject({ guilty: false });
});

test('a leader that is told the signature, it alone, tells those who committed to it', () => {
  const network = signing(3, 2);
  for (const index of network.world.indexes()) network.lead(index);
  const ceremony = network.node(1).state?.ceremony ?? '0x';
  const [first, second] = [0, 1].map((k) => leaderOf(network.parameters, ceremony, k)) as [number, number];
  const last = network.world.indexes().find((index) => index !== first && index !== second) ?? 0;
  // The first leader keeps the signature to itself until both have turned to the second.
  let signature: Statement | undefined;
  network.lie(first, (statement) => {
    if (statement.type !== 'Signature') return statement.type === 'SignatureShare' ? undefined : statement;
    signature = statement;
    return undefined;
  });
  network.authorise(first);
  network.authorise(last);
  network.run();
  network.lie(second, (statement) => (statement.type === 'SigningPackage' ? undefined : statement));
  network.authorise(second);
  network.run();
  network.wake(START + 15);
  if (!signature) throw new Error('the first leader has made a signature');
  expect(network.node(second).state?.stage).toBe('Signing');
  expect(network.node(last).state?.stage).toBe('Signing');
  network.inject(second, signature);
  network.run();
  expect(network.node(second).state?.stage).toBe('Succeeded');
  expect(network.node(last).state?.stage).toBe('Succeeded');
});
