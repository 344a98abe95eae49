/**
 * The same question with nothing replaced: real transactions and wallets, 5 services of 7 of which one is silent and one signs wrongly, queues between them, and a wallet that dies after any
 * of its calls and is restored from its seed. By seed; some ten seconds of CPU each.
 */
import { LyingGateway } from '../../lib/local/faulty-gateway.ts';
import { SeededRandom } from '../../lib/local/random.ts';
import { NetworkRefused } from '../../lib/signing-service/network.ts';
import type { GatewayPort } from '../../lib/wallet/gateway.ts';
import { InsufficientFunds, type Wallet } from '../../lib/wallet/wallet.ts';
import { bytesOf, Kept, World } from '../wallet/world.ts';

export interface RealOutcome {
  readonly violations: readonly string[];
  readonly counts: Readonly<Record<'payments' | 'killed' | 'restored' | 'doubleSpends' | 'refused', number>>;
}

class Died extends Error {}

const DEPOSIT = 100n;
const PAYMENTS = 3;
/** Calls of a payment that finds nothing in its way. */
const CALLS = 6;

/** Dies after so many posts. */
function dying(inner: GatewayPort, after: number): GatewayPort {
  let left = after;
  return {
    replyTo: inner.replyTo,
    answers: (...args) => inner.answers(...args),
    post: async (...args) => {
      await inner.post(...args);
      if (--left <= 0) throw new Died();
    },
  };
}

export async function simulateReal(seed: number): Promise<RealOutcome> {
  const random = new SeededRandom(bytesOf(`real ${seed}`), 'tokens');
  const below = (bound: number): number => (random.bytes(1)[0] ?? 0) % bound;
  const counts = { payments: 0, killed: 0, restored: 0, doubleSpends: 0, refused: 0 };
  const violations: string[] = [];
  const world = await new World(7, 5, 2, `real ${seed}`).start();
  let redeemed = 0n;
  const announced = new Set<string>();
  world.network.committee.onWithdrawal(({ transaction, amount }) => {
    if (!announced.has(transaction)) redeemed += BigInt(amount);
    announced.add(transaction);
  });
  const cache = new Kept();
  await world.funded('payer', DEPOSIT, { cache });
  const before = cache.bytes;
  const [silent, lying] = [1 + below(7), 1 + below(6)];
  const liar = lying === silent ? 7 : lying;
  world.network.committee.kill(silent);
  const through = new LyingGateway(world.network.gateway, liar, world.network.storeOf(liar));

  for (let k = 0; k < PAYMENTS; k++) {
    const payee = await world.wallet('payee', { gateway: through });
    const invoice = await payee.invoice(BigInt(1 + below(30)));
    const gateway = dying(through, 1 + below(CALLS));
    try {
      const mortal = await world.wallet('payer', { cache, gateway });
      await mortal.pay(invoice);
    } catch (error) {
      if (!(error instanceof Died)) throw error;
      counts.killed++;
    }
    const restored = await world.wallet('payer', { gateway: through });
    counts.restored++;
    await restored.pay(invoice);
    await payee.receive(invoice);
    counts.payments++;
    if (restored.balance + payee.balance !== DEPOSIT)
      violations.push(`${restored.balance} + ${payee.balance} are left`);
  }

  // A copy of the wallet, as it was before it paid anything, pays all of it once more.
  await world.drain();
  const copy = await world.wallet('payer', { cache: new Kept(before), gateway: through });
  const thief = await world.wallet('thief', { gateway: through });
  counts.doubleSpends++;
  try {
    await copy.pay(await thief.invoice(DEPOSIT));
    violations.push('a token was paid twice');
  } catch (error) {
    // It asks what became of its token before it shows it, and has too little left; two live copies would be refused by name.
    if (error instanceof NetworkRefused) counts.refused += error.refusals.length;
    else if (error instanceof InsufficientFunds) counts.refused++;
    else throw error;
  }

  const [payer, payee] = [await world.wallet('payer'), await world.wallet('payee')];
  await payee.withdraw({ amount: `${payee.balance}`, recipient: 'an account', memo: '' });
  await world.drain();
  const ends: Wallet[] = [payer, await world.wallet('payee'), await world.wallet('thief')];
  const outstanding = ends.reduce((sum, { balance }) => sum + balance, 0n);
  if (DEPOSIT - redeemed !== outstanding) violations.push(`issued ${DEPOSIT} − redeemed ${redeemed} ≠ ${outstanding}`);
  return { violations, counts };
}
