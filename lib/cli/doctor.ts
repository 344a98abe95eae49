/**
 * `coterie doctor`: what is deployed, looked at from outside, against what the stacks would make. Each finding comes with its remedy; nothing is changed.
 *
 * Expectations are repeated here and not imported from the stacks, so that the command line does not carry the deployment library; a test compares them with the templates.
 */
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import {
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  type KMSClient,
} from '@aws-sdk/client-kms';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { TTL_ATTRIBUTE } from '../aws/tables.ts';
import type { Committee } from '../messages/committee.ts';
import type { OperatorFile } from '../messages/operator.ts';
import { COORDINATOR_SEGMENT } from '../messages/topics.ts';
import type { KeyLifecycle, Table } from '../ports.ts';
import { asking, type Checkup, good, problem, unknown } from './checkup.ts';
import { tableName } from './deploy-names.ts';
import { tooWide } from './doctor-policies.ts';
import { queueCheck, queuesOf } from './doctor-queues.ts';

export interface DoctorClients {
  readonly dynamo: Pick<DynamoDBClient, 'send'>;
  readonly sqs: Pick<SQSClient, 'send'>;
  readonly kms: Pick<KMSClient, 'send'>;
  /** Milliseconds UTC by the endpoint's `Date`; `undefined`: it says none. */
  readonly date: () => Promise<number | undefined>;
  /** Milliseconds UTC by this machine. */
  readonly now: () => number;
}

interface Lifecycle {
  readonly recovery: boolean;
  readonly timeToLive: boolean;
  readonly protected: boolean;
}

/** As the stacks make them. */
export const TABLE_LIFECYCLES: Readonly<Record<Table, Lifecycle>> = {
  Ceremonies: { recovery: true, timeToLive: true, protected: false },
  Nonces: { recovery: false, timeToLive: true, protected: false },
  Keys: { recovery: true, timeToLive: false, protected: true },
  Directory: { recovery: true, timeToLive: false, protected: false },
  Serials: { recovery: true, timeToLive: false, protected: true },
  Issuance: { recovery: true, timeToLive: false, protected: true },
};
/** What is lost with a table that somebody deletes. */
const LOST: Readonly<Partial<Record<Table, string>>> = {
  Keys: 'key shares lie in it and nowhere else.',
  Serials: 'a serial that is forgotten is spent twice.',
  Issuance: 'wallets that are restored from their seeds find their tokens by it.',
};
/** Two operators' clocks may differ by ten minutes; one that is out by one is on its way there. */
const SKEW_SECONDS = 60;
export interface Patient {
  readonly operator: OperatorFile;
  /** The file at hand, as everybody agreed on it. */
  readonly committee: Committee | undefined;
  /** Hashes of the files that the roles have accepted, by segment. */
  readonly accepted: ReadonlyMap<string, string | undefined>;
  readonly endpoint: string | undefined;
}

export async function examine(patient: Patient, clients: DoctorClients): Promise<readonly Checkup[]> {
  const { coins, assets } = patient.operator;
  const segments = [COORDINATOR_SEGMENT, ...coins, ...assets];
  const found = await Promise.all([
    clock(clients),
    drift(patient),
    ...segments.flatMap((segment) =>
      tablesOf(segment, assets).map((table) =>
        tableCheck(tableName(patient.operator.identity, segment, table), table, clients),
      ),
    ),
    ...segments.flatMap((segment) =>
      (['keys', 'ephemeral'] as const).map((life) => keyCheck(patient, segment, life, clients)),
    ),
    ...queuesOf(patient).map((queue) => queueCheck(patient, queue, clients)),
  ]);
  return found.flat();
}

function tablesOf(segment: string, assets: readonly string[]): readonly Table[] {
  if (segment === COORDINATOR_SEGMENT) return ['Keys', 'Directory'];
  return ['Ceremonies', 'Nonces', 'Keys', 'Directory', ...(assets.includes(segment) ? ASSET_TABLES : [])];
}
const ASSET_TABLES = ['Serials', 'Issuance'] as const;

// ------------------------------------------------------------------------------------------------ time and agreement

async function clock({ date, now }: DoctorClients): Promise<Checkup[]> {
  const began = now();
  const told = await date().catch(() => undefined);
  if (told === undefined) return [unknown('clock', 'the endpoint does not say what time it is')];
  // `Date` has whole seconds, and was written somewhere between the question and the answer.
  const here = (began + now()) / 2;
  const skew = Math.round((here - told) / 1_000);
  if (Math.abs(skew) <= SKEW_SECONDS)
    return [good('clock', `within ${Math.max(1, Math.abs(skew))} s of the endpoint’s`)];
  const how = skew > 0 ? 'ahead of' : 'behind';
  return [
    problem(
      'clock',
      `this machine is ${Math.abs(skew)} s ${how} the endpoint`,
      'Set this machine’s clock (NTP): requests are signed with it, and expiry times of instructions are made from it.',
    ),
  ];
}

async function drift({ operator, committee, accepted }: Patient): Promise<Checkup[]> {
  const { committeeHash } = operator;
  const found: Checkup[] = [];
  if (committeeHash === undefined)
    found.push(
      problem(
        'committee',
        'the operator file names no committee hash',
        'Compare the hash by voice (coterie committee check), write it there as committeeHash, and deploy again.',
      ),
    );
  if (committee && committeeHash !== undefined && committee.id !== committeeHash)
    found.push(
      problem(
        'committee',
        `the file at hand has hash ${committee.id}, the operator file names ${committeeHash}`,
        'Fetch the file that was agreed on, or agree again; do not deploy meanwhile.',
      ),
    );
  for (const [segment, hash] of accepted) {
    if (hash === undefined)
      found.push(
        problem(
          `committee of ${segment}`,
          'no committee is accepted there',
          'Deploy with the committee hash, then run coterie committee accept.',
        ),
      );
    else if (committeeHash !== undefined && hash !== committeeHash)
      found.push(
        problem(
          `committee of ${segment}`,
          `it accepted ${hash}, the operator file names ${committeeHash}`,
          'An accepted file is never replaced: find out which of the two was agreed on, and deploy with that hash.',
        ),
      );
  }
  return found.length > 0 ? found : [good('committee', `${committeeHash} is deployed, accepted and at hand`)];
}

// ------------------------------------------------------------------------------------------------ tables

async function tableCheck(TableName: string, table: Table, { dynamo }: DoctorClients): Promise<Checkup[]> {
  const wanted = TABLE_LIFECYCLES[table];
  const redeploy = 'Deploy the stack again; on an emulator coterie reconcile sets what its templates leave out.';
  const parts = await Promise.all([
    asking(TableName, 'Deploy the stack that makes it.', async () => {
      const { Table: described } = await dynamo.send(new DescribeTableCommand({ TableName }));
      if (described?.StreamSpecification?.StreamEnabled && table === 'Nonces')
        return [
          problem(TableName, 'has a stream', 'Turn it off: a copy of a nonce is a chance to sign twice with it.'),
        ];
      if ((described?.DeletionProtectionEnabled ?? false) === wanted.protected || !wanted.protected) return [];
      return [
        problem(
          TableName,
          'can be deleted by one call',
          `Turn deletion protection on: ${LOST[table] ?? 'what lies in it is nowhere else.'}`,
        ),
      ];
    }),
    asking(TableName, redeploy, async () => {
      const { TimeToLiveDescription: ttl } = await dynamo.send(new DescribeTimeToLiveCommand({ TableName }));
      const on = ttl?.TimeToLiveStatus === 'ENABLED' || ttl?.TimeToLiveStatus === 'ENABLING';
      const attribute = on ? ttl?.AttributeName : undefined;
      if (attribute === (wanted.timeToLive ? TTL_ATTRIBUTE : undefined)) return [];
      return [
        problem(
          TableName,
          `time to live is ${attribute === undefined ? 'off' : `on ${attribute}`}`,
          wanted.timeToLive ? redeploy : 'Turn it off at once: nothing in this table may ever expire.',
        ),
      ];
    }),
    asking(TableName, redeploy, async () => {
      const { ContinuousBackupsDescription: backups } = await dynamo.send(
        new DescribeContinuousBackupsCommand({ TableName }),
      );
      const on = backups?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === 'ENABLED';
      if (on === wanted.recovery) return [];
      return [
        problem(
          TableName,
          `point-in-time recovery is ${on ? 'on' : 'off'}`,
          wanted.recovery ? redeploy : 'Turn it off at once: a restored nonce signs twice and gives the key away.',
        ),
      ];
    }),
  ]);
  const all = parts.flat();
  // A missing table is one finding, not three.
  const [first] = all;
  if (all.length > 1 && all.every(({ what }) => what === first?.what) && first) return [first];
  return all.length > 0 ? all : [good(TableName, 'recovery, expiry and protection are as they should be')];
}

// ------------------------------------------------------------------------------------------------ keys

async function keyCheck(
  { operator }: Patient,
  segment: string,
  lifecycle: KeyLifecycle,
  { kms }: DoctorClients,
): Promise<Checkup[]> {
  const alias = `alias/coterie-${operator.identity}-${segment}-${lifecycle}`;
  return asking(alias, 'Deploy the stack that makes it. If it was deleted, what it wrapped is lost.', async () => {
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: alias }));
    const KeyId = KeyMetadata?.Arn ?? KeyMetadata?.KeyId;
    const found: Checkup[] = [];
    if (KeyMetadata?.KeyState !== 'Enabled')
      found.push(
        problem(
          alias,
          `its state is ${KeyMetadata?.KeyState ?? 'not told'}`,
          'Cancel its deletion or enable it (kms cancel-key-deletion, enable-key): without it no share opens.',
        ),
      );
    if (KeyId === undefined) return [...found, unknown(alias, 'the service does not say which key it is')];
    const [policy, rotation] = await Promise.all([
      kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' })).catch(() => undefined),
      kms.send(new GetKeyRotationStatusCommand({ KeyId })).catch(() => undefined),
    ]);
    if (policy?.Policy === undefined) found.push(unknown(alias, 'its policy could not be read'));
    else
      for (const statement of tooWide(JSON.parse(policy.Policy)))
        found.push(
          problem(
            alias,
            `its policy lets ${statement} use it without naming a function`,
            'Deploy the stack again: only the functions that open a kind of secret may, each by its role and its encryption context.',
          ),
        );
    if (rotation?.KeyRotationEnabled === false)
      found.push(problem(alias, 'it is not rotated', 'Turn rotation on (kms enable-key-rotation).'));
    return found.length > 0 ? found : [good(alias, 'is enabled, rotated, and opens for its functions only')];
  });
}
