/** The command line. Commands are loaded when they are asked for, so that help and mistakes are answered at once. */
import { Command, CommanderError, Option } from 'commander';
import { registerDeploy } from './deploy.ts';
import { STATUS, STATUS_HELP, Unreachable } from './exit-status.ts';
import { registerOperate } from './operate.ts';

/** @param args without `node` and the script @returns the exit status */
export async function main(args: readonly string[], version: string): Promise<number> {
  // The SDK announces its own future on stderr, once for each process.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  let status = 0;
  const program = commands(version, (ended) => {
    status = ended;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const sentence = mistake(error, program, args);
    process.stderr.write(`coterie: ${oneLine(sentence ?? describe(error))}\n`);
    if (sentence !== undefined) return STATUS.usage;
    return error instanceof Unreachable ? STATUS.unreachable : STATUS.failed;
  }
}

function commands(version: string, ended: (status: number) => void): Command {
  const program = new Command('coterie')
    .description('Threshold signing without a server: n operators hold one key, any t of them sign with it.')
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    .configureOutput({ outputError: () => {}, writeErr: () => {} })
    .showSuggestionAfterError(false)
    .addHelpText('after', STATUS_HELP)
    // `demo` and `demo tokens` both have a threshold and a seed: whose it is says the place.
    .enablePositionalOptions()
    .exitOverride();
  program.commandsGroup('Without an account:');

  const demonstration = embedded(program.command('demo'))
    .description(
      'make the keys of a committee in this process, sign with them, and have every signature verified by another library',
    )
    .option(
      '--message <text|0x...>',
      'what to sign: the UTF-8 bytes of a text, or bytes as hex; may be given several times',
      (text: string, before: string[] | undefined) => [...(before ?? []), text],
    )
    .option('--silent <operator>', 'this operator stops answering after key generation')
    .option('--json', 'print one JSON document on stdout, and nothing else there')
    .action(async (raw) => {
      const { demoOptions } = await import('./demo-options.ts');
      const options = demoOptions(raw);
      const { demo } = await import('./demo.ts');
      ended(await demo(options));
    });
  demonstration
    .enablePositionalOptions()
    .command('tokens')
    .description(
      'make the key of an asset in this process, and pay with private tokens: split, invoice, restore, withdraw',
    )
    .option('--services <n>', 'how many signing services, 6 to 31', '7')
    .option('--threshold <t>', 'services that it takes to issue (default: all but two)')
    .option('--seed <text|0x...>', 'makes the run reproducible; whoever knows it knows the tokens')
    .option('--json', 'print one JSON document on stdout, and nothing else there')
    .option(
      '--reveal',
      'put the tokens that are left into the document, for others to verify; whoever has them can spend them',
    )
    .option('--console', 'show the services and the supply as a page while it runs, and until Ctrl-C')
    .option('--port <n>', 'the page’s port on 127.0.0.1 (default: any that is free)')
    .action(async (raw) => {
      const { refuseEarlierOptions, tokenDemoOptions } = await import('./demo-tokens-options.ts');
      refuseEarlierOptions(demonstration.options.filter((each) => wasGiven(demonstration, each)));
      const options = tokenDemoOptions(raw);
      const { demoTokens } = await import('./demo-tokens.ts');
      ended(await demoTokens(options));
    });

  demonstration
    .command('bridge')
    .description('burn a token for the Bitcoin signature of a vault, once')
    .option('--seed <text|0x...>', 'makes the run reproducible; whoever knows it knows the keys')
    .option('--json', 'print one JSON document on stdout, and nothing else there')
    .action(async (raw: { readonly seed?: string; readonly json?: boolean }) => {
      const { refuseEarlierOptions } = await import('./demo-tokens-options.ts');
      refuseEarlierOptions(demonstration.options.filter((each) => wasGiven(demonstration, each)));
      const { seedOf } = await import('./usage.ts');
      const { demoBridge } = await import('./demo-bridge.ts');
      ended(await demoBridge({ json: raw.json ?? false, seed: raw.seed === undefined ? undefined : seedOf(raw.seed) }));
    });

  embedded(program.command('local'))
    .description('run a committee in this process: one instruction per line on stdin, one event per line on stdout')
    .option('--genesis', 'make the keys at once (without it, when a line asks for them)')
    .option(
      '--kill <operator[@Message]>',
      'this operator stops answering before the first line, or at its first message of that name; may be given several times',
      (text: string, before: string[] | undefined) => [...(before ?? []), text],
    )
    .option(
      '--lie <operator[@statement]>',
      'this operator signs wrong ones of EncryptedKeyShare or SignatureShare (the default), and is named with proof',
    )
    .option('--socket <path>', 'let other commands reach the committee there (--at), until Ctrl-C')
    .option('--port <n>', 'the same on a port of 127.0.0.1')
    .addHelpText('after', LOCAL_LINES)
    .action(async (raw) => {
      const { localOptions } = await import('./local-options.ts');
      const options = localOptions(raw);
      const { local } = await import('./local.ts');
      ended(await local(options));
    });
  program
    .command('verify <evidence>')
    .description('judge a file of evidence, offline: who did what in which ceremony')
    .requiredOption('--committee <file>', 'the committee file')
    .option('--json', 'print one JSON document on stdout, and nothing else there')
    .action(async (evidence: string, { committee, json }: { committee: string; json?: boolean }) => {
      const { verifyFile } = await import('./verify-evidence.ts');
      ended(await verifyFile(evidence, committee, json));
    });

  registerOperate(program, ended);
  program.commandsGroup('Becoming a committee, on AWS or an emulator:');
  registerDeploy(program, ended);
  program.commandsGroup('Besides:');
  program
    .command('completion')
    .description('print a script that completes commands: source <(coterie completion bash)')
    .argument('<shell>', 'bash, zsh or fish')
    .action(async (shell: string) => {
      const { completion } = await import('./completion.ts');
      process.stdout.write(completion(shell, program));
    });
  return program;
}

function wasGiven(command: Command, option: Option): boolean {
  return command.getOptionValueSource(option.attributeName()) === 'cli';
}

/** What every command with an embedded committee takes. */
function embedded(command: Command): Command {
  return command
    .addOption(new Option('--operators <n>', 'size of the committee, 2 to 100').default('3', '3'))
    .option('--threshold <t>', 'operators that it takes to sign (default: the smallest majority)')
    .addOption(
      new Option('--coins <list>', 'btc (Bitcoin Taproot), sol (Solana, Ed25519), or both').default(
        'btc,sol',
        'btc,sol',
      ),
    )
    .option('--seed <text|0x...>', 'makes the run reproducible; whoever knows it knows the keys')
    .option('--allow-single-signer', 'permit a threshold of 1');
}

const LOCAL_LINES = `
Lines on stdin; fields in brackets may be left out:
  {"MultisigInstruction": {"KeyGen": {"coin": "btc", [suite, t, signers, requestId, expiresAt]}}}
  {"MultisigInstruction": {"Sign": {"messages": ["0x..."], [keyId, coin, purpose, requestId, expiresAt]}}}
  {"Control": {"Halt": {}}}    also Release, CleanUp, and Abandon with a ceremony
"operators": [1, 2] beside the message restricts who is told. keyId may be "latest", which it is when left out: the newest
key of the coin, or of the last KeyGen. Defaults: the committee's suite and t, all signers, a random requestId, 600 seconds
from now, purpose "local".`;

// ------------------------------------------------------------------------------------------------ mistakes

/** The sentence for a mistake on the command line; `undefined` for any other error. */
function mistake(error: unknown, program: Command, args: readonly string[]): string | undefined {
  if (error instanceof Error && 'kind' in error && error.kind === 'UsageError') return error.message;
  if (!(error instanceof CommanderError)) return undefined;
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? '';
  const { command, path } = meant(program, args);
  const names = command.commands.map((each) => each.name()).join(', ');
  const options = [...command.options.map(({ long }) => long), '--help'].join(', ');
  switch (error.code) {
    case 'commander.help':
      return `expected one of ${names}, got none (${path} --help)`;
    case 'commander.unknownCommand':
      return `expected one of ${names}, got ${JSON.stringify(quoted)} (${path} --help)`;
    case 'commander.unknownOption':
      return `expected one of ${options}, got ${quoted}`;
    case 'commander.optionMissingArgument':
      return `${quoted}: expected a value, got none`;
    case 'commander.missingArgument':
      return `expected ${quoted}, got nothing (${path} --help)`;
    case 'commander.missingMandatoryOptionValue':
      return `${quoted}: expected it, got nothing (${path} --help)`;
    case 'commander.excessArguments':
      if (command.registeredArguments.length > 0)
        return `expected no argument after ${command.registeredArguments.map((each) => each.name()).join(' and ')}, got a further one (${path} --help)`;
      return 'expected options only, got a further argument (a message with spaces needs quotes)';
    default:
      return error.message.replace(/^error: /, '').split('\n')[0];
  }
}

/** The command that the words name, as far as they name one. */
function meant(program: Command, args: readonly string[]): { readonly command: Command; readonly path: string } {
  let command = program;
  const path = ['coterie'];
  for (const word of args.filter((arg) => !arg.startsWith('-'))) {
    const next = command.commands.find((each) => each.name() === word);
    if (!next) break;
    command = next;
    path.push(word);
  }
  return { command, path: path.join(' ') };
}

/** What came from elsewhere is quoted in it: nothing of that may move the cursor or colour the screen. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').trim();
}

function describe(error: unknown): string {
  if (error instanceof Unreachable) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
