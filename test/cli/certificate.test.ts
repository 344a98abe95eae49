/** An operator that missed the end of a key generation is handed the certificate, by another way than its coordinator's. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Unavailable } from '../../lib/ports.ts';
import { ceremonyView } from '../../lib/view/ceremony-view.ts';
import { type Embedded, embedded } from './embedded.ts';

let world: Embedded;
beforeAll(async () => {
  world = await embedded();
});
afterAll(() => world.close());

it('what one operator exports and another imports ends the other’s key generation with the same key', async () => {
  const { cloud } = world.committee;
  const cut = cloud.intercept(({ operation, when, args }) => {
    if (operation !== 'send' || when !== 'before') return;
    if (args[0].some(({ queue }) => /operator1-sol-KeyGen(?:Verdict|Certificate)In/.test(queue)))
      throw new Unavailable('what would end it never reaches operator 1');
  });
  const made = await world.coterie('keygen', '--json', '--wait', '20');
  const { ceremony } = JSON.parse(made.stdout) as { ceremony: string };
  expect(made.status).toBe(0);
  const seen = async (operator: string) =>
    ceremonyView.parse(
      JSON.parse((await world.coterie('ceremony', 'show', ceremony, '--json', '--as', operator)).stdout),
    );
  const before = await seen('1');
  expect(before.stage).toBe('AwaitingVerdicts');
  expect(before.rounds.at(-1)).toMatchObject({
    type: 'KeyGenVerdict',
    status: 'waiting',
    missing: [{ index: 2 }, { index: 3 }],
  });
  cut();

  const file = join(world.folder, 'certificate.json');
  expect((await world.coterie('certificate', 'export', '--as', '2', '--output', file)).status).toBe(0);
  const imported = await world.coterie('certificate', 'import', file);
  expect(imported).toMatchObject({ status: 0, stderr: 'handed to operator1\n' });
  expect(imported.stdout).toMatch(/announced by +operator 2 \(operator2\)/);
  await expect.poll(async () => (await seen('1')).stage, { timeout: 10_000 }).toBe('Succeeded');
  expect((await seen('1')).outcome?.keyId).toBe((await seen('2')).outcome?.keyId);
  expect((await world.coterie('address', '--require', '3')).status).toBe(0);
});
