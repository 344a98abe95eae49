/** How ids, times and columns look in a terminal. */
import type { Hex } from '../messages/hex.ts';

/** Enough of an id to find it again, by hand too. */
export function short(id: Hex | string): string {
  return id.length > 18 ? `${id.slice(0, 14)}…` : id;
}

/** @param seconds a span; negative counts as 0 */
export function ago(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 120) return `${s} s`;
  if (s < 7_200) return `${Math.floor(s / 60)} min`;
  if (s < 172_800) return `${Math.floor(s / 3_600)} h`;
  return `${Math.floor(s / 86_400)} d`;
}

/** `2026-01-01T00:00:00Z`. @param seconds UTC */
export function utc(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace(/\.000Z$/, 'Z');
}

/** Columns as wide as their widest cell, indented by two; the last is not padded. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, [...cell].length);
  return rows.map((row) =>
    `  ${row.map((cell, i) => cell + ' '.repeat(Math.max(0, (widths[i] ?? 0) - [...cell].length))).join('  ')}`.trimEnd(),
  );
}

/** `$1,234.50`; small amounts have two digits that are not 0. @param dollars ≥ 0 */
export function dollarsText(dollars: number): string {
  const decimals = dollars === 0 || dollars >= 0.1 ? 2 : Math.min(12, 1 - Math.floor(Math.log10(dollars)));
  const [whole = '', rest = ''] = dollars.toFixed(decimals).split('.');
  return `$${whole.replace(/\B(?=(?:\d{3})+$)/g, ',')}.${rest}`;
}
