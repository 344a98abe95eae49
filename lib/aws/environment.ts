/** The environment variables that a stack gives its functions: read once, strictly, so that a wrong deployment says what is wrong with it. */
import * as z from 'zod';
import { hex32, identity } from '../messages/fields.ts';
import type { Hex } from '../messages/hex.ts';
import { policySchema } from '../messages/policies.ts';
import type { CoordinatorConfig, NodeConfig, ProcessorConfig } from '../node/node.ts';
import { type QueueName, TABLES, type Table } from '../ports.ts';
import type { WrappingKeys } from './key-wrapper.ts';
import type { TableNames } from './store.ts';

export interface LambdaEnvironment {
  readonly config: NodeConfig;
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
  readonly tables: TableNames;
  readonly keys: WrappingKeys;
  /** An emulator's; absent: AWS itself. */
  readonly endpoint: string | undefined;
  /** The message whose function dies once between commit and send: on an emulator only. */
  readonly crashAfterCommit: string | undefined;
}

/** Some variable is missing or malformed; the message names each, and what was expected. */
export class EnvironmentError extends Error {
  readonly kind = 'EnvironmentError';
}

const PREFIX = 'COTERIE_';
const coin = z.string().regex(/^[a-z0-9]{2,16}$/, 'expected a coin of 2 to 16 lower-case letters and digits');
const name = z.string().min(1).max(2_048);

/** A stack parameter that is not set yet arrives as an empty text. */
function unset<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((value) => (value === '' ? undefined : value), schema.optional());
}

function json<Schema extends z.ZodType>(schema: Schema) {
  const parsed = z.string().transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'expected JSON' });
      return z.NEVER;
    }
  });
  return parsed.pipe(schema);
}

const instructionKeys = z
  .strictObject({ required: z.int().min(1).max(32), keys: z.array(hex32).min(1).max(32) })
  .refine(
    ({ required, keys }) => required <= new Set(keys).size,
    'expected at most as many required signatures as distinct keys',
  );

const queue = z
  .string()
  .regex(/^(?:arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:)?[A-Za-z0-9_-]{1,80}$/, 'expected a queue name or an SQS ARN')
  .transform((text) => text as QueueName);

const shared = {
  COTERIE_IDENTITY: identity,
  COTERIE_ACCOUNT: z.string().regex(/^[0-9]{12}$/, 'expected an account id of 12 digits'),
  COTERIE_COMMITTEE_HASH: unset(hex32),
  COTERIE_KEY_KEYS: name,
  COTERIE_KEY_EPHEMERAL: name,
  COTERIE_TABLE_DIRECTORY: name,
  COTERIE_TABLE_KEYS: name,
  COTERIE_CRASH: unset(z.string().regex(/^after-commit:[A-Za-z]{1,40}$/, 'expected after-commit:<MessageName>')),
} as const;

const variables = z.discriminatedUnion('COTERIE_ROLE', [
  z.strictObject({
    ...shared,
    COTERIE_ROLE: z.literal('coordinator'),
    COTERIE_COINS: json(z.array(coin).min(1).max(32)),
  }),
  z.strictObject({
    ...shared,
    COTERIE_ROLE: z.literal('processor'),
    COTERIE_COIN: coin,
    COTERIE_TABLE_CEREMONIES: name,
    COTERIE_TABLE_NONCES: name,
    COTERIE_TABLE_SERIALS: unset(name),
    COTERIE_TABLE_ISSUANCE: unset(name),
    COTERIE_GATEWAYS: unset(json(z.array(queue).max(16))),
    COTERIE_OUTCOME_QUEUE: unset(queue),
    COTERIE_POLICIES: json(z.array(policySchema).max(16)),
    COTERIE_INSTRUCTION_KEYS: unset(json(instructionKeys)),
  }),
]);
type Variables = z.infer<typeof variables>;

/** What a stack writes; used by the stacks, so that a name is spelt in one place. */
export type EnvironmentVariable = Variables extends infer Each ? (Each extends unknown ? keyof Each : never) : never;

/** @throws {EnvironmentError} naming every variable that is missing, unknown or malformed */
export function parseEnvironment(environment: Readonly<Record<string, string | undefined>>): LambdaEnvironment {
  const own = Object.fromEntries(Object.entries(environment).filter(([variable]) => variable.startsWith(PREFIX)));
  const parsed = variables.safeParse(own);
  const region = environment['AWS_REGION'];
  const endpoint = environment['AWS_ENDPOINT_URL'] || undefined;
  if (!parsed.success) throw new EnvironmentError(parsed.error.issues.map(sentence).join('; '));
  if (!region) throw new EnvironmentError('AWS_REGION: expected a region, got nothing');
  const crash = parsed.data.COTERIE_CRASH;
  if (crash !== undefined && (endpoint === undefined || !isLoopback(endpoint))) {
    throw new EnvironmentError(
      'COTERIE_CRASH: expected an emulator on loopback in AWS_ENDPOINT_URL, got another endpoint or none',
    );
  }
  return {
    config: configOf(parsed.data, region),
    account: parsed.data.COTERIE_ACCOUNT,
    region,
    tables: tablesOf(parsed.data),
    keys: { keys: parsed.data.COTERIE_KEY_KEYS, ephemeral: parsed.data.COTERIE_KEY_EPHEMERAL },
    endpoint,
    crashAfterCommit: crash?.slice('after-commit:'.length),
  };
}

function configOf(of: Variables, region: string): NodeConfig {
  const committeeHash = of.COTERIE_COMMITTEE_HASH as Hex | undefined;
  switch (of.COTERIE_ROLE) {
    case 'coordinator':
      return {
        role: 'coordinator',
        identity: of.COTERIE_IDENTITY,
        coins: of.COTERIE_COINS,
        committeeHash,
      } satisfies CoordinatorConfig;
    case 'processor':
      return {
        role: 'processor',
        identity: of.COTERIE_IDENTITY,
        account: of.COTERIE_ACCOUNT,
        region,
        coin: of.COTERIE_COIN,
        committeeHash,
        outcomeQueue: of.COTERIE_OUTCOME_QUEUE,
        policies: of.COTERIE_POLICIES,
        instructionKeys: of.COTERIE_INSTRUCTION_KEYS as ProcessorConfig['instructionKeys'],
        ...(of.COTERIE_GATEWAYS ? { gateways: of.COTERIE_GATEWAYS } : {}),
      } satisfies ProcessorConfig;
  }
}

function tablesOf(of: Variables): TableNames {
  const names: Partial<Record<Table, string>> = {};
  const byVariable: Readonly<Record<string, unknown>> = of;
  for (const table of TABLES) {
    const named = byVariable[tableVariable(table)];
    if (typeof named === 'string') names[table] = named;
  }
  return names;
}

/** `COTERIE_TABLE_CEREMONIES` for `Ceremonies`. */
export function tableVariable<Name extends Table>(table: Name): `COTERIE_TABLE_${Uppercase<Name>}` {
  return `COTERIE_TABLE_${table.toUpperCase() as Uppercase<Name>}`;
}

export function isLoopback(endpoint: string): boolean {
  try {
    const { hostname } = new URL(endpoint);
    return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.[0-9]{1,3}){3}$/.test(hostname);
  } catch {
    return false;
  }
}

/** Values stay out: a mistyped variable may hold anything. */
function sentence(issue: z.core.$ZodIssue): string {
  const where = issue.path.join('.');
  switch (issue.code) {
    case 'unrecognized_keys':
      return `expected no other variables of ours, got ${issue.keys.join(', ')}`;
    case 'invalid_union':
      return `${where || 'COTERIE_ROLE'}: expected coordinator or processor, got another value or nothing`;
    default:
      return `${where}: ${issue.message
        .replace(/^Invalid (?:input|option): /, '')
        .replace('received undefined', 'got nothing')
        .replace('received', 'got')}`;
  }
}
