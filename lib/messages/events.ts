/** What a client hears: one final value for each ceremony and operator, under a stable id, delivered at least once. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { concat, lp, tagged, utf8 } from './bytes.ts';
import { failureReason } from './contents.ts';
import { evidenceReason, evidenceSchema } from './evidence.ts';
import { coin, hex32, hex64, hexOf, hexUpTo } from './fields.ts';
import { type Hex, toHex } from './hex.ts';
import { message } from './parameters.ts';

/** 0: an operator that knows no committee yet. */
const operator = z.int().min(0).max(100);
const common = { id: hex32, operator, coin };
const index = z.int().min(1).max(100);
/** Proven faults; the proof is left out only where a body could not carry it, and is then found by index at the operator. */
const culprits = z
  .array(z.strictObject({ index, reason: evidenceReason, evidence: evidenceSchema.optional() }))
  .max(100);
/** Waited for, or not understood: nothing is proven. */
const unresponsive = z.array(index).max(100);

const ready = z.strictObject({ ...common, committee: hex32 });
const keygen = z.strictObject({
  ...common,
  ceremony: hex32,
  result: z.enum(['succeeded', 'failed', 'unresolved']),
  /** False: provisional, a certificate may still come. */
  final: z.boolean(),
  keyId: hex32.optional(),
  /** As in `PublicAddressAvailable`: an asset has a verification key of 288 bytes, and no address. */
  publicKey: hexUpTo(288, 32).optional(),
  address: z.string().max(128).optional(),
  reason: failureReason.optional(),
  culprits,
  unresponsive,
});
const signing = z.strictObject({
  ...common,
  ceremony: hex32,
  result: z.enum(['succeeded', 'failed']),
  final: z.boolean(),
  keyId: hex32,
  messages: z.array(message).min(1).max(100),
  signatures: z.array(hex64).min(1).max(100).optional(),
  /** On a failure: shares have left, so a signature may still appear. */
  sharesReleased: z.boolean(),
  reason: failureReason.optional(),
  culprits,
  unresponsive,
});
const late = z.strictObject({
  ...common,
  ceremony: hex32,
  keyId: hex32,
  messages: z.array(message).min(1).max(100),
  signatures: z.array(hex64).min(1).max(100),
});
export const REFUSALS = [
  'Expired',
  'Unauthorised',
  'ConfigurationMismatch',
  'UnknownKey',
  'Repeated',
  'Malformed',
] as const;
const refused = z.strictObject({
  ...common,
  reason: z.enum(REFUSALS),
  /** What was expected and what came. */
  detail: z.string().max(500),
  requestId: hexOf(16).optional(),
});

export const multisigEvent = z.union([
  z.strictObject({ ReadyToKeygen: ready }),
  z.strictObject({ KeygenOutcome: keygen }),
  z.strictObject({ SigningOutcome: signing }),
  z.strictObject({ LateSignature: late }),
  z.strictObject({ Refused: refused }),
]);
export type MultisigEvent = z.infer<typeof multisigEvent>;

/** An event's id: the same for every delivery of the same fact. */
export function eventId(kind: string, ...parts: readonly string[]): Hex {
  const bytes = concat(tagged('outcome'), lp(utf8(kind)), ...parts.map((part) => lp(utf8(part))));
  return toHex(createHash('sha256').update(bytes).digest());
}

export function readyToKeygen(fields: Omit<z.infer<typeof ready>, 'id'>): MultisigEvent {
  return {
    ReadyToKeygen: { id: eventId('ReadyToKeygen', `${fields.operator}`, fields.coin, fields.committee), ...fields },
  };
}

/** A provisional outcome has another id than the final one, so that a client that drops known ids hears both. */
export function keygenOutcome(fields: Omit<z.infer<typeof keygen>, 'id'>): MultisigEvent {
  const { operator: of, coin: which, ceremony, final, culprits: blamed } = fields;
  const id = eventId('KeygenOutcome', `${of}`, which, ceremony, final ? 'final' : `provisional ${blamed.length}`);
  return { KeygenOutcome: { id, ...fields } };
}

export function signingOutcome(fields: Omit<z.infer<typeof signing>, 'id'>): MultisigEvent {
  return {
    SigningOutcome: { id: eventId('SigningOutcome', `${fields.operator}`, fields.coin, fields.ceremony), ...fields },
  };
}

export function lateSignature(fields: Omit<z.infer<typeof late>, 'id'>): MultisigEvent {
  return {
    LateSignature: { id: eventId('LateSignature', `${fields.operator}`, fields.coin, fields.ceremony), ...fields },
  };
}

export function refusedEvent(fields: Omit<z.infer<typeof refused>, 'id'>): MultisigEvent {
  const { operator: of, coin: which, reason, detail, requestId } = fields;
  return { Refused: { id: eventId('Refused', `${of}`, which, reason, detail, requestId ?? ''), ...fields } };
}
