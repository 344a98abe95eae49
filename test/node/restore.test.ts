/** Tables that come back from a backup: what was said stays said, and what was spent stays spent. */
import { expect, test } from 'vitest';
import type { TableSnapshot } from '../../lib/local/cloud.ts';
import { identityOf } from '../../lib/local/committee.ts';
import { parseBody } from '../../lib/messages/catalogue.ts';
import { hpkeSealer, openSealed } from '../../lib/messages/sealing.ts';
import { type SealedStatement, type Statement, statementHash } from '../../lib/messages/statement.ts';
import { parseQueueName } from '../../lib/messages/topics.ts';
import { OWN_KEYS } from '../../lib/node/rows.ts';
import { ledBy, NodeWorld } from './world.ts';

/** What an operator said, by place: more than one hash in a place is a contradiction. Sealed statements are compared once opened, by those who may. */
class Ear {
  readonly places = new Map<string, Set<string>>();
  readonly #sealed: SealedStatement[] = [];

  constructor(world: NodeWorld, operator: number) {
    world.cloud.inspect.onSend(({ queue, body }) => {
      const at = parseQueueName(queue);
      if (at?.identity !== identityOf(operator) || at.message !== 'Outbound') return;
      const parsed = parseBody(body);
      if (!parsed.ok) return;
      const said = parsed.payload as Statement | SealedStatement;
      if ('ciphertext' in said) this.#sealed.push(said);
      else this.#hear(said);
    });
  }

  #hear(said: Statement): void {
    const place = `${said.type} ${said.ceremony} ${said.slot} ${said.to}`;
    this.places.set(place, (this.places.get(place) ?? new Set()).add(statementHash(said)));
  }

  /** Those sealed to messaging keys can be opened for ever. */
  async openAll(world: NodeWorld): Promise<void> {
    for (const said of this.#sealed) {
      if (said.type !== 'EncryptedPublicKey') continue;
      const key = world.committee.committee.signatureKey(said.coin, said.from);
      const opened = await openSealed(said, await world.ownSecret(said.recipient, 'MESSAGING'), hpkeSealer, key);
      if (opened.ok) this.#hear(opened.statement);
    }
  }

  contradictions(): string[] {
    return [...this.places].filter(([, hashes]) => hashes.size > 1).map(([place]) => place);
  }
}

const shares = (world: NodeWorld, operator: number) =>
  world.items(operator, 'Ceremonies').filter(({ sk }) => sk.startsWith('SHARE#'));

test('NON-03 a restored Nonces table opens nothing: no share leaves, nothing spins, and the others sign', async () => {
  const world = await new NodeWorld().assembled();
  const instruction = world.sign();
  // Nonces are committed, and no package can come yet: nobody else has authorised.
  await world.instruct(instruction, [1]);
  await world.run(5);
  expect(world.items(1, 'Nonces').some(({ sk }) => sk.startsWith('NONCE#'))).toBe(true);
  world.cloud.restoreTable(world.namespace(1), world.cloud.snapshotTable(world.namespace(1), 'Nonces'));
  // The next leader's turn comes, and no nonce can be made for it.
  await world.run(40);
  await world.instruct(instruction, [2, 3]);
  await world.run();
  expect(shares(world, 1)).toEqual([]);
  for (const operator of [1, 2, 3]) expect(world.signing(operator)?.stage).toBe('Succeeded');
  expect(world.count('HandlerFailed', 1)).toBe(0);
});

test('NON-03 a key generation that began with another Nonces table fails, and stores no key', async () => {
  const world = new NodeWorld({ dies: { operator: 2, at: 'EncryptedPublicKeyIn' } });
  await world.committee.assemble();
  await world.run(5);
  world.cloud.restoreTable(world.namespace(1), world.cloud.snapshotTable(world.namespace(1), 'Nonces'));
  await world.run();
  expect(world.keygen(1)?.stage).toBe('Failed');
  expect(world.items(1, 'Keys').filter(({ pk }) => pk.startsWith('K#'))).toEqual([]);
});

/** Takes the table back to how it was after each of its changes, once, and lets everything come again. */
async function rolledBack(seed: number, phase: 'keygen' | 'signing', steps: number) {
  const world = new NodeWorld({ seed, genesis: false });
  const ear = new Ear(world, 1);
  await world.assembled();
  const keygen = {
    KeyGen: {
      coin: 'sol',
      suite: 'FROST-ED25519-SHA512-v1',
      t: 2,
      signers: [1, 2, 3],
      requestId: `0x${'ab'.repeat(16)}`,
      expiresAt: world.committee.now() + 600,
    },
  } as const;
  const asked = { KeyGen: { ...keygen.KeyGen, signers: [1, 2, 3] } };
  if (phase === 'signing') {
    await world.instruct(asked);
    await world.run();
  }
  const instruction = phase === 'signing' ? world.sign() : asked;
  const snapshots: TableSnapshot[] = [world.cloud.snapshotTable(world.namespace(1), 'Ceremonies')];
  const stop = world.cloud.intercept(({ namespace, when, operation }) => {
    if (namespace === world.namespace(1) && when === 'after' && operation === 'transact')
      snapshots.push(world.cloud.snapshotTable(namespace, 'Ceremonies'));
  });
  await world.instruct(instruction);
  await world.run(400);
  stop();
  const snapshot = snapshots[Math.min(steps, snapshots.length - 1)];
  if (!snapshot) throw new Error('there is a snapshot');
  const keys = world.items(1, 'Keys').filter(({ sk }) => sk === 'SHARE').length;
  world.cloud.restoreTable(world.namespace(1), snapshot);
  const calls = [...world.cloud.inspect.calls().values()].reduce((sum, each) => sum + each, 0);
  await world.instruct(instruction);
  await world.control(1, { CleanUp: {} });
  await world.run(3_600);
  await ear.openAll(world);
  const spent = [...world.cloud.inspect.calls().values()].reduce((sum, each) => sum + each, 0) - calls;
  return { world, ear, spent, keys, snapshots: snapshots.length };
}

test.each(['keygen', 'signing'] as const)(
  'NON-03, S4 a restored Ceremonies table of any age in %s says nothing else, loses no share, and does not spin',
  async (phase) => {
    for (let steps = 0; steps < 6; steps++) {
      const { world, ear, spent, keys } = await rolledBack(5, phase, steps);
      expect(ear.contradictions(), `after ${steps} transactions`).toEqual([]);
      expect(spent, `port calls after ${steps} transactions`).toBeLessThan(3_000);
      expect(world.items(1, 'Keys').filter(({ sk }) => sk === 'SHARE').length, 'shares kept').toBeGreaterThanOrEqual(
        keys,
      );
      for (const operator of [2, 3]) {
        expect(world.items(operator, 'Ceremonies').filter(({ sk }) => sk.startsWith('EVIDENCE#'))).toEqual([]);
      }
    }
  },
);

test('NON-03 a leader whose Ceremonies table was lost and who hears others first is refused by what it said, and is woken once a minute at most', async () => {
  const world = await new NodeWorld({ operators: 4, threshold: 2 }).assembled();
  const { instruction, ceremony } = ledBy(world, 1, { expiresAt: world.committee.now() + 3_600 });
  const empty = world.cloud.snapshotTable(world.namespace(1), 'Ceremonies');
  await world.instruct(instruction, [1, 3]);
  await world.run(3);
  expect(world.signatures(1, ceremony)).toHaveLength(1);
  world.cloud.restoreTable(world.namespace(1), empty);
  // The others commit to it now, and the same session would be of other signers.
  for (const operator of [1, 3]) world.committee.kill(operator);
  await world.instruct(instruction, [2, 4]);
  await world.run(3);
  world.committee.revive(1);
  let wakes = 0;
  world.cloud.inspect.onSend(({ queue }) => {
    const name = parseQueueName(queue);
    if (name?.identity === identityOf(1) && name.message === 'Wake') wakes++;
  });
  const minutes = 55;
  for (let minute = 0; minute < minutes; minute++) {
    // The scheduled rule, too.
    await world.control(1, { CleanUp: {} });
    await world.run(60);
  }
  expect(world.count('CommitRefused', 1)).toBeGreaterThan(1);
  expect(wakes).toBeGreaterThan(0);
  expect(wakes).toBeLessThan(2 * minutes);
  await world.run(600);
  expect(world.signing(1, ceremony)?.stage).toBe('Failed');
});

test('a Directory table from before the first start is refused, and does not make keys for ever', async () => {
  const world = await new NodeWorld({ genesis: false }).assembled();
  const before = {
    table: 'Directory',
    items: world.items(1, 'Directory').filter(({ pk, sk }) => pk !== OWN_KEYS.pk || sk !== OWN_KEYS.sk),
  } as const;
  world.cloud.restoreTable(world.namespace(1), before);
  await world.cloud.bus().send([{ queue: `coterie-${identityOf(1)}-sol-Start` as never, body: '{"Start":{}}' }]);
  await world.run(10);
  expect(world.count('HandlerFailed', 1)).toBe(1);
  expect(world.items(1, 'Directory').some(({ pk, sk }) => pk === OWN_KEYS.pk && sk === OWN_KEYS.sk)).toBe(false);
});
