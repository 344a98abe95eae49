/** Dealers that can prove what they say, and say what is wrong: through whole ceremonies, to evidence that a stranger judges. */
import { describe, expect, test } from 'vitest';
import { g2 } from '../../lib/coconut/generators.ts';
import { decodeScalar, encodeG2, Fr } from '../../lib/coconut/groups.ts';
import { type EncodedRows, prove } from '../../lib/coconut-keygen/dealing.ts';
import { startEngine } from '../../lib/coconut-keygen/engine.ts';
import { findEvidence } from '../../lib/evidence/find.ts';
import { verifyEvidence } from '../../lib/evidence/verify.ts';
import type { Evidence } from '../../lib/messages/evidence.ts';
import { parseEvidence } from '../../lib/messages/evidence.ts';
import { fromHex, type Hex, toHex } from '../../lib/messages/hex.ts';
import { COCONUT_SUITE, ceremonyId } from '../../lib/messages/parameters.ts';
import type { Statement, StatementType } from '../../lib/messages/statement.ts';
import {
  badDealer,
  type CoconutCommitment,
  coconut,
  commitBadly,
  contentOf,
  expectBlamed,
  instead,
  LIAR,
  ownCoefficients,
  ownCommitment,
} from '../ceremonies/liars.ts';
import { KeygenNetwork, seeded, World } from '../ceremonies/network.ts';
import { another, type Position, replaced, tainted } from './forgery.ts';

await startEngine();
const suite = COCONUT_SUITE;

const rowsOf = ({ alpha, beta, betaTilde }: CoconutCommitment): EncodedRows => ({
  alpha: alpha.map(fromHex),
  beta: beta.map((row) => row.map(fromHex)),
  betaTilde: betaTilde.map((row) => row.map(fromHex)),
});

/** The dealer changes one point and proves possession of its constant terms anew, over what it then shows. */
function proven(
  network: KeygenNetwork,
  index: number,
  position: Position,
  change: (bytes: Uint8Array) => Uint8Array,
): void {
  const { t } = network.world;
  const coefficients = ownCoefficients(network, index);
  const constant = (p: number) => decodeScalar(coefficients.subarray(32 * p * t, 32 * p * t + 32));
  const ceremony = fromHex(network.node(index).state?.ceremony ?? '0x');
  commitBadly(
    network,
    (content) => {
      const rows = replaced(rowsOf(coconut(content)), position, change);
      const made = prove(
        { ceremony, t, index },
        rows,
        { x: constant(0), y: [constant(1), constant(2)] },
        seeded('forged'),
      );
      const proof = (each: { commitment: Uint8Array; response: Uint8Array }) => ({
        commitment: toHex(each.commitment),
        response: toHex(each.response),
      });
      return {
        alpha: rows.alpha.map(toHex),
        beta: rows.beta.map((row) => row.map(toHex)),
        betaTilde: rows.betaTilde.map((row) => row.map(toHex)),
        proofs: { x: proof(made.proofX), y: made.proofsY.map(proof) },
      };
    },
    index,
  );
}

describe('a dealer that proves its secrets and publishes something else', () => {
  test.each<readonly [string, Position]>([
    ['β_1', { row: 'beta', j: 0, k: 1 }],
    ['β_2', { row: 'beta', j: 1, k: 2 }],
    ['β̃_1', { row: 'betaTilde', j: 0, k: 0 }],
    ['β̃_2', { row: 'betaTilde', j: 1, k: 2 }],
  ])('ECASH-14 in %s: every honest service names it, before a share is used', (_where, position) => {
    const network = new KeygenNetwork(new World({ n: 4, t: 3, suite }));
    proven(network, LIAR, position, another);
    expectBlamed(network, 'InvalidCommitment');
  });

  test.each<readonly [string, Position]>([
    ['α', { row: 'alpha', j: 0, k: 2 }],
    ['β_1', { row: 'beta', j: 0, k: 1 }],
    ['β̃_2', { row: 'betaTilde', j: 1, k: 1 }],
  ])('ENC-02 a part of small order in %s: every honest service names it', (_where, position) => {
    const network = new KeygenNetwork(new World({ n: 3, t: 3, suite }));
    proven(network, LIAR, position, tainted);
    expectBlamed(network, 'InvalidCommitment');
  });

  test('all of several are named', () => {
    const network = new KeygenNetwork(new World({ n: 5, t: 2, suite }));
    proven(network, 2, { row: 'betaTilde', j: 0, k: 1 }, another);
    proven(network, 5, { row: 'alpha', j: 0, k: 1 }, tainted);
    expectBlamed(network, 'InvalidCommitment', [2, 5]);
  });
});

test('DKG-06 a commitment of an older ceremony of the same services, under their own signature, is not good for this one', () => {
  const world = new World({ n: 3, t: 2, suite });
  const older = new KeygenNetwork(world, toHex(new Uint8Array(16).fill(7)));
  const replayed = contentOf(ownCommitment(older, LIAR), 'EncryptedKeyGenCommitment');
  expectBlamed(
    badDealer(world, () => replayed),
    'InvalidCommitment',
  );
});

test('DKG-03 a polynomial that is 0 at its receiver convicts its dealer, though the share of 0 lies on it', () => {
  const world = new World({ n: 2, t: 2, suite });
  const network = new KeygenNetwork(world);
  const negated = Fr.neg(decodeScalar(ownCoefficients(network, LIAR).subarray(0, 32)));
  // f(1) = a_0 + a_1 with a_1 = −a_0.
  proven(network, LIAR, { row: 'alpha', j: 0, k: 1 }, () => encodeG2(g2.multiply(negated)));
  const honest = network.edits.get(LIAR);
  network.lie(LIAR, (statement, to) =>
    statement.type === 'EncryptedKeyShare'
      ? world.resignText(statement, statement.content.replace(/"x":"0x[0-9a-f]{64}"/, `"x":"0x${'00'.repeat(32)}"`))
      : honest?.(statement, to),
  );
  network.run();
  expect(network.node(1).state).toMatchObject({ stage: 'Failed', reason: 'InvalidShare', culprits: [{ index: LIAR }] });
  expect(network.blamed(1)).toEqual([LIAR]);
});

test('DKG-10 a share that was meant for another service convicts its dealer', () => {
  const world = new World({ n: 4, t: 3, suite });
  const network = new KeygenNetwork(world);
  const stolen = new Map<number, Statement>();
  network.lie(LIAR, (statement, to) => {
    if (statement.type !== 'EncryptedKeyShare') return statement;
    stolen.set(to, statement);
    const other = stolen.get(1);
    if (to !== 3 || !other) return statement;
    return world.resign(statement, 'EncryptedKeyShare', contentOf(other, 'EncryptedKeyShare'));
  });
  network.run();
  expect(network.node(3).state).toMatchObject({ stage: 'Failed', reason: 'InvalidShare', culprits: [{ index: LIAR }] });
  expect(network.blamed(1)).toEqual([LIAR]);
});

describe('evidence', () => {
  /** A whole honest ceremony, with everything that was said in it. */
  const world = new World({ n: 3, t: 2, suite });
  const network = new KeygenNetwork(world);
  network.run();
  const said = (type: StatementType, from: number, to = 0): Statement => {
    const found = network.node(from).said.find((each) => each.type === type && each.to === to);
    if (!found) throw new Error(`${type} was not said`);
    return found;
  };
  const evidence = (reason: Evidence['reason'], ...statements: Statement[]): Evidence => ({
    v: 1,
    reason,
    committee: world.committee.id,
    statements,
  });
  const announcement = said('EncryptedPublicKey', LIAR);
  const commitment = said('EncryptedKeyGenCommitment', LIAR);
  const share = said('EncryptedKeyShare', LIAR, 3);

  test('of an honest dealer’s words proves nothing', () => {
    expect(network.stages()).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
    const innocent = [
      evidence('InvalidCommitment', announcement),
      evidence('InvalidCommitment', commitment, announcement),
      evidence('InvalidShare', share, commitment, announcement),
    ];
    for (const each of innocent) expect(verifyEvidence(world.committee, each).guilty).toBe(false);
    expect(findEvidence(world.committee, [announcement, commitment, share], [])).toEqual([]);
  });

  test('of a share beside another dealer’s commitment proves nothing', () => {
    const other = [said('EncryptedKeyGenCommitment', 1), said('EncryptedPublicKey', 1)];
    expect(verifyEvidence(world.committee, evidence('InvalidShare', share, ...other)).guilty).toBe(false);
  });

  test('of a share for nobody of the ceremony proves nothing', () => {
    const stray = world.resign({ ...share, to: 9 }, 'EncryptedKeyShare', contentOf(share, 'EncryptedKeyShare'));
    expect(verifyEvidence(world.committee, evidence('InvalidShare', stray, commitment, announcement)).guilty).toBe(
      false,
    );
  });

  test('of a wrong share names the dealer to whoever has the committee file, and nobody once a byte is changed', () => {
    const wrong = world.resign(share, 'EncryptedKeyShare', { x: one, y: [one, one] });
    const shown = evidence('InvalidShare', wrong, commitment, announcement);
    const text = JSON.stringify(shown);
    const parsed = parseEvidence(text);
    if (!parsed.ok) throw new Error(parsed.reason);
    expect(verifyEvidence(world.committee, parsed.evidence)).toEqual({
      guilty: true,
      culprit: LIAR,
      reason: 'InvalidShare',
      ceremony: ceremonyId(world.keygenParameters()),
    });
    const bent = { ...wrong, signature: flipped(wrong.signature) };
    expect(verifyEvidence(world.committee, evidence('InvalidShare', bent, commitment, announcement)).guilty).toBe(
      false,
    );
    for (const missing of [[wrong], [wrong, commitment], [wrong, announcement]])
      expect(verifyEvidence(world.committee, evidence('InvalidShare', ...missing)).guilty).toBe(false);
  });

  test('of bad commitments judges the commitments that were announced, whatever stands beside them', () => {
    const bad = new KeygenNetwork(new World({ n: 3, t: 2, suite }));
    proven(bad, LIAR, { row: 'betaTilde', j: 1, k: 1 }, another);
    bad.run();
    const proof = bad.node(1).evidence.get(LIAR);
    if (!proof) throw new Error('the dealer was named');
    const parsed = parseEvidence(JSON.stringify(proof));
    if (!parsed.ok) throw new Error(parsed.reason);
    expect(verifyEvidence(bad.world.committee, parsed.evidence)).toMatchObject({ guilty: true, culprit: LIAR });
    // The same words beside the announcement of somebody else say nothing about their sender.
    const foreign = [...bad.node(1).recorded.values()].find(
      (each) => each.type === 'EncryptedPublicKey' && each.from === 3,
    );
    const shown = parsed.evidence.statements.filter((each) => each.type === 'EncryptedKeyGenCommitment');
    expect(
      verifyEvidence(bad.world.committee, { ...proof, statements: [...shown, ...(foreign ? [foreign] : [])] }).guilty,
    ).toBe(false);
  });

  test('of a share whose dealer’s commitments are malformed is not evidence of a bad share', () => {
    const short = coconut(contentOf(commitment, 'EncryptedKeyGenCommitment'));
    const malformed = world.resign(commitment, 'EncryptedKeyGenCommitment', { ...short, alpha: short.alpha.slice(1) });
    expect(verifyEvidence(world.committee, evidence('InvalidShare', share, malformed, announcement)).guilty).toBe(
      false,
    );
  });

  test('of a share that is no share convicts beside any commitment of its dealer', () => {
    const zero: Hex = `0x${'00'.repeat(32)}`;
    const noShare = world.resign(share, 'EncryptedKeyShare', { x: zero, y: [one, one] });
    const shown = evidence('InvalidShare', noShare, commitment, announcement);
    expect(verifyEvidence(world.committee, shown)).toMatchObject({ guilty: true, culprit: LIAR });
  });
});

test('a dealer with one honest peer left cannot make it use a share of a refused dealing', () => {
  const world = new World({ n: 2, t: 2, suite });
  const network = new KeygenNetwork(world);
  network.lie(
    LIAR,
    instead(world, 'EncryptedKeyShare', () => ({ share: `0x${'00'.repeat(31)}01` })),
  );
  network.run();
  expect(network.node(1).state?.stage).toBe('Failed');
  expect(network.keys.has(1)).toBe(false);
});

const one: Hex = `0x${'00'.repeat(31)}01`;
const flipped = (hex: Hex): Hex => `${hex.slice(0, -1)}${hex.endsWith('0') ? '1' : '0'}` as Hex;
