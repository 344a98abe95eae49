import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { coterie } from './embedded.ts';

const hasBash = spawnSync('bash', ['--version']).status === 0;

describe('completion', () => {
  it.skipIf(!hasBash)('offers commands, subcommands, options and files in bash (needs bash)', async () => {
    const { stdout, status } = await coterie(['completion', 'bash']);
    expect(status).toBe(0);
    const offered = (...words: string[]) => {
      const line = `${stdout}\nCOMP_WORDS=(coterie ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _coterie; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const run = spawnSync('bash', ['-c', line], { encoding: 'utf8', cwd: import.meta.dirname });
      expect(run.stderr).toBe('');
      return run.stdout.trim().split('\n');
    };
    expect(offered('sta')).toEqual(['status', 'start']);
    expect(offered('ceremony', '')).toEqual(expect.arrayContaining(['list', 'show', 'timeline']));
    expect(offered('ceremony', 'show', '--ev')).toEqual(['--evidence']);
    expect(offered('sign', '--mess')).toEqual(['--message', '--message-file']);
    expect(offered('verify', '--committee', 'completion.te')).toEqual(['completion.test.ts']);
  });

  it('knows every command in every shell', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { stdout, status } = await coterie(['completion', shell]);
      expect(status).toBe(0);
      for (const word of ['dead-letters', 'redrive', 'timeline', 'clean-up', 'export'])
        expect(stdout, shell).toContain(word);
    }
  });

  it('refuses other shells', async () => {
    expect(await coterie(['completion', 'tcsh'])).toMatchObject({
      status: 2,
      stderr: 'coterie: expected one of bash, zsh, fish, got "tcsh"\n',
    });
  });
});

describe('help', () => {
  it('groups the commands, and says what the exit statuses mean', async () => {
    const { stdout, status } = await coterie(['--help']);
    expect(status).toBe(0);
    expect(stdout).toMatchSnapshot();
  });
});

describe('a mistake', () => {
  it.each([
    [['ceremony'], 'expected one of list, show, timeline, got none (coterie ceremony --help)'],
    [['ceremony', 'frob'], 'expected one of list, show, timeline, got "frob" (coterie ceremony --help)'],
    [['ceremony', 'show'], 'expected id, got nothing (coterie ceremony show --help)'],
    [['ceremony', 'show', 'a', 'b'], 'expected no argument after id, got a further one (coterie ceremony show --help)'],
    [
      ['ceremony', 'show', 'a', '--frob'],
      'expected one of --at, --operator, --as, --json, --evidence, --help, got --frob',
    ],
    [['address'], '--require <t>: expected it, got nothing (coterie address --help)'],
    [['local', '--socket', 'a', '--port', '1'], '--socket and --port: expected one of them, got both'],
    [['local', '--port', '0'], '--port: expected a whole number from 1 to 65535, got "0"'],
    [['local', '--socket', '4100'], '--socket: expected the path of a socket, got "4100" (--port takes a port)'],
    [
      ['status', '--at', 'https://example.org'],
      '--at: expected the path of a socket or a port on loopback, got "https://example.org"',
    ],
  ])('%j is answered by the command that was meant', async (args, sentence) => {
    expect(await coterie(args)).toEqual({ status: 2, stdout: '', stderr: `coterie: ${sentence}\n` });
  });

  it('is to name no place at all', async () => {
    const before = process.env['COTERIE_AT'];
    delete process.env['COTERIE_AT'];
    const { status, stderr } = await coterie(['status']);
    if (before !== undefined) process.env['COTERIE_AT'] = before;
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /expected --at <socket\|port>, --operator <file>, COTERIE_AT or an operator\.json here, got none of them/,
    );
  });
});
