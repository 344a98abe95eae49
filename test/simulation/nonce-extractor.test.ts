/** The extractor is no ornament: it finds the key where nonces were reused, and only there. */
import { describe, expect, test } from 'vitest';
import { columnSums, deal, evaluateShare, finalShare, groupKey } from '../../lib/frost/dkg.ts';
import { generateNonces, signShare } from '../../lib/frost/signing.ts';
import { SUITES, type SuiteName, suiteOf } from '../../lib/frost/suite.ts';
import { SeededRandom } from '../../lib/local/random.ts';
import type { FrostCertificate } from '../../lib/messages/certificate.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import { interpolate, scalarOf } from './invariants/keys.ts';
import { type EmittedShare, NonceExtractor, solveFor } from './nonce-extractor.ts';

interface Setup {
  readonly certificate: FrostCertificate;
  readonly shares: ReadonlyMap<number, Uint8Array>;
  readonly secret: bigint;
  readonly random: (length: number) => Uint8Array;
}

/** A key of n = 3, with threshold t, and everybody's share of it. */
function keyOf(name: SuiteName, t: number, seed: number): Setup {
  const suite = suiteOf(name);
  const stream = new SeededRandom(new Uint8Array(32).fill(seed), 'extractor');
  const random = (length: number) => stream.bytes(length);
  const signers = [1, 2, 3];
  const dealings = signers.map((index) => deal(suite, { t, n: 3, index }, random));
  const columns = columnSums(
    suite,
    t,
    dealings.map(({ commitments }) => commitments),
  );
  const made = groupKey(suite, t, columns, signers);
  if (!made.ok) throw new Error(made.reason);
  const { internalKey, outputKey, verifyingShares } = made.key;
  const shares = new Map(
    signers.map((index) => {
      const sum = dealings.reduce(
        (total, { coefficients }) => suite.Fn.add(total, scalarOf(suite, evaluateShare(suite, coefficients, index))),
        0n,
      );
      return [index, finalShare(suite, internalKey, suite.Fn.toBytes(sum))] as const;
    }),
  );
  const points = [...shares].slice(0, t).map(([index, share]) => [index, scalarOf(suite, share)] as const);
  const certificate = {
    parameters: {
      kind: 'keygen',
      committee: '0x',
      coin: 'any',
      suite: name,
      t,
      signers,
      requestId: '0x',
      expiresAt: 0,
    },
    publicKeyHashes: [],
    commitmentHashes: [],
    internalKey: toHex(internalKey),
    outputKey: toHex(outputKey),
    verifyingShares: verifyingShares.map(toHex),
    signatures: [],
  } satisfies FrostCertificate;
  return { certificate, shares, secret: interpolate(suite, points)[0] as bigint, random };
}

type Nonces = ReturnType<typeof generateNonces>;

/** Signer `index` answers a package of `message` with these nonces; the others' are fresh. */
function answer({ certificate, shares, random }: Setup, index: number, nonces: Nonces, message: Hex): EmittedShare {
  const suite = suiteOf(certificate.parameters.suite as SuiteName);
  const others = certificate.parameters.signers.filter((each) => each !== index).slice(0, certificate.parameters.t - 1);
  const list = [index, ...others].sort((a, b) => a - b);
  const commitments = list.map((each) => {
    const of = each === index ? nonces : generateNonces(suite, shares.get(each) ?? new Uint8Array(32), random);
    return { index: each, hiding: toHex(of.commitment.hiding), binding: toHex(of.commitment.binding) };
  });
  const share = signShare(suite, {
    key: { internalKey: bytes(certificate.internalKey), outputKey: bytes(certificate.outputKey) },
    index,
    signingShare: shares.get(index) ?? new Uint8Array(32),
    nonces: new Uint8Array(nonces.nonces),
    signers: commitments.map((each) => ({
      index: each.index,
      commitment: { hiding: bytes(each.hiding), binding: bytes(each.binding) },
    })),
    message: bytes(message),
  });
  return { signer: index, message, commitments, share: toHex(share) };
}

function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.slice(2), 'hex'));
}

function fresh(setup: Setup, index: number): Nonces {
  return generateNonces(
    suiteOf(setup.certificate.parameters.suite as SuiteName),
    setup.shares.get(index) ?? new Uint8Array(32),
    setup.random,
  );
}

const message = (number: number): Hex => `0x${number.toString(16).padStart(64, '0')}`;

describe.each(SUITES)('%s', (name) => {
  test('a nonce pair that met three packages gives its signer away, and t such signers give the key', () => {
    for (let seed = 1; seed <= 4; seed++) {
      const setup = keyOf(name, 2, seed);
      const extractor = new NonceExtractor(setup.certificate);
      for (const index of [1, 3]) {
        const reused = fresh(setup, index);
        for (let m = 1; m <= 3; m++) extractor.add(answer(setup, index, reused, message(m)));
        expect(extractor.exposed()).toContain(index);
        expect(extractor.solve()).toBe(index === 3 ? setup.secret : undefined);
      }
    }
  });

  test('one signer that reused is enough, where the thief holds t − 1 shares of its own', () => {
    const setup = keyOf(name, 2, 5);
    const extractor = new NonceExtractor(setup.certificate);
    extractor.know(2, scalarOf(suiteOf(name), setup.shares.get(2) ?? new Uint8Array(32)));
    const reused = fresh(setup, 1);
    for (let m = 1; m <= 2; m++) extractor.add(answer(setup, 1, reused, message(m)));
    expect(extractor.solve()).toBeUndefined();
    extractor.add(answer(setup, 1, reused, message(3)));
    expect(extractor.solve()).toBe(setup.secret);
  });

  test('two packages for one pair leave one unknown too many, a third determines the key', () => {
    const setup = keyOf(name, 1, 6);
    const extractor = new NonceExtractor(setup.certificate);
    // At t = 1 every share is the key: d, e and a0 are three unknowns.
    const reused = fresh(setup, 1);
    extractor.add(answer(setup, 1, reused, message(1)));
    extractor.add(answer(setup, 1, reused, message(2)));
    expect(extractor.solve()).toBeUndefined();
    extractor.add(answer(setup, 1, reused, message(3)));
    expect(extractor.solve()).toBe(setup.secret);
  });

  test('fresh nonces give nothing away, however many signatures there are and whoever holds t − 1 shares', () => {
    const setup = keyOf(name, 2, 7);
    const extractor = new NonceExtractor(setup.certificate);
    extractor.know(2, scalarOf(suiteOf(name), setup.shares.get(2) ?? new Uint8Array(32)));
    for (let m = 1; m <= 6; m++)
      for (const index of [1, 3]) extractor.add(answer(setup, index, fresh(setup, index), message(m)));
    expect(extractor.equations).toBe(13);
    expect(extractor.solve()).toBeUndefined();
    expect(extractor.exposed()).toEqual([2]);
  });
});

test('equations are solved modulo the order, and only where they determine the unknown', () => {
  const equation = (terms: Record<string, bigint>, value: bigint) => ({ terms: new Map(Object.entries(terms)), value });
  expect(solveFor('x', [equation({ x: 3n, y: 1n }, 10n), equation({ x: 1n, y: 1n }, 4n)], 101n)).toBe(3n);
  expect(solveFor('x', [equation({ x: 3n, y: 1n }, 10n), equation({ x: 6n, y: 2n }, 20n)], 101n)).toBeUndefined();
  expect(solveFor('x', [equation({ x: 2n }, 1n)], 101n)).toBe(51n);
  expect(solveFor('x', [], 101n)).toBeUndefined();
});
