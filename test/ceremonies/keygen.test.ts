import { bls12_381 } from '@noble/curves/bls12-381.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { describe, expect, test } from 'vitest';
import { startEngine } from '../../lib/coconut-keygen/engine.ts';
import { verifyEvidence } from '../../lib/evidence/verify.ts';
import { verifyCertificate } from '../../lib/messages/certificate.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import { CEREMONY_SUITES, type CeremonySuite, COCONUT_SUITE } from '../../lib/messages/parameters.ts';
import type { Statement } from '../../lib/messages/statement.ts';
import {
  badDealer,
  type CoconutCommitment,
  type Commitment,
  coconut,
  contentOf,
  expectBlamed,
  frost,
  instead,
  LIAR,
  ownCommitment,
  type Share,
  scalarHex,
} from './liars.ts';
import { type FrostSuite, KeygenNetwork, START, World } from './network.ts';

await startEngine();

type Change<T> = readonly [name: string, change: (content: T) => T];

/** The same faults in the form of each suite; all are of a dealing for t = 2. */
interface Faults {
  readonly commitments: readonly Change<Commitment>[];
  /** Well formed, and not what was announced or proven. */
  readonly otherProof: (content: Commitment) => Commitment;
  /** Of another suite. */
  readonly foreign: Commitment;
  readonly shares: readonly Change<Share>[];
}

function frostFaults(suite: FrostSuite): Faults {
  const points = (change: (c: Hex[]) => Hex[]) => (content: Commitment) => ({
    ...content,
    commitments: change(frost(content).commitments),
  });
  return {
    commitments: [
      ['DKG-01 one commitment too many', points((c) => [...c, c[0] as Hex])],
      ['DKG-01 one commitment too few', points((c) => c.slice(1))],
      ['DKG-02 an identity commitment', points((c) => [c[0] as Hex, identityOf(suite)])],
      ['DKG-05 another dealer’s secret behind an own proof', points((c) => [c[1] as Hex, c[1] as Hex])],
      [
        'ENC-03 a coordinate that is not reduced',
        points((c) => [`0x${suite.includes('secp') ? '04' : ''}${'ff'.repeat(64)}`, c[1] as Hex]),
      ],
    ],
    otherProof: (content) => ({ ...frost(content), proofOfKnowledge: `0x${'11'.repeat(64)}` }),
    foreign: contentOf(
      ownCommitment(new KeygenNetwork(new World({ suite: COCONUT_SUITE })), LIAR),
      'EncryptedKeyGenCommitment',
    ),
    shares: [
      ['DKG-10 a share that is not on the polynomial', () => ({ share: `0x${'00'.repeat(15)}05${'00'.repeat(16)}` })],
      ['DKG-10 a share that is not canonical', () => ({ share: `0x${'ff'.repeat(32)}` })],
      ['DKG-10 a share of zero', () => ({ share: `0x${'00'.repeat(32)}` })],
      ['DKG-10 a share of another suite', () => ({ x: scalarHex(1n), y: [scalarHex(1n), scalarHex(1n)] })],
    ],
  };
}

const IDENTITY_G1: Hex = `0xc0${'00'.repeat(47)}`;
const IDENTITY_G2: Hex = `0xc0${'00'.repeat(95)}`;

function coconutFaults(): Faults {
  const change = (edit: (c: CoconutCommitment) => Partial<CoconutCommitment>) => (content: Commitment) => ({
    ...coconut(content),
    ...edit(coconut(content)),
  });
  /** The same edit of each of the 2q + 1 rows. */
  const everyRow = (name: string, edit: (row: Hex[], identity: Hex) => Hex[]): Change<Commitment>[] => [
    [`${name} (α)`, change(({ alpha }) => ({ alpha: edit(alpha, IDENTITY_G2) }))],
    ...[0, 1].flatMap((j): Change<Commitment>[] => [
      [
        `${name} (β_${j + 1})`,
        change(({ beta }) => ({ beta: beta.map((row, i) => (i === j ? edit(row, IDENTITY_G1) : row)) })),
      ],
      [
        `${name} (β̃_${j + 1})`,
        change(({ betaTilde }) => ({ betaTilde: betaTilde.map((row, i) => (i === j ? edit(row, IDENTITY_G2) : row)) })),
      ],
    ]),
  ];
  const { ORDER } = bls12_381.fields.Fr;
  const shares = (name: string, edit: (value: Hex) => Hex): Change<Share>[] => [
    [`${name} (x)`, (share) => ({ ...three(share), x: edit(three(share).x) })],
    ...[0, 1].map(
      (j): Change<Share> => [
        `${name} (y_${j + 1})`,
        (share) => ({ ...three(share), y: three(share).y.map((each, i) => (i === j ? edit(each) : each)) }),
      ],
    ),
  ];
  return {
    commitments: [
      ...everyRow('DKG-01 one commitment too many', (row) => [...row, row[0] as Hex]),
      ...everyRow('DKG-01 one commitment too few', (row) => row.slice(1)),
      ...everyRow('DKG-02 an identity commitment', (row, identity) => [row[0] as Hex, identity]),
      [
        'DKG-05 another dealer’s α behind an own proof',
        change(({ alpha }) => ({ alpha: [alpha[1] as Hex, alpha[1] as Hex] })),
      ],
      ...[0, 1].map(
        (j): Change<Commitment> => [
          `DKG-05 another dealer’s β_${j + 1} behind an own proof`,
          change(({ beta, betaTilde }) => ({
            beta: beta.map((row, i) => (i === j ? [row[1] as Hex, row[1] as Hex] : row)),
            betaTilde: betaTilde.map((row, i) => (i === j ? [row[1] as Hex, row[1] as Hex] : row)),
          })),
        ],
      ),
      [
        'ENC-03 a coordinate that is not reduced',
        change(({ alpha }) => ({ alpha: [alpha[0] as Hex, `0x9f${'ff'.repeat(95)}`] })),
      ],
    ],
    otherProof: change(({ proofs }) => ({ proofs: { ...proofs, x: { ...proofs.x, response: scalarHex(5n) } } })),
    foreign: contentOf(
      ownCommitment(new KeygenNetwork(new World({ suite: 'FROST-ED25519-SHA512-v1' })), LIAR),
      'EncryptedKeyGenCommitment',
    ),
    shares: [
      ...shares('DKG-10 a share that is not on the polynomial', () => scalarHex(5n)),
      ...shares('DKG-10 a share that is not canonical', (value) => scalarHex(BigInt(value) + ORDER)).slice(0, 1),
      ...shares('DKG-10 a share negated', (value) => scalarHex(ORDER - BigInt(value))).slice(1, 2),
      ...shares('DKG-10 a share of zero', () => scalarHex(0n)).slice(2),
      ['DKG-10 a share of another suite', () => ({ share: scalarHex(1n) })],
    ],
  };
}

function three(share: Share): Extract<Share, { x: Hex }> {
  if (!('x' in share)) throw new Error('expected shares of three polynomials');
  return share;
}

const FAULTS: Readonly<Record<CeremonySuite, Faults>> = {
  'FROST-secp256k1-SHA256-TR-v1': frostFaults('FROST-secp256k1-SHA256-TR-v1'),
  'FROST-ED25519-SHA512-v1': frostFaults('FROST-ED25519-SHA512-v1'),
  'coconut-bls12381': coconutFaults(),
};

describe.each(CEREMONY_SUITES)('%s', (suite) => {
  const faults = FAULTS[suite];
  test('all participants end with one certified key, and a stranger can verify its certificate', () => {
    const world = new World({ n: 4, t: 3, suite });
    const network = new KeygenNetwork(world);
    network.run();
    expect(network.stages()).toEqual(Array(4).fill('Succeeded'));
    const ids = world.indexes().map((index) => {
      const state = network.node(index).state;
      return state?.stage === 'Succeeded' ? state.keyId : 'none';
    });
    expect(new Set(ids).size).toBe(1);
    expect(verifyCertificate(world.committee, network.certificate())).toMatchObject({ ok: true, keyId: ids[0] });
  });

  test.each(faults.commitments)('%s: every honest node names the dealer before a share is used', (_name, change) => {
    expectBlamed(badDealer(new World({ n: 3, t: 2, suite }), change), 'InvalidCommitment');
  });

  test('commitments of another suite name their dealer', () => {
    expectBlamed(
      badDealer(new World({ n: 3, t: 2, suite }), () => faults.foreign),
      'InvalidCommitment',
    );
  });

  test('DKG-06 a proof of knowledge of another dealer is refused', () => {
    const world = new World({ n: 3, t: 2, suite });
    // The victim's commitments together with the victim's own proof: good for the victim's index only.
    const stolen = contentOf(ownCommitment(new KeygenNetwork(world), 1), 'EncryptedKeyGenCommitment');
    expectBlamed(
      badDealer(world, () => stolen),
      'InvalidCommitment',
    );
  });

  test.each(faults.shares)('%s convicts its dealer at every honest node, the victim being one', (_name, change) => {
    const world = new World({ n: 4, t: 3, suite });
    const network = new KeygenNetwork(world);
    network.lie(LIAR, instead(world, 'EncryptedKeyShare', change, [3]));
    network.run();
    expect(network.node(3).state).toMatchObject({
      stage: 'Failed',
      reason: 'InvalidShare',
      culprits: [{ index: LIAR }],
    });
    for (const index of network.honest()) {
      expect(network.blamed(index)).toEqual([LIAR]);
      expect(['Failed', 'Unresolved']).toContain(network.node(index).state?.stage);
    }
  });

  test('all culprits are named, not only the first', () => {
    const world = new World({ n: 5, t: 2, suite });
    const network = new KeygenNetwork(world);
    for (const index of [2, 4])
      network.lie(index, instead(world, 'EncryptedKeyShare', faults.shares[0]?.[1] ?? ((share) => share), [1]));
    network.run();
    expect(network.blamed(1)).toEqual([2, 4]);
  });

  test('DKG-07 other commitments for some: the announced hash convicts the dealer, and its peers hear the proof', () => {
    const world = new World({ n: 4, t: 2, suite });
    const network = new KeygenNetwork(world);
    network.lie(LIAR, instead(world, 'EncryptedKeyGenCommitment', faults.otherProof, [3]));
    network.run();
    expect(network.node(3).state).toMatchObject({
      stage: 'Failed',
      reason: 'InvalidCommitment',
      culprits: [{ index: LIAR }],
    });
    for (const index of network.honest()) expect(network.blamed(index)).toEqual([LIAR]);
  });

  test('DKG-07 another sealing key for some: nobody certifies a key, and the exhibits convict the dealer', () => {
    const world = new World({ n: 4, t: 2, suite });
    const network = new KeygenNetwork(world);
    network.lie(
      LIAR,
      instead(world, 'EncryptedPublicKey', (content) => ({ ...content, sealingKey: `0x${'22'.repeat(32)}` }), [3]),
    );
    network.run();
    for (const index of network.honest()) {
      expect(network.node(index).state).toMatchObject({ stage: 'Unresolved', culprits: [{ index: LIAR }] });
      expect(network.blamed(index)).toEqual([LIAR]);
    }
  });

  test('DKG-08 a verdict withheld from all but one: the others keep their shares and succeed by the certificate', () => {
    const world = new World({ n: 3, t: 2, suite });
    const network = new KeygenNetwork(world);
    network.lie(LIAR, (statement, to) =>
      statement.type === 'KeyGenCertificate' || (statement.type === 'KeyGenVerdict' && to !== 1)
        ? undefined
        : statement,
    );
    network.edits.set(1, (statement) => (statement.type === 'KeyGenCertificate' ? undefined : statement));
    network.run();
    expect(network.node(1).state?.stage).toBe('Succeeded');
    expect(network.node(3).state?.stage).toBe('AwaitingVerdicts');
    network.wake(START + 600);
    expect(network.node(3).state).toMatchObject({ stage: 'Unresolved', reason: 'Timeout', unresponsive: [LIAR] });
    expect(network.keys.has(3), 'the share is kept').toBe(true);
    const certificate = network.node(1).said.find((statement) => statement.type === 'KeyGenCertificate');
    if (!certificate) throw new Error('operator 1 has a certificate');
    network.inject(3, certificate);
    network.run();
    expect(network.node(3).state?.stage).toBe('Succeeded');
    expect(network.blamed(3)).toEqual([]);
  });

  test('BLM-08 a silent operator is unresponsive, never a culprit', () => {
    const world = new World({ n: 3, t: 2, suite });
    const network = new KeygenNetwork(world);
    network.down.add(3);
    network.run();
    network.wake(START + 600);
    for (const index of [1, 2]) {
      expect(network.node(index).state).toMatchObject({
        stage: 'Failed',
        reason: 'Timeout',
        culprits: [],
        unresponsive: [3],
      });
    }
  });

  test('BLM-01 an exhibit of good statements convicts nobody, its sender included', () => {
    const world = new World({ n: 3, t: 2, suite });
    const network = new KeygenNetwork(world);
    const shown: Statement[] = [];
    network.lie(LIAR, (statement) => {
      if (shown.length === 0)
        shown.push(...[...network.node(LIAR).recorded.values()].filter((each) => each.type === 'EncryptedPublicKey'));
      return statement;
    });
    const liar = network.node(LIAR);
    const own = [...network.node(1).recorded.values()];
    const exhibit = liar.member.say(
      'KeyGenEvidence',
      own[0]?.ceremony ?? '0x',
      '0',
      0,
      JSON.stringify({ statements: own }),
    );
    network.inject(3, exhibit);
    network.run();
    expect(network.node(3).state?.stage).toBe('Succeeded');
    expect(network.blamed(3)).toEqual([]);
  });

  test('a peer that aborts with a reason that it cannot prove fails the ceremony after a grace, and blames nobody', () => {
    const world = new World({ n: 3, t: 2, suite });
    const network = new KeygenNetwork(world);
    network.lie(LIAR, (statement) =>
      ['EncryptedKeyShare', 'KeyGenVerdict'].includes(statement.type) ? undefined : statement,
    );
    network.run();
    const ceremony = network.node(1).state?.ceremony ?? '0x';
    for (const to of [1, 3]) {
      network.inject(to, network.node(LIAR).member.say('KeyGenVerdict', ceremony, '', 0, '{"aborted":"InvalidShare"}'));
    }
    network.run();
    expect(network.node(1).state?.stage, 'waits for the proof').toBe('AwaitingShares');
    network.wake(START + 60);
    for (const index of [1, 3])
      expect(network.node(index).state).toMatchObject({ stage: 'Failed', reason: 'Aborted', culprits: [] });
  });

  test('saying both confirmed and aborted is a contradiction that convicts', () => {
    const world = new World({ n: 3, t: 2, suite });
    const network = new KeygenNetwork(world);
    network.lie(LIAR, (statement, to) =>
      statement.type === 'KeyGenVerdict' && to === 3 ? world.resignText(statement, '{"aborted":"Aborted"}') : statement,
    );
    network.run();
    const confirmed = network.node(LIAR).said.find((statement) => statement.type === 'KeyGenVerdict');
    const aborted = network.node(3).recorded.get(`KeyGenVerdict//${LIAR}`);
    if (!confirmed || !aborted) throw new Error('both verdicts were said');
    const evidence = {
      v: 1,
      reason: 'Equivocation',
      committee: world.committee.id,
      statements: [confirmed, aborted],
    } as const;
    expect(verifyEvidence(world.committee, { ...evidence, statements: [...evidence.statements] })).toMatchObject({
      guilty: true,
      culprit: LIAR,
    });
  });

  test('SRV-09 a terminal stage absorbs whatever comes', () => {
    const world = new World({ n: 3, t: 2, suite });
    const network = new KeygenNetwork(world);
    network.run();
    const before = world.indexes().map((index) => JSON.stringify(network.node(index).state));
    const ceremony = network.node(1).state?.ceremony ?? '0x';
    for (const type of ['KeyGenVerdict', 'KeyGenEvidence', 'EncryptedPublicKey'] as const) {
      network.inject(1, network.node(2).member.say(type, ceremony, 'late', 0, '{"aborted":"Timeout"}'));
    }
    network.wake(START + 10_000);
    expect(world.indexes().map((index) => JSON.stringify(network.node(index).state))).toEqual(before);
  });

  test('a polynomial that cannot be opened any more fails the ceremony, and no other is made for its id', () => {
    const world = new World({ n: 3, t: 2, suite });
    const network = new KeygenNetwork(world);
    network.node(3).secrets.delete('POLYNOMIAL');
    network.run();
    expect(network.node(3).state).toMatchObject({ stage: 'Failed', reason: 'Aborted', culprits: [] });
    expect(network.node(3).said.filter((statement) => statement.type === 'EncryptedKeyGenCommitment')).toEqual([]);
  });
});

function identityOf(suite: FrostSuite): Hex {
  // Ed25519's identity has affine coordinates; secp256k1's has none, and zero bytes stand for it.
  if (suite === 'FROST-ED25519-SHA512-v1') return toHex(Uint8Array.from({ length: 64 }, (_, i) => (i === 32 ? 1 : 0)));
  return toHex(Uint8Array.from({ length: 65 }, (_, i) => (i === 0 ? 4 : 0)));
}

test.each([0, 1])('ENC-02 a small-order part in commitment %i is refused, and its dealer named', (position) => {
  const world = new World({ n: 3, t: 2, suite: 'FROST-ED25519-SHA512-v1' });
  // (x, y) + (0, −1) = (−x, −y): the same point with a part of order 2.
  const tainted = (affine: Hex): Hex => {
    const { Fp } = ed25519.Point;
    const bytes = Buffer.from(affine.slice(2), 'hex');
    const read = (at: number) =>
      BigInt(
        `0x${Buffer.from(bytes.subarray(at, at + 32))
          .reverse()
          .toString('hex')}`,
      );
    const write = (x: bigint) => Buffer.from(Fp.neg(x).toString(16).padStart(64, '0'), 'hex').reverse();
    return toHex(Buffer.concat([write(read(0)), write(read(32))]));
  };
  const change = (commitments: Hex[]) => commitments.map((each, k) => (k === position ? tainted(each) : each));
  const network = badDealer(world, (content) => ({ ...content, commitments: change(frost(content).commitments) }));
  expectBlamed(network, 'InvalidCommitment');
});

test('any t shares give the key and fewer do not', () => {
  const world = new World({ n: 4, t: 3, suite: 'FROST-ED25519-SHA512-v1' });
  const network = new KeygenNetwork(world);
  network.run();
  const { Fn } = ed25519.Point;
  const scalar = (bytes: Uint8Array) => Fn.fromBytes(bytes);
  const combine = (indexes: readonly number[]) =>
    indexes.reduce((sum, i) => {
      let weight = scalar(network.keys.get(i)?.share ?? new Uint8Array(32));
      for (const j of indexes) if (j !== i) weight = Fn.mul(weight, Fn.div(BigInt(j), Fn.sub(BigInt(j), BigInt(i))));
      return Fn.add(sum, weight);
    }, 0n);
  const key = network.signingCertificate().outputKey;
  const point = (indexes: readonly number[]) => toHex(ed25519.Point.BASE.multiply(combine(indexes)).toBytes());
  for (const indexes of [
    [1, 2, 3],
    [1, 2, 4],
    [1, 3, 4],
    [2, 3, 4],
  ])
    expect(point(indexes)).toBe(key);
  expect(point([1, 2])).not.toBe(key);
});
