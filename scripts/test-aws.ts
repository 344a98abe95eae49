/**
 * `npm run test:aws [-- --auth | --endpoint]`: end to end on a deployed committee. Without an option an emulator is started for it; `--auth`: one that enforces
 * policies; `--endpoint`: the one at AWS_ENDPOINT_URL, which runs already.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { isLoopback } from '../lib/aws/environment.ts';

const USAGE = 2;
const ROOT = join(import.meta.dirname, '..');
const VITEST = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');

process.exitCode = run(process.argv.slice(2));

function run(args: readonly string[]): number {
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
  const file = auth ? 'test/integration/policies.aws.ts' : 'test/integration/committee.aws.ts';
  const { AWS_ENDPOINT_URL: _, ...environment } = process.env;
  // Nothing but the endpoint is taken over: real credentials must not meet a test.
  for (const name of Object.keys(environment)) if (name.startsWith('AWS_')) delete environment[name];
  const { status } = spawnSync(
    process.execPath,
    [VITEST, 'run', '--config', 'vitest.aws.config.ts', file, ...further],
    {
      cwd: ROOT,
      stdio: 'inherit',
      env: {
        ...environment,
        ...(own ? { COTERIE_EMULATOR: endpoint } : {}),
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      },
    },
  );
  return status ?? 1;
}

function usage(sentence: string): number {
  process.stderr.write(`test:aws: ${sentence}\n`);
  return USAGE;
}
