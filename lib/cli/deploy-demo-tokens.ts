/**
 * `npm run demo:aws -- tokens`: signing services deployed into an account for each operator of an emulator, a wallet provider's gateway in another, and wallets that reach the services
 * through queues alone. The steps to a committee are those of every deployment; what the wallets do then is what `coterie demo tokens` does.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Engine } from '../../scripts/emulators/engine.ts';
import { startMinistack } from '../../scripts/emulators/ministack.ts';
import { systemRandom } from '../local/random.ts';
import { acceptCommittee } from './committee.ts';
import type { TokenTerms } from './demo-tokens-options.ts';
import type { TokenDemoResult } from './demo-tokens-output.ts';
import { busOf } from './deploy-access.ts';
import { Counter, Meter, type Usage } from './deploy-meter.ts';
import { ANSWERS, createAnswersQueue, DeployedServices, GATEWAY_ACCOUNT } from './deployed-services.ts';
import { agree, DEMO_TERMS, Deployments, eachOperator, operatorOf, REGION, stepper } from './deployments.ts';
import { ASSET, DEPOSIT, Depositors, PAYMENT, RECEIPT, TokenScenario } from './token-scenario.ts';

const KEY = 'key generation';
const COUNTED: ReadonlySet<string> = new Set([KEY, DEPOSIT, PAYMENT, RECEIPT]);

export interface AwsTokenDemoOptions {
  readonly terms: TokenTerms;
  /** Count what a key, a deposit and a payment cost: the emulator then records every call, and counting takes a while. */
  readonly count: boolean;
  readonly note: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface AwsTokenDemoResult extends TokenDemoResult {
  /** Of all services together, and what the gateway sent: by what was done. */
  readonly usage: ReadonlyMap<string, Usage>;
}

/** Leaves no process, no port and no file behind, however it ends. */
export async function awsTokenDemo({ terms, count, note, signal }: AwsTokenDemoOptions): Promise<AwsTokenDemoResult> {
  const began = performance.now();
  const cpu = process.cpuUsage();
  const folder = mkdtempSync(join(tmpdir(), 'coterie-demo-'));
  const step = stepper(note, signal);
  let engine: Engine | undefined;
  let services: DeployedServices | undefined;
  try {
    engine = await step('starting the emulator, on loopback only', () => startMinistack({ note }));
    const { endpoint } = engine;
    note(`  ${engine.name} ${engine.version} at ${endpoint}`);
    const seed = systemRandom.bytes(32);
    const depositors = new Depositors(seed);
    const who = Array.from({ length: terms.services }, (_, i) => ({
      identity: `operator${i + 1}`,
      account: `${i + 1}`.padStart(12, '1'),
    }));
    const operators = who.map((each) =>
      operatorOf(each, endpoint, { coins: [], assets: [ASSET], gateways: [ANSWERS] }),
    );
    await step('the queue of a gateway, in an account of its own', () => createAnswersQueue(endpoint, who));
    const { committee, agreed } = await agree({
      deployments: new Deployments(folder, endpoint, operators, signal),
      terms: {
        ...DEMO_TERMS,
        threshold: terms.threshold,
        assets: { [ASSET]: { f: terms.tolerated, epoch: 0, depositors: depositors.terms } },
      },
      step,
      note,
      signal,
    });
    const deployed = new DeployedServices({ endpoint, operators: agreed, committee, asset: ASSET, signal });
    services = deployed;
    const counter = count
      ? new Counter(new Meter(endpoint, [...who.map(({ account }) => account), GATEWAY_ACCOUNT], REGION))
      : undefined;
    await counter?.start();
    const watched = <Result>(what: string, doing: () => Promise<Result>): Promise<Result> =>
      counter && COUNTED.has(what) ? counter.over(what, doing, () => deployed.settled()) : doing();
    await watched(KEY, async () => {
      await step('CommitteeAccepted, to every role', () =>
        eachOperator(agreed, ({ file, access }) => acceptCommittee(file, committee, busOf(file, access))),
      );
      await step(`key generation of ${ASSET}, by genesis`, () => deployed.keyMade());
    });
    const say = (line: string) => note(`  ${line}`);
    const found = await step('wallets', () =>
      new TokenScenario({ stage: deployed, terms, seed, depositors, say, watched }).run(),
    );
    const usage = counter ? await step('counting', () => counter.usage()) : new Map<string, Usage>();
    const spent = process.cpuUsage(cpu);
    return {
      ...found,
      usage,
      where: `services on ${engine.name} ${engine.version} in ${terms.services} accounts`,
      seconds: { elapsed: (performance.now() - began) / 1_000, cpu: (spent.user + spent.system) / 1e6 },
    };
  } finally {
    await services?.close();
    await engine?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
