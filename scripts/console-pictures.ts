// Draws the pictures of the page that the README shows, from an embedded committee in which an operator lies: tsx scripts/console-pictures.ts
import { launch, open, shownCommittee, shownTokens } from '../test/console/shown.ts';

const shown = await shownCommittee('invoice 4711');
const tokens = await shownTokens();
const browser = await launch();
try {
  const desktop = await open(browser, shown.url, { width: 1_060, height: 900 });
  await desktop.page.screenshot({ path: 'docs/images/console-committee.png' });
  await desktop.page.click(`a[href="#/ceremony/${shown.keygen}"]`);
  await desktop.page.waitForSelector('#messages');
  await desktop.page.screenshot({ path: 'docs/images/console-ceremony.png', fullPage: true });
  await desktop.close();
  const phone = await open(browser, shown.url, { scheme: 'dark', width: 390, height: 844, scale: 2 });
  await phone.page.click(`a[href="#/ceremony/${shown.lied}"]`);
  await phone.page.waitForSelector('#messages');
  await phone.page.screenshot({ path: 'docs/images/console-phone.png' });
  await phone.close();
  const supply = await open(browser, tokens.url, { width: 1_060, height: 900 });
  await supply.page.screenshot({ path: 'docs/images/console-tokens.png' });
  await supply.close();
} finally {
  await browser.close();
  await shown.close();
  await tokens.close();
}
