/** The page's sources as one module of two strings; the same sources give the same bytes. */
import { join } from 'node:path';
import { build } from 'esbuild';

export const PAGE_FILE = 'lib/cli/console-page.ts';
const root = join(import.meta.dirname, '..');

/** @returns the module's text, and the sizes of its two parts in bytes */
export async function buildPage(): Promise<{ module: string; script: number; style: number }> {
  const common = { bundle: true, minify: true, write: false, absWorkingDir: root, legalComments: 'none' } as const;
  const [script, style] = await Promise.all([
    build({
      ...common,
      entryPoints: ['console/main.tsx'],
      tsconfig: 'console/tsconfig.json',
      format: 'iife',
      target: 'es2022',
      charset: 'ascii',
    }),
    build({ ...common, entryPoints: ['console/style.css'], target: 'es2022' }),
  ]);
  const js = textOf(script).trim();
  const css = textOf(style).trim();
  // Either would end the element that it stands in.
  if (/<\/(?:script|style)|<!--/i.test(js + css)) throw new Error('expected no closing tag in the built page');
  return {
    module: [
      '// Built from console/ by scripts/console-build.ts: change the sources there, then build again.',
      `export const PAGE_SCRIPT = ${literal(js)};`,
      `export const PAGE_STYLE = ${literal(css)};`,
      '',
    ].join('\n'),
    script: Buffer.byteLength(js),
    style: Buffer.byteLength(css),
  };
}

function textOf({ outputFiles }: { readonly outputFiles: readonly { readonly text: string }[] }): string {
  return outputFiles[0]?.text ?? '';
}

function literal(text: string): string {
  return `\`${text.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${')}\``;
}
