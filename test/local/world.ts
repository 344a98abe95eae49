import { LocalCloud, type LocalCloudOptions } from '../../lib/local/cloud.ts';
import type { Delivery, QueueName } from '../../lib/ports.ts';

export const QUEUE = 'coterie-alice-btc-Wake' as QueueName;
export const OTHER = 'coterie-alice-btc-Start' as QueueName;
export const DEAD = 'coterie-alice-btc-DeadLetters' as QueueName;

/** A cloud on a virtual clock with three queues; failures of {@link QUEUE} end in {@link DEAD} after three receives. */
export function makeCloud(options: Partial<LocalCloudOptions> = {}, seed = 1): LocalCloud {
  const cloud = new LocalCloud({ seed: new Uint8Array(32).fill(seed), clock: 'virtual', ...options });
  cloud.createQueue(DEAD);
  cloud.createQueue(QUEUE, { visibilityTimeoutSeconds: 60, maxReceiveCount: 3, deadLetterQueue: DEAD });
  cloud.createQueue(OTHER);
  return cloud;
}

/** Keeps everything that comes on a queue. */
export function collect(
  cloud: LocalCloud,
  queue = QUEUE,
  fails: (delivery: Delivery) => boolean = () => false,
): Delivery[] {
  const received: Delivery[] = [];
  cloud.subscribe(queue, async (batch) => {
    received.push(...batch);
    return { failed: batch.filter(fails).map(({ messageId }) => messageId) };
  });
  return received;
}

export const numbered = (count: number, queue = QUEUE): { queue: QueueName; body: string }[] =>
  Array.from({ length: count }, (_, i) => ({ queue, body: `${i}` }));
