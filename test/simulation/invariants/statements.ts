import type { Said } from '../testimony.ts';
import type { Report } from './violation.ts';

/** 4: what an honest operator says in a place, it says for ever, whether it stored it or sent it. */
export class OneStatement {
  readonly #places = new Map<string, string>();
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  said({ statement, hash }: Said): void {
    const { type, ceremony, coin, slot, from, to } = statement;
    const place = `${from} ${coin} ${type} ${ceremony} ${slot} ${to}`;
    const before = this.#places.get(place);
    if (before === undefined) this.#places.set(place, hash);
    else if (before !== hash)
      this.#report(4, `operator ${from} said two things as ${type} in slot '${slot}' to ${to} of ${ceremony}`);
  }
}
