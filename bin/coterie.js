#!/usr/bin/env node
// In a clone the sources run as they are; a package has them compiled.
import { existsSync, readFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const fromSource = existsSync(new URL('lib/cli/main.ts', root));
if (fromSource) {
  const { register } = await import('tsx/esm/api');
  register();
}
const command = (name) => import(new URL(fromSource ? `lib/cli/${name}.ts` : `dist/esm/lib/cli/${name}.js`, root).href);
const [{ main }, { watchOutput }] = await Promise.all([command('main'), command('lost-output')]);
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
watchOutput();
process.exitCode = await main(process.argv.slice(2), version);
