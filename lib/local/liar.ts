/**
 * An operator that lies, for demonstrations: it computes with other secrets than those that it committed to, and signs what comes out. It reads nothing but its own tables, and its lie is
 * signed like everything that it says: whoever receives it can show it around.
 */
import { readOwnScalar, type Suite } from '../frost/suite.ts';
import type { StatementType } from '../messages/statement.ts';
import { type Item, type Ports, storeWith, type Table } from '../ports.ts';
import { dataKeyOf, type Subject, Vault } from '../vault/vault.ts';

/** What it can lie in. */
export const LIES = ['EncryptedKeyShare', 'SignatureShare'] as const satisfies readonly StatementType[];
export type Lie = (typeof LIES)[number];

export interface Liar {
  readonly operator: number;
  readonly in: Lie;
}

/** Where the secret lies of which the lie is made. */
const SECRET: Readonly<Record<Lie, { readonly table: Table; readonly sk: string; readonly kind: Subject['kind'] }>> = {
  EncryptedKeyShare: { table: 'Nonces', sk: 'POLYNOMIAL', kind: 'ceremony' },
  SignatureShare: { table: 'Keys', sk: 'SHARE', kind: 'key' },
};
/** `C#` or `K#`. */
const PARTITION_PREFIX = 2;
/** Bytes of the length before the coefficients. */
const LENGTH = 4;
const SCALAR = 32;

/** The ports of a processor that lies. @param coin the processor's, whose suite is `suite` */
export function lyingPorts(ports: Ports, suite: Suite, identity: string, coin: string, liar: Liar): Ports {
  const vault = new Vault(ports, identity, coin);
  const { table, sk, kind } = SECRET[liar.in];
  const bent = async (from: Table, item: Item): Promise<Item> => {
    const { blob } = item;
    if (from !== table || item.sk !== sk || !(blob instanceof Uint8Array)) return item;
    const subject: Subject = { kind, id: item.pk.slice(PARTITION_PREFIX) };
    const secret = await vault.unwrap(subject, sk, blob);
    const other =
      liar.in === 'SignatureShare' ? plusOne(suite, secret.bytes) : turned(suite, secret.bytes, liar.operator);
    return { ...item, blob: await vault.wrap(subject, dataKeyOf(blob), sk, other) };
  };
  const { store } = ports;
  return {
    ...ports,
    store: storeWith(store, {
      get: async (from, key) => {
        const item = await store.get(from, key);
        return item && bent(from, item);
      },
      batchGet: async (from, keys) => Promise.all((await store.batchGet(from, keys)).map((item) => bent(from, item))),
    }),
  };
}

function plusOne(suite: Suite, share: Uint8Array): Uint8Array {
  const { Fn } = suite;
  return Fn.toBytes(Fn.add(readOwnScalar(suite, share, 'share'), Fn.ONE));
}

/** f(x) + x − self: right for itself alone, so that it finds nothing wrong and plays on. */
function turned(suite: Suite, row: Uint8Array, self: number): Uint8Array {
  const { Fn } = suite;
  const turn = [Fn.create(-BigInt(self)), Fn.ONE];
  const other = new Uint8Array(row);
  for (const [k, difference] of turn.entries()) {
    const coefficient = other.subarray(LENGTH + k * SCALAR, LENGTH + (k + 1) * SCALAR);
    coefficient.set(Fn.toBytes(Fn.add(readOwnScalar(suite, coefficient, 'coefficient'), difference)));
  }
  return other;
}
