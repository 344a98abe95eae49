import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_DEPTH, MAX_ELEMENTS, parseStrict } from '../../lib/messages/json.ts';

const reasonFor = (text: string, most = 1_000_000): string => {
  const parsed = parseStrict(text, most);
  return parsed.ok ? 'accepted' : parsed.reason;
};

/** Only what a message may hold: no fractions, no negative numbers. */
const { value: strict } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'grapheme', maxLength: 8 }),
    fc.maxSafeNat(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 6 }), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
}));

test('what JSON.stringify writes is read back, with or without spaces', () => {
  fc.assert(
    fc.property(strict, fc.constantFrom(undefined, 1, '\t'), (value, space) => {
      const text = JSON.stringify(value, undefined, space);
      if (/"(__proto__|constructor|prototype)"/.test(text)) return;
      expect(parseStrict(text, 100_000)).toEqual({ ok: true, value: JSON.parse(text) });
    }),
    { seed: 1 },
  );
});

test('nothing is accepted that JSON.parse would refuse, and every edit of a text is judged without throwing', () => {
  const edits = fc.tuple(
    strict,
    fc.nat(),
    fc.string({ unit: fc.constantFrom(...'{}[]",:0-1.e\\u tn\n\u0000'), maxLength: 3 }),
  );
  fc.assert(
    fc.property(edits, ([value, where, insert]) => {
      const text = JSON.stringify(value);
      const at = where % (text.length + 1);
      const edited = text.slice(0, at) + insert + text.slice(at + 1);
      const parsed = parseStrict(edited, 100_000);
      if (parsed.ok) expect(parsed.value).toEqual(JSON.parse(edited));
    }),
    { numRuns: 2_000, seed: 1 },
  );
});

describe('ENC-08: a text is refused that two readers could read differently', () => {
  const refused: Record<string, readonly string[]> = {
    'a duplicate key': [
      '{"a":1,"a":1}',
      '{"a":1,"\\u0061":2}',
      '{"x":{"a":1,"b":2,"a":3}}',
      '[{"a":0},{"b":0,"b":0}]',
      '{"":1,"":2}',
    ],
    'a forbidden key': [
      '{"__proto__":{}}',
      '{"a":{"__proto__":null}}',
      '{"constructor":1}',
      '{"prototype":1}',
      '{"\\u005f_proto__":1}',
    ],
    'numbers are integers': [
      '-1',
      '-0',
      '00',
      '01',
      '1.0',
      '1.5',
      '1e3',
      '1E3',
      '9007199254740992',
      '+1',
      'NaN',
      '.5',
      '1.',
      '99999999999999999999',
    ],
    'text after the end': [
      '0x10',
      '{}{}',
      '1 2',
      '[] ]',
      '{},',
      'nullnull',
      '"a""b"',
      '{}\u0000',
      '1\u00a0',
      '[]\ufeff',
    ],
    'a control character': ['"\n"', '"\u0000"', '{"a\tb":1}'],
    'an unfinished string': ['"', '{"a', '"\\"', '"abc\\'],
    'a malformed string': ['"\\x"', '"\\u12"', '"\\ud800"', '"\\udc00x"', '{"\\ud800":1}'],
    'not well-formed Unicode': ['"\ud800"', '{"a":"\udfff"}'],
    'expected a value': [
      '',
      ' ',
      'tru',
      'nul',
      'True',
      'undefined',
      '[,]',
      '[1,]',
      '{"a":}',
      "'a'",
      '//',
      '\ufeff{}',
      '\u00a01',
      '[1 ',
      'fals',
    ],
    'expected a key': ['{', '{,}', '{a:1}', '{"a":1,}', '{1:1}'],
    'expected a colon': ['{"a"}', '{"a" 1}', '{"a",1}'],
    'expected a comma': ['[1 2]', '{"a":1 "b":2}', '[1', '{"a":1'],
  };
  for (const [reason, texts] of Object.entries(refused)) {
    test(`${reason}`, () => {
      for (const text of texts) {
        const got = reasonFor(text);
        expect(got, JSON.stringify(text)).not.toBe('accepted');
        if (!['expected a value', 'expected a comma'].includes(reason))
          expect(got, JSON.stringify(text)).toContain(reason);
      }
    });
  }

  test('and the largest number that every reader reads alike is accepted', () => {
    expect(parseStrict('9007199254740991', 20)).toEqual({ ok: true, value: Number.MAX_SAFE_INTEGER });
  });

  test('no reason repeats what the text holds', () => {
    expect(reasonFor('{"secret":"hush","secret":1}')).not.toMatch(/secret|hush/);
    expect(reasonFor('{"__proto__":"hush"}')).not.toMatch(/proto__|hush/);
  });
});

describe('DOS-01: a text is bounded', () => {
  test('in bytes of UTF-8, before anything else is looked at', () => {
    expect(reasonFor('"éé"', 6)).toBe('accepted');
    expect(reasonFor('"éé"', 5)).toBe('expected at most 5 bytes, got at least 6');
    expect(reasonFor('not JSON', 5)).toMatch(/^expected at most 5 bytes/);
  });

  test('in depth', () => {
    expect(reasonFor('['.repeat(MAX_DEPTH) + ']'.repeat(MAX_DEPTH))).toBe('accepted');
    expect(reasonFor('['.repeat(MAX_DEPTH + 1) + ']'.repeat(MAX_DEPTH + 1))).toContain('levels');
    expect(reasonFor(`${'{"a":'.repeat(MAX_DEPTH)}1${'}'.repeat(MAX_DEPTH)}`)).toBe('accepted');
    expect(reasonFor(`${'{"a":'.repeat(MAX_DEPTH + 1)}1${'}'.repeat(MAX_DEPTH + 1)}`)).toContain('levels');
    expect(reasonFor('['.repeat(200_000))).toContain('levels');
  });

  test('in elements', () => {
    const array = (count: number): string => `[${Array(count).fill('0').join(',')}]`;
    expect(reasonFor(array(MAX_ELEMENTS))).toBe('accepted');
    expect(reasonFor(array(MAX_ELEMENTS + 1))).toContain('elements');
    expect(reasonFor(array(400_000))).toContain('elements');
  });

  test('in time: what is twice as long takes not much more than twice', () => {
    // Escapes, keys and spaces are where a scanner could look back.
    const texts = (size: number): readonly string[] => [
      `"${'\\\\'.repeat(size)}"`,
      `{${Array.from({ length: size / 8 }, (_, i) => `"k${i}":0`).join(',')}}`,
      `[${' '.repeat(size)}]`,
      `"${'x'.repeat(size)}`,
    ];
    const cost = (text: string): number => {
      const times = Array.from({ length: 5 }, () => {
        const start = performance.now();
        reasonFor(text);
        return performance.now() - start;
      });
      return Math.min(...times);
    };
    const [short, long] = [texts(8_000), texts(128_000)];
    // Sixteen times the text: sixteen times the work if each character is looked at once, 256 times if the scanner looks back.
    for (const [i, text] of long.entries()) expect(cost(text) / Math.max(cost(short[i] ?? ''), 0.02)).toBeLessThan(120);
  });
});
