/** What counted usage costs at list prices, free tiers left out. Where the prices come from: `docs/costs.md`. */
import type { Usage } from './deploy-meter.ts';

/** US dollars in us-east-1, on demand, first tier. */
export const PRICES = {
  sqsRequest: 0.4 / 1e6,
  lambdaRequest: 0.2 / 1e6,
  /** arm64. */
  lambdaGigabyteSecond: 0.0000133334,
  kmsRequest: 0.03 / 1e4,
  writeUnit: 0.625 / 1e6,
  readUnit: 0.125 / 1e6,
} as const;

/** An upper bound: sent, received and deleted, each in a call of its own. */
const REQUESTS_A_MESSAGE = 3;
/** Assumed, because an emulator's times are not Lambda's: a function of 1 GB that waits for a handful of calls. */
const SECONDS_AN_INVOCATION = 0.1;

/** US dollars. */
export function priceOf({ messages, invocations, kmsCalls, writeUnits, readUnits }: Usage): number {
  const sent = [...messages.values()].reduce((sum, count) => sum + count, 0);
  return (
    sent * REQUESTS_A_MESSAGE * PRICES.sqsRequest +
    invocations * (PRICES.lambdaRequest + SECONDS_AN_INVOCATION * PRICES.lambdaGigabyteSecond) +
    kmsCalls * PRICES.kmsRequest +
    writeUnits * PRICES.writeUnit +
    readUnits * PRICES.readUnit
  );
}
