import { ed25519 } from '@noble/curves/ed25519.js';
import { describe, expect, test } from 'vitest';
import { verifyEvidence } from '../../lib/evidence/verify.ts';
import { verifyCertificate } from '../../lib/messages/certificate.ts';
import { type ContentOf, parseContent } from '../../lib/messages/contents.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import { type Statement, type StatementType, statementHash } from '../../lib/messages/statement.ts';
import { type Edit, type FrostSuite, KeygenNetwork, START, World } from './network.ts';

const SUITES: readonly FrostSuite[] = ['FROST-secp256k1-SHA256-TR-v1', 'FROST-ED25519-SHA512-v1'];
const LIAR = 2;

function contentOf<T extends StatementType>(statement: Statement, type: T): ContentOf<T> {
  const parsed = parseContent(type, statement.content);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.content;
}

/** Says something else of one type to some readers; the liar's announcement keeps matching what it shows, if `consistent`. */
function instead<T extends StatementType>(
  world: World,
  type: T,
  change: (content: ContentOf<T>) => ContentOf<T>,
  to?: readonly number[],
): Edit {
  return (statement, recipient) => {
    if (statement.type !== type || (to && !to.includes(recipient))) return statement;
    return world.resign(statement, type, change(contentOf(statement, type)));
  };
}

/** A dealer that commits to bad commitments from the start: its announcement names the hash of what it will show. */
function badDealer(
  world: World,
  change: (content: ContentOf<'EncryptedKeyGenCommitment'>) => ContentOf<'EncryptedKeyGenCommitment'>,
): KeygenNetwork {
  const network = new KeygenNetwork(world);
  const liar = network.node(LIAR);
  const shown = lieFrom(network, world, change);
  network.lie(LIAR, (statement) => {
    if (statement.type === 'EncryptedKeyGenCommitment') return shown.statement;
    if (statement.type !== 'EncryptedPublicKey') return statement;
    return world.resign(statement, 'EncryptedPublicKey', {
      ...contentOf(statement, 'EncryptedPublicKey'),
      commitmentHash: shown.hash,
    });
  });
  expect(liar.member.self).toBe(LIAR);
  return network;
}

function lieFrom(
  network: KeygenNetwork,
  world: World,
  change: (content: ContentOf<'EncryptedKeyGenCommitment'>) => ContentOf<'EncryptedKeyGenCommitment'>,
): { statement: Statement; hash: Hex } {
  const honest = ownCommitment(network, LIAR);
  const statement = world.resign(
    honest,
    'EncryptedKeyGenCommitment',
    change(contentOf(honest, 'EncryptedKeyGenCommitment')),
  );
  return { statement, hash: statementHash(statement) };
}

/** The commitment statement that lies beside the polynomial. */
function ownCommitment(network: KeygenNetwork, index: number): Statement {
  const row = network.node(index).secrets.get('POLYNOMIAL') ?? new Uint8Array();
  const coefficients = new DataView(row.buffer, row.byteOffset).getUint32(0);
  return JSON.parse(new TextDecoder().decode(row.subarray(8 + coefficients))) as Statement;
}

function expectBlamed(network: KeygenNetwork, reason: string): void {
  network.run();
  for (const index of network.honest()) {
    expect(network.node(index).state?.stage, `operator ${index}`).toBe('Failed');
    expect(network.blamed(index), `blamed by operator ${index}`).toEqual([LIAR]);
    expect(network.node(index).evidence.get(LIAR)?.reason).toBe(reason);
    expect([...network.node(index).secrets.keys()], 'ephemeral secrets are deleted').toEqual([]);
  }
  expect(network.keys.size, 'nobody stored a key').toBe(0);
}

describe.each(SUITES)('%s', (suite) => {
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

  test.each([
    ['DKG-01 one commitment too many', (c: Hex[]) => [...c, c[0] as Hex]],
    ['DKG-01 one commitment too few', (c: Hex[]) => c.slice(1)],
    ['DKG-02 an identity commitment', (c: Hex[]) => [c[0] as Hex, identityOf(suite)]],
    ['DKG-05 another dealer’s secret behind an own proof', (c: Hex[]) => [c[1] as Hex, c[1] as Hex]],
    [
      'ENC-03 a coordinate that is not reduced',
      (c: Hex[]) => [`0x${suite.includes('secp') ? '04' : ''}${'ff'.repeat(64)}` as Hex, c[1] as Hex],
    ],
  ])('%s: every honest node names the dealer before a share is used', (_name, change) => {
    const world = new World({ n: 3, t: 2, suite });
    const network = badDealer(world, (content) => ({ ...content, commitments: change(content.commitments as Hex[]) }));
    expectBlamed(network, 'InvalidCommitment');
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

  test.each([
    [
      'DKG-10 a share that is not on the polynomial',
      (_: Hex) => toHex(Uint8Array.from({ length: 32 }, (__, i) => (i === 15 ? 5 : 0))),
    ],
    ['DKG-10 a share that is not canonical', (_: Hex) => `0x${'ff'.repeat(32)}` as Hex],
    ['DKG-10 a share of zero', (_: Hex) => `0x${'00'.repeat(32)}` as Hex],
  ])('%s convicts its dealer at every honest node, the victim being one', (_name, change) => {
    const world = new World({ n: 4, t: 3, suite });
    const network = new KeygenNetwork(world);
    network.lie(
      LIAR,
      instead(world, 'EncryptedKeyShare', ({ share }) => ({ share: change(share) }), [3]),
    );
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
      network.lie(
        index,
        instead(world, 'EncryptedKeyShare', () => ({ share: `0x${'00'.repeat(31)}01` }), [1]),
      );
    network.run();
    expect(network.blamed(1)).toEqual([2, 4]);
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
  const network = badDealer(world, (content) => ({ ...content, commitments: change(content.commitments as Hex[]) }));
  expectBlamed(network, 'InvalidCommitment');
});

test('DKG-07 other commitments for some: the announced hash convicts the dealer, and its peers hear the proof', () => {
  const world = new World({ n: 4, t: 2 });
  const network = new KeygenNetwork(world);
  network.lie(
    LIAR,
    instead(
      world,
      'EncryptedKeyGenCommitment',
      (content) => ({ ...content, proofOfKnowledge: `0x${'11'.repeat(64)}` }),
      [3],
    ),
  );
  network.run();
  expect(network.node(3).state).toMatchObject({
    stage: 'Failed',
    reason: 'InvalidCommitment',
    culprits: [{ index: LIAR }],
  });
  for (const index of network.honest()) expect(network.blamed(index)).toEqual([LIAR]);
});

test('DKG-07 another sealing key for some: nobody certifies a key, and the exhibits convict the dealer', () => {
  const world = new World({ n: 4, t: 2 });
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
  const world = new World({ n: 3, t: 2 });
  const network = new KeygenNetwork(world);
  network.lie(LIAR, (statement, to) =>
    statement.type === 'KeyGenCertificate' || (statement.type === 'KeyGenVerdict' && to !== 1) ? undefined : statement,
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
  const world = new World({ n: 3, t: 2 });
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
  const world = new World({ n: 3, t: 2 });
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
  const world = new World({ n: 3, t: 2 });
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
  const world = new World({ n: 3, t: 2 });
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
  const world = new World({ n: 3, t: 2 });
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
  const world = new World({ n: 3, t: 2 });
  const network = new KeygenNetwork(world);
  network.node(3).secrets.delete('POLYNOMIAL');
  network.run();
  expect(network.node(3).state).toMatchObject({ stage: 'Failed', reason: 'Aborted', culprits: [] });
  expect(network.node(3).said.filter((statement) => statement.type === 'EncryptedKeyGenCommitment')).toEqual([]);
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
  const key = network.certificate().outputKey;
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
