/** Which tables a service's locks and answers are in: a restored or copied table has another identity. */
import type { Store } from '../ports.ts';

export async function tablesOf(store: Pick<Store, 'tableId'>): Promise<string> {
  const [serials, issuance] = await Promise.all([store.tableId('Serials'), store.tableId('Issuance')]);
  return `${serials} ${issuance}`;
}
