/** One ceremony as one operator saw it: what was asked, who said what and when, how it ended, who is to blame. Public facts only. */
import * as z from 'zod';
import { failureReason } from '../messages/contents.ts';
import { evidenceReason } from '../messages/evidence.ts';
import { coin, hex32, hex64, hexUpTo, identity, index } from '../messages/fields.ts';
import { message, purpose, requestId, suiteName, threshold } from '../messages/parameters.ts';
import { STATEMENT_TYPES, type StatementType } from '../messages/statement.ts';

/** Milliseconds UTC by the operator's clock; absent for a row that does not say when it was written. */
const milliseconds = z.int().min(0);
const seconds = z.int().min(0);
const operator = z.strictObject({ index, identity });
const statementType = z.enum(STATEMENT_TYPES as [StatementType, ...StatementType[]]);

export const ceremonyStages = [
  'AwaitingPublicKeys',
  'AwaitingCommitments',
  'AwaitingShares',
  'AwaitingVerdicts',
  'LeadingOnly',
  'Signing',
  'Succeeded',
  'Unresolved',
  'Failed',
] as const;

/** What list views show of each ceremony. */
const summary = {
  ceremony: hex32,
  kind: z.enum(['keygen', 'signing']),
  coin,
  stage: z.enum(ceremonyStages),
  /** False: peers asked, the own client did not, and this operator leads for them only. */
  authorised: z.boolean(),
  open: z.boolean(),
  t: threshold,
  signers: z.array(index),
  /** Of the key that signs, or that was made. */
  keyId: hex32.optional(),
  purpose: purpose.optional(),
  requestId,
  /** Seconds UTC. */
  expiresAt: seconds,
  /** Last change. */
  updatedAt: milliseconds.optional(),
  /** One sentence: how it stands, or how it ended. */
  sentence: z.string(),
};
export const ceremonySummary = z.strictObject(summary);
export type CeremonySummary = z.infer<typeof ceremonySummary>;

/** A round of statements, in the order of the protocol. */
const round = z.strictObject({
  type: statementType,
  /** `ahead`: nothing yet; `waiting`: some are missing and are waited for; `complete`; `cut`: the ceremony ended without the rest. */
  status: z.enum(['ahead', 'waiting', 'complete', 'cut']),
  firstAt: milliseconds.optional(),
  lastAt: milliseconds.optional(),
  /** Ascending by index; `at` is when it was recorded here. */
  arrivals: z.array(z.strictObject({ index, identity, at: milliseconds.optional() })),
  /** From whom this operator expects such a statement and has none. */
  missing: z.array(operator),
});

/** One statement that came, that left, or that this operator said to itself; never its content. */
const statement = z.strictObject({
  direction: z.enum(['in', 'out', 'own']),
  type: statementType,
  slot: z.string(),
  from: index,
  /** Operator indexes; empty for what is said to oneself. */
  to: z.array(index),
  sealed: z.boolean(),
  at: milliseconds.optional(),
});

const outcome = z.strictObject({
  result: z.enum(['succeeded', 'failed', 'unresolved']),
  /** False: a certificate may still come. */
  final: z.boolean(),
  reason: failureReason.optional(),
  keyId: hex32.optional(),
  publicKey: hexUpTo(96, 32).optional(),
  address: z.string().optional(),
  /** One for each message. */
  signatures: z.array(hex64).optional(),
  /** The signatures came after the failure was told. */
  late: z.boolean().optional(),
  /** Shares have left, so a signature may still appear. */
  sharesReleased: z.boolean().optional(),
});

export const ceremonyView = z.strictObject({
  v: z.literal(1),
  ...summary,
  /** Whose rows these are. */
  seenBy: operator,
  /** When they were read, seconds UTC by the place's clock. */
  readAt: seconds,
  suite: suiteName,
  /** What is signed. */
  messages: z.array(message).optional(),
  startedAt: milliseconds.optional(),
  /** Leaders in turn, where the ceremony has any: `k` is the turn. */
  leaders: z.array(z.strictObject({ k: z.int().min(0), index, identity, asked: z.boolean() })),
  rounds: z.array(round),
  statements: z.array(statement),
  outcome: outcome.optional(),
  /** Proven faults. `sentence` is a stranger's judgement of the stored proof. */
  culprits: z.array(
    z.strictObject({ index, identity, reason: evidenceReason, proof: z.boolean(), sentence: z.string() }),
  ),
  /** Waited for; nothing is proven. */
  unresponsive: z.array(operator),
  /** What the person on duty should do next; absent where nothing is to be done. */
  todo: z.string().optional(),
});
export type CeremonyView = z.infer<typeof ceremonyView>;
