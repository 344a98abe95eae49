/**
 * LocalStack proper, without containers: SQS and KMS. Its DynamoDB is DynamoDB Local behind a proxy, which `dynamodb-local.ts` starts by itself; its Lambda needs
 * containers.
 */
import { join } from 'node:path';
import { type Engine, freePort, launch } from './engine.ts';
import { pythonPackage } from './python.ts';

const VERSION = '2026.3.0';

/** What the release does not pin itself: later versions of these break it at import or when it makes a certificate. */
const PINS = ['cbor2<5.8', 'pyopenssl<25.2', 'cryptography>=44,<45', 'joserfc<1.6', 'service_identity'];

/** Whatever host it is told, it binds every IPv4 interface: its server's default is narrowed before it starts. */
const MAIN = `from twisted.internet import endpoints

class Loopback(endpoints.TCP4ServerEndpoint):
    def __init__(self, reactor, port, backlog=50, interface='127.0.0.1'):
        super().__init__(reactor, port, backlog, '127.0.0.1')

endpoints.TCP4ServerEndpoint = Loopback
from localstack.runtime.main import main
main()
`;

/** @throws {EngineUnavailable} if Python 3.13 is missing or the package cannot be had */
export async function startLocalStack({
  note = () => undefined,
}: {
  readonly note?: (line: string) => void;
} = {}): Promise<Engine> {
  const programs = await pythonPackage(
    {
      requirement: 'localstack-core[runtime]',
      name: 'localstack-core',
      version: VERSION,
      folder: '.venv-localstack',
      python: [3, 13],
      pins: PINS,
    },
    note,
  );
  const port = await freePort();
  return launch({
    name: 'LocalStack',
    version: VERSION,
    command: join(programs, 'python'),
    args: ['main.py'],
    port,
    files: { 'main.py': MAIN },
    environment: (folder) => ({
      OVERRIDE_IN_DOCKER: '0',
      FILESYSTEM_ROOT: folder,
      GATEWAY_LISTEN: `127.0.0.1:${port}`,
      LOCALSTACK_HOST: `127.0.0.1:${port}`,
      DNS_ADDRESS: '0',
      SERVICES: 'sqs,kms',
      DISABLE_EVENTS: '1',
      SKIP_SSL_CERT_DOWNLOAD: '1',
      // Its default puts the account into the host's name, which is no URL on an address.
      SQS_ENDPOINT_STRATEGY: 'path',
    }),
    ready: async (endpoint) => (await fetch(`${endpoint}/_localstack/health`)).ok,
    seconds: 60,
  });
}
