/** What comes before its ceremony is authorised here: kept, within bounds for each peer, and neither timed nor computed with. */
import type { Hex } from '../messages/hex.ts';
import { type CeremonyParameters, ceremonyId } from '../messages/parameters.ts';
import type { Item } from '../ports.ts';
import { advance } from './advance.ts';
import { MAX_LIFE_SECONDS, PUBLIC_TTL_SECONDS, STRAY_TTL_SECONDS } from './lifetimes.ts';
import { loadState } from './load.ts';
import type { Processor } from './node.ts';
import { askedKey, inboundPartition, requestKey, strayPartition } from './rows.ts';

/** Strays, bounded: this many ceremonies for each peer, this long. */
const STRAY_CEREMONIES = 16;
/** Two operators' clocks may differ by this much. */
const SKEW_SECONDS = 600;

/** Only the first message of each kind is kept, if its parameters give its ceremony's id. @returns why it is not, or nothing */
export async function admitStray(
  node: Processor,
  ceremony: Hex,
  from: number,
  parameters: CeremonyParameters,
): Promise<string | undefined> {
  if (ceremonyId(parameters) !== ceremony) return 'the parameters do not give this ceremony';
  const now = node.now();
  if (parameters.expiresAt <= now) return 'expired';
  // What a peer can make this operator keep would otherwise have no end.
  if (parameters.expiresAt > now + MAX_LIFE_SECONDS + SKEW_SECONDS) return 'expires later than any ceremony may';
  const partition = strayPartition(from);
  const known = await liveStrays(node, partition, now);
  if (!known.some((row) => row.sk === ceremony)) {
    if (known.length >= STRAY_CEREMONIES && !(await releaseAuthorised(node, known)))
      return 'too many unauthorised ceremonies of this peer';
    const item = { pk: partition, sk: ceremony, parameters: JSON.stringify(parameters), ttl: now + STRAY_TTL_SECONDS };
    await node.ports.store.write({ kind: 'put', table: 'Ceremonies', item });
  }
  const { kind, requestId, expiresAt } = parameters;
  const asked = { ...askedKey(kind, requestId, from), ceremony, ttl: expiresAt + STRAY_TTL_SECONDS };
  await node.ports.store.write({ kind: 'put', table: 'Ceremonies', item: asked });
  await wakeContradicted(node, parameters, ceremony);
  return undefined;
}

async function liveStrays(node: Processor, partition: string, now: number): Promise<Item[]> {
  const rows = await node.ports.store.query('Ceremonies', partition);
  return rows.filter((row) => (row['ttl'] as number) > now);
}

/** Ceremonies that run here by now count no longer: an operator that is always the last to authorise would otherwise stop listening. @returns whether there were any */
async function releaseAuthorised(node: Processor, known: readonly Item[]): Promise<boolean> {
  let released = false;
  for (const row of known) {
    if (!(await loadState(node, row.sk as Hex))) continue;
    await node.ports.store.write({ kind: 'put', table: 'Ceremonies', item: { ...row, ttl: node.now() } });
    released = true;
  }
  return released;
}

/** A ceremony that runs here under the same request id, with other parameters, is told: at once, for a `Wake` would go on until it ends, one for each time that a peer says it. */
async function wakeContradicted(
  node: Processor,
  { kind, requestId }: CeremonyParameters,
  ceremony: Hex,
): Promise<void> {
  const row = await node.ports.store.get('Ceremonies', requestKey(kind, requestId));
  const running = row?.['ceremony'];
  if (typeof running !== 'string' || running === ceremony) return;
  await advance(node, running as Hex);
}

/** The ceremony begins: what came before it lives as long as it does, and not as long as a stray. */
export async function keepStrays(node: Processor, ceremony: Hex, parameters: CeremonyParameters): Promise<void> {
  const { kind, expiresAt } = parameters;
  // Strays that the ceremony outlives are rare: by default a ceremony takes minutes.
  if (expiresAt < node.now() + STRAY_TTL_SECONDS / 2) return;
  const type = kind === 'keygen' ? 'EncryptedPublicKey' : 'NonceCommitment';
  const ttl = expiresAt + PUBLIC_TTL_SECONDS;
  for (const row of await node.ports.store.query('Ceremonies', inboundPartition(ceremony, type))) {
    if ((row['ttl'] as number) > expiresAt) continue;
    const { members } = row;
    // A count is added to by others at the same time; a statement is written once.
    const key = { pk: row.pk, sk: row.sk };
    if (members instanceof Set)
      await node.ports.store.addToSet('Ceremonies', key, members as ReadonlySet<number>, { ttl });
    else await node.ports.store.write({ kind: 'put', table: 'Ceremonies', item: { ...row, ttl } });
  }
}
