/**
 * Both phases over all services of an asset, as a wallet runs them: source 000's `SigningNetwork`, whose `process` returns t partial signatures or more, or says why not.
 */
import type { Hex } from '../messages/hex.ts';
import { type Vote, type VoteCertificate, verifyVote } from '../messages/tokens.ts';
import type { Quorum } from './certificate.ts';
import type { TransactionMessage } from './scheme.ts';
import type { CertificateMessage, Issued, Refused, Voted } from './service.ts';

/** A service, near or far. What it says is believed only as far as it proves itself. */
export interface Service {
  readonly index: number;
  readonly quorum: Quorum;
  process(transaction: TransactionMessage): Promise<Voted | Refused>;
  process(certificate: CertificateMessage): Promise<Issued | Refused>;
}

/** One service's part in the result. @property signatures one (G1, 48 bytes) for each output */
export type PartialIssue = Pick<Issued, 'index' | 'signatures'>;

/** Fewer than t services went along; a refusal says what is in the way, and the same transaction may be sent again. */
export class NetworkRefused extends Error {
  readonly kind = 'NetworkRefused';
  readonly phase: 'transaction' | 'certificate';
  readonly refusals: readonly Refused[];
  /** Services that answered with an error, not at all, or with what proves nothing. */
  readonly unresponsive: readonly number[];

  constructor(
    phase: NetworkRefused['phase'],
    t: number,
    got: number,
    refusals: readonly Refused[],
    unresponsive: readonly number[],
  ) {
    const reasons = [...new Set(refusals.map(({ refusal }) => refusal.reason))].join(', ') || 'none';
    super(
      `expected ${t} services to accept the ${phase}, got ${got}; refusals: ${reasons}; no answer from ${unresponsive.length}`,
    );
    this.phase = phase;
    this.refusals = refusals;
    this.unresponsive = unresponsive;
  }

  /** Canonical bytes of transactions that hold what this one wants: whoever finishes one of them learns whether it was paid. */
  get locking(): readonly Hex[] {
    return [
      ...new Set(this.refusals.flatMap(({ refusal }) => (refusal.reason === 'Locked' ? [refusal.transaction] : []))),
    ];
  }
}

export class SigningNetwork {
  readonly #services: readonly Service[];
  readonly #quorum: Quorum;

  /** @param services of one asset, each once @throws {RangeError} for none, or for one index twice */
  constructor(services: readonly Service[]) {
    const [first] = services;
    if (!first || new Set(services.map(({ index }) => index)).size !== services.length)
      throw new RangeError('expected services of distinct indexes, at least one');
    this.#services = services;
    this.#quorum = first.quorum;
  }

  /**
   * @returns at least t partial issues of distinct indexes, ascending, one signature for each output: what `obtain` takes. They are not verified here: only the owner
   * of an output can unblind one. All that came are there: of t alone a single service that lies would leave too few
   * @throws {NetworkRefused}
   */
  async process(transaction: TransactionMessage): Promise<readonly PartialIssue[]> {
    return this.finish(await this.certify(transaction));
  }

  /** Phase 1. @throws {NetworkRefused} */
  async certify(transaction: TransactionMessage): Promise<VoteCertificate> {
    const asked = await this.#ask((service) => service.process(transaction));
    const { context, keys, t } = this.#quorum;
    // Votes for one and the same content only: a service that votes for something else has not voted for this.
    const byContent = new Map<
      string,
      { readonly vote: Vote; readonly signatures: { index: number; signature: Hex }[] }
    >();
    const lying: number[] = [];
    for (const [index, answer] of asked.answers) {
      if (!('vote' in answer)) continue;
      const key = keys.get(index);
      if (!key || answer.index !== index || !verifyVote(context, answer.vote, answer.signature, key)) {
        lying.push(index);
        continue;
      }
      const text = JSON.stringify(answer.vote);
      const same = byContent.get(text) ?? { vote: answer.vote, signatures: [] };
      same.signatures.push({ index, signature: answer.signature });
      byContent.set(text, same);
    }
    const [best] = [...byContent.values()].sort((a, b) => b.signatures.length - a.signatures.length);
    if (!best || best.signatures.length < t) {
      const refusals = [...asked.answers.values()].filter((answer) => 'refusal' in answer);
      throw new NetworkRefused('transaction', t, best?.signatures.length ?? 0, refusals, [...asked.silent, ...lying]);
    }
    return { vote: best.vote, signatures: best.signatures.sort((a, b) => a.index - b.index).slice(0, t) };
  }

  /** Phase 2. @param transaction canonical bytes, for services that did not vote @throws {NetworkRefused} */
  async finish(certificate: VoteCertificate, transaction?: Hex): Promise<readonly PartialIssue[]> {
    const { t } = this.#quorum;
    const message = transaction === undefined ? certificate : { ...certificate, transaction };
    const { answers, silent } = await this.#ask((service) => service.process(message as CertificateMessage));
    const issued: PartialIssue[] = [];
    const refusals: Refused[] = [];
    const lying: number[] = [];
    for (const [index, answer] of answers) {
      if ('refusal' in answer) refusals.push(answer);
      else if (answer.index === index && answer.transaction === certificate.vote.transaction)
        issued.push({ index, signatures: answer.signatures });
      else lying.push(index);
    }
    if (issued.length < t) throw new NetworkRefused('certificate', t, issued.length, refusals, [...silent, ...lying]);
    return issued.sort((a, b) => a.index - b.index);
  }

  /** All at once; one that fails is silent, and costs the others nothing. */
  async #ask<Answer>(
    question: (service: Service) => Promise<Answer>,
  ): Promise<{ readonly answers: ReadonlyMap<number, Answer>; readonly silent: readonly number[] }> {
    const settled = await Promise.allSettled(this.#services.map(question));
    const answers = new Map<number, Answer>();
    const silent: number[] = [];
    for (const [i, { index }] of this.#services.entries()) {
      const result = settled[i];
      if (result?.status === 'fulfilled') answers.set(index, result.value);
      else silent.push(index);
    }
    return { answers, silent };
  }
}
