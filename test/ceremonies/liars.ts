/** Dealers that say something else than they should, and what all honest nodes must then conclude. */
import { expect } from 'vitest';
import { type ContentOf, parseContent } from '../../lib/messages/contents.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { type Statement, type StatementType, statementHash } from '../../lib/messages/statement.ts';
import { type Edit, KeygenNetwork, type World } from './network.ts';

export const LIAR = 2;

export type Commitment = ContentOf<'EncryptedKeyGenCommitment'>;
export type FrostCommitment = Extract<Commitment, { commitments: unknown }>;
export type CoconutCommitment = Extract<Commitment, { alpha: unknown }>;
export type Share = ContentOf<'EncryptedKeyShare'>;

export function contentOf<T extends StatementType>(statement: Statement, type: T): ContentOf<T> {
  const parsed = parseContent(type, statement.content);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.content;
}

export function frost(content: Commitment): FrostCommitment {
  if (!('commitments' in content)) throw new Error('expected commitments of a key that signs messages');
  return content;
}

export function coconut(content: Commitment): CoconutCommitment {
  if (!('alpha' in content)) throw new Error('expected commitments of an asset’s key');
  return content;
}

/** Says something else of one type to some readers. */
export function instead<T extends StatementType>(
  world: World,
  type: T,
  change: (content: ContentOf<T>) => ContentOf<T>,
  to?: readonly number[],
): Edit {
  return (statement, recipient) => {
    if (statement.type !== type || (to && !to.includes(recipient))) return statement;
    return world.resign(statement, type, change(contentOf(statement, type)));
  };
}

/** A dealer that commits to bad commitments from the start: its announcement names the hash of what it will show. */
export function badDealer(world: World, change: (content: Commitment) => Commitment, index = LIAR): KeygenNetwork {
  const network = new KeygenNetwork(world);
  commitBadly(network, change, index);
  return network;
}

export function commitBadly(network: KeygenNetwork, change: (content: Commitment) => Commitment, index: number): void {
  const { world } = network;
  const honest = ownCommitment(network, index);
  const shown = world.resign(
    honest,
    'EncryptedKeyGenCommitment',
    change(contentOf(honest, 'EncryptedKeyGenCommitment')),
  );
  network.lie(index, (statement) => {
    if (statement.type === 'EncryptedKeyGenCommitment') return shown;
    if (statement.type !== 'EncryptedPublicKey') return statement;
    const announcement = contentOf(statement, 'EncryptedPublicKey');
    return world.resign(statement, 'EncryptedPublicKey', { ...announcement, commitmentHash: statementHash(shown) });
  });
}

/** The commitment statement that lies beside the polynomial. */
export function ownCommitment(network: KeygenNetwork, index: number): Statement {
  const { row, middle } = polynomialRow(network, index);
  return JSON.parse(new TextDecoder().decode(row.subarray(middle + 4))) as Statement;
}

/** The secret coefficients themselves, as the dealer holds them. */
export function ownCoefficients(network: KeygenNetwork, index: number): Uint8Array {
  const { row, middle } = polynomialRow(network, index);
  return row.subarray(4, middle);
}

function polynomialRow(network: KeygenNetwork, index: number): { row: Uint8Array; middle: number } {
  const row = network.node(index).secrets.get('POLYNOMIAL') ?? new Uint8Array();
  return { row, middle: 4 + new DataView(row.buffer, row.byteOffset).getUint32(0) };
}

/** Every honest node has failed, names exactly these and can prove it, and nothing is left of the attempt. */
export function expectBlamed(network: KeygenNetwork, reason: string, culprits: readonly number[] = [LIAR]): void {
  network.run();
  for (const index of network.honest()) {
    expect(network.node(index).state?.stage, `operator ${index}`).toBe('Failed');
    expect(network.blamed(index), `blamed by operator ${index}`).toEqual(culprits);
    for (const culprit of culprits) expect(network.node(index).evidence.get(culprit)?.reason).toBe(reason);
    expect([...network.node(index).secrets.keys()], 'ephemeral secrets are deleted').toEqual([]);
  }
  expect(network.keys.size, 'nobody stored a key').toBe(0);
}

export const scalarHex = (value: bigint): Hex => `0x${value.toString(16).padStart(64, '0')}`;
