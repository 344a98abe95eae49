/** When a message that failed for want of capacity comes again: later each time, and not in step with the others. */
import { randomInt } from 'node:crypto';
import { ChangeMessageVisibilityBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { portError } from './errors.ts';

const FIRST_SECONDS = 20;
const MOST_SECONDS = 900;

/**
 * Whole seconds from now: half of it fixed, half of it drawn. Ten receives, the most a queue allows, then span more than an hour.
 * @param draw an integer from 0 to below its argument
 */
export function backOff(receiveCount: number, draw: (below: number) => number = randomInt): number {
  const most = Math.min(FIRST_SECONDS * 2 ** Math.min(receiveCount - 1, 16), MOST_SECONDS);
  return Math.ceil(most / 2) + draw(Math.floor(most / 2) + 1);
}

export interface Held {
  readonly receiptHandle: string;
  readonly receiveCount: number;
}

/** @param held at most 10 @returns how many were not accepted: those come again after the queue's own time */
export async function extendVisibility(
  client: Pick<SQSClient, 'send'>,
  url: string,
  held: readonly Held[],
): Promise<number> {
  if (held.length === 0) return 0;
  const Entries = held.map(({ receiptHandle, receiveCount }, index) => ({
    Id: `${index}`,
    ReceiptHandle: receiptHandle,
    VisibilityTimeout: backOff(receiveCount),
  }));
  try {
    const { Failed } = await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries }));
    return Failed?.length ?? 0;
  } catch (error) {
    throw portError(error, 'ChangeMessageVisibilityBatch', 'read');
  }
}
