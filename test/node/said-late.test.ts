/** A backup that is older than what TTL keeps of the secrets. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesToNumberLE } from '@noble/curves/utils.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { expect, test } from 'vitest';
import type { TableSnapshot } from '../../lib/local/cloud.ts';
import { identityOf } from '../../lib/local/committee.ts';
import { concat } from '../../lib/messages/bytes.ts';
import { type MessageName, parseBody } from '../../lib/messages/catalogue.ts';
import { type Certificate, confirmationOf, verifyCertificate } from '../../lib/messages/certificate.ts';
import { contentText } from '../../lib/messages/contents.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import { type Statement, statementBytes, statementHash } from '../../lib/messages/statement.ts';
import { parseQueueName } from '../../lib/messages/topics.ts';
import { leaderOf } from '../../lib/signing/step.ts';
import { ledBy, NodeWorld } from './world.ts';

const DAY = 86_400;
const PAIR = { hiding: `0x${'66'.repeat(32)}`, binding: `0x${'66'.repeat(32)}` } as const;

test('NON-03, S4 a Ceremonies table of last month aborts nothing that its operator has confirmed', async () => {
  const world = new NodeWorld({ cloud: { faults: { ttlLagSeconds: 0 } } });
  const verdicts = new Set<string>();
  world.cloud.inspect.onSend(({ queue, body }) => {
    const at = parseQueueName(queue);
    const parsed = parseBody(body);
    if (at?.identity !== identityOf(1) || at.message !== 'Outbound' || !parsed.ok || parsed.name !== 'KeyGenVerdictOut')
      return;
    verdicts.add((parsed.payload as Statement).content);
  });
  await world.committee.assemble();
  const snapshots: TableSnapshot[] = [];
  const stop = world.cloud.inspect.onChange(({ namespace, table, key }) => {
    if (namespace === world.namespace(1) && table === 'Ceremonies' && key.sk === 'STATE')
      snapshots.push(world.cloud.snapshotTable(namespace, 'Ceremonies'));
  });
  await world.run();
  stop();
  expect(world.keygen(1)?.stage).toBe('Succeeded');
  expect(verdicts.size).toBe(1);

  for (const snapshot of snapshots) {
    world.cloud.advance(3 * DAY);
    world.cloud.restoreTable(world.namespace(1), snapshot);
    await world.control(1, { CleanUp: {} });
    await world.run(600);
    expect([...verdicts]).toHaveLength(1);
  }
  for (const operator of [2, 3])
    expect(world.items(operator, 'Ceremonies').filter(({ sk }) => sk.startsWith('EVIDENCE#'))).toEqual([]);
});

/** What operator 1 says of one type, by place: more than one hash in a place is a contradiction, and its proof. */
function placesOf(world: NodeWorld, name: MessageName): ReadonlyMap<string, ReadonlySet<Hex>> {
  const places = new Map<string, Set<Hex>>();
  world.cloud.inspect.onSend(({ queue, body }) => {
    const at = parseQueueName(queue);
    const parsed = parseBody(body);
    if (at?.identity !== identityOf(1) || at.message !== 'Outbound' || !parsed.ok || parsed.name !== name) return;
    const said = parsed.payload as Statement;
    const place = `${said.ceremony} ${said.slot}`;
    places.set(place, (places.get(place) ?? new Set()).add(statementHash(said)));
  });
  return places;
}

const contradicted = (places: ReadonlyMap<string, ReadonlySet<Hex>>) =>
  [...places].filter(([, hashes]) => hashes.size > 1).map(([place]) => place);

/** Operator 1's table as it was while it waited for the signature of a ceremony. */
function whileSigning(world: NodeWorld, ceremony: Hex): () => TableSnapshot {
  let last: TableSnapshot | undefined;
  world.cloud.inspect.onChange(({ namespace, table, key, after }) => {
    if (namespace !== world.namespace(1) || table !== 'Ceremonies' || key.pk !== `C#${ceremony}`) return;
    if (key.sk === 'STATE' && after?.['stage'] === 'Signing') last = world.cloud.snapshotTable(namespace, table);
  });
  return () => {
    if (!last) throw new Error('operator 1 never waited');
    return last;
  };
}

test('NON-03, S4 a leader whose table is of last month says no second signature, though another good one is shown to it', async () => {
  const world = await new NodeWorld({ cloud: { faults: { ttlLagSeconds: 0 } } }).assembled();
  const { instruction, ceremony } = ledBy(world, 1);
  const places = placesOf(world, 'SignatureOut');
  const before = whileSigning(world, ceremony);
  await world.instruct(instruction);
  await world.run();
  // The same message in another ceremony: two good signatures, and either ends both.
  const again = ledBy(world, 2);
  await world.instruct(again.instruction);
  await world.run();
  const other = world.signatures(1, again.ceremony);
  if (!other) throw new Error('there is no second signature');
  expect(places.get(`${ceremony} `)?.size).toBe(1);

  world.cloud.advance(3 * DAY);
  world.cloud.restoreTable(world.namespace(1), before());
  const shown = contentText('Signature', { signatures: [...other] });
  await world.deliver(1, await world.say(3, 'Signature', { ceremony }, shown));
  await world.run(600);
  expect(contradicted(places)).toEqual([]);
});

test('NON-03, S4 who was told a signature is told no other one, whatever the table remembers', async () => {
  const world = await new NodeWorld().assembled();
  // Operator 1 would lead second, and nobody has committed to it when the signature comes.
  const { instruction, ceremony, parameters } = ledBy(world, 3);
  expect(leaderOf(parameters, ceremony, 1)).toBe(1);
  const places = placesOf(world, 'SignatureOut');
  const before = whileSigning(world, ceremony);
  await world.instruct(instruction);
  await world.run(10);
  const again = ledBy(world, 2);
  await world.instruct(again.instruction);
  await world.run(10);
  const other = world.signatures(1, again.ceremony);
  if (!other || !world.signatures(1, ceremony)) throw new Error('there are no two signatures');
  const late = contentText('NonceCommitment', { parameters, commitments: [PAIR] });
  const commitment = await world.say(3, 'NonceCommitment', { ceremony, slot: '1', to: 1 }, late);
  await world.deliver(1, commitment);
  await world.run(10);
  expect(places.get(`${ceremony} to-3`)?.size).toBe(1);

  world.cloud.restoreTable(world.namespace(1), before());
  const shown = contentText('Signature', { signatures: [...other] });
  await world.deliver(1, await world.say(3, 'Signature', { ceremony }, shown));
  await world.run(10);
  expect(world.signatures(1, ceremony)).toEqual(other);
  await world.deliver(1, commitment);
  await world.run(10);
  expect(contradicted(places)).toEqual([]);
});

/** RFC 8032 §5.1.6 with another nonce than the one that follows from key and message: as good for every verifier. */
function signedOtherwise(message: Uint8Array, secret: Uint8Array): Uint8Array {
  const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(secret);
  const { BASE, Fn } = ed25519.Point;
  const r = 123_456_789n;
  const R = BASE.multiply(r).toBytes();
  const k = bytesToNumberLE(sha512(concat(R, pointBytes, message)));
  return concat(R, Fn.toBytes(Fn.create(r + Fn.create(k) * scalar)));
}

test('NON-03, S4 a table of last month says no second certificate, though a peer has signed its confirmation twice', async () => {
  const world = new NodeWorld({ cloud: { faults: { ttlLagSeconds: 0 } } });
  const places = placesOf(world, 'KeyGenCertificateOut');
  const before: TableSnapshot[] = [];
  world.cloud.inspect.onChange(({ namespace, table, key, after }) => {
    if (namespace !== world.namespace(1) || table !== 'Ceremonies' || key.sk !== 'STATE') return;
    if (after?.['stage'] === 'AwaitingVerdicts') before.push(world.cloud.snapshotTable(namespace, table));
  });
  await world.assembled();
  const made = world.keygen(1);
  const [snapshot] = before;
  if (made?.stage !== 'Succeeded' || !snapshot) throw new Error('there is no key');
  const row = world.items(1, 'Keys').find(({ sk, pk }) => sk === 'PUBLIC' && pk === `K#${made.keyId}`);
  const certificate = JSON.parse(row?.['certificate'] as string) as Certificate;
  const confirmed = confirmationOf(world.committee.committee.id, certificate, 3, '0x');
  const second = toHex(signedOtherwise(statementBytes(confirmed), await world.ownSecret(3, 'SIGNATURE')));
  const signatures = certificate.signatures.map((each, i) => (i === 2 ? second : each));
  const other = { ...certificate, signatures } as Certificate;
  expect(verifyCertificate(world.committee.committee, other).ok).toBe(true);

  world.cloud.advance(3 * DAY);
  world.cloud.restoreTable(world.namespace(1), snapshot);
  const content = contentText('KeyGenCertificate', { certificate: other });
  await world.deliver(1, await world.say(3, 'KeyGenCertificate', { ceremony: made.ceremony }, content));
  await world.run(600);
  expect(contradicted(places)).toEqual([]);
  const kept = world.items(1, 'Keys').find(({ pk, sk }) => pk === row?.pk && sk === 'PUBLIC');
  expect(kept).toMatchObject({ status: 'certified', certificate: row?.['certificate'] });

  // It stays where it is, and neither the rule nor its own wake-ups add to each other.
  let wakes = 0;
  for (let quarter = 0; quarter < 12; quarter++) {
    await world.committee.post('sol', 'Wake', '{"Wake":{}}', [1]);
    wakes = 0;
    const stop = world.cloud.inspect.onSend(({ queue, body }) => {
      const at = parseQueueName(queue);
      if (at?.identity === identityOf(1) && at.message === 'Wake' && body.includes('ceremony')) wakes++;
    });
    await world.run(900);
    stop();
  }
  expect(world.keygen(1)?.stage).not.toBe('Succeeded');
  expect(wakes).toBeLessThan(5);
});
