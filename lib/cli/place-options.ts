/** Which place and which of its operators a command is about, from what the user typed and the environment. */
import { existsSync } from 'node:fs';
import type { Committee } from '../messages/committee.ts';
import { COORDINATOR_SEGMENT } from '../messages/topics.ts';
import { COMMITTEE } from '../node/rows.ts';
import { committeeOf } from '../view/committee-rows.ts';
import { readOperatorFile } from './deploy-files.ts';
import { addressOf } from './endpoint/address.ts';
import { EndpointPlace } from './endpoint/client.ts';
import type { Place, PlaceOperator } from './place.ts';
import { AwsPlace } from './place-aws.ts';
import { shown, UsageError } from './usage.ts';

export interface PlaceOptions {
  readonly at?: string;
  readonly operator?: string;
  readonly as?: string;
  readonly json?: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_FILE = 'operator.json';

/** `--at`, else `--operator`, else `COTERIE_AT`, else `operator.json` where there is one. @throws {UsageError | Unreachable} */
export async function placeOf({ at, operator }: PlaceOptions, environment: Environment): Promise<Place> {
  if (at !== undefined && operator !== undefined)
    throw new UsageError('--at and --operator: expected one of them, got both');
  if (at !== undefined) return EndpointPlace.connect(addressOf('--at', at));
  if (operator !== undefined) return awsPlace(operator, environment);
  const fromEnvironment = environment['COTERIE_AT'];
  if (fromEnvironment) return EndpointPlace.connect(addressOf('COTERIE_AT', fromEnvironment));
  if (existsSync(DEFAULT_FILE)) return awsPlace(DEFAULT_FILE, environment);
  throw new UsageError(
    'expected --at <socket|port>, --operator <file>, COTERIE_AT or an operator.json here, got none of them: coterie local --socket ./coterie.sock starts a committee',
  );
}

function awsPlace(path: string, environment: Environment): Place {
  return new AwsPlace(readOperatorFile(path), { endpoint: environment['AWS_ENDPOINT_URL'] || undefined });
}

/** Runs a command at its place, and closes it however it ends. */
export async function atPlace<Result>(
  options: PlaceOptions,
  run: (place: Place) => Promise<Result>,
  environment: Environment = process.env,
): Promise<Result> {
  const place = await placeOf(options, environment);
  try {
    return await run(place);
  } finally {
    place.close();
  }
}

/** `--as`: identities or indexes, or `all`. Left out: everybody who is here. @throws {UsageError} */
export function operatorsAt(place: Place, as: string | undefined): readonly PlaceOperator[] {
  const { operators } = place;
  if (as === undefined || as === 'all') return operators;
  const chosen = as.split(',').map((text) => {
    const name = text.trim();
    // At an embedded committee the operators stand in the order of their indexes; an operator file has one.
    const found =
      operators.find(({ identity }) => identity === name) ??
      (/^[0-9]{1,3}$/.test(name) ? operators[Number(name) - 1] : undefined);
    if (found) return found;
    throw new UsageError(
      `--as: expected one or more of ${operators.map(({ identity }) => identity).join(', ')}, or all, got ${shown(name)}`,
    );
  });
  return [...new Set(chosen)];
}

/** The one whose rows are read: the first of `--as`, or of the place. @throws {UsageError} */
export function readerAt(place: Place, as: string | undefined): PlaceOperator {
  const chosen = operatorsAt(place, as);
  const [first] = chosen;
  if (!first || (as !== undefined && chosen.length > 1))
    throw new UsageError(`--as: expected one operator, whose rows are read, got ${shown(as)}`);
  return first;
}

/** The committee file that the operator has accepted. @throws {UsageError} */
export async function committeeAt(place: Place, { identity, coins, assets }: PlaceOperator): Promise<Committee> {
  for (const segment of [...coins, ...assets, COORDINATOR_SEGMENT]) {
    const committee = committeeOf(await place.reader(identity, segment).get('Directory', COMMITTEE));
    if (committee) return committee;
  }
  throw new UsageError(
    `expected ${identity} to have accepted a committee file, it has none: run coterie committee accept after the second deploy`,
  );
}

/** @throws {UsageError} unless the operator has such a coin; the only one need not be named */
export function coinAt({ coins, identity }: PlaceOperator, coin: string | undefined): string {
  const [only, ...more] = coins;
  if (coin === undefined && only !== undefined && more.length === 0) return only;
  if (coin !== undefined && coins.includes(coin)) return coin;
  throw new UsageError(
    `--coin: expected one of ${coins.join(', ')} of ${identity}, got ${coin === undefined ? 'nothing' : shown(coin)}`,
  );
}
