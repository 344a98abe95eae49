import { generateKeyPairSync, sign } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { schnorr } from '@noble/curves/secp256k1.js';
import { base58, bech32m } from '@scure/base';
import { p2tr } from '@scure/btc-signer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VERIFIERS } from '../../lib/cli/verify.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const flipped = (of: Uint8Array, bit: number) => of.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));

describe('independent verification', () => {
  it('agrees with BIP 340 signatures on messages of every length, and with no flipped bit of them', async () => {
    const message = fc.oneof(bytes(32), fc.uint8Array({ minLength: 1, maxLength: 100 }));
    await fc.assert(
      fc.asyncProperty(bytes(32), message, fc.nat(511), async (secret, text, bit) => {
        fc.pre(secret.some((byte) => byte > 0) && (secret[0] ?? 255) < 255);
        const [key, signature] = [schnorr.getPublicKey(secret), schnorr.sign(text, secret)];
        expect(await VERIFIERS.btc.verify(key, text, signature)).toBe(true);
        expect(await VERIFIERS.btc.verify(key, text, flipped(signature, bit))).toBe(false);
        expect(await VERIFIERS.btc.verify(key, Uint8Array.of(...text, 0), signature)).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  it('refuses BIP 340 signatures with s beyond the order, and keys that are no point', async () => {
    const secret = new Uint8Array(32).fill(7);
    const text = new TextEncoder().encode('not of 32 bytes');
    const [key, signature] = [schnorr.getPublicKey(secret), schnorr.sign(text, secret)];
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`);
    const reduced = new Uint8Array([...signature.subarray(0, 32), ...Buffer.from(order.toString(16), 'hex')]);
    expect(s < order).toBe(true);
    expect(await VERIFIERS.btc.verify(key, text, reduced)).toBe(false);
    expect(await VERIFIERS.btc.verify(new Uint8Array(32).fill(255), text, signature)).toBe(false);
    expect(await VERIFIERS.btc.verify(key.subarray(1), text, signature)).toBe(false);
    expect(await VERIFIERS.btc.verify(key, text, signature.subarray(1))).toBe(false);
  });

  it('agrees with OpenSSL’s Ed25519 signatures, and with no flipped bit of them', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const key = new Uint8Array(Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'));
    const message = new TextEncoder().encode('a message');
    const signature = new Uint8Array(sign(null, message, privateKey));
    expect(await VERIFIERS.sol.verify(key, message, signature)).toBe(true);
    for (const bit of [0, 100, 255, 256, 400, 511])
      expect(await VERIFIERS.sol.verify(key, message, flipped(signature, bit))).toBe(false);
    expect(await VERIFIERS.sol.verify(key, Uint8Array.of(1), signature)).toBe(false);
  });
});

describe('addresses', () => {
  it('decodes Taproot addresses of the main network, and nothing else', () => {
    const internal = schnorr.getPublicKey(new Uint8Array(32).fill(5));
    const { address, tweakedPubkey } = p2tr(internal);
    expect(VERIFIERS.btc.decodeAddress(address ?? '')).toEqual(tweakedPubkey);
    const words = bech32m.toWords(internal);
    expect(VERIFIERS.btc.decodeAddress(bech32m.encode('tb', [1, ...words]))).toBeUndefined();
    expect(VERIFIERS.btc.decodeAddress(bech32m.encode('bc', [2, ...words]))).toBeUndefined();
    expect(
      VERIFIERS.btc.decodeAddress(bech32m.encode('bc', [1, ...bech32m.toWords(internal.subarray(1))])),
    ).toBeUndefined();
    expect(
      VERIFIERS.btc.decodeAddress(`${address?.slice(0, -1)}${address?.endsWith('q') ? 'p' : 'q'}`),
    ).toBeUndefined();
  });

  it('decodes Solana addresses of 32 bytes, and nothing else', () => {
    const key = ed25519.getPublicKey(new Uint8Array(32).fill(5));
    expect(VERIFIERS.sol.decodeAddress(base58.encode(key))).toEqual(key);
    expect(VERIFIERS.sol.decodeAddress(base58.encode(key.subarray(1)))).toBeUndefined();
    expect(VERIFIERS.sol.decodeAddress('0OIl')).toBeUndefined();
  });
});
