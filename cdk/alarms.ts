/** Alarms whose text says what it means for the committee, and what to read. */
import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { dimensionsOf, METRIC_NAMESPACE, METRICS, type MetricName } from '../lib/telemetry.ts';
import type { Settings, Stage } from './settings.ts';

/** CloudWatch: metrics in one alarm's expression. */
const METRICS_AN_ALARM = 10;
/** A hop takes under a second; a message that waits five minutes waits for something that will not come by itself. */
const STUCK_SECONDS = 300;

const PERIOD = Duration.minutes(5);
/** Of the rule that wakes what is due. */
const SCHEDULE = Duration.minutes(15);

/** Metrics that call somebody. */
export type BellName = {
  [Name in MetricName]: (typeof METRICS)[Name] extends { readonly section: string } ? Name : never;
}[MetricName];

/** When a metric calls somebody: at a threshold, or below one. */
interface Bell {
  readonly statistic: 'Sum' | 'Maximum' | 'Minimum';
  readonly period: Duration;
  readonly threshold: number;
  readonly periods?: number;
  /** `below`: silence calls somebody, too. */
  readonly when: 'reached' | 'below';
}

const once = (threshold: number): Bell => ({ statistic: 'Sum', period: PERIOD, threshold, when: 'reached' });
const seconds = (threshold: number): Bell => ({ statistic: 'Maximum', period: SCHEDULE, threshold, when: 'reached' });

export const BELLS: Readonly<Record<BellName, Bell>> = {
  EquivocationDetected: once(1),
  // A peer of another version, or one message that lost its end, is not worth a walk to the desk.
  EnvelopeRejected: once(20),
  SecretUnreadable: once(1),
  // A wallet that was restored from its seed asks for a few in other words than before.
  SerialConflict: once(10),
  QuorumBroken: once(1),
  ReadOnly: once(1),
  // Two redeliveries: what is refused once is throttled, or on its way.
  OutboxAge: seconds(900),
  // Two runs of the rule, which ends whatever its own wake-up has not.
  CeremonyAge: seconds(1_800),
  // Said at every run of the rule: where nothing is said twice, nothing else is looked after, either.
  DistanceToThreshold: {
    // Of what the coordinator hears and what a service hears of other services.
    statistic: 'Minimum',
    period: SCHEDULE,
    threshold: 1,
    periods: 2,
    when: 'below',
  },
};

interface Warning {
  readonly metric: IMetric;
  readonly threshold: number;
  readonly periods?: number;
  readonly comparison?: ComparisonOperator;
  readonly missing?: TreatMissingData;
  /** What no longer works, or what is about to stop. */
  readonly impact: string;
  /** Heading of `docs/runbook.md`. */
  readonly section: string;
}

/** @param scope each alarm's name begins with its stack's */
export class Alarms {
  readonly #scope: Construct;
  readonly #operator: string;
  readonly #stage: Stage;
  readonly #topic: SnsAction | undefined;

  constructor(scope: Construct, { operator, stage }: Settings) {
    this.#scope = scope;
    this.#operator = operator.identity;
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

  /** What the functions of a role say about themselves. @param role a coin, an asset, or `coordinator` */
  said(
    name: BellName,
    role: string,
    impact: string,
    { id = name as string, threshold = BELLS[name].threshold } = {},
  ): void {
    const bell = BELLS[name];
    const metric = saidMetric(this.#operator, role, name, bell.statistic, bell.period);
    this.#add(`${id}Alarm`, {
      metric,
      threshold,
      ...(bell.periods === undefined ? {} : { periods: bell.periods }),
      ...(bell.when === 'below'
        ? { comparison: ComparisonOperator.LESS_THAN_THRESHOLD, missing: TreatMissingData.BREACHING }
        : {}),
      impact,
      section: METRICS[name].section,
    });
  }

  /** What a role with ceremonies may leave waiting. @param role a coin or an asset */
  late(role: string): void {
    const operator = this.#operator;
    this.said(
      'OutboxAge',
      role,
      `What ${operator} has to say about ${role} is taken by none of its own queues: it counts as silent, and its client does not hear how a ceremony ended.`,
    );
    this.said(
      'CeremonyAge',
      role,
      `A ${role} ceremony of ${operator} is past its expiry and has not ended: its client waits for an outcome.`,
    );
  }

  #add(id: string, warning: Warning): void {
    const { metric, threshold, impact, section } = warning;
    const alarm = new Alarm(this.#scope, id, {
      metric,
      threshold,
      evaluationPeriods: warning.periods ?? 1,
      comparisonOperator: warning.comparison ?? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: warning.missing ?? TreatMissingData.NOT_BREACHING,
      alarmDescription: `${impact} What to do: docs/runbook.md, section ${section}.`,
    });
    if (this.#topic) alarm.addAlarmAction(this.#topic);
  }
}

/** A metric that functions say, of one role. */
export function saidMetric(
  operator: string,
  role: string,
  metricName: MetricName,
  statistic: string,
  period: Duration,
): Metric {
  const dimensionsMap = { ...dimensionsOf(operator, role) };
  return new Metric({ namespace: METRIC_NAMESPACE, metricName, dimensionsMap, statistic, period });
}
