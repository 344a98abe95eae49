// An operator's stacks inside somebody's own CDK application.
import { App } from 'aws-cdk-lib';
import { addOperator } from 'coterie/cdk';
import { exampleCommittee, exampleOperatorFile } from 'coterie/cdk/example';
import { settingsOf } from 'coterie/cdk/settings';

const committee = exampleCommittee(3, 1);
const settings = settingsOf(exampleOperatorFile(committee), committee, 'aws', { tools: undefined });
const app = new App();
addOperator(app, settings);
for (const { stackName, template } of app.synth().stacks)
  console.log(`${stackName}: ${Object.keys(template.Resources).length} resources`);
