/**
 * The states of a serial (a tag or a deposit id) at one service, and every transition there is:
 *
 *     free ──lock T──▶ locked(T) ──certificate of T──▶ spent(T)
 *       └──────certificate of T──────────────────────────▲
 *     locked(T₁) ──certificate of T₂──▶ spent(T₂)
 *
 * A lock never goes back to free: a service that has voted cannot know whether its vote stands in a certificate that it has not seen yet, so a lock
 * that could be dropped would be a second vote (attack ECASH-08). `spent` is absorbing.
 */
import { hex32 } from '../messages/fields.ts';
import type { Hex } from '../messages/hex.ts';

export type SerialState =
  | { readonly kind: 'free' }
  | { readonly kind: 'locked'; readonly by: Hex }
  | { readonly kind: 'spent'; readonly by: Hex };

/** What a vote for `by` does to a serial. */
export type Lock =
  | { readonly kind: 'change'; readonly to: Extract<SerialState, { kind: 'locked' }> }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly reason: 'Locked' | 'Spent'; readonly by: Hex };

export function lock(state: SerialState, by: Hex): Lock {
  switch (state.kind) {
    case 'free':
      return { kind: 'change', to: { kind: 'locked', by } };
    case 'locked':
      return state.by === by ? { kind: 'unchanged' } : { kind: 'refused', reason: 'Locked', by: state.by };
    case 'spent':
      return state.by === by ? { kind: 'unchanged' } : { kind: 'refused', reason: 'Spent', by: state.by };
  }
}

/** What a certificate of `by` does to a serial. `broken`: another transaction has a certificate for it as well, which 2t > n + f forbids. */
export type Spend =
  | { readonly kind: 'change'; readonly to: Extract<SerialState, { kind: 'spent' }> }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'broken'; readonly by: Hex };

export function spend(state: SerialState, by: Hex): Spend {
  switch (state.kind) {
    case 'free':
    case 'locked':
      return { kind: 'change', to: { kind: 'spent', by } };
    case 'spent':
      return state.by === by ? { kind: 'unchanged' } : { kind: 'broken', by: state.by };
  }
}

/** One attribute, so that one condition compares all of a state. */
export function encodeState({ kind, by }: Exclude<SerialState, { kind: 'free' }>): string {
  return `${kind}#${by}`;
}

/** @throws if the row is none of ours */
export function decodeState(state: unknown): SerialState {
  if (state === undefined) return { kind: 'free' };
  const [kind, by] = typeof state === 'string' ? state.split('#') : [];
  const id = hex32.safeParse(by);
  if (!id.success || (kind !== 'locked' && kind !== 'spent'))
    throw new Error('the state of a serial is not one: expected locked or spent, and a transaction id');
  return { kind, by: id.data };
}
