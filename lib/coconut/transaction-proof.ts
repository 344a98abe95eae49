/**
 * The payer's proof that a transaction is right (credentials.md, "Transactions"): for each input a show with its tag and a commitment P = a·g1 + v·H_v to the value that it shows, the
 * range of every output, and the balance, in one transcript.
 *
 * Its order: everything that is stated, the first messages of all inputs, the range proof, c; the first message of the balance, c_E. c comes after the range proof because the
 * transaction's id covers it all: the payee of a single output knows its opening and could prove its range a second time, and with another id for the same tags divide the services'
 * locks until neither has t. So nobody but the payer can make another transaction of this one.
 */
import { createHash } from 'node:crypto';
import type { RandomBytes } from '../ceremony.ts';
import { concat, list, tagged, utf8 } from '../messages/bytes.ts';
import { toHex } from '../messages/hex.ts';
import { COCONUT_SUITE } from '../messages/parameters.ts';
import { MAX_SIDE, type Withdraw } from '../messages/tokens.ts';
import { proveBalance } from './balance.ts';
import { ALL_HIDDEN, type CoconutParameters } from './coconut.ts';
import type { DepositContext, Depositors } from './deposit.ts';
import { CoconutError, encodeG1, encodeScalar, Fr, randomScalar } from './groups.ts';
import type { Credential } from './issue.ts';
import type { VerificationKey } from './keys.ts';
import { proveRange } from './range-proof.ts';
import { respond } from './request.ts';
import { type BegunShow, beginShow } from './show.ts';
import {
  encodeStatement,
  TOKEN_ATTRIBUTES,
  type Transaction,
  type TransactionDeposit,
  type TransactionInput,
  type TransactionOutput,
  type TransactionStatement,
  VALUE,
} from './transaction-bytes.ts';
import { Transcript } from './transcript.ts';
import { commitValue, expectValue, sumOfValues, type ValueOpening } from './value-commitment.ts';
import type { Verifier } from './verifier.ts';

/** Index of the value among a token's attributes. */
export { VALUE };

/** What a verifier knows by itself, and every challenge contains. */
export interface TransactionContext extends DepositContext {
  readonly network: string;
  readonly epoch: number;
  /** q = 2, t of n. */
  readonly parameters: CoconutParameters;
  readonly key: VerificationKey;
  readonly depositors: Depositors;
}

/** First messages of one input: A_κ (96 bytes), A_ζ and A_P (48). */
export interface InputFirst {
  readonly kappa: Uint8Array;
  readonly tag: Uint8Array;
  readonly value: Uint8Array;
}

/** The transcript up to the range proof: who verifies, all that is stated with every count, and the first messages. */
export function beginTranscript(
  { network, parameters, key }: TransactionContext,
  statement: TransactionStatement,
  first: readonly InputFirst[],
): Transcript {
  const transcript = new Transcript('coconut-transaction')
    .append('suite', utf8(COCONUT_SUITE))
    .append('key', key.id)
    .appendNumber('t', parameters.threshold)
    .appendNumber('n', parameters.total)
    .append('network', utf8(network))
    // Owners' proofs and depositors' signatures too: another valid one of either makes another id, and must not make another transaction.
    .append('statement', encodeStatement(statement))
    .appendNumber('inputs', first.length);
  for (const { kappa, tag, value } of first)
    transcript.append('A_kappa', kappa).append('A_tag', tag).append('A_P', value);
  return transcript;
}

/** An output with what its payee told the payer: an invoice. */
export interface Paid {
  readonly output: TransactionOutput;
  readonly invoiced: ValueOpening;
}

/** What a payer wants to do. */
export interface TransactionPlan {
  /** Tokens to spend, 0 to 8. SECRET */
  readonly inputs: readonly Credential[];
  /** 0 to 8, the payer's own change among them. */
  readonly outputs: readonly Paid[];
  /** Signed for {@link TransactionPlan.outputs} in this order. */
  readonly deposits: readonly TransactionDeposit[];
  readonly withdraw?: Withdraw | undefined;
}

/**
 * Randomness for one plan. The nonces of two transactions must never be the same: two answers to one nonce give the serial and the signature away. So a wallet that derives its
 * randomness gets the plan's hash (32 bytes) to derive it from, and cannot forget it.
 */
export type RandomnessOf = (plan: Uint8Array) => RandomBytes;

/** SHA-256 of key id, the tokens, and everything else that is stated: not of what is random in it. */
function planHash(
  { key }: TransactionContext,
  tokens: readonly Credential[],
  statement: TransactionStatement,
): Uint8Array {
  const bytes = concat(
    tagged('coconut-transaction'),
    key.id,
    // h is a hash of the token's request: one token, one h.
    list(tokens.map(({ h }) => encodeG1(h))),
    encodeStatement({ ...statement, inputs: [] }),
  );
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

interface BegunInput {
  readonly show: BegunShow;
  readonly input: TransactionInput;
  readonly first: InputFirst;
  readonly blinding: bigint;
  readonly blindingNonce: bigint;
}

function beginInput(key: VerificationKey, credential: Credential, random: RandomBytes): BegunInput {
  const show = beginShow(key, credential, ALL_HIDDEN, random);
  const { h, s, kappa, tag } = show.shown;
  const [blinding, blindingNonce] = [randomScalar(random), randomScalar(random)];
  const value = encodeG1(commitValue(credential.attributes[VALUE] as bigint, blinding, random));
  // The nonce of v in A_κ is the nonce of v here: the response is one, and so P has the value that is shown.
  const firstValue = encodeG1(commitValue(show.nonces.attributes[VALUE] as bigint, blindingNonce, random));
  if (!tag || !show.first.tag) throw new CoconutError('BadShow', 'a tag', 'none');
  return {
    show,
    input: { h, s, kappa, tag, value },
    first: { kappa: show.first.kappa, tag: show.first.tag, value: firstValue },
    blinding,
    blindingNonce,
  };
}

/**
 * A transaction of a plan. The same plan and randomness give the same bytes.
 * @param verifier does the public part of the range proof
 * @param randomnessOf asked once; inputs, range proof and balance draw from it in this order
 * @throws {CoconutError} `BadValue` if the plan does not balance or a value is outside its range; `BadAttributes` for a wrong number of attributes; `BadParameters` for more than 8 of
 * anything, for nothing, and for a tag or an output twice
 */
export function makeTransaction(
  context: TransactionContext,
  plan: TransactionPlan,
  verifier: Verifier,
  randomnessOf: RandomnessOf,
): Transaction {
  expectPlan(plan);
  const { asset, epoch, key } = context;
  const { inputs: credentials, deposits, withdraw } = plan;
  const outputs = plan.outputs.map(({ output }) => output);
  const stated = { asset, epoch, inputs: [], outputs, deposits, withdraw };

  const random = randomnessOf(planHash(context, credentials, stated));
  const begun = credentials.map((credential) => beginInput(key, credential, random));
  const statement: TransactionStatement = { ...stated, inputs: begun.map(({ input }) => input) };

  const transcript = beginTranscript(
    context,
    statement,
    begun.map(({ first }) => first),
  );
  const opened = plan.outputs.map(({ output, invoiced }) => ({ ...invoiced, commitment: output.value }));
  const range = opened.length === 0 ? new Uint8Array(0) : proveRange(transcript, verifier, opened, random);

  const c = transcript.challenge('c');
  const responses = begun.flatMap(({ show, blinding, blindingNonce }) => {
    const { attributes, r } = show.respond(c);
    return [...attributes, r, respond(blindingNonce, c, blinding)];
  });
  // e = Σb − Σa
  const sum = (all: readonly bigint[]) => all.reduce((total, each) => Fr.add(total, each), 0n);
  const e = Fr.sub(sum(opened.map(({ blinding }) => blinding)), sum(begun.map(({ blinding }) => blinding)));
  const balance = proveBalance(transcript, e, random);
  return { ...statement, proof: concat(encodeScalar(c), ...responses.map(encodeScalar), balance), range };
}

function expectPlan({ inputs, outputs, deposits, withdraw }: TransactionPlan): void {
  for (const side of [inputs, outputs, deposits])
    if (side.length > MAX_SIDE)
      throw new CoconutError('BadParameters', `at most ${MAX_SIDE} of each`, `${side.length}`);
  if (inputs.length + deposits.length === 0 || (outputs.length === 0 && withdraw === undefined))
    throw new CoconutError('BadParameters', 'something that comes in and something that goes out', 'nothing');
  for (const { attributes } of inputs)
    if (attributes.length !== TOKEN_ATTRIBUTES)
      throw new CoconutError('BadAttributes', `${TOKEN_ATTRIBUTES} attributes`, `${attributes.length}`);
  const serials = new Set(inputs.map(({ attributes: [serial] }) => serial));
  const requests = new Set(outputs.map(({ output: { commitment } }) => toHex(commitment)));
  if (serials.size !== inputs.length || requests.size !== outputs.length)
    throw new CoconutError('BadParameters', 'each token and each output once', 'one twice');

  const total = (values: readonly bigint[]) => values.reduce((sum, value) => sum + expectValue(value), 0n);
  const coming = total(inputs.map(({ attributes }) => attributes[VALUE] as bigint));
  const going = total(outputs.map(({ invoiced: { value } }) => value));
  // What everybody sees has to be a value in its sum, too.
  const deposited = sumOfValues(deposits.map(({ value }) => value));
  const withdrawn = sumOfValues(withdraw ? [BigInt(withdraw.amount)] : []);
  // Made anyway, it would be refused, and its nonces used up.
  if (coming + deposited !== going + withdrawn)
    throw new CoconutError('BadValue', 'as much coming in as going out', 'another sum');
}
