/** One queue for each other operator, which only that operator's coordinator may send to, and the function that reads them all. */
import { Stack, type StackProps } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { COORDINATOR_SEGMENT } from '../lib/messages/topics.ts';
import { Alarms } from './alarms.ts';
import { bundleOf } from './bundle.ts';
import { CommitteeHash } from './committee-hash.ts';
import { coordinatorEnvironment } from './function-environment.ts';
import { keyAlias } from './keys.ts';
import { deadLetterQueue, MessageFunction } from './message-function.ts';
import { queuesOf, receiversOf } from './receivers.ts';
import type { Settings } from './settings.ts';

export class InboxStack extends Stack {
  constructor(scope: Construct, id: string, settings: Settings, props: StackProps = {}) {
    super(scope, id, props);
    const { identity, coins } = settings.operator;
    const peers = settings.peers.map((peer) => peer.identity);
    const deadLetters = deadLetterQueue(this, settings);
    const environment = coordinatorEnvironment(settings, new CommitteeHash(this).hash, {
      arn: (lifecycle) => keyAlias(identity, COORDINATOR_SEGMENT, lifecycle),
    });
    const code = Code.fromAsset(bundleOf('coordinator').directory);
    for (const receiver of receiversOf('coordinator').filter(({ spread }) => spread === 'peer')) {
      const queues = queuesOf(receiver, identity, coins, peers);
      new MessageFunction(this, receiver.message, {
        receiver,
        settings,
        segment: COORDINATOR_SEGMENT,
        queues,
        code,
        environment,
        deadLetters,
      });
    }
    new Alarms(this, settings).deadLetters(
      deadLetters,
      `A parcel from another operator failed ten times at ${identity} and was set aside: the ceremony it belongs to may end in a time-out here.`,
    );
  }
}
