import { describe, expect, it } from 'vitest';
import { type DemoResult, documentOf, textOf } from '../../lib/cli/demo-output.ts';
import type { Certificate } from '../../lib/messages/certificate.ts';
import type { Committee } from '../../lib/messages/committee.ts';
import type { Hex } from '../../lib/messages/hex.ts';

const word = (byte: string, length = 32): Hex => `0x${byte.repeat(length)}`;

function result(change: Partial<DemoResult> = {}): DemoResult {
  const signature = word('ab', 64);
  return {
    // Only what is printed; the real thing is printed in `binary.test.ts`.
    committee: { id: word('c0'), n: 3, file: { operators: [] } } as unknown as Committee,
    threshold: 2,
    keys: [
      {
        coin: 'btc',
        suite: 'FROST-secp256k1-SHA256-TR-v1',
        keyId: word('01'),
        publicKey: word('02'),
        address: 'bc1p',
        certificate: {} as Certificate,
        announcedBy: 3,
        signatures: [{ message: word('68', 2), signature, valid: true }],
      },
    ],
    failures: [],
    messages: new Map([
      ['MultisigEvent', 2],
      ['Start', 6],
      ['P2PIncoming', 1234],
    ]),
    seconds: { elapsed: 1.25, cpu: 2 },
    ...change,
  };
}

function withSignature(valid: boolean, message: Hex = word('68', 2)): DemoResult {
  const { keys } = result();
  return result({ keys: keys.map((key) => ({ ...key, signatures: [{ message, signature: word('ab', 64), valid }] })) });
}

describe('the text of a demo', () => {
  it('shows printable messages as text, and any other as hex', () => {
    expect(textOf(withSignature(true, word('68', 2)), false)).toContain('message     "hh"');
    const unprintable: readonly Hex[] = ['0x0000', '0xff', '0x1b5b', '0x680a', '0xe280ae'];
    for (const message of unprintable)
      expect(textOf(withSignature(true, message), false)).toContain(`message     ${message}\n`);
  });

  it('says it of a signature that does not verify', () => {
    const text = textOf(withSignature(false), false);
    expect(text).toContain('✗ NOT valid, says tiny-secp256k1 (libsecp256k1)');
    expect(text).not.toContain('✓ verified');
  });

  it('breaks a signature between its halves where the terminal is too narrow, and nowhere else', () => {
    const signature = word('ab', 64);
    expect(textOf(result(), false)).toContain(signature);
    expect(textOf(result(), false, 200)).toContain(signature);
    expect(textOf(result(), false, 100)).toContain(`${word('ab')}\n${' '.repeat(16)}${'ab'.repeat(32)}\n`);
  });

  it('lists the messages in the order of the catalogue, with their sum', () => {
    const text = textOf(result(), false);
    expect(text).toContain('Messages  1242 put on queues');
    expect(text).toMatch(/Start +6 +MultisigEvent +2\n {2}P2PIncoming +1234\n/);
  });

  it('has no escape unless colour is wanted', () => {
    expect(textOf(result(), false)).not.toContain('\x1b');
    expect(textOf(result(), true)).toContain('\x1b[32m✓');
  });
});

describe('the document of a demo', () => {
  it('holds only signatures that verified', () => {
    expect(documentOf(withSignature(true)).signatures).toHaveLength(1);
    expect(documentOf(withSignature(false)).signatures).toEqual([]);
  });

  it('has failures only if there are any', () => {
    expect(Object.keys(documentOf(result()))).toEqual(['committee', 'keys', 'signatures', 'messages']);
    const failure = { coin: 'btc', reason: 'Timeout', unresponsive: [2], sentence: 'why' } as const;
    expect(documentOf(result({ failures: [failure] }))).toMatchObject({
      failures: [{ coin: 'btc', reason: 'Timeout', unresponsive: [2] }],
    });
  });
});
