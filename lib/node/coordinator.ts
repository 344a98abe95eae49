/**
 * The coordinator: routes between the own processors and the other operators' coordinators. It can drop everything, and read, forge or
 * authorise nothing: what processors say is signed by them, and sealed where it is secret.
 */
import { bodyOf, type MessageName, type Payload, parseBody, parseBodyAs } from '../messages/catalogue.ts';
import type { Committee } from '../messages/committee.ts';
import { parseContent } from '../messages/contents.ts';
import { verifyProcessorKey } from '../messages/processor-key.ts';
import { openSealed } from '../messages/sealing.ts';
import { type SealedStatement, type Statement, verifySealed, verifyStatement } from '../messages/statement.ts';
import { inboxQueue, parseQueueName, topicQueue } from '../messages/topics.ts';
import type { Delivery, Item, OutgoingMessage } from '../ports.ts';
import { traceOf } from '../telemetry.ts';
import { LATELY_SECONDS } from './lifetimes.ts';
import { acceptCommittee, keepNewest } from './membership.ts';
import { type BatchResult, type Coordinator, ownIndex } from './node.ts';
import { coordinatorKey, openOwn } from './own-keys.ts';
import { addressKey, EARLY, earlyKey, heardKey, ownProcessorKey, ownProcessorReady } from './rows.ts';
import { together } from './together.ts';

/** Less than the scheduled rule's 15 minutes: who asks again at every run of it is answered at every run. */
const GREETING_SECONDS = 600;
/** Who was not heard for so long is asked, at the next run of the rule. */
const QUIET_SECONDS = 1_800;

/** Steps 1 and 2: the first start makes the messaging key; every start publishes it to each coin's topic. */
export async function start(node: Coordinator): Promise<void> {
  const pubkey = await coordinatorKey(node);
  const { identity, coins } = node.config;
  const body = bodyOf('CoordinatorPublicKey', { pubkey });
  await node.send(coins.map((coin) => ({ queue: topicQueue(identity, coin, 'CoordinatorPublicKey'), body })));
}

export async function onCommitteeAccepted(node: Coordinator, payload: Payload<'CommitteeAccepted'>): Promise<void> {
  if (!(await acceptCommittee(node, payload))) return;
  for (const row of await node.ports.store.query('Directory', EARLY)) {
    const early = parseBodyAs('SignerReady', row['body'] as string);
    if (early.ok) await onSignerReady(node, row.sk, early.payload);
    await node.ports.store.write({ kind: 'delete', table: 'Directory', key: { pk: row.pk, sk: row.sk } });
  }
  for (const coin of node.config.coins) await announce(node, coin);
}

/** Step 4: the newest signed key replaces the previous one at once. Before the committee is known it is only remembered. */
export async function onProcessorPublicKey(
  node: Coordinator,
  coin: string,
  payload: Payload<'ProcessorPublicKey'>,
): Promise<void> {
  const committee = await node.committee();
  if (committee && !verifies(node, committee, coin, payload)) {
    return node.log('EnvelopeRejected', {
      type: 'ProcessorPublicKey',
      reason: 'not signed by the key that the committee file names',
    });
  }
  const item = { ...ownProcessorKey(coin), ...payload };
  if (committee) await keepNewest(node, item);
  else await node.ports.store.write({ kind: 'put', table: 'Directory', item });
  await announce(node, coin);
}

/** Step 6: only the own processor can have sealed this; now its key may be shown to the others. */
export async function onSignerReady(node: Coordinator, coin: string, sealed: SealedStatement): Promise<void> {
  const committee = await node.committee();
  if (!committee) {
    // The processor has accepted the file before this role has: judged when it does.
    await node.ports.store.write({
      kind: 'put',
      table: 'Directory',
      item: { ...earlyKey(coin), body: bodyOf('SignerReady', sealed) },
    });
    // It may have been accepted meanwhile, by an invocation that looked before this row was there.
    return (await node.committee()) ? onSignerReady(node, coin, sealed) : undefined;
  }
  const reject = (reason: string): void => node.log('EnvelopeRejected', { type: 'SignerReady', reason });
  const self = ownIndex(committee, node.config.identity);
  if (sealed.committee !== committee.id || sealed.coin !== coin || sealed.from !== self || sealed.recipient !== self) {
    return reject('not from the own processor');
  }
  const signatureKey = committee.signatureKey(coin, self);
  if (!verifySealed(sealed, signatureKey)) return reject('the signature does not verify');
  const secret = await openOwn(node, 'MESSAGING');
  try {
    const opened = await openSealed(sealed, secret.bytes, node.sealer, signatureKey);
    if (!opened.ok) return reject(opened.reason);
    const parsed = parseContent('SignerReady', opened.statement.content);
    if (!parsed.ok) return reject(parsed.reason);
    await node.ports.store.write({
      kind: 'put',
      table: 'Directory',
      item: { ...ownProcessorReady(coin), pubkey: parsed.content.pubkey },
    });
  } finally {
    secret.wipe();
  }
  await announce(node, coin);
}

/** Step 7: the processor's signed key goes to every signer of the coin, once the processor is ready and the committee known. */
async function announce(node: Coordinator, coin: string, to?: readonly number[]): Promise<void> {
  const committee = await node.committee();
  if (!committee?.keyOf(coin)) return;
  const { store } = node.ports;
  const [ready, key] = [
    await store.get('Directory', ownProcessorReady(coin)),
    await store.get('Directory', ownProcessorKey(coin)),
  ];
  if (!ready || !key || ready['pubkey'] !== key['pubkey']) return;
  const { pubkey, generation, signature } = key as unknown as Payload<'ProcessorPublicKey'>;
  // What came before the committee was known is judged now.
  if (!verifies(node, committee, coin, { pubkey, generation, signature })) return;
  const self = ownIndex(committee, node.config.identity);
  const recipients = to ?? committee.signersOf(coin).filter((index) => index !== self);
  const payload: Payload<'ExternalPublicKeyIn'> = { signer: self, coin, pubkey, generation, signature };
  await node.send(recipients.map((index) => parcel(node, committee, index, coin, 'ExternalPublicKeyIn', payload)));
}

function verifies(
  node: Coordinator,
  committee: Committee,
  coin: string,
  payload: Payload<'ProcessorPublicKey'>,
): boolean {
  const { identity } = node.config;
  const self = ownIndex(committee, identity);
  const { pubkey, generation, signature } = payload;
  return verifyProcessorKey({ identity, coin, pubkey, generation }, signature, committee.signatureKey(coin, self));
}

/** Steps 10, 14 and 17: every `…Out` leaves as one parcel for each recipient, with the bytes that the processor signed. */
export async function forwardOutbound(node: Coordinator, batch: readonly Delivery[]): Promise<BatchResult> {
  const committee = await node.committee();
  if (!committee) return { failed: batch.map((delivery) => delivery.messageId) };
  const parcels: { readonly from: string; readonly message: OutgoingMessage }[] = [];
  for (const delivery of batch) {
    node.follow(traceOf(delivery.body));
    const coin = parseQueueName(delivery.queue)?.coin ?? '';
    const parsed = parseBody(delivery.body);
    if (!parsed.ok || !parsed.name.endsWith('Out')) {
      node.log('EnvelopeRejected', {
        type: 'Outbound',
        reason: parsed.ok ? 'not a message that leaves' : parsed.reason,
      });
      continue;
    }
    const body = parsed.payload as Statement | SealedStatement;
    for (const index of recipientsOf(node, committee, coin, body)) {
      parcels.push({ from: delivery.messageId, message: parcel(node, committee, index, coin, parsed.name, body) });
    }
  }
  const refused = await node.ports.bus.send(parcels.map((each) => each.message));
  const waiting = new Set(refused.map((index) => parcels[index]?.from ?? ''));
  reportWaiting(
    node,
    batch.filter(({ messageId }) => waiting.has(messageId)),
  );
  return { failed: [...new Set(refused.map((index) => parcels[index]?.from ?? ''))] };
}

/** How long the oldest of these has waited: the queue itself leaves out of its age what has failed three times. */
function reportWaiting(node: Coordinator, waiting: readonly Delivery[]): void {
  const oldest = Math.min(...waiting.flatMap(({ sentAt }) => sentAt ?? []));
  if (!Number.isFinite(oldest)) return;
  node.log('OutboxWaits', {
    messages: waiting.length,
    seconds: Math.max(0, node.now() - Math.floor(oldest / 1000)),
  });
}

function recipientsOf(
  node: Coordinator,
  committee: Committee,
  coin: string,
  body: Statement | SealedStatement,
): readonly number[] {
  const self = ownIndex(committee, node.config.identity);
  if ('ciphertext' in body) return [body.recipient];
  if (body.to !== 0) return [body.to];
  const others = committee.signersOf(coin).filter((index) => index !== self);
  if (body.type !== 'SigningPackage') return others;
  const parsed = parseContent('SigningPackage', body.content);
  return parsed.ok ? others.filter((index) => parsed.content.signers.includes(index)) : [];
}

function parcel(
  node: Coordinator,
  committee: Committee,
  to: number,
  coin: string,
  type: MessageName,
  payload: Statement | SealedStatement | Payload<'ExternalPublicKeyIn'>,
): OutgoingMessage {
  const operator = committee.operator(to);
  if (!operator) throw new Error(`the committee has no operator ${to}`);
  const from = ownIndex(committee, node.config.identity);
  const body = bodyOf('P2PIncoming', { from, to, coin, type, payload } as Payload<'P2PIncoming'>);
  return { queue: inboxQueue(operator.identity, node.config.identity), body };
}

/** Steps 8, 11, 15 and 18: from a peer's own queue, signed by that peer, onto the topic as the matching `…In`. */
export async function receiveParcels(node: Coordinator, batch: readonly Delivery[]): Promise<BatchResult> {
  const committee = await node.committee();
  if (!committee) {
    // Before the file is accepted nobody can be told from anybody, and peers can send nothing but their keys: they do so again when they hear of this operator.
    node.log('ParcelsDropped', { count: batch.length, reason: 'no committee is accepted yet' });
    return { failed: [] };
  }
  const accepted: { readonly from: string; readonly message: OutgoingMessage }[] = [];
  const newcomers: { readonly coin: string; readonly index: number }[] = [];
  for (const delivery of batch) {
    node.follow(traceOf(delivery.body));
    const parsed = parseBodyAs('P2PIncoming', delivery.body);
    const peer = parseQueueName(delivery.queue)?.peer ?? '';
    const reason = parsed.ok ? refusal(node, committee, peer, parsed.payload) : parsed.reason;
    if (!parsed.ok || reason !== undefined) {
      node.log('EnvelopeRejected', { type: 'P2PIncoming', peer, reason: reason ?? '' });
      continue;
    }
    const { coin, type, payload, from } = parsed.payload;
    const name = type.replace(/Out$/, 'In') as MessageName;
    const body = bodyOf(name, payload as Payload<typeof name>);
    accepted.push({ from: delivery.messageId, message: { queue: topicQueue(node.config.identity, coin, name), body } });
    if (type === 'ExternalPublicKeyIn') newcomers.push({ coin, index: from });
  }
  const refused = await node.ports.bus.send(accepted.map((each) => each.message));
  for (const { coin, index } of newcomers) await greet(node, coin, index);
  return { failed: [...new Set(refused.map((index) => accepted[index]?.from ?? ''))] };
}

/**
 * A peer that announces itself may have missed the own announcement: it gets it again. It announces itself again for as long as it has not heard ({@link onWake}), so
 * that a lost parcel loses nobody; and it is answered again only after a while, so that two operators do not greet each other for ever.
 */
async function greet(node: Coordinator, coin: string, index: number): Promise<void> {
  const key = heardKey(coin, index);
  const at = (await node.ports.store.get('Directory', key))?.['at'];
  if (typeof at === 'number' && node.now() < at + GREETING_SECONDS) return;
  // Said before it is noted as said: a crash in between says it twice.
  await announce(node, coin, [index]);
  await node.ports.store.write({ kind: 'put', table: 'Directory', item: { ...key, at: node.now() } });
}

/** The sender is the queue's peer, and the outer signature is that peer's. @returns why not, or nothing */
function refusal(
  node: Coordinator,
  committee: Committee,
  peer: string,
  payload: Payload<'P2PIncoming'>,
): string | undefined {
  const { from, to, coin, type, payload: body } = payload;
  const sender = committee.operatorByIdentity(peer);
  if (!sender || sender.index !== from) return 'the sender is not the peer whose queue this is';
  if (to !== ownIndex(committee, node.config.identity)) return 'addressed to another operator';
  if (!committee.isSigner(coin, from)) return 'the committee has no such coin here';
  const key = committee.signatureKey(coin, from);
  if (type === 'ExternalPublicKeyIn') {
    const { signer, pubkey, generation, signature, coin: of } = body as Payload<'ExternalPublicKeyIn'>;
    if (signer !== from || of !== coin) return 'the key is another signer’s or another coin’s';
    return verifyProcessorKey({ identity: peer, coin, pubkey, generation }, signature, key)
      ? undefined
      : 'the key’s signature does not verify';
  }
  const statement = body as Statement | SealedStatement;
  if (statement.from !== from || statement.coin !== coin || statement.committee !== committee.id)
    return 'the header contradicts the parcel';
  if (`${statement.type}Out` !== type) return 'the header names another type than the parcel';
  const verified = 'ciphertext' in statement ? verifySealed(statement, key) : verifyStatement(statement, key);
  return verified ? undefined : 'the signature does not verify';
}

/** Step 20: the directory learns of the new key. */
export async function onPublicAddressAvailable(
  node: Coordinator,
  payload: Payload<'PublicAddressAvailable'>,
): Promise<void> {
  const { coin, publicKey, address, keyId } = payload;
  await node.ports.store.write({
    kind: 'put',
    table: 'Directory',
    item: { ...addressKey(coin, keyId), publicKey, ...(address === undefined ? {} : { address }) },
  });
}

/**
 * A scheduled `Wake`: a signer of a coin that has not been heard for a while is told again who is here, and answers. So a lost parcel loses nobody, and a committee that has nothing to do
 * knows whether it could.
 */
export async function onWake(node: Coordinator): Promise<void> {
  const committee = await node.committee();
  if (!committee) return;
  const self = ownIndex(committee, node.config.identity);
  const now = node.now();
  for (const coin of node.config.coins) {
    const pinned = committee.keyOf(coin);
    if (!pinned) continue;
    const peers = committee.signersOf(coin).filter((index) => index !== self);
    const rows = await together(peers.map((index) => node.ports.store.get('Directory', heardKey(coin, index))));
    const ages = rows.map((row) => (typeof row?.['at'] === 'number' ? now - row['at'] : Number.POSITIVE_INFINITY));
    const unheard = peers.filter((_, i) => (ages[i] ?? 0) >= LATELY_SECONDS);
    const answering = peers.length - unheard.length + 1;
    node.log('PeersAnswer', { coin, answering, needed: pinned.t, distance: answering - pinned.t });
    const quiet = peers.filter((_, i) => (ages[i] ?? 0) >= QUIET_SECONDS);
    if (quiet.length > 0) await announce(node, coin, quiet);
    await together(unheard.map((index) => missed(node, coin, index, rows[peers.indexOf(index)])));
  }
}

/**
 * Said for whoever looks: that a row is old tells nothing where nobody asked, because the own rule did not run. Once for each silence; the next greeting that comes writes the row anew.
 * @param row as it was read: one that came meanwhile stays
 */
async function missed(node: Coordinator, coin: string, index: number, row: Item | undefined): Promise<void> {
  if (row?.['missed'] !== undefined) return;
  await node.ports.store.write({
    kind: 'put',
    table: 'Directory',
    item: { ...row, ...heardKey(coin, index), missed: node.now() },
    condition: row ? { kind: 'equals', attribute: 'at', value: row['at'] as number } : { kind: 'absent' },
  });
}
