import { defineConfig } from 'vitest/config';
import { ClosingLine } from './test/closing-line.ts';

/** Engines are started one after another: they share two cores and a network interface. */
export default defineConfig({
  test: {
    include: ['test/emulators/**/*.emulator.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 300_000,
    reporters: ['verbose', new ClosingLine()],
  },
});
