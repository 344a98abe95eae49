import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { ClosingLine } from './test/closing-line.ts';

/** These replace modules, each for itself alone. */
const REPLACE_MODULES = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .map((file) => join('test', file))
  .filter((file) => file.endsWith('.test.ts') && readFileSync(file, 'utf8').includes('vi.mock('));

export default defineConfig({
  test: {
    // Every core: by itself the runner leaves one idle, which on two cores is half of them.
    maxWorkers: '100%',
    // Against what hangs; how long something takes is compared with a peer, never with a clock.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    reporters: ['default', new ClosingLine()],
    projects: [
      // Files of one worker share their modules: loading them anew for each file is a third of the whole run.
      {
        extends: true,
        test: { name: 'shared', include: ['test/**/*.test.ts'], exclude: REPLACE_MODULES, isolate: false },
      },
      { extends: true, test: { name: 'alone', include: REPLACE_MODULES, isolate: true } },
    ],
  },
});
