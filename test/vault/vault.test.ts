import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { LocalCloud } from '../../lib/local/cloud.ts';
import { type EncryptionContext, type Ports, WrongContext } from '../../lib/ports.ts';
import { Secret } from '../../lib/vault/secret.ts';
import { type Subject, Vault } from '../../lib/vault/vault.ts';

const A: Subject = { kind: 'ceremony', id: '0xaa' };
const B: Subject = { kind: 'ceremony', id: '0xbb' };
const PLAIN = new Uint8Array(32).fill(7);

function portsOf(cloud: LocalCloud, seen: EncryptionContext[] = []): Ports {
  const wrapper = cloud.wrapper('one/btc');
  return {
    bus: cloud.bus(),
    store: cloud.store('one/btc'),
    wrapper: {
      generateDataKey: (lifecycle, context) => {
        seen.push(context);
        return wrapper.generateDataKey(lifecycle, context);
      },
      decrypt: (lifecycle, wrapped, context) => wrapper.decrypt(lifecycle, wrapped, context),
    },
    clock: cloud.clock(),
    random: cloud.random('one'),
    telemetry: { record: () => {} },
  };
}

async function wrapped(): Promise<{ cloud: LocalCloud; vault: Vault; blob: Uint8Array }> {
  const cloud = new LocalCloud({ seed: new Uint8Array(32).fill(3), clock: 'virtual' });
  const vault = new Vault(portsOf(cloud), 'one', 'btc');
  const blob = await vault.wrap(A, await vault.newDataKey(A), 'POLYNOMIAL', PLAIN);
  return { cloud, vault, blob };
}

/** As another invocation would: nothing is cached. */
const fresh = (cloud: LocalCloud, identity = 'one', coin = 'btc'): Vault => new Vault(portsOf(cloud), identity, coin);

describe('SEC-03: what is wrapped opens', () => {
  test('as what it is, in any later invocation', async () => {
    const { cloud, blob } = await wrapped();
    expect((await fresh(cloud).unwrap(A, 'POLYNOMIAL', blob)).bytes).toEqual(PLAIN);
  });

  test('as no other row of its ceremony', async () => {
    const { cloud, vault, blob } = await wrapped();
    for (const each of [vault, fresh(cloud)])
      await expect(each.unwrap(A, 'SEALKEY', blob)).rejects.toBeInstanceOf(WrongContext);
  });

  test('in no other ceremony, and not as a key', async () => {
    const { cloud, vault, blob } = await wrapped();
    for (const each of [vault, fresh(cloud)]) {
      await expect(each.unwrap(B, 'POLYNOMIAL', blob)).rejects.toBeInstanceOf(WrongContext);
      await expect(each.unwrap({ kind: 'key', id: A.id }, 'POLYNOMIAL', blob)).rejects.toBeInstanceOf(WrongContext);
    }
  });

  test('for no other operator or coin', async () => {
    const { cloud, blob } = await wrapped();
    await expect(fresh(cloud, 'two').unwrap(A, 'POLYNOMIAL', blob)).rejects.toBeInstanceOf(WrongContext);
    await expect(fresh(cloud, 'one', 'sol').unwrap(A, 'POLYNOMIAL', blob)).rejects.toBeInstanceOf(WrongContext);
  });

  test('NON-03: in no table that took the place of its own', async () => {
    const { cloud, blob } = await wrapped();
    cloud.restoreTable('one/btc', cloud.snapshotTable('one/btc', 'Nonces'));
    await expect(fresh(cloud).unwrap(A, 'POLYNOMIAL', blob)).rejects.toBeInstanceOf(WrongContext);
  });

  test('not after any byte has changed, nor cut short', async () => {
    const { cloud, blob } = await wrapped();
    for (let at = 0; at < blob.length; at += 5) {
      const changed = blob.slice();
      changed[at] = (changed[at] as number) ^ 1;
      await expect(fresh(cloud).unwrap(A, 'POLYNOMIAL', changed), `byte ${at}`).rejects.toBeInstanceOf(WrongContext);
    }
    for (const length of [0, 1, 3, blob.length - 55, blob.length - 32, blob.length - 1]) {
      const cut = blob.slice(0, length);
      await expect(fresh(cloud).unwrap(A, 'POLYNOMIAL', cut), `${length} bytes`).rejects.toBeInstanceOf(WrongContext);
    }
  });

  test('not as another version', async () => {
    const { cloud, blob } = await wrapped();
    const next = blob.slice();
    next[0] = 2;
    await expect(fresh(cloud).unwrap(A, 'POLYNOMIAL', next)).rejects.toThrow('version 1, got 2');
  });
});

test('a data key is bound to operator, coin, kind, subject and table', async () => {
  const cloud = new LocalCloud({ seed: new Uint8Array(32).fill(3), clock: 'virtual' });
  const seen: EncryptionContext[] = [];
  await new Vault(portsOf(cloud, seen), 'one', 'btc').newDataKey(A);
  const table = await cloud.store('one/btc').tableId('Nonces');
  expect(seen).toEqual([{ identity: 'one', coin: 'btc', kind: 'ceremony', subject: '0xaa', table }]);
});

test('a wiped vault holds no data key', async () => {
  const cloud = new LocalCloud({ seed: new Uint8Array(32).fill(3), clock: 'virtual' });
  const plain: Uint8Array[] = [];
  const ports = portsOf(cloud);
  const wrapper = cloud.wrapper('one/btc');
  const vault = new Vault(
    {
      ...ports,
      wrapper: {
        ...ports.wrapper,
        generateDataKey: async (lifecycle, context) => {
          const key = await wrapper.generateDataKey(lifecycle, context);
          plain.push(key.plaintext);
          return key;
        },
      },
    },
    'one',
    'btc',
  );
  await vault.newDataKey(A);
  expect(plain[0]?.some((byte) => byte !== 0)).toBe(true);
  vault.wipe();
  expect(plain[0]).toEqual(new Uint8Array(32));
});

describe('SEC-02: a secret', () => {
  const secret = new Secret(Uint8Array.from({ length: 32 }, (_, i) => i + 100));

  test('is not serialised, nor made text or a number', () => {
    expect(() => JSON.stringify({ secret })).toThrow('must not be serialised');
    expect(() => String(secret)).toThrow('must not be converted');
    expect(() => secret.toString()).toThrow('must not be converted to a string');
    expect(() => `${secret as unknown as string}`).toThrow('must not be converted');
    expect(() => Number(secret)).toThrow('must not be converted to a primitive');
  });

  test('is shown by no inspector', () => {
    expect(inspect({ secret })).toBe('{ secret: Secret(redacted) }');
  });

  test('is zeros once it is wiped, in the array that was given', () => {
    const bytes = new Uint8Array(32).fill(9);
    new Secret(bytes).wipe();
    expect(bytes).toEqual(new Uint8Array(32));
  });
});
