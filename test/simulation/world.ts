/**
 * One committee in a hostile world: the deployed functions, unmodified, over the embedded cloud, with everything drawn from one seed.
 *
 * Every port call of every function is a scheduling point, so that two invocations of one operator interleave there, and a place where things go wrong. The
 * auditor looks on.
 */

import type { Faults, LocalCloud, TableSnapshot } from '../../lib/local/cloud.ts';
import {
  COINS,
  type Coin,
  identityOf,
  LocalCommittee,
  type Report,
  type RoleName,
  RULE_SECONDS,
} from '../../lib/local/committee.ts';
import type { PortCall } from '../../lib/local/gate.ts';
import { Crash } from '../../lib/local/gate.ts';
import { SeededRandom } from '../../lib/local/random.ts';
import { bodyOf } from '../../lib/messages/catalogue.ts';
import type { Committee } from '../../lib/messages/committee.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { hpkeSealer, type Sealer } from '../../lib/messages/sealing.ts';
import { inboxQueue, topicQueue } from '../../lib/messages/topics.ts';
import type { NodeFunction } from '../../lib/node/function.ts';
import { OWN_KEYS } from '../../lib/node/rows.ts';
import {
  type MessageBus,
  type OutgoingMessage,
  type Ports,
  type QueueName,
  TABLES,
  type Table,
  Throttled,
  Unavailable,
  UnknownOutcome,
} from '../../lib/ports.ts';
import type { Casting } from './adversary.ts';
import { Auditor, COPY_SUFFIX } from './auditor.ts';
import type { Violation } from './invariants/violation.ts';
import { Keyring } from './keyring.ts';
import type { KnownCommittee } from './known-committee.ts';
import { type NextVersion, nextVersion } from './next-version.ts';
import { Puppeteer } from './puppeteer.ts';
import { SecretScan } from './secret-scan.ts';
import { seedBytes } from './seed.ts';
import { standInSealer } from './stand-in-sealer.ts';
import { drawProfile, MOST_SNAPSHOTS, type Profile } from './swarm.ts';
import { Tally } from './tally.ts';

export const DEAD_LETTERS = 'coterie-simulation-dead-letters' as QueueName;
const LEASE_SECONDS = 361;
/** Lease expiries of one run: each takes six minutes of everybody's time. */
const MOST_EXPIRIES = 4;
/** Some twenty times what the busiest run has. */
const MOST_BATCHES = 60_000;

export interface SimulationOptions {
  readonly seed: number;
  readonly operators?: number;
  readonly threshold?: number;
  readonly coin?: Coin;
  readonly casting?: Casting | undefined;
  /** Over the drawn profile, for tests of single faults. */
  readonly profile?: Partial<Profile>;
  /** Who knows each other already: the run begins with their tables, and with no key. */
  readonly known?: KnownCommittee | undefined;
  /** A defect of the product, put into a role's ports: what the auditor must find. */
  readonly sabotage?: (ports: Ports, role: RoleName) => Ports;
  /** Told of everything that happens, in words. */
  readonly trace?: (line: string) => void;
}

/** Half of the runs each. */
export function coinOf(seed: number): Coin {
  return new SeededRandom(seedBytes(seed), 'coin').below(2) === 0 ? 'sol' : 'btc';
}

/** No faults at all: also what is left when the faults stop. */
const NO_FAULTS: Required<Pick<Faults, 'duplicate' | 'delay'>> = { duplicate: 0, delay: 0 };

export class SimulatedWorld {
  readonly n: number;
  readonly t: number;
  readonly coin: Coin;
  readonly profile: Profile;
  readonly tally = new Tally();
  readonly auditor: Auditor;
  readonly committee: LocalCommittee;
  readonly dice: SeededRandom;
  readonly byzantine: ReadonlySet<number>;
  readonly puppeteer: Puppeteer | undefined;
  /** Every message that a queue took, for a later replay. */
  readonly archive: OutgoingMessage[] = [];
  /** Their keys are gone for good: in an account, the stack would be deleted. */
  readonly retired = new Set<number>();
  /** Some table of theirs was taken back or copied: what was open then may stay where it is. */
  readonly takenBack = new Set<number>();
  readonly copied = new Set<number>();
  readonly #known: KnownCommittee | undefined;
  readonly #callDice: SeededRandom;
  readonly #batchDice: SeededRandom;
  readonly #faults: { -readonly [K in keyof Faults]: Faults[K] };
  readonly #trace: ((line: string) => void) | undefined;
  readonly #messagingKeys = new Map<number, Hex>();
  readonly #snapshots = new Map<string, TableSnapshot[]>();
  /** Ids of messages that some function was given. */
  readonly #delivered = new Set<string>();
  readonly #writers = new Map<string, Set<string>>();
  #next: NextVersion | undefined;
  #faulty = false;
  #expiries = 0;
  #batches = 0;
  /** Whether the call that is being done changed anything. */
  #changed = false;

  constructor(options: SimulationOptions) {
    const { seed, operators = 3, threshold = 2, coin = coinOf(seed), casting, trace } = options;
    this.n = operators;
    this.t = threshold;
    this.coin = coin;
    this.#trace = trace;
    const bytes = seedBytes(seed);
    this.dice = new SeededRandom(bytes, 'simulation');
    this.#callDice = new SeededRandom(bytes, 'simulation/calls');
    this.#batchDice = new SeededRandom(bytes, 'simulation/batches');
    this.profile = { ...drawProfile(bytes, seed, { operators }), ...options.profile };
    this.byzantine = new Set(casting?.operators);
    const scan = this.profile.scan ? new SecretScan() : undefined;
    const known = this.profile.realSealing ? undefined : options.known;
    this.#known = known;
    const keyring = new Keyring((key) => scan?.secret('a data key', key), known?.keyring);
    this.auditor = new Auditor({
      coin,
      suite: COINS[coin],
      operators,
      threshold,
      byzantine: this.byzantine,
      keyring,
      tally: this.tally,
      scan,
      onViolation: (violation) => this.trace(`VIOLATION of invariant ${violation.invariant}: ${violation.what}`),
    });
    const { sealer, dice } = {
      sealer: this.auditor.testimony.watch(
        this.profile.realSealing ? hpkeSealer : standInSealer(new SeededRandom(bytes, 'stand-in').bytes(32)),
      ) satisfies Sealer,
      dice: new SeededRandom(bytes, 'adversary'),
    };
    this.#faults = {
      ...NO_FAULTS,
      ttlLagSeconds: this.profile.ttlLagSeconds,
      dueLagSeconds: this.profile.dueLagSeconds,
    };
    this.committee = new LocalCommittee({
      operators,
      threshold,
      coins: [coin],
      genesisLife: 4 * 3_600,
      queues: {
        deadLetterQueue: DEAD_LETTERS,
        maxReceiveCount: this.profile.faultsFromTheStart ? 1_000 : this.profile.maxReceiveCount,
      },
      cloud: {
        seed: bytes,
        clock: 'virtual',
        faults: this.#faults,
        concurrency: this.profile.concurrency,
        background: this.profile.realSealing,
        ...(known ? { image: known.image } : {}),
      },
      instruments: {
        ports: (ports, role) => {
          const own = this.#ports(ports, role, keyring, scan);
          return options.sabotage?.(own, role) ?? own;
        },
        run: (handler, role) => this.#run(handler, role),
        sealer,
      },
    });
    this.puppeteer = casting
      ? new Puppeteer({
          casting,
          coin,
          suite: COINS[coin],
          n: operators,
          t: threshold,
          auditor: this.auditor,
          sealer,
          dice,
          now: () => this.committee.now(),
          tally: this.tally,
          bus: this.cloud.bus(),
          messagingKey: (operator) => this.#messagingKeys.get(operator),
        })
      : undefined;
    this.#watch();
  }

  get cloud(): LocalCloud {
    return this.committee.cloud;
  }

  get violations(): readonly Violation[] {
    return this.auditor.violations;
  }

  get operators(): number[] {
    return Array.from({ length: this.n }, (_, i) => i + 1);
  }

  get honest(): number[] {
    return this.operators.filter((operator) => !this.byzantine.has(operator));
  }

  namespace(operator: number, role: string = this.coin): string {
    return `${identityOf(operator)}/${role}`;
  }

  trace(line: string): void {
    this.#trace?.(`${new Date(this.cloud.now).toISOString()} ${line}`);
  }

  /** Keys, cards, committee file; what follows (the exchange of keys, the genesis ceremony) is left to {@link LocalCloud.run}. */
  async assemble(): Promise<void> {
    if (this.profile.batches.nextVersion > 0) this.#next = await nextVersion();
    if (this.profile.faultsFromTheStart) this.startFaults();
    const committee = this.#known ? this.#adopt(this.#known) : await this.committee.assemble();
    // No operator has a backup from before its keys: without them it would be another operator.
    this.#snapshots.clear();
    for (const { action } of this.#known ? this.profile.actions : [])
      if (action.kind === 'restore') this.#keepSnapshot(this.#restored(action), action.table);
    this.auditor.agreed(committee);
    this.puppeteer?.agreed(committee);
    for (const operator of this.operators) {
      const [keys] = this.cloud.inspect
        .items(this.namespace(operator), 'Directory')
        .filter(({ sk }) => sk === OWN_KEYS.sk);
      this.#messagingKeys.set(operator, keys?.['messagingKey'] as Hex);
      for (const role of [this.coin, 'coordinator'])
        this.cloud.schedule(topicQueue(identityOf(operator), role, 'Wake'), bodyOf('Wake', {}), RULE_SECONDS);
    }
  }

  /** Whether the run begins with a committee that makes its key by itself; otherwise its clients ask for one. */
  get hasGenesis(): boolean {
    return this.#known === undefined;
  }

  #adopt({ image, committee }: KnownCommittee): Committee {
    this.committee.adopt(committee);
    for (const { name, items } of image.tables) {
      const at = name.lastIndexOf('/');
      const [namespace, table] = [name.slice(0, at), name.slice(at + 1) as Table];
      for (const item of items)
        this.auditor.changed({ namespace, table, key: { pk: item.pk, sk: item.sk }, before: undefined, after: item });
    }
    return committee;
  }

  startFaults(): void {
    if (this.#faulty) return;
    this.#faulty = true;
    // Not `refuse`: the clients of this world do not try again.
    const { refuse: _, ...rates } = this.profile.messages;
    Object.assign(this.#faults, rates);
    for (const operator of this.operators) this.#setClock(operator, this.profile.skewMs[operator - 1] ?? 0);
  }

  /** Clocks are set, links work, nobody crashes; what happened stays. */
  stopFaults(): void {
    this.#faulty = false;
    Object.assign(this.#faults, NO_FAULTS);
    for (const operator of this.operators) this.#setClock(operator, 0);
  }

  get faulty(): boolean {
    return this.#faulty;
  }

  /** Puts the table of `age` changes ago in the place of the one that is there. */
  restore(operator: number, role: 'processor' | 'coordinator', table: Table, age: number): void {
    const namespace = this.#restored({ operator, role });
    const kept = this.#snapshots.get(`${namespace} ${table}`) ?? [];
    const snapshot = kept.at(-1 - age) ?? kept[0];
    if (!snapshot) return;
    this.trace(
      `operator ${operator}'s ${role} gets its ${table} of ${Math.min(age, kept.length - 1)} changes ago back`,
    );
    this.cloud.restoreTable(namespace, snapshot);
    this.auditor.restored(namespace, table, snapshot.items);
    this.takenBack.add(operator);
    this.tally.add('restores');
    this.tally.add(`a ${role}'s ${table} taken back`);
    // Its own keys were wrapped for the table that is gone.
    if (table === 'Keys') this.retired.add(operator);
  }

  /** A second stack over copies of an operator's tables, on the same queues. */
  copy(operator: number): void {
    for (const table of TABLES)
      this.cloud.copyTable(this.namespace(operator), table, `${this.namespace(operator)}${COPY_SUFFIX}`);
    this.trace(`operator ${operator}'s tables are copied, and some of its messages handled on the copies`);
    this.copied.add(operator);
    this.takenBack.add(operator);
  }

  /** Nothing waits for a function, or is in one's hands. */
  drained(): boolean {
    return !this.cloud.inspect.busy(DEAD_LETTERS);
  }

  redrive(): number {
    const back = this.cloud.redrive(DEAD_LETTERS);
    if (back > 0) this.trace(`${back} dead letters go back`);
    if (back > 0) this.tally.add('dead letters that went back', back);
    return back;
  }

  // ---------------------------------------------------------------------------------------------- instruments

  #watch(): void {
    const { cloud, committee, auditor } = this;
    cloud.createQueue(DEAD_LETTERS);
    cloud.inspect.onChange((change) => {
      this.#changed = true;
      auditor.changed(change);
      const { namespace, table, key, after } = change;
      if (this.#isRestoredLater(namespace, table)) this.#keepSnapshot(namespace, table);
      if (after && key.sk === 'STATE')
        this.#wrote(`${namespace} ${key.pk}`, 'sinceNextVersion' in after ? 'next' : 'this');
    });
    cloud.inspect.onSend((message) => {
      this.archive.push(message);
      auditor.sent(message);
      this.puppeteer?.sent(message);
    });
    cloud.inspect.onFailure((queue, error) => {
      auditor.failed(error);
      if (error instanceof Crash) this.trace(`${queue} dies ${error.message}`);
    });
    cloud.inspect.onLateCall((queue, { operation }) => {
      this.#defect(`the function of ${queue} calls ${operation} after it has returned`);
    });
    committee.onReport((report) => this.#reported(report));
    cloud.intercept((call) => this.#call(call));
  }

  #defect(what: string): void {
    this.#violated(12, what);
  }

  #violated(invariant: Violation['invariant'], what: string): void {
    const violation: Violation = { invariant, what };
    this.auditor.violations.push(violation);
    this.trace(`VIOLATION: ${what}`);
  }

  #reported(report: Report): void {
    this.auditor.reported(report);
    if (this.#trace)
      this.trace(`  operator ${report.operator} ${report.role}: ${report.event} ${JSON.stringify(report.fields)}`);
  }

  #wrote(place: string, version: string): void {
    const writers = this.#writers.get(place) ?? new Set();
    if (writers.size === 1 && !writers.has(version)) this.tally.add('two versions in one ceremony');
    this.#writers.set(place, writers.add(version));
  }

  #isRestoredLater(namespace: string, table: Table): boolean {
    return this.profile.actions.some(
      ({ action }) => action.kind === 'restore' && action.table === table && this.#restored(action) === namespace,
    );
  }

  #restored({ operator, role }: { readonly operator: number; readonly role: 'processor' | 'coordinator' }): string {
    return this.namespace(operator, role === 'processor' ? this.coin : 'coordinator');
  }

  #keepSnapshot(namespace: string, table: Table): void {
    const name = `${namespace} ${table}`;
    const kept = this.#snapshots.get(name) ?? [];
    kept.push(this.cloud.snapshotTable(namespace, table));
    if (kept.length > MOST_SNAPSHOTS) kept.shift();
    this.#snapshots.set(name, kept);
  }

  #setClock(operator: number, skewMs: number): void {
    for (const role of [this.coin, 'coordinator']) this.cloud.clock(this.namespace(operator, role), skewMs);
  }

  #ports(ports: Ports, { operator, name }: RoleName, keyring: Keyring, scan: SecretScan | undefined): Ports {
    const { random, wrapper } = ports;
    const bus = this.byzantine.has(operator)
      ? this.#puppetBus(ports.bus, operator, name)
      : this.#leakyBus(ports.bus, operator, name);
    return {
      ...ports,
      bus,
      wrapper: keyring.watch(wrapper),
      random: {
        bytes: (length) => {
          const bytes = random.bytes(length);
          // Shorter draws are tokens and the nonces of wrapped rows: both are public.
          if (length >= 32 && !this.byzantine.has(operator))
            scan?.secret(`${length} random bytes of operator ${operator}`, bytes);
          return bytes;
        },
      },
    };
  }

  #puppetBus(bus: MessageBus, operator: number, role: string): MessageBus {
    // The puppeteer is made after the committee, and before anything is sent.
    return { send: (messages) => (this.puppeteer?.bus(bus, { operator, role }) ?? bus).send(messages) };
  }

  /** Queues refuse some of a role's messages, and a coordinator loses some of what it should forward to some peers. */
  #leakyBus(bus: MessageBus, operator: number, role: string): MessageBus {
    const rates = new Map<QueueName, number>();
    for (const peer of this.operators) {
      const rate = this.profile.lossy.get(`${operator}>${peer}`);
      if (role === 'coordinator' && rate) rates.set(inboxQueue(identityOf(peer), identityOf(operator)), rate);
    }
    if (rates.size === 0 && this.profile.messages.refuse === 0) return bus;
    return {
      send: async (messages) => {
        const kept: number[] = [];
        const refused: number[] = [];
        for (const [index, { queue }] of messages.entries()) {
          if (this.#faulty && this.#callDice.chance(this.profile.messages.refuse)) {
            this.tally.add('messages refused');
            refused.push(index);
          } else if (this.#faulty && this.#callDice.chance(rates.get(queue))) this.tally.add('parcels lost');
          else kept.push(index);
        }
        for (const index of await bus.send(kept.map((at) => messages[at] as OutgoingMessage)))
          refused.push(kept[index] as number);
        return refused.sort((a, b) => a - b);
      },
    };
  }

  #run(handler: NodeFunction, role: RoleName): NodeFunction {
    const { operator, namespace } = role;
    const { nextVersion: next, partialFailure, onCopy } = this.profile.batches;
    return {
      ...handler,
      run: async (environment, batch) => {
        this.auditor.bounds.delivered(namespace, batch.length);
        if (++this.#batches === MOST_BATCHES)
          this.#violated(11, `${MOST_BATCHES} batches, and no end: the last on ${batch[0]?.queue ?? 'no queue'}`);
        for (const { messageId, receiveCount } of batch) {
          if (receiveCount === 1 && this.#delivered.has(messageId)) this.tally.add('duplicates');
          this.#delivered.add(messageId);
        }
        if (this.retired.has(operator)) return { failed: [] };
        if (this.#faulty && batch.some(({ receiveCount }) => receiveCount > 1)) {
          this.tally.add('redeliveries');
          if (this.takenBack.has(operator)) this.tally.add('a restore, then a redelivery');
        }
        let ports = environment.ports;
        if (this.#faulty && this.copied.has(operator) && role.name === this.coin && this.#batchDice.chance(onCopy)) {
          this.tally.add('batches on a copy of the tables');
          ports = { ...ports, store: this.cloud.store(`${namespace}${COPY_SUFFIX}`) };
        }
        const isNext = this.#next && this.#batchDice.chance(next) ? this.#next : undefined;
        const result = await (isNext
          ? isNext.of(handler).run({ ...environment, ports: isNext.ports(ports) }, batch)
          : handler.run({ ...environment, ports }, batch));
        // What a liar's own functions cannot handle is nobody's concern.
        if (this.byzantine.has(operator) && !this.#faulty) return { failed: [] };
        if (!this.#faulty || partialFailure === 0) return result;
        const failed = new Set(result.failed);
        for (const { messageId } of batch) {
          if (failed.has(messageId) || !this.#batchDice.chance(partialFailure)) continue;
          failed.add(messageId);
          this.tally.add('records handled and reported as failed');
        }
        return { failed: [...failed] };
      },
    };
  }

  // ---------------------------------------------------------------------------------------------- port calls

  #call(call: PortCall): void {
    if (call.namespace === '') return;
    if (call.when === 'before') {
      this.auditor.bounds.called(call.namespace);
      if (this.#faulty) this.#before(call);
      this.#changed = false;
    } else if (this.#faulty) {
      this.#after(call);
    }
  }

  #before(call: PortCall): void {
    const { calls } = this.profile;
    const dice = this.#callDice;
    const { port, operation, namespace } = call;
    if (dice.chance(calls.clockJump)) {
      const [identity = ''] = namespace.split('/');
      this.#setClock(Number(identity.slice('operator'.length)), dice.below(1_200_001) - 600_000);
      this.tally.add('clock jumps');
    }
    if (this.#expiries < MOST_EXPIRIES && dice.chance(calls.leaseExpiry)) {
      this.#expiries++;
      this.cloud.advance(LEASE_SECONDS);
      this.tally.add('a lease expired in mid-run');
      this.trace(`${namespace} is slow: its messages become visible again`);
    }
    if (dice.chance(calls.crashBefore)) this.#crash(call);
    if (port === 'wrapper' && dice.chance(calls.kmsDenied)) {
      this.tally.add('KMS denials');
      throw new Unavailable(`${operation}: access denied`);
    }
    if (port !== 'bus' && dice.chance(calls.throttle)) {
      this.tally.add('throttled calls');
      throw new Throttled(`${operation}: slow down`);
    }
    if (operation === 'transact' && dice.chance(calls.conflict)) {
      this.tally.add('transaction conflicts');
      throw new Throttled('transact: another transaction is in progress on an item');
    }
    if (isWrite(call) && dice.chance(calls.unknownNotApplied)) {
      this.tally.add('no answer, and nothing done');
      throw noAnswer(call);
    }
  }

  #after(call: PortCall): void {
    const { calls } = this.profile;
    const dice = this.#callDice;
    const changed = this.#changed;
    this.#changed = false;
    if (isWrite(call) && dice.chance(calls.appliedButError)) {
      this.tally.add(changed || call.port === 'bus' ? 'applied, but an error' : 'refused, but an error');
      throw noAnswer(call);
    }
    if (dice.chance(calls.crashAfter)) {
      const says =
        call.operation === 'transact' &&
        call.args[0].some((write) => write.kind === 'put' && write.item.sk.startsWith('OUT#'));
      if (changed && says) this.tally.add('a crash between commit and send');
      this.#crash(call);
    }
  }

  #crash({ when, port, operation, namespace }: PortCall): never {
    this.tally.add('crashes');
    throw new Crash(`${when} ${port}.${operation} of ${namespace}`);
  }
}

function isWrite({ operation }: PortCall): boolean {
  return operation === 'write' || operation === 'transact' || operation === 'addToSet' || operation === 'send';
}

function noAnswer({ port, operation }: PortCall): Error {
  return port === 'bus' ? new Unavailable(`${operation}: no answer`) : new UnknownOutcome(`${operation}: no answer`);
}
