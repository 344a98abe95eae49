/** Everything that the operators tell their clients, read as it comes. */

import type { Address, KeygenOutcome, SigningOutcome } from '../../lib/cli/agreement.ts';
import { parseBody } from '../../lib/messages/catalogue.ts';
import type { MultisigEvent } from '../../lib/messages/events.ts';
import { topicQueue } from '../../lib/messages/topics.ts';
import type { Account } from './account.ts';

type Refused = Extract<MultisigEvent, { Refused: unknown }>['Refused'];

export class Heard {
  /** By operator, from 0. */
  readonly ready = new Set<number>();
  readonly addresses: Address[][];
  readonly keygens: KeygenOutcome[][];
  readonly signings: SigningOutcome[][];
  readonly refusals: Refused[][];
  readonly #accounts: readonly Account[];
  readonly #coin: string;

  constructor(accounts: readonly Account[], coin: string) {
    this.#accounts = accounts;
    this.#coin = coin;
    const empty = <Event>() => accounts.map((): Event[] => []);
    this.addresses = empty();
    this.keygens = empty();
    this.signings = empty();
    this.refusals = empty();
  }

  /** Reads until `enough`. @throws with what was waited for, and what came */
  async until(what: string, enough: () => boolean, seconds = 300): Promise<void> {
    const deadline = Date.now() + seconds * 1_000;
    while (!enough()) {
      if (Date.now() > deadline) throw new Error(`waited ${seconds} s for ${what}; heard ${this.#summary()}`);
      await Promise.all(this.#accounts.map((account, i) => this.#read(account, i)));
    }
  }

  take(operator: number, body: string): void {
    const parsed = parseBody(body);
    if (!parsed.ok) return;
    if (parsed.name === 'PublicAddressAvailable') this.addresses[operator]?.push(parsed.payload as Address);
    if (parsed.name !== 'MultisigEvent') return;
    const event = parsed.payload as MultisigEvent;
    if ('ReadyToKeygen' in event) this.ready.add(operator);
    else if ('KeygenOutcome' in event) this.keygens[operator]?.push(event.KeygenOutcome);
    else if ('SigningOutcome' in event) this.signings[operator]?.push(event.SigningOutcome);
    else if ('Refused' in event) this.refusals[operator]?.push(event.Refused);
  }

  async #read(account: Account, operator: number): Promise<void> {
    const url = account.url(topicQueue(account.identity, this.#coin, 'MultisigEvent'));
    for (const { Body = '' } of await account.receive(url)) this.take(operator, Body);
  }

  #summary(): string {
    const count = (lists: readonly (readonly unknown[])[]) => lists.map(({ length }) => length).join('+');
    return `${this.ready.size} ready, ${count(this.keygens)} key generations, ${count(this.signings)} signatures, ${count(this.refusals)} refusals`;
  }
}
