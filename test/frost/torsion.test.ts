/**
 * docs/decisions/0002-ed25519-torsion.md, claim by claim: a dealer or signer adds points of order 2, 4 and 8 wherever
 * it can.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { describe, expect, it, vi } from 'vitest';
import {
  checkDealingShape,
  checkProofs,
  columnSums,
  combineShares,
  evaluateShare,
  finalShare,
  groupKey,
  hasSmallOrderPart,
  type PublicDealing,
  smallOrderDealers,
  verifyDealing,
  verifyShare,
} from '../../lib/frost/dkg.ts';
import { compress, decompress, readAffine, writeAffine } from '../../lib/frost/points.ts';
import {
  aggregate,
  checkNonceCommitment,
  signShare,
  verifySignature,
  verifySignatureShare,
} from '../../lib/frost/signing.ts';
import { suiteOf } from '../../lib/frost/suite.ts';
import {
  type Committee,
  dealAll,
  indicesTo,
  keygen,
  type Participant,
  present,
  signAll,
  signatureOf,
  stream,
} from './committee.ts';

const suite = suiteOf('FROST-ED25519-SHA512-v1');
const { Point } = ed25519;
const ORDER8 = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', true);
/** [k] of the point of order 8; k = 4, 2, 1 have order 2, 4, 8. */
const part = (k: number) => ORDER8.multiplyUnsafe(BigInt(((k % 8) + 8) % 8));
const PARTS = [
  [2, 4],
  [4, 2],
  [8, 1],
] as const;

const T = 6;
const N = 9;
const HONEST = dealAll(suite, T, N);

function plus(commitment: Uint8Array, k: number): Uint8Array {
  return writeAffine(
    suite,
    Point.fromAffine(present(readAffine(suite, commitment)))
      .add(part(k))
      .toAffine(),
  );
}
/** Adds [parts[k]] of the point of order 8 to commitment k. The share values stay honest. */
function tainted(dealing: Participant, parts: readonly number[]): Participant {
  return { ...dealing, commitments: dealing.commitments.map((commitment, k) => plus(commitment, parts[k] ?? 0)) };
}
const at = (position: number, k: number) => Array.from({ length: T }, (_, j) => (j === position ? k : 0));

const columnsOf = (dealings: readonly PublicDealing[]) =>
  columnSums(
    suite,
    T,
    dealings.map(({ commitments }) => commitments),
  );
const totalOf = (dealings: readonly Participant[], columns: readonly Uint8Array[], index: number) =>
  combineShares(
    suite,
    index,
    columns,
    dealings.map(({ coefficients }) => evaluateShare(suite, coefficients, index)),
  );
/** The small-order part of F(i), as a multiple of the point of order 8. */
const partAt = (parts: readonly number[], i: number) => parts.reduceRight((value, k) => (value * i + k + 64) % 8, 0);

describe('a dealer that adds small-order points to its commitments', () => {
  it.each(PARTS.flatMap(([order, k]) => indicesTo(T).map((j) => [order, j - 1, k] as const)))(
    'of order %i at position %i is refused by the owner of every share that it touches, who can prove it',
    (_, position, k) => {
      const parts = at(position, k);
      const dealer = tainted(present(HONEST[3]), parts);
      const dealings = HONEST.map((one) => (one.index === 4 ? dealer : one));
      const columns = columnsOf(dealings);
      for (const index of indicesTo(N)) {
        const touched = partAt(parts, index) !== 0;
        // Exactly: the own total is right if and only if no small-order part is in it.
        expect(totalOf(dealings, columns, index) === undefined).toBe(touched);
        expect(verifyShare(suite, index, dealer.commitments, evaluateShare(suite, dealer.coefficients, index))).toBe(
          !touched,
        );
        const others = HONEST.filter((one) => one.index !== 4);
        if (index <= 2)
          for (const one of others)
            expect(verifyShare(suite, index, one.commitments, evaluateShare(suite, one.coefficients, index))).toBe(
              true,
            );
      }
      // And everybody sees it in the group's key or verifying shares, whoever received good shares, and names the
      // dealer from public data.
      expect(groupKey(suite, T, columns, indicesTo(N)).ok).toBe(false);
      expect(smallOrderDealers(suite, dealings)).toEqual([4]);
    },
  );

  it.each(PARTS)(
    'of order %i in the constant term spoils no proof: batch and single rule agree, because both are cofactored',
    (_, k) => {
      const dealings = HONEST.map((one) => (one.index === 2 ? tainted(one, at(0, k)) : one));
      const dealer = present(dealings[1]);
      // The challenge hashes the tainted commitment, so this dealer proves again for it.
      const proof = proofFor(dealer, 0);
      const proven = dealings.map((one) => (one.index === 2 ? { ...dealer, proofOfKnowledge: proof } : one));
      expect(checkDealingShape(suite, T, present(proven[1]))).toEqual({ ok: true });
      expect(verifyDealing(suite, T, present(proven[1]))).toEqual({ ok: true });
      for (const seed of ['a', 'b', 'c', 'd', 'e', 'f']) {
        // One multiplication: the batch itself accepts, no second pass.
        const multiScalar = vi.fn(suite.curve.multiScalar);
        expect(checkProofs({ ...suite, curve: { ...suite.curve, multiScalar } }, proven, stream(seed))).toEqual([]);
        expect(multiScalar).toHaveBeenCalledTimes(1);
      }
      expect(groupKey(suite, T, columnsOf(proven), indicesTo(N))).toEqual({
        ok: false,
        reason: 'the group key has a small-order part',
      });
      expect(smallOrderDealers(suite, proven)).toEqual([2]);
    },
  );

  it.each(PARTS)('of order %i in the nonce of the proof is harmless, and batch and single rule agree on it', (_, k) => {
    const dealer = { ...present(HONEST[1]), proofOfKnowledge: proofFor(present(HONEST[1]), k) };
    expect(verifyDealing(suite, T, dealer)).toEqual({ ok: true });
    const dealings = HONEST.map((one) => (one.index === 2 ? dealer : one));
    for (const seed of ['a', 'b', 'c', 'd', 'e', 'f']) expect(checkProofs(suite, dealings, stream(seed))).toEqual([]);
  });

  it('and a wrong scalar is still refused, by both rules', () => {
    const dealer = { ...present(HONEST[1]), proofOfKnowledge: proofFor(present(HONEST[1]), 1, 1n) };
    expect(verifyDealing(suite, T, dealer).ok).toBe(false);
    expect(checkProofs(suite, [present(HONEST[0]), dealer], stream('a'))).toEqual([2]);
  });

  it('the checks at 0, 1, 2 and 3 decide for all indices', () => {
    // All polynomial functions of degree below 6 modulo 8 with coefficients 0, 1, 2, 4, 7: what the four checks say is
    // what all indices say.
    const coefficients = [0, 1, 2, 4, 7];
    const lists = coefficients.flatMap((a) =>
      coefficients.flatMap((b) =>
        coefficients.flatMap((c) => coefficients.map((d) => [a, b, c, d, (a + c) % 8, (b + 3 * d) % 8])),
      ),
    );
    for (const parts of lists) {
      const everywhere = Array.from({ length: 16 }, (_, i) => partAt(parts, i)).every((value) => value === 0);
      const four = [0, 1, 2, 3].every((i) => partAt(parts, i) === 0);
      expect(four).toBe(everywhere);
    }
  });

  it.each([
    [1, [0, 4, 0, 0, 0, 0]],
    [2, [0, -1, 1, 0, 0, 0]],
    [3, [0, 2, -3, 1, 0, 0]],
  ] as const)('a part that vanishes below index %i is found there', (index, parts) => {
    const dealer = tainted(present(HONEST[3]), parts);
    expect(indicesTo(index).map((i) => partAt(parts, i - 1))).toEqual(indicesTo(index).map(() => 0));
    expect(hasSmallOrderPart(suite, dealer.commitments)).toBe(true);
    const columns = columnsOf(HONEST.map((one) => (one.index === 4 ? dealer : one)));
    const reason = `F(${index}) has a small-order part`;
    expect(groupKey(suite, T, columns, indicesTo(N))).toEqual({ ok: false, reason });
  });

  it('small-order parts that vanish at every index are harmless: the key is the one without them', () => {
    // 4x + 4x² = 4x(x + 1) is 0 modulo 8 for all x; so is x(x − 1)(x − 2)(x − 3) = −6x + 11x² − 6x³ + x⁴.
    for (const parts of [
      [0, 4, 4, 0, 0, 0],
      [0, -6, 11, -6, 1, 0],
    ]) {
      const dealer = tainted(present(HONEST[3]), parts);
      const dealings = HONEST.map((one) => (one.index === 4 ? dealer : one));
      const columns = columnsOf(dealings);
      expect(columns).not.toEqual(columnsOf(HONEST));
      expect(groupKey(suite, T, columns, indicesTo(N))).toEqual(groupKey(suite, T, columnsOf(HONEST), indicesTo(N)));
      for (const index of indicesTo(N))
        expect(totalOf(dealings, columns, index)).toEqual(totalOf(HONEST, columnsOf(HONEST), index));
      expect(hasSmallOrderPart(suite, dealer.commitments)).toBe(false);
    }
  });

  it('two dealers whose small-order parts cancel in the sum are harmless, and each is guilty alone', () => {
    const dealings = HONEST.map((one) =>
      one.index === 2 ? tainted(one, at(1, 3)) : one.index === 5 ? tainted(one, at(1, 5)) : one,
    );
    const columns = columnsOf(dealings);
    expect(columns).toEqual(columnsOf(HONEST));
    expect(groupKey(suite, T, columns, indicesTo(N)).ok).toBe(true);
    expect(smallOrderDealers(suite, dealings)).toEqual([2, 5]);
  });

  it('a part that touches only the shares of accomplices is found by everybody', () => {
    // 4x: odd indices only. Operators 2, 4, 6, 8 hold good totals; the verifying shares of 1, 3, 5, … would be tainted.
    const dealings = HONEST.map((one) => (one.index === 1 ? tainted(one, at(1, 4)) : one));
    const columns = columnsOf(dealings);
    for (const index of [2, 4, 6, 8]) expect(totalOf(dealings, columns, index)).toBeDefined();
    expect(groupKey(suite, T, columns, indicesTo(N))).toEqual({ ok: false, reason: 'F(1) has a small-order part' });
    // Also if only even indices are in the committee: then it could do no harm, and is refused all the same.
    expect(groupKey(suite, T, columns, [2, 4, 6, 8]).ok).toBe(false);
  });

  it('a pure small-order point as commitment is treated like any other small-order part', () => {
    const dealer = {
      ...present(HONEST[0]),
      commitments: present(HONEST[0]).commitments.map((commitment, k) =>
        k === 2 ? writeAffine(suite, part(4).toAffine()) : commitment,
      ),
    };
    expect(checkDealingShape(suite, T, dealer)).toEqual({ ok: true });
    expect(hasSmallOrderPart(suite, dealer.commitments)).toBe(true);
    expect(verifyShare(suite, 1, dealer.commitments, evaluateShare(suite, dealer.coefficients, 1))).toBe(false);
  });

  it('the key of every degree is checked at enough places: t = 1, 2, 3', () => {
    for (const t of [1, 2, 3]) {
      const small = dealAll(suite, t, 3);
      expect(smallOrderDealers(suite, small)).toEqual([]);
      for (let position = 0; position < t; position++) {
        const dealer = tainted(present(small[0]), at(position, 4));
        expect(hasSmallOrderPart(suite, dealer.commitments)).toBe(true);
        const columns = columnSums(
          suite,
          t,
          [dealer, ...small.slice(1)].map(({ commitments }) => commitments),
        );
        expect(groupKey(suite, t, columns, [1, 2, 3]).ok).toBe(false);
      }
    }
  });

  it('secp256k1 has no small-order points', () => {
    const taproot = suiteOf('FROST-secp256k1-SHA256-TR-v1');
    expect(smallOrderDealers(taproot, dealAll(taproot, 2, 3))).toEqual([]);
    expect(hasSmallOrderPart(taproot, [])).toBe(false);
  });
});

describe('a signer that adds small-order points to its nonce commitments', () => {
  const message = stream('message')(32);
  const small = signing(keygen(suite, 3, 5), [1, 2, 3]);
  const large = signing(keygen(suite, 7, 10), [1, 2, 3, 4, 5, 6, 7]);
  const unguarded = { ...suite, curve: { ...suite.curve, isPrimeOrder: () => true } };

  function signing(committee: Committee, members: readonly number[]) {
    return { committee, round: signAll(committee, members, message) };
  }
  type Signing = ReturnType<typeof signing>;
  type Signers = Signing['round']['session']['signers'];

  const taint = (encoded: Uint8Array, k: number) =>
    compress(
      suite,
      Point.fromAffine(present(decompress(suite, encoded)))
        .add(part(k))
        .toAffine(),
    );
  /** The signers with [parts] of the point of order 8 added to their hiding commitments, by index. */
  const taintedSigners = ({ round }: Signing, parts: Readonly<Record<number, number>>): Signers =>
    round.session.signers.map(({ index, commitment }) => ({
      index,
      commitment: { ...commitment, hiding: taint(commitment.hiding, parts[index] ?? 0) },
    }));
  const inputOf = ({ committee, round }: Signing, index: number, signers: Signers) => ({
    key: committee.key,
    index,
    signingShare: present(committee.signingShares.get(index)),
    nonces: present(round.secrets.get(index)).nonces,
    signers,
    message,
  });
  /** The best share for a list with the own commitment tainted, for which signShare gives none: RFC 9591 §5.2 by noble. */
  function cheat({ committee, round }: Signing, index: number, signers: Signers): Uint8Array {
    const { Fn } = suite;
    const encodedKey = committee.key.internalKey;
    const list = concatBytes(
      ...signers.flatMap(({ index: i, commitment }) => [Fn.toBytes(BigInt(i)), commitment.hiding, commitment.binding]),
    );
    const prefix = concatBytes(encodedKey, suite.H4(message), suite.H5(list));
    const rho = new Map(signers.map(({ index: i }) => [i, suite.H1(concatBytes(prefix, Fn.toBytes(BigInt(i))))]));
    const R = signers
      .map(({ index: i, commitment }) =>
        Point.fromBytes(commitment.hiding).add(Point.fromBytes(commitment.binding).multiplyUnsafe(present(rho.get(i)))),
      )
      .reduce((a, b) => a.add(b));
    const c = suite.challenge(R.toBytes(), encodedKey, message);
    const lambda = signers
      .filter((signer) => signer.index !== index)
      .reduce((l, { index: j }) => Fn.mul(l, Fn.div(BigInt(j), Fn.create(BigInt(j - index)))), 1n);
    const { nonces } = present(round.secrets.get(index));
    const d = Fn.fromBytes(nonces.slice(0, 32));
    const e = Fn.fromBytes(nonces.slice(32));
    const s = Fn.fromBytes(present(committee.signingShares.get(index)));
    return Fn.toBytes(Fn.create(d + e * present(rho.get(index)) + lambda * c * s));
  }

  it.each(PARTS)('of order %i is refused by the leader on arrival', (_, k) => {
    const { commitment } = present(small.round.session.signers[0]);
    expect(checkNonceCommitment(suite, commitment)).toBe(true);
    expect(checkNonceCommitment(suite, { ...commitment, hiding: taint(commitment.hiding, k) })).toBe(false);
    expect(checkNonceCommitment(suite, { ...commitment, binding: taint(commitment.binding, k) })).toBe(false);
  });

  it.each(PARTS)(
    'of order %i is refused by honest signers if the leader let it through, and convicts the signer',
    (_, k) => {
      const signers = taintedSigners(small, { 2: k });
      expect(() => signShare(suite, inputOf(small, 1, signers))).toThrow(
        'group commitment: expected a point of prime order',
      );
      // If all signed all the same, the signature would be invalid, and the exact rule would name the signer.
      const shares = new Map<number, Uint8Array>();
      for (const index of [1, 3]) shares.set(index, signShare(unguarded, inputOf(small, index, signers)));
      shares.set(2, cheat(small, 2, signers));
      expect(aggregate(suite, { ...small.round.session, signers, shares })).toEqual({ ok: false, culprits: [2] });
      const verdicts = [1, 2, 3].map((index) =>
        verifySignatureShare(suite, { ...small.round.session, signers, index, share: present(shares.get(index)) }),
      );
      expect(verdicts).toEqual([true, false, true]);
    },
  );

  it('and whose parts cancel is harmless: the signature is an ordinary one', () => {
    const signers = taintedSigners(small, { 1: 3, 2: 5 });
    const shares = new Map([
      [1, cheat(small, 1, signers)],
      [2, cheat(small, 2, signers)],
      [3, signShare(suite, inputOf(small, 3, signers))],
    ]);
    const result = aggregate(suite, { ...small.round.session, signers, shares });
    expect(result.ok && verifySignature(suite, small.committee.key.outputKey, message, result.signature)).toBe(true);
  });

  it('and whose parts cancel is not hidden when a third share is wrong', () => {
    // A random linear combination of the second half would hide two parts of order 2.
    const signers = taintedSigners(large, { 4: 4, 5: 4 });
    const shares = new Map<number, Uint8Array>();
    for (const index of [2, 3, 6, 7]) shares.set(index, signShare(suite, inputOf(large, index, signers)));
    shares
      .set(4, cheat(large, 4, signers))
      .set(5, cheat(large, 5, signers))
      .set(1, suite.Fn.toBytes(7n));
    expect(aggregate(suite, { ...large.round.session, signers, shares })).toEqual({ ok: false, culprits: [1, 4, 5] });
  });

  it('does not exist in an honest committee, which signs', () => {
    const { committee, round } = large;
    expect(verifySignature(suite, committee.key.outputKey, message, signatureOf(committee, round))).toBe(true);
    expect(finalShare(suite, committee.key.internalKey, suite.Fn.toBytes(3n))).toEqual(suite.Fn.toBytes(3n));
  });
});

/**
 * A proof of knowledge by the dealer for its own (possibly tainted) commitment, with a nonce that has the part [k], and
 * μ off by `error`.
 */
function proofFor(dealer: Participant, k: number, error = 0n): Uint8Array {
  const { Fn } = suite;
  const nonce = 31337n;
  const R = Point.BASE.multiply(nonce).add(part(k)).toBytes();
  const key = compress(suite, present(readAffine(suite, present(dealer.commitments[0]))));
  const c = suite.HDKG(concatBytes(Fn.toBytes(BigInt(dealer.index)), key, R));
  const secret = Fn.fromBytes(dealer.coefficients.slice(0, 32));
  return concatBytes(R, Fn.toBytes(Fn.create(nonce + c * secret + error)));
}
