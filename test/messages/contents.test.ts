import { describe, expect, test } from 'vitest';
import { bodyOf, MAX_BODY_BYTES, parseBody } from '../../lib/messages/catalogue.ts';
import {
  ContentError,
  type ContentOf,
  contentText,
  FAILURE_REASONS,
  parseContent,
} from '../../lib/messages/contents.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import { maximumMessages } from '../../lib/messages/parameters.ts';
import {
  MAX_CONTENT_BYTES,
  STATEMENT_TYPES,
  type StatementType,
  signStatement,
  statementSchema,
} from '../../lib/messages/statement.ts';
import {
  certificate,
  header,
  hexOf,
  keygenParameters,
  messagingKey,
  signatureSecret,
  signingParameters,
} from './fixtures.ts';

const affine = toHex(new Uint8Array(65).fill(4));
const compressed = toHex(new Uint8Array(33).fill(2));
const signature = toHex(new Uint8Array(64).fill(9));
const pair = { hiding: compressed, binding: compressed };
const verdict = signStatement(header, '{"aborted":"Timeout"}', signatureSecret(1));

/** One content of each type that is good. */
const GOOD: { readonly [T in StatementType]: ContentOf<T> } = {
  SignerReady: { pubkey: messagingKey(1) },
  EncryptedPublicKey: {
    parameters: keygenParameters,
    sealingKey: messagingKey(2),
    commitmentHash: hexOf('commitment'),
  },
  EncryptedKeyGenCommitment: { commitments: [affine, affine], proofOfKnowledge: affine },
  EncryptedKeyShare: { share: hexOf('share') },
  KeyGenVerdict: { confirmed: hexOf('transcript') },
  KeyGenEvidence: { statements: [verdict] },
  KeyGenCertificate: { certificate },
  NonceCommitment: { parameters: signingParameters, commitments: [pair, pair] },
  SigningPackage: { signers: [1, 3], sources: [hexOf('a'), hexOf('b')], commitments: [[pair], [pair]] },
  SignatureShare: { package: hexOf('package'), shares: [hexOf('s')], next: [pair] },
  Signature: { signatures: [signature] },
  SpentSerials: { certificates: ['0x00'] },
  SpentSerialsRequest: { epoch: 1, after: 0, tags: [] },
};

/** Of an asset, in place of the two above. */
const proof = (bytes: number) => ({ commitment: toHex(new Uint8Array(bytes).fill(5)), response: hexOf('response') });
const rows = (bytes: number) => [toHex(new Uint8Array(bytes).fill(6)), toHex(new Uint8Array(bytes).fill(7))];
const ASSET = {
  EncryptedKeyGenCommitment: {
    alpha: rows(96),
    beta: [rows(48), rows(48)],
    betaTilde: [rows(96), rows(96)],
    proofs: { x: proof(96), y: [proof(48), proof(48)] },
  },
  EncryptedKeyShare: { x: hexOf('x'), y: [hexOf('y1'), hexOf('y2')] },
} satisfies { readonly [T in StatementType]?: ContentOf<T> };

const reasonFor = (type: StatementType, content: unknown): string => {
  const parsed = parseContent(type, typeof content === 'string' ? content : JSON.stringify(content));
  return parsed.ok ? 'accepted' : parsed.reason;
};

describe('the content of every type', () => {
  for (const type of STATEMENT_TYPES) {
    const good = GOOD[type];
    test(`${type} survives being written and read, and is the content of no other type`, () => {
      const text = contentText(type, good as never);
      expect(parseContent(type, text)).toEqual({ ok: true, content: good });
      for (const other of STATEMENT_TYPES) {
        if (other !== type) expect(reasonFor(other, text), other).not.toBe('accepted');
      }
    });

    test(`${type} is refused with a field too many or too few`, () => {
      expect(reasonFor(type, { ...good, surplus: 1 })).not.toBe('accepted');
      for (const field of Object.keys(good)) {
        const { [field]: _, ...rest } = good as Record<string, unknown>;
        expect(reasonFor(type, rest), field).not.toBe('accepted');
      }
    });

    test(`ENC-07: ${type} is refused with an empty list`, () => {
      for (const [field, value] of Object.entries(good)) {
        if (!Array.isArray(value) || value.length === 0) continue;
        expect(reasonFor(type, { ...good, [field]: [] }), field).toMatch(new RegExp(`^${field}: `));
      }
    });

    test(`${type} has one text whatever the order in which it was made`, () => {
      const reversed = Object.fromEntries(Object.entries(good).reverse());
      expect(contentText(type, reversed as never)).toBe(contentText(type, good as never));
    });

    test(`${type} that its own schema refuses is never signed`, () => {
      const [field] = Object.keys(good);
      expect(() => contentText(type, { ...good, [field ?? '']: 'hush' } as never)).toThrow(ContentError);
      expect(() => contentText(type, { ...good, [field ?? '']: 'hush' } as never)).not.toThrow(/hush/);
    });
  }
});

describe('what a dealer says for an asset', () => {
  for (const [type, good] of Object.entries(ASSET) as [keyof typeof ASSET, object][]) {
    test(`${type} survives being written and read, and has one text`, () => {
      const text = contentText(type, good as never);
      expect(parseContent(type, text)).toEqual({ ok: true, content: good });
      expect(contentText(type, Object.fromEntries(Object.entries(good).reverse()) as never)).toBe(text);
    });

    test(`${type} is refused with a field too many or too few, also of those for keys that sign messages`, () => {
      for (const surplus of [{ surplus: 1 }, GOOD[type]])
        expect(reasonFor(type, { ...good, ...surplus })).not.toBe('accepted');
      for (const field of Object.keys(good)) {
        const { [field]: _, ...rest } = good as Record<string, unknown>;
        expect(reasonFor(type, rest), field).not.toBe('accepted');
      }
    });
  }

  test('has two attributes, whatever their order, and at most 31 coefficients of each', () => {
    const { alpha, beta, betaTilde, proofs } = ASSET.EncryptedKeyGenCommitment;
    const of = (change: object) =>
      reasonFor('EncryptedKeyGenCommitment', { ...ASSET.EncryptedKeyGenCommitment, ...change });
    const long = Array.from({ length: 32 }, () => alpha[0]);
    for (const change of [
      { alpha: [] },
      { alpha: long },
      { alpha: rows(48) },
      { beta: beta.slice(1) },
      { beta: [...beta, ...beta.slice(1)] },
      { beta: [[], beta[1]] },
      { betaTilde: betaTilde.slice(1) },
      { betaTilde: [rows(95), rows(96)] },
      { proofs: { ...proofs, y: proofs.y.slice(1) } },
      { proofs: { ...proofs, x: proof(48) } },
    ])
      expect(of(change), JSON.stringify(Object.keys(change))).not.toBe('accepted');
    expect(of({ alpha: long.slice(1) })).toBe('accepted');
    for (const y of [[], [hexOf('y1')], [hexOf('y1'), hexOf('y2'), hexOf('y3')]])
      expect(reasonFor('EncryptedKeyShare', { ...ASSET.EncryptedKeyShare, y })).not.toBe('accepted');
  });
});

describe('a content is refused', () => {
  test('DOS-01: above its limit, before it is parsed', () => {
    expect(reasonFor('Signature', 'x'.repeat(MAX_CONTENT_BYTES + 1))).toMatch(/^expected at most/);
  });

  test('ENC-08: if its text is not strict', () => {
    expect(reasonFor('KeyGenVerdict', '{"aborted":"Timeout","aborted":"Halted"}')).toMatch(/duplicate key/);
    expect(reasonFor('KeyGenVerdict', '{"aborted":"Timeout"}x')).toMatch(/after the end/);
  });

  test('DKG-01: with more commitments than any threshold, or none', () => {
    const proofOfKnowledge: Hex = `0x${'00'.repeat(64)}`;
    for (const count of [0, 101])
      expect(
        reasonFor('EncryptedKeyGenCommitment', { commitments: Array(count).fill(affine), proofOfKnowledge }),
      ).toMatch(/^commitments: /);
  });

  test('with a scalar, point or hash of another length', () => {
    for (const bytes of [0, 31, 33])
      expect(reasonFor('EncryptedKeyShare', { share: `0x${'00'.repeat(bytes)}` })).toBe(
        'share: expected 32 bytes as 0x and lower-case hex',
      );
    for (const bytes of [31, 34]) {
      const hiding = `0x${'02'.repeat(bytes)}`;
      const { parameters } = GOOD.NonceCommitment;
      expect(reasonFor('NonceCommitment', { parameters, commitments: [{ ...pair, hiding }] })).toMatch(
        /^commitments\.0/,
      );
    }
    for (const bytes of [63, 66])
      expect(
        reasonFor('EncryptedKeyGenCommitment', {
          ...GOOD.EncryptedKeyGenCommitment,
          commitments: [`0x${'04'.repeat(bytes)}`],
        }),
      ).toMatch(/^commitments\.0: /);
  });

  test('ENC-02: with a sealing key that everybody could open', () => {
    const sealingKey = `0x${'00'.repeat(32)}`;
    expect(reasonFor('EncryptedPublicKey', { ...GOOD.EncryptedPublicKey, sealingKey })).toMatch(/^sealingKey: /);
  });

  test('CTX-03: with parameters of the other kind of ceremony', () => {
    const { commitments } = GOOD.NonceCommitment;
    expect(reasonFor('NonceCommitment', { parameters: keygenParameters, commitments })).toMatch(/^parameters/);
    expect(reasonFor('EncryptedPublicKey', { ...GOOD.EncryptedPublicKey, parameters: signingParameters })).toMatch(
      /^parameters/,
    );
  });

  test('DKG-14: with a threshold that is none, or above the number of signers', () => {
    for (const t of [0, 4, 101, -1, '2']) {
      const parameters = { ...keygenParameters, t };
      expect(reasonFor('EncryptedPublicKey', { ...GOOD.EncryptedPublicKey, parameters }), `${t}`).not.toBe('accepted');
    }
  });

  test('if it is a verdict that both confirms and aborts, or gives no known reason', () => {
    expect(reasonFor('KeyGenVerdict', { confirmed: hexOf('t'), aborted: 'Timeout' })).not.toBe('accepted');
    expect(reasonFor('KeyGenVerdict', { aborted: 'Because' })).not.toBe('accepted');
    for (const reason of FAILURE_REASONS) expect(reasonFor('KeyGenVerdict', { aborted: reason })).toBe('accepted');
  });

  test('if it is a confirmation in another text than the one that certificates rebuild', () => {
    const text = contentText('KeyGenVerdict', { confirmed: hexOf('t') });
    expect(text).toBe(`{"confirmed":"${hexOf('t')}"}`);
    for (const same of [` ${text}`, text.replace(':', ': '), text.replace('confirmed', '\\u0063onfirmed')])
      expect(reasonFor('KeyGenVerdict', same), same).not.toBe('accepted');
  });

  test('with more than 16 exhibits', () => {
    expect(reasonFor('KeyGenEvidence', { statements: Array(16).fill(verdict) })).toBe('accepted');
    expect(reasonFor('KeyGenEvidence', { statements: Array(17).fill(verdict) })).toMatch(/^statements: /);
  });
});

describe('the largest signing', () => {
  test('has M = min(100, 1,450 / t) messages', () => {
    const refused = (t: number, count: number): boolean => {
      const signers = Array.from({ length: 100 }, (_, i) => i + 1);
      const parameters = { ...signingParameters, t, signers, messages: Array(count).fill('0x00') };
      return reasonFor('NonceCommitment', { parameters, commitments: [pair] }) !== 'accepted';
    };
    for (const [t, most] of [
      [2, 100],
      [14, 100],
      [15, 96],
      [67, 21],
      [100, 14],
    ] as const) {
      expect(maximumMessages(t)).toBe(most);
      expect([refused(t, most), refused(t, most + 1)], `${t}`).toEqual([false, true]);
    }
  });

  test('DOS-01: has a package that fits into a body, at every threshold', () => {
    for (let t = 1; t <= 100; t++) {
      const commitments = Array(t).fill(Array(maximumMessages(t)).fill(pair));
      const signers = Array.from({ length: t }, (_, i) => i + 101 - t);
      const text = contentText('SigningPackage', { signers, sources: Array(t).fill(hexOf('source')), commitments });
      const longest = { ...header, type: 'SigningPackage', slot: '99.99', from: 100, to: 100 } as const;
      const payload = { ...longest, content: text, signature };
      const parcel = bodyOf('P2PIncoming', {
        from: 100,
        to: 100,
        coin: 'c'.repeat(16),
        type: 'SigningPackageOut',
        payload,
      });
      expect(Buffer.byteLength(parcel), `t = ${t}`).toBeLessThanOrEqual(MAX_BODY_BYTES);
      if (t % 25 === 0) {
        expect(statementSchema.safeParse(payload).success).toBe(true);
        expect(parseBody(parcel).ok).toBe(true);
        expect(parseContent('SigningPackage', text).ok).toBe(true);
      }
    }
  });
});
