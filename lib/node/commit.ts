/**
 * One transition, one transaction: arm, commit, send.
 *
 * The outbox holds the very bytes that leave; a redelivery or a `Wake` sends those again, and nothing is ever made anew for something that may
 * have left already.
 */
import type { Culprit, Outgoing, SecretWrite, Transition } from '../ceremony.ts';
import { schemeOf } from '../keygen/scheme.ts';
import { utf8 } from '../messages/bytes.ts';
import { bodyOf } from '../messages/catalogue.ts';
import type { Certificate } from '../messages/certificate.ts';
import type { MultisigEvent } from '../messages/events.ts';
import type { Evidence } from '../messages/evidence.ts';
import { type Hex, toHex } from '../messages/hex.ts';
import { COCONUT_SUITE } from '../messages/parameters.ts';
import { sealStatement } from '../messages/sealing.ts';
import { partitionOf, type Statement, type StatementType, statementHash } from '../messages/statement.ts';
import { topicQueue } from '../messages/topics.ts';
import {
  type CommitResult,
  type Item,
  type OutgoingMessage,
  type QueueName,
  UnknownOutcome,
  type Write,
  WrongContext,
} from '../ports.ts';
import { policyHash } from '../signing/policy.ts';
import { tablesOf } from '../signing-service/tables.ts';
import { evidenceIn, evidenceText } from './evidence-row.ts';
import { PUBLIC_TTL_SECONDS, SECRET_TTL_SECONDS } from './lifetimes.ts';
import { type CeremonyState, loadState, type SecretsOf, type Stored } from './load.ts';
import { type Processor, SendRefused } from './node.ts';
import {
  ASSET_KEY,
  ceremonyPartition,
  evidenceKey,
  HALT,
  inboundKey,
  longTermShareKey,
  outboxKey,
  POLICY,
  peerKey,
  publicKeyKey,
  saidKey,
  secretKey,
  sentKey,
  shareKey,
  stateKey,
} from './rows.ts';
import { together } from './together.ts';
import { binding, isBinding } from './withdrawals.ts';

/** A row's bodies stay below DynamoDB's 400 KB. */
const OUTBOX_ROW_BYTES = 350_000;
/** A body that carries evidence stays below SQS's limit for our bodies, with room for the envelope. */
const EVENT_BYTES = 200_000;
const MAX_DELAY_SECONDS = 900;
/** What a key generation says after its expiry, too: verdicts, the exhibits beside them, certificates. A few small rows for each. */
const SAID_LATE: ReadonlySet<StatementType> = new Set(['KeyGenVerdict', 'KeyGenEvidence', 'KeyGenCertificate']);

export type Committed =
  | { readonly kind: 'committed'; readonly stored: Stored }
  /** Somebody else moved this ceremony: read and step again. */
  | { readonly kind: 'lost' }
  /** The halt switch is pulled, or the policy changed under the step: no share leaves. */
  | { readonly kind: 'held'; readonly by: 'halt' | 'policy' };

interface Body {
  readonly queue: QueueName;
  readonly body: string;
}

export async function commit(
  node: Processor,
  previous: Stored | undefined,
  transition: Transition<CeremonyState>,
  secrets: SecretsOf,
): Promise<Committed> {
  const { state } = transition;
  const { ceremony } = state;
  const subject = { kind: 'ceremony', id: ceremony } as const;
  const dataKey = previous?.dataKey ?? (await node.vault.newDataKey(subject));
  const version = (previous?.version ?? 0) + 1;
  const token = toHex(node.random(16)).slice(2);
  const ttl = state.parameters.expiresAt + PUBLIC_TTL_SECONDS;
  const at = node.writtenAt();
  // A key is remembered as long as it is held: whoever missed its certificate asks for it at any later time.
  const ended = state.stage === 'Failed' || (state.kind === 'signing' && state.stage === 'Succeeded');

  const stateItem: Item = {
    ...stateKey(ceremony),
    state: JSON.stringify(state),
    kind: state.kind,
    stage: state.stage,
    version,
    token,
    dataKey,
    at,
    ...(transition.wakeAt === undefined ? {} : { wakeAt: transition.wakeAt }),
    ...(ended ? { ttl } : {}),
  };
  const writes: Write[] = [
    {
      kind: 'put',
      table: 'Ceremonies',
      item: stateItem,
      condition: previous ? { kind: 'equals', attribute: 'version', value: previous.version } : { kind: 'absent' },
    },
  ];
  const secretTtl = state.parameters.expiresAt + SECRET_TTL_SECONDS;
  try {
    for (const secret of transition.secrets) writes.push(await secretWrite(node, ceremony, dataKey, secret, secretTtl));
  } catch (error) {
    if (!(error instanceof WrongContext)) throw error;
    // Another `Nonces` table than the ceremony began with: nothing new is made under an old id.
    node.log('SecretUnreadable', { ceremony });
    return { kind: 'lost' };
  }
  writes.push(...saidOnce(transition, secretTtl));
  for (const statement of transition.own) {
    const key = inboundKey(ceremony, statement.type, statement.slot, statement.from);
    writes.push({
      kind: 'put',
      table: 'Ceremonies',
      item: { ...key, body: JSON.stringify(statement), at, ttl },
      condition: { kind: 'absent' },
    });
  }
  for (const released of transition.released) {
    const key = shareKey(ceremony, released.leader, released.sequence);
    const item = { ...key, package: released.package, body: JSON.stringify(released.statement), ttl };
    writes.push({ kind: 'put', table: 'Ceremonies', item, condition: { kind: 'absent' } });
  }
  // Before the transaction and outside of it, whose limits many culprits would break: a proof stands by itself. (And before the events, which may drop theirs.)
  await together(transition.evidence.map(({ index, evidence }) => storeEvidence(node, ceremony, index, evidence)));
  const announcements: Body[] = [];
  for (const key of transition.keys) {
    switch (key.kind) {
      case 'store': {
        const owner = { kind: 'key', id: key.keyId } as const;
        const blob = await node.vault.wrap(owner, await node.vault.newDataKey(owner), 'SHARE', key.share);
        key.share.fill(0);
        writes.push({
          kind: 'put',
          table: 'Keys',
          item: { ...longTermShareKey(key.keyId), blob },
          condition: { kind: 'absent' },
        });
        const item = { ...publicKeyKey(key.keyId), status: 'unconfirmed', content: JSON.stringify(key.content) };
        writes.push({ kind: 'put', table: 'Keys', item, condition: { kind: 'absent' } });
        // A second key of one asset would strand the tokens of the first, or let a serial be spent under each.
        if ('verificationKey' in key.content) {
          // The tables as they are now: locks in any others are not those of this key's epoch.
          const held = { ...ASSET_KEY, keyId: key.keyId, tables: await tablesOf(node.ports.store) };
          writes.push({ kind: 'put', table: 'Keys', item: held, condition: { kind: 'absent' } });
        }
        break;
      }
      case 'certify': {
        const item = { ...publicKeyKey(key.keyId), status: 'certified', certificate: JSON.stringify(key.certificate) };
        writes.push({ kind: 'put', table: 'Keys', item, condition: { kind: 'present' } });
        announcements.push(...addressAvailable(node, key.keyId, key.certificate));
        break;
      }
      case 'hide':
        writes.push({
          kind: 'put',
          table: 'Keys',
          item: { ...publicKeyKey(key.keyId), status: 'hidden' },
          condition: { kind: 'present' },
        });
        if (state.parameters.suite === COCONUT_SUITE) writes.push({ kind: 'delete', table: 'Keys', key: ASSET_KEY });
        break;
    }
  }
  if (transition.released.length > 0) {
    writes.push({ kind: 'check', table: 'Keys', key: HALT, condition: { kind: 'absent' } });
    writes.push({
      kind: 'check',
      table: 'Keys',
      key: POLICY,
      // The policy that was asked, not the one that is there: an old function does not release what the new policy forbids.
      condition: { kind: 'equals', attribute: 'version', value: policyHash(node.config.policies) },
    });
  }
  if (transition.released.length > 0 && state.kind === 'signing')
    writes.push(...(await binding(node, ceremony, state.parameters)));
  const bodies = [
    ...(await statementBodies(node, transition.outbox, secrets)),
    ...announcements,
    ...(await eventBodies(node, ceremony, transition.events, transition.evidence)),
  ];
  const stage = transition.outbox[0]?.stage ?? `version-${version}`;
  const rows = outboxRows(ceremony, stage, bodies, at, ttl);
  for (const item of rows) writes.push({ kind: 'put', table: 'Ceremonies', item, condition: { kind: 'absent' } });

  if (!previous?.stuck) await arm(node, ceremony, previous?.wakeAt, transition.wakeAt);
  const result = await transact(node, writes, token, ceremony);
  if (!result.committed) {
    if (previous && !previous.stuck && !result.failures.some(({ index }) => index === 0))
      await markStuck(node, ceremony, previous);
    return refused(node, writes, result);
  }
  if (previous?.stuck) await arm(node, ceremony, previous.wakeAt, transition.wakeAt);
  node.log('Stage', {
    ceremony,
    kind: state.kind,
    stage: state.stage,
    request: state.parameters.requestId,
    coin: node.config.coin,
  });
  await sendRows(node, rows, new Map());
  return { kind: 'committed', stored: { state, version, dataKey, token, wakeAt: transition.wakeAt, stuck: false } };
}

/** The delayed `Wake` goes out before the transaction: a spurious one is harmless, a missing one loses a ceremony. */
async function arm(
  node: Processor,
  ceremony: Hex,
  armed: number | undefined,
  wakeAt: number | undefined,
): Promise<void> {
  if (wakeAt === undefined || wakeAt === armed) return;
  await node.send([wakeMessage(node, ceremony, wakeAt)]);
}

/**
 * A refused step has sent a `Wake` for nothing, and that one would try it again, and send the next: from now on the ceremony is armed after its transaction.
 * Whoever moves it takes the mark away with the row.
 */
async function markStuck(node: Processor, ceremony: Hex, stored: Stored): Promise<void> {
  await mark(node, ceremony, stored, { stuck: true });
}

/** It was due for something that has passed by itself, and is due next then: until then it is not in the way of others that are due (seconds UTC). */
export async function postpone(node: Processor, ceremony: Hex, stored: Stored, wakeAt: number): Promise<void> {
  await mark(node, ceremony, stored, { wakeAt });
}

async function mark(
  node: Processor,
  ceremony: Hex,
  { version }: Stored,
  marks: { readonly stuck: true } | { readonly wakeAt: number },
): Promise<void> {
  const row = await node.ports.store.get('Ceremonies', stateKey(ceremony));
  if (!row) return;
  const condition = { kind: 'equals', attribute: 'version', value: version } as const;
  await node.ports.store.write({
    kind: 'put',
    table: 'Ceremonies',
    item: { ...row, version: version + 1, ...marks },
    condition,
  });
}

export function wakeMessage(node: Processor, ceremony: Hex, at: number): OutgoingMessage {
  const delaySeconds = Math.min(Math.max(at - node.now(), 0), MAX_DELAY_SECONDS);
  return {
    queue: topicQueue(node.config.identity, node.config.coin, 'Wake'),
    body: bodyOf('Wake', { ceremony }),
    delaySeconds,
  };
}

/** An answer that was lost is read back: the token in the state row says whether this very commit was applied. */
async function transact(
  node: Processor,
  writes: readonly Write[],
  token: string,
  ceremony: Hex,
): Promise<CommitResult> {
  try {
    return await node.ports.store.transact(writes, token);
  } catch (error) {
    if (!(error instanceof UnknownOutcome)) throw error;
    node.log('UnknownOutcome', { ceremony });
  }
  const applied = async () => (await loadState(node, ceremony))?.token === token;
  if (await applied()) return { committed: true };
  // The same writes under the same token: applied at most once, whichever of the two calls arrives.
  const again = await node.ports.store.transact(writes, token);
  return !again.committed && (await applied()) ? { committed: true } : again;
}

function refused(
  node: Processor,
  writes: readonly Write[],
  result: Extract<CommitResult, { committed: false }>,
): Committed {
  for (const { index } of result.failures) {
    const write = writes[index];
    if (write?.kind === 'check') {
      const by = write.key.sk === HALT.sk ? 'halt' : 'policy';
      node.log('ReleaseHeld', { by });
      return { kind: 'held', by };
    }
    if (write && isBinding(write)) {
      node.log('WithdrawalPaidOtherwise');
      return { kind: 'held', by: 'policy' };
    }
    if (write?.kind === 'delete') node.log('NonceConflictRefused');
  }
  return { kind: 'lost' };
}

async function secretWrite(
  node: Processor,
  ceremony: Hex,
  dataKey: Uint8Array,
  secret: SecretWrite,
  ttl: number,
): Promise<Write> {
  const key = secretKey(ceremony, secret.name);
  switch (secret.kind) {
    case 'create': {
      const blob = await node.vault.wrap({ kind: 'ceremony', id: ceremony }, dataKey, secret.name, secret.plaintext);
      secret.plaintext.fill(0);
      const item = { ...key, blob, ttl };
      return { kind: 'put', table: 'Nonces', item, condition: { kind: 'absent' } };
    }
    case 'consume':
      return { kind: 'delete', table: 'Nonces', key, condition: { kind: 'present' } };
    case 'forget':
      return { kind: 'delete', table: 'Nonces', key };
  }
}

/**
 * What was said is remembered in the table that no backup brings back: a `Ceremonies` table from before says nothing else in a place where something was said.
 * Shares of a key are left out: they follow from the polynomial, whose row is written once and whose commitments are remembered.
 *
 * What a ceremony may still say long after its end is remembered for ever: a state that comes back from a backup of last month would, once expired, abort what its
 * operator has confirmed.
 */
function saidOnce({ outbox, own }: Transition<CeremonyState>, ttl: number): Write[] {
  const said = new Map<string, Write>();
  for (const statement of [...outbox.map((each) => each.statement), ...own]) {
    if (statement.type === 'EncryptedKeyShare') continue;
    said.set(saidKey(statement.ceremony, statement).sk, saying(statement, ttl));
  }
  return [...said.values()];
}

function saying(statement: Statement, ttl: number): Write {
  const hash = statementHash(statement);
  return {
    kind: 'put',
    table: 'Nonces',
    item: { ...saidKey(statement.ceremony, statement), hash, ...(SAID_LATE.has(statement.type) ? {} : { ttl }) },
    condition: { kind: 'absentOrEquals', attribute: 'hash', value: hash },
  };
}

/** For what is said without a transition, as an answer to one peer. @returns whether it may be: nothing else was said in this place, in a life that `Ceremonies` may not remember */
export async function maySay(node: Processor, statement: Statement, expiresAt: number): Promise<boolean> {
  const { committed } = await node.ports.store.write(saying(statement, expiresAt + SECRET_TTL_SECONDS));
  if (!committed) node.log('CommitRefused', { ceremony: statement.ceremony, stage: statement.type });
  return committed;
}

/** Keeps a proof for ever. One that no row holds can only have been blown up by the culprit, and names nobody to others. */
export async function storeEvidence(
  node: Processor,
  ceremony: Hex,
  culprit: number,
  evidence: Evidence,
): Promise<void> {
  const text = evidenceText(evidence);
  if (text === undefined) return node.log('EvidenceTooLarge', { ceremony, culprit });
  const item: Item = { ...evidenceKey(ceremony, culprit), evidence: text };
  await node.ports.store.write({ kind: 'put', table: 'Ceremonies', item, condition: { kind: 'absent' } });
}

// ------------------------------------------------------------------------------------------------ outbox

/** The name a statement travels under to the own coordinator. */
export function outName(type: Exclude<StatementType, 'SignerReady'>): `${Exclude<StatementType, 'SignerReady'>}Out` {
  return `${type}Out`;
}

/** Bodies for the own coordinator: one for a statement of the general partition, one for each reader of a sealed one. */
async function statementBodies(node: Processor, outbox: readonly Outgoing[], secrets: SecretsOf): Promise<Body[]> {
  const queue = topicQueue(node.config.identity, node.config.coin, 'Outbound');
  const signatureKey = await secrets.own('SIGNATURE');
  const bodies = outbox.flatMap(({ statement, recipients, sealTo }): Promise<Body>[] => {
    if (statement.type === 'SignerReady') throw new Error('SignerReady is not a statement of a ceremony');
    const name = outName(statement.type);
    if (partitionOf(statement.type) === 'general') {
      return recipients.length > 0 ? [Promise.resolve({ queue, body: bodyOf(name, statement) })] : [];
    }
    return recipients.map(async (recipient) => {
      // Drawn before anything is awaited, so that one seed always gives the same bytes to the same reader.
      const randomness = node.random(32);
      const key = sealTo?.[recipient] ?? (await messagingKeyOf(node, recipient));
      const sealed = await sealStatement(statement, recipient, key, signatureKey.bytes, randomness, node.sealer);
      return { queue, body: bodyOf(name, sealed) };
    });
  });
  return together(bodies);
}

async function messagingKeyOf(node: Processor, index: number): Promise<Hex> {
  const row = await node.ports.store.get('Directory', peerKey(index));
  const key = row?.['pubkey'];
  if (typeof key !== 'string') throw new Error(`the messaging key of operator ${index} is not known yet`);
  return key as Hex;
}

function addressAvailable(node: Processor, keyId: Hex, certificate: Certificate): Body[] {
  const { identity, coin, outcomeQueue } = node.config;
  const announced = schemeOf(certificate.parameters.suite).announced(certificate);
  const body = bodyOf('PublicAddressAvailable', { coin, ...announced, keyId, certificate });
  const queues = [topicQueue(identity, coin, 'PublicAddressAvailable'), ...(outcomeQueue ? [outcomeQueue] : [])];
  return queues.map((queue) => ({ queue, body }));
}

/** Events for the client, with the proofs that are stored or are being stored, as far as a body can carry them. */
export async function eventBodies(
  node: Processor,
  ceremony: Hex,
  events: readonly MultisigEvent[],
  fresh: readonly Culprit[],
): Promise<Body[]> {
  const { outcomeQueue } = node.config;
  if (!outcomeQueue || events.length === 0) return [];
  const proofs = new Map<number, Evidence | undefined>(fresh.map(({ index, evidence }) => [index, evidence]));
  const blames = events.some((event) => blamed(event).some(({ index }) => !proofs.has(index)));
  if (blames) {
    for (const row of await node.ports.store.query('Ceremonies', ceremonyPartition(ceremony), 'EVIDENCE#')) {
      const index = Number(row.sk.slice('EVIDENCE#'.length));
      if (!proofs.has(index)) proofs.set(index, evidenceIn(row['evidence']));
    }
  }
  return events.map((event) => {
    for (const culprit of blamed(event)) {
      const evidence = proofs.get(culprit.index);
      if (evidence) culprit.evidence = evidence;
      // The rest of the proofs stay where the command line finds them; the names are never left out.
      if (utf8(JSON.stringify(event)).length > EVENT_BYTES) delete culprit.evidence;
    }
    return { queue: outcomeQueue, body: bodyOf('MultisigEvent', event) };
  });
}

function blamed(event: MultisigEvent): { index: number; evidence?: Culprit['evidence'] | undefined }[] {
  if ('KeygenOutcome' in event) return event.KeygenOutcome.culprits;
  if ('SigningOutcome' in event) return event.SigningOutcome.culprits;
  return [];
}

/** One row for each 350 KB of a transition's bodies, named after its first stage; a queue's name is stored once for each run of bodies. */
function outboxRows(ceremony: Hex, stage: string, bodies: readonly Body[], at: number, ttl: number): Item[] {
  const rows: Item[] = [];
  let chunk: Body[] = [];
  let size = 0;
  const close = () => {
    if (chunk.length === 0) return;
    const key = outboxKey(ceremony, stage, rows.length);
    rows.push({ ...key, queues: chunk.map((each) => each.queue), bodies: chunk.map((each) => each.body), at, ttl });
    chunk = [];
    size = 0;
  };
  for (const each of bodies) {
    const bytes = utf8(each.body).length + each.queue.length;
    if (size + bytes > OUTBOX_ROW_BYTES) close();
    chunk.push(each);
    size += bytes;
  }
  close();
  return rows;
}

/** Sends what is not marked as sent, then marks it. Throws if anything was refused, so that whoever caused it comes again. */
async function sendRows(
  node: Processor,
  rows: readonly Item[],
  sent: ReadonlyMap<string, ReadonlySet<number>>,
): Promise<void> {
  const pending = rows.flatMap((row) => {
    const done = sent.get(sentKey(row).sk);
    const queues = row['queues'] as readonly QueueName[];
    return (row['bodies'] as readonly string[]).flatMap((body, position) => {
      const queue = queues[position];
      return done?.has(position) || !queue ? [] : [{ row, position, message: { queue, body } }];
    });
  });
  if (pending.length === 0) return;
  const refused = new Set(await node.ports.bus.send(pending.map((each) => each.message)));
  const accepted = new Map<Item, Set<number>>();
  for (const [index, { row, position }] of pending.entries()) {
    if (refused.has(index)) continue;
    const positions = accepted.get(row) ?? new Set<number>();
    accepted.set(row, positions.add(position));
  }
  await together(
    [...accepted].map(([row, positions]) =>
      node.ports.store.addToSet(
        'Ceremonies',
        sentKey(row),
        positions,
        typeof row['ttl'] === 'number' ? { ttl: row['ttl'] } : {},
      ),
    ),
  );
  reportWaiting(
    node,
    [...refused].flatMap((index) => pending[index]?.row ?? []),
  );
  if (refused.size > 0) throw new SendRefused([...refused].map((index) => pending[index]?.message.queue ?? ''));
}

/** How long the oldest of these rows waits for a queue to take what it holds. */
function reportWaiting(node: Processor, rows: readonly Item[]): void {
  const oldest = Math.min(...rows.flatMap((row) => (typeof row['at'] === 'number' ? row['at'] : [])));
  if (!Number.isFinite(oldest)) return;
  node.log('OutboxWaits', { messages: rows.length, seconds: Math.max(0, node.now() - Math.floor(oldest / 1000)) });
}

/** Sends the stored bytes that are not marked as sent: after a crash between commit and send, or a refused send. */
export async function resend(node: Processor, ceremony: Hex): Promise<void> {
  const partition = ceremonyPartition(ceremony);
  const [rows, marks] = await together([
    node.ports.store.query('Ceremonies', partition, 'OUT#'),
    node.ports.store.query('Ceremonies', partition, 'SENT#'),
  ]);
  await sendRows(node, rows, new Map(marks.map((mark) => [mark.sk, mark['members'] as ReadonlySet<number>])));
}
