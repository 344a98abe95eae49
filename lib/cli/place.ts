/**
 * Where an operator is: in an embedded committee behind a socket, on an emulator, on AWS. Every command works on this and cannot tell which it is.
 *
 * What reads cannot write: a {@link Reader} names no table of ephemeral secrets and has no method that changes anything.
 */
import type { MultisigEvent } from '../messages/events.ts';
import type { Hex } from '../messages/hex.ts';
import type { OperatorFile } from '../messages/operator.ts';
import type { CommitteeView } from '../view/committee-view.ts';
import type { Reader } from '../view/reader.ts';

/** One operator that this place speaks for. */
export interface PlaceOperator {
  readonly identity: string;
  readonly coins: readonly string[];
  readonly assets: readonly string[];
}

export interface PlaceMessage {
  readonly identity: string;
  readonly coin: string;
  /** `KeyGenCertificateIn`: a peer's signed statement that came by another way, for a key that is unresolved here. */
  readonly message: 'MultisigInstruction' | 'Control' | 'KeyGenCertificateIn';
  readonly body: string;
}

export type Refused = Extract<MultisigEvent, { Refused: unknown }>['Refused'];

export interface Place {
  /** For sentences: `the committee at ./coterie.sock`. */
  readonly name: string;
  /** Milliseconds between two looks that do not strain it. */
  readonly pollMilliseconds: number;
  /** Milliseconds between two looks of a page that is left open: on AWS each costs (docs/costs.md). */
  readonly lookMilliseconds: number;
  readonly operators: readonly PlaceOperator[];
  /** Private settings, where there is an operator file. */
  readonly file: OperatorFile | undefined;
  /** @param segment a coin, an asset, or `coordinator` */
  reader(identity: string, segment: string): Reader;
  /** Seconds UTC by the place's clock. */
  now(): Promise<number>;
  /** @throws {Unreachable} unless every message was taken */
  send(messages: readonly PlaceMessage[]): Promise<void>;
  /** What the operator's processor refused, if it was this request; whatever else lies there is left for whom it is. */
  refusal(identity: string, coin: string, requestId: Hex): Promise<Refused | undefined>;
  /** Counts of what was set aside; `undefined` where a place has no such queue. */
  deadLetters(identity: string): Promise<CommitteeView['deadLetters']>;
  close(): void;
}
