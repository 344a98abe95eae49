/**
 * A malicious client and f malicious services against the honest ones, by seed: every transaction may be a second spending, is shown to some services only, twice and
 * late, and services die before and after their port calls. The auditor sees what honest services accepted, and owns no secret.
 */
import { Crash } from '../../lib/local/gate.ts';
import { SeededRandom } from '../../lib/local/random.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { signVote, type Vote } from '../../lib/messages/tokens.ts';
import { voteOf } from '../../lib/signing-service/certificate.ts';
import type { TransactionMessage } from '../../lib/signing-service/scheme.ts';
import type { CertificateMessage } from '../../lib/signing-service/service.ts';
import { bytesOf } from '../messages/fixtures.ts';
import { id32, idOf, type Plain, PlainScheme, tag, transaction } from '../signing-service/plain.ts';
import { signatureSecret, TokenWorld } from '../signing-service/world.ts';

export interface Setting {
  readonly n: number;
  readonly t: number;
  readonly f: number;
  /** Of the client. */
  readonly steps?: number;
  /** Told to start where 2t ≤ n + f. */
  readonly unsafe?: boolean;
}

export interface Outcome {
  /** What is wrong, in sentences; empty if the supply adds up. */
  readonly violations: readonly string[];
  readonly effective: number;
  readonly crashes: number;
  readonly refused: number;
}

/** A transaction as its maker and the auditor know it. `consumes`: serials and deposits. */
interface Known {
  readonly message: TransactionMessage;
  readonly id: Hex;
  readonly consumes: readonly string[];
  readonly outputs: readonly { readonly name: string; readonly value: number }[];
  readonly deposited: number;
  readonly withdrawn: number;
  readonly votes: Map<number, Hex>;
  vote: Vote | undefined;
}

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
  #crashes = 0;
  #refused = 0;
  #names = 0;

  constructor(seed: number, setting: Setting, world: TokenWorld) {
    this.#setting = setting;
    this.#world = world;
    this.#random = new SeededRandom(bytesOf(`simulation ${seed}`), 'tokens');
    this.#honest = Array.from({ length: setting.n - setting.f }, (_, i) => setting.f + 1 + i);
    world.cloud.intercept(({ namespace, when }) => {
      const dying = this.#dying.get(namespace);
      if (dying?.when !== when || dying.calls-- > 0) return;
      this.#dying.delete(namespace);
      this.#crashes++;
      throw new Crash(`${when} a port call`);
    });
  }

  async run(): Promise<Outcome> {
    const { steps = 14 } = this.#setting;
    for (let step = 0; step < steps; step++) {
      const rivals = this.#below(2) === 0 ? [this.#made()] : this.#rivals();
      this.#known.push(...rivals);
      for (const known of rivals) this.#send(known);
      await this.#deliver(this.#below(this.#pending.length + 1));
      this.#certify();
      await this.#deliver(this.#below(this.#pending.length + 1));
      this.#audit();
    }
    // Whatever is on its way arrives, nobody dies any more, and the supply is the same.
    this.#dying.clear();
    for (let round = 0; round < 3; round++) {
      await this.#deliver(this.#pending.length, false);
      this.#certify(true);
    }
    await this.#deliver(this.#pending.length, false);
    this.#audit();
    return {
      violations: [...this.#violations],
      effective: this.#effective.size,
      crashes: this.#crashes,
      refused: this.#refused,
    };
  }

  #below(bound: number): number {
    return this.#random.bytes(4).reduce((sum, byte) => sum * 256 + byte, 0) % Math.max(bound, 1);
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
    const plain: Plain = {
      tags: isDeposit ? [] : [tag(name)],
      deposits: isDeposit ? [{ depositId: id32(name), value }] : [],
      outputs: outputs.map((each) => each.name),
      ...(withdrawn > 0 ? { withdraw: { amount: `${withdrawn}`, recipient: 'btc:x', memo: `${this.#names++}` } } : {}),
    };
    const message = transaction(plain);
    const deposited = isDeposit ? value : 0;
    return {
      message,
      id: idOf(message),
      consumes: [name],
      outputs,
      deposited,
      withdrawn,
      votes: new Map(),
      vote: undefined,
    };
  }

  #rivals(): Known[] {
    const one = this.#made();
    return [one, this.#made(one.consumes[0])];
  }

  /** To some, to some of them twice; the malicious vote for whatever they are shown. */
  #send(known: Known): void {
    const read = this.#scheme.read(known.message);
    if (!read.ok) throw new Error('a transaction of the simulation does not read');
    known.vote = voteOf(read.transaction);
    const { context } = this.#world.service(this.#setting.n).quorum;
    for (let index = 1; index <= this.#setting.f; index++)
      known.votes.set(index, signVote(context, known.vote, signatureSecret(index)));
    const share = 1 + this.#below(3);
    for (const index of this.#honest)
      for (let copies = this.#below(share + 1); copies > 0; copies--)
        this.#later({ kind: 'transaction', known, index });
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
        if (everywhere || this.#below(4) === 0) this.#later({ kind: 'certificate', known, index, body });
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

  async #process(request: Request, deaths: boolean): Promise<void> {
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
        this.#refused++;
        return;
      }
      this.#same(`${index} ${request.kind} ${known.id}`, JSON.stringify(answer));
      if ('vote' in answer) this.#voted(index, known, answer.signature);
      else this.#accepted(known);
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      // The queue brings it again.
      this.#later(request);
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
    for (const { name, value } of known.outputs) this.#values.set(name, value);
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
