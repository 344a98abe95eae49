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
  readonly #last: number;

  constructor(last: number) {
    this.#last = last;
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
 * Runs the step in life after life, each a call longer, until one lives to its end.
 * @param restored what has to hold of the wallet that is restored from the seed alone after each death
 * @returns at how many calls it died
 */
async function everyDeath(
  seed: string,
  kept: Kept,
  step: (wallet: Wallet) => Promise<unknown>,
  restored: (wallet: Wallet) => Promise<void> | void,
): Promise<number> {
  for (let last = 1; ; last++) {
    const life = new Life(last);
    // The dying wallet writes to what nobody reads again.
    const cache = life.cache(new Kept(kept.bytes));
    const wallet = await world.wallet(seed, { gateway: life.gateway(world.network.gateway), cache });
    try {
      await step(wallet);
      kept.bytes = undefined;
      return last - 1;
    } catch (error) {
      if (!(error instanceof Died)) throw error;
    }
    const again = await world.wallet(seed, { cache: kept });
    await restored(again);
    if (!kept.bytes) await again.invoice(1n);
  }
}

describe('a wallet that dies at any call of a step and is restored from its seed', () => {
  test('has its deposit as soon as it repeats it', async () => {
    const kept = new Kept();
    await (await world.wallet('deaths', { cache: kept })).invoice(1n);
    const first = await world.wallet('deaths', { cache: kept });
    const signed = world.sign(await first.requestDeposit(world.depositId(), 100n));
    const deaths = await everyDeath(
      'deaths',
      kept,
      (wallet) => wallet.deposit(signed),
      async () => {
        const fresh = await world.wallet('deaths');
        expect([0n, 100n]).toContain(fresh.balance);
        await fresh.deposit(signed);
        expect(fresh.balance).toBe(100n);
      },
    );
    expect(deaths).toBeGreaterThanOrEqual(4);
    expect((await world.wallet('deaths')).balance).toBe(100n);
  }, 300_000);

  test('has its full balance, whatever it was about to turn into what', async () => {
    const kept = new Kept();
    await world.funded('splitting', 20n, { cache: kept });
    const deaths = await everyDeath(
      'splitting',
      kept,
      (wallet) => wallet.split([1n]),
      async () => {
        const fresh = await world.wallet('splitting');
        expect(fresh.balance).toBe(20n);
      },
    );
    expect(deaths).toBeGreaterThanOrEqual(4);
  }, 300_000);

  test('has paid an invoice once, however often it died and paid it again', async () => {
    const kept = new Kept();
    await world.funded('paying', 20n, { cache: kept });
    const payee = await world.wallet('paid once');
    const invoice = await payee.invoice(6n);
    const deaths = await everyDeath(
      'paying',
      kept,
      (wallet) => wallet.pay(invoice),
      async () => {
        const fresh = await world.wallet('paying');
        expect([20n, 14n]).toContain(fresh.balance);
      },
    );
    expect(deaths).toBeGreaterThanOrEqual(4);
    await payee.receive(invoice);
    const ends = [await world.wallet('paying'), await world.wallet('paid once')];
    expect(ends.map(({ balance }) => balance)).toEqual([14n, 6n]);
  }, 300_000);

  test('has withdrawn once or not at all after each death, and clients hear of it once for each transaction', async () => {
    const amounts = new Map<string, bigint>();
    world.network.committee.onWithdrawal(({ transaction, amount }) => amounts.set(transaction, BigInt(amount)));
    const kept = new Kept();
    await world.funded('withdrawing', 40n, { cache: kept });
    const withdraw = { amount: '3', recipient: 'an account', memo: '' };
    await everyDeath(
      'withdrawing',
      kept,
      (wallet) => wallet.withdraw(withdraw),
      async () => {
        const fresh = await world.wallet('withdrawing');
        await world.drain();
        const redeemed = [...amounts.values()].reduce((sum, value) => sum + value, 0n);
        expect(40n - redeemed).toBe(fresh.balance);
      },
    );
  }, 300_000);
});
