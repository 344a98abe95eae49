/** What n confirmations of one transcript prove, to anyone who has the committee file. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { concat, list, lp, tagged, u16be } from './bytes.ts';
import type { Committee } from './committee.ts';
import { hex32, hex64, hexUpTo } from './fields.ts';
import { fromHex, type Hex, toHex } from './hex.ts';
import { ceremonyId, keygenParameters } from './parameters.ts';
import { type Statement, verifyStatement } from './statement.ts';

const compressedPoint = hexUpTo(96, 32);
const perSigner = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(100);

/** All arrays are in the order of `parameters.signers`. */
export const certificateSchema = z.strictObject({
  parameters: keygenParameters,
  /** H(EncryptedPublicKey statement) of each participant. */
  publicKeyHashes: perSigner(hex32),
  /** H(EncryptedKeyGenCommitment statement) of each participant. */
  commitmentHashes: perSigner(hex32),
  /** Compressed, before any tweak. */
  internalKey: compressedPoint,
  /** 32 bytes: x-only and tweaked for Taproot, or the Ed25519 key. */
  outputKey: compressedPoint,
  /** Compressed, of the key that signs. */
  verifyingShares: perSigner(compressedPoint),
  /** Each participant's signature on its confirmation. */
  signatures: perSigner(hex64),
});
export type Certificate = z.infer<typeof certificateSchema>;
export type TranscriptContent = Omit<Certificate, 'signatures'>;

/** The transcript hash (32 bytes) that every participant confirms. */
export function transcriptHash(content: TranscriptContent): Hex {
  const { parameters, publicKeyHashes, commitmentHashes } = content;
  const statements = parameters.signers.flatMap((_, i) => [
    fromHex(publicKeyHashes[i] ?? '0x'),
    fromHex(commitmentHashes[i] ?? '0x'),
  ]);
  const bytes = concat(
    tagged('transcript'),
    fromHex(ceremonyId(parameters)),
    u16be(parameters.t),
    u16be(parameters.signers.length),
    ...statements,
    lp(fromHex(content.internalKey)),
    lp(fromHex(content.outputKey)),
    list(content.verifyingShares.map(fromHex)),
  );
  return toHex(createHash('sha256').update(bytes).digest());
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

/** Checks all n signatures of a certificate under the committee's keys. That the key follows from the commitments is what each participant confirmed. */
export function verifyCertificate(committee: Committee, certificate: Certificate): VerifiedCertificate {
  const { parameters, signatures } = certificate;
  const n = parameters.signers.length;
  if (parameters.committee !== committee.id) return { ok: false, reason: 'expected this committee, got another' };
  const counts = {
    publicKeyHashes: certificate.publicKeyHashes,
    commitmentHashes: certificate.commitmentHashes,
    verifyingShares: certificate.verifyingShares,
    signatures,
  };
  for (const [name, { length }] of Object.entries(counts)) {
    if (length !== n) return { ok: false, reason: `expected ${n} ${name}, got ${length}` };
  }
  for (const [i, index] of parameters.signers.entries()) {
    if (!committee.operator(index)?.coins[parameters.coin])
      return { ok: false, reason: `operator ${index} is not of this committee for ${parameters.coin}` };
    const confirmation = confirmationOf(committee.id, certificate, index, signatures[i] ?? '0x');
    if (!verifyStatement(confirmation, committee.signatureKey(parameters.coin, index))) {
      return { ok: false, reason: `the confirmation of operator ${index} does not verify` };
    }
  }
  const transcript = transcriptHash(certificate);
  return { ok: true, keyId: keyId(ceremonyId(parameters), transcript), transcript };
}
