/**
 * God's view of a run: told of everything that is sent, stored, logged and done, it checks the invariants of `ceremonies.md` after every step, and those that only
 * hold once all is quiet at the end.
 *
 * It shares no code with the nodes but the formats and the offline judge of evidence, and it never calls a port.
 */

import { evaluateShare } from '../../lib/frost/dkg.ts';
import { type SuiteName, suiteOf } from '../../lib/frost/suite.ts';
import type { Report } from '../../lib/local/committee.ts';
import type { Change } from '../../lib/local/store.ts';
import type { FrostCertificate } from '../../lib/messages/certificate.ts';
import type { Committee } from '../../lib/messages/committee.ts';
import type { MultisigEvent } from '../../lib/messages/events.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import type { SigningParameters } from '../../lib/messages/parameters.ts';
import type { SealedStatement, Statement } from '../../lib/messages/statement.ts';
import { parseQueueName } from '../../lib/messages/topics.ts';
import { evidenceIn } from '../../lib/node/evidence-row.ts';
import { type CeremonyState, decodeState } from '../../lib/node/load.ts';
import type { Item, OutgoingMessage, Table } from '../../lib/ports.ts';
import { Bounds } from './invariants/bounds.ts';
import { Keys, scalarOf } from './invariants/keys.ts';
import { NonceMeetsOnePackage } from './invariants/nonces.ts';
import { Authority, JustBlame, OneOutcome } from './invariants/outcomes.ts';
import { OneStatement } from './invariants/statements.ts';
import { isEnd, Progress } from './invariants/states.ts';
import type { Invariant, Violation } from './invariants/violation.ts';
import type { Keyring } from './keyring.ts';
import { NonceExtractor } from './nonce-extractor.ts';
import type { SecretScan } from './secret-scan.ts';
import type { Tally } from './tally.ts';
import { type Said, Testimony } from './testimony.ts';

export interface AuditorOptions {
  readonly coin: string;
  readonly suite: SuiteName;
  readonly operators: number;
  readonly threshold: number;
  readonly byzantine: ReadonlySet<number>;
  readonly keyring: Keyring;
  readonly tally: Tally;
  /** Absent in runs that are not searched for secrets. */
  readonly scan?: SecretScan | undefined;
  readonly onViolation?: (violation: Violation) => void;
}

/** What a Byzantine operator's tables ever held, opened. */
export interface Loot {
  readonly own: Map<string, Uint8Array>;
  /** By ceremony and name. */
  readonly rows: Map<string, Uint8Array>;
  /** By key id. */
  readonly shares: Map<string, Uint8Array>;
}

interface Place {
  readonly operator: number;
  readonly role: string;
  /** False for a copy of the tables, which is nobody's own. */
  readonly original: boolean;
}

export class Auditor {
  readonly violations: Violation[] = [];
  readonly testimony = new Testimony();
  readonly keys: Keys;
  readonly bounds: Bounds;
  readonly authority: Authority;
  readonly progress: Progress;
  readonly loot = new Map<number, Loot>();
  /** Final outcomes told so far, by operator and ceremony. */
  readonly outcomes = new Map<string, MultisigEvent>();
  readonly #options: AuditorOptions;
  readonly #honest: ReadonlySet<number>;
  readonly #statements: OneStatement;
  readonly #nonces: NonceMeetsOnePackage;
  readonly #once: OneOutcome;
  #blame: JustBlame | undefined;
  readonly #shares = new Map<Hex, Said>();
  readonly #parameters = new Map<Hex, SigningParameters>();
  /** Their `Ceremonies` or `Nonces` were taken back: what they tell their own client may contradict what they told it before. */
  readonly #takenBack = new Set<number>();
  readonly #report = (invariant: Invariant, what: string): void => this.#violated(invariant, what);

  constructor(options: AuditorOptions) {
    this.#options = options;
    const { operators, threshold, byzantine } = options;
    const honest = Array.from({ length: operators }, (_, i) => i + 1).filter((index) => !byzantine.has(index));
    this.#honest = new Set(honest);
    this.keys = new Keys(this.#honest, this.#report);
    this.bounds = new Bounds(this.#report);
    this.progress = new Progress(this.#report);
    this.authority = new Authority(threshold - byzantine.size, this.#report);
    this.#statements = new OneStatement(this.#report);
    this.#nonces = new NonceMeetsOnePackage(this.testimony, this.#report);
    this.#once = new OneOutcome(this.#report);
    for (const operator of byzantine) this.loot.set(operator, { own: new Map(), rows: new Map(), shares: new Map() });
  }

  agreed(committee: Committee): void {
    this.#blame = new JustBlame(committee, this.#options.byzantine, this.#report);
  }

  /** Ceremonies of honest operators, as their tables hold them. */
  states(operator: number): CeremonyState[] {
    return this.progress.all(operator);
  }

  // ---------------------------------------------------------------------------------------------- what happens

  changed({ namespace, table, key, before, after }: Change): void {
    const place = placeOf(namespace);
    if (!place) return;
    if (after) this.#options.scan?.sink(`${table} row ${key.sk} of ${namespace}`, after);
    const loot = this.loot.get(place.operator);
    if (after) this.#opened(place, table, after, loot);
    if (loot || place.role !== this.#options.coin) return;
    if (table === 'Ceremonies') this.#ceremonyRow(place, key.sk, before, after);
    else if (table === 'Keys' && place.original) this.#keyRow(place.operator, key.pk, key.sk, after);
  }

  sent({ queue, body }: OutgoingMessage): void {
    this.#options.scan?.sink(`body on ${queue}`, body);
    const heard = this.testimony.hear(body);
    const at = parseQueueName(queue);
    const operator = at ? operatorOf(at.identity) : 0;
    if (heard.kind === 'event' && this.#honest.has(operator)) this.#told(operator, heard.event);
    if (heard.kind !== 'said') return;
    this.#heard(heard.said);
    // What an honest operator sends goes through its own outbound queue, to which nobody else may send.
    if (at?.message === 'Outbound' && heard.said.statement.from === operator) this.#said(heard.said);
  }

  reported({ operator, role, event, fields }: Report): void {
    this.#options.scan?.sink(`record ${event} of operator ${operator} (${role})`, fields);
    const { tally } = this.#options;
    if (event === 'NonceConflictRefused') tally.add('a race for a nonce lost');
    if (event === 'ReleaseHeld')
      tally.add(`a share held by ${fields['by'] === 'halt' ? 'the halt switch' : 'the policy'}`);
    if (event === 'UnknownOutcome') tally.add('a commit read back after no answer');
    if (event === 'SecretUnreadable') tally.add('a secret of another table left unread');
    if (event === 'CommitRefused') tally.add('something said before not said otherwise');
    if (event === 'EquivocationDetected') tally.add('equivocation stored');
    if (event === 'StepsExhausted') this.#report(11, `operator ${operator} stepped one ceremony without end`);
    if (event === 'StepUnsatisfied') tally.add('a step that found its secret gone');
  }

  failed(error: unknown): void {
    this.#options.scan?.sink('an error that a function ended with', error);
  }

  /** A table was put in the place of another. */
  restored(namespace: string, table: Table, items: readonly Item[]): void {
    const place = placeOf(namespace);
    if (!place || !this.#honest.has(place.operator) || place.role !== this.#options.coin) return;
    const { operator } = place;
    if (table === 'Keys') this.keys.robbed(operator);
    if (table === 'Ceremonies') {
      this.#takenBack.add(operator);
      this.progress.forget(operator);
      for (const item of items) {
        if (item.sk !== 'STATE') continue;
        const { state, version } = decodeState(item);
        this.progress.restored(operator, state.ceremony, version, state);
      }
    }
  }

  // ---------------------------------------------------------------------------------------------- what must hold at the end

  /** @param excused operators of whom not everything can be expected @param stored bytes by namespace */
  finish(excused: ReadonlySet<number>, stored: ReadonlyMap<string, number>): void {
    this.#nonces.finish();
    this.keys.finish(excused);
    const ceremonies = new Set([...this.testimony.statements].map(({ ceremony }) => ceremony));
    this.bounds.finish(this.#options.operators, stored, ceremonies.size);
    for (const [keyId, certificate] of this.keys.certified) this.#extract(keyId, certificate);
    for (const { secret, encoding, reversed, sink } of this.#options.scan?.leaks() ?? [])
      this.#report(9, `${secret} as ${encoding}${reversed ? ', reversed,' : ''} in ${sink}`);
  }

  // ---------------------------------------------------------------------------------------------- rows

  #ceremonyRow(place: Place, sk: string, before: Item | undefined, after: Item | undefined): void {
    const { operator } = place;
    if (sk === 'STATE' && place.original) {
      this.#stateRow(operator, before, after);
    } else if (!after) {
      return;
    } else if (sk.startsWith('OUT#')) {
      for (const body of after['bodies'] as readonly string[]) {
        const heard = this.testimony.hear(body);
        if (heard.kind === 'said') this.#said(heard.said);
        else if (heard.kind === 'event') this.#told(operator, heard.event);
      }
    } else if (sk.startsWith('IN#') || sk.startsWith('SHARE#')) {
      const said = this.testimony.said(JSON.parse(after['body'] as string) as Statement | SealedStatement);
      if (said?.statement.from === operator) this.#said(said);
      if (said && sk.startsWith('SHARE#')) this.#released(operator, said.statement.ceremony);
    } else if (sk.startsWith('EVIDENCE#')) {
      const culprit = Number(sk.slice('EVIDENCE#'.length));
      this.#options.tally.add('evidence stored');
      const evidence = evidenceIn(after['evidence']);
      if (evidence) this.#blame?.blamed(operator, culprit, evidence);
      else this.#report(8, `operator ${operator} keeps a proof that is none`);
    }
  }

  #stateRow(operator: number, before: Item | undefined, after: Item | undefined): void {
    const item = after ?? before;
    if (!item) return;
    const { state, version } = decodeState(item);
    const last = this.progress.last(operator, state.ceremony);
    this.progress.written(operator, state.ceremony, version, after ? state : undefined);
    if (state.kind === 'signing') this.#parameters.set(state.ceremony, state.parameters);
    if ('culprits' in state) for (const { index } of state.culprits) this.#blame?.blamed(operator, index, undefined);
    const { tally } = this.#options;
    if (last?.stage === 'Unresolved' && state.stage === 'Succeeded') tally.add('a certificate after a timeout');
    if (state.kind === 'signing' && state.stage === 'Signing' && state.offers.length > 1) tally.add('a further leader');
    if (state.kind === 'signing' && state.stage === 'Failed' && state.late) tally.add('a late signature');
    if (state.kind === 'signing' && 'leading' in state && (state.leading?.sessions.length ?? 0) > 1)
      tally.add('a further session');
    if (state.kind === 'signing' && state.stage === 'LeadingOnly') tally.add('a leader that was not asked');
    if (isEnd(state) && (!last || !isEnd(last))) tally.add(`${state.kind} ended ${state.stage}`);
    if (state.stage === 'Failed' && 'reason' in state && (!last || !isEnd(last)))
      tally.add(`${state.kind} failed: ${state.reason}`);
  }

  #keyRow(operator: number, pk: string, sk: string, after: Item | undefined): void {
    if (pk === 'SWITCH' && sk === 'HALT') this.authority.halted(operator, after !== undefined);
    if (!pk.startsWith('K#')) return;
    const keyId = pk.slice('K#'.length) as Hex;
    if (sk === 'SHARE') {
      const blob = after?.['blob'];
      this.keys.share(operator, keyId, blob instanceof Uint8Array ? this.#options.keyring.open(blob) : undefined);
    } else if (sk === 'PUBLIC' && after) {
      const certificate = after['certificate'];
      const parsed = typeof certificate === 'string' ? (JSON.parse(certificate) as FrostCertificate) : undefined;
      this.keys.status(operator, keyId, after['status'] as string, parsed);
    }
  }

  /** Whatever was wrapped: a secret to look for, if it is an honest operator's, and loot if it is not. */
  #opened({ operator, role }: Place, table: Table, item: Item, loot: Loot | undefined): void {
    const { blob } = item;
    const { scan, keyring } = this.#options;
    if (!(blob instanceof Uint8Array) || !(loot || scan)) return;
    const bytes = keyring.open(blob);
    if (!bytes) return;
    const { pk, sk } = item;
    if (loot) {
      if (pk === 'OWN') loot.own.set(`${role} ${sk}`, bytes);
      else if (table === 'Nonces') loot.rows.set(`${pk.slice('C#'.length)} ${sk}`, bytes);
      else if (sk === 'SHARE') loot.shares.set(pk.slice('K#'.length), bytes);
    } else if (scan) {
      this.#register(scan, operator, sk, bytes);
    }
  }

  #register(scan: SecretScan, operator: number, sk: string, bytes: Uint8Array): void {
    const suite = suiteOf(this.#options.suite);
    const name = (part: string | number): string => `${sk} of operator ${operator} (${part})`;
    if (sk === 'POLYNOMIAL') {
      const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
      const coefficients = bytes.slice(4, 4 + length);
      for (let at = 0; at < length; at += 32)
        scan.secret(name(`coefficient ${at / 32}`), coefficients.slice(at, at + 32));
      // What is dealt to a Byzantine operator is its own to publish.
      for (const index of this.#honest)
        scan.secret(name(`share for ${index}`), evaluateShare(suite, coefficients, index));
    } else if (sk.startsWith('NONCE#')) {
      const size = 64 + 2 * suite.pointBytes;
      for (let at = 0; at + 64 <= bytes.length; at += size) {
        scan.secret(name('hiding'), bytes.slice(at, at + 32));
        scan.secret(name('binding'), bytes.slice(at + 32, at + 64));
      }
    } else {
      scan.secret(name('all'), bytes);
    }
  }

  // ---------------------------------------------------------------------------------------------- statements and events

  /** Anybody's statement, true or not. */
  #heard(said: Said): void {
    const { statement } = said;
    if (statement.type === 'NonceCommitment') {
      const content = this.testimony.content('NonceCommitment', said);
      if (content) this.#parameters.set(statement.ceremony, content.parameters);
    } else if (statement.type === 'Signature') {
      const content = this.testimony.content('Signature', said);
      if (content) this.#signed(statement.ceremony, content.signatures);
    }
  }

  /** An honest operator's own, stored or sent. */
  #said(said: Said): void {
    if (!this.#honest.has(said.statement.from)) return;
    this.#statements.said(said);
    if (said.statement.type === 'SignatureShare') {
      this.#nonces.said(said);
      this.#shares.set(said.hash, said);
    }
  }

  #signed(ceremony: Hex, signatures: readonly Hex[]): void {
    const parameters = this.#parameters.get(ceremony);
    const certificate = parameters && this.keys.certificate(parameters.keyId);
    if (certificate && this.authority.signed(certificate, parameters.keyId, parameters.messages, signatures))
      this.#options.tally.add('a signature seen');
  }

  #released(operator: number, ceremony: Hex): void {
    this.#options.tally.add('a share released');
    const parameters = this.#parameters.get(ceremony);
    if (parameters) this.authority.released(operator, parameters.keyId, parameters.messages);
  }

  #told(operator: number, event: MultisigEvent): void {
    const outcome =
      'KeygenOutcome' in event ? event.KeygenOutcome : 'SigningOutcome' in event ? event.SigningOutcome : undefined;
    if (!outcome) {
      if ('Refused' in event) this.#options.tally.add(`an instruction refused: ${event.Refused.reason}`);
      if ('LateSignature' in event) this.#signed(event.LateSignature.ceremony, event.LateSignature.signatures);
      return;
    }
    if (!this.#takenBack.has(operator)) this.#once.told(operator, event);
    if (outcome.final) this.outcomes.set(`${operator} ${outcome.ceremony}`, event);
    for (const { index, evidence } of outcome.culprits) this.#blame?.blamed(operator, index, evidence);
    if ('signatures' in outcome && outcome.signatures) this.#signed(outcome.ceremony, outcome.signatures);
  }

  // ---------------------------------------------------------------------------------------------- the end

  /** All shares of a key, with what its Byzantine holders know: does the key follow? */
  #extract(keyId: Hex, certificate: FrostCertificate): void {
    const extractor = new NonceExtractor(certificate);
    const suite = suiteOf(this.#options.suite);
    for (const [operator, { shares }] of this.loot) {
      const share = shares.get(keyId);
      if (share) extractor.know(operator, scalarOf(suite, share));
    }
    for (const share of this.#shares.values()) {
      const { from, ceremony } = share.statement;
      const parameters = this.#parameters.get(ceremony);
      const content = this.testimony.content('SignatureShare', share);
      const statement = content && this.testimony.byHash(content.package);
      const answered = statement && this.testimony.content('SigningPackage', { statement, hash: content.package });
      if (!answered || parameters?.keyId !== keyId) continue;
      for (const [m, message] of parameters.messages.entries()) {
        const commitments = answered.signers.map((index, i) => ({
          index,
          hiding: answered.commitments[i]?.[m]?.hiding ?? '0x',
          binding: answered.commitments[i]?.[m]?.binding ?? '0x',
        }));
        extractor.add({ signer: from, message, commitments, share: content.shares[m] ?? '0x' });
      }
    }
    if (extractor.solve() !== undefined) this.#report(5, `the shares that were emitted give key ${keyId} away`);
  }

  #violated(invariant: Invariant, what: string): void {
    const violation: Violation = { invariant, what };
    this.violations.push(violation);
    this.#options.onViolation?.(violation);
  }
}

export function operatorOf(identity: string): number {
  return /^operator([1-9][0-9]*)$/.test(identity) ? Number(identity.slice('operator'.length)) : 0;
}

export const COPY_SUFFIX = '~copy';

export function placeOf(namespace: string): Place | undefined {
  const [identity = '', role = ''] = namespace.split('/');
  const operator = operatorOf(identity);
  if (operator === 0) return undefined;
  const original = !role.endsWith(COPY_SUFFIX);
  return { operator, role: original ? role : role.slice(0, -COPY_SUFFIX.length), original };
}
