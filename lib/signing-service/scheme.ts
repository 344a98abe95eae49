/**
 * What a signing service asks of the cryptography: four questions about a transaction. The service itself is about who consumed what, and never looks inside a
 * proof; so its protocol can be read, and be tried in every interleaving, without one curve operation.
 */

import type { Payload } from '../messages/catalogue.ts';
import type { Hex } from '../messages/hex.ts';
import type { REFUSAL_REASONS, Withdraw } from '../messages/tokens.ts';
import type { Secret } from '../vault/secret.ts';

export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** The message without where to answer: two wallets that send one transaction send the same. */
export type TransactionMessage = Omit<Payload<'Transaction'>, 'replyTo' | 'replyKey'>;

/** A transaction as a service sees it: within the limits, every encoding canonical, tags and deposits distinct; nothing is proven yet. */
export interface TokenTransaction {
  /** SHA-256 under the purpose `transaction`, 32 bytes. */
  readonly id: Hex;
  /** Canonical: what another service, or whoever finishes a locked transaction, reads it from. */
  readonly bytes: Uint8Array;
  readonly asset: string;
  readonly epoch: number;
  /** 0 to 8 tags ζ (G1, 48 bytes), in the order of the inputs. */
  readonly tags: readonly Hex[];
  /** 0 to 8, in the order of the message. */
  readonly deposits: readonly { readonly depositId: Hex; readonly value: bigint }[];
  /** The hash of each output's request, 32 bytes: what a restored wallet asks by. */
  readonly outputs: readonly Hex[];
  readonly withdraw: Withdraw | undefined;
}

export type Reading =
  | { readonly ok: true; readonly transaction: TokenTransaction }
  | { readonly ok: false; readonly reason: 'BadShape' | 'TooMany' };

export interface TokenScheme {
  /** Shape and limits, before any curve operation that costs. @param source the message without where to answer, or canonical bytes */
  read(source: TransactionMessage | Uint8Array): Reading;
  /** Whether each deposit carries k of m depositors' signatures over its own value and these outputs. */
  deposited(transaction: TokenTransaction): boolean;
  /** Checks all proofs of a batch together. @returns for each transaction why not, or nothing */
  prove(
    transactions: readonly TokenTransaction[],
  ): Promise<readonly ('BadShape' | 'BadProof' | 'Unbalanced' | 'OutOfRange' | undefined)[]>;
  /** One partial signature (G1, 48 bytes) for each output, the same for the same request for ever. @param share this service's, serialised */
  sign(transaction: TokenTransaction, share: Secret): Promise<readonly Hex[]>;
}
