/** An endpoint that denies everything, and whose clock is five minutes behind: what the commands make of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { coterie } from './embedded.ts';

let server: Server;
let folder: string;
const operator = () => join(folder, 'operator.json');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'coterie-denied-'));
  writeFileSync(
    operator(),
    JSON.stringify({
      identity: 'alice',
      account: '111111111111',
      region: 'eu-central-1',
      clientRoles: ['arn:aws:iam::111111111111:role/wallet'],
      coins: ['btc'],
    }),
  );
  server = createServer((_, response) => {
    response.setHeader('date', new Date(Date.now() - 300_000).toUTCString());
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    response.statusCode = 400;
    response.end('{"__type":"com.amazonaws#AccessDeniedException","message":"\\u001b[31mno"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${port}`);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.close();
  rmSync(folder, { recursive: true });
});

it.each([
  [['status']],
  [['pending']],
  [['ceremony', 'list']],
  [['sign', '--message', 'x']],
  [['keygen']],
  [['halt', '--unsent']],
  [['dead-letters', 'list']],
  [['certificate', 'export']],
  [['address', '--require', '2']],
  [['card']],
])(
  '%j ends with status 3 and one sentence that says what to check, and nothing of the answer moves the cursor',
  async (args) => {
    const { status, stdout, stderr } = await coterie([...args, '--operator', operator()]);
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    // The SDK may warn once of an old Node.js, before.
    expect(stderr.slice(stderr.indexOf('coterie: '))).toMatch(
      /^coterie: expected an answer from http:\/\/127\.0\.0\.1:[0-9]+, got: .*: check the endpoint, the credentials and that the stacks are deployed\n$/,
    );
    expect(stderr).not.toContain('\u001b');
  },
);

it('the doctor sees the clock all the same, and calls unknown what it was not told', async () => {
  const { status, stdout } = await coterie(['doctor', '--operator', operator(), '--json']);
  expect(status).toBe(1);
  const found = z.strictObject({
    v: z.literal(1),
    findings: z.array(
      z.strictObject({
        result: z.enum(['good', 'problem', 'unknown']),
        subject: z.string(),
        what: z.string(),
        remedy: z.string().optional(),
      }),
    ),
  });
  const { findings } = found.parse(JSON.parse(stdout));
  expect(findings.filter(({ result }) => result === 'problem').map(({ subject }) => subject)).toEqual([
    'clock',
    'committee',
  ]);
  expect(findings.find(({ subject }) => subject === 'clock')?.what).toMatch(
    /^this machine is (?:299|300|301) s ahead of the endpoint$/,
  );
  expect(findings.filter(({ result }) => result === 'good')).toEqual([]);
});
