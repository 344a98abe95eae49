import type { Report } from './violation.ts';

/** For each message that a function is handed. What the largest batch of a ceremony of n costs was measured; this is some four times that. */
const CALLS_PER_DELIVERY = 60;
/** What a role may spend before anybody has sent it anything: the scheduled rule, its own start. */
const CALLS_AT_LEAST = 2_000;
const BYTES_PER_CEREMONY_AND_PEER = 60_000;
const BYTES_AT_LEAST = 100_000;

/** 11: what a peer can make an operator do and keep is bounded by how much it sends. */
export class Bounds {
  readonly #calls = new Map<string, number>();
  readonly #deliveries = new Map<string, number>();
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  called(namespace: string): void {
    this.#calls.set(namespace, (this.#calls.get(namespace) ?? 0) + 1);
  }

  delivered(namespace: string, messages: number): void {
    this.#deliveries.set(namespace, (this.#deliveries.get(namespace) ?? 0) + messages);
  }

  /** The most calls for a delivery that any role has made so far. */
  get worst(): number {
    let worst = 0;
    for (const [namespace, calls] of this.#calls)
      worst = Math.max(worst, calls / Math.max(1, this.#deliveries.get(namespace) ?? 0));
    return worst;
  }

  /** @param n operators @param stored bytes by namespace @param ceremonies that were ever begun, by anybody */
  finish(n: number, stored: ReadonlyMap<string, number>, ceremonies: number): void {
    for (const [namespace, calls] of this.#calls) {
      const most = CALLS_AT_LEAST + CALLS_PER_DELIVERY * (this.#deliveries.get(namespace) ?? 0);
      if (calls > most) this.#report(11, `${namespace} made ${calls} port calls, expected at most ${most}`);
    }
    for (const [namespace, bytes] of stored) {
      const most = BYTES_AT_LEAST + BYTES_PER_CEREMONY_AND_PEER * n * Math.max(1, ceremonies);
      if (bytes > most) this.#report(11, `${namespace} keeps ${bytes} bytes, expected at most ${most}`);
    }
  }
}
