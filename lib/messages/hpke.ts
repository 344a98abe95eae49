/**
 * The one suite of HPKE (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, in `@hpke/core`.
 *
 * The library runs every HMAC and every cipher as a task of WebCrypto's thread pool: some 25 of them to seal a message of 500 bytes. Its interfaces for the
 * KDF and the AEAD take other implementations; these two call OpenSSL at once, which makes sealing and opening about twice as fast. The key
 * encapsulation and the key schedule remain the library's. Tests open with the unchanged library what this seals, and the other way round.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { type AeadEncryptionContext, Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';

const HASH_BYTES = 32;
const TAG_BYTES = 16;

/** A view's own bytes, as the buffer that the library takes. */
export function buffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function bytesOf(source: ArrayBufferLike | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
}

type Source = ArrayBufferLike | ArrayBufferView;

/** HKDF with SHA-256 (RFC 5869); HPKE never asks it for more than one block of output. */
class SyncHkdfSha256 extends HkdfSha256 {
  /** RFC 5869 §2.2; an absent salt is a block of zeros. */
  override async extract(salt: Source, ikm: Source): Promise<ArrayBuffer> {
    const key = salt.byteLength === 0 ? new Uint8Array(HASH_BYTES) : bytesOf(salt);
    return buffer(createHmac('sha256', key).update(bytesOf(ikm)).digest());
  }

  /** RFC 5869 §2.3 for one block: T(1) = HMAC(PRK, info ‖ 0x01). */
  override async expand(prk: Source, info: Source, length: number): Promise<ArrayBuffer> {
    if (length > HASH_BYTES) throw new RangeError(`expected at most ${HASH_BYTES} bytes of output, got ${length}`);
    const block = createHmac('sha256', bytesOf(prk)).update(bytesOf(info)).update(Uint8Array.of(1)).digest();
    return buffer(block.subarray(0, length));
  }

  override async extractAndExpand(salt: Source, ikm: Source, info: Source, length: number): Promise<ArrayBuffer> {
    return this.expand(await this.extract(salt, ikm), info, length);
  }
}

class SyncAes256Gcm extends Aes256Gcm {
  override createEncryptionContext(rawKey: ArrayBufferLike | ArrayBufferView): AeadEncryptionContext {
    const key = bytesOf(rawKey);
    return {
      async seal(nonce, plaintext, aad) {
        const cipher = createCipheriv('aes-256-gcm', key, bytesOf(nonce));
        cipher.setAAD(bytesOf(aad));
        return buffer(Buffer.concat([cipher.update(bytesOf(plaintext)), cipher.final(), cipher.getAuthTag()]));
      },
      async open(nonce, ciphertext, aad) {
        const sealed = bytesOf(ciphertext);
        // Without a length the engine accepts a tag of 4 bytes, which 2³² attempts forge.
        const decipher = createDecipheriv('aes-256-gcm', key, bytesOf(nonce), { authTagLength: TAG_BYTES });
        decipher.setAAD(bytesOf(aad));
        decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
        return buffer(Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]));
      },
    };
  }
}

export const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new SyncHkdfSha256(),
  aead: new SyncAes256Gcm(),
});
