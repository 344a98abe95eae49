/** Key generation of the suite `coconut-bls12381` as a dealing scheme: contents of statements on one side, bytes and points on the other. */
import { decodeScalar, encodeScalar } from '../coconut/groups.ts';
import type { Commitment, DealingScheme, Dealt, Round, Share as ShareContent } from '../keygen/scheme.ts';
import { concat } from '../messages/bytes.ts';
import { ATTRIBUTES, type CoconutKey } from '../messages/certificate.ts';
import { fromHex, type Hex, toHex } from '../messages/hex.ts';
import {
  attempt,
  columnSums,
  deal,
  dealingHolds,
  type EncodedDealing,
  type EncodedRows,
  evaluateShare,
  type Key,
  keyAt,
  liesOn,
  type PublicRows,
  type ReadDealing,
  type Rows,
  readDealing,
  readRows,
  type Share,
  sumShares,
  wrongDealers,
} from './dealing.ts';
import { publicEngine } from './engine.ts';

/** The scheme: `dealing.ts` behind the interface that a ceremony knows; every method's contract is the interface's. */
export const coconutDealing: DealingScheme = {
  deal({ ceremony, t }, index, random) {
    const { polynomial, dealing } = deal({ ceremony: fromHex(ceremony), t, index }, random);
    const { rows, proofX, proofsY } = dealing;
    const proof = ({ commitment, response }: EncodedDealing['proofX']) => ({
      commitment: toHex(commitment),
      response: toHex(response),
    });
    return { polynomial, commitment: { ...hexRows(rows), proofs: { x: proof(proofX), y: proofsY.map(proof) } } };
  },

  judge(round, dealings, random) {
    const verifier = publicEngine();
    const read: ReadDealing[] = [];
    const bad: number[] = [];
    for (const each of dealings) {
      const dealing = dealingOf(round, each);
      if (dealing) read.push(dealing);
      else bad.push(each.index);
    }
    bad.push(...wrongDealers(verifier, read, random));
    if (bad.length > 0) return { ok: false, culprits: bad.sort((a, b) => a - b) };
    const columns = columnSums(verifier, read);
    if (!columns || !keysOf(round, columns)) return { ok: false, culprits: [] };
    return { ok: true, columns: encodeColumns(columns) };
  },

  faultOf(round, dealt) {
    const dealing = dealingOf(round, dealt);
    if (!dealing) return 'not t commitments in each row, or one that is no canonical point of prime order';
    if (dealingHolds(publicEngine(), dealing)) return undefined;
    return 'a proof of possession is wrong, or β_j and β̃_j have different logarithms';
  },

  shareFor(polynomial, index) {
    const { x, y } = evaluateShare(polynomial, index);
    return { x: toHex(encodeScalar(x)), y: y.map((each) => toHex(encodeScalar(each))) };
  },

  combine(index, columns, contents) {
    const shares = contents.map(shareOf);
    if (shares.includes(undefined)) return undefined;
    const total = sumShares(shares as Share[]);
    if (!liesOn(publicEngine(), index, decodeColumns(columns), total)) return undefined;
    return concat(encodeScalar(total.x), ...total.y.map(encodeScalar));
  },

  hasShape({ t }, commitment) {
    const rows = rowsOf(commitment);
    return rows !== undefined && readRows(publicEngine(), t, rows) !== undefined;
  },

  isShare: (share) => shareOf(share) !== undefined,

  liesOn(index, commitment, content) {
    const verifier = publicEngine();
    const share = shareOf(content);
    const rows = rowsOf(commitment);
    const read =
      rows &&
      attempt(() => ({
        alpha: rows.alpha.map((point) => verifier.decodeG2(point)),
        beta: rows.beta.map((row) => row.map((point) => verifier.decodeG1(point))),
      }));
    return share !== undefined && read !== undefined && liesOn(verifier, index, read, share);
  },

  keyOf(round, encoded) {
    const keys = keysOf(round, decodeColumns(encoded));
    const [verificationKey, ...serviceKeys] = keys?.map(keyContent) ?? [];
    if (!verificationKey) throw new Error('the key passed its check in the stage before and fails it now');
    return { verificationKey, serviceKeys };
  },

  storedShare: (_key, total) => total,

  announced(content) {
    if (!('verificationKey' in content)) throw new Error('expected the key of an asset, got one that signs messages');
    const { alpha, betaTilde } = content.verificationKey;
    return { publicKey: toHex(concat(fromHex(alpha), ...betaTilde.map(fromHex))) };
  },
};

// ---------------------------------------------------------------------------------------------- contents of statements

function rowsOf(commitment: Commitment): EncodedRows | undefined {
  return 'alpha' in commitment ? mapRows(commitment, fromHex, fromHex) : undefined;
}

function dealingOf({ ceremony, t }: Round, { index, commitment }: Dealt): ReadDealing | undefined {
  const rows = rowsOf(commitment);
  if (!rows || !('proofs' in commitment)) return undefined;
  const proof = (each: { readonly commitment: Hex; readonly response: Hex }) => ({
    commitment: fromHex(each.commitment),
    response: fromHex(each.response),
  });
  const dealing = { rows, proofX: proof(commitment.proofs.x), proofsY: commitment.proofs.y.map(proof) };
  return readDealing(publicEngine(), { ceremony: fromHex(ceremony), t, index }, dealing);
}

/** Canonical scalars, none 0: an honest dealer's value is 0 with probability 2⁻²⁵⁴, and one that is 0 says that its dealer wanted it so. */
function shareOf(content: ShareContent): Share | undefined {
  if (!('x' in content) || content.y.length !== ATTRIBUTES) return undefined;
  const scalar = (each: Hex) => decodeScalar(fromHex(each));
  const share = attempt(() => ({ x: scalar(content.x), y: content.y.map(scalar) }));
  return share && share.x !== 0n && !share.y.includes(0n) ? share : undefined;
}

function mapRows<P1, P2, T1, T2>(
  { alpha, beta, betaTilde }: Rows<P1, P2>,
  one: (point: P1) => T1,
  two: (point: P2) => T2,
) {
  return {
    alpha: alpha.map(two),
    beta: beta.map((row) => row.map(one)),
    betaTilde: betaTilde.map((row) => row.map(two)),
  };
}

function hexRows(rows: EncodedRows) {
  return mapRows(rows, toHex, toHex);
}

// ---------------------------------------------------------------------------------------------- own forms

/** The group's key, then each service's. */
function keysOf({ signers }: Round, columns: PublicRows): readonly Key[] | undefined {
  const keys = [0, ...signers].flatMap((index) => keyAt(publicEngine(), columns, index) ?? []);
  return keys.length === signers.length + 1 ? keys : undefined;
}

function keyContent({ alpha, beta, betaTilde }: Key): CoconutKey {
  const verifier = publicEngine();
  return {
    alpha: toHex(verifier.encodeG2(alpha)),
    beta: beta.map((point) => toHex(verifier.encodeG1(point))),
    betaTilde: betaTilde.map((point) => toHex(verifier.encodeG2(point))),
  };
}

/** Rows one after the other: A, B_1 … B_q, B̃_1 … B̃_q, t points each. */
function encodeColumns(columns: PublicRows): Hex[] {
  const verifier = publicEngine();
  const { alpha, beta, betaTilde } = mapRows(
    columns,
    (point) => toHex(verifier.encodeG1(point)),
    (point) => toHex(verifier.encodeG2(point)),
  );
  return [...alpha, ...beta.flat(), ...betaTilde.flat()];
}

function decodeColumns(columns: readonly Hex[]): PublicRows {
  const verifier = publicEngine();
  const t = columns.length / (1 + 2 * ATTRIBUTES);
  const row = (at: number) => columns.slice(at * t, (at + 1) * t);
  const rows = (from: number) => Array.from({ length: ATTRIBUTES }, (_, j) => row(from + j));
  return mapRows(
    { alpha: row(0), beta: rows(1), betaTilde: rows(1 + ATTRIBUTES) },
    (point: Hex) => verifier.decodeG1(fromHex(point)),
    (point: Hex) => verifier.decodeG2(fromHex(point)),
  );
}
