/** Shared by the tests of the credentials. */
import { createHash } from 'node:crypto';
import type { RandomBytes } from '../../lib/ceremony.ts';

/** A reproducible source: SHA-256(name ‖ counter), byte after byte. */
export function stream(name: string): RandomBytes {
  let counter = 0;
  let rest = new Uint8Array(0);
  return (length) => {
    const out = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      if (rest.length === 0) rest = new Uint8Array(createHash('sha256').update(`${name}/${counter++}`).digest());
      const part = rest.subarray(0, length - at);
      out.set(part, at);
      at += part.length;
      rest = rest.subarray(part.length);
    }
    return out;
  };
}
