/**
 * `npm run test:aws [-- --auth | --endpoint]`: end to end on a deployed committee. Without an option an emulator is started for it; `--auth`: one that enforces
 * policies; `--endpoint`: the one at AWS_ENDPOINT_URL, which runs already.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { isLoopback } from '../lib/aws/environment.ts';

const USAGE = 2;
const ROOT = join(import.meta.dirname, '..');
const VITEST = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');

process.exitCode = await run(process.argv.slice(2));

async function run(args: readonly string[]): Promise<number> {
  const auth = args.includes('--auth');
  const own = args.includes('--endpoint');
  const further = args.filter((arg) => arg !== '--auth' && arg !== '--endpoint');
  if (auth && own) return usage('expected --auth or --endpoint, got both');
  const endpoint = process.env['AWS_ENDPOINT_URL'] ?? '';
  if (own && !isLoopback(endpoint)) {
    return usage(
      `--endpoint tests a local stage, which keeps nothing: expected AWS_ENDPOINT_URL on loopback (http://127.0.0.1:4566), got ${endpoint || 'nothing'}`,
    );
  }
  if (own && !(await answers(endpoint)))
    return usage(
      `expected an engine at ${endpoint}, got no answer: start it (docker compose up), or correct AWS_ENDPOINT_URL`,
    );
  const file = auth ? 'test/integration/policies.aws.ts' : 'test/integration/committee.aws.ts';
  const { AWS_ENDPOINT_URL: _, ...environment } = process.env;
  // Nothing but the endpoint is taken over: real credentials must not meet a test.
  for (const name of Object.keys(environment)) if (name.startsWith('AWS_')) delete environment[name];
  const child = spawn(process.execPath, [VITEST, 'run', '--config', 'vitest.aws.config.ts', file, ...further], {
    cwd: ROOT,
    stdio: 'inherit',
    env: {
      ...environment,
      ...(own ? { COTERIE_EMULATOR: endpoint } : {}),
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    },
  });
  // Ctrl-C reaches the tests, too: they end what they started, and only then does this end.
  process.on('SIGINT', () => undefined);
  process.once('SIGTERM', () => child.kill('SIGINT'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 1));
  });
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    return (await fetch(endpoint)).status > 0;
  } catch {
    return false;
  }
}

function usage(sentence: string): number {
  process.stderr.write(`test:aws: ${sentence}\n`);
  return USAGE;
}
