/** Items of the port as DynamoDB attribute values, and back: what is read equals what was written, type by type. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { type Attribute, type Item, type Key, LimitExceeded, type Table } from '../ports.ts';
import { OPEN_INDEX, openShard, PARTITION_KEY, SORT_KEY } from './tables.ts';

export type Encoded = Record<string, AttributeValue>;

/** @throws {LimitExceeded} for a number that is not a safe integer, an empty set, or a list that mixes text and bytes */
export function encodeAttribute(name: string, value: Attribute): AttributeValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: integer(name, value) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (value instanceof Uint8Array) return { B: value };
  if (value instanceof Set) {
    if (value.size === 0) throw new LimitExceeded(`attribute ${name}: expected a set with members, got an empty one`);
    return { NS: [...(value as ReadonlySet<number>)].map((member) => integer(name, member)) };
  }
  const list = value as readonly (string | Uint8Array)[];
  if (new Set(list.map((element) => typeof element)).size > 1) {
    throw new LimitExceeded(`attribute ${name}: expected a list of one type, got a mixed one`);
  }
  return { L: list.map((element) => (typeof element === 'string' ? { S: element } : { B: element })) };
}

/** @throws if the table holds a type that no adapter writes: someone else writes to it */
export function decodeAttribute(name: string, value: AttributeValue): Attribute {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.B !== undefined) return new Uint8Array(value.B);
  if (value.NS !== undefined) return new Set(value.NS.map(Number));
  if (value.L !== undefined) {
    const list = value.L.map((element) =>
      element.S !== undefined ? element.S : new Uint8Array(element.B ?? unknownType(name)),
    );
    return list as string[] | Uint8Array[];
  }
  return unknownType(name);
}

/** Adds the index attribute to a ceremony's item that is to be woken. */
export function encodeItem(table: Table, item: Item): Encoded {
  if (table === OPEN_INDEX.table && OPEN_INDEX.partitionKey in item) {
    throw new LimitExceeded(
      `expected an item without the attribute ${OPEN_INDEX.partitionKey}, which is the index's own`,
    );
  }
  const encoded: Encoded = {};
  for (const [name, value] of Object.entries(item)) encoded[name] = encodeAttribute(name, value);
  if (table === OPEN_INDEX.table && OPEN_INDEX.sortKey in item)
    encoded[OPEN_INDEX.partitionKey] = { S: openShard(item.pk) };
  return encoded;
}

export function decodeItem(table: Table, encoded: Encoded): Item {
  const item: Record<string, Attribute> = {};
  for (const [name, value] of Object.entries(encoded)) {
    if (table === OPEN_INDEX.table && name === OPEN_INDEX.partitionKey) continue;
    item[name] = decodeAttribute(name, value);
  }
  return item as Item;
}

export function encodeKey({ pk, sk }: Key): Encoded {
  return { [PARTITION_KEY]: { S: pk }, [SORT_KEY]: { S: sk } };
}

function integer(name: string, value: number): string {
  if (!Number.isSafeInteger(value))
    throw new LimitExceeded(`attribute ${name}: expected a safe integer, got another number`);
  return `${value}`;
}

function unknownType(name: string): never {
  throw new Error(`attribute ${name}: expected a type that this adapter writes, got another one`);
}
