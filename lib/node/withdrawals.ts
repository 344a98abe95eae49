/** Withdrawals that pay for signatures: shown with an instruction, kept with the ceremony, and bound to one payment when the first share leaves. */
import type { Hex } from '../messages/hex.ts';
import type { SigningParameters } from '../messages/parameters.ts';
import type { WithdrawalProof } from '../messages/tokens.ts';
import type { Write } from '../ports.ts';
import { paymentOf } from '../signing/payment.ts';
import { type Decision, decide, type PolicyRequest, withdrawalAsset } from '../signing/policy.ts';
import { PUBLIC_TTL_SECONDS } from './lifetimes.ts';
import type { Processor } from './node.ts';
import { PAID_PREFIX, paidKey, withdrawalKey } from './rows.ts';

type Shown = PolicyRequest['withdrawal'];

/** With what has become of it here. @returns nothing where no policy asks for it */
export async function shown(node: Processor, proof: WithdrawalProof | undefined): Promise<Shown> {
  const asset = withdrawalAsset(node.config.policies);
  if (!asset || !proof) return undefined;
  const [row] = await node.ports.store.batchGet('Nonces', [paidKey(asset, proof.transaction)]);
  const boundTo = row?.['payment'];
  return { proof, boundTo: typeof boundTo === 'string' ? boundTo : undefined };
}

/** Before the ceremony begins: its releases look for it. The first that was shown stays. */
export async function keepWithdrawal(
  node: Processor,
  ceremony: Hex,
  { proof }: NonNullable<Shown>,
  expiresAt: number,
): Promise<void> {
  const item = { ...withdrawalKey(ceremony), proof: JSON.stringify(proof), ttl: expiresAt + PUBLIC_TTL_SECONDS };
  await node.ports.store.write({ kind: 'put', table: 'Ceremonies', item, condition: { kind: 'absent' } });
}

/** What was shown for this ceremony. */
export async function kept(node: Processor, ceremony: Hex): Promise<Shown> {
  if (!withdrawalAsset(node.config.policies)) return undefined;
  const row = await node.ports.store.get('Ceremonies', withdrawalKey(ceremony));
  const text = row?.['proof'];
  return typeof text === 'string' ? shown(node, JSON.parse(text) as WithdrawalProof) : undefined;
}

/**
 * The row that binds a withdrawal to one payment: a condition of the transaction in which a share leaves. It is in the table that no backup brings back and has no end,
 * for a withdrawal never becomes good for a second payment. The same payment may be signed again.
 */
export async function binding(node: Processor, ceremony: Hex, parameters: SigningParameters): Promise<Write[]> {
  const asset = withdrawalAsset(node.config.policies);
  const [message] = parameters.messages;
  if (!asset || !message) return [];
  const withdrawal = await kept(node, ceremony);
  if (!withdrawal) throw new Error(`ceremony ${ceremony} would release a share without its withdrawal`);
  const payment = paymentOf(parameters.keyId, message);
  return [
    {
      kind: 'put',
      table: 'Nonces',
      item: { ...paidKey(asset, withdrawal.proof.transaction), payment },
      condition: { kind: 'absentOrEquals', attribute: 'payment', value: payment },
    },
  ];
}

/** Whether a refused write is {@link binding}'s. */
export function isBinding(write: Write): boolean {
  return write.kind === 'put' && write.item.pk.startsWith(PAID_PREFIX);
}

/** The policy on a request, now. */
export async function asked(
  node: Processor,
  {
    keyId,
    purpose,
    messages,
    requestId,
    expiresAt,
  }: Omit<SigningParameters, 'kind' | 'committee' | 'coin' | 'suite' | 't' | 'signers'>,
  withdrawal: Shown,
): Promise<Decision> {
  const committee = await node.committee();
  if (!committee) return { kind: 'refuse', reason: 'expected an accepted committee file, there is none yet' };
  const { policies, coin } = node.config;
  const now = node.now();
  const request = { committee, coin, key: keyId, purpose, messages, requestId, expiresAt, withdrawal, now };
  return decide(policies, { ...request, requester: 'client' });
}
