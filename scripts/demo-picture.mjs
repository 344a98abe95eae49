// Draws what a terminal showed as an SVG. Reads the recorded bytes of a run on stdin and takes the screen as it stood at the end:
//   script -qec 'stty cols 100 rows 60; npm run --silent demo -- --operators 5' /dev/null \
//     | node scripts/demo-picture.mjs 'npm run demo -- --operators 5' > docs/images/demo.svg
import { readFileSync } from 'node:fs';

const COLUMNS = 100;
const CELL = { width: 7.8, height: 18 };
const MARGIN = { x: 18, top: 48, bottom: 16 };
const COLOURS = { 31: '#ff7b72', 32: '#3fb950', 36: '#39c5cf' };
/** Stands for the two characters that begin every sequence; no text has it. */
const ESCAPE = '\ue000';
const TOKEN = /\ue000([0-9]+)A|\ue000([0-9;]*)m|\ue000J|[^\ue000]/gu;
const PLAIN = { colour: '#e6edf3', bold: false, faint: false };

const command = process.argv[2] ?? 'npm run demo';
const shown = [
  [...`$ ${command}`].map((character) => ({ character, ...PLAIN, bold: true })),
  ...screen(readFileSync(0, 'utf8')),
];
while (shown.at(-1)?.length === 0) shown.pop();
process.stdout.write(picture(shown.flatMap(wrapped)));

/** The lines on the screen at the end: text, line ends, cursor up, erase below, and colours; nothing else is used. */
function screen(recorded) {
  const lines = [[]];
  let row = 0;
  let style = PLAIN;
  for (const [part, up, sgr] of recorded.replaceAll('\u001b[', ESCAPE).matchAll(TOKEN)) {
    if (up) row = Math.max(0, row - Number(up));
    else if (sgr !== undefined) style = styled(style, Number(sgr));
    else if (part === `${ESCAPE}J`) lines.length = row;
    else if (part === '\n') row += 1;
    else if (part !== '\r') lines[row]?.push({ character: part, ...style });
    while (lines.length <= row) lines.push([]);
  }
  return lines;
}

function styled(style, code) {
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, faint: true };
  if (code === 22) return { ...style, bold: false, faint: false };
  if (code === 39) return { ...style, colour: PLAIN.colour };
  if (code in COLOURS) return { ...style, colour: COLOURS[code] };
  return PLAIN;
}

function wrapped(line) {
  const rows = [];
  for (let from = 0; from === 0 || from < line.length; from += COLUMNS) rows.push(line.slice(from, from + COLUMNS));
  return rows;
}

function picture(rows) {
  const width = Math.ceil(COLUMNS * CELL.width + 2 * MARGIN.x);
  const height = MARGIN.top + rows.length * CELL.height + MARGIN.bottom;
  const dots = ['#ff5f57', '#febc2e', '#28c840'].map(
    (fill, i) => `<circle cx="${20 + i * 18}" cy="18" r="6" fill="${fill}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(`What a terminal shows after: ${command}`)}</title>
<rect width="100%" height="100%" rx="10" fill="#0d1117"/>
${dots.join('')}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" xml:space="preserve">
${rows.flatMap((row, i) => runs(row, MARGIN.top + (i + 0.7) * CELL.height)).join('\n')}
</g>
</svg>
`;
}

/** One element for each word of one style, stretched to its cells so that columns align in any font; a single space joins words, more part them. */
function runs(row, y) {
  const elements = [];
  for (let from = 0; from < row.length; ) {
    const { colour, bold, faint } = row[from];
    let to = from;
    while (to < row.length && row[to].colour === colour && row[to].bold === bold && row[to].faint === faint) to += 1;
    const text = row.slice(from, to).map(({ character }) => character);
    for (const { index, 0: words } of text.join('').matchAll(/\S+(?: \S+)*/g)) {
      const x = (MARGIN.x + (from + index) * CELL.width).toFixed(1);
      const style = `fill="${colour}"${bold ? ' font-weight="bold"' : ''}${faint ? ' opacity="0.6"' : ''}`;
      const length = ([...words].length * CELL.width).toFixed(1);
      const fit = `textLength="${length}" lengthAdjust="spacingAndGlyphs"`;
      elements.push(`<text x="${x}" y="${y.toFixed(1)}" ${style} ${fit}>${escaped(words)}</text>`);
    }
    from = to;
  }
  return elements;
}

function escaped(text) {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
