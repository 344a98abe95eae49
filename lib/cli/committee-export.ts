/** `coterie committee export`: the file by which strangers judge evidence, as an operator has accepted it. */
import { committeeText, spoken } from './committee.ts';
import { putOut } from './deploy-files.ts';
import { STATUS, type Status } from './exit-status.ts';
import { atPlace, committeeAt, type PlaceOptions, readerAt } from './place-options.ts';

export interface ExportOptions extends PlaceOptions {
  readonly output?: string;
}

/** The canonical text, in a file or on stdout; its hash, to be compared by voice, on stderr. With `--json` there is no other form. */
export async function exportCommittee(options: ExportOptions): Promise<Status> {
  return atPlace(options, async (place) => {
    const committee = await committeeAt(place, readerAt(place, options.as));
    putOut(committeeText(committee), options.output);
    process.stderr.write(`committee ${spoken(committee.id)}\n`);
    return STATUS.ok;
  });
}
