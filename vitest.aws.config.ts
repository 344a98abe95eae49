import { defineConfig } from 'vitest/config';
import { ClosingLine } from './test/closing-line.ts';

/** A whole committee on one emulator: minutes, not seconds. `npm run test:aws` chooses the files. */
export default defineConfig({
  test: {
    include: ['test/integration/**/*.aws.ts'],
    fileParallelism: false,
    testTimeout: 420_000,
    hookTimeout: 900_000,
    teardownTimeout: 60_000,
    reporters: ['verbose', new ClosingLine()],
    // What happens during minutes is shown while it happens.
    disableConsoleIntercept: true,
  },
});
