/**
 * One esbuild run for each role, one entry for each function: `functions/<role>/<x>.ts` knows no cloud, the generated entry joins it to `lib/aws/lambda.ts`.
 * Shared code is split into chunks, so that a stack uploads one archive and a cold start loads its own entry and what that imports.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { buildSync, type OutputFile } from 'esbuild';
import { type DeployedRole, EXTENSION, receiversOf } from './receivers.ts';

const ROOT = join(import.meta.dirname, '..');
const OUTPUT = join(ROOT, 'dist', 'lambda');

export interface Bundle {
  readonly role: DeployedRole;
  /** Directory that becomes the role's archive. */
  readonly directory: string;
  /** Code without source maps, all functions together. */
  readonly bytes: number;
  /** Bytes with source maps. */
  readonly onDisk: number;
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
  const entries = join(OUTPUT, 'entries', role);
  mkdirSync(entries, { recursive: true });
  const files = receiversOf(role).map(({ file }) => file);
  const imported = (...path: string[]) => JSON.stringify(relative(entries, join(ROOT, ...path)).replaceAll('\\', '/'));
  for (const file of files) {
    const text = [
      `import { handler as run } from ${imported('functions', role, `${file}${EXTENSION}`)};`,
      `import { lambda } from ${imported('lib', 'aws', `lambda${EXTENSION}`)};`,
      'export const handler = lambda(run);',
    ];
    writeFileSync(join(entries, `${file}.ts`), `${text.join('\n')}\n`);
  }
  const outdir = join(OUTPUT, role);
  const { metafile, outputFiles } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: files.map((file) => join(entries, `${file}.ts`)),
    outdir,
    write: false,
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
  const path = (file: string) => relative(ROOT, join(outdir, `${file}.mjs`)).replaceAll('\\', '/');
  const coldStartBytes = new Map(files.map((file) => [file, loaded(metafile.outputs, path(file))]));
  const code = outputFiles.filter((file) => !file.path.endsWith('.map'));
  const size = (of: readonly OutputFile[]) => of.reduce((sum, { contents }) => sum + contents.length, 0);
  return { role, directory: keep(outdir, outputFiles), bytes: size(code), onDisk: size(outputFiles), coldStartBytes };
}

/** Under the name of its content, and whole or not at all: several processes may bundle at once. */
function keep(outdir: string, files: readonly OutputFile[]): string {
  const digest = createHash('sha256');
  for (const file of files) digest.update(`${relative(outdir, file.path)} ${file.hash}\n`);
  const directory = `${outdir}-${digest.digest('hex').slice(0, 16)}`;
  if (existsSync(directory)) return directory;
  const making = mkdtempSync(`${directory}.`);
  for (const file of files) {
    const to = join(making, relative(outdir, file.path));
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, file.contents);
  }
  try {
    renameSync(making, directory);
  } catch {
    // Another process was faster, with the same content.
    rmSync(making, { recursive: true, force: true });
  }
  return directory;
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
export function report({ role, bytes, onDisk, coldStartBytes }: Bundle): string {
  const kib = (size: number) => `${Math.round(size / 1_024)} KiB`;
  const [heaviest, most] = [...coldStartBytes].reduce((a, b) => (b[1] > a[1] ? b : a), ['', 0] as const);
  return `${role}: ${coldStartBytes.size} functions, ${kib(bytes)} of code (${kib(onDisk)} with source maps); heaviest cold start ${heaviest}, ${kib(most)}`;
}
