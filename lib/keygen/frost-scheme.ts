/** FROST's key generation (`lib/frost/dkg.ts`) as a dealing scheme: one polynomial, hex for bytes. */
import { addressOf } from '../frost/address.ts';
import {
  checkDealingShape,
  checkProofs,
  checkShareEncoding,
  columnSums,
  combineShares,
  deal,
  evaluateShare,
  finalShare,
  groupKey,
  hasSmallOrderPart,
  type PublicDealing,
  smallOrderDealers,
  verifyDealing,
  verifyShare,
} from '../frost/dkg.ts';
import { type Suite, type SuiteName, suiteOf } from '../frost/suite.ts';
import type { TranscriptContent } from '../messages/certificate.ts';
import { fromHex, type Hex, toHex } from '../messages/hex.ts';
import type { DealingScheme, Dealt, GroupKeyContent, Share } from './scheme.ts';

const FOREIGN = 'expected commitments of one polynomial, got those of another suite';

export function frostDealing(name: SuiteName): DealingScheme {
  return SCHEMES[name];
}

function schemeFor(suite: Suite): DealingScheme {
  return {
    deal({ t, signers }, index, random) {
      const { coefficients, commitments, proofOfKnowledge } = deal(suite, { t, n: signers.length, index }, random);
      const commitment = { commitments: commitments.map(toHex), proofOfKnowledge: toHex(proofOfKnowledge) };
      return { polynomial: coefficients, commitment };
    },

    judge({ t, signers }, dealings, random) {
      const bad = new Set<number>();
      const shaped: PublicDealing[] = [];
      for (const each of dealings) {
        const dealing = dealingOf(each);
        if (dealing && checkDealingShape(suite, t, dealing).ok) shaped.push(dealing);
        else bad.add(each.index);
      }
      for (const index of checkProofs(suite, shaped, random)) bad.add(index);
      if (bad.size > 0) return { ok: false, culprits: ascending(bad) };
      const columns = columnSums(
        suite,
        t,
        shaped.map(({ commitments }) => commitments),
      );
      // A small-order part in the sum is a part of at least one dealer's; for anything else (an identity sum) it takes several, and nobody is named.
      if (!groupKey(suite, t, columns, signers).ok) return { ok: false, culprits: smallOrderDealers(suite, shaped) };
      return { ok: true, columns: columns.map(toHex) };
    },

    faultOf({ t }, each) {
      const dealing = dealingOf(each);
      if (!dealing) return FOREIGN;
      const verified = verifyDealing(suite, t, dealing);
      if (!verified.ok) return verified.reason;
      return hasSmallOrderPart(suite, dealing.commitments)
        ? 'a value of the polynomial has a small-order part'
        : undefined;
    },

    shareFor: (polynomial, index) => ({ share: toHex(evaluateShare(suite, polynomial, index)) }),

    combine(index, columns, shares) {
      const own = shares.map(shareBytes);
      if (own.includes(undefined)) return undefined;
      return combineShares(suite, index, columns.map(fromHex), own as Uint8Array[]);
    },

    hasShape({ t }, commitment) {
      const dealing = dealingOf({ index: 1, commitment });
      return dealing !== undefined && checkDealingShape(suite, t, dealing).ok;
    },

    isShare(share) {
      const bytes = shareBytes(share);
      return bytes !== undefined && checkShareEncoding(suite, bytes);
    },

    liesOn(index, commitment, share) {
      const dealing = dealingOf({ index, commitment });
      const bytes = shareBytes(share);
      return dealing !== undefined && bytes !== undefined && verifyShare(suite, index, dealing.commitments, bytes);
    },

    keyOf({ t, signers }, columns) {
      const result = groupKey(suite, t, columns.map(fromHex), signers);
      if (!result.ok)
        throw new Error(`the group key passed its check in the stage before and fails it now: ${result.reason}`);
      const { internalKey, outputKey, verifyingShares } = result.key;
      return {
        internalKey: toHex(internalKey),
        outputKey: toHex(outputKey),
        verifyingShares: verifyingShares.map(toHex),
      };
    },

    storedShare: (key, total) => finalShare(suite, fromHex(own(key).internalKey), total),

    announced(content) {
      const { outputKey } = own(content);
      return { publicKey: outputKey, address: addressOf(suite, fromHex(outputKey)) };
    },
  };
}

const SCHEMES: Readonly<Record<SuiteName, DealingScheme>> = {
  'FROST-secp256k1-SHA256-TR-v1': schemeFor(suiteOf('FROST-secp256k1-SHA256-TR-v1')),
  'FROST-ED25519-SHA512-v1': schemeFor(suiteOf('FROST-ED25519-SHA512-v1')),
};

function dealingOf({ index, commitment }: Dealt): PublicDealing | undefined {
  if (!('commitments' in commitment)) return undefined;
  const { commitments, proofOfKnowledge } = commitment;
  return { index, commitments: commitments.map(fromHex), proofOfKnowledge: fromHex(proofOfKnowledge) };
}

function shareBytes(share: Share): Uint8Array | undefined {
  return 'share' in share ? fromHex(share.share) : undefined;
}

function own<T extends GroupKeyContent | TranscriptContent>(content: T): Extract<T, { readonly outputKey: Hex }> {
  if (!('outputKey' in content)) throw new Error('expected a key that signs messages, got an asset’s');
  return content as Extract<T, { readonly outputKey: Hex }>;
}

function ascending(indexes: ReadonlySet<number>): number[] {
  return [...indexes].sort((a, b) => a - b);
}
