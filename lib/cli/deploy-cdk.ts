/** Runs the CDK command line of this checkout. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const PROGRAM = join(ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk');
/** What is kept of the output, for the sentence when it fails. */
const KEPT_CHARACTERS = 20_000;

/** The tool failed: the message is its own last words. */
export class CdkFailed extends Error {
  readonly kind = 'CdkFailed';
}

export interface CdkOptions {
  /** The whole environment: nothing is inherited that is not in it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Ends the tool and what it started. */
  readonly signal?: AbortSignal;
  /** Its output, as it comes; without it nothing is shown. */
  readonly show?: (text: string) => void;
}

/** @throws {CdkFailed} */
export async function cdk(args: readonly string[], { environment, signal, show }: CdkOptions): Promise<void> {
  let said = '';
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: ROOT,
    env: { ...environment, CDK_DISABLE_CLI_TELEMETRY: 'true' },
    stdio: [show ? 'inherit' : 'ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C in the terminal is the caller's to handle, and ends the tool's children, too.
    detached: true,
  });
  const listen = (chunk: Buffer) => {
    said = `${said}${chunk.toString('utf8')}`.slice(-KEPT_CHARACTERS);
    show?.(chunk.toString('utf8'));
  };
  child.stdout?.on('data', listen);
  child.stderr?.on('data', listen);
  const end = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
  };
  signal?.addEventListener('abort', end, { once: true });
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (signal?.aborted) throw new CdkFailed('interrupted');
    if (status !== 0) throw new CdkFailed(`cdk ${args[0]} failed: ${lastWords(said)}`);
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

/** The sentence that says why, without colours. */
function lastWords(output: string): string {
  const lines = output
    .replaceAll(String.fromCharCode(27), '')
    .replace(/\[[0-9;]*m/g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const errors = lines.filter((line) => /error|failed|fail:|expected|❌/i.test(line));
  return (errors.length > 0 ? errors : lines).slice(-3).join(' | ').slice(-1_500);
}
