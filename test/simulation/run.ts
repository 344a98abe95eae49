/**
 * One run: a committee comes together, makes a key and signs while things break; then the faults stop, and everything must end well.
 */
import { COINS, identityOf } from '../../lib/local/committee.ts';
import { itemBytes } from '../../lib/local/limits.ts';
import { bodyOf, type Payload } from '../../lib/messages/catalogue.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { topicQueue } from '../../lib/messages/topics.ts';
import { HALT, READY } from '../../lib/node/rows.ts';
import { TABLES } from '../../lib/ports.ts';
import { isEnd } from './invariants/states.ts';
import type { Violation } from './invariants/violation.ts';
import { beginsKnown, knownCommittee } from './known-committee.ts';
import type { Action } from './swarm.ts';
import { coinOf, SimulatedWorld, type SimulationOptions } from './world.ts';

/** Simulated seconds within which what was begun must end, once the faults have stopped. The longest ceremony has four hours. */
const HEAL_SECONDS = 5 * 3_600;
/** … and within which what is begun after that must succeed. */
const KEYGEN_SECONDS = 600;
/** Two runs of the scheduled rule, and a redelivery. */
const READY_SECONDS = 2_700;
const SIGNING_SECONDS = 600;
/** The longest back-off of an unresolved node. */
const RESOLVE_SECONDS = 7 * 3_600;
const DAY = 86_400;
const SLICE_MS = 900_000;

type Instruction = Payload<'MultisigInstruction'>;
type Sign = Extract<Instruction, { Sign: unknown }>['Sign'];

export interface RunResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly counts: ReadonlyMap<string, number>;
  /** Simulated seconds. */
  readonly simulated: number;
  /** The worst of any role. */
  readonly callsPerDelivery: number;
}

export async function simulate(options: SimulationOptions): Promise<RunResult> {
  const { seed, operators = 3, threshold = 2, coin = coinOf(seed) } = options;
  const known = beginsKnown(seed) ? await knownCommittee(operators, threshold, coin) : undefined;
  const world = new SimulatedWorld({ known, ...options });
  const started = world.cloud.now;
  const run = new Run(world);
  try {
    await run.all();
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  }
  const { tally, violations } = world;
  tally.add('runs');
  for (const [call, times] of world.cloud.inspect.calls()) tally.add(`calls of ${call}`, times);
  return {
    seed: options.seed,
    violations: [...violations],
    counts: tally.counts,
    simulated: (world.cloud.now - started) / 1_000,
    callsPerDelivery: world.auditor.bounds.worst,
  };
}

/** An invariant is broken: what follows would only hide it. */
class Stopped extends Error {}

interface Planned {
  readonly time: number;
  readonly do: () => Promise<void>;
  /** Done after the break, if there was no time for it. */
  readonly late?: true;
}

class Run {
  readonly #world: SimulatedWorld;
  readonly #instructions: { readonly instruction: Instruction; readonly sign: Sign | undefined }[] = [];
  #requests = 0;
  #late: readonly Planned[] = [];
  /** Operators that hid a key or ended a ceremony by their own decision. */
  readonly #abandoned = new Set<number>();

  constructor(world: SimulatedWorld) {
    this.#world = world;
  }

  async all(): Promise<void> {
    const world = this.#world;
    await world.assemble();
    await this.#moment('assembled');
    world.startFaults();
    await this.#break();
    await this.#heal();
    await this.#again();
    await this.#end();
  }

  // ---------------------------------------------------------------------------------------------- break

  async #break(): Promise<void> {
    const world = this.#world;
    const { profile } = world;
    const begun = world.cloud.now;
    const at = (seconds: number): number => begun + seconds * 1_000;
    const plan: Planned[] = profile.actions.map(({ at: seconds, action }) => ({
      time: at(seconds),
      do: () => this.#act(action, plan),
    }));
    // The key first, then a signature as soon as t operators have the key, asked of each operator at a time of its own.
    await this.#moment('keygen');
    if (!world.hasGenesis) this.#beginKeygen(plan);
    const signing = { time: at(profile.breakSeconds / 4), do: async () => this.#beginSigning(plan) };
    plan.push(signing);
    for (let i = 1; i <= 3; i++)
      plan.push({ time: at((profile.breakSeconds * i) / 4), do: () => this.#moment('tick') });
    const end = at(profile.breakSeconds);
    for (;;) {
      plan.sort((a, b) => a.time - b.time);
      await this.#until(Math.min(plan[0]?.time ?? end, end));
      if (!plan[0] || plan[0].time >= end) break;
      await plan.shift()?.do();
    }
    // Who has not been asked to sign by now is asked when all is well again.
    this.#late = plan.filter(({ late }) => late);
  }

  /** Asked of each operator at a time of its own, as where no committee file has a genesis. */
  #beginKeygen(plan: Planned[]): void {
    const { dice, cloud, operators, profile } = this.#world;
    // With a life that may be over before the faults are: who has confirmed by then waits for a certificate.
    const keyGen = this.#keyGen(profile.harmless ? 4 * 3_600 : 600 + dice.below(3_000));
    const spread = dice.below(3) === 0 ? 120 : 5;
    for (const operator of operators)
      plan.push({
        time: cloud.now + dice.below(spread * 1_000),
        late: true,
        do: () => this.#instruct({ KeyGen: keyGen }, [operator]),
      });
  }

  #keyGen(life: number): Extract<Instruction, { KeyGen: unknown }>['KeyGen'] {
    const { coin, t, operators, committee } = this.#world;
    const requestId = this.#requestId();
    return { coin, suite: COINS[coin], t, signers: operators, requestId, expiresAt: committee.now() + life };
  }

  async #beginSigning(plan: Planned[]): Promise<void> {
    const world = this.#world;
    const { dice } = world;
    const keyId = this.#usableKey();
    if (!keyId) {
      // Not yet: the faults are at work. Asked again in a minute, for as long as they last.
      plan.push({ time: world.cloud.now + 60_000, do: () => this.#beginSigning(plan) });
      return;
    }
    await this.#moment('signing');
    // Most runs sign one message once; some sign two at once, and some twice.
    const sometimesTwo = (): number => (dice.below(4) === 0 ? 2 : 1);
    for (let count = sometimesTwo(); count > 0; count--) {
      const sign = this.#sign(keyId, world.profile.harmless ? 4 * 3_600 : 600 + dice.below(3_000), sometimesTwo());
      this.#instructions.push({ instruction: { Sign: sign }, sign });
      const spread = dice.below(3) === 0 ? 300 : 5;
      for (const operator of world.operators)
        plan.push({
          time: world.cloud.now + dice.below(spread * 1_000),
          late: true,
          do: () => this.#instruct({ Sign: sign }, [operator]),
        });
    }
  }

  /** @param plan what an action leads to later is put into it */
  async #act(action: Action, plan: Planned[]): Promise<void> {
    const world = this.#world;
    const { committee } = world;
    world.trace(`ACTION ${JSON.stringify(action)}`);
    world.tally.add(`action: ${action.kind}`);
    switch (action.kind) {
      case 'outage':
        committee.kill(action.operator);
        plan.push({
          time: world.cloud.now + action.seconds * 1_000,
          do: async () => committee.revive(action.operator),
        });
        return;
      case 'halt':
        plan.push({
          time: world.cloud.now + action.seconds * 1_000,
          do: () => this.#control(action.operator, { Release: {} }),
        });
        return this.#control(action.operator, { Halt: {} });
      case 'restore':
        return world.restore(action.operator, action.role, action.table, action.age);
      case 'copy':
        return world.copy(action.operator);
      case 'restart':
        return this.#restart([action.operator]);
      case 'cleanUp':
        return this.#control(action.operator, { CleanUp: {} });
      case 'abandon': {
        const open = world.auditor.states(action.operator).filter((state) => !isEnd(state));
        const chosen = open[world.dice.below(open.length)];
        if (!chosen) return;
        this.#abandoned.add(action.operator);
        return this.#control(action.operator, { Abandon: { ceremony: chosen.ceremony } });
      }
      case 'sameRequest': {
        const known = this.#instructions[world.dice.below(this.#instructions.length)]?.sign;
        if (!known) return;
        const other: Sign = { ...known, messages: ['0x6f74686572'] };
        return this.#instruct({ Sign: other }, [action.operator]);
      }
      case 'repeat': {
        const known = this.#instructions[world.dice.below(this.#instructions.length)];
        if (known) await this.#instruct(known.instruction, [action.operator]);
        return;
      }
      case 'redrive':
        world.redrive();
        return;
    }
  }

  // ---------------------------------------------------------------------------------------------- heal

  /** The faults stop, operators do what the runbook says, and everything that was begun must end. */
  async #heal(): Promise<void> {
    const world = this.#world;
    world.trace('THE FAULTS STOP');
    world.stopFaults();
    world.copied.clear();
    for (const operator of world.operators) {
      world.committee.revive(operator);
    }
    await this.#release();
    if (world.takenBack.size > 0) await this.#restart(world.operators);
    await this.#moment('healed');
    if (
      world.byzantine.size === 0 &&
      world.retired.size === 0 &&
      !(await this.#settle(READY_SECONDS, () => this.#allReady()))
    )
      this.#violation('the operators never came to know each other');
    for (const each of this.#late) await each.do();
    const ended = await this.#settle(HEAL_SECONDS, () => this.#open().length === 0);
    for (const { operator, state } of ended ? [] : this.#open())
      this.#violation(`operator ${operator}: ${state.kind} ${state.ceremony} is still ${state.stage}`);
    await this.#resolve();
    if (world.profile.harmless && world.byzantine.size === 0) this.#allSucceeded();
  }

  /** Queues keep no order: a `Halt` of a moment ago may be handled after the `Release`, so an operator looks, and sends another. */
  async #release(): Promise<void> {
    const world = this.#world;
    const halted = () =>
      this.#live().filter((operator) =>
        world.cloud.inspect
          .items(world.namespace(operator), 'Keys')
          .some(({ pk, sk }) => pk === HALT.pk && sk === HALT.sk),
      );
    for (const operator of world.operators) await this.#control(operator, { Release: {} });
    await this.#settle(3_600, () => true);
    for (let tries = 0; tries < 3 && halted().length > 0; tries++) {
      for (const operator of halted()) await this.#control(operator, { Release: {} });
      await this.#settle(3_600, () => true);
    }
    for (const operator of halted()) this.#violation(`operator ${operator} is still halted after it was released`);
  }

  #allReady(): boolean {
    const { cloud, operators } = this.#world;
    return operators.every((operator) => {
      const rows = cloud.inspect.items(this.#world.namespace(operator), 'Directory');
      return rows.some(({ pk, sk }) => pk === READY.pk && sk === READY.sk);
    });
  }

  /** Who confirmed and heard nothing more gets the certificate, if there is one; if there is none, the operators give up. */
  async #resolve(): Promise<void> {
    const world = this.#world;
    const unresolved = () => this.#reliable().filter((operator) => this.#stages(operator).includes('Unresolved'));
    if (unresolved().length === 0) return;
    const certified = world.auditor.keys.certified.size > 0;
    const resolved = certified && (await this.#settle(RESOLVE_SECONDS, () => unresolved().length === 0));
    if (resolved) return;
    for (const operator of this.#live())
      for (const state of world.auditor.states(operator)) {
        if (state.stage !== 'Unresolved') continue;
        // With a certificate at an honest node, nobody should have been left without it.
        if (this.#reliable().includes(operator) && world.auditor.keys.certificate(state.keyId))
          this.#violation(`operator ${operator} never got the certificate of key ${state.keyId}`);
        await this.#control(operator, { Abandon: { ceremony: state.ceremony } });
        this.#abandoned.add(operator);
      }
    const given = await this.#settle(600, () => unresolved().length === 0);
    if (!given) this.#violation('an abandoned ceremony does not end');
  }

  #allSucceeded(): void {
    const world = this.#world;
    // Who only led, unasked, and came too late for it, tells nobody that it failed.
    for (const operator of world.operators)
      for (const state of world.auditor.states(operator))
        if (state.stage !== 'Succeeded' && !('authorised' in state && !state.authorised))
          this.#violation(`nothing was lost, and operator ${operator} ends ${state.kind} as ${state.stage}`);
  }

  // ---------------------------------------------------------------------------------------------- again

  /** What begins after the faults have stopped must succeed. */
  async #again(): Promise<void> {
    const world = this.#world;
    const { auditor, honest, n, t, byzantine } = world;
    if (!this.#usableKey()) {
      const all = this.#live().length === n;
      const parameters = this.#keyGen(3_600);
      const { requestId } = parameters;
      await this.#moment('keygen');
      await this.#instruct({ KeyGen: parameters });
      const made = () => this.#live().every((operator) => this.#keygenOf(operator, requestId) === 'Succeeded');
      const ended = () => this.#live().every((operator) => isOver(this.#keygenOf(operator, requestId)));
      await this.#settle(all && byzantine.size === 0 ? KEYGEN_SECONDS : 2 * 3_600, ended);
      if (all && byzantine.size === 0 && !made())
        this.#violation('n honest operators did not make a key after the faults had stopped');
      await this.#resolve();
    }
    const keyId = this.#usableKey();
    if (!keyId) return;
    // Where nothing was lost, a signature has been made already: once more in every fourth run is enough.
    if (world.profile.harmless && byzantine.size === 0 && this.#instructions.length > 0 && world.dice.below(4) > 0)
      return;
    const signers = honest.filter(
      (operator) => auditor.keys.statusAt(operator, keyId) === 'certified' && !world.retired.has(operator),
    );
    if (signers.length < t) return;
    await this.#moment('signing');
    const sign = this.#sign(keyId, 3_600, 1);
    this.#instructions.push({ instruction: { Sign: sign }, sign });
    await this.#instruct({ Sign: sign });
    const outcomes = () =>
      signers.filter((operator) =>
        auditor
          .states(operator)
          .some(
            (state) =>
              state.kind === 'signing' && state.parameters.requestId === sign.requestId && state.stage === 'Succeeded',
          ),
      );
    if (!(await this.#settle(SIGNING_SECONDS, () => outcomes().length === signers.length)))
      this.#violation(
        `${signers.length} honest operators were asked to sign, and ${outcomes().length} have a signature`,
      );
    world.tally.add('signatures after the faults');
  }

  // ---------------------------------------------------------------------------------------------- the end

  async #end(): Promise<void> {
    const world = this.#world;
    const { profile, auditor, cloud } = world;
    await this.#settle(2 * 3_600, () => this.#unsent().length === 0);
    for (const what of this.#unsent()) this.#violation(what);
    this.#leftovers();
    const before = this.#picture();
    if (profile.afterlifeDays > 0) {
      await cloud.run({ until: cloud.now + 60_000 });
      cloud.advance(profile.afterlifeDays * DAY);
      world.tally.add('days later', profile.afterlifeDays);
    }
    if (profile.replay) {
      // CTX-08: all that was ever sent, once more, as from a dead-letter queue or an archive.
      world.trace('EVERYTHING COMES AGAIN');
      const archive = [...world.archive];
      for (let at = 0; at < archive.length; at += 100)
        await cloud.bus().send(archive.slice(at, at + 100).map(({ queue, body }) => ({ queue, body })));
      world.tally.add('messages from the archive', archive.length);
      await this.#settle(1_800, () => true);
      const after = this.#picture();
      for (const [what, end] of before)
        if (after.get(what) !== end)
          this.#violation(`what came again turned ${what} from ${end} into ${after.get(what)}`);
    }
    for (const operator of this.#reliable())
      for (const item of cloud.inspect.items(world.namespace(operator), 'Nonces')) {
        const ttl = item['ttl'];
        if (typeof ttl === 'number' && ttl < world.committee.now()) world.tally.add('rows that outlive their TTL');
      }
    const stored = new Map<string, number>();
    for (const operator of world.honest)
      for (const role of [world.coin, 'coordinator']) {
        const namespace = world.namespace(operator, role);
        const bytes = TABLES.flatMap((table) => cloud.inspect.items(namespace, table)).reduce(
          (sum, item) => sum + itemBytes(item),
          0,
        );
        stored.set(namespace, bytes);
      }
    auditor.finish(new Set([...this.#abandoned, ...world.takenBack]), stored);
    this.#stopIfViolated();
  }

  /** The ends of all ceremonies, and who holds which key. (What has not begun may: an instruction that came before its key did is good when it comes again.) */
  #picture(): ReadonlyMap<string, string | undefined> {
    const { auditor } = this.#world;
    const picture = new Map<string, string | undefined>();
    for (const operator of this.#reliable()) {
      for (const state of auditor.states(operator))
        if (isEnd(state)) picture.set(`operator ${operator}'s ${state.kind} ${state.ceremony}`, state.stage);
      for (const keyId of auditor.keys.certified.keys())
        picture.set(`operator ${operator}'s key ${keyId}`, auditor.keys.statusAt(operator, keyId));
    }
    return picture;
  }

  /** What lies in an outbox and is not marked as sent. */
  #unsent(): string[] {
    const world = this.#world;
    const unsent: string[] = [];
    for (const operator of this.#reliable()) {
      const rows = world.cloud.inspect.items(world.namespace(operator), 'Ceremonies');
      const sent = new Map<string, number>();
      for (const { pk, sk, members } of rows)
        if (sk.startsWith('SENT#'))
          sent.set(`${pk} ${sk.slice('SENT#'.length)}`, (members as ReadonlySet<number>).size);
      for (const { pk, sk, bodies } of rows) {
        if (!sk.startsWith('OUT#')) continue;
        const done = sent.get(`${pk} ${sk.slice('OUT#'.length)}`) ?? 0;
        const all = (bodies as readonly string[]).length;
        if (done < all) unsent.push(`operator ${operator} sent ${done} of ${all} of ${sk} of ${pk}`);
      }
    }
    return unsent;
  }

  #leftovers(): void {
    const world = this.#world;
    for (const operator of this.#reliable())
      for (const { sk } of world.cloud.inspect.items(world.namespace(operator), 'Nonces'))
        if (!sk.startsWith('SAID#')) this.#violation(`operator ${operator} keeps ${sk} after the end`);
  }

  // ---------------------------------------------------------------------------------------------- parts

  /** Honest operators whose functions still have their keys. */
  #live(): number[] {
    const { honest, retired } = this.#world;
    return honest.filter((operator) => !retired.has(operator));
  }

  /** … and of whom everything can be expected, also for what was begun before the faults stopped. */
  #reliable(): number[] {
    const { takenBack } = this.#world;
    return this.#live().filter((operator) => !takenBack.has(operator));
  }

  #stages(operator: number): string[] {
    return this.#world.auditor.states(operator).map(({ stage }) => stage);
  }

  #open() {
    return this.#reliable().flatMap((operator) =>
      this.#world.auditor
        .states(operator)
        .filter((state) => !isEnd(state) && state.stage !== 'Unresolved')
        .map((state) => ({ operator, state })),
    );
  }

  #keygenOf(operator: number, requestId: Hex): string | undefined {
    return this.#world.auditor
      .states(operator)
      .find((state) => state.kind === 'keygen' && state.parameters.requestId === requestId)?.stage;
  }

  /** A key that t honest operators may sign with. */
  #usableKey(): Hex | undefined {
    const { auditor, t } = this.#world;
    for (const keyId of auditor.keys.certified.keys()) {
      const holders = this.#live().filter((operator) => auditor.keys.statusAt(operator, keyId) === 'certified');
      if (holders.length >= Math.min(t, this.#live().length)) return keyId;
    }
    return undefined;
  }

  #requestId(): Hex {
    return `0x${(++this.#requests).toString(16).padStart(32, '0')}`;
  }

  #sign(keyId: Hex, life: number, count: number): Sign {
    const { committee, dice } = this.#world;
    const messages = Array.from({ length: count }, () => `0x${Buffer.from(dice.bytes(32)).toString('hex')}` as Hex);
    return { keyId, messages, purpose: 'test', requestId: this.#requestId(), expiresAt: committee.now() + life };
  }

  async #instruct(instruction: Instruction, operators: readonly number[] = this.#world.operators): Promise<void> {
    const { committee, coin, auditor, byzantine } = this.#world;
    if ('Sign' in instruction)
      for (const operator of operators)
        if (!byzantine.has(operator))
          auditor.authority.authorised(operator, instruction.Sign.keyId, instruction.Sign.messages);
    await committee.instruct(coin, instruction, operators);
  }

  async #control(operator: number, control: Payload<'Control'>): Promise<void> {
    const { committee, coin } = this.#world;
    await committee.post(coin, 'Control', bodyOf('Control', control), [operator]);
  }

  /** `coterie start`, and the committee file once more: what an operator does after it has restored something. */
  async #restart(operators: readonly number[]): Promise<void> {
    const { cloud, committee, coin } = this.#world;
    const messages = operators.flatMap((operator) =>
      [coin, 'coordinator'].flatMap((role) => [
        { queue: topicQueue(identityOf(operator), role, 'Start'), body: bodyOf('Start', {}) },
        {
          queue: topicQueue(identityOf(operator), role, 'CommitteeAccepted'),
          body: bodyOf('CommitteeAccepted', { committee: committee.committee.file }),
        },
      ]),
    );
    await cloud.bus().send(messages);
  }

  async #moment(moment: 'assembled' | 'keygen' | 'signing' | 'healed' | 'tick'): Promise<void> {
    await this.#world.puppeteer?.moment(moment);
  }

  async #until(time: number): Promise<void> {
    const { cloud, violations } = this.#world;
    if (time > cloud.now) await cloud.run({ until: time, stopWhen: () => violations.length > 0 });
    this.#stopIfViolated();
  }

  /** Runs until `done` and nothing is left to handle. @returns whether that was within so many simulated seconds */
  async #settle(seconds: number, done: () => boolean): Promise<boolean> {
    const world = this.#world;
    const { cloud, violations } = world;
    const until = cloud.now + seconds * 1_000;
    const settled = (): boolean => done() && world.drained();
    while (cloud.now < until) {
      world.redrive();
      // In slices: an operator redrives its dead letters now and then.
      const slice = Math.min(until, cloud.now + SLICE_MS);
      const why = await cloud.run({ until: slice, stopWhen: () => violations.length > 0 || settled() });
      this.#stopIfViolated();
      if (why === 'stopped' && world.redrive() === 0) return true;
    }
    return settled();
  }

  #violation(what: string): void {
    this.#world.trace(`VIOLATION of liveness: ${what}`);
    this.#world.auditor.violations.push({ invariant: 12, what });
  }

  #stopIfViolated(): void {
    if (this.#world.violations.length > 0) throw new Stopped();
  }
}

function isOver(stage: string | undefined): boolean {
  return stage === 'Succeeded' || stage === 'Failed' || stage === 'Unresolved';
}
