/**
 * Signing a request, and what its owner makes of t signatures (Coconut, BlindSign, AggCred and Unblind, here in this
 * order: both are linear, and the group's β_j unblind once what each service's would t times; ePrint 2022/011, §7).
 *
 *   σ̃_i = (x_i + Σ_public y_ij·p_j)·h + Σ_hidden y_ij·c_j        service i
 *   σ̃ = Σ λ_i·σ̃_i,   s = σ̃ − Σ o_j·β_j                          owner
 *
 * since y_j·c_j = o_j·β_j + y_j·m_j·h. A credential (h, s) is a Pointcheval–Sanders signature (CT-RSA 2016), and good iff h ≠ 0, s ≠ 0 and e(h, α + Σ m_j·β̃_j) = e(s, g2).
 */
import { pippenger } from '@noble/curves/abstract/curve.js';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import type { RandomBytes } from '../ceremony.ts';
import { concat } from '../messages/bytes.ts';
import { ascending, type CoconutParameters, hiddenOf } from './coconut.ts';
import { Equations, failing } from './equations.ts';
import { g2 } from './generators.ts';
import {
  CoconutError,
  decodeG1,
  decodeScalar,
  encodeG1,
  encodeScalar,
  expectLength,
  expectScalar,
  Fr,
  fixedBase,
  type G1,
  G1_BYTES,
  type G2,
  multiplySecret,
  multiplySecretG2,
  SCALAR_BYTES,
} from './groups.ts';
import { lagrange, type PublicKey, pieces, type SecretKey, type ServiceKey, type VerificationKey } from './keys.ts';
import {
  decodeStatement,
  publicRequestBase,
  type RequestOpening,
  type RequestStatement,
  requestBase,
} from './request.ts';
import type { PublicG1, Verifier } from './verifier.ts';

/** SECRET: whoever has it can spend it. */
export interface Credential {
  /** Both not the identity. */
  readonly h: G1;
  readonly s: G1;
  /** All q. */
  readonly attributes: readonly bigint[];
}

/** What one service answers to a request. */
export interface PartialSignature {
  /** The service's, as the committee file numbers it: the n services of an asset need not be 1..n. */
  readonly index: number;
  /** σ̃_i, 48 bytes. */
  readonly signature: Uint8Array;
}

/**
 * σ̃_i. Sign only what `verifyRequest` has accepted, or a transaction's proof: a c_j that nobody can open lets its maker choose what is signed (attack ECASH-03). h is
 * computed here and never given.
 * @param random blinds; the same statement always gets the same signature
 * @returns 48 bytes
 * @throws {CoconutError} for a statement that is not well-formed, and for a key of another number of attributes
 */
export function signPartial(secret: SecretKey, statement: RequestStatement, random: RandomBytes): Uint8Array {
  if (secret.y.length !== statement.attributes)
    throw new CoconutError('BadKey', `a key of ${statement.attributes} attributes`, String(secret.y.length));
  const hidden = hiddenOf(statement.attributes, statement.disclosed);
  // All points are in G1 and not the identity before a secret touches them (ENC-02: y·(point of order 3) tells y mod 3).
  const { openings } = decodeStatement(statement);
  const h = requestBase(statement);
  const scalar = ascending(statement.disclosed).reduce(
    (sum, [j, value]) => Fr.add(sum, Fr.mul(secret.y[j] as bigint, expectScalar(value))),
    secret.x,
  );
  const signature = hidden.reduce(
    (sum, j, k) => sum.add(multiplySecret(openings[k] as G1, secret.y[j] as bigint, random)),
    multiplySecret(h, scalar, random),
  );
  return encodeG1(signature);
}

/**
 * σ̃ = Σ λ_i·σ̃_i over the first t. Nothing secret: the services could do it (AggCred).
 * @throws {CoconutError} `BadIndexes` for fewer than t, a repeated index, or one outside 1..31; `BadPoint`, `IdentityPoint`
 */
export function aggregate({ threshold }: CoconutParameters, partials: readonly PartialSignature[]): G1 {
  if (partials.length < threshold)
    throw new CoconutError('BadIndexes', `${threshold} partial signatures`, String(partials.length));
  const used = partials.slice(0, threshold);
  const coefficients = lagrange(used.map(({ index }) => index));
  return pippenger(
    bls12_381.G1.Point,
    used.map(({ signature }) => decodeG1(signature)),
    coefficients,
  );
}

/** s = σ̃ − Σ_hidden o_j·β_j. @param key the group's @param random blinds @throws {CoconutError} `BadKey` for an attribute that the key has not */
export function unblind(signature: G1, key: PublicKey, opening: RequestOpening, random: RandomBytes): G1 {
  let s = signature;
  for (const [j, o] of opening.blinding) s = s.subtract(multiplySecret(fixedBase(betaOf(key, j)), o, random));
  return s;
}

function betaOf(key: PublicKey, j: number): G1 {
  const beta = key.beta[j];
  if (!beta) throw new CoconutError('BadKey', `an attribute ${j}`, `${key.beta.length} attributes`);
  return beta;
}

/** e(h, α + Σ m_j·β̃_j) = e(s, g2), with h and s not the identity: at the identity it holds for any attributes (attack ECASH-02). By noble, since all of it is secret. */
export function verifyCredential(key: PublicKey, { h, s, attributes }: Credential, random: RandomBytes): boolean {
  if (attributes.length !== key.betaTilde.length || h.is0() || s.is0()) return false;
  const signed = attributes.reduce(
    (sum, m, j) => sum.add(multiplySecretG2(fixedBase(key.betaTilde[j] as G2), m, random)),
    key.alpha,
  );
  // α + Σ m_j·β̃_j = 0 is the signature 0·h = 0, which was refused.
  if (signed.is0()) return false;
  const { Fp12 } = bls12_381.fields;
  return Fp12.eql(
    bls12_381.pairingBatch([
      { g1: h, g2: signed },
      { g1: s.negate(), g2 },
    ]),
    Fp12.ONE,
  );
}

/**
 * Which partial signatures are wrong: those for which not
 *
 *   e(σ̃_i, g2) = e(h, α_i + Σ_public p_j·β̃_ij) · Π_hidden e(c_j, β̃_ij).
 *
 * All of it is public; h and every c_j are the same for all, so that a batch costs 2 + (hidden attributes) Miller loops. (Unblinded it would be two, with
 * multiplications by the attributes in G2, which are secret and slower than the loops that they save.)
 * @returns indexes of services, ascending
 * @throws {CoconutError} for an index without a key, or a repeated one
 */
export function badPartials(
  verifier: Verifier,
  statement: RequestStatement,
  serviceKeys: readonly ServiceKey[],
  partials: readonly PartialSignature[],
  random: RandomBytes,
): number[] {
  const hidden = hiddenOf(statement.attributes, statement.disclosed);
  if (statement.openings.length !== hidden.length)
    throw new CoconutError('BadRequest', `${hidden.length} openings`, String(statement.openings.length));
  const h = publicRequestBase(verifier, statement);
  const c = statement.openings.map((opening) => verifier.decodeG1(opening));
  const minusOne = Fr.neg(1n);
  const base = verifier.fromG2(g2);

  lagrange(partials.map(({ index }) => index));
  const bad: number[] = [];
  const judged: { readonly index: number; readonly equations: Equations }[] = [];
  for (const { index, signature } of partials) {
    const key = serviceKeys.find((each) => each.index === index);
    if (!key || key.betaTilde.length !== statement.attributes)
      throw new CoconutError('BadIndexes', 'the index of a service', String(index));
    let point: PublicG1;
    try {
      point = verifier.decodeG1(signature);
    } catch (error) {
      if (!(error instanceof CoconutError)) throw error;
      bad.push(index);
      continue;
    }
    const betaTilde = (j: number) => verifier.fromG2(key.betaTilde[j] as G2);
    const equations = new Equations().addPairing([
      [1n, point, base],
      [minusOne, h, verifier.fromG2(key.alpha)],
      ...ascending(statement.disclosed).map(([j, value]) => [Fr.neg(expectScalar(value)), h, betaTilde(j)] as const),
      ...hidden.map((j, k) => [minusOne, c[k] as PublicG1, betaTilde(j)] as const),
    ]);
    judged.push({ index, equations });
  }
  if (judged.length > 0) {
    const records = judged.map(({ equations }) => equations);
    for (const at of failing(verifier, records, random)) bad.push((judged[at] as (typeof judged)[number]).index);
  }
  return bad.sort((a, b) => a - b);
}

/** A credential, or who is to blame that there is none. */
export type Obtained =
  | { readonly ok: true; readonly credential: Credential }
  /** The services whose partial signatures are wrong, ascending, at least one: ask others. */
  | { readonly ok: false; readonly culprits: readonly number[] };

/**
 * A credential of t partial signatures: aggregated, unblinded and checked; if it is wrong, the partials are checked to name whoever is at fault.
 * @param key its service keys passed `keyEquations`: then partials that are all right make a credential that is
 * @throws {CoconutError} as {@link aggregate}, and `BadIndexes` for an index that no service key has; `BadKey` if all partials are right and the credential is not, which such a key excludes
 */
export function obtain(
  parameters: CoconutParameters,
  key: { readonly verificationKey: VerificationKey; readonly serviceKeys: readonly ServiceKey[] },
  asked: { readonly statement: RequestStatement; readonly opening: RequestOpening },
  partials: readonly PartialSignature[],
  tools: { readonly verifier: Verifier; readonly random: RandomBytes },
): Obtained {
  const { verificationKey, serviceKeys } = key;
  const { statement, opening } = asked;
  const used = partials.slice(0, parameters.threshold);
  const indexes = new Set(serviceKeys.map(({ index }) => index));
  for (const { index } of used)
    if (!indexes.has(index)) throw new CoconutError('BadIndexes', 'the index of a service', String(index));
  const culprits = () => badPartials(tools.verifier, statement, serviceKeys, used, tools.random);
  let signature: G1;
  try {
    signature = aggregate(parameters, used);
  } catch (error) {
    // Wrong indexes are the caller's; a partial that is no point is a service's.
    if (!(error instanceof CoconutError) || error.reason === 'BadIndexes') throw error;
    return { ok: false, culprits: culprits() };
  }
  const credential: Credential = {
    h: requestBase(statement),
    s: unblind(signature, verificationKey, opening, tools.random),
    attributes: opening.attributes,
  };
  if (verifyCredential(verificationKey, credential, tools.random)) return { ok: true, credential };
  const named = culprits();
  if (named.length === 0) throw new CoconutError('BadKey', 'service keys of the verification key', 'others');
  return { ok: false, culprits: named };
}

/** h ‖ s ‖ m_1 … m_q: 96 + 32·q bytes. SECRET. */
export function encodeCredential({ h, s, attributes }: Credential): Uint8Array {
  return concat(encodeG1(h), encodeG1(s), ...attributes.map(encodeScalar));
}

/** @param bytes 96 + 32·q @param attributes q @throws {CoconutError} for another length, points that are not canonical in G1 ∖ {0}, scalars ≥ r */
export function decodeCredential(bytes: Uint8Array, attributes: number): Credential {
  expectLength(bytes, 2 * G1_BYTES + attributes * SCALAR_BYTES, 'a credential');
  return {
    h: decodeG1(bytes.subarray(0, G1_BYTES)),
    s: decodeG1(bytes.subarray(G1_BYTES, 2 * G1_BYTES)),
    attributes: pieces(bytes.subarray(2 * G1_BYTES), SCALAR_BYTES).map(decodeScalar),
  };
}
