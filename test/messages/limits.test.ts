/** Every message at its limits still fits where it must: a count that is allowed must never make a body that is not. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bodyOf, MAX_BODY_BYTES, parseBody, parseBodyAs } from '../../lib/messages/catalogue.ts';
import { parseCommittee } from '../../lib/messages/committee.ts';
import { ContentError, type ContentOf, contentText, parseContent } from '../../lib/messages/contents.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import {
  ceremonyId,
  MAX_MESSAGE_BYTES,
  MAX_MESSAGES_BYTES,
  maximumMessages,
  type SigningParameters,
  signingParameters as signingSchema,
} from '../../lib/messages/parameters.ts';
import { type Header, MAX_CONTENT_BYTES, type Statement, type StatementType } from '../../lib/messages/statement.ts';
import {
  certificate,
  committeeFile,
  header,
  hexOf,
  keygenParameters,
  messagingKey,
  signatureKey,
  signingParameters,
} from './fixtures.ts';

const hex = (bytes: number): Hex => `0x${'ff'.repeat(bytes)}`;
const pair = { hiding: hex(33), binding: hex(33) };
const signers = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
const many = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);

/** Signatures are not looked at here. */
function said<T extends StatementType>(type: T, content: ContentOf<T>): Statement {
  const longest: Header = { ...header, type, coin: 'x'.repeat(16), slot: '9'.repeat(32), from: 100, to: 100 };
  return { ...longest, content: contentText(type, content), signature: hex(64) };
}
/** The longest way that a general statement travels. */
function parcelled(statement: Statement): string {
  const { type, coin } = statement;
  const parcelType = `${type}Out` as 'SigningPackageOut';
  return bodyOf('P2PIncoming', { from: 100, to: 100, coin, type: parcelType, payload: statement });
}
function expectFits(statement: Statement): void {
  expect(Buffer.byteLength(statement.content)).toBeLessThanOrEqual(MAX_CONTENT_BYTES);
  const body = parcelled(statement);
  expect(Buffer.byteLength(body)).toBeLessThanOrEqual(MAX_BODY_BYTES);
  expect(parseBody(body)).toMatchObject({ ok: true, name: 'P2PIncoming' });
  expect(parseContent(statement.type, statement.content).ok).toBe(true);
}

describe('fits into a body', () => {
  test('a package of the most messages at every threshold', () => {
    const lengths = [1, 2, 14, 15, 16, 50, 67, 75, 83, 88, 99, 100].map((t) => {
      const m = maximumMessages(t);
      const content = {
        signers: signers(100).slice(-t),
        sources: many(t, hex(32)),
        commitments: many(t, many(m, pair)),
      };
      const statement = said('SigningPackage', content);
      expectFits(statement);
      return Buffer.byteLength(parcelled(statement));
    });
    // The bound is not slack: the longest of them takes more than nine tenths of a body.
    expect(Math.max(...lengths)).toBeGreaterThan(0.9 * MAX_BODY_BYTES);
  });

  test('at every threshold, by count', () => {
    for (let t = 1; t <= 100; t++) {
      const m = maximumMessages(t);
      expect(m).toBe(Math.min(100, Math.floor(1_450 / t)));
      expect(t * m * 171 + t * 71 + 100 * 4 + 1_200, `${t}`).toBeLessThanOrEqual(MAX_BODY_BYTES);
    }
  });

  test('nonce commitments for the most and longest messages', () => {
    const longest: SigningParameters = {
      ...signingParameters,
      coin: 'x'.repeat(16),
      t: 14,
      signers: signers(100),
      messages: many(16, hex(MAX_MESSAGE_BYTES)),
      purpose: '\\'.repeat(64),
      expiresAt: Number.MAX_SAFE_INTEGER,
    };
    expectFits(said('NonceCommitment', { parameters: longest, commitments: many(16, pair) }));
    const most = { ...longest, messages: many(100, hex(Math.floor(MAX_MESSAGES_BYTES / 100))) };
    expectFits(said('NonceCommitment', { parameters: most, commitments: many(100, pair) }));
    expectFits(said('SignatureShare', { package: hex(32), shares: many(100, hex(32)), next: many(100, pair) }));
    expectFits(said('Signature', { signatures: many(100, hex(64)) }));
  });

  test('a certificate of a hundred', () => {
    const n = 100;
    const largest = {
      parameters: { ...keygenParameters, coin: 'x'.repeat(16), t: 100, signers: signers(n) },
      publicKeyHashes: many(n, hex(32)),
      commitmentHashes: many(n, hex(32)),
      internalKey: hex(33),
      outputKey: hex(32),
      verifyingShares: many(n, hex(33)),
      signatures: many(n, hex(64)),
    };
    expectFits(said('KeyGenCertificate', { certificate: largest }));
    const address = { coin: 'btc', publicKey: hex(33), address: 'a'.repeat(128), keyId: hex(32), certificate: largest };
    expect(parseBodyAs('PublicAddressAvailable', bodyOf('PublicAddressAvailable', address)).ok).toBe(true);
  });

  test('a dealing, an exhibit of it and a certificate of an asset of 31 services, all of whom are needed', () => {
    const row = (bytes: number) => many(31, hex(bytes));
    const dealt = {
      alpha: row(96),
      beta: [row(48), row(48)],
      betaTilde: [row(96), row(96)],
      proofs: { x: { commitment: hex(96), response: hex(32) }, y: many(2, { commitment: hex(48), response: hex(32) }) },
    };
    const statement = said('EncryptedKeyGenCommitment', dealt);
    expect(Buffer.byteLength(statement.content)).toBeLessThan(26_000);
    // Sealed it is hex of the statement's text, at most 120,000 bytes of it.
    expect(Buffer.byteLength(JSON.stringify(statement)) + 16).toBeLessThanOrEqual(120_000);
    expectFits(said('KeyGenEvidence', { statements: many(4, statement) }));
    const key = { alpha: hex(96), beta: [hex(48), hex(48)], betaTilde: [hex(96), hex(96)] };
    const certificate = {
      parameters: {
        ...{ ...keygenParameters, suite: 'coconut-bls12381' as const },
        ...{ coin: 'x'.repeat(16), t: 31, signers: signers(31), expiresAt: Number.MAX_SAFE_INTEGER },
      },
      publicKeyHashes: many(31, hex(32)),
      commitmentHashes: many(31, hex(32)),
      verificationKey: key,
      serviceKeys: many(31, key),
      signatures: many(31, hex(64)),
    };
    expectFits(said('KeyGenCertificate', { certificate }));
    expect(Buffer.byteLength(JSON.stringify(certificate))).toBeLessThan(40_000);
    const announced = { coin: 'usd', publicKey: hex(288), keyId: hex(32), certificate };
    expect(parseBodyAs('PublicAddressAvailable', bodyOf('PublicAddressAvailable', announced)).ok).toBe(true);
  });

  test('exhibits of three dealers of a hundred coefficients', () => {
    const dealt = { commitments: many(100, hex(65)), proofOfKnowledge: hex(65) };
    const statements = many(6, said('EncryptedKeyGenCommitment', dealt));
    expectFits(said('KeyGenEvidence', { statements }));
  });
});

test('an asset has at most 31 services: what they send to each other grows with their number', () => {
  const services = (n: number, without = 0) => {
    const [first] = committeeFile.operators;
    if (!first) throw new Error('no operator');
    const operators = signers(n).map((index) => ({
      ...first,
      index,
      identity: `operator${index}`,
      coordinatorKey: messagingKey(index),
      coins: {},
      assets: index === without ? {} : { usd: { signatureKey: signatureKey(index) } },
    }));
    const depositors = { keys: [signatureKey(101)], required: 1, capPerEpoch: '1' };
    return parseCommittee({
      ...committeeFile,
      operators,
      coins: {},
      assets: { usd: { t: without === 0 ? n : n - 1, f: 0, depositors, epoch: 1 } },
    });
  };
  expect(services(31).ok).toBe(true);
  expect(services(32)).toEqual({ ok: false, reason: 'expected at most 31 operators for usd, got 32' });
  // Few enough, and one of them beyond what an index of a service may be.
  expect(services(32, 31)).toEqual({
    ok: false,
    reason: 'expected services of usd with indexes of at most 31, got 32',
  });
});

describe('a signing is refused', () => {
  const reason = (changes: Partial<SigningParameters>): string => {
    const parsed = signingSchema.safeParse({ ...signingParameters, ...changes });
    return parsed.success ? 'accepted' : (parsed.error.issues[0]?.message ?? '');
  };

  test('of no message, an empty message, a message too long, or too many', () => {
    expect(reason({})).toBe('accepted');
    expect(reason({ messages: [] })).not.toBe('accepted');
    expect(reason({ messages: ['0x'] })).toMatch(/^expected 1 to 4096 bytes/);
    expect(reason({ messages: [hex(MAX_MESSAGE_BYTES)] })).toBe('accepted');
    expect(reason({ messages: [hex(MAX_MESSAGE_BYTES + 1)] })).toMatch(/^expected 1 to 4096 bytes/);
    expect(reason({ t: 2, messages: many(100, '0x00') })).toBe('accepted');
    expect(reason({ t: 2, messages: many(101, '0x00') })).not.toBe('accepted');
    const hundred = { signers: signers(100), t: 67 };
    expect(reason({ ...hundred, messages: many(21, '0x00') })).toBe('accepted');
    expect(reason({ ...hundred, messages: many(22, '0x00') })).toBe('expected at most min(100, 1450 / t) messages');
  });

  test('of messages that are together too long', () => {
    expect(reason({ messages: many(16, hex(MAX_MESSAGE_BYTES)) })).toBe('accepted');
    expect(reason({ messages: [...many(16, hex(MAX_MESSAGE_BYTES)), '0x00'] })).toBe(
      'expected at most 65536 bytes together',
    );
    const body = bodyOf('MultisigInstruction', {
      Sign: {
        keyId: hex(32),
        messages: [...many(16, hex(MAX_MESSAGE_BYTES)), '0x00'],
        purpose: 'p',
        requestId: hex(16),
        expiresAt: 1,
      },
    });
    expect(parseBody(body)).toEqual({
      ok: false,
      reason: 'MultisigInstruction: Sign.messages: expected at most 65536 bytes together',
    });
  });

  test('with t above the number of signers, or signers out of order, twice or out of range', () => {
    expect(reason({ t: 3 })).toBe('accepted');
    expect(reason({ t: 4 })).toBe('expected t to be at most the number of signers');
    expect(reason({ t: 0 })).not.toBe('accepted');
    for (const wrong of [[2, 1, 3], [1, 1, 2], [], [0, 1, 2], [1, 2, 101], [1, 2, 2.5]])
      expect(reason({ signers: wrong }), `${wrong}`).not.toBe('accepted');
  });

  test('with a purpose that is empty, long or not printable', () => {
    for (const purpose of ['', 'x'.repeat(65), 'a\u0007', 'é', 'a\nb'])
      expect(reason({ purpose }), purpose).not.toBe('accepted');
    expect(reason({ purpose: 'withdrawal 7, urgent!' })).toBe('accepted');
  });
});

describe('the content of a statement', () => {
  test('is one text for one content, whatever order its fields were given in', () => {
    const content = { parameters: keygenParameters, sealingKey: messagingKey(1), commitmentHash: hexOf('commitment') };
    const turned = {
      commitmentHash: content.commitmentHash,
      sealingKey: content.sealingKey,
      parameters: Object.fromEntries(Object.entries(keygenParameters).reverse()) as typeof keygenParameters,
    };
    const text = contentText('EncryptedPublicKey', content);
    expect(contentText('EncryptedPublicKey', turned)).toBe(text);
    expect(text).not.toMatch(/\s/);
    expect(parseContent('EncryptedPublicKey', text)).toEqual({ ok: true, content });
  });

  test('is never signed if its own readers would refuse it', () => {
    expect(() => contentText('EncryptedKeyShare', { share: '0x01' })).toThrow(ContentError);
    expect(() => contentText('Signature', { signatures: [] })).toThrow(/^Signature: signatures: /);
    try {
      contentText('EncryptedKeyShare', { share: '0xc0ffee' });
    } catch (error) {
      expect(String(error)).not.toContain('c0ffee');
    }
  });

  test('of a confirmation has exactly one text: a certificate rebuilds it', () => {
    const confirmed = hexOf('transcript');
    expect(contentText('KeyGenVerdict', { confirmed })).toBe(`{"confirmed":"${confirmed}"}`);
    expect(parseContent('KeyGenVerdict', `{"confirmed":"${confirmed}"}`).ok).toBe(true);
    for (const text of [
      `{ "confirmed":"${confirmed}"}`,
      `{"confirmed": "${confirmed}"}`,
      `{"confirmed":"${confirmed}"}\n`,
      `{"\\u0063onfirmed":"${confirmed}"}`,
    ])
      expect(parseContent('KeyGenVerdict', text), text).toEqual({
        ok: false,
        reason: 'expected the one text of a confirmation, without spaces',
      });
  });

  test('of a verdict is one thing or the other', () => {
    const confirmed = hexOf('transcript');
    for (const text of [
      `{"confirmed":"${confirmed}","aborted":"Timeout"}`,
      '{}',
      '{"aborted":"Boredom"}',
      '{"confirmed":"0x00"}',
      '{"aborted":null}',
    ])
      expect(parseContent('KeyGenVerdict', text).ok, text).toBe(false);
  });

  test('DOS-01: is measured before it is parsed', () => {
    const text = `{"aborted":"Timeout"}${' '.repeat(MAX_CONTENT_BYTES)}`;
    expect(parseContent('KeyGenVerdict', text)).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/at most 250000 bytes/),
    });
  });

  test('ENC-07: has no empty list where something must be', () => {
    const empty: [StatementType, string][] = [
      ['EncryptedKeyGenCommitment', `{"commitments":[],"proofOfKnowledge":"${hex(65)}"}`],
      ['KeyGenEvidence', '{"statements":[]}'],
      ['NonceCommitment', JSON.stringify({ parameters: signingParameters, commitments: [] })],
      ['SigningPackage', '{"signers":[],"sources":[],"commitments":[]}'],
      ['SigningPackage', JSON.stringify({ signers: [1], sources: [hex(32)], commitments: [[]] })],
      ['SignatureShare', JSON.stringify({ package: hex(32), shares: [], next: [] })],
      ['Signature', '{"signatures":[]}'],
      ['KeyGenCertificate', JSON.stringify({ certificate: { ...certificate, signatures: [] } })],
    ];
    for (const [type, text] of empty) expect(parseContent(type, text), type).toMatchObject({ ok: false });
  });

  test('DKG-03: names no participant but 1 to 100', () => {
    for (const index of [0, -1, 1.5, 101, 65_536, 2 ** 53, '1', null])
      expect(
        parseContent('SigningPackage', JSON.stringify({ signers: [index], sources: [hex(32)], commitments: [[pair]] }))
          .ok,
      ).toBe(false);
  });
});

test('CTX-01, CTX-03: a ceremony’s id changes with every one of its parameters', () => {
  const changed: { [K in keyof SigningParameters]: SigningParameters[K] } = {
    kind: 'signing',
    committee: hexOf('another committee'),
    coin: 'sol',
    suite: 'FROST-ED25519-SHA512-v1',
    t: 3,
    signers: [1, 2],
    requestId: hex(16),
    expiresAt: signingParameters.expiresAt + 1,
    keyId: hexOf('another key'),
    messages: [...signingParameters.messages].reverse(),
    purpose: 'withdrawal 8',
  };
  const ids = new Set([ceremonyId(signingParameters), ceremonyId(keygenParameters)]);
  for (const field of Object.keys(changed) as (keyof SigningParameters)[])
    ids.add(ceremonyId({ ...signingParameters, [field]: changed[field] }));
  // All but `kind`, which is another in the key generation's id.
  expect(ids.size).toBe(Object.keys(changed).length - 1 + 2);
});

test('ENC-04: no division of the same bytes into messages, purpose and key has the id of another', () => {
  const texts = fc.array(fc.constantFrom<Hex>('0x00', '0x0000', '0x01', '0x0001'), { minLength: 1, maxLength: 4 });
  const purposes = fc.constantFrom('a', 'aa', 'ab', 'b');
  fc.assert(
    fc.property(texts, purposes, texts, purposes, (m1, p1, m2, p2) => {
      const one = ceremonyId({ ...signingParameters, messages: m1, purpose: p1 });
      const two = ceremonyId({ ...signingParameters, messages: m2, purpose: p2 });
      expect(one === two).toBe(JSON.stringify([m1, p1]) === JSON.stringify([m2, p2]));
    }),
    { numRuns: 300, seed: 1 },
  );
});
