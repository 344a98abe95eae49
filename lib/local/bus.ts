/** SQS standard queues in process: at least once, no order, visibility timeouts, delays, duplicates, dead letters, retention. */
import type { Delivery, MessageBus, OutgoingMessage, QueueName } from '../ports.ts';
import type { Gate } from './gate.ts';
import { checkMessage, MAX_VISIBILITY_SECONDS, RETENTION_SECONDS } from './limits.ts';
import type { SeededRandom } from './random.ts';
import { Timers } from './timers.ts';

const DEFAULT_VISIBILITY_SECONDS = 360;
const DEFAULT_MAX_RECEIVES = 10;

export interface QueueOptions {
  /** Default 360: six times the functions' timeout. */
  readonly visibilityTimeoutSeconds?: number;
  /** Receives after which a message goes to the dead-letter queue, if there is one. Default 10. */
  readonly maxReceiveCount?: number;
  readonly deadLetterQueue?: QueueName;
}

/** What may go wrong with one message on its way; probabilities 0 to 1. */
export interface MessageFaults {
  /** The message is there twice, under one id: half of the copies at once, half up to `duplicateLagSeconds` later. */
  readonly duplicate?: number;
  /** Default 900. */
  readonly duplicateLagSeconds?: number;
  /** The message comes up to `maxDelaySeconds` later than asked. */
  readonly delay?: number;
  /** Default 30. */
  readonly maxDelaySeconds?: number;
  /** The service does not accept the message: its index is in the returned list. */
  readonly refuse?: number;
}

export interface QueueDepth {
  readonly visible: number;
  /** Received, and neither deleted nor visible again. */
  readonly inFlight: number;
  /** Sent with a delay that is not over. */
  readonly delayed: number;
  /** Came here from a queue that gave them up. */
  readonly deadLetters: number;
}

/** A message as one receiver holds it: `receipt` is out of date once the message has been received again. */
export interface Received extends Delivery {
  readonly receipt: number;
}

interface Message {
  readonly id: string;
  body: string;
  queue: Queue;
  /** Milliseconds UTC. */
  sentAt: number;
  receiveCount: number;
  state: 'visible' | 'delayed' | 'inFlight' | 'gone';
  /** Cancels the timer that would show the message again. */
  cancel: (() => void) | undefined;
  /** Set in a dead-letter queue: where the message came from. */
  source: Queue | undefined;
}

class Queue {
  readonly name: QueueName;
  readonly options: QueueOptions;
  readonly visible: Message[] = [];
  readonly inFlight = new Map<string, Set<Message>>();
  inFlightCount = 0;
  delayedCount = 0;

  constructor(name: QueueName, options: QueueOptions) {
    this.name = name;
    this.options = options;
  }
}

export class LocalQueues {
  readonly #queues = new Map<QueueName, Queue>();
  readonly #now: () => number;
  readonly #dice: SeededRandom;
  readonly #faults: MessageFaults;
  readonly #timers = new Timers();
  readonly #onVisible: (queue: QueueName) => void;
  #messages = 0;

  /** @param onVisible told of every queue that gets a visible message @param now milliseconds UTC */
  constructor(now: () => number, dice: SeededRandom, faults: MessageFaults, onVisible: (queue: QueueName) => void) {
    this.#now = now;
    this.#dice = dice;
    this.#faults = faults;
    this.#onVisible = onVisible;
  }

  /** A queue that is there already is left as it is. */
  create(name: QueueName, options: QueueOptions = {}): void {
    if (!this.#queues.has(name)) this.#queues.set(name, new Queue(name, options));
  }

  has(name: QueueName): boolean {
    return this.#queues.has(name);
  }

  /** @returns whether the service took the message */
  send({ queue: name, body, delaySeconds = 0 }: OutgoingMessage): boolean {
    const queue = this.#queues.get(name);
    if (!queue || this.#dice.chance(this.#faults.refuse)) return false;
    const { delay, maxDelaySeconds = 30, duplicate, duplicateLagSeconds = 900 } = this.#faults;
    const late = this.#dice.chance(delay) ? this.#dice.below(maxDelaySeconds * 1000 + 1) : 0;
    const first = this.#enqueue(queue, this.#nextId(), body, delaySeconds * 1000 + late);
    if (this.#dice.chance(duplicate)) {
      const lag = this.#dice.below(2) === 0 ? 0 : this.#dice.below(duplicateLagSeconds * 1000 + 1);
      this.#enqueue(queue, first.id, body, delaySeconds * 1000 + lag);
    }
    return true;
  }

  visibleCount(name: QueueName): number {
    return this.#queues.get(name)?.visible.length ?? 0;
  }

  /** Up to `most` visible messages, drawn at random; they are hidden for the queue's visibility timeout. */
  receive(name: QueueName, most: number): Received[] {
    const queue = this.#known(name);
    const batch: Received[] = [];
    while (batch.length < most && queue.visible.length > 0) {
      const message = takeAt(queue.visible, this.#dice.below(queue.visible.length));
      if (this.#retained(message)) batch.push(this.#hand(queue, message));
    }
    return batch;
  }

  /** Deletes what was received. An out-of-date receipt deletes nothing: SQS promises no more, and handlers must live with it. */
  acknowledge({ queue, messageId, receipt }: Received): void {
    const message = this.#held(queue, messageId).find(({ receiveCount }) => receiveCount === receipt);
    if (message) this.#remove(message);
  }

  /** @param seconds 0 to 43,200, from now */
  changeVisibility(name: QueueName, messageId: string, seconds: number): void {
    if (!(seconds >= 0 && seconds <= MAX_VISIBILITY_SECONDS)) {
      throw new RangeError(`visibility: expected 0 to ${MAX_VISIBILITY_SECONDS} seconds, got ${seconds}`);
    }
    for (const message of this.#held(name, messageId)) this.#showLater(message, seconds * 1000);
  }

  /** When the next hidden message becomes visible, in milliseconds UTC. */
  nextDue(): number | undefined {
    return this.#timers.next();
  }

  /** Shows every message whose time has come. */
  release(): void {
    this.#timers.fire(this.#now());
  }

  /** Sends all dead letters back to where they came from, as new messages. @returns how many */
  redrive(deadLetterQueue: QueueName): number {
    const letters = this.#known(deadLetterQueue).visible.splice(0);
    const back: Message[] = [];
    for (const letter of letters) {
      if (letter.source && this.#retained(letter)) back.push(letter);
      else if (!letter.source) letter.queue.visible.push(letter);
    }
    for (const { source, body, queue } of back) this.#enqueue(source ?? queue, this.#nextId(), body, 0);
    return back.length;
  }

  busy(except: QueueName): boolean {
    for (const { name, visible, inFlightCount } of this.#queues.values())
      if (visible.length + inFlightCount > 0 && name !== except) return true;
    return false;
  }

  depths(): ReadonlyMap<QueueName, QueueDepth> {
    const depths = new Map<QueueName, QueueDepth>();
    for (const { name, visible, inFlightCount, delayedCount } of this.#queues.values()) {
      const deadLetters = visible.filter(({ source }) => source).length;
      depths.set(name, { visible: visible.length, inFlight: inFlightCount, delayed: delayedCount, deadLetters });
    }
    return depths;
  }

  deadLetters(name: QueueName): readonly Delivery[] {
    const letters = this.#known(name).visible.filter((message) => message.source && !this.#expired(message));
    return letters.map(({ id, body, receiveCount }) => ({ queue: name, messageId: id, body, receiveCount }));
  }

  #known(name: QueueName): Queue {
    const queue = this.#queues.get(name);
    if (!queue) throw new Error(`no queue ${name}`);
    return queue;
  }

  #nextId(): string {
    this.#messages++;
    return `00000000-0000-4000-8000-${this.#messages.toString(16).padStart(12, '0')}`;
  }

  #enqueue(queue: Queue, id: string, body: string, delayMs: number): Message {
    const sentAt = this.#now();
    const message: Message = {
      id,
      body,
      queue,
      sentAt,
      receiveCount: 0,
      state: 'visible',
      cancel: undefined,
      source: undefined,
    };
    if (delayMs === 0) {
      this.#show(message);
    } else {
      message.state = 'delayed';
      queue.delayedCount++;
      this.#timers.at(sentAt + delayMs, () => {
        queue.delayedCount--;
        this.#show(message);
      });
    }
    return message;
  }

  #show(message: Message): void {
    message.state = 'visible';
    message.queue.visible.push(message);
    this.#onVisible(message.queue.name);
  }

  #hand(queue: Queue, message: Message): Received {
    message.state = 'inFlight';
    message.receiveCount++;
    queue.inFlightCount++;
    const copies = queue.inFlight.get(message.id);
    if (copies) copies.add(message);
    else queue.inFlight.set(message.id, new Set([message]));
    this.#showLater(message, (queue.options.visibilityTimeoutSeconds ?? DEFAULT_VISIBILITY_SECONDS) * 1000);
    const { id, body, receiveCount, sentAt } = message;
    return { queue: queue.name, messageId: id, body, receiveCount, sentAt, receipt: receiveCount };
  }

  #showLater(message: Message, ms: number): void {
    message.cancel?.();
    message.cancel = this.#timers.at(this.#now() + ms, () => this.#reappear(message));
  }

  #reappear(message: Message): void {
    const { queue } = message;
    const { maxReceiveCount = DEFAULT_MAX_RECEIVES, deadLetterQueue } = queue.options;
    const graveyard = deadLetterQueue && this.#queues.get(deadLetterQueue);
    this.#letGo(message);
    if (graveyard && message.receiveCount >= maxReceiveCount) {
      message.source = queue;
      message.queue = graveyard;
    }
    this.#show(message);
  }

  #held(name: QueueName, messageId: string): Message[] {
    return [...(this.#queues.get(name)?.inFlight.get(messageId) ?? [])];
  }

  #letGo(message: Message): void {
    const { queue, id } = message;
    message.cancel?.();
    message.cancel = undefined;
    queue.inFlightCount--;
    const copies = queue.inFlight.get(id);
    copies?.delete(message);
    if (copies?.size === 0) queue.inFlight.delete(id);
  }

  #remove(message: Message): void {
    this.#letGo(message);
    message.state = 'gone';
    message.body = '';
  }

  #expired({ sentAt }: Message): boolean {
    return sentAt + RETENTION_SECONDS * 1000 <= this.#now();
  }

  #retained(message: Message): boolean {
    if (!this.#expired(message)) return true;
    message.state = 'gone';
    message.body = '';
    return false;
  }
}

/** Takes one element out in constant time; the order of the rest changes. */
function takeAt<T>(list: T[], index: number): T {
  const taken = list[index] as T;
  const last = list.pop() as T;
  if (index < list.length) list[index] = last;
  return taken;
}

export class LocalBus implements MessageBus {
  readonly #gate: Gate;
  readonly #namespace: string;
  readonly #accept: (message: OutgoingMessage) => boolean;

  /** @param accept sends one message; whether it was taken */
  constructor(gate: Gate, namespace: string, accept: (message: OutgoingMessage) => boolean) {
    this.#gate = gate;
    this.#namespace = namespace;
    this.#accept = accept;
  }

  send(messages: readonly OutgoingMessage[]): Promise<readonly number[]> {
    return this.#gate.pass(this.#namespace, { port: 'bus', operation: 'send', args: [messages] }, () => {
      for (const message of messages) checkMessage(message);
      return messages.flatMap((message, index) => (this.#accept(message) ? [] : [index]));
    });
  }
}
