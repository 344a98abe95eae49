/**
 * Queue policies, where somebody enforces them. Of an emulator with `AUTH=true`: it refuses a session of a role by the session's ARN and not by the role's as AWS does, so
 * the clients here are users, and where a role must be let in, the pattern in the deployed policy is translated first; nothing else of it is changed. KMS conditions are
 * none of its business (the templates' tests assert them), so no function runs here and the committee is an example.
 */
import { rmSync } from 'node:fs';
import {
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exampleCommittee } from '../../cdk/example.ts';
import { rolePath } from '../../cdk/message-function.ts';
import { sqsClients } from '../../lib/aws/clients.ts';
import { queueUrl } from '../../lib/aws/queues.ts';
import { OPERATORS } from '../../lib/cli/deploy-demo.ts';
import { Deployments, type Operator, operatorOf } from '../../lib/cli/deployments.ts';
import { Committee } from '../../lib/messages/committee.ts';
import { inboxQueue, topicQueue } from '../../lib/messages/topics.ts';
import { type Engine, REGION } from '../../scripts/emulators/engine.ts';
import { startMinistack } from '../../scripts/emulators/ministack.ts';
import { COIN, endOnInterrupt, folderFor, note } from './deployed.ts';
import { type Credentials, Identities } from './identities.ts';

const [FIRST, SECOND, THIRD] = OPERATORS;
const STRANGER_ACCOUNT = '999999999999';
const COORDINATOR_OF_SECOND = 'coordinator-of-second';

let engine: Engine | undefined;
let folder: string;
const controller = new AbortController();
const callers = new Map<string, Credentials>();

beforeAll(async () => {
  endOnInterrupt(stop);
  engine = await startMinistack({ auth: true, note });
  folder = folderFor(engine);
  const { endpoint } = engine;
  note(`${engine.name} ${engine.version} with AUTH=true`);
  // The example's keys are nobody's; its operators must lie where ours are deployed.
  const example = exampleCommittee(3, 1);
  const operators = example.file.operators.map((each) => ({ ...each, region: REGION }));
  const committee = new Committee({ ...example.file, operators });
  const deployed = OPERATORS.map((each): Operator => {
    const { file, access } = operatorOf(each, endpoint, { coins: [COIN] });
    const clientRoles = [`arn:aws:iam::${file.account}:user/client`];
    return { file: { ...file, clientRoles, committeeHash: committee.id }, access };
  });
  // Queues of one operator are enough: the others only knock at its door.
  const deployments = new Deployments(folder, endpoint, deployed.slice(0, 1), controller.signal);
  note('synthesising the stacks, queues without TLS');
  await deployments.synthesise(committee, ['tls=off']);
  note('bootstrapping one account');
  await deployments.bootstrap();
  note('deploying one operator');
  await deployments.deploy(committee);
  note('making users and roles');
  const identities = new Identities(endpoint);
  callers.set('client', await identities.user(FIRST.account, 'client'));
  callers.set('administrator', await identities.user(FIRST.account, 'administrator'));
  callers.set(
    'own coordinator',
    await identities.role(FIRST.account, rolePath(FIRST.identity, 'coordinator'), 'own-coordinator'),
  );
  callers.set(
    'second',
    await identities.role(SECOND.account, rolePath(SECOND.identity, 'coordinator'), COORDINATOR_OF_SECOND),
  );
  callers.set(
    'third',
    await identities.role(THIRD.account, rolePath(THIRD.identity, 'coordinator'), 'coordinator-of-third'),
  );
  callers.set(
    'processor of second',
    await identities.role(SECOND.account, rolePath(SECOND.identity, 'processor'), 'processor-of-second'),
  );
  callers.set('stranger', await identities.user(STRANGER_ACCOUNT, 'stranger'));
});

afterAll(() => stop());

async function stop(): Promise<void> {
  controller.abort(new Error('the test ended'));
  await engine?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
}

const instructions = topicQueue(FIRST.identity, COIN, 'MultisigInstruction');
const inboxOfSecond = inboxQueue(FIRST.identity, SECOND.identity);

function clientOf(credentials: Credentials) {
  return sqsClients({ endpoint: engine?.endpoint ?? '', credentials })(REGION);
}

function urlOf(name: string): string {
  return queueUrl({ account: FIRST.account, region: REGION, name }, engine?.endpoint ?? '');
}

function caller(name: string): Credentials {
  const credentials = callers.get(name);
  if (!credentials) throw new Error(`expected credentials of ${name}`);
  return credentials;
}

/** @returns `taken`, or the name of the refusal */
async function sending(name: string, queue: string): Promise<string> {
  try {
    await clientOf(caller(name)).send(new SendMessageCommand({ QueueUrl: urlOf(queue), MessageBody: '{}' }));
    return 'taken';
  } catch (error) {
    return error instanceof Error ? error.name : 'unknown';
  }
}

const REFUSED = expect.stringMatching(/AccessDenied/);

test('the client named in the operator file may instruct', async () => {
  expect(await sending('client', instructions)).toBe('taken');
});

test.each(['client', 'own coordinator', 'administrator'])(
  '%s may send where no policy speaks against it',
  async (name) => {
    expect(await sending(name, topicQueue(FIRST.identity, COIN, 'Wake'))).toBe('taken');
  },
);

test.each(['stranger', 'second', 'third', 'own coordinator', 'administrator'])(
  '%s is refused on MultisigInstruction',
  async (name) => {
    expect(await sending(name, instructions)).toEqual(REFUSED);
  },
);

test.each(['stranger', 'third', 'processor of second', 'own coordinator', 'administrator', 'client'])(
  '%s is refused on the inbox of another peer',
  async (name) => {
    await letSecondIn();
    expect(await sending('second', inboxOfSecond)).toBe('taken');
    expect(await sending(name, inboxOfSecond)).toEqual(REFUSED);
  },
);

test('a peer that may send to its inbox may not read from it', async () => {
  const reading = clientOf(caller('second')).send(new ReceiveMessageCommand({ QueueUrl: urlOf(inboxOfSecond) }));
  await expect(reading).rejects.toMatchObject({ name: REFUSED });
});

/** The role's ARN in the deployed policy, spelt as this emulator spells the caller. */
async function letSecondIn(): Promise<void> {
  const root = clientOf({ accessKeyId: FIRST.account, secretAccessKey: 'test' });
  const QueueUrl = urlOf(inboxOfSecond);
  const { Attributes = {} } = await root.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['Policy'] }));
  const deployed = `arn:aws:iam::${SECOND.account}:role${rolePath(SECOND.identity, 'coordinator')}*`;
  const spelt = `arn:aws:sts::${SECOND.account}:assumed-role/${COORDINATOR_OF_SECOND}/*`;
  const policy = Attributes.Policy ?? '';
  if (policy.includes(spelt)) return;
  expect(policy).toContain(deployed);
  const Policy = policy.replaceAll(deployed, spelt);
  await root.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
}
