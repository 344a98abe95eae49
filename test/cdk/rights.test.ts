import { describe, expect, it } from 'vitest';
import { type DeployedRole, queuesOf, type ReceivedMessage, receiversOf } from '../../cdk/receivers.ts';
import { type Destination, hearersOf, rightsOf, sentBy } from '../../cdk/rights.ts';
import { CATALOGUE, type Entry, MESSAGE_NAMES, type Sender } from '../../lib/messages/catalogue.ts';
import { inboxQueue, topicQueue } from '../../lib/messages/topics.ts';
import { deployed, many, resource, resources, type Statement, statements } from './deployment.ts';

const OPERATORS = 4;
const { settings, templates } = deployed(OPERATORS, 2, 'aws', {}, 1);
const { identity, account, region, gateways } = settings.operator;
const topics = [...settings.operator.coins, ...settings.operator.assets];

const STACK_OF: Record<DeployedRole, (message: ReceivedMessage, coin: string) => string> = {
  coordinator: (message) => (message === 'P2PIncoming' ? 'inbox' : 'coordinator'),
  processor: (_, coin) => `processor-${coin}`,
  'signing-service': (_, asset) => `service-${asset}`,
};

const sqs = (home: { region: string; account: string }, queue: string) =>
  `arn:aws:sqs:${home.region}:${home.account}:${queue}`;
const own = (queue: string) => sqs({ region, account }, queue);
const table = (segment: string, name: string) =>
  `arn:aws:dynamodb:${region}:${account}:table/coterie-${identity}-${segment}-${name}`;

/** Everything that the role of a function is allowed, as `action resource`, with the KMS condition behind it. */
function allowed(stack: string, message: string): readonly string[] {
  const template = templates.get(stack);
  const role = [...resources(template, 'AWS::IAM::Role').keys()].find((id) =>
    new RegExp(`^${message}Role[0-9A-F]{8}$`).test(id),
  );
  const policies = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) => [
    ...resources(template, type).values(),
  ]);
  const mine = policies.filter(({ Properties }) =>
    (Properties['Roles'] as { Ref: string }[]).some(({ Ref }) => Ref === role),
  );
  const given = mine.flatMap(({ Properties }) => statements(Properties['PolicyDocument'])).flatMap(flat);
  return [...new Set(given)].sort();
}

function flat({ Effect, Action, Resource, Condition }: Statement): string[] {
  expect(Effect).toBe('Allow');
  const kinds = many((Condition?.['StringEquals']?.['kms:EncryptionContext:kind'] ?? '') as string | string[]);
  return many(Action).flatMap((action) =>
    many(Resource).flatMap((to) => kinds.map((kind) => `${action} ${named(to)} ${kind}`.trim())),
  );
}

function named(to: unknown): string {
  if (typeof to === 'string') return to;
  const [id] = (to as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'];
  return id.replace(/[0-9A-F]{8}$/, '');
}

/** The same, from the list and the catalogue alone. */
function listed(role: DeployedRole, message: ReceivedMessage, segment: string): readonly string[] {
  const { tables, openIndex, keys, sends } = rightsOf(role, message);
  const receiver = receiversOf(role).find((each) => each.message === message);
  if (!receiver) throw new Error(`${message} is not received by the ${role}`);
  const peers = settings.peers.map((peer) => peer.identity);
  const destinations = (to: Destination): readonly string[] => {
    if (to === 'peers') return settings.peers.map((peer) => sqs(peer, inboxQueue(peer.identity, identity)));
    if (to === 'outcome') return [own(topicQueue(identity, segment, 'MultisigEvent'))];
    if (to === 'gateways') return gateways;
    const hearers = role === 'coordinator' ? hearersOf(to, settings.operator) : [segment];
    return hearers.map((coin) => own(topicQueue(identity, coin, to)));
  };
  const receiving = ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes', 'ChangeMessageVisibility'];
  return [
    ...['CreateLogStream', 'PutLogEvents'].map((action) => `logs:${action} ${message}Logs`),
    ...Object.entries(tables).flatMap(([name, actions]) =>
      actions.map((action) => `dynamodb:${action} ${table(segment, name)}`),
    ),
    ...(openIndex ? [`dynamodb:Query ${table(segment, 'Ceremonies')}/index/open`] : []),
    ...keys.map(({ lifecycle, action, kind }) => `kms:${action} WrappingKeys${lifecycle} ${kind}`),
    ...sends.flatMap(destinations).map((to) => `sqs:SendMessage ${to}`),
    ...queuesOf(receiver, identity, role === 'coordinator' ? topics : [segment], peers).flatMap((queue) =>
      receiving.map((action) => `sqs:${action} ${own(queue)}`),
    ),
  ].sort();
}

describe.each(['coordinator', 'processor', 'signing-service'] as const)('the functions of the %s', (role) => {
  const segment = { coordinator: 'coordinator', processor: 'btc', 'signing-service': 'usd' }[role];

  it.each(receiversOf(role).map(({ message }) => message))('%s is allowed exactly what is listed for it', (message) => {
    expect(allowed(STACK_OF[role](message, segment), message)).toEqual(listed(role, message, segment));
  });

  it('may send exactly the messages of which the catalogue names it as a sender', () => {
    const may = MESSAGE_NAMES.filter((name) => {
      const { senders, queue, consumers } = CATALOGUE[name] as Entry;
      const sender = senders.includes(role as Sender) || (senders.includes('self') && role !== 'coordinator');
      return sender && queue === 'topic' && consumers.some((each) => each !== 'client' && each !== 'gateway');
    });
    const outbound = role === 'coordinator' ? [] : ['Outbound'];
    expect([...sentBy(role)].sort()).toEqual([...may, ...outbound].sort());
  });

  it('is every message that the catalogue gives it, and no other', () => {
    const consumed = MESSAGE_NAMES.filter((name) => {
      const { consumers, queue } = CATALOGUE[name] as Entry;
      return consumers.includes(role) && queue !== 'outbound';
    });
    const outbound = role === 'coordinator' ? ['Outbound'] : [];
    expect(
      receiversOf(role)
        .map(({ message }) => message)
        .sort(),
    ).toEqual([...consumed, ...outbound].sort());
  });
});

it('no role is allowed an action by a wildcard, and none a resource by one', () => {
  for (const [stack, template] of templates) {
    for (const type of ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy']) {
      for (const { Properties } of resources(template, type).values()) {
        for (const { Action, Resource } of statements(Properties['PolicyDocument'])) {
          for (const each of [...many(Action), ...many(Resource as string)])
            expect(JSON.stringify(each), stack).not.toContain('*');
        }
      }
    }
    for (const { Properties } of resources(template, 'AWS::IAM::Role').values()) {
      expect(Properties['ManagedPolicyArns'], 'a policy of AWS grants more than is listed').toBeUndefined();
    }
  }
});

it('no function of a coordinator may send an instruction, decrypt with a processor’s key or read its tables', () => {
  for (const { message } of receiversOf('coordinator')) {
    for (const right of allowed(STACK_OF.coordinator(message, ''), message)) {
      expect(right).not.toMatch(/MultisigInstruction|-Control/);
      expect(right).not.toMatch(/table\/coterie-[a-z0-9]+-(?:btc|sol|usd)-/);
      expect(right).not.toContain('WrappingKeysephemeral');
    }
  }
});

it('a function that makes keys cannot open shares, and one that opens shares cannot store any, unless it does both', () => {
  const both = new Set(['MultisigInstruction', 'Wake', 'Control']);
  for (const { message } of receiversOf('processor')) {
    const rights = rightsOf('processor', message)
      .keys.filter(({ kind }) => kind === 'key')
      .map(({ action }) => action);
    if (!both.has(message)) expect(rights.length, message).toBeLessThanOrEqual(1);
  }
});

it('the functions that vote and that tell what is stored cannot open the share that signs, nor write among the keys', () => {
  const rights = (message: ReceivedMessage) => rightsOf('signing-service', message);
  const opens = (message: ReceivedMessage) => rights(message).keys.map(({ action, kind }) => `${action} ${kind}`);
  expect(opens('Transaction')).toEqual(['Decrypt own']);
  expect(opens('RecoverIssued')).toEqual(['Decrypt own']);
  // Its answers are signed, too.
  expect(opens('TransactionCertificate')).toEqual(['Decrypt own', 'Decrypt key']);
  for (const message of ['Transaction', 'TransactionCertificate', 'RecoverIssued', 'SpentSerialsIn'] as const)
    expect(rights(message).tables.Keys, message).not.toContain('PutItem');
});

it('no function of any role may delete what says that a serial is locked or spent', () => {
  for (const { message } of receiversOf('signing-service')) {
    const { Serials = [], Issuance = [] } = rightsOf('signing-service', message).tables;
    for (const action of ['DeleteItem', 'UpdateItem'] as const) {
      expect(Serials, message).not.toContain(action);
      expect(Issuance, message).not.toContain(action);
    }
  }
});

describe('queues', () => {
  it.each(['Transaction', 'TransactionCertificate', 'RecoverIssued'])(
    '%s takes messages from the accounts of the gateways, and denies everybody else',
    (message) => {
      const [allow, deny] = ['AllowSenders', 'DenyEverybodyElse'].map((sid) =>
        policyOf('service-usd', `${message}Queue`).find(({ Sid }) => Sid === sid),
      );
      const accounts = gateways.map((arn) => arn.split(':')[4]);
      expect(allow).toMatchObject({ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${accounts[0]}:root` } });
      expect(deny).toMatchObject({
        Effect: 'Deny',
        Principal: '*',
        Condition: { StringNotEquals: { 'aws:PrincipalAccount': accounts } },
      });
    },
  );

  const policyOf = (stack: string, id: string) => {
    const found = [...resources(templates.get(stack), 'AWS::SQS::QueuePolicy')].find(([each]) => each.startsWith(id));
    return statements(found?.[1].Properties['PolicyDocument']);
  };

  it.each(['MultisigInstruction', 'Control'])(
    '%s takes messages from the client roles, and denies everybody else',
    (message) => {
      const [allow, deny] = ['AllowSenders', 'DenyEverybodyElse'].map((sid) =>
        policyOf('processor-btc', `${message}Queue`).find(({ Sid }) => Sid === sid),
      );
      expect(allow).toMatchObject({
        Effect: 'Allow',
        Action: 'sqs:SendMessage',
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Condition: { ArnLike: { 'aws:PrincipalArn': settings.operator.clientRoles } },
      });
      expect(deny).toMatchObject({
        Effect: 'Deny',
        Action: 'sqs:SendMessage',
        Principal: '*',
        Condition: { ArnNotLike: { 'aws:PrincipalArn': settings.operator.clientRoles } },
      });
    },
  );

  it('an inbox takes messages from its own peer’s coordinator, and denies everybody else', () => {
    for (const peer of settings.peers) {
      const found = policyOf('inbox', `P2PIncomingInbox${peer.identity}`);
      const callers = [`arn:aws:iam::${peer.account}:role/coterie/${peer.identity}/coordinator/*`];
      expect(found.find(({ Sid }) => Sid === 'AllowSenders')).toMatchObject({
        Principal: { AWS: `arn:aws:iam::${peer.account}:root` },
        Action: 'sqs:SendMessage',
        Condition: { ArnLike: { 'aws:PrincipalArn': callers } },
      });
      expect(found.find(({ Sid }) => Sid === 'DenyEverybodyElse')).toMatchObject({
        Effect: 'Deny',
        Condition: { ArnNotLike: { 'aws:PrincipalArn': callers } },
      });
    }
  });

  it('the own roles lie where the peers’ policies look for them', () => {
    for (const stack of ['coordinator', 'inbox']) {
      for (const { Properties } of resources(templates.get(stack), 'AWS::IAM::Role').values()) {
        expect(Properties['Path']).toBe(`/coterie/${identity}/coordinator/`);
      }
    }
    for (const { Properties } of resources(templates.get('processor-btc'), 'AWS::IAM::Role').values()) {
      expect(Properties['Path']).toBe(`/coterie/${identity}/processor/`);
    }
  });

  it('only the clients read the outcomes', () => {
    const [read] = policyOf('processor-btc', 'Outcomes').filter(({ Sid }) => Sid === 'ClientsRead');
    expect(read?.Condition).toEqual({ ArnLike: { 'aws:PrincipalArn': settings.operator.clientRoles } });
    expect(resource(templates.get('processor-btc'), 'AWS::SQS::Queue', 'Outcomes').Properties['QueueName']).toBe(
      topicQueue(identity, 'btc', 'MultisigEvent'),
    );
  });
});

it('a queue feeds its function only when the policy is there that lets the function receive: Lambda asks for the right when the mapping is made', () => {
  for (const [stack, template] of deployed(31, 3, 'aws', {}, 1).templates) {
    const receiving = new Map<string, string[]>();
    for (const type of ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy']) {
      for (const [id, { Properties }] of resources(template, type)) {
        for (const { Action, Resource } of statements(Properties['PolicyDocument'])) {
          if (!many(Action).includes('sqs:ReceiveMessage')) continue;
          for (const queue of many(Resource as string)) receiving.set(queue, [...(receiving.get(queue) ?? []), id]);
        }
      }
    }
    const queues = resources(template, 'AWS::SQS::Queue');
    for (const [id, mapping] of resources(template, 'AWS::Lambda::EventSourceMapping')) {
      const from = (mapping.Properties['EventSourceArn'] as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'][0];
      const policies = receiving.get(own(queues.get(from)?.Properties['QueueName'] as string)) ?? [];
      expect(policies, `${stack} ${id}`).not.toHaveLength(0);
      expect(mapping.DependsOn ?? [], `${stack} ${id}`).toEqual(expect.arrayContaining(policies));
    }
  }
});
