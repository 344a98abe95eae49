/** What a wallet may keep so that it need not ask: never needed, always checked against the services in the end. Sealed under a key of the seed, since tokens are money. */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { randomBytes } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { hexOf, hexUpTo } from '../messages/fields.ts';
import { parseStrict } from '../messages/json.ts';

export interface WalletCache {
  load(): Promise<Uint8Array | undefined>;
  save(bytes: Uint8Array): Promise<void>;
}

const kept = z.strictObject({
  /** The first number that was never used. */
  next: z.int().min(0),
  /** One more than the highest number that was paid. */
  paid: z.int().min(0),
  /** `encodeCredential`. */
  tokens: z.array(hexUpTo(160, 160)),
  /** Tags: a payment that is looked for again brings back no token that is gone, without a question about its tag. */
  spent: z.array(hexOf(48)).default([]),
  /** Canonical bytes of transactions that services may have seen and that are not finished. */
  pending: z.array(hexUpTo(60_000, 1)),
});
export type Kept = z.infer<typeof kept>;

const NONCE_BYTES = 24;
/** Room for some ten thousand tokens, and as many that are spent. */
const MOST_BYTES = 16_000_000;

/** XChaCha20-Poly1305: nonce(24) ‖ ciphertext. @param key 32 bytes */
export function sealCache(key: Uint8Array, state: Kept): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const text = new TextEncoder().encode(JSON.stringify(state));
  const sealed = xchacha20poly1305(key, nonce).encrypt(text);
  const out = new Uint8Array(NONCE_BYTES + sealed.length);
  out.set(nonce);
  out.set(sealed, NONCE_BYTES);
  return out;
}

/** @returns nothing for what does not open: it is another wallet's, or broken, and the services know it all */
export function openCache(key: Uint8Array, bytes: Uint8Array): Kept | undefined {
  let text: string;
  try {
    const opened = xchacha20poly1305(key, bytes.subarray(0, NONCE_BYTES)).decrypt(bytes.subarray(NONCE_BYTES));
    text = new TextDecoder().decode(opened);
  } catch {
    return undefined;
  }
  const json = parseStrict(text, MOST_BYTES);
  const parsed = json.ok ? kept.safeParse(json.value) : undefined;
  return parsed?.success ? parsed.data : undefined;
}
