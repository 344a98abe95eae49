/**
 * moto in server mode: a second engine for KMS and SQS. Its DynamoDB ignores `ClientRequestToken`, so it is no judge of the store, but of
 * conditional writes under concurrency: serials are tried on it, too.
 */
import { join } from 'node:path';
import { type Engine, freePort, launch } from './engine.ts';
import { pythonPackage } from './python.ts';

const VERSION = '5.2.5';

/** @throws {EngineUnavailable} if Python is missing or the package cannot be had */
export async function startMoto({
  note = () => undefined,
}: {
  readonly note?: (line: string) => void;
} = {}): Promise<Engine> {
  const programs = await pythonPackage(
    { requirement: 'moto[server]', name: 'moto', version: VERSION, folder: '.venv-moto' },
    note,
  );
  const port = await freePort();
  return launch({
    name: 'moto',
    version: VERSION,
    command: join(programs, 'moto_server'),
    args: ['-H', '127.0.0.1', '-p', `${port}`],
    port,
    ready: async (endpoint) => (await fetch(`${endpoint}/moto-api/`)).ok,
  });
}
