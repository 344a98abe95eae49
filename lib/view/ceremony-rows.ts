/** The rows of one ceremony, read and decoded: headers of statements only, whatever they say. */
import type { Evidence } from '../messages/evidence.ts';
import type { Hex } from '../messages/hex.ts';
import { STATEMENT_TYPES, type StatementType } from '../messages/statement.ts';
import { evidenceIn } from '../node/evidence-row.ts';
import type { CeremonyState } from '../node/load.ts';
import { ceremonyPartition, inboundPartition, stateKey } from '../node/rows.ts';
import type { Item } from '../ports.ts';
import type { Reader } from './reader.ts';

export const KEYGEN_TYPES = [
  'EncryptedPublicKey',
  'EncryptedKeyGenCommitment',
  'EncryptedKeyShare',
  'KeyGenVerdict',
  'KeyGenEvidence',
  'KeyGenCertificate',
] as const satisfies readonly StatementType[];
export const SIGNING_TYPES = [
  'NonceCommitment',
  'SigningPackage',
  'SignatureShare',
  'Signature',
] as const satisfies readonly StatementType[];

export interface StateRow {
  readonly state: CeremonyState;
  /** Milliseconds UTC of its last change. */
  readonly at: number | undefined;
}

/** What is known of a statement without looking into it. */
export interface Said {
  readonly type: StatementType;
  readonly slot: string;
  readonly from: number;
  /** 0: everybody. */
  readonly to: number;
  readonly sealed: boolean;
  readonly at: number | undefined;
}

export interface CeremonyRows {
  readonly ceremony: Hex;
  readonly state: StateRow;
  /** Recorded here: peers' statements, and own ones that this operator must hear, too. */
  readonly heard: readonly Said[];
  /** In the outbox; a sealed one stands here once for each reader. */
  readonly sent: readonly Said[];
  readonly evidence: readonly { readonly index: number; readonly evidence: Evidence }[];
}

/** A ceremony that goes on may have changed again each time; one that has ended does not. */
const MOST_LOOKS = 3;

/**
 * Rows and state of one moment, as far as a few looks find one: of two moments, an outcome would stand there without the proof that came with it.
 * @returns nothing if this operator has no such ceremony
 */
export async function readCeremony(reader: Reader, ceremony: Hex): Promise<CeremonyRows | undefined> {
  const known = await readState(reader, ceremony);
  if (!known) return undefined;
  for (let looks = 1, before = JSON.stringify(known.state); ; looks++) {
    const rows = await readRows(reader, ceremony, known);
    const after = JSON.stringify(rows.state.state);
    if (after === before || looks === MOST_LOOKS) return rows;
    before = after;
  }
}

async function readRows(reader: Reader, ceremony: Hex, known: StateRow): Promise<CeremonyRows> {
  const partition = ceremonyPartition(ceremony);
  const [heard, outbox, proofs] = await Promise.all([
    readHeard(reader, ceremony, known.state.kind),
    reader.query('Ceremonies', partition, 'OUT#'),
    readEvidence(reader, ceremony),
  ]);
  // Last, so that nothing lies there that the state does not know of yet.
  const state = (await readState(reader, ceremony)) ?? known;
  return { ceremony, state, heard, sent: outbox.flatMap(sentOf), evidence: proofs };
}

/** The proofs that are stored with a ceremony. */
export async function readEvidence(reader: Reader, ceremony: Hex): Promise<CeremonyRows['evidence']> {
  return (await reader.query('Ceremonies', ceremonyPartition(ceremony), 'EVIDENCE#')).flatMap(proofOf);
}

async function readState(reader: Reader, ceremony: Hex): Promise<StateRow | undefined> {
  const item = await reader.get('Ceremonies', stateKey(ceremony));
  return item && stateRow(item);
}

/** What was recorded of one ceremony, of every type that its kind has. */
export async function readHeard(reader: Reader, ceremony: Hex, kind: CeremonyState['kind']): Promise<readonly Said[]> {
  const types = kind === 'keygen' ? KEYGEN_TYPES : SIGNING_TYPES;
  const rows = await Promise.all(
    types.map((type) => reader.query('Ceremonies', inboundPartition(ceremony, type), 'IN#')),
  );
  return rows.flat().flatMap((row) => headerOf(row['body'], timeOf(row)));
}

/** @returns nothing for a row that is no state */
export function stateRow(item: Item): StateRow | undefined {
  const { state } = item;
  if (typeof state !== 'string') return undefined;
  // Written by the node and never by a peer: the shape is the type that was serialised.
  return { state: JSON.parse(state) as CeremonyState, at: timeOf(item) };
}

function timeOf(item: Item): number | undefined {
  const { at } = item;
  return typeof at === 'number' ? at : undefined;
}

function sentOf(row: Item): Said[] {
  const bodies = row['bodies'];
  if (!Array.isArray(bodies)) return [];
  return bodies.flatMap((body) => {
    const [[name, payload] = []] = typeof body === 'string' ? Object.entries(JSON.parse(body) as object) : [];
    return name?.endsWith('Out') ? headerOf(payload, timeOf(row)) : [];
  });
}

/** @param body a statement or its sealed form, as an object or as text */
function headerOf(body: unknown, at: number | undefined): Said[] {
  const value: unknown = typeof body === 'string' ? JSON.parse(body) : body;
  if (typeof value !== 'object' || value === null) return [];
  const { type, slot, from, to, recipient } = value as Readonly<Record<string, unknown>>;
  const known = STATEMENT_TYPES.find((each) => each === type);
  if (!known || typeof slot !== 'string' || typeof from !== 'number' || typeof to !== 'number') return [];
  const sealed = 'ciphertext' in value;
  return [{ type: known, slot, from, to: sealed && typeof recipient === 'number' ? recipient : to, sealed, at }];
}

function proofOf(row: Item): { index: number; evidence: Evidence }[] {
  const evidence = evidenceIn(row['evidence']);
  return evidence ? [{ index: Number(row.sk.slice('EVIDENCE#'.length)), evidence }] : [];
}
