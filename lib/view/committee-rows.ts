/** The rows that tell how an operator's part of a committee stands. */
import { type Certificate, certificateSchema } from '../messages/certificate.ts';
import { type Committee, parseCommittee } from '../messages/committee.ts';
import type { Evidence } from '../messages/evidence.ts';
import type { Hex } from '../messages/hex.ts';
import { COORDINATOR_SEGMENT } from '../messages/topics.ts';
import { COMMITTEE, HALT, OWN_KEYS, PEERS, POLICY, publicKeyKey, READY, strayPartition } from '../node/rows.ts';
import type { Item } from '../ports.ts';
import { isOpen } from './ceremony.ts';
import { readEvidence, readHeard, type Said, type StateRow, stateRow } from './ceremony-rows.ts';
import { type Stray, straysOf } from './pending.ts';
import type { Reader } from './reader.ts';

/** Ceremonies whose statements are looked at to learn who spoke lately. */
const LISTENED = 10;
/** State rows read at most; a table that holds more shows some of them. */
const MOST_STATES = 1_000;

export interface KeyRow {
  readonly keyId: Hex;
  readonly status: 'unconfirmed' | 'certified' | 'hidden';
  readonly certificate: Certificate | undefined;
}

/** Seconds UTC. */
export interface Greeted {
  /** The last greeting that came, whole. */
  readonly at: number | undefined;
  /** Since when the own coordinator asks in vain. */
  readonly missed: number | undefined;
}

export interface CoinRows {
  readonly coin: string;
  readonly started: boolean;
  /** The file that this processor has accepted. */
  readonly committee: Committee | undefined;
  readonly ready: boolean;
  readonly haltedSince: number | undefined;
  /** The policy version that is in force. */
  readonly policy: string | undefined;
  /** Indexes of peers whose messaging key is here. */
  readonly peers: readonly number[];
  readonly keys: readonly KeyRow[];
  /** Newest first. */
  readonly states: readonly StateRow[];
  /** What was recorded of the latest ceremonies. */
  readonly heard: ReadonlyMap<Hex, readonly Said[]>;
  readonly strays: readonly Stray[];
  /** By peer: what its coordinator's greetings say. */
  readonly greeted: ReadonlyMap<number, Greeted>;
  /** Proofs that are stored with the latest ceremonies, not judged yet. */
  readonly evidence: readonly Evidence[];
}

/** @param now seconds UTC @param readerOf a segment's rows: a coin's, or the coordinator's */
export async function readCoin(
  coin: string,
  readerOf: (segment: string) => Reader,
  now: number,
  which: 'open' | 'all' = 'all',
): Promise<CoinRows> {
  const reader = readerOf(coin);
  const [own, file, ready, halt, policy, peers, directory, items] = await Promise.all([
    reader.get('Directory', OWN_KEYS),
    reader.get('Directory', COMMITTEE),
    reader.get('Directory', READY),
    reader.get('Keys', HALT),
    reader.get('Keys', POLICY),
    reader.query('Directory', PEERS),
    readerOf(COORDINATOR_SEGMENT).query('Directory', `COIN#${coin}`),
    reader.states(which, MOST_STATES),
  ]);
  const committee = committeeOf(file);
  const states = items
    .flatMap((item) => stateRow(item) ?? [])
    .sort((a, b) => (b.at ?? 0) - (a.at ?? 0) || (a.state.ceremony < b.state.ceremony ? -1 : 1));
  const keyIds = new Set<Hex>(under('ADDRESS#', directory).map(([keyId]) => keyId as Hex));
  for (const { state } of states) if (state.kind === 'keygen' && 'keyId' in state) keyIds.add(state.keyId);
  const indexes = committee?.signersOf(coin) ?? [];
  const latest = states.slice(0, LISTENED).map(({ state }) => state);
  const [keys, heard, strays, evidence] = await Promise.all([
    Promise.all([...keyIds].sort().map(async (keyId) => keyRow(keyId, await reader.get('Keys', publicKeyKey(keyId))))),
    Promise.all(latest.map(async ({ ceremony, kind }) => [ceremony, await readHeard(reader, ceremony, kind)] as const)),
    Promise.all(
      indexes.map(async (index) => straysOf(index, await reader.query('Ceremonies', strayPartition(index)), now)),
    ),
    Promise.all(latest.map(({ ceremony }) => readEvidence(reader, ceremony))),
  ]);
  const since = halt?.['since'];
  const version = policy?.['version'];
  return {
    coin,
    started: own !== undefined,
    committee,
    ready: ready !== undefined,
    haltedSince: halt ? (typeof since === 'number' ? since : now) : undefined,
    policy: typeof version === 'string' ? version : undefined,
    peers: peers.map(({ sk }) => Number(sk)),
    keys: keys.flatMap((key) => key ?? []),
    states,
    heard: new Map(heard),
    strays: strays.flat(),
    greeted: new Map(under('HEARD#', directory).map(([index, row]) => [Number(index), greetedIn(row)])),
    evidence: evidence.flat().map((each) => each.evidence),
  };
}

/** Rows of one kind, by what stands after it in their key. */
function under(prefix: string, rows: readonly Item[]): [string, Item][] {
  return rows.filter(({ sk }) => sk.startsWith(prefix)).map((row) => [row.sk.slice(prefix.length), row]);
}

function greetedIn({ at, missed }: Item): Greeted {
  return {
    at: typeof at === 'number' ? at : undefined,
    missed: typeof missed === 'number' ? missed : undefined,
  };
}

/** @returns nothing for no row, or for one that holds no committee file */
export function committeeOf(row: Item | undefined): Committee | undefined {
  const parsed = parseCommittee(row?.['text']);
  return parsed.ok ? parsed.committee : undefined;
}

/** Ceremonies that the own client has authorised. */
export function authorisedOf(states: readonly StateRow[]): ReadonlySet<Hex> {
  return new Set(
    states
      .filter(({ state }) =>
        state.stage === 'LeadingOnly' ? false : isOpen(state) || !('authorised' in state) || state.authorised,
      )
      .map(({ state }) => state.ceremony),
  );
}

function keyRow(keyId: Hex, row: Item | undefined): KeyRow | undefined {
  const status = row?.['status'];
  if (status !== 'unconfirmed' && status !== 'certified' && status !== 'hidden') return undefined;
  const text = row?.['certificate'];
  const parsed = typeof text === 'string' ? certificateSchema.safeParse(JSON.parse(text)) : undefined;
  return { keyId, status, certificate: parsed?.data };
}
