/** The door of an embedded committee: what it lets in and out, and to whom it opens. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { addressOf } from '../../lib/cli/endpoint/address.ts';
import { EndpointPlace } from '../../lib/cli/endpoint/client.ts';
import { EndpointServer } from '../../lib/cli/endpoint/server.ts';
import { EndpointTransport } from '../../lib/cli/endpoint/transport.ts';
import { Unreachable } from '../../lib/cli/exit-status.ts';
import { UsageError } from '../../lib/cli/usage.ts';
import { bodyOf } from '../../lib/messages/catalogue.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { type Embedded, embedded } from './embedded.ts';

let world: Embedded;
beforeAll(async () => {
  world = await embedded({ operators: 2 });
});
afterAll(() => world.close());

interface Said {
  readonly status: number;
  readonly text: string;
}

function ask(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Said> {
  return new Promise((resolve, reject) => {
    const sent = {
      host: 'localhost',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    };
    const method = body === undefined ? 'GET' : 'POST';
    const outgoing = request({ socketPath: world.at, path, method, headers: sent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  });
}

const read = (fields: object) =>
  ask('/v1/read', {
    op: 'query',
    identity: 'operator1',
    segment: 'sol',
    table: 'Keys',
    pk: 'OWN',
    prefix: '',
    ...fields,
  });

describe('what the door lets out', () => {
  it('names no table of ephemeral secrets', async () => {
    expect(await read({ table: 'Nonces' })).toMatchObject({ status: 400 });
    expect(await read({ table: 'Serials' })).toMatchObject({ status: 400 });
  });

  it('shows rows without anything that is stored as bytes', async () => {
    const { status, text } = await read({});
    const { items } = JSON.parse(text) as { items: Record<string, unknown>[] };
    expect(status).toBe(200);
    // The own secret keys lie in these rows: only their names leave.
    expect(items.map((item) => Object.keys(item).sort())).toEqual([
      ['pk', 'sk'],
      ['pk', 'sk'],
    ]);
  });

  it('knows its own operators and coins only', async () => {
    expect(await read({ identity: 'operator3' })).toMatchObject({ status: 404 });
    expect(await read({ segment: 'btc' })).toMatchObject({ status: 404 });
  });
});

describe('what the door lets in', () => {
  const send = (fields: object) =>
    ask('/v1/send', { identity: 'operator1', coin: 'sol', message: 'Control', body: '{}', ...fields });

  it('takes what a client may send, and no message of a coordinator or peer', async () => {
    expect(await send({ body: bodyOf('Control', { CleanUp: {} }) })).toMatchObject({ status: 200 });
    for (const message of ['Wake', 'SigningPackageIn', 'Outbound', 'CommitteeAccepted', 'Start'])
      expect(await send({ message })).toMatchObject({ status: 400 });
    expect(await send({ identity: 'operator3' })).toMatchObject({ status: 404 });
    expect(await send({ coin: 'btc' })).toMatchObject({ status: 404 });
  });

  it('turns away web pages: another origin, a rebound name, a form', async () => {
    const body = { op: 'states', identity: 'operator1', segment: 'sol', which: 'all', limit: 1 };
    expect(await ask('/v1/read', body)).toMatchObject({ status: 200 });
    expect(await ask('/v1/read', body, { origin: 'https://example.org' })).toMatchObject({ status: 403 });
    expect(await ask('/v1/read', body, { origin: 'null' })).toMatchObject({ status: 403 });
    expect(await ask('/v1/read', body, { host: 'example.org' })).toMatchObject({ status: 403 });
    expect(await ask('/v1/read', body, { 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
    expect(await ask('/v1/read', body, { origin: 'http://localhost' })).toMatchObject({ status: 200 });
  });

  it('answers what is no request with what was expected, and goes on', async () => {
    expect(await ask('/v1/read', '{')).toMatchObject({ status: 400, text: '{"error":"expected JSON"}' });
    expect(await ask('/v1/read', { op: 'drop' })).toMatchObject({ status: 400 });
    expect(await ask('/v2')).toMatchObject({ status: 404 });
    expect(await ask('/v1/read', `"${'x'.repeat(1_100_000)}"`)).toMatchObject({ status: 413 });
    // Fewer characters than a queue takes bytes, and more bytes.
    expect(await send({ body: '€'.repeat(200_000) })).toMatchObject({ status: 400 });
    expect(await ask('/v1')).toMatchObject({ status: 200 });
  });

  it('is open to its owner alone, from the first moment on', async () => {
    expect(statSync(world.at).mode & 0o777).toBe(0o600);
    const path = join(world.folder, 'moment.sock');
    const server = new EndpointServer(world.committee);
    const before = process.umask(0);
    try {
      const listening = server.listen({ kind: 'socket', path });
      for (let turns = 0; !existsSync(path) && turns < 100; turns++) await Promise.resolve();
      expect(statSync(path).mode & 0o777).toBe(0o600);
      await listening;
      expect(process.umask()).toBe(0);
    } finally {
      process.umask(before);
      await server.close();
    }
  });
});

describe('events', () => {
  it('come in order, each under its own number, to whoever asks for what is later', async () => {
    const place = await EndpointPlace.connect({ kind: 'socket', path: world.at });
    const before = await place.events('operator1', 'sol', 0, 0);
    expect(before.bodies.some((body) => body.includes('ReadyToKeygen'))).toBe(true);
    const later = place.events('operator1', 'sol', before.next, 20);
    const expired = {
      coin: 'sol',
      suite: 'FROST-ED25519-SHA512-v1',
      t: 2,
      signers: [1, 2],
      requestId: `0x${'01'.repeat(16)}`,
      expiresAt: 1,
    } as const;
    const body = bodyOf('MultisigInstruction', { KeyGen: { ...expired, signers: [1, 2] } });
    await place.send([{ identity: 'operator1', coin: 'sol', message: 'MultisigInstruction', body }]);
    expect((await later).bodies).toEqual([expect.stringContaining('"reason":"Expired"')]);
    expect(await place.refusal('operator1', 'sol', expired.requestId as Hex)).toMatchObject({ reason: 'Expired' });
    expect(await place.refusal('operator2', 'sol', expired.requestId as Hex)).toBeUndefined();
    expect((await place.events('operator1', 'sol', (await later).next, 0)).bodies).toEqual([]);
  });
});

describe('a producer', () => {
  it('leaves nothing behind at the signal that it listens to, however often it asks', async () => {
    const place = await EndpointPlace.connect({ kind: 'socket', path: world.at });
    const transport = new EndpointTransport(place, 'operator1');
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, 'addEventListener');
    const removed = vi.spyOn(signal, 'removeEventListener');
    for (let times = 0; times < 3; times++) await transport.receive('sol', 0, signal);
    expect(added).toHaveBeenCalledTimes(3);
    expect(removed).toHaveBeenCalledTimes(3);
  });

  it('stops waiting when it is told to', async () => {
    const place = await EndpointPlace.connect({ kind: 'socket', path: world.at });
    const transport = new EndpointTransport(place, 'operator1');
    for (const { done } of await transport.receive('sol', 0, new AbortController().signal)) await done();
    const abort = new AbortController();
    const waiting = transport.receive('sol', 20, abort.signal);
    abort.abort();
    await expect(waiting).rejects.toThrow();
    await expect(transport.receive('sol', 20, abort.signal)).rejects.toThrow();
  });
});

describe('where it listens', () => {
  it('takes the place of a socket whose process is gone, and of nothing else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coterie-stale-'));
    const path = join(folder, 'c.sock');
    const server = new EndpointServer(world.committee);
    // A process that is killed leaves its socket behind.
    const { spawnSync } = await import('node:child_process');
    const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    expect(existsSync(path)).toBe(true);
    await server.listen({ kind: 'socket', path });
    expect((await EndpointPlace.connect({ kind: 'socket', path })).operators).toHaveLength(2);
    const second = new EndpointServer(world.committee);
    await expect(second.listen({ kind: 'socket', path })).rejects.toThrow(/where somebody listens/);
    await server.close();
    writeFileSync(path, 'precious');
    await expect(second.listen({ kind: 'socket', path })).rejects.toBeInstanceOf(UsageError);
    expect(statSync(path).size).toBe(8);
    rmSync(folder, { recursive: true });
  });

  // Elsewhere a full backlog refuses, as nobody does.
  it.runIf(process.platform === 'linux')(
    'takes nothing from a process that is there and has no time to answer',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'coterie-busy-'));
      const path = join(folder, 'c.sock');
      const script = `require('node:net').createServer().listen({ path: ${JSON.stringify(path)}, backlog: 1 }, () => { process.stdout.write('here'); setTimeout(() => { for (;;); }, 0); })`;
      const busy = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
      const callers: Socket[] = [];
      try {
        await new Promise((resolve) => busy.stdout.once('data', resolve));
        // Until its backlog is full.
        for (let refused = false; !refused && callers.length < 50; ) {
          const caller = connect(path);
          callers.push(caller);
          refused = await new Promise<boolean>((resolve) => {
            caller.once('connect', () => resolve(false));
            caller.on('error', () => resolve(true));
          });
        }
        await expect(new EndpointServer(world.committee).listen({ kind: 'socket', path })).rejects.toThrow(
          /where somebody may listen \(EAGAIN\)/,
        );
        expect(existsSync(path)).toBe(true);
      } finally {
        for (const caller of callers) caller.destroy();
        busy.kill('SIGKILL');
        rmSync(folder, { recursive: true });
      }
    },
  );

  it('is a path or a port of this machine', () => {
    expect(addressOf('--at', '4100')).toEqual({ kind: 'port', port: 4100 });
    expect(addressOf('--at', 'http://127.0.0.1:4100/')).toEqual({ kind: 'port', port: 4100 });
    expect(addressOf('--at', './c.sock')).toEqual({ kind: 'socket', path: './c.sock' });
    for (const text of ['', '0', '65536', 'http://example.org:80', 'https://127.0.0.1:1', `/${'x'.repeat(110)}`])
      expect(() => addressOf('--at', text)).toThrow(UsageError);
  });

  it('says what to do where nobody listens, or somebody else does', async () => {
    await expect(EndpointPlace.connect({ kind: 'socket', path: join(world.folder, 'none') })).rejects.toThrow(
      /ENOENT: start one with coterie local --socket/,
    );
    const other = createServer((_, response) => response.end('<html>'));
    const port = await new Promise<number>((resolve) =>
      other.listen(0, '127.0.0.1', () => {
        const address = other.address();
        resolve(typeof address === 'object' && address ? address.port : 0);
      }),
    );
    const wrong = EndpointPlace.connect({ kind: 'port', port });
    await expect(wrong).rejects.toThrow(/something else listens there/);
    await expect(wrong).rejects.toBeInstanceOf(Unreachable);
    other.close();
  });
});
