/** Queue names: a topic `{identity}-{coin}` is a family of queues, one for each inbound message type. */
import type { QueueName } from '../ports.ts';

/** SQS: 80 characters of letters, digits, hyphen and underscore. */
export const MAX_QUEUE_NAME = 80;
/** The coin segment of a coordinator's queues that belong to no coin; no coin may have this name. */
export const COORDINATOR_SEGMENT = 'coordinator';
const INBOX_SEGMENT = 'inbox';
export const RESERVED_COINS: ReadonlySet<string> = new Set([COORDINATOR_SEGMENT, INBOX_SEGMENT]);
/** The longest message name that is a queue. */
export const LONGEST_QUEUE_MESSAGE = 'EncryptedKeyGenCommitmentIn';

const NAME = /^coterie-([a-z0-9]{1,32})-([a-z0-9]{2,16})-([A-Za-z0-9]{1,64})$/;
const PEER = /^[a-z0-9]{1,32}$/;

/** One sentence for a person who must choose a shorter identity or coin. */
export function queueNameTooLong(queue: string): string {
  return `expected queue names of at most ${MAX_QUEUE_NAME} characters, got ${queue.length} for ${queue}`;
}

/** @param message the message's name, or `Outbound` @param coin a coin, or `coordinator` */
export function topicQueue(identity: string, coin: string, message: string): QueueName {
  return `coterie-${identity}-${coin}-${message}` as QueueName;
}

/** The queue at `identity` that only `peer` may send to. */
export function inboxQueue(identity: string, peer: string): QueueName {
  return `coterie-${identity}-${INBOX_SEGMENT}-${peer}` as QueueName;
}

export interface QueueParts {
  readonly identity: string;
  /** Absent for an inbox. */
  readonly coin?: string;
  readonly message?: string;
  /** The peer of an inbox. */
  readonly peer?: string;
}

/** The inverse of {@link topicQueue} and {@link inboxQueue}: no part may hold a hyphen, so a name has one reading. @returns nothing for another name */
export function parseQueueName(queue: string): QueueParts | undefined {
  if (queue.length > MAX_QUEUE_NAME) return undefined;
  const [, identity, coin, last] = NAME.exec(queue) ?? [];
  if (identity === undefined || coin === undefined || last === undefined) return undefined;
  if (coin !== INBOX_SEGMENT) return { identity, coin, message: last };
  return PEER.test(last) ? { identity, peer: last } : undefined;
}
