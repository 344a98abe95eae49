/** Shows, their tags, and batches of them. */
import { describe, expect, test } from 'vitest';
import { Equations, failing, holds } from '../../lib/coconut/equations.ts';
import { g1, g2, tagGenerator } from '../../lib/coconut/generators.ts';
import {
  CoconutError,
  decodeG1,
  decodeG2,
  encodeG1,
  encodeG2,
  encodeScalar,
  Fr,
  G1_ZERO,
  G2_ZERO,
  ORDER,
} from '../../lib/coconut/groups.ts';
import { mclVerifier } from '../../lib/coconut/mcl-engine.ts';
import { nobleVerifier } from '../../lib/coconut/noble-engine.ts';
import { respond } from '../../lib/coconut/request.ts';
import {
  appendShow,
  appendShowFirst,
  badShows,
  beginShow,
  decodeShow,
  encodeShow,
  type ReceivedShow,
  type Show,
  type ShowFirst,
  type Shown,
  type ShowOptions,
  type ShowScalars,
  show,
  showEquations,
  verifyShow,
  verifyShows,
} from '../../lib/coconut/show.ts';
import { Transcript } from '../../lib/coconut/transcript.ts';
import { committee, flipped, hex, issue, present, stream } from './fixtures.ts';

const random = stream('showing');
const fast = await mclVerifier();
const engines = [nobleVerifier, fast] as const;
const bank = committee('bank', { attributes: 2, threshold: 2, total: 3 });
const other = committee('other bank', { attributes: 2, threshold: 2, total: 3 });
const key = bank.verificationKey;
const SERIAL = 1_234_567_890_123n;
const VALUE = 500n;
const coin = issue(bank, [SERIAL, VALUE]);
const context = Uint8Array.of(1, 2, 3);
const good = show(key, coin, { context }, random);
/** The fast engine's answer; the slow one's is compared where it may differ, in decoding and in the equations. */
const accepts = (sent: Show, options: ShowOptions = { context }, of = bank.verificationKey) =>
  verifyShow(fast, of, sent, options, random);
const FIELDS = ['h', 's', 'kappa', 'tag', 'proof'] as const;
const field = (of: Show, name: (typeof FIELDS)[number]) => present(of[name]);

describe('a show', () => {
  test('of two hidden attributes has 480 bytes and is accepted by both engines', () => {
    const bytes = encodeShow(good);
    expect(bytes.length).toBe(480);
    expect(decodeShow(bytes, 2, true)).toEqual(good);
    for (const verifier of engines) expect(verifyShow(verifier, key, good, { context }, random)).toBe(true);
    expect(() => decodeShow(bytes, 2, false)).toThrow(CoconutError);
    expect(() => decodeShow(bytes.subarray(1), 2, true)).toThrow(CoconutError);
  });
  test('may disclose some attributes, or all; without its serial hidden it has no tag', () => {
    for (const disclosed of [
      new Map([[1, VALUE]]),
      new Map([[0, SERIAL]]),
      new Map([
        [0, SERIAL],
        [1, VALUE],
      ]),
    ]) {
      const made = show(key, coin, { disclosed, context }, random);
      const hidden = 2 - disclosed.size;
      const tagged = !disclosed.has(0);
      expect(made.tag !== undefined).toBe(tagged);
      expect(decodeShow(encodeShow(made), hidden, tagged)).toEqual(made);
      for (const verifier of engines)
        expect(verifyShow(verifier, key, made, { disclosed, context }, random)).toBe(true);
    }
  });
  test('hides a value of zero too', () => {
    expect(accepts(show(key, issue(bank, [SERIAL, 0n]), { context }, random))).toBe(true);
  });
  test('ECASH-04: is refused for other disclosed values, another place, or more or fewer of them', () => {
    const disclosed = new Map([[1, VALUE]]);
    const made = show(key, coin, { disclosed, context }, random);
    for (const expected of [new Map([[1, 100n * VALUE]]), new Map<number, bigint>(), new Map([[0, VALUE]])])
      expect(accepts(made, { disclosed: expected, context })).toBe(false);
    expect(() => show(key, coin, { disclosed: new Map([[1, VALUE + 1n]]) }, random)).toThrow(CoconutError);
    expect(() => accepts(made, { disclosed: new Map([[2, VALUE]]), context })).toThrow(CoconutError);
    expect(() => accepts(made, { disclosed: new Map([[1, VALUE + ORDER]]), context })).toThrow(CoconutError);
  });
  test('ECASH-13: is good for nothing but what it was made for', () => {
    for (const elsewhere of [{}, { context: Uint8Array.of(1, 2) }, { context: Uint8Array.of(1, 2, 3, 0) }])
      expect(accepts(good, elsewhere)).toBe(false);
  });
  test('ECASH-15: is refused under another key, and under the same one with another id', () => {
    expect(accepts(good, { context }, other.verificationKey)).toBe(false);
    expect(accepts(good, { context }, { ...key, id: flipped(key.id) })).toBe(false);
  });
  test('ENC-05: no byte of it can be another', () => {
    const bytes = encodeShow(good);
    const bounds = [0, 48, 96, 192, 240, 336, 384, 416, 448, 480];
    bounds.slice(1).forEach((to, k) => {
      const from = bounds[k] as number;
      for (const at of [from, from + 1, (from + to) >> 1, to - 1])
        for (const verifier of at === to - 1 ? engines : [fast])
          expect(verifyShow(verifier, key, decodeShow(flipped(bytes, at), 2, true), { context }, random)).toBe(false);
    });
  });
  test('ENC-05: no field of another show of the same credential fits', () => {
    const second = show(key, coin, { context }, random);
    for (const name of FIELDS) {
      const mixed = { ...good, [name]: field(second, name) };
      // One tag is all that two shows share.
      expect(accepts(mixed)).toBe(name === 'tag');
    }
    for (const pair of [
      ['h', 's'],
      ['kappa', 'proof'],
    ] as const)
      expect(accepts({ ...good, ...Object.fromEntries(pair.map((name) => [name, field(second, name)])) })).toBe(false);
  });
  test('ECASH-02, ENC-01: is refused with the identity at any point', () => {
    for (const verifier of engines) {
      const refused = (sent: Show) => expect(verifyShow(verifier, key, sent, { context }, random)).toBe(false);
      const identity = encodeG1(G1_ZERO);
      for (const name of ['h', 's', 'tag'] as const) refused({ ...good, [name]: identity });
      refused({ ...good, h: identity, s: identity });
      refused({ ...good, kappa: encodeG2(G2_ZERO) });
      refused({ ...good, proof: new Uint8Array([...encodeG2(G2_ZERO), ...good.proof.subarray(96)]) });
      refused({
        ...good,
        proof: new Uint8Array([...good.proof.subarray(0, 96), ...identity, ...good.proof.subarray(144)]),
      });
    }
  });
  test('ECASH-02: from the identity everything would follow, and the check of it is what prevents it', () => {
    // h′ = s′ = 0 satisfies the pairing for any κ; a proof for κ and ζ of one's own choice is easily made.
    const own = { h: G1_ZERO, s: G1_ZERO, attributes: [42n, 1_000_000n] };
    const forged = show(key, own, { context }, random);
    expect(accepts(forged)).toBe(false);
    const equations = () => {
      const one = new Equations();
      return one.addPairing([
        [1n, fast.fromG1(G1_ZERO), fast.fromG2(key.alpha)],
        [ORDER - 1n, fast.fromG1(G1_ZERO), fast.fromG2(g2)],
      ]);
    };
    expect(holds(fast, [equations()], random)).toBe(true);
  });
  test('ECASH-11: a response plus the order is no second encoding', () => {
    const proof = good.proof.slice();
    for (const at of [144, 176, 208]) {
      const aliased = BigInt(`0x${hex(proof.subarray(at, at + 32))}`) + ORDER;
      if (aliased >> 256n > 0n) continue;
      const copy = proof.slice();
      copy.set(Buffer.from(aliased.toString(16).padStart(64, '0'), 'hex'), at);
      expect(accepts({ ...good, proof: copy })).toBe(false);
    }
    const full = proof.slice().fill(0xff, 144);
    expect(accepts({ ...good, proof: full })).toBe(false);
  });
  test('ENC-07: is refused without its proof, without its tag, and with a tag where there is none', () => {
    expect(accepts({ ...good, proof: new Uint8Array(0) })).toBe(false);
    expect(accepts({ ...good, proof: good.proof.slice(0, -32) })).toBe(false);
    expect(accepts({ ...good, proof: new Uint8Array([...good.proof, ...new Uint8Array(32)]) })).toBe(false);
    expect(accepts({ ...good, tag: undefined })).toBe(false);
    const disclosed = new Map([[0, SERIAL]]);
    const open = show(key, coin, { disclosed, context }, random);
    expect(accepts({ ...open, tag: encodeG1(g1) }, { disclosed, context })).toBe(false);
  });
  test('ENC-07: a wrong number of responses or a missing first message makes no equations', () => {
    const begun = beginShow(key, coin, new Map(), random);
    const z = begun.respond(5n);
    const make = (first: object, scalars: object) => () =>
      showEquations(fast, key, new Map(), begun.shown, { ...begun.first, ...first }, 5n, { ...z, ...scalars });
    expect(make({}, {})().check(fast, random)).toBe(true);
    expect(make({}, { attributes: z.attributes.slice(1) })).toThrow(CoconutError);
    expect(make({ tag: undefined }, {})).toThrow(CoconutError);
  });
  test('of a forged credential, or with attributes that are not its own, is refused', () => {
    for (const forged of [
      { ...coin, s: coin.s.double() },
      { ...coin, h: coin.h.double() },
      { ...coin, attributes: [SERIAL, VALUE + 1n] },
      { ...coin, attributes: [SERIAL + 1n, VALUE] },
    ])
      expect(accepts(show(key, forged, { context }, random))).toBe(false);
    expect(() => show(key, { ...coin, attributes: [SERIAL] }, { context }, random)).toThrow(CoconutError);
  });
  test('the tag is the serial’s: another one is refused, and a serial of zero has none', () => {
    expect(accepts({ ...good, tag: encodeG1(tagGenerator().multiply(SERIAL + 1n)) })).toBe(false);
    expect(() => show(key, { ...coin, attributes: [0n, VALUE] }, { context }, random)).toThrow(CoconutError);
  });
  test('ENC-05: nobody can randomise it again, or the same payment would come in two forms', () => {
    const doubled = (bytes: Uint8Array) => encodeG1(decodeG1(bytes).double());
    expect(accepts({ ...good, h: doubled(good.h), s: doubled(good.s) })).toBe(false);
  });

  // Provers that follow the protocol, transcript and all, with one lie.
  describe('by a prover that lies', () => {
    /** A proof over whatever is shown, answered with whatever witness. */
    function proven(shown: Shown, first: ShowFirst, answer: (challenge: bigint) => ShowScalars): Show {
      const transcript = appendShow(new Transcript('coconut-show'), key.id, new Map(), shown).append(
        'context',
        context,
      );
      const z = answer(appendShowFirst(transcript, first).challenge('c'));
      const scalars = [...z.attributes, z.r].map(encodeScalar);
      return { ...shown, proof: new Uint8Array(Buffer.concat([first.kappa, present(first.tag), ...scalars])) };
    }
    test('who does not lie is accepted', () => {
      const begun = beginShow(key, coin, new Map(), random);
      expect(accepts(proven(begun.shown, begun.first, begun.respond))).toBe(true);
    });
    test.each([1n, 2n])('about the tag, to spend twice, is refused (first message times %s)', (factor) => {
      const begun = beginShow(key, coin, new Map(), random);
      const unspent = encodeG1(tagGenerator().multiply(SERIAL + 1n));
      const nonce = Fr.mul(present(begun.nonces.attributes[0]), factor);
      const first = { ...begun.first, tag: encodeG1(tagGenerator().multiply(nonce)) };
      expect(accepts(proven({ ...begun.shown, tag: unspent }, first, begun.respond))).toBe(false);
    });
    test('about κ, having no credential at all, is refused', () => {
      // κ = k·g2 − α: then e(h′, α + κ) = e(k·h′, g2) for any h′. Only the proof of κ is in the way.
      const k = 987_654_321n;
      const shown: Shown = {
        h: encodeG1(g1),
        s: encodeG1(g1.multiply(k)),
        kappa: encodeG2(g2.multiply(k).subtract(key.alpha)),
        tag: encodeG1(tagGenerator().multiply(SERIAL)),
      };
      const w = { attributes: [11n, 12n], r: 13n };
      const [b1, b2] = [present(key.betaTilde[0]), present(key.betaTilde[1])];
      const first: ShowFirst = {
        kappa: encodeG2(b1.multiply(11n).add(b2.multiply(12n)).add(g2.multiply(13n))),
        tag: encodeG1(tagGenerator().multiply(11n)),
      };
      const forged = proven(shown, first, (c) => ({
        attributes: [respond(11n, c, SERIAL), respond(12n, c, VALUE)],
        r: respond(w.r, c, k),
      }));
      expect(accepts(forged)).toBe(false);
      const pairing = new Equations().addPairing([
        [1n, fast.decodeG1(shown.h), fast.fromG2(g2.multiply(k))],
        [ORDER - 1n, fast.decodeG1(shown.s), fast.fromG2(g2)],
      ]);
      expect(pairing.check(fast, random)).toBe(true);
    });
    // Whoever may choose a point after its challenge needs no witness: what is not in the transcript is not proven.
    describe('who chooses after the challenge', () => {
      const z: ShowScalars = { attributes: [21n, 22n], r: 23n };
      const [b1, b2] = [present(key.betaTilde[0]), present(key.betaTilde[1])];
      const answers = b1.multiply(21n).add(b2.multiply(22n)).add(g2.multiply(23n));
      const challenge = (shown: Shown, first: ShowFirst) =>
        appendShowFirst(
          appendShow(new Transcript('coconut-show'), key.id, new Map(), shown).append('context', context),
          first,
        ).challenge('c');
      const assemble = (shown: Shown, first: ShowFirst, scalars: ShowScalars): Show => ({
        ...shown,
        proof: new Uint8Array(
          Buffer.concat([first.kappa, present(first.tag), ...[...scalars.attributes, scalars.r].map(encodeScalar)]),
        ),
      });

      test('A_κ and A_ζ, having no credential at all, is refused', () => {
        const k = 987_654_321n;
        const kappa = g2.multiply(k).subtract(key.alpha);
        const tag = tagGenerator().multiply(SERIAL);
        const shown = { h: encodeG1(g1), s: encodeG1(g1.multiply(k)), kappa: encodeG2(kappa), tag: encodeG1(tag) };
        const honestTag = encodeG1(tagGenerator().multiply(5n));
        // One of the two at a time, the other as its witness would have it.
        const c = challenge(shown, { kappa: encodeG2(g2), tag: honestTag });
        const late = encodeG2(answers.subtract(kappa.multiply(c)));
        const bySerial = { attributes: [respond(5n, c, SERIAL), 22n], r: 23n };
        const lateToo = encodeG2(
          b1
            .multiply(bySerial.attributes[0] as bigint)
            .add(b2.multiply(22n))
            .add(g2.multiply(23n))
            .subtract(kappa.multiply(c)),
        );
        expect(accepts(assemble(shown, { kappa: lateToo, tag: honestTag }, bySerial))).toBe(false);
        const both = { kappa: late, tag: encodeG1(tagGenerator().multiply(21n).subtract(tag.multiply(c))) };
        expect(accepts(assemble(shown, both, z))).toBe(false);
      });
      test.each(['first message', 'tag'] as const)('the %s of ζ, to spend twice, is refused', (late) => {
        const begun = beginShow(key, coin, new Map(), random);
        const unspent = tagGenerator().multiply(SERIAL + 1n);
        const shown = late === 'tag' ? begun.shown : { ...begun.shown, tag: encodeG1(unspent) };
        const wrong = late === 'tag' ? { ...begun.first, tag: encodeG1(tagGenerator().multiply(77n)) } : begun.first;
        const c = challenge(shown, wrong);
        const scalars = begun.respond(c);
        const answer = tagGenerator().multiply(present(scalars.attributes[0]));
        if (late === 'tag') {
          // ζ = (z·G_tag − A_ζ)/c
          const tag = answer.subtract(decodeG1(present(wrong.tag))).multiply(Fr.inv(c));
          expect(accepts(assemble({ ...shown, tag: encodeG1(tag) }, wrong, scalars))).toBe(false);
        } else {
          const tag = encodeG1(answer.subtract(unspent.multiply(c)));
          expect(accepts(assemble(shown, { ...wrong, tag }, scalars))).toBe(false);
        }
      });
      test('κ and s′, to give one payment a second form, is refused', () => {
        const begun = beginShow(key, coin, new Map(), random);
        const c = challenge(begun.shown, begun.first);
        const scalars = begun.respond(c);
        // κ + (δ/c)·g2 with z_r + δ, and s′ + (δ/c)·h′ for the pairing.
        const shift = Fr.mul(5n, Fr.inv(c));
        const moved = {
          ...begun.shown,
          s: encodeG1(decodeG1(begun.shown.s).add(decodeG1(begun.shown.h).multiply(shift))),
          kappa: encodeG2(decodeG2(begun.shown.kappa).add(g2.multiply(shift))),
        };
        const shifted = { ...scalars, r: Fr.add(scalars.r, 5n) };
        expect(accepts(assemble(moved, begun.first, shifted))).toBe(false);
        expect(showEquations(fast, key, new Map(), moved, begun.first, c, shifted).check(fast, random)).toBe(true);
      });
    });
    test('about its value is refused', () => {
      // An honest proof of a greater value: κ fits it, and the credential does not.
      expect(accepts(show(key, { ...coin, attributes: [SERIAL, VALUE * 100n] }, { context }, random))).toBe(false);
    });
  });
  test('ECASH-02: a source that gives r′ = 0 makes no show', () => {
    expect(() => show(key, coin, { context }, (length) => new Uint8Array(length))).toThrow(CoconutError);
  });
  test('nonces answer one challenge only', () => {
    const begun = beginShow(key, coin, new Map(), random);
    begun.respond(5n);
    expect(() => begun.respond(6n)).toThrow(CoconutError);
  });
});

describe('ECASH-12: unlinkable', () => {
  test('two shows of one credential share nothing but the tag', () => {
    const [a, b] = [good, show(key, coin, { context }, random)];
    expect(a.tag).toEqual(b.tag);
    for (const name of ['h', 's', 'kappa'] as const) expect(hex(field(a, name))).not.toBe(hex(field(b, name)));
    const windows = (bytes: Uint8Array) =>
      Array.from({ length: bytes.length - 7 }, (_, i) => hex(bytes.subarray(i, i + 8)));
    const rest = ({ tag: _, ...of }: Show) => windows(encodeShow({ ...of, tag: undefined }));
    const seen = new Set(rest(a));
    expect(rest(b).filter((window) => seen.has(window))).toEqual([]);
  });
  test('tags of two serials are two tags', () => {
    const second = show(key, issue(bank, [SERIAL + 1n, VALUE]), { context }, random);
    expect(hex(field(second, 'tag'))).not.toBe(hex(field(good, 'tag')));
  });
});

describe.each(engines)('a batch, by $engine', (verifier) => {
  const shows = Array.from({ length: 6 }, (_, i): ReceivedShow => {
    const own = Uint8Array.of(i);
    return { show: i === 0 ? good : show(key, coin, { context: own }, random), context: i === 0 ? context : own };
  });
  const bad = (batch: readonly ReceivedShow[]) => badShows(verifier, key, batch, random);
  const spoilt = (indexes: readonly number[]) =>
    shows.map((one, i) => (indexes.includes(i) ? { ...one, context: Uint8Array.of(99) } : one));
  test('of good shows is good', () => {
    expect(verifyShows(verifier, key, shows, random)).toBe(true);
  });
  test('names every bad one, and no other', () => {
    expect(bad(spoilt([4]))).toEqual([4]);
    expect(bad(spoilt([0, 3]))).toEqual([0, 3]);
    expect(bad(spoilt([0, 1, 2, 3, 4, 5]))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(verifyShows(verifier, key, spoilt([5]), random)).toBe(false);
  });
  test('names those that cannot be read beside those that do not hold', () => {
    const unreadable = spoilt([1]).map((one, i) =>
      i === 4 ? { ...one, show: { ...one.show, kappa: new Uint8Array(96) } } : one,
    );
    expect(bad(unreadable)).toEqual([1, 4]);
    expect(bad(unreadable.slice(4, 5))).toEqual([0]);
  });
  test('may disclose different attributes in each', () => {
    const disclosed = new Map([[1, VALUE]]);
    const open = { show: show(key, coin, { disclosed }, random), disclosed };
    expect(bad([...shows.slice(0, 2), open])).toEqual([]);
    expect(bad([present(shows[0]), { ...open, disclosed: new Map([[1, VALUE + 1n]]) }])).toEqual([1]);
  });
  test('ENC-07: of nothing is refused', () => {
    expect(() => bad([])).toThrow(CoconutError);
    expect(() => verifyShows(verifier, key, [], random)).toThrow(CoconutError);
    expect(() => holds(verifier, [], random)).toThrow(CoconutError);
    expect(() => holds(verifier, [new Equations()], random)).toThrow(CoconutError);
  });
});

describe('random weights', () => {
  const P = fast.fromG1(g1);
  const Q = fast.fromG2(g2);
  /** error·g1 = 0, error·g2 = 0, e(error·g1, g2) = 1. */
  const wrong = {
    G1: (error: bigint) => new Equations().addG1([[error, P]]),
    G2: (error: bigint) => new Equations().addG2([[error, Q]]),
    'products of pairings': (error: bigint) => new Equations().addPairing([[error, P, Q]]),
  };
  test.each(Object.entries(wrong))('see two errors in %s that would cancel', (_, equation) => {
    expect(holds(fast, [equation(0n), equation(0n)], random)).toBe(true);
    expect(holds(fast, [equation(1n), equation(ORDER - 1n)], random)).toBe(false);
    expect(failing(fast, [equation(0n), equation(1n), equation(ORDER - 1n)], random)).toEqual([1, 2]);
    const within = equation(7n);
    within.inG1.push(...equation(ORDER - 7n).inG1);
    within.inG2.push(...equation(ORDER - 7n).inG2);
    within.products.push(...equation(ORDER - 7n).products);
    expect(holds(fast, [within], random)).toBe(false);
  });
  test.each(Object.entries(wrong))('see an error in the first, the middle and the last of %s', (_, equation) => {
    for (const at of [0, 1, 2])
      expect(
        failing(
          fast,
          [0, 1, 2].map((i) => equation(i === at ? 5n : 0n)),
          random,
        ),
      ).toEqual([at]);
  });
  test('of a broken source are refused', () => {
    const two = [wrong.G1(0n), wrong.G1(0n)];
    expect(() => holds(fast, two, () => new Uint8Array(8))).toThrow(CoconutError);
  });
  test('are drawn after the equations are fixed', () => {
    const drawn: number[] = [];
    const equations = [wrong.G1(0n), wrong.G1(0n), wrong.G1(0n)];
    holds(fast, equations, (length) => {
      drawn.push(length);
      return random(length);
    });
    // One for each equation of a group but the first, 128 bits each.
    expect(drawn).toEqual([16, 16]);
  });
});
