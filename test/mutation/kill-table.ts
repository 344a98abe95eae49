/** The kill table as it is published: which test notices that a guard is gone. */
import { createHash } from 'node:crypto';
import type { Guard } from './guard.ts';

/** What became of a mutant. */
export interface Fate {
  /** Of the guard as it was tried. */
  readonly of: string;
  /** The test that noticed; null: none did. */
  readonly by: string | null;
  readonly seconds: number;
}

export type Fates = Record<string, Fate>;

/** Changes with the guard's text: what was tried on another text says nothing. */
export function fingerprint({ file, find, replace }: Guard): string {
  return createHash('sha256')
    .update(JSON.stringify([file, find, replace]))
    .digest('hex')
    .slice(0, 16);
}

/** Markdown. */
export function tableOf(guards: readonly Guard[], fates: Fates): string {
  const tried = guards.filter((guard) => fates[guard.id]?.of === fingerprint(guard));
  const killed = tried.filter(({ id }) => fates[id]?.by !== null);
  const explained = tried.filter(({ id, redundant }) => fates[id]?.by === null && redundant !== undefined);
  const alive = tried.filter(({ id, redundant }) => fates[id]?.by === null && redundant === undefined);
  const lines = [
    '# Kill table',
    '',
    'Each guard of the code (a condition on a write, a verification, a bound) is taken away, one at a time, and the tests are asked whether they notice. `npm run kill-table` makes this',
    'table; `test/mutation/guards` is the list, with the exact text that is removed. A guard whose removal no test notices is a guard without a test.',
    '',
    `${guards.length} guards in ${new Set(guards.map(({ file }) => file)).size} files: ${killed.length} mutants killed, ${explained.length} live because something else stops the same thing, ${alive.length} live without an explanation, ${guards.length - tried.length} not tried.`,
  ];
  for (const file of new Set(guards.map((guard) => guard.file))) {
    lines.push('', `## ${file}`, '', '| without the guard it does not hold that … | noticed by | s |', '|---|---|---|');
    for (const guard of guards.filter((each) => each.file === file)) {
      const fate = fates[guard.id];
      const noticed =
        fate?.of !== fingerprint(guard)
          ? 'not tried'
          : (fate.by ?? (guard.redundant === undefined ? '**nobody**' : `nobody, and need not: ${guard.redundant}`));
      lines.push(`| ${cell(guard.holds)} | ${cell(noticed)} | ${fate?.seconds ?? ''} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
