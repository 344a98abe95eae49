/** One operator's processor for one coin: the only stack that holds key shares. */
import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { Table } from '../lib/ports.ts';
import { Alarms } from './alarms.ts';
import { CommitteeHash } from './committee-hash.ts';
import { processorEnvironment } from './function-environment.ts';
import { WrappingKeys } from './keys.ts';
import { deadLetterQueue, type MessageFunction } from './message-function.ts';
import { addOutcomes, addRole } from './role-functions.ts';
import type { Settings } from './settings.ts';
import { addTable } from './tables.ts';

const TABLES: readonly Table[] = ['Ceremonies', 'Nonces', 'Keys', 'Directory'];

export class ProcessorStack extends Stack {
  constructor(scope: Construct, id: string, settings: Settings, coin: string, props: StackProps = {}) {
    super(scope, id, props);
    const { identity } = settings.operator;
    const deadLetters = deadLetterQueue(this, settings);
    const keys = new WrappingKeys(this, 'WrappingKeys', { identity, segment: coin, stage: settings.stage });
    const tables = TABLES.map((table) => addTable(this, table, identity, coin, settings.stage));
    const outcomes = addOutcomes(this, settings, coin, deadLetters);
    const environment = processorEnvironment(settings, coin, new CommitteeHash(this).hash, keys, outcomes);
    const functions = addRole(this, {
      role: 'processor',
      settings,
      segment: coin,
      tables,
      environment,
      keys,
      deadLetters,
    });
    this.#alarms(settings, coin, deadLetters, functions);
  }

  #alarms(settings: Settings, coin: string, deadLetters: Queue, functions: ReadonlyMap<string, MessageFunction>): void {
    const { identity } = settings.operator;
    const alarms = new Alarms(this, settings);
    alarms.deadLetters(
      deadLetters,
      `A message of ${identity}'s ${coin} processor failed ten times and was set aside: a key generation may fail for everybody, a signature goes on without this operator.`,
    );
    alarms.waiting(
      'InstructionsWaitingAlarm',
      functions.get('MultisigInstruction')?.queues ?? [],
      `${identity} takes no instructions for ${coin}: it takes part in no new key and in no new signature.`,
    );
    const ceremonies = [...functions.values()]
      .filter(({ node }) => node.id.endsWith('In'))
      .flatMap(({ queues }) => queues);
    alarms.waiting(
      'CeremoniesWaitingAlarm',
      ceremonies,
      `What peers say in ${coin} ceremonies is not handled at ${identity}: running ceremonies are likely to time out.`,
    );
    alarms.said(
      'EquivocationDetected',
      coin,
      `${identity} was told two different things in one place of a ${coin} ceremony: that operator is faulty or hostile, and the proof of it is kept.`,
    );
    alarms.said(
      'SecretUnreadable',
      coin,
      `${identity} holds ${coin} secrets that do not open: a table was restored or copied, or rows were changed, and this operator cannot finish the ceremonies they belong to.`,
    );
    alarms.said(
      'EnvelopeRejected',
      coin,
      `${identity}'s ${coin} processor refuses messages that are not what they say: a peer runs another version or is hostile.`,
    );
    alarms.late(coin);
  }
}
