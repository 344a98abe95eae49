/**
 * What each function may touch, beside the catalogue that says who may send what: the smallest set with which its message can be handled. The templates are
 * made from this list, and a test compares them with it.
 */
import type { MessageName } from '../lib/messages/catalogue.ts';
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

/** Where a function sends: a message's own queue, every peer's inbox, or the client's queue of outcomes. */
export type Destination = ReceivedMessage | 'peers' | 'outcome';

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
  CommitteeAccepted: all(ANNOUNCE, { tables: { Directory: ['PutItem'] }, keys: [], sends: [] }),
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
    ],
  }),
  PublicAddressAvailable: { tables: { Directory: ['PutItem'] }, keys: [], sends: [] },
  Wake: ANNOUNCE,
  Outbound: ANNOUNCE,
};

const PROCESSOR: Partial<Record<ReceivedMessage, Rights>> = {
  Start: all(MAKE_OWN_KEYS, INTRODUCE, { tables: {}, keys: [], sends: ['ProcessorPublicKey'] }),
  CommitteeAccepted: all(INTRODUCE, MEET),
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

/** @throws if a message of the role has no entry: a function without rights is a mistake, not a default */
export function rightsOf(role: DeployedRole, message: ReceivedMessage): Rights {
  const rights = (role === 'coordinator' ? COORDINATOR : PROCESSOR)[message];
  if (!rights) throw new Error(`${message} has no rights as a message of the ${role}: add them to the list`);
  return rights;
}

/** Messages that `role` sends to queues of the catalogue; what it may send and what the catalogue says must agree. */
export function sentBy(role: DeployedRole): ReadonlySet<MessageName | 'Outbound'> {
  const lists = Object.values(role === 'coordinator' ? COORDINATOR : PROCESSOR);
  const sent = lists.flatMap(({ sends }) => sends).filter((each) => each !== 'peers' && each !== 'outcome');
  return new Set(sent);
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
