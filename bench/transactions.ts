/** What it costs to verify transactions, and how large they are: `benchTransaction` for other benchmarks, `npm run bench -- transactions` alone. */
import { randomBytes } from 'node:crypto';
import { Coconut } from '../lib/coconut/coconut.ts';
import { generateKeys } from '../lib/coconut/dealer.ts';
import { randomScalar } from '../lib/coconut/groups.ts';
import { obtain } from '../lib/coconut/issue.ts';
import { mclVerifier } from '../lib/coconut/mcl-engine.ts';
import { nobleVerifier } from '../lib/coconut/noble-engine.ts';
import { encodeTransaction, type Transaction, transactionContentOf } from '../lib/coconut/transaction-bytes.ts';
import { ownOutput, requestOf, signOutputs } from '../lib/coconut/transaction-output.ts';
import { makeTransaction, type TransactionContext } from '../lib/coconut/transaction-proof.ts';
import { verifyTransactions } from '../lib/coconut/transaction-verify.ts';
import type { Verifier } from '../lib/coconut/verifier.ts';
import { toHex } from '../lib/messages/hex.ts';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

export interface TransactionCosts {
  /** Of one input and two outputs, in canonical bytes and as the JSON of its message. */
  readonly bytes: number;
  readonly json: number;
  /** CPU milliseconds, of this process, the best of several runs. */
  readonly prove: number;
  readonly verify: readonly { readonly engine: string; readonly batch: number; readonly each: number }[];
}

/** The least CPU time of `runs`: what else the machine does takes time, and never gives any. */
function leastCpu(runs: number, work: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

export async function benchTransaction({ runs = 5, batch = 8 } = {}): Promise<TransactionCosts> {
  const mcl = await mclVerifier();
  const coconut = Coconut.create({ attributes: 2, threshold: 5, total: 7 });
  const keys = generateKeys(coconut);
  const keyId = keys.verificationKey.id;
  const context: TransactionContext = {
    network: 'bench',
    committee: toHex(random(32)),
    asset: 'usd',
    epoch: 0,
    parameters: coconut,
    key: keys.verificationKey,
    depositors: { keys: [], required: 1 },
  };
  const output = (value: bigint) => ownOutput(keyId, { serial: randomScalar(random), value }, random);
  const token = (value: bigint) => {
    const { output: own, opening } = output(value);
    const partials = keys.secretKeys.slice(0, 5).map((secret, i) => {
      const [signature = new Uint8Array(0)] = signOutputs(secret, keyId, [own], random);
      return { index: i + 1, signature };
    });
    const got = obtain(coconut, keys, { statement: requestOf(keyId, own), opening }, partials, {
      verifier: mcl,
      random,
    });
    if (!got.ok) throw new Error('a dealt key signed wrongly');
    return got.credential;
  };
  const plan = () => ({ inputs: [token(10n)], outputs: [output(3n), output(7n)], deposits: [] });
  const make = (of = plan()) => makeTransaction(context, of, mcl, () => random);

  const transactions = Array.from({ length: batch }, () => make());
  const [first] = transactions as [Transaction];
  const one = plan();
  const verify = (verifier: Verifier, all: readonly Transaction[], times: number) => ({
    engine: verifier.engine,
    batch: all.length,
    each:
      leastCpu(times, () => {
        if (verifyTransactions(context, all, verifier, random).some((refusal) => refusal !== undefined))
          throw new Error('a good transaction was refused');
      }) / all.length,
  });
  return {
    bytes: encodeTransaction(first).length,
    json: JSON.stringify(transactionContentOf(first)).length,
    prove: leastCpu(runs, () => make(one)),
    verify: [
      verify(mcl, [first], runs * 2),
      verify(mcl, transactions, runs),
      verify(nobleVerifier, [first], Math.ceil(runs / 2)),
    ],
  };
}

export async function run(): Promise<void> {
  const { bytes, json, prove, verify } = await benchTransaction();
  console.log(`1 input, 2 outputs: ${bytes} bytes, ${json} as JSON; made in ${prove.toFixed(0)} ms of CPU`);
  for (const { engine, batch, each } of verify)
    console.log(`verified by ${engine.padEnd(8)} ${batch} at a time: ${each.toFixed(1)} ms of CPU each`);
}
