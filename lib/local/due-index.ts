/** The sparse index of what is to be woken: a view of a table that follows it late, in both directions. */
import type { Key } from '../ports.ts';

interface Entry {
  readonly key: Key;
  readonly wakeAt: number;
  /** Shown from here, in milliseconds UTC. */
  readonly from: number;
  /** No longer shown from here. */
  until: number;
}

export class DueIndex {
  readonly #entries = new Map<string, Entry[]>();

  /**
   * A write that the index follows at the time `at`: until then what it showed of the item stays.
   * @param wakeAt seconds UTC; `undefined` if the item has none or is deleted @param removedAt milliseconds UTC of the TTL sweep
   */
  follow(key: Key, at: number, now: number, wakeAt: number | undefined, removedAt: number): void {
    const name = nameOf(key);
    const entries = this.#entries.get(name) ?? [];
    for (const entry of entries) entry.until = Math.min(entry.until, at);
    const kept = entries.filter(({ from, until }) => until > now && until > from);
    if (wakeAt !== undefined) kept.push({ key: { pk: key.pk, sk: key.sk }, wakeAt, from: at, until: removedAt });
    if (kept.length > 0) this.#entries.set(name, kept);
    else this.#entries.delete(name);
  }

  /** What the index shows at `now` (milliseconds UTC) with `wakeAt` up to `due` (seconds UTC). */
  shown(now: number, due: number): readonly { readonly key: Key; readonly wakeAt: number }[] {
    const shown: Entry[] = [];
    for (const [name, entries] of this.#entries) {
      if (entries.every(({ until }) => until <= now)) this.#entries.delete(name);
      else shown.push(...entries.filter(({ from, until, wakeAt }) => from <= now && now < until && wakeAt <= due));
    }
    return shown;
  }
}

/** Injective: the length of the first part says where it ends. */
function nameOf({ pk, sk }: Key): string {
  return `${pk.length}:${pk}${sk}`;
}
