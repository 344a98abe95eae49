/**
 * Everything that a liar can write in place of what it should say, derived from the message's own schema: a field that is added to a message is lied about without
 * anybody thinking of it.
 *
 * A lie here is only a text. Its teller signs it with its own key afterwards, so that it is authenticated, and anybody can be shown who said it.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import * as z from 'zod';
import { contentSchema } from '../../lib/messages/contents.ts';
import { fromHex, type Hex, toHex } from '../../lib/messages/hex.ts';
import type { StatementType } from '../../lib/messages/statement.ts';

export type Curve = 'secp256k1' | 'ed25519';

/** What is wrong with a lie. The table test says of each what it leads to, for each type. */
export const LIE_KINDS = [
  // Of any hex field.
  'another value',
  'zeros',
  'a byte less',
  'a byte more',
  'upper case',
  // Of points.
  'the identity',
  'off the curve',
  'not reduced',
  'negated',
  'small order',
  'a small-order part',
  'a flipped sign bit on x = 0',
  // Of scalars.
  'plus the order',
  'the order itself',
  'all ones',
  // Of lists.
  'none',
  'one less',
  'one more',
  'a hundred and one',
  'out of order',
  // Of objects and texts.
  'a field missing',
  'an unknown field',
  'another type',
  'another number',
  'another word',
  'two keys of one name',
  'something after the end',
  'no JSON',
  'another spelling',
  // Of other statements.
  'what was meant for another reader',
  'what was said in another ceremony',
  'what another operator said',
] as const;
export type LieKind = (typeof LIE_KINDS)[number];

export interface Lie {
  readonly kind: LieKind;
  /** The field, dotted; empty: the whole content. */
  readonly field: string;
  /** What is signed. */
  readonly text: string;
}

/** A content of the same type that the liar knows, with what is wrong about saying it here. */
export interface Elsewhere {
  readonly kind: Extract<
    LieKind,
    'what was meant for another reader' | 'what was said in another ceremony' | 'what another operator said'
  >;
  readonly text: string;
}

/** @returns every lie about this content; at most some hundred, each different from the truth and from each other */
export function liesAbout(
  type: StatementType,
  truth: string,
  curve: Curve,
  elsewhere: readonly Elsewhere[] = [],
): readonly Lie[] {
  const content: unknown = JSON.parse(truth);
  const found: Lie[] = [];
  for (const { path, kind, value } of changesOf(contentSchema(type), content, [], curve))
    found.push({ kind, field: path.join('.'), text: JSON.stringify(replaced(content, path, value)) });
  found.push(...textLies(truth));
  for (const { kind, text } of elsewhere) found.push({ kind, field: '', text });
  const different = new Map(found.filter(({ text }) => text !== truth).map((lie) => [lie.text, lie] as const));
  return [...different.values()];
}

/** What a reader that is not strict would take for the truth, or for nothing (attack ENC-08). */
function textLies(truth: string): Lie[] {
  const [, first = ''] = /^\{("[a-zA-Z]+":)/.exec(truth) ?? [];
  return [
    { kind: 'two keys of one name', field: '', text: `{${first}0,${truth.slice(1)}` },
    { kind: 'something after the end', field: '', text: `${truth}{}` },
    { kind: 'no JSON', field: '', text: truth.slice(0, -1) },
    { kind: 'another spelling', field: '', text: `{ ${truth.slice(1)}` },
  ];
}

// ------------------------------------------------------------------------------------------------ along the schema

type Path = readonly (string | number)[];

interface Change {
  readonly path: Path;
  readonly kind: LieKind;
  readonly value: unknown;
}

/** A schema of a kind that is not handled throws, so that no field can be left out in silence. */
function changesOf(schema: z.core.$ZodType, value: unknown, path: Path, curve: Curve): Change[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const change = (kind: LieKind, instead: unknown): Change => ({ path, kind, value: instead });
  switch (def.type) {
    case 'object': {
      const fields = value as Readonly<Record<string, unknown>>;
      const names = Object.keys(fields);
      const [first = ''] = names;
      const { [first]: _, ...rest } = fields;
      const inner = names.flatMap((name) => {
        const field = def.shape[name];
        return field ? changesOf(field, fields[name], [...path, name], curve) : [];
      });
      return [change('a field missing', rest), change('an unknown field', { ...fields, more: 0 }), ...inner];
    }
    case 'array': {
      const items = value as readonly unknown[];
      const last = items.length - 1;
      const counts = [
        change('none', []),
        change('one less', items.slice(0, -1)),
        change('one more', [...items, items[last]]),
        change('a hundred and one', Array(101).fill(items[0])),
        change('out of order', items.toReversed()),
      ];
      // The first and the last element: of a polynomial, the constant term is proven and the leading one is not.
      const positions = [...new Set([0, last])].filter((position) => position >= 0);
      const inner = positions.flatMap((i) => changesOf(def.element, items[i], [...path, i], curve));
      return [...counts, ...inner];
    }
    case 'union': {
      const option = def.options.find((each) => z.safeParse(each, value).success);
      return option ? changesOf(option, value, path, curve) : [];
    }
    case 'optional':
      return changesOf(def.innerType, value, path, curve);
    case 'pipe':
      return changesOf(def.in, value, path, curve);
    case 'literal':
    case 'enum': {
      const others = def.type === 'enum' ? Object.values(def.entries).filter((each) => each !== value) : [];
      return [change('another word', others[0] ?? 'other'), change('another type', 7)];
    }
    case 'number':
      return [
        change('another number', (value as number) + 1),
        change('another type', `${value as number}`),
        change('all ones', 2 ** 53),
      ];
    case 'string':
      return [change('another word', value === 'other' ? 'another' : 'other'), change('another type', null)];
    case 'custom':
      return hexChanges(value as Hex, path, curve).map(([kind, instead]) => change(kind, instead));
    default:
      throw new Error(`no lie about a schema of type ${def.type}`);
  }
}

function replaced(content: unknown, path: Path, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (Array.isArray(content)) return content.map((each, i) => (i === step ? replaced(each, rest, value) : each));
  const fields = content as Readonly<Record<string, unknown>>;
  return { ...fields, [step]: replaced(fields[step], rest, value) };
}

// ------------------------------------------------------------------------------------------------ hex fields

/** What stands in a field is known by its name; a name that is not here gets the lies that any bytes get. */
const POINTS = new Set(['commitments', 'hiding', 'binding']);
const SCALARS = new Set(['share', 'shares']);

function hexChanges(value: Hex, path: Path, curve: Curve): [LieKind, unknown][] {
  const name = path.findLast((step): step is string => typeof step === 'string') ?? '';
  const bytes = fromHex(value);
  const flipped = bytes.slice();
  flipped[0] = (flipped[0] ?? 0) ^ 1;
  const more = new Uint8Array([...bytes, 0]);
  const changes: [LieKind, unknown][] = [
    ['another value', toHex(flipped)],
    ['zeros', toHex(new Uint8Array(bytes.length))],
    ['a byte less', toHex(bytes.slice(0, -1))],
    ['a byte more', toHex(more)],
    ['upper case', `0x${value.slice(2).toUpperCase()}`],
    ['another type', 7],
  ];
  if (POINTS.has(name)) changes.push(...pointChanges(bytes, curve));
  if (SCALARS.has(name)) changes.push(...scalarChanges(bytes, curve));
  return changes;
}

const ORDER: Readonly<Record<Curve, bigint>> = {
  secp256k1: secp256k1.Point.Fn.ORDER,
  ed25519: ed25519.Point.Fn.ORDER,
};

/** secp256k1 writes its scalars big-endian, Ed25519 little-endian (RFC 9591 §6). */
function scalarChanges(bytes: Uint8Array, curve: Curve): [LieKind, Hex][] {
  const order = ORDER[curve];
  const value = number(bytes, curve === 'ed25519');
  const write = (scalar: bigint): Hex => toHex(written(scalar, curve === 'ed25519'));
  const changes: [LieKind, Hex][] = [
    ['the order itself', write(order)],
    ['all ones', toHex(new Uint8Array(32).fill(0xff))],
    ['negated', write((order - value) % order)],
  ];
  // Almost no scalar of secp256k1 has a second encoding in 256 bits.
  if (value + order < 1n << 256n) changes.push(['plus the order', write(value + order)]);
  return changes;
}

function pointChanges(bytes: Uint8Array, curve: Curve): [LieKind, Hex][] {
  return curve === 'secp256k1' ? secp256k1Changes(bytes) : ed25519Changes(bytes);
}

function secp256k1Changes(bytes: Uint8Array): [LieKind, Hex][] {
  const compressed = bytes.length === 33;
  const negated = secp256k1.Point.fromBytes(bytes).negate().toBytes(compressed);
  const offCurve = bytes.slice();
  // No point has x = 5 (SEC 1 names none, and 5³ + 7 is no square mod p); of an affine one it is y that does not fit.
  if (compressed) offCurve.set(written(5n, false), 1);
  else offCurve[64] = (offCurve[64] ?? 0) ^ 1;
  const unreduced = bytes.slice().fill(0xff, 1);
  return [
    // There is no encoding of the identity in either form: SEC 1 has a single zero byte for it, which has another length.
    ['the identity', '0x00'],
    ['negated', toHex(negated)],
    ['off the curve', toHex(offCurve)],
    ['not reduced', toHex(unreduced)],
  ];
}

function ed25519Changes(bytes: Uint8Array): [LieKind, Hex][] {
  const affine = bytes.length === 64;
  const { Fp } = ed25519.Point;
  const point = affine
    ? ed25519.Point.fromAffine({ x: number(bytes.subarray(0, 32), true), y: number(bytes.subarray(32), true) })
    : ed25519.Point.fromBytes(bytes);
  const write = (each: InstanceType<typeof ed25519.Point>): Hex => {
    const { x, y } = each.toAffine();
    return toHex(affine ? new Uint8Array([...written(x, true), ...written(y, true)]) : each.toBytes());
  };
  // (x, y) + (0, −1) = (−x, −y).
  const order2 = ed25519.Point.fromAffine({ x: 0n, y: Fp.neg(1n) });
  const order4 = ed25519.Point.fromAffine({ x: Fp.sqrt(Fp.neg(1n)), y: 0n });
  const changes: [LieKind, Hex][] = [
    ['the identity', write(ed25519.Point.ZERO)],
    ['negated', write(point.negate())],
    ['small order', write(order4)],
    ['a small-order part', write(point.add(order2))],
  ];
  if (affine) {
    const off = bytes.slice();
    off[32] = (off[32] ?? 0) ^ 1;
    const { y } = point.toAffine();
    // Only what is below 2^256 − p has a second encoding: y = 1 has.
    const unreduced = new Uint8Array([...written(0n, true), ...written(Fp.ORDER + 1n, true)]);
    changes.push(['off the curve', toHex(off)], ['not reduced', y === 1n ? toHex(off) : toHex(unreduced)]);
  } else {
    changes.push(
      // y = 2 is on no point of the curve.
      ['off the curve', toHex(written(2n, true))],
      ['not reduced', toHex(written(Fp.ORDER + 3n, true))],
      ['a flipped sign bit on x = 0', toHex(written(1n | (1n << 255n), true))],
    );
  }
  return changes;
}

function number(bytes: Uint8Array, littleEndian: boolean): bigint {
  return BigInt(toHex(littleEndian ? bytes.toReversed() : bytes));
}

function written(value: bigint, littleEndian: boolean): Uint8Array {
  const bytes = fromHex(`0x${value.toString(16).padStart(64, '0')}`);
  return littleEndian ? bytes.toReversed() : bytes;
}
