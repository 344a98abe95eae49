/**
 * Drills: one table of one operator comes back as it was, after every one of its changes, in the middle of a ceremony or after its end. What was said stays said, what
 * was spent stays spent, and an operator whose table is gone harms nobody but itself.
 */
import { describe, expect, test } from 'vitest';
import type { SecretName } from '../../lib/ceremony.ts';
import type { TableSnapshot } from '../../lib/local/cloud.ts';
import { identityOf } from '../../lib/local/committee.ts';
import { SeededRandom } from '../../lib/local/random.ts';
import { parseBody } from '../../lib/messages/catalogue.ts';
import { toHex } from '../../lib/messages/hex.ts';
import type { Sealer } from '../../lib/messages/sealing.ts';
import { type SealedStatement, type Statement, statementHash } from '../../lib/messages/statement.ts';
import { parseQueueName } from '../../lib/messages/topics.ts';
import type { Table } from '../../lib/ports.ts';
import { NodeWorld } from '../node/world.ts';
import { standInSealer } from '../simulation/stand-in-sealer.ts';

const VICTIM = 1;
type Phase = 'keygen' | 'signing';

/** Everything that the victim says, sealed or not, by place. */
class Ear {
  readonly places = new Map<string, Set<string>>();
  /** What was sealed, by ciphertext: it is said when it leaves, and not before. */
  readonly #sealed = new Map<string, Statement>();

  hear(said: Statement): void {
    if (said.from !== VICTIM) return;
    const place = `${said.type} ${said.ceremony} ${said.slot} ${said.to}`;
    const hashes = (this.places.get(place) ?? new Set<string>()).add(statementHash(said));
    this.places.set(place, hashes);
  }

  sealer(): Sealer {
    const inner = standInSealer(new SeededRandom(new Uint8Array(32).fill(9), 'drill').bytes(32));
    return {
      ...inner,
      seal: async (key, header, recipient, plaintext, randomness) => {
        const sealed = await inner.seal(key, header, recipient, plaintext, randomness);
        const statement = JSON.parse(new TextDecoder().decode(plaintext)) as Statement;
        this.#sealed.set(toHex(sealed.ciphertext), statement);
        return sealed;
      },
    };
  }

  listen(world: NodeWorld): void {
    world.cloud.inspect.onSend(({ queue, body }) => {
      const at = parseQueueName(queue);
      if (at?.identity !== identityOf(VICTIM) || at.message !== 'Outbound') return;
      const parsed = parseBody(body);
      if (!parsed.ok) return;
      const said = parsed.payload as Statement | SealedStatement;
      const statement = 'ciphertext' in said ? this.#sealed.get(said.ciphertext) : said;
      if (statement) this.hear(statement);
    });
  }

  contradictions(): string[] {
    return [...this.places].filter(([, hashes]) => hashes.size > 1).map(([place]) => place);
  }
}

interface Drill {
  readonly world: NodeWorld;
  readonly ear: Ear;
  /** How often the table changed in the phase. */
  readonly changes: number;
  /** Shares that were released after the table was back. (One that was committed before may still have been on its way.) */
  readonly sharesAfter: number;
  readonly callsAfter: number;
  /** Whether the table ever came back: there may be no such change. */
  readonly restored: boolean;
}

/** @param step after which of its changes the table is what it comes back as @param when at once, or after the end */
async function drill(phase: Phase, table: Table, step: number, when: 'at once' | 'after the end'): Promise<Drill> {
  const ear = new Ear();
  const world = new NodeWorld({ seed: 5, genesis: false, instruments: { sealer: ear.sealer() } });
  ear.listen(world);
  await world.assembled();
  const namespace = world.namespace(VICTIM);
  const keygen = {
    KeyGen: {
      coin: 'sol',
      suite: 'FROST-ED25519-SHA512-v1' as const,
      t: 2,
      signers: [1, 2, 3],
      requestId: `0x${'ab'.repeat(16)}` as const,
      expiresAt: world.committee.now() + 600,
    },
  };
  if (phase === 'signing') {
    await world.instruct(keygen);
    await world.run();
  }
  const instruction = phase === 'signing' ? world.sign() : keygen;
  const calls = () => [...world.cloud.inspect.calls().values()].reduce((sum, each) => sum + each, 0);
  const snapshots: TableSnapshot[] = [world.cloud.snapshotTable(namespace, table)];
  let shares = 0;
  let before = 0;
  let restored = false;
  const restore = (snapshot: TableSnapshot | undefined): void => {
    if (!snapshot || restored) return;
    restored = true;
    shares = released(world);
    before = calls();
    world.cloud.restoreTable(namespace, snapshot);
  };
  let last = JSON.stringify(snapshots[0]?.items, bytes);
  const stop = world.cloud.intercept((call) => {
    if (call.namespace !== namespace || call.when !== 'after' || call.port !== 'store' || restored) return;
    const now = world.cloud.snapshotTable(namespace, table);
    const text = JSON.stringify(now.items, bytes);
    if (text === last) return;
    last = text;
    snapshots.push(now);
    if (when === 'at once' && snapshots.length === step + 2) restore(snapshots[step]);
  });
  await world.instruct(instruction);
  await world.run(400);
  stop();
  if (when === 'after the end') restore(snapshots[Math.min(step, snapshots.length - 1)]);
  await world.instruct(instruction);
  await world.control(VICTIM, { CleanUp: {} });
  await world.run(3_600);
  return {
    world,
    ear,
    changes: snapshots.length - 1,
    sharesAfter: released(world) - shares,
    callsAfter: calls() - before,
    restored,
  };
}

function released(world: NodeWorld): number {
  return world.items(VICTIM, 'Ceremonies').filter(({ sk }) => sk.startsWith('SHARE#')).length;
}

function bytes(_key: string, value: unknown): unknown {
  return value instanceof Set ? [...value] : value;
}

/** Every fifth step in `npm test`; all of them with `DRILLS=all`. */
const STRIDE = process.env['DRILLS'] === 'all' ? 1 : 5;
const MOST = 40;

describe.each<Phase>(['keygen', 'signing'])('in %s', (phase) => {
  describe.each<Table>(['Ceremonies', 'Nonces', 'Keys', 'Directory'])('the %s table', (table) => {
    test.each(['at once', 'after the end'] as const)(
      'NON-03, S4 comes back %s, as it was after any of its changes: no place has two statements, and nobody is named',
      async (when) => {
        let changes = 1;
        for (let step = when === 'at once' ? 0 : 1; step <= Math.min(changes, MOST); step += STRIDE) {
          const run = await drill(phase, table, step, when);
          if (!run.restored) break;
          changes = Math.max(changes, run.changes);
          const what = `${table} as after change ${step} of ${changes}, ${when}`;
          expect(run.ear.contradictions(), what).toEqual([]);
          expect(run.callsAfter, `${what}: it does not spin`).toBeLessThan(4_000);
          for (const operator of [2, 3])
            expect(
              run.world.items(operator, 'Ceremonies').filter(({ sk }) => sk.startsWith('EVIDENCE#')),
              `${what}: operator ${operator} holds no proof`,
            ).toEqual([]);
          if (table === 'Nonces') {
            expect(run.sharesAfter, `${what}: no share is released`).toBe(0);
            await expectUnreadable(run.world);
          }
          // Two others are t: whatever became of the third, they have signed.
          if (phase === 'signing')
            for (const operator of [2, 3]) expect(run.world.signing(operator)?.stage, what).toBe('Succeeded');
        }
      },
    );
  });
});

/** Nothing that lies in a table that came back can be opened, by the operator itself. */
async function expectUnreadable(world: NodeWorld): Promise<void> {
  for (const { pk, sk, blob } of world.items(VICTIM, 'Nonces')) {
    if (!(blob instanceof Uint8Array)) continue;
    const opened = world
      .vault(VICTIM)
      .unwrap({ kind: 'ceremony', id: pk.slice(2) as `0x${string}` }, sk as SecretName, blob);
    await expect(opened, `${pk} ${sk}`).rejects.toMatchObject({ kind: 'WrongContext' });
  }
}
