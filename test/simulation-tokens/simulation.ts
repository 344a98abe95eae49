/**
 * A malicious client and f malicious services against the honest ones, by seed: every transaction may be a second spending, is shown to some services only, twice and
 * late, services die before and after their port calls, and one of them may get its tables back from a backup. Between them honest wallets pay each other, die at any step and are
 * restored from their seeds. The auditor sees what honest services accepted, and owns no secret.
 */
import type { TableSnapshot } from '../../lib/local/cloud.ts';
import { Crash } from '../../lib/local/gate.ts';
import { SeededRandom } from '../../lib/local/random.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { signVote, type Vote } from '../../lib/messages/tokens.ts';
import { parseCertificateBytes, voteOf } from '../../lib/signing-service/certificate.ts';
import { spentUnder } from '../../lib/signing-service/gossip.ts';
import { type RecoverBy, recover } from '../../lib/signing-service/recover.ts';
import type { TransactionMessage } from '../../lib/signing-service/scheme.ts';
import type { CertificateMessage, Issued, Refused, Voted } from '../../lib/signing-service/service.ts';
import { bytesOf } from '../messages/fixtures.ts';
import { ASSET, EPOCH, id32, idOf, type Plain, PlainScheme, tag, transaction } from '../signing-service/plain.ts';
import { signatureSecret, TokenWorld } from '../signing-service/world.ts';
import { HonestWallet, type Known as KnownByAll, type Planned, type Surroundings } from './honest-wallet.ts';

export interface Setting {
  readonly n: number;
  readonly t: number;
  readonly f: number;
  /** Of the client. */
  readonly steps?: number;
  /** Told to start where 2t ≤ n + f. */
  readonly unsafe?: boolean;
  /** Honest wallets; default 2. */
  readonly wallets?: number;
}

/** What has to happen for a run to say anything: a simulation in which nothing happens finds nothing. */
export const EVENTS = [
  'doubleSpends',
  'lockConflicts',
  'crashes',
  'crashesAfterLock',
  'duplicates',
  'lostAnswers',
  'walletsKilled',
  'walletsRestored',
  'gossipFilled',
  'readOnly',
  'refused',
  'certified',
] as const;
export type Event = (typeof EVENTS)[number];
export type Counts = Readonly<Record<Event, number>>;

export interface Outcome {
  /** What is wrong, in sentences; empty if the supply adds up. */
  readonly violations: readonly string[];
  readonly counts: Counts;
}

interface Known extends KnownByAll {
  readonly message: TransactionMessage;
  readonly deposited: number;
  readonly withdrawn: number;
  readonly votes: Map<number, Hex>;
  vote: Vote | undefined;
}

type Answer = Voted | Issued | Refused;

type Request =
  | { readonly kind: 'transaction'; readonly known: Known; readonly index: number }
  | { readonly kind: 'certificate'; readonly known: Known; readonly index: number; readonly body: CertificateMessage };

export async function simulate(seed: number, setting: Setting): Promise<Outcome> {
  const world = await TokenWorld.create({
    n: setting.n,
    t: setting.t,
    f: setting.f,
    ...(setting.unsafe ? { simulation: { allowIntersectionsWithoutHonest: true } } : {}),
  });
  return new Simulation(seed, setting, world).run();
}

class Simulation {
  readonly #setting: Setting;
  readonly #world: TokenWorld;
  readonly #random: SeededRandom;
  readonly #honest: readonly number[];
  readonly #scheme = new PlainScheme();
  readonly #known: Known[] = [];
  readonly #effective = new Map<Hex, Known>();
  readonly #pending: Request[] = [];
  /** Accepted answers by service and request. */
  readonly #said = new Map<string, string>();
  /** Which service was shown which transaction's certificate. */
  readonly #shown = new Set<string>();
  readonly #votedFor = new Map<string, Hex>();
  readonly #values = new Map<string, number>();
  readonly #violations = new Set<string>();
  readonly #dying = new Map<string, { calls: number; readonly when: 'before' | 'after' }>();
  readonly #counts = Object.fromEntries(EVENTS.map((event) => [event, 0])) as Record<Event, number>;
  readonly #wallets: readonly HonestWallet<Known>[];
  #backup: { readonly index: number; readonly tables: readonly TableSnapshot[] } | undefined;
  #names = 0;
  #deaths = true;

  constructor(seed: number, setting: Setting, world: TokenWorld) {
    this.#setting = setting;
    this.#world = world;
    this.#random = new SeededRandom(bytesOf(`simulation ${seed}`), 'tokens');
    this.#honest = Array.from({ length: setting.n - setting.f }, (_, i) => setting.f + 1 + i);
    this.#wallets = Array.from(
      { length: setting.wallets ?? 2 },
      (_, i) => new HonestWallet<Known>(`wallet ${i}`, this.#surroundings()),
    );
    world.cloud.intercept((call) => {
      const { namespace, when } = call;
      const dying = this.#dying.get(namespace);
      if (dying?.when !== when || dying.calls-- > 0) return;
      this.#dying.delete(namespace);
      this.#counts.crashes++;
      const locks =
        call.operation === 'transact' && call.args[0].some(({ kind, table }) => kind === 'put' && table === 'Serials');
      if (locks && when === 'after') this.#counts.crashesAfterLock++;
      throw new Crash(`${when} a port call`);
    });
  }

  async run(): Promise<Outcome> {
    const { steps = 10 } = this.#setting;
    for (let step = 0; step < steps; step++) {
      const rivals = this.#below(2) === 0 ? [this.#made()] : this.#rivals();
      this.#known.push(...rivals);
      for (const known of rivals) this.#send(known);
      await this.#deliver(this.#below(this.#pending.length + 1));
      this.#certify();
      await this.#deliver(this.#below(this.#pending.length + 1));
      const [payer, payee] = [this.#pick(this.#wallets), this.#pick(this.#wallets)];
      if (payer && payee) await payer.step(payee);
      this.#copyTables(step, steps);
      await this.#gossip();
      this.#audit();
    }
    // Whatever is on its way arrives, nobody dies any more, and the supply is the same.
    this.#dying.clear();
    this.#deaths = false;
    for (let round = 0; round < 3; round++) {
      await this.#deliver(this.#pending.length, false);
      this.#certify(true);
    }
    await this.#deliver(this.#pending.length, false);
    this.#audit();
    await this.#restoreAll();
    this.#audit();
    return {
      violations: [...this.#violations],
      counts: {
        ...this.#counts,
        certified: this.#effective.size,
        lockConflicts: this.#world.reported('SerialConflict').length,
      },
    };
  }

  /** Every wallet from its seed alone: it has what the auditor says is its own, and all of it is good. */
  async #restoreAll(): Promise<void> {
    for (const wallet of this.#wallets) {
      await wallet.restored();
      const spent = new Set([...this.#effective.values()].flatMap(({ consumes }) => consumes));
      const own = [...this.#effective.values()]
        .flatMap(({ outputs }) => outputs)
        .filter(({ name, value }) => value > 0 && name.startsWith(`${wallet.name} `) && !spent.has(name));
      const due = own.reduce((sum, { value }) => sum + value, 0);
      if (wallet.balance !== due) this.#violations.add(`a restored wallet has ${wallet.balance} of ${due}`);
    }
    for (const wallet of this.#wallets) {
      const before = wallet.balance;
      if ((await wallet.withdrawAll()) !== before) this.#violations.add('a restored wallet has what it cannot spend');
    }
  }

  #surroundings(): Surroundings<Known> {
    const { n, f, t } = this.#setting;
    return {
      t,
      services: () => this.#shuffled(Array.from({ length: n }, (_, i) => i + 1)),
      chance: (bound) => this.#below(bound),
      plan: (planned) => this.#planned(planned),
      known: (id) => this.#known.find((known) => known.id === id),
      certificate: (known) => (this.#effective.has(known.id) ? known.votes : undefined),
      vote: async (index, known) => {
        const vote = known.vote;
        if (!vote) throw new Error('a transaction that was never sent');
        const { context } = this.#world.service(n).quorum;
        // The malicious vote for whatever they are shown.
        if (index <= f) return { vote, signature: signVote(context, vote, signatureSecret(index)) };
        const answer = await this.#asked({ kind: 'transaction', known, index });
        if (!answer) return undefined;
        if ('vote' in answer) return answer;
        if (!('refusal' in answer)) throw new Error('a transaction was answered as a certificate is');
        const { refusal } = answer;
        return refusal.reason === 'Locked' ? { ...refusal, transaction: this.#idIn(refusal.transaction) } : refusal;
      },
      issue: async (index, known, votes) => {
        const { vote } = known;
        if (index <= f || !vote) return false;
        const all = [...votes].map(([at, signature]) => ({ index: at, signature })).sort((a, b) => a.index - b.index);
        const body = { vote, signatures: all.slice(0, t), transaction: known.message.proof };
        const answer = await this.#asked({ kind: 'certificate', known, index, body });
        return answer && !('refusal' in answer);
      },
      recover: async (index, by) => (index <= f ? [] : this.#told(index, by)),
      count: (what) => {
        const events = { killed: 'walletsKilled', restored: 'walletsRestored' } as const;
        this.#counts[events[what]]++;
      },
    };
  }

  #planned({ consumes, outputs, withdrawn }: Planned): Known {
    const known = this.#knownOf(consumes, outputs, withdrawn, consumes.startsWith('deposit') ? 10 : 0);
    const before = this.#known.find(({ id }) => id === known.id);
    if (before) return before;
    this.#known.push(known);
    return this.#votedByMalicious(known);
  }

  #idIn(bytes: Hex): Hex {
    const read = this.#scheme.read(Buffer.from(bytes.slice(2), 'hex'));
    return read.ok ? read.transaction.id : bytes;
  }

  /** Until the service lives: its queue brings the request again. The answer may be lost. */
  async #asked(request: Request): Promise<Answer | undefined> {
    for (;;) {
      const answer = await this.#process(request, this.#deaths, true);
      if (answer === 'died') continue;
      if (this.#deaths && this.#below(12) === 0) {
        this.#counts.lostAnswers++;
        return undefined;
      }
      return answer;
    }
  }

  /** What dies is brought again. */
  async #alive<T>(doing: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await doing();
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
      }
    }
  }

  /** All pages. */
  async #told(index: number, by: RecoverBy): Promise<readonly Hex[]> {
    const ids: Hex[] = [];
    for (let question = by; ; ) {
      const asked = question;
      const { issued, next } = await this.#alive(() => recover(this.#world.store(index), ASSET, EPOCH, asked));
      ids.push(...issued.map((each) => this.#idIn(each.transaction)));
      if (!next || 'tags' in question) return ids;
      question = { ...question, after: next };
    }
  }

  /** At most one honest service has its tables again as they were some steps before: what it has locked since then is forgotten. */
  #copyTables(step: number, steps: number): void {
    const { cloud } = this.#world;
    if (!this.#backup) {
      const index = this.#pick(this.#honest);
      if (index === undefined || this.#below(steps) > 1) return;
      const tables = (['Serials', 'Issuance'] as const).filter(() => this.#below(3) > 0);
      const namespace = this.#world.namespace(index);
      this.#backup = { index, tables: tables.map((table) => cloud.snapshotTable(namespace, table)) };
    } else if (this.#below(4) === 0 && step > 2) {
      const { index, tables } = this.#backup;
      for (const table of tables) cloud.restoreTable(this.#world.namespace(index), table);
      this.#backup = { index, tables: [] };
    }
  }

  /** Two honest services tell each other what is spent. */
  async #gossip(): Promise<void> {
    const [from, to] = [this.#pick(this.#honest), this.#pick(this.#honest)];
    if (from === undefined || to === undefined || from === to) return;
    const place = { asset: ASSET, epoch: EPOCH };
    const names = [...this.#effective.values()].flatMap(({ consumes }) => consumes);
    const tags = names.filter((name) => !name.startsWith('deposit')).map(tag);
    const spentAt = (index: number) => this.#alive(() => spentUnder(this.#world.store(index), place, tags));
    const known = new Set(await spentAt(to));
    for (const bytes of await spentAt(from)) {
      const certificate = parseCertificateBytes(Buffer.from(bytes.slice(2), 'hex'));
      if (!certificate) throw new Error('a stored certificate is none');
      if (known.has(bytes)) continue;
      // From now on a vote for it decides nothing there.
      this.#shown.add(`${to} ${certificate.vote.transaction}`);
      if (await this.#alive(() => this.#world.made(to).learn(certificate))) this.#counts.gossipFilled++;
    }
  }

  #below(bound: number): number {
    return this.#random.bytes(4).reduce((sum, byte) => sum * 256 + byte, 0) % Math.max(bound, 1);
  }

  #shuffled<T>(all: readonly T[]): T[] {
    const order: T[] = [];
    for (const each of all) order.splice(this.#below(order.length + 1), 0, each);
    return order;
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[this.#below(from.length)];
  }

  /** Balanced, as proofs would have it. @param of what is consumed, where a rival consumes the same */
  #made(of?: string): Known {
    const consumed = of ?? (this.#below(3) === 0 ? undefined : this.#pick([...this.#values.keys()]));
    const fresh = consumed === undefined;
    const name = consumed ?? `deposit ${this.#names++}`;
    const value = this.#values.get(name) ?? 10;
    const isDeposit = name.startsWith('deposit');
    // Whatever was deposited or paid stays in the list: the client tries all of it again.
    if (fresh) this.#values.set(name, value);
    const withdrawn = !isDeposit && this.#below(3) === 0 ? 1 + this.#below(value) : 0;
    const rest = value - withdrawn;
    const first = 1 + this.#below(rest);
    const outputs = (rest === 0 ? [] : [first, rest - first])
      .filter((each) => each > 0)
      .map((each) => ({ name: `token ${this.#names++}`, value: each }));
    return this.#knownOf(name, outputs, withdrawn, isDeposit ? value : 0);
  }

  #knownOf(name: string, outputs: Known['outputs'], withdrawn: number, deposited: number): Known {
    const plain: Plain = {
      tags: deposited > 0 ? [] : [tag(name)],
      deposits: deposited > 0 ? [{ depositId: id32(name), value: deposited }] : [],
      outputs: outputs.map((each) => each.name),
      ...(withdrawn > 0 ? { withdraw: { amount: `${withdrawn}`, recipient: 'btc:x', memo: `of ${name}` } } : {}),
    };
    const message = transaction(plain);
    const id = idOf(message);
    return { message, id, consumes: [name], outputs, deposited, withdrawn, votes: new Map(), vote: undefined };
  }

  /** The malicious vote for whatever they are shown. */
  #votedByMalicious(known: Known): Known {
    const read = this.#scheme.read(known.message);
    if (!read.ok) throw new Error('a transaction of the simulation does not read');
    known.vote = voteOf(read.transaction);
    const { context } = this.#world.service(this.#setting.n).quorum;
    for (let index = 1; index <= this.#setting.f; index++)
      known.votes.set(index, signVote(context, known.vote, signatureSecret(index)));
    return known;
  }

  #rivals(): Known[] {
    const one = this.#made();
    this.#counts.doubleSpends++;
    return [one, this.#made(one.consumes[0])];
  }

  /** To some, to some of them twice; the malicious vote for whatever they are shown. */
  #send(known: Known): void {
    this.#votedByMalicious(known);
    const share = 1 + this.#below(3);
    for (const index of this.#honest)
      for (let copies = this.#below(share + 1), left = copies; left > 0; left--) {
        if (left < copies) this.#counts.duplicates++;
        this.#later({ kind: 'transaction', known, index });
      }
  }

  #later(request: Request): void {
    this.#pending.splice(this.#below(this.#pending.length + 1), 0, request);
  }

  #certify(everywhere = false): void {
    for (const known of this.#known) {
      const { vote, votes } = known;
      if (!vote || votes.size < this.#setting.t) continue;
      const all = [...votes].map(([index, signature]) => ({ index, signature })).sort((a, b) => a.index - b.index);
      // Which t of them is the client's choice.
      const from = this.#below(all.length - this.#setting.t + 1);
      const signatures = all.slice(from, from + this.#setting.t);
      const body = { vote, signatures, transaction: known.message.proof };
      for (const index of this.#honest)
        if (this.#below(everywhere && !this.#said.has(`${index} certificate ${known.id}`) ? 1 : 8) === 0)
          this.#later({ kind: 'certificate', known, index, body });
    }
  }

  /** Several at once, at one service perhaps. */
  async #deliver(count: number, deaths = true): Promise<void> {
    for (let left = count; left > 0; ) {
      const batch = this.#pending.splice(0, Math.min(left, 1 + this.#below(4)));
      if (batch.length === 0) return;
      left -= batch.length;
      await Promise.all(batch.map((request) => this.#process(request, deaths)));
    }
  }

  /** @param waits whether somebody waits for the answer: then what died is told, and brought again by whoever waits */
  async #process(request: Request, deaths: boolean, waits = false): Promise<Answer | 'died'> {
    const { index, known } = request;
    if (deaths && this.#below(6) === 0)
      this.#dying.set(this.#world.namespace(index), {
        calls: this.#below(8),
        when: this.#below(2) ? 'before' : 'after',
      });
    // Every delivery is a new process.
    const service = this.#world.made(index);
    if (request.kind === 'certificate') this.#shown.add(`${index} ${known.id}`);
    try {
      const answer =
        request.kind === 'transaction' ? await service.process(known.message) : await service.process(request.body);
      if ('refusal' in answer) {
        this.#counts.refused++;
        if (answer.refusal.reason === 'ReadOnly') this.#counts.readOnly++;
        return answer;
      }
      this.#same(`${index} ${request.kind} ${known.id}`, JSON.stringify(answer));
      if ('vote' in answer) this.#voted(index, known, answer.signature);
      else this.#accepted(known);
      return answer;
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      // The queue brings it again.
      if (!waits) this.#later(request);
      return 'died';
    }
  }

  #same(request: string, answer: string): void {
    if ((this.#said.get(request) ?? answer) !== answer) this.#violations.add('one request was answered in two ways');
    this.#said.set(request, answer);
  }

  #voted(index: number, known: Known, signature: Hex): void {
    known.votes.set(index, signature);
    // Whoever has a transaction's certificate may add a vote that decides nothing any more, whatever it voted for before.
    if (this.#shown.has(`${index} ${known.id}`)) return;
    for (const name of known.consumes) {
      const place = `${index} ${name}`;
      if ((this.#votedFor.get(place) ?? known.id) !== known.id)
        this.#violations.add('an honest service voted for two transactions of one serial');
      this.#votedFor.set(place, known.id);
    }
  }

  #accepted(known: Known): void {
    this.#effective.set(known.id, known);
    // Honest wallets keep their serials to themselves.
    for (const { name, value } of known.outputs)
      if (!this.#wallets.some((wallet) => name.includes(wallet.name))) this.#values.set(name, value);
  }

  #audit(): void {
    const all = [...this.#effective.values()];
    const consumed = all.flatMap(({ consumes }) => consumes);
    const spent = new Set(consumed);
    if (spent.size < consumed.length) this.#violations.add('double spend: one serial in two certified transactions');
    const sum = (values: readonly number[]) => values.reduce((total, each) => total + each, 0);
    const issued = sum(all.map(({ deposited }) => deposited));
    const redeemed = sum(all.map(({ withdrawn }) => withdrawn));
    const unspent = all.flatMap(({ outputs }) => outputs).filter(({ name }) => !spent.has(name));
    if (issued - redeemed !== sum(unspent.map(({ value }) => value)))
      this.#violations.add('issued − redeemed is not outstanding');
    for (const { index, notice } of this.#world.withdrawals) {
      const withdrawn = this.#known.find(({ id }) => id === notice.transaction)?.withdrawn;
      if (index > this.#setting.f && `${withdrawn}` !== notice.amount)
        this.#violations.add('a withdrawal was announced that nobody made');
    }
  }
}
