import { ed25519 } from '@noble/curves/ed25519.js';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../lib/messages/hex.ts';
import { parseOperatorFile } from '../../lib/messages/operator.ts';
import { hexOf, signatureKey } from './fixtures.ts';

const file = {
  identity: 'alice',
  account: '111111111111',
  region: 'eu-central-1',
  clientRoles: ['arn:aws:iam::111111111111:role/treasury'],
  instructionKeys: { required: 2, keys: [signatureKey(1), signatureKey(2), signatureKey(3)] },
  policies: [{ kind: 'purposes', allow: ['withdrawal'] }],
  outcomeQueue: 'arn:aws:sqs:eu-central-1:111111111111:outcomes',
  gateways: ['arn:aws:sqs:eu-central-1:222222222222:answers'],
  alarmTarget: 'arn:aws:sns:eu-central-1:111111111111:alarms',
  coins: ['btc', 'sol'],
  assets: ['usd'],
  committeeHash: hexOf('committee'),
};
const reasonFor = (changes: Record<string, unknown>): string => {
  const parsed = parseOperatorFile({ ...file, ...changes });
  return parsed.ok ? 'accepted' : parsed.reason;
};

describe('an operator file', () => {
  test('is accepted as text and as an object', () => {
    expect(parseOperatorFile(file)).toEqual({ ok: true, file });
    expect(parseOperatorFile(JSON.stringify(file, null, 2))).toEqual({ ok: true, file });
  });

  test('may leave out what the first deploy does not know, or what has a default', () => {
    const { identity, account, region, clientRoles, coins } = file;
    const parsed = parseOperatorFile({ identity, account, region, clientRoles, coins });
    expect(parsed).toEqual({
      ok: true,
      file: {
        identity,
        account,
        region,
        clientRoles,
        coins,
        policies: [{ kind: 'require-own-instruction' }],
        gateways: [],
        assets: [],
      },
    });
  });
});

describe('an operator file is refused, with the name of the field,', () => {
  const cases: readonly [string, Record<string, unknown>, RegExp][] = [
    [
      'an asset that is a coin',
      { assets: ['btc'] },
      /^assets: expected distinct assets that are no coins, got one twice$/,
    ],
    [
      'two gateways of one name, of which a request could mean either',
      { gateways: ['1', '2'].map((account) => `arn:aws:sqs:eu-central-1:${account.repeat(12)}:answers`) },
      /^gateways: expected queues of distinct names, got one twice$/,
    ],
    [
      'with a queue of outcomes that is a topic, or in order: its functions would start with neither',
      { outcomeQueue: 'arn:aws:sns:eu-central-1:111111111111:outcomes' },
      /^outcomeQueue: expected the ARN of an SQS standard queue$/,
    ],
    [
      'with a gateway whose queue is in order',
      { gateways: ['arn:aws:sqs:eu-central-1:222222222222:answers.fifo'] },
      /^gateways.0: expected the ARN of an SQS standard queue$/,
    ],
    [
      'with alarms for a topic of another region, which no alarm can call',
      { alarmTarget: 'arn:aws:sns:us-east-1:111111111111:alarms' },
      /^alarmTarget: expected an SNS topic in eu-central-1, got one in us-east-1$/,
    ],
    [
      'with alarms for a queue',
      { alarmTarget: 'arn:aws:sqs:eu-central-1:1:q' },
      /^alarmTarget: expected the ARN of an SNS/,
    ],
    ['if nobody may instruct', { clientRoles: [] }, /^clientRoles: /],
    ['if a client role is no ARN', { clientRoles: ['treasury'] }, /^clientRoles.0: expected an ARN$/],
    ['with a wrong account', { account: '1' }, /^account: expected an account id of 12 digits$/],
    ['with an identity that has a hyphen', { identity: 'alice-2' }, /^identity: /],
    ['without a region', { region: undefined }, /^region: /],
    ['without coins and assets', { coins: [], assets: [] }, /^coins: expected a coin or an asset, got neither$/],
    ['with a coin that every object has', { coins: ['constructor'] }, /^coins.0: expected a name that is no property/],
    ['with a coin twice', { coins: ['btc', 'btc'] }, /^coins: expected distinct coins, got one twice$/],
    [
      'with a coin of a reserved name',
      { coins: ['inbox'] },
      /^coins: expected a coin name that is not reserved, got inbox$/,
    ],
    [
      'with a queue name above 80 characters',
      { identity: 'a'.repeat(32), coins: ['c'.repeat(16)] },
      /^coins: expected queue names of at most 80 characters, got 85 for coterie-a+-c+-EncryptedKeyGenCommitmentIn$/,
    ],
    ['with a wrong hash', { committeeHash: '0x00' }, /^committeeHash: expected 32 bytes/],
    ['with a policy that does not exist', { policies: [{ kind: 'trust' }] }, /^policies.0/],
    ['with an unknown field', { clientRole: 'x' }, /^unknown key clientRole$/],
    [
      'with more required keys than there are',
      { instructionKeys: { required: 2, keys: [signatureKey(1)] } },
      /^instructionKeys: expected at most 1 required, got 2$/,
    ],
    [
      'with an instruction key twice: k of m would be fewer persons',
      { instructionKeys: { required: 2, keys: [signatureKey(1), signatureKey(1)] } },
      /^instructionKeys: expected distinct keys, got one twice$/,
    ],
    [
      'with an instruction key of small order: it would sign anything',
      { instructionKeys: { required: 1, keys: [toHex(ed25519.Point.ZERO.toBytes())] } },
      /^instructionKeys: expected keys of prime order, got a point of small order$/,
    ],
    [
      'with no required signature',
      { instructionKeys: { required: 0, keys: [signatureKey(1)] } },
      /^instructionKeys.required: /,
    ],
  ];
  test.each(cases)('%s', (_, changes, reason) => {
    expect(reasonFor(changes)).toMatch(reason);
  });

  test('never with the value of a field', () => {
    const secret = 'not for a log';
    for (const field of Object.keys(file)) expect(reasonFor({ [field]: secret }), field).not.toContain(secret);
  });

  test('if it is no strict JSON, or too long', () => {
    expect(parseOperatorFile('{"identity":"a","identity":"b"}')).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/duplicate key/),
    });
    expect(parseOperatorFile(' '.repeat(100_001))).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/at most 100000 bytes/),
    });
    for (const value of ['null', '[]', '7', '""']) expect(parseOperatorFile(value).ok, value).toBe(false);
  });
});
