/** How a producer reaches its operator's processor: one queue to ask on, one to hear on. */
import {
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { queueResolver, queueUrl } from '../aws/queues.ts';
import { topicQueue } from '../messages/topics.ts';
import type { QueueName } from '../ports.ts';

/** A body from the outcome queue, and the way to say that it was dealt with. */
export interface Received {
  readonly body: string;
  /** After this it does not come again; without it, it comes again. */
  done(): Promise<void>;
}

export interface Transport {
  /** Puts an instruction on the processor's queue; rejects if it was not taken. */
  instruct(coin: string, body: string): Promise<void>;
  /** What the processor tells its client, waiting up to `waitSeconds` for the first; an empty list is no error. */
  receive(coin: string, waitSeconds: number, signal: AbortSignal): Promise<readonly Received[]>;
}

export interface SqsTransportOptions {
  readonly identity: string;
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
  /** Signs for `region`; its credentials are one of `clientRoles` in the operator file. */
  readonly sqs: Pick<SQSClient, 'send'>;
  /** Name or ARN, if the operator file names one; absent: the queue that the stack made. */
  readonly outcomeQueue?: string;
  /** An emulator's; absent: AWS itself. */
  readonly endpoint?: string;
}

/** {@link Transport} over SQS. */
export class SqsTransport implements Transport {
  readonly #options: SqsTransportOptions;

  constructor(options: SqsTransportOptions) {
    this.#options = options;
  }

  async instruct(coin: string, body: string): Promise<void> {
    const { identity, sqs } = this.#options;
    const QueueUrl = await this.#url(topicQueue(identity, coin, 'MultisigInstruction'));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body }));
  }

  async receive(coin: string, waitSeconds: number, signal: AbortSignal): Promise<readonly Received[]> {
    const { identity, sqs, outcomeQueue } = this.#options;
    const QueueUrl = await this.#url((outcomeQueue ?? topicQueue(identity, coin, 'MultisigEvent')) as QueueName);
    const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: waitSeconds });
    const { Messages = [] } = await sqs.send(command, { abortSignal: signal });
    return Messages.map(({ Body = '', ReceiptHandle }) => ({
      body: Body,
      done: async () => {
        await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: [{ Id: '0', ReceiptHandle }] }));
      },
    }));
  }

  async #url(queue: QueueName): Promise<string> {
    const { identity, account, region, endpoint } = this.#options;
    const resolve = queueResolver(identity, { account, region }, async () => undefined);
    return queueUrl(await resolve(queue), endpoint);
  }
}
