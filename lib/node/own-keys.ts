/** A role's own long-lived keys: made write-once on the first `Start`, wrapped, and read back for ever after (source 002, step 1). */
import { ed25519 } from '@noble/curves/ed25519.js';
import { type Hex, toHex } from '../messages/hex.ts';
import { signProcessorKey } from '../messages/processor-key.ts';
import type { Item, Write } from '../ports.ts';
import { Secret } from '../vault/secret.ts';
import type { Subject } from '../vault/vault.ts';
import type { Coordinator, Node, Processor } from './node.ts';
import { OWN_KEYS, ownSecretKey } from './rows.ts';

const OWN: Subject = { kind: 'own', id: 'own' };
const KEY_BYTES = 32;

export interface ProcessorKeys {
  /** X25519. */
  readonly messagingKey: Hex;
  /** Ed25519. */
  readonly signatureKey: Hex;
  readonly generation: number;
  /** By the signature key, over identity, coin, messaging key and generation. */
  readonly signature: Hex;
}

/** Makes a processor's messaging and signature keys if there are none, and returns the public halves of those that are there. */
export async function processorKeys(node: Processor): Promise<ProcessorKeys> {
  const known = await node.ports.store.get('Directory', OWN_KEYS);
  if (known) return decodeKeys(known);
  const messaging = new Secret(node.random(KEY_BYTES));
  const signing = new Secret(node.random(KEY_BYTES));
  try {
    const generation = 1;
    const messagingKey = await node.sealer.publicKeyOf(messaging.bytes);
    const { identity, coin } = node.config;
    const keys: ProcessorKeys = {
      messagingKey,
      signatureKey: toHex(ed25519.getPublicKey(signing.bytes)),
      generation,
      signature: signProcessorKey({ identity, coin, pubkey: messagingKey, generation }, signing.bytes),
    };
    await writeOnce(node, { MESSAGING: messaging, SIGNATURE: signing }, { ...keys });
  } finally {
    messaging.wipe();
    signing.wipe();
  }
  return decodeKeys(await madeKeys(node));
}

/** Makes a coordinator's messaging key if there is none, and returns its public half. */
export async function coordinatorKey(node: Coordinator): Promise<Hex> {
  const known = await node.ports.store.get('Directory', OWN_KEYS);
  if (known) return known['messagingKey'] as Hex;
  const messaging = new Secret(node.random(KEY_BYTES));
  try {
    await writeOnce(node, { MESSAGING: messaging }, { messagingKey: await node.sealer.publicKeyOf(messaging.bytes) });
  } finally {
    messaging.wipe();
  }
  return (await madeKeys(node))['messagingKey'] as Hex;
}

/** @throws where the secrets are there and their public halves are not: a restored `Directory`, which no new keys may paper over */
async function madeKeys(node: Node): Promise<Item> {
  const made = await node.ports.store.get('Directory', OWN_KEYS);
  if (!made) throw new Error('the own keys are stored and their public halves are not: restore the Directory table');
  return made;
}

/** Opens one of the own secrets; the caller wipes it. @throws if `Start` has not made it */
export async function openOwn(node: Node, name: 'MESSAGING' | 'SIGNATURE'): Promise<Secret> {
  const row = await node.ports.store.get('Keys', ownSecretKey(name));
  const blob = row?.['blob'];
  if (!(blob instanceof Uint8Array)) throw new Error(`there is no own ${name.toLowerCase()} key yet: send Start`);
  return node.vault.unwrap(OWN, name, blob);
}

async function writeOnce(
  node: Node,
  secrets: Partial<Record<'MESSAGING' | 'SIGNATURE', Secret>>,
  publicHalf: Record<string, string | number>,
): Promise<void> {
  const dataKey = await node.vault.newDataKey(OWN);
  const writes: Write[] = [
    { kind: 'put', table: 'Directory', item: { ...OWN_KEYS, ...publicHalf }, condition: { kind: 'absent' } },
  ];
  for (const [name, secret] of Object.entries(secrets) as ['MESSAGING' | 'SIGNATURE', Secret][]) {
    const blob = await node.vault.wrap(OWN, dataKey, name, secret.bytes);
    writes.push({ kind: 'put', table: 'Keys', item: { ...ownSecretKey(name), blob }, condition: { kind: 'absent' } });
  }
  // Whether this one or a concurrent `Start` won, the caller reads back what is there.
  await node.ports.store.transact(writes, toHex(node.random(16)).slice(2));
}

function decodeKeys(row: Item): ProcessorKeys {
  return {
    messagingKey: row['messagingKey'] as Hex,
    signatureKey: row['signatureKey'] as Hex,
    generation: row['generation'] as number,
    signature: row['signature'] as Hex,
  };
}
