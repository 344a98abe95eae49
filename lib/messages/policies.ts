/** The policies that an operator may configure; what they decide is `lib/signing/policy.ts`. */
import * as z from 'zod';
import { coin, hex32 } from './fields.ts';

export const policySchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('require-own-instruction') }),
  z.strictObject({ kind: z.literal('purposes'), allow: z.array(z.string().min(1).max(64)).min(1).max(64) }),
  /** Signs what a withdrawal of this asset of the same committee pays for, once; with one key only, if it is named. */
  z.strictObject({ kind: z.literal('withdrawal-certificate'), asset: coin, key: hex32.optional() }),
]);
export type Policy = z.infer<typeof policySchema>;
