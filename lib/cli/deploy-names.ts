/** Names of what is deployed: known to the stacks that make it and to the commands that look for it, so that neither asks the other. */
import type { Table } from '../ports.ts';

/** The second deploy's stack parameter: the hash that the operators compared by voice. */
export const COMMITTEE_HASH = 'CommitteeHash';

/** @param segment the coin, or `coordinator` */
export function tableName(identity: string, segment: string, table: Table): string {
  return `coterie-${identity}-${segment}-${table}`;
}

/** A stack's name begins with the operator's: functions and dead-letter queues get theirs from it. */
export function coordinatorStackName(identity: string): string {
  return `coterie-${identity}-coordinator`;
}

export function inboxStackName(identity: string): string {
  return `coterie-${identity}-inbox`;
}

export function signingServiceStackName(identity: string, asset: string): string {
  return `coterie-${identity}-service-${asset}`;
}

export function processorStackName(identity: string, coin: string): string {
  return `coterie-${identity}-processor-${coin}`;
}

/** All stacks of an operator; the inbox once there is a committee. */
export function stackNames(
  { identity, coins, assets }: { identity: string; coins: readonly string[]; assets: readonly string[] },
  withInbox: boolean,
): readonly string[] {
  return [
    coordinatorStackName(identity),
    ...coins.map((coin) => processorStackName(identity, coin)),
    ...assets.map((asset) => signingServiceStackName(identity, asset)),
    ...(withInbox ? [inboxStackName(identity)] : []),
  ];
}
