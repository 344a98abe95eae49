import { concatBytes } from '@noble/curves/utils.js';
import { describe, expect, test } from 'vitest';
import { CoconutError, decodeScalar, encodeScalar, Fr, G1_ZERO, G2_ZERO, ORDER } from '../../lib/coconut/groups.ts';
import { decodePublicKey, keyEquations, lagrange } from '../../lib/coconut/keys.ts';
import { mclVerifier } from '../../lib/coconut/mcl-engine.ts';
import { nobleVerifier } from '../../lib/coconut/noble-engine.ts';
import type { Verifier } from '../../lib/coconut/verifier.ts';
import {
  columnSums,
  deal,
  dealingHolds,
  type EncodedDealing,
  type EncodedRows,
  evaluateShare,
  keyAt,
  liesOn,
  type Place,
  type ReadDealing,
  readDealing,
  sumShares,
  wrongDealers,
} from '../../lib/coconut-keygen/dealing.ts';
import {
  another,
  compressG1,
  compressG2,
  forged,
  G1Point,
  G2Point,
  nameOf,
  type Position,
  place,
  positions,
  random,
  replaced,
  tainted,
} from './forgery.ts';

const T = 3;
const DEALERS = [1, 2, 3, 4];
const LIAR = 3;
const ENGINES: readonly (readonly [string, Verifier])[] = [
  ['noble', nobleVerifier],
  ['mcl', await mclVerifier()],
];

const honest = new Map(DEALERS.map((index) => [index, deal(place(index, T), random(`${index}`))]));
function dealt(index: number) {
  const dealing = honest.get(index);
  if (!dealing) throw new Error(`no dealer ${index}`);
  return dealing;
}

function read(verifier: Verifier, at: Place, dealing: EncodedDealing): ReadDealing {
  const result = readDealing(verifier, at, dealing);
  if (!result) throw new Error(`the dealing of ${at.index} is not of the right shape`);
  return result;
}

/** Everybody's dealings, the liar's being this one. */
function all(verifier: Verifier, lie?: EncodedDealing, at = place(LIAR, T)): ReadDealing[] {
  return DEALERS.map((index) =>
    index === LIAR && lie ? read(verifier, at, lie) : read(verifier, place(index, T), dealt(index).dealing),
  );
}

test('the forger’s encoding is the library’s, on points that the library encodes', () => {
  for (const scalar of [1n, 2n, 3n, 12345n, ORDER - 1n]) {
    const [one, two] = [G1Point.BASE.multiply(scalar), G2Point.BASE.multiply(scalar)];
    expect(compressG1(one)).toEqual(one.toBytes(true));
    expect(compressG2(two)).toEqual(two.toBytes(true));
  }
});

describe.each(ENGINES)('with the engine %s', (_name, verifier) => {
  test('honest dealings hold, together and each alone', () => {
    expect(wrongDealers(verifier, all(verifier), random('weights'))).toEqual([]);
    for (const each of all(verifier)) expect(dealingHolds(verifier, each)).toBe(true);
  });

  test('the key and every service key are those of the summed polynomials', () => {
    const columns = columnSums(verifier, all(verifier));
    if (!columns) throw new Error('the sums are good');
    for (const index of [1, 2, 7, 31]) {
      const share = sumShares(DEALERS.map((dealer) => evaluateShare(dealt(dealer).polynomial, index)));
      const key = keyAt(verifier, columns, index);
      if (!key) throw new Error('the key is good');
      expect(verifier.encodeG2(key.alpha)).toEqual(G2Point.BASE.multiply(share.x).toBytes(true));
      for (const [j, y] of share.y.entries()) {
        expect(verifier.encodeG1(key.beta[j] as never)).toEqual(G1Point.BASE.multiply(y).toBytes(true));
        expect(verifier.encodeG2(key.betaTilde[j] as never)).toEqual(G2Point.BASE.multiply(y).toBytes(true));
      }
      expect(liesOn(verifier, index, columns, share)).toBe(true);
      expect(liesOn(verifier, index === 1 ? 2 : 1, columns, share), 'at another index').toBe(false);
    }
    const shares = [2, 7, 31].map((index) => sumShares(DEALERS.map((d) => evaluateShare(dealt(d).polynomial, index))));
    const weights = lagrange([2, 7, 31]);
    const x = shares.reduce((sum, share, i) => Fr.add(sum, Fr.mul(weights[i] ?? 0n, share.x)), 0n);
    const group = keyAt(verifier, columns, 0);
    expect(group && verifier.encodeG2(group.alpha)).toEqual(G2Point.BASE.multiply(x).toBytes(true));
  });

  test('ECASH-14 the keys of services with any indexes are shares of the group’s key, and no other keys are', () => {
    const columns = columnSums(verifier, all(verifier));
    if (!columns) throw new Error('the sums are good');
    const publicKey = (index: number) => {
      const key = keyAt(verifier, columns, index);
      if (!key) throw new Error('the key is good');
      const { alpha, beta, betaTilde } = key;
      const bytes = [
        verifier.encodeG2(alpha),
        ...beta.map(verifier.encodeG1, verifier),
        ...betaTilde.map(verifier.encodeG2, verifier),
      ];
      return { index, ...decodePublicKey(concatBytes(...bytes), 2) };
    };
    const parameters = { attributes: 2, threshold: T, total: 4 };
    const services = [2, 7, 9, 31].map(publicKey);
    const good = (of: typeof services, key = publicKey(0)) =>
      keyEquations(verifier, parameters, key, of).check(verifier, random('w'));
    expect(good(services)).toBe(true);
    expect(good(services, publicKey(1))).toBe(false);
    expect(good(services.map((each) => (each.index === 31 ? { ...publicKey(30), index: 31 } : each)))).toBe(false);
    expect(() => good([...services.slice(1), publicKey(2)])).toThrow(CoconutError);
    expect(() => good([...services.slice(1), publicKey(31)])).toThrow(CoconutError);
  });

  test.each(positions(T).map((position) => [nameOf(position), position] as const))(
    'ENC-02 a part of small order at %s is refused when it is read, though every equation would hold',
    (_where, position) => {
      const lie = forged(place(LIAR, T), (rows) => replaced(rows, position, tainted));
      expect(readDealing(verifier, place(LIAR, T), lie)).toBeUndefined();
    },
  );

  test.each(positions(T).map((position) => [nameOf(position), position] as const))(
    'ECASH-02 the identity at %s is refused',
    (_where, position) => {
      const identity = position.row === 'beta' ? G1_ZERO.toBytes(true) : G2_ZERO.toBytes(true);
      const lie = forged(place(LIAR, T), (rows) => replaced(rows, position, () => identity));
      expect(readDealing(verifier, place(LIAR, T), lie)).toBeUndefined();
    },
  );
});

describe.each([ENGINES[1] as (typeof ENGINES)[number]])('with the engine %s', (_name, verifier) => {
  const judged = (lie: EncodedDealing, at = place(LIAR, T)) => {
    const dealings = all(verifier, lie, at);
    const wrong = wrongDealers(verifier, dealings, random('weights'));
    // The batch of all, and the rule for one, agree about everybody.
    expect(dealings.filter((each) => !dealingHolds(verifier, each)).map(({ index }) => index)).toEqual(wrong);
    return wrong;
  };

  const pairs: readonly Position[] = positions(T).filter(({ row }) => row !== 'alpha');
  test.each(pairs.map((position) => [nameOf(position), position] as const))(
    'ECASH-14 another logarithm at %s names the dealer, whose proofs are good',
    (_where, position) => {
      expect(judged(forged(place(LIAR, T), (rows) => replaced(rows, position, another)))).toEqual([LIAR]);
    },
  );

  test('ECASH-14 errors that cancel without weights are named', () => {
    const shift = (bytes: Uint8Array, by: bigint) =>
      G2Point.fromBytes(bytes).add(G2Point.BASE.multiply(by)).toBytes(true);
    const lie = forged(place(LIAR, T), (rows) => {
      const once = replaced(rows, { row: 'betaTilde', j: 0, k: 1 }, (bytes) => shift(bytes, 5n));
      return replaced(once, { row: 'betaTilde', j: 1, k: 2 }, (bytes) => shift(bytes, ORDER - 5n));
    });
    expect(judged(lie)).toEqual([LIAR]);
  });

  test('DKG-05 commitments without the secret of a constant term: no proof holds', () => {
    for (const row of ['alpha', 'beta'] as const) {
      for (const j of row === 'alpha' ? [0] : [0, 1]) {
        const lie = forged(place(LIAR, T), (rows) => {
          const chosen = replaced(rows, { row, j, k: 0 }, (bytes) => scaled(bytes));
          // Consistent in both groups, so that only the proof can tell.
          return row === 'alpha' ? chosen : replaced(chosen, { row: 'betaTilde', j, k: 0 }, (bytes) => scaled(bytes));
        });
        expect(judged(lie), `${row} ${j}`).toEqual([LIAR]);
      }
    }
  });

  test('DKG-06 a dealing of another dealer, of another ceremony, or for another threshold is not one here', () => {
    expect(judged(dealt(1).dealing)).toEqual([LIAR]);
    const elsewhere = { ...place(LIAR, T), ceremony: new Uint8Array(32).fill(0xcf) };
    expect(judged(deal(elsewhere, random('elsewhere')).dealing)).toEqual([LIAR]);
    expect(wrongDealers(verifier, all(verifier, dealt(LIAR).dealing, elsewhere), random('weights'))).toEqual([LIAR]);
    expect(readDealing(verifier, place(LIAR, T), deal(place(LIAR, T - 1), random('lower')).dealing)).toBeUndefined();
  });

  test('DKG-01 a dealing of another number of attributes, or of proofs, is none', () => {
    const { dealing } = dealt(LIAR);
    const { rows, proofsY } = dealing;
    const more = <T>(of: readonly T[]): T[] => [...of, ...of.slice(0, 1)];
    const reads = (change: Partial<EncodedRows>, proofs = proofsY) =>
      readDealing(verifier, place(LIAR, T), { ...dealing, rows: { ...rows, ...change }, proofsY: proofs });
    expect(reads({})).toBeDefined();
    expect(reads({ beta: more(rows.beta), betaTilde: more(rows.betaTilde) })).toBeUndefined();
    expect(reads({ beta: more(rows.beta) })).toBeUndefined();
    expect(reads({ betaTilde: more(rows.betaTilde) })).toBeUndefined();
    expect(reads({ betaTilde: rows.betaTilde.slice(1) })).toBeUndefined();
    expect(reads({}, proofsY.slice(1))).toBeUndefined();
    expect(reads({}, more(proofsY))).toBeUndefined();
  });

  test('ENC-05 whatever of a dealing is changed after its proof, the proof no longer holds', () => {
    const { dealing } = dealt(LIAR);
    const { rows, proofX, proofsY } = dealing;
    const response = encodeScalar(Fr.add(decodeScalar(proofX.response), 1n));
    const [first, second] = proofsY;
    if (!first || !second) throw new Error('there are two proofs');
    const changed: readonly EncodedDealing[] = [
      // In both groups where there are two, so that the pairings hold: only the challenge can tell.
      ...Array.from({ length: T }, (_, k) => replaced(rows, { row: 'alpha', j: 0, k }, scaled)),
      ...[0, 1].flatMap((j) =>
        Array.from({ length: T }, (_, k) =>
          replaced(replaced(rows, { row: 'beta', j, k }, scaled), { row: 'betaTilde', j, k }, scaled),
        ),
      ),
    ].map((edited): EncodedDealing => ({ ...dealing, rows: edited }));
    const proofs: readonly EncodedDealing[] = [
      { ...dealing, proofX: { ...proofX, response } },
      { ...dealing, proofX: { ...proofX, commitment: another(proofX.commitment) } },
      { ...dealing, proofsY: [{ ...first, response }, second] },
      { ...dealing, proofsY: [first, { ...second, commitment: another(second.commitment) }] },
      { ...dealing, proofsY: [second, first] },
    ];
    for (const lie of [...changed, ...proofs]) expect(judged(lie)).toEqual([LIAR]);
  });

  test('all dealers at fault are named, and nobody else', () => {
    const bad = new Set([1, 4]);
    const dealings = DEALERS.map((index) => {
      const position = { row: 'beta', j: 1, k: 2 } as const;
      const lie = (rows: EncodedRows) => replaced(rows, position, another);
      return read(verifier, place(index, T), bad.has(index) ? forged(place(index, T), lie) : dealt(index).dealing);
    });
    expect(wrongDealers(verifier, dealings, random('weights'))).toEqual([1, 4]);
  });

  test('dealers whose sum is the identity give no key, though each dealing is good', () => {
    const [one] = all(verifier);
    if (!one) throw new Error('there is a dealing');
    const minus = verifier.sumG2([[ORDER - 1n, one.rows.alpha[1] as never]]);
    const opposite = {
      ...one,
      rows: { ...one.rows, alpha: one.rows.alpha.map((point, k) => (k === 1 ? minus : point)) },
    };
    expect(columnSums(verifier, [one, opposite])).toBeUndefined();
    expect(columnSums(verifier, [one, one])).toBeDefined();
    expect(columnSums(verifier, [])).toBeUndefined();
  });

  test('a share with any part wrong or zero does not lie on the polynomials', () => {
    const { rows } = read(verifier, place(LIAR, T), dealt(LIAR).dealing);
    const share = evaluateShare(dealt(LIAR).polynomial, 2);
    const [y1 = 0n, y2 = 0n] = share.y;
    expect(liesOn(verifier, 2, rows, share)).toBe(true);
    const wrong = [
      { ...share, x: Fr.add(share.x, 1n) },
      { ...share, y: [Fr.add(y1, 1n), y2] },
      { ...share, y: [y1, Fr.add(y2, 1n)] },
      { ...share, y: [y2, y1] },
      { ...share, y: [y1] },
      { ...share, x: 0n },
      { ...share, y: [0n, y2] },
    ];
    for (const each of wrong) expect(liesOn(verifier, 2, rows, each)).toBe(false);
  });
});

/** Twice the point: a logarithm that differs by what the dealer knows, the same in both groups. */
function scaled(bytes: Uint8Array): Uint8Array {
  return bytes.length === 48
    ? G1Point.fromBytes(bytes).double().toBytes(true)
    : G2Point.fromBytes(bytes).double().toBytes(true);
}
