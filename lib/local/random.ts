/** Randomness: from the operating system, or all of it from one 32-byte seed, so that a whole run can be repeated. */
import { randomBytes } from 'node:crypto';
import { chacha20 } from '@noble/ciphers/chacha.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { Random } from '../ports.ts';

const BLOCK = 64;
const REFILL_BLOCKS = 16;
const NONCE = new Uint8Array(12);
const MAX_LENGTH = 65_536;

export const systemRandom: Random = {
  bytes(length) {
    checkLength(length);
    return new Uint8Array(randomBytes(length));
  },
};

/** 32 bytes from the seed, one value for each label. */
export function derive(seed: Uint8Array, label: string): Uint8Array {
  return hmac(sha256, seed, utf8ToBytes(label));
}

/**
 * The ChaCha20 key stream (RFC 8439 §2.4) under HMAC-SHA-256(seed, label): streams of different labels are independent, so that one
 * more draw by one role does not move what another role draws.
 */
export class SeededRandom implements Random {
  readonly #key: Uint8Array;
  #block = 0;
  #buffer = new Uint8Array(0);
  #offset = 0;

  /** @param seed 32 bytes */
  constructor(seed: Uint8Array, label: string) {
    if (seed.length !== 32) throw new RangeError(`seed: expected 32 bytes, got ${seed.length}`);
    this.#key = derive(seed, `random/${label}`);
  }

  bytes(length: number): Uint8Array {
    checkLength(length);
    const out = new Uint8Array(length);
    for (let filled = 0; filled < length; ) {
      if (this.#offset === this.#buffer.length) this.#refill();
      const part = this.#buffer.subarray(this.#offset, this.#offset + length - filled);
      out.set(part, filled);
      filled += part.length;
      this.#offset += part.length;
    }
    return out;
  }

  /** An integer, uniform in 0 to `bound` − 1; `bound` at most 2³². Rejection keeps it free of modulo bias. */
  below(bound: number): number {
    if (bound <= 1) return 0;
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const draw = this.#uint32();
      if (draw < limit) return draw % bound;
    }
  }

  /** True with this probability; 0 draws nothing, so that a fault that is off leaves the stream alone. */
  chance(probability: number | undefined): boolean {
    return probability !== undefined && probability > 0 && this.#uint32() < probability * 2 ** 32;
  }

  #uint32(): number {
    if (this.#buffer.length - this.#offset < 4) this.#refill();
    const at = this.#offset;
    const bytes = this.#buffer;
    this.#offset += 4;
    // Little-endian, and unsigned.
    return (
      (((bytes[at + 3] as number) << 24) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 1] as number) << 8) |
        (bytes[at] as number)) >>>
      0
    );
  }

  #refill(): void {
    this.#buffer = chacha20(this.#key, NONCE, new Uint8Array(BLOCK * REFILL_BLOCKS), undefined, this.#block);
    this.#block += REFILL_BLOCKS;
    this.#offset = 0;
  }
}

function checkLength(length: number): void {
  if (!Number.isInteger(length) || length < 1 || length > MAX_LENGTH) {
    throw new RangeError(`random bytes: expected 1 to ${MAX_LENGTH}, got ${length}`);
  }
}
