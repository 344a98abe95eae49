/** The producers of `examples/producers`, run as a client would run them: the account and the endpoint come from the environment alone. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EngineUnavailable, freshEnvironment, ROOT, run } from '../../scripts/emulators/engine.ts';
import { pythonPackage } from '../../scripts/emulators/python.ts';
import type { Account } from './account.ts';

const BOTO3 = { requirement: 'boto3', name: 'boto3', version: '1.44.5', folder: '.venv-boto3' } as const;
const FOLDER = join(ROOT, 'examples', 'producers');

export interface Producer {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

export type Found = { readonly producer: Producer } | { readonly name: string; readonly missing: string };

/** Every producer, or the reason why it cannot run here. */
export async function producers(note: (line: string) => void): Promise<readonly Found[]> {
  const tsx = join(ROOT, 'node_modules', 'tsx', 'dist', 'cli.mjs');
  return [
    await found('AWS CLI', async () => {
      await run('aws', ['--version']);
      return { command: 'sh', args: [join(FOLDER, 'cli.sh')] };
    }),
    { producer: { name: 'TypeScript', command: process.execPath, args: [tsx, join(FOLDER, 'send.ts')] } },
    await found('Python', async () => {
      const programs = await pythonPackage(BOTO3, note);
      return { command: join(programs, 'python'), args: [join(FOLDER, 'send.py')] };
    }),
  ];
}

async function found(name: string, find: () => Promise<Omit<Producer, 'name'>>): Promise<Found> {
  try {
    return { producer: { name, ...(await find()) } };
  } catch (error) {
    if (!(error instanceof EngineUnavailable)) throw error;
    return { name, missing: error.message };
  }
}

/** @param instruction absent: only listens @returns the lines it printed */
export async function produce(
  { command, args }: Producer,
  account: Account,
  coin: string,
  instruction?: object,
): Promise<readonly string[]> {
  const { file, access } = account.operator;
  const home = mkdtempSync(join(tmpdir(), 'coterie-producer-'));
  try {
    const env = freshEnvironment(home, {
      AWS_ACCESS_KEY_ID: file.account,
      AWS_DEFAULT_REGION: file.region,
      AWS_REGION: file.region,
      AWS_ENDPOINT_URL: access.endpoint ?? '',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      ...(process.env['PYENV_ROOT'] ? { PYENV_ROOT: process.env['PYENV_ROOT'] } : {}),
    });
    const further = instruction ? [JSON.stringify(instruction)] : [];
    const all = [...args, file.identity, coin, ...further];
    const { stdout } = await promisify(execFile)(command, all, { env, cwd: ROOT, timeout: 180_000 });
    return stdout.split('\n').filter((line) => line.startsWith('{'));
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
