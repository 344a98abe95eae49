/** `coterie verify`: a stranger's judgement of evidence, from two files and nothing else. */
import { readFile } from 'node:fs/promises';
import { verifyEvidence } from '../evidence/verify.ts';
import { parseCommittee } from '../messages/committee.ts';
import { parseEvidence } from '../messages/evidence.ts';
import { evidenceSentence } from '../view/evidence-words.ts';
import { UsageError } from './usage.ts';

/** Prints one sentence. @returns 0 if the evidence convicts, 1 if it proves nothing @throws {UsageError} if a file is not one */
export async function verifyFile(evidenceFile: string, committeeFile: string, json = false): Promise<number> {
  const parsedCommittee = parseCommittee(await text(committeeFile));
  if (!parsedCommittee.ok)
    throw new UsageError(`${committeeFile}: expected a committee file: ${parsedCommittee.reason}`);
  const parsed = parseEvidence(await text(evidenceFile));
  if (!parsed.ok) throw new UsageError(`${evidenceFile}: expected a file of evidence: ${parsed.reason}`);
  const { committee } = parsedCommittee;
  const judged = verifyEvidence(committee, parsed.evidence);
  const sentence = evidenceSentence(committee, judged);
  process.stdout.write(json ? `${JSON.stringify({ ...judged, sentence })}\n` : `${sentence}\n`);
  return judged.guilty ? 0 : 1;
}

async function text(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    throw new UsageError(`expected a file that can be read, got ${file}`);
  }
}
