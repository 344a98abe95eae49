// Ends demo:aws, or its tokens, by Ctrl-C at many moments, as a terminal does it (SIGINT to the whole process group), and looks for what it leaves: processes, listening ports, folders.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const tokens = process.argv[2] === 'tokens';
const moments = process.argv.slice(tokens ? 3 : 2).map(Number);
if (moments.length === 0) moments.push(1, 4, 8, 12, 20, 30, 45, 60, 80);
if (moments.some((each) => !Number.isFinite(each) || each <= 0))
  throw new Error('expected seconds after the start, as in: interrupted-demo.ts [tokens] 2 10 40');

const lines = (command: string, ...args: string[]) =>
  spawnSync(command, args, { encoding: 'utf8' }).stdout.trim().split('\n');
const listening = () => new Set(lines('ss', '-ltnH').map((line) => line.trim().split(/\s+/)[3] ?? ''));
const folders = () => new Set(readdirSync(tmpdir()).filter((name) => /^(?:coterie|ministack)-/.test(name)));
const running = () =>
  lines('ps', '-eo', 'pid=,args=').filter((line) => /ministack|deploy-demo-main|cdk (?:deploy|synth)/.test(line));
const added = (before: Iterable<string>, after: Iterable<string>) => {
  const known = new Set(before);
  return [...after].filter((each) => !known.has(each));
};

/** Processes of others keep their numbers; a listing's order does not matter. */
const pids = (listed: readonly string[]) => listed.map((line) => line.trim().split(/\s+/)[0] ?? '');

async function interrupted(seconds: number): Promise<string[]> {
  const before = { ports: listening(), folders: folders(), processes: pids(running()) };
  const demo: ChildProcess = spawn('npm', ['run', '--silent', 'demo:aws', ...(tokens ? ['--', 'tokens'] : [])], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  demo.stderr?.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  const ended = once(demo, 'exit') as Promise<[number | null, string | null]>;
  await Promise.race([sleep(seconds * 1_000), ended]);
  if (demo.exitCode === null) process.kill(-(demo.pid ?? 0), 'SIGINT');
  const [code, signal] = await ended;
  await sleep(3_000);
  const left = [
    ...added(before.ports, listening()).map((each) => `port ${each}`),
    ...added(before.folders, folders()).map((each) => `folder ${each}`),
    ...added(before.processes, pids(running())).map((each) => `process ${each}`),
  ];
  const step =
    said
      .trim()
      .split(/[\r\n]+/)
      .at(-1)
      ?.slice(0, 90) ?? '';
  console.log(
    `${`${seconds}`.padStart(4)} s  exit ${code ?? signal}  left: ${left.join(', ') || 'nothing'}  (${step})`,
  );
  return left;
}

let failed = false;
for (const seconds of moments) failed = (await interrupted(seconds)).length > 0 || failed;
process.exitCode = failed ? 1 : 0;
