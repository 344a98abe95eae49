/** Bounds of the adapters that need many messages, or many answers, to be seen. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { expect, test } from 'vitest';
import { SqsBus } from '../../lib/aws/bus.ts';
import { queueResolver } from '../../lib/aws/queues.ts';
import { DynamoStore } from '../../lib/aws/store.ts';
import { backOff } from '../../lib/aws/visibility.ts';
import { type QueueName, Throttled } from '../../lib/ports.ts';
import { EAGER, stubClient } from './stub.ts';

async function callsFor(bodies: readonly string[]): Promise<number[]> {
  const { client, calls } = stubClient<SQSClient>((input) => ({
    Successful: (input['Entries'] as { Id: string }[]).map(({ Id }) => ({ Id })),
  }));
  const resolve = queueResolver('alice', { account: '111111111111', region: 'us-east-1' }, async () => undefined);
  const bus = new SqsBus({ client: () => client, resolve, patience: EAGER });
  const queue = 'coterie-alice-btc-Wake' as QueueName;
  expect(await bus.send(bodies.map((body) => ({ queue, body })))).toEqual([]);
  return calls.map(({ input }) => (input['Entries'] as unknown[]).length).sort((a, b) => b - a);
}

test('25 messages for one queue are three calls, for a call takes ten', async () => {
  expect(await callsFor(Array(25).fill('{}'))).toEqual([10, 10, 5]);
});

test('five of the largest messages are two calls, for a call takes 1 MiB', async () => {
  expect(await callsFor(Array(5).fill('x'.repeat(262_144)))).toEqual([4, 1]);
});

test('DOS-05 messages that were held come back out of step', () => {
  expect(backOff(5, () => 0)).toBeLessThan(backOff(5, (below) => below - 1));
});

test('DOS-05 a table that hands every key back is asked as often as patience has it, and no more', async () => {
  const { client, calls } = stubClient<DynamoDBClient>((input) => ({
    Responses: {},
    UnprocessedKeys: input['RequestItems'] as object,
  }));
  const store = new DynamoStore(client, { Keys: 'keys' }, { patience: EAGER });
  await expect(store.batchGet('Keys', [{ pk: 'a', sk: 'b' }])).rejects.toBeInstanceOf(Throttled);
  expect(calls.length).toBeLessThanOrEqual(EAGER.attempts);
});
