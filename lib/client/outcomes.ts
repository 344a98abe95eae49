/** What an operator tells its client, as an iterator: delivered at least once by the queue, handed on once each. */
import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { type Payload, parseBody } from '../messages/catalogue.ts';
import type { MultisigEvent } from '../messages/events.ts';
import type { Transport } from './transport.ts';

/** `{ kind, ...fields }`, so that a switch over `kind` is exhaustive. */
type Tagged<Event> = Event extends unknown
  ? { [Kind in keyof Event]: { readonly kind: Kind } & Event[Kind] }[keyof Event]
  : never;

export type Outcome =
  | Tagged<MultisigEvent>
  | ({ readonly kind: 'PublicAddressAvailable' } & Payload<'PublicAddressAvailable'>);

/** Ids remembered: SQS redelivers within hours, a producer with so many outcomes in hours has other troubles. */
const REMEMBERED = 10_000;
const LONG_POLL_SECONDS = 20;
/** Between two rounds that brought nothing that is understood. */
const PAUSE_MILLISECONDS = 100;

export class Outcomes implements AsyncIterable<Outcome> {
  readonly #transport: Transport;
  readonly #coins: readonly string[];
  readonly #signal: AbortSignal;
  readonly #waitSeconds: number;
  readonly #known = new Set<string>();

  constructor(
    transport: Transport,
    coins: readonly string[],
    {
      signal = new AbortController().signal,
      waitSeconds = LONG_POLL_SECONDS,
    }: { signal?: AbortSignal; waitSeconds?: number },
  ) {
    this.#transport = transport;
    this.#coins = coins;
    this.#signal = signal;
    // Queues are asked in turn: a long wait on one would be a late answer of the other.
    this.#waitSeconds = coins.length > 1 ? Math.min(waitSeconds, 2) : waitSeconds;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Outcome> {
    while (!this.#signal.aborted) {
      let quiet = true;
      for (const coin of this.#coins) {
        for (const { body, done } of await this.#receive(coin)) {
          const heard = outcomeOf(body);
          // Not of this catalogue: perhaps of a newer one. It is left for whoever understands it, and ends in the dead letters.
          if (!heard) continue;
          quiet = false;
          if (!this.#known.has(heard.id)) {
            yield heard.outcome;
            this.#remember(heard.id);
          }
          await done();
        }
      }
      // A transport that never waits would be asked for ever, and nothing else of the process would have its turn.
      if (quiet) await this.#pause();
    }
  }

  async #receive(coin: string) {
    if (this.#signal.aborted) return [];
    try {
      return await this.#transport.receive(coin, this.#waitSeconds, this.#signal);
    } catch (error) {
      if (this.#signal.aborted) return [];
      throw error;
    }
  }

  async #pause(): Promise<void> {
    await setTimeout(PAUSE_MILLISECONDS, undefined, { signal: this.#signal }).catch((error: unknown) => {
      if (!this.#signal.aborted) throw error;
    });
  }

  #remember(id: string): void {
    this.#known.add(id);
    const [oldest] = this.#known;
    if (this.#known.size > REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
  }
}

/** @returns nothing for a body that is neither an event nor an address */
export function outcomeOf(body: string): { readonly id: string; readonly outcome: Outcome } | undefined {
  const parsed = parseBody(body);
  if (!parsed.ok) return undefined;
  if (parsed.name === 'PublicAddressAvailable') {
    const payload = parsed.payload as Payload<'PublicAddressAvailable'>;
    // It has no id of its own: the same certificate of the same key is the same fact.
    const id = createHash('sha256').update(JSON.stringify(payload)).digest('hex');
    return { id, outcome: { kind: 'PublicAddressAvailable', ...payload } };
  }
  if (parsed.name !== 'MultisigEvent') return undefined;
  const [[kind, fields] = []] = Object.entries(parsed.payload as MultisigEvent);
  // One key, by the schema that has just parsed it.
  return fields && { id: fields.id, outcome: { kind, ...fields } as Outcome };
}
