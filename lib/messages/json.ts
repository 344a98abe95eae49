/**
 * Strict JSON: what two parsers could read differently is refused.
 *
 * `JSON.parse` takes the last of two equal keys, rounds numbers above 2⁵³ and accepts `__proto__`; a signature over the text would then cover something
 * else than what the program reads (attack ENC-08). One linear scan refuses all of that before `JSON.parse` builds anything.
 */
import { utf8 } from './bytes.ts';

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

const MAX_DEPTH = 32;
/** The longest array of the catalogue: a certificate of 100 participants has five of them. */
const MAX_ELEMENTS = 4_096;
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
/** A safe non-negative integer, the only kind of number in any message. */
const INTEGER = /(?:0|[1-9][0-9]{0,15})(?![0-9.eE+-])/y;

/** @param maxBytes of UTF-8, checked before anything else is looked at */
export function parseStrict(text: string, maxBytes: number): Parsed<unknown> {
  // A UTF-16 unit gives at least one byte, so that a huge text is refused before it is encoded.
  const bytes = text.length > maxBytes ? text.length : utf8(text).length;
  if (bytes > maxBytes) return { ok: false, reason: `expected at most ${maxBytes} bytes, got at least ${bytes}` };
  const scan = new Scanner(text);
  const reason = scan.document();
  if (reason !== undefined) return { ok: false, reason };
  return { ok: true, value: JSON.parse(text) as unknown };
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** @returns why the text is refused, or nothing */
  document(): string | undefined {
    try {
      this.#space();
      this.#value(0);
      this.#space();
      if (this.#at < this.#text.length) this.#fail('text after the end');
      return undefined;
    } catch (error) {
      if (error instanceof Refused) return error.message;
      throw error;
    }
  }

  #value(depth: number): void {
    if (depth > MAX_DEPTH) this.#fail(`more than ${MAX_DEPTH} levels`);
    const c = this.#text[this.#at];
    if (c === '{') this.#object(depth);
    else if (c === '[') this.#array(depth);
    else if (c === '"') this.#string();
    else if (!this.#word('true') && !this.#word('false') && !this.#word('null')) this.#number();
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #object(depth: number): void {
    const keys = new Set<string>();
    this.#at += 1;
    this.#space();
    if (this.#take('}')) return;
    for (;;) {
      if (this.#text[this.#at] !== '"') this.#fail('expected a key');
      const key = this.#string();
      if (FORBIDDEN_KEYS.has(key)) this.#fail('a forbidden key');
      if (keys.has(key)) this.#fail('a duplicate key');
      keys.add(key);
      this.#space();
      if (!this.#take(':')) this.#fail('expected a colon');
      this.#space();
      this.#value(depth + 1);
      this.#space();
      if (this.#take('}')) return;
      if (!this.#take(',')) this.#fail('expected a comma');
      this.#space();
    }
  }

  #array(depth: number): void {
    this.#at += 1;
    this.#space();
    if (this.#take(']')) return;
    for (let count = 1; ; count++) {
      if (count > MAX_ELEMENTS) this.#fail(`more than ${MAX_ELEMENTS} elements`);
      this.#value(depth + 1);
      this.#space();
      if (this.#take(']')) return;
      if (!this.#take(',')) this.#fail('expected a comma');
      this.#space();
    }
  }

  /** @returns the decoded string: two spellings of one key are one key */
  #string(): string {
    const start = this.#at;
    let escaped = false;
    for (let i = start + 1; i < this.#text.length; i++) {
      const code = this.#text.charCodeAt(i);
      if (code === 0x22) {
        this.#at = i + 1;
        return escaped ? this.#unescape(start, i + 1) : this.#text.slice(start + 1, i);
      }
      if (code === 0x5c) {
        escaped = true;
        i += 1;
      } else if (code < 0x20) this.#fail('a control character in a string');
    }
    return this.#fail('an unfinished string');
  }

  #unescape(start: number, end: number): string {
    try {
      const value: unknown = JSON.parse(this.#text.slice(start, end));
      if (typeof value === 'string' && value.isWellFormed()) return value;
    } catch {
      // Falls through to the refusal.
    }
    return this.#fail('a malformed string');
  }

  #number(): void {
    INTEGER.lastIndex = this.#at;
    const match = INTEGER.exec(this.#text);
    if (!match || !Number.isSafeInteger(Number(match[0])))
      this.#fail('expected a value; numbers are integers from 0 to 2^53 − 1');
    this.#at += match[0].length;
  }

  #take(c: string): boolean {
    if (this.#text[this.#at] !== c) return false;
    this.#at += 1;
    return true;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at += 1;
    }
  }

  #fail(what: string): never {
    throw new Refused(`not strict JSON: ${what}, at character ${this.#at}`);
  }
}

class Refused extends Error {}
