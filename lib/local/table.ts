/** One table: items by partition key and sort key, each list of sort keys in UTF-8 byte order. */
import type { Item, Key } from '../ports.ts';
import { DueIndex } from './due-index.ts';

interface Row {
  readonly item: Item;
  /** Milliseconds UTC at which the TTL sweep gets to the item; `Infinity` without `ttl`. */
  readonly removedAt: number;
}

interface Partition {
  readonly rows: Map<string, Row>;
  /** Ascending. */
  readonly sortKeys: string[];
}

export interface TableTiming {
  /** Milliseconds UTC. */
  now(): number;
  /** How late the TTL sweep is for one item, in seconds. */
  ttlLag(): number;
  /** How late the due index is for one write, in seconds. */
  indexLag(): number;
}

/** Items are never changed in place, so that a snapshot may share them. */
export class LocalTable {
  readonly id: string;
  readonly #timing: TableTiming;
  readonly #partitions = new Map<string, Partition>();
  readonly #due = new DueIndex();

  constructor(id: string, timing: TableTiming, items: readonly Item[] = []) {
    this.id = id;
    this.#timing = timing;
    for (const item of items) this.put(item);
  }

  get({ pk, sk }: Key): Item | undefined {
    const row = this.#partitions.get(pk)?.rows.get(sk);
    if (!row || !this.#swept(row)) return row?.item;
    this.delete({ pk, sk });
    return undefined;
  }

  query(pk: string, prefix: string): Item[] {
    const partition = this.#partitions.get(pk);
    if (!partition) return [];
    const { rows, sortKeys } = partition;
    const found: Item[] = [];
    const expired: string[] = [];
    for (let i = position(sortKeys, prefix); sortKeys[i]?.startsWith(prefix); i++) {
      const sk = sortKeys[i] as string;
      const row = rows.get(sk) as Row;
      if (this.#swept(row)) expired.push(sk);
      else found.push(row.item);
    }
    for (const sk of expired) this.delete({ pk, sk });
    return found;
  }

  put(item: Item): void {
    const { pk, sk } = item;
    const ttl = item['ttl'];
    const removedAt = typeof ttl === 'number' ? (ttl + this.#timing.ttlLag()) * 1000 : Number.POSITIVE_INFINITY;
    const row: Row = { item, removedAt };
    const partition = this.#partition(pk);
    if (!partition.rows.has(sk)) partition.sortKeys.splice(position(partition.sortKeys, sk), 0, sk);
    partition.rows.set(sk, row);
    const wakeAt = item['wakeAt'];
    this.#follow(item, typeof wakeAt === 'number' ? wakeAt : undefined, removedAt);
  }

  delete(key: Key): void {
    const partition = this.#partitions.get(key.pk);
    if (!partition?.rows.delete(key.sk)) return;
    partition.sortKeys.splice(position(partition.sortKeys, key.sk), 1);
    if (partition.sortKeys.length === 0) this.#partitions.delete(key.pk);
    this.#follow(key, undefined, Number.POSITIVE_INFINITY);
  }

  /** @param now seconds UTC, by the caller's clock */
  due(now: number, limit: number): Key[] {
    const due = [...this.#due.shown(this.#timing.now(), now)];
    due.sort((a, b) => a.wakeAt - b.wakeAt || compareUtf8(a.key.pk, b.key.pk) || compareUtf8(a.key.sk, b.key.sk));
    return due.slice(0, limit).map(({ key }) => ({ ...key }));
  }

  /** All that have not been swept, ascending within each partition. */
  items(): Item[] {
    return [...this.#partitions.keys()].flatMap((pk) => this.query(pk, ''));
  }

  #follow(key: Key, wakeAt: number | undefined, removedAt: number): void {
    const now = this.#timing.now();
    this.#due.follow(key, now + this.#timing.indexLag() * 1000, now, wakeAt, removedAt);
  }

  #swept(row: Row): boolean {
    return row.removedAt <= this.#timing.now();
  }

  #partition(pk: string): Partition {
    let partition = this.#partitions.get(pk);
    if (!partition) {
      partition = { rows: new Map(), sortKeys: [] };
      this.#partitions.set(pk, partition);
    }
    return partition;
  }
}

/** Where `sk` is in the ascending list, or would be put. */
function position(sortKeys: readonly string[], sk: string): number {
  let low = 0;
  let high = sortKeys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareUtf8(sortKeys[middle] as string, sk) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Order of the UTF-8 bytes, which is that of code points; UTF-16 code units differ from it where surrogates meet U+E000 to U+FFFF. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

function rank(codeUnit: number): number {
  const isSurrogate = codeUnit >= 0xd800 && codeUnit <= 0xdfff;
  return isSurrogate ? codeUnit + 0x10000 : codeUnit;
}
