/**
 * Repetition in one place. The clients make one attempt at each request: an SDK that repeats a conditional write whose answer was lost would report a failed
 * condition for a write that succeeded.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Throttled, Unavailable, UnknownOutcome } from '../ports.ts';

/** `throttled`: only what certainly was not done. `any`: the operation may be done twice without harm. */
export type Repeatable = 'throttled' | 'any';

export interface Patience {
  readonly attempts: number;
  /** Milliseconds before the second attempt, doubled for each further one, with full jitter. */
  readonly base: number;
}

export const PATIENCE: Patience = { attempts: 4, base: 40 };

export async function repeat<Result>(
  repeatable: Repeatable,
  patience: Patience,
  operation: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation();
    } catch (error) {
      const harmless =
        error instanceof Throttled ||
        (repeatable === 'any' && (error instanceof Unavailable || error instanceof UnknownOutcome));
      if (!harmless || attempt >= patience.attempts) throw error;
      await pause(patience, attempt);
    }
  }
}

/** Full jitter: those who collided once do not collide again in step. */
export async function pause({ base }: Patience, attempt: number): Promise<void> {
  const most = Math.ceil(base * 2 ** (attempt - 1));
  if (most > 0) await sleep(randomInt(most + 1));
}
