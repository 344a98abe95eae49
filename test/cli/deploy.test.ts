/** What `coterie deploy` hands to the CDK, which runs in another folder than the user. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { exampleCommittee, exampleOperatorFile } from '../../cdk/example.ts';
import { committeeText } from '../../lib/cli/committee.ts';
import { deploy } from '../../lib/cli/deploy-stacks.ts';

const ran = vi.hoisted((): { args: readonly string[] } => ({ args: [] }));
vi.mock('../../lib/cli/deploy-cdk.ts', () => ({
  cdk: async (args: readonly string[]) => {
    ran.args = args;
  },
}));

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coterie-deploy-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const given = (name: string): string | undefined =>
  ran.args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1);

test('the files that were checked are the files that are deployed, wherever the command was started', async () => {
  const committee = exampleCommittee(3, 1);
  const [operator, file] = [join(folder, 'operator.json'), join(folder, 'committee.json')];
  writeFileSync(operator, JSON.stringify(exampleOperatorFile(committee)));
  writeFileSync(file, committeeText(committee));
  const here = (path: string) => relative(process.cwd(), path);
  await deploy({ operator: here(operator), committee: here(file), stage: 'aws', yes: true });
  expect(given('operator')).toBe(operator);
  expect(given('committee')).toBe(file);
});

test('a path that the CDK would take for several is refused before anything is deployed', async () => {
  const odd = join(folder, 'a,b');
  mkdirSync(odd);
  const operator = join(odd, 'operator.json');
  const { committeeHash: _, ...first } = exampleOperatorFile(exampleCommittee(3, 1));
  writeFileSync(operator, JSON.stringify(first));
  ran.args = [];
  await expect(deploy({ operator, stage: 'aws' })).rejects.toThrow('without a comma');
  expect(ran.args).toEqual([]);
});
