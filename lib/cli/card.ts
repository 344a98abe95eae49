/**
 * `coterie card`: what an operator tells the others about itself, self-signed: each processor signed its messaging key, and the operator's account, region, inbox and
 * coordinator key, with its signature key when it was started, inside its function. No command ever opens a secret.
 */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import * as z from 'zod';
import { concat, lp, tagged, utf8 } from '../messages/bytes.ts';
import { inboxPattern, verifyCardEntry } from '../messages/card.ts';
import { checkSignatureKey } from '../messages/ed25519.ts';
import { coin, hex32, hex64, identity, reasonOf } from '../messages/fields.ts';
import { type Hex, toHex } from '../messages/hex.ts';
import { parseStrict } from '../messages/json.ts';
import type { OperatorFile } from '../messages/operator.ts';
import { verifyProcessorKey } from '../messages/processor-key.ts';
import { COORDINATOR_SEGMENT } from '../messages/topics.ts';
import { OWN_CARD, OWN_KEYS } from '../node/rows.ts';
import type { Key, Store } from '../ports.ts';
import { UsageError } from './usage.ts';

const MAX_CARD_BYTES = 20_000;

/** What one processor, or one signing service, says. */
const entry = z.strictObject({
  /** Ed25519. */
  signatureKey: hex32,
  /** X25519, and its generation: what the signature is on, with identity and coin. */
  messagingKey: hex32,
  generation: z.int().min(1),
  signature: hex64,
  /** By the signature key, over everything that this card says of the coin and of the operator. */
  entrySignature: hex64,
});

const unhashed = {
  version: z.literal(1),
  identity,
  account: z.string().regex(/^[0-9]{12}$/, 'expected an account id of 12 digits'),
  region: z.string().regex(/^[a-z0-9-]{2,32}$/, 'expected a region'),
  /** Name of the queue that a peer sends to; `{identity}` stands for the peer. */
  inbox: z.string().regex(/^[A-Za-z0-9_{}-]{1,90}$/, 'expected a queue name with {identity} for the peer'),
  /** X25519. */
  coordinatorKey: hex32,
  coins: z.record(coin, entry),
  /** As `coins`, of its signing services. */
  assets: z.record(coin, entry),
};

export const cardSchema = z.strictObject({
  ...unhashed,
  /** SHA-256 of the tagged canonical rest: a slip in copying is seen, and it is short enough to be read aloud. */
  hash: hex32,
});
export type Card = z.infer<typeof cardSchema>;

/** SHA-256(`LP("coterie/v1/card") ‖ LP(canonical JSON of the card without its hash)`), 32 bytes. */
export function cardHash(card: Omit<Card, 'hash'> & { readonly hash?: Hex }): Hex {
  const { hash: _, ...rest } = card;
  const bytes = concat(tagged('card'), lp(utf8(canonicalize(rest) ?? '')));
  return toHex(createHash('sha256').update(bytes).digest());
}

/**
 * Reads the public halves that `Start` published in the operator's own tables.
 * @param storeOf one role's tables: a coin's, or `coordinator`'s
 * @throws {UsageError} if a role has no keys yet
 */
export async function cardOf(operator: OperatorFile, storeOf: (segment: string) => Pick<Store, 'get'>): Promise<Card> {
  const row = async (segment: string, key: Key = OWN_KEYS) => {
    const found = await storeOf(segment).get('Directory', key);
    if (!found)
      throw new UsageError(
        `${segment} of ${operator.identity} has no keys yet: run coterie start, wait a few seconds, and run this again`,
      );
    return found;
  };
  const coordinator = await row(COORDINATOR_SEGMENT);
  const entriesOf = async (names: readonly string[]) =>
    Object.fromEntries(await Promise.all(names.map(async (name) => [name, await entryOf(name)] as const)));
  const entryOf = async (name: string) => {
    const { signatureKey, messagingKey, generation, signature } = await row(name);
    const entry = await row(name, OWN_CARD);
    const keys = { signatureKey, messagingKey, generation, signature, entrySignature: entry['signature'] };
    return keys as Card['coins'][string];
  };
  const card = {
    version: 1 as const,
    identity: operator.identity,
    account: operator.account,
    region: operator.region,
    inbox: inboxPattern(operator.identity),
    coordinatorKey: coordinator['messagingKey'] as Hex,
    coins: await entriesOf(operator.coins),
    assets: await entriesOf(operator.assets),
  };
  return checkedCard({ ...card, hash: cardHash(card) }, `the tables of ${operator.identity}`);
}

/** @throws {UsageError} */
export function parseCard(text: string, path: string): Card {
  const json = parseStrict(text, MAX_CARD_BYTES);
  if (!json.ok) throw new UsageError(`${path}: ${json.reason} (expected a card as coterie card prints it)`);
  return checkedCard(json.value, path);
}

function checkedCard(value: unknown, path: string): Card {
  const parsed = cardSchema.safeParse(value);
  if (!parsed.success)
    throw new UsageError(`${path}: ${reasonOf(parsed.error)} (expected a card as coterie card prints it)`);
  const card = parsed.data;
  const again = `ask ${card.identity} for its card again`;
  if (cardHash(card) !== card.hash)
    throw new UsageError(`${path}: expected a card with hash ${card.hash}, got one with ${cardHash(card)}: ${again}`);
  for (const [name, of] of Object.entries({ ...card.coins, ...card.assets })) {
    const { signatureKey, messagingKey, generation, signature, entrySignature } = of;
    const why = checkSignatureKey(signatureKey);
    if (why !== undefined)
      throw new UsageError(`${path}: expected a signature key of prime order for ${name}, got ${why}: ${again}`);
    const key = { identity: card.identity, coin: name, pubkey: messagingKey, generation };
    if (!verifyProcessorKey(key, signature, signatureKey)) {
      throw new UsageError(`${path}: the ${name} key's own signature does not verify: ${again}`);
    }
    if (!verifyCardEntry({ ...card, coin: name, signatureKey }, entrySignature))
      throw new UsageError(
        `${path}: the ${name} processor did not sign this account, region, inbox and coordinator key: ${again}`,
      );
  }
  return card;
}
