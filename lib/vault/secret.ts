/**
 * Secret bytes that cannot be printed by accident.
 *
 * `JSON.stringify` and conversion to a string throw; `util.inspect` (and so `console.log`) shows a placeholder, because an inspector
 * that throws would hide the error that is being reported. JavaScript cannot wipe strings or bigints, so secrets stay in `Uint8Array`s and are
 * overwritten by {@link Secret.wipe}, which callers run in `finally`.
 */
import { inspect } from 'node:util';

export class Secret {
  readonly #bytes: Uint8Array;

  /** Takes ownership: the given array is the one that is wiped. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The bytes themselves, not a copy: do not keep them beyond the call that needs them. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  wipe(): void {
    this.#bytes.fill(0);
  }

  toJSON(): never {
    throw new TypeError('a secret must not be serialised');
  }

  toString(): never {
    throw new TypeError('a secret must not be converted to a string');
  }

  [Symbol.toPrimitive](): never {
    throw new TypeError('a secret must not be converted to a primitive');
  }

  [inspect.custom](): string {
    return 'Secret(redacted)';
  }
}
