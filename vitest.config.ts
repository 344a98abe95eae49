import { defineConfig } from 'vitest/config';
import { ClosingLine } from './test/closing-line.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Every core: by itself the runner leaves one idle, which on two cores is half of them.
    maxWorkers: '100%',
    // Against what hangs; how long something takes is compared with a peer, never with a clock.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    reporters: ['default', new ClosingLine()],
  },
});
