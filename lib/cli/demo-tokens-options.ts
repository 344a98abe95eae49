/** The options of `coterie demo tokens`. */
import { parseArgs } from 'node:util';
import { MAX_SERVICES } from '../coconut/coconut.ts';
import { seedOf, shown, UsageError, wholeNumber } from './usage.ts';

/** What the demonstration does to its services: one that says nothing, and one that lies. */
export const FAULTY = 2;

export interface TokenTerms {
  /** n. */
  readonly services: number;
  /** t. */
  readonly threshold: number;
  /** f: malicious services that the threshold tolerates. */
  readonly tolerated: number;
}

/** In one process: n is 6 to 31, for with fewer 2t > n + f leaves no room for a service that lies while one is silent; f is at least 1. */
export interface TokenDemoOptions extends TokenTerms {
  readonly json: boolean;
  /** Put the credentials that are left into the document: whoever reads it can spend them. */
  readonly reveal: boolean;
  readonly seed: Uint8Array | undefined;
  /** Show the services as a page while it runs, and until Ctrl-C. */
  readonly console: boolean;
  /** Of the page on 127.0.0.1; 0: any that is free. */
  readonly port: number;
}

export interface RawTokenDemo {
  readonly services: string;
  readonly threshold?: string;
  readonly json?: boolean;
  readonly reveal?: boolean;
  readonly seed?: string;
  readonly console?: boolean;
  readonly port?: string;
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
  if (raw.port !== undefined && !raw.console) throw new UsageError('--port: expected --console beside it, got none');
  const port = raw.port === undefined ? 0 : wholeNumber('--port', raw.port, 0, 65_535);
  const console = raw.console ?? false;
  return { services, threshold, tolerated, json: raw.json ?? false, reveal: raw.reveal ?? false, seed, console, port };
}

/** Options of `demo` itself, before the word `tokens`, would say nothing. @throws {UsageError} */
export function refuseEarlierOptions(given: readonly { readonly long?: string | undefined }[]): void {
  const [first] = given;
  if (first) throw new UsageError(`expected options after tokens, got ${first.long ?? 'one'} before it`);
}

export interface DeployedTokenOptions {
  readonly terms: TokenTerms;
  /** As {@link TokenDemoOptions}. */
  readonly reveal: boolean;
  /** Counts what a key, a deposit and a payment cost. */
  readonly count: boolean;
}

/** Some thirty processes each: what a machine with 16 GB runs. */
const MOST_DEPLOYED = 9;
const LEAST_DEPLOYED = 3;

/**
 * Of `npm run demo:aws -- tokens`: 2 of 3 unless said otherwise, with which one may lie or be silent, and then the other; with two more than the threshold both at once.
 * @throws {UsageError}
 */
export function deployedTokenOptions(args: readonly string[]): DeployedTokenOptions {
  let values: {
    readonly services: string;
    readonly threshold?: string | undefined;
    readonly reveal: boolean;
    readonly count: boolean;
  };
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        services: { type: 'string', default: `${LEAST_DEPLOYED}` },
        threshold: { type: 'string' },
        reveal: { type: 'boolean', default: false },
        count: { type: 'boolean', default: false },
      },
    }));
  } catch {
    throw new UsageError(
      `tokens: expected --services <n>, --threshold <t>, --json, --reveal or --count, got ${shown(args.join(' '))}`,
    );
  }
  const services = wholeNumber('--services', values.services, LEAST_DEPLOYED, MOST_DEPLOYED);
  const spare = services < LEAST_SERVICES ? 1 : FAULTY;
  const threshold =
    values.threshold === undefined ? services - spare : wholeNumber('--threshold', values.threshold, 1, services);
  const tolerated = Math.max(0, 2 * threshold - services - 1);
  if (2 * threshold <= services)
    throw new UsageError(
      `--threshold: expected 2t > n + f, or two sets of services sign two payments of one token; got t = ${threshold}, n = ${services}, f = 0`,
    );
  if (threshold === services)
    throw new UsageError(
      `--threshold: expected at most ${services - 1} of ${services}, for one service is silent; got ${threshold}`,
    );
  return { terms: { services, threshold, tolerated }, reveal: values.reveal, count: values.count };
}
