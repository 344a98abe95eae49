/**
 * Attack ECASH-12, tried: somebody who saw every request and answer, and has the key, is given the shows in another order and links each to a request.
 *
 * By chance one of N is right, whatever N (Poisson with mean 1). The same distinguishers are given shows of a careless wallet too, and have to link nearly all of those: a
 * distinguisher that never links anything would prove nothing.
 */
import type { RandomBytes } from '../../lib/ceremony.ts';
import { Coconut } from '../../lib/coconut/coconut.ts';
import { generateKeys } from '../../lib/coconut/dealer.ts';
import { decodeG1, encodeG1, type G1 } from '../../lib/coconut/groups.ts';
import { aggregate, type Credential, signPartial, unblind } from '../../lib/coconut/issue.ts';
import { request, requestBase } from '../../lib/coconut/request.ts';
import { encodeShow, type Show, show } from '../../lib/coconut/show.ts';

/** What services see when they issue. */
interface Issued {
  readonly bytes: Uint8Array;
  /** com, c_1, c_2, h and σ̃. */
  readonly points: readonly G1[];
}

/** How alike a request and a show are; the greatest is taken for the same credential. */
type Distinguisher = (issued: Issued, shown: Show) => number;

const windows = (bytes: Uint8Array, size: number): string[] =>
  Array.from({ length: Math.max(0, bytes.length - size + 1) }, (_, i) =>
    Buffer.from(bytes.subarray(i, i + size)).toString('latin1'),
  );

/** A view's windows and multiples are computed once. */
function cached<K extends object, V>(compute: (of: K) => V): (of: K) => V {
  const known = new WeakMap<K, V>();
  return (of) => {
    const old = known.get(of);
    if (old !== undefined) return old;
    const value = compute(of);
    known.set(of, value);
    return value;
  };
}

const fourBytes = cached((bytes: Uint8Array) => new Set(windows(bytes, 4)));
const encoded = cached(encodeShow);
const wordsOfPoints = cached(({ points }: Issued) => points.map(encodeG1));
/** What small relations would make of the issuer's points: ±P, ±2P, P ± Q. */
const relations = cached(({ points }: Issued) => {
  const all = points.flatMap((P, i) => [
    P,
    P.negate(),
    P.double(),
    ...points.slice(i + 1).flatMap((Q) => [P.add(Q), P.subtract(Q)]),
  ]);
  return new Set(all.map((point) => Buffer.from(encodeG1(point)).toString('hex')));
});

const bits = (byte: number): number => (byte === 0 ? 0 : (byte & 1) + bits(byte >> 1));
const BITS = Array.from({ length: 256 }, (_, byte) => bits(byte));

export const DISTINGUISHERS: Readonly<Record<string, Distinguisher>> = {
  'four bytes in common': (issued, shown) => {
    const theirs = fourBytes(encoded(shown));
    return [...fourBytes(issued.bytes)].filter((window) => theirs.has(window)).length;
  },
  'points whose bits are close': (issued, shown) => {
    let least = Number.POSITIVE_INFINITY;
    for (const a of wordsOfPoints(issued))
      for (const b of [shown.h, shown.s]) {
        let distance = 0;
        for (let i = 0; i < a.length; i++) distance += BITS[(a[i] as number) ^ (b[i] as number)] as number;
        least = Math.min(least, distance);
      }
    return -least;
  },
  'points in a small relation': (issued, shown) =>
    [shown.h, shown.s].filter((bytes) => relations(issued).has(Buffer.from(bytes).toString('hex'))).length,
};

export interface Linked {
  readonly distinguisher: string;
  /** Right guesses among N shows of a wallet, and among those of one that does not randomise. */
  readonly honest: number;
  readonly careless: number;
}

/** @param count N, credentials issued and shown */
export function tryToLink(
  count: number,
  random: RandomBytes,
): { readonly linked: Linked[]; readonly sharedWindows: number } {
  const coconut = Coconut.create({ attributes: 2, threshold: 1, total: 1 }, random);
  const { secretKeys, verificationKey: key } = generateKeys(coconut);
  const [secret] = secretKeys;
  if (!secret) throw new Error('expected a key');

  const issued: Issued[] = [];
  const credentials: Credential[] = [];
  for (let i = 0; i < count; i++) {
    // Equal values: amounts and times are not what this is about.
    const attributes = [BigInt(i) + 1_000_000n, 100n];
    const made = request(key.id, attributes, {}, random);
    const { commitment, openings, proof } = made.request;
    const statement = { keyId: key.id, attributes: 2, commitment, openings, disclosed: new Map<number, bigint>() };
    const signature = signPartial(secret, statement, random);
    const blinded = aggregate(coconut, [{ index: 1, signature }]);
    const h = requestBase(statement);
    const points = [...[commitment, ...openings].map(decodeG1), h, blinded];
    const bytes = Buffer.concat([commitment, ...openings, proof, encodeG1(h), signature]);
    issued.push({ bytes: new Uint8Array(bytes), points });
    credentials.push({ h, s: unblind(blinded, key, made.opening, random), attributes });
  }

  const honest = credentials.map((credential) => show(key, credential, {}, random));
  const careless = credentials.map((credential, i): Show => ({ ...(honest[i] as Show), h: encodeG1(credential.h) }));
  const order = shuffled(count, random);
  const guesses = (shows: readonly Show[], alike: Distinguisher): number =>
    order.filter((at) => {
      const scores = issued.map((one) => alike(one, shows[at] as Show));
      const most = Math.max(...scores);
      // Ties are broken by the dice, as whoever has nothing better would.
      const candidates = scores.flatMap((score, i) => (score === most ? [i] : []));
      return candidates[dice(candidates.length, random)] === at;
    }).length;
  const linked = Object.entries(DISTINGUISHERS).map(([distinguisher, alike]) => ({
    distinguisher,
    honest: guesses(honest, alike),
    careless: guesses(careless, alike),
  }));

  // Nobody’s request has eight bytes in common with anybody’s show; not even with its own.
  const seen = new Set(issued.flatMap(({ bytes }) => windows(bytes, 8)));
  const sharedWindows = honest
    .flatMap((one) => windows(encodeShow(one), 8))
    .filter((window) => seen.has(window)).length;
  return { linked, sharedWindows };
}

function dice(sides: number, random: RandomBytes): number {
  return Buffer.from(random(4)).readUInt32BE() % sides;
}

function shuffled(count: number, random: RandomBytes): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const k = dice(i + 1, random);
    [order[i], order[k]] = [order[k] as number, order[i] as number];
  }
  return order;
}
