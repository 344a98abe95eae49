import { describe, expect, it } from 'vitest';
import { COMMITTEE_HASH } from '../../lib/cli/deploy-names.ts';
import { deployed, resources, statements } from './deployment.ts';

/** What a reference becomes at its longest: an ARN with the longest names. */
const LONGEST_ARN = `arn:aws:sqs:ap-southeast-3:111111111111:${'q'.repeat(80)}`;

function atItsLongest(document: unknown): string {
  return JSON.stringify(document, (_, value: unknown) => {
    const reference = typeof value === 'object' && value !== null && ('Fn::GetAtt' in value || 'Ref' in value);
    return reference ? LONGEST_ARN : value;
  });
}

describe.each([3, 31, 100])('a committee of %i', (operators) => {
  it.each([1, 3])('fits the limits of CloudFormation, SQS, IAM and KMS with %i coin(s)', (coins) => {
    const { templates } = deployed(operators, coins);
    expect([...templates.keys()].sort()).toEqual(
      [
        'coordinator',
        'inbox',
        ...['btc', 'near', 'sol'].filter((coin) => coins === 3 || coin === 'btc').map((coin) => `processor-${coin}`),
      ].sort(),
    );
    for (const [name, template] of templates) {
      const json = template.toJSON() as { Resources: object; Parameters: object };
      expect(Object.keys(json.Resources).length, `resources of ${name}`).toBeLessThan(500);
      expect(JSON.stringify(json).length, `bytes of ${name}`).toBeLessThan(1_000_000);
      expect(Object.keys(json.Parameters)).toContain(COMMITTEE_HASH);
      for (const [id, { Properties }] of resources(template, 'AWS::SQS::QueuePolicy')) {
        const document = Properties['PolicyDocument'];
        expect(atItsLongest(document).length, `bytes of ${id}`).toBeLessThan(8_192);
        expect(statements(document).length, `statements of ${id}`).toBeLessThanOrEqual(20);
      }
      for (const [id, { Properties }] of resources(template, 'AWS::IAM::Policy')) {
        expect(atItsLongest(Properties['PolicyDocument']).length, `bytes of ${id}`).toBeLessThan(10_240);
      }
      for (const [id, { Properties }] of resources(template, 'AWS::IAM::ManagedPolicy')) {
        expect(atItsLongest(Properties['PolicyDocument']).length, `bytes of ${id}`).toBeLessThan(6_144);
      }
      for (const [id, { Properties }] of resources(template, 'AWS::KMS::Key')) {
        expect(atItsLongest(Properties['KeyPolicy']).length, `bytes of ${id}`).toBeLessThan(32_768);
      }
      for (const [id, { Properties }] of resources(template, 'AWS::Lambda::Function')) {
        expect(atItsLongest(Properties['Environment']).length, `environment of ${id}`).toBeLessThan(4_096);
      }
      const attached = [...resources(template, 'AWS::IAM::ManagedPolicy').values()].flatMap(
        ({ Properties }) => Properties['Roles'] as { Ref: string }[],
      );
      for (const role of new Set(attached.map(({ Ref }) => Ref))) {
        expect(attached.filter(({ Ref }) => Ref === role).length, `managed policies of ${role}`).toBeLessThanOrEqual(
          10,
        );
      }
    }
  });
});

it('an operator file that makes an environment larger than Lambda takes is refused before anything is deployed', () => {
  const long = 'p'.repeat(64);
  const allow = (count: number) => Array.from({ length: count }, (_, i) => `${i}${long}`.slice(0, 64));
  const withPolicy = (count: number) => () =>
    deployed(3, 1, 'aws', { policies: [{ kind: 'purposes', allow: allow(count) }] });
  expect(withPolicy(30)).not.toThrow();
  expect(withPolicy(60)).toThrow(
    /expected an environment of at most 4096 bytes .* fewer policies, instructionKeys or gateways/,
  );
});
