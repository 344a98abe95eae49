/** The page as one file that asks nobody for anything: script, style and data are inside. */
import { createHash } from 'node:crypto';
import type { ReportDocument } from './console-document.ts';
import { PAGE_SCRIPT, PAGE_STYLE } from './console-page.ts';

/** Only the two parts that were built run, whatever else would find its way into the page; a saved report may not even ask its own origin. */
export function contentPolicy(mode: 'live' | 'report'): string {
  return [
    "default-src 'none'",
    `script-src '${hashOf(PAGE_SCRIPT)}'`,
    `style-src '${hashOf(PAGE_STYLE)}'`,
    `connect-src ${mode === 'live' ? "'self'" : "'none'"}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** @param report left out: the page asks the console that served it */
export function consoleHtml(report?: ReportDocument): string {
  const mode = report ? 'report' : 'live';
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${contentPolicy(mode)}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="referrer" content="no-referrer">',
    '<title>Coterie</title>',
    `<style>${PAGE_STYLE}</style>`,
    '<body>',
    '<div id="page"></div>',
    ...(report ? [`<script type="application/json" id="report">${jsonInScript(report)}</script>`] : []),
    `<script>${PAGE_SCRIPT}</script>`,
    '</html>',
    '',
  ].join('\n');
}

/** No `<` is left in it, so that no text of a request can end the element or open a comment in it. */
export function jsonInScript(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
