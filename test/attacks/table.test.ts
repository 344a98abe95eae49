/** `docs/attacks.md`: every known attack has a row, and every test that a row names is there. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** How many attacks of each kind are known, numbered from 1. */
const KNOWN = { DKG: 16, NON: 16, ENC: 9, CTX: 9, BLM: 10, SRV: 12, SEC: 7, DOS: 6, ECASH: 20 };
const ROOT = new URL('../../', import.meta.url);

interface Row {
  readonly id: string;
  readonly attack: string;
  readonly resistance: string;
}

const rows: readonly Row[] = readFileSync(new URL('docs/attacks.md', ROOT), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, id, attack, resistance] = /^\| ([A-Z]{3,5}-[0-9]{2}) \| (.+?) \| (.+) \|$/.exec(line) ?? [];
    return id && attack && resistance ? [{ id, attack, resistance }] : [];
  });

test('every known attack has exactly one row, in order', () => {
  const known = Object.entries(KNOWN).flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, i) => `${kind}-${`${i + 1}`.padStart(2, '0')}`),
  );
  expect(rows.map(({ id }) => id)).toEqual(known);
});

test.each(rows)('$id names tests that exist, or says why it does not apply', ({ resistance }) => {
  if (resistance.startsWith('does not apply: ')) {
    expect(resistance.length).toBeGreaterThan('does not apply: '.length + 20);
    return;
  }
  for (const reference of resistance.split('<br>')) {
    const [, file = '', name = ''] = /^`([^`]+)`: (.+)$/.exec(reference) ?? [];
    expect(existsSync(new URL(file, ROOT)), `${file} exists`).toBe(true);
    const text = readFileSync(new URL(file, ROOT), 'utf8');
    // At the beginning of a title: a comment that mentions it is no test.
    const titles = ["'", '`', '"'].map((quote) => `${quote}${name}`);
    expect(
      titles.some((title) => text.includes(title)),
      `${file} has a test "${name}"`,
    ).toBe(true);
  }
});
