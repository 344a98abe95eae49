/** Time: the machine's, or a virtual one that only moves when the cloud moves it. */
import type { Clock } from '../ports.ts';

/** 2026-01-01T00:00:00Z: where virtual time begins unless told otherwise. */
export const DEFAULT_START_TIME = 1_767_225_600_000;

export const systemClock: Clock = { now: () => Date.now() };

export class VirtualClock implements Clock {
  #now: number;

  /** @param startTime milliseconds since 1970-01-01 UTC */
  constructor(startTime: number = DEFAULT_START_TIME) {
    this.#now = startTime;
  }

  now(): number {
    return this.#now;
  }

  /** Never backwards: an operator whose clock jumps back has a {@link SkewedClock}. */
  moveTo(time: number): void {
    if (time > this.#now) this.#now = time;
  }
}

/** How one operator sees the time of the world. */
export class SkewedClock implements Clock {
  readonly #world: Clock;
  skewMs: number;

  constructor(world: Clock, skewMs: number) {
    this.#world = world;
    this.skewMs = skewMs;
  }

  now(): number {
    return this.#world.now() + this.skewMs;
  }
}
