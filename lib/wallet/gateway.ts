/**
 * How a wallet speaks to the services: through a gateway, which carries requests and answers and opens none of the latter. Queues know who sends; the services see the gateway and not
 * the wallet, and a wallet is unlinkable among the gateway's users only.
 */
import { x25519 } from '@noble/curves/ed25519.js';
import { concat, lp, utf8 } from '../messages/bytes.ts';
import { parseBodyAs } from '../messages/catalogue.ts';
import { type Hex, isHex, toHex } from '../messages/hex.ts';
import { type AnswerName, type AnswerOf, openAnswer, requestHash } from '../signing-service/answer.ts';
import type { Quorum } from '../signing-service/certificate.ts';

export type RequestName = 'Transaction' | 'TransactionCertificate' | 'RecoverIssued';

export interface GatewayPort {
  /** The queue that services answer on: its name, as requests carry it. */
  readonly replyTo: string;
  /** Puts the body, byte for byte, on this queue of each of the services. May be repeated; what cannot be reached is left out. */
  post(message: RequestName, body: string, services: readonly number[]): Promise<void>;
  /**
   * Bodies of answers for this one-time key, as they come, in any order, any number of times; ends when the gateway waits no longer.
   * @param enough asked while it waits: from when it says so, what is missing is waited for only a moment longer
   */
  answers(replyKey: Hex, enough?: () => boolean): AsyncIterable<string>;
}

/** Whose request or answer a body is, without opening it: the one-time key that it names. */
export function replyKeyOf(body: string): Hex | undefined {
  const [, key] = /"replyKey":"(0x[0-9a-f]{64})"/.exec(body) ?? [];
  return key !== undefined && isHex(key) ? key : undefined;
}

/** Whom a wallet asks. */
export interface Asked {
  readonly gateway: GatewayPort;
  /** All services, with the keys that their answers are signed with. */
  readonly quorum: Quorum;
}

const ANSWERS = {
  Transaction: ['TransactionVote'],
  // A refusal of a certificate comes as one of a transaction does.
  TransactionCertificate: ['PartialSignatures', 'TransactionVote'],
  RecoverIssued: ['RecoveredIssued'],
} as const satisfies Record<RequestName, readonly AnswerName[]>;

export type Answer<M extends RequestName> = AnswerOf<(typeof ANSWERS)[M][number]>;

/** To one request, with what somebody else may send in services' names: more are not opened. */
const MOST_ANSWERS = 1_024;

/**
 * One request, and its answers as they come. Each is of the service that it names, and to this request: the service has signed it.
 * @param keyFor the one-time X25519 secret of this request, 32 bytes; of the bytes of the request if it has to be the same when it is repeated
 * @param enough whether the answers so far would do: see {@link GatewayPort.answers}
 * @param services whom to ask; default all
 */
export async function* ask<M extends RequestName>(
  { gateway, quorum }: Asked,
  message: M,
  payload: object,
  keyFor: (request: Uint8Array) => Uint8Array,
  enough?: () => boolean,
  services: readonly number[] = [...quorum.keys.keys()],
): AsyncGenerator<Answer<M>> {
  const secret = keyFor(concat(lp(utf8(message)), lp(utf8(JSON.stringify(payload)))));
  const replyKey = toHex(x25519.getPublicKey(secret));
  const body = JSON.stringify({ [message]: { ...payload, replyTo: gateway.replyTo, replyKey } });
  const request = requestHash(body);
  await gateway.post(message, body, services);
  let opened = 0;
  for await (const each of gateway.answers(replyKey, enough)) {
    if (opened++ >= MOST_ANSWERS * services.length) return;
    const answer = await open(quorum, ANSWERS[message], each, request, secret);
    if (answer && services.includes(answer.index)) yield answer as Answer<M>;
  }
}

async function open(
  { context: { committee, asset }, keys }: Quorum,
  names: readonly AnswerName[],
  body: string,
  request: Hex,
  secret: Uint8Array,
): Promise<AnswerOf<AnswerName> | undefined> {
  for (const name of names) {
    const parsed = parseBodyAs(name, body);
    if (parsed.ok) return openAnswer({ committee, asset, keys }, name, parsed.payload, request, secret);
  }
  return undefined;
}
