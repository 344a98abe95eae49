/** The documents of the repository, and the commands in them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

export interface Document {
  /** From the root, with `/`. */
  readonly path: string;
  readonly text: string;
}

export function documents(): readonly Document[] {
  const inFolder = (...folder: string[]) =>
    readdirSync(join(ROOT, ...folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => [...folder, name].join('/'));
  const paths = [...inFolder(), ...inFolder('docs'), ...inFolder('docs', 'decisions')];
  return paths.map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
}

/** The commands of every `sh` block, in order: continued lines as one, without comments. */
export function commandsOf(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^```(?:sh|bash|shell|console)\n(.*?)^```$/gms)].map(([, block = '']) => block);
  return blocks.flatMap((block) =>
    block
      .replace(/\\\n\s*/g, '')
      .split('\n')
      .map((line) => line.replace(/(?:^|\s)# .*$/, '').trim())
      .filter((line) => line !== ''),
  );
}

/** The words of a command, as a shell without expansions would see them. */
export function words(command: string): readonly string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}
