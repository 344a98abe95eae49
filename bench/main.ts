/** `npm run bench -- <name> [arguments]`: runs `bench/<name>.ts`, which exports `run(args)`. */
import { readdirSync } from 'node:fs';

const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && file !== 'main.ts')
  .map((file) => file.slice(0, -3));
const [name = '', ...args] = process.argv.slice(2);
if (names.includes(name)) {
  const benchmark = (await import(`./${name}.ts`)) as { run(args: readonly string[]): void | Promise<void> };
  await benchmark.run(args);
} else {
  console.error(`usage: npm run bench -- <${names.join(' | ')}> [arguments]`);
  process.exitCode = 1;
}
