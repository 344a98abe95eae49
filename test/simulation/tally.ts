/** How often what happened: the totals of a run, and the proof that the rare things happened at all. */
export class Tally {
  readonly counts = new Map<string, number>();

  add(what: string, times = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times);
  }

  merge(other: ReadonlyMap<string, number>): void {
    for (const [what, times] of other) this.add(what, times);
  }

  count(what: string): number {
    return this.counts.get(what) ?? 0;
  }

  /** What happened never, of what must. */
  missing(expected: readonly string[]): string[] {
    return expected.filter((what) => this.count(what) === 0);
  }
}
