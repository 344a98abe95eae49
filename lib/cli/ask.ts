/** Asking and waiting, for `keygen`, `sign` and `approve`: the same instruction to every operator that this place speaks for, progress from their rows, one verdict. */

import type { InstructionSignatures } from '../client/coterie-client.ts';
import { type Asked, CoterieClient, InvalidRequest } from '../client/coterie-client.ts';
import type { Committee } from '../messages/committee.ts';
import type { Hex } from '../messages/hex.ts';
import { toHex } from '../messages/hex.ts';
import { viewCeremony } from '../view/ceremony.ts';
import { readCeremony } from '../view/ceremony-rows.ts';
import type { CeremonyView } from '../view/ceremony-view.ts';
import { readText } from './deploy-files.ts';
import { STATUS, type Status } from './exit-status.ts';
import type { Place, PlaceOperator, Refused } from './place.ts';
import { shown, UsageError, wholeNumber } from './usage.ts';

/** After one operator has an outcome, the others are waited for so long. */
const STRAGGLERS_MILLISECONDS = 3_000;
/** The outcome queue is another reader's: it is looked at a few times only, while no row says that the instruction was taken. */
const REFUSAL_LOOKS = 8;
const MAX_LIFE_SECONDS = 7 * 86_400;

export interface AskOptions {
  readonly requestId?: string;
  readonly expiresIn?: string;
  readonly expiresAt?: string;
  readonly signatures?: string;
  readonly unsent?: boolean;
  readonly wait?: string | boolean;
  readonly json?: boolean;
}

/** The client of one operator at a place. */
export function clientAt(place: Place, { identity, coins }: PlaceOperator, committee: Committee): CoterieClient {
  const transport = {
    instruct: (coin: string, body: string) => place.send([{ identity, coin, message: 'MultisigInstruction', body }]),
    // The command line reads rows: what lies on the outcome queue is for the operator's own producer.
    receive: async () => [],
  };
  return new CoterieClient({ committee, identity, coins: coins.filter((coin) => committee.keyOf(coin)), transport });
}

/** `--request-id`, `--expires-in`, `--expires-at` and `--signatures`. @throws {UsageError} */
export function requestOf(
  options: AskOptions,
  now: number,
): { requestId?: Hex; expiresAt: number; signatures?: InstructionSignatures } {
  const { requestId, expiresIn, expiresAt, signatures } = options;
  if (expiresIn !== undefined && expiresAt !== undefined)
    throw new UsageError('--expires-in and --expires-at: expected one of them, got both');
  if (requestId !== undefined && !/^0x[0-9a-f]{32}$/.test(requestId))
    throw new UsageError(`--request-id: expected 16 bytes as 0x and lower-case hex, got ${shown(requestId)}`);
  const until =
    expiresAt === undefined
      ? now + wholeNumber('--expires-in', expiresIn ?? '600', 1, MAX_LIFE_SECONDS)
      : secondsOf(expiresAt);
  return {
    ...(requestId === undefined ? {} : { requestId: requestId as Hex }),
    expiresAt: until,
    ...(signatures === undefined ? {} : { signatures: signaturesIn(signatures) }),
  };
}

function secondsOf(text: string): number {
  const value = /^[0-9]{1,11}$/.test(text) ? Number(text) : Math.floor(Date.parse(text) / 1_000);
  if (Number.isSafeInteger(value)) return value;
  throw new UsageError(`--expires-at: expected seconds UTC or a time like 2026-01-01T00:00:00Z, got ${shown(text)}`);
}

/** A JSON array of `{key, signature}`; the client's schema judges it. */
function signaturesIn(path: string): InstructionSignatures {
  try {
    return JSON.parse(readText(path, 'a file of signatures')) as InstructionSignatures;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--signatures: expected a JSON array of {"key", "signature"} at ${path}, got another text`);
  }
}

/** What the client refuses is the user's mistake here. @throws {UsageError} */
export function asUsage<Result>(prepare: () => Result): Result {
  try {
    return prepare();
  } catch (error) {
    if (error instanceof InvalidRequest) throw new UsageError(error.message);
    throw error;
  }
}

/** `--unsent`: what would be sent, and the bytes that instruction keys sign. */
export function unsent({ ceremony, requestId, expiresAt, instruction, bytes }: Asked): Status {
  process.stdout.write(
    `${JSON.stringify({ ceremony, requestId, expiresAt, instruction, bytesToSign: toHex(bytes) })}\n`,
  );
  return STATUS.ok;
}

/** An operator that wants signatures would refuse: said before anything is sent. @throws {UsageError} */
export function checkSigned({ file }: Place, { instruction }: Asked): void {
  const { required = 0 } = file?.instructionKeys ?? {};
  const got = instruction.signatures?.length ?? 0;
  if (got < required)
    throw new UsageError(
      `--signatures: expected ${required} signatures of the operator's instruction keys, got ${got}: --unsent prints the bytes that they sign; then give the same --request-id and --expires-at`,
    );
}

export interface Answers {
  /** How each operator sees the ceremony; those that took no notice are missing. */
  readonly views: readonly CeremonyView[];
  readonly refused: readonly Refused[];
}

/** Until every operator has an outcome or has refused, or the time is over. @param progress told of every change, in a line */
export async function answersTo(
  place: Place,
  operators: readonly PlaceOperator[],
  asked: Asked,
  committee: Committee,
  seconds: number,
  progress: (line: string) => void,
): Promise<Answers> {
  const deadline = performance.now() + seconds * 1_000;
  const watched = operators.map((operator) => new Watched(place, operator, asked, committee, progress));
  let enoughAt = Number.POSITIVE_INFINITY;
  for (;;) {
    await Promise.all(watched.map((each) => each.look()));
    if (watched.every((each) => each.over)) break;
    const now = performance.now();
    if (watched.some((each) => each.succeeded)) enoughAt = Math.min(enoughAt, now + STRAGGLERS_MILLISECONDS);
    if (now >= deadline || now >= enoughAt) break;
    await new Promise((resolve) => setTimeout(resolve, Math.min(place.pollMilliseconds, Math.max(1, deadline - now))));
  }
  return {
    views: watched.flatMap(({ view }) => view ?? []),
    refused: watched.flatMap(({ refused }) => refused ?? []),
  };
}

class Watched {
  view: CeremonyView | undefined;
  refused: Refused | undefined;
  readonly #place: Place;
  readonly #operator: PlaceOperator;
  readonly #asked: Asked;
  readonly #committee: Committee;
  readonly #progress: (line: string) => void;
  #looks = 0;
  #said = '';

  constructor(
    place: Place,
    operator: PlaceOperator,
    asked: Asked,
    committee: Committee,
    progress: (line: string) => void,
  ) {
    this.#place = place;
    this.#operator = operator;
    this.#asked = asked;
    this.#committee = committee;
    this.#progress = progress;
  }

  get over(): boolean {
    return this.refused !== undefined || (this.view !== undefined && this.view.outcome !== undefined);
  }

  get succeeded(): boolean {
    return this.view?.outcome?.result === 'succeeded';
  }

  async look(): Promise<void> {
    if (this.over) return;
    const { identity } = this.#operator;
    const { ceremony, coin, requestId } = this.#asked;
    const rows = await readCeremony(this.#place.reader(identity, coin), ceremony);
    const self = this.#committee.operatorByIdentity(identity)?.index;
    if (rows && self !== undefined) {
      this.view = viewCeremony(rows, { committee: this.#committee, self, now: await this.#place.now() });
      return this.#tell(progressOf(this.view));
    }
    if (this.#looks++ >= REFUSAL_LOOKS) return;
    // Where the outcome queue may not be read, the rows must do.
    this.refused = await this.#place.refusal(identity, coin, requestId).catch(() => undefined);
    if (this.refused) this.#tell(`refused: ${this.refused.reason}: ${this.refused.detail}`);
  }

  #tell(line: string): void {
    if (line === this.#said) return;
    this.#said = line;
    this.#progress(`${this.#operator.identity}: ${line}`);
  }
}

/** `AwaitingShares: 2 of 3 EncryptedKeyShare, waiting for operator 3 (carol)`. */
export function progressOf({ stage, rounds, outcome, signers }: CeremonyView): string {
  const now = rounds.find(({ status }) => status === 'waiting');
  if (outcome || !now) return outcome?.reason ? `${stage}: ${outcome.reason}` : stage;
  const missing = now.missing.slice(0, 3).map(({ index, identity }) => `operator ${index} (${identity})`);
  const more = now.missing.length > 3 ? ` and ${now.missing.length - 3} more` : '';
  const waiting = missing.length > 0 ? `, waiting for ${missing.join(', ')}${more}` : '';
  return `${stage}: ${now.arrivals.length} of ${now.arrivals.length + now.missing.length || signers.length} ${now.type}${waiting}`;
}

/** One status for all answers: a success anywhere is a success, for it is signed by the committee and not by the operator. */
export function statusOf({ views, refused }: Answers): Status {
  if (views.some(({ outcome }) => outcome?.result === 'succeeded')) return STATUS.ok;
  // An unresolved key generation may still be certified: that is no failure yet.
  if (views.some(({ open, outcome }) => open || outcome?.final === false)) return STATUS.waiting;
  if (views.length === 0) return refused.length > 0 ? STATUS.refused : STATUS.waiting;
  return STATUS.failed;
}

/** Seconds that the command waits: to the expiry and a little longer, or as said. @throws {UsageError} */
export function waitSeconds(options: AskOptions, asked: Asked, now: number): number {
  if (options.wait === false) return 0;
  if (typeof options.wait === 'string') return wholeNumber('--wait', options.wait, 0, MAX_LIFE_SECONDS);
  return Math.max(0, asked.expiresAt - now) + 5;
}
