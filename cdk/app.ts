/**
 * The stacks of one operator. Context: `operator` (path of the operator file, or several, separated by commas, for a committee on one emulator), `committee` (path, from
 * the second deploy on), `stage` (`aws` or `local`); without an operator file an example of `operators` × `coins`, and of `assets`.
 */
import { App } from 'aws-cdk-lib';
import { Validations } from 'aws-cdk-lib/core';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readCommitteeFile, readOperatorFile } from '../lib/cli/deploy-files.ts';
import { UsageError } from '../lib/cli/usage.ts';
import { bundleOf, report } from './bundle.ts';
import { exampleCommittee, exampleOperatorFile } from './example.ts';
import { addOperator } from './operator-stacks.ts';
import { type Settings, STAGES, type Stage, settingsOf } from './settings.ts';

try {
  const app = new App();
  const settings = settingsFrom(app);
  for (const each of settings) addOperator(app, each);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
  for (const role of ['coordinator', 'processor', 'signing-service'] as const)
    process.stderr.write(`${report(bundleOf(role))}\n`);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

function settingsFrom(app: App): readonly Settings[] {
  const context = (name: string): string | undefined => {
    const value: unknown = app.node.tryGetContext(name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const stage = context('stage') ?? 'aws';
  if (!isStage(stage)) throw new UsageError(`-c stage: expected ${STAGES.join(' or ')}, got ${JSON.stringify(stage)}`);
  const endpoints = { tools: process.env['AWS_ENDPOINT_URL'] || undefined, functions: context('functions-endpoint') };
  const requireTls = context('tls') !== 'off';
  const paths = context('operator')?.split(',');
  const committeePath = context('committee');
  const committee = committeePath === undefined ? undefined : readCommitteeFile(committeePath);
  if (paths) return paths.map((path) => settingsOf(readOperatorFile(path), committee, stage, endpoints, requireTls));
  if (committee) throw new UsageError('expected an operator file beside the committee file: add -c operator=<path>');
  const example = exampleCommittee(
    Number(context('operators') ?? 3),
    Number(context('coins') ?? 2),
    Number(context('assets') ?? 0),
  );
  return [settingsOf(exampleOperatorFile(example), example, stage, endpoints, requireTls)];
}

function isStage(stage: string): stage is Stage {
  return (STAGES as readonly string[]).includes(stage);
}
