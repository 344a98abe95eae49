/** The same protocol over the real scheme: tokens are deposited, paid, withdrawn; 2 of 3 with a dealt key, which is what `fromSecret` is for. */
import { beforeAll, describe, expect, test } from 'vitest';
import { Coconut } from '../../lib/coconut/coconut.ts';
import { generateKeys } from '../../lib/coconut/dealer.ts';
import { type Credential, obtain } from '../../lib/coconut/issue.ts';
import { mclVerifier } from '../../lib/coconut/mcl-engine.ts';
import { type Transaction, transactionContentOf, transactionId } from '../../lib/coconut/transaction-bytes.ts';
import { type OwnedOutput, requestOf } from '../../lib/coconut/transaction-output.ts';
import { LocalCloud } from '../../lib/local/cloud.ts';
import { systemRandom } from '../../lib/local/random.ts';
import { Committee, type CommitteeFile } from '../../lib/messages/committee.ts';
import { fromHex, type Hex, toHex } from '../../lib/messages/hex.ts';
import { HALT } from '../../lib/node/rows.ts';
import { QuorumRefused } from '../../lib/signing-service/certificate.ts';
import { NetworkRefused, type PartialIssue, SigningNetwork } from '../../lib/signing-service/network.ts';
import { type Issued, type Refused, SigningService, type WithdrawalNotice } from '../../lib/signing-service/service.ts';
import { tablesOf } from '../../lib/signing-service/tables.ts';
import { Secret } from '../../lib/vault/secret.ts';
import { DEPOSITORS, Mint } from '../coconut/token-fixtures.ts';
import { committeeOf, signatureSecret } from './world.ts';

/** Three services, and depositors two of three, in the file of a committee whose challenges the mint uses. */
function agreed(): Committee {
  const { file } = committeeOf(3, 2, 0);
  const depositors = { keys: DEPOSITORS.map(({ key }) => key), required: 2, capPerEpoch: '1000' };
  const usd = file.assets['usd'];
  if (!usd) throw new Error('no asset');
  return new Committee({ ...file, assets: { usd: { ...usd, depositors } } } satisfies CommitteeFile);
}

class Bank extends Mint {
  readonly committee = agreed();
  readonly cloud = new LocalCloud({ seed: new Uint8Array(32).fill(3), clock: 'virtual' });
  readonly withdrawals: WithdrawalNotice[] = [];
  readonly services: SigningService[] = [];
  override readonly context = { ...this.agreedContext() };

  agreedContext() {
    return {
      network: this.committee.file.network,
      committee: this.committee.id,
      asset: 'usd',
      epoch: 3,
      parameters: this.coconut,
      key: this.keys.verificationKey,
      depositors: { keys: DEPOSITORS.map(({ key }) => key), required: 2 },
    };
  }

  async open(): Promise<this> {
    for (const index of [1, 2, 3]) {
      const store = this.cloud.store(`operator${index}/usd`);
      const secret = this.keys.secretKeys[index - 1];
      if (!secret) throw new Error('no such share');
      this.services.push(
        SigningService.fromSecret(this.coconut, secret, this.keys.verificationKey, index, {
          committee: this.committee,
          asset: 'usd',
          store,
          telemetry: { record: () => {} },
          random: (length) => systemRandom.bytes(length),
          now: () => Math.floor(this.cloud.now / 1000),
          signatureKey: async () => new Secret(new Uint8Array(signatureSecret(index))),
          withdrawn: async (notice) => void this.withdrawals.push(notice),
          halt: HALT,
          began: await tablesOf(store),
        }),
      );
    }
    return this;
  }

  get network(): SigningNetwork {
    return new SigningNetwork(this.services);
  }

  async send(transaction: Transaction): Promise<readonly PartialIssue[]> {
    return this.network.process(transactionContentOf(transaction));
  }

  /** What the owner of output number `k` makes of the result. */
  credentialOf({ output, opening }: OwnedOutput, issued: readonly PartialIssue[], k: number): Credential {
    const partials = issued.map(({ index, signatures }) => ({ index, signature: fromHex(signatures[k] as Hex) }));
    const statement = requestOf(this.context.key.id, output);
    const got = obtain(this.coconut, this.keys, { statement, opening }, partials, {
      verifier: this.verifier,
      random: this.random,
    });
    if (!got.ok) throw new Error(`services ${got.culprits} signed wrongly`);
    return got.credential;
  }

  /** A deposit of so much, as one token. */
  async deposited(value: bigint): Promise<Credential> {
    const mine = this.output(value);
    const transaction = this.make({ outputs: [mine], deposits: [this.deposit(value, [mine.output])] });
    return this.credentialOf(mine, await this.send(transaction), 0);
  }
}

let bank: Bank;
beforeAll(async () => {
  bank = await new Bank(await mclVerifier(), 'bank').open();
});

async function refusals(run: Promise<unknown>): Promise<string[]> {
  try {
    await run;
  } catch (error) {
    if (!(error instanceof NetworkRefused)) throw error;
    return [...new Set(error.refusals.map(({ refusal }: Refused) => refusal.reason))];
  }
  return ['accepted'];
}

describe('tokens over signing services', () => {
  test('are signed with no key of another t than the votes that it needs: two who cannot certify anything could print', async () => {
    const store = bank.cloud.store('operator1/usd');
    const setting = {
      committee: committeeOf(4, 3, 1),
      asset: 'usd',
      store,
      telemetry: { record: () => {} },
      random: (length: number) => systemRandom.bytes(length),
      now: () => 0,
      signatureKey: async () => new Secret(new Uint8Array(signatureSecret(1))),
      halt: HALT,
      began: await tablesOf(store),
    };
    const of = (threshold: number) => {
      const coconut = Coconut.create({ attributes: 2, threshold, total: 4 }, bank.random);
      const { secretKeys, verificationKey } = generateKeys(coconut);
      const [secret] = secretKeys;
      if (!secret) throw new Error('no share');
      return () => SigningService.fromSecret(coconut, secret, verificationKey, 1, setting);
    };
    expect(of(2)).toThrow('expected a key of usd with t = 3, got one with t = 2');
    expect(of(4)).toThrow(QuorumRefused);
    expect(of(3)()).toMatchObject({ index: 1 });
  });

  test('are deposited, paid in two outputs, and withdrawn; each step’s signatures are credentials of the next', async () => {
    const token = await bank.deposited(100n);
    const [change, paid] = [bank.output(70n), bank.output(30n)];
    const payment = bank.make({ inputs: [token], outputs: [change, paid] });
    const issued = await bank.send(payment);
    expect(issued).toHaveLength(3);
    const [first, second] = [bank.credentialOf(change, issued, 0), bank.credentialOf(paid, issued, 1)];
    expect([first.attributes[1], second.attributes[1]]).toEqual([70n, 30n]);
    const withdraw = { amount: '100', recipient: 'bc1q', memo: '' };
    const out = bank.make({ inputs: [first, second], withdraw });
    await bank.send(out);
    expect(bank.withdrawals.map(({ transaction, amount }) => [transaction, amount])).toEqual(
      Array(3).fill([transactionId(out), '100']),
    );
  });

  test('are credentials though the first of the services lies: what the others signed is there, too', async () => {
    const mine = bank.output(6n);
    const made = bank.make({ outputs: [mine], deposits: [bank.deposit(6n, [mine.output])] });
    const [first, ...others] = bank.services;
    if (!first) throw new Error('no service');
    const liar = {
      index: first.index,
      quorum: first.quorum,
      process: async (request: never) => {
        const answer = await first.process(request);
        // A point that is none of its signatures.
        return 'signatures' in answer ? { ...(answer as Issued), signatures: [toHex(mine.output.commitment)] } : answer;
      },
    } as unknown as SigningService;
    const issued = await new SigningNetwork([liar, ...others]).process(transactionContentOf(made));
    expect(() => bank.credentialOf(mine, issued, 0)).toThrow('services 1 signed wrongly');
    const honest = issued.filter(({ index }) => index !== 1);
    expect(bank.credentialOf(mine, honest, 0).attributes[1]).toBe(6n);
  });

  test('pay once: a second payment of the same token is refused, and its first one is repeated with the same bytes', async () => {
    const token = await bank.deposited(10n);
    const [mine, thine] = [bank.output(10n), bank.output(10n)];
    const first = bank.make({ inputs: [token], outputs: [mine] });
    const issued = await bank.send(first);
    expect(await refusals(bank.send(bank.make({ inputs: [token], outputs: [thine] })))).toEqual(['Spent']);
    expect(await bank.send(first)).toEqual(issued);
    expect(await refusals(bank.send({ ...first, range: new Uint8Array(first.range.length) }))).not.toEqual([
      'accepted',
    ]);
  });

  test('what is locked and not finished is finished from its stored bytes', async () => {
    const token = await bank.deposited(10n);
    const mine = bank.output(10n);
    const first = bank.make({ inputs: [token], outputs: [mine] });
    const [one] = bank.services;
    await one?.process(transactionContentOf(first));
    const answer = await one?.process(
      transactionContentOf(bank.make({ inputs: [token], outputs: [bank.output(10n)] })),
    );
    if (!answer || !('refusal' in answer) || answer.refusal.reason !== 'Locked') throw new Error('expected a lock');
    const { readTransaction } = await import('../../lib/coconut/transaction-bytes.ts');
    const found = readTransaction(fromHex(answer.refusal.transaction));
    if (!found.ok) throw new Error('the bytes are no transaction');
    expect(transactionId(found.transaction)).toBe(transactionId(first));
    const issued = await bank.send(found.transaction);
    expect(bank.credentialOf(mine, issued, 0).attributes[1]).toBe(10n);
  });

  test('refuse a deposit that too few depositors signed, or that pays others’ outputs, and lock nothing', async () => {
    const [mine, thine] = [bank.output(5n), bank.output(5n)];
    const rows = () => [1, 2, 3].map((index) => bank.cloud.inspect.items(`operator${index}/usd`, 'Serials').length);
    const before = rows();
    const few = bank.deposit(5n, [mine.output], {}, DEPOSITORS.slice(0, 1));
    const others = bank.deposit(5n, [thine.output]);
    for (const deposit of [few, others]) {
      const transaction = bank.make({ outputs: [mine], deposits: [deposit] });
      expect(await refusals(bank.send(transaction))).toEqual(['BadDeposit']);
    }
    expect(rows()).toEqual(before);
  });

  test('refuse every changed byte of the proofs, the shows and the openings, and lock nothing for it', async () => {
    const token = await bank.deposited(10n);
    const good = bank.make({ inputs: [token], outputs: [bank.output(10n)] });
    const content = transactionContentOf(good);
    const [input] = content.inputs;
    const [output] = content.outputs;
    if (!input || !output) throw new Error('no input');
    const flip = (hex: Hex): Hex => toHex(fromHex(hex).map((byte, i, all) => (i === all.length - 1 ? byte ^ 1 : byte)));
    const changed = [
      { ...content, proof: flip(content.proof) },
      { ...content, range: flip(content.range) },
      { ...content, inputs: [{ ...input, tag: content.outputs[0]?.value ?? '0x' }] },
      { ...content, inputs: [{ ...input, s: input.h }] },
      { ...content, outputs: [{ ...output, ownerProof: flip(output.ownerProof) }] },
      { ...content, epoch: 4 },
    ];
    const service = bank.services[0];
    const items = () => bank.cloud.inspect.items('operator1/usd', 'Serials').length;
    const before = items();
    for (const each of changed) expect(await service?.process(each as never)).toHaveProperty('refusal');
    expect(items()).toBe(before);
    expect(await service?.process(content)).toHaveProperty('vote');
  });
});
