/**
 * What an SDK error means to a caller: may it try again, and may the write have happened?
 *
 * Messages name the operation and the error, never the service's own text, which may quote a key or a value.
 */
import { LimitExceeded, type PortError, Throttled, Unavailable, UnknownOutcome } from '../ports.ts';

const THROTTLING: ReadonlySet<string> = new Set([
  'ThrottlingException',
  'Throttling',
  'ThrottledException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'TooManyRequestsException',
  'OverLimit',
  'KmsThrottled',
  // Another transaction holds one of the items: nothing was done, and it ends within milliseconds.
  'TransactionConflictException',
]);

const TOO_MUCH: ReadonlySet<string> = new Set([
  'ValidationException',
  'SerializationException',
  'IdempotentParameterMismatchException',
  'ItemCollectionSizeLimitExceededException',
  'RequestEntityTooLarge',
]);

/** The connection never stood, or no credentials were found: no request was sent. */
const NEVER_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'CredentialsProviderError',
]);

/** `write`: repeating it may do harm. `read`: it changes nothing, or repeating it changes nothing more. */
export type Effect = 'read' | 'write';

interface SdkError {
  readonly name?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

export function portError(error: unknown, operation: string, effect: Effect): PortError {
  const { name = 'Error', code, $metadata } = (error ?? {}) as SdkError;
  const status = $metadata?.httpStatusCode;
  const said = `${operation} failed: ${code ?? name}${status === undefined ? '' : ` (HTTP ${status})`}`;
  if (THROTTLING.has(name) || status === 429) return new Throttled(said);
  if (TOO_MUCH.has(name) || status === 413) return new LimitExceeded(said);
  const refused = status !== undefined && status >= 400 && status < 500;
  if (effect === 'read' || NEVER_SENT.has(name) || (code !== undefined && NEVER_SENT.has(code)))
    return new Unavailable(said);
  // A request that is still under way (TransactionInProgressException) may yet be applied.
  if (refused && name !== 'TransactionInProgressException') return new Unavailable(said);
  return new UnknownOutcome(said);
}
