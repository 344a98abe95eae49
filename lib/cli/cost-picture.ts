/** A cost as a picture: one bar a line, for a document or a slide. Self-contained SVG, in the reader's own light or dark. */
import type { Cost } from './cost.ts';
import { dollarsText } from './text.ts';

const WIDTH = 720;
const LABEL = 190;
const BAR = 26;
const GAP = 12;
const TOP = 76;

export function costPicture({ question, lines, committee, operator, oneSignature }: Cost): string {
  const { operators, threshold, coins, signaturesPerDay } = question;
  const shown = lines.filter(({ dollars }) => dollars > 0);
  const most = Math.max(...shown.map(({ dollars }) => dollars), Number.MIN_VALUE);
  const height = TOP + shown.length * (BAR + GAP) + 54;
  const room = WIDTH - LABEL - 110;
  const title = `${operators} operators, any ${threshold} sign, ${coins} ${coins === 1 ? 'coin' : 'coins'}, ${signaturesPerDay} signatures a day`;
  const bars = shown.map(({ what, dollars, kind }, i) => {
    const y = TOP + i * (BAR + GAP);
    const width = Math.max(1, (dollars / most) * room).toFixed(1);
    return `<text x="${LABEL - 10}" y="${y + 18}" text-anchor="end">${escaped(what)}</text><rect class="${kind}" x="${LABEL}" y="${y}" width="${width}" height="${BAR}" rx="3"/><text x="${LABEL + Number(width) + 8}" y="${y + 18}">${dollarsText(dollars)}</text>`;
  });
  const sum = `${dollarsText(committee)} a month, ${dollarsText(operator)} an operator; one signature ${dollarsText(oneSignature)}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title sum" font-family="system-ui, sans-serif" font-size="14">
<title id="title">${escaped(title)}</title><desc id="sum">${escaped(sum)}</desc>
<style>text{fill:#1a1a1a}.fixed{fill:#7a8699}.use{fill:#2f6fde}@media(prefers-color-scheme:dark){text{fill:#eee}.fixed{fill:#9aa6b8}.use{fill:#6f9ef0}}</style>
<text x="16" y="28" font-size="17" font-weight="600">${escaped(title)}</text>
<text x="16" y="52">${escaped(sum)}</text>
${bars.join('\n')}
<rect class="fixed" x="16" y="${height - 34}" width="12" height="12"/><text x="34" y="${height - 23}" font-size="12">whether or not anything is signed</text><rect class="use" x="250" y="${height - 34}" width="12" height="12"/><text x="268" y="${height - 23}" font-size="12">by use</text>
<text x="340" y="${height - 23}" font-size="12">list prices, us-east-1; see docs/costs.md</text>
</svg>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
