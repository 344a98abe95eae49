/** SEC-02 for whatever shows the state of an operator: every view of a whole run is searched for every secret that was ever stored in it. */
import { expect, test } from 'vitest';
import type { SecretKind } from '../../lib/vault/vault.ts';
import { shownRow } from '../../lib/view/reader.ts';
import { NodeWorld } from '../node/world.ts';
import { ceremonySeenBy, committeeSeenBy } from './rows.ts';

interface Wrapped {
  readonly operator: number;
  readonly kind: SecretKind;
  readonly id: string;
  readonly name: string;
  readonly blob: Uint8Array;
}

test('SEC-02 no view of a key generation and a signing, at any moment of them, holds a secret, wrapped or not', async () => {
  const world = new NodeWorld();
  const wrapped: Wrapped[] = [];
  world.cloud.intercept(({ namespace, when, operation, args }) => {
    if (when !== 'before' || (operation !== 'transact' && operation !== 'write')) return;
    const [identity = '', role = ''] = namespace.split('/');
    for (const write of operation === 'transact' ? args[0] : [args[0]]) {
      if (write.kind !== 'put' || role !== world.coin) continue;
      const { blob, dataKey, pk, sk } = write.item;
      const operator = Number(identity.replace('operator', ''));
      const kind: SecretKind = write.table === 'Nonces' ? 'ceremony' : pk === 'OWN' ? 'own' : 'key';
      const id = kind === 'own' ? 'own' : pk.slice(2);
      if (blob instanceof Uint8Array) wrapped.push({ operator, kind, id, name: sk, blob: new Uint8Array(blob) });
      if (dataKey instanceof Uint8Array)
        wrapped.push({ operator, kind: 'ceremony', id, name: 'DATAKEY', blob: dataKey });
    }
  });
  const shown: string[] = [];
  const look = async () => {
    for (const operator of world.operators) {
      shown.push(JSON.stringify(await committeeSeenBy(world, operator)));
      for (const { ceremony } of world.states(operator))
        shown.push(JSON.stringify(await ceremonySeenBy(world, operator, ceremony)));
      // What the door lets out of every table that it names.
      for (const table of ['Ceremonies', 'Keys', 'Directory'] as const)
        shown.push(JSON.stringify(world.items(operator, table).map(shownRow)));
    }
  };
  await world.committee.assemble();
  for (let commits = 0; world.keygen(1)?.stage !== 'Succeeded' && commits < 40; commits++) {
    let sent = 0;
    await world.cloud.run({ stopWhen: () => ++sent > 30 });
    if (world.states(1).length > 0) await look();
  }
  await world.run();
  await world.instruct(world.sign());
  for (let i = 0; i < 6; i++) {
    let sent = 0;
    await world.cloud.run({ stopWhen: () => ++sent > 8 });
    await look();
  }
  await world.run();
  await look();
  expect(world.signing(1)?.stage).toBe('Succeeded');

  const all = shown.join('\n');
  const found: string[] = [];
  for (const { operator, kind, id, name, blob } of wrapped) {
    if (contains(all, blob)) found.push(`wrapped ${kind} ${name} of ${operator}`);
    if (name === 'DATAKEY') continue;
    const { bytes } = await world.vault(operator).unwrap({ kind, id }, name, blob);
    // Public commitments end a nonce's row, and a length begins a polynomial's: every window of 32 bytes that is secret is looked for.
    const secret = name.startsWith('NONCE')
      ? bytes.subarray(0, 64)
      : name === 'POLYNOMIAL'
        ? bytes.subarray(4, 4 + 64)
        : bytes;
    for (let at = 0; at + 32 <= secret.length; at += 32)
      if (contains(all, secret.slice(at, at + 32))) found.push(`${kind} ${name} of ${operator}`);
  }
  expect(new Set(wrapped.map(({ name }) => name.replace(/#.*/, '')))).toEqual(
    new Set(['MESSAGING', 'SIGNATURE', 'POLYNOMIAL', 'SEALKEY', 'SHARE', 'NONCE', 'DATAKEY']),
  );
  expect(found).toEqual([]);
  // The search finds what is there.
  const state = world.keygen(1);
  const key = state?.stage === 'Succeeded' && 'outputKey' in state.content ? state.content.outputKey : '0x';
  expect(contains(all, new Uint8Array(Buffer.from(key.slice(2), 'hex')))).toBe(true);
});

function contains(all: string, bytes: Uint8Array): boolean {
  const buffer = Buffer.from(bytes);
  return [
    buffer.toString('hex'),
    buffer.toString('base64').replace(/=+$/, '').slice(0, -2),
    JSON.stringify([...bytes]).slice(1, -1),
  ].some((form) => all.includes(form));
}

test('SEC-02 a row that is shown has lost everything that is stored as bytes', () => {
  const row = {
    pk: 'C#0x',
    sk: 'STATE',
    dataKey: new Uint8Array(40),
    list: [new Uint8Array(1)],
    text: 'a',
    members: new Set([1]),
  };
  expect(shownRow(row)).toEqual({ pk: 'C#0x', sk: 'STATE', text: 'a', members: new Set([1]) });
});
