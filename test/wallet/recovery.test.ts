/** What services say that they have stored, put together: in parts, twice, and of tables that forgot. */
import { describe, expect, test } from 'vitest';
import { encodeTransaction, readTransaction, transactionId } from '../../lib/coconut/transaction-bytes.ts';
import { fromHex, type Hex, toHex } from '../../lib/messages/hex.ts';
import type { Issued } from '../../lib/messages/tokens.ts';
import { type AnswerOf, requestHash, sealAnswer } from '../../lib/signing-service/answer.ts';
import { quorumOf } from '../../lib/signing-service/certificate.ts';
import { listOf } from '../../lib/signing-service/recover.ts';
import { type GatewayPort, replyKeyOf } from '../../lib/wallet/gateway.ts';
import { RecoveryIncomplete, recover } from '../../lib/wallet/recovery.ts';
import { bytesOf } from '../messages/fixtures.ts';
import { ASSET } from '../signing-service/plain.ts';
import { committeeOf, signatureSecret } from '../signing-service/world.ts';
import frozen from '../vectors/coconut-transaction.json' with { type: 'json' };

const COMMITTEE = committeeOf(4, 3, 1);
const quorum = quorumOf(COMMITTEE, ASSET);
const TAG = toHex(new Uint8Array(48).fill(7));

type Told = Omit<AnswerOf<'RecoveredIssued'>, 'index' | 'parts'> & { readonly of?: number };

type Script = readonly (readonly [index: number, Told])[];

/** Services that answer what they are told to, in this order: one script for each question, and nothing when there are no more. */
class Scripted implements GatewayPort {
  readonly replyTo = 'gateway';
  readonly #scripts: Script[];
  #request: Hex = '0x';

  constructor(...scripts: Script[]) {
    this.#scripts = scripts;
  }

  async post(...[, body]: Parameters<GatewayPort['post']>): Promise<void> {
    this.#request = requestHash(body);
    expect(replyKeyOf(body)).toBeDefined();
  }

  async *answers(replyKey: Hex): AsyncGenerator<string> {
    const question = { request: this.#request, replyKey };
    for (const [index, { of = 1, ...told }] of this.#scripts.shift() ?? []) {
      const scope = { committee: COMMITTEE.id, asset: ASSET, index };
      const answer = { index, parts: of, ...told };
      yield await sealAnswer(scope, 'RecoveredIssued', answer, question, signatureSecret(index), bytesOf('ephemeral'));
    }
  }
}

/** Distinct transactions, that nobody has certified. */
const [a, b, added] = [1, 2, 3].map((memo): Issued & { readonly id: Hex } => {
  const reading = readTransaction(fromHex(frozen.transaction as Hex));
  if (!reading.ok) throw new Error('the frozen transaction is none');
  const { transaction } = reading;
  const changed = { ...transaction, withdraw: { amount: '1', recipient: 'r', memo: `${memo}` } };
  return { transaction: toHex(encodeTransaction(changed)), id: transactionId(changed) };
}) as [Issued & { id: Hex }, Issued & { id: Hex }, Issued & { id: Hex }];
const bare = ({ transaction }: Issued): Issued => ({ transaction });
const all = (...issued: readonly Issued[]): Told => ({ part: 1, list: listOf(issued), issued: issued.map(bare) });
const found = async (...scripts: Script[]) =>
  (await recover({ gateway: new Scripted(...scripts), quorum }, { tags: [TAG] })).map(({ id }) => id).sort();

describe('what services have stored', () => {
  test('is not known from parts of two answers to one question that was delivered twice: together they may lack what both hold', async () => {
    // First a and b were stored, and then, before them, another: the first part of the later answer and the second of the earlier lack a.
    const [earlier, later] = [[a, b].map(bare), [added, a, b].map(bare)];
    const early = listOf(earlier);
    const late = listOf(later);
    const two = (part: number, list: Hex, ...issued: readonly Issued[]): Told => ({
      part,
      of: 2,
      list,
      issued: issued.map(bare),
    });
    const mixed = [1, 2, 3].flatMap((index) => [
      [index, two(1, late, added)] as const,
      [index, two(2, early, b)] as const,
    ]);
    await expect(found(mixed)).rejects.toBeInstanceOf(RecoveryIncomplete);
    const rest = [1, 2, 3].map((index) => [index, two(2, late, a, b)] as const);
    expect(await found([...mixed, ...rest])).toEqual([a, b, added].map(({ id }) => id).sort());
  });

  test('is used where a table was restored, and is not taken for all: who says so is named, and t others are needed', async () => {
    const restored = { ...all(a), readOnly: true } as const;
    const error = await found([
      [1, restored],
      [2, all(b)],
      [3, all(b)],
    ]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RecoveryIncomplete);
    expect(error).toMatchObject({ readOnly: [1], unresponsive: [4] });
    expect((error as Error).message).toMatch(/expected 3 services .* got 2; .* restored .*: 1$/);
    expect(
      await found([
        [1, restored],
        [2, all(b)],
        [3, all(b)],
        [4, all()],
      ]),
    ).toEqual([a, b].map(({ id }) => id).sort());
  });

  test('is asked for page by page: who has more to tell has not told all', async () => {
    const page = { ...all(a), next: { certified: true, output: `0x${'00'.repeat(32)}` as const, transaction: a.id } };
    const of = (told: Told): Script => [1, 2, 3].map((index) => [index, told]);
    expect(await found(of(page), of(all(b)))).toEqual([a, b].map(({ id }) => id).sort());
    await expect(found(of(page))).rejects.toMatchObject({ kind: 'RecoveryIncomplete', unresponsive: [1, 2, 3, 4] });
  });
});
