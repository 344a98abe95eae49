/** One inbound message: its queues, their event source mappings, its function, its log group and its role, as one construct. */
import { Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import {
  AccountPrincipal,
  Effect,
  ManagedPolicy,
  PolicyStatement,
  Role,
  ServicePrincipal,
  StarPrincipal,
} from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  CfnEventSourceMapping,
  type Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct, type IDependable } from 'constructs';
import type { EnvironmentVariable } from '../lib/aws/environment.ts';
import { OPEN_INDEX } from '../lib/aws/tables.ts';
import { tableName } from '../lib/cli/deploy-names.ts';
import { UsageError } from '../lib/cli/usage.ts';
import { inboxQueue, parseQueueName, topicQueue } from '../lib/messages/topics.ts';
import type { QueueName, Table } from '../lib/ports.ts';
import type { WrappingKeys } from './keys.ts';
import type { Receiver } from './receivers.ts';
import { type Destination, hearersOf, rightsOf } from './rights.ts';
import type { Peer, Settings } from './settings.ts';

const TIMEOUT = Duration.seconds(60);
/** Six times the function's, so that a batch that is being retried inside Lambda is not handed out twice. */
const VISIBILITY = Duration.seconds(360);
const MAX_RECEIVES = 10;
const DEAD_LETTER_DAYS = 14;
/** How many functions one flooded queue may keep busy; elsewhere a limit would keep idle pollers running, and cost more. */
const FLOOD_CONCURRENCY = 5;
/** IAM: 6,144 characters of a managed policy, 121 of a queue's ARN with the longest identities. */
const ARNS_A_POLICY = 40;

/** Lambda: of all variables together. */
const ENVIRONMENT_BYTES = 4_096;
/** A key's ARN in the region with the longest name; the committee's hash is shorter. */
const REFERENCE_BYTES = 96;

export type FunctionEnvironment = Readonly<Partial<Record<EnvironmentVariable, string>>>;

export interface MessageFunctionProps {
  readonly receiver: Receiver;
  readonly settings: Settings;
  /** The coin of a processor, the asset of a signing service, or `coordinator`. */
  readonly segment: string;
  readonly queues: readonly QueueName[];
  readonly code: Code;
  readonly environment: FunctionEnvironment;
  /** Where messages end that fail ten times. */
  readonly deadLetters: Queue;
  /** Absent for functions that open nothing. */
  readonly keys?: WrappingKeys;
}

export class MessageFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;
  readonly queues: readonly Queue[];
  readonly #props: MessageFunctionProps;

  constructor(scope: Construct, id: string, props: MessageFunctionProps) {
    super(scope, id);
    this.#props = props;
    const { receiver, settings, segment, code, environment } = props;
    const { identity } = settings.operator;
    const logGroup = new LogGroup(this, 'Logs', {
      retention: settings.stage === 'local' ? RetentionDays.ONE_DAY : RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, 'Role', {
      path: rolePath(identity, receiver.role),
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `Handles ${receiver.message} of ${identity} ${segment}`,
    });
    this.#grantLogs(logGroup);
    this.#grantTables();
    this.#grantKeys();
    this.#grantSending();
    this.function = new LambdaFunction(this, 'Function', {
      description: `Coterie ${identity} ${segment} ${receiver.message}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 1_024,
      timeout: TIMEOUT,
      code,
      handler: `${receiver.file}.handler`,
      role: this.role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      environment: fitting({
        NODE_OPTIONS: '--enable-source-maps',
        ...environment,
        ...(settings.endpoint === undefined ? {} : { AWS_ENDPOINT_URL: settings.endpoint }),
      }),
    });
    // Lambda asks for the right to receive when a mapping is made.
    const receiving = this.#grantReceiving();
    this.queues = props.queues.map((queue) => this.#queue(queue, receiving));
  }

  #queue(name: QueueName, receiving: readonly IDependable[]): Queue {
    const { receiver, settings, deadLetters } = this.#props;
    const { peer, coin } = parseQueueName(name) ?? {};
    const queue = new Queue(this, peer ? `Inbox-${peer}` : this.#props.queues.length > 1 ? `Queue-${coin}` : 'Queue', {
      queueName: name,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: settings.requireTls,
      visibilityTimeout: VISIBILITY,
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: MAX_RECEIVES },
    });
    for (const statement of admission(queue, receiver, settings, peer)) queue.addToResourcePolicy(statement);
    // The event source construct of the library would widen the role: the rights are given below, queue by queue.
    new CfnEventSourceMapping(this, `${queue.node.id}-Mapping`, {
      eventSourceArn: queue.queueArn,
      functionName: this.function.functionName,
      batchSize: 10,
      functionResponseTypes: ['ReportBatchItemFailures'],
      ...(receiver.floodable ? { scalingConfig: { maximumConcurrency: FLOOD_CONCURRENCY } } : {}),
    }).node.addDependency(this.role, ...receiving);
    return queue;
  }

  #grantLogs(logGroup: LogGroup): void {
    const actions = ['logs:CreateLogStream', 'logs:PutLogEvents'];
    this.role.addToPrincipalPolicy(new PolicyStatement({ actions, resources: [logGroup.logGroupArn] }));
  }

  #grantTables(): void {
    const { receiver, segment, settings } = this.#props;
    const { tables, openIndex } = rightsOf(receiver.role, receiver.message);
    for (const [table, actions] of Object.entries(tables) as [Table, readonly string[]][]) {
      const arn = this.#tableArn(tableName(settings.operator.identity, segment, table));
      this.role.addToPrincipalPolicy(
        new PolicyStatement({ actions: actions.map((action) => `dynamodb:${action}`), resources: [arn] }),
      );
      if (openIndex && table === OPEN_INDEX.table) {
        this.role.addToPrincipalPolicy(
          new PolicyStatement({ actions: ['dynamodb:Query'], resources: [`${arn}/index/${OPEN_INDEX.name}`] }),
        );
      }
    }
  }

  #grantKeys(): void {
    const { receiver, keys } = this.#props;
    const rights = rightsOf(receiver.role, receiver.message).keys;
    if (rights.length === 0) return;
    if (!keys) throw new Error(`${receiver.message} opens secrets: expected the stack's keys, got none`);
    for (const right of rights) keys.grant(this.role, right);
  }

  #grantSending(): void {
    const { receiver } = this.#props;
    const { sends } = rightsOf(receiver.role, receiver.message);
    this.#grantQueues(
      'Sending',
      ['sqs:SendMessage'],
      sends.flatMap((destination) => this.#destinations(destination)),
    );
  }

  #grantReceiving(): readonly IDependable[] {
    const actions = [
      'sqs:ReceiveMessage',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ChangeMessageVisibility',
    ];
    return this.#grantQueues(
      'Receiving',
      actions,
      this.#props.queues.map((queue) => this.#ownQueueArn(queue)),
    );
  }

  /** A few queues in the role's own policy, many in as many managed ones as their ARNs need. @returns the managed ones */
  #grantQueues(id: string, actions: readonly string[], arns: readonly string[]): readonly IDependable[] {
    if (arns.length === 0) return [];
    const statement = (resources: readonly string[]) =>
      new PolicyStatement({ actions: [...actions], resources: [...resources] });
    if (arns.length <= ARNS_A_POLICY / 2) {
      this.role.addToPrincipalPolicy(statement(arns));
      return [];
    }
    const policies: ManagedPolicy[] = [];
    for (let at = 0; at < arns.length; at += ARNS_A_POLICY) {
      const statements = [statement(arns.slice(at, at + ARNS_A_POLICY))];
      policies.push(new ManagedPolicy(this, `${id}-${at / ARNS_A_POLICY + 1}`, { roles: [this.role], statements }));
    }
    return policies;
  }

  /** ARNs of the queues that a destination stands for. */
  #destinations(destination: Destination): readonly string[] {
    const { settings, segment, receiver } = this.#props;
    const { identity, gateways, outcomeQueue } = settings.operator;
    if (destination === 'peers')
      return settings.peers.map((peer) => queueArn(this, peer, inboxQueue(peer.identity, identity)));
    if (destination === 'outcome')
      return [outcomeQueue ?? this.#ownQueueArn(topicQueue(identity, segment, 'MultisigEvent'))];
    if (destination === 'gateways') return gateways;
    const own = receiver.role === 'coordinator' ? hearersOf(destination, settings.operator) : [segment];
    return own.map((coin) => this.#ownQueueArn(topicQueue(identity, coin, destination)));
  }

  #ownQueueArn(queue: QueueName): string {
    return queueArn(this, this.#props.settings.operator, queue);
  }

  #tableArn(name: string): string {
    const { region, account } = this.#props.settings.operator;
    return `arn:${Stack.of(this).partition}:dynamodb:${region}:${account}:table/${name}`;
  }
}

/** Lambda refuses a function whose environment is larger, when other stacks are deployed already. @throws {UsageError} */
function fitting<Variables extends Readonly<Record<string, string>>>(variables: Variables): Variables {
  const bytes = Object.entries(variables)
    .map(([name, value]) => name.length + (Token.isUnresolved(value) ? REFERENCE_BYTES : Buffer.byteLength(value)))
    .reduce((sum, each) => sum + each, 0);
  if (bytes <= ENVIRONMENT_BYTES) return variables;
  throw new UsageError(
    `expected an environment of at most ${ENVIRONMENT_BYTES} bytes for each function, got ${bytes}: name fewer policies, instructionKeys or gateways in the operator file`,
  );
}

/** The stack's one dead-letter queue. */
export function deadLetterQueue(scope: Construct, settings: Settings): Queue {
  return new Queue(scope, 'DeadLetters', {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: settings.requireTls,
    retentionPeriod: Duration.days(DEAD_LETTER_DAYS),
  });
}

/** Roles of one operator's role: peers admit the coordinator's by this path, whose roles they need not know by name. */
export function rolePath(identity: string, role: string): string {
  return `/coterie/${identity}/${role}/`;
}

function queueArn(scope: Construct, { region, account }: Pick<Peer, 'region' | 'account'>, queue: QueueName): string {
  return `arn:${Stack.of(scope).partition}:sqs:${region}:${account}:${queue}`;
}

/** Who may send, where the account's own roles are not enough or are too many. */
function admission(
  queue: Queue,
  { senders }: Receiver,
  settings: Settings,
  peerIdentity: string | undefined,
): readonly PolicyStatement[] {
  if (senders.includes('client')) return onlyFrom(queue, settings.operator.clientRoles);
  if (senders.includes('gateway')) return onlyFromAccounts(queue, settings.operator.gateways);
  if (!senders.includes('peer')) return [];
  const peer = settings.peers.find(({ identity }) => identity === peerIdentity);
  if (!peer) throw new Error(`the committee has no operator ${peerIdentity}`);
  const { partition } = Stack.of(queue);
  return onlyFrom(queue, [`arn:${partition}:iam::${peer.account}:role${rolePath(peer.identity, 'coordinator')}*`]);
}

/**
 * The account's root with a condition on the caller: a role that does not exist yet cannot be a principal, and two operators who named each other's roles
 * would wait for each other for ever. The denial holds against the own account's administrators, too.
 */
function onlyFrom(queue: Queue, callers: readonly string[]): readonly PolicyStatement[] {
  const accounts = [...new Set(callers.map(accountOf))];
  return [
    new PolicyStatement({
      sid: 'AllowSenders',
      principals: accounts.map((account) => new AccountPrincipal(account)),
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn],
      conditions: { ArnLike: { 'aws:PrincipalArn': callers } },
    }),
    new PolicyStatement({
      sid: 'DenyEverybodyElse',
      effect: Effect.DENY,
      principals: [new StarPrincipal()],
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn],
      conditions: { ArnNotLike: { 'aws:PrincipalArn': callers } },
    }),
  ];
}

/** A gateway is known by the queue that it is answered on: whoever may use its account may send, and decides there who that is. */
function onlyFromAccounts(queue: Queue, arns: readonly string[]): readonly PolicyStatement[] {
  const accounts = [...new Set(arns.map(accountOf))];
  if (accounts.length === 0) return [];
  return [
    new PolicyStatement({
      sid: 'AllowSenders',
      principals: accounts.map((account) => new AccountPrincipal(account)),
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn],
    }),
    new PolicyStatement({
      sid: 'DenyEverybodyElse',
      effect: Effect.DENY,
      principals: [new StarPrincipal()],
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn],
      conditions: { StringNotEquals: { 'aws:PrincipalAccount': accounts } },
    }),
  ];
}

function accountOf(arn: string): string {
  return arn.split(':')[4] ?? '';
}
