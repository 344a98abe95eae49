/** The documents of the page, from the rows of one operator. They only read. */
import { ceremonyAt } from './ceremony-commands.ts';
import type { CeremonyDocument, CommitteeDocument } from './console-document.ts';
import { costOf } from './cost.ts';
import type { Place, PlaceOperator } from './place.ts';
import { committeeViewAt } from './status-command.ts';

export async function committeeDocument(place: Place, operator: PlaceOperator): Promise<CommitteeDocument> {
  const view = await committeeViewAt(place, operator);
  const costs = view.coins.flatMap(({ coin, t, operators }) => {
    if (t === undefined || operators.length === 0) return [];
    const cost = costOf({
      operators: operators.length,
      threshold: t,
      coins: 1,
      signaturesPerDay: 0,
      keysPerMonth: 0,
      assets: 0,
      paymentsPerDay: 0,
    });
    const { oneSignature, oneKey, committee: quietMonth, notes } = cost;
    return [{ coin, operators: operators.length, threshold: t, oneSignature, oneKey, quietMonth, notes }];
  });
  return { view, costs };
}

/** @param id of the ceremony, or as much of it as is unique @throws {UsageError} */
export async function ceremonyDocument(place: Place, operator: PlaceOperator, id: string): Promise<CeremonyDocument> {
  const { view, evidence } = await ceremonyAt(place, operator, id);
  return { view, proofs: evidence };
}
