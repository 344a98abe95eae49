/** The producer's client: what it sends, what it refuses to send, and that each fact is handed on once. */
import type { SQSClient } from '@aws-sdk/client-sqs';
import { beforeEach, describe, expect, it } from 'vitest';
import { CoterieClient, InvalidRequest } from '../../lib/client/coterie-client.ts';
import type { Outcome } from '../../lib/client/outcomes.ts';
import { type Received, SqsTransport, type Transport } from '../../lib/client/transport.ts';
import { bodyOf, parseBodyAs } from '../../lib/messages/catalogue.ts';
import { refusedEvent, signingOutcome } from '../../lib/messages/events.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { ceremonyId } from '../../lib/messages/parameters.ts';
import { stubClient } from '../aws/stub.ts';
import { World } from '../ceremonies/network.ts';

const NOW = 1_800_000_000;
const KEY = `0x${'4b'.repeat(32)}` as Hex;
const world = new World({ n: 3, t: 2 });
const { committee } = world;
const [coin = ''] = Object.keys(committee.file.coins);
const [first] = committee.file.operators;
const identity = first?.identity ?? '';

class Recorded implements Transport {
  readonly sent: { coin: string; body: string }[] = [];
  readonly batches: Received[][] = [];
  async instruct(of: string, body: string): Promise<void> {
    this.sent.push({ coin: of, body });
  }
  async receive(): Promise<readonly Received[]> {
    return this.batches.shift() ?? [];
  }
}

let transport: Recorded;
let client: CoterieClient;
beforeEach(() => {
  transport = new Recorded();
  client = new CoterieClient({
    committee,
    identity,
    coins: [coin],
    transport,
    now: () => NOW * 1_000 + 999,
    random: (length) => new Uint8Array(length).fill(7),
  });
});

describe('asking', () => {
  it('sends an instruction of the catalogue, with a request id and a time of its own, and returns the ceremony’s id', async () => {
    const asked = await client.sign({ coin, keyId: KEY, messages: [Uint8Array.of(1, 2)], purpose: 'payout' });
    expect(asked).toMatchObject({ requestId: `0x${'07'.repeat(16)}`, expiresAt: NOW + 600 });
    const [{ coin: of, body } = { coin: '', body: '' }] = transport.sent;
    const parsed = parseBodyAs('MultisigInstruction', body);
    expect(of).toBe(coin);
    expect(parsed).toMatchObject({
      ok: true,
      payload: { Sign: { keyId: KEY, messages: ['0x0102'], purpose: 'payout' } },
    });
    expect(asked.ceremony).toBe(ceremonyId(asked.parameters));
    expect(asked.parameters).toMatchObject({ kind: 'signing', t: 2, signers: [1, 2, 3] });
  });

  it('takes suite and threshold from the committee file', async () => {
    const { parameters } = await client.keygen({ coin });
    const { suite, t } = committee.keyOf(coin) ?? {};
    expect(parameters).toMatchObject({ kind: 'keygen', suite, t, signers: [1, 2, 3] });
  });

  it('names the same ceremony for the same words, and another for any other', async () => {
    const words = {
      coin,
      keyId: KEY,
      messages: [Uint8Array.of(1)],
      purpose: 'a',
      requestId: `0x${'09'.repeat(16)}` as Hex,
      expiresAt: NOW + 60,
    };
    const one = await client.sign(words);
    expect((await client.sign(words)).ceremony).toBe(one.ceremony);
    for (const change of [{ purpose: 'b' }, { expiresAt: NOW + 61 }, { messages: [Uint8Array.of(2)] }])
      expect((await client.sign({ ...words, ...change })).ceremony).not.toBe(one.ceremony);
  });

  it('shows instruction keys what to sign, and sends their signatures', async () => {
    const words = { coin, keyId: KEY, messages: [Uint8Array.of(1)], purpose: 'a' };
    const { bytes } = client.prepareSign(words);
    expect(transport.sent).toEqual([]);
    const signatures = [{ key: `0x${'01'.repeat(32)}` as Hex, signature: `0x${'02'.repeat(64)}` as Hex }];
    const signed = await client.sign({ ...words, signatures });
    expect(signed.bytes).toEqual(bytes);
    expect(JSON.parse(transport.sent[0]?.body ?? '')).toMatchObject({ MultisigInstruction: { signatures } });
  });

  const sign = { keyId: KEY, messages: [Uint8Array.of(1)], purpose: 'a' };
  it.each([
    ['a coin that it has not', { coin: 'nocoin', ...sign }, /coin: expected one of/],
    ['nothing to sign', { coin, ...sign, messages: [] }, /sign: messages/],
    ['an empty message', { coin, ...sign, messages: [new Uint8Array()] }, /sign: messages/],
    ['a purpose that is not ASCII', { coin, ...sign, purpose: 'ü' }, /sign: purpose/],
    ['a key id that is none', { coin, ...sign, keyId: '0x12' as Hex }, /sign: keyId/],
    ['a time that is over', { coin, ...sign, expiresAt: NOW }, /expiresAt: expected a time after/],
    [
      'a time beyond what operators take',
      { coin, ...sign, expiresAt: NOW + 8 * 86_400 },
      /expiresAt: expected a time within/,
    ],
    ['a time that is no number', { coin, ...sign, expiresAt: Number.NaN }, /expiresAt/],
    [
      'more messages than fit',
      { coin, ...sign, messages: Array.from({ length: 101 }, () => Uint8Array.of(1)) },
      /sign: /,
    ],
  ])('refuses %s before anything is sent', async (_, request, sentence) => {
    await expect(client.sign(request)).rejects.toThrow(sentence);
    await expect(client.sign(request)).rejects.toBeInstanceOf(InvalidRequest);
    expect(transport.sent).toEqual([]);
  });

  it('refuses signers that are none, and an operator or coin that the committee has not', async () => {
    await expect(client.keygen({ coin, signers: [1, 7] })).rejects.toThrow(/signers: expected some of 1, 2, 3, got 7/);
    await expect(client.keygen({ coin, signers: [1] })).rejects.toThrow(/expected t to be at most/);
    expect(() => new CoterieClient({ committee, identity: 'nobody', coins: [coin], transport })).toThrow(
      InvalidRequest,
    );
    // Every object has a `constructor`: a name is looked up among the operator's own coins.
    for (const stranger of ['nocoin', 'constructor'])
      expect(() => new CoterieClient({ committee, identity, coins: [stranger], transport })).toThrow(InvalidRequest);
  });
});

describe('outcomes', () => {
  const refused = (detail: string) =>
    bodyOf('MultisigEvent', refusedEvent({ operator: 1, coin, reason: 'Expired', detail }));
  const received = (body: string, log: string[], name: string): Received => ({
    body,
    done: async () => {
      log.push(`done ${name}`);
    },
  });
  /** Hears until `most` outcomes came. */
  async function hear(most: number, log: string[] = []): Promise<Outcome[]> {
    const heard: Outcome[] = [];
    const abort = new AbortController();
    for await (const outcome of client.outcomes({ signal: abort.signal })) {
      log.push(`heard ${heard.length}`);
      heard.push(outcome);
      if (heard.length === most) abort.abort();
    }
    return heard;
  }

  it('are handed on once, however often they are delivered, and every delivery is taken off the queue', async () => {
    const log: string[] = [];
    transport.batches.push(
      [received(refused('a'), log, 'a'), received(refused('a'), log, 'a again')],
      [received(refused('b'), log, 'b')],
    );
    const heard = await hear(2, log);
    expect(heard.map((outcome) => outcome.kind === 'Refused' && outcome.detail)).toEqual(['a', 'b']);
    expect(log).toEqual(['heard 0', 'done a', 'done a again', 'heard 1', 'done b']);
  });

  it('leave the process its turn while there are none, and end when they are told to', async () => {
    const abort = new AbortController();
    let asked = 0;
    const never = new CoterieClient({
      committee,
      identity,
      coins: [coin],
      transport: {
        instruct: async () => undefined,
        receive: async () => {
          if (++asked > 1_000) throw new Error('asked without a pause');
          return [];
        },
      },
    });
    setTimeout(() => abort.abort(), 1);
    for await (const outcome of never.outcomes({ signal: abort.signal })) throw new Error(`heard ${outcome.kind}`);
    expect(asked).toBeGreaterThan(0);
  });

  it('leave the process its turn also where a transport brings what nobody understands, again and again', async () => {
    const abort = new AbortController();
    let asked = 0;
    transport.receive = async () => {
      if (++asked > 1_000) throw new Error('asked without a pause');
      return [received('{"Newer":{}}', [], 'newer')];
    };
    setTimeout(() => abort.abort(), 1);
    for await (const outcome of client.outcomes({ signal: abort.signal })) throw new Error(`heard ${outcome.kind}`);
    expect(asked).toBeGreaterThan(0);
  });

  it('stay on the queue until the loop has dealt with them: what a crash interrupts comes again', async () => {
    const log: string[] = [];
    transport.batches.push([received(refused('a'), log, 'a')]);
    const failing = async () => {
      for await (const outcome of client.outcomes()) throw new Error(`died at ${outcome.kind}`);
    };
    await expect(failing()).rejects.toThrow('died at Refused');
    expect(log).toEqual([]);
  });

  it('are typed by their kind, a provisional outcome and its final one being two facts', async () => {
    const outcome = signingOutcome({
      operator: 1,
      coin,
      ceremony: KEY,
      result: 'failed',
      final: true,
      keyId: KEY,
      messages: ['0x01'],
      sharesReleased: true,
      reason: 'Timeout',
      culprits: [],
      unresponsive: [3],
    });
    transport.batches.push([received(bodyOf('MultisigEvent', outcome), [], 'x')]);
    const [heard] = await hear(1);
    if (heard?.kind !== 'SigningOutcome') throw new Error('expected a signing outcome');
    expect(heard).toMatchObject({ result: 'failed', sharesReleased: true, unresponsive: [3] });
  });

  it('leave what they do not understand where it is', async () => {
    const log: string[] = [];
    transport.batches.push([
      received('{"Newer":{}}', log, 'newer'),
      received('no json', log, 'noise'),
      received(refused('a'), log, 'a'),
    ]);
    await hear(1);
    expect(log).toEqual(['done a']);
  });
});

describe('over SQS', () => {
  const options = { identity: 'alice', account: '111111111111', region: 'eu-central-1' };

  it('asks on the coin’s instruction queue, and hears on its outcome queue', async () => {
    const { client: sqs, calls } = stubClient<SQSClient>(
      { MessageId: '1' },
      { Messages: [{ Body: 'b', ReceiptHandle: 'r' }] },
      {},
    );
    const over = new SqsTransport({ ...options, sqs });
    await over.instruct('btc', '{}');
    const [message] = await over.receive('btc', 20, new AbortController().signal);
    await message?.done();
    expect(calls).toMatchObject([
      {
        operation: 'SendMessage',
        input: {
          QueueUrl: 'https://sqs.eu-central-1.amazonaws.com/111111111111/coterie-alice-btc-MultisigInstruction',
        },
      },
      {
        operation: 'ReceiveMessage',
        input: {
          QueueUrl: 'https://sqs.eu-central-1.amazonaws.com/111111111111/coterie-alice-btc-MultisigEvent',
          WaitTimeSeconds: 20,
        },
      },
      { operation: 'DeleteMessageBatch', input: { Entries: [{ ReceiptHandle: 'r' }] } },
    ]);
  });

  it('hears on the queue that the operator file names, on an emulator too', async () => {
    const { client: sqs, calls } = stubClient<SQSClient>({});
    const outcomeQueue = 'arn:aws:sqs:eu-west-1:222222222222:wallet-outcomes';
    const over = new SqsTransport({ ...options, sqs, outcomeQueue, endpoint: 'http://127.0.0.1:4566' });
    expect(await over.receive('btc', 0, new AbortController().signal)).toEqual([]);
    expect(calls[0]?.input['QueueUrl']).toBe('http://127.0.0.1:4566/222222222222/wallet-outcomes');
  });
});
