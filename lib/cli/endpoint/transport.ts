/** A producer's way to an embedded committee: the same {@link CoterieClient}, without a queue service. */
import type { Received, Transport } from '../../client/transport.ts';
import type { EndpointPlace } from './client.ts';

const MOST_SECONDS = 20;

/**
 * One operator's client at an embedded committee. Events are remembered there and not taken off: what was dealt with is told apart by its number, and a new transport
 * hears everything again.
 */
export class EndpointTransport implements Transport {
  readonly #place: EndpointPlace;
  readonly #identity: string;
  readonly #after = new Map<string, number>();

  constructor(place: EndpointPlace, identity: string) {
    this.#place = place;
    this.#identity = identity;
  }

  async instruct(coin: string, body: string): Promise<void> {
    await this.#place.send([{ identity: this.#identity, coin, message: 'MultisigInstruction', body }]);
  }

  async receive(coin: string, waitSeconds: number, signal: AbortSignal): Promise<readonly Received[]> {
    const asked = this.#place.events(
      this.#identity,
      coin,
      this.#after.get(coin) ?? 0,
      Math.min(waitSeconds, MOST_SECONDS),
    );
    const { bodies, next } = await Promise.race([asked, aborted(signal)]);
    return bodies.map((body, i) => ({
      body,
      done: async () => {
        if (i === bodies.length - 1) this.#after.set(coin, next);
      },
    }));
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const reason = () => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    if (signal.aborted) reason();
    else signal.addEventListener('abort', reason, { once: true });
  });
}
