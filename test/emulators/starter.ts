/** Starts an engine, says its port, and never ends it: whoever kills this process sees whether the engine outlives it. */
import { launch } from '../../scripts/emulators/engine.ts';
import { listening } from './listening.ts';

const port = Number(process.argv[2]);
const engine = await launch(listening(port));
process.stdout.write(`${engine.endpoint} ${engine.folder}\n`);
setInterval(() => undefined, 60_000);
