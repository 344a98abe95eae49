/** One engine for one test file: started when the file is read, ended after its last test; where it cannot be had, one skipped test says why. */
import { randomBytes } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { dynamoClient, kmsClient, type Place, sqsClients } from '../../lib/aws/clients.ts';
import { CREDENTIALS, type Engine, EngineUnavailable, REGION } from '../../scripts/emulators/engine.ts';

// Only what the engine is told is used: neither a profile nor an endpoint of the developer's.
for (const variable of Object.keys(process.env)) if (variable.startsWith('AWS_')) delete process.env[variable];
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

export interface Started {
  readonly engine: Pick<Engine, 'name' | 'version' | 'endpoint'>;
  readonly place: Place;
  readonly dynamo: DynamoDBClient;
  readonly kms: ReturnType<typeof kmsClient>;
  readonly sqs: ReturnType<typeof sqsClients>;
}

export function placeOf(endpoint: string): Place {
  return { region: REGION, endpoint, credentials: CREDENTIALS };
}

/** Tests that an engine cannot pass, by their names, with what it does instead of what AWS does. */
export type Gaps = Readonly<Record<string, string>>;

/** As `COTERIE_ENGINES` names them. */
export const ENGINES = ['ministack', 'moto', 'dynamodb-local', 'localstack', 'own-endpoint'] as const;

/** Why this engine is not wanted in this run; nothing: it is. @throws for a name that no engine has */
function unwanted(name: (typeof ENGINES)[number]): string | undefined {
  const asked = (process.env['COTERIE_ENGINES'] ?? '').split(',').filter((each) => each !== '');
  const unknown = asked.find((each) => !(ENGINES as readonly string[]).includes(each));
  if (unknown !== undefined)
    throw new Error(`COTERIE_ENGINES: expected some of ${ENGINES.join(',')}, got ${JSON.stringify(unknown)}`);
  if (asked.length === 0 || asked.includes(name)) return undefined;
  return `COTERIE_ENGINES asks for ${asked.join(', ')} and not for ${name}`;
}

export async function withEngine(
  name: (typeof ENGINES)[number],
  start: () => Promise<Engine>,
  gaps: Gaps,
  suites: (started: Started) => void,
): Promise<void> {
  let engine: Engine;
  try {
    const reason = unwanted(name);
    if (reason !== undefined) throw new EngineUnavailable(reason);
    engine = await start();
  } catch (error) {
    if (!(error instanceof EngineUnavailable)) throw error;
    describe('an engine that is not here', () => {
      test.skip(error.message, () => undefined);
    });
    return;
  }
  process.stdout.write(`${engine.name} ${engine.version} at ${engine.endpoint}\n`);
  const place = placeOf(engine.endpoint);
  const started = { engine, place, dynamo: dynamoClient(place), kms: kmsClient(place), sqs: sqsClients(place) };
  describe(`${engine.name} ${engine.version}`, () => {
    const met = new Set<string>();
    beforeEach(({ task, skip }) => {
      const gap = gaps[task.name];
      if (gap === undefined) return;
      met.add(task.name);
      note(`skipped: ${task.name}: ${engine.name} ${gap}`);
      skip(`${engine.name} ${gap}`);
    });
    afterAll(async () => {
      await engine.stop();
      // A gap that no test has is one that somebody renamed: its test would be skipped by nobody's decision, or run and fail.
      expect([...met].sort()).toEqual(Object.keys(gaps).sort());
    });
    suites(started);
  });
}

export function note(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Names that no earlier test has used. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`;
}
