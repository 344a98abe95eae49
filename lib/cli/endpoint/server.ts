/**
 * The door of an embedded committee: reads of public rows, the two messages that a client may send, and what the operators tell their clients.
 *
 * It listens on a socket of the file system that only its owner may open, or on loopback. A web page in a browser on the same machine could reach a loopback port,
 * too: a request with the `Origin` of another page, or with a `Host` that is not loopback (a rebound name), is refused before it is read.
 */
import { statSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type * as z from 'zod';
import { identityOf, type LocalCommittee } from '../../local/committee.ts';
import { bodyOf } from '../../messages/catalogue.ts';
import { reasonOf } from '../../messages/fields.ts';
import { COORDINATOR_SEGMENT, topicQueue } from '../../messages/topics.ts';
import type { Item } from '../../ports.ts';
import { shownRow } from '../../view/reader.ts';
import { UsageError } from '../usage.ts';
import { type Address, addressText } from './address.ts';
import { encodeRow, eventsRequest, type Hello, type ReadRequest, readRequest, sendRequest } from './protocol.ts';

const MAX_REQUEST_BYTES = 1_048_576;
/** Events remembered for each operator and coin. */
const REMEMBERED = 1_000;

class BadRequest extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Heard {
  readonly number: number;
  readonly body: string;
}

export class EndpointServer {
  readonly #committee: LocalCommittee;
  readonly #server: Server;
  readonly #heard = new Map<string, Heard[]>();
  readonly #waiting = new Set<() => void>();
  #events = 0;

  constructor(committee: LocalCommittee) {
    this.#committee = committee;
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.keepAliveTimeout = 1_000;
    committee.onOutcome((event, operator, coin) =>
      this.#remember(identityOf(operator), coin, bodyOf('MultisigEvent', event)),
    );
    committee.onAddress((address, operator) =>
      this.#remember(identityOf(operator), address.coin, bodyOf('PublicAddressAvailable', address)),
    );
  }

  /** @throws {UsageError} if somebody listens there already */
  async listen(address: Address): Promise<Address> {
    if (address.kind === 'socket') await makeRoom(address.path);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(new UsageError(whyNotHere(address, error))));
      const listening = () => resolve();
      if (address.kind === 'socket') this.#bind(address.path, listening);
      else this.#server.listen(address.port, '127.0.0.1', listening);
    });
    if (address.kind === 'socket') return address;
    const bound = this.#server.address();
    return typeof bound === 'object' && bound ? { kind: 'port', port: bound.port } : address;
  }

  /** Nobody else may open it, not even between its making and a later change of its mode. It is made before `listen` returns. */
  #bind(path: string, listening: () => void): void {
    const before = process.umask(0o177);
    try {
      this.#server.listen(path, listening);
    } finally {
      process.umask(before);
    }
  }

  async close(): Promise<void> {
    for (const wake of this.#waiting) wake();
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  // ---------------------------------------------------------------------------------------------- requests

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const say = (status: number, value: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(JSON.stringify(value));
    };
    try {
      checkOrigin(request);
      say(200, await this.#handle(`${request.method} ${request.url}`, request));
    } catch (error) {
      if (error instanceof BadRequest) say(error.status, { error: error.message });
      else say(500, { error: error instanceof Error ? error.name : 'unknown' });
    }
  }

  async #handle(route: string, request: IncomingMessage): Promise<unknown> {
    switch (route) {
      case 'GET /v1':
        return this.#hello();
      case 'POST /v1/read':
        return {
          items: (await this.#read(await bodyAs(readRequest, request))).map((item) => encodeRow(shownRow(item))),
        };
      case 'POST /v1/send':
        return this.#send(await bodyAs(sendRequest, request));
      case 'POST /v1/events':
        return this.#eventsAfter(await bodyAs(eventsRequest, request), request);
      default:
        throw new BadRequest(404, 'expected GET /v1, or POST /v1/read, /v1/send or /v1/events');
    }
  }

  #hello(): Hello {
    const { committee, options } = this.#committee;
    const { operators } = committee.file;
    return {
      v: 1,
      committee: committee.file,
      operators: operators.map(({ identity }) => ({ identity, coins: [...options.coins], assets: this.#assets() })),
      now: this.#committee.now(),
    };
  }

  async #read(asked: ReadRequest): Promise<readonly Item[]> {
    const { cloud } = this.#committee;
    const namespace = `${this.#known(asked.identity)}/${this.#segment(asked.segment)}`;
    const store = cloud.store(namespace);
    switch (asked.op) {
      case 'get': {
        const item = await store.get(asked.table, { pk: asked.pk, sk: asked.sk });
        return item ? [item] : [];
      }
      case 'query':
        return store.query(asked.table, asked.pk, asked.prefix, asked.page);
      case 'states': {
        const rows = cloud.inspect.items(namespace, 'Ceremonies').filter(({ sk }) => sk === 'STATE');
        return rows.filter(({ wakeAt }) => asked.which === 'all' || wakeAt !== undefined).slice(0, asked.limit);
      }
    }
  }

  async #send({ identity, coin, message, body }: z.infer<typeof sendRequest>): Promise<{ accepted: boolean }> {
    const operator = this.#committee.committee.operatorByIdentity(this.#known(identity))?.index;
    if (operator === undefined || ![...this.#committee.options.coins, ...this.#assets()].some((each) => each === coin))
      throw new BadRequest(
        404,
        `expected an operator and a coin or asset of this committee, got ${identity} and ${coin}`,
      );
    const refused = await this.#committee.cloud.bus().send([{ queue: topicQueue(identity, coin, message), body }]);
    return { accepted: refused.length === 0 };
  }

  async #eventsAfter(
    { identity, coin, after, waitSeconds }: z.infer<typeof eventsRequest>,
    request: IncomingMessage,
  ): Promise<{ bodies: string[]; next: number }> {
    const place = `${this.#known(identity)}/${coin}`;
    const later = () => (this.#heard.get(place) ?? []).filter(({ number }) => number > after);
    const until = performance.now() + waitSeconds * 1_000;
    while (later().length === 0 && performance.now() < until && !request.socket.destroyed) await this.#nextEvent(until);
    const events = later().slice(0, 100);
    return { bodies: events.map(({ body }) => body), next: events.at(-1)?.number ?? after };
  }

  #nextEvent(until: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.max(0, until - performance.now()));
      this.#waiting.add(wake);
    });
  }

  #remember(identity: string, coin: string, body: string): void {
    const place = `${identity}/${coin}`;
    const heard = this.#heard.get(place) ?? [];
    heard.push({ number: ++this.#events, body });
    if (heard.length > REMEMBERED) heard.shift();
    this.#heard.set(place, heard);
    for (const wake of this.#waiting) wake();
  }

  #known(identity: string): string {
    if (!this.#committee.committee.operatorByIdentity(identity))
      throw new BadRequest(404, `expected an operator of this committee, got ${identity}`);
    return identity;
  }

  #assets(): string[] {
    return Object.keys(this.#committee.options.assets ?? {});
  }

  #segment(segment: string): string {
    const segments = [COORDINATOR_SEGMENT, ...this.#committee.options.coins, ...this.#assets()];
    if (!segments.includes(segment))
      throw new BadRequest(404, `expected one of ${segments.join(', ')}, got ${segment}`);
    return segment;
  }
}

const LOOPBACK_HOST = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?$/;

function checkOrigin({ headers }: IncomingMessage): void {
  const { host = '', origin } = headers;
  if (!LOOPBACK_HOST.test(host)) throw new BadRequest(403, 'expected a Host on loopback');
  if (origin !== undefined && origin !== `http://${host}`)
    throw new BadRequest(403, 'expected no Origin, or this endpoint’s own');
}

async function bodyAs<Schema extends z.ZodType>(schema: Schema, request: IncomingMessage): Promise<z.infer<Schema>> {
  // A form of another page may be sent without a question being asked first, but never as JSON.
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
    throw new BadRequest(415, 'expected content-type application/json');
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length > MAX_REQUEST_BYTES) throw new BadRequest(413, `expected at most ${MAX_REQUEST_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  let json: unknown;
  try {
    json = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new BadRequest(400, 'expected JSON');
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new BadRequest(400, reasonOf(parsed.error));
  return parsed.data;
}

/** A socket whose process was killed stays in the file system: it is taken away if nobody answers on it. Any other file is somebody's. */
async function makeRoom(path: string): Promise<void> {
  const there = statSync(path, { throwIfNoEntry: false });
  if (!there) return;
  // A connection to a plain file is refused, too, so that the error does not tell the two apart.
  if (!there.isSocket())
    throw new UsageError(`--socket: expected a path that is free, got ${path}, which is another file: choose another`);
  const refusal = await new Promise<string | undefined>((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.name));
  });
  // Only this says that nobody is there: a backlog may be full, a socket another user's or of another kind.
  if (refusal !== 'ECONNREFUSED')
    throw new UsageError(
      `--socket: expected a path that is free, got ${path}, where somebody ${refusal === undefined ? 'listens' : `may listen (${refusal})`}: choose another`,
    );
  unlinkSync(path);
}

function whyNotHere(address: Address, error: NodeJS.ErrnoException): string {
  return `expected a place to listen on, got ${addressText(address)} (${error.code ?? error.name}): choose another`;
}
