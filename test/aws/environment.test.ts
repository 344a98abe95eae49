import { describe, expect, test } from 'vitest';
import { EnvironmentError, isLoopback, parseEnvironment, tableVariable } from '../../lib/aws/environment.ts';

const HASH = `0x${'ab'.repeat(32)}`;
const SHARED = {
  AWS_REGION: 'us-east-1',
  COTERIE_IDENTITY: 'alice',
  COTERIE_ACCOUNT: '111111111111',
  COTERIE_COMMITTEE_HASH: HASH,
  COTERIE_KEY_KEYS: 'alias/keys',
  COTERIE_KEY_EPHEMERAL: 'alias/ephemeral',
  COTERIE_TABLE_DIRECTORY: 'directory',
  COTERIE_TABLE_KEYS: 'keys',
};
const COORDINATOR = { ...SHARED, COTERIE_ROLE: 'coordinator', COTERIE_COINS: '["btc","sol"]' };
const PROCESSOR = {
  ...SHARED,
  COTERIE_ROLE: 'processor',
  COTERIE_COIN: 'btc',
  COTERIE_TABLE_CEREMONIES: 'ceremonies',
  COTERIE_TABLE_NONCES: 'nonces',
  COTERIE_OUTCOME_QUEUE: 'arn:aws:sqs:us-east-1:111111111111:outcomes',
  COTERIE_POLICIES: '[{"kind":"purposes","allow":["payout"]}]',
  COTERIE_INSTRUCTION_KEYS: JSON.stringify({ required: 1, keys: [HASH] }),
};

describe('the environment of a function', () => {
  test('a processor’s', () => {
    expect(parseEnvironment({ ...PROCESSOR, PATH: '/bin' })).toEqual({
      config: {
        role: 'processor',
        identity: 'alice',
        account: '111111111111',
        region: 'us-east-1',
        coin: 'btc',
        committeeHash: HASH,
        outcomeQueue: PROCESSOR.COTERIE_OUTCOME_QUEUE,
        policies: [{ kind: 'purposes', allow: ['payout'] }],
        instructionKeys: { required: 1, keys: [HASH] },
      },
      account: '111111111111',
      region: 'us-east-1',
      tables: { Ceremonies: 'ceremonies', Nonces: 'nonces', Keys: 'keys', Directory: 'directory' },
      keys: { keys: 'alias/keys', ephemeral: 'alias/ephemeral' },
      endpoint: undefined,
      crashAfterCommit: undefined,
    });
  });

  test('a coordinator’s, which has no ceremonies and no nonces', () => {
    const { config, tables } = parseEnvironment(COORDINATOR);
    expect(config).toEqual({ role: 'coordinator', identity: 'alice', coins: ['btc', 'sol'], committeeHash: HASH });
    expect(tables).toEqual({ Keys: 'keys', Directory: 'directory' });
    expect(() => parseEnvironment({ ...COORDINATOR, [tableVariable('Nonces')]: 'nonces' })).toThrow(
      'COTERIE_TABLE_NONCES',
    );
  });

  test('parameters that are not set yet are empty texts', () => {
    const empty = { COTERIE_COMMITTEE_HASH: '', COTERIE_OUTCOME_QUEUE: '', COTERIE_INSTRUCTION_KEYS: '' };
    expect(parseEnvironment({ ...PROCESSOR, ...empty }).config).toMatchObject({
      committeeHash: undefined,
      outcomeQueue: undefined,
      instructionKeys: undefined,
    });
  });

  test.each<[string, Record<string, string | undefined>, string]>([
    ['a variable is missing', { COTERIE_COIN: undefined }, 'COTERIE_COIN: expected string, got nothing'],
    [
      'the role is another',
      { COTERIE_ROLE: 'king' },
      'COTERIE_ROLE: expected coordinator or processor, got another value or nothing',
    ],
    [
      'there is no role',
      { COTERIE_ROLE: undefined },
      'COTERIE_ROLE: expected coordinator or processor, got another value or nothing',
    ],
    [
      'a name is mistyped',
      { COTERIE_COMITTEE_HASH: HASH },
      'expected no other variables of ours, got COTERIE_COMITTEE_HASH',
    ],
    ['the account is no account', { COTERIE_ACCOUNT: '123' }, 'COTERIE_ACCOUNT: expected an account id of 12 digits'],
    ['a policy is not JSON', { COTERIE_POLICIES: 'all' }, 'COTERIE_POLICIES: expected JSON'],
    ['a policy is unknown', { COTERIE_POLICIES: '[{"kind":"anything"}]' }, 'COTERIE_POLICIES.0'],
    [
      'more signatures are required than there are keys',
      { COTERIE_INSTRUCTION_KEYS: JSON.stringify({ required: 2, keys: [HASH, HASH] }) },
      'COTERIE_INSTRUCTION_KEYS: expected at most as many required signatures as distinct keys',
    ],
    ['the region is missing', { AWS_REGION: undefined }, 'AWS_REGION: expected a region, got nothing'],
  ])('where %s, the error says so', (_, wrong, message) => {
    const environment = { ...PROCESSOR, ...wrong };
    expect(() => parseEnvironment(environment)).toThrow(EnvironmentError);
    expect(() => parseEnvironment(environment)).toThrow(message);
  });

  test('values stay out of the error', () => {
    const wrong = {
      ...PROCESSOR,
      COTERIE_COMMITTEE_HASH: 'hunter2',
      COTERIE_ROLE: 'processor',
      COTERIE_POLICIES: 'hunter2',
    };
    const said = (() => {
      try {
        return parseEnvironment(wrong);
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(said).toContain('COTERIE_COMMITTEE_HASH');
    expect(said).not.toContain('hunter2');
  });

  test.each([
    undefined,
    'https://sqs.us-east-1.amazonaws.com',
    'http://127.0.0.1.example.com',
    'http://10.0.0.1:4566',
    'not a url',
  ])('a function cannot be told to crash with the endpoint %s', (endpoint) => {
    const environment = { ...PROCESSOR, COTERIE_CRASH: 'after-commit:Wake', AWS_ENDPOINT_URL: endpoint };
    expect(() => parseEnvironment(environment)).toThrow('COTERIE_CRASH');
  });

  test('on an emulator on loopback it can', () => {
    const environment = { ...PROCESSOR, COTERIE_CRASH: 'after-commit:Wake', AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' };
    expect(parseEnvironment(environment)).toMatchObject({
      crashAfterCommit: 'Wake',
      endpoint: 'http://127.0.0.1:4566',
    });
    expect(isLoopback('http://localhost:4566') && isLoopback('http://[::1]:1')).toBe(true);
  });
});
