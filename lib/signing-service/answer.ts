/**
 * Answers to a gateway: sealed to the one-time key of the request, so that the gateway, its queue and whoever reads its logs see that a service answered somebody and
 * not what. HPKE base mode authenticates nobody: a vote carries its signature, a partial signature is verified by the owner of the output, and a refusal that
 * somebody forged makes a wallet ask again.
 */
import { concat, lp, tagged, u16be, utf8 } from '../messages/bytes.ts';
import { bodyOf } from '../messages/catalogue.ts';
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

/** `LP("coterie/v1/answer") ‖ committee(32) ‖ LP(asset) ‖ u16be(index) ‖ LP(name)` */
function info({ committee, asset, index }: AnswerScope, name: AnswerName): ArrayBuffer {
  return buffer(concat(tagged('answer'), fromHex(committee), lp(utf8(asset)), u16be(index), lp(utf8(name))));
}

/** @param replyKey X25519, 32 bytes, of the request @param randomness 32 bytes, fresh @returns a queue body */
export async function sealAnswer<N extends AnswerName>(
  scope: AnswerScope,
  name: N,
  answer: AnswerOf<N>,
  replyKey: Hex,
  randomness: Uint8Array,
): Promise<string> {
  const text = utf8(JSON.stringify(answer));
  if (text.length > MAX_ANSWER_BYTES)
    throw new RangeError(`expected an answer of at most ${MAX_ANSWER_BYTES} bytes, got ${text.length}`);
  const recipientPublicKey = await suite.kem.deserializePublicKey(buffer(fromHex(replyKey)));
  const context = await suite.createSenderContext({
    recipientPublicKey,
    info: info(scope, name),
    ekm: buffer(randomness),
  });
  const ciphertext = toHex(new Uint8Array(await context.seal(buffer(text))));
  // All answers look the same from outside.
  const outside: AnswerName = name;
  return bodyOf(outside, { index: scope.index, replyKey, enc: toHex(new Uint8Array(context.enc)), ciphertext });
}

/** The wallet's side. @param secretKey X25519, 32 bytes @returns nothing for what does not open, or is no such answer of that service */
export async function openAnswer<N extends AnswerName>(
  scope: Omit<AnswerScope, 'index'>,
  name: N,
  { index, enc, ciphertext }: tokens.SealedAnswer,
  secretKey: Uint8Array,
): Promise<AnswerOf<N> | undefined> {
  let plaintext: Uint8Array;
  try {
    const recipientKey = await suite.kem.importKey('raw', buffer(secretKey), false);
    const context = await suite.createRecipientContext({
      recipientKey,
      enc: buffer(fromHex(enc)),
      info: info({ ...scope, index }, name),
    });
    plaintext = new Uint8Array(await context.open(buffer(fromHex(ciphertext))));
  } catch {
    return undefined;
  }
  const json = parseStrict(new TextDecoder().decode(plaintext), MAX_ANSWER_BYTES);
  if (!json.ok) return undefined;
  const parsed = SCHEMAS[name].safeParse(json.value);
  // The index that the seal is bound to is the one that answered, whatever the text says.
  return parsed.success && parsed.data.index === index ? (parsed.data as AnswerOf<N>) : undefined;
}

/** The queue that a request names, if it is one of the gateways of the operator file: nobody else is ever answered. */
export function gatewayQueue(gateways: readonly QueueName[], replyTo: string): QueueName | undefined {
  return gateways.find((queue) => queue.slice(queue.lastIndexOf(':') + 1) === replyTo);
}
