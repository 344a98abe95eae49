import { beforeAll, describe, expect, test } from 'vitest';
import { NetworkRefused } from '../../lib/signing-service/network.ts';
import type { GatewayPort } from '../../lib/wallet/gateway.ts';
import { InsufficientFunds } from '../../lib/wallet/wallet.ts';
import { Recorded, World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await new World().start();
});

describe('a wallet', () => {
  test('turns a deposit into a token, splits, pays, receives, merges and withdraws, and is the same when it is restored', async () => {
    const alice = await world.funded('alice', 100n);
    expect(alice.balance).toBe(100n);
    await alice.split([30n, 20n]);
    expect(alice.tokens.map(({ value }) => value)).toEqual([50n, 30n, 20n]);
    const bob = await world.wallet('bob');
    const invoice = await bob.invoice(40n);
    await alice.pay(invoice);
    await bob.receive(invoice);
    expect([alice.balance, bob.balance]).toEqual([60n, 40n]);
    // Nobody is paid twice, and nothing comes in twice.
    await alice.pay(invoice);
    await bob.receive(invoice);
    expect([alice.balance, bob.balance]).toEqual([60n, 40n]);
    await alice.merge();
    expect(alice.tokens.map(({ value }) => value)).toEqual([60n]);
    await expect(alice.merge()).rejects.toBeInstanceOf(InsufficientFunds);
    await alice.withdraw({ amount: '25', recipient: 'bc1q', memo: '' });
    expect(alice.balance).toBe(35n);
    const again = await world.wallet('alice');
    const seen = ({ tag, value }: { tag: string; value: bigint }) => [tag, value];
    expect(again.tokens.map(seen)).toEqual(alice.tokens.map(seen));
    expect((await world.wallet('bob')).balance).toBe(40n);
  });

  test('that is restored says when t services have told it what they have: the rest is waited for only a moment', async () => {
    const { gateway } = world.network;
    const said: boolean[] = [];
    const watched: GatewayPort = {
      replyTo: gateway.replyTo,
      post: (...args) => gateway.post(...args),
      answers: async function* (key, enough = () => false) {
        for await (const body of gateway.answers(key)) {
          said.push(enough());
          yield body;
        }
      },
    };
    await world.wallet('nobody', { gateway: watched });
    // 3 of 4: asked before each of the four answers.
    expect(said).toEqual([false, false, false, true]);
  });

  test('that heard nothing of a payment finishes it before it does anything else', async () => {
    const wallet = new Recorded(world.network.gateway);
    await world.funded('unheard', 10n);
    const payer = await world.wallet('unheard', { gateway: wallet });
    const payee = await world.wallet('payee of the unheard');
    const [first, second] = [await payee.invoice(4n), await payee.invoice(3n)];
    wallet.deaf = 'Transaction';
    await expect(payer.pay(first)).rejects.toBeInstanceOf(NetworkRefused);
    wallet.deaf = undefined;
    // Of the change of the first: there is nothing else.
    await payer.pay(second);
    expect(payer.balance).toBe(3n);
    await payee.receive(first);
    await payee.receive(second);
    expect(payee.balance).toBe(7n);
  });

  test('that forgot its numbers asks for another thing under the same number', async () => {
    const [first, second] = [await world.wallet('forgetful'), await world.wallet('forgetful')];
    const [one, two] = [await first.invoice(5n), await second.invoice(5n)];
    // One marker, by which both are found; two tokens, of which each may be paid.
    expect(one.marker.commitment).toBe(two.marker.commitment);
    expect(one.token.commitment).not.toBe(two.token.commitment);
    const payer = await world.funded('payer of the forgetful', 10n);
    await payer.pay(one);
    await payer.pay(two);
    expect((await world.wallet('forgetful')).balance).toBe(10n);
  });
});

test('services that are some of the committee, under the indexes that it gives them, issue what a wallet spends', async () => {
  const some = await new World(9, 3, 1, 'some of nine', [2, 4, 5, 9]).start();
  expect(some.network.key.serviceKeys.map(({ index }) => index)).toEqual([2, 4, 5, 9]);
  const payer = await some.funded('payer of some', 10n);
  const payee = await some.wallet('payee of some');
  // Whichever three of them answer first: with each one silent the other three are those who sign.
  for (const [silent, left] of [
    [2, 9n],
    [9, 8n],
  ] as const) {
    some.network.committee.kill(silent);
    const invoice = await payee.invoice(1n);
    await payer.pay(invoice);
    await payee.receive(invoice);
    some.network.committee.revive(silent);
    expect(payer.balance).toBe(left);
  }
  expect((await some.wallet('payee of some')).balance).toBe(2n);
});
