/** Several operators' deployments on one emulator, by the very commands that an operator would type. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { freshEnvironment } from '../../scripts/emulators/engine.ts';
import { dynamoClient } from '../aws/clients.ts';
import { systemRandom } from '../local/random.ts';
import type { Committee } from '../messages/committee.ts';
import { type OperatorFile, parseOperatorFile } from '../messages/operator.ts';
import { type Card, cardOf } from './card.ts';
import { type CommitteeTerms, committeeText, createCommittee, sendStart, spoken } from './committee.ts';
import { type Access, busOf, directoryOf } from './deploy-access.ts';
import { cdk } from './deploy-cdk.ts';
import { COMMITTEE_HASH, stackNames } from './deploy-names.ts';
import { reconcile, sentenceOf, wantedTables } from './reconcile.ts';

export const REGION = 'us-east-1';
/** Seconds that may pass until a role has made its keys, or all have their outcomes: as long as the first ceremony may take, on a machine that has much else to do. */
export const PATIENCE_SECONDS = 540;

export interface Operator {
  readonly file: OperatorFile;
  readonly access: Access;
}

/** Says what begins, and how long it took. */
export function stepper(note: (line: string) => void, signal: AbortSignal) {
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

/** @param holds coins, and assets with the gateways that their services answer */
export function operatorOf(
  { identity, account }: { readonly identity: string; readonly account: string },
  endpoint: string,
  holds: {
    readonly coins: readonly string[];
    readonly assets?: readonly string[];
    readonly gateways?: readonly string[];
  },
): Operator {
  const parsed = parseOperatorFile({
    identity,
    account,
    region: REGION,
    clientRoles: [`arn:aws:iam::${account}:role/client`, `arn:aws:iam::${account}:root`],
    ...holds,
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

/** Of a committee on an emulator, where nobody has agreed on more. */
export const DEMO_TERMS = {
  network: 'local',
  suites: {},
  genesisLife: 600,
  // Nobody is silent here, and functions that start for the first time on a busy machine are no reason for a second leader.
  leaderPeriod: 60,
  allowSingleSigner: false,
} as const;

export interface Agreement {
  readonly deployments: Deployments;
  readonly terms: CommitteeTerms;
  readonly step: ReturnType<typeof stepper>;
  readonly note: (line: string) => void;
  readonly signal: AbortSignal;
}

/** First deploy, `Start`, cards, committee file, second deploy with its hash: everything before `CommitteeAccepted`. */
export async function agree({
  deployments,
  terms,
  step,
  note,
  signal,
}: Agreement): Promise<{ readonly committee: Committee; readonly agreed: readonly Operator[] }> {
  const { operators } = deployments;
  await step('synthesising the stacks, without a committee', () => deployments.synthesise(undefined));
  await step(`bootstrapping ${operators.length} accounts`, () => deployments.bootstrap());
  await step('first deploy, in each account', () => deployments.deploy(undefined));
  for (const line of await step('reconciling tables with their templates', () => deployments.reconcile()))
    note(`  ${line}`);
  await step('Start, to every role', () =>
    eachOperator(operators, ({ file, access }) => sendStart(file, busOf(file, access))),
  );
  const cards = await step('reading the cards', () => eachOperator(operators, (operator) => card(operator, signal)));
  const committee = createCommittee(cards, terms, systemRandom, Math.floor(Date.now() / 1_000));
  note(`  committee ${spoken(committee.id)}`);
  const agreed = operators.map(({ file, access }) => ({ file: { ...file, committeeHash: committee.id }, access }));
  deployments.operators = agreed;
  await step('synthesising the stacks, with the committee', () => deployments.synthesise(committee));
  await step('second deploy, with the hash that was compared', () => deployments.deploy(committee));
  for (const line of await step('reconciling tables again', () => deployments.reconcile())) note(`  ${line}`);
  return { committee, agreed };
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
    await this.#cdk(this.operators[0]?.file.account ?? '', [
      'synth',
      '--quiet',
      '--output',
      this.#assembly,
      ...context,
    ]);
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
    await this.#inEachAccount(({ file }) => {
      const stacks = stackNames(file, committee !== undefined);
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
