/**
 * The signing ceremony: ROAST (ePrint 2022/550) over FROST (RFC 9591), for up to M messages at once.
 *
 * Read it from top to bottom: {@link authorise} (a signer's first commitments), {@link step} (finish, expire, lead, rotate, release), then each of these.
 * A silent or lying signer costs nothing while t others answer; a silent leader costs one leader period. Every leader k ≤ n−t has
 * nonces of its own, so a signer that approves late still completes an early leader's session.
 *
 * The rule on which the key depends: a nonce meets one package. A release consumes the nonce row, stores the share with the hash of the package, and makes
 * the next nonce in one transaction; whatever is sent afterwards is the stored bytes.
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import {
  type Blame,
  type BySender,
  blameOf,
  type Culprit,
  changed,
  type Inputs,
  type Member,
  type Outgoing,
  type RandomBytes,
  type SecretName,
  type SecretWrite,
  type StepResult,
  type Transition,
  UNCHANGED,
  type Wanted,
  type Wants,
} from '../ceremony.ts';
import { verifyEvidence } from '../evidence/verify.ts';
import {
  aggregate,
  checkNonceCommitment,
  generateNonces,
  type NonceCommitment,
  type Signer,
  signShare,
  verifySignature,
  verifySignatureShare,
} from '../frost/signing.ts';
import { FrostInputError, type Suite, suiteOf } from '../frost/suite.ts';
import { concat, utf8 } from '../messages/bytes.ts';
import type { FrostCertificate } from '../messages/certificate.ts';
import { type ContentOf, contentText, type FailureReason, parseContent } from '../messages/contents.ts';
import { lateSignature, signingOutcome } from '../messages/events.ts';
import type { Evidence } from '../messages/evidence.ts';
import { fromHex, type Hex, toHex } from '../messages/hex.ts';
import { ceremonyId, type SigningParameters } from '../messages/parameters.ts';
import { type Statement, statementHash } from '../messages/statement.ts';
import type { Secret } from '../vault/secret.ts';
import type { Decision } from './policy.ts';
import type { Failed, Leading, LeadingOnly, Offer, Session, Signing, SigningState, Succeeded } from './state.ts';

/** A leader opens a further session when the last is this old (seconds) or has a fault. */
const PATIENCE_SECONDS = 1;
/** So long after the expiry a signature is still passed on: half of the day for which it is remembered what was. */
const PASSED_ON_SECONDS = 43_200;
const NONCE_BYTES = 64;

type Step = StepResult<SigningState>;
type Active = LeadingOnly | Signing;

/** The key that signs: its certificate, and, where a share is to be released, this operator's share of it. */
export interface SigningKey {
  readonly certificate: FrostCertificate;
  readonly share: Secret | undefined;
}

export function wants(state: SigningState): Wants {
  switch (state.stage) {
    case 'LeadingOnly':
    case 'Signing': {
      const leads = state.leading ? [state.leading.k] : [];
      return {
        statements: [
          { type: 'Signature', slotPrefix: '' },
          ...state.offers.map(({ k }) => ({ type: 'SigningPackage', slotPrefix: `${k}.` }) as const),
          ...leads.map((k) => ({ type: 'NonceCommitment', slotPrefix: `${k}#` }) as const),
          ...leads.map((k) => ({ type: 'SignatureShare', slotPrefix: `${k}.` }) as const),
        ],
        secrets: [],
      };
    }
    case 'Failed':
      return { statements: state.late ? [] : [{ type: 'Signature', slotPrefix: '' }], secrets: [] };
    case 'Succeeded':
      return { statements: [], secrets: [] };
  }
}

/**
 * Leader k is participant `(H(id) + k) mod n` in ascending order, where H(id) is the ceremony id as a big-endian integer: nobody chooses it.
 * @returns the operator's index
 */
export function leaderOf(parameters: SigningParameters, ceremony: Hex, k: number): number {
  const n = parameters.signers.length;
  const position = Number((BigInt(ceremony) + BigInt(k)) % BigInt(n));
  const index = parameters.signers[position];
  if (index === undefined) throw new Error(`a ceremony of ${n} signers has no position ${position}`);
  return index;
}

/** The k, 0..n−t, for which this operator leads, if there is one. */
export function leadsFor(parameters: SigningParameters, ceremony: Hex, index: number): number | undefined {
  for (let k = 0; k <= lastLeader(parameters); k++) if (leaderOf(parameters, ceremony, k) === index) return k;
  return undefined;
}

// ------------------------------------------------------------------------------------------------ begin

/** A leader's state before, or without, its own client's authorisation; it holds no secret and learns nothing that signing does not publish. */
export function lead(parameters: SigningParameters, member: Member): LeadingOnly {
  const ceremony = ceremonyId(parameters);
  const k = leadsFor(parameters, ceremony, member.self);
  const leading: Leading | undefined = k === undefined ? undefined : { k, sessions: [], excluded: [] };
  return {
    kind: 'signing',
    ceremony,
    parameters,
    stage: 'LeadingOnly',
    offers: [],
    ...(leading ? { leading } : {}),
    culprits: [],
    sharesReleased: false,
  };
}

/** The own client's authorisation: nonces for leader 0 leave. Of a ceremony that has already ended here, the outcome is told. */
export function authorise(
  known: SigningState | undefined,
  parameters: SigningParameters,
  key: SigningKey,
  now: number,
  member: Member,
  random: RandomBytes,
): Step {
  const state = known ?? lead(parameters, member);
  switch (state.stage) {
    case 'Signing':
      return UNCHANGED;
    case 'Succeeded':
      if (state.authorised) return UNCHANGED;
      return changed<SigningState>({ ...state, authorised: true }, undefined, { events: [outcomeOf(state, member)] });
    case 'Failed':
      if (state.authorised) return UNCHANGED;
      return changed<SigningState>({ ...state, authorised: true }, undefined, { events: [outcomeOf(state, member)] });
    case 'LeadingOnly': {
      const next: Signing = { ...state, stage: 'Signing', nextLeaderAt: now + member.committee.file.leaderPeriod };
      return offer(next, 0, key, now, member, random);
    }
  }
}

// ------------------------------------------------------------------------------------------------ step

/**
 * One step. @param secrets rows that an earlier result asked for @param decide the operator's policy on this request, now
 * @param now seconds UTC @param random for nonces (new write-once rows)
 */
export function step(
  state: SigningState,
  inputs: Inputs,
  secrets: ReadonlyMap<SecretName, Secret>,
  key: SigningKey,
  decide: () => Decision,
  now: number,
  member: Member,
  random: RandomBytes,
): Step {
  if (state.stage === 'Succeeded') return UNCHANGED;
  if (state.stage === 'Failed') return late(state, inputs, key, member);
  return active(withContradictions(state, inputs, member), inputs, secrets, key, decide, now, member, random);
}

function active(
  state: Active,
  inputs: Inputs,
  secrets: ReadonlyMap<SecretName, Secret>,
  key: SigningKey,
  decide: () => Decision,
  now: number,
  member: Member,
  random: RandomBytes,
): Step {
  switch (state.stage) {
    case 'LeadingOnly':
      return (
        finish(state, inputs, key, now, member) ??
        expire(state, inputs, now, member) ??
        leadSessions(state, inputs, key, now, member) ??
        UNCHANGED
      );
    case 'Signing':
      return (
        finish(state, inputs, key, now, member) ??
        expire(state, inputs, now, member) ??
        leadSessions(state, inputs, key, now, member) ??
        rotate(state, key, now, member, random) ??
        accuseLeader(state, inputs, now, member) ??
        // Last: where no share may leave (the halt switch, lost nonces), the operator still leads and offers.
        release(state, inputs, secrets, key, decide, now, member, random) ??
        UNCHANGED
      );
  }
}

/** Whoever said two things in one place is named in the outcome, whatever the ceremony does next; the proof was stored when the second one came. */
function withContradictions(state: Active, inputs: Inputs, member: Member): Active {
  const news = inputs.evidence.flatMap(({ reason, statements: [first] }): Blame[] =>
    first && first.from !== member.self && !isNamed(state, first.from) ? [{ index: first.from, reason }] : [],
  );
  return news.length === 0 ? state : { ...state, culprits: mergeBlame(state.culprits, news) };
}

function isNamed(state: SigningState, index: number): boolean {
  return state.culprits.some((blame) => blame.index === index);
}

/** Anybody's valid signature ends the ceremony: it is checked under the key, so its sender need not be trusted. */
function finish(state: Active, inputs: Inputs, key: SigningKey, now: number, member: Member): Step | undefined {
  const signatures = validSignatures(state.parameters, inputs, key);
  if (!signatures) return undefined;
  // Who committed to this leader waits for it: an earlier leader may have told this one alone.
  const waiting =
    state.leading && passedOn(state, now) ? [...inputs.said('NonceCommitment', `${state.leading.k}`).keys()] : [];
  return succeed(state, signatures, waiting, member);
}

function expire(state: Active, inputs: Inputs, now: number, member: Member): Step | undefined {
  if (now < state.parameters.expiresAt) return undefined;
  const authorised = state.stage === 'Signing';
  const reason: FailureReason = inputs.mismatch ? 'ConfigurationMismatch' : 'Timeout';
  const { stage: _, ...rest } = state;
  const failed: Failed = { ...rest, stage: 'Failed', authorised, reason, unresponsive: silent(state, inputs, member) };
  return changed<SigningState>(failed, undefined, {
    secrets: forgetNonces(state.offers),
    events: authorised ? [outcomeOf(failed, member)] : [],
  });
}

/** A signature after the failure was announced: shares had been released, and somebody completed them. */
function late(state: Failed, inputs: Inputs, key: SigningKey, member: Member): Step {
  const signatures = state.late ? undefined : validSignatures(state.parameters, inputs, key);
  if (!signatures) return UNCHANGED;
  const { parameters, ceremony } = state;
  const event = lateSignature({
    operator: member.self,
    coin: member.coin,
    ceremony,
    keyId: parameters.keyId,
    messages: [...parameters.messages],
    signatures: [...signatures],
  });
  return changed<SigningState>({ ...state, late: signatures }, undefined, { events: state.authorised ? [event] : [] });
}

// ------------------------------------------------------------------------------------------------ signer

/** Fresh nonces for leader k leave as a `NonceCommitment`. */
function offer(state: Signing, k: number, key: SigningKey, now: number, member: Member, random: RandomBytes): Step {
  const { parameters, ceremony } = state;
  if (!key.share) return { kind: 'needs', share: true };
  const suite = suiteOf(parameters.suite);
  const nonces = makeNonces(suite, key.share, parameters.messages.length, boundTo(`${ceremony} ${k} 0`, random));
  const leader = leaderOf(parameters, ceremony, k);
  const content = contentText('NonceCommitment', { parameters, commitments: nonces.commitments.map(commitmentHex) });
  // A leader of before may have told only some of the signature. Whoever leads next says to all that it still waits, and is answered by those who have it.
  const asks = leader === member.self && k > 0;
  const statement = member.say('NonceCommitment', ceremony, `${k}`, asks ? 0 : leader, content);
  const next: Signing = {
    ...state,
    offers: [...state.offers, { k, sequence: 0, source: statementHash(statement), answered: [] }],
    nextLeaderAt: now + member.committee.file.leaderPeriod,
  };
  return changed<SigningState>(next, nextWake(next, now), {
    ...deliver(`NonceCommitment#${k}`, statement, asks ? parameters.signers : [leader], member),
    secrets: [{ kind: 'create', name: `NONCE#${k}#0`, plaintext: nonces.row }],
  });
}

/** Answers one package: the only place where a share of the key is used. */
function release(
  state: Signing,
  inputs: Inputs,
  secrets: ReadonlyMap<SecretName, Secret>,
  key: SigningKey,
  decide: () => Decision,
  now: number,
  member: Member,
  random: RandomBytes,
): Step | undefined {
  const { parameters, ceremony } = state;
  const found = answerable(state, inputs, member);
  if (!found) return undefined;
  const { offered, session, statement, content } = found;
  const answered = [...offered.answered, { session, package: statementHash(statement) }];
  // The policy speaks when the share would leave, not only when it was asked for.
  if (decide().kind === 'refuse') return undefined;
  // Nothing is made from the nonces of a refused package, so they stay good for another session; this one is never looked at again, nor in the way of others.
  const refuse = (culprits: readonly Culprit[] = []): Step => {
    const unmoved: Signing = {
      ...state,
      culprits: mergeBlame(state.culprits, culprits),
      offers: state.offers.map((each) => (each.k === offered.k ? { ...offered, answered } : each)),
    };
    return changed<SigningState>(unmoved, nextWake(unmoved, now), { evidence: culprits });
  };

  const name: SecretName = `NONCE#${offered.k}#${offered.sequence}`;
  const row = secrets.get(name);
  if (!row || !key.share) return { kind: 'needs', secrets: [name], share: true };
  const share = key.share;
  const suite = suiteOf(parameters.suite);
  const own = decodeNonces(suite, row.bytes, parameters.messages.length);
  const mine = content.commitments[content.signers.indexOf(member.self)] ?? [];
  // NON-09: the package must carry the commitments of the row that is about to be spent, byte for byte.
  if (!own.commitments.every((c, m) => sameCommitment(commitmentHex(c), mine[m]))) {
    if (!inputs.ownLoaded) return { kind: 'needs', statements: wantsSaid(offered.k) };
    return refuse(packageCulprit(member, statement, saidTo(state, offered.k, inputs, member)));
  }

  const packageHash = statementHash(statement);
  const shares = signAll(suite, parameters, content, key.certificate, share, own.nonces, member.self);
  if (!shares) return refuse();
  const place = `${ceremony} ${offered.k} ${offered.sequence + 1}`;
  const next = makeNonces(suite, share, parameters.messages.length, boundTo(place, random));
  const answer = member.say(
    'SignatureShare',
    ceremony,
    `${offered.k}.${session}`,
    statement.from,
    contentText('SignatureShare', { package: packageHash, shares, next: next.commitments.map(commitmentHex) }),
  );
  const renewed: Offer = {
    k: offered.k,
    sequence: offered.sequence + 1,
    source: statementHash(answer),
    answered,
  };
  const after: Signing = {
    ...state,
    offers: state.offers.map((each) => (each.k === offered.k ? renewed : each)),
    sharesReleased: true,
  };
  return changed<SigningState>(after, nextWake(after, now), {
    ...deliver(`SignatureShare#${offered.k}#${offered.sequence}`, answer, [statement.from], member),
    secrets: [
      { kind: 'consume', name },
      { kind: 'create', name: `NONCE#${renewed.k}#${renewed.sequence}`, plaintext: next.row },
    ],
    released: [{ leader: offered.k, sequence: offered.sequence, package: packageHash, statement: answer }],
  });
}

/** One share for each message, or nothing if a commitment of the package is no point, or their sum no nonce: no share is made of a part. */
function signAll(
  suite: Suite,
  { messages }: SigningParameters,
  content: ContentOf<'SigningPackage'>,
  { outputKey, internalKey }: FrostCertificate,
  share: Secret,
  nonces: readonly Uint8Array[],
  self: number,
): Hex[] | undefined {
  const key = { outputKey: fromHex(outputKey), internalKey: fromHex(internalKey) };
  try {
    return messages.map((message, m) =>
      toHex(
        signShare(suite, {
          key,
          index: self,
          signingShare: share.bytes,
          nonces: nonces[m] ?? new Uint8Array(),
          signers: signersFor(content, m),
          message: fromHex(message),
        }),
      ),
    );
  } catch (error) {
    if (error instanceof FrostInputError) return undefined;
    throw error;
  }
}

interface Answerable {
  readonly offered: Offer;
  readonly session: number;
  readonly statement: Statement;
  readonly content: ContentOf<'SigningPackage'>;
}

/** The first package that may be answered: from leader k, for the current commitments, of exactly t distinct participants in order. */
function answerable(state: Signing, inputs: Inputs, member: Member): Answerable | undefined {
  const { parameters, ceremony } = state;
  for (const offered of state.offers) {
    const leader = leaderOf(parameters, ceremony, offered.k);
    for (const slot of inputs.slots('SigningPackage')) {
      const session = sessionOf(slot, offered.k);
      // A leader has n−t+1 sessions, and no more nonces of a signer than these (attack NON-13).
      if (session === undefined || session > lastLeader(parameters)) continue;
      if (offered.answered.some((each) => each.session === session)) continue;
      const statement = inputs.said('SigningPackage', slot).get(leader);
      const parsed = statement && parseContent('SigningPackage', statement.content);
      if (!statement || !parsed?.ok || !wellFormedPackage(parameters, parsed.content)) continue;
      const position = parsed.content.signers.indexOf(member.self);
      if (position >= 0 && parsed.content.sources[position] === offered.source) {
        return { offered, session, statement, content: parsed.content };
      }
    }
  }
  return undefined;
}

/** A package that no signer can answer is refused in silence, and its leader named: the parameters are in what this signer said to it. */
function accuseLeader(state: Signing, inputs: Inputs, now: number, member: Member): Step | undefined {
  const { parameters, ceremony } = state;
  for (const { k } of state.offers) {
    const leader = leaderOf(parameters, ceremony, k);
    if (leader === member.self || isNamed(state, leader)) continue;
    for (const slot of inputs.slots('SigningPackage')) {
      const session = sessionOf(slot, k);
      const statement = inputs.said('SigningPackage', slot).get(leader);
      if (session === undefined || session > lastLeader(parameters) || !statement) continue;
      const parsed = parseContent('SigningPackage', statement.content);
      if (parsed.ok && wellFormedPackage(parameters, parsed.content)) continue;
      if (!inputs.ownLoaded) return { kind: 'needs', statements: wantsSaid(k) };
      const culprits = packageCulprit(member, statement, saidTo(state, k, inputs, member));
      if (culprits.length === 0) continue;
      const next: Signing = { ...state, culprits: mergeBlame(state.culprits, culprits) };
      return changed<SigningState>(next, nextWake(next, now), { evidence: culprits });
    }
  }
  return undefined;
}

/** What this signer said to leader k: the statements that a package must agree with. */
function wantsSaid(k: number): readonly Wanted[] {
  return [
    { type: 'NonceCommitment', slotPrefix: `${k}#`, own: true },
    { type: 'SignatureShare', slotPrefix: `${k}.`, own: true },
  ];
}

/** The commitment first, which carries the parameters; then the statement that carried the commitments of now, if it is another. */
function saidTo(state: Signing, k: number, inputs: Inputs, { self }: Member): readonly Statement[] {
  const source = state.offers.find((each) => each.k === k)?.source;
  const slots = inputs.slots('SignatureShare').filter((slot) => sessionOf(slot, k) !== undefined);
  const shares = slots.flatMap((slot) => inputs.said('SignatureShare', slot).get(self) ?? []);
  const committed = inputs.said('NonceCommitment', `${k}`).get(self);
  return committed ? [committed, ...shares.filter((each) => statementHash(each) === source)] : [];
}

/** The leader, if its package and what it was made of convict it: what no stranger would believe is not said. */
function packageCulprit(member: Member, statement: Statement, said: readonly Statement[]): readonly Culprit[] {
  const evidence: Evidence = {
    v: 1,
    reason: 'InvalidPackage',
    committee: member.committee.id,
    statements: [statement, ...said],
  };
  const convicts = statement.from !== member.self && verifyEvidence(member.committee, evidence).guilty;
  return convicts ? [{ index: statement.from, reason: 'InvalidPackage', evidence }] : [];
}

/** No answer from the leaders so far: one leader more, up to n−t; all earlier ones stay valid. */
function rotate(state: Signing, key: SigningKey, now: number, member: Member, random: RandomBytes): Step | undefined {
  if (now < state.nextLeaderAt || state.offers.length > lastLeader(state.parameters)) return undefined;
  return offer(state, state.offers.length, key, now, member, random);
}

// ------------------------------------------------------------------------------------------------ leader

/** Closes full sessions, and opens a new one when t signers are free and the last session is old or faulty. */
function leadSessions(state: Active, inputs: Inputs, key: SigningKey, now: number, member: Member): Step | undefined {
  const { leading } = state;
  if (!leading) return undefined;
  const full = leading.sessions.find((session) => session.status === 'open' && isFull(session, leading, inputs));
  if (full) return closeSession(state, leading, full, inputs, key, now, member);
  return openSession(state, leading, inputs, now, member);
}

/** Adds the shares; only if the signature is bad is each share checked, and its sender named with the proof. */
function closeSession(
  state: Active,
  leading: Leading,
  session: Session,
  inputs: Inputs,
  key: SigningKey,
  now: number,
  member: Member,
): Step {
  const { parameters } = state;
  const suite = suiteOf(parameters.suite);
  const slot = `${leading.k}.${session.session}`;
  const said = inputs.said('SignatureShare', slot);
  const packaged = inputs.said('SigningPackage', slot).get(member.self);
  if (!packaged) return { kind: 'needs', statements: [{ type: 'SigningPackage', slotPrefix: `${slot}#` }] };
  const content = parseContent('SigningPackage', packaged.content);
  if (!content.ok) throw new Error(`the own signing package ${slot} does not parse: ${content.reason}`);

  const answers = new Map<number, readonly Hex[]>();
  const unusable: number[] = [];
  for (const index of session.signers) {
    const parsed = parseContent('SignatureShare', said.get(index)?.content ?? '');
    const fits =
      parsed.ok &&
      parsed.content.package === session.package &&
      parsed.content.shares.length === parameters.messages.length;
    if (fits) answers.set(index, parsed.content.shares);
    else unusable.push(index);
  }
  const { certificate } = key;
  const bad = new Set<number>();
  const signatures: Hex[] = [];
  if (unusable.length === 0) {
    for (const [m, message] of parameters.messages.entries()) {
      const result = aggregated(suite, {
        t: parameters.t,
        key: { outputKey: fromHex(certificate.outputKey), internalKey: fromHex(certificate.internalKey) },
        verifyingShares: verifyingShares(certificate),
        signers: signersFor(content.content, m),
        message: fromHex(message),
        shares: new Map([...answers].map(([index, shares]) => [index, fromHex(shares[m] ?? '0x')])),
      });
      if (result.ok) signatures.push(toHex(result.signature));
      else for (const index of result.culprits) bad.add(index);
    }
    if (signatures.length === parameters.messages.length)
      return succeed(
        state,
        signatures,
        member.committee.file.operators.map((o) => o.index),
        member,
      );
  }

  if (unusable.length > 0) {
    // The shares cannot be added. Judged one by one all the same, or a liar would hide behind another's nonsense.
    for (const [index, shares] of answers)
      if (index !== member.self && !sharesHold(suite, parameters, content.content, certificate, index, shares))
        bad.add(index);
  }

  const carrier = anyParameters(inputs, leading.k);
  const accused = [...new Set([...bad, ...unusable])].sort((a, b) => a - b);
  const culprits: Culprit[] = accused.flatMap((index) => {
    const share = said.get(index);
    if (!share || index === member.self) return [];
    const evidence: Evidence = {
      v: 1,
      reason: 'InvalidSignatureShare',
      committee: member.committee.id,
      certificate,
      statements: carrier ? [share, packaged, carrier] : [share, packaged],
    };
    // A share that names a package of which nobody knows proves nothing: its sender is left out, and not accused.
    const proven = bad.has(index) || verifyEvidence(member.committee, evidence).guilty;
    return proven ? [{ index, reason: 'InvalidSignatureShare', evidence } satisfies Culprit] : [];
  });
  const next: Active = {
    ...state,
    culprits: mergeBlame(state.culprits, culprits),
    leading: {
      ...leading,
      sessions: leading.sessions.map((each) => (each === session ? { ...each, status: 'faulty' } : each)),
      excluded: [...new Set([...leading.excluded, ...unusable, ...bad])].sort((a, b) => a - b),
    },
  };
  return changed<SigningState>(next, nextWake(next, now), { evidence: culprits });
}

/** Whether each share of one signer verifies (RFC 9591 §5.3). In a session that nobody can sign no share is wrong. */
function sharesHold(
  suite: Suite,
  { messages }: SigningParameters,
  content: ContentOf<'SigningPackage'>,
  certificate: FrostCertificate,
  index: number,
  shares: readonly Hex[],
): boolean {
  const key = { outputKey: fromHex(certificate.outputKey), internalKey: fromHex(certificate.internalKey) };
  try {
    return messages.every((message, m) =>
      verifySignatureShare(suite, {
        key,
        verifyingShares: verifyingShares(certificate),
        signers: signersFor(content, m),
        message: fromHex(message),
        index,
        share: fromHex(shares[m] ?? '0x'),
      }),
    );
  } catch (error) {
    if (error instanceof FrostInputError) return true;
    throw error;
  }
}

/** The commitments of a session may cancel each other (attack NON-11): the session is spent, and nobody can be proven to have done it. */
function aggregated(suite: Suite, input: Parameters<typeof aggregate>[1]): ReturnType<typeof aggregate> {
  try {
    return aggregate(suite, input);
  } catch (error) {
    if (error instanceof FrostInputError) return { ok: false, culprits: [] };
    throw error;
  }
}

function openSession(state: Active, leading: Leading, inputs: Inputs, now: number, member: Member): Step | undefined {
  const { parameters, ceremony } = state;
  const last = leading.sessions.at(-1);
  if (last && last.status === 'open' && now < last.openedAt + PATIENCE_SECONDS) return undefined;
  // A bound on what one leader can make signers compute; n−t+1 sessions suffice, for each failed one excludes a participant.
  if (leading.sessions.length > lastLeader(parameters)) return undefined;
  const { free: chosen, invalid } = freeSigners(state, leading, inputs);
  if (invalid.length > 0) {
    const culprits = invalid.filter(({ from }) => from !== member.self).map((each) => commitmentCulprit(member, each));
    const excluded = [...new Set([...leading.excluded, ...invalid.map(({ from }) => from)])].sort((a, b) => a - b);
    const named: Active = {
      ...state,
      culprits: mergeBlame(state.culprits, culprits),
      leading: { ...leading, excluded },
    };
    return changed<SigningState>(named, nextWake(named, now), { evidence: culprits });
  }
  if (chosen.length < parameters.t) return undefined;

  const session = leading.sessions.length;
  const signers = chosen.map((each) => each.index);
  const content = contentText('SigningPackage', {
    signers,
    sources: chosen.map((each) => each.source),
    commitments: chosen.map((each) => [...each.commitments]),
  });
  const statement = member.say('SigningPackage', ceremony, `${leading.k}.${session}`, 0, content);
  const opened: Session = { session, signers, package: statementHash(statement), openedAt: now, status: 'open' };
  const next: Active = { ...state, leading: { ...leading, sessions: [...leading.sessions, opened] } };
  return changed<SigningState>(next, nextWake(next, now), {
    outbox: [
      {
        stage: `SigningPackage#${leading.k}.${session}`,
        statement,
        recipients: signers.filter((index) => index !== member.self),
      },
    ],
    own: [statement],
  });
}

interface Offered {
  readonly index: number;
  readonly source: Hex;
  readonly commitments: readonly { readonly hiding: Hex; readonly binding: Hex }[];
}

/**
 * At most t signers with unspent commitments, ascending: those of the `NonceCommitment`, or of the last share; nobody in an open session. And the
 * `NonceCommitment`s met on the way that nobody could sign with: these convict their senders. (A share's next commitments do not: the share may still be good.)
 */
function freeSigners(
  state: Active,
  leading: Leading,
  inputs: Inputs,
): { readonly free: readonly Offered[]; readonly invalid: readonly Statement[] } {
  const { parameters, ceremony } = state;
  const suite = suiteOf(parameters.suite);
  const committed = inputs.said('NonceCommitment', `${leading.k}`);
  const free: Offered[] = [];
  const invalid: Statement[] = [];
  for (const index of parameters.signers) {
    const first = committed.get(index);
    if (free.length === parameters.t || !first || leading.excluded.includes(index)) continue;
    const last = leading.sessions.findLast((session) => session.signers.includes(index));
    const carrier = last ? inputs.said('SignatureShare', `${leading.k}.${last.session}`).get(index) : first;
    if (!carrier) continue;
    const commitments = carried(carrier, ceremony);
    const valid =
      commitments?.length === parameters.messages.length &&
      commitments.every((each) =>
        checkNonceCommitment(suite, { hiding: fromHex(each.hiding), binding: fromHex(each.binding) }),
      );
    if (valid) free.push({ index, source: statementHash(carrier), commitments });
    else if (carrier === first) invalid.push(first);
  }
  return { free, invalid };
}

function commitmentCulprit({ committee }: Member, statement: Statement): Culprit {
  const evidence: Evidence = { v: 1, reason: 'InvalidCommitment', committee: committee.id, statements: [statement] };
  return { index: statement.from, reason: 'InvalidCommitment', evidence };
}

/** The commitments that a statement carries, if it is of this ceremony's parameters. */
function carried(statement: Statement, ceremony: Hex): Offered['commitments'] | undefined {
  if (statement.type === 'NonceCommitment') {
    const parsed = parseContent('NonceCommitment', statement.content);
    return parsed.ok && ceremonyId(parsed.content.parameters) === ceremony ? parsed.content.commitments : undefined;
  }
  const parsed = parseContent('SignatureShare', statement.content);
  return parsed.ok ? parsed.content.next : undefined;
}

function isFull(session: Session, leading: Leading, inputs: Inputs): boolean {
  const said = inputs.said('SignatureShare', `${leading.k}.${session.session}`);
  return session.signers.every((index) => said.has(index));
}

// ------------------------------------------------------------------------------------------------ ends

/** @param tell who hears the signature from this node: all, from the leader that made it; where it was received, whoever committed to this node as a leader */
function succeed(state: Active, signatures: readonly Hex[], tell: readonly number[], member: Member): Step {
  const authorised = state.stage === 'Signing';
  const { stage: _, ...rest } = state;
  const succeeded: Succeeded = { ...rest, stage: 'Succeeded', authorised, signatures };
  const recipients = tell.filter((index) => index !== member.self);
  const outbox: Outgoing[] =
    recipients.length === 0
      ? []
      : [
          {
            stage: 'Signature',
            statement: member.say(
              'Signature',
              state.ceremony,
              '',
              0,
              contentText('Signature', { signatures: [...signatures] }),
            ),
            recipients,
          },
        ];
  return changed<SigningState>(succeeded, undefined, {
    outbox,
    secrets: forgetNonces(state.offers),
    events: authorised ? [outcomeOf(succeeded, member)] : [],
  });
}

/**
 * Whether others are still told. Two ceremonies may sign one message, and each signature ends both: a state from a backup of last month would say another one than this
 * operator has said, when nothing remembers that any more.
 */
export function passedOn({ parameters }: SigningState, now: number): boolean {
  return now < parameters.expiresAt + PASSED_ON_SECONDS;
}

/** The answer of a node that has the signature to a signer that commits later. */
export function signatureFor(state: Succeeded, peer: number, member: Member): Outgoing {
  const content = contentText('Signature', { signatures: [...state.signatures] });
  return {
    stage: `Signature#${peer}`,
    statement: member.say('Signature', state.ceremony, `to-${peer}`, peer, content),
    recipients: [peer],
  };
}

/** The operator's `Abandon`: no share leaves any more; shares that left may still complete. */
export function abandon(state: SigningState, member: Member): Step {
  if (state.stage === 'Succeeded' || state.stage === 'Failed') return UNCHANGED;
  const authorised = state.stage === 'Signing';
  const { stage: _, ...rest } = state;
  const failed: Failed = { ...rest, stage: 'Failed', authorised, reason: 'Aborted', unresponsive: [] };
  return changed<SigningState>(failed, undefined, {
    secrets: forgetNonces(state.offers),
    events: authorised ? [outcomeOf(failed, member)] : [],
  });
}

function outcomeOf(state: Succeeded | Failed, member: Member) {
  const { ceremony, parameters, culprits, sharesReleased } = state;
  const common = {
    operator: member.self,
    coin: member.coin,
    ceremony,
    keyId: parameters.keyId,
    messages: [...parameters.messages],
    sharesReleased,
    culprits: blameOf(culprits),
    final: true,
  };
  switch (state.stage) {
    case 'Succeeded':
      return signingOutcome({ ...common, result: 'succeeded', signatures: [...state.signatures], unresponsive: [] });
    case 'Failed':
      return signingOutcome({
        ...common,
        result: 'failed',
        reason: state.reason,
        unresponsive: [...state.unresponsive],
      });
  }
}

// ------------------------------------------------------------------------------------------------ parts

/** All messages' signatures, from anyone, if every one verifies under the key (BIP 340, RFC 8032). */
function validSignatures(parameters: SigningParameters, inputs: Inputs, key: SigningKey): readonly Hex[] | undefined {
  const suite = suiteOf(parameters.suite);
  const outputKey = fromHex(key.certificate.outputKey);
  for (const slot of inputs.slots('Signature')) {
    for (const [, statement] of inputs.said('Signature', slot)) {
      const parsed = parseContent('Signature', statement.content);
      if (!parsed.ok || parsed.content.signatures.length !== parameters.messages.length) continue;
      const { signatures } = parsed.content;
      const valid = parameters.messages.every((message, m) =>
        verifySignature(suite, outputKey, fromHex(message), fromHex(signatures[m] ?? '0x')),
      );
      if (valid) return signatures;
    }
  }
  return undefined;
}

/** Exactly t distinct participants in ascending order, each with one commitment for each message and the statement that carried them. */
function wellFormedPackage(parameters: SigningParameters, content: ContentOf<'SigningPackage'>): boolean {
  const { signers, sources, commitments } = content;
  return (
    signers.length === parameters.t &&
    sources.length === parameters.t &&
    commitments.length === parameters.t &&
    signers.every((index, i) => parameters.signers.includes(index) && (i === 0 || index > (signers[i - 1] ?? 0))) &&
    commitments.every((each) => each.length === parameters.messages.length)
  );
}

/**
 * Randomness for the nonces of one place. RFC 9591's nonce_generate mixes in the signing share, which is the same in every ceremony: from a source that repeats itself
 * (a copied machine, a defect) two places would get one nonce, and two shares the key. Bound to its place, a repeated draw is another nonce (attack NON-06).
 */
function boundTo(place: string, random: RandomBytes): RandomBytes {
  let draw = 0;
  return (length) => hkdf(sha256, random(length), undefined, utf8(`coterie/v1/nonce ${place} ${draw++}`), length);
}

function makeNonces(
  suite: Suite,
  share: Secret,
  count: number,
  random: RandomBytes,
): { row: Uint8Array; commitments: NonceCommitment[] } {
  const pairs = Array.from({ length: count }, () => generateNonces(suite, share.bytes, random));
  const row = concat(...pairs.map(({ nonces, commitment }) => concat(nonces, commitment.hiding, commitment.binding)));
  for (const { nonces } of pairs) nonces.fill(0);
  return { row, commitments: pairs.map((pair) => pair.commitment) };
}

/** `nonces`: one 64-byte view into the row for each message. */
function decodeNonces(
  suite: Suite,
  row: Uint8Array,
  count: number,
): { nonces: Uint8Array[]; commitments: NonceCommitment[] } {
  const size = NONCE_BYTES + 2 * suite.pointBytes;
  if (row.length !== size * count)
    throw new Error(`a nonce row of ${count} messages has ${size * count} bytes, this one has ${row.length}`);
  const nonces: Uint8Array[] = [];
  const commitments: NonceCommitment[] = [];
  for (let at = 0; at < row.length; at += size) {
    const middle = at + NONCE_BYTES + suite.pointBytes;
    nonces.push(row.subarray(at, at + NONCE_BYTES));
    commitments.push({ hiding: row.slice(at + NONCE_BYTES, middle), binding: row.slice(middle, at + size) });
  }
  return { nonces, commitments };
}

function signersFor(content: ContentOf<'SigningPackage'>, message: number): Signer[] {
  return content.signers.map((index, i) => {
    const commitment = content.commitments[i]?.[message];
    if (!commitment) throw new Error(`a signing package without commitments of signer ${index} for message ${message}`);
    return { index, commitment: { hiding: fromHex(commitment.hiding), binding: fromHex(commitment.binding) } };
  });
}

function verifyingShares(certificate: FrostCertificate): ReadonlyMap<number, Uint8Array> {
  return new Map(
    certificate.parameters.signers.map((index, i) => [index, fromHex(certificate.verifyingShares[i] ?? '0x')]),
  );
}

/** A statement that carries the ceremony's parameters, so that a stranger can recompute the id and learn the messages. */
function anyParameters(inputs: Inputs, k: number): Statement | undefined {
  const [first] = inputs.said('NonceCommitment', `${k}`).values();
  return first;
}

function deliver(
  stage: string,
  statement: Statement,
  recipients: readonly number[],
  member: Member,
): Pick<Transition<SigningState>, 'outbox' | 'own'> {
  const peers = recipients.filter((index) => index !== member.self);
  return {
    outbox: peers.length > 0 ? [{ stage, statement, recipients: peers }] : [],
    own: peers.length < recipients.length ? [statement] : [],
  };
}

/** Who was waited for: signers that this leader lacks, and leaders of whom this signer has heard no package. Nothing is proven against them. */
function silent(state: Active, inputs: Inputs, member: Member): readonly number[] {
  const { leading, parameters, ceremony } = state;
  const waited = new Set<number>();
  if (leading) {
    const committed: BySender = inputs.said('NonceCommitment', `${leading.k}`);
    for (const index of parameters.signers) if (!committed.has(index)) waited.add(index);
    for (const { session, signers, status } of leading.sessions) {
      const answered = inputs.said('SignatureShare', `${leading.k}.${session}`);
      if (status === 'open') for (const index of signers) if (!answered.has(index)) waited.add(index);
    }
  }
  for (const { k } of state.offers) {
    const leader = leaderOf(parameters, ceremony, k);
    const slots = inputs.slots('SigningPackage').filter((slot) => sessionOf(slot, k) !== undefined);
    if (!slots.some((slot) => inputs.said('SigningPackage', slot).has(leader))) waited.add(leader);
  }
  waited.delete(member.self);
  return [...waited].sort((a, b) => a - b);
}

/** When to look again (seconds UTC): expiry, the next leader, or the end of the patience with an open session. Arrivals do the rest. */
export function nextWake(state: SigningState, now: number): number | undefined {
  switch (state.stage) {
    case 'Succeeded':
    case 'Failed':
      return undefined;
    case 'LeadingOnly':
    case 'Signing': {
      const times = [state.parameters.expiresAt];
      if (state.stage === 'Signing' && state.offers.length <= lastLeader(state.parameters))
        times.push(state.nextLeaderAt);
      const last = state.leading?.sessions.at(-1);
      if (last?.status === 'open' && now < last.openedAt + PATIENCE_SECONDS)
        times.push(last.openedAt + PATIENCE_SECONDS);
      return Math.min(...times);
    }
  }
}

/** True where any answer may let the leader open a further session: its patience with the last one is over. */
export function impatient(state: SigningState, now: number): boolean {
  const last = state.stage === 'Signing' || state.stage === 'LeadingOnly' ? state.leading?.sessions.at(-1) : undefined;
  return last !== undefined && (last.status === 'faulty' || now >= last.openedAt + PATIENCE_SECONDS);
}

/** The last leader's k: n − t. */
function lastLeader(parameters: SigningParameters): number {
  return parameters.signers.length - parameters.t;
}

/** The session number in a slot `k.s` of leader k. */
function sessionOf(slot: string, k: number): number | undefined {
  const [leader, session, ...rest] = slot.split('.');
  return leader === `${k}` && session !== undefined && rest.length === 0 ? Number(session) : undefined;
}

function forgetNonces(offers: readonly Offer[]): SecretWrite[] {
  return offers.map(({ k, sequence }) => ({ kind: 'forget', name: `NONCE#${k}#${sequence}` }));
}

function mergeBlame(known: readonly Blame[], found: readonly Blame[]): readonly Blame[] {
  const all = new Map(blameOf([...found, ...known]).map((blame) => [blame.index, blame]));
  return [...all.values()].sort((a, b) => a.index - b.index);
}

function commitmentHex({ hiding, binding }: NonceCommitment): { hiding: Hex; binding: Hex } {
  return { hiding: toHex(hiding), binding: toHex(binding) };
}

function sameCommitment(a: { hiding: Hex; binding: Hex }, b: { hiding: Hex; binding: Hex } | undefined): boolean {
  return b !== undefined && a.hiding === b.hiding && a.binding === b.binding;
}
