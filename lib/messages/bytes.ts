/** The byte encodings of `formats.md`: injective, length-prefixed, big-endian. */

/** Every hash and every signature begins with `LP("coterie/v1/<purpose>")`, so that none is ever good for another purpose. */
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
] as const;
export type Purpose = (typeof PURPOSES)[number];

/** A number does not fit the width that the format gives it. */
export class EncodingError extends Error {
  readonly kind = 'EncodingError';
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function u16be(value: number): Uint8Array {
  return Uint8Array.of(...bigEndian(BigInt(value), 2));
}

export function u32be(value: number): Uint8Array {
  return Uint8Array.of(...bigEndian(BigInt(value), 4));
}

export function u64be(value: number | bigint): Uint8Array {
  return Uint8Array.of(...bigEndian(BigInt(value), 8));
}

/** `u32be(length) ‖ x` */
export function lp(bytes: Uint8Array): Uint8Array {
  return concat(u32be(bytes.length), bytes);
}

/** `u32be(count) ‖ LP(item)…` */
export function list(items: readonly Uint8Array[]): Uint8Array {
  return concat(u32be(items.length), ...items.map(lp));
}

/** `LP("coterie/v1/<purpose>")` */
export function tagged(purpose: Purpose): Uint8Array {
  return lp(utf8(`coterie/v1/${purpose}`));
}

function bigEndian(value: bigint, width: number): number[] {
  if (value < 0n || value >= 1n << BigInt(8 * width))
    throw new EncodingError(`expected 0 ≤ x < 2^${8 * width}, got ${value}`);
  return Array.from({ length: width }, (_, i) => Number((value >> BigInt(8 * (width - 1 - i))) & 0xffn));
}
