/**
 * An operator's own word on every signature: a pure function, asked again when the share would leave.
 *
 * `require-own-instruction` needs no code here: without the own client's instruction a signer never reaches the release of a share.
 */
import { createHash } from 'node:crypto';
import type { Committee } from '../messages/committee.ts';
import type { Hex } from '../messages/hex.ts';
import type { Policy } from '../messages/policies.ts';
import type { WithdrawalProof } from '../messages/tokens.ts';
import { certifies, type Quorum, QuorumRefused, quorumOf, withdrawHash } from '../signing-service/certificate.ts';
import { paymentMessage, paymentOf, paymentRequestId } from './payment.ts';

export interface PolicyRequest {
  readonly committee: Committee;
  /** Of the processor that is asked. */
  readonly coin: string;
  readonly key: Hex;
  readonly purpose: string;
  readonly messages: readonly Hex[];
  readonly requestId: Hex;
  /** Seconds UTC. */
  readonly expiresAt: number;
  /** Shown with the instruction; `boundTo` is what it has paid for here already ({@link paymentOf}). */
  readonly withdrawal: { readonly proof: WithdrawalProof; readonly boundTo: string | undefined } | undefined;
  /** Who asked: the own client. */
  readonly requester: 'client';
  /** Seconds UTC. */
  readonly now: number;
}

export type Decision = { readonly kind: 'allow' } | { readonly kind: 'refuse'; readonly reason: string };

type WithdrawalPolicy = Extract<Policy, { kind: 'withdrawal-certificate' }>;

/** All policies of an operator must allow; none configured means `require-own-instruction` alone. */
export function decide(policies: readonly Policy[], request: PolicyRequest): Decision {
  for (const policy of policies) {
    const reason = whyNot(policy, request);
    if (reason !== undefined) return { kind: 'refuse', reason };
  }
  return { kind: 'allow' };
}

function whyNot(policy: Policy, request: PolicyRequest): string | undefined {
  switch (policy.kind) {
    case 'require-own-instruction':
      return undefined;
    case 'purposes':
      return policy.allow.includes(request.purpose)
        ? undefined
        : `the purpose is not one of the ${policy.allow.length} that this operator allows`;
    case 'withdrawal-certificate':
      return unpaid(policy, request);
  }
}

/** @returns why no withdrawal has paid for exactly this signature */
function unpaid({ asset, key }: WithdrawalPolicy, request: PolicyRequest): string | undefined {
  const { committee, coin, withdrawal, messages, requestId, expiresAt } = request;
  if (key !== undefined && request.key !== key)
    return `expected key ${key}, which pays withdrawals, got ${request.key}`;
  // What a withdrawal has paid for is each operator's own row: t operators and t others would each pay it once, by a key of their own.
  const held = key === undefined ? committee.keyOf(coin) : undefined;
  const n = committee.signersOf(coin).length;
  if (held && 2 * held.t <= n)
    return `expected a policy that names the key which pays withdrawals, as any ${held.t} of ${n} sign, got one that names none`;
  if (!withdrawal) return `expected a withdrawal certificate of ${asset}, got none`;
  const { proof, boundTo } = withdrawal;
  const quorum = quorumFor(committee, asset);
  if (!quorum) return `expected ${asset} to be an asset of the committee with 2t > n + f`;
  const { vote } = proof.certificate;
  if (vote.transaction !== proof.transaction)
    return `expected a certificate of transaction ${proof.transaction}, got that of ${vote.transaction}`;
  // Recipient, amount and memo are the bearer's claim until their hash is the one that t services voted for.
  if (withdrawHash(proof) !== vote.withdraw)
    return 'expected the recipient, amount and memo that the certificate is for, got others';
  if (!certifies(quorum, proof.certificate))
    return `expected the votes of ${quorum.t} services of ${asset}, each with a valid signature`;
  // The recipient names the vault's coin: vaults of two coins would both pay for one withdrawal, each once.
  if (!proof.recipient.startsWith(`${coin}:`)) return `expected a recipient of ${coin}:…, got one of something else`;
  const message = paymentMessage(quorum.context, coin, proof);
  const [only, ...more] = messages;
  if (only !== message || more.length > 0) return `expected the one message that this withdrawal pays for, ${message}`;
  const id = paymentRequestId(quorum.context, coin, proof.transaction, expiresAt);
  if (requestId !== id) return `expected the withdrawal's request id until ${expiresAt}, ${id}, got ${requestId}`;
  if (boundTo !== undefined && boundTo !== paymentOf(request.key, message))
    return `expected a withdrawal that has paid for nothing else, got that of transaction ${proof.transaction}`;
  return undefined;
}

function quorumFor(committee: Committee, asset: string): Quorum | undefined {
  try {
    return quorumOf(committee, asset);
  } catch (error) {
    if (error instanceof QuorumRefused) return undefined;
    throw error;
  }
}

/** The asset whose withdrawals this operator asks for, if it does. */
export function withdrawalAsset(policies: readonly Policy[]): string | undefined {
  return policies.find((policy) => policy.kind === 'withdrawal-certificate')?.asset;
}

/** The version under which a policy is in force: a release is refused if it changed since the step asked it. */
export function policyHash(policies: readonly Policy[]): string {
  return createHash('sha256').update(JSON.stringify(policies)).digest('hex');
}
