/** What is no transaction is told by its shape alone, before a curve or a table is touched. */
import { describe, expect, test } from 'vitest';
import { ORDER } from '../../lib/coconut/groups.ts';
import { readTransaction, type Transaction, transactionContentOf } from '../../lib/coconut/transaction-bytes.ts';
import { fromHex, type Hex } from '../../lib/messages/hex.ts';
import frozen from '../vectors/coconut-transaction.json' with { type: 'json' };

const reading = readTransaction(fromHex(frozen.transaction as Hex));
if (!reading.ok) throw new Error('the frozen transaction is none');
const { transaction } = reading;
const read = (change: Partial<Transaction>) => readTransaction(transactionContentOf({ ...transaction, ...change }));
const BAD = { ok: false, reason: 'BadShape' };

/** The scalar at this place is r: the same as 0, and another encoding. */
function withOrder(bytes: Uint8Array, at: number): Uint8Array {
  const changed = bytes.slice();
  changed.set(Buffer.from(ORDER.toString(16).padStart(64, '0'), 'hex'), at);
  return changed;
}

describe('a transaction is none', () => {
  test('ECASH-11: with a scalar that is not below r, anywhere in what its payer or an owner proves', () => {
    expect(read({})).toMatchObject({ ok: true });
    const { proof, range, outputs } = transaction;
    for (let at = 0; at < proof.length; at += 32) expect(read({ proof: withOrder(proof, at) }), `${at}`).toEqual(BAD);
    const [first, ...rest] = outputs;
    if (!first) throw new Error('the frozen transaction has outputs');
    for (let at = 0; at < first.ownerProof.length; at += 32) {
      const changed = { ...first, ownerProof: withOrder(first.ownerProof, at) };
      expect(read({ outputs: [changed, ...rest] }), `${at}`).toEqual(BAD);
    }
    // The last two of a range proof are scalars.
    for (const from of [32, 64]) expect(read({ range: withOrder(range, range.length - from) }), `${from}`).toEqual(BAD);
  });

  test('ORIGIN: with a proof of another length than its counts say', () => {
    const { proof, range } = transaction;
    for (const other of [proof.slice(32), new Uint8Array([...proof, ...new Uint8Array(32)]), new Uint8Array(0)])
      expect(read({ proof: other })).toEqual(BAD);
    for (const other of [range.slice(48), new Uint8Array([...range, ...new Uint8Array(96)]), new Uint8Array(0)])
      expect(read({ range: other })).toEqual(BAD);
  });

  test('with text that has no bytes of its own: half of a pair would be written as another character', () => {
    const withdraw = { amount: '4', recipient: 'somebody', memo: '' };
    expect(read({ withdraw })).toMatchObject({ ok: true });
    for (const half of ['\ud83d', 'a\udc00b'])
      for (const change of [{ recipient: half }, { memo: half }])
        expect(read({ withdraw: { ...withdraw, ...change } })).toEqual(BAD);
  });
});
