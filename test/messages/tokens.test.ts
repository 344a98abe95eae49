import { describe, expect, test } from 'vitest';
import { bodyOf, CATALOGUE, MAX_BODY_BYTES, type Payload, parseBody } from '../../lib/messages/catalogue.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { signVote, transactionVote, type Vote, type VoteContext, verifyVote } from '../../lib/messages/tokens.ts';
import { committee, flipped, hexOf, messagingKey, signatureKey, signatureSecret } from './fixtures.ts';

const bytes = (length: number, value: number): Hex => `0x${value.toString(16).padStart(2, '0').repeat(length)}`;
const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const input = (i: number) => ({
  h: bytes(48, i),
  s: bytes(48, i),
  kappa: bytes(96, i),
  tag: bytes(48, i),
  value: bytes(48, i),
});
const output = (i: number) => ({
  commitment: bytes(48, i),
  openings: [bytes(48, i), bytes(48, i)],
  value: bytes(48, i),
  ownerProof: bytes(160, i),
});
const deposit = (i: number) => ({
  depositId: bytes(32, i),
  value: '18446744073709551615',
  owner: bytes(32, i),
  signatures: [{ key: signatureKey(1), signature: bytes(64, i) }],
});
const transaction: Payload<'Transaction'> = {
  version: 1,
  asset: 'usd',
  epoch: 1,
  inputs: [input(1)],
  outputs: [output(1), output(2)],
  deposits: [],
  proof: bytes(500, 1),
  range: bytes(1_000, 1),
  replyTo: 'coterie-gateway-answers',
  replyKey: messagingKey(1),
};
const reasonFor = (changes: Record<string, unknown>): string => {
  const parsed = parseBody(JSON.stringify({ Transaction: { ...transaction, ...changes } }));
  return parsed.ok ? 'accepted' : parsed.reason;
};

describe('a transaction', () => {
  test('of one input and two outputs is accepted, and the largest fits into a body', () => {
    expect(reasonFor({})).toBe('accepted');
    const largest = { inputs: many(8, input), outputs: many(8, output), deposits: many(8, deposit) };
    const body = bodyOf('Transaction', { ...transaction, ...largest });
    expect(parseBody(body).ok).toBe(true);
    expect(Buffer.byteLength(body)).toBeLessThan(MAX_BODY_BYTES / 4);
  });

  test.each([
    ['nothing that comes in: it would be balanced vacuously', { inputs: [] }, 'expected an input or a deposit'],
    ['nothing that goes out', { outputs: [] }, 'expected an output or a withdrawal'],
    ['one tag twice', { inputs: [input(1), input(1)] }, 'inputs: expected distinct tags'],
    [
      'one output twice',
      { outputs: [output(1), { ...output(2), commitment: output(1).commitment }] },
      'outputs: expected distinct outputs',
    ],
    ['one deposit twice', { deposits: [deposit(1), deposit(1)] }, 'deposits: expected distinct deposits'],
  ])('ENC-07, ECASH-06, ECASH-17: is refused with %s', (_, changes, reason) => {
    expect(reasonFor(changes)).toBe(`Transaction: ${reason}`);
  });

  test('has a range proof where it has outputs, and may have none where it only withdraws', () => {
    const withdraw = { amount: '1', recipient: 'somebody', memo: '' };
    expect(reasonFor({ outputs: [], withdraw, range: '0x' })).toBe('accepted');
    expect(reasonFor({ range: bytes(4_097, 1) })).toMatch(/^Transaction: range: /);
    expect(reasonFor({ proof: '0x' })).toMatch(/^Transaction: proof: /);
  });

  test('ECASH-10: is refused above eight inputs, outputs or deposits', () => {
    for (const changes of [{ inputs: many(9, input) }, { outputs: many(9, output) }, { deposits: many(9, deposit) }])
      expect(reasonFor(changes)).toMatch(/^Transaction: (inputs|outputs|deposits): /);
  });

  test('is refused with an amount that is no canonical 64-bit decimal', () => {
    const valued = (value: unknown): string => reasonFor({ deposits: [{ ...deposit(1), value }] });
    expect(valued('0')).toBe('accepted');
    expect(valued('18446744073709551615')).toBe('accepted');
    for (const value of [
      '18446744073709551616',
      '99999999999999999999',
      '00',
      '01',
      '-1',
      '1.0',
      '1e3',
      '0x1',
      ' 1',
      '',
      1,
    ])
      expect(valued(value), String(value)).toMatch(/^Transaction: deposits.0.value: /);
  });

  test('is refused if its answer could not be sealed to one reader', () => {
    expect(reasonFor({ replyKey: bytes(32, 0) })).toMatch(/^Transaction: replyKey: /);
    expect(reasonFor({ replyTo: 'https://example.org' })).toMatch(/^Transaction: replyTo: /);
  });

  test('is refused with anything but two openings: serial and value', () => {
    for (const count of [0, 1, 3])
      expect(reasonFor({ outputs: [{ ...output(1), openings: many(count, () => bytes(48, 1)) }] })).toMatch(/openings/);
  });
});

describe('a vote', () => {
  const context: VoteContext = { committee: committee.id, asset: 'usd', epoch: 3 };
  const vote: Vote = {
    transaction: hexOf('transaction'),
    tags: [bytes(48, 1), bytes(48, 2)],
    deposits: [bytes(32, 1), bytes(32, 2)],
    withdraw: hexOf('withdraw'),
  };
  const signature = signVote(context, vote, signatureSecret(1));

  test('verifies under the key of the service that cast it', () => {
    expect(verifyVote(context, vote, signature, signatureKey(1))).toBe(true);
    expect(verifyVote(context, vote, signature, signatureKey(2))).toBe(false);
    expect(verifyVote(context, vote, flipped(signature), signatureKey(1))).toBe(false);
  });

  test('CTX-01: is good in one committee, asset and epoch', () => {
    for (const change of [{ committee: hexOf('other') }, { asset: 'eur' }, { epoch: 4 }])
      expect(verifyVote({ ...context, ...change }, vote, signature, signatureKey(1))).toBe(false);
  });

  test('ENC-04: is for these tags, deposits and withdrawal, and no division of them', () => {
    const changes: Partial<Vote>[] = [
      { transaction: hexOf('other') },
      { tags: [bytes(48, 1)] },
      { tags: [] },
      { deposits: [bytes(32, 1)] },
      { tags: vote.deposits, deposits: vote.tags },
      { withdraw: hexOf('other') },
    ];
    for (const change of changes)
      expect(verifyVote(context, { ...vote, ...change }, signature, signatureKey(1)), JSON.stringify(change)).toBe(
        false,
      );
  });

  test('names each tag and deposit once, in ascending order: one set has one text', () => {
    const cast = (of: Vote) => transactionVote.safeParse({ index: 1, vote: of, signature }).success;
    expect(cast(vote)).toBe(true);
    expect(cast({ ...vote, tags: [...vote.tags].reverse() })).toBe(false);
    expect(cast({ ...vote, tags: [bytes(48, 1), bytes(48, 1)] })).toBe(false);
    expect(cast({ ...vote, deposits: [...vote.deposits].reverse() })).toBe(false);
    expect(cast({ ...vote, deposits: [bytes(32, 1), bytes(32, 1)] })).toBe(false);
  });

  test('counts once in a certificate: indexes are distinct', () => {
    const certified = (...indexes: number[]) =>
      CATALOGUE.TransactionCertificate.payload.safeParse({
        vote,
        signatures: indexes.map((index) => ({ index, signature })),
        replyTo: 'answers',
        replyKey: messagingKey(1),
      }).success;
    expect(certified(1, 2, 5)).toBe(true);
    for (const indexes of [[1, 1], [2, 1], []]) expect(certified(...indexes), `${indexes}`).toBe(false);
  });

  test('may be a refusal, which for a lock names the transaction that holds it', () => {
    const refused = (refusal: unknown) =>
      transactionVote.safeParse({ index: 1, transaction: hexOf('transaction'), refusal }).success;
    expect(refused({ reason: 'Spent' })).toBe(true);
    expect(refused({ reason: 'Locked', transaction: '0x00' })).toBe(true);
    expect(refused({ reason: 'Locked' })).toBe(false);
    expect(refused({ reason: 'Spent', transaction: '0x00' })).toBe(false);
    expect(refused({ reason: 'BadMood' })).toBe(false);
  });
});
