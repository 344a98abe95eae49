/** A ceremony across operators, as their logs tell it. */
import { afterEach, expect, test } from 'vitest';
import { identityOf } from '../../lib/local/committee.ts';
import { AlarmWorld } from '../docs/alarm-world.ts';
import { ledBy } from '../node/world.ts';
import { Keyring } from '../simulation/keyring.ts';
import { SecretScan } from '../simulation/secret-scan.ts';

let world: AlarmWorld;
afterEach(() => world.close());

test('SEC-02 from instruction to signature every operator’s lines name the ceremony, and none holds a secret', async () => {
  const scan = new SecretScan();
  const keyring = new Keyring((key) => scan.secret('a data key', key));
  world = new AlarmWorld({
    instruments: {
      ports: (ports) => ({
        ...ports,
        wrapper: keyring.watch(ports.wrapper),
        random: {
          bytes: (length) => {
            const bytes = ports.random.bytes(length);
            scan.secret('what was drawn', bytes);
            return bytes;
          },
        },
      }),
    },
  });
  world.cloud.inspect.onChange(({ after }) => {
    const blob = after?.['blob'];
    const opened = blob instanceof Uint8Array ? keyring.open(blob) : undefined;
    if (opened) scan.secret('what was wrapped', opened);
  });
  await world.assembled();
  const made = world.keygen(1)?.ceremony;
  const { instruction, ceremony } = ledBy(world, 1);
  const began = world.lines.length;
  await world.instruct(instruction);
  await world.run(60);
  expect(world.signing(3, ceremony)?.stage).toBe('Succeeded');

  const { requestId } = instruction.Sign;
  const lines = world.lines.slice(began);
  // The query of the runbook: by the ceremony, or by the request that it came from.
  const found = lines.filter((line) => line['ceremony'] === ceremony || line['request'] === requestId);
  for (const operator of world.operators) {
    const own = found.filter((line) => line['operator'] === identityOf(operator));
    expect(new Set(own.map(({ role }) => role)), identityOf(operator)).toEqual(new Set(['btc', 'coordinator']));
    expect(own.some(({ message }) => message === 'MultisigInstruction')).toBe(true);
    expect(own.some(({ event, stage }) => event === 'Stage' && stage === 'Succeeded')).toBe(true);
    const joint = own.find(({ event }) => event === 'Stage');
    expect([joint?.['ceremony'], joint?.['request']]).toEqual([ceremony, requestId]);
  }
  // Nothing is said in between that cannot be found, but what a run of the rule says about everything.
  const lost = lines.filter((line) => !found.includes(line) && line['message'] !== 'Wake');
  expect(lost).toEqual([]);
  expect(world.lines.filter((line) => line['ceremony'] === made).length).toBeGreaterThan(20);

  for (const line of world.lines) scan.sink('a line of a log', JSON.stringify(line));
  expect(scan.secrets).toBeGreaterThan(30);
  expect(scan.leaks()).toEqual([]);
});

test('a batch of several ceremonies names all of them, and each line its own', async () => {
  world = await new AlarmWorld().assembled();
  const began = world.lines.length;
  const all = [1, 2, 3].map(() => ledBy(world, 1));
  // At once, so that what is said about them shares batches.
  for (const { instruction } of all) await world.instruct(instruction);
  await world.run(60);
  const lines = world.lines.slice(began);
  expect(lines.some(({ event }) => event === 'InBatch')).toBe(true);
  for (const { ceremony } of all) {
    expect(world.signing(2, ceremony)?.stage).toBe('Succeeded');
    for (const operator of world.operators)
      for (const role of ['btc', 'coordinator'])
        expect(
          lines.some(
            (line) =>
              line['ceremony'] === ceremony && line['operator'] === identityOf(operator) && line['role'] === role,
          ),
          `${identityOf(operator)} ${role}`,
        ).toBe(true);
  }
});
