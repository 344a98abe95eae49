/** The options of `coterie demo tokens`. */
import { MAX_SERVICES } from '../coconut/coconut.ts';
import { seedOf, UsageError, wholeNumber } from './usage.ts';

/** What the demonstration does to its services: one that says nothing, and one that lies. */
export const FAULTY = 2;

export interface TokenDemoOptions {
  /** n, 6 to 31: with fewer, 2t > n + f leaves no room for a service that lies and one that is silent. */
  readonly services: number;
  /** t. */
  readonly threshold: number;
  /** f: malicious services that the threshold tolerates, at least 1. */
  readonly tolerated: number;
  readonly json: boolean;
  /** Put the credentials that are left into the document: whoever reads it can spend them. */
  readonly reveal: boolean;
  readonly seed: Uint8Array | undefined;
}

export interface RawTokenDemo {
  readonly services: string;
  readonly threshold?: string;
  readonly json?: boolean;
  readonly reveal?: boolean;
  readonly seed?: string;
}

/** 2·(n − 2) > n + 1. */
const LEAST_SERVICES = 6;

/** @throws {UsageError} */
export function tokenDemoOptions(raw: RawTokenDemo): TokenDemoOptions {
  const services = wholeNumber('--services', raw.services, LEAST_SERVICES, MAX_SERVICES);
  const threshold =
    raw.threshold === undefined ? services - FAULTY : wholeNumber('--threshold', raw.threshold, 1, services);
  // One lies: f = 1 at least, and as many as t tolerates.
  const tolerated = Math.max(1, 2 * threshold - services - 1);
  if (2 * threshold <= services + tolerated)
    throw new UsageError(
      `--threshold: expected 2t > n + f, or two sets of services sign two payments of one token; got t = ${threshold}, n = ${services}, f = ${tolerated}`,
    );
  if (services - FAULTY < threshold)
    throw new UsageError(
      `--threshold: expected at most ${services - FAULTY} of ${services}, for one service is silent and one lies; got ${threshold}`,
    );
  const seed = raw.seed === undefined ? undefined : seedOf(raw.seed);
  return { services, threshold, tolerated, json: raw.json ?? false, reveal: raw.reveal ?? false, seed };
}

/** Options of `demo` itself, before the word `tokens`, would say nothing. @throws {UsageError} */
export function refuseEarlierOptions(given: readonly { readonly long?: string | undefined }[]): void {
  const [first] = given;
  if (first) throw new UsageError(`expected options after tokens, got ${first.long ?? 'one'} before it`);
}
