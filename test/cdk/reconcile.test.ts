import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, expect, it } from 'vitest';
import { reconcile, sentenceOf, wantedTables } from '../../lib/cli/reconcile.ts';
import { deployed } from './deployment.ts';

const folder = mkdtempSync(join(tmpdir(), 'coterie-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Setting {
  timeToLive: string | undefined;
  recovery: boolean;
}

/** Tables as an engine has them, and every change that was asked of it. */
function engine(tables: Map<string, Setting>): { client: DynamoDBClient; changed: string[] } {
  const changed: string[] = [];
  const client = new DynamoDBClient({ region: 'eu-central-1' });
  client.send = (async ({
    constructor: { name },
    input,
  }: {
    constructor: { name: string };
    input: Record<string, never>;
  }) => {
    const table = tables.get(input['TableName'] ?? '');
    if (!table) throw new Error('no such table');
    switch (name) {
      case 'DescribeTimeToLiveCommand':
        return {
          TimeToLiveDescription: {
            TimeToLiveStatus: table.timeToLive ? 'ENABLED' : 'DISABLED',
            AttributeName: table.timeToLive,
          },
        };
      case 'DescribeContinuousBackupsCommand':
        return {
          ContinuousBackupsDescription: {
            PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: table.recovery ? 'ENABLED' : 'DISABLED' },
          },
        };
      case 'UpdateTimeToLiveCommand':
        table.timeToLive = input['TimeToLiveSpecification']?.['Enabled']
          ? input['TimeToLiveSpecification']['AttributeName']
          : undefined;
        changed.push(`${input['TableName']} ttl`);
        return {};
      default:
        table.recovery = input['PointInTimeRecoverySpecification']?.['PointInTimeRecoveryEnabled'] ?? false;
        changed.push(`${input['TableName']} recovery`);
        return {};
    }
  }) as never;
  return { client, changed };
}

const { templates } = deployed(3, 1);
for (const [name, template] of templates)
  writeFileSync(join(folder, `coterie-operator1-${name}.template.json`), JSON.stringify(template.toJSON()));
const wanted = wantedTables(folder, 'coterie-operator1-');

it('finds every table in the templates', () => {
  expect(wanted.map(({ name }) => name).sort()).toEqual(
    ['coordinator-Directory', 'coordinator-Keys', 'btc-Ceremonies', 'btc-Directory', 'btc-Keys', 'btc-Nonces']
      .map((name) => `coterie-operator1-${name}`)
      .sort(),
  );
  expect(wanted.find(({ name }) => name.endsWith('Nonces'))).toMatchObject({ timeToLive: 'ttl', recovery: false });
});

it('mends what an emulator dropped, says so, and then finds nothing', async () => {
  const tables = new Map(
    wanted.map(({ name }): [string, Setting] => [name, { timeToLive: undefined, recovery: false }]),
  );
  const { client, changed } = engine(tables);
  const found = await reconcile(wanted, client);
  expect(found).toHaveLength(2 + 5);
  expect(changed).toHaveLength(found.length);
  expect(found.map(sentenceOf)).toContain(
    'coterie-operator1-btc-Nonces: time to live was off, is now ttl as the template says',
  );
  expect(await reconcile(wanted, client)).toEqual([]);
});

it('turns recovery of the nonces off, wherever it was turned on', async () => {
  const tables = new Map(
    wanted.map(({ name, timeToLive, recovery }): [string, Setting] => [name, { timeToLive, recovery }]),
  );
  const nonces = tables.get('coterie-operator1-btc-Nonces');
  if (nonces) nonces.recovery = true;
  const { client } = engine(tables);
  expect(await reconcile(wanted, client)).toEqual([
    { table: 'coterie-operator1-btc-Nonces', what: 'point-in-time recovery', expected: 'off', got: 'on' },
  ]);
  expect(nonces?.recovery).toBe(false);
});

it('on tables that are as the templates say, as on AWS, changes nothing', async () => {
  const tables = new Map(
    wanted.map(({ name, timeToLive, recovery }): [string, Setting] => [name, { timeToLive, recovery }]),
  );
  const { client, changed } = engine(tables);
  expect(await reconcile(wanted, client)).toEqual([]);
  expect(changed).toEqual([]);
});

it('without templates says what to run', () => {
  expect(() => wantedTables(folder, 'coterie-nobody-')).toThrow('run cdk synth');
  expect(() => wantedTables(join(folder, 'none'), 'coterie-')).toThrow('no such folder');
});
