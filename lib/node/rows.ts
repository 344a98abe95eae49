/** Keys of every row that a node writes (`formats.md`, "DynamoDB keys"), in one place. */
import type { SecretName } from '../ceremony.ts';
import type { Hex } from '../messages/hex.ts';
import type { Header, StatementType } from '../messages/statement.ts';
import type { Key } from '../ports.ts';

// Ceremonies
export const ceremonyPartition = (ceremony: Hex): string => `C#${ceremony}`;
/** Inbound statements have a partition for each type, so that a burst of one type spreads. */
export const inboundPartition = (ceremony: Hex, type: StatementType): string => `C#${ceremony}#${type}`;
export const stateKey = (ceremony: Hex): Key => ({ pk: ceremonyPartition(ceremony), sk: 'STATE' });
export const inboundKey = (ceremony: Hex, type: StatementType, slot: string, from: number): Key => ({
  pk: inboundPartition(ceremony, type),
  sk: `IN#${slot}#${from}`,
});
export const arrivedKey = (ceremony: Hex, type: StatementType, slot: string): Key => ({
  pk: inboundPartition(ceremony, type),
  sk: `ARRIVED#${slot}`,
});
export const outboxKey = (ceremony: Hex, stage: string, chunk: number): Key => ({
  pk: ceremonyPartition(ceremony),
  sk: `OUT#${stage}.${chunk}`,
});
export const sentKey = (outbox: Key): Key => ({ pk: outbox.pk, sk: `SENT#${outbox.sk.slice('OUT#'.length)}` });
export const evidenceKey = (ceremony: Hex, culprit: number): Key => ({
  pk: ceremonyPartition(ceremony),
  sk: `EVIDENCE#${culprit}`,
});
export const shareKey = (ceremony: Hex, leader: number, sequence: number): Key => ({
  pk: ceremonyPartition(ceremony),
  sk: `SHARE#${leader}#${sequence}`,
});
/** The withdrawal that was shown for a signature. */
export const withdrawalKey = (ceremony: Hex): Key => ({ pk: ceremonyPartition(ceremony), sk: 'WITHDRAWAL' });
/** Which ceremony a request id belongs to: the same id with other parameters is told so. */
export const requestKey = (kind: 'keygen' | 'signing', requestId: Hex): Key => ({
  pk: `R#${kind}#${requestId}`,
  sk: 'CEREMONY',
});
/** What a peer asked for under a request id, before or beside the own authorisation. */
export const askedKey = (kind: 'keygen' | 'signing', requestId: Hex, from: number): Key => ({
  pk: `R#${kind}#${requestId}`,
  sk: `ASKED#${from}`,
});
/** Ceremonies that a peer has opened here and that nobody has authorised. */
export const strayPartition = (from: number): string => `STRAY#${from}`;

// Nonces
export const secretKey = (ceremony: Hex, name: SecretName): Key => ({ pk: ceremonyPartition(ceremony), sk: name });
/** The hash of what was said in a place: public, but in this table, which no backup brings back. */
export const saidKey = (ceremony: Hex, { type, slot, to }: Pick<Header, 'type' | 'slot' | 'to'>): Key => ({
  pk: ceremonyPartition(ceremony),
  sk: `SAID#${type}#${slot}#${to}`,
});
/** What a withdrawal has paid for: written once, for ever, in the table that no backup brings back. */
export const PAID_PREFIX = 'PAID#';
export const paidKey = (asset: string, transaction: Hex): Key => ({
  pk: `${PAID_PREFIX}${asset}#${transaction}`,
  sk: 'PAYMENT',
});

// Keys
export const ownSecretKey = (name: 'MESSAGING' | 'SIGNATURE'): Key => ({ pk: 'OWN', sk: name });
export const longTermShareKey = (keyId: Hex): Key => ({ pk: `K#${keyId}`, sk: 'SHARE' });
export const publicKeyKey = (keyId: Hex): Key => ({ pk: `K#${keyId}`, sk: 'PUBLIC' });
/** Which key a signing service holds: one for each asset and epoch, and a committee file names one epoch. */
export const ASSET_KEY: Key = { pk: 'OWN', sk: 'ASSET_KEY' };
export const HALT: Key = { pk: 'SWITCH', sk: 'HALT' };
export const POLICY: Key = { pk: 'SWITCH', sk: 'POLICY' };

// Directory
export const OWN_KEYS: Key = { pk: 'OWN', sk: 'KEYS' };
/** The own entry on the operator's card, signed. */
export const OWN_CARD: Key = { pk: 'OWN', sk: 'CARD' };
export const COMMITTEE: Key = { pk: 'COMMITTEE', sk: 'FILE' };
export const COORDINATOR: Key = { pk: 'OWN', sk: 'COORDINATOR' };
export const SIGNER_READY: Key = { pk: 'OWN', sk: 'SIGNER_READY' };
export const READY: Key = { pk: 'OWN', sk: 'READY' };
export const PEERS = 'PEER';
export const peerKey = (index: number): Key => ({ pk: PEERS, sk: `${index}`.padStart(5, '0') });
export const ownProcessorKey = (coin: string): Key => ({ pk: `COIN#${coin}`, sk: 'PROCESSOR' });
export const ownProcessorReady = (coin: string): Key => ({ pk: `COIN#${coin}`, sk: 'READY' });
export const addressKey = (coin: string, keyId: Hex): Key => ({ pk: `COIN#${coin}`, sk: `ADDRESS#${keyId}` });
/** What came before the committee file was accepted, and is judged when it is: a peer's key, or the own processor's readiness. */
export const EARLY = 'EARLY';
export const earlyKey = (name: string | number): Key => ({ pk: EARLY, sk: `${name}` });
/** When a peer's coordinator greeted last (`at`), and since when it is missed (`missed`): seconds UTC. */
export const heardKey = (coin: string, index: number): Key => ({ pk: `COIN#${coin}`, sk: `HEARD#${index}` });
