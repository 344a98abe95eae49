import { describe, expect, test } from 'vitest';
import { bodyOf, parseBody } from '../../lib/messages/catalogue.ts';
import { sign } from '../../lib/messages/ed25519.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import {
  type Control,
  checkInstructionSignatures,
  control,
  type InstructionKeys,
  instructionBytes,
  type MultisigInstruction,
  multisigInstruction,
} from '../../lib/messages/instructions.ts';
import { committee, flipped, hexOf, signatureKey, signatureSecret } from './fixtures.ts';

const SCOPE = { committee: `0x${'c0'.repeat(32)}`, coin: 'btc' } as const;

const keyGen: MultisigInstruction = {
  KeyGen: {
    coin: 'btc',
    suite: 'FROST-secp256k1-SHA256-TR-v1',
    t: 2,
    signers: [1, 2, 3],
    requestId: `0x${'01'.repeat(16)}`,
    expiresAt: 1_800_000_000,
  },
};
const ask: MultisigInstruction = {
  Sign: {
    keyId: hexOf('key'),
    messages: ['0x00', hexOf('message')],
    purpose: 'withdrawal',
    requestId: `0x${'02'.repeat(16)}`,
    expiresAt: 1_800_000_000,
  },
};
const controls: readonly Control[] = [
  { Halt: {} },
  { Release: {} },
  { Abandon: { ceremony: hexOf('ceremony') } },
  { CleanUp: {} },
];

/** Operators' keys stand in for instruction keys: any Ed25519 key is one. */
const twoOfThree: InstructionKeys = { required: 2, keys: [signatureKey(1), signatureKey(2), signatureKey(3)] };
const by = (index: number, of: MultisigInstruction | Control): { key: Hex; signature: Hex } => ({
  key: signatureKey(index),
  signature: toHex(sign(instructionBytes(of, SCOPE), signatureSecret(index))),
});
const signedBy = <T extends MultisigInstruction | Control>(of: T, ...indexes: readonly number[]): T => ({
  ...of,
  signatures: indexes.map((index) => by(index, of)),
});

describe('an instruction with k of m keys', () => {
  test.each([keyGen, ask, ...controls])('%j is good with k signatures of different keys', (of) => {
    expect(checkInstructionSignatures(signedBy(of, 1, 3), SCOPE, twoOfThree)).toBe(true);
    expect(checkInstructionSignatures(signedBy(of, 3, 2, 1), SCOPE, twoOfThree)).toBe(true);
    const schema = 'KeyGen' in of || 'Sign' in of ? multisigInstruction : control;
    expect(schema.parse(signedBy(of, 1, 3))).toEqual(signedBy(of, 1, 3));
  });

  test('is refused with none, or with fewer than k', () => {
    expect(checkInstructionSignatures(ask, SCOPE, twoOfThree)).toBe(false);
    expect(checkInstructionSignatures({ ...ask, signatures: [] }, SCOPE, twoOfThree)).toBe(false);
    expect(checkInstructionSignatures(signedBy(ask, 2), SCOPE, twoOfThree)).toBe(false);
  });

  test('is refused if one key signs twice', () => {
    expect(checkInstructionSignatures(signedBy(ask, 2, 2), SCOPE, twoOfThree)).toBe(false);
  });

  test('is refused if a key that is not listed makes up the number', () => {
    const listed = { required: 2, keys: [signatureKey(1), signatureKey(2)] };
    expect(checkInstructionSignatures(signedBy(ask, 1, 3), SCOPE, listed)).toBe(false);
    expect(checkInstructionSignatures(signedBy(ask, 1, 2), SCOPE, listed)).toBe(true);
    expect(checkInstructionSignatures(signedBy(ask, 1, 2), { ...SCOPE, coin: 'sol' }, listed)).toBe(false);
    expect(
      checkInstructionSignatures(signedBy(ask, 1, 2), { ...SCOPE, committee: `0x${'c1'.repeat(32)}` }, listed),
    ).toBe(false);
  });

  test('is refused if a signature is another key’s, or one bit is wrong', () => {
    const swapped = [{ key: signatureKey(1), signature: by(2, ask).signature }, by(3, ask)];
    expect(checkInstructionSignatures({ ...ask, signatures: swapped }, SCOPE, twoOfThree)).toBe(false);
    const turned = [{ ...by(1, ask), signature: flipped(by(1, ask).signature, 300) }, by(3, ask)];
    expect(checkInstructionSignatures({ ...ask, signatures: turned }, SCOPE, twoOfThree)).toBe(false);
  });

  test('is refused if any field was changed after it was signed', () => {
    const { signatures } = signedBy(ask, 1, 2);
    const changes = {
      keyId: hexOf('another key'),
      messages: [...ask.Sign.messages].reverse(),
      purpose: 'Withdrawal',
      requestId: `0x${'03'.repeat(16)}` as Hex,
      expiresAt: 1_800_000_001,
    } satisfies typeof ask.Sign;
    for (const field of Object.keys(changes) as (keyof typeof changes)[]) {
      const changed = { Sign: { ...ask.Sign, [field]: changes[field] }, signatures };
      expect(checkInstructionSignatures(changed, SCOPE, twoOfThree), field).toBe(false);
    }
  });

  test('ENC-06: signed to halt does not release, and signed to abandon one ceremony does not abandon another', () => {
    const { signatures } = signedBy<Control>({ Halt: {} }, 1, 2);
    if (!signatures) throw new Error('not signed');
    expect(checkInstructionSignatures({ Release: {}, signatures }, SCOPE, twoOfThree)).toBe(false);
    expect(checkInstructionSignatures({ CleanUp: {}, signatures }, SCOPE, twoOfThree)).toBe(false);
    const abandon: Control = { Abandon: { ceremony: hexOf('ceremony') } };
    const other: Control = {
      Abandon: { ceremony: hexOf('other') },
      ...{ signatures: signedBy(abandon, 1, 2).signatures },
    };
    expect(checkInstructionSignatures(other, SCOPE, twoOfThree)).toBe(false);
  });

  test('is the same bytes whatever order its fields were written in', () => {
    const turned = Object.fromEntries(Object.entries(ask.Sign).reverse()) as typeof ask.Sign;
    expect(instructionBytes({ Sign: turned }, SCOPE)).toEqual(instructionBytes(ask, SCOPE));
  });
});

describe('a client hears what is wrong with its instruction', () => {
  const reasonFor = (name: 'MultisigInstruction' | 'Control', value: unknown): string => {
    const parsed = parseBody(JSON.stringify({ [name]: value }));
    return parsed.ok ? 'accepted' : parsed.reason;
  };
  const wrong = (changes: Record<string, unknown>): string =>
    reasonFor('MultisigInstruction', { KeyGen: { ...keyGen.KeyGen, ...changes } });

  test('by the name of the field, not by the list of what else there is', () => {
    expect(wrong({})).toBe('accepted');
    expect(wrong({ coin: 'BTC' })).toBe(
      'MultisigInstruction: KeyGen.coin: expected 2 to 16 lower-case letters and digits',
    );
    expect(wrong({ suite: 'FROST' })).toMatch(/^MultisigInstruction: KeyGen.suite: /);
    expect(wrong({ t: 0 })).toMatch(/^MultisigInstruction: KeyGen.t: /);
    expect(wrong({ signers: [2, 1] })).toBe(
      'MultisigInstruction: KeyGen.signers: expected distinct indexes in ascending order',
    );
    expect(wrong({ requestId: '0x01' })).toBe(
      'MultisigInstruction: KeyGen.requestId: expected 16 bytes as 0x and lower-case hex',
    );
    expect(wrong({ expiresAt: undefined })).toMatch(/^MultisigInstruction: KeyGen.expiresAt: /);
    expect(wrong({ leader: 1 })).toBe('MultisigInstruction: KeyGen: unknown key leader');
    expect(reasonFor('Control', { Abandon: { ceremony: '0x' } })).toBe(
      'Control: Abandon.ceremony: expected 32 bytes as 0x and lower-case hex',
    );
  });

  test('and never by what it sent', () => {
    const secret = 'do not repeat this';
    for (const changes of [{ coin: secret }, { [secret]: 1 }, { suite: secret }, { requestId: secret }])
      expect(wrong(changes)).not.toContain(secret);
    expect(wrong({ [`k${'x'.repeat(1_000)}`]: 1 }).length).toBeLessThanOrEqual(400);
  });

  test('one thing at a time', () => {
    expect(reasonFor('MultisigInstruction', { ...keyGen, ...ask })).not.toBe('accepted');
    expect(reasonFor('Control', { Halt: {}, Release: {} })).not.toBe('accepted');
    expect(reasonFor('Control', {})).not.toBe('accepted');
    expect(reasonFor('Control', { Halt: { now: true } })).toMatch(/unknown key now/);
    expect(parseBody(bodyOf('Control', { Halt: {} })).ok).toBe(true);
  });

  test('ENC-08: a coin is never the name of something that every object has', () => {
    expect(wrong({ coin: 'constructor' })).toMatch(
      /^MultisigInstruction: KeyGen.coin: expected a name that is no property/,
    );
    expect(committee.signersOf('constructor')).toEqual([]);
    expect(() => committee.signatureKey('constructor', 1)).toThrow('has no signature key');
  });
});
