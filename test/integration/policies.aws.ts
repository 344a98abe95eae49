/**
 * Queue policies, where somebody enforces them. Of an emulator with `AUTH=true`: it refuses a session of a role by the session's ARN and not by the role's as AWS does, so
 * the clients here are users, and where a role must be let in, the pattern in the deployed policy is translated first; nothing else of it is changed. KMS conditions are
 * none of its business (the templates' tests assert them), so no function runs here and the committee is an example.
 */
import { rmSync } from 'node:fs';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exampleCommittee } from '../../cdk/example.ts';
import { rolePath } from '../../cdk/message-function.ts';
import { sqsClients } from '../../lib/aws/clients.ts';
import { queueUrl } from '../../lib/aws/queues.ts';
import { OPERATORS } from '../../lib/cli/deploy-demo.ts';
import { ANSWERS, GATEWAY_ACCOUNT } from '../../lib/cli/deployed-services.ts';
import { Deployments, type Operator, operatorOf } from '../../lib/cli/deployments.ts';
import { gatewayPolicy } from '../../lib/client/gateway.ts';
import { Committee } from '../../lib/messages/committee.ts';
import { inboxQueue, topicQueue } from '../../lib/messages/topics.ts';
import { type Engine, REGION } from '../../scripts/emulators/engine.ts';
import { startMinistack } from '../../scripts/emulators/ministack.ts';
import { COIN, endOnInterrupt, folderFor, note } from './deployed.ts';
import { type Credentials, Identities } from './identities.ts';

const [FIRST, SECOND, THIRD] = OPERATORS;
const STRANGER_ACCOUNT = '999999999999';
const COORDINATOR_OF_SECOND = 'coordinator-of-second';
const SERVICE_OF_FIRST = 'service-of-first';
const ASSET = 'usd';

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
  const example = exampleCommittee(3, 1, 1);
  const operators = example.file.operators.map((each) => ({ ...each, region: REGION }));
  const committee = new Committee({ ...example.file, operators });
  const deployed = OPERATORS.map((each): Operator => {
    const { file, access } = operatorOf(each, endpoint, { coins: [COIN], assets: [ASSET], gateways: [ANSWERS] });
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
  callers.set('gateway', await identities.user(GATEWAY_ACCOUNT, 'gateway'));
  callers.set(
    'service of first',
    await identities.role(FIRST.account, rolePath(FIRST.identity, 'signing-service'), SERVICE_OF_FIRST),
  );
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

describe('a signing service', () => {
  const queue = (message: string) => topicQueue(FIRST.identity, ASSET, message);
  const requests = ['Transaction', 'TransactionCertificate', 'RecoverIssued'].map(queue);
  const STRANGERS = ['stranger', 'second', 'third', 'processor of second'];

  test.each(requests)('the gateway may send to %s', async (name) => {
    expect(await sending('gateway', name)).toBe('taken');
  });

  test.each(
    [...STRANGERS, 'own coordinator', 'administrator', 'client'].flatMap((name) =>
      requests.map((each) => [name, each] as const),
    ),
  )('%s is refused on %s', async (name, each) => {
    expect(await sending(name, each)).toEqual(REFUSED);
  });

  test.each(['SpentSerialsIn', 'SpentSerialsRequestIn'])(
    'what peers say comes to %s by the own coordinator alone: neither a peer nor the gateway may put it there',
    async (message) => {
      expect(await sending('own coordinator', queue(message))).toBe('taken');
      for (const name of [...STRANGERS, 'gateway']) expect(await sending(name, queue(message)), name).toEqual(REFUSED);
    },
  );

  test.each(['MultisigInstruction', 'Control'])('only the client may send %s', async (message) => {
    expect(await sending('client', queue(message))).toBe('taken');
    for (const name of [...STRANGERS, 'gateway', 'own coordinator', 'administrator'])
      expect(await sending(name, queue(message)), name).toEqual(REFUSED);
  });

  test('the queue of answers takes those of services, and nobody else’s', async () => {
    const answers = await answersQueue();
    const put = (name: string) =>
      clientOf(caller(name))
        .send(new SendMessageCommand({ QueueUrl: answers, MessageBody: '{}' }))
        .then(
          () => 'taken',
          (error: unknown) => (error instanceof Error ? error.name : 'unknown'),
        );
    expect(await put('service of first')).toBe('taken');
    for (const name of ['stranger', 'own coordinator', 'administrator', 'second', 'gateway'])
      expect(await put(name), name).toEqual(REFUSED);
  });
});

/** With the policy that a gateway is told to give it, the role's ARN spelt as this emulator spells the caller. */
async function answersQueue(): Promise<string> {
  const services = [{ identity: FIRST.identity, account: FIRST.account }];
  const role = `arn:aws:iam::${FIRST.account}:role${rolePath(FIRST.identity, 'signing-service')}*`;
  const spelt = `arn:aws:sts::${FIRST.account}:assumed-role/${SERVICE_OF_FIRST}/*`;
  const policy = gatewayPolicy(ANSWERS, services);
  expect(policy).toContain(role);
  const root = clientOf({ accessKeyId: GATEWAY_ACCOUNT, secretAccessKey: 'test' });
  const QueueName = ANSWERS.slice(ANSWERS.lastIndexOf(':') + 1);
  await root.send(new CreateQueueCommand({ QueueName, Attributes: { Policy: policy.replaceAll(role, spelt) } }));
  return queueUrl({ account: GATEWAY_ACCOUNT, region: REGION, name: QueueName }, engine?.endpoint ?? '');
}

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
