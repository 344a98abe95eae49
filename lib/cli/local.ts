/** `coterie local`: a committee in this process, driven by lines of JSON on stdin; what its operators tell their clients goes to stdout. */
import { COINS, type Coin, LocalCommittee } from '../local/committee.ts';
import { systemRandom } from '../local/random.ts';
import { bodyOf, type Payload } from '../messages/catalogue.ts';
import { type MultisigEvent, refusedEvent } from '../messages/events.ts';
import { type Hex, toHex } from '../messages/hex.ts';
import { COCONUT_SUITE, type SigningParameters } from '../messages/parameters.ts';
import { parseQueueName } from '../messages/topics.ts';
import type { Random } from '../ports.ts';
import { type Asked, AskedCeremonies } from './asked.ts';
import { addressText } from './endpoint/address.ts';
import { EndpointServer } from './endpoint/server.ts';
import { linesOf } from './lines.ts';
import { type Input, type KeyGenLine, parseInput, type SignLine } from './local-input.ts';
import type { LocalOptions } from './local-options.ts';

/** Seconds that a ceremony may take if the line does not say when it expires. */
const DEFAULT_LIFE = 600;
const DRAIN_POLL_MILLISECONDS = 20;
const DRAIN_LIMIT_MILLISECONDS = 5_000;
/** The coin that a `Refused` event names where the line names none. */
const NO_COIN = 'none';

type Refusal = Extract<MultisigEvent, { Refused: unknown }>['Refused'];

export interface LocalStreams {
  readonly input: AsyncIterable<Uint8Array>;
  /** Takes one line, without its end. */
  readonly output: (line: string) => void;
  /** What only people want to know. */
  readonly note: (line: string) => void;
  /** Where the committee can be reached, once it can. */
  readonly listening?: (at: string) => void;
  /** Ends the run at once. */
  readonly signal: AbortSignal;
}

/** Runs on the process's own streams until the input ends and everything asked for has ended, or until Ctrl-C. @returns the exit status */
export async function local(options: LocalOptions): Promise<number> {
  const abort = new AbortController();
  const stop = () => {
    abort.abort();
    process.stdin.destroy();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  // Whoever read the events has gone: nothing is left to do.
  process.stdout.once('error', stop);
  await serve(options, {
    input: process.stdin,
    output: (line) => process.stdout.write(`${line}\n`),
    note: (line) => (process.stderr.isTTY ? process.stderr.write(`${line}\n`) : undefined),
    listening: (at) =>
      process.stderr.write(`coterie: the committee is at ${at}; for other commands: export COTERIE_AT=${at}\n`),
    signal: abort.signal,
  });
  process.off('SIGINT', stop);
  process.off('SIGTERM', stop);
  return 0;
}

export async function serve(options: LocalOptions, streams: LocalStreams): Promise<void> {
  const service = new Service(options, streams);
  const aborted = new Promise<'aborted'>((resolve) => {
    if (streams.signal.aborted) resolve('aborted');
    streams.signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
  try {
    await Promise.race([service.run(), aborted]);
  } catch (error) {
    if (!streams.signal.aborted) throw error;
  } finally {
    await service.stop();
  }
}

/** Tells who died of what, besides killing. */
class Embedded extends LocalCommittee {
  readonly #deaths: ((operator: number) => void)[] = [];

  onDeath(listener: (operator: number) => void): void {
    this.#deaths.push(listener);
  }

  override kill(operator: number): void {
    super.kill(operator);
    for (const listener of this.#deaths) listener(operator);
  }
}

class Service {
  readonly #options: LocalOptions;
  readonly #streams: LocalStreams;
  readonly #committee: Embedded;
  readonly #random: Random;
  readonly #asked = new AskedCeremonies();
  readonly #dead = new Set<number>();
  readonly #ready = new Set<string>();
  /** Lines that wait for a key. */
  readonly #waiting = new Set<Promise<void>>();
  #allReady: () => void = () => {};
  readonly #endpoint: EndpointServer | undefined;

  constructor(options: LocalOptions, streams: LocalStreams) {
    this.#options = options;
    this.#streams = streams;
    const { operators, threshold, coins, allowSingleSigner, genesis, dies, liar } = options;
    this.#committee = new Embedded({
      operators,
      threshold,
      coins,
      allowSingleSigner,
      genesis,
      ...(dies ? { dies } : {}),
      ...(liar ? { liar } : {}),
      cloud: { seed: options.seed ?? systemRandom.bytes(32), clock: 'real' },
    });
    this.#random = this.#committee.cloud.random('local');
    // Before anything is said, so that it remembers the first word, too.
    this.#endpoint = options.endpoint ? new EndpointServer(this.#committee) : undefined;
    this.#committee.onOutcome((event, operator, coin) => this.#hear(event, operator, coin));
    this.#committee.onDeath((operator) => {
      this.#dead.add(operator);
      this.#asked.died(operator);
      this.#checkReady();
    });
  }

  async run(): Promise<void> {
    const { operators, threshold, coins, genesis, killed } = this.#options;
    const ready = new Promise<void>((resolve) => {
      this.#allReady = resolve;
    });
    this.#committee.cloud.start();
    const committee = await this.#committee.assemble();
    if (genesis) for (const coin of coins) this.#askedByGenesis(coin);
    await ready;
    this.#committee.runRules();
    for (const operator of killed) this.#committee.kill(operator);
    await this.#listen();
    this.#streams.note(
      `committee ${committee.id}: ${operators} operators, any ${threshold} of them sign; one JSON message per line on stdin`,
    );

    for await (const line of linesOf(this.#streams.input)) {
      if (!line.ok) this.#refuse({ reason: 'Malformed', detail: line.reason });
      else await this.#take(line.text);
    }
    // Other commands go on asking when nobody writes lines any more: until Ctrl-C.
    if (this.#endpoint) await new Promise(() => {});
    await Promise.all(this.#waiting);
    await this.#asked.allEnded();
    await this.#drained();
  }

  async #listen(): Promise<void> {
    const { endpoint } = this.#options;
    if (!endpoint || !this.#endpoint) return;
    const address = await this.#endpoint.listen(endpoint);
    this.#streams.listening?.(addressText(address));
  }

  async stop(): Promise<void> {
    await this.#endpoint?.close();
    await this.#committee.cloud.stop();
  }

  #hear(event: MultisigEvent, operator: number, coin: Coin): void {
    this.#streams.output(bodyOf('MultisigEvent', event));
    this.#asked.hear(event, operator);
    if (!('ReadyToKeygen' in event)) return;
    this.#ready.add(`${coin}/${operator}`);
    this.#checkReady();
  }

  #checkReady(): void {
    if (this.#living().every((operator) => this.#options.coins.every((coin) => this.#ready.has(`${coin}/${operator}`))))
      this.#allReady();
  }

  #living(): number[] {
    return everyone(this.#options.operators).filter((operator) => !this.#dead.has(operator));
  }

  // ---------------------------------------------------------------------------------------------- lines

  async #take(text: string): Promise<void> {
    const parsed = parseInput(text, this.#options.operators);
    if (!parsed.ok) return this.#refuse({ reason: 'Malformed', detail: parsed.reason });
    const { input } = parsed;
    switch (input.kind) {
      case 'KeyGen':
        return this.#keyGen(input.keyGen, input.operators);
      case 'Sign':
        return this.#sign(input.sign, input.operators);
      case 'Control':
        return this.#control(input);
    }
  }

  async #keyGen(line: KeyGenLine, operators: readonly number[] | undefined): Promise<void> {
    const { coin } = line;
    const named = line.requestId === undefined ? { coin } : { coin, requestId: line.requestId };
    if (!this.#options.coins.includes(coin)) {
      return this.#refuse({
        ...named,
        reason: 'ConfigurationMismatch',
        detail: `KeyGen.coin: expected one of ${this.#options.coins.join(', ')}, got ${coin}`,
      });
    }
    const signers = line.signers ?? everyone(this.#options.operators);
    const stranger = signers.find((index) => index > this.#options.operators);
    if (stranger !== undefined) {
      return this.#refuse({
        ...named,
        reason: 'Malformed',
        detail: `KeyGen.signers: expected indexes from 1 to ${this.#options.operators}, got ${stranger}`,
      });
    }
    const { suite = COINS[coin], t = this.#options.threshold } = line;
    const common = {
      coin,
      suite,
      t,
      signers,
      requestId: line.requestId ?? this.#requestId(),
      expiresAt: line.expiresAt ?? this.#expiresAt(),
    };
    const told = operators ?? signers;
    this.#asked.add(coin, { kind: 'keygen', committee: this.#committee.committee.id, ...common }, told);
    await this.#committee.instruct(coin, { KeyGen: common }, told);
  }

  /** Sent at once if the key is there; else the line waits, and the next lines do not. */
  async #sign(line: SignLine, operators: readonly number[] | undefined): Promise<void> {
    const { keyId = 'latest' } = line;
    const requestId = line.requestId ?? this.#requestId();
    if (keyId === 'latest') {
      const coins = new Set(this.#asked.keygens.map(({ coin }) => coin));
      const maker = this.#asked.latestKeygen(line.coin);
      if (!maker) {
        const of = line.coin ? ` of ${line.coin}` : '';
        return this.#refuse({
          coin: line.coin ?? NO_COIN,
          requestId,
          reason: 'UnknownKey',
          detail: `Sign.keyId: expected a KeyGen${of} before "latest", got none`,
        });
      }
      if (line.coin === undefined && this.#fromGenesis(maker) && coins.size > 1) {
        return this.#refuse({
          requestId,
          reason: 'UnknownKey',
          detail: `Sign.coin: expected one of ${[...coins].join(', ')} beside "latest", got nothing`,
        });
      }
      return this.#afterwards([maker.ended], () => this.#signWith(maker, line, requestId, operators));
    }
    const known = this.#asked.keyMaker(keyId);
    if (known) return this.#signWith(known, line, requestId, operators);
    const running = this.#asked.keygens.filter(({ owing }) => owing.size > 0);
    return this.#afterwards(
      running.map(({ ended }) => ended),
      async () => {
        const maker = this.#asked.keyMaker(keyId);
        if (maker) return this.#signWith(maker, line, requestId, operators);
        this.#refuse({
          coin: line.coin ?? NO_COIN,
          requestId,
          reason: 'UnknownKey',
          detail: `Sign.keyId: expected a key that was made here, got ${keyId}`,
        });
      },
    );
  }

  async #signWith(
    maker: Asked,
    line: SignLine,
    requestId: Hex,
    operators: readonly number[] | undefined,
  ): Promise<void> {
    const { coin, keyId } = maker;
    if (keyId === undefined) {
      const detail =
        `Sign.keyId: expected a key, but its generation ended ${maker.reason ?? 'without an outcome'}`.slice(0, 500);
      return this.#refuse({ coin, requestId, reason: 'UnknownKey', detail });
    }
    if (line.coin !== undefined && line.coin !== coin) {
      return this.#refuse({
        coin: line.coin,
        requestId,
        reason: 'UnknownKey',
        detail: `Sign.coin: expected ${coin}, the coin of the key, got ${line.coin}`,
      });
    }
    const { suite, t, signers } = maker.parameters;
    if (suite === COCONUT_SUITE) {
      const detail = `Sign.keyId: expected a key that signs messages, got the key of the asset ${coin}`;
      return this.#refuse({ coin, requestId, reason: 'UnknownKey', detail });
    }
    const { messages, purpose = 'local', expiresAt = this.#expiresAt() } = line;
    const committee = this.#committee.committee.id;
    const told = operators ?? signers;
    const parameters: SigningParameters = {
      kind: 'signing',
      committee,
      coin,
      suite,
      t,
      signers,
      keyId,
      messages,
      purpose,
      requestId,
      expiresAt,
    };
    this.#asked.add(coin, parameters, told);
    await this.#committee.instruct(coin, { Sign: { keyId, messages, purpose, requestId, expiresAt } }, told);
  }

  async #control({ control, operators }: Extract<Input, { kind: 'Control' }>): Promise<void> {
    const body = bodyOf('Control', control as Payload<'Control'>);
    for (const coin of this.#options.coins) await this.#committee.post(coin, 'Control', body, operators);
  }

  #afterwards(first: readonly Promise<void>[], then: () => Promise<void>): void {
    const line = Promise.all(first)
      .then(then)
      .finally(() => this.#waiting.delete(line));
    this.#waiting.add(line);
  }

  #refuse(refusal: Pick<Refusal, 'reason' | 'detail'> & Partial<Pick<Refusal, 'coin' | 'requestId'>>): void {
    const { coin = NO_COIN, reason, detail, requestId } = refusal;
    const fields = { operator: 0, coin, reason, detail: detail.slice(0, 500), ...(requestId ? { requestId } : {}) };
    this.#streams.output(bodyOf('MultisigEvent', refusedEvent(fields)));
  }

  // ---------------------------------------------------------------------------------------------- defaults and the end

  #askedByGenesis(coin: Coin): void {
    const genesis = this.#committee.committee.genesisOf(coin);
    if (genesis) this.#asked.add(coin, genesis, genesis.signers);
  }

  #fromGenesis({ coin, parameters }: Asked): boolean {
    return this.#committee.committee.file.coins[coin]?.genesis?.requestId === parameters.requestId;
  }

  #requestId(): Hex {
    return toHex(this.#random.bytes(16));
  }

  #expiresAt(): number {
    return this.#committee.now() + DEFAULT_LIFE;
  }

  /**
   * Until nothing lies in a queue that a living operator reads. What is delayed is not waited for, nor what failed and is hidden for minutes: everybody has
   * said the last word already.
   */
  async #drained(): Promise<void> {
    const dead = new Set([...this.#dead].map((operator) => this.#committee.committee.operator(operator)?.identity));
    const deadline = performance.now() + DRAIN_LIMIT_MILLISECONDS;
    while (performance.now() < deadline) {
      const depths = [...this.#committee.cloud.inspect.queues()];
      const busy = depths.some(
        ([name, { visible, inFlight }]) => visible + inFlight > 0 && !dead.has(parseQueueName(name)?.identity),
      );
      if (!busy) return;
      await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MILLISECONDS));
    }
  }
}

function everyone(operators: number): number[] {
  return Array.from({ length: operators }, (_, i) => i + 1);
}
