import type { SQSClient } from '@aws-sdk/client-sqs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crashingAfterCommit, crashKey } from '../../lib/aws/crash.ts';
import { EnvironmentError } from '../../lib/aws/environment.ts';
import { committeePeers, type Deployment, lambda, type SQSRecord } from '../../lib/aws/lambda.ts';
import { backOff, extendVisibility, type Held } from '../../lib/aws/visibility.ts';
import type { NodeFunction } from '../../lib/node/function.ts';
import { COMMITTEE } from '../../lib/node/rows.ts';
import type { CommitResult, Delivery, Item, Ports, Store, Write } from '../../lib/ports.ts';
import { LimitExceeded, Throttled, Unavailable } from '../../lib/ports.ts';
import { sdkError, stubClient } from './stub.ts';

const QUEUE_ARN = 'arn:aws:sqs:us-east-1:111111111111:coterie-alice-btc-Wake';

const record = (messageId: string, receives = '1'): SQSRecord => ({
  messageId,
  receiptHandle: `receipt of ${messageId}`,
  body: '{"Wake":{}}',
  attributes: { ApproximateReceiveCount: receives },
  eventSourceARN: QUEUE_ARN,
});

type Run = (ports: Ports, batch: readonly Delivery[]) => Promise<{ failed: readonly string[] }>;

function deployed(run: Run, ports: Partial<Ports> = {}, role: 'processor' | 'coordinator' = 'processor') {
  const extended: (Held & { arn: string })[] = [];
  const lines: { event: string; fields: object }[] = [];
  const deployment: Deployment = {
    config: {
      role: 'coordinator',
      identity: 'alice',
      coins: [],
      committeeHash: undefined,
      ...(role === 'processor' ? { role } : {}),
    } as Deployment['config'],
    ports: {
      telemetry: {
        record: (event: string, fields: object = {}) => lines.push({ event, fields }),
        follow: () => {},
        publish: () => {},
      },
      bus: {},
      store: {},
      wrapper: {},
      ...ports,
    } as unknown as Deployment['ports'],
    extend: async (arn, held) => {
      extended.push(...held.map((each) => ({ ...each, arn })));
      return 0;
    },
  };
  let deploys = 0;
  const handler: NodeFunction = {
    role: 'processor',
    message: 'Wake',
    run: ({ ports: given }, batch) => run(given, batch),
  };
  const invoke = lambda(handler, () => {
    deploys += 1;
    return deployment;
  });
  return { invoke, extended, lines, deploys: () => deploys };
}

describe('a function of the catalogue as a Lambda handler', () => {
  test('records become deliveries, with the queue’s name and the receive count', async () => {
    let seen: readonly Delivery[] = [];
    const { invoke } = deployed(async (_, batch) => {
      seen = batch;
      return { failed: [] };
    });
    expect(await invoke({ Records: [record('a', '3'), record('b', 'rubbish')] })).toEqual({ batchItemFailures: [] });
    expect(seen).toEqual([
      { queue: 'coterie-alice-btc-Wake', messageId: 'a', body: '{"Wake":{}}', receiveCount: 3 },
      { queue: 'coterie-alice-btc-Wake', messageId: 'b', body: '{"Wake":{}}', receiveCount: 1 },
    ]);
  });

  test('only the failed records come again, after the queue’s own time', async () => {
    const { invoke, extended } = deployed(async () => ({ failed: ['b'] }));
    expect(await invoke({ Records: [record('a'), record('b'), record('c')] })).toEqual({
      batchItemFailures: [{ itemIdentifier: 'b' }],
    });
    expect(extended).toEqual([]);
  });

  test.each([
    ['a throttled store', { store: { get: () => Promise.reject(new Throttled('slow')) } as unknown as Store }],
    ['a store out of reach', { store: { get: () => Promise.reject(new Unavailable('away')) } as unknown as Store }],
  ])('after %s the failed record, and no other, comes again later than at once', async (_, ports) => {
    const { invoke, extended } = deployed(async (given) => {
      await given.store.get('Keys', { pk: 'a', sk: 'b' }).catch(() => undefined);
      return { failed: ['b'] };
    }, ports);
    await invoke({ Records: [record('a'), record('b', '4')] });
    expect(extended).toEqual([{ arn: QUEUE_ARN, receiptHandle: 'receipt of b', receiveCount: 4 }]);
  });

  test('so does a record whose messages a queue did not take; a defect is not waited for', async () => {
    const refusing = deployed(
      async (given) => {
        await given.bus.send([]);
        return { failed: ['a'] };
      },
      { bus: { send: async () => [0] } },
    );
    await refusing.invoke({ Records: [record('a')] });
    expect(refusing.extended).toHaveLength(1);
    const defect = deployed(
      async (given) => {
        await given.store.get('Keys', { pk: 'a', sk: 'b' }).catch(() => undefined);
        return { failed: ['a'] };
      },
      { store: { get: () => Promise.reject(new LimitExceeded('too long')) } as unknown as Store },
    );
    await defect.invoke({ Records: [record('a')] });
    expect(defect.extended).toEqual([]);
  });

  test('strain of one batch is forgotten by the next', async () => {
    let slow = true;
    const { invoke, extended } = deployed(
      async (given) => {
        await given.store.get('Keys', { pk: 'a', sk: 'b' }).catch(() => undefined);
        return { failed: ['a'] };
      },
      {
        store: {
          get: () => (slow ? Promise.reject(new Throttled('slow')) : Promise.resolve(undefined)),
        } as unknown as Store,
      },
    );
    await invoke({ Records: [record('a')] });
    slow = false;
    await invoke({ Records: [record('a')] });
    expect(extended).toHaveLength(1);
  });

  test('a handler that throws fails its whole batch, and the log names the error without its words', async () => {
    const { invoke, lines } = deployed(() => Promise.reject(new RangeError('a secret')));
    const { batchItemFailures } = await invoke({ Records: [record('a'), record('b')] });
    expect(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(['a', 'b']);
    expect(lines[0]).toEqual({ event: 'BatchFailed', fields: { error: 'RangeError' } });
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  test('every batch leaves a line, also one in which nothing happens', async () => {
    const { invoke, lines } = deployed(async () => ({ failed: [] }));
    await invoke({ Records: [record('a')] });
    expect(lines).toEqual([
      { event: 'Batch', fields: { records: 1, failed: 0, extended: 0, milliseconds: expect.any(Number) } },
    ]);
  });

  test('adapters are made at the first event and once; an environment of another role is refused', async () => {
    const { invoke, deploys } = deployed(async () => ({ failed: [] }));
    expect(deploys()).toBe(0);
    await invoke({ Records: [record('a')] });
    await invoke({ Records: [record('a')] });
    expect(deploys()).toBe(1);
    await expect(
      deployed(async () => ({ failed: [] }), {}, 'coordinator').invoke({ Records: [record('a')] }),
    ).rejects.toBeInstanceOf(EnvironmentError);
  });
});

describe('back-off', () => {
  test('is 1 to 900 s, grows with the receives, and is drawn from half its span', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (receives, luck) => {
          const seconds = backOff(receives, (below) => Math.floor(luck * below));
          const most = Math.min(20 * 2 ** (receives - 1), 900);
          expect(Number.isInteger(seconds)).toBe(true);
          expect(seconds).toBeGreaterThanOrEqual(most / 2);
          expect(seconds).toBeLessThanOrEqual(most);
        },
      ),
    );
  });

  test('changes the visibility of each held message, and counts what was not accepted', async () => {
    const { client, calls } = stubClient<SQSClient>({ Successful: [{ Id: '0' }], Failed: [{ Id: '1' }] });
    const held = [
      { receiptHandle: 'x', receiveCount: 1 },
      { receiptHandle: 'y', receiveCount: 99 },
    ];
    expect(await extendVisibility(client, 'url', held)).toBe(1);
    const entries = calls[0]?.input['Entries'] as { ReceiptHandle: string; VisibilityTimeout: number }[];
    expect(entries.map(({ ReceiptHandle }) => ReceiptHandle)).toEqual(['x', 'y']);
    expect(entries[0]?.VisibilityTimeout).toBeLessThanOrEqual(20);
    expect(entries[1]?.VisibilityTimeout).toBeGreaterThanOrEqual(450);
  });

  test('nothing held, nothing asked; a failure is typed', async () => {
    const { client, calls } = stubClient<SQSClient>(sdkError('RequestThrottled', 403));
    expect(await extendVisibility(client, 'url', [])).toBe(0);
    expect(calls).toHaveLength(0);
    await expect(extendVisibility(client, 'url', [{ receiptHandle: 'x', receiveCount: 1 }])).rejects.toBeInstanceOf(
      Throttled,
    );
  });
});

describe('peers', () => {
  test('are read from the accepted committee file, once there is one', async () => {
    let text: string | undefined;
    let reads = 0;
    const peers = committeePeers({
      get: async (table, key) => {
        reads += 1;
        expect([table, key]).toEqual(['Directory', COMMITTEE]);
        return text === undefined ? undefined : ({ ...COMMITTEE, text } as Item);
      },
    });
    expect(await peers('bob')).toBeUndefined();
    text = JSON.stringify({ operators: [{ identity: 'bob', account: '222222222222', region: 'eu-west-1' }] });
    expect(await peers('bob')).toEqual({ account: '222222222222', region: 'eu-west-1' });
    expect(await peers('mallory')).toBeUndefined();
    expect(reads).toBe(2);
  });
});

describe('the injected crash', () => {
  function storeOf(result: CommitResult) {
    const rows = new Set<string>();
    const store = {
      transact: async () => result,
      write: async (write: Write): Promise<CommitResult> => {
        const { pk, sk } = write.kind === 'put' ? write.item : write.key;
        if (rows.has(`${pk} ${sk}`)) return { committed: false, failures: [{ index: 0, item: undefined }] };
        rows.add(`${pk} ${sk}`);
        return { committed: true };
      },
    } as unknown as Store;
    return { store, rows };
  }

  test('comes after the first commit, once, and nothing follows it', async () => {
    const { store, rows } = storeOf({ committed: true });
    let deaths = 0;
    const crashing = crashingAfterCommit(store, 'Wake', () => {
      deaths += 1;
    });
    const outcome = await Promise.race([
      crashing.transact([], 'a').then(() => 'went on'),
      new Promise((resolve) => setTimeout(resolve, 20, 'dead')),
    ]);
    expect([outcome, deaths]).toEqual(['dead', 1]);
    expect(rows).toContain(`${crashKey('Wake').pk} ${crashKey('Wake').sk}`);
    expect(await crashing.transact([], 'b')).toEqual({ committed: true });
    expect(deaths).toBe(1);
  });

  test('does not come after a transaction that was not applied', async () => {
    const { store } = storeOf({ committed: false, failures: [] });
    const crashing = crashingAfterCommit(store, 'Wake', () => expect.unreachable());
    expect(await crashing.transact([], 'a')).toEqual({ committed: false, failures: [] });
  });
});
