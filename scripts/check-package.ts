// Packs, installs the archive into a copy of examples/package outside the checkout, type-checks and runs it there, and prints sizes.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { LocalCommittee } from '../lib/local/committee.ts';
import type { Certificate } from '../lib/messages/certificate.ts';
import type { Evidence } from '../lib/messages/evidence.ts';
import { ceremonyId } from '../lib/messages/parameters.ts';
import { signStatement } from '../lib/messages/statement.ts';
import { ownSecretKey } from '../lib/node/rows.ts';
import { Vault } from '../lib/vault/vault.ts';
import { compile, pack, ROOT } from './pack.ts';

const LIAR = 2;
const kib = (bytes: number) => `${Math.round(bytes / 1024)} KiB`;

const folder = mkdtempSync(join(tmpdir(), 'coterie-package-'));
try {
  compile();
  const archive = pack(folder);
  console.log(`packed: ${archive.files.length} files, ${kib(archive.size)}; unpacked ${kib(archive.unpackedSize)}`);
  const example = join(folder, 'example');
  cpSync(join(ROOT, 'examples', 'package'), example, { recursive: true });
  renameSync(archive.path, join(folder, 'coterie.tgz'));
  await writeFiles(example);
  const run = (command: string, ...args: string[]) => execFileSync(command, args, { cwd: example, stdio: 'inherit' });
  run(
    'npm',
    'install',
    '--omit=dev',
    '--prefer-offline',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  );
  borrow(example);
  // One pass, by the native compiler: it emits nothing where a type is wrong, and reads the CDK's declarations ten times as fast.
  run(process.execPath, join(ROOT, 'node_modules', 'typescript-native', 'bin', 'tsc'));
  run('npm', 'run', '--silent', 'start');
  run('npx', 'coterie', '--version');
  await kept(example, 'verifyEvidence alone', `export { verifyEvidence } from 'coterie/evidence';`);
  await kept(example, 'verifyCertificate alone', `export { verifyCertificate } from 'coterie/certificate';`);
  await kept(example, 'CoterieClient alone', `export { CoterieClient } from 'coterie/client';`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** A key's certificate, and the evidence against an operator that says two things: all of it from an embedded committee. */
async function writeFiles(example: string): Promise<void> {
  const cloud = { seed: new Uint8Array(32).fill(7), clock: 'virtual' } as const;
  const local = new LocalCommittee({ operators: 3, threshold: 2, coins: ['sol'], cloud });
  let certificate: Certificate | undefined;
  local.onAddress((address) => {
    certificate = address.certificate;
  });
  await local.assemble();
  await local.cloud.run();
  if (!certificate) throw new Error('expected the embedded committee to make its key, it made none');

  const namespace = `operator${LIAR}/sol`;
  const { cloud: world, committee } = local;
  const ports = {
    bus: world.bus(),
    store: world.store(namespace),
    wrapper: world.wrapper(namespace),
    clock: world.clock(namespace),
    random: world.random(namespace),
    telemetry: { record: () => undefined },
  };
  const row = await ports.store.get('Keys', ownSecretKey('SIGNATURE'));
  const blob = row?.['blob'];
  if (!(blob instanceof Uint8Array)) throw new Error(`expected operator ${LIAR} to have a signature key, it has none`);
  const secret = await new Vault(ports, `operator${LIAR}`, 'sol').unwrap({ kind: 'own', id: 'own' }, 'SIGNATURE', blob);
  const ceremony = ceremonyId(certificate.parameters);
  const header = {
    type: 'KeyGenVerdict',
    committee: committee.id,
    coin: 'sol',
    ceremony,
    slot: '',
    from: LIAR,
    to: 0,
  } as const;
  const said = ['11', '22'].map((digits) =>
    signStatement(header, `{"confirmed":"0x${digits.repeat(32)}"}`, secret.bytes),
  );
  const evidence: Evidence = { v: 1, reason: 'Equivocation', committee: committee.id, statements: said };

  const files = { committee: committee.file, certificate, evidence };
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(example, `${name}.json`), `${JSON.stringify(content)}\n`);
}

/** What the example needs to be built only, from the checkout: installing the CDK again would take minutes. */
function borrow(example: string): void {
  const { devDependencies } = JSON.parse(readFileSync(join(example, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  for (const name of Object.keys(devDependencies)) {
    const to = join(example, 'node_modules', name);
    if (existsSync(to)) continue;
    mkdirSync(dirname(to), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), to);
  }
}

/** What a bundler keeps, minified. */
async function kept(example: string, what: string, contents: string): Promise<void> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: example },
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
  });
  const code = outputFiles[0]?.contents ?? new Uint8Array();
  const inputs = Object.entries(Object.values(metafile.outputs)[0]?.inputs ?? {});
  const own = inputs.reduce(
    (sum, [path, { bytesInOutput }]) => sum + (path.includes('/coterie/') ? bytesInOutput : 0),
    0,
  );
  console.log(
    `${what}: ${kib(code.length)} bundled, ${kib(gzipSync(code).length)} gzipped, ${kib(own)} of it Coterie's own`,
  );
}
