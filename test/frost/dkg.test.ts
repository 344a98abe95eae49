import { concatBytes } from '@noble/hashes/utils.js';
import { describe, expect, it, vi } from 'vitest';
import {
  checkDealingShape,
  checkProofs,
  checkShareEncoding,
  columnSums,
  combineShares,
  deal,
  evaluateShare,
  finalShare,
  groupKey,
  type PublicDealing,
  verificationPoint,
  verifyDealing,
  verifyShare,
} from '../../lib/frost/dkg.ts';
import { writeUint256 } from '../../lib/frost/integers.ts';
import { compress, readAffine, writeAffine } from '../../lib/frost/points.ts';
import { FrostInputError, SUITES, type Suite, suiteOf } from '../../lib/frost/suite.ts';
import { dealAll, flip, indicesTo, keygen, present, stream } from './committee.ts';

const T = 3;
const N = 5;

const scalarBytes = (suite: Suite, value: bigint) => {
  const out = new Uint8Array(32);
  writeUint256(out, 0, value, suite.littleEndian);
  return out;
};
const scalarOf = (suite: Suite, bytes: Uint8Array) => suite.Fn.fromBytes(bytes);
const negated = (suite: Suite, encoded: Uint8Array) => {
  const { x, y } = present(readAffine(suite, encoded));
  const { p } = suite.curve;
  return writeAffine(suite, suite.taproot ? { x, y: p - y } : { x: p - x, y });
};
const replaced = <V>(list: readonly V[], at: number, value: V): V[] => list.map((old, i) => (i === at ? value : old));

describe.each(SUITES)('dealing with %s', (name) => {
  const suite = suiteOf(name);
  const dealings = dealAll(suite, T, N);
  const dealing = present(dealings[0]);

  it('an honest dealing passes every check', () => {
    for (const one of dealings) {
      expect(checkDealingShape(suite, T, one)).toEqual({ ok: true });
      expect(verifyDealing(suite, T, one)).toEqual({ ok: true });
      for (const index of indicesTo(N)) {
        const share = evaluateShare(suite, one.coefficients, index);
        expect(checkShareEncoding(suite, share)).toBe(true);
        expect(verifyShare(suite, index, one.commitments, share)).toBe(true);
      }
    }
    expect(checkProofs(suite, dealings, stream('weights'))).toEqual([]);
  });

  it('proofs hold whatever the parity of their nonce and of the commitment', () => {
    for (const seed of ['a', 'b', 'c', 'd']) {
      for (const one of dealAll(suite, 1, 4, seed)) expect(verifyDealing(suite, 1, one)).toEqual({ ok: true });
    }
  });

  it.each([0, 1, T - 1, T + 1, T + 7])('%i commitments instead of t are refused', (count) => {
    const commitments = Array.from({ length: count }, (_, k) => present(dealing.commitments[k % T]));
    const result = checkDealingShape(suite, T, { ...dealing, commitments });
    expect(result).toEqual({ ok: false, reason: `expected ${T} commitments, got ${count}` });
    expect(verifyDealing(suite, T, { ...dealing, commitments }).ok).toBe(false);
  });

  it.each([0, 1, 2])(
    'the identity, a point off the curve, a wrong length or a non-canonical point as commitment %i is refused',
    (k) => {
      const good = present(dealing.commitments[k]);
      const { x, y } = present(readAffine(suite, good));
      const start = suite.affineBytes - 64;
      const large = good.slice();
      writeUint256(large, start, suite.curve.p, suite.littleEndian);
      const compressed = compress(suite, { x, y });
      for (const bad of [
        writeAffine(suite, undefined),
        flip(good, start + 5),
        good.slice(1),
        large,
        compressed,
        new Uint8Array(),
      ]) {
        const commitments = replaced(dealing.commitments, k, bad);
        expect(checkDealingShape(suite, T, { ...dealing, commitments })).toEqual({
          ok: false,
          reason: `commitment ${k} is not a valid point other than the identity`,
        });
        expect(verifyDealing(suite, T, { ...dealing, commitments }).ok).toBe(false);
        expect(verifyShare(suite, 1, commitments, evaluateShare(suite, dealing.coefficients, 1))).toBe(false);
      }
    },
  );

  it('a proof that does not decode is refused on arrival', () => {
    const proof = dealing.proofOfKnowledge;
    const R = proof.slice(0, 32);
    const mu = scalarOf(suite, proof.slice(32));
    const noPoint = Array.from({ length: 40 }, (_, v) => scalarBytes(suite, BigInt(v + 2))).filter(
      (bytes) => !checkDealingShape(suite, T, { ...dealing, proofOfKnowledge: concatBytes(bytes, proof.slice(32)) }).ok,
    );
    expect(noPoint.length).toBeGreaterThan(5);
    const malformed = [
      proof.slice(1),
      concatBytes(proof, Uint8Array.of(0)),
      new Uint8Array(),
      concatBytes(R, scalarBytes(suite, suite.Fn.ORDER)),
      ...(mu + suite.Fn.ORDER < 2n ** 256n ? [concatBytes(R, scalarBytes(suite, mu + suite.Fn.ORDER))] : []),
      concatBytes(scalarBytes(suite, suite.curve.p), proof.slice(32)),
      // The identity on Ed25519; not the x of any point on secp256k1.
      concatBytes(scalarBytes(suite, suite.taproot ? 0n : 1n), proof.slice(32)),
    ];
    for (const proofOfKnowledge of malformed) {
      const bad = { ...dealing, proofOfKnowledge };
      expect(checkDealingShape(suite, T, bad)).toEqual({ ok: false, reason: 'the proof of knowledge does not decode' });
      expect(verifyDealing(suite, T, bad).ok).toBe(false);
      expect(checkProofs(suite, [bad, present(dealings[1])], stream('weights'))).toEqual([dealing.index]);
    }
  });

  it('a proof is wrong for another commitment, another nonce, another scalar or another sender', () => {
    const other = present(dealings[1]);
    const proof = dealing.proofOfKnowledge;
    const mu = scalarOf(suite, proof.slice(32));
    const wrong: PublicDealing[] = [
      { ...dealing, commitments: replaced(dealing.commitments, 0, present(other.commitments[0])) },
      { ...dealing, proofOfKnowledge: concatBytes(other.proofOfKnowledge.slice(0, 32), proof.slice(32)) },
      { ...dealing, proofOfKnowledge: concatBytes(proof.slice(0, 32), suite.Fn.toBytes(suite.Fn.add(mu, 1n))) },
      { ...dealing, proofOfKnowledge: other.proofOfKnowledge },
      // A replay: all of participant 2's dealing, presented by participant 1.
      { ...other, index: dealing.index },
    ];
    for (const bad of wrong) {
      expect(checkDealingShape(suite, T, bad)).toEqual({ ok: true });
      expect(verifyDealing(suite, T, bad)).toEqual({ ok: false, reason: 'the proof of knowledge is wrong' });
      expect(checkProofs(suite, [bad], stream('weights'))).toEqual([1]);
      expect(checkProofs(suite, [...dealings.slice(1), bad], stream('weights'))).toEqual([1]);
    }
  });

  it('a proof does not carry over to the other suite', () => {
    const others = suiteOf(present(SUITES.find((candidate) => candidate !== name)));
    expect(verifyDealing(others, T, dealing).ok).toBe(false);
  });

  it('all wrong proofs of a stage are named, ascending, whatever the order of arrival', () => {
    const wrong = (index: number) => {
      const one = present(dealings[index - 1]);
      return { ...one, proofOfKnowledge: present(dealings[index % N]).proofOfKnowledge };
    };
    const stage = [wrong(5), present(dealings[2]), wrong(2), present(dealings[0]), wrong(4)];
    expect(checkProofs(suite, stage, stream('weights'))).toEqual([2, 4, 5]);
  });

  it('errors of two proofs that cancel in a plain sum are found, because the weights are random', () => {
    const shifted = (index: number, by: bigint) => {
      const one = present(dealings[index - 1]);
      const mu = scalarOf(suite, one.proofOfKnowledge.slice(32));
      return {
        ...one,
        proofOfKnowledge: concatBytes(one.proofOfKnowledge.slice(0, 32), suite.Fn.toBytes(suite.Fn.create(mu + by))),
      };
    };
    const stage = [shifted(1, 5n), shifted(2, -5n), ...dealings.slice(2)];
    expect(checkProofs(suite, stage, stream('weights'))).toEqual([1, 2]);
    // With equal weights the batch passes: the weights are what finds it.
    expect(checkProofs(suite, stage, (length) => new Uint8Array(length).fill(7))).toEqual([]);
  });

  it('the weights are drawn once, 128 bits for each dealing, and a weight of 0 is not used', () => {
    const random = vi.fn(stream('weights'));
    checkProofs(suite, dealings, random);
    expect(random.mock.calls).toEqual([[16 * N]]);
    const bad = { ...dealing, proofOfKnowledge: present(dealings[1]).proofOfKnowledge };
    expect(checkProofs(suite, [bad, ...dealings.slice(1)], (length) => new Uint8Array(length))).toEqual([1]);
  });

  it('no dealers means no culprits', () => {
    expect(checkProofs(suite, [], stream('weights'))).toEqual([]);
  });

  it('thresholds and indices out of range are refused', () => {
    const random = stream('range');
    for (const [t, n] of [
      [0, 3],
      [4, 3],
      [1.5, 3],
      [Number.NaN, 3],
      [2, 65_536],
      [-1, 3],
    ] as const) {
      expect(() => deal(suite, { t, n, index: 1 }, random)).toThrow(FrostInputError);
    }
    for (const index of [0, -1, 1.5, 65_536, Number.NaN]) {
      expect(() => deal(suite, { t: 2, n: 3, index }, random)).toThrow(FrostInputError);
      expect(() => evaluateShare(suite, dealing.coefficients, index)).toThrow(FrostInputError);
      expect(() => verifyShare(suite, index, dealing.commitments, new Uint8Array(32))).toThrow(FrostInputError);
      expect(() => combineShares(suite, index, dealing.commitments, [])).toThrow(FrostInputError);
      expect(() => groupKey(suite, T, dealing.commitments, [index])).toThrow(FrostInputError);
      expect(() => verifyDealing(suite, T, { ...dealing, index })).toThrow(FrostInputError);
      expect(() => checkProofs(suite, [{ ...dealing, index }], random)).toThrow(FrostInputError);
    }
  });

  it('malformed coefficients are refused, and the error shows none', () => {
    for (const bad of [new Uint8Array(), dealing.coefficients.slice(1), new Uint8Array(32).fill(0xff)]) {
      expect(() => evaluateShare(suite, bad, 1)).toThrow(FrostInputError);
    }
    expect(() => evaluateShare(suite, new Uint8Array(32).fill(0xff), 1)).toThrow(
      'coefficient: expected a canonical scalar of 32 bytes, got another encoding',
    );
  });
});

describe.each(SUITES)('shares with %s', (name) => {
  const suite = suiteOf(name);
  const dealings = dealAll(suite, T, N);
  const columns = columnSums(
    suite,
    T,
    dealings.map(({ commitments }) => commitments),
  );
  const inbox = (index: number) => dealings.map(({ coefficients }) => evaluateShare(suite, coefficients, index));
  const { coefficients, commitments } = present(dealings[0]);
  const order = suite.Fn.ORDER;

  it('a share for another recipient, tampered, plus the order, of another length or 0 is refused', () => {
    const good = evaluateShare(suite, coefficients, 2);
    const value = scalarOf(suite, good);
    const foreign = evaluateShare(suite, coefficients, 3);
    const tampered = suite.Fn.toBytes(suite.Fn.create(value + 1n));
    const opposite = suite.Fn.toBytes(suite.Fn.neg(value));
    for (const bad of [foreign, tampered, opposite]) {
      expect(checkShareEncoding(suite, bad)).toBe(true);
      expect(verifyShare(suite, 2, commitments, bad)).toBe(false);
      expect(combineShares(suite, 2, columns, [bad, ...inbox(2).slice(1)])).toBeUndefined();
    }
    const malformed = [
      good.slice(1),
      concatBytes(good, Uint8Array.of(0)),
      scalarBytes(suite, order),
      scalarBytes(suite, 0n),
      new Uint8Array(),
    ];
    if (value + order < 2n ** 256n) malformed.push(scalarBytes(suite, value + order));
    for (const bad of malformed) {
      expect(checkShareEncoding(suite, bad)).toBe(false);
      expect(verifyShare(suite, 2, commitments, bad)).toBe(false);
      expect(combineShares(suite, 2, columns, [bad, ...inbox(2).slice(1)])).toBeUndefined();
    }
  });

  it('a share of 0 is refused even if it lies on the polynomial', () => {
    // f(x) = 6 − 5x + x² with f(2) = 0.
    const chosen = [6n, order - 5n, 1n];
    const points = chosen.map((c) => writeAffine(suite, suite.multiplyBase(c)));
    expect(verifyShare(suite, 1, points, suite.Fn.toBytes(2n))).toBe(true);
    expect(verifyShare(suite, 2, points, suite.Fn.toBytes(0n))).toBe(false);
    expect(combineShares(suite, 2, points, [suite.Fn.toBytes(1n), suite.Fn.toBytes(order - 1n)])).toBeUndefined();
  });

  it('no commitments judge no share', () => {
    expect(verifyShare(suite, 1, [], suite.Fn.toBytes(1n))).toBe(false);
  });

  it('the total is that of exactly the dealers in the columns', () => {
    const shares = inbox(4);
    expect(combineShares(suite, 4, columns, shares)).toBeDefined();
    expect(combineShares(suite, 4, columns, shares.slice().reverse())).toEqual(
      combineShares(suite, 4, columns, shares),
    );
    expect(combineShares(suite, 4, columns, shares.slice(1))).toBeUndefined();
    expect(combineShares(suite, 4, columns, [...shares, present(shares[0])])).toBeUndefined();
    expect(combineShares(suite, 3, columns, shares)).toBeUndefined();
    expect(combineShares(suite, 4, columns, [])).toBeUndefined();
    expect(combineShares(suite, 4, replaced(columns, 1, present(columns[0])), shares)).toBeUndefined();
  });

  it('every bad dealer is named by the pass over the dealers, and no honest one', () => {
    const shares = inbox(5).map((share, j) => (j === 1 || j === 3 ? flip(share, 12 + j) : share));
    expect(combineShares(suite, 5, columns, shares)).toBeUndefined();
    const culprits = dealings
      .filter((one, j) => !verifyShare(suite, 5, one.commitments, present(shares[j])))
      .map(({ index }) => index);
    expect(culprits).toEqual([2, 4]);
  });

  it('errors that cancel leave the total right, and each is still found alone', () => {
    const shares = inbox(5);
    const shift = (at: number, by: bigint) =>
      suite.Fn.toBytes(suite.Fn.create(scalarOf(suite, present(shares[at])) + by));
    const cancelling = replaced(replaced(shares, 0, shift(0, 9n)), 1, shift(1, -9n));
    expect(combineShares(suite, 5, columns, cancelling)).toEqual(combineShares(suite, 5, columns, shares));
    expect(verifyShare(suite, 5, commitments, present(cancelling[0]))).toBe(false);
  });
});

describe.each(SUITES)('the group key of %s', (name) => {
  const suite = suiteOf(name);
  const order = suite.Fn.ORDER;
  const pointsOf = (values: readonly bigint[]) =>
    values.map((value) => writeAffine(suite, suite.multiplyBase(suite.Fn.create(value))));

  it('is the same for every operator, and each signing share belongs to its verifying share', () => {
    for (const [t, n] of [
      [1, 1],
      [1, 3],
      [2, 3],
      [3, 5],
      [7, 10],
    ] as const) {
      const { key, signingShares, verifyingShares } = keygen(suite, t, n);
      for (const [index, share] of signingShares) {
        const point = suite.multiplyBase(scalarOf(suite, share));
        expect(compress(suite, point)).toEqual(verifyingShares.get(index));
      }
      expect(present(verificationPoint(suite, key)).encoded.slice(-32)).toEqual(key.outputKey);
    }
  });

  it('any t signing shares give the key that signs, fewer do not', () => {
    const { key, signingShares } = keygen(suite, 3, 5);
    const expected = present(verificationPoint(suite, key)).encoded;
    const interpolate = (members: readonly number[]) => {
      const { Fn } = suite;
      let secret = 0n;
      for (const i of members) {
        let lambda = 1n;
        for (const j of members) if (j !== i) lambda = Fn.mul(lambda, Fn.div(BigInt(j), Fn.create(BigInt(j - i))));
        secret = Fn.add(secret, Fn.mul(lambda, scalarOf(suite, present(signingShares.get(i)))));
      }
      return compress(suite, suite.multiplyBase(secret));
    };
    for (const members of [
      [1, 2, 3],
      [1, 3, 5],
      [2, 4, 5],
      [1, 2, 3, 4, 5],
    ])
      expect(interpolate(members)).toEqual(expected);
    for (const members of [[1, 2], [4, 5], [3]]) expect(interpolate(members)).not.toEqual(expected);
  });

  it('column sums are right for equal and opposite points of two dealers', () => {
    const rows = [
      [5n, 7n],
      [5n, -7n],
      [1n, 7n],
    ].map(pointsOf);
    expect(columnSums(suite, 2, rows)).toEqual(pointsOf([11n, 7n]));
    expect(columnSums(suite, 2, rows.slice(0, 2))).toEqual([...pointsOf([10n]), writeAffine(suite, undefined)]);
    const honest = present(dealAll(suite, 2, 3)[0]).commitments;
    const cancelling = honest.map((commitment) => negated(suite, commitment));
    expect(columnSums(suite, 2, [honest, cancelling, present(rows[2])])).toEqual(rows[2]);
    expect(columnSums(suite, 2, [honest, cancelling])).toEqual([
      writeAffine(suite, undefined),
      writeAffine(suite, undefined),
    ]);
  });

  it('column sums refuse rows of another length, other encodings and no rows at all', () => {
    const row = pointsOf([1n, 2n]);
    expect(() => columnSums(suite, 2, [])).toThrow(FrostInputError);
    expect(() => columnSums(suite, 2, [row, row.slice(1)])).toThrow('commitments: expected 2 for each dealer, got 1');
    expect(() => columnSums(suite, 2, [row, [...row, ...row]])).toThrow(FrostInputError);
    expect(() => columnSums(suite, 2, [row, replaced(row, 1, new Uint8Array(suite.pointBytes))])).toThrow(
      FrostInputError,
    );
  });

  it.each([0, 1, 2])('an identity as the sum of column %i is refused: no key, or a lower threshold than t', (k) => {
    const columns = replaced(pointsOf([3n, 4n, 5n]), k, writeAffine(suite, undefined));
    expect(groupKey(suite, 3, columns, [1, 2, 3, 4])).toEqual({
      ok: false,
      reason: `the sum of the commitments ${k} is the identity`,
    });
  });

  it('a verifying share that is the identity is refused', () => {
    // F(x) = 6 − 5x + x² = (x − 2)(x − 3).
    const columns = pointsOf([6n, -5n, 1n]);
    expect(groupKey(suite, 3, columns, [1, 2, 3])).toEqual({
      ok: false,
      reason: 'the verifying share of 2 is the identity',
    });
    expect(groupKey(suite, 3, columns, [1, 4]).ok).toBe(true);
  });

  it('verifying shares come in the order asked for, dense, sparse or reversed', () => {
    const { columns, verifyingShares } = keygen(suite, 3, 5);
    const sharesOf = (indices: readonly number[]) => {
      const group = groupKey(suite, 3, columns, indices);
      if (!group.ok) throw new Error(group.reason);
      return group.key.verifyingShares;
    };
    for (const indices of [[5, 1, 3], [4], [1, 2, 3, 4, 5]]) {
      expect(sharesOf(indices)).toEqual(indices.map((index) => verifyingShares.get(index)));
    }
    expect(sharesOf([65_535, 2])[1]).toEqual(verifyingShares.get(2));
  });

  it('repeated indices and a wrong number of columns are refused', () => {
    const columns = pointsOf([1n, 2n]);
    expect(() => groupKey(suite, 2, columns, [1, 1])).toThrow(FrostInputError);
    expect(() => groupKey(suite, 3, columns, [1])).toThrow(FrostInputError);
    expect(() => groupKey(suite, 1, columns, [1])).toThrow(FrostInputError);
  });

  it('a key whose two encodings do not belong together is recognised', () => {
    const { key } = keygen(suite, 2, 3);
    const other = keygen(suite, 2, 3, 'other').key;
    expect(verificationPoint(suite, { internalKey: other.internalKey, outputKey: key.outputKey })).toBeUndefined();
    expect(
      verificationPoint(suite, { internalKey: key.internalKey, outputKey: flip(key.outputKey, 3) }),
    ).toBeUndefined();
    expect(
      verificationPoint(suite, { internalKey: new Uint8Array(suite.pointBytes), outputKey: key.outputKey }),
    ).toBeUndefined();
  });

  it('the final share refuses a share that is no scalar, and on secp256k1 an internal key that is no point', () => {
    const { key } = keygen(suite, 2, 3);
    expect(() => finalShare(suite, key.internalKey, scalarBytes(suite, order))).toThrow(FrostInputError);
    expect(() => finalShare(suite, key.internalKey, new Uint8Array(31))).toThrow(FrostInputError);
    if (suite.taproot) {
      expect(() => finalShare(suite, new Uint8Array(33), scalarBytes(suite, 1n))).toThrow(FrostInputError);
    } else {
      expect(finalShare(suite, key.internalKey, scalarBytes(suite, 9n))).toEqual(scalarBytes(suite, 9n));
    }
  });
});
