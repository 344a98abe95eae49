/**
 * The first four steps of the handler contract for every statement of a ceremony: bound, authenticate, record, count.
 *
 * A batch is grouped by ceremony: one read of the state, one `ADD`, one step, however many records it holds.
 */

import { certificateFor } from '../keygen/step.ts';
import { bodyOf, type MessageName, parseBodyAs } from '../messages/catalogue.ts';
import type { Committee } from '../messages/committee.ts';
import { parseContent } from '../messages/contents.ts';
import type { Evidence } from '../messages/evidence.ts';
import type { Hex } from '../messages/hex.ts';
import type { CeremonyParameters } from '../messages/parameters.ts';
import { openSealed } from '../messages/sealing.ts';
import {
  type SealedStatement,
  type Statement,
  type StatementType,
  statementHash,
  verifySealed,
  verifyStatement,
} from '../messages/statement.ts';
import { topicQueue } from '../messages/topics.ts';
import type { Delivery, Item } from '../ports.ts';
import { impatient, lead, leaderOf, leadsFor, passedOn, signatureFor } from '../signing/step.ts';
import { traceOf } from '../telemetry.ts';
import { advanceIn, certifiedKey, signingCertificate, type Visit, visiting } from './advance.ts';
import { commit, maySay, outName, resend, storeEvidence } from './commit.ts';
import { PUBLIC_TTL_SECONDS, STRAY_TTL_SECONDS } from './lifetimes.ts';
import { decodeRecord, loadState, SecretsOf, type Stored } from './load.ts';
import { type BatchResult, nameOf, ownIndex, type Processor, rethrowCrash } from './node.ts';
import { arrivedKey, inboundKey } from './rows.ts';
import { admitStray, keepStrays } from './strays.ts';
import { together } from './together.ts';

/** Statement types of ceremonies, as they arrive. */
export type CeremonyType = Exclude<StatementType, 'SignerReady' | 'SpentSerials' | 'SpentSerialsRequest'>;

/** Leaders k, exhibits and sessions s are numbered from 0 and are fewer than the 100 operators of the largest committee. */
const LEADER_SLOT = /^(0|[1-9][0-9]?)$/;
const SESSION_SLOT = /^(0|[1-9][0-9]?)\.(0|[1-9][0-9]?)$/;

/** Source 001's `StageStatus`. */
export type StageStatus =
  | { readonly kind: 'Full' }
  | { readonly kind: 'MadeProgress' }
  | { readonly kind: 'Ignored'; readonly reason: string };

interface Arrival {
  readonly delivery: Delivery;
  readonly body: Statement | SealedStatement;
}

/** Handles a batch of one statement type. */
export async function receive(node: Processor, type: CeremonyType, batch: readonly Delivery[]): Promise<BatchResult> {
  const committee = await node.committee();
  // Before the committee is known nobody can be told from anybody: the message comes again.
  if (!committee) return { failed: batch.map((delivery) => delivery.messageId) };

  const byCeremony = new Map<Hex, Arrival[]>();
  for (const delivery of batch) {
    const body = authentic(node, committee, type, delivery);
    if (!body) continue;
    const arrivals = byCeremony.get(body.ceremony);
    if (arrivals) arrivals.push({ delivery, body });
    else byCeremony.set(body.ceremony, [{ delivery, body }]);
  }
  const failed: string[] = [];
  for (const [ceremony, arrivals] of byCeremony) {
    node.follow({ ceremony });
    try {
      await receiveOfCeremony(node, committee, type, ceremony, arrivals);
    } catch (error) {
      rethrowCrash(error);
      node.log('HandlerFailed', { type, ceremony, error: nameOf(error) });
      failed.push(...arrivals.map((arrival) => arrival.delivery.messageId));
    }
  }
  return { failed };
}

/** Bound, shape, addressing, signature: in this order, and before anything is opened or stored. Garbage is never retried. */
function authentic(
  node: Processor,
  committee: Committee,
  type: CeremonyType,
  delivery: Delivery,
): Statement | SealedStatement | undefined {
  const reject = (reason: string): undefined => node.log('EnvelopeRejected', { type, reason }) as undefined;
  node.follow(traceOf(delivery.body));
  const parsed = parseBodyAs(`${type}In` satisfies MessageName, delivery.body);
  if (!parsed.ok) return reject(parsed.reason);
  const body = parsed.payload as Statement | SealedStatement;
  const self = ownIndex(committee, node.config.identity);
  if (body.type !== type) return reject('the header names another type than the queue');
  if (body.committee !== committee.id) return reject('another committee');
  if (body.coin !== node.config.coin) return reject('another coin');
  if (body.to !== 0 && body.to !== self) return reject('addressed to another operator');
  if (!wellPlaced(type, body, self)) return reject('no slot or reader that this type has');
  if (body.from === self) return reject('sent in the own name');
  if (!committee.isSigner(node.config.coin, body.from)) return reject('from nobody of this committee');
  const key = committee.signatureKey(node.config.coin, body.from);
  if ('ciphertext' in body) {
    if (body.recipient !== self) return reject('sealed to another operator');
    return verifySealed(body, key) ? body : reject('the signature of the sealed layer does not verify');
  }
  return verifyStatement(body, key) ? body : reject('the signature does not verify');
}

/**
 * The places that a type has. What is said to all must be said to all: a verdict to one reader could stand in no certificate. And the slots are numbered, so
 * that what a peer can make this operator store is bounded (attack DOS-02).
 */
export function wellPlaced(
  type: CeremonyType,
  { slot, to }: { readonly slot: string; readonly to: number },
  self: number,
): boolean {
  const answered = slot === `to-${self}` && to === self;
  switch (type) {
    case 'EncryptedPublicKey':
    case 'EncryptedKeyGenCommitment':
    case 'KeyGenVerdict':
      return slot === '' && to === 0;
    case 'EncryptedKeyShare':
      return slot === '' && to === self;
    case 'KeyGenEvidence':
      return LEADER_SLOT.test(slot) && to === 0;
    case 'KeyGenCertificate':
    case 'Signature':
      return (slot === '' && to === 0) || answered;
    case 'NonceCommitment':
      // To all from the leader of this slot, which asks for a signature that others may have.
      return LEADER_SLOT.test(slot) && (to === self || to === 0);
    case 'SigningPackage':
      return SESSION_SLOT.test(slot) && to === 0;
    case 'SignatureShare':
      return SESSION_SLOT.test(slot) && to === self;
  }
}

/**
 * Whether this participant may say this here: leaders and their sessions are counted by the parameters, so that nobody else can fill the rows that a step reads
 * (attacks CTX-06, DOS-02).
 */
export function expectedFrom(
  type: CeremonyType,
  parameters: CeremonyParameters,
  self: number,
  { from, slot, ceremony }: { readonly from: number; readonly slot: string; readonly ceremony: Hex },
): boolean {
  const { signers, t } = parameters;
  if (!signers.includes(from)) return false;
  const [k = 0, session = 0] = slot.split('.').map(Number);
  const last = signers.length - t;
  switch (type) {
    case 'EncryptedPublicKey':
    case 'EncryptedKeyGenCommitment':
    case 'EncryptedKeyShare':
    case 'KeyGenVerdict':
    case 'KeyGenCertificate':
      return parameters.kind === 'keygen';
    case 'KeyGenEvidence':
      return parameters.kind === 'keygen' && k < signers.length;
    case 'Signature':
      return parameters.kind === 'signing';
    case 'NonceCommitment':
      return (
        parameters.kind === 'signing' &&
        k <= last &&
        signers.includes(self) &&
        [self, from].includes(leaderOf(parameters, ceremony, k))
      );
    case 'SignatureShare':
      return (
        parameters.kind === 'signing' && k <= last && session <= last && leaderOf(parameters, ceremony, k) === self
      );
    case 'SigningPackage':
      return (
        parameters.kind === 'signing' && k <= last && session <= last && leaderOf(parameters, ceremony, k) === from
      );
  }
}

async function receiveOfCeremony(
  node: Processor,
  committee: Committee,
  type: CeremonyType,
  ceremony: Hex,
  arrivals: readonly Arrival[],
): Promise<void> {
  const stored = await loadState(node, ceremony);
  const parameters = stored?.state.parameters;
  let accepted = arrivals;
  if (!parameters) {
    const strays: Arrival[] = [];
    for (const arrival of arrivals) if (await admitted(node, type, ceremony, arrival)) strays.push(arrival);
    accepted = strays;
  } else {
    const self = ownIndex(committee, node.config.identity);
    accepted = arrivals.filter(({ body }) => expectedFrom(type, parameters, self, body));
    if (type === 'EncryptedKeyShare' && stored.state.stage === 'Succeeded') accepted = [];
  }
  if (accepted.length === 0) {
    // What it caused when it came first may not have left, whatever it is worth now.
    if (stored && arrivals.some(({ delivery }) => delivery.receiveCount > 1)) await resend(node, ceremony);
    return;
  }

  // Long after the expiry, too: an unresolved key generation goes on for as long as it takes, and what is said in it comes again every few hours.
  const ttl = Math.max(parameters ? parameters.expiresAt + PUBLIC_TTL_SECONDS : 0, node.now() + STRAY_TTL_SECONDS);
  const results = await together(accepted.map((arrival) => record(node, type, arrival, ttl)));
  const again =
    results.some((result) => result === 'duplicate') || accepted.some(({ delivery }) => delivery.receiveCount > 1);
  const contradicted = results.includes('contradiction');

  let full = false;
  let leads = false;
  for (const [slot, from] of bySlot(accepted)) {
    const arrived = await node.ports.store.addToSet('Ceremonies', arrivedKey(ceremony, type, slot), from, { ttl });
    const status = stageStatus(type, parameters, arrived, accepted);
    if (status.kind === 'Full') full = true;
    if (type === 'SignatureShare' && stored?.state.kind === 'signing' && impatient(stored.state, node.now()))
      full = true;
    // A signer that commits to a leader that has the signature already is answered, however few committed to this one.
    if (type === 'NonceCommitment' && stored?.state.stage === 'Succeeded') full = true;
    if (!parameters && (await mayLead(node, type, slot, ceremony, accepted, arrived))) leads = true;
  }
  // The state may have been made while this was recorded: whoever made it has looked for what lay there before, not after.
  const begun = parameters ? undefined : await loadState(node, ceremony);
  if (begun) await keepStrays(node, ceremony, begun.state.parameters);
  if (!full && !leads && !again && !contradicted && !begun) return;
  await visiting(node, ceremony, async (visit) => {
    // Of t distinct signers, not of one that says the same twice: a stray starts nothing (attack DOS-02).
    if (leads) await startLeading(visit, ceremony, accepted);
    await advanceIn(visit, ceremony);
    await answerLatecomers(visit, type, ceremony, accepted, results);
  });
  if (again) await resend(node, ceremony);
}

type RecordResult = 'new' | 'duplicate' | 'contradiction';

/** Write-once. Another inner statement for the same slot is evidence, and both are kept. */
async function record(node: Processor, type: CeremonyType, { body }: Arrival, ttl: number): Promise<RecordResult> {
  const key = inboundKey(body.ceremony, type, body.slot, body.from);
  const text = JSON.stringify(body);
  const item: Item = { ...key, body: text, at: node.writtenAt(), ttl };
  const result = await node.ports.store.write({
    kind: 'put',
    table: 'Ceremonies',
    item,
    condition: { kind: 'absent' },
  });
  if (result.committed) return 'new';
  const before = result.failures[0]?.item ?? (await node.ports.store.get('Ceremonies', key));
  if (!before || before['body'] === text) return 'duplicate';
  const first = decodeRecord(type, before).body;
  const [a, b] = await together([inner(node, type, first), inner(node, type, body)]);
  // Two seals around one statement contradict nothing.
  if (!a || !b || statementHash(a) === statementHash(b) || a.to !== b.to) return 'duplicate';
  node.log('EquivocationDetected', { type, from: body.from });
  const evidence: Evidence = { v: 1, reason: 'Equivocation', committee: body.committee, statements: [a, b] };
  await storeEvidence(node, body.ceremony, body.from, evidence);
  return 'contradiction';
}

/** The statement inside, where it can still be opened. */
async function inner(
  node: Processor,
  type: CeremonyType,
  body: Statement | SealedStatement,
): Promise<Statement | undefined> {
  if (!('ciphertext' in body)) return body;
  const secrets = new SecretsOf(node, body.ceremony);
  try {
    const key = await secrets.opening(type);
    const committee = await node.committee();
    if (!key || !committee) return undefined;
    const opened = await openSealed(body, key.bytes, node.sealer, committee.signatureKey(body.coin, body.from));
    return opened.ok ? opened.statement : undefined;
  } finally {
    await secrets.wipe();
  }
}

/** Which senders of this batch spoke in each slot. */
function bySlot(arrivals: readonly Arrival[]): ReadonlyMap<string, ReadonlySet<number>> {
  const slots = new Map<string, Set<number>>();
  for (const { body } of arrivals) slots.set(body.slot, (slots.get(body.slot) ?? new Set()).add(body.from));
  return slots;
}

/** Whether what has arrived completes something. The counts leave the node itself out: it is not sent what it says. */
export function stageStatus(
  type: CeremonyType,
  parameters: CeremonyParameters | undefined,
  arrived: ReadonlySet<number>,
  arrivals: readonly Arrival[],
): StageStatus {
  if (!parameters) return { kind: 'Ignored', reason: 'the ceremony is not authorised here' };
  const peers = parameters.signers.length - 1;
  const enough = (count: number): StageStatus => (arrived.size >= count ? { kind: 'Full' } : { kind: 'MadeProgress' });
  switch (type) {
    case 'EncryptedPublicKey':
    case 'EncryptedKeyGenCommitment':
    case 'EncryptedKeyShare':
      return enough(peers);
    case 'KeyGenVerdict':
      return arrivals.some(({ body }) => 'content' in body && body.content.startsWith('{"aborted"'))
        ? { kind: 'Full' }
        : enough(peers);
    case 'NonceCommitment':
    case 'SignatureShare':
      // The leader's own voice may be the t-th.
      return enough(parameters.t - 1);
    case 'KeyGenEvidence':
    case 'KeyGenCertificate':
    case 'SigningPackage':
    case 'Signature':
      return { kind: 'Full' };
  }
}

// ------------------------------------------------------------------------------------------------ before authorisation

async function admitted(node: Processor, type: CeremonyType, ceremony: Hex, { body }: Arrival): Promise<boolean> {
  const reason = await whyNotAdmitted(node, type, ceremony, body);
  if (reason !== undefined) node.log('StrayDropped', { type, reason });
  return reason === undefined;
}

async function whyNotAdmitted(
  node: Processor,
  type: CeremonyType,
  ceremony: Hex,
  body: Statement | SealedStatement,
): Promise<string | undefined> {
  if (type !== 'EncryptedPublicKey' && type !== 'NonceCommitment') return 'the ceremony is not known here';
  const parameters = await parametersOf(node, type, body);
  const committee = await node.committee();
  if (!parameters || !committee) return 'the parameters do not give this ceremony';
  if (!expectedFrom(type, parameters, ownIndex(committee, node.config.identity), body))
    return 'not from a participant, or not in a place of this ceremony';
  return admitStray(node, ceremony, body.from, parameters);
}

async function parametersOf(
  node: Processor,
  type: 'EncryptedPublicKey' | 'NonceCommitment',
  body: Statement | SealedStatement,
): Promise<CeremonyParameters | undefined> {
  const statement = await inner(node, type, body);
  const parsed = statement && parseContent(type, statement.content);
  return parsed?.ok ? parsed.content.parameters : undefined;
}

// ------------------------------------------------------------------------------------------------ leading without authorisation

/** True once t distinct signers have committed to this node as their leader. */
async function mayLead(
  node: Processor,
  type: CeremonyType,
  slot: string,
  ceremony: Hex,
  arrivals: readonly Arrival[],
  arrived: ReadonlySet<number>,
): Promise<boolean> {
  const [first] = arrivals;
  if (type !== 'NonceCommitment' || !first) return false;
  const parameters = await parametersOf(node, type, first.body);
  const committee = await node.committee();
  if (parameters?.kind !== 'signing' || !committee) return false;
  const k = leadsFor(parameters, ceremony, ownIndex(committee, node.config.identity));
  return `${k}` === slot && arrived.size >= parameters.t;
}

async function startLeading(visit: Visit, ceremony: Hex, arrivals: readonly Arrival[]): Promise<void> {
  const { node, member, secrets } = visit;
  const [first] = arrivals;
  if (!first || (await loadState(node, ceremony))) return;
  const parameters = await parametersOf(node, 'NonceCommitment', first.body);
  if (parameters?.kind !== 'signing') return;
  const certificate = await signingCertificate(node, parameters.keyId);
  // Only of a key that is held here, with the key's own parameters: nobody else's word decides what is signed under.
  const { t, suite, signers } = certificate?.parameters ?? {};
  const same =
    t === parameters.t && suite === parameters.suite && JSON.stringify(signers) === JSON.stringify(parameters.signers);
  if (!certificate || !same) {
    node.log('StrayDropped', { type: 'NonceCommitment', reason: 'not the parameters of a key that is held here' });
    return;
  }
  const state = lead(parameters, member);
  const nothing = { outbox: [], own: [], secrets: [], keys: [], released: [], evidence: [], events: [] };
  await commit(node, undefined, { ...nothing, state, wakeAt: parameters.expiresAt }, secrets);
  // Once the state is there: what comes after it has seen it.
  await keepStrays(node, ceremony, parameters);
}

// ------------------------------------------------------------------------------------------------ answers of finished ceremonies

/** A peer that repeats its confirmation gets the certificate; a signer that commits late gets the signature. */
async function answerLatecomers(
  visit: Visit,
  type: CeremonyType,
  ceremony: Hex,
  arrivals: readonly Arrival[],
  results: readonly RecordResult[],
): Promise<void> {
  const { node, member } = visit;
  const stored: Stored | undefined = await loadState(node, ceremony);
  const state = stored?.state;
  if (state?.stage !== 'Succeeded') return;
  const answers =
    state.kind === 'keygen' && type === 'KeyGenVerdict'
      ? await repeatedConfirmations(node, state.keyId, arrivals, results).then(({ certificate, peers }) =>
          certificate ? peers.map((peer) => certificateFor(state, certificate, peer, member)) : [],
        )
      : state.kind === 'signing' && type === 'NonceCommitment' && passedOn(state, node.now())
        ? arrivals.map(({ body }) => signatureFor(state, body.from, member))
        : [];
  // Pure functions of what is stored, signed deterministically: said again, they are the same bytes, unless what is stored came from a backup.
  const { expiresAt } = state.parameters;
  const said = await together(answers.map(({ statement }) => maySay(node, statement, expiresAt)));
  const meant = answers.filter((_, i) => said[i]);
  await node.send(
    meant.map(({ statement }) => ({
      queue: topicQueue(node.config.identity, node.config.coin, 'Outbound'),
      body: bodyOf(outName(statement.type as CeremonyType), statement),
    })),
  );
}

async function repeatedConfirmations(
  node: Processor,
  keyId: Hex,
  arrivals: readonly Arrival[],
  results: readonly RecordResult[],
) {
  const peers = arrivals.filter((_, i) => results[i] === 'duplicate').map(({ body }) => body.from);
  return { certificate: peers.length > 0 ? await certifiedKey(node, keyId) : undefined, peers };
}
