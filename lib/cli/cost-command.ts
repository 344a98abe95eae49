/** `coterie cost`: offline, from counts and prices that are in the package. */
import { renameSync, writeFileSync } from 'node:fs';
import { type Cost, costOf } from './cost.ts';
import { costPicture } from './cost-picture.ts';
import { STATUS, type Status } from './exit-status.ts';
import { dollarsText, table } from './text.ts';
import { smallestMajority, wholeNumber } from './usage.ts';

export interface CostOptions {
  readonly operators: string;
  readonly threshold?: string;
  readonly coins: string;
  readonly signaturesPerDay: string;
  readonly keysPerMonth: string;
  readonly json?: boolean;
  readonly svg?: string;
}

export function cost(options: CostOptions): Status {
  const operators = wholeNumber('--operators', options.operators, 2, 100);
  const answer = costOf({
    operators,
    threshold:
      options.threshold === undefined
        ? smallestMajority(operators)
        : wholeNumber('--threshold', options.threshold, 1, operators),
    coins: wholeNumber('--coins', options.coins, 1, 16),
    signaturesPerDay: wholeNumber('--signatures-per-day', options.signaturesPerDay, 0, 100_000_000),
    keysPerMonth: wholeNumber('--keys-per-month', options.keysPerMonth, 0, 1_000_000),
  });
  if (options.svg !== undefined) {
    writeFileSync(`${options.svg}.partial`, costPicture(answer));
    renameSync(`${options.svg}.partial`, options.svg);
  }
  process.stdout.write(options.json ? `${JSON.stringify({ v: 1, ...answer })}\n` : `${costText(answer)}\n`);
  return STATUS.ok;
}

export function costText({ question, lines, committee, operator, atMost, oneSignature, oneKey, notes }: Cost): string {
  const { operators, threshold, coins, signaturesPerDay } = question;
  const row = (what: string, dollars: number, kind = '') => [
    what,
    dollarsText(dollars).padStart(12),
    dollarsText(dollars / operators).padStart(12),
    kind,
  ];
  return [
    `${operators} operators, any ${threshold} sign, ${coins} coin${coins === 1 ? '' : 's'}, ${signaturesPerDay} signatures a day: US dollars a month`,
    ...table([
      ['', 'committee'.padStart(12), 'an operator'.padStart(12), ''],
      ...lines.map(({ what, dollars, kind }) => row(what, dollars, kind === 'fixed' ? 'fixed' : 'by use')),
      row('together', committee),
    ]),
    '',
    `one signature ${dollarsText(oneSignature)}, one key ${dollarsText(oneKey)}, by all operators together; ${dollarsText(operator)} an operator and month, at most ${dollarsText(atMost / operators)} if every queue is busy`,
    ...notes.map((note) => `· ${note}`),
  ].join('\n');
}
