/**
 * Credentials of two hidden attributes, ours beside noble alone and beside the Coconut of @docknetwork/crypto-wasm (arkworks compiled to WebAssembly), in one run: `npm run bench --
 * credentials [16 64 …]`.
 *
 * Milliseconds of CPU, one thread, best of several runs in turns, from and to wire bytes. Ratios carry over to other machines, absolute figures do not. `noble` is our own code with noble as
 * the engine of verification. dock's show has no tag, and its package has no batch verification, so that N shows are N times one. Below, what a transaction of one input and two outputs
 * costs (`bench/transactions.ts`).
 */
import { randomBytes } from 'node:crypto';
import dock from '@docknetwork/crypto-wasm';
import { Coconut } from '../lib/coconut/coconut.ts';
import { generateKeys } from '../lib/coconut/dealer.ts';
import { badPartials, obtain, signPartial } from '../lib/coconut/issue.ts';
import { mclVerifier } from '../lib/coconut/mcl-engine.ts';
import { nobleVerifier } from '../lib/coconut/noble-engine.ts';
import { request, verifyRequest } from '../lib/coconut/request.ts';
import { type ReceivedShow, show, verifyShows } from '../lib/coconut/show.ts';
import type { Verifier } from '../lib/coconut/verifier.ts';
import { run as transactions } from './transactions.ts';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const ATTRIBUTES = [123_456_789n, 500n] as const;
const THRESHOLD = 5;
const TOTAL = 7;

/** Work by name, in printing order. */
type Works = Map<string, () => unknown>;

/**
 * Best time of each work, in turns: whatever else the machine does slows all of them. Each runs at least `least` times, and until all together took `budget` ms.
 */
function best(works: readonly (() => unknown)[], budget = 1_500, least = 3): number[] {
  const fastest = works.map(() => Number.POSITIVE_INFINITY);
  const start = performance.now();
  for (let runs = 0; runs < least || performance.now() - start < budget; runs++)
    works.forEach((work, i) => {
      const before = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(before);
      fastest[i] = Math.min(fastest[i] as number, (user + system) / 1_000);
    });
  return fastest;
}

function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`benchmark input is wrong: ${what}`);
}

interface Prepared {
  readonly issuing: (verifier: Verifier) => Works;
  readonly verifying: (verifier: Verifier, sizes: readonly number[]) => Works;
}

function ours(most: number): Prepared {
  const coconut = Coconut.create({ attributes: 2, threshold: THRESHOLD, total: TOTAL }, random);
  const keys = generateKeys(coconut);
  const { verificationKey: key, secretKeys, serviceKeys } = keys;
  const made = request(key.id, ATTRIBUTES, {}, random);
  const statement = { keyId: key.id, attributes: 2, ...made.request, disclosed: new Map<number, bigint>() };
  const secret = secretKeys[0];
  assert(secret !== undefined, 'a secret key');
  const partials = secretKeys
    .slice(0, THRESHOLD)
    .map((each, i) => ({ index: i + 1, signature: signPartial(each, statement, random) }));
  const asked = { statement, opening: made.opening };
  const obtained = obtain(coconut, keys, asked, partials, { verifier: nobleVerifier, random });
  assert(obtained.ok, 'a credential');
  const { credential } = obtained;
  const shows: ReceivedShow[] = Array.from({ length: most }, (_, i) => {
    const context = Uint8Array.of(i, i >> 8);
    return { show: show(key, credential, { context }, random), context };
  });
  return {
    issuing: (verifier) =>
      new Map([
        ['request, 2 hidden', () => request(key.id, ATTRIBUTES, {}, random)],
        ['verify the request', () => assert(verifyRequest(verifier, key.id, 2, made.request), 'a good request')],
        ['partial signature', () => signPartial(secret, statement, random)],
        [
          `aggregate ${THRESHOLD}, unblind, check`,
          () => assert(obtain(coconut, keys, asked, partials, { verifier, random }).ok, 'a credential'),
        ],
        [
          `check ${THRESHOLD} partials in one batch`,
          () => assert(badPartials(verifier, statement, serviceKeys, partials, random).length === 0, 'good partials'),
        ],
        ['show, 2 hidden, with tag', () => show(key, credential, {}, random)],
      ]),
    verifying: (verifier, sizes) =>
      new Map(
        sizes.map((n) => {
          const batch = shows.slice(0, n);
          const bad = batch.map((one, i) => (i === n - 1 ? { ...one, context: Uint8Array.of(255, 255) } : one));
          assert(!verifyShows(verifier, key, bad, random), 'a bad batch');
          const work = () => assert(verifyShows(verifier, key, batch, random), 'a good batch');
          return [`verify ${n} show${n > 1 ? 's' : ''}`, work] as const;
        }),
      ),
  };
}

/** The same work by dock's API: psMessages… is the request, psBlindSign the partial signature, psSignaturePoK the show. */
function docks(sizes: readonly number[]): Works {
  const params = dock.psGenerateSignatureParams(2, Uint8Array.of(1));
  const [master, shares] = dock.psShamirDeal(2, THRESHOLD, TOTAL);
  const groupKey = dock.psGeneratePublicKey(master, params);
  const h = dock.generateRandomG1Element();
  const messages = ATTRIBUTES.map((value) => dock.generateFieldElementFromNumber(Number(value)));
  const blinded = () => messages.map((message) => dock.psBlindMessageRandomly(message));
  const row: Works = new Map();

  const ask = () => {
    const protocol = dock.psInitializeMessagesPoK(blinded(), params, h);
    const contribution = dock.psChallengeMessagesPoKContributionFromProtocol(protocol, params, h);
    return dock.psGenMessagesPoK(protocol, dock.generateChallengeFromBytes(contribution));
  };
  row.set('request, 2 hidden', ask);
  const asked = ask();
  row.set('verify the request', () => {
    const contribution = dock.psChallengeMessagesPoKContributionFromProof(asked, params, h);
    const challenge = dock.generateChallengeFromBytes(contribution);
    assert(dock.psVerifyMessagesPoK(asked, new Set(), challenge, params, h).verified, 'dock: a good request');
  });
  const blindings = messages.map(() => dock.generateRandomFieldElement());
  const commitments = messages.map((message, j) =>
    // Blinding goes with g, whatever the declaration's names say: only this order verifies.
    dock.psBlindedMessage(dock.psMessageCommitment(blindings[j] as Uint8Array, message, params.g, h)),
  );
  const signAs = (share: Uint8Array) => dock.psBlindSign(commitments, share, h);
  row.set('partial signature', () => signAs(shares[0] as Uint8Array));
  const byIndex = new Map(blindings.map((blinding, j) => [j, blinding]));
  const signatures = shares.slice(0, THRESHOLD).map(signAs);
  const makeCredential = () => {
    const aggregated = dock.psAggregateSignatures(new Map(signatures.map((each, i) => [i + 1, each])), h);
    const signature = dock.psUnblindSignature(aggregated, byIndex, groupKey, h);
    assert(dock.psVerify(messages, signature, groupKey, params).verified, 'dock: a credential');
    return signature;
  };
  row.set(`aggregate ${THRESHOLD}, unblind, check`, makeCredential);
  const credential = makeCredential();
  const prove = () => {
    const protocol = dock.psInitializeSignaturePoK(credential, params, groupKey, blinded());
    const contribution = dock.psChallengeSignaturePoKContributionFromProtocol(protocol, groupKey, params);
    return dock.psGenSignaturePoK(protocol, dock.generateChallengeFromBytes(contribution));
  };
  row.set('show, 2 hidden, with tag', prove);
  const proof = prove();
  const verify = () => {
    const contribution = dock.psChallengeSignaturePoKContributionFromProof(proof, groupKey, params);
    const challenge = dock.generateChallengeFromBytes(contribution);
    assert(dock.psVerifySignaturePoK(proof, new Map(), challenge, groupKey, params).verified, 'dock: a good show');
  };
  for (const n of sizes) {
    const work = () => {
      for (let i = 0; i < n; i++) verify();
    };
    row.set(`verify ${n} show${n > 1 ? 's' : ''}`, work);
  }
  return row;
}

const milliseconds = (value: number) => value.toFixed(value < 10 ? 2 : 1);

export async function run(args: readonly string[]): Promise<void> {
  const given = args.map(Number).filter((n) => Number.isInteger(n) && n > 0);
  const sizes = given.length > 0 ? given : [1, 16, 64];
  await dock.initializeWasm();
  const fast = await mclVerifier();
  const { issuing, verifying } = ours(Math.max(...sizes));
  const worksOf = (verifier: Verifier) => new Map([...issuing(verifier), ...verifying(verifier, sizes)]);
  const noble = worksOf(nobleVerifier);
  const theirs = docks(sizes);

  const line = (name: string, cells: readonly string[]) =>
    console.log(`${name.padEnd(34)}${cells.map((cell) => cell.padStart(14)).join('')}`);
  line('ms', ['ours', 'noble', 'noble / ours', 'dock', 'dock / ours']);
  for (const [name, work] of worksOf(fast)) {
    const works = [work, noble.get(name), theirs.get(name)].filter((each) => each !== undefined);
    const [mine = 0, ...others] = best(works);
    const beside = others.flatMap((other) => [milliseconds(other), `${(other / mine).toFixed(1)} ×`]);
    line(name, [milliseconds(mine), ...beside]);
  }
  console.log();
  await transactions();
}
