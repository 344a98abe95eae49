/** Everything together, nothing replaced: three services make a key, and a token is deposited, spent and withdrawn through queues. */
import { x25519 } from '@noble/curves/ed25519.js';
import { expect, test } from 'vitest';
import { ownerOf, signDeposit } from '../../lib/coconut/deposit.ts';
import { type Credential, obtain } from '../../lib/coconut/issue.ts';
import { mclVerifier } from '../../lib/coconut/mcl-engine.ts';
import { type Transaction, transactionContentOf } from '../../lib/coconut/transaction-bytes.ts';
import { type OwnedOutput, ownOutput, requestOf } from '../../lib/coconut/transaction-output.ts';
import { makeTransaction, type TransactionPlan } from '../../lib/coconut/transaction-proof.ts';
import { type AssetKey, assetKeyOf } from '../../lib/coconut-keygen/asset-key.ts';
import { GATEWAY, LocalCommittee } from '../../lib/local/committee.ts';
import { systemRandom } from '../../lib/local/random.ts';
import { type Payload, parseBodyAs } from '../../lib/messages/catalogue.ts';
import { fromHex, type Hex, toHex } from '../../lib/messages/hex.ts';
import type { AnswerName, AnswerOf } from '../../lib/signing-service/answer.ts';
import { contextOf } from '../../lib/signing-service/context.ts';
import { DEPOSITORS } from '../coconut/token-fixtures.ts';
import { bytesOf } from '../messages/fixtures.ts';
import { answerersOf, Questions } from './answered.ts';
import { ASSET } from './plain.ts';

const random = (length: number): Uint8Array => systemRandom.bytes(length);
const SECRET = bytesOf('one-time key');
const reply = { replyTo: GATEWAY as string, replyKey: toHex(x25519.getPublicKey(SECRET)) };

/** A wallet behind the gateway. */
class Wallet {
  readonly committee: LocalCommittee;
  readonly bodies: string[] = [];
  readonly questions = new Questions();
  readonly withdrawals: Payload<'Withdrawal'>[] = [];
  key: AssetKey | undefined;

  constructor() {
    const depositors = { keys: DEPOSITORS.map(({ key }) => key), required: 2, capPerEpoch: '1000' };
    this.committee = new LocalCommittee({
      operators: 3,
      threshold: 2,
      coins: [],
      assets: { [ASSET]: { t: 2, f: 0, epoch: 0, depositors } },
      cloud: { seed: new Uint8Array(32).fill(4), clock: 'virtual' },
    });
    this.committee.onAnswer((body) => this.bodies.push(body));
    this.committee.onWithdrawal((withdrawal) => this.withdrawals.push(withdrawal));
    this.committee.onAddress(({ keyId, certificate }) => {
      if ('verificationKey' in certificate) this.key = assetKeyOf(keyId, certificate);
    });
  }

  get asset(): AssetKey {
    if (!this.key) throw new Error('the services have made no key');
    return this.key;
  }

  get answerers() {
    return answerersOf(this.committee.committee, ASSET);
  }

  get context() {
    return contextOf(this.committee.committee, ASSET, this.asset.coconut, this.asset.verificationKey);
  }

  async post<N extends AnswerName>(message: 'Transaction' | 'TransactionCertificate', payload: object, expected: N) {
    const body = this.questions.ask(JSON.stringify({ [message]: { ...payload, ...reply } }));
    await this.committee.post(ASSET, message, body);
    await this.committee.cloud.run();
    const answers: AnswerOf<N>[] = [];
    for (const body of this.bodies.splice(0)) {
      const parsed = parseBodyAs(expected, body);
      if (!parsed.ok) throw new Error(parsed.reason);
      const sealed = parsed.payload as Payload<'TransactionVote'>;
      const answer = await this.questions.open(this.answerers, expected, sealed, SECRET);
      if (!answer) throw new Error('an answer does not open');
      answers.push(answer);
    }
    return answers;
  }

  async send(transaction: Transaction) {
    const votes = await this.post('Transaction', transactionContentOf(transaction), 'TransactionVote');
    const cast = votes.flatMap((each) => ('vote' in each ? [each] : []));
    const signatures = cast.map(({ index, signature }) => ({ index, signature })).sort((a, b) => a.index - b.index);
    return this.post(
      'TransactionCertificate',
      { vote: cast[0]?.vote, signatures: signatures.slice(0, 2) },
      'PartialSignatures',
    );
  }

  async make(plan: Partial<TransactionPlan>): Promise<Transaction> {
    const whole = { inputs: [], outputs: [], deposits: [], ...plan };
    return makeTransaction(this.context, whole, await mclVerifier(), () => random);
  }

  output(value: bigint): OwnedOutput {
    const serial = BigInt(`0x${Buffer.from(random(31)).toString('hex')}`);
    return ownOutput(this.asset.verificationKey.id, { serial, value }, random);
  }

  async credential(
    { output, opening }: OwnedOutput,
    issued: AnswerOf<'PartialSignatures'>[],
    k = 0,
  ): Promise<Credential> {
    const partials = issued.map(({ index, signatures }) => ({ index, signature: fromHex(signatures[k] as Hex) }));
    const request = { statement: requestOf(this.asset.verificationKey.id, output), opening };
    const keys = { verificationKey: this.asset.verificationKey, serviceKeys: this.asset.serviceKeys };
    const got = obtain(this.asset.coconut, keys, request, partials, { verifier: await mclVerifier(), random });
    if (!got.ok) throw new Error(`services ${got.culprits} signed wrongly`);
    return got.credential;
  }
}

test('a token is deposited, split, and withdrawn; and is spent for ever after', async () => {
  const wallet = new Wallet();
  await wallet.committee.assemble();
  await wallet.committee.cloud.run();

  const mine = wallet.output(100n);
  const statement = { depositId: random(32), value: 100n, owner: ownerOf([mine.output]) };
  const signatures = DEPOSITORS.slice(0, 2).map(({ key, secret }) => ({
    key,
    signature: signDeposit(wallet.context, statement, secret),
  }));
  const issued = await wallet.send(await wallet.make({ outputs: [mine], deposits: [{ ...statement, signatures }] }));
  const token = await wallet.credential(mine, issued);

  const [change, paid] = [wallet.output(60n), wallet.output(40n)];
  const split = await wallet.send(await wallet.make({ inputs: [token], outputs: [change, paid] }));
  expect(split.map(({ index }) => index).sort()).toEqual([1, 2, 3]);
  const half = await wallet.credential(paid, split, 1);
  expect(half.attributes[1]).toBe(40n);

  const withdraw = { amount: '40', recipient: 'bc1q', memo: 'rent' };
  await wallet.send(await wallet.make({ inputs: [half], withdraw }));
  expect(wallet.withdrawals.map(({ amount, recipient }) => [amount, recipient])).toEqual(Array(3).fill(['40', 'bc1q']));

  const again = await wallet.make({ inputs: [token], outputs: [wallet.output(100n)] });
  const refused = await wallet.post('Transaction', transactionContentOf(again), 'TransactionVote');
  expect(refused.map((each) => 'refusal' in each && each.refusal.reason)).toEqual(Array(3).fill('Spent'));
});
