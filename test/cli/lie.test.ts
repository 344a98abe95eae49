/** What the README does when an operator lies, in both ceremonies: from the wrong share to the judgement of a stranger. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { localOptions, type RawLocal } from '../../lib/cli/local-options.ts';
import type { Lie } from '../../lib/local/liar.ts';
import { coterie, embedded } from './embedded.ts';

async function judged(lie: Lie, lied: (at: string) => Promise<void>): Promise<{ sentence: string; report: string }> {
  const world = await embedded({ threshold: 3, leaderPeriod: 1, liar: { operator: 3, in: lie } });
  try {
    await lied(world.at);
    const [evidence, committee, report] = ['evidence.json', 'committee.json', 'report.html'].map((name) =>
      join(world.folder, name),
    ) as [string, string, string];
    // Of a signing the leader has the proof.
    const asked = [];
    for (const as of ['1', '2'])
      asked.push(await world.coterie('ceremony', 'show', 'latest', '--evidence', '3', '--as', as));
    const shown = asked.find(({ status }) => status === 0);
    expect(shown, asked.map(({ stderr }) => stderr).join()).toBeDefined();
    writeFileSync(evidence, shown?.stdout ?? '');
    const exported = await world.coterie('committee', 'export', '--output', committee);
    expect(exported.stderr).toMatch(/^committee ([0-9a-f]{4} ){15}[0-9a-f]{4}\n$/);
    expect((await world.coterie('committee', 'export')).stdout).toBe(readFileSync(committee, 'utf8'));
    expect((await world.coterie('ceremony', 'timeline', 'latest')).stdout).toContain('operator3');
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
    const { sentence, report } = await judged('EncryptedKeyShare', async (at) => {
      const { stderr } = await coterie(['keygen', '--at', at]);
      expect(stderr).toContain('failed: InvalidShare');
    });
    expect(sentence).toContain('Operator 3 (operator3) dealt a share that does not lie on the polynomial');
    expect(report).toContain('InvalidShare');
  });

  test('when it signs wrongly: the others end in time, and name it', async () => {
    const { sentence } = await judged('SignatureShare', async (at) => {
      expect((await coterie(['keygen', '--at', at])).status).toBe(0);
      const { status } = await coterie(['sign', '--message', 'pay alice', '--expires-in', '6', '--at', at]);
      expect(status).not.toBe(0);
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
