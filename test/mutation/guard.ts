/**
 * A guard is a piece of code without which an attack or a fault goes through. The list of them is what `npm run kill-table` takes away, one at a time: each mutant must make a test
 * fail, or the check has no test that would miss it.
 */

export interface Guard {
  /** `folder/file/what`: unique. */
  readonly id: string;
  readonly file: string;
  /** What holds because of it. */
  readonly holds: string;
  /** The guard's text, found exactly once in the file: an edit of the guard is an edit of the list. */
  readonly find: string;
  /** What stands there in the mutant. */
  readonly replace: string;
  /** Test files that should notice, the likeliest first. */
  readonly tests: readonly string[];
  /** Why a mutant may live: what else stops the same thing. */
  readonly redundant?: string;
}

type Add = (
  what: string,
  holds: string,
  find: string,
  replace?: string,
  other?: { readonly tests?: readonly string[]; readonly redundant?: string },
) => Guard;

/** Guards of one file, which the same tests should notice. */
export function guardsOf(file: string, ...tests: readonly string[]): Add {
  const prefix = file.replace(/^lib\//, '').replace(/\.ts$/, '');
  return (what, holds, find, replace = '', other = {}) => ({
    id: `${prefix}/${what}`,
    file,
    holds,
    find,
    replace,
    tests: other.tests ?? tests,
    ...(other.redundant === undefined ? {} : { redundant: other.redundant }),
  });
}
