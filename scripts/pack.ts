// Compiles the modules and packs them. Install scripts are off here, so that `npm pack` alone would pack what was compiled last.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const packed = z
  .array(
    z.object({
      filename: z.string(),
      size: z.number(),
      unpackedSize: z.number(),
      files: z.array(z.object({ path: z.string() })),
    }),
  )
  .length(1);

export interface Package {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly string[];
}

/** ESM and declarations into `dist/esm`, with nothing left of an earlier build. @throws where a type is wrong */
export function compile(): void {
  rmSync(join(ROOT, 'dist', 'esm'), { recursive: true, force: true });
  const compiler = join(ROOT, 'node_modules', 'typescript-native', 'bin', 'tsc');
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: ROOT, stdio: 'inherit' });
}

/** @param into folder of the archive */
export function pack(into: string): Package {
  const args = ['pack', '--json', '--loglevel=error', '--pack-destination', into];
  const [found] = packed.parse(JSON.parse(execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8' })));
  if (!found) throw new Error('npm pack: expected one package, got none');
  const { filename, size, unpackedSize, files } = found;
  return { path: join(into, filename), size, unpackedSize, files: files.map(({ path }) => path) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  compile();
  const { path, size, unpackedSize, files } = pack(join(ROOT, 'dist'));
  console.log(`${path}: ${files.length} files, ${size} bytes, ${unpackedSize} unpacked`);
}
