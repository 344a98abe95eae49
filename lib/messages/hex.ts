/** Lower-case hex with a prefix: the one text form of bytes on every wire. */

export type Hex = `0x${string}`;

const PATTERN = /^0x(?:[0-9a-f]{2})*$/;

export class HexError extends Error {
  readonly kind = 'HexError';
}

export function toHex(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`;
}

/** @throws {HexError} on anything but `0x` and pairs of lower-case digits: one value has one text */
export function fromHex(hex: Hex): Uint8Array {
  if (!isHex(hex)) throw new HexError('expected 0x and an even number of lower-case hex digits');
  return new Uint8Array(Buffer.from(hex.slice(2), 'hex'));
}

export function isHex(text: unknown): text is Hex {
  return typeof text === 'string' && PATTERN.test(text);
}
