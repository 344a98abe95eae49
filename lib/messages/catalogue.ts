/**
 * The single list of messages. Schemas, queues, functions, IAM statements and documents are derived from it; a message type that is not in it
 * does not exist.
 */
import * as z from 'zod';
import { certificateSchema } from './certificate.ts';
import { committeeFile } from './committee.ts';
import { multisigEvent } from './events.ts';
import { coin, hex32, hex64, hexUpTo, index, reasonOf } from './fields.ts';
import { control, multisigInstruction } from './instructions.ts';
import { parseStrict } from './json.ts';
import { partitionOf, type StatementType, sealedSchema, statementSchema } from './statement.ts';
import * as tokens from './tokens.ts';
import { messagingKey } from './x25519.ts';

/** Bytes of a body: SQS carries more, rows of DynamoDB do not. */
export const MAX_BODY_BYTES = 262_144;

export type Role = 'coordinator' | 'processor' | 'signing-service' | 'client' | 'gateway';
export type Sender =
  | 'operator'
  | 'client'
  | 'coordinator'
  | 'processor'
  | 'signing-service'
  | 'peer'
  | 'self'
  | 'gateway'
  | 'scheduler';
/**
 * `topic`: the coin's queue of that name. `outbound`: the one queue of all that leaves. `inbox`: one queue for each peer. `outcome`: the client's. `reply`: the
 * gateway's.
 */
export type QueueKind = 'topic' | 'outbound' | 'inbox' | 'outcome' | 'reply';

export interface Entry {
  /** Who consumes it. */
  readonly consumers: readonly Role[];
  /** Who may put it on that queue. */
  readonly senders: readonly Sender[];
  readonly partition: 'general' | 'encrypted';
  readonly queue: QueueKind;
  readonly payload: z.ZodType;
  readonly description: string;
  /** The statement type inside, if it carries one. */
  readonly statement?: StatementType;
  /** A peer or the public can flood it: its event source has a limit on concurrency. */
  readonly floodable?: true;
}

const empty = z.strictObject({});
const processorPublicKey = z.strictObject({ pubkey: messagingKey, generation: z.int().min(1), signature: hex64 });
const externalPublicKey = z.strictObject({
  signer: index,
  coin,
  pubkey: messagingKey,
  generation: z.int().min(1),
  signature: hex64,
});

/** Who says such a statement, and who hears it: a signing service makes its key as a processor does, and signs in its own way. */
function speakersOf(statement: StatementType): readonly ('processor' | 'signing-service')[] {
  switch (statement) {
    case 'NonceCommitment':
    case 'SigningPackage':
    case 'SignatureShare':
    case 'Signature':
      return ['processor'];
    case 'SpentSerials':
    case 'SpentSerialsRequest':
      return ['signing-service'];
    case 'SignerReady':
    case 'EncryptedPublicKey':
    case 'EncryptedKeyGenCommitment':
    case 'EncryptedKeyShare':
    case 'KeyGenVerdict':
    case 'KeyGenEvidence':
    case 'KeyGenCertificate':
      return ['processor', 'signing-service'];
  }
}

/** A statement leaves a processor for the own coordinator … */
function out<S extends StatementType, P extends z.ZodType>(
  statement: S,
  payload: P,
  partition: 'general' | 'encrypted',
  description: string,
) {
  return {
    consumers: ['coordinator'],
    senders: speakersOf(statement),
    partition,
    queue: 'outbound',
    payload,
    statement,
    description,
  } as const satisfies Entry;
}

/** … and arrives at a processor, or a signing service, from the own coordinator. */
function into<S extends StatementType, P extends z.ZodType>(
  statement: S,
  payload: P,
  partition: 'general' | 'encrypted',
  description: string,
) {
  return {
    consumers: speakersOf(statement),
    senders: ['coordinator'],
    partition,
    queue: 'topic',
    payload,
    statement,
    description,
  } as const satisfies Entry;
}

const parcelTypes = [
  'ExternalPublicKeyIn',
  'EncryptedPublicKeyOut',
  'EncryptedKeyGenCommitmentOut',
  'EncryptedKeyShareOut',
  'KeyGenVerdictOut',
  'KeyGenEvidenceOut',
  'KeyGenCertificateOut',
  'NonceCommitmentOut',
  'SigningPackageOut',
  'SignatureShareOut',
  'SignatureOut',
  'SpentSerialsOut',
  'SpentSerialsRequestOut',
] as const;

/** One parcel between two coordinators: what it carries is signed by the sender's processor, and is what the parcel's type says. */
const p2pIncoming = z
  .strictObject({
    from: index,
    to: index,
    coin,
    type: z.enum(parcelTypes),
    payload: z.union([statementSchema, sealedSchema, externalPublicKey]),
  })
  .refine(
    ({ type, payload }) =>
      'pubkey' in payload
        ? type === 'ExternalPublicKeyIn'
        : type === `${payload.type}Out` && 'ciphertext' in payload === (partitionOf(payload.type) === 'encrypted'),
    { path: ['payload'], error: 'expected what the type of the parcel says' },
  );

const ALL = ['coordinator', 'processor', 'signing-service'] as const;

export const CATALOGUE = {
  // Starting, and knowing each other (source 002, steps 1 to 12)
  Start: {
    consumers: ALL,
    senders: ['operator'],
    partition: 'general',
    queue: 'topic',
    payload: empty,
    description: 'The first start makes the keys, write-once; every start publishes them.',
  },
  CommitteeAccepted: {
    consumers: ALL,
    senders: ['operator'],
    partition: 'general',
    queue: 'topic',
    payload: z.strictObject({ committee: committeeFile }),
    description: 'The committee file; accepted only if its hash is the deployed one.',
  },
  CoordinatorPublicKey: {
    consumers: ['processor', 'signing-service'],
    senders: ['coordinator'],
    partition: 'general',
    queue: 'topic',
    payload: z.strictObject({ pubkey: messagingKey }),
    description: 'The own coordinator’s messaging key, to which SignerReady is sealed.',
  },
  ProcessorPublicKey: {
    consumers: ['coordinator'],
    senders: ['processor', 'signing-service'],
    partition: 'general',
    queue: 'topic',
    payload: processorPublicKey,
    description: 'The own processor’s messaging key, signed, with a rising generation.',
  },
  SignerReady: {
    consumers: ['coordinator'],
    senders: ['processor', 'signing-service'],
    partition: 'encrypted',
    queue: 'topic',
    payload: sealedSchema,
    statement: 'SignerReady',
    description: 'The processor is ready: its key may be shown to the other signers.',
  },
  P2PIncoming: {
    consumers: ['coordinator'],
    senders: ['peer'],
    partition: 'general',
    queue: 'inbox',
    payload: p2pIncoming,
    floodable: true,
    description: 'A parcel from the peer whose queue this is.',
  },
  ExternalPublicKeyIn: {
    consumers: ['processor', 'signing-service'],
    senders: ['coordinator'],
    partition: 'general',
    queue: 'topic',
    payload: externalPublicKey,
    description: 'A peer’s messaging key, signed by the key that the committee file pins.',
  },

  // Key generation (source 002, steps 9 to 20; source 001)
  MultisigInstruction: {
    consumers: ['processor', 'signing-service'],
    senders: ['client'],
    partition: 'general',
    queue: 'topic',
    payload: multisigInstruction,
    description: 'The own client asks for a key or a signature.',
  },
  EncryptedPublicKeyOut: out(
    'EncryptedPublicKey',
    sealedSchema,
    'encrypted',
    'Sealing key of a ceremony, and hash of the commitment statement to come.',
  ),
  EncryptedPublicKeyIn: into('EncryptedPublicKey', sealedSchema, 'encrypted', 'A peer’s sealing key of a ceremony.'),
  EncryptedKeyGenCommitmentOut: out(
    'EncryptedKeyGenCommitment',
    sealedSchema,
    'encrypted',
    'Polynomial commitments and proof of knowledge.',
  ),
  EncryptedKeyGenCommitmentIn: into(
    'EncryptedKeyGenCommitment',
    sealedSchema,
    'encrypted',
    'A peer’s polynomial commitments.',
  ),
  EncryptedKeyShareOut: out('EncryptedKeyShare', sealedSchema, 'encrypted', 'A share for one operator.'),
  EncryptedKeyShareIn: into('EncryptedKeyShare', sealedSchema, 'encrypted', 'A peer’s share for this operator.'),
  KeyGenVerdictOut: out('KeyGenVerdict', statementSchema, 'general', 'Confirmed or aborted, once.'),
  KeyGenVerdictIn: into('KeyGenVerdict', statementSchema, 'general', 'A peer’s verdict.'),
  KeyGenEvidenceOut: out('KeyGenEvidence', statementSchema, 'general', 'Exhibits: they accuse nobody.'),
  KeyGenEvidenceIn: into('KeyGenEvidence', statementSchema, 'general', 'A peer’s exhibits.'),
  KeyGenCertificateOut: out('KeyGenCertificate', statementSchema, 'general', 'All confirmations of one key.'),
  KeyGenCertificateIn: into('KeyGenCertificate', statementSchema, 'general', 'A certificate, the same from anyone.'),
  PublicAddressAvailable: {
    consumers: ['coordinator', 'client'],
    senders: ['processor', 'signing-service'],
    partition: 'general',
    queue: 'topic',
    payload: z.strictObject({
      coin,
      /** Of a coin: the 32-byte key of its address. Of an asset, which has no address: α ‖ β̃_1 ‖ β̃_2, 288 bytes, what verifies a credential. */
      publicKey: hexUpTo(288, 32),
      address: z.string().min(1).max(128).optional(),
      keyId: hex32,
      certificate: certificateSchema,
    }),
    description: 'A new key and its address.',
  },

  // Signing (source 001, made robust)
  NonceCommitmentOut: out('NonceCommitment', statementSchema, 'general', 'Nonce commitments for one leader.'),
  NonceCommitmentIn: into('NonceCommitment', statementSchema, 'general', 'A signer’s nonce commitments.'),
  SigningPackageOut: out('SigningPackage', statementSchema, 'general', 'A leader’s choice of t signers.'),
  SigningPackageIn: into('SigningPackage', statementSchema, 'general', 'A leader’s package.'),
  SignatureShareOut: out(
    'SignatureShare',
    statementSchema,
    'general',
    'Shares for one session, and the next commitments.',
  ),
  SignatureShareIn: into('SignatureShare', statementSchema, 'general', 'A signer’s shares.'),
  SignatureOut: out('Signature', statementSchema, 'general', 'The signatures.'),
  SignatureIn: into('Signature', statementSchema, 'general', 'The signatures, from a leader.'),

  // Credentials and tokens (source 000)
  Transaction: {
    consumers: ['signing-service'],
    senders: ['gateway'],
    partition: 'general',
    queue: 'topic',
    payload: tokens.transaction,
    floodable: true,
    description: 'Inputs, outputs, deposits, a withdrawal, and their proofs.',
  },
  TransactionVote: {
    consumers: ['gateway'],
    senders: ['signing-service'],
    partition: 'general',
    queue: 'reply',
    payload: tokens.sealedAnswer,
    description: 'A service’s vote on a transaction, or a typed refusal; sealed to the one-time key of the request.',
  },
  TransactionCertificate: {
    consumers: ['signing-service'],
    senders: ['gateway'],
    partition: 'general',
    queue: 'topic',
    payload: tokens.transactionCertificate,
    floodable: true,
    description: 't votes for one transaction.',
  },
  PartialSignatures: {
    consumers: ['gateway'],
    senders: ['signing-service'],
    partition: 'general',
    queue: 'reply',
    payload: tokens.sealedAnswer,
    description: 'One partial signature for each output; sealed to the one-time key of the request.',
  },
  RecoveredIssued: {
    consumers: ['gateway'],
    senders: ['signing-service'],
    partition: 'general',
    queue: 'reply',
    payload: tokens.sealedAnswer,
    description: 'The stored answers that a restored wallet asked for; sealed to the one-time key of the request.',
  },
  Withdrawal: {
    consumers: ['client'],
    senders: ['signing-service'],
    partition: 'general',
    queue: 'outcome',
    payload: tokens.withdrawal,
    description: 'A withdrawal that pays once, with its certificate.',
  },
  SpentSerialsOut: out('SpentSerials', statementSchema, 'general', 'Certificates of spent serials.'),
  SpentSerialsIn: into('SpentSerials', statementSchema, 'general', 'A peer’s certificates of spent serials.'),
  SpentSerialsRequestOut: out('SpentSerialsRequest', statementSchema, 'general', 'What this service lacks.'),
  SpentSerialsRequestIn: into('SpentSerialsRequest', statementSchema, 'general', 'What a peer lacks.'),
  RecoverIssued: {
    consumers: ['signing-service'],
    senders: ['gateway'],
    partition: 'general',
    queue: 'topic',
    payload: tokens.recoverIssued,
    floodable: true,
    description: 'A restored wallet asks for the stored answers.',
  },

  // Housekeeping
  Wake: {
    consumers: ALL,
    senders: ['self', 'scheduler'],
    partition: 'general',
    queue: 'topic',
    payload: z.strictObject({ ceremony: hex32.optional() }),
    description: 'Deadlines, leader periods and re-sends; idempotent.',
  },
  Control: {
    consumers: ['processor', 'signing-service'],
    senders: ['client'],
    partition: 'general',
    queue: 'topic',
    payload: control,
    description: 'The operator’s switches: Halt, Release, Abandon, CleanUp.',
  },
  MultisigEvent: {
    consumers: ['client'],
    senders: ['processor', 'signing-service'],
    partition: 'general',
    queue: 'outcome',
    payload: multisigEvent,
    description: 'ReadyToKeygen, KeygenOutcome, SigningOutcome, LateSignature, Refused.',
  },
} as const satisfies Record<string, Entry>;

export type MessageName = keyof typeof CATALOGUE;
export type Payload<N extends MessageName> = z.infer<(typeof CATALOGUE)[N]['payload']>;
export const MESSAGE_NAMES = Object.keys(CATALOGUE) as readonly MessageName[];

/** A queue body: `{"<MessageName>": payload}`. */
export function bodyOf<N extends MessageName>(name: N, payload: Payload<N>): string {
  return JSON.stringify({ [name]: payload });
}

export type ParsedBody<N extends MessageName> =
  | { readonly ok: true; readonly name: N; readonly payload: Payload<N> }
  | { readonly ok: false; readonly reason: string };

/** Size, strict JSON, one known name, exact shape: in this order. The reason names fields, never values. */
export function parseBody(text: string): ParsedBody<MessageName> {
  const json = parseStrict(text, MAX_BODY_BYTES);
  if (!json.ok) return json;
  if (typeof json.value !== 'object' || json.value === null || Array.isArray(json.value)) {
    return { ok: false, reason: 'expected an object with one message name' };
  }
  const [[name, payload] = [], ...more] = Object.entries(json.value);
  if (name === undefined || more.length > 0)
    return { ok: false, reason: `expected one message name, got ${more.length + (name === undefined ? 0 : 1)}` };
  if (!isMessageName(name))
    return { ok: false, reason: `expected a message of the catalogue, got ${JSON.stringify(name.slice(0, 40))}` };
  const entry: Entry = CATALOGUE[name];
  const parsed = entry.payload.safeParse(payload);
  if (!parsed.success) return { ok: false, reason: `${name}: ${reasonOf(parsed.error)}` };
  // The table ties each schema to its name; TypeScript cannot follow an index by a union of names.
  const data = parsed.data as Payload<MessageName>;
  // What was said in one place must not be heard in another (attack ENC-06): the signed header names the type as well.
  if (entry.statement !== undefined && !('type' in data && data.type === entry.statement))
    return { ok: false, reason: `${name}: type: expected ${entry.statement}` };
  return { ok: true, name, payload: data };
}

/** As {@link parseBody}, for a queue that carries one message only. */
export function parseBodyAs<N extends MessageName>(name: N, text: string): ParsedBody<N> {
  const parsed = parseBody(text);
  if (!parsed.ok) return parsed;
  if (parsed.name !== name) return { ok: false, reason: `expected ${name}, got ${parsed.name}` };
  // The name was compared: the payload is the one that its own schema gave.
  return parsed as ParsedBody<N>;
}

export function isMessageName(name: string): name is MessageName {
  return Object.hasOwn(CATALOGUE, name);
}
