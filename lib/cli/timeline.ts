/** A ceremony as a drawing: one line for each operator, one mark for each statement, time from left to right. Plain text of one column a character. */
import type { CeremonyView } from '../view/ceremony-view.ts';
import { short, utc } from './text.ts';

type Type = CeremonyView['statements'][number]['type'];

const MARKS: Readonly<Partial<Record<Type, string>>> = {
  EncryptedPublicKey: 'K',
  EncryptedKeyGenCommitment: 'C',
  EncryptedKeyShare: 'S',
  KeyGenVerdict: 'V',
  KeyGenEvidence: 'E',
  KeyGenCertificate: 'F',
  NonceCommitment: 'N',
  SigningPackage: 'P',
  SignatureShare: 'S',
  Signature: 'G',
};
/** Two or more statements in one column. */
const SEVERAL = '+';
const LEAST_COLUMNS = 20;

interface Dot {
  readonly index: number;
  readonly type: Type;
  readonly at: number;
}

/** @param columns of the terminal */
export function timelineText(view: CeremonyView, columns = 80): string {
  const { ceremony, kind, coin, t, signers, seenBy, sentence, rounds } = view;
  const head = [
    `${kind === 'keygen' ? 'key generation' : 'signing'} ${short(ceremony)}, ${coin}, ${t} of ${signers.length}, as operator ${seenBy.index} (${seenBy.identity}) saw it`,
    sentence,
  ];
  const dots = dotsOf(view);
  const names = namesOf(view);
  if (dots.length === 0) return [...head, '', 'no statement has been recorded yet'].join('\n');
  const start = Math.min(...dots.map(({ at }) => at));
  const end = Math.max(...dots.map(({ at }) => at), view.outcome ? (view.updatedAt ?? 0) : 0);
  const left = Math.max(...[...names.values()].map((name) => name.length));
  const width = Math.max(LEAST_COLUMNS, Math.min(100, columns - left - 4));
  const column = (at: number) => (end === start ? 0 : Math.round(((at - start) / (end - start)) * (width - 1)));
  // In a signing, operators speak to the leader only: whoever is not waited for is not silent.
  const awaited = new Set([
    ...view.unresponsive.map(({ index }) => index),
    ...rounds
      .filter(({ status }) => status !== 'complete' && status !== 'ahead')
      .flatMap((each) => each.missing.map(({ index }) => index)),
  ]);
  const lines = [...names].map(([index, name]) => {
    const own = dots.filter((dot) => dot.index === index);
    const cells: string[] = Array.from({ length: width }, () => (own.length === 0 ? ' ' : '·'));
    for (const { type, at } of own) {
      const x = column(at);
      const mark = MARKS[type] ?? '?';
      cells[x] = cells[x] === '·' || cells[x] === mark ? mark : SEVERAL;
    }
    return `${name.padEnd(left)} │${cells.join('')}│${own.length === 0 && awaited.has(index) ? ' silent' : ''}`;
  });
  const scale = `${''.padEnd(left)} ${ruler(end - start, width)}`;
  const types = [...new Set(dots.map(({ type }) => type))].sort((a, b) => order(a) - order(b));
  const legend = types.map((type) => `${MARKS[type] ?? '?'} ${type}`).join('  ');
  const several = lines.some((line) => line.includes(SEVERAL)) ? `  ${SEVERAL} several` : '';
  const missing = rounds
    .filter(({ missing: lacking, status }) => lacking.length > 0 && status !== 'ahead' && status !== 'complete')
    .map(
      ({ type, missing: lacking }) =>
        `${type}: not from ${lacking.map(({ index, identity }) => `operator ${index} (${identity})`).join(', ')}`,
    );
  return [
    ...head,
    `began ${utc(Math.floor(start / 1_000))}`,
    '',
    ...lines,
    scale,
    `${legend}${several}`,
    ...(missing.length > 0 ? ['', ...missing] : []),
  ].join('\n');
}

/** The first statement of each sender, type and slot. */
function dotsOf({ statements }: CeremonyView): Dot[] {
  const dots = new Map<string, Dot>();
  for (const { from, type, slot, at } of statements) {
    const place = `${from} ${type} ${slot}`;
    if (at !== undefined && !dots.has(place)) dots.set(place, { index: from, type, at });
  }
  return [...dots.values()];
}

function namesOf({ rounds, signers, seenBy, statements }: CeremonyView): ReadonlyMap<number, string> {
  const identities = new Map<number, string>([[seenBy.index, seenBy.identity]]);
  for (const { arrivals, missing } of rounds)
    for (const { index, identity } of [...arrivals, ...missing]) identities.set(index, identity);
  const indexes = [...new Set([...signers, ...statements.map(({ from }) => from)])].sort((a, b) => a - b);
  const width = `${indexes.at(-1) ?? 0}`.length;
  return new Map(
    indexes.map((index) => [
      index,
      `${`${index}`.padStart(width)} ${identities.get(index) ?? ''}${index === seenBy.index ? ' *' : ''}`.trimEnd(),
    ]),
  );
}

/** `└0 ───────── 0.41 s┘`. */
function ruler(milliseconds: number, width: number): string {
  const last =
    milliseconds < 1_000 ? `${milliseconds} ms` : `${(milliseconds / 1_000).toFixed(milliseconds < 60_000 ? 2 : 0)} s`;
  return `└0 ${'─'.repeat(Math.max(1, width - last.length - 3))} ${last}┘`;
}

function order(type: Type): number {
  return Object.keys(MARKS).indexOf(type);
}
