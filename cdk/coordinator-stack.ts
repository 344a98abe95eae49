/** One operator's coordinator, for all its coins and assets. */
import { Stack, type StackProps } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { COORDINATOR_SEGMENT } from '../lib/messages/topics.ts';
import { Alarms } from './alarms.ts';
import { bundleOf } from './bundle.ts';
import { CommitteeHash } from './committee-hash.ts';
import { addDashboard } from './dashboard.ts';
import { coordinatorEnvironment } from './function-environment.ts';
import { WrappingKeys } from './keys.ts';
import { deadLetterQueue, MessageFunction } from './message-function.ts';
import { queuesOf, receiversOf } from './receivers.ts';
import type { Settings } from './settings.ts';
import { addTable } from './tables.ts';
import { addWakeRule } from './wake-rule.ts';

export class CoordinatorStack extends Stack {
  constructor(scope: Construct, id: string, settings: Settings, props: StackProps = {}) {
    super(scope, id, props);
    const { identity } = settings.operator;
    const coins = [...settings.operator.coins, ...settings.operator.assets];
    const deadLetters = deadLetterQueue(this, settings);
    const keys = new WrappingKeys(this, 'WrappingKeys', {
      identity,
      segment: COORDINATOR_SEGMENT,
      stage: settings.stage,
    });
    const tables = [
      addTable(this, 'Directory', identity, COORDINATOR_SEGMENT, settings.stage),
      addTable(this, 'Keys', identity, COORDINATOR_SEGMENT, settings.stage),
    ];
    const environment = coordinatorEnvironment(settings, new CommitteeHash(this).hash, keys);
    const code = Code.fromAsset(bundleOf('coordinator').directory);

    const functions = new Map<string, MessageFunction>();
    for (const receiver of receiversOf('coordinator')) {
      if (receiver.spread === 'peer') continue; // the inbox stack's: it grows with the committee
      const queues = queuesOf(receiver, identity, coins, []);
      const made = new MessageFunction(this, receiver.message, {
        receiver,
        settings,
        segment: COORDINATOR_SEGMENT,
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

    const alarms = new Alarms(this, settings);
    alarms.deadLetters(
      deadLetters,
      `A message of ${identity}'s coordinator failed ten times and was set aside: a peer or an own processor may be waiting for it.`,
    );
    alarms.waiting(
      'OutboundWaitingAlarm',
      functions.get('Outbound')?.queues ?? [],
      `What ${identity}'s processors say does not reach the other operators: key generations end in time-outs, and this operator counts as silent in signatures.`,
    );
    alarms.said(
      'EnvelopeRejected',
      COORDINATOR_SEGMENT,
      `${identity}'s coordinator refuses messages that are not what they say: a peer runs another version or is hostile, and ceremonies with it end in time-outs.`,
    );
    alarms.said(
      'OutboxAge',
      COORDINATOR_SEGMENT,
      `No queue of a peer takes what ${identity}'s processors said: ${identity} counts as silent there.`,
    );
    for (const [coin, spare] of settings.spare) {
      alarms.said(
        'DistanceToThreshold',
        coin,
        `So few operators of ${coin} answer ${identity} that the next silence stops it, or something has stopped already; or ${identity}'s own coordinator is not woken any more.`,
        // Where all are needed, all that answer are no reason to call anybody.
        { id: `DistanceToThreshold-${coin}`, threshold: Math.min(spare, 1) },
      );
    }
    addDashboard(this, settings);
  }
}
