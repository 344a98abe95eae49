import { describe, expect, test } from 'vitest';
import type { Hex } from '../../lib/messages/hex.ts';
import type { Quorum } from '../../lib/signing-service/certificate.ts';
import { NetworkRefused } from '../../lib/signing-service/network.ts';
import type { RefusalReason } from '../../lib/signing-service/scheme.ts';
import { prospectOf } from '../../lib/wallet/phases.ts';

const seven: Quorum = {
  context: { committee: '0x', asset: 'usd', epoch: 0 },
  t: 5,
  f: 2,
  keys: new Map(Array.from({ length: 7 }, (_, i): [number, Hex] => [i + 1, '0x'])),
};
const refused = (count: number, reason: Exclude<RefusalReason, 'Locked'> = 'Spent', phase = 'transaction' as const) =>
  new NetworkRefused(
    phase,
    5,
    0,
    Array.from({ length: count }, (_, i) => ({ index: i + 1, refusal: { reason } })),
    [],
  );

describe('a transaction that services refuse, 5 of 7 of which 2 may lie', () => {
  test('may be certified still as long as too few refused it: it is asked for again', () => {
    expect(prospectOf(seven, refused(2))).toBe('unheard');
  });

  test('is held, and not forgotten, while two that lie could certify it after all: its payer would pay twice', () => {
    expect([3, 4].map((count) => prospectOf(seven, refused(count)))).toEqual(['refused', 'refused']);
  });

  test('is forgotten when enough that do not lie have refused it', () => {
    expect([5, 7].map((count) => prospectOf(seven, refused(count)))).toEqual(['never', 'never']);
  });

  test('is not refused for good by services that say nothing to anybody, nor by one that says so twice', () => {
    expect(prospectOf(seven, refused(7, 'Halted'))).toBe('unheard');
    expect(prospectOf(seven, refused(7, 'ReadOnly'))).toBe('unheard');
    const twice = Array.from({ length: 7 }, () => ({ index: 1, refusal: { reason: 'Spent' as const } }));
    expect(prospectOf(seven, new NetworkRefused('transaction', 5, 0, twice, []))).toBe('unheard');
  });

  test('is never given up once it is certified', () => {
    const all = refused(7, 'BadProof').refusals;
    expect(prospectOf(seven, new NetworkRefused('certificate', 5, 0, all, []))).toBe('unheard');
  });
});
