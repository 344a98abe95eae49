/**
 * Where a queue lies. URLs are built, not asked for: asking costs a call for each queue and cold start, and a right at every peer.
 */
import { parseQueueName } from '../messages/topics.ts';
import { type QueueName, Unavailable } from '../ports.ts';

export interface QueueAddress {
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
  readonly name: string;
}

/** Finds a queue by its name or ARN. @throws {Unavailable} if it cannot be known yet */
export type QueueResolver = (queue: QueueName) => Promise<QueueAddress>;

export type Home = Omit<QueueAddress, 'name'>;

/** The account and region of a peer by its identity, from the accepted committee file; nothing before there is one. */
export type PeerDirectory = (identity: string) => Promise<Home | undefined>;

const ARN = /^arn:aws[a-z-]*:sqs:([a-z0-9-]+):([0-9]{12}):([A-Za-z0-9_-]{1,80}(?:\.fifo)?)$/;

/** The own queues lie at home; a peer's inbox lies with the peer; an ARN (an outcome queue of the client's own) says it itself. */
export function queueResolver(identity: string, home: Home, peers: PeerDirectory): QueueResolver {
  return async (queue) => {
    const [, region, account, name] = ARN.exec(queue) ?? [];
    if (region && account && name) return { region, account, name };
    const parts = parseQueueName(queue);
    if (parts?.peer === undefined || parts.identity === identity) return { ...home, name: queue };
    const peer = await peers(parts.identity);
    if (!peer) throw new Unavailable(`the committee file does not say where operator ${parts.identity} has its queues`);
    return { ...peer, name: queue };
  };
}

/** @param endpoint of an emulator, without a path; absent: AWS itself */
export function queueUrl({ account, region, name }: QueueAddress, endpoint?: string): string {
  if (endpoint !== undefined) return `${endpoint.replace(/\/+$/, '')}/${account}/${name}`;
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `https://sqs.${region}.${suffix}/${account}/${name}`;
}
