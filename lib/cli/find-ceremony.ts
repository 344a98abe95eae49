/** Ceremonies by their id, or by as much of it as is unique. */
import type { Hex } from '../messages/hex.ts';
import { type StateRow, stateRow } from '../view/ceremony-rows.ts';
import type { Place, PlaceOperator } from './place.ts';
import { shown, UsageError } from './usage.ts';

const MOST_STATES = 10_000;
const PREFIX = /^(?:0x)?([0-9a-f]{4,64})$/;

export interface Found {
  readonly coin: string;
  readonly row: StateRow;
}

/** All ceremonies that this operator has, newest first. */
export async function ceremoniesOf(
  place: Place,
  { identity, coins, assets }: PlaceOperator,
  which: 'open' | 'all',
  coin?: string,
): Promise<readonly Found[]> {
  const asked = coin === undefined ? [...coins, ...assets] : [coin];
  const found = await Promise.all(
    asked.map(async (each) =>
      (await place.reader(identity, each).states(which, MOST_STATES)).flatMap((item) => {
        const row = stateRow(item);
        return row ? [{ coin: each, row }] : [];
      }),
    ),
  );
  return found
    .flat()
    .sort((a, b) => (b.row.at ?? 0) - (a.row.at ?? 0) || (a.row.state.ceremony < b.row.state.ceremony ? -1 : 1));
}

/** @param what for the sentence @throws {UsageError} unless exactly one begins so */
export function byPrefix<Each>(what: string, text: string, all: readonly Each[], idOf: (each: Each) => Hex): Each {
  const digits = PREFIX.exec(text.toLowerCase())?.[1];
  if (digits === undefined)
    throw new UsageError(`expected the id of ${what} or at least its first 4 hex digits, got ${shown(text)}`);
  const found = new Map(all.filter((each) => idOf(each).startsWith(`0x${digits}`)).map((each) => [idOf(each), each]));
  const [only, ...more] = found.values();
  if (only !== undefined && more.length === 0) return only;
  throw new UsageError(
    only === undefined
      ? `expected ${what} that is known here, got ${shown(text)}: coterie ceremony list and coterie pending show what is`
      : `expected digits that only one ${what.replace(/^an? /, '')} begins with, got ${shown(text)}, which ${found.size} do: give more of them`,
  );
}
