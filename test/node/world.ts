/**
 * A committee of the embedded runtime, and what a test may do that no operator can: open any operator's secrets, say something in any operator's name, and put it on any queue.
 */

import {
  type Coin,
  type CommitteeOptions,
  identityOf,
  LocalCommittee,
  type Report,
} from '../../lib/local/committee.ts';
import { bodyOf, type MessageName, type Payload } from '../../lib/messages/catalogue.ts';
import type { ContentOf } from '../../lib/messages/contents.ts';
import { contentText } from '../../lib/messages/contents.ts';
import type { MultisigEvent } from '../../lib/messages/events.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { ceremonyId, type SigningParameters, signingSuite } from '../../lib/messages/parameters.ts';
import { hpkeSealer, sealStatement } from '../../lib/messages/sealing.ts';
import { type Statement, type StatementType, signStatement } from '../../lib/messages/statement.ts';
import { topicQueue } from '../../lib/messages/topics.ts';
import type { CeremonyState } from '../../lib/node/load.ts';
import { Node, type Processor, type ProcessorConfig } from '../../lib/node/node.ts';
import { OWN_KEYS, ownSecretKey, stateKey } from '../../lib/node/rows.ts';
import type { Item, Table } from '../../lib/ports.ts';
import { leaderOf } from '../../lib/signing/step.ts';
import type { Vault } from '../../lib/vault/vault.ts';

export interface WorldOptions extends Partial<Omit<CommitteeOptions, 'cloud' | 'coins'>> {
  readonly seed?: number;
  readonly coin?: Coin;
  readonly cloud?: Partial<CommitteeOptions['cloud']>;
}

type Sign = Extract<Payload<'MultisigInstruction'>, { Sign: unknown }>['Sign'];

export class NodeWorld {
  readonly committee: LocalCommittee;
  readonly coin: Coin;
  readonly reports: Report[] = [];
  readonly outcomes: { readonly operator: number; readonly event: MultisigEvent }[] = [];

  constructor({ seed = 1, coin = 'sol', cloud = {}, operators = 3, threshold = 2, ...rest }: WorldOptions = {}) {
    this.coin = coin;
    const bytes = new Uint8Array(32).fill(7);
    new DataView(bytes.buffer).setUint32(0, seed);
    this.committee = new LocalCommittee({
      operators,
      threshold,
      coins: [coin],
      ...rest,
      cloud: { seed: bytes, clock: 'virtual', ...cloud },
    });
    this.committee.onReport((report) => this.reports.push(report));
    this.committee.onOutcome((event, operator) => this.outcomes.push({ operator, event }));
  }

  get cloud(): LocalCommittee['cloud'] {
    return this.committee.cloud;
  }

  get operators(): number[] {
    return Array.from({ length: this.committee.options.operators }, (_, i) => i + 1);
  }

  /** The processor's namespace. */
  namespace(operator: number): string {
    return `${identityOf(operator)}/${this.coin}`;
  }

  /** Becomes a committee and, unless told otherwise, makes its key. */
  async assembled(): Promise<this> {
    await this.committee.assemble();
    await this.run();
    return this;
  }

  /** @param seconds of virtual time; default until nothing is left to do */
  async run(seconds?: number): Promise<void> {
    await this.cloud.run(seconds === undefined ? {} : { until: this.cloud.now + seconds * 1000 });
  }

  items(operator: number, table: Table): readonly Item[] {
    return this.cloud.inspect.items(this.namespace(operator), table);
  }

  states(operator: number): CeremonyState[] {
    return this.items(operator, 'Ceremonies')
      .filter((item) => item.sk === 'STATE')
      .map((item) => JSON.parse(item['state'] as string) as CeremonyState);
  }

  keygen(operator: number): Extract<CeremonyState, { kind: 'keygen' }> | undefined {
    return this.states(operator).find((state) => state.kind === 'keygen');
  }

  signing(operator: number, ceremony?: Hex): Extract<CeremonyState, { kind: 'signing' }> | undefined {
    return this.states(operator).find(
      (state): state is Extract<CeremonyState, { kind: 'signing' }> =>
        state.kind === 'signing' && (ceremony === undefined || state.ceremony === ceremony),
    );
  }

  keyId(): Hex {
    const state = this.keygen(1);
    if (state?.stage !== 'Succeeded') throw new Error(`operator 1's key generation is ${state?.stage ?? 'not there'}`);
    return state.keyId;
  }

  sign(fields: Partial<Sign> = {}): { readonly Sign: Sign } {
    const number = this.#requests++;
    return {
      Sign: {
        keyId: this.keyId(),
        messages: ['0x6869'],
        purpose: 'test',
        requestId: `0x${number.toString(16).padStart(32, '0')}` as Hex,
        expiresAt: this.committee.now() + 600,
        ...fields,
      },
    };
  }
  #requests = 1;

  async instruct(instruction: Payload<'MultisigInstruction'>, operators?: readonly number[]): Promise<void> {
    await this.committee.instruct(this.coin, instruction, operators);
  }

  async control(operator: number, control: Payload<'Control'>): Promise<void> {
    await this.committee.post(this.coin, 'Control', bodyOf('Control', control), [operator]);
  }

  /** Opens an operator's own long-lived key, as only its processor can. */
  async ownSecret(operator: number, name: 'MESSAGING' | 'SIGNATURE'): Promise<Uint8Array> {
    const row = await this.cloud.store(this.namespace(operator)).get('Keys', ownSecretKey(name));
    return (await this.vault(operator).unwrap({ kind: 'own', id: 'own' }, name, row?.['blob'] as Uint8Array)).bytes;
  }

  vault(operator: number): Vault {
    return this.processor(operator).vault;
  }

  /** One more invocation of an operator's processor, in the test's hands. */
  processor(operator: number): Processor {
    const namespace = this.namespace(operator);
    const identity = identityOf(operator);
    const config: ProcessorConfig = {
      role: 'processor',
      identity,
      account: '000000000001',
      region: 'local',
      coin: this.coin,
      committeeHash: this.committee.committee.id,
      outcomeQueue: topicQueue(identity, this.coin, 'MultisigEvent'),
      policies: this.committee.options.policies ?? [{ kind: 'require-own-instruction' }],
      instructionKeys: undefined,
    };
    return new Node(config, {
      bus: this.cloud.bus(),
      store: this.cloud.store(namespace),
      wrapper: this.cloud.wrapper(namespace),
      clock: this.cloud.clock(namespace),
      random: this.cloud.random('test'),
      telemetry: { record: () => {} },
    });
  }

  /** What `from` says, signed with its key, whatever it is. */
  async say(
    from: number,
    type: StatementType,
    place: { readonly ceremony: Hex; readonly slot?: string; readonly to?: number },
    content: string,
  ): Promise<Statement> {
    const header = {
      type,
      committee: this.committee.committee.id,
      coin: this.coin,
      ceremony: place.ceremony,
      slot: place.slot ?? '',
      from,
      to: place.to ?? 0,
    };
    return signStatement(header, content, await this.ownSecret(from, 'SIGNATURE'));
  }

  async sayContent<T extends StatementType>(
    from: number,
    type: T,
    place: { readonly ceremony: Hex; readonly slot?: string; readonly to?: number },
    content: ContentOf<T>,
  ): Promise<Statement> {
    return this.say(from, type, place, contentText(type, content));
  }

  /** Puts a statement of the general partition on the reader's own queue, as its coordinator would. */
  async deliver(to: number, statement: Statement): Promise<void> {
    const name = `${statement.type}In` as MessageName;
    const queue = topicQueue(identityOf(to), this.coin, name);
    await this.cloud.bus().send([{ queue, body: bodyOf(name, statement as never) }]);
  }

  /** Seals to the reader's messaging key, or to another, and delivers. */
  async deliverSealed(to: number, statement: Statement, sealTo?: Hex): Promise<void> {
    const row = await this.cloud.store(this.namespace(to)).get('Directory', OWN_KEYS);
    const key = sealTo ?? (row?.['messagingKey'] as Hex);
    const signature = await this.ownSecret(statement.from, 'SIGNATURE');
    const randomness = this.cloud.random('test').bytes(32);
    const sealed = await sealStatement(statement, to, key, signature, randomness, hpkeSealer);
    const name = `${statement.type}In` as MessageName;
    await this.cloud
      .bus()
      .send([{ queue: topicQueue(identityOf(to), this.coin, name), body: bodyOf(name, sealed as never) }]);
  }

  /** The body of a processor's state row, for a ceremony. */
  async state(operator: number, ceremony: Hex): Promise<CeremonyState | undefined> {
    const row = await this.cloud.store(this.namespace(operator)).get('Ceremonies', stateKey(ceremony));
    return row && (JSON.parse(row['state'] as string) as CeremonyState);
  }

  count(event: string, operator?: number): number {
    return this.reports.filter((each) => each.event === event && (operator === undefined || each.operator === operator))
      .length;
  }

  signatures(operator: number, ceremony: Hex): readonly Hex[] | undefined {
    const state = this.signing(operator, ceremony);
    return state?.stage === 'Succeeded' ? state.signatures : undefined;
  }
}

/** An instruction whose first leader is this operator. */
export function ledBy(world: NodeWorld, leader: number, fields: Parameters<NodeWorld['sign']>[0] = {}) {
  const made = world.keygen(1);
  if (!made) throw new Error('there is no key');
  const { committee, coin, suite, t, signers } = made.parameters;
  for (;;) {
    const instruction = world.sign(fields);
    const parameters: SigningParameters = {
      kind: 'signing',
      committee,
      coin,
      suite: signingSuite.parse(suite),
      t,
      signers,
      ...instruction.Sign,
    };
    const ceremony = ceremonyId(parameters);
    if (leaderOf(parameters, ceremony, 0) === leader) return { instruction, parameters, ceremony };
  }
}
