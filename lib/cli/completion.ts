/** `coterie completion`: what the shell offers after `coterie`, made from the commands themselves. */
import type { Command } from 'commander';
import { shown, UsageError } from './usage.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

interface Words {
  /** `ceremony show`; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly { readonly long: string; readonly description: string; readonly takesFile: boolean }[];
}

/** @throws {UsageError} */
export function completion(shell: string, program: Command): string {
  const found = SHELLS.find((each) => each === shell);
  if (!found) throw new UsageError(`expected one of ${SHELLS.join(', ')}, got ${shown(shell)}`);
  const words = wordsOf(program, '');
  switch (found) {
    case 'bash':
      return bash(words);
    case 'zsh':
      return `#compdef coterie\nautoload -U +X bashcompinit && bashcompinit\n${bash(words)}`;
    case 'fish':
      return fish(words);
  }
}

function wordsOf(command: Command, path: string): Words[] {
  const own: Words = {
    path,
    commands: command.commands.map((each) => ({ name: each.name(), description: each.description() })),
    options: command.options.flatMap(({ long, description, flags }) =>
      long ? [{ long, description, takesFile: /<(?:file|path|folder|socket\|port)>/.test(flags) }] : [],
    ),
  };
  return [own, ...command.commands.flatMap((each) => wordsOf(each, `${path} ${each.name()}`.trim()))];
}

function bash(words: readonly Words[]): string {
  const cases = words.map(({ path, commands, options }) => {
    const offered = [...commands.map(({ name }) => name), ...options.map(({ long }) => long), '--help'];
    return `    ${path === '' ? "''" : `'${path}'`}) words='${offered.join(' ')}' ;;`;
  });
  const groups = words.filter(({ path, commands }) => path !== '' && commands.length > 0).map(({ path }) => path);
  const files = [
    ...new Set(words.flatMap(({ options }) => options.filter(({ takesFile }) => takesFile).map(({ long }) => long))),
  ];
  return `_coterie() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path='' words=''
  case "$previous" in
    ${files.join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  if [ "$COMP_CWORD" -gt 1 ]; then
    path="\${COMP_WORDS[1]}"
    case "$path" in
      ${groups.join('|')}) [ "$COMP_CWORD" -gt 2 ] && path="$path \${COMP_WORDS[2]}" ;;
    esac
  fi
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _coterie coterie
`;
}

function fish(words: readonly Words[]): string {
  const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = words.flatMap(({ path, commands, options }) => {
    const inside =
      path === ''
        ? '__fish_use_subcommand'
        : path
            .split(' ')
            .map((name) => `__fish_seen_subcommand_from ${name}`)
            .join('; and ');
    return [
      ...commands.map(
        ({ name, description }) =>
          `complete -c coterie -f -n ${quoted(inside)} -a ${quoted(name)} -d ${quoted(description)}`,
      ),
      ...options.map(
        ({ long, description, takesFile }) =>
          `complete -c coterie -n ${quoted(inside)} -l ${quoted(long.slice(2))} ${takesFile ? '-r -F ' : ''}-d ${quoted(description)}`,
      ),
    ];
  });
  return `${lines.join('\n')}\n`;
}
