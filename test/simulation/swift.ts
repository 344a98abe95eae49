/**
 * The simulator for bulk runs: the same source in one bundle, in which the engines of {@link SWIFT} stand in the place of the product's. They give the same bytes, sooner.
 *
 * A fixed share of the seeds ({@link runsOwn}) runs the product's own modules and nothing else.
 */
import { createHash } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

/** Modules of the product, and what stands for them. */
const SWIFT: Readonly<Record<string, string>> = {
  'lib/frost/points.ts': 'test/simulation/swift-points.ts',
  'lib/frost/signing.ts': 'test/simulation/swift-signing.ts',
  'lib/frost/suite.ts': 'test/simulation/swift-suite.ts',
  'lib/messages/ed25519.ts': 'test/simulation/swift-ed25519.ts',
};

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CACHE = `${ROOT}node_modules/.cache/coterie-simulation/`;
/** As {@link drawProfile} has it for HPKE: what is real in one of these runs is all real. */
const OWN_EVERY = 16;

export function runsOwn(seed: number): boolean {
  return seed % OWN_EVERY === 0;
}

/** An engine may import what it stands for; everybody else gets the engine. */
const substitution: Plugin = {
  name: 'swift engines',
  setup({ onResolve }) {
    onResolve({ filter: /\.ts$/ }, ({ path, resolveDir, importer }) => {
      if (!path.startsWith('.')) return undefined;
      const target = new URL(path, pathToFileURL(`${resolveDir}/`)).pathname.slice(ROOT.length);
      const engine = SWIFT[target];
      return engine === undefined || importer === `${ROOT}${engine}` ? undefined : { path: `${ROOT}${engine}` };
    });
  },
};

/** One ESM file, imported. @param entry source text, with paths from the root @param swift whether the engines stand in */
export async function bundled(entry: string, swift: boolean): Promise<unknown> {
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: ROOT, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    plugins: swift ? [substitution] : [],
    // What is bundled finds this folder's files as if it still lay here.
    define: { 'import.meta.url': JSON.stringify(import.meta.url), BUNDLED_SWIFT: JSON.stringify(swift) },
  });
  const text = outputFiles[0]?.text ?? '';
  const file = `${CACHE}${createHash('sha256').update(text).digest('hex').slice(0, 16)}.mjs`;
  await mkdir(CACHE, { recursive: true });
  // Whole or not at all: several processes may write it at once.
  await writeFile(`${file}.${process.pid}`, text);
  await rename(`${file}.${process.pid}`, file);
  return import(/* @vite-ignore */ pathToFileURL(file).href);
}

type Simulator = Pick<typeof import('./run.ts'), 'simulate'> & Pick<typeof import('./liars.ts'), 'castingFor'>;

let loaded: Promise<Simulator> | undefined;

/** Bundled once for each process. */
export function swiftSimulator(): Promise<Simulator> {
  loaded ??= bundled(
    "export { simulate } from './test/simulation/run.ts'; export { castingFor } from './test/simulation/liars.ts';",
    true,
  ) as Promise<Simulator>;
  return loaded;
}
