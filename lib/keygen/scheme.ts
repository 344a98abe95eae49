/**
 * What key generation asks of a suite: the mathematics of one dealer and of the sum of all. The ceremony around it (`step.ts`) is the same for every suite.
 *
 * Each dealer shares secrets with polynomials of degree t − 1, publishes commitments to their coefficients with proofs of possession, and gives participant i
 * their values at i. Everything public is compared in the form in which it was signed: contents of statements.
 */
import type { RandomBytes } from '../ceremony.ts';
import { coconutDealing } from '../coconut-keygen/scheme.ts';
import type { Certificate, TranscriptContent } from '../messages/certificate.ts';
import type { ContentOf } from '../messages/contents.ts';
import type { Hex } from '../messages/hex.ts';
import { type CeremonySuite, COCONUT_SUITE } from '../messages/parameters.ts';
import { frostDealing } from './frost-scheme.ts';

export type Commitment = ContentOf<'EncryptedKeyGenCommitment'>;
export type Share = ContentOf<'EncryptedKeyShare'>;

/** What a dealing is part of, and what its proofs may be bound to. */
export interface Round {
  /** 32 bytes. */
  readonly ceremony: Hex;
  readonly t: number;
  /** Indexes of all participants, ascending. */
  readonly signers: readonly number[];
}

/** One dealer's commitment statement, read. */
export interface Dealt {
  readonly index: number;
  readonly commitment: Commitment;
}

type Agreed = 'parameters' | 'publicKeyHashes' | 'commitmentHashes' | 'signatures';
type Key<C> = C extends Certificate ? Omit<C, Agreed> : never;
/** What a certificate says of the key itself: of the group, and of each participant in the order of {@link Round.signers}. */
export type GroupKeyContent = Key<Certificate>;

export type Judged =
  /** `columns`: the sums of all dealers' commitments, from which the key and every share check follow; the suite's own form. */
  | { readonly ok: true; readonly columns: readonly Hex[] }
  /** All dealers at fault, ascending. None: the sum gives no key, for which no single dealer can be blamed. */
  | { readonly ok: false; readonly culprits: readonly number[] };

export interface DealingScheme {
  /**
   * Fresh polynomials and the commitments to them.
   * @returns `polynomial`: SECRET bytes, what {@link DealingScheme.shareFor} takes
   */
  deal(
    round: Round,
    index: number,
    random: RandomBytes,
  ): { readonly polynomial: Uint8Array; readonly commitment: Commitment };
  /**
   * Everything about all dealings: shape, groups, proofs, the key that they give. In batches, with weights from `random`, drawn here after all that they weigh
   * is fixed; a batch accuses nobody, and if it fails each dealing is judged alone.
   * @param dealings of all participants, own included, less those that the caller has refused already
   */
  judge(round: Round, dealings: readonly Dealt[], random: RandomBytes): Judged;
  /** The rule by which {@link DealingScheme.judge} names a dealer, for one dealing and without randomness: evidence stands on it. @returns what is wrong, or nothing */
  faultOf(round: Round, dealing: Dealt): string | undefined;
  /** The values at `index`, SECRET. */
  shareFor(polynomial: Uint8Array, index: number): Share;
  /**
   * The sums of the shares for `index`, if they lie on the sums of the commitments. It proves the own total right and no dealer honest.
   * @param shares of all dealers, own included
   * @returns SECRET bytes, or nothing if a share is not canonical or the total is wrong
   */
  combine(index: number, columns: readonly Hex[], shares: readonly Share[]): Uint8Array | undefined;
  /** Whether the commitments have the suite's form, count and groups: what else could be compared with a share? */
  hasShape(round: Round, commitment: Commitment): boolean;
  /** Whether a share is of the suite, and canonical. */
  isShare(share: Share): boolean;
  /** Whether a share for `index` lies on its dealer's own commitments, exactly: the rule that blame and evidence stand on. */
  liesOn(index: number, commitment: Commitment, share: Share): boolean;
  /** @throws if the columns were not judged good */
  keyOf(round: Round, columns: readonly Hex[]): GroupKeyContent;
  /** What is stored for ever: the combined share as the key uses it, SECRET. */
  storedShare(key: GroupKeyContent, total: Uint8Array): Uint8Array;
  /** What clients are told of a key. An asset has no address. */
  announced(content: TranscriptContent): { readonly publicKey: Hex; readonly address?: string };
}

export function schemeOf(suite: CeremonySuite): DealingScheme {
  return suite === COCONUT_SUITE ? coconutDealing : frostDealing(suite);
}
