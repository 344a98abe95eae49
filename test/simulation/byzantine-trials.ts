/** One lie, told in one ceremony of pure steps, and what every honest operator makes of it. */
import type { Committee } from '../../lib/messages/committee.ts';
import { parseContent } from '../../lib/messages/contents.ts';
import type { Evidence } from '../../lib/messages/evidence.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import { type Statement, type StatementType, statementHash } from '../../lib/messages/statement.ts';
import { leaderOf, signatureFor } from '../../lib/signing/step.ts';
import { type FrostSuite, KeygenNetwork, SigningNetwork, START, seeded, World } from '../ceremonies/network.ts';
import { type Curve, type Elsewhere, type Lie, liesAbout } from './byzantine-lies.ts';

/** Who hears the lie: everybody, or one operator while the others hear the truth. */
export type Audience = 'all' | 'one';

export interface Trial {
  readonly type: StatementType;
  readonly lie: Lie;
  readonly audience: Audience;
  readonly liar: number;
  /** By honest operator. */
  readonly ends: ReadonlyMap<number, string>;
  /** Every proof that an honest operator holds at the end, already judged by the network. */
  readonly named: ReadonlyMap<number, readonly number[]>;
  readonly evidence: readonly Evidence[];
  /** The culprits that outcomes tell the clients. */
  readonly told: ReadonlyMap<number, readonly number[]>;
}

export function curveOf(suite: FrostSuite): Curve {
  return suite === 'FROST-ED25519-SHA512-v1' ? 'ed25519' : 'secp256k1';
}

/** In words, for a test that fails. */
export function described({ type, lie, audience, liar }: Pick<Trial, 'type' | 'lie' | 'audience' | 'liar'>): string {
  const where = lie.field === '' ? '' : ` in ${lie.field}`;
  return `operator ${liar} says ${type} to ${audience} with ${lie.kind}${where}`;
}

// ------------------------------------------------------------------------------------------------ key generation

const DEALER = 2;
const VICTIM = 1;
export type KeygenType =
  | 'EncryptedPublicKey'
  | 'EncryptedKeyGenCommitment'
  | 'EncryptedKeyShare'
  | 'KeyGenVerdict'
  | 'KeyGenCertificate';

export class KeygenTrials {
  readonly #world: World;
  readonly #suite: FrostSuite;
  readonly #truth: KeygenNetwork;
  readonly #before: KeygenNetwork;

  constructor(suite: FrostSuite) {
    this.#suite = suite;
    this.#world = new World({ n: 3, t: 2, suite, seed: `trials ${suite}` });
    this.#truth = new KeygenNetwork(this.#world);
    this.#truth.run();
    this.#before = new KeygenNetwork(this.#world, toHex(seeded('an earlier request')(16)));
    this.#before.run();
  }

  get committee(): Committee {
    return this.#world.committee;
  }

  lies(type: KeygenType): readonly Lie[] {
    const truth = this.#said(this.#truth, DEALER, type, VICTIM);
    const elsewhere: Elsewhere[] = [
      { kind: 'what was said in another ceremony', text: this.#said(this.#before, DEALER, type, VICTIM).content },
      { kind: 'what another operator said', text: this.#said(this.#truth, 3, type, VICTIM).content },
    ];
    if (type === 'EncryptedKeyShare')
      elsewhere.push({
        kind: 'what was meant for another reader',
        text: this.#said(this.#truth, DEALER, type, 3).content,
      });
    return liesAbout(type, truth.content, curveOf(this.#suite), elsewhere);
  }

  tell(type: KeygenType, lie: Lie, audience: Audience): Trial {
    const network = new KeygenNetwork(this.#world);
    const world = this.#world;
    // A dealer that lies to all about its commitments announces the lie: the hash alone would convict it.
    const announced = type === 'EncryptedKeyGenCommitment' && audience === 'all';
    const dealt = this.#said(this.#truth, DEALER, 'EncryptedKeyGenCommitment', VICTIM);
    network.lie(DEALER, (statement, to) => {
      if (announced && statement.type === 'EncryptedPublicKey') {
        const parsed = parseContent('EncryptedPublicKey', statement.content);
        if (!parsed.ok) throw new Error(parsed.reason);
        const commitmentHash = statementHash(world.resignText(dealt, lie.text));
        return world.resign(statement, 'EncryptedPublicKey', { ...parsed.content, commitmentHash });
      }
      // It does not testify against itself, nor take its lie back.
      if (statement.type === 'KeyGenEvidence' || (type === 'KeyGenVerdict' && statement.type === 'KeyGenCertificate'))
        return undefined;
      if (statement.type !== type || (audience === 'one' && to !== VICTIM)) return statement;
      return world.resignText(statement, lie.text);
    });
    network.run();
    for (const later of [60, 600, 630]) network.wake(START + later);
    return judged(network, type, lie, audience, DEALER);
  }

  #said(network: KeygenNetwork, from: number, type: KeygenType, to: number): Statement {
    const said = network.node(from).said.find((each) => each.type === type && (each.to === 0 || each.to === to));
    if (!said) throw new Error(`operator ${from} says no ${type} to ${to}`);
    return said;
  }
}

// ------------------------------------------------------------------------------------------------ signing

export type SigningType = 'NonceCommitment' | 'SigningPackage' | 'SignatureShare' | 'Signature';
const MESSAGES: readonly Hex[] = ['0x6869', '0x00'];

export class SigningTrials {
  readonly #suite: FrostSuite;
  readonly #keys: KeygenNetwork;
  readonly #truth: SigningNetwork;
  readonly #before: SigningNetwork;

  constructor(suite: FrostSuite) {
    this.#suite = suite;
    this.#keys = new KeygenNetwork(new World({ n: 4, t: 3, suite, seed: `trials ${suite}` }));
    this.#keys.run();
    this.#truth = this.#run(this.#begun());
    this.#before = this.#run(this.#begun(toHex(seeded('an earlier request')(16))));
  }

  get committee(): Committee {
    return this.#keys.world.committee;
  }

  get leader(): number {
    return leaderOf(this.#truth.parameters, this.#ceremony(this.#truth), 0);
  }

  /** A signer of the first session that does not lead it. */
  get signer(): number {
    return this.#truth.world.indexes().find((index) => index !== this.leader) ?? 0;
  }

  /** Of the first session, in order. */
  get signers(): readonly number[] {
    const parsed = parseContent('SigningPackage', this.#anySaid(this.#truth, 'SigningPackage').content);
    return parsed.ok ? parsed.content.signers : [];
  }

  liar(type: SigningType): number {
    return type === 'SigningPackage' || type === 'Signature' ? this.leader : this.signer;
  }

  lies(type: SigningType): readonly Lie[] {
    const liar = this.liar(type);
    const truth = this.#said(this.#truth, liar, type);
    const elsewhere: Elsewhere[] = [
      { kind: 'what was said in another ceremony', text: this.#anySaid(this.#before, type).content },
    ];
    if (type === 'NonceCommitment' || type === 'SignatureShare') {
      const other = this.#truth.world
        .indexes()
        .filter((index) => index !== liar)
        .flatMap((index) => this.#truth.node(index).said.find((each) => each.type === type) ?? []);
      for (const { content } of other.slice(0, 1))
        elsewhere.push({ kind: 'what another operator said', text: content });
    }
    return liesAbout(type, truth.content, curveOf(this.#suite), elsewhere);
  }

  tell(type: SigningType, lie: Lie, audience: Audience): Trial {
    const liar = this.liar(type);
    const network = this.#begun();
    let heard = 0;
    network.lie(liar, (statement, to) => {
      if (statement.type !== type) return statement;
      heard ||= to;
      return audience === 'one' && to !== heard ? statement : network.world.resignText(statement, lie.text);
    });
    this.#run(network);
    return judged(network, type, lie, audience, liar);
  }

  #begun(requestId?: Hex): SigningNetwork {
    const state = this.#keys.node(1).state;
    if (state?.stage !== 'Succeeded') throw new Error('key generation did not succeed');
    return new SigningNetwork(this.#keys, state.keyId, MESSAGES, requestId);
  }

  #run(network: SigningNetwork): SigningNetwork {
    network.authoriseAll();
    network.run();
    for (const later of [2, 4, 15, 17, 19, 30, 32, 600]) {
      network.wake(START + later);
      this.#answerLatecomers(network);
      if (network.honest().every((index) => network.node(index).state?.stage === 'Succeeded')) break;
    }
    return network;
  }

  /** As a deployed node does for a signer that commits to it after it has the signature. */
  #answerLatecomers(network: SigningNetwork): void {
    for (const index of network.honest()) {
      const { state, member } = network.node(index);
      if (state?.stage !== 'Succeeded') continue;
      for (const { type, from } of [...network.node(index).recorded.values()]) {
        if (type !== 'NonceCommitment' || from === index || network.node(from).state?.stage !== 'Signing') continue;
        network.inject(from, signatureFor(state, from, member).statement);
      }
    }
    network.run();
  }

  #ceremony(network: SigningNetwork): Hex {
    return network.node(1).state?.ceremony ?? '0x';
  }

  #said(network: SigningNetwork, from: number, type: SigningType): Statement {
    const said = network.node(from).said.find((each) => each.type === type);
    if (!said) throw new Error(`operator ${from} says no ${type}`);
    return said;
  }

  #anySaid(network: SigningNetwork, type: SigningType): Statement {
    const said = network.world.indexes().flatMap((index) => network.node(index).said);
    const found = said.find((each) => each.type === type);
    if (!found) throw new Error(`nobody says ${type}`);
    return found;
  }
}

// ------------------------------------------------------------------------------------------------

function judged(
  network: KeygenNetwork | SigningNetwork,
  type: StatementType,
  lie: Lie,
  audience: Audience,
  liar: number,
): Trial {
  const honest = network.honest();
  const told = (index: number): number[] => {
    const last = network.node(index).events.findLast((event) => 'KeygenOutcome' in event || 'SigningOutcome' in event);
    if (!last) return [];
    return (
      'KeygenOutcome' in last ? last.KeygenOutcome : 'SigningOutcome' in last ? last.SigningOutcome : { culprits: [] }
    ).culprits.map((each) => each.index);
  };
  return {
    type,
    lie,
    audience,
    liar,
    ends: new Map(honest.map((index) => [index, network.node(index).state?.stage ?? 'none'])),
    named: new Map(honest.map((index) => [index, network.blamed(index)])),
    evidence: honest.flatMap((index) => [...network.node(index).evidence.values()]),
    told: new Map(honest.map((index) => [index, told(index)])),
  };
}
