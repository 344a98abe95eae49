/**
 * Both phases of a transaction as a wallet runs them: t votes make a certificate, and its bearer gets t partial signatures, with those that are wrong named and replaced by other
 * services'. Everything may be repeated: services give the same answers for ever.
 */
import type { RandomBytes } from '../ceremony.ts';
import type { CoconutParameters } from '../coconut/coconut.ts';
import { type Credential, obtain, type PartialSignature } from '../coconut/issue.ts';
import {
  encodeTransaction,
  type Transaction,
  transactionContentOf,
  transactionId,
} from '../coconut/transaction-bytes.ts';
import { type OwnedOutput, requestOf } from '../coconut/transaction-output.ts';
import type { Verifier } from '../coconut/verifier.ts';
import type { AssetKey } from '../coconut-keygen/asset-key.ts';
import { fromHex, type Hex, toHex } from '../messages/hex.ts';
import { type Vote, type VoteCertificate, verifyVote } from '../messages/tokens.ts';
import { type Quorum, voteOf } from '../signing-service/certificate.ts';
import { NetworkRefused } from '../signing-service/network.ts';
import type { Refused } from '../signing-service/service.ts';
import { type Asked, ask } from './gateway.ts';

export interface Phases extends Asked {
  readonly key: AssetKey;
  readonly verifier: Verifier;
  /** Blinds, and weighs batches. */
  readonly random: RandomBytes;
  /** The one-time key of a request: the same for the same request, so that a repetition has the same bytes. */
  readonly replyKey: (request: Uint8Array) => Uint8Array;
}

/** The one vote there is for a transaction: whoever made or read it knows what has to be signed. */
export function expectedVote(transaction: Transaction): Vote {
  const { asset, epoch, inputs, deposits, withdraw } = transaction;
  return voteOf({
    id: transactionId(transaction),
    bytes: new Uint8Array(0),
    asset,
    epoch,
    tags: inputs.map(({ tag }) => toHex(tag)),
    deposits: deposits.map(({ depositId, value }) => ({ depositId: toHex(depositId), value })),
    outputs: [],
    withdraw,
  });
}

/** Phase 1. @returns t votes of distinct services @throws {NetworkRefused} with what each of the others said */
export async function certify(phases: Phases, transaction: Transaction): Promise<VoteCertificate> {
  const { quorum } = phases;
  const services = [...quorum.keys.keys()];
  const vote = expectedVote(transaction);
  const votes = new Map<number, Hex>();
  const refusals = new Map<number, Refused>();
  for await (const answer of ask(phases, 'Transaction', transactionContentOf(transaction), phases.replyKey)) {
    if ('refusal' in answer) refusals.set(answer.index, answer as Refused);
    else {
      const key = quorum.keys.get(answer.index);
      if (key && verifyVote(quorum.context, vote, answer.signature, key)) votes.set(answer.index, answer.signature);
    }
    if (votes.size >= quorum.t) break;
    // A service that says both has voted.
    if (new Set([...votes.keys(), ...refusals.keys()]).size === services.length) break;
  }
  if (votes.size < quorum.t) {
    const unresponsive = services.filter((index) => !votes.has(index) && !refusals.has(index));
    throw new NetworkRefused('transaction', quorum.t, votes.size, [...refusals.values()], unresponsive);
  }
  const signatures = [...votes].map(([index, signature]) => ({ index, signature })).sort((a, b) => a.index - b.index);
  return { vote, signatures: signatures.slice(0, quorum.t) };
}

/**
 * What may still become of a transaction that was refused. `never`: so many services that do not lie have refused it for good that t votes cannot come, whatever the f others do.
 * `refused`: not as long as those that refused it stay with that, which is theirs to decide if they lie. `unheard`: it is a matter of asking again.
 */
export type Prospect = 'never' | 'refused' | 'unheard';

export function prospectOf({ keys, t, f }: Quorum, { phase, refusals }: NetworkRefused): Prospect {
  // A certificate is never refused for good: t have voted.
  if (phase === 'certificate') return 'unheard';
  const final = new Set(
    refusals.flatMap(({ index, refusal: { reason } }) => (reason === 'Halted' || reason === 'ReadOnly' ? [] : [index])),
  ).size;
  if (keys.size - (final - f) < t) return 'never';
  return keys.size - final < t ? 'refused' : 'unheard';
}

/** An output of one's own, and where it stands in the transaction. */
export interface Expected {
  readonly position: number;
  readonly own: OwnedOutput;
}

export interface Obtained {
  /** Of each expected output, in that order. */
  readonly credentials: readonly Credential[];
  /** Services that signed an answer with a wrong partial signature in it, ascending. */
  readonly culprits: readonly number[];
  /** Services of whom nothing was heard before there was enough, ascending. */
  readonly unheard: readonly number[];
}

/**
 * Phase 2.
 * @throws {NetworkRefused} if fewer than t services give what makes good credentials; the culprits are among its `unresponsive`
 */
export async function issue(
  phases: Phases,
  certificate: VoteCertificate,
  transaction: Transaction,
  expected: readonly Expected[],
): Promise<Obtained> {
  const { quorum } = phases;
  const services = [...quorum.keys.keys()];
  const id = certificate.vote.transaction;
  const count = transaction.outputs.length;
  // Those who took part in the key's ceremony: of the committee's services perhaps not all.
  const sharers = new Set(phases.key.serviceKeys.map(({ index }) => index));
  const heard = new Set<number>();
  const culprits = new Set<number>();
  const refusals = new Map<number, Refused>();
  const known = new Set<string>();
  const partials = new Map<number, readonly Hex[]>();
  // Services that did not vote have not seen it.
  const message = { ...certificate, transaction: toHex(encodeTransaction(transaction)) };
  for await (const answer of ask(phases, 'TransactionCertificate', message, phases.replyKey)) {
    if (!('transaction' in answer) || answer.transaction !== id) continue;
    heard.add(answer.index);
    if ('refusal' in answer) {
      refusals.set(answer.index, answer as Refused);
      continue;
    }
    if (!('signatures' in answer)) continue;
    // What was found wrong is not tried again.
    const text = `${answer.index} ${answer.signatures.join(' ')}`;
    if (known.has(text)) continue;
    known.add(text);
    if (answer.signatures.length !== count || !sharers.has(answer.index)) {
      culprits.add(answer.index);
      continue;
    }
    partials.set(answer.index, answer.signatures);
    if (partials.size < quorum.t) continue;
    const tried = tryAll(phases, transaction, expected, [...partials]);
    if (tried.ok)
      return {
        credentials: tried.credentials,
        culprits: ascending(culprits),
        unheard: services.filter((index) => !heard.has(index)),
      };
    for (const index of tried.culprits) {
      culprits.add(index);
      partials.delete(index);
    }
  }
  const without = services.filter((index) => !partials.has(index) && !refusals.has(index));
  throw new NetworkRefused('certificate', quorum.t, partials.size, [...refusals.values()], without);
}

type Tried =
  | { readonly ok: true; readonly credentials: readonly Credential[] }
  | { readonly ok: false; readonly culprits: readonly number[] };

function tryAll(
  { key, verifier, random }: Phases,
  { outputs }: Transaction,
  expected: readonly Expected[],
  partials: readonly (readonly [number, readonly Hex[]])[],
): Tried {
  const parameters: CoconutParameters = key.coconut;
  const credentials: Credential[] = [];
  for (const { position, own } of expected) {
    const output = outputs[position];
    if (!output) throw new RangeError(`expected a position below ${outputs.length}, got ${position}`);
    const mine = partials.map(
      ([index, signatures]): PartialSignature => ({ index, signature: fromHex(signatures[position] ?? '0x') }),
    );
    const statement = requestOf(key.verificationKey.id, output);
    const got = obtain(parameters, key, { statement, opening: own.opening }, mine, { verifier, random });
    if (!got.ok) return got;
    credentials.push(got.credential);
  }
  return { ok: true, credentials };
}

function ascending(indexes: ReadonlySet<number>): number[] {
  return [...indexes].sort((a, b) => a - b);
}
