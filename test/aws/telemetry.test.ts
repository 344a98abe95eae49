import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { powertools } from '../../lib/aws/telemetry.ts';
import { EVENTS, METRIC_NAMESPACE, METRICS } from '../../lib/telemetry.ts';

const written: string[] = [];
const CEREMONY = `0x${'c'.repeat(64)}`;

beforeEach(() => {
  written.length = 0;
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const alice = () => powertools({ operator: 'alice', role: 'btc', message: 'Wake' });
const lines = (): Record<string, unknown>[] => written.map((line) => JSON.parse(line));

describe('telemetry', () => {
  test('is one line of JSON an event; what an event says never hides who said it, and long values are cut', () => {
    alice().record('Stage', {
      operator: 'mallory',
      event: 'Forged',
      timestamp: 'never',
      level: 'none',
      reason: 'a\nb',
      long: 'x'.repeat(1_000),
      count: 3,
    });
    expect(written).toHaveLength(1);
    expect(written[0]?.indexOf('\n')).toBe((written[0]?.length ?? 0) - 1);
    expect(lines()).toEqual([
      {
        timestamp: expect.stringMatching(/^\d{4}-/),
        level: 'INFO',
        event: 'Stage',
        operator: 'alice',
        role: 'btc',
        message: 'Wake',
        reason: 'a\nb',
        long: 'x'.repeat(256),
        count: 3,
      },
    ]);
  });

  test('what is followed stands on every line, until the batch has ended', () => {
    const telemetry = alice();
    telemetry.follow({ ceremony: CEREMONY });
    telemetry.record('Batch');
    telemetry.publish();
    telemetry.record('Batch');
    expect(lines().map(({ ceremony }) => ceremony)).toEqual([CEREMONY, undefined]);
  });

  test('what is counted leaves once a batch, in CloudWatch’s format, for the coin that it is about', () => {
    const telemetry = alice();
    telemetry.record('EnvelopeRejected', { reason: 'one' });
    telemetry.record('EnvelopeRejected', { reason: 'two' });
    telemetry.record('PeersAnswer', { coin: 'sol', distance: -1 });
    telemetry.record('Batch', { records: 2 });
    expect(lines()).toHaveLength(4);
    telemetry.publish();
    telemetry.publish();
    const [rejected, distance, ...more] = lines().slice(4);
    expect(more).toEqual([]);
    expect(rejected).toMatchObject({ EnvelopeRejected: [1, 1], service: 'coterie-alice', role: 'btc' });
    expect(rejected?.['_aws']).toMatchObject({
      CloudWatchMetrics: [
        {
          Namespace: METRIC_NAMESPACE,
          Dimensions: [['service', 'role']],
          Metrics: [{ Name: 'EnvelopeRejected', Unit: 'Count' }],
        },
      ],
    });
    expect(distance).toMatchObject({ DistanceToThreshold: -1, role: 'sol' });
  });

  test('a batch in which nothing is counted costs no line', () => {
    const telemetry = alice();
    telemetry.record('Batch');
    telemetry.publish();
    expect(written).toHaveLength(1);
  });

  test('a measure without a number is a line and no metric', () => {
    const telemetry = alice();
    telemetry.record('OutboxWaits', { messages: 1 });
    telemetry.publish();
    expect(written).toHaveLength(1);
  });

  test('every metric is said by an event, and every event is a line', () => {
    const said = new Set(
      Object.values(EVENTS).flatMap((meaning) => (meaning.kind === 'log' ? [] : [meaning.metric as string])),
    );
    expect([...said].sort()).toEqual(Object.keys(METRICS).sort());
  });
});
