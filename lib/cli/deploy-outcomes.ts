/** What the operators' clients hear on their queues of outcomes. */
import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { sqsClients } from '../aws/clients.ts';
import { portError } from '../aws/errors.ts';
import { queueUrl } from '../aws/queues.ts';
import { type Payload, parseBody } from '../messages/catalogue.ts';
import type { MultisigEvent } from '../messages/events.ts';
import type { Hex } from '../messages/hex.ts';
import type { OperatorFile } from '../messages/operator.ts';
import { topicQueue } from '../messages/topics.ts';
import type { Address, KeygenOutcome, SigningOutcome } from './agreement.ts';
import type { Access } from './deploy-access.ts';

const LONG_POLL_SECONDS = 2;

/** `coin/identity`, or `asset/identity`, → the operator's last word. */
export interface Heard {
  readonly addresses: Map<string, Address>;
  readonly keygens: Map<string, KeygenOutcome>;
  readonly signings: Map<string, SigningOutcome>;
  /** Amounts of withdrawals, by transaction: services of an asset say each of them under one id. */
  readonly withdrawals: Map<Hex, bigint>;
}

interface OutcomeQueue {
  /** `coin/identity`. */
  readonly at: string;
  readonly url: string;
  readonly client: SQSClient;
}

interface Client {
  readonly file: OperatorFile;
  readonly access: Access;
}

/** Not everything that was waited for came in time. */
export class OutcomesMissing extends Error {
  readonly kind = 'OutcomesMissing';
}

export class Outcomes {
  readonly heard: Heard = {
    addresses: new Map(),
    keygens: new Map(),
    signings: new Map(),
    withdrawals: new Map(),
  };
  readonly #queues: readonly OutcomeQueue[];
  #unheard: Error | undefined;

  /** @param segments coins and assets */
  constructor(clients: readonly Client[], segments: readonly string[]) {
    this.#queues = clients.flatMap(({ file, access }) => {
      const { identity, account, region } = file;
      const client = sqsClients({
        endpoint: access.endpoint,
        ...(access.credentials ? { credentials: access.credentials } : {}),
      })(region);
      return segments.map((segment) => {
        const name = topicQueue(identity, segment, 'MultisigEvent');
        return { at: `${segment}/${identity}`, url: queueUrl({ account, region, name }, access.endpoint), client };
      });
    });
  }

  /** Reads every queue until `enough`. @throws {OutcomesMissing} */
  async wait(enough: (heard: Heard) => boolean, seconds: number, signal: AbortSignal): Promise<void> {
    const deadline = Date.now() + seconds * 1_000;
    while (!enough(this.heard)) {
      signal.throwIfAborted();
      if (Date.now() > deadline) {
        const { addresses, keygens, signings } = this.heard;
        throw new OutcomesMissing(
          `not all outcomes came within ${seconds} s: heard of ${addresses.size} addresses, ${keygens.size} key generations and ${signings.size} signatures${this.#unheard ? `; ${this.#unheard.message}` : ''}`,
        );
      }
      await Promise.all(this.#queues.map((queue) => this.#receive(queue, signal)));
    }
  }

  /** What lies in the queues. */
  async read(signal: AbortSignal): Promise<void> {
    let got: number[];
    do got = await Promise.all(this.#queues.map((queue) => this.#receive(queue, signal, 0)));
    while (got.some((count) => count > 0));
  }

  /** @returns how many came */
  async #receive({ at, url, client }: OutcomeQueue, signal: AbortSignal, seconds = LONG_POLL_SECONDS): Promise<number> {
    const command = new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: seconds,
    });
    let Messages: readonly Message[];
    try {
      ({ Messages = [] } = await client.send(command, { abortSignal: signal }));
    } catch (error) {
      signal.throwIfAborted();
      // Who is patient asks again: a busy engine answers late.
      this.#unheard = portError(error, 'ReceiveMessage', 'read');
      return 0;
    }
    for (const { Body = '' } of Messages) this.#hear(at, Body);
    if (Messages.length === 0) return 0;
    const Entries = Messages.map(({ ReceiptHandle }, i) => ({ Id: `${i}`, ReceiptHandle }));
    // What is not deleted comes again, and says nothing new.
    await client
      .send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }), { abortSignal: signal })
      .catch(() => signal.throwIfAborted());
    return Messages.length;
  }

  #hear(at: string, body: string): void {
    const parsed = parseBody(body);
    if (!parsed.ok) return;
    if (parsed.name === 'PublicAddressAvailable') this.heard.addresses.set(at, parsed.payload as Address);
    if (parsed.name === 'Withdrawal') {
      const { transaction, amount } = parsed.payload as Payload<'Withdrawal'>;
      this.heard.withdrawals.set(transaction, BigInt(amount));
    }
    if (parsed.name !== 'MultisigEvent') return;
    const event = parsed.payload as MultisigEvent;
    if ('KeygenOutcome' in event && event.KeygenOutcome.final) this.heard.keygens.set(at, event.KeygenOutcome);
    if ('SigningOutcome' in event && event.SigningOutcome.final) this.heard.signings.set(at, event.SigningOutcome);
  }
}
