import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CATALOGUE, MESSAGE_NAMES } from '../../lib/messages/catalogue.ts';
import { inboxQueue, MAX_QUEUE_NAME, parseQueueName, RESERVED_COINS, topicQueue } from '../../lib/messages/topics.ts';

const identities = fc.stringMatching(/^[a-z0-9]{1,32}$/);
/** What a committee file takes: the reserved names never stand for a coin. */
const coins = fc.stringMatching(/^[a-z0-9]{2,16}$/).filter((coin) => !RESERVED_COINS.has(coin));
const messages = fc.constantFrom(...MESSAGE_NAMES.filter((name) => CATALOGUE[name].queue === 'topic'), 'Outbound');

describe('a queue’s name', () => {
  test('is read back as what it was made of', () => {
    fc.assert(
      fc.property(identities, coins, messages, (identity, coin, message) => {
        const queue = topicQueue(identity, coin, message);
        expect(parseQueueName(queue)).toEqual(queue.length <= MAX_QUEUE_NAME ? { identity, coin, message } : undefined);
      }),
      { seed: 1 },
    );
    fc.assert(
      fc.property(identities, identities, (identity, peer) => {
        const queue = inboxQueue(identity, peer);
        expect(queue.length).toBeLessThanOrEqual(MAX_QUEUE_NAME);
        expect(parseQueueName(queue)).toEqual({ identity, peer });
      }),
      { seed: 1 },
    );
  });

  test('ENC-04: belongs to one topic or one inbox, never to two', () => {
    const topics = fc.tuple(fc.constant('topic'), identities, coins, messages);
    const inboxes = fc.tuple(fc.constant('inbox'), identities, identities, fc.constant(''));
    const queues = fc.oneof(topics, inboxes);
    const nameOf = ([kind, identity, middle, message]: [string, string, string, string]): string =>
      kind === 'topic' ? topicQueue(identity, middle, message) : inboxQueue(identity, middle);
    fc.assert(
      fc.property(queues, queues, (one, other) => {
        expect(nameOf(one) === nameOf(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test('above 80 characters is nobody’s: SQS has no such queue', () => {
    const fits = topicQueue('a'.repeat(32), 'c'.repeat(11), 'EncryptedKeyGenCommitmentIn');
    expect(fits.length).toBe(MAX_QUEUE_NAME);
    expect(parseQueueName(fits)).toBeDefined();
    expect(parseQueueName(topicQueue('a'.repeat(32), 'c'.repeat(12), 'EncryptedKeyGenCommitmentIn'))).toBeUndefined();
  });

  test('of the coordinator stands where no coin can', () => {
    expect(parseQueueName(topicQueue('alice', 'coordinator', 'Start'))).toEqual({
      identity: 'alice',
      coin: 'coordinator',
      message: 'Start',
    });
  });

  test.each([
    '',
    'coterie',
    'coterie-alice',
    'coterie-alice-btc',
    'coterie-alice-btc-',
    'coterie-alice-b-Start',
    'coterie-Alice-btc-Start',
    'coterie-alice-BTC-Start',
    'coterie-alice-btc-Start-x',
    'coterie--btc-Start',
    'other-alice-btc-Start',
    ' coterie-alice-btc-Start',
    'coterie-alice-btc-Start\n',
    'coterie-alice-inbox-Bob',
    `coterie-alice-inbox-${'b'.repeat(33)}`,
    `coterie-${'a'.repeat(33)}-btc-Start`,
    `coterie-alice-btc-${'S'.repeat(65)}`,
  ])('is nobody’s: %j', (queue) => {
    expect(parseQueueName(queue)).toBeUndefined();
  });
});
