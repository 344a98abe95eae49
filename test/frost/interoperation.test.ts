import type { DKG_Round1, FROST } from '@noble/curves/abstract/frost.js';
import { ed25519_FROST } from '@noble/curves/ed25519.js';
import { schnorr, schnorr_FROST } from '@noble/curves/secp256k1.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { verifySchnorr } from 'tiny-secp256k1';
import { describe, expect, it } from 'vitest';
import {
  checkProofs,
  columnSums,
  combineShares,
  deal,
  evaluateShare,
  finalShare,
  groupKey,
  type PublicDealing,
  verifyDealing,
  verifyShare,
} from '../../lib/frost/dkg.ts';
import { compress, decompress, readAffine, writeAffine } from '../../lib/frost/points.ts';
import {
  aggregate,
  generateNonces,
  signShare,
  verifySignature,
  verifySignatureShare,
} from '../../lib/frost/signing.ts';
import { type Suite, suiteOf } from '../../lib/frost/suite.ts';
import { indicesTo, present, stream } from './committee.ts';

const SIZES = [
  [2, 3],
  [3, 5],
] as const;
const CASES = (
  [
    ['FROST-secp256k1-SHA256-TR-v1', schnorr_FROST],
    ['FROST-ED25519-SHA512-v1', ed25519_FROST],
  ] as const
).flatMap(([name, frost]) => SIZES.map(([t, n]) => ({ name, frost: frost as FROST, t, n })));

const compressed = (suite: Suite, affine: Uint8Array) => compress(suite, present(readAffine(suite, affine)));
const affine = (suite: Suite, encoded: Uint8Array) => writeAffine(suite, present(decompress(suite, encoded)));

/** The library's package of our dealing, and the reverse. */
function packageOf(suite: Suite, frost: FROST, { index, commitments, proofOfKnowledge }: PublicDealing): DKG_Round1 {
  return {
    identifier: frost.Identifier.fromNumber(index),
    commitment: commitments.map((commitment) => Uint8Array.from(compressed(suite, commitment))),
    proofOfKnowledge: Uint8Array.from(proofOfKnowledge),
  };
}
function dealingOf(suite: Suite, index: number, { commitment, proofOfKnowledge }: DKG_Round1): PublicDealing {
  return { index, commitments: commitment.map((point) => affine(suite, point)), proofOfKnowledge };
}

const mixed = new Map<string, ReturnType<typeof runMixedKeygen>>();

/** {@link runMixedKeygen}, once for each seed. */
function mixedKeygen(suite: Suite, frost: FROST, t: number, n: number, seed: string) {
  const name = `${suite.name} mixed ${t}/${n} ${seed}`;
  const known = mixed.get(name) ?? runMixedKeygen(suite, frost, t, n, name);
  mixed.set(name, known);
  return known;
}

/** One key generation in which the odd participants run the library and the even ones this project. */
function runMixedKeygen(suite: Suite, frost: FROST, t: number, n: number, seed: string) {
  const random = stream(seed);
  const signers = { min: t, max: n };
  const indices = indicesTo(n);
  const theirs = new Map(
    indices
      .filter((index) => index % 2 === 1)
      .map(
        (index) => [index, frost.DKG.round1(frost.Identifier.fromNumber(index), signers, undefined, random)] as const,
      ),
  );
  const ours = new Map(
    indices.filter((index) => index % 2 === 0).map((index) => [index, deal(suite, { t, n, index }, random)] as const),
  );
  const packages = indices.map((index) => {
    const dealing = ours.get(index);
    return dealing ? packageOf(suite, frost, { index, ...dealing }) : present(theirs.get(index)).public;
  });
  const dealings = indices.map((index) => {
    const dealing = ours.get(index);
    return dealing ? { index, ...dealing } : dealingOf(suite, index, present(packages[index - 1]));
  });

  // Round 2: shares[from][to].
  const shares = new Map<number, Map<number, Uint8Array>>();
  for (const [index, { secret }] of theirs) {
    const sent = frost.DKG.round2(
      secret,
      packages.filter((_, i) => i + 1 !== index),
    );
    shares.set(
      index,
      new Map(
        indices
          .filter((to) => to !== index)
          .map((to) => [to, present(sent[frost.Identifier.fromNumber(to)]).signingShare]),
      ),
    );
  }
  for (const [index, { coefficients }] of ours) {
    shares.set(index, new Map(indices.map((to) => [to, evaluateShare(suite, coefficients, to)])));
  }

  // Round 3.
  const results = new Map(
    [...theirs].map(([index, { secret }]) => {
      const received = indices
        .filter((from) => from !== index)
        .map((from) => ({
          identifier: frost.Identifier.fromNumber(from),
          signingShare: present(shares.get(from)?.get(index)),
        }));
      return [
        index,
        frost.DKG.round3(
          secret,
          packages.filter((_, i) => i + 1 !== index),
          received,
        ),
      ] as const;
    }),
  );
  for (const dealing of dealings) expect(verifyDealing(suite, t, dealing)).toEqual({ ok: true });
  expect(checkProofs(suite, dealings, random)).toEqual([]);
  const columns = columnSums(
    suite,
    t,
    dealings.map(({ commitments }) => commitments),
  );
  const group = groupKey(suite, t, columns, indices);
  if (!group.ok) throw new Error(group.reason);
  const signingShares = new Map(
    indices.map((index) => {
      const result = results.get(index);
      if (result) return [index, result.secret.signingShare] as const;
      for (const from of indices) {
        expect(
          verifyShare(suite, index, present(dealings[from - 1]).commitments, present(shares.get(from)?.get(index))),
        ).toBe(true);
      }
      const received = indices.map((from) => present(shares.get(from)?.get(index)));
      return [
        index,
        finalShare(suite, group.key.internalKey, present(combineShares(suite, index, columns, received))),
      ] as const;
    }),
  );
  return { random, indices, results, key: group.key, signingShares };
}

describe.each(CASES)('$name $t of $n with noble', ({ name, frost, t, n }) => {
  const suite = suiteOf(name);

  it('the same randomness gives the same package, byte for byte', () => {
    const theirs = frost.DKG.round1(frost.Identifier.fromNumber(2), { min: t, max: n }, undefined, stream('same'));
    const ours = deal(suite, { t, n, index: 2 }, stream('same'));
    const { commitment, proofOfKnowledge } = packageOf(suite, frost, { index: 2, ...ours });
    expect(commitment.map(bytesToHex)).toEqual(theirs.public.commitment.map(bytesToHex));
    expect(bytesToHex(proofOfKnowledge)).toBe(bytesToHex(theirs.public.proofOfKnowledge));
  });

  it('the same randomness gives the same nonces, byte for byte', () => {
    const signingShare = suite.Fn.toBytes(123456789n);
    const identifier = frost.Identifier.fromNumber(1);
    const theirs = frost.commit({ identifier, signingShare }, stream('nonces'));
    const { nonces, commitment } = generateNonces(suite, signingShare, stream('nonces'));
    expect(bytesToHex(nonces)).toBe(bytesToHex(theirs.nonces.hiding) + bytesToHex(theirs.nonces.binding));
    expect(bytesToHex(commitment.hiding)).toBe(bytesToHex(theirs.commitments.hiding));
    expect(bytesToHex(commitment.binding)).toBe(bytesToHex(theirs.commitments.binding));
  });

  // Several keys, so that internal and output keys with odd and even y all occur on secp256k1.
  it.each(['a', 'b', 'c', 'd'])(
    'a mixed key generation gives one key, and any mixed set of t signs with it (%s)',
    (seed) => {
      const { random, indices, results, key, signingShares } = mixedKeygen(suite, frost, t, n, seed);
      for (const [index, { public: pub }] of results) {
        const theirKey = bytesToHex(present(pub.commitments[0]));
        expect(suite.taproot ? theirKey.slice(2) : theirKey).toBe(bytesToHex(key.outputKey));
        for (const other of indices) {
          expect(bytesToHex(present(pub.verifyingShares[frost.Identifier.fromNumber(other)]))).toBe(
            bytesToHex(present(key.verifyingShares[other - 1])),
          );
        }
        expect(bytesToHex(present(signingShares.get(index)))).toBe(
          bytesToHex(present(results.get(index)).secret.signingShare),
        );
      }
      const pub = present([...results.values()][0]).public;
      const verifyingShares = new Map(indices.map((index) => [index, present(key.verifyingShares[index - 1])]));

      for (const members of [
        indices.slice(0, t),
        indices.slice(n - t),
        indices.filter((index) => index !== 2).slice(0, t),
      ]) {
        const message = random(32);
        const secrets = members.map((index) => ({
          index,
          ...generateNonces(suite, present(signingShares.get(index)), random),
        }));
        const signers = secrets.map(({ index, commitment }) => ({ index, commitment }));
        const list = secrets.map(({ index, commitment }) => ({
          identifier: frost.Identifier.fromNumber(index),
          ...commitment,
        }));
        const shares = new Map<number, Uint8Array>();
        for (const { index, nonces } of secrets) {
          const signingShare = present(signingShares.get(index));
          const mine = signShare(suite, { key, index, signingShare, nonces, signers, message });
          const identifier = frost.Identifier.fromNumber(index);
          const split = { hiding: nonces.slice(0, 32), binding: nonces.slice(32) };
          const peers = frost.signShare({ identifier, signingShare }, pub, split, list, message);
          expect(bytesToHex(mine)).toBe(bytesToHex(peers));
          expect(frost.verifyShare(pub, list, message, identifier, mine)).toBe(true);
          expect(verifySignatureShare(suite, { key, verifyingShares, signers, message, index, share: peers })).toBe(
            true,
          );
          shares.set(index, index % 2 === 0 ? mine : peers);
        }
        const result = aggregate(suite, { t, key, verifyingShares, signers, message, shares });
        const theirs = frost.aggregate(
          pub,
          list,
          message,
          Object.fromEntries([...shares].map(([index, share]) => [frost.Identifier.fromNumber(index), share])),
        );
        expect(result.ok && bytesToHex(result.signature)).toBe(bytesToHex(theirs));
        expect(verifySignature(suite, key.outputKey, message, theirs)).toBe(true);
        expect(frost.verify(theirs, message, present(pub.commitments[0]))).toBe(true);
        if (suite.taproot) {
          expect(verifySchnorr(message, key.outputKey, theirs)).toBe(true);
          expect(schnorr.verify(theirs, message, key.outputKey)).toBe(true);
        }
      }
    },
  );
});

describe('the Taproot tweak', () => {
  it('all four combinations of parities occur in these tests', () => {
    const suite = suiteOf('FROST-secp256k1-SHA256-TR-v1');
    const seen = new Set<string>();
    for (const { t, n } of CASES.filter(({ name }) => name === suite.name)) {
      for (const seed of ['a', 'b', 'c', 'd']) {
        const { key, results } = mixedKeygen(suite, schnorr_FROST, t, n, seed);
        const output = present(present([...results.values()][0]).public.commitments[0]);
        seen.add(`${key.internalKey[0]} ${output[0]}`);
      }
    }
    expect([...seen].sort()).toEqual(['2 2', '2 3', '3 2', '3 3']);
  });

  it('is that of BIP 341 wallet test vectors with an empty script tree', () => {
    // BIP 341, wallet-test-vectors.json, scriptPubKey[0]: a key-path-only output.
    const suite = suiteOf('FROST-secp256k1-SHA256-TR-v1');
    const internal = hexToBytes('02d6889cb081036e0faefa3a35157ad71086b123b2b144b649798b494c300a961d');
    const group = groupKey(suite, 1, [affine(suite, internal)], [1]);
    expect(group.ok && bytesToHex(group.key.outputKey)).toBe(
      '53a1f6e454df1aa2776a2814a721372d6258050de330b3c6d10ee8f4e0dda343',
    );
  });
});
