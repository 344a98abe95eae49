import type { SQSClient } from '@aws-sdk/client-sqs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SqsBus } from '../../lib/aws/bus.ts';
import { queueResolver, queueUrl } from '../../lib/aws/queues.ts';
import { LimitExceeded, type OutgoingMessage, type QueueName, Unavailable } from '../../lib/ports.ts';
import { type Answer, EAGER, sdkError, stubClient } from './stub.ts';

const HOME = { account: '111111111111', region: 'us-east-1' };
const OWN = 'coterie-alice-btc-Wake' as QueueName;
const OTHER = 'coterie-alice-btc-Outbound' as QueueName;

interface SentEntry {
  readonly Id: string;
  readonly MessageBody: string;
  readonly DelaySeconds?: number;
}
const entriesOf = (input: Record<string, unknown>) => input['Entries'] as SentEntry[];
const accept = (input: Record<string, unknown>) => ({ Successful: entriesOf(input).map(({ Id }) => ({ Id })) });

function busOf(...answers: Answer[]) {
  const { client, calls } = stubClient<SQSClient>(...answers);
  const regions: string[] = [];
  const said: string[] = [];
  const bus = new SqsBus({
    client: (region) => {
      regions.push(region);
      return client;
    },
    resolve: queueResolver('alice', HOME, async (identity) =>
      identity === 'bob' ? { account: '222222222222', region: 'eu-west-1' } : undefined,
    ),
    telemetry: { record: (event, fields) => said.push(`${event} ${JSON.stringify(fields)}`) },
    patience: EAGER,
  });
  return { bus, calls, regions, said };
}

describe('sending', () => {
  test('every message leaves once, by at most 10 and 1 MiB in a call, one queue a call', async () => {
    const message = fc.record({
      queue: fc.constantFrom(OWN, OTHER),
      body: fc.oneof(
        { weight: 4, arbitrary: fc.constant('x') },
        { weight: 1, arbitrary: fc.constant('y'.repeat(262_144)) },
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 40 }), async (messages) => {
        const { bus, calls } = busOf(accept);
        expect(await bus.send(messages)).toEqual([]);
        const sent = calls.flatMap(({ input }) => {
          const entries = entriesOf(input);
          expect(entries.length).toBeLessThanOrEqual(10);
          expect(entries.reduce((sum, { MessageBody }) => sum + MessageBody.length, 0)).toBeLessThanOrEqual(1_048_576);
          return entries.map(({ Id, MessageBody }) => ({
            index: Number(Id),
            queue: `${input['QueueUrl']}`.split('/').at(-1),
            body: MessageBody.length,
          }));
        });
        const expected = messages.map(({ queue, body }, index) => ({ index, queue, body: body.length }));
        expect(sent.sort((a, b) => a.index - b.index)).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  test('a refused message loses no other: its index is told, ascending', async () => {
    const { bus, said } = busOf((input) => {
      const ids = entriesOf(input).map(({ Id }) => Id);
      return {
        Successful: ids.filter((id) => id !== '1' && id !== '11').map((Id) => ({ Id })),
        Failed: [{ Id: '1', Code: 'InternalError' }],
      };
    });
    expect(await bus.send(Array.from({ length: 12 }, () => ({ queue: OWN, body: '{}' })))).toEqual([1, 11]);
    expect(said[0]).toContain('InternalError');
  });

  test('a call that fails for one queue leaves the other queues’ messages sent', async () => {
    const { bus } = busOf((input) =>
      `${input['QueueUrl']}`.endsWith(OTHER) ? sdkError('QueueDoesNotExist', 400) : accept(input),
    );
    const messages: OutgoingMessage[] = [
      { queue: OWN, body: '{}' },
      { queue: OTHER, body: '{}' },
      { queue: OWN, body: '{}' },
    ];
    expect(await bus.send(messages)).toEqual([1]);
  });

  test('a throttled or lost call is repeated: twice is allowed, never is not', async () => {
    const { bus, calls } = busOf(sdkError('RequestThrottled', 403), sdkError('TimeoutError'), {
      Successful: [{ Id: '0' }],
    });
    expect(await bus.send([{ queue: OWN, body: '{}' }])).toEqual([]);
    expect(calls).toHaveLength(3);
  });

  test('bodies stay out of what is logged', async () => {
    const { bus, said } = busOf(sdkError('InvalidMessageContents', 400));
    expect(await bus.send([{ queue: OWN, body: '{"secret":"hunter2"}' }])).toEqual([0]);
    expect(said.join()).not.toContain('hunter2');
  });

  test.each<[string, Partial<OutgoingMessage>]>([
    ['a body of 262,145 bytes', { body: 'é'.repeat(131_072).concat('x') }],
    ['an empty body', { body: '' }],
    ['a delay of 901 s', { delaySeconds: 901 }],
    ['a delay of half a second', { delaySeconds: 0.5 }],
    ['a negative delay', { delaySeconds: -1 }],
  ])('%s is refused before anything is sent', async (_, wrong) => {
    const { bus, calls } = busOf(accept);
    await expect(
      bus.send([
        { queue: OWN, body: '{}' },
        { queue: OWN, body: '{}', ...wrong },
      ]),
    ).rejects.toBeInstanceOf(LimitExceeded);
    expect(calls).toHaveLength(0);
  });
});

describe('where a queue lies', () => {
  test('the own queues at home, a peer’s inbox in the peer’s account and region', async () => {
    const { bus, calls, regions } = busOf(accept);
    await bus.send([
      { queue: OWN, body: '{}' },
      { queue: 'coterie-bob-inbox-alice' as QueueName, body: '{}' },
      { queue: 'coterie-alice-inbox-bob' as QueueName, body: '{}' },
    ]);
    expect(calls.map(({ input }) => input['QueueUrl']).sort()).toEqual([
      'https://sqs.eu-west-1.amazonaws.com/222222222222/coterie-bob-inbox-alice',
      'https://sqs.us-east-1.amazonaws.com/111111111111/coterie-alice-btc-Wake',
      'https://sqs.us-east-1.amazonaws.com/111111111111/coterie-alice-inbox-bob',
    ]);
    expect(regions.sort()).toEqual(['eu-west-1', 'us-east-1', 'us-east-1']);
  });

  test('a peer that the committee file does not name: the message is not accepted, and not sent home', async () => {
    const { bus, calls } = busOf(accept);
    expect(await bus.send([{ queue: 'coterie-mallory-inbox-alice' as QueueName, body: '{}' }])).toEqual([0]);
    expect(calls).toHaveLength(0);
  });

  test('an ARN says it itself', async () => {
    const resolve = queueResolver('alice', HOME, async () => undefined);
    expect(await resolve('arn:aws:sqs:eu-central-1:333333333333:outcomes' as QueueName)).toEqual({
      account: '333333333333',
      region: 'eu-central-1',
      name: 'outcomes',
    });
    await expect(resolve('coterie-bob-inbox-alice' as QueueName)).rejects.toBeInstanceOf(Unavailable);
  });

  test('on an emulator and in China the host differs', () => {
    const address = { account: '1', region: 'cn-north-1', name: 'q' };
    expect(queueUrl(address)).toBe('https://sqs.cn-north-1.amazonaws.com.cn/1/q');
    expect(queueUrl(address, 'http://127.0.0.1:4566/')).toBe('http://127.0.0.1:4566/1/q');
  });
});
