/** The other side of the door: an embedded committee as a {@link Place}. */
import { request } from 'node:http';
import type * as z from 'zod';
import type { Hex } from '../../messages/hex.ts';
import type { Item, Key, QueryPage } from '../../ports.ts';
import type { PublicTable, Reader } from '../../view/reader.ts';
import { Unreachable } from '../exit-status.ts';
import type { Place, PlaceMessage, PlaceOperator, Refused } from '../place.ts';
import { type Address, addressText } from './address.ts';
import {
  decodeRow,
  eventBody,
  eventsAnswer,
  failure,
  hello,
  type ReadRequest,
  readAnswer,
  sendAnswer,
} from './protocol.ts';

const TIMEOUT_MILLISECONDS = 30_000;

export class EndpointPlace implements Place {
  readonly name: string;
  readonly pollMilliseconds = 100;
  readonly lookMilliseconds = 2_000;
  readonly operators: readonly PlaceOperator[];
  readonly file = undefined;
  readonly #address: Address;

  private constructor(address: Address, operators: readonly PlaceOperator[]) {
    this.#address = address;
    this.operators = operators;
    this.name = `the committee at ${addressText(address)}`;
  }

  /** @throws {Unreachable} */
  static async connect(address: Address): Promise<EndpointPlace> {
    const { operators } = await call(address, 'GET', '/v1', undefined, hello);
    return new EndpointPlace(address, operators);
  }

  reader(identity: string, segment: string): Reader {
    const read = async (asked: ReadRequest): Promise<Item[]> =>
      (await call(this.#address, 'POST', '/v1/read', asked, readAnswer)).items.map(decodeRow);
    const role = { identity, segment };
    return {
      get: async (table: PublicTable, { pk, sk }: Key) => (await read({ op: 'get', ...role, table, pk, sk }))[0],
      query: (table: PublicTable, pk: string, prefix = '', page?: QueryPage) =>
        read({ op: 'query', ...role, table, pk, prefix, ...(page ? { page } : {}) }),
      states: (which, limit) => read({ op: 'states', ...role, which, limit }),
    };
  }

  async now(): Promise<number> {
    return (await call(this.#address, 'GET', '/v1', undefined, hello)).now;
  }

  async send(messages: readonly PlaceMessage[]): Promise<void> {
    for (const message of messages) {
      const { accepted } = await call(this.#address, 'POST', '/v1/send', message, sendAnswer);
      if (!accepted) throw new Unreachable(`${addressText(this.#address)} did not take ${message.message}: ask again`);
    }
  }

  /** Bodies of an operator's outcome queue after `after`, and where to go on. */
  async events(
    identity: string,
    coin: string,
    after: number,
    waitSeconds: number,
  ): Promise<z.infer<typeof eventsAnswer>> {
    return call(this.#address, 'POST', '/v1/events', { identity, coin, after, waitSeconds }, eventsAnswer);
  }

  async refusal(identity: string, coin: string, requestId: Hex): Promise<Refused | undefined> {
    for (let after = 0; ; ) {
      const { bodies, next } = await this.events(identity, coin, after, 0);
      for (const body of bodies) {
        const parsed = eventBody.safeParse(JSON.parse(body));
        const event = parsed.success ? parsed.data.MultisigEvent : undefined;
        const refused = event && 'Refused' in event ? event.Refused : undefined;
        // A repetition refuses nothing: the ceremony runs, and its rows say how.
        if (refused?.requestId === requestId && refused.reason !== 'Repeated') return refused;
      }
      if (bodies.length === 0) return undefined;
      after = next;
    }
  }

  async deadLetters(): Promise<undefined> {
    return undefined;
  }

  close(): void {}
}

/** @throws {Unreachable} */
async function call<Schema extends z.ZodType>(
  address: Address,
  method: 'GET' | 'POST',
  path: string,
  body: unknown,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const { status, text } = await exchange(address, method, path, body);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Unreachable(
      `expected a committee at ${addressText(address)}, got an answer that is not JSON: something else listens there`,
    );
  }
  if (status !== 200) {
    const said = failure.safeParse(json);
    throw new Unreachable(
      `${addressText(address)} answered ${status}: ${said.success ? said.data.error : 'no reason'}`,
    );
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new Unreachable(
    `expected a committee at ${addressText(address)}, got another answer: something else, or another version, listens there`,
  );
}

function exchange(
  address: Address,
  method: string,
  path: string,
  body: unknown,
): Promise<{ status: number; text: string }> {
  const where = address.kind === 'socket' ? { socketPath: address.path } : { host: '127.0.0.1', port: address.port };
  const host = address.kind === 'socket' ? 'localhost' : `127.0.0.1:${address.port}`;
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) =>
      reject(
        new Unreachable(
          `expected a committee at ${addressText(address)}, got ${error.code ?? error.message}: start one with coterie local --socket ${
            address.kind === 'socket' ? address.path : './coterie.sock'
          }`,
        ),
      );
    const outgoing = request(
      {
        ...where,
        method,
        path,
        agent: false,
        headers: { host, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', failed);
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
        );
      },
    );
    outgoing.setTimeout(TIMEOUT_MILLISECONDS, () =>
      outgoing.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })),
    );
    outgoing.once('error', failed);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
