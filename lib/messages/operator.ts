/** The operator file: private to one operator, never shown to the committee. */
import * as z from 'zod';
import { policySchema } from '../signing/policy.ts';
import { hex32, identity, reasonOf } from './fields.ts';
import { parseStrict } from './json.ts';

export type { InstructionKeys } from './instructions.ts';

const arn = z.string().regex(/^arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:[0-9]{0,12}:.+$/, 'expected an ARN');

export const operatorFile = z.strictObject({
  identity,
  account: z.string().regex(/^[0-9]{12}$/, 'expected an account id of 12 digits'),
  region: z.string().regex(/^[a-z0-9-]{2,32}$/, 'expected a region'),
  /** Roles that may send `MultisigInstruction` and `Control`; everybody else is denied. */
  clientRoles: z.array(arn).min(1).max(10),
  /** If set, instructions must also carry this many signatures of these Ed25519 keys. */
  instructionKeys: z.strictObject({ required: z.int().min(1).max(32), keys: z.array(hex32).min(1).max(32) }).optional(),
  policies: z
    .array(policySchema)
    .max(16)
    .default([{ kind: 'require-own-instruction' }]),
  /** Queue that events go to; made by the stack if absent. */
  outcomeQueue: arn.optional(),
  /** Queues that signing services answer gateways on. */
  gateways: z.array(arn).max(16).default([]),
  /** SNS topic for alarms. */
  alarmTarget: arn.optional(),
  coins: z
    .array(z.string().regex(/^[a-z0-9]{2,16}$/))
    .min(1)
    .max(16),
  /** SHA-256 of the committee file, compared by voice with the other operators; absent in the first deploy. */
  committeeHash: hex32.optional(),
});
export type OperatorFile = z.infer<typeof operatorFile>;

export function parseOperatorFile(
  input: unknown,
): { readonly ok: true; readonly file: OperatorFile } | { readonly ok: false; readonly reason: string } {
  const json = typeof input === 'string' ? parseStrict(input, 100_000) : ({ ok: true, value: input } as const);
  if (!json.ok) return json;
  const parsed = operatorFile.safeParse(json.value);
  if (!parsed.success) return { ok: false, reason: reasonOf(parsed.error) };
  const { instructionKeys } = parsed.data;
  if (instructionKeys && instructionKeys.required > new Set(instructionKeys.keys).size) {
    return {
      ok: false,
      reason: `instructionKeys: expected at most ${new Set(instructionKeys.keys).size} required, got ${instructionKeys.required}`,
    };
  }
  return { ok: true, file: parsed.data };
}
