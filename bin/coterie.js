#!/usr/bin/env node
// In a clone the sources run as they are; a package has them compiled.
import { existsSync, readFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const source = new URL('lib/cli/main.ts', root);
const fromSource = existsSync(source);
if (fromSource) {
  const { register } = await import('tsx/esm/api');
  register();
}
const { main } = await import(fromSource ? source.href : new URL('dist/esm/lib/cli/main.js', root).href);
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
process.exitCode = await main(process.argv.slice(2), version);
