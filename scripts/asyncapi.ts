// The AsyncAPI 3 document of every message, derived from the catalogue: docs/asyncapi.json. `--check` fails if the file is not what would be written.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Parser } from '@asyncapi/parser';
import * as z from 'zod';
import { CATALOGUE, type Entry, MAX_BODY_BYTES, type QueueKind } from '../lib/messages/catalogue.ts';

const FILE = join(import.meta.dirname, '..', 'docs', 'asyncapi.json');
const ENTRIES: readonly (readonly [string, Entry])[] = Object.entries(CATALOGUE);

const parameter = (description: string) => ({ description });
const PARAMETERS = {
  identity: parameter('The operator that owns the queue, ^[a-z0-9]{1,32}$.'),
  coin: parameter('A coin or an asset, ^[a-z0-9]{2,16}$, or `coordinator` where a message belongs to no coin.'),
  peer: parameter('The only operator that may send to this queue.'),
  queue: parameter('A queue that the operator file names.'),
};

/** The address of a queue, and which of the parameters are in it. */
function addressOf(kind: QueueKind, message: string): { address: string; parameters: (keyof typeof PARAMETERS)[] } {
  switch (kind) {
    case 'topic':
      return { address: `coterie-{identity}-{coin}-${message}`, parameters: ['identity', 'coin'] };
    case 'outbound':
      return { address: 'coterie-{identity}-{coin}-Outbound', parameters: ['identity', 'coin'] };
    case 'inbox':
      return { address: 'coterie-{identity}-inbox-{peer}', parameters: ['identity', 'peer'] };
    case 'outcome':
    case 'reply':
      return { address: '{queue}', parameters: ['queue'] };
  }
}

const channelOf = ({ queue }: Entry, message: string): string => (queue === 'topic' ? message : queue);
const pointer = (...path: string[]) => `#/${path.map((part) => part.replaceAll('/', '~1')).join('/')}`;

function channels(): Record<string, unknown> {
  const made: Record<string, { address: string; parameters: object; messages: Record<string, unknown> }> = {};
  for (const [message, entry] of ENTRIES) {
    const { address, parameters } = addressOf(entry.queue, message);
    const channel = made[channelOf(entry, message)] ?? {
      address,
      parameters: Object.fromEntries(parameters.map((name) => [name, PARAMETERS[name]])),
      messages: {},
    };
    channel.messages[message] = { $ref: pointer('components', 'messages', message) };
    made[channelOf(entry, message)] = channel;
  }
  return made;
}

/** The body `{"<MessageName>": payload}`. */
function bodySchema(message: string, { payload }: Entry): unknown {
  const { $schema: _, ...schema } = z.toJSONSchema(payload, { io: 'input', unrepresentable: 'any', reused: 'inline' });
  return { type: 'object', additionalProperties: false, required: [message], properties: { [message]: schema } };
}

function messages(): Record<string, unknown> {
  return Object.fromEntries(
    ENTRIES.map(([message, entry]) => [
      message,
      {
        name: message,
        title: message,
        summary: entry.description,
        contentType: 'application/json',
        tags: [{ name: entry.partition }, ...(entry.statement ? [{ name: `statement:${entry.statement}` }] : [])],
        payload: bodySchema(message, entry),
        'x-senders': entry.senders,
        'x-consumers': entry.consumers,
      },
    ]),
  );
}

/** One `receive` for each role that consumes a message: a function of its own, but for what leaves through the one that forwards. */
function operations(): Record<string, unknown> {
  return Object.fromEntries(
    ENTRIES.flatMap(([message, entry]) =>
      entry.consumers.map((role) => [
        `${role}.${message}`,
        {
          action: 'receive',
          summary: `${role}: ${entry.description}`,
          channel: { $ref: pointer('channels', channelOf(entry, message)) },
          messages: [{ $ref: pointer('channels', channelOf(entry, message), 'messages', message) }],
        },
      ]),
    ),
  );
}

export function asyncApi(): unknown {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Coterie',
      version: '1.0.0',
      description: `Every message of the system, as an SQS body of at most ${MAX_BODY_BYTES} bytes of UTF-8 JSON. Queues deliver at least once and in any order.`,
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    channels: channels(),
    operations: operations(),
    components: { messages: messages() },
  };
}

/** Errors of the specification's own parser; an empty list for a valid document. */
export async function asyncApiErrors(text: string): Promise<string[]> {
  const diagnostics = await new Parser().validate(text);
  return diagnostics
    .filter(({ severity }) => severity === 0)
    .map(({ message, path }) => `${path.join('.')}: ${message}`);
}

export const asyncApiText = (): string => `${JSON.stringify(asyncApi(), null, 2)}\n`;

if (import.meta.filename === process.argv[1]) {
  const text = asyncApiText();
  const errors = await asyncApiErrors(text);
  for (const error of errors) console.error(error);
  if (errors.length > 0) process.exitCode = 1;
  else if (!process.argv.includes('--check')) writeFileSync(FILE, text);
  else if (readFileSync(FILE, 'utf8') !== text) {
    console.error('docs/asyncapi.json is not what the catalogue says: run npm run asyncapi');
    process.exitCode = 1;
  }
}
