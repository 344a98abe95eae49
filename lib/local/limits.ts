/**
 * The services' limits, enforced as the services enforce them (DynamoDB developer guide, "Item sizes and formats" and "Quotas"; SQS "Message
 * quotas"). An adapter that forgave more than DynamoDB would let a ceremony of 100 operators pass its tests and fail in an account.
 */
import {
  type Attribute,
  type Condition,
  type Item,
  type Key,
  LimitExceeded,
  type OutgoingMessage,
  type Write,
} from '../ports.ts';

/** Bytes of one item, names and values together (400 KB). */
export const MAX_ITEM_BYTES = 409_600;
/** Bytes of all items of one transaction (4 MB). */
export const MAX_TRANSACTION_BYTES = 4_194_304;
export const MAX_TRANSACTION_WRITES = 100;
export const MAX_PK_BYTES = 2048;
export const MAX_SK_BYTES = 1024;
export const MAX_TOKEN_LENGTH = 36;
export const MAX_BODY_BYTES = 262_144;
export const MAX_DELAY_SECONDS = 900;
export const MAX_VISIBILITY_SECONDS = 43_200;
export const RETENTION_SECONDS = 14 * 86_400;

const utf8Length = (text: string): number => Buffer.byteLength(text, 'utf8');

/** Bytes of one item as DynamoDB counts them. @throws {LimitExceeded} for a value that the port does not allow */
export function itemBytes(item: Item): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(item)) bytes += utf8Length(name) + attributeBytes(name, value);
  return bytes;
}

function attributeBytes(name: string, value: Attribute): number {
  if (typeof value === 'string') return utf8Length(value);
  if (typeof value === 'number') return numberBytes(name, value);
  if (typeof value === 'boolean') return 1;
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof Set) return setBytes(name, value as ReadonlySet<number>);
  if (Array.isArray(value)) return listBytes(name, value as readonly (string | Uint8Array)[]);
  throw new LimitExceeded(`attribute ${name}: expected a value of the port's types, got ${typeof value}`);
}

/** "Approximately (number of significant digits / 2) + 1", one more for the sign; leading and trailing zeroes are not kept. */
function numberBytes(name: string, value: number): number {
  if (!Number.isSafeInteger(value))
    throw new LimitExceeded(`attribute ${name}: expected a safe integer, got another number`);
  const digits = Math.abs(value).toString().replace(/0+$/, '').length;
  return Math.ceil(digits / 2) + 1 + (value < 0 ? 1 : 0);
}

function setBytes(name: string, members: ReadonlySet<number>): number {
  if (members.size === 0) throw new LimitExceeded(`attribute ${name}: a set is never empty`);
  let bytes = 0;
  for (const member of members) bytes += numberBytes(name, member);
  return bytes;
}

/** Three bytes for the list, and one more for each element. */
function listBytes(name: string, elements: readonly (string | Uint8Array)[]): number {
  let bytes = 3;
  for (const element of elements) {
    if (typeof element === 'string') bytes += 1 + utf8Length(element);
    else if (element instanceof Uint8Array) bytes += 1 + element.length;
    else throw new LimitExceeded(`attribute ${name}: expected a list of texts or bytes, got ${typeof element}`);
  }
  return bytes;
}

/** @throws {LimitExceeded} */
export function checkKey({ pk, sk }: Key): void {
  checkKeyPart('pk', pk, MAX_PK_BYTES);
  checkKeyPart('sk', sk, MAX_SK_BYTES);
}

function checkKeyPart(name: string, value: unknown, most: number): void {
  if (typeof value !== 'string') throw new LimitExceeded(`${name}: expected text, got ${typeof value}`);
  const bytes = utf8Length(value);
  if (bytes < 1 || bytes > most) throw new LimitExceeded(`${name}: expected 1 to ${most} bytes, got ${bytes}`);
}

/** @returns bytes of the item @throws {LimitExceeded} */
export function checkItem(item: Item): number {
  checkKey(item);
  const bytes = itemBytes(item);
  if (bytes > MAX_ITEM_BYTES) throw new LimitExceeded(`item: expected at most ${MAX_ITEM_BYTES} bytes, got ${bytes}`);
  return bytes;
}

/** @returns bytes that the write counts for in a transaction @throws {LimitExceeded} */
export function checkWrite(write: Write): number {
  if (write.condition) checkCondition(write.condition);
  if (write.kind === 'put') return checkItem(write.item);
  checkKey(write.key);
  return utf8Length(write.key.pk) + utf8Length(write.key.sk);
}

function checkCondition(condition: Condition): void {
  if ('value' in condition) attributeBytes(condition.attribute, condition.value);
}

/** @throws {LimitExceeded} */
export function checkTransaction(writes: readonly Write[], token: string): void {
  if (writes.length < 1 || writes.length > MAX_TRANSACTION_WRITES) {
    throw new LimitExceeded(`transaction: expected 1 to ${MAX_TRANSACTION_WRITES} writes, got ${writes.length}`);
  }
  if (token.length < 1 || token.length > MAX_TOKEN_LENGTH) {
    throw new LimitExceeded(`token: expected 1 to ${MAX_TOKEN_LENGTH} characters, got ${token.length}`);
  }
  let bytes = 0;
  const targets = new Set<string>();
  for (const write of writes) {
    bytes += checkWrite(write);
    const { pk, sk } = keyOf(write);
    targets.add(JSON.stringify([write.table, pk, sk]));
  }
  if (targets.size !== writes.length) throw new LimitExceeded('transaction: no two writes may have the same key');
  if (bytes > MAX_TRANSACTION_BYTES) {
    throw new LimitExceeded(`transaction: expected at most ${MAX_TRANSACTION_BYTES} bytes, got ${bytes}`);
  }
}

export function keyOf(write: Write): Key {
  return write.kind === 'put' ? write.item : write.key;
}

/** @throws {LimitExceeded} */
export function checkMessage({ queue, body, delaySeconds = 0 }: OutgoingMessage): void {
  const bytes = utf8Length(body);
  if (bytes < 1 || bytes > MAX_BODY_BYTES) {
    throw new LimitExceeded(`message to ${queue}: expected a body of 1 to ${MAX_BODY_BYTES} bytes, got ${bytes}`);
  }
  if (!Number.isInteger(delaySeconds) || delaySeconds < 0 || delaySeconds > MAX_DELAY_SECONDS) {
    throw new LimitExceeded(
      `message to ${queue}: expected a delay of 0 to ${MAX_DELAY_SECONDS} whole seconds, got ${delaySeconds}`,
    );
  }
}
