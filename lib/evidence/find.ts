/** What exhibits prove, together with what is held already: an exhibit accuses nobody, and every proof found here was verified. */
import type { Committee } from '../messages/committee.ts';
import type { Evidence } from '../messages/evidence.ts';
import { type Statement, statementHash } from '../messages/statement.ts';
import { authentic, equivocation, verifyEvidence } from './verify.ts';

/**
 * @param exhibited statements that somebody showed, of any origin @param held statements that were received and authenticated here
 * @returns at most one proof for each participant, ascending
 */
export function findEvidence(
  committee: Committee,
  exhibited: readonly Statement[],
  held: readonly Statement[],
): Evidence[] {
  // Each once, and only what its sender signed: a forgery beside the true statement would hide the proof, and pairs of forgeries would cost a check for each pair.
  const shown = [...new Map(exhibited.map((each) => [statementHash(each), each])).values()].filter((each) =>
    authentic(committee, each),
  );
  const known = [...shown, ...held];
  const found = new Map<number, Evidence>();
  for (const statement of shown) {
    if (found.has(statement.from)) continue;
    const evidence = candidates(committee, statement, known).find((each) => verifyEvidence(committee, each).guilty);
    if (evidence) found.set(statement.from, evidence);
  }
  return [...found].sort(([a], [b]) => a - b).map(([, evidence]) => evidence);
}

function candidates(committee: Committee, statement: Statement, known: readonly Statement[]): Evidence[] {
  const same = known.filter((each) => each.from === statement.from && each.ceremony === statement.ceremony);
  const of = (reason: Evidence['reason'], ...statements: Statement[]): Evidence => ({
    v: 1,
    reason,
    committee: committee.id,
    statements,
  });
  const contradictions = same
    .filter((each) => equivocation(statement, each) === undefined)
    .map((each) => of('Equivocation', statement, each));
  const announcement = same.find((each) => each.type === 'EncryptedPublicKey');
  const commitment = same.find((each) => each.type === 'EncryptedKeyGenCommitment');
  switch (statement.type) {
    case 'EncryptedPublicKey':
      return [...contradictions, of('InvalidCommitment', statement)];
    case 'EncryptedKeyGenCommitment':
      return announcement ? [...contradictions, of('InvalidCommitment', statement, announcement)] : contradictions;
    case 'EncryptedKeyShare':
      return announcement && commitment
        ? [...contradictions, of('InvalidShare', statement, commitment, announcement)]
        : contradictions;
    default:
      return contradictions;
  }
}
