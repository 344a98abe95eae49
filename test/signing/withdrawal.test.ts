import { ed25519 } from '@noble/curves/ed25519.js';
import { describe, expect, test } from 'vitest';
import { Committee } from '../../lib/messages/committee.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import { signVote, type WithdrawalProof } from '../../lib/messages/tokens.ts';
import { paymentMessage, paymentOf, paymentRequestId } from '../../lib/signing/payment.ts';
import { decide, type PolicyRequest } from '../../lib/signing/policy.ts';
import { quorumOf, withdrawHash } from '../../lib/signing-service/certificate.ts';
import { bytesOf } from '../messages/fixtures.ts';
import { ASSET, id32 } from '../signing-service/plain.ts';
import { committeeOf, signatureSecret } from '../signing-service/world.ts';

const COIN = 'btc';
const KEY = id32('vault');
const EXPIRES = 2_000;
const COMMITTEE = committeeOf(4, 3, 1);
const { context } = quorumOf(COMMITTEE, ASSET);
const RECORD = { amount: '30', recipient: 'btc:bc1p', memo: 'home' };

function proofOf(voters: readonly number[] = [1, 2, 3], record = RECORD, of = context): WithdrawalProof {
  const transaction = id32('burnt');
  const vote = { transaction, tags: [], deposits: [], withdraw: withdrawHash(record) };
  const signatures = voters.map((index) => ({ index, signature: signVote(of, vote, signatureSecret(index)) }));
  return { transaction, ...record, certificate: { vote, signatures } };
}

function requestFor(proof: WithdrawalProof, change: Partial<PolicyRequest> = {}, boundTo?: string): PolicyRequest {
  return {
    committee: COMMITTEE,
    coin: COIN,
    key: KEY,
    purpose: 'payout',
    messages: [paymentMessage(context, COIN, proof)],
    requestId: paymentRequestId(context, COIN, proof.transaction, EXPIRES),
    expiresAt: EXPIRES,
    withdrawal: { proof, boundTo },
    requester: 'client',
    now: 1_000,
    ...change,
  };
}

function answer(request: PolicyRequest, key?: Hex): string {
  const decision = decide([{ kind: 'withdrawal-certificate', asset: ASSET, ...(key ? { key } : {}) }], request);
  return decision.kind === 'allow' ? 'allow' : decision.reason;
}

describe('a vault that withdrawals pay for', () => {
  test('signs what t services certified, and the same again', () => {
    const request = requestFor(proofOf());
    expect(answer(request)).toBe('allow');
    const [message = '0x'] = request.messages;
    expect(answer(requestFor(proofOf([2, 3, 4]), {}, paymentOf(KEY, message)))).toBe('allow');
    expect(answer(request, KEY)).toBe('allow');
  });

  test('signs nothing without a withdrawal', () => {
    expect(answer(requestFor(proofOf(), { withdrawal: undefined }))).toMatch(/got none/);
  });

  test('is not told another recipient, amount or memo than the certified ones', () => {
    for (const change of [{ recipient: 'btc:thief' }, { amount: '31' }, { memo: '' }])
      expect(answer(requestFor({ ...proofOf(), ...change }))).toMatch(/recipient, amount and memo/);
  });

  test('counts distinct services of its own committee, epoch and threshold', () => {
    expect(answer(requestFor(proofOf([1, 2])))).toMatch(/votes of 3 services/);
    const elsewhere = { ...context, epoch: context.epoch + 1 };
    expect(answer(requestFor(proofOf([1, 2, 3], RECORD, elsewhere)))).toMatch(/votes of 3 services/);
    const proof = proofOf();
    const [first, second] = proof.certificate.signatures;
    if (!first || !second) throw new Error('two services have voted');
    const twice = { ...proof.certificate, signatures: [first, second, second] };
    expect(answer(requestFor({ ...proof, certificate: twice }))).toMatch(/votes of 3 services/);
    const forged = [
      first,
      second,
      { index: 3, signature: toHex(ed25519.sign(new Uint8Array(32), signatureSecret(3))) },
    ];
    expect(answer(requestFor({ ...proof, certificate: { ...twice, signatures: forged } }))).toMatch(/votes of 3/);
  });

  test('refuses the certificate of another transaction', () => {
    expect(answer(requestFor({ ...proofOf(), transaction: id32('another') }))).toMatch(/certificate of transaction/);
  });

  test('refuses a withdrawal to another coin, which that coin’s vault would pay as well', () => {
    const record = { ...RECORD, recipient: 'sol:abc' };
    expect(answer(requestFor(proofOf([1, 2, 3], record)))).toMatch(/recipient of btc:/);
  });

  test('signs that one message and no other beside it', () => {
    const [message = '0x'] = requestFor(proofOf()).messages;
    for (const messages of [[], ['0x00'], [message, message], [message, '0x00']] as Hex[][])
      expect(answer(requestFor(proofOf(), { messages }))).toMatch(/the one message/);
  });

  test('has one request id for each expiry', () => {
    expect(answer(requestFor(proofOf(), { expiresAt: EXPIRES + 1 }))).toMatch(/request id/);
  });

  test('pays once: a withdrawal that is bound to another key is refused, and so is a key that the policy does not name', () => {
    const [message = '0x'] = requestFor(proofOf()).messages;
    expect(answer(requestFor(proofOf(), {}, paymentOf(id32('another vault'), message)))).toMatch(/nothing else/);
    expect(answer(requestFor(proofOf()), id32('another vault'))).toMatch(/expected key/);
  });

  test('pays once: where t operators and t others could each sign by a key of their own, the policy has to name one', () => {
    const vaultOf = (t: number): Committee => {
      const { file } = COMMITTEE;
      const operators = file.operators.map((each) => {
        const signatureKey = toHex(ed25519.getPublicKey(bytesOf(`vault key ${each.index}`)));
        return { ...each, coins: { [COIN]: { signatureKey } } };
      });
      return new Committee({ ...file, operators, coins: { [COIN]: { suite: 'FROST-secp256k1-SHA256-TR-v1', t } } });
    };
    const asked = (committee: Committee, key?: Hex): string => {
      const { context: here } = quorumOf(committee, ASSET);
      const proof = proofOf([1, 2, 3], RECORD, here);
      const messages = [paymentMessage(here, COIN, proof)];
      const requestId = paymentRequestId(here, COIN, proof.transaction, EXPIRES);
      return answer(requestFor(proof, { committee, messages, requestId }), key);
    };
    expect(asked(vaultOf(2))).toMatch(/names the key which pays withdrawals, as any 2 of 4 sign/);
    expect(asked(vaultOf(2), KEY)).toBe('allow');
    expect(asked(vaultOf(3))).toBe('allow');
  });

  test('refuses an asset that the committee does not hold, or whose services cannot have a quorum', () => {
    const decision = decide([{ kind: 'withdrawal-certificate', asset: 'eur' }], requestFor(proofOf()));
    expect(decision).toMatchObject({ kind: 'refuse', reason: expect.stringMatching(/an asset of the committee/) });
    const weak = new Committee({ ...committeeOf(4, 2, 1).file });
    expect(answer(requestFor(proofOf(), { committee: weak }))).toMatch(/2t > n/);
  });
});
