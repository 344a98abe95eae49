/** DynamoDB in process: conditions, transactions with their tokens, sets, late TTL, the sparse due index, table identities. */
import { createHash } from 'node:crypto';
import {
  type Attribute,
  type CommitResult,
  type Condition,
  type ConditionFailure,
  type Item,
  type Key,
  LimitExceeded,
  type QueryPage,
  type Store,
  type Table,
  type Write,
} from '../ports.ts';
import type { Gate, PortOperation } from './gate.ts';
import { checkItem, checkKey, checkTransaction, checkWrite, keyOf } from './limits.ts';
import { compareUtf8, type LocalTable } from './table.ts';

const TOKEN_LIFE_MS = 600_000;

/** One item of one table, before and after somebody changed it. */
export interface Change {
  readonly namespace: string;
  readonly table: Table;
  readonly key: Key;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
}

interface SpentToken {
  readonly writes: string;
  readonly until: number;
}

export class LocalStore implements Store {
  readonly #gate: Gate;
  readonly #namespace: string;
  readonly #table: (table: Table) => LocalTable;
  readonly #now: () => number;
  readonly #changed: (change: Change) => void;
  /** In order of spending, so that the oldest are found first. */
  readonly #tokens = new Map<string, SpentToken>();

  /**
   * @param table the table that has the name now: a restore puts another in its place. @param now milliseconds UTC of the service
   * @param changed told of every item that a call changed, whatever its caller hears of it
   */
  constructor(
    gate: Gate,
    namespace: string,
    table: (table: Table) => LocalTable,
    now: () => number,
    changed: (change: Change) => void = () => {},
  ) {
    this.#gate = gate;
    this.#namespace = namespace;
    this.#table = table;
    this.#now = now;
    this.#changed = changed;
  }

  get(table: Table, key: Key): Promise<Item | undefined> {
    return this.#pass({ port: 'store', operation: 'get', args: [table, key] }, () => {
      checkKey(key);
      return handOut(this.#table(table).get(key));
    });
  }

  batchGet(table: Table, keys: readonly Key[]): Promise<readonly Item[]> {
    return this.#pass({ port: 'store', operation: 'batchGet', args: [table, keys] }, () => {
      const found = new Map<string, Item>();
      for (const key of keys) {
        checkKey(key);
        const item = this.#table(table).get(key);
        if (item) found.set(JSON.stringify([key.pk, key.sk]), copyItem(item));
      }
      return [...found.values()];
    });
  }

  query(table: Table, pk: string, prefix = '', page?: QueryPage): Promise<readonly Item[]> {
    const args: Parameters<Store['query']> = page ? [table, pk, prefix, page] : [table, pk, prefix];
    return this.#pass({ port: 'store', operation: 'query', args }, () => {
      const found = this.#table(table).query(pk, prefix);
      if (!page) return found.map(copyItem);
      const { after, limit } = page;
      const from = after === undefined ? 0 : found.findIndex(({ sk }) => compareUtf8(sk, after) > 0);
      return from < 0 ? [] : found.slice(from, from + limit).map(copyItem);
    });
  }

  write(write: Write): Promise<CommitResult> {
    return this.#pass({ port: 'store', operation: 'write', args: [write] }, () => {
      checkWrite(write);
      return this.#commit([write]);
    });
  }

  transact(writes: readonly Write[], token: string): Promise<CommitResult> {
    return this.#pass({ port: 'store', operation: 'transact', args: [writes, token] }, () => {
      checkTransaction(writes, token);
      this.#forgetTokens();
      const fingerprint = fingerprintOf(writes);
      const spent = this.#tokens.get(token);
      if (spent && spent.writes !== fingerprint) {
        throw new LimitExceeded('IdempotentParameterMismatch: the token was used with other writes within ten minutes');
      }
      if (spent) return { committed: true };
      const result = this.#commit(writes);
      if (result.committed) this.#tokens.set(token, { writes: fingerprint, until: this.#now() + TOKEN_LIFE_MS });
      return result;
    });
  }

  addToSet(
    table: Table,
    key: Key,
    members: ReadonlySet<number>,
    set: Readonly<Record<string, Attribute>> = {},
  ): Promise<ReadonlySet<number>> {
    return this.#pass({ port: 'store', operation: 'addToSet', args: [table, key, members, set] }, () => {
      checkItem({ ...key, members });
      for (const name of ['pk', 'sk', 'members']) {
        if (name in set) throw new LimitExceeded(`addToSet: ${name} cannot be among the further attributes`);
      }
      const before = this.#table(table).get(key);
      const old = before?.['members'] ?? new Set<number>();
      if (!(old instanceof Set)) throw new LimitExceeded('addToSet: the attribute members is not a set');
      const all: ReadonlySet<number> = new Set([...(old as ReadonlySet<number>), ...members]);
      const item = { ...before, ...set, pk: key.pk, sk: key.sk, members: all };
      checkItem(item);
      this.#put(table, item);
      return new Set(all);
    });
  }

  due(now: number, limit: number): Promise<readonly Key[]> {
    return this.#pass({ port: 'store', operation: 'due', args: [now, limit] }, () =>
      this.#table('Ceremonies').due(now, limit),
    );
  }

  tableId(table: Table): Promise<string> {
    return this.#pass({ port: 'store', operation: 'tableId', args: [table] }, () => this.#table(table).id);
  }

  #pass<T>(operation: PortOperation, action: () => T): Promise<T> {
    return this.#gate.pass(this.#namespace, operation, action);
  }

  #commit(writes: readonly Write[]): CommitResult {
    const failures: ConditionFailure[] = [];
    writes.forEach((write, index) => {
      const item = this.#table(write.table).get(keyOf(write));
      if (write.condition && !holds(write.condition, item)) failures.push({ index, item: handOut(item) });
    });
    if (failures.length > 0) return { committed: false, failures };
    for (const write of writes) {
      if (write.kind === 'put') this.#put(write.table, write.item);
      else if (write.kind === 'delete') this.#delete(write.table, write.key);
    }
    return { committed: true };
  }

  #put(table: Table, item: Item): void {
    const before = this.#table(table).get(item);
    const after = copyItem(item);
    this.#table(table).put(after);
    this.#changed({ namespace: this.#namespace, table, key: { pk: item.pk, sk: item.sk }, before, after });
  }

  #delete(table: Table, { pk, sk }: Key): void {
    const before = this.#table(table).get({ pk, sk });
    this.#table(table).delete({ pk, sk });
    if (before) this.#changed({ namespace: this.#namespace, table, key: { pk, sk }, before, after: undefined });
  }

  #forgetTokens(): void {
    for (const [token, { until }] of this.#tokens) {
      if (until > this.#now()) return;
      this.#tokens.delete(token);
    }
  }
}

function holds(condition: Condition, item: Item | undefined): boolean {
  switch (condition.kind) {
    case 'absent':
      return item === undefined;
    case 'present':
      return item !== undefined;
    case 'equals':
      return item !== undefined && sameValue(item[condition.attribute], condition.value);
    case 'absentOrEquals':
      return item === undefined || sameValue(item[condition.attribute], condition.value);
  }
}

function sameValue(left: Attribute | undefined, right: Attribute): boolean {
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right) === 0;
  return left === right;
}

function handOut(item: Item | undefined): Item | undefined {
  return item && copyItem(item);
}

/** No caller shares bytes or sets with the table, nor with another caller. */
export function copyItem(item: Item): Item {
  const copy: Record<string, Attribute> = {};
  for (const name of Object.keys(item)) {
    const value = item[name];
    if (value !== undefined) copy[name] = copyAttribute(value);
  }
  return Object.freeze(copy) as Item;
}

function copyAttribute(value: Attribute): Attribute {
  if (typeof value !== 'object') return value;
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (value instanceof Set) return new Set(value as ReadonlySet<number>);
  return (value as readonly (string | Uint8Array)[]).map((element) =>
    typeof element === 'string' ? element : new Uint8Array(element),
  ) as readonly string[];
}

/** Two lists of writes have the same fingerprint only if they ask for the same: what a token is bound to. */
function fingerprintOf(writes: readonly Write[]): string {
  const parts: string[] = [];
  const feed = (value: unknown): void => {
    if (value instanceof Uint8Array) {
      parts.push(`b${value.length}:`, Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64'));
    } else if (value instanceof Set) {
      feed([...value].sort((a, b) => a - b));
    } else if (Array.isArray(value)) {
      parts.push(`l${value.length}:`);
      for (const element of value) feed(element);
    } else if (typeof value === 'object' && value !== null) {
      const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
      feed(entries.flat());
    } else {
      const text = String(value);
      parts.push(`${typeof value}${text.length}:`, text);
    }
  };
  feed(writes);
  return createHash('sha256').update(parts.join('')).digest('hex');
}
