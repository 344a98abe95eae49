/** Who gets data from the console, and that nobody can change anything through it. No browser is needed. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonInScript } from '../../lib/cli/console-html.ts';
import { readingOnly } from '../../lib/cli/console-server.ts';
import { buildPage, PAGE_FILE } from '../../scripts/console-bundle.ts';
import { type Shown, shownCommittee } from './shown.ts';

let shown: Shown;
let port = '';
beforeAll(async () => {
  shown = await shownCommittee();
  port = new URL(shown.url).port;
});
afterAll(() => shown.close());

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
    asked.once('error', reject);
    asked.end();
  });
}
const bearer = () => ({ authorization: `Bearer ${shown.console.token}` });
const COMMITTEE = '/v1/committee?as=operator1';

describe('data', () => {
  it('goes to whoever holds the token', async () => {
    const { status, body } = await ask(COMMITTEE, bearer());
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ view: { v: 1, operator: { identity: 'operator1' } } });
  });

  it.each(['/v1/place', COMMITTEE, '/v1/ceremony?as=operator1&id=0x00000000'])(
    'of %s goes to nobody without it, nor with another',
    async (path) => {
      expect((await ask(path)).status).toBe(401);
      expect((await ask(path, { authorization: `Bearer ${'0'.repeat(64)}` })).status).toBe(401);
      expect((await ask(path, { authorization: 'Bearer ' })).status).toBe(401);
    },
  );

  it('is not in the page, and neither is the token', async () => {
    const { body, headers } = await ask('/');
    expect(body).not.toContain(shown.console.token);
    expect(body).not.toContain('operator1');
    expect(headers['content-security-policy']).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('a page elsewhere in the browser', () => {
  it('that rebinds its name to loopback is refused, even with the token', async () => {
    for (const host of ['evil.example', `evil.example:${port}`, `127.0.0.1.evil.example:${port}`, '127.0.0.1:1'])
      expect((await ask(COMMITTEE, { ...bearer(), host })).status).toBe(403);
  });

  it('of another origin is refused, even with the token', async () => {
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:1'])
      expect((await ask(COMMITTEE, { ...bearer(), origin })).status).toBe(403);
    for (const site of ['cross-site', 'same-site'])
      expect((await ask(COMMITTEE, { ...bearer(), 'sec-fetch-site': site })).status).toBe(403);
  });
});

describe('nothing can be changed', () => {
  it('by any method but GET', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
      expect((await ask(COMMITTEE, bearer(), method)).status).toBe(405);
  });

  it('by the routes of a committee’s door', async () => {
    for (const path of ['/v1/send', '/v1/read', '/v1/events', '/v1'])
      expect((await ask(path, bearer())).status).toBe(404);
  });

  it('by the server itself: the place that it is given sends nothing and takes nothing off a queue', async () => {
    const place = readingOnly(shown.place);
    await expect(place.send([])).rejects.toThrow('only reads');
    await expect(place.refusal('operator1', 'sol', '0x00')).rejects.toThrow('only reads');
  });

  it('and an operator who is not looked at has no answer', async () => {
    expect((await ask('/v1/committee?as=mallory', bearer())).status).toBe(404);
    expect((await ask('/v1/ceremony?as=operator1&id=zz', bearer())).status).toBe(404);
  });
});

describe('the built page', () => {
  it('is what its sources give, smaller than 80 KB', async () => {
    const { module, script, style } = await buildPage();
    expect(readFileSync(PAGE_FILE, 'utf8') === module, 'run tsx scripts/console-build.ts').toBe(true);
    expect(script + style).toBeLessThan(80_000);
  });

  it('has sources that typecheck', () => {
    execFileSync(process.execPath, ['node_modules/typescript-native/bin/tsc', '--noEmit', '-p', 'console']);
  });

  it('carries data in which no tag can begin, and which reads back as it was', () => {
    const value = { purpose: '</script><!--<script>\u2028\u2029', more: ['<', '&lt;'] };
    expect(jsonInScript(value)).not.toMatch(/[<\u2028\u2029]/);
    expect(JSON.parse(jsonInScript(value))).toEqual(value);
  });
});
