/** `npm run emulator [-- --port 4566]`: an emulator on loopback to deploy to by hand, until Ctrl-C. Nothing of it is kept. */
import { parseArgs } from 'node:util';
import { wholeNumber } from '../lib/cli/usage.ts';
import { REGION } from './emulators/engine.ts';
import { startMinistack } from './emulators/ministack.ts';

const { values } = parseArgs({ options: { port: { type: 'string', default: '4566' } } });
const note = (line: string) => process.stderr.write(`${line}\n`);
const engine = await startMinistack({ port: wholeNumber('--port', values.port, 1_024, 65_535), note });
note(`${engine.name} ${engine.version}: an account is a 12-digit AWS_ACCESS_KEY_ID. Until Ctrl-C.`);
process.stdout.write(
  `export AWS_ENDPOINT_URL=${engine.endpoint} AWS_REGION=${REGION} AWS_ACCESS_KEY_ID=111111111111 AWS_SECRET_ACCESS_KEY=test\n`,
);
const waiting = setInterval(() => {}, 60_000);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    clearInterval(waiting);
    void engine.stop();
  });
