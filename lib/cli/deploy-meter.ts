/**
 * What a run costs, counted at the emulator: it records every call that the functions make, as CloudTrail would with all data events, and every invocation. Units are
 * computed from the recorded requests by DynamoDB's rules (1 KB a write, 4 KB a read, transactions twice), because the emulator reports none.
 */
import { Buffer } from 'node:buffer';

export interface Usage {
  /** Messages put on queues, by name. */
  readonly messages: ReadonlyMap<string, number>;
  readonly invocations: number;
  readonly kmsCalls: number;
  readonly writeUnits: number;
  readonly readUnits: number;
}

type Attributes = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface Call {
  readonly id: string;
  /** Seconds UTC. */
  readonly time: number;
  readonly name: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** The emulator answers no more at once. */
const PAGE = 50;

export class Meter {
  readonly #endpoint: string;
  readonly #accounts: readonly string[];
  readonly #region: string;

  constructor(endpoint: string, accounts: readonly string[], region: string) {
    this.#endpoint = endpoint;
    this.#accounts = accounts;
    this.#region = region;
  }

  async start(): Promise<void> {
    const body = JSON.stringify({ 'cloudtrail._recording_enabled': 'true' });
    await fetch(`${this.#endpoint}/_ministack/config`, { method: 'POST', body });
  }

  /** Of all functions together, since the emulator began. */
  async invocations(): Promise<number> {
    const counts = await Promise.all(this.#accounts.map((account) => this.#invocationsOf(account)));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** @param from seconds UTC @param until seconds UTC */
  async usage(from: number, until: number, invocations: number): Promise<Usage> {
    const bills = await Promise.all(
      this.#accounts.map(async (account) => {
        const bill = new Bill();
        for (const call of await this.calls(account, until)) bill.add(call, call.time >= from);
        return bill;
      }),
    );
    const messages = new Map<string, number>();
    for (const bill of bills) {
      for (const [name, count] of bill.messages) messages.set(name, (messages.get(name) ?? 0) + count);
    }
    const sum = (of: (bill: Bill) => number) => bills.reduce((total, bill) => total + of(bill), 0);
    return {
      messages,
      invocations,
      kmsCalls: sum((bill) => bill.kmsCalls),
      writeUnits: sum((bill) => bill.writeUnits),
      readUnits: sum((bill) => bill.readUnits),
    };
  }

  /** Oldest first. The emulator gives the newest first and no token: each page begins where the last one ended. */
  async calls(account: string, until: number): Promise<readonly Call[]> {
    const found = new Map<string, Call>();
    for (let end = until; ; ) {
      const { Events } = await this.#ask<{ Events: readonly RecordedEvent[] }>(
        account,
        'CloudTrail_20131101.LookupEvents',
        {
          EndTime: end,
          MaxResults: PAGE,
        },
      );
      const before = found.size;
      for (const event of Events) found.set(event.EventId, callOf(event));
      const oldest = Events.at(-1)?.EventTime;
      if (oldest === undefined || Events.length < PAGE || found.size === before) break;
      end = oldest;
    }
    return [...found.values()].sort((a, b) => a.time - b.time);
  }

  /** The emulator has no metrics of functions that a queue invokes; each of ours writes one `Batch` line an invocation. */
  async #invocationsOf(account: string): Promise<number> {
    const logs = <Answer>(action: string, body: object) => this.#ask<Answer>(account, `Logs_20140328.${action}`, body);
    let total = 0;
    for (let nextToken: string | undefined; ; ) {
      const page = await logs<LogGroups>('DescribeLogGroups', { limit: PAGE, ...(nextToken ? { nextToken } : {}) });
      for (const { logGroupName } of page.logGroups) {
        const { events } = await logs<LogEvents>('FilterLogEvents', { logGroupName, limit: 10_000 });
        total += events.filter(({ message }) => message.includes('"event":"Batch"')).length;
      }
      nextToken = page.nextToken;
      if (nextToken === undefined) return total;
    }
  }

  /** No client of the SDK: the emulator checks no signature, and takes the account from the key's name. */
  async #ask<Answer>(account: string, target: string, body: object): Promise<Answer> {
    const scope = `${account}/20260101/${this.#region}/${target.startsWith('Logs') ? 'logs' : 'cloudtrail'}/aws4_request`;
    const response = await fetch(this.#endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': target,
        authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
      },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`expected an answer to ${target}, got HTTP ${response.status}`);
    return (await response.json()) as Answer;
  }
}

/** Usage of some stretches of time, counted when all of them are over: to read the record takes longer than what is recorded. */
export class Counter {
  readonly #meter: Meter;
  readonly #stretches = new Map<
    string,
    { readonly from: number; readonly until: number; readonly invocations: number }
  >();

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  start(): Promise<void> {
    return this.#meter.start();
  }

  /** @param settled until nothing of it is under way any more */
  async over<Result>(what: string, doing: () => Promise<Result>, settled: () => Promise<void>): Promise<Result> {
    const before = await this.#meter.invocations();
    const from = Date.now() / 1_000;
    const result = await doing();
    await settled();
    const until = Date.now() / 1_000;
    this.#stretches.set(what, { from, until, invocations: (await this.#meter.invocations()) - before });
    return result;
  }

  async usage(): Promise<ReadonlyMap<string, Usage>> {
    const usage = new Map<string, Usage>();
    for (const [what, { from, until, invocations }] of this.#stretches)
      usage.set(what, await this.#meter.usage(from, until, invocations));
    return usage;
  }
}

interface LogGroups {
  readonly logGroups: readonly { readonly logGroupName: string }[];
  readonly nextToken?: string;
}

interface LogEvents {
  readonly events: readonly { readonly message: string }[];
}

interface RecordedEvent {
  readonly EventId: string;
  readonly EventName: string;
  readonly EventTime: number;
  readonly CloudTrailEvent: string;
}

function callOf({ EventId, EventName, EventTime, CloudTrailEvent }: RecordedEvent): Call {
  const { requestParameters } = JSON.parse(CloudTrailEvent) as { requestParameters?: Record<string, unknown> };
  return { id: EventId, time: EventTime, name: EventName, parameters: requestParameters ?? {} };
}

interface TableRequest {
  readonly TableName: string;
  readonly Item?: Attributes;
  readonly Key?: Attributes;
  readonly ConsistentRead?: boolean;
  readonly ExpressionAttributeValues?: Attributes;
}

/** Of one account; remembers how large each item is that it saw written. */
export class Bill {
  readonly messages = new Map<string, number>();
  kmsCalls = 0;
  writeUnits = 0;
  readUnits = 0;
  readonly #sizes = new Map<string, number>();

  /** @param counted false: only remembered */
  add({ name, parameters }: Pick<Call, 'name' | 'parameters'>, counted: boolean): void {
    const written = this.#written(name, parameters);
    if (!counted) return;
    this.writeUnits += written;
    this.readUnits += this.#read(name, parameters);
    if (name === 'GenerateDataKey' || name === 'Decrypt') this.kmsCalls += 1;
    if (name !== 'SendMessageBatch') return;
    for (const { MessageBody } of (parameters['Entries'] ?? []) as readonly { MessageBody: string }[]) {
      const message = /^\{"([A-Za-z0-9]+)":/.exec(MessageBody)?.[1] ?? 'unnamed';
      this.messages.set(message, (this.messages.get(message) ?? 0) + 1);
    }
  }

  #written(name: string, parameters: Call['parameters']): number {
    const request = parameters as unknown as TableRequest;
    switch (name) {
      case 'PutItem':
        return this.#put(request);
      case 'UpdateItem':
      case 'DeleteItem':
        return writeUnits(this.#size(request));
      case 'TransactWriteItems': {
        const items = (parameters['TransactItems'] ?? []) as readonly Record<string, TableRequest>[];
        const units = items
          .flatMap((item) => Object.values(item))
          .map((each) => (each.Item ? this.#put(each) : writeUnits(this.#size(each))));
        return 2 * units.reduce((sum, each) => sum + each, 0);
      }
      default:
        return 0;
    }
  }

  #read(name: string, parameters: Call['parameters']): number {
    const request = parameters as unknown as TableRequest;
    switch (name) {
      case 'GetItem':
        return readUnits(this.#size(request), request.ConsistentRead);
      case 'BatchGetItem': {
        const tables = Object.entries(
          (parameters['RequestItems'] ?? {}) as Record<
            string,
            { Keys: readonly Attributes[]; ConsistentRead?: boolean }
          >,
        );
        const units = tables.flatMap(([TableName, { Keys, ConsistentRead }]) =>
          Keys.map((Key) => readUnits(this.#size({ TableName, Key }), ConsistentRead)),
        );
        return units.reduce((sum, each) => sum + each, 0);
      }
      case 'Query': {
        // Every item of the partition, whatever the prefix: an upper bound for the few partitions that have several kinds.
        const partition = Object.values(request.ExpressionAttributeValues ?? {}).flatMap(({ S }) =>
          typeof S === 'string' ? [S] : [],
        );
        const sizes = [...this.#sizes].filter(([key]) =>
          partition.some((pk) => key.startsWith(`${request.TableName}|${pk}|`)),
        );
        return readUnits(
          sizes.reduce((sum, [, size]) => sum + size, 0),
          request.ConsistentRead,
        );
      }
      default:
        return 0;
    }
  }

  #put({ TableName, Item = {} }: TableRequest): number {
    const size = Object.entries(Item).reduce((sum, [name, value]) => sum + name.length + sizeOf(value), 0);
    this.#sizes.set(keyOf(TableName, Item), size);
    // The sparse index takes a write of its own.
    return writeUnits(size) + ('open' in Item ? 1 : 0);
  }

  #size({ TableName, Key = {} }: TableRequest): number {
    return this.#sizes.get(keyOf(TableName, Key)) ?? 0;
  }
}

function keyOf(table: string, { pk, sk }: Attributes): string {
  return `${table}|${pk?.['S']}|${sk?.['S']}`;
}

/** Bytes of a value, by DynamoDB's rules. */
function sizeOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  const [[type = '', held] = []] = Object.entries(value);
  switch (type) {
    case 'S':
      return Buffer.byteLength(String(held));
    case 'N':
      return Math.ceil(String(held).length / 2) + 1;
    case 'B':
      return Math.floor((String(held).length * 3) / 4);
    case 'SS':
    case 'NS':
    case 'BS':
      return (held as readonly string[]).reduce((sum, each) => sum + Buffer.byteLength(each), 0);
    case 'L':
      return (held as readonly unknown[]).reduce((sum: number, each) => sum + 1 + sizeOf(each), 3);
    default:
      return 1;
  }
}

function writeUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / 1_024));
}

function readUnits(bytes: number, consistent = false): number {
  return Math.max(1, Math.ceil(bytes / 4_096)) / (consistent ? 1 : 2);
}

/** One line for a table of usage. */
export function usageLine(
  what: string,
  { messages, invocations, kmsCalls, writeUnits: write, readUnits: read }: Usage,
): string {
  const total = [...messages.values()].reduce((sum, count) => sum + count, 0);
  return `${what}: ${total} messages, ${invocations} invocations, ${kmsCalls} KMS calls, ${write} write units, ${read} read units`;
}
