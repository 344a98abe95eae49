/** `npm run demo:aws [-- --json]`. */
import { DEFAULT_MESSAGE } from './demo-options.ts';
import { documentOf, textOf } from './demo-output.ts';
import { awsDemo } from './deploy-demo.ts';
import { usageLine } from './deploy-meter.ts';
import { messageBytes } from './usage.ts';

const FAILED = 1;
const USAGE = 2;
const INTERRUPTED = 130;

// The SDK announces its own future on stderr, once for each process.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
const args = process.argv.slice(2);
const unknown = args.find((arg) => arg !== '--json');
if (unknown !== undefined) {
  process.stderr.write(`demo:aws: expected nothing or --json, got ${JSON.stringify(unknown)}\n`);
  process.exitCode = USAGE;
} else {
  process.exitCode = await run(args.includes('--json'));
}

async function run(json: boolean): Promise<number> {
  const controller = new AbortController();
  const interrupt = () => controller.abort(new Error('interrupted'));
  // Every time: one Ctrl-C comes from the terminal, and again from npm and the runner, which pass it on. The second must not end the clean-up.
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  const note = (line: string) => process.stderr.write(`${line}\n`);
  try {
    const result = await awsDemo({ messages: [messageBytes(DEFAULT_MESSAGE)], note, signal: controller.signal });
    const colour = (process.stdout.isTTY ?? false) && !process.env['NO_COLOR'];
    process.stdout.write(json ? `${JSON.stringify(documentOf(result), null, 2)}\n` : `\n${textOf(result, colour)}\n`);
    note(usageLine('key generation', result.usage.keygen));
    note(usageLine('signing', result.usage.signing));
    return result.failures.length > 0 ? FAILED : 0;
  } catch (error) {
    if (controller.signal.aborted) {
      note('demo:aws: interrupted; the emulator and its files are gone');
      return INTERRUPTED;
    }
    note(`demo:aws: ${error instanceof Error ? error.message : String(error)}`);
    return FAILED;
  }
}
