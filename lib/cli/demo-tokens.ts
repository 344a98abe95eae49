/** `coterie demo tokens`: services in this process make a key, and wallets pay each other with tokens whose owners and amounts no service sees. */
import { performance } from 'node:perf_hooks';
import type { LocalCommittee } from '../local/committee.ts';
import { systemRandom } from '../local/random.ts';
import { ServiceNetwork } from '../local/service-network.ts';
import type { Hex } from '../messages/hex.ts';
import type { DemoStreams } from './demo.ts';
import type { TokenDemoOptions } from './demo-tokens-options.ts';
import { type TokenDemoResult, tokenDocument, tokenText } from './demo-tokens-output.ts';
import { EmbeddedConsole, interrupted } from './embedded-console.ts';
import { Board, Progress } from './progress.ts';
import { ASSET, Depositors, TokenScenario, type TokenStage } from './token-scenario.ts';

/** Seconds of the virtual clock in which a client hears of a withdrawal. */
const NOTICE = 60;

/** @returns the exit status: 0 only if all of it happened and the supply adds up */
export async function demoTokens(
  options: TokenDemoOptions,
  streams: DemoStreams & { readonly until?: () => Promise<void> } = {
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
  },
): Promise<number> {
  const { stdout, stderr, until } = streams;
  const { services, threshold, tolerated } = options;
  const colour = (of: { readonly isTTY?: boolean }) => (of.isTTY ?? false) && !streams.environment['NO_COLOR'];
  stderr.write(
    `Coterie: ${services} signing services, any ${threshold} of them issue; ${tolerated} may be malicious\n`,
  );
  const board = new Board({
    write: (text) => stderr.write(text),
    terminal: stderr.isTTY ?? false,
    colour: colour(stderr),
    columns: stderr.columns ?? 100,
    rows: stderr.rows ?? 40,
  });
  let page: EmbeddedConsole | undefined;
  try {
    const say = (line: string) => stderr.write(`${line}\n`);
    const result = await run(options, board, say, async (committee) => {
      if (!options.console) return;
      page = await EmbeddedConsole.open(committee, options.port);
      say(`the services as a page, read only, until Ctrl-C: ${page.url}`);
    });
    stdout.write(
      options.json
        ? `${JSON.stringify(tokenDocument(result, options.reveal), null, 2)}\n`
        : `\n${tokenText(result, colour(stdout))}\n`,
    );
    if (options.json) for (const failure of result.failures) stderr.write(`coterie: ${failure}\n`);
    if (page) await (until ?? interrupted)();
    return result.failures.length > 0 ? 1 : 0;
  } finally {
    await page?.close();
  }
}

/** @param opened told of the committee once its key is made */
async function run(
  options: TokenDemoOptions,
  board: Board,
  say: (line: string) => void,
  opened: (committee: LocalCommittee) => Promise<void>,
): Promise<TokenDemoResult> {
  const { services, threshold, tolerated } = options;
  const began = performance.now();
  const cpu = process.cpuUsage();
  const seed = options.seed ?? systemRandom.bytes(32);
  const depositors = new Depositors(seed);
  const network = new ServiceNetwork({
    services,
    asset: ASSET,
    terms: { t: threshold, f: tolerated, epoch: 0, depositors: depositors.terms },
    cloud: { seed, clock: 'virtual', ...(options.seed ? {} : { startTime: Date.now() }) },
  });
  const { committee } = network;
  const redeemed = new Map<Hex, bigint>();
  committee.onReport((report) => board.report(report));
  committee.onWithdrawal(({ transaction, amount }) => redeemed.set(transaction, BigInt(amount)));

  board.begin(new Progress('keygen', [ASSET], services));
  const key = await network.start();
  board.end();
  await opened(committee);

  const stage: TokenStage = {
    committee: network.file,
    key,
    gateway: network.gateway,
    redeemed,
    silence: async (index) => committee.kill(index),
    storeOf: (index) => network.storeOf(index),
    settled: async () => {
      await committee.cloud.run({ until: committee.cloud.now + NOTICE * 1000 });
    },
  };
  const found = await new TokenScenario({ stage, terms: options, seed, depositors, say }).run();
  const spent = process.cpuUsage(cpu);
  const seconds = { elapsed: (performance.now() - began) / 1000, cpu: (spent.user + spent.system) / 1e6 };
  return { ...found, where: 'in one process', seconds };
}
