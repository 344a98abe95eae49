/** What is to be deployed: the operator's private file, the committee file once there is one, and where. */
import { readFileSync } from 'node:fs';
import { isLoopback } from '../lib/aws/environment.ts';
import { type Committee, parseCommittee } from '../lib/messages/committee.ts';
import { type OperatorFile, parseOperatorFile } from '../lib/messages/operator.ts';

/** The user's mistake: one sentence that says what was expected, what came, and what to do. */
export class SettingsError extends Error {
  readonly kind = 'SettingsError';
}

/** `aws`: data outlives its stack. `local`: an emulator on loopback, and nothing is kept. */
export const STAGES = ['aws', 'local'] as const;
export type Stage = (typeof STAGES)[number];

/** Another operator, as the committee file names it. */
export interface Peer {
  readonly identity: string;
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
}

/** One operator's deployment. */
export interface Settings {
  readonly operator: OperatorFile;
  /** Empty until there is a committee. */
  readonly peers: readonly Peer[];
  readonly stage: Stage;
  /** An emulator's; absent: AWS itself. */
  readonly endpoint: string | undefined;
  /** Queues refuse plain HTTP. Off only where an emulator that enforces policies is spoken to without TLS. */
  readonly requireTls: boolean;
}

/** @throws {SettingsError} */
export function settingsOf(
  operator: OperatorFile,
  committee: Committee | undefined,
  stage: Stage,
  endpoint: string | undefined,
  requireTls = true,
): Settings {
  if (stage === 'local' && (endpoint === undefined || !isLoopback(endpoint))) {
    throw new SettingsError(
      `a local stage keeps nothing and is for an emulator only: expected AWS_ENDPOINT_URL on loopback (http://127.0.0.1:4566), got ${endpoint ?? 'nothing'}`,
    );
  }
  if (!requireTls && stage !== 'local')
    throw new SettingsError('queues without TLS are for a local stage only: expected -c stage=local');
  return { operator, peers: committee ? peersOf(operator, committee) : [], stage, endpoint, requireTls };
}

/** Checks that the committee is the one agreed on, and that it names this operator as the operator names itself. */
function peersOf(operator: OperatorFile, committee: Committee): readonly Peer[] {
  const { identity, account, region, coins, committeeHash } = operator;
  if (committeeHash === undefined) {
    throw new SettingsError(
      `expected committeeHash in the operator file beside a committee file, got none: compare ${committee.id} by voice with the other operators, then write it there`,
    );
  }
  if (committee.id !== committeeHash) {
    throw new SettingsError(
      `expected the committee with hash ${committeeHash} (the operator file), got ${committee.id}: fetch the committee file that was agreed on, or agree again`,
    );
  }
  const self = committee.operatorByIdentity(identity);
  if (!self)
    throw new SettingsError(
      `expected a committee with operator ${identity}, got one without: check identity in the operator file`,
    );
  if (self.account !== account || self.region !== region) {
    throw new SettingsError(
      `expected ${identity} in account ${self.account} and region ${self.region} (the committee file), got ${account} and ${region}: deploy there, or agree on a new committee file`,
    );
  }
  const missing = coins.find((coin) => !self.coins[coin]);
  if (missing)
    throw new SettingsError(
      `expected coins of the committee file for ${identity}, got ${missing}, for which its card named no key`,
    );
  return committee.file.operators.filter((each) => each.identity !== identity);
}

/** Whole lines that begin with `//` are comments, as in the example; `$schema` is for editors. @throws {SettingsError} */
export function readOperatorFile(path: string): OperatorFile {
  const text = read(path, 'the operator file')
    .split('\n')
    .filter((line) => !/^\s*\/\//.test(line))
    .filter((line) => !/^\s*"\$schema"\s*:\s*"[^"]*",\s*$/.test(line))
    .join('\n');
  const parsed = parseOperatorFile(text);
  if (!parsed.ok) throw new SettingsError(`${path}: ${parsed.reason}: see docs/operator.example.jsonc for every field`);
  return parsed.file;
}

/** @throws {SettingsError} */
export function readCommitteeFile(path: string): Committee {
  const parsed = parseCommittee(read(path, 'the committee file'));
  if (!parsed.ok)
    throw new SettingsError(`${path}: ${parsed.reason}: fetch the file that coterie committee create wrote`);
  return parsed.committee;
}

function read(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new SettingsError(`expected ${what} at ${path}, got nothing that can be read: check the path`);
  }
}
