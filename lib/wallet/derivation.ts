/**
 * Everything that a wallet ever makes, from one seed of 32 bytes: HKDF-SHA-256 (RFC 5869) of the seed, where it is used, and what is said there. The same step has the same bytes for
 * ever; another statement at the same place has other secrets, so that no nonce and no serial is ever used for two things.
 *
 * What is derived has to be *found* again by somebody who knows the seed and no amounts. Two things do that:
 *
 * 1. A **marker**: an output of value 0 beside every output that others pay for. Nothing that its id covers depends on an amount, so the id follows from seed and number, and services
 *    find the transaction that it is in by that id.
 * 2. Every output carries **64 bits for its owner in its own proof**: its amount, and a marker the salt of what it stands beside. The proof's nonce w_o of the opening o is a synthetic
 *    one (after the construction of RFC 5297, deterministic authenticated encryption):
 *
 *      IV = PRF(place, x),   w_o = IV·2⁶⁴ + (x ⊕ PRF′(place, IV)),   z_o = w_o + c·o
 *
 *    Whoever knows o, which follows from the place alone, takes w_o out of z_o, and x out of w_o. To everybody else w_o is uniform below r.
 *
 * A number may be used again by a wallet that forgot; the salt, of fresh randomness or of a deposit's id, makes what is asked for another thing.
 */
import { chacha20 } from '@noble/ciphers/chacha.js';
import { bytesToNumberBE, numberToBytesBE } from '@noble/curves/utils.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { RandomBytes } from '../ceremony.ts';
import { ALL_HIDDEN } from '../coconut/coconut.ts';
import { outputId } from '../coconut/deposit.ts';
import { tagGenerator } from '../coconut/generators.ts';
import {
  CoconutError,
  decodeScalar,
  encodeG1,
  Fr,
  multiplyBase,
  multiplySecret,
  randomScalar,
  SCALAR_BYTES,
} from '../coconut/groups.ts';
import { commitAttributes, requestBase } from '../coconut/request.ts';
import { SERIAL } from '../coconut/show.ts';
import { TOKEN_ATTRIBUTES, type TransactionOutput } from '../coconut/transaction-bytes.ts';
import { type OwnedOutput, ownOutput } from '../coconut/transaction-output.ts';
import { concat, list, lp, tagged, u16be, u64be, utf8 } from '../messages/bytes.ts';
import { fromHex, type Hex, toHex } from '../messages/hex.ts';

/** Where an output of one's own belongs: all that a restored wallet has to know to find it. */
export type Place =
  /** What others pay for: an invoice or a deposit, counted from 0, with 64 bits of salt. */
  | { readonly kind: 'requested'; readonly number: number; readonly salt: bigint }
  /** The output of value 0 beside it. */
  | { readonly kind: 'marker'; readonly number: number }
  /** What one paid oneself, by what it was paid with: tags in ascending order, and 0 to 7. A token is spent once, so a place is used once. */
  | { readonly kind: 'change'; readonly tags: readonly Hex[]; readonly position: number };

function placeBytes(place: Place): Uint8Array {
  switch (place.kind) {
    case 'requested':
      return concat(lp(utf8('requested')), u64be(place.number), u64be(place.salt));
    case 'marker':
      return concat(lp(utf8('marker')), u64be(place.number));
    case 'change':
      return concat(lp(utf8('change')), list(place.tags.map(fromHex)), u16be(place.position));
  }
}

const NONCE = new Uint8Array(12);
const BLOCK = 64;

/** The ChaCha20 key stream (RFC 8439 §2.4): HKDF alone ends at 8,160 bytes, and a range proof draws more. */
function keyStream(key: Uint8Array): RandomBytes {
  let block = 0;
  let left = new Uint8Array(0);
  return (length) => {
    if (left.length < length) {
      const blocks = Math.ceil(Math.max(length, 16 * BLOCK) / BLOCK);
      left = concat(
        left,
        chacha20(key, NONCE, new Uint8Array(blocks * BLOCK), undefined, block),
      ) as Uint8Array<ArrayBuffer>;
      block += blocks;
    }
    const bytes = left.slice(0, length);
    left = left.slice(length);
    return bytes;
  };
}

const LOW_BITS = 64n;
const LOW_MASK = (1n << LOW_BITS) - 1n;
/** With 64 bits below, 255: the length of r. */
const IV_BITS = 191n;
/** In the order in which `ownOutput` draws: o, o_1, o_2, b, and then the nonce of o. */
const DRAW_OF_O = 0;
const DRAW_OF_W = 4;
const DRAWN = 48;
/** Outputs that are remembered. */
const MADE = 64;

export class WalletSecrets {
  readonly #key: Uint8Array;
  readonly #keyId: Uint8Array;
  readonly #made = new Map<string, OwnedOutput>();

  /**
   * @param seed 32 bytes, uniform; copied into what is derived, never kept
   * @param keyId 32 bytes: one seed serves all assets and epochs, and shares nothing between them
   */
  constructor(seed: Uint8Array, keyId: Uint8Array) {
    if (seed.length !== 32) throw new RangeError(`a seed: expected 32 bytes, got ${seed.length}`);
    this.#key = extract(sha256, seed, concat(tagged('wallet'), keyId));
    this.#keyId = keyId;
  }

  /** 32 to 8,160 bytes. `list` keeps two readings of one concatenation apart. */
  #derive(label: string, parts: readonly Uint8Array[], length = 32): Uint8Array {
    return expand(sha256, this.#key, concat(lp(utf8(label)), list(parts)), length);
  }

  /** A stream for one purpose and statement. */
  stream(label: string, ...parts: readonly Uint8Array[]): RandomBytes {
    return keyStream(this.#derive(label, parts));
  }

  /** X25519, 32 bytes: of one request and its repetitions. */
  replyKey(request: Uint8Array): Uint8Array {
    return this.#derive('reply', [request]);
  }

  /** For what is kept at rest. 32 bytes. */
  cacheKey(): Uint8Array {
    return this.#derive('cache', []);
  }

  /** The one output of this amount at this place, in the same bytes for ever. @throws {CoconutError} `BadValue` */
  output(place: Exclude<Place, { kind: 'marker' }>, value: bigint): OwnedOutput {
    return this.#make(placeBytes(place), value, value);
  }

  /** The marker of a number, which carries a salt; its id does not depend on the salt. @param salt 64 bits */
  marker(number: number, salt: bigint): OwnedOutput {
    return this.#make(placeBytes({ kind: 'marker', number }), 0n, salt);
  }

  /**
   * The output as its owner has it, if it is one's own of this place.
   * @returns nothing for any other: what decodes is made again, and compared whole
   */
  recognise(place: Exclude<Place, { kind: 'marker' }>, output: TransactionOutput): OwnedOutput | undefined {
    const value = this.#carried(placeBytes(place), output);
    const own = value === undefined ? undefined : this.output(place, value);
    return own && sameOutput(own.output, output) ? own : undefined;
  }

  /** The salt of a marker of one's own. */
  saltOf(number: number, output: TransactionOutput): bigint | undefined {
    const salt = this.#carried(placeBytes({ kind: 'marker', number }), output);
    return salt !== undefined && sameOutput(this.marker(number, salt).output, output) ? salt : undefined;
  }

  /**
   * `outputId` of every marker of a number, without its proof: com, c_1, c_2 and V of serial m and value 0, as `ownOutput` makes them. A restored wallet asks for many.
   * @param random blinds
   */
  markerId(number: number, random: RandomBytes): Hex {
    const where = placeBytes({ kind: 'marker', number });
    const { serial, fixed } = this.#fixed(where, 0n);
    const [o1, o2, b] = [randomScalar(fixed), randomScalar(fixed), randomScalar(fixed)];
    const commitment = encodeG1(commitAttributes([SERIAL], this.#opening(where), [serial], random));
    const h = requestBase({ keyId: this.#keyId, attributes: TOKEN_ATTRIBUTES, commitment, disclosed: ALL_HIDDEN });
    const openings = [multiplyBase(o1).add(multiplySecret(h, serial, random)), multiplyBase(o2)].map(encodeG1);
    return toHex(outputId({ commitment, openings, value: encodeG1(multiplyBase(b)) }));
  }

  #fixed(where: Uint8Array, value: bigint): { readonly serial: bigint; readonly fixed: RandomBytes } {
    const fixed = this.stream('output', where, u64be(value));
    return { serial: randomScalar(fixed), fixed };
  }

  /** What was made lately is asked for again soon: to be sent, to be recognised, to be unblinded. */
  #make(where: Uint8Array, value: bigint, carried: bigint): OwnedOutput {
    const name = `${toHex(where)} ${value} ${carried}`;
    const made = this.#made.get(name) ?? this.#makeOnce(where, value, carried);
    if (this.#made.size >= MADE) this.#made.clear();
    this.#made.set(name, made);
    return made;
  }

  #makeOnce(where: Uint8Array, value: bigint, carried: bigint): OwnedOutput {
    // The serial follows from the amount too: one place with two amounts has two tokens, not two credentials of one serial of which one is worth nothing.
    const { serial, fixed } = this.#fixed(where, value);
    // The nonces follow from all that is stated. For a marker with two salts, com is one and the challenges are two: with one set of nonces they would give it away.
    const nonces = this.stream('nonces', where, u64be(value), u64be(carried));
    let drawn = 0;
    return ownOutput(this.#keyId, { serial, value }, (length) => {
      const draw = drawn++;
      if (draw === DRAW_OF_O) return numberToBytesBE(this.#opening(where), DRAWN);
      if (draw === DRAW_OF_W) return numberToBytesBE(this.#nonce(where, carried), DRAWN);
      return draw < DRAW_OF_W ? fixed(length) : nonces(length);
    });
  }

  /** x of z_o = w_o + c·o, if it was put there at this place. */
  #carried(where: Uint8Array, { ownerProof }: TransactionOutput): bigint | undefined {
    const [c, z] = [0, 1].map((k) => ownerProof.subarray(k * SCALAR_BYTES, (k + 1) * SCALAR_BYTES));
    if (c?.length !== SCALAR_BYTES || z?.length !== SCALAR_BYTES) return undefined;
    const w = openedNonce(c, z, this.#opening(where));
    if (w === undefined) return undefined;
    const carried = (w & LOW_MASK) ^ this.#mask(where, w >> LOW_BITS);
    return this.#nonce(where, carried) === w ? carried : undefined;
  }

  /** o, of the place alone. com = o·g1 + serial·γ_1 + v·γ_2 hides all the same if a place has two amounts: then its serials differ, and each is uniform. */
  #opening(where: Uint8Array): bigint {
    return randomScalar(this.stream('opening', where));
  }

  #nonce(where: Uint8Array, carried: bigint): bigint {
    for (let attempt = 0; ; attempt++) {
      const iv = bytesToNumberBE(this.#derive('iv', [where, u64be(carried), u16be(attempt)])) >> (256n - IV_BITS);
      const w = (iv << LOW_BITS) | (carried ^ this.#mask(where, iv));
      // Rejection, not reduction: a nonce with a bias gives its witness away in the end. About one in ten is rejected.
      if (w !== 0n && w < Fr.ORDER) return w;
    }
  }

  #mask(where: Uint8Array, iv: bigint): bigint {
    return bytesToNumberBE(this.#derive('mask', [where, numberToBytesBE(iv, 24)])) & LOW_MASK;
  }
}

/** w_o = z_o − c·o */
function openedNonce(c: Uint8Array, z: Uint8Array, o: bigint): bigint | undefined {
  try {
    return Fr.sub(decodeScalar(z), Fr.mul(decodeScalar(c), o));
  } catch (error) {
    // Not below r: an output that nobody of this wallet made.
    if (error instanceof CoconutError) return undefined;
    throw error;
  }
}

export function sameOutput(a: TransactionOutput, b: TransactionOutput): boolean {
  const whole = ({ commitment, openings, value, ownerProof }: TransactionOutput): Hex =>
    toHex(concat(commitment, ...openings, value, ownerProof));
  return whole(a) === whole(b);
}

/** ζ = serial·G_tag, 48 bytes: what services know a token by once it is shown. @param random blinds */
export function tagOf(serial: bigint, random: RandomBytes): Hex {
  return toHex(encodeG1(multiplySecret(tagGenerator(), serial, random)));
}
