/** A processor's messaging key, signed by its signature key, with a generation that only rises (source 002, step 4, made safe). */
import { concat, lp, tagged, u64be, utf8 } from './bytes.ts';
import { sign, verifies } from './ed25519.ts';
import { fromHex, type Hex, toHex } from './hex.ts';

export interface ProcessorKey {
  readonly identity: string;
  readonly coin: string;
  /** X25519, 32 bytes. */
  readonly pubkey: Hex;
  readonly generation: number;
}

export function processorKeyBytes({ identity, coin, pubkey, generation }: ProcessorKey): Uint8Array {
  return concat(tagged('processor-key'), lp(utf8(identity)), lp(utf8(coin)), fromHex(pubkey), u64be(generation));
}

/** @param secret Ed25519, 32 bytes @returns 64 bytes */
export function signProcessorKey(key: ProcessorKey, secret: Uint8Array): Hex {
  return toHex(sign(processorKeyBytes(key), secret));
}

export function verifyProcessorKey(key: ProcessorKey, signature: Hex, signatureKey: Hex): boolean {
  return verifies(processorKeyBytes(key), fromHex(signature), signatureKey);
}
