/** Things to do at a time: a binary heap by time, then by age, so that one seed fires them in one order. */

interface Timer {
  readonly time: number;
  readonly age: number;
  /** `undefined` once cancelled. */
  fire: (() => void) | undefined;
}

export class Timers {
  #heap: Timer[] = [];
  #age = 0;
  #cancelled = 0;

  /** @param time milliseconds UTC @returns cancels the timer; of no effect once it fired */
  at(time: number, fire: () => void): () => void {
    const timer: Timer = { time, age: this.#age++, fire };
    this.#heap.push(timer);
    this.#up(this.#heap.length - 1);
    return () => this.#cancel(timer);
  }

  next(): number | undefined {
    while (this.#heap[0] && !this.#heap[0].fire) this.#pop();
    return this.#heap[0]?.time;
  }

  /** Fires everything due at `now`. */
  fire(now: number): void {
    for (let time = this.next(); time !== undefined && time <= now; time = this.next()) {
      const timer = this.#pop();
      const action = timer?.fire;
      if (timer) timer.fire = undefined;
      action?.();
    }
  }

  #cancel(timer: Timer): void {
    if (!timer.fire) return;
    timer.fire = undefined;
    this.#cancelled++;
    // Most timers are cancelled within the same virtual instant: without this, a long run would keep every message it ever received.
    if (this.#cancelled > 1024 && this.#cancelled * 2 > this.#heap.length) {
      this.#heap = this.#heap.filter(({ fire }) => fire).sort((a, b) => (before(a, b) ? -1 : 1));
      this.#cancelled = 0;
    }
  }

  #pop(): Timer | undefined {
    const top = this.#heap[0];
    const last = this.#heap.pop();
    if (last && this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#down(0);
    }
    if (top && !top.fire) this.#cancelled--;
    return top;
  }

  #up(start: number): void {
    for (let at = start; at > 0; ) {
      const parent = (at - 1) >>> 1;
      if (!this.#swapIfBefore(at, parent)) return;
      at = parent;
    }
  }

  #down(start: number): void {
    for (let at = start; ; ) {
      const left = 2 * at + 1;
      const right = left + 1;
      const [l, r] = [this.#heap[left], this.#heap[right]];
      if (!l) return;
      const child = r && before(r, l) ? right : left;
      if (!this.#swapIfBefore(child, at)) return;
      at = child;
    }
  }

  #swapIfBefore(lower: number, upper: number): boolean {
    const [a, b] = [this.#heap[lower], this.#heap[upper]];
    if (!a || !b || !before(a, b)) return false;
    this.#heap[lower] = b;
    this.#heap[upper] = a;
    return true;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.time < b.time || (a.time === b.time && a.age < b.age);
}
