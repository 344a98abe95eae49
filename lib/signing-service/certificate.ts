/** Votes and their certificates: what a service says it has locked, and the proof that t of them said so. */
import { createHash } from 'node:crypto';
import { withdrawBytes } from '../coconut/transaction-bytes.ts';
import { concat, list, u16be } from '../messages/bytes.ts';
import type { Committee } from '../messages/committee.ts';
import { fromHex, type Hex, toHex } from '../messages/hex.ts';
import {
  type Vote,
  type VoteCertificate,
  type VoteContext,
  verifyVote,
  voteCertificate,
  type Withdraw,
} from '../messages/tokens.ts';
import type { TokenTransaction } from './scheme.ts';

/** SHA-256 of the withdraw record; of nothing, where nothing is withdrawn. */
export function withdrawHash(withdraw: Withdraw | undefined): Hex {
  const record = withdraw ? withdrawBytes(withdraw) : new Uint8Array(0);
  return toHex(createHash('sha256').update(record).digest());
}

/** The one vote there is for a transaction: sets in ascending order, so that all services sign the same bytes. */
export function voteOf({ id, tags, deposits, withdraw }: TokenTransaction): Vote {
  return {
    transaction: id,
    tags: [...tags].sort(),
    deposits: deposits.map(({ depositId }) => depositId).sort(),
    withdraw: withdrawHash(withdraw),
  };
}

export interface Quorum {
  readonly context: VoteContext;
  readonly t: number;
  /** Services that may be malicious. */
  readonly f: number;
  /** Ed25519 signature keys of the n services, by index. */
  readonly keys: ReadonlyMap<number, Hex>;
}

/** The committee cannot have a quorum for this asset. */
export class QuorumRefused extends Error {
  readonly kind = 'QuorumRefused';
}

/** What the simulator needs to show what goes wrong without it (attack ECASH-08). No production entry point names it. */
export interface SimulationOnly {
  readonly allowIntersectionsWithoutHonest: true;
}

/**
 * Two certificates need t + t votes of n services, of which f may vote twice: 2t > n + f leaves no room for two.
 * @throws {QuorumRefused} for an asset that the committee does not hold, or whose t is too small
 */
export function quorumOf(committee: Committee, asset: string, simulation?: SimulationOnly): Quorum {
  const held = Object.hasOwn(committee.file.assets, asset) ? committee.file.assets[asset] : undefined;
  if (!held) throw new QuorumRefused(`expected an asset of the committee, got ${asset}`);
  const services = committee.signersOf(asset);
  const { t, f, epoch } = held;
  const n = services.length;
  if (2 * t <= n + f && !simulation)
    throw new QuorumRefused(`expected 2t > n + f for ${asset}, got t = ${t}, n = ${n}, f = ${f}`);
  return {
    context: { committee: committee.id, asset, epoch },
    t,
    f,
    keys: new Map(services.map((index) => [index, committee.signatureKey(asset, index)])),
  };
}

/** t distinct services of this asset and epoch have signed this very vote. */
export function certifies({ context, t, keys }: Quorum, { vote, signatures }: VoteCertificate): boolean {
  const voters = new Set<number>();
  for (const { index, signature } of signatures) {
    const key = keys.get(index);
    if (key === undefined || !verifyVote(context, vote, signature, key)) return false;
    voters.add(index);
  }
  return voters.size >= t;
}

/** `txid(32) ‖ list(tags) ‖ list(deposit ids) ‖ withdraw(32) ‖ list(u16be(index) ‖ signature(64))`: how certificates travel in `SpentSerials`. */
export function certificateBytes({ vote, signatures }: VoteCertificate): Uint8Array {
  return concat(
    fromHex(vote.transaction),
    list(vote.tags.map(fromHex)),
    list(vote.deposits.map(fromHex)),
    fromHex(vote.withdraw),
    list(signatures.map(({ index, signature }) => concat(u16be(index), fromHex(signature)))),
  );
}

/** @returns nothing for bytes that are not the one encoding of a certificate */
export function parseCertificateBytes(bytes: Uint8Array): VoteCertificate | undefined {
  const reader = new Reader(bytes);
  const [transaction, tags, deposits] = [reader.take(32), reader.list(48), reader.list(32)];
  const [withdraw, signatures] = [reader.take(32), reader.list(66)];
  if (!transaction || !tags || !deposits || !withdraw || !signatures || !reader.ended) return undefined;
  const parsed = voteCertificate.safeParse({
    vote: {
      transaction: toHex(transaction),
      tags: tags.map(toHex),
      deposits: deposits.map(toHex),
      withdraw: toHex(withdraw),
    },
    signatures: signatures.map((each) => ({
      index: (each[0] ?? 0) * 256 + (each[1] ?? 0),
      signature: toHex(each.subarray(2)),
    })),
  });
  return parsed.success ? parsed.data : undefined;
}

/** Fields one after another; whatever does not fit is nothing. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Uint8Array | undefined {
    if (this.#at + length > this.#bytes.length) return undefined;
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Items of one length each: a longer or a shorter one is not the encoding. */
  list(length: number): Uint8Array[] | undefined {
    const count = this.#number();
    // Counted against what is there before anything is made: a count of 2³² is four bytes of an attacker's.
    if (count === undefined || count * (length + 4) > this.#bytes.length - this.#at) return undefined;
    const items: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      const item = this.#number() === length ? this.take(length) : undefined;
      if (!item) return undefined;
      items.push(item);
    }
    return items;
  }

  #number(): number | undefined {
    const bytes = this.take(4);
    return bytes && new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  }
}
