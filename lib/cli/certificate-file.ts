/**
 * A certificate as it leaves an operator: with the statement by which that operator's processor announced it, so that whoever has the committee file sees who says so, and so
 * that an operator that missed it can be handed it.
 */
import * as z from 'zod';
import { type Certificate, certificateSchema, verifyCertificate } from '../messages/certificate.ts';
import type { Committee } from '../messages/committee.ts';
import { contentText, parseContent } from '../messages/contents.ts';
import { hex32, reasonOf } from '../messages/fields.ts';
import type { Hex } from '../messages/hex.ts';
import { parseStrict } from '../messages/json.ts';
import { ceremonyId } from '../messages/parameters.ts';
import { type Statement, statementSchema, verifyStatement } from '../messages/statement.ts';
import { ceremonyPartition } from '../node/rows.ts';
import type { Reader } from '../view/reader.ts';
import { readText } from './deploy-files.ts';
import { UsageError } from './usage.ts';

const MAX_FILE_BYTES = 1_000_000;

export const certificateFile = z.strictObject({
  version: z.literal(1),
  committee: hex32,
  certificate: certificateSchema,
  /** `KeyGenCertificate` of one operator; absent when its row has expired. */
  announcement: statementSchema.optional(),
});
export type CertificateFile = z.infer<typeof certificateFile>;

export interface VerifiedFile {
  readonly file: CertificateFile;
  readonly keyId: Hex;
  readonly ceremony: Hex;
  /** Whose processor announced it; `undefined`: the file does not say, and anybody may have copied it. */
  readonly announcedBy: number | undefined;
}

/** @throws {UsageError} unless the certificate verifies under the committee, and the announcement, if any, is of this certificate and of a member */
export function readCertificateFile(path: string, committee: Committee): VerifiedFile {
  const json = parseStrict(readText(path, 'a certificate'), MAX_FILE_BYTES);
  if (!json.ok) throw new UsageError(`${path}: ${json.reason} (expected what coterie certificate export wrote)`);
  const parsed = certificateFile.safeParse(json.value);
  if (!parsed.success)
    throw new UsageError(`${path}: ${reasonOf(parsed.error)} (expected what coterie certificate export wrote)`);
  const { certificate, announcement } = parsed.data;
  const verified = verifyCertificate(committee, certificate);
  if (!verified.ok) throw new UsageError(`${path}: the certificate proves nothing: ${verified.reason}`);
  const ceremony = ceremonyId(certificate.parameters);
  if (announcement) {
    const why = whyNoAnnouncement(committee, certificate, announcement);
    if (why !== undefined) throw new UsageError(`${path}: the announcement proves nothing: ${why}`);
  }
  return { file: parsed.data, keyId: verified.keyId, ceremony, announcedBy: announcement?.from };
}

function whyNoAnnouncement(committee: Committee, certificate: Certificate, statement: Statement): string | undefined {
  const { coin } = certificate.parameters;
  if (statement.type !== 'KeyGenCertificate' || statement.committee !== committee.id || statement.coin !== coin)
    return 'it is about something else';
  if (statement.ceremony !== ceremonyId(certificate.parameters)) return 'it is of another ceremony';
  if (!certificate.parameters.signers.includes(statement.from)) return 'its sender did not make this key';
  if (!verifyStatement(statement, committee.signatureKey(coin, statement.from))) return 'its signature does not verify';
  const parsed = parseContent('KeyGenCertificate', statement.content);
  if (!parsed.ok) return parsed.reason;
  const same = contentText('KeyGenCertificate', parsed.content) === contentText('KeyGenCertificate', { certificate });
  return same ? undefined : 'it is of another certificate';
}

/** The statement that left this operator, from its outbox. */
export async function announcementOf(reader: Reader, certificate: Certificate): Promise<Statement | undefined> {
  const rows = await reader.query(
    'Ceremonies',
    ceremonyPartition(ceremonyId(certificate.parameters)),
    'OUT#KeyGenCertificate',
  );
  for (const row of rows) {
    const { bodies } = row;
    for (const body of Array.isArray(bodies) ? (bodies as readonly (string | Uint8Array)[]) : []) {
      const value = typeof body === 'string' ? (JSON.parse(body) as Record<string, unknown>) : {};
      const parsed = statementSchema.safeParse(value['KeyGenCertificateOut']);
      // What was said to all; an answer to one reader could be handed to that one only.
      if (parsed.success && parsed.data.to === 0) return parsed.data;
    }
  }
  return undefined;
}
