/** The policies that an operator may configure; what they decide is `lib/signing/policy.ts`. */
import * as z from 'zod';

export const policySchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('require-own-instruction') }),
  z.strictObject({ kind: z.literal('purposes'), allow: z.array(z.string().min(1).max(64)).min(1).max(64) }),
]);
export type Policy = z.infer<typeof policySchema>;
