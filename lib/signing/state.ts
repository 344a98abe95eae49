/** The stages of a signing ceremony and what a node must remember in each. Nothing here is secret. */
import type { Blame } from '../ceremony.ts';
import type { FailureReason } from '../messages/contents.ts';
import type { Hex } from '../messages/hex.ts';
import type { SigningParameters } from '../messages/parameters.ts';

/** This signer's nonces for leader k. */
export interface Offer {
  readonly k: number;
  /** The unspent nonce row is `NONCE#k#sequence`; every release consumes one and makes the next. */
  readonly sequence: number;
  /** Hash of the statement that carried the current commitments: `NonceCommitment`, or the last `SignatureShare`. */
  readonly source: Hex;
  /** Sessions answered, with the package answered: another package for the same slot is refused for ever. */
  readonly answered: readonly { readonly session: number; readonly package: Hex }[];
}

/** One attempt of a leader with t signers. */
export interface Session {
  readonly session: number;
  /** Ascending operator indexes, exactly t. */
  readonly signers: readonly number[];
  /** Hash of the package statement. */
  readonly package: Hex;
  /** Seconds UTC. */
  readonly openedAt: number;
  readonly status: 'open' | 'faulty';
}

/** A node leads for exactly one k: the leaders k = 0..n−t are distinct operators. */
export interface Leading {
  readonly k: number;
  readonly sessions: readonly Session[];
  /** Signers who get no further session: a proven fault, or an answer that nobody else could judge. */
  readonly excluded: readonly number[];
}

interface Running {
  readonly kind: 'signing';
  readonly ceremony: Hex;
  readonly parameters: SigningParameters;
  readonly offers: readonly Offer[];
  readonly leading?: Leading;
  readonly culprits: readonly Blame[];
  /** True once any share may have left. */
  readonly sharesReleased: boolean;
}

/** Leads for others; the own client has not authorised, so nothing of the own share is used. */
export type LeadingOnly = Running & { readonly stage: 'LeadingOnly' };
/** `nextLeaderAt`: seconds UTC when nonces are offered to one leader more. */
export type Signing = Running & { readonly stage: 'Signing'; readonly nextLeaderAt: number };
export type Succeeded = Running & {
  readonly stage: 'Succeeded';
  readonly authorised: boolean;
  /** One for each message, 64 bytes. */
  readonly signatures: readonly Hex[];
};
export type Failed = Running & {
  readonly stage: 'Failed';
  readonly authorised: boolean;
  readonly reason: FailureReason;
  readonly unresponsive: readonly number[];
  /** Set when a signature appeared after the failure was announced. */
  readonly late?: readonly Hex[];
};

export type SigningState = LeadingOnly | Signing | Succeeded | Failed;
export type SigningStage = SigningState['stage'];
