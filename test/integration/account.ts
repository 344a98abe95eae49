/** One operator's account as a tester sees it: queues, functions, rules. */
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SetQueueAttributesCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { sqsClients } from '../../lib/aws/clients.ts';
import { queueUrl } from '../../lib/aws/queues.ts';
import type { Operator } from '../../lib/cli/deployments.ts';

interface DeployedFunction {
  readonly FunctionName: string;
  readonly Description: string;
  readonly Environment?: { readonly Variables?: Readonly<Record<string, string>> };
}

export class Account {
  readonly operator: Operator;
  readonly sqs: SQSClient;
  readonly #endpoint: string;

  constructor(operator: Operator) {
    this.operator = operator;
    const { endpoint, credentials } = operator.access;
    this.#endpoint = endpoint ?? '';
    this.sqs = sqsClients({ endpoint, ...(credentials ? { credentials } : {}) })(operator.file.region);
  }

  get identity(): string {
    return this.operator.file.identity;
  }

  url(name: string): string {
    const { account, region } = this.operator.file;
    return queueUrl({ account, region, name }, this.#endpoint);
  }

  /** At most ten bodies, in one call. */
  async sendBatch(queue: string, bodies: readonly string[]): Promise<void> {
    const Entries = bodies.map((MessageBody, i) => ({ Id: `${i}`, MessageBody }));
    const { Failed = [] } = await this.sqs.send(new SendMessageBatchCommand({ QueueUrl: this.url(queue), Entries }));
    if (Failed.length > 0) throw new Error(`${queue} did not take ${Failed.length} of ${bodies.length} messages`);
  }

  async receive(url: string, seconds = 2): Promise<readonly Message[]> {
    const { Messages = [] } = await this.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: seconds }),
    );
    if (Messages.length > 0) {
      const Entries = Messages.map(({ ReceiptHandle }, i) => ({ Id: `${i}`, ReceiptHandle }));
      await this.sqs.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }));
    }
    return Messages;
  }

  /** Waiting, being handled and delayed. */
  async depth(url: string): Promise<number> {
    const { Attributes = {} } = await this.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }),
    );
    const counts = [
      Attributes.ApproximateNumberOfMessages,
      Attributes.ApproximateNumberOfMessagesNotVisible,
      Attributes.ApproximateNumberOfMessagesDelayed,
    ];
    return counts.reduce((sum, count) => sum + Number(count ?? 0), 0);
  }

  async setVisibility(queue: string, seconds: number): Promise<void> {
    const Attributes = { VisibilityTimeout: `${seconds}` };
    await this.sqs.send(new SetQueueAttributesCommand({ QueueUrl: this.url(queue), Attributes }));
  }

  async purge(queue: string): Promise<void> {
    await this.sqs.send(new PurgeQueueCommand({ QueueUrl: this.url(queue) }));
  }

  async deadLetters(queue: string): Promise<{ readonly url: string; readonly maxReceiveCount: number }> {
    const { Attributes = {} } = await this.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: this.url(queue), AttributeNames: ['RedrivePolicy'] }),
    );
    const policy = JSON.parse(Attributes.RedrivePolicy ?? '{}') as {
      deadLetterTargetArn: string;
      maxReceiveCount: number | string;
    };
    const name = policy.deadLetterTargetArn.slice(policy.deadLetterTargetArn.lastIndexOf(':') + 1);
    return { url: this.url(name), maxReceiveCount: Number(policy.maxReceiveCount) };
  }

  /** The function of a message, by what its stack says of it. @param segment a coin, or `coordinator` */
  async functionOf(segment: string, message: string): Promise<DeployedFunction> {
    const wanted = `Coterie ${this.identity} ${segment} ${message}`;
    for (let marker: string | undefined; ; ) {
      const path = `/2015-03-31/functions/?MaxItems=50${marker ? `&Marker=${encodeURIComponent(marker)}` : ''}`;
      const page = await this.#rest<{ Functions: readonly DeployedFunction[]; NextMarker?: string }>('GET', path);
      const found = page.Functions.find(({ Description }) => Description === wanted);
      if (found) return found;
      if (!page.NextMarker) throw new Error(`expected a function "${wanted}", got none`);
      marker = page.NextMarker;
    }
  }

  /** Adds to the environment of a function; `undefined` removes. */
  async setEnvironment(
    { FunctionName, Environment }: DeployedFunction,
    changed: Readonly<Record<string, string | undefined>>,
  ): Promise<void> {
    const Variables = Object.fromEntries(
      Object.entries({ ...Environment?.Variables, ...changed }).filter(([, value]) => value !== undefined),
    );
    const path = `/2015-03-31/functions/${FunctionName}/configuration`;
    await this.#rest('PUT', path, { Environment: { Variables } });
  }

  /** What the functions of one message printed. */
  async logOf({ FunctionName }: DeployedFunction): Promise<readonly string[]> {
    const { LoggingConfig } = await this.#rest<{ LoggingConfig?: { LogGroup?: string } }>(
      'GET',
      `/2015-03-31/functions/${FunctionName}/configuration`,
    );
    const logGroupName = LoggingConfig?.LogGroup ?? `/aws/lambda/${FunctionName}`;
    const { events } = await this.#target<{ events: readonly { message: string }[] }>(
      'logs',
      'Logs_20140328.FilterLogEvents',
      {
        logGroupName,
        limit: 10_000,
      },
    );
    return events.map(({ message }) => message);
  }

  /** What the scheduled rules put on queues, and how often. */
  async scheduled(): Promise<readonly { readonly schedule: string; readonly queue: string; readonly body: string }[]> {
    const { Rules } = await this.#target<{ Rules: readonly { Name: string; ScheduleExpression?: string }[] }>(
      'events',
      'AWSEvents.ListRules',
      {},
    );
    const found = await Promise.all(
      Rules.map(async ({ Name, ScheduleExpression = '' }) => {
        const { Targets } = await this.#target<{ Targets: readonly { Arn: string; Input?: string }[] }>(
          'events',
          'AWSEvents.ListTargetsByRule',
          { Rule: Name },
        );
        return Targets.map(({ Arn, Input = '' }) => ({
          schedule: ScheduleExpression,
          queue: Arn.slice(Arn.lastIndexOf(':') + 1),
          body: Input,
        }));
      }),
    );
    return found.flat();
  }

  #target<Answer>(service: string, target: string, body: object): Promise<Answer> {
    return this.#call<Answer>('POST', '/', service, body, {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': target,
    });
  }

  #rest<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    return this.#call<Answer>(method, path, 'lambda', body, { 'content-type': 'application/json' });
  }

  /** Emulators check no signature, and take the account from the key's name. */
  async #call<Answer>(
    method: string,
    path: string,
    service: string,
    body: object | undefined,
    headers: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    const { account, region } = this.operator.file;
    const scope = `${account}/20260101/${region}/${service}/aws4_request`;
    const response = await fetch(`${this.#endpoint}${path}`, {
      method,
      headers: { ...headers, authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`expected an answer to ${service} ${path}, got HTTP ${response.status}`);
    return (await response.json()) as Answer;
  }
}
