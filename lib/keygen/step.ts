/**
 * The key generation ceremony: PedPoP (FROST's key generation, ePrint 2020/852 §5.1, with proofs of possession), carried by
 * signed statements, ended by a verdict of every participant and a certificate of all verdicts.
 *
 * Read it from top to bottom: {@link begin}, then one function for each stage, then the ways to end. A stage is consumed to make the next.
 * Shapes: n participants (indexes of the committee file, not array positions), threshold t, polynomials of degree t−1; how many each deals, and in which
 * groups, is the suite's (`scheme.ts`).
 */
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
  type StepResult,
  type Transition,
  UNCHANGED,
  type Wanted,
  type Wants,
} from '../ceremony.ts';
import { findEvidence } from '../evidence/find.ts';
import { concat, lp, utf8 } from '../messages/bytes.ts';
import {
  type Certificate,
  keyId,
  type TranscriptContent,
  transcriptHash,
  verifyCertificate,
} from '../messages/certificate.ts';
import { contentText, type FailureReason, parseContent } from '../messages/contents.ts';
import { keygenOutcome, type MultisigEvent } from '../messages/events.ts';
import type { Evidence } from '../messages/evidence.ts';
import type { Hex } from '../messages/hex.ts';
import { ceremonyId, type KeygenParameters } from '../messages/parameters.ts';
import { type Statement, statementHash } from '../messages/statement.ts';
import type { Secret } from '../vault/secret.ts';
import { type Commitment, type Dealt, type Round, type Share, schemeOf } from './scheme.ts';
import type {
  AwaitingCommitments,
  AwaitingPublicKeys,
  AwaitingShares,
  AwaitingVerdicts,
  Failure,
  KeygenState,
  Succeeded,
  Unconfirmed,
  Unresolved,
} from './state.ts';

/** How long a peer's "I abort, and can prove why" is given to be followed by the proof. */
const PROOF_GRACE_SECONDS = 60;
/** Exhibits of one message: as many statements as its schema has, and as many bytes as leave room for the envelope in 256 KiB. */
const EXHIBIT_STATEMENTS = 16;
const EXHIBIT_BYTES = 200_000;
/** … and of one step, which is one transaction of at most 4 MB: of 99 liars with honest sizes all fit. */
const EXHIBITS_BYTES = 2_500_000;
/** Back-off of an unresolved node that repeats its confirmation: 1 min, 2 min, … at most 6 h. */
const REPEAT_SECONDS = 60;
const REPEAT_LIMIT_SECONDS = 6 * 3600;
/** Reasons for which evidence exists; whoever aborts for one of them shows it. */
const PROVABLE: ReadonlySet<FailureReason> = new Set(['Equivocation', 'InvalidCommitment', 'InvalidShare']);

type Step = StepResult<KeygenState>;

/** What a step of this state reads. Verdicts and exhibits can end any stage, so they are always looked at. */
export function wants(state: KeygenState): Wants {
  const always: Wanted[] = [
    { type: 'KeyGenVerdict', slotPrefix: '' },
    { type: 'KeyGenEvidence', slotPrefix: '' },
  ];
  switch (state.stage) {
    case 'AwaitingPublicKeys':
      return { statements: [...always, { type: 'EncryptedPublicKey', slotPrefix: '' }], secrets: ['POLYNOMIAL'] };
    case 'AwaitingCommitments':
      return {
        statements: [...always, { type: 'EncryptedKeyGenCommitment', slotPrefix: '' }],
        secrets: ['POLYNOMIAL'],
      };
    case 'AwaitingShares':
      return {
        statements: [...always, { type: 'EncryptedKeyShare', slotPrefix: '' }],
        secrets: ['POLYNOMIAL', 'SEALKEY'],
      };
    case 'AwaitingVerdicts':
    case 'Unresolved':
      return { statements: [...always, { type: 'KeyGenCertificate', slotPrefix: '' }], secrets: [] };
    case 'Succeeded':
    case 'Failed':
      return { statements: [], secrets: [] };
  }
}

// ------------------------------------------------------------------------------------------------ begin

export interface SealingKeyPair {
  /** X25519, 32 bytes each. */
  readonly secret: Uint8Array;
  readonly publicKey: Hex;
}

/**
 * Starts an authorised ceremony: a fresh polynomial, the commitment statement made from it (stored with it, said only when all keys are in) and a
 * fresh sealing key. The announced hash commits to the statement before anybody shows one (commit, then reveal: attack DKG-11).
 */
export function begin(
  parameters: KeygenParameters,
  member: Member,
  sealing: SealingKeyPair,
  random: RandomBytes,
): Transition<KeygenState> {
  const ceremony = ceremonyId(parameters);
  const dealing = schemeOf(parameters.suite).deal({ ...parameters, ceremony }, member.self, random);
  const commitment = member.say(
    'EncryptedKeyGenCommitment',
    ceremony,
    '',
    0,
    contentText('EncryptedKeyGenCommitment', dealing.commitment),
  );
  const publicKey = member.say(
    'EncryptedPublicKey',
    ceremony,
    '',
    0,
    contentText('EncryptedPublicKey', {
      parameters,
      sealingKey: sealing.publicKey,
      commitmentHash: statementHash(commitment),
    }),
  );
  const state: AwaitingPublicKeys = { kind: 'keygen', ceremony, parameters, stage: 'AwaitingPublicKeys' };
  const polynomial = encodePolynomial({ coefficients: dealing.polynomial, statement: commitment });
  return {
    state,
    // The sealing key of the ceremony is unknown to peers yet: this one statement is sealed to their messaging keys.
    outbox: [{ stage: 'EncryptedPublicKey', statement: publicKey, recipients: others(parameters, member) }],
    own: [publicKey],
    secrets: [
      { kind: 'create', name: 'POLYNOMIAL', plaintext: polynomial },
      { kind: 'create', name: 'SEALKEY', plaintext: sealing.secret },
    ],
    keys: [],
    released: [],
    evidence: [],
    events: [],
    wakeAt: parameters.expiresAt,
  };
}

// ------------------------------------------------------------------------------------------------ step

/**
 * One step. @param secrets the rows named by {@link wants} that exist @param now seconds UTC
 * @param random for the weights of batch checks, drawn after all that they weigh is fixed
 */
export function step(
  state: KeygenState,
  inputs: Inputs,
  secrets: ReadonlyMap<SecretName, Secret>,
  now: number,
  member: Member,
  random: RandomBytes,
): Step {
  switch (state.stage) {
    case 'AwaitingPublicKeys':
      return interrupted(state, inputs, now, member) ?? collectPublicKeys(state, inputs, secrets, member);
    case 'AwaitingCommitments':
      return interrupted(state, inputs, now, member) ?? collectCommitments(state, inputs, secrets, member, random);
    case 'AwaitingShares':
      return interrupted(state, inputs, now, member) ?? collectShares(state, inputs, secrets, member);
    case 'AwaitingVerdicts':
      return collectVerdicts(state, inputs, now, member);
    case 'Unresolved':
      return awaitCertificate(state, inputs, now, member);
    case 'Succeeded':
    case 'Failed':
      return UNCHANGED;
  }
}

/** What can end any stage before the own confirmation: proof, a peer's abort, other parameters, expiry, a lost table. */
function interrupted(state: Unconfirmed, inputs: Inputs, now: number, member: Member): Step | undefined {
  const comparison = needsComparison(inputs);
  if (comparison) return comparison;
  const culprits = proven(inputs, member);
  if (culprits.length > 0) return fail(state, member, { reason: firstReason(culprits), culprits, unresponsive: [] });
  if (inputs.mismatch) return fail(state, member, { reason: 'ConfigurationMismatch', culprits: [], unresponsive: [] });

  const unreadable = others(state.parameters, member).filter((index) => inputs.undecryptable.has(index));
  if (unreadable.length > 0)
    return fail(state, member, { reason: 'Undecryptable', culprits: [], unresponsive: unreadable });

  const missing = expected(state, inputs, member);
  if (now >= state.parameters.expiresAt)
    return fail(state, member, { reason: 'Timeout', culprits: [], unresponsive: missing });

  if (state.doomed) {
    if (now < state.doomed.until) return UNCHANGED;
    return fail(state, member, { reason: 'Aborted', culprits: [], unresponsive: [] });
  }
  for (const [, statement] of inputs.said('KeyGenVerdict', '')) {
    const verdict = parseContent('KeyGenVerdict', statement.content);
    if (!verdict.ok || !('aborted' in verdict.content)) continue;
    // The proof travels beside the abort, as a message of its own, and may be the slower one.
    // Shown to all: whoever heard the same participant confirm has the proof that it says both.
    if (!PROVABLE.has(verdict.content.aborted))
      return fail(state, member, { reason: 'Aborted', culprits: [], unresponsive: [] }, [statement]);
    const until = Math.min(now + PROOF_GRACE_SECONDS, state.parameters.expiresAt);
    return changed<KeygenState>({ ...state, doomed: { reason: verdict.content.aborted, until } }, until);
  }
  return undefined;
}

/** Stage 1: everybody's sealing key of this ceremony, and the hash of the commitment statement to come. */
function collectPublicKeys(
  state: AwaitingPublicKeys,
  inputs: Inputs,
  secrets: ReadonlyMap<SecretName, Secret>,
  member: Member,
): Step {
  const said = inputs.said('EncryptedPublicKey', '');
  if (!complete(state.parameters, said)) return UNCHANGED;
  const polynomial = secrets.get('POLYNOMIAL');
  if (!polynomial) return lostSecrets(state, member);

  const culprits: Culprit[] = [];
  const sealingKeys: Record<number, Hex> = {};
  const keys: Hex[] = [];
  const publicKeyHashes: Hex[] = [];
  const commitmentHashes: Hex[] = [];
  for (const [index, statement] of inOrder(state.parameters, said)) {
    const parsed = parseContent('EncryptedPublicKey', statement.content);
    // Parameters that give another id are a lie about what is being agreed to: the id is the hash of all of them.
    if (!parsed.ok || ceremonyId(parsed.content.parameters) !== state.ceremony) {
      culprits.push(accuse(member, index, 'InvalidCommitment', [statement]));
      continue;
    }
    sealingKeys[index] = parsed.content.sealingKey;
    keys.push(parsed.content.sealingKey);
    publicKeyHashes.push(statementHash(statement));
    commitmentHashes.push(parsed.content.commitmentHash);
  }
  if (culprits.length > 0) return fail(state, member, { reason: 'InvalidCommitment', culprits, unresponsive: [] });

  const { statement } = decodePolynomial(polynomial.bytes);
  const next: AwaitingCommitments = {
    ...state,
    stage: 'AwaitingCommitments',
    sealingKeys: keys,
    publicKeyHashes,
    commitmentHashes,
  };
  return changed<KeygenState>(next, state.parameters.expiresAt, {
    outbox: [
      {
        stage: 'EncryptedKeyGenCommitment',
        statement,
        recipients: others(state.parameters, member),
        sealTo: sealingKeys,
      },
    ],
    own: [statement],
  });
}

/** Stage 2: everybody's commitments. Each statement must be the announced one; all dealings are judged together. */
function collectCommitments(
  state: AwaitingCommitments,
  inputs: Inputs,
  secrets: ReadonlyMap<SecretName, Secret>,
  member: Member,
  random: RandomBytes,
): Step {
  const { parameters } = state;
  const said = inputs.said('EncryptedKeyGenCommitment', '');
  if (!complete(parameters, said)) return UNCHANGED;
  const polynomial = secrets.get('POLYNOMIAL');
  if (!polynomial) return lostSecrets(state, member);
  const scheme = schemeOf(parameters.suite);

  const bad = new Set<number>();
  const dealings: Dealt[] = [];
  for (const [position, [index, statement]] of inOrder(parameters, said).entries()) {
    const commitment = announcedCommitment(statement, state.commitmentHashes[position]);
    if (commitment) dealings.push({ index, commitment });
    else bad.add(index);
  }
  const judged = scheme.judge(roundOf(state), dealings, random);
  if (!judged.ok) for (const index of judged.culprits) bad.add(index);
  if (bad.size > 0) {
    const announcements = inputs.said('EncryptedPublicKey', '');
    if (announcements.size === 0)
      return { kind: 'needs', statements: [{ type: 'EncryptedPublicKey', slotPrefix: '' }] };
    const culprits = ascending(bad).map((index) =>
      accuse(member, index, 'InvalidCommitment', exhibits(index, said, announcements)),
    );
    return fail(state, member, { reason: 'InvalidCommitment', culprits, unresponsive: [] });
  }
  // Dealers who together give no key, each of them blameless alone.
  if (!judged.ok) return fail(state, member, { reason: 'Aborted', culprits: [], unresponsive: [] });

  const { coefficients } = decodePolynomial(polynomial.bytes);
  const outbox: Outgoing[] = others(parameters, member).map((to) => {
    const content = contentText('EncryptedKeyShare', scheme.shareFor(coefficients, to));
    const statement = member.say('EncryptedKeyShare', state.ceremony, '', to, content);
    return { stage: 'EncryptedKeyShare', statement, recipients: [to], sealTo: keysByIndex(state) };
  });
  const next: AwaitingShares = { ...state, stage: 'AwaitingShares', columns: judged.columns };
  return changed<KeygenState>(next, parameters.expiresAt, { outbox });
}

/** Stage 3: one share from each. Their sum is checked against the column sums; only if that fails is each dealer checked. */
function collectShares(
  state: AwaitingShares,
  inputs: Inputs,
  secrets: ReadonlyMap<SecretName, Secret>,
  member: Member,
): Step {
  const { parameters } = state;
  const peers = others(parameters, member);
  const said = inputs.said('EncryptedKeyShare', '');
  if (!peers.every((index) => said.has(index))) return UNCHANGED;
  const polynomial = secrets.get('POLYNOMIAL');
  if (!polynomial) return lostSecrets(state, member);
  const scheme = schemeOf(parameters.suite);

  const { coefficients } = decodePolynomial(polynomial.bytes);
  const shares = new Map<number, Share>([[member.self, scheme.shareFor(coefficients, member.self)]]);
  for (const index of peers) {
    const parsed = parseContent('EncryptedKeyShare', said.get(index)?.content ?? '');
    if (parsed.ok) shares.set(index, parsed.content);
  }
  const total =
    shares.size === parameters.signers.length
      ? scheme.combine(member.self, state.columns, [...shares.values()])
      : undefined;
  if (!total) {
    const dealt = inputs.said('EncryptedKeyGenCommitment', '');
    const announcements = inputs.said('EncryptedPublicKey', '');
    if (dealt.size === 0 || announcements.size === 0) {
      return {
        kind: 'needs',
        statements: [
          { type: 'EncryptedKeyGenCommitment', slotPrefix: '' },
          { type: 'EncryptedPublicKey', slotPrefix: '' },
        ],
      };
    }
    const bad = peers.filter((index) => {
      const share = shares.get(index);
      const commitment = commitmentIn(dealt.get(index));
      return !share || !commitment || !scheme.liesOn(member.self, commitment, share);
    });
    const culprits = bad.map((index) =>
      accuse(member, index, 'InvalidShare', exhibits(index, said, dealt, announcements)),
    );
    return fail(state, member, { reason: 'InvalidShare', culprits, unresponsive: [] });
  }

  const key = scheme.keyOf(roundOf(state), state.columns);
  const content = {
    parameters,
    publicKeyHashes: [...state.publicKeyHashes],
    commitmentHashes: [...state.commitmentHashes],
    ...key,
  } as TranscriptContent;
  const transcript = transcriptHash(content);
  const id = keyId(state.ceremony, transcript);
  const verdict = member.say(
    'KeyGenVerdict',
    state.ceremony,
    '',
    0,
    contentText('KeyGenVerdict', { confirmed: transcript }),
  );
  const next: AwaitingVerdicts = {
    kind: 'keygen',
    ceremony: state.ceremony,
    parameters,
    stage: 'AwaitingVerdicts',
    keyId: id,
    transcript,
    content,
  };
  // One transaction: the share is stored before the confirmation can leave. From here on it is never deleted by anything but `Abandon`.
  return changed<KeygenState>(next, parameters.expiresAt, {
    outbox: [{ stage: 'KeyGenVerdict', statement: verdict, recipients: peers }],
    own: [verdict],
    keys: [{ kind: 'store', keyId: id, share: scheme.storedShare(key, total), content }],
  });
}

/** Stage 4: a confirmation from each, of one transcript; or a certificate, which is the same from anyone. */
function collectVerdicts(state: AwaitingVerdicts, inputs: Inputs, now: number, member: Member): Step {
  const certificate = receivedCertificate(state, inputs, member) ?? assembledCertificate(state, inputs, member);
  if (certificate) return succeed(state, certificate, member);

  const comparison = needsComparison(inputs);
  if (comparison) return comparison;
  const verdicts = inputs.said('KeyGenVerdict', '');
  const disagreeing = others(state.parameters, member).filter((index) => {
    const said = verdicts.get(index);
    return said !== undefined && said.content !== contentText('KeyGenVerdict', { confirmed: state.transcript });
  });
  const culprits = proven(inputs, member);
  if (culprits.length > 0)
    return unresolved(state, inputs, now, member, { reason: firstReason(culprits), culprits, unresponsive: [] });
  if (disagreeing.length > 0)
    return unresolved(state, inputs, now, member, { reason: 'Aborted', culprits: [], unresponsive: [] });
  if (now >= state.parameters.expiresAt) {
    const unresponsive = others(state.parameters, member).filter((index) => !verdicts.has(index));
    return unresolved(state, inputs, now, member, { reason: 'Timeout', culprits: [], unresponsive });
  }
  return UNCHANGED;
}

/** The share is kept: others may hold the certificate. The own confirmation is repeated; whoever has succeeded answers with it. */
function awaitCertificate(state: Unresolved, inputs: Inputs, now: number, member: Member): Step {
  const certificate = receivedCertificate(state, inputs, member) ?? assembledCertificate(state, inputs, member);
  if (certificate) return succeed(state, certificate, member);
  const comparison = needsComparison(inputs);
  if (comparison) return comparison;
  const known = new Set(state.culprits.map((blame) => blame.index));
  const news = proven(inputs, member).filter((culprit) => !known.has(culprit.index));
  if (news.length > 0) {
    const culprits = [...state.culprits, ...blameOf(news)].sort((a, b) => a.index - b.index);
    const failure: Failure = { reason: firstReason(culprits), culprits, unresponsive: state.unresponsive };
    return changed<KeygenState>({ ...state, ...failure }, state.repeatAt, {
      evidence: news,
      events: [outcome(state, member, { result: 'unresolved', final: false, ...failure })],
    });
  }
  if (now < state.repeatAt) return UNCHANGED;
  const repeats = state.repeats + 1;
  const repeatAt = now + Math.min(REPEAT_SECONDS * 2 ** repeats, REPEAT_LIMIT_SECONDS);
  const verdict = member.say(
    'KeyGenVerdict',
    state.ceremony,
    '',
    0,
    contentText('KeyGenVerdict', { confirmed: state.transcript }),
  );
  return changed<KeygenState>({ ...state, repeats, repeatAt }, repeatAt, {
    outbox: [{ stage: `KeyGenVerdict#${repeats}`, statement: verdict, recipients: others(state.parameters, member) }],
  });
}

// ------------------------------------------------------------------------------------------------ the ways to end

function succeed(state: AwaitingVerdicts | Unresolved, certificate: Certificate, member: Member): Step {
  const { kind, ceremony, parameters, keyId: id, transcript, content } = state;
  const next: Succeeded = { kind, ceremony, parameters, stage: 'Succeeded', keyId: id, transcript, content };
  const statement = member.say('KeyGenCertificate', ceremony, '', 0, contentText('KeyGenCertificate', { certificate }));
  return changed<KeygenState>(next, undefined, {
    outbox: [{ stage: 'KeyGenCertificate', statement, recipients: others(parameters, member) }],
    secrets: forgetAll(),
    keys: [{ kind: 'certify', keyId: id, certificate }],
    events: [outcome(next, member, { result: 'succeeded', final: true, culprits: [], unresponsive: [] })],
  });
}

/** Before the own confirmation: the polynomial dies, and everybody hears why. */
function fail(state: Unconfirmed, member: Member, failure: Proven, shown: readonly Statement[] = []): Step {
  const { kind, ceremony, parameters } = state;
  const verdict = member.say(
    'KeyGenVerdict',
    ceremony,
    '',
    0,
    contentText('KeyGenVerdict', { aborted: failure.reason }),
  );
  const recipients = others(parameters, member);
  return changed<KeygenState>({ kind, ceremony, parameters, stage: 'Failed', ...remembered(failure) }, undefined, {
    outbox: [
      ...exhibitMessages(ceremony, member, recipients, [
        ...failure.culprits.flatMap((culprit) => culprit.evidence.statements),
        ...shown,
      ]),
      { stage: 'KeyGenVerdict', statement: verdict, recipients },
    ],
    own: [verdict],
    secrets: forgetAll(),
    evidence: failure.culprits,
    events: [outcome({ ceremony, parameters }, member, { result: 'failed', final: true, ...failure })],
  });
}

/** After the own confirmation: provisional. Exhibits go out so that whoever holds the other half of a contradiction has the proof. */
function unresolved(state: AwaitingVerdicts, inputs: Inputs, now: number, member: Member, failure: Proven): Step {
  const announcements = inputs.said('EncryptedPublicKey', '');
  const differ = failure.reason === 'Aborted';
  if (differ && announcements.size === 0)
    return { kind: 'needs', statements: [{ type: 'EncryptedPublicKey', slotPrefix: '' }] };
  // Equal key statements announce equal commitment statements, so a difference of transcripts shows in these; and a verdict that was another elsewhere, in those.
  const verdicts = inputs.said('KeyGenVerdict', '').values();
  const shown = differ
    ? [...announcements.values(), ...verdicts]
    : failure.culprits.flatMap((c) => c.evidence.statements);
  const repeatAt = now + REPEAT_SECONDS;
  return changed<KeygenState>(
    { ...state, stage: 'Unresolved', ...remembered(failure), repeats: 0, repeatAt },
    repeatAt,
    {
      outbox: exhibitMessages(state.ceremony, member, others(state.parameters, member), shown),
      evidence: failure.culprits,
      events: [outcome(state, member, { result: 'unresolved', final: false, ...failure })],
    },
  );
}

/** The polynomial is gone or cannot be opened (another `Nonces` table than the ceremony began with): nothing is made anew under an old id. */
function lostSecrets(state: Unconfirmed, member: Member): Step {
  return fail(state, member, { reason: 'Aborted', culprits: [], unresponsive: [] });
}

/** The operator's `Abandon`: an unresolved key is hidden, never deleted; an unconfirmed ceremony fails. */
export function abandon(state: KeygenState, member: Member): Step {
  switch (state.stage) {
    case 'AwaitingPublicKeys':
    case 'AwaitingCommitments':
    case 'AwaitingShares':
      return fail(state, member, { reason: 'Aborted', culprits: [], unresponsive: [] });
    case 'AwaitingVerdicts':
    case 'Unresolved': {
      const failure: Failure =
        state.stage === 'Unresolved'
          ? { reason: state.reason, culprits: state.culprits, unresponsive: state.unresponsive }
          : { reason: 'Aborted', culprits: [], unresponsive: [] };
      const { kind, ceremony, parameters } = state;
      return changed<KeygenState>({ kind, ceremony, parameters, stage: 'Failed', ...failure }, undefined, {
        secrets: forgetAll(),
        keys: [{ kind: 'hide', keyId: state.keyId }],
        events: [outcome(state, member, { result: 'failed', final: true, ...failure })],
      });
    }
    case 'Succeeded':
    case 'Failed':
      return UNCHANGED;
  }
}

/** The answer of a node that has succeeded to a peer that repeats its confirmation; the certificate proves itself. */
export function certificateFor(state: Succeeded, certificate: Certificate, peer: number, member: Member): Outgoing {
  const slot = `to-${peer}`;
  const statement = member.say(
    'KeyGenCertificate',
    state.ceremony,
    slot,
    peer,
    contentText('KeyGenCertificate', { certificate }),
  );
  return { stage: `KeyGenCertificate#${peer}`, statement, recipients: [peer] };
}

// ------------------------------------------------------------------------------------------------ parts

/** A failure whose culprits still carry their proofs. */
type Proven = Omit<Failure, 'culprits'> & { readonly culprits: readonly Culprit[] };

function remembered(failure: Proven): Failure {
  return { ...failure, culprits: blameOf(failure.culprits) };
}

interface Polynomial {
  /** t scalars of 32 bytes, constant term first. */
  readonly coefficients: Uint8Array;
  readonly statement: Statement;
}

/** The polynomial and the exact statement made from it lie in one row, so that no retry can ever commit to another. */
function encodePolynomial({ coefficients, statement }: Polynomial): Uint8Array {
  return concat(lp(coefficients), lp(utf8(JSON.stringify(statement))));
}

function decodePolynomial(row: Uint8Array): Polynomial {
  const length = new DataView(row.buffer, row.byteOffset).getUint32(0);
  const text = new TextDecoder().decode(row.subarray(8 + length));
  // The row was written by `begin` and authenticated when it was opened.
  return { coefficients: row.subarray(4, 4 + length), statement: JSON.parse(text) as Statement };
}

/** What a commitment statement says, if it is the announced one. */
function announcedCommitment(statement: Statement, announced: Hex | undefined): Commitment | undefined {
  return statementHash(statement) === announced ? commitmentIn(statement) : undefined;
}

function commitmentIn(statement: Statement | undefined): Commitment | undefined {
  const parsed = parseContent('EncryptedKeyGenCommitment', statement?.content ?? '');
  return parsed.ok ? parsed.content : undefined;
}

function roundOf({ ceremony, parameters: { t, signers } }: AwaitingCommitments | AwaitingShares): Round {
  return { ceremony, t, signers };
}

/** A certificate that anybody sent and that is of the transcript confirmed here. */
function receivedCertificate(
  state: AwaitingVerdicts | Unresolved,
  inputs: Inputs,
  member: Member,
): Certificate | undefined {
  for (const slot of inputs.slots('KeyGenCertificate')) {
    for (const [, statement] of inputs.said('KeyGenCertificate', slot)) {
      const parsed = parseContent('KeyGenCertificate', statement.content);
      if (!parsed.ok) continue;
      const verified = verifyCertificate(member.committee, parsed.content.certificate);
      if (verified.ok && verified.keyId === state.keyId) return parsed.content.certificate;
    }
  }
  return undefined;
}

function assembledCertificate(
  state: AwaitingVerdicts | Unresolved,
  inputs: Inputs,
  member: Member,
): Certificate | undefined {
  const text = contentText('KeyGenVerdict', { confirmed: state.transcript });
  // The own one is said anew, the same bytes: its row may be older than TTL keeps.
  const own = member.say('KeyGenVerdict', state.ceremony, '', 0, text);
  const verdicts = new Map([...inputs.said('KeyGenVerdict', ''), [member.self, own]]);
  const signatures: Hex[] = [];
  for (const index of state.parameters.signers) {
    const verdict = verdicts.get(index);
    if (verdict?.content !== text) return undefined;
    signatures.push(verdict.signature);
  }
  return { ...state.content, signatures } as Certificate;
}

/** An exhibit says something only beside what the same participant said here. (The own statement is always recorded, so none means: not loaded.) */
function needsComparison(inputs: Inputs): Step | undefined {
  if (inputs.slots('KeyGenEvidence').length === 0 || inputs.said('EncryptedPublicKey', '').size > 0) return undefined;
  return { kind: 'needs', statements: [{ type: 'EncryptedPublicKey', slotPrefix: '' }] };
}

/** Everybody whom what is held here convicts: stored contradictions, and exhibits of peers (which prove what they prove, whoever sent them). */
function proven(inputs: Inputs, member: Member): readonly Culprit[] {
  const found = new Map<number, Culprit>();
  const exhibited: Statement[] = [];
  for (const slot of inputs.slots('KeyGenEvidence')) {
    for (const [, statement] of inputs.said('KeyGenEvidence', slot)) {
      const parsed = parseContent('KeyGenEvidence', statement.content);
      if (parsed.ok) exhibited.push(...parsed.content.statements);
    }
  }
  const held = [
    ...inputs.said('EncryptedPublicKey', '').values(),
    ...inputs.said('EncryptedKeyGenCommitment', '').values(),
    ...inputs.said('KeyGenVerdict', '').values(),
  ];
  const evidence = [
    ...inputs.evidence,
    ...(exhibited.length > 0 ? findEvidence(member.committee, exhibited, held) : []),
  ];
  for (const { culprit, proof } of evidence.flatMap((proof) => culpritsOf(member, proof))) {
    if (!found.has(culprit)) found.set(culprit, { index: culprit, reason: proof.reason, evidence: proof });
  }
  return [...found.values()].sort((a, b) => a.index - b.index);
}

function culpritsOf(member: Member, proof: Evidence): { culprit: number; proof: Evidence }[] {
  const from = proof.statements[0]?.from;
  return from === undefined || from === member.self ? [] : [{ culprit: from, proof }];
}

/** @returns an accusation; by convention the first statement of evidence is the culprit's */
function accuse(member: Member, index: number, reason: Evidence['reason'], statements: readonly Statement[]): Culprit {
  return { index, reason, evidence: { v: 1, reason, committee: member.committee.id, statements: [...statements] } };
}

function exhibits(index: number, ...sources: readonly BySender[]): Statement[] {
  return sources.flatMap((source) => source.get(index) ?? []);
}

function exhibitMessages(
  ceremony: Hex,
  member: Member,
  recipients: readonly number[],
  shown: readonly Statement[],
): Outgoing[] {
  return packed(shown).map((statements, i) => ({
    stage: `KeyGenEvidence#${i}`,
    statement: member.say('KeyGenEvidence', ceremony, `${i}`, 0, contentText('KeyGenEvidence', { statements })),
    recipients,
  }));
}

/**
 * As many statements in one message as a body carries, and in all as a transaction does. One that fills a body alone was blown up by its sender and is left out, and so are
 * the largest of too many: what no queue or no table takes would keep the verdict behind it from ever leaving.
 */
function packed(statements: readonly Statement[]): Statement[][] {
  const messages: Statement[][] = [];
  let size = Number.POSITIVE_INFINITY;
  let all = 0;
  const distinct = [...new Map(statements.map((each) => [statementHash(each), each])).values()];
  const sized = distinct.map((statement) => ({ statement, bytes: exhibitBytes(statement) }));
  for (const { statement, bytes } of sized.sort((a, b) => a.bytes - b.bytes)) {
    all += bytes;
    if (bytes > EXHIBIT_BYTES || all > EXHIBITS_BYTES) break;
    const last = messages.at(-1);
    if (last && last.length < EXHIBIT_STATEMENTS && size + bytes <= EXHIBIT_BYTES) {
      last.push(statement);
      size += bytes;
    } else {
      messages.push([statement]);
      size = bytes;
    }
  }
  return messages;
}

/** In a body: the statement's text inside a content's text. */
function exhibitBytes(statement: Statement): number {
  return utf8(JSON.stringify(JSON.stringify(statement))).length;
}

interface OutcomeFields {
  readonly result: 'succeeded' | 'failed' | 'unresolved';
  readonly final: boolean;
  readonly reason?: FailureReason;
  readonly culprits: readonly Blame[];
  readonly unresponsive: readonly number[];
}

function outcome(
  state: { ceremony: Hex; parameters: KeygenParameters; keyId?: Hex; content?: TranscriptContent },
  member: Member,
  fields: OutcomeFields,
): MultisigEvent {
  const key =
    fields.result === 'failed' || !state.content || !state.keyId
      ? {}
      : { keyId: state.keyId, ...schemeOf(state.parameters.suite).announced(state.content) };
  return keygenOutcome({
    operator: member.self,
    coin: member.coin,
    ceremony: state.ceremony,
    ...key,
    ...fields,
    culprits: [...fields.culprits],
    unresponsive: [...fields.unresponsive],
  });
}

function others(parameters: KeygenParameters, member: Member): readonly number[] {
  return parameters.signers.filter((index) => index !== member.self);
}

function complete(parameters: KeygenParameters, said: BySender): boolean {
  return parameters.signers.every((index) => said.has(index));
}

function inOrder(parameters: KeygenParameters, said: BySender): [number, Statement][] {
  return parameters.signers.flatMap((index) => {
    const statement = said.get(index);
    return statement ? [[index, statement] satisfies [number, Statement]] : [];
  });
}

/** Who has not spoken in this stage. */
function expected(state: Unconfirmed, inputs: Inputs, member: Member): readonly number[] {
  const type = (
    {
      AwaitingPublicKeys: 'EncryptedPublicKey',
      AwaitingCommitments: 'EncryptedKeyGenCommitment',
      AwaitingShares: 'EncryptedKeyShare',
    } as const
  )[state.stage];
  const said = inputs.said(type, '');
  return others(state.parameters, member).filter((index) => !said.has(index));
}

function keysByIndex(state: AwaitingCommitments): Record<number, Hex> {
  return Object.fromEntries(
    state.parameters.signers.map((index, position) => [index, state.sealingKeys[position]]),
  ) as Record<number, Hex>;
}

function firstReason(culprits: readonly Blame[]): FailureReason {
  return culprits[0]?.reason ?? 'Aborted';
}

function forgetAll(): Transition<KeygenState>['secrets'] {
  return [
    { kind: 'forget', name: 'POLYNOMIAL' },
    { kind: 'forget', name: 'SEALKEY' },
  ];
}

function ascending(indexes: ReadonlySet<number>): number[] {
  return [...indexes].sort((a, b) => a - b);
}
