/**
 * A wallet of one asset: tokens, and what is done with them. Everything follows from the seed and from what the services have stored; what is kept besides only saves asking.
 *
 * The order that makes a crash harmless: nothing is ever made of a token while services may have seen another transaction of it that is not finished. Two transactions of one token
 * could divide the services' locks until neither has t, and locks never go back. So a transaction that was sent is finished, by this wallet or by the one that is restored from the seed,
 * before anything else is done. If two wallets of one seed did divide them, those tokens are held back, and the others stay good.
 *
 * What only one service says is not believed further than it proves itself, and what others began of their own tokens stands in nobody's way. A tag links what is issued to what is shown:
 * services are asked about one just before its token is shown, or by a wallet that is restored, which cannot do without.
 */
import { createHash } from 'node:crypto';
import { randomBytes } from '@noble/hashes/utils.js';
import type { RandomBytes } from '../ceremony.ts';
import { type DepositStatement, outputId, ownerOf } from '../coconut/deposit.ts';
import { CoconutError } from '../coconut/groups.ts';
import { type Credential, decodeCredential, encodeCredential } from '../coconut/issue.ts';
import {
  encodeTransaction,
  readTransaction,
  TOKEN_ATTRIBUTES,
  type Transaction,
  type TransactionDeposit,
  transactionContentOf,
  transactionId,
} from '../coconut/transaction-bytes.ts';
import {
  makeTransaction,
  type Paid,
  type TransactionContext,
  type TransactionPlan,
  VALUE,
} from '../coconut/transaction-proof.ts';
import { verifyTransaction } from '../coconut/transaction-verify.ts';
import { expectValue } from '../coconut/value-commitment.ts';
import type { Verifier } from '../coconut/verifier.ts';
import type { AssetKey } from '../coconut-keygen/asset-key.ts';
import type { Committee } from '../messages/committee.ts';
import { fromHex, type Hex, toHex } from '../messages/hex.ts';
import { MAX_SIDE, type VoteCertificate, type Withdraw } from '../messages/tokens.ts';
import { quorumOf } from '../signing-service/certificate.ts';
import { contextOf } from '../signing-service/context.ts';
import { NetworkRefused } from '../signing-service/network.ts';
import { openCache, sealCache, type WalletCache } from './cache.ts';
import { sameOutput, tagOf, WalletSecrets } from './derivation.ts';
import type { GatewayPort } from './gateway.ts';
import { type Invoice, invoiceOf, outputIn, payable } from './invoice.ts';
import { certify, type Expected, issue, type Obtained, type Phases, prospectOf } from './phases.ts';
import { type Found, recover } from './recovery.ts';

/** How many numbers beyond the last one that was paid may be in use: a restored wallet looks so far. */
const DEFAULT_WINDOW = 32;
/** Times that a step is planned again because an earlier one had to be finished first. */
const MOST_PLANS = 4;

export interface WalletSetting {
  /** 32 bytes: whoever has it has the money. */
  readonly seed: Uint8Array;
  readonly committee: Committee;
  readonly asset: string;
  readonly key: AssetKey;
  readonly gateway: GatewayPort;
  readonly verifier: Verifier;
  /** Blinds multiplications and salts invoices; nothing that has to be made again comes from it. Default: the platform's. */
  readonly random?: RandomBytes;
  readonly cache?: WalletCache;
  /** 1 to 128; the same for all wallets of a seed. Default 32. */
  readonly window?: number;
}

export interface Token {
  /** Compressed, 48 bytes; services see it when the token is spent, or looked for by a wallet that is restored, and not before. */
  readonly tag: Hex;
  readonly value: bigint;
  readonly credential: Credential;
}

/** Not enough, or in too many pieces: {@link Wallet.merge} first. */
export class InsufficientFunds extends Error {
  readonly kind = 'InsufficientFunds';
}

/** No transaction that the services signed pays what the invoice asks for. */
export class NotPaid extends Error {
  readonly kind = 'NotPaid';
}

/** What k depositors sign, for {@link Wallet.deposit}. */
export interface DepositRequest extends DepositStatement {}

/** How a step ended. */
export interface Done extends Omit<Obtained, 'credentials'> {
  /** Its id. */
  readonly transaction: Hex;
}

interface Finished extends Done {
  readonly made: Transaction;
}

/** An output of one's own; with its number, if others paid for it. */
interface Own extends Expected {
  readonly number?: number;
}

/** A transaction that was planned cannot be: an earlier one of its tokens was finished instead. */
class Superseded extends Error {
  readonly by: readonly Finished[];
  constructor(by: readonly Finished[]) {
    super('an earlier transaction of the same tokens was finished');
    this.by = by;
  }
}

interface Spending {
  /** Which tokens: asked again for each plan. */
  readonly choose: () => readonly Token[];
  /** Values of new tokens of one's own, besides what is left over. */
  readonly own: readonly bigint[];
  /** Others' outputs. */
  readonly outputs: readonly Paid[];
  readonly withdraw?: Withdraw;
}

export class Wallet {
  readonly #setting: WalletSetting;
  readonly #secrets: WalletSecrets;
  readonly #phases: Phases;
  readonly #context: TransactionContext;
  readonly #random: RandomBytes;
  readonly #window: number;
  readonly #tokens = new Map<Hex, Token>();
  readonly #pending = new Map<Hex, Transaction>();
  /** Tags of tokens that are spent: a repeated step must not bring them back. */
  readonly #spent = new Set<Hex>();
  /** Tags of tokens that another wallet of this seed may have shown, for all that this one knows: asked about before they are shown. */
  readonly #unasked = new Set<Hex>();
  readonly #markers = new Map<number, Hex>();
  /** One more than the highest number that was paid, by transactions that are certified: a restored wallet finds the same. */
  #paid = 0;
  /** The number of what is asked for next. */
  #next = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #saving: Promise<unknown> = Promise.resolve();

  private constructor(setting: WalletSetting) {
    const { seed, committee, asset, key, gateway, verifier, window = DEFAULT_WINDOW } = setting;
    if (!Number.isInteger(window) || window < 1 || window > 128)
      throw new RangeError(`window: expected 1 to 128, got ${window}`);
    const secrets = new WalletSecrets(seed, key.verificationKey.id);
    this.#setting = setting;
    this.#secrets = secrets;
    this.#random = setting.random ?? randomBytes;
    this.#window = window;
    this.#context = contextOf(committee, asset, key.coconut, key.verificationKey);
    this.#phases = {
      gateway,
      key,
      quorum: quorumOf(committee, asset),
      verifier,
      random: this.#random,
      replyKey: (request) => secrets.replyKey(request),
    };
  }

  /**
   * The wallet of a seed: as the cache has it, or as the services do.
   * @throws {RecoveryIncomplete} without a cache, if fewer than t services answer; `QuorumRefused` for an asset whose services could be divided
   * @example
   * const wallet = await Wallet.open({ seed, committee, asset: 'usd', key, gateway, verifier: await mclVerifier() });
   * await wallet.pay(invoice);
   */
  static async open(setting: WalletSetting): Promise<Wallet> {
    const wallet = new Wallet(setting);
    if (!(await wallet.#load())) await wallet.restore();
    return wallet;
  }

  /** In the asset's smallest unit: what can be spent now. */
  get balance(): bigint {
    return this.tokens.reduce((sum, { value }) => sum + value, 0n);
  }

  /** The largest first. SECRET */
  get tokens(): readonly Token[] {
    return [...this.#tokens.values()].sort(largestFirst);
  }

  // ---------------------------------------------------------------------------------------------- coming in

  /** Something for others to pay. Each call asks for another thing. @param value in the asset's smallest unit, below 2⁶⁴ */
  async invoice(value: bigint): Promise<Invoice> {
    expectValue(value);
    const salt = saltIn(this.#random(8));
    const number = this.#number();
    await this.#save();
    const token = this.#secrets.output({ kind: 'requested', number, salt }, value);
    return invoiceOf(this.#phases.key.keyId, token, this.#secrets.marker(number, salt));
  }

  /**
   * The payment of an invoice of this wallet, if there is one: looked for at the services, finished if its payer was stopped, and verified. May be repeated.
   * @throws {NotPaid} @throws {NetworkRefused} @throws {RecoveryIncomplete}
   */
  receive(invoice: Invoice): Promise<Done> {
    return this.#alone(async () => {
      const marker = outputIn(invoice.marker);
      const token = outputIn(invoice.token);
      const found = await recover(this.#phases, { outputs: [toHex(outputId(marker))] });
      let unheard: NetworkRefused | undefined;
      for (const each of found) {
        const mine = this.#ownIn(each.transaction);
        // Only what this wallet would find again is a payment: a payer who pays the marker and not the token, or a token beside no marker, has not paid.
        if (!mine.some(({ own }) => sameOutput(own.output, token))) continue;
        if (!this.#isProven(each)) continue;
        const done = await this.#finishOrHold(each);
        if (!(done instanceof NetworkRefused)) return done;
        if (this.#isUnheard(done)) unheard ??= done;
      }
      throw (
        unheard ??
        new NotPaid('expected a transaction with the outputs of the invoice, found none that the services signed')
      );
    });
  }

  /** What k depositors have to sign for this wallet to get `value`. The same for the same id, number and amount. @param depositId 32 bytes, the depositors’ */
  async requestDeposit(depositId: Uint8Array, value: bigint): Promise<DepositRequest> {
    const number = this.#number();
    await this.#save();
    return {
      depositId,
      value,
      owner: ownerOf(this.#depositOutputs(number, depositId, value).map(({ output }) => output)),
    };
  }

  /**
   * Turns a signed deposit into a token. May be repeated, and by a wallet that has forgotten that it asked.
   * @throws {NotPaid} for a deposit for others’ outputs @throws {NetworkRefused} @throws {RecoveryIncomplete}
   */
  deposit(deposit: TransactionDeposit): Promise<Done> {
    return this.#alone(async () => {
      const outputs = this.#outputsOf(deposit);
      return this.#send({ inputs: [], outputs, deposits: [deposit] });
    });
  }

  // ---------------------------------------------------------------------------------------------- going out

  /**
   * Pays an invoice, once, however often it is called.
   * @throws {InvoiceRefused} before anything is sent @throws {InsufficientFunds} @throws {NetworkRefused}
   */
  pay(invoice: Invoice): Promise<Done> {
    return this.#alone(async () => {
      const outputs = payable(invoice, this.#phases.key.keyId, this.#setting.verifier);
      const [token] = outputs;
      // As the payee judges it: what it would not find is no payment.
      const pays = ({ outputs: paid }: Transaction) =>
        outputs.every(({ output }) => paid.some((each) => sameOutput(each, output)));
      // One that is held: as long as it may still be certified, another one would pay twice.
      for (const [id, transaction] of this.#pending)
        if (pays(transaction)) return this.#finish({ id, transaction, certificate: undefined });
      // A payer that was stopped and restored does not know what it paid: the services do.
      let unheard: NetworkRefused | undefined;
      for (const each of await recover(this.#phases, { outputs: [toHex(outputId(token.output))] })) {
        if (!pays(each.transaction) || !this.#isProven(each)) continue;
        const done = await this.#finishOrHold(each);
        if (!(done instanceof NetworkRefused)) return done;
        if (this.#pending.has(each.id)) return this.#finish(each);
        if (this.#isUnheard(done)) unheard ??= done;
      }
      // Somebody else's payment of it may still be certified, and another one would buy the same token.
      if (unheard) throw unheard;
      return this.#spend({ choose: () => this.#chosen(token.invoiced.value), own: [], outputs }, pays);
    });
  }

  /** Turns tokens into tokens of these values and what is left. @param values 1 to 7, each above 0 */
  split(values: readonly bigint[]): Promise<Done> {
    if (values.length < 1 || values.length >= MAX_SIDE || values.some((value) => value <= 0n))
      throw new RangeError(`expected 1 to ${MAX_SIDE - 1} values above 0, got ${values.length}`);
    const amount = values.reduce((sum, value) => sum + value, 0n);
    return this.#alone(() => this.#spend({ choose: () => this.#chosen(amount), own: values, outputs: [] }));
  }

  /** Turns the smallest tokens, 2 to 8, into one. @throws {InsufficientFunds} for a wallet with fewer than two */
  merge(): Promise<Done> {
    const choose = (): readonly Token[] => {
      const inputs = [...this.#free].reverse().slice(0, MAX_SIDE);
      if (inputs.length < 2) throw new InsufficientFunds(`expected two tokens to merge, got ${inputs.length}`);
      return inputs;
    };
    return this.#alone(() => this.#spend({ choose, own: [], outputs: [] }));
  }

  /** Takes an amount out of the asset: services tell their client, once for a transaction. Repeated, it takes the amount out once more. */
  withdraw(withdraw: Withdraw): Promise<Done> {
    const amount = expectValue(BigInt(withdraw.amount));
    return this.#alone(() => this.#spend({ choose: () => this.#chosen(amount), own: [], outputs: [], withdraw }));
  }

  /** One transaction of tokens. @param fulfils whether one that was finished on the way is the one that was wanted */
  async #spend(
    { choose, own, outputs, withdraw }: Spending,
    fulfils: (made: Transaction) => boolean = () => false,
  ): Promise<Done> {
    const going = [...own, ...outputs.map(({ invoiced: { value } }) => value), BigInt(withdraw?.amount ?? 0)];
    for (let plan = 0; plan < MOST_PLANS; plan++) {
      const inputs = await this.#asked(choose);
      const left = total(inputs) - going.reduce((sum, value) => sum + value, 0n);
      try {
        return await this.#send({
          inputs: inputs.map(({ credential }) => credential),
          outputs: [...outputs, ...this.#change(inputs, [...own, left])],
          deposits: [],
          ...(withdraw ? { withdraw } : {}),
        });
      } catch (error) {
        if (!(error instanceof Superseded)) throw error;
        const done = error.by.find(({ made }) => fulfils(made));
        if (done) return done;
      }
    }
    throw new InsufficientFunds(`expected tokens that no earlier step needs, got none in ${MOST_PLANS} plans`);
  }

  /** What is chosen when services have been asked about all of it. What is shown is seen in a moment anyway. */
  async #asked(choose: Spending['choose']): Promise<readonly Token[]> {
    for (;;) {
      const inputs = choose();
      const unasked = inputs.flatMap(({ tag }) => (this.#unasked.has(tag) ? [tag] : []));
      if (unasked.length === 0) return inputs;
      await this.#follow(unasked);
    }
  }

  #change(inputs: readonly Token[], values: readonly bigint[]): Paid[] {
    const tags = inputs.map(({ tag }) => tag).sort();
    return values.flatMap((value, position) =>
      value === 0n ? [] : [this.#secrets.output({ kind: 'change', tags, position }, value)],
    );
  }

  /** Tokens that no transaction holds which services may have seen. */
  get #free(): readonly Token[] {
    const held = new Set([...this.#pending.values()].flatMap(({ inputs }) => inputs.map(({ tag }) => toHex(tag))));
    return this.tokens.filter(({ tag }) => !held.has(tag));
  }

  /** The smallest token that is enough, or the largest ones. */
  #chosen(amount: bigint): readonly Token[] {
    if (amount <= 0n) throw new RangeError('expected an amount above 0');
    const all = this.#free;
    const one = all.filter(({ value }) => value >= amount).at(-1);
    if (one) return [one];
    const chosen: Token[] = [];
    for (const token of all) {
      if (total(chosen) >= amount) break;
      chosen.push(token);
    }
    if (total(chosen) < amount) throw new InsufficientFunds('expected enough to pay with, got less');
    if (chosen.length > MAX_SIDE)
      throw new InsufficientFunds(`expected at most ${MAX_SIDE} tokens to pay with, got ${chosen.length}: merge first`);
    return chosen;
  }

  // ---------------------------------------------------------------------------------------------- transactions

  /** From here on services may have seen it. @throws {RangeError} for what no service reads, before it is sent @throws {Superseded} @throws {NetworkRefused} */
  async #send(plan: TransactionPlan): Promise<Finished> {
    // In an order that says nothing: the payee's first and the change last would tell everybody which is which.
    const outputs = [...plan.outputs].sort((a, b) => order(toHex(a.output.commitment), toHex(b.output.commitment)));
    const made = makeTransaction(this.#context, { ...plan, outputs }, this.#setting.verifier, (hash) =>
      this.#secrets.stream('transaction', hash),
    );
    // Nobody would answer it, and it would be waited for and hold its tokens for ever.
    if (!readTransaction(transactionContentOf(made)).ok)
      throw new RangeError('expected a withdrawal or a deposit of the shape and sizes of the messages, got another');
    this.#pending.set(transactionId(made), made);
    await this.#save();
    try {
      const done = await this.#finish({ id: transactionId(made), transaction: made, certificate: undefined });
      // Made of tokens that nobody else had shown: nobody else had what is left of them.
      if (plan.inputs.length > 0)
        for (const { own } of this.#ownIn(made)) this.#unasked.delete(this.#tag(own.opening.attributes));
      return done;
    } catch (error) {
      if (!(error instanceof NetworkRefused)) throw error;
      const instead = await this.#instead(made, error);
      if (instead.length > 0) throw new Superseded(instead);
      throw error;
    }
  }

  /** Both phases, or the second: tokens of one's own among the outputs come in, those among the inputs are gone. */
  async #finish({ id, transaction, certificate }: Found): Promise<Finished> {
    const expected = this.#ownIn(transaction);
    const certified: VoteCertificate = certificate ?? (await certify(this.#phases, transaction));
    const { credentials, culprits, unheard } = await issue(this.#phases, certified, transaction, expected);
    for (const { number = -1 } of expected) this.#paid = Math.max(this.#paid, number + 1);
    for (const { tag } of transaction.inputs) {
      this.#tokens.delete(toHex(tag));
      this.#unasked.delete(toHex(tag));
      this.#spent.add(toHex(tag));
    }
    for (const credential of credentials) this.#keep(credential);
    this.#pending.delete(id);
    // Two transactions of one tag are never both certified: what this one paid with no other one has.
    for (const [other, { inputs }] of this.#pending)
      if (inputs.some(({ tag }) => this.#spent.has(toHex(tag)))) this.#pending.delete(other);
    await this.#save();
    return { transaction: id, culprits, unheard, made: transaction };
  }

  /**
   * @returns the refusal where services refuse it: somebody else's token went elsewhere, or may; one of this wallet's own tokens is held until that is certain
   * @throws {NetworkRefused} if too few were heard to know what became of one's own token, or to have what is certified
   */
  async #finishOrHold(found: Found): Promise<Finished | NetworkRefused> {
    try {
      return await this.#finish(found);
    } catch (error) {
      if (!(error instanceof NetworkRefused)) throw error;
      const own = found.transaction.inputs.some(({ tag }) => this.#tokens.has(toHex(tag)));
      // A payer that divided the locks of its own token must not keep others from what else they have.
      if (this.#isUnheard(error) && (own || error.phase === 'certificate')) throw error;
      if (own && prospectOf(this.#phases.quorum, error) === 'refused') this.#pending.set(found.id, found.transaction);
      return error;
    }
  }

  #isUnheard(refused: NetworkRefused): boolean {
    return prospectOf(this.#phases.quorum, refused) === 'unheard';
  }

  /** After a refusal: what became of these tokens instead. Whoever shows a tag with a valid proof is this wallet, at another time. */
  async #instead(made: Transaction, refused: NetworkRefused): Promise<Finished[]> {
    const finished: Finished[] = [];
    const mine = new Set(made.inputs.map(({ tag }) => toHex(tag)));
    for (const bytes of refused.locking) {
      const reading = readTransaction(fromHex(bytes));
      if (!reading.ok || transactionId(reading.transaction) === transactionId(made)) continue;
      const { transaction } = reading;
      const found = { id: transactionId(transaction), transaction, certificate: undefined };
      if (!this.#isOfOne(found, mine)) continue;
      const done = await this.#finishOrHold(found);
      if (!(done instanceof NetworkRefused)) finished.push(done);
    }
    const spent = refused.refusals.some(({ refusal }) => refusal.reason === 'Spent');
    if (finished.length === 0 && spent && mine.size > 0) await this.#follow([...mine]);
    // One that can never be certified is forgotten; any other has to be finished before its tokens are used.
    if (finished.length > 0 || prospectOf(this.#phases.quorum, refused) === 'never') {
      this.#pending.delete(transactionId(made));
      await this.#save();
    }
    return finished;
  }

  /** Whether it shows one of these tags, and is proven. A service may send anything in the name of a lock. */
  #isOfOne(found: Pick<Found, 'transaction' | 'certificate'>, tags: ReadonlySet<Hex>): boolean {
    return found.transaction.inputs.some(({ tag }) => tags.has(toHex(tag))) && this.#isProven(found);
  }

  /** Whether t services have voted for it, or it proves itself: one service may have anything stored. */
  #isProven({ transaction, certificate }: Pick<Found, 'transaction' | 'certificate'>): boolean {
    if (certificate) return true;
    return verifyTransaction(this.#context, transaction, this.#setting.verifier, this.#random).ok;
  }

  /** Finishes what was begun. @throws {NetworkRefused} if too few were heard to know; what is refused, and not for ever, stays and holds its tokens */
  async #settle(): Promise<void> {
    for (const [id, transaction] of [...this.#pending]) {
      if (!this.#pending.has(id)) continue;
      try {
        await this.#finish({ id, transaction, certificate: undefined });
      } catch (error) {
        if (!(error instanceof NetworkRefused)) throw error;
        await this.#instead(transaction, error);
        if (this.#pending.has(id) && this.#isUnheard(error)) throw error;
      }
    }
  }

  // ---------------------------------------------------------------------------------------------- finding

  /**
   * Everything from the seed alone: what others paid, by the markers; then what became of it, token by token, by their tags.
   * @throws {RecoveryIncomplete} @throws {NetworkRefused} if something is begun that cannot be finished now
   */
  restore(): Promise<void> {
    return this.#alone(async () => {
      for (let from = 0; from < this.#paid + this.#window; ) {
        const to = this.#paid + this.#window;
        const outputs = Array.from({ length: to - from }, (_, k) => this.#markerId(from + k));
        for (const found of await recover(this.#phases, { outputs })) {
          const fresh = this.#ownIn(found.transaction).length > 0;
          if (fresh && this.#isProven(found)) await this.#finishOrHold(found);
        }
        from = to;
      }
      this.#next = this.#paid;
      await this.#follow([...this.#tokens.keys()]);
    });
  }

  /** What was paid with these tokens, with the change of that, and so on. Of no others: whoever is asked learns that all of them are one wallet's. */
  async #follow(tags: readonly Hex[]): Promise<void> {
    const known = new Set(this.#tokens.keys());
    for (let next = [...tags]; next.length > 0; ) {
      const ours = new Set(next);
      // Not finished means not known to be spent and not known to be free: nothing may be made of the token, so the error is the caller's.
      for (const found of await recover(this.#phases, { tags: next }))
        if (this.#isOfOne(found, ours)) await this.#finishOrHold(found);
      for (const tag of next) this.#unasked.delete(tag);
      next = [...this.#tokens.keys()].filter((tag) => !known.has(tag));
      for (const tag of next) known.add(tag);
    }
  }

  /** Outputs that are this wallet's own, with amounts: markers and nothings are left out. Whoever was given an invoice can put them anywhere, so they move nothing by themselves. */
  #ownIn({ inputs, outputs }: Transaction): readonly Own[] {
    const mine: Own[] = [];
    const tags = inputs.map(({ tag }) => toHex(tag)).sort();
    const add = (position: number, own: Own['own'] | undefined, number?: number) => {
      if (own && own.invoiced.value > 0n) mine.push({ position, own, ...(number === undefined ? {} : { number }) });
    };
    for (const [position, output] of outputs.entries())
      for (let k = 0; k < MAX_SIDE && tags.length > 0; k++)
        add(position, this.#secrets.recognise({ kind: 'change', tags, position: k }, output));
    for (const { number, salt } of this.#requestsIn(outputs))
      for (const [position, output] of outputs.entries())
        add(position, this.#secrets.recognise({ kind: 'requested', number, salt }, output), number);
    return mine;
  }

  #requestsIn(outputs: Transaction['outputs']): { readonly number: number; readonly salt: bigint }[] {
    const most = Math.max(this.#next, this.#paid) + this.#window;
    const ids = new Map(outputs.map((output) => [toHex(outputId(output)), output]));
    return Array.from({ length: most }, (_, number) => number).flatMap((number) => {
      const known = this.#markers.get(number);
      const candidates = known === undefined ? outputs : [ids.get(known)].filter((each) => each !== undefined);
      return candidates.flatMap((output) => {
        const salt = this.#secrets.saltOf(number, output);
        return salt === undefined ? [] : [{ number, salt }];
      });
    });
  }

  #markerId(number: number): Hex {
    const id = this.#markers.get(number) ?? this.#secrets.markerId(number, this.#random);
    this.#markers.set(number, id);
    return id;
  }

  #keep(credential: Credential): void {
    const tag = this.#tag(credential.attributes);
    if (this.#spent.has(tag)) return;
    if (!this.#tokens.has(tag)) this.#unasked.add(tag);
    this.#tokens.set(tag, { tag, value: credential.attributes[VALUE] ?? 0n, credential });
  }

  #tag([serial]: readonly bigint[]): Hex {
    if (serial === undefined) throw new CoconutError('BadAttributes', 'a serial', 'none');
    return tagOf(serial, this.#random);
  }

  // ---------------------------------------------------------------------------------------------- what is asked for

  /** Numbers beyond the window would not be looked for: the oldest that was not paid is used again, with another salt. */
  #number(): number {
    const number = this.#next < this.#paid + this.#window ? Math.max(this.#next, this.#paid) : this.#paid;
    this.#next = number + 1;
    return number;
  }

  #depositOutputs(number: number, depositId: Uint8Array, value: bigint): Paid[] {
    // Of the id, and of nothing that is not in the deposit: a wallet that forgot everything makes the same.
    const salt = saltIn(new Uint8Array(createHash('sha256').update(depositId).digest()));
    const token = this.#secrets.output({ kind: 'requested', number, salt }, value);
    const marker = this.#secrets.marker(number, salt);
    return [token, marker].sort((a, b) => order(toHex(a.output.commitment), toHex(b.output.commitment)));
  }

  /** The outputs that the depositors signed for, found among all numbers that this wallet may have used. */
  #outputsOf({ depositId, value, owner }: TransactionDeposit): Paid[] {
    const next = Math.max(this.#next, this.#paid);
    const ahead = Array.from({ length: this.#window + 1 }, (_, i) => next + i);
    const before = Array.from({ length: next }, (_, i) => next - 1 - i);
    // Mostly the last that was asked for. A wallet that forgot has numbers ahead of those it knows.
    for (const number of [...before.slice(0, 1), ...ahead, ...before.slice(1)]) {
      const outputs = this.#depositOutputs(number, depositId, value);
      if (toHex(ownerOf(outputs.map(({ output }) => output))) === toHex(owner)) return outputs;
    }
    throw new NotPaid('expected a deposit for outputs of this wallet, got one for others');
  }

  // ---------------------------------------------------------------------------------------------- one at a time, and what is kept

  /** One step after another: two at once would choose the same tokens. */
  #alone<T>(step: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(async () => {
      await this.#settle();
      return step();
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #load(): Promise<boolean> {
    const bytes = await this.#setting.cache?.load();
    const kept = bytes && openCache(this.#secrets.cacheKey(), bytes);
    if (!kept) return false;
    this.#next = kept.next;
    this.#paid = kept.paid;
    for (const tag of kept.spent) this.#spent.add(tag);
    for (const token of kept.tokens) this.#keep(decodeCredential(fromHex(token), TOKEN_ATTRIBUTES));
    for (const pending of kept.pending) {
      const reading = readTransaction(fromHex(pending));
      if (reading.ok) this.#pending.set(transactionId(reading.transaction), reading.transaction);
    }
    return true;
  }

  /** One after another, each as things are when it begins: an earlier state that is written last would bring back tokens that are being spent. */
  #save(): Promise<void> {
    const save = this.#saving.then(() => this.#saveNow());
    this.#saving = save.catch(() => {});
    return save;
  }

  async #saveNow(): Promise<void> {
    const { cache } = this.#setting;
    if (!cache) return;
    const tokens = this.tokens.map(({ credential }) => toHex(encodeCredential(credential)));
    const pending = [...this.#pending.values()].map((each) => toHex(encodeTransaction(each)));
    const kept = { next: this.#next, paid: this.#paid, tokens, spent: [...this.#spent], pending };
    await cache.save(sealCache(this.#secrets.cacheKey(), kept));
  }
}

function total(tokens: readonly Token[]): bigint {
  return tokens.reduce((sum, { value }) => sum + value, 0n);
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function largestFirst(a: Token, b: Token): number {
  if (a.value !== b.value) return a.value > b.value ? -1 : 1;
  return order(a.tag, b.tag);
}

/** The first 8 bytes as a number. */
function saltIn(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
}
