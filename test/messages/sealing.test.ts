import { createCipheriv, createHmac, createPrivateKey, createPublicKey } from 'node:crypto';
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { x25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { concat, utf8 } from '../../lib/messages/bytes.ts';
import { fromHex, type Hex, toHex } from '../../lib/messages/hex.ts';
import { hpkeSealer, openSealed, type Sealer, sealingInfo, sealStatement } from '../../lib/messages/sealing.ts';
import {
  type Header,
  type SealedStatement,
  type Statement,
  signSealed,
  signStatement,
  verifySealed,
} from '../../lib/messages/statement.ts';
import {
  bytesOf,
  committee,
  flipped,
  header as general,
  messagingKey,
  messagingSecret,
  signatureKey,
  signatureSecret,
} from './fixtures.ts';

const header: Header = { ...general, type: 'EncryptedKeyShare', from: 1, to: 2 };
const randomness = bytesOf('encapsulation');
const plaintext = utf8('what only one reader sees');

/** The library as it is delivered: no implementation of ours below it. */
const library = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
});
const own = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

/** HPKE base mode written out once more, from the RFC alone and with other primitives (noble's X25519), as a third opinion. */
function sealByHand(recipientKey: Uint8Array, info: Uint8Array, text: Uint8Array, ikm: Uint8Array) {
  const hmac = (key: Uint8Array, ...parts: Uint8Array[]) =>
    new Uint8Array(
      createHmac('sha256', key)
        .update(concat(...parts))
        .digest(),
    );
  const kem = concat(utf8('KEM'), Uint8Array.of(0, 0x20));
  const hpke = concat(utf8('HPKE'), Uint8Array.of(0, 0x20, 0, 1, 0, 2));
  // RFC 9180 §4: LabeledExtract, LabeledExpand (one block).
  const extract = (suite: Uint8Array, salt: Uint8Array, label: string, input: Uint8Array) =>
    hmac(salt.length === 0 ? new Uint8Array(32) : salt, utf8('HPKE-v1'), suite, utf8(label), input);
  const expand = (suite: Uint8Array, prk: Uint8Array, label: string, input: Uint8Array, length: number) =>
    hmac(prk, Uint8Array.of(0, length), utf8('HPKE-v1'), suite, utf8(label), input, Uint8Array.of(1)).slice(0, length);
  const none = new Uint8Array();
  // §7.1.3 DeriveKeyPair, §4.1 Encap.
  const secret = expand(kem, extract(kem, none, 'dkp_prk', ikm), 'sk', none, 32);
  const enc = x25519.getPublicKey(secret);
  const dh = x25519.getSharedSecret(secret, recipientKey);
  const shared = expand(kem, extract(kem, none, 'eae_prk', dh), 'shared_secret', concat(enc, recipientKey), 32);
  // §5.1 KeySchedule, mode 0.
  const context = concat(
    Uint8Array.of(0),
    extract(hpke, none, 'psk_id_hash', none),
    extract(hpke, none, 'info_hash', info),
  );
  const prk = extract(hpke, shared, 'secret', none);
  // §5.2: the first nonce is the base nonce.
  const cipher = createCipheriv(
    'aes-256-gcm',
    expand(hpke, prk, 'key', context, 32),
    expand(hpke, prk, 'base_nonce', context, 12),
  );
  return { enc, ciphertext: concat(cipher.update(text), cipher.final(), cipher.getAuthTag()) };
}

describe('HPKE', () => {
  test('seals the bytes that RFC 9180 written out by hand gives', async () => {
    const sealed = await hpkeSealer.seal(messagingKey(2), header, 2, plaintext, randomness);
    expect(sealed).toEqual(sealByHand(fromHex(messagingKey(2)), sealingInfo(header, 2), plaintext, randomness));
  });

  test('opens what the unchanged library seals, and is opened by it', async () => {
    const info = own(sealingInfo(header, 2));
    const recipientPublicKey = await library.kem.deserializePublicKey(own(fromHex(messagingKey(2))));
    const recipientKey = await library.kem.deserializePrivateKey(own(messagingSecret(2)));
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 3_000 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        async (text, ekm) => {
          const sender = await library.createSenderContext({ recipientPublicKey, info, ekm: own(ekm) });
          const theirs = new Uint8Array(await sender.seal(own(text)));
          const ours = await hpkeSealer.seal(messagingKey(2), header, 2, text, ekm);
          expect(ours).toEqual({ enc: new Uint8Array(sender.enc), ciphertext: theirs });
          expect(await hpkeSealer.open(messagingSecret(2), header, 2, ours.enc, theirs)).toEqual(text);
          const reader = await library.createRecipientContext({ recipientKey, enc: own(ours.enc), info });
          expect(new Uint8Array(await reader.open(own(ours.ciphertext)))).toEqual(text);
        },
      ),
      { numRuns: 20, seed: 1 },
    );
  });

  test('has the public keys that OpenSSL has', async () => {
    const pkcs8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
    for (const label of ['a', 'b', 'c']) {
      const key = createPrivateKey({ key: Buffer.concat([pkcs8, bytesOf(label)]), format: 'der', type: 'pkcs8' });
      const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
      expect(await hpkeSealer.publicKeyOf(bytesOf(label))).toBe(toHex(spki.subarray(-32)));
    }
  });

  test('seals nothing to a key of small order, which schemas refuse before', async () => {
    await expect(hpkeSealer.seal(`0x${'00'.repeat(32)}`, header, 2, plaintext, randomness)).rejects.toThrow();
    await expect(hpkeSealer.seal(`0x01${'00'.repeat(31)}`, header, 2, plaintext, randomness)).rejects.toThrow();
  });

  test('does not open an encapsulated key of small order: its shared secret would be all zeros', async () => {
    const { ciphertext } = await hpkeSealer.seal(messagingKey(2), header, 2, plaintext, randomness);
    for (const enc of [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31))])
      expect(await hpkeSealer.open(messagingSecret(2), header, 2, enc, ciphertext)).toBeUndefined();
  });
});

describe('what is sealed opens', () => {
  let sealed: { readonly enc: Uint8Array; readonly ciphertext: Uint8Array };
  beforeAll(async () => {
    sealed = await hpkeSealer.seal(messagingKey(2), header, 2, plaintext, randomness);
  });
  const opened = (changes: Partial<Header> = {}, recipient = 2, secret = messagingSecret(2)) =>
    hpkeSealer.open(secret, { ...header, ...changes }, recipient, sealed.enc, sealed.ciphertext);

  test('for the reader it is meant for', async () => {
    expect(await opened()).toEqual(plaintext);
  });

  test('CTX-07: for no other reader, and under no other header or recipient index', async () => {
    expect(await opened({}, 2, messagingSecret(3))).toBeUndefined();
    expect(await opened({}, 3)).toBeUndefined();
    const others: { [K in keyof Header]: Header[K] } = {
      type: 'EncryptedPublicKey',
      committee: flipped(header.committee),
      coin: 'sol',
      ceremony: flipped(header.ceremony),
      slot: '0',
      from: 3,
      to: 0,
    };
    for (const field of Object.keys(others) as (keyof Header)[])
      expect(await opened({ [field]: others[field] }), field).toBeUndefined();
  });

  test('not after any byte has changed, nor cut short', async () => {
    for (let at = 0; at < sealed.ciphertext.length; at++) {
      const ciphertext = sealed.ciphertext.slice();
      ciphertext[at] = (ciphertext[at] ?? 0) ^ 1;
      expect(await hpkeSealer.open(messagingSecret(2), header, 2, sealed.enc, ciphertext)).toBeUndefined();
    }
    for (const length of [0, 1, 15, 16, sealed.ciphertext.length - 1])
      expect(
        await hpkeSealer.open(messagingSecret(2), header, 2, sealed.enc, sealed.ciphertext.subarray(0, length)),
      ).toBeUndefined();
  });

  test('not with a shortened tag: of an empty text, 4 bytes would be a tag that 2^32 attempts forge', async () => {
    const empty = await hpkeSealer.seal(messagingKey(2), header, 2, new Uint8Array(), randomness);
    expect(await hpkeSealer.open(messagingSecret(2), header, 2, empty.enc, empty.ciphertext)).toEqual(new Uint8Array());
    for (const length of [4, 8, 12, 13, 14, 15])
      expect(
        await hpkeSealer.open(messagingSecret(2), header, 2, empty.enc, empty.ciphertext.subarray(0, length)),
      ).toBeUndefined();
  });

  test('by one key object after another: a cached key is never used for other bytes', async () => {
    const first = messagingSecret(2);
    expect(await opened({}, 2, first)).toEqual(plaintext);
    expect(await opened({}, 2, first)).toEqual(plaintext);
    expect(await opened({}, 2, messagingSecret(1))).toBeUndefined();
  });
});

describe('a sealed statement', () => {
  const statement = signStatement(header, '{"share":"0x01"}', signatureSecret(1));
  const open = (sealed: SealedStatement) => openSealed(sealed, messagingSecret(2), hpkeSealer, signatureKey(1));
  const seal = (of: Statement) => sealStatement(of, 2, messagingKey(2), signatureSecret(1), randomness, hpkeSealer);
  /** What a sender makes that seals any bytes under any header, and signs the layer as it should. */
  async function sealBytes(bytes: Uint8Array, outer: Header = header): Promise<SealedStatement> {
    const { enc, ciphertext } = await hpkeSealer.seal(messagingKey(2), outer, 2, bytes, randomness);
    return signSealed({ ...outer, recipient: 2, enc: toHex(enc), ciphertext: toHex(ciphertext) }, signatureSecret(1));
  }

  test('is signed by its sender, and gives back the statement', async () => {
    const sealed = await seal(statement);
    expect(verifySealed(sealed, signatureKey(1))).toBe(true);
    expect(await open(sealed)).toEqual({ ok: true, statement });
  });

  test('is the same bytes for the same randomness: what is sent again is what was sent', async () => {
    expect(await seal(statement)).toEqual(await seal(statement));
  });

  test('CTX-04: is no statement if the header inside is another than the header outside', async () => {
    const others: Partial<Header>[] = [
      { from: 3 },
      { to: 3 },
      { to: 0 },
      { coin: 'sol' },
      { slot: '1' },
      { type: 'EncryptedPublicKey' },
      { ceremony: flipped(header.ceremony) },
      { committee: flipped(header.committee) },
    ];
    for (const change of others) {
      const inner = signStatement({ ...header, ...change }, statement.content, signatureSecret(1));
      const sealed = await sealBytes(utf8(JSON.stringify(inner)));
      expect(await open(sealed), JSON.stringify(change)).toEqual({ ok: false, reason: 'HeaderMismatch' });
    }
  });

  test('is no statement if its sender did not sign the inside: it would prove nothing to others', async () => {
    const unsigned = { ...statement, signature: flipped(statement.signature) };
    expect(await open(await sealBytes(utf8(JSON.stringify(unsigned))))).toEqual({ ok: false, reason: 'BadSignature' });
    const byAnother = signStatement(header, statement.content, signatureSecret(3));
    expect(await open(await sealBytes(utf8(JSON.stringify(byAnother))))).toEqual({ ok: false, reason: 'BadSignature' });
  });

  test('that does not open is undecryptable, and nobody’s fault', async () => {
    const sealed = await seal(statement);
    for (const change of [{ enc: flipped(sealed.enc) }, { ciphertext: flipped(sealed.ciphertext) }, { recipient: 3 }])
      expect(await open({ ...sealed, ...change })).toEqual({ ok: false, reason: 'Undecryptable' });
  });

  test.each([
    ['no UTF-8', Uint8Array.of(0xff, 0xfe)],
    ['a byte order mark', concat(Uint8Array.of(0xef, 0xbb, 0xbf), utf8(JSON.stringify(statement)))],
    ['no JSON', utf8('share')],
    ['a duplicate key', utf8(JSON.stringify(statement).replace('{', '{"slot":"",'))],
    ['another shape', utf8('{"share":"0x01"}')],
    ['a field too many', utf8(JSON.stringify({ ...statement, recipient: 2 }))],
    ['nothing', new Uint8Array()],
  ])('ENC-08: that holds %s has no statement', async (_, bytes) => {
    expect(await open(await sealBytes(bytes))).toMatchObject({ ok: false, reason: 'BadShape' });
  });

  test('ENC-08: has one form in bytes: nothing ill-formed is read as a replacement character', async () => {
    const doubtful = signStatement(header, '{"share":"\ufffd"}', signatureSecret(1));
    const bytes = Buffer.from(JSON.stringify(doubtful));
    expect(await open(await sealBytes(bytes))).toEqual({ ok: true, statement: doubtful });
    const at = bytes.indexOf(Buffer.from('\ufffd'));
    const illFormed = Buffer.concat([bytes.subarray(0, at), Uint8Array.of(0xff), bytes.subarray(at + 3)]);
    expect(await open(await sealBytes(illFormed))).toMatchObject({ ok: false, reason: 'BadShape' });
  });

  test('CTX-04, CTX-07: is not signed for another header, recipient, key or ciphertext', async () => {
    const sealed = await seal(statement);
    const changes: Partial<SealedStatement>[] = [
      { type: 'EncryptedPublicKey' },
      { committee: flipped(sealed.committee) },
      { coin: 'sol' },
      { ceremony: flipped(sealed.ceremony) },
      { slot: '0' },
      { from: 2 },
      { to: 3 },
      { recipient: 3 },
      { enc: flipped(sealed.enc) },
      { ciphertext: flipped(sealed.ciphertext, 100) },
      { signature: flipped(sealed.signature) },
    ];
    for (const change of changes)
      expect(verifySealed({ ...sealed, ...change }, signatureKey(1)), Object.keys(change)[0]).toBe(false);
    expect(new Set(changes.flatMap((change) => Object.keys(change)))).toEqual(new Set(Object.keys(sealed)));
    expect(verifySealed(sealed, signatureKey(2))).toBe(false);
  });

  test('is opened by any sealer that keeps to the interface', async () => {
    const plain: Sealer = {
      seal: async (_key: Hex, _header, _recipient, bytes, random) => ({ enc: random, ciphertext: bytes }),
      open: async (_secret, _header, _recipient, _enc, ciphertext) => ciphertext,
      publicKeyOf: async () => messagingKey(2),
    };
    const sealed = await sealStatement(statement, 2, messagingKey(2), signatureSecret(1), randomness, plain);
    expect(await openSealed(sealed, messagingSecret(2), plain, signatureKey(1))).toEqual({ ok: true, statement });
    expect(committee.id).toBe(sealed.committee);
  });
});
