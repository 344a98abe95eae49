import { expect, it } from 'vitest';
import { Bill, Counter, type Meter } from '../../lib/cli/deploy-meter.ts';

const key = { pk: { S: 'a' }, sk: { S: 'b' } };

it('a write costs a unit for each kilobyte, twice in a transaction, and one more where the sparse index is written', () => {
  const bill = new Bill();
  bill.add({ name: 'PutItem', parameters: { TableName: 't', Item: { ...key, body: { S: 'x'.repeat(1_500) } } } }, true);
  expect(bill.writeUnits).toBe(2);
  const put = { TableName: 't', Item: { ...key, open: { S: '1' } } };
  const check = { TableName: 't', Key: { pk: { S: 'z' }, sk: { S: 'z' } } };
  bill.add(
    { name: 'TransactWriteItems', parameters: { TransactItems: [{ Put: put }, { ConditionCheck: check }] } },
    true,
  );
  expect(bill.writeUnits).toBe(2 + 2 * (2 + 1));
});

it('a read costs a unit for each four kilobytes of what was written there, half of it where it may be stale', () => {
  const bill = new Bill();
  const item = { ...key, blob: { B: Buffer.alloc(6_000).toString('base64') } };
  bill.add({ name: 'PutItem', parameters: { TableName: 't', Item: item } }, false);
  expect(bill.writeUnits).toBe(0);
  bill.add({ name: 'GetItem', parameters: { TableName: 't', Key: key, ConsistentRead: true } }, true);
  expect(bill.readUnits).toBe(2);
  bill.add({ name: 'GetItem', parameters: { TableName: 't', Key: key } }, true);
  expect(bill.readUnits).toBe(3);
  bill.add(
    {
      name: 'Query',
      parameters: { TableName: 't', ConsistentRead: true, ExpressionAttributeValues: { ':pk': { S: 'a' } } },
    },
    true,
  );
  expect(bill.readUnits).toBe(5);
  const batch = { RequestItems: { t: { Keys: [key, { pk: { S: 'none' }, sk: { S: 'b' } }], ConsistentRead: true } } };
  bill.add({ name: 'BatchGetItem', parameters: batch }, true);
  expect(bill.readUnits).toBe(8);
});

it('messages are counted by their names, and calls of KMS that use a key', () => {
  const bill = new Bill();
  const Entries = [{ MessageBody: '{"Wake":{}}' }, { MessageBody: '{"Wake":{}}' }, { MessageBody: '{"Start":{}}' }];
  bill.add({ name: 'SendMessageBatch', parameters: { Entries } }, true);
  expect(Object.fromEntries(bill.messages)).toEqual({ Wake: 2, Start: 1 });
  for (const name of ['GenerateDataKey', 'Decrypt', 'DescribeKey']) bill.add({ name, parameters: {} }, true);
  expect(bill.kmsCalls).toBe(2);
});

it('a stretch of time has what was done in it and what that set going, and is counted when all are over', async () => {
  const log: string[] = [];
  let invocations = 5;
  const meter = {
    start: async () => undefined,
    invocations: async () => invocations,
    usage: async (from: number, until: number, count: number) => {
      log.push(`counted ${count}`);
      expect(until).toBeGreaterThanOrEqual(from);
      return { messages: new Map(), invocations: count, kmsCalls: 0, writeUnits: 0, readUnits: 0 };
    },
  } as unknown as Meter;
  const counter = new Counter(meter);
  const over = (what: string, more: number) =>
    counter.over(
      what,
      async () => log.push(`did ${what}`),
      async () => {
        invocations += more;
        log.push('settled');
      },
    );
  await over('a deposit', 3);
  invocations += 100;
  await over('a payment', 4);
  const usage = await counter.usage();
  expect([...usage].map(([what, { invocations: count }]) => [what, count])).toEqual([
    ['a deposit', 3],
    ['a payment', 4],
  ]);
  expect(log).toEqual(['did a deposit', 'settled', 'did a payment', 'settled', 'counted 3', 'counted 4']);
});
