/** Everything that was said, by anybody, sealed or not: what was sealed is known from the moment of its sealing. */

import type { ContentOf } from '../../lib/messages/contents.ts';
import { parseContent } from '../../lib/messages/contents.ts';
import type { MultisigEvent } from '../../lib/messages/events.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import type { Sealer } from '../../lib/messages/sealing.ts';
import {
  type SealedStatement,
  type Statement,
  type StatementType,
  statementHash,
} from '../../lib/messages/statement.ts';

export interface Said {
  readonly statement: Statement;
  readonly hash: Hex;
}

/** What a queue body turns out to be. */
export type Heard =
  | { readonly kind: 'said'; readonly name: string; readonly said: Said }
  | { readonly kind: 'event'; readonly event: MultisigEvent }
  | { readonly kind: 'other'; readonly name: string };

const NOTHING: Heard = { kind: 'other', name: '' };

export class Testimony {
  readonly #byHash = new Map<Hex, Statement>();
  /** By encapsulated key, which is never the same twice. */
  readonly #sealed = new Map<Hex, Said>();
  /** One body is stored, sent and forwarded as the same text. */
  readonly #bodies = new Map<string, Heard>();
  readonly #contents = new Map<Hex, unknown>();

  /** Oldest first. */
  get statements(): Iterable<Statement> {
    return this.#byHash.values();
  }

  byHash(hash: Hex): Statement | undefined {
    return this.#byHash.get(hash);
  }

  /** The same sealer, overheard. */
  watch(sealer: Sealer): Sealer {
    return {
      seal: async (recipientKey, header, recipient, plaintext, randomness) => {
        const sealed = await sealer.seal(recipientKey, header, recipient, plaintext, randomness);
        const statement = statementIn(Buffer.from(plaintext).toString('utf8'));
        if (statement) this.#sealed.set(toHex(sealed.enc), { statement, hash: statementHash(statement) });
        return sealed;
      },
      open: (...args) => sealer.open(...args),
      publicKeyOf: (secretKey) => sealer.publicKeyOf(secretKey),
    };
  }

  /** A queue body. */
  hear(body: string): Heard {
    const known = this.#bodies.get(body);
    if (known) return known;
    const heard = this.#read(body);
    this.#bodies.set(body, heard);
    return heard;
  }

  /** A statement or what seals one, as a row holds it. */
  said(value: Statement | SealedStatement): Said | undefined {
    if ('ciphertext' in value) {
      const said = this.#sealed.get(value.enc);
      if (said) this.#byHash.set(said.hash, said.statement);
      return said;
    }
    const hash = statementHash(value);
    const known = this.#byHash.get(hash);
    if (!known) this.#byHash.set(hash, value);
    return { statement: known ?? value, hash };
  }

  /** The content of a statement, read once. */
  content<T extends StatementType>(type: T, { statement, hash }: Said): ContentOf<T> | undefined {
    if (statement.type !== type) return undefined;
    if (!this.#contents.has(hash)) {
      const parsed = parseContent(type, statement.content);
      this.#contents.set(hash, parsed.ok ? parsed.content : undefined);
    }
    return this.#contents.get(hash) as ContentOf<T> | undefined;
  }

  #read(body: string): Heard {
    const value = parsed(body);
    const [name] = Object.keys(value ?? {});
    if (!value || name === undefined) return NOTHING;
    const payload = value[name] as Record<string, unknown>;
    if (name === 'MultisigEvent') return { kind: 'event', event: payload as MultisigEvent };
    const inner = name === 'P2PIncoming' ? payload['payload'] : payload;
    if (isStatement(inner)) {
      const said = this.said(inner);
      if (said) return { kind: 'said', name, said };
    }
    return { kind: 'other', name };
  }
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function statementIn(text: string): Statement | undefined {
  const value: unknown = parsed(text);
  return isStatement(value) && 'content' in value ? value : undefined;
}

/** As far as it can be hashed: what a Byzantine operator makes up need be nothing else. */
function isStatement(value: unknown): value is Statement | SealedStatement {
  if (typeof value !== 'object' || value === null) return false;
  const { type, ceremony, committee, from, to, slot, signature, content, enc } = value as Record<string, unknown>;
  const texts = [type, ceremony, committee, slot, signature];
  return (
    texts.every((each) => typeof each === 'string') &&
    typeof from === 'number' &&
    typeof to === 'number' &&
    (typeof content === 'string' || typeof enc === 'string')
  );
}
