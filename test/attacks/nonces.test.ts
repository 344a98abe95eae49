/** Attacks on signing and its nonces that have no place of their own elsewhere; `docs/attacks.md` lists them all. */
import { describe, expect, test } from 'vitest';
import { contentText, parseContent } from '../../lib/messages/contents.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import type { Statement } from '../../lib/messages/statement.ts';
import { leaderOf } from '../../lib/signing/step.ts';
import { type FrostSuite, KeygenNetwork, SigningNetwork, START, seeded, World } from '../ceremonies/network.ts';
import { secondPackage } from '../simulation/byzantine.ts';
import { played, unharmed } from '../simulation/byzantine-world.ts';

const SUITES: readonly FrostSuite[] = ['FROST-secp256k1-SHA256-TR-v1', 'FROST-ED25519-SHA512-v1'];

const made = new Map<string, KeygenNetwork>();
function keys(n: number, t: number, suite: FrostSuite): KeygenNetwork {
  const name = `${n} ${t} ${suite}`;
  const known = made.get(name) ?? new KeygenNetwork(new World({ n, t, suite }));
  if (!made.has(name)) known.run();
  made.set(name, known);
  return known;
}

function signing(made: KeygenNetwork, messages: readonly Hex[], request: string): SigningNetwork {
  const { state } = made.node(1);
  if (state?.stage !== 'Succeeded') throw new Error('there is no key');
  const requestId = `0x${Buffer.from(seeded(request)(16)).toString('hex')}` as Hex;
  return new SigningNetwork(made, state.keyId, messages, requestId);
}

/** Every nonce commitment that an operator ever published, in its statements. */
function published(network: SigningNetwork, index: number): string[] {
  // Also what it said to itself, where it leads.
  const { said, recorded } = network.node(index);
  const own = new Set([...said, ...[...recorded.values()].filter(({ from }) => from === index)]);
  return [...own].flatMap((statement) => {
    if (statement.type === 'NonceCommitment') {
      const parsed = parseContent('NonceCommitment', statement.content);
      return parsed.ok ? parsed.content.commitments.flatMap(({ hiding, binding }) => [hiding, binding]) : [];
    }
    const parsed = statement.type === 'SignatureShare' ? parseContent('SignatureShare', statement.content) : undefined;
    return parsed?.ok ? parsed.content.next.flatMap(({ hiding, binding }) => [hiding, binding]) : [];
  });
}

test('NON-04 two packages for one nonce, in two invocations at once: one share leaves, and the key cannot be solved for', async () => {
  for (let seed = 1; seed <= 3; seed++) {
    const behaviour = secondPackage(seed % 2 === 0 ? 'the same session' : 'the next session');
    const run = await played({ behaviour, leads: true, seed, profile: { concurrency: 3 } });
    // The auditor sees every share that is stored or sent, groups them by nonce, and tries to solve for the key.
    expect(unharmed(run)).toEqual([]);
    expect(run.honest.map((operator) => run.signing(operator)?.stage)).toEqual(['Succeeded', 'Succeeded']);
  }
});

describe.each(SUITES)('%s', (suite) => {
  test('NON-06 from randomness that only repeats itself, no two places get one nonce', () => {
    const network = (request: string): SigningNetwork => {
      const stuck = signing(keys(3, 2, suite), ['0x6869', '0x00'], request);
      Object.assign(stuck, { random: (length: number) => new Uint8Array(length).fill(7) });
      stuck.authoriseAll();
      stuck.run();
      return stuck;
    };
    const [a, b] = [network('one'), network('another')];
    for (const index of [1, 2, 3]) {
      const all = [...published(a, index), ...published(b, index)];
      expect(all.length).toBeGreaterThanOrEqual(8);
      expect(new Set(all).size).toBe(all.length);
    }
  });

  test('NON-14 after a failed session nothing of it is used again: every session has nonces of its own', () => {
    const network = signing(keys(5, 3, suite), ['0x6869'], 'failed sessions');
    network.authoriseAll();
    const ceremony = network.node(1).state?.ceremony ?? '0x';
    const first = leaderOf(network.parameters, ceremony, 0);
    const liars = network.world
      .indexes()
      .filter((index) => index !== first)
      .slice(0, 2);
    for (const liar of liars)
      network.lie(liar, (statement) => {
        const parsed =
          statement.type === 'SignatureShare' ? parseContent('SignatureShare', statement.content) : undefined;
        if (!parsed?.ok) return statement;
        const shares = parsed.content.shares.map(() => `0x01${'00'.repeat(31)}` as Hex);
        return network.world.resignText(statement, contentText('SignatureShare', { ...parsed.content, shares }));
      });
    network.run();
    for (const later of [2, 4, 6]) network.wake(START + later);
    const packages = network.node(first).said.filter(({ type }) => type === 'SigningPackage');
    expect(packages.length, 'sessions failed').toBeGreaterThan(1);
    for (const index of network.honest()) {
      const used = packages.flatMap((statement) => {
        const parsed = parseContent('SigningPackage', statement.content);
        const position = parsed.ok ? parsed.content.signers.indexOf(index) : -1;
        return parsed.ok && position >= 0 ? [JSON.stringify(parsed.content.commitments[position])] : [];
      });
      expect(new Set(used).size, `operator ${index}`).toBe(used.length);
    }
    for (const index of network.honest()) expect(network.node(index).state?.stage).toBe('Succeeded');
    expect(network.blamed(first)).toEqual([...liars].sort((a, b) => a - b));
  });
});

test('NON-12 a good share in another’s statement is no voice of that other, and no share of the one who repeats it', () => {
  const network = signing(keys(4, 3, 'FROST-ED25519-SHA512-v1'), ['0x6869'], 'a borrowed share');
  network.authoriseAll();
  const ceremony = network.node(1).state?.ceremony ?? '0x';
  const first = leaderOf(network.parameters, ceremony, 0);
  const [victim = 0, thief = 0] = network.world.indexes().filter((index) => index !== first);
  let share: Statement | undefined;
  network.lie(victim, (statement) => {
    if (statement.type === 'SignatureShare') share = statement;
    return statement;
  });
  network.lie(thief, (statement) =>
    statement.type === 'SignatureShare' && share ? network.world.resignText(statement, share.content) : statement,
  );
  network.run();
  for (const later of [2, 4, 15, 17]) network.wake(START + later);
  expect(share, 'the victim answered').toBeDefined();
  // Its proof names the thief alone: whose share it is says the signature on the statement.
  expect(network.blamed(first)).toEqual([thief]);
  expect(network.node(first).state?.stage).toBe('Succeeded');
});
