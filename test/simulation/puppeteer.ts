/** The Byzantine side of a run: carries out a {@link Behaviour} with what its operators know, and no right more than theirs. */

import type { SuiteName } from '../../lib/frost/suite.ts';
import { identityOf } from '../../lib/local/committee.ts';
import type { SeededRandom } from '../../lib/local/random.ts';
import { bodyOf, type Payload } from '../../lib/messages/catalogue.ts';
import type { Committee } from '../../lib/messages/committee.ts';
import { contentText } from '../../lib/messages/contents.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { type Sealer, sealStatement } from '../../lib/messages/sealing.ts';
import { type SealedStatement, type Statement, signStatement } from '../../lib/messages/statement.ts';
import { inboxQueue, parseQueueName } from '../../lib/messages/topics.ts';
import type { MessageBus, OutgoingMessage, QueueName } from '../../lib/ports.ts';
import type { Adversary, Behaviour, Casting, Moment, Puppet, PuppetSecrets } from './adversary.ts';
import { type Auditor, operatorOf } from './auditor.ts';
import type { Tally } from './tally.ts';

export interface PuppeteerOptions {
  readonly casting: Casting;
  readonly coin: string;
  readonly suite: SuiteName;
  readonly n: number;
  readonly t: number;
  readonly auditor: Auditor;
  readonly sealer: Sealer;
  readonly dice: SeededRandom;
  readonly now: () => number;
  readonly tally: Tally;
  readonly bus: MessageBus;
  /** The messaging keys of all processors: public. */
  readonly messagingKey: (operator: number) => Hex | undefined;
}

export class Puppeteer {
  readonly world: Adversary;
  readonly #behaviour: Behaviour;
  readonly #byzantine: ReadonlySet<number>;
  readonly #overheard: OutgoingMessage[] = [];
  readonly #statements: Statement[] = [];
  readonly #known = new Set<string>();
  readonly #sealingKeys = new Map<string, Hex>();
  readonly #options: PuppeteerOptions;
  #committee: Committee | undefined;

  constructor(options: PuppeteerOptions) {
    this.#options = options;
    const { casting, coin, suite, n, t, dice, now, tally, bus } = options;
    this.#behaviour = casting.behaviour;
    this.#byzantine = new Set(casting.operators);
    const committee = (): Committee => {
      if (!this.#committee) throw new Error('the committee is not assembled yet');
      return this.#committee;
    };
    const say: Adversary['say'] = (from, type, { ceremony, slot = '', to = 0 }, content) =>
      signStatement(
        { type, committee: committee().id, coin, ceremony, slot, from, to },
        content,
        this.#secrets(from).signatureKey,
      );
    this.world = {
      get committee() {
        return committee();
      },
      coin,
      suite,
      n,
      t,
      byzantine: casting.operators,
      honest: Array.from({ length: n }, (_, i) => i + 1).filter((index) => !this.#byzantine.has(index)),
      dice,
      now,
      overheard: this.#overheard,
      statements: this.#statements,
      secrets: (operator) => this.#secrets(operator),
      say,
      sayContent: (from, type, place, content) => say(from, type, place, contentText(type, content)),
      seal: (statement, recipient, key) => this.#seal(statement, recipient, key),
      parcel: (from, to, body) => this.#parcel(from, to, body),
      send: async (messages) => {
        for (const { queue } of messages) this.#checkRight(queue);
        await bus.send(messages);
      },
      lied: (what) => {
        tally.add('lies told');
        tally.add(`lie: ${what}`);
      },
    };
  }

  agreed(committee: Committee): void {
    this.#committee = committee;
  }

  async moment(moment: Moment): Promise<void> {
    await this.#behaviour.moment?.(moment, this.world);
  }

  /** The bus of one role of a Byzantine operator. */
  bus(bus: MessageBus, puppet: Puppet): MessageBus {
    return {
      send: async (messages) => {
        const replaced: OutgoingMessage[] = [];
        const origin: number[] = [];
        for (const [index, message] of messages.entries()) {
          this.#learn(message.body);
          const instead = this.#committee ? await this.#behaviour.outgoing?.(message, puppet, this.world) : undefined;
          for (const each of instead ?? [message]) {
            this.#checkRight(each.queue);
            replaced.push(each);
            origin.push(index);
          }
        }
        const refused = await bus.send(replaced);
        return [...new Set(refused.map((index) => origin[index] ?? 0))].sort((a, b) => a - b);
      },
    };
  }

  /** Told of every message that any queue took. */
  sent(message: OutgoingMessage): void {
    const at = parseQueueName(message.queue);
    if (!at || !this.#byzantine.has(operatorOf(at.identity))) return;
    this.#overheard.push(message);
    this.#learn(message.body);
  }

  /** Reads what a Byzantine operator may read: what is said to all, and what is sealed to one of them. */
  #learn(body: string): void {
    const heard = this.#options.auditor.testimony.hear(body);
    if (heard.kind !== 'said') return;
    const { statement, hash } = heard.said;
    const mayRead = this.#byzantine.has(statement.from) || !body.includes('"ciphertext"') || this.#isReader(body);
    if (!mayRead || this.#known.has(hash)) return;
    this.#known.add(hash);
    this.#statements.push(statement);
    const content = this.#options.auditor.testimony.content('EncryptedPublicKey', heard.said);
    if (content) this.#sealingKeys.set(`${statement.ceremony} ${statement.from}`, content.sealingKey);
  }

  #isReader(body: string): boolean {
    const recipient = /"recipient":([0-9]+)/.exec(body)?.[1];
    return recipient !== undefined && this.#byzantine.has(Number(recipient));
  }

  #secrets(operator: number): PuppetSecrets {
    const loot = this.#options.auditor.loot.get(operator);
    const { coin } = this.#options;
    const [signatureKey, messagingKey] = [loot?.own.get(`${coin} SIGNATURE`), loot?.own.get(`${coin} MESSAGING`)];
    if (!loot || !signatureKey || !messagingKey)
      throw new Error(`operator ${operator} is honest, or has made no keys yet`);
    return {
      signatureKey,
      messagingKey,
      row: (ceremony, name) => loot.rows.get(`${ceremony} ${name}`),
      share: (keyId) => loot.shares.get(keyId),
    };
  }

  async #seal(statement: Statement, recipient: number, key?: Hex): Promise<SealedStatement | undefined> {
    const { messagingKey, dice, sealer } = this.#options;
    const reader =
      key ??
      (statement.type === 'EncryptedPublicKey'
        ? messagingKey(recipient)
        : this.#sealingKeys.get(`${statement.ceremony} ${recipient}`));
    if (!reader) return undefined;
    const { signatureKey } = this.#secrets(statement.from);
    return sealStatement(statement, recipient, reader, signatureKey, dice.bytes(32), sealer);
  }

  #parcel(from: number, to: number, payload: Statement | SealedStatement): OutgoingMessage {
    const parcel = { from, to, coin: this.#options.coin, type: `${payload.type}Out`, payload };
    const queue = inboxQueue(identityOf(to), identityOf(from));
    return { queue, body: bodyOf('P2PIncoming', parcel as unknown as Payload<'P2PIncoming'>) };
  }

  /** A behaviour with more rights than an account has would find attacks that nobody can make. */
  #checkRight(queue: QueueName): void {
    const at = parseQueueName(queue);
    const own = at && this.#byzantine.has(operatorOf(at.peer ?? at.identity));
    if (!own) throw new Error(`a Byzantine operator may not send to ${queue}`);
  }
}
