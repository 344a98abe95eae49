/** Whatever comes, a reader answers with a value or a reason: an exception would send the message round and round until it is dead. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CATALOGUE, MESSAGE_NAMES, type MessageName, parseBody } from '../../lib/messages/catalogue.ts';
import { parseCommittee } from '../../lib/messages/committee.ts';
import { type ContentOf, contentText, parseContent } from '../../lib/messages/contents.ts';
import { parseEvidence } from '../../lib/messages/evidence.ts';
import { parseOperatorFile } from '../../lib/messages/operator.ts';
import type { StatementType } from '../../lib/messages/statement.ts';
import { arbitraryOf } from './arbitrary.ts';
import { certificate, committeeFile, hexOf, keygenParameters, messagingKey, signingParameters } from './fixtures.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What a field may be replaced with: every type, and texts that look nearly right. */
const strange = fc.constantFrom<Json>(
  null,
  true,
  0,
  1,
  101,
  65_536,
  Number.MAX_SAFE_INTEGER,
  '',
  '0x',
  '0x0',
  '0xAB',
  '1.0',
  '-1',
  ' 10 ',
  '18446744073709551616',
  'constructor',
  'toString',
  `0x${'00'.repeat(32)}`,
  `0x${'ff'.repeat(64)}`,
  `0x${'zz'.repeat(32)}`,
  [],
  [[]],
  [null],
  ['0x'],
  {},
  { a: 1 },
);

/** Paths of everything inside a value, itself included. */
function paths(value: Json): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [[]];
  return [[], ...Object.entries(value).flatMap(([key, inner]) => paths(inner as Json).map((path) => [key, ...path]))];
}
function replaced(value: Json, [key, ...rest]: readonly (string | number)[], by: Json): Json {
  if (key === undefined) return by;
  if (Array.isArray(value))
    return value.map((each: Json, i) => (`${i}` === `${key}` ? replaced(each, rest, by) : each));
  return {
    ...(value as { [key: string]: Json }),
    [key]: replaced((value as { [key: string]: Json })[key] ?? null, rest, by),
  };
}
const edited = (values: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
  values.chain((value) =>
    fc.tuple(fc.constantFrom(...paths(value)), strange).map(([path, by]) => replaced(value, path, by)),
  );

/** A reason is one short line. */
function expectReason(parsed: { readonly ok: boolean; readonly reason?: string }): void {
  if (parsed.ok) return;
  expect(parsed.reason).toMatch(/^[^\n]{1,400}$/);
}

describe('one strange value anywhere never makes a reader throw', () => {
  test.each(MESSAGE_NAMES)('in %s', (name: MessageName) => {
    // A few payloads, edited in many places: to draw one takes longer than to read it.
    const payloads = fc.sample(arbitraryOf(CATALOGUE[name].payload), { numRuns: 4, seed: 1 }) as Json[];
    fc.assert(
      fc.property(edited(fc.constantFrom(...payloads)), (payload) => {
        expectReason(parseBody(JSON.stringify({ [name]: payload })));
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  const h = hexOf('x');
  const pair = { hiding: h, binding: h };
  const contents: { [T in StatementType]: ContentOf<T> } = {
    SignerReady: { pubkey: messagingKey(1) },
    EncryptedPublicKey: { parameters: keygenParameters, sealingKey: messagingKey(1), commitmentHash: h },
    EncryptedKeyGenCommitment: { commitments: [`0x${'04'.repeat(65)}`], proofOfKnowledge: `0x${'01'.repeat(64)}` },
    EncryptedKeyShare: { share: h },
    KeyGenVerdict: { confirmed: h },
    KeyGenEvidence: { statements: [] },
    KeyGenCertificate: { certificate },
    NonceCommitment: { parameters: signingParameters, commitments: [pair, pair] },
    SigningPackage: { signers: [1, 2], sources: [h, h], commitments: [[pair], [pair]] },
    SignatureShare: { package: h, shares: [h], next: [pair] },
    Signature: { signatures: [`0x${'01'.repeat(64)}`] },
    SpentSerials: { certificates: ['0x00'] },
    SpentSerialsRequest: { epoch: 1, after: 0, tags: [] },
  };

  test.each(Object.keys(contents) as StatementType[])('in the content of %s', (type) => {
    if (type !== 'KeyGenEvidence') {
      const text = contentText(type, contents[type]);
      expect(parseContent(type, text)).toEqual({ ok: true, content: contents[type] });
    }
    fc.assert(
      fc.property(edited(fc.constant(contents[type] as unknown as Json)), (content) => {
        expectReason(parseContent(type, JSON.stringify(content)));
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  test('in a committee file', () => {
    fc.assert(
      fc.property(edited(fc.constant(committeeFile as unknown as Json)), (file) => {
        expectReason(parseCommittee(JSON.stringify(file)));
        expectReason(parseCommittee(file));
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test('in an operator file or in evidence', () => {
    const operator = {
      identity: 'a',
      account: '111111111111',
      region: 'local',
      clientRoles: ['arn:aws:iam::1:role/x'],
      coins: ['btc'],
    };
    const evidence = { v: 1, reason: 'InvalidShare', committee: h, certificate, statements: [] };
    fc.assert(
      fc.property(
        edited(fc.constant<Json>(operator)),
        edited(fc.constant(evidence as unknown as Json)),
        (one, other) => {
          expectReason(parseOperatorFile(one));
          expectReason(parseOperatorFile(JSON.stringify(one)));
          expectReason(parseEvidence(JSON.stringify(other)));
        },
      ),
      { numRuns: 200, seed: 1 },
    );
  });
});

test('no bytes at all make a reader throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      expectReason(parseBody(text));
      expectReason(parseCommittee(text));
      expectReason(parseOperatorFile(text));
      expectReason(parseEvidence(text));
      expectReason(parseContent('KeyGenVerdict', text));
    }),
    { numRuns: 200, seed: 1 },
  );
});
