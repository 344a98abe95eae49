/** Gateways for demonstrations and tests in which something goes wrong: a service lies, a wallet dies. */

import { encodeG1, multiplyBase } from '../coconut/groups.ts';
import { readTransaction } from '../coconut/transaction-bytes.ts';
import { fromHex, type Hex, isHex, toHex } from '../messages/hex.ts';
import type { Store } from '../ports.ts';
import { signaturesKey } from '../signing-service/rows.ts';
import type { GatewayPort } from '../wallet/gateway.ts';

/** The wallet's process ends here. */
export class WalletKilled extends Error {
  readonly kind = 'WalletKilled';
}

/** Dies at a call, `before` it or `after` it is done. */
export class KillingGateway implements GatewayPort {
  readonly replyTo: string;
  readonly #inner: GatewayPort;
  readonly #at: number;
  readonly #when: 'before' | 'after';
  calls = 0;

  /** @param at the number of the post at which the wallet dies, from 1; 0 never */
  constructor(inner: GatewayPort, at: number, when: 'before' | 'after') {
    this.#inner = inner;
    this.#at = at;
    this.#when = when;
    this.replyTo = inner.replyTo;
  }

  async post(...args: Parameters<GatewayPort['post']>): Promise<void> {
    this.calls++;
    if (this.calls === this.#at && this.#when === 'before') throw new WalletKilled();
    await this.#inner.post(...args);
    if (this.calls === this.#at) throw new WalletKilled();
  }

  answers(...args: Parameters<GatewayPort['answers']>): AsyncIterable<string> {
    return this.#inner.answers(...args);
  }
}

/**
 * One service answers every certificate with points of its own, before anybody else answers. It is the service that says so and signs it: in its table lies a wrong answer before the
 * certificate comes.
 */
export class LyingGateway implements GatewayPort {
  readonly replyTo: string;
  readonly #inner: GatewayPort;
  readonly #index: number;
  readonly #store: Pick<Store, 'write'>;
  readonly #lies = new Set<Hex>();

  /** @param store of the service that lies */
  constructor(inner: GatewayPort, index: number, store: Pick<Store, 'write'>) {
    this.#inner = inner;
    this.#index = index;
    this.#store = store;
    this.replyTo = inner.replyTo;
  }

  async post(...[message, body, services]: Parameters<GatewayPort['post']>): Promise<void> {
    if (message === 'TransactionCertificate') {
      const { vote, transaction } = (JSON.parse(body) as Asked).TransactionCertificate;
      const reading = isHex(transaction) ? readTransaction(fromHex(transaction)) : undefined;
      if (!isHex(vote.transaction) || !reading?.ok) throw new TypeError('expected a certificate and its transaction');
      const signatures = reading.transaction.outputs.map((_, k) => toHex(encodeG1(multiplyBase(BigInt(k + 2)))));
      this.#lies.add(vote.transaction);
      const item = { ...signaturesKey(vote.transaction), signatures };
      await this.#store.write({ kind: 'put', table: 'Issuance', item });
    }
    await this.#inner.post(message, body, services);
  }

  /** The service signs what it lied about when it is asked again: a lie that stays in its table is one service less for these transactions, for ever. */
  async repent(): Promise<void> {
    for (const id of this.#lies) await this.#store.write({ kind: 'delete', table: 'Issuance', key: signaturesKey(id) });
  }

  /** The lie first, so that it is among those that are tried. */
  async *answers(...args: Parameters<GatewayPort['answers']>): AsyncGenerator<string> {
    const held: string[] = [];
    let lied = false;
    for await (const body of this.#inner.answers(...args)) {
      const lies = body.includes(`"index":${this.#index},`);
      if (!lied && !lies) {
        held.push(body);
        continue;
      }
      yield body;
      lied ||= lies;
      yield* held.splice(0);
    }
    yield* held;
  }
}

interface Asked {
  readonly TransactionCertificate: { readonly vote: { readonly transaction: string }; readonly transaction: string };
}
