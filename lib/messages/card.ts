/** What an operator says of one of its coins on its card, signed by that coin's processor: nobody else can move an operator's account, inbox or keys. */
import canonicalize from 'canonicalize';
import { concat, lp, tagged, utf8 } from './bytes.ts';
import { sign, verifies } from './ed25519.ts';
import { fromHex, type Hex, toHex } from './hex.ts';
import { inboxQueue } from './topics.ts';

export interface CardEntry {
  readonly identity: string;
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
  /** Name of the queue that a peer sends to; `{identity}` stands for the peer. */
  readonly inbox: string;
  /** X25519, 32 bytes. */
  readonly coordinatorKey: Hex;
  readonly coin: string;
  /** Ed25519, 32 bytes. */
  readonly signatureKey: Hex;
}

/** The one inbox pattern that an operator's stacks make. */
export function inboxPattern(identity: string): string {
  return inboxQueue(identity, '{identity}');
}

/** `LP("coterie/v1/card") ‖ LP("entry") ‖ LP(canonical JSON, RFC 8785, of the entry)`; the second part sets it apart from a card's hash. */
function cardEntryBytes(entry: CardEntry): Uint8Array {
  const { identity, account, region, inbox, coordinatorKey, coin, signatureKey } = entry;
  const only = { identity, account, region, inbox, coordinatorKey, coin, signatureKey };
  return concat(tagged('card'), lp(utf8('entry')), lp(utf8(canonicalize(only) ?? '')));
}

/** @param secret Ed25519, 32 bytes: the secret of `signatureKey` @returns 64 bytes */
export function signCardEntry(entry: CardEntry, secret: Uint8Array): Hex {
  return toHex(sign(cardEntryBytes(entry), secret));
}

export function verifyCardEntry(entry: CardEntry, signature: Hex): boolean {
  return verifies(cardEntryBytes(entry), fromHex(signature), entry.signatureKey);
}
