/** A signing service that dies after its key was made: from healthy to silent to healthy, as its peers are told. */
import { describe, expect, it, vi } from 'vitest';
import { statusText } from '../../lib/cli/status-command.ts';
import { RULE_SECONDS } from '../../lib/local/committee.ts';
import type { NodeFunction } from '../../lib/node/function.ts';
import type { CommitteeView } from '../../lib/view/committee-view.ts';
import { NodeWorld, type WorldOptions } from '../node/world.ts';
import { ASSET, tag } from '../signing-service/plain.ts';
import { PLAIN_TERMS, PlainGateway } from '../signing-service/plain-gateway.ts';
import { committeeSeenBy } from './rows.ts';

vi.mock('../../lib/signing-service/coconut-scheme.ts', async () => {
  const plain = await import('../signing-service/plain.ts');
  return { coconutScheme: () => new plain.PlainScheme() };
});

/** With the scheduled rules of all roles, as they are deployed. */
async function services(options: WorldOptions = {}): Promise<NodeWorld> {
  const world = await new NodeWorld({ assets: { [ASSET]: PLAIN_TERMS }, ...options }).assembled();
  world.committee.runRules();
  return world;
}

/** The functions of one operator's service, and no others, fail while they are told to. */
function failing(operator: number): { readonly options: WorldOptions; dead: boolean } {
  const death = {
    dead: false,
    options: {
      instruments: {
        run: (handler: NodeFunction, role: { readonly operator: number; readonly name: string }): NodeFunction =>
          ({
            ...handler,
            run: async (environment, batch) =>
              death.dead && role.operator === operator && role.name === ASSET
                ? { failed: batch.map(({ messageId }) => messageId) }
                : handler.run(environment as never, batch),
          }) as NodeFunction,
      },
    },
  };
  return death;
}

let paid = 0;
/** A payment every half hour. */
async function paying(world: NodeWorld, hours: number): Promise<void> {
  const gateway = new PlainGateway(world.committee);
  for (let i = 0; i < 2 * hours; i++) {
    await gateway.settle({ tags: [tag(++paid)], outputs: [`paid ${paid}`] });
    await world.run(1_800);
  }
}

function service(view: CommitteeView): NonNullable<CommitteeView['assets']>[number]['service'] {
  const [asset] = view.assets ?? [];
  if (!asset) throw new Error('expected an asset, got none');
  return asset.service;
}
const of = (view: CommitteeView, index: number) => service(view).operators.find((each) => each.index === index);

describe('a signing service whose operator dies', () => {
  it('is silent to the others within 90 minutes though nobody pays, counts in the distance, and is back when it runs again', async () => {
    const world = await services();
    await world.run(4 * 3_600);
    const before = await committeeSeenBy(world, 1);
    expect(service(before).health).toMatchObject({ canSign: true, able: [1, 2, 3], mayFallSilent: 1 });
    expect(before.findings).toEqual([]);

    world.committee.kill(3);
    await world.run(7 * RULE_SECONDS);
    const during = await committeeSeenBy(world, 1);
    expect(of(during, 3)).toMatchObject({ state: 'silent', silentIn: 'greetings' });
    expect(service(during).health).toMatchObject({ canSign: true, able: [1, 2], mayFallSilent: 0 });
    expect(during.findings.map(({ level, coin }) => `${level} ${coin}`)).toContain(`warning ${ASSET}`);
    const text = statusText(during, 'here');
    expect(text).toContain(
      '2 of 3 operators are able as far as this one knows, and 2 are needed; none of them may fall silent',
    );
    expect(text).toMatch(/3 +operator3 +silent \(greetings\) +heard 105 min ago/);
    // The same greetings, of the operator's coin.
    expect(during.coins[0]?.health.able).toEqual([1, 2]);

    world.committee.revive(3);
    await world.run(2 * RULE_SECONDS);
    const after = await committeeSeenBy(world, 1);
    expect(service(after).health).toMatchObject({ able: [1, 2, 3], mayFallSilent: 1 });
    expect(after.findings).toEqual([]);
  });
});

describe('a signing service whose own functions fail', () => {
  it('is silent to the others when they have told of payments for 75 minutes and it has not, and is back with the next that it tells of', async () => {
    const death = failing(3);
    const world = await services(death.options);
    await paying(world, 2);
    expect(service(await committeeSeenBy(world, 1)).health).toMatchObject({ able: [1, 2, 3], mayFallSilent: 1 });

    death.dead = true;
    await paying(world, 3);
    const during = await committeeSeenBy(world, 1);
    // Its coordinator greets in its place.
    expect(of(during, 3)).toMatchObject({ state: 'silent', silentIn: 'gossip' });
    expect(during.readAt - (of(during, 3)?.lastHeardAt ?? 0)).toBeGreaterThan(75 * 60);
    expect(during.findings.map(({ what }) => what).join()).toContain(
      'operator 3 (operator3) told of nothing that was spent for 75 minutes, while other services did',
    );
    expect(service(during).health).toMatchObject({ able: [1, 2], mayFallSilent: 0 });
    expect(during.coins[0]?.health.able).toEqual([1, 2, 3]);
    const said = world.reports.findLast(
      ({ event, operator, role }) => event === 'PeersAnswer' && operator === 1 && role === ASSET,
    );
    expect(said?.fields).toEqual({ coin: ASSET, answering: 2, needed: 2, distance: 0 });

    death.dead = false;
    await paying(world, 1);
    expect(service(await committeeSeenBy(world, 1)).health).toMatchObject({ able: [1, 2, 3], mayFallSilent: 1 });
    const reports = world.reports.length;
    await world.run(RULE_SECONDS);
    expect(world.reports.slice(reports).filter(({ event, role }) => event === 'PeersAnswer' && role === ASSET)).toEqual(
      [],
    );
  });

  it('is not told from one that runs while nobody pays: nobody is asked to say anything then', async () => {
    const death = failing(3);
    const world = await services(death.options);
    await paying(world, 1);
    death.dead = true;
    await world.run(86_400);
    expect(service(await committeeSeenBy(world, 1)).health.able).toEqual([1, 2, 3]);
  });
});
