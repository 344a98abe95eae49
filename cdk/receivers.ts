/** Which functions a role has, from which queues each is fed, and who may put something there: all of it derived from the catalogue. */
import { existsSync } from 'node:fs';
import { extname, join } from 'node:path';
import { CATALOGUE, type Entry, type MessageName, type Sender } from '../lib/messages/catalogue.ts';
import { COORDINATOR_SEGMENT, inboxQueue, topicQueue } from '../lib/messages/topics.ts';
import type { QueueName } from '../lib/ports.ts';

/** Roles that have functions here; `functions/<role>` holds one file for each message. */
export type DeployedRole = 'coordinator' | 'processor' | 'signing-service';

/** A message that has a queue and a function of its own. Everything that leaves shares `Outbound`. */
export type ReceivedMessage = MessageName | 'Outbound';

/** `coin`: one queue for each coin or asset. `operator`: one. `peer`: one for each other operator. */
export type Spread = 'coin' | 'operator' | 'peer';

export interface Receiver {
  readonly message: ReceivedMessage;
  readonly role: DeployedRole;
  /** Name of the file below `functions/<role>`, without `.ts`. */
  readonly file: string;
  readonly spread: Spread;
  readonly senders: readonly Sender[];
  readonly floodable: boolean;
}

/** `.ts` in a clone; a package has the functions compiled. */
export const EXTENSION = extname(import.meta.filename);

const FUNCTIONS = join(import.meta.dirname, '..', 'functions');
const ENTRIES = Object.entries(CATALOGUE) as readonly (readonly [MessageName, Entry])[];

/** The functions of a role, in the order of the catalogue. @throws if the catalogue names a message that no file handles */
export function receiversOf(role: DeployedRole): readonly Receiver[] {
  const receivers = ENTRIES.filter(([, entry]) => isReceived(entry, role)).map(([message, entry]) =>
    receiver(role, message, entry),
  );
  if (role !== 'coordinator') return receivers;
  const outbound: Receiver = {
    message: 'Outbound',
    role,
    file: fileOf(role, 'Outbound'),
    spread: 'coin',
    senders: ['processor'],
    floodable: false,
  };
  return [...receivers, outbound];
}

/** The queues that feed a function. @param peers identities of the other operators */
export function queuesOf(
  receiver: Receiver,
  identity: string,
  coins: readonly string[],
  peers: readonly string[],
): readonly QueueName[] {
  switch (receiver.spread) {
    case 'coin':
      return coins.map((coin) => topicQueue(identity, coin, receiver.message));
    case 'operator':
      return [topicQueue(identity, COORDINATOR_SEGMENT, receiver.message)];
    case 'peer':
      return peers.map((peer) => inboxQueue(identity, peer));
  }
}

/** `P2PIncoming` → `p2p-incoming`. */
export function fileOf(role: DeployedRole, message: ReceivedMessage): string {
  const file = message.replace(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])/g, '-').toLowerCase();
  if (!existsSync(join(FUNCTIONS, role, `${file}${EXTENSION}`)))
    throw new Error(`${message} has no function: expected functions/${role}/${file}${EXTENSION}`);
  return file;
}

function isReceived({ consumers, queue }: Entry, role: DeployedRole): boolean {
  return consumers.includes(role) && (queue === 'topic' || queue === 'inbox');
}

function receiver(role: DeployedRole, message: MessageName, { queue, senders, floodable }: Entry): Receiver {
  return {
    message,
    role,
    file: fileOf(role, message),
    spread: spreadOf(role, queue, senders),
    senders,
    floodable: floodable ?? false,
  };
}

/** What a processor says to its coordinator comes on that coin's topic; the rest on the coordinator's own. */
function spreadOf(role: DeployedRole, queue: Entry['queue'], senders: readonly Sender[]): Spread {
  if (queue === 'inbox') return 'peer';
  return role !== 'coordinator' || senders.includes('processor') ? 'coin' : 'operator';
}
