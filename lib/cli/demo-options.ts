/** The options of `coterie demo`. */
import { maximumMessages } from '../messages/parameters.ts';
import {
  type CommitteeShape,
  committeeShape,
  messageBytes,
  type RawCommittee,
  UsageError,
  wholeNumber,
} from './usage.ts';

/** 32 bytes, like a Bitcoin signature hash: some verifiers of BIP 340 take no other length. */
export const DEFAULT_MESSAGE = 'None of us holds the key; we do.';

export interface DemoOptions extends CommitteeShape {
  /** The bytes to sign, for every coin. */
  readonly messages: readonly Uint8Array[];
  /** Stops answering after key generation. */
  readonly silent: number | undefined;
  readonly json: boolean;
}

export interface RawDemo extends RawCommittee {
  readonly message?: readonly string[];
  readonly silent?: string;
  readonly json?: boolean;
}

/** @throws {UsageError} */
export function demoOptions(raw: RawDemo): DemoOptions {
  const shape = committeeShape(raw);
  const messages = (raw.message ?? [DEFAULT_MESSAGE]).map(messageBytes);
  const most = maximumMessages(shape.threshold);
  if (messages.length > most) {
    throw new UsageError(
      `--message: expected at most ${most} messages at threshold ${shape.threshold}, got ${messages.length}`,
    );
  }
  const silent = raw.silent === undefined ? undefined : wholeNumber('--silent', raw.silent, 1, shape.operators);
  return { ...shape, messages, silent, json: raw.json ?? false };
}
