/** {@link TokenScheme} over Coconut: what a service's protocol asks, answered by `lib/coconut`. */
import type { RandomBytes } from '../ceremony.ts';
import { areDeposited, outputId } from '../coconut/deposit.ts';
import { decodeSecretKey } from '../coconut/keys.ts';
import {
  encodeTransaction,
  readTransaction,
  TOKEN_ATTRIBUTES,
  type Transaction,
  transactionId,
} from '../coconut/transaction-bytes.ts';
import { signOutputs } from '../coconut/transaction-output.ts';
import type { TransactionContext } from '../coconut/transaction-proof.ts';
import { verifyProofs } from '../coconut/transaction-verify.ts';
import type { Verifier } from '../coconut/verifier.ts';
import { toHex } from '../messages/hex.ts';
import type { TokenScheme, TokenTransaction } from './scheme.ts';

/** Loaded when proofs are first checked: a function that only signs or looks up never needs the engine. */
async function fastEngine(): Promise<Verifier> {
  const { mclVerifier } = await import('../coconut/mcl-engine.ts');
  return mclVerifier();
}

/**
 * @param random weighs batches, and blinds the multiplications by the key's share
 * @param engine for proofs, which are public
 */
export function coconutScheme(
  context: TransactionContext,
  random: RandomBytes,
  engine: () => Promise<Verifier> = fastEngine,
): TokenScheme {
  // What was read once is not read again for each question.
  const read = new WeakMap<TokenTransaction, Transaction>();
  const parsed = (of: TokenTransaction): Transaction => {
    const known = read.get(of);
    if (known) return known;
    const reading = readTransaction(of.bytes);
    if (!reading.ok) throw new Error(`a transaction that was read is none: ${reading.reason}`);
    return reading.transaction;
  };
  return {
    read(source) {
      const reading = readTransaction(source);
      if (!reading.ok) return reading;
      const transaction = tokenTransaction(reading.transaction);
      read.set(transaction, reading.transaction);
      return { ok: true, transaction };
    },
    deposited: (transaction) => areDeposited(context, context.depositors, parsed(transaction)),
    async prove(transactions) {
      if (transactions.length === 0) return [];
      return verifyProofs(context, transactions.map(parsed), await engine(), random);
    },
    async sign(transaction, share) {
      const secret = decodeSecretKey(share.bytes, TOKEN_ATTRIBUTES);
      return signOutputs(secret, context.key.id, parsed(transaction).outputs, random).map(toHex);
    },
  };
}

function tokenTransaction(transaction: Transaction): TokenTransaction {
  const { asset, epoch, inputs, outputs, deposits, withdraw } = transaction;
  return {
    id: transactionId(transaction),
    bytes: encodeTransaction(transaction),
    asset,
    epoch,
    tags: inputs.map(({ tag }) => toHex(tag)),
    deposits: deposits.map(({ depositId, value }) => ({ depositId: toHex(depositId), value })),
    outputs: outputs.map((output) => toHex(outputId(output))),
    withdraw,
  };
}
