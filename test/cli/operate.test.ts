/** The commands of the person on duty, against an embedded committee through its socket. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { certificateFile } from '../../lib/cli/certificate-file.ts';
import { VERIFIERS } from '../../lib/cli/verify.ts';
import { fromHex, type Hex } from '../../lib/messages/hex.ts';
import { ceremonyId, type SigningParameters } from '../../lib/messages/parameters.ts';
import { leaderOf } from '../../lib/signing/step.ts';
import { ceremonySummary, ceremonyView } from '../../lib/view/ceremony-view.ts';
import { committeeView, pendingView } from '../../lib/view/committee-view.ts';
import { coterie, type Embedded, embedded, type Run } from './embedded.ts';

const answer = z.strictObject({
  v: z.literal(1),
  ceremony: z.string(),
  coin: z.string(),
  requestId: z.string(),
  expiresAt: z.int(),
  views: z.array(ceremonyView),
  refused: z.array(z.looseObject({ reason: z.string(), detail: z.string() })),
  checked: z.array(
    z.discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('key'),
        ok: z.boolean(),
        by: z.string(),
        keyId: z.string(),
        publicKey: z.string(),
        address: z.string(),
      }),
      z.strictObject({
        kind: z.literal('signature'),
        ok: z.boolean(),
        by: z.string(),
        message: z.string(),
        signature: z.string(),
      }),
    ]),
  ),
});
const pendingList = z.strictObject({ v: z.literal(1), readAt: z.int(), pending: z.array(pendingView) });
const ceremonyList = z.strictObject({ v: z.literal(1), readAt: z.int(), ceremonies: z.array(ceremonySummary) });
const json = <Schema extends z.ZodType>(schema: Schema, { stdout }: Run): z.infer<Schema> =>
  schema.parse(JSON.parse(stdout));

let world: Embedded;
let keyId = '';
let keygenCeremony = '';

beforeAll(async () => {
  world = await embedded();
  const made = await world.coterie('keygen', '--json');
  expect(made.status).toBe(0);
  const { checked, ceremony, views } = json(answer, made);
  expect(views.map(({ stage }) => stage)).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
  expect(checked).toMatchObject([{ kind: 'key', ok: true, by: 'certificate' }]);
  keyId = checked[0]?.kind === 'key' ? checked[0].keyId : '';
  keygenCeremony = ceremony;
});
afterAll(() => world.close());

describe('the doctor', () => {
  it('compares what was accepted with the committee file that was agreed on, when it is given', async () => {
    const agreed = join(world.folder, 'agreed.json');
    expect((await world.coterie('committee', 'export', '--output', agreed)).status).toBe(0);
    expect(await world.coterie('doctor', '--committee', agreed)).toMatchObject({ status: 0 });
    const other = join(world.folder, 'other.json');
    const file = JSON.parse(readFileSync(agreed, 'utf8')) as { leaderPeriod: number };
    writeFileSync(other, JSON.stringify({ ...file, leaderPeriod: file.leaderPeriod + 1 }));
    const { status, stdout } = await world.coterie('doctor', '--committee', other);
    expect(status).toBe(1);
    expect(stdout).toMatch(/operator1 sol: has accepted 0x[0-9a-f]{64}, agreed on was 0x[0-9a-f]{64}/);
    expect((await world.coterie('doctor', '--committee', join(world.folder, 'none'))).status).toBe(2);
  });
});

describe('a file that is asked for', () => {
  it('and cannot be written is the user’s mistake: one sentence that names it, status 2, and nothing left', async () => {
    const path = join(world.folder, 'nowhere', 'file');
    const runs = [
      await world.coterie('committee', 'export', '--output', path),
      await world.coterie('certificate', 'export', '--output', path),
      await world.coterie('report', keygenCeremony, '--output', path),
      await coterie(['cost', '--svg', path]),
    ];
    for (const { status, stdout, stderr } of runs) {
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toMatch(/^coterie: .*expected a path that can be written, got \S+ \(ENOENT\)\n$/);
    }
    mkdirSync(join(world.folder, 'folder'));
    const over = await world.coterie('committee', 'export', '--output', join(world.folder, 'folder'));
    expect(over.status).toBe(2);
    expect(existsSync(join(world.folder, 'folder.partial'))).toBe(false);
  });
});

describe('sign', () => {
  it('prints signatures alone on stdout, and another library finds them good', async () => {
    const { status, stdout, stderr } = await world.coterie(
      'sign',
      '--message',
      'hello',
      '--message',
      '0x00ff',
      '--key',
      keyId.slice(0, 10),
    );
    expect(status).toBe(0);
    const signatures = stdout.trim().split('\n') as Hex[];
    expect(signatures).toHaveLength(2);
    const { keys } = json(committeeView, await world.coterie('status', '--json')).coins[0] ?? { keys: [] };
    const publicKey = fromHex((keys[0]?.publicKey ?? '0x') as Hex);
    expect(
      await VERIFIERS.sol.verify(publicKey, new TextEncoder().encode('hello'), fromHex(signatures[0] ?? '0x')),
    ).toBe(true);
    expect(await VERIFIERS.sol.verify(publicKey, Uint8Array.of(0, 255), fromHex(signatures[1] ?? '0x'))).toBe(true);
    expect(stderr).toContain('verified by node:crypto (OpenSSL)');
  });

  it('prints no signature that the other library finds bad: a script would take what stands on stdout', async () => {
    const own = await embedded();
    try {
      expect((await own.coterie('keygen')).status).toBe(0);
      const words = ['sign', '--message', 'x', '--request-id', `0x${'31'.repeat(16)}`, '--expires-at'];
      words.push(`${Math.floor(Date.now() / 1_000) + 300}`);
      const good = (await own.coterie(...words)).stdout.trim();
      expect(good).toMatch(/^0x[0-9a-f]{128}$/);
      const bad = `${good.slice(0, -2)}${good.endsWith('00') ? '01' : '00'}`;
      for (const identity of ['operator1', 'operator2', 'operator3']) {
        const rows = own.committee.cloud.inspect.items(`${identity}/sol`, 'Ceremonies');
        const row = rows.find(({ sk, state }) => sk === 'STATE' && `${state}`.includes(good));
        if (!row) continue;
        const item = { ...row, state: `${row['state']}`.replaceAll(good, bad) };
        await own.committee.cloud.store(`${identity}/sol`).write({ kind: 'put', table: 'Ceremonies', item });
      }
      const { status, stdout, stderr } = await own.coterie(...words);
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toContain('NOT VALID, says node:crypto (OpenSSL)');
      const said = json(answer, await own.coterie(...words, '--json'));
      expect(said.checked).toMatchObject([{ kind: 'signature', ok: false }]);
    } finally {
      await own.close();
    }
  });

  it('sends nothing with --unsent, and says which bytes an instruction key signs', async () => {
    const { status, stdout } = await world.coterie('sign', '--message', 'x', '--unsent');
    expect(status).toBe(0);
    const { ceremony, bytesToSign } = JSON.parse(stdout) as { ceremony: string; bytesToSign: string };
    expect(bytesToSign).toMatch(/^0x[0-9a-f]+$/);
    expect((await world.coterie('ceremony', 'show', ceremony)).status).toBe(2);
  });

  it('says that it goes on by itself, with status 4, when the wait ends before the ceremony', async () => {
    const { status, stderr } = await world.coterie(
      'sign',
      '--message',
      'alone',
      '--as',
      'operator1',
      '--wait',
      '1',
      '--expires-in',
      '3',
    );
    expect(status).toBe(4);
    expect(stderr).toMatch(/operator1: Signing/);
  });

  it('repeats what is named by one request id, and is refused other words under it with status 5', async () => {
    const requestId = `0x${'21'.repeat(16)}`;
    const same = [
      'sign',
      '--message',
      'once',
      '--request-id',
      requestId,
      '--expires-at',
      `${Math.floor(Date.now() / 1_000) + 300}`,
      '--json',
    ];
    const first = json(answer, await world.coterie(...same));
    const again = json(answer, await world.coterie(...same));
    expect(again.ceremony).toBe(first.ceremony);
    expect(again.checked).toEqual(first.checked);
    const other = await world.coterie(...same.with(2, 'twice'));
    expect(other.status).toBe(5);
    expect(json(answer, other).refused).toMatchObject(Array(3).fill({ reason: 'ConfigurationMismatch' }));
  });

  it.each([
    [['sign'], /--message: expected at least one text/],
    [['sign', '--message', ''], /--message: expected at least one byte/],
    [['sign', '--message', 'x', '--key', 'ffff'], /expected a certified key that is known here/],
    [['sign', '--message', 'x', '--key', 'nonsense'], /--key: expected an id, an address/],
    [['sign', '--message', 'x', '--coin', 'btc'], /--coin: expected one of sol of operator1, got "btc"/],
    [['sign', '--message', 'x', '--purpose', 'ü'], /sign: purpose: expected 1 to 64 printable ASCII/],
    [['sign', '--message', 'x', '--expires-in', '0'], /--expires-in: expected a whole number from 1 to 604800/],
    [['sign', '--message', 'x', '--expires-at', '1'], /expiresAt: expected a time after/],
    [['sign', '--message', 'x', '--request-id', '0x12'], /--request-id: expected 16 bytes/],
    [['sign', '--message', 'x', '--as', 'nobody'], /--as: expected one or more of operator1, operator2, operator3/],
    [['sign', '--message-file', '/nowhere'], /--message-file: expected a file that can be read/],
    [['sign', '--message', 'x', '--wait', 'long'], /--wait: expected a whole number/],
    [['keygen', '--coin', 'btc'], /--coin: expected one of sol/],
    [['keygen', '--signers', '1'], /keygen: expected t to be at most the number of signers/],
    [['keygen', '--signers', '1,9'], /keygen: signers: expected some of 1, 2, 3, got 9/],
    [['keygen', '--signers', '2,1'], /ascending/],
    [['approve', `0x${'ff'.repeat(32)}`], /expected a pending ceremony that is known here/],
    [['approve', '0x0123456789ab'], /expected the whole id as coterie pending prints it/],
    [['ceremony', 'show', 'ffff'], /expected a ceremony that is known here/],
    [['ceremony', 'timeline', '0x'], /expected the id of a ceremony/],
    [['ceremony', 'list', '--coin', 'btc'], /--coin: expected one of sol/],
    [['ceremony', 'list', '--limit', '0'], /--limit: expected a whole number/],
    [['status', '--as', '1,2'], /--as: expected one operator, whose rows are read/],
    [['pending', '--as', 'all'], /--as: expected one operator/],
    [['halt', '--coin', 'btc'], /--coin: expected one of sol, got "btc"/],
    [['abandon', 'ffff'], /expected a ceremony that is known here/],
    [['certificate', 'export', 'ffff'], /expected a certified key that is known here/],
    [['certificate', 'import', '/nowhere'], /expected a certificate at \/nowhere/],
    [['address', '--require', '0'], /--require: expected a whole number from 1 to 100/],
    [['dead-letters', 'list', '--from', 'btc'], /--from: expected one of coordinator, sol, inbox, got "btc"/],
    [['dead-letters', 'redrive', '--limit', 'all'], /--limit: expected a whole number/],
    [['status', '--operator', 'operator.json'], /--at and --operator: expected one of them, got both/],
  ])('answers the mistake %j with one sentence and status 2', async (args, sentence) => {
    const { status, stdout, stderr } = await world.coterie(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(sentence);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('status', () => {
  it('says that the committee can sign and how many more may fall silent, with status 0', async () => {
    const view = json(committeeView, await world.coterie('status', '--json', '--as', '2'));
    expect(view.operator).toEqual({ identity: 'operator2', index: 2 });
    expect(view.coins).toMatchObject([
      { coin: 'sol', ready: true, health: { canSign: true, able: [1, 2, 3], mayFallSilent: 1 } },
    ]);
    expect(view.coins[0]?.keys).toMatchObject([{ keyId, status: 'certified' }]);
    const { stdout, status } = await world.coterie('status');
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^✓ sol: can sign: 3 of 3 operators are able as far as this one knows, and 2 are needed; 1 more may fall silent\.$/m,
    );
  });
});

describe('ceremonies', () => {
  it('lists, shows and draws what each operator said, from its own rows', async () => {
    const { ceremonies } = json(ceremonyList, await world.coterie('ceremony', 'list', '--json'));
    expect(ceremonies.some(({ ceremony, kind }) => ceremony === keygenCeremony && kind === 'keygen')).toBe(true);
    const view = json(ceremonyView, await world.coterie('ceremony', 'show', keygenCeremony.slice(0, 12), '--json'));
    expect(view.rounds.map(({ type, status, arrivals }) => [type, status, arrivals.length])).toEqual([
      ['EncryptedPublicKey', 'complete', 3],
      ['EncryptedKeyGenCommitment', 'complete', 3],
      ['EncryptedKeyShare', 'complete', 3],
      ['KeyGenVerdict', 'complete', expect.any(Number)],
    ]);
    expect(view.outcome).toMatchObject({ result: 'succeeded', keyId });
    const drawn = await world.coterie('ceremony', 'timeline', keygenCeremony, '--as', '3');
    expect(drawn.status).toBe(0);
    const rows = drawn.stdout.split('\n').filter((line) => line.includes('│'));
    expect(rows).toHaveLength(3);
    expect(rows[2]).toMatch(/^3 operator3 \*/);
    expect(drawn.stdout).toContain(
      'K EncryptedPublicKey  C EncryptedKeyGenCommitment  S EncryptedKeyShare  V KeyGenVerdict',
    );
  });
});

describe('approving', () => {
  it('shows what a peer asks for, decoded, and joins it word for word', async () => {
    // A signer speaks to the leader: whoever asks first must not be the leader, or nobody else hears of it for a while.
    const { id: committee } = world.committee.committee;
    const expiresAt = Math.floor(Date.now() / 1_000) + 300;
    const parameters = (i: number): SigningParameters => ({
      kind: 'signing',
      committee,
      coin: 'sol',
      suite: 'FROST-ED25519-SHA512-v1',
      t: 2,
      signers: [1, 2, 3],
      keyId: keyId as Hex,
      messages: ['0x70617920616c696365'],
      purpose: 'payout',
      requestId: `0x${`${i}`.padStart(32, '0')}`,
      expiresAt,
    });
    // Each id has one of three leaders: a hundred without the second are not met with.
    const ids = Array.from({ length: 100 }, (_, i) => parameters(i + 1));
    const of = ids.find((each) => leaderOf(each, ceremonyId(each), 0) === 2);
    if (!of) throw new Error('expected an id among a hundred with the second operator as its leader, got none');
    const asked = await world.coterie(
      ...['sign', '--as', '1', '--message', 'pay alice', '--purpose', 'payout', '--no-wait'],
      ...['--request-id', of.requestId, '--expires-at', `${expiresAt}`],
    );
    expect(asked).toMatchObject({ status: 0, stdout: `${ceremonyId(of)}\n` });
    let pending: z.infer<typeof pendingView>[] = [];
    await expect
      .poll(async () => {
        ({ pending } = json(pendingList, await world.coterie('pending', '--as', '2', '--json')));
        return pending.length;
      })
      .toBe(1);
    expect(pending).toMatchObject([
      {
        ceremony: ceremonyId(of),
        askedBy: [{ index: 1, identity: 'operator1' }],
        purpose: 'payout',
        messages: [{ text: 'pay alice' }],
      },
    ]);
    expect((await world.coterie('pending', '--as', '2')).stdout).toContain('sol signing with');
    const { status, stdout } = await world.coterie('approve', ceremonyId(of), '--as', '2');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^0x[0-9a-f]{128}\n$/);
    expect(json(pendingList, await world.coterie('pending', '--as', '2', '--json')).pending).toEqual([]);
  });
});

describe('switches', () => {
  it('halts where it is told to, shows it, and releases', async () => {
    expect(await world.coterie('halt', '--as', '1', '--json')).toMatchObject({ status: 0 });
    const view = json(committeeView, await world.coterie('status', '--json'));
    expect(view.coins[0]?.operators[0]).toMatchObject({ index: 1, state: 'halted' });
    expect(view.findings.map(({ level, what }) => [level, what])).toContainEqual([
      'alarm',
      expect.stringContaining('halt switch'),
    ]);
    expect(view.coins[0]?.health).toMatchObject({ canSign: true, able: [2, 3], mayFallSilent: 0 });
    const other = json(committeeView, await world.coterie('status', '--json', '--as', '2'));
    expect(other.coins[0]?.haltedSince).toBeUndefined();
    const { stdout, status } = await world.coterie('release');
    expect({ stdout, status }).toEqual({
      status: 0,
      stdout: ['operator1', 'operator2', 'operator3'].map((name) => `${name} sol: released\n`).join(''),
    });
    expect(json(committeeView, await world.coterie('status', '--json')).coins[0]?.haltedSince).toBeUndefined();
  });

  it('abandons an open ceremony, which then has failed', async () => {
    const asked = await world.coterie('sign', '--as', '3', '--message', 'never', '--no-wait', '--json');
    const { ceremony } = json(answer, asked);
    await expect.poll(async () => (await world.coterie('ceremony', 'show', ceremony, '--as', '3')).status).toBe(0);
    expect((await world.coterie('abandon', ceremony, '--as', '3')).status).toBe(0);
    await expect.poll(async () => (await world.coterie('ceremony', 'show', ceremony, '--as', '3')).status).toBe(1);
    const shown = await world.coterie('ceremony', 'show', ceremony, '--as', '3', '--json');
    expect(json(ceremonyView, shown).outcome).toMatchObject({ result: 'failed', reason: 'Aborted' });
    expect((await world.coterie('clean-up', '--as', '3')).stdout).toBe(
      'operator3 sol: asked to look at every open ceremony\n',
    );
    expect((await world.coterie('abandon', keygenCeremony)).status).toBe(2);
  });
});

describe('certificates and addresses', () => {
  const file = (name: string) => join(world.folder, name);

  it('prints an address only if as many operators announced it as are required', async () => {
    const enough = await world.coterie('address', '--require', '3');
    expect(enough).toMatchObject({ status: 0, stdout: expect.stringMatching(/^[1-9A-HJ-NP-Za-km-z]{32,44}\n$/) });
    const tooFew = await world.coterie('address', '--require', '2', '--as', '1');
    expect(tooFew).toMatchObject({ status: 1, stdout: '' });
    expect(tooFew.stderr).toContain('announced by 1 of the 2 required: operator1');
  });

  it('counts announcements in files, each of an operator of its own, offline', async () => {
    for (const operator of ['1', '2'])
      expect(
        (await world.coterie('certificate', 'export', '--as', operator, '--output', file(`c${operator}.json`))).status,
      ).toBe(0);
    writeFileSync(file('committee.json'), JSON.stringify(world.committee.committee.file));
    const { coterie } = await import('./embedded.ts');
    const judged = (...files: string[]) =>
      coterie([
        'address',
        '--require',
        '2',
        '--committee',
        file('committee.json'),
        ...files.flatMap((each) => ['--from', file(each)]),
      ]);
    expect(await judged('c1.json', 'c2.json')).toMatchObject({ status: 0 });
    // One operator's announcement twice is one operator.
    expect(await judged('c1.json', 'c1.json')).toMatchObject({ status: 1, stdout: '' });
    const mixed = { ...here('c1.json'), announcement: { ...here('c2.json').announcement, from: 3 } };
    writeFileSync(file('forged.json'), JSON.stringify(mixed));
    const forged = await judged('c1.json', 'forged.json');
    expect(forged).toMatchObject({ status: 2, stdout: '' });
    expect(forged.stderr).toContain('the announcement proves nothing: its signature does not verify');
    const { announcement: _, ...silent } = here('c2.json');
    writeFileSync(file('silent.json'), JSON.stringify(silent));
    expect((await judged('c1.json', 'silent.json')).stderr).toContain('expected an announcement, got none');
  });

  it('imports nothing where nobody lacks it, and refuses a certificate that does not verify', async () => {
    expect((await world.coterie('certificate', 'import', file('c2.json'))).stderr).toContain('nobody here lacks it');
    const bad = here('c2.json');
    if (!('verifyingShares' in bad.certificate)) throw new Error('expected a key that signs');
    bad.certificate.verifyingShares.reverse();
    writeFileSync(file('bad.json'), JSON.stringify(bad));
    const refused = await world.coterie('certificate', 'import', file('bad.json'));
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toContain('the certificate proves nothing');
  });

  const here = (name: string) => certificateFile.parse(JSON.parse(readFileSync(file(name), 'utf8')));
});

describe('what an embedded committee has not', () => {
  it('is said plainly: no dead letters, and a doctor who looks for agreement only', async () => {
    expect(await world.coterie('dead-letters', 'list')).toMatchObject({ status: 0, stderr: 'no dead letters\n' });
    expect(await world.coterie('dead-letters', 'redrive', '--json')).toMatchObject({
      status: 0,
      stdout: '{"v":1,"sent":[],"kept":[],"refused":[]}\n',
    });
    expect(await world.coterie('doctor')).toMatchObject({ status: 0, stdout: '6 good, 0 problems, 0 not told\n' });
  });
});
