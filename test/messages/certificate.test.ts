import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type * as z from 'zod';
import {
  type Certificate,
  certificateSchema,
  frostCertificate,
  keyId,
  type TranscriptContent,
  transcriptHash,
  verifyCertificate,
} from '../../lib/messages/certificate.ts';
import { Committee } from '../../lib/messages/committee.ts';
import { ceremonyId, keygenParameters as keygenSchema } from '../../lib/messages/parameters.ts';
import { signStatement } from '../../lib/messages/statement.ts';
import { arbitraryOf } from './arbitrary.ts';
import {
  certificate,
  certify,
  committee,
  committeeFile,
  flipped,
  header,
  hexOf,
  keygenParameters,
  signatureSecret,
  transcriptContent,
} from './fixtures.ts';

const reasonFor = (shown: Certificate, of: Committee = committee): string => {
  const verified = verifyCertificate(of, shown);
  return verified.ok ? 'accepted' : verified.reason;
};

/** Another value of the same shape. */
function another(schema: z.core.$ZodType, value: unknown): unknown {
  const other = fc.sample(
    arbitraryOf(schema).filter((each) => JSON.stringify(each) !== JSON.stringify(value)),
    { numRuns: 1, seed: 7 },
  );
  return other[0];
}

describe('a certificate that all participants signed', () => {
  test('verifies, and gives the key its id', () => {
    const transcript = transcriptHash(transcriptContent);
    expect(verifyCertificate(committee, certificate)).toEqual({
      ok: true,
      transcript,
      keyId: keyId(ceremonyId(keygenParameters), transcript),
    });
    expect(certificateSchema.safeParse(certificate).success).toBe(true);
  });

  test('is about a key of one ceremony: the same transcript in another has another id', () => {
    const transcript = transcriptHash(transcriptContent);
    expect(keyId(hexOf('other ceremony'), transcript)).not.toBe(keyId(ceremonyId(keygenParameters), transcript));
  });
});

describe('DKG-09: no field of a certificate can be changed', () => {
  // From the schemas: a field that is added later is tested without being named here.
  const fields = Object.entries(frostCertificate.shape).filter(([name]) => name !== 'parameters');
  for (const [name, schema] of fields) {
    const value = certificate[name as keyof Certificate];
    test(name, () => {
      const changed = { ...certificate, [name]: another(schema, value) } as Certificate;
      expect(reasonFor(changed)).not.toBe('accepted');
      if (!Array.isArray(value)) return;
      for (const [i, hex] of value.entries()) {
        const bent = { ...certificate, [name]: value.with(i, flipped(hex, 9)) } as Certificate;
        expect(reasonFor(bent), `${name} ${i}`).toMatch(/^the confirmation of operator \d does not verify$/);
      }
      expect(reasonFor({ ...certificate, [name]: value.toReversed() } as Certificate)).toMatch(/does not verify$/);
    });
  }

  for (const [name, schema] of Object.entries(keygenSchema.shape)) {
    if (name === 'kind') continue;
    test(`parameters: ${name}`, () => {
      const value = another(schema, keygenParameters[name as keyof typeof keygenParameters]);
      const parameters = { ...keygenParameters, [name]: value };
      expect(reasonFor({ ...certificate, parameters })).not.toBe('accepted');
    });
  }
});

describe('a certificate is refused', () => {
  test('CTX-01: by another committee, even of the same operators', () => {
    const other = new Committee({ ...committeeFile, network: 'other' });
    expect(reasonFor(certificate, other)).toBe('expected this committee, got another');
  });

  test('if anything is there once too often or too rarely', () => {
    for (const name of ['publicKeyHashes', 'commitmentHashes', 'verifyingShares', 'signatures'] as const) {
      const fewer = { ...certificate, [name]: certificate[name].slice(1) } as Certificate;
      expect(reasonFor(fewer)).toBe(`expected 3 ${name}, got 2`);
      const more = { ...certificate, [name]: [...certificate[name], ...certificate[name].slice(0, 1)] } as Certificate;
      expect(reasonFor(more)).toBe(`expected 3 ${name}, got 4`);
    }
  });

  test('ENC-07: without signers, whatever else is empty too', () => {
    const empty = { ...certificate, parameters: { ...keygenParameters, signers: [] } };
    for (const name of ['publicKeyHashes', 'commitmentHashes', 'verifyingShares', 'signatures'] as const) {
      expect(certificateSchema.safeParse({ ...certificate, [name]: [] }).success, name).toBe(false);
      Object.assign(empty, { [name]: [] });
    }
    expect(certificateSchema.safeParse(empty).success).toBe(false);
    expect(reasonFor(empty)).toBe('expected at least 2 signers, got 0');
  });

  test('CTX-09: if suite or threshold are not the ones that the committee pins, whoever signed it', () => {
    const weaker: TranscriptContent = { ...transcriptContent, parameters: { ...keygenParameters, t: 1 } };
    expect(reasonFor(certify(weaker))).toBe('expected t = 2, got 1');
    const other: TranscriptContent = {
      ...transcriptContent,
      parameters: { ...keygenParameters, suite: 'FROST-ED25519-SHA512-v1' },
    };
    expect(reasonFor(certify(other))).toBe('expected suite FROST-secp256k1-SHA256-TR-v1, got FROST-ED25519-SHA512-v1');
  });

  test('CTX-06: if a signer or the coin is not of the committee', () => {
    const stranger = { ...keygenParameters, signers: [1, 2, 4] };
    expect(reasonFor({ ...certificate, parameters: stranger })).toBe('operator 4 is not of this committee for btc');
    const coin = { ...keygenParameters, coin: 'sol' };
    expect(reasonFor({ ...certificate, parameters: coin })).toBe('expected a coin or asset of the committee, got sol');
  });

  test('ENC-06: with signatures for another slot, reader, type or text of the same transcript', () => {
    const said = {
      ...header,
      ceremony: ceremonyId(keygenParameters),
    };
    const text = `{"confirmed":"${transcriptHash(transcriptContent)}"}`;
    const signedAs = (changes: Partial<typeof said>, content = text): string => {
      const [, ...rest] = certificate.signatures;
      const { signature } = signStatement({ ...said, ...changes }, content, signatureSecret(1));
      return reasonFor({ ...certificate, signatures: [signature, ...rest] });
    };
    expect(signedAs({})).toBe('accepted');
    for (const changes of [{ slot: 'x' }, { to: 2 }, { from: 2 }, { type: 'Signature' }, { coin: 'sol' }] as const)
      expect(signedAs(changes), JSON.stringify(changes)).toBe('the confirmation of operator 1 does not verify');
    expect(signedAs({}, ` ${text}`)).toBe('the confirmation of operator 1 does not verify');
    expect(signedAs({}, '{"aborted":"Timeout"}')).toBe('the confirmation of operator 1 does not verify');
  });
});
