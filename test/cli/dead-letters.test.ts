/** Dead letters over a queue service that does what it promises and no more. */
import type { SQSClient } from '@aws-sdk/client-sqs';
import { beforeEach, describe, expect, it } from 'vitest';
import { deadLetterQueues, listDeadLetters, redriveDeadLetters } from '../../lib/cli/dead-letters.ts';
import { bodyOf } from '../../lib/messages/catalogue.ts';

const ALICE = { identity: 'alice', account: '111111111111', region: 'eu-central-1' };
const ENDPOINT = 'http://127.0.0.1:4566';
const CONTROL = bodyOf('Control', { Halt: {} });
const OWN = 'arn:aws:sqs:eu-central-1:111111111111:coterie-alice-btc-Control';

interface Letter {
  readonly id: string;
  readonly body: string;
  readonly source?: string;
}

/** Queues by the end of their URL; what is received is hidden until the test is over. */
class Queues {
  readonly letters = new Map<string, Letter[]>();
  readonly hidden = new Set<string>();
  readonly log: string[] = [];
  refuses: string | undefined;
  readonly client = { send: async (command: unknown) => this.#answer(command) } as unknown as Pick<SQSClient, 'send'>;

  async #answer(command: unknown): Promise<object> {
    const { input, constructor: made } = command as {
      input: Record<string, unknown>;
      constructor: { name: string };
    };
    const queue = `${input['QueueUrl']}`.split('/').at(-1) ?? '';
    const own = this.letters.get(queue) ?? [];
    switch (made.name) {
      case 'GetQueueAttributesCommand': {
        const target = `arn:aws:sqs:eu-central-1:111111111111:${queue.replace(/-[A-Za-z0-9]+$/, '')}-dead`;
        return {
          Attributes: {
            RedrivePolicy: JSON.stringify({ deadLetterTargetArn: target }),
            ApproximateNumberOfMessages: `${own.length}`,
          },
        };
      }
      case 'ReceiveMessageCommand': {
        const batch = own.filter(({ id }) => !this.hidden.has(id)).slice(0, 2);
        for (const { id } of batch) this.hidden.add(id);
        return {
          Messages: batch.map(({ id, body, source }) => ({
            MessageId: id,
            Body: body,
            ReceiptHandle: `receipt of ${id}`,
            Attributes: { SentTimestamp: '1800000000000', ...(source ? { DeadLetterQueueSourceArn: source } : {}) },
          })),
        };
      }
      case 'SendMessageCommand':
        if (queue === this.refuses) throw new Error('AccessDenied');
        if (queue.includes('-inbox-'))
          throw Object.assign(new Error('not authorized'), {
            name: 'AccessDenied',
            $metadata: { httpStatusCode: 403 },
          });
        this.log.push(`sent ${input['MessageBody']} to ${queue}`);
        return { MessageId: 'new' };
      case 'DeleteMessageCommand':
        this.log.push(`deleted ${input['ReceiptHandle']}`);
        return {};
      default:
        throw new Error(`expected only what every endpoint has, got ${made.name}`);
    }
  }
}

let queues: Queues;
beforeEach(() => {
  queues = new Queues();
});
const found = async () => (await deadLetterQueues(queues.client, ALICE, ['btc'], ENDPOINT))[0] ?? never();
function never(): never {
  throw new Error('expected a queue of dead letters');
}
const put = (...letters: Letter[]) => queues.letters.set('coterie-alice-btc-dead', letters);

describe('finding', () => {
  it('asks the queues themselves where their dead letters go, with the count', async () => {
    put({ id: '1', body: CONTROL });
    expect(await deadLetterQueues(queues.client, ALICE, ['coordinator', 'btc'], ENDPOINT, ['bob'])).toEqual([
      {
        segment: 'coordinator',
        name: 'coterie-alice-coordinator-dead',
        url: `${ENDPOINT}/111111111111/coterie-alice-coordinator-dead`,
        count: 0,
      },
      {
        segment: 'btc',
        name: 'coterie-alice-btc-dead',
        url: `${ENDPOINT}/111111111111/coterie-alice-btc-dead`,
        count: 1,
      },
      {
        segment: 'inbox',
        name: 'coterie-alice-inbox-dead',
        url: `${ENDPOINT}/111111111111/coterie-alice-inbox-dead`,
        count: 0,
      },
    ]);
  });
});

describe('listing', () => {
  it('names the message and its queue, and never says what is in it', async () => {
    put({ id: '1', body: CONTROL, source: OWN }, { id: '2', body: 'a secret value' }, { id: '3', body: CONTROL });
    const listed = await listDeadLetters(queues.client, await found(), ALICE, 100);
    expect(listed).toEqual([
      {
        segment: 'btc',
        messageId: '1',
        message: 'Control',
        bytes: CONTROL.length,
        sentAt: 1_800_000_000_000,
        source: 'coterie-alice-btc-Control',
      },
      {
        segment: 'btc',
        messageId: '2',
        message: 'not a message of the catalogue',
        bytes: 14,
        sentAt: 1_800_000_000_000,
      },
      {
        segment: 'btc',
        messageId: '3',
        message: 'Control',
        bytes: CONTROL.length,
        sentAt: 1_800_000_000_000,
        source: 'coterie-alice-btc-Control',
      },
    ]);
    expect(JSON.stringify(listed)).not.toContain('secret');
    expect(queues.log).toEqual([]);
  });

  it('stops at the limit', async () => {
    put(...['1', '2', '3'].map((id) => ({ id, body: CONTROL })));
    expect(await listDeadLetters(queues.client, await found(), ALICE, 1)).toHaveLength(1);
  });
});

describe('sending back', () => {
  const redrive = async (options: { most: number; which?: string } = { most: 100 }) =>
    redriveDeadLetters(queues.client, await found(), ALICE, ENDPOINT, options);

  it('sends first and deletes then, so that a crash in between loses nothing', async () => {
    put({ id: '1', body: CONTROL, source: OWN });
    expect((await redrive()).sent).toHaveLength(1);
    expect(queues.log).toEqual([`sent ${CONTROL} to coterie-alice-btc-Control`, 'deleted receipt of 1']);
  });

  it('deletes nothing that its queue did not take', async () => {
    put({ id: '1', body: CONTROL, source: OWN });
    queues.refuses = 'coterie-alice-btc-Control';
    await expect(redrive()).rejects.toThrow('AccessDenied');
    expect(queues.log).toEqual([]);
  });

  it('goes on past a queue that refuses these credentials, as an inbox refuses everybody but its peer', async () => {
    const inbox = 'arn:aws:sqs:eu-central-1:111111111111:coterie-alice-inbox-bob';
    put({ id: '1', body: CONTROL, source: inbox }, { id: '2', body: CONTROL, source: OWN });
    const { sent, refused } = await redrive();
    expect(refused.map(({ messageId }) => messageId)).toEqual(['1']);
    expect(sent.map(({ messageId }) => messageId)).toEqual(['2']);
    expect(queues.log).toEqual([`sent ${CONTROL} to coterie-alice-btc-Control`, 'deleted receipt of 2']);
  });

  it('keeps what nobody can place: noise, and a source that is not the operator’s own', async () => {
    const elsewhere = 'arn:aws:sqs:eu-central-1:111111111111:payments';
    put({ id: '1', body: 'noise' }, { id: '2', body: CONTROL, source: elsewhere }, { id: '3', body: CONTROL });
    const { sent, kept } = await redrive();
    expect(sent.map(({ messageId }) => messageId)).toEqual(['3']);
    expect(kept.map(({ messageId }) => messageId)).toEqual(['1', '2']);
    expect(queues.log).toHaveLength(2);
  });

  it('takes one by its id, or as many as it is told', async () => {
    put(...['1', '2', '3'].map((id) => ({ id, body: CONTROL })));
    expect((await redrive({ most: 100, which: '2' })).sent.map(({ messageId }) => messageId)).toEqual(['2']);
    queues.hidden.clear();
    expect((await redrive({ most: 2 })).sent).toHaveLength(2);
  });

  it('ends when it meets a letter again', async () => {
    put({ id: '1', body: CONTROL });
    queues.hidden.add = () => queues.hidden;
    expect((await redrive()).sent).toHaveLength(1);
  });
});
