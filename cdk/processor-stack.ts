/** One operator's processor for one coin: the only stack that holds key shares. */
import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { AccountPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { topicQueue } from '../lib/messages/topics.ts';
import { Alarms } from './alarms.ts';
import { bundleOf } from './bundle.ts';
import { CommitteeHash } from './committee-hash.ts';
import { processorEnvironment } from './function-environment.ts';
import { WrappingKeys } from './keys.ts';
import { deadLetterQueue, MessageFunction } from './message-function.ts';
import { queuesOf, receiversOf } from './receivers.ts';
import type { Settings } from './settings.ts';
import { addTable, type DeployedTable } from './tables.ts';
import { addWakeRule } from './wake-rule.ts';

const TABLES: readonly DeployedTable[] = ['Ceremonies', 'Nonces', 'Keys', 'Directory'];
/** A client that is away for a fortnight still finds its outcomes. */
const OUTCOME_DAYS = 14;

export class ProcessorStack extends Stack {
  constructor(scope: Construct, id: string, settings: Settings, coin: string, props: StackProps = {}) {
    super(scope, id, props);
    const { identity, outcomeQueue } = settings.operator;
    const deadLetters = deadLetterQueue(this, settings);
    const keys = new WrappingKeys(this, 'WrappingKeys', { identity, segment: coin, stage: settings.stage });
    const tables = TABLES.map((table) => addTable(this, table, identity, coin, settings.stage));
    const outcomes = outcomeQueue ?? this.#outcomes(settings, coin, deadLetters).queueName;
    const environment = processorEnvironment(settings, coin, new CommitteeHash(this).hash, keys, outcomes);
    const code = Code.fromAsset(bundleOf('processor').directory);

    const functions = new Map<string, MessageFunction>();
    for (const receiver of receiversOf('processor')) {
      const queues = queuesOf(receiver, identity, [coin], []);
      const made = new MessageFunction(this, receiver.message, {
        receiver,
        settings,
        segment: coin,
        queues,
        code,
        environment,
        deadLetters,
        keys,
      });
      made.function.node.addDependency(...tables);
      functions.set(receiver.message, made);
    }
    addWakeRule(this, functions.get('Wake')?.queues ?? []);
    this.#alarms(settings, coin, deadLetters, functions);
  }

  /** The client's, unless it has its own. */
  #outcomes(settings: Settings, coin: string, deadLetters: Queue): Queue {
    const { identity, clientRoles } = settings.operator;
    const queue = new Queue(this, 'Outcomes', {
      queueName: topicQueue(identity, coin, 'MultisigEvent'),
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
    return queue;
  }

  #alarms(settings: Settings, coin: string, deadLetters: Queue, functions: ReadonlyMap<string, MessageFunction>): void {
    const { identity } = settings.operator;
    const alarms = new Alarms(this, settings);
    const all = [...functions.values()];
    alarms.deadLetters(
      deadLetters,
      `A message of ${identity}'s ${coin} processor failed ten times and was set aside: a key generation may fail for everybody, a signature goes on without this operator.`,
    );
    alarms.waiting(
      'InstructionsWaitingAlarm',
      functions.get('MultisigInstruction')?.queues ?? [],
      `${identity} takes no instructions for ${coin}: it takes part in no new key and in no new signature.`,
    );
    const ceremonies = all.filter(({ node }) => node.id.endsWith('In')).flatMap(({ queues }) => queues);
    alarms.waiting(
      'CeremoniesWaitingAlarm',
      ceremonies,
      `What peers say in ${coin} ceremonies is not handled at ${identity}: running ceremonies are likely to time out.`,
    );
    alarms.reported(
      'EquivocationDetected',
      all,
      `${identity} was told two different things in one place of a ${coin} ceremony: that operator is faulty or hostile, and the proof of it is kept.`,
      'equivocation',
    );
    alarms.reported(
      // Not on refused nonces: two invocations that race for one refuse it in a healthy run, too.
      'SecretUnreadable',
      all,
      `${identity} holds ${coin} secrets that do not open: a table was restored or copied, or rows were changed, and this operator cannot finish the ceremonies they belong to.`,
      'secret-unreadable',
    );
  }
}
