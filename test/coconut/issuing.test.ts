/** Keys, requests, partial signatures, credentials. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Coconut, type PublicAttributes } from '../../lib/coconut/coconut.ts';
import { generateKeys } from '../../lib/coconut/dealer.ts';
import { g1, g2, gamma, hashToG1 } from '../../lib/coconut/generators.ts';
import {
  CoconutError,
  decodeG1,
  decodeScalar,
  encodeG1,
  encodeScalar,
  Fr,
  type G1,
  G1_ZERO,
  ORDER,
  randomScalar,
} from '../../lib/coconut/groups.ts';
import {
  aggregate,
  badPartials,
  decodeCredential,
  encodeCredential,
  obtain,
  signPartial,
  unblind,
  verifyCredential,
} from '../../lib/coconut/issue.ts';
import {
  decodePublicKey,
  decodeSecretKey,
  encodePublicKey,
  encodeSecretKey,
  keyEquations,
  keyIdOf,
  lagrange,
  type PublicKey,
  pieces,
  type SecretKey,
  type ServiceKey,
} from '../../lib/coconut/keys.ts';
import { mclVerifier } from '../../lib/coconut/mcl-engine.ts';
import { nobleVerifier } from '../../lib/coconut/noble-engine.ts';
import {
  appendRequest,
  type BlindRequest,
  commitAttributes,
  commitRequest,
  decodeRequest,
  encodeRequest,
  type RequestOptions,
  request,
  requestBase,
  respond,
  verifyRequest,
} from '../../lib/coconut/request.ts';
import { Transcript } from '../../lib/coconut/transcript.ts';
import type { Verifier } from '../../lib/coconut/verifier.ts';
import { ask, committee, flipped, hex, issue, present, signAs, statementOf, stream } from './fixtures.ts';

const random = stream('issuing');
const fast = await mclVerifier();
const engines = [nobleVerifier, fast] as const;
const bank = committee('bank', { attributes: 2, threshold: 2, total: 3 });
const other = committee('other bank', { attributes: 2, threshold: 2, total: 3 });
const SERIAL = 1_234_567_890_123n;
const VALUE = 500n;
/** The fast engine's answer, which has to be the slow one's where it is yes. */
const accepts = (sent: BlindRequest, options: RequestOptions = {}, of = bank) => {
  const by = (verifier: Verifier) => verifyRequest(verifier, of.verificationKey.id, 2, sent, options);
  const answer = by(fast);
  if (answer) expect(by(nobleVerifier)).toBe(true);
  return answer;
};

describe('parameters', () => {
  test.each([
    { attributes: 0, threshold: 1, total: 1 },
    { attributes: 17, threshold: 1, total: 1 },
    { attributes: 2, threshold: 0, total: 3 },
    { attributes: 2, threshold: 4, total: 3 },
    { attributes: 2, threshold: 1, total: 32 },
    { attributes: 2, threshold: 1.5, total: 3 },
    { attributes: Number.NaN, threshold: 1, total: 3 },
  ])('$attributes attributes, $threshold of $total are refused', (parameters) => {
    expect(() => Coconut.create(parameters)).toThrow(CoconutError);
  });
  test('the platform is the source of randomness unless another is given', () => {
    const coconut = Coconut.create({ attributes: 2, threshold: 5, total: 7 });
    expect(coconut.random(48)).not.toEqual(coconut.random(48));
  });
});

describe('keys', () => {
  test('go through their bytes', () => {
    const [secret, service] = [present(bank.secretKeys[0]), present(bank.serviceKeys[0])];
    expect(decodeSecretKey(encodeSecretKey(secret), 2)).toEqual(secret);
    expect(encodeSecretKey(secret).length).toBe(96);
    expect(encodePublicKey(service).length).toBe(96 + 2 * 144);
    expect(encodePublicKey(decodePublicKey(encodePublicKey(service), 2))).toEqual(encodePublicKey(service));
    for (const attributes of [1, 3]) {
      expect(() => decodePublicKey(encodePublicKey(service), attributes)).toThrow(CoconutError);
      expect(() => decodeSecretKey(encodeSecretKey(secret), attributes)).toThrow(CoconutError);
    }
  });
  test('ECASH-02: with the identity in any place are refused', () => {
    const bytes = encodePublicKey(present(bank.serviceKeys[0]));
    for (const [at, length] of [
      [0, 96],
      [96, 48],
      [144, 48],
      [192, 96],
      [288, 96],
    ] as const) {
      const copy = bytes.slice().fill(0, at, at + length);
      copy[at] = 0xc0;
      expect(() => decodePublicKey(copy, 2)).toThrow(/Identity/);
    }
  });
  test('have an id that depends on every parameter and every key', () => {
    const { coconut, verificationKey, serviceKeys } = bank;
    const ids = [
      keyIdOf(coconut, verificationKey, serviceKeys),
      keyIdOf({ ...coconut, threshold: 3 }, verificationKey, serviceKeys),
      keyIdOf({ ...coconut, total: 4 }, verificationKey, serviceKeys),
      keyIdOf({ ...coconut, attributes: 1 }, verificationKey, serviceKeys),
      keyIdOf(coconut, other.verificationKey, serviceKeys),
      keyIdOf(coconut, verificationKey, other.serviceKeys),
    ].map(hex);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids[0]).toBe(hex(verificationKey.id));
  });

  describe.each(engines)('ECASH-14, by $engine', (verifier) => {
    const five = committee('five', { attributes: 2, threshold: 3, total: 5 });
    const good = (serviceKeys: readonly ServiceKey[], key = five.verificationKey) =>
      keyEquations(verifier, five.coconut, key, serviceKeys).check(verifier, random);
    const edited = (at: number, edit: (key: ServiceKey) => Partial<ServiceKey>) =>
      five.serviceKeys.map((key, i) => (i === at ? { ...key, ...edit(key) } : key));
    test('a dealer’s keys are shares of one key', () => {
      expect(good(five.serviceKeys)).toBe(true);
    });
    test('β and β̃ of different secrets are refused, wherever', () => {
      for (const at of [0, 4])
        expect(good(edited(at, ({ beta }) => ({ beta: [present(beta[0]), present(beta[1]).add(g1)] })))).toBe(false);
      const { beta } = five.verificationKey;
      expect(good(five.serviceKeys, { ...five.verificationKey, beta: [present(beta[1]), present(beta[0])] })).toBe(
        false,
      );
    });
    test('a service off the polynomial is refused, in α and in β with its β̃', () => {
      const { verificationKey } = five;
      for (const at of [1, 3]) {
        expect(good(edited(at, ({ alpha }) => ({ alpha: alpha.double() })))).toBe(false);
        expect(
          good(
            edited(at, ({ beta, betaTilde }) => ({
              beta: [present(beta[0]), present(beta[1]).double()],
              betaTilde: [present(betaTilde[0]), present(betaTilde[1]).double()],
            })),
          ),
        ).toBe(false);
      }
      expect(good(five.serviceKeys, { ...verificationKey, alpha: verificationKey.alpha.double() })).toBe(false);
    });
    test('a list that is short, repeats a service or has other counts is refused', () => {
      const { serviceKeys } = five;
      expect(() => good(serviceKeys.slice(1))).toThrow(CoconutError);
      expect(() => good([...serviceKeys.slice(0, 4), present(serviceKeys[0])])).toThrow(CoconutError);
      expect(() => good(edited(2, ({ beta }) => ({ beta: beta.slice(1) })))).toThrow(CoconutError);
    });
  });

  test('ECASH-14: indexes that repeat or are out of range have no coefficients', () => {
    for (const indexes of [
      [1, 2, 1],
      [0, 1],
      [1, 32],
      [1.5, 2],
      [-1, 2],
    ])
      expect(() => lagrange(indexes)).toThrow(CoconutError);
  });
  test('coefficients interpolate at every point', () => {
    const f = (x: bigint) => Fr.add(Fr.mul(3n, Fr.mul(x, x)), Fr.add(Fr.mul(5n, x), 7n));
    const indexes = [2, 9, 31];
    for (const x of [0, 1, 17])
      expect(
        lagrange(indexes, x).reduce((sum, l, i) => Fr.add(sum, Fr.mul(l, f(BigInt(indexes[i] as number)))), 0n),
      ).toBe(f(BigInt(x)));
  });
});

describe('a request', () => {
  const asked = ask(bank, [SERIAL, VALUE]);
  const hidden = asked.request;
  const oneSeen: PublicAttributes = new Map([[1, VALUE]]);
  const open = ask(bank, [SERIAL, VALUE], { disclosed: oneSeen });

  test('has 336 bytes for two hidden attributes, and is accepted', () => {
    const bytes = encodeRequest(hidden);
    expect(bytes.length).toBe(336);
    expect(decodeRequest(bytes, 2)).toEqual(hidden);
    expect(accepts(hidden)).toBe(true);
    expect(() => decodeRequest(bytes, 1)).toThrow(CoconutError);
    expect(() => decodeRequest(bytes.subarray(1), 2)).toThrow(CoconutError);
  });
  test('may hide none, some or all of its attributes', () => {
    for (const disclosed of [oneSeen, new Map([[0, SERIAL]]), new Map([...oneSeen, [0, SERIAL]])]) {
      const made = ask(bank, [SERIAL, VALUE], { disclosed });
      expect(accepts(made.request, { disclosed })).toBe(true);
    }
  });
  test('is the same for the same randomness', () => {
    const make = () => request(bank.verificationKey.id, [1n, 2n], {}, stream('wallet')).request;
    expect(make()).toEqual(make());
  });

  test('ENC-05: no byte of it can be another', () => {
    const bytes = encodeRequest(hidden);
    // Each field at its ends and in its middle.
    for (const [from, to] of [
      [0, 48],
      [48, 96],
      [96, 144],
      ...Array.from({ length: 6 }, (_, k) => [144 + 32 * k, 176 + 32 * k] as const),
    ] as const)
      for (const at of [from, (from + to) >> 1, to - 1]) {
        expect(accepts(decodeRequest(flipped(bytes, at), 2))).toBe(false);
      }
  });
  test('ECASH-02: is refused with the identity at any point', () => {
    const identity = encodeG1(G1_ZERO);
    expect(accepts({ ...hidden, commitment: identity })).toBe(false);
    for (const at of [0, 1])
      expect(accepts({ ...hidden, openings: hidden.openings.map((c, k) => (k === at ? identity : c)) })).toBe(false);
  });
  test('ECASH-11: is refused with a scalar plus the order', () => {
    const aliased = hidden.proof.slice();
    const z = BigInt(`0x${hex(hidden.proof.subarray(32, 64))}`) + ORDER;
    if (z >> 256n === 0n) {
      aliased.set(Buffer.from(z.toString(16).padStart(64, '0'), 'hex'), 32);
      expect(accepts({ ...hidden, proof: aliased })).toBe(false);
    }
    expect(() => request(bank.verificationKey.id, [SERIAL + ORDER, 1n], {}, random)).toThrow(CoconutError);
  });
  test('ECASH-03: is refused under another key, another context, and with any of another request', () => {
    const second = ask(bank, [SERIAL, VALUE]).request;
    expect(accepts(hidden, {}, other)).toBe(false);
    expect(accepts(hidden, { context: Uint8Array.of(1) })).toBe(false);
    expect(accepts({ ...hidden, proof: second.proof })).toBe(false);
    expect(accepts({ ...hidden, commitment: second.commitment })).toBe(false);
    expect(accepts({ ...hidden, openings: second.openings })).toBe(false);
    expect(accepts({ ...hidden, openings: [present(hidden.openings[1]), present(hidden.openings[0])] })).toBe(false);
  });
  test('ECASH-03, ENC-07: is refused with any other number of openings or responses', () => {
    const [c1, c2] = [present(hidden.openings[0]), present(hidden.openings[1])];
    for (const openings of [[], [c1], [c1, c2, c1]]) expect(accepts({ ...hidden, openings })).toBe(false);
    for (const proof of [new Uint8Array(0), hidden.proof.slice(32), new Uint8Array([...hidden.proof, ...hidden.proof])])
      expect(accepts({ ...hidden, proof })).toBe(false);
  });
  // Provers that follow the protocol, transcript and all, with one lie.
  describe('by a prover that lies', () => {
    /** A request for `m` whose openings are of `opened`, on the base `h` or on the right one. */
    function proven(m: readonly bigint[], opened: readonly bigint[], chosen?: G1): BlindRequest {
      const { id } = bank.verificationKey;
      const drawn = (values: readonly bigint[]) => ({
        o: randomScalar(random),
        m: values,
        blinding: [randomScalar(random), randomScalar(random)],
      });
      const witness = drawn(m);
      const nonces = drawn([randomScalar(random), randomScalar(random)]);
      const commitment = encodeG1(commitAttributes([0, 1], witness.o, m, random));
      const right = requestBase({ keyId: id, attributes: 2, commitment, disclosed: new Map() });
      const h = chosen ?? right;
      const openings = commitRequest(h, [0, 1], { ...witness, m: opened }, random).openings.map(encodeG1);
      const first = commitRequest(h, [0, 1], nonces, random);
      const transcript = appendRequest(
        new Transcript('coconut-request'),
        statementOf(id, 2, { commitment, openings, proof: commitment }),
      )
        .append('h', encodeG1(right))
        .append('context', new Uint8Array(0))
        .appendPoint('A', first.commitment);
      for (const point of first.openings) transcript.appendPoint('A_j', point);
      const c = transcript.challenge('c');
      const responses = [
        respond(nonces.o, c, witness.o),
        ...nonces.m.map((w, k) => respond(w, c, present(m[k]))),
        ...nonces.blinding.map((w, k) => respond(w, c, present(witness.blinding[k]))),
      ];
      return { commitment, openings, proof: new Uint8Array(Buffer.concat([c, ...responses].map(encodeScalar))) };
    }
    const honest = [SERIAL, VALUE];
    test('who does not lie is accepted', () => {
      expect(accepts(proven(honest, honest))).toBe(true);
    });
    test('ECASH-03: whose c_j open to other values than com is refused', () => {
      expect(accepts(proven(honest, [SERIAL, VALUE * 100n]))).toBe(false);
      expect(accepts(proven(honest, [SERIAL + 1n, VALUE]))).toBe(false);
    });
    test('ECASH-01: whose openings are on a base of its own choice is refused', () => {
      expect(accepts(proven(honest, honest, hashToG1('base', Uint8Array.of(1))))).toBe(false);
    });
    test('ENC-05: who moves an opening after the challenge is refused', () => {
      // c_j + (δ/c)·g1 with z_oj + δ leaves every first message as it was: only that c_j is in the challenge prevents it.
      const [c, ...z] = pieces(hidden.proof, 32).map(decodeScalar);
      const shift = g1.multiply(Fr.inv(present(c))).multiply(5n);
      for (const k of [0, 1]) {
        const openings = hidden.openings.map((bytes, j) => (j === k ? encodeG1(decodeG1(bytes).add(shift)) : bytes));
        const moved = z.map((value, j) => (j === 3 + k ? Fr.add(value, 5n) : value));
        const proof = new Uint8Array(Buffer.concat([present(c), ...moved].map(encodeScalar)));
        expect(accepts({ ...hidden, openings, proof })).toBe(false);
      }
    });
  });
  test('ECASH-04: is refused with other public attributes than its maker’s, or at another place', () => {
    for (const disclosed of [
      new Map([[1, VALUE * 100n]]),
      new Map([[0, VALUE]]),
      new Map<number, bigint>(),
      new Map([
        [0, SERIAL],
        [1, VALUE],
      ]),
    ])
      expect(accepts(open.request, { disclosed })).toBe(false);
    expect(() => ask(bank, [SERIAL, VALUE], { disclosed: new Map([[1, VALUE + 1n]]) })).toThrow(CoconutError);
    expect(() => accepts(open.request, { disclosed: new Map([[2, VALUE]]) })).toThrow(CoconutError);
    expect(() => accepts(open.request, { disclosed: new Map([[-1, VALUE]]) })).toThrow(CoconutError);
  });

  test('ECASH-01: two requests with anything different have different bases', () => {
    const base = (statement: typeof asked.statement) => hex(encodeG1(requestBase(statement)));
    const { statement } = asked;
    const bases = [
      base(statement),
      base({ ...statement, commitment: ask(bank, [SERIAL, VALUE]).statement.commitment }),
      base({ ...statement, keyId: other.verificationKey.id }),
      base({ ...statement, attributes: 3 }),
      base({ ...statement, disclosed: oneSeen }),
      base({ ...statement, disclosed: new Map([[1, VALUE + 1n]]) }),
      base({ ...statement, disclosed: new Map([[0, VALUE]]) }),
    ];
    expect(new Set(bases).size).toBe(bases.length);
  });
});

describe('a partial signature', () => {
  const asked = ask(bank, [SERIAL, VALUE]);
  test('is the same for the same request, whatever blinds it', () => {
    const secret = present(bank.secretKeys[1]);
    const sign = (name: string) => hex(signPartial(secret, asked.statement, stream(name)));
    expect(sign('a')).toBe(sign('b'));
    expect(signPartial(secret, asked.statement, random).length).toBe(48);
  });
  test('ENC-01, ENC-02: is not made for points that are not in the group', () => {
    const secret = present(bank.secretKeys[0]);
    const sign = (openings: readonly Uint8Array[]) => () =>
      signPartial(secret, { ...asked.statement, openings }, random);
    const good = present(asked.statement.openings[0]);
    expect(sign([encodeG1(G1_ZERO), good])).toThrow(/Identity/);
    // (0, 2) has order 3.
    const small = new Uint8Array(48);
    small[0] = 0x80;
    expect(sign([small, good])).toThrow(/BadPoint/);
    expect(() => signPartial(secret, { ...asked.statement, commitment: small }, random)).toThrow(/BadPoint/);
    expect(sign([good])).toThrow(CoconutError);
    expect(sign([])).toThrow(CoconutError);
    expect(() => signPartial(secret, { ...asked.statement, attributes: 3 }, random)).toThrow(CoconutError);
  });
  test('under public attributes signs those of the service, not of the request', () => {
    // ECASH-04: the request says 500 and the service signs what it was paid for.
    const paid: PublicAttributes = new Map([[1, 5n]]);
    const said: PublicAttributes = new Map([[1, VALUE]]);
    const made = ask(bank, [SERIAL, VALUE], { disclosed: said });
    const statement = statementOf(bank.verificationKey.id, 2, made.request, { disclosed: paid });
    const partials = [1, 2].map((index) => signAs(bank, index, statement));
    const credential = (attributes: bigint[]) => ({
      h: requestBase(statement),
      s: unblind(aggregate(bank.coconut, partials), bank.verificationKey, made.opening, random),
      attributes,
    });
    expect(verifyCredential(bank.verificationKey, credential([SERIAL, VALUE]), random)).toBe(false);
  });
});

describe('a credential', () => {
  const { coconut, verificationKey } = bank;
  const asked = ask(bank, [SERIAL, VALUE]);
  const all = [1, 2, 3].map((index) => signAs(bank, index, asked.statement));
  const at = (index: number) => present(all[index - 1]);
  const tools = { verifier: nobleVerifier, random };

  test('comes of any t services, the same from all', () => {
    const made = [
      [1, 2],
      [3, 1],
      [2, 3],
    ].map((indexes) => obtain(coconut, bank, asked, indexes.map(at), tools));
    const bytes = made.map((one) => (one.ok ? hex(encodeCredential(one.credential)) : ''));
    expect(bytes[0]?.length).toBe(2 * (96 + 64));
    expect(new Set(bytes).size).toBe(1);
    const back = decodeCredential(Buffer.from(present(bytes[0]), 'hex'), 2);
    expect(verifyCredential(verificationKey, back, random)).toBe(true);
  });
  test('comes of requests with public attributes too, hidden or public', () => {
    for (const disclosed of [
      new Map([[1, VALUE]]),
      new Map([[0, SERIAL]]),
      new Map([
        [0, SERIAL],
        [1, VALUE],
      ]),
    ]) {
      const credential = issue(bank, [SERIAL, VALUE], { disclosed });
      expect(verifyCredential(verificationKey, credential, random)).toBe(true);
      expect(verifyCredential(verificationKey, { ...credential, attributes: [SERIAL, VALUE + 1n] }, random)).toBe(
        false,
      );
    }
  });
  test('may have an attribute of zero', () => {
    expect(verifyCredential(verificationKey, issue(bank, [SERIAL, 0n]), random)).toBe(true);
  });
  test('ECASH-02: is refused with the identity for h, for s and for both', () => {
    const { h, s, attributes } = issue(bank, [SERIAL, VALUE]);
    for (const bad of [
      { h: G1_ZERO, s, attributes },
      { h, s: G1_ZERO, attributes },
      { h: G1_ZERO, s: G1_ZERO, attributes },
    ])
      expect(verifyCredential(verificationKey, bad, random)).toBe(false);
    const bytes = encodeCredential({ h: G1_ZERO, s: G1_ZERO, attributes });
    expect(() => decodeCredential(bytes, 2)).toThrow(/Identity/);
  });
  test('is refused for other attributes, another number of them, and under another key', () => {
    const credential = issue(bank, [SERIAL, VALUE]);
    const refused = (edit: object, key = verificationKey) =>
      expect(verifyCredential(key, { ...credential, ...edit }, random)).toBe(false);
    refused({ attributes: [SERIAL, VALUE + 1n] });
    refused({ attributes: [VALUE, SERIAL] });
    refused({ attributes: [SERIAL] });
    refused({ attributes: [SERIAL, VALUE, 0n] });
    refused({ s: credential.s.double() });
    refused({}, other.verificationKey);
  });
  test('ECASH-01: of two signatures on one base a third would follow', () => {
    // What the hash prevents, done with the secrets: σ on 1 and on 3 over one h give σ on 2 = (1 + 3)/2.
    const h = hashToG1('base', Uint8Array.of(7));
    const { x, y } = present(
      generateKeys(Coconut.create({ attributes: 2, threshold: 1, total: 1 }, random)).secretKeys[0],
    );
    const key = publicKeyOf({ x, y });
    const sign = (v: bigint) => h.multiply(Fr.add(x, Fr.add(Fr.mul(present(y[0]), SERIAL), Fr.mul(present(y[1]), v))));
    const half = Fr.inv(2n);
    const forged = sign(1n).multiply(half).add(sign(3n).multiply(half));
    expect(verifyCredential(key, { h, s: forged, attributes: [SERIAL, 2n] }, random)).toBe(true);
  });
  test('ECASH-14: indexes that repeat, are out of range or too few are refused', () => {
    for (const partials of [
      [],
      [at(1)],
      [at(1), at(1)],
      [{ ...at(1), index: 0 }, at(2)],
      [{ ...at(1), index: 32 }, at(2)],
    ])
      expect(() => aggregate(coconut, partials)).toThrow(CoconutError);
    // Of a service that has no key, as the committee numbers them.
    expect(() => obtain(coconut, bank, asked, [{ ...at(1), index: 4 }, at(2)], tools)).toThrow(
      'the index of a service',
    );
  });

  describe('with bad partial signatures', () => {
    const verifier = fast;
    const seven = committee('seven', { attributes: 2, threshold: 5, total: 7 });
    const request7 = ask(seven, [SERIAL, VALUE], { disclosed: new Map([[1, VALUE]]) });
    const partials = [1, 2, 3, 4, 5, 6, 7].map((index) => signAs(seven, index, request7.statement));
    const spoilt = (...indexes: number[]) =>
      partials.map((one) => (indexes.includes(one.index) ? { ...one, signature: encodeG1(gamma(one.index)) } : one));
    const named = (from: readonly (typeof partials)[number][]) =>
      badPartials(verifier, request7.statement, seven.serviceKeys, from, random);
    test('all good ones are good', () => {
      expect(named(partials)).toEqual([]);
    });
    test('all bad ones are named, and no other', () => {
      expect(named(spoilt(3))).toEqual([3]);
      expect(named(spoilt(1, 4, 7))).toEqual([1, 4, 7]);
      expect(named(spoilt(1, 2, 3, 4, 5, 6, 7))).toEqual([1, 2, 3, 4, 5, 6, 7]);
    });
    test('the slow engine names the same', () => {
      expect(badPartials(nobleVerifier, request7.statement, seven.serviceKeys, spoilt(6), random)).toEqual([6]);
    });
    test('one that is no point, and one of another service, are named', () => {
      const [first, second] = [present(partials[0]), present(partials[1])];
      expect(named([{ ...first, signature: new Uint8Array(48) }, ...partials.slice(1)])).toEqual([1]);
      expect(named([{ ...first, signature: encodeG1(G1_ZERO) }, ...partials.slice(1)])).toEqual([1]);
      expect(named([{ ...first, signature: second.signature }, ...partials.slice(1)])).toEqual([1]);
    });
    test('errors that cancel in the sum are found', () => {
      const shifted = partials.map((one) => {
        const by = one.index === 2 ? g1 : one.index === 3 ? g1.negate() : G1_ZERO;
        return { ...one, signature: encodeG1(decodeG1(one.signature).add(by)) };
      });
      expect(named(shifted)).toEqual([2, 3]);
    });
    test('no credential is made, the culprits are named, and others make it', () => {
      const withBad = obtain(seven.coconut, seven, request7, spoilt(2, 5), { verifier, random });
      expect(withBad).toEqual({ ok: false, culprits: [2, 5] });
      const broken = partials.map((one) => (one.index === 1 ? { ...one, signature: new Uint8Array(48) } : one));
      expect(obtain(seven.coconut, seven, request7, broken, { verifier, random })).toEqual({
        ok: false,
        culprits: [1],
      });
      const rest = spoilt(2, 5).filter(({ index }) => index !== 2 && index !== 5);
      expect(obtain(seven.coconut, seven, request7, rest, { verifier, random }).ok).toBe(true);
    });
    test('one of another request is named', () => {
      const again = ask(seven, [SERIAL, VALUE], { disclosed: new Map([[1, VALUE]]) });
      expect(named([signAs(seven, 1, again.statement), ...partials.slice(1)])).toEqual([1]);
    });
    test('an index without a key is refused', () => {
      expect(() => named([{ ...present(partials[0]), index: 8 }])).toThrow(CoconutError);
      expect(() => named([present(partials[0]), present(partials[0])])).toThrow(CoconutError);
    });
  });

  test('ECASH-14: a key whose services do not share it is told from services that lie', () => {
    const strangers = { verificationKey, serviceKeys: other.serviceKeys };
    const made = ask(bank, [SERIAL, VALUE]);
    const partials = [1, 2].map((index) => signAs({ ...bank, secretKeys: other.secretKeys }, index, made.statement));
    expect(() => obtain(coconut, strangers, made, partials, tools)).toThrow(/BadKey/);
  });
});

describe('ECASH-19', () => {
  test('nothing that a deployment runs imports the dealer', () => {
    const root = join(import.meta.dirname, '../..');
    const files = ['lib', 'functions', 'cdk', 'bin'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => /\.[cm]?[jt]sx?$/.test(file))
        .map((file) => join(root, folder, file)),
    );
    expect(files.length).toBeGreaterThan(100);
    const importing = files.filter((file) => /coconut\/dealer|['"]\.\/dealer/.test(readFileSync(file, 'utf8')));
    expect(importing).toEqual([]);
  });
});

function publicKeyOf({ x, y }: SecretKey): PublicKey {
  return {
    alpha: g2.multiply(x),
    beta: y.map((each) => g1.multiply(each)),
    betaTilde: y.map((each) => g2.multiply(each)),
  };
}
