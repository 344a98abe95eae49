/** `coterie verify`: a stranger's judgement of evidence, from two files and nothing else. */
import { readFile } from 'node:fs/promises';
import { verifyEvidence } from '../evidence/verify.ts';
import { parseCommittee } from '../messages/committee.ts';
import { type Evidence, parseEvidence } from '../messages/evidence.ts';
import { UsageError } from './usage.ts';

const DID: Readonly<Record<Evidence['reason'], string>> = {
  Equivocation: 'said two different things in one place',
  InvalidCommitment: 'published a commitment that is not what it announced, or is not valid',
  InvalidShare: 'dealt a share that does not lie on the polynomial it committed to',
  InvalidSignatureShare: 'returned a signature share that does not verify for the package it names',
  InvalidPackage: 'sent a signing package that contradicts what the signers committed to',
};

/** Prints one sentence. @returns 0 if the evidence convicts, 1 if it proves nothing @throws {UsageError} if a file is not one */
export async function verifyFile(evidenceFile: string, committeeFile: string): Promise<number> {
  const parsedCommittee = parseCommittee(await text(committeeFile));
  if (!parsedCommittee.ok)
    throw new UsageError(`${committeeFile}: expected a committee file: ${parsedCommittee.reason}`);
  const parsed = parseEvidence(await text(evidenceFile));
  if (!parsed.ok) throw new UsageError(`${evidenceFile}: expected a file of evidence: ${parsed.reason}`);
  const { committee } = parsedCommittee;
  const judged = verifyEvidence(committee, parsed.evidence);
  if (!judged.guilty) {
    process.stdout.write(`This proves nothing against anybody: ${judged.why}.\n`);
    return 1;
  }
  const identity = committee.operator(judged.culprit)?.identity ?? '';
  process.stdout.write(
    `Operator ${judged.culprit} (${identity}) ${DID[judged.reason]}, in ceremony ${judged.ceremony}.\n`,
  );
  return 0;
}

async function text(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    throw new UsageError(`expected a file that can be read, got ${file}`);
  }
}
