/** One operator's stacks: the coordinator, the inbox once there are peers, a processor for each coin, a signing service for each asset. */
import { type IStackSynthesizer, type Stack, type StackProps, Tags } from 'aws-cdk-lib';
import { CliCredentialsStackSynthesizer, Validations } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import {
  coordinatorStackName,
  inboxStackName,
  processorStackName,
  signingServiceStackName,
} from '../lib/cli/deploy-names.ts';
import { CoordinatorStack } from './coordinator-stack.ts';
import { InboxStack } from './inbox-stack.ts';
import { ProcessorStack } from './processor-stack.ts';
import type { Settings } from './settings.ts';
import { SigningServiceStack } from './signing-service-stack.ts';

export function addOperator(scope: Construct, settings: Settings): readonly Stack[] {
  const { identity, account, region, coins, assets } = settings.operator;
  const props = (description: string): StackProps => ({
    env: { account, region },
    description: `Coterie: ${description} of ${identity}`,
    terminationProtection: settings.stage === 'aws',
    // Without TLS the roles that publish assets are refused by an emulator that enforces policies; the caller's own credentials are not.
    ...(settings.requireTls ? {} : { synthesizer: new CliCredentialsStackSynthesizer() as IStackSynthesizer }),
  });
  const coordinator = new CoordinatorStack(scope, coordinatorStackName(identity), settings, props('coordinator'));
  const processors = coins.map(
    (coin) => new ProcessorStack(scope, processorStackName(identity, coin), settings, coin, props(`${coin} processor`)),
  );
  const services = assets.map(
    (asset) =>
      new SigningServiceStack(
        scope,
        signingServiceStackName(identity, asset),
        settings,
        asset,
        props(`${asset} signing service`),
      ),
  );
  const stacks: Stack[] = [coordinator, ...processors, ...services];
  if (settings.peers.length > 0) {
    // Its function reads the directory and knows the keys by name only; they must exist before the first parcel.
    const inbox = new InboxStack(scope, inboxStackName(identity), settings, props('inbox'));
    inbox.addStackDependency(coordinator);
    stacks.push(inbox);
  }
  for (const stack of stacks) {
    if (!settings.requireTls) {
      const reason = 'An emulator on loopback that enforces policies has no TLS; the stage is local.';
      Validations.of(stack).acknowledge({ id: 'AwsSolutions-SQS4', reason });
    }
    Tags.of(stack).add('coterie:operator', identity);
    Tags.of(stack).add('coterie:stage', settings.stage);
  }
  return stacks;
}
