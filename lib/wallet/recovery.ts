/**
 * What services have stored of a wallet's transactions (`RecoverIssued`), put together. Of any t services one at least is honest and saw whatever t others voted for, since 2t > n + f:
 * so t answers miss nothing that was certified. What they say proves itself or is tried again: a service alone can hide nothing and invent nothing.
 */
import { randomBytes } from '@noble/hashes/utils.js';
import { readTransaction, type Transaction, transactionId } from '../coconut/transaction-bytes.ts';
import { fromHex, type Hex } from '../messages/hex.ts';
import type { Issued, VoteCertificate } from '../messages/tokens.ts';
import { certifies } from '../signing-service/certificate.ts';
import { ask } from './gateway.ts';
import { expectedVote, type Phases } from './phases.ts';

/** Fewer than t services said what they have: nobody knows whether that is all. */
export class RecoveryIncomplete extends Error {
  readonly kind = 'RecoveryIncomplete';
  /** Services that did not answer, or not with all parts. */
  readonly unresponsive: readonly number[];

  constructor(t: number, got: number, unresponsive: readonly number[]) {
    super(`expected ${t} services to say what they have stored, got ${got}`);
    this.unresponsive = unresponsive;
  }
}

export interface Found {
  readonly id: Hex;
  readonly transaction: Transaction;
  /** t votes, if any service has them; nothing where it is only locked. */
  readonly certificate: VoteCertificate | undefined;
}

/** Ids of one request. */
const MOST_IDS = 128;

/** @param by tags (48 bytes each) of tokens, or ids (32) of outputs @throws {RecoveryIncomplete} */
export async function recover(
  phases: Phases,
  by: { readonly tags: readonly Hex[] } | { readonly outputs: readonly Hex[] },
): Promise<readonly Found[]> {
  const [field, ids] = 'tags' in by ? (['tags', by.tags] as const) : (['outputs', by.outputs] as const);
  const found = new Map<Hex, Found>();
  for (let from = 0; from < ids.length; from += MOST_IDS)
    await recoverSome(phases, { [field]: ids.slice(from, from + MOST_IDS) }, found);
  return [...found.values()];
}

async function recoverSome(phases: Phases, question: object, found: Map<Hex, Found>): Promise<void> {
  const { services, quorum } = phases;
  const parts = new Map<number, Set<number>>();
  const whole = new Set<number>();
  // Another key each time, hedged by nothing: parts of an answer of today must not be taken for parts of an earlier one's.
  const fresh = () => randomBytes(32);
  const enough = () => whole.size >= quorum.t;
  for await (const { index, part, parts: of, issued } of ask(phases, 'RecoverIssued', question, fresh, enough)) {
    const got = parts.get(index) ?? new Set<number>();
    parts.set(index, got.add(part));
    if (got.size === of) whole.add(index);
    for (const each of issued) take(phases, each as Issued, found);
    if (whole.size === services.length) break;
  }
  if (whole.size < quorum.t)
    throw new RecoveryIncomplete(
      quorum.t,
      whole.size,
      services.filter((index) => !whole.has(index)),
    );
}

function take({ quorum }: Phases, { transaction: bytes, certificate }: Issued, found: Map<Hex, Found>): void {
  const reading = readTransaction(fromHex(bytes));
  if (!reading.ok) return;
  const { transaction } = reading;
  const id = transactionId(transaction);
  const known = found.get(id);
  if (known?.certificate) return;
  const vote = JSON.stringify(expectedVote(transaction));
  const good = certificate && JSON.stringify(inOrder(certificate)) === vote && certifies(quorum, certificate);
  if (!known || good) found.set(id, { id, transaction, certificate: good ? certificate : undefined });
}

/** Fields as {@link expectedVote} has them. */
function inOrder({ vote: { transaction, tags, deposits, withdraw } }: VoteCertificate): object {
  return { transaction, tags, deposits, withdraw };
}
