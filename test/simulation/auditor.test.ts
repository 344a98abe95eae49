/** The auditor is no ornament: each invariant is shown a history that breaks it, and one that does not. */
import { createCipheriv } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { FrostCertificate } from '../../lib/messages/certificate.ts';
import { contentText } from '../../lib/messages/contents.ts';
import type { MultisigEvent } from '../../lib/messages/events.ts';
import type { Evidence } from '../../lib/messages/evidence.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { type Statement, type StatementType, statementHash } from '../../lib/messages/statement.ts';
import type { CeremonyState } from '../../lib/node/load.ts';
import type { DataKey, KeyWrapper, QueueName } from '../../lib/ports.ts';
import { NodeWorld } from '../node/world.ts';
import { Auditor } from './auditor.ts';
import { Bounds } from './invariants/bounds.ts';
import { Keys } from './invariants/keys.ts';
import { NonceMeetsOnePackage } from './invariants/nonces.ts';
import { Authority, JustBlame, OneOutcome } from './invariants/outcomes.ts';
import { OneStatement } from './invariants/statements.ts';
import { Progress } from './invariants/states.ts';
import type { Invariant, Violation } from './invariants/violation.ts';
import { Keyring } from './keyring.ts';
import { SecretScan } from './secret-scan.ts';
import { Tally } from './tally.ts';
import { Testimony } from './testimony.ts';

class Heard {
  readonly violations: Violation[] = [];
  readonly report = (invariant: Invariant, what: string): void => {
    this.violations.push({ invariant, what });
  };
  get numbers(): Invariant[] {
    return this.violations.map(({ invariant }) => invariant);
  }
}

const CEREMONY = `0x${'ce'.repeat(32)}` as Hex;
const other = (hex: Hex): Hex => `0x${'0f'.repeat((hex.length - 2) / 2)}` as Hex;

/** One real run, whose key, shares and statements the histories are made of. */
let world: NodeWorld;
let certificate: FrostCertificate;
let keyId: Hex;
let shares: ReadonlyMap<number, Uint8Array>;

beforeAll(async () => {
  world = await new NodeWorld().assembled();
  keyId = world.keyId();
  const opened = new Map<number, Uint8Array>();
  for (const operator of world.operators) {
    const row = world.items(operator, 'Keys').find(({ pk, sk }) => pk === `K#${keyId}` && sk === 'SHARE');
    const secret = await world.vault(operator).unwrap({ kind: 'key', id: keyId }, 'SHARE', row?.['blob'] as Uint8Array);
    opened.set(operator, new Uint8Array(secret.bytes));
  }
  shares = opened;
  const row = world.items(1, 'Keys').find(({ pk, sk }) => pk === `K#${keyId}` && sk === 'PUBLIC');
  certificate = JSON.parse(row?.['certificate'] as string) as FrostCertificate;
});

function said(statement: Statement) {
  return { statement, hash: statementHash(statement) };
}

function plain(type: StatementType, from: number, content: string, slot = '', to = 0): Statement {
  const signature = `0x${'00'.repeat(64)}` as Hex;
  return { type, committee: CEREMONY, coin: 'sol', ceremony: CEREMONY, slot, from, to, content, signature };
}

describe('1, 2, 3: keys', () => {
  function held(): { keys: Keys; heard: Heard } {
    const heard = new Heard();
    const keys = new Keys(new Set([1, 2, 3]), heard.report);
    for (const [operator, share] of shares) {
      keys.share(operator, keyId, share);
      keys.status(operator, keyId, 'unconfirmed', undefined);
    }
    return { keys, heard };
  }

  test('a key that all hold and certify is in order', () => {
    const { keys, heard } = held();
    for (const operator of [1, 2, 3]) keys.status(operator, keyId, 'certified', certificate);
    keys.finish(new Set());
    expect(heard.violations).toEqual([]);
  });

  test('1: two nodes that certify different verifying shares are seen', () => {
    const { keys, heard } = held();
    keys.status(1, keyId, 'certified', certificate);
    const [first, second, third] = certificate.verifyingShares as [Hex, Hex, Hex];
    keys.status(2, keyId, 'certified', { ...certificate, verifyingShares: [second, first, third] });
    expect(heard.numbers).toContain(1);
  });

  test('2: a share of another polynomial is seen, and a key of a lower degree', () => {
    const { keys, heard } = held();
    keys.share(3, other(keyId), new Uint8Array(32).fill(1));
    const wrong = new Keys(new Set([1, 2, 3]), heard.report);
    for (const operator of [1, 2, 3])
      wrong.share(operator, keyId, operator === 2 ? new Uint8Array(32).fill(3) : shares.get(operator));
    wrong.status(1, keyId, 'certified', certificate);
    expect(heard.numbers).toContain(2);

    const flat = new Heard();
    const constant = new Keys(new Set([1, 2, 3]), flat.report);
    for (const operator of [1, 2, 3]) constant.share(operator, keyId, shares.get(1));
    constant.status(1, keyId, 'certified', certificate);
    expect(flat.violations.some(({ what }) => what.includes('degree below'))).toBe(true);
  });

  test('3: a share that is deleted, replaced or missing when another certifies is seen, and one who never hears of it', () => {
    const deleted = held();
    deleted.keys.share(2, keyId, undefined);
    expect(deleted.heard.numbers).toEqual([3]);
    deleted.keys.status(1, keyId, 'certified', certificate);
    expect(deleted.heard.violations.some(({ what }) => what.includes('operator 2 has no share'))).toBe(true);

    const replaced = held();
    replaced.keys.share(2, keyId, new Uint8Array(32).fill(9));
    expect(replaced.heard.numbers).toEqual([3]);

    const unheard = held();
    for (const operator of [1, 2]) unheard.keys.status(operator, keyId, 'certified', certificate);
    unheard.keys.finish(new Set([3]));
    expect(unheard.heard.violations).toEqual([]);
    unheard.keys.finish(new Set());
    expect(unheard.heard.numbers).toEqual([3]);
  });

  test('10: a certified key that is hidden again is seen', () => {
    const { keys, heard } = held();
    keys.status(1, keyId, 'certified', certificate);
    keys.status(1, keyId, 'hidden', undefined);
    expect(heard.numbers).toEqual([10]);
  });
});

test('4: two statements in one place are seen; one, said twice, and two in two places, are not', () => {
  const heard = new Heard();
  const statements = new OneStatement(heard.report);
  for (const slot of ['', 'to-2']) statements.said(said(plain('KeyGenVerdict', 1, '{"a":1}', slot)));
  statements.said(said(plain('KeyGenVerdict', 1, '{"a":1}')));
  statements.said(said(plain('KeyGenVerdict', 2, '{"a":2}')));
  expect(heard.violations).toEqual([]);
  statements.said(said(plain('KeyGenVerdict', 1, '{"a":2}')));
  expect(heard.numbers).toEqual([4]);
});

describe('5: nonces', () => {
  const point = `0x${'02'.repeat(32)}` as Hex;
  const pair = (number: number) => ({ hiding: point, binding: `0x${number.toString(16).padStart(64, '0')}` as Hex });
  const packaged = (number: number, mine = pair(1)) =>
    plain(
      'SigningPackage',
      2,
      contentText('SigningPackage', {
        signers: [1, 2],
        sources: [CEREMONY, CEREMONY],
        commitments: [[mine], [pair(number)]],
      }),
      `0.${number}`,
    );
  const share = (of: Statement, scalar: number) =>
    said(
      plain(
        'SignatureShare',
        1,
        contentText('SignatureShare', {
          package: statementHash(of),
          shares: [`0x${scalar.toString(16).padStart(64, '0')}`],
          next: [pair(99)],
        }),
        of.slot,
        2,
      ),
    );

  function listening() {
    const heard = new Heard();
    const testimony = new Testimony();
    return { heard, testimony, nonces: new NonceMeetsOnePackage(testimony, heard.report) };
  }

  test('two packages for one nonce are seen, even if the second becomes known later', () => {
    const { heard, testimony, nonces } = listening();
    const [first, second] = [packaged(7), packaged(8)];
    testimony.said(first);
    nonces.said(share(first, 1));
    nonces.said(share(first, 1));
    nonces.said(share(second, 2));
    expect(heard.violations).toEqual([]);
    testimony.said(second);
    nonces.finish();
    expect(heard.numbers).toEqual([5]);
  });

  test('two shares for one package are seen, and a share for a package that nobody said', () => {
    const { heard, testimony, nonces } = listening();
    const first = packaged(7);
    testimony.said(first);
    nonces.said(share(first, 1));
    nonces.said(share(first, 2));
    expect(heard.numbers).toEqual([5]);
    nonces.said(share(packaged(8, pair(2)), 3));
    nonces.finish();
    expect(heard.numbers).toEqual([5, 5]);
  });

  test('two nonces for two packages are in order', () => {
    const { heard, testimony, nonces } = listening();
    const [first, second] = [packaged(7), packaged(8, pair(2))];
    for (const each of [first, second]) testimony.said(each);
    nonces.said(share(first, 1));
    nonces.said(share(second, 2));
    nonces.finish();
    expect(heard.violations).toEqual([]);
  });
});

describe('6: authority', () => {
  const messages = ['0x6869' as Hex];
  test('a share of a halted operator, or one that nobody asked for, is seen', () => {
    const heard = new Heard();
    const authority = new Authority(2, heard.report);
    authority.authorised(1, keyId, messages);
    authority.released(1, keyId, messages);
    expect(heard.violations).toEqual([]);
    authority.released(2, keyId, messages);
    expect(heard.numbers).toEqual([6]);
    authority.halted(1, true);
    authority.released(1, keyId, messages);
    expect(heard.numbers).toEqual([6, 6]);
    authority.halted(1, false);
    authority.released(1, keyId, messages);
    expect(heard.numbers).toEqual([6, 6]);
  });

  test('a signature that too few honest operators authorised is seen, and one that does not verify is none', async () => {
    const instruction = world.sign();
    await world.instruct(instruction);
    await world.run();
    const state = world.signing(1);
    const signatures = state?.stage === 'Succeeded' ? state.signatures : [];
    const signed = (authorisers: readonly number[], shown = signatures): Heard => {
      const heard = new Heard();
      const authority = new Authority(2, heard.report);
      for (const operator of authorisers) authority.authorised(operator, keyId, instruction.Sign.messages);
      expect(authority.signed(certificate, keyId, instruction.Sign.messages, shown)).toBe(shown === signatures);
      return heard;
    };
    expect(signed([1, 3]).violations).toEqual([]);
    expect(signed([1]).numbers).toEqual([6]);
    expect(signed([]).numbers).toEqual([6]);
    expect(signed([], [`0x${'00'.repeat(64)}`]).violations).toEqual([]);
  });
});

test('7: a second final outcome is seen; the same again, and a provisional one before it, are not', () => {
  const heard = new Heard();
  const once = new OneOutcome(heard.report);
  const outcome = (result: 'failed' | 'succeeded' | 'unresolved', final: boolean): MultisigEvent => ({
    KeygenOutcome: {
      id: CEREMONY,
      operator: 1,
      coin: 'sol',
      ceremony: CEREMONY,
      result,
      final,
      culprits: [],
      unresponsive: [],
    },
  });
  once.told(1, outcome('unresolved', false));
  once.told(1, outcome('succeeded', true));
  once.told(1, outcome('succeeded', true));
  once.told(2, outcome('failed', true));
  expect(heard.violations).toEqual([]);
  once.told(1, outcome('failed', true));
  expect(heard.numbers).toEqual([7]);
});

test('8: blame of an honest operator is seen, and evidence that proves nothing or convicts another', async () => {
  const { committee } = world.committee;
  const place = { ceremony: CEREMONY };
  const [first, second] = [
    await world.say(2, 'KeyGenVerdict', place, '{"aborted":"Aborted"}'),
    await world.say(2, 'KeyGenVerdict', place, '{"aborted":"Timeout"}'),
  ];
  const evidence: Evidence = { v: 1, reason: 'Equivocation', committee: committee.id, statements: [first, second] };
  const judged = (culprit: number, shown: Evidence | undefined, byzantine: readonly number[] = [2]): Invariant[] => {
    const heard = new Heard();
    new JustBlame(committee, new Set(byzantine), heard.report).blamed(1, culprit, shown);
    return heard.numbers;
  };
  expect(judged(2, evidence)).toEqual([]);
  expect(judged(2, undefined)).toEqual([]);
  expect(judged(2, evidence, [])).toEqual([8]);
  expect(judged(3, evidence, [2, 3])).toEqual([8]);
  expect(judged(2, { ...evidence, statements: [first, first] })).toEqual([8]);
});

describe('9: secrets', () => {
  test.each(['a body', 'a row', 'a record', 'an error'])('9: a data key in %s is seen', async (sink) => {
    const scan = new SecretScan();
    const keyring = new Keyring((key) => scan.secret('a data key', key));
    const auditor = audited({ scan, keyring });
    const plaintext = new Uint8Array(Array.from({ length: 32 }, (_, i) => 7 * i + 1));
    await keyring.watch(wrapperOf(plaintext)).generateDataKey('keys', {});
    const text = Buffer.from(plaintext).toString('hex');
    if (sink === 'a body')
      auditor.sent({ queue: 'coterie-operator1-sol-Wake' as QueueName, body: `{"Wake":{"x":"${text}"}}` });
    if (sink === 'a record') auditor.reported({ operator: 1, role: 'sol', event: 'Stage', fields: { detail: text } });
    if (sink === 'an error') auditor.failed(new Error(text));
    if (sink === 'a row')
      auditor.changed({
        namespace: 'operator1/sol',
        table: 'Directory',
        key: { pk: 'p', sk: 's' },
        before: undefined,
        after: { pk: 'p', sk: 's', note: plaintext },
      });
    auditor.finish(new Set(), new Map());
    expect(auditor.violations.map(({ invariant }) => invariant)).toContain(9);
  });

  test('9: what a wrapped row holds is known, whoever wrote it, and may lie in that row only', async () => {
    const scan = new SecretScan();
    const keyring = new Keyring();
    const auditor = audited({ scan, keyring });
    const dataKey = new Uint8Array(32).fill(9);
    await keyring.watch(wrapperOf(dataKey)).generateDataKey('keys', {});
    const secret = new Uint8Array(Array.from({ length: 32 }, (_, i) => 5 * i + 3));
    const change = (sk: string, attributes: Record<string, Uint8Array | string>) =>
      auditor.changed({
        namespace: 'operator1/sol',
        table: 'Keys',
        key: { pk: 'OWN', sk },
        before: undefined,
        after: { pk: 'OWN', sk, ...attributes },
      });
    change('SIGNATURE', { blob: sealed(dataKey, secret) });
    auditor.finish(new Set(), new Map());
    expect(auditor.violations).toEqual([]);
    change('NOTE', { text: Buffer.from(secret).toString('base64') });
    auditor.finish(new Set(), new Map());
    expect(auditor.violations.map(({ invariant }) => invariant)).toContain(9);
  });
});

describe('10: progress', () => {
  const state = (stage: string, more: object = {}): CeremonyState =>
    ({ kind: 'keygen', ceremony: CEREMONY, stage, parameters: {}, culprits: [], ...more }) as unknown as CeremonyState;
  const history = (...steps: readonly (readonly [number, CeremonyState | undefined])[]): Invariant[] => {
    const heard = new Heard();
    const progress = new Progress(heard.report);
    for (const [version, each] of steps) progress.written(1, CEREMONY, version, each);
    return heard.numbers;
  };

  test('onward, one version at a time, is in order', () => {
    expect(history([1, state('AwaitingPublicKeys')], [2, state('AwaitingCommitments')], [3, state('Failed')])).toEqual(
      [],
    );
    expect(history([1, state('AwaitingVerdicts')], [2, state('Unresolved')], [3, state('Succeeded')])).toEqual([]);
  });

  test('a version that is left out, repeated, or does not begin at 1 is seen', () => {
    expect(history([1, state('AwaitingPublicKeys')], [3, state('AwaitingCommitments')])).toEqual([10]);
    expect(history([1, state('AwaitingPublicKeys')], [1, state('AwaitingCommitments')])).toEqual([10]);
    expect(history([2, state('AwaitingPublicKeys')])).toEqual([10]);
  });

  test('a stage that comes back, an end that is left, changed or deleted, is seen', () => {
    expect(history([1, state('AwaitingShares')], [2, state('AwaitingCommitments')])).toEqual([10]);
    expect(history([1, state('Failed')], [2, state('Succeeded')])).toContain(10);
    expect(history([1, state('Failed', { reason: 'Timeout' })], [2, state('Failed', { reason: 'Aborted' })])).toEqual([
      10,
    ]);
    expect(history([1, state('Failed')], [2, state('Failed', { late: [] })])).toEqual([]);
    expect(history([1, state('Succeeded')], [2, undefined])).toEqual([10]);
  });
});

test('11: calls and bytes out of proportion to what was sent are seen', () => {
  const heard = new Heard();
  const bounds = new Bounds(heard.report);
  bounds.delivered('operator1/sol', 10);
  for (let i = 0; i < 500; i++) bounds.called('operator1/sol');
  bounds.finish(3, new Map([['operator1/sol', 50_000]]), 2);
  expect(heard.violations).toEqual([]);
  for (let i = 0; i < 5_000; i++) bounds.called('operator1/sol');
  bounds.finish(3, new Map([['operator1/sol', 50_000_000]]), 2);
  expect(heard.numbers).toEqual([11, 11]);
});

function audited(options: { readonly scan?: SecretScan; readonly keyring: Keyring }): Auditor {
  return new Auditor({
    coin: 'sol',
    suite: 'FROST-ED25519-SHA512-v1',
    operators: 3,
    threshold: 2,
    byzantine: new Set(),
    tally: new Tally(),
    ...options,
  });
}

const WRAPPED = new Uint8Array(20).fill(4);

function wrapperOf(plaintext: Uint8Array): KeyWrapper {
  return {
    generateDataKey: async (): Promise<DataKey> => ({ plaintext: new Uint8Array(plaintext), wrapped: WRAPPED }),
    decrypt: async () => plaintext,
  };
}

/** A row as the vault makes it: version, length, wrapped key, nonce, ciphertext, tag. */
function sealed(key: Uint8Array, secret: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  return new Uint8Array(
    Buffer.concat([
      Uint8Array.of(1, 0, WRAPPED.length),
      WRAPPED,
      nonce,
      cipher.update(secret),
      cipher.final(),
      cipher.getAuthTag(),
    ]),
  );
}
