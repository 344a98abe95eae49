/** The log of certificates, which anybody fills who pays himself: however long an hour of it is, it is read a page at a time. */
import { describe, expect, test } from 'vitest';
import type { Item, Store } from '../../lib/ports.ts';
import { spentSince } from '../../lib/signing-service/gossip.ts';
import { logKey, logPartition, positionKey } from '../../lib/signing-service/rows.ts';
import { addUp } from '../../lib/signing-service/supply.ts';
import type { CoinRows } from '../../lib/view/committee-rows.ts';
import type { Reader } from '../../lib/view/reader.ts';
import { readAsset } from '../../lib/view/tokens-rows.ts';
import { id32 } from './plain.ts';

const PLACE = { asset: 'usd', epoch: 3 };
const HOUR = 3_600_000;
/** More than a call takes arguments. */
const ROWS = 130_000;
const ID = id32('a transaction');

/** 65 rows a second from the beginning of an hour on, and how many of them one call was given at most. */
function full(rows: number): { readonly store: Store; readonly most: () => number; readonly put: Item[] } {
  const log = Array.from({ length: rows }, (_, k): Item => {
    const { pk, sk } = logKey(PLACE.asset, PLACE.epoch, HOUR + Math.floor(k / 65), ID);
    const place = `${sk}${`${k % 65}`.padStart(2, '0')}`;
    return { pk, sk: place, bytes: new Uint8Array(1), how: 'brought', issued: '1', redeemed: '0' };
  });
  const put: Item[] = [];
  let most = 0;
  const store = {
    get: async (_: string, { pk, sk }: Item) =>
      sk === positionKey(PLACE.asset, PLACE.epoch, 0).sk && pk.startsWith('GOSSIP')
        ? ({ pk, sk, at: HOUR - 1 } as Item)
        : undefined,
    query: async (_: string, pk: string, __ = '', page?: { after?: string; limit: number }) => {
      if (pk !== logPartition(PLACE.asset, PLACE.epoch, HOUR)) return [];
      const { after = '', limit = Number.POSITIVE_INFINITY } = page ?? {};
      const from = log.findIndex(({ sk }) => sk > after);
      const found = from < 0 ? [] : log.slice(from, from + limit);
      most = Math.max(most, found.length);
      return found;
    },
    write: async ({ item }: { item: Item }) => {
      put.push(item);
      return { committed: true };
    },
  } as unknown as Store;
  return { store, most: () => most, put };
}

describe('an hour in which anybody made very many transactions', () => {
  test('is added up all the same, and what comes after it by the next wake-up', async () => {
    const { store, most, put } = full(ROWS);
    await addUp(store, PLACE, HOUR + 7_200);
    expect(put.at(-1)).toMatchObject({ transactions: ROWS, issued: `${ROWS}`, upTo: HOUR + 3_599 });
    expect(most()).toBeLessThanOrEqual(1_000);
  });

  test('is told to peers page by page, whole seconds at a time, with nothing left out', async () => {
    const { store, most } = full(1_000);
    const told: number[] = [];
    let after = 0;
    for (let page = 0; page < 40; page++) {
      const { certificates, upTo } = await spentSince(store, PLACE, after, HOUR + 7_200);
      if (certificates.length > 0) told.push(certificates.length);
      after = upTo;
    }
    // 65 in a second: one second to a page of 128, and the last 25 beside one.
    expect(told).toEqual([...Array.from({ length: 14 }, () => 65), 90]);
    expect(most()).toBeLessThanOrEqual(1_000);
    const larger = full(ROWS);
    expect((await spentSince(larger.store, PLACE, HOUR + 1_000, HOUR + 7_200, 'brought')).certificates).toHaveLength(
      65,
    );
    expect(larger.most()).toBeLessThanOrEqual(1_000);
  });

  test('is shown as far as one look goes, and says up to when', async () => {
    const service = {
      coin: 'usd',
      committee: { file: { assets: { usd: { epoch: PLACE.epoch } } } },
    } as unknown as CoinRows;
    const seen = async (rows: number) => {
      const { store, most } = full(rows);
      const { supply } = await readAsset(service, store as unknown as Reader, HOUR + 7_200);
      expect(most()).toBeLessThanOrEqual(1_000);
      return supply;
    };
    expect(await seen(1_000)).toMatchObject({ issued: 1_000n, transactions: 1_000, upTo: HOUR + 7_200 });
    const some = await seen(ROWS);
    // 11 pages; of the second in which the last ends nothing is counted.
    expect(some.upTo).toBe(HOUR + Math.floor(10_999 / 65) - 1);
    expect(some.transactions).toBe((some.upTo - HOUR + 1) * 65);
    expect(some.issued).toBe(BigInt(some.transactions));
  });
});
