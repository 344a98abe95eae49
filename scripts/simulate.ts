/**
 * `npm run simulate -- --seeds 10000 [--from 1] [--operators 3 --threshold 2] [--byzantine]`: whole lives of a committee under faults, on all cores.
 * `npm run simulate -- --seed 42`: one of them again, with everything that happened. `--totals file` adds what happened to what is in the file already.
 *
 * Bulk runs compute with quicker engines that give the same bytes; every 16th run is made of the product's own modules alone, with HPKE.
 * Ends with 0 if every invariant held in every run, and with 1 and the seeds if not.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { wholeNumber } from '../lib/cli/usage.ts';
import { INVARIANTS, type Violation } from '../test/simulation/invariants/violation.ts';
import { castingFor } from '../test/simulation/liars.ts';
import { simulate } from '../test/simulation/run.ts';
import { sometimes } from '../test/simulation/sometimes.ts';
import { runsOwn, swiftSimulator } from '../test/simulation/swift.ts';
import { Tally } from '../test/simulation/tally.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    operators: { type: 'string', default: '3' },
    threshold: { type: 'string', default: '2' },
    byzantine: { type: 'boolean', default: false },
    workers: { type: 'string' },
    totals: { type: 'string' },
    /** Of the children of this process. */
    worker: { type: 'boolean', default: false },
  },
});
/** Of a word that is no number there would be no runs, and all of them would have held. */
const number = (option: 'seeds' | 'from' | 'seed' | 'operators' | 'threshold' | 'workers', least: number): number =>
  wholeNumber(`--${option}`, values[option] ?? '', least, 999_999_999);
const operators = number('operators', 2);
const threshold = number('threshold', 1);
/** Seeds that a worker is given at a time: few, so that the last ones end together. */
const PORTION = 8;
const PROGRESS_MS = process.stdout.isTTY ? 1_000 : 30_000;

interface Answer {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly counts: readonly (readonly [string, number])[];
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function one(seed: number, trace?: (line: string) => void): Promise<Answer> {
  const simulator = runsOwn(seed) ? { simulate, castingFor } : await swiftSimulator();
  const casting = values.byzantine ? simulator.castingFor(seed, operators, threshold) : undefined;
  if (casting)
    trace?.(`operators ${casting.operators.join(', ')} are Byzantine: ${casting.behaviour.name || 'no vices'}`);
  try {
    const { violations, counts } = await simulator.simulate({
      seed,
      operators,
      threshold,
      casting,
      ...(trace ? { trace } : {}),
    });
    return { seed, violations, counts: [...counts] };
  } catch (error) {
    const what = `the run broke off: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    trace?.(what);
    return { seed, violations: [{ invariant: 12, what }], counts: [] };
  }
}

function explain({ seed, violations }: Answer): void {
  for (const { invariant, what } of violations)
    say(`seed ${seed}: invariant ${invariant} (${INVARIANTS[invariant]}): ${what}`);
}

/** By kind of committee: what happened in all runs so far. */
function addTo(file: string, tally: Tally, broken: readonly Answer[]): void {
  const totals = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, object>) : {};
  const name = `${threshold} of ${operators}${values.byzantine ? ', Byzantine' : ''}`;
  const before = new Tally();
  before.merge(new Map(Object.entries((totals[name] ?? {}) as Record<string, number>)));
  before.merge(tally.counts);
  before.add('broken', broken.length);
  totals[name] = Object.fromEntries([...before.counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(file, `${JSON.stringify(totals, null, 2)}\n`);
}

/** Runs seeds as they are asked for, one after the other. */
function work(): void {
  // Ctrl-C reaches every process of the terminal: the parent ends this one, once its portion is done.
  process.on('SIGINT', () => {});
  process.on('message', (seeds: readonly number[]) => {
    void (async () => {
      for (const seed of seeds) process.send?.(await one(seed));
      process.send?.('more');
    })();
  });
  process.send?.('more');
}

async function bulk(from: number, count: number): Promise<boolean> {
  const workers = Math.min(values.workers === undefined ? availableParallelism() : number('workers', 1), count);
  const tally = new Tally();
  const broken: Answer[] = [];
  const started = Date.now();
  let next = from;
  let done = 0;
  process.once('SIGINT', () => {
    next = from + count;
  });
  const rate = (): string => `${((done * 1_000) / Math.max(1, Date.now() - started)).toFixed(1)} a second`;
  const progress = setInterval(() => {
    const line = `${done} of ${count} runs, ${rate()}, ${broken.length} broken`;
    process.stdout.write(process.stdout.isTTY ? `\r${line} ` : `${line}\n`);
  }, PROGRESS_MS);
  const args = [
    '--worker',
    '--operators',
    `${operators}`,
    '--threshold',
    `${threshold}`,
    ...(values.byzantine ? ['--byzantine'] : []),
  ];

  // A run leaves little behind: fewer and larger collections of young objects.
  const execArgv = [...process.execArgv, '--max-semi-space-size=64'];
  const tend = (child: ChildProcess): Promise<void> =>
    new Promise((resolve) => {
      child.on('message', (message: Answer | 'more') => {
        if (message !== 'more') {
          done++;
          tally.merge(new Map(message.counts));
          if (message.violations.length > 0) {
            broken.push(message);
            explain(message);
          }
          return;
        }
        const portion = Array.from({ length: Math.min(PORTION, from + count - next) }, (_, i) => next + i);
        next += portion.length;
        if (portion.length > 0) child.send(portion);
        else child.disconnect();
      });
      child.on('exit', (code, signal) => {
        // Its last seeds are lost, and not the others' results: what was seen is told, and the end is not 0.
        if (code !== 0)
          broken.push({
            seed: from,
            violations: [{ invariant: 12, what: `a worker ended with ${code ?? signal}` }],
            counts: [],
          });
        resolve();
      });
    });
  await Promise.all(
    Array.from({ length: workers }, () => tend(fork(fileURLToPath(import.meta.url), args, { execArgv }))),
  );
  clearInterval(progress);

  say(
    `${process.stdout.isTTY ? '\r' : ''}${done} runs of ${threshold} of ${operators}, ${rate()} on ${workers} processes`,
  );
  for (const [what, times] of [...tally.counts].sort(([a], [b]) => (a < b ? -1 : 1)))
    if (!what.startsWith('calls of') && !what.startsWith('lie:')) say(`  ${`${times}`.padStart(9)}  ${what}`);
  if (values.totals !== undefined) addTo(values.totals, tally, broken);
  const missing = tally.missing(sometimes(values.byzantine, done, operators - threshold));
  for (const what of missing) say(`never happened, and must sometimes: ${what}`);
  for (const answer of broken.slice(0, 20)) explain(answer);
  const [first] = broken;
  if (first) {
    say(`\nseed ${first.seed} again, the last of what happened:`);
    const lines: string[] = [];
    await one(first.seed, (line) => lines.push(line));
    for (const line of lines.slice(-60)) say(line);
    say(
      `all of it: npm run simulate -- --seed ${first.seed}${values.byzantine ? ' --byzantine' : ''} --operators ${operators} --threshold ${threshold}`,
    );
  }
  return broken.length === 0 && missing.length === 0;
}

if (values.worker) {
  work();
} else if (values.seed !== undefined) {
  const answer = await one(number('seed', 0), say);
  explain(answer);
  if (answer.violations.length === 0) say(`seed ${values.seed}: every invariant held`);
  process.exitCode = answer.violations.length > 0 ? 1 : 0;
} else {
  process.exitCode = (await bulk(number('from', 0), number('seeds', 1))) ? 0 : 1;
}
