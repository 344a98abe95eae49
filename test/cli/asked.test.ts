import { describe, expect, it } from 'vitest';
import { AskedCeremonies } from '../../lib/cli/asked.ts';
import { keygenOutcome, refusedEvent, signingOutcome } from '../../lib/messages/events.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import type { FrostKeygenParameters, SigningParameters } from '../../lib/messages/parameters.ts';

const word = (byte: string, length = 32) => `0x${byte.repeat(length)}` as Hex;
const keygen = (requestId = word('01', 16)): FrostKeygenParameters => ({
  kind: 'keygen',
  committee: word('c0'),
  coin: 'btc',
  suite: 'FROST-secp256k1-SHA256-TR-v1',
  t: 2,
  signers: [1, 2, 3],
  requestId,
  expiresAt: 1000,
});
const signing = (): SigningParameters => ({
  ...keygen(),
  kind: 'signing',
  keyId: word('aa'),
  messages: ['0x00'],
  purpose: 'local',
});
const nobody = { culprits: [], unresponsive: [] };
const made = (operator: number, ceremony: Hex, result: 'succeeded' | 'failed' | 'unresolved' = 'succeeded') =>
  keygenOutcome({
    operator,
    coin: 'btc',
    ceremony,
    result,
    final: result !== 'unresolved',
    ...(result === 'succeeded' ? { keyId: word('aa') } : { reason: 'Timeout' }),
    ...nobody,
  });

async function hasEnded({ ended }: { ended: Promise<void> }): Promise<boolean> {
  return Promise.race([ended.then(() => true), new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))]);
}

describe('what was asked for', () => {
  it('has ended when everybody who was told has said its last word, and not before', async () => {
    const all = new AskedCeremonies();
    const asked = all.add('btc', keygen(), [1, 2, 3]);
    for (const operator of [1, 2]) all.hear(made(operator, asked.ceremony), operator);
    expect(await hasEnded(asked)).toBe(false);
    all.hear(made(3, asked.ceremony), 3);
    expect(await hasEnded(asked)).toBe(true);
    expect(all.keyMaker(word('aa'))).toBe(asked);
  });

  it('is waited for at whoever is asked later, too, and at nobody twice', async () => {
    const all = new AskedCeremonies();
    const over = async (): Promise<boolean> => hasEnded({ ended: all.allEnded() });
    const asked = all.add('btc', keygen(), [1]);
    expect(all.add('btc', keygen(), [2])).toBe(asked);
    all.hear(made(1, asked.ceremony), 1);
    expect(await over()).toBe(false);
    all.hear(made(2, asked.ceremony), 2);
    expect(await over()).toBe(true);
    // After its end as well; whoever has had the last word repeats it at most.
    all.add('btc', keygen(), [1, 2, 3]);
    expect([...asked.owing]).toEqual([3]);
    expect(await over()).toBe(false);
    all.hear(made(3, asked.ceremony), 3);
    expect(await over()).toBe(true);
    all.died(4);
    all.add('btc', keygen(), [4]);
    expect(await over()).toBe(true);
  });

  it('is not waited for at operators who are dead or die', async () => {
    const all = new AskedCeremonies();
    all.died(1);
    const asked = all.add('btc', keygen(), [1, 2]);
    expect(await hasEnded(asked)).toBe(false);
    all.died(2);
    expect(await hasEnded(asked)).toBe(true);
    expect(await hasEnded(all.add('btc', keygen(word('02', 16)), [1, 2]))).toBe(true);
  });

  it('counts an unresolved key generation as ended, since it may stay so for ever', async () => {
    const all = new AskedCeremonies();
    const asked = all.add('btc', keygen(), [1]);
    all.hear(made(1, asked.ceremony, 'unresolved'), 1);
    expect(await hasEnded(asked)).toBe(true);
    expect(asked).toMatchObject({ reason: 'unresolved: Timeout' });
  });

  it('ends by refusals of the same request, but not by those of a repetition', async () => {
    const all = new AskedCeremonies();
    const asked = all.add('btc', keygen(), [1, 2]);
    const refused = (operator: number, reason: 'Repeated' | 'Expired') =>
      all.hear(refusedEvent({ operator, coin: 'btc', reason, detail: 'why', requestId: word('01', 16) }), operator);
    refused(1, 'Repeated');
    refused(2, 'Expired');
    expect([...asked.owing]).toEqual([1]);
    refused(1, 'Expired');
    expect(await hasEnded(asked)).toBe(true);
    expect(asked.reason).toBe('Expired: why');
  });

  it('takes the newest key generation, of the coin if one is named', () => {
    const all = new AskedCeremonies();
    const btc = all.add('btc', keygen(), [1]);
    const sol = all.add('sol', { ...keygen(), coin: 'sol' }, [1]);
    all.add('btc', signing(), [1]);
    expect(all.latestKeygen()).toBe(sol);
    expect(all.latestKeygen('btc')).toBe(btc);
  });

  it('knows one ceremony for one set of parameters', async () => {
    const all = new AskedCeremonies();
    const asked = all.add('btc', signing(), [1]);
    expect(all.add('btc', signing(), [2])).toBe(asked);
    const outcome = (operator: number) =>
      signingOutcome({
        operator,
        coin: 'btc',
        ceremony: asked.ceremony,
        result: 'failed',
        final: true,
        keyId: word('aa'),
        messages: ['0x00'],
        sharesReleased: false,
        reason: 'Timeout',
        ...nobody,
      });
    for (const operator of [1, 2]) all.hear(outcome(operator), operator);
    expect(await hasEnded(asked)).toBe(true);
    await all.allEnded();
  });
});
