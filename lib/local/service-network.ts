/** The services of one asset in one process, with their gateway: keys are made by the ceremony, and wallets reach them through queues, as deployed ones. */
import type { TransactionContext } from '../coconut/transaction-proof.ts';
import { type AssetKey, assetKeyOf } from '../coconut-keygen/asset-key.ts';
import type { Committee } from '../messages/committee.ts';
import type { Hex } from '../messages/hex.ts';
import type { Store } from '../ports.ts';
import { contextOf } from '../signing-service/context.ts';
import { type GatewayPort, type RequestName, replyKeyOf } from '../wallet/gateway.ts';
import type { LocalCloudOptions } from './cloud.ts';
import { type AssetTerms, type CommitteeOptions, GATEWAY, identityOf, LocalCommittee } from './committee.ts';

/** Seconds that the gateway waits for answers, of the cloud's clock. */
const DEFAULT_PATIENCE = 60;

export interface ServiceNetworkOptions {
  /** Operators of the committee, 2 to 31. */
  readonly services: number;
  /** Indexes of those that have a service; default all. */
  readonly holders?: readonly number[];
  readonly asset: string;
  /** t, f and who may deposit. */
  readonly terms: AssetTerms;
  readonly cloud: LocalCloudOptions;
  readonly patience?: number;
  /** Coins that the same operators hold besides, and when they sign. */
  readonly vault?: Pick<CommitteeOptions, 'coins' | 'threshold' | 'policies'>;
}

export class ServiceNetwork {
  readonly committee: LocalCommittee;
  readonly asset: string;
  readonly #patience: number;
  readonly #answers = new Map<Hex, string[]>();
  readonly #announced = new Set<number>();
  #key: AssetKey | undefined;

  constructor({ services, holders, asset, terms, cloud, patience = DEFAULT_PATIENCE, vault }: ServiceNetworkOptions) {
    this.asset = asset;
    this.#patience = patience;
    this.committee = new LocalCommittee({
      operators: services,
      threshold: terms.t,
      coins: [],
      ...(holders ? { holders } : {}),
      ...vault,
      assets: { [asset]: terms },
      cloud,
    });
    this.committee.onAnswer((body) => {
      const key = replyKeyOf(body);
      if (key) this.#answers.set(key, [...(this.#answers.get(key) ?? []), body]);
    });
    this.committee.onAddress(({ keyId, certificate }, service) => {
      if (!('verificationKey' in certificate)) return;
      this.#announced.add(service);
      this.#key ??= assetKeyOf(keyId, certificate);
    });
  }

  /** The ceremony: ends when every service has announced the key. @throws if they make none */
  async start(): Promise<AssetKey> {
    await this.committee.assemble();
    const services = this.file.signersOf(this.asset).length;
    await this.committee.cloud.run({ stopWhen: () => this.#announced.size === services });
    return this.key;
  }

  /** @throws before {@link start} */
  get key(): AssetKey {
    if (!this.#key) throw new Error('the services have made no key');
    return this.#key;
  }

  get context(): TransactionContext {
    const { coconut, verificationKey } = this.key;
    return contextOf(this.file, this.asset, coconut, verificationKey);
  }

  get file(): Committee {
    return this.committee.committee;
  }

  /** One service's own tables: for what is to go wrong there. */
  storeOf(index: number): Store {
    return this.committee.cloud.store(`${identityOf(index)}/${this.asset}`);
  }

  /** A wallet's way to the services. Answers come while they are waited for: nothing else moves the virtual clock. */
  get gateway(): GatewayPort {
    return {
      replyTo: GATEWAY,
      post: (message, body, services) => this.#post(message, body, services),
      answers: (replyKey) => this.#wait(replyKey),
    };
  }

  async #post(message: RequestName, body: string, services: readonly number[]): Promise<void> {
    await this.committee.post(this.asset, message, body, services);
  }

  async *#wait(replyKey: Hex): AsyncGenerator<string> {
    const { cloud } = this.committee;
    const until = cloud.now + this.#patience * 1000;
    for (let read = 0; ; ) {
      const bodies = this.#answers.get(replyKey) ?? [];
      const next = bodies[read];
      if (next !== undefined) {
        read++;
        yield next;
        continue;
      }
      if (cloud.now >= until) return;
      const why = await cloud.run({ until, stopWhen: () => (this.#answers.get(replyKey)?.length ?? 0) > read });
      if (why !== 'stopped') return;
    }
  }
}
