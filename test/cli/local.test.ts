/** The service behind `coterie local`, in this process, over the real clock. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { serve } from '../../lib/cli/local.ts';
import { type LocalOptions, localOptions, type RawLocal } from '../../lib/cli/local-options.ts';
import { parseBodyAs } from '../../lib/messages/catalogue.ts';
import type { MultisigEvent } from '../../lib/messages/events.ts';
import type { CommitteeView } from '../../lib/view/committee-view.ts';
import { coterie } from './embedded.ts';

type Kind = MultisigEvent extends infer Each ? (Each extends unknown ? keyof Each : never) : never;
type Fields<K extends Kind> = Extract<MultisigEvent, Record<K, unknown>>[K];

const options = (raw: Partial<RawLocal> = {}): LocalOptions => localOptions({ operators: '3', coins: 'sol', ...raw });
const keyGen = (fields: object = {}) => ({ MultisigInstruction: { KeyGen: { coin: 'sol', ...fields } } });
const sign = (fields: object = {}) => ({ MultisigInstruction: { Sign: { messages: ['0x5a5a'], ...fields } } });
const soon = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

/** Holds the next line back until what was heard so far is enough. */
type Pause = (heard: readonly MultisigEvent[]) => boolean;

/** All events of a run whose input is these lines. */
async function events(of: LocalOptions, lines: readonly (object | string | Pause)[]): Promise<MultisigEvent[]> {
  const heard: MultisigEvent[] = [];
  async function* input(): AsyncGenerator<Uint8Array> {
    for (const line of lines) {
      if (typeof line !== 'function')
        yield new TextEncoder().encode(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
      else while (!line(heard)) await sleep(10);
    }
  }
  await serve(of, {
    input: input(),
    output: (line) => {
      const parsed = parseBodyAs('MultisigEvent', line);
      if (!parsed.ok) throw new Error(parsed.reason);
      heard.push(parsed.payload);
    },
    note: () => {},
    signal: new AbortController().signal,
  });
  return heard;
}

function only<K extends Kind>(kind: K, all: readonly MultisigEvent[]): Fields<K>[] {
  return all.flatMap((event) => (kind in event ? [Reflect.get(event, kind) as Fields<K>] : []));
}

const speakers = (outcomes: readonly { operator: number }[]) => outcomes.map(({ operator }) => operator).sort();

describe('the local committee', () => {
  it('lets a line wait for the key that it needs, and signs with the newest key of the coin', async () => {
    const all = await events(options({ coins: 'btc,sol' }), [
      keyGen(),
      sign({ purpose: 'first' }),
      keyGen({ coin: 'btc' }),
      sign({ coin: 'sol', messages: ['0x01', '0x02'] }),
      sign(),
    ]);
    expect(only('Refused', all)).toEqual([]);
    expect(only('KeygenOutcome', all)).toHaveLength(6);
    const signed = only('SigningOutcome', all);
    expect(signed).toHaveLength(9);
    expect(signed.every(({ result, final }) => result === 'succeeded' && final)).toBe(true);
    expect(new Set(signed.map(({ coin, messages }) => `${coin} ${messages.join(' ')}`))).toEqual(
      new Set(['sol 0x5a5a', 'sol 0x01 0x02', 'btc 0x5a5a']),
    );
  });

  it('wakes its operators by their rules, so that status notices one that has died while nobody asks for anything', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coterie-rules-'));
    const at = join(folder, 'c.sock');
    const now = Date.now.bind(Date);
    let later = 0;
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => now() + later * 1_000);
    const abort = new AbortController();
    let able: number[] = [];
    async function* input(): AsyncGenerator<Uint8Array> {
      for (const started = now(); now() < started + 20_000 && able.length !== 2; later += 450) {
        // Whatever is sent, so that the committee looks at its clock.
        yield new TextEncoder().encode(`${JSON.stringify({ Control: { CleanUp: {} }, operators: [1, 2] })}\n`);
        await sleep(100);
        const { stdout } = await coterie(['status', '--json', '--as', '1', '--at', at]);
        able = (JSON.parse(stdout) as CommitteeView).coins[0]?.health.able ?? [];
      }
      abort.abort();
    }
    try {
      await serve(options({ kill: ['3'], socket: at }), {
        input: input(),
        output: () => {},
        note: () => {},
        signal: abort.signal,
      });
      expect(able).toEqual([1, 2]);
      expect(later).toBeGreaterThan(75 * 60);
    } finally {
      clock.mockRestore();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('refuses what refers to nothing with one event each, and goes on', async () => {
    const unknown = `0x${'ab'.repeat(32)}`;
    const requestId = `0x${'07'.repeat(16)}`;
    const all = await events(options({ operators: '2' }), [
      sign({ requestId }),
      sign({ coin: 'btc' }),
      keyGen({ coin: 'btc' }),
      keyGen({ signers: [1, 5] }),
      '{"MultisigInstruction":',
      keyGen(),
      sign({ keyId: unknown }),
      sign({ coin: 'btc', keyId: unknown }),
    ]);
    const refused = only('Refused', all);
    expect(refused.every(({ operator }) => operator === 0)).toBe(true);
    expect(refused[0]).toMatchObject({ requestId });
    expect(refused.map(({ coin, reason, detail }) => [coin, reason, detail])).toEqual([
      ['none', 'UnknownKey', 'Sign.keyId: expected a KeyGen before "latest", got none'],
      ['btc', 'UnknownKey', 'Sign.keyId: expected a KeyGen of btc before "latest", got none'],
      ['btc', 'ConfigurationMismatch', 'KeyGen.coin: expected one of sol, got btc'],
      ['sol', 'Malformed', 'KeyGen.signers: expected indexes from 1 to 2, got 5'],
      ['none', 'Malformed', expect.stringMatching(/^expected one JSON message/)],
      ['none', 'UnknownKey', `Sign.keyId: expected a key that was made here, got ${unknown}`],
      ['btc', 'UnknownKey', `Sign.keyId: expected a key that was made here, got ${unknown}`],
    ]);
    expect(speakers(only('KeygenOutcome', all))).toEqual([1, 2]);
  });

  it('passes on what the operators themselves refuse, and does not wait for an outcome of it', async () => {
    const all = await events(options(), [keyGen({ t: 3 }), keyGen({ expiresAt: 1 }), sign()]);
    const refused = only('Refused', all);
    expect(speakers(refused.filter(({ reason }) => reason === 'ConfigurationMismatch'))).toEqual([1, 2, 3]);
    expect(speakers(refused.filter(({ reason }) => reason === 'Expired'))).toEqual([1, 2, 3]);
    const last = refused.at(-1);
    expect(last).toMatchObject({ operator: 0, reason: 'UnknownKey' });
    expect(last?.detail).toMatch(/^Sign\.keyId: expected a key, but its generation ended Expired: /);
  });

  it('asks which coin is meant where genesis made keys of several', async () => {
    const all = await events(options({ coins: 'btc,sol', genesis: true }), [sign(), sign({ coin: 'btc' })]);
    expect(only('Refused', all)).toMatchObject([
      { reason: 'UnknownKey', detail: 'Sign.coin: expected one of btc, sol beside "latest", got nothing' },
    ]);
    expect(only('SigningOutcome', all).map(({ coin, result }) => [coin, result])).toEqual(
      Array(3).fill(['btc', 'succeeded']),
    );
  });

  it('tells only the operators that a line names', async () => {
    const all = await events(options({ genesis: true }), [{ ...sign(), operators: [1, 3] }]);
    expect(speakers(only('SigningOutcome', all))).toEqual([1, 3]);
  });

  it('makes a key for some of the operators, who then sign with it', async () => {
    const all = await events(options(), [keyGen({ signers: [1, 3] }), sign()]);
    expect(speakers(only('KeygenOutcome', all))).toEqual([1, 3]);
    expect(only('SigningOutcome', all)).toMatchObject([{ result: 'succeeded' }, { result: 'succeeded' }]);
  });

  it('does not wait for the dead, and says that a key generation without them failed', async () => {
    const all = await events(options({ kill: ['2', '3'] }), [keyGen({ expiresAt: soon(2) }), sign()]);
    expect(only('KeygenOutcome', all)).toMatchObject([
      { operator: 1, result: 'failed', reason: 'Timeout', unresponsive: [2, 3] },
    ]);
    expect(only('Refused', all)).toMatchObject([
      { detail: 'Sign.keyId: expected a key, but its generation ended failed: Timeout' },
    ]);
  });

  it('lets an operator die at a message, and the others finish', async () => {
    const all = await events(options({ genesis: true, kill: ['1@SignatureIn'] }), [sign()]);
    const succeeded = only('SigningOutcome', all).filter(({ result }) => result === 'succeeded');
    expect(speakers(succeeded)).toEqual(expect.arrayContaining([2, 3]));
  });

  it('releases no share while every operator has halted, and signs after the release', async () => {
    const halted = performance.now() + 500;
    const all = await events(options({ genesis: true }), [
      { Control: { Halt: {} } },
      () => performance.now() > halted,
      sign({ expiresAt: soon(2), purpose: 'halted' }),
      (heard) => only('SigningOutcome', heard).length === 3,
      { Control: { Release: {} } },
      sign({ purpose: 'released' }),
    ]);
    const signed = only('SigningOutcome', all);
    expect(signed.slice(0, 3)).toMatchObject(Array(3).fill({ result: 'failed', sharesReleased: false }));
    expect(signed.slice(3)).toMatchObject(Array(3).fill({ result: 'succeeded' }));
  });

  it('stops at once when it is told to', async () => {
    const abort = new AbortController();
    const heard: string[] = [];
    await serve(options(), {
      input: (async function* () {
        yield new TextEncoder().encode(`${JSON.stringify(keyGen())}\n`);
        await new Promise(() => {});
      })(),
      output: (line) => {
        heard.push(line);
        if (line.includes('KeygenOutcome')) abort.abort();
      },
      note: () => {},
      signal: abort.signal,
    });
    expect(heard.length).toBeGreaterThan(3);
  });
});
