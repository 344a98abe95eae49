/**
 * `coterie reconcile`: what the templates say of the tables, and what the tables say of themselves. Some emulators drop time to live and recovery from a template without
 * a word; on AWS this finds nothing. A table of nonces with recovery on is an alarm, not a detail.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DescribeContinuousBackupsCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  UpdateContinuousBackupsCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { UsageError } from './usage.ts';

/** A table as a template wants it. */
export interface WantedTable {
  readonly name: string;
  /** Attribute; `undefined`: nothing expires. */
  readonly timeToLive: string | undefined;
  readonly recovery: boolean;
}

export interface Difference {
  readonly table: string;
  readonly what: 'time to live' | 'point-in-time recovery';
  readonly expected: string;
  readonly got: string;
}

interface TableResource {
  readonly Type: string;
  readonly Properties?: {
    readonly TableName?: unknown;
    readonly TimeToLiveSpecification?: { readonly AttributeName?: string; readonly Enabled?: boolean };
    readonly PointInTimeRecoverySpecification?: { readonly PointInTimeRecoveryEnabled?: boolean };
  };
}

/** Tables of the synthesised stacks whose names begin so. @throws {UsageError} if there are none */
export function wantedTables(assembly: string, stacksBegin: string): readonly WantedTable[] {
  const templates = files(assembly).filter((file) => file.startsWith(stacksBegin) && file.endsWith('.template.json'));
  if (templates.length === 0) {
    throw new UsageError(
      `expected templates ${stacksBegin}*.template.json in ${assembly}, got none: run cdk synth for this operator first`,
    );
  }
  return templates.flatMap((file) => {
    const { Resources } = JSON.parse(readFileSync(join(assembly, file), 'utf8')) as {
      Resources: Record<string, TableResource>;
    };
    return Object.values(Resources).flatMap(({ Type, Properties = {} }) =>
      Type === 'AWS::DynamoDB::Table' ? [wanted(Properties)] : [],
    );
  });
}

function wanted({
  TableName,
  TimeToLiveSpecification,
  PointInTimeRecoverySpecification,
}: NonNullable<TableResource['Properties']>): WantedTable {
  if (typeof TableName !== 'string')
    throw new UsageError('expected a table with a name of its own in the template, got one without');
  return {
    name: TableName,
    timeToLive: TimeToLiveSpecification?.Enabled ? TimeToLiveSpecification.AttributeName : undefined,
    recovery: PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled ?? false,
  };
}

/** Makes the tables as the templates say, and says what was different. */
export async function reconcile(
  tables: readonly WantedTable[],
  client: Pick<DynamoDBClient, 'send'>,
): Promise<readonly Difference[]> {
  const differences = await Promise.all(tables.map((table) => reconcileTable(table, client)));
  return differences.flat();
}

async function reconcileTable(
  { name, timeToLive, recovery }: WantedTable,
  client: Pick<DynamoDBClient, 'send'>,
): Promise<Difference[]> {
  const found: Difference[] = [];
  const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName: name }));
  const on =
    TimeToLiveDescription?.TimeToLiveStatus === 'ENABLED' || TimeToLiveDescription?.TimeToLiveStatus === 'ENABLING';
  const attribute = on ? TimeToLiveDescription?.AttributeName : undefined;
  if (attribute !== timeToLive) {
    found.push({ table: name, what: 'time to live', expected: timeToLive ?? 'off', got: attribute ?? 'off' });
    const specification =
      timeToLive === undefined
        ? { AttributeName: attribute, Enabled: false }
        : { AttributeName: timeToLive, Enabled: true };
    await client.send(new UpdateTimeToLiveCommand({ TableName: name, TimeToLiveSpecification: specification }));
  }
  const { ContinuousBackupsDescription } = await client.send(new DescribeContinuousBackupsCommand({ TableName: name }));
  const recovers =
    ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === 'ENABLED';
  if (recovers !== recovery) {
    found.push({ table: name, what: 'point-in-time recovery', expected: onOff(recovery), got: onOff(recovers) });
    await client.send(
      new UpdateContinuousBackupsCommand({
        TableName: name,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: recovery },
      }),
    );
  }
  return found;
}

export function sentenceOf({ table, what, expected, got }: Difference): string {
  return `${table}: ${what} was ${got}, is now ${expected} as the template says`;
}

function onOff(on: boolean): string {
  return on ? 'on' : 'off';
}

function files(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    throw new UsageError(
      `expected synthesised stacks in ${folder}, got no such folder: run cdk synth for this operator first`,
    );
  }
}
