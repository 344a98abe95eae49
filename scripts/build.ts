// Bundles what is shipped: the command line, and one archive of functions for each role.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundleOf } from '../cdk/bundle.ts';

const kib = (bytes: number) => `${Math.round(bytes / 1024)} KiB`;

await build({
  entryPoints: { cli: 'lib/cli/main.ts' },
  outdir: 'dist',
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  sourcemap: true,
  logLevel: 'warning',
});
writeFileSync(join('dist', 'package.json'), '{"type":"module"}\n');
for (const role of ['coordinator', 'processor', 'signing-service'] as const) {
  const { bytes, coldStartBytes } = bundleOf(role);
  const starts = [...coldStartBytes.values()];
  console.log(
    `${role}: ${starts.length} functions, ${kib(bytes)} in all, a cold start loads ${kib(Math.min(...starts))} to ${kib(Math.max(...starts))}`,
  );
}
