import { describe, expect, test } from 'vitest';
import { simulate } from './simulation.ts';

const RUNS = 8;
/** Seeds until two payments of one token are found, where the threshold lets there be two. */
const MOST_SEEDS = 20;

describe('ECASH-08: whatever a client and f services do', () => {
  test('issued − redeemed = outstanding, a serial is spent once, and one request has one answer', async () => {
    let [crashes, effective, refused] = [0, 0, 0];
    for (let seed = 0; seed < RUNS; seed++) {
      const outcome = await simulate(seed, { n: 7, t: 5, f: 2 });
      expect(outcome.violations, `seed ${seed}`).toEqual([]);
      crashes += outcome.crashes;
      effective += outcome.effective;
      refused += outcome.refused;
    }
    // A simulation in which nothing happens finds nothing.
    expect(Math.min(crashes, effective, refused)).toBeGreaterThan(RUNS);
  }, 60_000);

  test('at 2t ≤ n + f the services do not start, and told to start they sign two payments of one token', async () => {
    const weak = { n: 7, t: 4, f: 2 };
    await expect(simulate(0, weak)).rejects.toThrow('expected 2t > n + f');
    const found: string[] = [];
    let seed = 0;
    for (; seed < MOST_SEEDS && found.length === 0; seed++)
      found.push(...(await simulate(seed, { ...weak, unsafe: true })).violations);
    expect(found.join('; '), `after ${seed} seeds`).toMatch(/double spend/);
  }, 60_000);
});
