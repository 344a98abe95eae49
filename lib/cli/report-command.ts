/** `coterie report`: one ceremony as one file that opens anywhere, without a network. */
import { writeFileSync } from 'node:fs';
import { consoleHtml } from './console-html.ts';
import { ceremonyDocument, committeeDocument } from './console-views.ts';
import { notWritable } from './deploy-files.ts';
import { STATUS, type Status } from './exit-status.ts';
import { atPlace, type PlaceOptions, readerAt } from './place-options.ts';

export interface ReportOptions extends PlaceOptions {
  /** `-`: stdout. Default: a name made of the ceremony. */
  readonly output?: string;
}

export async function report(id: string, options: ReportOptions): Promise<Status> {
  return atPlace(options, async (place) => {
    const operator = readerAt(place, options.as);
    const ceremony = await ceremonyDocument(place, operator, id);
    const committee = await committeeDocument(place, operator);
    const document = { v: 1, place: place.name, ceremony, committee } as const;
    if (options.json) {
      process.stdout.write(`${JSON.stringify(document)}\n`);
      return STATUS.ok;
    }
    const html = consoleHtml(document);
    const path = options.output ?? `coterie-${ceremony.view.ceremony.slice(2, 14)}.html`;
    if (path === '-') {
      process.stdout.write(html);
      return STATUS.ok;
    }
    try {
      writeFileSync(path, html);
    } catch (error) {
      throw notWritable('--output', path, error);
    }
    process.stdout.write(`${path}\n`);
    return STATUS.ok;
  });
}
