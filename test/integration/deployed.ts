/** A committee of three operators on one emulator, each in an account of its own, deployed as operators deploy theirs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { dynamoClient } from '../../lib/aws/clients.ts';
import { isLoopback } from '../../lib/aws/environment.ts';
import { DynamoStore } from '../../lib/aws/store.ts';
import { acceptCommittee, createCommittee, sendStart } from '../../lib/cli/committee.ts';
import { busOf } from '../../lib/cli/deploy-access.ts';
import { OPERATORS } from '../../lib/cli/deploy-demo.ts';
import { Meter } from '../../lib/cli/deploy-meter.ts';
import { tableName } from '../../lib/cli/deploy-names.ts';
import { card, Deployments, eachOperator, type Operator, operatorOf } from '../../lib/cli/deployments.ts';
import { systemRandom } from '../../lib/local/random.ts';
import type { Committee } from '../../lib/messages/committee.ts';
import { type Engine, REGION } from '../../scripts/emulators/engine.ts';
import { startMinistack } from '../../scripts/emulators/ministack.ts';
import { Account } from './account.ts';
import { Heard } from './heard.ts';

export const COIN = 'btc';
export const THRESHOLD = 2;

export interface Deployed {
  readonly engine: Pick<Engine, 'name' | 'version' | 'endpoint'>;
  readonly committee: Committee;
  readonly accounts: readonly Account[];
  readonly heard: Heard;
  /** Absent where the engine records no calls. */
  readonly meter: Meter | undefined;
  stop(): Promise<void>;
}

const began = performance.now();

/** Progress, past the reporter. */
export function note(line: string): void {
  process.stderr.write(`  [${((performance.now() - began) / 1_000).toFixed(0).padStart(4)} s] ${line}\n`);
}

async function timed<Result>(what: string, run: () => Promise<Result>): Promise<Result> {
  const start = performance.now();
  note(what);
  const result = await run();
  note(`${what}: ${((performance.now() - start) / 1_000).toFixed(1)} s`);
  return result;
}

/** An engine that runs already, or one of our own. */
async function engine(): Promise<Engine> {
  const endpoint = process.env['COTERIE_EMULATOR'];
  if (!endpoint) return startMinistack({ note });
  if (!isLoopback(endpoint)) throw new Error(`COTERIE_EMULATOR: expected an endpoint on loopback, got ${endpoint}`);
  return { name: 'own engine', version: '', endpoint, folder: '', log: () => '', stop: async () => undefined };
}

/** In the engine's, which goes with the engine even if this process is killed. */
export function folderFor({ folder }: Pick<Engine, 'folder'>): string {
  return mkdtempSync(join(folder || tmpdir(), 'coterie-test-aws-'));
}

export function directoryOf({ file, access }: Operator, segment: string): DynamoStore {
  const tables = {
    Directory: tableName(file.identity, segment, 'Directory'),
    Keys: tableName(file.identity, segment, 'Keys'),
  };
  return new DynamoStore(dynamoClient({ region: file.region, ...access }), tables);
}

/** Ctrl-C in the middle of a deploy: the tools that run are ended, too; what waits for them fails, and the run ends. */
export function endOnInterrupt(stop: () => Promise<void>): void {
  process.once('SIGINT', () => void stop());
}

/** Ends what it started if it fails. */
export async function deployCommittee(): Promise<Deployed> {
  const started = await timed('starting the engine', engine);
  const folder = folderFor(started);
  const controller = new AbortController();
  const stop = async () => {
    controller.abort(new Error('the test ended'));
    await started.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  endOnInterrupt(stop);
  try {
    return { ...(await deployOn(started, folder, controller.signal)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function deployOn(started: Engine, folder: string, signal: AbortSignal): Promise<Omit<Deployed, 'stop'>> {
  const { endpoint } = started;
  const operators = OPERATORS.map((each): Operator => {
    return operatorOf(each, endpoint, { coins: [COIN] });
  });
  const deployments = new Deployments(folder, endpoint, operators, signal);
  await timed('synthesising the stacks', () => deployments.synthesise(undefined));
  await timed('bootstrapping three accounts', () => deployments.bootstrap());
  await timed('first deploy', () => deployments.deploy(undefined));
  await timed('Start and cards', () =>
    eachOperator(operators, ({ file, access }) => sendStart(file, busOf(file, access))),
  );
  const cards = await timed('reading the cards', () => eachOperator(operators, (each) => card(each, signal)));
  const terms = {
    threshold: THRESHOLD,
    network: 'local',
    suites: {},
    assets: {},
    genesisLife: undefined,
    leaderPeriod: 15,
    allowSingleSigner: false,
  };
  const committee = createCommittee(cards, terms, systemRandom, Math.floor(Date.now() / 1_000));
  const agreed = operators.map(({ file, access }) => ({ file: { ...file, committeeHash: committee.id }, access }));
  deployments.operators = agreed;
  await timed('synthesising the stacks, with the committee', () => deployments.synthesise(committee));
  await timed('second deploy', () => deployments.deploy(committee));
  await timed('reconciling the tables', () => deployments.reconcile());
  const accounts = agreed.map((each) => new Account(each));
  const heard = new Heard(accounts, COIN);
  const meter = await meterOf(endpoint);
  await timed('CommitteeAccepted, until everybody is ready', async () => {
    await eachOperator(agreed, ({ file, access }) => acceptCommittee(file, committee, busOf(file, access)));
    await heard.until('ReadyToKeygen of every operator', () => heard.ready.size === accounts.length);
  });
  return { engine: started, committee, accounts, heard, meter };
}

/** Only ministack records calls and can say what they cost. */
async function meterOf(endpoint: string): Promise<Meter | undefined> {
  const response = await fetch(`${endpoint}/_ministack/health`).catch(() => undefined);
  if (!response?.ok) return undefined;
  const meter = new Meter(
    endpoint,
    OPERATORS.map(({ account }) => account),
    REGION,
  );
  await meter.start();
  return meter;
}
