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
    const { bodies, next } = await unlessAborted(asked, signal);
    return bodies.map((body, i) => ({
      body,
      done: async () => {
        if (i === bodies.length - 1) this.#after.set(coin, next);
      },
    }));
  }
}

/** The signal lives as long as the producer does: no call leaves a listener there. */
async function unlessAborted<Result>(asked: Promise<Result>, signal: AbortSignal): Promise<Result> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([asked, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
