/**
 * Takes every guard away, one at a time, and asks the tests whether they notice: `npm run kill-table [-- --stale] [-- --only id] [-- --from id] [-- --workers n]`.
 *
 * The mutants live in copies of the last commit in a temporary folder; the checkout itself is only read, but for the results and `docs/kill-table.md`, which is
 * made from it. Ends with an error if a mutant lives that is not explained.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { GUARDS } from '../test/mutation/all.ts';
import type { Guard } from '../test/mutation/guard.ts';
import { type Fate, type Fates, fingerprint, tableOf } from '../test/mutation/kill-table.ts';
import { mutantOf } from '../test/mutation/mutant.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    from: { type: 'string' },
    /** Only guards whose text has changed since they were last tried, and mutants that live without an explanation. */
    stale: { type: 'boolean', default: false },
    /** Only the likeliest tests: for a first look. */
    quick: { type: 'boolean', default: false },
    workers: { type: 'string', default: '2' },
    /** Where the results are kept; another file for a run beside another. The table is made of all of them. */
    results: { type: 'string', default: 'test/mutation/killed.json' },
  },
});

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FATES = resolve(ROOT, values.results);
/** What was tried, and is in the table, whichever file the results of this run go to. */
const ALL_FATES = ['test/mutation/killed.json', 'test/mutation/killed-tokens.json'].map((file) => resolve(ROOT, file));
const TABLE = join(ROOT, 'docs/kill-table.md');
/** A mutant that waits for ever is noticed, too. */
const PATIENCE_MILLISECONDS = 300_000;
/** Ratios of times: on a busy machine they notice mutants that are not there. */
const TIMED = '^((?!in time: what|cost one signature check each|costs the same in a queue).)*$';
/** Where else a mutant of a folder may be noticed, if the likeliest files do not notice. */
const RELATED: Readonly<Record<string, readonly string[]>> = {
  node: ['test/node', 'test/local', 'test/attacks', 'test/cli/local.test.ts'],
  keygen: ['test/ceremonies', 'test/node', 'test/attacks'],
  signing: ['test/ceremonies', 'test/node', 'test/attacks'],
  frost: ['test/frost', 'test/ceremonies', 'test/attacks'],
  messages: ['test/messages', 'test/ceremonies', 'test/node', 'test/attacks'],
  evidence: ['test/evidence', 'test/ceremonies', 'test/attacks'],
  vault: ['test/vault', 'test/node', 'test/local'],
  aws: ['test/aws', 'test/cdk/rights.test.ts'],
  local: ['test/local', 'test/contract'],
};

interface Run {
  readonly passed: boolean;
  /** The first test that failed, or why the run ended otherwise. */
  readonly by: string;
  /** The test files did not load: nothing was noticed, the mutant is no program. */
  readonly broken: boolean;
  readonly late?: true;
}

interface Reported {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: string[];
    }[];
  }[];
}

const children = new Set<ChildProcess>();

async function vitest(
  folder: string,
  files: readonly string[],
  bail: boolean,
  patience = PATIENCE_MILLISECONDS,
): Promise<Run> {
  const report = join(folder, 'report.json');
  rmSync(report, { force: true });
  const options = [
    '--reporter=json',
    `--outputFile=${report}`,
    '--maxWorkers=1',
    '--testTimeout=200000',
    '-t',
    TIMED,
    // Most of a short run is the loading of modules: unchanged ones are kept between runs, in the copy.
    '--pool=threads',
    '--experimental.fsModuleCache',
    `--experimental.fsModuleCachePath=${join(folder, '.modules')}`,
    ...(bail ? ['--bail=1'] : []),
  ];
  const program = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [program, 'run', ...options, ...files], {
    cwd: folder,
    stdio: 'ignore',
    detached: true,
  });
  children.add(child);
  let late: true | undefined;
  const timer = setTimeout(() => {
    late = true;
    end(child);
  }, patience);
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  children.delete(child);
  if (late) return { passed: false, by: `no end within ${patience / 1000} s`, broken: false, late };
  if (!existsSync(report)) return { passed: false, by: `no report, status ${status}`, broken: true };
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Reported;
  for (const file of testResults) {
    const failed = file.assertionResults.find((each) => each.status === 'failed');
    const where = file.name.slice(file.name.indexOf('/test/') + 1);
    if (failed)
      return {
        passed: false,
        by: `${where}: ${failed.fullName.trim()}`,
        broken: /ReferenceError/.test(failed.failureMessages?.[0] ?? ''),
      };
    if (file.status === 'failed' && file.message !== '' && file.assertionResults.length === 0)
      return { passed: false, by: `${where} did not load: ${file.message.split('\n')[0]}`, broken: true };
  }
  return { passed: status === 0, by: status === 0 ? '' : `status ${status}`, broken: status !== 0 };
}

/** The whole group: a run has workers of its own. */
function end(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** What is committed: an edit in progress would be noticed by every test. */
function copy(base: string, name: string): string {
  const folder = join(base, name);
  mkdirSync(folder);
  const archive = join(base, `${name}.tar`);
  execFileSync('git', ['archive', '--format=tar', `--output=${archive}`, 'HEAD'], { cwd: ROOT });
  execFileSync('tar', ['-xf', archive, '-C', folder]);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

const there = (folder: string, files: readonly string[]): string[] =>
  files.filter((file) => existsSync(join(folder, file)));

async function fateOf(guard: Guard, folder: string): Promise<Fate> {
  const path = join(folder, guard.file);
  const source = readFileSync(path, 'utf8');
  writeFileSync(path, mutantOf(guard, source));
  const began = performance.now();
  const seconds = (): number => Math.round((performance.now() - began) / 100) / 10;
  const fate = (by: string | null): Fate => ({ of: fingerprint(guard), by, seconds: seconds() });
  try {
    const likeliest = there(folder, guard.tests);
    // What is said to be harmless is looked for where it would be seen first; the reason is for people to judge.
    const wide = values.quick || guard.redundant !== undefined ? [] : (RELATED[guard.file.split('/')[1] ?? ''] ?? []);
    for (const files of [likeliest, there(folder, wide)]) {
      const run = files.length === 0 ? undefined : await vitest(folder, files, true);
      // The likeliest tests have ended on the code as it is; a folder of tests may just be slow.
      if (run?.late && files !== likeliest)
        throw new Error(
          `${guard.id}: the related tests did not end within ${PATIENCE_MILLISECONDS / 1000} s: no verdict`,
        );
      if (run?.broken) throw new Error(`${guard.id}: the mutant is no program: ${run.by}`);
      if (run && !run.passed) return fate(run.by);
    }
    return fate(null);
  } finally {
    writeFileSync(path, source);
  }
}

const fatesIn = (file: string): Fates => (existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Fates) : {});
/** What this file keeps; what the others do is read again for each table: another run may be writing there. */
const kept: Fates = fatesIn(FATES);
const fates: Fates = Object.assign({}, ...ALL_FATES.filter((file) => file !== FATES).map(fatesIn), kept);

function keep(): void {
  const listed = GUARDS.flatMap(({ id }) => (kept[id] ? [[id, kept[id]] as const] : []));
  writeFileSync(FATES, `${JSON.stringify(Object.fromEntries(listed), null, 2)}\n`);
  Object.assign(fates, ...ALL_FATES.filter((file) => file !== FATES).map(fatesIn), kept);
  writeFileSync(TABLE, tableOf(GUARDS, fates));
}

const lives = ({ id, redundant }: Guard): boolean => fates[id]?.by === null && redundant === undefined;
const first = values.from === undefined ? 0 : GUARDS.findIndex(({ id }) => id === values.from);
if (first < 0) throw new Error(`expected the id of a guard after --from, got ${values.from}`);
const wanted = GUARDS.slice(first).filter(
  (guard) =>
    (values.only === undefined || values.only.some((part) => guard.id.startsWith(part))) &&
    (!values.stale || fates[guard.id]?.of !== fingerprint(guard) || lives(guard)),
);
const base = mkdtempSync(join(tmpdir(), 'coterie-mutants-'));
process.on('exit', () => {
  for (const child of children) end(child);
  rmSync(base, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const folders = Array.from({ length: Number(values.workers) }, (_, i) => copy(base, `${i}`));
say(`${wanted.length} of ${GUARDS.length} guards; the tests that should notice must pass with all of them`);
// Tests that fail anyway would notice everything.
const [calm = ''] = folders;
const all = there(calm, [...new Set(wanted.flatMap(({ tests }) => tests))]);
const baseline = wanted.length === 0 ? undefined : await vitest(calm, all, false, PATIENCE_MILLISECONDS * all.length);
if (baseline && !baseline.passed) throw new Error(`expected tests that pass on the code as it is, got ${baseline.by}`);

const waiting = [...wanted];
const broken: string[] = [];
let done = 0;
await Promise.all(
  folders.map(async (folder) => {
    for (let guard = waiting.shift(); guard; guard = waiting.shift()) {
      try {
        const fate = await fateOf(guard, folder);
        kept[guard.id] = fate;
        fates[guard.id] = fate;
        const what = fate.by === null ? (guard.redundant ? 'lives, as explained' : 'LIVES') : `killed by ${fate.by}`;
        say(`${++done}/${wanted.length} ${guard.id}: ${what} (${fate.seconds} s)`);
      } catch (error) {
        broken.push((error as Error).message);
        say(`${++done}/${wanted.length} ${(error as Error).message}`);
      }
      keep();
    }
  }),
);
keep();
const alive = GUARDS.filter(lives);
for (const { id, holds } of alive) say(`${id} lives: ${holds}`);
process.exitCode = alive.length + broken.length > 0 ? 1 : 0;
