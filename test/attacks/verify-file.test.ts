/** What an operator stored as a proof, as a file in a stranger's hands: one for each reason. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { verifyFile } from '../../lib/cli/verify-evidence.ts';
import type { CommitteeFile } from '../../lib/messages/committee.ts';
import { EVIDENCE_REASONS, type Evidence } from '../../lib/messages/evidence.ts';
import type { Behaviour } from '../simulation/adversary.ts';
import { altersCommitments, contradicts, lies } from '../simulation/byzantine.ts';
import { played } from '../simulation/byzantine-world.ts';

const LIAR = 2;
const BEHAVIOURS: Readonly<
  Record<Evidence['reason'], { readonly behaviour: () => Behaviour; readonly leads?: boolean }>
> = {
  Equivocation: { behaviour: () => contradicts('EncryptedKeyGenCommitment') },
  InvalidCommitment: { behaviour: () => lies('EncryptedKeyGenCommitment', 'one more', 'commitments') },
  InvalidShare: { behaviour: () => lies('EncryptedKeyShare', 'another value', 'share') },
  InvalidSignatureShare: { behaviour: () => lies('SignatureShare', 'another value', 'shares.0'), leads: false },
  InvalidPackage: { behaviour: () => altersCommitments('the reader'), leads: true },
};
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coterie-proofs-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Who signs with whom is drawn from the seed: the same until the liar is asked. */
async function stored(reason: Evidence['reason']): Promise<{ evidence: Evidence; file: CommitteeFile }> {
  const { behaviour, leads } = BEHAVIOURS[reason];
  for (let seed = 1; seed <= 8; seed++) {
    const run = await played({
      behaviour: behaviour(),
      byzantine: [LIAR],
      seed,
      ...(leads === undefined ? {} : { leads }),
    });
    const found = run.evidence.find(({ evidence }) => evidence.reason === reason);
    if (found) return { evidence: found.evidence, file: run.world.committee.committee.file };
  }
  throw new Error(`nobody stored a proof of ${reason}`);
}

test.each(EVIDENCE_REASONS)('%s: two files, one sentence, with the liar’s index', async (reason) => {
  const { evidence, file } = await stored(reason);
  const [proof, committee] = [join(folder, `${reason}.json`), join(folder, `${reason}-committee.json`)];
  writeFileSync(proof, JSON.stringify(evidence));
  writeFileSync(committee, JSON.stringify(file));
  const said: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  try {
    expect(await verifyFile(proof, committee)).toBe(0);
  } finally {
    write.mockRestore();
  }
  expect(said.join('')).toMatch(/^Operator 2 \(operator2\) .+, in ceremony 0x[0-9a-f]{64}\.\n$/);
});
