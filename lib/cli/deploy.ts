/** The operator's commands: deploy, start, card, committee, reconcile. Each is loaded when it is asked for. */
import type { Command } from 'commander';
import type { ExportOptions } from './committee-export.ts';
import { atPlace } from './operate.ts';

type Ended = (status: number) => void;

interface OperatorOption {
  readonly operator: string;
  readonly json?: boolean;
}

const JSON_HELP = 'print one JSON document on stdout, and nothing else there';

/** Adds the commands to the program. @param ended told the exit status */
export function registerDeploy(program: Command, ended: Ended): void {
  withOperator(program.command('deploy'))
    .description('deploy this operator’s stacks: first without a committee, then with the one that was agreed on')
    .option('--committee <file>', 'the committee file; its hash must be committeeHash in the operator file')
    .option('--stage <stage>', 'aws, or local for an emulator on loopback (AWS_ENDPOINT_URL)', 'aws')
    .option('--yes', 'do not ask before rights are widened')
    .action(async (options: OperatorOption & { committee?: string; stage: string; yes?: boolean }) => {
      const { deploy } = await import('./deploy-stacks.ts');
      ended(await deploy(options));
    });

  withOperator(program.command('start'))
    .description('make this operator’s keys on the first run, and publish them to its own coordinator on every one')
    .action(async ({ operator, json }: OperatorOption) => {
      const { start } = await import('./committee-commands.ts');
      ended(await start(operator, json));
    });

  withOperator(program.command('card'))
    .description('print this operator’s card: what the others need to know of it')
    .option('--output <file>', 'write it there')
    .action(async (options: OperatorOption & { output?: string }) => {
      const { card } = await import('./committee-commands.ts');
      ended(await card(options.operator, options.output, options.json));
    });

  withOperator(program.command('reconcile'))
    .description('make the tables as the templates say; on AWS this finds nothing')
    .option('--assembly <folder>', 'where cdk synth wrote the templates', 'cdk.out')
    .action(async (options: OperatorOption & { assembly: string }) => {
      const { reconcileTables } = await import('./committee-commands.ts');
      ended(await reconcileTables(options.operator, options.assembly, options.json));
    });

  registerCommittee(program.command('committee'), ended);
}

function registerCommittee(committee: Command, ended: Ended): void {
  committee.description('put cards together into a committee, check one, or accept it');

  committee
    .command('create')
    .description('write the committee file from all operators’ cards, in this order')
    .argument('<cards...>', 'files that coterie card printed')
    .requiredOption('--threshold <t>', 'operators that it takes to sign')
    .option('--network <name>', 'which network the keys are for', 'main')
    .option('--suite <coin=suite>', 'the suite of a coin other than btc and sol; may be given several times', append)
    .option('--asset <asset=file>', 'the terms of an asset, as JSON; may be given several times', append)
    .option('--genesis <seconds>', 'make the keys by themselves within so many seconds from now')
    .option('--leader-period <seconds>', 'what a silent leader costs', '15')
    .option('--allow-single-signer', 'permit a threshold of 1')
    .option('--output <file>', 'where to write it', 'committee.json')
    .option('--json', JSON_HELP)
    .action(async (cards: string[], options: Record<string, unknown>) => {
      const { create } = await import('./committee-commands.ts');
      ended(create(cards, options as unknown as Parameters<typeof create>[1]));
    });

  atPlace(committee.command('export'))
    .description('take out the committee file that an operator has accepted: evidence is judged by it')
    .option('--output <file>', 'write it there')
    .action(async (options: ExportOptions) => {
      const { exportCommittee } = await import('./committee-export.ts');
      ended(await exportCommittee(options));
    });

  withOperator(committee.command('check'))
    .description('check a committee file, and print the hash to be compared by voice')
    .argument('<file>', 'the committee file')
    .option('--card <file>', 'this operator’s own card, to compare its entry with')
    .action(async (file: string, options: OperatorOption & { card?: string }) => {
      const { check } = await import('./committee-commands.ts');
      ended(check(file, options.operator, options.card, options.json));
    });

  withOperator(committee.command('accept'))
    .description('after the second deploy: send the committee file to every role of this operator')
    .argument('<file>', 'the committee file')
    .action(async (file: string, { operator, json }: OperatorOption) => {
      const { accept } = await import('./committee-commands.ts');
      ended(await accept(file, operator, json));
    });
}

function withOperator(command: Command): Command {
  return command.option('--operator <file>', 'the operator file', 'operator.json').option('--json', JSON_HELP);
}

function append(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}
