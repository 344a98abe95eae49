/** The doctor on a deployment whose every answer comes from the synthesised stacks, and on that deployment with one thing wrong. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { KMSClient } from '@aws-sdk/client-kms';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { exampleCommittee } from '../../cdk/example.ts';
import type { Checkup } from '../../lib/cli/checkup.ts';
import { QUEUES } from '../../lib/cli/cost.ts';
import { type DoctorClients, examine, type Patient } from '../../lib/cli/doctor.ts';
import { tooWide } from '../../lib/cli/doctor-policies.ts';
import { queuesOf } from '../../lib/cli/doctor-queues.ts';
import type { Committee } from '../../lib/messages/committee.ts';
import type { OperatorFile } from '../../lib/messages/operator.ts';
import { sdkError } from '../aws/stub.ts';
import { deployed, type Resource, resources } from '../cdk/deployment.ts';

interface World {
  readonly tables: Map<string, Record<string, unknown>>;
  readonly queues: Map<string, Record<string, string>>;
  readonly keys: Map<string, Record<string, unknown>>;
  skew: number;
}

let committee: Committee;
let operator: OperatorFile;
let templates: readonly Template[];

beforeAll(() => {
  const made = deployed(3, 2, 'aws', {}, 1);
  committee = exampleCommittee(3, 2, 1);
  operator = { ...made.settings.operator, committeeHash: committee.id };
  templates = [...made.templates.values()];
});

const of = (type: string): [string, Resource][] => templates.flatMap((template) => [...resources(template, type)]);

/** CloudFormation's functions, as far as these templates use them. */
function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== 'object' || value === null) return value;
  const [[name, argument] = []] = Object.entries(value);
  if (name === 'Fn::Join') {
    const [separator, parts] = resolved(argument) as [string, unknown[]];
    return parts.map(String).join(separator);
  }
  if (name === 'Ref' && argument === 'AWS::Partition') return 'aws';
  if (name === 'Ref') return `${argument}`;
  if (name === 'Fn::GetAtt') return `arn:aws:sqs:eu-central-1:111111111111:${(argument as string[])[0]}`;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolved(each)]));
}

/** What DynamoDB, SQS and KMS would say of what these templates make. */
function world(): World {
  const policies = new Map<string, unknown>();
  for (const [, { Properties }] of of('AWS::SQS::QueuePolicy'))
    for (const queue of Properties['Queues'] as { Ref: string }[])
      policies.set(queue.Ref, Properties['PolicyDocument']);
  const queues = new Map<string, Record<string, string>>();
  for (const [id, { Properties }] of of('AWS::SQS::Queue')) {
    const { QueueName, RedrivePolicy, VisibilityTimeout, SqsManagedSseEnabled } = Properties;
    if (typeof QueueName !== 'string') continue;
    queues.set(QueueName, {
      VisibilityTimeout: `${VisibilityTimeout ?? 30}`,
      SqsManagedSseEnabled: `${SqsManagedSseEnabled ?? false}`,
      ...(RedrivePolicy ? { RedrivePolicy: JSON.stringify(resolved(RedrivePolicy)) } : {}),
      Policy: JSON.stringify(resolved(policies.get(id) ?? {})),
    });
  }
  const keys = new Map<string, Record<string, unknown>>();
  for (const template of templates) {
    const made = resources(template, 'AWS::KMS::Key');
    for (const [, { Properties }] of resources(template, 'AWS::KMS::Alias')) {
      const target = (Properties['TargetKeyId'] as { 'Fn::GetAtt': string[] })['Fn::GetAtt'][0] ?? '';
      const { KeyPolicy, EnableKeyRotation } = made.get(target)?.Properties ?? {};
      keys.set(`${Properties['AliasName']}`, {
        KeyState: 'Enabled',
        Policy: JSON.stringify(resolved(KeyPolicy)),
        KeyRotationEnabled: EnableKeyRotation === true,
      });
    }
  }
  const tables = new Map(
    of('AWS::DynamoDB::Table').map(([, { Properties }]) => [`${Properties['TableName']}`, { ...Properties }]),
  );
  return { tables, queues, keys, skew: 0 };
}

function clients(of: World): DoctorClients {
  const missing = () => sdkError('ResourceNotFoundException', 400);
  const send = async (command: unknown): Promise<unknown> => {
    const { input, constructor: made } = command as { input: Record<string, unknown>; constructor: { name: string } };
    const table = of.tables.get(`${input['TableName']}`);
    const queue = of.queues.get(`${input['QueueUrl']}`.split('/').at(-1) ?? '');
    const key = of.keys.get(`${input['KeyId']}`);
    switch (made.name) {
      case 'DescribeTableCommand':
        if (!table) throw missing();
        return {
          Table: {
            DeletionProtectionEnabled: table['DeletionProtectionEnabled'] ?? false,
            StreamSpecification: table['StreamSpecification'],
          },
        };
      case 'DescribeTimeToLiveCommand': {
        if (!table) throw missing();
        const ttl = table['TimeToLiveSpecification'] as { AttributeName: string; Enabled: boolean } | undefined;
        return {
          TimeToLiveDescription: ttl?.Enabled
            ? { TimeToLiveStatus: 'ENABLED', AttributeName: ttl.AttributeName }
            : { TimeToLiveStatus: 'DISABLED' },
        };
      }
      case 'DescribeContinuousBackupsCommand': {
        if (!table) throw missing();
        const recovery = table['PointInTimeRecoverySpecification'] as
          | { PointInTimeRecoveryEnabled?: boolean }
          | undefined;
        const on = recovery?.PointInTimeRecoveryEnabled ?? false;
        return {
          ContinuousBackupsDescription: {
            PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: on ? 'ENABLED' : 'DISABLED' },
          },
        };
      }
      case 'GetQueueAttributesCommand':
        if (!queue) throw sdkError('QueueDoesNotExist', 400);
        return { Attributes: queue };
      case 'DescribeKeyCommand':
        if (!key) throw sdkError('NotFoundException', 400);
        return { KeyMetadata: { KeyId: input['KeyId'], KeyState: key['KeyState'] } };
      case 'GetKeyPolicyCommand':
        return { Policy: key?.['Policy'] };
      case 'GetKeyRotationStatusCommand':
        return { KeyRotationEnabled: key?.['KeyRotationEnabled'] };
      default:
        throw new Error(`the doctor only looks, and asked for ${made.name}`);
    }
  };
  const client = { send } as unknown as DynamoDBClient & SQSClient & KMSClient;
  const now = () => 1_800_000_000_000;
  return { dynamo: client, sqs: client, kms: client, now, date: async () => now() - of.skew * 1_000 };
}

const patient = (change: Partial<Patient> = {}): Patient => ({
  operator,
  committee,
  accepted: new Map(['coordinator', ...operator.coins, ...operator.assets].map((segment) => [segment, committee.id])),
  endpoint: undefined,
  ...change,
});
const problems = async (of: World, change: Partial<Patient> = {}): Promise<readonly Checkup[]> =>
  (await examine(patient(change), clients(of))).filter(({ result }) => result !== 'good');

describe('a deployment as the stacks make it', () => {
  it('has nothing to complain of, in every table, key and queue', async () => {
    const found = await examine(patient(), clients(world()));
    expect(found.filter(({ result }) => result !== 'good')).toEqual([]);
    expect(found.length).toBeGreaterThan(50);
  });

  it('has the queues that the doctor and the cost model think it has', () => {
    const made = new Set(
      of('AWS::SQS::Queue').flatMap(([, { Properties }]) =>
        typeof Properties['QueueName'] === 'string' ? [Properties['QueueName']] : [],
      ),
    );
    expect(new Set(queuesOf({ operator, committee }).map(({ name }) => `${name}`))).toEqual(made);
    const read = queuesOf({ operator, committee }).filter((each) => each.function).length;
    const { coins, assets } = operator;
    expect(read).toBe(QUEUES.coordinator + QUEUES.coin * coins.length + QUEUES.asset * assets.length + committee.n - 1);
  });
});

describe('one thing wrong is one finding with its remedy', () => {
  const table = (name: string, change: Record<string, unknown>) => (of: World) =>
    of.tables.set(name, { ...of.tables.get(name), ...change });
  const queue = (name: string, change: (attributes: Record<string, string>) => Record<string, string>) => (of: World) =>
    of.queues.set(name, change(of.queues.get(name) ?? {}));
  const policy =
    (change: (statements: Record<string, unknown>[]) => unknown[]) => (attributes: Record<string, string>) => {
      const { Statement } = JSON.parse(attributes['Policy'] ?? '{}') as { Statement: Record<string, unknown>[] };
      return { ...attributes, Policy: JSON.stringify({ Statement: change(Statement) }) };
    };
  const named = (identity: string) => `coterie-${identity}`;
  const own = () => named(operator.identity);

  it.each<[string, (of: World) => unknown, RegExp, RegExp]>([
    ['a clock', (of) => (of.skew = 300), /300 s ahead of/, /NTP/],
    [
      'nonces that can be restored',
      (of) =>
        table(`${own()}-btc-Nonces`, { PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } })(of),
      /recovery is on/,
      /signs twice/,
    ],
    [
      'nonces that are streamed',
      (of) => table(`${own()}-btc-Nonces`, { StreamSpecification: { StreamEnabled: true } })(of),
      /has a stream/,
      /Turn it off/,
    ],
    [
      'keys without recovery',
      (of) => table(`${own()}-btc-Keys`, { PointInTimeRecoverySpecification: undefined })(of),
      /recovery is off/,
      /Deploy/,
    ],
    [
      'keys that can be deleted',
      (of) => table(`${own()}-btc-Keys`, { DeletionProtectionEnabled: false })(of),
      /deleted by one call/,
      /protection on/,
    ],
    [
      'keys that expire',
      (of) => table(`${own()}-btc-Keys`, { TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true } })(of),
      /time to live is on ttl/,
      /nothing in this table may ever expire/,
    ],
    [
      'ceremonies that never expire',
      (of) => table(`${own()}-btc-Ceremonies`, { TimeToLiveSpecification: undefined })(of),
      /time to live is off/,
      /reconcile/,
    ],
    [
      'spent serials that can be deleted',
      (of) => table(`${own()}-usd-Serials`, { DeletionProtectionEnabled: false })(of),
      /deleted by one call/,
      /spent twice/,
    ],
    [
      'spent serials that expire',
      (of) => table(`${own()}-usd-Serials`, { TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true } })(of),
      /time to live is on ttl/,
      /nothing in this table may ever expire/,
    ],
    [
      'what was issued, without recovery',
      (of) => table(`${own()}-usd-Issuance`, { PointInTimeRecoverySpecification: undefined })(of),
      /recovery is off/,
      /Deploy/,
    ],
    [
      'another account than the gateway’s that may send transactions',
      (of) =>
        queue(
          `${own()}-usd-Transaction`,
          policy((all) =>
            all.map((each) => (each['Effect'] === 'Allow' ? { ...each, Principal: { AWS: '888888888888' } } : each)),
          ),
        )(of),
      /admits 888888888888, expected the gateways’ accounts 999999999999/,
      /Deploy/,
    ],
    [
      'transactions from everybody in the account',
      (of) =>
        queue(
          `${own()}-usd-Transaction`,
          policy((all) => all.filter(({ Sid }) => Sid !== 'DenyEverybodyElse')),
        )(of),
      /does not deny everybody but the gateways/,
      /own roles/,
    ],
    ['a service without its share’s key', (of) => of.keys.delete(`alias/${own()}-usd-keys`), /is not there/, /lost/],
    ['a missing table', (of) => of.tables.delete(`${own()}-btc-Directory`), /is not there/, /Deploy/],
    ['a missing queue', (of) => of.queues.delete(`${own()}-btc-Wake`), /is not there/, /Deploy/],
    [
      'a short visibility',
      (of) => queue(`${own()}-btc-Wake`, (each) => ({ ...each, VisibilityTimeout: '30' }))(of),
      /come again after 30 s/,
      /handed out twice/,
    ],
    [
      'no dead letters',
      (of) => queue(`${own()}-btc-Wake`, ({ RedrivePolicy: _, ...rest }) => rest)(of),
      /no dead-letter queue/,
      /lost/,
    ],
    [
      'too few receives',
      (of) => queue(`${own()}-btc-Wake`, (each) => ({ ...each, RedrivePolicy: '{"maxReceiveCount":1}' }))(of),
      /gives up after 1/,
      /Deploy/,
    ],
    [
      'plain text at rest',
      (of) => queue(`${own()}-btc-Wake`, (each) => ({ ...each, SqsManagedSseEnabled: 'false' }))(of),
      /not encrypted at rest/,
      /Deploy/,
    ],
    [
      'plain text on the way',
      (of) =>
        queue(
          `${own()}-btc-Wake`,
          policy(() => []),
        )(of),
      /without TLS/,
      /emulator/,
    ],
    [
      'an open queue',
      (of) =>
        queue(
          `${own()}-btc-Wake`,
          policy((all) => [...all, { Effect: 'Allow', Principal: '*', Action: 'sqs:SendMessage' }]),
        )(of),
      /lets everybody in/,
      /at once/,
    ],
    [
      'a stranger who may instruct',
      (of) =>
        queue(
          `${own()}-btc-MultisigInstruction`,
          policy((all) => JSON.parse(JSON.stringify(all).replaceAll('role/', 'role/other-'))),
        )(of),
      /admits .*other-.*, expected/,
      /ask for signatures/,
    ],
    [
      'an instruction queue that denies nobody',
      (of) =>
        queue(
          `${own()}-btc-MultisigInstruction`,
          policy((all) => all.filter(({ Sid }) => Sid !== 'DenyEverybodyElse')),
        )(of),
      /does not deny everybody else/,
      /administrators/,
    ],
    [
      'a key about to be deleted',
      (of) =>
        of.keys.set(`alias/${own()}-btc-keys`, {
          ...of.keys.get(`alias/${own()}-btc-keys`),
          KeyState: 'PendingDeletion',
        }),
      /PendingDeletion/,
      /Cancel its deletion/,
    ],
    [
      'a key that is not rotated',
      (of) =>
        of.keys.set(`alias/${own()}-btc-keys`, {
          ...of.keys.get(`alias/${own()}-btc-keys`),
          KeyRotationEnabled: false,
        }),
      /not rotated/,
      /rotation on/,
    ],
    ['a missing key', (of) => of.keys.delete(`alias/${own()}-btc-keys`), /is not there/, /lost/],
  ])('%s', async (_, break_, what, remedy) => {
    const of = world();
    break_(of);
    const found = await problems(of);
    expect(found.map(({ result }) => result)).toEqual(['problem']);
    expect(found[0]?.what).toMatch(what);
    expect(found[0]?.remedy).toMatch(remedy);
  });

  it('an inbox that admits another account than the committee file names', async () => {
    const of = world();
    const name = [...of.queues.keys()].find((each) => each.startsWith(`${own()}-inbox-`)) ?? '';
    of.queues.set(
      name,
      policy((all) => JSON.parse(JSON.stringify(all).replaceAll(/iam::[0-9]{12}/g, 'iam::999999999999')))(
        of.queues.get(name) ?? {},
      ),
    );
    expect((await problems(of)).map(({ what }) => what)).toEqual([
      expect.stringMatching(/999999999999.*, expected the coordinator in account/),
    ]);
  });
});

describe('drift', () => {
  const hash = (byte: string) => `0x${byte.repeat(32)}` as const;

  it('is seen between the operator file, the file at hand and what each role accepted', async () => {
    const of = world();
    const what = async (change: Partial<Patient>) => (await problems(of, change)).map((each) => each.what);
    expect(await what({ operator: { ...operator, committeeHash: hash('ab') } })).toEqual([
      expect.stringContaining(`the file at hand has hash ${committee.id}`),
      ...Array(1 + operator.coins.length + operator.assets.length).fill(
        expect.stringContaining(`it accepted ${committee.id}`),
      ),
    ]);
    const { committeeHash: _, ...first } = operator;
    expect(await what({ operator: first })).toEqual(['the operator file names no committee hash']);
    const accepted = new Map<string, string | undefined>([
      ['coordinator', committee.id],
      ['btc', undefined],
    ]);
    expect(await what({ accepted })).toEqual(['no committee is accepted there']);
  });
});

describe('what is not answered', () => {
  it('is said to be unknown, and is no problem', async () => {
    const silent = {
      send: async () => Promise.reject(sdkError('AccessDeniedException', 400)),
    } as unknown as DynamoDBClient & SQSClient & KMSClient;
    const found = await examine(patient(), {
      dynamo: silent,
      sqs: silent,
      kms: silent,
      now: Date.now,
      date: async () => undefined,
    });
    expect(new Set(found.filter(({ subject }) => subject !== 'committee').map(({ result }) => result))).toEqual(
      new Set(['unknown']),
    );
    expect(JSON.stringify(found)).not.toContain('secret');
  });
});

describe('a key policy', () => {
  const use = { Sid: 'Use', Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::1:root' }, Resource: '*' };
  const bound = { ArnEquals: { 'aws:PrincipalArn': 'r' }, StringEquals: { 'kms:EncryptionContext:kind': 'key' } };

  it('is too wide if it lets an account use the key, by whatever name of the action', () => {
    for (const Action of [
      'kms:*',
      '*',
      'kms:Decrypt',
      ['kms:DescribeKey', 'kms:decrypt'],
      'kms:De*',
      'kms:CreateGrant',
      'kms:GenerateDataKeyPair*',
    ])
      expect(tooWide({ Statement: [{ ...use, Action }] }), `${Action}`).toEqual(['Use']);
  });

  it('is not, if it names functions and contexts, or administers only', () => {
    expect(tooWide({ Statement: [{ ...use, Action: 'kms:Decrypt', Condition: bound }] })).toEqual([]);
    expect(tooWide({ Statement: { ...use, Action: ['kms:DescribeKey', 'kms:PutKeyPolicy'] } })).toEqual([]);
    expect(
      tooWide({ Statement: [{ ...use, Action: 'kms:Decrypt', Condition: { ArnEquals: bound.ArnEquals } }] }),
    ).toEqual(['Use']);
    expect(tooWide({ Statement: [{ ...use, Effect: 'Deny', Action: 'kms:*' }] })).toEqual([]);
  });
});
