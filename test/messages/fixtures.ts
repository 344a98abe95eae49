/** A committee of three with known keys, and what it says: the same bytes in every run. */
import { createHash } from 'node:crypto';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import {
  type Certificate,
  confirmationOf,
  type FrostCertificate,
  type TranscriptContent,
} from '../../lib/messages/certificate.ts';
import { Committee, type CommitteeFile } from '../../lib/messages/committee.ts';
import { fromHex, type Hex, toHex } from '../../lib/messages/hex.ts';
import type { FrostKeygenParameters, SigningParameters } from '../../lib/messages/parameters.ts';
import { type Header, signStatement } from '../../lib/messages/statement.ts';

/** SHA-256 of a label: 32 bytes that anyone can make again. */
export function bytesOf(label: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`coterie test ${label}`).digest());
}
export const hexOf = (label: string): Hex => toHex(bytesOf(label));

export const COIN = 'btc';
export const signatureSecret = (index: number): Uint8Array => bytesOf(`signature key ${index}`);
export const signatureKey = (index: number): Hex => toHex(ed25519.getPublicKey(signatureSecret(index)));
export const messagingSecret = (index: number): Uint8Array => bytesOf(`messaging key ${index}`);
export const messagingKey = (index: number): Hex => toHex(x25519.getPublicKey(messagingSecret(index)));

const INDEXES = [1, 2, 3] as const;

export const committeeFile: CommitteeFile = {
  version: 1,
  network: 'test',
  operators: INDEXES.map((index) => ({
    index,
    identity: `operator${index}`,
    account: `${index}`.padStart(12, '0'),
    region: 'local',
    inbox: `coterie-operator${index}-inbox-{identity}`,
    coordinatorKey: toHex(x25519.getPublicKey(bytesOf(`coordinator key ${index}`))),
    coins: { [COIN]: { signatureKey: signatureKey(index) } },
    assets: {},
  })),
  coins: { [COIN]: { suite: 'FROST-secp256k1-SHA256-TR-v1', t: 2 } },
  assets: {},
  leaderPeriod: 15,
};
export const committee = new Committee(committeeFile);

export const keygenParameters: FrostKeygenParameters = {
  kind: 'keygen',
  committee: committee.id,
  coin: COIN,
  suite: 'FROST-secp256k1-SHA256-TR-v1',
  t: 2,
  signers: [1, 2, 3],
  requestId: toHex(bytesOf('key generation request').subarray(0, 16)),
  expiresAt: 1_800_000_600,
};

export const signingParameters: SigningParameters = {
  ...keygenParameters,
  kind: 'signing',
  keyId: hexOf('key id'),
  messages: [hexOf('first message'), '0x00ff'],
  purpose: 'withdrawal 7',
  requestId: toHex(bytesOf('signing request').subarray(0, 16)),
};

export const header: Header = {
  type: 'KeyGenVerdict',
  committee: committee.id,
  coin: COIN,
  ceremony: hexOf('ceremony'),
  slot: '',
  from: 1,
  to: 0,
};

const compressed = (label: string): Hex => toHex(new Uint8Array([2, ...bytesOf(label)]));

export const transcriptContent: Omit<FrostCertificate, 'signatures'> = {
  parameters: keygenParameters,
  publicKeyHashes: INDEXES.map((index) => hexOf(`public key statement ${index}`)),
  commitmentHashes: INDEXES.map((index) => hexOf(`commitment statement ${index}`)),
  internalKey: compressed('internal key'),
  outputKey: hexOf('output key'),
  verifyingShares: INDEXES.map((index) => compressed(`verifying share ${index}`)),
};

/** Signed by all three, as each of them would. */
export function certify<C extends TranscriptContent>(content: C): C & Pick<Certificate, 'signatures'> {
  const signatures = content.parameters.signers.map((index) => {
    const { signature: _, content: text, ...said } = confirmationOf(committee.id, content, index, '0x');
    return signStatement(said, text, signatureSecret(index)).signature;
  });
  return { ...content, signatures };
}
export const certificate: FrostCertificate = certify(transcriptContent);

/** The same bytes with one bit turned. */
export function flipped(hex: Hex, bit = 0): Hex {
  const bytes = fromHex(hex);
  const at = bit >> 3;
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
  return toHex(bytes);
}
