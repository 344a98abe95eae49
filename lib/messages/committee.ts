/** The committee file: who the operators are, and what they hold together. Every operator pins its hash by a deploy parameter. */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import * as z from 'zod';
import { concat, tagged, utf8 } from './bytes.ts';
import { checkSignatureKey } from './ed25519.ts';
import { amount, coin, hex32, hexOf, identity, index, reasonOf, seconds } from './fields.ts';
import { type Hex, toHex } from './hex.ts';
import { parseStrict } from './json.ts';
import {
  type CeremonySuite,
  COCONUT_SUITE,
  type KeygenParameters,
  MAX_SERVICES,
  signingSuite,
  threshold,
} from './parameters.ts';
import { LONGEST_QUEUE_MESSAGE, MAX_QUEUE_NAME, queueNameTooLong, RESERVED_COINS, topicQueue } from './topics.ts';
import { messagingKey } from './x25519.ts';

const MAX_FILE_BYTES = 200_000;

const operator = z.strictObject({
  index,
  identity,
  /** AWS account id. */
  account: z.string().regex(/^[0-9]{12}$/, 'expected an account id of 12 digits'),
  region: z.string().regex(/^[a-z0-9-]{2,32}$/, 'expected a region'),
  /** Name of the queue that a peer sends to; `{identity}` stands for the peer. */
  inbox: z.string().regex(/^[A-Za-z0-9_{}-]{1,90}$/, 'expected a queue name with {identity} for the peer'),
  /** X25519: own processors seal `SignerReady` to it. */
  coordinatorKey: messagingKey,
  /** Ed25519, one for each coin's processor. */
  coins: z.record(coin, z.strictObject({ signatureKey: hex32 })),
  assets: z.record(coin, z.strictObject({ signatureKey: hex32 })),
});

const genesis = z.strictObject({ requestId: hexOf(16), expiresAt: seconds });

const coinEntry = z.strictObject({
  suite: signingSuite,
  t: threshold,
  genesis: genesis.optional(),
  /** Says that t = 1 is meant: any single operator can then sign alone. */
  allowSingleSigner: z.literal(true).optional(),
});

const assetEntry = z.strictObject({
  t: threshold,
  /** Malicious services tolerated: 2t > n + f. */
  f: z.int().min(0).max(100),
  depositors: z.strictObject({
    keys: z.array(hex32).min(1).max(32),
    required: z.int().min(1).max(32),
    capPerEpoch: amount,
  }),
  epoch: z.int().min(0),
  genesis: genesis.optional(),
});

/** What people agree on about an asset before there is a committee file; t follows the coins' where it is not said. */
export const assetTerms = assetEntry.omit({ genesis: true }).partial({ t: true });

export const committeeFile = z.strictObject({
  version: z.literal(1),
  network: z.string().regex(/^[a-z0-9-]{1,32}$/, 'expected 1 to 32 lower-case letters, digits and hyphens'),
  operators: z.array(operator).min(1).max(100),
  coins: z.record(coin, coinEntry),
  assets: z.record(coin, assetEntry),
  /** Seconds that a silent leader costs. */
  leaderPeriod: z.int().min(1).max(3_600),
});
export type CommitteeFile = z.infer<typeof committeeFile>;
export type Operator = CommitteeFile['operators'][number];

/** Nobody of the committee answers to an index and a coin: the caller was to look first. */
export class UnknownSigner extends Error {
  readonly kind = 'UnknownSigner';
}

/** A property of the record itself: every object has a `constructor` (attack ENC-08). */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** An accepted committee file, and what follows from it. */
export class Committee {
  /** SHA-256 of the tagged canonical file (RFC 8785), 32 bytes. */
  readonly id: Hex;
  readonly file: CommitteeFile;
  readonly #byIndex: ReadonlyMap<number, Operator>;

  constructor(file: CommitteeFile) {
    this.file = file;
    this.id = committeeId(file);
    this.#byIndex = new Map(file.operators.map((each) => [each.index, each]));
  }

  get n(): number {
    return this.file.operators.length;
  }

  operator(of: number): Operator | undefined {
    return this.#byIndex.get(of);
  }

  operatorByIdentity(name: string): Operator | undefined {
    return this.file.operators.find((each) => each.identity === name);
  }

  /** Ascending indexes of the operators who have a processor for this coin or a signing service for this asset. */
  signersOf(of: string): number[] {
    return [...this.#byIndex.values()]
      .filter((each) => own(each.coins, of) ?? own(each.assets, of))
      .map((each) => each.index)
      .sort((a, b) => a - b);
  }

  /** Whether the operator has a processor for this coin or a signing service for this asset, which the committee holds. */
  isSigner(of: string, operatorIndex: number): boolean {
    const entry = this.keyOf(of) && this.operator(operatorIndex);
    return entry !== undefined && (own(entry.coins, of) ?? own(entry.assets, of)) !== undefined;
  }

  /** The first key generation of a coin or an asset, which the file itself authorises; nothing if it names none. */
  genesisOf(of: string): KeygenParameters | undefined {
    const key = this.keyOf(of);
    const begins = (own(this.file.coins, of) ?? own(this.file.assets, of))?.genesis;
    return (
      key && begins && { kind: 'keygen', committee: this.id, coin: of, ...key, signers: this.signersOf(of), ...begins }
    );
  }

  /** What the committee holds under this name: its suite and threshold. */
  keyOf(of: string): { readonly suite: CeremonySuite; readonly t: number } | undefined {
    const held = own(this.file.coins, of);
    if (held) return { suite: held.suite, t: held.t };
    const asset = own(this.file.assets, of);
    return asset && { suite: COCONUT_SUITE, t: asset.t };
  }

  /** Ed25519, 32 bytes. @throws {UnknownSigner} if the operator has no processor or service of that name */
  signatureKey(of: string, operatorIndex: number): Hex {
    const entry = this.operator(operatorIndex);
    const key = entry && (own(entry.coins, of) ?? own(entry.assets, of))?.signatureKey;
    if (!key) throw new UnknownSigner(`operator ${operatorIndex} has no signature key for ${of}`);
    return key;
  }
}

/** @throws never for a value that JSON can hold */
export function committeeId(file: CommitteeFile): Hex {
  const text = canonicalize(file);
  if (text === undefined) throw new Error('a committee file is a JSON object');
  return toHex(
    createHash('sha256')
      .update(concat(tagged('committee'), utf8(text)))
      .digest(),
  );
}

export type ParsedCommittee =
  | { readonly ok: true; readonly committee: Committee }
  | { readonly ok: false; readonly reason: string };

/** @param input the file's text, or the object it holds */
export function parseCommittee(input: unknown): ParsedCommittee {
  const json = typeof input === 'string' ? parseStrict(input, MAX_FILE_BYTES) : ({ ok: true, value: input } as const);
  if (!json.ok) return json;
  const parsed = committeeFile.safeParse(json.value);
  if (!parsed.success) return { ok: false, reason: reasonOf(parsed.error) };
  const reason = contradiction(parsed.data);
  return reason === undefined ? { ok: true, committee: new Committee(parsed.data) } : { ok: false, reason };
}

/** What a shape cannot say. @returns one sentence, or nothing */
function contradiction(file: CommitteeFile): string | undefined {
  const n = file.operators.length;
  const indexes = new Set(file.operators.map((each) => each.index));
  if (indexes.size !== n) return 'expected distinct operator indexes, got one twice';
  if ([...indexes].some((each) => each > n)) return `expected operator indexes 1 to ${n}, got a higher one`;
  if (new Set(file.operators.map((each) => each.identity)).size !== n)
    return 'expected distinct identities, got one twice';
  const messaging = file.operators.map((each) => each.coordinatorKey);
  if (new Set(messaging).size !== n) return 'expected distinct coordinator keys, got one twice';
  const signing = file.operators.flatMap((each) =>
    [...Object.values(each.coins), ...Object.values(each.assets)].map((entry) => entry.signatureKey),
  );
  if (new Set(signing).size !== signing.length) return 'expected distinct signature keys, got one twice';
  for (const { index: of, coins, assets } of file.operators) {
    for (const [name, { signatureKey }] of [...Object.entries(coins), ...Object.entries(assets)]) {
      const why = checkSignatureKey(signatureKey);
      if (why !== undefined) return `expected a signature key of prime order for ${name} of operator ${of}, got ${why}`;
    }
  }
  const names = [...Object.keys(file.coins), ...Object.keys(file.assets)];
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return `expected a coin or an asset of each name, got both of ${twice}`;
  return (
    names.map((name) => nameProblem(file, name)).find((why) => why !== undefined) ??
    file.operators.map((each) => undeclared(file, each)).find((why) => why !== undefined) ??
    Object.entries(file.coins)
      .map(([name, entry]) => coinProblem(file, name, entry))
      .find((why) => why !== undefined) ??
    Object.entries(file.assets)
      .map(([name, entry]) => assetProblem(file, name, entry))
      .find((why) => why !== undefined)
  );
}

function nameProblem(file: CommitteeFile, name: string): string | undefined {
  if (RESERVED_COINS.has(name)) return `expected a coin name that is not reserved, got ${name}`;
  const longest = file.operators
    .map((each) => topicQueue(each.identity, name, LONGEST_QUEUE_MESSAGE))
    .find((queue) => queue.length > MAX_QUEUE_NAME);
  return longest && queueNameTooLong(longest);
}

/** A key for a name that the committee does not hold would be pinned for whatever comes by that name later. */
function undeclared(file: CommitteeFile, { index: of, coins, assets }: Operator): string | undefined {
  const name =
    Object.keys(coins).find((each) => !own(file.coins, each)) ??
    Object.keys(assets).find((each) => !own(file.assets, each));
  return name === undefined ? undefined : `expected ${name} of operator ${of} to be one of the committee's, it is not`;
}

function coinProblem(
  file: CommitteeFile,
  name: string,
  { t, allowSingleSigner }: z.infer<typeof coinEntry>,
): string | undefined {
  const signers = file.operators.filter((each) => own(each.coins, name)).length;
  if (t > signers) return `expected t of ${name} to be at most its ${signers} operators, got ${t}`;
  if (t < 2 && !allowSingleSigner)
    return `expected t of ${name} to be at least 2 (or allowSingleSigner: true), got ${t}`;
  return undefined;
}

/** Two certificates for one serial need t + t votes, and honest services vote once: 2t > n + f. */
function assetProblem(
  file: CommitteeFile,
  name: string,
  { t, f, depositors }: z.infer<typeof assetEntry>,
): string | undefined {
  const services = file.operators.filter((each) => own(each.assets, name)).map((each) => each.index);
  const n = services.length;
  if (t > n) return `expected t of ${name} to be at most its ${n} operators, got ${t}`;
  if (n > MAX_SERVICES) return `expected at most ${MAX_SERVICES} operators for ${name}, got ${n}`;
  // A credential's services are numbered 1 to 31 wherever they are named.
  const far = services.find((each) => each > MAX_SERVICES);
  if (far !== undefined) return `expected services of ${name} with indexes of at most ${MAX_SERVICES}, got ${far}`;
  if (2 * t <= n + f) return `expected 2t > n + f for ${name}, got t = ${t}, n = ${n}, f = ${f}`;
  if (new Set(depositors.keys).size !== depositors.keys.length)
    return `expected distinct depositor keys of ${name}, got one twice`;
  const bad = depositors.keys.map(checkSignatureKey).find((why) => why !== undefined);
  if (bad !== undefined) return `expected depositor keys of prime order for ${name}, got ${bad}`;
  if (depositors.required > depositors.keys.length)
    return `expected at most ${depositors.keys.length} required depositors of ${name}, got ${depositors.required}`;
  return undefined;
}
