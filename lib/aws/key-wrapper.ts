/** {@link KeyWrapper} on KMS. */
import { DecryptCommand, GenerateDataKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import {
  type DataKey,
  type EncryptionContext,
  type KeyLifecycle,
  type KeyWrapper,
  type PortError,
  Unavailable,
  WrongContext,
} from '../ports.ts';
import { portError } from './errors.ts';
import { PATIENCE, type Patience, repeat } from './retry.ts';

const DATA_KEY_BYTES = 32;
const MAX_WRAPPED_BYTES = 1_024;

/** Key id, ARN or alias of the customer-managed key for each lifecycle. */
export type WrappingKeys = Readonly<Record<KeyLifecycle, string>>;

export class KmsKeyWrapper implements KeyWrapper {
  readonly #client: Pick<KMSClient, 'send'>;
  readonly #keys: WrappingKeys;
  readonly #patience: Patience;

  constructor(client: Pick<KMSClient, 'send'>, keys: WrappingKeys, patience: Patience = PATIENCE) {
    this.#client = client;
    this.#keys = keys;
    this.#patience = patience;
  }

  async generateDataKey(lifecycle: KeyLifecycle, context: EncryptionContext): Promise<DataKey> {
    const command = new GenerateDataKeyCommand({
      KeyId: this.#keys[lifecycle],
      KeySpec: 'AES_256',
      EncryptionContext: { ...context },
    });
    const answer = await repeat('any', this.#patience, async () => {
      try {
        return await this.#client.send(command);
      } catch (error) {
        throw kmsError(error, 'GenerateDataKey');
      }
    });
    const plaintext = takeSecret(answer);
    const wrapped = answer.CiphertextBlob;
    if (plaintext?.length !== DATA_KEY_BYTES || !wrapped || wrapped.length < 1 || wrapped.length > MAX_WRAPPED_BYTES) {
      plaintext?.fill(0);
      throw new Unavailable(`expected a data key of ${DATA_KEY_BYTES} bytes and its wrapped form, got another answer`);
    }
    return { plaintext, wrapped: new Uint8Array(wrapped) };
  }

  async decrypt(lifecycle: KeyLifecycle, wrapped: Uint8Array, context: EncryptionContext): Promise<Uint8Array> {
    if (wrapped.length < 1 || wrapped.length > MAX_WRAPPED_BYTES) {
      throw new WrongContext(`expected a wrapped key of 1 to ${MAX_WRAPPED_BYTES} bytes, got ${wrapped.length}`);
    }
    // The key is named, or a ciphertext of the other lifecycle, or of a stranger's key, would choose it.
    const command = new DecryptCommand({
      KeyId: this.#keys[lifecycle],
      CiphertextBlob: wrapped,
      EncryptionContext: { ...context },
    });
    const answer = await repeat('any', this.#patience, async () => {
      try {
        return await this.#client.send(command);
      } catch (error) {
        throw kmsError(error, 'Decrypt');
      }
    });
    const plaintext = takeSecret(answer);
    if (plaintext?.length !== DATA_KEY_BYTES) {
      plaintext?.fill(0);
      throw new WrongContext(`expected a data key of ${DATA_KEY_BYTES} bytes, got another length`);
    }
    return plaintext;
  }
}

/** The caller's own copy; the SDK's is overwritten. (The text of the response stays in the heap until it is collected: JavaScript cannot wipe strings.) */
function takeSecret(answer: { Plaintext?: Uint8Array | undefined }): Uint8Array | undefined {
  if (!answer.Plaintext) return undefined;
  const plaintext = new Uint8Array(answer.Plaintext);
  answer.Plaintext.fill(0);
  return plaintext;
}

/** What only a ciphertext, a context or a key that does not belong here can cause. Waiting does not cure it. */
const WRONG: ReadonlySet<string> = new Set([
  'InvalidCiphertextException',
  'IncorrectKeyException',
  'InvalidKeyUsageException',
]);

/**
 * KMS reads from a ciphertext which key it is of. Where that key is a stranger's or none, it answers `AccessDeniedException` in these words; where the role lacks
 * the right to the key that was named, in others ("User: … is not authorized …").
 */
const STRANGE_CIPHERTEXT = /ciphertext refers to/i;

/** A refusal of access is otherwise a role or a key policy to be mended, so the message must stay: `Unavailable`. */
function kmsError(error: unknown, operation: 'GenerateDataKey' | 'Decrypt'): PortError {
  const name = error instanceof Error ? error.name : '';
  const strange = name === 'AccessDeniedException' && STRANGE_CIPHERTEXT.test((error as Error).message);
  if (operation === 'Decrypt' && (WRONG.has(name) || name === 'ValidationException' || strange)) {
    return new WrongContext(
      'the wrapped key does not open here: it was made under another key or context, or was changed',
    );
  }
  const mapped = portError(error, operation, 'read');
  return mapped.kind === 'LimitExceeded' ? new Unavailable(mapped.message) : mapped;
}
