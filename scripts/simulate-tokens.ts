/**
 * Conservation under attack, by seed: `npm run simulate:tokens [-- --runs 2000] [--from 0] [--seed 17] [--real 20]`. The tests run a few.
 *
 * `--deaths`: a real wallet dies after each call of each of its steps, and is restored; some minutes.
 *
 * Most runs are of the stand-in scheme, in which proofs are words; of every `runs / real` one is of the real scheme, with real wallets. `--seed` runs one seed and says what happened in it.
 */
import { parseArgs } from 'node:util';
import { wholeNumber } from '../lib/cli/usage.ts';
import { simulateReal } from '../test/simulation-tokens/real.ts';
import { EVENTS, type Event, simulate } from '../test/simulation-tokens/simulation.ts';
import { STEPS } from '../test/wallet/deaths.ts';
import { World } from '../test/wallet/world.ts';

/** A step that makes fewer calls than this is none. */
const LEAST_DEATHS = 3;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '2000' },
    from: { type: 'string', default: '0' },
    seed: { type: 'string' },
    deaths: { type: 'boolean', default: false },
    /** Runs of the real scheme, among all. */
    real: { type: 'string', default: '20' },
  },
});
if (values.deaths) {
  let wrongs = 0;
  for (const [name, step] of Object.entries(STEPS)) {
    const { deaths, wrong } = await step(await new World(4, 3, 1, `deaths in ${name}`).start(), 'all');
    wrongs += wrong.length + (deaths < LEAST_DEATHS ? 1 : 0);
    process.stdout.write(
      `${name}: ${deaths} deaths${wrong.length > 0 ? `; ${wrong.join('; ')}` : ', restored each time'}\n`,
    );
  }
  process.exit(wrongs > 0 ? 1 : 0);
}

const FIVE_OF_SEVEN = { n: 7, t: 5, f: 2 };
/** Of a word that is no number there would be no runs, and none of them would have failed. */
const number = (option: 'runs' | 'from' | 'seed' | 'real', least: number): number =>
  wholeNumber(`--${option}`, values[option] ?? '', least, 999_999_999);
const [runs, from] = values.seed === undefined ? [number('runs', 1), number('from', 0)] : [1, number('seed', 0)];
const real = values.seed === undefined ? number('real', 0) : 0;
const began = performance.now();
const totals = new Map<Event, number>();
const reals = new Map<string, number>();
let failures = 0;

function add<K>(to: Map<K, number>, counts: Readonly<Record<string, number>>): void {
  for (const [event, count] of Object.entries(counts)) to.set(event as K, (to.get(event as K) ?? 0) + count);
}

function failed(what: string, violations: readonly string[]): void {
  if (violations.length === 0) return;
  failures++;
  process.stdout.write(`${what}: ${violations.join('; ')}\n`);
}

const every = real > 0 ? Math.max(1, Math.floor(runs / real)) : Number.POSITIVE_INFINITY;
let done = 0;
for (let run = 0; run < runs; run++) {
  const seed = from + run;
  const { violations, counts } = await simulate(seed, FIVE_OF_SEVEN);
  add(totals, counts);
  failed(`seed ${seed}`, violations);
  if ((run + 1) % every === 0 && done < real) {
    done++;
    const outcome = await simulateReal(seed);
    add(reals, outcome.counts);
    failed(`seed ${seed}, real scheme`, outcome.violations);
  }
  if ((run + 1) % 50 === 0 || run + 1 === runs) {
    const seconds = Math.round((performance.now() - began) / 1000);
    process.stderr.write(
      `${run + 1} of ${runs} runs, ${done} of them of the real scheme too; ${failures} failures; ${seconds} s\n`,
    );
  }
}
const line = ([event, count]: readonly [string, number]): string => `${event} ${count}`;
process.stdout.write(`5 of 7, f = 2, ${runs} runs: ${failures} failures\n${[...totals].map(line).join(', ')}\n`);
if (done > 0) process.stdout.write(`real scheme, ${done} runs: ${[...reals].map(line).join(', ')}\n`);
// Where nothing happens, nothing is found.
const vacuous = EVENTS.filter((event) => (totals.get(event) ?? 0) === 0);
if (vacuous.length > 0) process.stdout.write(`never happened: ${vacuous.join(', ')}\n`);

let weak = 0;
if (values.seed === undefined) {
  const four = { n: 7, t: 4, f: 2, unsafe: true, wallets: 0 };
  while (weak < 100 && (await simulate(weak, four)).violations.length === 0) weak++;
  process.stdout.write(
    weak < 100
      ? `t = 4 of 7, f = 2, told to start: a double spend at seed ${weak}\n`
      : 'no double spend in 100 seeds at t = 4 of 7, f = 2\n',
  );
}
process.exitCode = failures > 0 || weak >= 100 || (runs > 20 && vacuous.length > 0) ? 1 : 0;
