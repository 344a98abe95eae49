/**
 * A gateway to deployed signing services: puts wallets' requests on the services' queues, in whichever accounts these lie, and hands the answers out by the one-time keys
 * that they are sealed to. It opens none of them. One process reads a gateway's queue: what comes for nobody who waits here is dropped, and whoever needs it asks again.
 */
import { DeleteMessageBatchCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { SqsBus } from '../aws/bus.ts';
import { portError } from '../aws/errors.ts';
import { queueUrl } from '../aws/queues.ts';
import { PATIENCE, repeat } from '../aws/retry.ts';
import type { Committee } from '../messages/committee.ts';
import type { Hex } from '../messages/hex.ts';
import { topicQueue } from '../messages/topics.ts';
import { type GatewayPort, type RequestName, replyKeyOf } from '../wallet/gateway.ts';

/** Requests that were posted and that nobody waits for: of more, the oldest are forgotten. */
const MOST_REQUESTS = 1_024;
/** Characters and number of the answers of one sender, a role of a service, to one request: a service that says more than there is to say takes nobody's place but its own. */
const MOST_CHARACTERS = 8 * 2 ** 20;
const MOST_ANSWERS = 1_024;
/** Characters of all answers that are held. From there on a request gets no more than an equal part, and is asked again: twice as many are never held, and nobody is without. */
const MOST_HELD = 128 * 2 ** 20;
const LONG_POLL_SECONDS = 20;
const DEFAULT_PATIENCE_SECONDS = 60;
const DEFAULT_GRACE_SECONDS = 2;

const ARN = /^arn:aws[a-z-]*:sqs:([a-z0-9-]+):([0-9]{12}):([A-Za-z0-9_-]{1,80})$/;

export interface SqsGatewayOptions {
  readonly committee: Committee;
  readonly asset: string;
  /** ARN of the queue that services answer on: one of `gateways` in every operator file, whose policy lets the services send. */
  readonly answers: string;
  /** A client for a region, of the account that `answers` lies in: services admit it by that. */
  readonly sqs: (region: string) => Pick<SQSClient, 'send'>;
  /** An emulator's; absent: AWS itself. */
  readonly endpoint?: string;
  /** Seconds until a request is given up; default 60. */
  readonly patience?: number;
  /** Seconds that are waited for the rest when there is enough; default 2. */
  readonly grace?: number;
  /** Seconds of one long poll, 1 to 20; default 20. */
  readonly poll?: number;
  /** Aborted: whoever asks or waits gets its reason, as an error. */
  readonly signal?: AbortSignal;
}

interface Request {
  readonly bodies: string[];
  /** Of all bodies. */
  characters: number;
  /** What came by sender. */
  readonly senders: Map<string, { characters: number; answers: number }>;
  /** How many read the answers. */
  readers: number;
  /** Those of them who sleep. */
  readonly sleepers: Set<() => void>;
}

/** {@link GatewayPort} over SQS. */
export class SqsGateway implements GatewayPort {
  readonly replyTo: string;
  readonly #options: SqsGatewayOptions;
  readonly #queue: { readonly region: string; readonly url: string };
  readonly #bus: SqsBus;
  readonly #requests = new Map<Hex, Request>();
  readonly #closed = new AbortController();
  #reading: Promise<void> | undefined;
  #broken: unknown;

  /** @throws {RangeError} if `answers` is no ARN of a queue, or the committee holds no such asset */
  constructor(options: SqsGatewayOptions) {
    const assets = Object.keys(options.committee.file.assets);
    if (!assets.includes(options.asset))
      throw new RangeError(
        `asset: expected one of the committee file (${assets.join(', ') || 'it holds none'}), got ${JSON.stringify(options.asset)}`,
      );
    const [, region, account, name] = ARN.exec(options.answers) ?? [];
    if (region === undefined || account === undefined || name === undefined)
      throw new RangeError(`answers: expected the ARN of an SQS queue, got ${JSON.stringify(options.answers)}`);
    const { committee, sqs, endpoint } = options;
    this.replyTo = name;
    this.#options = options;
    options.signal?.addEventListener('abort', () => this.#end(), { once: true });
    this.#queue = { region, url: queueUrl({ region, account, name }, endpoint) };
    const homes = new Map(committee.file.operators.map((each) => [each.identity, each]));
    this.#bus = new SqsBus({
      client: sqs,
      resolve: async (queue) => {
        const home = homes.get(queue.split('-')[1] ?? '');
        if (!home) throw new RangeError(`expected a queue of an operator of the committee, got ${queue}`);
        return { account: home.account, region: home.region, name: queue };
      },
      ...(endpoint === undefined ? {} : { endpoint }),
    });
  }

  async post(message: RequestName, body: string, services: readonly number[]): Promise<void> {
    const { committee, asset } = this.#options;
    this.#options.signal?.throwIfAborted();
    const key = replyKeyOf(body);
    if (key) this.#request(key);
    // Who asks again tries again.
    this.#broken = undefined;
    const queues = services.flatMap((index) => {
      const operator = committee.operator(index);
      return operator ? [topicQueue(operator.identity, asset, message)] : [];
    });
    // A service whose queue does not take it is as silent as one that does not answer.
    await this.#bus.send(queues.map((queue) => ({ queue, body })));
  }

  async *answers(replyKey: Hex, enough: () => boolean = () => false): AsyncGenerator<string> {
    const { patience = DEFAULT_PATIENCE_SECONDS, grace = DEFAULT_GRACE_SECONDS } = this.#options;
    const request = this.#request(replyKey);
    request.readers += 1;
    let until = Date.now() + patience * 1_000;
    let settled = false;
    try {
      for (let read = 0; ; ) {
        const next = request.bodies[read];
        if (next !== undefined) {
          read++;
          yield next;
          continue;
        }
        if (!settled && enough()) {
          settled = true;
          until = Math.min(until, Date.now() + grace * 1_000);
        }
        if (this.#broken !== undefined) throw this.#broken;
        this.#options.signal?.throwIfAborted();
        if (this.#closed.signal.aborted || Date.now() >= until) return;
        this.#read();
        await nextAnswer(request, until - Date.now());
      }
    } finally {
      request.readers -= 1;
      // What comes later is the same once more; whoever asks again waits again.
      if (request.readers === 0) this.#requests.delete(replyKey);
    }
  }

  /** Ends the waiting and the reading. What lies in the queue stays there. */
  async close(): Promise<void> {
    this.#end();
    await this.#reading;
  }

  #end(): void {
    this.#closed.abort();
    this.#wakeAll();
  }

  #request(key: Hex): Request {
    const known = this.#requests.get(key);
    if (known) return known;
    const made: Request = { bodies: [], characters: 0, senders: new Map(), readers: 0, sleepers: new Set() };
    this.#requests.set(key, made);
    if (this.#requests.size > MOST_REQUESTS) {
      const forgotten = [...this.#requests].find(([, { readers }]) => readers === 0);
      if (forgotten) this.#requests.delete(forgotten[0]);
    }
    return made;
  }

  get #awaited(): boolean {
    return !this.#closed.signal.aborted && [...this.#requests.values()].some(({ readers }) => readers > 0);
  }

  #wakeAll(): void {
    for (const { sleepers } of this.#requests.values()) for (const wake of sleepers) wake();
  }

  /** One loop, as long as somebody waits. */
  #read(): void {
    this.#reading ??= this.#receiveAll()
      .catch((error: unknown) => {
        if (!this.#closed.signal.aborted) this.#broken = error;
        this.#wakeAll();
      })
      .finally(() => {
        this.#reading = undefined;
        // Somebody began to wait after the loop had found nobody.
        if (this.#awaited && this.#broken === undefined) this.#read();
      });
  }

  async #receiveAll(): Promise<void> {
    const { poll = LONG_POLL_SECONDS, sqs } = this.#options;
    const client = sqs(this.#queue.region);
    const QueueUrl = this.#queue.url;
    const abortSignal = this.#closed.signal;
    const receive = new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: poll,
      MessageSystemAttributeNames: ['SenderId'],
    });
    while (this.#awaited) {
      const { Messages = [] } = await repeat('any', PATIENCE, () =>
        client.send(receive, { abortSignal }).catch((error: unknown) => {
          throw portError(error, 'ReceiveMessage', 'read');
        }),
      );
      for (const { Body = '', Attributes } of Messages) this.#hear(Body, roleOf(Attributes?.SenderId));
      if (Messages.length === 0) continue;
      const Entries = Messages.map(({ ReceiptHandle }, i) => ({ Id: `${i}`, ReceiptHandle }));
      // What is not deleted comes again, and is dropped then.
      await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }), { abortSignal }).catch(() => undefined);
    }
  }

  #hear(body: string, sender: string): void {
    const key = replyKeyOf(body);
    const request = key && this.#requests.get(key);
    if (!request) return;
    const of = request.senders.get(sender) ?? { characters: 0, answers: 0 };
    if (of.answers >= MOST_ANSWERS || of.characters + body.length > MOST_CHARACTERS) return;
    const held = [...this.#requests.values()].reduce((sum, { characters }) => sum + characters, body.length);
    if (held > MOST_HELD && request.characters + body.length > MOST_HELD / this.#requests.size) return;
    request.senders.set(sender, { characters: of.characters + body.length, answers: of.answers + 1 });
    request.characters += body.length;
    request.bodies.push(body);
    for (const wake of request.sleepers) wake();
  }
}

/** Of `AROA…:session`, the role's own part; SQS says it, and not the sender. */
function roleOf(senderId: string | undefined): string {
  return senderId?.split(':')[0] ?? '';
}

/** Until an answer comes, or the time is over. */
async function nextAnswer({ sleepers }: Request, milliseconds: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      sleepers.delete(wake);
      resolve();
    };
    const timer = setTimeout(wake, milliseconds);
    sleepers.add(wake);
  });
}

/**
 * The policy of a gateway's queue: the signing services of these operators may send, by the path of their roles, and nobody else.
 * @param answers ARN of the queue
 */
export function gatewayPolicy(
  answers: string,
  services: readonly { readonly identity: string; readonly account: string }[],
): string {
  const partition = answers.split(':')[1] ?? 'aws';
  const callers = services.map(
    ({ identity, account }) => `arn:${partition}:iam::${account}:role/coterie/${identity}/signing-service/*`,
  );
  const accounts = [...new Set(services.map(({ account }) => `arn:${partition}:iam::${account}:root`))];
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'AllowServices',
        Effect: 'Allow',
        Principal: { AWS: accounts },
        Action: 'sqs:SendMessage',
        Resource: answers,
        Condition: { ArnLike: { 'aws:PrincipalArn': callers } },
      },
      {
        Sid: 'DenyEverybodyElse',
        Effect: 'Deny',
        Principal: '*',
        Action: 'sqs:SendMessage',
        Resource: answers,
        Condition: { ArnNotLike: { 'aws:PrincipalArn': callers } },
      },
    ],
  });
}
