/** `coterie committee`: from cards to a file, from a file to a hash that is read aloud, from a hash to a committee. */
import canonicalize from 'canonicalize';
import { bodyOf } from '../messages/catalogue.ts';
import type { Committee, CommitteeFile } from '../messages/committee.ts';
import { parseCommittee } from '../messages/committee.ts';
import { type Hex, toHex } from '../messages/hex.ts';
import type { OperatorFile } from '../messages/operator.ts';
import { COORDINATOR_SEGMENT, topicQueue } from '../messages/topics.ts';
import type { MessageBus, OutgoingMessage, Random } from '../ports.ts';
import type { Card } from './card.ts';
import { assertAgreed } from './deploy-files.ts';
import { UsageError } from './usage.ts';

type AssetTerms = CommitteeFile['assets'][string];
type Suite = CommitteeFile['coins'][string]['suite'];

/** Coins whose suite needs no saying. */
const SUITES: Readonly<Record<string, Suite>> = {
  btc: 'FROST-secp256k1-SHA256-TR-v1',
  sol: 'FROST-ED25519-SHA512-v1',
};

export interface CommitteeTerms {
  /** t, for every coin. */
  readonly threshold: number;
  readonly network: string;
  /** Suites of coins other than btc and sol. */
  readonly suites: Readonly<Record<string, string>>;
  /** Of each asset that a card names a signing service for; t is the threshold where it says nothing. */
  readonly assets: Readonly<Record<string, Omit<AssetTerms, 't' | 'genesis'> & { readonly t?: number | undefined }>>;
  /** Seconds from now within which the first keys are made by themselves; `undefined`: keys are made when a client asks. */
  readonly genesisLife: number | undefined;
  /** Seconds that a silent leader costs. */
  readonly leaderPeriod: number;
  readonly allowSingleSigner: boolean;
}

/**
 * The file that everybody will pin. Indexes are the order of the cards.
 * @param now seconds UTC
 * @throws {UsageError}
 */
export function createCommittee(cards: readonly Card[], terms: CommitteeTerms, random: Random, now: number): Committee {
  const coins = [...new Set(cards.flatMap((card) => Object.keys(card.coins)))].sort();
  const assets = [...new Set(cards.flatMap((card) => Object.keys(card.assets)))].sort();
  const unknown = Object.keys(terms.assets).find((asset) => !assets.includes(asset));
  if (unknown !== undefined)
    throw new UsageError(
      `--asset: expected ${assets.length > 0 ? `one of ${assets.join(', ')}, of which cards name services` : 'none, for no card names a signing service'}; got ${unknown}: put it into the operator files as assets, and deploy, start and make the cards again`,
    );
  const genesis = () =>
    terms.genesisLife === undefined
      ? {}
      : { genesis: { requestId: toHex(random.bytes(16)), expiresAt: now + terms.genesisLife } };
  const file = {
    version: 1,
    network: terms.network,
    operators: cards.map(({ identity, account, region, inbox, coordinatorKey, coins: own, assets: services }, i) => ({
      index: i + 1,
      identity,
      account,
      region,
      inbox,
      coordinatorKey,
      coins: signatureKeys(own),
      assets: signatureKeys(services),
    })),
    coins: Object.fromEntries(
      coins.map((coin) => [
        coin,
        {
          suite: terms.suites[coin] ?? SUITES[coin] ?? missingSuite(coin),
          t: terms.threshold,
          ...genesis(),
          ...(terms.allowSingleSigner ? { allowSingleSigner: true } : {}),
        },
      ]),
    ),
    assets: Object.fromEntries(
      assets.map((asset) => {
        const { t = terms.threshold, ...of } = terms.assets[asset] ?? missingTerms(asset);
        assertQuorum(asset, t, cards.filter((card) => Object.hasOwn(card.assets, asset)).length, of.f);
        return [asset, { t, ...of, ...genesis() }];
      }),
    ),
    leaderPeriod: terms.leaderPeriod,
  };
  const parsed = parseCommittee(file);
  if (!parsed.ok) throw new UsageError(`these cards and terms make no committee: ${parsed.reason}`);
  return parsed.committee;
}

function signatureKeys(entries: Card['coins']): Record<string, { signatureKey: Hex }> {
  return Object.fromEntries(Object.entries(entries).map(([name, { signatureKey }]) => [name, { signatureKey }]));
}

/** The committee file would be refused as well: here the one who writes it hears what to do. @throws {UsageError} */
function assertQuorum(asset: string, t: number, n: number, f: number): void {
  if (2 * t > n + f) return;
  const least = Math.floor((n + f) / 2) + 1;
  const remedy = least <= n ? `raise t to ${least} at least, or lower f` : `lower f, to ${n - 1} at most`;
  throw new UsageError(
    `--asset ${asset}: expected 2t > n + f, or two sets of services sign two payments of one token; got t = ${t}, n = ${n}, f = ${f}: ${remedy} in its terms`,
  );
}

function missingTerms(asset: string): never {
  throw new UsageError(`expected the terms of ${asset}, got none: add --asset ${asset}=<file>`);
}

function missingSuite(coin: string): never {
  throw new UsageError(
    `expected a suite for ${coin}, got none: add --suite ${coin}=FROST-ED25519-SHA512-v1 or another`,
  );
}

/** RFC 8785: the same bytes wherever the file is written. */
export function committeeText(committee: Committee): string {
  return `${canonicalize(committee.file) ?? ''}\n`;
}

/** In groups of four, to be read aloud. */
export function spoken(hash: Hex): string {
  return hash.slice(2).match(/.{4}/g)?.join(' ') ?? '';
}

/** What the operator itself can know about its own entry. @throws {UsageError} */
export function checkOwnEntry(operator: OperatorFile, committee: Committee, card: Card | undefined): void {
  if (operator.committeeHash !== undefined) assertAgreed(operator, committee);
  const self = committee.operatorByIdentity(operator.identity);
  if (!self)
    throw new UsageError(
      `expected a committee with operator ${operator.identity}, got one without: ask for a file that was made with your card`,
    );
  if (!card) return;
  const differs = (what: string, expected: string, got: string) =>
    new UsageError(`expected ${what} ${expected} (your card), got ${got}: do not accept this file`);
  for (const field of ['account', 'region', 'inbox', 'coordinatorKey'] as const) {
    if (self[field] !== card[field]) throw differs(field, card[field], self[field]);
  }
  for (const kind of ['coins', 'assets'] as const) {
    // A key that the card does not name is somebody else's, who would speak in this operator's name.
    for (const coin of new Set([...Object.keys(card[kind]), ...Object.keys(self[kind])])) {
      const [expected = 'none', got = 'none'] = [card[kind][coin]?.signatureKey, self[kind][coin]?.signatureKey];
      if (got !== expected) throw differs(`the ${coin} signature key`, expected, got);
    }
  }
}

/** `Start`, to every role of the operator. @throws {UsageError} if a queue did not take it */
export async function sendStart(operator: OperatorFile, bus: MessageBus): Promise<void> {
  await toEveryRole(operator, bus, 'Start', bodyOf('Start', {}));
}

/** `CommitteeAccepted`, to every role of the operator. May be repeated: each role takes it once. @throws {UsageError} */
export async function acceptCommittee(operator: OperatorFile, committee: Committee, bus: MessageBus): Promise<void> {
  assertAgreed(operator, committee);
  await toEveryRole(operator, bus, 'CommitteeAccepted', bodyOf('CommitteeAccepted', { committee: committee.file }));
}

async function toEveryRole(
  operator: OperatorFile,
  bus: MessageBus,
  message: 'Start' | 'CommitteeAccepted',
  body: string,
): Promise<void> {
  const { identity, coins, assets } = operator;
  const messages = [COORDINATOR_SEGMENT, ...coins, ...assets].map(
    (segment): OutgoingMessage => ({ queue: topicQueue(identity, segment, message), body }),
  );
  const refused = await bus.send(messages);
  const [first] = refused;
  if (first === undefined) return;
  throw new UsageError(
    `${refused.length} of ${messages.length} queues did not take ${message}, the first ${messages[first]?.queue}: check that the stacks are deployed and the endpoint answers, then run this again`,
  );
}
