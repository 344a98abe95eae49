/** A key that was confirmed and not certified: its share waits for the certificate for as long as it takes. TTL decides nothing. */
import { expect, test } from 'vitest';
import { NodeWorld } from './world.ts';

const DAY = 86_400;
const HEARING = ['KeyGenVerdictIn', 'KeyGenCertificateIn', 'KeyGenEvidenceIn'];

/** A committee whose operators named here hear nothing of what others think of the key, until they are told to. */
async function deaf(operators: readonly number[]): Promise<{ world: NodeWorld; heal: () => void }> {
  let broken = true;
  const world = new NodeWorld({
    cloud: { faults: { ttlLagSeconds: 0 } },
    instruments: {
      run: (handler, { operator }) =>
        operators.includes(operator ?? 0) && HEARING.includes(handler.message)
          ? { ...handler, run: (environment, batch) => handler.run(environment, broken ? [] : batch) }
          : handler,
    },
  });
  await world.committee.assemble();
  await world.run(DAY);
  for (const operator of operators) expect(world.keygen(operator)?.stage).toBe('Unresolved');
  return { world, heal: () => (broken = false) };
}

const status = (world: NodeWorld, operator: number) =>
  world.items(operator, 'Keys').find(({ sk, pk }) => sk === 'PUBLIC' && pk.startsWith('K#'))?.['status'];

test('S3, SRV-09 an operator that nobody could tell for forty days gets the certificate from those who have it', async () => {
  const { world, heal } = await deaf([1]);
  expect(status(world, 2)).toBe('certified');
  world.cloud.advance(40 * DAY);
  heal();
  // What was on its way is lost as well, but for the scheduled rule.
  await world.committee.post('sol', 'Wake', '{"Wake":{}}');
  await world.run(2 * DAY);
  expect(status(world, 1)).toBe('certified');
});

test('S3, SRV-09 operators who have heard of no confirmation for forty days still make the certificate', async () => {
  const { world, heal } = await deaf([1, 2, 3]);
  world.cloud.advance(40 * DAY);
  heal();
  // What was on its way is lost as well, but for the scheduled rule.
  await world.committee.post('sol', 'Wake', '{"Wake":{}}');
  await world.run(2 * DAY);
  expect(world.operators.map((operator) => status(world, operator))).toEqual(['certified', 'certified', 'certified']);
});
