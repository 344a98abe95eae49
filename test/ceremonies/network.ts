/**
 * Both ceremonies on an in-memory network of pure steps: n nodes, every statement really signed, nothing sealed, stored or scheduled.
 *
 * A test may edit what a liar says to whom (and sign the lie with the liar's key), drop what it says, and then looks at what all honest nodes conclude.
 */
import { createHash } from 'node:crypto';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import {
  type Inputs,
  Member,
  type Outgoing,
  type RandomBytes,
  type SecretName,
  type StepResult,
  type Transition,
  type Wanted,
} from '../../lib/ceremony.ts';
import { verifyEvidence } from '../../lib/evidence/verify.ts';
import type { KeygenState } from '../../lib/keygen/state.ts';
import * as keygen from '../../lib/keygen/step.ts';
import type { Certificate, FrostCertificate } from '../../lib/messages/certificate.ts';
import { Committee, type CommitteeFile } from '../../lib/messages/committee.ts';
import type { ContentOf } from '../../lib/messages/contents.ts';
import type { MultisigEvent } from '../../lib/messages/events.ts';
import type { Evidence } from '../../lib/messages/evidence.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import {
  type CeremonySuite,
  COCONUT_SUITE,
  type KeygenParameters,
  type SIGNING_SUITES,
  type SigningParameters,
} from '../../lib/messages/parameters.ts';
import { type Statement, type StatementType, signStatement, statementHash } from '../../lib/messages/statement.ts';
import type { Decision } from '../../lib/signing/policy.ts';
import type { SigningState } from '../../lib/signing/state.ts';
import * as signing from '../../lib/signing/step.ts';
import { Secret } from '../../lib/vault/secret.ts';

export type FrostSuite = (typeof SIGNING_SUITES)[number];
export const START = 1_800_000_000;

const NOBODY = { keys: [`0x${'00'.repeat(32)}` as Hex], required: 1, capPerEpoch: '1' };

/** Deterministic bytes for tests: SHA-256 in counter mode. */
export function seeded(label: string): RandomBytes {
  let counter = 0;
  return (length) => {
    const chunks: Uint8Array[] = [];
    for (let have = 0; have < length; have += 32) {
      chunks.push(createHash('sha256').update(`${label} ${counter++}`).digest());
    }
    return new Uint8Array(Buffer.concat(chunks).subarray(0, length));
  };
}

/** What a liar says instead: another statement, nothing (`undefined`), or the same. */
export type Edit = (statement: Statement, recipient: number) => Statement | undefined;

interface Node<State> {
  readonly member: Member;
  state: State | undefined;
  readonly secrets: Map<SecretName, Uint8Array>;
  readonly recorded: Map<string, Statement>;
  readonly evidence: Map<number, Evidence>;
  readonly events: MultisigEvent[];
  readonly undecryptable: Set<number>;
  readonly wakes: number[];
  said: Statement[];
}

export interface Options {
  readonly n?: number;
  readonly t?: number;
  readonly suite?: CeremonySuite;
  readonly seed?: string;
}

/** n operators with real signature keys. */
export class World {
  readonly n: number;
  readonly t: number;
  readonly suite: CeremonySuite;
  /** A coin, or the asset that the key is for. */
  readonly coin: string;
  readonly seed: string;
  readonly committee: Committee;
  readonly signatureKeys = new Map<number, Uint8Array>();

  constructor({ n = 3, t = 2, suite = 'FROST-secp256k1-SHA256-TR-v1', seed = 'world' }: Options = {}) {
    this.n = n;
    this.t = t;
    this.suite = suite;
    this.coin = suite === COCONUT_SUITE ? 'usd' : 'btc';
    this.seed = seed;
    const random = seeded(`${seed} keys`);
    const operators = this.indexes().map((index) => {
      const secret = random(32);
      this.signatureKeys.set(index, secret);
      const signatureKey = { [this.coin]: { signatureKey: toHex(ed25519.getPublicKey(secret)) } };
      return {
        index,
        identity: `operator${index}`,
        account: `${index}`.padStart(12, '0'),
        region: 'local',
        inbox: 'coterie-x-inbox-{identity}',
        coordinatorKey: toHex(x25519.getPublicKey(random(32))),
        coins: suite === COCONUT_SUITE ? {} : signatureKey,
        assets: suite === COCONUT_SUITE ? signatureKey : {},
      };
    });
    const file: CommitteeFile = {
      version: 1,
      network: 'test',
      operators,
      coins: suite === COCONUT_SUITE ? {} : { [this.coin]: { suite, t } },
      assets: suite === COCONUT_SUITE ? { [this.coin]: { t, f: 0, depositors: NOBODY, epoch: 1 } } : {},
      leaderPeriod: 15,
    };
    this.committee = new Committee(file);
  }

  indexes(): number[] {
    return Array.from({ length: this.n }, (_, i) => i + 1);
  }

  keyOf(index: number): Uint8Array {
    const key = this.signatureKeys.get(index);
    if (!key) throw new Error(`no operator ${index}`);
    return key;
  }

  member(index: number): Member {
    return new Member(this.committee, this.coin, index, new Secret(this.keyOf(index).slice()));
  }

  /** The statement with other content, signed by its sender. */
  resign<T extends StatementType>(statement: Statement, _type: T, content: ContentOf<T>): Statement {
    // A liar writes what it likes, also what no schema allows.
    return this.resignText(statement, JSON.stringify(content));
  }

  resignText(statement: Statement, content: string): Statement {
    return signStatement(statement, content, this.keyOf(statement.from));
  }

  keygenParameters(requestId: Hex = toHex(seeded(`${this.seed} request`)(16))): KeygenParameters {
    return {
      kind: 'keygen',
      committee: this.committee.id,
      coin: this.coin,
      suite: this.suite,
      t: this.t,
      signers: this.indexes(),
      requestId,
      expiresAt: START + 600,
    };
  }
}

/** The network of one ceremony; `State` and how to step it come from the two classes below. */
abstract class Network<State extends KeygenState | SigningState> {
  readonly world: World;
  readonly nodes = new Map<number, Node<State>>();
  readonly edits = new Map<number, Edit>();
  readonly down = new Set<number>();
  readonly random: RandomBytes;
  now = START;
  readonly #queue: { to: number; statement: Statement; liar?: number }[] = [];

  constructor(world: World, label: string) {
    this.world = world;
    this.random = seeded(`${world.seed} ${label}`);
    for (const index of world.indexes()) {
      this.nodes.set(index, {
        member: world.member(index),
        state: undefined,
        secrets: new Map(),
        recorded: new Map(),
        evidence: new Map(),
        events: [],
        undecryptable: new Set(),
        wakes: [],
        said: [],
      });
    }
  }

  protected abstract stepNode(
    index: number,
    node: Node<State>,
    more: readonly Wanted[],
    secrets: readonly SecretName[],
    share: boolean,
  ): StepResult<State>;

  node(index: number): Node<State> {
    const node = this.nodes.get(index);
    if (!node) throw new Error(`no node ${index}`);
    return node;
  }

  /** A liar's pen: applied to everything that `index` says to anyone. */
  lie(index: number, edit: Edit): void {
    this.edits.set(index, edit);
  }

  honest(): number[] {
    return this.world.indexes().filter((index) => !this.edits.has(index) && !this.down.has(index));
  }

  /** Delivers one more statement as if a peer had sent it. */
  inject(to: number, statement: Statement): void {
    this.#queue.push({ to, statement });
  }

  /** Delivers and steps until nothing moves. */
  run(): void {
    for (const index of this.world.indexes()) this.settle(index);
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      const { to, liar } = next;
      const edit = liar === undefined ? undefined : this.edits.get(liar);
      const statement = edit ? edit(next.statement, to) : next.statement;
      if (!statement || this.down.has(to)) continue;
      this.record(this.node(to), statement);
      this.settle(to);
    }
  }

  /** Lets the time come and wakes everybody. */
  wake(now: number): void {
    this.now = now;
    this.run();
  }

  protected settle(index: number): void {
    const node = this.node(index);
    if (this.down.has(index)) return;
    for (;;) {
      if (!node.state) return;
      const result = this.satisfied(index, node);
      if (result.kind !== 'changed') return;
      this.apply(index, node, result.transition);
    }
  }

  private satisfied(index: number, node: Node<State>): StepResult<State> {
    let more: readonly Wanted[] = [];
    let secrets: readonly SecretName[] = [];
    let share = false;
    for (let round = 0; round < 3; round++) {
      const result = this.stepNode(index, node, more, secrets, share);
      if (result.kind !== 'needs') return result;
      more = [...more, ...(result.statements ?? [])];
      secrets = [...secrets, ...(result.secrets ?? [])];
      share ||= result.share ?? false;
    }
    return { kind: 'unchanged' };
  }

  apply(index: number, node: Node<State>, transition: Transition<State>): void {
    node.state = transition.state;
    for (const secret of transition.secrets) {
      if (secret.kind === 'create') {
        if (node.secrets.has(secret.name)) throw new Error(`${secret.name} is written twice`);
        node.secrets.set(secret.name, secret.plaintext.slice());
      } else {
        if (secret.kind === 'consume' && !node.secrets.has(secret.name))
          throw new Error(`${secret.name} is consumed twice`);
        node.secrets.delete(secret.name);
      }
    }
    for (const { index: culprit, evidence } of transition.evidence) node.evidence.set(culprit, evidence);
    node.events.push(...transition.events);
    if (transition.wakeAt !== undefined) node.wakes.push(transition.wakeAt);
    for (const statement of transition.own) this.record(node, statement);
    for (const outgoing of transition.outbox) this.send(index, outgoing);
    this.onKeys(node, transition);
  }

  protected onKeys(_node: Node<State>, _transition: Transition<State>): void {}

  private send(from: number, { statement, recipients }: Outgoing): void {
    this.node(from).said.push(statement);
    // Edited on delivery: what was said before a test named the liar is a lie as well.
    for (const to of recipients) this.#queue.push({ to, statement, liar: from });
  }

  private record(node: Node<State>, statement: Statement): void {
    const place = `${statement.type}/${statement.slot}/${statement.from}`;
    const before = node.recorded.get(place);
    if (!before) {
      node.recorded.set(place, statement);
      return;
    }
    if (statementHash(before) === statementHash(statement) || before.to !== statement.to) return;
    const evidence: Evidence = {
      v: 1,
      reason: 'Equivocation',
      committee: this.world.committee.id,
      statements: [before, statement],
    };
    node.evidence.set(statement.from, evidence);
  }

  protected inputs(node: Node<State>, wanted: readonly Wanted[]): Inputs {
    const by = new Map<string, Map<number, Statement>>();
    const own = node.said.filter((said) =>
      wanted.some((want) => want.own && want.type === said.type && `${said.slot}#`.startsWith(want.slotPrefix)),
    );
    for (const statement of [...own, ...node.recorded.values()]) {
      const loaded =
        own.includes(statement) ||
        wanted.some(({ type, slotPrefix }) => type === statement.type && `${statement.slot}#`.startsWith(slotPrefix));
      if (!loaded) continue;
      const place = `${statement.type}/${statement.slot}`;
      by.set(place, (by.get(place) ?? new Map<number, Statement>()).set(statement.from, statement));
    }
    return {
      said: (type, slot) => by.get(`${type}/${slot}`) ?? new Map<number, Statement>(),
      slots: (type) =>
        [...by.keys()].filter((place) => place.startsWith(`${type}/`)).map((place) => place.slice(type.length + 1)),
      undecryptable: node.undecryptable,
      ownLoaded: wanted.some(({ own }) => own === true),
      evidence: [...node.evidence.values()],
      mismatch: false,
    };
  }

  /** Every honest node blames exactly these, and a stranger can verify each proof. */
  blamed(index: number): number[] {
    const node = this.node(index);
    for (const [culprit, evidence] of node.evidence) {
      const judged = verifyEvidence(this.world.committee, evidence);
      if (!judged.guilty) throw new Error(`evidence against ${culprit} proves nothing: ${judged.why}`);
      if (judged.culprit !== culprit) throw new Error(`evidence against ${culprit} convicts ${judged.culprit}`);
    }
    return [...node.evidence.keys()].sort((a, b) => a - b);
  }
}

export interface StoredKey {
  readonly share: Uint8Array;
  certificate?: Certificate;
}

export class KeygenNetwork extends Network<KeygenState> {
  readonly keys = new Map<number, StoredKey>();

  constructor(world: World, requestId?: Hex) {
    super(world, 'keygen');
    const parameters = world.keygenParameters(requestId);
    for (const [index, node] of this.nodes) {
      const secret = this.random(32);
      const sealing = { secret, publicKey: toHex(x25519.getPublicKey(secret)) };
      this.apply(index, node, keygen.begin(parameters, node.member, sealing, this.random));
    }
  }

  protected override stepNode(
    _index: number,
    node: Node<KeygenState>,
    more: readonly Wanted[],
  ): StepResult<KeygenState> {
    if (!node.state) return { kind: 'unchanged' };
    const wants = keygen.wants(node.state);
    const inputs = this.inputs(node, [...wants.statements, ...more]);
    const secrets = new Map([...node.secrets].map(([name, bytes]) => [name, new Secret(bytes.slice())]));
    return keygen.step(node.state, inputs, secrets, this.now, node.member, this.random);
  }

  protected override onKeys(node: Node<KeygenState>, transition: Transition<KeygenState>): void {
    for (const key of transition.keys) {
      if (key.kind === 'store') this.keys.set(node.member.self, { share: key.share.slice() });
      const stored = this.keys.get(node.member.self);
      if (key.kind === 'certify' && stored) stored.certificate = key.certificate;
    }
  }

  stages(): string[] {
    return this.honest().map((index) => this.node(index).state?.stage ?? 'none');
  }

  /** Of a key that signs messages. */
  signingCertificate(): FrostCertificate {
    const certificate = this.certificate();
    if (!('outputKey' in certificate)) throw new Error('this key signs no messages');
    return certificate;
  }

  certificate(): Certificate {
    const [first] = [...this.keys.values()].flatMap((key) => key.certificate ?? []);
    if (!first) throw new Error('no node has a certificate');
    return first;
  }
}

export class SigningNetwork extends Network<SigningState> {
  readonly parameters: SigningParameters;
  readonly made: KeygenNetwork;
  readonly #keyId: Hex;
  decision: Decision = { kind: 'allow' };

  constructor(
    made: KeygenNetwork,
    keyId: Hex,
    messages: readonly Hex[],
    requestId: Hex = toHex(seeded('signing request')(16)),
  ) {
    super(made.world, `signing ${requestId}`);
    this.made = made;
    this.#keyId = keyId;
    const { suite, t, signers, committee, coin } = made.signingCertificate().parameters;
    this.parameters = {
      kind: 'signing',
      committee,
      coin,
      suite,
      t,
      signers: [...signers],
      keyId,
      messages: [...messages],
      purpose: 'test',
      requestId,
      expiresAt: START + 600,
    };
  }

  /** The operator's client authorises. */
  authorise(index: number): void {
    const node = this.node(index);
    const result = signing.authorise(
      node.state,
      this.parameters,
      this.#key(index, true),
      this.now,
      node.member,
      this.random,
    );
    if (result.kind === 'changed') this.apply(index, node, result.transition);
  }

  authoriseAll(): void {
    for (const index of this.world.indexes()) if (!this.down.has(index)) this.authorise(index);
  }

  /** A node that leads without its own authorisation. */
  lead(index: number): void {
    const node = this.node(index);
    node.state = signing.lead(this.parameters, node.member);
  }

  protected override stepNode(
    index: number,
    node: Node<SigningState>,
    more: readonly Wanted[],
    names: readonly SecretName[],
    share: boolean,
  ): StepResult<SigningState> {
    if (!node.state) return { kind: 'unchanged' };
    const wants = signing.wants(node.state);
    const inputs = this.inputs(node, [...wants.statements, ...more]);
    const secrets = new Map<SecretName, Secret>();
    for (const name of names) {
      const bytes = node.secrets.get(name);
      if (bytes) secrets.set(name, new Secret(bytes.slice()));
    }
    return signing.step(
      node.state,
      inputs,
      secrets,
      this.#key(index, share),
      () => this.decision,
      this.now,
      node.member,
      this.random,
    );
  }

  #key(index: number, share: boolean): signing.SigningKey {
    const stored = this.made.keys.get(index);
    return {
      certificate: this.made.signingCertificate(),
      share: share && stored ? new Secret(stored.share.slice()) : undefined,
    };
  }

  get keyId(): Hex {
    return this.#keyId;
  }
}
