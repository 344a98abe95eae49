/**
 * Statements and their sealed form: the two layers of every message between processors.
 *
 * A statement is evidence: whoever holds it can prove to anyone what was said. A sealed statement adds secrecy, and authenticity before it is opened.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { concat, lp, tagged, u16be, utf8 } from './bytes.ts';
import { sign, verifies } from './ed25519.ts';
import { coin, hex32, hex64, hexUpTo } from './fields.ts';
import { fromHex, type Hex, toHex } from './hex.ts';

/** Message names without `Out` and `In`, with the partition each travels on. */
const PARTITION = {
  SignerReady: 'encrypted',
  EncryptedPublicKey: 'encrypted',
  EncryptedKeyGenCommitment: 'encrypted',
  EncryptedKeyShare: 'encrypted',
  KeyGenVerdict: 'general',
  KeyGenEvidence: 'general',
  KeyGenCertificate: 'general',
  NonceCommitment: 'general',
  SigningPackage: 'general',
  SignatureShare: 'general',
  Signature: 'general',
  SpentSerials: 'general',
  SpentSerialsRequest: 'general',
} as const;

export type StatementType = keyof typeof PARTITION;
export const STATEMENT_TYPES = Object.keys(PARTITION) as readonly StatementType[];

export function partitionOf(type: StatementType): 'general' | 'encrypted' {
  return PARTITION[type];
}

/** Content is at most this many bytes of text. The longest is a package for 100 signers; with its quotes escaped it just fits into a body. */
export const MAX_CONTENT_BYTES = 250_000;

const operatorIndex = z.int().min(1).max(100);
const header = {
  type: z.enum(STATEMENT_TYPES as [StatementType, ...StatementType[]]),
  committee: hex32,
  coin,
  ceremony: hex32,
  slot: z.string().regex(/^[a-z0-9.-]{0,32}$/, 'expected at most 32 of a-z, 0-9, dot and hyphen'),
  from: operatorIndex,
  to: z.int().min(0).max(100),
};

/** Who says what to whom, where. `to` 0 is everybody. */
export interface Header {
  readonly type: StatementType;
  readonly committee: Hex;
  readonly coin: string;
  readonly ceremony: Hex;
  readonly slot: string;
  readonly from: number;
  readonly to: number;
}

export interface Statement extends Header {
  /** JSON text: what was signed are these bytes, never a re-serialised object. */
  readonly content: string;
  /** Ed25519, 64 bytes. */
  readonly signature: Hex;
}

export interface SealedStatement extends Header {
  readonly recipient: number;
  /** HPKE encapsulated key, 32 bytes. */
  readonly enc: Hex;
  readonly ciphertext: Hex;
  readonly signature: Hex;
}

export const statementSchema = z.strictObject({
  ...header,
  content: z.string().max(MAX_CONTENT_BYTES),
  signature: hex64,
});
export const sealedSchema = z.strictObject({
  ...header,
  recipient: operatorIndex,
  enc: hex32,
  // A sealed statement is text with hex inside, so at most half of a body.
  ciphertext: hexUpTo(120_000, 16),
  signature: hex64,
});

export function headerBytes({ type, committee, coin: of, ceremony, slot, from, to }: Header): Uint8Array {
  return concat(
    lp(utf8(type)),
    fromHex(committee),
    lp(utf8(of)),
    fromHex(ceremony),
    lp(utf8(slot)),
    u16be(from),
    u16be(to),
  );
}

/** What a statement's signature covers. */
export function statementBytes(statement: Header & { readonly content: string }): Uint8Array {
  return concat(tagged('statement'), headerBytes(statement), lp(utf8(statement.content)));
}

/** What the outer signature of a sealed statement covers. */
export function sealedBytes(sealed: Header & Pick<SealedStatement, 'recipient' | 'enc' | 'ciphertext'>): Uint8Array {
  const digest = createHash('sha256').update(fromHex(sealed.ciphertext)).digest();
  return concat(tagged('sealed'), headerBytes(sealed), u16be(sealed.recipient), fromHex(sealed.enc), digest);
}

/** @param secret Ed25519, 32 bytes */
export function signStatement(of: Header, content: string, secret: Uint8Array): Statement {
  const { type, committee, coin: which, ceremony, slot, from, to } = of;
  const unsigned = { type, committee, coin: which, ceremony, slot, from, to, content };
  return { ...unsigned, signature: toHex(sign(statementBytes(unsigned), secret)) };
}

export function verifyStatement(statement: Statement, publicKey: Hex): boolean {
  return verifies(statementBytes(statement), fromHex(statement.signature), publicKey);
}

/** @param secret Ed25519, 32 bytes */
export function signSealed(unsigned: Omit<SealedStatement, 'signature'>, secret: Uint8Array): SealedStatement {
  return { ...unsigned, signature: toHex(sign(sealedBytes(unsigned), secret)) };
}

export function verifySealed(sealed: SealedStatement, publicKey: Hex): boolean {
  return verifies(sealedBytes(sealed), fromHex(sealed.signature), publicKey);
}

/** H(statement): SHA-256 of the signed bytes and the signature. */
export function statementHash(statement: Statement): Hex {
  return toHex(createHash('sha256').update(statementBytes(statement)).update(fromHex(statement.signature)).digest());
}
