/**
 * How lists of spent serials converge: certificates, which prove themselves, are sent to every peer, and asked for by a service that may lack some. Nobody has to
 * trust the list of anybody. What is *locked* at a peer cannot be learnt like this, which is why a service that lost its locks never votes again.
 */
import { fromHex, type Hex, toHex } from '../messages/hex.ts';
import type { VoteCertificate } from '../messages/tokens.ts';
import type { Item, Key, QueryPage, Store } from '../ports.ts';
import { parseCertificateBytes } from './certificate.ts';
import {
  certificateKey,
  gossipPartition,
  LOG_SECONDS,
  logPartition,
  logSecond,
  positionKey,
  serialKey,
  TOLD,
  toldKey,
} from './rows.ts';
import { decodeState } from './serial.ts';

/** Certificates of one statement. */
export const CERTIFICATES_A_STATEMENT = 16;
/** Statements of one page of the log: what one question of a peer gives rise to, and the next one goes on from there. */
export const STATEMENTS_AT_ONCE = 8;
/** A row carries the second at which its function began to write it, and a function lives for a minute: what is older is complete. */
export const SETTLED_SECONDS = 120;
/** Hours of the log that are read at once; who is further behind goes on from there. */
const HOURS_AT_ONCE = 240;
/** Rows of one read: whoever pays himself again and again pays nothing for them, so an hour has as many as somebody likes. */
const ROWS_A_READ = 1_000;
/** Less than the 15 minutes between two wake-ups, so that each of a peer's is seen; its other statements of the same one cost no write. */
const TOLD_SECONDS = 600;

export interface Page {
  /** Canonical bytes. */
  readonly certificates: readonly Hex[];
  /** Seconds: everything that was spent here up to then has been said. */
  readonly upTo: number;
}

interface Place {
  readonly asset: string;
  readonly epoch: number;
}

/**
 * The certificates of serials spent here after a time, oldest first, as many as may be said at once.
 * @param which `brought`: by gateways, and not by peers, who have said them themselves
 */
export async function spentSince(
  store: Store,
  { asset, epoch }: Place,
  asked: number,
  now: number,
  which: 'all' | 'brought' = 'all',
): Promise<Page> {
  const settled = now - SETTLED_SECONDS;
  // Before the first row there is nothing to look for: an epoch of a year has thousands of hours.
  const after = Math.max(asked, await beginning(store, { asset, epoch }, now));
  const most = CERTIFICATES_A_STATEMENT * STATEMENTS_AT_ONCE;
  const rows: Item[] = [];
  const first = Math.floor((after + 1) / LOG_SECONDS) * LOG_SECONDS;
  let upTo = Math.max(after, Math.min(settled, first + HOURS_AT_ONCE * LOG_SECONDS - 1));
  for await (const read of logBetween(store, { asset, epoch }, after, upTo, 2 * most)) {
    for (const row of read) if (which === 'all' || row['how'] === which) rows.push(row);
    // More than a page, and all of the second that it is cut at.
    if (rows.length > most && secondsOf(rows.at(-1)) > secondsOf(rows[most])) break;
  }
  if (rows.length > most) {
    // Whole seconds only, so that the position loses nothing; unless one second alone is more than a page.
    const cut = secondsOf(rows[most]);
    const whole = rows.filter((row) => secondsOf(row) < cut);
    const page = whole.length > 0 ? whole : rows.filter((row) => secondsOf(row) === cut);
    upTo = whole.length > 0 ? cut - 1 : cut;
    return { certificates: page.map(bytesOf), upTo };
  }
  return { certificates: rows.map(bytesOf), upTo };
}

/** The partitions of the log from one time to another, both seconds, oldest first. */
function logPartitions({ asset, epoch }: Place, after: number, upTo: number): readonly string[] {
  const partitions: string[] = [];
  for (let hour = Math.floor((after + 1) / LOG_SECONDS) * LOG_SECONDS; hour <= upTo; hour += LOG_SECONDS)
    partitions.push(logPartition(asset, epoch, hour));
  return partitions;
}

/** Rows of the log after one second and not after another, oldest first, some at a time. @param limit of one read, 1 to 1,000 */
export async function* logBetween(
  store: { query(table: 'Issuance', pk: string, prefix: string, page: QueryPage): Promise<readonly Item[]> },
  place: Place,
  after: number,
  upTo: number,
  limit = ROWS_A_READ,
): AsyncGenerator<readonly Item[]> {
  for (const partition of logPartitions(place, after, upTo)) {
    for (let from: string | undefined = logSecond(after + 1); from !== undefined; ) {
      const page = { after: from, limit };
      const read: readonly Item[] = await store.query('Issuance', partition, '', page);
      from = read.length < limit ? undefined : read.at(-1)?.sk;
      const rows = read.filter((row) => secondsOf(row) <= upTo);
      if (rows.length > 0) yield rows;
      if (rows.length < read.length) return;
    }
  }
}

/** The certificates under which these tags are spent here; of at most 256 tags. */
export async function spentUnder(store: Store, { asset, epoch }: Place, tags: readonly Hex[]): Promise<readonly Hex[]> {
  const keys = tags.map((tag) => serialKey({ kind: 'tag', asset, epoch, tag }));
  const states = (await store.batchGet('Serials', keys)).map((row) => decodeState(row['state']));
  const ids = new Set(states.flatMap((state) => (state.kind === 'spent' ? [state.by] : [])));
  const rows = await store.batchGet('Issuance', [...ids].map(certificateKey));
  return rows.map(bytesOf);
}

/** Certificates as they travel. */
export function parseCertificates(certificates: readonly Hex[]): readonly VoteCertificate[] {
  return certificates.flatMap((bytes) => parseCertificateBytes(fromHex(bytes)) ?? []);
}

export function inStatements(certificates: readonly Hex[]): readonly (readonly Hex[])[] {
  const count = Math.ceil(certificates.length / CERTIFICATES_A_STATEMENT);
  return Array.from({ length: count }, (_, i) =>
    certificates.slice(i * CERTIFICATES_A_STATEMENT, (i + 1) * CERTIFICATES_A_STATEMENT),
  );
}

/** A day before this service first asked: it is asked every quarter of an hour from its deployment on. */
export async function beginning(store: Store, { asset, epoch }: Place, now: number): Promise<number> {
  const key = positionKey(asset, epoch, 0);
  const known = (await store.get('Issuance', key))?.['at'];
  if (typeof known === 'number') return known;
  const at = now - 24 * LOG_SECONDS;
  await store.write({ kind: 'put', table: 'Issuance', item: { ...key, at }, condition: { kind: 'absent' } });
  return at;
}

/** What has come from one peer into these tables (`tablesOf`): others, as a restored one, lack it, and it is asked for again. */
export interface From {
  readonly peer: number;
  readonly tables: string;
}

/** How far certificates were sent, or have come from one peer: seconds of whoever spent. */
export async function position(store: Store, { asset, epoch }: Place, from?: From): Promise<number | undefined> {
  const row = await store.get('Issuance', positionKey(asset, epoch, from?.peer));
  const at = row?.['at'];
  return typeof at === 'number' && row?.['tables'] === from?.tables ? at : undefined;
}

export async function movePosition(store: Store, place: Place, at: number, from?: From): Promise<void> {
  const before = await position(store, place, from);
  if (before !== undefined && before >= at) return;
  const key: Key = positionKey(place.asset, place.epoch, from?.peer);
  await store.write({ kind: 'put', table: 'Issuance', item: { ...key, at, ...(from ? { tables: from.tables } : {}) } });
}

// ------------------------------------------------------------------------------------------------ who tells

/** Seconds UTC. */
export interface Told {
  readonly since: number;
  readonly at: number;
}

/** One write in {@link TOLD_SECONDS} for each peer at most. For people to see: one that is lost to a race says nothing else than the other. */
export async function noteTold(store: Store, { asset, epoch }: Place, peer: number, now: number): Promise<void> {
  const key = toldKey(asset, epoch, peer);
  const before = toldIn(await store.get('Issuance', key));
  if (before && now < before.at + TOLD_SECONDS) return;
  await store.write({
    kind: 'put',
    table: 'Issuance',
    item: { ...key, since: before?.since ?? now, at: now },
    condition: before ? { kind: 'equals', attribute: 'at', value: before.at } : { kind: 'absent' },
  });
}

/** By the index of the peer. */
export async function toldBy(
  store: { query(table: 'Issuance', pk: string, prefix: string): Promise<readonly Item[]> },
  { asset, epoch }: Place,
): Promise<ReadonlyMap<number, Told>> {
  const rows = await store.query('Issuance', gossipPartition(asset, epoch), TOLD);
  return new Map(
    rows.flatMap((row) => {
      const told = toldIn(row);
      return told ? [[Number(row.sk.slice(TOLD.length)), told] as const] : [];
    }),
  );
}

function toldIn(row: Item | undefined): Told | undefined {
  const [since, at] = [row?.['since'], row?.['at']];
  return typeof since === 'number' && typeof at === 'number' ? { since, at } : undefined;
}

/**
 * Services that have told of nothing while t − 1 other peers, who with this one are enough to issue, have told of something for longer than `lately`. Wallets ask all services, so a service
 * that runs had something to tell, too. Where nobody pays nobody tells, and nothing follows. Unless all are needed, t − 1 is more than f (2t > n + f): f liars do not make another look silent.
 *
 * @param peers all other services of the asset @param t 2 or more @param lately seconds
 * @returns ascending
 */
export function silentBeside(
  told: ReadonlyMap<number, Told>,
  peers: readonly number[],
  t: number,
  lately: number,
): readonly number[] {
  // Who has never told is measured from when the others began to.
  const begun = Math.min(...[...told.values()].map(({ since }) => since));
  return peers.filter((index) => {
    const last = told.get(index)?.at ?? begun;
    const later = peers.filter((other) => other !== index && (told.get(other)?.at ?? 0) >= last + lately);
    return later.length >= Math.max(1, t - 1);
  });
}

/** When a row of the log was written, seconds UTC. */
export function secondsOf(row: Item | undefined): number {
  return Number(row?.sk.split('#')[0]);
}

function bytesOf(row: Item): Hex {
  return toHex(row['bytes'] as Uint8Array);
}
