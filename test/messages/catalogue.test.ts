import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bodyOf,
  CATALOGUE,
  type Entry,
  MAX_BODY_BYTES,
  MESSAGE_NAMES,
  type MessageName,
  type Payload,
  parseBody,
  parseBodyAs,
} from '../../lib/messages/catalogue.ts';
import { STATEMENT_TYPES, signStatement } from '../../lib/messages/statement.ts';
import { LONGEST_QUEUE_MESSAGE } from '../../lib/messages/topics.ts';
import { arbitraryOf } from './arbitrary.ts';
import { header, signatureSecret } from './fixtures.ts';

/** A payload that the schema takes and whose header names the right type. */
function payloadsOf(name: MessageName): fc.Arbitrary<Payload<MessageName>> {
  const entry: Entry = CATALOGUE[name];
  const payloads = arbitraryOf(CATALOGUE[name].payload) as fc.Arbitrary<Payload<MessageName>>;
  return entry.statement === undefined
    ? payloads
    : payloads.map((payload) => ({ ...payload, type: entry.statement }) as Payload<MessageName>);
}

const verdict = signStatement(header, '{"aborted":"Timeout"}', signatureSecret(1));
const reasonFor = (text: string): string => {
  const parsed = parseBody(text);
  return parsed.ok ? 'accepted' : parsed.reason;
};

describe('every message of the catalogue', () => {
  for (const name of MESSAGE_NAMES.filter((each) => each !== 'P2PIncoming')) {
    test(`${name} survives being written and read`, () => {
      fc.assert(
        fc.property(payloadsOf(name), (payload) => {
          expect(parseBody(JSON.stringify({ [name]: payload }))).toEqual({ ok: true, name, payload });
        }),
        { numRuns: 25, seed: 1 },
      );
    });

    test(`${name} is refused with a field too many`, () => {
      fc.assert(
        fc.property(payloadsOf(name), (payload) => {
          expect(parseBody(JSON.stringify({ [name]: { ...payload, surplus: 1 } })).ok).toBe(false);
        }),
        { numRuns: 5, seed: 1 },
      );
    });

    test(`${name} is refused without one of its fields`, () => {
      fc.assert(
        fc.property(payloadsOf(name), (payload) => {
          for (const field of Object.keys(payload)) {
            const { [field]: _, ...rest } = payload as Record<string, unknown>;
            const parsed = parseBody(JSON.stringify({ [name]: rest }));
            // Without an optional field it is another message, and must still be the rest of this one.
            if (parsed.ok) expect(parsed.payload).toEqual(rest);
            else expect(parsed.reason.startsWith(`${name}: `)).toBe(true);
          }
        }),
        { numRuns: 5, seed: 1 },
      );
    });
  }

  test('is named for at least one consumer and one sender', () => {
    for (const name of MESSAGE_NAMES) {
      expect(CATALOGUE[name].consumers.length, name).toBeGreaterThan(0);
      expect(CATALOGUE[name].senders.length, name).toBeGreaterThan(0);
    }
  });

  test('that carries a statement carries one of the type that its name says', () => {
    for (const name of MESSAGE_NAMES) {
      const { statement }: Entry = CATALOGUE[name];
      if (statement !== undefined) expect([statement, `${statement}In`, `${statement}Out`]).toContain(name);
    }
    const carried = MESSAGE_NAMES.map((name): Entry => CATALOGUE[name]).flatMap((entry) => entry.statement ?? []);
    expect(new Set(carried)).toEqual(new Set(STATEMENT_TYPES));
  });

  test('is not longer than the name that queue names are measured with', () => {
    const queues = MESSAGE_NAMES.filter((name) => CATALOGUE[name].queue === 'topic');
    expect(Math.max(...queues.map((name) => name.length))).toBe(LONGEST_QUEUE_MESSAGE.length);
    expect(queues).toContain(LONGEST_QUEUE_MESSAGE);
  });

  test('of the encrypted partition is sealed, and of the general one is not', () => {
    for (const name of MESSAGE_NAMES) {
      const entry: Entry = CATALOGUE[name];
      if (entry.statement === undefined) continue;
      for (const payload of fc.sample(payloadsOf(name), { numRuns: 1, seed: 1 }))
        expect('ciphertext' in payload, name).toBe(entry.partition === 'encrypted');
    }
  });
});

describe('a body is refused', () => {
  test('DOS-01: above its limit, before it is parsed', () => {
    const huge = `{"Start":{}}${' '.repeat(MAX_BODY_BYTES - 11)}`;
    expect(reasonFor(huge)).toBe(`expected at most ${MAX_BODY_BYTES} bytes, got at least ${MAX_BODY_BYTES + 1}`);
    expect(reasonFor(huge.slice(0, MAX_BODY_BYTES))).toBe('accepted');
    // Not JSON at all: a parser that ran first would say so.
    expect(reasonFor('x'.repeat(MAX_BODY_BYTES + 1))).toMatch(/^expected at most/);
    expect(reasonFor('é'.repeat(MAX_BODY_BYTES / 2 + 1))).toMatch(/^expected at most/);
  });

  test('if it is no object with one message name', () => {
    for (const text of ['null', '7', '"Start"', '[]', '[{"Start":{}}]', '{}', '{"Start":{},"Wake":{}}'])
      expect(reasonFor(text), text).toMatch(/^expected (an object with )?one message name/);
  });

  test('if the name is not in the catalogue, or is in every object', () => {
    for (const name of ['EncryptedKeyCommitmentOut', 'start', 'toString', 'valueOf', 'hasOwnProperty'])
      expect(reasonFor(`{"${name}":{}}`), name).toMatch(/^expected a message of the catalogue/);
    expect(reasonFor('{"__proto__":{}}')).toMatch(/forbidden key/);
  });

  test('if it is another message than its queue carries', () => {
    expect(parseBodyAs('Wake', '{"Start":{}}')).toEqual({ ok: false, reason: 'expected Wake, got Start' });
    expect(parseBodyAs('Start', '{"Start":{}}')).toEqual({ ok: true, name: 'Start', payload: {} });
  });

  test('with a reason that names the field and repeats no value', () => {
    const secret = 'a value that nobody should see in a log';
    expect(reasonFor(bodyOf('KeyGenVerdictIn', { ...verdict, slot: secret }))).toBe(
      'KeyGenVerdictIn: slot: expected at most 32 of a-z, 0-9, dot and hyphen',
    );
    for (const [field, value] of Object.entries(verdict)) {
      const reason = reasonFor(JSON.stringify({ KeyGenVerdictIn: { ...verdict, [field]: { [secret]: value } } }));
      expect(reason.startsWith(`KeyGenVerdictIn: ${field}: `), reason).toBe(true);
      expect(reason).not.toContain(secret);
    }
  });

  test('ENC-06: if its header names another type than the message', () => {
    expect(reasonFor(bodyOf('SignatureIn', verdict))).toMatch(/^SignatureIn: type: /);
    expect(reasonFor(bodyOf('KeyGenVerdictIn', verdict))).toBe('accepted');
  });
});

describe('a parcel', () => {
  const parcel = (type: string, payload: unknown): string =>
    JSON.stringify({ P2PIncoming: { from: 1, to: 2, coin: 'btc', type, payload } });

  const parcels = MESSAGE_NAMES.filter((name) => name.endsWith('Out') || name === 'ExternalPublicKeyIn');

  test('carries whatever leaves an operator', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...parcels).chain((type) => payloadsOf(type).map((each) => [type, each])),
        (sent) => {
          const [type, payload] = sent;
          const parsed = parseBody(parcel(`${type}`, payload));
          expect(parsed.ok ? parsed.payload : parsed.reason).toEqual({ from: 1, to: 2, coin: 'btc', type, payload });
        },
      ),
      { numRuns: 100, seed: 1 },
    );
  });

  test('CTX-04: is refused if what it says in the clear is to be sealed, or is another message', () => {
    expect(reasonFor(parcel('KeyGenVerdictOut', verdict))).toBe('accepted');
    expect(reasonFor(parcel('EncryptedKeyShareOut', { ...verdict, type: 'EncryptedKeyShare' }))).toMatch(
      /^P2PIncoming/,
    );
    expect(reasonFor(parcel('ExternalPublicKeyIn', verdict))).toMatch(/^P2PIncoming/);
  });

  test('is refused if its type is one that never travels between operators', () => {
    for (const type of ['Start', 'MultisigInstruction', 'Control', 'KeyGenVerdictIn', 'SignerReady', 'Wake'])
      expect(reasonFor(parcel(type, verdict)), type).toMatch(/^P2PIncoming: type/);
  });

  test('is refused from or to nobody', () => {
    const named = (from: number, to: number): string =>
      reasonFor(JSON.stringify({ P2PIncoming: { from, to, coin: 'btc', type: 'KeyGenVerdictOut', payload: verdict } }));
    expect(named(0, 2)).toMatch(/^P2PIncoming: from: /);
    expect(named(1, 0)).toMatch(/^P2PIncoming: to: /);
    expect(named(1, 101)).toMatch(/^P2PIncoming: to: /);
  });
});
