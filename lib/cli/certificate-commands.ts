/** `coterie certificate` and `coterie address`: what a key proves, who says so, and where it may be paid to. */
import { schemeOf } from '../keygen/scheme.ts';
import { bodyOf } from '../messages/catalogue.ts';
import { type Certificate, verifyCertificate } from '../messages/certificate.ts';
import type { Committee } from '../messages/committee.ts';
import type { Hex } from '../messages/hex.ts';
import { stateKey } from '../node/rows.ts';
import { stateRow } from '../view/ceremony-rows.ts';
import { announcementOf, type CertificateFile, readCertificateFile } from './certificate-file.ts';
import { putOut, readCommitteeFile } from './deploy-files.ts';
import { STATUS, type Status } from './exit-status.ts';
import { byPrefix } from './find-ceremony.ts';
import { keysAt } from './keys-at.ts';
import type { Place, PlaceOperator } from './place.ts';
import { atPlace, committeeAt, operatorsAt, type PlaceOptions, readerAt } from './place-options.ts';
import { short, table } from './text.ts';
import { UsageError, wholeNumber } from './usage.ts';

interface HeldKey {
  readonly operator: PlaceOperator;
  readonly coin: string;
  readonly keyId: Hex;
  readonly certificate: Certificate;
}

export interface ExportOptions extends PlaceOptions {
  readonly output?: string;
}

export async function exportCertificate(key: string | undefined, options: ExportOptions): Promise<Status> {
  return atPlace(options, async (place) => {
    const operator = readerAt(place, options.as);
    const { coin, certificate } = chosen(await keysOf(place, operator), key);
    const announcement = await announcementOf(place.reader(operator.identity, coin), certificate);
    const { committee } = certificate.parameters;
    const file: CertificateFile = { version: 1, committee, certificate, ...(announcement ? { announcement } : {}) };
    putOut(`${JSON.stringify(file)}\n`, options.output);
    if (!announcement)
      process.stderr.write('its announcement has expired here: the file proves the key, and not who announced it\n');
    return STATUS.ok;
  });
}

export interface ImportOptions extends PlaceOptions {
  readonly committee?: string;
}

/**
 * Checks the file, and hands it to this operator's processors that missed it. With `--committee` it is only checked, offline.
 * @returns 0 if it was handed over, or was not needed
 */
export async function importCertificate(path: string, options: ImportOptions): Promise<Status> {
  if (options.committee !== undefined) {
    const committee = readCommitteeFile(options.committee);
    return tell(options, readCertificateFile(path, committee), committee, 'it verifies');
  }
  return atPlace(options, async (place) => {
    const operators = operatorsAt(place, options.as);
    const [first] = operators;
    if (!first) throw new UsageError('expected an operator at this place, got none');
    const committee = await committeeAt(place, first);
    const verified = readCertificateFile(path, committee);
    const { file, ceremony } = verified;
    const { coin } = file.certificate.parameters;
    const lacking: PlaceOperator[] = [];
    for (const operator of operators) {
      const item = await place.reader(operator.identity, coin).get('Ceremonies', stateKey(ceremony));
      const row = item && stateRow(item);
      const self = committee.operatorByIdentity(operator.identity)?.index;
      if (row && row.state.stage !== 'Succeeded' && self !== file.announcement?.from) lacking.push(operator);
    }
    if (lacking.length === 0) return tell(options, verified, committee, 'nobody here lacks it');
    if (!file.announcement)
      throw new UsageError(
        `${path}: expected an announcement beside the certificate, got none: have another operator export it`,
      );
    const body = bodyOf('KeyGenCertificateIn', file.announcement);
    await place.send(lacking.map(({ identity }) => ({ identity, coin, message: 'KeyGenCertificateIn', body })));
    return tell(options, verified, committee, `handed to ${lacking.map(({ identity }) => identity).join(', ')}`);
  });
}

function tell(
  { json }: ImportOptions,
  { file, keyId, ceremony, announcedBy }: ReturnType<typeof readCertificateFile>,
  committee: Committee,
  what: string,
): Status {
  const { certificate } = file;
  const { publicKey, address } = schemeOf(certificate.parameters.suite).announced(certificate);
  const { coin, t, signers } = certificate.parameters;
  if (json) {
    const document = { v: 1, keyId, ceremony, coin, publicKey, address, announcedBy, what };
    process.stdout.write(`${JSON.stringify(document)}\n`);
    return STATUS.ok;
  }
  const who =
    announcedBy === undefined
      ? 'nobody (no announcement in the file)'
      : `operator ${announcedBy} (${committee.operator(announcedBy)?.identity})`;
  const rows = [
    ['key', keyId],
    ['coin', `${coin}, ${t} of ${signers.length}`],
    ['public key', publicKey],
    ['address', address ?? 'none: the key of an asset'],
    ['announced by', who],
  ];
  process.stdout.write(`${table(rows).join('\n')}\n`);
  process.stderr.write(`${what}\n`);
  return STATUS.ok;
}

// ------------------------------------------------------------------------------------------------ where to pay

export interface AddressOptions extends PlaceOptions {
  readonly key?: string;
  readonly require: string;
  readonly committee?: string;
  readonly from?: readonly string[];
}

/**
 * Prints an address only if so many operators announced it with one certificate: whoever pays to what one operator says pays to that operator.
 * @returns 1 if too few did
 */
export async function address(options: AddressOptions): Promise<Status> {
  const required = wholeNumber('--require', options.require, 1, 100);
  const files = options.from ?? [];
  if (options.committee !== undefined) {
    if (files.length === 0)
      throw new UsageError('--from: expected files of coterie certificate export beside --committee, got none');
    const committee = readCommitteeFile(options.committee);
    return announce(options, committee, required, announcedIn(files, committee));
  }
  return atPlace(options, async (place) => {
    const operators = operatorsAt(place, options.as);
    const [first] = operators;
    if (!first) throw new UsageError('expected an operator at this place, got none');
    const committee = await committeeAt(place, first);
    const here = (await Promise.all(operators.map((operator) => keysOf(place, operator)))).flat();
    const said = here.flatMap(({ operator, keyId, certificate }): Announced[] => {
      const by = committee.operatorByIdentity(operator.identity)?.index;
      const verified = verifyCertificate(committee, certificate);
      return by !== undefined && verified.ok && verified.keyId === keyId ? [{ by, keyId, certificate }] : [];
    });
    return announce(options, committee, required, [...said, ...announcedIn(files, committee)]);
  });
}

interface Announced {
  readonly by: number;
  readonly keyId: Hex;
  readonly certificate: Certificate;
}

function announcedIn(files: readonly string[], committee: Committee): Announced[] {
  return files.map((path) => {
    const { keyId, announcedBy, file } = readCertificateFile(path, committee);
    if (announcedBy === undefined)
      throw new UsageError(
        `${path}: expected an announcement, got none: the file proves the key, and not that anybody announces it`,
      );
    return { by: announcedBy, keyId, certificate: file.certificate };
  });
}

function announce(options: AddressOptions, committee: Committee, required: number, said: readonly Announced[]): Status {
  if (said.length === 0) throw new UsageError('expected an announced key, got none: coterie keygen makes one');
  const ids = [...new Set(said.map(({ keyId }) => keyId))];
  const [only] = ids;
  if (options.key === undefined && ids.length > 1)
    throw new UsageError(`--key: expected one of ${ids.map(short).join(', ')}, got nothing`);
  const { keyId, certificate } =
    options.key === undefined && only !== undefined
      ? (said[0] as Announced)
      : byPrefix('an announced key', options.key ?? '', said, (each) => each.keyId);
  const by = [...new Set(said.filter((each) => each.keyId === keyId).map((each) => each.by))].sort((a, b) => a - b);
  const enough = by.length >= required;
  const { publicKey, address: where } = schemeOf(certificate.parameters.suite).announced(certificate);
  const { t } = certificate.parameters;
  if (options.json)
    process.stdout.write(
      `${JSON.stringify({ v: 1, keyId, publicKey, ...(enough && where !== undefined ? { address: where } : {}), announcedBy: by, required, t })}\n`,
    );
  else if (enough) process.stdout.write(`${where ?? publicKey}\n`);
  const names = by.map((index) => committee.operator(index)?.identity ?? `${index}`).join(', ');
  process.stderr.write(`announced by ${by.length} of the ${required} required: ${names}\n`);
  if (enough && required < t)
    process.stderr.write(
      `fewer than t = ${t} were required: ${required} dishonest operators could announce what nobody can spend\n`,
    );
  if (!enough)
    process.stderr.write(
      'do not pay to it yet: ask the other operators for coterie certificate export, and give the files with --from\n',
    );
  return enough ? STATUS.ok : STATUS.failed;
}

// ------------------------------------------------------------------------------------------------ keys

async function keysOf(place: Place, operator: PlaceOperator): Promise<HeldKey[]> {
  const rows = await Promise.all(operator.coins.map((coin) => keysAt(place, operator, coin)));
  return rows.flatMap(({ coin, keys }) =>
    keys.flatMap(({ keyId, status, certificate }) =>
      status === 'certified' && certificate ? [{ operator, coin, keyId, certificate }] : [],
    ),
  );
}

function chosen(keys: readonly HeldKey[], key: string | undefined): HeldKey {
  const [only, ...more] = keys;
  if (!only) throw new UsageError('expected a certified key, got none yet: coterie keygen makes one');
  if (key !== undefined) return byPrefix('a certified key', key, keys, ({ keyId }) => keyId);
  if (more.length === 0) return only;
  throw new UsageError(
    `expected one of ${keys.map(({ keyId, coin }) => `${short(keyId)} (${coin})`).join(', ')}, got nothing`,
  );
}
