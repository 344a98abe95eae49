/** What a judged proof says, as a sentence that can be read out to somebody who knows no protocol. */
import type { Judgement } from '../evidence/verify.ts';
import type { Committee } from '../messages/committee.ts';
import type { Evidence } from '../messages/evidence.ts';

const DID: Readonly<Record<Evidence['reason'], string>> = {
  Equivocation: 'said two different things in one place',
  InvalidCommitment: 'published a commitment that is not what it announced, or is not valid',
  InvalidShare: 'dealt a share that does not lie on the polynomial it committed to',
  InvalidSignatureShare: 'returned a signature share that does not verify for the package it names',
  InvalidPackage: 'sent a signing package that contradicts what the signers committed to',
};

/** @returns one sentence with its full stop */
export function evidenceSentence(committee: Committee, judged: Judgement): string {
  if (!judged.guilty) return `This proves nothing against anybody: ${judged.why}.`;
  const identity = committee.operator(judged.culprit)?.identity ?? '';
  return `Operator ${judged.culprit} (${identity}) ${DID[judged.reason]}, in ceremony ${judged.ceremony}.`;
}
