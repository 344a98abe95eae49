/** Runs a function of the catalogue as a Lambda handler of its queue. */
import { randomBytes } from 'node:crypto';
import type { CommitteeFile } from '../messages/committee.ts';
import type { NodeFunction } from '../node/function.ts';
import type { NodeConfig } from '../node/node.ts';
import { COMMITTEE } from '../node/rows.ts';
import type { Clock, Delivery, Ports, QueueName, Random, Store, Telemetry } from '../ports.ts';
import { type Trace, traceOf } from '../telemetry.ts';
import { SqsBus } from './bus.ts';
import { dynamoClient, kmsClient, sqsClients } from './clients.ts';
import { crashingAfterCommit } from './crash.ts';
import { EnvironmentError, type LambdaEnvironment, parseEnvironment } from './environment.ts';
import { KmsKeyWrapper } from './key-wrapper.ts';
import { type PeerDirectory, queueResolver, queueUrl } from './queues.ts';
import { DynamoStore } from './store.ts';
import { watchStrain } from './strain.ts';
import { type BatchTelemetry, powertools } from './telemetry.ts';
import { extendVisibility, type Held } from './visibility.ts';

/** What Lambda's event source mapping for SQS hands over; only the fields that are read. */
export interface SQSRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: { readonly ApproximateReceiveCount: string; readonly SentTimestamp?: string };
  readonly eventSourceARN: string;
}
export interface SQSEvent {
  readonly Records: readonly SQSRecord[];
}

/** Partial batch response (`ReportBatchItemFailures`): these messages stay in the queue. */
export interface SQSBatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

export type SQSHandler = (event: SQSEvent) => Promise<SQSBatchResponse>;

/** What a deployed function works with. */
export interface Deployment {
  readonly config: NodeConfig;
  readonly ports: Ports & { readonly telemetry: BatchTelemetry };
  /** Makes failed messages come again later than at once. @returns how many were not accepted */
  extend(queueArn: string, held: readonly Held[]): Promise<number>;
}

const clock: Clock = { now: () => Date.now() };
const random: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) };

/** The adapters for one environment. Opens no connection. */
export function deploymentOf(environment: LambdaEnvironment, message: string): Deployment {
  const { config, region, account, endpoint, tables, keys, crashAfterCommit } = environment;
  const role = config.role === 'processor' ? config.coin : 'coordinator';
  const telemetry = powertools({ operator: config.identity, role, message });
  const store = new DynamoStore(dynamoClient({ region, endpoint }), tables);
  const clients = sqsClients({ endpoint });
  const resolve = queueResolver(config.identity, { account, region }, committeePeers(store));
  const bus = new SqsBus({ client: clients, resolve, telemetry, ...(endpoint === undefined ? {} : { endpoint }) });
  const wrapper = new KmsKeyWrapper(kmsClient({ region, endpoint }), keys);
  return {
    config,
    ports: {
      bus,
      store: crashAfterCommit === message ? crashingAfterCommit(store, message) : store,
      wrapper,
      clock,
      random,
      telemetry,
    },
    extend: async (queueArn, held) => {
      const address = await resolve(queueArn as QueueName);
      return extendVisibility(clients(address.region), queueUrl(address, endpoint), held);
    },
  };
}

/** Peers by the accepted committee file, which was checked when it was accepted and never changes. */
export function committeePeers(store: Pick<Store, 'get'>): PeerDirectory {
  let known: ReadonlyMap<string, { account: string; region: string }> | undefined;
  return async (identity) => {
    if (!known) {
      const text = (await store.get('Directory', COMMITTEE))?.['text'];
      if (typeof text !== 'string') return undefined;
      const { operators } = JSON.parse(text) as CommitteeFile;
      known = new Map(operators.map((each) => [each.identity, { account: each.account, region: each.region }]));
    }
    return known.get(identity);
  };
}

/**
 * Nothing is made before the first event: an environment that was frozen after its start and copied must not share randomness or secrets.
 * @param deploy makes the adapters, once
 * @throws {EnvironmentError} at the first event, so that the messages stay in their queue
 */
export function lambda<Config extends NodeConfig>(
  handler: NodeFunction<Config>,
  deploy: () => Deployment = () => deploymentOf(parseEnvironment(process.env), handler.message),
): SQSHandler {
  let deployment: Deployment | undefined;
  return async ({ Records }) => {
    deployment ??= deploy();
    const { config, ports: plain, extend } = deployment;
    if (config.role !== handler.role)
      throw new EnvironmentError(`COTERIE_ROLE: expected ${handler.role}, got ${config.role}`);
    const started = performance.now();
    const { telemetry } = plain;
    try {
      const traces = tracesOf(Records);
      const [only, ...others] = traces;
      // Of several ceremonies in one batch each line names its own, where it has one, and the last lines name all.
      telemetry.follow(only && others.length === 0 ? only : {});
      const { ports, strained } = watchStrain(plain);
      const failed = new Set(await run(handler, { config: config as Config, ports }, Records.map(deliveryOf)));
      const again = Records.filter(({ messageId }) => failed.has(messageId));
      let extended = 0;
      if (strained() && again.length > 0) extended = await extendAll(extend, again, telemetry);
      if (others.length > 0)
        for (const trace of traces) if (aboutSomething(trace)) telemetry.record('InBatch', { ...trace });
      // One line for each batch, always: what is not in the log did not happen.
      const milliseconds = Math.round(performance.now() - started);
      telemetry.record('Batch', { records: Records.length, failed: again.length, extended, milliseconds });
      return { batchItemFailures: again.map(({ messageId }) => ({ itemIdentifier: messageId })) };
    } finally {
      telemetry.publish();
    }
  };
}

/** @returns the ids that must come again; all of them if the handler itself fails */
async function run<Config extends NodeConfig>(
  handler: NodeFunction<Config>,
  environment: { readonly config: Config; readonly ports: Ports },
  batch: readonly Delivery[],
): Promise<readonly string[]> {
  try {
    return (await handler.run(environment, batch)).failed;
  } catch (error) {
    environment.ports.telemetry.record('BatchFailed', {
      error: error instanceof Error ? error.constructor.name : typeof error,
    });
    return batch.map(({ messageId }) => messageId);
  }
}

async function extendAll(
  extend: Deployment['extend'],
  records: readonly SQSRecord[],
  telemetry: Telemetry,
): Promise<number> {
  const [first] = records;
  if (!first) return 0;
  const held = records.map((record) => ({ receiptHandle: record.receiptHandle, receiveCount: receiveCountOf(record) }));
  try {
    return held.length - (await extend(first.eventSourceARN, held));
  } catch (error) {
    telemetry.record('VisibilityNotExtended', { error: error instanceof Error ? error.message : 'unknown' });
    return 0;
  }
}

/** What the records are about, each once; one that is about nothing counts, too. */
function tracesOf(records: readonly SQSRecord[]): readonly Trace[] {
  const traces = records.map(({ body }) => traceOf(body));
  return [...new Map(traces.map((trace) => [trace.ceremony ?? trace.request, trace])).values()];
}

function aboutSomething({ ceremony, request }: Trace): boolean {
  return ceremony !== undefined || request !== undefined;
}

function deliveryOf(record: SQSRecord): Delivery {
  const queue = record.eventSourceARN.slice(record.eventSourceARN.lastIndexOf(':') + 1) as QueueName;
  const sentAt = Number(record.attributes.SentTimestamp);
  return {
    queue,
    messageId: record.messageId,
    body: record.body,
    receiveCount: receiveCountOf(record),
    ...(Number.isSafeInteger(sentAt) ? { sentAt } : {}),
  };
}

function receiveCountOf({ attributes }: SQSRecord): number {
  const count = Number(attributes.ApproximateReceiveCount);
  return Number.isSafeInteger(count) && count >= 1 ? count : 1;
}
