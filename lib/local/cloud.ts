/** The world of an embedded committee: queues, tables, keys, time and randomness, all of it from one seed. */
import type {
  Clock,
  Delivery,
  Item,
  KeyWrapper,
  MessageBus,
  OutgoingMessage,
  QueueName,
  Random,
  Store,
  Table,
} from '../ports.ts';
import { LocalBus, LocalQueues, type MessageFaults, type QueueDepth, type QueueOptions } from './bus.ts';
import { SkewedClock, systemClock, VirtualClock } from './clock.ts';
import type { Hook, PortOperation } from './gate.ts';
import { LocalKeyWrapper } from './key-wrapper.ts';
import { derive, SeededRandom } from './random.ts';
import {
  type CallFaults,
  type Handler,
  type RunOptions,
  Scheduler,
  type SubscribeOptions,
  type Unsubscribe,
  type WhyStopped,
} from './scheduler.ts';
import { type Change, copyItem, LocalStore } from './store.ts';
import { LocalTable, type TableTiming } from './table.ts';

const LATEST_TTL_SECONDS = 48 * 3600;
const REAL_CONCURRENCY = 32;

/** What goes wrong, and how often. What is absent does not happen, except that TTL is always late. */
export interface Faults extends MessageFaults, CallFaults {
  /** How late every TTL removal is. Default: drawn for each item, up to 48 hours. */
  readonly ttlLagSeconds?: number;
  /** The due index shows a write up to so many seconds late. Default 0. */
  readonly dueLagSeconds?: number;
}

export interface LocalCloudOptions {
  /** 32 bytes; everything random follows from it. */
  readonly seed: Uint8Array;
  readonly clock: 'virtual' | 'real';
  /** Milliseconds UTC at which virtual time begins; default 2026-01-01. */
  readonly startTime?: number;
  readonly faults?: Faults;
  /** Batches under way at once; default 1 on a virtual clock, where more means that they interleave at their port calls, and 32 on a real one. */
  readonly concurrency?: number;
  /**
   * Default true. False where no handler waits for anything but its ports (no WebCrypto, so no HPKE): watching for such work on a virtual clock takes a fifth of the
   * time, and without it a handler that does wait makes the run differ from time to time.
   */
  readonly background?: boolean;
  /** The tables and master keys to begin with; everything else, randomness too, follows from `seed`. */
  readonly image?: CloudImage;
}

/** All that lies in a world's tables, with the tables' identities and the master keys: another world may begin with it. */
export interface CloudImage {
  readonly seed: Uint8Array;
  /** Milliseconds UTC at which it was made. */
  readonly time: number;
  readonly tables: readonly { readonly name: string; readonly id: string; readonly items: readonly Item[] }[];
}

/** What a backup of a table holds. */
export interface TableSnapshot {
  readonly table: Table;
  readonly items: readonly Item[];
}

export class LocalCloud {
  readonly inspect: Inspection;
  readonly #seed: Uint8Array;
  /** Of the master keys and the tables' identities. */
  readonly #keySeed: Uint8Array;
  readonly #virtual: VirtualClock | undefined;
  readonly #queues: LocalQueues;
  readonly #scheduler: Scheduler;
  readonly #timing: TableTiming;
  readonly #streams = new Map<string, SeededRandom>();
  readonly #stores = new Map<string, LocalStore>();
  readonly #tables = new Map<string, LocalTable>();
  readonly #wrappers = new Map<string, LocalKeyWrapper>();
  readonly #clocks = new Map<string, SkewedClock>();
  readonly #sendListeners = new Set<(message: OutgoingMessage) => void>();
  readonly #changeListeners = new Set<(change: Change) => void>();
  #tablesMade = 0;

  constructor(options: LocalCloudOptions) {
    const { seed, clock, startTime, faults = {}, concurrency, background = true, image } = options;
    this.#seed = new Uint8Array(seed);
    this.#keySeed = image ? image.seed : this.#seed;
    this.#virtual = clock === 'virtual' ? new VirtualClock(startTime ?? image?.time) : undefined;
    const now = (): number => this.now;
    const random = (label: string): SeededRandom => this.#stream(`cloud/${label}`);
    this.#queues = new LocalQueues(now, random('queues'), faults, (queue) => this.#scheduler.visible(queue));
    this.#scheduler = new Scheduler({
      queues: this.#queues,
      clock: this.#virtual,
      now,
      random,
      faults,
      concurrency: concurrency ?? (this.#virtual ? 1 : REAL_CONCURRENCY),
      background,
    });
    const lags = random('lags');
    this.#timing = {
      now,
      ttlLag: () => faults.ttlLagSeconds ?? lags.below(LATEST_TTL_SECONDS + 1),
      indexLag: () => (faults.dueLagSeconds ? lags.below(faults.dueLagSeconds + 1) : 0),
    };
    for (const { name, id, items } of image?.tables ?? [])
      this.#tables.set(name, new LocalTable(id, this.#timing, items));
    // A table that is made later must not get the identity of one that was made before.
    this.#tablesMade = image?.tables.length ?? 0;
    this.inspect = this.#inspection();
  }

  /** Milliseconds UTC, as the services see it. */
  get now(): number {
    return (this.#virtual ?? systemClock).now();
  }

  /** A queue that is there already is left as it is. */
  createQueue(name: QueueName, options?: QueueOptions): void {
    this.#queues.create(name, options);
  }

  /**
   * Like a Lambda event source mapping with `ReportBatchItemFailures`: the ids in `failed` become visible again after the visibility timeout, and
   * so does the whole batch if the handler throws. One subscriber a queue.
   */
  subscribe(queue: QueueName, handler: Handler, options?: SubscribeOptions): Unsubscribe {
    return this.#scheduler.subscribe(queue, handler, options);
  }

  /** Puts a message on the queue every so many seconds, first after that time, as an EventBridge rule does. Alone it does not keep a run alive. */
  schedule(queue: QueueName, body: string, everySeconds: number): Unsubscribe {
    return this.#scheduler.addRule(everySeconds, () => this.#accept({ queue, body }));
  }

  /** A bus whose user may send where `maySend` says so, default everywhere. Messages to other queues or to none are refused by index. */
  bus(options: { readonly namespace?: string; readonly maySend?: (queue: QueueName) => boolean } = {}): MessageBus {
    const { namespace = '', maySend = () => true } = options;
    return new LocalBus(this.#scheduler, namespace, (message) => maySend(message.queue) && this.#accept(message));
  }

  /** @param seconds 0 to 43,200, from now, until the message (received and not deleted) is visible again */
  changeVisibility(queue: QueueName, messageId: string, seconds: number): void {
    this.#queues.changeVisibility(queue, messageId, seconds);
  }

  /** One role instance's six tables; the same ones each time. */
  store(namespace: string): Store {
    return kept(this.#stores, namespace, () => {
      const table = (name: Table): LocalTable => this.#table(namespace, name);
      const changed = (change: Change): void => {
        for (const listener of this.#changeListeners) listener(change);
      };
      return new LocalStore(this.#scheduler, namespace, table, () => this.now, changed);
    });
  }

  wrapper(namespace: string): KeyWrapper {
    const make = () => new LocalKeyWrapper(this.#scheduler, namespace, this.#keySeed, this.#stream(`kms/${namespace}`));
    return kept(this.#wrappers, namespace, make);
  }

  /** One operator's clock. @param skewMs how far it is ahead; default as it was, at first 0 */
  clock(namespace = '', skewMs?: number): Clock {
    const world: Clock = this.#virtual ?? systemClock;
    const clock = kept(this.#clocks, namespace, () => new SkewedClock(world, 0));
    if (skewMs !== undefined) clock.skewMs = skewMs;
    return clock;
  }

  /** One stream for each label; asking again goes on with it. */
  random(label: string): Random {
    return this.#stream(`role/${label}`);
  }

  /** Until nothing is visible, in flight or due before `until`. A virtual clock jumps to what is next, and is at `until` if that is why it stopped. */
  run(options?: RunOptions): Promise<WhyStopped> {
    return this.#scheduler.run(options);
  }

  /** Moves a virtual clock while nothing runs, or within a hook or handler: what was received may then be received by others as well. */
  advance(seconds: number): void {
    if (!this.#virtual) throw new Error('advance: a real clock cannot be moved');
    this.#virtual.moveTo(this.now + seconds * 1000);
  }

  /** Real clock: runs until {@link stop}. */
  start(): void {
    this.#scheduler.start();
  }

  /** Resolves when the batches that had begun are over. */
  stop(): Promise<void> {
    return this.#scheduler.stop();
  }

  /** Sends dead letters back to the queues they came from. @returns how many */
  redrive(deadLetterQueue: QueueName): number {
    return this.#queues.redrive(deadLetterQueue);
  }

  snapshotTable(namespace: string, table: Table): TableSnapshot {
    return { table, items: this.#table(namespace, table).items() };
  }

  /** Puts a table with these items in the place of the one that is there; it has another identity. */
  restoreTable(namespace: string, snapshot: TableSnapshot): void {
    const { table, items } = snapshot;
    this.#tables.set(`${namespace}/${table}`, this.#newTable(namespace, table, items));
  }

  /** The table as it is now, in another namespace, with another identity. */
  copyTable(namespace: string, table: Table, toNamespace: string): void {
    this.restoreTable(toNamespace, this.snapshotTable(namespace, table));
  }

  /** What {@link LocalCloudOptions.image} takes. Queues are not in it: it is for a world in which nothing is under way. */
  image(): CloudImage {
    const tables = [...this.#tables].map(([name, table]) => ({ name, id: table.id, items: table.items() }));
    return { seed: this.#keySeed, time: this.now, tables };
  }

  /** Every port call passes the hook, before and after it is done. */
  intercept(hook: Hook): Unsubscribe {
    return this.#scheduler.intercept(hook);
  }

  #stream(label: string): SeededRandom {
    return kept(this.#streams, label, () => new SeededRandom(this.#seed, label));
  }

  #accept(message: OutgoingMessage): boolean {
    const taken = this.#queues.send(message);
    if (taken) for (const listener of this.#sendListeners) listener(message);
    return taken;
  }

  #table(namespace: string, table: Table): LocalTable {
    return kept(this.#tables, `${namespace}/${table}`, () => this.#newTable(namespace, table));
  }

  #newTable(namespace: string, table: Table, items?: readonly Item[]): LocalTable {
    const id = Buffer.from(derive(this.#seed, `table/${namespace}/${table}/${this.#tablesMade++}`)).toString('hex');
    return new LocalTable(id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5'), this.#timing, items);
  }

  #inspection(): Inspection {
    return {
      queues: () => this.#queues.depths(),
      busy: (except) => this.#queues.busy(except),
      deadLetters: (queue) => this.#queues.deadLetters(queue),
      items: (namespace, table) => this.#table(namespace, table).items().map(copyItem),
      calls: () => new Map(this.#scheduler.calls),
      onSend: (listener) => {
        this.#sendListeners.add(listener);
        return () => this.#sendListeners.delete(listener);
      },
      onChange: (listener) => {
        this.#changeListeners.add(listener);
        return () => this.#changeListeners.delete(listener);
      },
      onFailure: (listener) => this.#scheduler.onFailure(listener),
      onLateCall: (listener) => this.#scheduler.onLateCall(listener),
    };
  }
}

/** What no role can see: for tests, the demo's report and the simulator's auditor. */
export interface Inspection {
  queues(): ReadonlyMap<QueueName, QueueDepth>;
  /** Whether something is visible or in flight in any queue but this one. */
  busy(except: QueueName): boolean;
  deadLetters(queue: QueueName): readonly Delivery[];
  items(namespace: string, table: Table): readonly Item[];
  /** Port calls done so far by kind, `store.transact` for one. */
  calls(): ReadonlyMap<string, number>;
  /** Told of every message that a queue took. */
  onSend(listener: (message: OutgoingMessage) => void): Unsubscribe;
  /** Told of every item that a call changed, also where the caller never heard of it. Restores and the TTL sweep are not calls. The items are the table's own: read them, never change them. */
  onChange(listener: (change: Change) => void): Unsubscribe;
  /** Told when a handler throws or its function dies. */
  onFailure(listener: (queue: QueueName, error: unknown) => void): Unsubscribe;
  /** Told when a handler that has returned makes a port call. */
  onLateCall(listener: (queue: QueueName, operation: PortOperation) => void): Unsubscribe;
}

function kept<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
