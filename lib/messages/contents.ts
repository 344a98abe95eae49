/** What each type of statement says, as JSON text inside the statement. */
import * as z from 'zod';
import { ATTRIBUTES, certificateSchema } from './certificate.ts';
import { hex32, hex64, hexOf, hexUpTo, reasonOf, signers } from './fields.ts';
import { parseStrict } from './json.ts';
import { keygenParameters, MAX_SERVICES, signingParameters } from './parameters.ts';
import { MAX_CONTENT_BYTES, type StatementType, statementSchema } from './statement.ts';
import { messagingKey } from './x25519.ts';

export const FAILURE_REASONS = [
  'Equivocation',
  'InvalidCommitment',
  'InvalidShare',
  'InvalidSignatureShare',
  'InvalidPackage',
  'Undecryptable',
  'Timeout',
  'ConfigurationMismatch',
  'Unauthorised',
  'Refused',
  'Halted',
  'Aborted',
] as const;
export const failureReason = z.enum(FAILURE_REASONS);
export type FailureReason = z.infer<typeof failureReason>;

/** Compressed: 33 bytes (secp256k1) or 32 (Ed25519). */
const compressedPoint = hexUpTo(33, 32);
/** One pair for each message (RFC 9591 §5.1). */
const nonceCommitments = z
  .array(z.strictObject({ hiding: compressedPoint, binding: compressedPoint }))
  .min(1)
  .max(100);

/** t points in affine form, 65 or 64 bytes each, constant term first; the proof is R ‖ scalar. */
const frostDealing = z.strictObject({
  commitments: z.array(hexUpTo(65, 64)).min(1).max(100),
  proofOfKnowledge: hexUpTo(65, 64),
});

const commitmentsIn = (bytes: 48 | 96) => z.array(hexOf(bytes)).min(1).max(MAX_SERVICES);
/** Three polynomials of t coefficients, constant term first, compressed: x in G2, each y_j in G1 and in G2. A proof is R (in G2 for x, in G1 for y_j) and a scalar. */
const coconutDealing = z.strictObject({
  alpha: commitmentsIn(96),
  beta: z.array(commitmentsIn(48)).length(ATTRIBUTES),
  betaTilde: z.array(commitmentsIn(96)).length(ATTRIBUTES),
  proofs: z.strictObject({
    x: z.strictObject({ commitment: hexOf(96), response: hex32 }),
    y: z.array(z.strictObject({ commitment: hexOf(48), response: hex32 })).length(ATTRIBUTES),
  }),
});

const SCHEMAS = {
  SignerReady: z.strictObject({ pubkey: messagingKey }),
  /** The sealing key of this ceremony (X25519), and the hash of the commitment statement to come. */
  EncryptedPublicKey: z.strictObject({ parameters: keygenParameters, sealingKey: messagingKey, commitmentHash: hex32 }),
  EncryptedKeyGenCommitment: z.union([frostDealing, coconutDealing]),
  /** One scalar in the suite's byte order; for an asset three, big-endian: x_i and y_i1, y_i2. */
  EncryptedKeyShare: z.union([
    z.strictObject({ share: hex32 }),
    z.strictObject({ x: hex32, y: z.array(hex32).length(ATTRIBUTES) }),
  ]),
  KeyGenVerdict: z.union([z.strictObject({ confirmed: hex32 }), z.strictObject({ aborted: failureReason })]),
  KeyGenEvidence: z.strictObject({ statements: z.array(statementSchema).min(1).max(16) }),
  KeyGenCertificate: z.strictObject({ certificate: certificateSchema }),
  /** One pair for each message. */
  NonceCommitment: z.strictObject({ parameters: signingParameters, commitments: nonceCommitments }),
  /** For each signer: the hash of the statement that carried its commitments, and these, one pair for each message. */
  SigningPackage: z.strictObject({
    signers,
    sources: z.array(hex32).min(1).max(100),
    commitments: z.array(nonceCommitments).min(1).max(100),
  }),
  /** One scalar and one new pair for each message. */
  SignatureShare: z.strictObject({ package: hex32, shares: z.array(hex32).min(1).max(100), next: nonceCommitments }),
  Signature: z.strictObject({ signatures: z.array(hex64).min(1).max(100) }),
  /** Certificates of transactions, each as its canonical bytes: they prove themselves. In an answer, the second up to which the answerer has now said everything. */
  SpentSerials: z
    .strictObject({ certificates: z.array(hexUpTo(60_000, 1)).max(16), upTo: z.int().min(0).optional() })
    .refine(({ certificates, upTo }) => certificates.length > 0 || upTo !== undefined, {
      path: ['certificates'],
      error: 'expected at least one, or that there is no more',
    }),
  /** What the asker lacks: everything of an epoch after a position, or certain tags (G1, 48 bytes). */
  SpentSerialsRequest: z.strictObject({
    epoch: z.int().min(0),
    after: z.int().min(0),
    tags: z.array(hexOf(48)).max(256),
  }),
} as const satisfies Record<StatementType, z.ZodType>;

export type ContentOf<T extends StatementType> = z.infer<(typeof SCHEMAS)[T]>;

/** A content that its own schema refuses: a defect of the caller, found before anything is signed. */
export class ContentError extends Error {
  readonly kind = 'ContentError';
}

/**
 * The text that is signed: the schema's fields in the schema's order, without spaces.
 * @throws {ContentError} naming the field, never its value
 */
export function contentText<T extends StatementType>(type: T, content: ContentOf<T>): string {
  const parsed = SCHEMAS[type].safeParse(content);
  if (!parsed.success) throw new ContentError(`${type}: ${reasonOf(parsed.error)}`);
  return JSON.stringify(parsed.data);
}

export type ParsedContent<T extends StatementType> =
  | { readonly ok: true; readonly content: ContentOf<T> }
  | { readonly ok: false; readonly reason: string };

/** Size, strict JSON, exact shape: in this order. Counts that depend on the ceremony are the ceremony's to check. */
export function parseContent<T extends StatementType>(type: T, text: string): ParsedContent<T> {
  const json = parseStrict(text, MAX_CONTENT_BYTES);
  if (!json.ok) return json;
  const parsed = SCHEMAS[type].safeParse(json.value);
  if (!parsed.success) return { ok: false, reason: reasonOf(parsed.error) };
  // The table ties each schema to its name; TypeScript cannot follow an index by a type parameter.
  const content = parsed.data as ContentOf<T>;
  // A certificate rebuilds every confirmation from its transcript: one that says the same with another text would count here and convince nobody there.
  if ('confirmed' in content && text !== `{"confirmed":"${content.confirmed}"}`)
    return { ok: false, reason: 'expected the one text of a confirmation, without spaces' };
  return { ok: true, content };
}
