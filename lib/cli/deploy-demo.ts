/**
 * `npm run demo:aws`: a committee of three operators in three accounts of an emulator, by the very steps that real operators take: deploy, start, cards, committee file,
 * second deploy with its hash, acceptance. Then it makes its keys, signs, and other people's code verifies what came out.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Engine } from '../../scripts/emulators/engine.ts';
import { startMinistack } from '../../scripts/emulators/ministack.ts';
import type { Coin } from '../local/committee.ts';
import { systemRandom } from '../local/random.ts';
import { bodyOf } from '../messages/catalogue.ts';
import type { Committee } from '../messages/committee.ts';
import { type Hex, toHex } from '../messages/hex.ts';
import { topicQueue } from '../messages/topics.ts';
import { type AgreedKey, agreedKey, agreedSignatures, type Failure, whyInvalid } from './agreement.ts';
import { acceptCommittee } from './committee.ts';
import type { DemoResult, KeyResult, SignatureResult } from './demo-output.ts';
import { busOf } from './deploy-access.ts';
import { Meter, type Usage } from './deploy-meter.ts';
import { type Heard, Outcomes } from './deploy-outcomes.ts';
import {
  agree,
  DEMO_TERMS,
  Deployments,
  eachOperator,
  type Operator,
  operatorOf,
  PATIENCE_SECONDS,
  REGION,
  stepper,
} from './deployments.ts';

const COINS: readonly Coin[] = ['btc', 'sol'];
const THRESHOLD = 2;
/** One account for each operator, as in production; on the emulator an account is a 12-digit access key. */
export const OPERATORS = [
  { identity: 'operator1', account: '111111111111' },
  { identity: 'operator2', account: '222222222222' },
  { identity: 'operator3', account: '333333333333' },
] as const;
const SIGNING_SECONDS = 600;

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
    const operators = OPERATORS.map((each) => operatorOf(each, endpoint, { coins: COINS }));
    const deployments = new Deployments(folder, endpoint, operators, signal);
    const terms = { ...DEMO_TERMS, threshold: THRESHOLD, assets: {} };
    const { committee, agreed } = await agree({ deployments, terms, step, note, signal });

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
