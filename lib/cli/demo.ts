/** `coterie demo`: a committee in this process makes its keys and signs, and somebody else's code verifies what came out. */
import { performance } from 'node:perf_hooks';
import { type Coin, LocalCommittee } from '../local/committee.ts';
import { systemRandom } from '../local/random.ts';
import { toHex } from '../messages/hex.ts';
import { parseQueueName } from '../messages/topics.ts';
import {
  type Address,
  type AgreedKey,
  agreedKey,
  agreedSignatures,
  type Failure,
  type KeygenOutcome,
  type SigningOutcome,
  whyInvalid,
} from './agreement.ts';
import type { DemoOptions } from './demo-options.ts';
import { type DemoResult, documentOf, type KeyResult, type SignatureResult, textOf } from './demo-output.ts';
import { Board, Progress } from './progress.ts';

/** Seconds of the virtual clock. */
const SIGNING_LIFE = 600;

/** Where a demo shows itself. */
export interface DemoStreams {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: {
    write(text: string): unknown;
    readonly isTTY?: boolean;
    readonly columns?: number;
    readonly rows?: number;
  };
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** @returns the exit status: 0 only if every key and every signature was there and verified */
export async function demo(
  options: DemoOptions,
  streams: DemoStreams = { stdout: process.stdout, stderr: process.stderr, environment: process.env },
): Promise<number> {
  const { stdout, stderr } = streams;
  const board = new Board({
    write: (text) => stderr.write(text),
    terminal: stderr.isTTY ?? false,
    colour: (stderr.isTTY ?? false) && !streams.environment['NO_COLOR'],
    columns: stderr.columns ?? 100,
    rows: stderr.rows ?? 40,
  });
  const { operators, threshold, coins, silent } = options;
  const later = silent === undefined ? '' : `; operator ${silent} falls silent before they sign`;
  stderr.write(`Coterie: ${operators} operators, any ${threshold} of them sign, for ${coins.join(' and ')}${later}\n`);
  const result = await run(options, board);
  const colour = (stdout.isTTY ?? false) && !streams.environment['NO_COLOR'];
  stdout.write(
    options.json
      ? `${JSON.stringify(documentOf(result), null, 2)}\n`
      : `\n${textOf(result, colour, stdout.isTTY ? stdout.columns : undefined)}\n`,
  );
  if (result.failures.length > 0 && options.json)
    for (const { sentence } of result.failures) stderr.write(`coterie: ${sentence}\n`);
  return result.failures.length > 0 ? 1 : 0;
}

/** What each operator said to its own client: `coin/operator` → its last word. */
interface Heard {
  readonly addresses: Map<string, Address>;
  readonly keygens: Map<string, KeygenOutcome>;
  readonly signings: Map<string, SigningOutcome>;
}

async function run(options: DemoOptions, board: Board): Promise<DemoResult> {
  const { operators, threshold, coins, allowSingleSigner, silent } = options;
  const began = performance.now();
  const cpu = process.cpuUsage();
  const committee = new LocalCommittee({
    operators,
    threshold,
    coins,
    allowSingleSigner,
    cloud: {
      seed: options.seed ?? systemRandom.bytes(32),
      clock: 'virtual',
      // A seeded run always happens at the same time; any other happens now.
      ...(options.seed ? {} : { startTime: Date.now() }),
    },
  });
  const heard = listen(committee);
  const counts = countMessages(committee, board);
  committee.onReport((report) => board.report(report));
  const living = Array.from({ length: operators }, (_, i) => i + 1).filter((operator) => operator !== silent);
  const all = (coin: Coin, of: readonly number[], map: ReadonlyMap<string, unknown>) =>
    of.every((operator) => map.has(at(coin, operator)));
  const everyone = Array.from({ length: operators }, (_, i) => i + 1);

  board.begin(new Progress('keygen', coins, operators));
  await committee.assemble();
  await committee.cloud.run({
    stopWhen: () => coins.every((coin) => all(coin, everyone, heard.addresses) && all(coin, everyone, heard.keygens)),
  });
  board.end();
  const failures: Failure[] = [];
  const keys: AgreedKey[] = [];
  for (const coin of coins) {
    const said = everyone.map((operator) => ({
      operator,
      outcome: heard.keygens.get(at(coin, operator)),
      address: heard.addresses.get(at(coin, operator)),
    }));
    const key = agreedKey(committee.committee, coin, said);
    if (key.ok) keys.push(key.value);
    else failures.push(key.failure);
  }

  if (silent !== undefined) committee.kill(silent);
  board.begin(
    new Progress(
      'signing',
      keys.map(({ coin }) => coin),
      operators,
      silent,
    ),
  );
  const random = committee.cloud.random('demo');
  for (const { coin, keyId } of keys) {
    const expiresAt = committee.now() + SIGNING_LIFE;
    const requestId = toHex(random.bytes(16));
    await committee.instruct(coin, {
      Sign: { keyId, messages: options.messages.map(toHex), purpose: 'demo', requestId, expiresAt },
    });
  }
  await committee.cloud.run({ stopWhen: () => keys.every(({ coin }) => all(coin, living, heard.signings)) });
  board.end();

  const results: KeyResult[] = [];
  for (const key of keys) {
    const said = living.map((operator) => ({ operator, outcome: heard.signings.get(at(key.coin, operator)) }));
    const agreed = agreedSignatures(key.coin, threshold, options.messages, said);
    if (!agreed.ok) failures.push(agreed.failure);
    const signatures: SignatureResult[] = [];
    for (const [i, message] of options.messages.entries()) {
      const signature = agreed.ok ? agreed.value[i] : undefined;
      if (signature === undefined) continue;
      const failure = await whyInvalid(key, message, signature);
      if (failure) failures.push(failure);
      signatures.push({ message: toHex(message), signature, valid: !failure });
    }
    results.push({ ...key, signatures });
  }
  const spent = process.cpuUsage(cpu);
  return {
    committee: committee.committee,
    threshold,
    keys: results,
    failures,
    messages: counts,
    seconds: { elapsed: (performance.now() - began) / 1000, cpu: (spent.user + spent.system) / 1e6 },
  };
}

function listen(committee: LocalCommittee): Heard {
  const heard: Heard = { addresses: new Map(), keygens: new Map(), signings: new Map() };
  committee.onAddress((address, operator) => heard.addresses.set(at(address.coin, operator), address));
  committee.onOutcome((event, operator, coin) => {
    if ('KeygenOutcome' in event) heard.keygens.set(at(coin, operator), event.KeygenOutcome);
    if ('SigningOutcome' in event && event.SigningOutcome.final)
      heard.signings.set(at(coin, operator), event.SigningOutcome);
  });
  return heard;
}

/** Every message put on any queue, by its name. */
function countMessages(committee: LocalCommittee, board: Board): Map<string, number> {
  const counts = new Map<string, number>();
  const indexes = new Map<string, number>();
  committee.cloud.inspect.onSend(({ queue, body }) => {
    const [, outer = 'unnamed', inner] = /^\{"([A-Za-z0-9]+)":(?:\{"([A-Za-z0-9]+)":)?/.exec(body) ?? [];
    // `ReadyToKeygen` is a message of its own to whoever waits for it, and travels as an event.
    const name = outer === 'MultisigEvent' && inner === 'ReadyToKeygen' ? inner : outer;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    const parts = parseQueueName(queue);
    if (!parts?.coin) return;
    let index = indexes.get(parts.identity);
    if (index === undefined) {
      index = Number(/[0-9]+$/.exec(parts.identity)?.[0]);
      indexes.set(parts.identity, index);
    }
    board.countMessage(parts.coin, index);
  });
  return counts;
}

function at(coin: string, operator: number): string {
  return `${coin}/${operator}`;
}
