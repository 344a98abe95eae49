/**
 * What the core needs from the world, and nothing else.
 *
 * Each role instance (one operator's coordinator, or one operator's processor for one coin) is given one `Ports`
 * value: its tables, its sending rights, its key wrapper, its clock. Adapters: `lib/local` (in process, deterministic) and
 * `lib/aws` (SQS, DynamoDB, KMS). One contract suite, `test/contract`, runs against every adapter.
 */

import type { EventName, Facts } from './telemetry.ts';

// ---------------------------------------------------------------------------------------------- messages

/** An SQS queue name, `coterie-{identity}-{coin}-{MessageType}`; made only by `lib/messages/topics.ts`. */
export type QueueName = string & { readonly __brand: 'QueueName' };

/** One received record. `body` is UTF-8 text of at most 1 MiB as SQS delivers it; nothing in it is trusted. */
export interface Delivery {
  readonly queue: QueueName;
  readonly messageId: string;
  readonly body: string;
  /** How often this message was received, this time included (SQS `ApproximateReceiveCount`, ≥ 1). */
  readonly receiveCount: number;
  /** When it was put into the queue, by the queue's clock: milliseconds UTC. Nothing is decided by it. */
  readonly sentAt?: number;
}

export interface OutgoingMessage {
  readonly queue: QueueName;
  /** UTF-8 JSON, at most 262,144 bytes. */
  readonly body: string;
  /** Whole seconds, 0 to 900. Default 0. */
  readonly delaySeconds?: number;
}

/** At least once, unordered, duplicates possible (SQS standard queues). */
export interface MessageBus {
  /**
   * Sends every message; resolves with the indexes (ascending, into `messages`) that were *not* accepted, so that one refused message
   * loses no other. Rejects with {@link LimitExceeded} before anything is sent if a body or a delay is out of range.
   */
  send(messages: readonly OutgoingMessage[]): Promise<readonly number[]>;
}

// ---------------------------------------------------------------------------------------------- tables

/** The six tables of the design, by lifecycle. */
export const TABLES = ['Ceremonies', 'Nonces', 'Keys', 'Directory', 'Serials', 'Issuance'] as const;
export type Table = (typeof TABLES)[number];

/** Values an item may hold. `number` is a safe integer. A set of numbers is never empty. */
export type Attribute =
  | string
  | number
  | boolean
  | Uint8Array
  | ReadonlySet<number>
  | readonly Uint8Array[]
  | readonly string[];

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/**
 * One item. Reserved attributes: `version` (optimistic lock), `ttl` (seconds UTC; may be deleted any time after, possibly days late),
 * `wakeAt` (seconds UTC; items of `Ceremonies` that carry it are in the sparse index read by {@link Store.due}).
 */
export type Item = Key & { readonly [attribute: string]: Attribute };

/** A condition on the item that lies under the written key, evaluated atomically with the write. */
export type Condition =
  | { readonly kind: 'absent' }
  | { readonly kind: 'present' }
  | { readonly kind: 'equals'; readonly attribute: string; readonly value: string | number | boolean | Uint8Array }
  /** Absent, or present with this attribute value: a write that may be repeated. */
  | {
      readonly kind: 'absentOrEquals';
      readonly attribute: string;
      readonly value: string | number | boolean | Uint8Array;
    };

export type Write =
  | { readonly kind: 'put'; readonly table: Table; readonly item: Item; readonly condition?: Condition }
  | { readonly kind: 'delete'; readonly table: Table; readonly key: Key; readonly condition?: Condition }
  | { readonly kind: 'check'; readonly table: Table; readonly key: Key; readonly condition: Condition };

/** Which conditions failed, ascending by index into the writes, each with the item that lay there (`undefined`: none). */
export interface ConditionFailure {
  readonly index: number;
  readonly item: Item | undefined;
}

export type CommitResult =
  | { readonly committed: true }
  | { readonly committed: false; readonly failures: readonly ConditionFailure[] };

export interface QueryPage {
  /** From the beginning where there is none; need not exist any more. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** One role instance's tables. All reads are strongly consistent, except {@link Store.due}. */
export interface Store {
  get(table: Table, key: Key): Promise<Item | undefined>;
  /** Up to any number of keys (adapters split); absent items are left out; order is not kept. */
  batchGet(table: Table, keys: readonly Key[]): Promise<readonly Item[]>;
  /**
   * All items under `pk` whose `sk` begins with `prefix`, ascending by `sk` (UTF-8 byte order), all pages; with `page`, the first `limit` (1 to 1,000) of those whose `sk` is greater than
   * `after`: what strangers can fill is read a page at a time.
   */
  query(table: Table, pk: string, prefix?: string, page?: QueryPage): Promise<readonly Item[]>;
  /**
   * One write. A single conditional put is cheaper than a transaction of one.
   * @throws {Throttled | Unavailable | UnknownOutcome | LimitExceeded}
   */
  write(write: Write): Promise<CommitResult>;
  /**
   * All or nothing, 1 to 100 writes, at most 4 MB together, no key twice. `token` (1 to 36 characters) makes a repetition within ten minutes
   * with the same writes a no-op that reports `committed: true`.
   * @throws {Throttled | Unavailable | UnknownOutcome | LimitExceeded}
   */
  transact(writes: readonly Write[], token: string): Promise<CommitResult>;
  /**
   * Adds numbers to the set attribute `members` of an item, making the item if absent, and returns the set after the addition
   * (`ADD … ReturnValues=ALL_NEW`). `set` gives further attributes (never `members`) to write each time, e.g. `ttl`.
   */
  addToSet(
    table: Table,
    key: Key,
    members: ReadonlySet<number>,
    set?: Readonly<Record<string, Attribute>>,
  ): Promise<ReadonlySet<number>>;
  /** Keys of `Ceremonies` items with `wakeAt ≤ now` (seconds UTC), eventually consistent, at most `limit`. */
  due(now: number, limit: number): Promise<readonly Key[]>;
  /** The table's identity (DynamoDB `TableId`): a restored or copied table has another one. */
  tableId(table: Table): Promise<string>;
}

/** The same store but for these calls. A store is a class: a spread of it would lose the others. */
export function storeWith(store: Store, calls: Partial<Store>): Store {
  return {
    get: (...args) => store.get(...args),
    batchGet: (...args) => store.batchGet(...args),
    query: (...args) => store.query(...args),
    write: (...args) => store.write(...args),
    transact: (...args) => store.transact(...args),
    addToSet: (...args) => store.addToSet(...args),
    due: (...args) => store.due(...args),
    tableId: (...args) => store.tableId(...args),
    ...calls,
  };
}

// ---------------------------------------------------------------------------------------------- keys, time, randomness

/** Which customer-managed key wraps: long-term (`keys`) or ceremony-long (`ephemeral`). */
export type KeyLifecycle = 'keys' | 'ephemeral';

/** KMS encryption context: names and values are public; the same context must be given to unwrap. */
export type EncryptionContext = Readonly<Record<string, string>>;

export interface DataKey {
  /** 32 secret bytes; the caller wipes them. */
  readonly plaintext: Uint8Array;
  /** The same key, wrapped; 1 to 1,024 bytes. */
  readonly wrapped: Uint8Array;
}

export interface KeyWrapper {
  /** KMS `GenerateDataKey` (AES-256). @throws {Throttled | Unavailable} */
  generateDataKey(lifecycle: KeyLifecycle, context: EncryptionContext): Promise<DataKey>;
  /** KMS `Decrypt`. @throws {WrongContext} if the ciphertext or the context is not the one it was made with. @throws {Throttled | Unavailable} */
  decrypt(lifecycle: KeyLifecycle, wrapped: Uint8Array, context: EncryptionContext): Promise<Uint8Array>;
}

export interface Clock {
  /** Milliseconds since 1970-01-01 UTC, as this operator sees it: clocks of two operators may differ, and may jump. */
  now(): number;
}

export interface Random {
  /** `length` uniformly random bytes, 1 to 65,536, from a cryptographic source. */
  bytes(length: number): Uint8Array;
}

/** Facts for logs and metrics. Values are names, counts, ids and reasons: never a body, a key or a secret. */
export interface Telemetry {
  record(event: EventName, facts?: Facts): void;
}

export interface Ports {
  readonly bus: MessageBus;
  readonly store: Store;
  readonly wrapper: KeyWrapper;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
}

// ---------------------------------------------------------------------------------------------- errors

/** The service asked to slow down: nothing was done; the same call may be repeated later. */
export class Throttled extends Error {
  readonly kind = 'Throttled';
}

/** The service could not be reached or answered 5xx *before* a write could have been applied (reads, KMS). */
export class Unavailable extends Error {
  readonly kind = 'Unavailable';
}

/** A write may or may not have been applied: read back one's own token before doing anything else. */
export class UnknownOutcome extends Error {
  readonly kind = 'UnknownOutcome';
}

/** The caller broke a limit of the service (item 400 KB, transaction 100 items or 4 MB, body 256 KiB, delay 900 s): a defect, never retried. */
export class LimitExceeded extends Error {
  readonly kind = 'LimitExceeded';
}

/** A wrapped key was opened under another context than it was made with, or was tampered with. */
export class WrongContext extends Error {
  readonly kind = 'WrongContext';
}

export type PortError = Throttled | Unavailable | UnknownOutcome | LimitExceeded | WrongContext;
