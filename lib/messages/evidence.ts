/** The form of evidence; what it proves is judged by `lib/evidence`. */
import * as z from 'zod';
import { certificateSchema } from './certificate.ts';
import { hex32, reasonOf } from './fields.ts';
import { parseStrict } from './json.ts';
import { statementSchema } from './statement.ts';

export const EVIDENCE_REASONS = [
  'Equivocation',
  'InvalidCommitment',
  'InvalidShare',
  'InvalidSignatureShare',
  'InvalidPackage',
] as const;
export const evidenceReason = z.enum(EVIDENCE_REASONS);

/** A file of evidence: 16 statements of at most 200 KB; in practice two or three of at most 20 KB. */
export const MAX_EVIDENCE_BYTES = 4_000_000;

/** By convention the first statement is the culprit's. */
export const evidenceSchema = z.strictObject({
  v: z.literal(1),
  reason: evidenceReason,
  committee: hex32,
  certificate: certificateSchema.optional(),
  statements: z.array(statementSchema).min(1).max(16),
});
export type Evidence = z.infer<typeof evidenceSchema>;

export function parseEvidence(
  text: string,
): { readonly ok: true; readonly evidence: Evidence } | { readonly ok: false; readonly reason: string } {
  const json = parseStrict(text, MAX_EVIDENCE_BYTES);
  if (!json.ok) return json;
  const parsed = evidenceSchema.safeParse(json.value);
  return parsed.success ? { ok: true, evidence: parsed.data } : { ok: false, reason: reasonOf(parsed.error) };
}
