/** The options of `coterie local`. */
import { LIES, type Liar } from '../local/liar.ts';
import { STATEMENT_TYPES } from '../messages/statement.ts';
import { type Address, addressOf } from './endpoint/address.ts';
import { type CommitteeShape, committeeShape, type RawCommittee, shown, UsageError, wholeNumber } from './usage.ts';

export interface LocalOptions extends CommitteeShape {
  /** Make the keys at once. */
  readonly genesis: boolean;
  /** Stop answering before the first line. */
  readonly killed: readonly number[];
  /** Stops answering when it would handle its first message of this name. */
  readonly dies: { readonly operator: number; readonly at: string } | undefined;
  readonly liar: Liar | undefined;
  /** Where other commands find the committee. */
  readonly endpoint: Address | undefined;
}

export interface RawLocal extends RawCommittee {
  readonly genesis?: boolean;
  readonly kill?: readonly string[];
  readonly lie?: string;
  readonly socket?: string;
  readonly port?: string;
}

/** @throws {UsageError} */
export function localOptions(raw: RawLocal): LocalOptions {
  const shape = committeeShape(raw);
  const kills = (raw.kill ?? []).map((text) => killOf(text, shape.operators));
  const dying = kills.filter((kill) => kill.at !== undefined);
  if (dying.length > 1)
    throw new UsageError(`--kill: expected at most one operator with @Message, got ${dying.length}`);
  const [dies] = dying.flatMap(({ operator, at }) => (at === undefined ? [] : [{ operator, at }]));
  const killed = kills.filter((kill) => kill.at === undefined).map(({ operator }) => operator);
  const liar = raw.lie === undefined ? undefined : liarOf(raw.lie, shape);
  return { ...shape, genesis: raw.genesis ?? false, killed, dies, liar, endpoint: endpointOf(raw) };
}

function endpointOf({ socket, port }: RawLocal): Address | undefined {
  if (socket !== undefined && port !== undefined)
    throw new UsageError('--socket and --port: expected one of them, got both');
  if (port !== undefined) return { kind: 'port', port: wholeNumber('--port', port, 1, 65_535) };
  const address = socket === undefined ? undefined : addressOf('--socket', socket);
  if (address?.kind === 'port')
    throw new UsageError(`--socket: expected the path of a socket, got ${shown(socket)} (--port takes a port)`);
  return address;
}

/** Statements of ceremonies, and what the own client says: by then every operator knows every other. */
const MORTAL: readonly string[] = [
  ...STATEMENT_TYPES.filter((type) => !['SignerReady', 'SpentSerials', 'SpentSerialsRequest'].includes(type)).map(
    (type) => `${type}In`,
  ),
  'MultisigInstruction',
  'Control',
];

/** An operator, and what stands after the first `@`, if there is one. */
function operatorAt(
  option: string,
  text: string,
  operators: number,
): { readonly operator: number; readonly at?: string } {
  const split = text.indexOf('@');
  if (split < 0) return { operator: wholeNumber(option, text, 1, operators) };
  return { operator: wholeNumber(option, text.slice(0, split), 1, operators), at: text.slice(split + 1) };
}

/** `3@SignatureShare`. */
function liarOf(text: string, { operators, threshold }: CommitteeShape): Liar {
  const { operator, at: statement = 'SignatureShare' } = operatorAt('--lie', text, operators);
  const lie = LIES.find((each) => each === statement);
  if (lie === 'EncryptedKeyShare' && threshold < 2)
    throw new UsageError(`--lie: expected a threshold of at least 2 for a lie in ${lie}, got ${threshold}`);
  if (lie) return { operator, in: lie };
  throw new UsageError(`--lie: expected one of ${LIES.join(', ')} after @, got ${shown(statement)}`);
}

/** `2`, or `2@SigningPackageIn`. */
function killOf(text: string, operators: number): { readonly operator: number; readonly at: string | undefined } {
  const { operator, at } = operatorAt('--kill', text, operators);
  if (at === undefined) return { operator, at };
  if (MORTAL.includes(at)) return { operator, at };
  throw new UsageError(
    `--kill: expected a message of a ceremony after @, one of ${MORTAL.join(', ')}, got ${shown(at)}`,
  );
}
