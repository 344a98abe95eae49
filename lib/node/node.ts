/** What a handler works with: one role of one operator, its ports, and the secrets that it opened, wiped when it returns. */
import { Member, type RandomBytes } from '../ceremony.ts';
import { type Committee, parseCommittee } from '../messages/committee.ts';
import type { Hex } from '../messages/hex.ts';
import type { InstructionKeys } from '../messages/operator.ts';
import type { Policy } from '../messages/policies.ts';
import { hpkeSealer, type Sealer } from '../messages/sealing.ts';
import type { Delivery, OutgoingMessage, Ports, QueueName } from '../ports.ts';
import { type EventName, type Facts, type Trace, traceOf } from '../telemetry.ts';
import { Vault } from '../vault/vault.ts';
import { COMMITTEE } from './rows.ts';

export interface ProcessorConfig {
  readonly role: 'processor';
  readonly identity: string;
  /** 12 digits: the operator's account, which its card names. */
  readonly account: string;
  readonly region: string;
  readonly coin: string;
  /** SHA-256 of the committee file, deployed as a parameter; without it no committee is accepted. */
  readonly committeeHash: Hex | undefined;
  /** Where `MultisigEvent` and `PublicAddressAvailable` go for the client. */
  readonly outcomeQueue: QueueName | undefined;
  readonly policies: readonly Policy[];
  /** If set, instructions must carry this many signatures. */
  readonly instructionKeys: InstructionKeys | undefined;
  /** Of a signing service: the queues, by name or ARN, that it answers on. A processor of a coin has none. */
  readonly gateways?: readonly QueueName[];
}

export interface CoordinatorConfig {
  readonly role: 'coordinator';
  readonly identity: string;
  readonly coins: readonly string[];
  readonly committeeHash: Hex | undefined;
}

export type NodeConfig = ProcessorConfig | CoordinatorConfig;

export class Node<Config extends NodeConfig = NodeConfig> {
  readonly config: Config;
  readonly ports: Ports;
  readonly sealer: Sealer;
  readonly vault: Vault;
  #committee: Committee | undefined;
  #trace: Trace = {};

  constructor(config: Config, ports: Ports, sealer: Sealer = hpkeSealer) {
    this.config = config;
    this.ports = ports;
    this.sealer = sealer;
    this.vault = new Vault(ports, config.identity, config.role === 'processor' ? config.coin : 'coordinator');
  }

  /** Whole seconds UTC. */
  now(): number {
    return Math.floor(this.ports.clock.now() / 1000);
  }

  /** Whole milliseconds UTC: when a row was written, for people who look at it; nothing is decided by it. */
  writtenAt(): number {
    return Math.floor(this.ports.clock.now());
  }

  readonly random: RandomBytes = (length) => this.ports.random.bytes(length);

  /** The accepted committee, or nothing before `CommitteeAccepted`. */
  async committee(): Promise<Committee | undefined> {
    if (this.#committee) return this.#committee;
    const row = await this.ports.store.get('Directory', COMMITTEE);
    const text = row?.['text'];
    if (typeof text !== 'string') return undefined;
    this.#committee = cachedCommittee(text);
    return this.#committee;
  }

  /** What is handled from here on; on every line until the next. */
  follow(trace: Trace): void {
    this.#trace = trace;
  }

  log(event: EventName, facts: Facts = {}): void {
    this.ports.telemetry.record(event, { ...this.#trace, ...facts });
  }

  /** Sends all or throws, so that the record that caused it comes again. */
  async send(messages: readonly OutgoingMessage[]): Promise<void> {
    if (messages.length === 0) return;
    const refused = await this.ports.bus.send(messages);
    if (refused.length > 0) throw new SendRefused(refused.map((index) => messages[index]?.queue ?? 'unknown queue'));
  }

  wipe(): void {
    this.vault.wipe();
  }
}

export type Processor = Node<ProcessorConfig>;
export type Coordinator = Node<CoordinatorConfig>;

/** Some queue did not take a message; what was sent already is sent again later, and is the same bytes. */
export class SendRefused extends Error {
  readonly kind = 'SendRefused';
  constructor(queues: readonly string[]) {
    super(`${queues.length} message(s) were not accepted, the first by ${queues[0] ?? 'an unknown queue'}`);
  }
}

/** What a function reports to its event source: the ids that must come again. */
export interface BatchResult {
  readonly failed: readonly string[];
}

/** Runs `handle` for each record; one that throws fails alone. */
export async function each(
  node: Node,
  batch: readonly Delivery[],
  handle: (delivery: Delivery) => Promise<void>,
): Promise<BatchResult> {
  const failed: string[] = [];
  for (const delivery of batch) {
    node.follow(traceOf(delivery.body));
    try {
      await handle(delivery);
    } catch (error) {
      rethrowCrash(error);
      node.log('HandlerFailed', { queue: delivery.queue, error: nameOf(error) });
      failed.push(delivery.messageId);
    }
  }
  return { failed };
}

/** The operator's voice, if it is a member of the committee for this coin. The caller has the signature key. */
export function memberOf(
  committee: Committee,
  config: ProcessorConfig,
  signatureKey: ConstructorParameters<typeof Member>[3],
): Member {
  const self = ownIndex(committee, config.identity);
  return new Member(committee, config.coin, self, signatureKey);
}

/** @throws if the accepted committee file does not name this operator (it was checked when it was accepted) */
export function ownIndex(committee: Committee, identity: string): number {
  const operator = committee.operatorByIdentity(identity);
  if (!operator) throw new Error(`the committee file does not name operator ${identity}`);
  return operator.index;
}

/** A crash in the simulator is not an error that a handler may handle. */
export function rethrowCrash(error: unknown): void {
  if (error instanceof Error && error.name === 'Crash') throw error;
}

/** The name of an error for the log: never its message, which may quote what was received. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.constructor.name : typeof error;
}

/** Parsed files are public and immutable; a warm function parses each once. */
const committees = new Map<string, Committee>();
const CACHED_COMMITTEES = 64;

function cachedCommittee(text: string): Committee {
  const known = committees.get(text);
  if (known) return known;
  const parsed = parseCommittee(text);
  if (!parsed.ok) throw new Error(`the stored committee file does not parse: ${parsed.reason}`);
  if (committees.size >= CACHED_COMMITTEES) committees.clear();
  committees.set(text, parsed.committee);
  return parsed.committee;
}
