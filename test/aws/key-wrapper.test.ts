import type { KMSClient } from '@aws-sdk/client-kms';
import { describe, expect, test } from 'vitest';
import { KmsKeyWrapper } from '../../lib/aws/key-wrapper.ts';
import { Throttled, Unavailable, WrongContext } from '../../lib/ports.ts';
import { type Answer, EAGER, sdkError, stubClient } from './stub.ts';

const CONTEXT = { identity: 'alice', coin: 'btc' };

function wrapperOf(...answers: Answer[]) {
  const { client, calls } = stubClient<KMSClient>(...answers);
  return { wrapper: new KmsKeyWrapper(client, { keys: 'alias/keys', ephemeral: 'alias/ephemeral' }, EAGER), calls };
}

describe('wrapping by KMS', () => {
  test('asks for 256 bits under the lifecycle’s key and the context; the SDK’s copy of the secret is overwritten', async () => {
    const Plaintext = new Uint8Array(32).fill(7);
    const { wrapper, calls } = wrapperOf({ Plaintext, CiphertextBlob: Uint8Array.of(1, 2) });
    const made = await wrapper.generateDataKey('ephemeral', CONTEXT);
    expect(calls[0]).toEqual({
      operation: 'GenerateDataKey',
      input: { KeyId: 'alias/ephemeral', KeySpec: 'AES_256', EncryptionContext: CONTEXT },
    });
    expect(made).toEqual({ plaintext: new Uint8Array(32).fill(7), wrapped: Uint8Array.of(1, 2) });
    expect(Plaintext).toEqual(new Uint8Array(32));
  });

  test('names the key and the context when it unwraps', async () => {
    const { wrapper, calls } = wrapperOf({ Plaintext: new Uint8Array(32).fill(7) });
    expect(await wrapper.decrypt('keys', Uint8Array.of(9), CONTEXT)).toEqual(new Uint8Array(32).fill(7));
    expect(calls[0]?.input).toEqual({
      KeyId: 'alias/keys',
      CiphertextBlob: Uint8Array.of(9),
      EncryptionContext: CONTEXT,
    });
  });

  test.each(['InvalidCiphertextException', 'IncorrectKeyException', 'ValidationException'])(
    '%s: another context or a changed ciphertext, for ever',
    async (name) => {
      const { wrapper, calls } = wrapperOf(sdkError(name, 400));
      await expect(wrapper.decrypt('keys', Uint8Array.of(9), CONTEXT)).rejects.toBeInstanceOf(WrongContext);
      expect(calls).toHaveLength(1);
    },
  );

  test.each(['AccessDeniedException', 'DisabledException', 'KMSInvalidStateException', 'KMSInternalException'])(
    '%s: something to be mended, so the message stays',
    async (name) => {
      await expect(
        wrapperOf(sdkError(name, 400)).wrapper.decrypt('keys', Uint8Array.of(9), CONTEXT),
      ).rejects.toBeInstanceOf(Unavailable);
      await expect(wrapperOf(sdkError(name, 400)).wrapper.generateDataKey('keys', CONTEXT)).rejects.toBeInstanceOf(
        Unavailable,
      );
    },
  );

  test('a ciphertext of a key that is not there: access is refused in words of its own, and waiting does not cure it', async () => {
    const words =
      'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.';
    const error = Object.assign(sdkError('AccessDeniedException', 400), { message: words });
    await expect(wrapperOf(error).wrapper.decrypt('keys', Uint8Array.of(9), CONTEXT)).rejects.toBeInstanceOf(
      WrongContext,
    );
  });

  test('throttling is repeated, then said', async () => {
    const { wrapper, calls } = wrapperOf(sdkError('ThrottlingException', 400));
    await expect(wrapper.generateDataKey('keys', CONTEXT)).rejects.toBeInstanceOf(Throttled);
    expect(calls).toHaveLength(EAGER.attempts);
  });

  test.each([0, 1_025])('a wrapped key of %i bytes is refused before it is sent', async (length) => {
    const { wrapper, calls } = wrapperOf({});
    await expect(wrapper.decrypt('keys', new Uint8Array(length), CONTEXT)).rejects.toBeInstanceOf(WrongContext);
    expect(calls).toHaveLength(0);
  });

  test.each([16, 33])('a data key of %i bytes is not used', async (length) => {
    const answer = () => ({ Plaintext: new Uint8Array(length), CiphertextBlob: Uint8Array.of(1) });
    await expect(wrapperOf(answer).wrapper.generateDataKey('keys', CONTEXT)).rejects.toBeInstanceOf(Unavailable);
    await expect(wrapperOf(answer).wrapper.decrypt('keys', Uint8Array.of(9), CONTEXT)).rejects.toBeInstanceOf(
      WrongContext,
    );
  });
});
