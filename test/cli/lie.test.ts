/** What the README does when an operator lies, in both ceremonies: from the wrong share to the judgement of a stranger. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { localOptions, type RawLocal } from '../../lib/cli/local-options.ts';
import type { Lie } from '../../lib/local/liar.ts';
import { coterie, type Embedded, embedded, type Run } from './embedded.ts';

/** Of a key every honest operator has the proof, of a signature its leader. */
async function proofAt(world: Embedded): Promise<Run | undefined> {
  for (const as of ['1', '2']) {
    const shown = await world.coterie('ceremony', 'show', 'latest', '--evidence', '3', '--as', as);
    if (shown.status === 0) return shown;
  }
  return undefined;
}

async function judged(
  lie: Lie,
  lied: (world: Embedded) => Promise<void>,
): Promise<{ sentence: string; report: string }> {
  const world = await embedded({ threshold: 3, liar: { operator: 3, in: lie } });
  try {
    await lied(world);
    const [evidence, committee, report] = ['evidence.json', 'committee.json', 'report.html'].map((name) =>
      join(world.folder, name),
    ) as [string, string, string];
    const shown = await proofAt(world);
    expect(shown, 'an honest operator has the proof').toBeDefined();
    writeFileSync(evidence, shown?.stdout ?? '');
    const exported = await world.coterie('committee', 'export', '--output', committee);
    expect(exported.stderr).toMatch(/^committee ([0-9a-f]{4} ){15}[0-9a-f]{4}\n$/);
    expect((await world.coterie('committee', 'export')).stdout).toBe(readFileSync(committee, 'utf8'));
    expect((await world.coterie('ceremony', 'timeline', 'latest')).stdout).toContain('saw it');
    expect((await world.coterie('report', 'latest', '--output', report)).status).toBe(0);
    const verified = await coterie(['verify', evidence, '--committee', committee]);
    expect(verified.status).toBe(0);
    return { sentence: verified.stdout, report: readFileSync(report, 'utf8') };
  } finally {
    await world.close();
  }
}

describe('an operator that lies is named, and a stranger is convinced', () => {
  test('when it deals a wrong share of a key', async () => {
    const { sentence, report } = await judged('EncryptedKeyShare', async (world) => {
      const { stderr } = await world.coterie('keygen');
      expect(stderr).toContain('failed: InvalidShare');
    });
    expect(sentence).toContain('Operator 3 (operator3) dealt a share that does not lie on the polynomial');
    expect(report).toContain('InvalidShare');
  });

  test('when it signs wrongly: the others end in time, and name it', async () => {
    const { sentence } = await judged('SignatureShare', async (world) => {
      expect((await world.coterie('keygen')).status).toBe(0);
      // With t = n there is one leader, which the ceremony's id draws: until it is not the liar itself.
      for (let attempt = 0; attempt < 10 && !(await proofAt(world)); attempt++) {
        const { status } = await world.coterie('sign', '--message', 'pay alice', '--expires-in', '4');
        expect(status).not.toBe(0);
      }
    });
    expect(sentence).toContain('Operator 3 (operator3)');
    expect(sentence).toContain('signature share');
  });
});

describe('--lie', () => {
  const refusal = (raw: Partial<RawLocal>): string => {
    try {
      return JSON.stringify(localOptions({ operators: '3', coins: 'sol', ...raw }).liar);
    } catch (error) {
      return (error as Error).message;
    }
  };

  test.each([
    [{ lie: '2' }, '{"operator":2,"in":"SignatureShare"}'],
    [{ lie: '3@EncryptedKeyShare' }, '{"operator":3,"in":"EncryptedKeyShare"}'],
    [{ lie: '4' }, '--lie: expected a whole number from 1 to 3, got "4"'],
    [{ lie: '1@Wake' }, '--lie: expected one of EncryptedKeyShare, SignatureShare after @, got "Wake"'],
    [
      { lie: '1@EncryptedKeyShare', threshold: '1', allowSingleSigner: true },
      '--lie: expected a threshold of at least 2 for a lie in EncryptedKeyShare, got 1',
    ],
  ])('%j', (raw, expected) => {
    expect(refusal(raw)).toContain(expected);
  });
});
