/** What a demo found out, for people and for programs. */
import { MESSAGE_NAMES } from '../messages/catalogue.ts';
import type { Committee } from '../messages/committee.ts';
import { fromHex, type Hex } from '../messages/hex.ts';
import type { AgreedKey, Failure } from './agreement.ts';
import { VERIFIERS } from './verify.ts';

export type { Failure as SigningFailure } from './agreement.ts';

/** What to look at next. */
const HINT =
  'More: npm run demo -- tokens pays with private tokens; npm run demo -- bridge burns one for a Bitcoin signature.';

/** Where values begin. */
const INDENT = 14;

export interface SignatureResult {
  readonly message: Hex;
  /** 64 bytes. */
  readonly signature: Hex;
  readonly valid: boolean;
}

export interface KeyResult extends AgreedKey {
  readonly signatures: readonly SignatureResult[];
}

export interface DemoResult {
  readonly committee: Committee;
  readonly threshold: number;
  readonly keys: readonly KeyResult[];
  readonly failures: readonly Failure[];
  readonly messages: ReadonlyMap<string, number>;
  readonly seconds: { readonly elapsed: number; readonly cpu: number };
}

/** The document of `--json`. `failures` is there only if there are any, and the exit status is then 1. */
export function documentOf({ committee, threshold, keys, failures, messages }: DemoResult) {
  return {
    committee: { id: committee.id, threshold, operators: committee.file.operators },
    keys: keys.map(({ coin, suite, keyId, publicKey, address, certificate }) => ({
      coin,
      suite,
      keyId,
      publicKey,
      address,
      certificate,
    })),
    signatures: keys.flatMap(({ coin, signatures }) =>
      signatures.filter(({ valid }) => valid).map(({ message, signature }) => ({ coin, message, signature })),
    ),
    messages: { total: total(messages), byType: Object.fromEntries(byType(messages)) },
    ...(failures.length > 0
      ? { failures: failures.map(({ coin, reason, unresponsive }) => ({ coin, reason, unresponsive })) }
      : {}),
  };
}

/** @param columns of the terminal; a signature that does not fit is broken in the middle. Without a terminal: `undefined` */
export function textOf(result: DemoResult, colour: boolean, columns?: number): string {
  const { committee, threshold, keys, failures, messages, seconds } = result;
  const good = (text: string) => (colour ? `\x1b[32m✓\x1b[39m ${text}` : `✓ ${text}`);
  const bad = (text: string) => (colour ? `\x1b[31m✗ ${text}\x1b[39m` : `✗ ${text}`);
  const strong = (text: string) => (colour ? `\x1b[1m${text}\x1b[22m` : text);
  const faint = (text: string) => (colour ? `\x1b[2m${text}\x1b[22m` : text);
  const field = (name: string, value: string) => `  ${faint(name.padEnd(INDENT - 2))}${value}`;
  const lines = [`${strong('Committee')}  ${threshold} of ${committee.n}`, field('id', committee.id)];
  for (const key of keys) {
    lines.push(
      '',
      `${strong(key.coin)}  ${key.suite}`,
      field('key id', key.keyId),
      field('public key', key.publicKey),
      field('address', key.address),
      field('', good(`announced by all ${key.announcedBy} operators with one certificate; decodes to the public key`)),
    );
    for (const { message, signature, valid } of key.signatures) {
      const { name } = VERIFIERS[key.coin];
      lines.push(
        field('message', readable(message)),
        ...broken(signature, columns).map((part, i) => field(i === 0 ? 'signature' : '', part)),
      );
      lines.push(field('', valid ? good(`verified by ${name}`) : bad(`NOT valid, says ${name}`)));
    }
  }
  if (failures.length > 0) lines.push('', ...failures.map(({ sentence }) => bad(sentence)));
  lines.push('', `${strong('Messages')}  ${total(messages)} put on queues`, ...table(byType(messages)));
  lines.push('', `${seconds.elapsed.toFixed(1)} s elapsed, ${seconds.cpu.toFixed(1)} s of CPU, in one process`);
  if (failures.length === 0) lines.push(faint(HINT));
  return lines.join('\n');
}

/** R and s on a line each, where one line is too narrow for both. */
function broken(signature: Hex, columns = Number.POSITIVE_INFINITY): string[] {
  if (INDENT + signature.length < columns) return [signature];
  return [signature.slice(0, 66), `  ${signature.slice(66)}`];
}

/** A message of printable text is shown as such. */
function readable(message: Hex): string {
  const text = Buffer.from(fromHex(message)).toString('utf8');
  const printable = /^[\p{L}\p{N}\p{P}\p{S}\p{Zs}]+$/u.test(text) && !text.includes('\ufffd');
  return printable ? JSON.stringify(text) : message;
}

/** In the order of the catalogue, which is about that of a run. */
function byType(messages: ReadonlyMap<string, number>): [string, number][] {
  const names: readonly string[] = MESSAGE_NAMES;
  // An event that is counted by its own name comes when all keys are known.
  const place = ([name]: [string, number]) =>
    name === 'ReadyToKeygen' ? names.indexOf('ExternalPublicKeyIn') + 0.5 : names.indexOf(name);
  return [...messages].sort((a, b) => place(a) - place(b));
}

/** Two columns, to be read down the first and then down the second. */
function table(rows: readonly [string, number][]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  const cells = rows.map(([name, count]) => `${name.padEnd(width)}${`${count}`.padStart(8)}`);
  const half = Math.ceil(cells.length / 2);
  return cells.slice(0, half).map((cell, i) => `  ${cell}    ${cells[half + i] ?? ''}`.trimEnd());
}

function total(messages: ReadonlyMap<string, number>): number {
  return [...messages.values()].reduce((sum, count) => sum + count, 0);
}
