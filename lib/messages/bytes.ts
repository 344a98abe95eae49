/**
 * The byte encodings of `formats.md`: injective, length-prefixed, big-endian.
 *
 * Every hash and signature of the project covers a concatenation of these. Two different values must never have one encoding, or a signature on
 * the one is a signature on the other (attack ENC-04: a delimiter that may occur inside a field).
 */

/**
 * Every hash and every signature begins with `LP("coterie/v1/<purpose>")`, so that none is ever good for another purpose (attack ENC-06). The table is
 * closed; since each tag carries its length, none is a prefix of another.
 */
export const PURPOSES = [
  'statement',
  'sealed',
  'hpke',
  'committee',
  'card',
  'ceremony',
  'transcript',
  'key-id',
  'processor-key',
  'instruction',
  'vote',
  'transaction',
  'deposit',
  'outcome',
  'coconut-key',
  'coconut-base',
  'coconut-request',
  'coconut-show',
  'coconut-possession',
  'coconut-output',
  'coconut-transaction',
  'coconut-range',
  'answer',
  'answer-signature',
  'gossip',
  'wallet',
  'withdrawal-payment',
  'withdrawal-request',
] as const;
export type Purpose = (typeof PURPOSES)[number];

/** A value has no encoding: a number that does not fit its width, or text that has no UTF-8 form. */
export class EncodingError extends Error {
  readonly kind = 'EncodingError';
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const encoder = new TextEncoder();

/** @throws {EncodingError} on a lone surrogate: every one would become U+FFFD, and different texts would have the same bytes */
export function utf8(text: string): Uint8Array {
  if (!text.isWellFormed()) throw new EncodingError('expected well-formed Unicode, got a lone surrogate');
  return encoder.encode(text);
}

/** @throws {EncodingError} outside 0 ≤ value < 2¹⁶ */
export function u16be(value: number): Uint8Array {
  within(value, 16);
  return Uint8Array.of(value >>> 8, value);
}

/** @throws {EncodingError} outside 0 ≤ value < 2³² */
export function u32be(value: number): Uint8Array {
  within(value, 32);
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** @throws {EncodingError} outside 0 ≤ value < 2⁶⁴, or for a number that is not a safe integer */
export function u64be(value: number | bigint): Uint8Array {
  const integer = typeof value === 'bigint' ? value : BigInt(within(value, 53));
  if (integer < 0n || integer >= 1n << 64n) throw new EncodingError(`expected 0 ≤ x < 2^64, got ${integer}`);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, integer);
  return bytes;
}

/** `u32be(length) ‖ x` */
export function lp(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  within(length, 32);
  const out = new Uint8Array(4 + length);
  out[0] = length >>> 24;
  out[1] = length >>> 16;
  out[2] = length >>> 8;
  out[3] = length;
  out.set(bytes, 4);
  return out;
}

/** `u32be(count) ‖ LP(item)…` */
export function list(items: readonly Uint8Array[]): Uint8Array {
  return concat(u32be(items.length), ...items.map(lp));
}

const tags = new Map(PURPOSES.map((purpose) => [purpose, lp(utf8(`coterie/v1/${purpose}`))]));

/** `LP("coterie/v1/<purpose>")` @throws {EncodingError} for a purpose that is not in the table */
export function tagged(purpose: Purpose): Uint8Array {
  const tag = tags.get(purpose);
  if (!tag) throw new EncodingError('expected a purpose of the table');
  return tag;
}

function within(value: number, bits: number): number {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** bits)
    throw new EncodingError(`expected an integer 0 ≤ x < 2^${bits}, got ${value}`);
  return value;
}
