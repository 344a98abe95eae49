/**
 * Asking for a signature on attributes that the signer does not see (Coconut, PrepareBlindSign; c_j as in ePrint 2022/011, §7).
 *
 *   com = o·g1 + Σ_hidden m_j·γ_j,   h = H1(key id ‖ com ‖ public attributes),   c_j = o_j·g1 + m_j·h
 *
 * h is a hash, of everything that tells two requests apart, and never a field of a message: with one h for two values, σ on m and σ′ on m′ combine to a signature on
 * a·m + (1 − a)·m′ for any a (attack ECASH-01).
 */
import type { RandomBytes } from '../ceremony.ts';
import { concat, list, lp, tagged, u16be } from '../messages/bytes.ts';
import { ALL_HIDDEN, ascending, hiddenOf, type PublicAttributes } from './coconut.ts';
import { g1, gamma, hashToG1 } from './generators.ts';
import {
  CoconutError,
  decodeG1,
  decodeScalar,
  encodeG1,
  encodeScalar,
  expectLength,
  Fr,
  type G1,
  G1_BYTES,
  multiplyBase,
  multiplySecret,
  randomScalar,
  SCALAR_BYTES,
} from './groups.ts';
import { pieces } from './keys.ts';
import { Transcript } from './transcript.ts';
import type { PublicG1, Verifier } from './verifier.ts';

/** As it travels; 144 + 192 bytes for q = 2, both hidden. */
export interface BlindRequest {
  /** com, 48 bytes. */
  readonly commitment: Uint8Array;
  /** c_j of every hidden attribute, ascending, 48 bytes each. */
  readonly openings: readonly Uint8Array[];
  /** challenge ‖ z_o ‖ z_m of each hidden attribute ‖ z_oj of each: 32 bytes each. */
  readonly proof: Uint8Array;
}

/** What a request asks for: all that its signature depends on. */
export interface RequestStatement {
  /** 32 bytes. */
  readonly keyId: Uint8Array;
  /** q. */
  readonly attributes: number;
  /** com, 48 bytes. */
  readonly commitment: Uint8Array;
  /** c_j of every hidden attribute, ascending, 48 bytes each. */
  readonly openings: readonly Uint8Array[];
  readonly disclosed: PublicAttributes;
}

/** What its maker keeps. SECRET. */
export interface RequestOpening {
  /** o of com. */
  readonly o: bigint;
  /** o_j, by index of the attribute. */
  readonly blinding: ReadonlyMap<number, bigint>;
  /** All q. */
  readonly attributes: readonly bigint[];
}

/** The bytes that h is the hash of: `LP("coterie/v1/coconut-base") ‖ LP(key id) ‖ u16be(q) ‖ LP(com) ‖ list(u16be(index) ‖ value)`. */
function baseInput({ keyId, attributes, commitment, disclosed }: Omit<RequestStatement, 'openings'>): Uint8Array {
  return concat(
    tagged('coconut-base'),
    lp(keyId),
    u16be(attributes),
    lp(commitment),
    list(ascending(disclosed).map(([index, value]) => concat(u16be(index), encodeScalar(value)))),
  );
}

/**
 * h of a request.
 * @throws {CoconutError} `BadRequest` if it is the identity, which no one can find a request for
 */
export function requestBase(statement: Omit<RequestStatement, 'openings'>): G1 {
  const h = hashToG1('base', baseInput(statement));
  if (h.is0()) throw new CoconutError('BadRequest', 'a base other than the identity', 'the identity');
  return h;
}

/** As {@link requestBase}, in the engine of public verification. @throws {CoconutError} `BadRequest` */
export function publicRequestBase(verifier: Verifier, statement: Omit<RequestStatement, 'openings'>): PublicG1 {
  const h = verifier.hashToG1('base', baseInput(statement));
  if (verifier.isIdentityG1(h)) throw new CoconutError('BadRequest', 'a base other than the identity', 'the identity');
  return h;
}

/** 48·(1 + hidden) bytes and the proof; a reader knows how many attributes are hidden. */
export function encodeRequest({ commitment, openings, proof }: BlindRequest): Uint8Array {
  return concat(commitment, ...openings, proof);
}

/** @param bytes as {@link encodeRequest} @param hidden how many attributes are hidden @throws {CoconutError} `BadLength`; nothing else is judged here */
export function decodeRequest(bytes: Uint8Array, hidden: number): BlindRequest {
  const points = G1_BYTES * (1 + hidden);
  expectLength(bytes, points + requestProofBytes(hidden), 'a request');
  const [commitment = bytes, ...openings] = pieces(bytes.slice(0, points), G1_BYTES);
  return { commitment, openings, proof: bytes.slice(points) };
}

/** Challenge, z_o, and two responses for each hidden attribute: 64·(1 + hidden) bytes. */
export function requestProofBytes(hidden: number): number {
  return SCALAR_BYTES * (2 + 2 * hidden);
}

/** Secret numbers of a proof: the witness, or the nonces that hide it. */
export interface RequestSecrets {
  /** o of com. */
  readonly o: bigint;
  /** m_j and o_j of each hidden attribute, ascending. */
  readonly m: readonly bigint[];
  readonly blinding: readonly bigint[];
}

/** com and c_j for a witness; the first messages of the proof for nonces: one map, as every proof of this kind is. @param random blinds the multiplications */
export function commitRequest(
  h: G1,
  hidden: readonly number[],
  { o, m, blinding }: RequestSecrets,
  random: RandomBytes,
): { readonly commitment: G1; readonly openings: readonly G1[] } {
  return {
    commitment: commitAttributes(hidden, o, m, random),
    openings: m.map((value, k) => multiplyBase(blinding[k] as bigint).add(multiplySecret(h, value, random))),
  };
}

/** com = o·g1 + Σ m_j·γ_j. @param hidden indexes, ascending @param m a scalar for each @param random blinds the multiplications */
export function commitAttributes(hidden: readonly number[], o: bigint, m: readonly bigint[], random: RandomBytes): G1 {
  return hidden.reduce((sum, j, k) => sum.add(multiplySecret(gamma(j), m[k] as bigint, random)), multiplyBase(o));
}

/** z = w + c·x modulo r: the response of a Schnorr proof. */
export function respond(nonce: bigint, challenge: bigint, witness: bigint): bigint {
  return Fr.add(nonce, Fr.mul(challenge, witness));
}

/** All that the verifier's equations contain, in order, except what it derives from it. */
export function appendRequest(transcript: Transcript, statement: RequestStatement): Transcript {
  transcript
    .append('key', statement.keyId)
    .appendNumber('attributes', statement.attributes)
    .appendNumber('disclosed', statement.disclosed.size);
  for (const [index, value] of ascending(statement.disclosed))
    transcript.appendNumber('index', index).appendScalar('value', value);
  transcript.append('commitment', statement.commitment).appendNumber('openings', statement.openings.length);
  for (const opening of statement.openings) transcript.append('opening', opening);
  return transcript;
}

function challengeOf(
  statement: RequestStatement,
  h: Uint8Array,
  context: Uint8Array,
  first: { readonly commitment: Uint8Array; readonly openings: readonly Uint8Array[] },
): bigint {
  const transcript = appendRequest(new Transcript('coconut-request'), statement)
    .append('h', h)
    .append('context', context)
    .append('A', first.commitment);
  for (const opening of first.openings) transcript.append('A_j', opening);
  return transcript.challenge('c');
}

/** What maker and verifier of a request both know. */
export interface RequestOptions {
  /** The attributes that the signers see. They have to be what `attributes` says. */
  readonly disclosed?: PublicAttributes;
  /** What else the proof is bound to: whom it is for, or what it pays with. */
  readonly context?: Uint8Array;
}

const EMPTY = new Uint8Array(0);

/**
 * A request for a signature on `attributes`.
 * @param keyId 32 bytes
 * @param attributes all q, each below r
 * @param random o, each o_j, then the nonces of o, of each m_j and of each o_j, 48 bytes each; then what blinds. The same bytes give the same request: a wallet that derives them from its
 * seed can ask again after it forgot
 * @throws {CoconutError} `BadLength` for another key id; `BadAttributes`, `BadScalar`
 */
export function request(
  keyId: Uint8Array,
  attributes: readonly bigint[],
  { disclosed = ALL_HIDDEN, context = EMPTY }: RequestOptions,
  random: RandomBytes,
): { readonly request: BlindRequest; readonly opening: RequestOpening } {
  expectLength(keyId, 32, 'a key id');
  const hidden = hiddenOf(attributes.length, disclosed);
  for (const [index, value] of disclosed)
    if (attributes[index] !== value)
      throw new CoconutError('BadAttributes', 'the disclosed value among the attributes', `another at ${index}`);

  const m = hidden.map((j) => attributes[j] as bigint);
  const witness: RequestSecrets = {
    o: randomScalar(random),
    m,
    blinding: hidden.map(() => randomScalar(random)),
  };
  const nonces: RequestSecrets = {
    o: randomScalar(random),
    m: hidden.map(() => randomScalar(random)),
    blinding: hidden.map(() => randomScalar(random)),
  };
  const commitment = encodeG1(commitAttributes(hidden, witness.o, m, random));
  const h = requestBase({ keyId, attributes: attributes.length, commitment, disclosed });
  const openings = m.map((value, k) =>
    encodeG1(multiplyBase(witness.blinding[k] as bigint).add(multiplySecret(h, value, random))),
  );
  const first = commitRequest(h, hidden, nonces, random);
  const statement = { keyId, attributes: attributes.length, commitment, openings, disclosed };
  const c = challengeOf(statement, encodeG1(h), context, {
    commitment: encodeG1(first.commitment),
    openings: first.openings.map(encodeG1),
  });
  const responses = [
    respond(nonces.o, c, witness.o),
    ...nonces.m.map((nonce, k) => respond(nonce, c, m[k] as bigint)),
    ...nonces.blinding.map((nonce, k) => respond(nonce, c, witness.blinding[k] as bigint)),
  ];
  return {
    request: { commitment, openings, proof: concat(encodeScalar(c), ...responses.map(encodeScalar)) },
    opening: {
      o: witness.o,
      blinding: new Map(hidden.map((j, k) => [j, witness.blinding[k] as bigint])),
      attributes: [...attributes],
    },
  };
}

/**
 * Whether whoever made the request knows an opening of com and of every c_j with the same m_j (attack ECASH-03). The first messages are computed from challenge and
 * responses, and the challenge from them; the one that came is only compared.
 *
 * @param keyId 32 bytes
 * @param attributes q, the verifier's own
 * @param options what the verifier knows; never anything of the request
 * @returns false for a request of any other shape too
 * @throws {CoconutError} `BadAttributes`, `BadScalar` for options that no request can meet
 */
export function verifyRequest(
  verifier: Verifier,
  keyId: Uint8Array,
  attributes: number,
  sent: BlindRequest,
  { disclosed = ALL_HIDDEN, context = EMPTY }: RequestOptions = {},
): boolean {
  const hidden = hiddenOf(attributes, disclosed);
  if (sent.openings.length !== hidden.length || sent.proof.length !== requestProofBytes(hidden.length)) return false;
  try {
    const commitment = verifier.decodeG1(sent.commitment);
    const openings = sent.openings.map((opening) => verifier.decodeG1(opening));
    const [c = 0n, zo = 0n, ...rest] = pieces(sent.proof, SCALAR_BYTES).map(decodeScalar);
    const zm = rest.slice(0, hidden.length);
    const zb = rest.slice(hidden.length);
    const statement = { keyId, attributes, commitment: sent.commitment, openings: sent.openings, disclosed };
    const h = publicRequestBase(verifier, statement);
    const minus = Fr.neg(c);
    const base = verifier.fromG1(g1);
    const first = {
      // A = z_o·g1 + Σ z_mj·γ_j − c·com
      commitment: verifier.sumG1([
        [zo, base],
        ...hidden.map((j, k) => [zm[k] as bigint, verifier.fromG1(gamma(j))] as const),
        [minus, commitment],
      ]),
      // A_j = z_oj·g1 + z_mj·h − c·c_j
      openings: openings.map((opening, k) =>
        verifier.sumG1([
          [zb[k] as bigint, base],
          [zm[k] as bigint, h],
          [minus, opening],
        ]),
      ),
    };
    const expected = challengeOf(statement, verifier.encodeG1(h), context, {
      commitment: verifier.encodeG1(first.commitment),
      openings: first.openings.map((point) => verifier.encodeG1(point)),
    });
    return c === expected;
  } catch (error) {
    if (error instanceof CoconutError) return false;
    throw error;
  }
}

/** com and every c_j as points. @throws {CoconutError} for a wrong count, or any point that is not canonical, in G1 and other than the identity */
export function decodeStatement({ attributes, commitment, openings, disclosed }: RequestStatement): {
  readonly commitment: G1;
  readonly openings: readonly G1[];
} {
  const hidden = hiddenOf(attributes, disclosed);
  if (openings.length !== hidden.length)
    throw new CoconutError('BadRequest', `${hidden.length} openings`, String(openings.length));
  return { commitment: decodeG1(commitment), openings: openings.map(decodeG1) };
}
