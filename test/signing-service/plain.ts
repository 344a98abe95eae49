/**
 * A scheme that is all protocol and no curves: a transaction says in plain text whether its proofs hold, and a partial signature is a hash under the share. What services
 * agree on does not depend on the mathematics; that is tested elsewhere.
 */
import { createHash } from 'node:crypto';
import { fromHex, type Hex, toHex } from '../../lib/messages/hex.ts';
import type { Withdraw } from '../../lib/messages/tokens.ts';
import type { TokenScheme, TokenTransaction, TransactionMessage } from '../../lib/signing-service/scheme.ts';
import type { Secret } from '../../lib/vault/secret.ts';
import { bytesOf } from '../messages/fixtures.ts';

export const ASSET = 'usd';
export const EPOCH = 3;

/** 48 bytes that stand for a point. */
export const tag = (serial: number | string): Hex =>
  toHex(new Uint8Array([...bytesOf(`tag ${serial}`), ...bytesOf('tag').subarray(16)]));
export const id32 = (label: string): Hex => toHex(bytesOf(label));

export interface Plain {
  readonly tags?: readonly Hex[];
  readonly deposits?: readonly { readonly depositId: Hex; readonly value: number; readonly signed?: boolean }[];
  /** Names of the outputs. */
  readonly outputs?: readonly string[];
  readonly withdraw?: Withdraw;
  readonly epoch?: number;
  readonly asset?: string;
  /** What the proofs are worth. */
  readonly proof?: 'good' | 'BadProof' | 'Unbalanced' | 'OutOfRange' | 'BadShape';
  readonly shape?: 'BadShape' | 'TooMany';
}

/** A message whose `proof` is the plain text of what it claims. */
export function transaction(plain: Plain): TransactionMessage {
  const text = JSON.stringify(plain);
  return {
    version: 1,
    asset: plain.asset ?? ASSET,
    epoch: plain.epoch ?? EPOCH,
    inputs: [],
    outputs: [],
    deposits: [],
    proof: toHex(Buffer.from(text)),
    range: '0x',
  };
}

/** Counts what it was asked for, so that a test sees what was not even looked at. */
export class PlainScheme implements TokenScheme {
  proved = 0;
  signed = 0;

  read(source: TransactionMessage | Uint8Array) {
    const bytes = source instanceof Uint8Array ? source : fromHex(source.proof);
    const plain = JSON.parse(Buffer.from(bytes).toString()) as Plain;
    if (plain.shape) return { ok: false, reason: plain.shape } as const;
    return { ok: true, transaction: parsed(plain, bytes) } as const;
  }

  deposited({ bytes }: TokenTransaction): boolean {
    return (plainOf(bytes).deposits ?? []).every(({ signed }) => signed !== false);
  }

  async prove(transactions: readonly TokenTransaction[]) {
    this.proved += transactions.length;
    return transactions.map(({ bytes }) => {
      const { proof = 'good' } = plainOf(bytes);
      return proof === 'good' ? undefined : proof;
    });
  }

  async sign({ outputs }: TokenTransaction, share: Secret): Promise<readonly Hex[]> {
    this.signed++;
    return outputs.map((output) => {
      const digest = createHash('sha384').update(share.bytes).update(fromHex(output)).digest();
      return toHex(digest);
    });
  }
}

function plainOf(bytes: Uint8Array): Plain {
  return JSON.parse(Buffer.from(bytes).toString()) as Plain;
}

function parsed(plain: Plain, bytes: Uint8Array): TokenTransaction {
  const { tags = [], deposits = [], outputs = [], withdraw, asset = ASSET, epoch = EPOCH } = plain;
  return {
    id: toHex(createHash('sha256').update(bytes).digest()),
    bytes,
    asset,
    epoch,
    tags,
    deposits: deposits.map(({ depositId, value }) => ({ depositId, value: BigInt(value) })),
    outputs: outputs.map((name) => id32(`output ${name}`)),
    withdraw,
  };
}

export const idOf = (message: TransactionMessage): Hex =>
  toHex(createHash('sha256').update(fromHex(message.proof)).digest());
