/**
 * How a processor comes to know its committee (source 002, steps 1 to 9): own keys, the coordinator's key, the committee file, every
 * peer's messaging key. Messages may come in any order and any number of times; each ends by looking at what is now known.
 */

import { type CardEntry, inboxPattern, signCardEntry } from '../messages/card.ts';
import { bodyOf, type Payload, parseBodyAs } from '../messages/catalogue.ts';
import { type Committee, parseCommittee } from '../messages/committee.ts';
import { contentText } from '../messages/contents.ts';
import { readyToKeygen } from '../messages/events.ts';
import type { Hex } from '../messages/hex.ts';
import { verifyProcessorKey } from '../messages/processor-key.ts';
import { sealStatement } from '../messages/sealing.ts';
import { type Header, signStatement } from '../messages/statement.ts';
import { topicQueue } from '../messages/topics.ts';
import type { Condition, Item } from '../ports.ts';
import { policyHash } from '../signing/policy.ts';
import { authoriseKeygen } from './authorise.ts';
import { type Coordinator, type Node, ownIndex, type Processor } from './node.ts';
import { openOwn, processorKeys } from './own-keys.ts';
import {
  COMMITTEE,
  COORDINATOR,
  EARLY,
  earlyKey,
  OWN_CARD,
  OWN_KEYS,
  PEERS,
  POLICY,
  peerKey,
  READY,
  SIGNER_READY,
} from './rows.ts';

const NO_CEREMONY = `0x${'00'.repeat(32)}` as Hex;

/** `Start`: the first makes the keys, every one publishes them (steps 1 and 3). */
export async function start(node: Processor): Promise<void> {
  const keys = await processorKeys(node);
  const policy: Item = { ...POLICY, version: policyHash(node.config.policies) };
  await node.ports.store.write({ kind: 'put', table: 'Keys', item: policy });
  const { identity, coin } = node.config;
  const body = bodyOf('ProcessorPublicKey', {
    pubkey: keys.messagingKey,
    generation: keys.generation,
    signature: keys.signature,
  });
  await node.send([{ queue: topicQueue(identity, coin, 'ProcessorPublicKey'), body }]);
  await signCard(node);
  await introduce(node);
}

/** `CommitteeAccepted`: only the file whose hash is deployed. @returns why not, or nothing */
export async function acceptCommittee(
  node: Processor | Coordinator,
  { committee: file }: Payload<'CommitteeAccepted'>,
): Promise<Committee | undefined> {
  const reject = (reason: string): undefined => node.log('CommitteeRejected', { reason }) as undefined;
  const parsed = parseCommittee(file);
  if (!parsed.ok) return reject(parsed.reason);
  const { committee } = parsed;
  if (committee.id !== node.config.committeeHash) {
    return reject(
      `expected the deployed committee ${node.config.committeeHash ?? '(none is deployed)'}, got ${committee.id}`,
    );
  }
  if (!committee.operatorByIdentity(node.config.identity))
    return reject(`the committee does not name operator ${node.config.identity}`);
  const item: Item = { ...COMMITTEE, text: JSON.stringify(file), hash: committee.id };
  const { committed } = await node.ports.store.write({
    kind: 'put',
    table: 'Directory',
    item,
    condition: { kind: 'absentOrEquals', attribute: 'hash', value: committee.id },
  });
  // A key and its evidence are of the committee that they were made in: another deploy does not make another of it.
  return committed ? committee : reject(`expected the committee that was accepted here before, got ${committee.id}`);
}

export async function onCommitteeAccepted(node: Processor, payload: Payload<'CommitteeAccepted'>): Promise<void> {
  if (!(await acceptCommittee(node, payload))) return;
  for (const row of await node.ports.store.query('Directory', EARLY)) {
    const early = parseBodyAs('ExternalPublicKeyIn', row['body'] as string);
    if (early.ok) await onExternalPublicKey(node, early.payload);
    await node.ports.store.write({ kind: 'delete', table: 'Directory', key: { pk: row.pk, sk: row.sk } });
  }
  await introduce(node);
  await whenAllAreKnown(node);
}

/** Step 2. The key must be the one that the committee file pins; until the file is there it is only remembered. */
export async function onCoordinatorPublicKey(
  node: Processor,
  { pubkey }: Payload<'CoordinatorPublicKey'>,
): Promise<void> {
  await node.ports.store.write({ kind: 'put', table: 'Directory', item: { ...COORDINATOR, pubkey } });
  await signCard(node);
  await introduce(node);
}

/** The entry of `coterie card`, signed here because no command opens a secret: again if the coordinator has another key, or the operator moved. */
async function signCard(node: Processor): Promise<void> {
  const { store } = node.ports;
  const [own, coordinator] = [await store.get('Directory', OWN_KEYS), await store.get('Directory', COORDINATOR)];
  if (!own || !coordinator) return;
  const { identity, account, region, coin } = node.config;
  const entry: CardEntry = {
    identity,
    account,
    region,
    inbox: inboxPattern(identity),
    coordinatorKey: coordinator['pubkey'] as Hex,
    coin,
    signatureKey: own['signatureKey'] as Hex,
  };
  const signed = await store.get('Directory', OWN_CARD);
  if (signed && (Object.keys(entry) as (keyof CardEntry)[]).every((name) => signed[name] === entry[name])) return;
  const signatureKey = await openOwn(node, 'SIGNATURE');
  try {
    const item: Item = { ...OWN_CARD, ...entry, signature: signCardEntry(entry, signatureKey.bytes) };
    await store.write({ kind: 'put', table: 'Directory', item });
  } finally {
    signatureKey.wipe();
  }
}

/** Step 5: `SignerReady`, sealed to the own coordinator. Sealed once; later ones are the stored bytes. */
async function introduce(node: Processor): Promise<void> {
  const { store } = node.ports;
  const [committee, coordinator] = [await node.committee(), await store.get('Directory', COORDINATOR)];
  if (!committee || !coordinator) return;
  const { identity, coin } = node.config;
  const self = ownIndex(committee, identity);
  const pinned = committee.operator(self)?.coordinatorKey;
  if (!pinned || coordinator['pubkey'] !== pinned) {
    node.log('CoordinatorKeyRejected', { reason: 'not the key that the committee file names' });
    return;
  }
  const queue = topicQueue(identity, coin, 'SignerReady');
  const known = await store.get('Directory', SIGNER_READY);
  if (!known) {
    const keys = await processorKeys(node);
    const header: Header = {
      type: 'SignerReady',
      committee: committee.id,
      coin,
      ceremony: NO_CEREMONY,
      slot: '',
      from: self,
      to: self,
    };
    const signatureKey = await openOwn(node, 'SIGNATURE');
    try {
      const statement = signStatement(
        header,
        contentText('SignerReady', { pubkey: keys.messagingKey }),
        signatureKey.bytes,
      );
      const sealed = await sealStatement(statement, self, pinned, signatureKey.bytes, node.random(32), node.sealer);
      const item = { ...SIGNER_READY, body: bodyOf('SignerReady', sealed) };
      await store.write({ kind: 'put', table: 'Directory', item, condition: { kind: 'absent' } });
    } finally {
      signatureKey.wipe();
    }
  }
  const row = await store.get('Directory', SIGNER_READY);
  await node.send([{ queue, body: row?.['body'] as string }]);
}

/** Steps 8 and 9: a peer's messaging key, signed by the key that the committee file pins. */
export async function onExternalPublicKey(node: Processor, payload: Payload<'ExternalPublicKeyIn'>): Promise<void> {
  const committee = await node.committee();
  if (!committee) {
    // A peer is ahead: one row for each index, judged when the file that names them is accepted.
    const item = { ...earlyKey(payload.signer), body: bodyOf('ExternalPublicKeyIn', payload) };
    await node.ports.store.write({ kind: 'put', table: 'Directory', item });
    // It may have been accepted meanwhile, by an invocation that looked before this row was there.
    return (await node.committee()) ? onExternalPublicKey(node, payload) : undefined;
  }
  const operator = committee.operator(payload.signer);
  const { coin } = node.config;
  const reject = (reason: string): void => node.log('EnvelopeRejected', { type: 'ExternalPublicKeyIn', reason });
  if (payload.coin !== coin || !operator || !committee.isSigner(coin, payload.signer))
    return reject('from nobody of this committee for this coin');
  const { pubkey, generation, signature } = payload;
  const key = { identity: operator.identity, coin, pubkey, generation };
  if (!verifyProcessorKey(key, signature, committee.signatureKey(coin, payload.signer)))
    return reject('the signature does not verify');
  await keepNewest(node, { ...peerKey(payload.signer), pubkey, generation, signature });
  await whenAllAreKnown(node);
}

/**
 * Source 002, step 4, made safe: a higher generation replaces the key at once, an equal one with other bytes is a contradiction, and a lower
 * one is ignored, so that a replay cannot roll back.
 */
export async function keepNewest(node: Node, item: Item): Promise<'kept' | 'ignored'> {
  const { store } = node.ports;
  for (;;) {
    const known = await store.get('Directory', item);
    const before = known?.['generation'] as number | undefined;
    if (known && before !== undefined && before >= (item['generation'] as number)) {
      if (before === item['generation'] && known['pubkey'] !== item['pubkey'])
        node.log('EquivocationDetected', { type: 'ProcessorPublicKey' });
      return 'ignored';
    }
    const condition: Condition =
      before === undefined ? { kind: 'absent' } : { kind: 'equals', attribute: 'generation', value: before };
    const result = await store.write({ kind: 'put', table: 'Directory', item, condition });
    if (result.committed) return 'kept';
  }
}

/** Steps 9 to 13 begin by themselves: with every peer known, the committee's `genesis` ceremony is authorised by the file. */
export async function whenAllAreKnown(node: Processor): Promise<void> {
  const committee = await node.committee();
  const { store } = node.ports;
  if (!committee || (await store.get('Directory', READY))) return;
  const { identity, coin } = node.config;
  const self = ownIndex(committee, identity);
  const signers = committee.signersOf(coin);
  const known = new Set((await store.query('Directory', PEERS)).map((row) => Number(row.sk)));
  if (!signers.every((index) => index === self || known.has(index))) return;

  const { outcomeQueue } = node.config;
  if (outcomeQueue) {
    const event = readyToKeygen({ operator: self, coin, committee: committee.id });
    await node.send([{ queue: outcomeQueue, body: bodyOf('MultisigEvent', event) }]);
  }
  const genesis = committee.genesisOf(coin);
  if (genesis && genesis.expiresAt > node.now()) await authoriseKeygen(node, genesis, 'genesis');
  else if (genesis) node.log('GenesisExpired', { coin });
  // Last, so that a crash before it runs all of the above again; every part of it may be repeated.
  await store.write({
    kind: 'put',
    table: 'Directory',
    item: { ...READY, committee: committee.id },
    condition: { kind: 'absent' },
  });
}
