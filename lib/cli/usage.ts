/** What the user typed, turned into values; whatever cannot be taken is one sentence that says what was expected and what came. */
import { createHash } from 'node:crypto';
import type { Coin } from '../local/committee.ts';
import { fromHex, isHex } from '../messages/hex.ts';
import { MAX_MESSAGE_BYTES } from '../messages/parameters.ts';

/** The user's mistake, not ours: one sentence on stderr, exit status 2, no stack. */
export class UsageError extends Error {
  readonly kind = 'UsageError';
}

/** The coins of the embedded committee, in the order in which they are shown. */
export const COIN_NAMES = ['btc', 'sol'] as const satisfies readonly Coin[];
export const MAX_OPERATORS = 100;

/** Options that every command with an embedded committee takes, as commander gives them. */
export interface RawCommittee {
  readonly operators: string;
  readonly threshold?: string;
  readonly coins: string;
  readonly seed?: string;
  readonly allowSingleSigner?: boolean;
}

export interface CommitteeShape {
  /** n, 2 to 100. */
  readonly operators: number;
  /** t, 1 to n; 1 only where it was allowed. */
  readonly threshold: number;
  readonly coins: readonly Coin[];
  /** 32 bytes; `undefined`: from the operating system. */
  readonly seed: Uint8Array | undefined;
  readonly allowSingleSigner: boolean;
}

/** @throws {UsageError} */
export function committeeShape(raw: RawCommittee): CommitteeShape {
  const operators = wholeNumber('--operators', raw.operators, 2, MAX_OPERATORS);
  const threshold =
    raw.threshold === undefined ? smallestMajority(operators) : wholeNumber('--threshold', raw.threshold, 1, operators);
  const allowSingleSigner = raw.allowSingleSigner ?? false;
  if (threshold < 2 && !allowSingleSigner) {
    throw new UsageError(
      `--threshold: expected at least 2 (one operator alone could sign; --allow-single-signer permits it), got ${threshold}`,
    );
  }
  const seed = raw.seed === undefined ? undefined : seedOf(raw.seed);
  return { operators, threshold, coins: coinsOf(raw.coins), seed, allowSingleSigner };
}

/** The smallest t of which two groups always share a member. */
export function smallestMajority(operators: number): number {
  return Math.floor(operators / 2) + 1;
}

/** @throws {UsageError} unless `text` is a decimal whole number from `least` to `most` */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = /^(?:0|[1-9][0-9]{0,8})$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`${option}: expected a whole number from ${least} to ${most}, got ${shown(text)}`);
}

/** @throws {UsageError} */
export function coinsOf(text: string): readonly Coin[] {
  const names = text.split(',').map((name) => name.trim());
  const coins = names.map((name) => {
    const coin = COIN_NAMES.find((known) => known === name);
    if (!coin) throw new UsageError(`--coins: expected one or more of ${COIN_NAMES.join(',')}, got ${shown(name)}`);
    return coin;
  });
  const twice = coins.find((coin, i) => coins.indexOf(coin) !== i);
  if (twice) throw new UsageError(`--coins: expected each coin once, got ${twice} more than once`);
  return coins;
}

/** The bytes to sign: those that `0x…` spells, else the text's UTF-8. @throws {UsageError} */
export function messageBytes(text: string): Uint8Array {
  const bytes = bytesOf('--message', text);
  if (bytes.length === 0) throw new UsageError(`--message: expected at least one byte to sign, got ${shown(text)}`);
  if (bytes.length > MAX_MESSAGE_BYTES) {
    throw new UsageError(`--message: expected at most ${MAX_MESSAGE_BYTES} bytes, got ${bytes.length}`);
  }
  return bytes;
}

/** SHA-256 of what the seed spells: 32 bytes from which a whole run follows. @throws {UsageError} */
export function seedOf(text: string): Uint8Array {
  const bytes = bytesOf('--seed', text);
  if (bytes.length === 0) throw new UsageError(`--seed: expected at least one byte, got ${shown(text)}`);
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

function bytesOf(option: string, text: string): Uint8Array {
  if (!/^0x/i.test(text)) return new TextEncoder().encode(text);
  const hex = text.toLowerCase();
  if (isHex(hex)) return fromHex(hex);
  throw new UsageError(`${option}: expected text, or 0x and an even number of hex digits, got ${shown(text)}`);
}

/** What came, short enough for a sentence and with control characters made visible. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
