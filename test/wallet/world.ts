/** Embedded services of one asset, wallets of seeds, and ways to go wrong between them. */
import { createHash } from 'node:crypto';
import { signDeposit } from '../../lib/coconut/deposit.ts';
import { mclVerifier } from '../../lib/coconut/mcl-engine.ts';
import type { TransactionDeposit } from '../../lib/coconut/transaction-bytes.ts';
import { ServiceNetwork } from '../../lib/local/service-network.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { type AnswerName, type AnswerOf, requestHash, sealAnswer } from '../../lib/signing-service/answer.ts';
import { listOf } from '../../lib/signing-service/recover.ts';
import type { WalletCache } from '../../lib/wallet/cache.ts';
import type { GatewayPort, RequestName } from '../../lib/wallet/gateway.ts';
import { type DepositRequest, Wallet, type WalletSetting } from '../../lib/wallet/wallet.ts';
import { DEPOSITORS } from '../coconut/token-fixtures.ts';

export const bytesOf = (label: string): Uint8Array => new Uint8Array(createHash('sha256').update(label).digest());

/** 3-of-4 that tolerates one; markers are dear to make, so wallets look 3 numbers ahead. */
export class World {
  readonly network: ServiceNetwork;
  #deposits = 0;

  /** @param holders of the asset, where not all operators are */
  constructor(services = 4, t = 3, f = 1, name = 'wallet world', holders?: readonly number[]) {
    const depositors = { keys: DEPOSITORS.map(({ key }) => key), required: 2, capPerEpoch: '100000' };
    this.network = new ServiceNetwork({
      services,
      ...(holders ? { holders } : {}),
      asset: 'usd',
      terms: { t, f, epoch: 0, depositors },
      cloud: { seed: bytesOf(name), clock: 'virtual' },
    });
  }

  async start(): Promise<this> {
    await this.network.start();
    return this;
  }

  async setting(seed: string, change: Partial<WalletSetting> = {}): Promise<WalletSetting> {
    const { file, asset, key, gateway } = this.network;
    return {
      seed: bytesOf(seed),
      committee: file,
      asset,
      key,
      gateway,
      verifier: await mclVerifier(),
      window: 3,
      ...change,
    };
  }

  async wallet(seed: string, change: Partial<WalletSetting> = {}): Promise<Wallet> {
    return Wallet.open(await this.setting(seed, change));
  }

  /** Two depositors of three. */
  sign(request: DepositRequest): TransactionDeposit {
    const signatures = DEPOSITORS.slice(0, 2).map(({ key, secret }) => ({
      key,
      signature: signDeposit(this.network.context, request, secret),
    }));
    return { ...request, signatures };
  }

  /** Whatever is on its way arrives. */
  async drain(): Promise<void> {
    const { cloud } = this.network.committee;
    await cloud.run({ until: cloud.now + 60_000 });
  }

  depositId(): Uint8Array {
    return bytesOf(`deposit ${this.#deposits++}`);
  }

  /** A wallet that has so much, in one token. */
  async funded(seed: string, value: bigint, change: Partial<WalletSetting> = {}): Promise<Wallet> {
    const wallet = await this.wallet(seed, change);
    await wallet.deposit(this.sign(await wallet.requestDeposit(this.depositId(), value)));
    return wallet;
  }
}

/** A cache in memory. */
export class Kept implements WalletCache {
  bytes: Uint8Array | undefined;

  constructor(bytes?: Uint8Array) {
    this.bytes = bytes;
  }

  async load(): Promise<Uint8Array | undefined> {
    return this.bytes;
  }

  async save(bytes: Uint8Array): Promise<void> {
    this.bytes = bytes;
  }
}

/** What passed the gateway, in order. */
export class Recorded implements GatewayPort {
  readonly replyTo: string;
  readonly bodies: string[] = [];
  /** Requests of this name do not arrive. */
  drops: RequestName | undefined;
  /** Answers to requests of this name do not come back. */
  deaf: RequestName | undefined;
  /** Services that transactions reach. */
  reaches: readonly number[] | undefined;
  #last: RequestName | undefined;
  readonly #inner: GatewayPort;

  constructor(inner: GatewayPort) {
    this.#inner = inner;
    this.replyTo = inner.replyTo;
  }

  async post(...args: Parameters<GatewayPort['post']>): Promise<void> {
    this.bodies.push(args[1]);
    this.#last = args[0];
    const [message, body, services] = args;
    const { reaches } = this;
    const reached = message === 'Transaction' && reaches ? services.filter((each) => reaches.includes(each)) : services;
    if (this.drops !== message) await this.#inner.post(message, body, reached);
  }

  async *answers(...args: Parameters<GatewayPort['answers']>): AsyncGenerator<string> {
    if (this.#last === this.drops) return;
    const silent = this.#last === this.deaf;
    for await (const body of this.#inner.answers(...args)) if (!silent) yield body;
  }
}

/** Whoever sees a request (the gateway, one of the services) answers it in the name of all, and before them. */
export class Impostor implements GatewayPort {
  readonly replyTo: string;
  /** Forged answers that the wallet was given. */
  forged = 0;
  readonly #inner: GatewayPort;
  readonly #scope: { readonly committee: Hex; readonly asset: string };
  readonly #lies = new Map<Hex, string[]>();

  constructor(world: World) {
    const { gateway, file, asset } = world.network;
    this.#inner = gateway;
    this.#scope = { committee: file.id, asset };
    this.replyTo = gateway.replyTo;
  }

  async post(...[message, body, services]: Parameters<GatewayPort['post']>): Promise<void> {
    const { replyKey } = (JSON.parse(body) as Record<string, { replyKey: Hex }>)[message] ?? { replyKey: '0x' };
    const lies: string[] = [];
    for (const index of services) {
      const question = { request: requestHash(body), replyKey };
      const seal = <N extends AnswerName>(name: N, answer: AnswerOf<N>) =>
        sealAnswer({ ...this.#scope, index }, name, answer, question, bytesOf('an impostor'), bytesOf('ephemeral'));
      if (message === 'RecoverIssued')
        lies.push(await seal('RecoveredIssued', { index, part: 1, parts: 1, list: listOf([]), issued: [] }));
      else lies.push(await seal('TransactionVote', { index, refusal: { reason: 'BadProof' } }));
    }
    this.#lies.set(replyKey, lies);
    await this.#inner.post(message, body, services);
  }

  async *answers(replyKey: Hex): AsyncGenerator<string> {
    for (const lie of this.#lies.get(replyKey) ?? []) {
      this.forged++;
      yield lie;
    }
    yield* this.#inner.answers(replyKey);
  }
}
