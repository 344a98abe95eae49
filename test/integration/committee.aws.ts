/** Guarantees of a deployed committee: real queues, real functions in processes of their own, real tables. One deploy for all of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { crashKey } from '../../lib/aws/crash.ts';
import {
  type AgreedKey,
  agreedKey,
  agreedSignatures,
  type SigningOutcome,
  whyInvalid,
} from '../../lib/cli/agreement.ts';
import { priceOf } from '../../lib/cli/deploy-cost.ts';
import { type Call, type Usage, usageLine } from '../../lib/cli/deploy-meter.ts';
import { systemRandom } from '../../lib/local/random.ts';
import { bodyOf, type Payload } from '../../lib/messages/catalogue.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import { topicQueue } from '../../lib/messages/topics.ts';
import type { Account } from './account.ts';
import { COIN, type Deployed, deployCommittee, directoryOf, note, THRESHOLD } from './deployed.ts';
import { type Found, type Producer, produce, producers } from './producers.ts';

const LIFE_SECONDS = 600;
const SUITE = 'FROST-secp256k1-SHA256-TR-v1' as const;

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
    note(`  $${priceOf(usage).toFixed(5)} at list prices (docs/costs.md)`);
    note(`  ${[...usage.messages].map(([name, count]) => `${name} ${count}`).join(', ')}`);
  }
});

const now = (): number => Math.floor(Date.now() / 1_000);
const requestId = (): Hex => toHex(systemRandom.bytes(16));

function keyGen(life = LIFE_SECONDS) {
  const signers = deployed.accounts.map((_, i) => i + 1);
  return {
    KeyGen: { coin: COIN, suite: SUITE, t: THRESHOLD, signers, requestId: requestId(), expiresAt: now() + life },
  };
}

function signing(message: Uint8Array, keyId: Hex) {
  return {
    Sign: {
      keyId,
      messages: [toHex(message)],
      purpose: 'test',
      requestId: requestId(),
      expiresAt: now() + LIFE_SECONDS,
    },
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

/** As {@link expectSigned}, where a leader period may have passed: every leader so far stays valid, and two of them may make a signature each. All of them must be good. */
async function expectSignedByAnyLeader(message: Uint8Array): Promise<void> {
  await deployed.heard.until('SigningOutcome of every operator', () => said(message).every(({ outcome }) => outcome));
  for (const { operator, outcome } of said(message)) {
    expect(outcome?.result, `operator ${operator}`).toBe('succeeded');
    expect(outcome?.signatures).toHaveLength(1);
    for (const signature of outcome?.signatures ?? [])
      expect(await whyInvalid(madeKey(), message, signature)).toBeUndefined();
  }
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

interface Said {
  readonly type: string;
  readonly ceremony: string;
  readonly slot: string;
  readonly from: number;
  readonly to: number;
  readonly content: string;
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

/** What was said in a ceremony: by place (type, slot, from, to), the different contents that were said there. */
function statements(messages: readonly Sent[], ceremony: string): ReadonlyMap<string, readonly string[]> {
  const places = new Map<string, string[]>();
  for (const { queue, body } of messages) {
    if (!queue.endsWith('-Outbound')) continue;
    const [statement] = Object.values(JSON.parse(body) as Record<string, Said>);
    if (statement?.ceremony !== ceremony) continue;
    const { type, slot, from, to, content } = statement;
    const place = `${type} ${slot} ${from} ${to}`;
    const contents = places.get(place) ?? [];
    if (!contents.includes(content)) contents.push(content);
    places.set(place, contents);
  }
  return places;
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
    await eventually(
      'the death of the function',
      async () => (await directory.get('Directory', crashKey(message))) !== undefined,
    );
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
    await expectSignedByAnyLeader(message);
    // What the dead had in hand would come again during the next tests.
    await Promise.all(deployed.accounts.map((account) => account.purge(topicQueue(account.identity, COIN, name))));
  });
});

describe('what comes twice', () => {
  test('everything that peers and client said in a signing, said again, brings no second statement and no second outcome', async (context) => {
    if (!deployed.meter) context.skip('the engine does not record what was sent, so there is nothing to send again');
    const message = systemRandom.bytes(32);
    const instruction = signing(message, madeKey().keyId);
    const from = Date.now() / 1_000;
    await tellEverybody(instruction);
    await expectSigned(message);
    await settled();
    const first = await sent(from);
    const parcels = first.filter(({ queue }) => queue.includes('-inbox-'));
    const deliveries = first.filter(({ queue }) => queue.endsWith('In'));
    expect(parcels.length).toBeGreaterThan(0);
    expect(deliveries.length).toBeGreaterThan(0);
    const outcome = said(message).map(({ outcome: of }) => of);
    note(`sending again: ${parcels.length} parcels, ${deliveries.length} deliveries and the instruction`);
    const again = Date.now() / 1_000;
    for (const { queue, body } of [...parcels, ...deliveries]) {
      const owner = deployed.accounts.find(({ identity }) => queue.startsWith(`coterie-${identity}-`));
      await owner?.sendBatch(queue, [body]);
    }
    await tellEverybody(instruction);
    await settled();
    const second = await sent(again);
    const ceremony = outcome[0]?.ceremony ?? '';
    const known = statements(first, ceremony);
    const all = statements([...first, ...second], ceremony);
    expect(known.size).toBeGreaterThan(0);
    for (const [place, contents] of all) expect(contents, place).toHaveLength(1);
    // Who repeats its share is answered with the finished signature, in a place of its own; nothing else is new.
    const signatures = JSON.stringify({ signatures: outcome[0]?.signatures });
    const added = [...all].filter(([place]) => !known.has(place));
    expect(added.filter(([place, [content]]) => !place.startsWith('Signature ') || content !== signatures)).toEqual([]);
    await deployed.heard.until('whatever is left', () => true);
    for (const [i, outcomes] of deployed.heard.signings.entries()) {
      const ids = outcomes.filter(({ messages }) => messages[0] === toHex(message)).map(({ id }) => id);
      expect(new Set(ids)).toEqual(new Set([outcome[i]?.id]));
    }
  });
});

describe('what nobody can handle', () => {
  test('one poisoned record in a batch of ten: nine are answered, the poison is gone with a reason and without its body in the log', async () => {
    const account = only(0);
    const queue = topicQueue(account.identity, COIN, 'MultisigInstruction');
    const unknown = toHex(systemRandom.bytes(32));
    const good = Array.from({ length: 9 }, () => signing(systemRandom.bytes(32), unknown));
    const poison = `{"MultisigInstruction":{"Sign":{"poison":"${toHex(systemRandom.bytes(8))}"}}}`;
    const bodies = good.map((each) => bodyOf('MultisigInstruction', each));
    await account.sendBatch(queue, [...bodies.slice(0, 4), poison, ...bodies.slice(4)]);
    const refusals = deployed.heard.refusals[0] ?? [];
    const refusedOf = (reason: string) => refusals.filter((each) => each.reason === reason);
    const answered = () =>
      good.every(({ Sign }) => refusedOf('UnknownKey').some((each) => each.requestId === Sign.requestId));
    await deployed.heard.until('ten refusals', () => answered() && refusedOf('Malformed').length > 0);
    await eventually('an empty queue', async () => (await account.depth(account.url(queue))) === 0);
    const { url } = await account.deadLetters(queue);
    expect(await account.depth(url)).toBe(0);
    if (!deployed.meter) return;
    const log = await account.logOf(await account.functionOf(COIN, 'MultisigInstruction'));
    expect(log.some((line) => line.includes('EnvelopeRejected'))).toBe(true);
    expect(log.filter((line) => line.includes(poison))).toEqual([]);
    expect(log.some((line) => line.includes('"records":10'))).toBe(true);
  });

  test('a message that fails ten times waits with the dead letters, and is done when it is put back after the repair', async () => {
    const account = only(2);
    const queue = topicQueue(account.identity, COIN, 'MultisigInstruction');
    const broken = await account.functionOf(COIN, 'MultisigInstruction');
    const dead = await account.deadLetters(queue);
    expect(dead.maxReceiveCount).toBe(10);
    await account.setVisibility(queue, 1);
    await account.setEnvironment(broken, { COTERIE_IDENTITY: undefined });
    const instruction = signing(systemRandom.bytes(32), toHex(systemRandom.bytes(32)));
    const body = bodyOf('MultisigInstruction', instruction);
    await account.sendBatch(queue, [body]);
    let found: string | undefined;
    await eventually('the message among the dead letters', async () => {
      found = (await account.receive(dead.url, 1)).find(({ Body }) => Body === body)?.Body;
      return found !== undefined;
    });
    expect(await account.depth(account.url(queue))).toBe(0);
    const refused = () =>
      (deployed.heard.refusals[2] ?? []).some(({ requestId: of }) => of === instruction.Sign.requestId);
    expect(refused()).toBe(false);
    await account.setEnvironment(broken, {});
    await account.setVisibility(queue, 360);
    await account.sendBatch(queue, [found ?? '']);
    await deployed.heard.until('the refusal of the message that was put back', refused);
  });
});

describe('what gets stuck', () => {
  test('a ceremony whose own alarm clock was lost is ended by the scheduled Wake', async () => {
    const account = only(0);
    const queue = topicQueue(account.identity, COIN, 'Wake');
    const rules = (await account.scheduled()).filter((each) => each.queue === queue);
    expect(rules).toEqual([{ schedule: 'rate(15 minutes)', queue, body: '{"Wake":{}}' }]);
    const instruction = keyGen(20);
    const { expiresAt } = instruction.KeyGen;
    // Only this operator is told, so that the key generation cannot succeed.
    const body = bodyOf('MultisigInstruction', instruction);
    await account.sendBatch(topicQueue(account.identity, COIN, 'MultisigInstruction'), [body]);
    await eventually('the delayed Wake', async () => (await account.depth(account.url(queue))) > 0, 15);
    await account.purge(queue);
    const before = ended();
    await eventually('the deadline', async () => now() > expiresAt + 3);
    expect(await account.depth(account.url(queue))).toBe(0);
    const stuck = () => deployed.heard.keygens[0]?.find(({ ceremony }) => !before.has(ceremony));
    await deployed.heard.until('whatever is there', () => true);
    expect(stuck()).toBeUndefined();
    for (const rule of rules) await account.sendBatch(queue, [rule.body]);
    await deployed.heard.until('the outcome of the stuck ceremony', () => stuck() !== undefined, 120);
    expect(stuck()).toMatchObject({ result: 'failed', reason: 'Timeout', unresponsive: [2, 3] });
  });
});
