/** Every operation of the fast engine beside noble's, on the same bytes. */
import { bls12_381 } from '@noble/curves/bls12-381.js';
import fc from 'fast-check';
import mcl from 'mcl-wasm';
import { describe, expect, test } from 'vitest';
import { G1_DOMAINS, g1, g2, gamma } from '../../lib/coconut/generators.ts';
import { CoconutError, encodeG1, encodeG2, G1_ZERO, G2_ZERO, ORDER, randomScalar } from '../../lib/coconut/groups.ts';
import { mclVerifier } from '../../lib/coconut/mcl-engine.ts';
import { nobleVerifier } from '../../lib/coconut/noble-engine.ts';
import type { PublicG1, PublicG2, Verifier } from '../../lib/coconut/verifier.ts';
import { stream } from './fixtures.ts';

const random = stream('engines');
const fast = await mclVerifier();
const both = [nobleVerifier, fast] as const;
const runs = { numRuns: 12 };

const scalar = fc.oneof(fc.constantFrom(0n, 1n, 2n, ORDER - 1n, 1n << 128n), fc.bigInt({ min: 0n, max: ORDER - 1n }));
const points1 = Array.from({ length: 40 }, () => encodeG1(g1.multiply(randomScalar(random))));
const points2 = Array.from({ length: 6 }, () => encodeG2(g2.multiply(randomScalar(random))));
const term = (count: number) => fc.tuple(scalar, fc.nat(count - 1));

/** What an operation gave: bytes in hex, or the error's reason. */
function outcome(work: () => Uint8Array | boolean): string {
  try {
    const result = work();
    return typeof result === 'boolean' ? String(result) : Buffer.from(result).toString('hex');
  } catch (error) {
    if (error instanceof CoconutError) return error.reason;
    throw error;
  }
}
function same(work: (verifier: Verifier) => Uint8Array | boolean): string {
  const [noble, other] = both.map((verifier) => outcome(() => work(verifier)));
  expect(other).toBe(noble);
  return noble as string;
}

/** A point of the curve outside the subgroup: the least x ≥ `from` with one. */
function outsideG1(from: bigint): Uint8Array {
  const { Fp } = bls12_381.fields;
  for (let x = from; ; x++) {
    const square = Fp.add(Fp.pow(x, 3n), 4n);
    if (Fp.sqrt && Fp.eql(Fp.pow(square, (Fp.ORDER - 1n) / 2n), Fp.ONE)) {
      const point = bls12_381.G1.Point.fromAffine({ x, y: Fp.sqrt(square) });
      if (!point.isTorsionFree()) return encodeG1(point);
    }
  }
}
function outsideG2(): Uint8Array {
  const { Fp2 } = bls12_381.fields;
  for (let c0 = 1n; ; c0++) {
    const x = Fp2.fromBigTuple([c0, 1n]);
    try {
      const y = Fp2.sqrt(Fp2.add(Fp2.pow(x, 3n), Fp2.fromBigTuple([4n, 4n])));
      const point = bls12_381.G2.Point.fromAffine({ x, y });
      if (!point.isTorsionFree()) return encodeG2(point);
    } catch {
      // No point has this x.
    }
  }
}
const edited = (bytes: Uint8Array, edit: (copy: Uint8Array) => void) => {
  const copy = bytes.slice();
  edit(copy);
  return copy;
};

test('ENC-02: points outside the subgroup are refused, whatever others have set in the library of the fast engine', () => {
  mcl.verifyOrderG1(false);
  expect(outcome(() => fast.encodeG1(fast.decodeG1(outsideG1(1n))))).toBe('BadPoint');
  mcl.verifyOrderG2(false);
  expect(outcome(() => fast.encodeG2(fast.decodeG2(outsideG2())))).toBe('BadPoint');
});

describe.each(both)('decoding with $engine', (verifier) => {
  const [good1, good2] = [points1[0] as Uint8Array, points2[0] as Uint8Array];
  test('gives the point back', () => {
    expect(verifier.encodeG1(verifier.decodeG1(good1))).toEqual(good1);
    expect(verifier.encodeG2(verifier.decodeG2(good2))).toEqual(good2);
  });
  test('ECASH-02, ENC-01: refuses the identity', () => {
    expect(outcome(() => verifier.encodeG1(verifier.decodeG1(encodeG1(G1_ZERO))))).toBe('IdentityPoint');
    expect(outcome(() => verifier.encodeG2(verifier.decodeG2(encodeG2(G2_ZERO))))).toBe('IdentityPoint');
  });
  test('ENC-02: refuses points of the curve outside the subgroup', () => {
    for (const bytes of [outsideG1(1n), outsideG1(1_000n)])
      expect(outcome(() => verifier.encodeG1(verifier.decodeG1(bytes)))).toBe('BadPoint');
    expect(outcome(() => verifier.encodeG2(verifier.decodeG2(outsideG2())))).toBe('BadPoint');
  });
  test('ENC-03: refuses a coordinate that is not reduced, wrong flags and other lengths', () => {
    // x + p fits 381 bits for a small x only: find a point with one.
    const { Fp } = bls12_381.fields;
    let small = g1;
    while (small.toAffine().x + Fp.ORDER >= 1n << 381n) small = small.add(g1);
    const unreduced = Buffer.from((small.toAffine().x + Fp.ORDER).toString(16).padStart(96, '0'), 'hex');
    unreduced[0] = (unreduced[0] as number) | ((encodeG1(small)[0] as number) & 0xe0);
    const identity = encodeG1(G1_ZERO);
    for (const bytes of [
      new Uint8Array(unreduced),
      edited(good1, (copy) => {
        copy[0] = (copy[0] as number) & 0x7f;
      }),
      edited(good1, (copy) => {
        copy[0] = (copy[0] as number) | 0x40;
      }),
      edited(identity, (copy) => {
        copy[0] = 0xe0;
      }),
      edited(identity, (copy) => {
        copy[47] = 1;
      }),
      new Uint8Array(48),
    ])
      expect(outcome(() => verifier.encodeG1(verifier.decodeG1(bytes)))).toBe('BadPoint');
    for (const length of [0, 47, 49, 96])
      expect(outcome(() => verifier.encodeG1(verifier.decodeG1(new Uint8Array(length))))).toBe('BadLength');
    for (const length of [0, 48, 95, 97, 192])
      expect(outcome(() => verifier.encodeG2(verifier.decodeG2(new Uint8Array(length))))).toBe('BadLength');
  });
});

describe('the engines agree', () => {
  test('on what any bytes decode to', () => {
    fc.assert(
      fc.property(fc.nat(39), fc.nat(47), fc.nat(255), (which, at, value) => {
        same((verifier) =>
          verifier.encodeG1(
            verifier.decodeG1(
              edited(points1[which] as Uint8Array, (copy) => {
                copy[at] = value;
              }),
            ),
          ),
        );
      }),
      { numRuns: 60 },
    );
    fc.assert(
      fc.property(fc.nat(5), fc.nat(95), fc.nat(255), (which, at, value) => {
        same((verifier) =>
          verifier.encodeG2(
            verifier.decodeG2(
              edited(points2[which] as Uint8Array, (copy) => {
                copy[at] = value;
              }),
            ),
          ),
        );
      }),
      { numRuns: 40 },
    );
  });
  test('on sums in G1, from none to more than noble adds one by one', () => {
    fc.assert(
      fc.property(fc.array(term(40), { maxLength: 40 }), (terms) => {
        same((verifier) =>
          verifier.encodeG1(
            verifier.sumG1(terms.map(([k, which]) => [k, verifier.decodeG1(points1[which] as Uint8Array)])),
          ),
        );
      }),
      runs,
    );
  });
  test('on sums in G2', () => {
    fc.assert(
      fc.property(fc.array(term(6), { maxLength: 6 }), (terms) => {
        same((verifier) =>
          verifier.encodeG2(
            verifier.sumG2(terms.map(([k, which]) => [k, verifier.decodeG2(points2[which] as Uint8Array)])),
          ),
        );
      }),
      { numRuns: 6 },
    );
  });
  test('on additions, of a point to itself and to its negative too', () => {
    fc.assert(
      fc.property(fc.nat(39), fc.nat(39), fc.constantFrom(1n, ORDER - 1n), (a, b, sign) => {
        same((verifier) => {
          const [P, Q] = [a, b].map((which) => verifier.decodeG1(points1[which] as Uint8Array)) as [PublicG1, PublicG1];
          return verifier.encodeG1(verifier.addG1(P, verifier.sumG1([[sign, Q]])));
        });
        same((verifier) => {
          const [P, Q] = [a % 6, b % 6].map((which) => verifier.decodeG2(points2[which] as Uint8Array)) as [
            PublicG2,
            PublicG2,
          ];
          return verifier.encodeG2(verifier.addG2(P, verifier.sumG2([[sign, Q]])));
        });
      }),
      runs,
    );
    for (const verifier of both) {
      const P = verifier.fromG1(g1);
      expect(verifier.isIdentityG1(verifier.addG1(P, verifier.sumG1([[ORDER - 1n, P]])))).toBe(true);
      expect(verifier.encodeG1(verifier.addG1(P, P))).toEqual(encodeG1(g1.double()));
    }
  });
  test('on products of pairings, true and false', () => {
    fc.assert(
      fc.property(scalar, scalar, fc.boolean(), (a, b, lie) => {
        // e(a·g1, b·g2)·e(−ab·g1, g2) = 1
        const product = (ORDER * ORDER - a * b + (lie ? 1n : 0n)) % ORDER;
        const result = same((verifier) => {
          const [P, Q] = [verifier.fromG1(g1), verifier.fromG2(g2)];
          return verifier.pairingProductIsOne([
            [verifier.sumG1([[a, P]]), verifier.sumG2([[b, Q]])],
            [verifier.sumG1([[product, P]]), Q],
          ]);
        });
        expect(result).toBe(String(!lie));
      }),
      { numRuns: 8 },
    );
    expect(same((verifier) => verifier.pairingProductIsOne([]))).toBe('true');
  });
  test('on products with an identity on either side, which contributes nothing', () => {
    for (const [k, expected] of [
      [0n, 'true'],
      [1n, 'false'],
    ] as const) {
      const result = same((verifier) => {
        const [P, Q] = [verifier.fromG1(g1), verifier.fromG2(g2)];
        return verifier.pairingProductIsOne([
          [verifier.fromG1(G1_ZERO), Q],
          [P, verifier.fromG2(G2_ZERO)],
          [verifier.sumG1([[k, P]]), Q],
        ]);
      });
      expect(result).toBe(expected);
    }
  });
  test('on hashes to G1 under every tag', () => {
    fc.assert(
      fc.property(fc.constantFrom(...G1_DOMAINS), fc.uint8Array({ maxLength: 80 }), (domain, bytes) => {
        same((verifier) => verifier.encodeG1(verifier.hashToG1(domain, bytes)));
      }),
      runs,
    );
  });
  test('on the generators of the range proof', () => {
    const names = both.map((verifier) => {
      const { G, H, u } = verifier.rangeGenerators(3);
      return [...G, ...H, u].map((point) => Buffer.from(verifier.encodeG1(point)).toString('hex'));
    });
    expect(names[1]).toEqual(names[0]);
  });
  test('on points given by noble, the identity included', () => {
    for (const point of [g1, gamma(1), G1_ZERO]) {
      expect(same((verifier) => verifier.encodeG1(verifier.fromG1(point)))).toBe(point.toHex(true));
      same((verifier) => verifier.isIdentityG1(verifier.fromG1(point)));
    }
    for (const point of [g2, g2.double(), G2_ZERO]) {
      expect(same((verifier) => verifier.encodeG2(verifier.fromG2(point)))).toBe(point.toHex(true));
      same((verifier) => verifier.isIdentityG2(verifier.fromG2(point)));
    }
  });
});

describe('the fast engine', () => {
  test('adds more points than the library takes at once', () => {
    const point = fast.fromG1(g1);
    const distinct = Array.from({ length: 2_500 }, (_, i) => [BigInt(i), point] as const);
    expect(fast.encodeG1(fast.sumG1(distinct))).toEqual(encodeG1(g1.multiplyUnsafe(BigInt((2_500 * 2_499) / 2))));
  });
  test('pairs more points than it takes at once', () => {
    const [P, Q] = [fast.fromG1(g1), fast.fromG2(g2)];
    const pairs = Array.from({ length: 300 }, () => [P, Q] as const);
    const rest = (k: bigint) => [...pairs, [fast.sumG1([[ORDER - k, P]]), Q] as const];
    expect(fast.pairingProductIsOne(rest(300n))).toBe(true);
    expect(fast.pairingProductIsOne(rest(299n))).toBe(false);
  });
  test('refuses a scalar that is not reduced', () => {
    const P: PublicG1 = fast.fromG1(g1);
    const Q: PublicG2 = fast.fromG2(g2);
    expect(() => fast.sumG1([[ORDER, P]])).toThrow(CoconutError);
    expect(() => fast.sumG2([[-1n, Q]])).toThrow(CoconutError);
  });
  test('goes on checking subgroups when another part of the process has started the library again', async () => {
    await mcl.init(mcl.BLS12_381);
    expect(outcome(() => fast.encodeG1(fast.decodeG1(outsideG1(1n))))).toBe('BadPoint');
    expect(fast.encodeG1(fast.decodeG1(points1[0] as Uint8Array))).toEqual(points1[0]);
  });
  test('does nothing once the library has been started with another curve', async () => {
    await mcl.init(mcl.BN254);
    try {
      expect(() => fast.decodeG1(points1[0] as Uint8Array)).toThrow(/second time/);
      expect(() => fast.sumG1([[1n, fast.fromG1(g1)]])).toThrow(/second time/);
      expect(() => fast.pairingProductIsOne([])).toThrow(/second time/);
    } finally {
      await mcl.init(mcl.BLS12_381);
    }
  });
});
