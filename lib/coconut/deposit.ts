/**
 * The only way in. k of m depositors of an asset sign that they have received so much for these outputs; the statement is consumed inside a transaction whose outputs are those, and is
 * locked like a tag.
 */
import { createHash } from 'node:crypto';
import { concat, list, lp, tagged, u64be, utf8 } from '../messages/bytes.ts';
import { sign, verifies } from '../messages/ed25519.ts';
import { fromHex, type Hex, toHex } from '../messages/hex.ts';
import type { TransactionDeposit, TransactionOutput } from './transaction-bytes.ts';

/** What the depositors sign for: always the reader's own, never the message's. */
export interface DepositContext {
  /** 32 bytes. */
  readonly committee: Hex;
  /** Its id in the committee file. */
  readonly asset: string;
}

/** One deposit, for whom it is. */
export interface DepositStatement {
  /** 32 bytes. */
  readonly depositId: Uint8Array;
  /** Below 2⁶⁴. */
  readonly value: bigint;
  /** `ownerOf` the outputs, 32 bytes. */
  readonly owner: Uint8Array;
}

/** The hash of one output's request and V, 32 bytes: SHA-256(`LP("coterie/v1/coconut-output")` ‖ com ‖ c_1 ‖ c_2 ‖ V). What a restored wallet asks by. */
export function outputId({ commitment, openings, value }: Omit<TransactionOutput, 'ownerProof'>): Uint8Array {
  return sha256(concat(tagged('coconut-output'), commitment, ...openings, value));
}

/** H(output requests): SHA-256(`LP("coterie/v1/coconut-output")` ‖ list(output ids)). A list of ids has another length than an output. */
export function ownerOf(outputs: readonly Omit<TransactionOutput, 'ownerProof'>[]): Uint8Array {
  return sha256(concat(tagged('coconut-output'), list(outputs.map(outputId))));
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

/** `LP("coterie/v1/deposit") ‖ committee(32) ‖ LP(asset) ‖ depositId(32) ‖ u64be(value) ‖ owner(32)` */
export function depositBytes({ committee, asset }: DepositContext, of: DepositStatement): Uint8Array {
  return concat(tagged('deposit'), fromHex(committee), lp(utf8(asset)), of.depositId, u64be(of.value), of.owner);
}

/** One depositor's signature. @param secret Ed25519, 32 bytes @returns 64 bytes */
export function signDeposit(context: DepositContext, of: DepositStatement, secret: Uint8Array): Uint8Array {
  return sign(depositBytes(context, of), secret);
}

/** Who may deposit: the committee file's. */
export interface Depositors {
  /** Ed25519, distinct, of prime order. */
  readonly keys: readonly Hex[];
  /** k. */
  readonly required: number;
}

/**
 * Whether exactly k different depositors, ascending by key, signed each deposit for these very outputs. Exactly and in order: the transaction's id covers the signatures, and whoever
 * carries it must not be able to make a second one of it by leaving one out, or two sets of services would lock the tags for two ids.
 */
export function areDeposited(
  context: DepositContext,
  { keys, required }: Depositors,
  {
    outputs,
    deposits,
  }: { readonly outputs: readonly TransactionOutput[]; readonly deposits: readonly TransactionDeposit[] },
): boolean {
  // Outputs of nobody would be a deposit of whoever sees it first.
  if (outputs.length === 0) return deposits.length === 0;
  const owner = toHex(ownerOf(outputs));
  return deposits.every((deposit) => {
    const { signatures } = deposit;
    // Another's outputs under a signed owner would be paid with a deposit that is not theirs.
    if (toHex(deposit.owner) !== owner || signatures.length !== required) return false;
    if (!signatures.every(({ key }, i) => i === 0 || key > (signatures[i - 1]?.key ?? ''))) return false;
    const bytes = depositBytes(context, deposit);
    return signatures.every(({ key, signature }) => keys.includes(key) && verifies(bytes, signature, key));
  });
}
