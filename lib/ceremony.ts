/**
 * What both ceremonies are made of: the input and the output of a pure `step`.
 *
 * A step sees the state, the statements that have arrived, the secrets it asked for, the time and who it speaks for; it returns what
 * changes. It does no I/O, reads no clock and draws no randomness but what is passed in, so that it runs unchanged in
 * Lambda, in the local runtime and in a simulator, and a repetition of the same step says the same bytes.
 */
import type { Certificate, TranscriptContent } from './messages/certificate.ts';
import type { Committee } from './messages/committee.ts';
import type { MultisigEvent } from './messages/events.ts';
import type { Evidence } from './messages/evidence.ts';
import type { Hex } from './messages/hex.ts';
import { type Header, type Statement, type StatementType, signStatement } from './messages/statement.ts';
import type { Secret } from './vault/secret.ts';

/** One operator's voice for one coin: its place in the committee and its signature key. */
export class Member {
  readonly committee: Committee;
  readonly coin: string;
  /** The operator's index in the committee file, 1..n. */
  readonly self: number;
  readonly #signatureKey: Secret;

  constructor(committee: Committee, coin: string, self: number, signatureKey: Secret) {
    this.committee = committee;
    this.coin = coin;
    this.self = self;
    this.#signatureKey = signatureKey;
  }

  /** Signs a statement; Ed25519 is deterministic, so the same words always give the same bytes. @param to one index, or 0 = all */
  say(type: StatementType, ceremony: Hex, slot: string, to: number, content: string): Statement {
    const header: Header = { type, committee: this.committee.id, coin: this.coin, ceremony, slot, from: this.self, to };
    return signStatement(header, content, this.#signatureKey.bytes);
  }
}

/** `length` bytes from a cryptographic source. */
export type RandomBytes = (length: number) => Uint8Array;

/** Statements of one type and slot, by sender. */
export type BySender = ReadonlyMap<number, Statement>;

/** What arrived. Every statement is authentic: its signature was verified under the committee file's key before it was recorded. */
export interface Inputs {
  /** What each sender said for this type and slot; empty where nothing was loaded or nothing has come. */
  readonly said: (type: StatementType, slot: string) => BySender;
  /** The slots that exist for a type. */
  readonly slots: (type: StatementType) => readonly string[];
  /** Senders of whom something sealed could not be opened: like silence, for nobody else can tell. */
  readonly undecryptable: ReadonlySet<number>;
  /** Whether what this node itself said to one reader was looked up; nothing may have been found. */
  readonly ownLoaded: boolean;
  /** Evidence already stored (two statements for one slot). */
  readonly evidence: readonly Evidence[];
  /** A peer asked for the same `requestId` with other parameters. */
  readonly mismatch: boolean;
}

export interface Wanted {
  readonly type: StatementType;
  /** Only slots for which `slot + '#'` begins with this: `3#` is slot 3 alone, `3.` are the sessions of leader 3, the empty string is every slot. */
  readonly slotPrefix: string;
  /** What this node itself said to one reader, which it has not received: looked up where it was sent from, for a proof. */
  readonly own?: true;
}

export type SecretName = 'POLYNOMIAL' | 'SEALKEY' | `NONCE#${number}#${number}`;

/** What a step needs to see before it can decide. */
export interface Wants {
  readonly statements: readonly Wanted[];
  readonly secrets: readonly SecretName[];
}

/** A statement that leaves. `stage` names its outbox row: one row a stage, written once. */
export interface Outgoing {
  readonly stage: string;
  readonly statement: Statement;
  /** Who gets it: operator indexes, without oneself. */
  readonly recipients: readonly number[];
  /** X25519 keys (32 bytes) to seal to, by recipient; absent on the general partition. */
  readonly sealTo?: Readonly<Record<number, Hex>>;
}

export type SecretWrite =
  /** A new row; the transaction fails if one is there. */
  | { readonly kind: 'create'; readonly name: SecretName; readonly plaintext: Uint8Array }
  /** Consumes a row: the transaction fails if it is gone. */
  | { readonly kind: 'consume'; readonly name: SecretName }
  /** Deletes a row that may already be gone. */
  | { readonly kind: 'forget'; readonly name: SecretName };

export type KeyStatus = 'unconfirmed' | 'certified' | 'hidden';

export type KeyWrite =
  /** The long-term share, before the confirmation may leave. */
  | {
      readonly kind: 'store';
      readonly keyId: Hex;
      readonly share: Uint8Array;
      readonly content: TranscriptContent;
    }
  | { readonly kind: 'certify'; readonly keyId: Hex; readonly certificate: Certificate }
  | { readonly kind: 'hide'; readonly keyId: Hex };

/** A signature share that was released: the row that answers the same package for ever. */
export interface ReleasedShare {
  readonly leader: number;
  readonly sequence: number;
  /** Hash of the package statement that it answers. */
  readonly package: Hex;
  readonly statement: Statement;
}

/** What one step changes; all of it is committed in one transaction, or none. */
export interface Transition<State> {
  readonly state: State;
  readonly outbox: readonly Outgoing[];
  /** Own statements that this node itself must see as inputs. */
  readonly own: readonly Statement[];
  readonly secrets: readonly SecretWrite[];
  readonly keys: readonly KeyWrite[];
  /** Not empty where a share leaves: the transaction then also checks the halt switch and the policy version. */
  readonly released: readonly ReleasedShare[];
  /** One proof for each index that is newly blamed. */
  readonly evidence: readonly Culprit[];
  readonly events: readonly MultisigEvent[];
  /** Next time (seconds UTC) at which this ceremony must be looked at even if nothing arrives; `undefined`: never. */
  readonly wakeAt: number | undefined;
}

export type StepResult<State> =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'changed'; readonly transition: Transition<State> }
  /** The decision needs more than `wants(state)` named (to find who is at fault, or to sign): load it and step again. */
  | {
      readonly kind: 'needs';
      readonly statements?: readonly Wanted[];
      readonly secrets?: readonly SecretName[];
      readonly share?: true;
    };

export const UNCHANGED = { kind: 'unchanged' } as const;

/** A transition that changes nothing but what is named. */
export function changed<State>(
  state: State,
  wakeAt: number | undefined,
  change: Partial<Transition<State>> = {},
): StepResult<State> {
  const nothing = { outbox: [], own: [], secrets: [], keys: [], released: [], evidence: [], events: [] };
  return { kind: 'changed', transition: { ...nothing, ...change, state, wakeAt } };
}

/** A participant at fault. The proof is a row of its own (`EVIDENCE#<index>`), so that a state stays far below an item's 400 KB. */
export interface Blame {
  readonly index: number;
  readonly reason: Evidence['reason'];
}

/** A participant at fault, with the proof. */
export interface Culprit extends Blame {
  readonly evidence: Evidence;
}

/** Without the proof: what a state remembers. */
export function blameOf(culprits: readonly Blame[]): Blame[] {
  return culprits.map(({ index, reason }) => ({ index, reason }));
}
