import { describe, expect, test } from 'vitest';
import { portError } from '../../lib/aws/errors.ts';
import { sdkError } from './stub.ts';

const kindOf = (error: Error, effect: 'read' | 'write') => portError(error, 'PutItem', effect).kind;

describe('what an SDK error means', () => {
  test.each([
    'ThrottlingException',
    'ProvisionedThroughputExceededException',
    'TransactionConflictException',
    'RequestThrottled',
  ])('%s: nothing was done, try later', (name) => {
    expect(kindOf(sdkError(name, 400), 'write')).toBe('Throttled');
    expect(kindOf(sdkError(name, 400), 'read')).toBe('Throttled');
  });

  test.each(['ValidationException', 'IdempotentParameterMismatchException'])(
    '%s: a defect of ours, never retried',
    (name) => {
      expect(kindOf(sdkError(name, 400), 'write')).toBe('LimitExceeded');
    },
  );

  test.each([
    ['a time-out', sdkError('TimeoutError')],
    ['a connection that broke', sdkError('Error', undefined, { code: 'ECONNRESET' })],
    ['a server error', sdkError('InternalServerError', 500)],
    ['a transaction that is still under way', sdkError('TransactionInProgressException', 400)],
  ])('%s after a write was sent: it may have been applied', (_, error) => {
    expect(kindOf(error, 'write')).toBe('UnknownOutcome');
    expect(kindOf(error, 'read')).toBe('Unavailable');
  });

  test.each([
    ['a refused connection', sdkError('Error', undefined, { code: 'ECONNREFUSED' })],
    ['an unknown host', sdkError('Error', undefined, { code: 'ENOTFOUND' })],
    ['missing credentials', sdkError('CredentialsProviderError')],
    ['a role without the right', sdkError('AccessDeniedException', 400)],
    ['a table that is not there', sdkError('ResourceNotFoundException', 400)],
  ])('%s: the write certainly was not applied', (_, error) => {
    expect(kindOf(error, 'write')).toBe('Unavailable');
  });

  test('the service’s own words stay out of the message', () => {
    const { message } = portError(sdkError('ValidationException', 400), 'PutItem', 'write');
    expect(message).toBe('PutItem failed: ValidationException (HTTP 400)');
  });
});
