/**
 * Starting and ending an emulator: on loopback only, with an environment of its own, so that a developer's credentials are never used, and never outliving
 * whoever started it.
 */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface Engine {
  readonly name: string;
  readonly version: string;
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  /** Empty, and removed when the engine ends. */
  readonly folder: string;
  readonly log: () => string;
  /** Ends every process of the engine. May be called twice. */
  stop(): Promise<void>;
}

/** The machine lacks something; the message says what, as the reason of a skip. */
export class EngineUnavailable extends Error {
  readonly kind = 'EngineUnavailable';
}

export interface Launch {
  readonly name: string;
  readonly version: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly port: number;
  /** Given the engine's own folder, which is its home and working directory. */
  readonly environment?: (folder: string) => Readonly<Record<string, string>>;
  /** Written into that folder before the start, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Asked until it answers true. */
  readonly ready: (endpoint: string) => Promise<boolean>;
  readonly seconds?: number;
}

/** The checkout, where caches of engines lie. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** An account is a 12-digit access key on the emulators. */
export const ACCOUNT = '111111111111';
export const REGION = 'us-east-1';
export const CREDENTIALS = { accessKeyId: ACCOUNT, secretAccessKey: 'test' } as const;

/**
 * The engine runs in a process group whose leader waits for the end of its standard input: when the starter ends, however it ends, the kernel closes the pipe and
 * the leader ends the group. If the engine ends by itself, so does the group.
 */
const LEADER = `
folder=$1; shift
trap : TERM
( "$@"; kill -KILL 0 ) &
cat >/dev/null
kill -TERM 0
# Until nobody is left but the leader and the three processes of this line, for at most 3 seconds.
i=0
while [ $i -lt 30 ] && [ "$(ps -o pid= -g $$ | wc -l)" -gt 4 ]; do sleep 0.1; i=$((i+1)); done
rm -rf "$folder"
kill -KILL 0
`;

export async function launch({
  name,
  version,
  command,
  args,
  port,
  environment = () => ({}),
  files = {},
  ready,
  seconds = 30,
}: Launch): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), `coterie-${name}-`));
  const logFile = join(folder, 'engine.log');
  const output = openSync(logFile, 'a');
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  const env = freshEnvironment(folder, environment(folder));
  const leader = spawn('sh', ['-c', LEADER, 'sh', folder, command, ...args], {
    detached: true,
    stdio: ['pipe', output, output],
    env,
    cwd: folder,
  });
  closeSync(output);
  const ended = new Promise<void>((resolve) => {
    leader.once('exit', () => resolve());
    leader.once('error', () => resolve());
  });
  let running = true;
  void ended.then(() => {
    running = false;
  });
  leader.unref();
  const endpoint = `http://127.0.0.1:${port}`;
  const log = () => readFileSync(logFile, 'utf8');
  const stop = async () => {
    leader.ref();
    leader.stdin?.destroy();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const deadline = Date.now() + seconds * 1_000; !(await answers(ready, endpoint)); await sleep(100)) {
      if (!running)
        throw new EngineUnavailable(`${name} ${version} ended before it was ready: ${log().trim().slice(-400)}`);
      if (Date.now() > deadline)
        throw new EngineUnavailable(
          `${name} ${version} was not ready within ${seconds} s: ${log().trim().slice(-400)}`,
        );
    }
    assertLoopbackOnly(name, leader.pid ?? -1);
  } catch (error) {
    await stop();
    throw error;
  }
  return { name, version, endpoint, folder, log, stop };
}

async function answers(ready: Launch['ready'], endpoint: string): Promise<boolean> {
  try {
    return await ready(endpoint);
  } catch {
    return false;
  }
}

/** Nothing of the caller's environment but the path: no credentials, no profile, no proxy. */
export function freshEnvironment(home: string, further: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: home,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_REGION: REGION,
    AWS_EC2_METADATA_DISABLED: 'true',
    ...further,
  };
}

/** @throws if a process of the group listens on an address that others can reach */
export function assertLoopbackOnly(name: string, group: number): void {
  const members = new Set(groupMembers(group));
  const sockets = spawnSync('ss', ['-ltnpH'], { encoding: 'utf8' });
  if (sockets.status !== 0) throw new EngineUnavailable('ss is missing, so nobody can check where the engine listens');
  const own = sockets.stdout
    .split('\n')
    .filter((line) => [...line.matchAll(/pid=([0-9]+)/g)].some(([, pid]) => members.has(Number(pid))));
  const addresses = own.map((line) => line.trim().split(/\s+/)[3] ?? '');
  const reachable = addresses.filter(
    (address) => !/^(?:127\.[0-9.]+|\[::1\]|\[::ffff:127\.[0-9.]+\]):[0-9]+$/.test(address),
  );
  if (addresses.length === 0) throw new Error(`${name}: expected a listening socket, found none`);
  if (reachable.length > 0)
    throw new Error(`${name} listens outside loopback, on ${reachable.join(', ')}; it was ended`);
}

function groupMembers(group: number): number[] {
  const listed = spawnSync('ps', ['-e', '-o', 'pid=,pgid='], { encoding: 'utf8' });
  const rows = listed.stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  return rows.filter(([, pgid]) => pgid === group).map(([pid]) => pid ?? -1);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('expected a port, got none');
  return address.port;
}

/** Runs a tool to its end. @throws {EngineUnavailable} with the end of what it printed */
export async function run(command: string, args: readonly string[], cwd: string = ROOT): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd, maxBuffer: 16 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    const { stderr = '', code } = error as { stderr?: string; code?: string | number };
    const said = stderr.trim().split('\n').at(-1) ?? '';
    throw new EngineUnavailable(
      code === 'ENOENT' ? `${command} is not installed` : `${command} failed: ${said.slice(-300)}`,
    );
  }
}
