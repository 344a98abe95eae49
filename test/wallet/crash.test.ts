/** A wallet dies at every call that it makes, to its gateway and to its cache, and is restored from its seed alone. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { WalletCache } from '../../lib/wallet/cache.ts';
import type { GatewayPort } from '../../lib/wallet/gateway.ts';
import type { Wallet } from '../../lib/wallet/wallet.ts';
import { Kept, World } from './world.ts';

class Died extends Error {}

/** Counts the calls of one life, and ends it after a given one is done: what was done stays done, and nobody learns of it. */
class Life {
  calls = 0;
  #last = Number.POSITIVE_INFINITY;

  /** @param calls how many it has left */
  endsAfter(calls: number): void {
    this.calls = 0;
    this.#last = calls;
  }

  async pass<T>(call: () => Promise<T>): Promise<T> {
    if (this.calls >= this.#last) throw new Died();
    const result = await call();
    if (++this.calls >= this.#last) throw new Died();
    return result;
  }

  gateway(inner: GatewayPort): GatewayPort {
    return {
      replyTo: inner.replyTo,
      post: (...args) => this.pass(() => inner.post(...args)),
      answers: (key) => inner.answers(key),
    };
  }

  cache(inner: WalletCache): WalletCache {
    return { load: () => inner.load(), save: (bytes) => this.pass(() => inner.save(bytes)) };
  }
}

let world: World;
beforeAll(async () => {
  world = await new World(4, 3, 1, 'crashes').start();
}, 120_000);

/**
 * Runs a step in life after life, each of a wallet that knows its seed and nothing else, and each a call longer, until one lives to its end.
 * @param restored what has to hold after each death of the wallet that is restored from the seed
 * @returns how often it died
 */
async function everyDeath(
  seed: string,
  begin: () => Promise<(wallet: Wallet) => Promise<unknown>>,
  restored: (wallet: Wallet) => Promise<void>,
): Promise<number> {
  for (let deaths = 0; ; deaths++) {
    const step = await begin();
    const life = new Life();
    const gateway = life.gateway(world.network.gateway);
    const wallet = await world.wallet(seed, { gateway, cache: life.cache(new Kept()) });
    life.endsAfter(deaths + 1);
    try {
      await step(wallet);
      return deaths;
    } catch (error) {
      if (!(error instanceof Died)) throw error;
    }
    await restored(await world.wallet(seed));
  }
}

describe('a wallet that dies at any call of a step and is restored from its seed', () => {
  test('has its deposit as soon as it repeats it', async () => {
    const signed = world.sign(await (await world.wallet('deaths')).requestDeposit(world.depositId(), 100n));
    const deaths = await everyDeath(
      'deaths',
      async () => (wallet) => wallet.deposit(signed),
      async (wallet) => {
        expect([0n, 100n]).toContain(wallet.balance);
      },
    );
    expect(deaths).toBeGreaterThanOrEqual(4);
    expect((await world.wallet('deaths')).balance).toBe(100n);
  }, 300_000);

  test('has its full balance, whatever it was about to turn into what', async () => {
    await world.funded('splitting', 20n);
    const deaths = await everyDeath(
      'splitting',
      async () => (wallet) => wallet.split([1n]),
      async (wallet) => expect(wallet.balance).toBe(20n),
    );
    expect(deaths).toBeGreaterThanOrEqual(4);
  }, 300_000);

  test('has paid an invoice or has not; what left it is at the payee’s, and paying it again does not pay twice', async () => {
    await world.funded('paying', 20n);
    const payee = await world.wallet('paid once');
    let invoice = await payee.invoice(2n);
    let received = 0n;
    const deaths = await everyDeath(
      'paying',
      async () => {
        const asked = await payee.invoice(2n);
        invoice = asked;
        return (wallet) => wallet.pay(asked);
      },
      async (wallet) => {
        const left = 20n - received - wallet.balance;
        expect([0n, 2n]).toContain(left);
        await wallet.pay(invoice);
        await payee.receive(invoice);
        received += 2n;
        expect([wallet.balance, payee.balance]).toEqual([20n - received, received]);
      },
    );
    expect(deaths).toBeGreaterThanOrEqual(4);
    await payee.receive(invoice);
    expect((await world.wallet('paid once')).balance).toBe(received + 2n);
  }, 300_000);

  test('has withdrawn or has not, and clients hear of it once for each transaction', async () => {
    const amounts = new Map<string, bigint>();
    world.network.committee.onWithdrawal(({ transaction, amount }) => amounts.set(transaction, BigInt(amount)));
    await world.funded('withdrawing', 40n);
    const withdraw = { amount: '3', recipient: 'an account', memo: '' };
    const deaths = await everyDeath(
      'withdrawing',
      async () => (wallet) => wallet.withdraw(withdraw),
      async (wallet) => {
        await world.drain();
        const redeemed = [...amounts.values()].reduce((sum, value) => sum + value, 0n);
        expect(40n - redeemed).toBe(wallet.balance);
      },
    );
    expect(deaths).toBeGreaterThanOrEqual(3);
  }, 300_000);
});
