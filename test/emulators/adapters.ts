/** What the contract suite does not ask: where messages go, what a Lambda event does to its queue, and what a restored table looks like. */

import { DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { SqsBus } from '../../lib/aws/bus.ts';
import { sqsClients } from '../../lib/aws/clients.ts';
import { type Deployment, lambda, type SQSEvent } from '../../lib/aws/lambda.ts';
import { queueResolver, queueUrl } from '../../lib/aws/queues.ts';
import { DynamoStore } from '../../lib/aws/store.ts';
import { extendVisibility } from '../../lib/aws/visibility.ts';
import { LocalCloud } from '../../lib/local/cloud.ts';
import { systemRandom } from '../../lib/local/random.ts';
import type { Ports, QueueName, Store } from '../../lib/ports.ts';
import { Throttled } from '../../lib/ports.ts';
import { Vault } from '../../lib/vault/vault.ts';
import { ACCOUNT, REGION } from '../../scripts/emulators/engine.ts';
import { createTables } from '../../scripts/emulators/tables.ts';
import { tag, transaction } from '../signing-service/plain.ts';
import { TokenWorld } from '../signing-service/world.ts';
import { wrapperWithKeys } from './contracts.ts';
import { type Started, uniqueName } from './engine-suite.ts';

const PEER = '222222222222';

export async function receiveOne(client: SQSClient, url: string, seconds = 2): Promise<Message | undefined> {
  const { Messages = [] } = await client.send(
    new ReceiveMessageCommand({
      QueueUrl: url,
      WaitTimeSeconds: seconds,
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
      MaxNumberOfMessages: 1,
    }),
  );
  return Messages[0];
}

export function busAdapter({ place, engine, sqs }: Started, accounts: { readonly cross: boolean }): void {
  const home = { account: ACCOUNT, region: REGION };
  const urlOf = (name: string, account = ACCOUNT) => queueUrl({ account, region: REGION, name }, engine.endpoint);

  test.runIf(accounts.cross)('a parcel for a peer arrives in the peer’s account, in its inbox', async () => {
    const inbox = `coterie-${uniqueName('bob').replace('-', '')}-inbox-alice` as QueueName;
    const peerClient = sqsClients({ ...place, credentials: { accessKeyId: PEER, secretAccessKey: 'test' } })(REGION);
    await peerClient.send(new CreateQueueCommand({ QueueName: inbox }));
    const resolve = queueResolver('alice', home, async () => ({ account: PEER, region: REGION }));
    const bus = new SqsBus({ client: sqs, resolve, endpoint: engine.endpoint });
    expect(await bus.send([{ queue: inbox, body: '{"P2PIncoming":{}}' }])).toEqual([]);
    expect((await receiveOne(peerClient, urlOf(inbox, PEER)))?.Body).toBe('{"P2PIncoming":{}}');
  });

  test('a failed record of a strained batch stays hidden for its back-off, and the others do not come again', async () => {
    const name = uniqueName('strained');
    await sqs(REGION).send(new CreateQueueCommand({ QueueName: name, Attributes: { VisibilityTimeout: '1' } }));
    const bus = new SqsBus({ client: sqs, resolve: async () => ({ ...home, name }), endpoint: engine.endpoint });
    await bus.send([{ queue: name as QueueName, body: '{}' }]);
    const message = await receiveOne(sqs(REGION), urlOf(name));
    const event: SQSEvent = {
      Records: [
        {
          messageId: message?.MessageId ?? '',
          receiptHandle: message?.ReceiptHandle ?? '',
          body: message?.Body ?? '',
          attributes: { ApproximateReceiveCount: message?.Attributes?.ApproximateReceiveCount ?? '' },
          eventSourceARN: `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`,
        },
      ],
    };
    const lines: string[] = [];
    const deployment = {
      config: { role: 'processor' },
      ports: {
        bus,
        store: { get: () => Promise.reject(new Throttled('slow')) },
        wrapper: {},
        telemetry: { record: (line: string) => lines.push(line), follow: () => {}, publish: () => {} },
      },
      extend: (_: string, held: Parameters<typeof extendVisibility>[2]) =>
        extendVisibility(sqs(REGION), urlOf(name), held),
    } as unknown as Deployment;
    const invoke = lambda(
      {
        role: 'processor',
        message: 'Wake',
        run: async ({ ports }, batch) => {
          await ports.store.get('Keys', { pk: 'a', sk: 'b' }).catch(() => undefined);
          return { failed: batch.map(({ messageId }) => messageId) };
        },
      },
      () => deployment,
    );
    expect((await invoke(event)).batchItemFailures).toEqual([{ itemIdentifier: message?.MessageId }]);
    // Its own time-out of 1 s is over; the back-off of at least 10 s is not.
    expect(await receiveOne(sqs(REGION), urlOf(name), 3)).toBeUndefined();
    const { Attributes } = await sqs(REGION).send(
      new GetQueueAttributesCommand({
        QueueUrl: urlOf(name),
        AttributeNames: ['ApproximateNumberOfMessagesNotVisible'],
      }),
    );
    expect(Attributes?.['ApproximateNumberOfMessagesNotVisible']).toBe('1');
    await sqs(REGION).send(
      new DeleteMessageCommand({ QueueUrl: urlOf(name), ReceiptHandle: message?.ReceiptHandle ?? '' }),
    );
  });

  test('a queue that does not exist refuses its message and no other’s', async () => {
    const name = uniqueName('there');
    await sqs(REGION).send(new CreateQueueCommand({ QueueName: name }));
    const bus = new SqsBus({
      client: sqs,
      resolve: async (queue) => ({ ...home, name: queue }),
      endpoint: engine.endpoint,
    });
    const messages = [
      { queue: uniqueName('missing') as QueueName, body: '{}' },
      { queue: name as QueueName, body: '{}' },
    ];
    expect(await bus.send(messages)).toEqual([0]);
    expect((await receiveOne(sqs(REGION), urlOf(name)))?.Body).toBe('{}');
  });
}

export function storeAdapter({ dynamo }: Started): void {
  describe('a table that was lost and made again under its name', () => {
    test('has another identity: what was wrapped for the old one stays closed', async () => {
      const prefix = uniqueName('restored');
      const names = await createTables(dynamo, prefix);
      const before = await new DynamoStore(dynamo, names).tableId('Nonces');
      for (const name of Object.values(names)) await dynamo.send(new DeleteTableCommand({ TableName: name }));
      await createTables(dynamo, prefix);
      const after = await new DynamoStore(dynamo, names).tableId('Nonces');
      expect(before).toMatch(/^[0-9a-f-]{36}$/);
      expect(after).not.toBe(before);
    });
  });

  test('an item of every type is read as it was written', async () => {
    const store = new DynamoStore(dynamo, await createTables(dynamo, uniqueName('codec')));
    const item = {
      pk: 'a',
      sk: 'é',
      text: '',
      number: -(2 ** 53 - 1),
      no: false,
      bytes: new Uint8Array(300).map((_, i) => i),
      none: new Uint8Array(),
      members: new Set([3, -1, 0]),
      blobs: [Uint8Array.of(1), Uint8Array.of()],
      texts: ['x', ''],
      empty: [],
    };
    await store.write({ kind: 'put', table: 'Keys', item });
    expect(await store.get('Keys', { pk: 'a', sk: 'é' })).toEqual(item);
  });
}

/** Of an engine that shows no `TableId`: whatever must know that its table is the one it began with does nothing there, rather than believe it. */
export function namelessTables({ dynamo }: Started): void {
  const UNKNOWN = 'DescribeTable did not say the table id';

  test('where no table can be told from its copy nothing is wrapped, and no service votes', async () => {
    const real = new DynamoStore(dynamo, await createTables(dynamo, uniqueName('nameless')));
    const cloud = new LocalCloud({ seed: new Uint8Array(32), clock: 'virtual' });
    const ports = { store: real, wrapper: cloud.wrapper('nameless'), random: systemRandom } as unknown as Ports;
    await expect(new Vault(ports, 'alice', 'usd').newDataKey({ kind: 'ceremony', id: 'x' })).rejects.toThrow(UNKNOWN);
    let told = true;
    const store: Store = new Proxy(real, {
      get: (target, property) => {
        if (property === 'tableId' && told) return async (table: string) => table;
        const member: unknown = Reflect.get(target, property);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1, store: () => store });
    told = false;
    const voting = world.made(1).process(transaction({ tags: [tag('nameless')], outputs: ['o'] }));
    await expect(voting).rejects.toThrow(UNKNOWN);
  });
}

export function keyWrapperAdapter(started: Started): void {
  test('no changed ciphertext opens, whatever the engine says about it', async () => {
    const wrapper = await wrapperWithKeys(started.kms);
    const { wrapped } = await wrapper.generateDataKey('keys', { identity: 'alice' });
    for (let at = 0; at < wrapped.length; at++) {
      const changed = new Uint8Array(wrapped);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      const refusal = await wrapper.decrypt('keys', changed, { identity: 'alice' }).catch((error: unknown) => error);
      expect(refusal, `byte ${at}`).toBeInstanceOf(Error);
    }
  });

  test('neither the other lifecycle nor a stranger’s key opens it', async () => {
    const [wrapper, stranger] = [await wrapperWithKeys(started.kms), await wrapperWithKeys(started.kms)];
    const { wrapped } = await wrapper.generateDataKey('keys', { identity: 'alice' });
    await expect(wrapper.decrypt('ephemeral', wrapped, { identity: 'alice' })).rejects.toThrow();
    await expect(stranger.decrypt('keys', wrapped, { identity: 'alice' })).rejects.toThrow();
  });
}
