/**
 * Showing a credential (Coconut, ProveCred and VerifyCred; s′ as in ePrint 2022/011, §7), with a tag that is the same each time it is shown.
 *
 *   h′ = r′·h,   s′ = r′·s + r·h′,   κ = Σ_hidden m_j·β̃_j + r·g2,   ζ = m_serial·G_tag
 *
 * and a proof of {m_j, r} for κ and ζ. The verifier's pairing: e(h′, α + κ + Σ_disclosed m_j·β̃_j) = e(s′, g2). r′ and r are fresh, so h′, s′ and κ are uniform and two shows of one
 * credential share nothing but ζ. The papers' κ has α in it; here the verifier adds it.
 *
 * The proof travels as first messages and responses, not as a challenge: then all of a batch's equations are linear, and fold into one sum in each group.
 */
import type { RandomBytes } from '../ceremony.ts';
import { concat } from '../messages/bytes.ts';
import { ALL_HIDDEN, ascending, hiddenOf, type PublicAttributes } from './coconut.ts';
import { Equations, failing } from './equations.ts';
import { g2, tagGenerator } from './generators.ts';
import {
  CoconutError,
  decodeScalar,
  encodeG1,
  encodeG2,
  encodeScalar,
  expectLength,
  expectScalar,
  Fr,
  fixedBase,
  G1_BYTES,
  type G2,
  G2_BYTES,
  multiplyBaseG2,
  multiplySecret,
  multiplySecretG2,
  randomScalar,
  SCALAR_BYTES,
} from './groups.ts';
import type { Credential } from './issue.ts';
import { type PublicKey, pieces, type VerificationKey } from './keys.ts';
import { respond } from './request.ts';
import { Transcript } from './transcript.ts';
import type { PublicG2, Verifier } from './verifier.ts';

/** The attribute that the tag is made of. Where it is disclosed there is no tag: the number itself is one. */
export const SERIAL = 0;

/** The statement of a show, as it travels. */
export interface Shown {
  /** h′, 48 bytes. */
  readonly h: Uint8Array;
  /** s′, 48 bytes. */
  readonly s: Uint8Array;
  /** κ, 96 bytes. */
  readonly kappa: Uint8Array;
  /** ζ, 48 bytes; absent iff the serial is disclosed. */
  readonly tag: Uint8Array | undefined;
}

/** First messages: A_κ, 96 bytes, and A_ζ, 48. */
export interface ShowFirst {
  readonly kappa: Uint8Array;
  /** Absent iff the serial is disclosed. */
  readonly tag: Uint8Array | undefined;
}

/** m_j or its nonce or response for each hidden attribute, ascending, and r's. */
export interface ShowScalars {
  readonly attributes: readonly bigint[];
  readonly r: bigint;
}

/** A show whose proof waits for its challenge, so that other statements may share it and the nonces. */
export interface BegunShow {
  readonly shown: Shown;
  readonly first: ShowFirst;
  /** SECRET, and to be used for one challenge only: two answers with one nonce give the attribute away. */
  readonly nonces: ShowScalars;
  /** @throws {CoconutError} `BadProof` for a second challenge */
  respond(challenge: bigint): ShowScalars;
}

/**
 * h′, s′, κ, ζ and first messages.
 * @param key the group's; q attributes
 * @param random r′, r, one nonce for each hidden attribute, one for r, 48 bytes each; then what blinds
 * @throws {CoconutError} `BadCredential` for another number of attributes or the serial 0; `BadAttributes`, `BadScalar`
 */
export function beginShow(
  key: PublicKey,
  credential: Credential,
  disclosed: PublicAttributes,
  random: RandomBytes,
): BegunShow {
  const { attributes } = credential;
  if (attributes.length !== key.betaTilde.length)
    throw new CoconutError('BadCredential', `${key.betaTilde.length} attributes`, String(attributes.length));
  const hidden = hiddenOf(attributes.length, disclosed);
  for (const [index, value] of disclosed)
    if (attributes[index] !== value)
      throw new CoconutError('BadAttributes', 'the disclosed value among the attributes', `another at ${index}`);
  if (hidden.includes(SERIAL) && attributes[SERIAL] === 0n)
    throw new CoconutError('BadCredential', 'a serial other than zero', 'zero, whose tag is the identity');

  // r′ ≠ 0, or h′ and s′ would be the identity.
  const again = randomScalar(random);
  const witness: ShowScalars = { attributes: hidden.map((j) => attributes[j] as bigint), r: randomScalar(random) };
  const nonces: ShowScalars = { attributes: hidden.map(() => randomScalar(random)), r: randomScalar(random) };

  const h = multiplySecret(credential.h, again, random);
  const s = multiplySecret(credential.s, again, random).add(multiplySecret(h, witness.r, random));
  /** Σ_hidden x_j·β̃_j + x_r·g2, and x_serial·G_tag: κ and ζ for the witness, the first messages for the nonces. */
  const commit = ({ attributes: x, r }: ShowScalars): ShowFirst => ({
    kappa: encodeG2(
      hidden.reduce(
        (sum, j, k) => sum.add(multiplySecretG2(fixedBase(key.betaTilde[j] as G2), x[k] as bigint, random)),
        multiplyBaseG2(r),
      ),
    ),
    tag: hidden[0] === SERIAL ? encodeG1(multiplySecret(tagGenerator(), x[0] as bigint, random)) : undefined,
  });
  let answered = false;
  return {
    shown: { h: encodeG1(h), s: encodeG1(s), ...commit(witness) },
    first: commit(nonces),
    nonces,
    respond(challenge) {
      if (answered) throw new CoconutError('BadProof', 'one challenge for one set of nonces', 'a second one');
      answered = true;
      return {
        attributes: nonces.attributes.map((w, k) => respond(w, challenge, witness.attributes[k] as bigint)),
        r: respond(nonces.r, challenge, witness.r),
      };
    },
  };
}

/** Everything of a show that the verifier's equations contain, in order. @param keyId 32 bytes, which stand for α, β̃_j and g2 */
export function appendShow(
  transcript: Transcript,
  keyId: Uint8Array,
  disclosed: PublicAttributes,
  { h, s, kappa, tag }: Shown,
): Transcript {
  transcript.append('key', keyId).appendNumber('disclosed', disclosed.size);
  for (const [index, value] of ascending(disclosed))
    transcript.appendNumber('index', index).appendScalar('value', value);
  transcript.append('h', h).append('s', s).append('kappa', kappa);
  return tag ? transcript.append('tag', tag) : transcript;
}

/** A_κ, and A_ζ if there is a tag. */
export function appendShowFirst(transcript: Transcript, { kappa, tag }: ShowFirst): Transcript {
  transcript.append('A_kappa', kappa);
  return tag ? transcript.append('A_tag', tag) : transcript;
}

/**
 * The verifier's equations:
 *
 *   Σ z_j·β̃_j + z_r·g2 = A_κ + c·κ,   z_serial·G_tag = A_ζ + c·ζ,   e(h′, α + κ + Σ_disclosed m_j·β̃_j) = e(s′, g2).
 *
 * @param challenge computed by the caller from a transcript that holds {@link appendShow} and {@link appendShowFirst}
 * @throws {CoconutError} for a point that is not canonical, in its group and other than the identity; for a tag where there is none, or none where there is one; for a wrong number of
 * responses
 */
export function showEquations(
  verifier: Verifier,
  key: PublicKey,
  disclosed: PublicAttributes,
  shown: Shown,
  first: ShowFirst,
  challenge: bigint,
  z: ShowScalars,
): Equations {
  const attributes = key.betaTilde.length;
  const hidden = hiddenOf(attributes, disclosed);
  const tagged = hidden[0] === SERIAL;
  if (z.attributes.length !== hidden.length)
    throw new CoconutError('BadShow', `${hidden.length} responses`, String(z.attributes.length));
  if ((shown.tag !== undefined) !== tagged || (first.tag !== undefined) !== tagged)
    throw new CoconutError('BadShow', tagged ? 'a tag' : 'no tag', tagged ? 'none' : 'one');
  // h′ = 0 and s′ = 0 would satisfy the pairing for any attributes; decoding refuses them.
  const [h, s] = [verifier.decodeG1(shown.h), verifier.decodeG1(shown.s)];
  const kappa = verifier.decodeG2(shown.kappa);
  const A = verifier.decodeG2(first.kappa);
  const minus = Fr.neg(expectScalar(challenge));
  const minusOne = Fr.neg(1n);
  const base = verifier.fromG2(g2);
  const betaTilde = (j: number): PublicG2 => verifier.fromG2(key.betaTilde[j] as G2);

  const equations = new Equations().addG2([
    ...hidden.map((j, k) => [z.attributes[k] as bigint, betaTilde(j)] as const),
    [z.r, base],
    [minusOne, A],
    [minus, kappa],
  ]);
  if (shown.tag && first.tag)
    equations.addG1([
      [z.attributes[0] as bigint, verifier.fromG1(tagGenerator())],
      [minusOne, verifier.decodeG1(first.tag)],
      [minus, verifier.decodeG1(shown.tag)],
    ]);
  const signed = verifier.sumG2([
    [1n, verifier.fromG2(key.alpha)],
    [1n, kappa],
    ...ascending(disclosed).map(([j, value]) => [expectScalar(value), betaTilde(j)] as const),
  ]);
  return equations.addPairing([
    [1n, h, signed],
    [minusOne, s, base],
  ]);
}

/** A show by itself. */
export interface Show extends Shown {
  /** A_κ ‖ A_ζ (if there is a tag) ‖ z_j of each hidden attribute ‖ z_r. */
  readonly proof: Uint8Array;
}

/** What prover and verifier of a show both know. */
export interface ShowOptions {
  /** The attributes that the verifier sees, with the values that it expects. */
  readonly disclosed?: PublicAttributes;
  /** What the show is for: who verifies, when, what it pays. A show taken from the wire is then good for nothing else (attack ECASH-13). */
  readonly context?: Uint8Array;
}

const EMPTY = new Uint8Array(0);

const challengeOf = (
  keyId: Uint8Array,
  disclosed: PublicAttributes,
  context: Uint8Array,
  shown: Shown,
  first: ShowFirst,
): bigint =>
  appendShowFirst(
    appendShow(new Transcript('coconut-show'), keyId, disclosed, shown).append('context', context),
    first,
  ).challenge('c');

/**
 * A show by itself: {@link beginShow}, the challenge, the responses.
 * @param random as {@link beginShow}, fresh for each show of a credential; a wallet that has to make the same bytes again derives it from what the show is for
 * @throws {CoconutError} `BadCredential`, `BadAttributes`, `BadScalar`
 */
export function show(
  key: VerificationKey,
  credential: Credential,
  { disclosed = ALL_HIDDEN, context = EMPTY }: ShowOptions,
  random: RandomBytes,
): Show {
  const begun = beginShow(key, credential, disclosed, random);
  const { shown, first } = begun;
  const z = begun.respond(challengeOf(key.id, disclosed, context, shown, first));
  const proof = concat(
    first.kappa,
    ...(first.tag ? [first.tag] : []),
    ...z.attributes.map(encodeScalar),
    encodeScalar(z.r),
  );
  return { ...shown, proof };
}

/** One show's equations, read from its bytes. @throws {CoconutError} for any other shape */
function equationsOf(
  verifier: Verifier,
  key: VerificationKey,
  sent: Show,
  { disclosed = ALL_HIDDEN, context = EMPTY }: ShowOptions,
): Equations {
  const hidden = hiddenOf(key.betaTilde.length, disclosed);
  const tag = hidden[0] === SERIAL ? G1_BYTES : 0;
  expectLength(sent.proof, G2_BYTES + tag + SCALAR_BYTES * (hidden.length + 1), 'the proof of a show');
  const first: ShowFirst = {
    kappa: sent.proof.subarray(0, G2_BYTES),
    tag: tag > 0 ? sent.proof.subarray(G2_BYTES, G2_BYTES + tag) : undefined,
  };
  const z = pieces(sent.proof.subarray(G2_BYTES + tag), SCALAR_BYTES).map(decodeScalar);
  const c = challengeOf(key.id, disclosed, context, sent, first);
  return showEquations(verifier, key, disclosed, sent, first, c, {
    attributes: z.slice(0, -1),
    r: z[hidden.length] as bigint,
  });
}

/** A show with what its verifier knows about it. */
export interface ReceivedShow extends ShowOptions {
  readonly show: Show;
}

/**
 * Which shows of a batch are bad: those of another shape, and those whose equations do not hold. N good ones cost one sum in each group, N + 1 Miller loops and one final
 * exponentiation.
 * @param random a cryptographic source
 * @returns positions, ascending
 * @throws {CoconutError} `BadShow` for an empty batch; `BadAttributes`, `BadScalar` for expectations that no show can meet
 */
export function badShows(
  verifier: Verifier,
  key: VerificationKey,
  batch: readonly ReceivedShow[],
  random: RandomBytes,
): number[] {
  if (batch.length === 0) throw new CoconutError('BadShow', 'at least one show', 'none');
  const bad: number[] = [];
  const read: { readonly at: number; readonly equations: Equations }[] = [];
  batch.forEach(({ show: sent, ...options }, at) => {
    // What the verifier expects has to make sense, or it is the verifier that is wrong and no show.
    hiddenOf(key.betaTilde.length, options.disclosed ?? ALL_HIDDEN);
    try {
      read.push({ at, equations: equationsOf(verifier, key, sent, options) });
    } catch (error) {
      if (!(error instanceof CoconutError)) throw error;
      bad.push(at);
    }
  });
  if (read.length > 0) {
    const records = read.map(({ equations }) => equations);
    for (const k of failing(verifier, records, random)) bad.push((read[k] as (typeof read)[number]).at);
  }
  return bad.sort((a, b) => a - b);
}

/** Whether every show of a batch is good. @throws {CoconutError} `BadShow` for an empty batch */
export function verifyShows(
  verifier: Verifier,
  key: VerificationKey,
  batch: readonly ReceivedShow[],
  random: RandomBytes,
): boolean {
  return badShows(verifier, key, batch, random).length === 0;
}

/** Whether one show is good; as {@link verifyShows}. */
export function verifyShow(
  verifier: Verifier,
  key: VerificationKey,
  sent: Show,
  options: ShowOptions,
  random: RandomBytes,
): boolean {
  return badShows(verifier, key, [{ show: sent, ...options }], random).length === 0;
}

/** h′ ‖ s′ ‖ κ ‖ ζ ‖ proof: 480 bytes for two hidden attributes. */
export function encodeShow({ h, s, kappa, tag, proof }: Show): Uint8Array {
  return concat(h, s, kappa, ...(tag ? [tag] : []), proof);
}

/** @param tagged whether the serial is hidden: the reader's own knowledge @throws {CoconutError} `BadLength`; the rest is judged by {@link badShows} */
export function decodeShow(bytes: Uint8Array, hidden: number, tagged: boolean): Show {
  const statement = 2 * G1_BYTES + G2_BYTES + (tagged ? G1_BYTES : 0);
  const proof = G2_BYTES + (tagged ? G1_BYTES : 0) + SCALAR_BYTES * (hidden + 1);
  expectLength(bytes, statement + proof, 'a show');
  const kappaEnd = 2 * G1_BYTES + G2_BYTES;
  return {
    h: bytes.slice(0, G1_BYTES),
    s: bytes.slice(G1_BYTES, 2 * G1_BYTES),
    kappa: bytes.slice(2 * G1_BYTES, kappaEnd),
    tag: tagged ? bytes.slice(kappaEnd, statement) : undefined,
    proof: bytes.slice(statement),
  };
}
