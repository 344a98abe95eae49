import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { EngineUnavailable, freePort, launch } from '../../scripts/emulators/engine.ts';
import { listening } from './listening.ts';

const answers = (endpoint: string) =>
  fetch(endpoint).then(
    () => true,
    () => false,
  );

async function until(condition: () => Promise<boolean>, seconds: number): Promise<boolean> {
  for (const deadline = Date.now() + seconds * 1_000; Date.now() < deadline; await sleep(100))
    if (await condition()) return true;
  return false;
}

describe('an engine', () => {
  test('sees none of the caller’s credentials, and leaves no process, port or folder', async () => {
    process.env['AWS_SESSION_TOKEN'] = 'somebody’s';
    const engine = await launch(listening(await freePort()));
    const environment = (await (await fetch(engine.endpoint)).json()) as Record<string, string>;
    delete process.env['AWS_SESSION_TOKEN'];
    expect(environment['AWS_SESSION_TOKEN']).toBeUndefined();
    expect(environment['AWS_SECRET_ACCESS_KEY']).toBe('test');
    await engine.stop();
    expect([await answers(engine.endpoint), existsSync(engine.folder)]).toEqual([false, false]);
    await engine.stop();
  });

  test('that listens outside loopback is ended and refused', async () => {
    const port = await freePort();
    await expect(launch(listening(port, '0.0.0.0'))).rejects.toThrow('listens outside loopback');
    expect(await answers(`http://127.0.0.1:${port}`)).toBe(false);
  });

  test('ends with whoever started it, even if that was killed', async () => {
    const port = await freePort();
    const file = fileURLToPath(new URL('starter.ts', import.meta.url));
    const starter = spawn(process.execPath, ['--import', 'tsx', file, `${port}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(starter.stdout, 'data')) as [Buffer];
    const [endpoint = '', folder = ''] = `${said}`.trim().split(' ');
    expect(await answers(endpoint)).toBe(true);
    starter.kill('SIGKILL');
    expect(await until(async () => !(await answers(endpoint)) && !existsSync(folder), 10)).toBe(true);
  });

  test('that ends before it is ready, or is not installed, says so', async () => {
    const broken = { ...listening(await freePort()), args: ['-e', 'console.error("no disk"); process.exit(1)'] };
    await expect(launch(broken)).rejects.toThrow('no disk');
    await expect(launch({ ...broken, command: '/nowhere/engine' })).rejects.toBeInstanceOf(EngineUnavailable);
  });
});
