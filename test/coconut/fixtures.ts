/** Shared by the tests of the credentials. */
import { createHash } from 'node:crypto';
import type { RandomBytes } from '../../lib/ceremony.ts';
import { ALL_HIDDEN, Coconut, type CoconutParameters } from '../../lib/coconut/coconut.ts';
import { type DealtKeys, generateKeys } from '../../lib/coconut/dealer.ts';
import { type Credential, obtain, type PartialSignature, signPartial } from '../../lib/coconut/issue.ts';
import { nobleVerifier } from '../../lib/coconut/noble-engine.ts';
import {
  type BlindRequest,
  type RequestOpening,
  type RequestOptions,
  type RequestStatement,
  request,
} from '../../lib/coconut/request.ts';

/** A reproducible source: SHA-256(name ‖ counter), byte after byte. */
export function stream(name: string): RandomBytes {
  let counter = 0;
  let rest = new Uint8Array(0);
  return (length) => {
    const out = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      if (rest.length === 0) rest = new Uint8Array(createHash('sha256').update(`${name}/${counter++}`).digest());
      const part = rest.subarray(0, length - at);
      out.set(part, at);
      at += part.length;
      rest = rest.subarray(part.length);
    }
    return out;
  };
}

export interface Committee extends DealtKeys {
  readonly coconut: Coconut;
}

/** A committee of a dealer, reproducible by its name. */
export function committee(name: string, parameters: CoconutParameters): Committee {
  const coconut = Coconut.create(parameters, stream(name));
  return { coconut, ...generateKeys(coconut) };
}

export interface Asked {
  readonly request: BlindRequest;
  readonly opening: RequestOpening;
  readonly statement: RequestStatement;
}

export function ask(
  { coconut, verificationKey }: Committee,
  attributes: readonly bigint[],
  options: RequestOptions = {},
  random: RandomBytes = coconut.random,
): Asked {
  const made = request(verificationKey.id, attributes, options, random);
  return { ...made, statement: statementOf(verificationKey.id, attributes.length, made.request, options) };
}

export function statementOf(
  keyId: Uint8Array,
  attributes: number,
  { commitment, openings }: BlindRequest,
  { disclosed = ALL_HIDDEN }: RequestOptions = {},
): RequestStatement {
  return { keyId, attributes, commitment, openings, disclosed };
}

export function signAs(
  { secretKeys, coconut }: Committee,
  index: number,
  statement: RequestStatement,
): PartialSignature {
  return { index, signature: signPartial(present(secretKeys[index - 1]), statement, coconut.random) };
}

/** A credential of services 1..t, whose requests nobody looked at. */
export function issue(of: Committee, attributes: readonly bigint[], options: RequestOptions = {}): Credential {
  const asked = ask(of, attributes, options);
  const partials = Array.from({ length: of.coconut.threshold }, (_, i) => signAs(of, i + 1, asked.statement));
  const tools = { verifier: nobleVerifier, random: of.coconut.random };
  const obtained = obtain(of.coconut, of, asked, partials, tools);
  if (!obtained.ok) throw new Error('honest services made no credential');
  return obtained.credential;
}

export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected a value');
  return value;
}

/** A copy with one byte another. */
export function flipped(bytes: Uint8Array, at = bytes.length - 1): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
