/** 32 bytes from a small number: what a person types after `--seed`. */
export function seedBytes(seed: number): Uint8Array {
  const bytes = new Uint8Array(32).fill(11);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(seed));
  return bytes;
}
