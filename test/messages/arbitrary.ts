/**
 * Values of a zod schema for fast-check, derived from the schema itself: a field that is added to a message is covered without anybody thinking of it.
 *
 * Schemas here are few kinds; one that is not handled throws, so that it cannot be left out in silence.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import * as z from 'zod';
import { toHex } from '../../lib/messages/hex.ts';

/** Lengths in bytes at which a hex field is tried: the exact ones of the formats, and short ones. */
const HEX_LENGTHS = [0, 1, 16, 32, 33, 48, 64, 65, 66, 96];
/** `09…09` is a canonical X25519 key, and any other field of its length. */
const hexSample = (length: number): string => `0x${'09'.repeat(length)}`;

interface Check {
  readonly check: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly length?: number;
  readonly value?: number;
  readonly inclusive?: boolean;
  readonly pattern?: RegExp;
}

function checksOf(schema: z.core.$ZodType): readonly Check[] {
  const { def } = schema._zod;
  const inner = (def.checks ?? []).map((check) => check._zod.def as unknown as Check);
  return 'check' in def ? [def as unknown as Check, ...inner] : inner;
}

/** Small, or anything that is allowed: refinements compare numbers with lengths of lists, which are short here. */
function integers(min: number, max: number): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min, max: Math.min(max, min + 3) }) },
    { weight: 1, arbitrary: fc.integer({ min, max }) },
  );
}

export function arbitraryOf<S extends z.core.$ZodType>(schema: S): fc.Arbitrary<z.core.input<S>> {
  const refined = checksOf(schema).some(({ check }) => check === 'custom');
  const values = unrefined(schema, refined);
  return (refined ? values.filter((value) => z.safeParse(schema, value).success) : values) as fc.Arbitrary<
    z.core.input<S>
  >;
}

function unrefined(schema: z.core.$ZodType, refined: boolean): fc.Arbitrary<unknown> {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const checks = checksOf(schema);
  const bound = (name: string) => checks.find(({ check }) => check === name);
  switch (def.type) {
    case 'object': {
      const fields = Object.entries(def.shape).map(([name, field]) => [name, arbitraryOf(field)] as const);
      const optional = Object.entries(def.shape).filter(([, { _zod }]) => _zod.def.type === 'optional');
      const requiredKeys = Object.keys(def.shape).filter((name) => !optional.some(([each]) => each === name));
      return fc.record(Object.fromEntries(fields), { requiredKeys, noNullPrototype: true });
    }
    case 'array': {
      const exact = bound('length_equals')?.length;
      const minLength = exact ?? bound('min_length')?.minimum ?? 0;
      const maxLength = exact ?? Math.min(minLength + 3, bound('max_length')?.maximum ?? 3);
      const item = arbitraryOf(def.element);
      if (!refined) return fc.array(item, { minLength, maxLength });
      // What is asked of a whole list is that its elements are distinct and in order.
      const selector = (value: unknown): string => JSON.stringify(value);
      return fc
        .uniqueArray(item, { minLength, maxLength, selector })
        .map((all) => all.toSorted((a, b) => rank(a) - rank(b) || selector(a).localeCompare(selector(b))));
    }
    case 'union':
      return fc.oneof(...def.options.map((option) => arbitraryOf(option)));
    case 'optional':
      return arbitraryOf(def.innerType);
    case 'literal':
      return fc.constantFrom(...def.values);
    case 'enum':
      return fc.constantFrom(...Object.values(def.entries));
    case 'boolean':
      return fc.boolean();
    case 'record':
      return fc.dictionary(arbitraryOf(def.keyType) as fc.Arbitrary<string>, arbitraryOf(def.valueType), {
        maxKeys: 3,
        noNullPrototype: true,
      });
    case 'number':
      return integers(bound('greater_than')?.value ?? 0, bound('less_than')?.value ?? Number.MAX_SAFE_INTEGER);
    case 'string': {
      const pattern = bound('string_format')?.pattern;
      if (pattern) return fc.stringMatching(pattern);
      const minLength = bound('min_length')?.minimum ?? 0;
      const maxLength = Math.min(bound('max_length')?.maximum ?? 40, minLength + 40);
      return fc.string({ minLength, maxLength, unit: 'grapheme' }).filter((text) => z.safeParse(schema, text).success);
    }
    case 'custom': {
      const lengths = HEX_LENGTHS.filter((length) => z.safeParse(schema, hexSample(length)).success);
      if (lengths.length === 0) throw new Error('a custom field that is no hex of a known length');
      // One draw for a whole field, and not one for each of its bytes: a certificate has some thousand.
      return fc
        .tuple(fc.constantFrom(...lengths), fc.integer({ min: 0 }))
        .map(([length, seed]) => toHex(expanded(seed, length)))
        .filter((hex) => z.safeParse(schema, hex).success);
    }
    case 'pipe':
      return arbitraryOf(def.in);
    default:
      throw new Error(`no arbitrary for a schema of type ${def.type}`);
  }
}

/** As many bytes as are asked for; of small seeds, bytes that are all alike. */
function expanded(seed: number, length: number): Uint8Array {
  if (seed < 256) return new Uint8Array(length).fill(seed);
  return new Uint8Array(
    createHash('shake256', { outputLength: Math.max(1, length) })
      .update(`${seed}`)
      .digest(),
  ).subarray(0, length);
}

/** Numbers and indexes sort as numbers; everything else by its text. */
function rank(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'object' && value !== null && 'index' in value ? Number(value.index) : 0;
}
