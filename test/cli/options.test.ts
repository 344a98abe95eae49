import { describe, expect, it } from 'vitest';
import { DEFAULT_MESSAGE, demoOptions, type RawDemo } from '../../lib/cli/demo-options.ts';
import { localOptions, type RawLocal } from '../../lib/cli/local-options.ts';
import { COIN_NAMES, smallestMajority, UsageError } from '../../lib/cli/usage.ts';
import { COINS } from '../../lib/local/committee.ts';
import { maximumMessages } from '../../lib/messages/parameters.ts';

const base = { operators: '3', coins: 'btc,sol' };
const demo = (raw: Partial<RawDemo>) => demoOptions({ ...base, ...raw });
const local = (raw: Partial<RawLocal>) => localOptions({ ...base, ...raw });

/** The sentence of a refusal; fails if there is none. */
function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message;
  }
  throw new Error('expected a refusal, got a value');
}

describe('options of the demo', () => {
  it('defaults to three operators of whom two sign one text for both coins', () => {
    const options = demo({});
    expect(options).toMatchObject({
      operators: 3,
      threshold: 2,
      coins: ['btc', 'sol'],
      seed: undefined,
      silent: undefined,
      json: false,
    });
    expect(options.messages).toEqual([new TextEncoder().encode(DEFAULT_MESSAGE)]);
  });

  it('knows exactly the coins of the embedded committee', () => {
    expect([...COIN_NAMES].sort()).toEqual(Object.keys(COINS).sort());
  });

  it.each([
    [2, 2],
    [3, 2],
    [4, 3],
    [7, 4],
    [100, 51],
  ])('takes the smallest majority of %i operators, %i, where no threshold is given', (operators, threshold) => {
    expect(smallestMajority(operators)).toBe(threshold);
    expect(demo({ operators: `${operators}` }).threshold).toBe(threshold);
  });

  it.each(['1', '101', '0', '-3', '3.0', '03', '1e1', ' 3', '', 'three', '٣'])('refuses %j operators', (operators) => {
    expect(refusal(() => demo({ operators }))).toBe(
      `--operators: expected a whole number from 2 to 100, got ${JSON.stringify(operators)}`,
    );
  });

  it.each(['0', '4', 'x'])('refuses threshold %j of three', (threshold) => {
    expect(refusal(() => demo({ threshold }))).toBe(
      `--threshold: expected a whole number from 1 to 3, got "${threshold}"`,
    );
  });

  it('permits a single signer only where that is said', () => {
    expect(refusal(() => demo({ threshold: '1' }))).toMatch(
      /^--threshold: expected at least 2 .*--allow-single-signer.*, got 1$/,
    );
    expect(demo({ threshold: '1', allowSingleSigner: true })).toMatchObject({ threshold: 1, allowSingleSigner: true });
  });

  it('refuses unknown, missing and repeated coins', () => {
    expect(refusal(() => demo({ coins: 'btc,eth' }))).toBe('--coins: expected one or more of btc,sol, got "eth"');
    expect(refusal(() => demo({ coins: '' }))).toBe('--coins: expected one or more of btc,sol, got ""');
    expect(refusal(() => demo({ coins: 'sol,btc,sol' }))).toBe(
      '--coins: expected each coin once, got sol more than once',
    );
    expect(demo({ coins: 'sol' }).coins).toEqual(['sol']);
  });

  it('signs the UTF-8 bytes of a text and the bytes of hex of either case', () => {
    expect(demo({ message: ['é', '0x00fF', '0XAB'] }).messages).toEqual([
      Uint8Array.of(0xc3, 0xa9),
      Uint8Array.of(0x00, 0xff),
      Uint8Array.of(0xab),
    ]);
  });

  it('refuses messages without bytes, with half bytes, and too long', () => {
    expect(refusal(() => demo({ message: [''] }))).toBe('--message: expected at least one byte to sign, got ""');
    expect(refusal(() => demo({ message: ['0x'] }))).toBe('--message: expected at least one byte to sign, got "0x"');
    expect(refusal(() => demo({ message: ['0xabc'] }))).toBe(
      '--message: expected text, or 0x and an even number of hex digits, got "0xabc"',
    );
    expect(refusal(() => demo({ message: ['0xzz'] }))).toMatch(/^--message: expected text, or 0x/);
    expect(refusal(() => demo({ message: ['x'.repeat(4097)] }))).toBe(
      '--message: expected at most 4096 bytes, got 4097',
    );
  });

  it('refuses more messages than one signing carries at that threshold', () => {
    const message = Array.from({ length: 100 }, (_, i) => `${i}`);
    expect(demo({ message }).messages).toHaveLength(100);
    expect(refusal(() => demo({ message: [...message, 'x'] }))).toBe(
      '--message: expected at most 100 messages at threshold 2, got 101',
    );
    const most = maximumMessages(50);
    expect(most).toBeLessThan(100);
    const large = { operators: '60', threshold: '50' };
    expect(demo({ ...large, message: message.slice(0, most) }).messages).toHaveLength(most);
    expect(refusal(() => demo({ ...large, message: message.slice(0, most + 1) }))).toBe(
      `--message: expected at most ${most} messages at threshold 50, got ${most + 1}`,
    );
  });

  it('refuses a silent operator who is not of the committee', () => {
    expect(demo({ silent: '3' }).silent).toBe(3);
    expect(refusal(() => demo({ silent: '4' }))).toBe('--silent: expected a whole number from 1 to 3, got "4"');
    expect(refusal(() => demo({ silent: '0' }))).toBe('--silent: expected a whole number from 1 to 3, got "0"');
  });

  it('makes 32 bytes of every seed, the same of the same', () => {
    const seed = (text: string) => demo({ seed: text }).seed;
    expect(seed('a')).toHaveLength(32);
    expect(seed('a')).toEqual(seed('0x61'));
    expect(seed('a')).not.toEqual(seed('b'));
    expect(refusal(() => seed(''))).toBe('--seed: expected at least one byte, got ""');
    expect(refusal(() => seed('0x1'))).toMatch(/^--seed: expected text, or 0x and an even number of hex digits/);
  });

  it('shows long and unprintable input shortened and escaped', () => {
    const sentence = refusal(() => demo({ operators: `\n${'9'.repeat(500)}` }));
    expect(sentence.length).toBeLessThan(140);
    expect(sentence).toContain('got "\\n999');
  });
});

describe('options of the local committee', () => {
  it('kills nobody and makes no key unless told to', () => {
    expect(local({})).toMatchObject({ genesis: false, killed: [], dies: undefined });
  });

  it('kills some from the start and one at its first message of a name', () => {
    expect(local({ kill: ['1', '2@SigningPackageIn', '3'] })).toMatchObject({
      killed: [1, 3],
      dies: { operator: 2, at: 'SigningPackageIn' },
    });
  });

  it.each(['4', '', '@SigningPackageIn', 'x@Wake'])('refuses to kill %j of three', (kill) => {
    expect(refusal(() => local({ kill: [kill] }))).toMatch(/^--kill: expected a whole number from 1 to 3, got/);
  });

  it.each(['1@', '1@Frob', '1@SignatureOut', '1@Transaction', '1@ExternalPublicKeyIn', '1@SigningPackageIn@x'])(
    'refuses to kill at %j',
    (kill) => {
      expect(refusal(() => local({ kill: [kill] }))).toMatch(/^--kill: expected a message of a ceremony after @/);
    },
  );

  it('refuses two operators who die at a message', () => {
    expect(refusal(() => local({ kill: ['1@SignatureIn', '2@SignatureIn'] }))).toBe(
      '--kill: expected at most one operator with @Message, got 2',
    );
  });
});
