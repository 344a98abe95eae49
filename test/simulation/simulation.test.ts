/**
 * A few whole runs, the same ones every time; `npm run simulate -- --seeds 10000` makes thousands.
 */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { RoleName } from '../../lib/local/committee.ts';
import { HALT } from '../../lib/node/rows.ts';
import { type Ports, storeWith, type Write } from '../../lib/ports.ts';
import type { Invariant } from './invariants/violation.ts';
import { castingFor } from './liars.ts';
import { type RunResult, simulate } from './run.ts';
import type { Profile } from './swarm.ts';
import { Tally } from './tally.ts';
import type { SimulationOptions } from './world.ts';

/** Not a claim about speed: the default is too short for a busy machine. */
const PATIENCE = { timeout: 600_000 };

const seeds = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

/** Runs all, and says of the first that is broken how to see it again. */
async function allHold(runs: readonly SimulationOptions[]): Promise<Tally> {
  const tally = new Tally();
  for (const options of runs) {
    const { violations, counts } = await simulate(options);
    expect(violations, `npm run simulate -- --seed ${options.seed}${options.casting ? ' --byzantine' : ''}`).toEqual(
      [],
    );
    tally.merge(counts);
  }
  return tally;
}

test(
  'every invariant holds in every run of the fixed seeds, and what must happen sometimes happens',
  PATIENCE,
  async () => {
    const tally = await allHold(seeds(1, 10).map((seed) => ({ seed })));
    expect(
      tally.missing([
        'crashes',
        'redeliveries',
        'throttled calls',
        'applied, but an error',
        'no answer, and nothing done',
        'two versions in one ceremony',
        'records handled and reported as failed',
        'messages from the archive',
        'a share released',
        'a signature seen',
        'keygen ended Succeeded',
        'signing ended Succeeded',
      ]),
    ).toEqual([]);
  },
);

test('every invariant holds with t − 1 Byzantine operators, whatever their vices', PATIENCE, async () => {
  const runs = seeds(101, 5).map((seed) => ({ seed, casting: castingFor(seed, 3, 2) }));
  const tally = await allHold(runs);
  expect(tally.missing(['lies told', 'a signature seen'])).toEqual([]);
});

test('a larger committee, 3 of 5', PATIENCE, async () => {
  await allHold([{ seed: 201, operators: 5, threshold: 3 }]);
});

describe('one seed is one run', () => {
  test.each([
    ['with the stand-in for HPKE', { seed: 7 }],
    ['with HPKE', { seed: 7, profile: { realSealing: true } }],
    ['with a Byzantine operator', { seed: 103, casting: true }],
  ] as const)('%s', PATIENCE, async (_, options) => {
    const digest = async (): Promise<string> => {
      const hash = createHash('sha256');
      const casting = 'casting' in options ? castingFor(options.seed, 3, 2) : undefined;
      const { casting: __, ...rest } = { casting: undefined, ...options };
      await simulate({ ...rest, casting, trace: (line) => hash.update(`${line}\n`) });
      return hash.digest('hex');
    };
    expect(await digest()).toBe(await digest());
  });
});

// ------------------------------------------------------------------------------------------------ defects are found

const CALM: Partial<Profile> = {
  actions: [],
  lossy: new Map(),
  skewMs: [0, 0, 0],
  harmless: true,
  realSealing: false,
  replay: false,
  afterlifeDays: 0,
};

type Sabotage = (ports: Ports, role: RoleName) => Ports;

/** A defect in what a transaction asks for. */
const transacting =
  (change: (writes: readonly Write[]) => readonly Write[]): Sabotage =>
  (ports) => ({
    ...ports,
    store: storeWith(ports.store, { transact: (writes, token) => ports.store.transact(change(writes), token) }),
  });

interface Defect {
  readonly what: string;
  readonly found: readonly Invariant[];
  readonly sabotage: Sabotage;
  readonly profile: Partial<Profile>;
  /** Runs within which it must be found. */
  readonly within: number;
}

const DEFECTS: readonly Defect[] = [
  {
    what: 'a halt switch that is not looked at when a share is committed',
    found: [6],
    sabotage: transacting((writes) => writes.filter((write) => write.kind !== 'check' || write.key.sk !== HALT.sk)),
    profile: {
      ...CALM,
      actions: [1, 2, 3].map((operator) => ({ at: 60, action: { kind: 'halt', operator, seconds: 900 } })),
    },
    within: 2,
  },
  {
    what: 'a memory of what was said that remembers nothing, and a restored table',
    found: [4, 7],
    sabotage: transacting((writes) =>
      writes.filter((write) => write.kind !== 'put' || !write.item.sk.startsWith('SAID#')),
    ),
    profile: {
      ...CALM,
      harmless: false,
      afterlifeDays: 2,
      // While the key is made, and some changes back: a table of before the ceremony or of after it says nothing twice.
      actions: [{ at: 120, action: { kind: 'restore', operator: 1, role: 'processor', table: 'Ceremonies', age: 15 } }],
    },
    within: 4,
  },
  {
    what: 'transactions without their conditions',
    found: [10, 4, 7, 5],
    sabotage: transacting((writes) =>
      writes.flatMap((write): Write[] => {
        if (write.kind === 'check') return [];
        const { condition: _, ...bare } = write;
        return [bare];
      }),
    ),
    profile: { ...CALM, concurrency: 8 },
    within: 4,
  },
  {
    what: 'a share of the key that is deleted with the ephemeral secrets',
    found: [3],
    sabotage: transacting((writes) => {
      const certified = writes.find((write) => write.kind === 'put' && write.item['status'] === 'certified');
      const { pk = '' } = certified?.kind === 'put' ? certified.item : {};
      return certified ? [...writes, { kind: 'delete', table: 'Keys', key: { pk, sk: 'SHARE' } }] : writes;
    }),
    profile: CALM,
    within: 1,
  },
  {
    what: 'a random value in a log',
    found: [9],
    sabotage: (ports) => ({
      ...ports,
      random: {
        bytes: (length) => {
          const bytes = ports.random.bytes(length);
          ports.telemetry.record('Stage', { bytes: Buffer.from(bytes).toString('base64') });
          return bytes;
        },
      },
    }),
    profile: { ...CALM, scan: true },
    within: 1,
  },
  {
    what: 'an outbox that is never looked at again',
    found: [12],
    sabotage: (ports) => ({
      ...ports,
      store: storeWith(ports.store, {
        query: (table, pk, prefix) => (prefix === 'OUT#' ? Promise.resolve([]) : ports.store.query(table, pk, prefix)),
      }),
    }),
    profile: {
      ...CALM,
      calls: {
        crashBefore: 0.02,
        crashAfter: 0.03,
        throttle: 0,
        conflict: 0,
        unknownNotApplied: 0,
        appliedButError: 0,
        kmsDenied: 0,
        leaseExpiry: 0,
        clockJump: 0,
      },
    },
    within: 4,
  },
];

test.each(DEFECTS)('a defect is found: $what', PATIENCE, async ({ found, sabotage, profile, within }) => {
  const broken: RunResult[] = [];
  for (const seed of seeds(301, within)) {
    const result = await simulate({ seed, profile, sabotage });
    if (result.violations.length > 0) broken.push(result);
    if (broken.length > 0) break;
  }
  const [first] = broken.flatMap(({ violations }) => violations);
  expect(found).toContain(first?.invariant);
});
