/**
 * What may be looked at: an operator's public rows, wherever they lie. Nothing here can write, and the table of ephemeral secrets is not among those that can be named,
 * so that whatever shows the state of an operator cannot be made to show a nonce.
 */
import type { Item, Key, QueryPage, Table } from '../ports.ts';

/** `Nonces` is nobody's to look at; what a service has locked and spent nobody needs to. `Issuance` holds what services said to wallets, sealed on its way, and no secret. */
export const PUBLIC_TABLES = ['Ceremonies', 'Keys', 'Directory', 'Issuance'] as const satisfies readonly Table[];
export type PublicTable = (typeof PUBLIC_TABLES)[number];

/** One role's rows: a coin's processor, an asset's signing service, or the coordinator. Strongly consistent, but for {@link Reader.states}. */
export interface Reader {
  get(table: PublicTable, key: Key): Promise<Item | undefined>;
  /** Ascending by `sk`; all, or a page. */
  query(table: PublicTable, pk: string, prefix?: string, page?: QueryPage): Promise<readonly Item[]>;
  /**
   * State rows of ceremonies, in no order. `open` reads the index of those that will be woken; `all` reads the whole table.
   * @param limit at most so many rows
   */
  states(which: 'open' | 'all', limit: number): Promise<readonly Item[]>;
}

/** The row without its wrapped secrets: every secret is stored as bytes, and nothing that is shown is. */
export function shownRow(item: Item): Item {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => !holdsBytes(value))) as Item;
}

function holdsBytes(value: Item[string]): boolean {
  return value instanceof Uint8Array || (Array.isArray(value) && value.some((each) => each instanceof Uint8Array));
}
