/** Reading a ceremony back from its rows: state, statements, secrets, evidence. */
import type { BySender, Inputs, SecretName, Wanted } from '../ceremony.ts';
import type { KeygenState } from '../keygen/state.ts';
import { parseBody } from '../messages/catalogue.ts';
import type { Evidence } from '../messages/evidence.ts';
import type { Hex } from '../messages/hex.ts';
import type { CeremonyParameters } from '../messages/parameters.ts';
import { openSealed } from '../messages/sealing.ts';
import { partitionOf, type SealedStatement, type Statement, type StatementType } from '../messages/statement.ts';
import type { Item } from '../ports.ts';
import type { SigningState } from '../signing/state.ts';
import type { Secret } from '../vault/secret.ts';
import { evidenceIn } from './evidence-row.ts';
import type { Node, Processor } from './node.ts';
import { openOwn } from './own-keys.ts';
import { ceremonyPartition, inboundPartition, requestKey, secretKey, stateKey } from './rows.ts';
import { together } from './together.ts';

export type CeremonyState = KeygenState | SigningState;

export interface Stored {
  readonly state: CeremonyState;
  readonly version: number;
  /** The wrapped data key under which this ceremony's secrets are stored. */
  readonly dataKey: Uint8Array;
  /** Of the commit that wrote this version: how a node recognises its own write when the answer was lost. */
  readonly token: string;
  readonly wakeAt: number | undefined;
  /** Its last step was refused, by a row that is there already or by the halt switch: it is not a step that may be armed for before it is written. */
  readonly stuck: boolean;
}

export async function loadState(node: Node, ceremony: Hex): Promise<Stored | undefined> {
  const item = await node.ports.store.get('Ceremonies', stateKey(ceremony));
  return item && decodeState(item);
}

export function decodeState(item: Item): Stored {
  const { state, version, dataKey, token, wakeAt, stuck } = item;
  if (
    typeof state !== 'string' ||
    typeof version !== 'number' ||
    typeof token !== 'string' ||
    !(dataKey instanceof Uint8Array)
  ) {
    throw new Error(`the state row of ${item.pk} is not one: expected state, version, token and dataKey`);
  }
  // Written by this node and never by a peer: the shape is the type that was serialised.
  return {
    state: JSON.parse(state) as CeremonyState,
    version,
    dataKey,
    token,
    wakeAt: typeof wakeAt === 'number' ? wakeAt : undefined,
    stuck: stuck === true,
  };
}

/** One recorded statement: the bytes as they came, sealed where they came sealed. */
interface Recorded {
  readonly type: StatementType;
  readonly slot: string;
  readonly from: number;
  readonly body: Statement | SealedStatement;
}

/** What a step sees. Sealed statements are opened here, once for the whole stage, with one key. */
export async function loadInputs(
  node: Processor,
  ceremony: Hex,
  wanted: readonly Wanted[],
  secrets: SecretsOf,
  parameters: CeremonyParameters,
): Promise<Inputs> {
  const pages = await together(wanted.map((want) => recorded(node, ceremony, want)));
  const opened = new Map<StatementType, Map<string, Map<number, Statement>>>();
  const undecryptable = new Set<number>();
  const records = pages.flat();
  const statements = await together(records.map((record) => open(node, record, secrets)));
  for (const [position, record] of records.entries()) {
    const statement = statements[position];
    if (!statement) {
      undecryptable.add(record.from);
      continue;
    }
    const slots = opened.get(record.type) ?? new Map<string, Map<number, Statement>>();
    const said = slots.get(record.slot) ?? new Map<number, Statement>();
    said.set(record.from, statement);
    slots.set(record.slot, said);
    opened.set(record.type, slots);
  }
  const nobody: BySender = new Map();
  return {
    said: (type, slot) => opened.get(type)?.get(slot) ?? nobody,
    slots: (type) => [...(opened.get(type)?.keys() ?? [])],
    undecryptable,
    ownLoaded: wanted.some(({ own }) => own === true),
    evidence: await loadEvidence(node, ceremony),
    mismatch: await otherParameters(node, ceremony, parameters),
  };
}

async function recorded(node: Processor, ceremony: Hex, { type, slotPrefix, own }: Wanted): Promise<Recorded[]> {
  if (own) return (await ownSaid(node, ceremony, type)).filter(({ slot }) => `${slot}#`.startsWith(slotPrefix));
  const items = await node.ports.store.query('Ceremonies', inboundPartition(ceremony, type), `IN#${slotPrefix}`);
  return items.map((item) => decodeRecord(type, item));
}

/** The outbox holds the very bytes that left. */
async function ownSaid(node: Processor, ceremony: Hex, type: StatementType): Promise<Recorded[]> {
  const rows = await node.ports.store.query('Ceremonies', ceremonyPartition(ceremony), `OUT#${type}#`);
  return rows.flatMap((row) =>
    (row['bodies'] as readonly string[]).flatMap((text): Recorded[] => {
      const parsed = parseBody(text);
      if (!parsed.ok || parsed.name !== `${type}Out`) return [];
      const body = parsed.payload as Statement | SealedStatement;
      return [{ type, slot: body.slot, from: body.from, body }];
    }),
  );
}

export function decodeRecord(type: StatementType, item: Item): Recorded {
  const [, slot, from] = item.sk.split('#');
  const { body } = item;
  if (slot === undefined || from === undefined || typeof body !== 'string')
    throw new Error(`the row ${item.sk} is not an inbound statement`);
  return { type, slot, from: Number(from), body: JSON.parse(body) as Statement | SealedStatement };
}

/** Own statements are recorded as said; peers' of the encrypted partition as sealed. */
async function open(node: Processor, { type, body }: Recorded, secrets: SecretsOf): Promise<Statement | undefined> {
  if (!('ciphertext' in body)) return body;
  const key = await secrets.opening(type);
  const committee = await node.committee();
  if (!key || !committee) return undefined;
  const result = await openSealed(body, key.bytes, node.sealer, committee.signatureKey(body.coin, body.from));
  if (!result.ok) node.log('Undecryptable', { type, from: body.from, reason: result.reason });
  return result.ok ? result.statement : undefined;
}

async function loadEvidence(node: Processor, ceremony: Hex): Promise<Evidence[]> {
  const rows = await node.ports.store.query('Ceremonies', ceremonyPartition(ceremony), 'EVIDENCE#');
  return rows.flatMap((row) => {
    const evidence = evidenceIn(row['evidence']);
    return evidence ? [evidence] : [];
  });
}

/** True if a participant named this request id with other parameters: both are told, nobody is blamed. Who is not in the ceremony cannot end it. */
async function otherParameters(
  node: Processor,
  ceremony: Hex,
  { kind, requestId, signers }: CeremonyParameters,
): Promise<boolean> {
  const rows = await node.ports.store.query('Ceremonies', requestKey(kind, requestId).pk, 'ASKED#');
  return rows.some((row) => row['ceremony'] !== ceremony && signers.includes(Number(row.sk.slice('ASKED#'.length))));
}

/** The secrets that one invocation opened, each once, wiped together. */
export class SecretsOf {
  readonly #node: Processor;
  readonly #ceremony: Hex;
  readonly #rows = new Map<SecretName, Secret>();
  readonly #own = new Map<'MESSAGING' | 'SIGNATURE', Promise<Secret>>();
  #sealingKey: Promise<Secret | undefined> | undefined;

  constructor(node: Processor, ceremony: Hex) {
    this.#node = node;
    this.#ceremony = ceremony;
  }

  /** The rows that exist and can be opened: one of another table's life is as good as gone. */
  async rows(names: readonly SecretName[]): Promise<ReadonlyMap<SecretName, Secret>> {
    const { store } = this.#node.ports;
    const missing = names.filter((name) => !this.#rows.has(name));
    const items =
      missing.length === 0
        ? []
        : await store.batchGet(
            'Nonces',
            missing.map((name) => secretKey(this.#ceremony, name)),
          );
    for (const item of items) {
      const name = item.sk as SecretName;
      try {
        this.#rows.set(
          name,
          await this.#node.vault.unwrap({ kind: 'ceremony', id: this.#ceremony }, name, item['blob'] as Uint8Array),
        );
      } catch (error) {
        if (!(error instanceof Error && 'kind' in error && error.kind === 'WrongContext')) throw error;
        this.#node.log('SecretUnreadable', { name });
      }
    }
    return this.#rows;
  }

  /** Drops what was read, so that the next step reads rows that this one wrote. */
  forget(): void {
    for (const secret of this.#rows.values()) secret.wipe();
    this.#rows.clear();
    this.#sealingKey = undefined;
  }

  /** Opened once, however many ask at the same time. */
  own(name: 'MESSAGING' | 'SIGNATURE'): Promise<Secret> {
    const known = this.#own.get(name) ?? openOwn(this.#node, name);
    this.#own.set(name, known);
    return known;
  }

  /** The key that opens a sealed type: the messaging key for the first, the ceremony's own for what follows. */
  async opening(type: StatementType): Promise<Secret | undefined> {
    if (partitionOf(type) === 'general') return undefined;
    if (type === 'EncryptedPublicKey') return this.own('MESSAGING');
    this.#sealingKey ??= this.rows(['SEALKEY']).then((rows) => rows.get('SEALKEY'));
    return this.#sealingKey;
  }

  async wipe(): Promise<void> {
    this.forget();
    const own = await Promise.allSettled(this.#own.values());
    for (const secret of own) if (secret.status === 'fulfilled') secret.value.wipe();
    this.#own.clear();
  }
}
