import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { DynamoStore } from '../../lib/aws/store.ts';
import {
  type Item,
  LimitExceeded,
  type Table,
  Throttled,
  Unavailable,
  UnknownOutcome,
  type Write,
} from '../../lib/ports.ts';
import { type Answer, EAGER, sdkError, stubClient } from './stub.ts';

const NAMES = { Ceremonies: 'ceremonies-table', Keys: 'keys-table', Nonces: 'nonces-table' };
const KEY = { pk: 'C#1', sk: 'STATE' };

function storeOf(...answers: Answer[]) {
  const { client, calls } = stubClient<DynamoDBClient>(...answers);
  let elapsed = 0;
  const store = new DynamoStore(client, NAMES, { patience: EAGER, elapsed: () => elapsed });
  const pass = (milliseconds: number) => {
    elapsed += milliseconds;
  };
  return { store, calls, pass };
}

const put = (item: Partial<Item> = {}): Write => ({
  kind: 'put',
  table: 'Ceremonies',
  item: { ...item, ...KEY } as Item,
  condition: { kind: 'absent' },
});
const cancelled = (...reasons: object[]) =>
  sdkError('TransactionCanceledException', 400, { CancellationReasons: reasons });

describe('conditions become expressions', () => {
  test.each([
    [{ kind: 'absent' }, 'attribute_not_exists(#pk)', { '#pk': 'pk' }, undefined],
    [{ kind: 'present' }, 'attribute_exists(#pk)', { '#pk': 'pk' }, undefined],
    [{ kind: 'equals', attribute: 'version', value: 3 }, '#a = :a', { '#a': 'version' }, { ':a': { N: '3' } }],
    [
      { kind: 'absentOrEquals', attribute: 'hash', value: 'x' },
      'attribute_not_exists(#pk) OR #a = :a',
      { '#pk': 'pk', '#a': 'hash' },
      { ':a': { S: 'x' } },
    ],
  ] as const)('%j', async (condition, expression, names, values) => {
    const { store, calls } = storeOf({});
    await store.write({ kind: 'put', table: 'Keys', item: KEY as Item, condition });
    expect(calls[0]?.operation).toBe('PutItem');
    expect(calls[0]?.input).toMatchObject({
      TableName: 'keys-table',
      ConditionExpression: expression,
      ExpressionAttributeNames: names,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    expect(calls[0]?.input['ExpressionAttributeValues']).toEqual(values);
  });

  test('a write without a condition has no expression at all', async () => {
    const { store, calls } = storeOf({});
    await store.write({ kind: 'delete', table: 'Keys', key: KEY });
    expect(calls[0]).toEqual({
      operation: 'DeleteItem',
      input: { TableName: 'keys-table', Key: { pk: { S: 'C#1' }, sk: { S: 'STATE' } } },
    });
  });
});

describe('one write', () => {
  test('a failed condition is a result, with the item that lay there', async () => {
    const old = { pk: { S: 'C#1' }, sk: { S: 'STATE' }, version: { N: '7' } };
    const { store } = storeOf(sdkError('ConditionalCheckFailedException', 400, { Item: old }));
    expect(await store.write(put())).toEqual({
      committed: false,
      failures: [{ index: 0, item: { ...KEY, version: 7 } }],
    });
  });

  test.each([[undefined], [{}]])('a failed condition on nothing says so (engines: %j)', async (Item) => {
    const { store } = storeOf(sdkError('ConditionalCheckFailedException', 400, { Item }));
    expect(await store.write(put())).toEqual({ committed: false, failures: [{ index: 0, item: undefined }] });
  });

  test('a lost answer is never repeated: a repetition would turn success into a failed condition', async () => {
    const { store, calls } = storeOf(sdkError('TimeoutError'));
    await expect(store.write(put())).rejects.toBeInstanceOf(UnknownOutcome);
    expect(calls).toHaveLength(1);
  });

  test('a throttled write was not done, and is repeated', async () => {
    const { store, calls } = storeOf(sdkError('ThrottlingException', 400), {});
    expect(await store.write(put())).toEqual({ committed: true });
    expect(calls).toHaveLength(2);
  });

  test('patience ends', async () => {
    const { store, calls } = storeOf(sdkError('ThrottlingException', 400));
    await expect(store.write(put())).rejects.toBeInstanceOf(Throttled);
    expect(calls).toHaveLength(EAGER.attempts);
  });

  test('a check alone is a transaction of one', async () => {
    const { store, calls } = storeOf({});
    await store.write({ kind: 'check', table: 'Keys', key: KEY, condition: { kind: 'present' } });
    expect(calls[0]?.operation).toBe('TransactWriteItems');
  });
});

describe('a transaction', () => {
  const writes: Write[] = [
    put({ version: 1 }),
    { kind: 'delete', table: 'Nonces', key: KEY, condition: { kind: 'present' } },
    { kind: 'check', table: 'Keys', key: KEY, condition: { kind: 'absent' } },
  ];

  test('carries its token and asks for the items that lay there', async () => {
    const { store, calls } = storeOf({});
    expect(await store.transact(writes, 'token')).toEqual({ committed: true });
    const { ClientRequestToken, TransactItems } = (calls[0]?.input ?? {}) as {
      ClientRequestToken: string;
      TransactItems: Record<string, object>[];
    };
    expect(ClientRequestToken).toBe('token');
    expect(TransactItems.map((each) => Object.keys(each)[0])).toEqual(['Put', 'Delete', 'ConditionCheck']);
    for (const each of TransactItems)
      expect(Object.values(each)[0]).toMatchObject({ ReturnValuesOnConditionCheckFailure: 'ALL_OLD' });
  });

  test('failed conditions are told by index, also beside a conflict', async () => {
    const Item = { pk: { S: 'C#1' }, sk: { S: 'STATE' }, since: { N: '1' } };
    const { store } = storeOf(
      cancelled(
        { Code: 'TransactionConflict' },
        { Code: 'ConditionalCheckFailed' },
        { Code: 'ConditionalCheckFailed', Item },
      ),
    );
    expect(await store.transact(writes, 'token')).toEqual({
      committed: false,
      failures: [
        { index: 1, item: undefined },
        { index: 2, item: { ...KEY, since: 1 } },
      ],
    });
  });

  test.each(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'])(
    '%s: repeated, then Throttled',
    async (Code) => {
      const { store, calls } = storeOf(cancelled({ Code: 'None' }, { Code }, { Code: 'None' }));
      await expect(store.transact(writes, 'token')).rejects.toBeInstanceOf(Throttled);
      expect(calls).toHaveLength(EAGER.attempts);
    },
  );

  test('ValidationError: a defect, never repeated', async () => {
    const { store, calls } = storeOf(
      cancelled({ Code: 'ValidationError' }, { Code: 'ConditionalCheckFailed' }, { Code: 'None' }),
    );
    await expect(store.transact(writes, 'token')).rejects.toBeInstanceOf(LimitExceeded);
    expect(calls).toHaveLength(1);
  });

  test('a cancellation without a reason we know is not taken for a failed condition', async () => {
    await expect(storeOf(cancelled()).store.transact(writes, 'token')).rejects.toBeInstanceOf(Unavailable);
    await expect(storeOf(cancelled({ Code: 'AccessDenied' })).store.transact(writes, 'token')).rejects.toBeInstanceOf(
      Unavailable,
    );
  });

  test('a lost answer is asked for again under the same token', async () => {
    const { store, calls } = storeOf(sdkError('TimeoutError'), {});
    expect(await store.transact(writes, 'token')).toEqual({ committed: true });
    expect(calls.map(({ input }) => input['ClientRequestToken'])).toEqual(['token', 'token']);
  });

  test('an outcome that stays unknown is said to be unknown', async () => {
    await expect(storeOf(sdkError('InternalServerError', 500)).store.transact(writes, 'token')).rejects.toBeInstanceOf(
      UnknownOutcome,
    );
  });

  test('a token that was used with other writes is a defect', async () => {
    await expect(
      storeOf(sdkError('IdempotentParameterMismatchException', 400)).store.transact(writes, 'token'),
    ).rejects.toBeInstanceOf(LimitExceeded);
  });

  test.each<[string, Write[], string]>([
    ['no write', [], 'token'],
    [
      '101 writes',
      Array.from({ length: 101 }, (_, i) => ({ kind: 'delete', table: 'Keys', key: { pk: 'a', sk: `${i}` } })),
      'token',
    ],
    ['one key twice', [put(), put()], 'token'],
    ['a token of 37 characters', writes, 'x'.repeat(37)],
    ['an item beyond 400 KB', [put({ blob: new Uint8Array(409_600) })], 'token'],
  ])('%s: refused before anything is sent', async (_, refused, token) => {
    const { store, calls } = storeOf({});
    await expect(store.transact(refused, token)).rejects.toBeInstanceOf(LimitExceeded);
    expect(calls).toHaveLength(0);
  });
});

describe('reads', () => {
  test('are strongly consistent and repeated when the service is away for a moment', async () => {
    const { store, calls } = storeOf(sdkError('Error', undefined, { code: 'ECONNRESET' }), {
      Item: { pk: { S: 'C#1' }, sk: { S: 'STATE' } },
    });
    expect(await store.get('Ceremonies', KEY)).toEqual(KEY);
    expect(calls[1]?.input['ConsistentRead']).toBe(true);
  });

  test('batchGet asks for 100 keys at once, each once, and again for what was left', async () => {
    const keys = Array.from({ length: 150 }, (_, i) => ({ pk: 'a', sk: `${i}` }));
    const asked: number[] = [];
    let first = true;
    const { store } = storeOf((input) => {
      const { Keys, ConsistentRead } = (
        input['RequestItems'] as Record<string, { Keys: object[]; ConsistentRead: boolean }>
      )['keys-table'] ?? { Keys: [], ConsistentRead: false };
      expect(ConsistentRead).toBe(true);
      asked.push(Keys.length);
      const left = first ? Keys.slice(40) : [];
      first = false;
      const done = Keys.slice(0, Keys.length - left.length);
      return {
        Responses: { 'keys-table': done },
        UnprocessedKeys: left.length > 0 ? { 'keys-table': { Keys: left } } : {},
      };
    });
    const items = await store.batchGet('Keys', [...keys, ...keys]);
    expect(new Set(items.map(({ sk }) => sk)).size).toBe(150);
    expect(items).toHaveLength(150);
    expect(asked.sort((a, b) => a - b)).toEqual([50, 60, 100]);
  });

  test('batchGet gives up on a table that hands everything back', async () => {
    const { store } = storeOf((input) => ({ Responses: {}, UnprocessedKeys: input['RequestItems'] as object }));
    await expect(store.batchGet('Keys', [KEY])).rejects.toBeInstanceOf(Throttled);
  });

  test('query of a page asks for no more than that, and begins behind a key', async () => {
    const at = { pk: { S: 'a' }, sk: { S: '4' } };
    const { store, calls } = storeOf({ Items: [at], LastEvaluatedKey: at }, { Items: [at], LastEvaluatedKey: at });
    expect(await store.query('Keys', 'a', '', { after: '3', limit: 2 })).toHaveLength(2);
    expect(calls.map(({ input }) => input['Limit'])).toEqual([2, 1]);
    expect(calls[0]?.input['ExclusiveStartKey']).toEqual({ pk: { S: 'a' }, sk: { S: '3' } });
  });

  test('query reads every page', async () => {
    const at = { pk: { S: 'a' }, sk: { S: '1' } };
    const { store, calls } = storeOf(
      { Items: [at], LastEvaluatedKey: at },
      { Items: [{ pk: { S: 'a' }, sk: { S: '2' } }] },
    );
    expect(await store.query('Keys', 'a', 'x')).toEqual([
      { pk: 'a', sk: '1' },
      { pk: 'a', sk: '2' },
    ]);
    expect(calls[0]?.input).toMatchObject({
      KeyConditionExpression: '#pk = :pk AND begins_with(#sk, :prefix)',
      ConsistentRead: true,
    });
    expect(calls[1]?.input['ExclusiveStartKey']).toEqual(at);
  });

  test('due merges the shards of the index, earliest first, and hides it', async () => {
    const rows: Record<string, object[]> = {
      '0': [{ pk: { S: 'late' }, sk: { S: 'STATE' }, open: { S: '0' }, wakeAt: { N: '9' } }],
      '3': [{ pk: { S: 'early' }, sk: { S: 'STATE' }, open: { S: '3' }, wakeAt: { N: '2' } }],
    };
    const { store, calls } = storeOf((input) => {
      const shard = (input['ExpressionAttributeValues'] as Record<string, { S: string }>)[':shard']?.S ?? '';
      return { Items: rows[shard] ?? [] };
    });
    expect(await store.due(10, 1)).toEqual([{ pk: 'early', sk: 'STATE' }]);
    expect(calls.every(({ input }) => input['IndexName'] === 'open' && input['Limit'] === 1)).toBe(true);
  });

  test('a table that the role does not have is a defect of the deployment, not of the service', async () => {
    await expect(storeOf({}).store.get('Serials' as Table, KEY)).rejects.toThrow('this role has no table Serials');
  });
});

describe('addToSet', () => {
  test('adds and returns what is there afterwards; a lost answer is repeated, for adding twice is adding once', async () => {
    const Attributes = { pk: { S: 'C#1' }, sk: { S: 'STATE' }, members: { NS: ['1', '2'] } };
    const { store, calls } = storeOf(sdkError('TimeoutError'), { Attributes });
    expect(await store.addToSet('Ceremonies', KEY, new Set([2]), { ttl: 9 })).toEqual(new Set([1, 2]));
    expect(calls[1]?.input).toMatchObject({
      UpdateExpression: 'ADD #members :members SET #a0 = :a0',
      ExpressionAttributeNames: { '#members': 'members', '#a0': 'ttl' },
      ExpressionAttributeValues: { ':members': { NS: ['2'] }, ':a0': { N: '9' } },
      ReturnValues: 'ALL_NEW',
    });
  });

  test.each(['members', 'pk', 'sk'])('%s cannot be among the further attributes', async (name) => {
    await expect(storeOf({}).store.addToSet('Ceremonies', KEY, new Set([1]), { [name]: 'x' })).rejects.toBeInstanceOf(
      LimitExceeded,
    );
  });
});

describe('tableId', () => {
  test('is asked for once a minute, so that a table restored under the same name is seen by a warm function', async () => {
    const { store, calls, pass } = storeOf({ Table: { TableId: 'first' } }, { Table: { TableId: 'second' } });
    expect([await store.tableId('Nonces'), await store.tableId('Nonces')]).toEqual(['first', 'first']);
    expect(calls).toHaveLength(1);
    pass(60_000);
    expect(await store.tableId('Nonces')).toBe('second');
  });

  test('a failure is not remembered, and a table without an identity is refused', async () => {
    const missing = sdkError('ResourceNotFoundException', 400);
    const { store } = storeOf(missing, missing, missing, { Table: {} });
    await expect(store.tableId('Nonces')).rejects.toBeInstanceOf(Unavailable);
    await expect(store.tableId('Nonces')).rejects.toThrow('table id');
  });
});
