import { createPublicKey, verify as verifyNative } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { signSchnorr, verifySchnorr, xOnlyPointFromScalar } from 'tiny-secp256k1';
import { describe, expect, it } from 'vitest';
import { groupKey } from '../../lib/frost/dkg.ts';
import { writeUint256 } from '../../lib/frost/integers.ts';
import { compress, decompress, writeAffine } from '../../lib/frost/points.ts';
import {
  aggregate,
  checkNonceCommitment,
  generateNonces,
  type Signer,
  signShare,
  verifySignature,
  verifySignatureShare,
} from '../../lib/frost/signing.ts';
import { FrostInputError, SUITES, type Suite, suiteOf } from '../../lib/frost/suite.ts';
import { flip, indicesTo, keygen, present, signAll, signatureOf, stream } from './committee.ts';

const MESSAGE = stream('message')(32);

const negatedPoint = (suite: Suite, encoded: Uint8Array) => {
  const { x, y } = present(decompress(suite, encoded));
  const { p } = suite.curve;
  return compress(suite, suite.taproot ? { x, y: p - y } : { x: p - x, y });
};

describe.each(SUITES)('signing with %s', (name) => {
  const suite = suiteOf(name);
  const committee = keygen(suite, 3, 5);
  const round = signAll(committee, [1, 3, 4], MESSAGE);
  const { session } = round;
  const inputOf = (
    index: number,
    change: { readonly signers?: readonly Signer[]; readonly message?: Uint8Array } = {},
  ) => ({
    key: committee.key,
    index,
    signingShare: present(committee.signingShares.get(index)),
    nonces: present(round.secrets.get(index)).nonces,
    signers: session.signers,
    message: MESSAGE,
    ...change,
  });

  it('every set of t members, and every larger one, makes a signature that independent code accepts', () => {
    for (const members of [
      [1, 2, 3],
      [1, 3, 5],
      [3, 4, 5],
      [1, 2, 3, 4, 5],
    ]) {
      for (const message of [MESSAGE, stream('another')(32)]) {
        const signature = signatureOf(committee, signAll(committee, members, message, members.join()));
        expect(verifySignature(suite, committee.key.outputKey, message, signature)).toBe(true);
        if (suite.taproot) expect(verifySchnorr(message, committee.key.outputKey, signature)).toBe(true);
        else expect(ed25519.verify(signature, message, committee.key.outputKey, { zip215: false })).toBe(true);
      }
    }
  });

  it('messages of any length can be signed', () => {
    for (const length of [0, 1, 31, 33, 500]) {
      const message = stream('length')(length);
      const signature = signatureOf(committee, signAll(committee, [2, 3, 5], message, `length ${length}`));
      expect(verifySignature(suite, committee.key.outputKey, message, signature)).toBe(true);
    }
  });

  it('a committee of one signs', () => {
    const lonely = keygen(suite, 1, 1);
    const signature = signatureOf(lonely, signAll(lonely, [1], MESSAGE));
    expect(verifySignature(suite, lonely.key.outputKey, MESSAGE, signature)).toBe(true);
  });

  it('nonces are hedged: other shares or other randomness give other nonces', () => {
    const [first, second] = [1, 2].map((index) => present(committee.signingShares.get(index)));
    const constant = (length: number) => new Uint8Array(length);
    const a = generateNonces(suite, present(first), constant);
    const b = generateNonces(suite, present(second), constant);
    expect(a.nonces).not.toEqual(b.nonces);
    expect(generateNonces(suite, present(first), stream('x')).nonces).not.toEqual(
      generateNonces(suite, present(first), stream('y')).nonces,
    );
    expect(() => generateNonces(suite, new Uint8Array(32).fill(0xff), constant)).toThrow(FrostInputError);
  });

  it('an own nonce commitment that was left out is refused', () => {
    const signers = session.signers.filter(({ index }) => index !== 3);
    expect(() => signShare(suite, inputOf(3, { signers }))).toThrow(
      'signers: expected participant 3 among them, got a list without it',
    );
  });

  it.each(['hiding', 'binding'] as const)('an own %s commitment that was altered is refused', (which) => {
    const other = present(session.signers[0]).commitment;
    for (const bad of [other[which], negatedPoint(suite, present(session.signers[1]).commitment[which])]) {
      const signers = session.signers.map((signer) =>
        signer.index === 3 ? { index: 3, commitment: { ...signer.commitment, [which]: bad } } : signer,
      );
      expect(() => signShare(suite, inputOf(3, { signers }))).toThrow(
        'own nonce commitment: expected the one of the nonces',
      );
    }
  });

  it('own commitments that changed places are refused', () => {
    const signers = session.signers.map(({ index, commitment }) =>
      index === 3
        ? { index, commitment: { hiding: commitment.binding, binding: commitment.hiding } }
        : { index, commitment },
    );
    expect(() => signShare(suite, inputOf(3, { signers }))).toThrow(FrostInputError);
  });

  it('unsorted, repeated, missing or out-of-range signers are refused by everyone', () => {
    const [one, three, four] = session.signers;
    const lists = [
      [present(three), present(one), present(four)],
      [present(one), present(three), present(three)],
      [present(one), present(one), present(three)],
      [{ ...present(one), index: 0 }, present(three)],
      [present(three), { ...present(four), index: 65_536 }],
      [present(three), { ...present(four), index: 3.5 }],
      [],
    ];
    for (const signers of lists) {
      expect(() => signShare(suite, inputOf(3, { signers }))).toThrow(FrostInputError);
      expect(() => aggregate(suite, { ...session, t: 0, signers, shares: round.shares })).toThrow(FrostInputError);
      const share = present(round.shares.get(3));
      expect(() => verifySignatureShare(suite, { ...session, signers, index: 3, share })).toThrow(FrostInputError);
    }
  });

  it('a commitment of another signer that is no point is refused', () => {
    const bad = new Uint8Array(suite.pointBytes).fill(0xff);
    for (const which of ['hiding', 'binding']) {
      const signers = session.signers.map((signer) =>
        signer.index === 1 ? { index: 1, commitment: { ...signer.commitment, [which]: bad } } : signer,
      );
      expect(() => signShare(suite, inputOf(3, { signers }))).toThrow(
        'nonce commitment of 1: expected two valid points',
      );
    }
  });

  it('a group commitment that is the identity is refused', () => {
    // A signer sees the others' commitments and answers with ones that cancel all of them; it needs to know the binding
    // factors, so this takes luck in practice. Here the binding factors are fixed by stubbing H1.
    const stubbed: Suite = { ...suite, H1: () => 1n };
    const [one] = session.signers;
    const opposite = {
      hiding: negatedPoint(suite, present(one).commitment.hiding),
      binding: negatedPoint(suite, present(one).commitment.binding),
    };
    const signers = [present(one), { index: 3, commitment: opposite }];
    expect(() => signShare(stubbed, inputOf(1, { signers }))).toThrow(
      'group commitment: expected a point other than the identity',
    );
  });

  it('wiped, short or non-canonical nonces and shares are refused, and no error shows a secret', () => {
    const good = inputOf(3);
    const order = new Uint8Array(32);
    writeUint256(order, 0, suite.Fn.ORDER, suite.littleEndian);
    const half = good.nonces.slice(0, 32);
    const nonces = [
      new Uint8Array(64),
      concatBytes(half, new Uint8Array(32)),
      concatBytes(new Uint8Array(32), half),
      half,
      concatBytes(half, order),
    ];
    for (const bad of nonces) expect(() => signShare(suite, { ...good, nonces: bad })).toThrow(FrostInputError);
    expect(() => signShare(suite, { ...good, signingShare: order })).toThrow(
      'signing share: expected a canonical scalar of 32 bytes, got another encoding',
    );
    expect(() => signShare(suite, { ...good, signingShare: good.signingShare.slice(1) })).toThrow(FrostInputError);
  });

  it('a key whose encodings do not match is refused', () => {
    const other = keygen(suite, 2, 3).key;
    const key = { internalKey: other.internalKey, outputKey: committee.key.outputKey };
    expect(() => signShare(suite, { ...inputOf(3), key })).toThrow(
      'key: expected an internal key that gives the output key',
    );
    expect(() => aggregate(suite, { ...session, key, shares: round.shares })).toThrow(FrostInputError);
  });

  it('a share depends on the message, the signers, every commitment and the key', () => {
    const base = present(round.shares.get(3));
    expect(signShare(suite, inputOf(3))).toEqual(base);
    const fresh = present(signAll(committee, [1, 3, 4], MESSAGE, 'fresh').session.signers[2]);
    const variants = [
      inputOf(3, { message: flip(MESSAGE, 0) }),
      inputOf(3, { signers: session.signers.slice(0, 2) }),
      inputOf(3, { signers: [...session.signers.slice(0, 2), fresh] }),
      { ...inputOf(3), key: keygen(suite, 3, 5, 'other').key },
    ];
    for (const variant of variants) expect(signShare(suite, variant)).not.toEqual(base);
  });
});

describe.each(SUITES)('judging signature shares with %s', (name) => {
  const suite = suiteOf(name);
  const committee = keygen(suite, 7, 10);
  const round = signAll(committee, [1, 2, 4, 5, 7, 8, 10], MESSAGE);
  const { session, shares } = round;
  const members = session.signers.map(({ index }) => index);
  const shareOf = (index: number) => present(shares.get(index));
  const verdict = (index: number, share: Uint8Array) => verifySignatureShare(suite, { ...session, index, share });
  const plus = (share: Uint8Array, by: bigint) => suite.Fn.toBytes(suite.Fn.create(suite.Fn.fromBytes(share) + by));
  const order = new Uint8Array(32);
  writeUint256(order, 0, suite.Fn.ORDER, suite.littleEndian);

  it('honest shares pass, others do not', () => {
    for (const index of members) expect(verdict(index, shareOf(index))).toBe(true);
    for (const bad of [
      plus(shareOf(4), 1n),
      shareOf(5),
      suite.Fn.toBytes(0n),
      suite.Fn.toBytes(suite.Fn.neg(suite.Fn.fromBytes(shareOf(4)))),
    ]) {
      expect(verdict(4, bad)).toBe(false);
    }
  });

  it('an encoding that is no canonical scalar is a wrong share', () => {
    for (const bad of [order, shareOf(4).slice(1), concatBytes(shareOf(4), Uint8Array.of(0)), new Uint8Array()]) {
      expect(verdict(4, bad)).toBe(false);
      expect(aggregate(suite, { ...session, shares: new Map(shares).set(4, bad) })).toEqual({
        ok: false,
        culprits: [4],
      });
    }
  });

  it('a share for another message, or by another key, is wrong', () => {
    const other = signAll(committee, members, flip(MESSAGE, 1));
    expect(verdict(4, present(other.shares.get(4)))).toBe(false);
  });

  // Both ways of searching, by halves and one by one, must name the same set.
  it.each([[[1]], [[10]], [[2, 8]], [[1, 2, 4]], [[4, 5, 7, 10]], [[1, 2, 4, 5, 7, 8, 10]]])(
    'all of the culprits %j are named, ascending, and nobody else',
    (culprits) => {
      const bad = new Map(
        [...shares].map(([index, share]) => [index, culprits.includes(index) ? plus(share, BigInt(index)) : share]),
      );
      expect(aggregate(suite, { ...session, shares: bad })).toEqual({ ok: false, culprits });
      expect(members.filter((index) => !verdict(index, present(bad.get(index))))).toEqual(culprits);
    },
  );

  it('shares whose errors cancel make a valid signature, and nobody is accused', () => {
    const cancelling = new Map(shares).set(1, plus(shareOf(1), 5n)).set(2, plus(shareOf(2), -5n));
    const result = aggregate(suite, { ...session, shares: cancelling });
    expect(result.ok && verifySignature(suite, session.key.outputKey, MESSAGE, result.signature)).toBe(true);
  });

  it('errors that cancel within a half are still found beside a third one', () => {
    const bad = new Map(shares)
      .set(1, plus(shareOf(1), 5n))
      .set(2, plus(shareOf(2), -5n))
      .set(10, plus(shareOf(10), 1n));
    expect(aggregate(suite, { ...session, shares: bad })).toEqual({ ok: false, culprits: [1, 2, 10] });
  });

  it('swapped shares convict both senders', () => {
    const bad = new Map(shares).set(1, shareOf(2)).set(2, plus(shareOf(1), 1n));
    expect(aggregate(suite, { ...session, shares: bad })).toEqual({ ok: false, culprits: [1, 2] });
  });

  it('verifying shares of another key accuse nobody who is innocent: the signature is valid', () => {
    const other = keygen(suite, 7, 10, 'other');
    expect(aggregate(suite, { ...session, verifyingShares: other.verifyingShares, shares }).ok).toBe(true);
  });

  it('too few signers, a missing share or a missing verifying share is the caller’s mistake', () => {
    expect(() => aggregate(suite, { ...session, t: 8, shares })).toThrow('signers: expected at least 8, got 7');
    const incomplete = new Map(shares);
    incomplete.delete(5);
    expect(() => aggregate(suite, { ...session, shares: incomplete })).toThrow(
      'shares: expected one of participant 5, got none',
    );
    const bad = new Map(shares).set(4, plus(shareOf(4), 1n));
    const verifyingShares = new Map(session.verifyingShares);
    verifyingShares.delete(5);
    expect(() => aggregate(suite, { ...session, verifyingShares, shares: bad })).toThrow('verifying share of 5');
    expect(() => verifySignatureShare(suite, { ...session, index: 3, share: shareOf(4) })).toThrow(FrostInputError);
  });

  it('larger committees find culprits by halving as well', () => {
    const large = keygen(suite, 20, 20);
    const big = signAll(large, indicesTo(20), MESSAGE);
    const culprits = [3, 4, 11, 20];
    const bad = new Map(
      [...big.shares].map(([index, share]) => [index, culprits.includes(index) ? plus(share, 3n) : share]),
    );
    expect(aggregate(suite, { ...big.session, shares: bad })).toEqual({ ok: false, culprits });
  });
});

describe.each(SUITES)('nonce commitments of %s', (name) => {
  const suite = suiteOf(name);
  const good = generateNonces(suite, suite.Fn.toBytes(5n), stream('good')).commitment;

  it('are two valid points', () => {
    expect(checkNonceCommitment(suite, good)).toBe(true);
    const bad = [
      new Uint8Array(suite.pointBytes),
      good.hiding.slice(1),
      writeAffine(suite, suite.multiplyBase(5n)),
      new Uint8Array(),
    ];
    if (!suite.taproot) bad.push(ed25519.Point.ZERO.toBytes());
    for (const point of bad) {
      expect(checkNonceCommitment(suite, { ...good, hiding: point })).toBe(false);
      expect(checkNonceCommitment(suite, { ...good, binding: point })).toBe(false);
    }
  });
});

describe.each(SUITES)('verifying signatures of %s', (name) => {
  const suite = suiteOf(name);
  const committee = keygen(suite, 2, 3);
  const { outputKey } = committee.key;
  const signature = signatureOf(committee, signAll(committee, [1, 2], MESSAGE));

  it('any change of the signature, the message or the key is refused', () => {
    expect(verifySignature(suite, outputKey, MESSAGE, signature)).toBe(true);
    for (const at of [0, 31, 32, 63])
      expect(verifySignature(suite, outputKey, MESSAGE, flip(signature, at))).toBe(false);
    expect(verifySignature(suite, outputKey, flip(MESSAGE, 0), signature)).toBe(false);
    expect(verifySignature(suite, keygen(suite, 2, 3, 'other').key.outputKey, MESSAGE, signature)).toBe(false);
    for (const bad of [signature.slice(1), concatBytes(signature, Uint8Array.of(0)), new Uint8Array()]) {
      expect(verifySignature(suite, outputKey, MESSAGE, bad)).toBe(false);
    }
    expect(verifySignature(suite, outputKey.slice(1), MESSAGE, signature)).toBe(false);
  });

  it('S plus the order is refused', () => {
    const S = suite.Fn.fromBytes(signature.slice(32)) + suite.Fn.ORDER;
    const malleated = signature.slice();
    if (S < 2n ** 256n) writeUint256(malleated, 32, S, suite.littleEndian);
    else malleated.fill(0xff, 32);
    expect(verifySignature(suite, outputKey, MESSAGE, malleated)).toBe(false);
  });

  it('signatures of independent signers are accepted', () => {
    const secret = suite.Fn.toBytes(424242n);
    if (suite.taproot) {
      expect(verifySignature(suite, xOnlyPointFromScalar(secret), MESSAGE, signSchnorr(MESSAGE, secret))).toBe(true);
    } else {
      expect(verifySignature(suite, ed25519.getPublicKey(secret), MESSAGE, ed25519.sign(MESSAGE, secret))).toBe(true);
    }
  });
});

describe('Ed25519 signatures have one rule', () => {
  const suite = suiteOf('FROST-ED25519-SHA512-v1');
  const { Point } = ed25519;
  const T2 = Point.fromAffine({ x: 0n, y: suite.curve.p - 1n });

  it('a signature that only the cofactored equation accepts is refused', () => {
    // R with a part of order 2: 8·(S·B − c·A − R) vanishes, S·B − c·A − R does not.
    const secret = 777n;
    const key = Point.BASE.multiply(secret).toBytes();
    const R = Point.BASE.multiply(555n).add(T2).toBytes();
    const c = suite.challenge(R, key, MESSAGE);
    const S = suite.Fn.add(555n, suite.Fn.mul(c, secret));
    const signature = concatBytes(R, suite.Fn.toBytes(S));
    expect(ed25519.verify(signature, MESSAGE, key, { zip215: true })).toBe(true);
    expect(verifySignature(suite, key, MESSAGE, signature)).toBe(false);
  });

  it('a key or an R whose y is p or more is refused, although OpenSSL takes the key', () => {
    // The identity as key: any R = S·B verifies. y = 1 + p is its second encoding.
    const R = Point.BASE.multiply(9n).toBytes();
    const signature = concatBytes(R, suite.Fn.toBytes(9n));
    const key = new Uint8Array(32);
    writeUint256(key, 0, suite.curve.p + 1n, true);
    const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key]);
    expect(verifyNative(null, MESSAGE, createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature)).toBe(
      true,
    );
    expect(verifySignature(suite, key, MESSAGE, signature)).toBe(false);
    const identity = Point.ZERO.toBytes();
    expect(verifySignature(suite, identity, MESSAGE, concatBytes(key, suite.Fn.toBytes(0n)))).toBe(false);
    expect(verifySignature(suite, Point.BASE.toBytes(), MESSAGE, concatBytes(key, suite.Fn.toBytes(0n)))).toBe(false);
  });

  it('canonical encodings near p are not refused for their look', () => {
    // y = p − 1 is the largest canonical value.
    const largest = T2.toBytes();
    expect(groupKey(suite, 1, [writeAffine(suite, T2.toAffine())], [1])).toEqual({
      ok: false,
      reason: 'the group key has a small-order part',
    });
    const signature = concatBytes(Point.BASE.multiply(9n).toBytes(), suite.Fn.toBytes(9n));
    const accepted = [0, 1, 2, 3].some((salt) => verifySignature(suite, largest, flip(MESSAGE, salt), signature));
    // [c]·T2 vanishes for even c: about half of the messages.
    expect(accepted).toBe(true);
  });
});
