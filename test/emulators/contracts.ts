/** The contract suites of the ports, on the adapters for AWS and one engine. */

import { setTimeout as sleep } from 'node:timers/promises';
import { CreateAliasCommand, CreateKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import {
  ChangeMessageVisibilityBatchCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs';
import { SqsBus } from '../../lib/aws/bus.ts';
import { KmsKeyWrapper } from '../../lib/aws/key-wrapper.ts';
import { queueUrl } from '../../lib/aws/queues.ts';
import { DynamoStore } from '../../lib/aws/store.ts';
import type { Delivery, QueueName } from '../../lib/ports.ts';
import { ACCOUNT, REGION } from '../../scripts/emulators/engine.ts';
import { createTables } from '../../scripts/emulators/tables.ts';
import { type BusHarness, busContract } from '../contract/bus.contract.ts';
import { keyWrapperContract } from '../contract/key-wrapper.contract.ts';
import { serialsContract } from '../contract/serials.contract.ts';
import { storeContract } from '../contract/store.contract.ts';
import { type Started, uniqueName } from './engine-suite.ts';

export function storeOn(started: Started): void {
  storeContract(started.engine.name, storeOf(started));
  serialsOn(started);
}

/** What decides about money, alone: where the rest of a store is no judge. */
export function serialsOn(started: Started): void {
  serialsContract(started.engine.name, storeOf(started));
}

function storeOf({ dynamo }: Started): () => Promise<DynamoStore> {
  return async () => new DynamoStore(dynamo, await createTables(dynamo, uniqueName('contract')));
}

export function busOn(started: Started): void {
  busContract(started.engine.name, async () => harnessOn(started));
}

export function keyWrapperOn({ engine, kms }: Started): void {
  keyWrapperContract(engine.name, async () => [await wrapperWithKeys(kms), await wrapperWithKeys(kms)]);
}

/** One key by its alias and one by its id: a stack may give either. */
export async function wrapperWithKeys(kms: KMSClient): Promise<KmsKeyWrapper> {
  const [keys, ephemeral] = await Promise.all([kms.send(new CreateKeyCommand({})), kms.send(new CreateKeyCommand({}))]);
  const alias = `alias/${uniqueName('contract')}`;
  await kms.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: keys.KeyMetadata?.KeyId ?? '' }));
  return new KmsKeyWrapper(kms, { keys: alias, ephemeral: ephemeral.KeyMetadata?.KeyId ?? '' });
}

type Handler = Parameters<BusHarness['subscribe']>[1];

/** Queues with a poller in the place of Lambda's event source mapping. */
function harnessOn({ engine, sqs }: Started): BusHarness {
  const client = sqs(REGION);
  const home = { account: ACCOUNT, region: REGION };
  const urlOf = (name: string) => queueUrl({ ...home, name }, engine.endpoint);
  const queues: QueueName[] = [];
  const pollers: Promise<void>[] = [];
  let open = true;

  async function arnOf(queue: QueueName): Promise<string | undefined> {
    const command = new GetQueueAttributesCommand({ QueueUrl: urlOf(queue), AttributeNames: ['QueueArn'] });
    return (await client.send(command)).Attributes?.['QueueArn'];
  }

  async function receive(queue: QueueName, seconds: number): Promise<Message[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: urlOf(queue),
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: seconds,
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
    });
    return (await client.send(command)).Messages ?? [];
  }

  async function poll(queue: QueueName, handler: Handler): Promise<void> {
    while (open) {
      const messages = await receive(queue, 1);
      if (messages.length === 0) continue;
      const batch = messages.map((message) => deliveryOf(queue, message));
      const failed = await handler(batch).then(
        (result) => new Set(result.failed),
        () => new Set(batch.map(({ messageId }) => messageId)),
      );
      const done = messages.filter(({ MessageId }) => !failed.has(MessageId ?? ''));
      const Entries = done.map(({ ReceiptHandle }, i) => ({ Id: `${i}`, ReceiptHandle: ReceiptHandle ?? '' }));
      if (Entries.length > 0) await client.send(new DeleteMessageBatchCommand({ QueueUrl: urlOf(queue), Entries }));
    }
  }

  return {
    bus: new SqsBus({ client: sqs, resolve: async (queue) => ({ ...home, name: queue }), endpoint: engine.endpoint }),
    createQueue: async ({ visibilityTimeoutSeconds = 30, maxReceiveCount = 10, deadLetterQueue } = {}) => {
      const queue = uniqueName('coterie-alice-btc-Contract') as QueueName;
      const target = deadLetterQueue && (await arnOf(deadLetterQueue));
      const redrive = target ? { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: target, maxReceiveCount }) } : {};
      const Attributes = { VisibilityTimeout: `${visibilityTimeoutSeconds}`, ...redrive };
      await client.send(new CreateQueueCommand({ QueueName: queue, Attributes }));
      queues.push(queue);
      return queue;
    },
    // Without IAM an engine forbids nothing; a refused call looks the same whatever refuses it.
    forbiddenQueue: async () => uniqueName('coterie-bob-btc-Start') as QueueName,
    subscribe: async (queue, handler) => void pollers.push(poll(queue, handler)),
    pass: (seconds) => sleep(seconds * 1_000 + 300),
    lying: async (queue) => {
      const messages = await receive(queue, 1);
      const Entries = messages.map(({ ReceiptHandle }, i) => ({
        Id: `${i}`,
        ReceiptHandle: ReceiptHandle ?? '',
        VisibilityTimeout: 0,
      }));
      if (Entries.length > 0)
        await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: urlOf(queue), Entries }));
      return messages.map((message) => deliveryOf(queue, message));
    },
    close: async () => {
      open = false;
      await Promise.all(pollers);
      await Promise.all(queues.map((queue) => client.send(new DeleteQueueCommand({ QueueUrl: urlOf(queue) }))));
    },
  };
}

function deliveryOf(queue: QueueName, { MessageId, Body, Attributes }: Message): Delivery {
  return {
    queue,
    messageId: MessageId ?? '',
    body: Body ?? '',
    receiveCount: Number(Attributes?.ApproximateReceiveCount),
  };
}
