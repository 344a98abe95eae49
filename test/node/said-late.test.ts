/** A backup that is older than what TTL keeps of the secrets. */
import { expect, test } from 'vitest';
import type { TableSnapshot } from '../../lib/local/cloud.ts';
import { identityOf } from '../../lib/local/committee.ts';
import { parseBody } from '../../lib/messages/catalogue.ts';
import type { Statement } from '../../lib/messages/statement.ts';
import { parseQueueName } from '../../lib/messages/topics.ts';
import { NodeWorld } from './world.ts';

const DAY = 86_400;

test('NON-03, S4 a Ceremonies table of last month aborts nothing that its operator has confirmed', async () => {
  const world = new NodeWorld({ cloud: { faults: { ttlLagSeconds: 0 } } });
  const verdicts = new Set<string>();
  world.cloud.inspect.onSend(({ queue, body }) => {
    const at = parseQueueName(queue);
    const parsed = parseBody(body);
    if (at?.identity !== identityOf(1) || at.message !== 'Outbound' || !parsed.ok || parsed.name !== 'KeyGenVerdictOut')
      return;
    verdicts.add((parsed.payload as Statement).content);
  });
  await world.committee.assemble();
  const snapshots: TableSnapshot[] = [];
  const stop = world.cloud.inspect.onChange(({ namespace, table, key }) => {
    if (namespace === world.namespace(1) && table === 'Ceremonies' && key.sk === 'STATE')
      snapshots.push(world.cloud.snapshotTable(namespace, 'Ceremonies'));
  });
  await world.run();
  stop();
  expect(world.keygen(1)?.stage).toBe('Succeeded');
  expect(verdicts.size).toBe(1);

  for (const snapshot of snapshots) {
    world.cloud.advance(3 * DAY);
    world.cloud.restoreTable(world.namespace(1), snapshot);
    await world.control(1, { CleanUp: {} });
    await world.run(600);
    expect([...verdicts]).toHaveLength(1);
  }
  for (const operator of [2, 3])
    expect(world.items(operator, 'Ceremonies').filter(({ sk }) => sk.startsWith('EVIDENCE#'))).toEqual([]);
});
