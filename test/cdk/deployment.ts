/** One operator's stacks, synthesised in process, as templates. */
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { exampleCommittee, exampleOperatorFile } from '../../cdk/example.ts';
import { addOperator } from '../../cdk/operator-stacks.ts';
import { type Settings, type Stage, settingsOf } from '../../cdk/settings.ts';
import type { OperatorFile } from '../../lib/messages/operator.ts';

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DeletionPolicy?: string;
  readonly DependsOn?: readonly string[];
}

export interface Deployment {
  readonly settings: Settings;
  /** By the end of the stack's name: `coordinator`, `inbox`, `processor-btc`, … */
  readonly templates: ReadonlyMap<string, Template>;
}

const CONTEXT = {
  '@aws-cdk/core:enablePartitionLiterals': true,
  '@aws-cdk/aws-iam:minimizePolicies': true,
  'aws:cdk:disable-asset-staging': true,
};

export function deployed(
  operators: number,
  coins: number,
  stage: Stage = 'aws',
  change: Partial<OperatorFile> = {},
  assets = 0,
): Deployment {
  const committee = exampleCommittee(operators, coins, assets);
  const operator = { ...exampleOperatorFile(committee), ...change };
  const endpoint = stage === 'local' ? 'http://127.0.0.1:4566' : undefined;
  const settings = settingsOf(operator, committee, stage, { tools: endpoint });
  const stacks: readonly Stack[] = addOperator(new App({ context: CONTEXT }), settings);
  const prefix = `coterie-${operator.identity}-`;
  return {
    settings,
    templates: new Map(stacks.map((stack) => [stack.stackName.slice(prefix.length), Template.fromStack(stack)])),
  };
}

export function resources(template: Template | undefined, type: string): ReadonlyMap<string, Resource> {
  if (!template) throw new Error('there is no such stack');
  return new Map(Object.entries(template.findResources(type)) as [string, Resource][]);
}

/** As {@link resources}, for the only one whose id begins so. */
export function resource(template: Template | undefined, type: string, idBegins: string): Resource {
  const found = [...resources(template, type)].filter(([id]) => id.startsWith(idBegins));
  const [[, only] = []] = found;
  if (!only || found.length > 1) throw new Error(`expected one ${type} ${idBegins}, got ${found.length}`);
  return only;
}

export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Principal?: unknown;
  readonly Condition?: Record<string, Record<string, unknown>>;
}

export function statements(document: unknown): readonly Statement[] {
  return (document as { Statement: readonly Statement[] }).Statement;
}

export function many<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}
