/** What a withdrawal certificate pays for, at operators as they run: once, to whom and how much it says, by one key. */
import { x25519 } from '@noble/curves/ed25519.js';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { GATEWAY, LocalCommittee, type Report } from '../../lib/local/committee.ts';
import { type Payload, parseBodyAs } from '../../lib/messages/catalogue.ts';
import type { MultisigEvent } from '../../lib/messages/events.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import type { WithdrawalProof } from '../../lib/messages/tokens.ts';
import { PAID_PREFIX } from '../../lib/node/rows.ts';
import { paymentMessage, paymentOf, paymentRequestId } from '../../lib/signing/payment.ts';
import { quorumOf } from '../../lib/signing-service/certificate.ts';
import { bytesOf } from '../messages/fixtures.ts';
import { answerersOf, Questions } from '../signing-service/answered.ts';
import { tag } from '../signing-service/plain.ts';

vi.mock('../../lib/signing-service/coconut-scheme.ts', async () => {
  const { PlainScheme } = await import('../signing-service/plain.ts');
  return { coconutScheme: () => new PlainScheme() };
});

type Sign = Extract<Payload<'MultisigInstruction'>, { Sign: unknown }>['Sign'];

type SigningOutcome = Extract<MultisigEvent, { SigningOutcome: unknown }>['SigningOutcome'];

const [COIN, ASSET, OPERATORS, LIFE] = ['btc', 'usd', 3, 300] as const;
const SECRET = bytesOf('one-time key');
const point = (length: number): Hex => `0x${'01'.repeat(length)}`;

let committee: LocalCommittee;
const keys: Hex[] = [];
const outcomes: SigningOutcome[] = [];
const refusals: { readonly operator: number; readonly detail: string }[] = [];
const reports: Report[] = [];
const withdrawals: WithdrawalProof[] = [];

beforeAll(async () => {
  committee = new LocalCommittee({
    operators: OPERATORS,
    threshold: 2,
    coins: [COIN],
    assets: { [ASSET]: { t: 2, f: 0, epoch: 3, depositors: { keys: [DEPOSITOR], required: 1, capPerEpoch: '9' } } },
    policies: [{ kind: 'withdrawal-certificate', asset: ASSET }],
    cloud: { seed: bytesOf('withdrawals'), clock: 'virtual' },
  });
  committee.onReport((report) => reports.push(report));
  committee.onWithdrawal((withdrawal) => withdrawals.push(withdrawal));
  committee.onAddress(({ coin, keyId }) => {
    if (coin === COIN && !keys.includes(keyId)) keys.push(keyId);
  });
  committee.onOutcome((event) => {
    if ('SigningOutcome' in event) outcomes.push(event.SigningOutcome);
    if ('Refused' in event) refusals.push(event.Refused);
  });
  await committee.assemble();
  await committee.cloud.run();
  // A second key of the same coin: another vault.
  const keyGen = {
    coin: COIN,
    suite: 'FROST-secp256k1-SHA256-TR-v1' as const,
    t: 2,
    signers: [1, 2, 3],
    requestId: toHex(bytesOf('second key').subarray(0, 16)),
    expiresAt: committee.now() + 600,
  };
  await committee.instruct(COIN, { KeyGen: keyGen });
  await committee.cloud.run();
  expect(keys).toHaveLength(2);
});

const DEPOSITOR: Hex = '0xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';

/** Both phases of a withdrawal at the services. */
async function withdrawn(serial: number): Promise<WithdrawalProof> {
  const bodies: string[] = [];
  committee.onAnswer((body) => bodies.push(body));
  const questions = new Questions();
  const post = async (message: 'Transaction' | 'TransactionCertificate', payload: object) => {
    const replyTo = { replyTo: GATEWAY as string, replyKey: toHex(x25519.getPublicKey(SECRET)) };
    const body = questions.ask(JSON.stringify({ [message]: { ...payload, ...replyTo } }));
    await committee.post(ASSET, message, body);
    await committee.cloud.run();
  };
  const withdraw = { amount: '30', recipient: `${COIN}:bc1p${serial}`, memo: 'home' };
  await post('Transaction', {
    version: 1,
    asset: ASSET,
    epoch: 3,
    inputs: [{ h: point(48), s: point(48), kappa: point(96), tag: tag(serial), value: point(48) }],
    outputs: [],
    deposits: [],
    withdraw,
    proof: toHex(Buffer.from(JSON.stringify({ tags: [tag(serial)], withdraw }))),
    range: '0x',
  });
  const answers = await Promise.all(
    bodies.map((body) => {
      const parsed = parseBodyAs('TransactionVote', body);
      if (!parsed.ok) throw new Error(parsed.reason);
      return questions.open(answerersOf(committee.committee, ASSET), 'TransactionVote', parsed.payload, SECRET);
    }),
  );
  const votes = answers.flatMap((each) => (each && 'vote' in each ? [each] : []));
  const signatures = votes.map(({ index, signature }) => ({ index, signature })).sort((a, b) => a.index - b.index);
  await post('TransactionCertificate', { vote: votes[0]?.vote, signatures });
  const proof = withdrawals.at(-1);
  if (proof?.recipient !== withdraw.recipient) throw new Error('no withdrawal was announced');
  return proof;
}

function payment(proof: WithdrawalProof, key: Hex | undefined = keys[0], life: number = LIFE): Sign {
  const { context } = quorumOf(committee.committee, ASSET);
  const expiresAt = committee.now() + life;
  return {
    keyId: key ?? '0x',
    messages: [paymentMessage(context, COIN, proof)],
    purpose: 'withdrawal',
    requestId: paymentRequestId(context, COIN, proof.transaction, expiresAt),
    expiresAt,
    withdrawal: proof,
  };
}

/** Shown to all operators. @returns what they made of it */
async function asked(...signs: readonly Sign[]) {
  for (const list of [outcomes, refusals, reports]) list.length = 0;
  for (const sign of signs) await committee.instruct(COIN, { Sign: sign });
  await committee.cloud.run({ until: committee.cloud.now + 2 * LIFE * 1000 });
  const signed = new Set(outcomes.flatMap(({ result, ceremony }) => (result === 'succeeded' ? [ceremony] : [])));
  return { signed: signed.size, refusals: refusals.map(({ detail }) => detail) };
}

function paid(operator: number, { transaction }: WithdrawalProof) {
  const rows = committee.cloud.inspect.items(`operator${operator}/${COIN}`, 'Nonces');
  return rows.filter(({ pk, sk }) => `${pk}${sk}`.includes(transaction) && pk.startsWith(PAID_PREFIX));
}

describe('a withdrawal certificate that was shown to the operators of a vault', () => {
  test('is bound to one payment where a share leaves, and the same payment again is the same message', async () => {
    const proof = await withdrawn(1);
    const first = payment(proof);
    expect(await asked(first)).toEqual({ signed: 1, refusals: [] });
    const rows = () => [1, 2, 3].flatMap((operator) => paid(operator, proof));
    const before = rows();
    expect(before.length).toBeGreaterThanOrEqual(2);
    for (const row of before) expect(row['payment']).toBe(paymentOf(first.keyId, first.messages[0] ?? '0x'));
    // Another expiry is another ceremony, and says the same.
    const again = payment(proof, keys[0], LIFE + 1);
    expect(again.requestId).not.toBe(first.requestId);
    expect(again.messages).toEqual(first.messages);
    expect(await asked(again)).toEqual({ signed: 1, refusals: [] });
    expect(new Set(rows().map((row) => JSON.stringify(row)))).toEqual(
      new Set(before.map((row) => JSON.stringify(row))),
    );
  });

  test('is refused for another key after it has paid, by every operator that has released a share', async () => {
    const proof = await withdrawn(2);
    expect((await asked(payment(proof))).signed).toBe(1);
    const other = await asked(payment(proof, keys[1]));
    expect(other.signed).toBe(0);
    expect(other.refusals.length).toBeGreaterThanOrEqual(2);
    for (const refusal of other.refusals) expect(refusal).toMatch(/paid for nothing else/);
  });

  test('pays by one key only if it is shown for two at once', async () => {
    const proof = await withdrawn(3);
    const { signed } = await asked(payment(proof), payment(proof, keys[1], LIFE - 1));
    expect(signed).toBeLessThanOrEqual(1);
    for (const operator of [1, 2, 3]) expect(paid(operator, proof).length).toBeLessThanOrEqual(1);
  });

  test('leaves no share where another payment was bound since the policy was asked: the row is a condition of the release', async () => {
    const proof = await withdrawn(5);
    const wanted = payment(proof);
    const rival = paymentOf(keys[1] ?? '0x', wanted.messages[0] ?? '0x');
    const stop = committee.cloud.intercept(async ({ namespace, when, operation, args }) => {
      if (when !== 'before' || operation !== 'transact') return;
      const binding = args[0].find((write) => write.kind === 'put' && write.item.pk.startsWith(PAID_PREFIX));
      if (binding?.kind !== 'put' || binding.item['payment'] === rival) return;
      const item = { ...binding.item, payment: rival };
      await committee.cloud.store(namespace).write({ kind: 'put', table: 'Nonces', item });
    });
    const { signed } = await asked(wanted);
    stop();
    expect(signed).toBe(0);
    const held = reports.filter(({ event }) => event === 'WithdrawalPaidOtherwise');
    expect(held.length).toBeGreaterThan(0);
    for (const operator of [1, 2, 3]) for (const row of paid(operator, proof)) expect(row['payment']).toBe(rival);
  });

  test('is refused with another amount, recipient, memo or message, and binds nothing', async () => {
    const proof = await withdrawn(4);
    const changes = [{ amount: '31' }, { recipient: `${COIN}:thief` }, { memo: '' }];
    for (const change of changes) {
      const { signed, refusals: said } = await asked(payment({ ...proof, ...change }));
      expect(signed).toBe(0);
      expect(said).toHaveLength(OPERATORS);
      for (const each of said) expect(each).toMatch(/recipient, amount and memo/);
    }
    const { messages } = payment({ ...proof, amount: '31' });
    const { signed, refusals: said } = await asked({ ...payment(proof), messages });
    expect([signed, said.length]).toEqual([0, OPERATORS]);
    const bare: Sign = { ...payment(proof) };
    delete (bare as { withdrawal?: unknown }).withdrawal;
    expect((await asked(bare)).refusals).toHaveLength(OPERATORS);
    expect([1, 2, 3].flatMap((operator) => paid(operator, proof))).toEqual([]);
    expect((await asked(payment(proof))).signed).toBe(1);
  });
});
