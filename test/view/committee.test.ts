/** What the person on duty is told, from rows of whole runs. */
import { describe, expect, it } from 'vitest';
import { ceremonyId } from '../../lib/messages/parameters.ts';
import { viewCeremony } from '../../lib/view/ceremony.ts';
import { readCeremony } from '../../lib/view/ceremony-rows.ts';
import type { CeremonyView } from '../../lib/view/ceremony-view.ts';
import type { Reader } from '../../lib/view/reader.ts';
import { ledBy, NodeWorld } from '../node/world.ts';
import { ceremonySeenBy, committeeSeenBy, onlyCoin, readerOf } from './rows.ts';

const stateOf = (view: Awaited<ReturnType<typeof committeeSeenBy>>, index: number) =>
  onlyCoin(view).operators.find((each) => each.index === index)?.state;

describe('the distance to the threshold', () => {
  it('is n − t when all are well', async () => {
    const world = await new NodeWorld({ operators: 5, threshold: 3 }).assembled();
    const { health, operators } = onlyCoin(await committeeSeenBy(world, 1));
    expect(health).toMatchObject({ canSign: true, able: [1, 2, 3, 4, 5], mayFallSilent: 2 });
    expect(operators.map(({ state }) => state)).toEqual(['self', 'heard', 'heard', 'heard', 'heard']);
  });

  it('is negative, and the answer no, when fewer than t are left', async () => {
    const world = await new NodeWorld({ operators: 3, threshold: 3 }).assembled();
    world.committee.kill(3);
    const { instruction, ceremony } = ledBy(world, 1, { expiresAt: world.committee.now() + 60 });
    await world.instruct(instruction);
    await world.run(120);
    const committee = await committeeSeenBy(world, 1);
    expect(stateOf(committee, 3)).toBe('silent');
    expect(stateOf(committee, 2)).toBe('heard');
    expect(onlyCoin(committee).health).toMatchObject({ canSign: false, able: [1, 2], mayFallSilent: -1 });
    expect(onlyCoin(committee).health.sentence).toContain('1 more must come back');
    expect(committee.findings.map(({ level }) => level)).toContain('alarm');
    const view = await ceremonySeenBy(world, 1, ceremony);
    expect(view).toMatchObject({
      stage: 'Failed',
      outcome: { result: 'failed', reason: 'Timeout', sharesReleased: false },
      unresponsive: [{ index: 3, identity: 'operator3' }],
      culprits: [],
    });
    expect(view.todo).toContain('Ask operator 3 (operator3)');
    expect(view.rounds[0]).toMatchObject({ type: 'NonceCommitment', status: 'cut', missing: [{ index: 3 }] });
  });

  it('is that of the best key: who did not make it cannot take the place of who did', async () => {
    const world = new NodeWorld({ genesis: false });
    const { committee, coin } = world;
    await world.assembled();
    const { suite, t: needed } = committee.committee.keyOf(coin) ?? {};
    if (suite === undefined || needed === undefined) throw new Error('expected a coin');
    const requestId = `0x${'0d'.repeat(16)}` as const;
    const request = { coin, suite, t: needed, signers: [1, 2], requestId, expiresAt: committee.now() + 600 };
    await committee.instruct(coin, { KeyGen: request }, [1, 2]);
    await world.run();
    expect(world.keygen(1)?.stage).toBe('Succeeded');
    const all = onlyCoin(await committeeSeenBy(world, 1)).health;
    expect(all).toMatchObject({ canSign: true, able: [1, 2, 3], mayFallSilent: 0 });
    const { instruction, parameters, ceremony } = ledBy(world, 1);
    await world.instruct(instruction, [1]);
    await world.run(1);
    for (const last of ['66', 'e6']) {
      const pair = { hiding: `0x58${'66'.repeat(30)}${last}` as const, binding: `0x58${'66'.repeat(31)}` as const };
      const place = { ceremony, slot: '0', to: 1 };
      const content = { parameters, commitments: [pair] };
      await world.deliver(1, await world.sayContent(2, 'NonceCommitment', place, content));
      await world.run(1);
    }
    const view = await committeeSeenBy(world, 1);
    const { health } = onlyCoin(view);
    expect(health).toMatchObject({ canSign: false, able: [1, 3], mayFallSilent: -1 });
    expect(health.sentence).toContain('1 more of those who made a key must come back');
    expect(view.findings.some(({ level, what }) => level === 'alarm' && what === health.sentence)).toBe(true);
  });

  it('counts nobody as silent where this operator asked alone', async () => {
    const world = await new NodeWorld().assembled();
    const { instruction } = ledBy(world, 1, { expiresAt: world.committee.now() + 60 });
    await world.instruct(instruction, [1]);
    await world.run(120);
    const view = await committeeSeenBy(world, 1);
    expect(onlyCoin(view).recent[0]?.sentence).toContain('failed: Timeout');
    expect(onlyCoin(view).health).toMatchObject({ canSign: true, able: [1, 2, 3] });
  });

  it('counts who greets no more as silent, unless it speaks in ceremonies: then for as long as it does', async () => {
    let mute = false;
    const world = await new NodeWorld({
      instruments: {
        ports: (ports, { operator, name }) =>
          operator === 3 && name === 'coordinator'
            ? {
                ...ports,
                bus: {
                  send: (messages) =>
                    ports.bus.send(messages.filter(({ body }) => !(mute && body.includes('"ExternalPublicKeyIn"')))),
                },
              }
            : ports,
      },
    }).assembled();
    world.committee.runRules();
    mute = true;
    await world.run(2 * 3_600);
    const silent = await committeeSeenBy(world, 1);
    expect(onlyCoin(silent).operators[2]).toMatchObject({ state: 'silent', silentIn: 'greetings' });
    expect(onlyCoin(silent).health).toMatchObject({ able: [1, 2], mayFallSilent: 0 });
    expect(silent.findings.map(({ what }) => what).join()).toContain('did not answer any greeting for 75 minutes');
    await world.instruct(world.sign());
    await world.run(60);
    const spoke = onlyCoin(await committeeSeenBy(world, 1));
    expect(spoke.operators[2]).toMatchObject({ state: 'heard' });
    expect(spoke.operators[2]).not.toHaveProperty('silentIn');
    expect(spoke.health.able).toEqual([1, 2, 3]);
    await world.run(2 * 3_600);
    expect(stateOf(await committeeSeenBy(world, 1), 3)).toBe('silent');
    mute = false;
    await world.run(1_800);
    expect(stateOf(await committeeSeenBy(world, 1), 3)).toBe('heard');
  });

  it('counts nobody as silent whom this operator did not ask, because its own rule did not run', async () => {
    const world = await new NodeWorld().assembled();
    world.cloud.advance(86_400);
    await world.run(60);
    const view = await committeeSeenBy(world, 1);
    expect(onlyCoin(view).health.able).toEqual([1, 2, 3]);
    expect(view.readAt - Number(onlyCoin(view).operators[2]?.lastHeardAt)).toBeGreaterThan(80_000);
  });

  it('says that there is no key, and which step is missing, before there is one', async () => {
    const world = new NodeWorld({ genesis: false });
    await world.assembled();
    const view = onlyCoin(await committeeSeenBy(world, 1));
    expect(view).toMatchObject({ started: true, accepted: true, ready: true, keys: [] });
    expect(view.health).toMatchObject({ canSign: false, mayFallSilent: 1 });
    expect(view.health.sentence).toContain('coterie keygen --coin sol');
  });
});

describe('blame', () => {
  it('is the judged proof in words, and takes the culprit out of the count', async () => {
    const world = await new NodeWorld().assembled();
    const { instruction, parameters, ceremony } = ledBy(world, 1);
    await world.instruct(instruction, [1]);
    await world.run(1);
    // The base point and its negative: both are good commitments.
    const point = (last: string) => `0x58${'66'.repeat(30)}${last}` as const;
    for (const last of ['66', 'e6']) {
      const content = { parameters, commitments: [{ hiding: point(last), binding: point('66') }] };
      await world.deliver(1, await world.sayContent(2, 'NonceCommitment', { ceremony, slot: '0', to: 1 }, content));
      await world.run(1);
    }
    const view = await ceremonySeenBy(world, 1, ceremony);
    expect(view.culprits).toEqual([
      {
        index: 2,
        identity: 'operator2',
        reason: 'Equivocation',
        proof: true,
        sentence: `Operator 2 (operator2) said two different things in one place, in ceremony ${ceremony}.`,
      },
    ]);
    const committee = await committeeSeenBy(world, 1);
    expect(stateOf(committee, 2)).toBe('faulty');
    expect(onlyCoin(committee).health.able).toEqual([1, 3]);
    expect(committee.findings.some(({ level, what }) => level === 'alarm' && what.includes('cheated'))).toBe(true);
  });
});

describe('a key generation in which an operator dealt a wrong share', () => {
  /** Looked at by operator 1 while it is open, and ended by the others before the look is over. */
  async function overtaken(change: (reader: Reader) => Reader): Promise<CeremonyView> {
    const world = new NodeWorld({ liar: { operator: 3, in: 'EncryptedKeyShare' } });
    await world.committee.assemble();
    await world.cloud.run({ stopWhen: () => world.keygen(1)?.stage === 'AwaitingShares' });
    const { ceremony, stage } = world.keygen(1) ?? { ceremony: '0x' };
    expect(stage).toBe('AwaitingShares');
    const reader = readerOf(world, 1, world.coin);
    const rows = await readCeremony(
      change({
        ...reader,
        query: async (table, pk, prefix, page) => {
          const items = await reader.query(table, pk, prefix, page);
          if (prefix === 'EVIDENCE#') await world.run();
          return items;
        },
      }),
      ceremony,
    );
    expect(world.keygen(1)?.stage).toBe('Failed');
    if (!rows) throw new Error('expected a ceremony');
    return viewCeremony(rows, { committee: world.committee.committee, self: 1, now: world.committee.now() });
  }

  it('is seen whole, outcome and proof, also by whoever looked while it ended', async () => {
    const view = await overtaken((reader) => reader);
    expect(view).toMatchObject({ stage: 'Failed', culprits: [{ index: 3, reason: 'InvalidShare', proof: true }] });
    expect(view.todo).toContain(`Show the proof to the other operators (coterie ceremony show ${view.ceremony} --evid`);
  });

  it('tells nobody to show a proof that is not stored here', async () => {
    const view = await overtaken((reader) => ({
      ...reader,
      query: async (table, pk, prefix, page) => {
        const items = await reader.query(table, pk, prefix, page);
        return prefix === 'EVIDENCE#' ? [] : items;
      },
    }));
    expect(view.culprits).toMatchObject([{ index: 3, proof: false }]);
    expect(view.todo).not.toContain('Show the proof');
    expect(view.todo).toContain('Ask the other operators for the proof');
    expect(view.todo).toContain('ask again without operator 3 (operator3)');
  });
});

describe('a key generation that some confirmed and others did not', () => {
  it('is unresolved, and says what to wait for before it is abandoned', async () => {
    const world = new NodeWorld({ dies: { operator: 3, at: 'EncryptedKeyShareIn' } });
    await world.committee.assemble();
    await world.run(1_500);
    const { ceremony } = world.keygen(1) ?? { ceremony: '0x' };
    const view = await ceremonySeenBy(world, 1, ceremony);
    expect(view).toMatchObject({ stage: 'Unresolved', outcome: { result: 'unresolved', final: false } });
    expect(view.todo).toContain(`coterie abandon ${ceremony}`);
    expect(view.rounds.find(({ type }) => type === 'KeyGenVerdict')).toMatchObject({
      status: 'waiting',
      arrivals: [{ index: 1 }, { index: 2 }],
      missing: [{ index: 3 }],
    });
    const committee = await committeeSeenBy(world, 1);
    expect(onlyCoin(committee).keys).toMatchObject([{ status: 'unconfirmed' }]);
    expect(onlyCoin(committee).health.canSign).toBe(false);
    expect(committee.findings.some(({ what }) => what.includes('is unresolved'))).toBe(true);
  });
});

describe('what others ask for', () => {
  it('is shown with what speaks against joining it: a threshold that is not the key’s', async () => {
    const world = await new NodeWorld({ operators: 4, threshold: 3 }).assembled();
    const honest = ledBy(world, 1, { messages: ['0x7061790a', '0x706179'] });
    // A peer that is its client's only friend: it says t = 2 of a key that was made with 3.
    const lie = { ...honest.parameters, t: 2, requestId: `0x${'ab'.repeat(16)}` as const };
    const pair = { hiding: `0x${'01'.repeat(32)}`, binding: `0x${'01'.repeat(32)}` } as const;
    for (const parameters of [honest.parameters, lie]) {
      const ceremony = ceremonyId(parameters);
      for (let slot = 0; slot < 3; slot++) {
        const content = { parameters, commitments: [pair, pair] };
        await world.deliver(
          1,
          await world.sayContent(2, 'NonceCommitment', { ceremony, slot: `${slot}`, to: 1 }, content),
        );
      }
    }
    await world.run(1);
    const { pending } = onlyCoin(await committeeSeenBy(world, 1));
    expect(pending.map(({ t, cannot, askedBy }) => [t, cannot, askedBy.map(({ index }) => index)]).sort()).toEqual([
      [2, 'its suite, threshold or signers are not those of the key', [2]],
      [3, undefined, [2]],
    ]);
    // A line break could make one message look like two, and is not shown as text.
    expect(pending.find(({ t }) => t === 3)?.messages).toEqual([
      { hex: '0x7061790a' },
      { hex: '0x706179', text: 'pay' },
    ]);
    await world.instruct(honest.instruction, [1]);
    await world.run(1);
    expect(onlyCoin(await committeeSeenBy(world, 1)).pending.map(({ t }) => t)).toEqual([2]);
  });

  it('is gone when its time is over, though its row lies there still', async () => {
    const world = await new NodeWorld({ cloud: { faults: { ttlLagSeconds: 48 * 3_600 } } }).assembled();
    const { instruction } = ledBy(world, 1, { expiresAt: world.committee.now() + 30 });
    await world.instruct(instruction, [2]);
    await world.run(2);
    expect(onlyCoin(await committeeSeenBy(world, 1)).pending).toHaveLength(1);
    await world.run(60);
    expect(onlyCoin(await committeeSeenBy(world, 1)).pending).toEqual([]);
  });
});

describe('the halt switch', () => {
  it('is seen with its time, and takes the operator itself out of the count', async () => {
    const world = await new NodeWorld().assembled();
    const at = world.committee.now();
    await world.control(1, { Halt: {} });
    await world.run(1);
    const view = await committeeSeenBy(world, 1);
    expect(onlyCoin(view).haltedSince).toBeGreaterThanOrEqual(at);
    expect(stateOf(view, 1)).toBe('halted');
    expect(onlyCoin(view).health).toMatchObject({ canSign: true, able: [2, 3], mayFallSilent: 0 });
  });
});
