/** The tables of one role instance on an engine, as a stack would make them. */
import { CreateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { TableNames } from '../../lib/aws/store.ts';
import { OPEN_INDEX, PARTITION_KEY, SORT_KEY } from '../../lib/aws/tables.ts';
import { TABLES, type Table } from '../../lib/ports.ts';

/** @returns the names, `<prefix>-Ceremonies` and so on */
export async function createTables(client: DynamoDBClient, prefix: string): Promise<TableNames> {
  const names: Partial<Record<Table, string>> = {};
  for (const table of TABLES) {
    names[table] = `${prefix}-${table}`;
    await client.send(
      new CreateTableCommand({ TableName: names[table], BillingMode: 'PAY_PER_REQUEST', ...schema(table) }),
    );
  }
  return names;
}

function schema(table: Table) {
  const own = {
    AttributeDefinitions: [
      { AttributeName: PARTITION_KEY, AttributeType: 'S' as const },
      { AttributeName: SORT_KEY, AttributeType: 'S' as const },
    ],
    KeySchema: [
      { AttributeName: PARTITION_KEY, KeyType: 'HASH' as const },
      { AttributeName: SORT_KEY, KeyType: 'RANGE' as const },
    ],
  };
  if (table !== OPEN_INDEX.table) return own;
  return {
    ...own,
    AttributeDefinitions: [
      ...own.AttributeDefinitions,
      { AttributeName: OPEN_INDEX.partitionKey, AttributeType: 'S' as const },
      { AttributeName: OPEN_INDEX.sortKey, AttributeType: 'N' as const },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: OPEN_INDEX.name,
        KeySchema: [
          { AttributeName: OPEN_INDEX.partitionKey, KeyType: 'HASH' as const },
          { AttributeName: OPEN_INDEX.sortKey, KeyType: 'RANGE' as const },
        ],
        Projection: { ProjectionType: 'KEYS_ONLY' as const },
      },
    ],
  };
}
