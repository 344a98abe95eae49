/** What each function of a signing service does, held against what its role may do: a right too few would be found in production only. */
import { x25519 } from '@noble/curves/ed25519.js';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { ReceivedMessage } from '../../cdk/receivers.ts';
import { rightsOf, type TableAction } from '../../cdk/rights.ts';
import { GATEWAY, LocalCommittee } from '../../lib/local/committee.ts';
import type { PortCall } from '../../lib/local/gate.ts';
import { type Payload, parseBodyAs } from '../../lib/messages/catalogue.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import { parseQueueName, topicQueue } from '../../lib/messages/topics.ts';
import type { Table, Write } from '../../lib/ports.ts';
import { bytesOf } from '../messages/fixtures.ts';
import { answerersOf, Questions } from './answered.ts';
import { ASSET, id32, tag } from './plain.ts';

vi.mock('../../lib/signing-service/coconut-scheme.ts', async () => {
  const { PlainScheme } = await import('./plain.ts');
  return { coconutScheme: () => new PlainScheme() };
});

const SECRET = bytesOf('one-time key');
const reply = { replyTo: GATEWAY as string, replyKey: toHex(x25519.getPublicKey(SECRET)) };
const point = (length: number): Hex => `0x${'01'.repeat(length)}`;

const written = (write: Write): [Table, TableAction] => [
  write.table,
  ({ put: 'PutItem', delete: 'DeleteItem', check: 'ConditionCheckItem' } as const)[write.kind],
];

/** Rights that a port call needs. */
function needs(call: PortCall): {
  readonly tables: [Table, TableAction][];
  readonly keys: string[];
  readonly sends: string[];
} {
  const none = { tables: [], keys: [], sends: [] };
  switch (call.operation) {
    case 'get':
      return { ...none, tables: [[call.args[0], 'GetItem']] };
    case 'batchGet':
      return { ...none, tables: [[call.args[0], 'BatchGetItem']] };
    case 'query':
      return { ...none, tables: [[call.args[0], 'Query']] };
    case 'write':
      return { ...none, tables: [written(call.args[0])] };
    case 'transact':
      return { ...none, tables: call.args[0].map(written) };
    case 'addToSet':
      return { ...none, tables: [[call.args[0], 'UpdateItem']] };
    case 'tableId':
      return { ...none, tables: [[call.args[0], 'DescribeTable']] };
    case 'generateDataKey':
      return { ...none, keys: [`GenerateDataKey ${call.args[1]['kind']}`] };
    case 'decrypt':
      return { ...none, keys: [`Decrypt ${call.args[2]['kind']}`] };
    case 'send':
      return { ...none, sends: call.args[0].map(({ queue }) => queue) };
    case 'due':
      return none;
  }
}

let committee: LocalCommittee;
const bodies: string[] = [];
const questions = new Questions();

beforeAll(async () => {
  committee = new LocalCommittee({
    operators: 3,
    threshold: 2,
    coins: [],
    assets: {
      [ASSET]: {
        t: 2,
        f: 0,
        epoch: 3,
        depositors: {
          keys: ['0xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'],
          required: 1,
          capPerEpoch: '9',
        },
      },
    },
    cloud: { seed: new Uint8Array(32).fill(9), clock: 'virtual' },
  });
  committee.onAnswer((body) => bodies.push(body));
  await committee.assemble();
  await committee.cloud.run();
});

const message = (serial: number, withdraw = false): object => {
  const plain = {
    tags: [tag(serial)],
    outputs: ['a'],
    ...(withdraw ? { withdraw: { amount: '1', recipient: 'x', memo: '' } } : {}),
  };
  return {
    version: 1,
    asset: ASSET,
    epoch: 3,
    inputs: [{ h: point(48), s: point(48), kappa: point(96), tag: tag(serial), value: point(48) }],
    outputs: [{ commitment: point(48), openings: [point(48), point(48)], value: point(48), ownerProof: point(160) }],
    deposits: [],
    ...(plain.withdraw ? { withdraw: plain.withdraw } : {}),
    proof: toHex(Buffer.from(JSON.stringify(plain))),
    range: point(32),
    ...reply,
  };
};

/** Posts to operator 1 and takes down what its service did. */
async function taken(
  name: 'Transaction' | 'TransactionCertificate' | 'RecoverIssued' | 'Wake',
  payload: object,
  others: readonly number[] = [],
) {
  const calls: PortCall[] = [];
  const stop = committee.cloud.intercept((call) => {
    if (call.when === 'before' && call.namespace === `operator1/${ASSET}`) calls.push(call);
  });
  await committee.post(ASSET, name, questions.ask(JSON.stringify({ [name]: payload })), [1, ...others]);
  await committee.cloud.run();
  stop();
  return calls;
}

function within(name: ReceivedMessage, calls: readonly PortCall[]): void {
  const rights = rightsOf('signing-service', name);
  expect(calls.length, name).toBeGreaterThan(0);
  for (const call of calls) {
    const { tables, keys, sends } = needs(call);
    for (const [table, action] of tables) expect(rights.tables[table] ?? [], `${name} ${table}`).toContain(action);
    for (const key of keys)
      expect(
        rights.keys.map(({ action, kind }) => `${action} ${kind}`),
        name,
      ).toContain(key);
    for (const queue of sends) {
      const to = queue === GATEWAY ? 'gateways' : (parseQueueName(queue)?.message ?? '');
      expect(rights.sends, `${name} to ${queue}`).toContain(to === 'MultisigEvent' ? 'outcome' : to);
    }
  }
}

async function votes() {
  const opened = await Promise.all(
    bodies.splice(0).map(async (body) => {
      const parsed = parseBodyAs('TransactionVote', body);
      // An answer to something else.
      if (!parsed.ok) return undefined;
      const sealed = parsed.payload as Payload<'TransactionVote'>;
      return questions.open(answerersOf(committee.committee, ASSET), 'TransactionVote', sealed, SECRET);
    }),
  );
  return opened.flatMap((each) => (each && 'vote' in each ? [each] : []));
}

describe('a signing service needs no right that its function does not have', () => {
  test('to vote, to refuse, to spend, to tell of a withdrawal, to recover', async () => {
    within('Transaction', await taken('Transaction', message(1, true), [2, 3]));
    const cast = await votes();
    expect(cast).toHaveLength(3);
    const signatures = cast.map(({ index, signature }) => ({ index, signature })).sort((a, b) => a.index - b.index);
    within('Transaction', await taken('Transaction', message(1)));
    const certificate = { vote: cast[0]?.vote, signatures, ...reply };
    within('TransactionCertificate', await taken('TransactionCertificate', certificate));
    within('TransactionCertificate', await taken('TransactionCertificate', certificate));
    within('RecoverIssued', await taken('RecoverIssued', { tags: [tag(1)], ...reply }));
    within('RecoverIssued', await taken('RecoverIssued', { outputs: [id32('output a')], ...reply }));
  });

  test('to tell its peers what is spent, to hear it from them, to ask, and to answer', async () => {
    committee.cloud.advance(3_600);
    within('Wake', await taken('Wake', {}));

    const direct = async (name: 'SpentSerialsIn' | 'SpentSerialsRequestIn', run: () => Promise<unknown>) => {
      const calls: PortCall[] = [];
      const stop = committee.cloud.intercept((call) => {
        if (call.when === 'before' && call.namespace === `operator2/${ASSET}`) calls.push(call);
      });
      await run();
      await committee.cloud.run();
      stop();
      within(name, calls);
    };
    // Operator 1's push is heard by operator 2: sent again, it is heard again.
    let heard = '';
    committee.cloud.inspect.onSend(({ queue, body }) => {
      if (queue === topicQueue('operator2', ASSET, 'SpentSerialsIn')) heard = body;
    });
    await taken('Transaction', message(2), [2, 3]);
    const cast = await votes();
    const signatures = cast.map(({ index, signature }) => ({ index, signature })).sort((a, b) => a.index - b.index);
    await taken('TransactionCertificate', { vote: cast[0]?.vote, signatures, ...reply });
    committee.cloud.advance(3_600);
    await taken('Wake', {});
    expect(heard).not.toBe('');
    const bus = committee.cloud.bus();
    await direct('SpentSerialsIn', () =>
      bus.send([{ queue: topicQueue('operator2', ASSET, 'SpentSerialsIn'), body: heard }]),
    );
    // Operator 1 loses its locks and asks: operator 2 answers.
    const table = committee.cloud.snapshotTable(`operator1/${ASSET}`, 'Serials');
    committee.cloud.restoreTable(`operator1/${ASSET}`, { ...table, items: [] });
    let asked = '';
    committee.cloud.inspect.onSend(({ queue, body }) => {
      if (queue === topicQueue('operator2', ASSET, 'SpentSerialsRequestIn')) asked = body;
    });
    await committee.post(ASSET, 'Wake', JSON.stringify({ Wake: {} }), [1]);
    await committee.cloud.run();
    expect(asked).not.toBe('');
    await direct('SpentSerialsRequestIn', () =>
      bus.send([{ queue: topicQueue('operator2', ASSET, 'SpentSerialsRequestIn'), body: asked }]),
    );
  });

  test('to hear how far a peer’s answer goes, and to ask it for more', async () => {
    const table = committee.cloud.snapshotTable(`operator1/${ASSET}`, 'Serials');
    committee.cloud.restoreTable(`operator1/${ASSET}`, { ...table, items: [] });
    const answers: string[] = [];
    committee.cloud.inspect.onSend(({ queue, body }) => {
      if (queue === topicQueue('operator1', ASSET, 'SpentSerialsIn')) answers.push(body);
    });
    await committee.post(ASSET, 'Wake', JSON.stringify({ Wake: {} }), [1]);
    await committee.cloud.run();
    expect(answers.length).toBeGreaterThan(0);
    // The positions are of these tables: in a third life the same answers are heard as if for the first time.
    committee.cloud.restoreTable(`operator1/${ASSET}`, { ...table, items: [] });
    const calls: PortCall[] = [];
    const stop = committee.cloud.intercept((call) => {
      if (call.when === 'before' && call.namespace === `operator1/${ASSET}`) calls.push(call);
    });
    const heard = [...answers];
    await committee.cloud
      .bus()
      .send(heard.map((body) => ({ queue: topicQueue('operator1', ASSET, 'SpentSerialsIn'), body })));
    await committee.cloud.run();
    stop();
    expect(calls.some(({ operation }) => operation === 'tableId')).toBe(true);
    within('SpentSerialsIn', calls);
  });
});
