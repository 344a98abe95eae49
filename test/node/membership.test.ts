/** Whom a role believes before there is any ceremony: every message of the first twelve steps, with one thing wrong. */
import { describe, expect, test } from 'vitest';
import { identityOf } from '../../lib/local/committee.ts';
import { bodyOf, type Payload, parseBodyAs } from '../../lib/messages/catalogue.ts';
import { Committee } from '../../lib/messages/committee.ts';
import { contentText } from '../../lib/messages/contents.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import { signProcessorKey } from '../../lib/messages/processor-key.ts';
import { hpkeSealer, sealStatement } from '../../lib/messages/sealing.ts';
import { type SealedStatement, type Statement, signStatement } from '../../lib/messages/statement.ts';
import { inboxQueue, parseQueueName, topicQueue } from '../../lib/messages/topics.ts';
import { forwardOutbound, onProcessorPublicKey, onSignerReady, receiveParcels } from '../../lib/node/coordinator.ts';
import { acceptCommittee, keepNewest, onExternalPublicKey, start, whenAllAreKnown } from '../../lib/node/membership.ts';
import { type Coordinator, type CoordinatorConfig, Node, type Processor } from '../../lib/node/node.ts';
import { processorKeys } from '../../lib/node/own-keys.ts';
import { COMMITTEE, COORDINATOR, OWN_KEYS, peerKey, READY } from '../../lib/node/rows.ts';
import { type Delivery, type Item, type OutgoingMessage, type Ports, storeWith } from '../../lib/ports.ts';
import { NodeWorld } from './world.ts';

const ME = identityOf(1);
const OTHER_KEY = toHex(Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? 0x10 : 0x42)));

/** A role of operator 1 whose log and sendings the test sees. */
function watched<N extends Node>(node: N, ports: Partial<Ports> = {}) {
  const sent: OutgoingMessage[] = [];
  const logged: Record<string, unknown>[] = [];
  const watching: Ports = {
    ...node.ports,
    bus: {
      send: async (messages) => {
        sent.push(...messages);
        return [];
      },
    },
    telemetry: { record: (event, fields) => logged.push({ event, ...fields }) },
    ...ports,
  };
  return { node: new Node(node.config, watching) as unknown as N, sent, logged };
}

const processor = (world: NodeWorld, ports?: Partial<Ports>) => watched<Processor>(world.processor(1), ports);

function coordinator(world: NodeWorld, ports?: Partial<Ports>) {
  const namespace = `${ME}/coordinator`;
  const config: CoordinatorConfig = {
    role: 'coordinator',
    identity: ME,
    coins: ['sol'],
    committeeHash: world.committee.committee.id,
  };
  const node: Coordinator = new Node(config, {
    bus: world.cloud.bus(),
    store: world.cloud.store(namespace),
    wrapper: world.cloud.wrapper(namespace),
    clock: world.cloud.clock(namespace),
    random: world.cloud.random('test'),
    telemetry: { record: () => {} },
  });
  return watched<Coordinator>(node, ports);
}

const settled = (): Promise<NodeWorld> => new NodeWorld({ genesis: false }).assembled();
const directory = (world: NodeWorld, key: { pk: string; sk: string }): Item | undefined =>
  world.items(1, 'Directory').find(({ pk, sk }) => pk === key.pk && sk === key.sk);
const putDirectory = (world: NodeWorld, item: Item) =>
  world.cloud.store(world.namespace(1)).write({ kind: 'put', table: 'Directory', item });

describe('CTX-01 a processor accepts a committee', () => {
  const fresh = (world: NodeWorld): Promise<unknown> =>
    world.cloud.store(world.namespace(1)).write({ kind: 'delete', table: 'Directory', key: COMMITTEE });

  test('whose hash is deployed, and no other', async () => {
    const world = await settled();
    await fresh(world);
    const { node, logged } = processor(world);
    const { file } = world.committee.committee;
    expect(
      await acceptCommittee(node, { committee: { ...file, leaderPeriod: file.leaderPeriod + 1 } }),
    ).toBeUndefined();
    expect(logged.map(({ event }) => event)).toEqual(['CommitteeRejected']);
    expect(directory(world, COMMITTEE)).toBeUndefined();
    expect((await acceptCommittee(node, { committee: file }))?.id).toBe(world.committee.committee.id);
  });

  test('once: whoever deploys another hash later is told, and keeps the one it has', async () => {
    const world = await settled();
    const before = directory(world, COMMITTEE);
    const other = new Committee({ ...world.committee.committee.file, leaderPeriod: 16 });
    const { node, logged } = processor(world);
    const again = new Node({ ...node.config, committeeHash: other.id }, node.ports);
    expect(await acceptCommittee(again, { committee: other.file })).toBeUndefined();
    expect(logged).toEqual([{ event: 'CommitteeRejected', reason: expect.stringContaining('accepted here before') }]);
    expect(directory(world, COMMITTEE)).toEqual(before);
    // The same one again is no other.
    expect((await acceptCommittee(node, { committee: world.committee.committee.file }))?.id).toBe(
      world.committee.committee.id,
    );
  });

  test('that names it', async () => {
    const world = await settled();
    await fresh(world);
    const { node } = processor(world);
    const stranger = new Node({ ...node.config, identity: 'nobody' }, node.ports);
    expect(await acceptCommittee(stranger, { committee: world.committee.committee.file })).toBeUndefined();
    expect(directory(world, COMMITTEE)).toBeUndefined();
  });
});

describe('a processor introduces itself', () => {
  const introduced = (sent: readonly OutgoingMessage[]): OutgoingMessage[] =>
    sent.filter(({ queue }) => parseQueueName(queue)?.message === 'SignerReady');

  test('to the coordinator that the committee pins, and to no other', async () => {
    const world = await settled();
    const { node, sent, logged } = processor(world);
    await start(node);
    expect(introduced(sent)).toHaveLength(1);
    await putDirectory(world, { ...COORDINATOR, pubkey: OTHER_KEY });
    await start(node);
    expect(introduced(sent)).toHaveLength(1);
    expect(logged.at(-1)).toMatchObject({ event: 'CoordinatorKeyRejected' });
  });

  test('S4 in one seal, also if two do so at once', async () => {
    const world = await settled();
    const { node, sent } = processor(world);
    const { store } = node.ports;
    let hidden = true;
    const get: typeof store.get = async (table, key) => {
      if (hidden && key.sk === 'SIGNER_READY') {
        hidden = false;
        return undefined;
      }
      return store.get(table, key);
    };
    const racing = new Node(node.config, { ...node.ports, store: storeWith(store, { get }) });
    await start(node);
    await start(racing);
    expect(new Set(introduced(sent).map(({ body }) => body)).size).toBe(1);
  });
});

describe('own keys', () => {
  test('are made once, also if two begin at once', async () => {
    const world = await settled();
    const { node } = processor(world);
    const { store } = node.ports;
    const keys = JSON.stringify([
      directory(world, OWN_KEYS),
      world.items(1, 'Keys').filter(({ pk }) => pk === 'OWN').length,
    ]);
    const secrets = world.items(1, 'Keys').filter(({ pk }) => pk === 'OWN');
    let hidden = true;
    const get: typeof store.get = async (table, key) => {
      if (hidden && table === 'Directory' && key.sk === OWN_KEYS.sk) {
        hidden = false;
        return undefined;
      }
      return store.get(table, key);
    };
    const made = await processorKeys(new Node(node.config, { ...node.ports, store: storeWith(store, { get }) }));
    expect(made.messagingKey).toBe(directory(world, OWN_KEYS)?.['messagingKey']);
    expect(
      JSON.stringify([directory(world, OWN_KEYS), world.items(1, 'Keys').filter(({ pk }) => pk === 'OWN').length]),
    ).toBe(keys);
    expect(world.items(1, 'Keys').filter(({ pk }) => pk === 'OWN')).toEqual(secrets);
  });

  test.each(['Directory', 'Keys'] as const)('of which the half in %s is there are never made anew', async (table) => {
    const world = await settled();
    const { node } = processor(world);
    const items = world.items(1, table).filter(({ pk }) => pk !== 'OWN');
    const other = table === 'Directory' ? 'Keys' : 'Directory';
    const kept = world.items(1, other);
    world.cloud.restoreTable(world.namespace(1), { table, items });
    if (table === 'Directory') await expect(processorKeys(node)).rejects.toThrow('restore the Directory table');
    else {
      const { store } = node.ports;
      const get: typeof store.get = async (of, key) =>
        of === 'Directory' && key.sk === OWN_KEYS.sk ? undefined : store.get(of, key);
      await processorKeys(new Node(node.config, { ...node.ports, store: storeWith(store, { get }) })).catch(() => {});
    }
    expect(world.items(1, other)).toEqual(kept);
  });
});

describe('a peer’s messaging key is taken', () => {
  /** As operator 2 would say it, with something changed after or before it is signed. */
  async function keyOf(world: NodeWorld, change: Partial<Payload<'ExternalPublicKeyIn'>> = {}, signedBy = 2) {
    const signed = { identity: identityOf(2), coin: 'sol', pubkey: OTHER_KEY, generation: 5, ...change };
    const signature = signProcessorKey(signed, await world.ownSecret(signedBy, 'SIGNATURE'));
    return { signer: 2, coin: 'sol', pubkey: OTHER_KEY, generation: 5, signature, ...change };
  }
  const stored = (world: NodeWorld) => directory(world, peerKey(2));

  test('if the pinned key has signed it', async () => {
    const world = await settled();
    const { node, logged } = processor(world);
    const before = stored(world);
    await onExternalPublicKey(node, await keyOf(world, {}, 3));
    await onExternalPublicKey(node, { ...(await keyOf(world)), generation: 6 });
    expect(stored(world)).toEqual(before);
    expect(logged.map(({ event }) => event)).toEqual(['EnvelopeRejected', 'EnvelopeRejected']);
    await onExternalPublicKey(node, await keyOf(world));
    expect(stored(world)).toMatchObject({ pubkey: OTHER_KEY, generation: 5 });
  });

  test('CTX-06 if it is for this coin, and from somebody', async () => {
    const world = await settled();
    const { node, logged } = processor(world);
    await onExternalPublicKey(node, await keyOf(world, { coin: 'btc' }));
    await onExternalPublicKey(node, await keyOf(world, { signer: 9 }));
    expect(logged.map(({ reason }) => reason)).toEqual(Array(2).fill('from nobody of this committee for this coin'));
  });

  test('if it is newer, never if it is older or another of the same generation', async () => {
    const world = await settled();
    const { node, logged } = processor(world);
    await onExternalPublicKey(node, await keyOf(world));
    const second = toHex(Uint8Array.from({ length: 32 }, () => 0x17));
    for (const change of [
      { generation: 4, pubkey: second },
      { generation: 5, pubkey: second },
    ])
      await onExternalPublicKey(node, await keyOf(world, change));
    expect(stored(world)).toMatchObject({ pubkey: OTHER_KEY, generation: 5 });
    expect(logged.map(({ event }) => event)).toContain('EquivocationDetected');
    await onExternalPublicKey(node, await keyOf(world, { generation: 6, pubkey: second }));
    expect(stored(world)).toMatchObject({ pubkey: second, generation: 6 });
  });

  test('if it came before the file, once the file is there to judge it', async () => {
    const world = new NodeWorld({ genesis: false });
    await world.committee.assemble();
    const { node } = processor(world);
    const [good, bad] = [await keyOf(world), { ...(await keyOf(world, {}, 3)), signer: 3 }];
    for (const each of [good, bad]) await onExternalPublicKey(node, each);
    expect(stored(world)).toBeUndefined();
    await world.run();
    expect(stored(world)).toMatchObject({ pubkey: OTHER_KEY });
    expect(directory(world, peerKey(3))?.['pubkey']).not.toBe(OTHER_KEY);
  });

  test('the newest of two that are kept at once stays', async () => {
    const world = await settled();
    const { node } = processor(world);
    const { store } = node.ports;
    const item = (generation: number): Item => ({ ...peerKey(2), pubkey: OTHER_KEY, generation, signature: '0x' });
    let first = true;
    const get: typeof store.get = async (table, key) => {
      const found = await store.get(table, key);
      if (first && key.sk === peerKey(2).sk) {
        first = false;
        // While the one looked, the other has written.
        await store.write({ kind: 'put', table: 'Directory', item: item(9) });
      }
      return found;
    };
    expect(await keepNewest(new Node(node.config, { ...node.ports, store: storeWith(store, { get }) }), item(7))).toBe(
      'ignored',
    );
    expect(stored(world)).toMatchObject({ generation: 9 });
  });
});

describe('a key is made when all are known', () => {
  async function unready(genesisLife?: number) {
    const world = new NodeWorld(genesisLife === undefined ? {} : { genesisLife });
    await world.committee.assemble();
    const { node, sent } = processor(world);
    await acceptCommittee(node, { committee: world.committee.committee.file });
    const know = (index: number) =>
      putDirectory(world, { ...peerKey(index), pubkey: OTHER_KEY, generation: 1, signature: '0x' });
    const told = () => sent.filter(({ body }) => body.includes('ReadyToKeygen')).length;
    return { world, node, know, told };
  }

  test('and not before', async () => {
    const { world, node, know, told } = await unready();
    await know(2);
    await whenAllAreKnown(node);
    expect([told(), world.states(1).length]).toEqual([0, 0]);
    await know(3);
    await whenAllAreKnown(node);
    expect([told(), world.states(1).length]).toEqual([1, 1]);
    await whenAllAreKnown(node);
    expect(told(), 'told once').toBe(1);
    expect(directory(world, READY)).toBeDefined();
  });

  test('unless its time is over', async () => {
    const { world, node, know } = await unready(10);
    world.cloud.advance(20);
    for (const index of [2, 3]) await know(index);
    await whenAllAreKnown(node);
    expect(world.states(1)).toEqual([]);
  });
});

// ------------------------------------------------------------------------------------------------ the coordinator

const delivery = (queue: string, body: string): Delivery => ({
  queue: queue as Delivery['queue'],
  messageId: body,
  body,
  receiveCount: 1,
});

describe('a coordinator shows its processor’s key', () => {
  async function ownKey(world: NodeWorld, change: Partial<Payload<'ProcessorPublicKey'>> = {}, by = 1) {
    const signed = { identity: ME, coin: 'sol', pubkey: OTHER_KEY, generation: 7, ...change };
    return {
      pubkey: signed.pubkey,
      generation: signed.generation,
      signature: signProcessorKey(signed, await world.ownSecret(by, 'SIGNATURE')),
    };
  }
  const shown = (sent: readonly OutgoingMessage[]) => sent.filter(({ body }) => body.includes('ExternalPublicKeyIn'));

  test('if the pinned key has signed it, and the processor has said that it is ready with it', async () => {
    const world = await settled();
    const { node, sent, logged } = coordinator(world);
    await onProcessorPublicKey(node, 'sol', await ownKey(world, {}, 2));
    expect(logged.at(-1)).toMatchObject({ event: 'EnvelopeRejected' });
    await onProcessorPublicKey(node, 'sol', await ownKey(world));
    expect(shown(sent), 'not ready with this key').toEqual([]);
    const row = world.cloud.inspect.items(`${ME}/coordinator`, 'Directory').find(({ sk }) => sk === 'PROCESSOR');
    expect(row).toMatchObject({ pubkey: OTHER_KEY });
  });

  test('also what came before the file, only if the pinned key has signed it', async () => {
    const world = await settled();
    const { node, sent } = coordinator(world);
    const { store } = node.ports;
    const key = { pk: 'COIN#sol', sk: 'PROCESSOR' };
    const known = await store.get('Directory', key);
    await store.write({
      kind: 'put',
      table: 'Directory',
      item: { ...key, ...known, signature: `0x${'00'.repeat(64)}` },
    });
    const ready = await sealedReady(world, {});
    await onSignerReady(node, 'sol', ready);
    expect(shown(sent)).toEqual([]);
  });
});

/** `SignerReady` as the own processor seals it, or with something wrong. */
async function sealedReady(world: NodeWorld, change: Partial<Statement>, by = 1): Promise<SealedStatement> {
  const from = change.from ?? 1;
  const pubkey = directory(world, OWN_KEYS)?.['messagingKey'] as Hex;
  const secret = await world.ownSecret(by, 'SIGNATURE');
  const statement = signStatement(
    {
      type: 'SignerReady',
      committee: world.committee.committee.id,
      coin: 'sol',
      ceremony: `0x${'00'.repeat(32)}`,
      slot: '',
      from,
      to: 1,
      ...change,
    },
    contentText('SignerReady', { pubkey }),
    secret,
  );
  const key = world.committee.committee.operator(1)?.coordinatorKey ?? '0x';
  return sealStatement(statement, 1, key, secret, world.cloud.random('seal').bytes(32), hpkeSealer);
}

describe('CTX-04 SignerReady is believed', () => {
  test('from the own processor of this coin and committee only', async () => {
    const world = await settled();
    const { node, logged } = coordinator(world);
    await onSignerReady(node, 'sol', await sealedReady(world, {}));
    expect(logged).toEqual([]);
    for (const sealed of [
      await sealedReady(world, { from: 2 }, 2),
      await sealedReady(world, { committee: `0x${'11'.repeat(32)}` }),
      await sealedReady(world, { coin: 'btc' }),
    ])
      await onSignerReady(node, 'sol', sealed);
    expect(logged.map(({ reason }) => reason)).toEqual(Array(3).fill('not from the own processor'));
    await onSignerReady(node, 'sol', await sealedReady(world, {}, 2));
    expect(logged.at(-1)).toMatchObject({ reason: 'the signature does not verify' });
  });
});

describe('what leaves', () => {
  test('is what leaves by its name, and nothing else', async () => {
    const world = await settled();
    const { node, sent, logged } = coordinator(world);
    const statement = await world.say(
      1,
      'KeyGenVerdict',
      { ceremony: `0x${'11'.repeat(32)}` },
      '{"aborted":"Aborted"}',
    );
    const outbound = topicQueue(ME, 'sol', 'Outbound');
    await forwardOutbound(node, [
      delivery(outbound, bodyOf('KeyGenVerdictIn', statement)),
      delivery(outbound, bodyOf('Wake', {})),
    ]);
    expect(sent).toEqual([]);
    expect(logged).toHaveLength(2);
    await forwardOutbound(node, [delivery(outbound, bodyOf('KeyGenVerdictOut', statement))]);
    expect(sent).toHaveLength(2);
  });

  test('comes again if a peer’s queue does not take it, and alone', async () => {
    const world = await settled();
    const { node } = coordinator(world, {
      bus: {
        send: async (messages) =>
          messages.flatMap(({ queue }, i) => (queue === inboxQueue(identityOf(3), ME) ? [i] : [])),
      },
    });
    const outbound = topicQueue(ME, 'sol', 'Outbound');
    const to = async (recipient: number) =>
      bodyOf(
        'SignatureShareOut',
        await world.say(1, 'SignatureShare', { ceremony: `0x${'11'.repeat(32)}`, slot: '0.0', to: recipient }, '{}'),
      );
    const [two, three] = [await to(2), await to(3)];
    expect(await forwardOutbound(node, [delivery(outbound, two), delivery(outbound, three)])).toEqual({
      failed: [three],
    });
  });
});

describe('a parcel', () => {
  const inbox = inboxQueue(ME, identityOf(2));
  async function parcel(world: NodeWorld, change: object = {}, header: Partial<Statement> = {}): Promise<string> {
    const said = await world.say(2, 'KeyGenVerdict', { ceremony: `0x${'11'.repeat(32)}` }, '{"aborted":"Aborted"}');
    const payload = { ...said, ...header };
    return JSON.stringify({
      P2PIncoming: { from: 2, to: 1, coin: 'sol', type: 'KeyGenVerdictOut', payload, ...change },
    });
  }

  test('from the peer whose queue it is, to this operator, signed by that peer, is passed on', async () => {
    const world = await settled();
    const { node, sent } = coordinator(world);
    await receiveParcels(node, [delivery(inbox, await parcel(world))]);
    expect(sent.map(({ queue }) => parseQueueName(queue)?.message)).toEqual(['KeyGenVerdictIn']);
  });

  test.each<[string, object, Partial<Statement>]>([
    ['another sender than the queue’s peer', { from: 3 }, {}],
    ['another operator', { to: 3 }, {}],
    ['another coin', { coin: 'btc' }, { coin: 'btc' }],
    ['another coin inside', {}, { coin: 'btc' }],
    ['another sender inside', {}, { from: 3 }],
    ['another committee inside', {}, { committee: `0x${'11'.repeat(32)}` }],
    ['another text than was signed', {}, { content: '{"aborted":"Timeout"}' }],
  ])('CTX-04 with %s is dropped', async (_, change, header) => {
    const world = await settled();
    const { node, sent, logged } = coordinator(world);
    expect(await receiveParcels(node, [delivery(inbox, await parcel(world, change, header))])).toEqual({ failed: [] });
    expect(sent).toEqual([]);
    expect(logged.map(({ event }) => event)).toEqual(['EnvelopeRejected']);
  });

  test('of another sender inside, signed by that sender, is dropped: nobody speaks through another’s queue', async () => {
    const world = await settled();
    const { node, sent } = coordinator(world);
    const payload = await world.say(3, 'KeyGenVerdict', { ceremony: `0x${'11'.repeat(32)}` }, '{"aborted":"Aborted"}');
    await receiveParcels(node, [
      delivery(inbox, await parcel(world, { payload })),
      delivery(inbox, await parcel(world, { from: 3, payload })),
    ]);
    expect(sent).toEqual([]);
  });

  test('CTX-01 of another committee or coin is dropped, though its sender has signed it with the key that is pinned here', async () => {
    const world = await settled();
    const { node, sent } = coordinator(world);
    const said = await world.say(2, 'KeyGenVerdict', { ceremony: `0x${'11'.repeat(32)}` }, '{"aborted":"Aborted"}');
    for (const header of [{ committee: `0x${'11'.repeat(32)}` as Hex }, { coin: 'btc' }]) {
      const payload = signStatement({ ...said, ...header }, said.content, await world.ownSecret(2, 'SIGNATURE'));
      await receiveParcels(node, [delivery(inbox, await parcel(world, { payload }))]);
    }
    expect(sent).toEqual([]);
  });

  test('with a messaging key is the sender’s own, signed by it', async () => {
    const world = await settled();
    const keyOf = async (index: number, signer: number, coin = 'sol') => {
      const key = { identity: identityOf(index), coin, pubkey: OTHER_KEY, generation: 3 };
      return {
        signer,
        coin,
        pubkey: OTHER_KEY,
        generation: 3,
        signature: signProcessorKey(key, await world.ownSecret(index, 'SIGNATURE')),
      };
    };
    const passed = async (payload: object): Promise<number> => {
      const { node, sent } = coordinator(world);
      await receiveParcels(node, [delivery(inbox, await parcel(world, { type: 'ExternalPublicKeyIn', payload }))]);
      return sent.filter(({ queue }) => parseQueueName(queue)?.message === 'ExternalPublicKeyIn').length;
    };
    expect(await passed(await keyOf(2, 2))).toBe(1);
    expect(await passed(await keyOf(2, 3)), 'in another’s name').toBe(0);
    expect(await passed(await keyOf(2, 2, 'btc')), 'for another coin').toBe(0);
    expect(await passed({ ...(await keyOf(2, 2)), generation: 4 }), 'changed').toBe(0);
  });

  test('comes again if the own topic does not take it', async () => {
    const world = await settled();
    const { node } = coordinator(world, { bus: { send: async () => [0] } });
    const body = await parcel(world);
    expect(await receiveParcels(node, [delivery(inbox, body)])).toEqual({ failed: [body] });
  });

  test('of an unknown name is dropped', async () => {
    const world = await settled();
    const { node, sent } = coordinator(world);
    await receiveParcels(node, [delivery(inboxQueue(ME, 'nobody'), await parcel(world))]);
    expect(sent).toEqual([]);
    expect(parseBodyAs('P2PIncoming', '{}').ok).toBe(false);
  });
});
