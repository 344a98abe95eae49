import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { exampleCommittee, exampleOperatorFile } from '../../cdk/example.ts';
import { receiversOf } from '../../cdk/receivers.ts';
import { rightsOf } from '../../cdk/rights.ts';
import { settingsOf } from '../../cdk/settings.ts';
import { parseEnvironment } from '../../lib/aws/environment.ts';
import { readCommitteeFile, readOperatorFile } from '../../lib/cli/deploy-files.ts';
import { UsageError } from '../../lib/cli/usage.ts';
import { deployed, many, resource, resources, type Statement, statements } from './deployment.ts';

const { settings, templates } = deployed(3, 2);
const { templates: withAsset, settings: assetSettings } = deployed(3, 1, 'aws', {}, 1);
const processor = templates.get('processor-btc');

describe('tables', () => {
  const table = (name: string) => resource(processor, 'AWS::DynamoDB::Table', name);

  it('Nonces has no recovery, no stream, and expires', () => {
    const { Properties, DeletionPolicy } = table('Nonces');
    expect(Properties['PointInTimeRecoverySpecification']).toEqual({ PointInTimeRecoveryEnabled: false });
    expect(Properties['StreamSpecification']).toBeUndefined();
    expect(Properties['TimeToLiveSpecification']).toEqual({ AttributeName: 'ttl', Enabled: true });
    expect(DeletionPolicy).toBe('Delete');
  });

  it('Keys is kept, protected, recoverable, and never expires', () => {
    const { Properties, DeletionPolicy } = table('Keys');
    expect(Properties['DeletionProtectionEnabled']).toBe(true);
    expect(Properties['PointInTimeRecoverySpecification']).toEqual({ PointInTimeRecoveryEnabled: true });
    expect(Properties['TimeToLiveSpecification']).toBeUndefined();
    expect(DeletionPolicy).toBe('Retain');
  });

  it('Ceremonies is recoverable, expires, and has the sparse index of what is open', () => {
    const { Properties } = table('Ceremonies');
    expect(Properties['PointInTimeRecoverySpecification']).toEqual({ PointInTimeRecoveryEnabled: true });
    expect(Properties['TimeToLiveSpecification']).toEqual({ AttributeName: 'ttl', Enabled: true });
    expect(Properties['GlobalSecondaryIndexes']).toMatchObject([
      {
        IndexName: 'open',
        KeySchema: [{ AttributeName: 'open' }, { AttributeName: 'wakeAt' }],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
    ]);
  });

  it.each(['Serials', 'Issuance'])('%s is kept, protected, recoverable, and nothing in it ever expires', (name) => {
    const { Properties, DeletionPolicy } = resource(withAsset.get('service-usd'), 'AWS::DynamoDB::Table', name);
    expect(Properties['DeletionProtectionEnabled']).toBe(true);
    expect(Properties['PointInTimeRecoverySpecification']).toEqual({ PointInTimeRecoveryEnabled: true });
    expect(Properties['TimeToLiveSpecification']).toBeUndefined();
    expect(DeletionPolicy).toBe('Retain');
  });

  it('are in one region only: a replica would take a second write of what may be written once (attack ECASH-09)', () => {
    for (const template of [...templates.values(), ...withAsset.values()])
      expect(resources(template, 'AWS::DynamoDB::GlobalTable').size).toBe(0);
  });

  it('of a local stage are all deleted with their stack', () => {
    for (const template of deployed(3, 1, 'local').templates.values()) {
      for (const type of ['AWS::DynamoDB::Table', 'AWS::KMS::Key']) {
        for (const { DeletionPolicy, Properties } of resources(template, type).values()) {
          expect(DeletionPolicy).toBe('Delete');
          expect(Properties['DeletionProtectionEnabled'] ?? false).toBe(false);
        }
      }
    }
  });
});

describe('keys', () => {
  const policy = (id: string): readonly Statement[] =>
    statements(resource(processor, 'AWS::KMS::Key', id).Properties['KeyPolicy']);

  it('the account administers them and uses them for nothing', () => {
    for (const id of ['WrappingKeyskeys', 'WrappingKeysephemeral']) {
      const [administration] = policy(id).filter(({ Sid }) => Sid === 'AdministerWithoutUse');
      expect(many(administration?.Action ?? [])).not.toHaveLength(0);
      for (const action of many(administration?.Action ?? [])) {
        expect(action).not.toMatch(/\*|kms:(?:Decrypt|Encrypt|ReEncrypt|GenerateDataKey|CreateGrant)/);
      }
    }
  });

  it('each function asks for secrets of the listed kinds only, under the operator’s and the coin’s own context', () => {
    for (const lifecycle of ['keys', 'ephemeral'] as const) {
      for (const { Sid, Action, Condition } of policy(`WrappingKeys${lifecycle}`)) {
        if (Sid === 'AdministerWithoutUse') continue;
        const kind = Condition?.['StringEquals']?.['kms:EncryptionContext:kind'];
        expect(Condition?.['StringEquals']).toEqual({
          'kms:EncryptionContext:identity': settings.operator.identity,
          'kms:EncryptionContext:coin': 'btc',
          'kms:EncryptionContext:kind': kind,
        });
        expect(Condition?.['ForAllValues:StringEquals']).toEqual({
          'kms:EncryptionContextKeys': ['coin', 'identity', 'kind', 'subject', 'table'],
        });
        const users = many(Condition?.['ArnEquals']?.['aws:PrincipalArn'] as { 'Fn::GetAtt': [string, string] });
        const messages = users.map((user) => user['Fn::GetAtt'][0].replace(/Role[0-9A-F]{8}$/, '')).sort();
        const listed = receiversOf('processor').filter(({ message }) =>
          rightsOf('processor', message).keys.some(
            (key) => key.lifecycle === lifecycle && `kms:${key.action}` === Action && key.kind === kind,
          ),
        );
        expect(messages, `${lifecycle} ${Sid}`).toEqual(listed.map(({ message }) => message).sort());
      }
    }
  });

  it('turn every year', () => {
    for (const { Properties } of resources(processor, 'AWS::KMS::Key').values())
      expect(Properties['EnableKeyRotation']).toBe(true);
  });
});

describe('functions', () => {
  it('have the runtime, size and time that the design gives them, and an environment that they accept', () => {
    for (const [stack, template] of [...templates, ...withAsset]) {
      for (const { Properties } of resources(template, 'AWS::Lambda::Function').values()) {
        expect(Properties).toMatchObject({
          Runtime: 'nodejs24.x',
          Architectures: ['arm64'],
          MemorySize: 1_024,
          Timeout: 60,
        });
        const { Variables } = Properties['Environment'] as { Variables: Record<string, unknown> };
        const known = Object.fromEntries(
          Object.entries(Variables).map(([name, value]) => [name, typeof value === 'string' ? value : '']),
        );
        const given = {
          ...known,
          COTERIE_KEY_KEYS: 'k',
          COTERIE_KEY_EPHEMERAL: 'e',
          COTERIE_COMMITTEE_HASH: '',
          AWS_REGION: 'eu-central-1',
        };
        expect(parseEnvironment(given).config.identity, stack).toBe(settings.operator.identity);
      }
    }
  });

  it('are fed by queues that wait six times as long, set aside after ten, and are encrypted', () => {
    for (const template of templates.values()) {
      for (const [id, { Properties }] of resources(template, 'AWS::SQS::Queue')) {
        expect(Properties['SqsManagedSseEnabled'], id).toBe(true);
        if (id.startsWith('DeadLetters')) expect(Properties['MessageRetentionPeriod']).toBe(14 * 86_400);
        else if (!id.startsWith('Outcomes')) {
          expect(Properties, id).toMatchObject({ VisibilityTimeout: 360, RedrivePolicy: { maxReceiveCount: 10 } });
        }
      }
      for (const { Properties } of resources(template, 'AWS::SQS::QueuePolicy').values()) {
        const [tls] = statements(Properties['PolicyDocument']).filter(
          ({ Condition }) => Condition?.['Bool']?.['aws:SecureTransport'] === 'false',
        );
        expect(tls?.Effect).toBe('Deny');
      }
    }
  });

  it('report failed records one by one, and are limited only where a peer can flood', () => {
    for (const [stack, template] of templates) {
      for (const { Properties } of resources(template, 'AWS::Lambda::EventSourceMapping').values()) {
        expect(Properties).toMatchObject({ BatchSize: 10, FunctionResponseTypes: ['ReportBatchItemFailures'] });
        expect(Properties['ScalingConfig'] !== undefined).toBe(stack === 'inbox');
      }
    }
  });

  it('one dead-letter queue a stack, and an alarm on it that says the impact and the section of the runbook', () => {
    for (const template of templates.values()) {
      expect(
        [...resources(template, 'AWS::SQS::Queue').keys()].filter((id) => id.startsWith('DeadLetters')),
      ).toHaveLength(1);
      for (const { Properties } of resources(template, 'AWS::CloudWatch::Alarm').values()) {
        expect(Properties['AlarmDescription']).toMatch(
          /operator1.+\. What to do: docs\/runbook\.md, section [a-z-]+\.$/s,
        );
      }
    }
  });

  it('whatever is due is woken every 15 minutes', () => {
    for (const stack of ['coordinator', 'processor-btc', 'processor-sol']) {
      const { Properties } = resource(templates.get(stack), 'AWS::Events::Rule', 'WakeRule');
      expect(Properties).toMatchObject({ ScheduleExpression: 'rate(15 minutes)', Targets: [{ Input: '{"Wake":{}}' }] });
    }
  });
});

describe('alarms', () => {
  const distance = (committee: ReadonlyMap<string, Template>) =>
    [...resources(committee.get('coordinator'), 'AWS::CloudWatch::Alarm').values()].find(
      ({ Properties }) => Properties['MetricName'] === 'DistanceToThreshold',
    )?.Properties;

  it('on metrics that functions write themselves: nothing has to be filtered out of a log', () => {
    for (const template of [...templates.values(), ...withAsset.values()])
      template.resourceCountIs('AWS::Logs::MetricFilter', 0);
  });

  it('ring before the last operator that is needed is missing, and where nobody says how many answer', () => {
    expect(distance(templates)).toMatchObject({
      Threshold: 1,
      // A service that misses others must not be outvoted by the coordinator, whom their coordinators greet.
      Statistic: 'Minimum',
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
      EvaluationPeriods: 2,
    });
  });
});

describe('a signing service', () => {
  const service = withAsset.get('service-usd');

  it('limits the functions that the public can flood', () => {
    const limited = [...resources(service, 'AWS::Lambda::EventSourceMapping').entries()].filter(
      ([, { Properties }]) => Properties['ScalingConfig'] !== undefined,
    );
    expect(limited.map(([id]) => id.replace(/Queue.*/, '')).sort()).toEqual([
      'RecoverIssued',
      'Transaction',
      'TransactionCertificate',
    ]);
  });

  it('raises an alarm for a double spend that was refused, and for one that was not', () => {
    const alarms = [...resources(service, 'AWS::CloudWatch::Alarm').values()].map(({ Properties }) => Properties);
    for (const event of ['SerialConflict', 'QuorumBroken', 'ReadOnly'])
      expect(
        alarms.find(({ MetricName }) => MetricName === event),
        event,
      ).toMatchObject({
        Namespace: 'Coterie',
        Dimensions: [
          { Name: 'role', Value: 'usd' },
          { Name: 'service', Value: 'coterie-operator1' },
        ],
      });
    for (const { AlarmDescription } of alarms)
      expect(AlarmDescription).toMatch(/operator1.+\. What to do: docs\/runbook\.md, section [a-z-]+\.$/s);
  });

  it('knows its tables and the gateways that it answers', () => {
    const [first] = resources(service, 'AWS::Lambda::Function').values();
    expect(first?.Properties['Environment']).toMatchObject({
      Variables: {
        COTERIE_ROLE: 'processor',
        COTERIE_COIN: 'usd',
        COTERIE_TABLE_SERIALS: 'coterie-operator1-usd-Serials',
        COTERIE_TABLE_ISSUANCE: 'coterie-operator1-usd-Issuance',
        COTERIE_GATEWAYS: JSON.stringify(assetSettings.operator.gateways),
      },
    });
  });

  it('has its place on the operator’s dashboard', () => {
    const [[, board] = []] = resources(withAsset.get('coordinator'), 'AWS::CloudWatch::Dashboard');
    const text = JSON.stringify(board?.Properties);
    expect(text).toContain('operator1: btc, usd');
    for (const event of ['EquivocationDetected', 'SecretUnreadable', 'SerialConflict', 'QuorumBroken', 'ReadOnly'])
      expect(text).toContain(`${event} usd`);
    expect(text).not.toContain('QuorumBroken btc');
  });

  it('is all that an operator without coins has', () => {
    const { templates: without } = deployed(3, 1, 'aws', { coins: [] }, 1);
    expect([...without.keys()].sort()).toEqual(['coordinator', 'inbox', 'service-usd']);
  });

  it('is as it was', () => {
    const text = JSON.stringify(
      service?.toJSON(),
      (key, value: unknown) => (key === 'Metadata' || key === 'S3Key' ? undefined : value),
      1,
    );
    expect(text.replace(/[0-9a-f]{64}/g, 'HASH')).toMatchSnapshot();
  });
});

it.each([...templates.keys()].filter((name) => name !== 'processor-sol'))('the %s stack is as it was', (name) => {
  const text = JSON.stringify(
    templates.get(name)?.toJSON(),
    (key, value: unknown) => (key === 'Metadata' || key === 'S3Key' ? undefined : value),
    1,
  );
  expect(text.replace(/[0-9a-f]{64}/g, 'HASH')).toMatchSnapshot();
});

describe('settings', () => {
  const committee = exampleCommittee(3, 2);
  const operator = exampleOperatorFile(committee);
  const refused = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      if (error instanceof UsageError) return error.message;
      throw error;
    }
    throw new Error('expected a refusal');
  };

  it.each([
    undefined,
    'https://sqs.eu-central-1.amazonaws.com',
    'http://10.0.0.1:4566',
    'http://127.0.0.1.example.org',
  ])('a local stage refuses the endpoint %s', (endpoint) => {
    expect(refused(() => settingsOf(operator, committee, 'local', { tools: endpoint }))).toContain('on loopback');
  });

  it('functions may be told another endpoint than the tools on a local stage, and none where the emulator provides one', () => {
    const tools = 'http://127.0.0.1:4566';
    const endpointOf = (functions?: string) => settingsOf(operator, committee, 'local', { tools, functions }).endpoint;
    expect(endpointOf()).toBe(tools);
    expect(endpointOf('http://172.17.0.1:4566')).toBe('http://172.17.0.1:4566');
    expect(endpointOf('provided')).toBeUndefined();
    expect(refused(() => endpointOf('nowhere'))).toContain('expected a URL or provided, got "nowhere"');
    expect(refused(() => settingsOf(operator, committee, 'aws', { tools: undefined, functions: tools }))).toContain(
      'local stage only',
    );
  });

  it('queues without TLS are refused outside a local stage', () => {
    expect(refused(() => settingsOf(operator, committee, 'aws', { tools: undefined }, false))).toContain(
      'local stage only',
    );
  });

  it('a committee file whose hash is not the agreed one is refused', () => {
    const committeeHash = `0x${'ab'.repeat(32)}` as const;
    expect(refused(() => settingsOf({ ...operator, committeeHash }, committee, 'aws', { tools: undefined }))).toMatch(
      new RegExp(`expected the committee with hash ${committeeHash}.*got ${committee.id}`),
    );
  });

  it('a committee file without an agreed hash is refused', () => {
    const { committeeHash: _, ...without } = operator;
    expect(refused(() => settingsOf(without, committee, 'aws', { tools: undefined }))).toContain('compare');
  });

  it('a committee file that puts the operator elsewhere, or does not know it or its coin, is refused', () => {
    expect(
      refused(() => settingsOf({ ...operator, account: '999999999999' }, committee, 'aws', { tools: undefined })),
    ).toContain('account 111111111111');
    expect(
      refused(() => settingsOf({ ...operator, region: 'us-east-1' }, committee, 'aws', { tools: undefined })),
    ).toContain('us-east-1');
    expect(
      refused(() => settingsOf({ ...operator, identity: 'mallory' }, committee, 'aws', { tools: undefined })),
    ).toContain('operator mallory');
    expect(
      refused(() => settingsOf({ ...operator, coins: ['btc', 'ltc'] }, committee, 'aws', { tools: undefined })),
    ).toContain('ltc');
  });

  it('a file that is not there is one sentence', () => {
    expect(refused(() => readOperatorFile('no-such-file.json'))).toMatch(
      /^expected the operator file at no-such-file\.json/,
    );
    expect(refused(() => readCommitteeFile('no-such-file.json'))).toMatch(
      /^expected the committee file at no-such-file\.json/,
    );
  });

  it('the example operator file is accepted as it stands', () => {
    expect(readOperatorFile('docs/operator.example.jsonc').identity).toBe('alice');
  });
});
