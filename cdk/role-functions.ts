/** What the stacks of a processor and of a signing service have in common: a function for each message, and the queue of outcomes. */
import { Duration, type Stack } from 'aws-cdk-lib';
import type { Table as DynamoTable } from 'aws-cdk-lib/aws-dynamodb';
import { AccountPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { topicQueue } from '../lib/messages/topics.ts';
import { bundleOf } from './bundle.ts';
import type { WrappingKeys } from './keys.ts';
import { type FunctionEnvironment, MessageFunction } from './message-function.ts';
import { type DeployedRole, queuesOf, receiversOf } from './receivers.ts';
import type { Settings } from './settings.ts';
import { addWakeRule } from './wake-rule.ts';

/** A client that is away for a fortnight still finds its outcomes. */
const OUTCOME_DAYS = 14;

export interface RoleProps {
  readonly role: Exclude<DeployedRole, 'coordinator'>;
  readonly settings: Settings;
  /** The coin or the asset. */
  readonly segment: string;
  readonly tables: readonly DynamoTable[];
  readonly environment: FunctionEnvironment;
  readonly keys: WrappingKeys;
  readonly deadLetters: Queue;
}

/** Functions with their queues, and the rule that wakes them. @returns the functions by message */
export function addRole(scope: Stack, props: RoleProps): ReadonlyMap<string, MessageFunction> {
  const { role, settings, segment, tables, environment, keys, deadLetters } = props;
  const { identity } = settings.operator;
  const code = Code.fromAsset(bundleOf(role).directory);
  const functions = new Map<string, MessageFunction>();
  for (const receiver of receiversOf(role)) {
    const queues = queuesOf(receiver, identity, [segment], []);
    const made = new MessageFunction(scope, receiver.message, {
      receiver,
      settings,
      segment,
      queues,
      code,
      environment,
      deadLetters,
      keys,
    });
    made.function.node.addDependency(...tables);
    functions.set(receiver.message, made);
  }
  addWakeRule(scope, functions.get('Wake')?.queues ?? []);
  return functions;
}

/** The client's, unless it has its own. @returns its name or ARN */
export function addOutcomes(scope: Stack, settings: Settings, segment: string, deadLetters: Queue): string {
  const { identity, clientRoles, outcomeQueue } = settings.operator;
  if (outcomeQueue !== undefined) return outcomeQueue;
  const queue = new Queue(scope, 'Outcomes', {
    queueName: topicQueue(identity, segment, 'MultisigEvent'),
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: settings.requireTls,
    retentionPeriod: Duration.days(OUTCOME_DAYS),
    deadLetterQueue: { queue: deadLetters, maxReceiveCount: 100 },
  });
  queue.addToResourcePolicy(
    new PolicyStatement({
      sid: 'ClientsRead',
      principals: [...new Set(clientRoles.map((arn) => arn.split(':')[4] ?? ''))].map(
        (account) => new AccountPrincipal(account),
      ),
      actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
      resources: [queue.queueArn],
      conditions: { ArnLike: { 'aws:PrincipalArn': clientRoles } },
    }),
  );
  return queue.queueName;
}
