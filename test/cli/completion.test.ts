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
