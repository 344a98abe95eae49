/** What n confirmations of one transcript prove, to anyone who has the committee file. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { concat, EncodingError, list, lp, tagged, u16be } from './bytes.ts';
import type { Committee } from './committee.ts';
import { hex32, hex64, hexOf, hexUpTo } from './fields.ts';
import { fromHex, type Hex, toHex } from './hex.ts';
import { ceremonyId, coconutKeygenParameters, frostKeygenParameters, MAX_SERVICES } from './parameters.ts';
import { type Statement, verifyStatement } from './statement.ts';

const compressedPoint = hexUpTo(96, 32);
const perSigner = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(100);

/** All arrays are in the order of `parameters.signers`. */
const agreed = {
  /** H(EncryptedPublicKey statement) of each participant. */
  publicKeyHashes: perSigner(hex32),
  /** H(EncryptedKeyGenCommitment statement) of each participant. */
  commitmentHashes: perSigner(hex32),
};
/** Each participant's signature on its confirmation. */
const signatures = perSigner(hex64);

export const frostCertificate = z.strictObject({
  parameters: frostKeygenParameters,
  ...agreed,
  /** Compressed, before any tweak. */
  internalKey: compressedPoint,
  /** 32 bytes: x-only and tweaked for Taproot, or the Ed25519 key. */
  outputKey: compressedPoint,
  /** Compressed, of the key that signs. */
  verifyingShares: perSigner(compressedPoint),
  signatures,
});

/** Attributes of a token, both hidden: serial number and value. */
export const ATTRIBUTES = 2;
/** A key that verifies credentials, or one service's partial signatures: α = x·g2, β_j = y_j·g1, β̃_j = y_j·g2. */
const coconutKey = z.strictObject({
  alpha: hexOf(96),
  beta: z.array(hexOf(48)).length(ATTRIBUTES),
  betaTilde: z.array(hexOf(96)).length(ATTRIBUTES),
});
export type CoconutKey = z.infer<typeof coconutKey>;

export const coconutCertificate = z.strictObject({
  parameters: coconutKeygenParameters,
  ...agreed,
  verificationKey: coconutKey,
  /** What verifies the partial signatures of each service. */
  serviceKeys: z.array(coconutKey).min(1).max(MAX_SERVICES),
  signatures,
});

/** The fields say which suite it is of, and the suite must be of that kind. */
export const certificateSchema = z.union([frostCertificate, coconutCertificate]);
export type FrostCertificate = z.infer<typeof frostCertificate>;
export type CoconutCertificate = z.infer<typeof coconutCertificate>;
export type Certificate = FrostCertificate | CoconutCertificate;
export type TranscriptContent = Omit<FrostCertificate, 'signatures'> | Omit<CoconutCertificate, 'signatures'>;

/**
 * The transcript hash (32 bytes) that every participant confirms. It covers every field (attack DKG-09): the parameters through the ceremony's id.
 * @throws {EncodingError} unless there are as many hashes of each kind as signers: without a count in front, a missing one would shift the rest
 */
export function transcriptHash(content: TranscriptContent): Hex {
  const { parameters, publicKeyHashes, commitmentHashes } = content;
  const statements = parameters.signers.flatMap((_, i) => [publicKeyHashes[i], commitmentHashes[i]]);
  if (publicKeyHashes.length > parameters.signers.length || commitmentHashes.length > parameters.signers.length)
    throw new EncodingError(`expected ${parameters.signers.length} hashes of each kind, got more`);
  const bytes = concat(
    tagged('transcript'),
    fromHex(ceremonyId(parameters)),
    u16be(parameters.t),
    u16be(parameters.signers.length),
    ...statements.map((hash) => {
      if (hash === undefined)
        throw new EncodingError(`expected ${parameters.signers.length} hashes of each kind, got fewer`);
      return fromHex(hash);
    }),
    ...keyBytes(content),
  );
  return toHex(createHash('sha256').update(bytes).digest());
}

/** What was agreed about the key: a value of the one kind never has the bytes of the other, and the suite in the ceremony's id says which it is. */
function keyBytes(content: TranscriptContent): readonly Uint8Array[] {
  if ('verificationKey' in content)
    return [lp(coconutKeyBytes(content.verificationKey)), list(content.serviceKeys.map(coconutKeyBytes))];
  const { internalKey, outputKey, verifyingShares } = content;
  return [lp(fromHex(internalKey)), lp(fromHex(outputKey)), list(verifyingShares.map(fromHex))];
}

/** LP(α) ‖ list(β_j) ‖ list(β̃_j) */
function coconutKeyBytes({ alpha, beta, betaTilde }: CoconutKey): Uint8Array {
  return concat(lp(fromHex(alpha)), list(beta.map(fromHex)), list(betaTilde.map(fromHex)));
}

/** A key's id (32 bytes): of the ceremony that made it and everything that was agreed in it. */
export function keyId(ceremony: Hex, transcript: Hex): Hex {
  return toHex(
    createHash('sha256')
      .update(concat(tagged('key-id'), fromHex(ceremony), fromHex(transcript)))
      .digest(),
  );
}

/** The statement that participant `from` signed, if it signed this certificate. */
export function confirmationOf(committee: Hex, content: TranscriptContent, from: number, signature: Hex): Statement {
  const { coin } = content.parameters;
  return {
    type: 'KeyGenVerdict',
    committee,
    coin,
    ceremony: ceremonyId(content.parameters),
    slot: '',
    from,
    to: 0,
    content: `{"confirmed":"${transcriptHash(content)}"}`,
    signature,
  };
}

export type VerifiedCertificate =
  | { readonly ok: true; readonly keyId: Hex; readonly transcript: Hex }
  | { readonly ok: false; readonly reason: string };

/**
 * Checks all n signatures of a certificate under the committee's keys, and that suite and threshold are the committee's: a few operators could otherwise
 * confirm a weaker key among themselves (attack CTX-09). That the key follows from the commitments is what each participant confirmed.
 */
export function verifyCertificate(committee: Committee, certificate: Certificate): VerifiedCertificate {
  const { parameters, signatures } = certificate;
  const n = parameters.signers.length;
  if (parameters.committee !== committee.id) return { ok: false, reason: 'expected this committee, got another' };
  const pinned = committee.keyOf(parameters.coin);
  if (!pinned) return { ok: false, reason: `expected a coin or asset of the committee, got ${parameters.coin}` };
  if (parameters.suite !== pinned.suite)
    return { ok: false, reason: `expected suite ${pinned.suite}, got ${parameters.suite}` };
  if (parameters.t !== pinned.t) return { ok: false, reason: `expected t = ${pinned.t}, got ${parameters.t}` };
  const { publicKeyHashes, commitmentHashes } = certificate;
  const shares =
    'verificationKey' in certificate
      ? { serviceKeys: certificate.serviceKeys }
      : { verifyingShares: certificate.verifyingShares };
  for (const [name, { length }] of Object.entries({ publicKeyHashes, commitmentHashes, ...shares, signatures })) {
    if (length !== n) return { ok: false, reason: `expected ${n} ${name}, got ${length}` };
  }
  // An empty list of signers would be verified vacuously (attack ENC-07).
  if (n < parameters.t) return { ok: false, reason: `expected at least ${parameters.t} signers, got ${n}` };
  const members = new Set(committee.signersOf(parameters.coin));
  const stranger = parameters.signers.find((index) => !members.has(index));
  if (stranger !== undefined)
    return { ok: false, reason: `operator ${stranger} is not of this committee for ${parameters.coin}` };
  // The n confirmations differ in their senders only: what they confirm is hashed once.
  const confirmation = confirmationOf(committee.id, certificate, 0, '0x');
  for (const [i, from] of parameters.signers.entries()) {
    const said = { ...confirmation, from, signature: signatures[i] ?? '0x' };
    if (!verifyStatement(said, committee.signatureKey(parameters.coin, from)))
      return { ok: false, reason: `the confirmation of operator ${from} does not verify` };
  }
  const transcript = transcriptHash(certificate);
  return { ok: true, keyId: keyId(confirmation.ceremony, transcript), transcript };
}
