/** The messages of a signing service: transactions, certificates, what restored wallets ask for, and what the services of an asset tell each other. */
import { createHash } from 'node:crypto';
import type { RandomBytes } from '../ceremony.ts';
import type { TransactionContext } from '../coconut/transaction-proof.ts';
import { type AssetKey, assetKeyOf } from '../coconut-keygen/asset-key.ts';
import { concat, lp, tagged, utf8 } from '../messages/bytes.ts';
import { bodyOf, type MessageName, type Payload, parseBodyAs } from '../messages/catalogue.ts';
import type { Committee } from '../messages/committee.ts';
import { contentText, parseContent } from '../messages/contents.ts';
import { type Hex, toHex } from '../messages/hex.ts';
import { type Header, type Statement, signStatement, verifyStatement } from '../messages/statement.ts';
import { topicQueue } from '../messages/topics.ts';
import type { Delivery, OutgoingMessage, QueueName } from '../ports.ts';
import {
  type AnswerName,
  type AnswerOf,
  gatewayQueue,
  MAX_ANSWER_BYTES,
  requestHash,
  sealAnswer,
} from '../signing-service/answer.ts';
import { contextOf } from '../signing-service/context.ts';
import {
  inStatements,
  movePosition,
  noteTold,
  parseCertificates,
  position,
  SETTLED_SECONDS,
  silentBeside,
  spentSince,
  spentUnder,
  toldBy,
} from '../signing-service/gossip.ts';
import { listOf, parted, recover } from '../signing-service/recover.ts';
import type { TokenScheme } from '../signing-service/scheme.ts';
import { type Issued, type Refused, SigningService, type Voted } from '../signing-service/service.ts';
import { addUp, countRefusals } from '../signing-service/supply.ts';
import { tablesOf } from '../signing-service/tables.ts';
import { certifiedKey, openShare } from './advance.ts';
import { LATELY_SECONDS } from './lifetimes.ts';
import { type BatchResult, nameOf, ownIndex, type Processor, rethrowCrash } from './node.ts';
import { openOwn } from './own-keys.ts';
import { ASSET_KEY, HALT } from './rows.ts';
import { onWake } from './wake.ts';

/** The cryptography of an asset's key, from what the committee agreed on. */
export type SchemeOf = (context: TransactionContext, random: RandomBytes) => TokenScheme;

/** A service as one invocation opens it. */
interface Opened {
  readonly service: SigningService;
  readonly committee: Committee;
  readonly self: number;
  readonly asset: string;
  readonly epoch: number;
}

/** The one key of the asset, and the tables that there were when it was made. */
async function keyOf(node: Processor): Promise<{ readonly key: AssetKey; readonly began: string } | undefined> {
  const held = await node.ports.store.get('Keys', ASSET_KEY);
  const keyId = held?.['keyId'] as Hex | undefined;
  const certificate = keyId && (await certifiedKey(node, keyId));
  if (!keyId || !certificate || !('verificationKey' in certificate)) return undefined;
  return { key: assetKeyOf(keyId, certificate), began: String(held?.['tables']) };
}

/** @returns nothing before there is a committee and a key: wallets ask again */
async function open(node: Processor, schemeOf: SchemeOf): Promise<Opened | undefined> {
  const [committee, held] = [await node.committee(), await keyOf(node)];
  const { coin: asset, identity, outcomeQueue } = node.config;
  const file = committee?.file.assets[asset];
  if (!committee || !held || !file) return node.log('ServiceNotReady') as undefined;
  const self = ownIndex(committee, identity);
  const service = new SigningService(
    schemeOf(contextOf(committee, asset, held.key.coconut, held.key.verificationKey), node.random),
    self,
    {
      committee,
      asset,
      store: node.ports.store,
      telemetry: node.ports.telemetry,
      random: node.random,
      now: () => node.now(),
      signatureKey: () => openOwn(node, 'SIGNATURE'),
      share: () => openShare(node, held.key.keyId),
      halt: HALT,
      began: held.began,
      // Where nobody listens nothing is noted as said: a queue that the operator adds later hears of it when the certificate comes again.
      ...(outcomeQueue
        ? { withdrawn: (notice) => node.send([{ queue: outcomeQueue, body: bodyOf('Withdrawal', notice) }]) }
        : {}),
    },
  );
  return { service, committee, self, asset, epoch: file.epoch };
}

// ------------------------------------------------------------------------------------------------ gateways

interface Reply {
  readonly replyTo: string;
  readonly replyKey: Hex;
}

/** The queue to answer on: asked before anything else is done, for a sender that may not be answered is owed no work. */
function answerable(node: Processor, type: MessageName, { replyTo }: Reply): QueueName | undefined {
  const queue = gatewayQueue(node.config.gateways ?? [], replyTo);
  if (!queue) node.log('EnvelopeRejected', { type, reason: 'replyTo is no gateway of the operator file' });
  return queue;
}

/** One answer to one request. */
interface Answer<N extends AnswerName = AnswerName> {
  readonly name: N;
  readonly answer: AnswerOf<N>;
  readonly queue: QueueName;
  /** What is answered. */
  readonly body: string;
  readonly replyKey: Hex;
}

/** Signed and sealed. The key is opened once for all that a function says. */
async function sealed(
  node: Processor,
  { committee, asset, self }: Opened,
  answers: readonly Answer[],
): Promise<readonly OutgoingMessage[]> {
  const scope = { committee: committee.id, asset, index: self };
  const key = await openOwn(node, 'SIGNATURE');
  try {
    return await Promise.all(
      answers.map(async ({ name, answer, queue, body, replyKey }) => {
        const question = { request: requestHash(body), replyKey };
        return { queue, body: await sealAnswer(scope, name, answer, question, key.bytes, node.random(32)) };
      }),
    );
  } finally {
    key.wipe();
  }
}

interface Asked {
  readonly delivery: Delivery;
  readonly queue: QueueName;
  readonly request: Payload<'Transaction'>;
}

/** Phase 1. A batch shares one read and one check of its proofs; if it fails as a whole, each is tried alone, so that one bad record costs the others nothing. */
export async function onTransactions(
  node: Processor,
  schemeOf: SchemeOf,
  batch: readonly Delivery[],
): Promise<BatchResult> {
  const asked: Asked[] = [];
  for (const delivery of batch) {
    const parsed = parseBodyAs('Transaction', delivery.body);
    if (!parsed.ok) {
      node.log('EnvelopeRejected', { type: 'Transaction', reason: parsed.reason });
      continue;
    }
    const queue = answerable(node, 'Transaction', parsed.payload);
    if (queue) asked.push({ delivery, queue, request: parsed.payload });
  }
  if (asked.length === 0) return { failed: [] };
  const opened = await open(node, schemeOf);
  if (!opened) return { failed: [] };
  try {
    return await answerAll(node, opened, asked);
  } catch (error) {
    rethrowCrash(error);
    node.log('HandlerFailed', { type: 'Transaction', records: asked.length, error: nameOf(error) });
  }
  const failed: string[] = [];
  for (const each of asked) {
    try {
      failed.push(...(await answerAll(node, opened, [each])).failed);
    } catch (error) {
      rethrowCrash(error);
      node.log('HandlerFailed', { type: 'Transaction', error: nameOf(error) });
      failed.push(each.delivery.messageId);
    }
  }
  return { failed };
}

async function answerAll(node: Processor, opened: Opened, asked: readonly Asked[]): Promise<BatchResult> {
  const answers = await opened.service.processAll(
    asked.map(({ request: { replyTo: _, replyKey: __, ...transaction } }) => transaction),
  );
  const messages = await sealed(
    node,
    opened,
    asked.map(({ delivery: { body }, queue, request: { replyKey } }, i) => ({
      name: 'TransactionVote',
      answer: wire(answers[i] as Voted | Refused),
      queue,
      body,
      replyKey,
    })),
  );
  const refused = await node.ports.bus.send(messages);
  await countRefusals(node.ports.store, opened, answers.flatMap(reasonsIn));
  return { failed: refused.flatMap((at) => asked[at]?.delivery.messageId ?? []) };
}

function reasonsIn(answer: Voted | Issued | Refused): readonly string[] {
  return 'refusal' in answer ? [answer.refusal.reason] : [];
}

/** The service's own types are read-only views of the same shape. */
function wire(answer: Voted | Refused): AnswerOf<'TransactionVote'> {
  return structuredClone(answer) as AnswerOf<'TransactionVote'>;
}

/** Phase 2. */
export async function onTransactionCertificate(
  node: Processor,
  schemeOf: SchemeOf,
  payload: Payload<'TransactionCertificate'>,
  { body }: Delivery,
): Promise<void> {
  const queue = answerable(node, 'TransactionCertificate', payload);
  const opened = queue && (await open(node, schemeOf));
  if (!opened) return;
  const { replyTo: _, replyKey, ...certificate } = payload;
  const said = await opened.service.process(certificate);
  const answer: Pick<Answer, 'name' | 'answer'> =
    'refusal' in said
      ? { name: 'TransactionVote', answer: wire(said) }
      : { name: 'PartialSignatures', answer: { ...said, signatures: [...said.signatures] } };
  await node.send(await sealed(node, opened, [{ ...answer, queue, body, replyKey }]));
  await countRefusals(node.ports.store, opened, reasonsIn(said));
}

export async function onRecoverIssued(
  node: Processor,
  schemeOf: SchemeOf,
  payload: Payload<'RecoverIssued'>,
  { body }: Delivery,
): Promise<void> {
  const queue = answerable(node, 'RecoverIssued', payload);
  const opened = queue && (await open(node, schemeOf));
  if (!opened) return;
  const { issued, next } = await recover(node.ports.store, opened.asset, opened.epoch, payload);
  // With room for the fields around them.
  const parts = parted(issued, MAX_ANSWER_BYTES - 1_000);
  const list = listOf(issued);
  const readOnly = await opened.service.isReadOnly();
  const answers = parts.map((part, i): Answer => {
    const answer = {
      index: opened.self,
      part: i + 1,
      parts: parts.length,
      list,
      ...(readOnly ? ({ readOnly } as const) : {}),
      issued: [...part],
      ...(next ? { next } : {}),
    };
    return { name: 'RecoveredIssued', answer, queue, body, replyKey: payload.replyKey };
  });
  await node.send(await sealed(node, opened, answers));
}

// ------------------------------------------------------------------------------------------------ other services

type GossipType = 'SpentSerials' | 'SpentSerialsRequest';

/** The same checks, in the same order, as for a statement of a ceremony. */
function fromPeer(node: Processor, { committee, self }: Opened, type: GossipType, body: Statement): boolean {
  const reject = (reason: string): boolean => {
    node.log('EnvelopeRejected', { type, reason });
    return false;
  };
  const { coin } = node.config;
  if (body.committee !== committee.id) return reject('another committee');
  if (body.coin !== coin) return reject('another asset');
  if (body.to !== 0 && body.to !== self) return reject('addressed to another operator');
  if (body.from === self) return reject('sent in the own name');
  if (!committee.isSigner(coin, body.from)) return reject('from nobody of this committee');
  return verifyStatement(body, committee.signatureKey(coin, body.from)) || reject('the signature does not verify');
}

/** Certificates prove themselves: what each names is spent, whoever brings it. */
export async function onSpentSerials(
  node: Processor,
  schemeOf: SchemeOf,
  body: Payload<'SpentSerialsIn'>,
): Promise<void> {
  const opened = await open(node, schemeOf);
  if (!opened || !fromPeer(node, opened, 'SpentSerials', body)) return;
  const parsed = parseContent('SpentSerials', body.content);
  if (!parsed.ok) return node.log('EnvelopeRejected', { type: 'SpentSerials', reason: parsed.reason });
  const { certificates, upTo } = parsed.content;
  let bad = certificates.length;
  for (const certificate of parseCertificates(certificates as Hex[]))
    if (await opened.service.learn(certificate)) bad--;
  await noteTold(node.ports.store, opened, body.from, node.now());
  if (bad > 0)
    return node.log('EnvelopeRejected', { type: 'SpentSerials', reason: 'a certificate certifies nothing', bad });
  if (upTo === undefined || body.to !== opened.self) return;
  // The end of an answer. While the peer gets on, it may have more, and is asked from where it ended; the rest waits for the next scheduled wake-up.
  const { store } = node.ports;
  const from = { peer: body.from, tables: await tablesOf(store) };
  const before = (await position(store, opened, from)) ?? 0;
  if (upTo <= before) return;
  await movePosition(store, opened, upTo, from);
  if (certificates.length > 0 || upTo > before + ASK_AGAIN_SECONDS) await ask(node, opened, [body.from]);
}

/** An answer without certificates that has got on by less is the peer's last. */
const ASK_AGAIN_SECONDS = 86_400;

export async function onSpentSerialsRequest(
  node: Processor,
  schemeOf: SchemeOf,
  body: Payload<'SpentSerialsRequestIn'>,
): Promise<void> {
  const opened = await open(node, schemeOf);
  if (!opened || !fromPeer(node, opened, 'SpentSerialsRequest', body)) return;
  const parsed = parseContent('SpentSerialsRequest', body.content);
  if (!parsed.ok) return node.log('EnvelopeRejected', { type: 'SpentSerialsRequest', reason: parsed.reason });
  const { epoch, after, tags } = parsed.content;
  if (epoch !== opened.epoch)
    return node.log('EnvelopeRejected', { type: 'SpentSerialsRequest', reason: 'another epoch' });
  const { store } = node.ports;
  if (tags.length > 0) {
    const found = await spentUnder(store, opened, tags as Hex[]);
    return say(
      node,
      opened,
      body.from,
      inStatements(found).map((certificates) => ({ certificates: [...certificates] })),
    );
  }
  const { certificates, upTo } = await spentSince(store, opened, after, node.now());
  const pages = inStatements(certificates).map((page) => ({ certificates: [...page] }));
  const [last = { certificates: [] }, ...before] = pages.reverse();
  // The last says how far all of them go.
  await say(node, opened, body.from, [...before.reverse(), { ...last, upTo }]);
}

/** Pages of one wake-up: what a service spends in a quarter of an hour, said within its function's minute. */
const PAGES_A_WAKE = 32;

/** Page after page: one alone would be behind for ever wherever somebody pays himself more often than it holds. */
async function tell(node: Processor, opened: Opened): Promise<void> {
  const { store } = node.ports;
  const now = node.now();
  let sent = (await position(store, opened)) ?? 0;
  for (let page = 0; page < PAGES_A_WAKE; page++) {
    const { certificates, upTo } = await spentSince(store, opened, sent, now, 'brought');
    if (certificates.length > 0) {
      await say(
        node,
        opened,
        0,
        inStatements(certificates).map((each) => ({ certificates: [...each] })),
      );
    }
    // After it is said: a crash in between says it twice, and certificates are the same twice.
    await movePosition(store, opened, upTo);
    if (certificates.length === 0 || upTo >= now - SETTLED_SECONDS) return;
    sent = upTo;
  }
}

/** What was spent here since the last time goes to all; a service that may lack some asks all. */
export async function onServiceWake(
  node: Processor,
  schemeOf: SchemeOf,
  payload: Payload<'Wake'>,
  delivery?: Pick<Delivery, 'receiveCount'>,
): Promise<void> {
  if (payload.ceremony) return onWake(node, payload, delivery);
  let failed: unknown;
  try {
    await onWake(node, payload, delivery);
  } catch (error) {
    rethrowCrash(error);
    // One ceremony that fails each time must keep nobody from hearing what is spent.
    failed = error;
  }
  await wakeService(node, schemeOf);
  if (failed) throw failed;
}

async function wakeService(node: Processor, schemeOf: SchemeOf): Promise<void> {
  const opened = await open(node, schemeOf);
  if (!opened) return;
  const { store } = node.ports;
  await tell(node, opened);
  await addUp(store, opened, node.now());
  await reportSilent(node, opened);
  if (await opened.service.isReadOnly()) {
    node.log('ReadOnly');
    await ask(
      node,
      opened,
      opened.committee.signersOf(opened.asset).filter((index) => index !== opened.self),
    );
  }
}

/** Only where somebody is silent: that its own coordinator says nothing must stay to be seen. */
async function reportSilent(node: Processor, { committee, self, asset, epoch }: Opened): Promise<void> {
  const pinned = committee.keyOf(asset);
  if (!pinned) return;
  const services = committee.signersOf(asset);
  const told = await toldBy(node.ports.store, { asset, epoch });
  const silent = silentBeside(
    told,
    services.filter((index) => index !== self),
    pinned.t,
    LATELY_SECONDS,
  );
  if (silent.length === 0) return;
  const answering = services.length - silent.length;
  node.log('PeersAnswer', { coin: asset, answering, needed: pinned.t, distance: answering - pinned.t });
}

async function ask(node: Processor, opened: Opened, peers: readonly number[]): Promise<void> {
  const { epoch } = opened;
  const { store } = node.ports;
  const tables = await tablesOf(store);
  const messages: OutgoingMessage[] = [];
  for (const peer of peers) {
    const after = (await position(store, opened, { peer, tables })) ?? 0;
    const content = contentText('SpentSerialsRequest', { epoch, after, tags: [] });
    messages.push(await statement(node, opened, 'SpentSerialsRequest', peer, content));
  }
  await node.send(messages);
}

async function say(
  node: Processor,
  opened: Opened,
  to: number,
  contents: readonly { readonly certificates: Hex[]; readonly upTo?: number }[],
): Promise<void> {
  const messages: OutgoingMessage[] = [];
  for (const content of contents)
    messages.push(await statement(node, opened, 'SpentSerials', to, contentText('SpentSerials', content)));
  await node.send(messages);
}

/** What is said in one place must be one thing: gossip has no places, so each content is its own. */
async function statement(
  node: Processor,
  { committee, asset, self }: Opened,
  type: GossipType,
  to: number,
  content: string,
): Promise<OutgoingMessage> {
  const header: Header = {
    type,
    committee: committee.id,
    coin: asset,
    ceremony: placeOf(type, content),
    slot: '',
    from: self,
    to,
  };
  const key = await openOwn(node, 'SIGNATURE');
  try {
    const queue = topicQueue(node.config.identity, asset, 'Outbound');
    return { queue, body: bodyOf(`${type}Out`, signStatement(header, content, key.bytes)) };
  } finally {
    key.wipe();
  }
}

function placeOf(type: GossipType, content: string): Hex {
  const bytes = concat(tagged('gossip'), lp(utf8(type)), lp(utf8(content)));
  return toHex(createHash('sha256').update(bytes).digest());
}
