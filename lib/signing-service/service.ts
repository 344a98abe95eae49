/**
 * A signing service: what source 000's `SigningService` does, in two phases, because services that check independently and clients that tell each one something
 * else create money: of 7 services any 5 sign, and two sets of 5 that do not agree on what a serial pays for sign twice.
 *
 *   1. `process(transaction)`: verify everything, lock every tag and deposit to it, answer a *vote* that names them.
 *   2. `process(certificate)`: t votes; mark spent, sign the outputs, answer.
 *
 * Whatever was answered is stored before it is said, in the one conditional transaction that changes the serials' states; the same request has the same
 * bytes for an answer for ever. Only one transaction of a tag can collect t votes when 2t > n + f.
 */
import type { RandomBytes } from '../ceremony.ts';
import type { Coconut } from '../coconut/coconut.ts';
import { encodeSecretKey, type SecretKey, type VerificationKey } from '../coconut/keys.ts';
import type { Committee } from '../messages/committee.ts';
import { fromHex, type Hex, toHex } from '../messages/hex.ts';
import { signVote, type Vote, type VoteCertificate, type Withdraw } from '../messages/tokens.ts';
import {
  type CommitResult,
  type Item,
  type Key,
  type Store,
  type Telemetry,
  Throttled,
  UnknownOutcome,
  type Write,
} from '../ports.ts';
import { Secret } from '../vault/secret.ts';
import {
  certificateBytes,
  certifies,
  parseCertificateBytes,
  type Quorum,
  QuorumRefused,
  quorumOf,
  type SimulationOnly,
  voteOf,
} from './certificate.ts';
import { coconutScheme } from './coconut-scheme.ts';
import { contextOf } from './context.ts';
import {
  announcedKey,
  brokenKey,
  type Consumed,
  certificateKey,
  depositedKey,
  logKey,
  outputKey,
  quorumBrokenKey,
  serialItem,
  serialKey,
  signaturesKey,
  transactionKey,
} from './rows.ts';
import type { RefusalReason, TokenScheme, TokenTransaction, TransactionMessage } from './scheme.ts';
import { decodeState, lock, type SerialState, spend } from './serial.ts';
import { crossed } from './supply.ts';
import { tablesOf } from './tables.ts';

/** Times that one request is tried again because others moved what it moves: each of them has got on. */
const MAX_RACES = 40;

type Unlocked = Exclude<RefusalReason, 'Locked'>;
/** `Locked` carries the canonical bytes of the transaction that holds the lock: anyone may finish it. */
export type Refusal = { readonly reason: 'Locked'; readonly transaction: Hex } | { readonly reason: Unlocked };

export interface Refused {
  readonly index: number;
  /** Absent where what came is no transaction. */
  readonly transaction?: Hex;
  readonly refusal: Refusal;
}

export interface Voted {
  readonly index: number;
  readonly vote: Vote;
  readonly signature: Hex;
}

/** One partial signature (G1, 48 bytes) for each output. */
export interface Issued {
  readonly transaction: Hex;
  readonly index: number;
  readonly signatures: readonly Hex[];
}

/** A certificate as a gateway brings it, with the transaction's bytes where the service lacks them. */
export interface CertificateMessage extends VoteCertificate {
  readonly transaction?: Hex | undefined;
}

/** What leaves an asset: once for each transaction id. */
export interface WithdrawalNotice extends Withdraw {
  readonly transaction: Hex;
  readonly certificate: VoteCertificate;
}

/** Where a service stands, and what it may use. */
export interface ServiceSetting {
  readonly committee: Committee;
  readonly asset: string;
  readonly store: Store;
  readonly telemetry: Telemetry;
  readonly random: RandomBytes;
  /** Whole seconds UTC; orders the log of certificates and decides nothing. */
  readonly now: () => number;
  /** Opens the Ed25519 key that votes are signed with; the service wipes what it gets. */
  readonly signatureKey: () => Promise<Secret>;
  /** Opens this service's share of the asset's key; the service wipes what it gets. */
  readonly share: () => Promise<Secret>;
  /** Tells the client of a withdrawal. May be called twice for one. */
  readonly withdrawn?: (notice: WithdrawalNotice) => Promise<void>;
  /** Row of `Keys` that is there while the operator's switch stops this service. */
  readonly halt: Key;
  /** {@link tablesOf} the store, when the key of this epoch was made. */
  readonly began: string;
  readonly simulation?: SimulationOnly;
}

/** What the store says about a transaction: it has an answer, its certificate came before it, or nothing is in its way. */
interface Standing {
  readonly answer?: Voted | Refused;
  readonly certified?: boolean;
  /** What its deposits add to the epoch's sum. */
  readonly deposited?: Write;
}

export class SigningService {
  readonly index: number;
  readonly quorum: Quorum;
  readonly #scheme: TokenScheme;
  readonly #setting: ServiceSetting;
  readonly #store: Store;

  /** @param index 1 to n @throws {QuorumRefused} where 2t ≤ n + f, or for an index that is no service of the asset */
  constructor(scheme: TokenScheme, index: number, setting: ServiceSetting) {
    this.index = index;
    this.#scheme = scheme;
    this.#setting = setting;
    this.#store = setting.store;
    this.quorum = quorumOf(setting.committee, setting.asset, setting.simulation);
    setting.committee.signatureKey(setting.asset, index);
  }

  /**
   * Source 000's constructor.
   * @param secret this service's share; copied, and each copy is wiped after its use
   * @param index 1 to n
   * @throws {QuorumRefused} as the constructor, and for a key whose t is not that of the committee file
   * @example
   * const service = SigningService.fromSecret(coconut, secretKeys[0], verificationKey, 1, { committee, asset: 'usd', store, … });
   */
  static fromSecret(
    coconut: Coconut,
    secret: SecretKey,
    verificationKey: VerificationKey,
    index: number,
    setting: Omit<ServiceSetting, 'share'>,
  ): SigningService {
    const { t } = quorumOf(setting.committee, setting.asset, setting.simulation);
    // With a key of fewer shares than votes, services that are too few to certify anything could sign together without anybody's vote.
    if (coconut.threshold !== t)
      throw new QuorumRefused(
        `expected a key of ${setting.asset} with t = ${t}, got one with t = ${coconut.threshold}`,
      );
    const context = contextOf(setting.committee, setting.asset, coconut, verificationKey);
    const share = async () => new Secret(encodeSecretKey(secret));
    return new SigningService(coconutScheme(context, setting.random), index, { ...setting, share });
  }

  /** Phase 1 or phase 2, by what comes: source 000's `process`. */
  async process(transaction: TransactionMessage): Promise<Voted | Refused>;
  async process(certificate: CertificateMessage): Promise<Issued | Refused>;
  async process(request: TransactionMessage | CertificateMessage): Promise<Voted | Issued | Refused> {
    if ('vote' in request) return this.#certified(request);
    const [answer] = await this.processAll([request]);
    if (!answer) throw new Error('a batch of one has no answer');
    return answer;
  }

  // ---------------------------------------------------------------------------------------------- phase 1: votes

  /** A batch shares one read of the locks and one check of all proofs. Answers in the order of the requests. */
  async processAll(requests: readonly TransactionMessage[]): Promise<readonly (Voted | Refused)[]> {
    const answers: (Voted | Refused | undefined)[] = [];
    const waiting: { readonly at: number; readonly transaction: TokenTransaction }[] = [];
    const stopped = await this.#mayNotVote();
    for (const [at, request] of requests.entries()) {
      const reading = this.#scheme.read(request);
      if (!reading.ok) {
        answers[at] = this.#refused(undefined, { reason: reading.reason });
        continue;
      }
      const { transaction } = reading;
      const reason = this.#misplaced(transaction) ?? stopped ?? this.#unpaid(transaction);
      if (reason) answers[at] = this.#refused(transaction.id, { reason });
      else waiting.push({ at, transaction });
    }
    // The cheap read before the dear proofs: whoever sends one spent serial again and again costs no pairing (attack DOS-03).
    const standing = await this.#standing(waiting.map(({ transaction }) => transaction));
    const unproven = waiting.flatMap(({ at, transaction }, i) => {
      const found = standing[i] ?? {};
      if (found.answer) answers[at] = found.answer;
      return found.answer ? [] : [{ at, transaction, found }];
    });
    const verdicts = await this.#scheme.prove(unproven.map(({ transaction }) => transaction));
    for (const [i, { at, transaction, found }] of unproven.entries()) {
      const reason = verdicts[i];
      answers[at] = reason ? this.#refused(transaction.id, { reason }) : await this.#vote(transaction, found);
    }
    return answers.map((answer) => {
      if (!answer) throw new Error('a request was left without an answer');
      return answer;
    });
  }

  #misplaced({ asset, epoch, tags, deposits, withdraw }: TokenTransaction): Unlocked | undefined {
    const { context } = this.quorum;
    if (asset !== context.asset) return 'BadShape';
    // It costs whoever makes it nothing, and every service's client a message, and whoever pays it out a payment.
    if (withdraw && BigInt(withdraw.amount) === 0n) return 'BadShape';
    // Nothing consumed would be a vote for nothing; a tag twice would be one lock for two inputs (attack ECASH-16).
    if (tags.length + deposits.length === 0 || new Set(tags).size !== tags.length) return 'BadShape';
    if (new Set(deposits.map(({ depositId }) => depositId)).size !== deposits.length) return 'BadShape';
    // A tag is looked up below its epoch: the same one in another epoch is another row (attack ECASH-15).
    return epoch === context.epoch ? undefined : 'WrongEpoch';
  }

  #unpaid(transaction: TokenTransaction): Unlocked | undefined {
    if (transaction.deposits.length === 0) return undefined;
    return this.#scheme.deposited(transaction) ? undefined : 'BadDeposit';
  }

  /** Locks all of it, or says what is in the way. @param found what was read before the proofs were checked */
  async #vote(transaction: TokenTransaction, found: Standing): Promise<Voted | Refused> {
    const vote = voteOf(transaction);
    const key = await this.#setting.signatureKey();
    let signature: Hex;
    try {
      signature = signVote(this.quorum.context, vote, key.bytes);
    } finally {
      key.wipe();
    }
    let standing = found;
    for (let race = 0; race < MAX_RACES; race++) {
      if (standing.answer) return standing.answer;
      // Its certificate came first, with others' votes: to say the same after them changes nothing.
      if (standing.certified) return { index: this.index, vote, signature };
      const writes: Write[] = consumedBy(transaction).map((of) => ({
        kind: 'put',
        table: 'Serials',
        item: serialItem(of, { kind: 'locked', by: transaction.id }),
        condition: { kind: 'absent' },
      }));
      if (standing.deposited) writes.push(standing.deposited);
      // `absent` here makes all of it write-once: a serial that this transaction already holds cannot fall back from spent to locked.
      writes.push(...this.#recorded(transaction, { vote: JSON.stringify(vote), signature }));
      if ((await this.#transact(writes)).kind === 'applied') return { index: this.index, vote, signature };
      // What was in the way, or whether it was applied after all, is read and not guessed.
      [standing = {}] = await this.#standing([transaction]);
    }
    throw new Throttled(`a transaction lost ${MAX_RACES} races for its serials`);
  }

  /** What the store says about each transaction. */
  async #standing(transactions: readonly TokenTransaction[]): Promise<readonly Standing[]> {
    if (transactions.length === 0) return [];
    const { asset, epoch } = this.quorum.context;
    // Before the answers: a sum that has this very deposit in it must not be read beside no answer, or the second delivery of one request is refused what the first was given.
    const total = transactions.some(({ deposits }) => deposits.length > 0)
      ? await this.#store.get('Serials', depositedKey(asset, epoch))
      : undefined;
    const [answered, serials] = await Promise.all([
      this.#rows(
        'Issuance',
        transactions.map(({ id }) => transactionKey(id)),
      ),
      this.#rows('Serials', transactions.flatMap(consumedBy).map(serialKey)),
    ]);
    return Promise.all(
      transactions.map(async (transaction): Promise<Standing> => {
        const stored = votedIn(answered.get(transactionKey(transaction.id).pk));
        if (stored) return { answer: { index: this.index, ...stored } };
        let certified = false;
        for (const of of consumedBy(transaction)) {
          const held = lock(decodeState(serials.get(serialKey(of).pk)?.['state']), transaction.id);
          if (held.kind === 'refused') return { answer: await this.#conflict(transaction.id, held) };
          if (held.kind === 'unchanged') certified = true;
        }
        return certified ? { certified } : this.#cap(transaction, total);
      }),
    );
  }

  /** What a depositor's key that leaked can print: n / t times the cap, since every deposit uses up t services' caps; (n − f) / (t − f) times beside f that count nothing. */
  #cap({ id, deposits }: TokenTransaction, row: Item | undefined): Standing {
    if (deposits.length === 0) return {};
    const { asset, epoch } = this.quorum.context;
    const cap = BigInt(this.#setting.committee.file.assets[asset]?.depositors.capPerEpoch ?? '0');
    const before = row?.['total'];
    const total = deposits.reduce((sum, { value }) => sum + value, BigInt(typeof before === 'string' ? before : '0'));
    if (total > cap) return { answer: this.#refused(id, { reason: 'DepositCap' }) };
    const item = { ...depositedKey(asset, epoch), total: `${total}` };
    return {
      deposited: {
        kind: 'put',
        table: 'Serials',
        item,
        condition:
          typeof before === 'string' ? { kind: 'equals', attribute: 'total', value: before } : { kind: 'absent' },
      },
    };
  }

  async #conflict(
    id: Hex,
    { reason, by }: { readonly reason: 'Locked' | 'Spent'; readonly by: Hex },
  ): Promise<Refused> {
    this.#setting.telemetry.record('SerialConflict', { reason });
    if (reason === 'Spent') return this.#refused(id, { reason });
    const bytes = (await this.#store.get('Issuance', transactionKey(by)))?.['bytes'];
    if (!(bytes instanceof Uint8Array)) throw new Error('a serial is locked by a transaction that is not stored');
    return this.#refused(id, { reason, transaction: toHex(bytes) });
  }

  /**
   * `Halted` by the operator or by a broken quorum. `ReadOnly`: a table of locks that is not the one this service began the epoch with may have forgotten some, and
   * no peer knows them, for peers exchange what is *spent*. Nothing makes it vote again.
   */
  async #mayNotVote(): Promise<'Halted' | 'ReadOnly' | undefined> {
    if (await this.#halted()) return 'Halted';
    return (await this.isReadOnly()) ? 'ReadOnly' : undefined;
  }

  /** Whether some lock may have been forgotten. */
  async isReadOnly(): Promise<boolean> {
    return (await tablesOf(this.#store)) !== this.#setting.began;
  }

  async #halted(): Promise<boolean> {
    const { asset, epoch } = this.quorum.context;
    const rows = await Promise.all([
      this.#store.get('Keys', this.#setting.halt),
      this.#store.get('Serials', quorumBrokenKey(asset, epoch)),
    ]);
    return rows.some((row) => row !== undefined);
  }

  // ---------------------------------------------------------------------------------------------- phase 2: certificates

  async #certified({ vote, signatures, transaction: carried }: CertificateMessage): Promise<Issued | Refused> {
    const id = vote.transaction;
    if (await this.#halted()) return this.#refused(id, { reason: 'Halted' });
    const certificate: VoteCertificate = { vote, signatures };
    if (!certifies(this.quorum, certificate)) return this.#refused(id, { reason: 'BadProof' });
    const transaction = await this.#transactionOf(id, carried);
    // Proofs are not checked again: among t voters at least t − f are honest and have.
    if (!transaction || !sameVote(vote, voteOf(transaction))) return this.#refused(id, { reason: 'BadShape' });
    const stored = await this.#store.get('Issuance', signaturesKey(id));
    const issued = stored ? signaturesIn(stored) : await this.#issue(transaction, certificate);
    if (issued === 'Halted') return this.#refused(id, { reason: issued });
    await this.#announce(transaction, certificate);
    return { transaction: id, index: this.index, signatures: issued };
  }

  /** Marks all of it spent and stores the partial signatures, at once: nobody can have the one without the other (attack ECASH-07). */
  async #issue(transaction: TokenTransaction, certificate: VoteCertificate): Promise<readonly Hex[] | 'Halted'> {
    const { id, outputs } = transaction;
    const key = await this.#setting.share();
    let signatures: readonly Hex[];
    try {
      signatures = await this.#scheme.sign(transaction, key);
    } finally {
      key.wipe();
    }
    if (signatures.length !== outputs.length)
      throw new Error(`expected ${outputs.length} partial signatures, got ${signatures.length}`);
    const done = await this.#spend(
      certificate,
      'brought',
      (known) => [
        {
          kind: 'put',
          table: 'Issuance',
          item: { ...signaturesKey(id), signatures: [...signatures] },
          condition: { kind: 'absent' },
        },
        ...(known ? [] : this.#recorded(transaction, {})),
        ...this.#found(transaction, true),
        // The key's share is used here: the switch is asked in the transaction that lets its use leave.
        { kind: 'check', table: 'Keys', key: this.#setting.halt, condition: { kind: 'absent' } },
      ],
      transaction,
    );
    switch (done) {
      case 'applied':
        this.#setting.telemetry.record('TokensSigned', { index: this.index, count: signatures.length });
        return signatures;
      case 'known': {
        const row = await this.#store.get('Issuance', signaturesKey(id));
        if (!row) throw new Error('a transaction was issued and its signatures are not stored');
        return signaturesIn(row);
      }
      case 'Halted':
        return done;
    }
  }

  /** A peer's certificate: the serials are spent, and the signatures wait until somebody brings the transaction. @returns whether it certifies anything */
  async learn(certificate: VoteCertificate): Promise<boolean> {
    if (!certifies(this.quorum, certificate)) return false;
    await this.#spend(certificate, 'learnt', () => []);
    return true;
  }

  /**
   * Moves every serial of a certificate to spent, whatever it was locked to before.
   * @param how a gateway brought it, or a peer said it: peers are told of the first kind only, or each would echo all others
   * @param beside what is written in the same transaction
   * @param transaction where its bytes are here. @returns `known` where nothing was left to write
   */
  async #spend(
    certificate: VoteCertificate,
    how: 'brought' | 'learnt',
    beside: (transactionStored: boolean) => readonly Write[],
    transaction?: TokenTransaction,
  ): Promise<'applied' | 'known' | 'Halted'> {
    const { asset, epoch } = this.quorum.context;
    const id = certificate.vote.transaction;
    const consumed: Consumed[] = [
      ...certificate.vote.tags.map((tag): Consumed => ({ kind: 'tag', asset, epoch, tag })),
      ...certificate.vote.deposits.map((depositId): Consumed => ({ kind: 'deposit', depositId })),
    ];
    for (let race = 0; race < MAX_RACES; race++) {
      const [rows, stored] = await Promise.all([
        this.#rows('Serials', consumed.map(serialKey)),
        this.#store.batchGet('Issuance', [transactionKey(id), certificateKey(id), signaturesKey(id)]),
      ]);
      const has = (sk: string): boolean => stored.some((row) => row.sk === sk);
      const writes: Write[] = [];
      for (const of of consumed) {
        const row = rows.get(serialKey(of).pk);
        const next = spend(decodeState(row?.['state']), id);
        if (next.kind === 'broken') return this.#broken(certificate, next.by);
        if (next.kind === 'change') writes.push(spent(of, next.to, row));
      }
      if (!has(certificateKey(id).sk)) writes.push(...this.#certificateRows(certificate, how, transaction));
      const more = has(signaturesKey(id).sk) ? [] : beside(has(transactionKey(id).sk));
      if (writes.length + more.length === 0) return 'known';
      const result = await this.#transact([...writes, ...more]);
      if (result.kind === 'applied') return 'applied';
      if (result.kind === 'halted') return 'Halted';
    }
    throw new Throttled(`a certificate lost ${MAX_RACES} races for its serials`);
  }

  /** @param transaction where it is known: a peer's certificate names no amounts */
  #certificateRows(certificate: VoteCertificate, how: 'brought' | 'learnt', transaction?: TokenTransaction): Write[] {
    const { asset, epoch } = this.quorum.context;
    const id = certificate.vote.transaction;
    const bytes = certificateBytes(certificate);
    return [
      { kind: 'put', table: 'Issuance', item: { ...certificateKey(id), bytes }, condition: { kind: 'absent' } },
      {
        kind: 'put',
        table: 'Issuance',
        item: {
          ...logKey(asset, epoch, this.#setting.now(), id),
          bytes,
          how,
          ...(transaction ? crossed(transaction) : {}),
        },
      },
    ];
  }

  /** More than f services vote twice: the asset's tokens are worth what its people agree on now, and this service says nothing more. */
  async #broken(certificate: VoteCertificate, other: Hex): Promise<'Halted'> {
    const id = certificate.vote.transaction;
    const before = await this.#store.get('Issuance', certificateKey(other));
    const item: Item = {
      ...brokenKey(id, other),
      certificate: certificateBytes(certificate),
      ...(before?.['bytes'] instanceof Uint8Array ? { other: before['bytes'] } : {}),
    };
    await this.#store.write({ kind: 'put', table: 'Issuance', item });
    const { asset, epoch } = this.quorum.context;
    // Not the operator's switch, which the operator may release: nothing that a service can be told makes this epoch's tokens good again.
    const stop = { ...quorumBrokenKey(asset, epoch), at: this.#setting.now() };
    await this.#store.write({ kind: 'put', table: 'Serials', item: stop });
    this.#setting.telemetry.record('QuorumBroken', { transaction: id, other });
    return 'Halted';
  }

  /** Sent before it is noted as sent: a crash in between says it twice, under the same id. */
  async #announce({ id, withdraw }: TokenTransaction, certificate: VoteCertificate): Promise<void> {
    const { withdrawn } = this.#setting;
    if (!withdraw || !withdrawn) return;
    if (await this.#store.get('Issuance', announcedKey(id))) return;
    // The certificate that was stored, not the one that came: every delivery is the same bytes.
    const stored = (await this.#store.get('Issuance', certificateKey(id)))?.['bytes'];
    const first = stored instanceof Uint8Array ? parseCertificateBytes(stored) : undefined;
    await withdrawn({ transaction: id, ...withdraw, certificate: first ?? certificate });
    await this.#store.write({ kind: 'put', table: 'Issuance', item: { ...announcedKey(id), at: this.#setting.now() } });
  }

  async #transactionOf(id: Hex, carried: Hex | undefined): Promise<TokenTransaction | undefined> {
    const stored = (await this.#store.get('Issuance', transactionKey(id)))?.['bytes'];
    const bytes = stored instanceof Uint8Array ? stored : carried && fromHex(carried);
    if (!bytes) return undefined;
    const reading = this.#scheme.read(bytes);
    // The id is the hash of the bytes: carried bytes can be no other transaction's.
    return reading.ok && reading.transaction.id === id ? reading.transaction : undefined;
  }

  // ---------------------------------------------------------------------------------------------- rows

  /** The transaction's own rows: what it is, and how a wallet that lost everything finds it. */
  #recorded(transaction: TokenTransaction, vote: { readonly vote?: string; readonly signature?: Hex }): Write[] {
    const { id, bytes } = transaction;
    return [
      {
        kind: 'put',
        table: 'Issuance',
        item: { ...transactionKey(id), bytes, ...vote },
        condition: { kind: 'absent' },
      },
      ...this.#found(transaction, false),
    ];
  }

  /** By its outputs. The first row stays when the second comes: who reads one list after the other must not miss what changes lists in between. */
  #found({ id, outputs }: TokenTransaction, certified: boolean): Write[] {
    return outputs.map(
      (output): Write => ({ kind: 'put', table: 'Issuance', item: { ...outputKey(output, id, certified) } }),
    );
  }

  /** `moved`: something is otherwise than it was read, or nobody knows whether this was applied: the caller reads again. */
  async #transact(writes: readonly Write[]): Promise<{ readonly kind: 'applied' | 'moved' | 'halted' }> {
    const token = toHex(this.#setting.random(16)).slice(2);
    let result: CommitResult;
    try {
      result = await this.#store.transact(writes, token);
    } catch (error) {
      if (!(error instanceof UnknownOutcome)) throw error;
      this.#setting.telemetry.record('UnknownOutcome', { index: this.index });
      return { kind: 'moved' };
    }
    if (result.committed) return { kind: 'applied' };
    const halted = result.failures.some(({ index }) => writes[index]?.kind === 'check');
    return { kind: halted ? 'halted' : 'moved' };
  }

  async #rows(table: 'Serials' | 'Issuance', keys: readonly { pk: string; sk: string }[]): Promise<Map<string, Item>> {
    const distinct = [...new Map(keys.map((key) => [key.pk, key])).values()];
    const items = distinct.length > 0 ? await this.#store.batchGet(table, distinct) : [];
    return new Map(items.map((item) => [item.pk, item]));
  }

  #refused(transaction: Hex | undefined, refusal: Refusal): Refused {
    this.#setting.telemetry.record('TransactionRefused', { reason: refusal.reason });
    return { index: this.index, ...(transaction === undefined ? {} : { transaction }), refusal };
  }
}

function consumedBy({ asset, epoch, tags, deposits }: TokenTransaction): Consumed[] {
  return [
    ...tags.map((tag): Consumed => ({ kind: 'tag', asset, epoch, tag })),
    ...deposits.map(({ depositId }): Consumed => ({ kind: 'deposit', depositId })),
  ];
}

/** From the very state that was read: whoever changed it in between makes this fail. */
function spent(of: Consumed, to: Extract<SerialState, { kind: 'spent' }>, row: Item | undefined): Write {
  const before = row?.['state'];
  return {
    kind: 'put',
    table: 'Serials',
    item: serialItem(of, to),
    condition: typeof before === 'string' ? { kind: 'equals', attribute: 'state', value: before } : { kind: 'absent' },
  };
}

/** The vote that a transaction's row holds; one that came by a certificate has none. */
function votedIn(row: Item | undefined): { readonly vote: Vote; readonly signature: Hex } | undefined {
  const vote = row?.['vote'];
  const signature = row?.['signature'];
  if (typeof vote !== 'string' || typeof signature !== 'string') return undefined;
  return { vote: JSON.parse(vote) as Vote, signature: signature as Hex };
}

function signaturesIn(row: Item): readonly Hex[] {
  return row['signatures'] as readonly Hex[];
}

function sameVote(a: Vote, b: Vote): boolean {
  const text = ({ transaction, tags, deposits, withdraw }: Vote) =>
    JSON.stringify([transaction, tags, deposits, withdraw]);
  return text(a) === text(b);
}
