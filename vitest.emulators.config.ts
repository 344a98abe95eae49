import { defineConfig } from 'vitest/config';
import { ClosingLine } from './test/closing-line.ts';

/** Engines in two processes: most of a test of queues is waiting for a visibility timeout. `COTERIE_ENGINES=ministack,moto` chooses among them. */
export default defineConfig({
  test: {
    include: ['test/emulators/**/*.emulator.ts'],
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 300_000,
    reporters: ['verbose', new ClosingLine()],
  },
});
