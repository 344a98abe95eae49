/** Attacks on key generation that have no place of their own elsewhere; `docs/attacks.md` lists them all. */

import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { expect, test } from 'vitest';
import type { FrostCertificate } from '../../lib/messages/certificate.ts';
import { parseContent } from '../../lib/messages/contents.ts';
import { fromHex, toHex } from '../../lib/messages/hex.ts';
import type { Statement, StatementType } from '../../lib/messages/statement.ts';
import { KeygenNetwork, START, World } from '../ceremonies/network.ts';

/** Statements that were shown as evidence, by whoever showed them. */
function shown(network: KeygenNetwork): Statement[] {
  return network.honest().flatMap((index) =>
    network
      .node(index)
      .said.filter(({ type }) => type === 'KeyGenEvidence')
      .flatMap((exhibit) => {
        const parsed = parseContent('KeyGenEvidence', exhibit.content);
        return parsed.ok ? parsed.content.statements : [];
      }),
  );
}

test('DKG-12, BLM-06 whatever is proven, no point of an honest polynomial and no key is revealed', () => {
  const world = new World({ n: 6, t: 3 });
  const network = new KeygenNetwork(world);
  const liars = [2, 5];
  for (const liar of liars)
    network.lie(liar, (statement) =>
      statement.type === 'EncryptedKeyShare'
        ? world.resignText(statement, `{"share":"0x${'01'.repeat(32)}"}`)
        : statement,
    );
  network.run();
  const exhibits = shown(network);
  expect(exhibits.length).toBeGreaterThan(0);
  const points = exhibits.filter(({ type }) => type === 'EncryptedKeyShare');
  expect(new Set(points.map(({ from }) => from))).toEqual(new Set(liars));
  // What the liars themselves show is theirs to show; of an honest dealer nobody showed a share.
  expect(points.filter(({ from }) => !liars.includes(from))).toEqual([]);
  const text = JSON.stringify(exhibits);
  for (const index of network.honest())
    for (const [name, bytes] of network.node(index).secrets)
      expect(text, `${name} of ${index}`).not.toContain(toHex(bytes).slice(2));
});

test.each<[string, StatementType]>([
  ['never begins', 'EncryptedPublicKey'],
  ['stops before its commitments', 'EncryptedKeyGenCommitment'],
  ['stops before its shares', 'EncryptedKeyShare'],
  ['stops before its verdict', 'KeyGenVerdict'],
])('DKG-13 an operator that %s is waited for, ends the ceremony for all, and is blamed by nobody', (_name, from) => {
  const order: readonly StatementType[] = [
    'EncryptedPublicKey',
    'EncryptedKeyGenCommitment',
    'EncryptedKeyShare',
    'KeyGenVerdict',
    'KeyGenCertificate',
  ];
  const world = new World({ n: 4, t: 2 });
  const network = new KeygenNetwork(world);
  network.lie(3, (statement) => (order.indexOf(statement.type) >= order.indexOf(from) ? undefined : statement));
  network.run();
  network.wake(START + 600);
  for (const index of network.honest()) {
    const { state } = network.node(index);
    // Before its own confirmation left a node fails; after it, the others may still hold a certificate.
    expect(state).toMatchObject({
      stage: from === 'KeyGenVerdict' ? 'Unresolved' : 'Failed',
      culprits: [],
    });
    expect(network.blamed(index)).toEqual([]);
  }
  const first = network.honest().map((index) => network.node(index).state);
  expect(first.some((state) => state && 'unresponsive' in state && state.unresponsive.includes(3))).toBe(true);
});

test('DKG-13 an operator that hears nobody fails alone, and nobody else has a key', () => {
  const network = new KeygenNetwork(new World({ n: 3, t: 2 }));
  network.down.add(2);
  network.run();
  network.wake(START + 600);
  expect(network.stages()).toEqual(['Failed', 'Failed']);
  expect(network.keys.size).toBe(0);
});

test('DKG-15 a Taproot key commits to no script: the output key is the internal key tweaked with the empty tree, and by nothing else', () => {
  const network = new KeygenNetwork(new World({ n: 3, t: 2, suite: 'FROST-secp256k1-SHA256-TR-v1' }));
  network.run();
  const { internalKey, outputKey } = network.certificate() as FrostCertificate;
  // BIP 341, "Constructing and spending Taproot outputs": Q = lift_x(P) + H_TapTweak(x(P))·G, with no Merkle root.
  const x = fromHex(internalKey).slice(-32);
  const tweak = secp256k1.Point.Fn.create(BigInt(toHex(schnorr.utils.taggedHash('TapTweak', x))));
  const expected = schnorr.utils.lift_x(BigInt(toHex(x))).add(secp256k1.Point.BASE.multiply(tweak));
  expect(toHex(fromHex(outputKey).slice(-32))).toBe(toHex(schnorr.utils.pointToBytes(expected)));
});
