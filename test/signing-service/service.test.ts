import { describe, expect, test } from 'vitest';
import type { Hex } from '../../lib/messages/hex.ts';
import { toHex } from '../../lib/messages/hex.ts';
import { signVote, type VoteCertificate, verifyVote } from '../../lib/messages/tokens.ts';
import { HALT } from '../../lib/node/rows.ts';
import { type Store, UnknownOutcome } from '../../lib/ports.ts';
import { certificateBytes, parseCertificateBytes, quorumOf } from '../../lib/signing-service/certificate.ts';
import { NetworkRefused, SigningNetwork } from '../../lib/signing-service/network.ts';
import type { TransactionMessage } from '../../lib/signing-service/scheme.ts';
import type { Refused, Voted } from '../../lib/signing-service/service.ts';
import { id32, idOf, type Plain, tag, transaction } from './plain.ts';
import { committeeOf, signatureSecret, TokenWorld } from './world.ts';

const spend = (plain: Plain = {}): TransactionMessage => transaction({ tags: [tag(1)], outputs: ['a', 'b'], ...plain });
const reason = (answer: object): string => ('refusal' in answer ? (answer as Refused).refusal.reason : 'accepted');
const stateOf = (world: TokenWorld, index: number, of: Hex): unknown =>
  world.items(index, 'Serials').find(({ pk }) => pk.endsWith(of))?.['state'];

async function voted(world: TokenWorld, index: number, message: TransactionMessage): Promise<Voted> {
  const answer = await world.service(index).process(message);
  if (!('vote' in answer)) throw new Error(`service ${index} refused: ${answer.refusal.reason}`);
  return answer;
}

async function refusalOf(run: Promise<unknown>): Promise<NetworkRefused> {
  try {
    await run;
  } catch (error) {
    if (error instanceof NetworkRefused) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

describe('a transaction, 5 of 7', () => {
  test('locks its serials at every service, is certified by t votes, and pays t partial signatures for each output', async () => {
    const world = await TokenWorld.create();
    const message = spend();
    const issued = await world.network.process(message);
    expect(issued.map(({ index }) => index)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    for (const { signatures } of issued) expect(signatures).toHaveLength(2);
    for (const { index } of world.services) expect(stateOf(world, index, tag(1))).toBe(`spent#${idOf(message)}`);
    expect(world.reported('TokensSigned').map(({ fields }) => fields)).toContainEqual({ index: 1, count: 2 });
  });

  test('ECASH-05, ECASH-07: the same request has the same bytes for an answer, for ever', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const message = spend();
    const first = await Promise.all(world.services.map((service) => service.process(message)));
    const issued = await world.network.process(message);
    world.cloud.advance(40 * 86_400 * 365);
    world.reports.length = 0;
    expect(await Promise.all(world.services.map((service) => service.process(message)))).toEqual(first);
    expect(await world.network.process(message)).toEqual(issued);
    expect(world.reported('TokensSigned')).toEqual([]);
    expect(world.scheme(1).signed).toBe(1);
  });

  test('says how many tokens were signed, and never a serial', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    await world.network.process(spend());
    await world.service(1).process(spend({ outputs: ['c'] }));
    const said = JSON.stringify(world.reports);
    expect(said).not.toContain(tag(1).slice(2, 40));
    expect(world.reported('SerialConflict')).toHaveLength(1);
  });
});

describe('refusals change nothing', () => {
  const cases: readonly [string, Plain, string, number][] = [
    ['a shape that is none', { shape: 'BadShape' }, 'BadShape', 0],
    ['more than the limits', { shape: 'TooMany' }, 'TooMany', 0],
    ['another asset', { asset: 'eur' }, 'BadShape', 0],
    ['nothing consumed (attack ECASH-16)', { tags: [] }, 'BadShape', 0],
    ['one tag twice (attack ECASH-16)', { tags: [tag(1), tag(1)] }, 'BadShape', 0],
    [
      'a withdrawal of nothing, of which every client would be told, for nothing and as often as somebody likes',
      { withdraw: { amount: '0', recipient: 'anybody', memo: '' } },
      'BadShape',
      0,
    ],
    ['another epoch (attack ECASH-15)', { epoch: 2 }, 'WrongEpoch', 0],
    ['a deposit nobody signed', { deposits: [{ depositId: id32('d'), value: 5, signed: false }] }, 'BadDeposit', 0],
    ['a deposit above the cap', { deposits: [{ depositId: id32('d'), value: 1_001 }] }, 'DepositCap', 0],
    ['a proof that does not hold', { proof: 'BadProof' }, 'BadProof', 1],
    ['sums that differ', { proof: 'Unbalanced' }, 'Unbalanced', 1],
    ['a value out of range', { proof: 'OutOfRange' }, 'OutOfRange', 1],
  ];

  test.each(cases)('%s', async (_, plain, expected, proofs) => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    expect(reason(await world.service(1).process(spend(plain)))).toBe(expected);
    expect(world.items(1, 'Serials')).toEqual([]);
    expect(world.items(1, 'Issuance')).toEqual([]);
    expect(world.scheme(1).proved, 'what is refused cheaply costs no proof').toBe(proofs);
    // A refused transaction leaves the serial to the honest one.
    expect(reason(await world.service(1).process(spend()))).toBe('accepted');
  });

  test('Halted: neither votes nor signs, and does both once released', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const certificate = await world.network.certify(spend());
    await world.store(1).write({ kind: 'put', table: 'Keys', item: { ...HALT, since: 1 } });
    expect(reason(await world.service(1).process(spend({ tags: [tag(2)] })))).toBe('Halted');
    expect(reason(await world.service(1).process(certificate))).toBe('Halted');
    expect(stateOf(world, 1, tag(2))).toBeUndefined();
    expect(stateOf(world, 1, tag(1))).toMatch(/^locked#/);
    await world.store(1).write({ kind: 'delete', table: 'Keys', key: HALT });
    expect(reason(await world.service(1).process(certificate))).toBe('accepted');
  });

  test('Halted while it was being signed: the switch is asked in the transaction that releases', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const certificate = await world.network.certify(spend());
    const slow = world.made(1, {
      share: async () => {
        await world.store(1).write({ kind: 'put', table: 'Keys', item: { ...HALT, since: 1 } });
        return new (await import('../../lib/vault/secret.ts')).Secret(new Uint8Array(32));
      },
    });
    expect(reason(await slow.process(certificate))).toBe('Halted');
    expect(stateOf(world, 1, tag(1))).toMatch(/^locked#/);
  });

  test('Locked returns the transaction that holds the lock, and anyone may finish it', async () => {
    const world = await TokenWorld.create();
    const first = spend();
    const second = spend({ outputs: ['mine'] });
    for (const index of [1, 2, 3]) await voted(world, index, first);
    for (const index of [4, 5, 6, 7]) await voted(world, index, second);
    const refused = await refusalOf(world.network.process(second));
    expect(refused.phase).toBe('transaction');
    expect(refused.locking).toEqual([first.proof]);
    // Neither can collect five votes any more: its serial is burnt, by whoever sent both, and nobody else's.
    expect(await refusalOf(world.network.process(first))).toMatchObject({ phase: 'transaction' });

    const honest = spend({ tags: [tag(2)] });
    for (const index of [1, 2, 3, 4, 5]) await voted(world, index, honest);
    const blocked = await refusalOf(world.network.process(spend({ tags: [tag(2)], outputs: ['thief'] })));
    const [found] = blocked.locking;
    expect(await world.network.process({ ...honest, proof: found as Hex })).toHaveLength(5);
  });

  test('Spent: nothing else is voted for, and the answer names no transaction', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    await world.network.process(spend());
    const answer = await world.service(2).process(spend({ outputs: ['again'] }));
    expect(answer).toEqual({ index: 2, transaction: expect.any(String), refusal: { reason: 'Spent' } });
    expect(world.scheme(2).proved, 'a spent serial is refused before its proofs').toBe(1);
  });

  test('one spent input keeps all others free: a transaction locks all or nothing', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    await world.network.process(spend());
    const mixed = spend({ tags: [tag(2), tag(1)], deposits: [{ depositId: id32('d'), value: 5 }] });
    expect(reason(await world.service(1).process(mixed))).toBe('Spent');
    expect(stateOf(world, 1, tag(2))).toBeUndefined();
    expect(stateOf(world, 1, id32('d'))).toBeUndefined();
    expect(reason(await world.service(1).process(spend({ tags: [tag(2)] })))).toBe('accepted');
  });
});

describe('certificates', () => {
  async function certified(world: TokenWorld, message: TransactionMessage) {
    const votes = await Promise.all([1, 2, 3].map((index) => voted(world, index, message)));
    const [first] = votes;
    if (!first) throw new Error('no vote');
    return { vote: first.vote, signatures: votes.map(({ index, signature }) => ({ index, signature })) };
  }

  test('need t distinct valid votes of members, over this very vote', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const certificate = await certified(world, spend());
    const [one, two, three] = certificate.signatures;
    if (!one || !two || !three) throw new Error('expected three');
    const { context } = world.service(1).quorum;
    const elsewhere = signVote({ ...context, epoch: 9 }, certificate.vote, signatureSecret(3));
    const bad = [
      [one, two],
      [one, two, two],
      [one, two, { ...three, signature: two.signature }],
      [one, two, { ...three, index: 9 }],
      [one, two, { index: 3, signature: elsewhere }],
      [one, two, three, { index: 4, signature: one.signature }],
    ];
    for (const signatures of bad)
      expect(reason(await world.service(4).process({ ...certificate, signatures, transaction: spend().proof }))).toBe(
        'BadProof',
      );
    expect(
      reason(await world.service(4).process({ ...certificate, vote: { ...certificate.vote, tags: [tag(9)] } })),
    ).toBe('BadProof');
    expect(world.items(4, 'Serials')).toEqual([]);
    expect(world.items(4, 'Issuance')).toEqual([]);
  });

  test('a service that lacks the transaction takes it from the certificate, and no other one', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const message = spend();
    const certificate = await certified(world, message);
    expect(reason(await world.service(4).process(certificate))).toBe('BadShape');
    expect(
      reason(await world.service(4).process({ ...certificate, transaction: spend({ outputs: ['mine'] }).proof })),
    ).toBe('BadShape');
    expect(world.items(4, 'Serials')).toEqual([]);
    const issued = await world.service(4).process({ ...certificate, transaction: message.proof });
    expect(reason(issued)).toBe('accepted');
    expect(await world.service(4).process(certificate)).toEqual(issued);
    // It votes for it as well, if asked: the certificate has said more than its vote does.
    const vote = await voted(world, 4, message);
    expect(vote.vote).toEqual(certificate.vote);
  });

  test('locked(T1) becomes spent(T2) by T2’s certificate, and T1 finds it spent elsewhere', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const rival = spend({ outputs: ['rival'] });
    await voted(world, 4, rival);
    const winner = spend();
    const certificate = await certified(world, winner);
    const issued = await world.service(4).process({ ...certificate, transaction: winner.proof });
    expect(reason(issued)).toBe('accepted');
    expect(stateOf(world, 4, tag(1))).toBe(`spent#${idOf(winner)}`);
    for (const index of [1, 2, 3]) await world.service(index).process(certificate);
    expect(await refusalOf(world.network.process(rival))).toMatchObject({ phase: 'transaction' });
  });

  test('two certificates for one tag raise the alarm, are kept as proof, and stop the service', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const first = spend();
    await world.network.process(first);
    const second = spend({ outputs: ['second'] });
    const { context } = world.service(1).quorum;
    const vote = { ...(await voted(world, 1, first)).vote, transaction: idOf(second) };
    const signatures = [1, 2, 3].map((index) => ({
      index,
      signature: signVote(context, vote, signatureSecret(index)),
    }));
    expect(reason(await world.service(1).process({ vote, signatures, transaction: second.proof }))).toBe('Halted');
    expect(world.reported('QuorumBroken')).toHaveLength(1);
    expect(world.items(1, 'Issuance').filter(({ sk }) => sk.startsWith('BROKEN#'))).toHaveLength(1);
    expect(stateOf(world, 1, tag(1))).toBe(`spent#${idOf(first)}`);
    expect(reason(await world.service(1).process(spend({ tags: [tag(7)] })))).toBe('Halted');
    // No switch of the operator's makes it speak again.
    await world.store(1).write({ kind: 'delete', table: 'Keys', key: HALT });
    expect(reason(await world.made(1).process(spend({ tags: [tag(8)] })))).toBe('Halted');
    expect(reason(await world.service(2).process(spend({ tags: [tag(7)] }))), 'the others judge for themselves').toBe(
      'accepted',
    );
  });

  test('a vote is good for its own asset, epoch and committee only', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const { vote, signature } = await voted(world, 1, spend());
    const { context, keys } = world.service(1).quorum;
    const key = keys.get(1) ?? '0x';
    expect(verifyVote(context, vote, signature, key)).toBe(true);
    for (const other of [{ epoch: 4 }, { asset: 'eur' }, { committee: id32('other') }])
      expect(verifyVote({ ...context, ...other }, vote, signature, key)).toBe(false);
  });
});

/** Of transactions that these services voted for: whoever holds their keys makes any vote. */
function signedBy(world: TokenWorld, vote: Voted['vote'], voters: readonly number[]): VoteCertificate {
  const { context } = world.service(1).quorum;
  const signatures = voters.map((index) => ({ index, signature: signVote(context, vote, signatureSecret(index)) }));
  return { vote, signatures };
}

describe('what a certificate changes', () => {
  test('is nothing if a peer’s has too few votes', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const { vote } = await voted(world, 2, spend());
    expect(await world.service(1).learn(signedBy(world, vote, [2, 3]))).toBe(false);
    expect(stateOf(world, 1, tag(1))).toBeUndefined();
    expect(await world.service(1).learn(signedBy(world, vote, [2, 3, 4]))).toBe(true);
    expect(stateOf(world, 1, tag(1))).toBe(`spent#${idOf(spend())}`);
  });

  test('is nothing if t voted for other tags than the transaction’s', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const { vote } = await voted(world, 1, spend());
    const lie = { ...vote, tags: [tag(7)] };
    expect(reason(await world.service(1).process(signedBy(world, lie, [1, 2, 3])))).toBe('BadShape');
    expect(stateOf(world, 1, tag(7))).toBeUndefined();
    expect(world.scheme(1).signed).toBe(0);
  });

  test('is written over the state that was read, and over no other: a second certificate that comes in between is seen', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const [mine, other] = [spend(), spend({ outputs: ['another’s'] })];
    const { vote } = await voted(world, 1, mine);
    let between = true;
    const stop = world.cloud.intercept(async ({ namespace, when, operation }) => {
      if (!between || namespace !== world.namespace(1) || when !== 'before' || operation !== 'transact') return;
      between = false;
      const row = world.items(1, 'Serials').find(({ pk }) => pk.endsWith(tag(1)));
      if (!row) throw new Error('no lock');
      const item = { ...row, state: `spent#${idOf(other)}` };
      await world.store(1).write({ kind: 'put', table: 'Serials', item });
    });
    expect(reason(await world.service(1).process(signedBy(world, vote, [1, 2, 3])))).toBe('Halted');
    stop();
    expect(stateOf(world, 1, tag(1))).toBe(`spent#${idOf(other)}`);
    expect(world.reported('QuorumBroken')).toHaveLength(1);
  });

  test('is no vote: what was voted for is said again in the same bytes when another transaction has spent it', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const first = await voted(world, 1, spend());
    const { vote } = await voted(world, 2, spend({ outputs: ['another’s'] }));
    await world.service(1).learn(signedBy(world, vote, [2, 3, 4]));
    expect(await world.service(1).process(spend())).toEqual(first);
  });

  test('is in one encoding: nothing may follow it', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const { vote } = await voted(world, 1, spend());
    const bytes = certificateBytes(signedBy(world, vote, [1, 2, 3]));
    expect(parseCertificateBytes(bytes)).toEqual(signedBy(world, vote, [1, 2, 3]));
    expect(parseCertificateBytes(new Uint8Array([...bytes, 0]))).toBeUndefined();
    expect(parseCertificateBytes(bytes.subarray(0, -1))).toBeUndefined();
  });
});

describe('deposits', () => {
  test('ECASH-16: one counts once in a transaction', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const deposit = { depositId: id32('twice'), value: 10 };
    const message = transaction({ deposits: [deposit, deposit], outputs: ['a'] });
    expect(reason(await world.service(1).process(message))).toBe('BadShape');
  });

  const paid = (name: string, value: number, outputs = [name]): TransactionMessage =>
    transaction({ deposits: [{ depositId: id32(name), value }], outputs });

  test('ECASH-05: a deposit pays once, whatever its second use asks for', async () => {
    const world = await TokenWorld.create();
    await world.network.process(paid('d', 100));
    const again = await refusalOf(world.network.process(paid('d', 100, ['other'])));
    expect(new Set(again.refusals.map(({ refusal }) => refusal.reason))).toEqual(new Set(['Spent']));
    const [a, b] = await Promise.allSettled([
      world.network.process(paid('e', 100, ['x'])),
      world.network.process(paid('e', 100, ['y'])),
    ]);
    expect([a, b].filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
  });

  test('an epoch has a cap, to the last unit, and the same deposit counts once', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const service = world.service(1);
    expect(reason(await service.process(paid('a', 600)))).toBe('accepted');
    expect(reason(await service.process(paid('a', 600)))).toBe('accepted');
    expect(reason(await service.process(paid('b', 401)))).toBe('DepositCap');
    expect(stateOf(world, 1, id32('b'))).toBeUndefined();
    expect(reason(await service.process(paid('c', 400)))).toBe('accepted');
    expect(reason(await service.process(paid('e', 1)))).toBe('DepositCap');
    expect(world.items(1, 'Serials').find(({ pk }) => pk.startsWith('CAP#'))?.['total']).toBe('1000');
  });

  test('the cap holds for deposits that come at once', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => world.made(1).process(paid(`d${i}`, 100))));
    expect(answers.filter((answer) => 'vote' in answer)).toHaveLength(10);
    expect(world.items(1, 'Serials').find(({ pk }) => pk.startsWith('CAP#'))?.['total']).toBe('1000');
  });

  test('one that is delivered twice at once has one answer: its own first delivery does not use up the cap before it', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const store = world.store(1);
    const beside: Promise<unknown>[] = [];
    let first: Voted | Refused | undefined;
    const between = new Proxy(store, {
      get(of, name) {
        if (name === 'batchGet')
          return (...args: Parameters<Store['batchGet']>) => {
            const read = of.batchGet(...args);
            beside.push(read);
            return read;
          };
        if (name === 'get')
          return async (...args: Parameters<Store['get']>) => {
            if (args[1].pk.startsWith('CAP#') && !first) {
              // Whatever is read at the same time as the sum is read before the first delivery is answered.
              await new Promise(setImmediate);
              await Promise.all(beside);
              first = await world.service(1).process(paid('a', 600));
            }
            return of.get(...args);
          };
        const value: unknown = Reflect.get(of, name);
        return typeof value === 'function' ? value.bind(of) : value;
      },
    });
    const second = await world.made(1, { store: between }).process(paid('a', 600));
    expect(first).toHaveProperty('vote');
    expect(second).toEqual(first);
  });

  test('several in one transaction are counted together', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const deposits = ['a', 'b'].map((name) => ({ depositId: id32(name), value: 501 }));
    expect(reason(await world.service(1).process(transaction({ deposits, outputs: ['o'] })))).toBe('DepositCap');
  });
});

describe('withdrawals', () => {
  const out = spend({ outputs: [], withdraw: { amount: '7', recipient: 'bc1q', memo: 'm' } });

  test('each service tells its client once, under the transaction’s id, with a certificate', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    await world.network.process(out);
    await world.network.process(out);
    expect(world.withdrawals.map(({ index }) => index).sort()).toEqual([1, 2, 3, 4]);
    for (const { notice } of world.withdrawals) {
      expect(notice).toMatchObject({ transaction: idOf(out), amount: '7', recipient: 'bc1q', memo: 'm' });
      expect(notice.certificate.signatures).toHaveLength(3);
    }
  });

  test('a client that could not be told is told by the next request, with the same bytes', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const certificate = await world.network.certify(out);
    let refusals = 0;
    const deaf = world.made(1, {
      withdrawn: async () => {
        refusals++;
        throw new Error('the queue did not take it');
      },
    });
    await expect(deaf.process(certificate)).rejects.toThrow('did not take');
    expect(refusals).toBe(1);
    const all = [1, 2, 3, 4].map((index) => ({
      index,
      signature: signVote(world.service(1).quorum.context, certificate.vote, signatureSecret(index)),
    }));
    await world.service(1).process({ ...certificate, signatures: all });
    expect(world.withdrawals).toEqual([{ index: 1, notice: expect.objectContaining({ certificate }) }]);
  });

  test('another withdrawal is another vote', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const a = await voted(world, 1, out);
    const b = await voted(world, 2, spend({ outputs: [], withdraw: { amount: '7', recipient: 'bc1qm', memo: '' } }));
    expect(a.vote.withdraw).not.toBe(b.vote.withdraw);
  });
});

describe('one serial, many spenders', () => {
  test('ECASH-06: fifty at once at one service, interleaved at every call, have one winner', async () => {
    for (const seed of [1, 2, 3]) {
      const world = await TokenWorld.create({ n: 4, t: 3, f: 1, cloud: { seed: new Uint8Array(32).fill(seed) } });
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) => world.made(1).process(spend({ outputs: [`${i}`] }))),
      );
      expect(answers.filter((answer) => 'vote' in answer)).toHaveLength(1);
      expect(world.items(1, 'Serials')).toHaveLength(1);
    }
  });

  test('in one batch the first wins, and the same one twice has one answer', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const [a, b, c] = [spend(), spend({ outputs: ['b'] }), spend()];
    const answers = await world.service(1).processAll([a, b, c]);
    expect(answers.map(reason)).toEqual(['accepted', 'Locked', 'accepted']);
    expect(answers[2]).toEqual(answers[0]);
  });

  test('a batch keeps its order, whatever is refused in it', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const requests = [
      spend({ shape: 'BadShape' }),
      spend(),
      spend({ epoch: 1 }),
      spend({ tags: [tag(2)], proof: 'BadProof' }),
      spend({ tags: [tag(3)] }),
    ];
    const answers = await world.service(1).processAll(requests);
    expect(answers.map(reason)).toEqual(['BadShape', 'accepted', 'WrongEpoch', 'BadProof', 'accepted']);
  });
});

describe('ECASH-08: split requests', () => {
  const splits = [
    { n: 3, t: 2, f: 1 },
    { n: 3, t: 2, f: 0 },
    { n: 4, t: 3, f: 1 },
    { n: 5, t: 3, f: 0 },
    { n: 5, t: 3, f: 1 },
    { n: 7, t: 4, f: 1 },
    { n: 7, t: 5, f: 2 },
    { n: 7, t: 5, f: 3 },
  ];

  /** f services vote for anything; the client tells half of the honest ones something else. @returns how many transactions got a certificate */
  async function certificates({ n, t, f }: { n: number; t: number; f: number }): Promise<number> {
    const world = await TokenWorld.create({ n, t, f, simulation: { allowIntersectionsWithoutHonest: true } });
    const { context } = world.service(1).quorum;
    const rivals = [spend({ outputs: ['left'] }), spend({ outputs: ['right'] })];
    let certified = 0;
    for (const [side, message] of rivals.entries()) {
      const votes = new Map<number, Hex>();
      let vote: Voted['vote'] | undefined;
      for (let index = f + 1; index <= n; index++) {
        if ((index - f - 1) % 2 !== side) continue;
        const answer = await world.service(index).process(message);
        if (!('vote' in answer)) continue;
        vote = answer.vote;
        votes.set(index, answer.signature);
      }
      // What is left of the honest is asked as well: they refuse.
      for (let index = f + 1; index <= n; index++) {
        const answer = await world.service(index).process(message);
        if ('vote' in answer) votes.set(index, answer.signature);
      }
      if (vote)
        for (let index = 1; index <= f; index++) votes.set(index, signVote(context, vote, signatureSecret(index)));
      if (votes.size >= t) certified++;
    }
    return certified;
  }

  test.each(splits)(
    'n = $n, t = $t, f = $f: two certificates exactly where 2t ≤ n + f, and that is refused',
    async (of) => {
      const unsafe = 2 * of.t <= of.n + of.f;
      const worst = Math.max(await certificates(of), await greedy(of));
      expect(worst === 2).toBe(unsafe);
      const deploy = () => quorumOf(committeeOf(of.n, of.t, of.f), 'usd');
      if (unsafe) expect(deploy).toThrow('expected 2t > n + f');
      else expect(deploy().t).toBe(of.t);
    },
  );

  /** The first transaction takes just as many honest votes as it needs, and leaves the rest to the second. */
  async function greedy({ n, t, f }: { n: number; t: number; f: number }): Promise<number> {
    const world = await TokenWorld.create({ n, t, f, simulation: { allowIntersectionsWithoutHonest: true } });
    let certified = 0;
    let next = f + 1;
    for (const message of [spend({ outputs: ['left'] }), spend({ outputs: ['right'] })]) {
      let votes = f;
      for (; votes < t && next <= n; next++) if ('vote' in (await world.service(next).process(message))) votes++;
      if (votes >= t) certified++;
    }
    return certified;
  }

  test('a service of a committee without a safe quorum does not start', async () => {
    await expect(TokenWorld.create({ n: 3, t: 2, f: 1 })).rejects.toThrow('expected 2t > n + f');
    expect(() => quorumOf(committeeOf(4, 3, 1), 'constructor')).toThrow('expected an asset');
  });
});

describe('ECASH-10: nothing is forgotten', () => {
  test('no row of a serial or of an issuance ever expires: a year later the spent serial is still spent', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    await world.network.process(spend());
    await voted(world, 1, spend({ tags: [tag(2)] }));
    for (const table of ['Serials', 'Issuance'] as const)
      for (const item of world.items(1, table)) expect(item['ttl'], `${item.pk} ${item.sk}`).toBeUndefined();
    world.cloud.advance(400 * 86_400);
    expect(reason(await world.service(1).process(spend({ outputs: ['again'] })))).toBe('Spent');
    expect(reason(await world.service(1).process(spend({ tags: [tag(2)], outputs: ['again'] })))).toBe('Locked');
  });
});

describe('ECASH-17: an output that is there already', () => {
  test('in another transaction has the same partial signature: paid twice, it is one credential', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const first = await world.network.process(spend({ outputs: ['o'] }));
    const second = await world.network.process(spend({ tags: [tag(2)], outputs: ['o'] }));
    expect(second).toEqual(first);
  });
});

describe('a table of another life', () => {
  test.each(['Serials', 'Issuance'] as const)(
    'a restored %s makes the service read-only for ever in this epoch',
    async (table) => {
      const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
      const before = world.cloud.snapshotTable(world.namespace(1), table);
      const message = spend();
      const certificate = await world.network.certify(message);
      await world.network.finish(certificate);
      world.cloud.restoreTable(world.namespace(1), before);
      // The lock is forgotten; a second vote for its serial would be the double spend.
      expect(reason(await world.service(1).process(spend({ outputs: ['again'] })))).toBe('ReadOnly');
      expect(reason(await world.service(1).process(message))).toBe('ReadOnly');
      expect(world.items(1, 'Serials').some(({ pk }) => pk.startsWith('T#'))).toBe(table === 'Issuance');
      world.cloud.advance(86_400 * 30);
      expect(reason(await world.service(1).process(spend({ tags: [tag(5)] })))).toBe('ReadOnly');
      // It goes on serving certificates.
      expect(reason(await world.service(1).process({ ...certificate, transaction: message.proof }))).toBe('accepted');
      // … and learns again what its peers know to be spent.
      expect(await world.service(1).learn(certificate)).toBe(true);
      expect(stateOf(world, 1, tag(1))).toBe(`spent#${idOf(message)}`);
    },
  );

  test('a copied table is one, too', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    await voted(world, 1, spend());
    world.cloud.copyTable(world.namespace(1), 'Serials', world.namespace(1));
    expect(reason(await world.service(1).process(spend({ tags: [tag(2)] })))).toBe('ReadOnly');
  });
});

describe('answers that are lost', () => {
  test('a lock whose outcome is unknown is read back, applied or not', async () => {
    for (const applied of [true, false]) {
      const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
      let lost = 0;
      const stop = world.cloud.intercept(({ when, operation }) => {
        if (operation !== 'transact' || when !== (applied ? 'after' : 'before') || lost > 0) return;
        lost++;
        throw new UnknownOutcome('no answer');
      });
      const answer = await world.service(1).process(spend());
      stop();
      expect(lost).toBe(1);
      expect(reason(answer)).toBe('accepted');
      expect(world.items(1, 'Serials')).toHaveLength(1);
      expect(await world.service(1).process(spend())).toEqual(answer);
    }
  });

  test('a spend whose outcome is unknown is read back, applied or not', async () => {
    for (const applied of [true, false]) {
      const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
      const certificate = await world.network.certify(spend());
      let lost = 0;
      const stop = world.cloud.intercept(({ when, operation }) => {
        if (operation !== 'transact' || when !== (applied ? 'after' : 'before') || lost > 0) return;
        lost++;
        throw new UnknownOutcome('no answer');
      });
      const answer = await world.service(1).process(certificate);
      stop();
      expect(reason(answer)).toBe('accepted');
      expect(await world.service(1).process(certificate)).toEqual(answer);
    }
  });
});

describe('the network believes nobody', () => {
  test('a vote that is forged, of another index or for another content is no vote', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const lies = (index: number, lie: (answer: Voted) => Voted) => ({
      index,
      quorum: world.service(index).quorum,
      process: (async (message: never) => {
        const answer = await world.service(index).process(message);
        return 'vote' in answer ? lie(answer as Voted) : answer;
      }) as never,
    });
    const forged = lies(1, (answer) => ({ ...answer, signature: toHex(new Uint8Array(64)) }));
    const posing = lies(2, (answer) => ({ ...answer, index: 3 }));
    const network = new SigningNetwork([forged, posing, world.service(3), world.service(4)]);
    const refused = await refusalOf(network.process(spend()));
    expect([...refused.unresponsive].sort()).toEqual([1, 2]);
  });

  test('signatures of another transaction are none of this one', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const other = await world.network.process(spend({ tags: [tag(9)], outputs: ['x', 'y'] }));
    const certificate = await world.network.certify(spend());
    const services = world.services.map((service) => ({
      index: service.index,
      quorum: service.quorum,
      process: async () => ({
        transaction: idOf(spend({ tags: [tag(9)], outputs: ['x', 'y'] })),
        index: service.index,
        signatures: other[0]?.signatures ?? [],
      }),
    })) as unknown as ConstructorParameters<typeof SigningNetwork>[0];
    const refused = await refusalOf(new SigningNetwork(services).finish(certificate));
    expect([refused.phase, refused.unresponsive]).toEqual(['certificate', [1, 2, 3, 4]]);
  });

  test('services that fail are silent, and t others suffice', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const dead = { index: 1, quorum: world.service(1).quorum, process: async () => Promise.reject(new Error('gone')) };
    const network = new SigningNetwork([dead, ...world.services.slice(1)]);
    expect((await network.process(spend())).map(({ index }) => index)).toEqual([2, 3, 4]);
  });

  test('no service twice: one vote is one vote', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    expect(() => new SigningNetwork([world.service(1), world.service(1)])).toThrow('distinct');
  });
});
