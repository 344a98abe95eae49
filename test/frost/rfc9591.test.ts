import { readFileSync } from 'node:fs';
import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1_hasher } from '@noble/curves/secp256k1.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { evaluateShare } from '../../lib/frost/dkg.ts';
import { aggregate, generateNonces, signShare, verifySignature } from '../../lib/frost/signing.ts';
import { suiteOf } from '../../lib/frost/suite.ts';
import { present } from './committee.ts';

const hex = z.string().transform((text) => hexToBytes(text));
const Vector = z.object({
  groupSecretKey: hex,
  groupPublicKey: hex,
  message: hex,
  sharePolynomialCoefficient: hex,
  participantShares: z.array(hex),
  signers: z.array(
    z.object({
      index: z.number(),
      hidingNonceRandomness: hex,
      bindingNonceRandomness: hex,
      hidingNonce: hex,
      bindingNonce: hex,
      hidingNonceCommitment: hex,
      bindingNonceCommitment: hex,
      signatureShare: hex,
    }),
  ),
  signature: hex,
});

describe('RFC 9591 Appendix E.1, FROST(Ed25519, SHA-512)', () => {
  const file = new URL('./vectors/rfc9591-appendix-e1-ed25519.json', import.meta.url);
  const vector = Vector.parse(JSON.parse(readFileSync(file, 'utf8')));
  const suite = suiteOf('FROST-ED25519-SHA512-v1');
  const key = { internalKey: vector.groupPublicKey, outputKey: vector.groupPublicKey };
  const signers = vector.signers.map((signer) => ({
    index: signer.index,
    commitment: { hiding: signer.hidingNonceCommitment, binding: signer.bindingNonceCommitment },
  }));

  it('shares are the values of the polynomial', () => {
    const coefficients = concatBytes(vector.groupSecretKey, vector.sharePolynomialCoefficient);
    vector.participantShares.forEach((share, i) => {
      expect(bytesToHex(evaluateShare(suite, coefficients, i + 1))).toBe(bytesToHex(share));
    });
  });

  it('nonces and commitments come from the given randomness', () => {
    for (const signer of vector.signers) {
      const randomness = [signer.hidingNonceRandomness, signer.bindingNonceRandomness];
      const share = present(vector.participantShares[signer.index - 1]);
      const made = generateNonces(suite, share, () => present(randomness.shift()));
      expect(bytesToHex(made.nonces)).toBe(bytesToHex(concatBytes(signer.hidingNonce, signer.bindingNonce)));
      expect(bytesToHex(made.commitment.hiding)).toBe(bytesToHex(signer.hidingNonceCommitment));
      expect(bytesToHex(made.commitment.binding)).toBe(bytesToHex(signer.bindingNonceCommitment));
    }
  });

  it('signature shares and the signature are the published ones', () => {
    const shares = new Map<number, Uint8Array>();
    const verifyingShares = new Map<number, Uint8Array>();
    for (const signer of vector.signers) {
      const signingShare = present(vector.participantShares[signer.index - 1]);
      const nonces = concatBytes(signer.hidingNonce, signer.bindingNonce);
      const share = signShare(suite, {
        key,
        index: signer.index,
        signingShare,
        nonces,
        signers,
        message: vector.message,
      });
      expect(bytesToHex(share)).toBe(bytesToHex(signer.signatureShare));
      shares.set(signer.index, share);
      verifyingShares.set(
        signer.index,
        ed25519.Point.BASE.multiply(ed25519.Point.Fn.fromBytes(signingShare)).toBytes(),
      );
    }
    const result = aggregate(suite, { t: 2, key, verifyingShares, signers, message: vector.message, shares });
    expect(result.ok && bytesToHex(result.signature)).toBe(bytesToHex(vector.signature));
    expect(verifySignature(suite, vector.groupPublicKey, vector.message, vector.signature)).toBe(true);
  });
});

describe('hash functions of the Taproot suite', () => {
  it('H1 and HDKG are hash_to_field of RFC 9380 with the tag as domain separator', () => {
    const suite = suiteOf('FROST-secp256k1-SHA256-TR-v1');
    const reference = (tag: string, message: Uint8Array) =>
      secp256k1_hasher.hashToScalar(message, { DST: utf8ToBytes(suite.name + tag) });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (message) => {
        expect(suite.H1(message)).toBe(reference('rho', message));
        expect(suite.HDKG(message)).toBe(reference('dkg', message));
        expect(suite.H3(message)).toBe(reference('nonce', message));
      }),
      { numRuns: 30 },
    );
  });
});
