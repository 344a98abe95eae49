import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { verifyFile } from '../../lib/cli/verify-evidence.ts';
import { parseContent } from '../../lib/messages/contents.ts';
import type { Evidence } from '../../lib/messages/evidence.ts';
import { KeygenNetwork, World } from '../ceremonies/network.ts';

const LIAR = 2;
let folder: string;
let evidence: Evidence;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coterie-verify-'));
  const world = new World({ n: 3, t: 2 });
  const network = new KeygenNetwork(world);
  network.lie(LIAR, (statement) => {
    const parsed =
      statement.type === 'EncryptedKeyShare' ? parseContent('EncryptedKeyShare', statement.content) : undefined;
    return parsed?.ok ? world.resign(statement, 'EncryptedKeyShare', { share: `0x${'00'.repeat(31)}07` }) : statement;
  });
  network.run();
  const found = network.node(1).evidence.get(LIAR);
  if (!found) throw new Error('the liar is caught');
  evidence = found;
  writeFileSync(join(folder, 'committee.json'), JSON.stringify(world.committee.file));
  writeFileSync(join(folder, 'evidence.json'), JSON.stringify(evidence));
});

afterAll(() => rmSync(folder, { recursive: true }));

async function judged(name: string): Promise<{ status: number; said: string }> {
  const said: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  try {
    return { status: await verifyFile(join(folder, name), join(folder, 'committee.json')), said: said.join('') };
  } finally {
    write.mockRestore();
  }
}

test('evidence that convicts is one sentence that names the operator, from two files alone', async () => {
  const { status, said } = await judged('evidence.json');
  expect(status).toBe(0);
  expect(said).toMatch(
    /^Operator 2 \(operator2\) dealt a share that does not lie on the polynomial it committed to, in ceremony 0x[0-9a-f]{64}\.\n$/,
  );
});

test('evidence that was changed convicts nobody', async () => {
  const [first, ...rest] = evidence.statements;
  if (!first) throw new Error('evidence has statements');
  const changed = { ...evidence, statements: [{ ...first, content: first.content.replace('07', '08') }, ...rest] };
  writeFileSync(join(folder, 'changed.json'), JSON.stringify(changed));
  const { status, said } = await judged('changed.json');
  expect(status).toBe(1);
  expect(said).toContain('proves nothing against anybody');
});

test('a file that is no evidence is said to be none', async () => {
  writeFileSync(join(folder, 'nonsense.json'), '{"v":1}');
  await expect(judged('nonsense.json')).rejects.toThrow(/expected a file of evidence/);
});
