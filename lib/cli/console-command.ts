/** `coterie console`: the page of an operator, live, until it is interrupted. */
import { spawn } from 'node:child_process';
import { ConsoleServer } from './console-server.ts';
import { interrupted } from './embedded-console.ts';
import { STATUS, type Status } from './exit-status.ts';
import { atPlace, operatorsAt, type PlaceOptions } from './place-options.ts';
import { wholeNumber } from './usage.ts';

export interface ConsoleOptions extends PlaceOptions {
  readonly port: string;
  /** `--no-open`: false. */
  readonly open: boolean;
}

/** @param until tests end it */
export async function serveConsole(options: ConsoleOptions, until: Promise<void> = interrupted()): Promise<Status> {
  const port = wholeNumber('--port', options.port, 0, 65_535);
  return atPlace(options, async (place) => {
    const server = new ConsoleServer(place, operatorsAt(place, options.as));
    const url = await server.listen(port);
    try {
      process.stdout.write(options.json ? `${JSON.stringify({ v: 1, url })}\n` : `${url}\n`);
      process.stderr.write(`${place.name}, read only; the address lets its holder look: end with Ctrl-C\n`);
      if (options.open) open(url);
      await until;
      return STATUS.ok;
    } finally {
      await server.close();
    }
  });
}

/** The address is printed too: where there is no browser, nothing is lost. */
function open(url: string): void {
  const [command, ...args] =
    process.platform === 'darwin' ? ['open'] : process.platform === 'win32' ? ['explorer.exe'] : ['xdg-open'];
  if (command === undefined) return;
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
  child.once('error', () => {});
  child.unref();
}
