/**
 * An output: a request for a token (`request.ts`) and a commitment to its value, by whoever will own it. Only the owner knows the serial, so only the owner can prove the request; the
 * payer knows (v, b), and balances with them.
 *
 *   com = o·g1 + m_1·γ_1 + v·γ_2,   c_1 = o_1·g1 + m_1·h,   c_2 = o_2·g1 + v·h,   V = b·g1 + v·H_v
 *
 * One proof of {o, m_1, v, o_1, o_2, b}, with one response of v in three equations: a V of another value than the request's would be paid for with less than it is worth. Its challenge
 * covers its whole statement, and every verifier computes it: the origin carried it along and believed it.
 */
import type { RandomBytes } from '../ceremony.ts';
import { concat } from '../messages/bytes.ts';
import { ALL_HIDDEN } from './coconut.ts';
import { g1, gamma, valueGenerator } from './generators.ts';
import {
  CoconutError,
  decodeScalar,
  encodeG1,
  encodeScalar,
  expectLength,
  expectScalar,
  Fr,
  multiplyBase,
  multiplySecret,
  randomScalar,
  SCALAR_BYTES,
} from './groups.ts';
import { signPartial } from './issue.ts';
import { pieces, type SecretKey } from './keys.ts';
import {
  appendRequest,
  commitAttributes,
  commitRequest,
  publicRequestBase,
  type RequestOpening,
  type RequestSecrets,
  type RequestStatement,
  requestBase,
  respond,
} from './request.ts';
import { SERIAL } from './show.ts';
import { OWNER_PROOF_BYTES, TOKEN_ATTRIBUTES, type TransactionOutput, VALUE } from './transaction-bytes.ts';
import { Transcript } from './transcript.ts';
import { commitValue, expectValue, opensTo, type ValueOpening } from './value-commitment.ts';
import type { PublicG1, Verifier } from './verifier.ts';

/** Indexes of the hidden attributes: serial, value. */
const HIDDEN = [SERIAL, VALUE];

/** What a payee decides. SECRET. */
export interface OutputSecret {
  /** 1 to r − 1, never used before: its tag is what is spent. */
  readonly serial: bigint;
  /** Below 2⁶⁴. */
  readonly value: bigint;
}

/** What its owner has of an output. */
export interface OwnedOutput {
  /** For the payer, and for everybody in the end. */
  readonly output: TransactionOutput;
  /** For the payer, with the output: an invoice. SECRET between the two. */
  readonly invoiced: ValueOpening;
  /** For the owner alone: it unblinds the signatures. SECRET */
  readonly opening: RequestOpening;
}

/** The request of an output, as services sign it and its owner unblinds it. @param keyId 32 bytes */
export function requestOf(keyId: Uint8Array, { commitment, openings }: TransactionOutput): RequestStatement {
  return { keyId, attributes: TOKEN_ATTRIBUTES, commitment, openings, disclosed: ALL_HIDDEN };
}

function challengeOf(
  statement: RequestStatement,
  h: Uint8Array,
  V: Uint8Array,
  first: { readonly commitment: Uint8Array; readonly openings: readonly Uint8Array[]; readonly value: Uint8Array },
): bigint {
  const transcript = appendRequest(new Transcript('coconut-output'), statement)
    .append('h', h)
    .append('V', V)
    .append('A', first.commitment);
  for (const opening of first.openings) transcript.append('A_j', opening);
  return transcript.append('A_V', first.value).challenge('c');
}

/**
 * An output of its future owner.
 * @param keyId 32 bytes: of the key that will sign it
 * @param random o, o_1, o_2, b, then the nonces of o, serial, v, o_1, o_2, b, 48 bytes each and in this order for ever; then what blinds. The same bytes give the same output: a wallet
 * derives them from its seed, and the nonces from serial and value too: one set of nonces for two statements would give both away
 * @throws {CoconutError} `BadLength` for another key id; `BadValue`, `BadScalar`; `BadAttributes` for the serial 0, whose tag is the identity and cannot be shown
 */
export function ownOutput(keyId: Uint8Array, { serial, value }: OutputSecret, random: RandomBytes): OwnedOutput {
  expectLength(keyId, 32, 'a key id');
  expectValue(value);
  if (expectScalar(serial) === 0n) throw new CoconutError('BadAttributes', 'a serial other than zero', 'zero');
  const m = [serial, value];
  const scalar = () => randomScalar(random);
  const witness: RequestSecrets = { o: scalar(), m, blinding: [scalar(), scalar()] };
  const blinding = scalar();
  const nonces: RequestSecrets = { o: scalar(), m: [scalar(), scalar()], blinding: [scalar(), scalar()] };
  const blindingNonce = scalar();

  const commitment = encodeG1(commitAttributes(HIDDEN, witness.o, m, random));
  const h = requestBase({ keyId, attributes: TOKEN_ATTRIBUTES, commitment, disclosed: ALL_HIDDEN });
  const openings = m.map((each, k) =>
    encodeG1(multiplyBase(witness.blinding[k] as bigint).add(multiplySecret(h, each, random))),
  );
  const V = encodeG1(commitValue(value, blinding, random));
  const first = commitRequest(h, HIDDEN, nonces, random);
  const statement: RequestStatement = {
    keyId,
    attributes: TOKEN_ATTRIBUTES,
    commitment,
    openings,
    disclosed: ALL_HIDDEN,
  };
  const c = challengeOf(statement, encodeG1(h), V, {
    commitment: encodeG1(first.commitment),
    openings: first.openings.map(encodeG1),
    // The nonce of v in com and c_2 is the nonce of v here: that is the link.
    value: encodeG1(commitValue(nonces.m[VALUE] as bigint, blindingNonce, random)),
  });
  const responses = [
    respond(nonces.o, c, witness.o),
    ...nonces.m.map((nonce, k) => respond(nonce, c, m[k] as bigint)),
    ...nonces.blinding.map((nonce, k) => respond(nonce, c, witness.blinding[k] as bigint)),
    respond(blindingNonce, c, blinding),
  ];
  return {
    output: { commitment, openings, value: V, ownerProof: concat(encodeScalar(c), ...responses.map(encodeScalar)) },
    invoiced: { value, blinding },
    opening: {
      o: witness.o,
      blinding: new Map(HIDDEN.map((j) => [j, witness.blinding[j] as bigint])),
      attributes: m,
    },
  };
}

/**
 * The owner's proof. The first messages are computed from challenge and responses, and the challenge from them; the one that came is only compared.
 *
 *   A = z_o·g1 + z_1·γ_1 + z_v·γ_2 − c·com,   A_j = z_oj·g1 + z_j·h − c·c_j,   A_V = z_b·g1 + z_v·H_v − c·V
 *
 * @param keyId 32 bytes
 * @returns V, decoded; nothing if the proof is wrong
 * @throws {CoconutError} for another shape, or a point that is not canonical in G1 ∖ {0}
 */
export function provenValue(verifier: Verifier, keyId: Uint8Array, output: TransactionOutput): PublicG1 | undefined {
  const { commitment, openings, value, ownerProof } = output;
  expectLength(ownerProof, OWNER_PROOF_BYTES, "an owner's proof");
  if (openings.length !== TOKEN_ATTRIBUTES)
    throw new CoconutError('BadRequest', `${TOKEN_ATTRIBUTES} openings`, String(openings.length));
  const [c, zo, zSerial, zv, zo1, zo2, zb] = pieces(ownerProof, SCALAR_BYTES).map(decodeScalar) as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const com = verifier.decodeG1(commitment);
  const [c1, c2] = openings.map((opening) => verifier.decodeG1(opening)) as [PublicG1, PublicG1];
  const V = verifier.decodeG1(value);
  const statement = requestOf(keyId, output);
  const h = publicRequestBase(verifier, statement);
  const base = verifier.fromG1(g1);
  const minus = Fr.neg(c);
  const sum = (terms: readonly (readonly [bigint, PublicG1])[]) => verifier.encodeG1(verifier.sumG1(terms));
  const expected = challengeOf(statement, verifier.encodeG1(h), value, {
    commitment: sum([
      [zo, base],
      [zSerial, verifier.fromG1(gamma(SERIAL))],
      [zv, verifier.fromG1(gamma(VALUE))],
      [minus, com],
    ]),
    openings: [
      sum([
        [zo1, base],
        [zSerial, h],
        [minus, c1],
      ]),
      sum([
        [zo2, base],
        [zv, h],
        [minus, c2],
      ]),
    ],
    value: sum([
      [zb, base],
      [zv, verifier.fromG1(valueGenerator())],
      [minus, V],
    ]),
  });
  return c === expected ? V : undefined;
}

/**
 * Whether an invoice is good, before anything is paid to it: the owner's proof holds under this key, and V opens as the payee says. A payer who skips this has its transaction refused.
 * @param keyId 32 bytes
 * @returns false for any other shape too
 */
export function isOutputOf(
  verifier: Verifier,
  keyId: Uint8Array,
  output: TransactionOutput,
  invoiced: ValueOpening,
): boolean {
  try {
    return provenValue(verifier, keyId, output) !== undefined && opensTo(output.value, invoiced);
  } catch (error) {
    if (error instanceof CoconutError) return false;
    throw error;
  }
}

/**
 * One partial signature for each output: of a transaction that was verified and certified, and of nothing else.
 * @param random blinds; the same outputs always get the same signatures
 * @returns 48 bytes each, in the order of the outputs
 */
export function signOutputs(
  secret: SecretKey,
  keyId: Uint8Array,
  outputs: readonly TransactionOutput[],
  random: RandomBytes,
): Uint8Array[] {
  return outputs.map((output) => signPartial(secret, requestOf(keyId, output), random));
}
