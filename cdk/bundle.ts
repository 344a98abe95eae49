/**
 * One esbuild run for each role, one entry for each function: `functions/<role>/<x>.ts` knows no cloud, the generated entry joins it to `lib/aws/lambda.ts`.
 * Shared code is split into chunks, so that a stack uploads one archive and a cold start loads its own entry and what that imports.
 */
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { buildSync } from 'esbuild';
import { type DeployedRole, receiversOf } from './receivers.ts';

const ROOT = join(import.meta.dirname, '..');
const OUTPUT = join(ROOT, 'dist', 'lambda');

export interface Bundle {
  /** Directory that becomes the role's archive. */
  readonly directory: string;
  /** Code without source maps, all functions together. */
  readonly bytes: number;
  /** By function file: the entry and every chunk that it imports at start. */
  readonly coldStartBytes: ReadonlyMap<string, number>;
}

const bundles = new Map<DeployedRole, Bundle>();

/** Bundles a role's functions, once in a process. */
export function bundleOf(role: DeployedRole): Bundle {
  const known = bundles.get(role);
  if (known) return known;
  const made = bundle(role);
  bundles.set(role, made);
  return made;
}

function bundle(role: DeployedRole): Bundle {
  const directory = join(OUTPUT, role);
  const entries = join(OUTPUT, 'entries', role);
  for (const each of [directory, entries]) {
    rmSync(each, { recursive: true, force: true });
    mkdirSync(each, { recursive: true });
  }
  const files = receiversOf(role).map(({ file }) => file);
  const imported = (...path: string[]) => JSON.stringify(relative(entries, join(ROOT, ...path)).replaceAll('\\', '/'));
  for (const file of files) {
    const text = [
      `import { handler as run } from ${imported('functions', role, `${file}.ts`)};`,
      `import { lambda } from ${imported('lib', 'aws', 'lambda.ts')};`,
      'export const handler = lambda(run);',
    ];
    writeFileSync(join(entries, `${file}.ts`), `${text.join('\n')}\n`);
  }
  const { metafile } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: files.map((file) => join(entries, `${file}.ts`)),
    outdir: directory,
    bundle: true,
    platform: 'node',
    format: 'esm',
    // The emulator runs the functions with the `node` that runs this; AWS runs a newer one.
    target: 'node20',
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    outExtension: { '.js': '.mjs' },
    minify: true,
    sourcemap: true,
    sourcesContent: false,
    mainFields: ['module', 'main'],
    metafile: true,
    logLevel: 'warning',
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
  });
  const path = (file: string) => relative(ROOT, join(directory, `${file}.mjs`)).replaceAll('\\', '/');
  const coldStartBytes = new Map(files.map((file) => [file, loaded(metafile.outputs, path(file))]));
  const bytes = Object.entries(metafile.outputs).reduce(
    (sum, [name, { bytes: size }]) => (name.endsWith('.map') ? sum : sum + size),
    0,
  );
  return { directory, bytes, coldStartBytes };
}

type Outputs = ReturnType<typeof buildSync>['metafile'] extends infer M
  ? M extends { outputs: infer O }
    ? O
    : never
  : never;

/** Bytes that importing `entry` loads; dynamic imports are not. */
function loaded(outputs: Outputs, entry: string): number {
  const seen = new Set<string>();
  const visit = (name: string): number => {
    const output = outputs[name];
    if (!output || seen.has(name)) return 0;
    seen.add(name);
    const next = output.imports.filter(({ kind }) => kind === 'import-statement');
    return output.bytes + next.reduce((sum, each) => sum + visit(each.path), 0);
  };
  return visit(entry);
}

/** A sentence for each role, and the heaviest cold start. */
export function report({ directory, bytes, coldStartBytes }: Bundle): string {
  const kib = (size: number) => `${Math.round(size / 1_024)} KiB`;
  const [heaviest, most] = [...coldStartBytes].reduce((a, b) => (b[1] > a[1] ? b : a), ['', 0] as const);
  const onDisk = readdirSync(directory, { recursive: true, encoding: 'utf8' }).reduce(
    (sum, each) => sum + statSync(join(directory, each)).size,
    0,
  );
  const role = directory.split(/[\\/]/).at(-1);
  return `${role}: ${coldStartBytes.size} functions, ${kib(bytes)} of code (${kib(onDisk)} with source maps); heaviest cold start ${heaviest}, ${kib(most)}`;
}
