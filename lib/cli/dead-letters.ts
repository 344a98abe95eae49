/**
 * What was set aside after ten receives: found through the queues' own redrive policies, looked at, and sent back to where it came from. Only ReceiveMessage,
 * SendMessage and DeleteMessage are used, so that it works on every endpoint that has queues.
 */
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { queueUrl } from '../aws/queues.ts';
import { CATALOGUE, type Entry, parseBody } from '../messages/catalogue.ts';
import type { OperatorFile } from '../messages/operator.ts';
import { COORDINATOR_SEGMENT, inboxQueue, topicQueue } from '../messages/topics.ts';

type Sqs = Pick<SQSClient, 'send'>;
export type Whose = Pick<OperatorFile, 'identity' | 'account' | 'region'>;

/** Long enough to see every letter once, short enough that a second look a minute later sees them again. */
const LOOK_SECONDS = 30;
const redrivePolicy = z.looseObject({ deadLetterTargetArn: z.string() });

export interface DeadLetterQueue {
  /** A coin, `coordinator`, or `inbox`. */
  readonly segment: string;
  readonly name: string;
  readonly url: string;
  /** About; the service counts loosely. */
  readonly count: number;
}

export interface DeadLetter {
  readonly segment: string;
  readonly messageId: string;
  /** The message's name, where the body is one of the catalogue; never what it says. */
  readonly message: string;
  readonly bytes: number;
  /** Milliseconds UTC. */
  readonly sentAt?: number;
  /** The queue that gave it up; absent: neither the service nor the body says. */
  readonly source?: string;
}

/** @param peers identities of the other operators, for their inboxes' own queue of dead letters */
export async function deadLetterQueues(
  sqs: Sqs,
  whose: Whose,
  segments: readonly string[],
  endpoint: string | undefined,
  peers: readonly string[] = [],
): Promise<readonly DeadLetterQueue[]> {
  const [peer] = peers;
  const probes: [string, string][] = segments.map((segment) => [segment, topicQueue(whose.identity, segment, 'Wake')]);
  if (peer !== undefined) probes.push(['inbox', inboxQueue(whose.identity, peer)]);
  const found = await Promise.all(
    probes.map(async ([segment, probe]): Promise<DeadLetterQueue | undefined> => {
      const target = await redriveTarget(sqs, queueUrl({ ...whose, name: probe }, endpoint));
      if (target === undefined) return undefined;
      const url = queueUrl({ ...whose, name: target }, endpoint);
      return { segment, name: target, url, count: await countOf(sqs, url) };
    }),
  );
  return found.flatMap((each) => each ?? []);
}

async function redriveTarget(sqs: Sqs, QueueUrl: string): Promise<string | undefined> {
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['RedrivePolicy'] }));
  const text = Attributes?.['RedrivePolicy'];
  const parsed = text === undefined ? undefined : redrivePolicy.safeParse(JSON.parse(text));
  return parsed?.success ? parsed.data.deadLetterTargetArn.split(':').at(-1) : undefined;
}

async function countOf(sqs: Sqs, QueueUrl: string): Promise<number> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] }),
  );
  return Number(Attributes?.['ApproximateNumberOfMessages'] ?? 0);
}

/** Each letter once. They stay, and are hidden from other readers for half a minute. */
export async function listDeadLetters(
  sqs: Sqs,
  queue: DeadLetterQueue,
  whose: Whose,
  most: number,
): Promise<readonly DeadLetter[]> {
  const found = new Map<string, DeadLetter>();
  for await (const message of letters(sqs, queue, LOOK_SECONDS)) {
    const { MessageId = '' } = message;
    if (found.has(MessageId) || found.size >= most) break;
    found.set(MessageId, describe(message, queue.segment, whose));
  }
  return [...found.values()];
}

export interface Redriven {
  readonly sent: readonly DeadLetter[];
  /** Nobody knows where they belong: they stay. */
  readonly kept: readonly DeadLetter[];
  /** Their queue takes nothing from these credentials: they stay. */
  readonly refused: readonly DeadLetter[];
}

/**
 * Sends letters back. First sent, then deleted: a crash in between leaves one twice, which every handler must bear anyway, and never loses one. A letter that is seen a
 * second time has failed again or is a duplicate: the run ends there.
 * @param which only this message id
 */
export async function redriveDeadLetters(
  sqs: Sqs,
  queue: DeadLetterQueue,
  whose: Whose,
  endpoint: string | undefined,
  options: { readonly most: number; readonly which?: string },
): Promise<Redriven> {
  const sent: DeadLetter[] = [];
  const kept: DeadLetter[] = [];
  const refused: DeadLetter[] = [];
  const seen = new Set<string>();
  for await (const message of letters(sqs, queue, LOOK_SECONDS)) {
    const { MessageId = '', Body = '', ReceiptHandle } = message;
    if (seen.has(MessageId) || sent.length >= options.most) break;
    seen.add(MessageId);
    if (options.which !== undefined && options.which !== MessageId) continue;
    const letter = describe(message, queue.segment, whose);
    if (letter.source === undefined) {
      kept.push(letter);
      continue;
    }
    const QueueUrl = queueUrl({ ...whose, name: letter.source }, endpoint);
    try {
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: Body }));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refused.push(letter);
      continue;
    }
    await sqs.send(new DeleteMessageCommand({ QueueUrl: queue.url, ReceiptHandle }));
    sent.push(letter);
  }
  return { sent, kept, refused };
}

/** Of these credentials, by the queue's policy: an inbox admits its peer's coordinator only, an instruction's queue the client roles. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name.startsWith('AccessDenied');
}

async function* letters(sqs: Sqs, { url }: DeadLetterQueue, hiddenSeconds: number): AsyncGenerator<Message> {
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 1,
        VisibilityTimeout: hiddenSeconds,
        MessageSystemAttributeNames: ['All'],
      }),
    );
    if (Messages.length === 0) return;
    yield* Messages;
  }
}

function describe({ MessageId = '', Body = '', Attributes }: Message, segment: string, whose: Whose): DeadLetter {
  const sentAt = Number(Attributes?.['SentTimestamp']);
  const source = sourceOf(Attributes?.['DeadLetterQueueSourceArn'], Body, segment, whose);
  return {
    segment,
    messageId: MessageId,
    message: nameOf(Body) ?? 'not a message of the catalogue',
    bytes: Buffer.byteLength(Body),
    ...(Number.isSafeInteger(sentAt) ? { sentAt } : {}),
    ...(source === undefined ? {} : { source }),
  };
}

function nameOf(body: string): string | undefined {
  const parsed = parseBody(body);
  return parsed.ok ? parsed.name : undefined;
}

/** The service says it; an emulator that does not leaves the body, whose name has one queue in each role. */
function sourceOf(arn: string | undefined, body: string, segment: string, { identity }: Whose): string | undefined {
  const named = arn?.split(':').at(-1);
  // Only the operator's own queues: a source is where these credentials will send.
  if (named !== undefined) return named.startsWith(`coterie-${identity}-`) ? named : undefined;
  const parsed = parseBody(body);
  if (!parsed.ok) return undefined;
  const { queue, senders }: Entry = CATALOGUE[parsed.name];
  const ofCoin = segment !== COORDINATOR_SEGMENT && segment !== 'inbox';
  if (queue === 'topic')
    return ofCoin || !senders.includes('processor') ? topicQueue(identity, segment, parsed.name) : undefined;
  const coin = 'coin' in parsed.payload && typeof parsed.payload.coin === 'string' ? parsed.payload.coin : undefined;
  if (queue === 'outbound') return coin === undefined ? undefined : topicQueue(identity, coin, 'Outbound');
  if (queue === 'outcome') return ofCoin ? topicQueue(identity, segment, 'MultisigEvent') : undefined;
  return undefined;
}
