import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { CommitteeDocument } from '../../lib/cli/console-document.ts';
import { demoTokens } from '../../lib/cli/demo-tokens.ts';
import { deployedTokenOptions, refuseEarlierOptions, tokenDemoOptions } from '../../lib/cli/demo-tokens-options.ts';
import { isBalanced } from '../../lib/cli/demo-tokens-output.ts';
import { UsageError } from '../../lib/cli/usage.ts';

const VERIFIER = fileURLToPath(new URL('../../scripts/verify-demo.mjs', import.meta.url));

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message;
  }
  throw new Error('expected a refusal, got a value');
}

/** @returns whether another library finds all of the document right */
function verified(document: object): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'coterie-demo-'));
  try {
    const file = join(folder, 'report.json');
    writeFileSync(file, JSON.stringify(document));
    execFileSync(process.execPath, [VERIFIER, file], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('options of the demonstration of tokens', () => {
  it('are 5 of 7 unless said otherwise, and tolerate what 2t > n + f leaves', () => {
    expect(tokenDemoOptions({ services: '7' })).toMatchObject({
      services: 7,
      threshold: 5,
      tolerated: 2,
      reveal: false,
    });
    expect(tokenDemoOptions({ services: '6' })).toMatchObject({ threshold: 4, tolerated: 1 });
  });

  it('refuse in one sentence a threshold with which two sets of services could sign two payments', () => {
    expect(refusal(() => tokenDemoOptions({ services: '7', threshold: '4' }))).toBe(
      '--threshold: expected 2t > n + f, or two sets of services sign two payments of one token; got t = 4, n = 7, f = 1',
    );
  });

  it('refuse a threshold that a silent and a lying service do not leave', () => {
    expect(refusal(() => tokenDemoOptions({ services: '7', threshold: '6' }))).toMatch(
      /^--threshold: expected at most 5 of 7/,
    );
  });

  it('refuse a port for a page that nobody asked for', () => {
    expect(refusal(() => tokenDemoOptions({ services: '7', port: '8080' }))).toBe(
      '--port: expected --console beside it, got none',
    );
    expect(tokenDemoOptions({ services: '7', port: '8080', console: true })).toMatchObject({
      console: true,
      port: 8_080,
    });
  });

  it.each(['5', '32', '0', 'x', '7.0', ''])('refuse %j services', (services) => {
    expect(refusal(() => tokenDemoOptions({ services }))).toMatch(
      /^--services: expected a whole number from 6 to 31, got/,
    );
  });

  it('refuse options of the other demonstration, which would say nothing', () => {
    expect(refusal(() => refuseEarlierOptions([{ long: '--operators' }]))).toBe(
      'expected options after tokens, got --operators before it',
    );
    expect(() => refuseEarlierOptions([])).not.toThrow();
  });
});

/** What the page shows while the demonstration waits to be interrupted. */
async function supplyAt(said: string): Promise<object> {
  const { origin, hash } = new URL(/http:\S+/.exec(said)?.[0] ?? 'http:');
  const headers = { authorization: `Bearer ${hash.replace('#token=', '')}` };
  const answer = await fetch(`${origin}/v1/committee?as=operator1`, { headers });
  const { issued, redeemed, outstanding } = ((await answer.json()) as CommitteeDocument).view.assets?.[0] ?? {};
  return { issued, redeemed, outstanding };
}

describe('options of the deployed demonstration', () => {
  it('are 2 of 3 unless said otherwise, with one to spare; from 6 on two', () => {
    expect(deployedTokenOptions([])).toEqual({
      terms: { services: 3, threshold: 2, tolerated: 0 },
      reveal: false,
      count: false,
    });
    expect(deployedTokenOptions(['--services', '7', '--reveal', '--count'])).toEqual({
      terms: { services: 7, threshold: 5, tolerated: 2 },
      reveal: true,
      count: true,
    });
    expect(deployedTokenOptions(['--services', '7', '--threshold', '6']).terms).toEqual({
      services: 7,
      threshold: 6,
      tolerated: 4,
    });
  });

  it.each([
    [['--services', '2'], /^--services: expected a whole number from 3 to 9, got "2"$/],
    [['--services', '4', '--threshold', '2'], /^--threshold: expected 2t > n \+ f, .*; got t = 2, n = 4, f = 0$/],
    [['--threshold', '3'], /^--threshold: expected at most 2 of 3, for one service is silent; got 3$/],
    [
      ['--seed', 'x'],
      /^tokens: expected --services <n>, --threshold <t>, --json, --reveal or --count, got "--seed x"$/,
    ],
    [['more'], /^tokens: expected .*, got "more"$/],
  ])('refuse %j in one sentence', (args, sentence) => {
    expect(refusal(() => deployedTokenOptions(args))).toMatch(sentence);
  });
});

describe('the demonstration of tokens', () => {
  it('with one service to spare, one lies and another is silent afterwards, and both are named', async () => {
    const out: string[] = [];
    const terms = { services: 3, threshold: 2, tolerated: 0 };
    const options = { ...terms, json: true, reveal: true, seed: undefined, console: false, port: 0 };
    const quiet = { write: () => true };
    const status = await demoTokens(options, {
      stdout: { write: (text) => out.push(text) },
      stderr: quiet,
      environment: {},
    });
    const report = JSON.parse(out.join(''));
    expect(report.failures).toBeUndefined();
    expect(status).toBe(0);
    expect(report.named).toEqual({ lying: [2], silent: [3] });
    expect(report.refusals).toEqual([expect.objectContaining({ reason: 'Spent', services: [1, 2, 3] })]);
    expect(verified(report)).toBe(true);
  }, 300_000);

  it('ends with a supply that adds up, everybody named, and credentials that another library verifies', async () => {
    const out: string[] = [];
    const said: string[] = [];
    const options = tokenDemoOptions({ services: '6', seed: 'test', json: true, reveal: true, console: true });
    let seen: unknown;
    const status = await demoTokens(options, {
      stdout: { write: (text) => out.push(text) },
      stderr: { write: (text) => said.push(text) },
      environment: {},
      until: async () => {
        seen = await supplyAt(said.join(''));
      },
    });
    expect(seen).toEqual({ issued: '100', redeemed: '30', outstanding: '70' });
    expect(said.join('')).toContain('her wallet dies');
    const report = JSON.parse(out.join(''));
    expect(report.failures).toBeUndefined();
    expect(status).toBe(0);
    expect(report.supply).toEqual({ issued: '100', redeemed: '30', outstanding: '70' });
    expect(report.refusals).toEqual([expect.objectContaining({ reason: 'Spent' })]);
    expect(report.named).toEqual({ lying: [5], silent: [6] });
    expect(verified(report)).toBe(true);

    const [first, ...others] = report.credentials;
    const worth = (attributes: string[]) => ({ ...report, credentials: [{ ...first, attributes }, ...others] });
    const [serial, value] = first.attributes;
    expect(verified(worth([value, serial]))).toBe(false);
    expect(verified({ ...report, credentials: [{ ...first, s: first.h }, ...others] })).toBe(false);
    expect(verified({ ...report, credentials: others })).toBe(false);
    expect(verified({ ...report, supply: { ...report.supply, redeemed: '29' } })).toBe(false);
  }, 300_000);

  it('says that a supply does not add up', () => {
    expect(isBalanced({ issued: 100n, redeemed: 30n, outstanding: 71n })).toBe(false);
  });
});
