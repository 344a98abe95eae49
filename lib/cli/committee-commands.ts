/** What the operator's commands do, between the command line and the functions that do the work. */
import { existsSync, readFileSync } from 'node:fs';
import type * as z from 'zod';
import { dynamoClient } from '../aws/clients.ts';
import { systemRandom } from '../local/random.ts';
import { assetTerms } from '../messages/committee.ts';
import { coin, reasonOf } from '../messages/fields.ts';
import { parseStrict } from '../messages/json.ts';
import type { OperatorFile } from '../messages/operator.ts';
import { COORDINATOR_SEGMENT } from '../messages/topics.ts';
import { cardOf, parseCard } from './card.ts';
import {
  acceptCommittee,
  type CommitteeTerms,
  checkOwnEntry,
  committeeText,
  createCommittee,
  sendStart,
  spoken,
} from './committee.ts';
import { type Access, busOf, directoryOf } from './deploy-access.ts';
import { assertAgreed, readCommitteeFile, readOperatorFile, readText, writeWhole } from './deploy-files.ts';
import { reaching } from './place-aws.ts';
import { reconcile, sentenceOf, wantedTables } from './reconcile.ts';
import { shown, UsageError, wholeNumber } from './usage.ts';

const OK = 0;
const MAX_TERMS_BYTES = 20_000;
const MAX_LIFE_SECONDS = 7 * 86_400;

export interface CreateOptions {
  readonly threshold: string;
  readonly network: string;
  readonly suite?: readonly string[];
  readonly asset?: readonly string[];
  readonly genesis?: string;
  readonly leaderPeriod: string;
  readonly allowSingleSigner?: boolean;
  readonly output: string;
  readonly json?: boolean;
}

/** An emulator's, where the environment names one. */
function access(): Access {
  return { endpoint: process.env['AWS_ENDPOINT_URL'] || undefined };
}

export async function start(operatorPath: string, json = false): Promise<number> {
  const operator = readOperatorFile(operatorPath);
  await sendStart(operator, busOf(operator, access()));
  if (json) print({ operator: operator.identity, sent: 'Start', to: rolesOf(operator) });
  process.stderr.write(
    `Start was sent to the coordinator and to ${[...operator.coins, ...operator.assets].join(', ')}; now: coterie card\n`,
  );
  return OK;
}

export async function card(operatorPath: string, output: string | undefined, json = false): Promise<number> {
  const operator = readOperatorFile(operatorPath);
  const made = await reaching(placeName(operator.region), () => cardOf(operator, directoryOf(operator, access())));
  const text = `${JSON.stringify(made, null, 2)}\n`;
  if (output !== undefined) writeOnce(output, text);
  if (json) print({ operator: operator.identity, hash: made.hash, spoken: spoken(made.hash), card: made });
  else if (output === undefined) process.stdout.write(text);
  process.stderr.write(`card ${spoken(made.hash)}\n`);
  return OK;
}

export function create(paths: readonly string[], options: CreateOptions): number {
  const cards = paths.map((path) => parseCard(readText(path, 'a card'), path));
  const terms = {
    threshold: wholeNumber('--threshold', options.threshold, 1, cards.length),
    network: options.network,
    suites: suitesOf(options.suite ?? []),
    assets: assetsOf(options.asset ?? []),
    genesisLife:
      options.genesis === undefined ? undefined : wholeNumber('--genesis', options.genesis, 60, MAX_LIFE_SECONDS),
    leaderPeriod: wholeNumber('--leader-period', options.leaderPeriod, 1, 3_600),
    allowSingleSigner: options.allowSingleSigner ?? false,
  };
  const committee = createCommittee(cards, terms, systemRandom, Math.floor(Date.now() / 1_000));
  writeOnce(options.output, committeeText(committee));
  const { output } = options;
  if (options.json)
    print({
      committee: committee.id,
      spoken: spoken(committee.id),
      operators: committee.n,
      threshold: terms.threshold,
      output,
    });
  else process.stdout.write(`${committee.id}\n`);
  process.stderr.write(
    `${options.output}: ${terms.threshold} of ${committee.n}. Send it to every operator, and compare by voice:\n${spoken(committee.id)}\n`,
  );
  return OK;
}

export function check(path: string, operatorPath: string, cardPath: string | undefined, json = false): number {
  const operator = readOperatorFile(operatorPath);
  const committee = readCommitteeFile(path);
  checkOwnEntry(
    operator,
    committee,
    cardPath === undefined ? undefined : parseCard(readText(cardPath, 'a card'), cardPath),
  );
  if (json) print({ committee: committee.id, spoken: spoken(committee.id), operator: operator.identity });
  else process.stdout.write(`${committee.id}\n`);
  process.stderr.write(
    `${path} is well-formed and names ${operator.identity}. Compare by voice:\n${spoken(committee.id)}\n`,
  );
  return OK;
}

export async function accept(path: string, operatorPath: string, json = false): Promise<number> {
  const operator = readOperatorFile(operatorPath);
  const committee = readCommitteeFile(path);
  assertAgreed(operator, committee);
  await acceptCommittee(operator, committee, busOf(operator, access()));
  if (json)
    print({
      operator: operator.identity,
      committee: committee.id,
      sent: 'CommitteeAccepted',
      to: rolesOf(operator),
    });
  process.stderr.write(
    `CommitteeAccepted was sent to the coordinator and to ${[...operator.coins, ...operator.assets].join(', ')}\n`,
  );
  return OK;
}

export async function reconcileTables(operatorPath: string, assembly: string, json = false): Promise<number> {
  const { identity, region } = readOperatorFile(operatorPath);
  const tables = wantedTables(assembly, `coterie-${identity}-`);
  const found = await reaching(placeName(region), () => reconcile(tables, dynamoClient({ region, ...access() })));
  if (json) print({ operator: identity, tables: tables.length, differences: found });
  else for (const difference of found) process.stdout.write(`${sentenceOf(difference)}\n`);
  return OK;
}

function print(document: object): void {
  process.stdout.write(`${JSON.stringify({ v: 1, ...document })}\n`);
}

function rolesOf({ coins, assets }: OperatorFile): readonly string[] {
  return [COORDINATOR_SEGMENT, ...coins, ...assets];
}

/** What the endpoint or AWS is called in a sentence. */
function placeName(region: string): string {
  return process.env['AWS_ENDPOINT_URL'] || `AWS in ${region}`;
}

function suitesOf(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const [name = '', suite = ''] = text.split('=');
      if (!coin.safeParse(name).success || suite === '') {
        throw new UsageError(`--suite: expected coin=suite, got ${shown(text)}`);
      }
      return [name, suite];
    }),
  );
}

/** `usd=terms.json`: what the committee agreed about an asset. */
function assetsOf(texts: readonly string[]): CommitteeTerms['assets'] {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      const [name, path] = [text.slice(0, at), text.slice(at + 1)];
      if (at < 0 || !coin.safeParse(name).success || path === '')
        throw new UsageError(`--asset: expected asset=file, got ${shown(text)}`);
      const json = parseStrict(readText(path, 'the terms of an asset'), MAX_TERMS_BYTES);
      const parsed = json.ok ? assetTerms.safeParse(json.value) : undefined;
      if (!parsed?.success) {
        const why = json.ok ? reasonOf(parsed?.error as z.ZodError) : json.reason;
        throw new UsageError(
          `${path}: ${why} (expected {"f", "epoch", "depositors": {"keys", "required", "capPerEpoch"}})`,
        );
      }
      return [name, parsed.data];
    }),
  );
}

/** Whole or not at all, and never over another one: who runs it again with the same outcome is told nothing new. */
function writeOnce(path: string, text: string): void {
  if (existsSync(path)) {
    if (readFileSync(path, 'utf8') === text) return;
    throw new UsageError(
      `expected no file at ${path}, got one with other content: move it away, or choose another --output`,
    );
  }
  writeWhole(path, text);
}
