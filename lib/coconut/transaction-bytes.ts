/**
 * A transaction's two forms, which say the same: JSON on the wire, and the canonical bytes that are hashed, stored, and handed on to whoever finishes it.
 *
 *   u8 version ‖ LP(asset) ‖ u64be(epoch) ‖ u8 inputs ‖ u8 outputs ‖ u8 deposits ‖ u8 withdraw (0 or 1)
 *   inputs    h′ ‖ s′ ‖ κ ‖ ζ ‖ P                                                  288 bytes each
 *   outputs   com ‖ c_1 ‖ c_2 ‖ V ‖ owner's proof                                  416
 *   deposits  depositId ‖ u64be(value) ‖ owner ‖ u8 signatures ‖ (key ‖ signature)…   73 + 96·k
 *   withdraw  u64be(amount) ‖ LP(recipient) ‖ LP(memo)
 *   proof ‖ range                                                                 of the length that the counts say
 *
 * Every count and length follows from what stands before it; nothing is left to the sender's choice, and nothing may follow. A transaction with one input and two outputs has 2,388 bytes.
 * What can be judged without a curve is judged here: counts, lengths, scalars below r, distinct tags, deposits and outputs.
 */
import { createHash } from 'node:crypto';
import { concat, EncodingError, lp, tagged, u64be, utf8 } from '../messages/bytes.ts';
import { fromHex, type Hex, toHex } from '../messages/hex.ts';
import { MAX_SIDE, type TransactionContent, transactionContent, type Withdraw } from '../messages/tokens.ts';
import { CoconutError, decodeScalar, G1_BYTES, G2_BYTES, SCALAR_BYTES } from './groups.ts';
import { pieces } from './keys.ts';
import { isRangeProofShaped, rangeProofBytes } from './range-proof.ts';
import { requestProofBytes } from './request.ts';

const VERSION = 1;

/** Attributes of a token: its serial and its value, both hidden. */
export const TOKEN_ATTRIBUTES = 2;
/** Index of the value among them; the serial's is `SERIAL`. */
export const VALUE = 1;

/** A show with a tag, and a commitment to the value that it shows. */
export interface TransactionInput {
  /** h′, 48 bytes. */
  readonly h: Uint8Array;
  /** s′, 48. */
  readonly s: Uint8Array;
  /** κ, 96. */
  readonly kappa: Uint8Array;
  /** ζ, 48. */
  readonly tag: Uint8Array;
  /** P, 48. */
  readonly value: Uint8Array;
}

/** A request, made by whoever will own what is signed, and a commitment to its value. */
export interface TransactionOutput {
  /** com, 48 bytes. */
  readonly commitment: Uint8Array;
  /** c_1 (serial) and c_2 (value), 48 each. */
  readonly openings: readonly Uint8Array[];
  /** V, 48. */
  readonly value: Uint8Array;
  /** {@link OWNER_PROOF_BYTES}. */
  readonly ownerProof: Uint8Array;
}

/** What comes in from outside: k depositors' word for it. */
export interface TransactionDeposit {
  /** 32 bytes, chosen by the depositors; good once, in all epochs. */
  readonly depositId: Uint8Array;
  /** Below 2⁶⁴, in the asset's smallest unit. */
  readonly value: bigint;
  /** The hash of the outputs that it pays for, 32 bytes. */
  readonly owner: Uint8Array;
  /** Ed25519. */
  readonly signatures: readonly { readonly key: Hex; readonly signature: Uint8Array }[];
}

/** Everything but the proofs that the payer adds: what they are about. */
export interface TransactionStatement {
  readonly asset: string;
  readonly epoch: number;
  readonly inputs: readonly TransactionInput[];
  readonly outputs: readonly TransactionOutput[];
  readonly deposits: readonly TransactionDeposit[];
  readonly withdraw: Withdraw | undefined;
}

/** What is stated, and what proves it. */
export interface Transaction extends TransactionStatement {
  /** {@link transactionProofBytes}: c ‖ (z_serial ‖ z_v ‖ z_r ‖ z_a) of each input ‖ c_E ‖ z_E. */
  readonly proof: Uint8Array;
  /** `rangeProofBytes`; empty without outputs. */
  readonly range: Uint8Array;
}

/** c ‖ z_o ‖ z_serial ‖ z_v ‖ z_o1 ‖ z_o2 ‖ z_b: a request's proof, and the response of V's blinding. */
export const OWNER_PROOF_BYTES = requestProofBytes(TOKEN_ATTRIBUTES) + SCALAR_BYTES;
/** Responses of one input: serial, value, r, a. */
export const INPUT_RESPONSES = TOKEN_ATTRIBUTES + 2;

/** 96 + 128·inputs bytes. */
export function transactionProofBytes(inputs: number): number {
  return SCALAR_BYTES * (3 + INPUT_RESPONSES * inputs);
}

/** The canonical bytes, as in the head of this file. @throws {EncodingError} for what no transaction that was read can hold */
export function encodeTransaction(transaction: Transaction): Uint8Array {
  return concat(encodeStatement(transaction), transaction.proof, transaction.range);
}

/** The canonical bytes up to the payer's proofs, which are about all of it. @throws {EncodingError} as {@link encodeTransaction} */
export function encodeStatement(statement: TransactionStatement): Uint8Array {
  const { asset, epoch, inputs, outputs, deposits, withdraw } = statement;
  return concat(
    u8(VERSION),
    lp(utf8(asset)),
    u64be(epoch),
    u8(inputs.length),
    u8(outputs.length),
    u8(deposits.length),
    u8(withdraw ? 1 : 0),
    ...inputs.flatMap(({ h, s, kappa, tag, value }) => [h, s, kappa, tag, value]),
    ...outputs.flatMap(({ commitment, openings, value, ownerProof }) => [commitment, ...openings, value, ownerProof]),
    ...deposits.flatMap(({ depositId, value, owner, signatures }) => [
      depositId,
      u64be(value),
      owner,
      u8(signatures.length),
      ...signatures.flatMap(({ key, signature }) => [fromHex(key), signature]),
    ]),
    withdraw ? withdrawBytes(withdraw) : new Uint8Array(0),
  );
}

/** `u64be(amount) ‖ LP(recipient) ‖ LP(memo)`: what a vote has the hash of. */
export function withdrawBytes({ amount, recipient, memo }: Withdraw): Uint8Array {
  return concat(u64be(BigInt(amount)), lp(utf8(recipient)), lp(utf8(memo)));
}

function u8(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > 255)
    throw new EncodingError(`expected 0 ≤ x < 2^8, got ${value}`);
  return Uint8Array.of(value);
}

/** SHA-256(`LP("coterie/v1/transaction")` ‖ canonical bytes): of the proofs too, so that one id has one set of bytes. */
export function transactionId(transaction: Transaction): Hex {
  return toHex(createHash('sha256').update(tagged('transaction')).update(encodeTransaction(transaction)).digest());
}

/** As it travels in a `Transaction` message, without where to answer. */
export function transactionContentOf(transaction: Transaction): TransactionContent {
  const { asset, epoch, inputs, outputs, deposits, withdraw, proof, range } = transaction;
  return {
    version: VERSION,
    asset,
    epoch,
    inputs: inputs.map(({ h, s, kappa, tag, value }) => ({
      h: toHex(h),
      s: toHex(s),
      kappa: toHex(kappa),
      tag: toHex(tag),
      value: toHex(value),
    })),
    outputs: outputs.map(({ commitment, openings, value, ownerProof }) => ({
      commitment: toHex(commitment),
      openings: openings.map(toHex),
      value: toHex(value),
      ownerProof: toHex(ownerProof),
    })),
    deposits: deposits.map(({ depositId, value, owner, signatures }) => ({
      depositId: toHex(depositId),
      value: `${value}`,
      owner: toHex(owner),
      signatures: signatures.map(({ key, signature }) => ({ key, signature: toHex(signature) })),
    })),
    ...(withdraw ? { withdraw } : {}),
    proof: toHex(proof),
    range: toHex(range),
  };
}

/** A transaction of the right shape, or that there is none. */
export type TransactionReading =
  | { readonly ok: true; readonly transaction: Transaction }
  | { readonly ok: false; readonly reason: 'BadShape' | 'TooMany' };

const BAD: TransactionReading = { ok: false, reason: 'BadShape' };

/** Shape and limits, without one curve operation. @param source a message's content, or canonical bytes; anything else is refused */
export function readTransaction(source: unknown): TransactionReading {
  return source instanceof Uint8Array ? readBytes(source) : readContent(source);
}

function readContent(source: unknown): TransactionReading {
  // Told apart first, for the one refusal that a wallet can do something about.
  if (sidesOf(source).some((length) => length > MAX_SIDE)) return { ok: false, reason: 'TooMany' };
  const parsed = transactionContent.safeParse(source);
  if (!parsed.success) return BAD;
  const { asset, epoch, inputs, outputs, deposits, withdraw, proof, range } = parsed.data;
  if (withdraw && !(withdraw.recipient.isWellFormed() && withdraw.memo.isWellFormed())) return BAD;
  const transaction: Transaction = {
    asset,
    epoch,
    inputs: inputs.map(({ h, s, kappa, tag, value }) => ({
      h: fromHex(h),
      s: fromHex(s),
      kappa: fromHex(kappa),
      tag: fromHex(tag),
      value: fromHex(value),
    })),
    outputs: outputs.map(({ commitment, openings, value, ownerProof }) => ({
      commitment: fromHex(commitment),
      openings: openings.map(fromHex),
      value: fromHex(value),
      ownerProof: fromHex(ownerProof),
    })),
    deposits: deposits.map(({ depositId, value, owner, signatures }) => ({
      depositId: fromHex(depositId),
      value: BigInt(value),
      owner: fromHex(owner),
      signatures: signatures.map(({ key, signature }) => ({ key, signature: fromHex(signature) })),
    })),
    withdraw,
    proof: fromHex(proof),
    range: fromHex(range),
  };
  return isShaped(transaction) ? { ok: true, transaction } : BAD;
}

function sidesOf(source: unknown): number[] {
  if (typeof source !== 'object' || source === null) return [];
  const sides: Partial<Record<string, unknown>> = { ...source };
  return [sides['inputs'], sides['outputs'], sides['deposits']].map((side) => (Array.isArray(side) ? side.length : 0));
}

/** Lengths of all proofs, by the counts, and every scalar in them below r: s and s + r would be two proofs of one thing. */
function isShaped({ inputs, outputs, proof, range }: Transaction): boolean {
  return (
    proof.length === transactionProofBytes(inputs.length) &&
    areScalars(proof) &&
    outputs.every(({ ownerProof }) => ownerProof.length === OWNER_PROOF_BYTES && areScalars(ownerProof)) &&
    (outputs.length === 0 ? range.length === 0 : isRangeProofShaped(range, outputs.length))
  );
}

function areScalars(bytes: Uint8Array): boolean {
  try {
    pieces(bytes, SCALAR_BYTES).forEach(decodeScalar);
    return true;
  } catch (error) {
    if (error instanceof CoconutError) return false;
    throw error;
  }
}

// ------------------------------------------------------------------------------------------------ from bytes

/** There are fewer bytes than were asked for: no transaction. */
class Short extends Error {}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new Short();
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at);
  }
  u8(): number {
    return this.take(1)[0] as number;
  }
  u64(): bigint {
    return new DataView(this.take(8).buffer).getBigUint64(0);
  }
  text(): string {
    const length = new DataView(this.take(4).buffer).getUint32(0);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.take(length));
  }
  times<T>(count: number, read: () => T): T[] {
    return Array.from({ length: count }, read);
  }
  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }
}

/** By way of the JSON form: one schema judges both, so neither can hold what the other refuses. */
function readBytes(bytes: Uint8Array): TransactionReading {
  const content = contentIn(bytes);
  return content === 'BadShape' || content === 'TooMany' ? { ok: false, reason: content } : readContent(content);
}

function contentIn(bytes: Uint8Array): TransactionContent | 'BadShape' | 'TooMany' {
  const reader = new Reader(bytes);
  const hex = (length: number) => toHex(reader.take(length));
  try {
    const version = reader.u8();
    const asset = reader.text();
    const epoch = Number(reader.u64());
    const [inputs, outputs, deposits, withdraws] = [reader.u8(), reader.u8(), reader.u8(), reader.u8()];
    if (version !== VERSION || withdraws > 1) return 'BadShape';
    if (Math.max(inputs, outputs, deposits) > MAX_SIDE) return 'TooMany';
    const content: TransactionContent = {
      version,
      asset,
      epoch,
      inputs: reader.times(inputs, () => ({
        h: hex(G1_BYTES),
        s: hex(G1_BYTES),
        kappa: hex(G2_BYTES),
        tag: hex(G1_BYTES),
        value: hex(G1_BYTES),
      })),
      outputs: reader.times(outputs, () => ({
        commitment: hex(G1_BYTES),
        openings: reader.times(TOKEN_ATTRIBUTES, () => hex(G1_BYTES)),
        value: hex(G1_BYTES),
        ownerProof: hex(OWNER_PROOF_BYTES),
      })),
      deposits: reader.times(deposits, () => ({
        depositId: hex(32),
        value: `${reader.u64()}`,
        owner: hex(32),
        signatures: reader.times(reader.u8(), () => ({ key: hex(32), signature: hex(64) })),
      })),
      ...(withdraws === 1
        ? { withdraw: { amount: `${reader.u64()}`, recipient: reader.text(), memo: reader.text() } }
        : {}),
      proof: hex(transactionProofBytes(inputs)),
      range: outputs === 0 ? '0x' : hex(rangeProofBytes(outputs)),
    };
    return reader.ended ? content : 'BadShape';
  } catch (error) {
    // `TypeError` is the decoder's, for bytes that are no UTF-8.
    if (error instanceof Short || error instanceof TypeError) return 'BadShape';
    throw error;
  }
}
