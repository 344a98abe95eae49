/**
 * What a committee costs a month at list prices, from counted operations. How the numbers were counted: `docs/costs.md`, and `test/cli/cost.test.ts`, which counts them again.
 *
 * Growth with n and t was counted in embedded committees of 3 to 20, where nothing races; a deployed committee of 3 makes more calls for the same ceremony, because
 * handlers that run at once read and try in vain, and the ratio of the two is what {@link DEPLOYED} holds.
 */
import { PRICES, priceOf } from './deploy-cost.ts';

/** Calls of all operators together, for one ceremony. */
export interface Operations {
  readonly messages: number;
  readonly kmsCalls: number;
  readonly writeUnits: number;
  readonly readUnits: number;
}

/** One key: every operator speaks to every other, so all of it grows with n². Exact for messages, within 15 % for the rest from 3 to 20 operators (reads: 20 %). */
export function keygenOperations(n: number, t: number): Operations {
  return {
    messages: 13 * n * (n - 1) + 7 * n,
    kmsCalls: 14.5 * n,
    writeUnits: n * (50 + 26.5 * n + 1.3 * n * t),
    readUnits: n * (85 + 8 * n + 0.75 * n * n),
  };
}

/** One signature of one message, from a leader that answers: 2n + 2t statements, each of which crosses three queues unless it stays at home. */
export function signingOperations(n: number, t: number): Operations {
  return {
    messages: 8 * n + 5 * t - 7,
    kmsCalls: 6.3 * n,
    writeUnits: 30.5 * n + 20 * t + 5,
    readUnits: 20 + 45 * n + 1.1 * n * n,
  };
}

/**
 * One token issued: a deposit through both phases. Of all services and the gateway, from embedded networks of 3 to 10: exact for messages and KMS
 * calls, within 10 % for the rest (reads: 15 %).
 */
export function issueOperations(n: number): Operations {
  return { messages: 4 * n, kmsCalls: 3 * n, writeUnits: 27.5 * n, readUnits: 22 * n };
}

/** One payment by invoice: asked for, through both phases, and received by the payee, to whom services say what they have stored. As {@link issueOperations}. */
export function paymentOperations(n: number): Operations {
  return { messages: 12 * n, kmsCalls: 7 * n, writeUnits: 32 * n, readUnits: 54 * n };
}

/** Counted on a deployed committee (n = 3, t = 2, 2026-11-21) over counted in an embedded one; and how many of the messages had an invocation of their own. */
const DEPLOYED = {
  keygen: { messages: 96 / 99, kmsCalls: 36 / 36, writeUnits: 441 / 409, readUnits: 474 / 355, invocations: 81 / 96 },
  signing: { messages: 32 / 27, kmsCalls: 30 / 19, writeUnits: 226 / 137, readUnits: 336 / 170, invocations: 31 / 32 },
} as const;

/** One deposit counted on deployed services (n = 7, t = 5, 2026-11-21) over one counted in an embedded network of the same day: of answers, half of the messages, no function hears. */
const DEPLOYED_TOKENS = { messages: 1, kmsCalls: 1, writeUnits: 196 / 192, readUnits: 189 / 161, invocations: 14 / 28 };

/** Long polls of 20 s by the two pollers that a quiet queue keeps, 30.4 days; a busy one has five and more. */
const IDLE_REQUESTS_A_QUEUE = 2 * 3 * 60 * 24 * 30.4;
const BUSY_POLLERS = 2.5;
const KMS_KEY_A_MONTH = 1;
const DAYS_A_MONTH = 30.4;
/** Queues that a function reads: of the coordinator, of each coin, and one for each peer. A test counts them in the catalogue. */
export const QUEUES = { coordinator: 3, coin: 21, asset: 22 } as const;
/** When the prices were read, and where AWS publishes them: `docs/costs.md`. */
export const PRICES_READ = { 'SQS and KMS': '2026-03 and 2026-06', DynamoDB: '2025-07', Lambda: '2024' } as const;
export const MEASURED_UP_TO = 20;

export interface CostQuestion {
  readonly operators: number;
  readonly threshold: number;
  readonly coins: number;
  readonly signaturesPerDay: number;
  readonly keysPerMonth: number;
  /** Of which every operator has a signing service. */
  readonly assets: number;
  /** By invoice, of one asset or of several. */
  readonly paymentsPerDay: number;
}

export interface CostLine {
  readonly what: string;
  /** US dollars a month, for all operators. */
  readonly dollars: number;
  /** `fixed`: paid when nothing happens. */
  readonly kind: 'fixed' | 'use';
}

export interface Cost {
  readonly question: CostQuestion;
  readonly lines: readonly CostLine[];
  /** US dollars a month. */
  readonly committee: number;
  readonly operator: number;
  /** With five pollers at every queue: what a busy committee pays for polling, at most. */
  readonly atMost: number;
  readonly oneSignature: number;
  readonly oneKey: number;
  readonly onePayment: number;
  readonly oneIssue: number;
  /** Assumptions that the reader should know of. */
  readonly notes: readonly string[];
}

export function costOf(question: CostQuestion): Cost {
  const { operators: n, threshold: t, coins, signaturesPerDay, keysPerMonth, assets, paymentsPerDay } = question;
  const oneSignature = deployedPrice(DEPLOYED.signing, signingOperations(n, t));
  const oneKey = deployedPrice(DEPLOYED.keygen, keygenOperations(n, t));
  const onePayment = deployedPrice(DEPLOYED_TOKENS, paymentOperations(n));
  const queues = n * (QUEUES.coordinator + QUEUES.coin * coins + QUEUES.asset * assets + (n - 1));
  const polling = queues * IDLE_REQUESTS_A_QUEUE * PRICES.sqsRequest;
  const lines: CostLine[] = [
    { what: 'KMS keys', dollars: n * (2 + 2 * (coins + assets)) * KMS_KEY_A_MONTH, kind: 'fixed' },
    { what: 'polling of quiet queues', dollars: polling, kind: 'fixed' },
    { what: 'signatures', dollars: signaturesPerDay * DAYS_A_MONTH * oneSignature, kind: 'use' },
    { what: 'new keys', dollars: keysPerMonth * oneKey, kind: 'use' },
    ...(assets > 0
      ? [{ what: 'payments', dollars: paymentsPerDay * DAYS_A_MONTH * onePayment, kind: 'use' } as const]
      : []),
  ];
  const committee = lines.reduce((sum, { dollars }) => sum + dollars, 0);
  return {
    question,
    lines,
    committee,
    operator: committee / n,
    atMost: committee + (BUSY_POLLERS - 1) * polling,
    oneSignature,
    oneKey,
    onePayment,
    oneIssue: deployedPrice(DEPLOYED_TOKENS, issueOperations(n)),
    notes: [
      'us-east-1, on demand, first tier, free tiers left out; logs, alarms, storage, recovery and traffic between regions are not counted',
      `prices as read in ${Object.entries(PRICES_READ)
        .map(([what, when]) => `${when} (${what})`)
        .join(', ')}: check them against AWS’s own pages`,
      'operations counted on a deployed committee of 3, and their growth in embedded ones of 3 to 20',
      ...(assets > 0
        ? ['one payment: by invoice, received by its payee; the key of an asset, once an epoch, is not counted']
        : []),
      ...(n > MEASURED_UP_TO ? [`more than ${MEASURED_UP_TO} operators are extrapolated`] : []),
    ],
  };
}

/** US dollars, for all operators. */
function deployedPrice(factor: Operations & { readonly invocations: number }, counted: Operations): number {
  const messages = counted.messages * factor.messages;
  return priceOf({
    messages: new Map([['all', messages]]),
    invocations: messages * factor.invocations,
    kmsCalls: counted.kmsCalls * factor.kmsCalls,
    writeUnits: counted.writeUnits * factor.writeUnits,
    readUnits: counted.readUnits * factor.readUnits,
  });
}
