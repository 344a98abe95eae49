/**
 * Looks for secrets in everything that is not secret, in every form in which a program spills one.
 *
 * Thousands of patterns (a scalar has some twenty forms) against megabytes of sinks: each pattern is found by one of its windows of {@link WINDOW} bytes, whose
 * hash rolls along the sink once, whatever the number of patterns (Karp and Rabin 1987).
 */

/** The shortest form is base64 between two other bytes: 40 characters. A decimal scalar has 24 digits unless it is below 10²⁴. */
const WINDOW = 24;
const BASE = 0x01000193;
/** Bits of the filter that the rolling hash is held against first. */
const FILTER_BITS = 20;

export type Encoding = 'raw' | 'hex' | 'HEX' | 'base64' | 'base64url' | 'decimal';

export interface Leak {
  readonly secret: string;
  readonly encoding: Encoding;
  readonly reversed: boolean;
  readonly sink: string;
}

interface Pattern {
  readonly secret: string;
  readonly encoding: Encoding;
  readonly reversed: boolean;
  readonly bytes: Buffer;
}

export class SecretScan {
  readonly #secrets = new Map<string, { readonly name: string; readonly bytes: Uint8Array }>();
  readonly #sinks = new Map<string, string>();

  /** @param name for the report @param bytes 32 or more; a longer one is looked for by its first 32 */
  secret(name: string, bytes: Uint8Array): void {
    const part = bytes.slice(0, 32);
    // What was wiped or is a constant is no secret, and would be found everywhere.
    if (part.length < 32 || new Set(part).size < 8) return;
    const key = Buffer.from(part).toString('latin1');
    if (!this.#secrets.has(key)) this.#secrets.set(key, { name, bytes: part });
  }

  /** @param sink where it is, for the report @param value texts, bytes, and what is made of them */
  sink(sink: string, value: unknown): void {
    if (typeof value === 'string') this.#add(sink, value);
    else if (value instanceof Uint8Array) this.#add(sink, Buffer.from(value).toString('latin1'));
    else if (typeof value === 'bigint') this.#add(sink, value.toString());
    else if (value instanceof Error) this.#add(sink, `${value.name} ${value.message} ${value.stack ?? ''}`);
    else if (value instanceof Set || Array.isArray(value)) for (const each of value) this.sink(sink, each);
    else if (typeof value === 'object' && value !== null)
      for (const each of Object.values(value)) this.sink(sink, each);
  }

  get secrets(): number {
    return this.#secrets.size;
  }

  leaks(): Leak[] {
    const index = new Index([...this.#secrets.values()].flatMap(({ name, bytes }) => formsOf(name, bytes)));
    const leaks: Leak[] = [];
    for (const [text, sink] of this.#sinks)
      for (const { secret, encoding, reversed } of index.found(Buffer.from(text, 'latin1')))
        leaks.push({ secret, encoding, reversed, sink });
    return leaks;
  }

  #add(sink: string, text: string): void {
    if (text.length >= WINDOW && !this.#sinks.has(text)) this.#sinks.set(text, sink);
  }
}

function formsOf(secret: string, bytes: Uint8Array): Pattern[] {
  const patterns: Pattern[] = [];
  for (const reversed of [false, true]) {
    const each = reversed ? Buffer.from(bytes).reverse() : Buffer.from(bytes);
    const add = (encoding: Encoding, form: Buffer | string): void => {
      const pattern = typeof form === 'string' ? Buffer.from(form, 'latin1') : form;
      if (pattern.length >= WINDOW) patterns.push({ secret, encoding, reversed, bytes: pattern });
    };
    const hex = each.toString('hex');
    add('raw', each);
    add('hex', hex);
    add('HEX', hex.toUpperCase());
    add('decimal', BigInt(`0x${hex}`).toString(10));
    // Inside a longer text base64 has one of three alignments; what lies between its borders is the same in each.
    for (const offset of [0, 1, 2]) {
      const text = Buffer.concat([Buffer.alloc(offset), each])
        .toString('base64')
        .replace(/=+$/, '')
        .slice(offset === 0 ? 0 : 4, -1);
      add('base64', text);
      const url = text.replaceAll('+', '-').replaceAll('/', '_');
      if (url !== text) add('base64url', url);
    }
  }
  return patterns;
}

/** Patterns by the hash of their first window. */
class Index {
  readonly #byHash = new Map<number, Pattern[]>();
  readonly #filter = new Uint8Array(1 << (FILTER_BITS - 3));
  /** BASE^(WINDOW − 1): what the byte that leaves the window counts for. */
  readonly #leaving: number;

  constructor(patterns: readonly Pattern[]) {
    let leaving = 1;
    for (let i = 1; i < WINDOW; i++) leaving = Math.imul(leaving, BASE);
    this.#leaving = leaving;
    for (const pattern of patterns) {
      let hash = 0;
      for (let i = 0; i < WINDOW; i++) hash = (Math.imul(hash, BASE) + (pattern.bytes[i] as number) + 1) | 0;
      const bit = hash >>> (32 - FILTER_BITS);
      this.#filter[bit >>> 3] = (this.#filter[bit >>> 3] as number) | (1 << (bit & 7));
      const same = this.#byHash.get(hash);
      if (same) same.push(pattern);
      else this.#byHash.set(hash, [pattern]);
    }
  }

  found(text: Buffer): Pattern[] {
    const found: Pattern[] = [];
    let hash = 0;
    for (let at = 0; at < text.length; at++) {
      if (at >= WINDOW) hash = (hash - Math.imul((text[at - WINDOW] as number) + 1, this.#leaving)) | 0;
      hash = (Math.imul(hash, BASE) + (text[at] as number) + 1) | 0;
      if (at < WINDOW - 1) continue;
      const bit = hash >>> (32 - FILTER_BITS);
      if (((this.#filter[bit >>> 3] as number) & (1 << (bit & 7))) === 0) continue;
      const start = at - WINDOW + 1;
      for (const pattern of this.#byHash.get(hash) ?? [])
        if (text.subarray(start, start + pattern.bytes.length).equals(pattern.bytes)) found.push(pattern);
    }
    return found;
  }
}
