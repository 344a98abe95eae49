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
import { type Asked, ask } from './gateway.ts';
import { expectedVote } from './phases.ts';

/** Fewer than t services said what they have: nobody knows whether that is all. */
export class RecoveryIncomplete extends Error {
  readonly kind = 'RecoveryIncomplete';
  /** Services that did not answer, or not with all parts. */
  readonly unresponsive: readonly number[];
  /** Services whose tables were restored or copied: what they have is used, and is not known to be all. */
  readonly readOnly: readonly number[];

  constructor(t: number, got: number, unresponsive: readonly number[], readOnly: readonly number[]) {
    const restored =
      readOnly.length > 0 ? `; of tables that were restored since the key was made: ${readOnly.join(', ')}` : '';
    super(`expected ${t} services to say all that they have stored, got ${got}${restored}`);
    this.unresponsive = unresponsive;
    this.readOnly = readOnly;
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
export async function recover(asked: Asked, by: By): Promise<readonly Found[]> {
  const [field, ids] = 'tags' in by ? (['tags', by.tags] as const) : (['outputs', by.outputs] as const);
  const found = new Map<Hex, Found>();
  for (let from = 0; from < ids.length; from += MOST_IDS)
    await recoverSome(asked, { [field]: ids.slice(from, from + MOST_IDS) }, found);
  return [...found.values()];
}

async function recoverSome(asked: Asked, question: object, found: Map<Hex, Found>): Promise<void> {
  const { keys, t } = asked.quorum;
  const services = [...keys.keys()];
  const told = new Set<number>();
  const readOnly = new Set<number>();
  let asking = new Map<number, RecoveryPlace | undefined>(services.map((index) => [index, undefined]));
  for (let [all, more] = [0, 0]; all < MOST_PAGES && more < MORE_PAGES && asking.size > 0; all++) {
    if (told.size >= t) more++;
    const next = new Map<number, RecoveryPlace | undefined>();
    for (const [after, those] of grouped(asking)) {
      const pages = await page(asked, { ...question, ...(after ? { after } : {}) }, those, found);
      for (const [index, { next: place, readOnly: restored }] of pages) {
        if (restored) readOnly.add(index);
        else if (!place) told.add(index);
        // A service that does not get on has nothing more to say.
        if (place && isBehind(place, after)) next.set(index, place);
      }
    }
    asking = next;
  }
  if (told.size < t)
    throw new RecoveryIncomplete(
      t,
      told.size,
      services.filter((index) => !told.has(index) && !readOnly.has(index)),
      [...readOnly],
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

/** The end of one service's page. */
interface PageEnd {
  /** Where it goes on; nothing where that was all. */
  readonly next: RecoveryPlace | undefined;
  /** What this service says is not known to be all that it once had stored. */
  readonly readOnly: boolean;
}

/** One page of each of these services. @returns of those that told all of it */
async function page(
  asked: Asked,
  question: object,
  services: readonly number[],
  found: Map<Hex, Found>,
): Promise<ReadonlyMap<number, PageEnd>> {
  const parts = new Map<string, Set<number>>();
  const whole = new Map<number, PageEnd>();
  // Another key each time, hedged by nothing: parts of an answer of today must not be taken for parts of an earlier one's.
  const keyFor = () => randomBytes(32);
  const complete = () => [...whole.values()].filter(({ readOnly }) => !readOnly).length;
  const enough = () => whole.size === services.length || complete() >= asked.quorum.t;
  for await (const answer of ask(asked, 'RecoverIssued', question, keyFor, enough, services)) {
    const { index, part, parts: of, list, issued, next, readOnly = false } = answer;
    // A question that was delivered twice is answered twice, and parts of both together may be the whole of neither.
    const name = `${index} ${list} ${of}`;
    const got = parts.get(name) ?? new Set<number>();
    parts.set(name, got.add(part));
    if (got.size === of && !whole.has(index)) whole.set(index, { next, readOnly });
    for (const each of issued) take(asked, each as Issued, found);
    if (whole.size === services.length) break;
  }
  return whole;
}

function take({ quorum }: Asked, { transaction: bytes, certificate }: Issued, found: Map<Hex, Found>): void {
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
