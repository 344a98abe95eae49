/** `coterie dead-letters`: what was set aside, and back with it. */
import { sqsClients } from '../aws/clients.ts';
import { COORDINATOR_SEGMENT } from '../messages/topics.ts';
import {
  type DeadLetter,
  type DeadLetterQueue,
  deadLetterQueues,
  listDeadLetters,
  redriveDeadLetters,
} from './dead-letters.ts';
import { STATUS, type Status } from './exit-status.ts';
import type { Place } from './place.ts';
import { reaching } from './place-aws.ts';
import { atPlace, committeeAt, type PlaceOptions, readerAt } from './place-options.ts';
import { ago, table } from './text.ts';
import { shown, UsageError, wholeNumber } from './usage.ts';

export interface DeadLetterOptions extends PlaceOptions {
  readonly from?: string;
  readonly limit: string;
  readonly id?: string;
}

interface Hands {
  readonly sqs: Parameters<typeof listDeadLetters>[0];
  readonly endpoint: string | undefined;
  readonly queues: readonly DeadLetterQueue[];
}

/** @returns 1 if there are any */
export async function list(options: DeadLetterOptions): Promise<Status> {
  const most = wholeNumber('--limit', options.limit, 1, 10_000);
  return atPlace(options, async (place) => {
    const { file } = place;
    const hands = await handsAt(place, options);
    const letters: DeadLetter[] = [];
    if (file && hands)
      for (const queue of hands.queues)
        letters.push(
          ...(await reaching(place.name, () => listDeadLetters(hands.sqs, queue, file, most - letters.length))),
        );
    if (options.json) process.stdout.write(`${JSON.stringify({ v: 1, deadLetters: letters })}\n`);
    else if (letters.length === 0) process.stderr.write('no dead letters\n');
    else process.stdout.write(`${table(letters.map(row)).join('\n')}\n`);
    return letters.length === 0 ? STATUS.ok : STATUS.failed;
  });
}

/** @returns 1 if some had to stay */
export async function redrive(options: DeadLetterOptions): Promise<Status> {
  const most = wholeNumber('--limit', options.limit, 1, 10_000);
  return atPlace(options, async (place) => {
    const { file } = place;
    const hands = await handsAt(place, options);
    const sent: DeadLetter[] = [];
    const kept: DeadLetter[] = [];
    const refused: DeadLetter[] = [];
    for (const queue of hands?.queues ?? []) {
      if (!file || !hands || sent.length >= most) break;
      const which = options.id === undefined ? {} : { which: options.id };
      const done = await reaching(place.name, () =>
        redriveDeadLetters(hands.sqs, queue, file, hands.endpoint, { most: most - sent.length, ...which }),
      );
      sent.push(...done.sent);
      kept.push(...done.kept);
      refused.push(...done.refused);
    }
    if (options.id !== undefined && sent.length + kept.length + refused.length === 0)
      throw new UsageError(
        `--id: expected a dead letter that coterie dead-letters list shows, got ${shown(options.id)} (one that was just listed is hidden for 30 s)`,
      );
    if (options.json) process.stdout.write(`${JSON.stringify({ v: 1, sent, kept, refused })}\n`);
    else {
      for (const letter of sent) process.stdout.write(`${letter.message} → ${letter.source}\n`);
      for (const letter of kept)
        process.stderr.write(`${letter.messageId} (${letter.message}) stays: nothing says which queue it came from\n`);
      for (const letter of refused)
        process.stderr.write(
          `${letter.messageId} (${letter.message}) stays: ${letter.source} takes nothing from these credentials (an inbox takes its peer’s parcels only, instructions come from clientRoles)\n`,
        );
      if (sent.length + kept.length + refused.length === 0) process.stderr.write('no dead letters\n');
    }
    return kept.length + refused.length === 0 ? STATUS.ok : STATUS.failed;
  });
}

/** @returns nothing at an embedded committee, whose queues set nothing aside */
async function handsAt(place: Place, { as, from }: DeadLetterOptions): Promise<Hands | undefined> {
  const { file } = place;
  const operator = readerAt(place, as);
  const segments = [COORDINATOR_SEGMENT, ...operator.coins, ...operator.assets];
  if (from !== undefined && ![...segments, 'inbox'].includes(from))
    throw new UsageError(`--from: expected one of ${[...segments, 'inbox'].join(', ')}, got ${shown(from)}`);
  if (!file) return undefined;
  const endpoint = process.env['AWS_ENDPOINT_URL'] || undefined;
  const sqs = sqsClients({ endpoint })(file.region);
  // Before there is a committee there are no inboxes.
  const committee = await committeeAt(place, operator).catch((error: unknown) => {
    if (error instanceof UsageError) return undefined;
    throw error;
  });
  const peers = (committee?.file.operators ?? [])
    .map(({ identity }) => identity)
    .filter((name) => name !== file.identity);
  const queues = await reaching(place.name, () => deadLetterQueues(sqs, file, segments, endpoint, peers));
  return { sqs, endpoint, queues: queues.filter(({ segment }) => from === undefined || segment === from) };
}

function row({ messageId, segment, message, bytes, sentAt, source }: DeadLetter): string[] {
  const age = sentAt === undefined ? '' : `${ago((Date.now() - sentAt) / 1_000)} old`;
  return [messageId, segment, message, `${bytes} B`, age, source ?? 'from an unknown queue'];
}
