/** Lines of bytes, of bounded length: a line that never ends must not fill the memory. */

/** What MultisigInstruction bodies may have, with room for `operators`. */
export const MAX_LINE_BYTES = 270_000;

export type Line = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string };

const NEWLINE = 0x0a;

/** UTF-8 lines without their ends; blank ones are left out. An overlong line is one refusal, and the next line is read as usual. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  let parts: Uint8Array[] = [];
  let length = 0;
  const take = (): Line | undefined => {
    const line = lineOf(parts, length);
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, from);
      const part = chunk.subarray(from, end < 0 ? chunk.length : end);
      length += part.length;
      if (length <= MAX_LINE_BYTES) parts.push(part);
      if (end < 0) break;
      const line = take();
      if (line) yield line;
      from = end + 1;
    }
  }
  const last = take();
  if (last) yield last;
}

function lineOf(parts: readonly Uint8Array[], length: number): Line | undefined {
  if (length > MAX_LINE_BYTES)
    return { ok: false, reason: `expected a line of at most ${MAX_LINE_BYTES} bytes, got ${length}` };
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts)).trim();
    return text === '' ? undefined : { ok: true, text };
  } catch {
    return { ok: false, reason: `expected UTF-8, got ${length} bytes that are not` };
  }
}
