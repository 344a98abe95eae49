/** What payers, payees and services can do to a wallet that is not theirs: hide what it was paid, keep it from being opened, learn what it has. */
import { beforeAll, describe, expect, test } from 'vitest';
import { outputId } from '../../lib/coconut/deposit.ts';
import { mclVerifier } from '../../lib/coconut/mcl-engine.ts';
import {
  encodeTransaction,
  type Transaction,
  transactionContentOf,
  transactionId,
} from '../../lib/coconut/transaction-bytes.ts';
import { makeTransaction, type Paid } from '../../lib/coconut/transaction-proof.ts';
import { systemRandom } from '../../lib/local/random.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import { quorumOf } from '../../lib/signing-service/certificate.ts';
import { NetworkRefused } from '../../lib/signing-service/network.ts';
import { outputKey, transactionKey } from '../../lib/signing-service/rows.ts';
import { WalletSecrets } from '../../lib/wallet/derivation.ts';
import { ask } from '../../lib/wallet/gateway.ts';
import { type Invoice, payable } from '../../lib/wallet/invoice.ts';
import { NotPaid, type Wallet } from '../../lib/wallet/wallet.ts';
import { bytesOf, Kept, Recorded, World } from './world.ts';

const random = (length: number): Uint8Array => systemRandom.bytes(length);
let world: World;
beforeAll(async () => {
  world = await new World(4, 3, 1, 'strangers').start();
});

/** While one service is silent. */
async function withoutOne(doing: () => Promise<void>): Promise<void> {
  const { committee } = world.network;
  committee.kill(4);
  try {
    await doing();
  } finally {
    committee.revive(4);
  }
}

const outputsOf = async (invoice: Invoice): Promise<readonly [Paid, Paid]> =>
  payable(invoice, world.network.key.keyId, await mclVerifier());

/** As a service that lies: it says that it has this, and has checked nothing. */
async function put(index: number, transaction: Transaction, certified = false): Promise<void> {
  const store = world.network.storeOf(index);
  const [id, bytes] = [transactionId(transaction), encodeTransaction(transaction)];
  await store.write({ kind: 'put', table: 'Issuance', item: { ...transactionKey(id), bytes } });
  for (const output of transaction.outputs)
    await store.write({
      kind: 'put',
      table: 'Issuance',
      item: { ...outputKey(toHex(outputId(output)), id, certified) },
    });
}

/** Nothing in it is proven. */
function unproven(outputs: readonly Paid[], label: string): Transaction {
  const { context, asset } = world.network;
  const signatures = [{ key: toHex(bytesOf('nobody')), signature: new Uint8Array(64) }];
  return {
    asset,
    epoch: context.epoch,
    inputs: [],
    outputs: outputs.map(({ output }) => output),
    deposits: [{ depositId: bytesOf(label), value: 1n, owner: bytesOf('nobody'), signatures }],
    withdraw: undefined,
    proof: new Uint8Array(96),
    range: new Uint8Array(1_024),
  };
}

/** A transaction of the payer's one token, proven, shown to these services only. */
async function lock(payer: Wallet, outputs: readonly Paid[], services: readonly number[]): Promise<void> {
  const { file, asset, gateway, context } = world.network;
  const [token] = payer.tokens;
  if (!token) throw new Error('the payer has no token');
  const plan = { inputs: [token.credential], outputs, deposits: [] };
  const made = makeTransaction(context, plan, await mclVerifier(), () => random);
  const asked = { gateway, quorum: quorumOf(file, asset) };
  const content = transactionContentOf(made);
  let votes = 0;
  for await (const answer of ask(asked, 'Transaction', content, () => random(32), undefined, services)) {
    if ('vote' in answer) votes++;
    if (votes === services.length) break;
  }
  expect(votes).toBe(services.length);
}

/** The payer's token is divided between a payment of the invoice and one of its own: neither can have three votes of honest services. */
async function divide(seed: string, invoice: Invoice): Promise<void> {
  const payer = await world.funded(seed, BigInt(invoice.amount));
  const secrets = new WalletSecrets(bytesOf(seed), world.network.key.verificationKey.id);
  const own = secrets.output({ kind: 'requested', number: 9, salt: 9n }, BigInt(invoice.amount));
  await lock(payer, await outputsOf(invoice), [1, 2]);
  await lock(payer, [own], [3]);
}

const tagsIn = (bodies: readonly string[], tags: readonly Hex[]): readonly Hex[] =>
  tags.filter((tag) => bodies.some((body) => body.includes(tag)));

describe('what a wallet was paid', () => {
  test('is found from its seed, though a service said that a later invoice was paid, and now says nothing', async () => {
    const seed = 'led beyond its window';
    const payee = await world.wallet(seed);
    const invoices = [await payee.invoice(1n), await payee.invoice(1n), await payee.invoice(1n)];
    // The window is 3: whoever asks for more than that has to have been paid.
    await put(4, unproven(await outputsOf(invoices[2] as Invoice), 'as if paid'));
    await expect(payee.receive(invoices[2] as Invoice)).rejects.toBeInstanceOf(NotPaid);
    const invoice = await payee.invoice(10n);
    await (await world.funded('payer beyond the window', 10n)).pay(invoice);
    await payee.receive(invoice);
    expect(payee.balance).toBe(10n);
    await withoutOne(async () => {
      expect((await world.wallet(seed)).balance).toBe(10n);
    });
  });

  test('nor does a payment that is proven and can never be certified move what is looked for', async () => {
    const seed = 'led by a divided payment';
    const payee = await world.wallet(seed);
    const invoices = [await payee.invoice(1n), await payee.invoice(1n), await payee.invoice(1n)];
    await divide('divider of the third', invoices[2] as Invoice);
    await withoutOne(async () => {
      await expect(payee.receive(invoices[2] as Invoice)).rejects.toBeInstanceOf(NetworkRefused);
    });
    const numbers: Invoice[] = [];
    for (let k = 0; k < 3; k++) numbers.push(await payee.invoice(1n));
    const markers = (all: readonly Invoice[]) => all.map(({ marker }) => marker.commitment).sort();
    expect(markers(numbers)).toEqual(markers(invoices));
  });

  test('is received and restored, though its payer has begun another payment that nobody can finish, and one service is silent', async () => {
    const seed = 'obstructed';
    const payee = await world.wallet(seed);
    const [bait, invoice] = [await payee.invoice(1n), await payee.invoice(5n)];
    await divide('obstructor', bait);
    await (await world.funded('payer of the obstructed', 5n)).pay(invoice);
    await world.drain();
    await withoutOne(async () => {
      await expect(payee.receive(bait)).rejects.toBeInstanceOf(NetworkRefused);
      await payee.receive(invoice);
      expect(payee.balance).toBe(5n);
      expect((await world.wallet(seed)).balance).toBe(5n);
    });
  });

  test('is not looked for in what is not proven: a service that says much makes a wallet send nothing', async () => {
    const seed = 'told much';
    const payee = await world.wallet(seed);
    const invoice = await payee.invoice(1n);
    const outputs = await outputsOf(invoice);
    for (let k = 0; k < 5; k++) await put(4, unproven(outputs, `told ${k}`));
    const gateway = new Recorded(world.network.gateway);
    const restored = await world.wallet(seed, { gateway });
    await expect(restored.receive(invoice)).rejects.toBeInstanceOf(NotPaid);
    expect(gateway.bodies.filter((body) => !body.startsWith('{"RecoverIssued":'))).toHaveLength(0);
  });
});

describe('what services see', () => {
  test('of a token before it is spent is not its tag: neither when it comes in, nor when another does', async () => {
    const gateway = new Recorded(world.network.gateway);
    const wallet = await world.funded('unlinked', 10n, { gateway });
    const payer = await world.funded('payer of the unlinked', 10n);
    const invoice = await wallet.invoice(4n);
    await payer.pay(invoice);
    await wallet.receive(invoice);
    const tags = wallet.tokens.map(({ tag }) => tag);
    expect(tags).toHaveLength(2);
    expect(tagsIn(gateway.bodies, tags)).toEqual([]);
    // Of what is spent, that tag and no other.
    await wallet.split([1n]);
    expect(tagsIn(gateway.bodies, tags)).toHaveLength(1);
  });
});

describe('a wallet', () => {
  test('that is opened from an old cache shows no token before it knows what became of it', async () => {
    const cache = new Kept();
    const seed = 'old cache';
    await world.funded(seed, 10n, { cache });
    const before = cache.bytes;
    const payee = await world.wallet('payee of the old cache');
    const [first, second] = [await payee.invoice(4n), await payee.invoice(3n)];
    // It reached two services of four, and died.
    const gateway = new Recorded(world.network.gateway);
    gateway.deaf = 'Transaction';
    gateway.reaches = [1, 2];
    const dying = await world.wallet(seed, { cache, gateway });
    await expect(dying.pay(first)).rejects.toBeInstanceOf(NetworkRefused);
    await world.drain();
    const copy = await world.wallet(seed, { cache: new Kept(before) });
    await copy.pay(second);
    await payee.receive(first);
    await payee.receive(second);
    expect([copy.balance, payee.balance]).toEqual([3n, 7n]);
  });

  test('that is opened from its cache brings no spent token back, though it is told of the payment again', async () => {
    const cache = new Kept();
    const wallet = await world.wallet('receives twice', { cache });
    const invoice = await wallet.invoice(4n);
    await (await world.funded('payer of who receives twice', 4n)).pay(invoice);
    await wallet.receive(invoice);
    await wallet.withdraw({ amount: '3', recipient: 'an account', memo: '' });
    const again = await world.wallet('receives twice', { cache });
    await again.receive(invoice);
    expect(again.balance).toBe(1n);
  });

  test('keeps what it has, not what it had: a cache that is slow once is not overtaken', async () => {
    const inner = new Kept();
    let slow: (() => void) | undefined;
    let slowly = false;
    const cache = {
      load: () => inner.load(),
      async save(bytes: Uint8Array) {
        if (slowly) {
          slowly = false;
          await new Promise<void>((resolve) => {
            slow = resolve;
          });
        }
        await inner.save(bytes);
      },
    };
    const gateway = new Recorded(world.network.gateway);
    const wallet = await world.funded('slow cache', 10n, { cache, gateway });
    slowly = true;
    const asked = wallet.invoice(1n);
    gateway.deaf = 'Transaction';
    setTimeout(() => slow?.(), 1_500);
    await expect(wallet.split([1n])).rejects.toBeInstanceOf(NetworkRefused);
    await asked;
    // Its token is held by the split that services may have seen.
    const again = new Recorded(world.network.gateway);
    again.drops = 'Transaction';
    const reopened = await world.wallet('slow cache', { cache: inner, gateway: again });
    await expect(reopened.merge()).rejects.toBeInstanceOf(NetworkRefused);
    expect(again.bodies.some((body) => body.startsWith('{"Transaction":'))).toBe(true);
  });

  test('sends nothing that no service reads, and goes on', async () => {
    const wallet = await world.funded('malformed withdrawals', 2n);
    for (const withdraw of [
      { amount: '1', recipient: 'an account', memo: 'x'.repeat(257) },
      { amount: '1', recipient: '', memo: '' },
      { amount: '0x1', recipient: 'an account', memo: '' },
    ])
      await expect((async () => wallet.withdraw(withdraw))()).rejects.toBeInstanceOf(RangeError);
    await wallet.split([1n]);
    expect(wallet.balance).toBe(2n);
  });
});

test('a service of the committee that has no share of the key costs nobody anything, whatever it answers', async () => {
  const some = await new World(4, 3, 1, 'a service without a share').start();
  // As if the key had been made by the first three.
  const { key } = some.network;
  const three = { ...key, serviceKeys: key.serviceKeys.slice(0, 3) };
  some.network.committee.kill(1);
  // Three answer: one of them has no share, and is no reason to give up.
  const wallet = await some.wallet('paid by three', { key: three });
  const request = await wallet.requestDeposit(some.depositId(), 3n);
  await expect(wallet.deposit(some.sign(request))).rejects.toBeInstanceOf(NetworkRefused);
  some.network.committee.revive(1);
  await wallet.deposit(some.sign(request));
  expect(wallet.balance).toBe(3n);
});
