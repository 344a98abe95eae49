/** Transactions: what they prove, and what is refused with which word. */

import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { generateKeys } from '../../lib/coconut/dealer.ts';
import { ownerOf } from '../../lib/coconut/deposit.ts';
import { g1, g2 } from '../../lib/coconut/generators.ts';
import {
  decodeG1,
  decodeScalar,
  encodeG1,
  encodeG2,
  encodeScalar,
  Fr,
  G1_ZERO,
  G2_ZERO,
  ORDER,
} from '../../lib/coconut/groups.ts';
import type { Credential } from '../../lib/coconut/issue.ts';
import { pieces } from '../../lib/coconut/keys.ts';
import { mclVerifier } from '../../lib/coconut/mcl-engine.ts';
import { nobleVerifier } from '../../lib/coconut/noble-engine.ts';
import {
  encodeTransaction,
  readTransaction,
  type Transaction,
  transactionContentOf,
  transactionId,
} from '../../lib/coconut/transaction-bytes.ts';
import { isOutputOf, ownOutput, provenValue } from '../../lib/coconut/transaction-output.ts';
import { makeTransaction, type TransactionContext } from '../../lib/coconut/transaction-proof.ts';
import { verifyTransaction, verifyTransactions } from '../../lib/coconut/transaction-verify.ts';
import type { Verifier } from '../../lib/coconut/verifier.ts';
import { fromHex, toHex } from '../../lib/messages/hex.ts';
import { stream } from './fixtures.ts';
import { DEPOSITORS, Mint } from './token-fixtures.ts';

const mcl = await mclVerifier();
const mint = new Mint(mcl, 'transactions');
const { context, random } = mint;
const TOP = (1n << 64n) - 1n;

/** Why a transaction is refused, or `accepted`. */
function judge(transaction: Transaction, within: Partial<TransactionContext> = {}, verifier: Verifier = mcl): string {
  const verified = verifyTransaction({ ...context, ...within }, transaction, verifier, random);
  return verified.ok ? 'accepted' : verified.refusal;
}
/** From the wire: why it is refused when it is read, or when it is verified. */
function judgeSource(source: unknown): string {
  const reading = readTransaction(source);
  return reading.ok ? judge(reading.transaction) : reading.reason;
}
const withdraw = { amount: '4', recipient: 'somebody', memo: 'for something' };

let token: Credential;
let pay: Transaction;
/** A deposit, an input, two outputs and a withdrawal: it has every field that there is. */
let full: Transaction;

beforeAll(() => {
  token = mint.token(10n);
  pay = mint.make({ inputs: [token], outputs: [mint.paid(3n), mint.paid(7n)] });
  const outputs = [mint.paid(5n), mint.paid(TOP)];
  const deposits = [
    mint.deposit(
      TOP - 1n,
      outputs.map(({ output }) => output),
    ),
  ];
  full = mint.make({ inputs: [token], outputs, deposits, withdraw });
});

describe('a transaction', () => {
  test('of one input and two outputs holds in both engines, and has 2,388 bytes', () => {
    expect(judge(pay)).toBe('accepted');
    expect(judge(pay, {}, nobleVerifier)).toBe('accepted');
    expect(encodeTransaction(pay).length).toBe(2_388);
  });

  test('of everything at once holds', () => {
    expect(judge(full)).toBe('accepted');
  });

  test('holds for any shape that balances, and its outputs become tokens that can be spent', () => {
    const shape = fc.record({
      spent: fc.array(fc.bigInt(0n, 1_000n), { maxLength: 2 }),
      deposited: fc.option(fc.bigInt(0n, 1_000n), { nil: undefined }),
      withdraws: fc.boolean(),
      parts: fc.integer({ min: 1, max: 3 }),
    });
    const run = ({ spent, deposited, withdraws, parts }: typeof shape extends fc.Arbitrary<infer T> ? T : never) => {
      if (spent.length === 0 && deposited === undefined) return;
      const total = spent.reduce((sum, value) => sum + value, deposited ?? 0n);
      const out = withdraws ? total / 2n : 0n;
      const values = Array.from({ length: parts }, (_, i) => (i === 0 ? total - out : 0n));
      const outputs = values.map((value) => mint.output(value));
      const deposits =
        deposited === undefined
          ? []
          : [
              mint.deposit(
                deposited,
                outputs.map(({ output }) => output),
              ),
            ];
      const made = mint.make({
        inputs: spent.map((value) => mint.token(value)),
        outputs,
        deposits,
        ...(withdraws ? { withdraw: { ...withdraw, amount: `${out}` } } : {}),
      });
      expect(judgeSource(transactionContentOf(made))).toBe('accepted');
      expect(judgeSource(encodeTransaction(made))).toBe('accepted');
      const partials = mint.partials(made.outputs);
      const owned = outputs.map((each, k) => mint.credential(each, partials[k]));
      expect(owned.map(({ attributes: [, value] }) => value)).toEqual(values);
    };
    // One of everything, some seconds of arithmetic; what payers come to by chance is tried by `npm run simulate:tokens`.
    const all = { spent: [5n, 700n], deposited: 3n, withdraws: true, parts: 2 };
    fc.assert(fc.property(shape, run), { examples: [[all]], numRuns: 1 });
  }, 240_000);

  test('withdraws all that it spends, with no output and no range proof', () => {
    const made = mint.make({ inputs: [mint.token(4n)], withdraw });
    expect(made.range.length).toBe(0);
    expect(judgeSource(encodeTransaction(made))).toBe('accepted');
    expect(judge({ ...made, withdraw: { ...withdraw, amount: '5' } })).toBe('BadProof');
    // Whoever carries it would like to be paid.
    expect(judge({ ...made, withdraw: { ...withdraw, recipient: 'the gateway' } })).toBe('BadProof');
  });

  test('the same plan and randomness make the same bytes, and another plan gets other randomness', () => {
    const plan = { inputs: [token], outputs: [mint.paid(10n)], deposits: [] };
    const plans: string[] = [];
    const make = (of = plan) =>
      makeTransaction(context, of, mcl, (hash) => {
        plans.push(toHex(hash));
        return stream(toHex(hash));
      });
    expect(encodeTransaction(make())).toEqual(encodeTransaction(make()));
    make({ ...plan, outputs: [mint.paid(10n)] });
    expect(plans[0]).toBe(plans[1]);
    // Two answers to one nonce would give the serial away.
    expect(plans[2]).not.toBe(plans[0]);
  });

  test('shows nothing of a token but its tag, each time that it is shown', () => {
    const [a, b] = [pay.inputs[0], full.inputs[0]];
    expect(a?.tag).toEqual(b?.tag);
    for (const field of ['h', 's', 'kappa', 'value'] as const) expect(a?.[field]).not.toEqual(b?.[field]);
  });
});

describe('the bytes of a transaction', () => {
  test('say what its message says, and either gives the other', () => {
    for (const transaction of [pay, full]) {
      expect(readTransaction(encodeTransaction(transaction))).toEqual({ ok: true, transaction });
      expect(readTransaction(transactionContentOf(transaction))).toEqual({ ok: true, transaction });
    }
  });

  test("ORIGIN: no length and no count is the sender's to choose: cut off or drawn out anywhere they are refused, and nothing throws", () => {
    const bytes = encodeTransaction(full);
    for (let length = 0; length < bytes.length; length += 7)
      expect(readTransaction(bytes.subarray(0, length)).ok, `${length} bytes`).toBe(false);
    expect(readTransaction(new Uint8Array([...bytes, 0])).ok).toBe(false);
    // Counts: version, LP(asset), epoch, then four of them.
    for (const at of [16, 17, 18, 19])
      for (const value of [0, 1, 2, 3, 9, 255]) {
        const changed = bytes.slice();
        changed[at] = value;
        if (changed[at] !== bytes[at]) expect(readTransaction(changed).ok, `byte ${at} = ${value}`).toBe(false);
      }
    const any = fc.oneof(fc.uint8Array({ maxLength: 3_000 }), fc.anything());
    fc.assert(
      fc.property(any, (source) => !readTransaction(source).ok),
      { numRuns: 500 },
    );
  });

  test('have one id, which covers all of them', () => {
    const ids = new Set([transactionId(pay), transactionId(full)]);
    const bytes = encodeTransaction(pay);
    const readable = [pay.proof, pay.range, ...pay.outputs.map(({ ownerProof }) => ownerProof)];
    for (const part of readable) {
      part[31] = (part[31] as number) ^ 1;
      ids.add(transactionId(pay));
      part[31] = (part[31] as number) ^ 1;
    }
    expect(ids.size).toBe(2 + readable.length);
    expect(encodeTransaction(pay)).toEqual(bytes);
  });

  test('TooMany is said of nine inputs, outputs or deposits', () => {
    const content = transactionContentOf(full);
    for (const side of ['inputs', 'outputs', 'deposits'] as const)
      expect(judgeSource({ ...content, [side]: Array(9).fill(content[side][0]) })).toBe('TooMany');
    const bytes = encodeTransaction(full);
    bytes[16] = 9;
    expect(judgeSource(bytes)).toBe('TooMany');
  });
});

// ------------------------------------------------------------------------------------------------ every field

type Json = string | number | readonly Json[] | { readonly [key: string]: Json };
interface Leaf {
  readonly path: readonly (string | number)[];
  readonly value: string | number;
}

function leavesOf(value: Json, path: readonly (string | number)[] = []): Leaf[] {
  if (typeof value === 'string' || typeof value === 'number') return [{ path, value }];
  return Object.entries(value).flatMap(([key, each]) =>
    leavesOf(each as Json, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}
function replaced(value: Json, [key, ...rest]: readonly (string | number)[], by: string | number): Json {
  if (key === undefined) return by;
  const copy = structuredClone(value) as Record<string | number, Json>;
  copy[key] = replaced(copy[key] as Json, rest, by);
  return copy as Json;
}
const flippedAt = (hex: string, at: number) => {
  const bytes = fromHex(hex as `0x${string}`);
  bytes[at] = (bytes[at] as number) ^ 1;
  return toHex(bytes);
};

/** For a point: another good one, and the identity. For longer hex: one bit in each 32 bytes. For text and numbers: another. */
function variants(value: string | number): (string | number)[] {
  if (typeof value === 'number') return [value + 1];
  if (!value.startsWith('0x')) return [/^\d+$/.test(value) ? `${BigInt(value) - 1n}` : `${value}x`];
  const length = (value.length - 2) / 2;
  const flips = Array.from({ length: Math.ceil(length / 32) }, (_, i) =>
    flippedAt(value, Math.min(32 * i + 31, length - 1)),
  );
  if (length === 48) return [toHex(encodeG1(g1.double())), toHex(encodeG1(G1_ZERO)), ...flips.slice(0, 1)];
  if (length === 96) return [toHex(encodeG2(g2.double())), toHex(encodeG2(G2_ZERO)), ...flips.slice(0, 1)];
  return flips;
}

describe('every field of a transaction', () => {
  test('ECASH-02, ECASH-03, ENC-01, ENC-05, ORIGIN: is covered: changed to another good value, to the identity or by one bit, it is refused', () => {
    const content = transactionContentOf(full) as unknown as Json;
    const leaves = leavesOf(content);
    // 3 of the head, 5 of the input, 5 of each output, 3 and 2 × 2 of the deposit, 3 of the withdrawal, 2 proofs.
    expect(leaves.length).toBe(3 + 5 + 10 + 7 + 3 + 2);
    for (const { path, value } of leaves)
      for (const by of variants(value))
        expect(judgeSource(replaced(content, path, by)), `${path.join('.')} → ${String(by).slice(0, 20)}`).not.toBe(
          'accepted',
        );
  });

  test('ORIGIN, ECASH-02: the identity as a credential is refused, in each of its points and in all', () => {
    const zero = encodeG1(G1_ZERO);
    const [input] = pay.inputs;
    if (!input) throw new Error('there is an input');
    for (const changes of [{ h: zero }, { s: zero }, { h: zero, s: zero }, { kappa: encodeG2(G2_ZERO) }, { tag: zero }])
      expect(judge({ ...pay, inputs: [{ ...input, ...changes }] })).toBe('BadShape');
  });

  test('ECASH-04, ECASH-15, ENC-05: it is for one key, one network and one committee of services', () => {
    const verificationKey = generateKeys(mint.coconut, stream('another asset')).verificationKey;
    // The very key under another id: what was proven for one epoch is good in no other.
    expect(judge(pay, { key: { ...context.key, id: verificationKey.id } })).toBe('BadProof');
    expect(judge(pay, { key: { ...verificationKey, id: context.key.id } })).toBe('BadProof');
    expect(judge(pay, { network: 'main' })).toBe('BadProof');
    expect(judge(pay, { parameters: { attributes: 2, threshold: 3, total: 3 } })).toBe('BadProof');
    expect(judge(pay, { parameters: { attributes: 2, threshold: 2, total: 4 } })).toBe('BadProof');
    expect(judge(pay, { epoch: 4 })).toBe('WrongEpoch');
    expect(judge({ ...pay, epoch: 4 }, { epoch: 4 })).toBe('BadProof');
    expect(judge(pay, { asset: 'eur' })).toBe('BadShape');
    expect(judge({ ...pay, asset: 'eur' }, { asset: 'eur' })).toBe('BadProof');
  });

  test('ECASH-11: a scalar and the same plus r are not two proofs', () => {
    const alias = (bytes: Uint8Array, at: number): Uint8Array | undefined => {
      const value = decodeScalar(bytes.slice(at, at + 32)) + ORDER;
      if (value >= 1n << 256n) return undefined;
      const copy = bytes.slice();
      copy.set(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'), at);
      return copy;
    };
    let aliases = 0;
    for (let at = 0; at < pay.proof.length; at += 32) {
      const proof = alias(pay.proof, at);
      if (!proof) continue;
      aliases++;
      expect(judge({ ...pay, proof })).toBe('BadShape');
    }
    expect(aliases).toBeGreaterThan(0);
    expect(() => mint.output(1n, 5n + ORDER)).toThrow(/^BadScalar/);
    expect(() => mint.output(1n, 0n)).toThrow(/^BadAttributes/);
  });
});

describe('outputs', () => {
  test('ENC-05: whose V, com or opening is moved after the challenge, with the response beside it, are refused', () => {
    // P + (δ/c)·g1 with z + δ leaves every first message as it was: only that P is in the challenge prevents it.
    const { output } = mint.output(3n);
    const [c, ...z] = pieces(output.ownerProof, 32).map(decodeScalar);
    const shift = g1.multiply(Fr.inv(c as bigint)).multiply(5n);
    const shifted = (bytes: Uint8Array): Uint8Array => encodeG1(decodeG1(bytes).add(shift));
    const [c1, c2] = output.openings as [Uint8Array, Uint8Array];
    // Responses are of o, the serial, v, o_1, o_2, b.
    const moves = [
      { at: 0, moved: { commitment: shifted(output.commitment) } },
      { at: 3, moved: { openings: [shifted(c1), c2] } },
      { at: 4, moved: { openings: [c1, shifted(c2)] } },
      { at: 5, moved: { value: shifted(output.value) } },
    ];
    expect(provenValue(mcl, context.key.id, output)).toBeDefined();
    for (const { at, moved } of moves) {
      const responses = z.map((each, i) => (i === at ? Fr.add(each, 5n) : each));
      const ownerProof = new Uint8Array(Buffer.concat([c as bigint, ...responses].map(encodeScalar)));
      expect(provenValue(mcl, context.key.id, { ...output, ...moved, ownerProof }), `response ${at}`).toBeUndefined();
    }
  });

  test('ECASH-13: a show taken from the wire pays for no other outputs', () => {
    const thief = mint.make({ inputs: [mint.token(10n)], outputs: [mint.paid(3n), mint.paid(7n)] });
    expect(judge({ ...thief, inputs: pay.inputs })).toBe('BadProof');
    expect(judge({ ...pay, outputs: thief.outputs })).toBe('BadProof');
    expect(judge({ ...pay, outputs: thief.outputs, range: thief.range })).toBe('BadProof');
    expect(judge({ ...pay, outputs: [...pay.outputs].reverse() })).toBe('BadProof');
  });

  test("ORIGIN: an owner's challenge is computed and not believed", () => {
    const [first, second] = pay.outputs;
    if (!first || !second) throw new Error('there are two outputs');
    const forged = Uint8Array.from(
      Array.from({ length: 7 }, () =>
        encodeScalar(Fr.create(BigInt(`0x${Buffer.from(random(31)).toString('hex')}`))),
      ).flatMap((each) => [...each]),
    );
    expect(judge({ ...pay, outputs: [{ ...first, ownerProof: forged }, second] })).toBe('BadProof');
    // Nor is another output's.
    expect(judge({ ...pay, outputs: [{ ...first, ownerProof: second.ownerProof }, second] })).toBe('BadProof');
  });

  test('ECASH-01, ORIGIN: which attribute is which does not come from the wire, nor does h', () => {
    const [first, second] = pay.outputs;
    if (!first || !second) throw new Error('there are two outputs');
    expect(judge({ ...pay, outputs: [{ ...first, openings: [...first.openings].reverse() }, second] })).toBe(
      'BadProof',
    );
    expect(judge({ ...pay, outputs: [{ ...first, openings: second.openings }, second] })).toBe('BadProof');
    expect(judge({ ...pay, outputs: [{ ...first, commitment: g1Bytes() }, second] })).toBe('BadProof');
  });

  test('ECASH-16, ECASH-17: nothing is consumed or asked for twice, and nothing is not enough', () => {
    const [output] = pay.outputs;
    const [input] = pay.inputs;
    if (!output || !input) throw new Error('there are both');
    expect(judge({ ...pay, outputs: [output, output] })).toBe('BadShape');
    expect(judge({ ...pay, inputs: [input, input] })).toBe('BadShape');
    expect(judge({ ...full, deposits: [...full.deposits, ...full.deposits] })).toBe('BadShape');
    expect(judge({ ...pay, inputs: [] })).toBe('BadShape');
    expect(judge({ ...pay, outputs: [] })).toBe('BadShape');
    const paid = mint.paid(10n);
    expect(() => mint.make({ inputs: [token], outputs: [paid, paid] })).toThrow(/^BadParameters/);
    expect(() => mint.make({ inputs: [token, token], outputs: [mint.paid(20n)] })).toThrow(/^BadParameters/);
    expect(() => mint.make({ outputs: [mint.paid(0n)] })).toThrow(/^BadParameters/);
    expect(() => mint.make({ inputs: [token] })).toThrow(/^BadParameters/);
  });

  test('ECASH-17: the same output gets the same signature, in whatever transaction', () => {
    expect(mint.partials(pay.outputs)).toEqual(mint.partials(pay.outputs));
    expect(mint.partials(pay.outputs)[0]).toEqual(mint.partials(pay.outputs.slice(0, 1))[0]);
  });

  test('an invoice is checked before it is paid: whose value, under which key', () => {
    const { output, invoiced } = mint.output(3n);
    const { id } = context.key;
    expect(isOutputOf(mcl, id, output, invoiced)).toBe(true);
    expect(isOutputOf(mcl, id, output, { ...invoiced, value: 2n })).toBe(false);
    expect(isOutputOf(mcl, id, output, { ...invoiced, blinding: Fr.add(invoiced.blinding, 1n) })).toBe(false);
    expect(isOutputOf(mcl, id, output, { ...invoiced, value: 1n << 64n })).toBe(false);
    expect(isOutputOf(mcl, random(32), output, invoiced)).toBe(false);
    expect(isOutputOf(mcl, id, { ...output, ownerProof: output.ownerProof.slice(1) }, invoiced)).toBe(false);
    expect(isOutputOf(mcl, id, { ...output, value: g1Bytes() }, invoiced)).toBe(false);
  });

  test('the same randomness makes the same output', () => {
    const again = () => ownOutput(context.key.id, { serial: 9n, value: 3n }, stream('output'));
    expect(again()).toEqual(again());
  });
});

const g1Bytes = () => encodeG1(g1.double());

describe('amounts', () => {
  /** As a payer would who is told one value and knows another. */
  const claiming = (output: ReturnType<typeof mint.output>, value: bigint) => ({
    output: output.output,
    invoiced: { ...output.invoiced, value },
  });

  test('ECASH-16: a plan that does not balance is not made', () => {
    const plan = (value: bigint) => () => mint.make({ inputs: [token], outputs: [mint.paid(value)] });
    expect(plan(11n)).toThrow(/^BadValue/);
    expect(plan(9n)).toThrow(/^BadValue/);
    const outputs = [mint.paid(TOP), mint.paid(1n)];
    const deposits = [TOP, 1n].map((value) =>
      mint.deposit(
        value,
        outputs.map(({ output }) => output),
      ),
    );
    expect(() => mint.make({ outputs, deposits })).toThrow(/^BadValue/);
    expect(() => mint.make({ inputs: [token], withdraw: { ...withdraw, amount: `${TOP + 11n}` } })).toThrow(
      /^BadValue/,
    );
  });

  test('ECASH-16: Unbalanced is said of outputs that are worth more than what is paid', () => {
    const made = mint.make({ inputs: [token], outputs: [claiming(mint.output(1_000n), 10n)] });
    expect(judge(made)).toBe('Unbalanced');
    const [output] = made.outputs;
    // Not even of its own: who pays too much has a mistake in its wallet.
    const less = mint.make({ inputs: [token], outputs: [claiming(mint.output(9n), 10n)] });
    expect([output?.value.length, judge(less)]).toEqual([48, 'Unbalanced']);
  });

  test('ECASH-16: OutOfRange is said where the sum is right and a range is not proven', () => {
    const made = mint.make({
      inputs: [token],
      outputs: [claiming(mint.output(3n), 7n), claiming(mint.output(7n), 3n)],
    });
    expect(judge(made)).toBe('OutOfRange');
  });

  test('ORIGIN: a range proof over fewer outputs than there are is refused by its length', () => {
    const one = mint.make({ inputs: [token], outputs: [mint.paid(10n)] });
    expect(one.range.length).toBeLessThan(pay.range.length);
    expect(judge({ ...pay, range: one.range })).toBe('BadShape');
    expect(judge({ ...pay, range: new Uint8Array(0) })).toBe('BadShape');
  });

  test('a payee that knows the opening of the only output cannot make a second transaction of it', () => {
    const paid = mint.paid(10n);
    const plan = { inputs: [token], outputs: [paid], deposits: [] };
    /** The same until the range proof begins: the input draws fewer than 40 times, and the range proof draws scalars of its own. */
    const made = [0, 1].map((fork) => {
      const source = stream('until the range proof');
      const rest = stream(`range proof ${fork}`);
      const draws = drawsOfInput();
      let drawn = 0;
      return makeTransaction(context, plan, mcl, () => (length) => (drawn++ < draws ? source : rest)(length));
    });
    const [a, b] = made;
    if (!a || !b) throw new Error('there are two');
    expect(a.inputs).toEqual(b.inputs);
    expect(a.range).not.toEqual(b.range);
    expect([judge(a), judge(b)]).toEqual(['accepted', 'accepted']);
    // Both ranges are proven for the same outputs; each belongs to one proof only.
    expect(judge({ ...a, range: b.range })).toBe('BadProof');
  });

  test('an owner that proves its request again, and depositors of another k, do not make a second transaction either', () => {
    /** One output, proven twice: the nonces come after o, o_1, o_2 and b. */
    const [once, again] = [1, 2].map((fork) => {
      const [witness, nonces] = [stream('witness'), stream(`nonces ${fork}`)];
      let drawn = 0;
      const draw = (length: number) => (drawn++ < 4 ? witness : nonces)(length);
      return ownOutput(context.key.id, { serial: 9n, value: 5n }, draw);
    });
    if (!once || !again) throw new Error('there are two');
    expect({ ...again.output, ownerProof: undefined }).toEqual({ ...once.output, ownerProof: undefined });
    expect(isOutputOf(mcl, context.key.id, again.output, again.invoiced)).toBe(true);
    const depositId = random(32);
    const [deposit, resigned] = [DEPOSITORS.slice(0, 2), DEPOSITORS.slice(1)].map((by) =>
      mint.deposit(5n, [once.output], { depositId }, by),
    );
    if (!deposit || !resigned) throw new Error('there are two');
    const made = mint.make({ outputs: [once], deposits: [deposit] });
    expect(judge(made)).toBe('accepted');
    expect(judge({ ...made, outputs: [again.output] })).toBe('BadProof');
    expect(judge({ ...made, deposits: [resigned] })).toBe('BadProof');
  });

  /** How often the source is asked before the range proof: all of a withdrawal's draws but the last, the balance's. */
  function drawsOfInput(): number {
    let drawn = 0;
    makeTransaction(
      context,
      { inputs: [token], outputs: [], deposits: [], withdraw: { ...withdraw, amount: '10' } },
      mcl,
      () => (length) => {
        drawn++;
        return random(length);
      },
    );
    return drawn - 1;
  }
});

describe('deposits', () => {
  const outputs = () => [mint.paid(5n)];
  const deposited = (changes: Parameters<typeof mint.deposit>[2], by?: Parameters<typeof mint.deposit>[3]) => {
    const paid = outputs();
    return mint.make({
      outputs: paid,
      deposits: [
        mint.deposit(
          5n,
          paid.map(({ output }) => output),
          changes,
          by,
        ),
      ],
    });
  };

  test('are consumed for the outputs that they were signed for, by k of m depositors', () => {
    expect(judge(deposited({}))).toBe('accepted');
    expect(judge(deposited({}, DEPOSITORS.slice(1)))).toBe('accepted');
  });

  test("are refused for another's outputs, another value, another committee, and without k different depositors in order", () => {
    const other = outputs().map(({ output }) => output);
    expect(judge(deposited({ owner: ownerOf(other) }))).toBe('BadDeposit');
    expect(judge(deposited({ owner: random(32) }))).toBe('BadDeposit');
    const good = deposited({});
    const [deposit] = good.deposits;
    const [first, second] = deposit?.signatures ?? [];
    if (!deposit || !first || !second) throw new Error('there is one, signed by two');
    const signedBy = (...signatures: (typeof first)[]) => judge({ ...good, deposits: [{ ...deposit, signatures }] });
    expect(signedBy(first, second)).toBe('accepted');
    expect(signedBy(first)).toBe('BadDeposit');
    expect(signedBy(first, first)).toBe('BadDeposit');
    expect(signedBy(second, first)).toBe('BadDeposit');
    expect(signedBy(first, { ...second, signature: first.signature })).toBe('BadDeposit');
    // More than are needed: whoever carries it could leave one out and have another id.
    expect(judge(deposited({}, DEPOSITORS))).toBe('BadDeposit');
    const stranger = { key: DEPOSITORS[2]?.key ?? '0x', secret: random(32) };
    expect(judge(deposited({}, [...DEPOSITORS.slice(0, 1), stranger]))).toBe('BadDeposit');
    expect(judge(good, { depositors: { keys: DEPOSITORS.slice(1).map(({ key }) => key), required: 2 } })).toBe(
      'BadDeposit',
    );
    expect(judge({ ...good, deposits: [{ ...deposit, value: 6n }] })).toBe('BadDeposit');
    expect(judge({ ...good, deposits: [{ ...deposit, depositId: random(32) }] })).toBe('BadDeposit');
    expect(judge(good, { committee: toHex(random(32)) })).toBe('BadDeposit');
  });

  test('are refused without an output: whoever saw one first could withdraw it', () => {
    const made = mint.make({ deposits: [mint.deposit(4n, [])], withdraw });
    expect(judge(made)).toBe('BadDeposit');
  });

  test('ECASH-16: of 2⁶⁴ and more together are out of range', () => {
    const paid = [mint.paid(TOP), mint.paid(1n)];
    const all = paid.map(({ output }) => output);
    // Made with one that covers both, which no depositor signs; then the two that they did.
    const made = mint.make({ inputs: [mint.token(1n)], outputs: paid, deposits: [mint.deposit(TOP, all)] });
    expect(judge({ ...made, deposits: [mint.deposit(TOP, all), mint.deposit(1n, all)] })).toBe('OutOfRange');
  });
});

describe('a batch', () => {
  test('names the bad ones, each with its own word, and accepts the others', () => {
    const lied = (said: bigint[], meant: bigint[]) =>
      mint.make({
        inputs: [token],
        outputs: meant.map((value, i) => {
          const { output, invoiced } = mint.output(value);
          return { output, invoiced: { ...invoiced, value: said[i] as bigint } };
        }),
      });
    const foreign = { ...token, s: token.s.double() };
    const batch = [
      pay,
      lied([3n, 7n], [7n, 3n]),
      full,
      lied([10n], [11n]),
      // All of its proofs are right, and nobody signed it: only the pairing knows.
      mint.make({ inputs: [foreign], outputs: [mint.paid(10n)] }),
      { ...pay, epoch: 9 },
      { ...full, deposits: [] },
      pay,
    ];
    const expected = [
      undefined,
      'OutOfRange',
      undefined,
      'Unbalanced',
      'BadProof',
      'WrongEpoch',
      'BadProof',
      undefined,
    ];
    expect(verifyTransactions(context, batch, mcl, random)).toEqual(expected);
    expect(verifyTransactions(context, [], mcl, random)).toEqual([]);
  });

  test('of N inputs costs N + 1 Miller loops, one final exponentiation, and one sum over the range generators', () => {
    const pairs: number[] = [];
    const sums: number[] = [];
    const counting = new Proxy(mcl, {
      get: (engine, name: keyof Verifier) => {
        const own = engine[name];
        if (typeof own !== 'function') return own;
        return (...args: never[]) => {
          const [all] = args as unknown as [readonly unknown[]];
          if (name === 'pairingProductIsOne') pairs.push(all.length);
          if (name === 'sumG1') sums.push(all.length);
          return (own as (...of: never[]) => unknown).apply(engine, args);
        };
      },
    });
    expect(verifyTransactions(context, [pay, pay, full], counting, random)).toEqual([undefined, undefined, undefined]);
    expect(pairs).toEqual([4]);
    expect(sums.filter((terms) => terms > 256).length).toBe(1);
  });

  test('the order of checks is the order of cost: no curve is touched for an epoch, a deposit or a shape', () => {
    const untouchable = new Proxy(mcl, {
      get: () => {
        throw new Error('a curve operation');
      },
    });
    const cheap = [
      { ...pay, epoch: 4 },
      { ...full, deposits: [{ ...full.deposits[0], value: 1n }] },
      { ...pay, inputs: [] },
    ];
    expect(verifyTransactions(context, cheap as Transaction[], untouchable, random)).toEqual([
      'WrongEpoch',
      'BadDeposit',
      'BadShape',
    ]);
  });
});
