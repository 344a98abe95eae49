/**
 * What each function may touch, beside the catalogue that says who may send what: the smallest set with which its message can be handled. The templates are
 * made from this list, and a test compares them with it.
 */
import { CATALOGUE, type Entry, type MessageName } from '../lib/messages/catalogue.ts';
import type { OperatorFile } from '../lib/messages/operator.ts';
import type { KeyLifecycle, Table } from '../lib/ports.ts';
import type { SecretKind } from '../lib/vault/vault.ts';
import type { DeployedRole, ReceivedMessage } from './receivers.ts';

/** Actions of DynamoDB, without their prefix. A transaction needs the right of each of its writes. */
export type TableAction =
  | 'GetItem'
  | 'BatchGetItem'
  | 'Query'
  | 'PutItem'
  | 'UpdateItem'
  | 'DeleteItem'
  | 'ConditionCheckItem'
  | 'DescribeTable';

/** Actions of KMS, each for secrets of one kind: the encryption context must say so. */
export interface KeyRight {
  readonly lifecycle: KeyLifecycle;
  readonly action: 'GenerateDataKey' | 'Decrypt';
  readonly kind: SecretKind;
}

/** Where a function sends: a message's own queue, every peer's inbox, the client's queue of outcomes, or the gateways'. */
export type Destination = ReceivedMessage | 'peers' | 'outcome' | 'gateways';

export interface Rights {
  readonly tables: Partial<Record<Table, readonly TableAction[]>>;
  /** Reads the sparse index of open ceremonies. */
  readonly openIndex?: true;
  readonly keys: readonly KeyRight[];
  readonly sends: readonly Destination[];
}

const READ_OWN_KEY: Rights = {
  tables: { Keys: ['GetItem', 'DescribeTable'] },
  keys: [{ lifecycle: 'keys', action: 'Decrypt', kind: 'own' }],
  sends: [],
};

/** Every handler asks the committee file who is who. */
const KNOW: Rights = { tables: { Directory: ['GetItem'] }, keys: [], sends: [] };

/** Makes the own keys on the first start. */
const MAKE_OWN_KEYS: Rights = {
  tables: { Directory: ['GetItem', 'PutItem'], Keys: ['PutItem', 'DescribeTable'] },
  keys: [{ lifecycle: 'keys', action: 'GenerateDataKey', kind: 'own' }],
  sends: [],
};

/** Steps, commits and sends for a ceremony of either kind. */
const CEREMONY: Rights = all(READ_OWN_KEY, KNOW, {
  tables: {
    Ceremonies: ['GetItem', 'Query', 'PutItem', 'UpdateItem'],
    Nonces: ['BatchGetItem', 'PutItem', 'DeleteItem', 'DescribeTable'],
  },
  keys: [
    { lifecycle: 'ephemeral', action: 'GenerateDataKey', kind: 'ceremony' },
    { lifecycle: 'ephemeral', action: 'Decrypt', kind: 'ceremony' },
  ],
  sends: ['Outbound', 'Wake', 'outcome'],
});

/** May store a new share, and open none. */
const KEYGEN: Rights = all(CEREMONY, {
  tables: { Keys: ['PutItem'] },
  keys: [{ lifecycle: 'keys', action: 'GenerateDataKey', kind: 'key' }],
  sends: ['PublicAddressAvailable'],
});

/** May open a share, and store none; the halt switch and the policy are checked in the transaction that releases. */
const SIGNING: Rights = all(CEREMONY, {
  tables: { Keys: ['ConditionCheckItem'] },
  keys: [{ lifecycle: 'keys', action: 'Decrypt', kind: 'key' }],
  sends: [],
});

/** `SignerReady`, signed and sealed once. */
const INTRODUCE: Rights = all(READ_OWN_KEY, {
  tables: { Directory: ['GetItem', 'PutItem'] },
  keys: [],
  sends: ['SignerReady'],
});

/** What came before the file was accepted is judged, and taken away. */
const JUDGE_EARLY: Rights = { tables: { Directory: ['Query', 'DeleteItem'] }, keys: [], sends: [] };

/** With the last peer's key the committee's genesis begins. */
const MEET: Rights = all(KEYGEN, {
  tables: { Directory: ['GetItem', 'Query', 'PutItem'] },
  keys: [],
  sends: ['outcome'],
});

/** Shows the own processor's key to every peer. */
const ANNOUNCE: Rights = all(KNOW, { tables: {}, keys: [], sends: ['peers'] });

const COORDINATOR: Partial<Record<ReceivedMessage, Rights>> = {
  Start: all(MAKE_OWN_KEYS, { tables: {}, keys: [], sends: ['CoordinatorPublicKey'] }),
  // An early `SignerReady` is opened here.
  CommitteeAccepted: all(ANNOUNCE, JUDGE_EARLY, READ_OWN_KEY, {
    tables: { Directory: ['PutItem'] },
    keys: [],
    sends: [],
  }),
  ProcessorPublicKey: all(ANNOUNCE, { tables: { Directory: ['PutItem'] }, keys: [], sends: [] }),
  SignerReady: all(ANNOUNCE, READ_OWN_KEY, { tables: { Directory: ['PutItem'] }, keys: [], sends: [] }),
  P2PIncoming: all(ANNOUNCE, {
    tables: { Directory: ['PutItem'] },
    keys: [],
    sends: [
      'ExternalPublicKeyIn',
      'EncryptedPublicKeyIn',
      'EncryptedKeyGenCommitmentIn',
      'EncryptedKeyShareIn',
      'KeyGenVerdictIn',
      'KeyGenEvidenceIn',
      'KeyGenCertificateIn',
      'NonceCommitmentIn',
      'SigningPackageIn',
      'SignatureShareIn',
      'SignatureIn',
      'SpentSerialsIn',
      'SpentSerialsRequestIn',
    ],
  }),
  PublicAddressAvailable: { tables: { Directory: ['PutItem'] }, keys: [], sends: [] },
  // Who does not answer is written down.
  Wake: all(ANNOUNCE, { tables: { Directory: ['PutItem'] }, keys: [], sends: [] }),
  Outbound: ANNOUNCE,
};

const PROCESSOR: Partial<Record<ReceivedMessage, Rights>> = {
  Start: all(MAKE_OWN_KEYS, INTRODUCE, { tables: {}, keys: [], sends: ['ProcessorPublicKey'] }),
  CommitteeAccepted: all(INTRODUCE, JUDGE_EARLY, MEET),
  CoordinatorPublicKey: INTRODUCE,
  ExternalPublicKeyIn: MEET,
  MultisigInstruction: all(KEYGEN, SIGNING),
  EncryptedPublicKeyIn: KEYGEN,
  EncryptedKeyGenCommitmentIn: KEYGEN,
  EncryptedKeyShareIn: KEYGEN,
  KeyGenVerdictIn: KEYGEN,
  KeyGenEvidenceIn: KEYGEN,
  KeyGenCertificateIn: KEYGEN,
  NonceCommitmentIn: SIGNING,
  SigningPackageIn: SIGNING,
  SignatureShareIn: SIGNING,
  SignatureIn: SIGNING,
  Wake: all(MEET, SIGNING, { tables: {}, openIndex: true, keys: [], sends: [] }),
  Control: all(KEYGEN, SIGNING, { tables: { Keys: ['PutItem', 'DeleteItem'] }, openIndex: true, keys: [], sends: [] }),
};

/** Sees which tables these are: others than the key began with may have forgotten something. */
const KNOW_TABLES: Rights = {
  tables: { Serials: ['DescribeTable'], Issuance: ['DescribeTable'] },
  keys: [],
  sends: [],
};

/** Which tables the locks of a key are in is written down with its share. */
const MAKE_ASSET_KEY: Rights = all(KEYGEN, KNOW_TABLES);
const MEET_FOR_ASSET: Rights = all(MEET, MAKE_ASSET_KEY);

/** The asset's public key and the switches; no secret. */
const SERVE: Rights = all(KNOW, { tables: { Keys: ['GetItem'], Serials: ['GetItem'] }, keys: [], sends: [] });

/** Says what is spent, signed. */
const GOSSIP: Rights = all(SERVE, READ_OWN_KEY, { tables: {}, keys: [], sends: ['Outbound'] });

/** Locks, and signs votes: may not open the share of the asset's key, nor write into `Keys`. */
const VOTE: Rights = all(SERVE, KNOW_TABLES, READ_OWN_KEY, {
  tables: {
    Serials: ['BatchGetItem', 'PutItem'],
    Issuance: ['GetItem', 'BatchGetItem', 'PutItem'],
  },
  keys: [],
  sends: ['gateways'],
});

/** Spends, and signs outputs and answers. */
const ISSUE: Rights = all(SERVE, READ_OWN_KEY, {
  tables: {
    Keys: ['ConditionCheckItem', 'DescribeTable'],
    Serials: ['BatchGetItem', 'PutItem'],
    Issuance: ['GetItem', 'BatchGetItem', 'PutItem'],
  },
  keys: [{ lifecycle: 'keys', action: 'Decrypt', kind: 'key' }],
  sends: ['gateways', 'outcome'],
});

const SIGNING_SERVICE: Partial<Record<ReceivedMessage, Rights>> = {
  Start: all(MAKE_OWN_KEYS, INTRODUCE, { tables: {}, keys: [], sends: ['ProcessorPublicKey'] }),
  CommitteeAccepted: all(INTRODUCE, JUDGE_EARLY, MEET_FOR_ASSET),
  CoordinatorPublicKey: INTRODUCE,
  ExternalPublicKeyIn: MEET_FOR_ASSET,
  MultisigInstruction: MAKE_ASSET_KEY,
  EncryptedPublicKeyIn: MAKE_ASSET_KEY,
  EncryptedKeyGenCommitmentIn: MAKE_ASSET_KEY,
  EncryptedKeyShareIn: MAKE_ASSET_KEY,
  KeyGenVerdictIn: MAKE_ASSET_KEY,
  KeyGenEvidenceIn: MAKE_ASSET_KEY,
  KeyGenCertificateIn: MAKE_ASSET_KEY,
  Transaction: VOTE,
  TransactionCertificate: ISSUE,
  RecoverIssued: all(SERVE, KNOW_TABLES, READ_OWN_KEY, {
    tables: { Serials: ['BatchGetItem'], Issuance: ['BatchGetItem', 'Query'] },
    keys: [],
    sends: ['gateways'],
  }),
  // How far a peer has told is told of these tables.
  SpentSerialsIn: all(GOSSIP, KNOW_TABLES, {
    tables: { Serials: ['BatchGetItem', 'PutItem'], Issuance: ['GetItem', 'BatchGetItem', 'PutItem'] },
    keys: [],
    sends: [],
  }),
  SpentSerialsRequestIn: all(GOSSIP, {
    tables: { Serials: ['BatchGetItem'], Issuance: ['GetItem', 'BatchGetItem', 'Query', 'PutItem'] },
    keys: [],
    sends: [],
  }),
  Wake: all(MEET_FOR_ASSET, GOSSIP, {
    tables: { Issuance: ['GetItem', 'Query', 'PutItem'] },
    openIndex: true,
    keys: [],
    sends: [],
  }),
  Control: all(MAKE_ASSET_KEY, {
    tables: { Keys: ['PutItem', 'DeleteItem'] },
    openIndex: true,
    keys: [],
    sends: [],
  }),
};

const RIGHTS: Record<DeployedRole, Partial<Record<ReceivedMessage, Rights>>> = {
  coordinator: COORDINATOR,
  processor: PROCESSOR,
  'signing-service': SIGNING_SERVICE,
};

/** Topics of an operator that have a queue for a message: its coins', its assets', or both. */
export function hearersOf(message: ReceivedMessage, { coins, assets }: OperatorFile): readonly string[] {
  if (message === 'Outbound') return [...coins, ...assets];
  const { consumers }: Entry = CATALOGUE[message];
  return [...(consumers.includes('processor') ? coins : []), ...(consumers.includes('signing-service') ? assets : [])];
}

/** @throws if a message of the role has no entry: a function without rights is a mistake, not a default */
export function rightsOf(role: DeployedRole, message: ReceivedMessage): Rights {
  const rights = RIGHTS[role][message];
  if (!rights) throw new Error(`${message} has no rights as a message of the ${role}: add them to the list`);
  return rights;
}

/** Messages that `role` sends to queues of the catalogue; what it may send and what the catalogue says must agree. */
export function sentBy(role: DeployedRole): ReadonlySet<MessageName | 'Outbound'> {
  const sent = Object.values(RIGHTS[role]).flatMap(({ sends }) => sends);
  const elsewhere: ReadonlySet<Destination> = new Set(['peers', 'outcome', 'gateways']);
  return new Set(sent.filter((each): each is ReceivedMessage => !elsewhere.has(each)));
}

/** The union. */
function all(...lists: readonly Rights[]): Rights {
  const tables: Partial<Record<Table, readonly TableAction[]>> = {};
  for (const list of lists) {
    for (const [table, actions] of Object.entries(list.tables) as [Table, readonly TableAction[]][]) {
      tables[table] = [...new Set([...(tables[table] ?? []), ...actions])];
    }
  }
  const keys = new Map(
    lists.flatMap((list) => list.keys).map((key) => [`${key.lifecycle} ${key.action} ${key.kind}`, key]),
  );
  return {
    tables,
    ...(lists.some((list) => list.openIndex) ? { openIndex: true } : {}),
    keys: [...keys.values()],
    sends: [...new Set(lists.flatMap((list) => list.sends))],
  };
}
