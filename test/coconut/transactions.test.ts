import { describe, expect, test } from 'vitest';
import { mclVerifier } from '../../lib/coconut/mcl-engine.ts';
import { encodeTransaction, readTransaction } from '../../lib/coconut/transaction-bytes.ts';
import { verifyTransactions } from '../../lib/coconut/transaction-verify.ts';
import { Mint } from './token-fixtures.ts';

const mint = new Mint(await mclVerifier(), 'transactions');
const { context, verifier, random } = mint;

describe('a transaction', () => {
  test('of one input and two outputs holds', () => {
    const transaction = mint.make({ inputs: [mint.token(10n)], outputs: [mint.paid(3n), mint.paid(7n)] });
    const bytes = encodeTransaction(transaction);
    expect(bytes.length).toBe(2388);
    expect(readTransaction(bytes)).toEqual({ ok: true, transaction });
    expect(verifyTransactions(context, [transaction], verifier, random)).toEqual([undefined]);
    const t = performance.now();
    verifyTransactions(context, [transaction], verifier, random);
    console.log('verify', performance.now() - t);
  });
});
