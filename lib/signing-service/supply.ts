/**
 * What came into an asset and what left it, as one service has seen it: deposits and withdrawals are public amounts, and nothing else is. The sums are for people; nothing is decided by
 * them, and no transaction waits for them.
 *
 * A single row that every transaction adds to would be what all of them wait for. So each certificate's row of the log carries its own amounts, and the scheduled wake-up adds up what is
 * settled; whoever looks adds the rest.
 */
import { type Item, LimitExceeded, type Store, Throttled, Unavailable, UnknownOutcome } from '../ports.ts';
import { beginning, logBetween, SETTLED_SECONDS, secondsOf } from './gossip.ts';
import { LOG_SECONDS, refusedKey, supplyKey } from './rows.ts';
import type { TokenTransaction } from './scheme.ts';

/** Hours of the log that one wake-up adds up, and rows after which it leaves the next hour to the next one. */
const HOURS_AT_ONCE = 240;
const ROWS_AT_ONCE = 100_000;
/** Times that a count is tried again because another batch counted first. */
const MAX_RACES = 4;

export interface Supply {
  /** In the asset's smallest unit. */
  readonly issued: bigint;
  readonly redeemed: bigint;
  /** Certificates: each is a transaction that was completed. */
  readonly transactions: number;
  /** Those whose transaction is not here: peers' certificates, which name no amounts. */
  readonly unseen: number;
  /** Seconds: everything up to then is in these sums. */
  readonly upTo: number;
}

interface Place {
  readonly asset: string;
  readonly epoch: number;
}

/** Attributes of a row of the log: what the transaction brought in and took out, decimal. */
export function crossed({ deposits, withdraw }: TokenTransaction): {
  readonly issued: string;
  readonly redeemed: string;
} {
  const issued = deposits.reduce((sum, { value }) => sum + value, 0n);
  return { issued: `${issued}`, redeemed: withdraw?.amount ?? '0' };
}

export function supplyOf(row: Item | undefined, beginsAt: number): Supply {
  const counted = (name: string): number | undefined => {
    const value = row?.[name];
    return typeof value === 'number' ? value : undefined;
  };
  return {
    issued: amountIn(row, 'issued') ?? 0n,
    redeemed: amountIn(row, 'redeemed') ?? 0n,
    transactions: counted('transactions') ?? 0,
    unseen: counted('unseen') ?? 0,
    upTo: counted('upTo') ?? beginsAt,
  };
}

function amountIn(row: Item | undefined, name: string): bigint | undefined {
  const value = row?.[name];
  return typeof value === 'string' ? BigInt(value) : undefined;
}

/** The sums with these rows of the log, as far as they are after the one and not after the other time. */
export function withRows(supply: Supply, rows: readonly Item[], upTo: number): Supply {
  let { issued, redeemed, transactions, unseen } = supply;
  for (const row of rows) {
    const at = secondsOf(row);
    if (!(at > supply.upTo && at <= upTo)) continue;
    const amounts = [amountIn(row, 'issued'), amountIn(row, 'redeemed')] as const;
    issued += amounts[0] ?? 0n;
    redeemed += amounts[1] ?? 0n;
    transactions += 1;
    if (amounts.includes(undefined)) unseen += 1;
  }
  return { issued, redeemed, transactions, unseen, upTo: Math.max(supply.upTo, upTo) };
}

/**
 * Adds up what is settled since the last time, and as much as one call can: whole hours, until there were many rows. Two wake-ups at once add it once: the row is written from the very sums
 * that were read.
 */
export async function addUp(store: Store, place: Place, now: number): Promise<void> {
  const key = supplyKey(place.asset, place.epoch);
  const row = await store.get('Issuance', key);
  const before = supplyOf(row, await beginning(store, place, now));
  const settled = Math.min(now - SETTLED_SECONDS, before.upTo + HOURS_AT_ONCE * LOG_SECONDS);
  if (settled <= before.upTo) return;
  let sums = before;
  for (let counted = 0; sums.upTo < settled && counted < ROWS_AT_ONCE; ) {
    const upTo = Math.min(settled, Math.floor((sums.upTo + 1) / LOG_SECONDS) * LOG_SECONDS + LOG_SECONDS - 1);
    const from = sums.upTo;
    for await (const rows of logBetween(store, place, from, upTo)) {
      counted += rows.length;
      sums = { ...withRows(sums, rows, upTo), upTo: from };
    }
    sums = { ...sums, upTo };
  }
  const { issued, redeemed, transactions, unseen, upTo } = sums;
  await store.write({
    kind: 'put',
    table: 'Issuance',
    item: { ...key, issued: `${issued}`, redeemed: `${redeemed}`, transactions, unseen, upTo },
    condition: row ? { kind: 'equals', attribute: 'upTo', value: before.upTo } : { kind: 'absent' },
  });
}

/** Counts what a batch was refused for, in one write. A count that is lost is lost: no answer waits for it, and no message comes again because of it. */
export async function countRefusals(store: Store, place: Place, reasons: readonly string[]): Promise<void> {
  if (reasons.length === 0) return;
  const key = refusedKey(place.asset, place.epoch);
  try {
    for (let race = 0; race < MAX_RACES; race++) {
      const row = await store.get('Issuance', key);
      const version = typeof row?.['version'] === 'number' ? row['version'] : 0;
      const counts: Record<string, number> = {};
      for (const reason of reasons) {
        const before = counts[reason] ?? row?.[reason];
        counts[reason] = (typeof before === 'number' ? before : 0) + 1;
      }
      const { committed } = await store.write({
        kind: 'put',
        table: 'Issuance',
        item: { ...row, ...key, ...counts, version: version + 1 },
        condition: row ? { kind: 'equals', attribute: 'version', value: version } : { kind: 'absent' },
      });
      if (committed) return;
    }
  } catch (error) {
    if (![Throttled, Unavailable, UnknownOutcome, LimitExceeded].some((kind) => error instanceof kind)) throw error;
  }
}
