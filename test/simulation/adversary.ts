/**
 * The interface of a Byzantine operator: what stands between its functions and the bus, and what it knows.
 *
 * Its functions run unmodified, so that by default it does what an honest one does. A {@link Behaviour} replaces what they would send, and may say things of its own.
 * All Byzantine operators of a run share one behaviour and pool what they know.
 */

import type { SecretName } from '../../lib/ceremony.ts';
import type { SuiteName } from '../../lib/frost/suite.ts';
import type { SeededRandom } from '../../lib/local/random.ts';
import type { Committee } from '../../lib/messages/committee.ts';
import type { ContentOf } from '../../lib/messages/contents.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import type { SealedStatement, Statement, StatementType } from '../../lib/messages/statement.ts';
import type { OutgoingMessage } from '../../lib/ports.ts';

/** Where a message would leave: one role of one Byzantine operator. */
export interface Puppet {
  readonly operator: number;
  /** The processor's coin, or `coordinator`. A processor sends `…Out` to its own coordinator; a coordinator sends `P2PIncoming` parcels, one for each reader. */
  readonly role: string;
}

export type Moment = 'assembled' | 'keygen' | 'signing' | 'healed' | 'tick';

export interface Behaviour {
  readonly name: string;
  /** What leaves in place of `message`: itself, nothing, another, many. Queues that the operator may not send to are refused as a defect of the behaviour. */
  outgoing?(
    message: OutgoingMessage,
    puppet: Puppet,
    world: Adversary,
  ): readonly OutgoingMessage[] | Promise<readonly OutgoingMessage[]>;
  /** Told when a phase begins, and a few times within each: says things of its own with {@link Adversary.send}. */
  moment?(moment: Moment, world: Adversary): void | Promise<void>;
}

/** Which operators are Byzantine in a run, and how. */
export interface Casting {
  readonly operators: readonly number[];
  readonly behaviour: Behaviour;
}

export interface PuppetSecrets {
  /** Ed25519, 32 bytes. */
  readonly signatureKey: Uint8Array;
  /** X25519, 32 bytes. */
  readonly messagingKey: Uint8Array;
  /** Any row that the operator ever wrapped, also one that it has deleted since: a Byzantine operator forgets nothing. */
  readonly row: (ceremony: Hex, name: SecretName) => Uint8Array | undefined;
  /** The long-term share, 32 bytes in the suite's order. */
  readonly share: (keyId: Hex) => Uint8Array | undefined;
}

export interface Place {
  readonly ceremony: Hex;
  readonly slot?: string;
  /** One operator, or 0 = all. */
  readonly to?: number;
}

/** What the Byzantine operators know and can do together. Nothing here reaches into an honest operator. */
export interface Adversary {
  readonly committee: Committee;
  readonly coin: string;
  readonly suite: SuiteName;
  readonly n: number;
  readonly t: number;
  readonly byzantine: readonly number[];
  readonly honest: readonly number[];
  /** All choices come from here, so that one seed is one run. */
  readonly dice: SeededRandom;
  /** Seconds UTC. */
  readonly now: () => number;
  /** Every message that a queue of a Byzantine operator took so far, oldest first. */
  readonly overheard: readonly OutgoingMessage[];
  /** Every statement that a Byzantine operator can read, oldest first: its own, those said to all, and those sealed to it, opened. */
  readonly statements: readonly Statement[];
  /** @throws for an honest operator */
  readonly secrets: (operator: number) => PuppetSecrets;
  /** Signs in a Byzantine operator's name; the content need not have the type's form. */
  readonly say: (from: number, type: StatementType, place: Place, content: string) => Statement;
  readonly sayContent: <T extends StatementType>(
    from: number,
    type: T,
    place: Place,
    content: ContentOf<T>,
  ) => Statement;
  /** Seals to the reader's messaging key (for `EncryptedPublicKey`) or to its sealing key of the ceremony, as far as either is known; or to `key`. */
  readonly seal: (statement: Statement, recipient: number, key?: Hex) => Promise<SealedStatement | undefined>;
  /** The message by which a Byzantine operator's coordinator hands this to a peer. */
  readonly parcel: (from: number, to: number, body: Statement | SealedStatement) => OutgoingMessage;
  /** Puts messages on queues that a Byzantine operator may send to: its own, and its inbox at each peer. */
  readonly send: (messages: readonly OutgoingMessage[]) => Promise<void>;
  /** Counts a lie told, for the totals and the anti-vacuity counters. */
  readonly lied: (what: string) => void;
}
