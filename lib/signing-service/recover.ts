/**
 * `RecoverIssued`: the stored answers, for a wallet that was restored from its seed. It knows the tags of what it had and the outputs that it asked for, and nothing else; what is
 * stored here it gets back, as far as it has come: a transaction that is only locked may be finished by whoever holds its bytes.
 */
import { createHash } from 'node:crypto';
import { type Hex, toHex } from '../messages/hex.ts';
import type { Issued, RecoveryPlace, Vote } from '../messages/tokens.ts';
import type { Item, Store } from '../ports.ts';
import { parseCertificateBytes } from './certificate.ts';
import { certificateKey, outputPartition, serialKey, signaturesKey, transactionKey } from './rows.ts';
import { decodeState } from './serial.ts';

/**
 * Transactions of one answer. Anybody can put an output that it has seen into transactions of its own: what is stored under one has no bound, and the work of a call has. The asker goes on
 * where it ended, so that nothing that is stored is out of reach.
 */
export const TRANSACTIONS_AN_ANSWER = 32;

export type RecoverBy =
  | { readonly tags: readonly Hex[] }
  | { readonly outputs: readonly Hex[]; readonly after?: RecoveryPlace | undefined };

export interface Recovered {
  /** Each transaction once; unknown tags and outputs are left out. */
  readonly issued: readonly Issued[];
  /** Where more begins. */
  readonly next?: RecoveryPlace;
}

export async function recover(store: Store, asset: string, epoch: number, by: RecoverBy): Promise<Recovered> {
  const { ids, next } =
    'tags' in by ? { ids: await byTags(store, asset, epoch, by.tags), next: undefined } : await byOutputs(store, by);
  const found: Issued[] = [];
  for (const id of ids) {
    const rows = await store.batchGet('Issuance', [transactionKey(id), certificateKey(id), signaturesKey(id)]);
    const issued = issuedIn(id, rows);
    if (issued) found.push(issued);
  }
  return { issued: found, ...(next ? { next } : {}) };
}

async function byTags(store: Store, asset: string, epoch: number, tags: readonly Hex[]): Promise<readonly Hex[]> {
  const keys = [...new Set(tags)].map((tag) => serialKey({ kind: 'tag', asset, epoch, tag }));
  const states = (await store.batchGet('Serials', keys)).map((row) => decodeState(row['state']));
  return [...new Set(states.flatMap((state) => (state.kind === 'free' ? [] : [state.by])))];
}

interface Page {
  readonly ids: readonly Hex[];
  readonly next: RecoveryPlace | undefined;
}

/** List after list, from where the last answer ended. An `after` that names none of the outputs begins anew: it costs the asker, and nobody else. */
async function byOutputs(
  store: Store,
  { outputs, after }: { readonly outputs: readonly Hex[]; readonly after?: RecoveryPlace | undefined },
): Promise<Page> {
  const distinct = [...new Set(outputs)];
  const lists = [true, false].flatMap((certified) => distinct.map((output) => ({ certified, output })));
  const from = lists.findIndex(({ certified, output }) => certified === after?.certified && output === after.output);
  const ids = new Set<Hex>();
  let told = 0;
  for (const [i, { certified, output }] of lists.slice(Math.max(from, 0)).entries()) {
    const left = TRANSACTIONS_AN_ANSWER - told;
    // One more than is told says whether there is more.
    const rows = await store.query('Issuance', outputPartition(output, certified), '', {
      after: i === 0 && from >= 0 ? after?.transaction : undefined,
      limit: left + 1,
    });
    const page = rows.slice(0, left).map(({ sk }) => sk as Hex);
    for (const id of page) ids.add(id);
    told += page.length;
    if (rows.length > left)
      return { ids: [...ids], next: { certified, output, transaction: page.at(-1) ?? BEFORE_ALL } };
  }
  return { ids: [...ids], next: undefined };
}

/** No transaction has this id: it sorts before all. */
const BEFORE_ALL: Hex = `0x${'00'.repeat(32)}`;

function issuedIn(id: Hex, rows: readonly Item[]): Issued | undefined {
  const row = (sk: string): Item | undefined => rows.find((each) => each.sk === sk);
  const transaction = row(transactionKey(id).sk);
  // A certificate that came from a peer names a transaction which is not here: whoever asks finds it at another service.
  if (!(transaction?.['bytes'] instanceof Uint8Array)) return undefined;
  const vote = transaction['vote'];
  const signature = transaction['signature'];
  const bytes = row(certificateKey(id).sk)?.['bytes'];
  const certificate = bytes instanceof Uint8Array ? parseCertificateBytes(bytes) : undefined;
  const signatures = row(signaturesKey(id).sk)?.['signatures'];
  return {
    transaction: toHex(transaction['bytes']),
    ...(typeof vote === 'string' && typeof signature === 'string'
      ? { vote: { vote: JSON.parse(vote) as Vote, signature: signature as Hex } }
      : {}),
    ...(certificate ? { certificate } : {}),
    ...(Array.isArray(signatures) ? { signatures: signatures as Hex[] } : {}),
  };
}

/** What tells the parts of one answer from those of another. SHA-256, 32 bytes. */
export function listOf(issued: readonly Issued[]): Hex {
  return toHex(createHash('sha256').update(JSON.stringify(issued)).digest());
}

/** In the order found, as many to an answer as fit; at least one answer, so that a wallet knows that nothing is here. @param most bytes of one */
export function parted(issued: readonly Issued[], most: number): readonly (readonly Issued[])[] {
  const parts: Issued[][] = [[]];
  let size = 0;
  for (const each of issued) {
    const bytes = JSON.stringify(each).length;
    if (size + bytes > most && size > 0) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)?.push(each);
    size += bytes;
  }
  return parts;
}
