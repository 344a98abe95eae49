/**
 * An operator's own word on every signature: a pure function, asked again when the share would leave.
 *
 * `require-own-instruction` needs no code here: without the own client's instruction a signer never reaches the release of a share.
 */
import { createHash } from 'node:crypto';
import type { Hex } from '../messages/hex.ts';
import type { Policy } from '../messages/policies.ts';

export interface PolicyRequest {
  readonly key: Hex;
  readonly purpose: string;
  readonly messages: readonly Hex[];
  /** Who asked: the own client. */
  readonly requester: 'client';
  /** Seconds UTC. */
  readonly now: number;
}

export type Decision = { readonly kind: 'allow' } | { readonly kind: 'refuse'; readonly reason: string };

/** All policies of an operator must allow; none configured means `require-own-instruction` alone. */
export function decide(policies: readonly Policy[], request: PolicyRequest): Decision {
  for (const policy of policies) {
    switch (policy.kind) {
      case 'require-own-instruction':
        break;
      case 'purposes':
        if (!policy.allow.includes(request.purpose)) {
          return {
            kind: 'refuse',
            reason: `the purpose is not one of the ${policy.allow.length} that this operator allows`,
          };
        }
        break;
    }
  }
  return { kind: 'allow' };
}

/** The version under which a policy is in force: a release is refused if it changed since the step asked it. */
export function policyHash(policies: readonly Policy[]): string {
  return createHash('sha256').update(JSON.stringify(policies)).digest('hex');
}
