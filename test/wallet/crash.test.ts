/** A wallet that dies where it costs most: services have locked its tokens, or its certificate is under way. All its deaths: `npm run simulate:tokens -- --deaths`. */
import { beforeAll, describe, expect, test } from 'vitest';
import { STEPS } from './deaths.ts';
import { World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await new World(4, 3, 1, 'crashes').start();
});

describe('a wallet that dies at any call of a step and is restored from its seed', () => {
  // Calls: what is kept, the transaction, the certificate; a payment asks first whether it was made.
  test.each([
    ['has its deposit as soon as it repeats it', 'deposit', [2]],
    ['has its full balance, whatever it was about to turn into what', 'split', [3]],
    [
      'has paid an invoice or has not; what left it is at the payee’s, and paying it again does not pay twice',
      'pay',
      [3],
    ],
    ['has withdrawn or has not, and clients hear of it once for each transaction', 'withdraw', [2]],
  ] as const)(
    '%s',
    async (_, step, at) => {
      expect(await STEPS[step](world, at)).toEqual({ deaths: at.length, wrong: [] });
    },
    120_000,
  );
});
