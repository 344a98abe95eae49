/** What a ceremony is about: its id is the hash of all of it. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { concat, list, lp, tagged, u16be, u64be, utf8 } from './bytes.ts';
import { coin, hex32, hexOf, hexUpTo, seconds, signers } from './fields.ts';
import { fromHex, type Hex, toHex } from './hex.ts';

export const SIGNING_SUITES = ['FROST-secp256k1-SHA256-TR-v1', 'FROST-ED25519-SHA512-v1'] as const;
export const COCONUT_SUITE = 'coconut-bls12381';
export const CEREMONY_SUITES = [...SIGNING_SUITES, COCONUT_SUITE] as const;
export const suiteName = z.enum(CEREMONY_SUITES);
/** Suites whose keys sign messages. */
export const signingSuite = z.enum(SIGNING_SUITES);
export type CeremonySuite = z.infer<typeof suiteName>;

/** One message to sign is at most this long: a Solana transaction has 1,232 bytes, a Bitcoin signature hash 32. */
export const MAX_MESSAGE_BYTES = 4_096;
/** … and all of one signing together: they travel as hex inside a statement, whose body has 256 KiB. */
export const MAX_MESSAGES_BYTES = 65_536;
export const message = hexUpTo(MAX_MESSAGE_BYTES, 1);
export const messages = z
  .array(message)
  .min(1)
  .max(100)
  .refine(
    (all) => all.reduce((sum, each) => sum + each.length / 2 - 1, 0) <= MAX_MESSAGES_BYTES,
    `expected at most ${MAX_MESSAGES_BYTES} bytes together`,
  );
export const purpose = z.string().regex(/^[\x20-\x7e]{1,64}$/, 'expected 1 to 64 printable ASCII characters');
export const requestId = hexOf(16);
export const threshold = z.int().min(1).max(100);
/** Services of one asset: what they send to each other grows with n · t. */
export const MAX_SERVICES = 31;

const common = <S extends z.ZodType<CeremonySuite>>(suite: S) => ({
  committee: hex32,
  coin,
  suite,
  t: threshold,
  signers,
  requestId,
  expiresAt: seconds,
});

const keygenOf = <S extends z.ZodType<CeremonySuite>>(suite: S) =>
  z
    .strictObject({ kind: z.literal('keygen'), ...common(suite) })
    .refine(({ t, signers: all }) => t <= all.length, 'expected t to be at most the number of signers');
const FEW = `expected at most ${MAX_SERVICES} signers`;
export const keygenParameters = keygenOf(suiteName).refine(
  ({ suite, signers: all }) => suite !== COCONUT_SUITE || all.length <= MAX_SERVICES,
  FEW,
);
export const frostKeygenParameters = keygenOf(signingSuite);
export const coconutKeygenParameters = keygenOf(z.literal(COCONUT_SUITE)).refine(
  ({ signers: all }) => all.length <= MAX_SERVICES,
  FEW,
);
export type KeygenParameters = z.infer<typeof keygenParameters>;
export type FrostKeygenParameters = z.infer<typeof frostKeygenParameters>;

export const signingParameters = z
  .strictObject({
    kind: z.literal('signing'),
    // A key of an asset signs no messages: a peer's parameters that say otherwise are no parameters.
    ...common(signingSuite),
    keyId: hex32,
    messages,
    purpose,
  })
  .refine(({ t, signers: all }) => t <= all.length, 'expected t to be at most the number of signers')
  .refine(({ t, messages: all }) => all.length <= maximumMessages(t), 'expected at most min(100, 1450 / t) messages');
export type SigningParameters = z.infer<typeof signingParameters>;

export type CeremonyParameters = KeygenParameters | SigningParameters;

/**
 * M, the most messages of one signing. A package carries t · M pairs of commitments, 171 bytes of a body each (secp256k1, quotes escaped), and t hashes of 71:
 * 1,450 pairs fit into 256 KiB at every t, 1,500 do not from t = 75 on.
 */
export function maximumMessages(t: number): number {
  return Math.min(100, Math.floor(1_450 / t));
}

/**
 * The ceremony's id (32 bytes): two ceremonies that differ in anything have different ids (attacks CTX-01, CTX-03).
 * @throws {EncodingError} for parameters that no schema accepts: an index or `t` beyond 16 bits
 */
export function ceremonyId(parameters: CeremonyParameters): Hex {
  const signing = parameters.kind === 'signing' ? parameters : undefined;
  const bytes = concat(
    tagged('ceremony'),
    lp(utf8(parameters.kind)),
    fromHex(parameters.committee),
    lp(utf8(parameters.coin)),
    lp(utf8(parameters.suite)),
    u16be(parameters.t),
    list(parameters.signers.map(u16be)),
    lp(signing ? fromHex(signing.keyId) : new Uint8Array()),
    list((signing?.messages ?? []).map(fromHex)),
    lp(utf8(signing?.purpose ?? '')),
    fromHex(parameters.requestId),
    u64be(parameters.expiresAt),
  );
  return toHex(createHash('sha256').update(bytes).digest());
}
