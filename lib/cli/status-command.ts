/** `coterie status`: at a glance, can the committee sign, how far is that from breaking, and what has to be done. */
import { viewCommittee } from '../view/committee.ts';
import { readCoin } from '../view/committee-rows.ts';
import type { AssetView, CoinView, CommitteeView } from '../view/committee-view.ts';
import { readAsset } from '../view/tokens-rows.ts';
import { STATUS } from './exit-status.ts';
import type { Place, PlaceOperator } from './place.ts';
import { atPlace, type PlaceOptions, readerAt } from './place-options.ts';
import { ago, short, table } from './text.ts';

/** @returns 0 if every coin can sign and every asset issue, 1 if one cannot */
export async function status(options: PlaceOptions): Promise<number> {
  return atPlace(options, async (place) => {
    const view = await committeeViewAt(place, readerAt(place, options.as));
    process.stdout.write(options.json ? `${JSON.stringify(view)}\n` : `${statusText(view, place.name)}\n`);
    const all = [...view.coins, ...(view.assets ?? []).map(({ service }) => service)];
    return all.every(({ health }) => health.canSign) ? STATUS.ok : STATUS.failed;
  });
}

/** One operator's whole view. */
export async function committeeViewAt(
  place: Place,
  { identity, coins, assets }: PlaceOperator,
): Promise<CommitteeView> {
  const now = await place.now();
  const read = (coin: string) => readCoin(coin, (segment) => place.reader(identity, segment), now);
  const [rows, services, deadLetters] = await Promise.all([
    Promise.all(coins.map(read)),
    Promise.all(assets.map(async (asset) => readAsset(await read(asset), place.reader(identity, asset), now))),
    // What cannot be counted is left out: the rest is still true.
    place.deadLetters(identity).catch(() => undefined),
  ]);
  const { file } = place;
  return viewCommittee({
    identity,
    coins: rows,
    assets: services,
    now,
    ...(file ? { configured: { policies: file.policies, committeeHash: file.committeeHash } } : {}),
    ...(deadLetters ? { deadLetters } : {}),
  });
}

const MARKS = { alarm: '✗', warning: '!', note: '·' } as const;

export function statusText(view: CommitteeView, at: string): string {
  const { operator, committee, coins, assets = [], findings, deadLetters, readAt } = view;
  const who = operator.index === undefined ? operator.identity : `operator ${operator.index} (${operator.identity})`;
  const lines = [`${who} at ${at}`];
  if (committee)
    lines.push(`committee ${short(committee.id)} on ${committee.network}, ${committee.operators.length} operators`);
  for (const coin of coins) lines.push(...coinLines(coin, readAt));
  for (const asset of assets) lines.push(...assetLines(asset, readAt));
  if (deadLetters) {
    const total = deadLetters.reduce((sum, { count }) => sum + count, 0);
    lines.push('', `${total} dead letter${total === 1 ? '' : 's'} in ${deadLetters.length} queues`);
  }
  if (findings.length > 0) lines.push('');
  for (const { level, coin, what, todo } of findings)
    lines.push(`${MARKS[level]} ${coin && !what.startsWith(`${coin}:`) ? `${coin}: ` : ''}${what}`, `    ${todo}`);
  return lines.join('\n');
}

function coinLines(coin: CoinView, readAt: number): string[] {
  const lines: string[] = [];
  const { health, operators, keys, open, recent } = coin;
  lines.push('', `${health.canSign ? '✓' : '✗'} ${health.sentence}`);
  lines.push(
    ...table(
      operators.map(({ index, identity, state, silentIn, lastHeardAt }) => [
        `${index}`,
        identity,
        silentIn === undefined ? state : `${state} (${silentIn})`,
        lastHeardAt === undefined ? '' : `heard ${ago(readAt - lastHeardAt)} ago`,
      ]),
    ),
  );
  lines.push(
    ...table(
      keys.map(({ keyId, status: how, address, t, signers }) => [
        'key',
        short(keyId),
        how,
        address ?? '',
        t && signers ? `${t} of ${signers.length}` : '',
      ]),
    ),
  );
  lines.push(...table([...open, ...recent.slice(0, 3)].map(({ ceremony, sentence }) => [short(ceremony), sentence])));
  return lines;
}

function assetLines({ service, issued, redeemed, outstanding, unseen, refused }: AssetView, readAt: number): string[] {
  return [
    ...coinLines(service, readAt),
    `issued ${issued}, redeemed ${redeemed}, outstanding ${outstanding}${unseen > 0 ? `; ${unseen} transactions were not seen here` : ''}`,
    ...(refused.length > 0 ? [`refused: ${refused.map(({ reason, count }) => `${reason} ${count}`).join(', ')}`] : []),
  ];
}
