import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { GUARDS } from './all.ts';
import { mutantOf } from './mutant.ts';

const root = new URL('../../', import.meta.url);
const read = (file: string): string => readFileSync(fileURLToPath(new URL(file, root)), 'utf8');

test('every guard of the kill table is in the code exactly once, and none is listed twice', () => {
  expect(new Set(GUARDS.map(({ id }) => id)).size).toBe(GUARDS.length);
  const lost = GUARDS.flatMap((guard) => {
    try {
      mutantOf(guard, read(guard.file));
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  });
  expect(lost).toEqual([]);
});

test('every test file that a guard names is there', () => {
  const named = new Set(GUARDS.flatMap(({ tests }) => tests));
  const absent = [...named].filter((file) => {
    try {
      return read(file) === '';
    } catch {
      return true;
    }
  });
  expect(absent).toEqual([]);
});
