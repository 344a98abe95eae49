/** `coterie demo`: a committee in this process makes its keys and signs, and somebody else's code verifies what came out. */
import { performance } from 'node:perf_hooks';
import { type Coin, LocalCommittee } from '../local/committee.ts';
import { systemRandom } from '../local/random.ts';
import type { Payload } from '../messages/catalogue.ts';
import { type VerifiedCertificate, verifyCertificate } from '../messages/certificate.ts';
import type { MultisigEvent } from '../messages/events.ts';
import { fromHex, type Hex, toHex } from '../messages/hex.ts';
import { parseQueueName } from '../messages/topics.ts';
import type { DemoOptions } from './demo-options.ts';
import { type DemoResult, documentOf, type KeyResult, type SigningFailure, textOf } from './demo-output.ts';
import { Board, Progress } from './progress.ts';
import { VERIFIERS } from './verify.ts';

/** Seconds of the virtual clock. */
const SIGNING_LIFE = 600;

/** Where a demo shows itself. */
export interface DemoStreams {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly stderr: {
    write(text: string): unknown;
    readonly isTTY?: boolean;
    readonly columns?: number;
    readonly rows?: number;
  };
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** @returns the exit status: 0 only if every key and every signature was there and verified */
export async function demo(
  options: DemoOptions,
  streams: DemoStreams = { stdout: process.stdout, stderr: process.stderr, environment: process.env },
): Promise<number> {
  const { stdout, stderr } = streams;
  const board = new Board({
    write: (text) => stderr.write(text),
    terminal: stderr.isTTY ?? false,
    colour: (stderr.isTTY ?? false) && !streams.environment['NO_COLOR'],
    columns: stderr.columns ?? 100,
    rows: stderr.rows ?? 40,
  });
  stderr.write(
    `Coterie: ${options.operators} operators, any ${options.threshold} of them sign, for ${options.coins.join(' and ')}\n`,
  );
  const result = await run(options, board);
  const colour = (stdout.isTTY ?? false) && !streams.environment['NO_COLOR'];
  stdout.write(options.json ? `${JSON.stringify(documentOf(result), null, 2)}\n` : `\n${textOf(result, colour)}\n`);
  if (result.failures.length > 0 && options.json)
    for (const { sentence } of result.failures) stderr.write(`coterie: ${sentence}\n`);
  return result.failures.length > 0 ? 1 : 0;
}

type Address = Payload<'PublicAddressAvailable'>;
type KeygenOutcome = Extract<MultisigEvent, { KeygenOutcome: unknown }>['KeygenOutcome'];
type SigningOutcome = Extract<MultisigEvent, { SigningOutcome: unknown }>['SigningOutcome'];

/** What each operator said to its own client: `coin/operator` → its last word. */
interface Heard {
  readonly addresses: Map<string, Address>;
  readonly keygens: Map<string, KeygenOutcome>;
  readonly signings: Map<string, SigningOutcome>;
}

async function run(options: DemoOptions, board: Board): Promise<DemoResult> {
  const { operators, threshold, coins, allowSingleSigner, silent } = options;
  const began = performance.now();
  const cpu = process.cpuUsage();
  const committee = new LocalCommittee({
    operators,
    threshold,
    coins,
    allowSingleSigner,
    cloud: {
      seed: options.seed ?? systemRandom.bytes(32),
      clock: 'virtual',
      // A seeded run always happens at the same time; any other happens now.
      ...(options.seed ? {} : { startTime: Date.now() }),
    },
  });
  const heard = listen(committee);
  const counts = countMessages(committee, board);
  committee.onReport((report) => board.report(report));
  const living = Array.from({ length: operators }, (_, i) => i + 1).filter((operator) => operator !== silent);
  const all = (coin: Coin, of: readonly number[], map: ReadonlyMap<string, unknown>) =>
    of.every((operator) => map.has(at(coin, operator)));
  const everyone = Array.from({ length: operators }, (_, i) => i + 1);

  board.begin(new Progress('keygen', coins, operators));
  await committee.assemble();
  await committee.cloud.run({
    stopWhen: () => coins.every((coin) => all(coin, everyone, heard.addresses) && all(coin, everyone, heard.keygens)),
  });
  board.end();
  const failures: SigningFailure[] = [];
  const keys = coins.flatMap((coin) => agreedKey(committee, coin, everyone, heard, failures));

  if (silent !== undefined) committee.kill(silent);
  board.begin(
    new Progress(
      'signing',
      keys.map(({ coin }) => coin),
      operators,
      silent,
    ),
  );
  const random = committee.cloud.random('demo');
  for (const { coin, keyId } of keys) {
    const expiresAt = committee.now() + SIGNING_LIFE;
    const requestId = toHex(random.bytes(16));
    await committee.instruct(coin, {
      Sign: { keyId, messages: options.messages.map(toHex), purpose: 'demo', requestId, expiresAt },
    });
  }
  await committee.cloud.run({ stopWhen: () => keys.every(({ coin }) => all(coin, living, heard.signings)) });
  board.end();

  const results: KeyResult[] = [];
  for (const key of keys) {
    const signatures = agreedSignatures(key.coin, threshold, living, heard, failures);
    results.push({ ...key, signatures: await verified(key, options.messages, signatures, failures) });
  }
  const spent = process.cpuUsage(cpu);
  return {
    committee: committee.committee,
    threshold,
    keys: results,
    failures,
    messages: counts,
    seconds: { elapsed: (performance.now() - began) / 1000, cpu: (spent.user + spent.system) / 1e6 },
  };
}

function listen(committee: LocalCommittee): Heard {
  const heard: Heard = { addresses: new Map(), keygens: new Map(), signings: new Map() };
  committee.onAddress((address, operator) => heard.addresses.set(at(address.coin, operator), address));
  committee.onOutcome((event, operator, coin) => {
    if ('KeygenOutcome' in event) heard.keygens.set(at(coin, operator), event.KeygenOutcome);
    if ('SigningOutcome' in event && event.SigningOutcome.final)
      heard.signings.set(at(coin, operator), event.SigningOutcome);
  });
  return heard;
}

/** Every message put on any queue, by its name. */
function countMessages(committee: LocalCommittee, board: Board): Map<string, number> {
  const counts = new Map<string, number>();
  const indexes = new Map<string, number>();
  committee.cloud.inspect.onSend(({ queue, body }) => {
    const name = /^\{"([A-Za-z0-9]+)":/.exec(body)?.[1] ?? 'unnamed';
    counts.set(name, (counts.get(name) ?? 0) + 1);
    const parts = parseQueueName(queue);
    if (!parts?.coin) return;
    let index = indexes.get(parts.identity);
    if (index === undefined) {
      index = Number(/[0-9]+$/.exec(parts.identity)?.[0]);
      indexes.set(parts.identity, index);
    }
    board.countMessage(parts.coin, index);
  });
  return counts;
}

// ------------------------------------------------------------------------------------------------ what is believed

type AgreedKey = Omit<KeyResult, 'signatures'>;

/** A key is shown only if all n operators announced the same one with the same certificate, and its address decodes to it. */
function agreedKey(
  committee: LocalCommittee,
  coin: Coin,
  operators: readonly number[],
  heard: Heard,
  failures: SigningFailure[],
): AgreedKey[] {
  const failed = (what: string, outcome?: KeygenOutcome): AgreedKey[] => {
    const { reason, unresponsive = [] } = outcome ?? {};
    failures.push({ coin, reason: reason ?? 'Refused', unresponsive, sentence: `${coin}: ${what}` });
    return [];
  };
  for (const operator of operators) {
    const outcome = heard.keygens.get(at(coin, operator));
    if (outcome?.result !== 'succeeded') {
      return failed(
        `key generation at operator ${operator} ended ${outcome?.result ?? 'without an outcome'} (${outcome?.reason ?? 'no reason'})`,
        outcome,
      );
    }
  }
  const announced = operators.map((operator) => heard.addresses.get(at(coin, operator)));
  const [first] = announced;
  if (!first || announced.some((each) => JSON.stringify(each) !== JSON.stringify(first))) {
    return failed(`expected one key announced by all ${operators.length} operators, got different ones`);
  }
  const certificate: VerifiedCertificate = verifyCertificate(committee.committee, first.certificate);
  if (!certificate.ok) return failed(`the certificate does not verify: ${certificate.reason}`);
  if (certificate.keyId !== first.keyId) return failed('the certificate is of another key than the one announced');
  const paysTo = VERIFIERS[coin].decodeAddress(first.address);
  if (!paysTo || toHex(paysTo) !== first.publicKey || first.publicKey !== first.certificate.outputKey) {
    return failed('the address does not decode to the public key');
  }
  const { keyId, publicKey, address } = first;
  return [
    {
      coin,
      suite: first.certificate.parameters.suite,
      keyId,
      publicKey,
      address,
      certificate: first.certificate,
      announcedBy: operators.length,
    },
  ];
}

function agreedSignatures(
  coin: Coin,
  threshold: number,
  operators: readonly number[],
  heard: Heard,
  failures: SigningFailure[],
): readonly Hex[] {
  const outcomes = operators.map((operator) => heard.signings.get(at(coin, operator)));
  const bad = outcomes.find((outcome) => outcome?.result !== 'succeeded');
  if (bad || outcomes.includes(undefined)) {
    const unresponsive = [...new Set(outcomes.flatMap((outcome) => outcome?.unresponsive ?? []))].sort((a, b) => a - b);
    const reason = bad?.reason ?? 'Timeout';
    const silent = unresponsive.length > 0 ? `, and say that ${unresponsive.join(', ')} did not` : '';
    const sentence = `${coin}: no signature (${reason}): expected ${threshold} operators to take part, only ${operators.join(', ')} did${silent}`;
    failures.push({ coin, reason, unresponsive, sentence });
    return [];
  }
  const [first] = outcomes;
  if (outcomes.some((outcome) => JSON.stringify(outcome?.signatures) !== JSON.stringify(first?.signatures))) {
    failures.push({
      coin,
      reason: 'Refused',
      unresponsive: [],
      sentence: `${coin}: the operators announced different signatures`,
    });
    return [];
  }
  return first?.signatures ?? [];
}

async function verified(
  key: AgreedKey,
  messages: readonly Uint8Array[],
  signatures: readonly Hex[],
  failures: SigningFailure[],
) {
  const verifier = VERIFIERS[key.coin];
  return Promise.all(
    signatures.map(async (signature, i) => {
      const message = messages[i] ?? new Uint8Array();
      const valid = await verifier.verify(fromHex(key.publicKey), message, fromHex(signature));
      if (!valid) {
        const sentence = `${key.coin}: ${verifier.name} says that signature ${i + 1} is not valid`;
        failures.push({ coin: key.coin, reason: 'InvalidSignatureShare', unresponsive: [], sentence });
      }
      return { message: toHex(message), signature, valid };
    }),
  );
}

function at(coin: string, operator: number): string {
  return `${coin}/${operator}`;
}
