/**
 * Payees and payers who have changed their own programs: what they make is consistent in every hash, and false in one place. A verifier that leaves one first message out of one challenge
 * accepts one of these.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { tagGenerator } from '../../lib/coconut/generators.ts';
import { encodeG1, type G1, ORDER } from '../../lib/coconut/groups.ts';
import type { Credential } from '../../lib/coconut/issue.ts';
import { mclVerifier } from '../../lib/coconut/mcl-engine.ts';
import type { Transaction } from '../../lib/coconut/transaction-bytes.ts';
import { isOutputOf, provenValue } from '../../lib/coconut/transaction-output.ts';
import { verifyTransaction } from '../../lib/coconut/transaction-verify.ts';
import { Mint } from './token-fixtures.ts';

/** How far the programs are changed. */
const changed = vi.hoisted(() => ({
  limits: false,
  /** Instead of the first of the commitments to this value, one to that. */
  commits: undefined as { readonly of: bigint; readonly to: bigint } | undefined,
  /** What is shown, whatever the plan says. */
  shows: undefined as Credential | undefined,
  tagOf: undefined as bigint | undefined,
  /** Whose h′, s′ and κ are shown, with another's tag and responses. */
  signedBy: undefined as Credential | undefined,
}));

vi.mock('../../lib/coconut/value-commitment.ts', async (original) => {
  const honest = await original<typeof import('../../lib/coconut/value-commitment.ts')>();
  return {
    ...honest,
    expectValue: (value: bigint) => (changed.limits ? value : honest.expectValue(value)),
    commitValue: (...[value, blinding, random]: Parameters<typeof honest.commitValue>): G1 => {
      const lie = changed.commits;
      return honest.commitValue(lie?.of === value ? lie.to : value, blinding, random);
    },
  };
});
vi.mock('../../lib/coconut/show.ts', async (original) => {
  const honest = await original<typeof import('../../lib/coconut/show.ts')>();
  return {
    ...honest,
    beginShow: (...[key, planned, ...rest]: Parameters<typeof honest.beginShow>) => {
      const { shows, tagOf, signedBy } = changed;
      const begun = honest.beginShow(key, shows ?? planned, ...rest);
      const signed = honest.beginShow(key, signedBy ?? shows ?? planned, ...rest).shown;
      const { h, s, kappa } = signedBy ? signed : begun.shown;
      const tag = tagOf === undefined ? begun.shown.tag : encodeG1(tagGenerator().multiply(tagOf));
      return { ...begun, shown: { h, s, kappa, tag } };
    },
  };
});

const mint = new Mint(await mclVerifier(), 'forged transactions');
const { context, verifier, random } = mint;
const judge = (transaction: Transaction): string => {
  const verified = verifyTransaction(context, transaction, verifier, random);
  return verified.ok ? 'accepted' : verified.refusal;
};
const token = mint.token(10n);

beforeEach(() => {
  Object.assign(changed, {
    limits: false,
    commits: undefined,
    shows: undefined,
    tagOf: undefined,
    signedBy: undefined,
  });
});

describe('a payee', () => {
  test.each([
    ['−1 beside eleven', [ORDER - 1n, 11n]],
    ['2⁶⁴ beside less than nothing', [1n << 64n, ORDER + 10n - (1n << 64n)]],
  ] as const)('ECASH-16: does not get %s for ten, though its proofs hold and the sum is right', (_, meant) => {
    changed.limits = true;
    const outputs = meant.map((value) => mint.output(value));
    for (const { output } of outputs) expect(provenValue(verifier, context.key.id, output)).toBeDefined();
    const claims = [0n, 10n];
    const transaction = mint.make({
      inputs: [token],
      outputs: outputs.map(({ output, invoiced }, i) => ({
        output,
        invoiced: { ...invoiced, value: claims[i] as bigint },
      })),
    });
    // Not `Unbalanced`: modulo r the sum is right, and only the range tells.
    expect(judge(transaction)).toBe('OutOfRange');
  });

  test('ECASH-03: is not signed a thousand for a V of ten', () => {
    changed.commits = { of: 1_000n, to: 10n };
    const { output, invoiced } = mint.output(1_000n);
    changed.commits = undefined;
    // V opens to ten, and is balanced and in range as ten: only the owner's proof ties it to what is signed.
    const claim = { ...invoiced, value: 10n };
    expect(isOutputOf(verifier, context.key.id, output, claim)).toBe(false);
    expect(judge(mint.make({ inputs: [token], outputs: [{ output, invoiced: claim }] }))).toBe('BadProof');
  });
});

describe('a payer', () => {
  test('ECASH-03: does not pay with a P of more than its token is worth', () => {
    changed.shows = token;
    const [serial = 0n] = token.attributes;
    // P, balance and range are right for a thousand; only the shared response ties P to the ten that are shown.
    const inputs = [{ ...token, attributes: [serial, 1_000n] }];
    expect(judge(mint.make({ inputs, outputs: [mint.paid(1_000n)] }))).toBe('BadProof');
  });

  test('ECASH-11: does not show a tag of another serial, which would be free to spend again', () => {
    changed.tagOf = 77n;
    expect(judge(mint.make({ inputs: [token], outputs: [mint.paid(10n)] }))).toBe('BadProof');
  });

  test('ECASH-03, ECASH-11: does not show another serial and another value than are signed', () => {
    changed.signedBy = token;
    // Tag, P, balance and range agree about a token that nobody signed; κ is one that somebody did.
    const inputs = [{ ...token, attributes: [77n, 1_000n] }];
    expect(judge(mint.make({ inputs, outputs: [mint.paid(1_000n)] }))).toBe('BadProof');
  });

  test('pays, if it changes nothing', () => {
    expect(judge(mint.make({ inputs: [token], outputs: [mint.paid(10n)] }))).toBe('accepted');
  });
});
