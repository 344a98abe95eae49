import { expect, test } from 'vitest';
import { broken, crashAt, type Phase } from './sweep.ts';
import { NodeWorld } from './world.ts';

/** Coprime with the number of calls of a stage, so that the sample falls on every kind of call; `scripts/sweep.ts` does them all. */
const STRIDE: Record<Phase, number> = { keygen: 23, signing: 13 };

test.each(['keygen', 'signing'] as const)(
  'SRV-01 an operator that dies at any port call of %s finishes it when its message comes back',
  async (phase) => {
    const { calls, world } = await crashAt(phase, Number.POSITIVE_INFINITY, 'before');
    expect(broken(world, phase)).toBeUndefined();
    expect(calls).toBeGreaterThan(50);
    const wrong: string[] = [];
    for (let at = 0, turn = 0; at < calls; at += STRIDE[phase], turn++) {
      const when = turn % 2 === 0 ? 'after' : 'before';
      const run = await crashAt(phase, at, when);
      expect(run.crashed).toBe(true);
      const why = broken(run.world, phase);
      if (why) wrong.push(`${when} call ${at}: ${why}`);
    }
    expect(wrong).toEqual([]);
  },
);

test('SRV-02 duplicates, delays, reordering and interleaving change no result, over 20 seeds', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = new NodeWorld({
      seed,
      coin: seed % 2 === 0 ? 'btc' : 'sol',
      cloud: { concurrency: 4, faults: { duplicate: 0.3, duplicateLagSeconds: 60, delay: 0.3, maxDelaySeconds: 20 } },
    });
    await world.assembled();
    await world.instruct(world.sign());
    await world.run();
    expect(broken(world, 'signing'), `seed ${seed}`).toBeUndefined();
    expect(new Set(world.operators.map((operator) => world.signing(operator)?.ceremony)).size).toBe(1);
  }
});

test('SRV-03 answers that were lost and services that ask to wait lose no ceremony', async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const world = new NodeWorld({
      seed,
      genesisLife: 100_000,
      cloud: { faults: { throttle: 0.005, unknownOutcome: 0.02, refuse: 0.01 } },
    });
    await world.assembled();
    expect(
      world.operators.map((operator) => world.keygen(operator)?.stage),
      `seed ${seed}`,
    ).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
    await world.instruct(world.sign({ expiresAt: world.committee.now() + 100_000 }));
    await world.run();
    expect(broken(world, 'signing'), `seed ${seed}`).toBeUndefined();
  }
});
