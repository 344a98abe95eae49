/**
 * A wallet that follows the rules of `lib/wallet` over the stand-in scheme: everything follows from its name, it finishes what it began before it begins anything else, it dies at any of its
 * steps, and it is restored from its name alone: what others paid by markers, what became of it by tags.
 */
import type { Hex } from '../../lib/messages/hex.ts';
import type { Vote } from '../../lib/messages/tokens.ts';
import type { RecoverBy } from '../../lib/signing-service/recover.ts';
import type { Refusal } from '../../lib/signing-service/service.ts';
import { id32, tag } from '../signing-service/plain.ts';

/** A transaction as its maker and the auditor know it. `consumes`: names of tokens and deposits. */
export interface Known {
  readonly id: Hex;
  readonly consumes: readonly string[];
  readonly outputs: readonly { readonly name: string; readonly value: number }[];
}

export interface Planned {
  readonly consumes: string;
  readonly outputs: Known['outputs'];
  readonly withdrawn: number;
}

/** What the wallet is not: services that die and answer twice, a network that loses answers, and chance. */
export interface Surroundings<K extends Known> {
  readonly t: number;
  /** In any order. */
  services(): readonly number[];
  /** Below a bound. */
  chance(bound: number): number;
  plan(planned: Planned): K;
  known(id: Hex): K | undefined;
  /** Votes of a transaction that services have stored as certified. */
  certificate(known: K): ReadonlyMap<number, Hex> | undefined;
  vote(index: number, known: K): Promise<{ readonly vote: Vote; readonly signature: Hex } | Refusal | undefined>;
  issue(index: number, known: K, votes: ReadonlyMap<number, Hex>): Promise<boolean | undefined>;
  /** Ids of what the service has stored; nothing where it does not say. */
  recover(index: number, by: RecoverBy): Promise<readonly Hex[] | undefined>;
  count(what: 'killed' | 'restored'): void;
}

/** The wallet's process ends here. */
class Killed extends Error {}

const WINDOW = 6;
const DEPOSIT = 10;
/** Deaths of one step. */
const LIVES = 2;
/** Times that something is asked again whose answer was lost. */
const TIMES = 12;

export class HonestWallet<K extends Known> {
  readonly name: string;
  readonly #world: Surroundings<K>;
  /** What it would have in memory. */
  readonly tokens = new Map<string, number>();
  readonly #spent = new Set<string>();
  /** Ids of what is being finished: what leads back to it goes no further. */
  readonly #finishing = new Set<Hex>();
  #pending: K | undefined;
  #deposits = 0;
  #invoices = 0;
  #mortal = true;

  constructor(name: string, world: Surroundings<K>) {
    this.name = name;
    this.#world = world;
  }

  get balance(): number {
    return [...this.tokens.values()].reduce((sum, value) => sum + value, 0);
  }

  /** Names of a token, and of the marker beside it: with salt, since a number may be used again by a wallet that forgot. */
  invoice(value: number): Known['outputs'] {
    const number = this.#invoices++ % WINDOW;
    const salt = this.#world.chance(1_000_000);
    return [
      { name: `${this.name} token ${number}.${salt}`, value },
      { name: `marker ${this.name} ${number}`, value: 0 },
    ];
  }

  /** Pays, or deposits something first; dies perhaps, and is restored. */
  async step(payee: HonestWallet<K>): Promise<void> {
    await this.#lives(async () => {
      if (this.#pending) await this.#finish(this.#pending);
      if (this.#world.chance(3) === 0) await this.#received();
      const token = [...this.tokens].sort()[0];
      if (!token || this.#world.chance(4) === 0) {
        const number = this.#deposits++;
        return this.#send({ consumes: `deposit ${this.name} ${number}`, outputs: this.invoice(DEPOSIT), withdrawn: 0 });
      }
      const [name, value] = token;
      const paid = 1 + this.#world.chance(value);
      const change = value > paid ? [{ name: `${this.name} change of ${name}`, value: value - paid }] : [];
      return this.#send({ consumes: name, outputs: [...payee.invoice(paid), ...change], withdrawn: 0 });
    });
  }

  /** From its name alone, with nobody dying. */
  async restored(): Promise<this> {
    this.#mortal = false;
    await this.#restore();
    return this;
  }

  /** Everything it has, out of the asset. @returns how much of it went */
  async withdrawAll(): Promise<number> {
    let gone = 0;
    for (const [name, value] of [...this.tokens]) {
      await this.#send({ consumes: name, outputs: [], withdrawn: value });
      gone += this.tokens.has(name) ? 0 : value;
    }
    return gone;
  }

  async #lives(doing: () => Promise<unknown>): Promise<void> {
    let next = doing;
    // A restoration has many calls: one that may die at each of them never ends.
    for (let life = 0; ; life++) {
      this.#mortal = life < LIVES;
      try {
        await next();
        return;
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
        this.#world.count('killed');
        next = () => this.#restore();
      }
    }
  }

  /** After every call of its own. */
  #mayDie(): void {
    if (this.#mortal && this.#world.chance(10) === 0) throw new Killed();
  }

  async #send(planned: Planned): Promise<void> {
    const known = this.#world.plan(planned);
    this.#pending = known;
    await this.#finish(known);
  }

  async #finish(known: K): Promise<boolean> {
    if (this.#finishing.has(known.id)) return false;
    this.#finishing.add(known.id);
    try {
      return await this.#both(known);
    } finally {
      this.#finishing.delete(known.id);
    }
  }

  /** Both phases. @returns whether it was certified */
  async #both(known: K): Promise<boolean> {
    const { t } = this.#world;
    const certified = this.#world.certificate(known);
    const votes = new Map(certified);
    const instead = new Set<Hex>();
    for (const index of certified ? [] : this.#world.services()) {
      const answer = await this.#again(() => this.#world.vote(index, known));
      this.#mayDie();
      if (!answer) continue;
      if ('signature' in answer) votes.set(index, answer.signature);
      else if (answer.reason === 'Locked') instead.add(answer.transaction);
    }
    if (votes.size < t) {
      this.#pending = undefined;
      for (const bytes of instead) {
        const other = this.#world.known(bytes);
        if (other && other.id !== known.id && (await this.#finish(other))) return false;
      }
      await this.#follow(known.consumes);
      return false;
    }
    let issued = 0;
    for (const index of this.#world.services()) {
      if (await this.#again(() => this.#world.issue(index, known, votes))) issued++;
      this.#mayDie();
      if (issued === t) break;
    }
    if (issued < t) return false;
    for (const name of known.consumes) {
      this.tokens.delete(name);
      this.#spent.add(name);
    }
    for (const { name, value } of known.outputs)
      if (value > 0 && name.startsWith(`${this.name} `) && !this.#spent.has(name)) this.tokens.set(name, value);
    if (this.#pending?.id === known.id) this.#pending = undefined;
    return true;
  }

  async #restore(): Promise<void> {
    this.tokens.clear();
    this.#spent.clear();
    this.#pending = undefined;
    this.#invoices = 0;
    this.#world.count('restored');
    await this.#received();
    await this.#follow([...this.tokens.keys()]);
  }

  /** What others paid, by its markers. */
  async #received(): Promise<void> {
    const outputs = Array.from({ length: WINDOW }, (_, k) => id32(`output marker ${this.name} ${k}`));
    for (const known of await this.#recover({ outputs }))
      if (known.outputs.some(({ name, value }) => value > 0 && this.#isNew(name))) await this.#finish(known);
  }

  #isNew(name: string): boolean {
    return name.startsWith(`${this.name} `) && !this.tokens.has(name) && !this.#spent.has(name);
  }

  /** What was paid with these tokens, with the change of that, and so on. */
  async #follow(names: readonly string[]): Promise<void> {
    const asked = new Set<string>();
    for (let next = names.filter((name) => !name.startsWith('deposit')); next.length > 0; ) {
      for (const name of next) asked.add(name);
      for (const known of await this.#recover({ tags: next.map(tag) })) await this.#finish(known);
      next = [...this.tokens.keys()].filter((name) => !asked.has(name));
    }
  }

  async #recover(by: RecoverBy): Promise<readonly K[]> {
    const found = new Map<Hex, K>();
    for (const index of this.#world.services()) {
      const ids = await this.#again(() => this.#world.recover(index, by));
      this.#mayDie();
      for (const id of ids ?? []) {
        const known = this.#world.known(id);
        if (known) found.set(id, known);
      }
    }
    return [...found.values()];
  }

  async #again<T>(asking: () => Promise<T | undefined>): Promise<T | undefined> {
    for (let time = 0; time < TIMES; time++) {
      const answer = await asking();
      if (answer !== undefined) return answer;
    }
    return undefined;
  }
}
