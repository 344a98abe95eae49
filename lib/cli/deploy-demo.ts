/**
 * `npm run demo:aws`: a committee of three operators in three accounts of an emulator, by the very steps that real operators take: deploy, start, cards, committee file,
 * second deploy with its hash, acceptance. Then it makes its keys, signs, and other people's code verifies what came out.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Engine, freshEnvironment } from '../../scripts/emulators/engine.ts';
import { startMinistack } from '../../scripts/emulators/ministack.ts';
import { dynamoClient } from '../aws/clients.ts';
import type { Coin } from '../local/committee.ts';
import { systemRandom } from '../local/random.ts';
import { bodyOf } from '../messages/catalogue.ts';
import type { Committee } from '../messages/committee.ts';
import { type Hex, toHex } from '../messages/hex.ts';
import type { OperatorFile } from '../messages/operator.ts';
import { parseOperatorFile } from '../messages/operator.ts';
import { topicQueue } from '../messages/topics.ts';
import { type AgreedKey, agreedKey, agreedSignatures, type Failure, whyInvalid } from './agreement.ts';
import { type Card, cardOf } from './card.ts';
import { acceptCommittee, committeeText, createCommittee, sendStart, spoken } from './committee.ts';
import type { DemoResult, KeyResult, SignatureResult } from './demo-output.ts';
import { type Access, busOf, directoryOf } from './deploy-access.ts';
import { cdk } from './deploy-cdk.ts';
import { Meter, type Usage } from './deploy-meter.ts';
import { COMMITTEE_HASH, coordinatorStackName, inboxStackName, processorStackName } from './deploy-names.ts';
import { type Heard, Outcomes } from './deploy-outcomes.ts';
import { reconcile, sentenceOf, wantedTables } from './reconcile.ts';

const REGION = 'us-east-1';
const COINS: readonly Coin[] = ['btc', 'sol'];
const THRESHOLD = 2;
/** One account for each operator, as in production; on the emulator an account is a 12-digit access key. */
export const OPERATORS = [
  { identity: 'operator1', account: '111111111111' },
  { identity: 'operator2', account: '222222222222' },
  { identity: 'operator3', account: '333333333333' },
] as const;
const GENESIS_SECONDS = 600;
const SIGNING_SECONDS = 600;
/** Seconds that may pass until a role has made its keys, or all have their outcomes. */
const PATIENCE_SECONDS = 180;

export interface AwsDemoOptions {
  /** The bytes to sign, for every coin. */
  readonly messages: readonly Uint8Array[];
  readonly note: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface AwsDemoResult extends DemoResult {
  /** Of all three operators together: becoming ready and making every coin's key; signing with each. */
  readonly usage: { readonly keygen: Usage; readonly signing: Usage };
}

export interface Operator {
  readonly file: OperatorFile;
  readonly access: Access;
}

/** Leaves no process, no port and no file behind, however it ends. */
export async function awsDemo({ messages, note, signal }: AwsDemoOptions): Promise<AwsDemoResult> {
  const began = performance.now();
  const cpu = process.cpuUsage();
  const folder = mkdtempSync(join(tmpdir(), 'coterie-demo-'));
  let engine: Engine | undefined;
  const step = stepper(note, signal);
  try {
    engine = await step('starting the emulator, on loopback only', () => startMinistack({ note }));
    const { endpoint } = engine;
    note(`  ${engine.name} ${engine.version} at ${endpoint}`);
    const operators = OPERATORS.map((each) => operatorOf(each, endpoint));
    const deployment = new Deployments(folder, endpoint, operators, signal);

    await step('synthesising the stacks, without a committee', () => deployment.synthesise(undefined));
    await step(`bootstrapping ${operators.length} accounts`, () => deployment.bootstrap());
    await step('first deploy, in each account', () => deployment.deploy(undefined));
    for (const line of await step('reconciling tables with their templates', () => deployment.reconcile()))
      note(`  ${line}`);
    await step('Start, to every role', () =>
      eachOperator(operators, ({ file, access }) => sendStart(file, busOf(file, access))),
    );
    const cards = await step('reading the cards', () => eachOperator(operators, (operator) => card(operator, signal)));

    const committee = createCommittee(
      cards,
      {
        threshold: THRESHOLD,
        network: 'local',
        suites: {},
        assets: {},
        genesisLife: GENESIS_SECONDS,
        leaderPeriod: 15,
        allowSingleSigner: false,
      },
      systemRandom,
      Math.floor(Date.now() / 1_000),
    );
    note(`  committee ${spoken(committee.id)}`);
    const agreed = operators.map(({ file, access }) => ({ file: { ...file, committeeHash: committee.id }, access }));
    deployment.operators = agreed;
    await step('synthesising the stacks, with the committee', () => deployment.synthesise(committee));
    await step('second deploy, with the hash that was compared', () => deployment.deploy(committee));
    for (const line of await step('reconciling tables again', () => deployment.reconcile())) note(`  ${line}`);

    const outcomes = new Outcomes(agreed, COINS);
    const meter = new Meter(
      endpoint,
      OPERATORS.map(({ account }) => account),
      REGION,
    );
    await meter.start();
    const accepted = { time: Date.now() / 1_000, invocations: await meter.invocations() };
    await step('CommitteeAccepted, to every role', () =>
      eachOperator(agreed, ({ file, access }) => acceptCommittee(file, committee, busOf(file, access))),
    );
    await step('key generation, by genesis', () =>
      outcomes.wait((heard) => all(heard.addresses) && all(heard.keygens), PATIENCE_SECONDS, signal),
    );
    const made = { time: Date.now() / 1_000, invocations: await meter.invocations() };
    const failures: Failure[] = [];
    const keys = believedKeys(committee, outcomes.heard, failures);
    await step('signing', async () => {
      for (const { coin, keyId } of keys) await instruct(agreed, coin, keyId, messages);
      const asked = new Set(keys.map(({ coin }) => coin as string));
      await outcomes.wait(
        (heard) =>
          [...heard.signings].filter(([at]) => asked.has(at.split('/')[0] ?? '')).length ===
          keys.length * agreed.length,
        PATIENCE_SECONDS,
        signal,
      );
    });
    const results = await Promise.all(keys.map((key) => believedSignatures(key, messages, outcomes.heard, failures)));
    const signed = { time: Date.now() / 1_000, invocations: await meter.invocations() };
    const usage = await step('counting', async () => ({
      keygen: await meter.usage(accepted.time, made.time, made.invocations - accepted.invocations),
      signing: await meter.usage(made.time, signed.time, signed.invocations - made.invocations),
    }));
    const spent = process.cpuUsage(cpu);
    return {
      committee,
      threshold: THRESHOLD,
      keys: results,
      failures,
      messages: together(usage.keygen.messages, usage.signing.messages),
      usage,
      seconds: { elapsed: (performance.now() - began) / 1_000, cpu: (spent.user + spent.system) / 1e6 },
    };
  } finally {
    await engine?.stop();
    rmSync(folder, { recursive: true, force: true });
  }

  function all(map: Heard[keyof Heard]): boolean {
    return map.size === OPERATORS.length * COINS.length;
  }
}

/** Only what all operators say alike, and what proves itself. */
function believedKeys(committee: Committee, heard: Heard, failures: Failure[]): AgreedKey[] {
  return COINS.flatMap((coin) => {
    const said = OPERATORS.map(({ identity }, i) => {
      const at = `${coin}/${identity}`;
      return { operator: i + 1, outcome: heard.keygens.get(at), address: heard.addresses.get(at) };
    });
    const key = agreedKey(committee, coin, said);
    if (key.ok) return [key.value];
    failures.push(key.failure);
    return [];
  });
}

async function believedSignatures(
  key: AgreedKey,
  messages: readonly Uint8Array[],
  heard: Heard,
  failures: Failure[],
): Promise<KeyResult> {
  const said = OPERATORS.map(({ identity }, i) => ({
    operator: i + 1,
    outcome: heard.signings.get(`${key.coin}/${identity}`),
  }));
  const agreed = agreedSignatures(key.coin, THRESHOLD, messages, said);
  if (!agreed.ok) {
    failures.push(agreed.failure);
    return { ...key, signatures: [] };
  }
  const judged = agreed.value.map(async (signature, i): Promise<SignatureResult> => {
    const message = messages[i] ?? new Uint8Array();
    const failure = await whyInvalid(key, message, signature);
    if (failure) failures.push(failure);
    return { message: toHex(message), signature, valid: !failure };
  });
  return { ...key, signatures: await Promise.all(judged) };
}

function together(...counts: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const [name, count] of counts.flatMap((each) => [...each])) sums.set(name, (sums.get(name) ?? 0) + count);
  return sums;
}

/** Says what begins, and how long it took. */
function stepper(note: (line: string) => void, signal: AbortSignal) {
  let number = 0;
  return async <Result>(what: string, run: () => Promise<Result>): Promise<Result> => {
    signal.throwIfAborted();
    number += 1;
    note(`${`${number}`.padStart(2)}  ${what}`);
    const began = performance.now();
    const result = await run();
    note(`      ${((performance.now() - began) / 1_000).toFixed(1)} s`);
    return result;
  };
}

export function operatorOf({ identity, account }: (typeof OPERATORS)[number], endpoint: string): Operator {
  const parsed = parseOperatorFile({
    identity,
    account,
    region: REGION,
    clientRoles: [`arn:aws:iam::${account}:role/client`, `arn:aws:iam::${account}:root`],
    coins: [...COINS],
  });
  if (!parsed.ok) throw new Error(parsed.reason);
  return { file: parsed.file, access: { endpoint, credentials: { accessKeyId: account, secretAccessKey: 'test' } } };
}

export function eachOperator<Result>(
  operators: readonly Operator[],
  run: (operator: Operator) => Promise<Result>,
): Promise<Result[]> {
  return Promise.all(operators.map(run));
}

/** Asks until every role has made its keys. */
export async function card({ file, access }: Operator, signal: AbortSignal): Promise<Card> {
  const directory = directoryOf(file, access);
  for (const deadline = Date.now() + PATIENCE_SECONDS * 1_000; ; await sleep(250, undefined, { signal })) {
    try {
      return await cardOf(file, directory);
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

async function instruct(
  operators: readonly Operator[],
  coin: Coin,
  keyId: Hex,
  messages: readonly Uint8Array[],
): Promise<void> {
  const instruction = {
    Sign: {
      keyId,
      messages: messages.map(toHex),
      purpose: 'demo',
      requestId: toHex(systemRandom.bytes(16)),
      expiresAt: Math.floor(Date.now() / 1_000) + SIGNING_SECONDS,
    },
  };
  const body = bodyOf('MultisigInstruction', instruction);
  await eachOperator(operators, async ({ file, access }) => {
    const refused = await busOf(file, access).send([
      { queue: topicQueue(file.identity, coin, 'MultisigInstruction'), body },
    ]);
    if (refused.length > 0) throw new Error(`${file.identity} did not take the instruction for ${coin}`);
  });
}

/** The same commands that an operator would type, in an environment of their own. */
export class Deployments {
  operators: readonly Operator[];
  readonly #folder: string;
  readonly #endpoint: string;
  readonly #signal: AbortSignal;

  constructor(folder: string, endpoint: string, operators: readonly Operator[], signal: AbortSignal) {
    this.#folder = folder;
    this.#endpoint = endpoint;
    this.operators = operators;
    this.#signal = signal;
    mkdirSync(join(folder, 'home'));
  }

  /** @param further context, `name=value` each */
  async synthesise(committee: Committee | undefined, further: readonly string[] = []): Promise<void> {
    const paths = this.operators.map(({ file }) => this.#write(`${file.identity}.json`, JSON.stringify(file)));
    const functions = process.env['COTERIE_FUNCTIONS_ENDPOINT'];
    const own = functions ? [`functions-endpoint=${functions}`] : [];
    const context = ['stage=local', `operator=${paths.join(',')}`, ...own, ...further].flatMap((each) => ['-c', each]);
    if (committee) context.push('-c', `committee=${this.#write('committee.json', committeeText(committee))}`);
    await this.#cdk(OPERATORS[0].account, ['synth', '--quiet', '--output', this.#assembly, ...context]);
  }

  async bootstrap(): Promise<void> {
    await this.#inEachAccount(({ file }) => [
      'bootstrap',
      `aws://${file.account}/${file.region}`,
      '--app',
      this.#assembly,
    ]);
  }

  async deploy(committee: Committee | undefined): Promise<void> {
    await this.#inEachAccount(({ file: { identity, coins } }) => {
      const stacks = [coordinatorStackName(identity), ...coins.map((coin) => processorStackName(identity, coin))];
      if (committee) stacks.push(inboxStackName(identity));
      const parameters = committee
        ? stacks.flatMap((stack) => ['--parameters', `${stack}:${COMMITTEE_HASH}=${committee.id}`])
        : [];
      const how = [
        '--app',
        this.#assembly,
        '--concurrency',
        '6',
        '--require-approval',
        'never',
        '--output',
        this.#assembly,
      ];
      return ['deploy', ...stacks, ...how, ...parameters];
    });
  }

  /** @returns what was different */
  async reconcile(): Promise<readonly string[]> {
    const found = await eachOperator(this.operators, ({ file, access }) =>
      reconcile(
        wantedTables(this.#assembly, `coterie-${file.identity}-`),
        dynamoClient({ region: file.region, ...access }),
      ),
    );
    return found.flat().map(sentenceOf);
  }

  get #assembly(): string {
    return join(this.#folder, 'cdk.out');
  }

  async #inEachAccount(command: (operator: Operator) => string[]): Promise<void> {
    await eachOperator(this.operators, (operator) => this.#cdk(operator.file.account, command(operator)));
  }

  #cdk(account: string, args: readonly string[]): Promise<void> {
    const environment = freshEnvironment(join(this.#folder, 'home'), {
      AWS_ACCESS_KEY_ID: account,
      AWS_REGION: REGION,
      AWS_ENDPOINT_URL: this.#endpoint,
      AWS_ENDPOINT_URL_S3: this.#endpoint,
    });
    return cdk(args, { environment, signal: this.#signal });
  }

  #write(name: string, text: string): string {
    const path = join(this.#folder, name);
    writeFileSync(path, text);
    return path;
  }
}
