/** Alarms whose text says what it means for the committee, and what to read. */
import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { MessageFunction } from './message-function.ts';
import type { Settings, Stage } from './settings.ts';

/** CloudWatch: metrics in one alarm's expression. */
const METRICS_AN_ALARM = 10;
/** A hop takes under a second; a message that waits five minutes waits for something that will not come by itself. */
const STUCK_SECONDS = 300;

const PERIOD = Duration.minutes(5);

export const METRIC_NAMESPACE = 'Coterie';

interface Warning {
  readonly metric: IMetric;
  readonly threshold: number;
  /** What no longer works, or what is about to stop. */
  readonly impact: string;
  /** Heading of `docs/runbook.md`. */
  readonly section: string;
}

/** @param scope each alarm's name begins with its stack's */
export class Alarms {
  readonly #scope: Construct;
  readonly #stage: Stage;
  readonly #topic: SnsAction | undefined;

  constructor(scope: Construct, { operator, stage }: Settings) {
    this.#scope = scope;
    this.#stage = stage;
    const { alarmTarget } = operator;
    this.#topic =
      alarmTarget === undefined ? undefined : new SnsAction(Topic.fromTopicArn(scope, 'AlarmTarget', alarmTarget));
  }

  deadLetters(queue: Queue, impact: string): void {
    const metric = queue.metricApproximateNumberOfMessagesVisible({
      period: PERIOD,
      statistic: 'Maximum',
    });
    this.#add('DeadLettersAlarm', { metric, threshold: 1, impact, section: 'dead-letters' });
  }

  /** One queue is one metric; of several the oldest message counts, ten queues to an alarm. */
  waiting(id: string, queues: readonly Queue[], impact: string): void {
    const [only, ...others] = queues.map((queue) =>
      queue.metricApproximateAgeOfOldestMessage({ period: PERIOD, statistic: 'Maximum' }),
    );
    if (!only) return;
    if (others.length === 0) {
      this.#add(id, { metric: only, threshold: STUCK_SECONDS, impact, section: 'messages-wait' });
      return;
    }
    // The emulator knows no alarms on expressions.
    if (this.#stage === 'local') return;
    const metrics = [only, ...others];
    for (let at = 0; at < metrics.length; at += METRICS_AN_ALARM) {
      const usingMetrics = Object.fromEntries(
        metrics.slice(at, at + METRICS_AN_ALARM).map((metric, i) => [`m${i}`, metric]),
      );
      const expression = `MAX([${Object.keys(usingMetrics).join(', ')}])`;
      const metric = new MathExpression({ expression, usingMetrics, period: PERIOD });
      const name = metrics.length > METRICS_AN_ALARM ? `${id}-${at / METRICS_AN_ALARM + 1}` : id;
      this.#add(name, { metric, threshold: STUCK_SECONDS, impact, section: 'messages-wait' });
    }
  }

  /** An event that a function reports in its log, counted over all functions that may report it. */
  reported(event: string, functions: readonly MessageFunction[], impact: string, section: string): void {
    const metricName = `${event} ${Stack.of(this.#scope).stackName}`;
    for (const { function: each } of functions) {
      new MetricFilter(each, event, {
        logGroup: each.logGroup,
        metricNamespace: METRIC_NAMESPACE,
        metricName,
        filterPattern: FilterPattern.stringValue('$.event', '=', event),
        metricValue: '1',
      });
    }
    const metric = new Metric({
      namespace: METRIC_NAMESPACE,
      metricName,
      period: PERIOD,
      statistic: 'Sum',
    });
    this.#add(`${event}Alarm`, { metric, threshold: 1, impact, section });
  }

  #add(id: string, { metric, threshold, impact, section }: Warning): void {
    const alarm = new Alarm(this.#scope, id, {
      metric,
      threshold,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription: `${impact} What to do: docs/runbook.md, section ${section}.`,
    });
    if (this.#topic) alarm.addAlarmAction(this.#topic);
  }
}
