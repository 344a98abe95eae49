/** An embedded operator's rows, for views: as a place would read them. */
import { identityOf } from '../../lib/local/committee.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { type Beholder, viewCeremony } from '../../lib/view/ceremony.ts';
import { readCeremony } from '../../lib/view/ceremony-rows.ts';
import { type CeremonyView, ceremonyView } from '../../lib/view/ceremony-view.ts';
import { viewCommittee } from '../../lib/view/committee.ts';
import { readCoin } from '../../lib/view/committee-rows.ts';
import { type CommitteeView, committeeView } from '../../lib/view/committee-view.ts';
import type { Reader } from '../../lib/view/reader.ts';
import { type AssetRows, readAsset } from '../../lib/view/tokens-rows.ts';
import type { NodeWorld } from '../node/world.ts';

export function readerOf(world: NodeWorld, operator: number, segment: string): Reader {
  const namespace = `${identityOf(operator)}/${segment}`;
  const store = world.cloud.store(namespace);
  return {
    get: (table, key) => store.get(table, key),
    query: (table, pk, prefix, page) => store.query(table, pk, prefix, page),
    states: async (which, limit) =>
      world.cloud.inspect
        .items(namespace, 'Ceremonies')
        .filter(({ sk, wakeAt }) => sk === 'STATE' && (which === 'all' || wakeAt !== undefined))
        .slice(0, limit),
  };
}

/** Every view passes its own schema. */
export async function committeeSeenBy(world: NodeWorld, operator: number): Promise<CommitteeView> {
  const now = world.committee.now();
  const read = (name: string) => readCoin(name, (segment) => readerOf(world, operator, segment), now);
  const coin = await read(world.coin);
  const assets: AssetRows[] = [];
  for (const asset of Object.keys(world.committee.options.assets ?? {}))
    assets.push(await readAsset(await read(asset), readerOf(world, operator, asset), now));
  return committeeView.parse(viewCommittee({ identity: identityOf(operator), coins: [coin], assets, now }));
}

export async function ceremonySeenBy(world: NodeWorld, operator: number, ceremony: Hex): Promise<CeremonyView> {
  const rows = await readCeremony(readerOf(world, operator, world.coin), ceremony);
  if (!rows) throw new Error(`operator ${operator} has no ceremony ${ceremony}`);
  const beholder: Beholder = { committee: world.committee.committee, self: operator, now: world.committee.now() };
  return ceremonyView.parse(viewCeremony(rows, beholder));
}

/** The operator's only coin. */
export function onlyCoin(view: CommitteeView): CommitteeView['coins'][number] {
  const [coin] = view.coins;
  if (!coin) throw new Error('expected one coin, got none');
  return coin;
}
