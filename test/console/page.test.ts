/** The page in a real browser: what it shows, that everybody can use it, and that nothing in it runs but itself. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { coterie } from '../cli/embedded.ts';
import {
  CHROMIUM,
  hasBrowser,
  INJECTED,
  launch,
  type Opened,
  open,
  type Shown,
  shownCommittee,
  violations,
} from './shown.ts';

let shown: Shown;
let browser: Browser;

const reportOf = async (ceremony: string): Promise<string> => {
  const path = join(shown.folder, `${ceremony.slice(2, 10)}.html`);
  expect(await coterie(['report', ceremony, '-o', path, '--at', shown.at])).toMatchObject({ status: 0 });
  return pathToFileURL(path).href;
};
const ceremonyOf = async ({ page }: Opened, ceremony: string) => {
  await page.click(`a[href="#/ceremony/${ceremony}"]`);
  await page.waitForSelector('#messages');
};

describe.skipIf(!hasBrowser)(`in ${CHROMIUM} (another: COTERIE_CHROMIUM)`, () => {
  beforeAll(async () => {
    [shown, browser] = await Promise.all([shownCommittee(), launch()]);
  });
  afterAll(async () => {
    await browser?.close();
    await shown?.close();
  });

  describe('the live page', () => {
    it('shows health, operators and ceremonies, and leads from one to the next with its token out of sight', async () => {
      const opened = await open(browser, shown.url);
      const { page } = opened;
      expect(page.url()).not.toContain('token');
      expect(await page.textContent('main')).toContain('can sign');
      expect(await page.locator('.health svg').getAttribute('aria-label')).toBe('4 of 5 operators able, 3 needed');
      await ceremonyOf(opened, shown.lied);
      expect(await page.textContent('.blame')).toContain(
        `Operator 4 (operator4) said two different things in one place, in ceremony ${shown.lied}.`,
      );
      await page.click('nav a');
      await page.waitForSelector('.health');
      expect(opened.troubles).toEqual([]);
      await opened.close();
    });

    it('shows another operator’s rows when asked', async () => {
      const opened = await open(browser, shown.url);
      await opened.page.selectOption('select', 'operator3');
      await opened.page.locator('tbody tr', { hasText: /3 operator3.*this operator/ }).waitFor();
      expect(await opened.page.locator(`a[href="#/ceremony/${shown.signed}"]`).count()).toBe(1);
      await opened.close();
    });

    it('asks once at a time, however often its tab is left and looked at again', async () => {
      const { page, asked, close } = await open(browser, shown.url);
      const looks = () => asked.filter((url) => url.includes('/v1/committee')).length;
      const before = looks();
      await page.evaluate(`for (let i = 0; i < 20; i++) document.dispatchEvent(new Event('visibilitychange'))`);
      await page.waitForTimeout(1.6 * shown.place.lookMilliseconds);
      expect(looks() - before).toBeGreaterThan(1);
      expect(looks() - before).toBeLessThan(6);
      await close();
    });

    it('says so when its address has no token, and asks for no data', async () => {
      const opened = await open(browser, shown.url.replace(/#.*/, ''));
      expect(await opened.page.textContent('[role=alert]')).toContain('has no token');
      expect(opened.asked.filter((url) => url.includes('/v1/'))).toEqual([]);
      await opened.close();
    });
  });

  describe('a saved report', () => {
    it('opens from a file, asks nobody for anything, and shows the evidence in words', async () => {
      const opened = await open(browser, await reportOf(shown.lied));
      expect(await opened.page.textContent('.blame')).toContain('said two different things in one place');
      expect(opened.asked.filter((url) => !url.startsWith('file:'))).toEqual([]);
      expect(opened.troubles).toEqual([]);
      await opened.close();
    });

    it('draws every statement between operators, with the same in a table', async () => {
      const opened = await open(browser, await reportOf(shown.keygen));
      const drawn = await opened.page.locator('.sequence .arrow').count();
      expect(drawn).toBeGreaterThan(5);
      await opened.page.click('text=The same as a table');
      expect(await opened.page.locator('details[open] tbody tr').count()).toBe(drawn);
      await opened.close();
    });

    it('leaves text of a request text: a closing tag in the purpose ends nothing and runs nothing', async () => {
      const url = await reportOf(shown.signed);
      expect(readFileSync(new URL(url), 'utf8')).not.toContain(INJECTED.slice(0, 22));
      for (const opened of [await open(browser, url), await open(browser, shown.url)]) {
        expect(await opened.page.textContent('main')).toContain(INJECTED);
        expect(await opened.page.evaluate('window.ran')).toBeUndefined();
        expect(opened.troubles).toEqual([]);
        await opened.close();
      }
    });

    it('lets no other script run in it, wherever it would come from', async () => {
      const opened = await open(browser, await reportOf(shown.signed));
      await opened.page.evaluate(
        `document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.ran = 1' }))`,
      );
      expect(await opened.page.evaluate('window.ran')).toBeUndefined();
      expect(opened.troubles.join()).toMatch(/Content Security Policy/);
      await opened.close();
    });
  });

  describe('everybody can use it', () => {
    for (const scheme of ['light', 'dark'] as const)
      it(`axe finds nothing wrong when it is ${scheme}`, async () => {
        const opened = await open(browser, shown.url, { scheme });
        expect(await violations(opened.page)).toEqual([]);
        await ceremonyOf(opened, shown.lied);
        expect(await violations(opened.page)).toEqual([]);
        await opened.close();
      });

    it('nothing makes a phone’s page scroll sideways', async () => {
      for (const url of [shown.url, await reportOf(shown.keygen), await reportOf(shown.lied)]) {
        const opened = await open(browser, url, { width: 360, height: 740 });
        await opened.page.evaluate(`document.querySelectorAll('details').forEach((each) => { each.open = true; })`);
        expect(await opened.page.evaluate('document.documentElement.scrollWidth')).toBe(360);
        await opened.close();
      }
    });

    it('the keyboard reaches every link, button, box and choice, and each shows that it is reached', async () => {
      const opened = await open(browser, await reportOf(shown.lied));
      const { page } = opened;
      const all = Number(
        await page.evaluate(
          `[...document.querySelectorAll('a,button,summary,select,[tabindex="0"]')].filter((each) => each.checkVisibility()).length`,
        ),
      );
      const unmarked: string[] = [];
      const reached = new Set<number>();
      await page.evaluate(
        `[...document.querySelectorAll('a,button,summary,select,[tabindex="0"]')].forEach((each, i) => { each.dataset.n = i; })`,
      );
      for (let i = 0; i < all; i++) {
        await page.keyboard.press('Tab');
        const at = (await page.evaluate(
          `({ n: document.activeElement.dataset.n, outline: getComputedStyle(document.activeElement).outlineStyle })`,
        )) as { n?: string; outline: string };
        if (at.n !== undefined) reached.add(Number(at.n));
        if (at.outline === 'none') unmarked.push(at.n ?? '');
      }
      expect(reached.size).toBe(all);
      expect(unmarked).toEqual([]);
      await opened.close();
    });
  });
});
