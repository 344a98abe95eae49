import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readUint256, writeUint256 } from '../../lib/frost/integers.ts';
import { compress, decompress, readAffine, readOwnAffine, writeAffine } from '../../lib/frost/points.ts';
import { readScalar, SUITES, suiteOf } from '../../lib/frost/suite.ts';
import { flip, present } from './committee.ts';

const secret = fc.bigInt({ min: 1n, max: 2n ** 252n });

it('256-bit integers survive a round trip in both byte orders, at any offset', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
      fc.boolean(),
      fc.nat(9),
      (value, littleEndian, offset) => {
        const bytes = new Uint8Array(48);
        writeUint256(bytes, offset, value, littleEndian);
        expect(readUint256(bytes, offset, littleEndian)).toBe(value);
        const digits = bytesToHex(
          littleEndian ? bytes.slice(offset, offset + 32).reverse() : bytes.slice(offset, offset + 32),
        );
        expect(BigInt(`0x${digits}`)).toBe(value);
      },
    ),
  );
  expect(() => readUint256(new Uint8Array(31), 0, true)).toThrow(RangeError);
});

describe.each(SUITES)('encodings of %s', (name) => {
  const suite = suiteOf(name);
  const { p, order } = suite.curve;
  const point = suite.multiplyBase(987654321n);
  const encoded = writeAffine(suite, point);
  const start = suite.affineBytes - 64;
  const withCoordinate = (which: 0 | 1, value: bigint) => {
    const out = encoded.slice();
    writeUint256(out, start + 32 * which, value, suite.littleEndian);
    return out;
  };

  it('have the announced lengths', () => {
    expect([suite.affineBytes, suite.pointBytes]).toEqual(suite.taproot ? [65, 33] : [64, 32]);
    expect([suite.scalarBytes, suite.proofBytes]).toEqual([32, 64]);
    expect(encoded).toHaveLength(suite.affineBytes);
    expect(compress(suite, point)).toHaveLength(suite.pointBytes);
  });

  it('points survive both forms, and the compressed form is noble’s', () => {
    fc.assert(
      fc.property(secret, (k) => {
        const affine = suite.multiplyBase(k);
        expect(readAffine(suite, writeAffine(suite, affine))).toEqual(affine);
        expect(readOwnAffine(suite, writeAffine(suite, affine))).toEqual(affine);
        expect(decompress(suite, compress(suite, affine))).toEqual(affine);
        const theirs = suite.taproot
          ? secp256k1.Point.BASE.multiply(k).toBytes(true)
          : ed25519.Point.BASE.multiply(k).toBytes();
        expect(bytesToHex(compress(suite, affine))).toBe(bytesToHex(theirs));
        if (suite.taproot) {
          expect(bytesToHex(writeAffine(suite, affine))).toBe(
            bytesToHex(secp256k1.Point.BASE.multiply(k).toBytes(false)),
          );
        }
      }),
      { numRuns: 20 },
    );
  });

  it('what decompresses at all is exactly what noble decompresses, and compresses to the same bytes', () => {
    const bytes = fc.uint8Array({ minLength: suite.pointBytes, maxLength: suite.pointBytes });
    const likely = suite.taproot ? bytes.map((b) => Uint8Array.of(2 + ((b[0] ?? 0) & 1), ...b.subarray(1))) : bytes;
    fc.assert(
      fc.property(fc.oneof(likely, bytes), (candidate) => {
        let theirs: string | undefined;
        try {
          theirs = bytesToHex(
            (suite.taproot ? secp256k1.Point.fromBytes(candidate) : ed25519.Point.fromBytes(candidate)).toBytes(),
          );
        } catch {
          theirs = undefined;
        }
        const ours = decompress(suite, candidate);
        expect(ours && bytesToHex(compress(suite, ours))).toBe(theirs);
      }),
      { numRuns: 60 },
    );
  });

  it('refuse a wrong length', () => {
    for (const length of [0, 1, suite.affineBytes - 1])
      expect(readAffine(suite, encoded.slice(0, length))).toBeUndefined();
    expect(readAffine(suite, Uint8Array.of(...encoded, 0))).toBeUndefined();
    const short = compress(suite, point);
    for (const length of [0, 1, suite.pointBytes - 1])
      expect(decompress(suite, short.slice(0, length))).toBeUndefined();
    expect(decompress(suite, Uint8Array.of(...short, 0))).toBeUndefined();
    expect(decompress(suite, encoded)).toBeUndefined();
  });

  it('refuse a point off the curve', () => {
    for (const at of [start + 3, start + 40]) expect(readAffine(suite, flip(encoded, at))).toBeUndefined();
  });

  it('refuse coordinates of p or more, even where they are a point modulo p', () => {
    // A point with a small coordinate, so that coordinate + p fits into 256 bits: x = 1 on secp256k1 (y² = 8), y = 3 on
    // Ed25519.
    let small = point;
    for (let v = 1n; small === point; v++) {
      const candidate = new Uint8Array(suite.pointBytes);
      if (suite.taproot) candidate[0] = 2;
      writeUint256(candidate, suite.taproot ? 1 : 0, v, suite.littleEndian);
      const found = decompress(suite, candidate);
      if (found !== undefined && v > 1n) small = found;
    }
    const bytes = writeAffine(suite, small);
    expect(readAffine(suite, bytes)).toEqual(small);
    const which = suite.taproot ? 0 : 1;
    writeUint256(bytes, start + 32 * which, (suite.taproot ? small.x : small.y) + p, suite.littleEndian);
    expect(readAffine(suite, bytes)).toBeUndefined();
    expect(readAffine(suite, withCoordinate(0, p))).toBeUndefined();
    expect(readAffine(suite, withCoordinate(1, p))).toBeUndefined();
    expect(readAffine(suite, withCoordinate(1, 2n ** 256n - 1n))).toBeUndefined();
    const squeezed = new Uint8Array(suite.pointBytes);
    if (suite.taproot) squeezed[0] = 2;
    writeUint256(squeezed, suite.taproot ? 1 : 0, (suite.taproot ? small.x : small.y) + p, suite.littleEndian);
    // On Ed25519 the top bit is the sign, so only y + p < 2²⁵⁵ is a second encoding.
    expect(decompress(suite, squeezed)).toBeUndefined();
  });

  it('refuse the identity from others, and keep it in own sums', () => {
    const identity = writeAffine(suite, undefined);
    expect(identity).toHaveLength(suite.affineBytes);
    expect(readAffine(suite, identity)).toBeUndefined();
    expect(readOwnAffine(suite, identity)).toBeUndefined();
    const compressedIdentity = suite.taproot ? new Uint8Array(33) : ed25519.Point.ZERO.toBytes();
    expect(decompress(suite, compressedIdentity)).toBeUndefined();
  });

  it('refuse a scalar of the order or more, and another length', () => {
    const bytes = (value: bigint) => {
      const out = new Uint8Array(32);
      writeUint256(out, 0, value, suite.littleEndian);
      return out;
    };
    expect(readScalar(suite, bytes(order - 1n))).toBe(order - 1n);
    for (const value of [order, order + 1n, 2n ** 256n - 1n]) expect(readScalar(suite, bytes(value))).toBeUndefined();
    expect(readScalar(suite, bytes(1n).slice(1))).toBeUndefined();
    expect(readScalar(suite, Uint8Array.of(...bytes(1n), 0))).toBeUndefined();
  });
});

describe('traps of one curve only', () => {
  it('secp256k1 affine points carry the prefix 04 and no other', () => {
    const suite = suiteOf('FROST-secp256k1-SHA256-TR-v1');
    const encoded = writeAffine(suite, suite.multiplyBase(5n));
    // 06 and 07 are SEC1's hybrid form of the same point.
    for (const prefix of [0, 2, 3, 5, 6, 7])
      expect(readAffine(suite, Uint8Array.of(prefix, ...encoded.slice(1)))).toBeUndefined();
    const short = compress(suite, suite.multiplyBase(5n));
    for (const prefix of [0, 1, 4, 6, 7])
      expect(decompress(suite, Uint8Array.of(prefix, ...short.slice(1)))).toBeUndefined();
  });

  it('Ed25519 has one encoding of x = 0: the sign bit must be clear', () => {
    const suite = suiteOf('FROST-ED25519-SHA512-v1');
    const order2 = new Uint8Array(32);
    writeUint256(order2, 0, suite.curve.p - 1n, true);
    expect(decompress(suite, order2)).toEqual({ x: 0n, y: suite.curve.p - 1n });
    order2[31] = present(order2[31]) | 0x80;
    expect(decompress(suite, order2)).toBeUndefined();
  });
});
