/**
 * One participant's work in key generation and signing, ours beside noble's FROST in the same process: `npm run bench
 * -- frost [2/3 7/10 67/100] [--ours]`.
 *
 * Milliseconds, one thread, best of several runs after warm-up. Ratios carry over to other machines, absolute figures
 * do not. Inputs are wire bytes. noble's rows at 67/100 take most of a minute and run once; `--ours` leaves them out.
 */
import { randomBytes } from 'node:crypto';
import type { FROST } from '@noble/curves/abstract/frost.js';
import { ed25519_FROST } from '@noble/curves/ed25519.js';
import { schnorr_FROST } from '@noble/curves/secp256k1.js';
import {
  checkDealingShape,
  checkProofs,
  columnSums,
  combineShares,
  type Dealing,
  deal,
  evaluateShare,
  finalShare,
  groupKey,
  type PublicDealing,
  verifyShare,
} from '../lib/frost/dkg.ts';
import { aggregate, checkNonceCommitment, generateNonces, signShare } from '../lib/frost/signing.ts';
import { SUITES, type Suite, type SuiteName, suiteOf } from '../lib/frost/suite.ts';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

const NOBLE: Readonly<Record<SuiteName, FROST>> = {
  'FROST-secp256k1-SHA256-TR-v1': schnorr_FROST,
  'FROST-ED25519-SHA512-v1': ed25519_FROST,
};

/** Milliseconds by name of the work, in printing order. */
type Row = Map<string, number>;

/** Best time of `work` within about `budget` ms, at least `least` runs. */
function best(work: () => unknown, budget = 500, least = 3): number {
  let fastest = Number.POSITIVE_INFINITY;
  const start = performance.now();
  for (let runs = 0; runs < least || performance.now() - start < budget; runs++) {
    const before = performance.now();
    work();
    fastest = Math.min(fastest, performance.now() - before);
  }
  return fastest;
}

function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`benchmark input is wrong: ${what}`);
}

function ours(suite: Suite, t: number, n: number): Row {
  const indices = Array.from({ length: n }, (_, i) => i + 1);
  const me = n;
  const dealings: (Dealing & PublicDealing)[] = indices.map((index) => ({
    index,
    ...deal(suite, { t, n, index }, random),
  }));
  const own = dealings[me - 1];
  assert(own !== undefined, 'own dealing');
  const others = dealings.filter(({ index }) => index !== me);
  const inbox = dealings.map(({ coefficients }) => evaluateShare(suite, coefficients, me));
  const row: Row = new Map();

  row.set(
    'deal',
    best(() => {
      deal(suite, { t, n, index: me }, random);
      for (const { index } of others) evaluateShare(suite, own.coefficients, index);
    }),
  );
  row.set(
    'decode',
    best(() => {
      for (const dealing of others) assert(checkDealingShape(suite, t, dealing).ok, 'shape');
    }),
  );
  row.set(
    'proofs',
    best(() => assert(checkProofs(suite, others, random).length === 0, 'proofs')),
  );
  const commitments = dealings.map((dealing) => dealing.commitments);
  const columns = columnSums(suite, t, commitments);
  row.set(
    'columns',
    best(() => columnSums(suite, t, commitments)),
  );
  const untweaked = combineShares(suite, me, columns, inbox);
  assert(untweaked !== undefined, 'own share');
  row.set(
    'own share',
    best(() => combineShares(suite, me, columns, inbox)),
  );
  const group = groupKey(suite, t, columns, indices);
  assert(group.ok, 'group key');
  const { key } = group;
  row.set(
    'verifying shares',
    best(() => groupKey(suite, t, columns, indices)),
  );
  row.set(
    'key generation',
    [...row.values()].reduce((a, b) => a + b, 0),
  );
  row.set(
    '… blame pass',
    best(
      () => others.filter(({ commitments: points }, j) => !verifyShare(suite, me, points, inbox[j] as Uint8Array)),
      500,
      2,
    ),
  );

  const signing = indices.slice(0, t).map((index) => {
    const total = combineShares(
      suite,
      index,
      columns,
      dealings.map(({ coefficients }) => evaluateShare(suite, coefficients, index)),
    );
    assert(total !== undefined, 'a share');
    const signingShare = finalShare(suite, key.internalKey, total);
    return { index, signingShare, ...generateNonces(suite, signingShare, random) };
  });
  const signers = signing.map(({ index, commitment }) => ({ index, commitment }));
  const message = random(32);
  const first = signing[0];
  assert(first !== undefined, 'signers');
  const signOf = (signer: typeof first) => signShare(suite, { key, ...signer, signers, message });
  row.set(
    'check a nonce commitment',
    best(() => assert(checkNonceCommitment(suite, first.commitment), 'nonces'), 200),
  );
  row.set(
    'sign',
    best(() => signOf(first)),
  );
  const shares = new Map(signing.map((signer) => [signer.index, signOf(signer)]));
  const verifyingShares = new Map(indices.map((index, i) => [index, key.verifyingShares[i] as Uint8Array]));
  const session = { t, key, verifyingShares, signers, message };
  row.set(
    'aggregate',
    best(() => assert(aggregate(suite, { ...session, shares }).ok, 'aggregate')),
  );
  const bad = new Map(shares).set(t, shares.get(1) as Uint8Array);
  row.set(
    'aggregate, one bad share',
    best(() => {
      const result = aggregate(suite, { ...session, shares: bad });
      assert(!result.ok && result.culprits.join() === String(t), 'culprits');
    }),
  );
  return row;
}

/**
 * The same work by noble's API. Shares for participant 1 come straight from the polynomials: running round 2 for all
 * would take minutes.
 */
function nobles(frost: FROST, t: number, n: number): Row {
  const once = n > 50;
  const time = (work: () => unknown) => (once ? best(work, 0, 1) : best(work));
  const signers = { min: t, max: n };
  const id = (index: number) => frost.Identifier.fromNumber(index);
  const row: Row = new Map();
  const dealing = best(() => frost.DKG.round1(id(1), signers), 0, 1);
  const round1 = Array.from({ length: n }, (_, i) => frost.DKG.round1(id(i + 1), signers));
  const others = round1.slice(1).map((package_) => package_.public);
  const { Fn } = frost.utils;
  const inbox = round1.slice(1).map((package_) => ({
    identifier: package_.public.identifier,
    signingShare: Fn.toBytes((package_.secret.coefficients ?? []).reduce((a, c) => Fn.add(a, c), 0n)),
  }));
  const secret = round1[0]?.secret;
  assert(secret?.coefficients !== undefined, 'secret');
  const coefficients = secret.coefficients;
  row.set(
    'key generation',
    dealing +
      time(() => {
        const copy = { ...secret, coefficients: [...coefficients] };
        frost.DKG.round2(copy, others);
        frost.DKG.round3(copy, others, inbox);
      }),
  );

  const dealt = frost.trustedDealer(signers);
  const ids = Object.keys(dealt.secretShares).slice(0, t);
  const secretOf = (identifier: string) =>
    dealt.secretShares[identifier] as NonNullable<(typeof dealt.secretShares)[string]>;
  const committed = ids.map((identifier) => ({ identifier, ...frost.commit(secretOf(identifier)) }));
  const list = committed.map(({ commitments }) => commitments);
  const message = random(32);
  const signOf = ({ identifier, nonces }: (typeof committed)[number]) =>
    frost.signShare(
      secretOf(identifier),
      dealt.public,
      { hiding: nonces.hiding.slice(), binding: nonces.binding.slice() },
      list,
      message,
    );
  const first = committed[0];
  assert(first !== undefined, 'signers');
  row.set(
    'sign',
    best(() => signOf(first), 300, 2),
  );
  const shares = Object.fromEntries(committed.map((one) => [one.identifier, signOf(one)]));
  row.set(
    'aggregate',
    best(() => frost.aggregate(dealt.public, list, message, shares), 300, 2),
  );
  const bad = { ...shares, [ids[t - 1] as string]: shares[ids[0] as string] as Uint8Array };
  row.set(
    'aggregate, one bad share',
    time(() => {
      try {
        frost.aggregate(dealt.public, list, message, bad);
      } catch {
        return;
      }
      throw new Error('noble accepted a bad share');
    }),
  );
  return row;
}

const milliseconds = (value: number) => (value < 10 ? value.toFixed(2) : value.toFixed(1)).padStart(10);

function print(name: string, mine: Row, peer: Row): void {
  console.log(`\n${name}`);
  console.log(`${'ms'.padEnd(28)}${'ours'.padStart(10)}${'noble'.padStart(10)}${'noble / ours'.padStart(15)}`);
  for (const [label, value] of mine) {
    const other = peer.get(label);
    const rest = other === undefined ? '' : `${milliseconds(other)}${`${(other / value).toFixed(1)} ×`.padStart(15)}`;
    console.log(`${label.padEnd(28)}${milliseconds(value)}${rest}`);
  }
}

export function run(args: readonly string[]): void {
  const sizes = args.filter((arg) => /^\d+\/\d+$/.test(arg));
  for (const size of sizes.length > 0 ? sizes : ['2/3', '7/10', '67/100']) {
    const [t, n] = size.split('/').map(Number) as [number, number];
    for (const name of SUITES) {
      console.error(`… ${name} ${size}`);
      const mine = ours(suiteOf(name), t, n);
      if (!args.includes('--ours')) console.error(`… ${name} ${size}, noble`);
      print(`${name} ${size}`, mine, args.includes('--ours') ? new Map() : nobles(NOBLE[name], t, n));
    }
  }
}
