/**
 * Envelope encryption of every stored secret.
 *
 * KMS makes one data key for each ceremony or long-term key, bound to an encryption context; AES-256-GCM wraps the single rows under it,
 * with the same fields and the row's own name as additional data. The context names the DynamoDB *TableId*: what was wrapped for a table that was later
 * restored or copied cannot be opened in its successor, so a rolled-back nonce is dead by construction (attacks NON-03, SEC-03).
 *
 * A blob is `version(1) ‖ u16be(length) ‖ wrapped data key ‖ nonce(12) ‖ ciphertext ‖ tag(16)`: it carries what is needed to open it.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concat, lp, u16be, utf8 } from '../messages/bytes.ts';
import {
  type DataKey,
  type EncryptionContext,
  type KeyLifecycle,
  type Ports,
  type Table,
  WrongContext,
} from '../ports.ts';
import { Secret } from './secret.ts';

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What a data key is for. `own`: messaging and signature keys; `key`: long-term shares; `ceremony`: polynomials, nonces, sealing keys. */
export type SecretKind = 'own' | 'key' | 'ceremony';

const LIFECYCLE: Record<SecretKind, KeyLifecycle> = { own: 'keys', key: 'keys', ceremony: 'ephemeral' };
const TABLE: Record<SecretKind, Table> = { own: 'Keys', key: 'Keys', ceremony: 'Nonces' };

/** The owner of a data key: its kind and the ceremony id, key id, or (for `own`) the word `own`. */
export interface Subject {
  readonly kind: SecretKind;
  readonly id: string;
}

export class Vault {
  readonly #ports: Ports;
  readonly #identity: string;
  readonly #coin: string;
  readonly #opened = new Map<string, Secret>();

  /** @param identity the operator, @param coin the processor's coin, or `coordinator` */
  constructor(ports: Ports, identity: string, coin: string) {
    this.#ports = ports;
    this.#identity = identity;
    this.#coin = coin;
  }

  /** A new data key for a subject (one KMS call); its wrapped form is what {@link wrap} takes. */
  async newDataKey(subject: Subject): Promise<Uint8Array> {
    const key: DataKey = await this.#ports.wrapper.generateDataKey(
      LIFECYCLE[subject.kind],
      await this.#context(subject),
    );
    this.#opened.set(cacheKey(subject, key.wrapped), new Secret(key.plaintext));
    return key.wrapped;
  }

  /** Wraps `plaintext` as the row `name` of a subject. The plaintext stays the caller's to wipe. */
  async wrap(subject: Subject, dataKey: Uint8Array, name: string, plaintext: Uint8Array): Promise<Uint8Array> {
    const key = await this.#dataKey(subject, dataKey);
    const nonce = this.#ports.random.bytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce);
    cipher.setAAD(additionalData(await this.#context(subject), name));
    const ciphertext = concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
    return concat(Uint8Array.of(VERSION), u16be(dataKey.length), dataKey, nonce, ciphertext);
  }

  /** @throws {WrongContext} if the blob is of another row, subject, operator, coin or table, or was changed. */
  async unwrap(subject: Subject, name: string, blob: Uint8Array): Promise<Secret> {
    const wrapped = dataKeyOf(blob);
    const key = await this.#dataKey(subject, wrapped);
    const body = blob.subarray(3 + wrapped.length);
    if (body.length < NONCE_BYTES + TAG_BYTES)
      throw new WrongContext(`a wrapped secret of ${blob.length} bytes is too short`);
    const decipher = createDecipheriv('aes-256-gcm', key.bytes, body.subarray(0, NONCE_BYTES));
    decipher.setAAD(additionalData(await this.#context(subject), name));
    decipher.setAuthTag(body.subarray(body.length - TAG_BYTES));
    const plaintext = decipher.update(body.subarray(NONCE_BYTES, body.length - TAG_BYTES));
    try {
      decipher.final();
    } catch {
      plaintext.fill(0);
      throw new WrongContext(
        `the wrapped ${name} does not open here: it was made for another row or table, or was changed`,
      );
    }
    return new Secret(new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length));
  }

  /** Overwrites every data key this vault has opened. */
  wipe(): void {
    for (const key of this.#opened.values()) key.wipe();
    this.#opened.clear();
  }

  async #dataKey(subject: Subject, wrapped: Uint8Array): Promise<Secret> {
    const known = this.#opened.get(cacheKey(subject, wrapped));
    if (known) return known;
    const context = await this.#context(subject);
    const key = new Secret(await this.#ports.wrapper.decrypt(LIFECYCLE[subject.kind], wrapped, context));
    this.#opened.set(cacheKey(subject, wrapped), key);
    return key;
  }

  async #context({ kind, id }: Subject): Promise<EncryptionContext> {
    const table = await this.#ports.store.tableId(TABLE[kind]);
    return { identity: this.#identity, coin: this.#coin, kind, subject: id, table };
  }
}

/** The wrapped data key inside a blob. */
export function dataKeyOf(blob: Uint8Array): Uint8Array {
  const [version, high, low] = blob;
  if (version !== VERSION || high === undefined || low === undefined) {
    throw new WrongContext(`expected a wrapped secret of version ${VERSION}, got ${version ?? 'nothing'}`);
  }
  return blob.subarray(3, 3 + high * 256 + low);
}

function additionalData(context: EncryptionContext, name: string): Uint8Array {
  const fields = Object.keys(context)
    .sort()
    .flatMap((field) => [lp(utf8(field)), lp(utf8(context[field] ?? ''))]);
  return concat(...fields, lp(utf8(name)));
}

function cacheKey({ kind, id }: Subject, wrapped: Uint8Array): string {
  return `${kind} ${id} ${Buffer.from(wrapped).toString('base64')}`;
}
