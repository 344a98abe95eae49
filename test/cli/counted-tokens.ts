/** What the key of an asset, a deposit and a payment by invoice cost an embedded network of services: every call that they make, counted as the services of AWS would bill it. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { signDeposit } from '../../lib/coconut/deposit.ts';
import { mclVerifier } from '../../lib/coconut/mcl-engine.ts';
import { ServiceNetwork } from '../../lib/local/service-network.ts';
import { toHex } from '../../lib/messages/hex.ts';
import { Wallet } from '../../lib/wallet/wallet.ts';
import { type Counted, counting } from './counted.ts';

const DEPOSITOR = new Uint8Array(32).fill(7);

/** @returns for all services together, with what the gateway sends them */
export async function countTokens(
  services: number,
  threshold: number,
): Promise<{
  readonly keygen: Counted;
  readonly deposit: Counted;
  readonly payment: Counted;
  readonly receipt: Counted;
}> {
  const keys = [toHex(ed25519.getPublicKey(DEPOSITOR))];
  const network = new ServiceNetwork({
    services,
    asset: 'usd',
    terms: { t: threshold, f: 0, epoch: 0, depositors: { keys, required: 1, capPerEpoch: '1000' } },
    cloud: { seed: new Uint8Array(32).fill(5), clock: 'virtual' },
  });
  const { cloud } = network.committee;
  const counter = counting(cloud);
  try {
    const key = await network.start();
    await cloud.run({ until: cloud.now + 1_000 });
    const keygen = counter.taken();
    const wallet = async (fill: number) =>
      Wallet.open({
        seed: new Uint8Array(32).fill(fill),
        committee: network.file,
        asset: 'usd',
        key,
        gateway: network.gateway,
        verifier: await mclVerifier(),
        window: 1,
        cache: { load: async () => undefined, save: async () => undefined },
      });
    const [alice, bob] = [await wallet(1), await wallet(2)];
    const over = async (doing: () => Promise<unknown>): Promise<Counted> => {
      await cloud.run({ until: cloud.now + 1_000 });
      counter.taken();
      await doing();
      await cloud.run({ until: cloud.now + 1_000 });
      return counter.taken();
    };
    const request = await alice.requestDeposit(new Uint8Array(32).fill(3), 100n);
    const signatures = [{ key: keys[0] ?? '0x', signature: signDeposit(network.context, request, DEPOSITOR) }];
    const deposit = await over(() => alice.deposit({ ...request, signatures }));
    const invoice = await bob.invoice(40n);
    const payment = await over(() => alice.pay(invoice));
    const receipt = await over(() => bob.receive(invoice));
    return { keygen, deposit, payment, receipt };
  } finally {
    counter.end();
  }
}
