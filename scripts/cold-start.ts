// What a cold start of each function costs before its first line runs: the time that `node` takes to load its module, beside a module that is empty.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleOf, report } from '../cdk/bundle.ts';

const ROUNDS = 7;

const folder = mkdtempSync(join(tmpdir(), 'coterie-cold-'));
const empty = join(folder, 'empty.mjs');
writeFileSync(empty, 'export const handler = () => undefined;\n');

/** Milliseconds of one load in a process of its own, start of `node` included: what differs from the empty module's is the module. */
function load(module: string): number {
  const started = process.hrtime.bigint();
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', `await import(${JSON.stringify(pathToFileURL(module).href)});`],
    { encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '', NODE_NO_WARNINGS: '1' } },
  );
  if (status !== 0) throw new Error(`${module} does not load: ${stderr.slice(0, 400)}`);
  return Number(process.hrtime.bigint() - started) / 1e6;
}

/** The least of the rounds: noise only adds. */
function least(modules: readonly string[]): Map<string, number> {
  const best = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round += 1)
    for (const module of modules)
      best.set(module, Math.min(best.get(module) ?? Number.POSITIVE_INFINITY, load(module)));
  return best;
}

try {
  for (const role of ['coordinator', 'processor'] as const) {
    const bundle = bundleOf(role);
    const files = [...bundle.coldStartBytes.keys()];
    const pathOf = (file: string) => join(bundle.directory, `${file}.mjs`);
    const times = least([empty, ...files.map(pathOf)]);
    const base = times.get(empty) ?? Number.NaN;
    console.log(`\n${report(bundle)}\nan empty module, start of node included: ${base.toFixed(0)} ms`);
    for (const file of files) {
      const time = times.get(pathOf(file)) ?? Number.NaN;
      const kib = Math.round((bundle.coldStartBytes.get(file) ?? 0) / 1_024);
      console.log(
        `  ${file.padEnd(32)} ${`${kib} KiB`.padStart(9)}  + ${(time - base).toFixed(0).padStart(4)} ms  ${(time / base).toFixed(1)} x`,
      );
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
