/** A wallet dies at the calls that it makes, to its gateway and to its cache, and is restored from its seed alone. Few of the deaths are tests; `npm run simulate:tokens -- --deaths` runs all. */
import type { WalletCache } from '../../lib/wallet/cache.ts';
import type { GatewayPort } from '../../lib/wallet/gateway.ts';
import type { Wallet } from '../../lib/wallet/wallet.ts';
import { Kept, type World } from './world.ts';

class Died extends Error {}

/** Counts the calls of one life, and ends it after a given one is done: what was done stays done, and nobody learns of it. */
class Life {
  #calls = 0;
  #last = Number.POSITIVE_INFINITY;

  /** @param calls how many it has left */
  endsAfter(calls: number): void {
    this.#calls = 0;
    this.#last = calls;
  }

  async pass<T>(call: () => Promise<T>): Promise<T> {
    if (this.#calls >= this.#last) throw new Died();
    const result = await call();
    if (++this.#calls >= this.#last) throw new Died();
    return result;
  }

  gateway(inner: GatewayPort): GatewayPort {
    return {
      replyTo: inner.replyTo,
      post: (...args) => this.pass(() => inner.post(...args)),
      answers: (...args) => inner.answers(...args),
    };
  }

  cache(inner: WalletCache): WalletCache {
    return { load: () => inner.load(), save: (bytes) => this.pass(() => inner.save(bytes)) };
  }
}

export interface Swept {
  /** How often it died. */
  readonly deaths: number;
  /** What did not hold after one of them. */
  readonly wrong: readonly string[];
}

/** After which calls it dies; `all`: after each, until a life sees its step to its end. */
export type Deaths = readonly number[] | 'all';

/** Runs a step in life after life, each of a wallet that knows its seed and nothing else. @param restored says what does not hold of the wallet that is restored after a death */
async function sweep(
  world: World,
  seed: string,
  at: Deaths,
  begin: () => Promise<(wallet: Wallet) => Promise<unknown>>,
  restored: (wallet: Wallet) => Promise<string | undefined>,
): Promise<Swept> {
  const wrong: string[] = [];
  let deaths = 0;
  for (let k = 0; at === 'all' || k < at.length; k++) {
    const calls = at === 'all' ? k + 1 : (at[k] ?? 1);
    const step = await begin();
    const life = new Life();
    const gateway = life.gateway(world.network.gateway);
    const wallet = await world.wallet(seed, { gateway, cache: life.cache(new Kept()) });
    life.endsAfter(calls);
    try {
      await step(wallet);
      return { deaths, wrong };
    } catch (error) {
      if (!(error instanceof Died)) throw error;
      deaths++;
    }
    const said = await restored(await world.wallet(seed));
    if (said !== undefined) wrong.push(`after call ${calls}: ${said}`);
  }
  return { deaths, wrong };
}

const other = (got: bigint, ...expected: readonly bigint[]): string | undefined =>
  expected.includes(got) ? undefined : `expected a balance of ${expected.join(' or ')}, got ${got}`;

/** In each step of a wallet. Each is for one world, once. */
export const STEPS: Readonly<
  Record<'deposit' | 'split' | 'pay' | 'withdraw', (world: World, at: Deaths) => Promise<Swept>>
> = {
  async deposit(world, at) {
    const request = await (await world.wallet('deaths')).requestDeposit(world.depositId(), 100n);
    const signed = world.sign(request);
    const swept = await sweep(
      world,
      'deaths',
      at,
      async () => (wallet) => wallet.deposit(signed),
      async ({ balance }) => other(balance, 0n, 100n),
    );
    // It has its deposit as soon as it repeats it, and once.
    const again = await world.wallet('deaths');
    await again.deposit(signed);
    const said = other(again.balance, 100n) ?? other((await world.wallet('deaths')).balance, 100n);
    return said === undefined ? swept : { ...swept, wrong: [...swept.wrong, said] };
  },

  async split(world, at) {
    await world.funded('splitting', 20n);
    const step = async () => (wallet: Wallet) => wallet.split([1n]);
    return sweep(world, 'splitting', at, step, async ({ balance }) => other(balance, 20n));
  },

  /** What left it is at the payee's, and paying again does not pay twice. */
  async pay(world, at) {
    await world.funded('paying', 20n);
    const payee = await world.wallet('paid once');
    let invoice = await payee.invoice(2n);
    let received = 0n;
    return sweep(
      world,
      'paying',
      at,
      async () => {
        const asked = await payee.invoice(2n);
        invoice = asked;
        return (wallet) => wallet.pay(asked);
      },
      async (wallet) => {
        const said = other(20n - received - wallet.balance, 0n, 2n);
        await wallet.pay(invoice);
        await payee.receive(invoice);
        received += 2n;
        return said ?? other(wallet.balance, 20n - received) ?? other(payee.balance, received);
      },
    );
  },

  /** It has withdrawn or has not, and clients hear of it once for each transaction. */
  async withdraw(world, at) {
    const amounts = new Map<string, bigint>();
    world.network.committee.onWithdrawal(({ transaction, amount }) => amounts.set(transaction, BigInt(amount)));
    await world.funded('withdrawing', 40n);
    const withdraw = { amount: '3', recipient: 'an account', memo: '' };
    return sweep(
      world,
      'withdrawing',
      at,
      async () => (wallet) => wallet.withdraw(withdraw),
      async ({ balance }) => {
        await world.drain();
        const redeemed = [...amounts.values()].reduce((sum, value) => sum + value, 0n);
        return other(balance, 40n - redeemed);
      },
    );
  },
};
