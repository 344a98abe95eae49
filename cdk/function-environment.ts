/** The environment variables of a role's functions, as `lib/aws/environment.ts` reads them. Names and public settings only. */

import { tableName } from '../lib/cli/deploy-names.ts';
import { COORDINATOR_SEGMENT } from '../lib/messages/topics.ts';
import type { KeyLifecycle } from '../lib/ports.ts';
import type { FunctionEnvironment } from './message-function.ts';
import type { Settings } from './settings.ts';

/** ARNs, or aliases where the keys are another stack's. */
interface KeyNames {
  arn(lifecycle: KeyLifecycle): string;
}

export function coordinatorEnvironment(settings: Settings, committeeHash: string, keys: KeyNames): FunctionEnvironment {
  const { identity, coins, assets } = settings.operator;
  return {
    ...shared(settings, COORDINATOR_SEGMENT, committeeHash, keys),
    COTERIE_ROLE: 'coordinator',
    COTERIE_IDENTITY: identity,
    COTERIE_COINS: JSON.stringify([...coins, ...assets]),
  };
}

export function processorEnvironment(
  settings: Settings,
  coin: string,
  committeeHash: string,
  keys: KeyNames,
  outcomeQueue: string,
): FunctionEnvironment {
  const { identity, policies, instructionKeys } = settings.operator;
  return {
    ...shared(settings, coin, committeeHash, keys),
    COTERIE_ROLE: 'processor',
    COTERIE_IDENTITY: identity,
    COTERIE_COIN: coin,
    COTERIE_TABLE_CEREMONIES: tableName(identity, coin, 'Ceremonies'),
    COTERIE_TABLE_NONCES: tableName(identity, coin, 'Nonces'),
    COTERIE_OUTCOME_QUEUE: outcomeQueue,
    COTERIE_POLICIES: JSON.stringify(policies),
    ...(instructionKeys ? { COTERIE_INSTRUCTION_KEYS: JSON.stringify(instructionKeys) } : {}),
  };
}

/** A signing service is a processor whose coin is an asset, with tables for what was spent and gateways to answer. */
export function signingServiceEnvironment(
  settings: Settings,
  asset: string,
  committeeHash: string,
  keys: KeyNames,
  outcomeQueue: string,
): FunctionEnvironment {
  const { identity, gateways } = settings.operator;
  return {
    ...processorEnvironment(settings, asset, committeeHash, keys, outcomeQueue),
    COTERIE_TABLE_SERIALS: tableName(identity, asset, 'Serials'),
    COTERIE_TABLE_ISSUANCE: tableName(identity, asset, 'Issuance'),
    COTERIE_GATEWAYS: JSON.stringify(gateways),
  };
}

function shared({ operator }: Settings, segment: string, committeeHash: string, keys: KeyNames): FunctionEnvironment {
  const { identity, account } = operator;
  return {
    COTERIE_ACCOUNT: account,
    COTERIE_COMMITTEE_HASH: committeeHash,
    COTERIE_KEY_KEYS: keys.arn('keys'),
    COTERIE_KEY_EPHEMERAL: keys.arn('ephemeral'),
    COTERIE_TABLE_DIRECTORY: tableName(identity, segment, 'Directory'),
    COTERIE_TABLE_KEYS: tableName(identity, segment, 'Keys'),
  };
}
