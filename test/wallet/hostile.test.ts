/** Services that say nothing or lie, payees that lie, payers that pay less, and copies of a wallet. */
import { beforeAll, describe, expect, test } from 'vitest';
import { outputId } from '../../lib/coconut/deposit.ts';
import { mclVerifier } from '../../lib/coconut/mcl-engine.ts';
import { encodeTransaction, type Transaction, transactionId } from '../../lib/coconut/transaction-bytes.ts';
import { makeTransaction, type TransactionPlan } from '../../lib/coconut/transaction-proof.ts';
import { LyingGateway } from '../../lib/local/faulty-gateway.ts';
import { systemRandom } from '../../lib/local/random.ts';
import { toHex } from '../../lib/messages/hex.ts';
import { quorumOf } from '../../lib/signing-service/certificate.ts';
import { NetworkRefused } from '../../lib/signing-service/network.ts';
import { outputKey, transactionKey } from '../../lib/signing-service/rows.ts';
import { WalletSecrets } from '../../lib/wallet/derivation.ts';
import { type Invoice, InvoiceRefused, payable } from '../../lib/wallet/invoice.ts';
import { certify, issue, type Phases } from '../../lib/wallet/phases.ts';
import { InsufficientFunds, NotPaid, type Wallet } from '../../lib/wallet/wallet.ts';
import { bytesOf, Impostor, Kept, Recorded, World } from './world.ts';

const random = (length: number): Uint8Array => systemRandom.bytes(length);
let world: World;
beforeAll(async () => {
  world = await new World().start();
});

/** As a payer that follows no rule. */
async function send(plan: Partial<TransactionPlan>): Promise<void> {
  const { file, asset, key, gateway, context } = world.network;
  const verifier = await mclVerifier();
  const phases: Phases = {
    gateway,
    key,
    quorum: quorumOf(file, asset),
    verifier,
    random,
    replyKey: () => random(32),
  };
  const made = makeTransaction(context, { inputs: [], outputs: [], deposits: [], ...plan }, verifier, () => random);
  await issue(phases, await certify(phases, made), made, []);
}

async function reasons(doing: Promise<unknown>): Promise<string[]> {
  try {
    await doing;
  } catch (error) {
    if (error instanceof NetworkRefused) return [...new Set(error.refusals.map(({ refusal }) => refusal.reason))];
    throw error;
  }
  return ['accepted'];
}

const credential = (wallet: Wallet) => {
  const [token] = wallet.tokens;
  if (!token) throw new Error('no token');
  return token.credential;
};

describe('a payee that lies in its invoice', () => {
  test('is refused before anything is sent, whatever it lies about', async () => {
    const gateway = new Recorded(world.network.gateway);
    const payer = await world.wallet('careful payer', { gateway });
    const payee = await world.wallet('lying payee');
    const [five, six] = [await payee.invoice(5n), await payee.invoice(6n)];
    const sent = gateway.bodies.length;
    const lies: [string, unknown][] = [
      ['another amount', { ...five, amount: '4' }],
      ['another blinding', { ...five, token: { ...five.token, blinding: six.token.blinding } }],
      ['a blinding of r and more', { ...five, token: { ...five.token, blinding: `0x${'ff'.repeat(32)}` } }],
      ['another’s owner proof', { ...five, token: { ...five.token, ownerProof: six.token.ownerProof } }],
      ['a marker that is worth something', { ...five, marker: six.token }],
      ['one output twice', { ...five, amount: '0', token: five.marker }],
      ['another key', { ...five, keyId: `0x${'ab'.repeat(32)}` }],
      ['another shape', { ...five, more: 1 }],
      ['nothing', undefined],
    ];
    for (const [lie, invoice] of lies)
      await expect(payer.pay(invoice as Invoice), lie).rejects.toBeInstanceOf(InvoiceRefused);
    expect(gateway.bodies.length).toBe(sent);
    expect(payable(five, world.network.key.keyId, await mclVerifier())).toHaveLength(2);
  });

  test('learns that a payer has too little from nobody', async () => {
    const gateway = new Recorded(world.network.gateway);
    const payer = await world.wallet('poor payer', { gateway });
    const payee = await world.wallet('payee of the poor');
    const invoice = await payee.invoice(5n);
    await expect(payer.pay(invoice)).rejects.toBeInstanceOf(InsufficientFunds);
    expect(gateway.bodies.some((body) => body.startsWith('{"Transaction":'))).toBe(false);
  });
});

describe('a payer that pays less', () => {
  test('has not paid: neither with the marker alone, nor with an amount of its own under the payee’s request', async () => {
    const payer = await world.funded('cheating payer', 10n);
    const payee = await world.wallet('cheated payee');
    const invoice = await payee.invoice(10n);
    const verifier = await mclVerifier();
    const [token, marker] = payable(invoice, world.network.key.keyId, verifier);
    const keyId = world.network.key.verificationKey.id;
    const own = new WalletSecrets(bytesOf('cheating payer'), keyId);
    const nine = own.output({ kind: 'requested', number: 0, salt: 1n }, 9n);
    const one = own.output({ kind: 'requested', number: 0, salt: 1n }, 1n);
    // One for ten: V is under the payee's proof.
    const less = { output: { ...token.output, value: one.output.value }, invoiced: one.invoiced };
    const inputs = [credential(payer)];
    expect(await reasons(send({ inputs, outputs: [less, marker, nine] }))).toEqual(['BadProof']);
    const ten = own.output({ kind: 'requested', number: 0, salt: 1n }, 10n);
    expect(await reasons(send({ inputs, outputs: [marker, ten] }))).toEqual(['accepted']);
    await expect(payee.receive(invoice)).rejects.toBeInstanceOf(NotPaid);
    expect((await world.wallet('cheated payee')).balance).toBe(0n);
  });

  test('cannot hide what it pays behind what it only locks, however much that is', async () => {
    const payer = await world.funded('hiding payer', 10n);
    const payee = await world.wallet('payee of the hidden');
    const invoice = await payee.invoice(10n);
    const [, marker] = payable(invoice, world.network.key.keyId, await mclVerifier());
    await payer.pay(invoice);
    await world.drain();
    // At every service more transactions with the payee's marker than one answer tells; their ids come before the payment's and behind it.
    const { context, file, asset } = world.network;
    const rest: Transaction = {
      asset,
      epoch: context.epoch,
      inputs: [],
      outputs: [marker.output],
      deposits: [],
      withdraw: undefined,
      proof: new Uint8Array(96),
      range: new Uint8Array(928),
    };
    const id = toHex(outputId(marker.output));
    for (let k = 0; k < 40; k++) {
      const depositId = bytesOf(`junk ${k}`);
      const signatures = [{ key: toHex(bytesOf('nobody')), signature: new Uint8Array(64) }];
      const junk = { ...rest, deposits: [{ depositId, value: 1n, owner: bytesOf('nobody'), signatures }] };
      const [of, bytes] = [transactionId(junk), encodeTransaction(junk)];
      for (const index of file.signersOf(asset)) {
        const store = world.network.storeOf(index);
        await store.write({ kind: 'put', table: 'Issuance', item: { ...transactionKey(of), bytes } });
        for (const certified of [false, true])
          await store.write({ kind: 'put', table: 'Issuance', item: { ...outputKey(id, of, certified) } });
      }
    }
    expect((await world.wallet('payee of the hidden')).balance).toBe(10n);
    await payee.receive(invoice);
    expect(payee.balance).toBe(10n);
  });
});

describe('a deposit', () => {
  test('for others’ outputs is not this wallet’s', async () => {
    const [mine, thine] = [await world.wallet('depositor'), await world.wallet('other depositor')];
    const request = await mine.requestDeposit(world.depositId(), 5n);
    await expect(thine.deposit(world.sign(request))).rejects.toBeInstanceOf(NotPaid);
  });

  test('that too few signed is refused by name, and the wallet goes on', async () => {
    const wallet = await world.wallet('too few');
    const request = await wallet.requestDeposit(world.depositId(), 5n);
    const { signatures, ...signed } = world.sign(request);
    expect(await reasons(wallet.deposit({ ...signed, signatures: signatures.slice(0, 1) }))).toEqual(['BadDeposit']);
    await wallet.deposit(world.sign(request));
    expect(wallet.balance).toBe(5n);
  });
});

describe('services', () => {
  test('are not believed to have said what others say in their names: neither that they refuse, nor that they have nothing', async () => {
    const gateway = new Impostor(world);
    const wallet = await world.funded('impersonated', 10n, { gateway });
    const payee = await world.wallet('payee of the impersonated', { gateway });
    const invoice = await payee.invoice(4n);
    await wallet.pay(invoice);
    await payee.receive(invoice);
    expect([wallet.balance, payee.balance]).toEqual([6n, 4n]);
    expect((await world.wallet('impersonated', { gateway })).balance).toBe(6n);
    expect(gateway.forged).toBeGreaterThan(20);
  });

  test('that sign wrongly are named, and replaced by others', async () => {
    const lying = new LyingGateway(world.network.gateway, 2, world.network.storeOf(2));
    const wallet = await world.wallet('lied to', { gateway: lying });
    const done = await wallet.deposit(world.sign(await wallet.requestDeposit(world.depositId(), 7n)));
    expect(done.culprits).toEqual([2]);
    expect(wallet.balance).toBe(7n);
  });

  test('that are silent are not needed up to n − t of them; with one more nothing is lost, and the step is finished later', async () => {
    const { committee } = world.network;
    const wallet = await world.wallet('patient');
    const request = await wallet.requestDeposit(world.depositId(), 9n);
    committee.kill(1);
    const done = await wallet.deposit(world.sign(request));
    expect(done.unheard).toContain(1);
    const payee = await world.wallet('payee of the patient');
    const invoice = await payee.invoice(4n);
    committee.kill(2);
    await expect(wallet.pay(invoice)).rejects.toThrow();
    committee.revive(1);
    committee.revive(2);
    await wallet.pay(invoice);
    await payee.receive(invoice);
    expect([wallet.balance, payee.balance]).toEqual([5n, 4n]);
  });
});

describe('a copy of a wallet', () => {
  test('spends nothing twice: it is refused by name, and then knows what there is', async () => {
    const wallet = await world.funded('copied', 10n);
    const copy = await world.wallet('copied');
    const payee = await world.wallet('payee of the copied');
    await wallet.pay(await payee.invoice(4n));
    // All services know, or some would say that the token is locked, and by what.
    await world.drain();
    expect(copy.balance).toBe(10n);
    expect(await reasons(copy.pay(await payee.invoice(10n)))).toEqual(['Spent']);
    expect(copy.balance).toBe(6n);
  });

  test('whose tokens an earlier, unfinished payment holds finishes that one, and then pays', async () => {
    await world.funded('interrupted', 10n);
    const copy = await world.wallet('interrupted');
    const payee = await world.wallet('payee of the interrupted');
    const [first, second] = [await payee.invoice(4n), await payee.invoice(3n)];
    // The votes never come back.
    const deaf = new Recorded(world.network.gateway);
    deaf.deaf = 'Transaction';
    const dying = await world.wallet('interrupted', { gateway: deaf });
    await expect(dying.pay(first)).rejects.toBeInstanceOf(NetworkRefused);
    await copy.pay(second);
    await payee.receive(first);
    await payee.receive(second);
    expect([copy.balance, payee.balance]).toEqual([3n, 7n]);
  });

  test('that divided the services’ locks loses those tokens and no others, pays no invoice twice, and can be opened', async () => {
    const wallet = await world.funded('divided', 10n);
    await wallet.deposit(world.sign(await wallet.requestDeposit(world.depositId(), 3n)));
    const payee = await world.wallet('payee of the divided');
    const [first, second] = [await payee.invoice(8n), await payee.invoice(9n)];
    // Each is shown to two services of four, and no answer comes back: neither can have three votes.
    const half = (services: readonly number[]) => {
      const gateway = new Recorded(world.network.gateway);
      gateway.deaf = 'Transaction';
      gateway.reaches = services;
      return gateway;
    };
    // Both know what there was before either paid.
    const copies = [
      [first, await world.wallet('divided', { gateway: half([1, 2]) })],
      [second, await world.wallet('divided', { gateway: half([3, 4]) })],
    ] as const;
    for (const [invoice, copy] of copies) await expect(copy.pay(invoice)).rejects.toBeInstanceOf(NetworkRefused);
    await world.drain();
    const restored = await world.wallet('divided');
    expect(await reasons(restored.pay(first))).toEqual(['Locked']);
    // No service is shown the token once more: what it paid for is still to be decided.
    await expect(restored.withdraw({ amount: '5', recipient: 'r', memo: '' })).rejects.toBeInstanceOf(
      InsufficientFunds,
    );
    const third = await payee.invoice(1n);
    await restored.pay(third);
    await payee.receive(third);
    // It can be opened again, too: the token in dispute counts until it is decided, and what was paid with the other is gone.
    expect((await world.wallet('divided')).balance).toBe(12n);
    expect(payee.balance).toBe(1n);
  });

  test('says the same bytes: a transaction planned twice is one', async () => {
    const cache = new Kept();
    await world.funded('repeated', 10n, { cache });
    const before = cache.bytes;
    const payee = await world.wallet('payee of the repeated');
    const invoice = await payee.invoice(4n);
    const transactions: (string | undefined)[] = [];
    for (let run = 0; run < 2; run++) {
      const gateway = new Recorded(world.network.gateway);
      gateway.drops = 'Transaction';
      const wallet = await world.wallet('repeated', { cache: new Kept(before), gateway });
      await expect(wallet.pay(invoice)).rejects.toBeInstanceOf(NetworkRefused);
      transactions.push(gateway.bodies.find((body) => body.startsWith('{"Transaction":')));
    }
    expect(transactions[0]).toBeDefined();
    expect(transactions[1]).toBe(transactions[0]);
  });

  test('with a cache that is another wallet’s asks the services instead', async () => {
    const cache = new Kept();
    await world.funded('cached', 3n, { cache });
    const other = await world.wallet('not cached', { cache: new Kept(cache.bytes) });
    expect(other.balance).toBe(0n);
    const broken = new Uint8Array(cache.bytes ?? []);
    broken[40] = (broken[40] ?? 0) ^ 1;
    expect((await world.wallet('cached', { cache: new Kept(broken) })).balance).toBe(3n);
  });
});
