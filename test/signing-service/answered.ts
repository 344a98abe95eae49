/** Answers of services, opened as a wallet does: by whoever keeps what it asked. */
import type { Committee } from '../../lib/messages/committee.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import type { SealedAnswer } from '../../lib/messages/tokens.ts';
import {
  type Answerers,
  type AnswerName,
  type AnswerOf,
  openAnswer,
  requestHash,
} from '../../lib/signing-service/answer.ts';
import { quorumOf } from '../../lib/signing-service/certificate.ts';

export function answerersOf(committee: Committee, asset: string): Answerers {
  return { committee: committee.id, asset, keys: quorumOf(committee, asset).keys };
}

/** What was asked under one one-time key. */
export class Questions {
  readonly #asked: Hex[] = [];

  /** @returns the body itself */
  ask(body: string): string {
    this.#asked.push(requestHash(body));
    return body;
  }

  /** An answer to any of them. */
  async open<N extends AnswerName>(
    answerers: Answerers,
    name: N,
    sealed: SealedAnswer,
    secretKey: Uint8Array,
  ): Promise<AnswerOf<N> | undefined> {
    for (const request of this.#asked) {
      const answer = await openAnswer(answerers, name, sealed, request, secretKey);
      if (answer) return answer;
    }
    return undefined;
  }
}
