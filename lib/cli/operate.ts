/** Commands of the person on duty. Each is loaded when it is asked for. */
import type { Command } from 'commander';

type Ended = (status: number) => void;

const ASKING = 'Asking';
const LOOKING = 'Looking';
const SWITCHING = 'Switching';

/** Adds the commands to the program. @param ended told the exit status */
export function registerOperate(program: Command, ended: Ended): void {
  program.commandsGroup(`${ASKING}:`);
  asking(atPlace(program.command('keygen')))
    .description('ask for a key, and wait until it is made')
    .option('--coin <coin>', 'of which coin')
    .option('--signers <list>', 'operator indexes (default: all that have the coin)')
    .action(async (options) => {
      const { keygen } = await import('./ask-commands.ts');
      ended(await keygen(options));
    });
  asking(atPlace(program.command('sign')))
    .description('ask for signatures, wait, and check them with another library')
    .option('--key <id>', 'an id or its first digits, an address, or latest (default: the only one)')
    .option('--coin <coin>', 'of which coin')
    .option('--message <text|hex>', 'what to sign: a text, or bytes as 0x…; may be given several times', append)
    .option('--message-file <file>', 'the bytes of a file; may be given several times', append)
    .option('--purpose <text>', 'what policies look at', 'signing')
    .action(async (options) => {
      const { sign } = await import('./ask-commands.ts');
      ended(await sign(options));
    });
  atPlace(program.command('pending'))
    .description('what other operators ask for, and nobody has authorised here')
    .action(async (options) => {
      const { pending } = await import('./ceremony-commands.ts');
      ended(await pending(options));
    });
  waiting(atPlace(program.command('approve')))
    .description('join what another operator asked for, word for word')
    .argument('<id>', 'of the ceremony, whole, as coterie pending prints it')
    .option('--signatures <file>', 'of the operator’s instruction keys')
    .option('--unsent', 'print the instruction and the bytes to sign, and send nothing')
    .action(async (id: string, options) => {
      const { approve } = await import('./ask-commands.ts');
      ended(await approve(id, options));
    });

  program.commandsGroup(`${LOOKING}:`);
  atPlace(program.command('status'))
    .description('can the committee sign, how many more may fall silent, and what has to be done')
    .action(async (options) => {
      const { status } = await import('./status-command.ts');
      ended(await status(options));
    });
  registerCeremony(program.command('ceremony'), ended);
  registerPage(program, ended);
  atPlace(program.command('doctor'))
    .description('look at what is deployed: clock, tables, keys, queues, policies, drift; each finding with its remedy')
    .option('--committee <file>', 'the committee file that was agreed on (default: the accepted one)')
    .option('--all', 'print what is good, too')
    .action(async (options) => {
      const { doctor } = await import('./doctor-command.ts');
      ended(await doctor(options));
    });
  registerDeadLetters(program.command('dead-letters'), ended);
  registerCertificate(program, ended);
  program
    .command('cost')
    .description('what a committee costs a month at list prices, from counted operations')
    .option('--operators <n>', 'size of the committee', '3')
    .option('--threshold <t>', 'operators that it takes to sign (default: the smallest majority)')
    .option('--coins <c>', 'how many coins', '1')
    .option('--signatures-per-day <s>', 'of one message each', '100')
    .option('--keys-per-month <k>', 'new keys', '0')
    .option('--assets <a>', 'how many assets, with a signing service of every operator', '0')
    .option('--payments-per-day <p>', 'of tokens, by invoice', '0')
    .option('--svg <file>', 'draw it there')
    .option('--json', 'print one JSON document on stdout, and nothing else there')
    .action(async (options) => {
      const { cost } = await import('./cost-command.ts');
      ended(cost(options));
    });

  program.commandsGroup(`${SWITCHING}:`);
  for (const [name, word] of [
    ['halt', 'no share leaves until it is released'],
    ['release', 'shares may leave again, and what was held is looked at'],
    ['clean-up', 'look at every open ceremony that is due'],
  ] as const) {
    switching(atPlace(program.command(name)))
      .description(word)
      .action(async (options) => {
        const { cleanUp, halt, release } = await import('./control-commands.ts');
        ended(await { halt, release, 'clean-up': cleanUp }[name](options));
      });
  }
  switching(atPlace(program.command('abandon')))
    .description('end a ceremony here; a key whose generation is unresolved is hidden')
    .argument('<id>', 'of the ceremony, or its first digits')
    .action(async (id: string, options) => {
      const { abandon } = await import('./control-commands.ts');
      ended(await abandon(id, options));
    });
}

function registerDeadLetters(letters: Command, ended: Ended): void {
  letters.description('messages that failed ten times: list them, or send them back');
  const each = (command: Command) =>
    atPlace(command)
      .option('--from <segment>', 'a coin, coordinator, or inbox')
      .option('--limit <n>', 'at most so many', '100');
  each(letters.command('list'))
    .description('what was set aside, and from which queue; never what it says')
    .action(async (options) => {
      const { list } = await import('./dead-letter-commands.ts');
      ended(await list(options));
    });
  each(letters.command('redrive'))
    .description('send them back to where they came from')
    .option('--id <message>', 'only this one')
    .action(async (options) => {
      const { redrive } = await import('./dead-letter-commands.ts');
      ended(await redrive(options));
    });
}

function registerCertificate(program: Command, ended: Ended): void {
  const certificate = program
    .command('certificate')
    .description('take a key’s certificate out, or hand it to an operator that missed it');
  atPlace(certificate.command('export'))
    .description('the certificate, with the statement by which this operator announced it')
    .argument('[key]', 'an id or its first digits (default: the only one)')
    .option('--output <file>', 'write it there')
    .action(async (key: string | undefined, options) => {
      const { exportCertificate } = await import('./certificate-commands.ts');
      ended(await exportCertificate(key, options));
    });
  atPlace(certificate.command('import'))
    .description('check it, and hand it to the processors here that lack it')
    .argument('<file>', 'what another operator exported')
    .option('--committee <file>', 'only check it, offline')
    .action(async (file: string, options) => {
      const { importCertificate } = await import('./certificate-commands.ts');
      ended(await importCertificate(file, options));
    });
  atPlace(program.command('address'))
    .description('print where to pay to, if enough operators announced it with one certificate')
    .requiredOption('--require <t>', 'how many operators must have announced it')
    .option('--key <id>', 'an id or its first digits (default: the only one)')
    .option('--from <file>', 'what an operator exported; may be given several times', append)
    .option('--committee <file>', 'judge the files alone, offline')
    .action(async (options) => {
      const { address } = await import('./certificate-commands.ts');
      ended(await address(options));
    });
}

function registerCeremony(ceremony: Command, ended: Ended): void {
  ceremony.description('list, show or draw ceremonies');
  atPlace(ceremony.command('list'))
    .description('newest first')
    .option('--coin <coin>', 'of one coin only')
    .option('--open', 'only those that have not ended')
    .option('--limit <n>', 'at most so many', '20')
    .action(async (options) => {
      const { listCeremonies } = await import('./ceremony-commands.ts');
      ended(await listCeremonies(options));
    });
  atPlace(ceremony.command('show'))
    .description('what was asked, who said what, how it ended, who is to blame, what to do')
    .argument('<id>', 'of the ceremony, its first digits, or latest')
    .option('--evidence <operator>', 'print the stored proof against this operator, for coterie verify')
    .action(async (id: string, options) => {
      const { showCeremony } = await import('./ceremony-commands.ts');
      ended(await showCeremony(id, options));
    });
  atPlace(ceremony.command('timeline'))
    .description('stages and arrivals by operator, as a drawing')
    .argument('<id>', 'of the ceremony, its first digits, or latest')
    .action(async (id: string, options) => {
      const { showTimeline } = await import('./ceremony-commands.ts');
      ended(await showTimeline(id, options));
    });
}

function registerPage(program: Command, ended: Ended): void {
  atPlace(program.command('console'))
    .description('a page of all that, live, for your browser on this machine; it only reads')
    .option('--port <port>', 'on loopback (default: any that is free)', '0')
    .option('--no-open', 'print the address, and open no browser')
    .action(async (options) => {
      const { serveConsole } = await import('./console-command.ts');
      ended(await serveConsole(options));
    });
  atPlace(program.command('report'))
    .description('one ceremony as one HTML file that opens without a network')
    .argument('<id>', 'of the ceremony, its first digits, or latest')
    .option('-o, --output <file>', 'where to write it; - is stdout (default: coterie-<id>.html)')
    .action(async (id: string, options) => {
      const { report } = await import('./report-command.ts');
      ended(await report(id, options));
    });
}

/** What every command takes that needs an operator. */
export function atPlace(command: Command): Command {
  return command
    .option('--at <socket|port>', 'an embedded committee (coterie local --socket), else COTERIE_AT')
    .option('--operator <file>', 'an operator file: AWS, or AWS_ENDPOINT_URL (default: operator.json)')
    .option('--as <operators>', 'which of the operators there: identities, indexes, or all')
    .option('--json', 'print one JSON document on stdout, and nothing else there');
}

function asking(command: Command): Command {
  return waiting(command)
    .option('--request-id <hex>', '16 bytes; the same one is the same ceremony (default: random)')
    .option('--expires-in <seconds>', 'how long it may take (default: 600)')
    .option('--expires-at <time>', 'the same as a time: seconds UTC, or 2026-01-01T00:00:00Z')
    .option('--signatures <file>', 'of the operator’s instruction keys')
    .option('--unsent', 'print the instruction and the bytes to sign, and send nothing');
}

function waiting(command: Command): Command {
  return command
    .option('--wait <seconds>', 'wait so long (default: until it expires)')
    .option('--no-wait', 'send it, and go');
}

function switching(command: Command): Command {
  return command
    .option('--coin <coin>', 'the processor of one coin only')
    .option('--signatures <file>', 'of the operator’s instruction keys')
    .option('--unsent', 'print the bytes to sign, and send nothing');
}

function append(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}
