import { describe, expect, test } from 'vitest';
import { assetKeyOf } from '../../lib/coconut-keygen/asset-key.ts';
import { startEngine } from '../../lib/coconut-keygen/engine.ts';
import {
  type Certificate,
  type CoconutCertificate,
  certificateSchema,
  transcriptHash,
  verifyCertificate,
} from '../../lib/messages/certificate.ts';
import { COCONUT_SUITE, coconutKeygenParameters, keygenParameters } from '../../lib/messages/parameters.ts';
import { KeygenNetwork, World } from '../ceremonies/network.ts';
import { certificate as frost } from '../messages/fixtures.ts';

await startEngine();
const world = new World({ n: 3, t: 2, suite: COCONUT_SUITE });
const network = new KeygenNetwork(world);
network.run();
const certificate = network.certificate() as CoconutCertificate;
const accepted = (shown: unknown): boolean =>
  certificateSchema.safeParse(shown).success && verifyCertificate(world.committee, shown as Certificate).ok;

/** Every string, number and list inside a value, with a copy of the whole in which `change` has been made there. */
function* edits(whole: unknown, change: (value: unknown) => readonly unknown[]): Generator<readonly [string, unknown]> {
  const paths: (string | number)[][] = [];
  const walk = (value: unknown, path: (string | number)[]) => {
    paths.push(path);
    if (value !== null && typeof value === 'object')
      for (const [name, inner] of Object.entries(value))
        walk(inner, [...path, Array.isArray(value) ? Number(name) : name]);
  };
  walk(whole, []);
  for (const path of paths.slice(1)) {
    const last = path.at(-1) as string;
    const holder = (root: unknown) =>
      path.slice(0, -1).reduce((at, name) => (at as Record<string, unknown>)[name], root);
    for (const value of change((holder(whole) as Record<string, unknown>)[last])) {
      const copy = structuredClone(whole);
      (holder(copy) as Record<string, unknown>)[last] = value;
      yield [path.join('.'), copy];
    }
  }
}

function others(value: unknown): readonly unknown[] {
  if (typeof value === 'number') return [value + 1];
  if (Array.isArray(value))
    return [value.slice(1), [...value, ...value.slice(0, 1)], value.toReversed()].filter(
      (each) => JSON.stringify(each) !== JSON.stringify(value),
    );
  if (typeof value !== 'string') return [];
  return [value.endsWith('1') ? `${value.slice(0, -1)}2` : `${value.slice(0, -1)}1`];
}

describe('a certificate of an asset’s key', () => {
  test('verifies, and is about the suite that its fields are of', () => {
    expect(accepted(certificate)).toBe(true);
    expect(certificateSchema.parse(certificate)).toEqual(certificate);
  });

  test('DKG-09 does not survive a change of anything in it', () => {
    let changes = 0;
    for (const [where, bent] of edits(certificate, others)) {
      expect(accepted(bent), where).toBe(false);
      changes++;
    }
    // 4 keys of 5 points, the hashes, the signatures, the parameters, and the lists that they are in.
    expect(changes).toBeGreaterThan(60);
  });

  test('DKG-09 every point of every key is in the transcript, in its own place', () => {
    const seen = new Set([transcriptHash(certificate)]);
    let changes = 0;
    for (const name of ['verificationKey', 'serviceKeys'] as const) {
      for (const [where, bent] of edits({ [name]: certificate[name] }, others)) {
        const hash = transcriptHash({ ...certificate, ...(bent as object) });
        expect(seen.has(hash), where).toBe(false);
        seen.add(hash);
        changes++;
      }
    }
    expect(changes).toBeGreaterThan(20);
  });

  test('is refused with the fields of a key that signs messages, and the other way round', () => {
    const { parameters, publicKeyHashes, commitmentHashes, signatures } = certificate;
    const { internalKey, outputKey, verifyingShares } = frost;
    const shown = {
      parameters,
      publicKeyHashes,
      commitmentHashes,
      internalKey,
      outputKey,
      verifyingShares,
      signatures,
    };
    expect(certificateSchema.safeParse(shown).success).toBe(false);
    const { verificationKey, serviceKeys } = certificate;
    expect(certificateSchema.safeParse({ ...frost, verificationKey, serviceKeys }).success).toBe(false);
    expect(certificateSchema.safeParse({ ...certificate, parameters: frost.parameters }).success).toBe(false);
  });

  test('is refused with a service key too many or too few, whoever signed it', () => {
    for (const serviceKeys of [
      certificate.serviceKeys.slice(1),
      [...certificate.serviceKeys, ...certificate.serviceKeys],
    ]) {
      expect(verifyCertificate(world.committee, { ...certificate, serviceKeys })).toMatchObject({
        ok: false,
        reason: `expected 3 serviceKeys, got ${serviceKeys.length}`,
      });
    }
  });

  test('gives wallets and services the key by its id', () => {
    const verified = verifyCertificate(world.committee, certificate);
    if (!verified.ok) throw new Error(verified.reason);
    const key = assetKeyOf(verified.keyId, certificate);
    expect(key.serviceKeys.map(({ index }) => index)).toEqual([1, 2, 3]);
    expect(key.verificationKey.alpha.toHex(true)).toBe(certificate.verificationKey.alpha.slice(2));
    expect(key.serviceKeys[1]?.betaTilde[1]?.toHex(true)).toBe(certificate.serviceKeys[1]?.betaTilde[1]?.slice(2));
    expect(assetKeyOf(verified.keyId, certificate)).toBe(key);
  });
});

test('a key generation for an asset has at most 31 services', () => {
  const of = (n: number) => ({ ...world.keygenParameters(), signers: Array.from({ length: n }, (_, i) => i + 1) });
  for (const schema of [keygenParameters, coconutKeygenParameters]) {
    expect(schema.safeParse(of(31)).success).toBe(true);
    expect(schema.safeParse(of(32)).success).toBe(false);
  }
  expect(keygenParameters.safeParse({ ...of(32), suite: 'FROST-ED25519-SHA512-v1' }).success).toBe(true);
});
