/** The keys of one coin, without reading the whole table of ceremonies where that can be helped: on AWS it is read page by page, and paid for. */
import type { Hex } from '../messages/hex.ts';
import { type CoinRows, readCoin } from '../view/committee-rows.ts';
import type { Place, PlaceOperator } from './place.ts';

/**
 * The coordinator's directory knows the keys that were announced to it. What is not there yet, or not any more, is found with the ceremony that made it.
 * @param need a key that must be found; `order`: when each was made; nothing: any key will do
 */
export async function keysAt(
  place: Place,
  { identity }: PlaceOperator,
  coin: string,
  need?: Hex | 'order',
): Promise<CoinRows> {
  const now = await place.now();
  const read = (which: 'open' | 'all') => readCoin(coin, (segment) => place.reader(identity, segment), now, which);
  if (need === 'order') return read('all');
  const rows = await read('open');
  const found = rows.keys.some(({ keyId, status }) => status === 'certified' && (need === undefined || keyId === need));
  return found ? rows : read('all');
}
