/** The frozen bytes, recomputed by the code, and by arithmetic and encodings written from the formats alone. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { expect, test } from 'vitest';
import { parseContent } from '../../lib/messages/contents.ts';
import { coconut } from '../ceremonies/liars.ts';
import { FILE, vectors } from '../vectors/generate-coconut-keygen.ts';

const frozen = JSON.parse(readFileSync(FILE, 'utf8')) as ReturnType<typeof vectors>;
const { Fr } = bls12_381.fields;
const { Point: G1 } = bls12_381.G1;
const { Point: G2 } = bls12_381.G2;

const raw = (hex: string): Buffer => Buffer.from(hex.slice(2), 'hex');
const u32 = (value: number): Buffer => Buffer.from(value.toString(16).padStart(8, '0'), 'hex');
const u64 = (value: number): Buffer => Buffer.from(value.toString(16).padStart(16, '0'), 'hex');
const lp = (bytes: string | Buffer): Buffer =>
  Buffer.concat([u32(Buffer.byteLength(bytes)), Buffer.from(bytes as string)]);
const list = (items: readonly Buffer[]): Buffer => Buffer.concat([u32(items.length), ...items.map(lp)]);

/** x, y_1, y_2 of each of t = 2 coefficients. */
function coefficients(polynomial: string): bigint[][] {
  const scalars = Array.from({ length: 6 }, (_, i) => BigInt(`0x${polynomial.slice(2 + 64 * i, 66 + 64 * i)}`));
  return [0, 1, 2].map((p) => scalars.slice(2 * p, 2 * p + 2));
}
const at = ([a = 0n, b = 0n]: readonly bigint[], index: number): bigint => Fr.add(a, Fr.mul(b, BigInt(index)));
const sum = (index: number, p: number): bigint =>
  frozen.dealings.reduce((total, { polynomial }) => Fr.add(total, at(coefficients(polynomial)[p] ?? [], index)), 0n);
const publicKey = (index: number) => ({
  alpha: `0x${G2.BASE.multiply(sum(index, 0)).toHex(true)}`,
  beta: [1, 2].map((p) => `0x${G1.BASE.multiply(sum(index, p)).toHex(true)}`),
  betaTilde: [1, 2].map((p) => `0x${G2.BASE.multiply(sum(index, p)).toHex(true)}`),
});

test('the code makes the frozen bytes', () => {
  expect(vectors()).toEqual(frozen);
});

test('commitments, shares and keys are those of the polynomials', () => {
  for (const { polynomial, content } of frozen.dealings) {
    const parsed = parseContent('EncryptedKeyGenCommitment', content);
    if (!parsed.ok) throw new Error(parsed.reason);
    const [x = [], ...y] = coefficients(polynomial);
    const { alpha, beta, betaTilde } = coconut(parsed.content);
    expect(alpha).toEqual(x.map((a) => `0x${G2.BASE.multiply(a).toHex(true)}`));
    expect(beta).toEqual(y.map((row) => row.map((a) => `0x${G1.BASE.multiply(a).toHex(true)}`)));
    expect(betaTilde).toEqual(y.map((row) => row.map((a) => `0x${G2.BASE.multiply(a).toHex(true)}`)));
  }
  const hex = (value: bigint) => value.toString(16).padStart(64, '0');
  for (const [i, row] of frozen.shares.entries()) {
    for (const [d, text] of row.entries()) {
      const [x = 0n, ...y] = coefficients(frozen.dealings[d]?.polynomial ?? '0x').map((each) => at(each, i + 1));
      expect(text).toBe(JSON.stringify({ x: `0x${hex(x)}`, y: y.map((each) => `0x${hex(each)}`) }));
    }
    expect(frozen.combined[i]).toBe(`0x${[0, 1, 2].map((p) => hex(sum(i + 1, p))).join('')}`);
  }
  expect(frozen.content.verificationKey).toEqual(publicKey(0));
  expect(frozen.content.serviceKeys).toEqual([1, 2, 3].map(publicKey));
});

test('the challenge of each dealing is the hash of its place, its commitments and its first messages', () => {
  for (const { index, content } of frozen.dealings) {
    const parsed = parseContent('EncryptedKeyGenCommitment', content);
    if (!parsed.ok) throw new Error(parsed.reason);
    const { alpha, beta, betaTilde, proofs } = coconut(parsed.content);
    const appended = [
      ['ceremony', raw(frozen.ceremony)],
      ['dealer', u64(index)],
      ['t', u64(2)],
      ['q', u64(2)],
      ...alpha.map((point) => ['A_k', raw(point)] as const),
      ...beta.flat().map((point) => ['B_jk', raw(point)] as const),
      ...betaTilde.flat().map((point) => ['B~_jk', raw(point)] as const),
      ['R_x', raw(proofs.x.commitment)],
      ...proofs.y.map(({ commitment }) => ['R_j', raw(commitment)] as const),
    ] as const;
    const bytes = Buffer.concat([
      lp('coterie/v1/coconut-possession'),
      ...appended.map(([label, value]) => Buffer.concat([Buffer.of(1), lp(label), lp(value)])),
      Buffer.of(2),
      lp('c'),
    ]);
    const c = Fr.create(BigInt(`0x${createHash('sha512').update(bytes).digest('hex')}`));
    const right = G2.fromBytes(raw(proofs.x.commitment)).add(G2.fromBytes(raw(alpha[0] ?? '')).multiply(c));
    expect(G2.BASE.multiply(BigInt(proofs.x.response)).equals(right)).toBe(true);
    for (const [j, { commitment, response }] of proofs.y.entries()) {
      const expected = G1.fromBytes(raw(commitment)).add(G1.fromBytes(raw(beta[j]?.[0] ?? '')).multiply(c));
      expect(G1.BASE.multiply(BigInt(response)).equals(expected)).toBe(true);
    }
  }
});

test('the transcript covers the key, and the key id the transcript', () => {
  const { content, ceremony } = frozen;
  const key = ({ alpha, beta, betaTilde }: typeof content.verificationKey) =>
    Buffer.concat([lp(raw(alpha)), list(beta.map(raw)), list(betaTilde.map(raw))]);
  const bytes = Buffer.concat([
    lp('coterie/v1/transcript'),
    raw(ceremony),
    Buffer.of(0, 2),
    Buffer.of(0, 3),
    ...[0, 1, 2].flatMap((i) => [raw(content.publicKeyHashes[i] ?? ''), raw(content.commitmentHashes[i] ?? '')]),
    lp(key(content.verificationKey)),
    list(content.serviceKeys.map(key)),
  ]);
  expect(frozen.transcript).toBe(`0x${createHash('sha256').update(bytes).digest('hex')}`);
  const id = Buffer.concat([lp('coterie/v1/key-id'), raw(ceremony), raw(frozen.transcript)]);
  expect(frozen.keyId).toBe(`0x${createHash('sha256').update(id).digest('hex')}`);
});
