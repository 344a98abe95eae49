/**
 * What a function may report about itself: a closed list. An event is a line of the log; some are counted or measured, and of those some ring a bell, for which `docs/runbook.md` has a
 * section. What an event carries are names, counts, ids and reasons: never a body, a key or a secret.
 */

/** Of all metrics of all operators; who speaks is in their dimensions. */
export const METRIC_NAMESPACE = 'Coterie';

/** The dimensions of every metric. @param role a coin, an asset, or `coordinator` */
export function dimensionsOf(operator: string, role: string): { readonly service: string; readonly role: string } {
  return { service: `coterie-${operator}`, role };
}

/** CloudWatch's names. */
export type Unit = 'Count' | 'Seconds';

/**
 * One row for each metric that a function says; `DeadLetters` is the queue's own and is not said by anybody (docs/decisions/0032-metrics.md).
 *
 * The section of the runbook, or why nobody is called.
 */
export const METRICS = {
  /** Two proofs of one signer in one place. */
  EquivocationDetected: { unit: 'Count', section: 'equivocation' },
  /** Messages that were acknowledged and had no effect: malformed, misaddressed, not signed by whom they name. */
  EnvelopeRejected: { unit: 'Count', section: 'envelopes-rejected' },
  /** Transactions that lost the row of a nonce to another. */
  NonceConflictRefused: {
    unit: 'Count',
    quiet: 'two invocations that race for one nonce refuse it in a healthy committee, too; it is on the dashboard',
  },
  SecretUnreadable: { unit: 'Count', section: 'secret-unreadable' },
  SerialConflict: { unit: 'Count', section: 'serial-conflict' },
  QuorumBroken: { unit: 'Count', section: 'quorum-broken' },
  ReadOnly: { unit: 'Count', section: 'read-only' },
  /** Of the oldest own statement that no queue took, at each attempt that failed; nothing while all are taken. */
  OutboxAge: { unit: 'Seconds', section: 'outbox-age' },
  /** Since the oldest ceremony that has not ended should have; 0 where all have, said at each scheduled wake-up. */
  CeremonyAge: { unit: 'Seconds', section: 'ceremony-age' },
  /** Operators of a coin that answered lately, the own one among them, minus t; said at each scheduled wake-up. */
  DistanceToThreshold: { unit: 'Count', section: 'distance-to-threshold' },
} as const satisfies Record<
  string,
  { readonly unit: Unit } & ({ readonly section: string } | { readonly quiet: string })
>;
export type MetricName = keyof typeof METRICS;

/** What becomes of an event, beside its line in the log. */
export type Meaning =
  | { readonly kind: 'log' }
  /** Each is one. */
  | { readonly kind: 'count'; readonly metric: MetricName }
  /** The value stands in a field of the event. */
  | { readonly kind: 'measure'; readonly metric: MetricName; readonly field: string };

const LOG = { kind: 'log' } as const;
const count = <Metric extends MetricName>(metric: Metric) => ({ kind: 'count', metric }) as const;
const measure = <Metric extends MetricName>(metric: Metric, field: string) =>
  ({ kind: 'measure', metric, field }) as const;

export const EVENTS = {
  AbandonIgnored: LOG,
  Batch: LOG,
  BatchFailed: LOG,
  CeremoniesUnfinished: measure('CeremonyAge', 'seconds'),
  CommitRefused: LOG,
  CommitteeRejected: LOG,
  ControlRefused: LOG,
  CoordinatorKeyRejected: LOG,
  EnvelopeRejected: count('EnvelopeRejected'),
  EquivocationDetected: count('EquivocationDetected'),
  EvidenceTooLarge: LOG,
  GenesisExpired: LOG,
  Halted: LOG,
  HandlerFailed: LOG,
  InBatch: LOG,
  InstructionRefused: LOG,
  NonceConflictRefused: count('NonceConflictRefused'),
  OutboxWaits: measure('OutboxAge', 'seconds'),
  ParcelsDropped: LOG,
  PeersAnswer: measure('DistanceToThreshold', 'distance'),
  PolicyRefused: LOG,
  QuorumBroken: count('QuorumBroken'),
  ReadOnly: count('ReadOnly'),
  ReleaseHeld: LOG,
  Released: LOG,
  SecretUnreadable: count('SecretUnreadable'),
  SendFailed: LOG,
  SendRefused: LOG,
  SerialConflict: count('SerialConflict'),
  ServiceNotReady: LOG,
  Stage: LOG,
  StepUnsatisfied: LOG,
  StepsExhausted: LOG,
  StrayDropped: LOG,
  TokensSigned: LOG,
  TransactionRefused: LOG,
  Undecryptable: LOG,
  UnknownOutcome: LOG,
  VisibilityNotExtended: LOG,
  WithdrawalPaidOtherwise: LOG,
} as const satisfies Readonly<Record<string, Meaning>>;
export type EventName = keyof typeof EVENTS;

export type Facts = Readonly<Record<string, string | number | boolean>>;

/** What one message is about, on every line of every operator that handles it. */
export interface Trace {
  /** 0x and 64 hex digits. */
  readonly ceremony?: string;
  /** Of an instruction, whose ceremony follows from it: 0x and 32 hex digits. */
  readonly request?: string;
}

/**
 * From a body as it came: nobody has judged it yet, so that what is rejected can be found by what it says that it is about. What is signed stands in a body as escaped text, where none of
 * these matches.
 */
export function traceOf(body: string): Trace {
  const ceremony = /"ceremony":"(0x[0-9a-f]{64})"/.exec(body)?.[1];
  if (ceremony !== undefined) return { ceremony };
  const request = /"requestId":"(0x[0-9a-f]{32})"/.exec(body)?.[1];
  return request === undefined ? {} : { request };
}
