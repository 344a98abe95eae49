import crypto from 'node:crypto';
import { readdirSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = [
  'randomBytes',
  'randomUUID',
  'randomInt',
  'randomFillSync',
  'getRandomValues',
  'generateKeyPairSync',
  'createECDH',
] as const;

const drawn: string[] = [];
const restore: (() => void)[] = [];

/** Who drew: the frames of the stack, without this file. */
function note(source: string): void {
  drawn.push(`${source}\n${new Error('drawn').stack ?? ''}`);
}

function spy(holder: object, name: string): void {
  const original: unknown = Reflect.get(holder, name);
  if (typeof original !== 'function') return;
  Reflect.set(holder, name, function (this: unknown, ...args: unknown[]) {
    note(name);
    return Reflect.apply(original, this === undefined ? holder : this, args);
  });
  restore.push(() => Reflect.set(holder, name, original));
}

beforeAll(() => {
  for (const name of SOURCES) spy(crypto, name);
  spy(Math, 'random');
  spy(globalThis.crypto, 'getRandomValues');
  spy(globalThis.crypto, 'randomUUID');
  syncBuiltinESMExports();
});

afterAll(() => {
  for (const undo of restore) undo();
  syncBuiltinESMExports();
});

/** The library probes its source once when it is imported, and throws the bytes away. */
const probe = (stack: string) => stack.includes('@noble/');

describe('NON-05: an environment that is frozen after its start and copied', () => {
  test('the probe of this test sees randomness that is drawn', () => {
    crypto.randomBytes(1);
    expect(drawn.splice(0)).toHaveLength(1);
  });

  test('holds no randomness: importing every function and the Lambda adapter draws none', async () => {
    const files = ['coordinator', 'processor'].flatMap((role) =>
      readdirSync(join(ROOT, 'functions', role)).map((file) => join(ROOT, 'functions', role, file)),
    );
    expect(files.length).toBeGreaterThan(20);
    const { lambda } = await import('../../lib/aws/lambda.ts');
    for (const file of files) {
      const { handler } = (await import(pathToFileURL(file).href)) as { handler: Parameters<typeof lambda>[0] };
      // The deployment is made at the first event, so making the handler is part of the start.
      lambda(handler);
    }
    expect(drawn.filter((stack) => !probe(stack))).toEqual([]);
  });
});
