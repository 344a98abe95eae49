/** Tables by lifecycle and by who may touch them; their shape is the adapter's. */
import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table as DynamoTable, ProjectionType } from 'aws-cdk-lib/aws-dynamodb';
import { Validations } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { OPEN_INDEX, PARTITION_KEY, SORT_KEY, TTL_ATTRIBUTE } from '../lib/aws/tables.ts';
import { tableName } from '../lib/cli/deploy-names.ts';
import type { Table } from '../lib/ports.ts';
import type { Stage } from './settings.ts';

interface Lifecycle {
  /** Recovery to any second of the last 35 days. */
  readonly recovery: boolean;
  readonly timeToLive: boolean;
  /** Kept when the stack is deleted. */
  readonly retained: boolean;
  readonly protected: boolean;
}

const LIFECYCLES: Record<Table, Lifecycle> = {
  // Evidence and certificates in it never expire; terminal ceremonies and strays carry `ttl`.
  Ceremonies: { recovery: true, timeToLive: true, retained: true, protected: false },
  // A copy of this table is a chance to use a nonce twice: no recovery, no stream, no backup, nothing kept.
  Nonces: { recovery: false, timeToLive: true, retained: false, protected: false },
  Keys: { recovery: true, timeToLive: false, retained: true, protected: true },
  Directory: { recovery: true, timeToLive: false, retained: true, protected: false },
  // A serial that is forgotten is spent twice: nothing in them ever expires, and nothing takes them away.
  Serials: { recovery: true, timeToLive: false, retained: true, protected: true },
  Issuance: { recovery: true, timeToLive: false, retained: true, protected: true },
};

/** @param segment the coin, or `coordinator` */
export function addTable(scope: Construct, table: Table, identity: string, segment: string, stage: Stage): DynamoTable {
  const { recovery, timeToLive, retained, protected: deletionProtection } = LIFECYCLES[table];
  const kept = stage === 'aws';
  const made = new DynamoTable(scope, table, {
    tableName: tableName(identity, segment, table),
    partitionKey: { name: PARTITION_KEY, type: AttributeType.STRING },
    sortKey: { name: SORT_KEY, type: AttributeType.STRING },
    billingMode: BillingMode.PAY_PER_REQUEST,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: recovery },
    ...(timeToLive ? { timeToLiveAttribute: TTL_ATTRIBUTE } : {}),
    deletionProtection: kept && deletionProtection,
    removalPolicy: kept && retained ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  });
  if (table === OPEN_INDEX.table) {
    made.addGlobalSecondaryIndex({
      indexName: OPEN_INDEX.name,
      partitionKey: { name: OPEN_INDEX.partitionKey, type: AttributeType.STRING },
      sortKey: { name: OPEN_INDEX.sortKey, type: AttributeType.NUMBER },
      projectionType: ProjectionType.KEYS_ONLY,
    });
  }
  if (!recovery) {
    Validations.of(made).acknowledge({
      id: 'AwsSolutions-DDB3',
      reason: 'A restored nonce signs twice and gives the key away: this table must have no recovery.',
    });
  }
  return made;
}
