/** A committee with something to look at: a key, a signature, a ceremony in which an operator lied; and the page in a real browser. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { ConsoleServer } from '../../lib/cli/console-server.ts';
import { demoTokens } from '../../lib/cli/demo-tokens.ts';
import { tokenDemoOptions } from '../../lib/cli/demo-tokens-options.ts';
import { EndpointPlace } from '../../lib/cli/endpoint/client.ts';
import { EndpointServer } from '../../lib/cli/endpoint/server.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { ledBy, NodeWorld } from '../node/world.ts';

/** Would run, draw or fetch, if the page took it for anything but text. */
export const INJECTED = '</script><script>ran=1</script><img src=x onerror=ran=1><!--';

export interface Shown {
  readonly at: string;
  readonly folder: string;
  readonly place: EndpointPlace;
  readonly console: ConsoleServer;
  /** With the token. */
  readonly url: string;
  readonly keygen: Hex;
  readonly signed: Hex;
  readonly lied: Hex;
  close(): Promise<void>;
}

/** @param purpose of the good signature */
export async function shownCommittee(purpose = INJECTED): Promise<Shown> {
  // Virtual time runs ahead of the clock on the wall: what is shown should lie in the past.
  const now = Math.floor(Date.now() / 1_000) * 1_000 - 200_000;
  const world = new NodeWorld({
    operators: 5,
    threshold: 3,
    cloud: { startTime: now, faults: { delay: 1, maxDelaySeconds: 0.3 } },
  });
  const door = new EndpointServer(world.committee);
  await world.assembled();
  const keygen = world.keygen(1)?.ceremony;
  if (!keygen) throw new Error('there is no key');
  const bad = ledBy(world, 1, { purpose: 'payroll, March', expiresAt: world.committee.now() + 60 });
  await world.instruct(bad.instruction, [1]);
  await world.run(1);
  const pair = (byte: string) => ({ hiding: `0x${byte.repeat(32)}`, binding: `0x${byte.repeat(32)}` }) as const;
  for (const byte of ['01', '02']) {
    const content = { parameters: bad.parameters, commitments: [pair(byte)] };
    const said = { ceremony: bad.ceremony, slot: '0', to: 1 };
    await world.deliver(1, await world.sayContent(4, 'NonceCommitment', said, content));
    await world.run(1);
  }
  await world.run(120);
  // Later, so that everybody but the liar has been heard again.
  const good = ledBy(world, 1, { purpose });
  await world.instruct(good.instruction);
  await world.run(30);
  const folder = mkdtempSync(join(tmpdir(), 'coterie-console-'));
  const address = await door.listen({ kind: 'port', port: 0 });
  const at = address.kind === 'port' ? `${address.port}` : address.path;
  const place = await EndpointPlace.connect(address);
  const console = new ConsoleServer(place, place.operators);
  const url = await console.listen(0);
  return {
    at,
    folder,
    place,
    console,
    url,
    keygen,
    signed: good.ceremony,
    lied: bad.ceremony,
    close: async () => {
      await console.close();
      place.close();
      await door.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The demonstration of private tokens, at its end: a deposit, payments, a double spend that was refused, a withdrawal. */
export async function shownTokens(): Promise<{ readonly url: string; close(): Promise<void> }> {
  let end: () => void = () => {};
  const until = new Promise<void>((resolve) => {
    end = resolve;
  });
  let said = '';
  let told: (url: string) => void = () => {};
  const shown = new Promise<string>((resolve) => {
    told = resolve;
  });
  const options = tokenDemoOptions({ services: '6', seed: 'tokens in the console', console: true });
  const demo = demoTokens(options, {
    // The result is printed when everything has happened, and the page stays.
    stdout: { write: () => told(/http:\S+/.exec(said)?.[0] ?? '') },
    stderr: {
      write: (text: string) => {
        said += text;
      },
    },
    environment: {},
    until: () => until,
  });
  const url = await Promise.race([shown, demo.then(() => '')]);
  return {
    url,
    close: async () => {
      end();
      await demo;
    },
  };
}

export const CHROMIUM = process.env['COTERIE_CHROMIUM'] ?? '/usr/bin/chromium';
export const hasBrowser = existsSync(CHROMIUM);

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
}

export interface Look {
  readonly scheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
  readonly scale?: number;
}

export interface Opened {
  readonly page: Page;
  /** Errors of the console and of scripts, refused loads among them. */
  readonly troubles: readonly string[];
  /** Every address that was asked for. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

export async function open(browser: Browser, url: string, look: Look = {}): Promise<Opened> {
  const { scheme = 'light', width = 1_100, height = 900, scale = 1 } = look;
  const context = await browser.newContext({
    colorScheme: scheme,
    reducedMotion: 'reduce',
    viewport: { width, height },
    deviceScaleFactor: scale,
    locale: 'en-GB',
    timezoneId: 'Europe/Madrid',
  });
  const page = await context.newPage();
  const troubles: string[] = [];
  const asked: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') troubles.push(message.text());
  });
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(url);
  await page.waitForSelector('section.card, .trouble');
  return { page, troubles, asked, close: () => context.close() };
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** @returns what axe finds wrong, one line each */
export async function violations(page: Page): Promise<string[]> {
  // The debugger may run scripts where the page's own policy lets nothing else run.
  await page.evaluate(axe);
  const found = (await page.evaluate('axe.run().then(({ violations }) => violations)')) as Violation[];
  return found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
}
