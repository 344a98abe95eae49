/** Each condition of a commit, and each bound of what is received, alone: what lies in the way is there, and nothing else is wrong. */
import { describe, expect, test, vi } from 'vitest';
import type { Culprit, Transition } from '../../lib/ceremony.ts';
import { identityOf } from '../../lib/local/committee.ts';
import { bodyOf, type Payload, parseBody, parseBodyAs } from '../../lib/messages/catalogue.ts';
import type { FrostCertificate } from '../../lib/messages/certificate.ts';
import { contentText } from '../../lib/messages/contents.ts';
import { keygenOutcome } from '../../lib/messages/events.ts';
import type { Evidence } from '../../lib/messages/evidence.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import {
  ceremonyId,
  type FrostKeygenParameters,
  type KeygenParameters,
  type SigningParameters,
} from '../../lib/messages/parameters.ts';
import { type Statement, signStatement } from '../../lib/messages/statement.ts';
import { parseQueueName, topicQueue } from '../../lib/messages/topics.ts';
import { visiting } from '../../lib/node/advance.ts';
import { authoriseKeygen } from '../../lib/node/authorise.ts';
import { type Committed, commit, eventBodies, resend, storeEvidence } from '../../lib/node/commit.ts';
import { onControl, onMultisigInstruction } from '../../lib/node/instructions.ts';
import { type CeremonyState, loadState, SecretsOf, type Stored } from '../../lib/node/load.ts';
import { each, Node, type Processor, type ProcessorConfig, SendRefused } from '../../lib/node/node.ts';
import { type CeremonyType, expectedFrom, receive, stageStatus, wellPlaced } from '../../lib/node/receive.ts';
import {
  inboundKey,
  longTermShareKey,
  outboxKey,
  POLICY,
  publicKeyKey,
  secretKey,
  shareKey,
  stateKey,
} from '../../lib/node/rows.ts';
import { onWake } from '../../lib/node/wake.ts';
import { type Delivery, type Item, type Ports, type Table, UnknownOutcome } from '../../lib/ports.ts';
import { policyHash } from '../../lib/signing/policy.ts';
import { leaderOf } from '../../lib/signing/step.ts';
import { Vault } from '../../lib/vault/vault.ts';
import { ledBy, NodeWorld } from './world.ts';

const KEY = `0x${'5c'.repeat(32)}` as Hex;
const NOTHING = {
  outbox: [],
  own: [],
  secrets: [],
  keys: [],
  released: [],
  evidence: [],
  events: [],
  wakeAt: undefined,
};

/** A committee that makes no key by itself, and one ceremony of operator 1 in the test's hands. */
async function bench() {
  const world = await new NodeWorld({ genesis: false }).assembled();
  const parameters: KeygenParameters = {
    kind: 'keygen',
    committee: world.committee.committee.id,
    coin: 'sol',
    suite: 'FROST-ED25519-SHA512-v1',
    t: 2,
    signers: [1, 2, 3],
    requestId: `0x${'ab'.repeat(16)}`,
    expiresAt: world.committee.now() + 600,
  };
  const ceremony = ceremonyId(parameters);
  const node = world.processor(1);
  const state: CeremonyState = { kind: 'keygen', ceremony, parameters, stage: 'AwaitingPublicKeys' };
  const put = (table: Table, item: Item) => world.cloud.store(world.namespace(1)).write({ kind: 'put', table, item });
  const say = (content: string) => world.say(1, 'KeyGenVerdict', { ceremony }, content);
  return { world, parameters, ceremony, node, state, put, say };
}

function committing(
  node: Processor,
  change: Partial<Transition<CeremonyState>> & { readonly state: CeremonyState },
  previous?: Stored,
): Promise<Committed> {
  return visiting(node, change.state.ceremony, ({ secrets }) =>
    commit(node, previous, { ...NOTHING, ...change }, secrets),
  );
}

const rows = (world: NodeWorld): string =>
  JSON.stringify((['Ceremonies', 'Nonces', 'Keys'] as const).map((table) => world.items(1, table)));

describe('SRV-01 a commit that finds in its way', () => {
  test('a ceremony that has begun is lost', async () => {
    const { node, state, world } = await bench();
    expect((await committing(node, { state })).kind).toBe('committed');
    const held = rows(world);
    expect((await committing(node, { state })).kind).toBe('lost');
    expect(rows(world)).toBe(held);
  });

  test('another version is lost', async () => {
    const { node, state, world } = await bench();
    const first = await committing(node, { state });
    if (first.kind !== 'committed') throw new Error('it has begun');
    await committing(node, { state }, first.stored);
    const held = rows(world);
    expect((await committing(node, { state }, first.stored)).kind).toBe('lost');
    expect(rows(world)).toBe(held);
  });

  test('an own statement in the same place is lost', async () => {
    const { node, state, put, say, ceremony, world } = await bench();
    await put('Ceremonies', { ...inboundKey(ceremony, 'KeyGenVerdict', '', 1), body: 'something else' });
    const held = rows(world);
    expect((await committing(node, { state, own: [await say('{}')] })).kind).toBe('lost');
    expect(rows(world)).toBe(held);
  });

  test('S4 something else that was said to itself, in a life that the table does not remember, is lost', async () => {
    const { node, state, say, ceremony, world } = await bench();
    expect((await committing(node, { state, own: [await say('{"a":1}')] })).kind).toBe('committed');
    world.cloud.restoreTable(world.namespace(1), { table: 'Ceremonies', items: [] });
    expect((await committing(node, { state, own: [await say('{"a":2}')] })).kind).toBe('lost');
    expect(await loadState(node, ceremony)).toBeUndefined();
    expect((await committing(node, { state, own: [await say('{"a":1}')] })).kind, 'the same again').toBe('committed');
  });

  test('a share of the same nonce is lost', async () => {
    const { node, state, put, say, ceremony } = await bench();
    await put('Ceremonies', { ...shareKey(ceremony, 0, 0), body: 'another' });
    const released = [{ leader: 0, sequence: 0, package: KEY, statement: await say('{}') }];
    expect((await committing(node, { state, released })).kind).toBe('lost');
  });

  test('NON-01 no nonce to spend is lost', async () => {
    const { node, state, put, ceremony } = await bench();
    const spend = { state, secrets: [{ kind: 'consume', name: 'NONCE#0#0' }] } as const;
    expect((await committing(node, spend)).kind).toBe('lost');
    await put('Nonces', { ...secretKey(ceremony, 'NONCE#0#0'), blob: new Uint8Array(1) });
    expect((await committing(node, spend)).kind).toBe('committed');
  });

  test('a secret of the same name is lost, and stays', async () => {
    const { node, state, put, ceremony, world } = await bench();
    await put('Nonces', { ...secretKey(ceremony, 'SEALKEY'), blob: new Uint8Array(1) });
    const held = rows(world);
    const secrets = [{ kind: 'create', name: 'SEALKEY', plaintext: new Uint8Array(32).fill(1) }] as const;
    expect((await committing(node, { state, secrets })).kind).toBe('lost');
    expect(rows(world)).toBe(held);
  });

  test.each([
    ['share', longTermShareKey(KEY)],
    ['public half', publicKeyKey(KEY)],
  ])('DKG-08 the %s of the same key is lost, and stays', async (_, key) => {
    const { node, state, put, world, parameters } = await bench();
    await put('Keys', { ...key, blob: new Uint8Array(1) });
    const held = rows(world);
    const content = { parameters } as unknown as Omit<FrostCertificate, 'signatures'>;
    const keys = [{ kind: 'store', keyId: KEY, share: new Uint8Array(32).fill(1), content }] as const;
    expect((await committing(node, { state, keys })).kind).toBe('lost');
    expect(rows(world)).toBe(held);
  });

  test('no key to certify or to hide is lost', async () => {
    const { node, state, parameters } = await bench();
    const certificate = { parameters, outputKey: KEY } as unknown as FrostCertificate;
    for (const key of [
      { kind: 'certify', keyId: KEY, certificate },
      { kind: 'hide', keyId: KEY },
    ] as const)
      expect((await committing(node, { state, keys: [key] })).kind, key.kind).toBe('lost');
  });

  test('what left in the same stage is lost', async () => {
    const { node, state, put, say, ceremony } = await bench();
    await put('Ceremonies', { ...outboxKey(ceremony, 'KeyGenVerdict', 0), queues: ['x'], bodies: ['x'] });
    const outbox = [{ stage: 'KeyGenVerdict', statement: await say('{}'), recipients: [2] }];
    expect((await committing(node, { state, outbox })).kind).toBe('lost');
  });

  test('NON-03 another Nonces table than the ceremony’s is lost, and wraps nothing', async () => {
    const { node, state, world } = await bench();
    const first = await committing(node, { state });
    if (first.kind !== 'committed') throw new Error('it has begun');
    world.cloud.restoreTable(world.namespace(1), { table: 'Nonces', items: [] });
    const secrets = [{ kind: 'create', name: 'SEALKEY', plaintext: new Uint8Array(32).fill(1) }] as const;
    expect((await committing(world.processor(1), { state, secrets }, first.stored)).kind).toBe('lost');
    expect(world.items(1, 'Nonces')).toEqual([]);
  });

  test('another policy than its own is held, and so is a pulled switch', async () => {
    const { node, state, put, say, world } = await bench();
    const released = [{ leader: 0, sequence: 0, package: KEY, statement: await say('{}') }];
    await put('Keys', { ...POLICY, version: policyHash([{ kind: 'purposes', allow: ['gift'] }]) });
    expect(await committing(node, { state, released })).toEqual({ kind: 'held', by: 'policy' });
    await put('Keys', { ...POLICY, version: policyHash(node.config.policies) });
    await world.control(1, { Halt: {} });
    await world.run(5);
    expect(await committing(node, { state, released })).toEqual({ kind: 'held', by: 'halt' });
  });
});

test('SEC-02 a plain secret does not outlive its wrapping', async () => {
  const { node, state, parameters } = await bench();
  const plaintext = new Uint8Array(32).fill(1);
  const share = new Uint8Array(32).fill(2);
  const content = { parameters } as unknown as Omit<FrostCertificate, 'signatures'>;
  await committing(node, {
    state,
    secrets: [{ kind: 'create', name: 'SEALKEY', plaintext }],
    keys: [{ kind: 'store', keyId: KEY, share, content }],
  });
  expect([plaintext, share]).toEqual([new Uint8Array(32), new Uint8Array(32)]);
});

// ------------------------------------------------------------------------------------------------ answers that were lost, queues that refuse

const withPorts = (node: Processor, ports: Partial<Ports>, config: Partial<ProcessorConfig> = {}): Processor =>
  new Node({ ...node.config, ...config }, { ...node.ports, ...ports });

describe('SRV-03 an unknown outcome', () => {
  const unknown = () => new UnknownOutcome('the answer was lost');

  test('that was applied is recognised by its token, and is not asked for again', async () => {
    const { node, state, ceremony } = await bench();
    const { store } = node.ports;
    let calls = 0;
    const transact: typeof store.transact = async (writes, token) => {
      calls++;
      await store.transact(writes, token);
      throw unknown();
    };
    const done = await committing(withPorts(node, { store: own(store, { transact }) }), { state });
    expect(done.kind).toBe('committed');
    expect(calls).toBe(1);
    expect((await loadState(node, ceremony))?.version).toBe(1);
  });

  test('that was not applied is asked for again, under the same token', async () => {
    const { node, state } = await bench();
    const { store } = node.ports;
    const tokens: string[] = [];
    const transact: typeof store.transact = async (writes, token) => {
      tokens.push(token);
      if (tokens.length === 1) throw unknown();
      return store.transact(writes, token);
    };
    expect((await committing(withPorts(node, { store: own(store, { transact }) }), { state })).kind).toBe('committed');
    expect(new Set(tokens).size).toBe(1);
    expect(tokens).toHaveLength(2);
  });

  test('that was applied while it was asked for again is the own commit, and no lost race', async () => {
    const { node, state } = await bench();
    const { store } = node.ports;
    let calls = 0;
    const transact: typeof store.transact = async (writes, token) => {
      if (calls++ === 0) throw unknown();
      await store.transact(writes, token);
      return { committed: false, failures: [{ index: 0, item: undefined }] };
    };
    expect((await committing(withPorts(node, { store: own(store, { transact }) }), { state })).kind).toBe('committed');
  });
});

/** A store with some calls replaced. */
function own(store: Ports['store'], change: Partial<Ports['store']>): Ports['store'] {
  return new Proxy(store, {
    get: (target, name) => {
      const changed = change[name as keyof typeof change];
      if (changed) return changed;
      const value = Reflect.get(target, name) as unknown;
      return typeof value === 'function' ? (value as (...all: unknown[]) => unknown).bind(target) : value;
    },
  });
}

test('SRV-01 the wake-up leaves before the transaction: one that dies in between loses no ceremony', async () => {
  const { node, state } = await bench();
  const order: string[] = [];
  const { store, bus } = node.ports;
  const watched = withPorts(node, {
    store: own(store, {
      transact: (writes, token) => {
        order.push('transact');
        return store.transact(writes, token);
      },
    }),
    bus: {
      send: (messages) => {
        order.push(...messages.map(({ queue }) => parseQueueName(queue)?.message ?? queue));
        return bus.send(messages);
      },
    },
  });
  await committing(watched, { state, wakeAt: state.parameters.expiresAt });
  expect(order).toEqual(['Wake', 'transact']);
});

test('SRV-02 what a queue did not take is sent again, and nothing else is', async () => {
  const { node, state, say, ceremony } = await bench();
  const sent: string[] = [];
  let refuse = true;
  const picky = withPorts(node, {
    bus: {
      send: async (messages) => {
        sent.push(...messages.map(({ body }) => body));
        return refuse ? [0] : [];
      },
    },
  });
  const outbox = await Promise.all(
    ['{"a":1}', '{"a":2}'].map(async (content, i) => ({
      stage: `S${i}`,
      statement: { ...(await say(content)), slot: `${i}` } as Statement,
      recipients: [2],
    })),
  );
  await expect(committing(picky, { state, outbox })).rejects.toBeInstanceOf(SendRefused);
  expect(sent).toHaveLength(2);
  refuse = false;
  await resend(picky, ceremony);
  expect(sent).toHaveLength(3);
  expect(sent[2]).toBe(sent[0]);
  await resend(picky, ceremony);
  expect(sent).toHaveLength(3);
});

test('SRV-02 what no queue took before its message was a dead letter leaves with the next wake-up', async () => {
  const { node, state, say, ceremony } = await bench();
  const sent: string[] = [];
  let refuse = true;
  const picky = withPorts(node, {
    bus: {
      send: async (messages) => {
        sent.push(...messages.map(({ body }) => body));
        return refuse ? messages.map((_, i) => i) : [];
      },
    },
  });
  const outbox = [{ stage: 'KeyGenVerdict', statement: await say('{}'), recipients: [2] }];
  await expect(committing(picky, { state, outbox })).rejects.toBeInstanceOf(SendRefused);
  refuse = false;
  await onWake(picky, { ceremony });
  expect(sent.filter((body) => body === sent[0])).toHaveLength(2);
});

test('NON-03 secrets of a table that was lost are as good as gone', async () => {
  const { node, state, ceremony, world } = await bench();
  await committing(node, {
    state,
    secrets: [{ kind: 'create', name: 'SEALKEY', plaintext: new Uint8Array(32).fill(1) }],
  });
  const namesOf = async (): Promise<string[]> => [
    ...(await new SecretsOf(world.processor(1), ceremony).rows(['SEALKEY'])).keys(),
  ];
  expect(await namesOf()).toEqual(['SEALKEY']);
  world.cloud.restoreTable(world.namespace(1), world.cloud.snapshotTable(world.namespace(1), 'Nonces'));
  expect(await namesOf()).toEqual([]);
});

test('a message that a queue refuses fails its handler, so that it comes again', async () => {
  const { node } = await bench();
  const refusing = withPorts(node, { bus: { send: async () => [0] } });
  await expect(refusing.send([{ queue: topicQueue('a', 'sol', 'Wake'), body: '{}' }])).rejects.toBeInstanceOf(
    SendRefused,
  );
});

test('DOS-01 what leaves in one stage fills as many rows as it needs', async () => {
  const { node, state, say, world } = await bench();
  const outbox = await Promise.all(
    Array.from({ length: 5 }, async (_, i) => ({
      stage: 'Large',
      statement: { ...(await say('x'.repeat(120_000))), slot: `${i}` },
      recipients: [2],
    })),
  );
  expect((await committing(node, { state, outbox })).kind).toBe('committed');
  expect(world.items(1, 'Ceremonies').filter(({ sk }) => sk.startsWith('OUT#')).length).toBeGreaterThan(1);
});

describe('a proof', () => {
  const proof = (say: Statement, filler = ''): Evidence => ({
    v: 1,
    reason: 'InvalidShare',
    committee: say.committee,
    statements: [{ ...say, content: filler || say.content }],
  });

  test('that is kept first stays', async () => {
    const { node, ceremony, say, world } = await bench();
    for (const content of ['first', 'second']) await storeEvidence(node, ceremony, 2, proof(await say(content)));
    const [row] = world.items(1, 'Ceremonies').filter(({ sk }) => sk.startsWith('EVIDENCE#'));
    expect(row?.['evidence']).toContain('first');
  });

  test('DOS-01 that no body carries is left out of the event, and its culprit is not', async () => {
    const { node, ceremony, say } = await bench();
    const evidence = proof(await say('{}'), 'x'.repeat(210_000));
    const culprit: Culprit = { index: 2, reason: 'InvalidShare', evidence };
    const event = keygenOutcome({
      operator: 1,
      coin: 'sol',
      ceremony,
      result: 'failed',
      final: true,
      reason: 'InvalidShare',
      culprits: [{ index: 2, reason: 'InvalidShare' }],
      unresponsive: [],
    });
    const [body] = await eventBodies(node, ceremony, [event], [culprit]);
    expect(body?.body.length).toBeLessThan(200_000);
    const parsed = parseBodyAs('MultisigEvent', body?.body ?? '');
    expect(parsed.ok && 'KeygenOutcome' in parsed.payload && parsed.payload.KeygenOutcome.culprits).toEqual([
      { index: 2, reason: 'InvalidShare' },
    ]);
  });
});

test('of a batch the record that fails comes again, and no other', async () => {
  const { node } = await bench();
  const batch = ['a', 'b', 'c'].map((messageId) => ({ ...delivery('x', '{}'), messageId }));
  const handled: string[] = [];
  const result = await each(node, batch, async ({ messageId }) => {
    if (messageId === 'b') throw new Error('of b alone');
    handled.push(messageId);
  });
  expect([result.failed, handled]).toEqual([['b'], ['a', 'c']]);
});

// ------------------------------------------------------------------------------------------------ received

const delivery = (queue: string, body: string): Delivery => ({
  queue: queue as Delivery['queue'],
  messageId: 'm',
  body,
  receiveCount: 1,
});

test('before its committee is known a statement comes again', async () => {
  const world = new NodeWorld();
  await world.committee.assemble();
  expect(await receive(world.processor(1), 'KeyGenVerdict', [delivery('x', '{}')])).toEqual({ failed: ['m'] });
});

describe('CTX-01, CTX-06 a statement that is well signed is dropped, and never retried,', () => {
  const heard = async (header: Partial<Statement>) => {
    const { world, ceremony } = await bench();
    const said = await world.say(2, 'KeyGenVerdict', { ceremony }, '{"aborted":"Aborted"}');
    const signed = signStatement({ ...said, ...header }, said.content, await world.ownSecret(2, 'SIGNATURE'));
    const logged: unknown[] = [];
    const node = withPorts(world.processor(1), {
      telemetry: { record: (event, fields) => logged.push(`${event}: ${fields?.['reason']}`) },
    });
    const body = bodyOf('KeyGenVerdictIn', signed);
    return { result: await receive(node, 'KeyGenVerdict', [delivery('x', body)]), logged };
  };

  test.each<[string, Partial<Statement>]>([
    ['another committee', { committee: KEY }],
    ['another coin', { coin: 'btc' }],
    ['from nobody of this committee', { from: 9 }],
  ])('if it is of or for %s', async (reason, header) => {
    expect(await heard(header)).toEqual({ result: { failed: [] }, logged: [`EnvelopeRejected: ${reason}`] });
  });
});

describe('CTX-04, DOS-02 every type has its places', () => {
  const places: Record<CeremonyType, readonly [slot: string, to: number][]> = {
    EncryptedPublicKey: [['', 0]],
    EncryptedKeyGenCommitment: [['', 0]],
    KeyGenVerdict: [['', 0]],
    EncryptedKeyShare: [['', 1]],
    KeyGenEvidence: [
      ['0', 0],
      ['15', 0],
    ],
    KeyGenCertificate: [
      ['', 0],
      ['to-1', 1],
    ],
    Signature: [
      ['', 0],
      ['to-1', 1],
    ],
    NonceCommitment: [
      ['0', 1],
      ['42', 1],
      ['0', 0],
    ],
    SigningPackage: [
      ['0.0', 0],
      ['3.12', 0],
    ],
    SignatureShare: [
      ['0.0', 1],
      ['3.12', 1],
    ],
  };
  const slots = [
    '',
    '0',
    '42',
    '00',
    '100',
    '-1',
    '0.0',
    '3.12',
    '0.00',
    '0.100',
    '0.0.0',
    'to-1',
    'to-2',
    'late',
    '15',
  ];

  test.each(Object.keys(places) as CeremonyType[])('%s', (type) => {
    const allowed = slots.flatMap((slot) =>
      [0, 1, 2].filter((to) => wellPlaced(type, { slot, to }, 1)).map((to) => [slot, to]),
    );
    for (const place of places[type]) expect(allowed).toContainEqual(place);
    const numbered = (slot: string) => /^(0|[1-9][0-9]?)(\.(0|[1-9][0-9]?))?$/.test(slot);
    const shape = (slot: string) => (numbered(slot) ? slot.replace(/[0-9]+/g, 'n') : slot);
    const shapes = new Set(places[type].map(([slot, to]) => `${shape(slot)} ${to}`));
    expect(new Set(allowed.map(([slot, to]) => `${shape(`${slot}`)} ${to}`))).toEqual(shapes);
  });
});

describe('CTX-06, DOS-02 a participant speaks in the places of its ceremony', () => {
  const ceremony = `0x${'00'.repeat(32)}` as Hex;
  const common = {
    committee: KEY,
    coin: 'sol',
    suite: 'FROST-ED25519-SHA512-v1',
    t: 2,
    requestId: `0x${'00'.repeat(16)}`,
    expiresAt: 1,
  } as const;
  const made: KeygenParameters = { kind: 'keygen', ...common, signers: [1, 2, 3] };
  const asked: SigningParameters = {
    ...common,
    kind: 'signing',
    signers: [1, 2, 3],
    keyId: KEY,
    messages: ['0x00'],
    purpose: 'x',
  };
  const may = (
    type: CeremonyType,
    parameters: KeygenParameters | SigningParameters,
    from: number,
    slot: string,
    self = 1,
  ) => expectedFrom(type, parameters, self, { from, slot, ceremony });

  test('leader 0 is operator 1, and leader 1 operator 2', () => {
    expect([0, 1].map((k) => leaderOf(asked, ceremony, k))).toEqual([1, 2]);
  });

  test('nobody else', () => {
    expect([2, 4].map((from) => may('KeyGenVerdict', made, from, ''))).toEqual([true, false]);
    expect([2, 4].map((from) => may('Signature', asked, from, ''))).toEqual([true, false]);
  });

  test('in a ceremony of its kind', () => {
    for (const type of ['KeyGenVerdict', 'KeyGenCertificate', 'EncryptedKeyShare'] as const)
      expect(may(type, asked, 2, '')).toBe(false);
    for (const type of ['Signature'] as const) expect(may(type, made, 2, '')).toBe(false);
    for (const type of ['NonceCommitment', 'SignatureShare', 'SigningPackage'] as const)
      expect(may(type, made, 2, '0.0')).toBe(false);
    expect(may('KeyGenEvidence', asked, 2, '0')).toBe(false);
  });

  test('with fewer exhibits than participants', () => {
    expect(['0', '2', '3', '99'].map((slot) => may('KeyGenEvidence', made, 2, slot))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test('to a leader that is one', () => {
    expect(['0', '1', '2'].map((slot) => may('NonceCommitment', asked, 3, slot))).toEqual([true, false, false]);
    expect(may('NonceCommitment', asked, 3, '3'), 'operator 1 again, beyond n − t').toBe(false);
    expect(['0.0', '0.1', '0.2', '1.0', '3.0'].map((slot) => may('SignatureShare', asked, 3, slot))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test('as a leader that it is', () => {
    expect(['0.0', '0.1', '0.2', '1.0', '3.0'].map((slot) => may('SigningPackage', asked, 1, slot, 3))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(may('SigningPackage', asked, 2, '0.0', 3)).toBe(false);
  });

  test('and a stage is full with everybody’s, or the t-th, or one abort', () => {
    const status = (type: CeremonyType, arrived: number, content = '{"confirmed":"0x"}') => {
      const body = { content } as Statement;
      const parameters =
        type === 'NonceCommitment' || type === 'SignatureShare' ? { ...asked, signers: [1, 2, 3, 4, 5], t: 3 } : made;
      return stageStatus(type, parameters, new Set(Array.from({ length: arrived }, (_, i) => i + 2)), [
        { delivery: delivery('', ''), body },
      ]).kind;
    };
    for (const type of [
      'EncryptedPublicKey',
      'EncryptedKeyGenCommitment',
      'EncryptedKeyShare',
      'KeyGenVerdict',
    ] as const)
      expect([status(type, 1), status(type, 2)], type).toEqual(['MadeProgress', 'Full']);
    expect(status('KeyGenVerdict', 1, '{"aborted":"Aborted"}')).toBe('Full');
    for (const type of ['NonceCommitment', 'SignatureShare'] as const)
      expect([status(type, 1), status(type, 2)], type).toEqual(['MadeProgress', 'Full']);
    expect(stageStatus('KeyGenVerdict', undefined, new Set([2, 3]), []).kind).toBe('Ignored');
  });
});

/** A ceremony at operator 1 that waits for operator 2, whose functions do nothing. */
async function waitingForTwo() {
  const world = new NodeWorld({ dies: { operator: 2, at: 'EncryptedPublicKeyIn' } });
  await world.committee.assemble();
  await world.run(5);
  const state = world.keygen(1);
  if (!state) throw new Error('operator 1 has begun');
  const { ceremony, parameters } = state;
  const content = contentText('EncryptedPublicKey', {
    parameters,
    sealingKey: `0x09${'00'.repeat(31)}`,
    commitmentHash: KEY,
  });
  return { world, ceremony, statement: await world.say(2, 'EncryptedPublicKey', { ceremony }, content) };
}

test('SRV-02 one statement in two seals is said once, and convicts nobody', async () => {
  const { world, statement } = await waitingForTwo();
  for (let i = 0; i < 3; i++) await world.deliverSealed(1, statement);
  await world.run(5);
  expect(world.items(1, 'Ceremonies').filter(({ sk }) => sk.startsWith('EVIDENCE#'))).toEqual([]);
  expect(world.keygen(1)?.stage).not.toBe('Failed');
});

test('BLM-03 two seals that hold nothing its sender signed contradict nothing, and are not retried', async () => {
  const { world, statement } = await waitingForTwo();
  for (const byte of ['00', '11']) await world.deliverSealed(1, { ...statement, signature: `0x${byte.repeat(64)}` });
  await world.run(5);
  expect(world.count('HandlerFailed', 1)).toBe(0);
  expect(world.items(1, 'Ceremonies').filter(({ sk }) => sk.startsWith('EVIDENCE#'))).toEqual([]);
  expect(world.keygen(1)).toMatchObject({ stage: 'Failed', reason: 'Undecryptable', unresponsive: [2] });
});

test('DOS-01 a proof whose statements fill a body each, once they are quoted, is left out of the exhibits, and the verdict leaves', async () => {
  const { world, ceremony } = await waitingForTwo();
  for (const count of [36_000, 36_001]) {
    const content = `{"confirmed":"${'\\"'.repeat(count)}"}`;
    await world.deliver(1, await world.say(2, 'KeyGenVerdict', { ceremony }, content));
  }
  await world.run(5);
  expect(world.keygen(1)).toMatchObject({ stage: 'Failed', reason: 'Equivocation' });
  await world.run(100);
  expect(world.keygen(3)?.stage).toBe('Failed');
});

test('a ceremony of an hour ends at its expiry, though one delay is a quarter of an hour', async () => {
  const world = new NodeWorld({ dies: { operator: 2, at: 'EncryptedPublicKeyIn' }, genesisLife: 3_600 });
  await world.committee.assemble();
  await world.run(3_500);
  expect(world.keygen(1)?.stage).toBe('AwaitingPublicKeys');
  await world.run(200);
  expect(world.keygen(1)).toMatchObject({ stage: 'Failed', reason: 'Timeout', unresponsive: [2] });
});

test('CTX-07 a seal for another reader, or with another’s outer signature, is not opened', async () => {
  const { world, statement } = await waitingForTwo();
  const bodies: string[] = [];
  const stop = world.cloud.inspect.onSend(({ body }) => bodies.push(body));
  await world.deliverSealed(3, statement);
  stop();
  const parsed = parseBody(bodies.find((body) => body.startsWith('{"EncryptedPublicKeyIn"')) ?? '');
  if (!parsed.ok) throw new Error(parsed.reason);
  const sealed = parsed.payload as Payload<'EncryptedPublicKeyIn'>;
  const queue = topicQueue(identityOf(1), 'sol', 'EncryptedPublicKeyIn');
  const forged = { ...sealed, recipient: 1 };
  const rejected = world.count('EnvelopeRejected', 1);
  await world.cloud.bus().send([sealed, forged].map((each) => ({ queue, body: bodyOf('EncryptedPublicKeyIn', each) })));
  await world.run(5);
  expect(world.count('EnvelopeRejected', 1) - rejected).toBe(2);
  expect(world.items(1, 'Ceremonies').filter(({ sk }) => sk === 'IN##2')).toEqual([]);
});

test('a state that is made while its first message is recorded is stepped by whoever recorded it', async () => {
  const { world, ceremony, statement } = await waitingForTwo();
  const bodies: string[] = [];
  const stop = world.cloud.inspect.onSend(({ queue, body }) => {
    if (parseQueueName(queue)?.message === 'EncryptedPublicKeyIn') bodies.push(body);
  });
  await world.deliverSealed(1, statement);
  stop();
  const node = world.processor(1);
  const { store } = node.ports;
  let looked = 0;
  const get: typeof store.get = async (table, key) =>
    key.sk === 'STATE' && looked++ === 0 ? undefined : store.get(table, key);
  expect(world.keygen(1)?.stage).toBe('AwaitingPublicKeys');
  await receive(withPorts(node, { store: own(store, { get }) }), 'EncryptedPublicKey', [
    delivery('x', bodies[0] ?? ''),
  ]);
  expect((await world.state(1, ceremony))?.stage).toBe('AwaitingCommitments');
});

test('a share that comes after its key costs no row', async () => {
  const world = await new NodeWorld().assembled();
  const state = world.keygen(1);
  if (!state) throw new Error('there is a key');
  const share = await world.say(
    2,
    'EncryptedKeyShare',
    { ceremony: state.ceremony, to: 1 },
    contentText('EncryptedKeyShare', { share: KEY }),
  );
  let writes = 0;
  const stop = world.cloud.intercept(({ namespace, when, operation }) => {
    if (namespace === world.namespace(1) && when === 'before' && ['write', 'transact', 'addToSet'].includes(operation))
      writes++;
  });
  await world.deliverSealed(1, share);
  await world.run(5);
  stop();
  expect(writes).toBe(0);
});

describe('DOS-02 a first message is dropped', () => {
  /** From `from` to operator 1, its first leader. */
  async function offered(world: NodeWorld, from: number, change: Partial<SigningParameters>, elsewhere = false) {
    const made = world.keygen(1);
    if (made?.stage !== 'Succeeded') throw new Error('there is a key');
    const { committee, coin, suite, t, signers } = made.parameters as FrostKeygenParameters;
    for (let number = 0; ; number++) {
      const parameters: SigningParameters = {
        ...{ kind: 'signing', committee, coin, suite, t, signers, keyId: made.keyId, messages: ['0x00'], purpose: 'x' },
        ...{ requestId: `0x${number.toString(16).padStart(32, 'e')}`, expiresAt: world.committee.now() + 600 },
        ...change,
      };
      const ceremony = elsewhere
        ? (`0x${'00'.repeat(31)}${(number % 256).toString(16).padStart(2, '0')}` as Hex)
        : ceremonyId(parameters);
      if (leaderOf(parameters, ceremony, 0) !== 1) continue;
      const pair = { hiding: `0x${'66'.repeat(32)}`, binding: `0x${'66'.repeat(32)}` } as const;
      await world.deliver(
        1,
        await world.say(
          from,
          'NonceCommitment',
          { ceremony, slot: '0', to: 1 },
          contentText('NonceCommitment', { parameters, commitments: [pair] }),
        ),
      );
      await world.run(5);
      return { ceremony, kept: world.items(1, 'Ceremonies').some(({ pk }) => pk.startsWith(`C#${ceremony}`)) };
    }
  }

  test('unless it is of a ceremony of this key, from a participant, and has time left', async () => {
    const world = await new NodeWorld().assembled();
    expect((await offered(world, 2, {})).kept).toBe(true);
    expect((await offered(world, 2, { expiresAt: world.committee.now() })).kept).toBe(false);
    expect((await offered(world, 2, {}, true)).kept).toBe(false);
    expect((await offered(world, 2, { signers: [1, 3] })).kept).toBe(false);
  });

  test('and leads to nothing with other parameters than the key’s', async () => {
    const world = await new NodeWorld().assembled();
    const { ceremony } = await offered(world, 2, { t: 1 });
    expect(world.signing(1, ceremony)).toBeUndefined();
  });
});

// ------------------------------------------------------------------------------------------------ instructions

/** What the client hears when it asks this of operator 1. */
async function answer(
  world: NodeWorld,
  payload: Payload<'MultisigInstruction'>,
  config: Partial<ProcessorConfig> = {},
  messageId = 'm',
): Promise<string | undefined> {
  const heard: string[] = [];
  const { bus } = world.processor(1).ports;
  const node = withPorts(
    world.processor(1),
    {
      bus: {
        send: (messages) => {
          for (const { body } of messages) {
            const parsed = parseBodyAs('MultisigEvent', body);
            if (parsed.ok && 'Refused' in parsed.payload) heard.push(parsed.payload.Refused.reason);
          }
          return bus.send(messages);
        },
      },
    },
    config,
  );
  await onMultisigInstruction(node, payload, messageId);
  return heard[0];
}

describe('CTX-09 an instruction to make a key is refused', () => {
  const keyGen = (world: NodeWorld, change: object = {}): Payload<'MultisigInstruction'> => ({
    KeyGen: {
      ...{ coin: 'sol', suite: 'FROST-ED25519-SHA512-v1' as const, t: 2, signers: [1, 2, 3] },
      ...{ requestId: `0x${'cd'.repeat(16)}` as Hex, expiresAt: world.committee.now() + 600 },
      ...change,
    },
  });

  test.each<[string, (now: number) => object]>([
    ['ConfigurationMismatch', () => ({ coin: 'btc' })],
    ['ConfigurationMismatch', () => ({ suite: 'FROST-secp256k1-SHA256-TR-v1' })],
    ['ConfigurationMismatch', () => ({ t: 1 })],
    ['ConfigurationMismatch', () => ({ t: 3 })],
    ['ConfigurationMismatch', () => ({ signers: [1, 2, 3, 4] })],
    ['ConfigurationMismatch', () => ({ signers: [1] })],
    ['ConfigurationMismatch', () => ({ signers: [2, 3] })],
    ['Expired', (now) => ({ expiresAt: now })],
    ['Malformed', (now) => ({ expiresAt: now + 8 * 86_400 })],
  ])('as %s with %o', async (reason, change) => {
    const { world } = await bench();
    expect(await answer(world, keyGen(world, change(world.committee.now())))).toBe(reason);
    expect(world.keygen(1)).toBeUndefined();
  });

  test('without the signatures that the operator wants, and so is a control', async () => {
    const { world, node } = await bench();
    const instructionKeys = { required: 1, keys: [world.committee.committee.signatureKey('sol', 2)] };
    expect(await answer(world, keyGen(world), { instructionKeys })).toBe('Unauthorised');
    expect(world.keygen(1)).toBeUndefined();
    await onControl(withPorts(node, {}, { instructionKeys }), { Halt: {} });
    expect(
      world
        .items(1, 'Keys')
        .filter(({ pk }) => pk === 'SWITCH')
        .map(({ sk }) => sk),
    ).toEqual(['POLICY']);
  });

  test('as a repetition, if another message asked for it before, unless that one died before it began', async () => {
    const { world, parameters, put, ceremony } = await bench();
    const asked = keyGen(world, { requestId: parameters.requestId, expiresAt: parameters.expiresAt });
    await put('Ceremonies', { pk: `R#keygen#${parameters.requestId}`, sk: 'CEREMONY', ceremony, origin: 'dead' });
    expect(await answer(world, asked, {}, 'second')).toBeUndefined();
    expect(world.keygen(1)?.ceremony).toBe(ceremony);
    expect(await answer(world, asked, {}, 'third')).toBe('Repeated');
    expect(
      await answer(world, keyGen(world, { requestId: parameters.requestId, expiresAt: parameters.expiresAt + 1 })),
    ).toBe('ConfigurationMismatch');
  });

  test('as a mismatch, if another instruction takes its request id at the same time', async () => {
    const { world, parameters } = await bench();
    await authoriseKeygen(world.processor(1), parameters, 'one');
    const node = world.processor(1);
    const { store } = node.ports;
    let looked = 0;
    const get: typeof store.get = async (table, key) =>
      key.sk === 'CEREMONY' && looked++ === 0 ? undefined : store.get(table, key);
    const other = { ...parameters, expiresAt: parameters.expiresAt + 1 };
    const result = await authoriseKeygen(withPorts(node, { store: own(store, { get }) }), other, 'two');
    expect(result).toEqual({ kind: 'mismatch', ceremony: ceremonyId(parameters) });
    expect(world.states(1)).toHaveLength(1);
  });
});

describe('an instruction to sign is refused', () => {
  const sign = (world: NodeWorld, change: object = {}): Payload<'MultisigInstruction'> => ({
    Sign: {
      keyId: KEY,
      messages: ['0x00'],
      purpose: 'x',
      requestId: `0x${'ce'.repeat(16)}` as Hex,
      expiresAt: world.committee.now() + 600,
      ...change,
    },
  });

  test('DKG-08 with a key that is not certified here, whatever is stored of it', async () => {
    const { world, put } = await bench();
    expect(await answer(world, sign(world))).toBe('UnknownKey');
    for (const status of ['unconfirmed', 'hidden']) {
      await put('Keys', { ...publicKeyKey(KEY), status, content: '{}' });
      expect(await answer(world, sign(world)), status).toBe('UnknownKey');
    }
  });

  test('with more messages than a package carries', async () => {
    const { world, put, parameters } = await bench();
    await put('Keys', {
      ...publicKeyKey(KEY),
      status: 'certified',
      certificate: JSON.stringify({ verifyingShares: [], parameters: { ...parameters, t: 100 } }),
    });
    expect(await answer(world, sign(world, { messages: Array(15).fill('0x00') }))).toBe('Malformed');
  });

  test('NON-15 for a purpose that is not allowed', async () => {
    const { world, put, parameters } = await bench();
    await put('Keys', {
      ...publicKeyKey(KEY),
      status: 'certified',
      certificate: JSON.stringify({ verifyingShares: [], parameters }),
    });
    expect(await answer(world, sign(world), { policies: [{ kind: 'purposes', allow: ['y'] }] })).toBe('Unauthorised');
  });
});

describe('a control', () => {
  test('that releases the switch is followed at once by the share that it held', async () => {
    const world = await new NodeWorld({ operators: 2, threshold: 2 }).assembled();
    await world.control(2, { Halt: {} });
    await world.run(5);
    const { instruction, ceremony } = ledBy(world, 1, { expiresAt: world.committee.now() + 86_400 });
    await world.instruct(instruction);
    await world.run(600);
    expect(world.signatures(2, ceremony)).toBeUndefined();
    await world.control(2, { Release: {} });
    await world.run(1);
    expect(world.signatures(2, ceremony)).toHaveLength(1);
  });

  test('S4 that abandons what was confirmed in a life that the table does not remember says nothing, and ends', async () => {
    const { world, node, state, ceremony, say } = await bench();
    await committing(node, { state, own: [await say(contentText('KeyGenVerdict', { confirmed: KEY }))] });
    const items = world.items(1, 'Ceremonies').filter(({ sk }) => sk === 'STATE');
    world.cloud.restoreTable(world.namespace(1), { table: 'Ceremonies', items });
    const logged: string[] = [];
    const told = withPorts(node, { telemetry: { record: (event) => logged.push(event) } });
    await onControl(told, { Abandon: { ceremony } });
    expect(logged).toContain('CommitRefused');
    expect((await world.state(1, ceremony))?.stage).toBe('AwaitingPublicKeys');
  });
});

test('a policy’s version changes with any part of it', () => {
  const versions = [
    [],
    [{ kind: 'purposes', allow: ['a'] }],
    [{ kind: 'purposes', allow: ['b'] }],
    [{ kind: 'require-own-instruction' }],
  ] as const;
  expect(
    new Set(
      versions.map((each) => policyHash(each.map((policy) => ({ ...policy })) as Parameters<typeof policyHash>[0])),
    ).size,
  ).toBe(4);
});

test('a state row that is none is an error, not an empty ceremony', async () => {
  const { node, put, ceremony } = await bench();
  await put('Ceremonies', { ...stateKey(ceremony), state: '{}' });
  await expect(loadState(node, ceremony)).rejects.toThrow('expected state, version, token and dataKey');
});

// ------------------------------------------------------------------------------------------------ slow

test('SEC-02 whatever a run opened is wiped when its function returns', async () => {
  const opened: Uint8Array[] = [];
  const original = Vault.prototype.unwrap;
  const spy = vi.spyOn(Vault.prototype, 'unwrap').mockImplementation(async function (this: Vault, ...call) {
    const secret = await original.apply(this, call);
    opened.push(secret.bytes);
    return secret;
  });
  const dataKeys: Uint8Array[] = [];
  const world = new NodeWorld({
    instruments: {
      ports: (ports) => ({
        ...ports,
        wrapper: {
          generateDataKey: async (lifecycle, context) => {
            const key = await ports.wrapper.generateDataKey(lifecycle, context);
            dataKeys.push(key.plaintext);
            return key;
          },
          decrypt: async (lifecycle, wrapped, context) => {
            const key = await ports.wrapper.decrypt(lifecycle, wrapped, context);
            dataKeys.push(key);
            return key;
          },
        },
      }),
    },
  });
  await world.assembled();
  await world.instruct(world.sign());
  await world.run();
  spy.mockRestore();
  expect(world.signing(1)?.stage).toBe('Succeeded');
  expect(opened.length).toBeGreaterThan(20);
  expect(dataKeys.length).toBeGreaterThan(20);
  expect([...opened, ...dataKeys].filter((bytes) => bytes.some((byte) => byte !== 0))).toEqual([]);
});

test('DOS-02 sixteen first messages are kept of a peer, and when they have expired, sixteen others', async () => {
  const world = await new NodeWorld({ cloud: { faults: { ttlLagSeconds: 1_000_000 } } }).assembled();
  let number = 0;
  /** The next one that operator 1 leads. */
  const next = async (): Promise<boolean> => {
    for (;;) {
      const requestId = `0x${(number++).toString(16).padStart(32, '0')}` as Hex;
      const kept = await strayOf(world, { requestId, expiresAt: world.committee.now() + 5 * 86_400 });
      if (kept !== undefined) return kept;
    }
  };
  const kept: boolean[] = [];
  for (let i = 0; i < 17; i++) kept.push(await next());
  expect(kept).toEqual([...Array(16).fill(true), false]);
  // Expired, and not removed yet.
  world.cloud.advance(86_400 + 60);
  expect(await next()).toBe(true);
}, 120_000);

/** @returns whether it was kept; nothing if its first leader is somebody else */
async function strayOf(world: NodeWorld, change: Partial<SigningParameters>): Promise<boolean | undefined> {
  const made = world.keygen(1);
  if (made?.stage !== 'Succeeded') throw new Error('there is a key');
  const { committee, coin, suite, t, signers } = made.parameters as FrostKeygenParameters;
  const parameters: SigningParameters = {
    ...{ kind: 'signing', committee, coin, suite, t, signers, keyId: made.keyId, messages: ['0x00'], purpose: 'x' },
    ...{ requestId: KEY.slice(0, 34) as Hex, expiresAt: 0 },
    ...change,
  };
  const ceremony = ceremonyId(parameters);
  if (leaderOf(parameters, ceremony, 0) !== 1) return undefined;
  const pair = { hiding: `0x${'66'.repeat(32)}`, binding: `0x${'66'.repeat(32)}` } as const;
  await world.deliver(
    1,
    await world.say(
      2,
      'NonceCommitment',
      { ceremony, slot: '0', to: 1 },
      contentText('NonceCommitment', { parameters, commitments: [pair] }),
    ),
  );
  await world.run(1);
  return world.items(1, 'Ceremonies').some(({ pk }) => pk.startsWith(`C#${ceremony}`));
}
