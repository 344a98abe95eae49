/** The rows that tell what of an asset is in circulation, as one signing service has seen it. */
import type { Committee } from '../messages/committee.ts';
import type { Item } from '../ports.ts';
import { logBetween, secondsOf, type Told, toldBy } from '../signing-service/gossip.ts';
import { refusedKey, supplyKey } from '../signing-service/rows.ts';
import { type Supply, supplyOf, withRows } from '../signing-service/supply.ts';
import type { CoinRows } from './committee-rows.ts';
import type { Reader } from './reader.ts';

/** Before the first wake-up nothing is added up, and the log begins within a day of it. */
const FIRST_DAY_SECONDS = 86_400;
/** Of one look. */
const MOST_ROWS = 10_000;

export interface AssetRows {
  /** The service, as a processor: its key, its peers, its ceremonies. */
  readonly service: CoinRows;
  readonly terms: Committee['file']['assets'][string] | undefined;
  readonly supply: Supply;
  /** By peer: when its service told last of what was spent. */
  readonly told: ReadonlyMap<number, Told>;
  /** By reason. */
  readonly refused: ReadonlyMap<string, number>;
}

/** @param now seconds UTC. Reads two rows, one for each peer, and the log of the hours that are not added up yet: mostly one. */
export async function readAsset(service: CoinRows, reader: Reader, now: number): Promise<AssetRows> {
  const asset = service.coin;
  const terms = service.committee?.file.assets[asset];
  if (!terms) return { service, terms, supply: supplyOf(undefined, now), told: new Map(), refused: new Map() };
  const { epoch } = terms;
  const [tally, refused, told] = await Promise.all([
    reader.get('Issuance', supplyKey(asset, epoch)),
    reader.get('Issuance', refusedKey(asset, epoch)),
    toldBy(reader, { asset, epoch }),
  ]);
  const settled = supplyOf(tally, now - FIRST_DAY_SECONDS);
  const counts = Object.entries(refused ?? {}).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number' && entry[0] !== 'version',
  );
  return {
    service,
    terms,
    supply: await lately(reader, { asset, epoch }, settled, now),
    told,
    refused: new Map(counts),
  };
}

/** What came since it was added up: all of it, or up to the second at which it is too much to look through. */
async function lately(
  reader: Reader,
  place: { readonly asset: string; readonly epoch: number },
  settled: Supply,
  now: number,
): Promise<Supply> {
  const rows: Item[] = [];
  for await (const page of logBetween(reader, place, settled.upTo, now)) {
    rows.push(...page);
    // Whoever pays himself again and again fills the log for nothing: the next scheduled wake-up adds it up.
    if (rows.length > MOST_ROWS) return withRows(settled, rows, secondsOf(rows.at(-1)) - 1);
  }
  return withRows(settled, rows, now);
}
