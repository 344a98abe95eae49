/** One operator's signing service for one asset: a share of its key, and the list of what was spent. */
import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { Table } from '../lib/ports.ts';
import { Alarms } from './alarms.ts';
import { CommitteeHash } from './committee-hash.ts';
import { signingServiceEnvironment } from './function-environment.ts';
import { WrappingKeys } from './keys.ts';
import { deadLetterQueue, type MessageFunction } from './message-function.ts';
import { addOutcomes, addRole } from './role-functions.ts';
import type { Settings } from './settings.ts';
import { addTable } from './tables.ts';

const TABLES: readonly Table[] = ['Ceremonies', 'Nonces', 'Keys', 'Directory', 'Serials', 'Issuance'];

export class SigningServiceStack extends Stack {
  constructor(scope: Construct, id: string, settings: Settings, asset: string, props: StackProps = {}) {
    super(scope, id, props);
    const { identity } = settings.operator;
    const deadLetters = deadLetterQueue(this, settings);
    const keys = new WrappingKeys(this, 'WrappingKeys', { identity, segment: asset, stage: settings.stage });
    const tables = TABLES.map((table) => addTable(this, table, identity, asset, settings.stage));
    const outcomes = addOutcomes(this, settings, asset, deadLetters);
    const environment = signingServiceEnvironment(settings, asset, new CommitteeHash(this).hash, keys, outcomes);
    const functions = addRole(this, {
      role: 'signing-service',
      settings,
      segment: asset,
      tables,
      environment,
      keys,
      deadLetters,
    });
    this.#alarms(settings, asset, deadLetters, functions);
  }

  #alarms(
    settings: Settings,
    asset: string,
    deadLetters: Queue,
    functions: ReadonlyMap<string, MessageFunction>,
  ): void {
    const { identity } = settings.operator;
    const alarms = new Alarms(this, settings);
    const of = (...messages: readonly string[]): MessageFunction[] =>
      messages.flatMap((message) => functions.get(message) ?? []);
    alarms.deadLetters(
      deadLetters,
      `A message of ${identity}'s ${asset} signing service failed ten times and was set aside: a wallet may wait for a vote or a signature, which any other services can give it.`,
    );
    alarms.waiting(
      'TransactionsWaitingAlarm',
      of('Transaction', 'TransactionCertificate').flatMap(({ queues }) => queues),
      `${identity} answers no ${asset} transactions: wallets need ${identity}'s vote as soon as others are missing, too.`,
    );
    alarms.said(
      'SerialConflict',
      asset,
      `Somebody asked ${identity} to spend a ${asset} serial that another transaction holds: a double spend was refused, or a wallet was restored and does not repeat itself.`,
    );
    alarms.said(
      'QuorumBroken',
      asset,
      `${identity} holds two certificates for one ${asset} serial: more services than the committee tolerates vote twice, money was made, and this service has stopped for the rest of the epoch.`,
    );
    alarms.said(
      'ReadOnly',
      asset,
      `${identity}'s ${asset} tables are not those that its key began with: locks may be forgotten, so it serves certificates and votes no more in this epoch.`,
    );
    alarms.said(
      'EquivocationDetected',
      asset,
      `${identity} was told two different things in one place of the key generation of ${asset}: that operator is faulty or hostile, and the proof of it is kept.`,
    );
    alarms.said(
      'SecretUnreadable',
      asset,
      `${identity} holds ${asset} secrets that do not open: a table was restored or copied, or rows were changed.`,
    );
    alarms.said(
      'EnvelopeRejected',
      asset,
      `${identity}'s ${asset} signing service refuses messages that are not what they say: a peer or a gateway runs another version or is hostile.`,
    );
    alarms.late(asset);
  }
}
