/** One line on stdin of `coterie local`: an instruction whose fields may be left out, or a switch. */
import * as z from 'zod';
import { hex32, index, seconds, signers } from '../messages/fields.ts';
import { control } from '../messages/instructions.ts';
import { parseStrict } from '../messages/json.ts';
import { message, purpose, requestId, suiteName, threshold } from '../messages/parameters.ts';
import { MAX_LINE_BYTES } from './lines.ts';
import { COIN_NAMES, shown } from './usage.ts';

const coin = z.enum(COIN_NAMES);

const keyGenLine = z.strictObject({
  coin,
  suite: suiteName.optional(),
  t: threshold.optional(),
  signers: signers.optional(),
  requestId: requestId.optional(),
  expiresAt: seconds.optional(),
});

const signLine = z.strictObject({
  keyId: z.union([z.literal('latest'), hex32], 'expected "latest" or 32 bytes as 0x and lower-case hex').optional(),
  coin: coin.optional(),
  messages: z.array(message).min(1).max(100),
  purpose: purpose.optional(),
  requestId: requestId.optional(),
  expiresAt: seconds.optional(),
});

const operatorList = z.array(index).min(1).max(100).optional();

export type KeyGenLine = z.infer<typeof keyGenLine>;
export type SignLine = z.infer<typeof signLine>;

export type Input = { readonly operators: readonly number[] | undefined } & (
  | { readonly kind: 'KeyGen'; readonly keyGen: KeyGenLine }
  | { readonly kind: 'Sign'; readonly sign: SignLine }
  | { readonly kind: 'Control'; readonly control: z.infer<typeof control> }
);

export type ParsedInput =
  | { readonly ok: true; readonly input: Input }
  | { readonly ok: false; readonly reason: string };

const SWITCHES = ['Halt', 'Release', 'Abandon', 'CleanUp'];

/** @param n operators are 1..n */
export function parseInput(text: string, n: number): ParsedInput {
  const json = parseStrict(text, MAX_LINE_BYTES);
  if (!json.ok) return no(`expected one JSON message: ${json.reason}`);
  if (!isObject(json.value)) return no(`expected a JSON object, got ${shown(json.value)}`);
  const { operators: asked, ...body } = json.value;
  const operators = operatorList.safeParse(asked);
  if (!operators.success) return no(complaint('operators', operators.error, asked));
  const stranger = operators.data?.find((operator) => operator > n);
  if (stranger !== undefined) return no(`operators: expected indexes from 1 to ${n}, got ${stranger}`);

  const [name, payload] = onlyEntry(body);
  if (name === 'Control') {
    const [which, content] = onlyEntry(payload);
    if (which === undefined || !SWITCHES.includes(which))
      return no(`Control: expected one of ${SWITCHES.join(', ')}, got ${keysOf(payload)}`);
    const parsed = control.safeParse({ [which]: content });
    const shape = which === 'Abandon' ? '{"ceremony": 32 bytes as 0x and lower-case hex}' : '{}';
    if (!parsed.success) return no(`Control ${which}: expected ${shape}, got ${shown(content)}`);
    return { ok: true, input: { kind: 'Control', operators: operators.data, control: parsed.data } };
  }
  if (name !== 'MultisigInstruction') return no(`expected MultisigInstruction or Control, got ${keysOf(body)}`);
  const [what, content] = onlyEntry(payload);
  if (what === 'KeyGen') {
    const parsed = keyGenLine.safeParse(content);
    if (!parsed.success) return no(complaint('KeyGen', parsed.error, content));
    return { ok: true, input: { kind: 'KeyGen', operators: operators.data, keyGen: parsed.data } };
  }
  if (what === 'Sign') {
    const parsed = signLine.safeParse(content);
    if (!parsed.success) return no(complaint('Sign', parsed.error, content));
    return { ok: true, input: { kind: 'Sign', operators: operators.data, sign: parsed.data } };
  }
  return no(`MultisigInstruction: expected KeyGen or Sign, got ${keysOf(payload)}`);
}

function no(reason: string): ParsedInput {
  return { ok: false, reason };
}

/** The first wrong field, what was expected there, and what came. */
function complaint(where: string, error: z.ZodError, value: unknown): string {
  const [issue] = error.issues;
  const path = [where, ...(issue?.path ?? [])].join('.');
  if (issue?.code === 'unrecognized_keys') return `${path}: expected only known fields, got ${shown(issue.keys[0])}`;
  const came = (issue?.path ?? []).reduce<unknown>(
    (at, step) => (isObject(at) || Array.isArray(at) ? Reflect.get(at, step) : undefined),
    value,
  );
  const expected = (issue?.message ?? 'not of the expected shape')
    .replace(/^Invalid \w+: /, '')
    .replace(/, received .*$/, '');
  return `${path}: ${expected.startsWith('expected') ? expected : `expected a valid value (${expected})`}, got ${came === undefined ? 'nothing' : shown(came)}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The name and value of an object with one key; nothing for anything else. */
function onlyEntry(value: unknown): [string, unknown] | [undefined, undefined] {
  const [entry, ...more] = isObject(value) ? Object.entries(value) : [];
  return entry && more.length === 0 ? entry : [undefined, undefined];
}

function keysOf(value: unknown): string {
  if (!isObject(value)) return value === undefined ? 'nothing' : shown(value);
  const keys = Object.keys(value);
  return keys.length === 0 ? 'an empty object' : keys.slice(0, 3).map(shown).join(' and ');
}
