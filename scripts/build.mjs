// Bundles the command line and every function: one esbuild run, many entry points, split chunks, so that a cold start loads only its own entry.
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

rmSync('dist', { recursive: true, force: true });
const common = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  splitting: true,
  sourcemap: true,
  minify: true,
  logLevel: 'warning',
  outExtension: { '.js': '.mjs' },
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
};
for (const role of ['coordinator', 'processor']) {
  const entryPoints = readdirSync(join('functions', role)).map((file) => join('functions', role, file));
  await build({ ...common, entryPoints, outdir: join('dist', 'functions', role) });
  const bytes = readdirSync(join('dist', 'functions', role))
    .filter((file) => file.endsWith('.mjs'))
    .reduce((sum, file) => sum + statSync(join('dist', 'functions', role, file)).size, 0);
  console.log(`${role}: ${entryPoints.length} functions, ${Math.round(bytes / 1024)} KiB`);
}
writeFileSync(join('dist', 'package.json'), '{"type":"module"}\n');
