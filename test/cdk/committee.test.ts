import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settingsOf } from '../../cdk/settings.ts';
import { type Card, cardHash, cardOf, parseCard } from '../../lib/cli/card.ts';
import {
  acceptCommittee,
  type CommitteeTerms,
  checkOwnEntry,
  committeeText,
  createCommittee,
  sendStart,
  spoken,
} from '../../lib/cli/committee.ts';
import { registerDeploy } from '../../lib/cli/deploy.ts';
import { operatorSchema } from '../../lib/cli/deploy-schema.ts';
import { Unreachable } from '../../lib/cli/exit-status.ts';
import { UsageError } from '../../lib/cli/usage.ts';
import { inboxPattern, signCardEntry } from '../../lib/messages/card.ts';
import { parseBodyAs } from '../../lib/messages/catalogue.ts';
import { parseCommittee } from '../../lib/messages/committee.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import { type OperatorFile, parseOperatorFile } from '../../lib/messages/operator.ts';
import { signProcessorKey } from '../../lib/messages/processor-key.ts';
import { OWN_CARD } from '../../lib/node/rows.ts';
import type { Item, Store } from '../../lib/ports.ts';

const NOW = 1_800_000_000;
const TERMS = {
  threshold: 2,
  network: 'test',
  suites: {},
  assets: {},
  genesisLife: undefined,
  leaderPeriod: 15,
  allowSingleSigner: false,
};
const RANDOM = { bytes: (length: number) => new Uint8Array(length).fill(7) };

function operatorFile(identity: string, account: string, change: Partial<OperatorFile> = {}): OperatorFile {
  const parsed = parseOperatorFile({
    identity,
    account,
    region: 'eu-central-1',
    clientRoles: [`arn:aws:iam::${account}:role/wallet`],
    coins: ['btc', 'sol'],
    ...change,
  });
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.file;
}

/** What `Start` leaves in the Directory tables of an operator. */
function directories(identity: string): (segment: string) => Pick<Store, 'get'> {
  const secret = (use: string) =>
    new Uint8Array(32).map((_, i) => (identity.charCodeAt(0) * 7 + use.charCodeAt(0) * 3 + i) % 251);
  return (segment) => ({
    get: async (_, key): Promise<Item> => {
      const pubkey = toHex(x25519.getPublicKey(secret(`m${segment}`)));
      if (segment === 'coordinator') return { ...key, messagingKey: toHex(x25519.getPublicKey(secret('c'))) };
      const signing = secret(segment);
      const signatureKey = toHex(ed25519.getPublicKey(signing));
      if (key.sk === OWN_CARD.sk) {
        const coordinatorKey = toHex(x25519.getPublicKey(secret('c')));
        const place = { identity, account: accountOf(identity), region: 'eu-central-1', inbox: inboxPattern(identity) };
        return { ...key, signature: signCardEntry({ ...place, coordinatorKey, coin: segment, signatureKey }, signing) };
      }
      const signature = signProcessorKey({ identity, coin: segment, pubkey, generation: 1 }, signing);
      return {
        ...key,
        messagingKey: pubkey,
        signatureKey,
        generation: 1,
        signature,
      };
    },
  });
}

const ACCOUNTS: Readonly<Record<string, string>> = {
  alice: '111111111111',
  bob: '222222222222',
  carol: '333333333333',
};
const accountOf = (identity: string): string => ACCOUNTS[identity] ?? '';
const OPERATORS = Object.keys(ACCOUNTS).map((identity) => operatorFile(identity, accountOf(identity)));
const cards = () => Promise.all(OPERATORS.map((operator) => cardOf(operator, directories(operator.identity))));

async function refusal(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof UsageError || error instanceof Unreachable) return error.message;
    throw error;
  }
  throw new Error('expected a refusal');
}

describe('a card', () => {
  it('is what Start left in the operator’s tables, and is read back as it was printed', async () => {
    const [card] = await cards();
    expect(card).toMatchObject({ identity: 'alice', account: '111111111111', inbox: 'coterie-alice-inbox-{identity}' });
    expect(parseCard(JSON.stringify(card, null, 2), 'alice.json')).toEqual(card);
  });

  it('before Start says what to do', async () => {
    const nothing = () => ({ get: async () => undefined });
    expect(await refusal(() => cardOf(OPERATORS[0] as OperatorFile, nothing))).toContain('run coterie start');
  });

  const tampered: [string, (card: Card) => Card, string][] = [
    ['a field was changed', (card) => ({ ...card, account: '999999999999' }), 'expected a card with hash'],
    [
      'a key is somebody else’s',
      (card) => withKey(card, '0xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'),
      'does not verify',
    ],
    ['a key is of small order', (card) => withKey(card, `0x01${'00'.repeat(31)}`), 'prime order'],
    ['the identity is another', (card) => rehashed({ ...card, identity: 'mallory' }), 'does not verify'],
    ['the account is another', (card) => rehashed({ ...card, account: '999999999999' }), 'did not sign'],
    ['the region is another', (card) => rehashed({ ...card, region: 'us-east-1' }), 'did not sign'],
    ['the inbox is another', (card) => rehashed({ ...card, inbox: 'coterie-bob-inbox-{identity}' }), 'did not sign'],
    [
      'the coordinator’s key is another',
      (card) => rehashed({ ...card, coordinatorKey: card.coins['btc']?.messagingKey as Hex }),
      'did not sign',
    ],
    [
      'a coin’s entry is another coin’s',
      (card) => {
        const { btc, sol } = card.coins;
        return rehashed({
          ...card,
          coins: { ...card.coins, btc: { ...btc, entrySignature: sol?.entrySignature } as Card['coins'][string] },
        });
      },
      'did not sign',
    ],
    ['a field is unknown', (card) => ({ ...card, extra: 1 }) as Card, 'unknown key extra'],
  ];
  it.each(tampered)('is refused if %s', async (_, change, sentence) => {
    const [card] = await cards();
    expect(await refusal(() => parseCard(JSON.stringify(change(card as Card)), 'x.json'))).toContain(sentence);
  });

  function rehashed(card: Card): Card {
    return { ...card, hash: cardHash(card) };
  }
  function withKey(card: Card, signatureKey: Hex): Card {
    const btc = card.coins['btc'];
    if (!btc) throw new Error('the card has no btc');
    return rehashed({ ...card, coins: { ...card.coins, btc: { ...btc, signatureKey } } });
  }
});

describe('a committee', () => {
  it('is the same file and hash for everybody who reads it', async () => {
    const committee = createCommittee(await cards(), TERMS, RANDOM, NOW);
    const again = parseCommittee(committeeText(committee));
    expect(again.ok && again.committee.id).toBe(committee.id);
    expect(spoken(committee.id).split(' ')).toHaveLength(16);
    expect(committee.file.operators.map(({ index, identity }) => `${index} ${identity}`)).toEqual([
      '1 alice',
      '2 bob',
      '3 carol',
    ]);
    expect(committee.file.coins['btc']?.genesis).toBeUndefined();
    const genesis = createCommittee(await cards(), { ...TERMS, genesisLife: 600 }, RANDOM, NOW);
    expect(genesis.file.coins['sol']?.genesis).toEqual({ requestId: `0x${'07'.repeat(16)}`, expiresAt: NOW + 600 });
  });

  it('is refused with one operator twice, with t = 1, and with a coin whose suite nobody said', async () => {
    const [alice, bob] = await cards();
    if (!alice || !bob) throw new Error('no cards');
    expect(await refusal(() => createCommittee([alice, alice], TERMS, RANDOM, NOW))).toContain('distinct identities');
    expect(await refusal(() => createCommittee([alice, bob], { ...TERMS, threshold: 1 }, RANDOM, NOW))).toContain(
      'at least 2',
    );
    const usd = { ...alice, assets: { usd: alice.coins['sol'] as Card['coins'][string] } };
    expect(await refusal(() => createCommittee([usd, bob], TERMS, RANDOM, NOW))).toContain('--asset usd=');
    const near = { ...alice, coins: { near: alice.coins['sol'] as Card['coins'][string] } };
    expect(await refusal(() => createCommittee([near, bob], TERMS, RANDOM, NOW))).toContain('--suite near=');
  });

  it('has the assets whose services the cards name, with the terms that were agreed', async () => {
    const withService = async (operator: OperatorFile) =>
      cardOf({ ...operator, coins: ['btc'], assets: ['sol'] }, directories(operator.identity));
    const all = await Promise.all(OPERATORS.map(withService));
    const depositors = {
      keys: [toHex(ed25519.getPublicKey(new Uint8Array(32).fill(9)))],
      required: 1,
      capPerEpoch: '1000',
    };
    const terms = { ...TERMS, assets: { sol: { f: 0, epoch: 3, depositors } }, genesisLife: 600 };
    const { file } = createCommittee(all, terms, RANDOM, NOW);
    expect(file.assets['sol']).toMatchObject({ t: 2, f: 0, epoch: 3, depositors, genesis: { expiresAt: NOW + 600 } });
    expect(file.operators.map(({ assets }) => assets['sol']?.signatureKey)).toEqual(
      all.map(({ assets }) => assets['sol']?.signatureKey),
    );
    const refused = (assets: CommitteeTerms['assets']) =>
      refusal(() => createCommittee(all, { ...terms, assets }, RANDOM, NOW));
    const held = { epoch: 3, depositors };
    expect(await refused({ sol: { f: 1, ...held } })).toBe(
      '--asset sol: expected 2t > n + f, or two sets of services sign two payments of one token; got t = 2, n = 3, f = 1: raise t to 3 at least, or lower f in its terms',
    );
    expect(await refused({ sol: { f: 3, ...held } })).toMatch(/lower f, to 2 at most in its terms$/);
    expect(await refused({ sol: { f: 0, ...held }, eur: { f: 0, ...held } })).toBe(
      '--asset: expected one of sol, of which cards name services; got eur: put it into the operator files as assets, and deploy, start and make the cards again',
    );
    expect(
      await refusal(async () =>
        createCommittee(await cards(), { ...TERMS, assets: { eur: { f: 0, ...held } } }, RANDOM, NOW),
      ),
    ).toMatch(/expected none, for no card names a signing service; got eur/);
  });

  it('is checked against the operator’s own card', async () => {
    const all = await cards();
    const [alice, bob] = all;
    const committee = createCommittee(all, TERMS, RANDOM, NOW);
    const operator = OPERATORS[0] as OperatorFile;
    expect(() => checkOwnEntry(operator, committee, alice)).not.toThrow();
    const moved = createCommittee(
      all.map((card) => ({ ...card, ...(card === alice ? { region: 'us-east-1' } : {}) })),
      TERMS,
      RANDOM,
      NOW,
    );
    expect(await refusal(() => checkOwnEntry(operator, moved, alice))).toContain('do not accept');
    const swapped = createCommittee(
      all.map((card) =>
        card === alice
          ? { ...card, coins: (bob as Card).coins }
          : card === bob
            ? { ...card, coins: (alice as Card).coins }
            : card,
      ),
      TERMS,
      RANDOM,
      NOW,
    );
    expect(await refusal(() => checkOwnEntry(operator, swapped, alice))).toContain('signature key');
  });

  it('that names a key of the operator which its own card does not is refused: somebody else would speak in its name', async () => {
    const all = await cards();
    const { file } = createCommittee(all, TERMS, RANDOM, NOW);
    const foreign = (index: number) => toHex(ed25519.getPublicKey(new Uint8Array(32).fill(76 + index)));
    const more = parseCommittee({
      ...file,
      operators: file.operators.map((each) => ({
        ...each,
        coins: { ...each.coins, near: { signatureKey: foreign(each.index) } },
      })),
      coins: { ...file.coins, near: file.coins['sol'] },
    });
    if (!more.ok) throw new Error(more.reason);
    expect(await refusal(() => checkOwnEntry(OPERATORS[0] as OperatorFile, more.committee, all[0]))).toContain(
      'expected the near signature key none (your card)',
    );
  });

  it('is sent to every role, only if its hash is the one in the operator file', async () => {
    const committee = createCommittee(await cards(), TERMS, RANDOM, NOW);
    const sent: { queue: string; body: string }[] = [];
    const bus = {
      send: async (messages: readonly { queue: string; body: string }[]) => {
        sent.push(...messages);
        return [];
      },
    };
    const operator = OPERATORS[0] as OperatorFile;
    const wrong = { ...operator, committeeHash: `0x${'00'.repeat(32)}` as Hex };
    expect(await refusal(() => acceptCommittee(wrong, committee, bus))).toContain(`got ${committee.id}`);
    expect(await refusal(() => acceptCommittee(operator, committee, bus))).toContain('by voice');
    expect(sent).toHaveLength(0);
    await acceptCommittee({ ...operator, committeeHash: committee.id }, committee, bus);
    expect(sent.map(({ queue }) => queue)).toEqual(
      ['coordinator', 'btc', 'sol'].map((segment) => `coterie-alice-${segment}-CommitteeAccepted`),
    );
    for (const { body } of sent) expect(parseBodyAs('CommitteeAccepted', body).ok).toBe(true);
  });

  it('a queue that does not take a message is named, with the remedy', async () => {
    const bus = { send: async () => [1] };
    expect(await refusal(() => sendStart(OPERATORS[0] as OperatorFile, bus))).toMatch(
      /coterie-alice-btc-Start: check that the stacks/,
    );
  });

  it('a deploy without the committee file that the operator file names is refused', async () => {
    const committeeHash = `0x${'ab'.repeat(32)}` as Hex;
    expect(
      await refusal(() =>
        settingsOf({ ...(OPERATORS[0] as OperatorFile), committeeHash }, undefined, 'aws', { tools: undefined }),
      ),
    ).toContain('name the committee file');
  });
});

describe('the commands', () => {
  const folder = mkdtempSync(join(tmpdir(), 'coterie-test-'));
  const path = (name: string) => join(folder, name);
  const environment = { ...process.env };

  async function coterie(...args: string[]): Promise<number> {
    let status = -1;
    const program = new Command('coterie').exitOverride();
    registerDeploy(program, (ended) => {
      status = ended;
    });
    await program.parseAsync(args, { from: 'user' });
    return status;
  }

  beforeAll(async () => {
    for (const [i, card] of (await cards()).entries()) writeFileSync(path(`card${i + 1}.json`), JSON.stringify(card));
    writeFileSync(path('operator.json'), JSON.stringify(OPERATORS[0]));
    // A port that nobody listens on, and credentials that are none.
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      AWS_ACCESS_KEY_ID: '111111111111',
      AWS_SECRET_ACCESS_KEY: 'test',
    });
  });
  afterAll(() => {
    process.env = environment;
    rmSync(folder, { recursive: true });
  });

  const createArgs = () => [
    'committee',
    'create',
    path('card1.json'),
    path('card2.json'),
    path('card3.json'),
    '--threshold',
    '2',
    '--output',
    path('committee.json'),
  ];

  it('create writes the file once, and says so when run again with other cards', async () => {
    expect(await coterie(...createArgs())).toBe(0);
    const before = readFileSync(path('committee.json'), 'utf8');
    expect(await coterie(...createArgs())).toBe(0);
    expect(await refusal(() => coterie(...createArgs(), '--network', 'other'))).toContain('move it away');
    expect(readFileSync(path('committee.json'), 'utf8')).toBe(before);
    expect(
      await coterie(
        'committee',
        'check',
        path('committee.json'),
        '--operator',
        path('operator.json'),
        '--card',
        path('card1.json'),
      ),
    ).toBe(0);
  });

  it.each([
    ['a threshold above the number of cards', ['--threshold', '4'], '--threshold: expected a whole number from 1 to 3'],
    ['a suite without a coin', ['--suite', 'FROST'], '--suite: expected coin=suite'],
    ['a genesis too far away', ['--genesis', '700000'], '--genesis: expected a whole number from 60'],
  ])('%s is one sentence', async (_, args, sentence) => {
    expect(await refusal(() => coterie(...createArgs(), ...args))).toContain(sentence);
  });

  it.each([
    ['a wrong field', { regio: 'x' }, 'unknown key regio'],
    ['no region', { region: undefined }, 'region'],
    ['a region that is none', { region: 'nowhere in particular' }, 'region'],
  ])('an operator file with %s is one sentence', async (_, change, sentence) => {
    writeFileSync(path('bad.json'), JSON.stringify({ ...OPERATORS[0], ...change }));
    const said = await refusal(() => coterie('card', '--operator', path('bad.json')));
    expect(said).toContain(sentence);
    expect(said).toContain('docs/operator.example.jsonc');
  });

  it('an endpoint that is down is one sentence with the remedy', async () => {
    expect(await refusal(() => coterie('card', '--operator', path('operator.json')))).toMatch(
      /expected an answer from http:\/\/127\.0\.0\.1:9.*check the endpoint/,
    );
    expect(await refusal(() => coterie('start', '--operator', path('operator.json')))).toMatch(
      /did not take Start.*run this again/,
    );
  });

  it('a local stage on an endpoint that is not loopback is refused before anything runs', async () => {
    process.env['AWS_ENDPOINT_URL'] = 'https://example.org';
    expect(await refusal(() => coterie('deploy', '--operator', path('operator.json'), '--stage', 'local'))).toContain(
      'on loopback',
    );
    process.env['AWS_ENDPOINT_URL'] = 'http://127.0.0.1:9';
    expect(await refusal(() => coterie('deploy', '--operator', path('operator.json'), '--stage', 'prod'))).toContain(
      '--stage: expected aws or local',
    );
  });
});

it('the schema of the operator file is the one in docs', async () => {
  await expect(`${JSON.stringify(operatorSchema(), null, 2)}\n`).toMatchFileSnapshot('../../docs/operator.schema.json');
});
