import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as z from 'zod';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (...path: string[]) => JSON.parse(readFileSync(join(ROOT, ...path), 'utf8')) as unknown;
const target = z.strictObject({ types: z.string(), default: z.string() });
const manifest = z
  .object({
    exports: z.record(z.string(), z.union([z.string(), target])),
    sideEffects: z.array(z.string()),
    dependencies: z.record(z.string(), z.string()),
  })
  .parse(read('package.json'));

/** The source of a compiled file. */
const sourceOf = (path: string) => path.replace('./dist/esm/', '').replace(/(?:\.d\.ts|\.js)$/, '.ts');

test('every export has its types beside its code, and a source that is compiled to both', () => {
  for (const [name, to] of Object.entries(manifest.exports)) {
    if (typeof to === 'string') continue;
    expect(to.types.replace(/\.d\.ts$/, ''), name).toBe(to.default.replace(/\.js$/, ''));
    if (!name.includes('*')) expect(existsSync(join(ROOT, sourceOf(to.default))), name).toBe(true);
  }
});

test('a wallet needs one import: itself, what it is opened with, and what it throws', async () => {
  const entry = await import('../../lib/wallet/main.ts');
  for (const name of ['Wallet', 'SqsGateway', 'mclVerifier', 'assetKeyOf', 'parseCommittee', 'invoice'] as const)
    expect(entry[name], name).toBeDefined();
  for (const name of [
    'InsufficientFunds',
    'InvoiceRefused',
    'NetworkRefused',
    'NotPaid',
    'RecoveryIncomplete',
  ] as const)
    expect(Object.create(entry[name].prototype), name).toBeInstanceOf(Error);
});

test('what the example imports is exported', () => {
  const folder = join(ROOT, 'examples', 'package', 'src');
  const imported = readdirSync(folder).flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/from 'coterie(\/[^']+)'/g)].map(([, path = '']) => path),
  );
  expect(imported.length).toBeGreaterThan(5);
  for (const path of imported) {
    const exact = manifest.exports[`.${path}`];
    const [, folderOf = '', name = ''] = /^(.*)\/([^/]+)$/.exec(path) ?? [];
    const to = z.object({ default: z.string() }).parse(exact ?? manifest.exports[`.${folderOf}/*`]);
    expect(existsSync(join(ROOT, sourceOf(to.default.replace('*', name)))), path).toBe(true);
  }
});

test('what runs in the package is among its dependencies; only the stacks need what a CDK application brings', () => {
  const brought = /^cdk\//;
  const foreign = ['lib', 'functions', 'cdk'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !brought.test(`${folder}/${file}`))
      .flatMap((file) =>
        [
          ...readFileSync(join(ROOT, folder, file), 'utf8').matchAll(
            /(?:^(?:import|export)\b[^;]*? from|\bimport\() ?'([^.'][^']*)'/gm,
          ),
        ]
          .map(([, name = '']) => name)
          .filter((name) => !name.startsWith('node:'))
          .map((name) => name.match(/^(?:@[^/]+\/)?[^/]+/)?.[0] ?? name)
          .filter((name) => !(name in manifest.dependencies))
          .map((name) => `${folder}/${file}: ${name}`),
      ),
  );
  expect(foreign).toEqual([]);
});

test('the files that do something when they are loaded are named, so that a bundler drops the rest', () => {
  for (const path of manifest.sideEffects)
    expect(existsSync(join(ROOT, path.startsWith('./dist') ? sourceOf(path) : path)), path).toBe(true);
  const entries = manifest.sideEffects.map(sourceOf).map((path) => path.replace('./', ''));
  expect(entries).toContain('cdk/app.ts');
  const doing = ['lib', 'functions', 'cdk'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
      .filter((file) => /^(?:await |process\.|try \{|import ')/m.test(readFileSync(join(ROOT, file), 'utf8'))),
  );
  expect(doing.filter((file) => !entries.includes(file))).toEqual([]);
});
