/**
 * SDK clients. One attempt at each request: what may be repeated is decided by the adapters (`retry.ts`), which know what a repetition does. An answer that is
 * late is an error, not a warning, or a handler would wait for its own time-out.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { SQSClient } from '@aws-sdk/client-sqs';

export interface Place {
  readonly region: string;
  /** An emulator's; absent: AWS itself. */
  readonly endpoint?: string | undefined;
  /** Tools only; a function takes its role's. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

function configuration({ region, endpoint, credentials }: Place) {
  return {
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 8_000, throwOnRequestTimeout: true },
  };
}

export function dynamoClient(place: Place): DynamoDBClient {
  return new DynamoDBClient(configuration(place));
}

export function kmsClient(place: Place): KMSClient {
  return new KMSClient(configuration(place));
}

/** One client for each region that is asked for: requests are signed for a region, and a peer's inbox may lie in another. */
export function sqsClients(place: Omit<Place, 'region'>): (region: string) => SQSClient {
  const clients = new Map<string, SQSClient>();
  return (region) => {
    const client = clients.get(region) ?? new SQSClient(configuration({ ...place, region }));
    clients.set(region, client);
    return client;
  };
}
