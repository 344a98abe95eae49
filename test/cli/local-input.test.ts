import { describe, expect, it } from 'vitest';
import { parseInput } from '../../lib/cli/local-input.ts';

const reason = (text: string) => {
  const parsed = parseInput(text, 3);
  return parsed.ok ? `taken as ${parsed.input.kind}` : parsed.reason;
};
const keyGen = (fields: object) => JSON.stringify({ MultisigInstruction: { KeyGen: fields } });
const sign = (fields: object) => JSON.stringify({ MultisigInstruction: { Sign: fields } });

describe('lines of the local committee', () => {
  it('takes instructions with nothing but what has no default', () => {
    expect(parseInput(keyGen({ coin: 'btc' }), 3)).toEqual({
      ok: true,
      input: { kind: 'KeyGen', operators: undefined, keyGen: { coin: 'btc' } },
    });
    expect(parseInput(sign({ messages: ['0x00'] }), 3)).toMatchObject({
      ok: true,
      input: { kind: 'Sign', sign: { messages: ['0x00'] } },
    });
    expect(parseInput('{"operators":[1,3],"Control":{"Halt":{}}}', 3)).toEqual({
      ok: true,
      input: { kind: 'Control', operators: [1, 3], control: { Halt: {} } },
    });
    const ceremony = `0x${'ab'.repeat(32)}`;
    expect(parseInput(JSON.stringify({ Control: { Abandon: { ceremony } } }), 3)).toMatchObject({
      ok: true,
      input: { control: { Abandon: { ceremony } } },
    });
  });

  it.each([
    ['{', /^expected one JSON message: /],
    ['not json', /^expected one JSON message: /],
    ['{"Control":{"Halt":{}},"Control":{"Release":{}}}', /^expected one JSON message: /],
    ['{"Control":{"Halt":{}}} x', /^expected one JSON message: /],
    ['[]', /^expected a JSON object, got \[\]$/],
    ['null', /^expected a JSON object, got null$/],
    ['{}', /^expected MultisigInstruction or Control, got an empty object$/],
    ['{"Status":{}}', /^expected MultisigInstruction or Control, got "Status"$/],
    [
      '{"Control":{"Halt":{}},"MultisigInstruction":{}}',
      /^expected MultisigInstruction or Control, got "Control" and "MultisigInstruction"$/,
    ],
    ['{"Control":{"Pause":{}}}', /^Control: expected one of Halt, Release, Abandon, CleanUp, got "Pause"$/],
    ['{"Control":{"Halt":{"now":true}}}', /^Control Halt: expected \{\}, got \{"now":true\}$/],
    ['{"Control":{"Abandon":{}}}', /^Control Abandon: expected \{"ceremony": 32 bytes .*\}, got \{\}$/],
    ['{"MultisigInstruction":{"Frob":{}}}', /^MultisigInstruction: expected KeyGen or Sign, got "Frob"$/],
    ['{"MultisigInstruction":7}', /^MultisigInstruction: expected KeyGen or Sign, got 7$/],
    ['{"operators":[4],"Control":{"Halt":{}}}', /^operators: expected indexes from 1 to 3, got 4$/],
    ['{"operators":[],"Control":{"Halt":{}}}', /^operators: expected .*, got \[\]$/],
    ['{"operators":[1,"2"],"Control":{"Halt":{}}}', /^operators\.1: expected number, got "2"$/],
  ])('refuses %s with what was expected and what came', (line, sentence) => {
    expect(reason(line)).toMatch(sentence);
  });

  it.each([
    [keyGen({}), /^KeyGen\.coin: expected .*, got nothing$/],
    [keyGen({ coin: 'eth' }), /^KeyGen\.coin: expected .*"btc"\|"sol".*, got "eth"$/],
    [keyGen({ coin: 'btc', frob: 1 }), /^KeyGen: expected only known fields, got "frob"$/],
    [keyGen({ coin: 'btc', t: '2' }), /^KeyGen\.t: expected .*, got "2"$/],
    [keyGen({ coin: 'btc', t: 0 }), /^KeyGen\.t: expected .*, got 0$/],
    [
      keyGen({ coin: 'btc', signers: [2, 1] }),
      /^KeyGen\.signers: expected distinct indexes in ascending order, got \[2,1\]$/,
    ],
    [
      keyGen({ coin: 'btc', requestId: '0x12' }),
      /^KeyGen\.requestId: expected 16 bytes as 0x and lower-case hex, got "0x12"$/,
    ],
    [keyGen({ coin: 'btc', suite: 'RSA' }), /^KeyGen\.suite: expected .*, got "RSA"$/],
    [sign({}), /^Sign\.messages: expected .*, got nothing$/],
    [sign({ messages: [] }), /^Sign\.messages: expected .*, got \[\]$/],
    [
      sign({ messages: ['hello'] }),
      /^Sign\.messages\.0: expected 1 to 4096 bytes as 0x and lower-case hex, got "hello"$/,
    ],
    [
      sign({ messages: ['0x00'], keyId: 'newest' }),
      /^Sign\.keyId: expected "latest" or 32 bytes as 0x and lower-case hex, got "newest"$/,
    ],
    [sign({ messages: ['0x00'], purpose: '' }), /^Sign\.purpose: expected 1 to 64 printable ASCII characters, got ""$/],
  ])('names the wrong field in %s', (line, sentence) => {
    expect(reason(line)).toMatch(sentence);
  });

  it('refuses an overlong line before it parses it', () => {
    expect(reason(`{"Control":{"Halt":{}}}${' '.repeat(300_000)}`)).toMatch(
      /^expected one JSON message: expected at most 270000 bytes/,
    );
  });
});
