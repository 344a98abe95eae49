/** The stages of key generation, in order, and what a node must remember in each. Nothing here is secret. */
import type { Blame } from '../ceremony.ts';
import type { TranscriptContent } from '../messages/certificate.ts';
import type { FailureReason } from '../messages/contents.ts';
import type { Hex } from '../messages/hex.ts';
import type { KeygenParameters } from '../messages/parameters.ts';

interface Running {
  readonly kind: 'keygen';
  readonly ceremony: Hex;
  readonly parameters: KeygenParameters;
  /** A peer says that it aborts for a reason that it can prove: wait until then for the proof, and confirm nothing meanwhile. */
  readonly doomed?: { readonly reason: FailureReason; readonly until: number };
}

/** Arrays are in the order of `parameters.signers`. */
interface Announced extends Running {
  /** X25519 keys of this ceremony, 32 bytes. */
  readonly sealingKeys: readonly Hex[];
  readonly publicKeyHashes: readonly Hex[];
  /** The announced hash of each participant's commitment statement. */
  readonly commitmentHashes: readonly Hex[];
}

interface Confirmed {
  readonly kind: 'keygen';
  readonly ceremony: Hex;
  readonly parameters: KeygenParameters;
  readonly keyId: Hex;
  readonly transcript: Hex;
  readonly content: TranscriptContent;
}

export interface Failure {
  readonly reason: FailureReason;
  readonly culprits: readonly Blame[];
  /** Who was waited for, or could not be understood: not proven. */
  readonly unresponsive: readonly number[];
}

export type AwaitingPublicKeys = Running & { readonly stage: 'AwaitingPublicKeys' };
export type AwaitingCommitments = Announced & { readonly stage: 'AwaitingCommitments' };
/** `columns`: the sums of all participants' commitments, in the suite's form. */
export type AwaitingShares = Announced & { readonly stage: 'AwaitingShares'; readonly columns: readonly Hex[] };
export type AwaitingVerdicts = Confirmed & { readonly stage: 'AwaitingVerdicts' };
export type Succeeded = Confirmed & { readonly stage: 'Succeeded' };
export type Unresolved = Confirmed &
  Failure & {
    readonly stage: 'Unresolved';
    /** Own confirmations repeated so far, and when the next is due (seconds UTC). */
    readonly repeats: number;
    readonly repeatAt: number;
  };
export type Failed = Failure & {
  readonly kind: 'keygen';
  readonly ceremony: Hex;
  readonly parameters: KeygenParameters;
  readonly stage: 'Failed';
};

/** Before the own confirmation has left: a fault ends in `Failed`. After it: in `Unresolved`. */
export type Unconfirmed = AwaitingPublicKeys | AwaitingCommitments | AwaitingShares;
export type KeygenState = Unconfirmed | AwaitingVerdicts | Succeeded | Unresolved | Failed;
export type KeygenStage = KeygenState['stage'];
