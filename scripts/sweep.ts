/**
 * The crash sweep: one operator of a 2-of-3 committee dies before and after every one of its port calls in a key generation and in a signing (attack SRV-01), and each run must end as if
 * nothing had been. `npm run sweep`; `npm run sweep -- --pairs [--stride s] [--minutes m] [--role coordinator]` lets it die twice, at calls k1 < k2.
 *
 * The work is divided among processes, one for each core. Bulk runs seal with the stand-in for HPKE; every 16th run with HPKE itself.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { wholeNumber } from '../lib/cli/usage.ts';
import type { Death, Phase, Role, When } from '../test/node/sweep.ts';
import * as plain from '../test/node/sweep.ts';
import { standInSealer } from '../test/simulation/stand-in-sealer.ts';
import { bundled } from '../test/simulation/swift.ts';

const { values } = parseArgs({
  options: {
    pairs: { type: 'boolean', default: false },
    /** Of the pairs of a phase, in the order of k1, then k2, every so many; a prime is best, for it falls on every kind of call. */
    stride: { type: 'string', default: '1009' },
    /** Stops the pairs after so long, however many are left. */
    minutes: { type: 'string', default: '1000' },
    /** Only calls of the victim's coordinator, or of its processor. */
    role: { type: 'string', default: 'any' },
    workers: { type: 'string', default: `${availableParallelism()}` },
    /** Of one process of several: `i/n`. */
    share: { type: 'string' },
  },
});

/** Of a word that is no number there would be no process and no death, and nothing would have broken. */
const number = (option: 'stride' | 'minutes' | 'workers'): number =>
  wholeNumber(`--${option}`, values[option], 1, 999_999_999);
const [stride, minutes, workers] = [number('stride'), number('minutes'), number('workers')];

const ROLES: readonly string[] = ['any', 'coordinator', 'processor'] satisfies readonly Role[];
if (!ROLES.includes(values.role)) throw new Error(`--role: expected one of ${ROLES.join(', ')}, got ${values.role}`);
const role = values.role as Role;
const PHASES = ['keygen', 'signing'] as const satisfies readonly Phase[];
const WHENS = ['before', 'after'] as const satisfies readonly When[];
const REAL_EVERY = 16;
const standIn = standInSealer(new Uint8Array(32).fill(23));
/** The same sweep with the engines of bulk runs. */
const swift = (await bundled("export * from './test/node/sweep.ts';", true)) as typeof plain;

interface Result {
  readonly phase: Phase;
  readonly deaths: readonly Death[];
  /** How often it died: in a pair the second call may never come. */
  readonly died: number;
  readonly why?: string;
}

async function callsOf(phase: Phase): Promise<number> {
  return (await swift.crashesAt(phase, [], await swift.beginningOf(phase, standIn), role)).calls;
}

function* singles(phase: Phase, calls: number): Generator<{ phase: Phase; deaths: Death[] }> {
  for (let at = 0; at < calls; at++) for (const when of WHENS) yield { phase, deaths: [{ at, when }] };
}

/** The number'th pair is found directly: pairs are ordered by k1, then k2, then the four ways to die. */
function* pairs(phase: Phase, calls: number, stride: number): Generator<{ phase: Phase; deaths: Death[] }> {
  let number = 0;
  let next = 0;
  for (let first = 0; first < calls; first++) {
    for (let second = first + 1; second < calls; second++, number++) {
      if (number !== next) continue;
      next += stride;
      // The four ways in turn: with an odd stride each comes as often as the others.
      const way = (number / stride) % 4;
      const when = (bit: number): When => (bit ? 'after' : 'before');
      yield {
        phase,
        deaths: [
          { at: first, when: when(way & 1) },
          { at: second, when: when(way >> 1) },
        ],
      };
    }
  }
}

async function work(share: string): Promise<void> {
  const [own = 0, all = 1] = share.split('/').map(Number);
  const until = performance.now() + minutes * 60_000;
  let turn = 0;
  for (const phase of PHASES) {
    const calls = await callsOf(phase);
    const beginning = await swift.beginningOf(phase, standIn);
    const jobs = values.pairs ? pairs(phase, calls, stride) : singles(phase, calls);
    // Half of the time for each phase.
    const end = phase === 'keygen' ? (until + performance.now()) / 2 : until;
    for (const { deaths } of jobs) {
      if (turn++ % all !== own) continue;
      if (performance.now() > end) break;
      const real = Math.floor(turn / all) % REAL_EVERY === 0;
      const { world, deaths: died } = real
        ? await plain.crashesAt(phase, deaths, undefined, role)
        : await swift.crashesAt(phase, deaths, beginning, role);
      const why = plain.broken(world, phase);
      const result: Result = { phase, deaths, died, ...(why === undefined ? {} : { why }) };
      process.stdout.write(`${JSON.stringify(result)}\n`);
    }
  }
}

function describe({ phase, deaths, why }: Result): string {
  return `${phase}, ${deaths.map(({ at, when }) => `${when} call ${at}`).join(' and ')}: ${why}`;
}

async function lead(): Promise<void> {
  const began = performance.now();
  const calls = new Map<Phase, number>();
  for (const phase of PHASES) calls.set(phase, await callsOf(phase));
  const done = new Map<string, number>();
  const count = (name: string): void => void done.set(name, (done.get(name) ?? 0) + 1);
  const failures: Result[] = [];
  const progress = setInterval(() => {
    const all = [...done].map(([name, number]) => `${name} ${number}`).join(', ');
    process.stderr.write(`${((performance.now() - began) / 1000).toFixed(0)} s: ${all}\n`);
  }, 15_000);
  const children: ChildProcess[] = [];
  process.on('exit', () => {
    for (const child of children) child.kill();
  });
  await Promise.all(
    Array.from({ length: workers }, async (_, own) => {
      const script = process.argv[1] ?? '';
      const options = [...process.argv.slice(2), '--share', `${own}/${workers}`];
      const child = spawn(process.execPath, [...process.execArgv, script, ...options], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(child);
      const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
      for await (const line of createInterface({ input: child.stdout })) {
        const result = JSON.parse(line) as Result;
        count(`${result.phase} ${result.died === result.deaths.length ? 'runs' : 'runs without the second death'}`);
        if (result.why === undefined) continue;
        failures.push(result);
        process.stdout.write(`${describe(result)}\n`);
      }
      const status = await ended;
      if (status !== 0) throw new Error(`worker ${own} ended with ${status}`);
    }),
  );
  clearInterval(progress);
  for (const phase of PHASES)
    process.stdout.write(
      `${phase}: ${calls.get(phase)} calls of ${role === 'any' ? 'the victim' : `the victim’s ${role}`}\n`,
    );
  for (const [name, number] of done) process.stdout.write(`${name}: ${number}\n`);
  process.stdout.write(`${failures.length} wrong, ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
  process.exitCode = failures.length > 0 ? 1 : 0;
}

if (values.share === undefined) await lead();
else await work(values.share);
