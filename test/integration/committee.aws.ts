/** Guarantees of a deployed committee: real queues, real functions in processes of their own, real tables. One deploy for all of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { crashKey } from '../../lib/aws/crash.ts';
import { type AgreedKey, agreedKey, agreedSignatures, type SigningOutcome, whyInvalid } from '../../lib/cli/agreement.ts';
import { type Call, type Usage, usageLine } from '../../lib/cli/deploy-meter.ts';
import { systemRandom } from '../../lib/local/random.ts';
import { bodyOf, type Payload } from '../../lib/messages/catalogue.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import { topicQueue } from '../../lib/messages/topics.ts';
import type { Account } from './account.ts';
import { COIN, type Deployed, deployCommittee, directoryOf, note, THRESHOLD } from './deployed.ts';
import { type Found, type Producer, produce, producers } from './producers.ts';

const LIFE_SECONDS = 600;
const SUITE = 'FROST-secp256k1-SHA256-TR-v1';

let deployed: Deployed;
let key: AgreedKey | undefined;
const bill = new Map<string, Usage>();

beforeAll(async () => {
  deployed = await deployCommittee();
  note(`${deployed.engine.name} ${deployed.engine.version}, committee ${deployed.committee.id}`);
});

afterAll(async () => {
  await deployed?.stop();
  for (const [what, usage] of bill) {
    note(usageLine(`n = 3, t = 2, one coin, all operators together: ${what}`, usage));
    note(`  ${[...usage.messages].map(([name, count]) => `${name} ${count}`).join(', ')}`);
  }
});

const now = (): number => Math.floor(Date.now() / 1_000);
const requestId = (): Hex => toHex(systemRandom.bytes(16));

function keyGen(life = LIFE_SECONDS) {
  const signers = deployed.accounts.map((_, i) => i + 1);
  return { KeyGen: { coin: COIN, suite: SUITE, t: THRESHOLD, signers, requestId: requestId(), expiresAt: now() + life } };
}

function signing(message: Uint8Array, keyId: Hex) {
  return {
    Sign: { keyId, messages: [toHex(message)], purpose: 'test', requestId: requestId(), expiresAt: now() + LIFE_SECONDS },
  };
}

function madeKey(): AgreedKey {
  if (!key) throw new Error('expected the key of the first test, got none');
  return key;
}

function only(index: number): Account {
  const account = deployed.accounts[index];
  if (!account) throw new Error(`expected operator ${index + 1}`);
  return account;
}

async function tellEverybody(instruction: Payload<'MultisigInstruction'>): Promise<void> {
  const body = bodyOf('MultisigInstruction', instruction);
  await Promise.all(
    deployed.accounts.map((account) =>
      account.sendBatch(topicQueue(account.identity, COIN, 'MultisigInstruction'), [body]),
    ),
  );
}

/** Final words of all operators on one message. */
function said(message: Uint8Array): readonly { operator: number; outcome: SigningOutcome | undefined }[] {
  return deployed.heard.signings.map((outcomes, i) => ({
    operator: i + 1,
    outcome: outcomes.findLast(({ messages, final }) => final && messages[0] === toHex(message)),
  }));
}

/** All operators say the same signature, and other people's code verifies it. */
async function expectSigned(message: Uint8Array): Promise<void> {
  await deployed.heard.until('SigningOutcome of every operator', () => said(message).every(({ outcome }) => outcome));
  const agreed = agreedSignatures(COIN, THRESHOLD, [message], said(message));
  if (!agreed.ok) throw new Error(agreed.failure.sentence);
  expect(agreed.value).toHaveLength(1);
  for (const signature of agreed.value) expect(await whyInvalid(madeKey(), message, signature)).toBeUndefined();
}

/** Ceremonies that have ended: outcomes are delivered at least once, so an old one may come again. */
function ended(): ReadonlySet<Hex> {
  return new Set(deployed.heard.keygens.flat().map(({ ceremony }) => ceremony));
}

/** Until every operator has ended a key generation that is not among these. */
async function expectKey(before: ReadonlySet<Hex>): Promise<AgreedKey> {
  const { heard, committee, accounts } = deployed;
  const last = (i: number) => heard.keygens[i]?.findLast(({ ceremony, final }) => final && !before.has(ceremony));
  await heard.until('KeygenOutcome and address of every operator', () =>
    accounts.every((_, i) => {
      const outcome = last(i);
      if (outcome?.result !== 'succeeded') return outcome !== undefined;
      return (heard.addresses[i] ?? []).some(({ keyId }) => keyId === outcome.keyId);
    }),
  );
  const agreed = agreedKey(
    committee,
    COIN,
    accounts.map((_, i) => {
      const outcome = last(i);
      const address = heard.addresses[i]?.find(({ keyId }) => keyId === outcome?.keyId);
      return { operator: i + 1, outcome, address };
    }),
  );
  if (!agreed.ok) throw new Error(agreed.failure.sentence);
  return agreed.value;
}

async function measured(what: string, run: () => Promise<void>): Promise<void> {
  const { meter } = deployed;
  if (!meter) return run();
  const began = { time: Date.now() / 1_000, invocations: await meter.invocations() };
  await run();
  // What is still on its way belongs to the bill.
  await settled();
  const invocations = (await meter.invocations()) - began.invocations;
  bill.set(what, await meter.usage(began.time, Date.now() / 1_000, invocations));
}

/** Until nobody has sent anything for a while. */
async function settled(seconds = 6): Promise<void> {
  const { meter } = deployed;
  for (let before = -1, since = Date.now(); Date.now() - since < seconds * 1_000; await sleep(1_000)) {
    const count = (await meter?.invocations()) ?? 0;
    if (count !== before) since = Date.now();
    before = count;
  }
}

/** Asks until true. */
async function eventually(what: string, ask: () => Promise<boolean>, seconds = 240): Promise<void> {
  for (const deadline = Date.now() + seconds * 1_000; !(await ask()); await sleep(500)) {
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s for: ${what}`);
  }
}

interface Sent {
  readonly account: string;
  readonly queue: string;
  readonly body: string;
}

/** Bodies that the functions of all operators have put on queues, as the emulator recorded them. */
async function sent(from: number): Promise<readonly Sent[]> {
  const { meter, accounts } = deployed;
  const found = await Promise.all(
    accounts.map(async ({ operator: { file } }) => {
      const calls = (await meter?.calls(file.account, Date.now() / 1_000)) ?? [];
      return calls.filter(({ time }) => time >= from).flatMap((call) => sentBy(file.account, call));
    }),
  );
  return found.flat();
}

function sentBy(account: string, { name, parameters }: Call): readonly Sent[] {
  if (name !== 'SendMessageBatch') return [];
  const { QueueUrl, Entries = [] } = parameters as { QueueUrl: string; Entries?: readonly { MessageBody: string }[] };
  const queue = QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1);
  return Entries.map(({ MessageBody }) => ({ account, queue, body: MessageBody }));
}

describe('a committee of three on queues', () => {
  const outcomes: Found[] = [];
  const works: Producer[] = [];
  beforeAll(async () => {
    outcomes.push(...(await producers(note)));
    for (const each of outcomes) {
      if ('producer' in each) works.push(each.producer);
      else note(`skipped: producer ${each.name}: ${each.missing}`);
    }
  });
  const producer = (i: number): Producer => {
    const found = works[i % works.length];
    if (!found) throw new Error('expected a producer');
    return found;
  };

  test('plain producers ask for a key, and every operator announces the same', async () => {
    const instruction = keyGen();
    const before = ended();
    await measured('one key generation', async () => {
      const heard = await Promise.all(
        deployed.accounts.map((account, i) => produce(producer(i), account, COIN, instruction)),
      );
      heard.forEach((lines, i) => {
        for (const line of lines) deployed.heard.take(i, line);
      });
      key = await expectKey(before);
    });
    note(`key by ${works.map(({ name }) => name).join(', ')}: ${madeKey().address}`);
  });

  test('plain producers ask for a signature, read it, and other libraries verify it', async () => {
    const message = systemRandom.bytes(32);
    const instruction = signing(message, madeKey().keyId);
    await measured('one signature', async () => {
      await Promise.all(
        deployed.accounts.map(async (account, i) => {
          for (const line of await produce(producer(i + 1), account, COIN, instruction)) deployed.heard.take(i, line);
          for (let tries = 0; tries < 10 && !said(message)[i]?.outcome; tries += 1) {
            for (const line of await produce(producer(i + 1), account, COIN)) deployed.heard.take(i, line);
          }
        }),
      );
      expect(said(message).map(({ outcome }) => outcome?.result)).toEqual(deployed.accounts.map(() => 'succeeded'));
    });
    await expectSigned(message);
  });
});

describe('functions that die', () => {
  test('a function killed between commit and send loses nothing: the message comes again, and the key is made', async () => {
    const victim = only(1);
    const message = 'EncryptedKeyGenCommitmentIn';
    const queue = topicQueue(victim.identity, COIN, message);
    const deadly = await victim.functionOf(COIN, message);
    const before = ended();
    await victim.setVisibility(queue, 5);
    await victim.setEnvironment(deadly, { COTERIE_CRASH: `after-commit:${message}` });
    await tellEverybody(keyGen());
    const directory = directoryOf(victim.operator, COIN);
    await eventually('the death of the function', async () => (await directory.get('Directory', crashKey(message))) !== undefined);
    note(`${victim.identity} ${message} died between commit and send`);
    const made = await expectKey(before);
    expect(made.keyId).not.toBe(madeKey().keyId);
    await victim.setEnvironment(deadly, { COTERIE_CRASH: undefined });
    await victim.setVisibility(queue, 360);
  });

  test('a signature is made although every operator died before it sent its first word, and no message comes again in time', async () => {
    const message = systemRandom.bytes(32);
    const name = 'MultisigInstruction';
    const deadly = await Promise.all(deployed.accounts.map((account) => account.functionOf(COIN, name)));
    const change = (value: string | undefined) =>
      Promise.all(
        deployed.accounts.map((account, i) => {
          const each = deadly[i];
          return each ? account.setEnvironment(each, { COTERIE_CRASH: value }) : undefined;
        }),
      );
    await change(`after-commit:${name}`);
    await tellEverybody(signing(message, madeKey().keyId));
    await eventually('the death of all three functions', async () => {
      const rows = await Promise.all(
        deployed.accounts.map(({ operator }) => directoryOf(operator, COIN).get('Directory', crashKey(name))),
      );
      return rows.every((row) => row !== undefined);
    });
    note('all three died between commit and send; only the armed Wake is left');
    await change(undefined);
    await expectSigned(message);
  });
});
