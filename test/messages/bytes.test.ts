import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  concat,
  EncodingError,
  list,
  lp,
  PURPOSES,
  type Purpose,
  tagged,
  u16be,
  u32be,
  u64be,
  utf8,
} from '../../lib/messages/bytes.ts';
import { transcriptHash } from '../../lib/messages/certificate.ts';
import { fromHex, type Hex, HexError, toHex } from '../../lib/messages/hex.ts';
import { instructionBytes, multisigInstruction } from '../../lib/messages/instructions.ts';
import { ceremonyId, keygenParameters, signingParameters } from '../../lib/messages/parameters.ts';
import { processorKeyBytes } from '../../lib/messages/processor-key.ts';
import { sealingInfo } from '../../lib/messages/sealing.ts';
import {
  headerBytes,
  sealedBytes,
  sealedSchema,
  statementBytes,
  statementSchema,
} from '../../lib/messages/statement.ts';
import { vote, voteBytes } from '../../lib/messages/tokens.ts';
import { arbitraryOf } from './arbitrary.ts';
import { hexOf, transcriptContent } from './fixtures.ts';

const bytes = fc.uint8Array({ maxLength: 4 });

/** Two values with one encoding are one value. The arbitrary is dense, so that equal encodings of different values would be met if there were any. */
function injective<T>(values: fc.Arbitrary<T>, encode: (value: T) => Uint8Array, numRuns = 2_000): void {
  fc.assert(
    fc.property(values, values, (a, b) => {
      if (toHex(encode(a)) === toHex(encode(b))) expect(a).toEqual(b);
    }),
    { numRuns, seed: 1 },
  );
}

/** Every field of `value`, changed to what `others` has in its place, changes the encoding. */
function covers<T extends object>(
  values: fc.Arbitrary<T>,
  encode: (value: T) => string,
  except: readonly string[] = [],
) {
  fc.assert(
    fc.property(values, values, (value, others) => {
      for (const [field, other] of Object.entries(others)) {
        const before = (value as Record<string, unknown>)[field];
        if (except.includes(field) || JSON.stringify(before) === JSON.stringify(other)) continue;
        expect(encode({ ...value, [field]: other }), field).not.toBe(encode(value));
      }
    }),
    { numRuns: 100, seed: 1 },
  );
}

describe('integers', () => {
  test('are big-endian of fixed width', () => {
    expect(toHex(u16be(0x0102))).toBe('0x0102');
    expect(toHex(u32be(0x01020304))).toBe('0x01020304');
    expect(toHex(u64be(0x0102))).toBe('0x0000000000000102');
    expect(toHex(u64be(2n ** 64n - 1n))).toBe('0xffffffffffffffff');
    expect(toHex(u16be(65_535))).toBe('0xffff');
  });

  test('that do not fit, or are no integers, have no encoding', () => {
    for (const value of [-1, 65_536, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => u16be(value), `${value}`).toThrow(EncodingError);
    for (const value of [-1, 2 ** 32, 0.1]) expect(() => u32be(value), `${value}`).toThrow(EncodingError);
    for (const value of [-1, 2 ** 53, 0.5, -1n, 2n ** 64n])
      expect(() => u64be(value), `${value}`).toThrow(EncodingError);
  });
});

test('ENC-08: text with a lone surrogate has no bytes, instead of those of another text', () => {
  expect(() => utf8('\ud800')).toThrow(EncodingError);
  expect(toHex(utf8('é😀'))).toBe('0xc3a9f09f9880');
});

describe('ENC-04: no two values have one encoding', () => {
  test('a list', () => injective(fc.array(bytes, { maxLength: 4 }), list));
  test('two prefixed parts', () => injective(fc.tuple(bytes, bytes), ([a, b]) => concat(lp(a), lp(b))));
  test('a list, and what follows it', () =>
    injective(fc.tuple(fc.array(bytes, { maxLength: 3 }), bytes), ([all, more]) => concat(list(all), lp(more))));

  const text = fc.string({ maxLength: 3, unit: fc.constantFrom('a', 'b', '.') });
  const short = fc.record({
    type: fc.constantFrom('Signature', 'SignatureShare'),
    committee: fc.constant(hexOf('committee')),
    coin: text,
    ceremony: fc.constant(hexOf('ceremony')),
    slot: text,
    from: fc.nat(2),
    to: fc.nat(2),
  } as const);
  test('a header', () => injective(short, headerBytes));
  test('a header and its reader', () =>
    injective(fc.tuple(short, fc.nat(2)), ([header, reader]) => sealingInfo(header, reader)));
  test('a statement', () =>
    injective(fc.tuple(short, text), ([header, content]) => statementBytes({ ...header, content })));

  test('a statement: every field is covered', () =>
    covers(arbitraryOf(statementSchema), (value) => toHex(statementBytes(value)), ['signature']));
  test('a sealed statement: every field is covered', () =>
    covers(arbitraryOf(sealedSchema), (value) => toHex(sealedBytes(value)), ['signature']));
  test('the parameters of a key generation: every field is covered', () =>
    covers(arbitraryOf(keygenParameters), ceremonyId));
  test('the parameters of a signing: every field is covered', () => covers(arbitraryOf(signingParameters), ceremonyId));
  test('a vote: every field is covered', () =>
    covers(arbitraryOf(vote), (of) => toHex(voteBytes({ committee: hexOf('committee'), asset: 'usd', epoch: 1 }, of))));
  test('an instruction: every field is covered', () =>
    covers(
      arbitraryOf(multisigInstruction),
      (value) => toHex(instructionBytes(value, { committee: `0x${'c0'.repeat(32)}`, coin: 'btc' })),
      ['signatures'],
    ));
  test('a processor key: every field is covered', () =>
    covers(
      fc.record({
        identity: text,
        coin: text,
        pubkey: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex),
        generation: fc.nat(),
      }),
      (value) => toHex(processorKeyBytes(value)),
    ));

  test('a ceremony of key generation is never one of signing', () => {
    fc.assert(
      fc.property(arbitraryOf(signingParameters), (signing) => {
        const { keyId: _, messages: __, purpose: ___, ...rest } = signing;
        expect(ceremonyId({ ...rest, kind: 'keygen' })).not.toBe(ceremonyId(signing));
      }),
      { numRuns: 20, seed: 1 },
    );
  });

  test('a transcript with a hash missing or too many has no encoding', () => {
    const { publicKeyHashes, commitmentHashes } = transcriptContent;
    const [first, ...fewer] = publicKeyHashes;
    expect(() => transcriptHash({ ...transcriptContent, publicKeyHashes: fewer })).toThrow(EncodingError);
    expect(() =>
      transcriptHash({ ...transcriptContent, publicKeyHashes: [...publicKeyHashes, first ?? '0x'] }),
    ).toThrow(EncodingError);
    expect(() => transcriptHash({ ...transcriptContent, commitmentHashes: commitmentHashes.slice(1) })).toThrow(
      EncodingError,
    );
  });
});

describe('ENC-06: purposes', () => {
  const all = PURPOSES.map((purpose) => toHex(tagged(purpose)).slice(2));
  test('are distinct, and none is the beginning of another', () => {
    expect(new Set(all).size).toBe(PURPOSES.length);
    for (const a of all) for (const b of all) expect(a !== b && b.startsWith(a)).toBe(false);
  });
  test('hold every one that the formats name', () => {
    expect(PURPOSES).toEqual(
      expect.arrayContaining(
        ['statement', 'sealed', 'hpke', 'committee', 'card', 'ceremony', 'transcript', 'key-id'].concat([
          'processor-key',
          'instruction',
          'vote',
          'transaction',
          'deposit',
        ]),
      ),
    );
  });
  test('are a closed table', () => {
    expect(() => tagged('other' as Purpose)).toThrow(EncodingError);
    expect(toHex(tagged('vote'))).toBe(`0x0000000f${Buffer.from('coterie/v1/vote').toString('hex')}`);
  });
});

describe('hex', () => {
  test('has one text for one value', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (value) => {
        expect(fromHex(toHex(value))).toEqual(value);
      }),
    );
  });
  test('ENC-03: is refused in any other spelling', () => {
    for (const text of ['', '00', '0X00', '0x0', '0x0G', '0xAB', ' 0x00', '0x00 ', '0x00\n', '0x 00', '0x０0'])
      expect(() => fromHex(text as Hex), JSON.stringify(text)).toThrow(HexError);
  });
  test('of the size of a body is read without recursion', () => {
    expect(fromHex(`0x${'ab'.repeat(131_000)}`).length).toBe(131_000);
  });
});

test('ENC-04: what ends one list does not begin the next', () => {
  const [a, b] = [Uint8Array.of(1), Uint8Array.of(2)];
  const encodings = [
    [[a], [b]],
    [[a, b], []],
    [[], [a, b]],
  ].map((pair) => toHex(concat(...pair.map(list))));
  expect(new Set(encodings).size).toBe(3);
});
