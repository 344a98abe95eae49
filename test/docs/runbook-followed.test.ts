/** Every alarm of the templates is provoked, its section of the runbook is followed, and the committee works again. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import type { TableSnapshot } from '../../lib/local/cloud.ts';
import { identityOf } from '../../lib/local/committee.ts';
import { topicQueue } from '../../lib/messages/topics.ts';
import type { QueueName } from '../../lib/ports.ts';
import { deployed, resources } from '../cdk/deployment.ts';
import { ledBy, type WorldOptions } from '../node/world.ts';
import { ASSET, tag } from '../signing-service/plain.ts';
import { PLAIN_TERMS, PlainGateway, plainMessage } from '../signing-service/plain-gateway.ts';
import { type AlarmProperties, AlarmWorld, SCHEDULE } from './alarm-world.ts';
import { ROOT } from './documents.ts';

vi.mock('../../lib/signing-service/coconut-scheme.ts', async () => {
  const plain = await import('../signing-service/plain.ts');
  return { coconutScheme: () => new plain.PlainScheme() };
});

const sections = new Map(
  readFileSync(join(ROOT, 'docs', 'runbook.md'), 'utf8')
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.split('\n')[0] ?? '', section] as const),
);
const { templates } = deployed(3, 1, 'aws', {}, 1);
const alarms = [...templates].flatMap(([stack, template]) =>
  [...resources(template, 'AWS::CloudWatch::Alarm').values()].map(({ Properties }) => ({ stack, Properties })),
);
const sectionOf = (alarm: AlarmProperties): string =>
  /section ([a-z-]+)\.$/.exec(String(alarm['AlarmDescription']))?.[1] ?? '';

/** The alarm of a stack that names a section. */
function alarmOf(stack: string, section: string): AlarmProperties {
  const [found, ...more] = alarms.filter((each) => each.stack === stack && sectionOf(each.Properties) === section);
  if (!found || (more.length > 0 && section !== 'messages-wait')) throw new Error(`${stack} has no one ${section}`);
  provoked.add(section);
  return found.Properties;
}
const provoked = new Set<string>();

let world: AlarmWorld;
afterEach(() => world.close());
const begin = async (options: WorldOptions = {}): Promise<AlarmWorld> => {
  world = new AlarmWorld(options);
  return world.assembled();
};

/** Runs what the section says, and no other command. */
async function follow(section: string, command: string, ...more: string[]): Promise<string> {
  expect(sections.get(section), `${section} says to run coterie ${command}`).toContain(`\`coterie ${command}`);
  const { status, output } = await world.coterie(...command.split(' '), ...more);
  expect([0, 1], `${command}: ${output}`).toContain(status);
  return output;
}

async function signsAgain(operators = [1, 2, 3]): Promise<void> {
  const { instruction, ceremony } = ledBy(world, operators[0] ?? 1);
  await world.instruct(instruction, operators);
  await world.run(90);
  for (const operator of operators) expect(world.signing(operator, ceremony)?.stage).toBe('Succeeded');
}

/** A section's alarm rang, its commands were run, and now the metric is back where it was. */
async function quietAgain(alarm: AlarmProperties): Promise<void> {
  await world.run(Number(alarm['Period']) * Number(alarm['EvaluationPeriods']) + SCHEDULE);
  expect(world.rings(alarm)).toBe(false);
}

describe('the alarm of a processor', () => {
  test('equivocation: a proof that anybody can check, and signatures as before', async () => {
    await begin();
    const alarm = alarmOf('processor-btc', 'equivocation');
    expect(world.rings(alarm)).toBe(false);
    const { instruction, ceremony } = ledBy(world, 1);
    await world.instruct(instruction, [1]);
    await world.run(2);
    for (const words of ['{"one":1}', '{"another":2}'])
      await world.deliver(1, await world.say(2, 'NonceCommitment', { ceremony, slot: '0', to: 1 }, words));
    await world.run(2);
    expect(world.rings(alarm)).toBe(true);
    const evidence = join(world.folder, 'evidence.json');
    const committee = join(world.folder, 'committee.json');
    const row = world.items(1, 'Ceremonies').find(({ sk }) => sk === 'EVIDENCE#2');
    writeFileSync(evidence, String(row?.['evidence']));
    writeFileSync(committee, JSON.stringify(world.committee.committee.file));
    expect(sections.get('equivocation')).toContain('coterie verify evidence.json --committee committee.json');
    const { verifyFile } = await import('../../lib/cli/verify-evidence.ts');
    expect(await verifyFile(evidence, committee)).toBe(0);
    await signsAgain();
    await quietAgain(alarm);
  });

  test('envelopes-rejected: whoever floods costs nothing but lines, and doctor compares the files', async () => {
    await begin();
    const alarm = alarmOf('processor-btc', 'envelopes-rejected');
    const said = await world.say(2, 'NonceCommitment', { ceremony: `0x${'ab'.repeat(32)}`, slot: '0', to: 1 }, '{}');
    for (let i = 0; i < 19; i++) await world.deliver(1, { ...said, content: `{"forged":${i}}` });
    await world.run(2);
    expect(world.rings(alarm), 'nineteen are not worth a call').toBe(false);
    await world.deliver(1, { ...said, content: '{"forged":19}' });
    await world.run(2);
    expect(world.rings(alarm)).toBe(true);
    await follow('envelopes-rejected', 'doctor', '--as', '1');
    await signsAgain();
    await quietAgain(alarm);
  });

  test('secret-unreadable: a restored table of nonces is dead, and new ceremonies work', async () => {
    await begin();
    const alarm = alarmOf('processor-btc', 'secret-unreadable');
    await world.instruct(world.sign(), [1]);
    await world.run(5);
    world.cloud.restoreTable(world.namespace(1), world.cloud.snapshotTable(world.namespace(1), 'Nonces'));
    await world.run(40);
    expect(world.rings(alarm)).toBe(true);
    await signsAgain();
    await world.run(600);
    await quietAgain(alarm);
  });

  test('outbox-age: what no queue took for a quarter of an hour is sent, the same bytes, as soon as one does', async () => {
    let refusing = false;
    const outbound = topicQueue(identityOf(1), 'btc', 'Outbound');
    await begin({
      instruments: {
        ports: (ports, { operator }) => ({
          ...ports,
          bus: {
            send: async (messages) => {
              const refused = messages.flatMap(({ queue }, i) =>
                operator === 1 && refusing && queue === outbound ? [i] : [],
              );
              await ports.bus.send(messages.filter((_, i) => !refused.includes(i)));
              return refused;
            },
          },
        }),
      },
    });
    const alarm = alarmOf('processor-btc', 'outbox-age');
    refusing = true;
    await world.instruct(world.sign({ expiresAt: world.committee.now() + 3_600 }), [1]);
    await world.run(420);
    expect(world.rings(alarm), 'after two tries').toBe(false);
    await world.run(1_200);
    expect(world.rings(alarm)).toBe(true);
    refusing = false;
    await follow('outbox-age', 'doctor', '--as', '1');
    await follow('outbox-age', 'clean-up', '--as', '1');
    await signsAgain();
    await quietAgain(alarm);
  });

  test('ceremony-age: functions that did not run end what is overdue in their first run', async () => {
    await begin();
    const alarm = alarmOf('processor-btc', 'ceremony-age');
    const { instruction, ceremony } = ledBy(world, 1);
    await world.instruct(instruction, [1]);
    await world.run(5);
    world.committee.kill(1);
    await world.run(600 + 2_400);
    expect(world.rings(alarm), 'nobody is there to say it').toBe(false);
    world.committee.revive(1);
    await follow('ceremony-age', 'clean-up', '--as', '1');
    await world.run(2);
    expect(world.rings(alarm)).toBe(true);
    expect(await follow('ceremony-age', 'ceremony list', '--as', '1')).toContain('failed');
    expect(world.signing(1, ceremony)?.stage).toBe('Failed');
    await signsAgain();
    await quietAgain(alarm);
  });

  test('messages-wait: what lay in the queue is handled when the function runs again', async () => {
    await begin();
    const alarm = alarmOf('processor-btc', 'messages-wait');
    const queue = topicQueue(identityOf(1), 'btc', 'MultisigInstruction');
    world.committee.kill(1);
    const { instruction, ceremony } = ledBy(world, 2);
    await world.instruct(instruction);
    const since = world.committee.now();
    await world.run(330);
    const { visible = 0, inFlight = 0 } = world.cloud.inspect.queues().get(queue) ?? {};
    expect(visible + inFlight).toBe(1);
    // SQS says it by itself: this is its measure of that queue.
    world.measure(String(alarm['MetricName']), 'queue', world.committee.now() - since);
    expect(world.rings(alarm)).toBe(true);
    world.committee.revive(1);
    await follow('messages-wait', 'doctor', '--as', '1');
    await follow('messages-wait', 'ceremony list', '--as', '1');
    await world.run(400);
    expect(world.cloud.inspect.queues().get(queue)).toMatchObject({ visible: 0, inFlight: 0 });
    expect(world.signing(1, ceremony)?.stage).toBe('Succeeded');
    await signsAgain();
    await quietAgain(alarm);
  });

  test('dead-letters: what failed ten times goes back to where it came from, and is handled', async () => {
    const dead = 'dead' as QueueName;
    let denied = false;
    await begin({
      queues: { deadLetterQueue: dead },
      instruments: {
        run: (handler, { operator }) =>
          operator === 1 && handler.message === 'MultisigInstruction'
            ? {
                ...handler,
                run: async (environment, batch) => {
                  if (denied) throw new Error('AccessDenied');
                  return handler.run(environment, batch);
                },
              }
            : handler,
      },
    });
    world.cloud.createQueue(dead);
    const alarm = alarmOf('processor-btc', 'dead-letters');
    denied = true;
    const { instruction, ceremony } = ledBy(world, 2, { expiresAt: world.committee.now() + 7_200 });
    await world.instruct(instruction, [1]);
    await world.run(10 * 360 + 60);
    const letters = world.cloud.inspect.deadLetters(dead).length;
    world.measure(String(alarm['MetricName']), 'queue', letters);
    expect(world.rings(alarm)).toBe(true);
    denied = false;
    // What the command does on queues that have addresses is tested in test/cli/dead-letters.test.ts.
    await follow('dead-letters', 'dead-letters list', '--as', '1');
    expect(world.cloud.redrive(dead)).toBe(letters);
    await world.instruct(instruction, [2, 3]);
    await world.run(60);
    expect(world.signing(1, ceremony)?.stage).toBe('Succeeded');
    expect(world.cloud.inspect.deadLetters(dead)).toEqual([]);
    await signsAgain();
    await quietAgain(alarm);
  });
});

describe('the alarm of a coordinator', () => {
  test('distance-to-threshold: rings while signatures are still made, and is back with the one who was silent', async () => {
    await begin();
    const alarm =
      alarms.find(
        ({ stack, Properties }) =>
          stack === 'coordinator' &&
          sectionOf(Properties) === 'distance-to-threshold' &&
          JSON.stringify(Properties['Dimensions']).includes('btc'),
      )?.Properties ?? {};
    provoked.add('distance-to-threshold');
    await world.run(2 * SCHEDULE + 10);
    expect(world.rings(alarm)).toBe(false);
    // A committee that has nothing to do knows that it could.
    await world.run(5 * 3_600);
    expect(world.rings(alarm)).toBe(false);
    world.committee.kill(3);
    await world.run(2 * 3_600);
    expect(world.rings(alarm)).toBe(true);
    await signsAgain([1, 2]);
    await follow('distance-to-threshold', 'status', '--as', '1');
    await follow('distance-to-threshold', 'doctor', '--as', '1');
    world.committee.revive(3);
    await world.run(SCHEDULE);
    await quietAgain(alarm);
    await signsAgain();
  });
});

/** A transaction that spends one serial. */
const spending = (serial: number | string, name: string) => plainMessage({ tags: [tag(serial)], outputs: [name] });

describe('the alarm of a signing service', () => {
  const services = () => begin({ assets: { [ASSET]: PLAIN_TERMS } });
  const namespace = `${identityOf(1)}/${ASSET}`;

  const post = (...args: Parameters<PlainGateway['post']>) => new PlainGateway(world.committee).post(...args);
  const votes = (operator: number) =>
    world.cloud.inspect.items(`${identityOf(operator)}/${ASSET}`, 'Issuance').filter(({ sk }) => sk === 'TRANSACTION')
      .length;

  test('distance-to-threshold: rings for an asset whose payments one service tells nothing of, though its operator greets', async () => {
    let dead = false;
    await begin({
      assets: { [ASSET]: PLAIN_TERMS },
      instruments: {
        run: (handler, role) => {
          const run: typeof handler.run = async (environment, batch) =>
            dead && role.operator === 3 && role.name === ASSET
              ? { failed: batch.map(({ messageId }) => messageId) }
              : handler.run(environment as never, batch);
          return { ...handler, run } as typeof handler;
        },
      },
    });
    const alarm =
      alarms.find(
        ({ stack, Properties }) =>
          stack === 'coordinator' &&
          sectionOf(Properties) === 'distance-to-threshold' &&
          JSON.stringify(Properties['Dimensions']).includes(`"${ASSET}"`),
      )?.Properties ?? {};
    let paid = 0;
    const pay = async (times: number) => {
      for (let i = 0; i < times; i++) {
        await post('Transaction', spending(++paid, `paid ${paid}`));
        const message = spending(paid, `paid ${paid}`);
        const certificate = await new PlainGateway(world.committee).certificate(message, [1, 2]);
        await post('TransactionCertificate', certificate);
        await world.run(2 * SCHEDULE);
      }
    };
    await pay(4);
    expect(world.rings(alarm)).toBe(false);
    dead = true;
    await pay(6);
    expect(world.rings(alarm)).toBe(true);
    const status = await follow('distance-to-threshold', 'status', '--as', '1');
    expect(status).toContain('told of nothing that was spent');
    dead = false;
    await pay(1);
    await quietAgain(alarm);
  });

  test('serial-conflict: what is spent stays spent, and everybody else is served', async () => {
    await services();
    const alarm = alarmOf('service-usd', 'serial-conflict');
    await post('Transaction', spending(1, 'first'));
    for (let i = 0; i < 9; i++) await post('Transaction', spending(1, `again ${i}`), [1]);
    expect(world.rings(alarm), 'a restored wallet repeats itself').toBe(false);
    await post('Transaction', spending(1, 'once more'), [1]);
    expect(world.rings(alarm)).toBe(true);
    const before = votes(1);
    await post('Transaction', spending(2, 'another wallet'));
    expect(votes(1)).toBe(before + 1);
    await quietAgain(alarm);
  });

  test('read-only: rings while it lasts; the other services are enough, and the vault goes on', async () => {
    await services();
    const alarm = alarmOf('service-usd', 'read-only');
    const backup: TableSnapshot = world.cloud.snapshotTable(namespace, 'Serials');
    await post('Transaction', spending(1, 'first'));
    world.cloud.restoreTable(namespace, backup);
    // Said at each run of the rule, and the alarm looks at five minutes.
    for (let i = 0; i < 10 && !world.rings(alarm); i++) await world.run(SCHEDULE / 10);
    expect(world.rings(alarm)).toBe(true);
    await follow('read-only', 'status', '--as', '1');
    const before = [votes(1), votes(2), votes(3)];
    await post('Transaction', spending(2, 'second'));
    expect([votes(1), votes(2), votes(3)], 'it votes no more; two of three do').toEqual([
      before[0],
      (before[1] ?? 0) + 1,
      (before[2] ?? 0) + 1,
    ]);
    await signsAgain();
    // Nothing brings the table back but the original: it rings until the epoch ends, and the section says so.
    expect(sections.get('read-only')).toContain('The service votes again in the next epoch');
  });

  test('quorum-broken: the service has stopped, keeps the proof, and no release starts it; the vault goes on', async () => {
    await services();
    const alarm = alarmOf('service-usd', 'quorum-broken');
    for (const name of ['one', 'another']) {
      const of = spending(7, name);
      await post('TransactionCertificate', await new PlainGateway(world.committee).certificate(of, [2, 3]), [1]);
    }
    expect(world.rings(alarm)).toBe(true);
    expect(sections.get('quorum-broken')).toContain('coterie halt --coin <asset>');
    for (const [command, operators] of [
      ['halt', '2,3'],
      ['release', '1'],
    ] as const)
      expect(await world.coterie(command, '--coin', ASSET, '--as', operators)).toMatchObject({ status: 0 });
    const before = [1, 2, 3].map(votes);
    await post('Transaction', spending(8, 'after'));
    expect([1, 2, 3].map(votes)).toEqual(before);
    const kept = world.cloud.inspect.items(namespace, 'Issuance').filter(({ sk }) => sk.startsWith('BROKEN#'));
    expect(kept).toHaveLength(1);
    await signsAgain();
    await quietAgain(alarm);
  });
});

describe('the list', () => {
  afterAll(() => vi.restoreAllMocks());
  test('every alarm of the templates has been provoked', async () => {
    await begin({ genesis: false });
    expect([...provoked].sort()).toEqual([...new Set(alarms.map(({ Properties }) => sectionOf(Properties)))].sort());
  });
});
