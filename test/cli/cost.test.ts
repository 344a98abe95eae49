/** The cost model against operations that are counted here, once more, and against the deployed count in `docs/costs.md`. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { costOf, keygenOperations, type Operations, signingOperations } from '../../lib/cli/cost.ts';
import { costText } from '../../lib/cli/cost-command.ts';
import { costPicture } from '../../lib/cli/cost-picture.ts';
import { dollarsText } from '../../lib/cli/text.ts';
import { countCeremonies } from './counted.ts';
import { coterie } from './embedded.ts';

const question = { operators: 3, threshold: 2, coins: 1, signaturesPerDay: 1_000, keysPerMonth: 0 };

describe('the counts', () => {
  it.each([
    [3, 2],
    [5, 3],
    [7, 5],
  ])('of %i operators, %i of whom sign, are those of an embedded committee', async (n, t) => {
    const { keygen, signing } = await countCeremonies(n, t);
    const pairs: [Operations, Operations][] = [
      [keygen, keygenOperations(n, t)],
      [signing, signingOperations(n, t)],
    ];
    for (const [counted, modelled] of pairs) {
      expect(modelled.messages).toBe(counted.messages);
      for (const [name, tolerance] of [
        ['kmsCalls', 0.25],
        ['writeUnits', 0.15],
        ['readUnits', 0.2],
      ] as const) {
        expect(modelled[name] / counted[name], name).toBeGreaterThan(1 - tolerance);
        expect(modelled[name] / counted[name], name).toBeLessThan(1 + tolerance);
      }
    }
  });

  it('give the price of the deployed committee that docs/costs.md reports', () => {
    const text = readFileSync(new URL('../../docs/costs.md', import.meta.url), 'utf8');
    const reported = (what: string) => Number(new RegExp(`\\| one ${what}[^\\n]*\\$([0-9.]+) \\|`).exec(text)?.[1]);
    const { oneKey, oneSignature } = costOf(question);
    expect(oneKey / reported('key generation')).toBeCloseTo(1, 1);
    expect(oneSignature / reported('signature')).toBeCloseTo(1, 1);
  });
});

describe('the sum', () => {
  it('is its lines; what is fixed does not depend on use, and grows with operators and coins', () => {
    const cost = costOf(question);
    expect(cost.committee).toBeCloseTo(
      cost.lines.reduce((sum, { dollars }) => sum + dollars, 0),
      10,
    );
    expect(cost.operator).toBeCloseTo(cost.committee / 3, 10);
    const fixed = (of: ReturnType<typeof costOf>) =>
      of.lines.filter(({ kind }) => kind === 'fixed').map(({ dollars }) => dollars);
    expect(fixed(costOf({ ...question, signaturesPerDay: 0 }))).toEqual(fixed(cost));
    expect(fixed(costOf({ ...question, coins: 2 }))[0]).toBe(18);
    expect(cost.atMost).toBeGreaterThan(cost.committee);
  });

  it('says where it is extrapolated', () => {
    expect(costOf({ ...question, operators: 21, threshold: 11 }).notes.join()).toContain('extrapolated');
    expect(costOf({ ...question, operators: 20, threshold: 11 }).notes.join()).not.toContain('extrapolated');
  });

  it('is told in dollars that never look like nothing', () => {
    expect([0, 0.00036, 0.0123, 0.1, 1, 1_234.5, 1_234_567].map(dollarsText)).toEqual([
      '$0.00',
      '$0.00036',
      '$0.012',
      '$0.10',
      '$1.00',
      '$1,234.50',
      '$1,234,567.00',
    ]);
    expect(costText(costOf(question))).toMatch(
      /^3 operators, any 2 sign, 1 coin, 1000 signatures a day: US dollars a month\n/,
    );
  });

  it('is drawn with a title and a description, each bar as long as its share', () => {
    const picture = costPicture(costOf(question));
    expect(picture).toMatch(/^<svg [^>]*role="img" aria-labelledby="title sum"/);
    const widths = [...picture.matchAll(/<rect class="(?:fixed|use)" x="190"[^>]* width="([0-9.]+)"/g)].map(
      ([, width]) => Number(width),
    );
    const { lines } = costOf(question);
    const dollars = lines.filter((line) => line.dollars > 0).map((line) => line.dollars);
    expect(widths).toHaveLength(dollars.length);
    for (const [i, width] of widths.entries())
      expect(width / Math.max(...widths)).toBeCloseTo((dollars[i] ?? 0) / Math.max(...dollars), 2);
  });
});

describe('the command', () => {
  const document = z.strictObject({
    v: z.literal(1),
    question: z.strictObject({
      operators: z.int(),
      threshold: z.int(),
      coins: z.int(),
      signaturesPerDay: z.int(),
      keysPerMonth: z.int(),
    }),
    lines: z.array(z.strictObject({ what: z.string(), dollars: z.number(), kind: z.enum(['fixed', 'use']) })),
    committee: z.number(),
    operator: z.number(),
    atMost: z.number(),
    oneSignature: z.number(),
    oneKey: z.number(),
    notes: z.array(z.string()),
  });

  it('prints one document with --json', async () => {
    const { status, stdout } = await coterie(['cost', '--operators', '5', '--json']);
    expect(status).toBe(0);
    expect(document.parse(JSON.parse(stdout)).question).toMatchObject({ operators: 5, threshold: 3, coins: 1 });
  });

  it.each([
    [['--operators', '1'], /--operators: expected a whole number from 2 to 100/],
    [['--operators', '3', '--threshold', '4'], /--threshold: expected a whole number from 1 to 3/],
    [['--coins', '0'], /--coins/],
    [['--signatures-per-day', '-1'], /--signatures-per-day/],
    [['--keys-per-month', 'many'], /--keys-per-month/],
  ])('refuses %j', async (args, sentence) => {
    const { status, stderr } = await coterie(['cost', ...args]);
    expect(status).toBe(2);
    expect(stderr).toMatch(sentence);
  });
});
