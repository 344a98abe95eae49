/** {@link MessageBus} on SQS. */
import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { checkMessage } from '../local/limits.ts';
import type { MessageBus, OutgoingMessage, QueueName, Telemetry } from '../ports.ts';
import { portError } from './errors.ts';
import { type QueueResolver, queueUrl } from './queues.ts';
import { PATIENCE, type Patience, repeat } from './retry.ts';

/** SQS: of one SendMessageBatch. */
const MAX_BATCH_ENTRIES = 10;
const MAX_BATCH_BYTES = 1_048_576;
/** Requests under way at once: a parcel for each of 99 peers is 99 queues. */
const CONCURRENT_CALLS = 16;

export interface BusOptions {
  /** A client for a region: a request is signed for the region of its queue. Makes one attempt at each request. */
  readonly client: (region: string) => Pick<SQSClient, 'send'>;
  readonly resolve: QueueResolver;
  /** An emulator's; absent: AWS itself. */
  readonly endpoint?: string;
  readonly telemetry?: Telemetry;
  readonly patience?: Patience;
}

interface Entry {
  readonly index: number;
  readonly message: OutgoingMessage;
  readonly bytes: number;
}

interface Batch {
  readonly queue: QueueName;
  readonly entries: Entry[];
}

export class SqsBus implements MessageBus {
  readonly #options: BusOptions;

  constructor(options: BusOptions) {
    this.#options = options;
  }

  async send(messages: readonly OutgoingMessage[]): Promise<readonly number[]> {
    for (const message of messages) checkMessage(message);
    const waiting = batches(messages);
    const refused: number[] = [];
    const worker = async () => {
      for (let batch = waiting.shift(); batch; batch = waiting.shift()) refused.push(...(await this.#sendBatch(batch)));
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENT_CALLS, waiting.length) }, worker));
    return refused.sort((a, b) => a - b);
  }

  /** @returns the indexes that were not accepted; a call whose answer was lost counts as refused, for a message may come twice but not never */
  async #sendBatch({ queue, entries }: Batch): Promise<number[]> {
    try {
      return await this.#attempt(queue, entries);
    } catch (error) {
      this.#options.telemetry?.record('SendFailed', {
        queue,
        messages: entries.length,
        error: error instanceof Error ? error.message : 'unknown',
      });
      return entries.map(({ index }) => index);
    }
  }

  async #attempt(queue: QueueName, entries: readonly Entry[]): Promise<number[]> {
    const { client, resolve, endpoint, patience = PATIENCE, telemetry } = this.#options;
    const address = await resolve(queue);
    const command = new SendMessageBatchCommand({
      QueueUrl: queueUrl(address, endpoint),
      Entries: entries.map(({ index, message: { body, delaySeconds } }) => ({
        Id: `${index}`,
        MessageBody: body,
        ...(delaySeconds === undefined ? {} : { DelaySeconds: delaySeconds }),
      })),
    });
    const { Successful = [], Failed = [] } = await repeat('any', patience, async () => {
      try {
        return await client(address.region).send(command);
      } catch (error) {
        throw portError(error, 'SendMessageBatch', 'write');
      }
    });
    const accepted = new Set(Successful.map(({ Id }) => Id));
    const refused = entries.filter(({ index }) => !accepted.has(`${index}`)).map(({ index }) => index);
    if (refused.length > 0)
      telemetry?.record('SendRefused', { queue, messages: refused.length, error: Failed[0]?.Code ?? 'no answer' });
    return refused;
  }
}

/** By queue, at most 10 messages and 1 MiB together, each queue's in the order given. */
function batches(messages: readonly OutgoingMessage[]): Batch[] {
  const made: Batch[] = [];
  const open = new Map<QueueName, { readonly batch: Batch; bytes: number }>();
  for (const [index, message] of messages.entries()) {
    const entry = { index, message, bytes: Buffer.byteLength(message.body) };
    const current = open.get(message.queue);
    if (current && current.batch.entries.length < MAX_BATCH_ENTRIES && current.bytes + entry.bytes <= MAX_BATCH_BYTES) {
      current.batch.entries.push(entry);
      current.bytes += entry.bytes;
      continue;
    }
    const batch = { queue: message.queue, entries: [entry] };
    open.set(message.queue, { batch, bytes: entry.bytes });
    made.push(batch);
  }
  return made;
}
