/**
 * Strict JSON: what two parsers could read differently is refused (attack ENC-08).
 *
 * `JSON.parse` takes the last of two equal keys, rounds numbers above 2⁵³ and sets prototypes; a signature over the text would then cover something
 * else than what the program reads. One linear scan refuses all of that before `JSON.parse` builds anything. Its memory is bounded by the text; its
 * stack by {@link MAX_DEPTH}.
 */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** An object in an object is level 2. The deepest message, a certificate in an outcome's evidence, has 9. */
export const MAX_DEPTH = 32;
/** The longest array of the catalogue has 256 elements. */
export const MAX_ELEMENTS = 4_096;
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
/** A safe non-negative integer, the only kind of number in any message. */
const INTEGER = /(?:0|[1-9][0-9]{0,15})(?![0-9.eE+-])/y;
/** RFC 8259 §7, `unescaped`: up to the closing quote, the next escape, or a control character. */
const PLAIN = /[\u0020\u0021\u0023-\u005b\u005d-\uffff]*/y;
const WORDS = ['true', 'false', 'null'] as const;

/** @param maxBytes of UTF-8, checked before anything else is looked at (attack DOS-01) */
export function parseStrict(text: string, maxBytes: number): Parsed<unknown> {
  // A UTF-16 unit gives at least one byte of UTF-8, so that a huge text is refused before it is measured.
  const bytes = text.length > maxBytes ? text.length : Buffer.byteLength(text);
  if (bytes > maxBytes) return { ok: false, reason: `expected at most ${maxBytes} bytes, got at least ${bytes}` };
  // A lone surrogate has no UTF-8 form: what was signed could not be the bytes that are read.
  if (!text.isWellFormed()) return { ok: false, reason: 'not strict JSON: not well-formed Unicode' };
  const reason = new Scanner(text).document();
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
      this.#value(1);
      this.#space();
      if (this.#at < this.#text.length) this.#fail('text after the end');
      return undefined;
    } catch (error) {
      if (error instanceof Refused) return error.message;
      throw error;
    }
  }

  #value(level: number): void {
    switch (this.#text[this.#at]) {
      case '{':
        this.#object(level);
        break;
      case '[':
        this.#array(level);
        break;
      case '"':
        this.#string();
        break;
      case 't':
      case 'f':
      case 'n':
        this.#word();
        break;
      default:
        this.#number();
    }
  }

  #object(level: number): void {
    if (level > MAX_DEPTH) this.#fail(`more than ${MAX_DEPTH} levels`);
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
      this.#value(level + 1);
      this.#space();
      if (this.#take('}')) return;
      if (!this.#take(',')) this.#fail('expected a comma');
      this.#space();
    }
  }

  #array(level: number): void {
    if (level > MAX_DEPTH) this.#fail(`more than ${MAX_DEPTH} levels`);
    this.#at += 1;
    this.#space();
    if (this.#take(']')) return;
    for (let count = 1; ; count++) {
      if (count > MAX_ELEMENTS) this.#fail(`more than ${MAX_ELEMENTS} elements`);
      this.#value(level + 1);
      this.#space();
      if (this.#take(']')) return;
      if (!this.#take(',')) this.#fail('expected a comma');
      this.#space();
    }
  }

  /** @returns the decoded string: two spellings of one key are one key */
  #string(): string {
    const text = this.#text;
    const start = this.#at;
    let escaped = false;
    for (let at = start + 1; ; ) {
      PLAIN.lastIndex = at;
      PLAIN.test(text);
      at = PLAIN.lastIndex;
      const stop = text[at];
      if (stop === '"') {
        this.#at = at + 1;
        return escaped ? this.#unescape(start, at + 1) : text.slice(start + 1, at);
      }
      if (stop === undefined) this.#fail('an unfinished string');
      if (stop !== '\\') this.#fail('a control character in a string');
      escaped = true;
      at += 2;
      // Beyond the end a sticky expression would begin again at 0.
      if (at > text.length) this.#fail('an unfinished string');
    }
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

  #word(): void {
    const word = WORDS.find((each) => this.#text.startsWith(each, this.#at));
    this.#at += word?.length ?? this.#fail('expected a value');
  }

  #number(): void {
    INTEGER.lastIndex = this.#at;
    const digits = INTEGER.exec(this.#text)?.[0] ?? '';
    if (digits === '' || !Number.isSafeInteger(Number(digits)))
      this.#fail('expected a value; numbers are integers from 0 to 2^53 − 1');
    this.#at += digits.length;
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
