/** God's keys: every data key that a key wrapper handed out, so that any wrapped row can be read without a port call. */
import { createDecipheriv } from 'node:crypto';
import type { DataKey, KeyWrapper } from '../../lib/ports.ts';
import { dataKeyOf } from '../../lib/vault/vault.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export class Keyring {
  readonly #keys: Map<string, Uint8Array>;
  readonly #onKey: (plaintext: Uint8Array) => void;

  /** @param onKey told of every data key: it is a secret like those it wraps @param known a ring whose keys are on this one, too */
  constructor(onKey: (plaintext: Uint8Array) => void = () => {}, known?: Keyring) {
    this.#onKey = onKey;
    this.#keys = new Map(known ? known.#keys : []);
    for (const key of this.#keys.values()) onKey(key);
  }

  /** The same wrapper, overheard. */
  watch(wrapper: KeyWrapper): KeyWrapper {
    return {
      generateDataKey: async (lifecycle, context) => {
        const key = await wrapper.generateDataKey(lifecycle, context);
        this.#learn(key);
        return key;
      },
      decrypt: (lifecycle, wrapped, context) => wrapper.decrypt(lifecycle, wrapped, context),
    };
  }

  /** What a wrapped row holds. Its tag and context are not looked at: this is no reader whom anyone could deceive. */
  open(blob: Uint8Array): Uint8Array | undefined {
    const wrapped = dataKeyOf(blob);
    const key = this.#keys.get(nameOf(wrapped));
    if (!key) return undefined;
    const body = blob.subarray(3 + wrapped.length);
    const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, NONCE_BYTES));
    return new Uint8Array(decipher.update(body.subarray(NONCE_BYTES, body.length - TAG_BYTES)));
  }

  #learn({ plaintext, wrapped }: DataKey): void {
    const copy = new Uint8Array(plaintext);
    this.#keys.set(nameOf(wrapped), copy);
    this.#onKey(copy);
  }
}

function nameOf(wrapped: Uint8Array): string {
  return Buffer.from(wrapped).toString('base64');
}
