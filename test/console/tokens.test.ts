/** What of an asset is in circulation: added up from the log, seen through the read-only door, and on the page. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EmbeddedConsole } from '../../lib/cli/embedded-console.ts';
import { EndpointPlace } from '../../lib/cli/endpoint/client.ts';
import { EndpointServer } from '../../lib/cli/endpoint/server.ts';
import { committeeViewAt, statusText } from '../../lib/cli/status-command.ts';
import { LocalCloud } from '../../lib/local/cloud.ts';
import { identityOf } from '../../lib/local/committee.ts';
import { type Store, storeWith } from '../../lib/ports.ts';
import { logKey, positionKey, refusedKey, supplyKey } from '../../lib/signing-service/rows.ts';
import { addUp, countRefusals, supplyOf, withRows } from '../../lib/signing-service/supply.ts';
import { committeeView } from '../../lib/view/committee-view.ts';
import { NodeWorld } from '../node/world.ts';
import { ASSET, id32, tag } from '../signing-service/plain.ts';
import { PLAIN_TERMS, PlainGateway, plainMessage } from '../signing-service/plain-gateway.ts';
import { CHROMIUM, hasBrowser, launch, open, violations } from './shown.ts';

vi.mock('../../lib/signing-service/coconut-scheme.ts', async () => {
  const plain = await import('../signing-service/plain.ts');
  return { coconutScheme: () => new plain.PlainScheme() };
});

let world: NodeWorld;
let gateway: PlainGateway;

/** A deposit of 100, a payment, a withdrawal of 30, a double spend; and one payment of which service 3 hears from its peers alone. */
beforeAll(async () => {
  const startTime = Math.floor(Date.now() / 1_000) * 1_000 - 20_000_000;
  world = await new NodeWorld({ assets: { [ASSET]: PLAIN_TERMS }, cloud: { startTime } }).assembled();
  gateway = new PlainGateway(world.committee);
  await gateway.settle({ deposits: [{ depositId: id32('first'), value: 100 }], outputs: ['a'] });
  await gateway.settle({ tags: [tag('a')], outputs: ['b', 'c'] });
  await gateway.settle({
    tags: [tag('b')],
    outputs: [],
    withdraw: { amount: '30', recipient: 'an account elsewhere', memo: 'rent' },
  });
  for (let i = 0; i < 3; i++)
    await gateway.post('Transaction', plainMessage({ tags: [tag('a')], outputs: [`${i}`] }), [1]);
  await gateway.post('Transaction', plainMessage({ tags: [tag('x')], outputs: ['y'], proof: 'Unbalanced' }), [1]);
});

async function seenBy(operator: number) {
  const door = new EndpointServer(world.committee);
  const place = await EndpointPlace.connect(await door.listen({ kind: 'port', port: 0 }));
  try {
    const mine = place.operators[operator - 1];
    if (!mine) throw new Error(`there is no operator ${operator}`);
    const view = await committeeViewAt(place, mine);
    return { view, asset: view.assets?.[0], text: statusText(view, 'here') };
  } finally {
    place.close();
    await door.close();
  }
}

/** Two runs of the rule: what one finds too young the next adds up. */
async function wake(operators: readonly number[]): Promise<void> {
  for (let i = 0; i < 2; i++) {
    world.cloud.advance(900);
    await world.committee.post(ASSET, 'Wake', '{"Wake":{}}', operators);
    await world.run(5);
  }
}

/** A store of its own, with nobody else in it. */
function aside() {
  const cloud = new LocalCloud({ seed: new Uint8Array(32), clock: 'virtual' });
  return { store: cloud.store('aside'), items: () => cloud.inspect.items('aside', 'Issuance') };
}

const SUMS = { issued: '100', redeemed: '30', outstanding: '70', transactions: 3, unseen: 0 };

describe('the supply of an asset', () => {
  it('is seen at once, is the same after it was added up, and is added up once', async () => {
    const at = { asset: ASSET, epoch: 3 };
    const tally = () =>
      world.cloud.inspect
        .items(`${identityOf(1)}/${ASSET}`, 'Issuance')
        .find(({ pk }) => pk === supplyKey(ASSET, 3).pk);
    expect(tally()).toBeUndefined();
    const before = await seenBy(1);
    expect(before.asset).toMatchObject(SUMS);
    expect(() => committeeView.parse(before.view)).not.toThrow();
    expect(before.text).toContain('issued 100, redeemed 30, outstanding 70');
    await wake([1]);
    expect(supplyOf(tally(), 0)).toMatchObject({ issued: 100n, redeemed: 30n, transactions: 3, unseen: 0 });
    expect((await seenBy(1)).asset).toMatchObject(SUMS);
    // Two wake-ups that read the same sums.
    const store = world.cloud.store(`${identityOf(1)}/${ASSET}`);
    world.cloud.advance(900);
    const now = world.committee.now();
    const both = Promise.all([addUp(store, at, now), addUp(store, at, now)]);
    await world.run(5);
    await both;
    expect(supplyOf(tally(), 0)).toMatchObject({ issued: 100n, transactions: 3 });
  });

  it('says what it does not know: a transaction of which only the certificate came, from peers', async () => {
    const message = plainMessage({ tags: [tag('c')], outputs: ['d'] });
    await gateway.post('Transaction', message, [1, 2]);
    await gateway.post('TransactionCertificate', await gateway.certificate(message, [1, 2]), [1, 2]);
    await wake([1, 2, 3]);
    expect((await seenBy(1)).asset).toMatchObject({ transactions: 4, unseen: 0 });
    const { asset, text } = await seenBy(3);
    expect(asset).toMatchObject({ ...SUMS, transactions: 4, unseen: 1 });
    expect(text).toContain('1 transactions were not seen here');
  });

  it('counts refusals by reason, most first, and loses a count rather than an answer', async () => {
    expect((await seenBy(1)).asset?.refused).toEqual([
      { reason: 'Spent', count: 3 },
      { reason: 'Unbalanced', count: 1 },
    ]);
    expect((await seenBy(2)).asset?.refused).toEqual([]);
    const { Throttled } = await import('../../lib/ports.ts');
    const throttled = { get: () => Promise.reject(new Throttled('slow')) };
    await countRefusals(throttled as never, { asset: ASSET, epoch: 3 }, ['Spent']);
    const broken = { get: () => Promise.reject(new Error('a defect')) };
    await expect(countRefusals(broken as never, { asset: ASSET, epoch: 3 }, ['Spent'])).rejects.toThrow('a defect');
  });

  it('takes no row twice: what is at the time of the sums or before it is in them', () => {
    const rows = [9, 10, 11, 12].map((at) => ({ ...logKey(ASSET, 3, at, id32(`${at}`)), issued: '1', redeemed: '0' }));
    const sums = { issued: 5n, redeemed: 0n, transactions: 5, unseen: 0, upTo: 10 };
    expect(withRows(sums, rows, 11)).toMatchObject({ issued: 6n, transactions: 6, upTo: 11 });
  });

  it('counts what is written late: nothing is added up before it is settled, and no count is lost in a race', async () => {
    const at = { asset: ASSET, epoch: 9 };
    const { store, items } = aside();
    const now = world.committee.now();
    await store.write({ kind: 'put', table: 'Issuance', item: { ...positionKey(ASSET, 9, 0), at: now - 7_000 } });
    const written = (second: number, name: string) =>
      store.write({
        kind: 'put',
        table: 'Issuance',
        item: { ...logKey(ASSET, 9, second, id32(name)), issued: '7', redeemed: '2' },
      });
    await written(now - 3_600, 'long ago');
    await addUp(store, at, now);
    await written(now - 60, 'late');
    await addUp(store, at, now + 600);
    const sums = items().find(({ pk }) => pk === supplyKey(ASSET, 9).pk);
    expect(supplyOf(sums, 0)).toMatchObject({ issued: 14n, redeemed: 4n, transactions: 2, unseen: 0 });

    const racing: Store = storeWith(store, {
      get: async (table, key) => {
        const row = await store.get(table, key);
        if (row?.['version'] === 1) await countRefusals(store, at, ['Spent']);
        return row;
      },
    });
    await countRefusals(store, at, ['Spent']);
    await countRefusals(racing, at, ['Spent', 'Unbalanced']);
    const counts = items().find(({ pk }) => pk === refusedKey(ASSET, 9).pk);
    expect(counts).toMatchObject({ Spent: 3, Unbalanced: 1 });
  });

  it('the door shows no table of serials', async () => {
    const door = new EndpointServer(world.committee);
    const address = await door.listen({ kind: 'port', port: 0 });
    const port = address.kind === 'port' ? address.port : 0;
    const asked = { op: 'query', identity: 'operator1', segment: ASSET, table: 'Serials', pk: 'T#', prefix: '' };
    const { status } = await fetch(`http://127.0.0.1:${port}/v1/read`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(asked),
    });
    expect(status).toBe(400);
    await door.close();
  });
});

describe.skipIf(!hasBrowser)(`in ${CHROMIUM} (another: COTERIE_CHROMIUM)`, () => {
  let browser: Browser;
  let page: EmbeddedConsole;
  beforeAll(async () => {
    browser = await launch();
    page = await EmbeddedConsole.open(world.committee, 0);
  });
  afterAll(async () => {
    await browser?.close();
    await page?.close();
  });

  it('shows what is in circulation, why what was refused, and the distance to the threshold; and it moves', async () => {
    const opened = await open(browser, page.url);
    const card = opened.page.locator('section.card', { has: opened.page.locator('h2', { hasText: ASSET }) });
    await card.locator('.supply').waitFor();
    expect(await card.locator('.supply dd').allTextContents()).toEqual(['100', '30', '70']);
    expect(await card.locator('.supply svg').getAttribute('aria-label')).toBe('70 % of what was issued is outstanding');
    expect(await card.locator('tr', { hasText: 'Spent' }).textContent()).toContain('3');
    expect(await card.textContent()).toContain('can issue');
    expect(await card.locator('.health svg').getAttribute('aria-label')).toBe('3 of 3 operators able, 2 needed');
    await gateway.settle({ deposits: [{ depositId: id32('second'), value: 900 }], outputs: ['e'] });
    await card.locator('.supply dd', { hasText: '970' }).waitFor();
    expect(opened.troubles).toEqual([]);
    await opened.close();
  });

  it('says of service 3 that its sums are not the whole', async () => {
    const opened = await open(browser, page.url);
    await opened.page.selectOption('select', 'operator3');
    await opened.page.locator('p', { hasText: 'these are not the whole' }).waitFor();
    await opened.close();
  });

  it('shows a service whose operator has died as silent, and as far from the threshold as it is, until it is back', async () => {
    const opened = await open(browser, page.url);
    const card = opened.page.locator('section.card', { has: opened.page.locator('h2', { hasText: ASSET }) });
    const able = (of: string) => card.locator(`.health svg[aria-label^="${of} of 3 operators able"]`).waitFor();
    world.committee.runRules();
    await world.run(3_600);
    await able('3');
    world.committee.kill(3);
    await world.run(2 * 3_600);
    await able('2');
    expect(await card.locator('tr', { hasText: '3 operator3' }).textContent()).toMatch(
      /silent: answers no greeting\d+ (min|h) ago/,
    );
    expect(await card.locator('.lead').textContent()).toContain('none of them may fall silent');
    expect(await opened.page.locator('.findings').textContent()).toContain('did not answer any greeting');
    expect(await violations(opened.page)).toEqual([]);
    await opened.page.setViewportSize({ width: 360, height: 740 });
    expect(await opened.page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    world.committee.revive(3);
    await world.run(1_800);
    await able('3');
    expect(opened.troubles).toEqual([]);
    await opened.close();
  });

  for (const scheme of ['light', 'dark'] as const)
    it(`axe finds nothing wrong when it is ${scheme}, and a phone does not scroll sideways`, async () => {
      const opened = await open(browser, page.url, { scheme, width: 360, height: 740 });
      await opened.page.locator('.supply').waitFor();
      expect(await violations(opened.page)).toEqual([]);
      expect(await opened.page.evaluate('document.documentElement.scrollWidth')).toBe(360);
      await opened.close();
    });
});
