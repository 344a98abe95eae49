/** The programs that run simulations in bulk: a slip of the hand must not look like a thousand good runs. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

test.each([
  ['simulate', '--seeds', 'x'],
  ['simulate', '--workers', 'x'],
  ['simulate-tokens', '--runs', '0'],
  ['simulate-tokens', '--runs', 'x'],
  ['sweep', '--workers', 'x'],
])('%s %s %s runs nothing, says what was expected, and is no success', (script, option, value) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', `scripts/${script}.ts`, option, value],
    { cwd: root, encoding: 'utf8', timeout: 30_000 },
  );
  expect(status).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toContain(`${option}: expected a whole number from 1 to 999999999, got "${value}"`);
});
