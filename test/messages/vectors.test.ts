/** The frozen bytes, recomputed by the code and by an encoder that shares none of it. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fromHex, type Hex, toHex } from '../../lib/messages/hex.ts';
import type { CeremonyParameters } from '../../lib/messages/parameters.ts';
import { hpkeSealer, openSealed } from '../../lib/messages/sealing.ts';
import type { Header } from '../../lib/messages/statement.ts';
import { FILE, vectors } from '../vectors/generate.ts';

const frozen = JSON.parse(readFileSync(FILE, 'utf8')) as Awaited<ReturnType<typeof vectors>>;

// The second encoder, written from the tables of the formats and nothing else.
const number = (width: number, value: number | bigint): Buffer =>
  Buffer.from(
    BigInt(value)
      .toString(16)
      .padStart(2 * width, '0'),
    'hex',
  );
const raw = (hex: string): Buffer => Buffer.from(hex.slice(2), 'hex');
const prefixed = (bytes: string | Buffer): Buffer => {
  const body = Buffer.from(bytes as string);
  return Buffer.concat([number(4, body.length), body]);
};
const many = (items: readonly Buffer[]): Buffer => Buffer.concat([number(4, items.length), ...items.map(prefixed)]);
const hash = (...parts: Buffer[]): Hex => `0x${createHash('sha256').update(Buffer.concat(parts)).digest('hex')}`;
const headerOf = ({ type, committee, coin, ceremony, slot, from, to }: Header): Buffer =>
  Buffer.concat([
    prefixed(type),
    raw(committee),
    prefixed(coin),
    raw(ceremony),
    prefixed(slot),
    number(2, from),
    number(2, to),
  ]);
const idOf = (parameters: CeremonyParameters): Hex => {
  const signing = parameters.kind === 'signing' ? parameters : { keyId: '0x', messages: [], purpose: '' };
  return hash(
    prefixed('coterie/v1/ceremony'),
    prefixed(parameters.kind),
    raw(parameters.committee),
    prefixed(parameters.coin),
    prefixed(parameters.suite),
    number(2, parameters.t),
    many(parameters.signers.map((index) => number(2, index))),
    prefixed(raw(signing.keyId)),
    many(signing.messages.map(raw)),
    prefixed(signing.purpose),
    raw(parameters.requestId),
    number(8, parameters.expiresAt),
  );
};
/** RFC 8032 by OpenSSL, from the 32 bytes of the key. */
const signed = (key: Hex, bytes: Buffer, signature: Hex): boolean => {
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw(key)]);
  return verify(null, bytes, createPublicKey({ key: spki, format: 'der', type: 'spki' }), raw(signature));
};

test('the frozen vectors are what the code makes today', async () => {
  expect(JSON.parse(JSON.stringify(await vectors()))).toEqual(frozen);
});

describe('an independent encoder agrees about', () => {
  test('headers, statements and their hashes', () => {
    expect(frozen.statements.length).toBe(3);
    for (const { statement, header, signed: bytes, hash: id, key } of frozen.statements) {
      expect(header).toBe(toHex(headerOf(statement)));
      const expected = Buffer.concat([
        prefixed('coterie/v1/statement'),
        headerOf(statement),
        prefixed(Buffer.from(statement.content, 'utf8')),
      ]);
      expect(bytes).toBe(toHex(expected));
      expect(signed(key.public, expected, statement.signature)).toBe(true);
      expect(id).toBe(hash(expected, raw(statement.signature)));
    }
  });

  test('sealed statements', async () => {
    const { sealed, info, signed: bytes, key, recipient, plaintext } = frozen.sealed;
    expect(info).toBe(toHex(Buffer.concat([prefixed('coterie/v1/hpke'), headerOf(sealed), number(2, 3)])));
    const expected = Buffer.concat([
      prefixed('coterie/v1/sealed'),
      headerOf(sealed),
      number(2, sealed.recipient),
      raw(sealed.enc),
      raw(hash(raw(sealed.ciphertext))),
    ]);
    expect(bytes).toBe(toHex(expected));
    expect(signed(key.public, expected, sealed.signature)).toBe(true);
    expect(await openSealed(sealed, fromHex(recipient.secret), hpkeSealer, key.public)).toEqual({
      ok: true,
      statement: JSON.parse(plaintext),
    });
  });

  test('the committee id', () => {
    const { file, canonical, id } = frozen.committee;
    expect(JSON.parse(canonical ?? '')).toEqual(file);
    expect(id).toBe(hash(prefixed('coterie/v1/committee'), Buffer.from(canonical ?? '', 'utf8')));
  });

  test('ceremony ids', () => {
    expect(frozen.ceremonies.map(({ parameters }) => parameters.kind)).toEqual(['keygen', 'signing']);
    for (const { parameters, id } of frozen.ceremonies) expect(id).toBe(idOf(parameters));
  });

  test('the transcript, the key id and every confirmation of the certificate', () => {
    const { certificate, ceremony, transcript, keyId } = frozen.certificate;
    const { parameters, publicKeyHashes, commitmentHashes, signatures } = certificate;
    const statements = parameters.signers.flatMap((_, i) => [
      raw(publicKeyHashes[i] ?? ''),
      raw(commitmentHashes[i] ?? ''),
    ]);
    expect(ceremony).toBe(idOf(parameters));
    expect(transcript).toBe(
      hash(
        prefixed('coterie/v1/transcript'),
        raw(ceremony),
        number(2, parameters.t),
        number(2, parameters.signers.length),
        ...statements,
        prefixed(raw(certificate.internalKey)),
        prefixed(raw(certificate.outputKey)),
        many(certificate.verifyingShares.map(raw)),
      ),
    );
    expect(keyId).toBe(hash(prefixed('coterie/v1/key-id'), raw(ceremony), raw(transcript)));
    for (const [i, from] of parameters.signers.entries()) {
      const { committee, coin } = parameters;
      const said = headerOf({ type: 'KeyGenVerdict', committee, coin, ceremony, slot: '', from, to: 0 });
      const bytes = Buffer.concat([prefixed('coterie/v1/statement'), said, prefixed(`{"confirmed":"${transcript}"}`)]);
      const { signatureKey } = frozen.committee.file.operators[i]?.coins['btc'] ?? { signatureKey: '0x' };
      expect(signed(signatureKey, bytes, signatures[i] ?? '0x')).toBe(true);
    }
  });

  test('processor keys', () => {
    for (const { processorKey, signed: bytes, signature, key } of frozen.processorKeys) {
      const expected = Buffer.concat([
        prefixed('coterie/v1/processor-key'),
        prefixed(processorKey.identity),
        prefixed(processorKey.coin),
        raw(processorKey.pubkey),
        number(8, processorKey.generation),
      ]);
      expect(bytes).toBe(toHex(expected));
      expect(signed(key.public, expected, signature)).toBe(true);
    }
  });

  test('instructions, of which the canonical JSON comes after the tag and the scope', () => {
    for (const { scope, instruction, signed: bytes, signature, key } of frozen.instructions) {
      const before = Buffer.concat([prefixed('coterie/v1/instruction'), raw(scope.committee), prefixed(scope.coin)]);
      const text = raw(bytes).subarray(before.length + 4);
      expect(bytes).toBe(toHex(Buffer.concat([before, prefixed(text)])));
      expect(JSON.parse(text.toString('utf8'))).toEqual(instruction);
      expect(signed(key.public, raw(bytes), signature)).toBe(true);
    }
  });

  test('votes', () => {
    const { context, vote, signed: bytes, signature, key } = frozen.vote;
    const expected = Buffer.concat([
      prefixed('coterie/v1/vote'),
      raw(context.committee),
      prefixed(context.asset),
      number(8, context.epoch),
      raw(vote.transaction),
      many(vote.tags.map(raw)),
      many(vote.deposits.map(raw)),
      raw(vote.withdraw),
    ]);
    expect(bytes).toBe(toHex(expected));
    expect(signed(key.public, expected, signature)).toBe(true);
  });
});
