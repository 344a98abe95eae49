/** The files that an operator has: its own, private one, and the committee's. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type Committee, parseCommittee } from '../messages/committee.ts';
import { type OperatorFile, parseOperatorFile } from '../messages/operator.ts';
import { UsageError } from './usage.ts';

/** Whole lines that begin with `//` are comments, as in the example; `$schema` is for editors. @throws {UsageError} */
export function readOperatorFile(path: string): OperatorFile {
  const text = readText(path, 'the operator file')
    .split('\n')
    .filter((line) => !/^\s*\/\//.test(line) && !/^\s*"\$schema"\s*:\s*"[^"]*",\s*$/.test(line))
    .join('\n');
  const parsed = parseOperatorFile(text);
  if (!parsed.ok) throw new UsageError(`${path}: ${parsed.reason} (docs/operator.example.jsonc explains every field)`);
  return parsed.file;
}

/** @throws {UsageError} */
export function readCommitteeFile(path: string): Committee {
  const parsed = parseCommittee(readText(path, 'the committee file'));
  if (!parsed.ok)
    throw new UsageError(`${path}: ${parsed.reason} (fetch the file that coterie committee create wrote)`);
  return parsed.committee;
}

/** @throws {UsageError} */
export function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new UsageError(`expected ${what} at ${path}, got nothing that can be read: check the path`);
  }
}

/** Whole or not at all: what is cut off leaves the old file, or none. @param option where the path was given @throws {UsageError} if it cannot be written */
export function writeWhole(path: string, text: string, mode = 0o644, option = '--output'): void {
  const partial = `${path}.partial`;
  try {
    writeFileSync(partial, text, { mode });
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw notWritable(option, path, error);
  }
}

export function notWritable(option: string, path: string, error: unknown): UsageError {
  const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return new UsageError(`${option}: expected a path that can be written, got ${path} (${why})`);
}

/** Into the file `output`, or on stdout where none is named. */
export function putOut(text: string, output: string | undefined): void {
  if (output === undefined) process.stdout.write(text);
  else writeWhole(output, text);
}

/** The committee is the one agreed on, and names this operator as the operator names itself. @throws {UsageError} */
export function assertAgreed(operator: OperatorFile, committee: Committee): void {
  const { identity, account, region, coins, assets, committeeHash } = operator;
  if (committeeHash === undefined) {
    throw new UsageError(
      `expected committeeHash in the operator file, got none: compare ${committee.id} by voice with the other operators, then write it there`,
    );
  }
  if (committee.id !== committeeHash) {
    throw new UsageError(
      `expected the committee with hash ${committeeHash} (the operator file), got ${committee.id}: fetch the file that was agreed on, or agree again`,
    );
  }
  const self = committee.operatorByIdentity(identity);
  if (!self)
    throw new UsageError(
      `expected a committee with operator ${identity}, got one without: check identity in the operator file`,
    );
  if (self.account !== account || self.region !== region) {
    throw new UsageError(
      `expected ${identity} in account ${self.account} and region ${self.region} (the committee file), got ${account} and ${region}: deploy there, or agree on a new committee file`,
    );
  }
  const missing = coins.find((coin) => !self.coins[coin]);
  if (missing)
    throw new UsageError(
      `expected coins of the committee file for ${identity}, got ${missing}, for which its card named no key: take it out of the operator file, or agree on a committee file with it`,
    );
  const unknown = assets.find((asset) => !self.assets[asset]);
  if (unknown)
    throw new UsageError(
      `expected assets of the committee file for ${identity}, got ${unknown}, for which its card named no key: take it out of the operator file, or agree on a committee file with it`,
    );
}
