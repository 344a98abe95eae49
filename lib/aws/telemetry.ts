/** {@link Telemetry} by Powertools: lines of JSON, and metrics in CloudWatch's embedded format, on the standard streams, which Lambda hands to CloudWatch Logs. */
import { LogFormatter, Logger, LogItem } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { Telemetry } from '../ports.ts';
import {
  dimensionsOf,
  EVENTS,
  type Facts,
  METRIC_NAMESPACE,
  METRICS,
  type Meaning,
  type MetricName,
  type Trace,
} from '../telemetry.ts';

/** Names, counts and reasons are short; what is longer is something that does not belong here. */
const MAX_FIELD_CHARACTERS = 256;

/** Who speaks: on every line. */
export interface Speaker {
  /** The operator's identity. */
  readonly operator: string;
  /** A coin, an asset, or `coordinator`. */
  readonly role: string;
  /** The message whose function this is. */
  readonly message: string;
}

/** Telemetry of one environment, which handles one batch at a time. */
export interface BatchTelemetry extends Telemetry {
  /** Every line from here on says what it is about. */
  follow(trace: Trace): void;
  /** Writes what was counted since the last time, and follows nothing any more. */
  publish(): void;
}

export function powertools(speaker: Speaker): BatchTelemetry {
  const { service: serviceName } = dimensionsOf(speaker.operator, speaker.role);
  let followed: Trace = {};
  const logger = new Logger({ serviceName, logLevel: 'INFO', logFormatter: new Lines(speaker, () => followed) });
  const counted = new Map<string, { readonly metric: MetricName; readonly value: number }[]>();
  return {
    record(event, facts = {}) {
      const meaning: Meaning = EVENTS[event];
      if (meaning.kind === 'log') logger.info(event, { facts: short(facts) });
      else logger.warn(event, { facts: short(facts) });
      const value = measured(meaning, facts);
      if (meaning.kind === 'log' || value === undefined) return;
      // A coordinator speaks for each coin.
      const role = typeof facts['coin'] === 'string' ? facts['coin'] : speaker.role;
      counted.set(role, [...(counted.get(role) ?? []), { metric: meaning.metric, value }]);
    },
    follow(trace) {
      followed = trace;
    },
    publish() {
      followed = {};
      const said = [...counted];
      counted.clear();
      for (const [role, values] of said) {
        const metrics = new Metrics({ namespace: METRIC_NAMESPACE, serviceName, defaultDimensions: { role } });
        for (const { metric, value } of values) metrics.addMetric(metric, METRICS[metric].unit, value);
        metrics.publishStoredMetrics();
      }
    },
  };
}

function measured(meaning: Meaning, facts: Facts): number | undefined {
  switch (meaning.kind) {
    case 'log':
      return undefined;
    case 'count':
      return 1;
    case 'measure': {
      const value = facts[meaning.field];
      return typeof value === 'number' ? value : undefined;
    }
  }
}

function short(facts: Facts): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [
      name,
      typeof value === 'string' ? value.slice(0, MAX_FIELD_CHARACTERS) : value,
    ]),
  );
}

/** One object a line. What an event says about itself never hides when, what and where it was. */
class Lines extends LogFormatter {
  readonly #speaker: Speaker;
  readonly #trace: () => Trace;

  constructor(speaker: Speaker, trace: () => Trace) {
    super();
    this.#speaker = speaker;
    this.#trace = trace;
  }

  formatAttributes(
    { logLevel, timestamp, message }: Parameters<LogFormatter['formatAttributes']>[0],
    // Below one key, for the library keeps some names for itself and says so in a line of its own.
    { facts = {} }: { facts?: object },
  ): LogItem {
    const when = { timestamp: timestamp.toISOString(), level: logLevel, event: message };
    return new LogItem({
      attributes: { ...when, ...this.#speaker, ...this.#trace(), ...unhidden(facts, when, this.#speaker) },
    });
  }
}

function unhidden(facts: object, ...kept: readonly object[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(facts).filter(([name]) => !kept.some((each) => name in each)));
}
