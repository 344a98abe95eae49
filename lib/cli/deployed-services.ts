/** Signing services that are deployed on an emulator, with a gateway in an account of its own: {@link TokenStage} for a demonstration, and for tests. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateQueueCommand, GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { dynamoClient, sqsClients } from '../aws/clients.ts';
import { portError } from '../aws/errors.ts';
import { queueUrl } from '../aws/queues.ts';
import { repeat } from '../aws/retry.ts';
import { DynamoStore } from '../aws/store.ts';
import { gatewayPolicy, SqsGateway } from '../client/gateway.ts';
import { type AssetKey, assetKeyOf } from '../coconut-keygen/asset-key.ts';
import { verifyCertificate } from '../messages/certificate.ts';
import type { Committee } from '../messages/committee.ts';
import type { Hex } from '../messages/hex.ts';
import { topicQueue } from '../messages/topics.ts';
import type { Store } from '../ports.ts';
import type { GatewayPort, RequestName } from '../wallet/gateway.ts';
import { tableName } from './deploy-names.ts';
import { Outcomes } from './deploy-outcomes.ts';
import { type Operator, PATIENCE_SECONDS, REGION } from './deployments.ts';
import type { TokenStage } from './token-scenario.ts';

export const GATEWAY_ACCOUNT = '900000000001';
const GATEWAY = { account: GATEWAY_ACCOUNT, region: REGION, name: 'coterie-gateway-answers' } as const;
/** ARN of the queue that the services answer on. */
export const ANSWERS = `arn:aws:sqs:${REGION}:${GATEWAY.account}:${GATEWAY.name}`;
const REQUESTS: readonly RequestName[] = ['Transaction', 'TransactionCertificate', 'RecoverIssued'];
/** Seconds until a request is given up: functions that start for the first time on a busy machine take their time. */
const PATIENCE = 150;
/** Seconds that are waited for a service that may be silent. */
const GRACE = 1;
const POLL_SECONDS = 5;
/** A busy engine answers late. */
const PATIENT = { attempts: 10, base: 200 };

/** No key was made, or not one and the same. */
export class NoAssetKey extends Error {
  readonly kind = 'NoAssetKey';
}

/** Made before the services are deployed: their roles may send to it, and it lets nobody else. */
export async function createAnswersQueue(
  endpoint: string,
  services: readonly { readonly identity: string; readonly account: string }[],
): Promise<void> {
  const Attributes = { Policy: gatewayPolicy(ANSWERS, services) };
  await gatewayClients(endpoint)(REGION).send(new CreateQueueCommand({ QueueName: GATEWAY.name, Attributes }));
}

function gatewayClients(endpoint: string) {
  return sqsClients({ endpoint, credentials: { accessKeyId: GATEWAY.account, secretAccessKey: 'test' } });
}

export interface DeployedServicesOptions {
  readonly endpoint: string;
  readonly operators: readonly Operator[];
  readonly committee: Committee;
  readonly asset: string;
  readonly signal: AbortSignal;
}

export class DeployedServices implements TokenStage {
  readonly #options: DeployedServicesOptions;
  readonly #outcomes: Outcomes;
  readonly #silent = new Set<number>();
  readonly #gateway: SqsGateway;
  #key: AssetKey | undefined;

  constructor(options: DeployedServicesOptions) {
    const { endpoint, operators, committee, asset, signal } = options;
    this.#options = options;
    this.#outcomes = new Outcomes(operators, [asset]);
    this.#gateway = new SqsGateway({
      committee,
      asset,
      answers: ANSWERS,
      sqs: gatewayClients(endpoint),
      endpoint,
      patience: PATIENCE,
      grace: GRACE,
      poll: POLL_SECONDS,
      signal,
    });
  }

  get committee(): Committee {
    return this.#options.committee;
  }

  get gateway(): GatewayPort {
    return this.#gateway;
  }

  get redeemed(): ReadonlyMap<Hex, bigint> {
    return this.#outcomes.heard.withdrawals;
  }

  /** @throws before {@link keyMade} */
  get key(): AssetKey {
    if (!this.#key) throw new NoAssetKey('the services have made no key');
    return this.#key;
  }

  /** Until every service has announced the key of the asset, by genesis. @throws {NoAssetKey} @throws `OutcomesMissing` */
  async keyMade(): Promise<AssetKey> {
    const { operators, committee, asset, signal } = this.#options;
    const { addresses, keygens } = this.#outcomes.heard;
    await this.#outcomes.wait(
      () => addresses.size === operators.length || [...keygens.values()].some(({ result }) => result !== 'succeeded'),
      PATIENCE_SECONDS,
      signal,
    );
    for (const [at, { result, reason }] of keygens)
      if (result !== 'succeeded') throw new NoAssetKey(`${at}: key generation ${result} (${reason ?? 'no reason'})`);
    const [first, ...others] = [...addresses.values()];
    if (!first || !('verificationKey' in first.certificate) || others.some(({ keyId }) => keyId !== first.keyId))
      throw new NoAssetKey(`expected one key of ${asset} announced by all ${operators.length} services, got others`);
    const verified = verifyCertificate(committee, first.certificate);
    if (!verified.ok) throw new NoAssetKey(`${asset}: ${verified.reason}`);
    if (verified.keyId !== first.keyId) throw new NoAssetKey(`${asset}: the certificate is of another key`);
    this.#key = assetKeyOf(first.keyId, first.certificate);
    return this.#key;
  }

  /** Nothing reads its queues of requests any more; what lies in them stays there. */
  async silence(index: number): Promise<void> {
    const { asset } = this.#options;
    const operator = this.#operator(index);
    this.#silent.add(index);
    const names = new Set<string>(REQUESTS.map((message) => topicQueue(operator.file.identity, asset, message)));
    const { EventSourceMappings } = await this.#lambda<{ EventSourceMappings: readonly Mapping[] }>(
      operator,
      'GET',
      '?MaxItems=1000',
    );
    const reading = EventSourceMappings.filter(({ EventSourceArn }) => names.has(EventSourceArn.split(':')[5] ?? ''));
    if (reading.length !== REQUESTS.length)
      throw new Error(`expected ${REQUESTS.length} readers of the requests of service ${index}, got ${reading.length}`);
    await Promise.all(reading.map(({ UUID }) => this.#lambda(operator, 'PUT', UUID, { Enabled: false })));
  }

  storeOf(index: number): Pick<Store, 'write'> {
    const { asset } = this.#options;
    const { file, access } = this.#operator(index);
    const names = { Issuance: tableName(file.identity, asset, 'Issuance') };
    return new DynamoStore(dynamoClient({ region: file.region, ...access }), names);
  }

  /** Until the queues of requests are empty, and what clients were told is read. */
  async settled(): Promise<void> {
    const { signal } = this.#options;
    for (const deadline = Date.now() + PATIENCE * 1_000; ; await sleep(200, undefined, { signal })) {
      const depths = await Promise.all(this.#requestQueues().map((queue) => this.#depth(queue)));
      if (depths.every((depth) => depth === 0)) break;
      if (Date.now() > deadline) throw new Error(`expected the services to get on with it within ${PATIENCE} s`);
    }
    await this.#outcomes.read(signal);
  }

  async close(): Promise<void> {
    await this.#gateway.close();
  }

  #operator(index: number): Operator {
    const { operators } = this.#options;
    const operator = operators[index - 1];
    if (!operator) throw new RangeError(`expected a service from 1 to ${operators.length}, got ${index}`);
    return operator;
  }

  #requestQueues(): { readonly operator: Operator; readonly name: string }[] {
    const { operators, asset } = this.#options;
    return operators
      .filter((_, i) => !this.#silent.has(i + 1))
      .flatMap((operator) =>
        REQUESTS.map((name) => ({ operator, name: topicQueue(operator.file.identity, asset, name) })),
      );
  }

  /** Waiting, and being handled. */
  async #depth({ operator: { file, access }, name }: { readonly operator: Operator; readonly name: string }) {
    const { account, region } = file;
    const { endpoint, credentials } = access;
    const client = sqsClients({ endpoint, ...(credentials ? { credentials } : {}) })(region);
    const command = new GetQueueAttributesCommand({
      QueueUrl: queueUrl({ account, region, name }, endpoint),
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    });
    const { Attributes = {} } = await repeat('any', PATIENT, () =>
      client.send(command).catch((error: unknown) => {
        throw portError(error, 'GetQueueAttributes', 'read');
      }),
    );
    return Object.values(Attributes).reduce((sum, count) => sum + Number(count), 0);
  }

  /** No client of the SDK: the emulator checks no signature, and takes the account from the key's name. */
  async #lambda<Answer>({ file, access }: Operator, method: string, path: string, body?: object): Promise<Answer> {
    const scope = `${file.account}/20260101/${file.region}/lambda/aws4_request`;
    const response = await fetch(`${access.endpoint}/2015-03-31/event-source-mappings/${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok)
      throw new Error(`expected an answer to ${method} event-source-mappings, got HTTP ${response.status}`);
    return (await response.json()) as Answer;
  }
}

interface Mapping {
  readonly UUID: string;
  readonly EventSourceArn: string;
}
