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
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { queueUrl } from '../aws/queues.ts';
import { TTL_ATTRIBUTE } from '../aws/tables.ts';
import { CATALOGUE, type Entry, MESSAGE_NAMES } from '../messages/catalogue.ts';
import type { Committee } from '../messages/committee.ts';
import type { OperatorFile } from '../messages/operator.ts';
import { COORDINATOR_SEGMENT, inboxQueue, topicQueue } from '../messages/topics.ts';
import type { KeyLifecycle, QueueName, Table } from '../ports.ts';
import { tableName } from './deploy-names.ts';

export interface DoctorClients {
  readonly dynamo: Pick<DynamoDBClient, 'send'>;
  readonly sqs: Pick<SQSClient, 'send'>;
  readonly kms: Pick<KMSClient, 'send'>;
  /** Milliseconds UTC by the endpoint's `Date`; `undefined`: it says none. */
  readonly date: () => Promise<number | undefined>;
  /** Milliseconds UTC by this machine. */
  readonly now: () => number;
}

export interface Checkup {
  /** `problem` counts; `unknown`: these credentials or this endpoint do not say. */
  readonly result: 'good' | 'problem' | 'unknown';
  readonly subject: string;
  readonly what: string;
  /** Of a problem. */
  readonly remedy?: string;
}

interface Lifecycle {
  readonly recovery: boolean;
  readonly timeToLive: boolean;
  readonly protected: boolean;
}

/** As the stacks make them. */
export const TABLE_LIFECYCLES: Readonly<Record<Exclude<Table, 'Serials' | 'Issuance'>, Lifecycle>> = {
  Ceremonies: { recovery: true, timeToLive: true, protected: false },
  Nonces: { recovery: false, timeToLive: true, protected: false },
  Keys: { recovery: true, timeToLive: false, protected: true },
  Directory: { recovery: true, timeToLive: false, protected: false },
};
export const VISIBILITY_SECONDS = 360;
export const MAX_RECEIVES = 10;
/** Two operators' clocks may differ by ten minutes; one that is out by one is on its way there. */
const SKEW_SECONDS = 60;
/** Actions that open or make secrets, or hand out the right to. */
const USES = [
  'kms:*',
  'kms:Decrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKey*',
  'kms:CreateGrant',
  'kms:Encrypt',
  'kms:ReEncrypt*',
];

export interface Patient {
  readonly operator: OperatorFile;
  /** The file at hand, as everybody agreed on it. */
  readonly committee: Committee | undefined;
  /** Hashes of the files that the roles have accepted, by segment. */
  readonly accepted: ReadonlyMap<string, string | undefined>;
  readonly endpoint: string | undefined;
}

export async function examine(patient: Patient, clients: DoctorClients): Promise<readonly Checkup[]> {
  const { coins } = patient.operator;
  const segments = [COORDINATOR_SEGMENT, ...coins];
  const found = await Promise.all([
    clock(clients),
    drift(patient),
    ...segments.flatMap((segment) =>
      tablesOf(segment).map((table) =>
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

function tablesOf(segment: string): readonly (keyof typeof TABLE_LIFECYCLES)[] {
  return segment === COORDINATOR_SEGMENT ? ['Keys', 'Directory'] : ['Ceremonies', 'Nonces', 'Keys', 'Directory'];
}

const good = (subject: string, what: string): Checkup => ({ result: 'good', subject, what });
const problem = (subject: string, what: string, remedy: string): Checkup => ({
  result: 'problem',
  subject,
  what,
  remedy,
});
const unknown = (subject: string, what: string): Checkup => ({ result: 'unknown', subject, what });

/** A question that is not answered is no finding about the thing itself, unless the thing is not there. */
async function asking(subject: string, missing: string, ask: () => Promise<Checkup[]>): Promise<Checkup[]> {
  try {
    return await ask();
  } catch (error) {
    const name = error instanceof Error ? error.name : 'unknown';
    if (/NotFound|NonExistent|DoesNotExist/.test(name)) return [problem(subject, 'is not there', missing)];
    return [unknown(subject, `could not be asked (${name})`)];
  }
}

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

async function tableCheck(
  TableName: string,
  table: keyof typeof TABLE_LIFECYCLES,
  { dynamo }: DoctorClients,
): Promise<Checkup[]> {
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
          'Turn deletion protection on: key shares lie in it and nowhere else.',
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

interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect?: string;
  readonly Principal?: unknown;
  readonly Action?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

function statementsIn(policy: unknown): readonly PolicyStatement[] {
  const { Statement } = policy as { Statement?: PolicyStatement | readonly PolicyStatement[] };
  return Statement === undefined ? [] : Array.isArray(Statement) ? Statement : [Statement as PolicyStatement];
}

/** Statements that allow the use of a key to whole accounts. @returns how to call each */
export function tooWide(policy: unknown): readonly string[] {
  return statementsIn(policy).flatMap((statement, i) => {
    const { Effect, Action = [], Condition = {}, Sid } = statement;
    const actions = typeof Action === 'string' ? [Action] : Action;
    if (Effect !== 'Allow' || !actions.some((action) => USES.some((use) => sameAction(action, use)))) return [];
    const names = Object.values(Condition).flatMap((test) => Object.keys(test));
    const bound = names.includes('aws:PrincipalArn') && names.some((name) => name.startsWith('kms:EncryptionContext'));
    return bound ? [] : [Sid ?? `statement ${i + 1}`];
  });
}

/** `kms:Decrypt*` and `*` cover `kms:Decrypt`. */
function sameAction(action: string, use: string): boolean {
  const begins = action.endsWith('*') ? action.slice(0, -1).toLowerCase() : undefined;
  const wanted = use.replace(/\*$/, '').toLowerCase();
  return begins === undefined
    ? action.toLowerCase() === wanted
    : wanted.startsWith(begins) || begins.startsWith(wanted);
}

// ------------------------------------------------------------------------------------------------ queues

interface Wanted {
  readonly name: QueueName;
  readonly senders: 'own' | 'client' | 'peer';
  /** Whose account may send, for an inbox. */
  readonly account?: string;
  readonly function: boolean;
}

/** Every queue that the stacks make for this operator. */
export function queuesOf({ operator, committee }: Pick<Patient, 'operator' | 'committee'>): readonly Wanted[] {
  const { identity, coins, outcomeQueue } = operator;
  const wanted: Wanted[] = [];
  for (const message of MESSAGE_NAMES) {
    const { consumers, queue, senders, statement }: Entry = CATALOGUE[message];
    if (queue !== 'topic' || statement === 'SpentSerials' || statement === 'SpentSerialsRequest') continue;
    const from = senders.includes('client') ? 'client' : 'own';
    const own = { senders: from, function: true } as const;
    if (consumers.includes('processor'))
      wanted.push(...coins.map((coin) => ({ name: topicQueue(identity, coin, message), ...own })));
    if (!consumers.includes('coordinator')) continue;
    const segments = senders.includes('processor') ? coins : [COORDINATOR_SEGMENT];
    wanted.push(...segments.map((segment) => ({ name: topicQueue(identity, segment, message), ...own })));
  }
  for (const coin of coins) {
    wanted.push({ name: topicQueue(identity, coin, 'Outbound'), senders: 'own', function: true });
    if (outcomeQueue === undefined)
      wanted.push({ name: topicQueue(identity, coin, 'MultisigEvent'), senders: 'own', function: false });
  }
  for (const peer of committee?.file.operators ?? []) {
    if (peer.identity === identity) continue;
    wanted.push({ name: inboxQueue(identity, peer.identity), senders: 'peer', account: peer.account, function: true });
  }
  return wanted;
}

async function queueCheck({ operator, endpoint }: Patient, wanted: Wanted, { sqs }: DoctorClients): Promise<Checkup[]> {
  const { name } = wanted;
  const { account, region } = operator;
  const missing =
    wanted.senders === 'peer'
      ? 'Deploy the inbox stack (coterie deploy --committee …): until then that operator cannot reach this one.'
      : 'Deploy the stack that makes it.';
  return asking(name, missing, async () => {
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrl({ account, region, name }, endpoint),
        AttributeNames: ['All'],
      }),
    );
    const found: Checkup[] = [];
    const redeploy = 'Deploy the stack again.';
    const visibility = Number(Attributes['VisibilityTimeout']);
    if (wanted.function && visibility < VISIBILITY_SECONDS)
      found.push(
        problem(
          name,
          `messages come again after ${visibility} s, expected ${VISIBILITY_SECONDS}`,
          `${redeploy} A batch that is still being handled is handed out twice.`,
        ),
      );
    const redrive = Attributes['RedrivePolicy'];
    const receives =
      redrive === undefined
        ? undefined
        : Number((JSON.parse(redrive) as { maxReceiveCount?: unknown }).maxReceiveCount);
    if (receives === undefined)
      found.push(
        problem(name, 'has no dead-letter queue', `${redeploy} What cannot be handled is lost after its retention.`),
      );
    else if (wanted.function && receives !== MAX_RECEIVES)
      found.push(problem(name, `gives up after ${receives} receives, expected ${MAX_RECEIVES}`, redeploy));
    if (Attributes['SqsManagedSseEnabled'] === 'false' && Attributes['KmsMasterKeyId'] === undefined)
      found.push(problem(name, 'is not encrypted at rest', redeploy));
    found.push(...admissionOf(operator, wanted, Attributes['Policy']));
    return found.length > 0 ? found : [good(name, 'attributes and policy are as they should be')];
  });
}

function admissionOf(
  { clientRoles }: OperatorFile,
  { name, senders, account }: Wanted,
  text: string | undefined,
): Checkup[] {
  const statements = text === undefined ? [] : statementsIn(JSON.parse(text));
  const found: Checkup[] = [];
  const redeploy = 'Deploy the stack again.';
  if (!statements.some(isTls))
    found.push(problem(name, 'takes messages without TLS', `${redeploy} On an emulator without TLS this is meant.`));
  const anybody = statements.find(
    ({ Effect, Principal, Condition }) => Effect === 'Allow' && isEverybody(Principal) && !Condition,
  );
  if (anybody)
    found.push(
      problem(
        name,
        'lets everybody in',
        `Remove the statement ${anybody.Sid ?? 'without a name'} from its policy at once.`,
      ),
    );
  if (senders === 'own') return found;
  const allowed = statements.filter(({ Effect, Action }) => Effect === 'Allow' && sends(Action)).flatMap(callersOf);
  const denied = statements.filter(({ Effect, Action }) => Effect === 'Deny' && sends(Action)).flatMap(callersOf);
  const expected = senders === 'client' ? clientRoles : undefined;
  const right = expected
    ? sameSet(allowed, expected)
    : allowed.length > 0 && allowed.every((caller) => caller.split(':')[4] === account);
  if (!right)
    found.push(
      problem(
        name,
        `admits ${allowed.join(', ') || 'nobody'}, expected ${expected ? expected.join(', ') : `the coordinator in account ${account}`}`,
        `${redeploy} ${senders === 'client' ? 'Whoever may send here may ask for signatures.' : ''}`.trim(),
      ),
    );
  if (!sameSet(denied, allowed))
    found.push(
      problem(name, 'does not deny everybody else', `${redeploy} The account’s own administrators could send.`),
    );
  return found;
}

function isTls({ Effect, Condition }: PolicyStatement): boolean {
  return Effect === 'Deny' && `${Condition?.['Bool']?.['aws:SecureTransport']}` === 'false';
}

function isEverybody(principal: unknown): boolean {
  return (
    principal === '*' || (typeof principal === 'object' && principal !== null && Reflect.get(principal, 'AWS') === '*')
  );
}

function sends(action: PolicyStatement['Action']): boolean {
  const actions = action === undefined ? [] : typeof action === 'string' ? [action] : action;
  return actions.some((each) => /^sqs:(?:\*|SendMessage)$/i.test(each));
}

function callersOf({ Condition = {} }: PolicyStatement): string[] {
  return Object.values(Condition).flatMap((test) => {
    const callers = test['aws:PrincipalArn'];
    return typeof callers === 'string' ? [callers] : Array.isArray(callers) ? (callers as string[]) : [];
  });
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return JSON.stringify([...new Set(a)].sort()) === JSON.stringify([...new Set(b)].sort());
}
