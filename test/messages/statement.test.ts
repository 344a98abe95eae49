import { ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, PURPOSES, tagged } from '../../lib/messages/bytes.ts';
import { CATALOGUE, type Entry, MESSAGE_NAMES } from '../../lib/messages/catalogue.ts';
import { sign, verifies } from '../../lib/messages/ed25519.ts';
import { fromHex, toHex } from '../../lib/messages/hex.ts';
import {
  MAX_CONTENT_BYTES,
  partitionOf,
  type SealedStatement,
  STATEMENT_TYPES,
  type Statement,
  sealedSchema,
  signSealed,
  signStatement,
  statementBytes,
  statementHash,
  statementSchema,
  verifySealed,
  verifyStatement,
} from '../../lib/messages/statement.ts';
import { arbitraryOf } from './arbitrary.ts';
import { flipped, header, hexOf, signatureKey, signatureSecret } from './fixtures.ts';

const content = '{"aborted":"Timeout"}';
const statement = signStatement(header, content, signatureSecret(1));
const unsigned = { ...header, recipient: 2, enc: hexOf('enc'), ciphertext: toHex(new Uint8Array(48)) };
const sealed = signSealed(unsigned, signatureSecret(1));

const elsewhere: readonly Partial<Statement>[] = [
  { type: 'Signature' },
  { committee: hexOf('another committee') },
  { coin: 'sol' },
  { ceremony: hexOf('another ceremony') },
  { slot: '0' },
  { from: 2 },
  { to: 1 },
];

describe('a statement', () => {
  test('verifies under its sender’s key, for noble as for OpenSSL', () => {
    expect(verifyStatement(statement, signatureKey(1))).toBe(true);
    expect(ed25519.verify(fromHex(statement.signature), statementBytes(statement), fromHex(signatureKey(1)))).toBe(
      true,
    );
  });

  test('is the same bytes whenever it is said', () => {
    expect(signStatement(header, content, signatureSecret(1))).toEqual(statement);
  });

  test('CTX-04: verifies under nobody else’s key', () => {
    expect(verifyStatement(statement, signatureKey(2))).toBe(false);
    expect(verifyStatement({ ...statement, from: 2 }, signatureKey(2))).toBe(false);
  });

  test('CTX-01, CTX-07, ENC-09: verifies in no other place', () => {
    for (const change of elsewhere)
      expect(verifyStatement({ ...statement, ...change }, signatureKey(1)), JSON.stringify(change)).toBe(false);
  });

  test('ENC-08: is about the bytes of its text, not about what the text means', () => {
    for (const same of [`${content} `, '{"aborted": "Timeout"}', '{"aborted":"\\u0054imeout"}'])
      expect(verifyStatement({ ...statement, content: same }, signatureKey(1)), same).toBe(false);
  });

  test('ENC-04: is not another whose coin and slot, or slot and content, read the same together', () => {
    const said = signStatement({ ...header, coin: 'btc', slot: '1' }, 'x', signatureSecret(1));
    expect(verifyStatement({ ...said, coin: 'bt', slot: 'c1' }, signatureKey(1))).toBe(false);
    expect(verifyStatement({ ...said, coin: 'btc1', slot: '' }, signatureKey(1))).toBe(false);
  });

  test('is refused after any bit of its signature has changed', () => {
    fc.assert(
      fc.property(fc.nat(511), (bit) => {
        const bent = { ...statement, signature: flipped(statement.signature, bit) };
        expect(verifyStatement(bent, signatureKey(1))).toBe(false);
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  test('takes from its header nothing but the header', () => {
    const more = { ...header, secret: 'hush' };
    expect(JSON.stringify(signStatement(more, content, signatureSecret(1)))).toBe(JSON.stringify(statement));
  });

  test('DKG-07: has another hash if anything differs, its signature included', () => {
    const hash = statementHash(statement);
    expect(statementHash({ ...statement })).toBe(hash);
    for (const change of [...elsewhere, { content: `${content} ` }, { signature: flipped(statement.signature, 500) }])
      expect(statementHash({ ...statement, ...change }), JSON.stringify(change)).not.toBe(hash);
  });
});

describe('a sealed statement', () => {
  test('verifies under its sender’s key, in its place and for its reader only', () => {
    expect(verifySealed(sealed, signatureKey(1))).toBe(true);
    expect(verifySealed(sealed, signatureKey(2))).toBe(false);
    const changes: readonly Partial<SealedStatement>[] = [
      ...(elsewhere as readonly Partial<SealedStatement>[]),
      { recipient: 3 },
      { enc: hexOf('another enc') },
      { ciphertext: flipped(sealed.ciphertext, 383) },
      { ciphertext: toHex(new Uint8Array(49)) },
      { signature: flipped(sealed.signature, 7) },
    ];
    for (const change of changes)
      expect(verifySealed({ ...sealed, ...change }, signatureKey(1)), JSON.stringify(change)).toBe(false);
  });
});

describe('ENC-06: a signature made for one purpose is good for no other', () => {
  const body = new TextEncoder().encode('the same bytes');
  for (const made of PURPOSES) {
    test(made, () => {
      const signature = sign(concat(tagged(made), body), signatureSecret(1));
      const good = PURPOSES.filter((used) => verifies(concat(tagged(used), body), signature, signatureKey(1)));
      expect(good).toEqual([made]);
    });
  }

  test('a sealed statement’s signature is none on a statement of the same header, and the other way round', () => {
    expect(verifyStatement({ ...header, content, signature: sealed.signature }, signatureKey(1))).toBe(false);
    expect(verifySealed({ ...unsigned, signature: statement.signature }, signatureKey(1))).toBe(false);
  });
});

describe('the shape of a statement', () => {
  const refused = (change: object): boolean => !statementSchema.safeParse({ ...statement, ...change }).success;

  test('survives being written and read', () => {
    for (const schema of [statementSchema, sealedSchema])
      fc.assert(
        fc.property(arbitraryOf(schema), (value) => {
          expect(schema.parse(JSON.parse(JSON.stringify(value)))).toEqual(value);
        }),
        { numRuns: 50, seed: 1 },
      );
  });

  test('has exactly the fields, types and lengths of the format', () => {
    expect(refused({})).toBe(false);
    const bad: readonly object[] = [
      { type: 'KeyGenVerdictIn' },
      { type: 'Other' },
      { type: 'toString' },
      { committee: `0x${'00'.repeat(31)}` },
      { committee: hexOf('x').toUpperCase() },
      { coin: 'b' },
      { coin: 'b-c' },
      { coin: 'BTC' },
      { coin: 'constructor' },
      { ceremony: `0x${'00'.repeat(33)}` },
      { slot: 'a b' },
      { slot: '#' },
      { slot: 'x'.repeat(33) },
      { signature: `0x${'00'.repeat(63)}` },
      { content: 7 },
      { content: 'x'.repeat(MAX_CONTENT_BYTES + 1) },
      { more: true },
    ];
    for (const change of bad) expect(refused(change), JSON.stringify(change).slice(0, 80)).toBe(true);
  });

  test('DKG-03: names operators by whole numbers from 1 to 100, and everybody by 0', () => {
    for (const from of [0, 101, -1, 1.5, Number.NaN, '1', '__proto__', null])
      expect(refused({ from }), `from ${from}`).toBe(true);
    for (const to of [101, -1, 0.5, '0']) expect(refused({ to }), `to ${to}`).toBe(true);
    expect(refused({ from: 100, to: 100 })).toBe(false);
    for (const recipient of [0, 101])
      expect(sealedSchema.safeParse({ ...sealed, recipient }).success, `${recipient}`).toBe(false);
  });

  test('sealed, has a ciphertext with room for its tag', () => {
    const of = (bytes: number): boolean =>
      sealedSchema.safeParse({ ...sealed, ciphertext: `0x${'00'.repeat(bytes)}` }).success;
    expect(of(15)).toBe(false);
    expect(of(16)).toBe(true);
    expect(of(120_000)).toBe(true);
    expect(of(120_001)).toBe(false);
  });

  test('SEC-01: is sealed exactly where the catalogue says that it is secret', () => {
    for (const type of STATEMENT_TYPES) {
      const entries = MESSAGE_NAMES.map((name): Entry => CATALOGUE[name]).filter((each) => each.statement === type);
      expect(entries.length, type).toBeGreaterThan(0);
      for (const entry of entries) {
        expect(entry.partition, type).toBe(partitionOf(type));
        expect(entry.payload, type).toBe(partitionOf(type) === 'encrypted' ? sealedSchema : statementSchema);
      }
    }
    expect(partitionOf('EncryptedKeyShare')).toBe('encrypted');
  });
});
