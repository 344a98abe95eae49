import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Line, linesOf, MAX_LINE_BYTES } from '../../lib/cli/lines.ts';

async function read(chunks: readonly Uint8Array[]): Promise<Line[]> {
  const lines: Line[] = [];
  async function* source() {
    yield* chunks;
  }
  for await (const line of linesOf(source())) lines.push(line);
  return lines;
}

const bytes = (text: string) => new TextEncoder().encode(text);

it('gives the same lines however the bytes are cut', async () => {
  const text = fc.array(
    fc.string({ unit: 'grapheme' }).map((each) => each.replace(/[\r\n]/g, ' ')),
    { maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(60), { maxLength: 10 }), fc.boolean(), async (lines, cuts, ended) => {
      const all = bytes(lines.join('\n') + (ended ? '\n' : ''));
      const places = [...cuts.filter((cut) => cut < all.length), all.length].sort((a, b) => a - b);
      const chunks = places.map((place, i) => all.subarray(places[i - 1] ?? 0, place));
      const expected = lines.map((line) => line.trim()).filter((line) => line !== '');
      expect(await read(chunks)).toEqual(expected.map((line) => ({ ok: true, text: line })));
    }),
    { numRuns: 200 },
  );
});

it('refuses a line that is too long, and reads the next one as usual', async () => {
  const long = new Uint8Array(MAX_LINE_BYTES + 1).fill(0x61);
  const lines = await read([long.subarray(0, 100_000), long.subarray(100_000), bytes('\nnext\n')]);
  expect(lines).toEqual([
    { ok: false, reason: `expected a line of at most ${MAX_LINE_BYTES} bytes, got ${MAX_LINE_BYTES + 1}` },
    { ok: true, text: 'next' },
  ]);
  expect(await read([long.subarray(1)])).toMatchObject([{ ok: true }]);
});

it('refuses bytes that are not UTF-8, and reads the next line as usual', async () => {
  const lines = await read([Uint8Array.of(0x61, 0xff, 0x0a), bytes('next')]);
  expect(lines).toEqual([
    { ok: false, reason: 'expected UTF-8, got 2 bytes that are not' },
    { ok: true, text: 'next' },
  ]);
});
