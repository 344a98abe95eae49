// Builds the page's script and style into lib/cli/console-page.ts, which is what the command line serves.
import { writeFileSync } from 'node:fs';
import { buildPage, PAGE_FILE } from './console-bundle.ts';

const { module, script, style } = await buildPage();
writeFileSync(PAGE_FILE, module);
console.log(`${PAGE_FILE}: script ${script} B, style ${style} B`);
