/** `coterie ceremony` and `coterie pending`: what runs, what ran, what others ask for. They only read. */
import type { Committee } from '../messages/committee.ts';
import { summaryOf, viewCeremony } from '../view/ceremony.ts';
import { readCeremony } from '../view/ceremony-rows.ts';
import type { CeremonyView } from '../view/ceremony-view.ts';
import { pendingLine } from './ask-commands.ts';
import { STATUS, type Status } from './exit-status.ts';
import { byPrefix, ceremoniesOf } from './find-ceremony.ts';
import type { Place, PlaceOperator } from './place.ts';
import { atPlace, committeeAt, type PlaceOptions, readerAt } from './place-options.ts';
import { committeeViewAt } from './status-command.ts';
import { ago, short, table, utc } from './text.ts';
import { timelineText } from './timeline.ts';
import { shown, UsageError, wholeNumber } from './usage.ts';

export interface ListOptions extends PlaceOptions {
  readonly coin?: string;
  readonly open?: boolean;
  readonly limit: string;
}

export async function listCeremonies(options: ListOptions): Promise<Status> {
  const limit = wholeNumber('--limit', options.limit, 1, 10_000);
  return atPlace(options, async (place) => {
    const operator = readerAt(place, options.as);
    const known = [...operator.coins, ...operator.assets];
    if (options.coin !== undefined && !known.includes(options.coin))
      throw new UsageError(`--coin: expected one of ${known.join(', ')}, got ${shown(options.coin)}`);
    const beholder = await beholderAt(place, operator);
    const found = await ceremoniesOf(place, operator, options.open ? 'open' : 'all', options.coin);
    const summaries = found
      .map(({ row }) => summaryOf(row, beholder))
      .filter(({ open }) => open || !options.open)
      .slice(0, limit);
    if (options.json)
      process.stdout.write(`${JSON.stringify({ v: 1, readAt: beholder.now, ceremonies: summaries })}\n`);
    else if (summaries.length === 0) process.stderr.write(`no ${options.open ? 'open ' : ''}ceremonies\n`);
    else
      process.stdout.write(
        `${table(
          summaries.map(({ ceremony, updatedAt, sentence }) => [
            short(ceremony),
            updatedAt === undefined ? '' : `${ago(beholder.now - updatedAt / 1_000)} ago`,
            sentence,
          ]),
        ).join('\n')}\n`,
      );
    return STATUS.ok;
  });
}

export interface ShowOptions extends PlaceOptions {
  readonly evidence?: string;
}

/** @returns 1 if the ceremony failed, so that a script can ask */
export async function showCeremony(id: string, options: ShowOptions): Promise<Status> {
  return atPlace(options, async (place) => {
    const operator = readerAt(place, options.as);
    const { view, evidence } = await ceremonyAt(place, operator, id);
    if (options.evidence !== undefined) {
      const index = wholeNumber('--evidence', options.evidence, 1, 100);
      const proof = evidence.find((each) => each.index === index);
      if (!proof)
        throw new UsageError(
          `--evidence: expected an operator with a stored proof (${evidence.map((each) => each.index).join(', ') || 'there is none'}), got ${index}`,
        );
      process.stdout.write(`${JSON.stringify(proof.evidence)}\n`);
      return STATUS.ok;
    }
    process.stdout.write(`${options.json ? JSON.stringify(view) : ceremonyText(view)}\n`);
    return statusOfView(view);
  });
}

export async function showTimeline(id: string, options: PlaceOptions): Promise<Status> {
  return atPlace(options, async (place) => {
    const { view } = await ceremonyAt(place, readerAt(place, options.as), id);
    process.stdout.write(`${options.json ? JSON.stringify(view) : timelineText(view, process.stdout.columns)}\n`);
    return statusOfView(view);
  });
}

function statusOfView({ outcome }: CeremonyView): Status {
  return outcome && outcome.result !== 'succeeded' ? STATUS.failed : STATUS.ok;
}

export async function ceremonyAt(place: Place, operator: PlaceOperator, id: string) {
  const all = await ceremoniesOf(place, operator, 'all');
  const [newest] = id === 'latest' ? all : [];
  const { coin, row } = newest ?? byPrefix('a ceremony', id, all, (each) => each.row.state.ceremony);
  const { ceremony } = row.state;
  const rows = await readCeremony(place.reader(operator.identity, coin), ceremony);
  if (!rows) throw new UsageError(`expected ceremony ${ceremony}, it is gone: its rows have expired`);
  return { view: viewCeremony(rows, await beholderAt(place, operator)), evidence: rows.evidence };
}

async function beholderAt(
  place: Place,
  operator: PlaceOperator,
): Promise<{ committee: Committee; self: number; now: number }> {
  const committee = await committeeAt(place, operator);
  const self = committee.operatorByIdentity(operator.identity)?.index;
  if (self === undefined)
    throw new UsageError(`expected a committee with operator ${operator.identity}, got one without`);
  return { committee, self, now: await place.now() };
}

export function ceremonyText(view: CeremonyView): string {
  const { ceremony, kind, coin, suite, t, signers, keyId, purpose, messages, requestId, expiresAt, stage } = view;
  const lines = [`${kind === 'keygen' ? 'key generation' : 'signing'} ${ceremony}`];
  const rows: string[][] = [
    ['seen by', `operator ${view.seenBy.index} (${view.seenBy.identity})`],
    ['coin', `${coin}, ${suite}, ${t} of ${signers.length} (${signers.join(', ')})`],
    ['request', `${requestId}, until ${utc(expiresAt)}`],
    ['stage', view.authorised ? stage : `${stage} (not authorised here)`],
    ['stands', view.sentence],
  ];
  if (keyId !== undefined) rows.push(['key', keyId]);
  if (purpose !== undefined) rows.push(['purpose', JSON.stringify(purpose)]);
  for (const message of messages ?? [])
    rows.push(['message', message.length > 132 ? `${message.slice(0, 130)}…` : message]);
  const { outcome } = view;
  if (outcome?.publicKey) rows.push(['public key', outcome.publicKey]);
  if (outcome?.address) rows.push(['address', outcome.address]);
  for (const signature of outcome?.signatures ?? []) rows.push([outcome?.late ? 'late' : 'signature', signature]);
  lines.push(...table(rows), '');
  lines.push(
    ...table(
      view.rounds.map(({ type, status, arrivals, missing }) => [
        type,
        status,
        arrivals.map(({ index }) => index).join(' ') || '—',
        missing.length > 0
          ? `not from ${missing.map(({ index, identity }) => `${index} (${identity})`).join(', ')}`
          : '',
      ]),
    ),
  );
  for (const { sentence } of view.culprits) lines.push('', sentence);
  if (view.todo !== undefined) lines.push('', view.todo);
  return lines.join('\n');
}

export async function pending(options: PlaceOptions): Promise<Status> {
  return atPlace(options, async (place) => {
    const operator = readerAt(place, options.as);
    const { coins, readAt } = await committeeViewAt(place, operator);
    const all = coins.flatMap((coin) => coin.pending);
    if (options.json) {
      process.stdout.write(`${JSON.stringify({ v: 1, readAt, pending: all })}\n`);
      return STATUS.ok;
    }
    if (all.length === 0) process.stderr.write('nobody asks for anything that was not authorised here\n');
    for (const each of all) {
      process.stdout.write(`${pendingLine(each)}\n`);
      if (each.cannot !== undefined) process.stdout.write(`    cannot be approved: ${each.cannot}\n`);
    }
    return STATUS.ok;
  });
}
