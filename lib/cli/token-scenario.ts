/**
 * What the demonstration of tokens does, wherever the services run: a deposit, a split, payments by invoice, a double spend, a service that lies, one that is silent, a wallet that dies
 * and is restored from its seed, a withdrawal, and in the end whether it adds up.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { signDeposit } from '../coconut/deposit.ts';
import { mclVerifier } from '../coconut/mcl-engine.ts';
import { encodeTransaction, readTransaction, type TransactionDeposit } from '../coconut/transaction-bytes.ts';
import type { AssetKey } from '../coconut-keygen/asset-key.ts';
import { KillingGateway, LyingGateway, WalletKilled } from '../local/faulty-gateway.ts';
import { derive } from '../local/random.ts';
import type { Committee } from '../messages/committee.ts';
import { type Hex, toHex } from '../messages/hex.ts';
import type { Store } from '../ports.ts';
import { contextOf } from '../signing-service/context.ts';
import { NetworkRefused } from '../signing-service/network.ts';
import type { WalletCache } from '../wallet/cache.ts';
import type { GatewayPort } from '../wallet/gateway.ts';
import type { Invoice } from '../wallet/invoice.ts';
import { type DepositRequest, type Done, Wallet, type WalletSetting } from '../wallet/wallet.ts';
import { FAULTY, type TokenTerms } from './demo-tokens-options.ts';
import { isBalanced, type RefusalResult, type TokenDemoResult, type TransactionResult } from './demo-tokens-output.ts';

export const ASSET = 'usd';
const DEPOSITED = 100n;
/** The first token, and the first payment by invoice on both sides: what is counted where calls are. */
export const DEPOSIT = `deposit of ${DEPOSITED}`;
export const PAYMENT = 'alice pays bob 40';
export const RECEIPT = 'bob receives 40';
const DEPOSITORS = 3;
const DEPOSITORS_REQUIRED = 2;
/** Nobody has more than a few invoices open here, and each number beyond costs a restored wallet a marker. */
const WINDOW = 4;
/** The post of a payment at which the wallet dies: the invoice's outputs were asked for, then the token, the transaction was sent, and the certificate is next. */
const DIES_AT = 4;

/** Services that have made their key, and what a demonstration can do to them. */
export interface TokenStage {
  readonly committee: Committee;
  readonly key: AssetKey;
  readonly gateway: GatewayPort;
  /** Amounts by transaction, of which services told their clients. */
  readonly redeemed: ReadonlyMap<Hex, bigint>;
  /** The service answers nothing from here on. */
  silence(index: number): Promise<void>;
  /** A service's own tables: of one that is to lie. */
  storeOf(index: number): Pick<Store, 'write'>;
  /** Whatever is on its way arrives. */
  settled(): Promise<void>;
}

/** Who may deposit: k of m, their keys from the demonstration's seed. */
export class Depositors {
  readonly #all: readonly { readonly key: Hex; readonly secret: Uint8Array }[];

  /** @param seed 32 bytes */
  constructor(seed: Uint8Array) {
    this.#all = Array.from({ length: DEPOSITORS }, (_, k) => derive(seed, `demo/depositor/${k}`))
      .map((secret) => ({ secret, key: toHex(ed25519.getPublicKey(secret)) }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** As the committee file has them. */
  get terms() {
    return { keys: this.#all.map(({ key }) => key), required: DEPOSITORS_REQUIRED, capPerEpoch: '1000' };
  }

  sign(context: Parameters<typeof signDeposit>[0], request: DepositRequest): TransactionDeposit {
    const signatures = this.#all.slice(0, DEPOSITORS_REQUIRED).map(({ key, secret }) => ({
      key,
      signature: signDeposit(context, request, secret),
    }));
    return { ...request, signatures };
  }
}

/** A way to the services that becomes another one under those who use it. */
class Way implements GatewayPort {
  through: GatewayPort;
  constructor(through: GatewayPort) {
    this.through = through;
  }
  get replyTo(): string {
    return this.through.replyTo;
  }
  post(...args: Parameters<GatewayPort['post']>): Promise<void> {
    return this.through.post(...args);
  }
  answers(...args: Parameters<GatewayPort['answers']>): AsyncIterable<string> {
    return this.through.answers(...args);
  }
}

/** A cache in memory: what is left of a process that died. */
class Memory implements WalletCache {
  bytes: Uint8Array | undefined;
  async load(): Promise<Uint8Array | undefined> {
    return this.bytes;
  }
  async save(bytes: Uint8Array): Promise<void> {
    this.bytes = bytes;
  }
}

export interface TokenScenarioOptions {
  readonly stage: TokenStage;
  readonly terms: TokenTerms;
  /** 32 bytes. */
  readonly seed: Uint8Array;
  readonly depositors: Depositors;
  readonly say: (line: string) => void;
  /** Runs each step that is a transaction, and the first receipt, and may look on. */
  readonly watched?: <Result>(step: string, doing: () => Promise<Result>) => Promise<Result>;
}

/** All of {@link TokenDemoResult} but how long it took, and where. */
export type TokenFindings = Omit<TokenDemoResult, 'seconds' | 'where'>;

export class TokenScenario {
  readonly #options: TokenScenarioOptions;
  readonly #honest: GatewayPort;
  readonly #way: Way;
  readonly #transactions: TransactionResult[] = [];
  readonly #refusals: RefusalResult[] = [];
  readonly #failures: string[] = [];
  readonly #posted = new Map<Hex, { readonly inputs: number; readonly outputs: number; readonly bytes: number }>();
  #issued = 0n;

  constructor(options: TokenScenarioOptions) {
    this.#options = options;
    this.#honest = this.#counted(options.stage.gateway);
    this.#way = new Way(this.#honest);
  }

  async run(): Promise<TokenFindings> {
    const { stage, terms, seed, say } = this.#options;
    const { services, threshold, tolerated } = terms;
    const { key } = stage;
    // With two to spare one lies while another is silent; with one, one after the other.
    const together = services - threshold >= FAULTY;
    const [lying, silent] = [services - 1, services];
    const memory = new Memory();
    const alice = await this.#wallet('alice', { cache: memory });
    const bob = await this.#wallet('bob');
    const request = await alice.requestDeposit(derive(seed, 'demo/deposit'), DEPOSITED);
    await this.#did(DEPOSIT, () => alice.deposit(this.#signed(request)));
    this.#issued += DEPOSITED;
    await this.#did('split 50 + 40 + 10', () => alice.split([40n, 10n]));

    // Another wallet of her seed, open since before she pays: it knows the token, and not what becomes of it.
    const copy = await this.#wallet('alice');
    const invoice = await bob.invoice(40n);
    await this.#did(PAYMENT, () => alice.pay(invoice));
    await this.#watched(RECEIPT, () => bob.receive(invoice));
    // A service that has not seen the certificate yet would say that the token is locked, and the copy would finish that payment and pay with another token.
    await stage.settled();
    await this.#refused('a copy of alice pays the same 40 again', copy.pay(await bob.invoice(40n)));

    if (together) await stage.silence(silent);
    const liar = new LyingGateway(this.#honest, lying, stage.storeOf(lying));
    this.#way.through = liar;
    say(`${together ? `service ${silent} is silent and ` : ''}service ${lying} lies from here on`);
    const carol = await this.#wallet('carol');
    const bobs = await this.#wallet('bob');
    const second = await carol.invoice(15n);
    const paid = await this.#did('bob pays carol 15', () => bobs.pay(second));
    await carol.receive(second);
    if (!together) {
      this.#way.through = this.#honest;
      await liar.repent();
      await stage.silence(silent);
      say(`service ${lying} says the truth again, and service ${silent} is silent from here on`);
    }

    const third = await carol.invoice(25n);
    await this.#killed(memory, third);
    const restored = await this.#wallet('alice');
    say(`alice is restored from her seed: ${restored.balance}`);
    // What the restoration finished is not paid again: the same call says which transaction it was.
    await this.#did('alice pays carol 25', () => restored.pay(third));
    await carol.receive(third);
    const withdrawn = await this.#did('carol withdraws 30', () =>
      carol.withdraw({ amount: '30', recipient: 'an account elsewhere', memo: 'demo' }),
    );
    await stage.settled();

    const ends: { readonly name: string; readonly wallet: Wallet }[] = [];
    for (const name of ['alice', 'bob', 'carol']) ends.push({ name, wallet: await this.#wallet(name) });
    const supply = {
      issued: this.#issued,
      redeemed: [...stage.redeemed.values()].reduce((sum, value) => sum + value, 0n),
      outstanding: ends.reduce((sum, { wallet }) => sum + wallet.balance, 0n),
    };
    if (!isBalanced(supply)) this.#failures.push('issued − redeemed is not what the wallets have');
    if (!paid?.culprits.includes(lying)) this.#failures.push(`service ${lying} lied and was not named`);
    const unheard = (together ? paid : withdrawn)?.unheard ?? [];
    if (!unheard.includes(silent)) this.#failures.push(`service ${silent} was silent and was not named`);
    return {
      asset: ASSET,
      services,
      threshold,
      tolerated,
      keyId: key.keyId,
      verificationKey: key.verificationKey,
      credentials: ends.flatMap(({ wallet }) => wallet.tokens.map(({ credential }) => credential)),
      transactions: this.#transactions,
      refusals: this.#refusals,
      wallets: ends.map(({ name, wallet }) => ({
        name,
        balance: wallet.balance,
        tokens: wallet.tokens.map(({ value }) => value),
      })),
      supply,
      named: { lying: paid?.culprits ?? [], silent: unheard },
      failures: this.#failures,
    };
  }

  async #wallet(name: string, change: Partial<WalletSetting> = {}): Promise<Wallet> {
    const { stage, seed } = this.#options;
    return Wallet.open({
      seed: derive(seed, `demo/wallet/${name}`),
      committee: stage.committee,
      asset: ASSET,
      key: stage.key,
      gateway: this.#way,
      verifier: await mclVerifier(),
      window: WINDOW,
      ...change,
    });
  }

  #signed(request: DepositRequest): TransactionDeposit {
    const { stage, depositors } = this.#options;
    const { coconut, verificationKey } = stage.key;
    return depositors.sign(contextOf(stage.committee, ASSET, coconut, verificationKey), request);
  }

  #watched<Result>(step: string, doing: () => Promise<Result>): Promise<Result> {
    return this.#options.watched?.(step, doing) ?? doing();
  }

  async #did(step: string, doing: () => Promise<Done>): Promise<Done | undefined> {
    try {
      const done = await this.#watched(step, doing);
      const { transaction, culprits, unheard } = done;
      const size = this.#posted.get(transaction) ?? { inputs: 0, outputs: 0, bytes: 0 };
      this.#transactions.push({ step, id: transaction, ...size, lied: culprits, unheard });
      this.#options.say(
        `${step}: done${culprits.length > 0 ? `, without service ${culprits.join(', ')}, which signed wrongly` : ''}`,
      );
      return done;
    } catch (error) {
      if (!(error instanceof NetworkRefused)) throw error;
      this.#failures.push(`${step}: ${error.message}`);
      return undefined;
    }
  }

  async #refused(step: string, doing: Promise<Done>): Promise<void> {
    try {
      await doing;
      this.#failures.push(`${step}: this was accepted`);
    } catch (error) {
      if (!(error instanceof NetworkRefused)) throw error;
      const reasons = new Set(error.refusals.map(({ refusal }) => refusal.reason));
      for (const reason of reasons) {
        const by = error.refusals.filter(({ refusal }) => refusal.reason === reason).map(({ index }) => index);
        this.#refusals.push({ step, reason, services: by.sort((a, b) => a - b) });
      }
      this.#options.say(`${step}: refused, ${[...reasons].join(', ')}`);
      if (!reasons.has('Spent')) this.#failures.push(`${step}: expected Spent, got ${[...reasons].join(', ')}`);
    }
  }

  /** Alice, as she was left, begins to pay, and her process ends when the votes are there. */
  async #killed(memory: Memory, invoice: Invoice): Promise<void> {
    const gateway = new KillingGateway(this.#way, DIES_AT, 'before');
    const dying = await this.#wallet('alice', { cache: memory, gateway });
    try {
      await dying.pay(invoice);
      this.#failures.push('a wallet that was to die in the middle of a payment did not');
    } catch (error) {
      if (!(error instanceof WalletKilled)) throw error;
      this.#options.say('alice pays carol 25: her wallet dies between the votes and the certificate');
    }
  }

  /** What each transaction that was sent had. */
  #counted(inner: GatewayPort): GatewayPort {
    return {
      replyTo: inner.replyTo,
      answers: (...args) => inner.answers(...args),
      post: async (message, body, services) => {
        if (message === 'TransactionCertificate') {
          const { vote, transaction } = (
            JSON.parse(body) as { [key: string]: { vote: { transaction: Hex }; transaction: Hex } }
          )[message] ?? { vote: { transaction: '0x' }, transaction: '0x' };
          const reading = readTransaction(new Uint8Array(Buffer.from(transaction.slice(2), 'hex')));
          if (reading.ok) {
            const { inputs, outputs } = reading.transaction;
            const bytes = encodeTransaction(reading.transaction).length;
            this.#posted.set(vote.transaction, { inputs: inputs.length, outputs: outputs.length, bytes });
          }
        }
        await inner.post(message, body, services);
      },
    };
  }
}
