import { expect, test } from 'vitest';
import { type BridgeResult, demoBridge } from '../../lib/cli/demo-bridge.ts';

test('a withdrawal pays for one Bitcoin signature, and for nothing else', async () => {
  const printed: string[] = [];
  const stdout = { write: (text: string) => printed.push(text) };
  const status = await demoBridge(
    { json: true, seed: new Uint8Array(32).fill(9) },
    { stdout, stderr: { write: () => 0 } },
  );
  const result = JSON.parse(printed.join('')) as Omit<BridgeResult, 'outstanding'> & { outstanding: string };
  expect(result).toMatchObject({ valid: true, outstanding: '70', failures: [] });
  expect(result.refused.map(({ refusals }) => refusals.length)).toEqual([3, 3, 3]);
  expect(status).toBe(0);
});
