/**
 * What services have stored of a wallet's transactions (`RecoverIssued`), put together. Of any t services one at least is honest and saw whatever t others voted for, since 2t > n + f:
 * so t answers miss nothing that was certified. Each answer is signed: nobody answers for another, and f services that hide what they have hide nothing.
 *
 * Anybody who has seen an output can put it into transactions of its own, so what is stored under one has no bound: services tell a page at a time, and are asked until they have told
 * everything. What is certified comes first.
 */
import { randomBytes } from '@noble/hashes/utils.js';
import { readTransaction, type Transaction, transactionId } from '../coconut/transaction-bytes.ts';
import { fromHex, type Hex } from '../messages/hex.ts';
import type { Issued, RecoveryPlace, VoteCertificate } from '../messages/tokens.ts';
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
/** Pages of the services that are still telling when t have told everything: one that lies could tell for ever. */
const MORE_PAGES = 4;
/** Pages of one request, of 32 transactions each: more than that one payee was never paid, nor was worth anybody's tokens to look as if. */
const MOST_PAGES = 4_096;

type By = { readonly tags: readonly Hex[] } | { readonly outputs: readonly Hex[] };

/** @param by tags (48 bytes each) of tokens, or ids (32) of outputs @throws {RecoveryIncomplete} */
export async function recover(phases: Phases, by: By): Promise<readonly Found[]> {
  const [field, ids] = 'tags' in by ? (['tags', by.tags] as const) : (['outputs', by.outputs] as const);
  const found = new Map<Hex, Found>();
  for (let from = 0; from < ids.length; from += MOST_IDS)
    await recoverSome(phases, { [field]: ids.slice(from, from + MOST_IDS) }, found);
  return [...found.values()];
}

async function recoverSome(phases: Phases, question: object, found: Map<Hex, Found>): Promise<void> {
  const { keys, t } = phases.quorum;
  const services = [...keys.keys()];
  const told = new Set<number>();
  let asking = new Map<number, RecoveryPlace | undefined>(services.map((index) => [index, undefined]));
  for (let [all, more] = [0, 0]; all < MOST_PAGES && more < MORE_PAGES && asking.size > 0; all++) {
    if (told.size >= t) more++;
    const next = new Map<number, RecoveryPlace | undefined>();
    for (const [after, those] of grouped(asking)) {
      const pages = await page(phases, { ...question, ...(after ? { after } : {}) }, those, found);
      for (const [index, place] of pages) {
        if (!place) told.add(index);
        // A service that does not get on has nothing more to say.
        else if (isBehind(place, after)) next.set(index, place);
      }
    }
    asking = next;
  }
  if (told.size < t)
    throw new RecoveryIncomplete(
      t,
      told.size,
      services.filter((index) => !told.has(index)),
    );
}

/** Services that have to be asked the same: at first all, and later those that have come to the same place. */
function grouped(
  asking: ReadonlyMap<number, RecoveryPlace | undefined>,
): readonly (readonly [RecoveryPlace | undefined, readonly number[]])[] {
  const groups = new Map<string, [RecoveryPlace | undefined, number[]]>();
  for (const [index, place] of asking) {
    const name = place ? `${place.certified} ${place.output} ${place.transaction}` : '';
    const group = groups.get(name);
    if (group) group[1].push(index);
    else groups.set(name, [place, [index]]);
  }
  return [...groups.values()];
}

/** Of one list; which list comes after which is the order of the outputs that were asked for. */
function isBehind(place: RecoveryPlace, after: RecoveryPlace | undefined): boolean {
  if (!after || place.output !== after.output) return true;
  return place.certified === after.certified ? place.transaction > after.transaction : after.certified;
}

/** One page of each of these services. @returns of those that told all of it, where it ended; nothing where that was the end */
async function page(
  phases: Phases,
  question: object,
  services: readonly number[],
  found: Map<Hex, Found>,
): Promise<ReadonlyMap<number, RecoveryPlace | undefined>> {
  const parts = new Map<number, Set<number>>();
  const whole = new Map<number, RecoveryPlace | undefined>();
  // Another key each time, hedged by nothing: parts of an answer of today must not be taken for parts of an earlier one's.
  const keyFor = () => randomBytes(32);
  const enough = () => whole.size >= Math.min(phases.quorum.t, services.length);
  for await (const answer of ask(phases, 'RecoverIssued', question, keyFor, enough, services)) {
    const { index, part, parts: of, issued, next } = answer;
    const got = parts.get(index) ?? new Set<number>();
    parts.set(index, got.add(part));
    if (got.size === of) whole.set(index, next);
    for (const each of issued) take(phases, each as Issued, found);
    if (whole.size === services.length) break;
  }
  return whole;
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
