/**
 * Pedersen commitments (CRYPTO 1991) to amounts: V = b·g1 + v·H_v. They hide v perfectly, add up as amounts do, and open to one value only as long as nobody knows the discrete logarithm
 * of H_v (`generators.ts`).
 */
import type { RandomBytes } from '../ceremony.ts';
import { valueGenerator } from './generators.ts';
import { CoconutError, encodeG1, type G1, G1_BYTES, G1_ZERO, multiplyBase, multiplySecret } from './groups.ts';

/** Bits of an amount. */
export const VALUE_BITS = 64;
const LIMIT = 1n << BigInt(VALUE_BITS);

/** What opens a commitment. SECRET between the payer and the payee. */
export interface ValueOpening {
  /** v, below 2⁶⁴, in the asset's smallest unit. */
  readonly value: bigint;
  /** b, below r. */
  readonly blinding: bigint;
}

/** The value itself, if 0 ≤ v < 2⁶⁴. @throws {CoconutError} `BadValue`, which does not repeat a value: it may be secret */
export function expectValue(value: bigint): bigint {
  if (typeof value !== 'bigint' || value < 0n || value >= LIMIT)
    throw new CoconutError('BadValue', 'a value of 64 bits', 'one outside');
  return value;
}

/** Σ of values as an integer. @throws {CoconutError} `BadValue` for a sum of 2⁶⁴ or more (attack ECASH-16: never modulo anything) */
export function sumOfValues(values: readonly bigint[]): bigint {
  return expectValue(values.reduce((sum, value) => sum + expectValue(value), 0n));
}

/**
 * b·g1 + v·H_v for secrets; any scalars, since a proof's first message is of the same form.
 * @param value 0 ≤ value < r
 * @param blinding 0 ≤ blinding < r
 * @param random blinds the multiplication; the result does not depend on it
 * @throws {CoconutError} `BadScalar`
 */
export function commitValue(value: bigint, blinding: bigint, random: RandomBytes): G1 {
  return multiplyBase(blinding).add(multiplySecret(valueGenerator(), value, random));
}

/**
 * Whether V opens to (v, b): what a payer asks about the output of an invoice. By noble, since both are secret.
 * @param V 48 bytes
 * @throws {CoconutError} for a value of more than 64 bits, or a blinding ≥ r
 */
export function opensTo(V: Uint8Array, { value, blinding }: ValueOpening): boolean {
  const valued = expectValue(value) === 0n ? G1_ZERO : valueGenerator().multiply(value);
  const expected = encodeG1(multiplyBase(blinding).add(valued));
  return V.length === G1_BYTES && expected.every((byte, i) => byte === V[i]);
}
