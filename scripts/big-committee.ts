/**
 * The largest committee that is supported, measured: n = 100, t = 67, one key, one signature with 33 operators silent, and one with the 33 first leaders silent, in one process.
 *
 * `npm run big-committee [-- --operators n] [--threshold t] [--coin sol|btc]`. Everything runs as it does in Lambda, one batch after the other, so that
 * the CPU of each batch is its own; the services' limits are enforced as DynamoDB and SQS enforce them. Ends with an error if any operator does.
 */
import { parseArgs } from 'node:util';
import { COINS, type Coin, LocalCommittee, type RoleName } from '../lib/local/committee.ts';
import { itemBytes, keyOf, MAX_ITEM_BYTES, MAX_TRANSACTION_BYTES } from '../lib/local/limits.ts';
import type { Hex } from '../lib/messages/hex.ts';
import { ceremonyId, type SigningParameters } from '../lib/messages/parameters.ts';
import { parseQueueName } from '../lib/messages/topics.ts';
import type { NodeFunction } from '../lib/node/function.ts';
import { type Item, type OutgoingMessage, type Ports, storeWith, type Write } from '../lib/ports.ts';
import { leaderOf } from '../lib/signing/step.ts';

const { values } = parseArgs({
  options: {
    operators: { type: 'string', default: '100' },
    threshold: { type: 'string', default: '67' },
    coin: { type: 'string', default: 'sol' },
  },
});
const operators = Number(values.operators);
const threshold = Number(values.threshold);
const coin = values.coin as Coin;
/** Virtual seconds: far more than any stage takes, and less than a silent operator's messages need to become dead letters. */
const LIFE_SECONDS = 1_800;

interface Largest {
  bytes: number;
  what: string;
}

/** What one phase cost. */
class Meter {
  readonly cpu = { coordinator: 0, processor: 0 };
  readonly batches = { coordinator: 0, processor: 0 };
  readonly messages = new Map<string, { count: number; bytes: number; largest: number }>();
  readonly functions = new Map<string, { milliseconds: number; batches: number }>();
  readonly longest = { milliseconds: 0, what: '' };
  readonly item: Largest = { bytes: 0, what: 'none' };
  readonly transaction: Largest & { writes: number } = { bytes: 0, what: 'none', writes: 0 };
  mostWrites = 0;
  readonly #began = performance.now();
  seconds = 0;

  end(): this {
    this.seconds = (performance.now() - this.#began) / 1000;
    return this;
  }

  batch(role: RoleName, handler: NodeFunction, milliseconds: number): void {
    const kind = role.name === 'coordinator' ? 'coordinator' : 'processor';
    this.cpu[kind] += milliseconds;
    this.batches[kind]++;
    const name = `${kind} ${handler.message}`;
    const known = this.functions.get(name) ?? { milliseconds: 0, batches: 0 };
    this.functions.set(name, { milliseconds: known.milliseconds + milliseconds, batches: known.batches + 1 });
    if (milliseconds <= this.longest.milliseconds) return;
    this.longest.milliseconds = milliseconds;
    this.longest.what = name;
  }

  message({ queue, body }: OutgoingMessage): void {
    const name = nameOf({ queue, body });
    const known = this.messages.get(name) ?? { count: 0, bytes: 0, largest: 0 };
    const bytes = Buffer.byteLength(body);
    this.messages.set(name, {
      count: known.count + 1,
      bytes: known.bytes + bytes,
      largest: Math.max(known.largest, bytes),
    });
  }

  writes(writes: readonly Write[]): void {
    let bytes = 0;
    for (const write of writes) bytes += write.kind === 'put' ? this.put(write.item, write.table) : keyBytes(write);
    this.mostWrites = Math.max(this.mostWrites, writes.length);
    if (bytes <= this.transaction.bytes) return;
    const [first] = writes;
    Object.assign(this.transaction, { bytes, writes: writes.length, what: first ? rowName(keyOf(first).sk) : 'none' });
  }

  put(item: Item, table: string): number {
    const bytes = itemBytes(item);
    if (bytes > this.item.bytes) Object.assign(this.item, { bytes, what: `${table} ${rowName(item.sk)}` });
    return bytes;
  }
}

let meter = new Meter();

function nameOf({ queue, body }: OutgoingMessage): string {
  const parts = parseQueueName(queue);
  if (parts?.peer !== undefined) return 'P2PIncoming';
  return parts?.message === 'Outbound' ? (/^\{"([A-Za-z]+)"/.exec(body)?.[1] ?? 'Outbound') : (parts?.message ?? '');
}

const keyBytes = (write: Write): number => keyOf(write).pk.length + keyOf(write).sk.length;
const rowName = (sk: string): string => sk.replace(/#.*/, '');

function measuredPorts(ports: Ports): Ports {
  const { store } = ports;
  const measured = storeWith(store, {
    write: (write) => {
      if (write.kind === 'put') meter.put(write.item, write.table);
      return store.write(write);
    },
    transact: (writes, token) => {
      meter.writes(writes);
      return store.transact(writes, token);
    },
  });
  return { ...ports, store: measured };
}

function measuredRun(handler: NodeFunction, role: RoleName): NodeFunction {
  return {
    ...handler,
    run: async (environment, batch) => {
      const before = process.cpuUsage();
      try {
        return await handler.run(environment, batch);
      } finally {
        const { user, system } = process.cpuUsage(before);
        meter.batch(role, handler, (user + system) / 1000);
      }
    },
  };
}

const committee = new LocalCommittee({
  operators,
  threshold,
  coins: [coin],
  genesisLife: LIFE_SECONDS,
  cloud: { seed: new Uint8Array(32).fill(100), clock: 'virtual' },
  instruments: { ports: measuredPorts, run: measuredRun },
});
committee.cloud.inspect.onSend((message) => meter.message(message));
const keys = new Map<number, string>();
const results = new Map<number, string>();
committee.onOutcome((event, operator) => {
  if ('KeygenOutcome' in event && event.KeygenOutcome.result === 'succeeded')
    keys.set(operator, event.KeygenOutcome.keyId ?? '');
  if ('SigningOutcome' in event) results.set(operator, event.SigningOutcome.result);
});

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(2)} MiB`;

function report(name: string, phase: Meter): void {
  const { cpu, batches, item, transaction, longest } = phase;
  say(`\n${name}: ${phase.seconds.toFixed(1)} s of wall clock`);
  for (const kind of ['coordinator', 'processor'] as const)
    say(
      `  ${kind}s: ${(cpu[kind] / 1000).toFixed(1)} s of CPU, ${batches[kind]} batches, ${per(cpu[kind])} ms an operator`,
    );
  const dearest = [...phase.functions].sort(([, a], [, b]) => b.milliseconds - a.milliseconds).slice(0, 6);
  for (const [name, { milliseconds, batches: count }] of dearest)
    say(`    ${name}: ${(milliseconds / 1000).toFixed(1)} s in ${count} batches`);
  say(`  longest batch: ${longest.milliseconds.toFixed(0)} ms (${longest.what})`);
  const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(0)} %`;
  say(`  largest item: ${item.bytes} bytes, ${percent(item.bytes, MAX_ITEM_BYTES)} of the limit (${item.what})`);
  say(
    `  largest transaction: ${megabytes(transaction.bytes)}, ${percent(transaction.bytes, MAX_TRANSACTION_BYTES)} of the limit, ${transaction.writes} writes; most writes: ${phase.mostWrites}`,
  );
  let all = 0;
  for (const [type, { count, bytes, largest }] of [...phase.messages].sort(([a], [b]) => a.localeCompare(b))) {
    all += count;
    say(
      `  ${type.padEnd(32)}${`${count}`.padStart(8)}  ${megabytes(bytes).padStart(12)}  largest ${`${largest}`.padStart(7)}`,
    );
  }
  say(`  messages: ${all}`);
}

const per = (milliseconds: number): string => (milliseconds / operators).toFixed(0);

const began = meter;
await committee.assemble();
await committee.cloud.run({ stopWhen: () => keys.size === operators });
report(`key generation, ${threshold} of ${operators}, ${coin}`, began.end());
const [keyId] = new Set(keys.values());
if (keys.size !== operators || new Set(keys.values()).size !== 1 || keyId === undefined)
  throw new Error(`expected ${operators} operators with one key, got ${keys.size} with ${new Set(keys.values()).size}`);

/** One signature without `silent`. */
async function sign(
  name: string,
  number: number,
  choose: (ceremony: Hex, parameters: SigningParameters) => readonly number[],
) {
  const expiresAt = committee.now() + LIFE_SECONDS;
  const requestId = `0x${number.toString(16).padStart(32, '0')}` as Hex;
  const request = {
    keyId: keyId as Hex,
    messages: [`0x${'5a'.repeat(32)}` as Hex],
    purpose: 'big-committee',
    requestId,
    expiresAt,
  };
  const { suite, t } = committee.committee.file.coins[coin] ?? { suite: COINS[coin], t: threshold };
  const signers = committee.committee.signersOf(coin);
  const common = { kind: 'signing', committee: committee.committee.id, coin, suite, t, signers } as const;
  const parameters: SigningParameters = { ...common, ...request };
  const silent = choose(ceremonyId(parameters), parameters);
  for (const operator of silent) committee.kill(operator);
  results.clear();
  meter = new Meter();
  const phase = meter;
  const asked = committee.now();
  const awake = operators - silent.length;
  await committee.instruct(coin, { Sign: request });
  await committee.cloud.run({ stopWhen: () => results.size >= awake, until: expiresAt * 1000 });
  report(`${name}, ${silent.length} of ${operators} silent`, phase.end());
  say(`  virtual seconds: ${committee.now() - asked}`);
  const succeeded = [...results.values()].filter((result) => result === 'succeeded').length;
  if (succeeded !== awake) throw new Error(`expected ${awake} operators with a signature, got ${succeeded}`);
  for (const operator of silent) committee.revive(operator);
}

// What is left of key generation is not charged to signing.
meter = new Meter();
await committee.cloud.run({ until: committee.cloud.now + 60_000 });
const spare = operators - threshold;
await sign('one signature', 1, () => Array.from({ length: spare }, (_, i) => Math.floor((i * operators) / spare) + 1));
// As many leaders as can be silent, one after the other: the next in line leads.
await sign('one signature, all but the last leader silent', 2, (ceremony, parameters) =>
  Array.from({ length: spare }, (_, k) => leaderOf(parameters, ceremony, k)),
);
say(`\npeak memory: ${megabytes(process.resourceUsage().maxRSS * 1024)}`);
