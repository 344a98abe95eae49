/** The search finds what it is there to find. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { SecretScan } from './secret-scan.ts';

const secretOf = (number: number): Uint8Array =>
  new Uint8Array(createHash('sha256').update(`secret ${number}`).digest());
const decimal = (bytes: Uint8Array): string => BigInt(`0x${Buffer.from(bytes).toString('hex')}`).toString(10);

const FORMS: Record<string, (bytes: Uint8Array) => unknown> = {
  raw: (bytes) => Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]),
  hex: (bytes) => `{"key":"0x${Buffer.from(bytes).toString('hex')}"}`,
  HEX: (bytes) => Buffer.from(bytes).toString('hex').toUpperCase(),
  base64: (bytes) => Buffer.from(bytes).toString('base64'),
  base64url: (bytes) => Buffer.from(bytes).toString('base64url'),
  decimal: (bytes) => `Error: expected less than ${decimal(bytes)}`,
};

test.each(Object.keys(FORMS))(
  'SEC-02 a secret as %s is found, forwards and reversed, among a thousand others',
  (name) => {
    const form = FORMS[name] as (bytes: Uint8Array) => unknown;
    for (let number = 0; number < 4; number++) {
      for (const reversed of [false, true]) {
        const scan = new SecretScan();
        for (let other = 0; other < 100; other++) scan.secret(`secret ${other}`, secretOf(other));
        for (let other = 0; other < 50; other++)
          scan.sink('a row', `{"hash":"0x${createHash('sha256').update(`${other}`).digest('hex')}"}`);
        expect(scan.leaks()).toEqual([]);
        const secret = reversed ? secretOf(number).reverse() : secretOf(number);
        scan.sink('the place', { deep: [{ inside: form(secret) }] });
        const [leak, ...more] = scan.leaks();
        // Without + and / the two alphabets of base64 are one.
        expect(leak).toMatchObject({ secret: `secret ${number}`, reversed, sink: 'the place' });
        expect(more.every((each) => each.secret === `secret ${number}`)).toBe(true);
      }
    }
  },
);

test('base64 inside a longer text is found at each of its three alignments', () => {
  for (let before = 0; before < 6; before++) {
    const scan = new SecretScan();
    scan.secret('s', secretOf(1));
    const text = Buffer.concat([Buffer.alloc(before, 7), secretOf(1), Buffer.alloc(5, 9)]).toString('base64');
    scan.sink('body', text);
    expect(scan.leaks().length).toBeGreaterThan(0);
  }
});

test('a secret in an error is found, and one that was wiped is no secret', () => {
  const scan = new SecretScan();
  scan.secret('s', secretOf(2));
  scan.secret('wiped', new Uint8Array(32));
  scan.sink('an error', new Error(`bad scalar ${Buffer.from(secretOf(2)).toString('hex')}`));
  scan.sink('zeros', new Uint8Array(500));
  // The message, and the stack that repeats it.
  expect(new Set(scan.leaks().map(({ secret }) => secret))).toEqual(new Set(['s']));
  expect(scan.secrets).toBe(1);
});

test('what differs in one byte is no leak', () => {
  const scan = new SecretScan();
  scan.secret('s', secretOf(3));
  const near = secretOf(3);
  near[15] = (near[15] as number) ^ 1;
  for (const form of Object.values(FORMS)) scan.sink('near', form(near));
  expect(scan.leaks()).toEqual([]);
});
