/** {@link Store} on DynamoDB. */
import { randomUUID } from 'node:crypto';
import {
  BatchGetItemCommand,
  type CancellationReason,
  DeleteItemCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { checkItem, checkKey, checkTransaction, checkWrite } from '../local/limits.ts';
import {
  type Attribute,
  type CommitResult,
  type ConditionFailure,
  type Item,
  type Key,
  LimitExceeded,
  type QueryPage,
  type Store,
  type Table,
  Throttled,
  Unavailable,
  type Write,
} from '../ports.ts';
import { decodeItem, type Encoded, encodeAttribute, encodeItem, encodeKey } from './codec.ts';
import { type Effect, portError } from './errors.ts';
import { conditionExpression } from './expressions.ts';
import { PATIENCE, type Patience, pause, type Repeatable, repeat } from './retry.ts';
import { OPEN_INDEX, OPEN_SHARDS, PARTITION_KEY, SORT_KEY } from './tables.ts';

/** DynamoDB: keys of one BatchGetItem. */
const BATCH_GET_KEYS = 100;
const MEMBERS = 'members';
/** A table of the same name may be deleted and restored under a warm function: its new id must be seen before anything of the old one is opened again. */
const TABLE_ID_MILLISECONDS = 60_000;

/** Physical names of the tables that a role has; a coordinator has no `Nonces`. */
export type TableNames = Readonly<Partial<Record<Table, string>>>;

export interface StoreOptions {
  readonly patience?: Patience;
  /** Milliseconds of a monotonic clock. */
  readonly elapsed?: () => number;
}

export class DynamoStore implements Store {
  readonly #client: Pick<DynamoDBClient, 'send'>;
  readonly #names: TableNames;
  readonly #patience: Patience;
  readonly #elapsed: () => number;
  readonly #ids = new Map<Table, { readonly id: Promise<string>; readonly until: number }>();

  /** @param client makes one attempt at each request (`maxAttempts: 1`): what may be repeated is decided here */
  constructor(client: Pick<DynamoDBClient, 'send'>, names: TableNames, options: StoreOptions = {}) {
    this.#client = client;
    this.#names = names;
    this.#patience = options.patience ?? PATIENCE;
    this.#elapsed = options.elapsed ?? (() => performance.now());
  }

  async get(table: Table, key: Key): Promise<Item | undefined> {
    checkKey(key);
    const command = new GetItemCommand({ TableName: this.#name(table), Key: encodeKey(key), ConsistentRead: true });
    const { Item } = await this.#call('GetItem', 'read', 'any', () => this.#client.send(command));
    return Item && decodeItem(table, Item);
  }

  async batchGet(table: Table, keys: readonly Key[]): Promise<readonly Item[]> {
    for (const key of keys) checkKey(key);
    const wanted = [...new Map(keys.map((key) => [JSON.stringify([key.pk, key.sk]), encodeKey(key)])).values()];
    const chunks = Array.from({ length: Math.ceil(wanted.length / BATCH_GET_KEYS) }, (_, i) =>
      wanted.slice(i * BATCH_GET_KEYS, (i + 1) * BATCH_GET_KEYS),
    );
    return (await Promise.all(chunks.map((chunk) => this.#batchGet(table, chunk)))).flat();
  }

  /** DynamoDB answers with what fitted into 16 MB and its capacity, and hands the other keys back. */
  async #batchGet(table: Table, keys: Encoded[]): Promise<Item[]> {
    const name = this.#name(table);
    const items: Item[] = [];
    let fruitless = 0;
    for (let pending = keys; pending.length > 0; ) {
      const command = new BatchGetItemCommand({ RequestItems: { [name]: { Keys: pending, ConsistentRead: true } } });
      const { Responses, UnprocessedKeys } = await this.#call('BatchGetItem', 'read', 'any', () =>
        this.#client.send(command),
      );
      const found = Responses?.[name] ?? [];
      for (const item of found) items.push(decodeItem(table, item));
      const left = UnprocessedKeys?.[name]?.Keys ?? [];
      fruitless = left.length < pending.length ? 0 : fruitless + 1;
      if (fruitless >= this.#patience.attempts) throw new Throttled(`BatchGetItem left ${left.length} keys unread`);
      if (left.length > 0) await pause(this.#patience, fruitless + 1);
      pending = left;
    }
    return items;
  }

  async query(table: Table, pk: string, prefix = '', page?: QueryPage): Promise<readonly Item[]> {
    const items: Item[] = [];
    const most = page?.limit ?? Number.POSITIVE_INFINITY;
    let from: Encoded | undefined = page?.after === undefined ? undefined : encodeKey({ pk, sk: page.after });
    do {
      const command = new QueryCommand({
        TableName: this.#name(table),
        KeyConditionExpression: prefix === '' ? '#pk = :pk' : '#pk = :pk AND begins_with(#sk, :prefix)',
        ExpressionAttributeNames: { '#pk': PARTITION_KEY, ...(prefix === '' ? {} : { '#sk': SORT_KEY }) },
        ExpressionAttributeValues: { ':pk': { S: pk }, ...(prefix === '' ? {} : { ':prefix': { S: prefix } }) },
        ConsistentRead: true,
        ...(from ? { ExclusiveStartKey: from } : {}),
        ...(page ? { Limit: most - items.length } : {}),
      });
      const read = await this.#call('Query', 'read', 'any', () => this.#client.send(command));
      for (const item of read.Items ?? []) items.push(decodeItem(table, item));
      from = read.LastEvaluatedKey;
    } while (from && items.length < most);
    return items;
  }

  async write(write: Write): Promise<CommitResult> {
    // DynamoDB has no check without a write outside a transaction.
    if (write.kind === 'check') return this.transact([write], randomUUID());
    const item = this.#transactItem(write);
    try {
      await repeat('throttled', this.#patience, () => this.#sendAlone(item));
      return { committed: true };
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      return { committed: false, failures: [{ index: 0, item: whatLay(write.table, error.item) }] };
    }
  }

  async #sendAlone({ Put, Delete }: TransactWriteItem): Promise<void> {
    const operation = Put ? 'PutItem' : 'DeleteItem';
    try {
      if (Put) await this.#client.send(new PutItemCommand(Put));
      if (Delete) await this.#client.send(new DeleteItemCommand(Delete));
    } catch (error) {
      if (isNamed(error, 'ConditionalCheckFailedException'))
        throw new ConditionFailed((error as { Item?: Encoded }).Item);
      throw portError(error, operation, 'write');
    }
  }

  async transact(writes: readonly Write[], token: string): Promise<CommitResult> {
    checkTransaction(writes, token);
    const items = writes.map((write) => this.#transactItem(write));
    const command = new TransactWriteItemsCommand({ TransactItems: items, ClientRequestToken: token });
    // Under its token a transaction is applied once however often it is sent, so even an unknown outcome is asked for again.
    return await repeat('any', this.#patience, async () => {
      try {
        await this.#client.send(command);
        return { committed: true };
      } catch (error) {
        if (!isNamed(error, 'TransactionCanceledException')) throw portError(error, 'TransactWriteItems', 'write');
        return {
          committed: false,
          failures: failuresOf(writes, (error as { CancellationReasons?: CancellationReason[] }).CancellationReasons),
        };
      }
    });
  }

  async addToSet(
    table: Table,
    key: Key,
    members: ReadonlySet<number>,
    set: Readonly<Record<string, Attribute>> = {},
  ): Promise<ReadonlySet<number>> {
    for (const name of [PARTITION_KEY, SORT_KEY, MEMBERS]) {
      if (name in set) throw new LimitExceeded(`expected further attributes, got ${name} among them`);
    }
    checkItem({ ...set, ...key, [MEMBERS]: members });
    // Encoded as an item, so that a ceremony's `wakeAt` reaches the index from here too.
    const { [PARTITION_KEY]: _pk, [SORT_KEY]: _sk, ...attributes } = encodeItem(table, { ...set, ...key } as Item);
    const names: Record<string, string> = { '#members': MEMBERS };
    const values: Encoded = { ':members': encodeAttribute(MEMBERS, members) };
    const assignments = Object.entries(attributes).map(([name, value], i) => {
      names[`#a${i}`] = name;
      values[`:a${i}`] = value;
      return `#a${i} = :a${i}`;
    });
    const command = new UpdateItemCommand({
      TableName: this.#name(table),
      Key: encodeKey(key),
      UpdateExpression: `ADD #members :members${assignments.length > 0 ? ` SET ${assignments.join(', ')}` : ''}`,
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values,
      ReturnValues: 'ALL_NEW',
    });
    // Adding twice is adding once.
    const { Attributes } = await this.#call('UpdateItem', 'write', 'any', () => this.#client.send(command));
    const after = Attributes && decodeItem(table, Attributes)[MEMBERS];
    if (!(after instanceof Set)) throw new Unavailable('UpdateItem did not return the set it wrote');
    return after as ReadonlySet<number>;
  }

  async due(now: number, limit: number): Promise<readonly Key[]> {
    const shards = await Promise.all(
      Array.from({ length: OPEN_SHARDS }, (_, shard) => this.#dueIn(`${shard}`, now, limit)),
    );
    return shards
      .flat()
      .sort((a, b) => a.wakeAt - b.wakeAt)
      .slice(0, limit)
      .map(({ key }) => key);
  }

  async #dueIn(shard: string, now: number, limit: number): Promise<{ key: Key; wakeAt: number }[]> {
    const command = new QueryCommand({
      TableName: this.#name(OPEN_INDEX.table),
      IndexName: OPEN_INDEX.name,
      KeyConditionExpression: '#shard = :shard AND #wakeAt <= :now',
      ExpressionAttributeNames: { '#shard': OPEN_INDEX.partitionKey, '#wakeAt': OPEN_INDEX.sortKey },
      ExpressionAttributeValues: { ':shard': { S: shard }, ':now': encodeAttribute('now', now) },
      Limit: limit,
    });
    const { Items } = await this.#call('Query', 'read', 'any', () => this.#client.send(command));
    return (Items ?? []).map((encoded) => {
      const { pk, sk, wakeAt } = decodeItem(OPEN_INDEX.table, encoded);
      return { key: { pk: pk as string, sk: sk as string }, wakeAt: wakeAt as number };
    });
  }

  tableId(table: Table): Promise<string> {
    const known = this.#ids.get(table);
    if (known && this.#elapsed() < known.until) return known.id;
    const id = this.#describe(table);
    this.#ids.set(table, { id, until: this.#elapsed() + TABLE_ID_MILLISECONDS });
    id.catch(() => this.#ids.delete(table));
    return id;
  }

  async #describe(table: Table): Promise<string> {
    const command = new DescribeTableCommand({ TableName: this.#name(table) });
    const { Table } = await this.#call('DescribeTable', 'read', 'any', () => this.#client.send(command));
    // Without an identity a restored table could not be told from the lost one.
    if (!Table?.TableId) throw new Unavailable('DescribeTable did not say the table id');
    return Table.TableId;
  }

  #name(table: Table): string {
    const name = this.#names[table];
    if (name === undefined) throw new Error(`this role has no table ${table}`);
    return name;
  }

  #transactItem(write: Write): TransactWriteItem {
    checkWrite(write);
    const TableName = this.#name(write.table);
    const onFailure = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;
    const condition = write.condition ? { ...conditionExpression(write.condition), ...onFailure } : {};
    switch (write.kind) {
      case 'put':
        return { Put: { TableName, Item: encodeItem(write.table, write.item), ...condition } };
      case 'delete':
        return { Delete: { TableName, Key: encodeKey(write.key), ...condition } };
      case 'check':
        return {
          ConditionCheck: {
            TableName,
            Key: encodeKey(write.key),
            ...conditionExpression(write.condition),
            ...onFailure,
          },
        };
    }
  }

  #call<Result>(
    operation: string,
    effect: Effect,
    repeatable: Repeatable,
    send: () => Promise<Result>,
  ): Promise<Result> {
    return repeat(repeatable, this.#patience, async () => {
      try {
        return await send();
      } catch (error) {
        throw portError(error, operation, effect);
      }
    });
  }
}

class ConditionFailed extends Error {
  readonly item: Encoded | undefined;
  constructor(item: Encoded | undefined) {
    super('a condition failed');
    this.item = item;
  }
}

/** @throws {LimitExceeded | Throttled | Unavailable} if the transaction was cancelled for another reason than a condition */
function failuresOf(writes: readonly Write[], reasons: readonly CancellationReason[] | undefined): ConditionFailure[] {
  const codes = (reasons ?? []).map(({ Code }) => Code ?? 'None');
  const said = `a transaction of ${writes.length} was cancelled: ${codes.filter((code) => code !== 'None').join(', ') || 'no reason given'}`;
  if (codes.some((code) => code === 'ValidationError' || code === 'ItemCollectionSizeLimitExceeded'))
    throw new LimitExceeded(said);
  const failures = writes.flatMap((write, index) => {
    const { Code, Item } = reasons?.[index] ?? {};
    return Code === 'ConditionalCheckFailed' ? [{ index, item: whatLay(write.table, Item) }] : [];
  });
  if (failures.length > 0) return failures;
  if (
    codes.some(
      (code) =>
        code === 'TransactionConflict' || code === 'ThrottlingError' || code === 'ProvisionedThroughputExceeded',
    )
  ) {
    throw new Throttled(said);
  }
  throw new Unavailable(said);
}

/** Engines say "nothing" by an absent or by an empty item. */
function whatLay(table: Table, item: Encoded | undefined): Item | undefined {
  return item && Object.keys(item).length > 0 ? decodeItem(table, item) : undefined;
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
