/** From the rows of one ceremony to what people look at. Pure: the same rows give the same view. */

import { verifyEvidence } from '../evidence/verify.ts';
import { schemeOf } from '../keygen/scheme.ts';
import type { KeygenState } from '../keygen/state.ts';
import type { Committee } from '../messages/committee.ts';
import type { Hex } from '../messages/hex.ts';
import type { StatementType } from '../messages/statement.ts';
import type { CeremonyState } from '../node/load.ts';
import type { SigningState } from '../signing/state.ts';
import { leaderOf } from '../signing/step.ts';
import { type CeremonyRows, KEYGEN_TYPES, type Said, SIGNING_TYPES, type StateRow } from './ceremony-rows.ts';
import type { CeremonySummary, CeremonyView } from './ceremony-view.ts';
import { evidenceSentence } from './evidence-words.ts';

/** For whom and when a view is made. */
export interface Beholder {
  readonly committee: Committee;
  /** The operator's index in the committee file. */
  readonly self: number;
  /** Seconds UTC by the clock of the place where the rows lie. */
  readonly now: number;
}

type Round = CeremonyView['rounds'][number];
type Outcome = NonNullable<CeremonyView['outcome']>;

export function summaryOf({ state, at }: StateRow, beholder: Beholder): CeremonySummary {
  const { parameters, ceremony, kind, stage } = state;
  const { coin, t, signers, requestId, expiresAt } = parameters;
  const keyId = keyIdOf(state);
  return {
    ceremony,
    kind,
    coin,
    stage,
    authorised: isAuthorised(state),
    open: isOpen(state),
    t,
    signers: [...signers],
    ...(keyId === undefined ? {} : { keyId }),
    ...(parameters.kind === 'signing' ? { purpose: parameters.purpose } : {}),
    requestId,
    expiresAt,
    ...(at === undefined ? {} : { updatedAt: at }),
    sentence: sentenceOf(state, beholder),
  };
}

export function viewCeremony(rows: CeremonyRows, beholder: Beholder): CeremonyView {
  const { committee, self, now } = beholder;
  const { state } = rows.state;
  const { parameters } = state;
  const operator = (index: number) => ({ index, identity: identityIn(committee, index) });
  const rounds = state.kind === 'keygen' ? keygenRounds(rows, state, beholder) : signingRounds(rows, state, beholder);
  const times = [...rows.heard, ...rows.sent].flatMap(({ at }) => (at === undefined ? [] : [at]));
  const outcome = outcomeOf(state);
  const culprits = culpritsOf(rows, beholder);
  const todo = todoOf(state, culprits, beholder);
  return {
    v: 1,
    ...summaryOf(rows.state, beholder),
    seenBy: operator(self),
    readAt: now,
    suite: parameters.suite,
    ...(parameters.kind === 'signing' ? { messages: [...parameters.messages] } : {}),
    ...(times.length === 0 ? {} : { startedAt: Math.min(...times) }),
    leaders:
      state.kind === 'signing' ? leadersOf(state).map(({ k, index, asked }) => ({ k, ...operator(index), asked })) : [],
    rounds,
    statements: statementsOf(rows, beholder),
    ...(outcome ? { outcome } : {}),
    culprits,
    unresponsive: unresponsiveOf(state).map(operator),
    ...(todo === undefined ? {} : { todo }),
  };
}

/** Names the operator even if the file does not (a key of an earlier committee file). */
export function identityIn(committee: Committee, index: number): string {
  return committee.operator(index)?.identity ?? 'unknown';
}

export function isOpen({ stage }: CeremonyState): boolean {
  return stage !== 'Succeeded' && stage !== 'Failed' && stage !== 'Unresolved';
}

function isAuthorised(state: CeremonyState): boolean {
  if (state.kind === 'keygen') return true;
  return 'authorised' in state ? state.authorised : state.stage === 'Signing';
}

function keyIdOf(state: CeremonyState): Hex | undefined {
  if (state.parameters.kind === 'signing') return state.parameters.keyId;
  return 'keyId' in state ? state.keyId : undefined;
}

export function unresponsiveOf(state: CeremonyState): readonly number[] {
  return 'unresponsive' in state ? state.unresponsive : [];
}

// ------------------------------------------------------------------------------------------------ rounds

interface Expectation {
  readonly type: StatementType;
  /** How many make the round complete. */
  readonly needed: number;
  /** From whom such a statement is expected. */
  readonly from: readonly number[];
}

function keygenRounds(rows: CeremonyRows, state: KeygenState, beholder: Beholder): Round[] {
  const { signers } = state.parameters;
  const rounds: Expectation[] = KEYGEN_TYPES.slice(0, 4).map((type) => ({
    type,
    needed: signers.length,
    from: signers,
  }));
  // A certificate from anyone ends what verdicts would have ended.
  const certified = state.stage === 'Succeeded';
  return roundsOf(
    rows,
    rounds.map((each) => (each.type === 'KeyGenVerdict' && certified ? { ...each, needed: 0, from: [] } : each)),
    beholder,
  );
}

function signingRounds(rows: CeremonyRows, state: SigningState, beholder: Beholder): Round[] {
  const { leading, parameters, offers } = state;
  const { self } = beholder;
  const asked = leadersOf(state).filter((leader) => leader.asked);
  const sessions = leading?.sessions.filter(({ status }) => status === 'open') ?? [];
  // Commitments and shares go to the leader alone: whoever does not lead, or whose turn has not come, sees only its own.
  const turn =
    leading !== undefined &&
    (offers.some(({ k }) => k === leading.k) ||
      rows.heard.some(({ type, from }) => type === 'NonceCommitment' && from !== self));
  const authorised = isAuthorised(state) && offers.length > 0;
  const own = authorised ? [self] : [];
  const answered = offers.some((offer) => offer.answered.length > 0);
  const sharers =
    sessions.length > 0 ? [...new Set(sessions.flatMap(({ signers }) => signers))] : answered ? [self] : [];
  return roundsOf(
    rows,
    [
      {
        type: 'NonceCommitment',
        needed: turn ? parameters.t : own.length,
        from: turn ? parameters.signers : own,
      },
      { type: 'SigningPackage', needed: asked.length > 0 ? 1 : 0, from: asked.map(({ index }) => index) },
      { type: 'SignatureShare', needed: sessions.length > 0 ? parameters.t : sharers.length, from: sharers },
      { type: 'Signature', needed: 0, from: [] },
    ],
    beholder,
  );
}

function roundsOf(rows: CeremonyRows, expected: readonly Expectation[], { committee, self }: Beholder): Round[] {
  const { state } = rows.state;
  const open = isOpen(state) || state.stage === 'Unresolved';
  let earlierIncomplete = false;
  return expected.map(({ type, needed, from }): Round => {
    const arrivals = arrivalsOf(rows, type, self);
    const missing = from.filter((index) => !arrivals.has(index));
    const times = [...arrivals.values()].flatMap((at) => (at === undefined ? [] : [at]));
    const complete = arrivals.size >= needed && (type !== 'Signature' || state.stage === 'Succeeded');
    const status = complete
      ? 'complete'
      : !open
        ? 'cut'
        : earlierIncomplete && arrivals.size === 0
          ? 'ahead'
          : 'waiting';
    earlierIncomplete ||= !complete;
    return {
      type,
      status,
      ...(times.length === 0 ? {} : { firstAt: Math.min(...times), lastAt: Math.max(...times) }),
      arrivals: [...arrivals]
        .sort(([a], [b]) => a - b)
        .map(([index, at]) => ({ index, identity: identityIn(committee, index), ...(at === undefined ? {} : { at }) })),
      missing: missing.map((index) => ({ index, identity: identityIn(committee, index) })),
    };
  });
}

/** Senders of a type, with the time of the first statement of each; the own voice is in the outbox. */
function arrivalsOf({ heard, sent }: CeremonyRows, type: StatementType, self: number): Map<number, number | undefined> {
  const arrivals = new Map<number, number | undefined>();
  const said = [...heard, ...sent.filter(({ from }) => from === self)].filter((each) => each.type === type);
  for (const { from, at } of said) {
    const before = arrivals.get(from);
    arrivals.set(from, before === undefined || (at !== undefined && at < before) ? (at ?? before) : before);
  }
  return arrivals;
}

function leadersOf(state: SigningState): readonly { k: number; index: number; asked: boolean }[] {
  const { parameters, ceremony, offers } = state;
  return Array.from({ length: parameters.signers.length - parameters.t + 1 }, (_, k) => ({
    k,
    index: leaderOf(parameters, ceremony, k),
    asked: offers.some((offer) => offer.k === k),
  }));
}

// ------------------------------------------------------------------------------------------------ statements

function statementsOf(rows: CeremonyRows, { committee, self }: Beholder): CeremonyView['statements'] {
  const order: readonly StatementType[] = [...KEYGEN_TYPES, ...SIGNING_TYPES];
  const others = committee.signersOf(rows.state.state.parameters.coin).filter((index) => index !== self);
  const out = new Map<string, Said & { readonly readers: number[] }>();
  for (const each of rows.sent) {
    const place = `${each.type}#${each.slot}#${each.sealed ? '' : each.to}`;
    const known = out.get(place);
    const readers = each.to === 0 ? others : [each.to];
    if (known) known.readers.push(...readers);
    else out.set(place, { ...each, readers: [...readers] });
  }
  const heard = rows.heard.map((each) => ({
    ...each,
    direction: each.from === self ? ('own' as const) : ('in' as const),
    readers: each.from === self ? [] : [self],
  }));
  const sent = [...out.values()].map((each) => ({ ...each, direction: 'out' as const }));
  return [...heard, ...sent]
    .sort(
      (a, b) =>
        (a.at ?? 0) - (b.at ?? 0) ||
        order.indexOf(a.type) - order.indexOf(b.type) ||
        a.from - b.from ||
        compare(a.slot, b.slot),
    )
    .map(({ direction, type, slot, from, readers, sealed, at }) => ({
      direction,
      type,
      slot,
      from,
      to: [...new Set(readers)].sort((a, b) => a - b),
      sealed,
      ...(at === undefined ? {} : { at }),
    }));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

// ------------------------------------------------------------------------------------------------ ends

function outcomeOf(state: CeremonyState): Outcome | undefined {
  if (state.kind === 'keygen') {
    switch (state.stage) {
      case 'Succeeded':
        return {
          result: 'succeeded',
          final: true,
          keyId: state.keyId,
          ...schemeOf(state.parameters.suite).announced(state.content),
        };
      case 'Failed':
        return { result: 'failed', final: true, reason: state.reason };
      case 'Unresolved':
        return { result: 'unresolved', final: false, reason: state.reason, keyId: state.keyId };
      default:
        return undefined;
    }
  }
  const { keyId } = state.parameters;
  switch (state.stage) {
    case 'Succeeded':
      return {
        result: 'succeeded',
        final: true,
        keyId,
        signatures: [...state.signatures],
        sharesReleased: state.sharesReleased,
      };
    case 'Failed':
      return {
        result: 'failed',
        final: true,
        keyId,
        reason: state.reason,
        sharesReleased: state.sharesReleased,
        ...(state.late ? { signatures: [...state.late], late: true } : {}),
      };
    default:
      return undefined;
  }
}

/** Every name that the state or a stored proof blames; the proof is judged here, as a stranger would. */
function culpritsOf({ state: { state }, evidence }: CeremonyRows, { committee }: Beholder): CeremonyView['culprits'] {
  const blamed = new Map<number, CeremonyView['culprits'][number]>();
  for (const { index, reason } of 'culprits' in state ? state.culprits : []) {
    const sentence = `Operator ${index} (${identityIn(committee, index)}) is blamed for ${reason}; the proof is not stored here.`;
    blamed.set(index, { index, identity: identityIn(committee, index), reason, proof: false, sentence });
  }
  for (const { evidence: shown } of evidence) {
    const judged = verifyEvidence(committee, shown);
    if (!judged.guilty) continue;
    const { culprit: index, reason } = judged;
    const sentence = evidenceSentence(committee, judged);
    blamed.set(index, { index, identity: identityIn(committee, index), reason, proof: true, sentence });
  }
  return [...blamed.values()].sort((a, b) => a.index - b.index);
}

function sentenceOf(state: CeremonyState, { committee, now }: Beholder): string {
  const { parameters, stage } = state;
  const { coin, expiresAt } = parameters;
  const what = parameters.kind === 'keygen' ? `key generation for ${coin}` : `signing for ${coin}`;
  const silent = unresponsiveOf(state);
  const unheard = silent.length > 0 ? `; not heard: ${namesOf(committee, silent)}` : '';
  const left = expiresAt > now ? `${expiresAt - now} s left` : 'past its expiry';
  switch (stage) {
    case 'Succeeded':
      return `${what} succeeded`;
    case 'Failed':
      return `${what} failed: ${state.reason}${unheard}`;
    case 'Unresolved':
      return `${what} is unresolved: ${state.reason} after this operator had confirmed${unheard}`;
    case 'LeadingOnly':
      return `${what}: led for others, not authorised here, ${left}`;
    default:
      return `${what}: ${stage}, ${left}`;
  }
}

/** `operator 2 (bob) and operator 3 (carol)`. */
export function namesOf(committee: Committee, indexes: readonly number[]): string {
  const names = indexes.map((index) => `operator ${index} (${identityIn(committee, index)})`);
  return names.length < 2 ? (names[0] ?? 'nobody') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function todoOf(
  state: CeremonyState,
  judged: CeremonyView['culprits'],
  { committee, now }: Beholder,
): string | undefined {
  const { ceremony, parameters } = state;
  if (isOpen(state) && parameters.expiresAt + 60 < now)
    return 'It is past its expiry and was not ended: send coterie clean-up, and see the runbook (messages-wait).';
  switch (state.stage) {
    case 'LeadingOnly':
      return `If it is meant: coterie approve ${ceremony}.`;
    case 'Unresolved':
      return `Others may hold the certificate: leave it, it goes on asking. Only when every other operator says that it failed: coterie abandon ${ceremony}.`;
    case 'Failed': {
      const { reason, culprits } = state;
      const [first] = culprits;
      if (first) {
        const proven = judged.find(({ proof }) => proof);
        const show = `coterie ceremony show ${ceremony} --evidence ${(proven ?? first).index}`;
        return `${proven ? `Show the proof to the other operators (${show})` : `Ask the other operators for the proof (${show} there)`}, and ask again without ${namesOf(
          committee,
          culprits.map(({ index }) => index),
        )} or after it is replaced.`;
      }
      if (state.kind === 'signing' && state.sharesReleased && !state.late)
        return 'Do not sign anything that contradicts these messages: shares have left, and a signature may still appear.';
      switch (reason) {
        case 'ConfigurationMismatch':
          return 'Operators asked for different things under one request id: compare the instructions word by word, then ask again with a new one.';
        case 'Timeout':
          return `Ask ${namesOf(committee, state.unresponsive)} whether the functions run and the request was approved there, then ask again.`;
        case 'Undecryptable':
          return `What ${namesOf(committee, state.unresponsive)} sealed could not be opened: run coterie start there, then ask again.`;
        default:
          return undefined;
      }
    }
    default:
      return undefined;
  }
}
