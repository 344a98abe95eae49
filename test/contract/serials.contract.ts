/** What decides about money must hold on every engine: conditional writes of serials, under real concurrency. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Store } from '../../lib/ports.ts';
import { id32, tag, transaction } from '../signing-service/plain.ts';
import { TokenWorld } from '../signing-service/world.ts';

const SPENDERS = 50;

/** @param makeStore one service's tables, shared by all of its processes */
export function serialsContract(name: string, makeStore: () => Promise<Store>): void {
  describe(`serials contract: ${name}`, () => {
    const world = async () => {
      const store = identified(await makeStore());
      return TokenWorld.create({ n: 4, t: 3, f: 1, store: () => store });
    };
    const fresh = () => tag(randomUUID());
    const winners = (answers: readonly object[]): number => answers.filter((answer) => 'vote' in answer).length;

    test('ECASH-06: of fifty transactions at once for one serial one is voted for, and the others are told which', async () => {
      const { made } = bound(await world());
      const serial = fresh();
      const answers = await Promise.all(
        Array.from({ length: SPENDERS }, (_, i) => made().process(transaction({ tags: [serial], outputs: [`${i}`] }))),
      );
      expect(winners(answers)).toBe(1);
      const holders = answers.flatMap((answer) =>
        'refusal' in answer && answer.refusal.reason === 'Locked' ? [answer.refusal.transaction] : [],
      );
      expect(holders).toHaveLength(SPENDERS - 1);
      expect(new Set(holders).size).toBe(1);
    }, 60_000);

    test('the same transaction fifty times at once has one answer', async () => {
      const { made } = bound(await world());
      const message = transaction({ tags: [fresh(), fresh()], outputs: ['o'] });
      const answers = await Promise.all(Array.from({ length: SPENDERS }, () => made().process(message)));
      expect(winners(answers)).toBe(SPENDERS);
      expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    }, 60_000);

    test('transactions that cross each other lock all or nothing', async () => {
      const { made } = bound(await world());
      const [a, b] = [fresh(), fresh()];
      const answers = await Promise.all(
        [[a, b], [b, a], [a], [b]].map((tags, i) => made().process(transaction({ tags, outputs: [`${i}`] }))),
      );
      // Both single ones, or one of the pairs, or one single one.
      expect(winners(answers)).toBeGreaterThanOrEqual(1);
      expect(winners(answers)).toBeLessThanOrEqual(2);
      if (winners(answers.slice(0, 2)) > 0) expect(winners(answers)).toBe(1);
    }, 60_000);

    test('deposits at once stay below the cap', async () => {
      const { made } = bound(await world());
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          made().process(
            transaction({ deposits: [{ depositId: id32(`${randomUUID()} ${i}`), value: 300 }], outputs: ['o'] }),
          ),
        ),
      );
      expect(winners(answers)).toBe(3);
    }, 60_000);
  });
}

/** Some engines show no `TableId`; what a service does with it is tested elsewhere. */
function identified(store: Store): Store {
  return new Proxy(store, {
    get: (target, property) => {
      if (property === 'tableId') return async (table: string) => table;
      const member: unknown = Reflect.get(target, property);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

function bound(world: TokenWorld) {
  return { made: () => world.made(1) };
}
