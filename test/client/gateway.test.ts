import type { SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { exampleCommittee } from '../../cdk/example.ts';
import { gatewayPolicy, SqsGateway, type SqsGatewayOptions } from '../../lib/client/gateway.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { replyKeyOf } from '../../lib/wallet/gateway.ts';
import { sdkError } from '../aws/stub.ts';

const committee = exampleCommittee(3, 1, 1);
const ANSWERS = 'arn:aws:sqs:eu-central-1:999999999999:gateway-answers';
const keyOf = (n: number): Hex => `0x${`${n}`.padStart(64, '0')}`;
const answerTo = (key: Hex, index: number) => `{"TransactionVote":{"index":${index},"replyKey":"${key}","enc":"0x"}}`;

/** One queue in memory: what is sent to services, what lies there for the gateway, and what it took away. */
class Queues {
  readonly sent: { readonly region: string; readonly url: string; readonly bodies: readonly string[] }[] = [];
  readonly waiting: string[] = [];
  deleted = 0;
  receives = 0;
  failing: Error | undefined;
  /** As SQS tells it. */
  sender: (body: string) => string = () => 'AROASERVICE:function';

  readonly sqs = (region: string): Pick<SQSClient, 'send'> =>
    ({
      send: async (command: {
        readonly input: Record<string, unknown>;
        readonly constructor: { readonly name: string };
      }) => this.#answer(region, command.constructor.name, command.input),
    }) as unknown as Pick<SQSClient, 'send'>;

  async #answer(region: string, name: string, input: Record<string, unknown>): Promise<object> {
    const Entries = (input['Entries'] ?? []) as readonly { readonly Id: string; readonly MessageBody?: string }[];
    switch (name) {
      case 'SendMessageBatchCommand':
        this.sent.push({ region, url: `${input['QueueUrl']}`, bodies: Entries.map((each) => each.MessageBody ?? '') });
        return { Successful: Entries.map(({ Id }) => ({ Id })) };
      case 'ReceiveMessageCommand': {
        this.receives++;
        if (this.failing) throw this.failing;
        await new Promise((resolve) => setTimeout(resolve, 2));
        expect(input['MessageSystemAttributeNames']).toEqual(['SenderId']);
        return {
          Messages: this.waiting
            .splice(0, 10)
            .map((Body, i) => ({ Body, ReceiptHandle: `${i}`, Attributes: { SenderId: this.sender(Body) } })),
        };
      }
      case 'DeleteMessageBatchCommand':
        this.deleted += Entries.length;
        return {};
      default:
        throw new Error(`a gateway sends, receives and deletes, and asked for ${name}`);
    }
  }
}

function made(change: Partial<SqsGatewayOptions> = {}): { readonly gateway: SqsGateway; readonly queues: Queues } {
  const queues = new Queues();
  const options = { committee, asset: 'usd', answers: ANSWERS, sqs: queues.sqs, patience: 20, grace: 0.05, poll: 1 };
  return { gateway: new SqsGateway({ ...options, ...change }), queues };
}

async function heard(answers: AsyncIterable<string>, most = Number.POSITIVE_INFINITY): Promise<string[]> {
  const all: string[] = [];
  for await (const body of answers) {
    all.push(body);
    if (all.length >= most) break;
  }
  return all;
}

describe('a gateway over SQS', () => {
  it('puts a request on the queue of each service that is asked, where that operator’s account is', async () => {
    const { gateway, queues } = made();
    const body = `{"Transaction":{"replyKey":"${keyOf(1)}"}}`;
    await gateway.post('Transaction', body, [1, 3]);
    expect(queues.sent.map(({ region, url, bodies }) => [region, url, bodies])).toEqual([
      ['eu-central-1', 'https://sqs.eu-central-1.amazonaws.com/111111111111/coterie-operator1-usd-Transaction', [body]],
      ['eu-central-1', 'https://sqs.eu-central-1.amazonaws.com/333333333333/coterie-operator3-usd-Transaction', [body]],
    ]);
    expect(gateway.replyTo).toBe('gateway-answers');
  });

  it('hands to each wallet what is sealed to its key; what is for nobody here is taken away and kept from everybody', async () => {
    const { gateway, queues } = made();
    for (const n of [1, 2]) await gateway.post('Transaction', `{"replyKey":"${keyOf(n)}"}`, [1]);
    queues.waiting.push(
      answerTo(keyOf(3), 1),
      answerTo(keyOf(2), 1),
      answerTo(keyOf(1), 1),
      answerTo(keyOf(2), 2),
      'x',
    );
    const [one, two] = await Promise.all([heard(gateway.answers(keyOf(1)), 1), heard(gateway.answers(keyOf(2)), 2)]);
    expect([one, two]).toEqual([[answerTo(keyOf(1), 1)], [answerTo(keyOf(2), 1), answerTo(keyOf(2), 2)]]);
    expect(queues.deleted).toBe(5);
  });

  it('waits only a moment for the rest once there is enough, and as long as it may where there is not', async () => {
    const { gateway, queues } = made({ patience: 0.4 });
    await gateway.post('RecoverIssued', `{"replyKey":"${keyOf(1)}"}`, [1, 2, 3]);
    queues.waiting.push(answerTo(keyOf(1), 1), answerTo(keyOf(1), 2));
    const timed = async (enough: () => boolean) => {
      const began = performance.now();
      await heard(gateway.answers(keyOf(1), enough));
      return performance.now() - began;
    };
    const enough = await timed(() => true);
    const never = await timed(() => false);
    expect(never / enough).toBeGreaterThan(2);
  });

  it('an answer that comes in that moment is not lost', async () => {
    const { gateway, queues } = made({ grace: 5 });
    queues.waiting.push(answerTo(keyOf(1), 1));
    const all: string[] = [];
    for await (const body of gateway.answers(keyOf(1), () => all.length > 0)) {
      all.push(body);
      if (all.length === 2) break;
      setTimeout(() => queues.waiting.push(answerTo(keyOf(1), 2)), 20);
    }
    expect(all).toHaveLength(2);
  });

  describe('keeps what it can of', () => {
    const long = (n: number, characters: number) => `${answerTo(keyOf(n), 1)}${' '.repeat(characters)}`;

    it('what one sender says to one request, and of what others say all', async () => {
      const { gateway, queues } = made({ patience: 0.4 });
      await gateway.post('RecoverIssued', `{"replyKey":"${keyOf(1)}"}`, [1, 2]);
      const flood = Array.from({ length: 12 }, () => long(1, 2 ** 20));
      queues.sender = ({ length }) => (length > 1_000 ? 'AROALIAR:function' : 'AROAOTHER:function');
      queues.waiting.push(...flood, answerTo(keyOf(1), 2));
      const kept = await heard(gateway.answers(keyOf(1)));
      expect(kept).toContain(answerTo(keyOf(1), 2));
      expect(kept.length).toBeGreaterThan(2);
      expect(kept.join('').length).toBeLessThanOrEqual(8 * 2 ** 20 + 1_000);
    });

    it('many short ones likewise', async () => {
      const { gateway, queues } = made();
      await gateway.post('RecoverIssued', `{"replyKey":"${keyOf(1)}"}`, [1, 2]);
      queues.sender = (body) => (body.includes('"index":1') ? 'AROALIAR:function' : 'AROAOTHER:function');
      queues.waiting.push(...Array.from({ length: 1_200 }, () => answerTo(keyOf(1), 1)), answerTo(keyOf(1), 2));
      // The other's comes last.
      const kept: string[] = [];
      for await (const body of gateway.answers(keyOf(1), () => kept.at(-1) === answerTo(keyOf(1), 2))) kept.push(body);
      expect(kept).toContain(answerTo(keyOf(1), 2));
      expect(kept).toHaveLength(1_024 + 1);
    });

    it('all requests together: those that have the most get no more', async () => {
      const { gateway, queues } = made({ patience: 20 });
      const senders = 5;
      for (let n = 1; n <= 9; n++) await gateway.post('RecoverIssued', `{"replyKey":"${keyOf(n)}"}`, [1]);
      let next = 0;
      queues.sender = () => `AROA${next++ % senders}:function`;
      // 280 MiB for seven of nine requests, and then something for each of the others.
      for (let n = 1; n <= 7; n++)
        queues.waiting.push(...Array.from({ length: 4 * senders }, () => long(n, 2 * 2 ** 20 - 200)));
      queues.waiting.push(answerTo(keyOf(8), 1), answerTo(keyOf(9), 1));
      expect(await heard(gateway.answers(keyOf(9)), 1)).toHaveLength(1);
      expect(await heard(gateway.answers(keyOf(8)), 1)).toHaveLength(1);
      let kept = 0;
      for (let n = 1; n <= 7; n++) {
        let settled = 0;
        for await (const body of gateway.answers(keyOf(n), () => settled > 0)) {
          settled = 1;
          kept += body.length;
        }
      }
      expect(kept).toBeGreaterThan(128 * 2 ** 20);
      expect(kept).toBeLessThan(200 * 2 ** 20);
    });
  });

  it('reads for nobody when nobody waits, and again when somebody does', async () => {
    const { gateway, queues } = made();
    queues.waiting.push(answerTo(keyOf(1), 1));
    await heard(gateway.answers(keyOf(1)), 1);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const before = queues.receives;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(queues.receives).toBe(before);
    for (let round = 2; round < 12; round++) {
      const waiting = heard(gateway.answers(keyOf(round)), 1);
      queues.waiting.push(answerTo(keyOf(round), 1));
      expect(await waiting).toHaveLength(1);
    }
  });

  it('says that its queue cannot be read instead of waiting for it, and tries again for who asks again', async () => {
    const { gateway, queues } = made();
    queues.failing = sdkError('AccessDenied', 403);
    await expect(heard(gateway.answers(keyOf(1)))).rejects.toThrow('ReceiveMessage failed: AccessDenied');
    queues.failing = undefined;
    await gateway.post('Transaction', `{"replyKey":"${keyOf(1)}"}`, [1]);
    queues.waiting.push(answerTo(keyOf(1), 1));
    expect(await heard(gateway.answers(keyOf(1)), 1)).toHaveLength(1);
  });

  it('ends what waits when it is closed', async () => {
    const { gateway } = made();
    const waiting = heard(gateway.answers(keyOf(1)));
    await new Promise((resolve) => setTimeout(resolve, 10));
    await gateway.close();
    expect(await waiting).toEqual([]);
  });

  it('is interrupted with an error, so that nobody takes the end for an answer', async () => {
    const controller = new AbortController();
    const { gateway } = made({ signal: controller.signal });
    const waiting = heard(gateway.answers(keyOf(1)));
    await new Promise((resolve) => setTimeout(resolve, 10));
    controller.abort(new Error('interrupted'));
    await expect(waiting).rejects.toThrow('interrupted');
    await expect(gateway.post('Transaction', '{}', [1])).rejects.toThrow('interrupted');
  });

  it('wants the ARN of its queue and an asset of the committee, and says what came instead', () => {
    expect(() => made({ asset: 'eur' })).toThrow('asset: expected one of the committee file (usd), got "eur"');
    expect(() => made({ answers: 'gateway-answers' })).toThrow(
      'answers: expected the ARN of an SQS queue, got "gateway-answers"',
    );
  });
});

describe('the policy of the queue of answers', () => {
  it('lets the signing services of these operators send, and denies everybody else', () => {
    const services = [
      { identity: 'alice', account: '111111111111' },
      { identity: 'bob', account: '222222222222' },
    ];
    const { Statement } = JSON.parse(gatewayPolicy(ANSWERS, services)) as {
      Statement: { Effect: string; Principal: unknown; Condition: Record<string, unknown> }[];
    };
    const roles = [
      'arn:aws:iam::111111111111:role/coterie/alice/signing-service/*',
      'arn:aws:iam::222222222222:role/coterie/bob/signing-service/*',
    ];
    expect(Statement.map(({ Effect, Condition }) => [Effect, Condition])).toEqual([
      ['Allow', { ArnLike: { 'aws:PrincipalArn': roles } }],
      ['Deny', { ArnNotLike: { 'aws:PrincipalArn': roles } }],
    ]);
    expect(Statement[0]?.Principal).toEqual({
      AWS: ['arn:aws:iam::111111111111:root', 'arn:aws:iam::222222222222:root'],
    });
  });
});

it('a body says whose it is without being opened, and one without a key is nobody’s', () => {
  expect(replyKeyOf(answerTo(keyOf(7), 1))).toBe(keyOf(7));
  expect(replyKeyOf('{"replyKey":"0x12"}')).toBeUndefined();
});
