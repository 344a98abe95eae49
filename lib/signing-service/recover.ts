/**
 * `RecoverIssued`: the stored answers, for a wallet that was restored from its seed. It knows the tags of what it had and the outputs that it asked for, and nothing else; what is
 * stored here it gets back, as far as it has come: a transaction that is only locked may be finished by whoever holds its bytes.
 */
import { type Hex, toHex } from '../messages/hex.ts';
import type { Issued, Vote } from '../messages/tokens.ts';
import type { Item, Store } from '../ports.ts';
import { parseCertificateBytes } from './certificate.ts';
import { certificateKey, outputPartition, serialKey, signaturesKey, transactionKey } from './rows.ts';
import { decodeState } from './serial.ts';

/** Of one output: each is a transaction that somebody paid for. */
const TRANSACTIONS_AN_OUTPUT = 4;

export type RecoverBy = { readonly tags: readonly Hex[] } | { readonly outputs: readonly Hex[] };

/** @returns what is stored, each transaction once; unknown tags and outputs are left out */
export async function recover(store: Store, asset: string, epoch: number, by: RecoverBy): Promise<readonly Issued[]> {
  const ids = 'tags' in by ? await byTags(store, asset, epoch, by.tags) : await byOutputs(store, by.outputs);
  const found: Issued[] = [];
  for (const id of ids) {
    const rows = await store.batchGet('Issuance', [transactionKey(id), certificateKey(id), signaturesKey(id)]);
    const issued = issuedIn(id, rows);
    if (issued) found.push(issued);
  }
  return found;
}

async function byTags(store: Store, asset: string, epoch: number, tags: readonly Hex[]): Promise<readonly Hex[]> {
  const keys = [...new Set(tags)].map((tag) => serialKey({ kind: 'tag', asset, epoch, tag }));
  const states = (await store.batchGet('Serials', keys)).map((row) => decodeState(row['state']));
  return [...new Set(states.flatMap((state) => (state.kind === 'free' ? [] : [state.by])))];
}

async function byOutputs(store: Store, outputs: readonly Hex[]): Promise<readonly Hex[]> {
  const ids = new Set<Hex>();
  for (const output of new Set(outputs)) {
    const rows = await store.query('Issuance', outputPartition(output));
    for (const { sk } of rows.slice(0, TRANSACTIONS_AN_OUTPUT)) ids.add(sk as Hex);
  }
  return [...ids];
}

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
