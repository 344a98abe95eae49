/**
 * The arithmetic of public verification, behind one interface with two engines: noble, which is audited and which everything secret uses, and mcl in WebAssembly, which is
 * several times faster and not constant-time. Only public values ever come here. One differential test runs every operation on both.
 *
 * Points are handles: an engine made them and knows what they are. A handle that {@link Verifier.decodeG1} gave is in the subgroup and is not the identity.
 */
import type { G1Domain } from './generators.ts';
import type { G1, G2 } from './groups.ts';

declare const groupOne: unique symbol;
declare const groupTwo: unique symbol;
/** A point of G1, of the engine that made it. */
export interface PublicG1 {
  readonly [groupOne]: true;
}
/** A point of G2, of the engine that made it. */
export interface PublicG2 {
  readonly [groupTwo]: true;
}

/** scalar·point; 0 ≤ scalar < r. */
export type TermG1 = readonly [scalar: bigint, point: PublicG1];
/** As {@link TermG1}, in G2. */
export type TermG2 = readonly [scalar: bigint, point: PublicG2];
/** What is paired: e(P, Q). */
export type PairOfPoints = readonly [PublicG1, PublicG2];

/** One engine. All points of one call are its own. */
export interface Verifier {
  readonly engine: 'noble' | 'mcl-wasm';
  /** As `decodeG1` of `groups.ts`: the same bytes accepted, the same error for the others. @param bytes 48 @throws {CoconutError} */
  decodeG1(bytes: Uint8Array): PublicG1;
  /** @param bytes 96 @throws {CoconutError} */
  decodeG2(bytes: Uint8Array): PublicG2;
  /** 48 bytes, compressed; the identity too. */
  encodeG1(point: PublicG1): Uint8Array;
  /** 96 bytes, compressed; the identity too. */
  encodeG2(point: PublicG2): Uint8Array;
  /** A generator or a point of a key: checked before, and converted once (the handle is kept as long as the point is). */
  fromG1(point: G1): PublicG1;
  fromG2(point: G2): PublicG2;
  /** As `hashToG1` of `generators.ts`. */
  hashToG1(domain: G1Domain, bytes: Uint8Array): PublicG1;
  /** As `rangeGenerators` of `generators.ts`. @param n 1..512 @throws {RangeError} for another n */
  rangeGenerators(n: number): {
    readonly G: readonly PublicG1[];
    readonly H: readonly PublicG1[];
    readonly u: PublicG1;
  };
  /** Σ scalarᵢ·pointᵢ; the identity for no terms. */
  sumG1(terms: readonly TermG1[]): PublicG1;
  sumG2(terms: readonly TermG2[]): PublicG2;
  addG1(a: PublicG1, b: PublicG1): PublicG1;
  addG2(a: PublicG2, b: PublicG2): PublicG2;
  isIdentityG1(point: PublicG1): boolean;
  isIdentityG2(point: PublicG2): boolean;
  /** Whether Π e(Pᵢ, Qᵢ) = 1; a pair with an identity contributes 1. One final exponentiation. */
  pairingProductIsOne(pairs: readonly PairOfPoints[]): boolean;
}
