/** The real binary, as a user starts it. Few starts: each takes a second or more. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { base58, bech32m } from '@scure/base';
import { verifySchnorr } from 'tiny-secp256k1';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { certificateSchema } from '../../lib/messages/certificate.ts';
import { multisigEvent } from '../../lib/messages/events.ts';
import { ceremonyView } from '../../lib/view/ceremony-view.ts';
import { committeeView } from '../../lib/view/committee-view.ts';

const BINARY = fileURLToPath(new URL('../../bin/coterie.js', import.meta.url));

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function coterie(args: readonly string[], input = '', meanwhile?: (child: ChildProcess) => void): Promise<Run> {
  const child = spawn(process.execPath, [BINARY, ...args], { stdio: 'pipe' });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  if (meanwhile) meanwhile(child);
  else child.stdin.end(input);
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
}

const hex = (bytes: number) => z.string().regex(new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`));
const demoDocument = z.strictObject({
  committee: z.strictObject({
    id: hex(32),
    threshold: z.int(),
    operators: z.array(z.looseObject({ index: z.int(), identity: z.string(), coordinatorKey: hex(32) })),
  }),
  keys: z.array(
    z.strictObject({
      coin: z.enum(['btc', 'sol']),
      suite: z.string(),
      keyId: hex(32),
      publicKey: hex(32),
      address: z.string(),
      certificate: certificateSchema,
    }),
  ),
  signatures: z.array(
    z.strictObject({
      coin: z.enum(['btc', 'sol']),
      message: z.string().regex(/^0x(?:[0-9a-f]{2})+$/),
      signature: hex(64),
    }),
  ),
  messages: z.strictObject({ total: z.int().positive(), byType: z.record(z.string(), z.int().positive()) }),
});
const bytes = (text: string) => new Uint8Array(Buffer.from(text.slice(2), 'hex'));

function verifies(coin: 'btc' | 'sol', publicKey: string, message: string, signature: string): boolean {
  if (coin === 'btc') return verifySchnorr(bytes(message), bytes(publicKey), bytes(signature));
  const x = Buffer.from(bytes(publicKey)).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, bytes(message), key, bytes(signature));
}

function events(stdout: string): z.infer<typeof multisigEvent>[] {
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => z.strictObject({ MultisigEvent: multisigEvent }).parse(JSON.parse(line)).MultisigEvent);
}

describe('the command line', () => {
  it('answers mistakes with one sentence and status 2', async () => {
    const mistakes: readonly (readonly [readonly string[], RegExp])[] = [
      [[], /^coterie: expected one of demo, local, .*committee, .*got none/],
      [['frob'], /^coterie: expected one of demo, local, .*committee, .*got "frob"/],
      [['demo', 'frob'], /^coterie: expected options only, got a further argument/],
      [['demo', '--frob'], /^coterie: expected one of --operators, .*--json, --help, got --frob$/],
      [['demo', '--seed'], /^coterie: --seed <text\|0x\.\.\.>: expected a value, got none$/],
      [['demo', '--operators', '1'], /^coterie: --operators: expected a whole number from 2 to 100, got "1"$/],
      [['local', '--kill', '9'], /^coterie: --kill: expected a whole number from 1 to 3, got "9"$/],
    ];
    const runs = await Promise.all(mistakes.map(([args]) => coterie(args)));
    for (const [i, { status, stdout, stderr }] of runs.entries()) {
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr.trimEnd()).toMatch(mistakes[i]?.[1] ?? /never/);
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    }
  });

  it('explains itself with status 0', async () => {
    const [help, version] = await Promise.all([coterie(['--help']), coterie(['--version'])]);
    expect(help).toMatchObject({ status: 0, stderr: '' });
    expect(help.stdout).toMatch(/Usage: coterie/);
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('where the output goes', () => {
  it('may end early: whoever reads one line of it gets that, no stack, and the status of the answer', async () => {
    for (const [args, line] of [
      [['--help'], 'Usage: coterie'],
      [['cost', '--json'], '{"v":1'],
    ] as const) {
      const child = spawn(process.execPath, [BINARY, ...args], { stdio: 'pipe' });
      const err: Buffer[] = [];
      child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
      child.stdout.destroy();
      const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
      expect({ line, status, stderr: Buffer.concat(err).toString() }).toEqual({ line, status: 0, stderr: '' });
    }
  });

  it('may be for nobody: what is said beside the answer ends nothing', async () => {
    const child = spawn(process.execPath, [BINARY, 'demo', '--coins', 'sol', '--operators', '2', '--json'], {
      stdio: 'pipe',
    });
    child.stderr.destroy();
    const out: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
    expect(status).toBe(0);
    expect(demoDocument.parse(JSON.parse(Buffer.concat(out).toString())).keys).toHaveLength(1);
  });

  it.runIf(existsSync('/dev/full'))('may be full: that is one sentence, and no success', () => {
    const full = openSync('/dev/full', 'w');
    try {
      const { status, stderr } = spawnSync(process.execPath, [BINARY, 'cost'], { stdio: ['ignore', full, 'pipe'] });
      expect({ status, stderr: `${stderr}` }).toEqual({
        status: 1,
        stderr: 'coterie: stdout: expected room for the output, got ENOSPC: it is not complete\n',
      });
    } finally {
      closeSync(full);
    }
  });
});

describe('the demo', () => {
  it('makes keys and signatures that other libraries verify, the same for the same seed, as one JSON document', async () => {
    const sighash = `0x${'5a'.repeat(32)}`;
    const args = ['demo', '--json', '--seed', 'binary test', '--message', sighash, '--message', `0x${'A5'.repeat(32)}`];
    const [one, two] = await Promise.all([coterie(args), coterie(args)]);
    expect(one.status).toBe(0);
    expect(one.stdout).toBe(two.stdout);

    const document = demoDocument.parse(JSON.parse(one.stdout));
    expect(document.committee).toMatchObject({ threshold: 2, operators: [{ index: 1 }, { index: 2 }, { index: 3 }] });
    expect(document.keys.map(({ coin }) => coin)).toEqual(['btc', 'sol']);
    expect(document.signatures.map(({ coin, message }) => [coin, message])).toEqual(
      ['btc', 'sol'].flatMap((coin) => [sighash, `0x${'a5'.repeat(32)}`].map((message) => [coin, message])),
    );
    for (const { coin, message, signature } of document.signatures) {
      const key = document.keys.find((each) => each.coin === coin);
      expect(verifies(coin, key?.publicKey ?? '', message, signature)).toBe(true);
    }
    const [btc, sol] = document.keys;
    const words = bech32m.decode(btc?.address as `bc1${string}`).words;
    expect(bech32m.fromWords(words.slice(1))).toEqual(bytes(btc?.publicKey ?? ''));
    expect(base58.decode(sol?.address ?? '')).toEqual(bytes(sol?.publicKey ?? ''));
    const { total, byType } = document.messages;
    expect(Object.values(byType).reduce((sum, count) => sum + count, 0)).toBe(total);
  });

  it('signs without a silent operator, and shows plain progress and the result to people', async () => {
    const { status, stdout, stderr } = await coterie(['demo', '--coins', 'btc', '--silent', '2', '--message', 'hello']);
    expect(status).toBe(0);
    expect(stderr).toContain('btc key generation: all 3 operators reached Succeeded');
    expect(stderr).toContain('btc signing: all 2 operators reached Succeeded');
    expect(stdout).toMatch(/address +bc1p[0-9a-z]{58}\n/);
    expect(stdout).toContain('✓ verified by tiny-secp256k1 (libsecp256k1)');
    expect(stdout + stderr).not.toContain('\x1b');
  });

  it('says who was silent, with status 1, if fewer than t answer', async () => {
    const { status, stdout, stderr } = await coterie([
      'demo',
      '--operators',
      '2',
      '--coins',
      'sol',
      '--silent',
      '1',
      '--json',
    ]);
    expect(status).toBe(1);
    const { signatures, failures } = JSON.parse(stdout) as {
      signatures: unknown[];
      failures: { unresponsive: number[] }[];
    };
    expect(signatures).toEqual([]);
    expect(failures).toMatchObject([{ coin: 'sol', reason: 'Timeout' }]);
    // Whoever waits for a leader only cannot tell who else was silent.
    expect([[], [1]]).toContainEqual(failures[0]?.unresponsive);
    expect(stderr).toContain('coterie: sol: no signature (Timeout): 2 operators are needed; living: 2');
  });
});

describe('the local committee', () => {
  const keyGen = '{"MultisigInstruction":{"KeyGen":{"coin":"sol"}}}';
  const sign = '{"MultisigInstruction":{"Sign":{"keyId":"latest","messages":["0x68656c6c6f"]}}}';

  it('makes a key and signs with it, whatever lies between the lines, and ends with its input', async () => {
    const input = [
      keyGen,
      '{"broken',
      sign,
      '',
      '{"Status":{}}',
      '{"MultisigInstruction":{"Sign":{"messages":[]}}}',
    ].join('\n');
    const { status, stdout } = await coterie(['local', '--coins', 'sol'], input);
    expect(status).toBe(0);
    const all = events(stdout);
    const refusals = all.flatMap((event) => ('Refused' in event ? [event.Refused] : []));
    expect(refusals.map(({ reason }) => reason)).toEqual(['Malformed', 'Malformed', 'Malformed']);
    expect(refusals.every(({ detail }) => /expected .*/.test(detail))).toBe(true);
    const keys = all.flatMap((event) => ('KeygenOutcome' in event ? [event.KeygenOutcome] : []));
    const signings = all.flatMap((event) => ('SigningOutcome' in event ? [event.SigningOutcome] : []));
    for (const outcomes of [keys, signings]) {
      expect(new Set(outcomes.map(({ operator }) => operator))).toEqual(new Set([1, 2, 3]));
      expect(outcomes.every(({ result, final }) => result === 'succeeded' && final)).toBe(true);
    }
    expect(verifies('sol', keys[0]?.publicKey ?? '', '0x68656c6c6f', signings[0]?.signatures?.[0] ?? '')).toBe(true);
  });

  it('ends cleanly when it is interrupted', async () => {
    const { status, stderr } = await coterie(['local', '--coins', 'sol', '--operators', '2'], '', (child) => {
      child.stdout?.once('data', () => child.kill('SIGINT'));
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('a committee behind a socket', () => {
  it('is used by other processes: keygen, sign, status, show; and ends with its signal, taking the socket along', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coterie-binary-'));
    const at = join(folder, 'c.sock');
    const local = spawn(process.execPath, [BINARY, 'local', '--coins', 'btc', '--socket', at], { stdio: 'pipe' });
    const closed = new Promise<number | null>((resolve) => local.on('close', resolve));
    const told = await new Promise<string>((resolve) =>
      local.stderr.once('data', (chunk: Buffer) => resolve(`${chunk}`)),
    );
    expect(told).toBe(`coterie: the committee is at ${at}; for other commands: export COTERIE_AT=${at}\n`);
    try {
      expect(await coterie(['status', '--at', at])).toMatchObject({
        status: 1,
        stdout: expect.stringContaining('there is no key yet'),
      });
      const made = await coterie(['keygen', '--at', at]);
      expect(made.status).toBe(0);
      const publicKey = /public key +(0x[0-9a-f]{64})\n/.exec(made.stdout)?.[1] ?? '';
      const sighash = `0x${'5a'.repeat(32)}`;
      const signed = await coterie(['sign', '--message', sighash, '--at', at]);
      expect(signed.status).toBe(0);
      expect(verifies('btc', publicKey, sighash, signed.stdout.trim())).toBe(true);
      const [status, list] = await Promise.all([
        coterie(['status', '--json', '--at', at]),
        coterie(['ceremony', 'list', '--json', '--at', at]),
      ]);
      expect(committeeView.parse(JSON.parse(status.stdout)).coins[0]?.health).toMatchObject({
        canSign: true,
        mayFallSilent: 1,
      });
      const [{ ceremony } = { ceremony: '' }] = (JSON.parse(list.stdout) as { ceremonies: { ceremony: string }[] })
        .ceremonies;
      const shown = await coterie(['ceremony', 'show', ceremony, '--json', '--at', at]);
      expect(ceremonyView.parse(JSON.parse(shown.stdout))).toMatchObject({ kind: 'signing', stage: 'Succeeded' });
    } finally {
      local.kill('SIGINT');
    }
    expect(await closed).toBe(0);
    expect(await coterie(['status', '--at', at])).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('ENOENT: start one with'),
    });
    rmSync(folder, { recursive: true });
  }, 180_000);
});
