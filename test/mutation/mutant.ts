/** A file without one of its guards. */
import type { Guard } from './guard.ts';

/** @returns the mutant's text @throws unless the guard is there exactly once and its removal changes something */
export function mutantOf(guard: Guard, source: string): string {
  const parts = source.split(guard.find);
  if (parts.length !== 2)
    throw new Error(`${guard.id}: expected its text once in ${guard.file}, found it ${parts.length - 1} times`);
  if (guard.find === guard.replace) throw new Error(`${guard.id}: expected a mutant that differs`);
  return parts.join(guard.replace);
}
