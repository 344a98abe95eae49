/** `coterie cost`: offline, from counts and prices that are in the package. */
import { MAX_SERVICES } from '../messages/parameters.ts';
import { type Cost, costOf } from './cost.ts';
import { costPicture } from './cost-picture.ts';
import { writeWhole } from './deploy-files.ts';
import { STATUS, type Status } from './exit-status.ts';
import { dollarsText, table } from './text.ts';
import { smallestMajority, UsageError, wholeNumber } from './usage.ts';

export interface CostOptions {
  readonly operators: string;
  readonly threshold?: string;
  readonly coins: string;
  readonly signaturesPerDay: string;
  readonly keysPerMonth: string;
  readonly assets: string;
  readonly paymentsPerDay: string;
  readonly json?: boolean;
  readonly svg?: string;
}

export function cost(options: CostOptions): Status {
  const operators = wholeNumber('--operators', options.operators, 2, 100);
  const coins = wholeNumber('--coins', options.coins, 0, 16);
  const assets = wholeNumber('--assets', options.assets, 0, 16);
  const paymentsPerDay = wholeNumber('--payments-per-day', options.paymentsPerDay, 0, 100_000_000);
  if (coins + assets === 0) throw new UsageError('--coins: expected a coin or an asset (--assets), got neither');
  if (assets > 0 && operators > MAX_SERVICES)
    throw new UsageError(`--operators: expected at most ${MAX_SERVICES} for an asset, got ${operators}`);
  if (assets === 0 && paymentsPerDay > 0)
    throw new UsageError(`--payments-per-day: expected an asset that is paid with (--assets 1), got none`);
  const answer = costOf({
    operators,
    threshold:
      options.threshold === undefined
        ? smallestMajority(operators)
        : wholeNumber('--threshold', options.threshold, 1, operators),
    coins,
    assets,
    paymentsPerDay,
    // Tokens alone sign nothing.
    signaturesPerDay: coins === 0 ? 0 : wholeNumber('--signatures-per-day', options.signaturesPerDay, 0, 100_000_000),
    keysPerMonth: wholeNumber('--keys-per-month', options.keysPerMonth, 0, 1_000_000),
  });
  // Who may change a picture is the umask's to say.
  if (options.svg !== undefined) writeWhole(options.svg, costPicture(answer), 0o666, '--svg');
  process.stdout.write(options.json ? `${JSON.stringify({ v: 1, ...answer })}\n` : `${costText(answer)}\n`);
  return STATUS.ok;
}

export function costText(cost: Cost): string {
  const { question, lines, committee, operator, atMost, oneSignature, oneKey, oneIssue, onePayment, notes } = cost;
  const { operators, threshold, coins, signaturesPerDay, assets, paymentsPerDay } = question;
  const row = (what: string, dollars: number, kind = '') => [
    what,
    dollarsText(dollars).padStart(12),
    dollarsText(dollars / operators).padStart(12),
    kind,
  ];
  return [
    `${operators} operators, any ${threshold} sign, ${coins} coin${coins === 1 ? '' : 's'}, ${signaturesPerDay} signatures a day${assets > 0 ? `, ${assets} asset${assets === 1 ? '' : 's'}, ${paymentsPerDay} payments a day` : ''}: US dollars a month`,
    ...table([
      ['', 'committee'.padStart(12), 'an operator'.padStart(12), ''],
      ...lines.map(({ what, dollars, kind }) => row(what, dollars, kind === 'fixed' ? 'fixed' : 'by use')),
      row('together', committee),
    ]),
    '',
    `one signature ${dollarsText(oneSignature)}, one key ${dollarsText(oneKey)}, by all operators together; ${dollarsText(operator)} an operator and month, at most ${dollarsText(atMost / operators)} if every queue is busy`,
    ...(assets > 0
      ? [`one token issued ${dollarsText(oneIssue)}, one payment ${dollarsText(onePayment)}, by all services together`]
      : []),
    ...notes.map((note) => `· ${note}`),
  ].join('\n');
}
