/** Deterministic randomness and a whole key generation in memory, for the tests of this folder. */
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import {
  columnSums,
  combineShares,
  type Dealing,
  deal,
  evaluateShare,
  finalShare,
  type GroupKey,
  groupKey,
} from '../../lib/frost/dkg.ts';
import {
  aggregate,
  generateNonces,
  type NonceCommitment,
  type SigningSession,
  signShare,
} from '../../lib/frost/signing.ts';
import type { Suite } from '../../lib/frost/suite.ts';

/** The same bytes for the same seed. */
export function stream(seed: string): (length?: number) => Uint8Array<ArrayBuffer> {
  let counter = 0;
  let pool = new Uint8Array();
  return (length = 32) => {
    while (pool.length < length) pool = Uint8Array.from(concatBytes(pool, sha512(utf8ToBytes(`${seed} ${counter++}`))));
    const out = pool.slice(0, length);
    pool = pool.slice(length);
    return out;
  };
}

/** The element of a value that must be there. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected a value, got undefined');
  return value;
}

export type Participant = Dealing & { readonly index: number };

export interface Committee {
  readonly suite: Suite;
  readonly t: number;
  readonly indices: readonly number[];
  readonly dealings: readonly Participant[];
  readonly columns: readonly Uint8Array[];
  readonly key: GroupKey;
  /** The shares that sign, by index. */
  readonly signingShares: ReadonlyMap<number, Uint8Array>;
  readonly verifyingShares: ReadonlyMap<number, Uint8Array>;
}

export function indicesTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1);
}

export function dealAll(suite: Suite, t: number, n: number, seed = 'deal'): Participant[] {
  const random = stream(`${suite.name} ${t}/${n} ${seed}`);
  return indicesTo(n).map((index) => ({ index, ...deal(suite, { t, n, index }, random) }));
}

export function keygen(suite: Suite, t: number, n: number, seed = 'deal'): Committee {
  const dealings = dealAll(suite, t, n, seed);
  const indices = indicesTo(n);
  const columns = columnSums(
    suite,
    t,
    dealings.map(({ commitments }) => commitments),
  );
  const group = groupKey(suite, t, columns, indices);
  if (!group.ok) throw new Error(group.reason);
  const signingShares = new Map(
    indices.map((index) => {
      const shares = dealings.map(({ coefficients }) => evaluateShare(suite, coefficients, index));
      const total = present(combineShares(suite, index, columns, shares));
      return [index, finalShare(suite, group.key.internalKey, total)] as const;
    }),
  );
  const verifyingShares = new Map(indices.map((index, i) => [index, present(group.key.verifyingShares[i])]));
  return { suite, t, indices, dealings, columns, key: group.key, signingShares, verifyingShares };
}

export interface Round {
  readonly session: SigningSession & { readonly t: number };
  readonly secrets: ReadonlyMap<number, { readonly nonces: Uint8Array; readonly commitment: NonceCommitment }>;
  readonly shares: ReadonlyMap<number, Uint8Array>;
}

/** Nonces and honest shares of `members` for a message. */
export function signAll(committee: Committee, members: readonly number[], message: Uint8Array, seed = 'nonces'): Round {
  const { suite, key, t, verifyingShares } = committee;
  const random = stream(`${suite.name} ${seed}`);
  const secrets = new Map(
    members.map((index) => [index, generateNonces(suite, present(committee.signingShares.get(index)), random)]),
  );
  const signers = members.map((index) => ({ index, commitment: present(secrets.get(index)).commitment }));
  const shares = new Map(
    members.map((index) => [
      index,
      signShare(suite, {
        key,
        index,
        signingShare: present(committee.signingShares.get(index)),
        nonces: present(secrets.get(index)).nonces,
        signers,
        message,
      }),
    ]),
  );
  return { session: { t, key, verifyingShares, signers, message }, secrets, shares };
}

export function signatureOf({ suite }: Committee, { session, shares }: Round): Uint8Array {
  const result = aggregate(suite, { ...session, shares });
  if (!result.ok) throw new Error(`culprits ${result.culprits.join()}`);
  return result.signature;
}

/** A copy with one bit flipped. */
export function flip(bytes: Uint8Array, at: number): Uint8Array {
  const out = bytes.slice();
  out[at] = present(out[at]) ^ 1;
  return out;
}
