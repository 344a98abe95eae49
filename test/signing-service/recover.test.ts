/** `RecoverIssued`: what a restored wallet is told, whatever others have put beside it. */
import { describe, expect, test } from 'vitest';
import type { Hex } from '../../lib/messages/hex.ts';
import type { RecoveryPlace } from '../../lib/messages/tokens.ts';
import { recover, TRANSACTIONS_AN_ANSWER } from '../../lib/signing-service/recover.ts';
import { ASSET, EPOCH, id32, idOf, PlainScheme, tag, transaction } from './plain.ts';
import { TokenWorld } from './world.ts';

const OUTPUT = 'the payee’s marker';
const ID = id32(`output ${OUTPUT}`);
const scheme = new PlainScheme();

/** Ids, in the order in which they are told, and how many at a time. */
async function told(world: TokenWorld, outputs: readonly Hex[]): Promise<{ ids: Hex[]; pages: number[] }> {
  const ids: Hex[] = [];
  const pages: number[] = [];
  for (let after: RecoveryPlace | undefined; ; ) {
    const { issued, next } = await recover(world.store(1), ASSET, EPOCH, { outputs, after });
    pages.push(issued.length);
    for (const each of issued) {
      const read = scheme.read(Buffer.from(each.transaction.slice(2), 'hex'));
      if (read.ok) ids.push(read.transaction.id);
    }
    if (!next) return { ids, pages };
    after = next;
  }
}

/** Transactions of one output that somebody locks and never finishes. */
async function junk(world: TokenWorld, count: number): Promise<Hex[]> {
  const ids: Hex[] = [];
  for (let i = 0; i < count; i++) {
    const message = transaction({ tags: [tag(`junk ${i}`)], outputs: [OUTPUT, `own ${i}`] });
    await world.service(1).process(message);
    ids.push(idOf(message));
  }
  return ids;
}

describe('what a restored wallet asks for by its outputs', () => {
  test('is told before whatever a payer locked beside it, however much that is, and all of it in the end', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    const first = await junk(world, TRANSACTIONS_AN_ANSWER);
    const payment = transaction({ tags: [tag('paid')], outputs: [OUTPUT, 'the payee’s token'] });
    await world.network.process(payment);
    const { ids, pages } = await told(world, [ID]);
    expect(ids[0]).toBe(idOf(payment));
    expect(new Set(ids)).toEqual(new Set([...first, idOf(payment)]));
    expect(Math.max(...pages)).toBeLessThanOrEqual(TRANSACTIONS_AN_ANSWER);
  });

  test('is told of each output, in lists that end anywhere', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    // One list ends where an answer ends.
    const locked = await junk(world, TRANSACTIONS_AN_ANSWER);
    const other = transaction({ tags: [tag('other')], outputs: ['another’s marker'] });
    await world.service(1).process(other);
    const { ids, pages } = await told(world, [ID, id32('output another’s marker'), id32('output of nobody'), ID]);
    expect(new Set(ids)).toEqual(new Set([...locked, idOf(other)]));
    expect(ids).toHaveLength(locked.length + 1);
    expect(pages).toEqual([TRANSACTIONS_AN_ANSWER, 1]);
  });

  test('is not missed when it is certified between two questions', async () => {
    const world = await TokenWorld.create({ n: 4, t: 3, f: 1 });
    await junk(world, TRANSACTIONS_AN_ANSWER + 1);
    const payment = transaction({ tags: [tag('paid')], outputs: [OUTPUT, 'the payee’s token'] });
    await world.service(1).process(payment);
    const first = await recover(world.store(1), ASSET, EPOCH, { outputs: [ID] });
    await world.network.process(payment);
    const { ids } = await told(world, [ID]);
    const second = await recover(world.store(1), ASSET, EPOCH, { outputs: [ID], after: first.next });
    const named = [...first.issued, ...second.issued].map(({ transaction: bytes }) => bytes);
    expect(named).toContain(payment.proof);
    expect(ids).toContain(idOf(payment));
  });
});
