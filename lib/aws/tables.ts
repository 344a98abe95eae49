/** What every table looks like in DynamoDB: read by the adapter, by the stacks that create the tables, and by the tests that create them on an engine. */
import type { Table } from '../ports.ts';

/** Both of type string. */
export const PARTITION_KEY = 'pk';
export const SORT_KEY = 'sk';
/** Seconds UTC. Time to live only reclaims space: nothing decides by an item's absence. */
export const TTL_ATTRIBUTE = 'ttl';

/**
 * The sparse index of `Ceremonies` that {@link Store.due} reads: items that carry `wakeAt`, spread over {@link OPEN_SHARDS} partitions, because an index
 * partition that is too hot throttles the writes of its table. Projection: keys only.
 */
export const OPEN_INDEX = {
  table: 'Ceremonies',
  name: 'open',
  partitionKey: 'open',
  sortKey: 'wakeAt',
} as const satisfies {
  readonly table: Table;
  readonly name: string;
  /** String: a shard, `0` to `OPEN_SHARDS - 1`. The adapter writes and hides it. */
  readonly partitionKey: string;
  /** Number: seconds UTC. */
  readonly sortKey: string;
};
export const OPEN_SHARDS = 4;

/** The shard of an item: a function of its partition key, so that a rewrite of the item stays in its shard. */
export function openShard(pk: string): string {
  let sum = 0;
  for (let i = 0; i < pk.length; i++) sum = (sum * 31 + pk.charCodeAt(i)) % 65_521;
  return `${sum % OPEN_SHARDS}`;
}
