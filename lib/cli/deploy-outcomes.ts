/** What the operators' clients hear on their queues of outcomes. */
import { DeleteMessageBatchCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { sqsClients } from '../aws/clients.ts';
import { queueUrl } from '../aws/queues.ts';
import type { Coin } from '../local/committee.ts';
import { parseBody } from '../messages/catalogue.ts';
import type { MultisigEvent } from '../messages/events.ts';
import type { OperatorFile } from '../messages/operator.ts';
import { topicQueue } from '../messages/topics.ts';
import type { Address, KeygenOutcome, SigningOutcome } from './agreement.ts';
import type { Access } from './deploy-access.ts';

const LONG_POLL_SECONDS = 2;

/** `coin/identity` → the operator's last word. */
export interface Heard {
  readonly addresses: Map<string, Address>;
  readonly keygens: Map<string, KeygenOutcome>;
  readonly signings: Map<string, SigningOutcome>;
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
  readonly heard: Heard = { addresses: new Map(), keygens: new Map(), signings: new Map() };
  readonly #queues: readonly OutcomeQueue[];

  constructor(clients: readonly Client[], coins: readonly Coin[]) {
    this.#queues = clients.flatMap(({ file, access }) => {
      const { identity, account, region } = file;
      const client = sqsClients({
        endpoint: access.endpoint,
        ...(access.credentials ? { credentials: access.credentials } : {}),
      })(region);
      return coins.map((coin) => {
        const name = topicQueue(identity, coin, 'MultisigEvent');
        return { at: `${coin}/${identity}`, url: queueUrl({ account, region, name }, access.endpoint), client };
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
          `not all outcomes came within ${seconds} s: heard of ${addresses.size} addresses, ${keygens.size} key generations and ${signings.size} signatures`,
        );
      }
      await Promise.all(this.#queues.map((queue) => this.#receive(queue, signal)));
    }
  }

  async #receive({ at, url, client }: OutcomeQueue, signal: AbortSignal): Promise<void> {
    const command = new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: LONG_POLL_SECONDS,
    });
    const { Messages = [] } = await client.send(command, { abortSignal: signal });
    for (const { Body = '' } of Messages) this.#hear(at, Body);
    if (Messages.length === 0) return;
    const Entries = Messages.map(({ ReceiptHandle }, i) => ({ Id: `${i}`, ReceiptHandle }));
    await client.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }), { abortSignal: signal });
  }

  #hear(at: string, body: string): void {
    const parsed = parseBody(body);
    if (!parsed.ok) return;
    if (parsed.name === 'PublicAddressAvailable') this.heard.addresses.set(at, parsed.payload as Address);
    if (parsed.name !== 'MultisigEvent') return;
    const event = parsed.payload as MultisigEvent;
    if ('KeygenOutcome' in event && event.KeygenOutcome.final) this.heard.keygens.set(at, event.KeygenOutcome);
    if ('SigningOutcome' in event && event.SigningOutcome.final) this.heard.signings.set(at, event.SigningOutcome);
  }
}
