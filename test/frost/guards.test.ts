/** Errors that are arranged so that one check alone stands against them. */
import { expect, test } from 'vitest';
import { evaluateShare, verifyShare } from '../../lib/frost/dkg.ts';
import { aggregate } from '../../lib/frost/signing.ts';
import { SUITES, suiteOf } from '../../lib/frost/suite.ts';
import { dealAll, indicesTo, keygen, present, signAll, stream } from './committee.ts';

test.each(SUITES)(
  'DKG-02 a share beside a commitment that is no point is judged by no part of the rest (%s)',
  (name) => {
    const suite = suiteOf(name);
    const dealing = present(dealAll(suite, 2, 3)[0]);
    const share = evaluateShare(suite, dealing.coefficients, 2);
    expect(verifyShare(suite, 2, dealing.commitments, share)).toBe(true);
    expect(verifyShare(suite, 2, [...dealing.commitments, new Uint8Array(suite.affineBytes)], share)).toBe(false);
  },
);

test('BLM-10 two wrong shares that cancel each other are both named beside a third, wherever the halves fall', () => {
  const suite = suiteOf('FROST-secp256k1-SHA256-TR-v1');
  const committee = keygen(suite, 16, 16);
  const { session, shares } = signAll(committee, indicesTo(16), stream('message')(32));
  const { Fn } = suite;
  const plus = (index: number, error: bigint) =>
    Fn.toBytes(Fn.add(Fn.fromBytes(present(shares.get(index))), Fn.create(error)));
  const bad = new Map(shares).set(1, plus(1, 5n)).set(2, plus(2, -5n)).set(16, plus(16, 1n));
  expect(aggregate(suite, { ...session, shares: bad })).toEqual({ ok: false, culprits: [1, 2, 16] });
});
