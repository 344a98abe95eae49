/**
 * What goes wrong in a run, and how often: drawn anew for each seed, every kind on or off by itself (swarm testing, Groce et al. 2012). A run in which all
 * faults happen all the time never gets far enough to meet the rare ones.
 */
import { SeededRandom } from '../../lib/local/random.ts';
import type { Table } from '../../lib/ports.ts';

/** Probabilities for each message. */
export interface MessageRates {
  duplicate: number;
  duplicateLagSeconds: number;
  delay: number;
  maxDelaySeconds: number;
  /** The queue does not accept a role's message. */
  refuse: number;
}

/** Probabilities for each port call. */
export interface CallRates {
  crashBefore: number;
  crashAfter: number;
  throttle: number;
  /** Transactions only: another one was in progress on an item. */
  conflict: number;
  /** Writes and sends: no answer, and nothing was done. */
  unknownNotApplied: number;
  /** Writes, counts and sends: done, and no answer. */
  appliedButError: number;
  kmsDenied: number;
  /** The function takes longer than its visibility timeout: its messages are handed to another one while it runs. */
  leaseExpiry: number;
  clockJump: number;
}

export interface BatchRates {
  /** Records that were handled are reported as failed. */
  partialFailure: number;
  /** Handled by the next version of the functions. */
  nextVersion: number;
  /** Handled on a copy of the operator's tables, once there is one. */
  onCopy: number;
}

export type Action =
  | { readonly kind: 'outage'; readonly operator: number; readonly seconds: number }
  | { readonly kind: 'halt'; readonly operator: number; readonly seconds: number }
  | {
      readonly kind: 'restore';
      readonly operator: number;
      readonly role: 'processor' | 'coordinator';
      readonly table: Table;
      readonly age: number;
    }
  | { readonly kind: 'copy'; readonly operator: number }
  | { readonly kind: 'restart'; readonly operator: number }
  | { readonly kind: 'cleanUp'; readonly operator: number }
  | { readonly kind: 'abandon'; readonly operator: number }
  | { readonly kind: 'sameRequest'; readonly operator: number }
  | { readonly kind: 'repeat'; readonly operator: number }
  | { readonly kind: 'redrive' };

/** Changes of a table after which it can be taken back. */
export const MOST_SNAPSHOTS = 120;

export interface Profile {
  readonly concurrency: number;
  readonly faultsFromTheStart: boolean;
  readonly messages: MessageRates;
  readonly calls: CallRates;
  readonly batches: BatchRates;
  /** Probability that a parcel from one operator to another is lost, by `from>to`; coordinators may lose what they like. */
  readonly lossy: ReadonlyMap<string, number>;
  /** Milliseconds that each operator's clock is ahead. */
  readonly skewMs: readonly number[];
  readonly ttlLagSeconds: number;
  readonly dueLagSeconds: number;
  readonly maxReceiveCount: number;
  /** Each with when it happens, in seconds after the break begins. */
  readonly actions: readonly { readonly at: number; readonly action: Action }[];
  /** Seconds that the faults last. */
  readonly breakSeconds: number;
  readonly realSealing: boolean;
  readonly scan: boolean;
  /** Everything that was ever sent comes again after the end, as from an archive or a redrive. */
  readonly replay: boolean;
  /** Days later, so that TTL has taken what it may. */
  readonly afterlifeDays: number;
  /**
   * Nothing here may end a ceremony: what is lost comes again, and there is time. So what begins under these faults must end well, and not only what begins
   * after them.
   */
  readonly harmless: boolean;
}

export function drawProfile(seed: Uint8Array, number: number, { operators }: { readonly operators: number }): Profile {
  const dice = new SeededRandom(seed, 'swarm');
  const rate = (most: number, on = 0.5): number => (dice.chance(on) ? (most * (1 + dice.below(100))) / 100 : 0);
  const anyone = (): number => 1 + dice.below(operators);
  // One run in eight is quiet: the plain path, and the yardstick of the others.
  const quiet = dice.below(8) === 0;
  const on = quiet ? 0 : 0.4;
  // Every third run is harmless: nothing that loses anything, so that everything begun must end well.
  const harmless = quiet || dice.below(3) === 0;
  const harm = harmless ? 0 : 0.3;

  const lossy = new Map<string, number>();
  if (dice.chance(harm))
    for (let link = 0; link <= dice.below(3); link++) lossy.set(`${anyone()}>${anyone()}`, rate(1, 1));
  const breakSeconds = 600 + dice.below(1_800);
  const at = (): number => dice.below(breakSeconds);
  const actions: { at: number; action: Action }[] = [];
  const maybe = (probability: number, make: () => Action): void => {
    if (dice.chance(probability)) actions.push({ at: at(), action: make() });
  };
  const seconds = (): number => 30 + dice.below(600);
  maybe(harmless ? 0 : 0.2, () => ({ kind: 'outage', operator: anyone(), seconds: seconds() }));
  maybe(harmless ? 0 : 0.2, () => ({ kind: 'halt', operator: anyone(), seconds: seconds() }));
  // `Nonces` has no backup; where it is another table after all, `Ceremonies` is the one of before: never both of one operator from a backup.
  const tables = ['Ceremonies', 'Nonces', 'Directory', 'Ceremonies', 'Nonces', 'Keys'] as const;
  const first = dice.below(operators);
  for (let i = 0; i < 2; i++)
    if (dice.chance(harm / 2))
      actions.push({
        // Half of them early, while the key is made: later, most of what a ceremony says has been said.
        at: dice.below(2) === 0 ? dice.below(180) : at(),
        action: {
          kind: 'restore',
          operator: 1 + ((first + i) % operators),
          role: dice.below(5) === 0 ? 'coordinator' : 'processor',
          table: tables[dice.below(tables.length)] as Table,
          age: dice.below(dice.below(2) === 0 ? 30 : MOST_SNAPSHOTS),
        },
      });
  const copied = dice.chance(harm / 3);
  if (copied) actions.push({ at: at(), action: { kind: 'copy', operator: anyone() } });
  maybe(on, () => ({ kind: 'restart', operator: anyone() }));
  maybe(on, () => ({ kind: 'cleanUp', operator: anyone() }));
  maybe(harm / 2, () => ({ kind: 'abandon', operator: anyone() }));
  maybe(harm / 2, () => ({ kind: 'sameRequest', operator: anyone() }));
  maybe(on, () => ({ kind: 'repeat', operator: anyone() }));
  maybe(on, () => ({ kind: 'redrive' }));
  actions.sort((a, b) => a.at - b.at);

  const skews = dice.chance(harm);
  const profile: Profile = {
    concurrency: [1, 2, 3, 4, 6, 8][dice.below(6)] as number,
    faultsFromTheStart: dice.below(4) === 0,
    messages: {
      duplicate: rate(0.5, on),
      duplicateLagSeconds: [60, 900, 6 * 3600][dice.below(3)] as number,
      delay: rate(0.4, on),
      maxDelaySeconds: [5, 60, 600][dice.below(3)] as number,
      refuse: rate(0.05, on),
    },
    calls: {
      crashBefore: rate(0.02, on),
      crashAfter: rate(0.02, on),
      throttle: rate(0.03, on),
      conflict: rate(0.1, on),
      unknownNotApplied: rate(0.05, on),
      appliedButError: rate(0.05, on),
      kmsDenied: rate(0.03, on),
      leaseExpiry: rate(0.003, on),
      clockJump: skews ? rate(0.002, 0.5) : 0,
    },
    batches: {
      partialFailure: rate(0.2, on),
      nextVersion: dice.chance(on) ? 0.5 : 0,
      onCopy: copied ? 0.2 : 0,
    },
    lossy,
    skewMs: Array.from({ length: operators }, () => (skews ? dice.below(1_200_001) - 600_000 : 0)),
    ttlLagSeconds: [0, 3_600, 48 * 3_600, 5 * 86_400][dice.below(4)] as number,
    dueLagSeconds: dice.chance(on) ? dice.below(60) : 0,
    maxReceiveCount: 3 + dice.below(8),
    actions,
    breakSeconds,
    realSealing: number % 16 === 0,
    scan: number % 8 === 0,
    replay: number % 16 === 1,
    afterlifeDays: number % 32 === 1 ? ([2, 12, 50][dice.below(3)] as number) : 0,
    harmless,
  };
  return profile;
}
