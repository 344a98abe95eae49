import { ed25519 } from '@noble/curves/ed25519.js';
import { LocalCloud, type LocalCloudOptions } from '../../lib/local/cloud.ts';
import { systemRandom } from '../../lib/local/random.ts';
import { Committee, type CommitteeFile } from '../../lib/messages/committee.ts';
import { toHex } from '../../lib/messages/hex.ts';
import { HALT } from '../../lib/node/rows.ts';
import type { Item, Store } from '../../lib/ports.ts';
import type { SimulationOnly } from '../../lib/signing-service/certificate.ts';
import { SigningNetwork } from '../../lib/signing-service/network.ts';
import { type ServiceSetting, SigningService, type WithdrawalNotice } from '../../lib/signing-service/service.ts';
import { tablesOf } from '../../lib/signing-service/tables.ts';
import { Secret } from '../../lib/vault/secret.ts';
import { bytesOf, messagingKey } from '../messages/fixtures.ts';
import { ASSET, EPOCH, PlainScheme } from './plain.ts';

export const CAP = 1_000n;

export const signatureSecret = (index: number): Uint8Array => bytesOf(`service signature key ${index}`);

export function committeeOf(n: number, t: number, f: number): Committee {
  const depositor = toHex(ed25519.getPublicKey(bytesOf('depositor')));
  const file: CommitteeFile = {
    version: 1,
    network: 'test',
    operators: Array.from({ length: n }, (_, i) => ({
      index: i + 1,
      identity: `operator${i + 1}`,
      account: `${i + 1}`.padStart(12, '0'),
      region: 'local',
      inbox: `coterie-operator${i + 1}-inbox-{identity}`,
      coordinatorKey: messagingKey(i + 1),
      coins: {},
      assets: { [ASSET]: { signatureKey: toHex(ed25519.getPublicKey(signatureSecret(i + 1))) } },
    })),
    coins: {},
    assets: { [ASSET]: { t, f, depositors: { keys: [depositor], required: 1, capPerEpoch: `${CAP}` }, epoch: EPOCH } },
    leaderPeriod: 15,
  };
  return new Committee(file);
}

export interface Reported {
  readonly index: number;
  readonly event: string;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

export interface TokenWorldOptions {
  readonly n?: number;
  readonly t?: number;
  readonly f?: number;
  readonly cloud?: Partial<LocalCloudOptions>;
  readonly simulation?: SimulationOnly;
  /** In the place of the embedded cloud's. */
  readonly store?: (index: number) => Store;
}

export class TokenWorld {
  readonly cloud: LocalCloud;
  readonly committee: Committee;
  readonly reports: Reported[] = [];
  readonly withdrawals: { readonly index: number; readonly notice: WithdrawalNotice }[] = [];
  readonly schemes = new Map<number, PlainScheme>();
  readonly services: SigningService[] = [];
  readonly #options: TokenWorldOptions;
  readonly #began = new Map<number, string>();

  /** With every service made, on the tables that it begins with. */
  static async create(options: TokenWorldOptions = {}): Promise<TokenWorld> {
    const world = new TokenWorld(options);
    for (const { index } of world.committee.file.operators) {
      world.#began.set(index, await tablesOf(world.store(index)));
      world.services.push(world.made(index));
    }
    return world;
  }

  private constructor(options: TokenWorldOptions) {
    const { n = 7, t = 5, f = 2, cloud = {} } = options;
    this.#options = options;
    this.cloud = new LocalCloud({ seed: new Uint8Array(32).fill(5), clock: 'virtual', ...cloud });
    this.committee = committeeOf(n, t, f);
  }

  get network(): SigningNetwork {
    return new SigningNetwork(this.services);
  }

  service(index: number): SigningService {
    const service = this.services[index - 1];
    if (!service) throw new Error(`there is no service ${index}`);
    return service;
  }

  scheme(index: number): PlainScheme {
    const scheme = this.schemes.get(index) ?? new PlainScheme();
    this.schemes.set(index, scheme);
    return scheme;
  }

  namespace(index: number): string {
    return `operator${index}/${ASSET}`;
  }

  store(index: number): Store {
    return this.#options.store?.(index) ?? this.cloud.store(this.namespace(index));
  }

  items(index: number, table: 'Serials' | 'Issuance' | 'Keys'): readonly Item[] {
    return this.cloud.inspect.items(this.namespace(index), table);
  }

  /** Another process of the same service: nothing in memory is shared. */
  made(index: number, change: Partial<ServiceSetting> = {}): SigningService {
    const setting: ServiceSetting = {
      committee: this.committee,
      asset: ASSET,
      store: this.store(index),
      telemetry: { record: (event, fields = {}) => void this.reports.push({ index, event, fields }) },
      random: (length) => systemRandom.bytes(length),
      now: () => Math.floor(this.cloud.now / 1000),
      signatureKey: async () => new Secret(new Uint8Array(signatureSecret(index))),
      share: async () => new Secret(bytesOf(`share ${index}`)),
      withdrawn: async (notice) => void this.withdrawals.push({ index, notice }),
      halt: HALT,
      began: this.#began.get(index) ?? '',
      ...(this.#options.simulation ? { simulation: this.#options.simulation } : {}),
      ...change,
    };
    return new SigningService(this.scheme(index), index, setting);
  }

  reported(event: string): Reported[] {
    return this.reports.filter((report) => report.event === event);
  }
}
