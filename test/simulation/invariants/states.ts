import type { CeremonyState } from '../../../lib/node/load.ts';
import type { Report } from './violation.ts';

interface Last {
  readonly version: number;
  readonly state: CeremonyState;
}

const ORDER = {
  keygen: ['AwaitingPublicKeys', 'AwaitingCommitments', 'AwaitingShares', 'AwaitingVerdicts', 'Unresolved'],
  signing: ['LeadingOnly', 'Signing'],
} as const;

/** 10: a ceremony goes one version further with each write, its stages only onward, and out of an end nothing leads. */
export class Progress {
  readonly #last = new Map<string, Last>();
  readonly #report: Report;
  readonly #expired: (state: CeremonyState) => boolean;

  /** @param expired whether the row of a state may be gone by now */
  constructor(report: Report, expired: (state: CeremonyState) => boolean = () => false) {
    this.#report = report;
    this.#expired = expired;
  }

  /** The state row of a ceremony at an honest node was written, or deleted. */
  written(operator: number, ceremony: string, version: number, state: CeremonyState | undefined): void {
    const place = `${operator} ${ceremony}`;
    const last = this.#last.get(place);
    if (!state) {
      if (last && !this.#expired(last.state)) this.#report(10, `operator ${operator} deleted the state of ${ceremony}`);
      return;
    }
    const at = `operator ${operator}, ${state.kind} ${ceremony}`;
    if (last && version !== last.version + 1) this.#report(10, `${at}: version ${version} after ${last.version}`);
    if (!last && version !== 1) this.#report(10, `${at}: begins with version ${version}`);
    if (last) this.#onward(at, last.state, state);
    this.#last.set(place, { version, state });
  }

  /** The table was taken back: what comes next follows what lies there now. */
  restored(operator: number, ceremony: string, version: number, state: CeremonyState): void {
    this.#last.set(`${operator} ${ceremony}`, { version, state });
  }

  forget(operator: number): void {
    for (const place of this.#last.keys()) if (place.startsWith(`${operator} `)) this.#last.delete(place);
  }

  last(operator: number, ceremony: string): CeremonyState | undefined {
    return this.#last.get(`${operator} ${ceremony}`)?.state;
  }

  all(operator: number): CeremonyState[] {
    const states: CeremonyState[] = [];
    for (const [place, { state }] of this.#last) if (place.startsWith(`${operator} `)) states.push(state);
    return states;
  }

  #onward(at: string, before: CeremonyState, after: CeremonyState): void {
    if (isEnd(before)) {
      if (after.stage !== before.stage) this.#report(10, `${at}: from ${before.stage} to ${after.stage}`);
      // Of an end only the late signature and the late authorisation may be noted.
      if (essence(before) !== essence(after)) this.#report(10, `${at}: ${before.stage} changed what it says`);
      return;
    }
    const order: readonly string[] = ORDER[before.kind];
    if (!isEnd(after) && order.indexOf(after.stage) < order.indexOf(before.stage))
      this.#report(10, `${at}: back from ${before.stage} to ${after.stage}`);
    if (
      before.stage === 'Unresolved' &&
      after.stage === 'Failed' &&
      JSON.stringify(before.culprits) !== JSON.stringify(after.culprits)
    )
      this.#report(10, `${at}: abandoned with other culprits`);
  }
}

export function isEnd(state: CeremonyState): boolean {
  return state.stage === 'Succeeded' || state.stage === 'Failed';
}

function essence(state: CeremonyState): string {
  const { authorised: _, late: __, ...rest } = state as CeremonyState & { authorised?: boolean; late?: unknown };
  return JSON.stringify(rest);
}
