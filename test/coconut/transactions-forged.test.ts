/** Outputs of a payee, and transactions of a payer, who have taken the limits out of their own programs. */
import { expect, test, vi } from 'vitest';
import { ORDER } from '../../lib/coconut/groups.ts';
import { mclVerifier } from '../../lib/coconut/mcl-engine.ts';
import { provenValue } from '../../lib/coconut/transaction-output.ts';
import { verifyTransaction } from '../../lib/coconut/transaction-verify.ts';
import { Mint } from './token-fixtures.ts';

vi.mock('../../lib/coconut/value-commitment.ts', async (original) => ({
  ...(await original<typeof import('../../lib/coconut/value-commitment.ts')>()),
  expectValue: (value: bigint) => value,
}));

const mint = new Mint(await mclVerifier(), 'forged transactions');
const { context, verifier, random } = mint;

test.each([
  ['−1 beside eleven', [ORDER - 1n, 11n]],
  ['2⁶⁴ beside less than nothing', [1n << 64n, ORDER + 10n - (1n << 64n)]],
] as const)('ECASH-16: ten do not become %s, though their owners prove both and the sum is right', (_, meant) => {
  const outputs = meant.map((value) => mint.output(value));
  for (const { output } of outputs) expect(provenValue(verifier, context.key.id, output)).toBeDefined();
  const claims = [0n, 10n];
  const transaction = mint.make({
    inputs: [mint.token(10n)],
    outputs: outputs.map(({ output, invoiced }, i) => ({
      output,
      invoiced: { ...invoiced, value: claims[i] as bigint },
    })),
  });
  // Not `Unbalanced`: modulo r the sum is right, and only the range tells.
  expect(verifyTransaction(context, transaction, verifier, random)).toEqual({ ok: false, refusal: 'OutOfRange' });
});
