/** Keys of every row that a signing service writes (`formats.md`, "DynamoDB keys"). None of them ever expires. */
import type { Hex } from '../messages/hex.ts';
import type { Item, Key } from '../ports.ts';
import { encodeState, type SerialState } from './serial.ts';

// Serials
/** A deposit's id is spent once in all epochs; a tag belongs to its epoch, whose key it was issued under. */
export type Consumed =
  | { readonly kind: 'tag'; readonly asset: string; readonly epoch: number; readonly tag: Hex }
  | { readonly kind: 'deposit'; readonly depositId: Hex };

export function serialKey(of: Consumed): Key {
  const pk = of.kind === 'tag' ? `T#${of.asset}#${of.epoch}#${of.tag}` : `D#${of.depositId}`;
  return { pk, sk: 'STATE' };
}
export const serialItem = (of: Consumed, state: Exclude<SerialState, { kind: 'free' }>): Item => ({
  ...serialKey(of),
  state: encodeState(state),
});
/** What the depositors' keys have brought in so far, by this service's votes. */
export const depositedKey = (asset: string, epoch: number): Key => ({ pk: `CAP#${asset}#${epoch}`, sk: 'TOTAL' });
/** Two certificates for one serial were seen: the service is silent for the rest of the epoch. */
export const quorumBrokenKey = (asset: string, epoch: number): Key => ({ pk: `BROKEN#${asset}#${epoch}`, sk: 'STATE' });

// Issuance
const transactionPartition = (id: Hex): string => `X#${id}`;
/** Bytes and own vote. */
export const transactionKey = (id: Hex): Key => ({ pk: transactionPartition(id), sk: 'TRANSACTION' });
export const certificateKey = (id: Hex): Key => ({ pk: transactionPartition(id), sk: 'CERTIFICATE' });
export const signaturesKey = (id: Hex): Key => ({ pk: transactionPartition(id), sk: 'SIGNATURES' });
/** The client was told of the withdrawal. */
export const announcedKey = (id: Hex): Key => ({ pk: transactionPartition(id), sk: 'ANNOUNCED' });
/** Two certificates for one serial: the proof that the quorum is broken, kept for the people who must now talk to each other. */
export const brokenKey = (id: Hex, other: Hex): Key => ({ pk: transactionPartition(id), sk: `BROKEN#${other}` });
/**
 * In which transactions an output is: more than one, if someone pays twice for one credential, or puts another's marker beside outputs of its own. Those that are certified have a second
 * row, and are told first: whoever fills the first list with transactions that it never finishes hides nothing that is paid.
 */
export const outputPartition = (output: Hex, certified: boolean): string => `${certified ? 'P' : 'O'}#${output}`;
export const outputKey = (output: Hex, id: Hex, certified: boolean): Key => ({
  pk: outputPartition(output, certified),
  sk: id,
});

/** Certificates in the order of their spending, an hour to a partition, so that a peer can ask for what came after a time. */
export const LOG_SECONDS = 3_600;
export const logPartition = (asset: string, epoch: number, at: number): string =>
  `L#${asset}#${epoch}#${Math.floor(at / LOG_SECONDS)}`;
/** Sorts before every row of its second, and behind all of the one before. */
export const logSecond = (at: number): string => `${at}`.padStart(12, '0');
export const logKey = (asset: string, epoch: number, at: number, id: Hex): Key => ({
  pk: logPartition(asset, epoch, at),
  sk: `${logSecond(at)}#${id}`,
});
/** What the log said up to a time, added up. */
export const supplyKey = (asset: string, epoch: number): Key => ({ pk: `SUPPLY#${asset}#${epoch}`, sk: 'TALLY' });
/** How often each reason was answered. */
export const refusedKey = (asset: string, epoch: number): Key => ({ pk: `REFUSED#${asset}#${epoch}`, sk: 'TALLY' });
/** How far certificates were sent to the peers, or (with an index) have come from one; with 0, where the log begins. */
export const positionKey = (asset: string, epoch: number, peer?: number): Key => ({
  pk: gossipPartition(asset, epoch),
  sk: peer === undefined ? 'SENT' : `PEER#${indexText(peer)}`,
});
export const gossipPartition = (asset: string, epoch: number): string => `GOSSIP#${asset}#${epoch}`;
export const TOLD = 'TOLD#';
/** When a peer's service told of spent serials: at first (`since`) and last (`at`), seconds UTC by the own clock. */
export const toldKey = (asset: string, epoch: number, peer: number): Key => ({
  pk: gossipPartition(asset, epoch),
  sk: `${TOLD}${indexText(peer)}`,
});
const indexText = (index: number): string => `${index}`.padStart(3, '0');
