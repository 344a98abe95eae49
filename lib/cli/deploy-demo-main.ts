/** `npm run demo:aws [-- tokens] [-- --json]`. */
import { setMaxListeners } from 'node:events';

import { DEFAULT_MESSAGE } from './demo-options.ts';
import { documentOf, textOf } from './demo-output.ts';
import { deployedTokenOptions } from './demo-tokens-options.ts';
import { tokenDocument, tokenText } from './demo-tokens-output.ts';
import { awsDemo } from './deploy-demo.ts';
import { awsTokenDemo } from './deploy-demo-tokens.ts';
import { usageLine } from './deploy-meter.ts';
import { messageBytes, shown, UsageError } from './usage.ts';

const FAILED = 1;
const USAGE = 2;
const INTERRUPTED = 130;

interface Ended {
  readonly failures: readonly unknown[];
  readonly document: object;
  readonly text: (colour: boolean) => string;
  /** After the result, on stderr. */
  readonly notes: readonly string[];
}

type Demonstration = (note: (line: string) => void, signal: AbortSignal) => Promise<Ended>;

// The SDK announces its own future on stderr, once for each process.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const json = args.includes('--json');
    const others = args.filter((arg) => arg !== '--json');
    return await run(others[0] === 'tokens' ? tokens(others.slice(1)) : coins(others), json);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`demo:aws: ${error.message}\n`);
    return USAGE;
  }
}

/** @throws {UsageError} */
function coins(args: readonly string[]): Demonstration {
  const [unknown] = args;
  if (unknown !== undefined) throw new UsageError(`expected tokens, --json or nothing, got ${shown(unknown)}`);
  return async (note, signal) => {
    const result = await awsDemo({ messages: [messageBytes(DEFAULT_MESSAGE)], note, signal });
    return {
      failures: result.failures,
      document: documentOf(result),
      text: (colour) => textOf(result, colour),
      notes: [usageLine('key generation', result.usage.keygen), usageLine('signing', result.usage.signing)],
    };
  };
}

/** @throws {UsageError} */
function tokens(args: readonly string[]): Demonstration {
  const { terms, reveal, count } = deployedTokenOptions(args);
  return async (note, signal) => {
    const result = await awsTokenDemo({ terms, count, note, signal });
    return {
      failures: result.failures,
      document: tokenDocument(result, reveal),
      text: (colour) => tokenText(result, colour),
      notes: [
        ...[...result.usage].map(([what, usage]) => usageLine(what, usage)),
        ...result.failures.map((failure) => `demo:aws: ${failure}`),
      ],
    };
  };
}

async function run(demonstration: Demonstration, json: boolean): Promise<number> {
  const controller = new AbortController();
  // One for each queue that is read: many, and no leak.
  setMaxListeners(0, controller.signal);
  const interrupt = () => controller.abort(new Error('interrupted'));
  // Every time: one Ctrl-C comes from the terminal, and again from npm and the runner, which pass it on. The second must not end the clean-up.
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  const note = (line: string) => process.stderr.write(`${line}\n`);
  try {
    const { failures, document, text, notes } = await demonstration(note, controller.signal);
    const colour = (process.stdout.isTTY ?? false) && !process.env['NO_COLOR'];
    process.stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : `\n${text(colour)}\n`);
    for (const line of notes) note(line);
    return failures.length > 0 ? FAILED : 0;
  } catch (error) {
    if (controller.signal.aborted) {
      note('demo:aws: interrupted; the emulator and its files are gone');
      return INTERRUPTED;
    }
    note(`demo:aws: ${error instanceof Error ? error.message : String(error)}`);
    return FAILED;
  }
}
