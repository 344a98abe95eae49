/** `coterie deploy`: the CDK, with the operator's settings and the hash as the stack parameter that pins the committee. */
import { resolve } from 'node:path';
import { STAGES, settingsOf } from '../../cdk/settings.ts';
import { cdk } from './deploy-cdk.ts';
import { readCommitteeFile, readOperatorFile } from './deploy-files.ts';
import { COMMITTEE_HASH, stackNames } from './deploy-names.ts';
import { shown, UsageError } from './usage.ts';

const OK = 0;

export interface DeployOptions {
  readonly operator: string;
  readonly committee?: string;
  readonly stage: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export async function deploy(options: DeployOptions): Promise<number> {
  const stage = STAGES.find((each) => each === options.stage);
  if (!stage) throw new UsageError(`--stage: expected ${STAGES.join(' or ')}, got ${shown(options.stage)}`);
  const operator = readOperatorFile(options.operator);
  const committee = options.committee === undefined ? undefined : readCommitteeFile(options.committee);
  settingsOf(operator, committee, stage, { tools: process.env['AWS_ENDPOINT_URL'] || undefined });
  const stacks = stackNames(operator, committee !== undefined);
  // The CDK runs in the folder of this program: a path of the user's folder would name another file there.
  const path = resolve(options.operator);
  if (path.includes(','))
    throw new UsageError(`--operator: expected a path without a comma, got ${shown(path)}: move the operator file`);
  const context = [`stage=${stage}`, `operator=${path}`];
  if (options.committee !== undefined) context.push(`committee=${resolve(options.committee)}`);
  await cdk(
    [
      'deploy',
      ...stacks,
      ...context.flatMap((each) => ['-c', each]),
      // Without a committee file the stacks keep the hash that they have.
      ...(committee ? stacks.flatMap((stack) => ['--parameters', `${stack}:${COMMITTEE_HASH}=${committee.id}`]) : []),
      ...['--require-approval', options.yes ? 'never' : 'broadening'],
    ],
    { environment: process.env, show: (text) => process.stderr.write(text) },
  );
  if (options.json) {
    const done = { operator: operator.identity, stage, stacks, ...(committee ? { committee: committee.id } : {}) };
    process.stdout.write(`${JSON.stringify({ v: 1, ...done })}\n`);
  }
  return OK;
}
