/**
 * HPKE (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, base mode, one seal for each context.
 *
 * Base mode authenticates nobody; the statement inside and the layer outside are signed by the sender. The header is bound through `info`.
 */
import { x25519 } from '@noble/curves/ed25519.js';
import { concat, tagged, u16be, utf8 } from './bytes.ts';
import { reasonOf } from './fields.ts';
import { fromHex, type Hex, toHex } from './hex.ts';
import { buffer, suite } from './hpke.ts';
import { parseStrict } from './json.ts';
import {
  type Header,
  headerBytes,
  type SealedStatement,
  type Statement,
  signSealed,
  statementSchema,
  verifyStatement,
} from './statement.ts';

/** The sealed text of a statement is at most this long. */
const MAX_SEALED_BYTES = 240_000;
/** Imported public keys: a committee's, of some ceremonies. */
const CACHED_KEYS = 4_096;

export interface Sealer {
  /** @param recipientKey X25519, 32 bytes @param randomness 32 bytes, fresh: the encapsulated key follows from it */
  seal(
    recipientKey: Hex,
    header: Header,
    recipient: number,
    plaintext: Uint8Array,
    randomness: Uint8Array,
  ): Promise<{ readonly enc: Uint8Array; readonly ciphertext: Uint8Array }>;
  /** @param secretKey X25519, 32 bytes @returns the plaintext, or nothing if it does not open */
  open(
    secretKey: Uint8Array,
    header: Header,
    recipient: number,
    enc: Uint8Array,
    ciphertext: Uint8Array,
  ): Promise<Uint8Array | undefined>;
  /** The X25519 public key of a secret of 32 bytes. */
  publicKeyOf(secretKey: Uint8Array): Promise<Hex>;
}

type PublicKey = Awaited<ReturnType<typeof suite.kem.deserializePublicKey>>;
const imported = new Map<Hex, PublicKey>();
/** A stage opens n − 1 seals with one key: its import costs as much as an opening. It lives as long as the bytes that it was made from. */
const opening = new WeakMap<Uint8Array, ReturnType<typeof suite.kem.importKey>>();

async function recipientKeyOf(key: Hex): Promise<PublicKey> {
  const known = imported.get(key);
  if (known) return known;
  const publicKey = await suite.kem.deserializePublicKey(buffer(fromHex(key)));
  if (imported.size >= CACHED_KEYS) imported.clear();
  imported.set(key, publicKey);
  return publicKey;
}

/** `LP("coterie/v1/hpke") ‖ header ‖ u16be(recipient)` */
export function sealingInfo(header: Header, recipient: number): Uint8Array {
  return concat(tagged('hpke'), headerBytes(header), u16be(recipient));
}

export const hpkeSealer: Sealer = {
  async seal(recipientKey, header, recipient, plaintext, randomness) {
    const recipientPublicKey = await recipientKeyOf(recipientKey);
    const info = buffer(sealingInfo(header, recipient));
    const context = await suite.createSenderContext({ recipientPublicKey, info, ekm: buffer(randomness) });
    return { enc: new Uint8Array(context.enc), ciphertext: new Uint8Array(await context.seal(buffer(plaintext))) };
  },
  async open(secretKey, header, recipient, enc, ciphertext) {
    let key = opening.get(secretKey);
    if (!key) {
      key = suite.kem.importKey('raw', buffer(secretKey), false);
      opening.set(secretKey, key);
    }
    const recipientKey = await key;
    try {
      const info = buffer(sealingInfo(header, recipient));
      const context = await suite.createRecipientContext({ recipientKey, enc: buffer(enc), info });
      return new Uint8Array(await context.open(buffer(ciphertext)));
    } catch {
      // Another key, another header, a changed byte, an encapsulated key of small order: all are the same to a reader.
      return undefined;
    }
  },
  async publicKeyOf(secretKey) {
    return toHex(x25519.getPublicKey(secretKey));
  },
};

/** Seals a statement to one reader and signs the layer. @param signatureSecret Ed25519, 32 bytes @param randomness 32 bytes */
export async function sealStatement(
  statement: Statement,
  recipient: number,
  recipientKey: Hex,
  signatureSecret: Uint8Array,
  randomness: Uint8Array,
  sealer: Sealer,
): Promise<SealedStatement> {
  const { type, committee, coin, ceremony, slot, from, to } = statement;
  const header: Header = { type, committee, coin, ceremony, slot, from, to };
  const { enc, ciphertext } = await sealer.seal(
    recipientKey,
    header,
    recipient,
    utf8(JSON.stringify(statement)),
    randomness,
  );
  return signSealed({ ...header, recipient, enc: toHex(enc), ciphertext: toHex(ciphertext) }, signatureSecret);
}

export type Opened =
  | { readonly ok: true; readonly statement: Statement }
  | {
      readonly ok: false;
      readonly reason: 'Undecryptable' | 'BadShape' | 'HeaderMismatch' | 'BadSignature';
      readonly detail?: string;
    };

/**
 * Opens a sealed statement whose outer signature was verified. The inner header must be the outer one (attack CTX-04), and the inner signature must verify under the
 * same key: a statement that its sender did not sign proves nothing to anyone else, so that a wrong share could be dealt without risk.
 * @param secretKey X25519, 32 bytes @param signatureKey the sender's, Ed25519, 32 bytes
 */
export async function openSealed(
  sealed: SealedStatement,
  secretKey: Uint8Array,
  sealer: Sealer,
  signatureKey: Hex,
): Promise<Opened> {
  const plaintext = await sealer.open(
    secretKey,
    sealed,
    sealed.recipient,
    fromHex(sealed.enc),
    fromHex(sealed.ciphertext),
  );
  if (!plaintext) return { ok: false, reason: 'Undecryptable' };
  const text = decode(plaintext);
  const json = text === undefined ? undefined : parseStrict(text, MAX_SEALED_BYTES);
  if (!json?.ok) return { ok: false, reason: 'BadShape', ...(json ? { detail: json.reason } : {}) };
  const parsed = statementSchema.safeParse(json.value);
  if (!parsed.success) return { ok: false, reason: 'BadShape', detail: reasonOf(parsed.error) };
  const statement: Statement = parsed.data;
  if (Buffer.compare(headerBytes(statement), headerBytes(sealed)) !== 0) return { ok: false, reason: 'HeaderMismatch' };
  return verifyStatement(statement, signatureKey) ? { ok: true, statement } : { ok: false, reason: 'BadSignature' };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
