/** The page of a committee that is in this process: through the same door and the same server as any other, on loopback. */
import type { LocalCommittee } from '../local/committee.ts';
import { ConsoleServer } from './console-server.ts';
import { EndpointPlace } from './endpoint/client.ts';
import { EndpointServer } from './endpoint/server.ts';

interface Part {
  close(): Promise<void> | void;
}

export class EmbeddedConsole {
  /** With the token that lets its holder look. */
  readonly url: string;
  readonly #parts: readonly Part[];

  private constructor(url: string, parts: readonly Part[]) {
    this.url = url;
    this.#parts = parts;
  }

  /** @param committee assembled @param port 0: any that is free @throws {UsageError} */
  static async open(committee: LocalCommittee, port: number): Promise<EmbeddedConsole> {
    const door = new EndpointServer(committee);
    const place = await EndpointPlace.connect(await door.listen({ kind: 'port', port: 0 }));
    const page = new ConsoleServer(place, place.operators);
    try {
      return new EmbeddedConsole(await page.listen(port), [page, place, door]);
    } catch (error) {
      await door.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const part of this.#parts) await part.close();
  }
}

export function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
