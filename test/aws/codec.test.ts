import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeItem, encodeAttribute, encodeItem } from '../../lib/aws/codec.ts';
import { OPEN_SHARDS, openShard } from '../../lib/aws/tables.ts';
import { type Attribute, type Item, LimitExceeded } from '../../lib/ports.ts';

const attribute: fc.Arbitrary<Attribute> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.maxSafeInteger(),
  fc.boolean(),
  fc.uint8Array(),
  fc.uniqueArray(fc.maxSafeInteger(), { minLength: 1 }).map((members) => new Set(members)),
  fc.array(fc.uint8Array()),
  fc.array(fc.string({ unit: 'binary' })),
);
const name = fc.string({ minLength: 1 }).filter((each) => !['pk', 'sk', 'open', '__proto__'].includes(each));
const item: fc.Arbitrary<Item> = fc
  .tuple(fc.string(), fc.string(), fc.dictionary(name, attribute, { noNullPrototype: true }))
  .map(([pk, sk, attributes]) => ({ ...attributes, pk, sk }));

describe('the attribute codec', () => {
  test('what is read equals what was written, for every type and every table', () => {
    fc.assert(
      fc.property(item, fc.constantFrom('Ceremonies' as const, 'Keys' as const), (written, table) => {
        expect(decodeItem(table, encodeItem(table, written))).toEqual(written);
      }),
    );
  });

  test('bytes that are handed out are nobody else’s', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const decoded = decodeItem('Keys', { pk: { S: 'a' }, sk: { S: 'b' }, blob: { B: bytes } });
    bytes.fill(0);
    expect(decoded['blob']).toEqual(Uint8Array.of(1, 2, 3));
  });

  test('a ceremony that is to be woken is in the index, in a shard that its key decides; others are not', () => {
    const woken = encodeItem('Ceremonies', { pk: 'C#1', sk: 'STATE', wakeAt: 5 });
    expect(woken['open']).toEqual({ S: openShard('C#1') });
    expect(encodeItem('Ceremonies', { pk: 'C#1', sk: 'STATE' })).not.toHaveProperty('open');
    expect(encodeItem('Keys', { pk: 'C#1', sk: 'STATE', wakeAt: 5 })).not.toHaveProperty('open');
    const shards = new Set(Array.from({ length: 200 }, (_, i) => openShard(`C#0x${i.toString(16)}`)));
    expect(shards.size).toBe(OPEN_SHARDS);
  });

  test('the index’s own attribute cannot be written by a caller', () => {
    expect(() => encodeItem('Ceremonies', { pk: 'C#1', sk: 'STATE', open: '0' })).toThrow(LimitExceeded);
  });

  test.each([
    ['a fraction', 0.5],
    ['an unsafe integer', 2 ** 53],
    ['not a number', Number.NaN],
    ['an empty set', new Set<number>()],
    ['a set with a fraction', new Set([1.5])],
    ['a list that mixes text and bytes', ['a', Uint8Array.of(1)] as unknown as string[]],
  ])('%s is refused before it is sent', (_, value) => {
    expect(() => encodeAttribute('x', value)).toThrow(LimitExceeded);
  });

  test('a type that no adapter writes is an error, not a guess', () => {
    expect(() => decodeItem('Keys', { pk: { S: 'a' }, sk: { S: 'b' }, map: { M: {} } })).toThrow(/map/);
  });
});
