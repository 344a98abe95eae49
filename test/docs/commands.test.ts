import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { multisigEvent } from '../../lib/messages/events.ts';
import { coterie, type Embedded, embedded } from '../cli/embedded.ts';
import { commandsOf, documents, ROOT, words } from './documents.ts';

/** Where a command that costs too much to be run here is run: a file, and the words in it that run it. */
type RunBy = readonly [file: string, needle: string];

const CI = '.ci/run';
const LIE = 'test/cli/lie.test.ts';
const ELSEWHERE: Readonly<Record<string, RunBy>> = {
  'npm ci': [CI, '\nnpm ci '],
  'npm ci && npm run demo': [CI, '\nnpm run --silent demo\n'],
  'npm cit': [CI, '\nnpm cit '],
  'npm run check': ['package.json', '"check": "npm run typecheck && npm run lint && npm test"'],
  'bash .ci/run': [CI, 'set -euo pipefail'],
  'npm run demo -- --operators 7 --threshold 5 --silent 3': [
    'test/cli/binary.test.ts',
    "'demo', '--coins', 'btc', '--silent', '2'",
  ],
  'npm run demo -- --operators 3 --threshold 3 --silent 3': [
    'test/cli/binary.test.ts',
    'says who was silent, with status 1, if fewer than t answer',
  ],
  "npm run --silent demo -- --json --seed 'any text' > demo.json": [
    'test/cli/binary.test.ts',
    "['demo', '--json', '--seed', 'binary test'",
  ],
  'npx coterie local --coins sol --socket ./coterie.sock': [
    'test/cli/binary.test.ts',
    "'local', '--coins', 'btc', '--socket', at]",
  ],
  'npx coterie local --coins sol --lie 3@EncryptedKeyShare --socket ./coterie.sock': [LIE, "'3@EncryptedKeyShare'"],
  'npx coterie ceremony timeline latest': [LIE, "'ceremony', 'timeline', 'latest'"],
  'npx coterie ceremony show latest --evidence 3 > evidence.json': [
    LIE,
    "'ceremony', 'show', 'latest', '--evidence', '3'",
  ],
  'npx coterie committee export --output committee.json': [LIE, "'committee', 'export', '--output', committee"],
  'npx coterie verify evidence.json --committee committee.json': [LIE, "'verify', evidence, '--committee', committee"],
  'npx coterie report latest': [LIE, "'report', 'latest'"],
  'npm run simulate -- --seeds 1000': [CI, 'npm run --silent simulate -- --seeds'],
  'npm run simulate -- --seeds 1000 --byzantine': [CI, '--byzantine'],
  'npm run simulate -- --seeds 100 --operators 5 --threshold 3': [CI, '--operators 5 --threshold 3'],
  'npm run simulate -- --seed 42': [CI, 'npm run --silent simulate -- --seed 42'],
  'npm run sweep': [CI, 'npm run --silent sweep\n'],
  'npm run sweep -- --pairs --stride 1 --role coordinator': ['scripts/sweep.ts', 'pairs: { type:'],
  'npm run demo -- tokens': [CI, 'npm run --silent demo -- tokens'],
  'npm run demo -- bridge': [CI, 'npm run --silent demo -- bridge'],
  'npm run demo:aws': [CI, 'npm run --silent demo:aws'],
  'npm run demo:aws -- tokens': [CI, 'npm run --silent demo:aws -- tokens'],
  'npm run test:aws': ['scripts/test-aws.ts', 'test/integration/committee.aws.ts'],
  'AWS_ENDPOINT_URL=http://127.0.0.1:4566 npm run test:aws -- --endpoint': ['scripts/test-aws.ts', "'--endpoint'"],
  'docker compose up -d': ['docker-compose.yml', 'localstack'],
  'AWS_ENDPOINT_URL=http://127.0.0.1:4566 COTERIE_FUNCTIONS_ENDPOINT=provided npm run test:aws -- --endpoint': [
    'lib/cli/deployments.ts',
    'COTERIE_FUNCTIONS_ENDPOINT',
  ],
  'npm run emulator': [CI, 'npm run --silent emulator -- --port'],
  'export AWS_ENDPOINT_URL=http://127.0.0.1:4566': ['scripts/emulator.ts', 'export AWS_ENDPOINT_URL='],
  'sh examples/committee/assemble.sh committee': [CI, 'sh examples/committee/assemble.sh '],
  'sh examples/committee/each.sh committee keygen --coin sol': [CI, ' keygen --coin sol\n'],
  "sh examples/committee/each.sh committee sign --coin sol --message 'pay alice' --purpose payout": [
    CI,
    " sign --coin sol --message 'pay alice' --purpose payout\n",
  ],
  'sh examples/committee/each.sh committee ceremony timeline latest': [CI, ' ceremony timeline latest\n'],
  'npm run test:emulators': [CI, 'npm run --silent test:emulators'],
  'npm run synth': [CI, 'npm run --silent synth'],
  'npm run test:package': [CI, 'npm run --silent test:package'],
  'npm run docs:api': [CI, 'npm run --silent docs:api'],
};

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
const all = documents();
const commands = all.flatMap(({ text }) => commandsOf(text));
const isPiped = (command: string) => command.includes('| npx coterie local');
const isExport = (command: string) => command.startsWith('export COTERIE_AT=');
const isSession = (command: string) =>
  isExport(command) || (command.startsWith('npx coterie ') && !(command in ELSEWHERE));

describe('the commands in a document', () => {
  let world: Embedded;
  beforeAll(async () => {
    world = await embedded();
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await world.close();
  });

  test('an operator’s session in the README ends well, line by line', async () => {
    const session = commands.filter(isSession);
    expect(session.length).toBeGreaterThan(5);
    for (const command of session) {
      if (isExport(command)) {
        vi.stubEnv('COTERIE_AT', world.at);
        continue;
      }
      const { status, stderr } = await coterie(words(command).slice(2));
      expect(status, `${command}: ${stderr}`).toBe(0);
    }
  });

  test('lines on stdin are answered as the README shows', async () => {
    const [piped = '', ...more] = commands.filter(isPiped);
    expect(more).toEqual([]);
    const [printed = '', , ...options] = piped.split(/\| npx coterie (local)/);
    const input = words(printed).slice(2).join('\n');
    const child = execFile(process.execPath, [join(ROOT, 'bin', 'coterie.js'), 'local', ...words(options.join(''))]);
    const said: string[] = [];
    child.stdout?.on('data', (text: string) => said.push(text));
    child.stdin?.end(`${input}\n`);
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
    const events = said
      .join('')
      .trim()
      .split('\n')
      .map((line) => multisigEvent.parse((JSON.parse(line) as { MultisigEvent: unknown }).MultisigEvent));
    const ended = events.filter((event) => 'KeygenOutcome' in event || 'SigningOutcome' in event);
    expect(ended).toHaveLength(6);
    for (const event of ended) for (const fields of Object.values(event)) expect(fields.result).toBe('succeeded');
  });

  test('is run here or named with the place where it is run: a new one cannot go unnoticed', () => {
    const unknown = commands.filter((command) => !(command in ELSEWHERE) && !isSession(command) && !isPiped(command));
    expect(unknown).toEqual([]);
    for (const [command, [file, needle]] of Object.entries(ELSEWHERE)) {
      expect(commands, 'the table names a command that no document has').toContain(command);
      expect(readFileSync(join(ROOT, file), 'utf8'), `${command}: expected ${file} to run it`).toContain(needle);
    }
  });

  test('names npm scripts that exist', () => {
    const named = all.flatMap(({ path, text }) =>
      [...text.matchAll(/npm run (?:--silent |-s )?([a-z][a-z:-]*)/g)].map(([, name = '']) => ({ path, name })),
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter(({ name }) => !(name in scripts))).toEqual([]);
  });

  test('names commands of the command line that exist, wherever it is said', async () => {
    const said = all.flatMap(({ text }) =>
      [...text.matchAll(/`(?:npx )?coterie ([^`]+)`/g)].map(([, rest = '']) => rest),
    );
    const known = new Map<string, string>();
    for (const rest of said) {
      const [first = '', second = ''] = words(rest);
      if (first.startsWith('-')) continue;
      const { stdout } = await coterie([first, '--help']);
      expect(stdout, `coterie ${rest}`).toMatch(new RegExp(`^Usage: coterie ${first}\\b`));
      const group = /\[command\]/.test(stdout.split('\n')[0] ?? '');
      const own = group ? (await coterie([first, second, '--help'])).stdout : stdout;
      if (group && second) expect(own, `coterie ${rest}`).toMatch(new RegExp(`^Usage: coterie ${first} ${second}\\b`));
      for (const [option] of rest.matchAll(/--[a-z-]+/g)) expect(own, `coterie ${rest}`).toContain(`${option}`);
      known.set(first, rest);
    }
    expect(known.size).toBeGreaterThan(8);
  });
});

describe('a document', () => {
  test('has links that lead somewhere, and headings where they lead', () => {
    const slug = (heading: string) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} -]/gu, '')
        .replaceAll(' ', '-');
    const dead = all.flatMap(({ path, text }) => {
      const prose = text.replace(/^```.*?^```$/gms, '').replace(/`[^`\n]*`/g, '');
      return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
        if (/^[a-z]+:/.test(link)) return [];
        const [file = '', anchor] = link.split('#');
        const target = file === '' ? join(ROOT, path) : join(ROOT, dirname(path), file);
        if (!existsSync(target)) return [`${path}: ${link}`];
        if (anchor === undefined) return [];
        const headings = [...readFileSync(target, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => slug(title));
        return headings.includes(anchor) ? [] : [`${path}: ${link}`];
      });
    });
    expect(dead).toEqual([]);
  });

  test('holds no marks of a merge', () => {
    expect(all.filter(({ text }) => /^(?:<{7}|>{7}|={7})(?: |$)/m.test(text)).map(({ path }) => path)).toEqual([]);
  });
});
