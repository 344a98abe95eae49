/** What one key and one signature cost an embedded committee: every call that its roles make, counted as the services would bill it. */
import type { LocalCloud } from '../../lib/local/cloud.ts';
import { LocalCommittee } from '../../lib/local/committee.ts';
import { itemBytes } from '../../lib/local/limits.ts';
import { LocalStore } from '../../lib/local/store.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import type { Item, Write } from '../../lib/ports.ts';

export interface Counted {
  messages: number;
  kmsCalls: number;
  writeUnits: number;
  readUnits: number;
}

const none = (): Counted => ({ messages: 0, kmsCalls: 0, writeUnits: 0, readUnits: 0 });
const units = (bytes: number, unit: number) => Math.max(1, Math.ceil(bytes / unit));

export interface Counting {
  /** What was counted since the last time. */
  taken(): Counted;
  end(): void;
}

/** Counts every call of a cloud's roles, until it is ended. */
export function counting(cloud: LocalCloud): Counting {
  let counted = none();
  const read = (item: Item | undefined) => {
    counted.readUnits += units(item ? itemBytes(item) : 0, 4_096);
  };
  const written = (write: Write, factor: number) => {
    counted.writeUnits += factor * units(write.kind === 'put' ? itemBytes(write.item) : 0, 1_024);
  };
  cloud.inspect.onSend(() => counted.messages++);
  cloud.intercept((call) => {
    if (call.when !== 'before') return;
    if (call.port === 'wrapper') counted.kmsCalls++;
    if (call.operation === 'write') written(call.args[0], 1);
    if (call.operation === 'transact') for (const write of call.args[0]) written(write, 2);
    if (call.operation === 'addToSet') counted.writeUnits++;
  });
  const end = patched(read, (items) => {
    // A query is billed for all that it read together, a batch of keys for each.
    counted.readUnits += units(
      items.reduce((sum, item) => sum + itemBytes(item), 0),
      4_096,
    );
  });
  return {
    taken: () => {
      const before = counted;
      counted = none();
      return before;
    },
    end,
  };
}

/** @returns for all operators together */
export async function countCeremonies(
  operators: number,
  threshold: number,
): Promise<{ readonly keygen: Counted; readonly signing: Counted }> {
  let counter: Counting | undefined;
  try {
    const committee = new LocalCommittee({
      operators,
      threshold,
      coins: ['btc'],
      genesis: false,
      cloud: { seed: new Uint8Array(32).fill(5), clock: 'virtual' },
    });
    const { cloud } = committee;
    counter = counting(cloud);
    let keyId: Hex | undefined;
    const done = { keygen: 0, signing: 0 };
    committee.onOutcome((event) => {
      if ('KeygenOutcome' in event) {
        keyId = event.KeygenOutcome.keyId ?? keyId;
        done.keygen++;
      }
      if ('SigningOutcome' in event) done.signing++;
    });
    await committee.assemble();
    await cloud.run();
    counter.taken();
    const expiresAt = committee.now() + 600;
    const signers = Array.from({ length: operators }, (_, i) => i + 1);
    const requestId = toHex(new Uint8Array(16).fill(1));
    const suite = 'FROST-secp256k1-SHA256-TR-v1';
    await committee.instruct('btc', { KeyGen: { coin: 'btc', suite, t: threshold, signers, requestId, expiresAt } });
    await cloud.run({ stopWhen: () => done.keygen === operators });
    await cloud.run({ until: cloud.now + 1 });
    const keygen = counter.taken();
    if (!keyId) throw new Error('no key was made');
    const messages = [toHex(new Uint8Array(32).fill(9))];
    await committee.instruct('btc', { Sign: { keyId, messages, purpose: 'count', requestId, expiresAt } });
    await cloud.run({ stopWhen: () => done.signing === operators });
    await cloud.run({ until: cloud.now + 1 });
    return { keygen, signing: counter.taken() };
  } finally {
    counter?.end();
  }
}

/** Sees what the stores answer; a hook sees only what they are asked. */
function patched(one: (item: Item | undefined) => void, many: (items: readonly Item[]) => void): () => void {
  const { get, query, batchGet } = LocalStore.prototype;
  LocalStore.prototype.get = async function (table, key) {
    const item = await get.call(this, table, key);
    one(item);
    return item;
  };
  LocalStore.prototype.query = async function (table, pk, prefix) {
    const items = await query.call(this, table, pk, prefix);
    many(items);
    return items;
  };
  LocalStore.prototype.batchGet = async function (table, keys) {
    const items = await batchGet.call(this, table, keys);
    for (const item of items) one(item);
    return items;
  };
  return () => Object.assign(LocalStore.prototype, { get, query, batchGet });
}
