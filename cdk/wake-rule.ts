/** Every 15 minutes whatever is due is woken, so that no lost message loses a ceremony. */
import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

const PERIOD = Duration.minutes(15);

/** @param queues the `Wake` queues of one role */
export function addWakeRule(scope: Construct, queues: readonly Queue[]): Rule {
  return new Rule(scope, 'WakeRule', {
    description: 'Wakes every open ceremony that is due',
    schedule: Schedule.rate(PERIOD),
    targets: queues.map((queue) => new SqsQueue(queue, { message: RuleTargetInput.fromObject({ Wake: {} }) })),
  });
}
