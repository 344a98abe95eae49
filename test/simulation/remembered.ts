/** A pure function that remembers: every operator of a run computes what the others computed of the same public values. */

const MOST = 8_192;

/** @param nameOf injective over the arguments */
export function remembered<Arguments extends readonly unknown[], Result>(
  nameOf: (...of: Arguments) => string,
  compute: (...of: Arguments) => Result,
): (...of: Arguments) => Result {
  const results = new Map<string, { readonly result: Result }>();
  return (...of) => {
    const name = nameOf(...of);
    const known = results.get(name);
    if (known) return known.result;
    const result = compute(...of);
    if (results.size >= MOST) results.clear();
    results.set(name, { result });
    return result;
  };
}

/** For names: every byte sequence has one. */
export function nameOfBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
