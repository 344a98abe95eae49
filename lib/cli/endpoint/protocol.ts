/** What is spoken between `coterie local --socket` and the other commands: JSON over HTTP/1.1, on a socket of the file system or on loopback. */
import * as z from 'zod';
import { MAX_BODY_BYTES } from '../../messages/catalogue.ts';
import { committeeFile } from '../../messages/committee.ts';
import { multisigEvent } from '../../messages/events.ts';
import { identity } from '../../messages/fields.ts';
import { type Attribute, type Item, TABLES } from '../../ports.ts';
import { PUBLIC_TABLES } from '../../view/reader.ts';

const segment = z.string().regex(/^[a-z0-9]{2,16}$/, 'expected a coin, an asset, or coordinator');
const key = z.string().max(2_048);

/** `Nonces` is no table that can be named. */
const table = z.enum(PUBLIC_TABLES);
if (PUBLIC_TABLES.length >= TABLES.length) throw new Error('expected a table that nobody may look at, got none');

export const hello = z.strictObject({
  v: z.literal(1),
  committee: committeeFile,
  operators: z.array(z.strictObject({ identity, coins: z.array(z.string()), assets: z.array(z.string()) })),
  /** Seconds UTC. */
  now: z.int(),
});
export type Hello = z.infer<typeof hello>;

const role = { identity, segment };
export const readRequest = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('get'), ...role, table, pk: key, sk: key }),
  z.strictObject({
    op: z.literal('query'),
    ...role,
    table,
    pk: key,
    prefix: key,
    page: z.strictObject({ after: key.optional(), limit: z.int().min(1).max(1_000) }).optional(),
  }),
  z.strictObject({
    op: z.literal('states'),
    ...role,
    which: z.enum(['open', 'all']),
    limit: z.int().min(1).max(10_000),
  }),
]);
export type ReadRequest = z.infer<typeof readRequest>;

const shown = z.record(z.string(), z.unknown());
export const readAnswer = z.strictObject({ items: z.array(shown) });

export const sendRequest = z.strictObject({
  identity,
  coin: segment,
  message: z.enum(['MultisigInstruction', 'Control', 'KeyGenCertificateIn']),
  body: z
    .string()
    .refine((body) => Buffer.byteLength(body) <= MAX_BODY_BYTES, `expected at most ${MAX_BODY_BYTES} bytes`),
});
export const sendAnswer = z.strictObject({ accepted: z.boolean() });

/** What one operator told its client, in the order in which it came. */
export const eventsRequest = z.strictObject({
  identity,
  coin: segment,
  /** Events with a higher number; 0: all that are still remembered. */
  after: z.int().min(0),
  waitSeconds: z.int().min(0).max(20),
});
export const eventsAnswer = z.strictObject({
  /** Bodies as on the outcome queue. */
  bodies: z.array(z.string()),
  next: z.int().min(0),
});

export const failure = z.strictObject({ error: z.string() });
export const eventBody = z.strictObject({ MultisigEvent: multisigEvent });

/** Sets of numbers survive the way; bytes do not leave at all. */
export function encodeRow(item: Item): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => [name, value instanceof Set ? { numbers: [...value] } : value]),
  );
}

export function decodeRow(row: Readonly<Record<string, unknown>>): Item {
  const entries = Object.entries(row).map(([name, value]): [string, Attribute] => {
    const numbers = typeof value === 'object' && value !== null && 'numbers' in value ? value.numbers : undefined;
    // Encoded by the function above, on the same machine.
    return [name, Array.isArray(numbers) ? new Set(numbers as number[]) : (value as Attribute)];
  });
  return Object.fromEntries(entries) as Item;
}
