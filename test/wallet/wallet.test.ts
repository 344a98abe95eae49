import { beforeAll, describe, expect, test } from 'vitest';
import { World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await new World().start();
}, 60_000);

describe('a wallet', () => {
  test('turns a deposit into a token, splits it, pays an invoice, merges and withdraws', async () => {
    const time = (label: string, from: number) =>
      process.stderr.write(`${label} ${Math.round(performance.now() - from)} ms\n`);
    let at = performance.now();
    const alice = await world.funded('alice', 100n);
    time('funded', at);
    expect(alice.balance).toBe(100n);
    at = performance.now();
    await alice.split([30n, 20n]);
    time('split', at);
    expect(alice.tokens.map(({ value }) => value)).toEqual([50n, 30n, 20n]);
    at = performance.now();
    const bob = await world.wallet('bob');
    time('open', at);
    const invoice = await bob.invoice(40n);
    at = performance.now();
    await alice.pay(invoice);
    time('pay', at);
    at = performance.now();
    await bob.receive(invoice);
    time('receive', at);
    expect([alice.balance, bob.balance]).toEqual([60n, 40n]);
    await alice.merge();
    expect(alice.tokens.map(({ value }) => value)).toEqual([60n]);
    await alice.withdraw({ amount: '25', recipient: 'bc1q', memo: '' });
    expect(alice.balance).toBe(35n);
    at = performance.now();
    const again = await world.wallet('alice');
    time('restore', at);
    expect(again.tokens.map(({ tag, value }) => [tag, value])).toEqual(
      alice.tokens.map(({ tag, value }) => [tag, value]),
    );
    expect((await world.wallet('bob')).balance).toBe(40n);
  }, 60_000);
});
