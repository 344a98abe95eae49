/**
 * What bulk runs seal with in place of HPKE: two hashes and AES-256-GCM, where HPKE costs three X25519 multiplications a seal.
 *
 * It binds all that HPKE binds (reader, header, every byte) and opens only with the secret that the public key was made from. Only the *secrecy* is pretended:
 * whoever knows the simulation's own secret could open everything. A fixed share of the runs uses the real one.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto';
import { concat } from '../../lib/messages/bytes.ts';
import { fromHex, type Hex, toHex } from '../../lib/messages/hex.ts';
import { type Sealer, sealingInfo } from '../../lib/messages/sealing.ts';

const NONCE = new Uint8Array(12);
const TAG_BYTES = 16;

/** @param secret 32 bytes of the simulation: without it nobody opens what was not sealed to him */
export function standInSealer(secret: Uint8Array): Sealer {
  const publicKeyOf = (secretKey: Uint8Array): Uint8Array => {
    const key = new Uint8Array(createHash('sha256').update('public').update(secretKey).digest());
    // A canonical u-coordinate, so that every check of messaging keys sees what it would see.
    key[31] = (key[31] as number) & 0x3f;
    return key;
  };
  // One key for each encapsulation, so that the nonce may be constant, as HPKE's first one is.
  const keyFor = (publicKey: Uint8Array, enc: Uint8Array): Uint8Array =>
    createHmac('sha256', secret).update(concat(publicKey, enc)).digest();
  return {
    async seal(recipientKey, header, recipient, plaintext, randomness) {
      const enc = new Uint8Array(createHash('sha256').update('enc').update(randomness).digest());
      const cipher = createCipheriv('aes-256-gcm', keyFor(fromHex(recipientKey), enc), NONCE);
      cipher.setAAD(sealingInfo(header, recipient));
      return { enc, ciphertext: concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag()) };
    },
    async open(secretKey, header, recipient, enc, ciphertext) {
      if (ciphertext.length < TAG_BYTES) return undefined;
      const decipher = createDecipheriv('aes-256-gcm', keyFor(publicKeyOf(secretKey), enc), NONCE);
      decipher.setAAD(sealingInfo(header, recipient));
      decipher.setAuthTag(ciphertext.subarray(-TAG_BYTES));
      const opened = decipher.update(ciphertext.subarray(0, -TAG_BYTES));
      try {
        decipher.final();
      } catch {
        return undefined;
      }
      return new Uint8Array(opened);
    },
    async publicKeyOf(secretKey): Promise<Hex> {
      return toHex(publicKeyOf(secretKey));
    },
  };
}
