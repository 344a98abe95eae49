/** An operator on AWS, or on an emulator: its operator file says who, the environment says where and with which credentials. */
import { type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { dynamoClient, sqsClients } from '../aws/clients.ts';
import { decodeItem, type Encoded } from '../aws/codec.ts';
import { queueResolver, queueUrl } from '../aws/queues.ts';
import { DynamoStore } from '../aws/store.ts';
import { parseBodyAs } from '../messages/catalogue.ts';
import type { Hex } from '../messages/hex.ts';
import type { OperatorFile } from '../messages/operator.ts';
import { COORDINATOR_SEGMENT, topicQueue } from '../messages/topics.ts';
import { COMMITTEE } from '../node/rows.ts';
import type { Item, Key, MessageBus, QueryPage, QueueName } from '../ports.ts';
import { committeeOf } from '../view/committee-rows.ts';
import type { CommitteeView } from '../view/committee-view.ts';
import { type PublicTable, type Reader, shownRow } from '../view/reader.ts';
import { deadLetterQueues } from './dead-letters.ts';
import { type Access, busOf } from './deploy-access.ts';
import { tableName } from './deploy-names.ts';
import { Unreachable } from './exit-status.ts';
import type { Place, PlaceMessage, PlaceOperator, Refused } from './place.ts';

/** Tests give others. */
export interface AwsClients {
  readonly dynamo: Pick<DynamoDBClient, 'send'>;
  readonly sqs: Pick<SQSClient, 'send'>;
  readonly bus: MessageBus;
}

/** Seconds for which a message that is looked at is hidden from its reader, if handing it back fails. */
const LOOK_SECONDS = 2;

export class AwsPlace implements Place {
  readonly name: string;
  readonly pollMilliseconds = 1_000;
  readonly lookMilliseconds: number;
  readonly operators: readonly PlaceOperator[];
  readonly file: OperatorFile;
  readonly #access: Access;
  readonly #clients: AwsClients;

  constructor(file: OperatorFile, access: Access, clients?: AwsClients) {
    const { region, identity, coins, assets } = file;
    this.file = file;
    this.#access = access;
    this.name = access.endpoint ?? `AWS in ${region}`;
    this.lookMilliseconds = access.endpoint === undefined ? 10_000 : 2_000;
    this.operators = [{ identity, coins, assets }];
    const { endpoint, credentials } = access;
    this.#clients = clients ?? {
      dynamo: dynamoClient({ region, ...access }),
      sqs: sqsClients({ endpoint, ...(credentials ? { credentials } : {}) })(region),
      bus: busOf(file, access),
    };
  }

  reader(identity: string, segment: string): Reader {
    const tables: PublicTable[] = ['Keys', 'Directory'];
    if (segment !== COORDINATOR_SEGMENT) tables.push('Ceremonies');
    if (this.file.assets.includes(segment)) tables.push('Issuance');
    const names = Object.fromEntries(tables.map((table) => [table, tableName(identity, segment, table)]));
    const store = new DynamoStore(this.#clients.dynamo, names);
    return {
      get: (table: PublicTable, key: Key) =>
        this.#reached(async () => {
          const item = await store.get(table, key);
          return item && shownRow(item);
        }),
      query: (table: PublicTable, pk: string, prefix = '', page?: QueryPage) =>
        this.#reached(async () => (await store.query(table, pk, prefix, page)).map(shownRow)),
      states: (which, limit) =>
        this.#reached(async () => {
          if (which === 'all') return this.#scan(tableName(identity, segment, 'Ceremonies'), limit);
          const due = await store.due(Number.MAX_SAFE_INTEGER, limit);
          return (await store.batchGet('Ceremonies', due)).map(shownRow);
        }),
    };
  }

  async now(): Promise<number> {
    return Math.floor(Date.now() / 1_000);
  }

  async send(messages: readonly PlaceMessage[]): Promise<void> {
    const outgoing = messages.map(({ identity, coin, message, body }) => ({
      queue: topicQueue(identity, coin, message),
      body,
    }));
    const refused = await this.#reached(() => this.#clients.bus.send(outgoing));
    const [first] = refused;
    if (first === undefined) return;
    throw new Unreachable(
      `expected ${outgoing[first]?.queue} at ${this.name} to take the message, it did not: check the endpoint, and that these credentials are one of clientRoles in the operator file`,
    );
  }

  /** The request's own refusal is taken off the queue; everything else is handed back at once, for whoever reads it. */
  async refusal(identity: string, coin: string, requestId: Hex): Promise<Refused | undefined> {
    const { account, region, outcomeQueue } = this.file;
    const resolve = queueResolver(identity, { account, region }, async () => undefined);
    const name = (outcomeQueue ?? topicQueue(identity, coin, 'MultisigEvent')) as QueueName;
    const QueueUrl = queueUrl(await resolve(name), this.#access.endpoint);
    const look = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0, VisibilityTimeout: LOOK_SECONDS };
    const { Messages = [] } = await this.#reached(() => this.#clients.sqs.send(new ReceiveMessageCommand(look)));
    const mine = Messages.find(({ Body = '' }) => refusedBy(Body, requestId) !== undefined);
    const others = Messages.filter((message) => message !== mine);
    if (others.length > 0) await this.#handBack(QueueUrl, others);
    if (!mine) return undefined;
    await this.#clients.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: mine.ReceiptHandle }));
    return refusedBy(mine.Body ?? '', requestId);
  }

  async #handBack(QueueUrl: string, messages: readonly Message[]): Promise<void> {
    const Entries = messages.map(({ ReceiptHandle }, i) => ({ Id: `${i}`, ReceiptHandle, VisibilityTimeout: 0 }));
    // Where this is not granted they come back by themselves.
    await this.#clients.sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries })).catch(() => {});
  }

  async deadLetters(identity: string): Promise<CommitteeView['deadLetters']> {
    const segments = [COORDINATOR_SEGMENT, ...this.file.coins, ...this.file.assets];
    const committee = committeeOf(await this.reader(identity, COORDINATOR_SEGMENT).get('Directory', COMMITTEE));
    const peers = (committee?.file.operators ?? []).map((each) => each.identity).filter((name) => name !== identity);
    const queues = await this.#reached(() =>
      deadLetterQueues(this.#clients.sqs, { ...this.file, identity }, segments, this.#access.endpoint, peers),
    );
    return queues.map(({ segment, name, count }) => ({ segment, queue: name, count }));
  }

  close(): void {}

  /** The whole table, for a ceremony that has ended is in no index; what is not a state is left out by the service. */
  async #scan(TableName: string, limit: number): Promise<readonly Item[]> {
    const items: Item[] = [];
    let from: Encoded | undefined;
    do {
      const page = await this.#clients.dynamo.send(
        new ScanCommand({
          TableName,
          FilterExpression: '#sk = :state',
          ExpressionAttributeNames: { '#sk': 'sk' },
          ExpressionAttributeValues: { ':state': { S: 'STATE' } },
          ...(from ? { ExclusiveStartKey: from } : {}),
        }),
      );
      for (const item of page.Items ?? []) items.push(shownRow(decodeItem('Ceremonies', item)));
      from = page.LastEvaluatedKey;
    } while (from && items.length < limit);
    return items.slice(0, limit);
  }

  async #reached<Result>(run: () => Promise<Result>): Promise<Result> {
    return reaching(this.name, run);
  }
}

/** What the service or the way to it did wrong, as a sentence that can be acted on. @throws {Unreachable} */
export async function reaching<Result>(name: string, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Unreachable || (error instanceof Error && 'kind' in error && error.kind === 'UsageError'))
      throw error;
    const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new Unreachable(
      `expected an answer from ${name}, got: ${said.slice(0, 200)}: check the endpoint, the credentials and that the stacks are deployed`,
    );
  }
}

function refusedBy(body: string, requestId: Hex): Refused | undefined {
  const parsed = parseBodyAs('MultisigEvent', body);
  const event = parsed.ok ? parsed.payload : undefined;
  const refused = event && 'Refused' in event ? event.Refused : undefined;
  // A repetition refuses nothing: the ceremony runs, and its rows say how.
  return refused?.requestId === requestId && refused.reason !== 'Repeated' ? refused : undefined;
}
