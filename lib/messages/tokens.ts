/**
 * Messages of credentials and tokens (`credentials.md`). Points of G1 are 48 bytes, compressed; scalars 32; proofs are opaque here and bounded, and are judged by
 * the scheme after shape, limits and epoch.
 */
import * as z from 'zod';
import { amount, coin, hex32, hex64, hexOf, hexUpTo, index } from './fields.ts';

const g1 = hexOf(48);
const tag = g1;
const MAX_SIDE = 8;
const proof = hexUpTo(4_096, 32);

const input = z.strictObject({ h: g1, s: g1, kappa: hexOf(96), tag, value: g1 });
const output = z.strictObject({ commitment: g1, openings: z.array(g1).min(1).max(8), value: g1, ownerProof: proof });
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
const reply = z.string().regex(/^[A-Za-z0-9_-]{1,80}$/, 'expected a queue name');

export const transaction = z.strictObject({
  version: z.literal(1),
  asset: coin,
  epoch: z.int().min(0),
  inputs: z.array(input).max(MAX_SIDE),
  outputs: z.array(output).max(MAX_SIDE),
  deposits: z.array(deposit).max(MAX_SIDE),
  withdraw: withdraw.optional(),
  /** Shows, balance and range, over one transcript. */
  proof,
  range: proof,
  replyTo: reply,
  /** X25519, used once: the answer is sealed to it. */
  replyKey: hex32,
});

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

export const vote = z.strictObject({
  transaction: hex32,
  tags: z.array(tag).max(MAX_SIDE),
  deposits: z.array(hex32).max(MAX_SIDE),
  withdraw: hex32,
});
const refusal = z.union([
  z.strictObject({ reason: z.literal('Locked'), transaction: hexUpTo(60_000, 1) }),
  z.strictObject({ reason: z.enum(REFUSAL_REASONS).exclude(['Locked']) }),
]);
export const transactionVote = z.union([
  z.strictObject({ index, vote, signature: hex64 }),
  z.strictObject({ index, transaction: hex32, refusal }),
]);

export const transactionCertificate = z.strictObject({
  vote,
  signatures: z
    .array(z.strictObject({ index, signature: hex64 }))
    .min(1)
    .max(31),
  /** Canonical bytes of the transaction, where the service lacks them. */
  transaction: hexUpTo(60_000, 1).optional(),
  replyTo: reply,
  replyKey: hex32,
});

export const partialSignatures = z.strictObject({ transaction: hex32, index, signatures: z.array(g1).max(MAX_SIDE) });
export const withdrawal = z.strictObject({
  transaction: hex32,
  ...withdraw.shape,
  certificate: transactionCertificate,
});
export const recoverIssued = z.union([
  z.strictObject({ tags: z.array(tag).min(1).max(256), replyTo: reply, replyKey: hex32 }),
  z.strictObject({ outputs: z.array(hex32).min(1).max(256), replyTo: reply, replyKey: hex32 }),
]);
