/**
 * Answers to a gateway: sealed to the one-time key of the request, so that the gateway, its queue and whoever reads its logs see that a service answered somebody and
 * not what; and signed by the service, for HPKE's base mode authenticates nobody. Whoever sees a request (the gateway, each service) has its one-time key, and could say in others'
 * names that they refuse, or that they have nothing stored. A wallet that believed it would make a second transaction of tokens that the first one holds, and have neither.
 *
 * The signature is over the hash of the request's body: an answer to another question under the same one-time key is none to this one.
 */
import { createHash } from 'node:crypto';
import { concat, lp, tagged, u16be, utf8 } from '../messages/bytes.ts';
import { bodyOf } from '../messages/catalogue.ts';
import { sign, verifies } from '../messages/ed25519.ts';
import { fromHex, type Hex, toHex } from '../messages/hex.ts';
import { buffer, suite } from '../messages/hpke.ts';
import { parseStrict } from '../messages/json.ts';
import * as tokens from '../messages/tokens.ts';
import type { QueueName } from '../ports.ts';

const SCHEMAS = {
  TransactionVote: tokens.transactionVote,
  PartialSignatures: tokens.partialSignatures,
  RecoveredIssued: tokens.recoveredIssued,
} as const;
export type AnswerName = keyof typeof SCHEMAS;
export type AnswerOf<N extends AnswerName> = (typeof SCHEMAS)[N]['_output'];

/** Text of one answer; as hex in a sealed body it stays below half of SQS's limit. */
export const MAX_ANSWER_BYTES = 100_000;

/** Who answers: bound into the seal, so that one service's answer cannot be passed off as another's. */
export interface AnswerScope {
  readonly committee: Hex;
  readonly asset: string;
  readonly index: number;
}

/** What is asked, as the asker and the answerer both have it. */
export interface Question {
  /** {@link requestHash} of the body. */
  readonly request: Hex;
  /** X25519, 32 bytes. */
  readonly replyKey: Hex;
}

/** SHA-256 of a request's body, as it was posted and as it came: a gateway hands bodies on byte for byte. */
export function requestHash(body: string): Hex {
  return toHex(createHash('sha256').update(utf8(body)).digest());
}

/** `LP("coterie/v1/answer") ‖ committee(32) ‖ LP(asset) ‖ u16be(index) ‖ LP(name)` */
function info(scope: AnswerScope, name: AnswerName): ArrayBuffer {
  return buffer(concat(tagged('answer'), place(scope, name)));
}

function place({ committee, asset, index }: AnswerScope, name: AnswerName): Uint8Array {
  return concat(fromHex(committee), lp(utf8(asset)), u16be(index), lp(utf8(name)));
}

/** `LP("coterie/v1/answer-signature") ‖ committee(32) ‖ LP(asset) ‖ u16be(index) ‖ LP(name) ‖ request(32) ‖ LP(text)` */
function signedBytes(scope: AnswerScope, name: AnswerName, request: Hex, text: Uint8Array): Uint8Array {
  return concat(tagged('answer-signature'), place(scope, name), fromHex(request), lp(text));
}

const SIGNATURE_BYTES = 64;

/**
 * @param signatureSecret Ed25519, 32 bytes: the service's
 * @param randomness 32 bytes, fresh
 * @returns a queue body; sealed in it: signature(64) ‖ the answer's text
 */
export async function sealAnswer<N extends AnswerName>(
  scope: AnswerScope,
  name: N,
  answer: AnswerOf<N>,
  { request, replyKey }: Question,
  signatureSecret: Uint8Array,
  randomness: Uint8Array,
): Promise<string> {
  const text = utf8(JSON.stringify(answer));
  if (text.length > MAX_ANSWER_BYTES)
    throw new RangeError(`expected an answer of at most ${MAX_ANSWER_BYTES} bytes, got ${text.length}`);
  const signature = sign(signedBytes(scope, name, request, text), signatureSecret);
  const recipientPublicKey = await suite.kem.deserializePublicKey(buffer(fromHex(replyKey)));
  const context = await suite.createSenderContext({
    recipientPublicKey,
    info: info(scope, name),
    ekm: buffer(randomness),
  });
  const ciphertext = toHex(new Uint8Array(await context.seal(buffer(concat(signature, text)))));
  // All answers look the same from outside.
  const outside: AnswerName = name;
  return bodyOf(outside, { index: scope.index, replyKey, enc: toHex(new Uint8Array(context.enc)), ciphertext });
}

/** Whose answers a wallet believes. */
export interface Answerers {
  readonly committee: Hex;
  readonly asset: string;
  /** Ed25519 signature keys of the asset's services, by index: the committee file's. */
  readonly keys: ReadonlyMap<number, Hex>;
}

/**
 * The wallet's side.
 * @param request {@link requestHash} of what was asked @param secretKey X25519, 32 bytes: the one-time key's
 * @returns nothing for what does not open, or is no such answer of that service to this request
 */
export async function openAnswer<N extends AnswerName>(
  { committee, asset, keys }: Answerers,
  name: N,
  { index, enc, ciphertext }: tokens.SealedAnswer,
  request: Hex,
  secretKey: Uint8Array,
): Promise<AnswerOf<N> | undefined> {
  const signatureKey = keys.get(index);
  if (signatureKey === undefined) return undefined;
  const scope: AnswerScope = { committee, asset, index };
  let plaintext: Uint8Array;
  try {
    const recipientKey = await suite.kem.importKey('raw', buffer(secretKey), false);
    const context = await suite.createRecipientContext({
      recipientKey,
      enc: buffer(fromHex(enc)),
      info: info(scope, name),
    });
    plaintext = new Uint8Array(await context.open(buffer(fromHex(ciphertext))));
  } catch {
    return undefined;
  }
  const [signature, text] = [plaintext.subarray(0, SIGNATURE_BYTES), plaintext.subarray(SIGNATURE_BYTES)];
  if (!verifies(signedBytes(scope, name, request, text), signature, signatureKey)) return undefined;
  const json = parseStrict(new TextDecoder().decode(text), MAX_ANSWER_BYTES);
  if (!json.ok) return undefined;
  const parsed = SCHEMAS[name].safeParse(json.value);
  // The index that is signed for is the one that answered, whatever the text says.
  return parsed.success && parsed.data.index === index ? (parsed.data as AnswerOf<N>) : undefined;
}

/** The queue that a request names, if it is one of the gateways of the operator file: nobody else is ever answered. */
export function gatewayQueue(gateways: readonly QueueName[], replyTo: string): QueueName | undefined {
  return gateways.find((queue) => queue.slice(queue.lastIndexOf(':') + 1) === replyTo);
}
