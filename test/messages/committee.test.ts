import { describe, expect, test } from 'vitest';
import { CATALOGUE, MESSAGE_NAMES } from '../../lib/messages/catalogue.ts';
import {
  Committee,
  type CommitteeFile,
  committeeId,
  parseCommittee,
  UnknownSigner,
} from '../../lib/messages/committee.ts';
import { inboxQueue, MAX_QUEUE_NAME, topicQueue } from '../../lib/messages/topics.ts';
import { committee, committeeFile, signatureKey } from './fixtures.ts';

const reasonFor = (file: unknown): string => {
  const parsed = parseCommittee(file);
  return parsed.ok ? 'accepted' : parsed.reason;
};

/** The file after an edit; nothing else is changed. */
function edited(edit: (file: DeepMutable) => void): CommitteeFile {
  const file = structuredClone(committeeFile) as DeepMutable;
  edit(file);
  return file as CommitteeFile;
}
type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;
type DeepMutable = Mutable<CommitteeFile>;
type MutableOperator = DeepMutable['operators'][number];
const operator = (file: DeepMutable, position: number): MutableOperator => {
  const found = file.operators[position];
  if (!found) throw new Error(`no operator at ${position}`);
  return found;
};

/** Five operators who hold an asset as well. */
function withAsset(t: number, f: number, change: Partial<CommitteeFile['assets'][string]> = {}): CommitteeFile {
  const depositors = { keys: [signatureKey(50), signatureKey(51)], required: 2, capPerEpoch: '1000' };
  return edited((file) => {
    for (const index of [4, 5]) {
      file.operators.push({
        ...structuredClone(operator(file, 0)),
        index,
        identity: `operator${index}`,
        coordinatorKey: committeeFile.operators[0]?.coordinatorKey.replace(/^0x../, `0x0${index}`) as `0x${string}`,
        coins: { btc: { signatureKey: signatureKey(index) } },
      });
    }
    for (const each of file.operators) each.assets = { usd: { signatureKey: signatureKey(100 + each.index) } };
    file.assets = { usd: { t, f, depositors, epoch: 1, ...change } as DeepMutable['assets'][string] };
  });
}

describe('a committee file', () => {
  test('is accepted as text and as an object, and has one id', () => {
    const byText = parseCommittee(JSON.stringify(committeeFile));
    const byObject = parseCommittee(committeeFile);
    expect(byText.ok && byText.committee.id).toBe(committee.id);
    expect(byObject.ok && byObject.committee.id).toBe(committee.id);
  });

  test('has the same id whatever the order of its keys, and another if anything differs', () => {
    const { operators, ...rest } = committeeFile;
    expect(committeeId({ ...rest, operators })).toBe(committee.id);
    expect(committeeId(edited((file) => operators.length && file.operators.reverse()))).not.toBe(committee.id);
    expect(committeeId({ ...committeeFile, leaderPeriod: 16 })).not.toBe(committee.id);
  });

  test('answers who is who by index and by identity, never by position', () => {
    const parsed = parseCommittee(edited((file) => file.operators.reverse()));
    if (!parsed.ok) throw new Error(parsed.reason);
    expect(parsed.committee.operator(1)?.identity).toBe('operator1');
    expect(parsed.committee.operatorByIdentity('operator3')?.index).toBe(3);
    expect(parsed.committee.signersOf('btc')).toEqual([1, 2, 3]);
    expect(parsed.committee.signatureKey('btc', 2)).toBe(signatureKey(2));
    expect(parsed.committee.n).toBe(3);
  });

  test('DKG-03: knows nobody who is not in it', () => {
    for (const index of [0, 4, -1, 1.5, Number.NaN]) {
      expect(committee.operator(index)).toBeUndefined();
      expect(() => committee.signatureKey('btc', index)).toThrow(UnknownSigner);
    }
    for (const name of ['sol', 'constructor', '__proto__', 'toString']) {
      expect(() => committee.signatureKey(name, 1), name).toThrow(UnknownSigner);
      expect(committee.signersOf(name), name).toEqual([]);
      expect(committee.keyOf(name), name).toBeUndefined();
    }
    expect(committee.keyOf('btc')).toEqual({ suite: 'FROST-secp256k1-SHA256-TR-v1', t: 2 });
  });

  test('may hold an asset with 2t > n + f, whose key is a suite of its own', () => {
    const parsed = parseCommittee(withAsset(4, 2));
    if (!parsed.ok) throw new Error(parsed.reason);
    expect(parsed.committee.keyOf('usd')).toEqual({ suite: 'coconut-bls12381', t: 4 });
    expect(parsed.committee.signersOf('usd')).toEqual([1, 2, 3, 4, 5]);
    expect(parsed.committee.signatureKey('usd', 5)).toBe(signatureKey(105));
    expect([1, 5, 6].map((index) => parsed.committee.isSigner('usd', index))).toEqual([true, true, false]);
  });

  test('knows who is a signer of what, and of nothing that it does not hold', () => {
    expect(committee.isSigner('btc', 1)).toBe(true);
    for (const index of [0, 4, 1.5]) expect(committee.isSigner('btc', index), `${index}`).toBe(false);
    for (const name of ['sol', 'constructor', '__proto__']) expect(committee.isSigner(name, 1), name).toBe(false);
  });

  test('authorises the first key generation of an asset as of a coin, with its own suite and threshold', () => {
    const genesis = { requestId: `0x${'5a'.repeat(16)}` as const, expiresAt: 1_800_000_600 };
    const parsed = parseCommittee(withAsset(4, 2, { genesis }));
    if (!parsed.ok) throw new Error(parsed.reason);
    expect(parsed.committee.genesisOf('usd')).toEqual({
      ...{ kind: 'keygen', committee: parsed.committee.id, coin: 'usd', suite: 'coconut-bls12381', t: 4 },
      ...{ signers: [1, 2, 3, 4, 5], ...genesis },
    });
    expect(parsed.committee.genesisOf('btc')).toBeUndefined();
    expect(parsed.committee.genesisOf('constructor')).toBeUndefined();
  });
});

describe('a committee file is refused', () => {
  const cases: readonly (readonly [string, CommitteeFile, string])[] = [
    [
      'DKG-04: with one index twice',
      edited((file) => (operator(file, 2).index = 1)),
      'expected distinct operator indexes, got one twice',
    ],
    [
      'DKG-03: with an index above n',
      edited((file) => (operator(file, 2).index = 4)),
      'expected operator indexes 1 to 3, got a higher one',
    ],
    [
      'DKG-04: with one identity twice',
      edited((file) => (operator(file, 2).identity = 'operator1')),
      'expected distinct identities, got one twice',
    ],
    [
      'DKG-04: with one coordinator key twice',
      edited((file) => (operator(file, 2).coordinatorKey = operator(file, 0).coordinatorKey)),
      'expected distinct coordinator keys, got one twice',
    ],
    [
      'DKG-04: with one signature key twice',
      edited((file) => (operator(file, 2).coins = operator(file, 0).coins)),
      'expected distinct signature keys, got one twice',
    ],
    [
      'DKG-14: with t above the operators of the coin',
      edited((file) => (file.coins = { btc: { suite: 'FROST-secp256k1-SHA256-TR-v1', t: 4 } })),
      'expected t of btc to be at most its 3 operators, got 4',
    ],
    [
      'DKG-14: with t = 1 that nobody asked for',
      edited((file) => (file.coins = { btc: { suite: 'FROST-secp256k1-SHA256-TR-v1', t: 1 } })),
      'expected t of btc to be at least 2 (or allowSingleSigner: true), got 1',
    ],
    [
      'ENC-02: with a signature key of small order',
      edited((file) => (operator(file, 0).coins = { btc: { signatureKey: `0x01${'00'.repeat(31)}` } })),
      'expected a signature key of prime order for btc of operator 1, got a point of small order',
    ],
    [
      'ENC-03: with a signature key that is no canonical point',
      edited((file) => (operator(file, 0).coins = { btc: { signatureKey: `0x${'ff'.repeat(32)}` } })),
      'expected a signature key of prime order for btc of operator 1, got not a canonical point',
    ],
    [
      'with an operator’s key for a coin that it does not hold',
      edited(
        (file) => (operator(file, 0).coins = { ...operator(file, 0).coins, sol: { signatureKey: signatureKey(60) } }),
      ),
      "expected sol of operator 1 to be one of the committee's, it is not",
    ],
    ['ECASH-08: with an asset of 2t = n + f', withAsset(3, 1), 'expected 2t > n + f for usd, got t = 3, n = 5, f = 1'],
    ['ECASH-08: with an asset of 2t < n + f', withAsset(3, 2), 'expected 2t > n + f for usd, got t = 3, n = 5, f = 2'],
    [
      'with an asset whose t is above its operators',
      withAsset(6, 0),
      'expected t of usd to be at most its 5 operators, got 6',
    ],
    [
      'with more required depositors than keys',
      withAsset(4, 0, { depositors: { keys: [signatureKey(50)], required: 2, capPerEpoch: '1' } }),
      'expected at most 1 required depositors of usd, got 2',
    ],
    [
      'with one depositor key twice',
      withAsset(4, 0, { depositors: { keys: [signatureKey(50), signatureKey(50)], required: 2, capPerEpoch: '1' } }),
      'expected distinct depositor keys of usd, got one twice',
    ],
    [
      'ENC-02: with a depositor key of small order',
      withAsset(4, 0, { depositors: { keys: [`0x01${'00'.repeat(31)}`], required: 1, capPerEpoch: '1' } }),
      'expected depositor keys of prime order for usd, got a point of small order',
    ],
  ];
  for (const [name, file, reason] of cases) test(name, () => expect(reasonFor(file)).toBe(reason));

  test('with a coin and an asset of one name', () => {
    const file = withAsset(4, 1);
    const both: CommitteeFile = { ...file, coins: { ...file.coins, usd: { suite: 'FROST-ED25519-SHA512-v1', t: 2 } } };
    expect(reasonFor(both)).toBe('expected a coin or an asset of each name, got both of usd');
  });

  test('with a coin of a name that queues need', () => {
    for (const name of ['coordinator', 'inbox']) {
      const file = edited((each) => {
        each.coins = { [name]: { suite: 'FROST-secp256k1-SHA256-TR-v1', t: 2 } };
        for (const one of each.operators) one.coins = { [name]: { signatureKey: signatureKey(one.index) } };
      });
      expect(reasonFor(file)).toBe(`expected a coin name that is not reserved, got ${name}`);
    }
  });

  test('with a queue name above 80 characters, and never before', () => {
    const named = (identity: string, coin: string): CommitteeFile =>
      edited((file) => {
        operator(file, 0).identity = identity;
        file.coins = { [coin]: { suite: 'FROST-secp256k1-SHA256-TR-v1', t: 2 } };
        for (const one of file.operators) one.coins = { [coin]: { signatureKey: signatureKey(one.index) } };
      });
    for (let identity = 1; identity <= 32; identity++) {
      for (let coin = 2; coin <= 16; coin++) {
        const [i, c] = ['i'.repeat(identity), 'c'.repeat(coin)];
        const topics = MESSAGE_NAMES.filter((name) => CATALOGUE[name].queue === 'topic').map((name) =>
          topicQueue(i, c, name),
        );
        const longest = Math.max(...[...topics, topicQueue(i, c, 'Outbound')].map((queue) => queue.length));
        // One refusal and one acceptance at the limit are read in full; the others only by their lengths.
        if (longest > MAX_QUEUE_NAME + 1 || longest < MAX_QUEUE_NAME) continue;
        expect(reasonFor(named(i, c)) === 'accepted', `${identity} ${coin}`).toBe(longest <= MAX_QUEUE_NAME);
      }
    }
    expect(reasonFor(named('i'.repeat(32), 'c'.repeat(16)))).toMatch(
      /^expected queue names of at most 80 characters, got 85 for /,
    );
    expect(inboxQueue('i'.repeat(32), 'p'.repeat(32)).length).toBe(79);
  });

  test('with anything that its shape does not have', () => {
    const bad: readonly (readonly [unknown, RegExp])[] = [
      [{ ...committeeFile, surplus: 1 }, /unknown key surplus/],
      [{ ...committeeFile, version: 2 }, /^version/],
      [{ ...committeeFile, operators: [] }, /^operators/],
      [{ ...committeeFile, leaderPeriod: 0 }, /^leaderPeriod/],
      [edited((file) => (operator(file, 0).identity = 'a-b')), /^operators\.0\.identity/],
      [edited((file) => (operator(file, 0).index = 0)), /^operators\.0\.index/],
      [edited((file) => (operator(file, 0).index = 1.5)), /^operators\.0\.index/],
      [edited((file) => (operator(file, 0).account = '1')), /^operators\.0\.account/],
      [edited((file) => (operator(file, 0).coordinatorKey = `0x${'00'.repeat(32)}`)), /^operators\.0\.coordinatorKey/],
      [JSON.stringify(committeeFile).replace('"btc"', '"constructor"'), /forbidden key/],
      [{ ...committeeFile, coins: { constructor: committeeFile.coins['btc'] } }, /^coins/],
      [{ ...committeeFile, coins: { 'b-c': committeeFile.coins['btc'] } }, /^coins/],
      [JSON.stringify(committeeFile).replace('"version":1', '"version":1,"version":1'), /duplicate key/],
      ['[]', /expected object|object/],
      ['', /not strict JSON/],
    ];
    for (const [file, reason] of bad) expect(reasonFor(file)).toMatch(reason);
  });

  test('DOS-01: above 200,000 bytes, before it is parsed', () => {
    expect(reasonFor(`${' '.repeat(200_001)}`)).toBe('expected at most 200000 bytes, got at least 200001');
  });

  test('unless t = 1 is meant', () => {
    const meant = edited(
      (file) => (file.coins = { btc: { suite: 'FROST-secp256k1-SHA256-TR-v1', t: 1, allowSingleSigner: true } }),
    );
    expect(reasonFor(meant)).toBe('accepted');
    expect(new Committee(meant).id).not.toBe(committee.id);
  });
});
