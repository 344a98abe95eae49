/**
 * Verifying transactions: what a signing service does before it locks anything.
 *
 * Refusals come in the order of credentials.md: shape, limits, epoch, deposits' signatures; (the caller's locks;) proofs. Nothing here changes any state: the origin marked a tag as spent
 * before it looked at the proofs.
 *
 * What a transaction has to itself are small sums, whose results are hashed: three of each input, one of them in G2, and four of each output. What can be added up over a batch is: the pairings, N + 1
 * Miller loops and one final exponentiation for N inputs, and the range proofs, whose 2·N generators are the same for all.
 */
import type { RandomBytes } from '../ceremony.ts';
import { isBalanced } from './balance.ts';
import { areDeposited } from './deposit.ts';
import { Equations, failing } from './equations.ts';
import { g1, g2, tagGenerator, valueGenerator } from './generators.ts';
import { CoconutError, decodeScalar, Fr, type G2, SCALAR_BYTES } from './groups.ts';
import { pieces, type VerificationKey } from './keys.ts';
import { rangeEquations } from './range-proof.ts';
import {
  INPUT_RESPONSES,
  readTransaction,
  type Transaction,
  type TransactionInput,
  transactionContentOf,
} from './transaction-bytes.ts';
import { provenValue } from './transaction-output.ts';
import { beginTranscript, type InputFirst, type TransactionContext } from './transaction-proof.ts';
import { sumOfValues } from './value-commitment.ts';
import type { PublicG1, PublicG2, Verifier } from './verifier.ts';

/** Why a transaction's proofs are refused. */
export type ProofRefusal = 'BadShape' | 'BadProof' | 'Unbalanced' | 'OutOfRange';
/** Why a transaction is refused before anything is locked. */
export type TransactionRefusal = ProofRefusal | 'TooMany' | 'WrongEpoch' | 'BadDeposit';

/**
 * Everything that does not depend on what was spent before. The order of checks is the order of cost.
 * @param random a cryptographic source, for the weights of a batch
 * @returns for each transaction why not, or nothing
 */
export function verifyTransactions(
  context: TransactionContext,
  transactions: readonly Transaction[],
  verifier: Verifier,
  random: RandomBytes,
): (TransactionRefusal | undefined)[] {
  const refusals = transactions.map((transaction) => cheaply(context, transaction));
  const left = transactions.flatMap((transaction, at) => (refusals[at] ? [] : [{ transaction, at }]));
  const proven = verifyProofs(
    context,
    left.map(({ transaction }) => transaction),
    verifier,
    random,
  );
  const result: (TransactionRefusal | undefined)[] = [...refusals];
  for (const [k, { at }] of left.entries()) result[at] = proven[k];
  return result;
}

/** Good, or why not. */
export type Verified = { readonly ok: true } | { readonly ok: false; readonly refusal: TransactionRefusal };

/** One transaction, as {@link verifyTransactions}. */
export function verifyTransaction(
  context: TransactionContext,
  transaction: Transaction,
  verifier: Verifier,
  random: RandomBytes,
): Verified {
  const [refusal] = verifyTransactions(context, [transaction], verifier, random);
  return refusal ? { ok: false, refusal } : { ok: true };
}

function cheaply(context: TransactionContext, transaction: Transaction): TransactionRefusal | undefined {
  // Whoever calls this with what it did not read has it read here.
  const reading = readTransaction(transactionContentOf(transaction));
  if (!reading.ok) return reading.reason;
  // A key is of one asset and one epoch: in another nothing of this would be proven.
  if (transaction.asset !== context.asset) return 'BadShape';
  if (transaction.epoch !== context.epoch) return 'WrongEpoch';
  return areDeposited(context, context.depositors, transaction) ? undefined : 'BadDeposit';
}

/** What is left of a transaction's proofs when all that concerns it alone was found right. */
interface Examined {
  /** Each input's pairing. */
  readonly signed: Equations | undefined;
  /** The range of all outputs. */
  readonly range: Equations | undefined;
}

/**
 * The proofs alone, of transactions that {@link readTransaction} gave.
 * @returns for each transaction why not, or nothing; `Unbalanced` where the shows hold and the balance does not, `OutOfRange` where all else holds
 */
export function verifyProofs(
  context: TransactionContext,
  transactions: readonly Transaction[],
  verifier: Verifier,
  random: RandomBytes,
): (ProofRefusal | undefined)[] {
  const found = transactions.map((transaction) => examined(context, transaction, verifier));
  const refusals = found.map((each) => (typeof each === 'string' ? each : undefined));
  const left = found.flatMap((each, at) => (typeof each === 'string' ? [] : [{ ...each, at }]));
  if (left.length === 0) return refusals;
  const records = left.map(({ signed, range }) => together(signed, range));
  for (const k of failing(verifier, records, random)) {
    const { signed, at } = left[k] as (typeof left)[number];
    refusals[at] = signed && !signed.check(verifier, random) ? 'BadProof' : 'OutOfRange';
  }
  return refusals;
}

function together(...parts: readonly (Equations | undefined)[]): Equations {
  const all = new Equations();
  for (const part of parts) {
    for (const terms of part?.inG1 ?? []) all.addG1(terms);
    for (const terms of part?.inG2 ?? []) all.addG2(terms);
    for (const pairs of part?.products ?? []) all.addPairing(pairs);
  }
  return all;
}

function examined(context: TransactionContext, transaction: Transaction, verifier: Verifier): Examined | ProofRefusal {
  try {
    return examine(context, transaction, verifier);
  } catch (error) {
    // A point that is not canonical, in its group and other than the identity.
    if (error instanceof CoconutError) return 'BadShape';
    throw error;
  }
}

function examine(context: TransactionContext, transaction: Transaction, verifier: Verifier): Examined | ProofRefusal {
  const { key } = context;
  const { deposits, withdraw, proof, range } = transaction;
  if (transaction.inputs.length + transaction.outputs.length === 0) return 'BadShape';
  const deposited = boundedSum(deposits.map(({ value }) => value));
  const withdrawn = withdraw ? boundedSum([BigInt(withdraw.amount)]) : 0n;
  if (deposited === undefined || withdrawn === undefined) return 'OutOfRange';

  const scalars = pieces(proof, SCALAR_BYTES).map(decodeScalar);
  const c = scalars[0] as bigint;
  const [cBalance, zBalance] = scalars.slice(-2) as [bigint, bigint];
  const inputs = transaction.inputs.map((input, i) => {
    const from = 1 + INPUT_RESPONSES * i;
    const z = scalars.slice(from, from + INPUT_RESPONSES) as [bigint, bigint, bigint, bigint];
    return judgeInput(verifier, key, input, c, z);
  });

  const outputs: { readonly bytes: Uint8Array; readonly point: PublicG1 }[] = [];
  for (const output of transaction.outputs) {
    const point = provenValue(verifier, key.id, output);
    if (!point) return 'BadProof';
    outputs.push({ bytes: output.value, point });
  }

  const transcript = beginTranscript(
    context,
    transaction,
    inputs.map(({ first }) => first),
  );
  const rangeLeft = outputs.length === 0 ? undefined : rangeEquations(transcript, verifier, outputs, range);
  // The challenge that came is only compared.
  if (transcript.challenge('c') !== c) return 'BadProof';
  const balance = {
    inputs: inputs.map(({ P }) => P),
    outputs: outputs.map(({ point }) => point),
    deposited,
    withdrawn,
  };
  if (!isBalanced(transcript, verifier, balance, { c: cBalance, z: zBalance })) return 'Unbalanced';
  const signed = inputs.length === 0 ? undefined : together(...inputs.map(({ pairing }) => pairing));
  return { signed, range: rangeLeft };
}

function boundedSum(values: readonly bigint[]): bigint | undefined {
  try {
    return sumOfValues(values);
  } catch (error) {
    if (error instanceof CoconutError) return undefined;
    throw error;
  }
}

interface JudgedInput {
  readonly first: InputFirst;
  readonly P: PublicG1;
  readonly pairing: Equations;
}

/**
 * What has to be hashed, and the pairing that is left:
 *
 *   A_κ = z_serial·β̃_1 + z_v·β̃_2 + z_r·g2 − c·κ,   A_ζ = z_serial·G_tag − c·ζ,   A_P = z_a·g1 + z_v·H_v − c·P
 *   e(h′, α + κ) = e(s′, g2)
 *
 * z_serial ties the tag to the credential, z_v the commitment.
 */
function judgeInput(
  verifier: Verifier,
  key: VerificationKey,
  input: TransactionInput,
  c: bigint,
  [zSerial, zv, zr, za]: readonly [bigint, bigint, bigint, bigint],
): JudgedInput {
  // h′ = 0 and s′ = 0 satisfy the pairing for any attributes; decoding refuses them (attack ECASH-02).
  const [h, s] = [verifier.decodeG1(input.h), verifier.decodeG1(input.s)];
  const kappa = verifier.decodeG2(input.kappa);
  const [tag, P] = [verifier.decodeG1(input.tag), verifier.decodeG1(input.value)];
  const minus = Fr.neg(c);
  const base = verifier.fromG2(g2);
  const [serialKey, valueKey] = key.betaTilde.map((point) => verifier.fromG2(point)) as [PublicG2, PublicG2];
  const first: InputFirst = {
    kappa: verifier.encodeG2(
      verifier.sumG2([
        [zSerial, serialKey],
        [zv, valueKey],
        [zr, base],
        [minus, kappa],
      ]),
    ),
    tag: verifier.encodeG1(
      verifier.sumG1([
        [zSerial, verifier.fromG1(tagGenerator())],
        [minus, tag],
      ]),
    ),
    value: verifier.encodeG1(
      verifier.sumG1([
        [za, verifier.fromG1(g1)],
        [zv, verifier.fromG1(valueGenerator())],
        [minus, P],
      ]),
    ),
  };
  const signed = verifier.addG2(verifier.fromG2(key.alpha as G2), kappa);
  const pairing = new Equations().addPairing([
    [1n, h, signed],
    [Fr.neg(1n), s, base],
  ]);
  return { first, P, pairing };
}
