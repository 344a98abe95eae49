/** ministack: SQS, DynamoDB, KMS, and CloudFormation with Lambda functions that run in `node`. */
import { join } from 'node:path';
import { type Engine, freePort, launch } from './engine.ts';
import { pythonPackage } from './python.ts';

const VERSION = '1.5.33';

export interface MinistackOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Enforces IAM and queue policies: for the policy tests. */
  readonly auth?: boolean;
  /** Told of every step that takes long. */
  readonly note?: (line: string) => void;
}

/** @throws {EngineUnavailable} if Python is missing or the package cannot be had */
export async function startMinistack({
  port,
  auth = false,
  note = () => undefined,
}: MinistackOptions = {}): Promise<Engine> {
  const programs = await pythonPackage(
    { requirement: 'ministack', name: 'ministack', version: VERSION, folder: '.venv-ministack' },
    note,
  );
  const chosen = port ?? (await freePort());
  return launch({
    name: 'ministack',
    version: VERSION,
    command: join(programs, 'ministack'),
    args: [],
    port: chosen,
    environment: (folder) => ({
      // It unpacks every function into a temporary folder and leaves it there; ours goes with the engine.
      TMPDIR: folder,
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: '127.0.0.1',
      GATEWAY_PORT: `${chosen}`,
      IOT_MTLS_ENABLED: '0',
      LOG_LEVEL: 'WARNING',
      AWS_ENDPOINT_URL: `http://127.0.0.1:${chosen}`,
      ...(auth ? { AUTH: 'true' } : {}),
    }),
    ready: async (endpoint) => (await fetch(`${endpoint}/_ministack/health`)).ok,
  });
}
