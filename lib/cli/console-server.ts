/**
 * The page and its data, on loopback, for one person's browser.
 *
 * It reads: it has no route that changes anything and is given nothing that could send. Other pages in the same browser and other users of the same machine may try its
 * port. Data goes to whoever holds the token that stands in the address's fragment, which a browser sends to nobody; a `Host` other than the own address (a
 * rebound name) and a request from another origin are refused before that.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { PlaceDocument } from './console-document.ts';
import { consoleHtml, contentPolicy } from './console-html.ts';
import { ceremonyDocument, committeeDocument } from './console-views.ts';
import { Unreachable } from './exit-status.ts';
import type { Place, PlaceOperator } from './place.ts';
import { UsageError } from './usage.ts';

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export class ConsoleServer {
  /** 32 bytes, hex. */
  readonly token = randomBytes(32).toString('hex');
  readonly #place: Place;
  readonly #operators: readonly PlaceOperator[];
  readonly #server: Server;
  readonly #page = consoleHtml();
  #port = 0;

  /** @param operators whose rows may be looked at */
  constructor(place: Place, operators: readonly PlaceOperator[]) {
    this.#operators = operators;
    this.#place = readingOnly(place);
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.keepAliveTimeout = 1_000;
  }

  /** @param port 0: any that is free @returns the address to open, with the token @throws {UsageError} */
  async listen(port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          new UsageError(`--port: expected a free port, got ${port} (${error.code ?? error.name}): choose another`),
        ),
      );
      this.#server.listen(port, '127.0.0.1', () => resolve());
    });
    const bound = this.#server.address();
    if (typeof bound === 'object' && bound) this.#port = bound.port;
    return `http://127.0.0.1:${this.#port}/#token=${this.token}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const say = (status: number, type: string, body: string) => {
      response.writeHead(status, {
        'content-type': type,
        'cache-control': 'no-store',
        'content-security-policy': `${contentPolicy('live')}; frame-ancestors 'none'`,
        'cross-origin-resource-policy': 'same-origin',
        'cross-origin-opener-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      });
      response.end(body);
    };
    const json = (status: number, value: unknown) => say(status, 'application/json', JSON.stringify(value));
    try {
      this.#checkOrigin(request);
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
      if (pathname === '/') return say(200, 'text/html; charset=utf-8', this.#page);
      this.#checkToken(request);
      json(200, await this.#read(pathname, searchParams));
    } catch (error) {
      if (error instanceof Refusal) json(error.status, { error: error.message });
      else if (error instanceof UsageError) json(404, { error: error.message });
      else if (error instanceof Unreachable) json(502, { error: error.message });
      else json(500, { error: error instanceof Error ? error.name : 'unknown' });
    }
  }

  async #read(path: string, query: URLSearchParams): Promise<unknown> {
    switch (path) {
      case '/v1/place': {
        const { name, lookMilliseconds } = this.#place;
        const operators = this.#operators.map(({ identity }) => identity);
        return { v: 1, place: name, lookMilliseconds, operators } satisfies PlaceDocument;
      }
      case '/v1/committee':
        return committeeDocument(this.#place, this.#operator(query));
      case '/v1/ceremony':
        return ceremonyDocument(this.#place, this.#operator(query), query.get('id') ?? '');
      default:
        throw new Refusal(404, 'expected /, /v1/place, /v1/committee or /v1/ceremony');
    }
  }

  #operator(query: URLSearchParams): PlaceOperator {
    const found = this.#operators.find(({ identity }) => identity === query.get('as'));
    if (!found) throw new Refusal(404, `expected as=${this.#operators.map(({ identity }) => identity).join(' or ')}`);
    return found;
  }

  #checkOrigin({ method, headers }: IncomingMessage): void {
    const { host, origin, 'sec-fetch-site': site } = headers;
    if (host !== `127.0.0.1:${this.#port}` && host !== `localhost:${this.#port}`)
      throw new Refusal(403, 'expected a Host of this console on loopback');
    if (method !== 'GET') throw new Refusal(405, 'expected GET: this console only reads');
    if (origin !== undefined && origin !== `http://${host}`)
      throw new Refusal(403, 'expected no Origin, or this console’s own');
    // Typed into the address bar or opened by the command: none.
    if (site !== undefined && site !== 'same-origin' && site !== 'none')
      throw new Refusal(403, 'expected a request of this console’s own page');
  }

  #checkToken({ headers }: IncomingMessage): void {
    // Hashed first, so that the comparison takes the same time for every length.
    const digest = (text: string) => createHash('sha256').update(text).digest();
    if (!timingSafeEqual(digest(headers.authorization ?? ''), digest(`Bearer ${this.token}`)))
      throw new Refusal(401, 'expected the token of the address that coterie console printed');
  }
}

/** A place that cannot send and cannot take messages off a queue. */
export function readingOnly(place: Place): Place {
  const refuse = async (): Promise<never> => {
    throw new Refusal(405, 'this console only reads');
  };
  return {
    name: place.name,
    pollMilliseconds: place.pollMilliseconds,
    lookMilliseconds: place.lookMilliseconds,
    operators: place.operators,
    file: place.file,
    reader: (identity, segment) => place.reader(identity, segment),
    now: () => place.now(),
    deadLetters: (identity) => place.deadLetters(identity),
    send: refuse,
    refusal: refuse,
    close: () => {},
  };
}
