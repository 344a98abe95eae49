/**
 * A whole committee in one process: n operators, each with a coordinator and one processor for each coin, over {@link LocalCloud}.
 *
 * It becomes a committee exactly as deployed operators do: a first `Start` makes the keys, cards give the committee file, and `CommitteeAccepted` is
 * taken only because its hash was "deployed". Nothing is shared between operators but their queues.
 */

import { suiteOf } from '../frost/suite.ts';
import { inboxPattern } from '../messages/card.ts';
import { bodyOf, type Payload, parseBodyAs } from '../messages/catalogue.ts';
import { type Committee, type CommitteeFile, parseCommittee } from '../messages/committee.ts';
import type { MultisigEvent } from '../messages/events.ts';
import { type Hex, toHex } from '../messages/hex.ts';
import type { Policy } from '../messages/policies.ts';
import type { Sealer } from '../messages/sealing.ts';
import { inboxQueue, topicQueue } from '../messages/topics.ts';
import type { NodeFunction } from '../node/function.ts';
import type { CoordinatorConfig, NodeConfig, ProcessorConfig } from '../node/node.ts';
import { OWN_KEYS } from '../node/rows.ts';
import type { Delivery, Ports, QueueName, Telemetry } from '../ports.ts';
import type { QueueOptions } from './bus.ts';
import { LocalCloud, type LocalCloudOptions } from './cloud.ts';
import { COORDINATOR_FUNCTIONS, PROCESSOR_FUNCTIONS, SIGNING_SERVICE_FUNCTIONS } from './functions.ts';
import { type Liar, lyingPorts } from './liar.ts';

/** The coins that the embedded committee knows, with their suites. */
export const COINS = { btc: 'FROST-secp256k1-SHA256-TR-v1', sol: 'FROST-ED25519-SHA512-v1' } as const;
export type Coin = keyof typeof COINS;

/** The queue that all signing services of an embedded committee answer on. */
export const GATEWAY = 'coterie-gateway-answers' as QueueName;

/** Messages of a coordinator that come on the topic of a coin; the others come on its own. */
const PER_COIN: ReadonlySet<string> = new Set([
  'ProcessorPublicKey',
  'SignerReady',
  'Outbound',
  'PublicAddressAvailable',
]);

/** An asset's entry of the committee file, but for its first key generation. */
export type AssetTerms = Omit<CommitteeFile['assets'][string], 'genesis'>;

export interface CommitteeOptions {
  /** n, 2 to 100. */
  readonly operators: number;
  /** t, 2 to n; 1 only with `allowSingleSigner`. */
  readonly threshold: number;
  readonly coins: readonly Coin[];
  readonly assets?: Readonly<Record<string, AssetTerms>>;
  /** Indexes of the operators that have a signing service for each asset; default all. */
  readonly holders?: readonly number[];
  readonly cloud: LocalCloudOptions;
  readonly allowSingleSigner?: boolean;
  /** Seconds; default 15. */
  readonly leaderPeriod?: number;
  /** Make every coin's and asset's key as soon as all operators are ready. Default true. */
  readonly genesis?: boolean;
  /** Seconds that the genesis ceremony may take; default 600. */
  readonly genesisLife?: number;
  readonly policies?: readonly Policy[];
  /** The operator dies when it would handle its first message of this name: `SigningPackageIn`, for one. */
  readonly dies?: { readonly operator: number; readonly at: string };
  /** Its processors sign lies from the beginning. */
  readonly liar?: Liar;
  /** Of every queue that a function reads. */
  readonly queues?: QueueOptions;
  readonly instruments?: Instruments;
}

/** What may stand between a role and its world: a simulator looks on here, and breaks things. */
export interface Instruments {
  /** What the role gets in place of its ports. */
  readonly ports?: (ports: Ports, role: RoleName) => Ports;
  /** What runs in place of a function of the role. */
  readonly run?: (handler: NodeFunction, role: RoleName) => NodeFunction;
  readonly sealer?: Sealer;
}

export interface RoleName {
  readonly operator: number;
  /** The processor's coin, or `coordinator`. */
  readonly name: string;
  /** Of its tables, keys and clock. */
  readonly namespace: string;
}

/** One thing that a role reported about itself. */
export interface Report {
  readonly operator: number;
  /** The processor's coin or asset, or `coordinator`. */
  readonly role: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

interface Role {
  readonly operator: number;
  readonly name: string;
  readonly namespace: string;
  config: NodeConfig;
  readonly ports: Ports;
}

export class LocalCommittee {
  readonly cloud: LocalCloud;
  readonly options: CommitteeOptions;
  readonly #roles: Role[] = [];
  readonly #dead = new Set<number>();
  readonly #reports: ((report: Report) => void)[] = [];
  readonly #outcomes: ((event: MultisigEvent, operator: number, coin: Coin) => void)[] = [];
  readonly #assetEvents: ((event: MultisigEvent, operator: number, asset: string) => void)[] = [];
  readonly #answers: ((body: string) => void)[] = [];
  readonly #withdrawals: ((withdrawal: Payload<'Withdrawal'>, operator: number, asset: string) => void)[] = [];
  readonly #addresses: ((address: Payload<'PublicAddressAvailable'>, operator: number) => void)[] = [];
  #committee: Committee | undefined;

  constructor(options: CommitteeOptions) {
    this.options = options;
    this.cloud = new LocalCloud(options.cloud);
    for (let operator = 1; operator <= options.operators; operator++) this.#addOperator(operator);
    if (this.#assets().length === 0) return;
    this.cloud.createQueue(GATEWAY);
    this.cloud.subscribe(GATEWAY, async (batch) => {
      for (const { body } of batch) for (const listener of this.#answers) listener(body);
      return { failed: [] };
    });
  }

  /** The committee that was agreed on. @throws before {@link assemble} */
  get committee(): Committee {
    if (!this.#committee) throw new Error('the committee is not assembled yet');
    return this.#committee;
  }

  onReport(listener: (report: Report) => void): void {
    this.#reports.push(listener);
  }

  onOutcome(listener: (event: MultisigEvent, operator: number, coin: Coin) => void): void {
    this.#outcomes.push(listener);
  }

  onAssetEvent(listener: (event: MultisigEvent, operator: number, asset: string) => void): void {
    this.#assetEvents.push(listener);
  }

  /** A service's answer to the gateway: sealed to the one-time key that it names. */
  onAnswer(listener: (body: string) => void): void {
    this.#answers.push(listener);
  }

  onWithdrawal(listener: (withdrawal: Payload<'Withdrawal'>, operator: number, asset: string) => void): void {
    this.#withdrawals.push(listener);
  }

  /** Of coins and of assets, which have no address and announce their verification key. */
  onAddress(listener: (address: Payload<'PublicAddressAvailable'>, operator: number) => void): void {
    this.#addresses.push(listener);
  }

  /** The operator's functions stop; its queues and tables stay, as in an account whose functions fail. */
  kill(operator: number): void {
    this.#dead.add(operator);
  }

  /** The operator's functions run again, and find what lies in its queues. */
  revive(operator: number): void {
    this.#dead.delete(operator);
  }

  /** {@link agree} and {@link accept}: the run until all keys are exchanged is left to the caller. */
  async assemble(): Promise<Committee> {
    const committee = await this.agree();
    await this.accept();
    return committee;
  }

  /** First deploy and `Start` of every operator, cards, committee file, second deploy. */
  async agree(): Promise<Committee> {
    await this.#toEveryRole('Start', bodyOf('Start', {}));
    if (this.options.cloud.clock === 'virtual') await this.cloud.run();
    else await this.#keysMade();
    const parsed = parseCommittee(this.#file());
    if (!parsed.ok) throw new Error(parsed.reason);
    this.adopt(parsed.committee);
    return parsed.committee;
  }

  /** Every role is told of the committee: from here on they speak with each other. */
  async accept(): Promise<void> {
    await this.#toEveryRole('CommitteeAccepted', bodyOf('CommitteeAccepted', { committee: this.committee.file }));
  }

  /** The second deploy alone: for a world that begins with the tables of a committee that has agreed. */
  adopt(committee: Committee): void {
    this.#committee = committee;
    for (const role of this.#roles) role.config = { ...role.config, committeeHash: committee.id };
  }

  /** One client for each operator puts the same instruction on its own operator's queue. @param operators who is asked; default all */
  async instruct(
    coin: string,
    instruction: Payload<'MultisigInstruction'>,
    operators?: readonly number[],
  ): Promise<void> {
    await this.post(coin, 'MultisigInstruction', bodyOf('MultisigInstruction', instruction), operators);
  }

  /** Puts a body on a processor’s or a service’s queue of that name, well-formed or not, as any producer with the right to could. */
  async post(
    coin: string,
    message: 'MultisigInstruction' | 'Control' | 'Wake' | 'Transaction' | 'TransactionCertificate' | 'RecoverIssued',
    body: string,
    operators?: readonly number[],
  ): Promise<void> {
    const asked = operators ?? Array.from({ length: this.options.operators }, (_, i) => i + 1);
    await this.cloud
      .bus()
      .send(asked.map((operator) => ({ queue: topicQueue(identityOf(operator), coin, message), body })));
  }

  /** Every role is woken each quarter of an hour, as by the rules of its stack: who falls silent is noticed while nobody asks for anything. */
  runRules(): void {
    for (const { config, name } of this.#roles)
      this.cloud.schedule(topicQueue(config.identity, name, 'Wake'), bodyOf('Wake', {}), RULE_SECONDS);
  }

  /** Whole seconds UTC of the cloud's clock. */
  now(): number {
    return Math.floor(this.cloud.now / 1000);
  }

  #addOperator(operator: number): void {
    const identity = identityOf(operator);
    const coins = [...this.options.coins, ...this.#assetsOf(operator)];
    const coordinator: CoordinatorConfig = { role: 'coordinator', identity, coins, committeeHash: undefined };
    const own = this.#role(operator, 'coordinator', coordinator);
    for (const each of COORDINATOR_FUNCTIONS) {
      const queues =
        each.message === 'P2PIncoming' ? this.#inboxes(operator) : coordinatorQueues(identity, each.message, coins);
      for (const queue of queues) this.#run(queue, own, each as NodeFunction);
    }
    for (const coin of coins) {
      const outcomeQueue = topicQueue(identity, coin, 'MultisigEvent');
      const config: ProcessorConfig = {
        role: 'processor',
        identity,
        account: accountOf(operator),
        region: REGION,
        coin,
        committeeHash: undefined,
        outcomeQueue,
        policies: this.options.policies ?? [{ kind: 'require-own-instruction' }],
        instructionKeys: undefined,
        ...(isCoin(coin) ? {} : { gateways: [GATEWAY] }),
      };
      const role = this.#role(operator, coin, config);
      for (const each of isCoin(coin) ? PROCESSOR_FUNCTIONS : SIGNING_SERVICE_FUNCTIONS)
        this.#run(topicQueue(identity, coin, each.message), role, each as NodeFunction);
      this.cloud.createQueue(outcomeQueue);
      this.cloud.subscribe(outcomeQueue, async (batch) => this.#client(batch, operator, coin));
    }
  }

  #role(operator: number, name: string, config: NodeConfig): Role {
    const namespace = `${identityOf(operator)}/${name}`;
    const telemetry: Telemetry = {
      record: (event, fields = {}) => {
        for (const listener of this.#reports) listener({ operator, role: name, event, fields });
      },
    };
    const ports: Ports = {
      bus: this.cloud.bus({ namespace }),
      store: this.cloud.store(namespace),
      wrapper: this.cloud.wrapper(namespace),
      clock: this.cloud.clock(namespace),
      random: this.cloud.random(namespace),
      telemetry,
    };
    const { instruments, liar } = this.options;
    const honest = instruments?.ports?.(ports, { operator, name, namespace }) ?? ports;
    const lies = liar?.operator === operator && isCoin(name);
    const own = lies ? lyingPorts(honest, suiteOf(COINS[name]), config.identity, name, liar) : honest;
    const role: Role = { operator, name, namespace, config, ports: own };
    this.#roles.push(role);
    return role;
  }

  #run(queue: QueueName, role: Role, handler: NodeFunction): void {
    this.cloud.createQueue(queue, this.options.queues);
    const { run, sealer } = this.options.instruments ?? {};
    const instrumented = run?.(handler, role) ?? handler;
    this.cloud.subscribe(queue, async (batch) => {
      const { dies } = this.options;
      if (dies?.operator === role.operator && dies.at === handler.message) this.kill(role.operator);
      if (this.#dead.has(role.operator)) return { failed: batch.map((delivery) => delivery.messageId) };
      const environment = { config: role.config, ports: role.ports, ...(sealer ? { sealer } : {}) };
      return instrumented.run(environment, batch);
    });
  }

  #inboxes(operator: number): QueueName[] {
    const peers = Array.from({ length: this.options.operators }, (_, i) => i + 1).filter((peer) => peer !== operator);
    return peers.map((peer) => inboxQueue(identityOf(operator), identityOf(peer)));
  }

  /** The operator's own client, reading its outcome queue. */
  async #client(batch: readonly Delivery[], operator: number, coin: Coin | string): Promise<{ failed: string[] }> {
    for (const { body } of batch) {
      const event = parseBodyAs('MultisigEvent', body);
      if (event.ok && isCoin(coin)) for (const listener of this.#outcomes) listener(event.payload, operator, coin);
      if (event.ok && !isCoin(coin)) for (const listener of this.#assetEvents) listener(event.payload, operator, coin);
      const withdrawal = parseBodyAs('Withdrawal', body);
      if (withdrawal.ok) for (const listener of this.#withdrawals) listener(withdrawal.payload, operator, coin);
      const address = parseBodyAs('PublicAddressAvailable', body);
      if (address.ok) for (const listener of this.#addresses) listener(address.payload, operator);
    }
    return { failed: [] };
  }

  async #toEveryRole(message: 'Start' | 'CommitteeAccepted', body: string): Promise<void> {
    const queues = this.#roles.map(({ config, name }) => topicQueue(config.identity, name, message));
    await this.cloud.bus().send(queues.map((queue) => ({ queue, body })));
  }

  async #keysMade(): Promise<void> {
    for (const { ports } of this.#roles) {
      while (!(await ports.store.get('Directory', OWN_KEYS))) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #assets(): readonly string[] {
    return Object.keys(this.options.assets ?? {});
  }

  #assetsOf(operator: number): readonly string[] {
    return this.options.holders?.includes(operator) === false ? [] : this.#assets();
  }

  /** What `coterie card` would print for each operator, put together. */
  #file(): CommitteeFile {
    const {
      operators,
      threshold,
      coins,
      genesis = true,
      genesisLife = 600,
      leaderPeriod = 15,
      allowSingleSigner,
    } = this.options;
    const random = this.cloud.random('genesis');
    const indexes = Array.from({ length: operators }, (_, i) => i + 1);
    const expiresAt = this.now() + genesisLife;
    const coinEntries = coins.map((coin) => {
      const requestId = toHex(random.bytes(16));
      const file = { suite: COINS[coin], t: threshold, ...(genesis ? { genesis: { requestId, expiresAt } } : {}) };
      return [coin, allowSingleSigner ? { ...file, allowSingleSigner } : file];
    });
    const assetEntries = Object.entries(this.options.assets ?? {}).map(([asset, terms]) => {
      const requestId = toHex(random.bytes(16));
      return [asset, { ...terms, ...(genesis ? { genesis: { requestId, expiresAt } } : {}) }];
    });
    return {
      version: 1,
      network: 'local',
      operators: indexes.map((index) => this.#operatorEntry(index)),
      coins: Object.fromEntries(coinEntries),
      assets: Object.fromEntries(assetEntries),
      leaderPeriod,
    } as CommitteeFile;
  }

  #operatorEntry(index: number): CommitteeFile['operators'][number] {
    const identity = identityOf(index);
    // Looked up by whoever assembles the committee, whom no fault of an operator's store meets.
    const key = (role: string, attribute: string): Hex => {
      const rows = this.cloud.inspect.items(`${identity}/${role}`, 'Directory');
      return rows.find(({ pk, sk }) => pk === OWN_KEYS.pk && sk === OWN_KEYS.sk)?.[attribute] as Hex;
    };
    const keysOf = (names: readonly string[]) =>
      Object.fromEntries(names.map((name) => [name, { signatureKey: key(name, 'signatureKey') }] as const));
    return {
      index,
      identity,
      account: accountOf(index),
      region: REGION,
      inbox: inboxPattern(identity),
      coordinatorKey: key('coordinator', 'messagingKey'),
      coins: keysOf(this.options.coins),
      assets: keysOf(this.#assetsOf(index)),
    } as CommitteeFile['operators'][number];
  }
}

/** Of the deployed rule. */
export const RULE_SECONDS = 900;
const REGION = 'local';
const accountOf = (operator: number): string => `${operator}`.padStart(12, '0');

function isCoin(name: string): name is Coin {
  return Object.hasOwn(COINS, name);
}

/** `operator1`, `operator2`, … */
export function identityOf(operator: number): string {
  return `operator${operator}`;
}

function coordinatorQueues(identity: string, message: string, coins: readonly string[]): QueueName[] {
  return (PER_COIN.has(message) ? coins : ['coordinator']).map((coin) => topicQueue(identity, coin, message));
}
