/** An operator on AWS as a place: what is read, what is sent where, and what is left alone. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { Unreachable } from '../../lib/cli/exit-status.ts';
import { AwsPlace } from '../../lib/cli/place-aws.ts';
import { bodyOf } from '../../lib/messages/catalogue.ts';
import { refusedEvent } from '../../lib/messages/events.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import type { OperatorFile } from '../../lib/messages/operator.ts';
import type { OutgoingMessage } from '../../lib/ports.ts';
import { type Answer, sdkError, stubClient } from '../aws/stub.ts';

const FILE: OperatorFile = {
  identity: 'alice',
  account: '111111111111',
  region: 'eu-central-1',
  clientRoles: ['arn:aws:iam::111111111111:role/wallet'],
  policies: [{ kind: 'require-own-instruction' }],
  gateways: [],
  assets: [],
  coins: ['btc'],
};
const REQUEST = `0x${'01'.repeat(16)}` as Hex;

function place({
  dynamo = [],
  sqs = [],
  refuse = [] as number[],
}: {
  dynamo?: Answer[];
  sqs?: Answer[];
  refuse?: number[];
} = {}) {
  const tables = stubClient<DynamoDBClient>(...(dynamo.length > 0 ? dynamo : [{}]));
  const queues = stubClient<SQSClient>(...(sqs.length > 0 ? sqs : [{}]));
  const sent: OutgoingMessage[] = [];
  const bus = {
    send: async (messages: readonly OutgoingMessage[]) => {
      sent.push(...messages);
      return refuse;
    },
  };
  const made = new AwsPlace(FILE, { endpoint: undefined }, { dynamo: tables.client, sqs: queues.client, bus });
  return { place: made, tables: tables.calls, queues: queues.calls, sent };
}

describe('reading', () => {
  it('asks for rows of the operator’s own tables by their names, and drops what is stored as bytes', async () => {
    const row = { pk: { S: 'OWN' }, sk: { S: 'SIGNATURE' }, blob: { B: new Uint8Array(60) }, generation: { N: '1' } };
    const { place: at, tables } = place({ dynamo: [{ Item: row }] });
    const reader = at.reader('alice', 'btc');
    expect(await reader.get('Keys', { pk: 'OWN', sk: 'SIGNATURE' })).toEqual({
      pk: 'OWN',
      sk: 'SIGNATURE',
      generation: 1,
    });
    expect(tables[0]).toMatchObject({ operation: 'GetItem', input: { TableName: 'coterie-alice-btc-Keys' } });
  });

  it('has no table of nonces to give', async () => {
    const { place: at, tables } = place();
    await expect(at.reader('alice', 'btc').get('Nonces' as 'Keys', { pk: 'a', sk: 'b' })).rejects.toBeInstanceOf(
      Unreachable,
    );
    await expect(at.reader('alice', 'coordinator').query('Ceremonies', 'a')).rejects.toBeInstanceOf(Unreachable);
    expect(tables).toEqual([]);
  });

  it('finds open ceremonies by their index, and all of them by reading the table page by page', async () => {
    const state = (n: number) => ({ pk: { S: `C#${n}` }, sk: { S: 'STATE' }, dataKey: { B: new Uint8Array(8) } });
    const pages: Answer[] = [
      { Items: [state(1)], LastEvaluatedKey: { pk: { S: 'C#1' } } },
      { Items: [state(2), state(3)] },
    ];
    const { place: at, tables } = place({ dynamo: pages });
    expect((await at.reader('alice', 'btc').states('all', 10)).map((item) => Object.keys(item))).toEqual(
      Array(3).fill(['pk', 'sk']),
    );
    expect(tables.map(({ operation }) => operation)).toEqual(['Scan', 'Scan']);
    expect(
      await place({ dynamo: pages.slice(1) })
        .place.reader('alice', 'btc')
        .states('all', 1),
    ).toHaveLength(1);
    const open = place({ dynamo: [{ Items: [] }] });
    expect(await open.place.reader('alice', 'btc').states('open', 10)).toEqual([]);
    expect(new Set(open.tables.map(({ operation }) => operation))).toEqual(new Set(['Query']));
  });

  it('says what to check when nobody answers', async () => {
    const { place: at } = place({ dynamo: [sdkError('CredentialsProviderError')] });
    await expect(at.reader('alice', 'btc').get('Keys', { pk: 'a', sk: 'b' })).rejects.toThrow(
      /AWS in eu-central-1.*check the endpoint, the credentials/,
    );
  });
});

describe('sending', () => {
  it('goes to the operator’s own queues, and is told where one does not take it', async () => {
    const message = { identity: 'alice', coin: 'btc', message: 'Control', body: '{}' } as const;
    const { place: at, sent } = place();
    await at.send([message]);
    expect(sent).toEqual([{ queue: 'coterie-alice-btc-Control', body: '{}' }]);
    await expect(place({ refuse: [0] }).place.send([message])).rejects.toThrow(
      /coterie-alice-btc-Control.*clientRoles/,
    );
  });
});

describe('a refusal', () => {
  const body = (requestId: Hex, reason: 'Expired' | 'Repeated' = 'Expired') =>
    bodyOf('MultisigEvent', refusedEvent({ operator: 1, coin: 'btc', reason, detail: 'd', requestId }));
  const message = (Body: string, ReceiptHandle: string) => ({ Body, ReceiptHandle });

  it('is taken off the producer’s queue if it is this request’s own, and everything else is handed back at once', async () => {
    const other = body(`0x${'02'.repeat(16)}`);
    const { place: at, queues } = place({
      sqs: [{ Messages: [message(other, 'other'), message(body(REQUEST), 'mine')] }, {}, {}],
    });
    expect(await at.refusal('alice', 'btc', REQUEST)).toMatchObject({ reason: 'Expired' });
    expect(queues).toMatchObject([
      { operation: 'ReceiveMessage', input: { VisibilityTimeout: 2, WaitTimeSeconds: 0 } },
      {
        operation: 'ChangeMessageVisibilityBatch',
        input: { Entries: [{ ReceiptHandle: 'other', VisibilityTimeout: 0 }] },
      },
      { operation: 'DeleteMessage', input: { ReceiptHandle: 'mine' } },
    ]);
  });

  it('is none if there is none, or only a repetition: nothing is deleted', async () => {
    const { place: at, queues } = place({
      sqs: [{ Messages: [message(body(REQUEST, 'Repeated'), 'r'), message('noise', 'n')] }, {}],
    });
    expect(await at.refusal('alice', 'btc', REQUEST)).toBeUndefined();
    expect(queues.map(({ operation }) => operation)).toEqual(['ReceiveMessage', 'ChangeMessageVisibilityBatch']);
  });

  it('leaves messages to come back by themselves where handing back is not granted', async () => {
    const { place: at } = place({ sqs: [{ Messages: [message('noise', 'n')] }, sdkError('AccessDenied', 403)] });
    expect(await at.refusal('alice', 'btc', REQUEST)).toBeUndefined();
  });
});
