/** The cost model against operations that are counted here, once more, and against the deployed count in `docs/costs.md`. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  costOf,
  issueOperations,
  keygenOperations,
  type Operations,
  paymentOperations,
  signingOperations,
} from '../../lib/cli/cost.ts';
import { costText } from '../../lib/cli/cost-command.ts';
import { costPicture } from '../../lib/cli/cost-picture.ts';
import { dollarsText } from '../../lib/cli/text.ts';
import { countCeremonies } from './counted.ts';
import { countTokens } from './counted-tokens.ts';
import { coterie } from './embedded.ts';

const question = {
  operators: 3,
  threshold: 2,
  coins: 1,
  signaturesPerDay: 1_000,
  keysPerMonth: 0,
  assets: 0,
  paymentsPerDay: 0,
};

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

  it.each([
    [3, 2],
    [5, 4],
    [7, 5],
  ])('of %i services, %i of which issue, are those of an embedded network', async (n, t) => {
    const { deposit, payment, receipt } = await countTokens(n, t);
    const paid = Object.fromEntries(
      Object.entries(payment).map(([name, count]) => [name, count + receipt[name as keyof typeof receipt]]),
    ) as unknown as Operations;
    for (const [counted, modelled] of [
      [deposit, issueOperations(n)],
      [paid, paymentOperations(n)],
    ] as const) {
      expect([modelled.messages, modelled.kmsCalls]).toEqual([counted.messages, counted.kmsCalls]);
      expect(Math.abs(modelled.writeUnits / counted.writeUnits - 1)).toBeLessThan(0.1);
      expect(Math.abs(modelled.readUnits / counted.readUnits - 1)).toBeLessThan(0.15);
    }
  });

  it('give the price of the deployed committee that docs/costs.md reports', () => {
    const text = readFileSync(new URL('../../docs/costs.md', import.meta.url), 'utf8');
    const reported = (what: string) => Number(new RegExp(`\\| one ${what}[^\\n]*\\$([0-9.]+) \\|`).exec(text)?.[1]);
    const { oneKey, oneSignature } = costOf(question);
    expect(oneKey / reported('key generation')).toBeCloseTo(1, 1);
    expect(oneSignature / reported('signature')).toBeCloseTo(1, 1);
  });

  it('give the price of the deployed services that docs/costs.md reports', () => {
    const text = readFileSync(new URL('../../docs/costs.md', import.meta.url), 'utf8');
    const reported = (what: string) => Number(new RegExp(`\\| one ${what}[^\\n]*\\$([0-9.]+) \\|`).exec(text)?.[1]);
    const { oneIssue, onePayment } = costOf({ ...question, operators: 7, threshold: 5, assets: 1 });
    expect(oneIssue / reported('deposit, 5 of 7')).toBeCloseTo(1, 1);
    expect(onePayment / reported('payment and its receipt, 5 of 7')).toBeCloseTo(1, 1);
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

  it('has a stack’s keys and queues, and the payments, for each asset', () => {
    const [none, one] = [costOf(question), costOf({ ...question, assets: 1, paymentsPerDay: 1_000 })];
    const dollars = (of: typeof none, what: string) => of.lines.find((line) => line.what === what)?.dollars ?? 0;
    expect(dollars(one, 'KMS keys') - dollars(none, 'KMS keys')).toBe(3 * 2);
    expect(dollars(one, 'polling of quiet queues')).toBeGreaterThan(dollars(none, 'polling of quiet queues'));
    expect(dollars(one, 'payments')).toBeCloseTo(1_000 * 30.4 * one.onePayment, 10);
    expect(none.lines.map(({ what }) => what)).not.toContain('payments');
    expect(costText(one)).toMatch(/1000 signatures a day, 1 asset, 1000 payments a day: .*one payment \$/s);
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
      assets: z.int(),
      paymentsPerDay: z.int(),
    }),
    lines: z.array(z.strictObject({ what: z.string(), dollars: z.number(), kind: z.enum(['fixed', 'use']) })),
    committee: z.number(),
    operator: z.number(),
    atMost: z.number(),
    oneSignature: z.number(),
    oneKey: z.number(),
    onePayment: z.number(),
    oneIssue: z.number(),
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
    [['--coins', '0'], /--coins: expected a coin or an asset \(--assets\), got neither/],
    [['--assets', 'usd'], /--assets: expected a whole number from 0 to 16/],
    [['--payments-per-day', '5'], /--payments-per-day: expected an asset that is paid with \(--assets 1\), got none/],
    [['--operators', '40', '--assets', '1'], /--operators: expected at most 31 for an asset, got 40/],
    [['--signatures-per-day', '-1'], /--signatures-per-day/],
    [['--keys-per-month', 'many'], /--keys-per-month/],
  ])('refuses %j', async (args, sentence) => {
    const { status, stderr } = await coterie(['cost', ...args]);
    expect(status).toBe(2);
    expect(stderr).toMatch(sentence);
  });
});
