import { App, type Stack } from 'aws-cdk-lib';
import { CfnTable } from 'aws-cdk-lib/aws-dynamodb';
import { Validations } from 'aws-cdk-lib/core';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterEach, expect, it } from 'vitest';
import { exampleCommittee, exampleOperatorFile } from '../../cdk/example.ts';
import { addOperator } from '../../cdk/operator-stacks.ts';
import { settingsOf } from '../../cdk/settings.ts';

afterEach(() => {
  // A failed validation sets it, for the command line.
  process.exitCode = undefined;
});

function app(): { app: App; stacks: readonly Stack[] } {
  const committee = exampleCommittee(3, 1);
  const made = new App({
    context: { '@aws-cdk/core:enablePartitionLiterals': true, 'aws:cdk:disable-asset-staging': true },
  });
  const stacks = addOperator(made, settingsOf(exampleOperatorFile(committee), committee, 'aws', { tools: undefined }));
  Validations.of(made).addPlugins(new AwsSolutionsChecks(made));
  return { app: made, stacks };
}

it('the rules of AWS Solutions are met, but for what is acknowledged with a reason', () => {
  expect(() => app().app.synth()).not.toThrow();
});

it('a table that loses its recovery unnoticed would be', () => {
  const { app: made, stacks } = app();
  const keys = stacks
    .flatMap((stack) => stack.node.findAll())
    .find((each) => each instanceof CfnTable && each.node.path.includes('/Keys/'));
  (keys as CfnTable).pointInTimeRecoverySpecification = { pointInTimeRecoveryEnabled: false };
  expect(() => made.synth()).toThrow();
});
