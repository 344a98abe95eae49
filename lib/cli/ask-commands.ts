/** `coterie keygen`, `sign` and `approve`. Results go to stdout and progress to stderr, so that a script reads nothing but results. */

import { readFileSync } from 'node:fs';
import type { Asked } from '../client/coterie-client.ts';
import { schemeOf } from '../keygen/scheme.ts';
import type { Certificate } from '../messages/certificate.ts';
import { verifyCertificate } from '../messages/certificate.ts';
import type { Committee } from '../messages/committee.ts';
import { fromHex, type Hex, toHex } from '../messages/hex.ts';
import { viewCommittee } from '../view/committee.ts';
import type { KeyRow } from '../view/committee-rows.ts';
import { readCoin } from '../view/committee-rows.ts';
import {
  type Answers,
  type AskOptions,
  answersTo,
  asUsage,
  checkSigned,
  clientAt,
  requestOf,
  statusOf,
  unsent,
  waitSeconds,
} from './ask.ts';
import { STATUS, type Status } from './exit-status.ts';
import { byPrefix } from './find-ceremony.ts';
import { keysAt } from './keys-at.ts';
import type { Place, PlaceOperator } from './place.ts';
import { atPlace, coinAt, committeeAt, operatorsAt, type PlaceOptions } from './place-options.ts';
import { short, table, utc } from './text.ts';
import { messageBytes, shown, UsageError, wholeNumber } from './usage.ts';
import { VERIFIERS } from './verify.ts';

export interface KeygenOptions extends PlaceOptions, AskOptions {
  readonly coin?: string;
  readonly signers?: string;
}

export interface SignOptions extends PlaceOptions, AskOptions {
  readonly coin?: string;
  readonly key?: string;
  readonly message?: readonly string[];
  readonly messageFile?: readonly string[];
  readonly purpose: string;
}

export type ApproveOptions = PlaceOptions & Pick<AskOptions, 'signatures' | 'unsent' | 'wait'>;

export async function keygen(options: KeygenOptions): Promise<Status> {
  return atPlace(options, async (place) => {
    const operators = operatorsAt(place, options.as);
    const [first] = operators;
    if (!first) throw new UsageError('expected an operator at this place, got none');
    const committee = await committeeAt(place, first);
    const coin = coinAt(first, options.coin);
    const now = await place.now();
    const request = {
      coin,
      ...requestOf(options, now),
      ...(options.signers === undefined ? {} : { signers: indexesOf(options.signers) }),
    };
    const asked = asUsage(() => clientAt(place, first, committee).prepareKeygen(request));
    const participants = operators.filter(({ identity }) =>
      asked.parameters.signers.includes(committee.operatorByIdentity(identity)?.index ?? 0),
    );
    if (participants.length === 0)
      throw new UsageError('--signers: expected an operator of this place among them, got none');
    if (options.unsent) return unsent(asked);
    return ask(place, participants, committee, asked, options, now);
  });
}

export async function sign(options: SignOptions): Promise<Status> {
  const messages = messagesOf(options);
  return atPlace(options, async (place) => {
    const operators = operatorsAt(place, options.as);
    const [first] = operators;
    if (!first) throw new UsageError('expected an operator at this place, got none');
    const committee = await committeeAt(place, first);
    const now = await place.now();
    const { coin, key } = await keyAt(place, operators, options);
    const { keyId, certificate } = key;
    const request = { coin, keyId, messages, purpose: options.purpose, certificate, ...requestOf(options, now) };
    const asked = asUsage(() => clientAt(place, first, committee).prepareSign(request));
    const signers = operators.filter(({ identity }) =>
      asked.parameters.signers.includes(committee.operatorByIdentity(identity)?.index ?? 0),
    );
    if (signers.length === 0)
      throw new UsageError(`--as: expected a signer of key ${short(keyId)} at this place, got none`);
    if (options.unsent) return unsent(asked);
    return ask(place, signers, committee, asked, options, now, certificate);
  });
}

/** Joins what a peer asked for: the same parameters, word for word, or nothing. */
export async function approve(id: string, options: ApproveOptions): Promise<Status> {
  // Whoever asks chooses the request id, and so can try until an id begins like another one: a part of it approves nothing.
  if (!/^0x[0-9a-f]{64}$/.test(id))
    throw new UsageError(
      `expected the whole id as coterie pending prints it (32 bytes as 0x and lower-case hex), got ${shown(id)}`,
    );
  return atPlace(options, async (place) => {
    const now = await place.now();
    const asking = await Promise.all(
      operatorsAt(place, options.as).map(async (operator) => {
        const rows = await Promise.all(
          operator.coins.map((coin) => readCoin(coin, (segment) => place.reader(operator.identity, segment), now)),
        );
        const { coins } = viewCommittee({ identity: operator.identity, coins: rows, now });
        return coins.flatMap(({ pending }) => pending.map((each) => ({ operator, pending: each, rows })));
      }),
    );
    const all = asking.flat();
    const { pending } = byPrefix('a pending ceremony', id, all, (each) => each.pending.ceremony);
    const those = all.filter((each) => each.pending.ceremony === pending.ceremony);
    const bad = those.find((each) => each.pending.cannot !== undefined);
    if (bad)
      throw new UsageError(
        `${short(pending.ceremony)} cannot be approved at ${bad.operator.identity}: ${bad.pending.cannot}: ask whoever asked for it to ask again`,
      );
    const [first] = those;
    if (!first) throw new UsageError('expected a pending ceremony, got none');
    const committee = await committeeAt(place, first.operator);
    const { coin, requestId, expiresAt, keyId, purpose, messages } = pending;
    const key = first.rows.flatMap(({ keys }) => keys).find((each) => each.keyId === keyId);
    const common = {
      coin,
      requestId: requestId as Hex,
      expiresAt,
      ...(options.signatures === undefined ? {} : requestOf({ signatures: options.signatures }, now)),
    };
    const exact = { ...common, requestId: requestId as Hex, expiresAt };
    const client = clientAt(place, first.operator, committee);
    const asked = asUsage(() =>
      keyId !== undefined && messages && key?.certificate
        ? client.prepareSign({
            ...exact,
            keyId,
            messages: messages.map(({ hex }) => fromHex(hex)),
            purpose: purpose ?? '',
            certificate: key.certificate,
          })
        : client.prepareKeygen({ ...exact, signers: pending.signers }),
    );
    // The instruction that leaves is the one that was read, or none leaves.
    if (asked.ceremony !== pending.ceremony)
      throw new UsageError(
        `expected to join ${pending.ceremony}, but the same words here begin ${asked.ceremony}: do not approve it`,
      );
    if (options.unsent) return unsent(asked);
    process.stderr.write(`approving ${pendingLine(pending)}\n`);
    const operators = those.map((each) => each.operator);
    return ask(place, operators, committee, asked, options, now, key?.certificate);
  });
}

/** What a person approves, in one line. */
export function pendingLine(pending: {
  readonly ceremony: Hex;
  readonly kind: string;
  readonly coin: string;
  readonly keyId?: Hex | undefined;
  readonly purpose?: string | undefined;
  readonly messages?: readonly { hex: Hex; text?: string | undefined }[] | undefined;
  readonly expiresAt: number;
  readonly askedBy: readonly { index: number; identity: string }[];
}): string {
  const { ceremony, kind, coin, keyId, purpose, messages = [], expiresAt, askedBy } = pending;
  const who = askedBy.map(({ index, identity }) => `operator ${index} (${identity})`).join(', ');
  const what =
    kind === 'keygen'
      ? `a new ${coin} key`
      : `${coin} signing with ${short(keyId ?? '')} for ${JSON.stringify(purpose)}`;
  const words = messages.map(({ hex, text }) => (text === undefined ? short(hex) : JSON.stringify(text))).slice(0, 3);
  const said =
    words.length > 0 ? ` of ${words.join(', ')}${messages.length > 3 ? ` and ${messages.length - 3} more` : ''}` : '';
  return `${ceremony}: ${what}${said}, asked by ${who}, until ${utc(expiresAt)}`;
}

// ------------------------------------------------------------------------------------------------ together

async function ask(
  place: Place,
  operators: readonly PlaceOperator[],
  committee: Committee,
  asked: Asked,
  options: AskOptions,
  now: number,
  certificate?: Certificate,
): Promise<Status> {
  checkSigned(place, asked);
  const seconds = waitSeconds(options, asked, now);
  const note = (line: string) => (options.json ? undefined : process.stderr.write(`${line}\n`));
  note(
    `${asked.parameters.kind === 'keygen' ? 'key generation' : 'signing'} ${asked.ceremony}, request ${asked.requestId}, until ${utc(asked.expiresAt)}`,
  );
  await Promise.all(operators.map((operator) => clientAt(place, operator, committee).send(asked)));
  if (seconds === 0) {
    if (options.json) process.stdout.write(`${JSON.stringify(answerOf(asked, { views: [], refused: [] }, []))}\n`);
    else process.stdout.write(`${asked.ceremony}\n`);
    return STATUS.ok;
  }
  const answers = await answersTo(place, operators, asked, committee, seconds, note);
  const checked = await Promise.all([
    ...(asked.parameters.kind === 'keygen' ? [keyOf(place, operators, asked, committee, answers)] : []),
    ...(certificate ? [signaturesOf(asked, answers, certificate)] : []),
  ]);
  const result = checked.flatMap((each) => each ?? []);
  if (options.json) process.stdout.write(`${JSON.stringify(answerOf(asked, answers, result))}\n`);
  else say(asked, answers, result);
  return result.some(({ ok }) => !ok) ? STATUS.failed : statusOf(answers);
}

/** What came of it, checked here and not believed. */
type Checked =
  | {
      readonly kind: 'key';
      readonly ok: boolean;
      readonly by: string;
      readonly keyId: Hex;
      readonly publicKey: Hex;
      readonly address?: string;
    }
  | {
      readonly kind: 'signature';
      readonly ok: boolean;
      readonly by: string;
      readonly message: Hex;
      readonly signature: Hex;
    };

async function keyOf(
  place: Place,
  operators: readonly PlaceOperator[],
  asked: Asked,
  committee: Committee,
  { views }: Answers,
): Promise<Checked[]> {
  const outcome = views.find((view) => view.outcome?.result === 'succeeded');
  const { keyId, publicKey, address } = outcome?.outcome ?? {};
  const operator = operators.find(({ identity }) => identity === outcome?.seenBy.identity);
  if (!operator || keyId === undefined || publicKey === undefined) return [];
  const key = (await keysAt(place, operator, asked.coin, keyId)).keys.find((each) => each.keyId === keyId);
  const verified = key?.certificate && verifyCertificate(committee, key.certificate);
  const ok = verified?.ok === true && verified.keyId === keyId && publicKeyOf(key?.certificate) === publicKey;
  return [{ kind: 'key', ok, by: 'certificate', keyId, publicKey, ...(address === undefined ? {} : { address }) }];
}

function publicKeyOf(certificate: Certificate | undefined): Hex | undefined {
  return certificate && schemeOf(certificate.parameters.suite).announced(certificate).publicKey;
}

/** By another library than the one that signed. */
async function signaturesOf({ parameters }: Asked, { views }: Answers, certificate: Certificate): Promise<Checked[]> {
  const signatures = views.find(({ outcome }) => outcome?.result === 'succeeded')?.outcome?.signatures;
  if (parameters.kind !== 'signing' || !signatures) return [];
  // A coin of another name signs under one of the same two curves.
  const verifier = VERIFIERS[parameters.suite === 'FROST-ED25519-SHA512-v1' ? 'sol' : 'btc'];
  return Promise.all(
    parameters.messages.map(async (message, i): Promise<Checked> => {
      const signature = signatures[i] ?? '0x';
      const publicKey = fromHex(publicKeyOf(certificate) ?? '0x');
      const ok = await verifier.verify(publicKey, fromHex(message), fromHex(signature));
      return { kind: 'signature', ok, by: verifier.name, message, signature };
    }),
  );
}

function answerOf(
  { ceremony, coin, requestId, expiresAt }: Asked,
  { views, refused }: Answers,
  checked: readonly Checked[],
) {
  return { v: 1, ceremony, coin, requestId, expiresAt, views, refused, checked };
}

function say({ ceremony }: Asked, { views, refused }: Answers, checked: readonly Checked[]): void {
  for (const each of checked) {
    // A script takes what stands on stdout: an address that nobody can spend from, a signature that nobody takes.
    if (!each.ok) {
      process.stderr.write(`NOT VALID, says ${each.by}: the ${each.kind} of ${ceremony} is not printed\n`);
      continue;
    }
    if (each.kind === 'key')
      process.stdout.write(
        `${table([
          ['key', each.keyId],
          ['public key', each.publicKey],
          ...(each.address === undefined ? [] : [['address', each.address]]),
        ])
          .map((line) => line.slice(2))
          .join('\n')}\n`,
      );
    else process.stdout.write(`${each.signature}\n`);
    process.stderr.write(`verified by ${each.by}\n`);
  }
  if (checked.length > 0) return;
  for (const { reason, detail, operator } of refused)
    process.stderr.write(`operator ${operator} refused: ${reason}: ${detail}\n`);
  for (const { sentence, culprits, todo, seenBy } of views) {
    process.stderr.write(`${seenBy.identity}: ${sentence}\n`);
    for (const culprit of culprits) process.stderr.write(`  ${culprit.sentence}\n`);
    if (todo !== undefined) process.stderr.write(`  ${todo}\n`);
  }
  if (views.length === 0 && refused.length === 0)
    process.stderr.write(
      `nothing is known of ${ceremony} yet: coterie ceremony show ${short(ceremony).replace('…', '')} looks again\n`,
    );
}

// ------------------------------------------------------------------------------------------------ what was typed

function indexesOf(text: string): number[] {
  return text.split(',').map((each) => wholeNumber('--signers', each.trim(), 1, 100));
}

function messagesOf({ message = [], messageFile = [] }: SignOptions): Uint8Array[] {
  const files = messageFile.map((path) => {
    try {
      return new Uint8Array(readFileSync(path));
    } catch {
      throw new UsageError(`--message-file: expected a file that can be read, got ${path}`);
    }
  });
  const empty = messageFile[files.findIndex(({ length }) => length === 0)];
  if (empty !== undefined)
    throw new UsageError(`--message-file: expected at least one byte to sign, got none in ${empty}`);
  const all = [...message.map(messageBytes), ...files];
  if (all.length === 0) throw new UsageError('--message: expected at least one text, 0x… or --message-file, got none');
  return all;
}

/** By id, prefix, address or `latest`; the only one of the coin need not be named. @throws {UsageError} */
async function keyAt(
  place: Place,
  operators: readonly PlaceOperator[],
  { key: named, coin: asked }: SignOptions,
): Promise<{ readonly coin: string; readonly key: KeyRow & { readonly certificate: Certificate } }> {
  const [first] = operators;
  if (!first) throw new UsageError('expected an operator at this place, got none');
  if (asked !== undefined) coinAt(first, asked);
  const coins = asked === undefined ? first.coins : [asked];
  // Only the order of making needs the whole table.
  const rows = await Promise.all(
    coins.map((coin) => keysAt(place, first, coin, named === 'latest' ? 'order' : undefined)),
  );
  const keys = rows.flatMap(({ coin, keys: all, states }) =>
    all.flatMap((key) => {
      const { certificate, status } = key;
      if (status !== 'certified' || !certificate) return [];
      const made = states.find(({ state }) => state.kind === 'keygen' && 'keyId' in state && state.keyId === key.keyId);
      return [{ coin, key: { ...key, certificate }, madeAt: made?.at ?? 0 }];
    }),
  );
  if (keys.length === 0)
    throw new UsageError(
      `expected a certified key${asked === undefined ? '' : ` of ${asked}`}, got none yet: coterie keygen makes one`,
    );
  const [only, ...more] = keys;
  if (named === undefined) {
    if (only && more.length === 0) return only;
    throw new UsageError(
      `--key: expected one of ${keys.map(({ key, coin }) => `${short(key.keyId)} (${coin})`).join(', ')}, an address or latest, got nothing`,
    );
  }
  if (named === 'latest') {
    const newest = keys.reduce((best, each) => (each.madeAt > best.madeAt ? each : best));
    if (new Set(keys.map(({ coin }) => coin)).size > 1)
      throw new UsageError(`--coin: expected one of ${coins.join(', ')} beside --key latest, got nothing`);
    return newest;
  }
  const byAddress = keys.find(({ coin, key }) => {
    const paysTo = coin === 'btc' || coin === 'sol' ? VERIFIERS[coin].decodeAddress(named) : undefined;
    return paysTo !== undefined && toHex(paysTo) === publicKeyOf(key.certificate);
  });
  if (byAddress) return byAddress;
  if (!/^(?:0x)?[0-9a-f]+$/i.test(named))
    throw new UsageError(`--key: expected an id, an address of a certified key here, or latest, got ${shown(named)}`);
  return byPrefix('a certified key', named, keys, ({ key }) => key.keyId);
}
