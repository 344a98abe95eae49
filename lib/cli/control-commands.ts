/** `coterie halt`, `release`, `abandon` and `clean-up`: the operator's own switches, sent to every processor that it has here. */
import { bodyOf, type Payload } from '../messages/catalogue.ts';
import type { Hex } from '../messages/hex.ts';
import { toHex } from '../messages/hex.ts';
import { control, instructionBytes } from '../messages/instructions.ts';
import { HALT } from '../node/rows.ts';
import { readText } from './deploy-files.ts';
import { STATUS, type Status } from './exit-status.ts';
import { byPrefix, ceremoniesOf } from './find-ceremony.ts';
import type { Place, PlaceOperator } from './place.ts';
import { atPlace, committeeAt, operatorsAt, type PlaceOptions } from './place-options.ts';
import { shown, UsageError } from './usage.ts';

export interface ControlOptions extends PlaceOptions {
  readonly coin?: string;
  readonly signatures?: string;
  readonly unsent?: boolean;
}

type Control = Payload<'Control'>;
/** How long the switch is looked for after it was sent. */
const CONFIRM_MILLISECONDS = 10_000;

interface Target {
  readonly operator: PlaceOperator;
  readonly coin: string;
}

/** @returns 0 once every processor's row says so, 4 if one does not yet */
export async function halt(options: ControlOptions): Promise<Status> {
  return switched(options, { Halt: {} }, 'halted');
}

export async function release(options: ControlOptions): Promise<Status> {
  return switched(options, { Release: {} }, 'released');
}

export async function cleanUp(options: ControlOptions): Promise<Status> {
  return atPlace(options, async (place) => {
    const targets = targetsOf(place, options);
    const sent = await sendControl(place, targets, { CleanUp: {} }, options);
    if (sent) report(options, targets, 'asked to look at every open ceremony');
    return STATUS.ok;
  });
}

export async function abandon(id: string, options: ControlOptions): Promise<Status> {
  return atPlace(options, async (place) => {
    const found = await Promise.all(
      operatorsAt(place, options.as).map(async (operator) =>
        (await ceremoniesOf(place, operator, 'all')).map(({ coin, row }) => ({ operator, coin, row })),
      ),
    );
    const all = found.flat().filter(({ coin }) => options.coin === undefined || coin === options.coin);
    const { row } = byPrefix('a ceremony', id, all, (each) => each.row.state.ceremony);
    const { ceremony, stage } = row.state;
    if (stage === 'Succeeded') throw new UsageError(`expected a ceremony that has not succeeded, got ${ceremony}`);
    const targets = all.filter((each) => each.row.state.ceremony === ceremony);
    const sent = await sendControl(place, targets, { Abandon: { ceremony } }, options);
    if (sent) report(options, targets, `asked to abandon ${ceremony}`);
    return STATUS.ok;
  });
}

async function switched(options: ControlOptions, instruction: Control, word: 'halted' | 'released'): Promise<Status> {
  return atPlace(options, async (place) => {
    const targets = targetsOf(place, options);
    if (!(await sendControl(place, targets, instruction, options))) return STATUS.ok;
    const deadline = performance.now() + CONFIRM_MILLISECONDS;
    let waiting = targets;
    for (;;) {
      const halted = await Promise.all(
        waiting.map(({ operator, coin }) => place.reader(operator.identity, coin).get('Keys', HALT)),
      );
      waiting = waiting.filter((_, i) => (halted[i] !== undefined) !== (word === 'halted'));
      if (waiting.length === 0 || performance.now() >= deadline) break;
      await new Promise((resolve) => setTimeout(resolve, place.pollMilliseconds));
    }
    report(
      options,
      targets.filter((each) => !waiting.includes(each)),
      word,
    );
    if (waiting.length === 0) return STATUS.ok;
    process.stderr.write(
      `${waiting.map(({ operator, coin }) => `${operator.identity} ${coin}`).join(', ')}: not ${word} yet: coterie status looks again\n`,
    );
    return STATUS.waiting;
  });
}

function targetsOf(place: Place, { as, coin }: ControlOptions): readonly Target[] {
  const operators = operatorsAt(place, as);
  const targets = operators.flatMap((operator) =>
    [...operator.coins, ...operator.assets]
      .filter((each) => coin === undefined || each === coin)
      .map((each) => ({ operator, coin: each })),
  );
  if (targets.length > 0) return targets;
  const coins = [...new Set(operators.flatMap((operator) => [...operator.coins, ...operator.assets]))];
  throw new UsageError(`--coin: expected one of ${coins.join(', ')}, got ${shown(coin)}`);
}

/** @returns false if it was only shown */
async function sendControl(
  place: Place,
  targets: readonly Target[],
  instruction: Control,
  { signatures, unsent }: ControlOptions,
): Promise<boolean> {
  const signed = { ...instruction, ...(signatures === undefined ? {} : { signatures: parsedSignatures(signatures) }) };
  const parsed = control.safeParse(signed);
  if (!parsed.success) throw new UsageError('--signatures: expected a JSON array of {"key", "signature"}, got another');
  if (unsent) {
    const shownTo = await Promise.all(
      targets.map(async ({ operator, coin }) => {
        const { id } = await committeeAt(place, operator);
        return { coin, bytesToSign: toHex(instructionBytes(instruction, { committee: id as Hex, coin })) };
      }),
    );
    process.stdout.write(`${JSON.stringify({ control: instruction, for: shownTo })}\n`);
    return false;
  }
  const required = place.file?.instructionKeys?.required ?? 0;
  const got = parsed.data.signatures?.length ?? 0;
  if (got < required)
    throw new UsageError(
      `--signatures: expected ${required} signatures of the operator's instruction keys, got ${got}: --unsent prints the bytes that they sign, for each coin`,
    );
  const body = bodyOf('Control', parsed.data);
  await place.send(
    targets.map(({ operator, coin }) => ({ identity: operator.identity, coin, message: 'Control', body })),
  );
  return true;
}

function parsedSignatures(path: string): unknown {
  try {
    return JSON.parse(readText(path, 'a file of signatures'));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--signatures: expected JSON at ${path}, got another text`);
  }
}

function report({ json }: ControlOptions, targets: readonly Target[], word: string): void {
  const done = targets.map(({ operator, coin }) => ({ identity: operator.identity, coin }));
  if (json) process.stdout.write(`${JSON.stringify({ v: 1, done: word, at: done })}\n`);
  else for (const { identity, coin } of done) process.stdout.write(`${identity} ${coin}: ${word}\n`);
}
