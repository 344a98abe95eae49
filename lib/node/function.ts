/**
 * A function is one inbound message type of one role: what Lambda runs, what the local runtime runs, and what a simulator runs, unmodified.
 */
import { type MessageName, type Payload, parseBodyAs } from '../messages/catalogue.ts';
import type { Sealer } from '../messages/sealing.ts';
import { parseQueueName } from '../messages/topics.ts';
import type { Delivery, Ports } from '../ports.ts';
import {
  type BatchResult,
  type Coordinator,
  type CoordinatorConfig,
  each,
  Node,
  type NodeConfig,
  type Processor,
  type ProcessorConfig,
} from './node.ts';
import { type CeremonyType, receive } from './receive.ts';

type Role = NodeConfig['role'];

/** What a function needs that is not in the message. */
export interface Environment<Config extends NodeConfig> {
  readonly config: Config;
  readonly ports: Ports;
  readonly sealer?: Sealer;
}

export interface NodeFunction<Config extends NodeConfig = NodeConfig> {
  readonly role: Role;
  /** The name of the message, and of its queue. */
  readonly message: string;
  run(environment: Environment<Config>, batch: readonly Delivery[]): Promise<BatchResult>;
}

/** One call, one node: what it opened is wiped, however it ends. */
export function running<Config extends NodeConfig>(
  role: Role,
  message: string,
  handle: (node: Node<Config>, batch: readonly Delivery[]) => Promise<BatchResult>,
): NodeFunction<Config> {
  return {
    role,
    message,
    run: async ({ config, ports, sealer }, batch) => {
      const node = new Node<Config>(config, ports, sealer);
      try {
        return await handle(node, batch);
      } finally {
        node.wipe();
      }
    },
  };
}

/** A message of a processor, one record at a time. Malformed: logged without the body, told to `malformed`, never retried. */
export function processorFunction<Name extends MessageName>(
  message: Name,
  handle: (node: Processor, payload: Payload<Name>, delivery: Delivery) => Promise<void>,
  malformed?: (node: Processor, reason: string) => Promise<void>,
): NodeFunction<ProcessorConfig> {
  return running('processor', message, (node, batch) =>
    each(node, batch, async (delivery) => {
      const parsed = parseBodyAs(message, delivery.body);
      if (parsed.ok) return handle(node, parsed.payload as Payload<Name>, delivery);
      node.log('EnvelopeRejected', { type: message, reason: parsed.reason });
      await malformed?.(node, parsed.reason);
    }),
  );
}

/** A message of a coordinator, one record at a time; `coin` is the topic's. */
export function coordinatorFunction<Name extends MessageName>(
  message: Name,
  handle: (node: Coordinator, payload: Payload<Name>, coin: string) => Promise<void>,
): NodeFunction<CoordinatorConfig> {
  return running('coordinator', message, (node, batch) =>
    each(node, batch, async (delivery) => {
      const parsed = parseBodyAs(message, delivery.body);
      if (parsed.ok) return handle(node, parsed.payload as Payload<Name>, parseQueueName(delivery.queue)?.coin ?? '');
      node.log('EnvelopeRejected', { type: message, reason: parsed.reason });
    }),
  );
}

/** Whole batches of a coordinator: forwarding is cheaper together. */
export function forwardingFunction(
  message: 'Outbound' | 'P2PIncoming',
  handle: (node: Coordinator, batch: readonly Delivery[]) => Promise<BatchResult>,
): NodeFunction<CoordinatorConfig> {
  return running('coordinator', message, handle);
}

/** A peer's statement of a ceremony: batches are grouped by ceremony. */
export function statementFunction(type: CeremonyType): NodeFunction<ProcessorConfig> {
  return running('processor', `${type}In`, (node, batch) => receive(node, type, batch));
}
