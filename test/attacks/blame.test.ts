/** Attempts to have somebody honest named; `docs/attacks.md` lists them all. */
import { describe, expect, test } from 'vitest';
import { verifyEvidence } from '../../lib/evidence/verify.ts';
import { type ContentOf, contentText, parseContent } from '../../lib/messages/contents.ts';
import { EVIDENCE_REASONS, type Evidence } from '../../lib/messages/evidence.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { type Statement, type StatementType, signStatement } from '../../lib/messages/statement.ts';
import { leaderOf } from '../../lib/signing/step.ts';
import { KeygenNetwork, SigningNetwork, START, World } from '../ceremonies/network.ts';

function contentOf<T extends StatementType>(statement: Statement, type: T): ContentOf<T> {
  const parsed = parseContent(type, statement.content);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.content;
}

/** All statements of an honest key generation and of an honest signing: everything that a framer has to work with. */
function honest(t = 2): { made: KeygenNetwork; network: SigningNetwork; said: Statement[] } {
  const made = new KeygenNetwork(new World({ n: 4, t, suite: 'FROST-ED25519-SHA512-v1', seed: 'frames' }));
  made.run();
  const { state } = made.node(1);
  if (state?.stage !== 'Succeeded') throw new Error('there is no key');
  const network = new SigningNetwork(made, state.keyId, ['0x6869']);
  network.authoriseAll();
  network.run();
  const said = [made, network].flatMap((each) =>
    each.world.indexes().flatMap((index) => [...each.node(index).recorded.values(), ...each.node(index).said]),
  );
  return { made, network, said: [...new Map(said.map((each) => [JSON.stringify(each), each])).values()] };
}

describe('BLM-01 of all that honest operators ever said', () => {
  const { made, said } = honest();
  const { committee } = made.world;
  const certificate = made.certificate();

  test('no one, two or three statements convict anybody, of anything, in any order', () => {
    const judge = (reason: Evidence['reason'], statements: Statement[]): void => {
      const judged = verifyEvidence(committee, { v: 1, reason, committee: committee.id, certificate, statements });
      expect(
        judged,
        `${reason}: ${statements.map(({ type, from, slot }) => `${type} ${slot} of ${from}`).join(', ')}`,
      ).toMatchObject({
        guilty: false,
      });
    };
    for (const reason of EVIDENCE_REASONS)
      for (const first of said) {
        judge(reason, [first]);
        for (const second of said) {
          if (second.ceremony !== first.ceremony) continue;
          judge(reason, [first, second]);
        }
        // With all that the same ceremony has to say: whatever a judge looks for is there.
        judge(reason, [first, ...said.filter((each) => each.ceremony === first.ceremony && each !== first)]);
      }
  });

  test('nor do they beside what a liar adds of its own', () => {
    const liar = 4;
    const own = said.filter(({ from }) => from === liar);
    const lies = own.flatMap((statement) => [
      made.world.resignText(statement, `${statement.content} `),
      made.world.resignText(statement, '{}'),
      signStatement({ ...statement, slot: '7' }, statement.content, made.world.keyOf(liar)),
      // In another's name, under its own key.
      { ...made.world.resignText(statement, statement.content), from: 1 },
    ]);
    for (const [turn, first] of said.filter(({ from }) => from !== liar).entries())
      for (const [i, lie] of lies.entries()) {
        if (lie.ceremony !== first.ceremony) continue;
        // Each pair under one reason, in turn, and under every one where both are of one type.
        const reasons =
          lie.type === first.type ? EVIDENCE_REASONS : [EVIDENCE_REASONS[(turn + i) % 5] ?? 'Equivocation'];
        const whole = said.filter((each) => each.ceremony === first.ceremony);
        for (const reason of reasons)
          for (const statements of lie.type === first.type
            ? [
                [first, lie],
                [first, lie, ...whole],
              ]
            : [[first, lie]])
            expect(
              verifyEvidence(committee, { v: 1, reason, committee: committee.id, certificate, statements }),
              `${reason} ${first.type} beside ${lie.type}`,
            ).toMatchObject({ guilty: false });
      }
  });
});

test('BLM-04 exhibits about oneself, about nobody, twice, or by somebody without a place change nothing', () => {
  const network = new KeygenNetwork(new World({ n: 3, t: 2 }));
  const ceremony = network.node(1).state?.ceremony ?? '0x';
  const own = [...network.node(2).recorded.values()];
  const forged = own.map((each) => ({ ...each, from: 3 }));
  const shows = (slot: string, statements: readonly Statement[]): Statement =>
    network.node(2).member.say('KeyGenEvidence', ceremony, slot, 0, JSON.stringify({ statements }));
  for (const to of [1, 3]) {
    network.inject(to, shows('0', own));
    network.inject(to, shows('1', [...own, ...own]));
    network.inject(to, shows('2', forged));
  }
  network.run();
  expect(network.stages()).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
  for (const index of [1, 3]) expect(network.blamed(index)).toEqual([]);
});

test('BLM-09 a leader that alters what a signer committed to for the other signers convicts itself, and no signer', () => {
  const { made } = honest(3);
  const { state } = made.node(1);
  if (state?.stage !== 'Succeeded') throw new Error('there is no key');
  const network = new SigningNetwork(made, state.keyId, ['0x6869'], `0x${'7e'.repeat(16)}`);
  for (const index of network.world.indexes()) network.lead(index);
  const ceremony = network.node(1).state?.ceremony ?? '0x';
  const leader = leaderOf(network.parameters, ceremony, 0);
  const packages: Statement[] = [];
  network.lie(leader, (statement, to) => {
    if (statement.type !== 'SigningPackage') return statement;
    const content = contentOf(statement, 'SigningPackage');
    // Each reader finds its own entry right, and another's wrong.
    const commitments = content.commitments.map((pairs, i) =>
      content.signers[i] === to ? pairs : pairs.map(({ hiding, binding }) => ({ hiding: binding, binding: hiding })),
    );
    const lie = network.world.resignText(statement, contentText('SigningPackage', { ...content, commitments }));
    packages.push(lie);
    return lie;
  });
  network.authoriseAll();
  network.run();
  for (const later of [15, 17, 30, 32]) network.wake(START + later);
  const others = network.honest();
  for (const index of others) expect(network.blamed(index)).toEqual([]);
  expect(others.map((index) => network.node(index).state?.stage)).toEqual(others.map(() => 'Succeeded'));

  const shares = others.flatMap((index) =>
    network.node(index).said.filter(({ type, slot }) => type === 'SignatureShare' && slot === '0.0'),
  );
  const carriers = others.flatMap((index) => network.node(index).said.filter(({ type }) => type === 'NonceCommitment'));
  const judge = (reason: Evidence['reason'], statements: Statement[]) =>
    verifyEvidence(network.world.committee, {
      v: 1,
      reason,
      committee: network.world.committee.id,
      certificate: made.certificate(),
      statements,
    });
  expect(shares.length, 'signers answered').toBeGreaterThan(0);
  // Each share is good for the package that it names, whichever of the leader's the accuser shows beside it.
  for (const share of shares)
    for (const shown of packages)
      expect(judge('InvalidSignatureShare', [share, shown, ...carriers])).toMatchObject({ guilty: false });
  const [shown] = packages;
  if (!shown) throw new Error('the leader sent a package');
  expect(judge('InvalidPackage', [shown, ...carriers])).toMatchObject({ guilty: true, culprit: leader });
});

test('a view of its own cannot be forced on a judge: a commitment in another order of keys convicts no leader that repeats it', () => {
  const { made } = honest();
  const { state } = made.node(1);
  if (state?.stage !== 'Succeeded') throw new Error('there is no key');
  const network = new SigningNetwork(made, state.keyId, ['0x6869'], `0x${'7f'.repeat(16)}` as Hex);
  for (const index of network.world.indexes()) network.lead(index);
  const ceremony = network.node(1).state?.ceremony ?? '0x';
  const leader = leaderOf(network.parameters, ceremony, 0);
  const liar = network.world.indexes().find((index) => index !== leader) ?? 0;
  let carrier: Statement | undefined;
  network.lie(liar, (statement) => {
    if (statement.type !== 'NonceCommitment') return statement;
    const content = contentOf(statement, 'NonceCommitment');
    const turned = content.commitments.map(({ hiding, binding }) => ({ binding, hiding }));
    carrier = network.world.resignText(
      statement,
      JSON.stringify({ commitments: turned, parameters: content.parameters }),
    );
    return carrier;
  });
  network.authoriseAll();
  network.run();
  const shown = network.node(leader).said.find(({ type }) => type === 'SigningPackage');
  if (!shown || !carrier) throw new Error('a package was made of the commitment');
  expect(contentOf(shown, 'SigningPackage').signers).toContain(liar);
  const judged = verifyEvidence(network.world.committee, {
    v: 1,
    reason: 'InvalidPackage',
    committee: network.world.committee.id,
    statements: [shown, carrier],
  });
  expect(judged).toMatchObject({ guilty: false });
});
