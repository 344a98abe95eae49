/**
 * Threshold issuance of selectively disclosed credentials: Coconut (Sonnino, Al-Bassam, Bano, Meiklejohn, Danezis, NDSS 2019, arXiv:1802.07344) over Pointcheval–Sanders signatures
 * (CT-RSA 2016), in the Pedersen variant without ν whose security is proven in Rial & Piotrowska, ePrint 2022/011 (its §7 has the algorithms). The algorithms that these files name
 * (TTPKeyGen, PrepareBlindSign, BlindSign, Unblind, AggCred, ProveCred, VerifyCred) are those of the first paper's threshold scheme, changed as the second changes them: commitments c_j,
 * with keys β_j of G1 that unblind, where the first encrypts to the user (ElGamal); and r·h′ added to s′, where the first sends ν = r·h′.
 */
import { randomBytes } from '@noble/hashes/utils.js';
import type { RandomBytes } from '../ceremony.ts';
import { CoconutError, expectScalar } from './groups.ts';

/** Messages of a committee carry all shares and keys of all services. */
export const MAX_SERVICES = 31;
/** Most attributes of a credential. */
export const MAX_ATTRIBUTES = 16;

/** Sizes of one key. */
export interface CoconutParameters {
  /** q, 1..16: how many attributes a credential has. */
  readonly attributes: number;
  /** t, 1..n: how many services' signatures make a credential. */
  readonly threshold: number;
  /** n, 1..31. */
  readonly total: number;
}

function expectCount(what: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new CoconutError('BadParameters', `1 ≤ ${what} ≤ ${most}`, String(value));
}

/** Parameters of one key, and the source of randomness of whoever uses them. The generators are the same for all (`generators.ts`). */
export class Coconut implements CoconutParameters {
  readonly attributes: number;
  readonly threshold: number;
  readonly total: number;
  readonly random: RandomBytes;

  private constructor({ attributes, threshold, total }: CoconutParameters, random: RandomBytes) {
    this.attributes = attributes;
    this.threshold = threshold;
    this.total = total;
    this.random = random;
  }

  /**
   * @param parameters q in 1..16, n in 1..31, t in 1..n
   * @param random a cryptographic source; the platform's unless a wallet derives what it may have to make again
   * @throws {CoconutError} `BadParameters` for counts outside their ranges
   * @example
   * const coconut = Coconut.create({ attributes: 2, threshold: 5, total: 7 });
   */
  static create(parameters: CoconutParameters, random: RandomBytes = (length) => randomBytes(length)): Coconut {
    expectCount('attributes', parameters.attributes, MAX_ATTRIBUTES);
    expectCount('total', parameters.total, MAX_SERVICES);
    expectCount('threshold', parameters.threshold, parameters.total);
    return new Coconut(parameters, random);
  }
}

/**
 * Which attributes everybody sees, with their values: always what the reader knows by itself, never what a message says. An index that came with the
 * message would let its author choose which equation is checked.
 */
export type PublicAttributes = ReadonlyMap<number, bigint>;
/** Nobody sees any. */
export const ALL_HIDDEN: PublicAttributes = new Map();

/** Indexes of the hidden attributes, ascending. @param attributes q @throws {CoconutError} `BadAttributes` for an index that is not below q, `BadScalar` for a value ≥ r */
export function hiddenOf(attributes: number, disclosed: PublicAttributes): number[] {
  for (const [index, value] of disclosed) {
    if (!Number.isInteger(index) || index < 0 || index >= attributes)
      throw new CoconutError('BadAttributes', `an index below ${attributes}`, String(index));
    expectScalar(value);
  }
  return Array.from({ length: attributes }, (_, j) => j).filter((j) => !disclosed.has(j));
}

/** Index and value of each, in the order of their indexes, whatever the order of the map. */
export function ascending(disclosed: PublicAttributes): [number, bigint][] {
  return [...disclosed].sort(([a], [b]) => a - b);
}
