/** A committee whose functions run as Lambda runs them, and CloudWatch as far as an alarm of a template needs it: what was said, when, and whether that rings. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { lambda, type SQSRecord } from '../../lib/aws/lambda.ts';
import { type BatchTelemetry, powertools } from '../../lib/aws/telemetry.ts';
import { EndpointServer } from '../../lib/cli/endpoint/server.ts';
import { main } from '../../lib/cli/main.ts';
import { type Instruments, identityOf } from '../../lib/local/committee.ts';
import type { NodeConfig } from '../../lib/node/node.ts';
import type { Ports } from '../../lib/ports.ts';
import { METRIC_NAMESPACE, METRICS } from '../../lib/telemetry.ts';
import { NodeWorld, type WorldOptions } from '../node/world.ts';

/** EventBridge's, in seconds. */
export const SCHEDULE = 900;

const STATISTICS: Readonly<Record<string, (values: readonly number[]) => number>> = {
  Sum: (values) => values.reduce((a, b) => a + b, 0),
  Maximum: (values) => Math.max(...values),
  Minimum: (values) => Math.min(...values),
};

interface Datapoint {
  /** Seconds UTC, by the virtual clock. */
  readonly at: number;
  readonly name: string;
  readonly dimensions: string;
  readonly value: number;
}

/** What a template says of one alarm. */
export type AlarmProperties = Readonly<Record<string, unknown>>;

export class AlarmWorld extends NodeWorld {
  readonly lines: Record<string, unknown>[] = [];
  readonly #points: Datapoint[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'coterie-alarms-'));
  readonly #server: EndpointServer;
  #said: string[] = [];

  constructor({ instruments = {}, ...options }: WorldOptions = {}) {
    super({ coin: 'btc', ...options, instruments: asLambda(instruments) });
    this.#server = new EndpointServer(this.committee);
    for (const stream of [process.stdout, process.stderr])
      vi.spyOn(stream, 'write').mockImplementation((text) => this.#hear(String(text)));
  }

  /** With its scheduled rules, as they are deployed. */
  override async assembled(): Promise<this> {
    await this.#server.listen({ kind: 'socket', path: this.#path });
    await super.assembled();
    this.committee.runRules();
    return this;
  }

  async close(): Promise<void> {
    vi.restoreAllMocks();
    await this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get folder(): string {
    return this.#folder;
  }

  get #path(): string {
    return join(this.#folder, 'c.sock');
  }

  /** A command at the socket, while the committee’s time goes on. */
  async coterie(...args: string[]): Promise<{ readonly status: number; readonly output: string }> {
    this.#said = [];
    let status: number | undefined;
    const ending = main([...args, '--at', this.#path], '0.0.0').then((ended) => {
      status = ended;
    });
    while (status === undefined) {
      await this.run(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await ending;
    return { status, output: this.#said.join('') };
  }

  /** Adds a measure that a service takes by itself: of a queue, for one. */
  measure(name: string, dimensions: string, value: number): void {
    this.#points.push({ at: this.committee.now(), name, dimensions, value });
  }

  /** Whether the alarm rings now: over its last whole periods, as CloudWatch evaluates it. */
  rings(alarm: AlarmProperties): boolean {
    const period = Number(alarm['Period']);
    const periods = Number(alarm['EvaluationPeriods']);
    const now = this.committee.now();
    return Array.from({ length: periods }, (_, back) => {
      const until = now - back * period;
      const said = this.#points.filter(
        ({ at, name, dimensions }) =>
          at > until - period &&
          at <= until &&
          name === alarm['MetricName'] &&
          dimensions === dimensionsIn(alarm['Dimensions']),
      );
      if (said.length === 0) return alarm['TreatMissingData'] === 'breaching';
      const values = said.map(({ value }) => value);
      const value = STATISTICS[String(alarm['Statistic'])]?.(values) ?? Number.NaN;
      const threshold = Number(alarm['Threshold']);
      return alarm['ComparisonOperator'] === 'LessThanThreshold' ? value < threshold : value >= threshold;
    }).every((breaches) => breaches);
  }

  #hear(text: string): boolean {
    for (const line of text.split('\n').filter((each) => each !== '')) {
      const parsed = line.startsWith('{') ? (JSON.parse(line) as Record<string, unknown>) : undefined;
      if (parsed && '_aws' in parsed) this.#metric(parsed);
      else if (parsed && 'event' in parsed && 'operator' in parsed) this.lines.push(parsed);
      else this.#said.push(`${line}\n`);
    }
    return true;
  }

  #metric(said: Readonly<Record<string, unknown>>): void {
    const dimensions = `role=${said['role']},service=${said['service']}`;
    for (const name of Object.keys(METRICS)) {
      const values = said[name];
      for (const value of Array.isArray(values) ? values : values === undefined ? [] : [values])
        this.#points.push({ at: this.committee.now(), name, dimensions, value: Number(value) });
    }
  }
}

/** `role=btc,service=coterie-operator1`; of a queue of the stack, whose name is not known before it is deployed: `queue`. */
function dimensionsIn(dimensions: unknown): string {
  const all = dimensions as readonly { readonly Name: string; readonly Value: unknown }[];
  return all.some(({ Name }) => Name === 'QueueName')
    ? 'queue'
    : all.map(({ Name, Value }) => `${Name}=${Value}`).join(',');
}

export const isOurs = (alarm: AlarmProperties): boolean => alarm['Namespace'] === METRIC_NAMESPACE;

/** Every function behind the adapter of Lambda, with the telemetry that is deployed. */
function asLambda(instruments: Instruments): Instruments {
  const telemetries = new Map<string, BatchTelemetry>();
  const of = (operator: number, role: string, message: string): BatchTelemetry => {
    const key = `${operator} ${role} ${message}`;
    const known = telemetries.get(key) ?? powertools({ operator: identityOf(operator), role, message });
    telemetries.set(key, known);
    return known;
  };
  return {
    ...instruments,
    run: (handler, role) => {
      const inner = instruments.run?.(handler, role) ?? handler;
      return {
        ...inner,
        run: async ({ config, ports, sealer }, batch) => {
          const telemetry = of(role.operator, role.name, handler.message);
          const run = {
            ...inner,
            run: (environment, deliveries) => inner.run({ ...environment, ...(sealer ? { sealer } : {}) }, deliveries),
          } as typeof inner;
          const deployment = {
            config: config as NodeConfig,
            // The committee's own reports go on: who listens to them hears the same.
            ports: { ...ports, telemetry: both(telemetry, ports) },
            extend: async () => 0,
          };
          const Records = batch.map(
            ({ queue, messageId, body, receiveCount, sentAt }): SQSRecord => ({
              messageId,
              receiptHandle: messageId,
              body,
              attributes: {
                ApproximateReceiveCount: `${receiveCount}`,
                ...(sentAt === undefined ? {} : { SentTimestamp: `${sentAt}` }),
              },
              eventSourceARN: `arn:aws:sqs:local:000000000000:${queue}`,
            }),
          );
          const { batchItemFailures } = await lambda(run, () => deployment)({ Records });
          return { failed: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier) };
        },
      };
    },
  };
}

function both(telemetry: BatchTelemetry, { telemetry: reports }: Ports): BatchTelemetry {
  return {
    ...telemetry,
    record: (event, facts) => {
      telemetry.record(event, facts);
      reports.record(event, facts);
    },
  };
}
