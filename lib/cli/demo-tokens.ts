/** `coterie demo tokens`: services in this process make a key, and wallets pay each other with tokens whose owners and amounts no service sees. */
import { performance } from 'node:perf_hooks';
import { ed25519 } from '@noble/curves/ed25519.js';
import { signDeposit } from '../coconut/deposit.ts';
import { mclVerifier } from '../coconut/mcl-engine.ts';
import { encodeTransaction, readTransaction, type TransactionDeposit } from '../coconut/transaction-bytes.ts';
import { KillingGateway, LyingGateway, WalletKilled } from '../local/faulty-gateway.ts';
import { derive, systemRandom } from '../local/random.ts';
import { ServiceNetwork } from '../local/service-network.ts';
import { type Hex, toHex } from '../messages/hex.ts';
import { NetworkRefused } from '../signing-service/network.ts';
import type { WalletCache } from '../wallet/cache.ts';
import type { GatewayPort } from '../wallet/gateway.ts';
import type { Invoice } from '../wallet/invoice.ts';
import { type DepositRequest, type Done, Wallet, type WalletSetting } from '../wallet/wallet.ts';
import type { DemoStreams } from './demo.ts';
import type { TokenDemoOptions } from './demo-tokens-options.ts';
import {
  isBalanced,
  type RefusalResult,
  type TokenDemoResult,
  type TransactionResult,
  tokenDocument,
  tokenText,
} from './demo-tokens-output.ts';
import { Board, Progress } from './progress.ts';

const ASSET = 'usd';
const DEPOSITED = 100n;
const DEPOSITORS = 3;
const DEPOSITORS_REQUIRED = 2;
/** Nobody has more than a few invoices open here, and each number beyond costs a restored wallet a marker. */
const WINDOW = 4;
/** Seconds of the virtual clock in which a client hears of a withdrawal. */
const NOTICE = 60;
/** The post of a payment at which the wallet dies: the invoice's outputs were asked for, the transaction was sent, the certificate is next. */
const DIES_AT = 3;

/** @returns the exit status: 0 only if all of it happened and the supply adds up */
export async function demoTokens(
  options: TokenDemoOptions,
  streams: DemoStreams = { stdout: process.stdout, stderr: process.stderr, environment: process.env },
): Promise<number> {
  const { stdout, stderr } = streams;
  const { services, threshold, tolerated } = options;
  const colour = (of: { readonly isTTY?: boolean }) => (of.isTTY ?? false) && !streams.environment['NO_COLOR'];
  stderr.write(
    `Coterie: ${services} signing services, any ${threshold} of them issue; ${tolerated} may be malicious\n`,
  );
  const board = new Board({
    write: (text) => stderr.write(text),
    terminal: stderr.isTTY ?? false,
    colour: colour(stderr),
    columns: stderr.columns ?? 100,
    rows: stderr.rows ?? 40,
  });
  const result = await new TokenDemo(options, board, (line) => stderr.write(`${line}\n`)).run();
  stdout.write(
    options.json
      ? `${JSON.stringify(tokenDocument(result, options.reveal), null, 2)}\n`
      : `\n${tokenText(result, colour(stdout))}\n`,
  );
  if (options.json) for (const failure of result.failures) stderr.write(`coterie: ${failure}\n`);
  return result.failures.length > 0 ? 1 : 0;
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

class TokenDemo {
  readonly #options: TokenDemoOptions;
  readonly #board: Board;
  readonly #say: (line: string) => void;
  readonly #seed: Uint8Array;
  readonly #network: ServiceNetwork;
  readonly #depositors: readonly { readonly key: Hex; readonly secret: Uint8Array }[];
  readonly #transactions: TransactionResult[] = [];
  readonly #refusals: RefusalResult[] = [];
  readonly #failures: string[] = [];
  readonly #redeemed = new Map<Hex, bigint>();
  readonly #posted = new Map<Hex, { readonly inputs: number; readonly outputs: number; readonly bytes: number }>();
  #issued = 0n;
  #gateway: GatewayPort;

  constructor(options: TokenDemoOptions, board: Board, say: (line: string) => void) {
    const { services, threshold, tolerated } = options;
    this.#options = options;
    this.#board = board;
    this.#say = say;
    this.#seed = options.seed ?? systemRandom.bytes(32);
    this.#depositors = Array.from({ length: DEPOSITORS }, (_, k) => derive(this.#seed, `demo/depositor/${k}`))
      .map((secret) => ({ secret, key: toHex(ed25519.getPublicKey(secret)) }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    const keys = this.#depositors.map(({ key }) => key);
    this.#network = new ServiceNetwork({
      services,
      asset: ASSET,
      terms: {
        t: threshold,
        f: tolerated,
        epoch: 0,
        depositors: { keys, required: DEPOSITORS_REQUIRED, capPerEpoch: '1000' },
      },
      cloud: {
        seed: this.#seed,
        clock: 'virtual',
        ...(options.seed ? {} : { startTime: Date.now() }),
      },
    });
    const { committee } = this.#network;
    committee.onReport((report) => board.report(report));
    committee.onWithdrawal(({ transaction, amount }) => this.#redeemed.set(transaction, BigInt(amount)));
    this.#gateway = this.#counted(this.#network.gateway);
  }

  async run(): Promise<TokenDemoResult> {
    const { services, threshold, tolerated } = this.#options;
    const [lying, silent] = [services - 1, services];
    const began = performance.now();
    const cpu = process.cpuUsage();

    this.#board.begin(new Progress('keygen', [ASSET], services));
    const key = await this.#network.start();
    this.#board.end();

    const memory = new Memory();
    const alice = await this.#wallet('alice', { cache: memory });
    const bob = await this.#wallet('bob');
    const request = await alice.requestDeposit(derive(this.#seed, 'demo/deposit'), DEPOSITED);
    await this.#did(`deposit of ${DEPOSITED}`, alice.deposit(this.#signed(request)));
    this.#issued += DEPOSITED;
    await this.#did('split 50 + 40 + 10', alice.split([40n, 10n]));

    const before = memory.bytes;
    const invoice = await bob.invoice(40n);
    await this.#did('alice pays bob 40', alice.pay(invoice));
    await bob.receive(invoice);
    // A service that has not seen the certificate yet would say that the token is locked, and the copy would finish that payment and pay with another token.
    await this.#drain();
    const stale = await this.#wallet('alice', { cache: { load: async () => before, save: async () => {} } });
    await this.#refused('a copy of alice pays the same 40 again', stale.pay(await bob.invoice(40n)));

    this.#network.committee.kill(silent);
    this.#gateway = new LyingGateway(this.#gateway, lying, this.#network.storeOf(lying));
    this.#say(`service ${silent} is silent and service ${lying} lies from here on`);
    const carol = await this.#wallet('carol');
    const bobs = await this.#wallet('bob');
    const second = await carol.invoice(15n);
    const paid = await this.#did('bob pays carol 15', bobs.pay(second));
    await carol.receive(second);

    const third = await carol.invoice(25n);
    await this.#killed(memory, third);
    const restored = await this.#wallet('alice');
    this.#say(`alice is restored from her seed: ${restored.balance}`);
    // What the restoration finished is not paid again: the same call says which transaction it was.
    await this.#did('alice pays carol 25', restored.pay(third));
    await carol.receive(third);
    await this.#did(
      'carol withdraws 30',
      carol.withdraw({ amount: '30', recipient: 'an account elsewhere', memo: 'demo' }),
    );
    await this.#drain();

    const ends: { readonly name: string; readonly wallet: Wallet }[] = [];
    for (const name of ['alice', 'bob', 'carol']) ends.push({ name, wallet: await this.#wallet(name) });
    const supply = {
      issued: this.#issued,
      redeemed: [...this.#redeemed.values()].reduce((sum, value) => sum + value, 0n),
      outstanding: ends.reduce((sum, { wallet }) => sum + wallet.balance, 0n),
    };
    if (!isBalanced(supply)) this.#failures.push('issued − redeemed is not what the wallets have');
    if (!paid?.culprits.includes(lying)) this.#failures.push(`service ${lying} lied and was not named`);
    if (!paid?.unheard.includes(silent)) this.#failures.push(`service ${silent} was silent and was not named`);
    const spent = process.cpuUsage(cpu);
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
      named: { lying: paid?.culprits ?? [], silent: paid?.unheard ?? [] },
      failures: this.#failures,
      seconds: { elapsed: (performance.now() - began) / 1000, cpu: (spent.user + spent.system) / 1e6 },
    };
  }

  /** Whatever is on its way arrives. */
  async #drain(): Promise<void> {
    const { cloud } = this.#network.committee;
    await cloud.run({ until: cloud.now + NOTICE * 1000 });
  }

  async #wallet(name: string, change: Partial<WalletSetting> = {}): Promise<Wallet> {
    const { file, asset, key } = this.#network;
    return Wallet.open({
      seed: derive(this.#seed, `demo/wallet/${name}`),
      committee: file,
      asset,
      key,
      gateway: this.#gateway,
      verifier: await mclVerifier(),
      window: WINDOW,
      ...change,
    });
  }

  #signed(request: DepositRequest): TransactionDeposit {
    const signatures = this.#depositors.slice(0, DEPOSITORS_REQUIRED).map(({ key, secret }) => ({
      key,
      signature: signDeposit(this.#network.context, request, secret),
    }));
    return { ...request, signatures };
  }

  async #did(step: string, doing: Promise<Done>): Promise<Done | undefined> {
    try {
      const done = await doing;
      const { transaction, culprits, unheard } = done;
      const size = this.#posted.get(transaction) ?? { inputs: 0, outputs: 0, bytes: 0 };
      this.#transactions.push({ step, id: transaction, ...size, lied: culprits, unheard });
      this.#say(
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
      this.#say(`${step}: refused, ${[...reasons].join(', ')}`);
      if (!reasons.has('Spent')) this.#failures.push(`${step}: expected Spent, got ${[...reasons].join(', ')}`);
    }
  }

  /** Alice, as she was left, begins to pay, and her process ends when the votes are there. */
  async #killed(memory: Memory, invoice: Invoice): Promise<void> {
    const gateway = new KillingGateway(this.#gateway, DIES_AT, 'before');
    const dying = await this.#wallet('alice', { cache: memory, gateway });
    try {
      await dying.pay(invoice);
      this.#failures.push('a wallet that was to die in the middle of a payment did not');
    } catch (error) {
      if (!(error instanceof WalletKilled)) throw error;
      this.#say('alice pays carol 25: her wallet dies between the votes and the certificate');
    }
  }

  /** What each transaction that was sent had. */
  #counted(inner: GatewayPort): GatewayPort {
    return {
      replyTo: inner.replyTo,
      answers: (key) => inner.answers(key),
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
