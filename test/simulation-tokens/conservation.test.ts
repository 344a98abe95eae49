import { describe, expect, test } from 'vitest';
import { EVENTS, simulate } from './simulation.ts';

const RUNS = 8;
/** Seeds until two payments of one token are found, where the threshold lets there be two. */
const MOST_SEEDS = 20;

describe('ECASH-08: whatever a client and f services do', () => {
  test('issued − redeemed = outstanding, a serial is spent once, one request has one answer, and honest wallets have all that is theirs', async () => {
    const totals = new Map<string, number>();
    for (let seed = 0; seed < RUNS; seed++) {
      const { violations, counts } = await simulate(seed, { n: 7, t: 5, f: 2 });
      expect(violations, `seed ${seed}`).toEqual([]);
      for (const event of EVENTS) totals.set(event, (totals.get(event) ?? 0) + counts[event]);
    }
    // A simulation in which nothing happens finds nothing.
    for (const event of EVENTS) expect(totals.get(event), event).toBeGreaterThan(0);
  }, 240_000);

  test('at 2t ≤ n + f the services do not start, and told to start they sign two payments of one token', async () => {
    const weak = { n: 7, t: 4, f: 2, wallets: 0 };
    await expect(simulate(0, weak)).rejects.toThrow('expected 2t > n + f');
    const found: string[] = [];
    let seed = 0;
    for (; seed < MOST_SEEDS && found.length === 0; seed++)
      found.push(...(await simulate(seed, { ...weak, unsafe: true })).violations);
    expect(found.join('; '), `after ${seed} seeds`).toMatch(/double spend/);
  }, 240_000);
});
