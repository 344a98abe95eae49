/** The operator's own hands on what is deployed: its tables to read, its queues to send to. */

import { SqsBus } from '../aws/bus.ts';
import { dynamoClient, sqsClients } from '../aws/clients.ts';
import { queueResolver } from '../aws/queues.ts';
import { DynamoStore } from '../aws/store.ts';
import type { OperatorFile } from '../messages/operator.ts';
import type { MessageBus, Store } from '../ports.ts';
import { tableName } from './deploy-names.ts';

export interface Access {
  /** An emulator's; absent: AWS itself. */
  readonly endpoint: string | undefined;
  /** Absent: those that the SDK finds. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** The directory of one role: a coin's, or `coordinator`'s. */
export function directoryOf(
  { identity, region }: OperatorFile,
  access: Access,
): (segment: string) => Pick<Store, 'get'> {
  const client = dynamoClient({ region, ...access });
  return (segment) => new DynamoStore(client, { Directory: tableName(identity, segment, 'Directory') });
}

/** Sends to the operator's own queues only. */
export function busOf({ identity, account, region }: OperatorFile, { endpoint, credentials }: Access): MessageBus {
  return new SqsBus({
    client: sqsClients({ endpoint, ...(credentials ? { credentials } : {}) }),
    resolve: queueResolver(identity, { account, region }, async () => undefined),
    ...(endpoint === undefined ? {} : { endpoint }),
  });
}
