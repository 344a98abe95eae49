/** The commands with which a committee is agreed on, for scripts: one JSON document on stdout, the exit status, and everything for people on stderr. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { exampleCommittee, exampleOperatorFile } from '../../cdk/example.ts';
import { coterie } from './embedded.ts';

let folder: string;
let service: Server;
const sent: string[] = [];
const path = (name: string): string => join(folder, name);
const committee = exampleCommittee(3, 1, 1);
const operator = { ...exampleOperatorFile(committee), committeeHash: committee.id };

/** As much of SQS and DynamoDB as these commands ask. */
function answer(target: string, body: string): object {
  switch (target.split('.').at(-1)) {
    case 'SendMessageBatch': {
      const { QueueUrl, Entries } = JSON.parse(body) as {
        QueueUrl: string;
        Entries: { Id: string; MessageBody: string }[];
      };
      sent.push(QueueUrl.split('/').at(-1) ?? '');
      const md5 = (text: string) => createHash('md5').update(text).digest('hex');
      const taken = Entries.map(({ Id, MessageBody }) => ({ Id, MessageId: Id, MD5OfMessageBody: md5(MessageBody) }));
      return { Successful: taken, Failed: [] };
    }
    case 'DescribeTimeToLive':
      return { TimeToLiveDescription: { TimeToLiveStatus: 'DISABLED' } };
    case 'DescribeContinuousBackups':
      return {
        ContinuousBackupsDescription: { PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'DISABLED' } },
      };
    default:
      return {};
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'coterie-json-'));
  service = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.setHeader('content-type', 'application/x-amz-json-1.0');
      response.end(JSON.stringify(answer(String(request.headers['x-amz-target']), Buffer.concat(chunks).toString())));
    });
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  const bound = service.address();
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}`);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  writeFileSync(path('operator.json'), JSON.stringify(operator));
  writeFileSync(path('committee.json'), JSON.stringify(committee.file));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await new Promise((resolve) => service.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

/** @returns the one document on stdout */
async function asked(...args: string[]): Promise<unknown> {
  const { status, stdout, stderr } = await coterie([...args, '--operator', path('operator.json'), '--json']);
  expect(status, stderr).toBe(0);
  expect(stdout.trim().split('\n')).toHaveLength(1);
  return JSON.parse(stdout);
}

test('start says to whom it was sent', async () => {
  sent.length = 0;
  expect(await asked('start')).toEqual({
    v: 1,
    operator: 'operator1',
    sent: 'Start',
    to: ['coordinator', 'btc', 'usd'],
  });
  expect(sent.sort()).toEqual(['btc', 'coordinator', 'usd'].map((role) => `coterie-operator1-${role}-Start`).sort());
});

test('committee check and accept say which committee, by its hash and in words', async () => {
  const checked = await asked('committee', 'check', path('committee.json'));
  expect(checked).toEqual({ v: 1, committee: committee.id, spoken: expect.any(String), operator: 'operator1' });
  expect(await asked('committee', 'accept', path('committee.json'))).toEqual({
    v: 1,
    operator: 'operator1',
    committee: committee.id,
    sent: 'CommitteeAccepted',
    to: ['coordinator', 'btc', 'usd'],
  });
});

test('reconcile says what was different', async () => {
  const template = {
    Resources: {
      Table: {
        Type: 'AWS::DynamoDB::Table',
        Properties: {
          TableName: 'coterie-operator1-btc-Nonces',
          TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
        },
      },
    },
  };
  writeFileSync(path('coterie-operator1-processor-btc.template.json'), JSON.stringify(template));
  expect(await asked('reconcile', '--assembly', folder)).toEqual({
    v: 1,
    operator: 'operator1',
    tables: 1,
    differences: [{ table: 'coterie-operator1-btc-Nonces', what: 'time to live', expected: 'ttl', got: 'off' }],
  });
});

test.each([
  ['deploy'],
  ['start'],
  ['card'],
  ['reconcile'],
  ['committee', 'create'],
  ['committee', 'check'],
  ['committee', 'accept'],
])('%s %s can answer a script, and the shell completes it', async (...words) => {
  const name = words.filter(Boolean);
  expect((await coterie([...name, '--help'])).stdout).toContain('--json');
  const { stdout } = await coterie(['completion', 'bash']);
  expect(stdout.split('\n').find((line) => line.includes(`'${name.join(' ')}')`))).toContain('--json');
});

test('a mistake is one sentence on stderr and status 2, with --json, too', async () => {
  const { status, stdout, stderr } = await coterie(['start', '--operator', path('nobody.json'), '--json']);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr.trim().split('\n')).toHaveLength(1);
});
