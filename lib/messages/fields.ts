/** The fields that every schema is made of (`formats.md`, "JSON"). */
import * as z from 'zod';
import type { Hex } from './hex.ts';

/** Exactly `bytes` bytes as lower-case hex. */
export function hexOf(bytes: number) {
  const pattern = new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`);
  return z.custom<Hex>(
    (value) => typeof value === 'string' && pattern.test(value),
    `expected ${bytes} bytes as 0x and lower-case hex`,
  );
}

/** From `least` to `most` bytes as lower-case hex. */
export function hexUpTo(most: number, least = 0) {
  return z.custom<Hex>(
    (value) =>
      typeof value === 'string' &&
      value.length <= 2 + 2 * most &&
      value.length >= 2 + 2 * least &&
      /^0x(?:[0-9a-f]{2})*$/.test(value),
    `expected ${least} to ${most} bytes as 0x and lower-case hex`,
  );
}

export const identity = z.string().regex(/^[a-z0-9]{1,32}$/, 'expected 1 to 32 lower-case letters and digits');
export const coin = z
  .string()
  .regex(/^[a-z0-9]{2,16}$/, 'expected 2 to 16 lower-case letters and digits')
  // A coin's name is looked up in objects: `constructor` would be found in every one of them (attack ENC-08).
  .refine((name) => !(name in Object.prototype), 'expected a name that is no property of every object');
/** An operator's index, 1..n with n ≤ 100. */
export const index = z.int().min(1).max(100);
export const seconds = z.int().min(0);
/** A 64-bit amount. */
export const amount = z
  .string()
  // A later check runs after a failed one unless told otherwise, and `BigInt` throws at what is no number.
  .regex(/^(0|[1-9][0-9]{0,19})$/, { error: 'expected a decimal amount', abort: true })
  .refine((text) => BigInt(text) < 1n << 64n, 'expected an amount below 2^64');
export const hex32 = hexOf(32);
export const hex64 = hexOf(64);

/** Distinct indexes, ascending. */
export const signers = z
  .array(index)
  .min(1)
  .max(100)
  .refine(
    (all) => all.every((value, i) => i === 0 || value > (all[i - 1] ?? 0)),
    'expected distinct indexes in ascending order',
  );

/** The first thing that is wrong, with the name of its field and never its value. */
export function reasonOf(error: z.ZodError): string {
  return describe(error.issues).slice(0, 300);
}

type Issue = z.core.$ZodIssue;

function describe(issues: readonly Issue[]): string {
  const [issue] = issues;
  if (!issue) return 'not of the expected shape';
  const where = issue.path.length > 0 ? `${issue.path.map(fieldName).join('.')}: ` : '';
  switch (issue.code) {
    case 'unrecognized_keys':
      return `${where}unknown key ${issue.keys.slice(0, 3).map(fieldName).join(', ')}`;
    case 'invalid_union': {
      const branch = nearest(issue.errors);
      return branch ? `${where}${describe(branch)}` : `${where}not one of the expected shapes`;
    }
    default:
      return `${where}${issue.message}`;
  }
}

/**
 * Of a union's alternatives the one that was meant: whose own fields are wrong inside rather than missing or unknown at the top. A client whose `KeyGen` has a wrong
 * `t` hears of `t`, and not that there is no `Sign`.
 */
function nearest(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const foreign = (branch: readonly Issue[]) =>
    branch.filter((each) => each.code === 'unrecognized_keys' || each.path.length <= 1).length;
  return [...branches].sort((a, b) => foreign(a) - foreign(b) || a.length - b.length)[0];
}

/** A sender chooses the names of unknown keys: only what looks like a name is repeated. */
function fieldName(key: PropertyKey): string {
  const name = String(key).slice(0, 40);
  return /^[\w.-]*$/.test(name) ? name : '(not a name)';
}
