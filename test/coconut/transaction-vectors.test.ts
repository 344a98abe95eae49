/** The frozen transaction: made again, and verified from nothing but the file. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodePublicKey } from '../../lib/coconut/keys.ts';
import { mclVerifier } from '../../lib/coconut/mcl-engine.ts';
import { nobleVerifier } from '../../lib/coconut/noble-engine.ts';
import { readTransaction, transactionId } from '../../lib/coconut/transaction-bytes.ts';
import type { TransactionContext } from '../../lib/coconut/transaction-proof.ts';
import { verifyTransaction } from '../../lib/coconut/transaction-verify.ts';
import { fromHex } from '../../lib/messages/hex.ts';
import { FILE, vectors } from '../vectors/generate-coconut-transaction.ts';
import { stream } from './fixtures.ts';

type Vectors = Awaited<ReturnType<typeof vectors>>;
const frozen = JSON.parse(readFileSync(FILE, 'utf8')) as Vectors;

test('the frozen transaction is made again, byte for byte', async () => {
  expect(await vectors()).toEqual(frozen);
});

test('the frozen transaction is accepted by both engines with what the file says and nothing else', async () => {
  const { threshold, total, keyId, key, ...known } = frozen.context;
  const context: TransactionContext = {
    ...known,
    parameters: { attributes: 2, threshold, total },
    key: { id: fromHex(keyId), ...decodePublicKey(fromHex(key), 2) },
  };
  const reading = readTransaction(fromHex(frozen.transaction));
  if (!reading.ok) throw new Error(reading.reason);
  expect(transactionId(reading.transaction)).toBe(frozen.id);
  for (const verifier of [nobleVerifier, await mclVerifier()])
    expect(verifyTransaction(context, reading.transaction, verifier, stream('weights'))).toEqual({ ok: true });
});
