/** What each function of a coordinator, a processor and a signing service does, held against what its role may do: a right too few would be found in production only. */
import { describe, expect, test } from 'vitest';
import type { DeployedRole, ReceivedMessage } from '../../cdk/receivers.ts';
import { rightsOf } from '../../cdk/rights.ts';
import { identityOf, LocalCommittee, type RoleName } from '../../lib/local/committee.ts';
import { bodyOf, type Payload } from '../../lib/messages/catalogue.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { COCONUT_SUITE } from '../../lib/messages/parameters.ts';
import { parseQueueName, topicQueue } from '../../lib/messages/topics.ts';
import type { NodeFunction } from '../../lib/node/function.ts';
import type { Ports, Write } from '../../lib/ports.ts';

const ASSET = 'usd';
const COIN = 'sol';
const DEPOSITOR = '0xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';

/** Rights that were needed, by role and message. */
const needed = new Map<string, Set<string>>();

const written = (write: Write): string =>
  `${write.table} ${{ put: 'PutItem', delete: 'DeleteItem', check: 'ConditionCheckItem' }[write.kind]}`;

const destination = (queue: string): string => {
  const { peer, message } = parseQueueName(queue) ?? {};
  return peer === undefined ? (message === 'MultisigEvent' ? 'outcome' : (message ?? queue)) : 'peers';
};

function noting({ store, wrapper, bus, ...rest }: Ports, note: (right: string) => void): Ports {
  const noted = <Call>(right: string, call: Call): Call => {
    note(right);
    return call;
  };
  return {
    ...rest,
    store: {
      get: (table, key) => noted(`${table} GetItem`, store.get(table, key)),
      batchGet: (table, keys) =>
        keys.length > 0 ? noted(`${table} BatchGetItem`, store.batchGet(table, keys)) : store.batchGet(table, keys),
      query: (table, pk, prefix, page) => noted(`${table} Query`, store.query(table, pk, prefix, page)),
      write: (write) => noted(written(write), store.write(write)),
      transact: (writes, token) => {
        for (const write of writes) note(written(write));
        return store.transact(writes, token);
      },
      addToSet: (table, key, members, set) => noted(`${table} UpdateItem`, store.addToSet(table, key, members, set)),
      due: (now, limit) => noted('open index', store.due(now, limit)),
      tableId: (table) => noted(`${table} DescribeTable`, store.tableId(table)),
    },
    wrapper: {
      generateDataKey: (lifecycle, context) =>
        noted(`${lifecycle} GenerateDataKey ${context['kind']}`, wrapper.generateDataKey(lifecycle, context)),
      decrypt: (lifecycle, wrapped, context) =>
        noted(`${lifecycle} Decrypt ${context['kind']}`, wrapper.decrypt(lifecycle, wrapped, context)),
    },
    bus: {
      send: (messages) => {
        for (const { queue } of messages) note(`to ${destination(queue)}`);
        return bus.send(messages);
      },
    },
  };
}

function watchedFunction(handler: NodeFunction, { name }: RoleName): NodeFunction {
  const role: DeployedRole = name === 'coordinator' ? name : name === ASSET ? 'signing-service' : 'processor';
  const rights = needed.get(`${role} ${handler.message}`) ?? new Set<string>();
  needed.set(`${role} ${handler.message}`, rights);
  const run: NodeFunction['run'] = (environment, batch) =>
    handler.run({ ...environment, ports: noting(environment.ports, (right) => rights.add(right)) }, batch);
  return { ...handler, run };
}

function allowed(role: DeployedRole, message: ReceivedMessage): ReadonlySet<string> {
  const { tables, keys, sends, openIndex } = rightsOf(role, message);
  return new Set([
    ...Object.entries(tables).flatMap(([table, actions]) => actions.map((action) => `${table} ${action}`)),
    ...keys.map(({ lifecycle, action, kind }) => `${lifecycle} ${action} ${kind}`),
    ...sends.map((to) => `to ${to}`),
    ...(openIndex ? ['open index'] : []),
  ]);
}

async function committeeWatched(): Promise<LocalCommittee> {
  const committee = new LocalCommittee({
    operators: 3,
    threshold: 2,
    coins: [COIN],
    assets: { [ASSET]: { t: 2, f: 0, epoch: 1, depositors: { keys: [DEPOSITOR], required: 1, capPerEpoch: '9' } } },
    genesis: false,
    cloud: { seed: new Uint8Array(32).fill(5), clock: 'virtual' },
    instruments: { run: watchedFunction },
  });
  await committee.agree();
  return committee;
}

/** In this order, each after all that the one before it caused. */
async function tell(
  committee: LocalCommittee,
  message: 'CommitteeAccepted' | 'Wake',
  operator: number,
  ...roles: string[]
) {
  const { cloud } = committee;
  const body = message === 'Wake' ? bodyOf(message, {}) : bodyOf(message, { committee: committee.committee.file });
  for (const role of roles) {
    await cloud.bus().send([{ queue: topicQueue(identityOf(operator), role, message), body }]);
    await cloud.run();
  }
}

function withinRights(): void {
  for (const [name, rights] of needed) {
    const [role, message] = name.split(' ') as [DeployedRole, ReceivedMessage];
    const listed = allowed(role, message);
    expect(
      [...rights].filter((right) => !listed.has(right)),
      name,
    ).toEqual([]);
  }
}

describe('no function of any role needs a right that is not listed for it', () => {
  test('to accept a committee whose messages came before it', async () => {
    const committee = await committeeWatched();
    await tell(committee, 'CommitteeAccepted', 3, 'coordinator', COIN, ASSET);
    // Its coordinator first: a peer's key comes to processors that do not know the peer.
    await tell(committee, 'CommitteeAccepted', 2, 'coordinator');
    await tell(committee, 'Wake', 3, 'coordinator');
    await tell(committee, 'CommitteeAccepted', 2, COIN, ASSET);
    // Its coordinator last: its own processors are ready before it knows of what.
    await tell(committee, 'CommitteeAccepted', 1, COIN, ASSET, 'coordinator');
    withinRights();
    for (const role of ['coordinator', 'processor', 'signing-service'])
      expect([...(needed.get(`${role} CommitteeAccepted`) ?? [])], role).toContain('Directory DeleteItem');
  });

  test('to make a key and an asset key, to sign, to halt, to release, to wake and to give up', async () => {
    const committee = await committeeWatched();
    const { cloud } = committee;
    await committee.accept();
    await cloud.run();
    const keys = new Map<string, Hex>();
    committee.onAddress(({ coin, keyId }) => keys.set(coin, keyId));
    const expiresAt = () => committee.now() + 600;
    const id = (of: string): Hex => `0x${Buffer.from(of.padEnd(16)).toString('hex')}`;
    const suites = { [COIN]: 'FROST-ED25519-SHA512-v1', [ASSET]: COCONUT_SUITE } as const;
    const keygen = (coin: typeof COIN | typeof ASSET, of: string) => ({
      KeyGen: { coin, suite: suites[coin], t: 2, signers: [1, 2, 3], requestId: id(of), expiresAt: expiresAt() },
    });
    for (const coin of [COIN, ASSET] as const) await committee.instruct(coin, keygen(coin, `key ${coin}`));
    await cloud.run();
    const keyId = keys.get(COIN);
    expect([...keys.keys()].sort()).toEqual([COIN, ASSET]);
    if (keyId === undefined) return;
    const sign = (of: string) => ({
      Sign: { keyId, messages: ['0x6869' as Hex], purpose: 'test', requestId: id(of), expiresAt: expiresAt() },
    });
    const control = async (payload: Payload<'Control'>) => {
      for (const coin of [COIN, ASSET]) await committee.post(coin, 'Control', bodyOf('Control', payload));
    };
    await committee.instruct(COIN, sign('first'), [1, 2]);
    await cloud.run();
    await control({ Halt: {} });
    await cloud.run();
    await committee.instruct(COIN, sign('held'));
    await cloud.run({ until: cloud.now + 30_000 });
    await control({ Release: {} });
    await cloud.run();
    // One is not asked, and gives up, or is told; the rules come while it waits.
    await committee.instruct(COIN, keygen(COIN, 'alone'), [1]);
    await cloud.run({ until: cloud.now + 60_000 });
    for (const coin of [COIN, ASSET]) await committee.post(coin, 'Wake', bodyOf('Wake', {}));
    await control({ CleanUp: {} });
    await cloud.run({ until: cloud.now + 60_000 });
    const [open] = cloud.inspect
      .items(`${identityOf(1)}/${COIN}`, 'Ceremonies')
      .filter(({ sk, stage }) => sk === 'STATE' && stage !== 'Succeeded');
    await control({ Abandon: { ceremony: (open?.pk.slice('C#'.length) ?? id('')) as Hex } });
    await cloud.run();
    withinRights();
    expect([...(needed.get('processor Control') ?? [])]).toContain('Keys DeleteItem');
    expect([...(needed.get('processor SigningPackageIn') ?? [])]).toContain('keys Decrypt key');
  });
});
