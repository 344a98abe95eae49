/**
 * What a withdrawal lets a vault sign: one message, under one request id for each expiry. Both follow from the certificate, so nobody who shows it has a choice
 * (attack ECASH-08 at the way out: one burnt token, two payments).
 */
import { createHash } from 'node:crypto';
import { withdrawBytes } from '../coconut/transaction-bytes.ts';
import { concat, lp, tagged, u64be, utf8 } from '../messages/bytes.ts';
import { fromHex, type Hex, toHex } from '../messages/hex.ts';
import type { VoteContext, WithdrawalProof } from '../messages/tokens.ts';

/**
 * SHA-256(`LP("coterie/v1/withdrawal-payment") ‖ committee(32) ‖ LP(asset) ‖ u64be(epoch) ‖ LP(coin) ‖ txid(32) ‖ u64be(amount) ‖ LP(recipient) ‖ LP(memo)`).
 * @param coin of the vault @returns 32 bytes, what BIP 340 calls m
 */
export function paymentMessage(context: VoteContext, coin: string, withdrawal: WithdrawalProof): Hex {
  return digest(
    concat(
      tagged('withdrawal-payment'),
      scope(context, coin),
      fromHex(withdrawal.transaction),
      withdrawBytes(withdrawal),
    ),
  );
}

/**
 * The one request id (16 bytes) under which a withdrawal may be asked for until `expiresAt` (seconds UTC): operators that are asked by different clients meet in one
 * ceremony, and a further one needs another expiry.
 */
export function paymentRequestId(context: VoteContext, coin: string, transaction: Hex, expiresAt: number): Hex {
  const bytes = concat(tagged('withdrawal-request'), scope(context, coin), fromHex(transaction), u64be(expiresAt));
  return digest(bytes).slice(0, 2 + 32) as Hex;
}

/** What a withdrawal is bound to when the first share leaves: a second key is another payment, although the message is the same. */
export function paymentOf(key: Hex, message: Hex): string {
  return `${key}#${message}`;
}

function scope({ committee, asset, epoch }: VoteContext, coin: string): Uint8Array {
  return concat(fromHex(committee), lp(utf8(asset)), u64be(epoch), lp(utf8(coin)));
}

function digest(bytes: Uint8Array): Hex {
  return toHex(createHash('sha256').update(bytes).digest());
}
