/**
 * What a client may believe of what operators say: a key only if all announce the same one and it proves itself, a signature only if all announce the same
 * one and somebody else's code verifies it.
 */
import type { Coin } from '../local/committee.ts';
import type { Payload } from '../messages/catalogue.ts';
import { type Certificate, verifyCertificate } from '../messages/certificate.ts';
import type { Committee } from '../messages/committee.ts';
import type { MultisigEvent } from '../messages/events.ts';
import { fromHex, type Hex, toHex } from '../messages/hex.ts';
import { VERIFIERS } from './verify.ts';

export type Address = Payload<'PublicAddressAvailable'>;
export type KeygenOutcome = Extract<MultisigEvent, { KeygenOutcome: unknown }>['KeygenOutcome'];
export type SigningOutcome = Extract<MultisigEvent, { SigningOutcome: unknown }>['SigningOutcome'];

export interface AgreedKey {
  readonly coin: Coin;
  readonly suite: string;
  /** 32 bytes. */
  readonly keyId: Hex;
  /** 32 bytes: the x-only output key, or the Ed25519 key. */
  readonly publicKey: Hex;
  readonly address: string;
  readonly certificate: Certificate;
  readonly announcedBy: number;
}

export interface Failure {
  readonly coin: Coin;
  /** The operators' reason, or what is wrong with what they announced. */
  readonly reason: string;
  readonly unresponsive: readonly number[];
  readonly sentence: string;
}

export type Agreed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure };

/** One operator's last words on a key; `undefined`: nothing was heard. */
export interface SaidOfKey {
  readonly operator: number;
  readonly outcome: KeygenOutcome | undefined;
  readonly address: Address | undefined;
}

export function agreedKey(committee: Committee, coin: Coin, said: readonly SaidOfKey[]): Agreed<AgreedKey> {
  const failed = (reason: string, what: string, unresponsive: readonly number[] = []): Agreed<AgreedKey> => ({
    ok: false,
    failure: { coin, reason, unresponsive, sentence: `${coin}: no key (${reason}): ${what}` },
  });
  for (const { operator, outcome } of said) {
    if (!outcome) return failed('Timeout', `operator ${operator} said nothing`, [operator]);
    if (outcome.result === 'succeeded') continue;
    return failed(
      outcome.reason ?? 'Refused',
      `key generation ${outcome.result} at operator ${operator}`,
      outcome.unresponsive,
    );
  }
  const first = said[0]?.address;
  if (!first || said.some(({ address }) => JSON.stringify(address) !== JSON.stringify(first))) {
    return failed('Disagreement', `expected one key announced by all ${said.length} operators, got different ones`);
  }
  const { keyId, publicKey, address, certificate } = first;
  const verified = verifyCertificate(committee, certificate);
  if (!verified.ok) return failed('BadCertificate', verified.reason);
  if (verified.keyId !== keyId) return failed('BadCertificate', 'it is of another key than the one announced');
  if (!('outputKey' in certificate) || certificate.outputKey !== publicKey)
    return failed('BadCertificate', 'it is of another public key than the one announced');
  const paysTo = address === undefined ? undefined : VERIFIERS[coin].decodeAddress(address);
  if (address === undefined || !paysTo || toHex(paysTo) !== publicKey)
    return failed('BadAddress', 'the address does not decode to the public key');
  const { suite } = certificate.parameters;
  return { ok: true, value: { coin, suite, keyId, publicKey, address, certificate, announcedBy: said.length } };
}

/** One operator's last word on a signing; `undefined`: nothing was heard. */
export interface SaidOfSigning {
  readonly operator: number;
  readonly outcome: SigningOutcome | undefined;
}

/** @returns one signature (64 bytes) for each message */
export function agreedSignatures(
  coin: Coin,
  threshold: number,
  messages: readonly Uint8Array[],
  said: readonly SaidOfSigning[],
): Agreed<readonly Hex[]> {
  const failed = (reason: string, what: string, unresponsive: readonly number[] = []): Agreed<readonly Hex[]> => ({
    ok: false,
    failure: { coin, reason, unresponsive, sentence: `${coin}: no signature (${reason}): ${what}` },
  });
  const bad = said.find(({ outcome }) => outcome?.result !== 'succeeded');
  if (bad) {
    const unresponsive = [...new Set(said.flatMap(({ outcome }) => outcome?.unresponsive ?? []))].sort((a, b) => a - b);
    const blamed = unresponsive.length > 0 ? `; unresponsive by their word: ${unresponsive.join(', ')}` : '';
    const took = said.map(({ operator }) => operator).join(', ');
    return failed(
      bad.outcome?.reason ?? 'Timeout',
      `${threshold} operators are needed; living: ${took}${blamed}`,
      unresponsive,
    );
  }
  const signatures = said[0]?.outcome?.signatures ?? [];
  if (said.some(({ outcome }) => JSON.stringify(outcome?.signatures) !== JSON.stringify(signatures))) {
    return failed('Disagreement', 'the operators announced different signatures');
  }
  if (signatures.length !== messages.length) {
    return failed('Disagreement', `expected ${messages.length} signatures, got ${signatures.length}`);
  }
  return { ok: true, value: signatures };
}

/** What the independent verifier says; `undefined`: the signature is valid. */
export async function whyInvalid(key: AgreedKey, message: Uint8Array, signature: Hex): Promise<Failure | undefined> {
  const { coin, publicKey } = key;
  const verifier = VERIFIERS[coin];
  if (await verifier.verify(fromHex(publicKey), message, fromHex(signature))) return undefined;
  const sentence = `${coin}: ${verifier.name} says that the signature ${signature} is not valid`;
  return { coin, reason: 'InvalidSignature', unresponsive: [], sentence };
}
