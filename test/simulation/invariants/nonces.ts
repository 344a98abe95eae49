import type { Said, Testimony } from '../testimony.ts';
import type { Report } from './violation.ts';

interface Met {
  readonly package: string;
  readonly share: string;
}

/** 5: a nonce pair meets one package and gives one share, counting what was stored, sent or logged. */
export class NonceMeetsOnePackage {
  readonly #met = new Map<string, Met>();
  readonly #seen = new Set<string>();
  /** Their packages were not heard yet. */
  #waiting: Said[] = [];
  readonly #testimony: Testimony;
  readonly #report: Report;

  constructor(testimony: Testimony, report: Report) {
    this.#testimony = testimony;
    this.#report = report;
  }

  said(share: Said): void {
    if (share.statement.type !== 'SignatureShare' || this.#seen.has(share.hash)) return;
    this.#seen.add(share.hash);
    if (!this.#judge(share)) this.#waiting.push(share);
  }

  /** When all is quiet: the share of a package that nobody ever heard was made of nothing. */
  finish(): void {
    this.#waiting = this.#waiting.filter((share) => !this.#judge(share));
    for (const { statement } of this.#waiting)
      this.#report(5, `operator ${statement.from} answered a package that nobody said, in ${statement.slot}`);
  }

  #judge(said: Said): boolean {
    const { from, slot, ceremony } = said.statement;
    const content = this.#testimony.content('SignatureShare', said);
    const statement = content && this.#testimony.byHash(content.package);
    const answered = statement && this.#testimony.content('SigningPackage', { statement, hash: content.package });
    if (!content || !answered) return false;
    const pairs = answered.commitments[answered.signers.indexOf(from)];
    for (const [m, { hiding, binding }] of (pairs ?? []).entries()) {
      const nonce = `${from} ${hiding} ${binding}`;
      const now: Met = { package: content.package, share: content.shares[m] ?? '' };
      const before = this.#met.get(nonce);
      if (!before) this.#met.set(nonce, now);
      else if (before.package !== now.package)
        this.#report(5, `a nonce of operator ${from} met two packages, the second in slot ${slot} of ${ceremony}`);
      else if (before.share !== now.share)
        this.#report(5, `a nonce of operator ${from} gave two shares for one package in slot ${slot} of ${ceremony}`);
    }
    return true;
  }
}
