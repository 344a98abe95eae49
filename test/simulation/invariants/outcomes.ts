import { verifyEvidence } from '../../../lib/evidence/verify.ts';
import { verifySignature } from '../../../lib/frost/signing.ts';
import type { SuiteName } from '../../../lib/frost/suite.ts';
import { suiteOf } from '../../../lib/frost/suite.ts';
import type { FrostCertificate } from '../../../lib/messages/certificate.ts';
import type { Committee } from '../../../lib/messages/committee.ts';
import type { MultisigEvent } from '../../../lib/messages/events.ts';
import type { Evidence } from '../../../lib/messages/evidence.ts';
import { fromHex, type Hex } from '../../../lib/messages/hex.ts';
import type { Report } from './violation.ts';

/** 7: what an honest node tells its client as final stays as it was told, however often it is told. */
export class OneOutcome {
  readonly #told = new Map<string, string>();
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  told(operator: number, event: MultisigEvent): void {
    const [kind, outcome] = finalOutcome(event) ?? [];
    if (!kind || !outcome) return;
    const { ceremony } = outcome;
    const place = `${operator} ${kind} ${ceremony}`;
    const text = JSON.stringify(outcome);
    const before = this.#told.get(place);
    if (before === undefined) this.#told.set(place, text);
    else if (before !== text) this.#report(7, `operator ${operator} told two final ${kind}s of ${ceremony}`);
  }
}

function finalOutcome(event: MultisigEvent) {
  if ('KeygenOutcome' in event && event.KeygenOutcome.final) return ['KeygenOutcome', event.KeygenOutcome] as const;
  if ('SigningOutcome' in event) return ['SigningOutcome', event.SigningOutcome] as const;
  return undefined;
}

/** 8: blame is a proof, and the proof convicts somebody who lied. */
export class JustBlame {
  readonly #committee: Committee;
  readonly #byzantine: ReadonlySet<number>;
  readonly #report: Report;
  readonly #judged = new Set<string>();

  constructor(committee: Committee, byzantine: ReadonlySet<number>, report: Report) {
    this.#committee = committee;
    this.#byzantine = byzantine;
    this.#report = report;
  }

  /** An honest operator keeps, or tells, that `culprit` is at fault. */
  blamed(operator: number, culprit: number, evidence: Evidence | undefined): void {
    if (!this.#byzantine.has(culprit)) this.#report(8, `operator ${operator} blames honest operator ${culprit}`);
    if (!evidence) return;
    const text = JSON.stringify([culprit, evidence]);
    if (this.#judged.has(text)) return;
    this.#judged.add(text);
    const judgement = verifyEvidence(this.#committee, evidence);
    if (!judgement.guilty)
      this.#report(
        8,
        `operator ${operator}'s evidence of ${evidence.reason} against ${culprit} proves nothing: ${judgement.why}`,
      );
    else if (judgement.culprit !== culprit)
      this.#report(8, `operator ${operator}'s evidence against ${culprit} convicts ${judgement.culprit}`);
  }
}

/** 6: who allowed what, and what was signed. */
export class Authority {
  readonly #least: number;
  readonly #report: Report;
  readonly #allowed = new Map<string, Set<number>>();
  readonly #halted = new Set<number>();
  readonly #verified = new Set<string>();

  /** @param least t − f: so many honest operators' shares are in every signature */
  constructor(least: number, report: Report) {
    this.#least = least;
    this.#report = report;
  }

  /** An honest operator's own client asked it to sign. */
  authorised(operator: number, keyId: Hex, messages: readonly Hex[]): void {
    const request = requestOf(keyId, messages);
    this.#allowed.set(request, (this.#allowed.get(request) ?? new Set()).add(operator));
  }

  halted(operator: number, halted: boolean): void {
    if (halted) this.#halted.add(operator);
    else this.#halted.delete(operator);
  }

  /** A share of an honest operator was committed. */
  released(operator: number, keyId: Hex, messages: readonly Hex[]): void {
    if (this.#halted.has(operator)) this.#report(6, `operator ${operator} released a share while it was halted`);
    if (!this.#allowed.get(requestOf(keyId, messages))?.has(operator))
      this.#report(6, `operator ${operator} released a share that its client did not ask for`);
  }

  /** @returns whether these are signatures under the key */
  signed(certificate: FrostCertificate, keyId: Hex, messages: readonly Hex[], signatures: readonly Hex[]): boolean {
    const known = `${keyId} ${signatures.join()}`;
    if (this.#verified.has(known)) return true;
    const suite = suiteOf(certificate.parameters.suite as SuiteName);
    const valid =
      signatures.length === messages.length &&
      messages.every((message, m) =>
        verifySignature(suite, fromHex(certificate.outputKey), fromHex(message), fromHex(signatures[m] ?? '0x')),
      );
    if (!valid) return false;
    this.#verified.add(known);
    const allowed = this.#allowed.get(requestOf(keyId, messages))?.size ?? 0;
    if (allowed < this.#least)
      this.#report(
        6,
        `a signature exists that ${allowed} honest operators authorised, expected at least ${this.#least}`,
      );
    return true;
  }
}

function requestOf(keyId: Hex, messages: readonly Hex[]): string {
  return `${keyId} ${messages.join()}`;
}
