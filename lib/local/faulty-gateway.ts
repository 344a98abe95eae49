/** Gateways for demonstrations and tests in which something goes wrong: a service lies, a wallet dies. */

import { encodeG1, multiplyBase } from '../coconut/groups.ts';
import { isHex, toHex } from '../messages/hex.ts';
import { type AnswerScope, sealAnswer } from '../signing-service/answer.ts';
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

/** One service answers every certificate with points of its own, before anybody else answers: sealed as its own answers are. */
export class LyingGateway implements GatewayPort {
  readonly replyTo: string;
  readonly #inner: GatewayPort;
  readonly #liar: AnswerScope;
  readonly #lies = new Map<string, string>();

  constructor(inner: GatewayPort, liar: AnswerScope) {
    this.#inner = inner;
    this.#liar = liar;
    this.replyTo = inner.replyTo;
  }

  async post(...[message, body, services]: Parameters<GatewayPort['post']>): Promise<void> {
    if (message === 'TransactionCertificate') {
      const { vote, transaction, replyKey } = (JSON.parse(body) as Asked).TransactionCertificate;
      if (!isHex(vote.transaction) || !isHex(replyKey)) throw new TypeError('expected a certificate');
      // The number of outputs stands behind version, asset, epoch and the number of inputs.
      const asset = Number.parseInt(transaction.slice(4, 12), 16);
      const outputs = Number.parseInt(transaction.slice(2 + 2 * (1 + 4 + asset + 8 + 1)).slice(0, 2), 16);
      const signatures = Array.from({ length: outputs }, (_, k) => toHex(encodeG1(multiplyBase(BigInt(k + 2)))));
      const answer = { transaction: vote.transaction, index: this.#liar.index, signatures };
      const ephemeral = crypto.getRandomValues(new Uint8Array(32));
      this.#lies.set(replyKey, await sealAnswer(this.#liar, 'PartialSignatures', answer, replyKey, ephemeral));
    }
    await this.#inner.post(message, body, services);
  }

  async *answers(...[replyKey, enough]: Parameters<GatewayPort['answers']>): AsyncGenerator<string> {
    const lie = this.#lies.get(replyKey);
    if (lie !== undefined) yield lie;
    for await (const body of this.#inner.answers(replyKey, enough))
      if (lie === undefined || !body.includes(`"index":${this.#liar.index},`)) yield body;
  }
}

interface Asked {
  readonly TransactionCertificate: {
    readonly vote: { readonly transaction: string };
    readonly transaction: string;
    readonly replyKey: string;
  };
}
