/**
 * Messages of credentials and tokens (`credentials.md`). Points of G1 are 48 bytes, compressed; scalars 32; proofs are opaque here and bounded, and are judged by
 * the scheme after shape, limits and epoch.
 */
import * as z from 'zod';
import { concat, list, lp, tagged, u64be, utf8 } from './bytes.ts';
import { sign, verifies } from './ed25519.ts';
import { amount, coin, hex32, hex64, hexOf, hexUpTo, index } from './fields.ts';
import { fromHex, type Hex, toHex } from './hex.ts';
import { messagingKey } from './x25519.ts';

const g1 = hexOf(48);
const tag = g1;
/** Inputs, outputs or deposits of one transaction. */
export const MAX_SIDE = 8;
/** Bytes of a transaction in its canonical form. */
const MAX_TRANSACTION_BYTES = 60_000;
/** The longest, one range proof over eight outputs, has 1,216 bytes. */
const proof = hexUpTo(4_096, 32);

/** Each text once, ascending: a set has one encoding. Lower-case hex of one length sorts as its bytes do. */
function ascending(texts: readonly string[]): boolean {
  return texts.every((text, i) => i === 0 || text > (texts[i - 1] ?? ''));
}
const distinct = (texts: readonly string[]): boolean => new Set(texts).size === texts.length;

/** One show: h', s', κ (G2, 96 bytes), the tag ζ, and the value commitment P. */
const input = z.strictObject({ h: g1, s: g1, kappa: hexOf(96), tag, value: g1 });
/** One request: com, the openings c₁ (serial) and c₂ (value), the value commitment V, and its owner's proof. */
const output = z.strictObject({ commitment: g1, openings: z.array(g1).length(2), value: g1, ownerProof: proof });
const deposit = z.strictObject({
  depositId: hex32,
  value: amount,
  owner: hex32,
  signatures: z
    .array(z.strictObject({ key: hex32, signature: hex64 }))
    .min(1)
    .max(32),
});
export const withdraw = z.strictObject({ amount, recipient: z.string().min(1).max(128), memo: z.string().max(256) });
export type Withdraw = z.infer<typeof withdraw>;
const reply = z.string().regex(/^[A-Za-z0-9_-]{1,80}$/, 'expected a queue name');

const content = {
  version: z.literal(1),
  asset: coin,
  epoch: z.int().min(0),
  inputs: z
    .array(input)
    .max(MAX_SIDE)
    .refine((all) => distinct(all.map((each) => each.tag)), 'expected distinct tags'),
  outputs: z
    .array(output)
    .max(MAX_SIDE)
    // One request is signed once: a second time pays for nothing (attack ECASH-17).
    .refine((all) => distinct(all.map((each) => each.commitment)), 'expected distinct outputs'),
  deposits: z
    .array(deposit)
    .max(MAX_SIDE)
    .refine((all) => distinct(all.map((each) => each.depositId)), 'expected distinct deposits'),
  withdraw: withdraw.optional(),
  /** Shows and balance, over one transcript. */
  proof,
  /** Over the same transcript; empty where there is no output. */
  range: hexUpTo(4_096),
};

interface Sides {
  readonly inputs: readonly unknown[];
  readonly outputs: readonly unknown[];
  readonly deposits: readonly unknown[];
  readonly withdraw?: unknown;
}
// A transaction of nothing would be proven vacuously (attack ENC-07).
const comesIn = ({ inputs, deposits }: Sides): boolean => inputs.length + deposits.length > 0;
const goesOut = ({ outputs, withdraw: out }: Sides): boolean => outputs.length > 0 || out !== undefined;
const NOTHING_IN = 'expected an input or a deposit';
const NOTHING_OUT = 'expected an output or a withdrawal';

/** A transaction without where to answer: two wallets that send one transaction send the same. */
export const transactionContent = z.strictObject(content).refine(comesIn, NOTHING_IN).refine(goesOut, NOTHING_OUT);
export type TransactionContent = z.infer<typeof transactionContent>;

export const transaction = z
  .strictObject({
    ...content,
    replyTo: reply,
    /** X25519, used once: the answer is sealed to it. */
    replyKey: messagingKey,
  })
  .refine(comesIn, NOTHING_IN)
  .refine(goesOut, NOTHING_OUT);

export const REFUSAL_REASONS = [
  'BadShape',
  'BadProof',
  'Unbalanced',
  'OutOfRange',
  'Locked',
  'Spent',
  'BadDeposit',
  'DepositCap',
  'ReadOnly',
  'WrongEpoch',
  'TooMany',
  'Halted',
] as const;

/** What a service votes for: the transaction's id, what it consumes, and SHA-256 of its withdraw record. */
export const vote = z.strictObject({
  transaction: hex32,
  tags: z.array(tag).max(MAX_SIDE).refine(ascending, 'expected distinct tags in ascending order'),
  deposits: z.array(hex32).max(MAX_SIDE).refine(ascending, 'expected distinct deposits in ascending order'),
  withdraw: hex32,
});
export type Vote = z.infer<typeof vote>;

/** Which services vote, and in which epoch: never in the message, always the reader's own. */
export interface VoteContext {
  readonly committee: Hex;
  readonly asset: string;
  readonly epoch: number;
}

/** `LP("coterie/v1/vote") ‖ committee ‖ LP(asset) ‖ u64be(epoch) ‖ txid(32) ‖ list(tags) ‖ list(deposit ids) ‖ SHA-256(withdraw record)` */
export function voteBytes({ committee, asset, epoch }: VoteContext, of: Vote): Uint8Array {
  return concat(
    tagged('vote'),
    fromHex(committee),
    lp(utf8(asset)),
    u64be(epoch),
    fromHex(of.transaction),
    list(of.tags.map(fromHex)),
    list(of.deposits.map(fromHex)),
    fromHex(of.withdraw),
  );
}

/** @param secret Ed25519, 32 bytes @returns 64 bytes */
export function signVote(context: VoteContext, of: Vote, secret: Uint8Array): Hex {
  return toHex(sign(voteBytes(context, of), secret));
}

export function verifyVote(context: VoteContext, of: Vote, signature: Hex, signatureKey: Hex): boolean {
  return verifies(voteBytes(context, of), fromHex(signature), signatureKey);
}
const refusal = z.union([
  z.strictObject({ reason: z.literal('Locked'), transaction: hexUpTo(MAX_TRANSACTION_BYTES, 1) }),
  z.strictObject({ reason: z.enum(REFUSAL_REASONS).exclude(['Locked']) }),
]);
export const transactionVote = z.union([
  z.strictObject({ index, vote, signature: hex64 }),
  /** Without an id: what came was no transaction. */
  z.strictObject({ index, transaction: hex32.optional(), refusal }),
]);

/** What proves itself: a vote, and t services' signatures of it. */
export const voteCertificate = z.strictObject({
  vote,
  signatures: z
    .array(z.strictObject({ index, signature: hex64 }))
    .min(1)
    .max(31)
    .refine(
      (all) => all.every((each, i) => i === 0 || each.index > (all[i - 1]?.index ?? 0)),
      'expected distinct indexes in ascending order',
    ),
});
export type VoteCertificate = z.infer<typeof voteCertificate>;
export const transactionCertificate = z.strictObject({
  ...voteCertificate.shape,
  /** Canonical bytes of the transaction, where the service lacks them. */
  transaction: hexUpTo(MAX_TRANSACTION_BYTES, 1).optional(),
  replyTo: reply,
  replyKey: messagingKey,
});

/** The stored answers of one transaction, as far as it has come at this service: for a wallet that was restored from its seed. */
const issued = z.strictObject({
  /** Canonical bytes: whoever holds them may finish it. */
  transaction: hexUpTo(MAX_TRANSACTION_BYTES, 1),
  vote: z.strictObject({ vote, signature: hex64 }).optional(),
  certificate: voteCertificate.optional(),
  signatures: z.array(g1).max(MAX_SIDE).optional(),
});
export type Issued = z.infer<typeof issued>;
/** Where an answer ended: the next one goes on behind it. Certified transactions of all outputs come first, then all; of one output in the order of their ids. */
const recoveryPlace = z.strictObject({ certified: z.boolean(), output: hex32, transaction: hex32 });
export type RecoveryPlace = z.infer<typeof recoveryPlace>;
export const recoveredIssued = z.strictObject({
  index,
  /** This is one of so many answers: one body does not hold everything. */
  part: z.int().min(1).max(512),
  parts: z.int().min(1).max(512),
  /** Hash of what all parts hold together: a request that is delivered twice is answered twice, and by then more may be stored. */
  list: hex32,
  /** The service's tables are not those that the epoch began with: it may have forgotten something, and its end is not the end. */
  readOnly: z.literal(true).optional(),
  issued: z.array(issued).max(256),
  /** There is more: to be asked for from here. The same in every part. */
  next: recoveryPlace.optional(),
});
/** Every answer to a gateway: whose one-time key it is for says whom to give it to, and only that reader opens it. */
export const sealedAnswer = z.strictObject({
  index,
  replyKey: messagingKey,
  /** HPKE encapsulated key (X25519, 32 bytes). */
  enc: hex32,
  // Text with hex inside, so at most half of a body.
  ciphertext: hexUpTo(120_000, 16),
});
export type SealedAnswer = z.infer<typeof sealedAnswer>;

export const partialSignatures = z.strictObject({ transaction: hex32, index, signatures: z.array(g1).max(MAX_SIDE) });
export const withdrawal = z.strictObject({
  transaction: hex32,
  ...withdraw.shape,
  certificate: voteCertificate,
});
export type WithdrawalProof = z.infer<typeof withdrawal>;
export const recoverIssued = z.union([
  z.strictObject({ tags: z.array(tag).min(1).max(256), replyTo: reply, replyKey: messagingKey }),
  z.strictObject({
    outputs: z.array(hex32).min(1).max(256),
    /** Where this service's last answer to the same outputs ended. */
    after: recoveryPlace.optional(),
    replyTo: reply,
    replyKey: messagingKey,
  }),
]);
