/** KMS in process: data keys under a master key for each namespace and lifecycle, bound to their context. */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import {
  type DataKey,
  type EncryptionContext,
  type KeyLifecycle,
  type KeyWrapper,
  type Random,
  WrongContext,
} from '../ports.ts';
import type { Gate } from './gate.ts';
import { derive } from './random.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const WRAPPED_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES;

export class LocalKeyWrapper implements KeyWrapper {
  readonly #gate: Gate;
  readonly #namespace: string;
  readonly #masterKeys: Readonly<Record<KeyLifecycle, Uint8Array>>;
  readonly #random: Random;

  /** @param seed 32 bytes: the master keys follow from it, so that what was wrapped can be opened as long as the seed is known */
  constructor(gate: Gate, namespace: string, seed: Uint8Array, random: Random) {
    this.#gate = gate;
    this.#namespace = namespace;
    this.#masterKeys = {
      keys: derive(seed, `kms/keys/${namespace}`),
      ephemeral: derive(seed, `kms/ephemeral/${namespace}`),
    };
    this.#random = random;
  }

  generateDataKey(lifecycle: KeyLifecycle, context: EncryptionContext): Promise<DataKey> {
    const operation = { port: 'wrapper', operation: 'generateDataKey', args: [lifecycle, context] } as const;
    return this.#gate.pass(this.#namespace, operation, () => {
      const plaintext = this.#random.bytes(KEY_BYTES);
      const nonce = this.#random.bytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', this.#masterKeys[lifecycle], nonce).setAAD(encodeContext(context));
      const sealed = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
      return { plaintext, wrapped: new Uint8Array(sealed) };
    });
  }

  decrypt(lifecycle: KeyLifecycle, wrapped: Uint8Array, context: EncryptionContext): Promise<Uint8Array> {
    const operation = { port: 'wrapper', operation: 'decrypt', args: [lifecycle, wrapped, context] } as const;
    return this.#gate.pass(this.#namespace, operation, () => {
      if (wrapped.length !== WRAPPED_BYTES) {
        throw new WrongContext(`wrapped key: expected ${WRAPPED_BYTES} bytes, got ${wrapped.length}`);
      }
      const decipher = createDecipheriv('aes-256-gcm', this.#masterKeys[lifecycle], wrapped.subarray(0, NONCE_BYTES));
      decipher.setAAD(encodeContext(context)).setAuthTag(wrapped.subarray(WRAPPED_BYTES - TAG_BYTES));
      try {
        const opened = decipher.update(wrapped.subarray(NONCE_BYTES, WRAPPED_BYTES - TAG_BYTES));
        decipher.final();
        return new Uint8Array(opened);
      } catch {
        throw new WrongContext('wrapped key: made under another key or context, or changed since');
      }
    });
  }
}

/** Injective: each name and value with its length before it, names in order, so that {a: "b,c=d"} is never {a: "b", c: "d"}. */
function encodeContext(context: EncryptionContext): Buffer {
  const parts: Buffer[] = [];
  for (const name of Object.keys(context).sort()) {
    for (const text of [name, context[name] ?? '']) {
      const bytes = Buffer.from(text, 'utf8');
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      parts.push(length, bytes);
    }
  }
  return Buffer.concat(parts);
}
