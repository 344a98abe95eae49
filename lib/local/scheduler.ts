/**
 * Runs the subscribed functions as Lambda's event source mappings do, in an order drawn from the seed.
 *
 * On a virtual clock exactly one thing happens at a time: a batch begins, or a port call that a batch waits at is done. With `concurrency` 1 a batch
 * runs to its end before the next begins. With more, every port call of a batch waits until it is drawn, so that batches (of one node, too) interleave at
 * every port call. Nothing is drawn before all that was set going has come to rest, WebCrypto included, and calls that came to rest together are put in
 * an order of their own: so one seed gives one run, unless a handler lets timers race. Time stands still while a batch runs.
 *
 * On a real clock batches run as they come, at most `concurrency` at once.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Delivery, type QueueName, Throttled, UnknownOutcome } from '../ports.ts';
import { BackgroundWork } from './background.ts';
import type { LocalQueues, Received } from './bus.ts';
import type { VirtualClock } from './clock.ts';
import { Crash, type Gate, type Hook, type PortCall, type PortOperation, subjectOf } from './gate.ts';
import type { SeededRandom } from './random.ts';

const DEFAULT_BATCH_SIZE = 10;
const LONGEST_SLEEP_MS = 60_000;

export type Unsubscribe = () => void;
export type Handler = (batch: readonly Delivery[]) => Promise<{ readonly failed: readonly string[] }>;
export type WhyStopped = 'idle' | 'stopped' | 'until' | 'maxBatches';

export interface SubscribeOptions {
  /** At most so many messages a batch, 1 to 10,000; default 10. Partly filled batches are normal. */
  readonly batchSize?: number;
  /** At most so many batches of this queue at once; default unbounded. */
  readonly maxConcurrency?: number;
}

export interface RunOptions {
  /** Milliseconds UTC. */
  readonly until?: number;
  /** Asked at the beginning and after every batch. */
  readonly stopWhen?: () => boolean;
  readonly maxBatches?: number;
}

/** What may go wrong with one port call; probabilities 0 to 1. */
export interface CallFaults {
  /** Store and key wrapper answer {@link Throttled}; nothing is done. */
  readonly throttle?: number;
  /** `write` and `transact` answer {@link UnknownOutcome}; half of them are applied. */
  readonly unknownOutcome?: number;
  /** The function dies before or after the call. */
  readonly crash?: number;
}

interface Subscription {
  readonly queue: QueueName;
  readonly handler: Handler;
  readonly batchSize: number;
  readonly maxConcurrency: number;
  running: number;
  /** Where it is in the list of the ready; −1 if it is not. */
  position: number;
}

/** One batch under way. */
interface Task {
  readonly of: Scheduler;
  readonly number: number;
  readonly subscription: Subscription;
  readonly batch: readonly Received[];
  state: 'running' | 'ended' | 'crashed';
  /** Told when the batch first waits at a port call, or is over. */
  quiet: () => void;
}

/**
 * Which batch a port call belongs to. One storage for all clouds: each is looked at for every promise that the process makes, for as long as it lives, and with one for each
 * cloud a thousand clouds take most of the time.
 */
const tasks = new AsyncLocalStorage<Task>();

interface ParkedCall {
  readonly task: Task;
  readonly operation: PortOperation;
  readonly resume: () => void;
}

/** A message put on a queue again and again, as by an EventBridge rule. */
interface Rule {
  readonly everyMs: number;
  next: number;
  readonly fire: () => void;
}

export class Scheduler implements Gate {
  readonly calls = new Map<string, number>();
  readonly #queues: LocalQueues;
  readonly #virtual: VirtualClock | undefined;
  readonly #now: () => number;
  readonly #dice: SeededRandom;
  readonly #faults: CallFaults;
  readonly #faultDice: SeededRandom;
  readonly #concurrency: number;
  /** Of four times that a batch could begin or go on, how often one begins: 1 to 3. */
  readonly #startBias: number;
  readonly #subscriptions = new Map<QueueName, Subscription>();
  readonly #ready: Subscription[] = [];
  readonly #background = new BackgroundWork();
  readonly #watches: boolean;
  readonly #parked: ParkedCall[] = [];
  /** Those that came since things last came to rest. */
  #arrivals: ParkedCall[] = [];
  readonly #rules = new Set<Rule>();
  readonly #hooks = new Set<Hook>();
  readonly #failureListeners = new Set<(queue: QueueName, error: unknown) => void>();
  readonly #lateListeners = new Set<(queue: QueueName, operation: PortOperation) => void>();
  /** Where several batches are under way, and a job of one may be done while another runs. */
  #follows = false;
  /** The batch that was begun or resumed last. Where handlers wait for nothing but their ports, every call until all has come to rest is its own. */
  #current: Task | undefined;
  #running = 0;
  #begun = 0;
  #finished = 0;
  #looping = false;
  #stopping = false;
  #started: Promise<unknown> | undefined;
  #wake: () => void = () => {};

  constructor(options: {
    readonly queues: LocalQueues;
    readonly clock: VirtualClock | undefined;
    readonly now: () => number;
    readonly random: (label: string) => SeededRandom;
    readonly faults: CallFaults;
    readonly concurrency: number;
    readonly background: boolean;
  }) {
    this.#queues = options.queues;
    this.#virtual = options.clock;
    this.#now = options.now;
    this.#dice = options.random('scheduler');
    this.#faults = options.faults;
    this.#faultDice = options.random('faults');
    this.#concurrency = options.concurrency;
    this.#watches = options.background;
    this.#startBias = 1 + this.#dice.below(3);
    if ((options.clock && options.concurrency > 1) || options.faults.crash) this.#tellTasksApart();
  }

  subscribe(queue: QueueName, handler: Handler, options: SubscribeOptions = {}): Unsubscribe {
    if (!this.#queues.has(queue)) throw new Error(`subscribe: no queue ${queue}`);
    if (this.#subscriptions.has(queue)) throw new Error(`subscribe: ${queue} has a subscriber already`);
    const { batchSize = DEFAULT_BATCH_SIZE, maxConcurrency = Number.POSITIVE_INFINITY } = options;
    const subscription: Subscription = { queue, handler, batchSize, maxConcurrency, running: 0, position: -1 };
    this.#subscriptions.set(queue, subscription);
    this.visible(queue);
    return () => {
      if (this.#subscriptions.get(queue) !== subscription) return;
      this.#subscriptions.delete(queue);
      this.#update(subscription);
    };
  }

  /** The queue got a visible message. */
  visible(queue: QueueName): void {
    const subscription = this.#subscriptions.get(queue);
    if (!subscription) return;
    this.#update(subscription);
    this.#wake();
  }

  addRule(everySeconds: number, fire: () => void): Unsubscribe {
    const everyMs = everySeconds * 1000;
    const rule: Rule = { everyMs, next: this.#now() + everyMs, fire };
    this.#rules.add(rule);
    return () => this.#rules.delete(rule);
  }

  intercept(hook: Hook): Unsubscribe {
    this.#tellTasksApart();
    this.#hooks.add(hook);
    return () => this.#hooks.delete(hook);
  }

  onFailure(listener: (queue: QueueName, error: unknown) => void): Unsubscribe {
    this.#failureListeners.add(listener);
    return () => this.#failureListeners.delete(listener);
  }

  onLateCall(listener: (queue: QueueName, operation: PortOperation) => void): Unsubscribe {
    this.#tellTasksApart();
    this.#lateListeners.add(listener);
    return () => this.#lateListeners.delete(listener);
  }

  async pass<T>(namespace: string, operation: PortOperation, action: () => T): Promise<T> {
    const task = this.#follows ? this.#followed() : this.#current;
    if (task?.state === 'crashed') return neverAgain();
    if (task?.state === 'ended')
      for (const listener of this.#lateListeners) listener(task.subscription.queue, operation);
    if (task?.state === 'running' && this.#virtual && (this.#concurrency > 1 || this.#background.begun)) {
      await this.#park(task, operation);
      if ((task as Task).state === 'crashed') return neverAgain();
    }
    const kind = `${operation.port}.${operation.operation}`;
    this.calls.set(kind, (this.calls.get(kind) ?? 0) + 1);
    try {
      const result = this.#call(namespace, operation, action, task !== undefined);
      // Only a hook can have made it one; an await for nothing would cost every call a turn.
      return result instanceof Promise ? await result : result;
    } catch (error) {
      if (!(error instanceof Crash) || !task) throw error;
      this.#end(task, 'crashed', error);
      return neverAgain();
    }
  }

  async run(options: RunOptions = {}, keepAlive = false): Promise<WhyStopped> {
    if (this.#looping) throw new Error('run: the cloud is running already');
    this.#looping = true;
    if (this.#virtual && this.#watches) this.#background.watch();
    try {
      return await (this.#virtual ? this.#runVirtual(options, this.#virtual) : this.#runReal(options, keepAlive));
    } finally {
      this.#looping = false;
      this.#background.unwatch();
    }
  }

  start(): void {
    if (this.#virtual) throw new Error('start: a virtual clock only moves in run()');
    this.#stopping = false;
    this.#started = this.run({}, true);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    await this.#started;
    this.#started = undefined;
    this.#stopping = false;
  }

  /** In a virtual world whose handlers wait for nothing but their ports, the last that went on is the only one that can call. */
  get #oneAtATime(): boolean {
    return this.#virtual !== undefined && !this.#watches;
  }

  /** Storage that follows every promise costs an eighth of a run. */
  #tellTasksApart(): void {
    if (!this.#oneAtATime) this.#follows = true;
  }

  /** A batch of another cloud that calls from within is nobody here. */
  #followed(): Task | undefined {
    const task = tasks.getStore();
    return task?.of === this ? task : undefined;
  }

  #call<T>(namespace: string, operation: PortOperation, action: () => T, mayCrash: boolean): T | Promise<T> {
    const crashes =
      mayCrash && this.#faultDice.chance(this.#faults.crash)
        ? (['before', 'after'] as const)[this.#faultDice.below(2)]
        : undefined;
    const told = this.#tell({ namespace, when: 'before', ...operation });
    const go = (): T | Promise<T> => this.#do(namespace, operation, action, crashes);
    return told === undefined ? go() : told.then(go);
  }

  #do<T>(
    namespace: string,
    operation: PortOperation,
    action: () => T,
    crashes: 'before' | 'after' | undefined,
  ): T | Promise<T> {
    const { port } = operation;
    if (crashes === 'before') throw new Crash(`before ${port}.${operation.operation}`);
    if (port !== 'bus' && this.#faultDice.chance(this.#faults.throttle))
      throw new Throttled(`${operation.operation}: slow down`);
    const writes = operation.operation === 'write' || operation.operation === 'transact';
    const unknown = writes && this.#faultDice.chance(this.#faults.unknownOutcome);
    if (unknown && this.#faultDice.below(2) === 0) throw new UnknownOutcome(`${operation.operation}: no answer`);
    const result = action();
    if (unknown) throw new UnknownOutcome(`${operation.operation}: no answer`);
    const told = this.#tell({ namespace, when: 'after', ...operation });
    const end = (): T => {
      if (crashes === 'after') throw new Crash(`after ${port}.${operation.operation}`);
      return result;
    };
    return told === undefined ? end() : told.then(end);
  }

  /** @returns when all hooks have been told, or nothing where none of them waits */
  #tell(call: PortCall): Promise<void> | undefined {
    let waiting: Promise<void> | undefined;
    for (const hook of this.#hooks) {
      if (waiting) waiting = waiting.then(() => hook(call));
      else waiting = hook(call) ?? undefined;
    }
    return waiting;
  }

  async #runVirtual(
    { until = Number.POSITIVE_INFINITY, stopWhen, maxBatches }: RunOptions,
    clock: VirtualClock,
  ): Promise<WhyStopped> {
    const last = this.#finished + (maxBatches ?? Number.POSITIVE_INFINITY);
    for (let asked = -1; ; ) {
      if (asked !== this.#finished && stopWhen?.()) return 'stopped';
      asked = this.#finished;
      if (this.#finished >= last) return 'maxBatches';
      if (this.#arrivals.length > 0) await this.#rest();
      this.#queues.release();
      const startable = this.#running < this.#concurrency ? this.#ready.length : 0;
      if (startable + this.#parked.length > 0) {
        await (this.#startsNext(startable) ? this.#start(this.#dice.below(startable)) : this.#resumeOne());
        continue;
      }
      if (this.#running > 0) {
        // A timer of the handler's own, most likely: real time has to pass.
        await this.#sleep(LONGEST_SLEEP_MS);
        continue;
      }
      const next = this.#nextEvent(until);
      if (next === undefined) return 'idle';
      clock.moveTo(Math.min(next, until));
      if (next > until) return 'until';
      this.#fireRules();
    }
  }

  async #runReal(
    { until = Number.POSITIVE_INFINITY, stopWhen, maxBatches }: RunOptions,
    keepAlive: boolean,
  ): Promise<WhyStopped> {
    const last = this.#finished + (maxBatches ?? Number.POSITIVE_INFINITY);
    for (let asked = -1; ; ) {
      const stopping: WhyStopped | undefined =
        this.#stopping || (asked !== this.#finished && stopWhen?.()) ? 'stopped' : undefined;
      const why = stopping ?? (this.#finished >= last ? 'maxBatches' : undefined);
      if (why) return this.#drain(why);
      asked = this.#finished;
      this.#queues.release();
      this.#fireRules();
      while (this.#running < this.#concurrency && this.#ready.length > 0)
        void this.#start(this.#dice.below(this.#ready.length));
      const next = this.#nextEvent(until);
      if (this.#running === 0 && !keepAlive && next === undefined) return 'idle';
      if (this.#running === 0 && this.#now() >= until) return 'until';
      await this.#sleep(Math.min(next ?? until, until) - this.#now());
    }
  }

  /** Batches that have begun are finished. */
  async #drain(why: WhyStopped): Promise<WhyStopped> {
    while (this.#running > 0) await this.#sleep(LONGEST_SLEEP_MS);
    return why;
  }

  /** Rules alone keep nothing alive, unless the run goes on until a given time. */
  #nextEvent(until: number): number | undefined {
    const due = this.#queues.nextDue();
    if (due === undefined && until === Number.POSITIVE_INFINITY) return undefined;
    const times = [...this.#rules].map(({ next }) => next);
    if (due !== undefined) times.push(due);
    return times.length > 0 ? Math.min(...times) : undefined;
  }

  #fireRules(): void {
    for (const rule of this.#rules) {
      if (rule.next > this.#now()) continue;
      rule.next += rule.everyMs;
      rule.fire();
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#wake = () => {};
        resolve();
      };
      const timer = setTimeout(wake, Math.max(0, Math.min(ms, LONGEST_SLEEP_MS)));
      this.#wake = wake;
    });
  }

  #update(subscription: Subscription): void {
    const { queue, running, maxConcurrency, position } = subscription;
    const subscribed = this.#subscriptions.get(queue) === subscription;
    const ready = subscribed && running < maxConcurrency && this.#queues.visibleCount(queue) > 0;
    if (ready && position < 0) {
      subscription.position = this.#ready.push(subscription) - 1;
    } else if (!ready && position >= 0) {
      const moved = this.#ready.pop();
      if (moved && moved !== subscription) {
        this.#ready[position] = moved;
        moved.position = position;
      }
      subscription.position = -1;
    }
  }

  /** @returns resolves when the batch is over or, where batches interleave, waits at its first port call */
  #start(index: number): Promise<void> {
    const subscription = this.#ready[index];
    if (!subscription) return Promise.resolve();
    const { queue, batchSize, handler } = subscription;
    // Half of the batches are as full as they can be, as under load; the others are cut anywhere.
    const most = this.#dice.below(2) === 0 ? batchSize : 1 + this.#dice.below(batchSize);
    const batch = this.#queues.receive(queue, most);
    if (batch.length > 0) subscription.running++;
    this.#update(subscription);
    if (batch.length === 0) return Promise.resolve();
    this.#running++;
    const task: Task = { of: this, number: this.#begun++, subscription, batch, state: 'running', quiet: () => {} };
    const quiet = new Promise<void>((resolve) => {
      task.quiet = resolve;
    });
    if (this.#concurrency === 1 || this.#oneAtATime) this.#current = task;
    if (this.#follows) tasks.run(task, () => void this.#handle(task, handler));
    else void this.#handle(task, handler);
    if (this.#virtual && (this.#concurrency > 1 || this.#oneAtATime)) return this.#rest();
    return quiet.then(() => (this.#arrivals.length > 0 ? this.#rest() : undefined));
  }

  async #handle(task: Task, handler: Handler): Promise<void> {
    try {
      const failed = new Set((await handler(task.batch)).failed);
      const given = new Set(task.batch.map(({ messageId }) => messageId));
      // Lambda: an id that was not in the batch makes all of it a failure.
      if ([...failed].some((id) => !given.has(id)))
        throw new Error('the handler reported a message that it was not given');
      this.#end(task, 'ended', undefined, failed);
    } catch (error) {
      this.#end(task, 'ended', error);
    }
  }

  /** @param failed ids that come again; default the whole batch */
  #end(task: Task, state: 'ended' | 'crashed', error?: unknown, failed?: ReadonlySet<string>): void {
    if (task.state !== 'running') return;
    task.state = state;
    if (failed)
      for (const received of task.batch) if (!failed.has(received.messageId)) this.#queues.acknowledge(received);
    task.subscription.running--;
    // One that is over and calls nevertheless is to be noticed: here that is known until all has come to rest.
    if (this.#current === task && !this.#oneAtATime) this.#current = undefined;
    this.#running--;
    this.#finished++;
    this.#update(task.subscription);
    if (!failed) for (const listener of this.#failureListeners) listener(task.subscription.queue, error);
    task.quiet();
    this.#wake();
  }

  #park(task: Task, operation: PortOperation): Promise<void> {
    return new Promise((resume) => {
      this.#arrivals.push({ task, operation, resume });
      task.quiet();
      this.#wake();
    });
  }

  /** Weighed by a bias of the run, so that some seeds pile up batches at their port calls, and others hurry them through. */
  #startsNext(startable: number): boolean {
    if (startable === 0 || this.#parked.length === 0) return startable > 0;
    return this.#dice.below(4) < this.#startBias;
  }

  async #resumeOne(): Promise<void> {
    const [call] = this.#parked.splice(this.#dice.below(this.#parked.length), 1);
    if (this.#oneAtATime) this.#current = call?.task;
    call?.resume();
    await this.#rest();
  }

  /** Until all that was set going waits at a port call or is over; what waits now can be drawn. */
  async #rest(): Promise<void> {
    const unordered = await this.#background.settled();
    if (this.#oneAtATime) this.#current = undefined;
    const arrivals = this.#arrivals;
    this.#arrivals = [];
    if (unordered && arrivals.length > 1) arrivals.sort(inOrder);
    this.#parked.push(...arrivals);
  }
}

function inOrder(a: ParkedCall, b: ParkedCall): number {
  return a.task.number - b.task.number || compare(nameOf(a.operation), nameOf(b.operation));
}

function nameOf(operation: PortOperation): string {
  return `${operation.operation} ${subjectOf(operation)}`;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** What a dead function gets from its ports. */
function neverAgain(): Promise<never> {
  return new Promise(() => {});
}
