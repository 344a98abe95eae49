/** Key generation of the suite `coconut-bls12381` as a dealing scheme: contents of statements on one side, points and scalars on the other. */
import { CoconutError, decodeG1, decodeG2, decodeScalar, encodeG1, encodeG2, encodeScalar } from '../coconut/groups.ts';
import type { Commitment, DealingScheme, Dealt, Round, Share as ShareContent } from '../keygen/scheme.ts';
import { concat } from '../messages/bytes.ts';
import type { CoconutKey } from '../messages/certificate.ts';
import { fromHex, type Hex, toHex } from '../messages/hex.ts';
import {
  ATTRIBUTES,
  type Commitments,
  columnSums,
  deal,
  dealingHolds,
  dealingsHold,
  evaluateShare,
  type Key,
  keyAt,
  liesOn,
  type PublicDealing,
  type Share,
  sumShares,
} from './dealing.ts';

type CoconutCommitment = Extract<Commitment, { readonly alpha: unknown }>;

export const coconutDealing: DealingScheme = {
  deal({ ceremony, t }, index, random) {
    const { polynomial, commitments, proofs } = deal({ ceremony: fromHex(ceremony), t, index }, random);
    const proof = ({ response }: { response: bigint }, commitment: Uint8Array) => ({
      commitment: toHex(commitment),
      response: toHex(encodeScalar(response)),
    });
    const commitment: CoconutCommitment = {
      alpha: commitments.alpha.map((point) => toHex(encodeG2(point))),
      beta: commitments.beta.map((row) => row.map((point) => toHex(encodeG1(point)))),
      betaTilde: commitments.betaTilde.map((row) => row.map((point) => toHex(encodeG2(point)))),
      proofs: {
        x: proof(proofs.x, encodeG2(proofs.x.commitment)),
        y: proofs.y.map((each) => proof(each, encodeG1(each.commitment))),
      },
    };
    return { polynomial, commitment };
  },

  judge(round, dealings, random) {
    const bad: number[] = [];
    const read: PublicDealing[] = [];
    for (const each of dealings) {
      const dealing = readDealing(round, each);
      if (dealing) read.push(dealing);
      else bad.push(each.index);
    }
    if (!dealingsHold(read, random)) {
      for (const dealing of read) if (!dealingHolds(dealing)) bad.push(dealing.index);
    }
    if (bad.length > 0) return { ok: false, culprits: bad.sort((a, b) => a - b) };
    const columns = columnSums(read);
    if (!columns || !keysOf(round, columns)) return { ok: false, culprits: [] };
    return { ok: true, columns: encodeColumns(columns) };
  },

  faultOf(round, dealt) {
    const dealing = readDealing(round, dealt);
    if (!dealing) return 'a commitment or a proof is not of the expected form, or no point of prime order';
    return dealingHolds(dealing)
      ? undefined
      : 'a proof of possession is wrong, or β_j and β̃_j have different logarithms';
  },

  shareFor(polynomial, index) {
    const { x, y } = evaluateShare(polynomial, index);
    return { x: toHex(encodeScalar(x)), y: y.map((each) => toHex(encodeScalar(each))) };
  },

  combine(index, columns, contents) {
    const shares = contents.map(readShare);
    if (shares.includes(undefined)) return undefined;
    const total = sumShares(shares as Share[]);
    if (!liesOn(index, decodeColumns(columns), total)) return undefined;
    return concat(encodeScalar(total.x), ...total.y.map(encodeScalar));
  },

  hasShape: ({ t }, commitment) => readCommitments(t, commitment) !== undefined,

  isShare: (share) => readShare(share) !== undefined,

  liesOn(index, commitment, content) {
    const share = readShare(content);
    const read = attempt(() =>
      'alpha' in commitment
        ? { alpha: points(decodeG2, commitment.alpha), beta: commitment.beta.map((row) => points(decodeG1, row)) }
        : undefined,
    );
    return share !== undefined && read !== undefined && liesOn(index, read, share);
  },

  keyOf(round, encoded) {
    const keys = keysOf(round, decodeColumns(encoded));
    if (!keys)
      throw new Error('the key passed its check in the stage before and fails it now: a part of it is the identity');
    const [verificationKey, ...serviceKeys] = keys.map(keyContent);
    return { verificationKey: verificationKey as CoconutKey, serviceKeys };
  },

  storedShare: (_key, total) => total,

  announced(content) {
    if (!('verificationKey' in content)) throw new Error('expected the key of an asset, got one that signs messages');
    const { alpha, betaTilde } = content.verificationKey;
    return { publicKey: toHex(concat(fromHex(alpha), ...betaTilde.map(fromHex))) };
  },
};

// ---------------------------------------------------------------------------------------------- reading what others sent

/** Exactly t points in each row, each canonical, on its curve, of prime order and not the identity: one too many raises the threshold (attack DKG-01). */
function readCommitments(t: number, commitment: Commitment): Commitments | undefined {
  if (!('alpha' in commitment)) return undefined;
  const { alpha, beta, betaTilde } = commitment;
  const counts = [alpha, ...beta, ...betaTilde].map((row) => row.length);
  if (beta.length !== ATTRIBUTES || betaTilde.length !== ATTRIBUTES || counts.some((count) => count !== t))
    return undefined;
  return attempt(() => ({
    alpha: points(decodeG2, alpha),
    beta: beta.map((row) => points(decodeG1, row)),
    betaTilde: betaTilde.map((row) => points(decodeG2, row)),
  }));
}

function readDealing({ ceremony, t }: Round, { index, commitment }: Dealt): PublicDealing | undefined {
  const commitments = readCommitments(t, commitment);
  if (!commitments || !('proofs' in commitment)) return undefined;
  const { x, y } = commitment.proofs;
  if (y.length !== ATTRIBUTES) return undefined;
  const proofs = attempt(() => ({
    x: { commitment: decodeG2(fromHex(x.commitment)), response: decodeScalar(fromHex(x.response)) },
    y: y.map((each) => ({
      commitment: decodeG1(fromHex(each.commitment)),
      response: decodeScalar(fromHex(each.response)),
    })),
  }));
  return proofs && { ceremony: fromHex(ceremony), t, index, commitments, proofs };
}

/** Canonical scalars, none 0: an honest dealer's value is 0 with probability 2⁻²⁵⁴, and one that is 0 says that its dealer wanted it so. */
function readShare(content: ShareContent): Share | undefined {
  if (!('x' in content) || content.y.length !== ATTRIBUTES) return undefined;
  const share = attempt(() => ({
    x: decodeScalar(fromHex(content.x)),
    y: content.y.map((each) => decodeScalar(fromHex(each))),
  }));
  return share && share.x !== 0n && !share.y.includes(0n) ? share : undefined;
}

function points<P>(decode: (bytes: Uint8Array) => P, row: readonly Hex[]): P[] {
  return row.map((each) => decode(fromHex(each)));
}

/** What a peer sent is wrong, or it is right: how it is wrong nobody needs to know. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof CoconutError) return undefined;
    throw error;
  }
}

// ---------------------------------------------------------------------------------------------- own forms

/** The group's key, then each service's. */
function keysOf({ signers }: Pick<Round, 'signers'>, columns: Commitments): readonly Key[] | undefined {
  const keys = [0, ...signers].flatMap((index) => keyAt(columns, index) ?? []);
  return keys.length === signers.length + 1 ? keys : undefined;
}

function keyContent({ alpha, beta, betaTilde }: Key): CoconutKey {
  return {
    alpha: toHex(encodeG2(alpha)),
    beta: beta.map((point) => toHex(encodeG1(point))),
    betaTilde: betaTilde.map((point) => toHex(encodeG2(point))),
  };
}

/** Rows one after the other: A, B_1 … B_q, B̃_1 … B̃_q, t points each. */
function encodeColumns({ alpha, beta, betaTilde }: Commitments): Hex[] {
  return [
    ...alpha.map((point) => toHex(encodeG2(point))),
    ...beta.flat().map((point) => toHex(encodeG1(point))),
    ...betaTilde.flat().map((point) => toHex(encodeG2(point))),
  ];
}

function decodeColumns(columns: readonly Hex[]): Commitments {
  const t = columns.length / (1 + 2 * ATTRIBUTES);
  const row = (at: number) => columns.slice(at * t, (at + 1) * t);
  const rows = (from: number) => Array.from({ length: ATTRIBUTES }, (_, j) => row(from + j));
  return {
    alpha: points(decodeG2, row(0)),
    beta: rows(1).map((each) => points(decodeG1, each)),
    betaTilde: rows(1 + ATTRIBUTES).map((each) => points(decodeG2, each)),
  };
}
